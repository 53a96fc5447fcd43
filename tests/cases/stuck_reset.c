// SPDX-License-Identifier: GPL-2.0-only
/* stuck_reset - a queue whose reset was not verified is in no guest, and comes back by itself */

#include "probe.h"
#include "story.h"

#define STUCK APQN(CARD_5, DOMAIN_4)

static void kept_from_the_next(void)
{
	struct scene one = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct scene two = scene_with(VFIO_BY_GROUP, CARD_1, DOMAIN_4);

	apemu_do("reset 05.0004 never");
	mdev_set(one.mdev, "unassign_adapter", CARD_5);
	mdev_set(two.mdev, "assign_adapter", CARD_5);
	expect_str(mdev_read(two.mdev, "matrix"), "01.0004\n05.0004\n",
		   "the queue can be assigned to the next");
	expect_guest_rc(guest_tapq(two.vm, STUCK), AP_NOT_AVAILABLE,
			"but the next guest does not have it");
	expect_guest_rc(guest_tapq(two.vm, APQN(CARD_1, DOMAIN_4)), AP_OK, "the rest stays");
	expect(strstr(mdev_read(two.mdev, "withheld"), "05 05.0004 "),
	       "R-24: withheld names adapter and queue ('%s')",
	       mdev_read(two.mdev, "withheld"));
	apemu_do("reset 05.0004 polls=0");
	expect(clock_wait_for(guest_tapq(two.vm, STUCK).rc == AP_OK, BOUND_RETRY_MS),
	       "verified, it comes by itself");
	expect_str(mdev_read(two.mdev, "withheld"), "", "R-24: nothing is withheld any more");
}

static void kept_after_device_reset(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	apemu_do("reset 05.0004 never");
	expect_rc(vfio_reset(scene.vfio), -EIO, "the reset fails");
	expect_guest_rc(guest_tapq(scene.vm, STUCK), AP_NOT_AVAILABLE,
			"the queue has left the guest");
	apemu_do("reset 05.0004 polls=0");
	expect(clock_wait_for(guest_tapq(scene.vm, STUCK).rc == AP_OK, BOUND_RETRY_MS),
	       "verified, it comes back by itself");
}

static void nonsense_is_retried(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	apemu_time since;

	apemu_do("answer tapq 05.0004 rc=42 times=0");
	mdev_set(scene.mdev, "unassign_adapter", CARD_5);
	mdev_set(scene.mdev, "assign_adapter", CARD_5);
	expect_str(mdev_read(scene.mdev, "guest_matrix"), ".0004\n",
		   "a reset verified by nonsense is not verified");
	since = apemu_now();
	apemu_do("answer clear");
	expect(clock_wait_for(!strcmp(mdev_read(scene.mdev, "guest_matrix"), "05.0004\n"),
			      BOUND_RETRY_MS),
	       "the driver goes on trying until it is");
	expect_at_least(apemu_count(since, APEMU_HOST, "tapq", STUCK), 1,
			"the hardware saw it try");
}

static void bound_but_not_reset(void)
{
	struct mdev *mdev = mdev_create();
	apemu_time since;

	apemu_need();
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	need_rc(apbus_unbind(STUCK), 0, "the administrator unbinds 05.0004");
	since = apemu_now();
	need_rc(apbus_bind(STUCK, "vfio_ap"), 0, "and binds it again");
	expect(mdev_becomes(mdev, "guest_matrix", "05.0004\n"), "it would be passed again");
	expect_at_least(apemu_count(since, APEMU_HOST, "zapq", STUCK), 1,
			"after a reset of this driver");
}

static void quiet(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	apemu_do("reset 05.0004 never");
	mdev_set(scene.mdev, "unassign_adapter", CARD_5);
	kmsg_mark();
	clock_sleep_ms(3000);
	expect_at_most(kmsg_count("vfio_ap"), 5,
		       "R-6: lines in three seconds about a reset that never ends");
	apemu_do("reset 05.0004 polls=0");
}

static void removed_while_stuck(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct mdev *next;

	apemu_do("reset 05.0004 never");
	vfio_close(scene.vfio);
	need_rc(mdev_remove(scene.mdev), 0, "the device can be removed while its queue is stuck");
	need_rc(apbus_unbind(STUCK), 0, "the queue can be unbound while it is stuck");
	need_rc(apbus_bind(STUCK, "vfio_ap"), 0, "and bound again");
	next = mdev_create();
	mdev_assign(next, CARD_5, DOMAIN_4);
	expect_str(mdev_read(next, "guest_matrix"), ".0004\n", "R-4: it is still kept out");
	apemu_do("reset 05.0004 polls=0");
	expect(clock_wait_for(!strcmp(mdev_read(next, "guest_matrix"), "05.0004\n"),
			      BOUND_RETRY_MS),
	       "verified, it comes back by itself");
}

/* A VM that becomes a protected one has to have no interruption subclass registered. */
static void gives_up_its_subclass(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	need_guest_rc(guest_aqic_on(scene.vm, STUCK, GUEST_NIB, 3), AP_OK, "the interrupt is on");
	apemu_do("reset 05.0004 never");
	probe_begin("kvm_s390_gisc_unregister");
	mdev_set(scene.mdev, "unassign_adapter", CARD_5);
	expect(apemu_irq(STUCK).on, "the adapter may still interrupt");
	expect_int(probe_hits("kvm_s390_gisc_unregister"), 1,
		   "R-2: the GISC is given up when the queue has left its guest");
	apemu_do("reset 05.0004 polls=0");
	expect(clock_wait_for(!apemu_irq(STUCK).on, BOUND_RETRY_MS), "the reset ends");
	vfio_close(scene.vfio);
	expect_int(probe_hits("kvm_s390_gisc_unregister"), 1, "R-2: exactly once");
	probe_end("kvm_s390_gisc_unregister");
}

static const struct ktap_case cases[] = {
	{ "R-4: a stuck queue is kept from the next guest until verified", kept_from_the_next },
	{ "R-4: a queue leaves its guest when a device reset fails", kept_after_device_reset },
	{ "R-4, R-6: a verification answered with nonsense is tried again", nonsense_is_retried },
	{ "R-4: a queue is reset after binding before it is passed", bound_but_not_reset },
	{ "R-6: a reset that never ends does not fill the log", quiet },
	{ "R-1, R-4: remove, unbind and bind a stuck queue", removed_while_stuck },
	{ "R-2: a queue that leaves its guest gives up the interruption subclass at once",
	  gives_up_its_subclass },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
