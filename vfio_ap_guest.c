// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one place that changes what a guest has.
 *
 * What a guest gets (the shadow) is a function of what was assigned, of what
 * the host has, and of the state of the queues. Every operation changes one of
 * the three and has the shadow evaluated; only here it is written, pushed to
 * the guest's APCB and signalled, and only if it differs.
 */
#include <linux/lockdep.h>

#include "vfio_ap_private.h"
#include "vfio_ap_trace.h"

/**
 * vfio_ap_guest_try() - take the lock of a guest if it is free
 * @hold: where to remember the guest
 * @kvm: the guest, NULL if there is none
 *
 * A VMM can have the lock held for as long as it likes (KVM touches user memory
 * under it), so while guests_lock is held it is only tried.
 *
 * Context: process; expects guests_lock, takes kvm->lock.
 * Return: NULL on success; else the guest to wait for, with a reference.
 */
static struct kvm *vfio_ap_guest_try(struct vfio_ap_hold *hold, struct kvm *kvm)
{
	lockdep_assert_held(&matrix_dev->guests_lock);

	if (kvm) {
		/* A trylock does not teach lockdep the order. */
		might_lock(&kvm->lock);
		if (!mutex_trylock(&kvm->lock)) {
			kvm_get_kvm(kvm);
			return kvm;
		}
	}
	hold->kvm = kvm;
	return NULL;
}

/**
 * vfio_ap_guest_await() - wait until the lock of a guest was free
 * @kvm: the guest; the reference is given up
 *
 * Context: process, may sleep as long as a VMM likes; no lock of the driver may
 *	    be held. Takes and releases kvm->lock.
 */
static void vfio_ap_guest_await(struct kvm *kvm)
{
	lockdep_assert_not_held(&matrix_dev->guests_lock);

	mutex_lock(&kvm->lock);
	mutex_unlock(&kvm->lock);
	kvm_put_kvm(kvm);
}

/**
 * vfio_ap_guest_acquire() - take the locks for plugging and unplugging
 * @hold: where to remember what was taken
 * @mdev: the mdev whose guest is going to change; the caller keeps it alive
 * @bus: also take the lock that ownership questions to the AP bus need
 *
 * Context: process, may sleep. Takes ap_attr_mutex (if @bus), guests_lock,
 *	    kvm->lock (if there is a guest) and mdevs_lock, to be released with
 *	    vfio_ap_guest_release().
 */
void vfio_ap_guest_acquire(struct vfio_ap_hold *hold,
			   const struct ap_matrix_mdev *mdev, bool bus)
{
	struct kvm *busy;

	hold->bus = bus;
	for (;;) {
		if (bus)
			mutex_lock(&ap_attr_mutex);
		mutex_lock(&matrix_dev->guests_lock);
		busy = vfio_ap_guest_try(hold, mdev->kvm);
		if (!busy)
			break;
		mutex_unlock(&matrix_dev->guests_lock);
		if (bus)
			mutex_unlock(&ap_attr_mutex);
		vfio_ap_guest_await(busy);
	}
	mutex_lock(&matrix_dev->mdevs_lock);
}

/**
 * vfio_ap_guest_acquire_apqn() - take the locks for what owns a queue
 * @hold: where to remember what was taken
 * @apqn: the queue
 *
 * Context: process, may sleep. Takes what vfio_ap_guest_acquire() takes.
 * Return: the mdev that @apqn is assigned to, NULL if there is none.
 */
