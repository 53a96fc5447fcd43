// SPDX-License-Identifier: GPL-2.0-only
/* vm - a virtual machine with memory, one CPU and AP instructions */

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "ktap.h"
#include "vm.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { MANY = 64 };

static struct vm *alive[MANY];

static int sys(long rc)
{
	return rc < 0 ? -errno : (int)rc;
}

static void set_up_memory(struct vm *vm)
{
	struct kvm_userspace_memory_region region = { .slot = 0, .memory_size = VM_MEMORY };
	uintptr_t start;

	vm->mapping = mmap(NULL, VM_MEMORY + VM_CHUNK, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(vm->mapping != MAP_FAILED, "there is memory for a guest");
	/* KVM maps guest memory in segments of 1 MiB and wants both addresses aligned to that. */
	start = ((uintptr_t)vm->mapping + VM_CHUNK - 1) & ~(VM_CHUNK - 1);
	vm->memory = (uint8_t *)start;
	/*
	 * A job of the administrator is a fork; its copy of guest memory must not become the
	 * guest's.
	 */
	madvise(vm->mapping, VM_MEMORY + VM_CHUNK, MADV_DONTFORK);
	memset(vm->memory, 0, VM_MEMORY);
	region.userspace_addr = start;
	need_rc(sys(ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &region)), 0,
		"KVM takes guest memory");
}

static void set_up_cpu_model(struct vm *vm)
{
	struct kvm_s390_vm_cpu_processor guest;
	struct kvm_s390_vm_cpu_machine host;
	struct kvm_device_attr attr = { .group = KVM_S390_VM_CPU_MODEL };
	unsigned int i;

	attr.attr = KVM_S390_VM_CPU_PROCESSOR;
	attr.addr = (uintptr_t)&guest;
	need_rc(sys(ioctl(vm->fd, KVM_GET_DEVICE_ATTR, &attr)), 0,
		"KVM tells the guest's CPU model");
	attr.attr = KVM_S390_VM_CPU_MACHINE;
	attr.addr = (uintptr_t)&host;
	need_rc(sys(ioctl(vm->fd, KVM_GET_DEVICE_ATTR, &attr)), 0,
		"KVM tells the host's CPU model");
	for (i = 0; i < ARRAY_SIZE(guest.fac_list); i++)
		guest.fac_list[i] = host.fac_list[i] & host.fac_mask[i];
	attr.attr = KVM_S390_VM_CPU_PROCESSOR;
	attr.addr = (uintptr_t)&guest;
	need_rc(sys(ioctl(vm->fd, KVM_SET_DEVICE_ATTR, &attr)), 0,
		"KVM takes the guest's CPU model");
}

static void add_cpu(struct vm *vm, int kvm, int machine, unsigned int number)
{
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	vm->vcpu = ioctl(machine, KVM_CREATE_VCPU, number);
	need(vm->vcpu >= 0, "KVM makes a CPU");
	vm->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vm->vcpu, 0);
	need(vm->run != MAP_FAILED, "the CPU has a page to talk to user space");
	need_rc(sys(ioctl(vm->vcpu, KVM_S390_INITIAL_RESET, 0)), 0, "the CPU can be reset");
}

/* Facilities and AP instructions are fixed when the first CPU is made. */
static void set_up_cpu(struct vm *vm, int kvm)
{
	struct kvm_device_attr apie = { .group = KVM_S390_VM_CRYPTO,
					.attr = KVM_S390_VM_CRYPTO_ENABLE_APIE };

	set_up_cpu_model(vm);
	vm->has_apie = !ioctl(vm->fd, KVM_SET_DEVICE_ATTR, &apie);
	add_cpu(vm, kvm, vm->fd, 0);
}

static struct vm *new_vm(void)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	unsigned int slot;

	for (slot = 0; slot < MANY && alive[slot]; slot++)
		;
	need(slot < MANY, "a test creates at most %d VMs", MANY);
	alive[slot] = vm;
	vm->fd = -1;
	vm->vcpu = -1;
	vm->vfio = -1;
	return vm;
}

static int open_kvm(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	need(kvm >= 0, "there is /dev/kvm");
	return kvm;
}

static struct vm *make(bool with_cpu, void (*set_up)(struct vm *vm))
{
	struct vm *vm = new_vm();
	int kvm = open_kvm();

	vm->fd = ioctl(kvm, KVM_CREATE_VM, 0);
	need(vm->fd >= 0, "KVM makes a VM");
	set_up_memory(vm);
	if (set_up)
		set_up(vm);
	if (with_cpu)
		set_up_cpu(vm, kvm);
	close(kvm);
	return vm;
}

