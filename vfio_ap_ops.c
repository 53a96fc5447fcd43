// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mediated devices: creation, removal and the operations that VFIO calls.
 *
 * Changes of the shadow APCB are in vfio_ap_guest.c, unmaps in vfio_ap_irq.c.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vfio_ap_private.h"

/* There is one mdev type, with at most one instance per APQN. */
#define VFIO_AP_MDEV_TYPE	"passthrough"
#define VFIO_AP_MDEV_NAME	"VFIO AP Passthrough Device"
#define VFIO_AP_MDEV_MAX	65536

static struct mdev_type vfio_ap_mdev_type = {
	.sysfs_name = VFIO_AP_MDEV_TYPE,
	.pretty_name = VFIO_AP_MDEV_NAME,
};

static struct mdev_type *vfio_ap_mdev_types[] = { &vfio_ap_mdev_type };

static struct ap_matrix_mdev *to_matrix_mdev(struct vfio_device *vdev)
{
	return container_of(vdev, struct ap_matrix_mdev, vdev);
}

static int vfio_ap_mdev_init(struct vfio_device *vdev)
{
	struct ap_matrix_mdev *mdev = to_matrix_mdev(vdev);

	INIT_LIST_HEAD(&mdev->node);
	INIT_WORK(&mdev->evaluate_work, vfio_ap_guest_evaluate_work);
	seqlock_init(&mdev->shadow_lock);
	mdev->pqap_hook = vfio_ap_irq_aqic;
	return vfio_ap_nib_init_mdev(mdev);
}

static void vfio_ap_mdev_release(struct vfio_device *vdev)
{
	vfio_ap_nib_exit_mdev(to_matrix_mdev(vdev));
}

static int vfio_ap_mdev_open(struct vfio_device *vdev)
{
	if (!vdev->kvm) {
		dev_notice_ratelimited(vdev->dev,
				       "opened by somebody who has no KVM guest, refused\n");
		return -EINVAL;
	}
	return vfio_ap_guest_attach(to_matrix_mdev(vdev), vdev->kvm);
}

/* The event takes over the reference of @ctx; NULL disarms the event. */
static void vfio_ap_mdev_set_event(struct ap_matrix_mdev *mdev,
				   enum vfio_ap_event event,
				   struct eventfd_ctx *ctx)
{
	scoped_guard(mutex, &matrix_dev->mdevs_lock)
		swap(mdev->event[event], ctx);
	if (ctx)
		eventfd_ctx_put(ctx);
}

static void vfio_ap_mdev_close(struct vfio_device *vdev)
{
	struct ap_matrix_mdev *mdev = to_matrix_mdev(vdev);
	unsigned int event;

	vfio_ap_guest_detach(mdev);
	/* A process that was killed leaves its eventfds armed. */
	for (event = 0; event < VFIO_AP_EVENTS; event++)
		vfio_ap_mdev_set_event(mdev, event, NULL);
}

static void vfio_ap_mdev_unmap(struct vfio_device *vdev, u64 iova, u64 length)
{
	vfio_ap_irq_unmap(to_matrix_mdev(vdev), iova, length);
}

static void vfio_ap_mdev_request(struct vfio_device *vdev, unsigned int count)
{
	struct ap_matrix_mdev *mdev = to_matrix_mdev(vdev);
	bool armed;

	scoped_guard(mutex, &matrix_dev->mdevs_lock)
		armed = mdev->event[VFIO_AP_EVENT_REQ];
	/* VFIO repeats the request every 10 s: log every 100 s. */
	if (armed && count % 10 == 0)
		dev_notice_ratelimited(vdev->dev,
				       "wanted back, asked its user to let go (%u)\n",
				       count);
	else if (!armed && count == 0)
		dev_notice_ratelimited(vdev->dev,
				       "wanted back, but its user cannot be asked: waiting until it lets go\n");
	if (!count)
		vfio_ap_dbf_mdev(VFIO_AP_DBF_NOTICE, mdev, "wanted back\n");
	vfio_ap_guest_withdraw(mdev);
}

static int vfio_ap_mdev_get_info(void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_device_info, num_irqs);
	struct vfio_device_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz)
		return -EINVAL;
	info.flags = VFIO_DEVICE_FLAGS_AP | VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = 0;
	info.num_irqs = VFIO_AP_EVENTS;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

