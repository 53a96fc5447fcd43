// SPDX-License-Identifier: GPL-2.0-only
/* queue_status - the attribute "status" of queues, which lszcrypt shows */

#include "story.h"

#define QUEUE APQN(CARD_5, DOMAIN_4)

static void life_of_a_queue(void)
{
	struct scene scene;

	expect_str(apbus_status(QUEUE), "unassigned\n", "in no matrix");
	expect_int(file_mode("/sys/bus/ap/devices/05.0004/status"), 0444,
		   "status can only be read");
	scene.mdev = mdev_create();
	mdev_set(scene.mdev, "assign_adapter", CARD_5);
	expect_str(apbus_status(QUEUE), "unassigned\n", "half a matrix assigns nothing");
	mdev_set(scene.mdev, "assign_domain", DOMAIN_4);
	expect_str(apbus_status(QUEUE), "assigned\n", "in a matrix, no guest");
	expect_str(apbus_status(APQN(CARD_5, DOMAIN_47)), "unassigned\n", "the queue beside it");
	scene.vm = vm_create();
	scene.vfio = vfio_open(VFIO_BY_GROUP, scene.mdev, scene.vm);
	expect_str(apbus_status(QUEUE), "in use\n", "in a guest");
	vfio_close(scene.vfio);
	expect_str(apbus_status(QUEUE), "assigned\n", "the guest is gone");
	mdev_set(scene.mdev, "unassign_adapter", CARD_5);
	expect_str(apbus_status(QUEUE), "unassigned\n", "taken away");
}

static void withheld_is_not_in_use(void)
{
	struct scene scene = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	need_rc(apbus_unbind(APQN(CARD_5, DOMAIN_11)), 0, "05.0011 is unbound");
	mdev_set(scene.mdev, "assign_domain", DOMAIN_11);
	expect_str(apbus_status(QUEUE), "assigned\n", "assigned, but withheld from the guest");
	need_rc(apbus_bind(APQN(CARD_5, DOMAIN_11), "vfio_ap"), 0, "05.0011 is bound again");
	expect(clock_wait_for(!strcmp(apbus_status(QUEUE), "in use\n"), BOUND_EVENTUALLY_MS),
	       "passed again");
}

static void only_while_bound(void)
{
	need_rc(apbus_unbind(QUEUE), 0, "05.0004 is unbound");
	expect(!file_exists("/sys/bus/ap/devices/05.0004/status"),
	       "an unbound queue has no status of ours");
	need_rc(apbus_bind(QUEUE, "vfio_ap"), 0, "05.0004 is bound again");
	expect_str(apbus_status(QUEUE), "unassigned\n", "and has one again");
}

static void ends_with_the_device(void)
{
	struct mdev *mdev = mdev_create();

	mdev_assign(mdev, CARD_5, DOMAIN_4);
	need_rc(mdev_remove(mdev), 0, "the device is removed");
	expect_str(apbus_status(QUEUE), "unassigned\n", "R-1: the queue knows nothing of it");
}

static const struct ktap_case cases[] = {
	{ "C-9: unassigned, assigned, in use, and back", life_of_a_queue },
	{ "C-9: a withheld queue is not in use", withheld_is_not_in_use },
	{ "C-1: status is there while the queue is bound", only_while_bound },
	{ "R-1: a removed device leaves no trace in the status", ends_with_the_device },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
