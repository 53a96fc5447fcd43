/* SPDX-License-Identifier: GPL-2.0-only */
/* story - everything a test case needs to tell one */
#ifndef VFIO_AP_TESTS_STORY_H
#define VFIO_AP_TESTS_STORY_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apbus.h"
#include "apemu.h"
#include "apqn.h"
#include "bounds.h"
#include "clock.h"
#include "file.h"
#include "guest.h"
#include "kmsg.h"
#include "ktap.h"
#include "mdev.h"
#include "memo.h"
#include "scene.h"
#include "vfio.h"
#include "vm.h"
#include "world.h"

/*
 * The adapters and domains of the factory setting that the tests use (see tests/runs and the
 * emulator's README).
 */
enum { CARD_1 = 1, CARD_2 = 2, CARD_3 = 3, CARD_5 = 5 };
enum { DOMAIN_4 = 4, DOMAIN_11 = 0x11, DOMAIN_47 = 0x47, CONTROL_22 = 0x22 };

#endif