static int vfio_ap_mdev_get_irq_info(void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_irq_info, count);
	struct vfio_irq_info info;

	if (copy_from_user(&info, arg, minsz))
		return -EFAULT;
	if (info.argsz < minsz || info.index >= VFIO_AP_EVENTS)
		return -EINVAL;
	info.flags = VFIO_IRQ_INFO_EVENTFD;
	info.count = 1;
	return copy_to_user(arg, &info, minsz) ? -EFAULT : 0;
}

/* In SET_IRQS, an eventfd, or -1 to disarm, follows the header. */
static struct eventfd_ctx *vfio_ap_mdev_get_eventfd(const s32 __user *data)
{
	s32 fd;

	if (copy_from_user(&fd, data, sizeof(fd)))
		return ERR_PTR(-EFAULT);
	if (fd < -1)
		return ERR_PTR(-EINVAL);
	return fd == -1 ? NULL : eventfd_ctx_fdget(fd);
}

static int vfio_ap_mdev_set_irqs(struct ap_matrix_mdev *mdev, void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_irq_set, count);
	struct eventfd_ctx *ctx = NULL;
	struct vfio_irq_set set;
	size_t size;
	int rc;

	if (copy_from_user(&set, arg, minsz))
		return -EFAULT;
	rc = vfio_set_irqs_validate_and_prepare(&set, 1, VFIO_AP_EVENTS, &size);
	if (rc)
		return rc;
	if (!(set.flags & VFIO_IRQ_SET_ACTION_TRIGGER))
		return -EINVAL;

	switch (set.flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_NONE:
		/* The driver has no software trigger; count 0 disarms. */
		if (set.count)
			return -EINVAL;
		break;
	case VFIO_IRQ_SET_DATA_EVENTFD:
		if (!set.count)
			return -EINVAL;
		ctx = vfio_ap_mdev_get_eventfd(arg + minsz);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
		break;
	default:
		return -EINVAL;
	}
	vfio_ap_mdev_set_event(mdev, set.index, ctx);
	return 0;
}

static void vfio_ap_mdev_tell_pinned(struct ap_matrix_mdev *mdev)
{
	int apqn;

	guard(mutex)(&matrix_dev->mdevs_lock);
	if (!mdev->kvm || !mm_is_protected(mdev->kvm->mm))
		return;
	apqn = vfio_ap_nib_pinned_by(mdev);
	if (apqn >= 0)
		dev_notice_ratelimited(mdev->vdev.dev,
				       "%02x.%04x: page still in use by the adapter, a protected guest cannot be booted before\n",
				       AP_QID_CARD(apqn), AP_QID_QUEUE(apqn));
}

/*
 * The guest keeps its queues during the reset. Wait until VFIO has the pins
 * back as well: to boot a protected guest, KVM holds kvm->lock and waits until
 * the guest's pages are unused.
 */
static int vfio_ap_mdev_reset(struct ap_matrix_mdev *mdev)
{
	struct ap_matrix matrix;
	unsigned long end;
	long rc;

	scoped_guard(mutex, &matrix_dev->mdevs_lock) {
		matrix = mdev->matrix;
		vfio_ap_reset_matrix(&matrix,
				     mdev->kvm ? &mdev->shadow_apcb : NULL,
				     mdev->vm);
	}
	end = jiffies + VFIO_AP_WAIT;
	rc = vfio_ap_queue_wait_until(&matrix, end);
	if (rc > 0 && !vfio_ap_queue_any_failed(&matrix)) {
		rc = vfio_ap_nib_wait(mdev, end);
		if (rc > 0)
			return 0;
	}
	if (rc < 0)
		return -EINTR;
	vfio_ap_mdev_tell_pinned(mdev);
	return -EIO;
}

static long vfio_ap_mdev_ioctl(struct vfio_device *vdev, unsigned int cmd,
			       unsigned long arg)
{
	struct ap_matrix_mdev *mdev = to_matrix_mdev(vdev);
	void __user *uptr = (void __user *)arg;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
		return vfio_ap_mdev_get_info(uptr);
	case VFIO_DEVICE_GET_IRQ_INFO:
		return vfio_ap_mdev_get_irq_info(uptr);
	case VFIO_DEVICE_SET_IRQS:
		return vfio_ap_mdev_set_irqs(mdev, uptr);
	case VFIO_DEVICE_RESET:
		return vfio_ap_mdev_reset(mdev);
	default:
		return -EOPNOTSUPP;
	}
}

