/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map of the SIE emulator.
 */
#ifndef APSIE_H
#define APSIE_H

#include <linux/kvm_host.h>
#include <asm/ptrace.h>
#include <asm/stacktrace.h>
#include "apemu.h"

/**
 * struct apsie_frame - what the trampoline saves, and where it goes on
 * @gprs: of the guest; 14 and 15 live in the SIE block
 * @resume: the PSW behind the SIE instruction
 */
struct apsie_frame {
	unsigned long gprs[16];
	psw_t resume;
};

/**
 * struct apsie_cpu - a guest CPU for the time of one instruction
 * @vcpu: the vCPU
 * @block: its SIE block
 * @fault: guest absolute address of a page that was not there
 * @store: it was to be stored into
 * @addressing: an address that the guest has no memory for
 */
struct apsie_cpu {
	struct kvm_vcpu *vcpu;
	struct kvm_s390_sie_block *block;
	unsigned long fault;
	bool store;
	bool addressing;
};

/* apsie_trampoline.S */
extern const char apsie_trampoline[];

/* apsie_exec.c */
extern unsigned long apsie_resume;
extern struct kvm_vcpu *(*apsie_running_vcpu)(void);
void apsie_execute(struct apsie_frame *frame, struct stack_frame *sie);

/* apsie_memory.c */
extern const struct apemu_memory apsie_memory;
unsigned long apsie_wrap(const struct apsie_cpu *cpu, unsigned long addr);
int apsie_read(struct apsie_cpu *cpu, void *to, unsigned long addr, size_t len);
int apsie_write(struct apsie_cpu *cpu, unsigned long addr, const void *from,
		size_t len);

/* apsie_plain.c */
int apsie_plain(struct apsie_cpu *cpu, unsigned long *gprs, const u16 *text,
		unsigned long *next);

#endif
