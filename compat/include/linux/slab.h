/* SPDX-License-Identifier: GPL-2.0-only */
/* linux/slab.h of 6.12 defines __free(kvfree), that of 6.1 does not. */
#ifndef VFIO_AP_COMPAT_LINUX_SLAB_H
#define VFIO_AP_COMPAT_LINUX_SLAB_H

#include_next <linux/slab.h>

#ifndef VFIO_AP_HAS_FREE_KVFREE
#include <linux/cleanup.h>

DEFINE_FREE(kvfree, void *, kvfree(_T))
#endif

#endif /* VFIO_AP_COMPAT_LINUX_SLAB_H */
