// SPDX-License-Identifier: GPL-2.0-only
/*
 * One guest instruction per SIE entry. AP instructions are executed if the SIE
 * block allows it (ECA.APIE), and a few plain ones; everything else is left to KVM
 * as an interception.
 *
 * KVM sees SIE exits that hardware could have produced, so its own code decides
 * about program interruptions, waiting, stopping and missing pages. As SIE is
 * left after every instruction, requests (PROG_REQUEST, PROG_BLOCK_SIE, signals)
 * are seen before the next one, and whoever waits for PROG_IN_SIE to go away
 * waits for one instruction.
 */
#include <linux/build_bug.h>
#include <linux/irqflags.h>
#include <linux/sched.h>
#include <asm/facility.h>
#include <asm/processor.h>
#include "apsie.h"

/* "Runtime instrumentation": the one validity interception without a WARN. */
#define APSIE_VALIDITY_QUIET	0x44
#define APSIE_PROTECTION	0x04
#define APSIE_PAGE_TRANSLATION	0x11

/* STNSM in the trampoline stores here; bits 6 and 7 are I/O and external. */
#define APSIE_MASK_SLOT		8
#define APSIE_MASK_INTERRUPTS	0x03

unsigned long apsie_resume;
struct kvm_vcpu *(*apsie_running_vcpu)(void);

static void apsie_validity(struct kvm_s390_sie_block *block)
{
	block->icptcode = ICPT_VALIDITY;
	block->ipb = APSIE_VALIDITY_QUIET << 16;
}

static void apsie_program(struct kvm_s390_sie_block *block, u16 code, u16 length)
{
	block->icptcode = ICPT_PROGI;
	block->iprcc = code;
	block->pgmilc = length;
}

/* What the host's program check handler leaves behind for KVM */
#ifdef APSIE_GMAP_TEID
static void apsie_leave_fault(const struct apsie_cpu *cpu)
{
	current->thread.gmap_teid.val = 0;
	current->thread.gmap_teid.addr = cpu->fault >> PAGE_SHIFT;
	/* Without facility 75, this is how KVM knows that it was a store. */
	current->thread.gmap_int_code = cpu->store ? APSIE_PROTECTION :
						     APSIE_PAGE_TRANSLATION;
}
#else
static void apsie_leave_fault(const struct apsie_cpu *cpu)
{
	current->thread.gmap_addr = cpu->fault & PAGE_MASK;
	current->thread.gmap_int_code = APSIE_PAGE_TRANSLATION;
	current->thread.gmap_pfault = 1;
}
#endif

static void apsie_fault(const struct apsie_cpu *cpu, struct stack_frame *sie)
{
	apsie_leave_fault(cpu);
#ifdef APSIE_REASON
	sie->sie_reason = -EFAULT;
#endif
}

/*
 * Storage that the guest does not have is an addressing exception; the rest is
 * as for an access of SIE that the host cannot translate.
 */
static void apsie_access(const struct apsie_cpu *cpu, struct stack_frame *sie,
			 u16 length)
{
	struct kvm_s390_sie_block *block = cpu->block;

	if (cpu->addressing) {
		block->gpsw.addr = apsie_wrap(cpu, block->gpsw.addr + length);
		apsie_program(block, APEMU_PGM_ADDRESSING, length);
		return;
	}
	apsie_fault(cpu, sie);
}

static bool apsie_facility(struct kvm *kvm, unsigned long nr)
{
	return __test_facility(nr, kvm->arch.model.fac_mask) &&
	       __test_facility(nr, kvm->arch.model.fac_list);
}

static u8 apsie_facilities(struct kvm *kvm)
{
	return (apsie_facility(kvm, 12) ? APEMU_FACILITY_QCI : 0) |
	       (apsie_facility(kvm, 15) ? APEMU_FACILITY_APFT : 0) |
	       (apsie_facility(kvm, 65) ? APEMU_FACILITY_AQIC : 0);
}

/* The masks of the APCB that the format of the CRYCB selects. */
static void apsie_view(const struct kvm_s390_sie_block *block,
		       struct apemu_view *view)
{
	const struct kvm_s390_crypto_cb *crycb =
		phys_to_virt(block->crycbd & ~7U);

	memset(view, 0, sizeof(*view));
	if ((block->crycbd & CRYCB_FORMAT_MASK) == CRYCB_FORMAT2) {
		view->apxa = true;
		memcpy(view->apm, crycb->apcb1.apm, sizeof(view->apm));
		memcpy(view->aqm, crycb->apcb1.aqm, sizeof(view->aqm));
		memcpy(view->adm, crycb->apcb1.adm, sizeof(view->adm));
		return;
	}
	/* 64 adapters, 16 domains */
	memcpy(view->apm, crycb->apcb0.apm, 8);
	memcpy(view->aqm, crycb->apcb0.aqm, 2);
	memcpy(view->adm, crycb->apcb0.adm, 2);
}

static void apsie_ap(struct apsie_cpu *cpu, struct apsie_frame *frame,
		     struct stack_frame *sie, const u16 *text)
{
	struct kvm_s390_sie_block *block = cpu->block;
	struct apemu_view view;
	struct apemu_insn insn = {
		.gprs = frame->gprs,
		.memory = &apsie_memory,
		.context = cpu,
		.view = &view,
		.opcode = text[0],
		.r1 = text[1] >> 4 & 0xf,
		.r2 = text[1] & 0xf,
		.facilities = apsie_facilities(cpu->vcpu->kvm),
	};

