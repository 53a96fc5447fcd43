// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory: real addresses, prefixing, and the pages of the VMM behind the memory slots;
 * operands of instructions.
 *
 * Nothing here sleeps. A page that is not there is noted in the vCPU. KVM faults it in, and
 * the instruction starts again. No reference to a page is kept: the MMU notifier of the VM
 * removes a page from vm->memory before the host takes it away (apsie_vm.c).
 */
#include <linux/mm.h>
#include <linux/minmax.h>
#include <linux/vmalloc.h>
#include "apsie.h"

/**
 * apsie_wrap() - cut an address to the guest's addressing mode
 * @self: the guest CPU
 * @addr: the address
 *
 * Context: Any.
 * Return: The address.
 */
unsigned long apsie_wrap(const struct apsie_vcpu *self, unsigned long addr)
{
	unsigned long mode = self->psw.mask & (PSW_MASK_EA | PSW_MASK_BA);

	if (mode == (PSW_MASK_EA | PSW_MASK_BA))
		return addr;
	return addr & (mode == PSW_MASK_BA ? 0x7fffffffUL : 0xffffffUL);
}

/* The two pages at 0 and the two at the prefix are exchanged. */
static unsigned long apsie_absolute(const struct apsie_vcpu *self, unsigned long real)
{
	if (real < APSIE_PREFIX_SIZE)
		return real + self->prefix;
	if (real - self->prefix < APSIE_PREFIX_SIZE)
		return real - self->prefix;
	return real;
}

static unsigned long apsie_frames_of(struct kvm *kvm)
{
	struct kvm_memory_slot *slot;
	unsigned long frames = 0;
	int bucket;

	kvm_for_each_memslot(slot, bucket, kvm_memslots(kvm))
		frames = max(frames, slot->base_gfn + slot->npages);
	return frames;
}

/**
 * apsie_memory_frames() - make the list of pages fit the memory slots
 * @vm: the VM
 *
 * Context: Process context, vm->lock is not held.
 * Return: 0 or -ENOMEM.
 */
int apsie_memory_frames(struct apsie_vm *vm)
{
	struct kvm *kvm = vm->kvm;
	unsigned long frames, flags;
	unsigned long *memory;
	u64 slots;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	slots = kvm_memslots(kvm)->generation;
	frames = apsie_frames_of(kvm);
	srcu_read_unlock(&kvm->srcu, idx);
	memory = vcalloc(max(frames, 1UL), sizeof(*memory));
	if (!memory)
		return -ENOMEM;
	local_irq_save(flags);
	arch_spin_lock(&vm->lock);
	apsie_vm_stop(vm, NULL);
	apsie_shadow_forget_all(vm, NULL);
	swap(memory, vm->memory);
	vm->frames = frames;
	vm->slots = slots;
	arch_spin_unlock(&vm->lock);
	local_irq_restore(flags);
	vfree(memory);
	return 0;
}

/**
 * apsie_memory_changed() - have memory slots changed since the list of pages was made?
 * @vm: the VM
 *
 * A vCPU that runs meanwhile sees the change when it enters SIE the next time, which is after
 * the next tick of the host's clock at the latest.
 *
 * Context: Any.
 * Return: true if they have.
 */
bool apsie_memory_changed(struct apsie_vm *vm)
{
	bool changed;
	int idx;

	idx = srcu_read_lock(&vm->kvm->srcu);
	changed = kvm_memslots(vm->kvm)->generation != vm->slots;
	srcu_read_unlock(&vm->kvm->srcu, idx);
	return changed;
}

static bool apsie_drop_frames(struct apsie_vm *vm, unsigned long first, unsigned long end)
{
	bool dropped = false;

	for (end = min(end, vm->frames); first < end; first++) {
		dropped |= !!vm->memory[first];
		vm->memory[first] = 0;
	}
	return dropped;
}

static bool apsie_drop_slot(struct apsie_vm *vm, struct kvm_memory_slot *slot,
			    unsigned long start, unsigned long end)
{
	unsigned long base = slot->userspace_addr;
	unsigned long first = max(start, base);
	unsigned long last = min(end, base + (slot->npages << PAGE_SHIFT));

	if (first >= last)
		return false;
	return apsie_drop_frames(vm, slot->base_gfn + ((first - base) >> PAGE_SHIFT),
				 slot->base_gfn + (PAGE_ALIGN(last - base) >> PAGE_SHIFT));
}

