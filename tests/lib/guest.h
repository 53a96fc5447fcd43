/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * guest - what a guest does: a few instructions, then out to the test with what it saw
 *
 * Interruptions for I/O are off while AP instructions run, so that an interrupt stays
 * pending until the guest sleeps in an enabled wait.
 */
#ifndef VFIO_AP_TESTS_GUEST_H
#define VFIO_AP_TESTS_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "vm.h"

/* Places in guest memory, all in chunk 0 if not said otherwise. */
#define GUEST_BUFFER	0x20000UL
#define GUEST_BUFFER2	0x30000UL
#define GUEST_NIB	0x40010UL
#define GUEST_NIB2	0x41020UL
#define GUEST_NIB_FAR	(2 * VM_CHUNK + 0x5030UL)	/* in chunk 2 */

#define AP_OK			0x00
#define AP_NOT_AVAILABLE	0x01
#define AP_RESETTING		0x02
#define AP_DECONFIGURED		0x03
#define AP_CHECKSTOPPED		0x04
#define AP_BAD_NIB		0x06
#define AP_IRQ_ALREADY		0x07
#define AP_NO_REPLY		0x10

enum guest_end {
	GUEST_DONE,		/* the program came to its end */
	GUEST_INTERRUPTED,	/* an I/O interruption was taken */
	GUEST_PROGRAM_CHECK,
	GUEST_ASLEEP,		/* still in the enabled wait when the time was over */
	GUEST_LOST,
};

struct guest_saw {
	enum guest_end end;
	uint64_t gr[16];
	unsigned int cc;
	unsigned int rc;	/* the AP status word in GR1, taken apart */
	bool empty, replies, full, ir;
	unsigned int program_check;
	unsigned int interruption;	/* I/O interruption word */
};

struct guest_saw guest_pqap(struct vm *vm, uint64_t gr0, uint64_t gr1, uint64_t gr2);
struct guest_saw guest_tapq(struct vm *vm, int apqn);
struct guest_saw guest_tapq_facilities(struct vm *vm, int apqn);	/* with the T bit */
struct guest_saw guest_zapq(struct vm *vm, int apqn);
struct guest_saw guest_aqic_on(struct vm *vm, int apqn, uint64_t nib, unsigned int isc);
struct guest_saw guest_aqic_off(struct vm *vm, int apqn);
struct guest_saw guest_nqap(struct vm *vm, int apqn, uint64_t id, uint64_t message,
			    unsigned int length);
struct guest_saw guest_dqap(struct vm *vm, int apqn, uint64_t buffer, unsigned int length);

/* Runs what was prepared, with the registers of kvm_run. */
struct guest_saw guest_go(struct vm *vm);

/* Puts the 128 bytes of the configuration at GUEST_BUFFER2. */
struct guest_saw guest_qci(struct vm *vm);
bool guest_qci_has_adapter(struct vm *vm, unsigned int id);
bool guest_qci_has_domain(struct vm *vm, unsigned int id);
bool guest_qci_has_control_domain(struct vm *vm, unsigned int id);

/* AQIC in three steps: all but the instruction, the instruction by vm_run_only(), the answer */
void guest_aqic_prepare(struct vm *vm, int apqn, uint64_t nib, bool on);
struct guest_saw guest_aqic_look(struct vm *vm, enum vm_exit left);

/* Enabled wait for the subclass of interruptions; GUEST_INTERRUPTED or GUEST_ASLEEP. */
struct guest_saw guest_sleep(struct vm *vm, unsigned int isc, unsigned int timeout_ms);

/* The same by a thread: begin, do something, see what woke the guest. */
void guest_sleep_begin(struct vm *vm, unsigned int isc, unsigned int timeout_ms);
struct guest_saw guest_sleep_end(struct vm *vm);

uint8_t guest_byte(struct vm *vm, uint64_t address);
void guest_put_byte(struct vm *vm, uint64_t address, uint8_t value);

const char *guest_end_name(enum guest_end end);

#define expect_guest_rc(saw, expected, ...) ({					\
	struct guest_saw saw_ = (saw);						\
	ktap_str(KTAP_HERE(#saw), guest_end_name(saw_.end), "done", __VA_ARGS__) &&	\
	ktap_hex(KTAP_HERE(#saw), saw_.rc, expected, __VA_ARGS__); })
#define need_guest_rc(...) KTAP_NEED(expect_guest_rc(__VA_ARGS__))

#endif
