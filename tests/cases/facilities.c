// SPDX-License-Identifier: GPL-2.0-only
/*
 * facilities - machines that lack something; each boot of tests/runs that switches one off
 * runs this
 *
 * Facility 12: QCI. Facility 15: APFT, the T bit of TAPQ. Facility 65: AQIC for guests.
 * APXA: ids above 63 and 15.
 */

#include "story.h"

#define QUEUE		APQN(CARD_5, DOMAIN_4)
#define T_BIT_IN_GR0	0x00800000UL

static void passes_queues(void)
{
	struct scene scene = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	ktap_diag("facilities: 12 %s, 15 %s, 65 %s; apxa %lld",
		  world_has_facility(12) ? "yes" : "no",
		  world_has_facility(15) ? "yes" : "no", world_has_facility(65) ? "yes" : "no",
		  apemu_fact("apxa"));
	expect_str(mdev_read(scene.mdev, "guest_matrix"), "05.0004\n", "the queue would be passed");
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_OK, "the guest has the queue");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_1, DOMAIN_4)), AP_NOT_AVAILABLE,
			"and no other");
	mdev_set(scene.mdev, "assign_adapter", CARD_1);
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_1, DOMAIN_4)), AP_OK, "hot plug works");
	mdev_set(scene.mdev, "unassign_adapter", CARD_5);
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_NOT_AVAILABLE, "hot unplug works");
	vfio_close(scene.vfio);
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_1, DOMAIN_4)), AP_NOT_AVAILABLE,
			"close works");
}

static void no_t_bit(void)
{
	struct scene scene = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	char *log, *line;
	int with_t = 0;

	apemu_need();
	if (world_has_facility(15))
		ktap_skip("the machine has facility 15");
	vfio_reset(scene.vfio);
	log = memo_file("/sys/kernel/debug/apemu/log");
	for (line = strstr(log, "host tapq"); line; line = strstr(line + 1, "host tapq")) {
		char *gr0 = strstr(line, "gr0=");

		with_t += gr0 && (strtoul(gr0 + 4, NULL, 16) & T_BIT_IN_GR0);
	}
	expect_int(with_t, 0, "R-26: TAPQ with the T bit where facility 15 is missing");
}

static void limits(void)
{
	struct mdev *mdev = mdev_create();
	/* Without QCI the host cannot say that it has APXA. */
	bool large = world_has_facility(12) && apemu_fact("apxa") != 0;
	unsigned long long na = large ? apemu_fact("na") : 0, nd = large ? apemu_fact("nd") : 0;
	unsigned int adapters = na ? na : 63, domains = nd ? nd : 15;

	apemu_need();
	expect_rc(mdev_write(mdev, "assign_adapter", memo("%u", adapters)), 0,
		  "R-26: adapter %u is the last", adapters);
	expect_rc(mdev_write(mdev, "assign_adapter", memo("%u", adapters + 1)), -ENODEV,
		  "R-26: adapter %u is not", adapters + 1);
	expect_rc(mdev_write(mdev, "unassign_adapter", memo("%u", adapters)), 0,
		  "R-26: adapter %u can be taken away", adapters);
	expect_rc(mdev_write(mdev, "assign_domain", memo("%u", domains)), 0,
		  "R-26: domain %u is the last", domains);
	expect_rc(mdev_write(mdev, "assign_domain", memo("%u", domains + 1)), -ENODEV,
		  "R-26: domain %u is not", domains + 1);
	expect_rc(mdev_write(mdev, "assign_control_domain", memo("%u", domains)), 0,
		  "R-26: nor for control domains");
	expect_rc(mdev_write(mdev, "assign_control_domain", memo("%u", domains + 1)), -ENODEV,
		  "R-26: nor for control domains");
}

static void interrupts_as_far_as_there_are(void)
{
	struct scene scene = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct guest_saw saw = guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, 3);

	if (world_has_facility(65)) {
		expect_guest_rc(saw, AP_OK, "AQIC works with facility 65");
		return;
	}
	expect_str(guest_end_name(saw.end), "program check",
		   "without facility 65 the guest has no AQIC");
	expect_hex(saw.program_check, 0x06, "it is a specification exception");
	expect_int(apemu_count(0, APEMU_HOST, "aqic", QUEUE), 0, "the driver issues none for it");
}

static void resets_work(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	expect_rc(vfio_reset(scene.vfio), 0, "VFIO_DEVICE_RESET works");
	expect_at_least(apemu_count(0, APEMU_HOST, "zapq", QUEUE), 1, "the queue is zeroized");
	apemu_do("log clear");
	mdev_set(scene.mdev, "unassign_adapter", CARD_5);
	expect_at_least(apemu_count(0, APEMU_HOST, "zapq", QUEUE), 1,
			"unplugged, the queue is zeroized");
}

static void changes_of_na_nd_zero(void)
{
	struct mdev *mdev;

	apemu_need();
	if (!world_has_facility(12) || !apemu_fact("apxa"))
		ktap_skip("the machine has no APXA");
	apemu_do("qci na=0 nd=0");
	apbus_scan();
	mdev = mdev_create();
	expect_rc(mdev_write(mdev, "assign_adapter", "63"), 0, "R-26: Na of 0 with APXA means 63");
	expect_rc(mdev_write(mdev, "assign_adapter", "64"), -ENODEV, "R-26: 64 is not an adapter");
	expect_rc(mdev_write(mdev, "assign_domain", "15"), 0, "R-26: Nd of 0 with APXA means 15");
	expect_rc(mdev_write(mdev, "assign_domain", "16"), -ENODEV, "R-26: 16 is not a domain");
}

static const struct ktap_case cases[] = {
	{ "R-26: queues are passed, plugged and unplugged", passes_queues },
	{ "R-26: no T bit without facility 15", no_t_bit },
	{ "R-26: the largest ids", limits },
	{ "R-26: AQIC with and without facility 65", interrupts_as_far_as_there_are },
	{ "R-26: resets", resets_work },
	{ "R-26: Na and Nd of 0 with APXA", changes_of_na_nd_zero },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
