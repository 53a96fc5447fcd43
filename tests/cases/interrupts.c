// SPDX-License-Identifier: GPL-2.0-only
/* interrupts - a guest turns on the interrupt of a queue and takes it */

#include "story.h"

#define QUEUE APQN(CARD_5, DOMAIN_4)
enum { ISC = 3 };

static void enable(enum vfio_path path)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);
	long pins = world_pins();
	struct apemu_irq irq;

	expect(!guest_tapq(scene.vm, QUEUE).ir, "R-9: a queue comes with its interrupt off");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
			"R-9: the first enable is answered 00");
	expect(clock_wait_for(guest_tapq(scene.vm, QUEUE).ir, BOUND_EVENTUALLY_MS),
	       "TAPQ shows the interrupt on");
	irq = apemu_irq(QUEUE);
	expect(irq.on, "the hardware has the interrupt on");
	expect_int(irq.gisc, ISC, "the guest's interruption subclass is what the guest asked for");
	expect(irq.gisa != 0, "interrupts go to the guest's GISA");
	expect_hex(irq.nib & 0xfff, GUEST_NIB & 0xfff,
		   "the indicator is at the same offset of some page");
	expect_int(world_pins(), pins + 1, "one page is pinned");

	expect_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_OK, "disabling is answered 00");
	expect(clock_wait_for(!guest_tapq(scene.vm, QUEUE).ir, BOUND_EVENTUALLY_MS),
	       "TAPQ shows the interrupt off");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: no page stays pinned");
}

static void enable_by_group(void)
{
	enable(VFIO_BY_GROUP);
}

static void enable_by_cdev(void)
{
	enable(VFIO_BY_CDEV);
}

static void taken(enum vfio_path path)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);
	struct guest_saw saw;

	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
		      "enabling is answered 00");
	expect_int(guest_byte(scene.vm, GUEST_NIB), 0, "the indicator is clear");
	need_guest_rc(guest_nqap(scene.vm, QUEUE, 1, GUEST_BUFFER, 32), AP_OK,
		      "the adapter takes a request");
	expect(clock_wait_for(guest_byte(scene.vm, GUEST_NIB), BOUND_EVENTUALLY_MS),
	       "the adapter sets the guest's indicator");
	saw = guest_sleep(scene.vm, ISC, BOUND_EVENTUALLY_MS);
	expect_str(guest_end_name(saw.end), "interrupted", "the guest takes the interruption");
	/* Bit 0 of the interruption word says adapter interruption, bits 2-4 the subclass. */
	expect_hex(saw.interruption, 0x80000000U | ISC << 27, "the interruption says what it is");
	saw = guest_sleep(scene.vm, ISC, BOUND_NEVER_MS);
	expect_str(guest_end_name(saw.end), "asleep", "one event, one interruption");
}

static void taken_by_group(void)
{
	taken(VFIO_BY_GROUP);
}

static void taken_by_cdev(void)
{
	taken(VFIO_BY_CDEV);
}

static void woken(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct guest_saw saw;
	long asleep_at;

	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
		      "enabling is answered 00");
	guest_sleep_begin(scene.vm, ISC, BOUND_EVENTUALLY_MS);
	asleep_at = clock_ms();
	apemu_do("interrupt 05.0004");
	saw = guest_sleep_end(scene.vm);
	expect_str(guest_end_name(saw.end), "interrupted", "an interrupt wakes the sleeping guest");
	expect_at_most(clock_ms() - asleep_at, BOUND_EVENTUALLY_MS / 2,
		       "milliseconds until it woke");
	expect_int(!!guest_byte(scene.vm, GUEST_NIB), 1, "the indicator is set");
}

static void other_subclass(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
		      "enabling is answered 00");
	apemu_do("interrupt 05.0004");
	expect_str(guest_end_name(guest_sleep(scene.vm, ISC + 1, BOUND_NEVER_MS).end), "asleep",
		   "a guest that waits for another subclass is not disturbed");
	expect_str(guest_end_name(guest_sleep(scene.vm, ISC, BOUND_EVENTUALLY_MS).end),
		   "interrupted",
		   "the interruption was kept for it");
}

