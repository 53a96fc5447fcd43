/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the driver needs of the AP bus.
 *
 * The bus's own header is private, no header package ships it. Kbuild puts into
 * the include path the directory of that header if the kernel's source is at
 * hand, else that of a header made from the kernel's type information (see
 * compat/layout), else that of our mirror; the name is the same. The newest
 * names are used, older kernels get them here. Kbuild looks for the names, not
 * for versions: distributions backport parts of newer kernels.
 */
#ifndef VFIO_AP_COMPAT_AP_BUS_CONTRACT_H
#define VFIO_AP_COMPAT_AP_BUS_CONTRACT_H

#include <linux/build_bug.h>
#include <linux/sysfs.h>
#include <asm/ap.h>

#include <ap_bus.h>

#include "ap_bus_constants.h"

/*
 * ap_bus.h of 7.3.4 has it, that of 6.12.117 has ap_perms_mutex: a new name,
 * because it guards more than the permission masks now.
 */
#ifndef VFIO_AP_HAS_ATTR_MUTEX
#define ap_attr_mutex	ap_perms_mutex
#endif

/*
 * Binary attributes and their callbacks are constant in linux/sysfs.h of
 * 7.3.4, and not in that of 6.12.117.
 */
#ifdef VFIO_AP_HAS_CONST_BIN_ATTRS
#define BIN_ATTR_CONST	const
#else
#define BIN_ATTR_CONST
#endif

#endif /* VFIO_AP_COMPAT_AP_BUS_CONTRACT_H */
