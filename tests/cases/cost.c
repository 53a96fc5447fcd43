// SPDX-License-Identifier: GPL-2.0-only
/*
 * cost - what an operation costs, and whom it concerns: locks, work items, updates, and how
 * its instructions grow with what has nothing to do with it
 *
 * For the boot of that name: 8 adapters with 16 domains, lab.icount=yes, so that a nanosecond is an
 * instruction, and one CPU, because those of all CPUs count.
 */

#include <sched.h>

#include "story.h"

#define LOCK_STAT	"/proc/lock_stat"
#define TRACING		"/sys/kernel/tracing/"
#define WORK_EVENT	TRACING "events/workqueue/workqueue_execute_start/enable"

enum { CARDS = 8, DOMAINS = 16, GUESTS = 6, ROUNDS = 20 };

/*
 * How many ns more an operation may cost with 128 queues than with one. As of now it is less than
 * 10 for an AQIC, 60 for an unbind, and 400 for an evaluation, of 8 adapters instead of one. For a bind
 * it is 30 on 6.12 and 6,000 on 7.3, where it takes that much more to find a place in the driver's
 * directory in sysfs; the driver itself takes no more.
 */
enum { MORE_FOR_AQIC = 200, MORE_FOR_UNBIND = 2000, MORE_FOR_BIND = 15000 };
enum { MORE_FOR_EVALUATION = 2000 };

/* No adapter has that domain: assigned or not, the guest has what it had. */
enum { DOMAIN_OF_NONE = 200 };

/*
 * The queue of the guest, and one that nobody has. The first is in the middle, so that who walks does
 * not find it at once, neither in the order of APQNs, nor in that of binding, nor by hash_32().
 */
#define ONE	APQN(4, 1)
#define OTHER	APQN(1, 1)

static const char * const shared_locks[] = {
	"&matrix_dev->guests_lock", "&matrix_dev->mdevs_lock",
};

static void need_the_boot(void)
{
	apemu_need();
	if (!apbus_has_queue(APQN(CARDS - 1, DOMAINS - 1)))
		ktap_skip("the boot has not 8 adapters with 16 domains");
}

/* Resets of earlier changes are over; what takes a lock from now on is the test itself. */
static void settle(void)
{
	need(clock_wait_for(apemu_fact("resetting") <= 0, BOUND_EVENTUALLY_MS),
	     "the adapters come to rest");
	clock_sleep_ms(BOUND_NEVER_MS);
}

static void count_locks(void)
{
	if (!file_exists(LOCK_STAT))
		ktap_skip("the kernel does not count locks");
	file_write_text(LOCK_STAT, "0");
}

/* lock: contentions and waiting in six columns, bounces, then how often it was taken */
static long taken(const char *lock)
{
	char *line = strstr(memo_file(LOCK_STAT), memo(" %s:", lock));
	double times;

	if (!line || sscanf(line + strlen(lock) + 2,
			    "%*f %*f %*f %*f %*f %*f %*f %lf", &times) != 1)
		return 0;
	return times;
}

static struct scene one_queue(void)
{
	struct scene scene;

	need_the_boot();
	scene = scene_with(VFIO_BY_GROUP, APQN_ADAPTER(ONE), APQN_DOMAIN(ONE));
	need_guest_rc(guest_tapq(scene.vm, ONE), AP_OK, "the guest has its queue");
	settle();
	return scene;
}

static void parses_first(void)
{
	static const struct { const char *file, *input; long rc; } bad[] = {
		{ "assign_adapter", "five", -EINVAL }, { "unassign_adapter", "256", -ENODEV },
		{ "assign_domain", "18446744073709551616", -ERANGE },
		{ "unassign_domain", "", 0 }, { "assign_domain", "0x100", -ENODEV },
		{ "assign_control_domain", "-1", -EINVAL },
		{ "unassign_control_domain", "256", -ENODEV },
		{ "ap_config", "0x8", -EINVAL }, { "ap_config", "text", -EINVAL },
	};
	struct scene scene = one_queue();
	unsigned int i;

	count_locks();
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		expect_rc(mdev_write(scene.mdev, bad[i].file, bad[i].input), bad[i].rc,
			  "'%s' to %s", bad[i].input, bad[i].file);
	for (i = 0; i < ARRAY_SIZE(shared_locks); i++)
		expect_int(taken(shared_locks[i]), 0, "R-13: bad input takes %s (times)",
			   shared_locks[i]);
	mdev_set(scene.mdev, "assign_adapter", 1);
	for (i = 0; i < ARRAY_SIZE(shared_locks); i++)
		expect_at_least(taken(shared_locks[i]), 1, "good input takes %s (times)",
				shared_locks[i]);
}