struct ap_matrix_mdev *
vfio_ap_guest_acquire_apqn(struct vfio_ap_hold *hold, u16 apqn)
{
	struct ap_matrix_mdev *mdev;
	struct kvm *busy;

	hold->bus = false;
	for (;;) {
		mutex_lock(&matrix_dev->guests_lock);
		mutex_lock(&matrix_dev->mdevs_lock);
		mdev = vfio_ap_guest_owner(apqn);
		if (!mdev || !mdev->kvm) {
			hold->kvm = NULL;
			return mdev;
		}
		/* With a guest: its lock comes first, then look again. */
		mutex_unlock(&matrix_dev->mdevs_lock);
		busy = vfio_ap_guest_try(hold, mdev->kvm);
		if (!busy) {
			mutex_lock(&matrix_dev->mdevs_lock);
			if (vfio_ap_guest_owner(apqn) == mdev)
				return mdev;
			vfio_ap_guest_release(hold);
			continue;
		}
		mutex_unlock(&matrix_dev->guests_lock);
		vfio_ap_guest_await(busy);
	}
}

/**
 * vfio_ap_guest_release() - release what vfio_ap_guest_acquire() took
 * @hold: what was taken
 *
 * Context: process. Releases all locks taken, in reverse order.
 */
void vfio_ap_guest_release(struct vfio_ap_hold *hold)
{
	lockdep_assert_held(&matrix_dev->guests_lock);
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	mutex_unlock(&matrix_dev->mdevs_lock);
	if (hold->kvm)
		mutex_unlock(&hold->kvm->lock);
	mutex_unlock(&matrix_dev->guests_lock);
	if (hold->bus)
		mutex_unlock(&ap_attr_mutex);
}

/**
 * vfio_ap_guest_owner() - find the mdev that an APQN is assigned to
 * @apqn: the APQN
 *
 * Context: any; expects mdevs_lock.
 * Return: the mdev, NULL if there is none.
 */
struct ap_matrix_mdev *vfio_ap_guest_owner(u16 apqn)
{
	struct ap_matrix_mdev *mdev;

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	list_for_each_entry(mdev, &matrix_dev->mdev_list, node)
		if (ap_matrix_has(&mdev->matrix, AP_QID_CARD(apqn),
				  AP_QID_QUEUE(apqn)))
			return mdev;
	return NULL;
}

/**
 * vfio_ap_guest_has() - tell whether a guest has a queue in its configuration
 * @mdev: the guest's mdev
 * @apqn: the queue
 *
 * AQIC asks this without mdevs_lock, but with the queue's lock. A queue that
 * leaves the shadow is marked for reset under that lock afterwards. So who sees
 * the old shadow here is undone by that reset.
 *
 * Context: any.
 * Return: true if the queue is plugged.
 */
bool vfio_ap_guest_has(const struct ap_matrix_mdev *mdev, u16 apqn)
{
	unsigned int apid = AP_QID_CARD(apqn), apqi = AP_QID_QUEUE(apqn);

	return READ_ONCE(mdev->kvm) &&
	       (READ_ONCE(mdev->shadow.apm.w[apid >> 6]) & ap_mask_bit(apid)) &&
	       (READ_ONCE(mdev->shadow.aqm.w[apqi >> 6]) & ap_mask_bit(apqi));
}

static void vfio_ap_guest_write_mask(struct ap_mask *to,
				     const struct ap_mask *from)
{
	unsigned int i;

	/* Pairs with the reads in vfio_ap_guest_has() */
	for (i = 0; i < AP_MASK_WORDS; i++)
		WRITE_ONCE(to->w[i], from->w[i]);
}

/**
 * vfio_ap_guest_push() - hand the shadow to KVM, and tell user space
 * @mdev: the mdev; it has a guest
 *
 * Context: process; expects guests_lock, kvm->lock and mdevs_lock.
 */
static void vfio_ap_guest_push(struct ap_matrix_mdev *mdev)
{
	lockdep_assert_held(&matrix_dev->guests_lock);
	lockdep_assert_held(&mdev->kvm->lock);
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	kvm_arch_crypto_set_masks(mdev->kvm,
				  (unsigned long *)mdev->shadow.apm.w,
				  (unsigned long *)mdev->shadow.aqm.w,
				  (unsigned long *)mdev->shadow.adm.w);
	trace_vfio_ap_apcb(dev_name(mdev->vdev.dev), &mdev->shadow);
	if (mdev->event[VFIO_AP_EVENT_CFG_CHG])
		eventfd_signal(mdev->event[VFIO_AP_EVENT_CFG_CHG]);
}

