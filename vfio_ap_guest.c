// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compute the shadow APCB of each mdev and update the APCB of its guest.
 *
 * The shadow APCB depends on the assigned matrix, the host's AP configuration
 * and the queue states. Each operation changes one of these inputs and then
 * evaluates the mdev. Checks of an assignment are in vfio_ap_assign.c.
 */
#include <linux/lockdep.h>

#include "vfio_ap_private.h"
#include "vfio_ap_trace.h"

/**
 * vfio_ap_guest_mdev_for_apqn() - find the mdev that an APQN is assigned to
 * @apqn: the APQN
 *
 * Context: process; expects mdevs_lock.
 * Return: the mdev, or NULL if the APQN is not assigned.
 */
struct ap_matrix_mdev *vfio_ap_guest_mdev_for_apqn(u16 apqn)
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
 * vfio_ap_guest_has() - test whether a queue is passed through to a guest
 * @mdev: the guest's mdev
 * @apqn: the APQN of the queue
 *
 * AQIC evaluates the result under the queue's lock, without mdevs_lock. A queue
 * is first removed from the shadow APCB and then marked for reset under the
 * queue's lock. That reset undoes an AQIC that saw the old shadow APCB.
 *
 * Context: process; reads under the sequence count of shadow_lock.
 * Return: true if @mdev has a guest and the shadow APCB contains @apqn.
 */
bool vfio_ap_guest_has(const struct ap_matrix_mdev *mdev, u16 apqn)
{
	unsigned int start;
	bool has;

	do {
		start = read_seqbegin(&mdev->shadow_lock);
		has = READ_ONCE(mdev->kvm) &&
		      ap_matrix_has(&mdev->shadow_apcb, AP_QID_CARD(apqn),
				    AP_QID_QUEUE(apqn));
	} while (read_seqretry(&mdev->shadow_lock, start));
	return has;
}

/**
 * vfio_ap_guest_set_shadow() - update the shadow APCB
 * @mdev: the mdev
 * @shadow: the new shadow APCB
 *
 * Context: process; expects mdevs_lock, takes shadow_lock.
 */
void vfio_ap_guest_set_shadow(struct ap_matrix_mdev *mdev,
			      const struct ap_matrix *shadow)
{
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	write_seqlock(&mdev->shadow_lock);
	mdev->shadow_apcb = *shadow;
	write_sequnlock(&mdev->shadow_lock);
	/* vfio_ap_guest_wait_unplugged() waits for a changed shadow APCB. */
	if (wq_has_sleeper(&matrix_dev->reset_wait))
		wake_up_all(&matrix_dev->reset_wait);
}

static void vfio_ap_guest_push(struct ap_matrix_mdev *mdev)
{
	vfio_ap_lock_assert_held(mdev);

	kvm_arch_crypto_set_masks(mdev->kvm,
				  (unsigned long *)mdev->shadow_apcb.apm.w,
				  (unsigned long *)mdev->shadow_apcb.aqm.w,
				  (unsigned long *)mdev->shadow_apcb.adm.w);
	trace_vfio_ap_apcb(dev_name(mdev->vdev.dev), &mdev->shadow_apcb);
	vfio_ap_dbf_mdev(VFIO_AP_DBF_INFO, mdev,
			 "the guest has %u adapters, %u domains, %u control domains\n",
			 ap_mask_weight(&mdev->shadow_apcb.apm),
			 ap_mask_weight(&mdev->shadow_apcb.aqm),
			 ap_mask_weight(&mdev->shadow_apcb.adm));
	if (mdev->event[VFIO_AP_EVENT_CFG_CHG])
		eventfd_signal(mdev->event[VFIO_AP_EVENT_CFG_CHG]);
}

static void vfio_ap_guest_update_apcb(struct ap_matrix_mdev *mdev,
				      const struct ap_matrix *after)
{
	lockdep_assert_held(&matrix_dev->guests_lock);
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	if (ap_matrix_equal(&mdev->shadow_apcb, after))
		return;
	vfio_ap_guest_set_shadow(mdev, after);
	if (mdev->kvm)
		vfio_ap_guest_push(mdev);
}

