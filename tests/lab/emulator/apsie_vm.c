// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs and vCPUs: from their first SIE entry until KVM destroys the VM. What the host does with
 * their memory, and how a vCPU is taken out of the guest.
 */
#include <linux/hashtable.h>
#include <linux/kprobes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "apsie.h"

#define APSIE_BLOCKS_FIRST	32

static DEFINE_HASHTABLE(apsie_vms, 6);
static DEFINE_RAW_SPINLOCK(apsie_vms_lock);
static struct workqueue_struct *apsie_release_wq;

static struct apsie_vm *apsie_vm_lookup(struct kvm *kvm)
{
	struct apsie_vm *vm;

	lockdep_assert_held(&apsie_vms_lock);
	hash_for_each_possible(apsie_vms, vm, node, (unsigned long)kvm)
		if (vm->kvm == kvm)
			return vm;
	return NULL;
}

static struct apsie_vm *apsie_vm_find(struct kvm *kvm)
{
	struct apsie_vm *vm;
	unsigned long flags;

	raw_spin_lock_irqsave(&apsie_vms_lock, flags);
	vm = apsie_vm_lookup(kvm);
	raw_spin_unlock_irqrestore(&apsie_vms_lock, flags);
	return vm;
}

/**
 * apsie_vcpu_find() - the object of a vCPU
 * @vcpu: KVM's object
 *
 * Context: Any. The vCPU is running, so its VM stays.
 * Return: The object, NULL if there is none yet.
 */
struct apsie_vcpu *apsie_vcpu_find(struct kvm_vcpu *vcpu)
{
	struct apsie_vm *vm = apsie_vm_find(vcpu->kvm);
	unsigned int n;

	for (n = 0; vm && n < APSIE_VCPUS; n++)
		if (vm->vcpus[n] && vm->vcpus[n]->vcpu == vcpu)
			return vm->vcpus[n];
	return NULL;
}

/* A host interrupt ends the SIE entry. There is nothing else to do. */
static void apsie_kicked(void *unused)
{
}

static void apsie_kick(struct apsie_vcpu *self)
{
	apsie_count(APSIE_COUNT_KICK, 1);
	smp_call_function_single_async(READ_ONCE(self->cpu), &self->kick);
}

/**
 * apsie_vm_stop() - take all other vCPUs of a VM out of the guest
 * @vm: the VM
 * @self: the guest CPU that wants that, or NULL
 *
 * They get back when vm->lock is released. A vCPU leaves the guest without taking that lock.
 *
 * Context: vm->lock is held.
 */
void apsie_vm_stop(struct apsie_vm *vm, struct apsie_vcpu *self)
{
	struct apsie_vcpu *other;
	unsigned int n;

	for (n = 0; n < APSIE_VCPUS; n++) {
		other = vm->vcpus[n];
		if (!other || other == self)
			continue;
		if (READ_ONCE(other->in_guest))
			apsie_kick(other);
		while (READ_ONCE(other->in_guest))
			cpu_relax();
	}
	smp_mb();	/* what they did in the guest comes before what follows */
}

static int apsie_invalidate_start(struct mmu_notifier *notifier,
				  const struct mmu_notifier_range *range)
{
	struct apsie_vm *vm = container_of(notifier, struct apsie_vm, notifier);
	unsigned long flags;

	apsie_count(APSIE_COUNT_INVALIDATE, 1);
	local_irq_save(flags);
	arch_spin_lock(&vm->lock);
	vm->invalidating++;
	/* The memory slots are KVM's, and go with the VM. */
	if (!vm->destroyed && apsie_memory_drop(vm, range->start, range->end))
		apsie_shadow_forget_all(vm, NULL);
	arch_spin_unlock(&vm->lock);
	local_irq_restore(flags);
	return 0;
}

static void apsie_invalidate_end(struct mmu_notifier *notifier,
				 const struct mmu_notifier_range *range)
{
	struct apsie_vm *vm = container_of(notifier, struct apsie_vm, notifier);
	unsigned long flags;

	local_irq_save(flags);
	arch_spin_lock(&vm->lock);
	vm->invalidating--;
	arch_spin_unlock(&vm->lock);
	local_irq_restore(flags);
}