static void two_queues(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK, "enabling the first");
	need_guest_rc(guest_aqic_on(scene.vm, APQN(CARD_5, DOMAIN_47), GUEST_NIB2, ISC), AP_OK,
		      "enabling the second");
	apemu_do("interrupt 05.0047");
	expect(clock_wait_for(guest_byte(scene.vm, GUEST_NIB2), BOUND_EVENTUALLY_MS),
	       "the second's indicator is set");
	expect_int(guest_byte(scene.vm, GUEST_NIB), 0, "the first's is not");
	expect_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_OK, "disabling the first");
	expect_str(guest_end_name(guest_sleep(scene.vm, ISC, BOUND_EVENTUALLY_MS).end),
		   "interrupted",
		   "the second still interrupts by the subclass that both used");
}

static void same_page_twice(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	long pins = world_pins();

	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK, "enabling the first");
	need_guest_rc(guest_aqic_on(scene.vm, APQN(CARD_5, DOMAIN_47), GUEST_NIB + 1, ISC), AP_OK,
		      "the second, same page");
	expect_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_OK, "disabling the first");
	apemu_do("interrupt 05.0047");
	expect(clock_wait_for(guest_byte(scene.vm, GUEST_NIB + 1), BOUND_EVENTUALLY_MS),
	       "the second's indicator still works");
	expect_guest_rc(guest_aqic_off(scene.vm, APQN(CARD_5, DOMAIN_47)), AP_OK,
			"disabling the second");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: no page stays pinned");
}

static void off_when_unplugged(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	long pins = world_pins();

	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
		      "enabling is answered 00");
	mdev_set(scene.mdev, "unassign_domain", DOMAIN_4);
	expect(!apemu_irq(QUEUE).on, "R-3: a queue that left the guest has its interrupt off");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: and its page is released");
	mdev_set(scene.mdev, "assign_domain", DOMAIN_4);
	expect(!guest_tapq(scene.vm, QUEUE).ir, "R-9: it comes back with its interrupt off");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
			"R-9: and can be enabled with 00");
}

static void off_when_closed(enum vfio_path path)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);
	long pins = world_pins();

	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
		      "enabling is answered 00");
	vfio_close(scene.vfio);
	expect(clock_wait_for(!apemu_irq(QUEUE).on, BOUND_EVENTUALLY_MS),
	       "R-3: closing turns the interrupt off");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: and releases the page");
	/*
	 * KVM warns in destroying a VM with interruption subclasses still registered; the
	 * world listens.
	 */
	vm_destroy(scene.vm);
}

static void off_when_closed_by_group(void)
{
	off_when_closed(VFIO_BY_GROUP);
}

static void off_when_closed_by_cdev(void)
{
	off_when_closed(VFIO_BY_CDEV);
}

static void off_after_guest_reset(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
		      "enabling is answered 00");
	expect_guest_rc(guest_zapq(scene.vm, QUEUE), AP_OK,
			"the guest resets its queue, which turns the interrupt off");
	expect(clock_wait_for(guest_tapq(scene.vm, QUEUE).rc == AP_OK, BOUND_EVENTUALLY_MS),
	       "the reset ends");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB2, ISC), AP_OK,
			"it can be enabled again, elsewhere");
	apemu_do("interrupt 05.0004");
	expect(clock_wait_for(guest_byte(scene.vm, GUEST_NIB2), BOUND_EVENTUALLY_MS),
	       "the new indicator is set");
	expect_int(guest_byte(scene.vm, GUEST_NIB), 0, "the old one is not");
}

static void slow_to_go_off(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	long pins = world_pins(), begun;

	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
		      "enabling is answered 00");
	apemu_do("irqdelay 05.0004 polls=1000000");
	begun = clock_ms();
	expect_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_OK,
			"disabling is answered 00 although IR is still on");
	expect_at_most(clock_ms() - begun, BOUND_UNBOTHERED_MS,
		       "R-12: the CPU of the guest does not wait for IR");
	expect_int(world_pins(), pins + 1,
		   "R-5: the page stays pinned while the adapter may write to it");
	apemu_do("irqdelay 05.0004 polls=0");
	need_guest_rc(guest_zapq(scene.vm, QUEUE), AP_OK, "a reset turns it off for sure");
	expect(clock_wait_for(world_pins() == pins, BOUND_RETRY_MS),
	       "R-2: once off, the page is released");
}

