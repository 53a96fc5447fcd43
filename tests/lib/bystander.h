/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bystander - R-10: everything that has nothing to do with somebody else's trouble
 *
 * The scene is a guest with 01.0047; domain 11 and mask 0x0 are free to be used.
 */
#ifndef VFIO_AP_TESTS_BYSTANDER_H
#define VFIO_AP_TESTS_BYSTANDER_H

#include "scene.h"

/* Assign, unassign, read, reset, AQIC, scan, masks, status, create, remove: each done in time */
void bystander_goes_on(struct scene *scene);

/* What began at this time must not have waited. */
void bystander_unbothered(const char *what, long begun);

#endif