/**
 * vfio_ap_guest_reset_leaving() - have queues reset that left a guest
 * @from: what the guest had
 * @to: what it has now
 *
 * Context: process; expects mdevs_lock, takes the lock of each queue.
 */
static void vfio_ap_guest_reset_leaving(const struct ap_matrix *from,
					const struct ap_matrix *to)
{
	struct ap_mask leaving;
	unsigned int apid;

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	ap_mask_for_each(apid, &from->apm) {
		leaving = from->aqm;
		if (ap_mask_test(&to->apm, apid))
			leaving = ap_mask_andnot(&from->aqm, &to->aqm);
		vfio_ap_queue_reset(apid, &leaving, false);
	}
}

/**
 * vfio_ap_guest_admit() - stop holding domains that have settled
 * @mdev: the mdev
 *
 * Context: any; expects mdevs_lock.
 */
static void vfio_ap_guest_admit(struct ap_matrix_mdev *mdev)
{
	struct ap_matrix candidates = { .apm = mdev->matrix.apm };

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	if (ap_mask_empty(&mdev->held))
		return;
	mdev->held = ap_mask_and(&mdev->held, &mdev->matrix.aqm);
	mdev->held = ap_matrix_settling(&candidates, vfio_ap_adapters(),
					&mdev->held);
}

/**
 * vfio_ap_guest_evaluate() - compute the shadow and let the guest have it
 * @mdev: the mdev
 *
 * The APCB is changed first, queues that left it are reset afterwards; the
 * caller may wait for that when it has released the locks.
 *
 * Context: process; expects guests_lock, kvm->lock if @mdev has a guest, and
 *	    mdevs_lock.
 */
void vfio_ap_guest_evaluate(struct ap_matrix_mdev *mdev)
{
	struct ap_matrix before = mdev->shadow, after = {};

	lockdep_assert_held(&matrix_dev->guests_lock);
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	vfio_ap_guest_admit(mdev);
	if (!mdev->release_requested)
		ap_matrix_filter(&after, &mdev->matrix, &matrix_dev->host,
				 &mdev->held, vfio_ap_adapters());
	if (ap_matrix_equal(&before, &after))
		return;

	vfio_ap_guest_write_mask(&mdev->shadow.apm, &after.apm);
	vfio_ap_guest_write_mask(&mdev->shadow.aqm, &after.aqm);
	vfio_ap_guest_write_mask(&mdev->shadow.adm, &after.adm);
	if (mdev->kvm)
		vfio_ap_guest_push(mdev);
	vfio_ap_guest_reset_leaving(&before, &after);
}

/**
 * vfio_ap_guest_evaluate_work() - evaluate one mdev
 * @work: its work item
 *
 * Context: process, may sleep. Takes what vfio_ap_guest_acquire() takes.
 */
void vfio_ap_guest_evaluate_work(struct work_struct *work)
{
	struct ap_matrix_mdev *mdev = container_of(work, struct ap_matrix_mdev,
						   evaluate_work);
	struct vfio_ap_hold hold;

	vfio_ap_guest_acquire(&hold, mdev, false);
	vfio_ap_guest_evaluate(mdev);
	vfio_ap_guest_release(&hold);
	/* Who waits for this mdev's queues also waits for the outcome. */
	wake_up_all(&matrix_dev->reset_wait);
}

/**
 * vfio_ap_guest_evaluate_all() - evaluate mdevs
 * @apm: those that have one of these adapters assigned; NULL for all
 *
 * A guest whose kvm->lock is taken gets its evaluation a little later from a
 * work item of its own: the others do not wait for it.
 *
 * Context: process, may sleep. Takes kvm->lock and mdevs_lock, of one mdev
 *	    after the other; expects guests_lock.
 */
