/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vm - a virtual machine with memory, one CPU, AP instructions and the facilities that the
 * host has of 12, 15, 65
 */
#ifndef VFIO_AP_TESTS_VM_H
#define VFIO_AP_TESTS_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "uapi.h"

/* Guest absolute 0 is the first byte of memory. Memory is mapped for devices in chunks. */
#define VM_CHUNK	(1UL << 20)
#define VM_CHUNKS	4
#define VM_MEMORY	(VM_CHUNK * VM_CHUNKS)

struct vm {
	int fd;
	int vcpu;
	unsigned int cpus;		/* besides the first */
	int vfio;			/* KVM's VFIO device, -1 before the first use */
	struct kvm_run *run;
	void *mapping;
	uint8_t *memory;
	bool has_apie;
	long long ran_ns;		/* what the last KVM_RUN took */
	int error;			/* -errno of the last KVM_RUN, or 0 */
	bool protected;			/* see protected.h */
	unsigned int uv_rc;		/* what the ultravisor said to the last command */
	unsigned int retries;		/* how often KVM wanted the last order run again */
};

enum vm_exit { VM_LEFT, VM_TIMEOUT, VM_ERROR };

struct vm *vm_create(void);
struct vm *vm_create_with(void (*set_up)(struct vm *vm));	/* called before there is a CPU */
struct vm *vm_create_without_cpu(void);		/* KVM lets its CPU model be changed for ever */
struct vm *vm_another_cpu(struct vm *vm);	/* of the same VM; runs programs without interruptions */
void vm_destroy(struct vm *vm);
void vm_destroy_all(void);
int vm_left_over(void);		/* VMs of this test that KVM still has, destroyed or not */
int vm_left_over_of(int pid);	/* ... of another process, dead or not */
int vm_file_add(struct vm *vm,
		int file);	/* a VFIO group or device belongs to this VM; 0 or -errno */
int vm_file_del(struct vm *vm, int file);

/* Run the CPU until KVM returns to user space or the time is over. */
enum vm_exit vm_run(struct vm *vm, unsigned int timeout_ms);

/* The same as one system call and nothing else, without a time-out. */
enum vm_exit vm_run_only(struct vm *vm);

#endif
