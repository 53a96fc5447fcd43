// SPDX-License-Identifier: GPL-2.0-only
/*
 * Callbacks of the AP bus, and ownership checks with the AP bus.
 *
 * vfio_ap_reset.c stops the state machine that the AP bus runs for a new queue.
 */
#include <linux/lockdep.h>
#include <linux/string.h>

#include "vfio_ap_private.h"

/* As ap_init_qci_info(): Na and Nd need APXA, and 0 means unknown. */
static void vfio_ap_bus_set_maxima(const struct ap_config_info *info)
{
	matrix_dev->apid_max = 63;
	matrix_dev->apqi_max = 15;
	if (!info || !info->apxa)
		return;
	if (info->na)
		matrix_dev->apid_max = info->na;
	if (info->nd)
		matrix_dev->apqi_max = info->nd;
}

/**
 * vfio_ap_bus_init_host() - record the host's AP configuration at module load
 * @info: response of QCI, or NULL if the host lacks QCI
 *
 * Without QCI the host's AP configuration is unknown. The driver then assumes
 * all adapters and domains up to the maximum. Guests get the bound queues.
 *
 * Context: module load, before the drivers are registered.
 */
void vfio_ap_bus_init_host(const struct ap_config_info *info)
{
	vfio_ap_bus_set_maxima(info);
	if (info) {
		matrix_dev->host = vfio_ap_matrix_of(info);
		return;
	}
	matrix_dev->host.apm = ap_mask_upto(matrix_dev->apid_max);
	matrix_dev->host.aqm = ap_mask_upto(matrix_dev->apqi_max);
	matrix_dev->host.adm = ap_mask_upto(matrix_dev->apqi_max);
}

/* The offset of &ap_queue.qid varies between kernels: parse the name. */
static int vfio_ap_bus_apqn(const struct ap_device *ap_dev, u16 *apqn)
{
	unsigned int apid, apqi;

	if (sscanf(dev_name(&ap_dev->device), "%x.%x", &apid, &apqi) != 2 ||
	    apid >= AP_DEVICES || apqi >= AP_DOMAINS)
		return -ENODEV;
	*apqn = AP_MKQID(apid, apqi);
	return 0;
}

static int vfio_ap_bus_is(struct device *dev, void *data)
{
	return dev == data;
}

/*
 * device_del() unlinks a device from its parent before it unbinds the driver.
 * The device stays linked if user space or the AP bus only changes the driver.
 */
static bool vfio_ap_bus_is_child(struct device *dev)
{
	return device_for_each_child(dev->parent, dev, vfio_ap_bus_is);
}

/**
 * vfio_ap_bus_probe() - bind a queue and start its first reset
 * @ap_dev: the queue's device
 *
 * The function returns before the reset completes. A guest can get the queue
 * after the reset has been verified.
 *
 * Context: process; the driver core holds the device's lock. Takes mdevs_lock,
 *	    the queue's lock and poll_lock.
 * Return: 0 on success; -ENODEV if the device's name is not an APQN or differs
 *	   from &ap_queue.qid; -ENOMEM; -EBUSY if the APQN is already bound.
 */
int vfio_ap_bus_probe(struct ap_device *ap_dev)
{
	struct vfio_ap_queue *q;
	u16 apqn;
	int rc;

	rc = vfio_ap_bus_apqn(ap_dev, &apqn);
	if (rc)
		return rc;
	if (to_ap_queue(&ap_dev->device)->qid != apqn) {
		pr_err_once("%s: refused, the module was built for another layout of struct ap_queue\n",
			    dev_name(&ap_dev->device));
		return -ENODEV;
	}
	q = vfio_ap_queue_bind(apqn, to_ap_queue(&ap_dev->device));
	if (IS_ERR(q))
		return PTR_ERR(q);
	dev_set_drvdata(&ap_dev->device, q);
	return 0;
}

static void vfio_ap_bus_unbind(struct vfio_ap_queue *q)
{
	guard(mutex)(&matrix_dev->guests_lock);
	scoped_guard(mutex, &matrix_dev->mdevs_lock) {
		vfio_ap_queue_unbind(q, vfio_ap_guest_vm(q->apqn));
		vfio_ap_guest_outdate(q->apqn);
	}
	vfio_ap_guest_evaluate_outdated();
}