void vfio_ap_guest_evaluate_all(const struct ap_mask *apm)
{
	struct ap_matrix_mdev *mdev;

	lockdep_assert_held(&matrix_dev->guests_lock);

	list_for_each_entry(mdev, &matrix_dev->mdev_list, node) {
		struct vfio_ap_hold hold;
		struct kvm *busy = vfio_ap_guest_try(&hold, mdev->kvm);

		if (busy) {
			/* mdev->kvm has a reference of its own, this is not the last */
			kvm_put_kvm(busy);
			queue_work(matrix_dev->release_wq, &mdev->evaluate_work);
			continue;
		}
		mutex_lock(&matrix_dev->mdevs_lock);
		if (!apm || ap_mask_intersects(&mdev->matrix.apm, apm))
			vfio_ap_guest_evaluate(mdev);
		mutex_unlock(&matrix_dev->mdevs_lock);
		if (hold.kvm)
			mutex_unlock(&hold.kvm->lock);
	}
}

/**
 * vfio_ap_guest_say_reserved() - name an APQN that is kept for the host
 * @mdev: the mdev that does not get it
 * @area: where to look
 *
 * Context: process; expects ap_attr_mutex.
 */
static void vfio_ap_guest_say_reserved(struct ap_matrix_mdev *mdev,
				       const struct ap_matrix *area)
{
	unsigned int apid, apqi;

	lockdep_assert_held(&ap_attr_mutex);

	ap_mask_for_each(apid, &area->apm) {
		struct ap_matrix row = { .aqm = area->aqm };

		ap_mask_set(&row.apm, apid);
		if (ap_apqn_in_matrix_owned_by_def_drv((void *)row.apm.w,
						       (void *)row.aqm.w))
			break;
	}
	if (apid == AP_MASK_BITS)
		return;
	ap_mask_for_each(apqi, &area->aqm)
		if (ap_owned_by_def_drv(apid, apqi))
			break;
	if (apqi < AP_MASK_BITS)
		dev_notice_ratelimited(mdev->vdev.dev,
				       "%02x.%04x is reserved for the host's drivers, not assigned\n",
				       apid, apqi);
}

/**
 * vfio_ap_guest_check_reserved() - ask the bus who owns what is added
 * @mdev: the mdev that wants it
 * @area: what is added; not changed, the bus's prototype lacks a const
 *
 * Context: process; expects ap_attr_mutex.
 * Return: 0; -EADDRNOTAVAIL if an APQN is reserved, or the bus does not know.
 */
static int vfio_ap_guest_check_reserved(struct ap_matrix_mdev *mdev,
					struct ap_matrix *area)
{
	lockdep_assert_held(&ap_attr_mutex);

	if (ap_mask_empty(&area->apm) || ap_mask_empty(&area->aqm))
		return 0;
	/* A negative errno also means that it cannot be had. */
	if (!ap_apqn_in_matrix_owned_by_def_drv((void *)area->apm.w,
						(void *)area->aqm.w))
		return 0;
	vfio_ap_guest_say_reserved(mdev, area);
	return -EADDRNOTAVAIL;
}

/**
 * vfio_ap_guest_check_shared() - look whether others have what is added
 * @mdev: the mdev that wants it
 * @area: what is added
 *
 * Context: process; expects mdevs_lock.
 * Return: 0; -EADDRINUSE if an APQN is assigned to another mdev.
 */
static int vfio_ap_guest_check_shared(struct ap_matrix_mdev *mdev,
				      const struct ap_matrix *area)
{
	struct ap_matrix_mdev *other;
	unsigned int apid, apqi;

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	list_for_each_entry(other, &matrix_dev->mdev_list, node) {
		if (other == mdev)
			continue;
		if (!ap_matrix_shares(area, &other->matrix, &apid, &apqi))
			continue;
		dev_notice_ratelimited(mdev->vdev.dev,
				       "%02x.%04x is assigned to %s, not assigned\n",
				       apid, apqi, dev_name(other->vdev.dev));
		return -EADDRINUSE;
	}
	return 0;
}

