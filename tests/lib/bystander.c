// SPDX-License-Identifier: GPL-2.0-only
/* bystander - everything that has nothing to do with somebody else's trouble */

#include "bystander.h"
#include "story.h"

void bystander_unbothered(const char *what, long begun)
{
	expect_at_most(clock_ms() - begun, BOUND_UNBOTHERED_MS, "R-10: %s does not wait (ms)",
		       what);
}

void bystander_goes_on(struct scene *scene)
{
	long begun;

	begun = clock_ms();
	mdev_set(scene->mdev, "assign_domain", DOMAIN_11);
	bystander_unbothered("assigning elsewhere", begun);
	expect_guest_rc(guest_tapq(scene->vm, APQN(CARD_1, DOMAIN_11)), AP_OK,
			"the other guest gets its domain");
	begun = clock_ms();
	mdev_set(scene->mdev, "unassign_domain", DOMAIN_11);
	bystander_unbothered("unassigning elsewhere", begun);
	begun = clock_ms();
	mdev_read(scene->mdev, "guest_matrix");
	mdev_read(scene->mdev, "ap_config");
	bystander_unbothered("reading elsewhere", begun);
	begun = clock_ms();
	expect_rc(vfio_reset(scene->vfio), 0, "the other device can be reset");
	bystander_unbothered("resetting elsewhere", begun);
	begun = clock_ms();
	expect_guest_rc(guest_aqic_on(scene->vm, APQN(CARD_1, DOMAIN_47), GUEST_NIB, 3), AP_OK,
			"the other guest enables");
	expect_guest_rc(guest_aqic_off(scene->vm, APQN(CARD_1, DOMAIN_47)), AP_OK,
			"the other guest disables");
	bystander_unbothered("AQIC of another guest", begun);
	begun = clock_ms();
	apbus_scan();
	bystander_unbothered("a scan of the AP bus", begun);
	begun = clock_ms();
	expect_rc(apbus_write("apmask", "0x0"), 0, "the masks of the host can be written");
	bystander_unbothered("a write to apmask", begun);
	begun = clock_ms();
	expect_str(apbus_status(APQN(CARD_1, DOMAIN_47)), "in use\n",
		   "the status of queues can be read");
	bystander_unbothered("reading a queue's status", begun);
	begun = clock_ms();
	expect_rc(mdev_remove(mdev_create()), 0, "devices can be made and removed");
	bystander_unbothered("making and removing a device", begun);
}
