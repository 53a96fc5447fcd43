// SPDX-License-Identifier: GPL-2.0-only
/* protected - a guest in protected virtualization: what its VMM does, and a program in it */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "apemu.h"
#include "apqn.h"
#include "bounds.h"
#include "clock.h"
#include "file.h"
#include "ktap.h"
#include "memo.h"
#include "protected.h"
#include "protected_text.h"

#define CTL	"/sys/kernel/debug/apuv/ctl"
#define LOG	"/sys/kernel/debug/apuv/log"

/* Places in guest memory; those of guest.h are free. */
#define WAIT_PSW	0x800UL
#define PROGRAM		0x10000UL
#define SHARE_MAILBOX	0x11000UL		/* UVCB */
#define MAILBOX		0x12000UL
#define SHARE_OTHER	(MAILBOX + 0x200)	/* UVCB that the test fills in */
#define IMAGE		0x50000UL		/* end of what is unpacked */

#define PSW_SHORT_64	0x00080001U
#define PSW_SHORT_BA	0x80000000U
#define PSW_64BIT	0x0000000180000000UL
#define PSW_IO		0x0200000000000000UL
#define PSW_WAIT	0x0002000000000000UL

#define UVC_SHARE	0x1000
#define UVC_UNSHARE	0x1001
#define UVC_EXECUTED	1

#define UV_FEAT_AP	0x0800000000000000UL
#define UV_FEAT_AP_INTR	0x0400000000000000UL
#define ATTR_UV_FEAT	6			/* KVM_S390_VM_CPU_PROCESSOR_UV_FEAT_GUEST */

#define HEADER_SIZE	640

/* GR13 is the branch target; GR15 says how it ended, GR11 and GR12 what interrupted. */
enum { TARGET = 13, ENDED = 15, IO_WORD = 11, PROGRAM_CODE = 12 };

static uint64_t place(const char *label)
{
	return PROGRAM + (label - protected_text);
}

static const struct {
	uint32_t insn;
	const char *stub;
} stubs[] = {
	{ 0xb2af0000U, protected_pqap },
	{ 0xb2ad0046U, protected_nqap },
	{ 0xb2ae0046U, protected_dqap },
	{ 0xb9a40002U, protected_uvc },
	{ 0xe3504000U, protected_fetch },
	{ 0xb2b20800U, protected_wait },
};

struct uvcb {
	uint16_t len, cmd, rc, rrc;
	uint64_t reserved[3];
	uint64_t paddr;
	uint64_t reserved28;
};

static uint64_t *mailbox(const struct vm *vm)
{
	return (uint64_t *)(vm->memory + MAILBOX);
}

bool protected_present(void)
{
	return file_exists(CTL);
}

void protected_need(void)
{
	if (!protected_present())
		ktap_skip("there is no ultravisor");
}

void protected_order(const char *fmt, ...)
{
	char text[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	need_rc(file_write_text(CTL, text), 0, "the ultravisor takes the order '%s'", text);
}

long long protected_fact(const char *key)
{
	char *text = memo("\n%s", memo_file(CTL)), *line = strstr(text, memo("\n%s: ", key));

	return line ? strtoll(line + strlen(key) + 3, NULL, 10) : -1;
}

long long protected_count(unsigned int command)
{
	char *line = strstr(memo_file(CTL), memo("\ncount %04x ", command));

	return line ? strtoll(line + strlen("\ncount xxxx "), NULL, 10) : 0;
}

int protected_refused(unsigned int command, unsigned int rc)
{
	char *line = memo_file(LOG), *call = memo(" %04x handle=", command);
	int count = 0;

	for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		char *end = strchr(line, '\n'), *found = strstr(line, call);
		char *answer = strstr(line, memo(" rc=%04x ", rc));

		count += found && answer && end && found < end && answer < end;
	}
	return count;
}

void protected_show(void)
{
	char *line, *rest = memo_file(LOG);

	while ((line = strsep(&rest, "\n")))
		if (*line && !strstr(line, " 0200 ") && !strstr(line, " 0301 ") &&
		    !strstr(line, " 0201 ") && !strstr(line, " 0202 "))
			ktap_diag("uv %s", line);
}

static void let_be_protected(struct vm *vm)
{
	uint64_t features = UV_FEAT_AP | UV_FEAT_AP_INTR;
	struct kvm_device_attr attr = { .group = KVM_S390_VM_CPU_MODEL, .attr = ATTR_UV_FEAT,
					.addr = (uintptr_t)&features };

	need_rc(ioctl(vm->fd, KVM_SET_DEVICE_ATTR, &attr) ? -errno : 0, 0,
		"KVM allows AP instructions in a protected guest");
}

struct vm *protected_create(void)
{
	protected_need();
	return vm_create_with(let_be_protected);
}

