// SPDX-License-Identifier: GPL-2.0-only
/*
 * Privileged instructions that SIE executes itself. What is not in the table is KVM's.
 */
#include <asm/timex.h>
#include "apsie.h"

/* System mask: the first byte of the PSW */
#define APSIE_SYSTEM_SHIFT	56
#define APSIE_SYSTEM_MASK	(0xffUL << APSIE_SYSTEM_SHIFT)

#define APSIE_LOW		0xffffffffUL

/**
 * apsie_set_cc() - set the guest's condition code
 * @self: the guest CPU
 * @cc: the condition code
 *
 * Context: Any.
 */
void apsie_set_cc(struct apsie_vcpu *self, unsigned int cc)
{
	self->psw.mask = (self->psw.mask & ~PSW_MASK_CC) | (unsigned long)cc << 44;
}

static void apsie_set_low(unsigned long *gpr, unsigned long value)
{
	*gpr = (*gpr & ~APSIE_LOW) | (value & APSIE_LOW);
}

/* KVM wants to know of a mask that lets in what it has pending. */
static void apsie_psw_loaded(struct apsie_vcpu *self)
{
	if (self->block->ictl & ICTL_LPSW)
		self->leave = true;
}

static int apsie_stnsm(struct apsie_vcpu *self)
{
	u8 old = self->psw.mask >> APSIE_SYSTEM_SHIFT;
	unsigned long mask = (unsigned long)(self->insn.text[0] & 0xff) << APSIE_SYSTEM_SHIFT;
	int rc = apsie_write(self, self->insn.addr, &old, 1);

	if (!rc)
		self->psw.mask &= mask | ~APSIE_SYSTEM_MASK;
	return rc;
}

static int apsie_stosm(struct apsie_vcpu *self)
{
	u8 old = self->psw.mask >> APSIE_SYSTEM_SHIFT;
	unsigned long mask = (unsigned long)(self->insn.text[0] & 0xff) << APSIE_SYSTEM_SHIFT;
	int rc = apsie_write(self, self->insn.addr, &old, 1);

	if (!rc)
		self->psw.mask |= mask;
	return rc;
}

static int apsie_ssm(struct apsie_vcpu *self)
{
	u8 mask;
	int rc = apsie_read(self, &mask, self->insn.addr, 1);

	if (rc)
		return rc;
	self->psw.mask = (self->psw.mask & ~APSIE_SYSTEM_MASK) |
			 (unsigned long)mask << APSIE_SYSTEM_SHIFT;
	apsie_psw_loaded(self);
	return 0;
}

static int apsie_lpswe(struct apsie_vcpu *self)
{
	psw_t psw;
	int rc = apsie_read(self, &psw, self->insn.addr, sizeof(psw));

	if (rc)
		return rc;
	self->psw = psw;
	apsie_psw_loaded(self);
	return 0;
}

/* The PSW of ESA/390: 31 bits of address, and bit 12 on. */
static int apsie_lpsw(struct apsie_vcpu *self)
{
	u64 old;
	int rc = apsie_read(self, &old, self->insn.addr, sizeof(old));

	if (rc)
		return rc;
	if (!(old & PSW32_MASK_BASE << 32))
		return APEMU_PGM_SPECIFICATION;
	self->psw.mask = (old & ~((u64)PSW32_MASK_BASE << 32) & ~APSIE_LOW) | (old & PSW_MASK_BA);
	self->psw.addr = old & ~PSW_MASK_BA & APSIE_LOW;
	apsie_psw_loaded(self);
	return 0;
}

/**
 * apsie_epsw() - EXTRACT PSW
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 * Return: 0.
 */
int apsie_epsw(struct apsie_vcpu *self)
{
	apsie_set_low(&self->gprs[self->insn.r1], self->psw.mask >> 32);
	if (self->insn.r2)
		apsie_set_low(&self->gprs[self->insn.r2], self->psw.mask);
	return 0;
}

static int apsie_spka(struct apsie_vcpu *self)
{
	self->psw.mask = (self->psw.mask & ~PSW_MASK_KEY) | (self->insn.addr & 0xf0) << 48;
	return 0;
}

static int apsie_ipk(struct apsie_vcpu *self)
{
	self->gprs[2] = (self->gprs[2] & ~0xffUL) | (self->psw.mask >> 48 & 0xf0);
	return 0;
}

