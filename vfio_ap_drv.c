// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module init and exit: register the debug feature, the matrix device, the AP
 * driver and the mdev driver, in this order.
 *
 * The objects and the lock order are in vfio_ap_private.h.
 */
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <asm/facility.h>

#include "vfio_ap_private.h"

#define CREATE_TRACE_POINTS
#include "vfio_ap_trace.h"

#define VFIO_AP_ROOT_NAME	"vfio_ap"
#define VFIO_AP_MATRIX_NAME	"matrix"
/* Facility bit of PQAP(QCI), see ap_qci_available() in ap_bus.c */
#define FACILITY_QCI		12

struct ap_matrix_dev *matrix_dev;
debug_info_t *vfio_ap_dbf;

static struct device *root_device;

/*
 * CEX4 is the oldest supported card. There is no MODULE_DEVICE_TABLE(), so that
 * a card alone does not cause udev to load this module.
 */
static struct ap_device_id vfio_ap_ids[] = {
	{ .dev_type = AP_DEVICE_TYPE_CEX4,
	  .match_flags = AP_DEVICE_ID_MATCH_QUEUE_TYPE },
	{ .dev_type = AP_DEVICE_TYPE_CEX5,
	  .match_flags = AP_DEVICE_ID_MATCH_QUEUE_TYPE },
	{ .dev_type = AP_DEVICE_TYPE_CEX6,
	  .match_flags = AP_DEVICE_ID_MATCH_QUEUE_TYPE },
	{ .dev_type = AP_DEVICE_TYPE_CEX7,
	  .match_flags = AP_DEVICE_ID_MATCH_QUEUE_TYPE },
	{ .dev_type = AP_DEVICE_TYPE_CEX8,
	  .match_flags = AP_DEVICE_ID_MATCH_QUEUE_TYPE },
	{ }
};

static struct ap_driver vfio_ap_driver = {
	.ids = vfio_ap_ids,
	.probe = vfio_ap_bus_probe,
	.remove = vfio_ap_bus_remove,
	.in_use = vfio_ap_bus_in_use,
	.on_config_changed = vfio_ap_bus_config_changed,
	.on_scan_complete = vfio_ap_bus_scan_complete,
};

static const struct bus_type matrix_bus = {
	.name = VFIO_AP_MATRIX_NAME,
};

/*
 * The mdev core prefixes the name of an mdev type with the name of the driver
 * that the parent is bound to. This driver exists only for that name.
 */
static struct device_driver matrix_driver = {
	.name = VFIO_AP_MODULE_NAME,
	.bus = &matrix_bus,
	.suppress_bind_attrs = true,
};

static void matrix_device_release(struct device *dev)
{
	struct ap_matrix_dev *matrix = container_of(dev, struct ap_matrix_dev,
						    device);

	mutex_destroy(&matrix->mdevs_lock);
	mutex_destroy(&matrix->guests_lock);
	kfree(matrix);
}

static int read_host_config(void)
{
	struct ap_config_info info = {};

	matrix_dev->has_qci = test_facility(FACILITY_QCI);
	if (matrix_dev->has_qci && ap_qci(&info))
		return -EOPNOTSUPP;
	vfio_ap_bus_init_host(matrix_dev->has_qci ? &info : NULL);
	return 0;
}

static int make_workers(void)
{
	int rc;

	matrix_dev->release_wq = alloc_workqueue("vfio_ap_release",
						 WQ_UNBOUND | WQ_MEM_RECLAIM,
						 0);
	if (!matrix_dev->release_wq)
		return -ENOMEM;
	rc = vfio_ap_poll_init();
	if (rc)
		destroy_workqueue(matrix_dev->release_wq);
	return rc;
}

/* The poller uses the adapters' masks, which vfio_ap_queue_exit() frees. */
static void drop_workers(void)
{
	vfio_ap_poll_exit();
	destroy_workqueue(matrix_dev->release_wq);
	vfio_ap_queue_exit();
}

static int make_matrix_dev(void)
{
	int rc;

	matrix_dev = kzalloc(sizeof(*matrix_dev), GFP_KERNEL);
	if (!matrix_dev)
		return -ENOMEM;
	mutex_init(&matrix_dev->guests_lock);
	mutex_init(&matrix_dev->mdevs_lock);
	INIT_LIST_HEAD(&matrix_dev->mdev_list);
	vfio_ap_nib_init();
	vfio_ap_queue_init();

	rc = read_host_config();
	if (rc)
		goto out_free;
	rc = make_workers();
	if (rc)
		goto out_free;

	matrix_dev->device.bus = &matrix_bus;
	matrix_dev->device.parent = root_device;
	matrix_dev->device.groups = vfio_ap_parent_groups;
	matrix_dev->device.release = matrix_device_release;
	rc = dev_set_name(&matrix_dev->device, VFIO_AP_MATRIX_NAME);
	if (rc)
		goto out_workers;
	rc = device_register(&matrix_dev->device);
	if (rc)
		goto out_put;
	return 0;

out_put:
	drop_workers();
	put_device(&matrix_dev->device);
	return rc;
out_workers:
	drop_workers();
out_free:
	kfree(matrix_dev);
	return rc;
}

