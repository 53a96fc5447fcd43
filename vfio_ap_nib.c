// SPDX-License-Identifier: GPL-2.0-only
/*
 * Notification indicator bytes: pages of guests that adapters may write to.
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
 *
 * This room is a leaf: it calls no other one.
 */
#include <linux/iommu.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <asm/uv.h>

#include "vfio_ap_private.h"

/* Making and freeing one would be half of what AQIC costs: keep one. */
static void nib_free(struct vfio_ap_queue *q, struct vfio_ap_nib *nib)
{
	if (cmpxchg(&q->nib_cache, NULL, nib))
		kfree(nib);
}

/**
 * vfio_ap_nib_put() - give up a share of a NIB
 * @nib: the NIB
 *
 * Context: any.
 */
void vfio_ap_nib_put(struct vfio_ap_nib *nib)
{
	struct vfio_ap_queue *q = nib->q;

	if (!refcount_dec_and_test(&nib->refs))
		return;
	nib_free(q, nib);
	vfio_ap_queue_put(q);
}

static void nib_unlist(struct vfio_ap_nib *nib)
{
	lockdep_assert_held(&matrix_dev->nib_lock);

	list_del_init(&nib->node);
	if (wq_has_sleeper(&nib->mdev->nib_wait))
		wake_up_all(&nib->mdev->nib_wait);
}

/* The task that makes PINNED RETURNING has to return the pin. */
static void nib_return(struct vfio_ap_nib *nib)
{
	if (cmpxchg(&nib->pin, VFIO_AP_NIB_PINNED, VFIO_AP_NIB_RETURNING) !=
	    VFIO_AP_NIB_PINNED)
		return;
	vfio_unpin_pages(&nib->mdev->vdev, nib->iova, 1);
	scoped_guard(spinlock, &matrix_dev->nib_lock)
		nib_unlist(nib);
	vfio_ap_nib_put(nib);
}

/* The caller has a share of the NIB. */
static void nib_kick(struct vfio_ap_nib *nib)
{
	struct workqueue_struct *wq = matrix_dev->release_wq;

	lockdep_assert_held(&matrix_dev->nib_lock);

	/* As long as it is in the list, VFIO is an owner, and there is an mdev. */
	if (!list_empty(&nib->node))
		wq = nib->mdev->release_wq;
	refcount_inc(&nib->refs);
	if (!queue_work(wq, &nib->work))
		refcount_dec(&nib->refs);
}

static void nib_revoke(struct vfio_ap_nib *nib)
{
	lockdep_assert_held(&matrix_dev->nib_lock);

	WRITE_ONCE(nib->revoked, true);
	/* Pairs with the exchange in nib_pin(). */
	smp_mb();
	if (READ_ONCE(nib->pin) == VFIO_AP_NIB_PINNED)
		nib_kick(nib);
}

/**
 * vfio_ap_nib_revoke() - have VFIO get its pin back
 * @nib: the NIB; the caller has a share
 *
 * Context: process; takes nib_lock.
 */
void vfio_ap_nib_revoke(struct vfio_ap_nib *nib)
{
	spin_lock(&matrix_dev->nib_lock);
	nib_revoke(nib);
	spin_unlock(&matrix_dev->nib_lock);
}

/**
 * vfio_ap_nib_unregister() - give up the GISC of a NIB
 * @nib: the NIB; the caller has the adapter's share, or the lock of the queue that
 *	has it
 *
 * Context: process.
 */
void vfio_ap_nib_unregister(struct vfio_ap_nib *nib)
{
	if (nib->has_gisc)
		kvm_s390_gisc_unregister(nib->kvm, nib->gisc);
	nib->has_gisc = false;
}

/**
 * vfio_ap_nib_release() - the adapter does not use a NIB (any more)
 * @nib: the NIB; the adapter's share is given up
 *
 * Context: process, may sleep for VFIO's locks and for the end of a guest. Takes
 *	    nib_lock.
 */
void vfio_ap_nib_release(struct vfio_ap_nib *nib)
{
	vfio_ap_nib_unregister(nib);
	/* A waiter for the pin may need the page unused. */
	put_page(nib->page);
	nib_return(nib);
	kvm_put_kvm(nib->kvm);
	vfio_ap_nib_put(nib);
}

/**
 * vfio_ap_nib_release_async() - have the adapter's share of a NIB given up
 * @nib: the NIB; the adapter's share is given up
 *
 * Context: process; takes nib_lock.
 */
void vfio_ap_nib_release_async(struct vfio_ap_nib *nib)
{
	/* A waiter for the reset may go on to what needs an unused GISA. */
	vfio_ap_nib_unregister(nib);
	scoped_guard(spinlock, &matrix_dev->nib_lock) {
		nib->adapter_done = true;
		nib->off = true;
		nib_kick(nib);
	}
}

