// SPDX-License-Identifier: GPL-2.0-only
/* events - what the VMM is told: the configuration changed, the device is wanted back */

#include "story.h"

static void config_change(enum vfio_path path)
{
	struct scene scene = scene_with(path, CARD_5, DOMAIN_4);
	int event = vfio_event_new();

	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, event), 0, "the VMM wants to know of changes");
	vfio_events(event);
	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	expect_int(vfio_events(event), 1, "a domain plugged, one event");
	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	expect_int(vfio_events(event), 0, "R-22: assigned already, no event");
	mdev_set(scene.mdev, "assign_adapter", 0xee);
	expect_int(vfio_events(event), 0, "R-22: an adapter that does not exist, no event");
	mdev_set(scene.mdev, "unassign_adapter", 0xee);
	expect_int(vfio_events(event), 0, "R-22: nor when it goes");
	mdev_set(scene.mdev, "assign_control_domain", DOMAIN_4);
	expect_int(vfio_events(event), 1, "a control domain plugged, one event");
	mdev_set(scene.mdev, "unassign_control_domain", DOMAIN_4);
	expect_int(vfio_events(event), 1, "a control domain unplugged, one event");
	mdev_set(scene.mdev, "unassign_adapter", CARD_5);
	expect_int(vfio_events(event), 1, "an adapter unplugged, one event");
	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, -1), 0,
		"the VMM does not want to know any more");
	mdev_set(scene.mdev, "assign_adapter", CARD_5);
	expect_int(vfio_events(event), 0, "disarmed, no event");
	close(event);
}

static void config_change_by_group(void)
{
	config_change(VFIO_BY_GROUP);
}

static void config_change_by_cdev(void)
{
	config_change(VFIO_BY_CDEV);
}

static void replaced(void)
{
	struct scene scene = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	int first = vfio_event_new(), second = vfio_event_new();

	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, first), 0, "a first eventfd");
	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, second), 0, "a second in its place");
	vfio_events(first);
	vfio_events(second);
	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	expect_int(vfio_events(first), 0, "the first is forgotten");
	expect_int(vfio_events(second), 1, "the second is signalled");
	close(first);
	close(second);
}

/* From now on somebody waits for the device to be closed. */
static struct mdev_job *wanted_back(const struct scene *scene, int event)
{
	struct mdev_job *removal;

	need_rc(vfio_arm(scene->vfio, AP_IRQ_REQ, event), 0,
		"the VMM wants to know when to let go");
	removal = mdev_begin(scene->mdev, "remove", "1");
	expect(clock_wait_for(vfio_events(event), BOUND_EVENTUALLY_MS),
	       "removing an open device asks the VMM for it");
	return removal;
}

static void request(enum vfio_path path)
{
	struct scene scene = scene_with(path, CARD_5, DOMAIN_4);
	int event = vfio_event_new();
	struct mdev_job *removal = wanted_back(&scene, event);

	expect(!mdev_done(removal), "the removal waits for the VMM");
	vfio_close(scene.vfio);
	expect_rc(mdev_end(removal, NULL), 0, "after the close the removal ends");
	expect(!mdev_exists(scene.mdev), "the device is gone");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_NOT_AVAILABLE,
			"the guest has lost its queue");
	close(event);
}

static void request_by_group(void)
{
	request(VFIO_BY_GROUP);
}

static void request_by_cdev(void)
{
	request(VFIO_BY_CDEV);
}

static void nothing_after_request(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	int event = vfio_event_new();
	struct mdev_job *removal = wanted_back(&scene, event);

	expect(clock_wait_for(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)).rc == AP_NOT_AVAILABLE,
			      BOUND_EVENTUALLY_MS),
	       "C-11: a device that is wanted back leaves the guest");
	/* Something that would plug: a queue is unbound and bound, the bus scans. */
	apbus_unbind(APQN(CARD_5, DOMAIN_4));
	apbus_bind(APQN(CARD_5, DOMAIN_4), "vfio_ap");
	apbus_scan();
	clock_sleep_ms(BOUND_NEVER_MS);
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_NOT_AVAILABLE,
			"R-8: nothing is plugged again");
	vfio_close(scene.vfio);
	expect_rc(mdev_end(removal, NULL), 0, "after the close the removal ends");
	close(event);
}

