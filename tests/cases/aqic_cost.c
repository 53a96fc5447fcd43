// SPDX-License-Identifier: GPL-2.0-only
/*
 * aqic_cost - what AQIC costs a guest, with our module and with the kernel's own
 *
 * For a boot with lab.vfio_ap=no lab.icount=yes: a nanosecond is an instruction there. KVM, the
 * emulator and this program are the same for both, so the difference is that of the drivers.
 *
 * The first AQIC to enable alone takes some more than with the kernel's own, which does not keep
 * track of who may still use the page: without lockdep 2.6 percent. The one to disable takes less by
 * far more than that, and so does one to enable again.
 */

#include "module.h"
#include "story.h"

#define QUEUE	APQN(CARD_5, DOMAIN_4)

enum { ROUNDS = 40 };

struct cost {
	long on_ns;
	long off_ns;
	long again_ns;
};

static void least(long *ns, long another)
{
	if (!*ns || another < *ns)
		*ns = another;
}

/* The least of many: a tick or a work item in between is nobody's fault. */
static struct cost measure(enum vfio_path path)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);
	struct cost cost = { };
	int round;

	for (round = 0; round < ROUNDS; round++) {
		need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, 3), AP_OK, "enable");
		least(&cost.on_ns, scene.vm->ran_ns);
		need_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_OK, "disable");
		least(&cost.off_ns, scene.vm->ran_ns);
		need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, 3), AP_OK, "enable again");
		least(&cost.again_ns, scene.vm->ran_ns);
		need_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_OK, "disable again");
		least(&cost.off_ns, scene.vm->ran_ns);
		/* What was left to others is done. */
		clock_sleep_ms(50);
	}
	vfio_close(scene.vfio);
	mdev_remove_all();
	return cost;
}

static struct cost cost_with(const char *module, enum vfio_path path)
{
	struct cost cost;

	need_rc(module_load_file(module), 0, "%s can be loaded", module);
	need(clock_wait_for(!strcmp(apbus_driver(QUEUE), "vfio_ap"), BOUND_EVENTUALLY_MS),
	     "the queues are bound to it");
	clock_sleep_ms(100);
	cost = measure(path);
	vm_destroy_all();
	need(clock_wait_for(!module_unload(), BOUND_EVENTUALLY_MS),
	     "it can be unloaded");
	return cost;
}

static void compare(enum vfio_path path)
{
	struct cost ours, peer;

	vfio_need(path);
	if (!file_exists(MODULE_PEER))
		ktap_skip("there is no %s", MODULE_PEER);
	if (file_exists(MODULE_DIR))
		ktap_skip("vfio_ap is loaded already (boot with lab.vfio_ap=no)");
	ours = cost_with(MODULE_FILE, path);
	peer = cost_with(MODULE_PEER, path);
	ktap_diag("enable: ours %ld, in-kernel %ld instructions", ours.on_ns, peer.on_ns);
	ktap_diag("enable at once after disable: ours %ld, in-kernel %ld instructions",
		  ours.again_ns, peer.again_ns);
	ktap_diag("disable: ours %ld, in-kernel %ld instructions", ours.off_ns, peer.off_ns);
	expect_at_most(ours.on_ns + ours.off_ns, peer.on_ns + peer.off_ns,
		       "AQIC to enable and to disable, no more than the kernel's own");
	expect_at_most(ours.again_ns, peer.again_ns,
		       "AQIC to enable again, no more than the kernel's own");
	expect_at_most(ours.off_ns, peer.off_ns, "AQIC to disable, no more than the kernel's own");
}

static void by_group(void)
{
	compare(VFIO_BY_GROUP);
}

static void by_cdev(void)
{
	compare(VFIO_BY_CDEV);
}

static const struct ktap_case cases[] = {
	{ "R-12: AQIC on and off takes no more instructions than with the kernel's own vfio_ap (group)",
	  by_group },
	{ "R-12: AQIC on and off takes no more instructions than with the kernel's own vfio_ap (cdev)",
	  by_cdev },
};

int main(void)
{
	return ktap_main(cases, ARRAY_SIZE(cases), &world_without_driver);
}