static int apsie_sac(struct apsie_vcpu *self)
{
	static const unsigned long spaces[] = { PSW_ASC_PRIMARY, PSW_ASC_SECONDARY, PSW_ASC_ACCREG,
						PSW_ASC_HOME };

	self->psw.mask = (self->psw.mask & ~PSW_MASK_ASC) | spaces[self->insn.addr >> 8 & 3];
	return 0;
}

static unsigned int apsie_cr_count(const struct apsie_vcpu *self)
{
	return ((self->insn.r2 - self->insn.r1) & 0xf) + 1;
}

static unsigned long *apsie_cr(struct apsie_vcpu *self, unsigned int n)
{
	return (unsigned long *)&self->block->gcr[(self->insn.r1 + n) & 0xf];
}

/* Then the host delivers what the new masks let in. */
static void apsie_cr_loaded(struct apsie_vcpu *self)
{
	if (self->block->lctl)
		self->leave = true;
}

static int apsie_lctlg(struct apsie_vcpu *self)
{
	unsigned int count = apsie_cr_count(self), n;
	unsigned long values[16];
	int rc = apsie_read(self, values, self->insn.addr, count * sizeof(*values));

	if (rc)
		return rc;
	for (n = 0; n < count; n++)
		*apsie_cr(self, n) = values[n];
	apsie_cr_loaded(self);
	return 0;
}

static int apsie_lctl(struct apsie_vcpu *self)
{
	unsigned int count = apsie_cr_count(self), n;
	u32 values[16];
	int rc = apsie_read(self, values, self->insn.addr, count * sizeof(*values));

	if (rc)
		return rc;
	for (n = 0; n < count; n++)
		apsie_set_low(apsie_cr(self, n), values[n]);
	apsie_cr_loaded(self);
	return 0;
}

static int apsie_stctg(struct apsie_vcpu *self)
{
	unsigned int count = apsie_cr_count(self), n;
	unsigned long values[16];

	for (n = 0; n < count; n++)
		values[n] = *apsie_cr(self, n);
	return apsie_write(self, self->insn.addr, values, count * sizeof(*values));
}

static int apsie_stctl(struct apsie_vcpu *self)
{
	unsigned int count = apsie_cr_count(self), n;
	u32 values[16];

	for (n = 0; n < count; n++)
		values[n] = *apsie_cr(self, n);
	return apsie_write(self, self->insn.addr, values, count * sizeof(*values));
}

/* What access registers are not for: the ASNs of the spaces are 0. */
static int apsie_asn(struct apsie_vcpu *self)
{
	apsie_set_low(&self->gprs[self->insn.r1], 0);
	return 0;
}

static int apsie_spt(struct apsie_vcpu *self)
{
	u64 value;
	int rc = apsie_read(self, &value, self->insn.addr, sizeof(value));

	if (rc)
		return rc;
	self->block->cputm = value;
	self->entered = get_tod_clock_fast();
	return 0;
}

static int apsie_stpt(struct apsie_vcpu *self)
{
	u64 value = self->block->cputm - (get_tod_clock_fast() - self->entered);

	return apsie_write(self, self->insn.addr, &value, sizeof(value));
}

static int apsie_sckc(struct apsie_vcpu *self)
{
	u64 value;
	int rc = apsie_read(self, &value, self->insn.addr, sizeof(value));

	if (!rc)
		self->block->ckc = value;
	return rc;
}

static int apsie_stckc(struct apsie_vcpu *self)
{
	u64 value = self->block->ckc;

	return apsie_write(self, self->insn.addr, &value, sizeof(value));
}

static int apsie_sckpf(struct apsie_vcpu *self)
{
	self->block->todpr = self->gprs[0];
	return 0;
}

static int apsie_lpp(struct apsie_vcpu *self)
{
	u64 value;
	int rc = apsie_read(self, &value, self->insn.addr, sizeof(value));

	if (!rc)
		self->block->pp = value;
	return rc;
}

static int apsie_real(struct apsie_vcpu *self, unsigned long *host)
{
	*host = apsie_memory_host(self, apsie_wrap(self, self->gprs[self->insn.r2]));
	if (!*host)
		return self->missing ? -EFAULT : APEMU_PGM_ADDRESSING;
	return 0;
}

