// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest CPU in problem state on a host CPU: new PSWs, address spaces, and what came back.
 *
 * From hook to unhook, interruptions of this CPU lead to the stubs of apsie_trampoline.S. The
 * guest always runs with I/O and external interruptions enabled; these are the host's. Such an
 * interrupt is handed over: the old PSW becomes one of the host, behind the guest, and the
 * host's own new PSW is loaded. So the host handles it as one that hit the kernel there.
 */
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <asm/lowcore.h>
#include <asm/timex.h>
#include "apsie.h"

/* Places in the lowcore that neither the architecture nor Linux uses. */
#define APSIE_LC_PGM	0x250		/* the host's program new PSW */
#define APSIE_LC_PSW	0x260		/* the guest's PSW, for LPSWE */
#define APSIE_LC_FRAME	0x270		/* struct apsie_frame */

/* Bits of the real PSW that are the guest's own. */
#define APSIE_PSW_OWN	(PSW_MASK_KEY | PSW_MASK_CC | PSW_MASK_PM | PSW_MASK_EA | PSW_MASK_BA)

/* Virtual 0 is write-protected in its first half; this is the same lowcore, of each CPU its own. */
static struct lowcore *apsie_lowcore;

static void *apsie_slot(unsigned long offset)
{
	return (void *)apsie_lowcore + offset;
}

static psw_t apsie_stub_psw(const char *stub)
{
	return (psw_t){ .mask = PSW_KERNEL_BITS, .addr = (unsigned long)stub };
}

static void apsie_hook(struct apsie_vcpu *self, struct apsie_frame *frame)
{
	struct lowcore *lowcore = apsie_lowcore;

	asm volatile("stctg 1,1,%0\n"
		     "stctg 7,7,%1\n"
		     : "=Q" (self->host_asce[0]), "=Q" (self->host_asce[1]));
	self->host_psw[APSIE_TRAP_PGM] = lowcore->program_new_psw;
	self->host_psw[APSIE_TRAP_EXT] = lowcore->external_new_psw;
	self->host_psw[APSIE_TRAP_SVC] = lowcore->svc_new_psw;
	self->host_psw[APSIE_TRAP_IO] = lowcore->io_new_psw;
	*(psw_t *)apsie_slot(APSIE_LC_PGM) = lowcore->program_new_psw;
	*(struct apsie_frame **)apsie_slot(APSIE_LC_FRAME) = frame;
	lowcore->program_new_psw = apsie_stub_psw(apsie_stub_pgm);
	lowcore->external_new_psw = apsie_stub_psw(apsie_stub_ext);
	lowcore->svc_new_psw = apsie_stub_psw(apsie_stub_svc);
	lowcore->io_new_psw = apsie_stub_psw(apsie_stub_io);
}

static void apsie_unhook(struct apsie_vcpu *self)
{
	struct lowcore *lowcore = apsie_lowcore;

	lowcore->program_new_psw = self->host_psw[APSIE_TRAP_PGM];
	lowcore->external_new_psw = self->host_psw[APSIE_TRAP_EXT];
	lowcore->svc_new_psw = self->host_psw[APSIE_TRAP_SVC];
	lowcore->io_new_psw = self->host_psw[APSIE_TRAP_IO];
	asm volatile("lctlg 1,1,%0\n"
		     "lctlg 7,7,%1\n"
		     : : "Q" (self->host_asce[0]), "Q" (self->host_asce[1]) : "memory");
	self->asce[0] = 0;
	self->asce[1] = 0;
}

/* Loading an ASCE purges the TLB of TCG. */
static void apsie_load_spaces(struct apsie_vcpu *self, unsigned long primary,
			      unsigned long secondary)
{
	if (self->asce[0] != primary)
		asm volatile("lctlg 1,1,%0\n" : : "Q" (primary) : "memory");
	if (self->asce[1] != secondary)
		asm volatile("lctlg 7,7,%0\n" : : "Q" (secondary) : "memory");
	self->asce[0] = primary;
	self->asce[1] = secondary;
	if (self->purge)
		asm volatile("ptlb" : : : "memory");
	self->purge = false;
}

/* Home-space mode and real mode run as primary-space mode. */
static void apsie_set_spaces(struct apsie_vcpu *self)
{
	bool dat = self->psw.mask & PSW_MASK_DAT;
	unsigned long space = self->psw.mask & PSW_MASK_ASC;
	struct apsie_root *primary, *secondary;

	if (space == PSW_ASC_SECONDARY)
		space = PSW_ASC_HOME;
	secondary = apsie_shadow_root(self, apsie_space_asce(self, dat ? PSW_ASC_SECONDARY : space),
				      !dat);
	primary = apsie_shadow_root(self, apsie_space_asce(self, space), !dat);
	apsie_load_spaces(self, apsie_shadow_asce(primary), apsie_shadow_asce(secondary));
}

static void apsie_set_psw(struct apsie_vcpu *self)
{
	psw_t *psw = apsie_slot(APSIE_LC_PSW);
	unsigned long space = PSW_ASC_PRIMARY;

	if (self->psw.mask & PSW_MASK_DAT &&
	    (self->psw.mask & PSW_MASK_ASC) == PSW_ASC_SECONDARY)
		space = PSW_ASC_SECONDARY;
	psw->mask = PSW_MASK_DAT | PSW_MASK_EXT | PSW_MASK_IO | PSW_MASK_PSTATE | space |
		    (self->psw.mask & APSIE_PSW_OWN);
	psw->addr = self->psw.addr;
}

