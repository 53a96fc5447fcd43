// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a trap of a guest CPU means. It is the shadow's (fill it), the guest's (deliver it), or
 * that of an instruction that a problem-state CPU may not execute (emulate it, or leave it to KVM).
 *
 * A trap is handled as a whole or not at all: if something is missing on the way, registers and
 * PSW become what they were before the instruction, and SIE is left.
 */
#include <asm/lowcore.h>
#include "apsie.h"
#include "apuv.h"

/* Linux executes LPSWE in its lowcore and stores beside it. */
#define APSIE_NO_WX	APSIE_PREFIX_SIZE

/**
 * apsie_fetch() - read an instruction
 * @self: the guest CPU
 * @addr: where it is
 * @text: gets it
 * @length: in bytes, even
 *
 * Context: vm->lock is held.
 * Return: as apsie_find().
 */
int apsie_fetch(struct apsie_vcpu *self, unsigned long addr, u16 *text, unsigned int length)
{
	unsigned long space = self->psw.mask & PSW_MASK_ASC, host;
	unsigned int n;
	int rc;

	/* Linux goes from the home space to secondary-space mode: its code is there. */
	if (space == PSW_ASC_SECONDARY)
		space = PSW_ASC_HOME;
	for (n = 0; n < length / 2; n++) {
		if (!n || !offset_in_page(addr + 2 * n)) {
			rc = apsie_find(self, space, addr + 2 * n, false, &host);
			if (rc)
				return rc;
			host -= 2 * n;
		}
		text[n] = READ_ONCE(*(u16 *)(host + 2 * n));
	}
	return 0;
}

/* The instruction that has trapped, or the target of an EXECUTE */
static int apsie_load_insn(struct apsie_vcpu *self, unsigned int length)
{
	struct apsie_insn *insn = &self->insn;
	int rc;

	memset(insn, 0, sizeof(*insn));
	insn->length = length;
	rc = apsie_fetch(self, self->psw.addr - length, insn->text, length);
	if (rc)
		return rc;
	apsie_decode(self);
	rc = apsie_decode_execute(self);
	apsie_watch_opcode(insn->key);
	return rc;
}

/**
 * apsie_intercept() - leave the instruction in work to KVM
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 */
void apsie_intercept(struct apsie_vcpu *self)
{
	struct kvm_s390_sie_block *block = self->block;

	block->icptstatus = 0;
	block->ipa = self->insn.text[0];
	block->ipb = (u32)self->insn.text[1] << 16 | self->insn.text[2];
	self->icpt = self->pv ? ICPT_PV_INSTR : ICPT_INST;
	self->leave = true;
}

/* What came out of the emulation of the instruction in work */
static int apsie_outcome(struct apsie_vcpu *self, int rc)
{
	if (rc > 0)
		return apsie_deliver_program(self, rc, self->insn.length);
	if (rc != -EOPNOTSUPP)
		return rc;
	apsie_intercept(self);
	return 0;
}

/* Operation exceptions: AP instructions, and those that stand in for others */
static int apsie_operation(struct apsie_vcpu *self)
{
	switch (self->insn.text[0]) {
	case APEMU_OPCODE_NQAP:
	case APEMU_OPCODE_DQAP:
	case APEMU_OPCODE_PQAP:
		return apsie_ap(self);
	case APSIE_OPCODE_EPSW:
		return apsie_epsw(self);
	case APSIE_OPCODE_STFLE:
		return apsie_stfle(self);
	case APUV_OPCODE_UVC:
		return apsie_uvc(self);
	}
	if (self->psw.mask & PSW_MASK_PSTATE)
		return APEMU_PGM_OPERATION;
	return apsie_priv(self);
}

static int apsie_trap_insn(struct apsie_vcpu *self, unsigned int code, unsigned int length)
{
	int rc = apsie_load_insn(self, length);

	if (rc == -EFAULT)
		return rc;
	if (!rc) {
		if (self->insn.key == 0xc800)
			rc = apsie_mvcos(self);
		else if (code == APEMU_PGM_OPERATION)
			rc = apsie_operation(self);
		else if (code == APEMU_PGM_PRIVILEGED && !(self->psw.mask & PSW_MASK_PSTATE))
			rc = apsie_priv(self);
		else
			rc = code;
	}
	return apsie_outcome(self, rc);
}

