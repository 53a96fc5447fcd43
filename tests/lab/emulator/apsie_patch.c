// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two instructions do not trap in problem state and tell the guest the truth: EPSW about the
 * problem state, STFLE about the host's facilities. When a page of a guest's kernel is executed
 * for the first time, they are replaced, in the guest's memory, by operation codes that no
 * instruction has.
 */
#include "apsie.h"

#define APSIE_EPSW	0xb98d
#define APSIE_STFLE	0xb2b0
#define APSIE_HALFWORDS	(PAGE_SIZE / sizeof(u16))

/* Register fields in the last byte and nothing else. */
static bool apsie_is_epsw(const u16 *text)
{
	return text[0] == APSIE_EPSW && !(text[1] & 0xff00);
}

/*
 * The two bytes are also base register 11 and displacement 0x2b0. They cannot be inside of an
 * instruction if the halfword before is one of two bytes, and not in the middle of one of six.
 */
static bool apsie_is_stfle(const u16 *text)
{
	return text[0] == APSIE_STFLE && text[1] >> 12 && apsie_length(text[-1]) == 2 &&
	       apsie_length(text[-2]) != 6;
}

/**
 * apsie_patch() - replace EPSW and STFLE in a page of instructions
 * @page: the page
 *
 * Context: vm->lock is held.
 * Return: how many were replaced.
 */
unsigned int apsie_patch(u16 *page)
{
	unsigned int n, count = 0;

	for (n = 0; n < APSIE_HALFWORDS - 1; n++) {
		if (apsie_is_epsw(page + n)) {
			page[n] = APSIE_OPCODE_EPSW;
			count++;
		} else if (n >= 2 && apsie_is_stfle(page + n)) {
			page[n] = APSIE_OPCODE_STFLE;
			count++;
		}
	}
	return count;
}
EXPORT_SYMBOL_GPL(apsie_patch);

/**
 * apsie_stfle() - STORE FACILITY LIST EXTENDED: the facilities of the guest's CPU model
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 * Return: as apsie_find().
 */
int apsie_stfle(struct apsie_vcpu *self)
{
	struct kvm *kvm = self->vm->kvm;
	unsigned int wanted = (self->gprs[0] & 0xff) + 1, have = 4, n;
	u64 list[4];
	int rc;

	for (n = 0; n < have; n++)
		list[n] = kvm->arch.model.fac_list[n] & kvm->arch.model.fac_mask[n];
	while (have > 1 && !list[have - 1])
		have--;
	rc = apsie_write(self, self->insn.addr, list, 8 * min(wanted, have));
	if (rc)
		return rc;
	self->gprs[0] = (self->gprs[0] & ~0xffUL) | (have - 1);
	apsie_set_cc(self, wanted < have ? 3 : 0);
	return 0;
}