static void apsie_memory_gone(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	struct apsie_vm *vm = container_of(notifier, struct apsie_vm, notifier);
	unsigned long flags;

	local_irq_save(flags);
	arch_spin_lock(&vm->lock);
	memset(vm->memory, 0, vm->frames * sizeof(*vm->memory));
	apsie_shadow_forget_all(vm, NULL);
	arch_spin_unlock(&vm->lock);
	local_irq_restore(flags);
}

static const struct mmu_notifier_ops apsie_notifier_ops = {
	.invalidate_range_start = apsie_invalidate_start,
	.invalidate_range_end = apsie_invalidate_end,
	.release = apsie_memory_gone,
};

static void apsie_vm_free(struct apsie_vm *vm)
{
	unsigned int n;

	for (n = 0; n < APSIE_VCPUS; n++)
		kfree(vm->vcpus[n]);
	vfree(vm->memory);
	kfree(vm);
}

static void apsie_vm_release(struct work_struct *work)
{
	struct apsie_vm *vm = container_of(work, struct apsie_vm, release);
	unsigned long flags;

	mmu_notifier_unregister(&vm->notifier, vm->notifier.mm);
	local_irq_save(flags);
	arch_spin_lock(&vm->lock);
	apsie_shadow_free(vm);
	arch_spin_unlock(&vm->lock);
	local_irq_restore(flags);
	apsie_vm_free(vm);
}

static struct apsie_vm *apsie_vm_create(struct kvm *kvm)
{
	struct apsie_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL);
	unsigned long flags;

	if (!vm)
		return NULL;
	vm->kvm = kvm;
	vm->lock = (arch_spinlock_t)__ARCH_SPIN_LOCK_UNLOCKED;
	vm->notifier.ops = &apsie_notifier_ops;
	INIT_WORK(&vm->release, apsie_vm_release);
	if (apsie_memory_frames(vm) || mmu_notifier_register(&vm->notifier, kvm->mm)) {
		apsie_vm_free(vm);
		return NULL;
	}
	if (apsie_shadow_grow(vm, APSIE_BLOCKS_FIRST))
		pr_warn_once("no memory for shadow tables\n");
	raw_spin_lock_irqsave(&apsie_vms_lock, flags);
	hash_add(apsie_vms, &vm->node, (unsigned long)kvm);
	raw_spin_unlock_irqrestore(&apsie_vms_lock, flags);
	return vm;
}

static bool apsie_vcpu_add(struct apsie_vm *vm, struct apsie_vcpu *self)
{
	unsigned long flags;
	unsigned int n;

	local_irq_save(flags);
	arch_spin_lock(&vm->lock);
	for (n = 0; n < APSIE_VCPUS && vm->vcpus[n]; n++)
		;
	if (n < APSIE_VCPUS)
		vm->vcpus[n] = self;
	arch_spin_unlock(&vm->lock);
	local_irq_restore(flags);
	return n < APSIE_VCPUS;
}

static int apsie_vcpu_create(struct apsie_vm *vm, struct kvm_vcpu *vcpu)
{
	struct apsie_vcpu *self = kzalloc(sizeof(*self), GFP_KERNEL);

	if (!self)
		return -ENOMEM;
	self->vm = vm;
	self->vcpu = vcpu;
	self->block = vcpu->arch.sie_block;
	INIT_CSD(&self->kick, apsie_kicked, NULL);
	if (!apsie_vcpu_add(vm, self)) {
		kfree(self);
		return -ENOSPC;
	}
	return 0;
}

/**
 * apsie_vcpu_ready() - is there all that this vCPU needs for a SIE entry?
 * @self: its object, or NULL
 *
 * Context: Any.
 * Return: true if there is; if not, apsie_vcpu_prepare() makes it.
 */
bool apsie_vcpu_ready(struct apsie_vcpu *self)
{
	return self && !READ_ONCE(self->vm->growing) && !apsie_memory_changed(self->vm);
}

/* The vCPUs of a VM may come for the first time at the same time. */
static DEFINE_MUTEX(apsie_prepare_lock);

