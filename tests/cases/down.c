// SPDX-License-Identifier: GPL-2.0-only
/*
 * down - queues that do not take the reset that is wanted: deconfigured, checkstopped, lost
 *
 * TAPQ answers normally in some of the stories. So a driver that looks with TAPQ only passes such
 * a queue, with all that its last guest has left in it.
 */

#include "module.h"
#include "story.h"

#define QUEUE	APQN(CARD_5, DOMAIN_4)

enum { ISC = 3, LOOKS = 60, LOOK_MS = 100 };

static void next_guest_does_not_get_it(void)
{
	struct scene first = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4), next;
	int event = vfio_event_new(), looks = 0;
	unsigned int i;

	apemu_do("answer zapq 05.0004 rc=3 times=0");
	vfio_close(first.vfio);
	mdev_set(first.mdev, "unassign_adapter", CARD_5);
	next.mdev = mdev_create();
	mdev_assign(next.mdev, CARD_5, DOMAIN_4);
	next.vm = vm_create();
	next.vfio = vfio_open(VFIO_BY_CDEV, next.mdev, next.vm);
	need_rc(vfio_arm(next.vfio, AP_IRQ_CFG_CHG, event), 0, "the VMM is told of changes");
	vfio_events(event);
	for (i = 0; i < LOOKS; i++) {
		looks += guest_tapq(next.vm, QUEUE).rc == AP_OK;
		clock_sleep_ms(LOOK_MS);
	}
	expect_int(looks, 0, "R-4: how often the next guest has found a queue that was not reset");
	expect_int(vfio_events(event), 0, "R-4: changes of its configuration meanwhile");
	expect_str(mdev_read(next.mdev, "withheld"), "05 05.0004 down\n",
		   "R-24: withheld says why");
	apemu_do("log clear");
	apemu_do("answer clear");
	expect(clock_wait_for(guest_tapq(next.vm, QUEUE).rc == AP_OK, BOUND_RETRY_MS),
	       "R-4: it comes by itself when it takes the reset");
	expect_int(apemu_count_rc(0, APEMU_HOST, "zapq", QUEUE, 0), 1, "R-4: which was issued once");
	expect_int(vfio_events(event), 1, "R-22: that is one change");
	expect_str(mdev_read(next.mdev, "withheld"), "", "R-24: nothing is withheld");
	close(event);
}

static void its_guest_keeps_it(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	int event = vfio_event_new();

	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, event), 0, "the VMM is told of changes");
	vfio_events(event);
	apemu_do("card 5 standby on");
	expect_rc(vfio_reset(scene.vfio), 0, "R-11: a deconfigured queue is not an error");
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_DECONFIGURED, "R-4: its guest keeps it");
	apemu_do("log clear");
	apemu_do("card 5 standby off");
	expect(clock_wait_for(apemu_count_rc(0, APEMU_HOST, "zapq", QUEUE, 0), BOUND_RETRY_MS),
	       "R-4: the reset follows when the adapter is there again");
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_OK, "and the guest has had it all the time");
	expect_int(vfio_events(event), 0, "R-22: its configuration has not changed");
	close(event);
}

static void bound_while_on_standby(void)
{
	struct mdev *mdev = mdev_create();
	struct vfio *vfio;
	struct vm *vm;

	apemu_need();
	apemu_do("card 5 standby on");
	need_rc(apbus_unbind(QUEUE), 0, "the queue is unbound");
	need_rc(apbus_bind(QUEUE, "vfio_ap"), 0, "and bound");
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	vm = vm_create();
	vfio = vfio_open(VFIO_BY_GROUP, mdev, vm);
	expect_guest_rc(guest_tapq(vm, QUEUE), AP_NOT_AVAILABLE,
			"R-4: a guest does not start with a queue that was never reset");
	expect_str(mdev_read(mdev, "withheld"), "05 05.0004 down\n", "R-24: withheld says why");
	expect_rc(vfio_reset(vfio), 0, "R-11: a deconfigured queue is not an error");
	apemu_do("card 5 standby off");
	expect(clock_wait_for(guest_tapq(vm, QUEUE).rc == AP_OK, BOUND_RETRY_MS),
	       "R-4: it comes by itself when the adapter is configured");
}

