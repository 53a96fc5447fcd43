/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the driver needs of the AP bus.
 *
 * The bus's own header is private, no header package ships it. Kbuild puts its
 * directory into the include path if the kernel tree has it, and that of our
 * mirror otherwise; the name is the same. Names that changed are used in
 * their newest form, older kernels get them here.
 */
#ifndef VFIO_AP_COMPAT_AP_BUS_CONTRACT_H
#define VFIO_AP_COMPAT_AP_BUS_CONTRACT_H

#include <linux/sysfs.h>
#include <linux/version.h>
#include <asm/ap.h>

#include <ap_bus.h>

/* since 6.19: guards more than the permission masks */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
#define ap_attr_mutex	ap_perms_mutex
#endif

/* since 6.18 binary attributes and their callbacks are constant */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define BIN_ATTR_CONST
#else
#define BIN_ATTR_CONST	const
#endif

#endif /* VFIO_AP_COMPAT_AP_BUS_CONTRACT_H */
