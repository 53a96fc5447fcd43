// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs of protected guests. Their registers live in apuv. The SIE block has what the host may know:
 * some bits of the PSW, and of an instruction that the host has to emulate the operands.
 */
#include <asm/lowcore.h>
#include "apsie.h"
#include "apuv.h"

#define APSIE_SDF_PROTECTED	2

#define APSIE_PSW_TOLD		(PSW_MASK_EXT | PSW_MASK_IO | PSW_MASK_MCHECK | PSW_MASK_CC)

#define APSIE_PGM_OPERAND	0x15

/* Control registers that KVM needs to know which interruptions the guest lets in. */
#define APSIE_CRS_TOLD		(BIT(0) | BIT(6) | BIT(14))

/* UVCB of SHARE and UNSHARE */
struct apsie_uvcb {
	u16 len;
	u16 cmd;
	u16 rc;
	u16 rrc;
	u64 reserved[3];
	u64 paddr;
	u64 reserved28;
};

/**
 * apsie_pv_cpu() - the secure CPU behind a SIE block
 * @block: the SIE block
 *
 * Context: Any.
 * Return: The CPU, NULL if the guest is not protected.
 */
struct apuv_cpu *apsie_pv_cpu(const struct kvm_s390_sie_block *block)
{
	if (block->sdf != APSIE_SDF_PROTECTED)
		return NULL;
	return apuv_cpu_find(block->pv_handle_cpu);
}

static u64 *apsie_pv_told_gprs(struct kvm_s390_sie_block *block)
{
	return container_of(block, struct sie_page, sie_block)->pv_grregs;
}

/* The host has emulated the instruction that the last entry ended with. */
static void apsie_pv_continue(struct apsie_vcpu *self)
{
	struct apuv_cpu *cpu = self->pv;
	bool refused = self->block->iictl == IICTL_CODE_SPECIFICATION ||
		       self->block->iictl == IICTL_CODE_OPERAND;

	if (cpu->continues == ICPT_PV_INSTR && cpu->ipa == APEMU_OPCODE_PQAP && !refused) {
		self->gprs[1] = apsie_pv_told_gprs(self->block)[1];
		self->psw.mask = (self->psw.mask & ~PSW_MASK_CC) |
				 (self->block->gpsw.mask & PSW_MASK_CC);
	}
	cpu->continues = 0;
}

/**
 * apsie_pv_begin() - a SIE entry: registers come from the ultravisor
 * @self: the guest CPU
 *
 * Context: Interrupts off.
 */
void apsie_pv_begin(struct apsie_vcpu *self)
{
	struct apuv_cpu *cpu = apsie_pv_cpu(self->block);

	self->pv = cpu;
	if (!cpu)
		return;
	memcpy(self->gprs, cpu->gprs, sizeof(cpu->gprs));
	memcpy(self->block->gcr, cpu->crs, sizeof(cpu->crs));
	self->psw = cpu->psw;
	apsie_pv_continue(self);
}

/**
 * apsie_pv_end() - the end of a SIE entry: registers go back, and the host learns little
 * @self: the guest CPU; its PSW and registers become what the host sees
 *
 * Context: Interrupts off.
 */
void apsie_pv_end(struct apsie_vcpu *self)
{
	struct apuv_cpu *cpu = self->pv;
	u64 *told = apsie_pv_told_gprs(self->block);
	unsigned int n;

	if (!cpu)
		return;
	memcpy(cpu->gprs, self->gprs, sizeof(cpu->gprs));
	memcpy(cpu->crs, self->block->gcr, sizeof(cpu->crs));
	cpu->psw = self->psw;
	memset(told, 0, sizeof(cpu->gprs));
	if (self->icpt == ICPT_PV_INSTR) {
		cpu->continues = self->icpt;
		cpu->ipa = self->block->ipa;
		if (cpu->ipa == APEMU_OPCODE_PQAP)
			memcpy(told, cpu->gprs, 3 * sizeof(*told));
	}
	memset(self->gprs, 0, sizeof(cpu->gprs));
	for (n = 0; n < 16; n++)
		if (!(APSIE_CRS_TOLD & BIT(n)))
			self->block->gcr[n] = 0;
	self->psw = (psw_t){ .mask = self->psw.mask & APSIE_PSW_TOLD };
}

/* Old and new PSW of an interruption that KVM wants delivered */
static bool apsie_pv_swap(struct apsie_vcpu *self, psw_t *old, const psw_t *new)
{
	*old = self->psw;
	self->psw = *new;
	return true;
}

