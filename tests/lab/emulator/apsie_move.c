// SPDX-License-Identifier: GPL-2.0-only
/*
 * MVCOS, which TCG has for supervisor state only. Linux copies from and to user space with it.
 */
#include <linux/minmax.h>
#include "apsie.h"

#define APSIE_MVCOS_MAX		4096

/* Operand access control: the space, if its validity bit is on */
static unsigned long apsie_operand_space(const struct apsie_vcpu *self, unsigned long control)
{
	return control & 1 ? (control >> 6 & 3) << 46 : self->psw.mask & PSW_MASK_ASC;
}

static int apsie_mvcos_part(struct apsie_vcpu *self, const unsigned long *space,
			    unsigned long to, unsigned long from, size_t len, bool copy)
{
	unsigned long target, source;
	int rc;

	rc = apsie_find(self, space[1], from, false, &source);
	if (!rc)
		rc = apsie_find(self, space[0], to, true, &target);
	if (!rc && copy)
		memcpy((void *)target, (void *)source, len);
	return rc;
}

static size_t apsie_mvcos_room(unsigned long to, unsigned long from, size_t len)
{
	return min3(len, PAGE_SIZE - offset_in_page(to), PAGE_SIZE - offset_in_page(from));
}

static int apsie_mvcos_pass(struct apsie_vcpu *self, const unsigned long *space, size_t len,
			    bool copy)
{
	unsigned long to = self->insn.addr;
	unsigned long from = apsie_wrap(self, self->insn.text[2] & 0xfff);
	size_t part;
	int rc;

	if (self->insn.text[2] >> 12)
		from = apsie_wrap(self, from + self->gprs[self->insn.text[2] >> 12]);
	for (; len; len -= part) {
		part = apsie_mvcos_room(to, from, len);
		rc = apsie_mvcos_part(self, space, to, from, part, copy);
		if (rc)
			return rc;
		to = apsie_wrap(self, to + part);
		from = apsie_wrap(self, from + part);
	}
	return 0;
}

/**
 * apsie_mvcos() - MOVE WITH OPTIONAL SPECIFICATIONS
 * @self: the guest CPU
 *
 * All of both operands is looked at before the first byte is stored. Keys are not modelled.
 *
 * Context: vm->lock is held.
 * Return: as apsie_find().
 */
int apsie_mvcos(struct apsie_vcpu *self)
{
	unsigned long space[] = {
		apsie_operand_space(self, self->gprs[0] >> 16),
		apsie_operand_space(self, self->gprs[0]),
	};
	size_t len = min_t(size_t, self->gprs[self->insn.r1], APSIE_MVCOS_MAX);
	unsigned int cc = self->gprs[self->insn.r1] > APSIE_MVCOS_MAX ? 3 : 0;
	int rc;

	rc = apsie_mvcos_pass(self, space, len, false);
	if (!rc)
		rc = apsie_mvcos_pass(self, space, len, true);
	if (!rc)
		apsie_set_cc(self, cc);
	return rc;
}
EXPORT_SYMBOL_GPL(apsie_mvcos);
