// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the host's AP instructions reach the emulator: the CPU of the lab does not
 * know them, the operation exception in kernel mode is offered to the die
 * notifiers, and here is one that executes the instruction.
 */
#include <linux/kdebug.h>
#include <linux/kprobes.h>
#include <linux/string.h>
#include <asm/facility.h>
#include <asm/ptrace.h>
#include "apemu_private.h"

#define APEMU_OPCODE_PLO	0xee
#define APEMU_PLO_TEST_BIT	0x100UL

/* Host operands are kernel addresses; a wrong one oopses as it should. */
static int apemu_trap_load(struct apemu_insn *insn, void *to,
			   unsigned long addr, size_t len)
{
	memcpy(to, (void *)addr, len);
	return 0;
}

static int apemu_trap_store(struct apemu_insn *insn, unsigned long addr,
			    const void *from, size_t len)
{
	memcpy((void *)addr, from, len);
	return 0;
}

static const struct apemu_memory apemu_trap_memory = {
	.load = apemu_trap_load,
	.store = apemu_trap_store,
};

static u8 apemu_trap_facilities(void)
{
	return (test_facility(12) ? APEMU_FACILITY_QCI : 0) |
	       (test_facility(15) ? APEMU_FACILITY_APFT : 0) |
	       (test_facility(65) ? APEMU_FACILITY_AQIC : 0);
}

static void apemu_trap_set_cc(struct pt_regs *regs, unsigned int cc)
{
	regs->psw.mask = (regs->psw.mask & ~PSW_MASK_CC) |
			 (unsigned long)cc << 44;
}

static int apemu_trap_ap(struct pt_regs *regs, const u16 *text)
{
	struct apemu_insn insn = {
		.gprs = regs->gprs,
		.memory = &apemu_trap_memory,
		.opcode = text[0],
		.r1 = text[1] >> 4 & 0xf,
		.r2 = text[1] & 0xf,
		.facilities = apemu_trap_facilities(),
	};

	if (apemu_execute(&insn) == APEMU_DONE) {
		apemu_trap_set_cc(regs, insn.cc);
		return NOTIFY_STOP;
	}
	/*
	 * Not ours to finish: the kernel goes on as for any program check in
	 * kernel mode, with the exception table. Let it see the right code.
	 */
	regs->int_code = (regs->int_code & ~0x7fU) | insn.pgm;
	return NOTIFY_DONE;
}

static int apemu_trap_notify(struct notifier_block *self, unsigned long event,
			     void *data)
{
	struct die_args *args = data;
	struct pt_regs *regs = args->regs;
	unsigned int length;
	const u16 *text;

	if (event != DIE_BPT || user_mode(regs))
		return NOTIFY_DONE;
	length = regs->int_code >> 16;
	text = (const u16 *)(regs->psw.addr - length);
	switch (text[0]) {
	case APEMU_OPCODE_NQAP:
	case APEMU_OPCODE_DQAP:
	case APEMU_OPCODE_PQAP:
		return apemu_trap_ap(regs, text);
	}
	/* KVM asks which functions PLO has; the lab's CPU has no PLO at all */
	if (text[0] >> 8 == APEMU_OPCODE_PLO && length == 6 &&
	    (regs->gprs[0] & APEMU_PLO_TEST_BIT)) {
		apemu_trap_set_cc(regs, 3);
		return NOTIFY_STOP;
	}
	return NOTIFY_DONE;
}

NOKPROBE_SYMBOL(apemu_trap_notify);

static struct notifier_block apemu_trap_notifier = {
	.notifier_call = apemu_trap_notify,
	.priority = INT_MAX,
};

/**
 * apemu_trap_init() - from now on there are AP instructions
 *
 * Context: Process context.
 * Return: 0 or an error of register_die_notifier().
 */
int apemu_trap_init(void)
{
	return register_die_notifier(&apemu_trap_notifier);
}