static int apsie_lura(struct apsie_vcpu *self)
{
	unsigned long host;
	int rc = apsie_real(self, &host);

	if (!rc)
		apsie_set_low(&self->gprs[self->insn.r1], READ_ONCE(*(u32 *)host));
	return rc;
}

static int apsie_lurag(struct apsie_vcpu *self)
{
	unsigned long host;
	int rc = apsie_real(self, &host);

	if (!rc)
		self->gprs[self->insn.r1] = READ_ONCE(*(u64 *)host);
	return rc;
}

static int apsie_stura(struct apsie_vcpu *self)
{
	unsigned long host;
	int rc = apsie_real(self, &host);

	if (!rc)
		WRITE_ONCE(*(u32 *)host, self->gprs[self->insn.r1]);
	return rc;
}

static int apsie_sturg(struct apsie_vcpu *self)
{
	unsigned long host;
	int rc = apsie_real(self, &host);

	if (!rc)
		WRITE_ONCE(*(u64 *)host, self->gprs[self->insn.r1]);
	return rc;
}

/* Exceptions become condition codes; where the entry is, is not told. */
static int apsie_lra(struct apsie_vcpu *self)
{
	unsigned long asce = apsie_space_asce(self, self->psw.mask & PSW_MASK_ASC);
	unsigned long *gpr = &self->gprs[self->insn.r1];
	struct apsie_walked walked;
	int rc;

	rc = apsie_walk(self, asce, self->insn.addr, &walked);
	switch (rc) {
	case 0:
		*gpr = walked.real;
		apsie_set_cc(self, 0);
		return 0;
	case -EFAULT:
	case APEMU_PGM_ADDRESSING:
	case APSIE_PGM_TRANSLATION:
		return rc;
	}
	*gpr = 0x80000000UL | rc;
	apsie_set_cc(self, rc == APSIE_PGM_SEGMENT ? 1 : rc == APSIE_PGM_PAGE ? 2 : 3);
	return 0;
}

/* The most frequent ones come first. */
static const struct apsie_priv_entry {
	u16 key;
	int (*execute)(struct apsie_vcpu *self);
} apsie_priv_table[] = {
	{ 0xac00, apsie_stnsm },
	{ 0xad00, apsie_stosm },
	{ 0xb100, apsie_lra },
	{ 0xe303, apsie_lra },
	{ 0xe313, apsie_lra },
	{ 0xb925, apsie_sturg },
	{ 0xb209, apsie_stpt },
	{ 0xb208, apsie_spt },
	{ 0xeb2f, apsie_lctlg },
	{ 0xeb25, apsie_stctg },
	{ 0xb2b2, apsie_lpswe },
	{ 0xeb71, apsie_lpswe },
	{ 0xb206, apsie_sckc },
	{ 0xb207, apsie_stckc },
	{ 0xb221, apsie_ipte },
	{ 0xb98e, apsie_idte },
	{ 0xb98a, apsie_cspg },
	{ 0xb98f, apsie_crdte },
	{ 0xb250, apsie_csp },
	{ 0xb20d, apsie_ptlb },
	{ 0x8000, apsie_ssm },
	{ 0x8200, apsie_lpsw },
	{ 0xb700, apsie_lctl },
	{ 0xb600, apsie_stctl },
	{ 0xb20a, apsie_spka },
	{ 0xb20b, apsie_ipk },
	{ 0xb219, apsie_sac },
	{ 0xb279, apsie_sac },
	{ 0xb226, apsie_asn },
	{ 0xb227, apsie_asn },
	{ 0xb24b, apsie_lura },
	{ 0xb246, apsie_stura },
	{ 0xb905, apsie_lurag },
	{ 0xb280, apsie_lpp },
	{ 0x0107, apsie_sckpf },
};

/**
 * apsie_priv() - execute a privileged instruction
 * @self: the guest CPU, in supervisor state
 *
 * Context: vm->lock is held.
 * Return: as apsie_find(); -EOPNOTSUPP if it is KVM's.
 */
int apsie_priv(struct apsie_vcpu *self)
{
	u16 key = self->insn.key;
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(apsie_priv_table); n++)
		if (apsie_priv_table[n].key == key)
			return apsie_priv_table[n].execute(self);
	return -EOPNOTSUPP;
}
EXPORT_SYMBOL_GPL(apsie_priv);
