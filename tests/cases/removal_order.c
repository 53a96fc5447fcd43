// SPDX-License-Identifier: GPL-2.0-only
/*
 * removal_order - the ways in which a queue with its interrupt on leaves its guest, in any order
 *
 * Each letter of an order is one of them:
 *	b  the queue is unbound		a  the adapter is unassigned
 *	c  the device is closed		m  the mdev is removed, by somebody who may have to wait
 */

#include "dice.h"
#include "module.h"
#include "story.h"

#define QUEUE	APQN(CARD_5, DOMAIN_4)

enum { ISC = 3 };

static struct scene scene;
static struct mdev_job *removal;

static void step(char what)
{
	long rc;

	switch (what) {
	case 'b':
		expect_rc(apbus_unbind(QUEUE), 0, "the queue can be unbound");
		break;
	case 'a':
		rc = mdev_write(scene.mdev, "unassign_adapter", "5");
		/* The attributes of an mdev that is being removed are gone, or go. */
		expect(!rc || (removal && (rc == -ENOENT || rc == -ENODEV)),
		       "the adapter can be unassigned (%s)", errno_name(rc));
		break;
	case 'c':
		vfio_close(scene.vfio);
		scene.vfio = NULL;
		break;
	case 'm':
		removal = mdev_begin(scene.mdev, "remove", "1");
		/* It is on its way when the guest has lost its queues. */
		if (scene.vfio)
			expect(clock_wait_for(guest_tapq(scene.vm, QUEUE).rc == AP_NOT_AVAILABLE,
					      BOUND_EVENTUALLY_MS),
			       "R-8: the guest has lost the queue");
		break;
	}
}

/* What is left of the queue: nothing that knows the mdev, the guest or its memory */
static void leaves_nothing(long pins, const char *order)
{
	struct scene next;

	expect(clock_wait_for(!apemu_irq(QUEUE).on, BOUND_EVENTUALLY_MS),
	       "R-3: order %s: the interrupt is off", order);
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: order %s: the page is released", order);
	expect_str(apbus_status(QUEUE), "unassigned\n", "R-1: order %s: the queue is nobody's",
		   order);
	next = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	expect_guest_rc(guest_aqic_on(next.vm, QUEUE, GUEST_NIB2, ISC), AP_OK,
			"R-9: order %s: the next guest enables", order);
	expect(clock_wait_for(guest_tapq(next.vm, QUEUE).ir, BOUND_EVENTUALLY_MS),
	       "order %s: and sees it enabled", order);
	apemu_do("interrupt 05.0004");
	expect(clock_wait_for(guest_byte(next.vm, GUEST_NIB2), BOUND_EVENTUALLY_MS),
	       "order %s: the next guest gets its interrupt", order);
	expect(!scene.vm || !guest_byte(scene.vm, GUEST_NIB),
	       "R-1: order %s: the one before does not", order);
	vfio_close(next.vfio);
	vm_destroy(next.vm);
	expect_rc(mdev_remove(next.mdev), 0, "order %s: the next device can be removed", order);
}

static void begin(enum vfio_path path)
{
	scene = scene_quiet(path, CARD_5, DOMAIN_4);
	removal = NULL;
	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
		      "the guest enables");
}

static void in_order(const char *order, enum vfio_path path)
{
	long pins = world_pins();
	const char *what;

	begin(path);
	for (what = order; *what; what++)
		step(*what);
	expect_rc(mdev_end(removal, NULL), 0, "order %s: the device is removed", order);
	expect(!mdev_exists(scene.mdev), "order %s: and gone", order);
	if (!strcmp(apbus_driver(QUEUE), ""))
		need_rc(apbus_bind(QUEUE, "vfio_ap"), 0, "order %s: the queue can be bound",
			order);
	leaves_nothing(pins, order);
	vm_destroy(scene.vm);
}

/* All orders of what is not fixed yet, or every so many of them */
static unsigned int found, every;

static void orders(char *order, unsigned int fixed, enum vfio_path path)
{
	unsigned int i;
	char swap;

	if (!order[fixed]) {
		if (found++ % every)
			return;
		in_order(order, path);
		if (ktap_case_failed()) {
			ktap_diag("that was order %s", order);
			ktap_give_up();
		}
		return;
	}
	for (i = fixed; order[i]; i++) {
		swap = order[fixed];
		order[fixed] = order[i];
		order[i] = swap;
		orders(order, fixed + 1, path);
		swap = order[fixed];
		order[fixed] = order[i];
		order[i] = swap;
	}
}

static void by_group(void)
{
	char order[] = "bacm";

	apemu_need();
	found = 0;
	every = 1;
	orders(order, 0, VFIO_BY_GROUP);
}

/* Resets that last longer than it takes to do the next thing; other orders with another seed */
static void by_cdev_slowly(void)
{
	char order[] = "bacm";

	apemu_need();
	apemu_do("reset any ns=3000000");
	apemu_do("irqdelay any polls=3");
	found = dice_seed();
	every = 3;
	orders(order, 0, VFIO_BY_CDEV);
}

/* The module goes last, with what is left of the rest in any state. */
static void module_after(const char *order)
{
	long pins = world_pins();
	const char *what;

	begin(VFIO_BY_GROUP);
	expect_rc(module_unload(), -EAGAIN, "C-13: a module in use stays");
	for (what = order; *what; what++)
		step(*what);
	expect_rc(module_unload(), 0, "after %s, the module can be unloaded", order);
	expect(!mdev_exists(scene.mdev), "C-13: devices are removed with it");
	expect(!apemu_irq(QUEUE).on, "R-3: after %s, the interrupt is off", order);
	expect_int(world_pins(), pins, "R-2: after %s, the page is released", order);
	vm_destroy(scene.vm);
	expect(clock_wait_for(!vm_left_over(), BOUND_EVENTUALLY_MS),
	       "R-2: after %s, nobody keeps the VM", order);
	need_rc(module_load(), 0, "the module can be loaded again");
	world_bind_all();
	clock_sleep_ms(BOUND_RETRIED_MS);
}

static void module_last(void)
{
	static const char * const rest[] = { "c", "bc", "cb", "ac", "ca", "abc", "cba" };
	unsigned int i;

	apemu_need();
	for (i = 0; i < ARRAY_SIZE(rest); i++) {
		apemu_do("reset any ns=%u", i % 2 * 20000000);
		module_after(rest[i]);
	}
}

static const struct ktap_case cases[] = {
	{ "R-1, R-2: unbind, unassign, close and remove in every order (group)", by_group },
	{ "R-1, R-2: unbind, unassign, close and remove in many orders, slow resets (cdev)",
	  by_cdev_slowly },
	{ "R-1, R-2, R-28: the module goes after some of them", module_last },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
