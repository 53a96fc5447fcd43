/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copy of the AP bus's private header, reduced to the driver's needs. It serves
 * kernels whose source and type information (BTF) are not available.
 *
 * The kernel does not check these layouts when it loads the module. With a wrong
 * one, the AP bus would call an id table as a function. So the copy covers only
 * the kernels that tests/headers compares it with.
 */
#ifndef VFIO_AP_COMPAT_MIRROR_AP_BUS_H
#define VFIO_AP_COMPAT_MIRROR_AP_BUS_H

#include <linux/device.h>
#include <linux/mod_devicetable.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/version.h>
#include <asm/ap.h>

#include "ap_bus_constants.h"

/* The version of a kernel with backports does not determine its layouts. */
#if defined(RHEL_RELEASE_CODE) || defined(CONFIG_SUSE_KERNEL)
#error "vfio_ap: not a plain kernel; unpack the source of exactly this one, say KSRC=<where>"
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
#define AP_BUS_6_12
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0) && \
	LINUX_VERSION_CODE < KERNEL_VERSION(7, 4, 0)
#define AP_BUS_7_2
#else
#error "vfio_ap: unknown AP bus; unpack the source of exactly this kernel, say KSRC=<where>"
#endif

enum ap_dev_state {
	AP_DEV_STATE_UNINITIATED,
	AP_DEV_STATE_OPERATING,
	AP_DEV_STATE_SHUTDOWN,
	AP_DEV_STATE_ERROR,
};

struct ap_device {
	struct device device;
	int device_type;
};

/* The AP bus allocates these objects, so the leading members are sufficient. */
struct ap_queue {
	struct ap_device ap_dev;
	struct hlist_node hnode;
	void *card;
	spinlock_t lock; /* protects dev_state, among others */
#ifdef AP_BUS_7_2
	u64 total_request_count;
#endif
	enum ap_dev_state dev_state;
#ifdef AP_BUS_6_12
	bool config;
	bool chkstop;
#endif
	ap_qid_t qid;
	unsigned int se_bstate;
	unsigned int assoc_idx; /* index of a secret, or ASSOC_IDX_INVALID */
};

#define to_ap_queue(dev) container_of((dev), struct ap_queue, ap_dev.device)

struct ap_driver {
	struct device_driver driver;
#ifdef AP_BUS_6_12
	struct ap_device_id *ids;
	unsigned int flags;
#endif
	int (*probe)(struct ap_device *ap_dev);
	void (*remove)(struct ap_device *ap_dev);
	int (*in_use)(unsigned long *apm, unsigned long *aqm);
	void (*on_config_changed)(struct ap_config_info *now,
				  struct ap_config_info *before);
	void (*on_scan_complete)(struct ap_config_info *now,
				 struct ap_config_info *before);
#ifdef AP_BUS_7_2
	struct ap_device_id *ids;
	unsigned int flags;
#endif
};

#ifdef AP_BUS_6_12
extern struct mutex ap_perms_mutex;
#define ap_attr_mutex	ap_perms_mutex
#else
extern struct mutex ap_attr_mutex;
#endif

int ap_driver_register(struct ap_driver *driver, struct module *owner,
		       char *name);
void ap_driver_unregister(struct ap_driver *driver);
int ap_owned_by_def_drv(int card, int queue);

#endif /* VFIO_AP_COMPAT_MIRROR_AP_BUS_H */
