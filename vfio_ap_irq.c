// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of queues: AQIC of guests, and the notification indicator bytes.
 *
 * A NIB has two owners. VFIO wants its pin back when the guest's memory is
 * unmapped, at once. The adapter may write to the page until the interrupt is
 * seen off, and until then the page and the guest with its GISA stay; the GISC
 * is given up when the queue leaves its guest, or with the interrupt. Each
 * owner gives up its share exactly once; whoever is last frees the object.
 *
 * vfio_pin_pages() waits for user memory and VFIO's locks. No lock of the driver
 * is held around it. So that an unmap cannot miss a pin that is just being
 * made, the NIB is on the mdev's list before, and the unmap waits for it.
 *
 * VFIO's type 1 backend calls for an unmap with a lock held that it takes inside
 * of the one that returning a pin takes. So the unmap leaves that to a work item
 * of the NIB.
 */
#include <linux/iommu.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <asm/uv.h>

#include "vfio_ap_pqap.h"
#include "vfio_ap_private.h"
#include "vfio_ap_trace.h"

/*
 * Type 1 looks ten times for pins in a range, then it gives up on the host (BUG).
 * It waits for its own lock in between, for as long as a VMM likes.
 */
#define UNMAP_WAIT_MS		2000
#define UNMAPS_OF_NIBS_MAX	8

/*
 * How long a NIB that its guest has disabled is kept, at most, before the poller
 * looks whether the interrupt is off: who enables it again by then needs no new
 * pin.
 */
#define LINGER_NS		(10 * NSEC_PER_MSEC)

/**
 * enum nib_pin - where the pin of VFIO stands
 * @NIB_PINNING: a vCPU is asking for it
 * @NIB_PINNED: VFIO counts it
 * @NIB_RETURNING: it is being given back
 */
enum nib_pin {
	NIB_PINNING,
	NIB_PINNED,
	NIB_RETURNING,
};

/**
 * struct vfio_ap_nib - a page with a notification indicator byte
 * @owners: the adapter and VFIO
 * @node: in &ap_matrix_mdev.nibs as long as VFIO is an owner; [nib_lock]
 * @pin: where the pin stands; whoever makes PINNED RETURNING has to give it
 *	back
 * @revoked: nobody wants the pin any more; set under nib_lock before @pin is
 *	looked at, looked at after @pin was made PINNED
 * @mdev: whose pin it is; valid as long as the NIB is in the list
 * @q: the queue, with a reference
 * @kvm: the guest, with a reference
 * @page: the page, with a reference of our own next to the pin
 * @iova: guest address of the page
 * @gisc: the guest's interruption subclass, 0 to 7
 * @nisc: the host's interruption subclass for it, valid if @has_gisc
 * @has_gisc: @gisc is registered
 * @ended: the adapter's share is to be given up by @work; [nib_lock]
 * @work: gives up shares where that cannot be done on the spot; has a share of
 *	its own meanwhile
 */
struct vfio_ap_nib {
	refcount_t owners;
	struct list_head node;
	enum nib_pin pin;
	bool revoked;
	struct ap_matrix_mdev *mdev;
	struct vfio_ap_queue *q;
	struct kvm *kvm;
	struct page *page;
	dma_addr_t iova;
	u8 gisc;
	u8 nisc;
	bool has_gisc;
	bool ended;
	struct work_struct work;
};

/**
 * struct unmap - a range of guest memory that VFIO is unmapping
 * @node: in &ap_matrix_mdev.unmaps; [nib_lock]
 * @range: the range
 */
struct unmap {
	struct list_head node;
	struct vfio_ap_range range;
};

/* Making and freeing one would be half of what AQIC costs: keep one. */
static void nib_free(struct vfio_ap_queue *q, struct vfio_ap_nib *nib)
{
	if (cmpxchg(&q->spare, NULL, nib))
		kfree(nib);
}

static void nib_put(struct vfio_ap_nib *nib)
{
	struct vfio_ap_queue *q = nib->q;

	if (!refcount_dec_and_test(&nib->owners))
		return;
	nib_free(q, nib);
	vfio_ap_queue_put(q);
}

/**
 * nib_unlist() - VFIO does not count a pin (any more)
 * @nib: the NIB
 *
 * Context: process; expects nib_lock.
 */
static void nib_unlist(struct vfio_ap_nib *nib)
{
	lockdep_assert_held(&matrix_dev->nib_lock);

	list_del_init(&nib->node);
	if (wq_has_sleeper(&nib->mdev->nib_wait))
		wake_up_all(&nib->mdev->nib_wait);
}

/**
 * nib_return() - give VFIO its pin back, unless somebody else does
 * @nib: the NIB
 *
 * Context: process, may sleep for VFIO's locks. Takes nib_lock.
 */