/* This may wait for VFIO's locks and for the end of a guest. */
static void nib_work(struct work_struct *work)
{
	struct vfio_ap_nib *nib = container_of(work, struct vfio_ap_nib, work);
	bool adapter_done = false;

	scoped_guard(spinlock, &matrix_dev->nib_lock)
		swap(adapter_done, nib->adapter_done);
	if (adapter_done)
		vfio_ap_nib_release(nib);
	else
		nib_return(nib);
	vfio_ap_nib_put(nib);
}

static bool nib_overlaps(u64 iova, const struct vfio_ap_range *range)
{
	return iova + PAGE_SIZE - 1 >= range->first && iova <= range->last &&
	       range->first <= range->last;
}

/* The memory is being unmapped, or closed until the device is closed. */
static bool nib_refused(const struct ap_matrix_mdev *mdev, u64 iova)
{
	const struct vfio_ap_unmap *u;

	lockdep_assert_held(&matrix_dev->nib_lock);

	list_for_each_entry(u, &mdev->unmaps, node)
		if (nib_overlaps(iova, &u->range))
			return true;
	return nib_overlaps(iova, &mdev->closed);
}

static struct vfio_ap_nib *nib_alloc(struct vfio_ap_queue *q)
{
	struct vfio_ap_nib *nib = xchg(&q->nib_cache, NULL);

	if (!nib) {
		nib = kzalloc(sizeof(*nib), GFP_KERNEL_ACCOUNT);
		if (!nib)
			return NULL;
		INIT_WORK(&nib->work, nib_work);
	}
	refcount_set(&nib->refs, 2);
	nib->pin = VFIO_AP_NIB_PINNING;
	nib->revoked = false;
	nib->has_gisc = false;
	nib->adapter_done = false;
	nib->off = false;
	return nib;
}

/*
 * This waits for memory of the guest and for VFIO's locks, so no lock of the
 * driver may be held. -EAGAIN if the range is closed, -EFAULT if the page
 * cannot be pinned.
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
		xchg(&nib->pin, VFIO_AP_NIB_PINNED);
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

/**
 * vfio_ap_nib_make() - make a NIB out of what a guest gave
 * @vcpu: the vCPU that issues AQIC
 * @mdev: the guest's mdev
 * @q: the queue that is going to write to it
 * @gpa: guest address of the NIB
 *
 * Context: process, may sleep for memory of the guest and for VFIO's locks; no
 *	    lock of the driver may be held. Takes nib_lock.
 * Return: the NIB with both owners; -EAGAIN if the range is closed; -ENOMEM;
 *	   -EFAULT if the page cannot be had.
 */
struct vfio_ap_nib *vfio_ap_nib_make(struct kvm_vcpu *vcpu,
				     struct ap_matrix_mdev *mdev,
				     struct vfio_ap_queue *q, u64 gpa)
{
	struct vfio_ap_nib *nib;

	/* Address 0 is what a guest gives that has none. */
	if (!gpa || !nib_in_memslot(vcpu->kvm, gpa))
		return ERR_PTR(-EFAULT);
	nib = nib_pin(mdev, q, vcpu->kvm, gpa & PAGE_MASK);
	if (!IS_ERR(nib) && !nib_share(vcpu, nib)) {
		vfio_ap_nib_release(nib);
		return ERR_PTR(-EFAULT);
	}
	return nib;
}

/**
 * vfio_ap_nib_take_used() - find a NIB that its queue has to stop using
 * @mdev: the mdev
 * @range: where
 *
 * Context: process; takes nib_lock.
 * Return: a NIB that VFIO has pinned and nobody has revoked yet, revoked now and
 *	   with an owner added; NULL if there is none in the range.
 */
struct vfio_ap_nib *vfio_ap_nib_take_used(struct ap_matrix_mdev *mdev,
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
		if (READ_ONCE(nib->pin) != VFIO_AP_NIB_PINNED)
			continue;
		refcount_inc(&nib->refs);
		found = nib;
		break;
	}
	spin_unlock(&matrix_dev->nib_lock);
	return found;
}

/**
 * vfio_ap_nib_none_left() - see whether VFIO has back all pins of a range
 * @mdev: the mdev
 * @range: the range
 *
 * Context: process; takes nib_lock.
 * Return: true if there is none.
 */
