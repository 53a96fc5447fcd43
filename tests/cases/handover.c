// SPDX-License-Identifier: GPL-2.0-only
/* handover - queues go from one guest or device to the next, and nobody pauses in between */

#include "story.h"

#define QUEUE	APQN(CARD_5, DOMAIN_4)
#define BOTH	"05.0004\n05.0047\n"

enum { ROUNDS = 50, FEW = 10, SLOW_MS = 300 };

/* The first look counts: close returns after the resets, so nothing is missing at the next open. */
static void next_guest_has_all(struct mdev *mdev, struct vm *vm, int round)
{
	need_str(mdev_read(mdev, "guest_matrix"), BOTH,
		 "R-4: round %d: everything assigned is passed when open returns", round);
	need_guest_rc(guest_tapq(vm, QUEUE), AP_OK, "round %d: the first TAPQ is answered 00",
		      round);
}

static struct mdev *slow_device(enum vfio_path path)
{
	struct mdev *mdev = mdev_create();

	vfio_need(path);
	apemu_need();
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	mdev_set(mdev, "assign_domain", DOMAIN_47);
	apemu_do("reset any ns=%d000000", SLOW_MS);
	return mdev;
}

static void guest_to_guest(enum vfio_path path, int rounds)
{
	struct mdev *mdev = slow_device(path);
	struct vfio *vfio;
	struct vm *vm;
	int round;

	for (round = 0; round < rounds; round++) {
		vm = vm_create();
		vfio = vfio_open(path, mdev, vm);
		next_guest_has_all(mdev, vm, round);
		vfio_close(vfio);
		vm_destroy(vm);
	}
}

static void guest_to_guest_by_group(void)
{
	guest_to_guest(VFIO_BY_GROUP, ROUNDS);
}

static void guest_to_guest_by_cdev(void)
{
	guest_to_guest(VFIO_BY_CDEV, FEW);
}

static void device_to_device(enum vfio_path path)
{
	struct mdev *from, *to = slow_device(path);
	struct vfio *vfio;
	struct vm *vm;
	int round;

	for (round = 0; round < FEW; round++) {
		vm = vm_create();
		vfio = vfio_open(path, to, vm);
		next_guest_has_all(to, vm, round);
		vfio_close(vfio);
		vm_destroy(vm);
		from = to;
		to = mdev_create();
		mdev_set(from, "unassign_adapter", CARD_5);
		mdev_assign(to, CARD_5, DOMAIN_4);
		mdev_set(to, "assign_domain", DOMAIN_47);
		need_rc(mdev_remove(from), 0, "round %d: the device before is removed", round);
	}
}

static void device_to_device_by_group(void)
{
	device_to_device(VFIO_BY_GROUP);
}

static void device_to_device_by_cdev(void)
{
	device_to_device(VFIO_BY_CDEV);
}

/* Both guests run all the time, the queue is hot unplugged here and hot plugged there. */
static void running_guests(void)
{
	struct scene a = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct scene b = scene_with(VFIO_BY_CDEV, CARD_1, DOMAIN_4), swap;
	int round;

	apemu_do("reset any ns=%d000000", SLOW_MS);
	for (round = 0; round < FEW; round++) {
		mdev_set(a.mdev, "unassign_adapter", CARD_5);
		need_guest_rc(guest_tapq(a.vm, QUEUE), AP_NOT_AVAILABLE,
			      "round %d: the guest before has lost it", round);
		mdev_set(b.mdev, "assign_adapter", CARD_5);
		need(strstr(mdev_read(b.mdev, "guest_matrix"), "05.0004\n"),
		     "R-4: round %d: it is passed when assign returns", round);
		need_guest_rc(guest_tapq(b.vm, QUEUE), AP_OK,
			      "round %d: the first TAPQ is answered 00", round);
		swap = a;
		a = b;
		b = swap;
	}
}

/* The device of the first guest is wanted back, and its VMM takes its time. */
static void while_removal_pends(enum vfio_path path)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);
	struct mdev *next = mdev_create();
	struct mdev_job *removal;
	int event = vfio_event_new();

	need_rc(vfio_arm(scene.vfio, AP_IRQ_REQ, event), 0, "the VMM wants to know when to let go");
	removal = mdev_begin(scene.mdev, "remove", "1");
	need(clock_wait_for(vfio_events(event), BOUND_EVENTUALLY_MS), "the device is wanted back");
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_NOT_AVAILABLE, "the guest has lost it");
	mdev_set(next, "assign_adapter", CARD_5);
	expect_rc(mdev_write(next, "assign_domain", "4"), -EADDRINUSE,
		  "C-5: 05.0004 is assigned as long as its device is there");
	expect_str(mdev_read(next, "matrix"), "05.\n", "nothing has changed");
	expect_str(apbus_status(QUEUE), "assigned\n",
		   "C-9: assigned, and in use by no guest");
	expect(!mdev_done(removal), "the removal waits for the VMM");
	vfio_close(scene.vfio);
	expect_rc(mdev_end(removal, NULL), 0, "after the close the removal ends");
	expect_rc(mdev_write(next, "assign_domain", "4"), 0,
		  "C-5: the next device can have 05.0004");
	expect_str(mdev_read(next, "guest_matrix"), "05.0004\n", "and passes it");
	close(event);
}

static void while_removal_pends_by_group(void)
{
	while_removal_pends(VFIO_BY_GROUP);
}

static void while_removal_pends_by_cdev(void)
{
	while_removal_pends(VFIO_BY_CDEV);
}

static const struct ktap_case cases[] = {
	{ "R-4, C-8: one device, guest after guest, resets of 300 ms (group)",
	  guest_to_guest_by_group },
	{ "R-4, C-8: one device, guest after guest, resets of 300 ms (cdev)",
	  guest_to_guest_by_cdev },
	{ "R-4, C-8: device after device, resets of 300 ms (group)",
	  device_to_device_by_group },
	{ "R-4, C-8: device after device, resets of 300 ms (cdev)",
	  device_to_device_by_cdev },
	{ "R-4, C-8: between running guests, resets of 300 ms", running_guests },
	{ "C-5, C-9: to the next device while a removal is pending (group)",
	  while_removal_pends_by_group },
	{ "C-5, C-9: to the next device while a removal is pending (cdev)",
	  while_removal_pends_by_cdev },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