	apsie_view(block, &view);
	switch (apemu_execute(&insn)) {
	case APEMU_DONE:
		block->gpsw.mask = (block->gpsw.mask & ~PSW_MASK_CC) |
				   (unsigned long)insn.cc << 44;
		block->gpsw.addr = apsie_wrap(cpu, block->gpsw.addr + 4);
		break;
	case APEMU_PROGRAM:
		block->gpsw.addr = apsie_wrap(cpu, block->gpsw.addr + 4);
		apsie_program(block, insn.pgm, 4);
		break;
	case APEMU_FAULT:
		apsie_access(cpu, sie, 4);
		break;
	}
}

/* Does SIE execute it, or KVM? AQIC is always KVM's. */
static bool apsie_interprets(const struct apsie_cpu *cpu,
			     const struct apsie_frame *frame, u16 opcode)
{
	if (opcode != APEMU_OPCODE_NQAP && opcode != APEMU_OPCODE_DQAP &&
	    opcode != APEMU_OPCODE_PQAP)
		return false;
	if (!(cpu->block->eca & ECA_APIE))
		return false;
	return opcode != APEMU_OPCODE_PQAP ||
	       APEMU_GR0_FC(frame->gprs[0]) != APEMU_AQIC;
}

static void apsie_step(struct apsie_cpu *cpu, struct apsie_frame *frame,
		       struct stack_frame *sie)
{
	struct kvm_s390_sie_block *block = cpu->block;
	unsigned long start = block->gpsw.addr, next;
	u16 text[3] = {};
	u16 length;

	if (atomic_read(&block->cpuflags) & CPUSTAT_STOP_INT) {
		block->icptcode = ICPT_STOP;
		return;
	}
	if (block->gpsw.mask & PSW_MASK_WAIT) {
		block->icptcode = ICPT_WAIT;
		return;
	}
	if (block->gpsw.mask & PSW_MASK_DAT) {
		apsie_validity(block);
		return;
	}
	if (start & 1) {
		apsie_program(block, APEMU_PGM_SPECIFICATION, 2);
		return;
	}
	if (apsie_read(cpu, text, start, 2)) {
		apsie_access(cpu, sie, 2);
		return;
	}
	length = text[0] >> 14 == 0 ? 2 : text[0] >> 14 == 3 ? 6 : 4;
	if (apsie_read(cpu, text + 1, start + 2, length - 2)) {
		apsie_access(cpu, sie, length);
		return;
	}
	next = apsie_wrap(cpu, start + length);
	switch (apsie_plain(cpu, frame->gprs, text, &next)) {
	case 0:
		block->gpsw.addr = next;
		return;
	case -EFAULT:
		apsie_access(cpu, sie, length);
		return;
	}
	if (!apsie_interprets(cpu, frame, text[0])) {
		block->icptcode = ICPT_INST;
		block->icptstatus = 0;
		block->ipa = text[0];
		block->ipb = (u32)text[1] << 16 | text[2];
		block->gpsw.addr = next;
		return;
	}
	if (block->gpsw.mask & PSW_MASK_PSTATE) {
		block->gpsw.addr = next;
		apsie_program(block, APEMU_PGM_PRIVILEGED, length);
		return;
	}
	apsie_ap(cpu, frame, sie, text);
}

/**
 * apsie_execute() - what SIE does
 * @frame: the guest's registers; gets the PSW to go on with
 * @sie: the stack frame of __sie64a
 *
 * Context: Called by the trampoline with interrupts off, unknown to lockdep.
 */
void apsie_execute(struct apsie_frame *frame, struct stack_frame *sie)
{
	u8 mask = *(u8 *)&sie->empty[APSIE_MASK_SLOT];
	struct apsie_cpu cpu = {
		.block = (void *)sie->sie_control_block,
		.vcpu = apsie_running_vcpu(),
	};

	BUILD_BUG_ON(offsetofend(struct stack_frame, sie_guest_asce) >
		     offsetof(struct stack_frame, empty[APSIE_MASK_SLOT]));
	BUILD_BUG_ON(offsetofend(struct stack_frame, empty) <
		     offsetofend(struct stack_frame, empty[APSIE_MASK_SLOT]));
	if (mask & APSIE_MASK_INTERRUPTS)
		trace_hardirqs_off();
	frame->gprs[14] = cpu.block->gg14;
	frame->gprs[15] = cpu.block->gg15;
	/* a nested guest has a SIE block of its own; nobody emulates that */
	if (!cpu.vcpu || cpu.vcpu->arch.sie_block != cpu.block)
		apsie_validity(cpu.block);
	else
		apsie_step(&cpu, frame, sie);
	cpu.block->gg14 = frame->gprs[14];
	cpu.block->gg15 = frame->gprs[15];
	frame->resume.mask = __extract_psw() |
			     (unsigned long)(mask & APSIE_MASK_INTERRUPTS) << 56;
	frame->resume.addr = apsie_resume;
	if (mask & APSIE_MASK_INTERRUPTS)
		trace_hardirqs_on();
}