bool vfio_ap_nib_none_left(struct ap_matrix_mdev *mdev,
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
 * vfio_ap_nib_unmap_begin() - close a range of guest memory that VFIO is unmapping
 * @u: where to remember it
 * @mdev: the guest's mdev
 *
 * Context: process; takes nib_lock.
 */
void vfio_ap_nib_unmap_begin(struct vfio_ap_unmap *u, struct ap_matrix_mdev *mdev)
{
	scoped_guard(spinlock, &matrix_dev->nib_lock)
		list_add(&u->node, &mdev->unmaps);
}

/**
 * vfio_ap_nib_unmap_end() - an unmap is over
 * @u: the range
 * @mdev: the guest's mdev
 * @close: the range stays closed until the device is closed
 *
 * Nothing has to be allocated to close the range, so nothing can keep it open.
 *
 * Context: process; takes nib_lock.
 */
void vfio_ap_nib_unmap_end(struct vfio_ap_unmap *u, struct ap_matrix_mdev *mdev,
			   bool close)
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
 * vfio_ap_nib_unmap_count() - count an unmap of memory that has a NIB
 * @mdev: the guest's mdev
 *
 * Context: process; takes nib_lock.
 * Return: how many there were since the device was opened, with this one.
 */
unsigned int vfio_ap_nib_unmap_count(struct ap_matrix_mdev *mdev)
{
	unsigned int count;

	spin_lock(&matrix_dev->nib_lock);
	count = ++mdev->unmaps_of_nibs;
	spin_unlock(&matrix_dev->nib_lock);
	return count;
}

static bool nib_none_off(struct ap_matrix_mdev *mdev)
{
	struct vfio_ap_nib *nib;
	bool none = true;

	spin_lock(&matrix_dev->nib_lock);
	list_for_each_entry(nib, &mdev->nibs, node)
		none = none && !nib->off;
	spin_unlock(&matrix_dev->nib_lock);
	return none;
}

/**
 * vfio_ap_nib_wait() - wait until pins are returned whose interrupt is off
 * @mdev: the mdev
 * @end: when to give up, in jiffies
 *
 * Context: process, may sleep; no lock of the driver may be held. Takes
 *	    nib_lock.
 * Return: positive when VFIO has them back; 0 when @end was reached; -ERESTARTSYS
 *	   on a fatal signal.
 */
long vfio_ap_nib_wait(struct ap_matrix_mdev *mdev, unsigned long end)
{
	unsigned long now = jiffies;

	lockdep_assert_not_held(&matrix_dev->mdevs_lock);

	return wait_event_killable_timeout(mdev->nib_wait, nib_none_off(mdev),
					   time_before(now, end) ? end - now : 0);
}

/**
 * vfio_ap_nib_pinned_by() - find a queue that has a page of a guest pinned
 * @mdev: the guest's mdev
 *
 * Context: process; takes nib_lock.
 * Return: the APQN of a queue, -1 if there is none.
 */
int vfio_ap_nib_pinned_by(struct ap_matrix_mdev *mdev)
{
	const struct vfio_ap_nib *nib;
	int apqn = -1;

	spin_lock(&matrix_dev->nib_lock);
	list_for_each_entry(nib, &mdev->nibs, node)
		if (READ_ONCE(nib->pin) == VFIO_AP_NIB_PINNED)
			apqn = nib->q->apqn;
	spin_unlock(&matrix_dev->nib_lock);
	return apqn;
}

/**
 * vfio_ap_nib_return_pins() - give VFIO back all pins of an mdev
 * @mdev: the mdev; no AQIC is under way
 *
 * Context: process, may sleep; no lock of the driver may be held. Takes
 *	    nib_lock.
 */
void vfio_ap_nib_return_pins(struct ap_matrix_mdev *mdev)
{
	const struct vfio_ap_range all = { .last = U64_MAX };
	struct vfio_ap_nib *nib;

	lockdep_assert_not_held(&matrix_dev->mdevs_lock);

	scoped_guard(spinlock, &matrix_dev->nib_lock)
		list_for_each_entry(nib, &mdev->nibs, node)
			nib_revoke(nib);
	wait_event_idle(mdev->nib_wait, vfio_ap_nib_none_left(mdev, &all));
	/* The next guest of this device has memory of its own. */
	scoped_guard(spinlock, &matrix_dev->nib_lock) {
		mdev->closed = (struct vfio_ap_range) { .first = 1 };
		mdev->unmaps_of_nibs = 0;
	}
}

/**
 * vfio_ap_nib_init_mdev() - make what an mdev needs for its NIBs
 * @mdev: the mdev
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int vfio_ap_nib_init_mdev(struct ap_matrix_mdev *mdev)
{
	INIT_LIST_HEAD(&mdev->nibs);
	INIT_LIST_HEAD(&mdev->unmaps);
	mdev->closed.first = 1;
	init_waitqueue_head(&mdev->nib_wait);
	/* One of its own: a VMM that sits on VFIO's locks only delays itself. */
	mdev->release_wq = alloc_workqueue("vfio_ap_mdev",
					   WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return mdev->release_wq ? 0 : -ENOMEM;
}

/**
 * vfio_ap_nib_exit_mdev() - undo vfio_ap_nib_init_mdev()
 * @mdev: the mdev; VFIO has all its pins back
 *
 * Context: process, may sleep.
 */
void vfio_ap_nib_exit_mdev(struct ap_matrix_mdev *mdev)
{
	destroy_workqueue(mdev->release_wq);
}

/**
 * vfio_ap_nib_init() - make what all NIBs need
 *
 * Context: module load.
 */
void vfio_ap_nib_init(void)
{
	spin_lock_init(&matrix_dev->nib_lock);
}