static void nib_return(struct vfio_ap_nib *nib)
{
	if (cmpxchg(&nib->pin, NIB_PINNED, NIB_RETURNING) != NIB_PINNED)
		return;
	vfio_unpin_pages(&nib->mdev->vdev, nib->iova, 1);
	scoped_guard(spinlock, &matrix_dev->nib_lock)
		nib_unlist(nib);
	nib_put(nib);
}

/**
 * nib_kick() - have the work item of a NIB look at it
 * @nib: the NIB; the caller has a share
 *
 * Context: any; expects nib_lock.
 */
static void nib_kick(struct vfio_ap_nib *nib)
{
	struct workqueue_struct *wq = matrix_dev->release_wq;

	lockdep_assert_held(&matrix_dev->nib_lock);

	/* As long as it is in the list, VFIO is an owner, and there is an mdev. */
	if (!list_empty(&nib->node))
		wq = nib->mdev->release_wq;
	refcount_inc(&nib->owners);
	if (!queue_work(wq, &nib->work))
		refcount_dec(&nib->owners);
}

/**
 * nib_revoke() - have VFIO get its pin back
 * @nib: the NIB
 *
 * Context: any; expects nib_lock.
 */
static void nib_revoke(struct vfio_ap_nib *nib)
{
	lockdep_assert_held(&matrix_dev->nib_lock);

	WRITE_ONCE(nib->revoked, true);
	/* Pairs with the exchange in nib_pin(). */
	smp_mb();
	if (READ_ONCE(nib->pin) == NIB_PINNED)
		nib_kick(nib);
}

/**
 * nib_unregister() - give up the GISC of a NIB
 * @nib: the NIB; the caller has the adapter's share, or the lock of the queue that
 *	has it
 *
 * Context: process.
 */
static void nib_unregister(struct vfio_ap_nib *nib)
{
	if (nib->has_gisc)
		kvm_s390_gisc_unregister(nib->kvm, nib->gisc);
	nib->has_gisc = false;
}

/**
 * nib_end() - the adapter does not use a NIB (any more)
 * @nib: the NIB; the adapter's share is given up
 *
 * Context: process, may sleep for VFIO's locks and for the end of a guest. Takes
 *	    nib_lock.
 */
static void nib_end(struct vfio_ap_nib *nib)
{
	nib_unregister(nib);
	nib_return(nib);
	put_page(nib->page);
	kvm_put_kvm(nib->kvm);
	nib_put(nib);
}

/**
 * nib_work() - give up shares of a NIB
 * @work: its work item
 *
 * Context: process, may sleep for VFIO's locks and for the end of a guest. Takes
 *	    nib_lock.
 */
static void nib_work(struct work_struct *work)
{
	struct vfio_ap_nib *nib = container_of(work, struct vfio_ap_nib, work);
	bool ended = false;

	scoped_guard(spinlock, &matrix_dev->nib_lock)
		swap(ended, nib->ended);
	if (ended)
		nib_end(nib);
	else
		nib_return(nib);
	nib_put(nib);
}

static bool nib_overlaps(u64 iova, const struct vfio_ap_range *range)
{
	return iova + PAGE_SIZE - 1 >= range->first && iova <= range->last &&
	       range->first <= range->last;
}

/**
 * nib_refused() - check whether a page is in a range that is closed
 * @mdev: the mdev
 * @iova: guest address of a page
 *
 * Context: any; expects nib_lock.
 * Return: true if the memory is being unmapped, or closed until the device is
 *	   closed.
 */
static bool nib_refused(const struct ap_matrix_mdev *mdev, u64 iova)
{
	const struct unmap *u;

	lockdep_assert_held(&matrix_dev->nib_lock);

	list_for_each_entry(u, &mdev->unmaps, node)
		if (nib_overlaps(iova, &u->range))
			return true;
	return nib_overlaps(iova, &mdev->closed);
}

static struct vfio_ap_nib *nib_alloc(struct vfio_ap_queue *q)
{
	struct vfio_ap_nib *nib = xchg(&q->spare, NULL);

	if (!nib) {
		nib = kzalloc(sizeof(*nib), GFP_KERNEL_ACCOUNT);
		if (!nib)
			return NULL;
		INIT_WORK(&nib->work, nib_work);
	}
	refcount_set(&nib->owners, 2);
	nib->pin = NIB_PINNING;
	nib->revoked = false;
	nib->has_gisc = false;
	nib->ended = false;
	return nib;
}

