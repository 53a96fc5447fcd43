// SPDX-License-Identifier: GPL-2.0-only
/*
 * One SIE entry: what KVM has left in the SIE block, the guest, and what KVM finds there
 * afterwards.
 *
 * KVM sees SIE exits that hardware could have produced, so its own code decides about
 * waiting, stopping, instructions that are not in here, and missing pages. An exit without
 * a code makes it look at what is pending and enter again.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/build_bug.h>
#include <linux/irqflags.h>
#include <linux/sched.h>
#include <asm/processor.h>
#include <asm/timex.h>
#include "apsie.h"

/* "Runtime instrumentation": the one validity interception without a WARN. */
#define APSIE_VALIDITY_QUIET	0x44

/* STNSM in the trampoline stores here; bits 6 and 7 are I/O and external. */
#define APSIE_MASK_SLOT		8
#define APSIE_MASK_INTERRUPTS	0x03

#define APSIE_CR0_CLOCK		0x800UL
#define APSIE_CR0_TIMER		0x400UL
#define APSIE_CR6_SHIFT		24

/* KVM has faulted this page in so often, and it was not there. */
#define APSIE_SAME_FAULT	10000

#define APSIE_FLUSH_TLB		0xffff		/* ihcpu */
#define APSIE_PREFIX_MASK	0x7fffe000U	/* in the second word of the SIE block */

unsigned long apsie_resume;
struct kvm_vcpu *(*apsie_running_vcpu)(void);

/* Threads between the trampoline's first and last instruction */
atomic_t apsie_inside = ATOMIC_INIT(0);

static void apsie_validity(struct kvm_s390_sie_block *block)
{
	block->icptcode = ICPT_VALIDITY;
	block->ipb = APSIE_VALIDITY_QUIET << 16;
}

/**
 * apsie_stuck() - this guest gets nowhere; KVM_RUN ends with an error
 * @self: the guest CPU
 * @why: for people
 * @what: the same
 *
 * Context: vm->lock may be held.
 */
void apsie_stuck(struct apsie_vcpu *self, const char *why, unsigned long what)
{
	self->icpt = ICPT_VALIDITY;
	self->leave = true;
	self->why = why;
	self->what = what;
}

/* What the host's program check handler leaves behind for KVM. The page will be stored to. */
#ifdef APSIE_GMAP_TEID
static void apsie_leave_fault(unsigned long absolute, unsigned int code)
{
	current->thread.gmap_teid.val = 0;
	current->thread.gmap_teid.addr = absolute >> PAGE_SHIFT;
	/* Without facility 75, this is how KVM knows that it was a store. */
	current->thread.gmap_int_code = code ?: APSIE_PGM_PROTECTION;
}
#else
static void apsie_leave_fault(unsigned long absolute, unsigned int code)
{
	current->thread.gmap_addr = absolute & PAGE_MASK;
	current->thread.gmap_int_code = code ?: APSIE_PGM_PAGE;
	current->thread.gmap_pfault = 1;
}
#endif

static void apsie_fault(struct apsie_vcpu *self, struct stack_frame *sie)
{
	apsie_count(APSIE_COUNT_FAULT, 1);
	if (self->last_fault != self->fault)
		self->same_fault = 0;
	self->last_fault = self->fault;
	if (++self->same_fault > APSIE_SAME_FAULT) {
		apsie_stuck(self, "a page never comes", self->fault);
		return;
	}
	apsie_leave_fault(self->fault, self->fault_code);
#ifdef APSIE_REASON
	sie->sie_reason = -EFAULT;
#endif
}

static bool apsie_timer_due(const struct apsie_vcpu *self)
{
	const struct kvm_s390_sie_block *block = self->block;
	unsigned long now = get_tod_clock_fast();

	if (block->gcr[0] & APSIE_CR0_CLOCK && now + block->epoch > block->ckc)
		return true;
	return block->gcr[0] & APSIE_CR0_TIMER && (s64)(block->cputm - (now - self->entered)) < 0;
}

/* Interruptions of queues that the guest lets in */
static bool apsie_gisa_pending(const struct apsie_vcpu *self)
{
	const struct kvm_s390_sie_block *block = self->block;
	const struct kvm_s390_gisa *gisa;

	if (!(block->gd & ~0x3fU))
		return false;
	gisa = phys_to_virt(block->gd & ~0x3fU);
	return READ_ONCE(gisa->ipm) & (block->gcr[6] >> APSIE_CR6_SHIFT);
}

/**
 * apsie_leaves() - is there something that SIE has to be left for?
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 * Return: true; then @self->icpt says for what.
 */
bool apsie_leaves(struct apsie_vcpu *self)
{
	struct kvm_s390_sie_block *block = self->block;
	int flags = atomic_read(&block->cpuflags);

	if (flags & CPUSTAT_STOP_INT) {
		self->icpt = ICPT_STOP;
		return true;
	}
	if (atomic_read(&block->prog20) & (PROG_BLOCK_SIE | PROG_REQUEST))
		return true;
	if (self->psw.mask & PSW_MASK_EXT && (flags & CPUSTAT_EXT_INT || apsie_timer_due(self)))
		return true;
	if (self->psw.mask & PSW_MASK_IO && (flags & CPUSTAT_IO_INT || apsie_gisa_pending(self)))
		return true;
	if (self->psw.mask & PSW_MASK_WAIT) {
		self->icpt = ICPT_WAIT;
		return true;
	}
	if (self->psw.mask & PSW_MASK_DAT && (self->psw.mask & PSW_MASK_ASC) == PSW_ASC_ACCREG)
		apsie_stuck(self, "access-register mode is not modelled", 0);
	return self->leave;
}

