// SPDX-License-Identifier: GPL-2.0-only
/*
 * filter - what is passed follows from what is assigned, what the host has and what is
 * bound; and why the rest is not
 */

#include "story.h"

static void unbound_queue(void)
{
	struct mdev *mdev = mdev_create();

	need_rc(apbus_unbind(APQN(CARD_5, DOMAIN_47)), 0, "05.0047 is unbound");
	mdev_assign(mdev, CARD_1, DOMAIN_4);
	mdev_set(mdev, "assign_adapter", CARD_5);
	expect_str(mdev_read(mdev, "guest_matrix"), "01.0004\n05.0004\n",
		   "05.0047 is not assigned, so nothing is missing");
	mdev_set(mdev, "assign_domain", DOMAIN_47);
	expect_str(mdev_read(mdev, "guest_matrix"), "01.0004\n01.0047\n",
		   "a hole takes the whole adapter away");
	expect_str(mdev_read(mdev, "withheld"), "05 05.0047 unbound\n",
		   "R-24: withheld says which queue and why");
	need_rc(apbus_bind(APQN(CARD_5, DOMAIN_47), "vfio_ap"), 0, "05.0047 is bound");
	expect(mdev_becomes(mdev, "guest_matrix", "01.0004\n01.0047\n05.0004\n05.0047\n"),
	       "without the hole it is back");
	expect_str(mdev_read(mdev, "withheld"), "", "R-24: nothing is withheld any more");
}

static void unassign_heals(void)
{
	struct mdev *mdev = mdev_create();

	need_rc(apbus_unbind(APQN(CARD_5, DOMAIN_47)), 0, "05.0047 is unbound");
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	mdev_set(mdev, "assign_domain", DOMAIN_47);
	expect_str(mdev_read(mdev, "guest_matrix"), ".0004\n.0047\n",
		   "no adapter left: the form with domains only");
	mdev_set(mdev, "unassign_domain", DOMAIN_47);
	expect_str(mdev_read(mdev, "guest_matrix"), "05.0004\n",
		   "R-20: taking the hole away brings the adapter back");
}

static void absent_queue(void)
{
	struct mdev *mdev = mdev_create();

	apemu_need();
	apemu_do("queue 05.0047 absent on");
	apbus_scan();
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	mdev_set(mdev, "assign_domain", DOMAIN_47);
	mdev_set(mdev, "assign_adapter", CARD_1);
	expect_str(mdev_read(mdev, "guest_matrix"), "01.0004\n01.0047\n",
		   "a queue that does not exist takes its adapter away");
	expect(strstr(mdev_read(mdev, "withheld"), "05 05.0047 "), "R-24: withheld names it ('%s')",
	       mdev_read(mdev, "withheld"));
}

static void not_in_the_host(void)
{
	struct mdev *mdev = mdev_create();
	char *withheld;

	mdev_assign(mdev, CARD_5, DOMAIN_4);
	mdev_set(mdev, "assign_adapter", 0x66);
	mdev_set(mdev, "assign_domain", 0x99);
	mdev_set(mdev, "assign_control_domain", 0x98);
	mdev_set(mdev, "assign_control_domain", CONTROL_22);
	expect_str(mdev_read(mdev, "guest_matrix"), "05.0004\n",
		   "what the host does not have is left out, the rest is passed");
	withheld = mdev_read(mdev, "withheld");
	need(strstr(withheld, "66"), "R-24: adapter 0x66 is listed ('%s')", withheld);
	expect(strstr(withheld, ".0099 not-in-host\n"), "R-24: domain 0x99 is listed ('%s')",
	       withheld);
	expect(strstr(withheld, "0098"), "R-24: control domain 0x98 is listed ('%s')", withheld);
	expect(!strstr(withheld, "0022"), "R-24: control domain 0x22 is passed ('%s')", withheld);
	expect(!strstr(withheld, "05 "), "R-24: adapter 5 is passed ('%s')", withheld);
}

static void other_driver(void)
{
	struct mdev *mdev = mdev_create();

	mdev_assign(mdev, CARD_5, DOMAIN_4);
	need_rc(apbus_unbind(APQN(CARD_5, DOMAIN_4)), 0, "05.0004 leaves vfio_ap");
	expect_str(mdev_read(mdev, "guest_matrix"), ".0004\n",
		   "R-20: guest_matrix knows when unbind returns");
	expect_str(mdev_read(mdev, "withheld"), "05 05.0004 unbound\n", "R-24: and says why");
}

/*
 * The model: an adapter is passed if the host has it and all of its assigned domains that
 * the host has are bound. Whatever the order of steps, the driver must agree with it after
 * every one.
 */
static const int adapters[] = { CARD_1, CARD_2, CARD_5, 0x66 };
static const int domains[] = { DOMAIN_4, DOMAIN_11, DOMAIN_47, 0x99 };
enum { HOST_HAS = 3 };		/* of the lists, the last one is only assigned, never there */

struct model {
	bool adapter[4], domain[4];
	bool unbound[3][3];
};

static bool complete(const struct model *model, unsigned int adapter)
{
	unsigned int i;

	for (i = 0; i < HOST_HAS; i++)
		if (model->domain[i] && model->unbound[adapter][i])
			return false;
	return true;
}