static void vfio_ap_guest_reset_removed(const struct ap_matrix *from,
					const struct ap_matrix *to,
					struct vfio_ap_vm *vm)
{
	struct ap_mask removed;
	unsigned int apid;

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	if (!ap_matrix_loses(from, to))
		return;
	ap_mask_for_each(apid, &from->apm) {
		removed = from->aqm;
		if (ap_mask_test(&to->apm, apid))
			removed = ap_mask_andnot(&from->aqm, &to->aqm);
		vfio_ap_reset_queues(apid, &removed, NULL, vm);
	}
}

/* A usage domain stays pending while one of its queues is in reset. */
static void vfio_ap_guest_update_pending(struct ap_matrix_mdev *mdev)
{
	struct ap_matrix candidates = { .apm = mdev->matrix.apm };

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	if (ap_mask_empty(&mdev->aqm_pending))
		return;
	mdev->aqm_pending = ap_mask_and(&mdev->aqm_pending, &mdev->matrix.aqm);
	mdev->aqm_pending = ap_matrix_resetting(&candidates, matrix_dev->adapter,
						&mdev->aqm_pending);
}

static struct ap_matrix vfio_ap_guest_compute(struct ap_matrix_mdev *mdev)
{
	struct ap_matrix shadow = {};

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	vfio_ap_guest_update_pending(mdev);
	if (!mdev->release_requested)
		ap_matrix_filter(&shadow, &mdev->matrix, &matrix_dev->host,
				 &mdev->aqm_pending, matrix_dev->adapter);
	return shadow;
}

/**
 * vfio_ap_guest_evaluate() - update the shadow APCB and the guest's APCB
 * @mdev: the mdev
 *
 * Updates the APCB first and then marks the removed queues for reset. The
 * caller may wait for these resets after it has released the locks.
 *
 * Context: process; expects guests_lock, kvm->lock if @mdev has a guest, and
 *	    mdevs_lock. Takes shadow_lock, poll_lock and removed queues' locks.
 */
void vfio_ap_guest_evaluate(struct ap_matrix_mdev *mdev)
{
	struct ap_matrix before = mdev->shadow_apcb, after;

	lockdep_assert_held(&matrix_dev->guests_lock);
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	mdev->outdated = false;
	after = vfio_ap_guest_compute(mdev);
	vfio_ap_guest_update_apcb(mdev, &after);
	vfio_ap_guest_reset_removed(&before, &after, mdev->vm);
}

/**
 * vfio_ap_guest_evaluate_work() - evaluate one mdev from its work item
 * @work: &ap_matrix_mdev.evaluate_work
 *
 * Context: process, may sleep. Takes the locks of vfio_ap_lock_acquire().
 */
void vfio_ap_guest_evaluate_work(struct work_struct *work)
{
	struct ap_matrix_mdev *mdev = container_of(work, struct ap_matrix_mdev,
						   evaluate_work);
	struct vfio_ap_locks locks;

	vfio_ap_lock_acquire(&locks, mdev);
	vfio_ap_guest_evaluate(mdev);
	vfio_ap_lock_release(&locks);
}

/**
 * vfio_ap_guest_outdate() - mark the mdev of a queue for evaluation
 * @apqn: the APQN of the queue
 *
 * Context: process; expects guests_lock and mdevs_lock.
 */
void vfio_ap_guest_outdate(u16 apqn)
{
	struct ap_matrix_mdev *mdev;

	lockdep_assert_held(&matrix_dev->guests_lock);

	mdev = vfio_ap_guest_mdev_for_apqn(apqn);
	if (mdev)
		mdev->outdated = true;
}

/**
 * vfio_ap_guest_vm() - find the guest of a queue
 * @apqn: the APQN of the queue
 *
 * Context: process; expects guests_lock and mdevs_lock.
 * Return: the guest, without a new reference; NULL if no guest is attached.
 */
struct vfio_ap_vm *vfio_ap_guest_vm(u16 apqn)
{
	struct ap_matrix_mdev *mdev;

	lockdep_assert_held(&matrix_dev->guests_lock);

	mdev = vfio_ap_guest_mdev_for_apqn(apqn);
	return mdev ? mdev->vm : NULL;
}

/**
 * vfio_ap_guest_outdate_all() - mark mdevs for evaluation after a host change
 * @changed: the adapters, usage domains and control domains that changed; each
 *	mdev with one of them assigned is marked
 *
 * Context: process; expects guests_lock and mdevs_lock.
 */
