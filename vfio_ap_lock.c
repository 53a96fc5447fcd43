// SPDX-License-Identifier: GPL-2.0-only
/*
 * Acquire and release the locks for an APCB update, in lock order.
 *
 * KVM accesses user memory under kvm->lock, so a VMM determines the hold time.
 * The driver therefore only trylocks kvm->lock under guests_lock, and blocks on
 * kvm->lock with no other lock held. Only this file takes kvm->lock.
 */
#include <linux/lockdep.h>

#include "vfio_ap_private.h"

/* An assignment may hold ap_attr_mutex for a long time, but is killable. */
static void vfio_ap_lock_outer(const struct vfio_ap_locks *locks)
{
	if (locks->added) {
		mutex_lock(&ap_attr_mutex);
		vfio_ap_bus_check_owned(locks->added);
	}
	mutex_lock(&matrix_dev->guests_lock);
}

/* The caller holds kvm->lock, which nests inside the outer locks: trylock. */
static bool vfio_ap_lock_try_outer(const struct vfio_ap_locks *locks)
{
	if (locks->added) {
		if (!mutex_trylock(&ap_attr_mutex))
			return false;
		vfio_ap_bus_check_owned(locks->added);
	}
	if (mutex_trylock(&matrix_dev->guests_lock))
		return true;
	if (locks->added)
		mutex_unlock(&ap_attr_mutex);
	return false;
}

static void vfio_ap_lock_release_outer(const struct vfio_ap_locks *locks)
{
	mutex_unlock(&matrix_dev->guests_lock);
	if (locks->added)
		mutex_unlock(&ap_attr_mutex);
}

static bool vfio_ap_lock_try_kvm(struct vfio_ap_locks *locks, struct kvm *kvm)
{
	lockdep_assert_held(&matrix_dev->guests_lock);

	if (kvm) {
		/* lockdep records no order for a trylock. */
		might_lock(&kvm->lock);
		if (!mutex_trylock(&kvm->lock))
			return false;
	}
	locks->kvm = kvm;
	return true;
}

/*
 * After a fatal signal, an unkillable caller polls in TASK_IDLE. The hung task
 * detector ignores TASK_KILLABLE and TASK_IDLE sleeps.
 */
static int vfio_ap_lock_wait_kvm(struct kvm *kvm, bool killable)
{
	int rc = mutex_lock_killable(&kvm->lock);

	if (!rc || killable)
		return rc;
	while (!mutex_trylock(&kvm->lock))
		schedule_timeout_idle(1);
	return 0;
}

/**
 * vfio_ap_lock_wait() - block on kvm->lock, then trylock the outer locks
 * @locks: @locks->added adds ap_attr_mutex to guests_lock; records the guest
 * @kvm: the guest
 * @killable: return on a fatal signal
 *
 * A VMM that takes kvm->lock frequently would starve a trylock loop.
 *
 * Context: process, may sleep for as long as a VMM holds kvm->lock. Expects the
 *	    outer locks and releases these before the sleep.
 * Return: 1 with the outer locks, kvm->lock and a reference in @locks->waited;
 *	   0 without locks if a trylock failed; -EINTR without locks.
 */
static int vfio_ap_lock_wait(struct vfio_ap_locks *locks, struct kvm *kvm,
			     bool killable)
{
	lockdep_assert_held(&matrix_dev->guests_lock);

	kvm_get_kvm(kvm);
	vfio_ap_lock_release_outer(locks);

	if (vfio_ap_lock_wait_kvm(kvm, killable)) {
		kvm_put_kvm(kvm);
		return -EINTR;
	}
	if (vfio_ap_lock_try_outer(locks)) {
		locks->kvm = kvm;
		locks->waited = kvm;
		return 1;
	}
	mutex_unlock(&kvm->lock);
	kvm_put_kvm(kvm);
	return 0;
}

/* kvm_put_kvm() may destroy the guest, so call it without locks. */
static void vfio_ap_lock_drop(struct vfio_ap_locks *locks)
{
	if (locks->kvm)
		mutex_unlock(&locks->kvm->lock);
	locks->kvm = NULL;
	vfio_ap_lock_release_outer(locks);
	if (locks->waited)
		kvm_put_kvm(locks->waited);
	locks->waited = NULL;
}

static int vfio_ap_lock_all(struct vfio_ap_locks *locks,
			    const struct ap_matrix_mdev *mdev, bool killable)
{
	struct kvm *kvm;
	int rc;

	for (;;) {
		vfio_ap_lock_outer(locks);
		kvm = mdev->kvm;
		if (vfio_ap_lock_try_kvm(locks, kvm))
			break;
		rc = vfio_ap_lock_wait(locks, kvm, killable);
		if (rc < 0)
			return rc;
		if (!rc)
			continue;
		/* The mdev may have been detached from @kvm during the wait. */
		if (mdev->kvm == kvm)
			break;
		vfio_ap_lock_drop(locks);
	}
	mutex_lock(&matrix_dev->mdevs_lock);
	return 0;
}

