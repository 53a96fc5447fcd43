// SPDX-License-Identifier: GPL-2.0-only
/*
 * Program interruptions and supervisor calls of the guest: SIE delivers them to the guest's
 * lowcore. All other interruptions are KVM's.
 */
#include <asm/lowcore.h>
#include "apsie.h"

/* Bits that no PSW may have. */
#define APSIE_PSW_UNASSIGNED	0xb80800fe7fffffffUL

/* Delivered so often in a row, the same interruption at the same place leads nowhere. */
#define APSIE_SAME_MAX		1000

/**
 * apsie_psw_valid() - does this PSW cause no early specification exception?
 * @psw: the PSW
 *
 * Context: Any.
 * Return: true if it does not.
 */
bool apsie_psw_valid(const psw_t *psw)
{
	if (psw->mask & APSIE_PSW_UNASSIGNED)
		return false;
	switch (psw->mask & (PSW_MASK_EA | PSW_MASK_BA)) {
	case 0:
		return !(psw->addr & ~0xffffffUL);
	case PSW_MASK_BA:
		return !(psw->addr & ~0x7fffffffUL);
	case PSW_MASK_EA:
		return false;
	}
	return true;
}

/**
 * apsie_lowcore_there() - are the pages there that interruptions are delivered to?
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 * Return: true if they are; false with @self->missing, or if the prefix is outside of the
 *	   guest's memory.
 */
bool apsie_lowcore_there(struct apsie_vcpu *self)
{
	return apsie_memory_host(self, 0) && apsie_memory_host(self, PAGE_SIZE);
}

/**
 * apsie_lowcore_at() - a field of the guest's lowcore
 * @self: the guest CPU
 * @offset: of the field
 *
 * Context: vm->lock is held.
 * Return: Kernel address, NULL if the page is not there.
 */
void *apsie_lowcore_at(struct apsie_vcpu *self, unsigned long offset)
{
	return (void *)apsie_memory_host(self, offset);
}

static bool apsie_nullifies(unsigned int code)
{
	switch (code) {
	case APSIE_PGM_SEGMENT:
	case APSIE_PGM_PAGE:
	case APSIE_PGM_ASCE_TYPE:
	case APSIE_PGM_REGION_1:
	case APSIE_PGM_REGION_2:
	case APSIE_PGM_REGION_3:
		return true;
	}
	return false;
}

static bool apsie_has_teid(unsigned int code)
{
	return apsie_nullifies(code) || code == APSIE_PGM_PROTECTION;
}

static void apsie_repeats(struct apsie_vcpu *self, unsigned int code)
{
	if (self->last == self->psw.addr && self->last_code == code) {
		if (++self->same >= APSIE_SAME_MAX)
			apsie_stuck(self, "the same program interruption for ever", code);
		return;
	}
	self->last = self->psw.addr;
	self->last_code = code;
	self->same = 0;
}

/**
 * apsie_deliver_program() - deliver a program interruption
 * @self: the guest CPU; the PSW points behind the instruction
 * @code: the program interruption code; @self->teid goes with it if it is an access exception
 * @length: of the instruction
 *
 * Context: vm->lock is held.
 * Return: 0, or -EFAULT with @self->missing.
 */
int apsie_deliver_program(struct apsie_vcpu *self, unsigned int code, unsigned int length)
{
	struct lowcore *lowcore = apsie_lowcore_at(self, 0);

	if (!lowcore)
		return -EFAULT;
	if (apsie_nullifies(code))
		self->psw.addr = apsie_wrap(self, self->psw.addr - length);
	apsie_count(APSIE_COUNT_DELIVERED, 1);
	apsie_watch_trap(self, 0x100 | code, self->teid);
	apsie_repeats(self, code);
	lowcore->pgm_ilc = length;
	lowcore->pgm_code = code;
	if (apsie_has_teid(code))
		lowcore->trans_exc_code = self->teid;
	lowcore->program_old_psw = self->psw;
	self->psw = lowcore->program_new_psw;
	/* A handler that cannot be called cannot be called for that either. */
	if (!apsie_psw_valid(&self->psw)) {
		self->icpt = ICPT_PROGI;
		self->block->iprcc = APEMU_PGM_SPECIFICATION;
		self->block->pgmilc = 0;
		self->leave = true;
	}
	return 0;
}

/**
 * apsie_deliver_bad_psw() - deliver the early specification exception of the guest's PSW
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 */
void apsie_deliver_bad_psw(struct apsie_vcpu *self)
{
	if (apsie_psw_valid(&self->psw) && !(self->psw.addr & 1))
		return;
	apsie_deliver_program(self, APEMU_PGM_SPECIFICATION, 0);
}

/**
 * apsie_deliver_svc() - deliver a supervisor call
 * @self: the guest CPU
 * @code: instruction length and number, as they are in the lowcore
 *
 * Context: vm->lock is held.
 * Return: 0, or -EFAULT with @self->missing.
 */
int apsie_deliver_svc(struct apsie_vcpu *self, u32 code)
{
	struct lowcore *lowcore = apsie_lowcore_at(self, 0);

	if (!lowcore)
		return -EFAULT;
	self->same = 0;
	lowcore->svc_int_code = code;
	lowcore->svc_old_psw = self->psw;
	self->psw = lowcore->svc_new_psw;
	return 0;
}
