// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an instruction is, and where its operands are.
 */
#include "apsie.h"

#define APSIE_EX	0x4400
#define APSIE_EXRL	0xc600

/**
 * apsie_key() - the opcode, whatever its place in the instruction
 * @text: the instruction
 *
 * Context: Any.
 * Return: One byte and zeros; the first two bytes; or, of formats with an extended opcode, the
 *	   first byte and that one.
 */
u16 apsie_key(const u16 *text)
{
	switch (text[0] >> 8) {
	case 0x01:
	case 0xb2:
	case 0xb9:
	case 0xe5:
		return text[0];
	case 0xe3:
	case 0xeb:
		return (text[0] & 0xff00) | (text[2] & 0xff);
	case 0xc6:
	case 0xc8:
		return text[0] & 0xff0f;
	default:
		return text[0] & 0xff00;
	}
}
EXPORT_SYMBOL_GPL(apsie_key);

/**
 * apsie_length() - the length of an instruction
 * @first: its first halfword
 *
 * Context: Any.
 * Return: 2, 4 or 6.
 */
unsigned int apsie_length(u16 first)
{
	return first >> 14 == 0 ? 2 : first >> 14 == 3 ? 6 : 4;
}
EXPORT_SYMBOL_GPL(apsie_length);

static unsigned long apsie_base(const struct apsie_vcpu *self, unsigned int r)
{
	return r ? self->gprs[r] : 0;
}

/* Base and displacement of 12 bits in a halfword, or of 20 bits with the one behind it. */
static unsigned long apsie_address(const struct apsie_vcpu *self, u16 first, long high)
{
	return apsie_base(self, first >> 12) + (first & 0xfff) + high;
}

/**
 * apsie_decode() - take the instruction in @self->insn.text apart
 * @self: the guest CPU
 *
 * Context: Any.
 */
void apsie_decode(struct apsie_vcpu *self)
{
	struct apsie_insn *insn = &self->insn;
	const u16 *text = insn->text;
	long high = 0, index = 0;

	insn->key = apsie_key(text);
	insn->r3 = 0;
	switch (text[0] >> 8) {
	case 0xb2:
	case 0xb9:
		insn->r1 = text[1] >> 4 & 0xf;
		insn->r2 = text[1] & 0xf;
		insn->r3 = text[1] >> 12;
		break;
	default:
		insn->r1 = text[0] >> 4 & 0xf;
		insn->r2 = text[0] & 0xf;
	}
	switch (text[0] >> 8) {
	case 0x44:
	case 0xb1:
		index = apsie_base(self, insn->r2);
		break;
	case 0xe3:
		index = apsie_base(self, insn->r2);
		fallthrough;
	case 0xeb:
		high = (long)(s8)(text[2] >> 8) * 4096;
	}
	insn->addr = apsie_wrap(self, apsie_address(self, text[1], high) + index);
}
EXPORT_SYMBOL_GPL(apsie_decode);

/**
 * apsie_decode_execute() - if it is an EXECUTE, replace the instruction by its target
 * @self: the guest CPU; @insn.length stays that of the EXECUTE
 *
 * Context: vm->lock is held.
 * Return: as apsie_find().
 */
int apsie_decode_execute(struct apsie_vcpu *self)
{
	struct apsie_insn *insn = &self->insn;
	unsigned long target = insn->addr;
	unsigned int r1 = insn->r1;
	int rc;

	if (insn->key == APSIE_EXRL)
		target = apsie_wrap(self, self->psw.addr - 6 +
					  (s32)((u32)insn->text[1] << 16 | insn->text[2]) * 2L);
	else if (insn->key != APSIE_EX)
		return 0;
	rc = apsie_fetch(self, target, insn->text, 2);
	if (!rc)
		rc = apsie_fetch(self, target, insn->text, apsie_length(insn->text[0]));
	if (rc)
		return rc;
	if (r1)
		insn->text[0] |= self->gprs[r1] & 0xff;
	apsie_decode(self);
	return insn->key == APSIE_EX || insn->key == APSIE_EXRL ? APSIE_PGM_EXECUTE : 0;
}