static void aqic_takes_none(void)
{
	struct scene scene = one_queue();
	unsigned int i;

	count_locks();
	for (i = 0; i < 5; i++) {
		expect_guest_rc(guest_aqic_on(scene.vm, ONE, GUEST_NIB, 3), AP_OK, "enabled");
		expect_guest_rc(guest_aqic_off(scene.vm, ONE), AP_OK, "disabled");
		expect_guest_rc(guest_aqic_on(scene.vm, ONE, 0, 3), AP_BAD_NIB, "no indicator");
		expect_guest_rc(guest_aqic_on(scene.vm, APQN(1, 1), GUEST_NIB, 3),
				AP_NOT_AVAILABLE, "not its queue");
	}
	for (i = 0; i < ARRAY_SIZE(shared_locks); i++)
		expect_int(taken(shared_locks[i]), 0, "R-12: AQICs take %s (times)",
			   shared_locks[i]);
}

/* Different work items of the driver that ran; a line has "work struct <it>: function <name>". */
static unsigned int work_items(void)
{
	char *text = memo_file(TRACING "trace"), *line, *item, *seen[64];
	unsigned int items = 0, i;

	while ((line = strsep(&text, "\n"))) {
		item = strstr(line, "work struct ");
		if (!item || !strstr(line, "function vfio_ap_"))
			continue;
		item = memo("%.*s", (int)strcspn(item, ":"), item);
		for (i = 0; i < items && strcmp(seen[i], item); i++)
			;
		if (i == items && items < ARRAY_SIZE(seen))
			seen[items++] = item;
	}
	return items;
}

static void assign_everything(struct mdev *mdev)
{
	int id;

	for (id = 0; id < CARDS; id++)
		mdev_set(mdev, "assign_adapter", id);
	for (id = 0; id < DOMAINS; id++)
		mdev_set(mdev, "assign_domain", id);
}

static void one_poller(void)
{
	struct scene scene = one_queue();
	unsigned int items;

	if (!file_exists(WORK_EVENT))
		ktap_skip("the kernel cannot trace work items");
	assign_everything(scene.mdev);
	settle();
	apemu_do("reset any ns=200000000");
	file_write_text(TRACING "trace", "0");
	file_write_text(WORK_EVENT, "1");
	expect_rc(vfio_reset(scene.vfio), 0, "128 queues are reset");
	file_write_text(WORK_EVENT, "0");
	items = work_items();
	expect_at_least(items, 1, "a work item watches them");
	expect_at_most(items, 1, "R-31: work items that watch 128 resets");
}

/*
 * Whoever else has something to do waits until it is over: what a work item does on the side would
 * count, and whether it comes to run in between is chance.
 */
static void have_the_cpu(bool alone)
{
	struct sched_param param = { .sched_priority = alone };

	expect_rc(sched_setscheduler(0, alone ? SCHED_FIFO : SCHED_OTHER, &param), 0,
		  "the test runs before others, or not any more");
}

/* Interrupts still get in between: the best of some, after what the last one left to others. */
static long cheapest(long (*operation)(struct scene *scene), struct scene *scene)
{
	long best = 0, took;
	int round;

	have_the_cpu(true);
	for (round = 0; round < ROUNDS; round++) {
		clock_sleep_ms(20);
		took = operation(scene);
		if (!round || took < best)
			best = took;
	}
	have_the_cpu(false);
	return best;
}

static long aqic(struct scene *scene)
{
	long on_ns;

	expect_guest_rc(guest_aqic_on(scene->vm, ONE, GUEST_NIB, 3), AP_OK, "enabled");
	on_ns = scene->vm->ran_ns;
	expect_guest_rc(guest_aqic_off(scene->vm, ONE), AP_OK, "disabled");
	return on_ns + scene->vm->ran_ns;
}

static long unbind(struct scene *scene)
{
	long begun = clock_ns(), took;

	(void)scene;
	expect_rc(apbus_unbind(OTHER), 0, "unbind");
	took = clock_ns() - begun;
	expect_rc(apbus_bind(OTHER, "vfio_ap"), 0, "bind again");
	return took;
}