/* The space that the TEID means: the host saw primary or secondary, the guest has more of them. */
static unsigned long apsie_trap_space(const struct apsie_vcpu *self, unsigned long teid)
{
	unsigned long space = self->psw.mask & PSW_MASK_ASC;

	if (!(self->psw.mask & PSW_MASK_DAT))
		return PSW_ASC_PRIMARY;
	if ((teid & APSIE_TEID_SPACE) == 2)
		return PSW_ASC_SECONDARY;
	return space == PSW_ASC_SECONDARY ? PSW_ASC_HOME : space;
}

static struct apsie_root *apsie_trap_root(struct apsie_vcpu *self, unsigned long space)
{
	return apsie_shadow_root(self, apsie_space_asce(self, space),
				 !(self->psw.mask & PSW_MASK_DAT));
}

/* A page of a guest kernel is writable or executable: it is looked at before it is executed. */
static unsigned long apsie_shadow_bits(const struct apsie_vcpu *self, unsigned long addr,
				       const struct apsie_walked *walked)
{
	bool kernel = !(self->psw.mask & PSW_MASK_PSTATE) && addr >= APSIE_NO_WX;

	return (walked->protect ? APSIE_PROTECT : 0) |
	       (walked->no_execute || kernel ? APSIE_NO_EXECUTE : 0);
}

static int apsie_trap_missing(struct apsie_vcpu *self, unsigned long teid, unsigned int length)
{
	unsigned long space = apsie_trap_space(self, teid), addr = teid & PAGE_MASK, host;
	struct apsie_walked walked;
	int rc;

	self->teid = (teid & ~APSIE_TEID_SPACE) | space >> 46;
	rc = apsie_walk(self, apsie_space_asce(self, space), addr, &walked);
	if (!rc) {
		host = apsie_memory_host(self, walked.real);
		if (!host && self->missing)
			return -EFAULT;
		if (!host)
			rc = APEMU_PGM_ADDRESSING;
	}
	if (rc < 0)
		return rc;
	if (rc) {
		/* The host's CPU has nullified it. */
		self->psw.addr = apsie_wrap(self, self->psw.addr + length);
		return apsie_deliver_program(self, rc, length);
	}
	apsie_shadow_fill(self, apsie_trap_root(self, space), addr,
			  virt_to_phys((void *)host) | apsie_shadow_bits(self, addr, &walked));
	return 0;
}

static bool apsie_trap_executes(unsigned long teid)
{
	return (teid & APSIE_TEID_EXECUTE) == APSIE_TEID_EXECUTE;
}

/* The shadow forbids what the guest's own tables allow: the page changes sides. */
static void apsie_trap_switch(struct apsie_vcpu *self, struct apsie_root *root, unsigned long addr,
			      unsigned long host, bool execute)
{
	if (execute) {
		apsie_count(APSIE_COUNT_PATCHED, apsie_patch((u16 *)(host & PAGE_MASK)));
		apsie_shadow_fill(self, root, addr, virt_to_phys((void *)host) | APSIE_PROTECT);
	} else {
		apsie_shadow_fill(self, root, addr, virt_to_phys((void *)host) | APSIE_NO_EXECUTE);
	}
	self->purge = true;
}

static int apsie_trap_protection(struct apsie_vcpu *self, unsigned long teid, unsigned int length)
{
	unsigned long space = apsie_trap_space(self, teid), addr = teid & PAGE_MASK, host;
	bool execute = apsie_trap_executes(teid);
	struct apsie_walked walked;
	int rc;

	self->teid = (teid & ~APSIE_TEID_SPACE) | space >> 46;
	rc = apsie_walk(self, apsie_space_asce(self, space), addr, &walked);
	if (rc < 0)
		return rc;
	if (rc || (execute ? walked.no_execute : walked.protect))
		return apsie_deliver_program(self, APSIE_PGM_PROTECTION, length);
	host = apsie_memory_host(self, walked.real);
	if (!host)
		return self->missing ? -EFAULT :
				       apsie_deliver_program(self, APEMU_PGM_ADDRESSING, length);
	apsie_trap_switch(self, apsie_trap_root(self, space), addr, host, execute);
	self->psw.addr = apsie_wrap(self, self->psw.addr - length);
	return 0;
}

