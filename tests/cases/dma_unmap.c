// SPDX-License-Identifier: GPL-2.0-only
/* dma_unmap - memory with an indicator in it is taken from the device */

#include "story.h"

#define QUEUE	APQN(CARD_5, DOMAIN_4)
#define SECOND	APQN(CARD_5, DOMAIN_47)

enum {
	ISC = 3,
	CHUNK_OF_NIB = GUEST_NIB / VM_CHUNK,
	CHUNK_FAR = GUEST_NIB_FAR / VM_CHUNK,
	CHUNK_UNUSED = 3,
};

static struct scene with_interrupt(enum vfio_path path)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);

	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
		      "the guest enables 05.0004");
	apemu_do("log clear");
	return scene;
}

static void turns_off(enum vfio_path path)
{
	struct scene scene = with_interrupt(path);
	long pins = world_pins();

	expect_rc(vfio_unmap(scene.vfio, CHUNK_OF_NIB), 0,
		  "the VMM takes the memory with the indicator");
	expect_int(world_pins(), pins - 1, "the page is released when the unmap returns");
	expect(clock_wait_for(!apemu_irq(QUEUE).on, BOUND_EVENTUALLY_MS), "the interrupt goes off");
	expect_int(apemu_count(0, APEMU_HOST, NULL, SECOND), 0,
		   "R-25: 05.0047, which has no indicator, is left alone");
	expect_rc(vfio_map(scene.vfio, CHUNK_OF_NIB), 0, "the VMM gives the memory back");
	expect(clock_wait_for(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC).rc == AP_OK,
			      BOUND_EVENTUALLY_MS),
	       "the guest can enable again");
}

static void turns_off_by_group(void)
{
	turns_off(VFIO_BY_GROUP);
}

static void turns_off_by_cdev(void)
{
	turns_off(VFIO_BY_CDEV);
}

static void only_in_range(enum vfio_path path)
{
	struct scene scene = with_interrupt(path);

	need_guest_rc(guest_aqic_on(scene.vm, SECOND, GUEST_NIB_FAR, ISC), AP_OK,
		      "the guest enables 05.0047, far away");
	apemu_do("log clear");
	expect_rc(vfio_unmap(scene.vfio, CHUNK_FAR), 0, "the VMM takes the memory far away");
	expect(clock_wait_for(!apemu_irq(SECOND).on, BOUND_EVENTUALLY_MS), "05.0047 goes off");
	expect_int(apemu_count(0, APEMU_HOST, NULL, QUEUE), 0, "R-25: no instruction for 05.0004");
	expect(apemu_irq(QUEUE).on, "05.0004 stays on");
	apemu_do("interrupt 05.0004");
	expect(clock_wait_for(guest_byte(scene.vm, GUEST_NIB), BOUND_EVENTUALLY_MS),
	       "and still works");
}

static void only_in_range_by_group(void)
{
	only_in_range(VFIO_BY_GROUP);
}

static void only_in_range_by_cdev(void)
{
	only_in_range(VFIO_BY_CDEV);
}

static void elsewhere(enum vfio_path path)
{
	struct scene scene = with_interrupt(path);
	long pins = world_pins();

	expect_rc(vfio_unmap(scene.vfio, CHUNK_UNUSED), 0,
		  "the VMM takes memory without indicators");
	expect_int(apemu_count(0, APEMU_HOST, NULL, APQN_ANY), 0,
		   "R-25: the hardware sees nothing of it");
	expect_int(world_pins(), pins, "no page is released");
	expect(apemu_irq(QUEUE).on, "05.0004 stays on");
}

static void elsewhere_by_group(void)
{
	elsewhere(VFIO_BY_GROUP);
}

static void elsewhere_by_cdev(void)
{
	elsewhere(VFIO_BY_CDEV);
}

/* Whoever keeps an adapter busy must not keep the memory of the guest. */
static void busy_adapter(enum vfio_path path)
{
	struct scene scene = with_interrupt(path);
	long begun = clock_ms();

	apemu_do("irqdelay 05.0004 polls=1000000");
	expect_rc(vfio_unmap(scene.vfio, CHUNK_OF_NIB), 0,
		  "the VMM takes the memory of a queue that does not go off");
	expect_at_most(clock_ms() - begun, BOUND_UNBOTHERED_MS,
		       "R-10: milliseconds that the unmap takes");
	apemu_do("irqdelay 05.0004 polls=0");
}

static void busy_by_group(void)
{
	busy_adapter(VFIO_BY_GROUP);
}

static void busy_by_cdev(void)
{
	busy_adapter(VFIO_BY_CDEV);
}

static void detached(void)
{
	struct scene scene = with_interrupt(VFIO_BY_CDEV);
	long pins = world_pins() - 1;

	expect_rc(vfio_detach(scene.vfio), 0, "the device leaves its address space");
	expect_int(world_pins(), pins, "R-2: the page is released when that returns");
	expect(clock_wait_for(!apemu_irq(QUEUE).on, BOUND_EVENTUALLY_MS), "the interrupt goes off");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_BAD_NIB,
			"C-12: without memory there is nothing to pin");
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_OK, "the guest keeps its queue");
	expect_rc(vfio_attach(scene.vfio), 0, "the device joins its address space again");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
			"C-12: the guest can enable again");
	expect_int(world_pins(), pins + 1, "R-2: one page is pinned");
	apemu_do("interrupt 05.0004");
	expect(clock_wait_for(guest_byte(scene.vm, GUEST_NIB), BOUND_EVENTUALLY_MS), "and it works");
}

static const struct ktap_case cases[] = {
	{ "C-11: unmapping the indicator turns the interrupt off (group)",
	  turns_off_by_group },
	{ "C-11: unmapping the indicator turns the interrupt off (cdev)", turns_off_by_cdev },
	{ "R-25: unmapping touches only queues with an indicator in the range (group)",
	  only_in_range_by_group },
	{ "R-25: unmapping touches only queues with an indicator in the range (cdev)",
	  only_in_range_by_cdev },
	{ "R-25: unmapping elsewhere issues no instruction (group)", elsewhere_by_group },
	{ "R-25: unmapping elsewhere issues no instruction (cdev)", elsewhere_by_cdev },
	{ "R-10: unmapping does not wait for the adapter (group)", busy_by_group },
	{ "R-10: unmapping does not wait for the adapter (cdev)", busy_by_cdev },
	{ "R-2, C-11: the device leaves its address space with an interrupt on (cdev)",
	  detached },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
