// SPDX-License-Identifier: GPL-2.0-only
/* hotplug - queues come to a running guest and go, and exactly those that go are reset */

#include "story.h"

static const enum vfio_path path = VFIO_BY_GROUP;

static void adapter_comes(void)
{
	struct scene scene = scene_with(path, CARD_5, DOMAIN_4);

	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_1, DOMAIN_4)), AP_NOT_AVAILABLE,
			"adapter 1 is not there yet");
	mdev_set(scene.mdev, "assign_adapter", CARD_1);
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_1, DOMAIN_4)), AP_OK,
			"adapter 1 is there when the write returns");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_OK, "adapter 5 stays");
	expect_str(mdev_read(scene.mdev, "guest_matrix"), "01.0004\n05.0004\n",
		   "guest_matrix says so");
}

static void domain_comes(void)
{
	struct scene scene = scene_with(path, CARD_5, DOMAIN_4);

	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_47)), AP_OK,
			"domain 0x47 is there when the write returns");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_OK, "domain 4 stays");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_11)), AP_NOT_AVAILABLE,
			"domain 0x11 was not asked for");
}

static void control_domain_comes_and_goes(void)
{
	struct scene scene = scene_with(path, CARD_5, DOMAIN_4);

	if (!world_has_facility(12))
		ktap_skip("the guest has no QCI");
	need(guest_qci(scene.vm).end == GUEST_DONE, "the guest can ask for its configuration");
	expect(!guest_qci_has_control_domain(scene.vm, CONTROL_22),
	       "control domain 0x22 is not there yet");
	mdev_set(scene.mdev, "assign_control_domain", CONTROL_22);
	guest_qci(scene.vm);
	expect(guest_qci_has_control_domain(scene.vm, CONTROL_22),
	       "control domain 0x22 is there when the write returns");
	mdev_set(scene.mdev, "assign_control_domain", 0x33);
	guest_qci(scene.vm);
	expect(!guest_qci_has_control_domain(scene.vm, 0x33),
	       "what the host does not control, the guest does not");
	mdev_set(scene.mdev, "unassign_control_domain", CONTROL_22);
	guest_qci(scene.vm);
	expect(!guest_qci_has_control_domain(scene.vm, CONTROL_22),
	       "control domain 0x22 is gone when the write returns");
}

/* Two adapters, two domains, and from now on the hardware's log is watched. */
static struct scene scene_of_four(void)
{
	struct scene scene = scene_with(path, CARD_5, DOMAIN_4);

	apemu_need();
	mdev_set(scene.mdev, "assign_adapter", CARD_1);
	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	need_guest_rc(guest_tapq(scene.vm, APQN(CARD_1, DOMAIN_47)), AP_OK,
		      "the guest has four queues");
	apemu_do("log clear");
	return scene;
}

static void adapter_goes(void)
{
	struct scene scene = scene_of_four();

	mdev_set(scene.mdev, "unassign_adapter", CARD_1);
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_1, DOMAIN_4)), AP_NOT_AVAILABLE,
			"adapter 1 is gone when the write returns");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_OK, "adapter 5 stays");
	expect_at_least(apemu_count(0, APEMU_HOST, "zapq", APQN(CARD_1, DOMAIN_4)), 1,
			"01.0004 is zeroized");
	expect_at_least(apemu_count(0, APEMU_HOST, "zapq", APQN(CARD_1, DOMAIN_47)), 1,
			"01.0047 is zeroized");
	expect_int(apemu_count(0, APEMU_HOST, NULL, APQN(CARD_5, DOMAIN_4)), 0,
		   "05.0004 stays untouched");
	expect_int(apemu_count(0, APEMU_HOST, NULL, APQN(CARD_5, DOMAIN_47)), 0,
		   "05.0047 stays untouched");
	expect_int(apemu_count(0, APEMU_HOST, "zapq", APQN(CARD_1, DOMAIN_11)), 0,
		   "01.0011 was never the guest's");
}

