/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dice - random numbers that can be had again: lab.seed=<number> on the kernel command line
 *
 * Each thread has its own dice, so that what one throws does not depend on the others.
 */
#ifndef VFIO_AP_TESTS_DICE_H
#define VFIO_AP_TESTS_DICE_H

#include "ktap.h"

unsigned int dice_seed(void);
void dice_take(unsigned int number);		/* the dice of this thread */
unsigned int dice(unsigned int sides);		/* 0 to sides - 1 */
unsigned long dice_word(void);			/* 64 random bits */

#define ANY_OF(list) ((list)[dice(ARRAY_SIZE(list))])

#endif