/*
 * The adapter accepts an enable that does not show for three TAPQs, and answers the disable as if
 * nothing were on: it is, a little later.
 */
static struct scene enabled_late(enum vfio_path path)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);

	apemu_do("irqdelay 05.0004 polls=3");
	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB_FAR, ISC), AP_OK,
		      "enabling is answered 00");
	apemu_do("answer aqic 05.0004 rc=07 times=1");
	return scene;
}

static void late_and_unmapped(enum vfio_path path)
{
	struct scene scene = enabled_late(path);
	unsigned int i;

	expect_rc(vfio_unmap(scene.vfio, 2), 0, "the memory is unmapped");
	/* Each look of the driver or of the guest brings the enable nearer. */
	for (i = 0; i < 5; i++) {
		guest_tapq(scene.vm, QUEUE);
		clock_sleep_ms(20);
	}
	apemu_order("interrupt 05.0004");
	expect(clock_wait_for(!apemu_fact("irq-on"), BOUND_EVENTUALLY_MS),
	       "R-5: an interrupt that comes on late is switched off");
	expect_int(apemu_fact("unchecked-stores"), 0,
		   "R-5: the page was not released before the interrupt was known to be off");
	apemu_do("irqdelay 05.0004 polls=0");
}

static void late_and_unmapped_by_group(void)
{
	late_and_unmapped(VFIO_BY_GROUP);
}

static void late_and_unmapped_by_cdev(void)
{
	late_and_unmapped(VFIO_BY_CDEV);
}

static void late_and_disabled(void)
{
	struct scene scene = enabled_late(VFIO_BY_GROUP);
	long pins = world_pins() - 1;

	expect_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_IRQ_ALREADY,
			"the guest is told what the adapter answered");
	expect(clock_wait_for(!apemu_fact("irq-on") && world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-5: an interrupt that comes on late is switched off, and the page released");
	apemu_order("interrupt 05.0004");
	expect_int(apemu_fact("unchecked-stores"), 0, "R-5: no store to a page that was released");
	expect_int(apemu_fact("irq-on"), 0, "R-5: it stays off");
	apemu_do("irqdelay 05.0004 polls=0");
}

/* What hardware answers to a change that is no change */
static void expect_already(struct guest_saw saw, const char *why)
{
	expect_guest_rc(saw, AP_IRQ_ALREADY, "C-12: %s is answered 07", why);
	expect_int(saw.cc, 3, "C-12: with condition code 3");
	expect_hex(saw.gr[1] >> 32, 0, "C-12: in the lower half of the register");
}

static void off_twice(enum vfio_path path)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);
	long pins = world_pins();

	expect_already(guest_aqic_off(scene.vm, QUEUE), "disabling what was never on");
	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK, "the interrupt is on");
	need_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_OK, "the interrupt is off");
	expect_already(guest_aqic_off(scene.vm, QUEUE), "disabling twice");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: no page stays pinned");
}

static void off_twice_by_group(void)
{
	off_twice(VFIO_BY_GROUP);
}

static void off_twice_by_cdev(void)
{
	off_twice(VFIO_BY_CDEV);
}

/* The guest's own RAPQ or ZAPQ has turned the interrupt off, and nobody told the host. */
static void off_by_the_guest(enum vfio_path path, unsigned long function)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);
	long pins = world_pins(), begun;

	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK, "the interrupt is on");
	need_guest_rc(guest_pqap(scene.vm, function << 24 | QUEUE, 0, 0), AP_OK,
		      "the guest resets its queue");
	expect_already(guest_aqic_off(scene.vm, QUEUE), "disabling after a reset");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: the page is released");

	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB_FAR, ISC), AP_OK,
		      "the interrupt is on again, elsewhere");
	need_guest_rc(guest_pqap(scene.vm, function << 24 | QUEUE, 0, 0), AP_OK,
		      "the guest resets its queue again");
	begun = clock_ms();
	expect_rc(vfio_unmap(scene.vfio, GUEST_NIB_FAR / VM_CHUNK), 0,
		  "the VMM takes the memory with the indicator");
	expect_at_most(clock_ms() - begun, BOUND_LET_GO_MS, "R-10: without delay (ms)");
	expect_int(world_pins(), pins, "R-2: the page is released when the unmap returns");
}