static bool apsie_pv_deliver(struct apsie_vcpu *self, struct lowcore *lowcore)
{
	struct kvm_s390_sie_block *block = self->block;

	switch (block->iictl) {
	case IICTL_CODE_EXT:
		lowcore->ext_int_code = block->eic;
		return apsie_pv_swap(self, &lowcore->external_old_psw,
				     &lowcore->external_new_psw);
	case IICTL_CODE_IO:
		lowcore->subchannel_id = block->subchannel_id;
		lowcore->subchannel_nr = block->subchannel_nr;
		lowcore->io_int_parm = block->io_int_parm;
		lowcore->io_int_word = block->io_int_word;
		return apsie_pv_swap(self, &lowcore->io_old_psw, &lowcore->io_new_psw);
	case IICTL_CODE_SPECIFICATION:
		return !apsie_deliver_program(self, APEMU_PGM_SPECIFICATION, 4);
	case IICTL_CODE_OPERAND:
		return !apsie_deliver_program(self, APSIE_PGM_OPERAND, 4);
	}
	apsie_stuck(self, "an interruption that is not modelled", block->iictl);
	return false;
}

/**
 * apsie_pv_inject() - deliver what KVM has put into the SIE block
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 */
void apsie_pv_inject(struct apsie_vcpu *self)
{
	struct lowcore *lowcore;

	if (!self->pv || !self->block->iictl || self->leave)
		return;
	lowcore = apsie_lowcore_at(self, 0);
	if (!lowcore)
		self->leave = true;
	else if (apsie_pv_deliver(self, lowcore))
		self->block->iictl = IICTL_CODE_NONE;
}

/**
 * apsie_pv_access() - may the guest touch this page of the host?
 * @self: the guest CPU
 * @frame: guest absolute page number
 * @host: kernel address
 *
 * Context: vm->lock is held.
 * Return: true; false with @self->missing.
 */
bool apsie_pv_access(struct apsie_vcpu *self, unsigned long frame, unsigned long host)
{
	int code = apuv_page_access(apsie_pv_handle(self), frame,
				    virt_to_phys((void *)host));

	if (!code)
		return true;
	self->missing = APSIE_FAULT;
	self->fault = frame << PAGE_SHIFT;
	self->fault_code = code;
	return false;
}

/**
 * apsie_pv_changed() - has the host got pages back since the last look?
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 */
void apsie_pv_changed(struct apsie_vcpu *self)
{
	struct apsie_vm *vm = self->vm;
	u64 generation = apuv_page_generation();

	if (vm->pv_generation == generation)
		return;
	vm->pv_generation = generation;
	apsie_vm_stop(vm, self);
	memset(vm->memory, 0, vm->frames * sizeof(*vm->memory));
	apsie_shadow_forget_all(vm, self);
}

/**
 * apsie_pv_may_ap() - has the guest AP instructions, as far as the ultravisor is concerned?
 * @self: the guest CPU
 * @function: enum apemu_function
 *
 * Context: Any.
 * Return: true if it has.
 */
bool apsie_pv_may_ap(const struct apsie_vcpu *self, unsigned int function)
{
	return !self->pv || apuv_cpu_may_ap(self->pv, function == APEMU_AQIC);
}

/**
 * apsie_pv_handle() - the secure configuration of a guest
 * @self: the guest CPU
 *
 * Context: Any.
 * Return: Its handle, 0 if the guest is not protected.
 */
u64 apsie_pv_handle(const struct apsie_vcpu *self)
{
	return self->pv ? self->pv->conf : 0;
}

/* The page is pinned: the host has to give that up, and the guest calls again. */
static int apsie_uvc_notify(struct apsie_vcpu *self, const struct apsie_uvcb *cb)
{
	memcpy(sida_addr(self->block), cb, sizeof(*cb));
	self->psw.addr = apsie_wrap(self, self->psw.addr - self->insn.length);
	apsie_intercept(self);
	self->icpt = ICPT_PV_NOTIFY;
	return 0;
}

/**
 * apsie_uvc() - ULTRAVISOR CALL of a guest
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 * Return: as apsie_find().
 */
int apsie_uvc(struct apsie_vcpu *self)
{
	unsigned long addr = self->gprs[self->insn.r2], host;
	struct apsie_uvcb cb;
	int rc;

	if (!self->pv)
		return APEMU_PGM_OPERATION;
	if (self->psw.mask & PSW_MASK_PSTATE)
		return APEMU_PGM_PRIVILEGED;
	rc = apsie_read(self, &cb, addr, sizeof(cb));
	if (rc)
		return rc;
	host = apsie_memory_host(self, cb.paddr);
	if (!host)
		return self->missing ? -EFAULT : APEMU_PGM_ADDRESSING;
	rc = apuv_guest_call(self->pv, cb.cmd, cb.paddr >> PAGE_SHIFT,
			     virt_to_phys((void *)host));
	if (rc < 0)
		return apsie_uvc_notify(self, &cb);
	cb.rc = rc;
	cb.rrc = 0;
	rc = apsie_write(self, addr, &cb, sizeof(cb));
	if (!rc)
		apsie_set_cc(self, cb.rc == APUV_RC_EXECUTED ? 0 : 1);
	return rc;
}
