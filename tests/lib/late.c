// SPDX-License-Identifier: GPL-2.0-only
/* late - memory that comes late, or never */

#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ktap.h"
#include "late.h"

int late_memory(struct vm *vm, unsigned int chunk)
{
	void *memory = vm->memory + chunk * VM_CHUNK;
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { (uintptr_t)memory, VM_CHUNK },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);

	need(uffd >= 0, "the kernel has userfaultfd");
	need(!madvise(memory, VM_CHUNK, MADV_DONTNEED), "nothing is in the memory");
	need(!ioctl(uffd, UFFDIO_API, &api), "userfaultfd has an interface");
	need(!ioctl(uffd, UFFDIO_REGISTER, &range), "the memory is the VMM's to serve");
	return uffd;
}

uint64_t late_fault(int uffd)
{
	struct uffd_msg message = { 0 };

	while (message.event != UFFD_EVENT_PAGEFAULT)
		need(read(uffd, &message, sizeof(message)) == sizeof(message),
		     "userfaultfd tells who waits for memory");
	return message.arg.pagefault.address;
}

void late_serve(int uffd, uint64_t address)
{
	struct uffdio_zeropage page = {
		.range = { address & ~(uint64_t)(getpagesize() - 1), getpagesize() },
	};

	ioctl(uffd, UFFDIO_ZEROPAGE, &page);
}

void late_hold_kvm_lock(struct vm *vm, unsigned int chunk)
{
	struct kvm_device_attr attr = {
		.group = KVM_S390_VM_CPU_MODEL,
		.attr = KVM_S390_VM_CPU_PROCESSOR,
		.addr = (uintptr_t)vm->memory + chunk * VM_CHUNK,
	};

	ioctl(vm->fd, KVM_SET_DEVICE_ATTR, &attr);
}
