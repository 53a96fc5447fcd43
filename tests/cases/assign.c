// SPDX-License-Identifier: GPL-2.0-only
/* assign - what may be assigned, and what a refusal leaves behind */

#include "story.h"

static void idempotent(void)
{
	struct mdev *mdev = mdev_create();
	char *before;

	mdev_assign(mdev, CARD_5, DOMAIN_4);
	mdev_set(mdev, "assign_control_domain", DOMAIN_4);
	mdev_becomes(mdev, "guest_matrix", "05.0004\n");
	before = mdev_sight(mdev);
	mdev_set(mdev, "assign_adapter", CARD_5);
	mdev_set(mdev, "assign_domain", DOMAIN_4);
	mdev_set(mdev, "assign_control_domain", DOMAIN_4);
	expect_str(mdev_sight(mdev), before, "assigning what is assigned changes nothing");
	mdev_set(mdev, "unassign_adapter", CARD_1);
	mdev_set(mdev, "unassign_domain", DOMAIN_47);
	mdev_set(mdev, "unassign_control_domain", DOMAIN_47);
	expect_str(mdev_sight(mdev), before, "unassigning what is not assigned changes nothing");
}

static void idempotent_for_guest(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	mdev_set(scene.mdev, "assign_adapter", CARD_5);
	mdev_set(scene.mdev, "unassign_adapter", CARD_1);
	expect_int(apemu_count(0, APEMU_HOST, NULL, APQN(CARD_5, DOMAIN_4)), 0,
		   "the hardware sees nothing of an assignment that changes nothing");
}

static void in_use(void)
{
	struct mdev *first = mdev_create(), *second = mdev_create();
	char *before;

	mdev_assign(first, CARD_5, DOMAIN_4);
	mdev_set(second, "assign_adapter", CARD_5);
	before = mdev_sight(second);
	expect_rc(mdev_write(second, "assign_domain", "4"), -EADDRINUSE,
		  "a queue belongs to one device (by domain)");
	expect_str(mdev_sight(second), before, "the refused domain is not there");
	mdev_set(second, "unassign_adapter", CARD_5);
	mdev_set(second, "assign_domain", DOMAIN_4);
	expect_rc(mdev_write(second, "assign_adapter", "5"), -EADDRINUSE,
		  "a queue belongs to one device (by adapter)");
	expect_str(mdev_read(second, "matrix"), ".0004\n", "the refused adapter is not there");
	expect_str(mdev_read(first, "matrix"), "05.0004\n", "the owner keeps what it has");
	mdev_set(second, "assign_adapter", CARD_1);
	expect_str(mdev_read(second, "matrix"), "01.0004\n",
		   "the same domain on another adapter is free");
}

static void control_domains_are_shared(void)
{
	struct mdev *first = mdev_create(), *second = mdev_create();

	mdev_set(first, "assign_control_domain", DOMAIN_4);
	mdev_set(second, "assign_control_domain", DOMAIN_4);
	expect_str(mdev_read(second, "control_domains"), "0004\n",
		   "control domains are never checked for sharing");
}

static void host_keeps_its_queues(void)
{
	struct mdev *mdev = mdev_create();

	apemu_need();
	need_rc(apbus_write("apmask", "+5"), 0, "the administrator gives adapter 5 to the host");
	mdev_set(mdev, "assign_adapter", CARD_5);
	expect_rc(mdev_write(mdev, "assign_domain", "4"), -EADDRNOTAVAIL,
		  "a queue of the host cannot be assigned");
	expect_str(mdev_read(mdev, "matrix"), "05.\n", "the refused domain is not there");
	mdev_set(mdev, "unassign_adapter", CARD_5);
	mdev_assign(mdev, CARD_1, DOMAIN_4);
	expect_rc(mdev_write(mdev, "assign_adapter", "5"), -EADDRNOTAVAIL, "nor by adapter");
	expect_str(mdev_read(mdev, "matrix"), "01.0004\n", "the refused adapter is not there");
	mdev_set(mdev, "unassign_adapter", CARD_1);
}

static void host_first_then_others(void)
{
	struct mdev *first = mdev_create(), *second = mdev_create();

	mdev_assign(first, CARD_1, DOMAIN_4);
	mdev_set(second, "assign_adapter", CARD_1);
	mdev_set(second, "assign_adapter", CARD_5);
	need_rc(apbus_write("apmask", "+5"), 0, "the administrator gives adapter 5 to the host");
	expect_rc(mdev_write(second, "assign_domain", "4"), -EADDRNOTAVAIL,
		  "reserved for the host is reported before assigned to another");
}

static void half_a_matrix_never_conflicts(void)
{
	struct mdev *first = mdev_create(), *second = mdev_create();

	mdev_assign(first, CARD_5, DOMAIN_4);
	expect_rc(mdev_write(second, "assign_adapter", "5"), 0,
		  "an adapter without domains is in nobody's way");
	mdev_set(second, "unassign_adapter", CARD_5);
	expect_rc(mdev_write(second, "assign_domain", "4"), 0,
		  "a domain without adapters is in nobody's way");
}