/**
 * nib_pin() - pin a guest page
 * @mdev: the guest's mdev
 * @q: the queue that is going to write to it
 * @kvm: the guest
 * @iova: guest address of the page
 *
 * Context: process, may sleep for memory of the guest and for VFIO's locks; no
 *	    lock of the driver may be held. Takes nib_lock.
 * Return: the NIB with both owners; -EAGAIN if the range is closed;
 *	   -ENOMEM; -EFAULT if the page cannot be had.
 */
static struct vfio_ap_nib *nib_pin(struct ap_matrix_mdev *mdev,
				   struct vfio_ap_queue *q, struct kvm *kvm,
				   dma_addr_t iova)
{
	bool pinned, refused = false;
	struct vfio_ap_nib *nib;

	nib = nib_alloc(q);
	if (!nib)
		return ERR_PTR(-ENOMEM);
	nib->mdev = mdev;
	nib->iova = iova;

	scoped_guard(spinlock, &matrix_dev->nib_lock) {
		refused = nib_refused(mdev, iova);
		if (!refused)
			list_add_tail(&nib->node, &mdev->nibs);
	}
	if (refused) {
		nib_free(q, nib);
		return ERR_PTR(-EAGAIN);
	}
	pinned = vfio_pin_pages(&mdev->vdev, iova, 1,
				IOMMU_READ | IOMMU_WRITE, &nib->page) == 1;
	/* Memory without a reference count cannot be kept. */
	if (pinned && folio_try_get(page_folio(nib->page))) {
		nib->kvm = kvm;
		kvm_get_kvm(kvm);
		nib->q = q;
		kref_get(&q->ref);
		/* Whoever finds it PINNED finds the rest as well. */
		xchg(&nib->pin, NIB_PINNED);
		return nib;
	}
	if (pinned)
		vfio_unpin_pages(&mdev->vdev, iova, 1);
	scoped_guard(spinlock, &matrix_dev->nib_lock)
		nib_unlist(nib);
	nib_free(q, nib);
	return ERR_PTR(-EFAULT);
}

/* A guest in a protected virtual machine has to share the page. */
static bool nib_share(const struct kvm_vcpu *vcpu, struct vfio_ap_nib *nib)
{
	return !vcpu->arch.pv.handle || !uv_pin_shared(page_to_phys(nib->page));
}

static bool nib_in_memslot(struct kvm *kvm, u64 gpa)
{
	const struct kvm_memory_slot *slot;

	slot = __gfn_to_memslot(kvm_memslots(kvm), gpa_to_gfn(gpa));
	return slot && !(slot->flags & KVM_MEMSLOT_INVALID);
}

static struct vfio_ap_nib *nib_make(struct kvm_vcpu *vcpu,
				    struct ap_matrix_mdev *mdev,
				    struct vfio_ap_queue *q, u64 gpa)
{
	struct vfio_ap_nib *nib;

	/* Address 0 is what a guest gives that has none. */
	if (!gpa || !nib_in_memslot(vcpu->kvm, gpa))
		return ERR_PTR(-EFAULT);
	nib = nib_pin(mdev, q, vcpu->kvm, gpa & PAGE_MASK);
	if (!IS_ERR(nib) && !nib_share(vcpu, nib)) {
		nib_end(nib);
		return ERR_PTR(-EFAULT);
	}
	return nib;
}

/**
 * aqic_off() - ask whether the interrupt of a queue is off
 * @q: the queue
 *
 * Context: process; expects the queue's lock.
 * Return: true if the adapter cannot write to the NIB any more.
 */
static bool aqic_off(struct vfio_ap_queue *q)
{
	u32 status;

	lockdep_assert_held(&q->lock);

	status = pqap_tapq(q->apqn);
	switch (ap_status_response(status)) {
	case AP_RESPONSE_Q_NOT_AVAIL:
	case AP_RESPONSE_DECONFIGURED:
	case AP_RESPONSE_CHECKSTOPPED:
		return true;
	case AP_RESPONSE_RESET_IN_PROGRESS:
		/* Of an unbound queue, it is the reset that the bus issued. */
		if (q->state == VFIO_AP_QUEUE_GONE)
			q->accepted = true;
		return false;
	case AP_RESPONSE_BUSY:
	case AP_RESPONSE_STATE_CHANGE_IN_PROGRESS:
		return false;
	case AP_RESPONSE_NORMAL:
	case AP_RESPONSE_INVALID_ADDRESS:
	case AP_RESPONSE_OTHERWISE_CHANGED:
	case AP_RESPONSE_INVALID_GISA:
	default:
		if (status & AP_STATUS_IRQ_ENABLED)
			q->unseen = false;
		/* It may be on its way, as long as the disable was not accepted */
		if (q->disable)
			return false;
		/* An enable that was accepted takes effect within this time. */
		if (q->unseen &&
		    ktime_get_ns() - q->stopped < VFIO_AP_SETTLE_NS)
			return false;
		/* Once an accepted reset is over, one that is on is not ours. */
		if (q->state == VFIO_AP_QUEUE_GONE && q->accepted &&
		    ktime_get_ns() - q->tried >= VFIO_AP_SETTLE_NS)
			return true;
		return !(status & AP_STATUS_IRQ_ENABLED);
	}
}