/**
 * vfio_ap_lock_acquire() - take the locks for an APCB update
 * @locks: records the locks taken
 * @mdev: the mdev; the caller keeps the mdev alive
 *
 * Context: process, may sleep. Takes guests_lock, kvm->lock if there is a guest
 *	    and mdevs_lock. Release them with vfio_ap_lock_release().
 */
void vfio_ap_lock_acquire(struct vfio_ap_locks *locks,
			  const struct ap_matrix_mdev *mdev)
{
	*locks = (struct vfio_ap_locks) {};
	vfio_ap_lock_all(locks, mdev, false);
}

/**
 * vfio_ap_lock_acquire_killable() - take the locks for a change of a matrix
 * @locks: @locks->added selects the ownership check; records the locks taken
 * @mdev: the mdev; the caller keeps the mdev alive
 *
 * Context: process, may sleep. Takes the locks of vfio_ap_lock_acquire(). If
 *	    @locks->added is set, first takes ap_attr_mutex and checks ownership
 *	    with the AP bus. Release them with vfio_ap_lock_release().
 * Return: 0 with the locks; -EINTR without locks on a fatal signal.
 */
int vfio_ap_lock_acquire_killable(struct vfio_ap_locks *locks,
				  const struct ap_matrix_mdev *mdev)
{
	return vfio_ap_lock_all(locks, mdev, true);
}

/**
 * vfio_ap_lock_acquire_kvm() - take the locks to attach an mdev to a guest
 * @locks: records the locks taken
 * @kvm: the guest; the caller holds a reference
 *
 * Context: process, may sleep. Takes guests_lock, kvm->lock and mdevs_lock.
 *	    Release them with vfio_ap_lock_release().
 */
void vfio_ap_lock_acquire_kvm(struct vfio_ap_locks *locks, struct kvm *kvm)
{
	*locks = (struct vfio_ap_locks) {};
	for (;;) {
		mutex_lock(&matrix_dev->guests_lock);
		if (vfio_ap_lock_try_kvm(locks, kvm))
			break;
		if (vfio_ap_lock_wait(locks, kvm, false))
			break;
	}
	mutex_lock(&matrix_dev->mdevs_lock);
}

/**
 * vfio_ap_lock_release() - release the locks that @locks records
 * @locks: the locks taken
 *
 * Context: process, may sleep; expects the locks in @locks. Releases them.
 */
void vfio_ap_lock_release(struct vfio_ap_locks *locks)
{
	lockdep_assert_held(&matrix_dev->guests_lock);
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	mutex_unlock(&matrix_dev->mdevs_lock);
	vfio_ap_lock_drop(locks);
}

/**
 * vfio_ap_lock_try_guest() - trylock kvm->lock, then take mdevs_lock
 * @locks: records the guest
 * @mdev: the mdev
 *
 * Context: process, may sleep; expects guests_lock. Takes kvm->lock if there is
 *	    a guest, and mdevs_lock.
 * Return: true with the locks; false without locks if kvm->lock is contended.
 */
bool vfio_ap_lock_try_guest(struct vfio_ap_locks *locks,
			    const struct ap_matrix_mdev *mdev)
{
	lockdep_assert_held(&matrix_dev->guests_lock);

	if (!vfio_ap_lock_try_kvm(locks, mdev->kvm))
		return false;
	mutex_lock(&matrix_dev->mdevs_lock);
	return true;
}

/**
 * vfio_ap_lock_release_guest() - undo vfio_ap_lock_try_guest()
 * @locks: the guest
 *
 * Context: process; expects guests_lock. Releases mdevs_lock and kvm->lock.
 */
void vfio_ap_lock_release_guest(struct vfio_ap_locks *locks)
{
	lockdep_assert_held(&matrix_dev->guests_lock);

	mutex_unlock(&matrix_dev->mdevs_lock);
	if (locks->kvm)
		mutex_unlock(&locks->kvm->lock);
}

/**
 * vfio_ap_lock_assert_held() - assert the locks for an APCB update
 * @mdev: the mdev
 *
 * Context: process; expects guests_lock, kvm->lock if @mdev has a guest, and
 *	    mdevs_lock.
 */
void vfio_ap_lock_assert_held(const struct ap_matrix_mdev *mdev)
{
	lockdep_assert_held(&matrix_dev->guests_lock);
	if (mdev->kvm)
		lockdep_assert_held(&mdev->kvm->lock);
	lockdep_assert_held(&matrix_dev->mdevs_lock);
}