static int apsie_prepare(struct kvm_vcpu *vcpu)
{
	struct apsie_vm *vm = apsie_vm_find(vcpu->kvm);

	lockdep_assert_held(&apsie_prepare_lock);
	if (!vm)
		vm = apsie_vm_create(vcpu->kvm);
	if (!vm)
		return -ENOMEM;
	if (vm->growing) {
		vm->growing = false;
		return apsie_shadow_grow(vm, vm->shadow.total);
	}
	if (apsie_memory_changed(vm))
		return apsie_memory_frames(vm);
	if (!apsie_vcpu_find(vcpu))
		return apsie_vcpu_create(vm, vcpu);
	return 0;
}

/**
 * apsie_vcpu_prepare() - make one of the things that a vCPU lacks
 * @vcpu: KVM's object
 *
 * Context: Process context of the vCPU, interrupts on.
 * Return: 0 or a negative errno.
 */
int apsie_vcpu_prepare(struct kvm_vcpu *vcpu)
{
	int rc;

	mutex_lock(&apsie_prepare_lock);
	rc = apsie_prepare(vcpu);
	mutex_unlock(&apsie_prepare_lock);
	return rc;
}

/* KVM destroys a VM: nobody is in SIE any more. */
static int apsie_vm_destroyed(struct kprobe *probe, struct pt_regs *regs)
{
	struct apsie_vm *vm;
	unsigned long flags;

	raw_spin_lock_irqsave(&apsie_vms_lock, flags);
	vm = apsie_vm_lookup((struct kvm *)regs->gprs[2]);
	if (vm)
		hash_del(&vm->node);
	raw_spin_unlock(&apsie_vms_lock);
	if (vm) {
		arch_spin_lock(&vm->lock);
		vm->destroyed = true;
		arch_spin_unlock(&vm->lock);
		queue_work(apsie_release_wq, &vm->release);
	}
	local_irq_restore(flags);
	return 0;
}

/* KVM wants something of a vCPU that may be in the guest. */
static int apsie_vcpu_wanted(struct kprobe *probe, struct pt_regs *regs)
{
	struct apsie_vcpu *self = apsie_vcpu_find((struct kvm_vcpu *)regs->gprs[2]);

	if (self && READ_ONCE(self->in_guest))
		apsie_kick(self);
	return 0;
}

static struct kprobe apsie_probes[] = {
	{ .symbol_name = "kvm_arch_destroy_vm", .pre_handler = apsie_vm_destroyed },
	{ .symbol_name = "exit_sie", .pre_handler = apsie_vcpu_wanted },
	{ .symbol_name = "kvm_s390_vcpu_wakeup", .pre_handler = apsie_vcpu_wanted },
};

/**
 * apsie_vm_init() - watch KVM
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int apsie_vm_init(void)
{
	unsigned int n;
	int rc;

	apsie_release_wq = alloc_workqueue("apsie", WQ_UNBOUND, 0);
	if (!apsie_release_wq)
		return -ENOMEM;
	for (n = 0; n < ARRAY_SIZE(apsie_probes); n++) {
		rc = register_kprobe(&apsie_probes[n]);
		if (rc) {
			pr_err("no %s in this kernel\n", apsie_probes[n].symbol_name);
			while (n--)
				unregister_kprobe(&apsie_probes[n]);
			destroy_workqueue(apsie_release_wq);
			return rc;
		}
	}
	return 0;
}

/**
 * apsie_vm_exit() - stop watching, and free what is left
 *
 * Context: Process context; nobody is in here any more.
 */
void apsie_vm_exit(void)
{
	struct hlist_node *next;
	struct apsie_vm *vm;
	unsigned int n;
	int bucket;

	for (n = 0; n < ARRAY_SIZE(apsie_probes); n++)
		unregister_kprobe(&apsie_probes[n]);
	hash_for_each_safe(apsie_vms, bucket, next, vm, node) {
		hash_del(&vm->node);
		queue_work(apsie_release_wq, &vm->release);
	}
	destroy_workqueue(apsie_release_wq);
}
