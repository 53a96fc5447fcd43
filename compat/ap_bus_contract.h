/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The AP bus's interface to the driver, with the names of the newest kernel.
 *
 * The AP bus's header ap_bus.h is private, and header packages lack it. Kbuild
 * adds the first available one to the include path: the header of the kernel's
 * source, a header generated from BTF (compat/layout), or compat/mirror.
 * Distributions backport, so Kbuild tests for names instead of versions.
 */
#ifndef VFIO_AP_COMPAT_AP_BUS_CONTRACT_H
#define VFIO_AP_COMPAT_AP_BUS_CONTRACT_H

#include <linux/build_bug.h>
#include <linux/sysfs.h>
#include <asm/ap.h>

#include <ap_bus.h>

#include "ap_bus_constants.h"

/* 7.3.4 calls this mutex ap_attr_mutex, 6.12.117 calls it ap_perms_mutex. */
#ifndef VFIO_AP_HAS_ATTR_MUTEX
#define ap_attr_mutex	ap_perms_mutex
#endif

/* Binary attributes are const in 7.3.4, but not in 6.12.117. */
#ifdef VFIO_AP_HAS_CONST_BIN_ATTRS
#define BIN_ATTR_CONST	const
#else
#define BIN_ATTR_CONST
#endif

#endif /* VFIO_AP_COMPAT_AP_BUS_CONTRACT_H */
