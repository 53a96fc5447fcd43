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
 * vfio_ap_guest_mdev_for_apqn() - find the mdev that an APQN is assigned to
 * @apqn: the APQN
 *
 * Context: any; expects mdevs_lock.
 * Return: the mdev, NULL if there is none.
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
 * vfio_ap_guest_has() - tell whether a guest has a queue in its configuration
 * @mdev: the guest's mdev
 * @apqn: the queue
 *
 * AQIC asks this without mdevs_lock, but with the queue's lock. A queue that
 * leaves the shadow is marked for reset under that lock afterwards. So who sees
 * the old shadow here is undone by that reset.
 *
 * Context: any. Reads under shadow_lock.
 * Return: true if the queue is plugged.
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
 * vfio_ap_guest_set_shadow() - write down what a guest has
 * @mdev: the guest's mdev
 * @shadow: what it has
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
	/* An unbind may be waiting for the guest to lose a queue. */
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

/* Without a guest, the shadow is what a guest would have. */
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

/* A domain is pending until none of its queues is in reset. */
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
 * vfio_ap_guest_evaluate() - compute the shadow and let the guest have it
 * @mdev: the mdev
 *
 * The APCB is changed first, queues that left it are reset afterwards; the
 * caller may wait for that when it has released the locks.
 *
 * Context: process; expects guests_lock, kvm->lock if @mdev has a guest, and
 *	    mdevs_lock. Takes shadow_lock and the locks of queues that leave.
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
 * vfio_ap_guest_evaluate_work() - evaluate one mdev
 * @work: its work item
 *
 * Context: process, may sleep. Takes what vfio_ap_lock_acquire() takes.
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
 * vfio_ap_guest_outdate() - note that a queue has changed
 * @apqn: the queue
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
 * @apqn: the queue
 *
 * Context: process; expects guests_lock and mdevs_lock.
 * Return: the guest that the mdev of the queue is attached to, or NULL.
 */
struct vfio_ap_vm *vfio_ap_guest_vm(u16 apqn)
{
	struct ap_matrix_mdev *mdev;

	lockdep_assert_held(&matrix_dev->guests_lock);

	mdev = vfio_ap_guest_mdev_for_apqn(apqn);
	return mdev ? mdev->vm : NULL;
}

/**
 * vfio_ap_guest_outdate_all() - note that the host has changed
 * @changed: adapters, domains and control domains that changed; an mdev with none
 *	of them assigned is left alone
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

/* A guest that would get what it has is not bothered: its lock is not needed. */
static bool vfio_ap_guest_unchanged(struct ap_matrix_mdev *mdev)
{
	struct ap_matrix shadow;

	guard(mutex)(&matrix_dev->mdevs_lock);
	shadow = vfio_ap_guest_compute(mdev);
	return ap_matrix_equal(&shadow, &mdev->shadow_apcb);
}

/**
 * vfio_ap_guest_evaluate_outdated() - evaluate the mdevs that a change concerns
 *
 * A guest whose kvm->lock is taken gets its evaluation a little later from a
 * work item of its own: the others do not wait for it.
 *
 * Context: process, may sleep. Takes kvm->lock and mdevs_lock, of one mdev
 *	    after the other, and what vfio_ap_guest_evaluate() takes; expects
 *	    guests_lock.
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

/* Does a guest have a queue that the host has as well? */
static bool vfio_ap_guest_plugged(u16 apqn)
{
	struct ap_matrix_mdev *mdev;

	guard(mutex)(&matrix_dev->mdevs_lock);
	mdev = vfio_ap_guest_mdev_for_apqn(apqn);
	return mdev && vfio_ap_guest_has(mdev, apqn) &&
	       vfio_ap_queue_in_host(apqn);
}

/**
 * vfio_ap_guest_wait_unplugged() - wait until no guest has a queue
 * @apqn: the queue, unbound
 *
 * Its guest was evaluated, or a work item waits for the lock of that guest. The
 * wait ends as well when the host loses the queue.
 *
 * Context: process, may sleep as long as a VMM has its kvm->lock. Takes
 *	    mdevs_lock.
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

/* A vCPU may have the lock of the hook in a page fault: see kvm->lock. */
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
 * vfio_ap_guest_attach() - give an mdev's queues to a guest
 * @mdev: the mdev
 * @kvm: the guest; the caller keeps it alive
 *
 * The hook is set in a section of its own: its lock is held for reading by a
 * vCPU that may be stuck in a page fault. Until the guest is known to the mdev,
 * the hook finds no queue and answers accordingly.
 *
 * Context: process, may sleep. Takes pqap_hook_rwsem, then what
 *	    vfio_ap_lock_acquire() takes.
 * Return: 0; -EPERM if another mdev is attached to the guest; -ENOMEM.
 */
int vfio_ap_guest_attach(struct ap_matrix_mdev *mdev, struct kvm *kvm)
{
	struct vfio_ap_vm *vm;
	struct vfio_ap_locks locks;

	/* A guest without a CRYCB has no AP instructions: nothing to do */
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
 * vfio_ap_guest_detach() - take everything back from a guest
 * @mdev: the mdev
 *
 * Afterwards no AQIC of the guest is under way, the guest's APCB is empty, the
 * queues are being reset, and VFIO has all its pins back.
 *
 * Context: process, may sleep. Takes pqap_hook_rwsem, then what
 *	    vfio_ap_lock_acquire() takes.
 */
void vfio_ap_guest_detach(struct ap_matrix_mdev *mdev)
{
	/* Set by attach, cleared here: VFIO serialises open and close. */
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
	/* All of it is reset, so the evaluation need not see that it left. */
	vfio_ap_guest_set_shadow(mdev, &nothing);
	vfio_ap_reset_matrix(&matrix, NULL, vm);
	vfio_ap_guest_evaluate(mdev);
	vfio_ap_lock_release(&locks);

	vfio_ap_nib_return_pins(mdev);
	vfio_ap_queue_wait(&matrix);
	vfio_ap_queue_vm_put(vm);
}

/**
 * vfio_ap_guest_withdraw() - VFIO wants the device back
 * @mdev: the mdev
 *
 * Tells user space, and takes all queues from the guest; nothing is plugged
 * again before the device was closed. Does not wait for the guest: if its lock is
 * taken, it loses the queues a little later.
 *
 * Context: process, may sleep. Takes guests_lock, mdevs_lock, and what
 *	    vfio_ap_guest_evaluate_outdated() takes.
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
