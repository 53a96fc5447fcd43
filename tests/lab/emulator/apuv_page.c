// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose page is it? An entry for each page frame of the host.
 *
 * The contents of a page stay as they are when it becomes secure: a guest runs on the page itself,
 * so there is no other copy that could be shown to the host.
 */
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <asm/io.h>
#include "apuv.h"

/* Beside memory that can be added, there is no page frame beyond the last one. */
#define APUV_FRAMES_MORE	1024

#define APUV_TABLE_INVALID	0x20UL
#define APUV_PAGE_INVALID	0x400UL
#define APUV_ASCE_SHIFT(asce)	(20 + 11 * ((asce) >> 2 & 3))

static struct apuv_page *apuv_pages;
static unsigned long apuv_frames;
static u64 apuv_generation;

static struct apuv_page *apuv_page(u64 paddr)
{
	unsigned long frame = paddr >> PAGE_SHIFT;

	lockdep_assert_held(&apuv_lock);
	return frame < apuv_frames ? &apuv_pages[frame] : NULL;
}

/**
 * apuv_page_walk() - find a page of a guest in its host tables
 * @asce: of the guest's memory
 * @gaddr: guest absolute address
 *
 * Context: Any; the tables stay, KVM holds a lock of theirs.
 * Return: Page frame, or -1 if it is not there.
 */
long apuv_page_walk(u64 asce, u64 gaddr)
{
	u64 *table = phys_to_virt(asce & PAGE_MASK), entry;
	int shift = APUV_ASCE_SHIFT(asce);

	for (; shift >= 20; shift -= 11) {
		entry = READ_ONCE(table[gaddr >> shift & 0x7ff]);
		if (entry & APUV_TABLE_INVALID)
			return -1;
		table = phys_to_virt(entry & (shift > 20 ? PAGE_MASK : ~0x7ffUL));
	}
	entry = READ_ONCE(table[gaddr >> PAGE_SHIFT & 0xff]);
	return entry & APUV_PAGE_INVALID ? -1 : entry >> PAGE_SHIFT;
}
EXPORT_SYMBOL_GPL(apuv_page_walk);

/**
 * apuv_page_import() - a page becomes secure
 * @conf: the configuration that it will belong to
 * @gaddr: guest absolute address
 *
 * Pages of a configuration that was destroyed are everybody's.
 *
 * Context: apuv_lock is held.
 * Return: APUV_RC_*.
 */
u16 apuv_page_import(const struct apuv_conf *conf, u64 gaddr)
{
	long frame = apuv_page_walk(conf->asce, gaddr);
	struct apuv_page *page;

	page = frame < 0 ? NULL : apuv_page((u64)frame << PAGE_SHIFT);
	if (!page)
		return APUV_RC_NOT_MAPPED;
	if (page->state != APUV_NONE && page->handle != conf->handle &&
	    apuv_conf_find(page->handle))
		return APUV_RC_FOREIGN;
	page->handle = conf->handle;
	page->gfn = gaddr >> PAGE_SHIFT;
	/* Pairs with the load in apuv_page_access(). */
	smp_store_release(&page->state, APUV_SECURE);
	return APUV_RC_EXECUTED;
}

/**
 * apuv_page_release() - the host gets a page back
 * @paddr: absolute address
 * @clear: its contents are destroyed, not exported
 * @was_secure: set if it was not everybody's
 *
 * Context: apuv_lock is held.
 * Return: APUV_RC_*.
 */
u16 apuv_page_release(u64 paddr, bool clear, bool *was_secure)
{
	struct apuv_page *page = apuv_page(paddr);

	*was_secure = false;
	if (!page)
		return APUV_RC_ADDRESS;
	if (page->state == APUV_NONE)
		return APUV_RC_EXECUTED;
	*was_secure = true;
	if (clear)
		memset(phys_to_virt(paddr & PAGE_MASK), 0, PAGE_SIZE);
	WRITE_ONCE(page->state, APUV_NONE);
	apuv_generation++;
	return APUV_RC_EXECUTED;
}

/**
 * apuv_page_pin() - the host wants a shared page to stay shared
 * @paddr: absolute address
 *
 * Context: apuv_lock is held.
 * Return: APUV_RC_*.
 */
u16 apuv_page_pin(u64 paddr)
{
	struct apuv_page *page = apuv_page(paddr);

	if (!page)
		return APUV_RC_ADDRESS;
	if (page->state != APUV_SHARED && page->state != APUV_PINNED)
		return APUV_RC_NOT_SHARED;
	WRITE_ONCE(page->state, APUV_PINNED);
	return APUV_RC_EXECUTED;
}

/**
 * apuv_page_unpin() - the host does not need a shared page any more
 * @handle: the configuration that it belongs to
 * @gaddr: guest absolute address
 *
 * Context: apuv_lock is held.
 * Return: APUV_RC_*.
 */
