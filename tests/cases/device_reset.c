// SPDX-License-Identifier: GPL-2.0-only
/* device_reset - VFIO_DEVICE_RESET: every linked queue, verified, EIO if that fails */

#include <limits.h>
#include "story.h"

#define QUEUE	APQN(CARD_5, DOMAIN_4)
#define SECOND	APQN(CARD_5, DOMAIN_47)

static struct scene two_queues(enum vfio_path path)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);

	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	need_guest_rc(guest_tapq(scene.vm, SECOND), AP_OK, "the guest has two queues");
	apemu_do("log clear");
	return scene;
}

static void resets_all(enum vfio_path path)
{
	struct scene scene = two_queues(path);

	need_guest_rc(guest_nqap(scene.vm, QUEUE, 1, GUEST_BUFFER, 32), AP_OK,
		      "a request is in the queue");
	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, 3), AP_OK, "the interrupt is on");
	expect_rc(vfio_reset(scene.vfio), 0, "the reset succeeds");
	expect_at_least(apemu_count(0, APEMU_HOST, "zapq", QUEUE), 1, "05.0004 is zeroized");
	expect_at_least(apemu_count(0, APEMU_HOST, "zapq", SECOND), 1, "05.0047 is zeroized");
	expect_int(apemu_count(0, APEMU_HOST, "zapq", APQN(CARD_1, DOMAIN_4)), 0,
		   "01.0004 is not ours");
	expect(guest_tapq(scene.vm, QUEUE).empty, "the queue is empty");
	expect(!guest_tapq(scene.vm, QUEUE).ir, "the interrupt is off");
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_OK,
			"the guest still has its queue when the reset returns");
}

static void resets_all_by_group(void)
{
	resets_all(VFIO_BY_GROUP);
}

static void resets_all_by_cdev(void)
{
	resets_all(VFIO_BY_CDEV);
}

static void waits_for_verification(void)
{
	struct scene scene = two_queues(VFIO_BY_GROUP);
	long begun = clock_ms();

	apemu_do("reset 05.0047 ns=300000000");
	expect_rc(vfio_reset(scene.vfio), 0, "a reset that takes 300 ms succeeds");
	expect_at_least(clock_ms() - begun, 300, "R-4: and is waited for (ms)");
	expect_guest_rc(guest_tapq(scene.vm, SECOND), AP_OK,
			"the queue answers 00 when the reset returns");
}

static void zeroize_refused(void)
{
	struct scene scene = two_queues(VFIO_BY_GROUP);
	long begun = clock_ms();

	apemu_do("answer zapq 05.0047 rc=42 times=0");
	expect_rc(vfio_reset(scene.vfio), -EIO, "a ZAPQ that is refused for ever is EIO");
	expect_at_most(clock_ms() - begun, BOUND_RESET_WAIT_MS + BOUND_RESET_SLACK_MS,
		       "R-11: in time (ms)");
	expect_guest_rc(guest_tapq(scene.vm, SECOND), AP_NOT_AVAILABLE,
			"R-4: the queue has left the guest");
	apemu_do("answer clear");
	expect(clock_wait_for(guest_tapq(scene.vm, SECOND).rc == AP_OK, BOUND_RETRY_MS),
	       "R-4: retried, it is back by itself");
	expect_rc(vfio_reset(scene.vfio), 0, "the next reset succeeds");
}

static void zeroize_refused_once(void)
{
	struct scene scene = two_queues(VFIO_BY_GROUP);

	apemu_do("answer zapq 05.0047 rc=42 times=1");
	expect_rc(vfio_reset(scene.vfio), -EIO, "R-11: a refusal is reported, though a retry makes it good");
	expect(clock_wait_for(guest_tapq(scene.vm, SECOND).rc == AP_OK, BOUND_RETRY_MS),
	       "the guest has its queue (again)");
	expect_at_least(apemu_count_rc(0, APEMU_HOST, "zapq", SECOND, 0), 1,
			"after a ZAPQ that was not refused");
}

