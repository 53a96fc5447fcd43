// SPDX-License-Identifier: GPL-2.0-only
/* guest - what a guest does: a few instructions, then out to the test with what it saw */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apqn.h"
#include "bounds.h"
#include "clock.h"
#include "file.h"
#include "guest.h"
#include "ktap.h"
#include "protected.h"

#define PSW_64BIT	0x0000000180000000UL
#define PSW_IO		0x0200000000000000UL
#define PSW_WAIT	0x0002000000000000UL

#define PROGRAM		0x10000UL
#define WAIT_PSW	0x800UL			/* within reach of a displacement from base 0 */

#define INSN_PQAP	0xb2af0000U
#define INSN_NQAP_4_6	0xb2ad0046U
#define INSN_DQAP_4_6	0xb2ae0046U
#define INSN_LPSWE_WAIT	(0xb2b20000U | WAIT_PSW)
#define INSN_DIAG_501	0x83000501U

#define AP_T_BIT	(1UL << 23)
#define AQIC_IR		(1UL << 47)

/* Old and new PSWs of the prefix area, and where each new one leads to. */
static const struct {
	unsigned int new_psw;
	unsigned long handler;
	enum guest_end end;
} interruptions[] = {
	{ 0x1a0, 0x11000, GUEST_LOST },			/* restart */
	{ 0x1b0, 0x11100, GUEST_LOST },			/* external */
	{ 0x1c0, 0x11200, GUEST_LOST },			/* supervisor call */
	{ 0x1d0, 0x11300, GUEST_PROGRAM_CHECK },
	{ 0x1e0, 0x11400, GUEST_LOST },			/* machine check */
	{ 0x1f0, 0x11500, GUEST_INTERRUPTED },		/* input/output */
};

static void put32(struct vm *vm, uint64_t address, uint32_t value)
{
	memcpy(vm->memory + address, &value, sizeof(value));
}

static void put64(struct vm *vm, uint64_t address, uint64_t value)
{
	memcpy(vm->memory + address, &value, sizeof(value));
}

static uint32_t get32(struct vm *vm, uint64_t address)
{
	uint32_t value;

	memcpy(&value, vm->memory + address, sizeof(value));
	return value;
}

uint8_t guest_byte(struct vm *vm, uint64_t address)
{
	return ((volatile uint8_t *)vm->memory)[address];
}

void guest_put_byte(struct vm *vm, uint64_t address, uint8_t value)
{
	vm->memory[address] = value;
}

const char *guest_end_name(enum guest_end end)
{
	static const char * const names[] = { "done", "interrupted", "program check", "asleep",
					      "lost" };

	return names[end];
}

static void set_up_lowcore(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(interruptions); i++) {
		put64(vm, interruptions[i].new_psw, PSW_64BIT);
		put64(vm, interruptions[i].new_psw + 8, interruptions[i].handler);
		put32(vm, interruptions[i].handler, INSN_DIAG_501);
	}
	put32(vm, 0xc0, 0);
	put64(vm, WAIT_PSW, PSW_64BIT | PSW_IO | PSW_WAIT);
	put64(vm, WAIT_PSW + 8, PROGRAM + 4);
}

static void prepare(struct vm *vm, uint32_t insn)
{
	if (vm->protected) {
		protected_prepare(vm, insn);
		return;
	}
	set_up_lowcore(vm);
	put32(vm, PROGRAM, insn);
	put32(vm, PROGRAM + 4, INSN_DIAG_501);
	vm->run->psw_mask = PSW_64BIT;
	vm->run->psw_addr = PROGRAM;
	vm->run->kvm_dirty_regs = KVM_SYNC_GPRS;
}

static enum guest_end where(const struct vm *vm)
{
	unsigned int i;

	if (vm->protected)
		return protected_where(vm);
	if (vm->run->exit_reason != KVM_EXIT_S390_SIEIC || vm->run->s390_sieic.ipa >> 8 != 0x83)
		return GUEST_LOST;
	if (vm->run->psw_addr == PROGRAM + 8)
		return GUEST_DONE;
	for (i = 0; i < ARRAY_SIZE(interruptions); i++)
		if (vm->run->psw_addr == interruptions[i].handler + 4)
			return interruptions[i].end;
	return GUEST_LOST;
}

