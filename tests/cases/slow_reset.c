// SPDX-License-Identifier: GPL-2.0-only
/* slow_reset - a reset that takes its time makes its own caller wait, bounded, and nobody else */

#include <sys/wait.h>
#include "bystander.h"
#include "story.h"

#define STUCK APQN(CARD_5, DOMAIN_4)

static void waits_for_slow(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	long took;

	apemu_do("reset 05.0004 ns=400000000");
	expect_rc(mdev_end(mdev_begin(scene.mdev, "unassign_adapter", "5"), &took), 0,
		  "unassigning succeeds");
	expect_at_least(took, 350, "unassigning waits for a reset of 400 ms (ms)");
	expect_at_most(took, BOUND_RESET_WAIT_MS + BOUND_RESET_SLACK_MS,
		       "but not much longer (ms)");
	expect(apemu_fact("resetting") <= 0, "R-4: the reset is complete when the write returns");
}

static void unassign_is_bounded(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	long took;

	apemu_do("reset 05.0004 never");
	expect_rc(mdev_end(mdev_begin(scene.mdev, "unassign_adapter", "5"), &took), 0,
		  "C-5: unassigning never fails because of a reset");
	expect_at_most(took, BOUND_RESET_WAIT_MS + BOUND_RESET_SLACK_MS,
		       "R-11: unassigning is bounded (ms)");
	expect_guest_rc(guest_tapq(scene.vm, STUCK), AP_NOT_AVAILABLE,
			"the guest has lost the queue all the same");
	apemu_do("reset 05.0004 polls=0");
}

static void assign_is_bounded(void)
{
	struct mdev *mdev = mdev_create();
	long took;

	apemu_need();
	mdev_set(mdev, "assign_domain", DOMAIN_4);
	apemu_do("reset 05.0004 never");
	need_rc(apbus_unbind(STUCK), 0, "the administrator unbinds 05.0004");
	need_rc(apbus_bind(STUCK, "vfio_ap"), 0, "and binds it again, which starts a reset");
	expect_rc(mdev_end(mdev_begin(mdev, "assign_adapter", "5"), &took), 0,
		  "assigning succeeds");
	expect_at_most(took, BOUND_RESET_WAIT_MS + BOUND_RESET_SLACK_MS,
		       "R-11: assigning is bounded (ms)");
	expect_str(mdev_read(mdev, "matrix"), "05.0004\n", "the adapter is assigned");
	expect(!strstr(mdev_read(mdev, "guest_matrix"), "05.0004"), "R-4: but not passed");
	apemu_do("reset 05.0004 polls=0");
	expect(clock_wait_for(!strcmp(mdev_read(mdev, "guest_matrix"), "05.0004\n"),
			      BOUND_RETRY_MS),
	       "R-4: it is passed by itself once its reset is verified");
}

static void can_be_killed(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct mdev_job *job;
	long took;

	apemu_do("reset 05.0004 never");
	job = mdev_begin(scene.mdev, "unassign_adapter", "5");
	clock_sleep_ms(200);
	expect(!mdev_done(job), "the writer waits for the reset");
	mdev_kill(job);
	expect_rc(mdev_end(job, &took), -EINTR, "R-11: it can be killed");
	expect_at_most(took, 200 + BOUND_UNBOTHERED_MS, "R-11: and dies at once (ms)");
	expect_str(mdev_read(scene.mdev, "matrix"), ".0004\n", "what it asked for has happened");
	apemu_do("reset 05.0004 polls=0");
}

static void nobody_else_waits(void)
{
	struct scene stuck = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct scene other = scene_with(VFIO_BY_GROUP, CARD_1, DOMAIN_47);
	struct mdev_job *job;

	apemu_do("reset 05.0004 never");
	job = mdev_begin(stuck.mdev, "unassign_adapter", "5");
	need(clock_wait_for(apemu_count(0, APEMU_HOST, "zapq", STUCK), BOUND_EVENTUALLY_MS),
	     "the reset has begun");
	bystander_goes_on(&other);
	expect_rc(mdev_end(job, NULL), 0, "the one who waits comes back");
	apemu_do("reset 05.0004 polls=0");
}

static void same_device_meanwhile(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct mdev_job *job;
	long begun;

	mdev_set(scene.mdev, "assign_adapter", CARD_1);
	apemu_do("reset 05.0004 never");
	apemu_do("log clear");
	job = mdev_begin(scene.mdev, "unassign_adapter", "5");
	need(clock_wait_for(apemu_count(0, APEMU_HOST, "zapq", STUCK), BOUND_EVENTUALLY_MS),
	     "the reset has begun");
	expect(!mdev_done(job), "the writer waits");
	begun = clock_ms();
	expect_str(mdev_read(scene.mdev, "matrix"), "01.0004\n", "the change is visible");
	expect_str(mdev_read(scene.mdev, "guest_matrix"), "01.0004\n", "to everybody");
	bystander_unbothered("reading the same device", begun);
	begun = clock_ms();
	expect_guest_rc(guest_aqic_on(scene.vm, APQN(CARD_1, DOMAIN_4), GUEST_NIB, 3), AP_OK,
			"the guest enables another queue");
	bystander_unbothered("AQIC of the same guest", begun);
	begun = clock_ms();
	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	bystander_unbothered("assigning to the same device", begun);
	expect_rc(mdev_end(job, NULL), 0, "the one who waits comes back");
	apemu_do("reset 05.0004 polls=0");
}

static void close_is_bounded(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	long begun, pins;

	need_guest_rc(guest_aqic_on(scene.vm, STUCK, GUEST_NIB, 3), AP_OK, "the interrupt is on");
	pins = world_pins();
	apemu_do("reset 05.0004 never");
	begun = clock_ms();
	vfio_close(scene.vfio);
	expect_at_most(clock_ms() - begun, BOUND_RESET_WAIT_MS + BOUND_RESET_SLACK_MS,
		       "R-11: closing is bounded (ms)");
	expect_guest_rc(guest_tapq(scene.vm, STUCK), AP_NOT_AVAILABLE,
			"the guest has lost the queue");
	expect_int(world_pins(), pins - 1, "R-2: VFIO has its pin back after the close");
	apemu_do("reset 05.0004 polls=0");
}

static const struct ktap_case cases[] = {
	{ "R-4: unassign waits for a slow reset", waits_for_slow },
	{ "R-11: unassign waits for a stuck reset only so long", unassign_is_bounded },
	{ "R-11, R-4: assign waits for a stuck reset only so long, and does not pass",
	  assign_is_bounded },
	{ "R-11: who waits for a reset can be killed", can_be_killed },
	{ "R-10: a stuck reset bothers no other device, guest, file or scan", nobody_else_waits },
	{ "R-10: a stuck reset does not lock its own device", same_device_meanwhile },
	{ "R-11: close waits for a stuck reset only so long", close_is_bounded },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