u16 apuv_page_unpin(u64 handle, u64 gaddr)
{
	const struct apuv_conf *conf = apuv_conf_find(handle);
	long frame = conf ? apuv_page_walk(conf->asce, gaddr) : -1;
	struct apuv_page *page;

	page = frame < 0 ? NULL : apuv_page((u64)frame << PAGE_SHIFT);
	if (!page)
		return APUV_RC_NOT_MAPPED;
	if (page->handle != handle || page->state != APUV_PINNED)
		return APUV_RC_NOT_SHARED;
	WRITE_ONCE(page->state, APUV_SHARED);
	return APUV_RC_EXECUTED;
}

/**
 * apuv_page_unshare_all() - no page of a configuration is shared any more
 * @handle: the configuration
 *
 * Context: apuv_lock is held.
 */
void apuv_page_unshare_all(u64 handle)
{
	unsigned long n;

	lockdep_assert_held(&apuv_lock);
	for (n = 0; n < apuv_frames; n++)
		if (apuv_pages[n].handle == handle && apuv_pages[n].state != APUV_NONE)
			WRITE_ONCE(apuv_pages[n].state, APUV_SECURE);
}

/**
 * apuv_page_share() - a guest shares a page, or takes that back
 * @handle: its configuration
 * @gfn: guest absolute page number
 * @paddr: host absolute address
 * @on: share it
 *
 * Context: apuv_lock is held.
 * Return: 0, -ENOENT if the page is not its own, -EBUSY if the host has it pinned.
 */
int apuv_page_share(u64 handle, unsigned long gfn, unsigned long paddr, bool on)
{
	struct apuv_page *page = apuv_page(paddr);

	if (!page || page->state == APUV_NONE || page->handle != handle || page->gfn != gfn)
		return -ENOENT;
	if (on && page->state == APUV_SECURE)
		WRITE_ONCE(page->state, APUV_SHARED);
	if (on)
		return 0;
	if (page->state == APUV_PINNED)
		return -EBUSY;
	WRITE_ONCE(page->state, APUV_SECURE);
	return 0;
}
EXPORT_SYMBOL_GPL(apuv_page_share);

/**
 * apuv_page_access() - a guest CPU touches a page
 * @handle: its configuration, 0 if it is not a protected guest
 * @gfn: guest absolute page number
 * @paddr: host absolute address
 *
 * The page can be the operand of an AP instruction, with apemu_lock held. That comes after
 * apuv_lock, which is not taken here.
 *
 * Context: Any.
 * Return: 0 or the program interruption code that the host gets: APUV_PGM_*.
 */
int apuv_page_access(u64 handle, unsigned long gfn, unsigned long paddr)
{
	const struct apuv_page *page = &apuv_pages[paddr >> PAGE_SHIFT];
	u8 state = APUV_NONE;

	if (paddr >> PAGE_SHIFT < apuv_frames)
		state = smp_load_acquire(&page->state); /* pairs with apuv_page_import() */
	if (!handle)
		return state == APUV_SECURE ? APUV_PGM_SECURE : 0;
	if (state == APUV_NONE)
		return APUV_PGM_NOT_SECURE;
	return READ_ONCE(page->handle) == handle && READ_ONCE(page->gfn) == gfn ?
	       0 : APUV_PGM_VIOLATION;
}
EXPORT_SYMBOL_GPL(apuv_page_access);

/**
 * apuv_page_may_store() - may an adapter store to a page?
 * @paddr: absolute address
 *
 * Context: Any.
 * Return: true if it is shared or everybody's.
 */
bool apuv_page_may_store(u64 paddr)
{
	unsigned long frame = paddr >> PAGE_SHIFT;

	return frame >= apuv_frames || READ_ONCE(apuv_pages[frame].state) != APUV_SECURE;
}

/**
 * apuv_page_generation() - grows whenever the host gets a page back
 *
 * Context: Any.
 * Return: The generation.
 */
u64 apuv_page_generation(void)
{
	return READ_ONCE(apuv_generation);
}
EXPORT_SYMBOL_GPL(apuv_page_generation);

/**
 * apuv_page_count() - how many pages are in which state?
 * @counts: APUV_STATES of them
 *
 * Context: Process context.
 */
void apuv_page_count(unsigned long *counts)
{
	unsigned long n;

	memset(counts, 0, APUV_STATES * sizeof(*counts));
	for (n = 0; n < apuv_frames; n++)
		counts[READ_ONCE(apuv_pages[n].state)]++;
}

/**
 * apuv_page_init() - allocate the entries
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int apuv_page_init(void)
{
	unsigned long frames = get_num_physpages() + APUV_FRAMES_MORE;

	apuv_pages = vcalloc(frames, sizeof(*apuv_pages));
	if (!apuv_pages)
		return -ENOMEM;
	apuv_frames = frames;
	return 0;
}

/**
 * apuv_page_exit() - free them
 *
 * Context: Process context.
 */
void apuv_page_exit(void)
{
	apuv_frames = 0;
	vfree(apuv_pages);
}
