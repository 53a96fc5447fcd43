// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts, for real.
 *
 * A queue whose IR bit is on and that has news stores its notification byte.
 * Then, with a GISA: the interruption pending bit of the guest ISC is set; if the
 * alert mask of the GISA has that ISC, the GISA goes on the alert list of the GIB,
 * and if that list was empty the host gets an adapter interrupt on the ISC of the
 * GIB. Without a GISA: the host gets an adapter interrupt on the ISC that AQIC
 * named. The list protocol is the counterpart of what KVM documents in
 * process_gib_alert_list() and gisa_get_ipm_or_restore_iam().
 *
 * The host's interrupt comes from an irq_work, because an instruction can be
 * executed with interrupts off and with locks held that the handlers want.
 */
#include <linux/export.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irq_work.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <asm/irq.h>
#include <asm/irq_regs.h>

#include <asm/ptrace.h>
#include "apemu_private.h"

/* The alert list is empty and KVM wants an interrupt for the next entry. */
#define APEMU_GIB_LIST_EMPTY	0

static u32 apemu_gib;
static u64 apemu_unchecked;
static atomic_t apemu_pending_iscs;
static bool (*apemu_store_check)(u64 address);

static void apemu_irq_deliver(struct irq_work *work)
{
	unsigned long iscs = atomic_xchg(&apemu_pending_iscs, 0);
	struct pt_regs regs = {}, *old;
	unsigned int isc;

	/* what the I/O interrupt handler does, with our interruption code */
	for_each_set_bit(isc, &iscs, 8) {
		regs.tpi_info.adapter_IO = 1;
		regs.tpi_info.isc = isc;
		old = set_irq_regs(&regs);
		generic_handle_irq(THIN_INTERRUPT);
		set_irq_regs(old);
	}
}

static struct irq_work apemu_irq_work =
	IRQ_WORK_INIT_HARD(apemu_irq_deliver);

static void apemu_irq_host(u8 isc)
{
	atomic_or(BIT(isc), &apemu_pending_iscs);
	irq_work_queue(&apemu_irq_work);
}

/**
 * apemu_irq_address_valid() - can an adapter store at this absolute address
 * @address: the address
 *
 * Address 0 is refused: it is the lowcore, and AQIC answers 06 for it.
 *
 * Context: Any.
 * Return: true if there is memory.
 */
bool apemu_irq_address_valid(u64 address)
{
	return address >= PAGE_SIZE && pfn_valid(address >> PAGE_SHIFT);
}

/* The GISA is not linked, wants to be told about this ISC: link it. */
static void apemu_irq_alert(struct kvm_s390_gisa *gisa, u32 origin)
{
	struct kvm_s390_gib *gib = phys_to_virt(apemu_gib);
	u32 first;

	/*
	 * The next_alert field is ours from the moment it stopped pointing at
	 * its own GISA until the list is published.
	 */
	do {
		first = READ_ONCE(gib->alert_list_origin);
		WRITE_ONCE(gisa->next_alert, first);
	} while (cmpxchg(&gib->alert_list_origin, first, origin) != first);
	if (first == APEMU_GIB_LIST_EMPTY)
		apemu_irq_host(gib->nisc);
}

static void apemu_irq_guest(const struct apemu_queue *queue)
{
	struct kvm_s390_gisa *gisa = phys_to_virt(queue->gisa);
	u64 old, new, bit = 0x80 >> queue->gisc;
	bool alert;

	/* next_alert, IPM and IAM share the first doubleword */
	do {
		old = READ_ONCE(gisa->u64.word[0]);
		new = old | bit << 24;
		alert = old >> 32 == queue->gisa && (old & bit) && apemu_gib;
		/* alerted once; KVM restores the mask when it has caught up */
		if (alert)
			new &= 0x00000000ffffff00UL;
	} while (cmpxchg(&gisa->u64.word[0], old, new) != old);
	if (alert)
		apemu_irq_alert(gisa, queue->gisa);
}

/**
 * apemu_irq_raise() - the queue has news
 * @queue: the queue
 *
 * A guest's notification byte lies in a page that the driver promised to keep
 * pinned. If nobody has it pinned the store is counted and not done: the page may
 * be somebody else's by now.
 *
 * Context: Any; apemu_lock held.
 */
void apemu_irq_raise(struct apemu_queue *queue)
{
	struct page *page;

	lockdep_assert_held(&apemu_lock);
	if (!queue->ir)
		return;
	if (queue->gisa) {
		page = pfn_to_page(queue->nib >> PAGE_SHIFT);
		if (!folio_maybe_dma_pinned(page_folio(page))) {
			apemu_unchecked++;
			apemu_log_event("unchecked-store", queue->qid);
			return;
		}
	}
	if (apemu_store_check && !apemu_store_check(queue->nib)) {
		apemu_log_event("secure-store", queue->qid);
		return;
	}
	WRITE_ONCE(*(u8 *)phys_to_virt(queue->nib), 1);
	if (queue->gisa)
		apemu_irq_guest(queue);
	else
		apemu_irq_host(queue->isc);
	apemu_log_event("irq", queue->qid);
}

/**
 * apemu_set_store_check() - who may forbid an adapter to store
 * @check: called with apemu_lock held and the address of the byte; NULL for nobody
 *
 * Context: Any; takes apemu_lock.
 */
void apemu_set_store_check(bool (*check)(u64 address))
{
	unsigned long flags;

	raw_spin_lock_irqsave(&apemu_lock, flags);
	apemu_store_check = check;
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
}
EXPORT_SYMBOL_GPL(apemu_set_store_check);

/**
 * apemu_irq_set_gib() - the host told the channel subsystem where its GIB is
 * @origin: absolute address, 0 for none
 *
 * Context: Any; takes apemu_lock.
 */
void apemu_irq_set_gib(u32 origin)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&apemu_lock, flags);
	apemu_gib = origin;
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
}

/**
 * apemu_gib_origin() - where the GIB is
 *
 * Context: Any.
 * Return: Absolute address, or 0 while there is none.
 */
u32 apemu_gib_origin(void)
{
	return READ_ONCE(apemu_gib);
}
EXPORT_SYMBOL_GPL(apemu_gib_origin);

/**
 * apemu_irq_unchecked() - count stores to notification bytes that nobody pins
 *
 * Context: Any.
 * Return: Stores suppressed since the start or the last factory command.
 */
u64 apemu_irq_unchecked(void)
{
	return READ_ONCE(apemu_unchecked);
}

/**
 * apemu_irq_forget_unchecked() - start counting anew
 *
 * Context: Any.
 */
void apemu_irq_forget_unchecked(void)
{
	WRITE_ONCE(apemu_unchecked, 0);
}
