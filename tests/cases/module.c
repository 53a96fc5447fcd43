// SPDX-License-Identifier: GPL-2.0-only
/* module - loading and unloading; the boot must leave vfio_ap unloaded (lab.vfio_ap=no) */

#include "module.h"
#include "story.h"

static void leaves_nothing(void)
{
	static const char * const paths[] = {
		"/sys/devices/vfio_ap", "/sys/bus/matrix", "/sys/class/mdev_bus/matrix",
		"/sys/bus/ap/drivers/vfio_ap",
		"/sys/bus/mdev/drivers/vfio_ap_mdev", "/sys/kernel/debug/s390dbf/vfio_ap",
		MODULE_DIR,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(paths); i++)
		expect(!file_exists(paths[i]), "R-28: %s is gone", paths[i]);
}

static void need_unloaded(void)
{
	if (file_exists(MODULE_DIR))
		ktap_skip("vfio_ap is loaded already (boot with lab.vfio_ap=no)");
}

static void in_a_loop(void)
{
	int round;

	need_unloaded();
	for (round = 0; round < 15; round++) {
		need_rc(module_load(), 0, "round %d: load", round);
		expect(file_exists(MDEV_TYPE), "round %d: the type is there", round);
		need_rc(module_unload(), 0, "round %d: unload", round);
		leaves_nothing();
	}
	if (apemu_present())
		expect(apemu_fact("irq-on") <= 0, "no interrupt is on");
}

static void says_why(void)
{
	if (module_is_peer())
		return;
	expect_int(kmsg_count("vfio_ap: not loaded: the host has QCI but does not answer it"), 1,
		   "R-28: a line says why");
	expect_int(kmsg_count("vfio_ap: not loaded"), 1, "R-28: one line");
}

/* Of all that a load can fail for, QCI is what the lab can take away. */
static void refused(void)
{
	int round;

	apemu_need();
	need_unloaded();
	if (!world_has_facility(12))
		ktap_skip("there is no QCI that could fail");
	for (round = 0; round < 5; round++) {
		kmsg_mark();
		apemu_do("answer qci any rc=01");
		expect_rc(module_load(), -EOPNOTSUPP, "R-28: a host that does not answer QCI is refused");
		apemu_do("answer clear");
		says_why();
		leaves_nothing();
	}
	need_rc(module_load(), 0, "R-28: once it answers, the driver can be loaded");
	need_rc(module_unload(), 0, "and unloaded");
	leaves_nothing();
}

static void says_so(void)
{
	module_need_ours("kernel log");
	need_unloaded();
	kmsg_mark();
	need_rc(module_load(), 0, "load");
	expect_int(kmsg_count("vfio_ap: loaded, version "), 1, "one line says that it is there");
	need_rc(module_unload(), 0, "unload");
}

static void loaded_twice(void)
{
	need_unloaded();
	need_rc(module_load(), 0, "load");
	expect_rc(module_load(), -EEXIST, "loading again is refused");
	expect(file_exists(MDEV_TYPE), "the first stays");
	need_rc(module_unload(), 0, "unload");
}

static void with_idle_devices(void)
{
	struct mdev *one, *two;

	need_unloaded();
	need_rc(module_load(), 0, "load");
	one = mdev_create();
	two = mdev_create();
	world_bind_all();
	mdev_assign(one, CARD_5, DOMAIN_4);
	mdev_assign(two, CARD_1, DOMAIN_47);
	need_rc(module_unload(), 0, "C-13: unloading removes idle devices");
	expect(!mdev_exists(one) && !mdev_exists(two), "they are gone");
	leaves_nothing();
	mdev_remove_all();
	need_rc(module_load(), 0, "load again");
	one = mdev_create();
	expect_str(mdev_read(one, "matrix"), "", "nothing is remembered");
	need_rc(module_unload(), 0, "unload");
	mdev_remove_all();
}

static void with_an_open_device(void)
{
	struct scene scene;

	need_unloaded();
	need_rc(module_load(), 0, "load");
	world_bind_all();
	scene = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	expect(module_unload() < 0, "C-13: an open device keeps the module");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_OK,
			"the guest keeps its queue");
	vfio_close(scene.vfio);
	vm_destroy(scene.vm);
	expect(clock_wait_for(!module_unload(), BOUND_EVENTUALLY_MS), "closed, the module can go");
	mdev_remove_all();
}

static void while_resetting(void)
{
	long begun;

	apemu_need();
	need_unloaded();
	need_rc(module_load(), 0, "load");
	world_bind_all();
	apemu_do("reset any never");
	apbus_unbind(APQN(CARD_5, DOMAIN_4));
	apbus_bind(APQN(CARD_5, DOMAIN_4), "vfio_ap");
	begun = clock_ms();
	need_rc(module_unload(), 0, "unloading while a reset is under way");
	expect_at_most(clock_ms() - begun, BOUND_RESET_WAIT_MS + BOUND_RESET_SLACK_MS,
		       "does not wait for it for long (ms)");
	apemu_do("reset any polls=0");
	leaves_nothing();
}

/* The bus holds the module while it asks; a refusal must give it back. */
static void after_refused_masks(void)
{
	struct mdev *mdev;
	int round;

	need_unloaded();
	need_rc(module_load(), 0, "load");
	world_bind_all();
	mdev = mdev_create();
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	for (round = 0; round < 3; round++)
		expect_rc(apbus_write("apmask", "+5"), -EBUSY, "C-8: adapter 5 is in use");
	need_rc(mdev_remove(mdev), 0, "the device can be removed");
	expect_rc(module_unload(), 0, "R-28: and the module unloaded");
	leaves_nothing();
	mdev_remove_all();
}

static const struct ktap_case cases[] = {
	{ "R-28: load and unload in a loop leave nothing behind", in_a_loop },
	{ "R-33: loading is one line in the log", says_so },
	{ "R-28: a refused load says why and leaves nothing behind", refused },
	{ "C-13: loading twice is refused", loaded_twice },
	{ "C-13: unloading with idle devices", with_idle_devices },
	{ "C-13: an open device keeps the module loaded", with_an_open_device },
	{ "R-11: unloading while a reset is under way", while_resetting },
	{ "R-28: masks refused three times do not keep the module", after_refused_masks },
};

int main(void)
{
	return ktap_main(cases, ARRAY_SIZE(cases), &world_without_driver);
}
