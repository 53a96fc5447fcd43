// SPDX-License-Identifier: GPL-2.0-only
/*
 * AP hardware in software: load before ap.ko and kvm.ko. See README.md.
 *
 * There is no exit: nobody could tell the AP bus that its instructions are gone.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/slab.h>
#include "apemu_private.h"

static uint apemu_messages = 256;
module_param_named(messages, apemu_messages, uint, 0444);
MODULE_PARM_DESC(messages, "messages that all queues together can hold");

static int __init apemu_init(void)
{
	int rc;

	rc = apemu_log_init();
	if (!rc)
		rc = apemu_message_init(apemu_messages);
	if (!rc)
		rc = apemu_service_init();
	if (!rc)
		rc = apemu_setup_install();
	if (!rc)
		rc = apemu_machine_init();
	if (!rc)
		rc = apemu_ctl_init();
	if (!rc)
		rc = apemu_trap_init();
	if (rc)
		pr_err("no AP hardware today: error %d\n", rc);
	return rc;
}

module_init(apemu_init);
MODULE_DESCRIPTION("AP hardware emulator");
MODULE_LICENSE("GPL");
