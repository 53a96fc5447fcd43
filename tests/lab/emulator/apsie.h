/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map of the SIE emulator.
 *
 * A guest CPU runs natively, in problem state, with shadow page tables in CR1 and CR7 and
 * with new PSWs of the host's lowcore that lead here. What traps is emulated, handed to KVM as an
 * interception, delivered to the guest, or handed over to the host's own interrupt handlers.
 */
#ifndef APSIE_H
#define APSIE_H

#include <linux/kvm_host.h>
#include <linux/mmu_notifier.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <asm/ptrace.h>
#include <asm/stacktrace.h>
#include "apemu.h"

struct apuv_cpu;

/* Program interruption codes beside those of apemu.h */
#define APSIE_PGM_EXECUTE	0x03
#define APSIE_PGM_PROTECTION	0x04
#define APSIE_PGM_DATA		0x07
#define APSIE_PGM_SEGMENT	0x10
#define APSIE_PGM_PAGE		0x11
#define APSIE_PGM_TRANSLATION	0x12
#define APSIE_PGM_SPECIAL	0x13
#define APSIE_PGM_VECTOR	0x1b
#define APSIE_PGM_ASCE_TYPE	0x38
#define APSIE_PGM_REGION_1	0x39
#define APSIE_PGM_REGION_2	0x3a
#define APSIE_PGM_REGION_3	0x3b
#define APSIE_PGM_MONITOR	0x40

/* Bits of table entries and ASCEs, as the architecture has them for all three */
#define APSIE_ORIGIN		(~0xfffUL)
#define APSIE_PAGE_ORIGIN	(~0x7ffUL)	/* of a page table, in a segment table entry */
#define APSIE_TYPE(entry)	((entry) >> 2 & 3)	/* 0 segment, 3 region first */
#define APSIE_LENGTH(entry)	((entry) & 3)
#define APSIE_OFFSET(entry)	((entry) >> 6 & 3)
#define APSIE_ASCE_REAL		0x020UL
#define APSIE_ASCE_PRIVATE	0x100UL
#define APSIE_TABLE_INVALID	0x020UL
#define APSIE_TABLE_FRAME	0x400UL		/* of a segment or region third entry */
#define APSIE_PAGE_INVALID	0x400UL
#define APSIE_PAGE_RESERVED	0x800UL
#define APSIE_PROTECT		0x200UL
#define APSIE_NO_EXECUTE	0x100UL

#define APSIE_TABLE_ENTRIES	2048
#define APSIE_PAGE_ENTRIES	256

#define APSIE_CR0_IEP		0x100000UL	/* instruction execution protection */

/* Translation-exception identification */
#define APSIE_TEID_STORE	0x400UL
#define APSIE_TEID_FETCH	0x800UL
#define APSIE_TEID_PROTECTION	0x004UL
#define APSIE_TEID_EXECUTE	0x084UL
#define APSIE_TEID_SPACE	0x003UL

#define APSIE_PREFIX_SIZE	(2 * PAGE_SIZE)

/* Both are translations of one page; see apsie_memory.c. */
#define APSIE_CACHE		64

#define APSIE_ROOTS		64
#define APSIE_VCPUS		8

/**
 * struct apsie_frame - what the trampoline saves, and what the stubs need; its layout
 *			is known to apsie_trampoline.S
 * @gprs: of the guest; 14 and 15 live in the SIE block
 * @resume: the PSW behind the SIE instruction
 * @sp: host stack pointer while the guest runs
 * @handover: the host's new PSW for the interrupt that has come
 * @self: the guest CPU
 */
struct apsie_frame {
	unsigned long gprs[16];
	psw_t resume;
	unsigned long sp;
	psw_t handover;
	struct apsie_vcpu *self;
};

/**
 * struct apsie_root - the top of a shadow translation
 * @asce: the guest's address-space-control element
 * @prefix: the prefix that it was filled with
 * @real: it stands for "DAT off", not for @asce
 * @table: host virtual address, NULL if the root is unused
 * @type: of the table, 0 to 3
 * @used: time of the last use
 */
struct apsie_root {
	unsigned long asce;
	unsigned long prefix;
	bool real;
	unsigned long *table;
	unsigned int type;
	u64 used;
};

/**
 * struct apsie_shadow - the shadow tables of a VM
 * @roots: all of them
 * @time: grows with every use of a root
 * @generation: grows whenever a translation or a root becomes invalid
 * @blocks: free blocks of 16 KiB, linked by their first word
 * @pages: free page tables of 2 KiB, linked by their first word
 * @free: number of @blocks
 * @total: number of blocks that were allocated
 */
