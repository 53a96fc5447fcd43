// SPDX-License-Identifier: GPL-2.0-only
/* aqic_refused - AQIC that must not work, and leaves nothing pinned */

#include "story.h"

#define QUEUE APQN(CARD_5, DOMAIN_4)
enum { ISC = 3 };

static void refused(struct scene *scene, int apqn, uint64_t nib, unsigned int rc, const char *why)
{
	long pins = world_pins();
	struct guest_saw saw;

	saw = guest_aqic_on(scene->vm, apqn, nib, ISC);
	expect_guest_rc(saw, rc, "%s", why);
	expect_int(saw.cc, 3, "%s: condition code", why);
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: %s: nothing stays pinned", why);
}

static void bad_indicators(enum vfio_path path)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);

	refused(&scene, QUEUE, 0, AP_BAD_NIB, "an indicator at address 0");
	refused(&scene, QUEUE, VM_MEMORY, AP_BAD_NIB, "an indicator right behind memory");
	refused(&scene, QUEUE, 1UL << 40, AP_BAD_NIB, "an indicator far behind memory");
	refused(&scene, QUEUE, ~0UL, AP_BAD_NIB, "an indicator at the end of all addresses");
	expect_int(apemu_count(0, APEMU_HOST, "aqic", APQN_ANY), 0,
		   "the hardware saw none of these");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
			"a good one still works");
}

static void bad_indicators_by_group(void)
{
	bad_indicators(VFIO_BY_GROUP);
}

static void bad_indicators_by_cdev(void)
{
	bad_indicators(VFIO_BY_CDEV);
}

static void not_mapped(enum vfio_path path)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);

	need_rc(vfio_unmap(scene.vfio, 2), 0, "the VMM takes chunk 2 from the device");
	refused(&scene, QUEUE, GUEST_NIB_FAR, AP_BAD_NIB,
		"an indicator in memory that is not the device's");
	need_rc(vfio_map(scene.vfio, 2), 0, "the VMM gives it back");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB_FAR, ISC), AP_OK, "now it works");
}

static void not_mapped_by_group(void)
{
	not_mapped(VFIO_BY_GROUP);
}

static void not_mapped_by_cdev(void)
{
	not_mapped(VFIO_BY_CDEV);
}

static void not_in_the_guest(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	refused(&scene, APQN(CARD_5, DOMAIN_47), GUEST_NIB, AP_NOT_AVAILABLE,
		"a queue that is not assigned");
	refused(&scene, APQN(0x77, 0x77), GUEST_NIB, AP_NOT_AVAILABLE,
		"a queue that does not exist");
	expect_int(apemu_count(0, APEMU_HOST, "aqic", APQN_ANY), 0,
		   "the hardware saw none of these");
}

static void assigned_but_withheld(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	/*
	 * 05.0047 is in the matrix and bound; 05.0011 is assigned, too, but not bound:
	 * adapter 5 leaves the guest.
	 */
	need_rc(apbus_unbind(APQN(CARD_5, DOMAIN_11)), 0, "the administrator unbinds 05.0011");
	mdev_set(scene.mdev, "assign_domain", DOMAIN_11);
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_NOT_AVAILABLE,
			"the adapter is withheld from the guest");
	apemu_do("log clear");
	refused(&scene, QUEUE, GUEST_NIB, AP_NOT_AVAILABLE,
		"a queue assigned and bound, but withheld");
	expect_int(apemu_count(0, APEMU_HOST, "aqic", APQN_ANY), 0,
		   "R-3: the hardware saw none of it");
	need_rc(apbus_bind(APQN(CARD_5, DOMAIN_11), "vfio_ap"), 0,
		"the administrator binds 05.0011");
	expect(mdev_becomes(scene.mdev, "guest_matrix", "05.0004\n05.0011\n"),
	       "the adapter comes back");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
			"and AQIC is honoured again");
}

static void twice(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	long pins = world_pins();

	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
			"the first enable works");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB2, ISC), AP_IRQ_ALREADY,
			"the second is answered 07");
	expect(clock_wait_for(world_pins() == pins + 1, BOUND_EVENTUALLY_MS),
	       "R-2: only the first page stays pinned");
	apemu_do("interrupt 05.0004");
	expect(clock_wait_for(guest_byte(scene.vm, GUEST_NIB), BOUND_EVENTUALLY_MS),
	       "the first set-up is in force");
	expect_int(guest_byte(scene.vm, GUEST_NIB2), 0, "the second is not");
	expect_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_OK, "disabling works");
	expect_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_IRQ_ALREADY,
			"disabling again is answered 07");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: nothing stays pinned");
	/*
	 * A subclass unregistered once too often makes KVM warn when the VM goes; a good one
	 * still counts right.
	 */
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB2, ISC), AP_OK,
			"enabling after all that works");
}

static void without_device(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	vfio_close(scene.vfio);
	apemu_do("log clear");
	refused(&scene, QUEUE, GUEST_NIB, AP_NOT_AVAILABLE, "a guest whose device was closed");
	expect_int(apemu_count(0, APEMU_HOST, "aqic", APQN_ANY), 0, "the hardware saw nothing");
}

/* Whatever the hardware answers to an enable, nothing is leaked and the kernel stays quiet. */
static void hardware_says_no(void)
{
	static const unsigned int codes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x08, 0x0a, 0x42,
					      0xff };
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	long pins = world_pins();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		apemu_do("answer aqic 05.0004 rc=%x", codes[i]);
		expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), codes[i],
				"the guest sees response %02x", codes[i]);
		expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
		       "R-2: response %02x leaves nothing pinned", codes[i]);
		apemu_do("answer clear");
	}
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
			"after all that, enabling works");
}

static void hardware_says_no_to_disable(void)
{
	static const unsigned int codes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x07, 0x42 };
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	long pins = world_pins();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
				"enabling works (before %02x)", codes[i]);
		apemu_do("answer aqic 05.0004 rc=%x", codes[i]);
		guest_aqic_off(scene.vm, QUEUE);
		apemu_do("answer clear");
		expect_guest_rc(guest_zapq(scene.vm, QUEUE), AP_OK, "the guest resets its queue");
		guest_aqic_off(scene.vm, QUEUE);
		expect(clock_wait_for(world_pins() == pins, BOUND_RETRY_MS),
		       "R-2: disable answered %02x leaves nothing pinned", codes[i]);
	}
}

static const struct ktap_case cases[] = {
	{ "C-12: bad indicator addresses are answered 06 (group)", bad_indicators_by_group },
	{ "C-12: bad indicator addresses are answered 06 (cdev)", bad_indicators_by_cdev },
	{ "C-12: an indicator that cannot be pinned is answered 06 (group)",
	  not_mapped_by_group },
	{ "C-12: an indicator that cannot be pinned is answered 06 (cdev)",
	  not_mapped_by_cdev },
	{ "C-12: AQIC for a queue that is not the guest's is answered 01", not_in_the_guest },
	{ "R-3: AQIC for an assigned queue that is withheld is answered 01",
	  assigned_but_withheld },
	{ "C-12: enabling twice is answered 07, the first set-up stays", twice },
	{ "C-12: AQIC after close is answered 01", without_device },
	{ "R-2, R-6: an enable that the hardware refuses leaks nothing", hardware_says_no },
	{ "R-2, R-6: a disable that the hardware refuses leaks nothing",
	  hardware_says_no_to_disable },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
