// SPDX-License-Identifier: GPL-2.0-only
/*
 * What KVM wants to find in the machine besides AP instructions: SIE, and adapter
 * interruption virtualization (AIV) with a channel subsystem that accepts a GIB. And what
 * the AP bus wants of the service element: to configure and deconfigure adapters.
 */
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <asm/css_chars.h>
#include <asm/sclp.h>
#include "apemu_private.h"

/* Read only after boot; written through a second mapping. */
static void *apemu_machine_map(void *address)
{
	struct page *page = pfn_to_page(__pa(address) >> PAGE_SHIFT);
	void *alias = vmap(&page, 1, VM_MAP, PAGE_KERNEL);

	return alias ? alias + offset_in_page(address) : NULL;
}

static void apemu_machine_unmap(void *alias)
{
	vunmap((void *)((unsigned long)alias & PAGE_MASK));
}

static int apemu_machine_sgib(struct kprobe *probe, struct pt_regs *regs)
{
	/* chsc_sgib(origin) always succeeds, and is over before it began */
	apemu_irq_set_gib(regs->gprs[2]);
	regs->gprs[2] = 0;
	regs->psw.addr = regs->gprs[14];
	return 1;
}

NOKPROBE_SYMBOL(apemu_machine_sgib);

/*
 * A deconfigured adapter stays in QCI: the AP bus keeps its device, through which
 * it can be configured again.
 */
static int apemu_machine_set_standby(u32 id, const char *state)
{
	char command[32];

	snprintf(command, sizeof(command), "card %u standby %s", id, state);
	return apemu_command(command) ? -EIO : 0;
}

static int apemu_machine_do_configure(u32 id)
{
	return apemu_machine_set_standby(id, "off");
}

static int apemu_machine_do_deconfigure(u32 id)
{
	return apemu_machine_set_standby(id, "on");
}

/* The probe must not sleep, but what it goes on with may. */
static int apemu_machine_configure(struct kprobe *probe, struct pt_regs *regs)
{
	regs->psw.addr = (unsigned long)apemu_machine_do_configure;
	return 1;
}

NOKPROBE_SYMBOL(apemu_machine_configure);

static int apemu_machine_deconfigure(struct kprobe *probe, struct pt_regs *regs)
{
	regs->psw.addr = (unsigned long)apemu_machine_do_deconfigure;
	return 1;
}

NOKPROBE_SYMBOL(apemu_machine_deconfigure);

static struct kprobe apemu_machine_probe_sgib = {
	.symbol_name = "chsc_sgib",
	.pre_handler = apemu_machine_sgib,
};

static struct kprobe apemu_machine_probe_configure = {
	.symbol_name = "sclp_ap_configure",
	.pre_handler = apemu_machine_configure,
};

static struct kprobe apemu_machine_probe_deconfigure = {
	.symbol_name = "sclp_ap_deconfigure",
	.pre_handler = apemu_machine_deconfigure,
};

static struct kprobe *apemu_machine_probes[] = {
	&apemu_machine_probe_sgib,
	&apemu_machine_probe_configure,
	&apemu_machine_probe_deconfigure,
};

/**
 * apemu_machine_init() - let the machine look like one with SIE and AIV
 *
 * Context: Process context, before kvm.ko is loaded.
 * Return: 0 or a negative error.
 */
int apemu_machine_init(void)
{
	struct css_general_char *css;
	struct sclp_info *info;
	int rc;

	rc = register_kprobes(apemu_machine_probes, ARRAY_SIZE(apemu_machine_probes));
	if (rc)
		return rc;
	info = apemu_machine_map(&sclp);
	css = apemu_machine_map(&css_general_characteristics);
	if (info) {
		info->has_sief2 = 1;
		info->has_64bscao = 1;
		info->has_gpere = 1;
		info->has_siif = 1;
		apemu_machine_unmap(info);
	}
	if (css) {
		css->aiv = 1;
		apemu_machine_unmap(css);
	}
	if (info && css)
		return 0;
	unregister_kprobes(apemu_machine_probes, ARRAY_SIZE(apemu_machine_probes));
	return -ENOMEM;
}