/**
 * aqic_disable() - switch the interrupt of a queue off
 * @q: the queue
 *
 * Context: process; expects the queue's lock.
 * Return: the status word.
 */
static u32 aqic_disable(struct vfio_ap_queue *q)
{
	u32 status;

	lockdep_assert_held(&q->lock);

	status = pqap_aqic(q->apqn, 0, 0);
	trace_vfio_ap_irq_off(q->apqn, status);
	switch (ap_status_response(status)) {
	case AP_RESPONSE_RESET_IN_PROGRESS:
	case AP_RESPONSE_BUSY:
	case AP_RESPONSE_STATE_CHANGE_IN_PROGRESS:
		q->disable = true;
		break;
	case AP_RESPONSE_OTHERWISE_CHANGED:
		/* It is off, or an enable is yet to take effect: then again. */
		q->disable = q->unseen &&
			     ktime_get_ns() - q->stopped < VFIO_AP_SETTLE_NS;
		break;
	case AP_RESPONSE_NORMAL:
		q->unseen = false;
		fallthrough;
	case AP_RESPONSE_Q_NOT_AVAIL:
	case AP_RESPONSE_DECONFIGURED:
	case AP_RESPONSE_CHECKSTOPPED:
	case AP_RESPONSE_INVALID_ADDRESS:
	case AP_RESPONSE_INVALID_GISA:
	default:
		q->disable = false;
		break;
	}
	return status;
}

/**
 * aqic_stop() - nobody wants the interrupt of a queue any more
 * @q: the queue
 *
 * Context: process; expects the queue's lock.
 * Return: the status word.
 */
static u32 aqic_stop(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&q->lock);

	q->stopped = ktime_get_ns();
	if (q->state == VFIO_AP_QUEUE_CLEAN)
		q->tried = q->stopped;
	return aqic_disable(q);
}

/**
 * aqic_take_nib() - take the NIB from a queue
 * @q: the queue; its interrupt is off
 *
 * Context: process; expects the queue's lock.
 * Return: the NIB with the adapter's share; NULL if there is none.
 */
static struct vfio_ap_nib *aqic_take_nib(struct vfio_ap_queue *q)
{
	struct vfio_ap_nib *nib;

	lockdep_assert_held(&q->lock);

	nib = q->nib;
	q->nib = NULL;
	q->nib_ending = false;
	q->disable = false;
	return nib;
}

/**
 * aqic_watch() - watch the interrupt of a queue go off
 * @q: the queue
 * @delay: when to look first, in ns from now
 *
 * Context: process; expects the queue's lock, takes poll_lock.
 */
static void aqic_watch(struct vfio_ap_queue *q, u64 delay)
{
	lockdep_assert_held(&q->lock);

	if (!q->nib) {
		q->disable = false;
		return;
	}
	q->nib_ending = true;
	vfio_ap_queue_poll(q, delay);
}

/**
 * aqic_issue_enable() - switch the interrupt of a queue on
 * @q: the queue
 * @nib: where the adapter is to write
 * @gpa: guest address of the NIB; its offset in the page counts
 *
 * Context: process; expects the queue's lock.
 * Return: the status word.
 */
static u32 aqic_issue_enable(struct vfio_ap_queue *q, struct vfio_ap_nib *nib,
			     u64 gpa)
{
	u64 gisa = virt_to_phys(nib->kvm->arch.gisa_int.origin);
	u64 control = AQIC_IR | (u64)nib->gisc << AQIC_GISC_SHIFT |
		      (gisa & AQIC_GISA) | (nib->nisc & AQIC_ISC);
	u32 status;

	lockdep_assert_held(&q->lock);

	status = pqap_aqic(q->apqn, control,
			   page_to_phys(nib->page) | offset_in_page(gpa));
	trace_vfio_ap_irq_on(q->apqn, status);
	if (ap_status_response(status) == AP_RESPONSE_NORMAL)
		q->unseen = true;
	return status;
}

/**
 * aqic_enable() - give a queue a NIB
 * @q: the queue
 * @mdev: the guest's mdev
 * @nib: the NIB; becomes what is left over with the adapter's share, or NULL
 * @gpa: guest address of the NIB
 *
 * Context: process; takes the queue's lock.
 * Return: the status word for the guest.
 */