void vfio_ap_guest_outdate_all(const struct ap_matrix *changed)
{
	struct ap_matrix_mdev *mdev;

	lockdep_assert_held(&matrix_dev->guests_lock);
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	list_for_each_entry(mdev, &matrix_dev->mdev_list, node)
		if (ap_matrix_touches(&mdev->matrix, changed))
			mdev->outdated = true;
}

/* An unchanged shadow APCB needs no update, so kvm->lock is not taken. */
static bool vfio_ap_guest_unchanged(struct ap_matrix_mdev *mdev)
{
	struct ap_matrix shadow;

	guard(mutex)(&matrix_dev->mdevs_lock);
	shadow = vfio_ap_guest_compute(mdev);
	return ap_matrix_equal(&shadow, &mdev->shadow_apcb);
}

/**
 * vfio_ap_guest_evaluate_outdated() - evaluate the mdevs marked for evaluation
 *
 * If the kvm->lock of a guest is contended, a work item evaluates this mdev
 * later. The other guests are updated without delay.
 *
 * Context: process, may sleep; expects guests_lock. Takes kvm->lock, mdevs_lock
 *	    and the locks of vfio_ap_guest_evaluate() for one mdev at a time.
 */
void vfio_ap_guest_evaluate_outdated(void)
{
	struct ap_matrix_mdev *mdev;

	lockdep_assert_held(&matrix_dev->guests_lock);

	list_for_each_entry(mdev, &matrix_dev->mdev_list, node) {
		struct vfio_ap_locks locks;

		if (!mdev->outdated)
			continue;
		if (vfio_ap_guest_unchanged(mdev)) {
			mdev->outdated = false;
			continue;
		}
		if (!vfio_ap_lock_try_guest(&locks, mdev)) {
			queue_work(matrix_dev->release_wq, &mdev->evaluate_work);
			continue;
		}
		vfio_ap_guest_evaluate(mdev);
		vfio_ap_lock_release_guest(&locks);
	}
}

/* A queue that the host has lost counts as removed: no driver can bind it. */
static bool vfio_ap_guest_plugged(u16 apqn)
{
	struct ap_matrix_mdev *mdev;

	guard(mutex)(&matrix_dev->mdevs_lock);
	mdev = vfio_ap_guest_mdev_for_apqn(apqn);
	return mdev && vfio_ap_guest_has(mdev, apqn) &&
	       vfio_ap_queue_in_host(apqn);
}

/**
 * vfio_ap_guest_wait_unplugged() - wait until a queue has left its guest
 * @apqn: the APQN of the unbound queue
 *
 * The caller has evaluated the mdev or queued its work item. The wait also ends
 * when the host loses the queue.
 *
 * Context: process, sleeps uninterruptibly for as long as a VMM holds
 *	    kvm->lock; no lock of the driver may be held. Takes mdevs_lock.
 */
void vfio_ap_guest_wait_unplugged(u16 apqn)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	lockdep_assert_not_held(&matrix_dev->guests_lock);

	add_wait_queue(&matrix_dev->reset_wait, &wait);
	while (vfio_ap_guest_plugged(apqn))
		wait_woken(&wait, TASK_IDLE, MAX_SCHEDULE_TIMEOUT);
	remove_wait_queue(&matrix_dev->reset_wait, &wait);
}

/*
 * A vCPU holds pqap_hook_rwsem while AQIC faults in guest memory. The VMM
 * determines the duration. The hung task detector ignores both sleeps here.
 */
static bool vfio_ap_guest_swap_hook(struct kvm *kvm, crypto_hook *from,
				    crypto_hook *to)
{
	struct kvm_s390_crypto *crypto = &kvm->arch.crypto;
	bool swapped;

	if (down_write_killable(&crypto->pqap_hook_rwsem))
		while (!down_write_trylock(&crypto->pqap_hook_rwsem))
			schedule_timeout_idle(1);
	swapped = crypto->pqap_hook == from;
	if (swapped)
		crypto->pqap_hook = to;
	up_write(&crypto->pqap_hook_rwsem);
	return swapped;
}

/**
 * vfio_ap_guest_attach() - attach an mdev to a guest
 * @mdev: the mdev
 * @kvm: the guest; the caller holds a reference
 *
 * The function sets the hook before it takes the other locks, because a vCPU
 * may hold pqap_hook_rwsem during a page fault. Until @mdev->kvm is set, the
 * hook rejects AQIC with response code 01.
 *
 * Context: process, may sleep; no lock of the driver may be held. Takes
 *	    pqap_hook_rwsem first and then the locks of vfio_ap_lock_acquire().
 * Return: 0 if attached or if the guest has no CRYCB; -EPERM if another mdev is
 *	   attached to the guest; -ENOMEM.
 */