static char *passed(const struct model *model)
{
	char *text = memo("%s", ""), *only = memo("%s", "");
	unsigned int i, j;
	bool any_adapter = false, any_domain = false;

	for (j = 0; j < HOST_HAS; j++) {
		any_domain |= model->domain[j];
		if (model->domain[j])
			only = memo("%s.%04x\n", only, domains[j]);
	}
	for (i = 0; i < HOST_HAS; i++) {
		if (!model->adapter[i] || !complete(model, i))
			continue;
		any_adapter = true;
		if (!any_domain)
			text = memo("%s%02x.\n", text, adapters[i]);
		for (j = 0; j < HOST_HAS; j++)
			if (model->domain[j])
				text = memo("%s%02x.%04x\n", text, adapters[i], domains[j]);
	}
	return any_adapter ? text : only;
}

static void rebind(int apqn, bool bind)
{
	if (bind)
		need_rc(apbus_bind(apqn, "vfio_ap"), 0, "%s can be bound", apqn_name(apqn));
	else
		need_rc(apbus_unbind(apqn), 0, "%s can be unbound", apqn_name(apqn));
}

/* One random change; what was changed as a text. */
static char *step(struct mdev *mdev, struct model *model, unsigned int random)
{
	unsigned int what = random % 3, i = random / 3 % 4, j = random / 12 % 3;
	bool *bit;
	char *done;

	if (what == 0) {
		bit = &model->adapter[i];
		mdev_set(mdev, *bit ? "unassign_adapter" : "assign_adapter", adapters[i]);
		done = memo("adapter %02x", adapters[i]);
	} else if (what == 1) {
		bit = &model->domain[i];
		mdev_set(mdev, *bit ? "unassign_domain" : "assign_domain", domains[i]);
		done = memo("domain %04x", domains[i]);
	} else {
		i %= HOST_HAS;
		bit = &model->unbound[i][j];
		rebind(APQN(adapters[i], domains[j]), *bit);
		done = memo("binding of %s", apqn_name(APQN(adapters[i], domains[j])));
	}
	*bit = !*bit;
	return done;
}

static void walk(struct mdev *mdev, unsigned int seed, unsigned int steps)
{
	struct model model = { 0 };
	unsigned int i;
	char *expected, *what;

	for (i = 0; i < steps; i++) {
		seed = seed * 1103515245 + 12345;
		what = step(mdev, &model, seed >> 8);
		expected = passed(&model);
		mdev_becomes(mdev, "guest_matrix", expected);
		need_str(mdev_read(mdev, "guest_matrix"), expected,
			 "R-20: step %u, changing the %s", i, what);
	}
}

static void any_order_without_guest(void)
{
	walk(mdev_create(), 1, 120);
}

static void any_order_with_guest(void)
{
	struct mdev *mdev = mdev_create();

	vfio_open(VFIO_BY_GROUP, mdev, vm_create());
	walk(mdev, 2026, 120);
}

static void guest_agrees(void)
{
	struct scene scene = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	mdev_set(scene.mdev, "assign_adapter", CARD_1);
	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	need_rc(apbus_unbind(APQN(CARD_5, DOMAIN_47)), 0,
		"05.0047 is unbound from under the guest");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_47)), AP_NOT_AVAILABLE,
			"the queue is gone");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_NOT_AVAILABLE,
			"and its adapter with it");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_1, DOMAIN_47)), AP_OK,
			"the other adapter stays");
	need_rc(apbus_bind(APQN(CARD_5, DOMAIN_47), "vfio_ap"), 0, "05.0047 is bound again");
	expect(clock_wait_for(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_47)).rc == AP_OK,
			      BOUND_EVENTUALLY_MS), "it comes back");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_OK, "with its adapter");
}

/* The hole comes while its domain's neighbour is not assigned, and the neighbour comes back. */
static void hole_beside_a_domain(void)
{
	static const int gone[] = { DOMAIN_4, DOMAIN_11, DOMAIN_47 };
	struct scene scene = scene_with(VFIO_BY_GROUP, CARD_1, DOMAIN_4);
	unsigned int i;

	mdev_set(scene.mdev, "assign_adapter", CARD_5);
	mdev_set(scene.mdev, "assign_domain", DOMAIN_11);
	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	mdev_set(scene.mdev, "unassign_domain", DOMAIN_4);
	need_rc(apbus_unbind(APQN(CARD_5, DOMAIN_11)), 0, "05.0011 is unbound");
	mdev_set(scene.mdev, "assign_domain", DOMAIN_4);
	expect_str(mdev_read(scene.mdev, "guest_matrix"), "01.0004\n01.0011\n01.0047\n",
		   "R-20: the adapter with the hole stays out");
	expect_str(mdev_read(scene.mdev, "withheld"), "05 05.0011 unbound\n",
		   "R-24: withheld names the hole, not the domain that came");
	for (i = 0; i < ARRAY_SIZE(gone); i++) {
		expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, gone[i])), AP_NOT_AVAILABLE,
				"the guest has nothing of adapter 5");
		expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_1, gone[i])), AP_OK,
				"and all of adapter 1");
	}
}

static const struct ktap_case cases[] = {
	{ "C-7, R-24: an unbound queue withholds its adapter", unbound_queue },
	{ "R-20: unassigning evaluates again", unassign_heals },
	{ "C-7: a queue that does not exist withholds its adapter", absent_queue },
	{ "R-24: what the host does not have is listed", not_in_the_host },
	{ "R-20, R-24: a queue that leaves vfio_ap is withheld at once", other_driver },
	{ "C-8: the guest has what guest_matrix says", guest_agrees },
	{ "R-20: guest_matrix depends on the state, not on the order (no guest)",
	  any_order_without_guest },
	{ "R-20: guest_matrix depends on the state, not on the order (guest)",
	  any_order_with_guest },
	{ "R-20, R-24: a domain comes back beside a hole", hole_beside_a_domain },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