/**
 * vfio_ap_guest_check() - may an mdev have what is added?
 * @mdev: the mdev
 * @rows: new adapters with all domains
 * @columns: new domains with all adapters
 *
 * Only what is added can be refused; what was there already is not asked.
 *
 * Context: process; expects ap_attr_mutex and mdevs_lock.
 * Return: 0, -EADDRNOTAVAIL or -EADDRINUSE.
 */
static int vfio_ap_guest_check(struct ap_matrix_mdev *mdev,
			       struct ap_matrix *rows,
			       struct ap_matrix *columns)
{
	int rc;

	rc = vfio_ap_guest_check_reserved(mdev, rows);
	if (!rc)
		rc = vfio_ap_guest_check_reserved(mdev, columns);
	if (!rc)
		rc = vfio_ap_guest_check_shared(mdev, rows);
	if (!rc)
		rc = vfio_ap_guest_check_shared(mdev, columns);
	return rc;
}

/**
 * vfio_ap_guest_wait_added() - wait for queues that are about to be added
 * @mdev: the mdev
 * @edit: makes the new matrix out of the old one
 * @how: what @edit needs to know
 *
 * They may be in reset, for somebody had them a moment ago. Waiting before the
 * change lets the guest see one change.
 *
 * Context: process, may sleep up to VFIO_AP_WAIT_MS for rows and for columns.
 *	    Takes mdevs_lock.
 */
static void vfio_ap_guest_wait_added(struct ap_matrix_mdev *mdev,
				     ap_matrix_edit edit, const void *how)
{
	struct ap_matrix before, after, rows, columns;

	scoped_guard(mutex, &matrix_dev->mdevs_lock)
		before = mdev->matrix;
	after = before;
	edit(&after, how);
	ap_matrix_added(&before, &after, &rows, &columns);
	if (vfio_ap_queue_wait(&rows) > 0)
		vfio_ap_queue_wait(&columns);
}

/**
 * vfio_ap_guest_edit() - change what is assigned to an mdev
 * @mdev: the mdev
 * @edit: makes the new matrix out of the old one
 * @how: what @edit needs to know
 *
 * The change is made as a whole or not at all. Waits, without a lock, for the
 * queues that are added or taken away to be reset; at most VFIO_AP_WAIT_MS for
 * each of the two, less if a fatal signal is pending.
 *
 * Context: process, may sleep. Takes ap_attr_mutex if something is added, and
 *	    what vfio_ap_guest_acquire() takes.
 * Return: 0; -EADDRNOTAVAIL if an added APQN is reserved for drivers of the
 *	   host; -EADDRINUSE if an added APQN is assigned to another mdev.
 */
int vfio_ap_guest_edit(struct ap_matrix_mdev *mdev, ap_matrix_edit edit,
		       const void *how)
{
	struct ap_matrix next, rows, columns, before;
	struct vfio_ap_hold hold;
	int rc;

	vfio_ap_guest_wait_added(mdev, edit, how);

	vfio_ap_guest_acquire(&hold, mdev, true);
	before = mdev->shadow;
	next = mdev->matrix;
	edit(&next, how);
	ap_matrix_added(&mdev->matrix, &next, &rows, &columns);
	rc = vfio_ap_guest_check(mdev, &rows, &columns);
	if (!rc && !ap_matrix_equal(&mdev->matrix, &next)) {
		mdev->matrix = next;
		mdev->held = ap_mask_or(&mdev->held, &columns.aqm);
		vfio_ap_guest_evaluate(mdev);
	}
	vfio_ap_guest_release(&hold);

	if (!rc)
		vfio_ap_queue_wait(&before);
	return rc;
}