long protected_command(struct vm *vm, unsigned int command, void *data)
{
	struct kvm_pv_cmd cmd = { .cmd = command, .data = (uintptr_t)data };
	long rc = ioctl(vm->fd, KVM_S390_PV_COMMAND, &cmd) ? -errno : 0;

	vm->uv_rc = cmd.rc;
	return rc;
}

static void put_psw(struct vm *vm, unsigned long at, uint64_t mask, uint64_t address)
{
	uint64_t psw[] = { mask, address };

	memcpy(vm->memory + at, psw, sizeof(psw));
}

static void write_image(struct vm *vm)
{
	struct uvcb share = { .len = sizeof(share), .cmd = UVC_SHARE, .paddr = MAILBOX };
	uint32_t start[] = { PSW_SHORT_64, PSW_SHORT_BA | PROGRAM };
	unsigned int psw;

	memcpy(vm->memory, start, sizeof(start));
	for (psw = 0x1a0; psw <= 0x1e0; psw += 0x10)
		put_psw(vm, psw, PSW_64BIT, place(protected_lost));
	put_psw(vm, 0x1d0, PSW_64BIT, place(protected_program));
	put_psw(vm, 0x1f0, PSW_64BIT, place(protected_interrupted));
	put_psw(vm, WAIT_PSW, PSW_64BIT | PSW_IO | PSW_WAIT, place(protected_lost));
	memcpy(vm->memory + PROGRAM, protected_text, protected_end - protected_text);
	memcpy(vm->memory + SHARE_MAILBOX, &share, sizeof(share));
}

long protected_enable(struct vm *vm)
{
	long rc = protected_command(vm, KVM_PV_ENABLE, NULL);

	if (!rc)
		vm->protected = true;
	return rc;
}

long protected_unpack(struct vm *vm)
{
	struct kvm_s390_pv_unp unpack = { .size = IMAGE };

	return protected_command(vm, KVM_PV_UNPACK, &unpack);
}

static long set_state(struct vm *vm, unsigned int state)
{
	struct kvm_mp_state mp = { .mp_state = state };

	return ioctl(vm->vcpu, KVM_SET_MP_STATE, &mp) ? -errno : 0;
}

/* A page that is to become secure may be in use for a moment: KVM says so, and a VMM goes on. */
static enum vm_exit run(struct vm *vm, unsigned int timeout_ms)
{
	long end = clock_ms() + timeout_ms;
	enum vm_exit left;

	vm->retries = 0;
	do {
		left = vm_run(vm, timeout_ms);
		vm->retries += left == VM_ERROR && vm->error == -EAGAIN;
	} while (left == VM_ERROR && vm->error == -EAGAIN && clock_ms() < end);
	return left == VM_ERROR && vm->error == -EAGAIN ? VM_TIMEOUT : left;
}

void protected_boot(struct vm *vm)
{
	static char header[HEADER_SIZE];
	struct kvm_s390_pv_sec_parm parameters = { (uintptr_t)header, sizeof(header) };

	write_image(vm);
	need_rc(protected_enable(vm), 0, "the guest becomes a protected one");
	need_rc(protected_command(vm, KVM_PV_SET_SEC_PARMS, &parameters), 0,
		"the ultravisor takes the header");
	need_rc(protected_unpack(vm), 0, "the ultravisor unpacks the image");
	need_rc(protected_command(vm, KVM_PV_VERIFY, NULL), 0, "the ultravisor verifies the image");
	need_rc(set_state(vm, KVM_MP_STATE_LOAD), 0, "the CPU loads the PSW of the image");
	need_rc(set_state(vm, KVM_MP_STATE_OPERATING), 0, "the CPU operates");
	need(run(vm, BOUND_EVENTUALLY_MS) == VM_LEFT && protected_where(vm) == GUEST_DONE,
	     "the protected guest comes to its first order");
}

long protected_disable(struct vm *vm)
{
	long rc = protected_command(vm, KVM_PV_DISABLE, NULL);

	if (!rc)
		vm->protected = false;
	return rc;
}

void protected_reboot(struct vm *vm, struct vfio *vfio)
{
	if (vfio)
		need_rc(vfio_reset(vfio), 0, "VFIO_DEVICE_RESET of a guest that reboots");
	need_rc(protected_disable(vm), 0, "the guest becomes an ordinary one");
	need_rc(ioctl(vm->vcpu, KVM_S390_INITIAL_RESET, 0) ? -errno : 0, 0, "the CPU is reset");
	protected_boot(vm);
}

void protected_prepare(struct vm *vm, uint32_t insn)
{
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(stubs) && stubs[n].insn != insn; n++)
		;
	need(n < ARRAY_SIZE(stubs), "the program of a protected guest has instruction %08x", insn);
	vm->run->s.regs.gprs[TARGET] = place(stubs[n].stub);
}