static void off_by_rapq_by_group(void)
{
	off_by_the_guest(VFIO_BY_GROUP, 1);
}

static void off_by_rapq_by_cdev(void)
{
	off_by_the_guest(VFIO_BY_CDEV, 1);
}

static void off_by_zapq_by_group(void)
{
	off_by_the_guest(VFIO_BY_GROUP, 2);
}

static void off_by_zapq_by_cdev(void)
{
	off_by_the_guest(VFIO_BY_CDEV, 2);
}

/* A VMM that ends closes its files in any order; KVM still has an interrupt for a CPU. */
static void pending_when_closed(enum vfio_path path)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);
	long begun;

	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK, "the interrupt is on");
	apemu_do("interrupt 05.0004");
	need(clock_wait_for(guest_byte(scene.vm, GUEST_NIB), BOUND_EVENTUALLY_MS),
	     "an interrupt is pending, and no CPU runs that could take it");
	begun = clock_ms();
	vm_destroy(scene.vm);
	scene.vfio->vm = NULL;
	vfio_close(scene.vfio);
	expect_at_most(clock_ms() - begun, BOUND_LET_GO_MS, "R-10: all files are closed soon (ms)");
	expect(clock_wait_for(!vm_left_over(), BOUND_EVENTUALLY_MS), "R-2: the VM is gone");
	expect(!apemu_irq(QUEUE).on, "R-3: the interrupt is off");
}

static void pending_by_group(void)
{
	pending_when_closed(VFIO_BY_GROUP);
}

static void pending_by_cdev(void)
{
	pending_when_closed(VFIO_BY_CDEV);
}

static const struct ktap_case cases[] = {
	{ "C-12: AQIC enables and disables, IR follows (group)", enable_by_group },
	{ "C-12: AQIC enables and disables, IR follows (cdev)", enable_by_cdev },
	{ "C-15: the indicator is set and the interruption taken (group)", taken_by_group },
	{ "C-15: the indicator is set and the interruption taken (cdev)", taken_by_cdev },
	{ "C-15: an interrupt wakes a guest in enabled wait", woken },
	{ "C-12: the subclass is the one that the guest named", other_subclass },
	{ "R-2: two queues with one subclass", two_queues },
	{ "R-2: two indicators in one page", same_page_twice },
	{ "R-3, R-9: off when unplugged, off when it comes back", off_when_unplugged },
	{ "R-2, R-3: off and released when closed (group)", off_when_closed_by_group },
	{ "R-2, R-3: off and released when closed (cdev)", off_when_closed_by_cdev },
	{ "C-12: enabling again after the guest reset its queue", off_after_guest_reset },
	{ "R-5: the page stays pinned until IR is seen off", slow_to_go_off },
	{ "R-5: an enable takes effect after the memory is unmapped (group)",
	  late_and_unmapped_by_group },
	{ "R-5: an enable takes effect after the memory is unmapped (cdev)",
	  late_and_unmapped_by_cdev },
	{ "R-5: an enable takes effect after the disable", late_and_disabled },
	{ "C-12: disabling what is off is answered 07 (group)", off_twice_by_group },
	{ "C-12: disabling what is off is answered 07 (cdev)", off_twice_by_cdev },
	{ "R-2, C-12: the guest's own RAPQ, then disable or unmap (group)",
	  off_by_rapq_by_group },
	{ "R-2, C-12: the guest's own RAPQ, then disable or unmap (cdev)",
	  off_by_rapq_by_cdev },
	{ "R-2, C-12: the guest's own ZAPQ, then disable or unmap (group)",
	  off_by_zapq_by_group },
	{ "R-2, C-12: the guest's own ZAPQ, then disable or unmap (cdev)",
	  off_by_zapq_by_cdev },
	{ "R-2, R-3: the VM is closed first, with an interrupt pending (group)",
	  pending_by_group },
	{ "R-2, R-3: the VM is closed first, with an interrupt pending (cdev)", pending_by_cdev },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
