// SPDX-License-Identifier: GPL-2.0-only
/*
 * Notification indicator bytes (NIBs): guest pages that adapters write to.
 *
 * A NIB has two references. VFIO's lasts until the page is unpinned. The
 * adapter's lasts until the interrupt is off, and keeps the page and the guest
 * with its GISA. AQIC is in vfio_ap_irq.c; this file calls no other one.
 */
#include <linux/iommu.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <asm/uv.h>

#include "vfio_ap_private.h"

/* Allocation would be half the cost of an AQIC: cache one NIB per queue. */
static void nib_free(struct vfio_ap_queue *q, struct vfio_ap_nib *nib)
{
	if (cmpxchg(&q->nib_cache, NULL, nib))
		kfree(nib);
}

/**
 * vfio_ap_nib_put() - drop a reference to a NIB
 * @nib: NIB; the caller holds the reference
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

/* The task that moves nib->pin from PINNED to RETURNING unpins the page. */
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

/* The caller holds a reference to the NIB. */
static void nib_kick(struct vfio_ap_nib *nib)
{
	struct workqueue_struct *wq = matrix_dev->release_wq;

	lockdep_assert_held(&matrix_dev->nib_lock);

	/* While the NIB is on mdev->nibs, nib->mdev is valid. */
	if (!list_empty(&nib->node))
		wq = nib->mdev->release_wq;
	refcount_inc(&nib->refs);
	if (!queue_work(wq, &nib->work))
		refcount_dec(&nib->refs);
}

/*
 * type1 calls ->dma_unmap() with device_list_lock held, and nests that lock in
 * iommu->lock, which vfio_unpin_pages() takes. So a work item unpins the page.
 */
static void nib_revoke(struct vfio_ap_nib *nib)
{
	lockdep_assert_held(&matrix_dev->nib_lock);

	WRITE_ONCE(nib->revoked, true);
	/* Pairs with xchg() in nib_pin(). */
	smp_mb();
	if (READ_ONCE(nib->pin) == VFIO_AP_NIB_PINNED)
		nib_kick(nib);
}

/**
 * vfio_ap_nib_revoke() - queue the unpin of a NIB's page
 * @nib: NIB; the caller holds a reference
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
 * vfio_ap_nib_unregister() - unregister the GISC of a NIB
 * @nib: NIB; the caller holds the adapter's reference, or the lock of the queue
 *	that holds this reference
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
 * vfio_ap_nib_release() - unpin a NIB and drop the adapter's reference
 * @nib: NIB; the adapter has stopped writing to the page, or never started
 *
 * Context: process, may sleep for VFIO's locks and while KVM destroys a guest.
 *	    Takes nib_lock.
 */
void vfio_ap_nib_release(struct vfio_ap_nib *nib)
{
	vfio_ap_nib_unregister(nib);
	/* Put the page before the unpin: a waiter may need the page unused. */
	put_page(nib->page);
	nib_return(nib);
	kvm_put_kvm(nib->kvm);
	vfio_ap_nib_put(nib);
}

/**
 * vfio_ap_nib_release_async() - release a NIB from a work item
 * @nib: NIB; the adapter has stopped writing to the page
 *
 * Context: process; takes nib_lock.
 */
void vfio_ap_nib_release_async(struct vfio_ap_nib *nib)
{
	/* A task that waits for the reset may destroy the GISA next. */
	vfio_ap_nib_unregister(nib);
	scoped_guard(spinlock, &matrix_dev->nib_lock) {
		nib->adapter_done = true;
		nib->off = true;
		nib_kick(nib);
	}
}

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

