// SPDX-License-Identifier: GPL-2.0-only
/*
 * driver_override - queues are given to vfio_ap one by one, by the name of the driver (since
 * 6.19), instead of by the masks of the bus
 *
 * A queue with an override that is bound is the host's if, and only if, it is bound to one of
 * the host's own drivers. All others are what the masks say; these are full here, because the
 * bus has either masks or overrides. So a queue is bound first and assigned then.
 */

#include "story.h"

#define QUEUE	APQN(CARD_5, DOMAIN_4)
#define SECOND	APQN(CARD_5, DOMAIN_11)
#define THIRD	APQN(CARD_5, DOMAIN_47)
#define ALL	"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
#define HOST	"cex4queue"

static void everything_is_the_hosts(void)
{
	if (!apbus_has_override(QUEUE))
		ktap_skip("queues have no driver_override on this kernel");
	if (!file_exists("/sys/bus/ap/drivers/" HOST))
		ktap_skip("the host has no driver for queues");
	need_rc(apbus_write("apmask", ALL), 0, "all adapters are the host's");
	need_rc(apbus_write("aqmask", ALL), 0, "all domains are the host's");
	need(clock_wait_for(!strcmp(apbus_driver(QUEUE), HOST), BOUND_EVENTUALLY_MS),
	     "05.0004 is the host's");
}

/* What an administrator does, with the names of the drivers */
static void hand_over(int apqn, const char *driver)
{
	need_rc(apbus_override(apqn, driver), 0, "%s is to be bound to %s", apqn_name(apqn),
		driver);
	if (*apbus_driver(apqn))
		need_rc(apbus_unbind(apqn), 0, "its driver lets it go");
	need_rc(apbus_write("drivers_probe", apqn_name(apqn)), 0, "the bus looks for the driver");
	need_str(apbus_driver(apqn), driver, "%s has it", driver);
}

static void one_queue(void)
{
	struct mdev *mdev;

	everything_is_the_hosts();
	mdev = mdev_create();
	mdev_set(mdev, "assign_adapter", CARD_5);
	expect_rc(mdev_write(mdev, "assign_domain", "4"), -EADDRNOTAVAIL, "the masks keep it");
	need_rc(apbus_override(QUEUE, "vfio_ap"), 0, "05.0004 is meant for vfio_ap");
	expect_rc(mdev_write(mdev, "assign_domain", "4"), -EADDRNOTAVAIL,
		  "the host's driver still has it");
	need_rc(apbus_unbind(QUEUE), 0, "the host's driver lets it go");
	expect_rc(mdev_write(mdev, "assign_domain", "4"), -EADDRNOTAVAIL,
		  "nobody has it, so the masks decide");
	need_rc(apbus_write("drivers_probe", "05.0004"), 0, "the bus looks for the driver");
	expect_str(apbus_driver(QUEUE), "vfio_ap", "which is vfio_ap");
	expect_rc(mdev_write(mdev, "assign_domain", "4"), 0, "now it can be assigned");
	expect(mdev_becomes(mdev, "guest_matrix", "05.0004\n"), "it can be passed");
	expect_str(apbus_driver(SECOND), HOST, "its neighbour is the host's");
}

static void into_a_guest(void)
{
	struct scene scene;

	everything_is_the_hosts();
	hand_over(QUEUE, "vfio_ap");
	scene = scene_quiet(VFIO_BY_CDEV, CARD_5, DOMAIN_4);
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_OK, "the guest has 05.0004");
	expect_rc(mdev_write(scene.mdev, "assign_domain", "0x11"), -EADDRNOTAVAIL,
		  "05.0011 was not handed over");
	expect_rc(mdev_write(scene.mdev, "assign_adapter", "1"), -EADDRNOTAVAIL,
		  "nor was 01.0004");
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_OK, "the guest has noticed nothing");
	hand_over(SECOND, "vfio_ap");
	expect_rc(mdev_write(scene.mdev, "assign_domain", "0x11"), 0, "05.0011 was handed over");
	expect(clock_wait_for(guest_tapq(scene.vm, SECOND).rc == AP_OK, BOUND_EVENTUALLY_MS),
	       "the guest has 05.0011");
}

static void back_to_the_host(void)
{
	struct scene scene;
	struct mdev *other;
	apemu_time since;

	everything_is_the_hosts();
	hand_over(QUEUE, "vfio_ap");
	scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, 3), AP_OK, "the interrupt is on");
	need_rc(apbus_override(QUEUE, HOST), 0, "05.0004 is meant for the host");
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_OK, "a name alone moves nothing");
	since = apemu_now();
	need_rc(apbus_unbind(QUEUE), 0, "vfio_ap has to let it go");
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_NOT_AVAILABLE, "the guest has lost it");
	expect_at_least(apemu_count(since, APEMU_HOST, "zapq", QUEUE), 1, "it was zeroized");
	expect(!apemu_irq(QUEUE).on, "R-3: its interrupt is off");
	need_rc(apbus_write("drivers_probe", "05.0004"), 0, "the bus looks for the driver");
	expect_str(apbus_driver(QUEUE), HOST, "which is the host's");
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_NOT_AVAILABLE, "and not the guest");
	expect_str(mdev_read(scene.mdev, "matrix"), "05.0004\n", "it is assigned as before");
	expect_str(mdev_read(scene.mdev, "withheld"), "05 05.0004 unbound\n", "and not passed");
	hand_over(THIRD, "vfio_ap");
	expect_rc(mdev_write(scene.mdev, "assign_domain", "0x47"), 0,
		  "R-27: that does not keep 05.0047 from being assigned");
	other = mdev_create();
	mdev_set(other, "assign_adapter", CARD_5);
	expect_rc(mdev_write(other, "assign_domain", "4"), -EADDRNOTAVAIL,
		  "who asks now learns that it is the host's");
	hand_over(QUEUE, "vfio_ap");
	expect(clock_wait_for(guest_tapq(scene.vm, QUEUE).rc == AP_OK, BOUND_EVENTUALLY_MS),
	       "handed over again, the guest has it back");
	expect_guest_rc(guest_tapq(scene.vm, THIRD), AP_OK, "and 05.0047 with it");
	expect(!guest_tapq(scene.vm, QUEUE).ir, "R-9: with its interrupt off");
}

static void masks_or_names(void)
{
	struct mdev *mdev;

	everything_is_the_hosts();
	hand_over(QUEUE, "vfio_ap");
	mdev = mdev_create();
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	expect_rc(apbus_write("apmask", "-1"), -EINVAL, "with a name given, masks stay");
	need_rc(apbus_override(QUEUE, ""), 0, "the name is taken back");
	expect_str(apbus_driver(QUEUE), "vfio_ap", "which moves nothing yet");
	expect(mdev_becomes(mdev, "guest_matrix", "05.0004\n"), "also not for a guest");
	expect_rc(apbus_write("apmask", "-1"), 0, "now masks can be changed");
	/* The bus revises all bindings now, and the mask says that 05.0004 is the host's. */
	expect(clock_wait_for(!strcmp(apbus_driver(QUEUE), HOST), BOUND_EVENTUALLY_MS),
	       "05.0004 goes to whom the masks name");
	expect(mdev_becomes(mdev, "guest_matrix", ".0004\n"), "and cannot be passed any more");
}

static const struct ktap_case cases[] = {
	{ "C-5: a queue is the host's until vfio_ap has it", one_queue },
	{ "C-5: queues handed over one by one get into a guest", into_a_guest },
	{ "R-3: a queue is handed back to the host while a guest has it", back_to_the_host },
	{ "C-5: a name that is taken back leaves the queue to the masks", masks_or_names },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