static bool vfio_ap_bus_host_has(u16 apqn)
{
	guard(mutex)(&matrix_dev->mdevs_lock);
	return vfio_ap_queue_in_host(apqn);
}

/**
 * vfio_ap_bus_remove() - unbind a queue and issue its last reset
 * @ap_dev: the queue's device
 *
 * The guest loses the whole adapter: the APCB cannot exclude a single APQN.
 * Another driver may bind the queue next, so the function waits until the queue
 * has left the APCB. If the AP bus removes the device or the host has lost the
 * queue, no driver can bind the queue. The function then skips the wait,
 * because a bus scan needs the device's lock.
 *
 * Context: process, may sleep for as long as a VMM holds kvm->lock; the driver
 *	    core holds the device's lock. Takes guests_lock, mdevs_lock, the
 *	    queue's lock, and the locks of vfio_ap_guest_evaluate_outdated().
 */
void vfio_ap_bus_remove(struct ap_device *ap_dev)
{
	struct vfio_ap_queue *q = dev_get_drvdata(&ap_dev->device);
	bool removed;

	/* The AP bus may remove the device of a queue that QCI still lists. */
	removed = vfio_ap_bus_host_has(q->apqn) &&
		  !vfio_ap_bus_is_child(&ap_dev->device);
	vfio_ap_bus_unbind(q);
	if (!removed)
		vfio_ap_guest_wait_unplugged(q->apqn);
	dev_set_drvdata(&ap_dev->device, NULL);
	vfio_ap_reset_final(q, vfio_ap_bus_host_has(q->apqn));
}

