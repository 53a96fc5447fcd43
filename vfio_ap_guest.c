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

/* Are there APQNs in it? If not, nobody has to be asked. */
static bool vfio_ap_guest_adds(const struct vfio_ap_addition *added)
{
	const struct ap_matrix *rows = &added->rows, *columns = &added->columns;

	return (!ap_mask_empty(&rows->apm) && !ap_mask_empty(&rows->aqm)) ||
	       (!ap_mask_empty(&columns->apm) && !ap_mask_empty(&columns->aqm));
}

/**
 * vfio_ap_guest_ask_area() - ask the bus who owns an area
 * @area: the area
 * @apqn: where to store what it does not part with
 *
 * Context: process, may sleep; expects ap_attr_mutex.
 * Return: 0; -EADDRNOTAVAIL if an APQN is reserved, or the bus does not know;
 *	   -EINTR on a fatal signal.
 */
static int vfio_ap_guest_ask_area(const struct ap_matrix *area, u16 *apqn)
{
	unsigned int apid, apqi;

	lockdep_assert_held(&ap_attr_mutex);

	ap_mask_for_each(apid, &area->apm) {
		ap_mask_for_each(apqi, &area->aqm) {
			/* A negative errno also means that it cannot be had. */
			if (!ap_owned_by_def_drv(apid, apqi))
				continue;
			*apqn = AP_MKQID(apid, apqi);
			return -EADDRNOTAVAIL;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return 0;
}

/**
 * vfio_ap_guest_ask_bus() - ask the bus who owns what is added
 * @added: what is added; the answer is stored there
 *
 * Some kernels look through all their queues for each APQN. So the bus is asked
 * before guests_lock is taken: guests of others do not have to wait for it.
 *
 * Context: process, may sleep; expects ap_attr_mutex. As far as masks and
 *	    driver_override decide, the answer holds as long as that is held.
 */
static void vfio_ap_guest_ask_bus(struct vfio_ap_addition *added)
{
	struct ap_matrix columns = added->columns;

	lockdep_assert_held(&ap_attr_mutex);
	lockdep_assert_not_held(&matrix_dev->guests_lock);

	added->answer = vfio_ap_guest_ask_area(&added->rows, &added->reserved);
	/* New adapters have been asked about with all domains. */
	columns.apm = ap_mask_andnot(&columns.apm, &added->rows.apm);
	if (!added->answer)
		added->answer = vfio_ap_guest_ask_area(&columns,
						       &added->reserved);
}

/**
 * vfio_ap_guest_lock_outer() - take the locks that come before a guest's
 * @hold: says whether the bus has to be asked
 *
 * Context: process, may sleep. Takes ap_attr_mutex if @hold says so, and
 *	    guests_lock.
 */
static void vfio_ap_guest_lock_outer(const struct vfio_ap_hold *hold)
{
	if (hold->added) {
		mutex_lock(&ap_attr_mutex);
		vfio_ap_guest_ask_bus(hold->added);
	}
	mutex_lock(&matrix_dev->guests_lock);
}

/**
 * vfio_ap_guest_try_outer() - take the locks that come before a guest's if free
 * @hold: says whether the bus has to be asked
 *
 * Context: process, may sleep; a guest's lock may be held. Takes what
 *	    vfio_ap_guest_lock_outer() takes.
 * Return: true if all of them were free, otherwise none is held.
 */
static bool vfio_ap_guest_try_outer(const struct vfio_ap_hold *hold)
{
	if (hold->added) {
		if (!mutex_trylock(&ap_attr_mutex))
			return false;
		vfio_ap_guest_ask_bus(hold->added);
	}
	if (mutex_trylock(&matrix_dev->guests_lock))
		return true;
	if (hold->added)
		mutex_unlock(&ap_attr_mutex);
	return false;
}

/**
 * vfio_ap_guest_unlock_outer() - undo vfio_ap_guest_lock_outer()
 * @hold: says whether the bus was asked
 *
 * Context: process. Releases guests_lock, and ap_attr_mutex if @hold says so.
 */
static void vfio_ap_guest_unlock_outer(const struct vfio_ap_hold *hold)
{
	mutex_unlock(&matrix_dev->guests_lock);
	if (hold->added)
		mutex_unlock(&ap_attr_mutex);
}

/**
 * vfio_ap_guest_try() - take the lock of a guest if it is free
 * @hold: where to remember the guest
 * @kvm: the guest, NULL if there is none
 *
 * A VMM can have the lock held for as long as it likes (KVM touches user memory
 * under it), so while guests_lock is held it is only tried.
 *
 * Context: process; expects guests_lock, takes kvm->lock.
 * Return: true if it was free or is not needed.
 */
static bool vfio_ap_guest_try(struct vfio_ap_hold *hold, struct kvm *kvm)
{
	lockdep_assert_held(&matrix_dev->guests_lock);

	if (kvm) {
		/* A trylock does not teach lockdep the order. */
		might_lock(&kvm->lock);
		if (!mutex_trylock(&kvm->lock))
			return false;
	}
	hold->kvm = kvm;
	return true;
}

/*
 * A VMM decides how long this takes, so it does not count as a hung task: a task
 * that is being killed and has to go on looks once in a while.
 */
static int vfio_ap_guest_lock_kvm(struct kvm *kvm, bool killable)
{
	int rc = mutex_lock_killable(&kvm->lock);

	if (!rc || killable)
		return rc;
	while (!mutex_trylock(&kvm->lock))
		schedule_timeout_idle(1);
	return 0;
}

/* The same for the lock of the hook, which a vCPU may have in a page fault */
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
 * vfio_ap_guest_wait() - wait for the lock of a guest, then try for the others
 * @hold: says which others; where to remember the guest
 * @kvm: the guest
 * @killable: give up on a fatal signal
 *
 * Who only ever tries could be kept out by a VMM that takes the lock often. So
 * it is waited for with nothing else held, and kept if the locks that come
 * before it are free. guests_lock is never held for long; ap_attr_mutex can be, by
 * others who add APQNs, who stop when they are killed.
 *
 * Context: process, may sleep as long as a VMM likes. Expects the outer locks
 *	    and releases them; takes them again, and kvm->lock, if all goes well.
 * Return: 1 with all locks, and a reference to the guest in @hold; the guest may
 *	   have got another mdev meanwhile, or none; 0 with no lock, try again;
 *	   -EINTR with no lock.
 */
static int vfio_ap_guest_wait(struct vfio_ap_hold *hold, struct kvm *kvm,
			      bool killable)
{
	lockdep_assert_held(&matrix_dev->guests_lock);

	kvm_get_kvm(kvm);
	vfio_ap_guest_unlock_outer(hold);

	if (vfio_ap_guest_lock_kvm(kvm, killable)) {
		kvm_put_kvm(kvm);
		return -EINTR;
	}
	if (vfio_ap_guest_try_outer(hold)) {
		hold->kvm = kvm;
		hold->waited = kvm;
		return 1;
	}
	mutex_unlock(&kvm->lock);
	kvm_put_kvm(kvm);
	return 0;
}

/**
 * vfio_ap_guest_unlock() - release the lock of a guest and those before it
 * @hold: what was taken
 *
 * Context: process, may sleep: the reference to a guest that was waited for may
 *	    be the last one by now, so it is given up with no lock held.
 *	    Releases kvm->lock, if there is a guest, and the outer locks.
 */
static void vfio_ap_guest_unlock(struct vfio_ap_hold *hold)
{
	if (hold->kvm)
		mutex_unlock(&hold->kvm->lock);
	hold->kvm = NULL;
	vfio_ap_guest_unlock_outer(hold);
	if (hold->waited)
		kvm_put_kvm(hold->waited);
	hold->waited = NULL;
}

/**
 * vfio_ap_guest_lock() - take all locks for plugging and unplugging
 * @hold: says whether the bus has to be asked; the guest is stored there
 * @mdev: the mdev; the caller keeps it alive
 * @killable: give up on a fatal signal
 *
 * Context: process, may sleep. Takes ap_attr_mutex if @hold says so,
 *	    guests_lock, kvm->lock (if there is a guest) and mdevs_lock.
 * Return: 0, or -EINTR with no lock held.
 */
static int vfio_ap_guest_lock(struct vfio_ap_hold *hold,
			      const struct ap_matrix_mdev *mdev, bool killable)
{
	struct kvm *kvm;
	int rc;

	for (;;) {
		vfio_ap_guest_lock_outer(hold);
		kvm = mdev->kvm;
		if (vfio_ap_guest_try(hold, kvm))
			break;
		rc = vfio_ap_guest_wait(hold, kvm, killable);
		if (rc < 0)
			return rc;
		if (!rc)
			continue;
		if (mdev->kvm == kvm)
			break;
		vfio_ap_guest_unlock(hold);
	}
	mutex_lock(&matrix_dev->mdevs_lock);
	return 0;
}

/**
 * vfio_ap_guest_acquire() - take the locks for plugging and unplugging
 * @hold: where to remember what was taken
 * @mdev: the mdev whose guest is going to change; the caller keeps it alive
 *
 * Context: process, may sleep. Takes guests_lock, kvm->lock (if there is a
 *	    guest) and mdevs_lock, to be released with vfio_ap_guest_release().
 */
void vfio_ap_guest_acquire(struct vfio_ap_hold *hold,
			   const struct ap_matrix_mdev *mdev)
{
	*hold = (struct vfio_ap_hold) {};
	vfio_ap_guest_lock(hold, mdev, false);
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
	vfio_ap_guest_unlock(hold);
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
	mdev->shadow = *shadow;
	write_sequnlock(&mdev->shadow_lock);
	/* An unbind may be waiting for the guest to lose a queue. */
	if (wq_has_sleeper(&matrix_dev->reset_wait))
		wake_up_all(&matrix_dev->reset_wait);
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
	vfio_ap_dbf_mdev(VFIO_AP_DBF_INFO, mdev,
			 "the guest has %u adapters, %u domains, %u control domains\n",
			 ap_mask_weight(&mdev->shadow.apm),
			 ap_mask_weight(&mdev->shadow.aqm),
			 ap_mask_weight(&mdev->shadow.adm));
	if (mdev->event[VFIO_AP_EVENT_CFG_CHG])
		eventfd_signal(mdev->event[VFIO_AP_EVENT_CFG_CHG]);
}

/**
 * vfio_ap_guest_let_have() - change what a guest has, if it is a change
 * @mdev: the guest's mdev; without a guest, this is what one would have
 * @after: what it is to have
 *
 * Context: process; expects guests_lock, kvm->lock if @mdev has a guest, and
 *	    mdevs_lock.
 */
static void vfio_ap_guest_let_have(struct ap_matrix_mdev *mdev,
				   const struct ap_matrix *after)
{
	lockdep_assert_held(&matrix_dev->guests_lock);
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	if (ap_matrix_equal(&mdev->shadow, after))
		return;
	vfio_ap_guest_set_shadow(mdev, after);
	if (mdev->kvm)
		vfio_ap_guest_push(mdev);
}

/* Does a change of the shadow take queues away? */
static bool vfio_ap_guest_loses(const struct ap_matrix *from,
				const struct ap_matrix *to)
{
	return !ap_mask_subset(&from->apm, &to->apm) ||
	       !ap_mask_subset(&from->aqm, &to->aqm);
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

	if (!vfio_ap_guest_loses(from, to))
		return;
	ap_mask_for_each(apid, &from->apm) {
		leaving = from->aqm;
		if (ap_mask_test(&to->apm, apid))
			leaving = ap_mask_andnot(&from->aqm, &to->aqm);
		vfio_ap_queue_reset(apid, &leaving);
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
 * vfio_ap_guest_compute() - compute the shadow
 * @mdev: the mdev
 *
 * Context: process; expects mdevs_lock.
 * Return: the shadow.
 */
static struct ap_matrix vfio_ap_guest_compute(struct ap_matrix_mdev *mdev)
{
	struct ap_matrix shadow = {};

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	vfio_ap_guest_admit(mdev);
	if (!mdev->release_requested)
		ap_matrix_filter(&shadow, &mdev->matrix, &matrix_dev->host,
				 &mdev->held, vfio_ap_adapters());
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
	struct ap_matrix before = mdev->shadow, after;

	lockdep_assert_held(&matrix_dev->guests_lock);
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	mdev->outdated = false;
	after = vfio_ap_guest_compute(mdev);
	vfio_ap_guest_let_have(mdev, &after);
	vfio_ap_guest_reset_leaving(&before, &after);
}

/**
 * vfio_ap_guest_evaluate_controls() - compute the control domains only
 * @mdev: the mdev
 *
 * No queue and no other mask has a say in what a guest controls.
 *
 * Context: process; expects guests_lock, kvm->lock if @mdev has a guest, and
 *	    mdevs_lock.
 */
static void vfio_ap_guest_evaluate_controls(struct ap_matrix_mdev *mdev)
{
	struct ap_matrix after = mdev->shadow;

	lockdep_assert_held(&matrix_dev->guests_lock);
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	if (mdev->release_requested)
		return;
	after.adm = ap_mask_and(&mdev->matrix.adm, &matrix_dev->host.adm);
	vfio_ap_guest_let_have(mdev, &after);
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

	vfio_ap_guest_acquire(&hold, mdev);
	vfio_ap_guest_evaluate(mdev);
	vfio_ap_guest_release(&hold);
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

	mdev = vfio_ap_guest_owner(apqn);
	if (mdev)
		mdev->outdated = true;
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
	return ap_matrix_equal(&shadow, &mdev->shadow);
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
		struct vfio_ap_hold hold;

		if (!mdev->outdated)
			continue;
		if (vfio_ap_guest_unchanged(mdev)) {
			mdev->outdated = false;
			continue;
		}
		if (!vfio_ap_guest_try(&hold, mdev->kvm)) {
			queue_work(matrix_dev->release_wq, &mdev->evaluate_work);
			continue;
		}
		mutex_lock(&matrix_dev->mdevs_lock);
		vfio_ap_guest_evaluate(mdev);
		mutex_unlock(&matrix_dev->mdevs_lock);
		if (hold.kvm)
			mutex_unlock(&hold.kvm->lock);
	}
}

/* Does a guest have a queue that the host has as well? */
static bool vfio_ap_guest_plugged(u16 apqn)
{
	struct ap_matrix_mdev *mdev;

	guard(mutex)(&matrix_dev->mdevs_lock);
	mdev = vfio_ap_guest_owner(apqn);
	return mdev && vfio_ap_guest_has(mdev, apqn) &&
	       ap_matrix_has(&matrix_dev->host, AP_QID_CARD(apqn),
			     AP_QID_QUEUE(apqn));
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

/**
 * vfio_ap_guest_check_reserved() - look what the bus said about what is added
 * @mdev: the mdev that wants it
 * @added: what is added
 *
 * Context: process; expects ap_attr_mutex.
 * Return: 0; -EADDRNOTAVAIL if an APQN is reserved, or the bus does not know;
 *	   -EINTR if it was not asked to the end because the task is being killed.
 */
static int vfio_ap_guest_check_reserved(struct ap_matrix_mdev *mdev,
					const struct vfio_ap_addition *added)
{
	unsigned int apid, apqi;

	lockdep_assert_held(&ap_attr_mutex);

	if (added->answer != -EADDRNOTAVAIL)
		return added->answer;
	apid = AP_QID_CARD(added->reserved);
	apqi = AP_QID_QUEUE(added->reserved);
	dev_notice_ratelimited(mdev->vdev.dev,
			       "%02x.%04x is reserved for the host's drivers, not assigned\n",
			       apid, apqi);
	vfio_ap_dbf_mdev(VFIO_AP_DBF_NOTICE, mdev,
			 "%02x.%04x not assigned: reserved for the host\n",
			 apid, apqi);
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
		vfio_ap_dbf_mdev(VFIO_AP_DBF_NOTICE, mdev,
				 "%02x.%04x not assigned: another device has it\n",
				 apid, apqi);
		return -EADDRINUSE;
	}
	return 0;
}

/**
 * vfio_ap_guest_check() - may an mdev have what is added?
 * @mdev: the mdev
 * @added: new adapters with all domains, and new domains with all adapters
 *
 * Only what is added can be refused; what was there already is not asked.
 *
 * Context: process; expects ap_attr_mutex and mdevs_lock.
 * Return: 0, -EADDRNOTAVAIL, -EADDRINUSE or -EINTR.
 */
static int vfio_ap_guest_check(struct ap_matrix_mdev *mdev,
			       const struct vfio_ap_addition *added)
{
	int rc;

	lockdep_assert_held(&ap_attr_mutex);
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	rc = vfio_ap_guest_check_reserved(mdev, added);
	if (!rc)
		rc = vfio_ap_guest_check_shared(mdev, &added->rows);
	if (!rc)
		rc = vfio_ap_guest_check_shared(mdev, &added->columns);
	return rc;
}

/**
 * struct vfio_ap_change - a change of a matrix
 * @after: the matrix afterwards
 * @added: the APQNs that it has and the matrix before has not
 */
struct vfio_ap_change {
	struct ap_matrix after;
	struct vfio_ap_addition added;
};

/**
 * vfio_ap_guest_preview() - compute a change
 * @change: where to store it
 * @mdev: the mdev
 * @edit: makes the new matrix out of the old one
 * @how: what @edit needs to know
 *
 * Context: process; expects mdevs_lock.
 */
static void vfio_ap_guest_preview(struct vfio_ap_change *change,
				  const struct ap_matrix_mdev *mdev,
				  ap_matrix_edit edit, const void *how)
{
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	change->after = mdev->matrix;
	edit(&change->after, how);
	ap_matrix_added(&mdev->matrix, &change->after, &change->added.rows,
			&change->added.columns);
	change->added.answer = 0;
}

/**
 * vfio_ap_guest_begin() - prepare a change, and take the locks for it
 * @hold: where to remember what was taken
 * @change: where to store the change, with the answer of the bus
 * @mdev: the mdev
 * @edit: makes the new matrix out of the old one
 * @how: what @edit needs to know
 *
 * Queues that are added may be in reset, for somebody had them a moment ago.
 * Waiting before the change lets the guest see one change.
 *
 * Context: process, may sleep up to VFIO_AP_WAIT_MS for resets. Takes
 *	    ap_attr_mutex if APQNs are added, and what
 *	    vfio_ap_guest_acquire() takes.
 * Return: 0, or -EINTR on a fatal signal.
 */
static int vfio_ap_guest_begin(struct vfio_ap_hold *hold,
			       struct vfio_ap_change *change,
			       struct ap_matrix_mdev *mdev,
			       ap_matrix_edit edit, const void *how)
{
	struct vfio_ap_addition *added = &change->added;
	struct vfio_ap_change now;
	unsigned long end = 0;
	bool asked;
	int rc;

	*hold = (struct vfio_ap_hold) {};
	for (;;) {
		rc = vfio_ap_guest_lock(hold, mdev, true);
		if (rc)
			return rc;
		/* Somebody else may have changed the matrix since it was asked. */
		vfio_ap_guest_preview(&now, mdev, edit, how);
		asked = hold->added &&
			ap_matrix_equal(&added->rows, &now.added.rows) &&
			ap_matrix_equal(&added->columns, &now.added.columns);
		if (!asked)
			*added = now.added;
		change->after = now.after;
		if (asked || (!hold->added && !vfio_ap_guest_adds(added)))
			return 0;
		vfio_ap_guest_release(hold);

		/* Resets get their time once, whatever a VMM took before. */
		if (!hold->added)
			end = vfio_ap_wait_end();
		hold->added = added;
		if (vfio_ap_queue_wait(&added->rows, end) > 0)
			vfio_ap_queue_wait(&added->columns, end);
	}
}

/**
 * vfio_ap_guest_apply() - make a change that was checked
 * @mdev: the mdev
 * @change: the change
 *
 * Context: process; expects guests_lock, kvm->lock if @mdev has a guest, and
 *	    mdevs_lock.
 */
static void vfio_ap_guest_apply(struct ap_matrix_mdev *mdev,
				const struct vfio_ap_change *change)
{
	bool controls = ap_mask_equal(&mdev->matrix.apm, &change->after.apm) &&
			ap_mask_equal(&mdev->matrix.aqm, &change->after.aqm);

	lockdep_assert_held(&matrix_dev->guests_lock);
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	mdev->matrix = change->after;
	mdev->held = ap_mask_or(&mdev->held, &change->added.columns.aqm);
	if (controls)
		vfio_ap_guest_evaluate_controls(mdev);
	else
		vfio_ap_guest_evaluate(mdev);
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
 * Context: process, may sleep. Takes ap_attr_mutex if APQNs are added, and
 *	    what vfio_ap_guest_acquire() takes.
 * Return: 0; -EADDRNOTAVAIL if an added APQN is reserved for drivers of the
 *	   host; -EADDRINUSE if an added APQN is assigned to another mdev; -EINTR
 *	   if the task is being killed.
 */
int vfio_ap_guest_edit(struct ap_matrix_mdev *mdev, ap_matrix_edit edit,
		       const void *how)
{
	struct vfio_ap_change change;
	struct vfio_ap_hold hold;
	struct ap_matrix before;
	bool wait = false;
	int rc;

	rc = vfio_ap_guest_begin(&hold, &change, mdev, edit, how);
	if (rc)
		return rc;
	before = mdev->shadow;
	rc = hold.added ? vfio_ap_guest_check(mdev, hold.added) : 0;
	if (!rc && !ap_matrix_equal(&mdev->matrix, &change.after)) {
		vfio_ap_guest_apply(mdev, &change);
		wait = vfio_ap_guest_loses(&before, &mdev->shadow);
	}
	vfio_ap_guest_release(&hold);

	if (wait)
		vfio_ap_queue_wait(&before, vfio_ap_wait_end());
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

	if (!vfio_ap_guest_swap_hook(kvm, NULL, &mdev->pqap_hook)) {
		dev_notice_ratelimited(mdev->vdev.dev,
				       "the guest has another vfio_ap device, not attached\n");
		return -EPERM;
	}

	kvm_get_kvm(kvm);
	for (;;) {
		mutex_lock(&matrix_dev->guests_lock);
		if (vfio_ap_guest_try(&hold, kvm))
			break;
		if (vfio_ap_guest_wait(&hold, kvm, false))
			break;
	}
	mutex_lock(&matrix_dev->mdevs_lock);

	vfio_ap_dbf_mdev(VFIO_AP_DBF_NOTICE, mdev, "attached by process %d\n",
			 task_tgid_nr(current));
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
	const struct ap_matrix nothing = {};
	struct ap_matrix matrix;
	struct vfio_ap_hold hold;

	if (!kvm)
		return;

	vfio_ap_guest_swap_hook(kvm, &mdev->pqap_hook, NULL);

	vfio_ap_guest_acquire(&hold, mdev);
	kvm_arch_crypto_clear_masks(kvm);
	trace_vfio_ap_apcb(dev_name(mdev->vdev.dev), &nothing);
	vfio_ap_dbf_mdev(VFIO_AP_DBF_NOTICE, mdev, "detached\n");
	WRITE_ONCE(mdev->kvm, NULL);
	mdev->release_requested = false;
	matrix = mdev->matrix;
	/* All of it is reset, so the evaluation need not see that it left. */
	vfio_ap_guest_set_shadow(mdev, &nothing);
	vfio_ap_queue_reset_matrix(&matrix, NULL);
	vfio_ap_guest_evaluate(mdev);
	vfio_ap_guest_release(&hold);

	vfio_ap_nib_return_pins(mdev);
	vfio_ap_queue_wait(&matrix, vfio_ap_wait_end());
	kvm_put_kvm(kvm);
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
