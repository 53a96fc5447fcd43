// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shadow tables: guest virtual to host real in one step. They behave as a large TLB. What
 * becomes valid in the guest's tables is found when it is missing here. Everything else
 * the guest announces by an instruction that traps.
 *
 * A root stands for one ASCE and one prefix, because the lowcore of each vCPU is another
 * page. vm->lock protects all of it. Whoever makes an entry invalid stops the other vCPUs
 * of the VM first and marks the TLB of all of them.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/string.h>
#include "apsie.h"

#define APSIE_BLOCK_ORDER	2
#define APSIE_BLOCK_SIZE	(PAGE_SIZE << APSIE_BLOCK_ORDER)
#define APSIE_BLOCKS_MAX	2048		/* 32 MiB */
#define APSIE_PAGE_TABLE_SIZE	(APSIE_PAGE_ENTRIES * sizeof(unsigned long))

/* One trap takes two roots, or a path through four levels, or a bit of both. */
#define APSIE_BLOCKS_ENOUGH	8

/**
 * apsie_shadow_grow() - get more memory for tables
 * @vm: the VM
 * @blocks: how many blocks
 *
 * Context: Process context, vm->lock is not held.
 * Return: 0 or -ENOMEM.
 */
int apsie_shadow_grow(struct apsie_vm *vm, unsigned int blocks)
{
	unsigned long *block;
	unsigned long flags;

	while (blocks--) {
		block = (unsigned long *)__get_free_pages(GFP_KERNEL, APSIE_BLOCK_ORDER);
		if (!block)
			return -ENOMEM;
		local_irq_save(flags);
		arch_spin_lock(&vm->lock);
		*(unsigned long **)block = vm->shadow.blocks;
		vm->shadow.blocks = block;
		vm->shadow.free++;
		vm->shadow.total++;
		arch_spin_unlock(&vm->lock);
		local_irq_restore(flags);
	}
	return 0;
}
EXPORT_SYMBOL_GPL(apsie_shadow_grow);

static unsigned long *apsie_take_block(struct apsie_shadow *shadow)
{
	unsigned long *block = shadow->blocks;

	shadow->blocks = *(unsigned long **)block;
	shadow->free--;
	return block;
}

static void apsie_put_block(struct apsie_shadow *shadow, unsigned long *block)
{
	*(unsigned long **)block = shadow->blocks;
	shadow->blocks = block;
	shadow->free++;
}

static void apsie_put_page_table(struct apsie_shadow *shadow, unsigned long *table)
{
	*(unsigned long **)table = shadow->pages;
	shadow->pages = table;
}

static unsigned long *apsie_take_table(struct apsie_shadow *shadow, unsigned int type)
{
	unsigned long *table = apsie_take_block(shadow);

	memset64((u64 *)table, APSIE_TABLE_INVALID | type << 2, APSIE_TABLE_ENTRIES);
	return table;
}

static unsigned long *apsie_take_page_table(struct apsie_shadow *shadow)
{
	unsigned long *block, *table;
	unsigned int n;

	if (!shadow->pages) {
		block = apsie_take_block(shadow);
		for (n = 0; n < APSIE_BLOCK_SIZE; n += APSIE_PAGE_TABLE_SIZE)
			apsie_put_page_table(shadow, (void *)block + n);
	}
	table = shadow->pages;
	shadow->pages = *(unsigned long **)table;
	memset64((u64 *)table, APSIE_PAGE_INVALID, APSIE_PAGE_ENTRIES);
	return table;
}

static unsigned long *apsie_next(unsigned long entry, unsigned int type)
{
	return phys_to_virt(entry & (type ? APSIE_ORIGIN : APSIE_PAGE_ORIGIN));
}

/* There are four levels at most. */
static void apsie_free_tree(struct apsie_shadow *shadow, unsigned long *table, unsigned int type)
{
	unsigned int n;

	for (n = 0; n < APSIE_TABLE_ENTRIES; n++) {
		if (table[n] & APSIE_TABLE_INVALID)
			continue;
		if (type)
			apsie_free_tree(shadow, apsie_next(table[n], type), type - 1);
		else
			apsie_put_page_table(shadow, apsie_next(table[n], type));
	}
	apsie_put_block(shadow, table);
}

static void apsie_free_root(struct apsie_shadow *shadow, struct apsie_root *root)
{
	apsie_free_tree(shadow, root->table, root->type);
	root->table = NULL;
}

/* Something is not valid any more; the caller has stopped the other vCPUs. */
static void apsie_purge(struct apsie_vm *vm)
{
	unsigned int n;

	vm->shadow.generation++;
	for (n = 0; n < APSIE_VCPUS; n++)
		if (vm->vcpus[n])
			vm->vcpus[n]->purge = true;
}

/**
 * apsie_shadow_forget_all() - make all translations of a VM invalid
 * @vm: the VM
 * @self: the guest CPU that does it, or NULL
 *
 * Context: vm->lock is held.
 */