static void attached_once(void)
{
	struct scene scene = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct vfio *second = NULL;

	expect_rc(vfio_try(&second, VFIO_BY_GROUP, scene.mdev, vm_create()), -EBUSY,
		  "C-8: a group is opened once");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_OK,
			"the first guest keeps its queue");
}

/* With an eventfd for requests or without, the configuration of the guest changes once. */
static void change_by_removal(enum vfio_path path, bool with_request)
{
	struct scene scene = scene_with(path, CARD_5, DOMAIN_4);
	int request = vfio_event_new(), change = vfio_event_new();
	struct mdev_job *removal;

	if (with_request)
		need_rc(vfio_arm(scene.vfio, AP_IRQ_REQ, request), 0,
			"the VMM wants to know when to let go");
	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, change), 0,
		"the VMM wants to know of changes");
	vfio_events(change);
	removal = mdev_begin(scene.mdev, "remove", "1");
	need(clock_wait_for(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)).rc == AP_NOT_AVAILABLE,
			    BOUND_EVENTUALLY_MS), "the guest loses its queue");
	clock_sleep_ms(BOUND_NEVER_MS);
	expect(!mdev_done(removal), "the removal waits for the VMM");
	vfio_close(scene.vfio);
	expect_rc(mdev_end(removal, NULL), 0, "after the close the removal ends");
	expect_int(vfio_events(change), 1, "R-22: one change of the guest, one event");
	expect_int(vfio_events(request), with_request, "C-11: one request, if it was armed");
	close(request);
	close(change);
}

static void change_by_removal_by_group(void)
{
	change_by_removal(VFIO_BY_GROUP, false);
	change_by_removal(VFIO_BY_GROUP, true);
}

static void change_by_removal_by_cdev(void)
{
	change_by_removal(VFIO_BY_CDEV, false);
	change_by_removal(VFIO_BY_CDEV, true);
}

static void no_change_by_close(enum vfio_path path)
{
	struct scene scene = scene_with(path, CARD_5, DOMAIN_4);
	int event = vfio_event_new();

	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, event), 0, "the VMM wants to know of changes");
	vfio_events(event);
	vfio_close(scene.vfio);
	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	expect_int(vfio_events(event), 0, "R-22: a VMM that closes is told nothing");
	close(event);
}

static void no_change_by_close_by_group(void)
{
	no_change_by_close(VFIO_BY_GROUP);
}

static void no_change_by_close_by_cdev(void)
{
	no_change_by_close(VFIO_BY_CDEV);
}

static const struct ktap_case cases[] = {
	{ "C-8, R-22: one event per change of the guest's configuration (group)",
	  config_change_by_group },
	{ "C-8, R-22: one event per change of the guest's configuration (cdev)",
	  config_change_by_cdev },
	{ "C-11: a new eventfd replaces the old one", replaced },
	{ "C-11: removing an open device requests it from the VMM (group)", request_by_group },
	{ "C-11: removing an open device requests it from the VMM (cdev)", request_by_cdev },
	{ "R-8: nothing is plugged into a device that was requested", nothing_after_request },
	{ "C-14: the second opener of the group gets EBUSY", attached_once },
	{ "R-22, C-11: a removal is one change for the guest (group)",
	  change_by_removal_by_group },
	{ "R-22, C-11: a removal is one change for the guest (cdev)",
	  change_by_removal_by_cdev },
	{ "R-22: closing is no change for anybody (group)", no_change_by_close_by_group },
	{ "R-22: closing is no change for anybody (cdev)", no_change_by_close_by_cdev },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
