// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks, at build time, that the AP bus has what the driver needs of it.
 *
 * Kbuild compiles this before everything else and throws the object away. What
 * it finds is said once, in a sentence (see compat/contract), whether the layout
 * comes from the source of the kernel, from its type information or from our
 * mirror.
 */
#include <linux/mod_devicetable.h>
#include <linux/spinlock.h>

#include "ap_bus_contract.h"

#define AP_BUS_HAS(type, name, expected) \
	static_assert(__same_type(typeof_member(struct type, name), expected), \
		      "vfio_ap: the AP bus of this kernel has " #type "." \
		      #name " with another type than " #expected)
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
AP_BUS_HAS(ap_device, device_type, int);
AP_BUS_HAS(ap_queue, ap_dev, struct ap_device);
AP_BUS_HAS(ap_queue, lock, spinlock_t);
AP_BUS_HAS(ap_queue, dev_state, enum ap_dev_state);
AP_BUS_HAS(ap_queue, qid, ap_qid_t);
AP_BUS_HAS(ap_queue, assoc_idx, unsigned int);

#define AP_BUS_OFFERS(name, expected) \
	static_assert(__same_type(name, expected), \
		      "vfio_ap: the AP bus of this kernel has " #name \
		      " with another type than " #expected)
AP_BUS_OFFERS(ap_attr_mutex, struct mutex);
AP_BUS_OFFERS(ap_driver_register,
	      int (struct ap_driver *, struct module *, char *));
AP_BUS_OFFERS(ap_driver_unregister, void (struct ap_driver *));
AP_BUS_OFFERS(ap_owned_by_def_drv, int (int, int));
