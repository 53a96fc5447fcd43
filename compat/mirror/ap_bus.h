/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mirror of the AP bus's private header: what the driver uses of it, for
 * kernels whose tree is not at hand.
 *
 * Nothing checks these layouts when the module is loaded, and a wrong one has
 * the bus call an id table. So they are given for known kernels only, those
 * that tests/headers compares them with.
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

/* Enterprise kernels bring parts of newer ones, whatever their version says. */
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

#define AP_DEVICES	256
#define AP_DOMAINS	256

#define AP_RESPONSE_NORMAL			0x00
#define AP_RESPONSE_Q_NOT_AVAIL			0x01
#define AP_RESPONSE_RESET_IN_PROGRESS		0x02
#define AP_RESPONSE_DECONFIGURED		0x03
#define AP_RESPONSE_CHECKSTOPPED		0x04
#define AP_RESPONSE_BUSY			0x05
#define AP_RESPONSE_INVALID_ADDRESS		0x06
#define AP_RESPONSE_OTHERWISE_CHANGED		0x07
#define AP_RESPONSE_INVALID_GISA		0x08
#define AP_RESPONSE_Q_BOUND_TO_ANOTHER		0x09
#define AP_RESPONSE_STATE_CHANGE_IN_PROGRESS	0x0A
#define AP_RESPONSE_Q_NOT_BOUND			0x0B
#define AP_RESPONSE_Q_FULL			0x10
#define AP_RESPONSE_INDEX_TOO_BIG		0x11
#define AP_RESPONSE_NO_FIRST_PART		0x13
#define AP_RESPONSE_MESSAGE_TOO_BIG		0x15
#define AP_RESPONSE_REQ_FAC_NOT_INST		0x16
#define AP_RESPONSE_Q_BIND_ERROR		0x30
#define AP_RESPONSE_Q_NOT_AVAIL_FOR_ASSOC	0x31
#define AP_RESPONSE_Q_NOT_EMPTY			0x32
#define AP_RESPONSE_BIND_LIMIT_EXCEEDED		0x33
#define AP_RESPONSE_INVALID_ASSOC_SECRET	0x34
#define AP_RESPONSE_ASSOC_SECRET_NOT_UNIQUE	0x35
#define AP_RESPONSE_ASSOC_FAILED		0x36
#define AP_RESPONSE_INVALID_DOMAIN		0x42

/* No secret is associated with the queue. */
#define ASSOC_IDX_INVALID	0x10000

#define AP_DEVICE_TYPE_CEX4	10
#define AP_DEVICE_TYPE_CEX5	11
#define AP_DEVICE_TYPE_CEX6	12
#define AP_DEVICE_TYPE_CEX7	13
#define AP_DEVICE_TYPE_CEX8	14

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

/* The beginning is enough: such objects are made by the bus only. */
struct ap_queue {
	struct ap_device ap_dev;
	struct hlist_node hnode;
	void *card;
	spinlock_t lock; /* the state, among others */
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
	unsigned int assoc_idx; /* ASSOC_IDX_INVALID, or that of a secret */
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
