// SPDX-License-Identifier: GPL-2.0-only
/* host_config - the configuration of the host changes under guests */

#include "story.h"

static void adapter_vanishes_and_returns(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	mdev_set(scene.mdev, "assign_adapter", CARD_1);
	need_guest_rc(guest_tapq(scene.vm, APQN(CARD_1, DOMAIN_4)), AP_OK,
		      "the guest has adapters 1 and 5");
	apemu_do("card 5 config off");
	apbus_scan();
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_NOT_AVAILABLE,
			"deconfigured: gone from the guest");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_1, DOMAIN_4)), AP_OK, "the other stays");
	expect_str(mdev_read(scene.mdev, "matrix"), "01.0004\n05.0004\n", "the assignment stays");
	expect_str(mdev_read(scene.mdev, "guest_matrix"), "01.0004\n", "guest_matrix follows");
	expect(strstr(mdev_read(scene.mdev, "withheld"), "05"), "R-24: withheld lists it ('%s')",
	       mdev_read(scene.mdev, "withheld"));
	apemu_do("card 5 config on");
	apbus_scan();
	world_bind_all();
	expect(clock_wait_for(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)).rc == AP_OK,
			      BOUND_EVENTUALLY_MS),
	       "configured again: back in the guest");
	expect_guest_rc(guest_aqic_on(scene.vm, APQN(CARD_5, DOMAIN_4), GUEST_NIB, 3), AP_OK,
			"R-9: enable is answered 00");
}

static void adapter_removed(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	long pins = world_pins();

	need_guest_rc(guest_aqic_on(scene.vm, APQN(CARD_5, DOMAIN_4), GUEST_NIB, 3), AP_OK,
		      "the interrupt is on");
	apemu_do("card 5 remove");
	apbus_scan();
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_NOT_AVAILABLE,
			"gone from the guest");
	expect_str(mdev_read(scene.mdev, "guest_matrix"), ".0004\n", "guest_matrix follows");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: the page is released, whatever ZAPQ answered");
}

static void new_adapter(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	int event = vfio_event_new();

	mdev_set(scene.mdev, "assign_adapter", 9);
	expect_guest_rc(guest_tapq(scene.vm, APQN(9, DOMAIN_4)), AP_NOT_AVAILABLE,
			"adapter 9 does not exist yet");
	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, event), 0, "the VMM wants to know of changes");
	vfio_events(event);
	apemu_do("card 9 add type=cex8 mode=cca");
	apbus_scan();
	expect(clock_wait_for(guest_tapq(scene.vm, APQN(9, DOMAIN_4)).rc == AP_OK,
			      BOUND_EVENTUALLY_MS),
	       "an adapter assigned in advance comes to the guest by itself");
	expect_str(mdev_read(scene.mdev, "guest_matrix"), "05.0004\n09.0004\n",
		   "guest_matrix follows");
	expect_at_least(vfio_events(event), 1, "the VMM was told");
	expect_guest_rc(guest_aqic_on(scene.vm, APQN(9, DOMAIN_4), GUEST_NIB, 3), AP_OK,
			"R-9: enable is answered 00");
	close(event);
}

static void domain_vanishes_and_returns(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	need_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_47)), AP_OK,
		      "the guest has domains 4 and 0x47");
	apemu_do("domain 0x47 remove");
	apbus_scan();
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_47)), AP_NOT_AVAILABLE,
			"gone from the guest");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_OK,
			"the other domain stays");
	expect_str(mdev_read(scene.mdev, "guest_matrix"), "05.0004\n", "guest_matrix follows");
	apemu_do("domain 0x47 add");
	apbus_scan();
	world_bind_all();
	expect(clock_wait_for(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_47)).rc == AP_OK,
			      BOUND_EVENTUALLY_MS), "back in the guest");
}

static void control_domain_vanishes_and_returns(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	mdev_set(scene.mdev, "assign_control_domain", CONTROL_22);
	guest_qci(scene.vm);
	need(guest_qci_has_control_domain(scene.vm, CONTROL_22),
	     "the guest has control domain 0x22");
	apemu_do("control 0x22 remove");
	apbus_scan();
	guest_qci(scene.vm);
	expect(!guest_qci_has_control_domain(scene.vm, CONTROL_22), "gone from the guest");
	expect_str(mdev_read(scene.mdev, "control_domains"), "0022\n", "the assignment stays");
	apemu_do("control 0x22 add");
	apbus_scan();
	guest_qci(scene.vm);
	expect(guest_qci_has_control_domain(scene.vm, CONTROL_22), "back in the guest");
}