static void apsie_begin(struct apsie_vcpu *self, struct apsie_frame *frame)
{
	struct kvm_s390_sie_block *block = self->block;

	frame->gprs[14] = block->gg14;
	frame->gprs[15] = block->gg15;
	self->gprs = frame->gprs;
	self->psw = block->gpsw;
	apsie_pv_begin(self);
	/* The bit field in the SIE block is one bit longer in newer kernels. */
	self->prefix = ((const u32 *)block)[1] & APSIE_PREFIX_MASK;
	self->entered = get_tod_clock_fast();
	self->missing = APSIE_NOTHING;
	self->fault_code = 0;
	self->icpt = 0;
	self->leave = false;
	self->why = NULL;
	apsie_count(APSIE_COUNT_ENTRIES, 1);
}

static void apsie_tell(const struct apsie_vcpu *self)
{
	pr_notice("CPU %d of the guest of process %d gets nowhere: %s (%lx), PSW %016lx %016lx\n",
		  self->vcpu->vcpu_id, task_tgid_nr(current), self->why, self->what,
		  self->psw.mask, self->psw.addr);
}

static void apsie_end(struct apsie_vcpu *self, struct apsie_frame *frame, struct stack_frame *sie)
{
	struct kvm_s390_sie_block *block = self->block;

	if (!self->icpt && self->missing == APSIE_FAULT)
		apsie_fault(self, sie);
	apsie_pv_end(self);
	block->cputm -= get_tod_clock_fast() - self->entered;
	block->gg14 = frame->gprs[14];
	block->gg15 = frame->gprs[15];
	block->gpsw = self->psw;
	block->icptcode = self->icpt;
	if (self->icpt == ICPT_VALIDITY)
		apsie_validity(block);
	if (self->why)
		apsie_tell(self);
	apsie_watch_exit_code(self->icpt);
}

/* KVM has changed translations of the host. */
static void apsie_flush(struct apsie_vcpu *self)
{
	if (self->block->ihcpu != APSIE_FLUSH_TLB)
		return;
	self->block->ihcpu = 0;
	arch_spin_lock(&self->vm->lock);
	apsie_shadow_forget_all(self->vm, self);
	arch_spin_unlock(&self->vm->lock);
}

static void apsie_run(struct apsie_vcpu *self, struct apsie_frame *frame, struct stack_frame *sie)
{
	unsigned long begun = get_tod_clock_fast();

	apsie_begin(self, frame);
	apsie_flush(self);
	apsie_native(self, frame);
	apsie_count(APSIE_COUNT_NATIVE_NS, tod_to_ns(get_tod_clock_fast() - begun));
	apsie_end(self, frame, sie);
}

/* The first entry of a vCPU, and those after something has changed. */
static void apsie_prepare(struct kvm_vcpu *vcpu)
{
	int rc;

	local_irq_enable();
	rc = apsie_vcpu_prepare(vcpu);
	local_irq_disable();
	if (rc) {
		pr_notice("no guest CPU for process %d: error %d\n", task_tgid_nr(current), rc);
		apsie_validity(vcpu->arch.sie_block);
	}
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
	struct kvm_s390_sie_block *block = (void *)sie->sie_control_block;
	struct kvm_vcpu *vcpu = apsie_running_vcpu();
	struct apsie_vcpu *self;

	BUILD_BUG_ON(offsetofend(struct stack_frame, sie_guest_asce) >
		     offsetof(struct stack_frame, empty[APSIE_MASK_SLOT]));
	BUILD_BUG_ON(offsetofend(struct stack_frame, empty) <
		     offsetofend(struct stack_frame, empty[APSIE_MASK_SLOT]));
	BUILD_BUG_ON(offsetof(struct apsie_frame, sp) != 144);
	BUILD_BUG_ON(offsetof(struct apsie_frame, handover) != 152);
	BUILD_BUG_ON(sizeof(struct apsie_frame) != 176);
	atomic_inc(&apsie_inside);
	if (mask & APSIE_MASK_INTERRUPTS)
		trace_hardirqs_off();
	/* a nested guest has a SIE block of its own; nobody emulates that */
	if (!vcpu || vcpu->arch.sie_block != block) {
		apsie_validity(block);
	} else {
		self = apsie_vcpu_find(vcpu);
		if (apsie_vcpu_ready(self))
			apsie_run(self, frame, sie);
		else
			apsie_prepare(vcpu);
	}
	frame->resume.mask = __extract_psw() |
			     (unsigned long)(mask & APSIE_MASK_INTERRUPTS) << 56;
	frame->resume.addr = apsie_resume;
	if (mask & APSIE_MASK_INTERRUPTS)
		trace_hardirqs_on();
	atomic_dec(&apsie_inside);
}