static void domain_goes(void)
{
	struct scene scene = scene_of_four();

	mdev_set(scene.mdev, "unassign_domain", DOMAIN_47);
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_47)), AP_NOT_AVAILABLE,
			"domain 0x47 is gone when the write returns");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_OK, "domain 4 stays");
	expect_at_least(apemu_count(0, APEMU_HOST, "zapq", APQN(CARD_1, DOMAIN_47)), 1,
			"01.0047 is zeroized");
	expect_at_least(apemu_count(0, APEMU_HOST, "zapq", APQN(CARD_5, DOMAIN_47)), 1,
			"05.0047 is zeroized");
	expect_int(apemu_count(0, APEMU_HOST, NULL, APQN(CARD_1, DOMAIN_4)), 0,
		   "01.0004 stays untouched");
	expect_int(apemu_count(0, APEMU_HOST, NULL, APQN(CARD_5, DOMAIN_4)), 0,
		   "05.0004 stays untouched");
}

static void gone_before_reset(void)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);
	apemu_time since;

	/* A request left in the queue must not survive into the next guest. */
	apemu_do("echo 05.0004 hold");
	need_guest_rc(guest_nqap(scene.vm, APQN(CARD_5, DOMAIN_4), 1, GUEST_BUFFER, 32), AP_OK,
		      "the adapter takes a request");
	since = apemu_now();
	mdev_set(scene.mdev, "unassign_adapter", CARD_5);
	expect_at_least(apemu_count(since, APEMU_HOST, "zapq", APQN(CARD_5, DOMAIN_4)), 1,
			"the queue is zeroized");
	expect(!apemu_states("queue 05.0004 requests 1"),
	       "nothing of the guest is left in the queue");
	apemu_do("echo 05.0004 release");
	mdev_set(scene.mdev, "assign_adapter", CARD_5);
	expect_guest_rc(guest_dqap(scene.vm, APQN(CARD_5, DOMAIN_4), GUEST_BUFFER, 256),
			AP_NO_REPLY,
			"no reply of an earlier life comes out of the queue");
}

static void to_the_next_guest(void)
{
	struct scene one = scene_with(path, CARD_5, DOMAIN_4);
	struct scene two = scene_with(path, CARD_1, DOMAIN_4);
	apemu_time gone;

	apemu_need();
	apemu_do("log clear");
	mdev_set(one.mdev, "unassign_adapter", CARD_5);
	gone = apemu_now();
	mdev_set(two.mdev, "assign_adapter", CARD_5);
	expect_guest_rc(guest_tapq(two.vm, APQN(CARD_5, DOMAIN_4)), AP_OK,
			"the other guest gets the queue");
	expect_guest_rc(guest_tapq(one.vm, APQN(CARD_5, DOMAIN_4)), AP_NOT_AVAILABLE,
			"the first guest has lost it");
	expect(apemu_first(0, APEMU_HOST, "zapq", APQN(CARD_5, DOMAIN_4)) &&
	       apemu_first(0, APEMU_HOST, "zapq", APQN(CARD_5, DOMAIN_4)) <= gone,
	       "R-4: the queue was zeroized between the two guests");
}

static void whole_domain_and_back(void)
{
	struct scene scene = scene_with(path, CARD_5, DOMAIN_4);
	int round;

	for (round = 0; round < 20; round++) {
		mdev_set(scene.mdev, "unassign_domain", DOMAIN_4);
		expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_NOT_AVAILABLE,
				"round %d: gone", round);
		mdev_set(scene.mdev, "assign_domain", DOMAIN_4);
		expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_OK,
				"round %d: back", round);
	}
}

static const struct ktap_case cases[] = {
	{ "C-8: an adapter assigned is in the guest", adapter_comes },
	{ "C-8: a domain assigned is in the guest", domain_comes },
	{ "C-8: a control domain comes and goes", control_domain_comes_and_goes },
	{ "C-8: an adapter unassigned is gone, exactly its queues are reset", adapter_goes },
	{ "C-8: a domain unassigned is gone, exactly its queues are reset", domain_goes },
	{ "C-8: requests left behind do not survive the reset", gone_before_reset },
	{ "R-4: between two guests lies a reset", to_the_next_guest },
	{ "C-8: a domain goes and comes back many times", whole_domain_and_back },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
