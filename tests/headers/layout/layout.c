// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the compiler makes of an ap_bus.h: everything that the driver uses of it, as text in section .layout.
 *
 * Compiled with the mirror and with the header of the kernel, both have to say the same; where only a kernel is at
 * hand, its BTF has to (btf.c). Types are compared with what is written here, so that both headers are.
 */
#include <linux/build_bug.h>
#include <linux/module.h>
#include <linux/stddef.h>
#include <asm/ap.h>
#include <ap_bus.h>

/* Empty if the mirror is compiled; else its constants, and the compiler minds one that is different. */
#include "constants.h"

#define TELL(text, value) ({ \
	asm volatile(".pushsection .layout, \"a\", @progbits\n.ascii \"" text " %0\\n\"\n.popsection" :: "i"(value)); \
})
#define MEMBER(type, member) TELL(#type "." #member, offsetof(struct type, member))
#define SIZE(type) TELL("sizeof " #type, sizeof(struct type))
#define ENUMERATOR(name) TELL(#name, name)

#define TYPE_OF(expression, type) static_assert(__same_type(expression, type))
#define TYPE_OF_MEMBER(type, member, expected) TYPE_OF(typeof_member(struct type, member), expected)

TYPE_OF_MEMBER(ap_driver, driver, struct device_driver);
TYPE_OF_MEMBER(ap_driver, ids, struct ap_device_id *);
TYPE_OF_MEMBER(ap_driver, flags, unsigned int);
TYPE_OF_MEMBER(ap_driver, probe, int (*)(struct ap_device *));
TYPE_OF_MEMBER(ap_driver, remove, void (*)(struct ap_device *));
TYPE_OF_MEMBER(ap_driver, in_use, int (*)(unsigned long *, unsigned long *));
TYPE_OF_MEMBER(ap_driver, on_config_changed, void (*)(struct ap_config_info *, struct ap_config_info *));
TYPE_OF_MEMBER(ap_driver, on_scan_complete, void (*)(struct ap_config_info *, struct ap_config_info *));
TYPE_OF_MEMBER(ap_device, device, struct device);
TYPE_OF_MEMBER(ap_device, device_type, int);
TYPE_OF_MEMBER(ap_queue, ap_dev, struct ap_device);
TYPE_OF_MEMBER(ap_queue, lock, spinlock_t);
TYPE_OF_MEMBER(ap_queue, dev_state, enum ap_dev_state);
TYPE_OF_MEMBER(ap_queue, qid, ap_qid_t);
TYPE_OF_MEMBER(ap_queue, assoc_idx, unsigned int);
TYPE_OF(ap_driver_register, int (struct ap_driver *, struct module *, char *));
TYPE_OF(ap_driver_unregister, void (struct ap_driver *));
TYPE_OF(ap_owned_by_def_drv, int (int, int));

static void __used layout(void)
{
	/* The driver makes one, and the bus looks at all of it. */
	SIZE(ap_driver);
	MEMBER(ap_driver, driver);
	MEMBER(ap_driver, ids);
	MEMBER(ap_driver, flags);
	MEMBER(ap_driver, probe);
	MEMBER(ap_driver, remove);
	MEMBER(ap_driver, in_use);
	MEMBER(ap_driver, on_config_changed);
	MEMBER(ap_driver, on_scan_complete);
	/* These are made by the bus. */
	MEMBER(ap_device, device);
	MEMBER(ap_device, device_type);
	MEMBER(ap_queue, ap_dev);
	MEMBER(ap_queue, lock);
	MEMBER(ap_queue, dev_state);
	MEMBER(ap_queue, qid);
	MEMBER(ap_queue, assoc_idx);
	ENUMERATOR(AP_DEV_STATE_UNINITIATED);
	ENUMERATOR(AP_DEV_STATE_OPERATING);
	ENUMERATOR(AP_DEV_STATE_SHUTDOWN);
	ENUMERATOR(AP_DEV_STATE_ERROR);
}

MODULE_DESCRIPTION("Layout of the AP bus, never loaded");
MODULE_LICENSE("GPL");
