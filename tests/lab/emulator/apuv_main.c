// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fake ultravisor: load after apemu, before kvm runs its first guest. See README.md.
 *
 * KVM looks at prot_virt_host and uv_info each time that it wants to know something, and the kernel
 * keeps both in memory that can be written. So the ultravisor appears when this module is loaded.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bits.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <asm/uv.h>
#include "apemu.h"
#include "apuv.h"

#define APUV_BIT(n)		BIT_ULL(63 - (n))
#define APUV_MAX_CPU_ID		247
#define APUV_VIRT_VAR_LENGTH	64	/* bytes for each MiB of a guest */

/* All that KVM needs but DESTROY_SEC_CONF_FAST; dumps are not modelled. */
#define APUV_CALLS	(GENMASK_ULL(63, 63 - BIT_UVC_CMD_SET_SHARED_ACCESS) |		\
			 APUV_BIT(BIT_UVC_CMD_REMOVE_SHARED_ACCESS) |			\
			 APUV_BIT(BIT_UVC_CMD_SET_SEC_PARMS) |				\
			 GENMASK_ULL(63 - BIT_UVC_CMD_UNPACK_IMG,			\
				     63 - BIT_UVC_CMD_UNPIN_PAGE_SHARED))

#define APUV_FEATURES	(APUV_BIT(BIT_UV_FEAT_MISC) | APUV_BIT(BIT_UV_FEAT_AIV) |	\
			 APUV_BIT(BIT_UV_FEAT_AP) | APUV_BIT(BIT_UV_FEAT_AP_INTR))

static bool apuv_on;
module_param_named(on, apuv_on, bool, 0444);
MODULE_PARM_DESC(on, "there is an ultravisor");

static u64 apuv_stores;
DEFINE_RAW_SPINLOCK(apuv_lock);

/**
 * apuv_secure_stores() - how often an adapter wanted to store to a secure page
 *
 * Context: Any.
 * Return: The counter; the stores were not done.
 */
u64 apuv_secure_stores(void)
{
	return READ_ONCE(apuv_stores);
}

/* An adapter stores; apemu's lock is held, so apuv_lock must not be taken. */
static bool apuv_check_store(u64 address)
{
	if (apuv_page_may_store(address))
		return true;
	WRITE_ONCE(apuv_stores, apuv_stores + 1);
	return false;
}

/**
 * apuv_set_feature() - switch a feature
 * @bit: BIT_UV_FEAT_*
 * @on: the new value
 *
 * Context: Process context; the writers of the control file are serialized.
 */
void apuv_set_feature(unsigned int bit, bool on)
{
	if (on)
		uv_info.uv_feature_indications |= APUV_BIT(bit);
	else
		uv_info.uv_feature_indications &= ~APUV_BIT(bit);
}

/**
 * apuv_set_fast() - switch DESTROY_SEC_CONF_FAST
 * @on: there is such a command
 *
 * Context: Process context; the writers of the control file are serialized.
 */
void apuv_set_fast(bool on)
{
	uv_info.inst_calls_list[0] = APUV_CALLS;
	if (on)
		uv_info.inst_calls_list[0] |= APUV_BIT(BIT_UVC_CMD_DESTROY_SEC_CONF_FAST);
}

/**
 * apuv_factory() - all features, no scripted answer, an empty log
 *
 * Context: Process context; takes apuv_lock.
 */
void apuv_factory(void)
{
	unsigned long flags;

	uv_info.uv_feature_indications = APUV_FEATURES;
	apuv_set_fast(true);
	raw_spin_lock_irqsave(&apuv_lock, flags);
	apuv_script_clear();
	apuv_log_clear();
	raw_spin_unlock_irqrestore(&apuv_lock, flags);
}

static void apuv_appear(void)
{
	uv_info.guest_base_stor_len = PAGE_SIZE;
	uv_info.guest_virt_base_stor_len = PAGE_SIZE;
	uv_info.guest_virt_var_stor_len = APUV_VIRT_VAR_LENGTH;
	uv_info.guest_cpu_stor_len = PAGE_SIZE;
	uv_info.max_sec_stor_addr = SZ_4G << 10;
	uv_info.max_num_sec_conf = APUV_CONFS;
	uv_info.max_guest_cpu_id = APUV_MAX_CPU_ID;
	apuv_factory();
	prot_virt_host = 1;
}

static int __init apuv_init(void)
{
	int rc;

	if (!apuv_on)
		return 0;
	rc = apuv_page_init();
	if (rc)
		return rc;
	rc = apuv_conf_init();
	if (rc)
		goto page;
	rc = apuv_log_init();
	if (rc)
		goto conf;
	rc = apuv_trap_init();
	if (rc)
		goto log;
	apemu_set_store_check(apuv_check_store);
	apuv_ctl_init();
	apuv_appear();
	return 0;

log:
	apuv_log_exit();
conf:
	apuv_conf_exit();
page:
	apuv_page_exit();
	return rc;
}

/* Something is left over if KVM did not destroy all that it had made. */
static void apuv_look_back(void)
{
	unsigned long counts[APUV_STATES];

	apuv_page_count(counts);
	WARN(apuv_conf_handles(), "apuv: %u handles are left\n", apuv_conf_handles());
	WARN(counts[APUV_SECURE] + counts[APUV_SHARED] + counts[APUV_PINNED],
	     "apuv: %lu secure and %lu shared pages are left\n", counts[APUV_SECURE],
	     counts[APUV_SHARED] + counts[APUV_PINNED]);
	WARN(apuv_stores, "apuv: %llu stores to secure pages\n", apuv_stores);
}

static void __exit apuv_exit(void)
{
	if (!apuv_on)
		return;
	prot_virt_host = 0;
	apuv_ctl_exit();
	apemu_set_store_check(NULL);
	apuv_trap_exit();
	apuv_look_back();
	apuv_log_exit();
	apuv_conf_exit();
	apuv_page_exit();
}

module_init(apuv_init);
module_exit(apuv_exit);
MODULE_DESCRIPTION("fake ultravisor");
MODULE_LICENSE("GPL");
