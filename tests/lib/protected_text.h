/* SPDX-License-Identifier: GPL-2.0-only */
/* protected_text - the program that runs in a protected guest, for protected.c only */
#ifndef VFIO_AP_TESTS_PROTECTED_TEXT_H
#define VFIO_AP_TESTS_PROTECTED_TEXT_H

/*
 * It shares the mailbox at 0x12000. Then, again and again: DIAGNOSE 501 leads to the VMM; the registers
 * come from the mailbox; GR13 leads to one instruction; the registers go to the mailbox.
 */
asm(".pushsection .rodata\n"
	"	.balign	8\n"
	"protected_text:\n"
	"	lgfi	2,0x11000\n"
	"	.insn	rre,0xb9a40000,0,2\n"
	"protected_ready:\n"
	"	.long	0x83000501\n"
	"	lmg	0,15,0x12000\n"
	"	br	13\n"
	"protected_pqap:\n"
	"	.long	0xb2af0000\n"
	"	j	protected_done\n"
	"protected_nqap:\n"
	"	.long	0xb2ad0046\n"
	"	j	protected_done\n"
	"protected_dqap:\n"
	"	.long	0xb2ae0046\n"
	"	j	protected_done\n"
	"protected_uvc:\n"
	"	.insn	rre,0xb9a40000,0,2\n"
	"	j	protected_done\n"
	"protected_fetch:\n"
	"	lg	5,0(4)\n"
	"	j	protected_done\n"
	"protected_wait:\n"
	"	.long	0xb2b20800\n"
	"protected_done:\n"
	"	ipm	14\n"
	"	lghi	15,0\n"
	"	j	protected_leave\n"
	"protected_interrupted:\n"
	"	lghi	15,1\n"
	"	j	protected_leave\n"
	"protected_program:\n"
	"	lghi	15,2\n"
	"	j	protected_leave\n"
	"protected_lost:\n"
	"	lghi	15,4\n"
	"protected_leave:\n"
	"	llgf	12,0x8c\n"
	"	llgf	11,0xc0\n"
	"	stmg	0,15,0x12000\n"
	"	j	protected_ready\n"
	"protected_end:\n"
	".popsection\n");

extern const char protected_text[], protected_pqap[], protected_nqap[], protected_dqap[];
extern const char protected_uvc[], protected_fetch[], protected_wait[];
extern const char protected_interrupted[], protected_program[], protected_lost[], protected_end[];

#endif
