/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the driver needs of the AP bus.
 *
 * The bus's own header is private, no header package ships it. Kbuild puts its
 * directory into the include path if the kernel tree has it, and that of our
 * mirror otherwise; the name is the same. Names that changed are used in
 * their newest form, older kernels get them here. Whether a kernel is older,
 * Kbuild finds out by looking for the name: distributions bring parts of newer
 * kernels to older ones.
 */
#ifndef VFIO_AP_COMPAT_AP_BUS_CONTRACT_H
#define VFIO_AP_COMPAT_AP_BUS_CONTRACT_H

#include <linux/sysfs.h>
#include <asm/ap.h>

#include <ap_bus.h>

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