/**
 * apsie_memory_drop() - forget the pages of a range of the VMM's memory
 * @vm: the VM
 * @start: user address
 * @end: user address behind the range
 *
 * Context: vm->lock is held.
 * Return: true if one of them was known.
 */
bool apsie_memory_drop(struct apsie_vm *vm, unsigned long start, unsigned long end)
{
	struct kvm_memory_slot *slot;
	bool dropped = false;
	int bucket, idx;

	idx = srcu_read_lock(&vm->kvm->srcu);
	kvm_for_each_memslot(slot, bucket, kvm_memslots(vm->kvm))
		dropped |= apsie_drop_slot(vm, slot, start, end);
	srcu_read_unlock(&vm->kvm->srcu, idx);
	return dropped;
}

static unsigned long apsie_user_address(struct kvm *kvm, unsigned long frame)
{
	struct kvm_memory_slot *slot;
	unsigned long address = 0;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	slot = __gfn_to_memslot(kvm_memslots(kvm), frame);
	if (slot && !(slot->flags & KVM_MEMSLOT_INVALID))
		address = __gfn_to_hva_memslot(slot, frame);
	srcu_read_unlock(&kvm->srcu, idx);
	return address;
}

/*
 * The page is written to as long as it is in vm->memory. It counts as dirty from the
 * beginning, and the reference is not needed any more: see the top of this file.
 */
static unsigned long apsie_get(struct apsie_vcpu *self, unsigned long frame, unsigned long user)
{
	unsigned long host;
	struct page *page;

	if (self->vm->invalidating) {
		self->missing = APSIE_RETRY;
		return 0;
	}
	if (get_user_pages_fast_only(user, 1, FOLL_WRITE, &page) != 1) {
		self->missing = APSIE_FAULT;
		self->fault = frame << PAGE_SHIFT;
		return 0;
	}
	SetPageDirty(page);
	host = (unsigned long)page_to_virt(page);
	put_page(page);
	if (!apsie_pv_access(self, frame, host))
		return 0;
	self->vm->memory[frame] = host;
	return host;
}

static unsigned long apsie_get_frame(struct apsie_vcpu *self, unsigned long frame)
{
	unsigned long user;

	if (!self->vm->kvm) {
		self->missing = APSIE_FAULT;
		self->fault = frame << PAGE_SHIFT;
		return 0;
	}
	user = apsie_user_address(self->vm->kvm, frame);
	if (!user)
		return 0;
	return apsie_get(self, frame, user);
}

/**
 * apsie_memory_host() - where a guest real address is in the host
 * @self: the guest CPU
 * @real: guest real address
 *
 * Context: vm->lock is held.
 * Return: The kernel address; 0 if the guest has no such memory, or if @self->missing says
 *	   what is missing.
 */
unsigned long apsie_memory_host(struct apsie_vcpu *self, unsigned long real)
{
	unsigned long absolute = apsie_absolute(self, real);
	unsigned long frame = absolute >> PAGE_SHIFT, host;

	if (frame >= self->vm->frames)
		return 0;
	host = self->vm->memory[frame];
	if (!host)
		host = apsie_get_frame(self, frame);
	return host ? host + offset_in_page(absolute) : 0;
}

/**
 * apsie_space_asce() - the ASCE of an address space of the guest
 * @self: the guest CPU
 * @space: PSW_ASC_*
 *
 * Context: Any.
 * Return: The ASCE. A real-space designation if DAT is off.
 */
unsigned long apsie_space_asce(const struct apsie_vcpu *self, unsigned long space)
{
	if (!(self->psw.mask & PSW_MASK_DAT))
		return APSIE_ASCE_REAL;
	switch (space) {
	case PSW_ASC_SECONDARY:
		return self->block->gcr[7];
	case PSW_ASC_HOME:
		return self->block->gcr[13];
	default:
		return self->block->gcr[1];
	}
}

