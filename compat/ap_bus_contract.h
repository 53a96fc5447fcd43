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

/*
 * ap_bus.h of 7.3.4 has it, that of 6.12.117 has ap_perms_mutex: a new name,
 * because it guards more than the permission masks now.
 */
#ifndef VFIO_AP_HAS_ATTR_MUTEX
#define ap_attr_mutex	ap_perms_mutex
#endif

/* Whichever header it is: what the driver relies on has these types. */
#define AP_BUS_HAS(type, name, expected) \
	static_assert(__same_type(typeof_member(struct type, name), expected), \
		      "vfio_ap: the AP bus of this kernel has " #type "." \
		      #name " with another type")
AP_BUS_HAS(ap_driver, driver, struct device_driver);
AP_BUS_HAS(ap_driver, ids, struct ap_device_id *);
AP_BUS_HAS(ap_driver, flags, unsigned int);
AP_BUS_HAS(ap_driver, probe, int (*)(struct ap_device *));
AP_BUS_HAS(ap_driver, remove, void (*)(struct ap_device *));
AP_BUS_HAS(ap_driver, in_use, int (*)(unsigned long *, unsigned long *));
AP_BUS_HAS(ap_driver, on_config_changed,
	   void (*)(struct ap_config_info *, struct ap_config_info *));
AP_BUS_HAS(ap_driver, on_scan_complete,
	   void (*)(struct ap_config_info *, struct ap_config_info *));
AP_BUS_HAS(ap_device, device, struct device);
AP_BUS_HAS(ap_queue, ap_dev, struct ap_device);
AP_BUS_HAS(ap_queue, lock, spinlock_t);
AP_BUS_HAS(ap_queue, dev_state, enum ap_dev_state);
AP_BUS_HAS(ap_queue, qid, ap_qid_t);
#ifdef VFIO_AP_HAS_ASSOC_IDX
AP_BUS_HAS(ap_queue, assoc_idx, unsigned int);
#endif
#undef AP_BUS_HAS

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