/* Unmaps in progress and the closed range exclude new pins. */
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
 * vfio_pin_pages() waits for guest memory and VFIO's locks, so the caller holds
 * no lock of the driver. Instead, mdev->nibs has the NIB before the page is
 * pinned, and an unmap waits for each NIB in this list.
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
	/* The driver needs a reference of its own to the page. */
	if (pinned && folio_try_get(page_folio(nib->page))) {
		nib->kvm = kvm;
		kvm_get_kvm(kvm);
		nib->q = q;
		kref_get(&q->ref);
		/*
		 * Publish page, kvm and q. xchg() pairs with smp_mb() in
		 * nib_revoke() and vfio_ap_nib_take_used(): either the function
		 * sees PINNED, or irq_enable() sees revoked.
		 */
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

/* The adapter can write to a page of a protected guest only if it is shared. */
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
 * vfio_ap_nib_make() - create a NIB and pin its page
 * @vcpu: vCPU that issues AQIC
 * @mdev: mdev of the guest
 * @q: queue whose adapter is going to write to the NIB
 * @gpa: guest address of the NIB; 0 is invalid
 *
 * Context: process, may sleep for guest memory and for VFIO's locks; expects no
 *	    lock of the driver. Takes nib_lock.
 * Return: NIB with both references; -EAGAIN if the range is being unmapped or
 *	   closed; -ENOMEM; -EFAULT if the address is invalid, the page cannot be
 *	   pinned, or a protected guest has not shared the page.
 */
struct vfio_ap_nib *vfio_ap_nib_make(struct kvm_vcpu *vcpu,
				     struct ap_matrix_mdev *mdev,
				     struct vfio_ap_queue *q, u64 gpa)
{
	struct vfio_ap_nib *nib;

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
 * vfio_ap_nib_take_used() - mark the next pinned NIB of a range as revoked
 * @mdev: mdev of the guest
 * @range: range of guest memory
 *
 * The caller disables the interrupt, queues the unpin and drops the reference.
 *
 * Context: process; takes nib_lock.
 * Return: the NIB with an additional reference; NULL if all pinned NIBs of the
 *	   range are revoked.
 */
struct vfio_ap_nib *vfio_ap_nib_take_used(struct ap_matrix_mdev *mdev,
					  const struct vfio_ap_range *range)
{
	struct vfio_ap_nib *nib, *found = NULL;

	spin_lock(&matrix_dev->nib_lock);
	list_for_each_entry(nib, &mdev->nibs, node) {
		if (nib->revoked || !nib_overlaps(nib->iova, range))
			continue;
		/* An AQIC that is pinning sees revoked and unpins. */
		WRITE_ONCE(nib->revoked, true);
		/* Pairs with xchg() in nib_pin(). */
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
 * vfio_ap_nib_none_left() - check that all pins of a range are returned
 * @mdev: mdev of the guest
 * @range: range of guest memory
 *
 * Context: process; takes nib_lock.
 * Return: true if no page of the range is pinned or being pinned.
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
 * vfio_ap_nib_unmap_begin() - close a range to new pins during an unmap
 * @u: unmap with its range; stays allocated until vfio_ap_nib_unmap_end()
 * @mdev: mdev of the guest
 *
 * Context: process; takes nib_lock.
 */
void vfio_ap_nib_unmap_begin(struct vfio_ap_unmap *u, struct ap_matrix_mdev *mdev)
{
	scoped_guard(spinlock, &matrix_dev->nib_lock)
		list_add(&u->node, &mdev->unmaps);
}

/**
 * vfio_ap_nib_unmap_end() - end an unmap
 * @u: unmap passed to vfio_ap_nib_unmap_begin()
 * @mdev: mdev of the guest
 * @close: true to keep the range closed until the device is closed
 *
 * mdev->closed grows to include the range, and the memory between both. This
 * update needs no allocation and therefore cannot fail.
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
 * vfio_ap_nib_unmap_count() - count a type1 unmap of memory with pins
 * @mdev: mdev of the guest
 *
 * Context: process; takes nib_lock.
 * Return: number since the device was opened, including this one.
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
 * vfio_ap_nib_wait() - wait for the unpin of NIBs whose interrupt is off
 * @mdev: mdev of the guest
 * @end: deadline in jiffies
 *
 * Context: process, may sleep; expects no lock of the driver. Takes nib_lock.
 * Return: positive after the unpin; 0 on timeout; -ERESTARTSYS on a fatal
 *	   signal.
 */
long vfio_ap_nib_wait(struct ap_matrix_mdev *mdev, unsigned long end)
{
	unsigned long now = jiffies;

	lockdep_assert_not_held(&matrix_dev->mdevs_lock);

	return wait_event_killable_timeout(mdev->nib_wait, nib_none_off(mdev),
					   time_before(now, end) ? end - now : 0);
}

/**
 * vfio_ap_nib_pinned_by() - find a queue with a pinned NIB
 * @mdev: mdev of the guest
 *
 * Context: process; takes nib_lock.
 * Return: APQN of a queue; -1 if no NIB is pinned.
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
 * vfio_ap_nib_return_pins() - unpin all NIBs of an mdev
 * @mdev: mdev without a guest; each AQIC has completed
 *
 * Context: process, may sleep; expects no lock of the driver. Takes nib_lock.
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
	/* The next guest has different memory: reopen it for pins. */
	scoped_guard(spinlock, &matrix_dev->nib_lock) {
		mdev->closed = (struct vfio_ap_range) { .first = 1 };
		mdev->unmaps_of_nibs = 0;
	}
}

/**
 * vfio_ap_nib_init_mdev() - initialize the lists and the workqueue of an mdev
 * @mdev: mdev that is being created
 *
 * Context: process, may sleep.
 * Return: 0 on success; -ENOMEM.
 */
int vfio_ap_nib_init_mdev(struct ap_matrix_mdev *mdev)
{
	INIT_LIST_HEAD(&mdev->nibs);
	INIT_LIST_HEAD(&mdev->unmaps);
	mdev->closed.first = 1;
	init_waitqueue_head(&mdev->nib_wait);
	/* A VMM that holds VFIO's locks delays only the workqueue of its mdev. */
	mdev->release_wq = alloc_workqueue("vfio_ap_mdev",
					   WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return mdev->release_wq ? 0 : -ENOMEM;
}

/**
 * vfio_ap_nib_exit_mdev() - undo vfio_ap_nib_init_mdev()
 * @mdev: mdev without pins
 *
 * Context: process, may sleep.
 */
void vfio_ap_nib_exit_mdev(struct ap_matrix_mdev *mdev)
{
	destroy_workqueue(mdev->release_wq);
}

/**
 * vfio_ap_nib_init() - initialize nib_lock
 *
 * Context: module load.
 */
void vfio_ap_nib_init(void)
{
	spin_lock_init(&matrix_dev->nib_lock);
}
