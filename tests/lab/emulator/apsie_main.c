// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest execution without SIE: the SIE instruction in __sie64a is replaced by a
 * branch to our trampoline. Load after kvm.ko, before the first vCPU runs.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/stop_machine.h>
#include <linux/string.h>
#include "apsie.h"

/* SIE 0(%r14), then the NOPR 7 that the kernel puts behind it. */
static const u8 apsie_original[] = { 0xb2, 0x14, 0xe0, 0x00, 0x07, 0x07 };

/* Far enough for __sie64a, near enough not to find something else. */
#define APSIE_SEARCH	256

static u8 *apsie_site;
static void *(*apsie_kernel_write)(void *to, const void *from, size_t size);

/**
 * apsie_lookup() - the address of a function that is not exported
 * @name: its name; a kprobe finds it
 *
 * Context: Process context.
 * Return: The address, or NULL.
 */
void *apsie_lookup(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	void *address;

	if (register_kprobe(&probe))
		return NULL;
	address = probe.addr;
	unregister_kprobe(&probe);
	return address;
}

static u8 *apsie_find_site(void)
{
	u8 *text = (u8 *)__sie64a;
	int n;

	for (n = 0; n < APSIE_SEARCH; n += 2)
		if (!memcmp(text + n, apsie_original, sizeof(apsie_original)))
			return text + n;
	return NULL;
}

static int apsie_poke(void *insn)
{
	apsie_kernel_write(apsie_site, insn, sizeof(apsie_original));
	return 0;
}

static int apsie_branch(void)
{
	s64 distance = ((s64)apsie_trampoline - (s64)apsie_site) / 2;
	struct {
		u16 opcode;
		s32 offset;
	} __packed branch = { .opcode = 0xc0f4, .offset = distance };

	BUILD_BUG_ON(sizeof(branch) != sizeof(apsie_original));
	if (distance != branch.offset)
		return -ERANGE;
	return stop_machine(apsie_poke, &branch, NULL);
}

static int __init apsie_init(void)
{
	int rc;

	apsie_running_vcpu = apsie_lookup("kvm_get_running_vcpu");
	apsie_kernel_write = apsie_lookup("__s390_kernel_write");
	if (!apsie_kernel_write)
		apsie_kernel_write = apsie_lookup("s390_kernel_write");
	apsie_site = apsie_find_site();
	if (!apsie_running_vcpu || !apsie_kernel_write || !apsie_site) {
		pr_err("this kernel is not the one I know: vcpu %d write %d sie %d\n",
		       !!apsie_running_vcpu, !!apsie_kernel_write,
		       !!apsie_site);
		return -ENOENT;
	}
	apsie_resume = (unsigned long)apsie_site + sizeof(apsie_original);
	rc = apsie_native_init();
	if (rc)
		return rc;
	rc = apsie_vm_init();
	if (rc)
		goto native;
	apsie_watch_init();
	rc = apsie_branch();
	if (rc)
		goto vm;
	return 0;

vm:
	apsie_watch_exit();
	apsie_vm_exit();
native:
	apsie_native_exit();
	return rc;
}

static int apsie_nothing(void *unused)
{
	return 0;
}

static void __exit apsie_exit(void)
{
	/*
	 * The trampoline runs with interrupts off until its thread is counted, and again when it
	 * is not counted any more. So when stop_machine() returns, nobody is in between.
	 */
	stop_machine(apsie_poke, (void *)apsie_original, NULL);
	while (atomic_read(&apsie_inside))
		msleep(20);
	stop_machine(apsie_nothing, NULL, NULL);
	apsie_watch_exit();
	apsie_vm_exit();
	apsie_native_exit();
}

module_init(apsie_init);
module_exit(apsie_exit);
MODULE_DESCRIPTION("SIE emulator: guest execution in problem state");
MODULE_LICENSE("GPL");