static u32 aqic_enable(struct vfio_ap_queue *q, struct ap_matrix_mdev *mdev,
		       struct vfio_ap_nib **nib, u64 gpa)
{
	u32 status;
	int nisc;

	guard(mutex)(&q->lock);
	if (q->state == VFIO_AP_QUEUE_GONE ||
	    !vfio_ap_guest_has(mdev, q->apqn))
		return ap_status_make(AP_RESPONSE_Q_NOT_AVAIL);
	/* On its way out of the guest, though that may not know yet */
	if (!q->keep && q->state != VFIO_AP_QUEUE_CLEAN)
		return ap_status_make(AP_RESPONSE_RESET_IN_PROGRESS);
	/* Unmapped since it was pinned; who comes later finds it at the queue. */
	if (READ_ONCE((*nib)->revoked))
		return ap_status_make(AP_RESPONSE_BUSY);

	nisc = kvm_s390_gisc_register((*nib)->kvm, (*nib)->gisc);
	if (nisc < 0)
		return ap_status_make(AP_RESPONSE_INVALID_ADDRESS);
	(*nib)->nisc = nisc;
	(*nib)->has_gisc = true;

	status = aqic_issue_enable(q, *nib, gpa);
	if (ap_status_response(status) == AP_RESPONSE_OTHERWISE_CHANGED &&
	    !q->nib) {
		/* On, but not for this guest: the guest must not notice. */
		aqic_disable(q);
		status = ap_status_make(AP_RESPONSE_BUSY);
		if (aqic_off(q))
			status = aqic_issue_enable(q, *nib, gpa);
		q->disable = false;
	} else if (ap_status_response(status) == AP_RESPONSE_OTHERWISE_CHANGED &&
		   q->nib_ending) {
		/* On, but being switched off: let the guest try again. */
		status = ap_status_make(AP_RESPONSE_BUSY);
	}
	switch (ap_status_response(status)) {
	case AP_RESPONSE_NORMAL:
		swap(q->nib, *nib);
		q->nib_ending = false;
		q->disable = false;
		break;
	case AP_RESPONSE_OTHERWISE_CHANGED:
		/* The old set-up stays. */
	case AP_RESPONSE_Q_NOT_AVAIL:
	case AP_RESPONSE_RESET_IN_PROGRESS:
	case AP_RESPONSE_DECONFIGURED:
	case AP_RESPONSE_CHECKSTOPPED:
	case AP_RESPONSE_BUSY:
	case AP_RESPONSE_INVALID_ADDRESS:
	case AP_RESPONSE_INVALID_GISA:
	case AP_RESPONSE_STATE_CHANGE_IN_PROGRESS:
	default:
		/* Refused: the old set-up, if any, is what it was. */
		break;
	}
	return status;
}

/**
 * aqic_can_linger() - may a NIB that was disabled be enabled as it is?
 * @q: the queue
 * @mdev: the guest's mdev
 * @gpa: guest address of the NIB that the guest wants
 * @gisc: the interruption subclass that it wants
 *
 * Who unmaps the memory revokes the NIB first and disables it then, under the
 * queue's lock. So one that is not revoked by now is pinned as long as that lock
 * is held.
 *
 * Context: process; expects the queue's lock.
 * Return: true if page, subclass and guest are the same.
 */
static bool aqic_can_linger(const struct vfio_ap_queue *q,
			    const struct ap_matrix_mdev *mdev, u64 gpa, u8 gisc)
{
	const struct vfio_ap_nib *nib = q->nib;

	lockdep_assert_held(&q->lock);

	return nib && q->nib_ending && !q->disable && gpa &&
	       nib->iova == (gpa & PAGE_MASK) && nib->gisc == gisc &&
	       nib->mdev == mdev && nib->has_gisc && !READ_ONCE(nib->revoked) &&
	       q->state == VFIO_AP_QUEUE_CLEAN &&
	       vfio_ap_guest_has(mdev, q->apqn);
}

/**
 * aqic_enable_again() - give a queue the NIB that it had a moment ago
 * @q: the queue
 * @mdev: the guest's mdev
 * @gpa: guest address of the NIB
 * @gisc: the interruption subclass of the guest
 * @status: where to store the status word for the guest
 *
 * Context: process; takes the queue's lock.
 * Return: true if that was possible.
 */
