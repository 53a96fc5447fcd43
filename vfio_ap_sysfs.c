// SPDX-License-Identifier: GPL-2.0-only
/*
 * sysfs attributes: parse the input, check its range, format the output.
 *
 * Documentation/ABI/testing/sysfs-devices-vfio_ap describes each attribute.
 * Assignments are checked and made in vfio_ap_assign.c.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "vfio_ap_private.h"

/* "withheld" has up to 3 * 256 lines like "05 05.0047 resetting\n". */
#define WITHHELD_SIZE	(3 * AP_MASK_BITS * 32)

static int parse_id(const char *buf, size_t count, unsigned int max,
		    unsigned long *id)
{
	size_t len = strlen(buf);
	int rc;

	/* Accept trailing NULs; reject other characters after a NUL. */
	if (len < count && memchr_inv(buf + len, 0, count - len))
		return -EINVAL;
	rc = kstrtoul(buf, 0, id);
	if (rc)
		return rc;
	return *id > max ? -ENODEV : 0;
}

#define ID_ATTR(_name, _op, _mask, _max)				\
static ssize_t _name##_store(struct device *dev,			\
			     struct device_attribute *attr,		\
			     const char *buf, size_t count)		\
{									\
	struct ap_matrix_mdev *mdev = dev_get_drvdata(dev);		\
	struct ap_matrix_delta delta = {};				\
	unsigned long id;						\
	int rc;								\
									\
	rc = parse_id(buf, count, (_max), &id);			\
	if (rc)								\
		return rc;						\
	ap_mask_set(&delta._op._mask, id);				\
	rc = vfio_ap_assign_change(mdev, &delta);			\
	return rc ?: count;						\
}									\
static DEVICE_ATTR_WO(_name)

ID_ATTR(assign_adapter, set, apm, mdev->apid_max);
ID_ATTR(unassign_adapter, clear, apm, mdev->apid_max);
ID_ATTR(assign_domain, set, aqm, mdev->apqi_max);
ID_ATTR(unassign_domain, clear, aqm, mdev->apqi_max);
ID_ATTR(assign_control_domain, set, adm, mdev->apqi_max);
ID_ATTR(unassign_control_domain, clear, adm, mdev->apqi_max);

static struct ap_matrix read_matrix(struct ap_matrix_mdev *mdev, bool shadow)
{
	guard(mutex)(&matrix_dev->mdevs_lock);
	return shadow ? mdev->shadow_apcb : mdev->matrix;
}

static ssize_t control_domains_show(struct device *dev,
				    struct device_attribute *attr, char *buf)
{
	struct ap_matrix m = read_matrix(dev_get_drvdata(dev), false);
	unsigned int id;
	int len = 0;

	ap_mask_for_each(id, &m.adm)
		len += sysfs_emit_at(buf, len, "%04x\n", id);
	return len;
}
static DEVICE_ATTR_RO(control_domains);

static ssize_t ap_config_show(struct device *dev,
			      struct device_attribute *attr, char *buf)
{
	struct ap_matrix m = read_matrix(dev_get_drvdata(dev), false);

	return ap_matrix_format_config(&m, buf);
}

static bool config_in_range(const struct ap_matrix_mdev *mdev,
			    const struct ap_matrix *m)
{
	return ap_mask_next(&m->apm, mdev->apid_max + 1) == AP_MASK_BITS &&
	       ap_mask_next(&m->aqm, mdev->apqi_max + 1) == AP_MASK_BITS &&
	       ap_mask_next(&m->adm, mdev->apqi_max + 1) == AP_MASK_BITS;
}

static ssize_t ap_config_store(struct device *dev,
			       struct device_attribute *attr,
			       const char *buf, size_t count)
{
	struct ap_matrix_mdev *mdev = dev_get_drvdata(dev);
	const struct ap_mask all = ap_mask_upto(AP_MASK_BITS - 1);
	struct ap_matrix_delta delta = { .clear = { all, all, all } };
	int rc;

	rc = ap_matrix_parse_config(&delta.set, buf, count);
	if (rc)
		return rc;
	if (!config_in_range(mdev, &delta.set))
		return -ENODEV;
	rc = vfio_ap_assign_change(mdev, &delta);
	return rc ?: count;
}
static DEVICE_ATTR_RW(ap_config);

/*
 * A list of APQNs can exceed PAGE_SIZE, which limits text attributes. So lists
 * are binary attributes; a program that reads to the end sees no difference.
 */
static ssize_t read_apqns(struct kobject *kobj, char *buf, loff_t off,
			  size_t count, bool shadow)
{
	struct ap_matrix m = read_matrix(dev_get_drvdata(kobj_to_dev(kobj)),
					 shadow);

	return ap_matrix_format_apqns(&m, buf, off, count);
}

static ssize_t matrix_read(struct file *file, struct kobject *kobj,
			   BIN_ATTR_CONST struct bin_attribute *attr,
			   char *buf, loff_t off, size_t count)
{
	return read_apqns(kobj, buf, off, count, false);
}
static BIN_ATTR_CONST BIN_ATTR_RO(matrix, 0);

static ssize_t guest_matrix_read(struct file *file, struct kobject *kobj,
				 BIN_ATTR_CONST struct bin_attribute *attr,
				 char *buf, loff_t off, size_t count)
{
	return read_apqns(kobj, buf, off, count, true);
}
static BIN_ATTR_CONST BIN_ATTR_RO(guest_matrix, 0);

