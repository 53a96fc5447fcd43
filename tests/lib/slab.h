/* SPDX-License-Identifier: GPL-2.0-only */
/* slab - how much memory the kernel has allocated in objects */
#ifndef VFIO_AP_TESTS_SLAB_H
#define VFIO_AP_TESTS_SLAB_H

#include <stdbool.h>

bool slab_present(void);

/*
 * All objects of the caches whose name begins so ("" for all). Right to a page or two for each CPU
 * and cache: compare before and after many.
 */
long slab_bytes(const char *caches);

/*
 * What kmalloc() took as pages because no cache has objects that large (more than 8 KiB): the kernel
 * counts it as slab, but no cache knows of it.
 */
long slab_large_bytes(void);

/* What was freed of late is free afterwards: RCU keeps it for seconds. */
void slab_settle(void);

#endif