static bool aqic_enable_again(struct vfio_ap_queue *q,
			      struct ap_matrix_mdev *mdev, u64 gpa, u8 gisc,
			      u32 *status)
{
	if (!READ_ONCE(q->nib))
		return false;
	guard(mutex)(&q->lock);
	if (!aqic_can_linger(q, mdev, gpa, gisc))
		return false;
	*status = aqic_issue_enable(q, q->nib, gpa);
	if (ap_status_response(*status) == AP_RESPONSE_NORMAL)
		q->nib_ending = false;
	/* Still on, but being switched off: let the guest try again. */
	if (ap_status_response(*status) == AP_RESPONSE_OTHERWISE_CHANGED)
		*status = ap_status_make(AP_RESPONSE_BUSY);
	return true;
}

static u32 aqic_guest_enable(struct kvm_vcpu *vcpu, struct ap_matrix_mdev *mdev,
			     struct vfio_ap_queue *q)
{
	/* User space can change the registers at any time: look once. */
	u64 gpa = READ_ONCE(vcpu->run->s.regs.gprs[2]);
	u8 gisc = READ_ONCE(vcpu->run->s.regs.gprs[1]) & AQIC_ISC;
	struct vfio_ap_nib *nib;
	u32 status;

	/* Without a GISA there are no interrupts; the guest polls then. */
	if (!(vcpu->arch.sie_block->eca & ECA_AIV))
		return ap_status_make(AP_RESPONSE_INVALID_ADDRESS);
	/* A guest in a protected virtual machine shares the page each time. */
	if (!vcpu->arch.pv.handle &&
	    aqic_enable_again(q, mdev, gpa, gisc, &status))
		return status;
	nib = nib_make(vcpu, mdev, q, gpa);
	/* Later there may be memory, or what is being unmapped be there again. */
	if (IS_ERR(nib))
		return ap_status_make(PTR_ERR(nib) == -EFAULT ?
				      AP_RESPONSE_INVALID_ADDRESS :
				      AP_RESPONSE_BUSY);
	nib->gisc = gisc;
	status = aqic_enable(q, mdev, &nib, gpa);
	if (nib)
		nib_end(nib);
	return status;
}

/**
 * aqic_guest_disable() - the guest wants no interrupts of a queue
 * @mdev: the guest's mdev
 * @q: the queue
 *
 * Does not look whether the interrupt is off, that is the poller's business. The
 * page stays pinned until then.
 *
 * Context: process. Takes the queue's lock and poll_lock.
 * Return: the status word for the guest.
 */
static u32 aqic_guest_disable(struct ap_matrix_mdev *mdev,
			      struct vfio_ap_queue *q)
{
	u32 status;

	guard(mutex)(&q->lock);
	if (q->state == VFIO_AP_QUEUE_GONE ||
	    !vfio_ap_guest_has(mdev, q->apqn))
		return ap_status_make(AP_RESPONSE_Q_NOT_AVAIL);
	status = aqic_stop(q);
	aqic_watch(q, LINGER_NS);
	return status;
}

/**
 * vfio_ap_irq_aqic() - answer PQAP(AQIC) of a guest
 * @vcpu: the vCPU
 *
 * Registers as in union ap_qirq_ctrl of asm/ap.h: APQN in general register 0,
 * IR and the interruption subclass in 1, address of the NIB in 2. The status
 * word goes to register 1.
 *
 * Context: process, may sleep for memory of the guest; KVM holds
 *	    pqap_hook_rwsem for reading. Takes the lock of the queue, nib_lock and
 *	    poll_lock.
 * Return: 0, it is answered.
 */
int vfio_ap_irq_aqic(struct kvm_vcpu *vcpu)
{
	u64 *gprs = vcpu->run->s.regs.gprs;
	struct ap_matrix_mdev *mdev;
	struct vfio_ap_queue *q = NULL;
	u16 apqn = READ_ONCE(gprs[0]);
	u32 status;

	mdev = container_of(vcpu->kvm->arch.crypto.pqap_hook,
			    struct ap_matrix_mdev, pqap_hook);
	/* Do not even look at the guest's memory for a queue it has not. */
	if (vfio_ap_guest_has(mdev, apqn))
		q = vfio_ap_queue_get(apqn);
	if (!q) {
		gprs[1] = ap_status_make(AP_RESPONSE_Q_NOT_AVAIL);
		return 0;
	}
	if (READ_ONCE(gprs[1]) & AQIC_IR)
		status = aqic_guest_enable(vcpu, mdev, q);
	else
		status = aqic_guest_disable(mdev, q);
	vfio_ap_queue_put(q);
	gprs[1] = status;
	return 0;
}

/**
 * vfio_ap_irq_leave() - a queue has left its guest
 * @q: the queue
 *
 * KVM may do without the guest's GISA from now on. The page stays until the
 * interrupt is seen off.
 *
 * Context: process; expects the queue's lock.
 */
