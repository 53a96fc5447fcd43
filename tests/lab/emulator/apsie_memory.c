// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory, as a guest CPU without DAT sees it: real addresses, prefixing,
 * the pages of the VMM behind the memory slots.
 *
 * Nothing here may sleep. A page that is not there is remembered in the
 * apsie_cpu; KVM faults it in and the instruction starts again.
 */
#include <linux/minmax.h>
#include <linux/uaccess.h>
#include "apsie.h"

/**
 * apsie_wrap() - cut an address to the guest's addressing mode
 * @cpu: the guest CPU
 * @addr: the address
 *
 * Context: Any.
 * Return: The address.
 */
unsigned long apsie_wrap(const struct apsie_cpu *cpu, unsigned long addr)
{
	unsigned long mode = cpu->block->gpsw.mask & (PSW_MASK_EA | PSW_MASK_BA);

	if (mode == (PSW_MASK_EA | PSW_MASK_BA))
		return addr;
	return addr & (mode == PSW_MASK_BA ? 0x7fffffffUL : 0xffffffUL);
}

/* The two pages at 0 and the two at the prefix are exchanged. */
static unsigned long apsie_absolute(const struct apsie_cpu *cpu,
				    unsigned long real)
{
	unsigned long prefix = (unsigned long)cpu->block->prefix << 13;

	if (real < 2 * PAGE_SIZE)
		return real + prefix;
	if (real - prefix < 2 * PAGE_SIZE)
		return real - prefix;
	return real;
}

static unsigned long apsie_user_address(const struct apsie_cpu *cpu,
					unsigned long absolute)
{
	struct kvm *kvm = cpu->vcpu->kvm;
	gfn_t gfn = absolute >> PAGE_SHIFT;
	struct kvm_memory_slot *slot;
	unsigned long address = 0;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	slot = __gfn_to_memslot(kvm_memslots(kvm), gfn);
	if (slot && !(slot->flags & KVM_MEMSLOT_INVALID))
		address = __gfn_to_hva_memslot(slot, gfn) |
			  offset_in_page(absolute);
	srcu_read_unlock(&kvm->srcu, idx);
	return address;
}

/* Copy within one page; one of @to and @from is guest memory. */
static int apsie_copy_page(struct apsie_cpu *cpu, unsigned long real,
			   void *to, const void *from, size_t len)
{
	unsigned long absolute = apsie_absolute(cpu, real);
	unsigned long user = apsie_user_address(cpu, absolute);
	long rc;

	if (!user) {
		cpu->addressing = true;
		return -EFAULT;
	}
	if (to)
		rc = copy_from_user_nofault(to, (void __user *)user, len);
	else
		rc = copy_to_user_nofault((void __user *)user, from, len);
	if (rc) {
		cpu->fault = absolute;
		cpu->store = !to;
	}
	return rc ? -EFAULT : 0;
}

static int apsie_copy(struct apsie_cpu *cpu, unsigned long addr, void *to,
		      const void *from, size_t len)
{
	size_t part;
	int rc;

	while (len) {
		addr = apsie_wrap(cpu, addr);
		part = min_t(size_t, len, PAGE_SIZE - offset_in_page(addr));
		rc = apsie_copy_page(cpu, addr, to, from, part);
		if (rc)
			return rc;
		if (to)
			to += part;
		else
			from += part;
		addr += part;
		len -= part;
	}
	return 0;
}

/**
 * apsie_read() - read guest memory
 * @cpu: the guest CPU; @cpu->fault tells what was missing
 * @to: where to
 * @addr: guest real address
 * @len: how much
 *
 * Context: Any; does not sleep.
 * Return: 0 or -EFAULT.
 */
int apsie_read(struct apsie_cpu *cpu, void *to, unsigned long addr, size_t len)
{
	return apsie_copy(cpu, addr, to, NULL, len);
}

/**
 * apsie_write() - write guest memory
 * @cpu: the guest CPU; @cpu->fault tells what was missing
 * @addr: guest real address
 * @from: from where
 * @len: how much
 *
 * Context: Any; does not sleep.
 * Return: 0 or -EFAULT.
 */
int apsie_write(struct apsie_cpu *cpu, unsigned long addr, const void *from,
		size_t len)
{
	return apsie_copy(cpu, addr, NULL, from, len);
}

static int apsie_load(struct apemu_insn *insn, void *to, unsigned long addr,
		      size_t len)
{
	return apsie_copy(insn->context, addr, to, NULL, len);
}

static int apsie_store(struct apemu_insn *insn, unsigned long addr,
		       const void *from, size_t len)
{
	return apsie_copy(insn->context, addr, NULL, from, len);
}

const struct apemu_memory apsie_memory = {
	.load = apsie_load,
	.store = apsie_store,
};