struct apsie_shadow {
	struct apsie_root roots[APSIE_ROOTS];
	u64 time;
	u64 generation;
	unsigned long *blocks;
	unsigned long *pages;
	unsigned int free;
	unsigned int total;
};

/**
 * struct apsie_vm - a VM
 * @node: in the table of all VMs
 * @kvm: KVM's object; NULL in the unit tests
 * @release: frees it after KVM's object is gone
 * @notifier: follows what the host does with the memory
 * @lock: protects the members below, and serializes the emulation of its vCPUs
 * @memory: kernel address of each guest absolute page, 0 if not known
 * @frames: size of @memory
 * @slots: generation of the memory slots that @memory was made for
 * @destroyed: KVM destroys the VM; nothing of KVM may be used any more
 * @invalidating: number of invalidations of the host that are in progress
 * @shadow: its shadow tables
 * @vcpus: its vCPUs
 * @growing: the shadow tables need more blocks
 * @pv_generation: of the pages of the ultravisor that @memory was made for
 */
struct apsie_vm {
	struct hlist_node node;
	struct kvm *kvm;
	struct work_struct release;
	struct mmu_notifier notifier;
	arch_spinlock_t lock;
	unsigned long *memory;
	unsigned long frames;
	u64 slots;
	bool destroyed;
	unsigned int invalidating;
	struct apsie_shadow shadow;
	struct apsie_vcpu *vcpus[APSIE_VCPUS];
	bool growing;
	u64 pv_generation;
};

/**
 * struct apsie_insn - an instruction that trapped
 * @text: up to three halfwords
 * @length: in bytes, of the instruction or of the EXECUTE that led to it
 * @key: the opcode, see apsie_key()
 * @r1: first register field
 * @r2: second register field of a register instruction, third of a storage instruction
 * @r3: third register field of a register instruction
 * @addr: of the storage operand
 */
struct apsie_insn {
	u16 text[3];
	u8 length;
	u16 key;
	u8 r1;
	u8 r2;
	u8 r3;
	unsigned long addr;
};

/**
 * struct apsie_cached - a translation that was used lately
 * @asce: where from
 * @prefix: where from
 * @page: virtual page
 * @generation: of the shadow when it was found
 * @host: kernel address, 0 if unused
 * @store: the guest may store
 * @real: DAT was off
 */
struct apsie_cached {
	unsigned long asce;
	unsigned long prefix;
	unsigned long page;
	u64 generation;
	unsigned long host;
	bool store;
	bool real;
};

/**
 * struct apsie_walked - what a walk through the guest's tables found
 * @real: the guest real address
 * @protect: the guest may not store
 * @no_execute: the guest may not fetch instructions
 */
struct apsie_walked {
	unsigned long real;
	bool protect;
	bool no_execute;
};

enum apsie_missing {
	APSIE_NOTHING,		/* nothing is missing */
	APSIE_FAULT,		/* a page that KVM has to fault in */
	APSIE_RETRY,		/* try again, after KVM had a look */
};

/**
 * struct apsie_vcpu - a guest CPU
 * @vm: its VM
 * @vcpu: KVM's object; NULL in the unit tests
 * @block: its SIE block
 * @gprs: its general registers
 * @pv: its registers while it is not in here, if the guest is protected
 * @psw: its PSW, while it is in here
 * @prefix: its prefix
 * @entered: TOD clock when the CPU timer in the SIE block was right
 * @teid: of the exception that an access ended with
 * @missing: what an access found missing
 * @fault: guest absolute address of the page that was not there
 * @fault_code: program interruption code for the host; 0 if the page is just missing
 * @icpt: interception code to leave with
 * @leave: leave SIE, whatever @icpt is
 * @why: why the guest gets nowhere, NULL as long as it does get somewhere
 * @what: a number that goes with it
 * @insn: the instruction in work
 * @ap_rc: how an access of an AP instruction ended
 * @fetched: translations for instructions
 * @accessed: translations for operands
 * @cpu: host CPU that it runs on
 * @in_guest: it runs natively: nobody may change tables that it uses
 * @purge: the TLB has entries that are not true any more
 * @kick: takes it out of the guest
 * @asce: CR1 and CR7 that are loaded, 0 if they are the host's
 * @host_asce: CR1 and CR7 of the host
 * @host_psw: new PSWs of the host: program, external, supervisor call, I/O
 * @last: address of the last program interruption
 * @last_code: its code
 * @same: how often it was the same
 * @last_fault: guest page of the last host fault or fill
 * @same_fault: how often it was the same
 */
