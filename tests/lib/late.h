/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * late - memory that comes late, or never: whoever touches it sleeps until somebody serves it
 *
 * So the kernel can be made to sleep wherever it reads memory of a process, with whatever locks it
 * holds there.
 */
#ifndef VFIO_AP_TESTS_LATE_H
#define VFIO_AP_TESTS_LATE_H

#include <stdint.h>

#include "vm.h"

int late_memory(struct vm *vm, unsigned int chunk);	/* file descriptor of a userfaultfd */
uint64_t late_fault(int uffd);		/* wait for somebody to touch it: the address */
void late_serve(int uffd, uint64_t address);

/* KVM reads the CPU model from memory with kvm->lock held; the VM must not have a CPU. */
void late_hold_kvm_lock(struct vm *vm, unsigned int chunk);

#endif
