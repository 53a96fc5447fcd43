/* SPDX-License-Identifier: GPL-2.0-only */
/* slab - how much memory the kernel has allocated in objects */
#ifndef VFIO_AP_TESTS_SLAB_H
#define VFIO_AP_TESTS_SLAB_H

#include <stdbool.h>

bool slab_present(void);

/*
 * All objects of the caches whose name begins so ("" for all). Exact right after slab_settle(), but
 * for what others allocate meanwhile: compare before and after many.
 */
long slab_bytes(const char *caches);

/* What there is for slab_more(); lives until the case is over. */
const char *slab_snapshot(void);

/* By how many objects those of the caches have grown that did, summed up. */
long slab_more(const char *before, const char *after, const char *caches);

/*
 * What kmalloc() took as pages because no cache has objects that large (more than 8 KiB): the kernel
 * counts it as slab, but no cache knows of it.
 */
long slab_large_bytes(void);

/* What was freed of late is free afterwards: RCU keeps it for seconds, a CPU for ever. */
void slab_settle(void);

#endif