static void idle_devices(void)
{
	struct mdev *mdev = mdev_create(), *empty = mdev_create();

	/* the in-kernel driver of 6.12 takes a lock at address 0 here. */
	apemu_need();
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	mdev_set(mdev, "assign_adapter", 9);
	apemu_do("card 5 config off");
	apemu_do("card 9 add type=cex8 mode=cca");
	apbus_scan();
	expect(mdev_becomes(mdev, "guest_matrix", "09.0004\n"),
	       "guest_matrix follows without a guest ('%s')",
	       mdev_read(mdev, "guest_matrix"));
	expect_str(mdev_read(empty, "guest_matrix"), "", "an empty device is not disturbed");
}

static void standby_and_checkstop(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	apemu_do("card 5 standby on");
	apbus_scan();
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_DECONFIGURED,
			"C-7: a deconfigured queue stays, and says so");
	apemu_do("card 5 standby off");
	apemu_do("card 5 checkstop on");
	apbus_scan();
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_CHECKSTOPPED,
			"C-7: a checkstopped queue stays, and says so");
	apemu_do("card 5 checkstop off");
	apbus_scan();
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_OK,
			"and works when it is back");
}

static void many_queues_at_once(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	int event = vfio_event_new(), card;

	for (card = 16; card < 24; card++) {
		apemu_do("card %d add type=cex8 mode=accel", card);
		mdev_set(scene.mdev, "assign_adapter", card);
	}
	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, event), 0, "the VMM wants to know of changes");
	vfio_events(event);
	apbus_scan();
	for (card = 16; card < 24; card++)
		expect(clock_wait_for(guest_tapq(scene.vm, APQN(card, DOMAIN_47)).rc == AP_OK,
				      BOUND_EVENTUALLY_MS),
		       "adapter %d comes to the guest", card);
	expect_at_most(vfio_events(event), 4,
		       "R-32: 8 adapters with 16 queues come in few steps (events)");
	close(event);
}

static void old_adapter(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	apemu_do("card 9 add type=cex3 mode=cca");
	apbus_scan();
	mdev_set(scene.mdev, "assign_adapter", 9);
	expect_guest_rc(guest_tapq(scene.vm, APQN(9, DOMAIN_4)), AP_NOT_AVAILABLE,
			"C-7: CEX3 is not passed");
	expect(strcmp(apbus_driver(APQN(9, DOMAIN_4)), "vfio_ap"), "C-7: nor bound");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_OK, "the others are");
}

static void queue_vanishes_and_returns(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	const int queue = APQN(CARD_5, DOMAIN_4);
	long pins = world_pins();

	need_guest_rc(guest_aqic_on(scene.vm, queue, GUEST_NIB, 3), AP_OK, "the interrupt is on");
	apemu_do("queue 05.0004 absent on");
	apbus_scan();
	expect(!apbus_has_queue(queue), "the bus removes the device");
	expect(clock_wait_for(guest_tapq(scene.vm, queue).rc == AP_NOT_AVAILABLE &&
			      !strcmp(mdev_read(scene.mdev, "guest_matrix"), ".0004\n"),
			      BOUND_EVENTUALLY_MS), "the queue is gone from the guest");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: the page is released");
	apemu_do("queue 05.0004 absent off");
	apbus_scan();
	expect(clock_wait_for(guest_tapq(scene.vm, queue).rc == AP_OK, BOUND_EVENTUALLY_MS),
	       "C-8: it comes back by itself");
	expect_guest_rc(guest_aqic_on(scene.vm, queue, GUEST_NIB, 3), AP_OK,
			"R-9: enable is answered 00");
}

/* QCI says the same before and after, so nobody is told that the configuration changed. */
static void adapter_exchanged(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	const int queue = APQN(CARD_5, DOMAIN_4);
	int event = vfio_event_new();
	apemu_time since, back;

	need_guest_rc(guest_aqic_on(scene.vm, queue, GUEST_NIB, 3), AP_OK, "the interrupt is on");
	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, event), 0, "the VMM wants to know of changes");
	vfio_events(event);
	since = apemu_now();
	apemu_do("card 5 remove");
	apemu_do("card 5 add type=cex8 mode=ep11");
	apbus_scan();
	expect(clock_wait_for(!strcmp(mdev_read(scene.mdev, "guest_matrix"), "05.0004\n") &&
			      guest_tapq(scene.vm, queue).rc == AP_OK &&
			      apemu_count_rc(since, APEMU_HOST, "zapq", queue, AP_OK),
			      BOUND_EVENTUALLY_MS), "C-8: the new one comes by itself");
	back = apemu_last(since, APEMU_HOST, "zapq", queue);
	expect_at_least(apemu_count_rc(back, APEMU_HOST, "tapq", queue, AP_OK), 1,
			"R-4: a reset of it was verified");
	expect(!guest_tapq(scene.vm, queue).ir, "R-9: with its interrupt off");
	expect_guest_rc(guest_aqic_on(scene.vm, queue, GUEST_NIB, 3), AP_OK,
			"R-9: enable is answered 00");
	expect_at_least(vfio_events(event), 1, "C-8: the VMM was told (events)");
	close(event);
}