int vfio_ap_guest_attach(struct ap_matrix_mdev *mdev, struct kvm *kvm)
{
	struct vfio_ap_vm *vm;
	struct vfio_ap_locks locks;

	/* A guest without a CRYCB has no APCB to update. */
	if (!kvm->arch.crypto.crycbd)
		return 0;

	vm = vfio_ap_queue_vm_alloc(kvm);
	if (!vm)
		return -ENOMEM;
	if (!vfio_ap_guest_swap_hook(kvm, NULL, &mdev->pqap_hook)) {
		vfio_ap_queue_vm_put(vm);
		dev_notice_ratelimited(mdev->vdev.dev,
				       "the guest has another vfio_ap device, not attached\n");
		return -EPERM;
	}

	vfio_ap_lock_acquire_kvm(&locks, kvm);

	vfio_ap_dbf_mdev(VFIO_AP_DBF_NOTICE, mdev, "attached by process %d\n",
			 task_tgid_nr(current));
	vfio_ap_guest_evaluate(mdev);
	WRITE_ONCE(mdev->kvm, kvm);
	mdev->vm = vm;
	vfio_ap_guest_push(mdev);
	vfio_ap_lock_release(&locks);
	return 0;
}

/**
 * vfio_ap_guest_detach() - detach an mdev from its guest
 * @mdev: the mdev
 *
 * On return, no AQIC of the guest is running, the guest's APCB is empty and all
 * NIB pages are unpinned. The function waits at most VFIO_AP_WAIT_MS for the
 * resets of the assigned queues.
 *
 * Context: process, may sleep; no lock of the driver may be held. Takes
 *	    pqap_hook_rwsem first and then the locks of vfio_ap_lock_acquire().
 */
void vfio_ap_guest_detach(struct ap_matrix_mdev *mdev)
{
	/* Read without a lock: VFIO serializes open_device and close_device. */
	struct kvm *kvm = mdev->kvm;
	struct vfio_ap_vm *vm = mdev->vm;
	const struct ap_matrix nothing = {};
	struct ap_matrix matrix;
	struct vfio_ap_locks locks;

	if (!kvm)
		return;

	vfio_ap_guest_swap_hook(kvm, &mdev->pqap_hook, NULL);

	vfio_ap_lock_acquire(&locks, mdev);
	kvm_arch_crypto_clear_masks(kvm);
	trace_vfio_ap_apcb(dev_name(mdev->vdev.dev), &nothing);
	vfio_ap_dbf_mdev(VFIO_AP_DBF_NOTICE, mdev, "detached\n");
	WRITE_ONCE(mdev->kvm, NULL);
	mdev->vm = NULL;
	mdev->release_requested = false;
	matrix = mdev->matrix;
	/* vfio_ap_reset_matrix() marks the queues removed here for reset. */
	vfio_ap_guest_set_shadow(mdev, &nothing);
	vfio_ap_reset_matrix(&matrix, NULL, vm);
	vfio_ap_guest_evaluate(mdev);
	vfio_ap_lock_release(&locks);

	vfio_ap_nib_return_pins(mdev);
	vfio_ap_queue_wait(&matrix);
	vfio_ap_queue_vm_put(vm);
}

/**
 * vfio_ap_guest_withdraw() - handle a request of VFIO to release the device
 * @mdev: the mdev
 *
 * Signals the request eventfd and removes all queues from the guest without
 * blocking on kvm->lock. The shadow APCB stays empty until device close.
 *
 * Context: process, may sleep. Takes guests_lock, mdevs_lock, and the locks of
 *	    vfio_ap_guest_evaluate_outdated().
 */
void vfio_ap_guest_withdraw(struct ap_matrix_mdev *mdev)
{
	guard(mutex)(&matrix_dev->guests_lock);
	scoped_guard(mutex, &matrix_dev->mdevs_lock) {
		mdev->release_requested = true;
		if (mdev->event[VFIO_AP_EVENT_REQ])
			eventfd_signal(mdev->event[VFIO_AP_EVENT_REQ]);
	}
	mdev->outdated = true;
	vfio_ap_guest_evaluate_outdated();
}
