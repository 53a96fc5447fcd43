// SPDX-License-Identifier: GPL-2.0-only
/* ap_config - all three masks in one write: everything or nothing */

#include "story.h"

/* Masks as people would write them: bit 0 is the left-most. */
#define ADAPTER_1	"0x4"
#define ADAPTER_5	"0x04"
#define ADAPTERS_1_5	"0x44"
#define DOMAIN_4_ONLY	"0x08"
#define DOMAINS_4_47	"0x080000000000000001"

static struct mdev *with_ap_config(void)
{
	struct mdev *mdev = mdev_create();

	if (!file_exists(mdev_path(mdev, "ap_config")))
		ktap_skip("the driver has no ap_config");
	return mdev;
}

static void sets_everything(void)
{
	struct mdev *mdev = with_ap_config();
	char *read;

	need_rc(mdev_write(mdev, "ap_config",
			   ADAPTERS_1_5 "," DOMAINS_4_47 ",0x00000000200000000\n"), 0,
			   "three masks");
	expect_str(mdev_read(mdev, "matrix"), "01.0004\n01.0047\n05.0004\n05.0047\n",
		   "the matrix is theirs");
	expect_str(mdev_read(mdev, "control_domains"), "0022\n", "the control domains, too");
	expect_str(mdev_read(mdev, "guest_matrix"), "01.0004\n01.0047\n05.0004\n05.0047\n",
		   "right when the write returns");
	read = mdev_read(mdev, "ap_config");
	need_rc(mdev_write(mdev, "ap_config", read), 0, "what was read can be written");
	expect_str(mdev_read(mdev, "ap_config"), read, "and means the same");
	need_rc(mdev_write(mdev, "ap_config", ",,"), 0, "three empty masks");
	expect_str(mdev_read(mdev, "matrix"), "", "clear everything");
	expect_str(mdev_read(mdev, "control_domains"), "", "really everything");
}

static void spellings(void)
{
	static const char * const same[] = {
		"0x04,0x08,0x0", "04,08,0", "x04,x08,x0", "0x04,0x08,", "0x04\n0x08\n0x0\n",
		"0x040,0x0800,0x000\n",
		"0x04,0x08,0x0,junk", "0x04,0x08,0x0\n\n",
		"0x0400000000000000000000000000000000000000000000000000000000000000,"
		"0x0800000000000000000000000000000000000000000000000000000000000000,"
		"0x0000000000000000000000000000000000000000000000000000000000000000\n",
	};
	struct mdev *mdev = with_ap_config();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(same); i++) {
		expect_rc(mdev_write(mdev, "ap_config", same[i]), 0, "'%s' is accepted", same[i]);
		expect_str(mdev_read(mdev, "matrix"), "05.0004\n", "'%s' means adapter 5, domain 4",
			   same[i]);
		mdev_write(mdev, "ap_config", ",,");
	}
}

static void refusals(void)
{
	struct mdev *other = with_ap_config(), *mdev = mdev_create();
	char *before;

	mdev_assign(other, CARD_1, DOMAIN_4);
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	mdev_set(mdev, "assign_control_domain", CONTROL_22);
	before = mdev_sight(mdev);
	expect_rc(mdev_write(mdev, "ap_config", ADAPTERS_1_5 "," DOMAINS_4_47 ",0x0"), -EADDRINUSE,
		  "a queue of another device");
	expect_str(mdev_sight(mdev), before, "R-21: nothing changed");
	need_rc(apbus_write("apmask", "+2"), 0, "the administrator gives adapter 2 to the host");
	expect_rc(mdev_write(mdev, "ap_config", "0x24," DOMAIN_4_ONLY ",0x0"), -EADDRNOTAVAIL,
		  "a queue of the host");
	expect_str(mdev_sight(mdev), before, "R-21: nothing changed");
}

static void above_the_maximum(void)
{
	struct mdev *mdev;
	char *before;

	apemu_need();
	apemu_do("qci na=31 nd=84");
	apbus_scan();
	mdev = with_ap_config();
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	before = mdev_sight(mdev);
	expect_rc(mdev_write(mdev, "ap_config", "0x0400000080," DOMAIN_4_ONLY ",0x0"), -ENODEV,
		  "adapter 32 of 0 to 31");
	expect_rc(mdev_write(mdev, "ap_config", ADAPTER_5 ",0x0800000000000000000004,0x0"), -ENODEV,
		  "domain 85 of 0 to 84");
	expect_rc(mdev_write(mdev, "ap_config",
			     ADAPTER_5 "," DOMAIN_4_ONLY ",0x0000000000000000000004"), -ENODEV,
		  "control domain 85 of 0 to 84");
	expect_str(mdev_sight(mdev), before, "R-21: nothing changed");
}

