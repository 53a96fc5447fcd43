/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * protected - a guest in protected virtualization: what its VMM does, and a program in it
 *
 * No register of such a guest can be set from outside. Its program waits for orders in a page that
 * it shares, executes one, and leaves what it saw there; guest_pqap() and the others of guest.h work
 * for it as for any other guest.
 */
#ifndef VFIO_AP_TESTS_PROTECTED_H
#define VFIO_AP_TESTS_PROTECTED_H

#include "guest.h"
#include "scene.h"
#include "vfio.h"
#include "vm.h"

/* The ultravisor of the lab; see the emulator's README. */
void protected_need(void);			/* skips the case where there is none */
void protected_order(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
bool protected_present(void);
long long protected_fact(const char *key);	/* "handles", "secure", ...; -1 if not stated */
long long protected_count(unsigned int command);
int protected_refused(unsigned int command, unsigned int rc);	/* calls answered so, in the log */
void protected_show(void);			/* the log as diagnostics, without page imports */

#define UVC_DESTROY_CONF	0x0101
#define UVC_DESTROY_CONF_FAST	0x0102
#define UVC_IMPORT		0x0200
#define UVC_EXPORT		0x0201
#define UVC_PIN_SHARED		0x0341
#define UVC_UNPIN_SHARED	0x0342

/* A VM that may become protected, with AP instructions and their interrupts. */
struct vm *protected_create(void);

/* A command of KVM_S390_PV_COMMAND: 0 or -errno; what the ultravisor said stays in the VM. */
long protected_command(struct vm *vm, unsigned int command, void *data);

long protected_enable(struct vm *vm);
long protected_unpack(struct vm *vm);		/* the image: what the program uses, and GUEST_NIB */
void protected_boot(struct vm *vm);		/* enable, image, verify, start: must work */
long protected_disable(struct vm *vm);

/* What QEMU does: devices are reset, the guest becomes an ordinary one, and boots again. */
void protected_reboot(struct vm *vm, struct vfio *vfio);

/* By the guest: 0, or the response code of the ultravisor */
unsigned int protected_share(struct vm *vm, uint64_t address);
unsigned int protected_unshare(struct vm *vm, uint64_t address);
struct guest_saw protected_bind(struct vm *vm, int apqn);
struct guest_saw protected_associate(struct vm *vm, int apqn, unsigned int secret);
unsigned int protected_bind_state(struct vm *vm, int apqn);	/* BS */
uint64_t protected_load(struct vm *vm, uint64_t address);	/* the guest reads its memory */

/* The usual cast with a protected guest that has bound its only queue; the hardware log is empty. */
struct scene protected_scene(int adapter, int domain);

/* The guest shares the page of GUEST_NIB and enables the interrupt: must work. */
void protected_arm(struct vm *vm, int apqn, unsigned int isc);

/* UNSHARE that is not over in time goes on with protected_resume(). */
bool protected_unshare_try(struct vm *vm, uint64_t address, unsigned int timeout_ms);
bool protected_resume(struct vm *vm, unsigned int timeout_ms);

/* For guest.c: choose what the program executes; run it with the registers of kvm_run. */
void protected_prepare(struct vm *vm, uint32_t insn);
enum vm_exit protected_run(struct vm *vm, unsigned int timeout_ms);
enum guest_end protected_where(const struct vm *vm);
uint32_t protected_interruption(const struct vm *vm);
uint32_t protected_program_check(const struct vm *vm);

#endif
