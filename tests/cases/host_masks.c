// SPDX-License-Identifier: GPL-2.0-only
/* host_masks - the masks of the host cannot take what a device has */

#include "story.h"

static void apmask_steals(void)
{
	struct mdev *mdev = mdev_create();
	char *before = apbus_read("apmask");

	mdev_assign(mdev, CARD_5, DOMAIN_4);
	expect_rc(apbus_write("apmask", "+5"), -EBUSY, "adapter 5 is in use, also without a guest");
	expect_str(apbus_read("apmask"), before, "apmask is as before");
	expect_str(mdev_read(mdev, "matrix"), "05.0004\n", "the device is as before");
	expect_str(apbus_driver(APQN(CARD_5, DOMAIN_4)), "vfio_ap", "the queue is as before");
	expect_rc(apbus_write("apmask", "+1"), 0, "adapter 1 is free");
	mdev_set(mdev, "unassign_domain", DOMAIN_4);
	expect_rc(apbus_write("apmask", "+5"), 0, "half a matrix uses nothing");
}

static void aqmask_steals(void)
{
	struct mdev *mdev = mdev_create();

	/*
	 * The domain leaves the host's mask and the adapter enters it before there is a device:
	 * since 6.19 the bus would ask for the adapter in all domains. Then the domain must not
	 * come back.
	 */
	need_rc(apbus_write("aqmask", "-4"), 0, "domain 4 is nobody's of the host");
	need_rc(apbus_write("apmask", "+5"), 0, "adapter 5 in other domains is the host's");
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	expect_rc(apbus_write("aqmask", "+4"), -EBUSY, "domain 4 of adapter 5 is in use");
	expect_str(mdev_read(mdev, "matrix"), "05.0004\n", "the device is as before");
	expect_rc(mdev_write(mdev, "assign_domain", "0x47"), -EADDRNOTAVAIL,
		  "the other domains are the host's now");
}

static void with_a_guest(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	expect_rc(apbus_write("apmask", "+5"), -EBUSY, "adapter 5 is in a guest");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_OK, "the guest keeps it");
	expect_int(apemu_count(0, APEMU_HOST, "zapq", APQN(CARD_5, DOMAIN_4)), 0,
		   "nobody reset it");
	mdev_set(scene.mdev, "unassign_adapter", CARD_5);
	expect_rc(apbus_write("apmask", "+5"), 0, "given back, the host may have it");
	if (file_exists("/sys/bus/ap/drivers/cex4queue"))
		expect_str(apbus_driver(APQN(CARD_5, DOMAIN_4)), "cex4queue", "and has it");
}

static void ping_pong(void)
{
	struct mdev *mdev = mdev_create();
	int round;

	for (round = 0; round < 5; round++) {
		need_rc(apbus_write("apmask", "+5"), 0, "round %d: adapter 5 to the host", round);
		need_rc(apbus_write("apmask", "-5"), 0, "round %d: and back", round);
		world_bind_all();
		mdev_assign(mdev, CARD_5, DOMAIN_4);
		expect(mdev_becomes(mdev, "guest_matrix", "05.0004\n"),
		       "round %d: it can be passed", round);
		mdev_set(mdev, "unassign_adapter", CARD_5);
	}
}

static const struct ktap_case cases[] = {
	{ "C-8: apmask cannot take an assigned queue: EBUSY", apmask_steals },
	{ "C-8: aqmask cannot take an assigned queue: EBUSY", aqmask_steals },
	{ "C-8: apmask cannot take the queue of a guest: EBUSY", with_a_guest },
	{ "C-8: queues go to the host and come back", ping_pong },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
