// SPDX-License-Identifier: GPL-2.0-only
/*
 * Check and apply a change to the matrix of an mdev.
 *
 * vfio_ap_guest.c computes the shadow APCB for the new matrix.
 */
#include <linux/lockdep.h>

#include "vfio_ap_private.h"

/* Only added APQNs need an ownership check with the AP bus. */
static bool vfio_ap_assign_adds(const struct vfio_ap_addition *added)
{
	const struct ap_matrix *rows = &added->rows, *columns = &added->columns;

	return (!ap_mask_empty(&rows->apm) && !ap_mask_empty(&rows->aqm)) ||
	       (!ap_mask_empty(&columns->apm) && !ap_mask_empty(&columns->aqm));
}

static int vfio_ap_assign_check_reserved(struct ap_matrix_mdev *mdev,
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

static int vfio_ap_assign_check_shared(struct ap_matrix_mdev *mdev,
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

/* Only newly added APQNs are checked. Existing assignments stay valid. */
static int vfio_ap_assign_check(struct ap_matrix_mdev *mdev,
				const struct vfio_ap_addition *added)
{
	int rc;

	lockdep_assert_held(&ap_attr_mutex);
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	rc = vfio_ap_assign_check_reserved(mdev, added);
	if (!rc)
		rc = vfio_ap_assign_check_shared(mdev, &added->rows);
	if (!rc)
		rc = vfio_ap_assign_check_shared(mdev, &added->columns);
	return rc;
}

/**
 * struct vfio_ap_change - a planned change to the matrix of an mdev
 * @after: the new matrix
 * @added: the APQNs that @after adds to the current matrix
 */
struct vfio_ap_change {
	struct ap_matrix after;
	struct vfio_ap_addition added;
};

static void vfio_ap_assign_preview(struct vfio_ap_change *change,
				   const struct ap_matrix_mdev *mdev,
				   const struct ap_matrix_delta *delta)
{
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	change->after = ap_matrix_apply(&mdev->matrix, delta);
	ap_matrix_added(&mdev->matrix, &change->after, &change->added.rows,
			&change->added.columns);
	change->added.answer = 0;
}

/*
 * Newly assigned queues may still be in reset after their previous user. Wait
 * for these resets first, so that the guest sees a single APCB update.
 */
static int vfio_ap_assign_begin(struct vfio_ap_locks *locks,
				struct vfio_ap_change *change,
				struct ap_matrix_mdev *mdev,
				const struct ap_matrix_delta *delta)
{
	struct vfio_ap_addition *added = &change->added;
	struct vfio_ap_change now;
	unsigned long end = 0;
	bool asked;
	int rc;

	*locks = (struct vfio_ap_locks) {};
	for (;;) {
		rc = vfio_ap_lock_acquire_killable(locks, mdev);
		if (rc)
			return rc;
		/* Another writer may have changed the matrix meanwhile. */
		vfio_ap_assign_preview(&now, mdev, delta);
		asked = locks->added &&
			ap_matrix_equal(&added->rows, &now.added.rows) &&
			ap_matrix_equal(&added->columns, &now.added.columns);
		if (!asked)
			*added = now.added;
		change->after = now.after;
		if (asked || (!locks->added && !vfio_ap_assign_adds(added)))
			return 0;
		vfio_ap_lock_release(locks);

		/* Start the reset timeout once, after taking kvm->lock. */
		if (!locks->added)
			end = jiffies + VFIO_AP_WAIT;
		locks->added = added;
		if (vfio_ap_queue_wait_until(&added->rows, end) > 0)
			vfio_ap_queue_wait_until(&added->columns, end);
	}
}

/**
 * vfio_ap_assign_change() - change the matrix of an mdev
 * @mdev: the mdev
 * @delta: the adapters, usage domains and control domains to clear and to set
 *
 * The function applies @delta completely or leaves the matrix unchanged. It
 * waits without locks for the resets of added queues and of removed queues, at
 * most VFIO_AP_WAIT_MS each. A fatal signal ends these waits.
 *
 * Context: process, may sleep; no lock of the driver may be held. Takes
 *	    ap_attr_mutex if APQNs are added, and the locks of
 *	    vfio_ap_lock_acquire().
 * Return: 0 on success; -EADDRNOTAVAIL if an added APQN is reserved for host
 *	   drivers; -EADDRINUSE if an added APQN is assigned to another mdev;
 *	   -EINTR if a fatal signal is pending before the change.
 */
int vfio_ap_assign_change(struct ap_matrix_mdev *mdev,
			  const struct ap_matrix_delta *delta)
{
	struct vfio_ap_change change;
	struct vfio_ap_locks locks;
	struct ap_matrix before;
	bool wait = false;
	int rc;

	rc = vfio_ap_assign_begin(&locks, &change, mdev, delta);
	if (rc)
		return rc;
	before = mdev->shadow_apcb;
	rc = locks.added ? vfio_ap_assign_check(mdev, locks.added) : 0;
	if (!rc && !ap_matrix_equal(&mdev->matrix, &change.after)) {
		mdev->matrix = change.after;
		mdev->aqm_pending = ap_mask_or(&mdev->aqm_pending,
					       &change.added.columns.aqm);
		vfio_ap_guest_evaluate(mdev);
		wait = ap_matrix_loses(&before, &mdev->shadow_apcb);
	}
	vfio_ap_lock_release(&locks);

	if (wait)
		vfio_ap_queue_wait(&before);
	return rc;
}
