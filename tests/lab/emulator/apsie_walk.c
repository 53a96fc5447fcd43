// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dynamic address translation of the guest, through its own tables. The tables are read
 * only: the guest's reference and change bits are in its storage keys, which KVM has.
 */
#include "apsie.h"

#define APSIE_REGION_SHIFT(type)	(20 + 11 * (type))
#define APSIE_INDEX(addr, type)		((addr) >> APSIE_REGION_SHIFT(type) & 0x7ff)
#define APSIE_PAGE_INDEX(addr)		((addr) >> PAGE_SHIFT & 0xff)

static int apsie_walk_entry(struct apsie_vcpu *self, unsigned long real, unsigned long *entry)
{
	unsigned long host = apsie_memory_host(self, real);

	if (!host)
		return self->missing ? -EFAULT : APEMU_PGM_ADDRESSING;
	*entry = READ_ONCE(*(unsigned long *)host);
	return 0;
}

/* The exception for a table of that type whose entry is invalid or not there. */
static int apsie_walk_code(unsigned int type)
{
	static const int codes[] = { APSIE_PGM_SEGMENT, APSIE_PGM_REGION_3, APSIE_PGM_REGION_2,
				     APSIE_PGM_REGION_1 };

	return codes[type];
}

/* An entry that says where a large frame is, and does not lead to a table. */
static bool apsie_walk_frame(unsigned long entry, unsigned int type)
{
	return type <= 1 && entry & APSIE_TABLE_FRAME;
}

static void apsie_walk_note(struct apsie_walked *walked, unsigned long entry)
{
	walked->protect |= !!(entry & APSIE_PROTECT);
}

static void apsie_walk_end(struct apsie_walked *walked, unsigned long entry, unsigned long addr,
			   unsigned long mask)
{
	walked->no_execute = entry & APSIE_NO_EXECUTE;
	walked->real = (entry & ~mask) | (addr & mask);
}

static int apsie_walk_page(struct apsie_vcpu *self, unsigned long table, unsigned long addr,
			   struct apsie_walked *walked)
{
	unsigned long entry;
	int rc;

	rc = apsie_walk_entry(self, table + APSIE_PAGE_INDEX(addr) * 8, &entry);
	if (rc)
		return rc;
	if (entry & APSIE_PAGE_INVALID)
		return APSIE_PGM_PAGE;
	if (entry & APSIE_PAGE_RESERVED)
		return APSIE_PGM_TRANSLATION;
	apsie_walk_note(walked, entry);
	apsie_walk_end(walked, entry, addr, ~PAGE_MASK);
	return 0;
}

static int apsie_walk_tables(struct apsie_vcpu *self, unsigned long asce, unsigned long addr,
			     struct apsie_walked *walked)
{
	unsigned long table = asce & APSIE_ORIGIN, entry, index;
	unsigned int length = APSIE_LENGTH(asce), offset = 0;
	int type, rc;

	for (type = APSIE_TYPE(asce); type >= 0; type--) {
		index = APSIE_INDEX(addr, type);
		if (index >> 9 > length || index >> 9 < offset)
			return apsie_walk_code(type);
		rc = apsie_walk_entry(self, table + index * 8, &entry);
		if (rc)
			return rc;
		if (entry & APSIE_TABLE_INVALID)
			return apsie_walk_code(type);
		if (APSIE_TYPE(entry) != type)
			return APSIE_PGM_TRANSLATION;
		apsie_walk_note(walked, entry);
		if (apsie_walk_frame(entry, type)) {
			apsie_walk_end(walked, entry, addr, (1UL << APSIE_REGION_SHIFT(type)) - 1);
			return 0;
		}
		table = entry & APSIE_ORIGIN;
		length = APSIE_LENGTH(entry);
		offset = APSIE_OFFSET(entry);
	}
	return apsie_walk_page(self, entry & APSIE_PAGE_ORIGIN, addr, walked);
}

/**
 * apsie_walk() - translate a guest virtual address
 * @self: the guest CPU
 * @asce: the address-space-control element
 * @addr: the address
 * @walked: gets the result
 *
 * Context: vm->lock is held.
 * Return: 0; the program interruption code of the exception; -EFAULT if a table is in a page
 *	   that is not there, which @self tells.
 */
int apsie_walk(struct apsie_vcpu *self, unsigned long asce, unsigned long addr,
	       struct apsie_walked *walked)
{
	unsigned int type = APSIE_TYPE(asce);
	int rc;

	*walked = (struct apsie_walked){ .real = addr };
	if (asce & APSIE_ASCE_REAL)
		return 0;
	if (type < 3 && addr >> APSIE_REGION_SHIFT(type + 1))
		return APSIE_PGM_ASCE_TYPE;
	rc = apsie_walk_tables(self, asce, addr, walked);
	if (!(self->block->gcr[0] & APSIE_CR0_IEP))
		walked->no_execute = false;
	return rc;
}
EXPORT_SYMBOL_GPL(apsie_walk);