static const char *queue_reason(unsigned int apid, unsigned int apqi)
{
	const struct ap_adapter *adapter = matrix_dev->adapter[apid];

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	if (!adapter || !ap_mask_test(&adapter->bound, apqi))
		return "unbound";
	if (ap_mask_test(&adapter->failed, apqi))
		return "failed";
	if (ap_mask_test(&adapter->down, apqi))
		return "down";
	return "resetting";
}

/*
 * A device with release_requested needs no reason here: the driver core removes
 * its attributes before VFIO requests the release.
 */
static const char *id_reason(const struct ap_mask *host, unsigned int id)
{
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	return ap_mask_test(host, id) ? "resetting" : "not-in-host";
}

static size_t put_adapter(const struct ap_matrix_mdev *mdev, char *buf,
			  size_t at, size_t size, unsigned int apid)
{
	const struct ap_matrix *host = &matrix_dev->host;
	struct ap_mask domains = ap_mask_and(&mdev->matrix.aqm, &host->aqm);
	unsigned int apqi;

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	domains = ap_mask_andnot(&domains, &mdev->aqm_pending);
	if (!ap_mask_test(&host->apm, apid) ||
	    !ap_matrix_lacks(matrix_dev->adapter[apid], &domains, &apqi))
		return scnprintf(buf + at, size - at, "%02x %s\n", apid,
				 id_reason(&host->apm, apid));
	return scnprintf(buf + at, size - at, "%02x %02x.%04x %s\n", apid,
			 apid, apqi, queue_reason(apid, apqi));
}

static size_t put_withheld(const struct ap_matrix_mdev *mdev, char *buf,
			   size_t size)
{
	const struct ap_matrix *host = &matrix_dev->host;
	struct ap_mask rest;
	unsigned int id;
	size_t at = 0;

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	rest = ap_mask_andnot(&mdev->matrix.apm, &mdev->shadow_apcb.apm);
	ap_mask_for_each(id, &rest)
		at += put_adapter(mdev, buf, at, size, id);
	rest = ap_mask_andnot(&mdev->matrix.aqm, &mdev->shadow_apcb.aqm);
	ap_mask_for_each(id, &rest)
		at += scnprintf(buf + at, size - at, ".%04x %s\n", id,
				id_reason(&host->aqm, id));
	rest = ap_mask_andnot(&mdev->matrix.adm, &mdev->shadow_apcb.adm);
	ap_mask_for_each(id, &rest)
		at += scnprintf(buf + at, size - at, "%04x %s\n", id,
				id_reason(&host->adm, id));
	return at;
}

static ssize_t withheld_read(struct file *file, struct kobject *kobj,
			     BIN_ATTR_CONST struct bin_attribute *attr,
			     char *buf, loff_t off, size_t count)
{
	struct ap_matrix_mdev *mdev = dev_get_drvdata(kobj_to_dev(kobj));
	size_t len;

	char *text __free(kvfree) = kvmalloc(WITHHELD_SIZE, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	scoped_guard(mutex, &matrix_dev->mdevs_lock)
		len = put_withheld(mdev, text, WITHHELD_SIZE);
	return memory_read_from_buffer(buf, count, &off, text, len);
}
static BIN_ATTR_CONST BIN_ATTR_RO(withheld, 0);

static struct attribute *mdev_attrs[] = {
	&dev_attr_assign_adapter.attr,
	&dev_attr_unassign_adapter.attr,
	&dev_attr_assign_domain.attr,
	&dev_attr_unassign_domain.attr,
	&dev_attr_assign_control_domain.attr,
	&dev_attr_unassign_control_domain.attr,
	&dev_attr_control_domains.attr,
	&dev_attr_ap_config.attr,
	NULL
};

static BIN_ATTR_CONST struct bin_attribute *BIN_ATTR_CONST mdev_bin_attrs[] = {
	&bin_attr_matrix,
	&bin_attr_guest_matrix,
	&bin_attr_withheld,
	NULL
};

static const struct attribute_group mdev_group = {
	.attrs = mdev_attrs,
	.bin_attrs = mdev_bin_attrs,
};

const struct attribute_group *vfio_ap_mdev_groups[] = {
	&mdev_group,
	NULL
};

static ssize_t features_show(struct device *dev,
			     struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "guest_matrix hotplug ap_config withheld\n");
}
static DEVICE_ATTR_RO(features);

static struct attribute *parent_attrs[] = {
	&dev_attr_features.attr,
	NULL
};
ATTRIBUTE_GROUPS(parent);

const struct attribute_group **vfio_ap_parent_groups = parent_groups;

static ssize_t status_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	const char *status = "unassigned";
	struct ap_matrix_mdev *mdev;
	unsigned int apid, apqi;
	u16 apqn;

	if (sscanf(dev_name(dev), "%x.%x", &apid, &apqi) != 2)
		return -ENODEV;
	apqn = AP_MKQID(apid, apqi);

	scoped_guard(mutex, &matrix_dev->mdevs_lock) {
		mdev = vfio_ap_guest_mdev_for_apqn(apqn);
		if (mdev)
			status = vfio_ap_guest_has(mdev, apqn) ? "in use" :
								 "assigned";
	}
	return sysfs_emit(buf, "%s\n", status);
}
static DEVICE_ATTR_RO(status);

static struct attribute *queue_attrs[] = {
	&dev_attr_status.attr,
	NULL
};
ATTRIBUTE_GROUPS(queue);

const struct attribute_group **vfio_ap_queue_groups = queue_groups;