/* What a scan found is in guest_matrix, or withheld knows that its queues are being reset. */
static void found(struct mdev *mdev, const char *missing, const char *passed, const char *withheld)
{
	expect(!strstr(mdev_read(mdev, "withheld"), missing),
	       "R-24: right after the scan it is not missing any more ('%s')", missing);
	expect(mdev_becomes(mdev, "guest_matrix", passed),
	       "C-8: it is passed, that makes '%s'", passed);
	expect_str(mdev_read(mdev, "withheld"), withheld, "R-24: and the rest is withheld");
}

static void lost(struct mdev *mdev, const char *passed, const char *withheld)
{
	expect_str(mdev_read(mdev, "guest_matrix"), passed,
		   "C-8: guest_matrix right after the scan");
	expect_str(mdev_read(mdev, "withheld"), withheld, "R-24: withheld right after the scan");
}

static void one_after_the_other(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct mdev *mdev = scene.mdev;

	mdev_set(mdev, "assign_adapter", 9);
	mdev_set(mdev, "assign_domain", 0x12);
	mdev_set(mdev, "assign_control_domain", 0x33);
	lost(mdev, "05.0004\n", "09 not-in-host\n.0012 not-in-host\n0033 not-in-host\n");

	apemu_do("card 9 add type=cex8 mode=cca");
	apbus_scan();
	found(mdev, "09 not-in-host", "05.0004\n09.0004\n", ".0012 not-in-host\n0033 not-in-host\n");
	apemu_do("domain 0x12 add");
	apbus_scan();
	found(mdev, ".0012 not-in-host", "05.0004\n05.0012\n09.0004\n09.0012\n",
	      "0033 not-in-host\n");
	apemu_do("control 0x33 add");
	apbus_scan();
	lost(mdev, "05.0004\n05.0012\n09.0004\n09.0012\n", "");
	guest_qci(scene.vm);
	expect(guest_qci_has_control_domain(scene.vm, 0x33), "the guest has control domain 0x33");

	apemu_do("card 9 remove");
	apbus_scan();
	lost(mdev, "05.0004\n05.0012\n", "09 not-in-host\n");
	apemu_do("domain 0x12 remove");
	apbus_scan();
	lost(mdev, "05.0004\n", "09 not-in-host\n.0012 not-in-host\n");
	apemu_do("control 0x33 remove");
	apbus_scan();
	lost(mdev, "05.0004\n", "09 not-in-host\n.0012 not-in-host\n0033 not-in-host\n");
	guest_qci(scene.vm);
	expect(!guest_qci_has_control_domain(scene.vm, 0x33), "and no longer has it");
}

static const struct ktap_case cases[] = {
	{ "C-8, R-9: an adapter is deconfigured and configured under a guest",
	  adapter_vanishes_and_returns },
	{ "C-8, R-2: an adapter is removed under a guest", adapter_removed },
	{ "C-8, R-9: an adapter assigned in advance is added", new_adapter },
	{ "C-8: a domain is removed and added under a guest", domain_vanishes_and_returns },
	{ "C-8: a control domain is removed and added under a guest",
	  control_domain_vanishes_and_returns },
	{ "R-6: the configuration changes with idle devices", idle_devices },
	{ "C-7: standby and checkstop do not unplug", standby_and_checkstop },
	{ "R-32: many queues come in few steps", many_queues_at_once },
	{ "C-7: adapters older than CEX4 are not passed", old_adapter },
	{ "C-8, R-2, R-9: one queue vanishes and returns under a guest",
	  queue_vanishes_and_returns },
	{ "R-4, R-9, C-8: an adapter is exchanged between two scans", adapter_exchanged },
	{ "C-8, R-24: adapter, domain and control domain come and go, scan by scan",
	  one_after_the_other },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