static int apsie_trap_pass_on(struct apsie_vcpu *self, unsigned int code, unsigned int length,
			      const struct lowcore *host)
{
	struct lowcore *guest = apsie_lowcore_at(self, 0);

	if (!guest)
		return -EFAULT;
	switch (code) {
	case APSIE_PGM_DATA:
	case APSIE_PGM_VECTOR:
		guest->data_exc_code = host->data_exc_code;
		break;
	case APSIE_PGM_MONITOR:
		guest->mon_class_num = host->mon_class_num;
		guest->monitor_code = host->monitor_code;
		break;
	}
	return apsie_deliver_program(self, code, length);
}

static int apsie_trap_dispatch(struct apsie_vcpu *self, unsigned int code, unsigned int length,
			       const struct lowcore *lowcore)
{
	switch (code) {
	case APSIE_PGM_SEGMENT:
	case APSIE_PGM_PAGE:
	case APSIE_PGM_ASCE_TYPE:
	case APSIE_PGM_REGION_1:
	case APSIE_PGM_REGION_2:
	case APSIE_PGM_REGION_3:
		return apsie_trap_missing(self, lowcore->trans_exc_code, length);
	case APSIE_PGM_PROTECTION:
		return apsie_trap_protection(self, lowcore->trans_exc_code, length);
	case APEMU_PGM_OPERATION:
	case APEMU_PGM_PRIVILEGED:
	case APEMU_PGM_ADDRESSING:
		return apsie_trap_insn(self, code, length);
	default:
		return apsie_trap_pass_on(self, code, length, lowcore);
	}
}

/* Is the old PSW of this one at the instruction, not behind it? */
static bool apsie_trap_at(unsigned int code)
{
	return code >= APSIE_PGM_SEGMENT && code != APSIE_PGM_TRANSLATION &&
	       code != APSIE_PGM_SPECIAL && code != APSIE_PGM_VECTOR && code != APSIE_PGM_MONITOR;
}

/**
 * apsie_trap_program() - handle a program interruption
 * @self: the guest CPU
 * @lowcore: of the host CPU
 *
 * Context: vm->lock is held.
 */
void apsie_trap_program(struct apsie_vcpu *self, const struct lowcore *lowcore)
{
	unsigned int code = lowcore->pgm_code & 0x7f, length = lowcore->pgm_ilc & 7;
	unsigned long gprs[16];
	psw_t before = self->psw;

	apsie_count(APSIE_COUNT_PROGRAM, 1);
	if (code != APEMU_PGM_PRIVILEGED)
		apsie_watch_trap(self, code, lowcore->trans_exc_code);
	memcpy(gprs, self->gprs, sizeof(gprs));
	if (!apsie_trap_at(code))
		before.addr = apsie_wrap(self, before.addr - length);
	if (apsie_trap_dispatch(self, code, length, lowcore) != -EFAULT)
		return;
	memcpy(self->gprs, gprs, sizeof(gprs));
	self->psw = before;
	self->icpt = 0;
	self->leave = true;
}

/**
 * apsie_trap_svc() - handle a supervisor call
 * @self: the guest CPU
 * @lowcore: of the host CPU
 *
 * Context: vm->lock is held.
 */
void apsie_trap_svc(struct apsie_vcpu *self, const struct lowcore *lowcore)
{
	u32 code = lowcore->svc_int_code;

	apsie_count(APSIE_COUNT_SVC, 1);
	if (apsie_deliver_svc(self, code) != -EFAULT)
		return;
	self->psw.addr = apsie_wrap(self, self->psw.addr - (code >> 16 & 7));
	self->leave = true;
}