static void one_change_for_the_guest(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	int event = vfio_event_new();

	if (!file_exists(mdev_path(scene.mdev, "ap_config")))
		ktap_skip("the driver has no ap_config");
	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, event), 0, "the VMM wants to know of changes");
	vfio_events(event);
	need_rc(mdev_write(scene.mdev, "ap_config",
			   ADAPTER_1 "," DOMAINS_4_47 ",0x00000000200000000"), 0,
		"5 goes, 1, 0x47 and a control domain come");
	expect_int(vfio_events(event), 1, "R-21: one write, one event");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_NOT_AVAILABLE,
			"adapter 5 is gone");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_1, DOMAIN_47)), AP_OK, "adapter 1 is there");
	expect_at_least(apemu_count(0, APEMU_HOST, "zapq", APQN(CARD_5, DOMAIN_4)), 1,
			"what went was zeroized");
	need_rc(mdev_write(scene.mdev, "ap_config", mdev_read(scene.mdev, "ap_config")), 0,
		"the same again");
	expect_int(vfio_events(event), 0, "R-22: nothing new, no event");
	close(event);
}

static void refused_unnoticed(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct mdev *other = mdev_create();
	int event = vfio_event_new();

	if (!file_exists(mdev_path(other, "ap_config")))
		ktap_skip("the driver has no ap_config");
	mdev_assign(other, CARD_1, DOMAIN_4);
	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, event), 0, "the VMM wants to know of changes");
	vfio_events(event);
	apemu_do("log clear");
	expect_rc(mdev_write(scene.mdev, "ap_config", ADAPTER_1 "," DOMAIN_4_ONLY ",0x0"),
		  -EADDRINUSE, "refused");
	expect_int(vfio_events(event), 0, "R-21: no event");
	expect_int(apemu_count(0, APEMU_HOST, "zapq", APQN_ANY), 0, "R-21: no reset");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_OK,
			"R-21: the guest keeps its queue");
	close(event);
}

static void assign_all(struct mdev *mdev)
{
	int id;

	for (id = 0; id < 256; id++)
		mdev_set(mdev, "assign_adapter", id);
	for (id = 0; id < 256; id++) {
		mdev_set(mdev, "assign_domain", id);
		mdev_set(mdev, "assign_control_domain", id);
	}
}

static void repeated(void)
{
	struct mdev *mdev = with_ap_config();
	struct scene scene;
	char *before;
	long begun;
	int event;

	apemu_need();
	assign_all(mdev);
	scene = (struct scene){ .mdev = mdev, .vm = vm_create() };
	scene.vfio = vfio_open(VFIO_BY_GROUP, mdev, scene.vm);
	need_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_OK, "the guest has queues");
	event = vfio_event_new();
	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, event), 0, "the VMM wants to know of changes");
	vfio_events(event);
	before = mdev_sight(mdev);
	/* The bus asks the queues as well when it scans. */
	need_rc(apbus_write("config_time", "120"), 0, "the next scan is two minutes off");
	apemu_do("log clear");
	assign_all(mdev);
	need_rc(mdev_write(mdev, "ap_config", mdev_read(mdev, "ap_config")), 0,
		"ap_config takes its own text");
	need_rc(mdev_write(mdev, "ap_config", mdev_read(mdev, "ap_config")), 0, "twice");
	clock_sleep_ms(BOUND_NEVER_MS);
	expect_int(apemu_count(0, APEMU_HOST, "tapq", APQN_ANY) +
		   apemu_count(0, APEMU_HOST, "zapq", APQN_ANY) +
		   apemu_count(0, APEMU_HOST, "aqic", APQN_ANY), 0,
		   "R-30: what changes nothing costs no PQAP");
	need_rc(apbus_write("config_time", "30"), 0, "scans are as often as before");
	expect_int(vfio_events(event), 0, "R-22: and is no event");
	expect_str(mdev_sight(mdev), before, "and is not seen");
	vfio_close(scene.vfio);
	begun = clock_ms();
	expect_rc(mdev_remove(mdev), 0, "a device with everything can be removed");
	expect_at_most(clock_ms() - begun, BOUND_LET_GO_MS, "R-30: removing it takes (ms)");
	close(event);
}

static const struct ktap_case cases[] = {
	{ "C-6: three masks are set, read back, cleared", sets_everything },
	{ "C-6: all spellings of a mask", spellings },
	{ "C-6, R-21: refused, nothing changed", refusals },
	{ "C-6, R-21: ids above the maximum are ENODEV", above_the_maximum },
	{ "R-21, R-22: one write is one change for the guest", one_change_for_the_guest },
	{ "R-21: a refused write is not noticed by anybody", refused_unnoticed },
	{ "R-22, R-30: everything is assigned twice, and is its own ap_config", repeated },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