struct vm *vm_another_cpu(struct vm *vm)
{
	struct vm *cpu = new_vm();
	int kvm = open_kvm();

	cpu->memory = vm->memory;
	add_cpu(cpu, kvm, vm->fd, ++vm->cpus);
	close(kvm);
	return cpu;
}

struct vm *vm_create(void)
{
	return make(true, NULL);
}

struct vm *vm_create_with(void (*set_up)(struct vm *vm))
{
	return make(true, set_up);
}

struct vm *vm_create_without_cpu(void)
{
	return make(false, NULL);
}

static void free_vm(struct vm *vm)
{
	if (vm->run)
		munmap(vm->run, getpagesize());
	if (vm->vfio >= 0)
		close(vm->vfio);
	if (vm->vcpu >= 0)
		close(vm->vcpu);
	if (vm->fd >= 0)
		close(vm->fd);
	if (vm->mapping)
		munmap(vm->mapping, VM_MEMORY + VM_CHUNK);
	free(vm);
}

void vm_destroy(struct vm *vm)
{
	unsigned int slot;

	for (slot = 0; slot < MANY; slot++)
		if (alive[slot] == vm)
			alive[slot] = NULL;
	free_vm(vm);
}

void vm_destroy_all(void)
{
	unsigned int slot;

	for (slot = 0; slot < MANY; slot++) {
		if (alive[slot])
			free_vm(alive[slot]);
		alive[slot] = NULL;
	}
}

/* KVM has a directory "<pid>-<file descriptor>" in debugfs for as long as the VM lives. */
int vm_left_over_of(int pid)
{
	DIR *dir = opendir("/sys/kernel/debug/kvm");
	struct dirent *entry;
	char start[16];
	int count = 0;

	snprintf(start, sizeof(start), "%d-", pid);
	while (dir && (entry = readdir(dir)))
		count += !strncmp(entry->d_name, start, strlen(start));
	if (dir)
		closedir(dir);
	return count;
}

int vm_left_over(void)
{
	return vm_left_over_of(getpid());
}

static int vfio_file(struct vm *vm, int file, unsigned long what)
{
	struct kvm_create_device create = { .type = KVM_DEV_TYPE_VFIO };
	struct kvm_device_attr attr = { .group = KVM_DEV_VFIO_FILE, .attr = what };
	int32_t fd = file;

	if (vm->vfio < 0) {
		if (ioctl(vm->fd, KVM_CREATE_DEVICE, &create))
			return -errno;
		vm->vfio = create.fd;
	}
	attr.addr = (uintptr_t)&fd;
	return sys(ioctl(vm->vfio, KVM_SET_DEVICE_ATTR, &attr));
}

int vm_file_add(struct vm *vm, int file)
{
	return vfio_file(vm, file, KVM_DEV_VFIO_FILE_ADD);
}

int vm_file_del(struct vm *vm, int file)
{
	return vfio_file(vm, file, KVM_DEV_VFIO_FILE_DEL);
}

static __thread struct kvm_run *running;

static void time_is_over(int signal)
{
	(void)signal;
	/* Also stops a KVM_RUN that has not begun yet. */
	if (running)
		running->immediate_exit = 1;
}

static timer_t start_timer(unsigned int timeout_ms)
{
	struct sigaction action = { .sa_handler = time_is_over };
	struct itimerspec when = { .it_value = { timeout_ms / 1000,
						 (timeout_ms % 1000) * 1000000L } };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	timer_t timer;

	event.sigev_notify_thread_id = gettid();
	sigaction(SIGUSR1, &action, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &when, NULL))
		abort();
	return timer;
}

enum vm_exit vm_run(struct vm *vm, unsigned int timeout_ms)
{
	long long begun;
	timer_t timer;
	int rc;

	running = vm->run;
	vm->run->immediate_exit = 0;
	timer = start_timer(timeout_ms);
	begun = clock_ns();
	rc = sys(ioctl(vm->vcpu, KVM_RUN, 0));
	vm->ran_ns = clock_ns() - begun;
	timer_delete(timer);
	running = NULL;
	vm->error = rc;
	if (rc == -EINTR)
		return VM_TIMEOUT;
	return rc ? VM_ERROR : VM_LEFT;
}

enum vm_exit vm_run_only(struct vm *vm)
{
	return ioctl(vm->vcpu, KVM_RUN, 0) ? VM_ERROR : VM_LEFT;
}