void apsie_shadow_forget_all(struct apsie_vm *vm, struct apsie_vcpu *self)
{
	struct apsie_shadow *shadow = &vm->shadow;
	unsigned int n;

	apsie_count(APSIE_COUNT_FORGET, 1);
	apsie_vm_stop(vm, self);
	for (n = 0; n < APSIE_ROOTS; n++)
		if (shadow->roots[n].table)
			apsie_free_root(shadow, &shadow->roots[n]);
	apsie_purge(vm);
}
EXPORT_SYMBOL_GPL(apsie_shadow_forget_all);

/**
 * apsie_shadow_free() - return all memory of the tables
 * @vm: the VM; no vCPU runs any more
 *
 * Context: Process context.
 */
void apsie_shadow_free(struct apsie_vm *vm)
{
	struct apsie_shadow *shadow = &vm->shadow;
	unsigned long *table, *next, *first = NULL;

	apsie_shadow_forget_all(vm, NULL);
	while (shadow->blocks)
		free_pages((unsigned long)apsie_take_block(shadow), APSIE_BLOCK_ORDER);
	/* Of a block that was cut into page tables, the first one stands for all. */
	for (table = shadow->pages; table; table = next) {
		next = *(unsigned long **)table;
		if (IS_ALIGNED((unsigned long)table, APSIE_BLOCK_SIZE)) {
			*(unsigned long **)table = first;
			first = table;
		}
	}
	for (table = first; table; table = next) {
		next = *(unsigned long **)table;
		free_pages((unsigned long)table, APSIE_BLOCK_ORDER);
	}
	shadow->pages = NULL;
}
EXPORT_SYMBOL_GPL(apsie_shadow_free);

/**
 * apsie_shadow_ready() - see to it that there are tables enough for one more trap
 * @self: the guest CPU
 *
 * Context: vm->lock is held.
 * Return: true; false if SIE has to be left, so that apsie_vcpu_prepare() can get some.
 */
bool apsie_shadow_ready(struct apsie_vcpu *self)
{
	struct apsie_shadow *shadow = &self->vm->shadow;

	if (shadow->free >= APSIE_BLOCKS_ENOUGH)
		return true;
	if (shadow->total < APSIE_BLOCKS_MAX) {
		self->vm->growing = true;
		return false;
	}
	apsie_shadow_forget_all(self->vm, self);
	return true;
}

static bool apsie_root_is(const struct apsie_root *root, const struct apsie_vcpu *self,
			  unsigned long asce, bool real)
{
	return root->table && root->asce == asce && root->prefix == self->prefix &&
	       root->real == real;
}

static struct apsie_root *apsie_oldest_root(struct apsie_shadow *shadow)
{
	struct apsie_root *oldest = &shadow->roots[0];
	unsigned int n;

	for (n = 0; n < APSIE_ROOTS; n++) {
		if (!shadow->roots[n].table)
			return &shadow->roots[n];
		if (shadow->roots[n].used < oldest->used)
			oldest = &shadow->roots[n];
	}
	return oldest;
}

/* Without DAT, as many levels as the guest's memory needs. */
static unsigned int apsie_real_type(const struct apsie_vm *vm)
{
	return vm->frames > 1UL << (31 - PAGE_SHIFT) ? 1 : 0;
}

/**
 * apsie_shadow_root() - find or make the root for an ASCE
 * @self: the guest CPU
 * @asce: of the guest
 * @real: DAT is off; @asce is the real-space designation
 *
 * Context: vm->lock is held.
 * Return: The root.
 */
struct apsie_root *apsie_shadow_root(struct apsie_vcpu *self, unsigned long asce, bool real)
{
	struct apsie_shadow *shadow = &self->vm->shadow;
	struct apsie_root *root;
	unsigned int n;

	for (n = 0; n < APSIE_ROOTS; n++) {
		root = &shadow->roots[n];
		if (apsie_root_is(root, self, asce, real)) {
			root->used = ++shadow->time;
			return root;
		}
	}
	root = apsie_oldest_root(shadow);
	if (root->table) {
		apsie_vm_stop(self->vm, self);
		apsie_free_root(shadow, root);
		apsie_purge(self->vm);
	}
	root->asce = asce;
	root->prefix = self->prefix;
	root->real = real;
	root->type = asce & APSIE_ASCE_REAL ? apsie_real_type(self->vm) : APSIE_TYPE(asce);
	root->table = apsie_take_table(shadow, root->type);
	root->used = ++shadow->time;
	return root;
}
EXPORT_SYMBOL_GPL(apsie_shadow_root);

/**
 * apsie_shadow_asce() - what CR1 or CR7 of the host needs for a root
 * @root: the root
 *
 * The private-space bit keeps low-address protection of the host away from the guest.
 *
 * Context: vm->lock is held.
 * Return: The ASCE.
 */