struct apsie_vcpu {
	struct apsie_vm *vm;
	struct kvm_vcpu *vcpu;
	struct kvm_s390_sie_block *block;
	unsigned long *gprs;
	struct apuv_cpu *pv;
	psw_t psw;
	unsigned long prefix;
	unsigned long entered;
	unsigned long teid;
	enum apsie_missing missing;
	unsigned long fault;
	unsigned int fault_code;
	u8 icpt;
	bool leave;
	const char *why;
	unsigned long what;
	struct apsie_insn insn;
	int ap_rc;
	struct apsie_cached fetched[APSIE_CACHE];
	struct apsie_cached accessed[APSIE_CACHE];
	int cpu;
	bool in_guest;
	bool purge;
	call_single_data_t kick;
	unsigned long asce[2];
	unsigned long host_asce[2];
	psw_t host_psw[4];
	unsigned long last;
	unsigned int last_code;
	unsigned int same;
	unsigned long last_fault;
	unsigned int same_fault;
};

/* apsie_trampoline.S */
extern const char apsie_trampoline[];
extern const char apsie_stub_pgm[], apsie_stub_ext[], apsie_stub_svc[], apsie_stub_io[];
extern const char apsie_after[];
void apsie_enter(struct apsie_frame *frame);

/* apsie_exec.c */
extern unsigned long apsie_resume;
extern struct kvm_vcpu *(*apsie_running_vcpu)(void);
extern atomic_t apsie_inside;
void apsie_execute(struct apsie_frame *frame, struct stack_frame *sie);
bool apsie_leaves(struct apsie_vcpu *self);
void apsie_stuck(struct apsie_vcpu *self, const char *why, unsigned long what);
void apsie_intercept(struct apsie_vcpu *self);

/* apsie_native.c */
enum apsie_trap { APSIE_TRAP_PGM, APSIE_TRAP_EXT, APSIE_TRAP_SVC, APSIE_TRAP_IO };
enum apsie_next { APSIE_RESUME, APSIE_LEAVE, APSIE_HANDOVER };
int apsie_native_init(void);
void apsie_native_exit(void);
void apsie_native(struct apsie_vcpu *self, struct apsie_frame *frame);
long apsie_trapped(enum apsie_trap trap, struct apsie_frame *frame);

/* apsie_trap.c */
void apsie_trap_program(struct apsie_vcpu *self, const struct lowcore *lowcore);
void apsie_trap_svc(struct apsie_vcpu *self, const struct lowcore *lowcore);
int apsie_fetch(struct apsie_vcpu *self, unsigned long addr, u16 *text, unsigned int length);

/* apsie_deliver.c */
bool apsie_psw_valid(const psw_t *psw);
int apsie_deliver_program(struct apsie_vcpu *self, unsigned int code, unsigned int length);
int apsie_deliver_svc(struct apsie_vcpu *self, u32 code);
void apsie_deliver_bad_psw(struct apsie_vcpu *self);
bool apsie_lowcore_there(struct apsie_vcpu *self);
void *apsie_lowcore_at(struct apsie_vcpu *self, unsigned long offset);

/* apsie_walk.c */
int apsie_walk(struct apsie_vcpu *self, unsigned long asce, unsigned long addr,
	       struct apsie_walked *walked);

/* apsie_shadow.c */
int apsie_shadow_grow(struct apsie_vm *vm, unsigned int blocks);
void apsie_shadow_free(struct apsie_vm *vm);
bool apsie_shadow_ready(struct apsie_vcpu *self);
struct apsie_root *apsie_shadow_root(struct apsie_vcpu *self, unsigned long asce, bool real);
unsigned long apsie_shadow_asce(const struct apsie_root *root);
void apsie_shadow_fill(struct apsie_vcpu *self, struct apsie_root *root, unsigned long addr,
		       unsigned long entry);
unsigned long apsie_shadow_entry(const struct apsie_root *root, unsigned long addr);
void apsie_shadow_zap(struct apsie_vcpu *self, unsigned long addr);
void apsie_shadow_forget(struct apsie_vcpu *self, unsigned long asce);
void apsie_shadow_forget_all(struct apsie_vm *vm, struct apsie_vcpu *self);

