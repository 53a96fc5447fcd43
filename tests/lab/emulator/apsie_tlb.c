// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions by which a guest says that a translation is not valid any more. Each of them
 * changes the guest's table, if it does, while no vCPU of the VM runs with the old shadow.
 */
#include <linux/atomic.h>
#include "apsie.h"

/* Second operand of IDTE: forget an ASCE, whatever is in its tables. */
#define APSIE_IDTE_ASCE		0x800UL
#define APSIE_IDTE_COUNT	0x7ffUL

/* Purge bits in the address of CSP and CSPG: ALB, TLB */
#define APSIE_CSP_PURGE		3UL

/* Set a bit of a table entry, as one access; other vCPUs may do the same. */
static int apsie_invalidate(struct apsie_vcpu *self, unsigned long real, unsigned long bit)
{
	unsigned long host = apsie_memory_host(self, real & ~7UL);

	if (!host)
		return self->missing ? -EFAULT : APEMU_PGM_ADDRESSING;
	atomic64_or(bit, (atomic64_t *)host);
	return 0;
}

/**
 * apsie_ipte() - INVALIDATE PAGE TABLE ENTRY
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 * Return: as apsie_find().
 */
int apsie_ipte(struct apsie_vcpu *self)
{
	const struct apsie_insn *insn = &self->insn;
	unsigned long table = self->gprs[insn->r1] & APSIE_PAGE_ORIGIN;
	unsigned long addr = self->gprs[insn->r2];
	unsigned int count = insn->r3 ? self->gprs[insn->r3] & 0xff : 0;
	int rc;

	for (;;) {
		rc = apsie_invalidate(self, table + (addr >> PAGE_SHIFT & 0xff) * 8,
				      APSIE_PAGE_INVALID);
		if (rc)
			return rc;
		apsie_shadow_zap(self, addr & PAGE_MASK);
		if (!count--)
			break;
		addr += PAGE_SIZE;
	}
	if (insn->r3) {
		self->gprs[insn->r2] = addr;
		self->gprs[insn->r3] |= 0xff;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(apsie_ipte);

/**
 * apsie_idte() - INVALIDATE DAT TABLE ENTRY
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 * Return: as apsie_find().
 */
int apsie_idte(struct apsie_vcpu *self)
{
	const struct apsie_insn *insn = &self->insn;
	unsigned long table = self->gprs[insn->r1], how = self->gprs[insn->r2];
	unsigned long index = how >> (20 + 11 * APSIE_TYPE(table)) & 0x7ff, n;
	int rc;

	if (how & APSIE_IDTE_ASCE) {
		apsie_shadow_forget(self, self->gprs[insn->r3]);
		return 0;
	}
	for (n = 0; n <= (how & APSIE_IDTE_COUNT); n++) {
		rc = apsie_invalidate(self, (table & APSIE_ORIGIN) + (index + n) * 8,
				      APSIE_TABLE_INVALID);
		if (rc)
			return rc;
	}
	apsie_shadow_forget_all(self->vm, self);
	return 0;
}
EXPORT_SYMBOL_GPL(apsie_idte);

static int apsie_swap64(struct apsie_vcpu *self, unsigned long host)
{
	unsigned long *r1 = &self->gprs[self->insn.r1], old = *r1, found;

	found = cmpxchg((unsigned long *)host, old, self->gprs[self->insn.r1 + 1]);
	apsie_set_cc(self, found == old ? 0 : 1);
	*r1 = found;
	return found == old;
}

/* The entry that the second operand of CRDTE means: table and type, then an address */
static unsigned long apsie_crdte_entry(const struct apsie_vcpu *self)
{
	unsigned long table = self->gprs[self->insn.r2], addr = self->gprs[self->insn.r2 + 1];

	if (!(table & 0x10))
		return (table & APSIE_PAGE_ORIGIN) + (addr >> PAGE_SHIFT & 0xff) * 8;
	return (table & APSIE_ORIGIN) + (addr >> (20 + 11 * APSIE_TYPE(table)) & 0x7ff) * 8;
}

/**
 * apsie_crdte() - COMPARE AND REPLACE DAT TABLE ENTRY
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 * Return: as apsie_find().
 */
int apsie_crdte(struct apsie_vcpu *self)
{
	unsigned long host;

	if ((self->insn.r1 | self->insn.r2) & 1)
		return APEMU_PGM_SPECIFICATION;
	host = apsie_memory_host(self, apsie_crdte_entry(self));
	if (!host)
		return self->missing ? -EFAULT : APEMU_PGM_ADDRESSING;
	apsie_vm_stop(self->vm, self);
	if (apsie_swap64(self, host))
		apsie_shadow_forget_all(self->vm, self);
	return 0;
}
EXPORT_SYMBOL_GPL(apsie_crdte);

/**
 * apsie_csp() - COMPARE AND SWAP AND PURGE, 32 bits
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 * Return: as apsie_find().
 */
int apsie_csp(struct apsie_vcpu *self)
{
	unsigned long how = self->gprs[self->insn.r2], *r1 = &self->gprs[self->insn.r1], host;
	u32 old = *r1, found;
	int rc;

	if (self->insn.r1 & 1)
		return APEMU_PGM_SPECIFICATION;
	rc = apsie_find(self, self->psw.mask & PSW_MASK_ASC, apsie_wrap(self, how & ~7UL), true,
			&host);
	if (rc)
		return rc;
	apsie_vm_stop(self->vm, self);
	found = cmpxchg((u32 *)host, old, (u32)self->gprs[self->insn.r1 + 1]);
	apsie_set_cc(self, found == old ? 0 : 1);
	*r1 = (*r1 & ~0xffffffffUL) | found;
	if (found == old && how & APSIE_CSP_PURGE)
		apsie_shadow_forget_all(self->vm, self);
	return 0;
}
EXPORT_SYMBOL_GPL(apsie_csp);

/**
 * apsie_cspg() - COMPARE AND SWAP AND PURGE, 64 bits
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 * Return: as apsie_find().
 */
int apsie_cspg(struct apsie_vcpu *self)
{
	unsigned long how = self->gprs[self->insn.r2], host;
	int rc;

	if (self->insn.r1 & 1)
		return APEMU_PGM_SPECIFICATION;
	rc = apsie_find(self, self->psw.mask & PSW_MASK_ASC, apsie_wrap(self, how & ~7UL), true,
			&host);
	if (rc)
		return rc;
	apsie_vm_stop(self->vm, self);
	if (apsie_swap64(self, host) && how & APSIE_CSP_PURGE)
		apsie_shadow_forget_all(self->vm, self);
	return 0;
}
EXPORT_SYMBOL_GPL(apsie_cspg);

/**
 * apsie_ptlb() - PURGE TLB
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 * Return: 0.
 */
int apsie_ptlb(struct apsie_vcpu *self)
{
	apsie_shadow_forget_all(self->vm, self);
	return 0;
}
