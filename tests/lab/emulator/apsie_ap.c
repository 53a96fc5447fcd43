// SPDX-License-Identifier: GPL-2.0-only
/*
 * AP instructions of the guest: against the emulated adapters, through the masks of the CRYCB,
 * if the SIE block allows it (ECA.APIE).
 */
#include <asm/facility.h>
#include "apsie.h"

/**
 * apsie_facility() - has the guest's CPU model a facility?
 * @kvm: the VM
 * @nr: its number
 *
 * Context: Any.
 * Return: true if it has.
 */
bool apsie_facility(struct kvm *kvm, unsigned long nr)
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
static void apsie_view(const struct kvm_s390_sie_block *block, struct apemu_view *view)
{
	const struct kvm_s390_crypto_cb *crycb = phys_to_virt(block->crycbd & ~7U);

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

/* Operands are logical addresses. How an access ended is left in the vCPU. */
static int apsie_load(struct apemu_insn *insn, void *to, unsigned long addr, size_t len)
{
	struct apsie_vcpu *self = insn->context;

	self->ap_rc = apsie_read(self, to, addr, len);
	return self->ap_rc ? -EFAULT : 0;
}

static int apsie_store(struct apemu_insn *insn, unsigned long addr, const void *from, size_t len)
{
	struct apsie_vcpu *self = insn->context;

	self->ap_rc = apsie_write(self, addr, from, len);
	return self->ap_rc ? -EFAULT : 0;
}

static const struct apemu_memory apsie_memory = {
	.load = apsie_load,
	.store = apsie_store,
};

/* Does SIE execute it, or KVM? AQIC is always KVM's. */
static bool apsie_interprets(const struct apsie_vcpu *self)
{
	if (!(self->block->eca & ECA_APIE))
		return false;
	return self->insn.text[0] != APEMU_OPCODE_PQAP ||
	       APEMU_GR0_FC(self->gprs[0]) != APEMU_AQIC;
}

/**
 * apsie_ap() - execute an AP instruction
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 * Return: as apsie_find(); -EOPNOTSUPP if it is KVM's.
 */
int apsie_ap(struct apsie_vcpu *self)
{
	struct apemu_view view;
	struct apemu_insn insn = {
		.gprs = self->gprs,
		.memory = &apsie_memory,
		.context = self,
		.view = &view,
		.opcode = self->insn.text[0],
		.r1 = self->insn.r1,
		.r2 = self->insn.r2,
		.facilities = apsie_facilities(self->vm->kvm),
		.handle = apsie_pv_handle(self),
	};

	if (!apsie_pv_may_ap(self, APEMU_GR0_FC(self->gprs[0])))
		return APEMU_PGM_OPERATION;
	if (!apsie_interprets(self))
		return -EOPNOTSUPP;
	if (self->psw.mask & PSW_MASK_PSTATE)
		return APEMU_PGM_PRIVILEGED;
	apsie_view(self->block, &view);
	switch (apemu_execute(&insn)) {
	case APEMU_DONE:
		apsie_set_cc(self, insn.cc);
		return 0;
	case APEMU_PROGRAM:
		return insn.pgm;
	default:
		return self->ap_rc;
	}
}
