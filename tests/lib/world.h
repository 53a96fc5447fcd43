/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * world - what every case begins with and leaves behind
 *
 * Before: the hardware as it left the factory, every queue on the bus and bound to vfio_ap,
 * no mediated device, empty hardware log. After: everything the case made is closed and
 * removed, no interrupt is on, no page is pinned, and the kernel has not complained.
 */
#ifndef VFIO_AP_TESTS_WORLD_H
#define VFIO_AP_TESTS_WORLD_H

#include <stdbool.h>

#include "ktap.h"

extern const struct ktap_world world;

/* The same without our driver loaded: only the hardware and the bus. */
extern const struct ktap_world world_without_driver;

#define RUN_IN_THE_WORLD(cases) ktap_main(cases, ARRAY_SIZE(cases), &world)

bool world_has_facility(unsigned int number);
long world_pins(void);			/* pages pinned and not yet released */
void world_bind_all(void);

#endif