static void one_look_for_all(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	int zapqs;

	mdev_set(scene.mdev, "assign_domain", DOMAIN_11);
	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	apemu_do("card 5 checkstop on");
	vfio_close(scene.vfio);
	expect_str(mdev_read(scene.mdev, "withheld"), "05 05.0004 down\n", "R-24: withheld says why");
	clock_sleep_ms(2000);
	apemu_do("log clear");
	clock_sleep_ms(8000);
	zapqs = apemu_count(0, APEMU_HOST, "zapq", APQN_ANY);
	expect_at_least(zapqs, 2, "R-4: the driver goes on trying");
	expect_at_most(zapqs, 10, "R-31: once a second, for an adapter and not for each queue");
	apemu_do("card 5 checkstop off");
	expect(clock_wait_for(!strcmp(mdev_read(scene.mdev, "guest_matrix"),
				      "05.0004\n05.0011\n05.0047\n"), BOUND_RETRY_MS),
	       "R-4: all of them come back");
}

static void each_has_its_turn(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	mdev_set(scene.mdev, "assign_domain", DOMAIN_11);
	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	apemu_do("log clear");
	apemu_do("answer zapq 05.0004 rc=3 times=0");
	apemu_do("answer zapq 05.0011 rc=3 times=1");
	apemu_do("answer zapq 05.0047 rc=3 times=0");
	vfio_close(scene.vfio);
	expect(clock_wait_for(apemu_count_rc(0, APEMU_HOST, "zapq", APQN(CARD_5, DOMAIN_11), 0),
			      BOUND_RETRY_MS),
	       "R-4: a queue between two that are down for good is asked as well");
	apemu_do("answer clear");
	expect(clock_wait_for(!strcmp(mdev_read(scene.mdev, "guest_matrix"),
				      "05.0004\n05.0011\n05.0047\n"), BOUND_RETRY_MS),
	       "R-4: all of them come back");
}

/* The host loses an adapter on purpose. Nobody complains, and what is gone is not reset. */
static void lost(void (*meanwhile)(struct vfio *vfio), bool guest)
{
	struct mdev *mdev = mdev_create();
	struct vfio *vfio = NULL;

	apemu_need();
	module_need_ours("kernel log");
	mdev_assign(mdev, CARD_1, DOMAIN_4);
	mdev_set(mdev, "assign_domain", DOMAIN_11);
	if (guest)
		vfio = vfio_open(VFIO_BY_GROUP, mdev, vm_create());
	expect(mdev_becomes(mdev, "guest_matrix", "01.0004\n01.0011\n"), "both are passed");
	kmsg_mark();
	apemu_do("log clear");
	apemu_do("card 1 remove");
	if (meanwhile)
		meanwhile(vfio);
	apemu_do("log clear");
	apbus_scan();
	clock_sleep_ms(3000);
	expect_int(kmsg_count("vfio_ap"), 0, "R-6: lines about what was taken on purpose");
	expect_int(apemu_count(0, APEMU_HOST, "zapq", APQN(CARD_1, DOMAIN_4)), 1,
		   "R-6: ZAPQs to a queue that is gone: that of the bus, which removes the device");
	expect_str(mdev_read(mdev, "withheld"), "01 not-in-host\n", "R-24: withheld says why");
	kmsg_mark();
	apemu_do("domain 0x11 remove");
	apbus_scan();
	clock_sleep_ms(1000);
	expect_int(kmsg_count("vfio_ap"), 0, "R-6: and lines about a domain");
	apemu_do("domain 0x11 add");
	apemu_do("card 1 add type=cex8 mode=cca");
	apbus_scan();
	expect(clock_wait_for(!strcmp(mdev_read(mdev, "guest_matrix"), "01.0004\n01.0011\n"),
			      BOUND_RETRY_MS),
	       "R-4: the adapter comes back by itself");
}

static void lost_by_a_guest(void)
{
	lost(NULL, true);
}

static void lost_by_nobody(void)
{
	lost(NULL, false);
}

static void reset_meanwhile(struct vfio *vfio)
{
	expect_rc(vfio_reset(vfio), 0, "R-6: what the host has lost is not an error of a reset");
}

static void lost_during_reset(void)
{
	lost(reset_meanwhile, true);
}

static const struct ktap_case cases[] = {
	{ "R-4: a queue that takes no reset is kept from the next guest",
	  next_guest_does_not_get_it },
	{ "R-4, R-11: a queue that takes no reset stays with the guest that has it",
	  its_guest_keeps_it },
	{ "R-4: a queue that is bound while on standby", bound_while_on_standby },
	{ "R-4, R-31: the queues of an adapter that is off are looked at together",
	  one_look_for_all },
	{ "R-4: each queue of an adapter that is off has its turn", each_has_its_turn },
	{ "R-6: the host loses an adapter that a guest has", lost_by_a_guest },
	{ "R-6: the host loses an adapter that is only assigned", lost_by_nobody },
	{ "R-6, R-11: VFIO_DEVICE_RESET before the bus has seen that an adapter is gone",
	  lost_during_reset },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
