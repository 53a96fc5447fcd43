// SPDX-License-Identifier: GPL-2.0-only
/*
 * How ULTRAVISOR CALL gets here: the CPU of the lab does not know it, and the operation exception
 * of the kernel is offered to the die notifiers.
 */
#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <asm/ptrace.h>
#include "apuv.h"

static int apuv_trap_notify(struct notifier_block *self, unsigned long event, void *data)
{
	struct die_args *args = data;
	struct pt_regs *regs = args->regs;
	const u16 *text;
	int cc;

	if (event != DIE_BPT || user_mode(regs))
		return NOTIFY_DONE;
	text = (const u16 *)(regs->psw.addr - (regs->int_code >> 16));
	if (text[0] != APUV_OPCODE_UVC)
		return NOTIFY_DONE;
	cc = apuv_call((void *)regs->gprs[text[1] & 0xf]);
	regs->psw.mask = (regs->psw.mask & ~PSW_MASK_CC) | (unsigned long)cc << 44;
	return NOTIFY_STOP;
}

NOKPROBE_SYMBOL(apuv_trap_notify);

static struct notifier_block apuv_trap_notifier = {
	.notifier_call = apuv_trap_notify,
	.priority = INT_MAX,
};

/**
 * apuv_trap_init() - from now on there is an ultravisor
 *
 * Context: Process context.
 * Return: 0 or an error of register_die_notifier().
 */
int apuv_trap_init(void)
{
	return register_die_notifier(&apuv_trap_notifier);
}

/**
 * apuv_trap_exit() - there is none any more
 *
 * Context: Process context.
 */
void apuv_trap_exit(void)
{
	unregister_die_notifier(&apuv_trap_notifier);
}
