// SPDX-License-Identifier: GPL-2.0-only
/*
 * The locks for a change of what a guest has, in their order.
 *
 * kvm->lock comes between two locks of the driver, and a VMM decides how long
 * it is taken. So it is only tried while guests_lock is held, and waited for with
 * nothing held. No other file takes kvm->lock.
 */
#include <linux/lockdep.h>

#include "vfio_ap_private.h"

static void vfio_ap_lock_outer(const struct vfio_ap_locks *locks)
{
	if (locks->added) {
		mutex_lock(&ap_attr_mutex);
		vfio_ap_bus_check_owned(locks->added);
	}
	mutex_lock(&matrix_dev->guests_lock);
}

/* A guest's lock may be held, so these locks are only tried. */
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

/*
 * A VMM can have the lock held for as long as it likes (KVM touches user
 * memory under it), so while guests_lock is held it is only tried.
 */
static bool vfio_ap_lock_try_kvm(struct vfio_ap_locks *locks, struct kvm *kvm)
{
	lockdep_assert_held(&matrix_dev->guests_lock);

	if (kvm) {
		/* A trylock does not teach lockdep the order. */
		might_lock(&kvm->lock);
		if (!mutex_trylock(&kvm->lock))
			return false;
	}
	locks->kvm = kvm;
	return true;
}

/*
 * A VMM decides how long this takes, so it does not count as a hung task: a task
 * that is being killed and has to go on looks once in a while.
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
 * vfio_ap_lock_wait() - wait for the lock of a guest, then try for the others
 * @locks: says which others; where to remember the guest
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
 * Return: 1 with all locks, and a reference to the guest in @locks; the guest may
 *	   have got another mdev meanwhile, or none; 0 with no lock, try again;
 *	   -EINTR with no lock.
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

/*
 * The reference to a guest that was waited for may be the last one by now, so
 * it is given up with no lock held.
 */
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
		if (mdev->kvm == kvm)
			break;
		vfio_ap_lock_drop(locks);
	}
	mutex_lock(&matrix_dev->mdevs_lock);
	return 0;
}

/**
 * vfio_ap_lock_acquire() - take the locks for plugging and unplugging
 * @locks: where to remember what was taken
 * @mdev: the mdev whose guest is going to change; the caller keeps it alive
 *
 * Context: process, may sleep. Takes guests_lock, kvm->lock (if there is a
 *	    guest) and mdevs_lock, to be released with vfio_ap_lock_release().
 */
void vfio_ap_lock_acquire(struct vfio_ap_locks *locks,
			  const struct ap_matrix_mdev *mdev)
{
	*locks = (struct vfio_ap_locks) {};
	vfio_ap_lock_all(locks, mdev, false);
}

/**
 * vfio_ap_lock_acquire_killable() - take the locks for a change of a matrix
 * @locks: says whether the bus has to be asked; the guest is stored there
 * @mdev: the mdev whose guest is going to change; the caller keeps it alive
 *
 * Context: process, may sleep. Takes ap_attr_mutex if @locks says so,
 *	    guests_lock, kvm->lock (if there is a guest) and mdevs_lock, to be
 *	    released with vfio_ap_lock_release().
 * Return: 0, or -EINTR with no lock held if the task is being killed.
 */
int vfio_ap_lock_acquire_killable(struct vfio_ap_locks *locks,
				  const struct ap_matrix_mdev *mdev)
{
	return vfio_ap_lock_all(locks, mdev, true);
}

/**
 * vfio_ap_lock_acquire_kvm() - take the locks for a guest that no mdev has yet
 * @locks: where to remember what was taken
 * @kvm: the guest; the caller keeps it alive
 *
 * Context: process, may sleep. Takes guests_lock, kvm->lock and mdevs_lock, to be
 *	    released with vfio_ap_lock_release().
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
 * vfio_ap_lock_release() - release what vfio_ap_lock_acquire() took
 * @locks: what was taken
 *
 * Context: process. Releases all locks taken, in reverse order.
 */
void vfio_ap_lock_release(struct vfio_ap_locks *locks)
{
	lockdep_assert_held(&matrix_dev->guests_lock);
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	mutex_unlock(&matrix_dev->mdevs_lock);
	vfio_ap_lock_drop(locks);
}

/**
 * vfio_ap_lock_try_guest() - take the locks of one guest if its own is free
 * @locks: where to remember what was taken
 * @mdev: the guest's mdev
 *
 * Context: process; expects guests_lock. Takes kvm->lock (if there is a guest) and
 *	    mdevs_lock, to be released with vfio_ap_lock_release_guest().
 * Return: true if it was free or is not needed, otherwise none is taken.
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
 * vfio_ap_lock_release_guest() - release what vfio_ap_lock_try_guest() took
 * @locks: what was taken
 *
 * Context: process; guests_lock stays held.
 */
void vfio_ap_lock_release_guest(struct vfio_ap_locks *locks)
{
	lockdep_assert_held(&matrix_dev->guests_lock);

	mutex_unlock(&matrix_dev->mdevs_lock);
	if (locks->kvm)
		mutex_unlock(&locks->kvm->lock);
}

/**
 * vfio_ap_lock_assert_held() - demand the locks for plugging and unplugging
 * @mdev: the mdev whose guest is going to change
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