/* SACF needs no privilege, so the space may have changed without a trap. */
static void apsie_get_psw(struct apsie_vcpu *self, const psw_t *old)
{
	unsigned long space = old->mask & PSW_MASK_ASC;

	self->psw.mask = (self->psw.mask & ~APSIE_PSW_OWN) | (old->mask & APSIE_PSW_OWN);
	self->psw.addr = old->addr;
	if (!(self->psw.mask & PSW_MASK_DAT))
		return;
	if (space != PSW_ASC_PRIMARY || (self->psw.mask & PSW_MASK_ASC) == PSW_ASC_SECONDARY)
		self->psw.mask = (self->psw.mask & ~PSW_MASK_ASC) | space;
}

/* Go into the guest? If so, nobody changes its tables without stopping it first. */
static bool apsie_may_enter(struct apsie_vcpu *self)
{
	apsie_pv_changed(self);
	if (!self->leave && !apsie_lowcore_there(self)) {
		if (!self->missing)
			apsie_stuck(self, "its prefix is outside of its memory", self->prefix);
		self->leave = true;
	}
	apsie_pv_inject(self);
	if (!self->leave)
		apsie_deliver_bad_psw(self);
	if (self->leave || apsie_leaves(self))
		return false;
	if (!apsie_shadow_ready(self)) {
		self->leave = true;
		return false;
	}
	apsie_set_spaces(self);
	apsie_set_psw(self);
	WRITE_ONCE(self->in_guest, true);
	return true;
}

static enum apsie_next apsie_handover(struct apsie_vcpu *self, struct apsie_frame *frame,
				      enum apsie_trap trap)
{
	struct lowcore *lowcore = apsie_lowcore;
	psw_t *old = trap == APSIE_TRAP_EXT ? &lowcore->external_old_psw : &lowcore->io_old_psw;

	apsie_count(APSIE_COUNT_HANDOVER, 1);
	apsie_get_psw(self, old);
	old->mask = PSW_KERNEL_BITS | PSW_MASK_IO | PSW_MASK_EXT;
	old->addr = (unsigned long)apsie_after;
	frame->handover = self->host_psw[trap];
	apsie_unhook(self);
	return APSIE_HANDOVER;
}

/**
 * apsie_trapped() - the guest was left
 * @trap: by what
 * @frame: has its registers
 *
 * Context: Called by the stubs with interrupts off, known to lockdep.
 * Return: enum apsie_next.
 */
__visible long apsie_trapped(enum apsie_trap trap, struct apsie_frame *frame)
{
	struct apsie_vcpu *self = frame->self;
	bool enter;

	smp_mb();	/* whoever waits for in_guest sees what the guest did */
	WRITE_ONCE(self->in_guest, false);
	if (trap == APSIE_TRAP_EXT || trap == APSIE_TRAP_IO)
		return apsie_handover(self, frame, trap);
	arch_spin_lock(&self->vm->lock);
	if (trap == APSIE_TRAP_SVC) {
		apsie_get_psw(self, &apsie_lowcore->svc_old_psw);
		apsie_trap_svc(self, apsie_lowcore);
	} else {
		apsie_get_psw(self, &apsie_lowcore->program_old_psw);
		apsie_trap_program(self, apsie_lowcore);
	}
	enter = apsie_may_enter(self);
	arch_spin_unlock(&self->vm->lock);
	if (enter)
		return APSIE_RESUME;
	apsie_unhook(self);
	return APSIE_LEAVE;
}

/**
 * apsie_native() - run the guest until SIE has to be left
 * @self: the guest CPU
 * @frame: has its registers
 *
 * Context: Interrupts off, known to lockdep; they were on for a moment if a host interrupt came.
 */
void apsie_native(struct apsie_vcpu *self, struct apsie_frame *frame)
{
	bool enter;

	preempt_disable();
	frame->self = self;
	self->cpu = smp_processor_id();
	apsie_hook(self, frame);
	arch_spin_lock(&self->vm->lock);
	/* Another CPU's TLB may have entries of this vCPU. */
	self->purge = true;
	enter = apsie_may_enter(self);
	arch_spin_unlock(&self->vm->lock);
	if (enter)
		apsie_enter(frame);
	else
		apsie_unhook(self);
	lockdep_hardirqs_off(_THIS_IP_);
	preempt_enable();
}

/**
 * apsie_native_init() - get an alias of the lowcore
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int apsie_native_init(void)
{
	struct page *pages[] = { pfn_to_page(0), pfn_to_page(1) };

	BUILD_BUG_ON(offsetof(struct lowcore, save_area_restart) < APSIE_LC_FRAME + 8);
	apsie_lowcore = vmap(pages, ARRAY_SIZE(pages), VM_MAP, PAGE_KERNEL);
	return apsie_lowcore ? 0 : -ENOMEM;
}

/**
 * apsie_native_exit() - return it
 *
 * Context: Process context.
 */
void apsie_native_exit(void)
{
	vunmap(apsie_lowcore);
}