static void unrelated_ids_are_not_blocked(void)
{
	struct mdev *mdev = mdev_create(), *other = mdev_create();

	mdev_assign(mdev, CARD_1, DOMAIN_4);
	need_rc(apbus_write("apmask", "+5"), 0, "the administrator gives adapter 5 to the host");
	expect_rc(mdev_write(mdev, "assign_adapter", "2"), 0,
		  "adapter 2 has nothing to do with adapter 5");
	mdev_assign(other, CARD_3, DOMAIN_47);
	expect_rc(mdev_write(mdev, "assign_domain", "17"), 0,
		  "a domain that only touches free queues");
	expect_rc(mdev_write(mdev, "assign_adapter", "3"), 0,
		  "adapter 3 with domains that nobody has on it");
	expect_rc(mdev_write(mdev, "assign_domain", "0x47"), -EADDRINUSE,
		  "a domain that touches a queue of another");
	expect_str(mdev_read(mdev, "matrix"),
		   "01.0004\n01.0011\n02.0004\n02.0011\n03.0004\n03.0011\n", "all free ids are in");
}

static void above_the_maximum(void)
{
	struct mdev *mdev;

	apemu_need();
	apemu_do("qci na=31 nd=84");
	apbus_scan();
	mdev = mdev_create();
	expect_rc(mdev_write(mdev, "assign_adapter", "31"), 0, "Na is an adapter");
	expect_rc(mdev_write(mdev, "assign_adapter", "32"), -ENODEV, "Na + 1 is none");
	expect_rc(mdev_write(mdev, "unassign_adapter", "32"), -ENODEV,
		  "Na + 1 is none when taking away, too");
	expect_rc(mdev_write(mdev, "unassign_adapter", "31"), 0,
		  "Na is an adapter when taking away, too");
	expect_rc(mdev_write(mdev, "assign_domain", "84"), 0, "Nd is a domain");
	expect_rc(mdev_write(mdev, "assign_domain", "85"), -ENODEV, "Nd + 1 is none");
	expect_rc(mdev_write(mdev, "assign_control_domain", "85"), -ENODEV,
		  "Nd + 1 is no control domain");
	expect_str(mdev_read(mdev, "matrix"), ".0054\n", "only what exists is assigned");
}

static void more_than_there_is(void)
{
	struct mdev *mdev = mdev_create();

	expect_rc(mdev_write(mdev, "assign_adapter", "0xc8"), 0, "an adapter need not exist");
	expect_rc(mdev_write(mdev, "assign_domain", "0xc9"), 0, "a domain need not exist");
	expect_str(mdev_read(mdev, "matrix"), "c8.00c9\n", "what does not exist can be assigned");
	expect_str(mdev_read(mdev, "guest_matrix"), "", "but is not passed");
}

static void right_after_the_write(void)
{
	struct mdev *mdev = mdev_create();

	mdev_assign(mdev, CARD_5, DOMAIN_4);
	expect_str(mdev_read(mdev, "guest_matrix"), "05.0004\n",
		   "a script reads what it wrote (C-8)");
	mdev_set(mdev, "assign_domain", DOMAIN_47);
	expect_str(mdev_read(mdev, "guest_matrix"), "05.0004\n05.0047\n",
		   "also after one more domain");
	mdev_set(mdev, "unassign_domain", DOMAIN_4);
	expect_str(mdev_read(mdev, "guest_matrix"), "05.0047\n", "also after one domain less");
	mdev_set(mdev, "unassign_domain", DOMAIN_47);
	mdev_set(mdev, "assign_domain", DOMAIN_47);
	expect_str(mdev_read(mdev, "guest_matrix"), "05.0047\n",
		   "also after taking away and giving back");
}

static const struct ktap_case cases[] = {
	{ "C-5: assigning twice and unassigning nothing succeed", idempotent },
	{ "R-22: an assignment that changes nothing does nothing to the guest",
	  idempotent_for_guest },
	{ "C-5: a queue of another device is EADDRINUSE", in_use },
	{ "C-5: control domains may be shared", control_domains_are_shared },
	{ "C-5: a queue of the host is EADDRNOTAVAIL", host_keeps_its_queues },
	{ "C-5: EADDRNOTAVAIL comes before EADDRINUSE", host_first_then_others },
	{ "C-5: half a matrix never conflicts", half_a_matrix_never_conflicts },
	{ "R-27: only the ids being added decide", unrelated_ids_are_not_blocked },
	{ "C-5: above the maximum is ENODEV", above_the_maximum },
	{ "C-5: what does not exist may be assigned", more_than_there_is },
	{ "C-8: guest_matrix is right when the write returns", right_after_the_write },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
