// SPDX-License-Identifier: GPL-2.0-only
/* no_gisa - guests to which KVM offers AQIC without interrupts (kvm.use_gisa=0): they poll */

#include "story.h"

#define QUEUE		APQN(CARD_5, DOMAIN_4)
#define USE_GISA	"/sys/module/kvm/parameters/use_gisa"

enum { ISC = 3 };

static void aqic_is_answered(void)
{
	struct scene scene;
	long pins;

	if (!file_exists(USE_GISA))
		ktap_skip("this KVM cannot do without the GISA");
	need_rc(file_write_text(USE_GISA, "N"), 0, "the administrator switches the GISA off");
	scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	file_write_text(USE_GISA, "Y");
	pins = world_pins();
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_BAD_NIB,
			"R-29: enabling is answered");
	expect_int(world_pins(), pins, "R-2: no page is pinned");
	expect_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_IRQ_ALREADY,
			"R-29: disabling is answered");
	expect_guest_rc(guest_aqic_on(scene.vm, APQN(CARD_5, DOMAIN_11), GUEST_NIB, ISC),
			AP_NOT_AVAILABLE, "R-3: a queue that the guest does not have");
	vfio_close(scene.vfio);
	vm_destroy(scene.vm);
	scene = scene_quiet(VFIO_BY_GROUP, CARD_3, DOMAIN_4);
	expect_guest_rc(guest_aqic_on(scene.vm, APQN(CARD_3, DOMAIN_4), GUEST_NIB, ISC), AP_OK,
			"the next VM has interrupts");
}

static const struct ktap_case cases[] = {
	{ "R-29: AQIC without a GISA has an answer", aqic_is_answered },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
