// SPDX-License-Identifier: GPL-2.0-only
/* many_queues - a host with hundreds of queues, all of them for one guest */

#include "story.h"

enum { FIRST_CARD = 32, CARDS = 9, DOMAINS = 60 };	/* 540 queues: more than a page has lines */

static void furnish_host(void)
{
	int id;

	apemu_do("card 1 remove");
	apemu_do("card 2 remove");
	apemu_do("card 3 remove");
	apemu_do("card 5 remove");
	for (id = 0; id < DOMAINS; id++)
		if (id != DOMAIN_4 && id != DOMAIN_11)
			apemu_do("domain %d add", id);
	apemu_do("domain 0x47 remove");
}

/*
 * The AP bus takes its time for new queues, and keeps a CPU busy with it: a few cards at a time,
 * or the kernel's watchdogs bark.
 */
static void bring_cards(struct mdev *mdev)
{
	int card;

	for (card = FIRST_CARD; card < FIRST_CARD + CARDS; card++) {
		apemu_do("card %d add type=cex8 mode=accel", card);
		mdev_set(mdev, "assign_adapter", card);
		if ((card - FIRST_CARD) % 3 == 2)
			apbus_scan();
	}
}

static char *listing(void)
{
	char *text = malloc(CARDS * DOMAINS * 8 + 1), *end = text;
	int card, domain;

	for (card = FIRST_CARD; card < FIRST_CARD + CARDS; card++)
		for (domain = 0; domain < DOMAINS; domain++)
			end += sprintf(end, "%02x.%04x\n", card, domain);
	return text;
}

static void all_for_one_guest(void)
{
	struct mdev *mdev = mdev_create();
	struct vm *vm = vm_create();
	char *expected = listing();
	long begun;
	int id;

	apemu_need();
	furnish_host();
	for (id = 0; id < DOMAINS; id++)
		mdev_set(mdev, "assign_domain", id);
	vfio_open(VFIO_BY_GROUP, mdev, vm);
	begun = clock_ms();
	bring_cards(mdev);
	ktap_diag("bringing %d queues took %ld ms", CARDS * DOMAINS, clock_ms() - begun);
	expect_str(mdev_read(mdev, "matrix"), expected, "R-23: matrix has every line");
	expect(clock_wait_for(!*mdev_read(mdev, "withheld"), BOUND_RETRY_MS),
	       "R-24: nothing is withheld in the end");
	expect_str(mdev_read(mdev, "guest_matrix"), expected, "R-23: guest_matrix has every line");
	expect_guest_rc(guest_tapq(vm, APQN(FIRST_CARD + CARDS - 1, DOMAINS - 1)), AP_OK,
			"the guest has the last of them");

	begun = clock_ms();
	mdev_set(mdev, "unassign_adapter", FIRST_CARD);
	ktap_diag("unassigning %d queues took %ld ms", DOMAINS, clock_ms() - begun);
	expect_str(mdev_read(mdev, "guest_matrix"), expected + DOMAINS * 8, "the first adapter is gone");
	free(expected);
}

static const struct ktap_case cases[] = {
	{ "R-23: a guest with 540 queues", all_for_one_guest },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