void vfio_ap_irq_leave(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&q->lock);

	if (q->nib)
		nib_unregister(q->nib);
}

/**
 * vfio_ap_irq_ended() - the interrupt of a queue is known to be off
 * @q: the queue
 *
 * Context: process; expects the queue's lock, takes nib_lock.
 */
void vfio_ap_irq_ended(struct vfio_ap_queue *q)
{
	struct vfio_ap_nib *nib;

	lockdep_assert_held(&q->lock);

	nib = aqic_take_nib(q);
	if (!nib)
		return;
	/* A waiter for the reset may go on to an operation that needs an unused GISA. */
	nib_unregister(nib);
	scoped_guard(spinlock, &matrix_dev->nib_lock) {
		nib->ended = true;
		nib_kick(nib);
	}
}

/**
 * vfio_ap_irq_step() - look whether an interrupt went off
 * @q: the queue
 *
 * Context: process; expects the queue's lock, takes nib_lock.
 * Return: true if there is nothing (more) to wait for.
 */
bool vfio_ap_irq_step(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&q->lock);

	if (!q->nib || !q->nib_ending)
		return true;
	if (q->disable)
		aqic_disable(q);
	if (!aqic_off(q))
		return false;
	vfio_ap_irq_ended(q);
	return true;
}

/**
 * nib_take_used() - find a NIB that its queue has to stop using
 * @mdev: the mdev
 * @range: where
 *
 * Context: process; takes nib_lock.
 * Return: a NIB that VFIO has pinned and nobody has revoked yet, revoked now and
 *	   with an owner added; NULL if there is none in the range.
 */
static struct vfio_ap_nib *nib_take_used(struct ap_matrix_mdev *mdev,
					 const struct vfio_ap_range *range)
{
	struct vfio_ap_nib *nib, *found = NULL;

	spin_lock(&matrix_dev->nib_lock);
	list_for_each_entry(nib, &mdev->nibs, node) {
		if (nib->revoked || !nib_overlaps(nib->iova, range))
			continue;
		/* Who is pinning it gives it back as soon as it has it. */
		WRITE_ONCE(nib->revoked, true);
		/* Pairs with the exchange in nib_pin(). */
		smp_mb();
		if (READ_ONCE(nib->pin) != NIB_PINNED)
			continue;
		refcount_inc(&nib->owners);
		found = nib;
		break;
	}
	spin_unlock(&matrix_dev->nib_lock);
	return found;
}

/**
 * nib_none_left() - see whether VFIO has back all pins of a range
 * @mdev: the mdev
 * @range: the range
 *
 * Context: process; takes nib_lock.
 * Return: true if there is none.
 */
static bool nib_none_left(struct ap_matrix_mdev *mdev,
			  const struct vfio_ap_range *range)
{
	struct vfio_ap_nib *nib;
	bool none = true;

	spin_lock(&matrix_dev->nib_lock);
	list_for_each_entry(nib, &mdev->nibs, node)
		none = none && !nib_overlaps(nib->iova, range);
	spin_unlock(&matrix_dev->nib_lock);
	return none;
}

/**
 * nib_disuse() - the guest loses the page under a NIB
 * @nib: the NIB
 *
 * Context: process. Takes the queue's lock, nib_lock and poll_lock.
 */
static void nib_disuse(struct vfio_ap_nib *nib)
{
	struct vfio_ap_queue *q = nib->q;

	scoped_guard(mutex, &q->lock) {
		/* An unbound queue is somebody else's, and being reset. */
		if (q->nib == nib && q->state != VFIO_AP_QUEUE_GONE) {
			aqic_stop(q);
			if (aqic_off(q))
				vfio_ap_irq_ended(q);
			else
				aqic_watch(q, NSEC_PER_MSEC / 2);
		}
	}
	scoped_guard(spinlock, &matrix_dev->nib_lock)
		nib_revoke(nib);
}

static void unmap_begin(struct unmap *u, struct ap_matrix_mdev *mdev)
{
	scoped_guard(spinlock, &matrix_dev->nib_lock)
		list_add(&u->node, &mdev->unmaps);
}

/* Nothing has to be allocated to close the range, so nothing can keep it open. */
static void unmap_end(struct unmap *u, struct ap_matrix_mdev *mdev, bool close)
{
	struct vfio_ap_range *closed = &mdev->closed;

	spin_lock(&matrix_dev->nib_lock);
	list_del(&u->node);
	if (close) {
		if (closed->first > closed->last)
			*closed = u->range;
		closed->first = min(closed->first, u->range.first);
		closed->last = max(closed->last, u->range.last);
	}
	spin_unlock(&matrix_dev->nib_lock);
}