static void drop_matrix_dev(void)
{
	drop_workers();
	device_unregister(&matrix_dev->device);
}

/* The parent of all mdevs is /sys/devices/vfio_ap/matrix. */
static int register_matrix(void)
{
	int rc;

	root_device = root_device_register(VFIO_AP_ROOT_NAME);
	if (IS_ERR(root_device))
		return PTR_ERR(root_device);
	rc = bus_register(&matrix_bus);
	if (rc)
		goto out_root;
	rc = make_matrix_dev();
	if (rc)
		goto out_bus;
	rc = driver_register(&matrix_driver);
	if (rc)
		goto out_device;
	return 0;

out_device:
	drop_matrix_dev();
out_bus:
	bus_unregister(&matrix_bus);
out_root:
	root_device_unregister(root_device);
	return rc;
}

static void unregister_matrix(void)
{
	driver_unregister(&matrix_driver);
	drop_matrix_dev();
	bus_unregister(&matrix_bus);
	root_device_unregister(root_device);
}

static int register_drivers(void)
{
	int rc;

	vfio_ap_driver.driver.dev_groups = vfio_ap_queue_groups;
	rc = ap_driver_register(&vfio_ap_driver, THIS_MODULE,
				VFIO_AP_MODULE_NAME);
	if (rc)
		return rc;
	vfio_ap_bus_refresh_host();
	rc = mdev_register_driver(&vfio_ap_mdev_driver);
	if (rc)
		goto out_ap;
	rc = vfio_ap_mdev_register_parent();
	if (rc)
		goto out_mdev;
	return 0;

out_mdev:
	mdev_unregister_driver(&vfio_ap_mdev_driver);
out_ap:
	ap_driver_unregister(&vfio_ap_driver);
	return rc;
}

static void unregister_drivers(void)
{
	vfio_ap_mdev_unregister_parent();
	mdev_unregister_driver(&vfio_ap_mdev_driver);
	ap_driver_unregister(&vfio_ap_driver);
}

static int register_debug(void)
{
	vfio_ap_dbf = debug_register(VFIO_AP_MODULE_NAME, 1, 1,
				     VFIO_AP_DBF_ARGS * sizeof(long));
	if (!vfio_ap_dbf)
		return -ENOENT;
	debug_register_view(vfio_ap_dbf, &debug_sprintf_view);
	debug_set_level(vfio_ap_dbf, VFIO_AP_DBF_NOTICE);
	return 0;
}

static int __init vfio_ap_init(void)
{
	int rc;

	rc = register_debug();
	if (rc) {
		pr_err("not loaded: no memory for the debug feature\n");
		return rc;
	}
	rc = -ENODEV;
	if (!ap_instructions_available()) {
		pr_err("not loaded: this system has no AP instructions\n");
		goto out_debug;
	}
	rc = register_matrix();
	if (rc) {
		/* -EOPNOTSUPP comes from read_host_config(). */
		if (rc == -EOPNOTSUPP)
			pr_err("not loaded: the host has QCI but does not answer it\n");
		else
			pr_err("not loaded: the matrix device cannot be made (%d)\n",
			       rc);
		goto out_debug;
	}
	rc = register_drivers();
	if (rc) {
		pr_err("not loaded: drivers cannot be registered (%d)\n", rc);
		goto out_matrix;
	}
	pr_info("loaded, version " VFIO_AP_VERSION ", QCI %s\n",
		matrix_dev->has_qci ? "available" : "not available");
	return 0;

out_matrix:
	unregister_matrix();
out_debug:
	debug_unregister(vfio_ap_dbf);
	return rc;
}

static void __exit vfio_ap_exit(void)
{
	unregister_drivers();
	unregister_matrix();
	debug_unregister(vfio_ap_dbf);
	/* kfree_rcu() calls no function of this module: no rcu_barrier(). */
}

module_init(vfio_ap_init);
module_exit(vfio_ap_exit);

MODULE_DESCRIPTION("AP queues (cryptographic adapters) for KVM guests");
MODULE_AUTHOR("The vfio_ap out-of-tree developers <maintainers@vfio-ap.invalid>");
MODULE_LICENSE("GPL");
MODULE_VERSION(VFIO_AP_VERSION);