unsigned long apsie_shadow_asce(const struct apsie_root *root)
{
	return virt_to_phys(root->table) | root->type << 2 | APSIE_ASCE_PRIVATE | 3;
}

static unsigned int apsie_shadow_index(unsigned long addr, unsigned int type)
{
	return addr >> (20 + 11 * type) & (APSIE_TABLE_ENTRIES - 1);
}

static bool apsie_shadow_covers(const struct apsie_root *root, unsigned long addr)
{
	return root->type == 3 || !(addr >> (31 + 11 * root->type));
}

static unsigned int apsie_page_index(unsigned long addr)
{
	return addr >> PAGE_SHIFT & (APSIE_PAGE_ENTRIES - 1);
}

/* The page table entry of an address, NULL if there is no page table. */
static unsigned long *apsie_shadow_find(const struct apsie_root *root, unsigned long addr)
{
	unsigned long *table = root->table, entry;
	int type;

	if (!apsie_shadow_covers(root, addr))
		return NULL;
	for (type = root->type; type >= 0; type--) {
		entry = table[apsie_shadow_index(addr, type)];
		if (entry & APSIE_TABLE_INVALID)
			return NULL;
		table = apsie_next(entry, type);
	}
	return &table[apsie_page_index(addr)];
}

/**
 * apsie_shadow_entry() - what a root has for an address
 * @root: the root
 * @addr: guest virtual address
 *
 * Context: vm->lock is held.
 * Return: The page table entry; an invalid one if there is none.
 */
unsigned long apsie_shadow_entry(const struct apsie_root *root, unsigned long addr)
{
	unsigned long *entry = apsie_shadow_find(root, addr);

	return entry ? *entry : APSIE_PAGE_INVALID;
}
EXPORT_SYMBOL_GPL(apsie_shadow_entry);

/**
 * apsie_shadow_fill() - enter a translation
 * @self: the guest CPU
 * @root: the root
 * @addr: guest virtual address; @root covers it
 * @entry: host real address and APSIE_PROTECT, APSIE_NO_EXECUTE
 *
 * Context: vm->lock is held.
 */
void apsie_shadow_fill(struct apsie_vcpu *self, struct apsie_root *root, unsigned long addr,
		       unsigned long entry)
{
	struct apsie_shadow *shadow = &self->vm->shadow;
	unsigned long *table = root->table, *slot, *below;
	unsigned long next;
	int type;

	for (type = root->type; type >= 0; type--) {
		slot = &table[apsie_shadow_index(addr, type)];
		next = *slot;
		if (next & APSIE_TABLE_INVALID) {
			below = type ? apsie_take_table(shadow, type - 1) :
				       apsie_take_page_table(shadow);
			next = virt_to_phys(below) | type << 2 | (type ? 3 : 0);
			WRITE_ONCE(*slot, next);
		}
		table = apsie_next(next, type);
	}
	WRITE_ONCE(table[apsie_page_index(addr)], entry);
	apsie_count(APSIE_COUNT_FILL, 1);
}
EXPORT_SYMBOL_GPL(apsie_shadow_fill);

/**
 * apsie_shadow_zap() - make the translations of one virtual page invalid, whatever the ASCE
 * @self: the guest CPU
 * @addr: guest virtual address
 *
 * Context: vm->lock is held.
 */
void apsie_shadow_zap(struct apsie_vcpu *self, unsigned long addr)
{
	struct apsie_vm *vm = self->vm;
	unsigned long *entry;
	unsigned int n;

	apsie_count(APSIE_COUNT_ZAP, 1);
	apsie_vm_stop(vm, self);
	for (n = 0; n < APSIE_ROOTS; n++) {
		if (!vm->shadow.roots[n].table || vm->shadow.roots[n].real)
			continue;
		entry = apsie_shadow_find(&vm->shadow.roots[n], addr);
		if (entry)
			*entry = APSIE_PAGE_INVALID;
	}
	apsie_purge(vm);
}
EXPORT_SYMBOL_GPL(apsie_shadow_zap);

/**
 * apsie_shadow_forget() - make all translations of an ASCE invalid
 * @self: the guest CPU
 * @asce: of the guest; only its table origin counts
 *
 * Context: vm->lock is held.
 */
void apsie_shadow_forget(struct apsie_vcpu *self, unsigned long asce)
{
	struct apsie_vm *vm = self->vm;
	struct apsie_root *root;
	unsigned int n;

	apsie_vm_stop(vm, self);
	for (n = 0; n < APSIE_ROOTS; n++) {
		root = &vm->shadow.roots[n];
		if (root->table && !root->real && !((root->asce ^ asce) & APSIE_ORIGIN))
			apsie_free_root(&vm->shadow, root);
	}
	apsie_purge(vm);
}
EXPORT_SYMBOL_GPL(apsie_shadow_forget);