/**
 * unmap_return() - have all pins of a range returned
 * @mdev: the guest's mdev
 * @range: the range
 *
 * Context: process; takes the locks of the queues concerned, nib_lock and
 *	    poll_lock.
 */
static void unmap_return(struct ap_matrix_mdev *mdev,
			 const struct vfio_ap_range *range)
{
	struct vfio_ap_nib *nib;

	while ((nib = nib_take_used(mdev, range))) {
		nib_disuse(nib);
		nib_put(nib);
	}
}

/**
 * unmap_type1() - return pins to type 1, and see whether that cannot go on
 * @mdev: the guest's mdev
 * @range: the range
 *
 * A task that pins or returns a page may wait for a lock that our caller keeps
 * somebody else from releasing, so this does not wait for ever. Type 1 asks again
 * for as long as it finds a pin.
 *
 * Context: process, may sleep up to UNMAP_WAIT_MS. Takes what unmap_return()
 *	    takes.
 * Return: true if the range has to stay closed until the device is closed: a pin
 *	   was not back in time, or there were pins in too many unmaps.
 */
static bool unmap_type1(struct ap_matrix_mdev *mdev,
			const struct vfio_ap_range *range)
{
	bool often;

	/* It asks if any device of the container has a pin, so count each time. */
	scoped_guard(spinlock, &matrix_dev->nib_lock)
		often = ++mdev->unmaps_of_nibs >= UNMAPS_OF_NIBS_MAX;
	unmap_return(mdev, range);
	return !wait_event_idle_timeout(mdev->nib_wait,
					nib_none_left(mdev, range),
					msecs_to_jiffies(UNMAP_WAIT_MS)) ||
	       often;
}

/**
 * vfio_ap_irq_unmap() - VFIO unmaps memory of a guest
 * @mdev: the guest's mdev
 * @iova: first guest address of the range
 * @length: its length in bytes
 *
 * On return VFIO has back what it had pinned in the range, or, with type 1, is
 * about to. Queues with a NIB elsewhere are left alone.
 *
 * Context: process, may sleep; VFIO holds locks that pinning takes. Takes the
 *	    locks of the queues concerned, nib_lock and poll_lock.
 */
void vfio_ap_irq_unmap(struct ap_matrix_mdev *mdev, u64 iova, u64 length)
{
	struct unmap u = { .range = { .first = iova, .last = iova + length - 1 } };
	bool close = false;

	if (!length)
		return;
	if (u.range.last < iova)
		u.range.last = U64_MAX;

	unmap_begin(&u, mdev);
	if (mdev->vdev.iommufd_access) {
		/* Called once, with nothing held that returning a pin takes */
		unmap_return(mdev, &u.range);
		wait_event_idle(mdev->nib_wait, nib_none_left(mdev, &u.range));
	} else {
		close = unmap_type1(mdev, &u.range);
	}
	unmap_end(&u, mdev, close);
}

/**
 * vfio_ap_irq_return_pins() - give VFIO back all pins of an mdev
 * @mdev: the mdev; no AQIC is under way
 *
 * Context: process, may sleep; no lock of the driver may be held. Takes
 *	    nib_lock.
 */
void vfio_ap_irq_return_pins(struct ap_matrix_mdev *mdev)
{
	const struct vfio_ap_range all = { .last = U64_MAX };
	struct vfio_ap_nib *nib;

	lockdep_assert_not_held(&matrix_dev->mdevs_lock);

	scoped_guard(spinlock, &matrix_dev->nib_lock)
		list_for_each_entry(nib, &mdev->nibs, node)
			nib_revoke(nib);
	wait_event_idle(mdev->nib_wait, nib_none_left(mdev, &all));
	/* The next guest of this device has memory of its own. */
	scoped_guard(spinlock, &matrix_dev->nib_lock) {
		mdev->closed = (struct vfio_ap_range) { .first = 1 };
		mdev->unmaps_of_nibs = 0;
	}
}

/**
 * vfio_ap_irq_abandon() - the driver goes, an interrupt is still on
 * @q: the queue
 *
 * Leaks the page and the guest: the adapter may write to them at any time.
 *
 * Context: process; expects the queue's lock.
 */
void vfio_ap_irq_abandon(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&q->lock);

	if (!q->nib)
		return;
	pr_warn("%02x.%04x: interrupt not off, leaking the page it writes to\n",
		AP_QID_CARD(q->apqn), AP_QID_QUEUE(q->apqn));
	vfio_ap_dbf_event(VFIO_AP_DBF_ERR,
			  "%02x.%04x: interrupt not off, page leaked\n",
			  AP_QID_CARD(q->apqn), AP_QID_QUEUE(q->apqn));
	q->nib = NULL;
}