/**
 * vfio_ap_guest_attach() - give an mdev's queues to a guest
 * @mdev: the mdev
 * @kvm: the guest; the caller keeps it alive
 *
 * The hook is set in a section of its own: its lock is held for reading by a
 * vCPU that may be stuck in a page fault. Until the guest is known to the mdev,
 * the hook finds no queue and answers accordingly.
 *
 * Context: process, may sleep. Takes pqap_hook_rwsem, then what
 *	    vfio_ap_guest_acquire() takes.
 * Return: 0; -EPERM if another mdev is attached to the guest.
 */
int vfio_ap_guest_attach(struct ap_matrix_mdev *mdev, struct kvm *kvm)
{
	struct vfio_ap_hold hold = {};

	/* A guest without a CRYCB has no AP instructions: nothing to do */
	if (!kvm->arch.crypto.crycbd)
		return 0;

	scoped_guard(rwsem_write, &kvm->arch.crypto.pqap_hook_rwsem) {
		if (kvm->arch.crypto.pqap_hook)
			return -EPERM;
		kvm->arch.crypto.pqap_hook = &mdev->pqap_hook;
	}

	kvm_get_kvm(kvm);
	mutex_lock(&matrix_dev->guests_lock);
	while (vfio_ap_guest_try(&hold, kvm)) {
		mutex_unlock(&matrix_dev->guests_lock);
		vfio_ap_guest_await(kvm);
		mutex_lock(&matrix_dev->guests_lock);
	}
	mutex_lock(&matrix_dev->mdevs_lock);

	mdev->release_requested = false;
	vfio_ap_guest_evaluate(mdev);
	WRITE_ONCE(mdev->kvm, kvm);
	vfio_ap_guest_push(mdev);
	vfio_ap_guest_release(&hold);
	return 0;
}

/**
 * vfio_ap_guest_detach() - take everything back from a guest
 * @mdev: the mdev
 *
 * Afterwards no AQIC of the guest is under way, the guest's APCB is empty, the
 * queues are being reset, and VFIO has all its pins back.
 *
 * Context: process, may sleep. Takes pqap_hook_rwsem, then what
 *	    vfio_ap_guest_acquire() takes.
 */
void vfio_ap_guest_detach(struct ap_matrix_mdev *mdev)
{
	/* Set by attach, cleared here: VFIO serialises open and close. */
	struct kvm *kvm = mdev->kvm;
	struct ap_matrix matrix;
	struct vfio_ap_hold hold;

	if (!kvm)
		return;

	scoped_guard(rwsem_write, &kvm->arch.crypto.pqap_hook_rwsem)
		kvm->arch.crypto.pqap_hook = NULL;

	vfio_ap_guest_acquire(&hold, mdev, false);
	kvm_arch_crypto_clear_masks(kvm);
	WRITE_ONCE(mdev->kvm, NULL);
	mdev->release_requested = false;
	matrix = mdev->matrix;
	vfio_ap_queue_reset_matrix(&matrix, false);
	vfio_ap_guest_evaluate(mdev);
	vfio_ap_guest_release(&hold);

	vfio_ap_irq_return_pins(mdev);
	vfio_ap_queue_wait(&matrix);
	kvm_put_kvm(kvm);
}

/**
 * vfio_ap_guest_withdraw() - VFIO wants the device back
 * @mdev: the mdev
 *
 * Takes all queues from the guest and tells user space; nothing is plugged
 * again before the device was closed.
 *
 * Context: process, may sleep. Takes what vfio_ap_guest_acquire() takes.
 */
void vfio_ap_guest_withdraw(struct ap_matrix_mdev *mdev)
{
	struct vfio_ap_hold hold;

	vfio_ap_guest_acquire(&hold, mdev, false);
	mdev->release_requested = true;
	vfio_ap_guest_evaluate(mdev);
	if (mdev->event[VFIO_AP_EVENT_REQ])
		eventfd_signal(mdev->event[VFIO_AP_EVENT_REQ]);
	vfio_ap_guest_release(&hold);
}