/* apsie_memory.c */
int apsie_memory_frames(struct apsie_vm *vm);
bool apsie_memory_changed(struct apsie_vm *vm);
bool apsie_memory_drop(struct apsie_vm *vm, unsigned long start, unsigned long end);
unsigned long apsie_memory_host(struct apsie_vcpu *self, unsigned long real);
unsigned long apsie_wrap(const struct apsie_vcpu *self, unsigned long addr);
unsigned long apsie_space_asce(const struct apsie_vcpu *self, unsigned long space);
unsigned long apsie_teid(unsigned long addr, unsigned long space, bool store);
int apsie_find(struct apsie_vcpu *self, unsigned long space, unsigned long addr, bool store,
	       unsigned long *host);
int apsie_read(struct apsie_vcpu *self, void *to, unsigned long addr, size_t len);
int apsie_write(struct apsie_vcpu *self, unsigned long addr, const void *from, size_t len);

/* apsie_decode.c */
u16 apsie_key(const u16 *text);
unsigned int apsie_length(u16 first);
void apsie_decode(struct apsie_vcpu *self);
int apsie_decode_execute(struct apsie_vcpu *self);

/* apsie_priv.c */
int apsie_priv(struct apsie_vcpu *self);
int apsie_epsw(struct apsie_vcpu *self);
void apsie_set_cc(struct apsie_vcpu *self, unsigned int cc);

/* apsie_tlb.c */
int apsie_ipte(struct apsie_vcpu *self);
int apsie_idte(struct apsie_vcpu *self);
int apsie_crdte(struct apsie_vcpu *self);
int apsie_csp(struct apsie_vcpu *self);
int apsie_cspg(struct apsie_vcpu *self);
int apsie_ptlb(struct apsie_vcpu *self);

/* apsie_move.c */
int apsie_mvcos(struct apsie_vcpu *self);

/* apsie_patch.c */
#define APSIE_OPCODE_EPSW	0xb98c	/* what EPSW is replaced by */
#define APSIE_OPCODE_STFLE	0xb2fe	/* what STFLE is replaced by */
unsigned int apsie_patch(u16 *page);
int apsie_stfle(struct apsie_vcpu *self);

/* apsie_ap.c */
int apsie_ap(struct apsie_vcpu *self);
bool apsie_facility(struct kvm *kvm, unsigned long nr);

/* apsie_pv.c */
struct apuv_cpu *apsie_pv_cpu(const struct kvm_s390_sie_block *block);
void apsie_pv_begin(struct apsie_vcpu *self);
void apsie_pv_end(struct apsie_vcpu *self);
void apsie_pv_inject(struct apsie_vcpu *self);
bool apsie_pv_access(struct apsie_vcpu *self, unsigned long frame, unsigned long host);
void apsie_pv_changed(struct apsie_vcpu *self);
bool apsie_pv_may_ap(const struct apsie_vcpu *self, unsigned int function);
u64 apsie_pv_handle(const struct apsie_vcpu *self);
int apsie_uvc(struct apsie_vcpu *self);

/* apsie_vm.c */
int apsie_vm_init(void);
void apsie_vm_exit(void);
struct apsie_vcpu *apsie_vcpu_find(struct kvm_vcpu *vcpu);
int apsie_vcpu_prepare(struct kvm_vcpu *vcpu);
bool apsie_vcpu_ready(struct apsie_vcpu *self);
void apsie_vm_stop(struct apsie_vm *vm, struct apsie_vcpu *self);

/* apsie_main.c */
void *apsie_lookup(const char *name);

/* apsie_watch.c */
enum apsie_count {
	APSIE_COUNT_ENTRIES,
	APSIE_COUNT_NATIVE_NS,
	APSIE_COUNT_PROGRAM,
	APSIE_COUNT_SVC,
	APSIE_COUNT_HANDOVER,
	APSIE_COUNT_DELIVERED,
	APSIE_COUNT_FILL,
	APSIE_COUNT_FORGET,
	APSIE_COUNT_ZAP,
	APSIE_COUNT_FAULT,
	APSIE_COUNT_KICK,
	APSIE_COUNT_INVALIDATE,
	APSIE_COUNT_PATCHED,
	APSIE_COUNTS
};

void apsie_watch_init(void);
void apsie_watch_exit(void);
void apsie_watch_trap(const struct apsie_vcpu *self, unsigned int code, unsigned long what);
void apsie_watch_opcode(u16 key);
void apsie_watch_exit_code(unsigned int icpt);
void apsie_count(enum apsie_count what, unsigned long by);

#endif
