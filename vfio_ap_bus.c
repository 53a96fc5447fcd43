// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the AP bus tells us: queues come and go, somebody wants them back, the
 * host's configuration changes.
 */
#include <linux/lockdep.h>
#include <linux/string.h>

#include "vfio_ap_private.h"

/* Without APXA there are 64 adapters and 16 domains; 0 means not known. */
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
 * vfio_ap_bus_init_host() - take over the configuration found at load time
 * @info: what QCI answered, NULL if the host does not have it
 *
 * Without QCI nobody says what the host has. Then everything that could exist
 * counts as present, and what guests get depends on which queues are bound.
 *
 * Context: module load, before anything is registered.
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

/* The APQN is in the name; struct ap_queue has it at changing places. */
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

/* The driver core takes a device from its card before it unbinds it for good. */
static bool vfio_ap_bus_is_child(struct device *dev)
{
	return device_for_each_child(dev->parent, dev, vfio_ap_bus_is);
}

/**
 * vfio_ap_bus_probe() - a queue is given to the driver
 * @ap_dev: the queue's device
 *
 * The queue gets into a guest when its first reset is verified; the bus does
 * not wait for that.
 *
 * Context: process; the driver core holds the device's lock. Takes mdevs_lock, the
 *	    queue's lock and poll_lock.
 * Return: 0; -ENODEV if the name is not an APQN, or not that of the bus's object;
 *	   -ENOMEM; -EBUSY if a queue of that name is there already.
 */
int vfio_ap_bus_probe(struct ap_device *ap_dev)
{
	struct vfio_ap_queue *q;
	u16 apqn;
	int rc;

	rc = vfio_ap_bus_apqn(ap_dev, &apqn);
	if (rc)
		return rc;
	/* What the driver was built with is not what this kernel has. */
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

/*
 * If the lock of the guest is taken, a work item takes the queue from it
 * later.
 */
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
 * vfio_ap_bus_remove() - a queue is taken from the driver
 * @ap_dev: the queue's device
 *
 * A guest loses the whole adapter, for a single queue cannot be denied to it.
 * Another driver may get the queue next, so this waits until the guest has lost
 * it. A queue that the bus removes, or the host has lost, nobody else can get: the
 * bus, which scans and needs the device's lock, does not wait for that guest.
 *
 * Context: process, may sleep as long as a VMM has its kvm->lock; the driver
 *	    core holds the device's lock. Takes guests_lock, mdevs_lock, the
 *	    queue's lock, and what vfio_ap_guest_evaluate_outdated() takes.
 */
void vfio_ap_bus_remove(struct ap_device *ap_dev)
{
	struct vfio_ap_queue *q = dev_get_drvdata(&ap_dev->device);
	bool removed;

	/* The bus removes devices also of queues that QCI still lists. */
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
 * vfio_ap_bus_check_owned() - ask the bus who owns what is added
 * @added: what is added; the answer is stored there
 *
 * Some kernels look through all their queues for each APQN. So the bus is asked
 * before guests_lock is taken: guests of others do not have to wait for it.
 *
 * Context: process, may sleep; expects ap_attr_mutex. As far as masks and
 *	    driver_override decide, the answer holds as long as that is held.
 */
void vfio_ap_bus_check_owned(struct vfio_ap_addition *added)
{
	struct ap_matrix columns = added->columns;

	lockdep_assert_held(&ap_attr_mutex);
	lockdep_assert_not_held(&matrix_dev->guests_lock);

	added->answer = vfio_ap_bus_check_area(&added->rows, &added->reserved);
	/* New adapters have been asked about with all domains. */
	columns.apm = ap_mask_andnot(&columns.apm, &added->rows.apm);
	if (!added->answer)
		added->answer = vfio_ap_bus_check_area(&columns,
						       &added->reserved);
}

/**
 * vfio_ap_bus_in_use() - may the host's drivers have these queues?
 * @apm: adapters, 256 bits
 * @aqm: domains, 256 bits
 *
 * Context: process; the bus holds ap_attr_mutex. Takes mdevs_lock.
 * Return: 0 if no APQN of the product is assigned, else -EADDRINUSE.
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
 * vfio_ap_bus_config_changed() - the host's configuration is another one
 * @now: what QCI answers now
 * @before: what it answered before
 *
 * What the host lost is taken from the guests, before the bus removes the
 * devices. What it gained has to wait until the bus has made devices for it.
 *
 * Context: process; the bus scans. Takes guests_lock, and what
 *	    vfio_ap_guest_evaluate_outdated() takes.
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
	/* An unbind may be waiting for a guest to lose such a queue. */
	wake_up_all(&matrix_dev->reset_wait);
}

/* A new domain is held back from the guests until its queues are reset. */
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
 * vfio_ap_bus_scan_complete() - the bus has made devices of what is new
 * @now: what QCI answers now
 * @before: what it answered before
 *
 * New domains are withheld until their queues are reset. Otherwise each adapter
 * would be taken away for that time.
 *
 * Context: process; the bus scans. Takes guests_lock, mdevs_lock, and what
 *	    vfio_ap_guest_evaluate_outdated() takes.
 */
void vfio_ap_bus_scan_complete(struct ap_config_info *now,
			       struct ap_config_info *before)
{
	guard(mutex)(&matrix_dev->guests_lock);
	vfio_ap_bus_set_host(now);
}

/**
 * vfio_ap_bus_refresh_host() - look at the host's configuration once more
 *
 * It may have changed after it was read and before the bus knew whom to tell.
 *
 * Context: module load, when the AP driver is registered. Takes what
 *	    vfio_ap_bus_scan_complete() takes.
 */
void vfio_ap_bus_refresh_host(void)
{
	struct ap_config_info info = {};

	/* A scan that comes meanwhile has to come after it. */
	guard(mutex)(&matrix_dev->guests_lock);
	if (matrix_dev->has_qci && !ap_qci(&info))
		vfio_ap_bus_set_host(&info);
}