static void tell_lost(const struct vm *vm, enum vm_exit left)
{
	const struct kvm_run *run = vm->run;

	ktap_diag("guest lost: KVM_RUN %d, exit %u, intercept %u", left, run->exit_reason,
		  run->s390_sieic.icptcode);
	ktap_diag("  instruction %04x %08x, PSW %llx %llx", run->s390_sieic.ipa,
		  run->s390_sieic.ipb,
		  (unsigned long long)run->psw_mask, (unsigned long long)run->psw_addr);
}

static struct guest_saw look(struct vm *vm, enum vm_exit left)
{
	struct guest_saw saw = { .end = GUEST_LOST };
	uint32_t status;

	memcpy(saw.gr, vm->run->s.regs.gprs, sizeof(saw.gr));
	if (left == VM_LEFT)
		saw.end = where(vm);
	else if (left == VM_TIMEOUT)
		saw.end = GUEST_ASLEEP;
	if (saw.end == GUEST_LOST)
		tell_lost(vm, left);

	status = saw.gr[1];
	saw.cc = vm->run->psw_mask >> 44 & 3;
	saw.rc = status >> 16 & 0xff;
	saw.empty = status & 0x80000000;
	saw.replies = status & 0x40000000;
	saw.full = status & 0x20000000;
	saw.ir = status & 0x01000000;
	saw.program_check = get32(vm, 0x8c) & 0xffff;
	saw.interruption = get32(vm, 0xc0);
	if (vm->protected) {
		saw.cc = saw.gr[14] >> 28 & 3;
		saw.program_check = protected_program_check(vm) & 0xffff;
		saw.interruption = protected_interruption(vm);
	}
	return saw;
}

static enum vm_exit run_for(struct vm *vm, unsigned int timeout_ms)
{
	return vm->protected ? protected_run(vm, timeout_ms) : vm_run(vm, timeout_ms);
}

static struct guest_saw run(struct vm *vm)
{
	return look(vm, run_for(vm, BOUND_EVENTUALLY_MS));
}

struct guest_saw guest_go(struct vm *vm)
{
	return run(vm);
}

static void prepare_pqap(struct vm *vm, uint64_t gr0, uint64_t gr1, uint64_t gr2)
{
	prepare(vm, INSN_PQAP);
	vm->run->s.regs.gprs[0] = gr0;
	vm->run->s.regs.gprs[1] = gr1;
	vm->run->s.regs.gprs[2] = gr2;
}

struct guest_saw guest_pqap(struct vm *vm, uint64_t gr0, uint64_t gr1, uint64_t gr2)
{
	prepare_pqap(vm, gr0, gr1, gr2);
	return run(vm);
}

struct guest_saw guest_tapq(struct vm *vm, int apqn)
{
	return guest_pqap(vm, apqn, 0, 0);
}

struct guest_saw guest_tapq_facilities(struct vm *vm, int apqn)
{
	return guest_pqap(vm, apqn | AP_T_BIT, 0, 0);
}

struct guest_saw guest_zapq(struct vm *vm, int apqn)
{
	return guest_pqap(vm, 2UL << 24 | apqn, 0, 0);
}

/*
 * Without a driver for the guest, KVM itself stores response 01 to the upper half of GR1 (a
 * status is 32 bits, GR1 has 64). The condition code tells the two apart: 3 with nothing in
 * the lower half.
 */
static struct guest_saw aqic_answer(struct guest_saw saw)
{
	if (saw.cc == 3 && !saw.rc)
		saw.rc = saw.gr[1] >> 48 & 0xff;
	return saw;
}

struct guest_saw guest_aqic_on(struct vm *vm, int apqn, uint64_t nib, unsigned int isc)
{
	return aqic_answer(guest_pqap(vm, 3UL << 24 | apqn, AQIC_IR | isc, nib));
}

struct guest_saw guest_aqic_off(struct vm *vm, int apqn)
{
	return aqic_answer(guest_pqap(vm, 3UL << 24 | apqn, 0, 0));
}

void guest_aqic_prepare(struct vm *vm, int apqn, uint64_t nib, bool on)
{
	prepare_pqap(vm, 3UL << 24 | apqn, on ? AQIC_IR : 0, nib);
}

struct guest_saw guest_aqic_look(struct vm *vm, enum vm_exit left)
{
	return aqic_answer(look(vm, left));
}