static int vfio_ap_bus_check_area(const struct ap_matrix *area, u16 *apqn)
{
	unsigned int apid, apqi;

	lockdep_assert_held(&ap_attr_mutex);

	ap_mask_for_each(apid, &area->apm) {
		ap_mask_for_each(apqi, &area->aqm) {
			/* ap_owned_by_def_drv() may fail: treat as reserved. */
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
 * vfio_ap_bus_check_owned() - check which added APQNs are reserved for the host
 * @added: the APQNs; @added->answer and @added->reserved receive the result
 *
 * ap_owned_by_def_drv() of some kernels searches all queues for each APQN. Call
 * this function before taking guests_lock, so that other guests can proceed.
 *
 * Context: process, may sleep; expects ap_attr_mutex, but not guests_lock. The
 *	    AP masks and driver_override stay unchanged under ap_attr_mutex.
 */
void vfio_ap_bus_check_owned(struct vfio_ap_addition *added)
{
	struct ap_matrix columns = added->columns;

	lockdep_assert_held(&ap_attr_mutex);
	lockdep_assert_not_held(&matrix_dev->guests_lock);

	added->answer = vfio_ap_bus_check_area(&added->rows, &added->reserved);
	/* @added->rows covers all domains of the new adapters. */
	columns.apm = ap_mask_andnot(&columns.apm, &added->rows.apm);
	if (!added->answer)
		added->answer = vfio_ap_bus_check_area(&columns,
						       &added->reserved);
}

/**
 * vfio_ap_bus_in_use() - check whether APQNs may be reserved for host drivers
 * @apm: adapters, 256 bits
 * @aqm: usage domains, 256 bits
 *
 * Context: process; the AP bus holds ap_attr_mutex. Takes mdevs_lock.
 * Return: 0 if no APQN of @apm x @aqm is assigned to an mdev; else -EADDRINUSE.
 */
int vfio_ap_bus_in_use(unsigned long *apm, unsigned long *aqm)
{
	struct ap_matrix_mdev *mdev;
	unsigned int apid, apqi;
	struct ap_matrix wanted;

	lockdep_assert_held(&ap_attr_mutex);

	memcpy(&wanted.apm, apm, sizeof(wanted.apm));
	memcpy(&wanted.aqm, aqm, sizeof(wanted.aqm));
	guard(mutex)(&matrix_dev->mdevs_lock);
	list_for_each_entry(mdev, &matrix_dev->mdev_list, node) {
		if (!ap_matrix_shares(&wanted, &mdev->matrix, &apid, &apqi))
			continue;
		dev_notice_ratelimited(mdev->vdev.dev,
				       "%02x.%04x is assigned, not reserved for the host\n",
				       apid, apqi);
		vfio_ap_dbf_mdev(VFIO_AP_DBF_NOTICE, mdev,
				 "%02x.%04x not given to the host: assigned\n",
				 apid, apqi);
		return -EADDRINUSE;
	}
	return 0;
}

/**
 * vfio_ap_bus_config_changed() - handle a change of the host's AP configuration
 * @now: current response of QCI
 * @before: previous response of QCI; unused
 *
 * Removes lost adapters and domains from the guests before the AP bus removes
 * the devices. vfio_ap_bus_scan_complete() handles additions after the AP bus
 * has created the devices.
 *
 * Context: process, bus scan. Takes guests_lock, mdevs_lock, and the locks of
 *	    vfio_ap_guest_evaluate_outdated().
 */
void vfio_ap_bus_config_changed(struct ap_config_info *now,
				struct ap_config_info *before)
{
	struct ap_matrix current_host = vfio_ap_matrix_of(now);
	struct ap_matrix lost;

	guard(mutex)(&matrix_dev->guests_lock);
	scoped_guard(mutex, &matrix_dev->mdevs_lock) {
		struct ap_matrix *host = &matrix_dev->host;

		lost.apm = ap_mask_andnot(&host->apm, &current_host.apm);
		lost.aqm = ap_mask_andnot(&host->aqm, &current_host.aqm);
		lost.adm = ap_mask_andnot(&host->adm, &current_host.adm);
		*host = ap_matrix_difference(host, &lost);
		vfio_ap_guest_outdate_all(&lost);
	}
	vfio_ap_guest_evaluate_outdated();
	/* vfio_ap_guest_wait_unplugged() waits for the host to lose a queue. */
	wake_up_all(&matrix_dev->reset_wait);
}

/* Pending usage domains are withheld alone: the guest keeps its adapters. */
static void vfio_ap_bus_set_host(const struct ap_config_info *info)
{
	struct ap_matrix current_host = vfio_ap_matrix_of(info);
	struct ap_matrix_mdev *mdev;
	struct ap_matrix changed;
	struct ap_mask gained;

	lockdep_assert_held(&matrix_dev->guests_lock);

	scoped_guard(mutex, &matrix_dev->mdevs_lock) {
		changed = ap_matrix_difference(&matrix_dev->host, &current_host);
		gained = ap_mask_and(&changed.aqm, &current_host.aqm);
		list_for_each_entry(mdev, &matrix_dev->mdev_list, node)
			mdev->aqm_pending = ap_mask_or(&mdev->aqm_pending, &gained);
		matrix_dev->host = current_host;
		vfio_ap_bus_set_maxima(info);
		vfio_ap_reset_retry();
		vfio_ap_guest_outdate_all(&changed);
	}
	vfio_ap_guest_evaluate_outdated();
}

/**
 * vfio_ap_bus_scan_complete() - apply a new AP configuration of the host
 * @now: current response of QCI
 * @before: previous response of QCI; unused
 *
 * A new usage domain stays pending until its queues have been reset.
 *
 * Context: process, bus scan. Takes guests_lock, mdevs_lock, and the locks of
 *	    vfio_ap_guest_evaluate_outdated().
 */
void vfio_ap_bus_scan_complete(struct ap_config_info *now,
			       struct ap_config_info *before)
{
	guard(mutex)(&matrix_dev->guests_lock);
	vfio_ap_bus_set_host(now);
}

/**
 * vfio_ap_bus_refresh_host() - read the host's AP configuration again
 *
 * The AP configuration may have changed between vfio_ap_bus_init_host() and the
 * registration of the AP driver.
 *
 * Context: module load, after the AP driver is registered. Takes the locks of
 *	    vfio_ap_bus_scan_complete().
 */
void vfio_ap_bus_refresh_host(void)
{
	struct ap_config_info info = {};

	/* Serialize QCI and the update with the callbacks of a bus scan. */
	guard(mutex)(&matrix_dev->guests_lock);
	if (matrix_dev->has_qci && !ap_qci(&info))
		vfio_ap_bus_set_host(&info);
}