/**
 * apsie_teid() - translation-exception identification of an access
 * @addr: guest virtual address
 * @space: PSW_ASC_*
 * @store: it is a store
 *
 * Context: Any.
 * Return: The TEID.
 */
unsigned long apsie_teid(unsigned long addr, unsigned long space, bool store)
{
	return (addr & PAGE_MASK) | space >> 46 | (store ? APSIE_TEID_STORE : APSIE_TEID_FETCH);
}

static bool apsie_cached_fits(const struct apsie_cached *cached, const struct apsie_vcpu *self,
			      unsigned long asce, unsigned long addr, bool store)
{
	return cached->host && cached->page == addr >> PAGE_SHIFT && cached->asce == asce &&
	       cached->generation == self->vm->shadow.generation &&
	       cached->prefix == self->prefix && (cached->store || !store) &&
	       cached->real == !(self->psw.mask & PSW_MASK_DAT);
}

/**
 * apsie_find() - translate the address of an operand
 * @self: the guest CPU
 * @space: PSW_ASC_*
 * @addr: guest logical address
 * @store: it is stored to
 * @host: gets the kernel address
 *
 * Context: vm->lock is held.
 * Return: 0; the program interruption code, with @self->teid; -EFAULT with @self->missing.
 */
int apsie_find(struct apsie_vcpu *self, unsigned long space, unsigned long addr, bool store,
	       unsigned long *host)
{
	struct apsie_cached *cached = &self->accessed[(addr >> PAGE_SHIFT) % APSIE_CACHE];
	unsigned long asce = apsie_space_asce(self, space);
	struct apsie_walked walked;
	int rc;

	if (apsie_cached_fits(cached, self, asce, addr, store)) {
		*host = cached->host + offset_in_page(addr);
		return 0;
	}
	self->teid = apsie_teid(addr, space, store);
	rc = apsie_walk(self, asce, addr, &walked);
	if (rc)
		return rc;
	if (store && walked.protect) {
		self->teid |= APSIE_TEID_PROTECTION;
		return APSIE_PGM_PROTECTION;
	}
	*host = apsie_memory_host(self, walked.real);
	if (!*host)
		return self->missing ? -EFAULT : APEMU_PGM_ADDRESSING;
	*cached = (struct apsie_cached){
		.asce = asce,
		.prefix = self->prefix,
		.page = addr >> PAGE_SHIFT,
		.generation = self->vm->shadow.generation,
		.host = *host & PAGE_MASK,
		.store = !walked.protect,
		.real = !(self->psw.mask & PSW_MASK_DAT),
	};
	return 0;
}

/* One of @to and @from is guest memory. */
static int apsie_copy(struct apsie_vcpu *self, unsigned long addr, void *to, const void *from,
		      size_t len)
{
	unsigned long space = self->psw.mask & PSW_MASK_ASC, host;
	size_t part;
	int rc;

	while (len) {
		addr = apsie_wrap(self, addr);
		part = min_t(size_t, len, PAGE_SIZE - offset_in_page(addr));
		rc = apsie_find(self, space, addr, !to, &host);
		if (rc)
			return rc;
		if (to) {
			memcpy(to, (void *)host, part);
			to += part;
		} else {
			memcpy((void *)host, from, part);
			from += part;
		}
		addr += part;
		len -= part;
	}
	return 0;
}

/**
 * apsie_read() - read an operand
 * @self: the guest CPU
 * @to: where to
 * @addr: guest logical address
 * @len: how much
 *
 * Context: vm->lock is held.
 * Return: as apsie_find().
 */
int apsie_read(struct apsie_vcpu *self, void *to, unsigned long addr, size_t len)
{
	return apsie_copy(self, addr, to, NULL, len);
}

/**
 * apsie_write() - store an operand
 * @self: the guest CPU
 * @addr: guest logical address
 * @from: from where
 * @len: how much
 *
 * A store that ends with an exception may have stored a part of the operand.
 *
 * Context: vm->lock is held.
 * Return: as apsie_find().
 */
int apsie_write(struct apsie_vcpu *self, unsigned long addr, const void *from, size_t len)
{
	return apsie_copy(self, addr, NULL, from, len);
}