struct guest_saw guest_nqap(struct vm *vm, int apqn, uint64_t id, uint64_t message,
			    unsigned int length)
{
	prepare(vm, INSN_NQAP_4_6);
	vm->run->s.regs.gprs[0] = apqn | 0x40000000UL;	/* the last part of the message */
	vm->run->s.regs.gprs[1] = 0;
	vm->run->s.regs.gprs[4] = id >> 32;
	vm->run->s.regs.gprs[5] = id & 0xffffffff;
	vm->run->s.regs.gprs[6] = message;
	vm->run->s.regs.gprs[7] = length;
	return run(vm);
}

struct guest_saw guest_dqap(struct vm *vm, int apqn, uint64_t buffer, unsigned int length)
{
	prepare(vm, INSN_DQAP_4_6);
	vm->run->s.regs.gprs[0] = apqn | 0x80000000UL;
	vm->run->s.regs.gprs[1] = 0;
	vm->run->s.regs.gprs[2] = 0;
	vm->run->s.regs.gprs[4] = 0;
	vm->run->s.regs.gprs[5] = 0;
	vm->run->s.regs.gprs[6] = buffer;
	vm->run->s.regs.gprs[7] = length;
	return run(vm);
}

struct guest_saw guest_qci(struct vm *vm)
{
	memset(vm->memory + GUEST_BUFFER2, 0, 128);
	return guest_pqap(vm, 4UL << 24, 0, GUEST_BUFFER2);
}

/* The three masks of 32 bytes begin at 16, 48 and 80 (struct ap_config_info in asm/ap.h). */
static bool qci_bit(struct vm *vm, unsigned int mask, unsigned int id)
{
	return vm->memory[GUEST_BUFFER2 + 16 + 32 * mask + id / 8] & (0x80 >> id % 8);
}

bool guest_qci_has_adapter(struct vm *vm, unsigned int id)
{
	return qci_bit(vm, 0, id);
}

bool guest_qci_has_domain(struct vm *vm, unsigned int id)
{
	return qci_bit(vm, 1, id);
}

bool guest_qci_has_control_domain(struct vm *vm, unsigned int id)
{
	return qci_bit(vm, 2, id);
}

struct guest_saw guest_sleep(struct vm *vm, unsigned int isc, unsigned int timeout_ms)
{
	prepare(vm, INSN_LPSWE_WAIT);
	if (vm->protected)
		return look(vm, run_for(vm, timeout_ms));
	/* Control register 6 says which interruption subclasses are let in. */
	vm->run->s.regs.crs[6] = 0x80000000UL >> isc;
	vm->run->kvm_dirty_regs |= KVM_SYNC_CRS;
	return look(vm, vm_run(vm, timeout_ms));
}

/* One guest sleeps by a thread at a time; tests have no use for more. */
static struct sleeper {
	pthread_t thread;
	struct vm *vm;
	unsigned int isc;
	unsigned int timeout_ms;
	struct guest_saw saw;
	pid_t tid;
} sleeper;

static void *sleep_thread(void *unused)
{
	__atomic_store_n(&sleeper.tid, gettid(), __ATOMIC_RELEASE);
	sleeper.saw = guest_sleep(sleeper.vm, sleeper.isc, sleeper.timeout_ms);
	return unused;
}

/* State S in /proc: the thread is in KVM_RUN and KVM has put it to sleep. */
static bool is_asleep(void)
{
	char path[64], *text;
	bool asleep = false;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat",
		 __atomic_load_n(&sleeper.tid, __ATOMIC_ACQUIRE));
	text = file_read(path, NULL);
	if (text && strstr(text, ") S "))
		asleep = true;
	free(text);
	return asleep;
}

void guest_sleep_begin(struct vm *vm, unsigned int isc, unsigned int timeout_ms)
{
	sleeper = (struct sleeper){ .vm = vm, .isc = isc, .timeout_ms = timeout_ms };
	need(!pthread_create(&sleeper.thread, NULL, sleep_thread, NULL),
	     "the test can start a thread");
	/* Twice, because a thread also sleeps for other things for a moment. */
	expect(clock_wait_for(is_asleep() && (clock_sleep_ms(20), is_asleep()),
			      BOUND_EVENTUALLY_MS),
	       "a guest in an enabled wait with nothing pending sleeps");
}

struct guest_saw guest_sleep_end(struct vm *vm)
{
	(void)vm;
	pthread_join(sleeper.thread, NULL);
	return sleeper.saw;
}
