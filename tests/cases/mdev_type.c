// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev_type - the objects that mdevctl, libvirt and people look for, and making and removing
 * mediated devices
 */

#include <fcntl.h>
#include <limits.h>
#include "story.h"

#define UUID "11111111-2222-4333-8444-555555555555"

static long create(const char *text)
{
	return file_write_text(MDEV_TYPE "/create", text);
}

static void object_tree(void)
{
	static const char * const paths[] = {
		"/sys/devices/vfio_ap", MATRIX_DEVICE, "/sys/bus/matrix/devices/matrix",
		"/sys/bus/matrix/drivers/vfio_ap",
		"/sys/class/mdev_bus/matrix", MDEV_TYPE, MDEV_TYPE "/devices",
		"/sys/bus/mdev/drivers/vfio_ap_mdev",
		"/sys/bus/ap/drivers/vfio_ap/bind", "/sys/bus/ap/drivers/vfio_ap/unbind",
		MATRIX_DEVICE "/features",
	};
	char driver[PATH_MAX] = "";
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(paths); i++)
		expect(file_exists(paths[i]), "%s exists", paths[i]);
	expect(readlink(MATRIX_DEVICE "/driver", driver, sizeof(driver) - 1) > 0 &&
	       strstr(driver, "/vfio_ap"),
	       "the matrix device is bound to a driver called vfio_ap (observed '%s')", driver);
	expect(!file_exists("/sys/bus/matrix/drivers/vfio_ap/unbind"),
	       "the matrix driver has no unbind file");
}

static void type_attributes(void)
{
	expect_str(memo_file(MDEV_TYPE "/name"), "VFIO AP Passthrough Device\n",
		   "the type has its name");
	expect_str(memo_file(MDEV_TYPE "/device_api"), "vfio-ap\n",
		   "mdevctl compares device_api literally");
	expect_str(memo_file(MDEV_TYPE "/available_instances"), "65536\n",
		   "65536 instances while there is none");
	expect_int(file_mode(MDEV_TYPE "/create"), 0200, "create can only be written");
	expect(!file_exists(MDEV_TYPE "/description"), "there is no description");
}

static void instances_are_counted(void)
{
	struct mdev *one = mdev_create(), *two = mdev_create();

	expect_str(memo_file(MDEV_TYPE "/available_instances"), "65534\n",
		   "two live devices, two instances less");
	expect_rc(mdev_remove(one), 0, "an idle device can be removed");
	expect_str(memo_file(MDEV_TYPE "/available_instances"), "65535\n",
		   "a removed device gives its instance back");
	expect_rc(mdev_remove(two), 0, "an idle device can be removed");
	expect_str(memo_file(MDEV_TYPE "/available_instances"), "65536\n",
		   "all gone, all instances back");
}

static void create_errors(void)
{
	static const char * const bad[] = {
		"\n", "x", "1", "-1", "256", "18446744073709551616",
		"11111111-2222-4333-8444-55555555555", "11111111-2222-4333-8444-55555555555555",
		"11111111-2222-4333-8444-55555555555g", "111111112222-4333-8444-555555555555 ",
		" " UUID, UUID "\nx",
	};
	char *long_text = memo("%05000d", 1);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		expect_rc(create(bad[i]), -EINVAL, "'%s' is not a UUID", bad[i]);
	expect_rc(create(long_text), -EINVAL, "5000 bytes are not a UUID");
	expect_str(memo_file(MDEV_TYPE "/available_instances"), "65536\n",
		   "a refused create makes nothing");
}

static void create_twice(void)
{
	struct mdev *mdev = mdev_create();

	expect_rc(create(mdev->uuid), -EEXIST, "a UUID is taken once");
	expect_rc(create(memo("%s\n", mdev->uuid)), -EEXIST,
		  "a UUID with a newline is the same UUID");
	expect_rc(mdev_write(mdev, "assign_adapter", "5"), 0, "the first device is unharmed");
}

static void remove_grammar(void)
{
	static const char * const bad[] = { "x", "-1", "1x", " 1", "18446744073709551616" };
	struct mdev *mdev = mdev_create();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		expect_rc(mdev_write(mdev, "remove", bad[i]), -EINVAL, "'%s' is not a number",
			  bad[i]);
	expect_rc(mdev_write(mdev, "remove", "0"), 0, "removing with 0 is accepted");
	need(mdev_exists(mdev), "removing with 0 has no effect");
	expect_rc(mdev_remove(mdev), 0, "removing with 1 removes");
	expect(!mdev_exists(mdev), "a removed device is gone when the write returns");
}

static void assignments_end_with_the_device(void)
{
	struct mdev *mdev = mdev_create(), *other;

	mdev_assign(mdev, CARD_5, DOMAIN_4);
	need_rc(mdev_remove(mdev), 0, "an idle device with assignments can be removed");
	other = mdev_create();
	mdev_assign(other, CARD_5, DOMAIN_4);
	expect_str(mdev_read(other, "matrix"), "05.0004\n",
		   "R-1: what a removed device had is free for the next");
	expect(mdev_becomes(other, "guest_matrix", "05.0004\n"), "R-1: and can be passed on");
}

static void libvirt_links(void)
{
	struct mdev *mdev = mdev_create();

	expect(file_exists(memo("/sys/bus/mdev/devices/%s", mdev->uuid)),
	       "the device is on the mdev bus");
	expect(file_exists(mdev_path(mdev, "mdev_type/device_api")),
	       "the device links to its type");
	expect(file_exists(mdev_path(mdev, "iommu_group")),
	       "C-14: libvirt drops devices without IOMMU group");
	expect(file_exists(mdev_path(mdev, "vfio-dev")), "the device has a VFIO device file");
}

static const struct ktap_case cases[] = {
	{ "C-1: the object tree that user space relies on", object_tree },
	{ "C-3: attributes of the type", type_attributes },
	{ "C-3: available_instances counts live devices", instances_are_counted },
	{ "C-3: create refuses what is not a UUID with EINVAL", create_errors },
	{ "C-3: create refuses a duplicate UUID with EEXIST", create_twice },
	{ "C-3: remove takes a number, 0 has no effect", remove_grammar },
	{ "R-1: the assignments of a removed device are free", assignments_end_with_the_device },
	{ "C-14: links that libvirt and kata follow", libvirt_links },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
