/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the SIE instruction of __sie64a went. On arrival everything is as SIE
 * would find it: general registers 0-13 are the guest's, the primary address
 * space is the guest's, the thread is marked as "in SIE", interrupts are on.
 *
 * An interrupt that hits the first instruction is handled by the entry code as
 * one that hit SIE: it goes on behind SIE, and never comes back here. From that
 * instruction on interrupts are off, until the PSW is loaded that goes on behind
 * SIE. So nobody can be in this module, or below it on a stack, whom
 * stop_machine() does not wait for; that is what makes unloading safe.
 *
 * The frame of __sie64a has an unused last doubleword (apsie_exec.c checks that);
 * STNSM stores the old mask there. It must be stored without touching a register,
 * because none is free.
 */
#include <linux/linkage.h>
#include <linux/version.h>
#include <asm/asm-offsets.h>
#include <asm/alternative.h>
#include <asm/lowcore.h>
#include <asm/ptrace.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
#define HOST_ASCE	__LC_USER_ASCE
#else
#define HOST_ASCE	__LC_KERNEL_ASCE
#endif

#define FRAME_PSW	(STACK_FRAME_OVERHEAD + 16 * 8)
#define FRAME_SIZE	(FRAME_PSW + 16)

	.text
SYM_CODE_START(apsie_trampoline)
	stnsm	__SF_EMPTY+8*8(%r15),0xfc	# no I/O, no external
	GET_LC	%r14
	lctlg	%c1,%c1,HOST_ASCE(%r14)
	lg	%r14,__LC_CURRENT(%r14)
	mvi	__TI_sie(%r14),0
	lgr	%r14,%r15
	aghi	%r15,-FRAME_SIZE
	stg	%r14,__SF_BACKCHAIN(%r15)
	stmg	%r0,%r13,STACK_FRAME_OVERHEAD(%r15)
	la	%r2,STACK_FRAME_OVERHEAD(%r15)
	lgr	%r3,%r14
	brasl	%r14,apsie_execute
	lmg	%r0,%r13,STACK_FRAME_OVERHEAD(%r15)
	la	%r14,FRAME_PSW(%r15)
	la	%r15,FRAME_SIZE(%r15)
	lpswe	0(%r14)				# behind SIE, interrupts on
SYM_CODE_END(apsie_trampoline)
