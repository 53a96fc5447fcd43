/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest.S - a guest for a real QEMU of a few instructions: it asks for the state of two queues for ever
 *
 * Loaded with -kernel, linked to 0x10000. The results are words in guest memory, where the test looks for them through the monitor:
 *
 *   0x3000  status word of TAPQ for 05.0004      0x3008  the same for 03.0004
 *   0x3010  status word of AQIC for 05.0004: enable, notification byte at 0x4000, ISC 3; again each round until it is answered 00
 *   0x3018  rounds so far
 */
	.text
constants:
	.quad	0x0000000000000504
	.quad	0x0000000000000304
	.quad	0x0000000003000504
	.quad	0x0000800000000003

	.globl	_start
_start:
	lghi	%r8, 0
	lghi	%r7, 0
	lghi	%r3, 0x3000
	lgfi	%r9, 0x10000

again:
	cghi	%r7, 1
	je	enabled
	lg	%r0, 16(%r9)
	lg	%r1, 24(%r9)
	lghi	%r2, 0x4000
	.insn	rre, 0xb2af0000, %r0, %r0
	stg	%r1, 16(%r3)
	/* Condition code 3 stands for every response code but 00. */
	jo	enabled
	lghi	%r7, 1
enabled:
	lg	%r0, 0(%r9)
	.insn	rre, 0xb2af0000, %r0, %r0
	stg	%r1, 0(%r3)
	lg	%r0, 8(%r9)
	.insn	rre, 0xb2af0000, %r0, %r0
	stg	%r1, 8(%r3)
	aghi	%r8, 1
	stg	%r8, 24(%r3)
	j	again
