// SPDX-License-Identifier: GPL-2.0-only
/*
 * A handful of plain instructions, so that a guest can loop, count, load and store
 * between its AP instructions without leaving KVM_RUN. What is not here is an
 * instruction interception.
 */
#include <linux/overflow.h>
#include "apsie.h"

static unsigned int apsie_cc(const struct apsie_cpu *cpu)
{
	return cpu->block->gpsw.mask >> 44 & 3;
}

static void apsie_set_cc(struct apsie_cpu *cpu, unsigned int cc)
{
	cpu->block->gpsw.mask = (cpu->block->gpsw.mask & ~PSW_MASK_CC) |
				(unsigned long)cc << 44;
}

static unsigned int apsie_sign(s64 value)
{
	return !value ? 0 : value < 0 ? 1 : 2;
}

/* Base, index and 20-bit displacement of an RXY instruction. */
static unsigned long apsie_operand(const struct apsie_cpu *cpu,
				   const unsigned long *gprs, const u16 *text)
{
	unsigned int index = text[0] & 0xf, base = text[1] >> 12;
	long displacement = (long)(s8)(text[2] >> 8) * 4096 +
			    (text[1] & 0xfff);

	return apsie_wrap(cpu, displacement + (index ? gprs[index] : 0) +
				       (base ? gprs[base] : 0));
}

static bool apsie_taken(const struct apsie_cpu *cpu, unsigned int mask)
{
	return mask & (8 >> apsie_cc(cpu));
}

/**
 * apsie_plain() - execute a plain instruction
 * @cpu: the guest CPU
 * @gprs: its sixteen general registers
 * @text: the instruction
 * @next: where it continues; set to behind the instruction by the caller, and
 *	  changed by branches
 *
 * Context: Any; does not sleep.
 * Return: 0; -EOPNOTSUPP if it is none of ours; -EFAULT if its operand was not
 *	   there.
 */
int apsie_plain(struct apsie_cpu *cpu, unsigned long *gprs, const u16 *text,
		unsigned long *next)
{
	unsigned long here = cpu->block->gpsw.addr;
	unsigned int r1 = text[0] >> 4 & 0xf, r2 = text[0] & 0xf;
	s32 wide = (s32)((u32)text[1] << 16 | text[2]);
	s16 narrow = text[1];
	s64 value = gprs[r1];

	switch (text[0] & 0xff0f) {
	case 0xa704: /* BRC */
		if (apsie_taken(cpu, r1))
			*next = apsie_wrap(cpu, here + narrow * 2);
		return 0;
	case 0xa709: /* LGHI */
		gprs[r1] = narrow;
		return 0;
	case 0xa70b: /* AGHI */
		if (check_add_overflow(value, (s64)narrow, (s64 *)&gprs[r1]))
			apsie_set_cc(cpu, 3);
		else
			apsie_set_cc(cpu, apsie_sign(gprs[r1]));
		return 0;
	case 0xa70f: /* CGHI */
		apsie_set_cc(cpu, value == narrow ? 0 : value < narrow ? 1 : 2);
		return 0;
	case 0xc001: /* LGFI */
		gprs[r1] = wide;
		return 0;
	case 0xc004: /* BRCL */
		if (apsie_taken(cpu, r1))
			*next = apsie_wrap(cpu, here + wide * 2L);
		return 0;
	}
	switch (text[0] >> 8) {
	case 0x07: /* BCR */
		if (r2 && apsie_taken(cpu, r1))
			*next = apsie_wrap(cpu, gprs[r2]);
		return 0;
	case 0xb9: /* LGR */
		if (text[0] != 0xb904)
			return -EOPNOTSUPP;
		gprs[text[1] >> 4 & 0xf] = gprs[text[1] & 0xf];
		return 0;
	case 0xe3: /* LG, STG */
		if ((text[2] & 0xff) == 0x04)
			return apsie_read(cpu, &gprs[r1],
					  apsie_operand(cpu, gprs, text), 8);
		if ((text[2] & 0xff) == 0x24)
			return apsie_write(cpu,
					   apsie_operand(cpu, gprs, text),
					   &gprs[r1], 8);
		return -EOPNOTSUPP;
	}
	return -EOPNOTSUPP;
}