static long bind_again(struct scene *scene)
{
	long begun;

	(void)scene;
	expect_rc(apbus_unbind(OTHER), 0, "unbind");
	clock_sleep_ms(20);
	begun = clock_ns();
	expect_rc(apbus_bind(OTHER, "vfio_ap"), 0, "bind");
	return clock_ns() - begun;
}

/* Only what takes away: who adds asks the bus, whose answer takes longer for more adapters. */
static long evaluate(struct scene *scene)
{
	long begun;

	expect_rc(mdev_write(scene->mdev, "assign_domain", memo("%d", DOMAIN_OF_NONE)), 0,
		  "assign a domain that no adapter has");
	begun = clock_ns();
	expect_rc(mdev_write(scene->mdev, "unassign_domain", memo("%d", DOMAIN_OF_NONE)), 0,
		  "unassign it");
	return clock_ns() - begun;
}

static void unbind_all_but(int first, int second)
{
	int card, domain;

	for (card = 0; card < CARDS; card++)
		for (domain = 0; domain < DOMAINS; domain++)
			if (APQN(card, domain) != first && APQN(card, domain) != second)
				need_rc(apbus_unbind(APQN(card, domain)), 0, "unbind %s",
					apqn_name(APQN(card, domain)));
}

static void expect_growth(const char *what, long few, long many, long more)
{
	ktap_diag("%s: %ld ns with one queue, %ld ns with 128", what, few, many);
	expect_at_most(many - few, more, "R-30: %s with 128 queues (more ns)", what);
}

static void lookup(void)
{
	struct scene scene = one_queue();
	long aqic_many = cheapest(aqic, &scene);
	long unbind_many = cheapest(unbind, &scene);
	long bind_many = cheapest(bind_again, &scene);

	unbind_all_but(ONE, OTHER);
	settle();
	expect_growth("AQIC on and off", cheapest(aqic, &scene), aqic_many, 2 * MORE_FOR_AQIC);
	expect_growth("unbind", cheapest(unbind, &scene), unbind_many, MORE_FOR_UNBIND);
	expect_growth("bind", cheapest(bind_again, &scene), bind_many, MORE_FOR_BIND);
}

static void evaluation(void)
{
	struct scene scene = one_queue();
	long few = cheapest(evaluate, &scene), many;

	assign_everything(scene.mdev);
	settle();
	many = cheapest(evaluate, &scene);
	expect_growth("an evaluation", few, many, MORE_FOR_EVALUATION);
}

static void only_whom_it_concerns(void)
{
	struct scene scene[GUESTS];
	int event[GUESTS], i, card;

	need_the_boot();
	for (i = 0; i < GUESTS; i++) {
		scene[i] = scene_with(VFIO_BY_GROUP, 0, i);
		event[i] = vfio_event_new();
		need_rc(vfio_arm(scene[i].vfio, AP_IRQ_CFG_CHG, event[i]), 0,
			"guest %d wants to know", i);
		/* The last one has nothing of what goes and comes. */
		for (card = 1; card < CARDS && i < GUESTS - 1; card++)
			mdev_set(scene[i].mdev, "assign_adapter", card);
	}
	settle();
	for (i = 0; i < GUESTS; i++)
		vfio_events(event[i]);
	for (card = 4; card < CARDS; card++)
		apemu_do("card %d config off", card);
	apbus_scan();
	settle();
	for (i = 0; i < GUESTS; i++)
		expect_int(vfio_events(event[i]), i < GUESTS - 1,
			   "R-32: updates of guest %d when 4 adapters with 64 queues go", i);
	for (card = 4; card < CARDS; card++)
		apemu_do("card %d config on", card);
	apbus_scan();
	world_bind_all();
	settle();
	for (i = 0; i < GUESTS; i++) {
		expect_at_most(vfio_events(event[i]), i < GUESTS - 1 ? 2 * 4 : 0,
			       "R-32: updates of guest %d when they come back", i);
		close(event[i]);
	}
}

static const struct ktap_case cases[] = {
	{ "R-13: bad input takes no lock", parses_first },
	{ "R-12: AQIC takes no lock that devices share", aqic_takes_none },
	{ "R-31: one work item watches all resets", one_poller },
	{ "R-30: finding a queue costs the same among 128", lookup },
	{ "R-30: evaluating a guest costs the same with 128 queues", evaluation },
	{ "R-32: a change of the host is one update for each guest that it concerns",
	  only_whom_it_concerns },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