enum vm_exit protected_run(struct vm *vm, unsigned int timeout_ms)
{
	enum vm_exit left;

	memcpy(mailbox(vm), vm->run->s.regs.gprs, 16 * sizeof(uint64_t));
	mailbox(vm)[ENDED] = GUEST_LOST;
	left = run(vm, timeout_ms);
	memcpy(vm->run->s.regs.gprs, mailbox(vm), 16 * sizeof(uint64_t));
	return left;
}

/* The only instruction that leads to user space is the DIAGNOSE in the loop. */
enum guest_end protected_where(const struct vm *vm)
{
	if (vm->run->exit_reason != KVM_EXIT_S390_SIEIC || vm->run->s390_sieic.ipa >> 8 != 0x83)
		return GUEST_LOST;
	return mailbox(vm)[ENDED] > GUEST_LOST ? GUEST_LOST : (enum guest_end)mailbox(vm)[ENDED];
}

uint32_t protected_interruption(const struct vm *vm)
{
	return mailbox(vm)[IO_WORD];
}

uint32_t protected_program_check(const struct vm *vm)
{
	return mailbox(vm)[PROGRAM_CODE];
}

static unsigned int call(struct vm *vm, unsigned int command, uint64_t address)
{
	struct uvcb cb = { .len = sizeof(cb), .cmd = command, .paddr = address & ~0xfffUL };
	struct guest_saw saw;

	memcpy(vm->memory + SHARE_OTHER, &cb, sizeof(cb));
	protected_prepare(vm, 0xb9a40002U);
	vm->run->s.regs.gprs[2] = SHARE_OTHER;
	saw = guest_go(vm);
	if (!expect_str(guest_end_name(saw.end), "done", "an ultravisor call of the guest ends"))
		return 0xffff;
	memcpy(&cb, vm->memory + SHARE_OTHER, sizeof(cb));
	return cb.rc == UVC_EXECUTED ? 0 : cb.rc;
}

static bool is_over(struct vm *vm, enum vm_exit left)
{
	return left == VM_LEFT && protected_where(vm) == GUEST_DONE;
}

bool protected_unshare_try(struct vm *vm, uint64_t address, unsigned int timeout_ms)
{
	struct uvcb cb = { .len = sizeof(cb), .cmd = UVC_UNSHARE, .paddr = address & ~0xfffUL };

	memcpy(vm->memory + SHARE_OTHER, &cb, sizeof(cb));
	protected_prepare(vm, 0xb9a40002U);
	vm->run->s.regs.gprs[2] = SHARE_OTHER;
	return is_over(vm, protected_run(vm, timeout_ms));
}

bool protected_resume(struct vm *vm, unsigned int timeout_ms)
{
	return is_over(vm, run(vm, timeout_ms));
}

struct scene protected_scene(int adapter, int domain)
{
	struct scene scene;

	apemu_need();
	protected_need();
	vfio_need(VFIO_BY_GROUP);
	scene.mdev = mdev_create();
	mdev_assign(scene.mdev, adapter, domain);
	scene.vm = protected_create();
	scene.vfio = vfio_open(VFIO_BY_GROUP, scene.mdev, scene.vm);
	protected_boot(scene.vm);
	need_guest_rc(guest_tapq(scene.vm, APQN(adapter, domain)), AP_OK,
		      "the protected guest has the queue that was assigned");
	need_guest_rc(protected_bind(scene.vm, APQN(adapter, domain)), AP_OK,
		      "the guest binds the queue");
	apemu_do("log clear");
	return scene;
}

void protected_arm(struct vm *vm, int apqn, unsigned int isc)
{
	need_int(protected_share(vm, GUEST_NIB), 0, "the guest shares a page");
	need_guest_rc(guest_aqic_on(vm, apqn, GUEST_NIB, isc), AP_OK,
		      "the enable of a protected guest is answered 00");
}

unsigned int protected_share(struct vm *vm, uint64_t address)
{
	return call(vm, UVC_SHARE, address);
}

unsigned int protected_unshare(struct vm *vm, uint64_t address)
{
	return call(vm, UVC_UNSHARE, address);
}

struct guest_saw protected_bind(struct vm *vm, int apqn)
{
	return guest_pqap(vm, 7UL << 24 | apqn, 0, 0);
}

struct guest_saw protected_associate(struct vm *vm, int apqn, unsigned int secret)
{
	return guest_pqap(vm, 8UL << 24 | apqn, 0, secret);
}

unsigned int protected_bind_state(struct vm *vm, int apqn)
{
	return guest_tapq_facilities(vm, apqn).gr[2] >> 46 & 3;
}

uint64_t protected_load(struct vm *vm, uint64_t address)
{
	protected_prepare(vm, 0xe3504000U);
	vm->run->s.regs.gprs[4] = address;
	return guest_go(vm).gr[5];
}
