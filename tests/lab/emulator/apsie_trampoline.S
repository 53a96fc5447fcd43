/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the SIE instruction of __sie64a went, and the ways into the guest and back.
 *
 * On arrival everything is as SIE would find it: general registers 0-13 are the guest's,
 * the primary address space is the guest's, the thread is marked as "in SIE",
 * interrupts are on.
 *
 * An interrupt that hits the first instruction is handled by the entry code as
 * one that hit SIE: it goes on behind SIE, and never comes back here. From that
 * instruction on interrupts are off, until apsie_execute() has counted this thread as
 * inside; and again from when it is not counted any more to the PSW that goes on behind
 * SIE. That is what makes unloading safe.
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

/* struct apsie_frame */
#define FRAME_PSW	(STACK_FRAME_OVERHEAD + 128)
#define FRAME_SIZE	(STACK_FRAME_OVERHEAD + 176)
#define FRAME_SP	144
#define FRAME_HANDOVER	152

/* What apsie_enter() saves: registers 6-15, and a place for a mask that nobody reads */
#define ENTER_GPRS	STACK_FRAME_OVERHEAD
#define ENTER_MASK	(ENTER_GPRS + 80)
#define ENTER_SIZE	(ENTER_GPRS + 88)

/* In the lowcore, see apsie_native.c */
#define LC_PGM		0x250
#define LC_PSW		0x260
#define LC_FRAME	0x270
#define LC_SAVE		0x200
#define LC_PGM_OLD	0x150

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

/* A program interruption of the host itself goes where it would have gone. */
SYM_CODE_START(apsie_stub_pgm)
	stmg	%r8,%r15,LC_SAVE(%r0)
	tm	LC_PGM_OLD+1(%r0),0x01		# problem state?
	jz	.Lhost
	lghi	%r8,0
	j	.Ltrapped
.Lhost:
	lmg	%r8,%r15,LC_SAVE(%r0)
	lpswe	LC_PGM(%r0)
SYM_CODE_END(apsie_stub_pgm)

	.macro STUB name,trap
SYM_CODE_START(\name)
	stmg	%r8,%r15,LC_SAVE(%r0)
	lghi	%r8,\trap
	j	.Ltrapped
SYM_CODE_END(\name)
	.endm

	STUB	apsie_stub_ext,1
	STUB	apsie_stub_svc,2
	STUB	apsie_stub_io,3

.Ltrapped:
	lg	%r13,LC_FRAME(%r0)
	stmg	%r0,%r7,0(%r13)
	mvc	64(64,%r13),LC_SAVE(%r0)
	lg	%r15,FRAME_SP(%r13)
	lgr	%r2,%r8
	lgr	%r3,%r13
	brasl	%r14,apsie_trapped		# keeps %r13
	cghi	%r2,1
	jl	.Lresume
	je	apsie_after
	lpswe	FRAME_HANDOVER(%r13)		# comes back to apsie_after

/*
 * void apsie_enter(struct apsie_frame *frame): into the guest; returns when SIE has to be
 * left
 */
SYM_CODE_START(apsie_enter)
	lgr	%r1,%r15
	aghi	%r15,-ENTER_SIZE
	stg	%r1,__SF_BACKCHAIN(%r15)
	stmg	%r6,%r14,ENTER_GPRS(%r15)
	stg	%r1,ENTER_GPRS+72(%r15)
	stg	%r15,FRAME_SP(%r2)
	lgr	%r13,%r2
.Lresume:
	lmg	%r0,%r15,0(%r13)
	lpswe	LC_PSW(%r0)
SYM_CODE_END(apsie_enter)

SYM_CODE_START(apsie_after)
	stnsm	ENTER_MASK(%r15),0xfc
	lmg	%r6,%r15,ENTER_GPRS(%r15)
	br	%r14
SYM_CODE_END(apsie_after)