static void verification_refused(void)
{
	struct scene scene = two_queues(VFIO_BY_GROUP);
	long begun = clock_ms();

	apemu_do("reset 05.0047 never");
	expect_rc(vfio_reset(scene.vfio), -EIO, "R-11: a reset that never completes is EIO");
	expect_at_most(clock_ms() - begun, BOUND_RESET_WAIT_MS + BOUND_RESET_SLACK_MS,
		       "R-11: after a bounded time (ms)");
	apemu_do("reset 05.0047 polls=0");
}

static void busy_is_retried(void)
{
	static const unsigned int codes[] = { 0x02, 0x05, 0x0a };
	struct scene scene = two_queues(VFIO_BY_GROUP);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		apemu_do("log clear");
		apemu_do("answer zapq 05.0047 rc=%x times=1", codes[i]);
		expect_rc(vfio_reset(scene.vfio), 0, "C-10: response %02x is retried",
			  codes[i]);
		expect_at_least(apemu_count(0, APEMU_HOST, "zapq", SECOND), 2,
				"with a second ZAPQ after %02x", codes[i]);
	}
}

static void not_there_is_no_error(const char *off, const char *on, unsigned int rc)
{
	struct scene scene = two_queues(VFIO_BY_GROUP);

	apemu_do("%s", off);
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), rc, "the guest sees the state of the adapter");
	expect_rc(vfio_reset(scene.vfio), 0, "R-11: an adapter that is off is no error");
	apemu_do("%s", on);
	expect_rc(vfio_reset(scene.vfio), 0, "back on, the reset succeeds");
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_OK, "and the guest has its queue");
}

static void deconfigured(void)
{
	not_there_is_no_error("card 5 standby on", "card 5 standby off", AP_DECONFIGURED);
}

static void checkstopped(void)
{
	not_there_is_no_error("card 5 checkstop on", "card 5 checkstop off", AP_CHECKSTOPPED);
}

static void interrupt_after_reset(void)
{
	struct scene scene = two_queues(VFIO_BY_GROUP);
	long pins = world_pins();

	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, 3), AP_OK, "the interrupt is on");
	expect_rc(vfio_reset(scene.vfio), 0, "the reset succeeds");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: the reset releases the indicator's page");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, 3), AP_OK,
			"R-9: it can be enabled again");
}

static void is_fast(void)
{
	struct scene scene = two_queues(VFIO_BY_GROUP);
	long begun, took, best = LONG_MAX;
	int round;

	/* The best of many, because the machine may be busy; asleep for 20 ms it can never be. */
	for (round = 0; round < 20; round++) {
		begun = clock_ms();
		vfio_reset(scene.vfio);
		took = clock_ms() - begun;
		if (took < best)
			best = took;
	}
	expect_at_most(best, 15, "R-14: milliseconds that a reset of fast hardware takes");
}

static const struct ktap_case cases[] = {
	{ "C-11: VFIO_DEVICE_RESET resets every linked queue (group)", resets_all_by_group },
	{ "C-11: VFIO_DEVICE_RESET resets every linked queue (cdev)", resets_all_by_cdev },
	{ "R-4: VFIO_DEVICE_RESET waits until the reset is verified", waits_for_verification },
	{ "R-11: VFIO_DEVICE_RESET is EIO if ZAPQ is refused", zeroize_refused },
	{ "R-4: a ZAPQ refused once is repeated", zeroize_refused_once },
	{ "R-11: VFIO_DEVICE_RESET is EIO, in time, if it never completes", verification_refused },
	{ "C-10: ZAPQ is repeated after 02, 05 and 0A", busy_is_retried },
	{ "R-11: a deconfigured queue is not an error", deconfigured },
	{ "R-11: a checkstopped queue is not an error", checkstopped },
	{ "R-2, R-9: interrupts after a reset", interrupt_after_reset },
	{ "R-14: a completed reset is noticed early", is_fast },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
