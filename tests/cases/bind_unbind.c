// SPDX-License-Identifier: GPL-2.0-only
/*
 * bind_unbind - queues leave and enter the driver while guests and devices come and go, in
 * every order
 */

#include "story.h"

#define QUEUE	APQN(CARD_5, DOMAIN_4)
#define SECOND	APQN(CARD_5, DOMAIN_47)

static void unbind_under_a_guest(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	apemu_time since;

	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, 3), AP_OK, "the interrupt is on");
	since = apemu_now();
	need_rc(apbus_unbind(QUEUE), 0, "05.0004 is unbound from under the guest");
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_NOT_AVAILABLE,
			"the queue has left the guest");
	expect_guest_rc(guest_tapq(scene.vm, SECOND), AP_NOT_AVAILABLE,
			"the rest of its adapter, too");
	expect_at_least(apemu_count(since, APEMU_HOST, "zapq", QUEUE), 1, "it was zeroized");
	expect(!apemu_irq(QUEUE).on, "R-3: its interrupt is off");
	need_rc(apbus_bind(QUEUE, "vfio_ap"), 0, "it is bound again");
	expect(clock_wait_for(guest_tapq(scene.vm, QUEUE).rc == AP_OK, BOUND_EVENTUALLY_MS),
	       "it comes back to the guest");
	expect(!guest_tapq(scene.vm, QUEUE).ir, "R-9: with its interrupt off");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, 3), AP_OK,
			"R-9: which can be enabled with 00");
}

static void first_enable_of_new_queues(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	apemu_do("card 9 add type=cex8 mode=cca");
	apbus_scan();
	need(clock_wait_for(apbus_has_queue(APQN(9, DOMAIN_4)), BOUND_EVENTUALLY_MS),
	     "the bus finds adapter 9");
	if (strcmp(apbus_driver(APQN(9, DOMAIN_4)), "vfio_ap"))
		need_rc(apbus_bind(APQN(9, DOMAIN_4), "vfio_ap"), 0, "its queue is bound");
	mdev_set(scene.mdev, "assign_adapter", 9);
	expect(clock_wait_for(guest_tapq(scene.vm, APQN(9, DOMAIN_4)).rc == AP_OK,
			      BOUND_EVENTUALLY_MS), "the guest has it");
	expect(!guest_tapq(scene.vm, APQN(9, DOMAIN_4)).ir,
	       "R-9: with the interrupt off, although the bus may have had it on");
	expect_guest_rc(guest_aqic_on(scene.vm, APQN(9, DOMAIN_4), GUEST_NIB, 3), AP_OK,
			"R-9: the first enable is answered 00");
	apemu_do("interrupt 09.0004");
	expect(clock_wait_for(guest_byte(scene.vm, GUEST_NIB), BOUND_EVENTUALLY_MS),
	       "the indicator is the guest's");
}

/*
 * every order of unbind, unassign and remove; a use after free shows in the kernel log
 * or as a crash.
 */
static void all_orders(void)
{
	static const char orders[][4] = { "uar", "ura", "aur", "rua", "ru", "ar" };
	unsigned int i;
	const char *c;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		struct mdev *mdev = mdev_create();
		bool unbound = false;

		mdev_assign(mdev, CARD_5, DOMAIN_4);
		mdev_set(mdev, "assign_domain", DOMAIN_47);
		for (c = orders[i]; *c; c++) {
			if (*c == 'u') {
				need_rc(apbus_unbind(QUEUE), 0, "order %s: unbind", orders[i]);
				unbound = true;
			} else if (*c == 'a' && mdev_exists(mdev)) {
				mdev_set(mdev, "unassign_domain", DOMAIN_4);
			} else if (*c == 'r') {
				need_rc(mdev_remove(mdev), 0, "order %s: remove", orders[i]);
			}
		}
		if (unbound)
			need_rc(apbus_bind(QUEUE, "vfio_ap"), 0, "order %s: bind", orders[i]);
		expect_str(apbus_status(QUEUE), "unassigned\n",
			   "R-1: order %s: the queue is nobody's", orders[i]);
		if (mdev_exists(mdev))
			mdev_remove(mdev);
	}
}

static void filtered_then_unbound(void)
{
	struct mdev *mdev = mdev_create(), *next;

	/*
	 * Unplugged because of the hole, then unassigned, then unbound: 05.0004 was in the
	 * shadow at no time since.
	 */
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	need_rc(apbus_unbind(SECOND), 0, "05.0047 is unbound");
	mdev_set(mdev, "assign_domain", DOMAIN_47);
	mdev_set(mdev, "unassign_adapter", CARD_5);
	need_rc(mdev_remove(mdev), 0, "the device is removed");
	need_rc(apbus_unbind(QUEUE), 0, "05.0004 is unbound");
	need_rc(apbus_bind(QUEUE, "vfio_ap"), 0, "05.0004 is bound");
	next = mdev_create();
	mdev_assign(next, CARD_5, DOMAIN_4);
	expect(mdev_becomes(next, "guest_matrix", "05.0004\n"),
	       "R-1: the queue serves the next device");
}

static void to_the_host_and_back(void)
{
	struct mdev *mdev = mdev_create();

	need_rc(apbus_unbind(QUEUE), 0, "05.0004 leaves vfio_ap");
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	expect_str(mdev_read(mdev, "guest_matrix"), ".0004\n", "it is not passed");
	need_rc(apbus_bind(QUEUE, "vfio_ap"), 0, "it is bound");
	expect(mdev_becomes(mdev, "guest_matrix", "05.0004\n"), "now it is");
}

static void many_times(void)
{
	struct scene scene = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	int round;

	for (round = 0; round < 15; round++) {
		need_rc(apbus_unbind(QUEUE), 0, "round %d: unbind", round);
		need_rc(apbus_bind(QUEUE, "vfio_ap"), 0, "round %d: bind", round);
	}
	expect(clock_wait_for(guest_tapq(scene.vm, QUEUE).rc == AP_OK, BOUND_EVENTUALLY_MS),
	       "in the end the guest has its queue");
}

static const struct ktap_case cases[] = {
	{ "C-8, R-3: a queue unbound leaves the guest, bound it comes back",
	  unbind_under_a_guest },
	{ "R-9: the first AQIC of a queue that the bus just made is answered 00",
	  first_enable_of_new_queues },
	{ "R-1: unbind, unassign and remove in every order", all_orders },
	{ "R-1: filtered, unassigned, removed, then unbound", filtered_then_unbound },
	{ "C-7: assigned before bound", to_the_host_and_back },
	{ "R-1: unbind and bind many times under a guest", many_times },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