static const struct vfio_device_ops vfio_ap_mdev_ops = {
	.name = VFIO_AP_MODULE_NAME,
	.init = vfio_ap_mdev_init,
	.release = vfio_ap_mdev_release,
	.open_device = vfio_ap_mdev_open,
	.close_device = vfio_ap_mdev_close,
	.ioctl = vfio_ap_mdev_ioctl,
	.request = vfio_ap_mdev_request,
	.dma_unmap = vfio_ap_mdev_unmap,
	.bind_iommufd = vfio_iommufd_emulated_bind,
	.unbind_iommufd = vfio_iommufd_emulated_unbind,
	.attach_ioas = vfio_iommufd_emulated_attach_ioas,
	.detach_ioas = vfio_iommufd_emulated_detach_ioas,
};

static void vfio_ap_mdev_list(struct ap_matrix_mdev *mdev)
{
	guard(mutex)(&matrix_dev->guests_lock);
	guard(mutex)(&matrix_dev->mdevs_lock);
	mdev->apid_max = matrix_dev->apid_max;
	mdev->apqi_max = matrix_dev->apqi_max;
	list_add_tail(&mdev->node, &matrix_dev->mdev_list);
}

/*
 * The device is closed, but its evaluate_work may still wait for a kvm->lock.
 */
static void vfio_ap_mdev_unlist(struct ap_matrix_mdev *mdev)
{
	struct ap_matrix matrix;

	scoped_guard(mutex, &matrix_dev->guests_lock) {
		guard(mutex)(&matrix_dev->mdevs_lock);
		matrix = mdev->matrix;
		vfio_ap_reset_matrix(&matrix, NULL, NULL);
		/* A later evaluation has to compute an empty shadow APCB. */
		mdev->matrix = (struct ap_matrix) {};
		vfio_ap_guest_set_shadow(mdev, &mdev->matrix);
		list_del_init(&mdev->node);
	}
	/* The work may wait for a VMM: sleep idle to avoid a hung-task report. */
	while (work_busy(&mdev->evaluate_work))
		schedule_timeout_idle(1);
	cancel_work_sync(&mdev->evaluate_work);
	vfio_ap_queue_wait(&matrix);
}

static int vfio_ap_mdev_probe(struct mdev_device *mdev_device)
{
	struct ap_matrix_mdev *mdev;
	int rc;

	mdev = vfio_alloc_device(ap_matrix_mdev, vdev, &mdev_device->dev,
				 &vfio_ap_mdev_ops);
	if (IS_ERR(mdev))
		return PTR_ERR(mdev);
	mdev->mdev = mdev_device;
	dev_set_drvdata(&mdev_device->dev, mdev);

	vfio_ap_mdev_list(mdev);
	rc = vfio_register_emulated_iommu_dev(&mdev->vdev);
	if (rc) {
		vfio_ap_mdev_unlist(mdev);
		vfio_put_device(&mdev->vdev);
	}
	return rc;
}

static void vfio_ap_mdev_remove(struct mdev_device *mdev_device)
{
	struct ap_matrix_mdev *mdev = dev_get_drvdata(&mdev_device->dev);

	/* VFIO waits here until the device is closed. */
	vfio_unregister_group_dev(&mdev->vdev);
	vfio_ap_mdev_unlist(mdev);
	vfio_put_device(&mdev->vdev);
}

struct mdev_driver vfio_ap_mdev_driver = {
	.device_api = VFIO_AP_DEVICE_API,
	.max_instances = VFIO_AP_MDEV_MAX,
	.driver = {
		.name = "vfio_ap_mdev",
		.owner = THIS_MODULE,
		.mod_name = KBUILD_MODNAME,
		.dev_groups = vfio_ap_mdev_groups,
	},
	.probe = vfio_ap_mdev_probe,
	.remove = vfio_ap_mdev_remove,
};

/**
 * vfio_ap_mdev_register_parent() - register the parent device of all mdevs
 *
 * Context: module load, may sleep; expects no lock.
 * Return: 0 on success; a negative errno of mdev_register_parent().
 */
int vfio_ap_mdev_register_parent(void)
{
	return mdev_register_parent(&matrix_dev->parent, &matrix_dev->device,
				    &vfio_ap_mdev_driver, vfio_ap_mdev_types,
				    ARRAY_SIZE(vfio_ap_mdev_types));
}

/**
 * vfio_ap_mdev_unregister_parent() - remove all mdevs and unregister the parent
 *
 * Context: module unload, may sleep until each device is closed; expects no
 *	    lock.
 */
void vfio_ap_mdev_unregister_parent(void)
{
	mdev_unregister_parent(&matrix_dev->parent);
}
