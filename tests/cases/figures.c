// SPDX-License-Identifier: GPL-2.0-only
/*
 * figures - what the driver promises in numbers, on a small host
 *
 * For boots with lab.icount=yes: a nanosecond is an instruction there, of whatever CPU.
 */

#include <sys/wait.h>

#include "lockstat.h"
#include "probe.h"
#include "slab.h"
#include "story.h"

#define STUCK	APQN(CARD_5, DOMAIN_4)
#define OTHER	APQN(CARD_1, DOMAIN_47)
#define SPARE	APQN(CARD_3, DOMAIN_11)

enum {
	DELAY_US = 2000,	/* of others, by a queue that is stuck */
	HOLD_US = 5000,		/* of guests_lock and mdevs_lock */
	SLOW_RESET_MS = 500,
	MDEV_BYTES = 16384,
};

/* Everybody who has nothing to do with the queue that is stuck. */
static struct {
	struct scene scene;
	struct vm *second_vm;
	struct mdev *second, *made;
	struct vfio *opened;
} others;

static void others_arrive(void)
{
	others.scene = scene_with(VFIO_BY_GROUP, CARD_1, DOMAIN_47);
	others.second = mdev_create();
	mdev_assign(others.second, CARD_3, DOMAIN_47);
	others.second_vm = vm_create();
}

static void set_other(const char *attribute, int number)
{
	mdev_set(others.scene.mdev, attribute, number);
}

static void assign_domain(void)
{
	set_other("assign_domain", DOMAIN_11);
}

static void unassign_domain(void)
{
	set_other("unassign_domain", DOMAIN_11);
}

static void assign_adapter(void)
{
	set_other("assign_adapter", CARD_2);
}

static void unassign_adapter(void)
{
	set_other("unassign_adapter", CARD_2);
}

static void assign_control_domain(void)
{
	set_other("assign_control_domain", CONTROL_22);
}

static void unassign_control_domain(void)
{
	set_other("unassign_control_domain", CONTROL_22);
}

static void write_ap_config(void)
{
	expect_rc(mdev_write(others.scene.mdev, "ap_config",
			     mdev_read(others.scene.mdev, "ap_config")),
		  0, "ap_config can be written as it was");
}

static void read_matrix(void)
{
	expect_str(mdev_read(others.scene.mdev, "matrix"), "01.0047\n", "matrix can be read");
}

static void read_guest_matrix(void)
{
	expect_str(mdev_read(others.scene.mdev, "guest_matrix"), "01.0047\n",
		   "guest_matrix can be read");
}

static void read_withheld(void)
{
	expect_str(mdev_read(others.scene.mdev, "withheld"), "", "withheld can be read");
}

static void create(void)
{
	others.made = mdev_create();
}

static void remove_made(void)
{
	expect_rc(mdev_remove(others.made), 0, "a device can be removed");
}

static void open_device(void)
{
	others.opened = vfio_open(VFIO_BY_GROUP, others.second, others.second_vm);
}

static void close_device(void)
{
	vfio_close(others.opened);
}

static void reset_device(void)
{
	expect_rc(vfio_reset(others.scene.vfio), 0, "a device can be reset");
}

static void aqic_on(void)
{
	expect_guest_rc(guest_aqic_on(others.scene.vm, OTHER, GUEST_NIB, 3), AP_OK,
			"a guest can enable");
}

static void aqic_off(void)
{
	expect_guest_rc(guest_aqic_off(others.scene.vm, OTHER), AP_OK, "a guest can disable");
}

static void read_status(void)
{
	expect_str(apbus_status(OTHER), "in use\n", "the status of a queue can be read");
}

static void read_stuck_status(void)
{
	expect(*apbus_status(STUCK), "so can that of the queue in question");
}

static void unbind_queue(void)
{
	expect_rc(apbus_unbind(SPARE), 0, "a queue can be unbound");
}

static void bind_queue(void)
{
	expect_rc(apbus_bind(SPARE, "vfio_ap"), 0, "a queue can be bound");
}

static void write_apmask(void)
{
	expect_rc(apbus_write("apmask", "+60"), 0, "apmask can be written");
}

static void rewrite_apmask(void)
{
	expect_rc(apbus_write("apmask", "-60"), 0, "apmask can be written back");
}

/* Each leaves behind what the next one needs, the last one what the first one does. */
static const struct operation {
	const char *name;
	void (*run)(void);
} operations[] = {
	{ "assign_domain", assign_domain },
	{ "unassign_domain", unassign_domain },
	{ "assign_adapter", assign_adapter },
	{ "unassign_adapter", unassign_adapter },
	{ "assign_control_domain", assign_control_domain },
	{ "unassign_control_domain", unassign_control_domain },
	{ "ap_config", write_ap_config },
	{ "reading matrix", read_matrix },
	{ "reading guest_matrix", read_guest_matrix },
	{ "reading withheld", read_withheld },
	{ "create", create },
	{ "remove", remove_made },
	{ "open", open_device },
	{ "close", close_device },
	{ "VFIO_DEVICE_RESET", reset_device },
	{ "AQIC enable", aqic_on },
	{ "AQIC disable", aqic_off },
	{ "status", read_status },
	{ "status of the stuck queue", read_stuck_status },
	{ "unbind", unbind_queue },
	{ "bind", bind_queue },
	{ "apmask", write_apmask },
	{ "apmask back", rewrite_apmask },
	{ "AP bus scan", apbus_scan },
};

enum { ROUNDS = 5, OPERATIONS = ARRAY_SIZE(operations) };

/*
 * What each took in a couple of rounds, in us: the longest but one. While nobody has anything to
 * execute, time goes on to the next timer, also if it is QEMU itself that has something to do. So
 * now and then a round has a gap that nobody in the machine has made.
 */
struct durations {
	long longest[OPERATIONS];
	long us[OPERATIONS];
};

static void one_round(struct durations *durations)
{
	long long begun;
	unsigned int i;
	long us;

	for (i = 0; i < OPERATIONS; i++) {
		begun = clock_ns();
		operations[i].run();
		us = (clock_ns() - begun) / 1000;
		if (us > durations->longest[i]) {
			durations->us[i] = durations->longest[i];
			durations->longest[i] = us;
		} else if (us > durations->us[i]) {
			durations->us[i] = us;
		}
	}
}

/* Nobody is stuck: measured once, in the first case that needs it. */
static const struct durations *undisturbed(void)
{
	static struct durations durations;
	int round;

	if (durations.us[0])
		return &durations;
	/* What is done for the first time in this boot takes longer: not counted. */
	one_round(&(struct durations) { });
	for (round = 0; round < 2 * ROUNDS; round++)
		one_round(&durations);
	return &durations;
}

static void compare(const char *meanwhile, const struct durations *without,
		    const struct durations *with)
{
	unsigned int i;

	for (i = 0; i < OPERATIONS; i++) {
		ktap_diag("%s: %ld us (once %ld), else %ld us (once %ld)", operations[i].name,
			  with->us[i], with->longest[i], without->us[i], without->longest[i]);
		expect_at_most(with->us[i], without->us[i] + DELAY_US,
			       "R-10: %s, %s (us)", operations[i].name, meanwhile);
	}
}

static void get_stuck(void)
{
	apemu_do("reset 05.0004 never");
	apemu_do("log clear");
}

static void need_stuck(void)
{
	need(clock_wait_for(apemu_count(0, APEMU_HOST, "zapq", STUCK), BOUND_EVENTUALLY_MS),
	     "the reset has begun");
}

static void while_unassigning(void)
{
	struct scene stuck = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	const struct durations *without;
	struct durations with = { };
	struct mdev_job *job;
	int round;

	others_arrive();
	without = undisturbed();
	for (round = 0; round < ROUNDS; round++) {
		get_stuck();
		job = mdev_begin(stuck.mdev, "unassign_adapter", "5");
		need_stuck();
		one_round(&with);
		expect(!mdev_done(job), "the writer has waited all the time");
		mdev_kill(job);
		expect_rc(mdev_end(job, NULL), -EINTR, "R-11: it can be killed");
		apemu_do("reset 05.0004 polls=0");
		mdev_set(stuck.mdev, "assign_adapter", CARD_5);
	}
	compare("while a writer waits for a queue that is stuck", without, &with);
}

/* A process of its own, as the administrators' jobs are; it tells by its exit status. */
static pid_t reset_begin(struct vfio *vfio)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(-vfio_reset(vfio));
	need(pid > 0, "the test can fork");
	return pid;
}

static long reset_end(pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, 0);
	return -WEXITSTATUS(status);
}

static void while_resetting(void)
{
	struct scene stuck = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	const struct durations *without;
	struct durations with = { };
	pid_t pid;
	int round;

	others_arrive();
	without = undisturbed();
	for (round = 0; round < ROUNDS; round++) {
		get_stuck();
		pid = reset_begin(stuck.vfio);
		need_stuck();
		one_round(&with);
		expect_int(apemu_fact("resetting"), 1, "the queue has been stuck all the time");
		expect_rc(reset_end(pid), -EIO, "R-11: it is told that the reset failed");
		apemu_do("reset 05.0004 polls=0");
		need(mdev_becomes(stuck.mdev, "withheld", ""), "the queue comes back");
	}
	compare("while a device is being reset that is stuck", without, &with);
}

static void while_failed(void)
{
	struct scene stuck = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	const struct durations *without;
	struct durations with = { };
	int round;

	others_arrive();
	without = undisturbed();
	apemu_do("reset 05.0004 never");
	mdev_set(stuck.mdev, "unassign_adapter", CARD_5);
	for (round = 0; round < ROUNDS; round++)
		one_round(&with);
	apemu_do("reset 05.0004 polls=0");
	compare("while a queue has failed and is tried again and again", without, &with);
}

/* As documented, and a hundredth for everything else. */
#define AT_MOST_MS	(BOUND_RESET_WAIT_MS + BOUND_RESET_WAIT_MS / 100)

static void stuck_ones_end(void)
{
	struct scene stuck = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct mdev_job *job;
	long took, begun;

	apemu_do("reset 05.0004 never");
	begun = clock_ms();
	expect_rc(vfio_reset(stuck.vfio), -EIO, "a device that is stuck is not reset");
	expect_at_most(clock_ms() - begun, AT_MOST_MS, "R-11: VFIO_DEVICE_RESET ends (ms)");
	expect_rc(mdev_end(mdev_begin(stuck.mdev, "unassign_adapter", "5"), &took), 0,
		  "unassigning succeeds");
	expect_at_most(took, AT_MOST_MS, "R-11: unassign_adapter ends (ms)");
	apemu_do("reset 05.0004 polls=0");
	mdev_set(stuck.mdev, "assign_adapter", CARD_5);
	need(mdev_becomes(stuck.mdev, "withheld", ""), "the queue comes back");

	apemu_do("reset 05.0004 never");
	job = mdev_begin(stuck.mdev, "unassign_adapter", "5");
	clock_sleep_ms(100);
	begun = clock_ns() / 1000;
	mdev_kill(job);
	expect_rc(mdev_end(job, NULL), -EINTR, "R-11: a writer that waits can be killed");
	took = clock_ns() / 1000 - begun;
	ktap_diag("killed: gone after %ld us", took);
	expect_at_most(took, 10000, "R-11: at once (us, with the end of the process)");
	begun = clock_ms();
	vfio_close(stuck.vfio);
	expect_at_most(clock_ms() - begun, AT_MOST_MS, "R-11: a close ends (ms)");
	apemu_do("reset 05.0004 polls=0");
}

static struct mdev_job *begin(struct scene *scene, const char *attribute, int number)
{
	return mdev_begin(scene->mdev, attribute, memo("%d", number));
}

/* Two administrators, one guest's device reset, closed and opened, the host in between. */
static void mixed_operations(struct scene *one, struct scene *two)
{
	struct mdev_job *first, *second;

	first = begin(one, "unassign_adapter", CARD_5);
	second = begin(two, "assign_domain", DOMAIN_11);
	expect_rc(vfio_reset(two->vfio), 0, "a device can be reset");
	expect_rc(apbus_unbind(SPARE), 0, "a queue can be unbound");
	expect_rc(apbus_bind(SPARE, "vfio_ap"), 0, "and bound");
	expect_rc(mdev_end(first, NULL), 0, "unassigning succeeds");
	expect_rc(mdev_end(second, NULL), 0, "assigning succeeds");

	first = begin(one, "assign_adapter", CARD_5);
	second = begin(two, "unassign_domain", DOMAIN_11);
	apemu_do("card 5 config off");
	apbus_scan();
	apemu_do("card 5 config on");
	apbus_scan();
	expect_rc(mdev_end(first, NULL), 0, "assigning succeeds");
	expect_rc(mdev_end(second, NULL), 0, "unassigning succeeds");

	expect_guest_rc(guest_aqic_on(two->vm, OTHER, GUEST_NIB, 3), AP_OK, "a guest can enable");
	vfio_close(two->vfio);
	two->vfio = vfio_open(VFIO_BY_GROUP, two->mdev, two->vm);
	expect_rc(mdev_write(one->mdev, "ap_config", mdev_read(one->mdev, "ap_config")), 0,
		  "ap_config can be written");
	apbus_write("apmask", "+60");
	apbus_write("apmask", "-60");
	expect_rc(mdev_remove(mdev_create()), 0, "a device can be made and removed");
}

/* While the kernel counted, since lockstat_clear() */
static void expect_held_shortly(const char *when)
{
	ktap_diag("held at most: guests_lock %ld us, mdevs_lock %ld us",
		  lockstat_held_us(LOCK_GUESTS), lockstat_held_us(LOCK_MDEVS));
	expect_at_least(lockstat_held_us(LOCK_GUESTS), 1, "guests_lock was held (us)");
	expect_at_most(lockstat_held_us(LOCK_GUESTS), HOLD_US, "R-10: guests_lock, %s (us)", when);
	expect_at_most(lockstat_held_us(LOCK_MDEVS), HOLD_US, "R-10: mdevs_lock, %s (us)", when);
}

static void locks_are_held_shortly(void)
{
	struct scene one = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct scene two = scene_with(VFIO_BY_GROUP, CARD_1, DOMAIN_47);
	int round;

	if (!lockstat_present())
		ktap_skip("the kernel has no CONFIG_LOCK_STAT");
	apemu_do("reset any ns=%lld", SLOW_RESET_MS * 1000000LL);
	lockstat_clear();
	for (round = 0; round < 3; round++)
		mixed_operations(&one, &two);
	expect_held_shortly("with resets of 500 ms");
	apemu_do("reset any polls=0");
}

/* Queues of one adapter in two guests; what happens to those of one is no business of the other. */
static void other_guests_lock(void)
{
	struct scene one = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	int round;

	if (!lockstat_present())
		ktap_skip("the kernel has no CONFIG_LOCK_STAT");
	scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_11);
	lockstat_clear();
	for (round = 0; round < 100; round++)
		need_rc(vfio_reset(one.vfio), 0, "one guest's device can be reset");
	expect_at_most(lockstat_taken(LOCK_KVM), 0,
		       "R-12: acquisitions of any kvm->lock in 100 resets");
}

static long apcb_updates(void)
{
	return probe_hits("kvm_arch_crypto_set_masks") + probe_hits("kvm_arch_crypto_clear_masks");
}

static void everything_at_once(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	int event = vfio_event_new();
	long before;

	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, event), 0,
		"user space wants to know of changes");
	probe_begin("kvm_arch_crypto_set_masks");
	probe_begin("kvm_arch_crypto_clear_masks");
	before = apcb_updates();
	/* Adapters 1 and 3, domains 0x11 and 0x47, control domain 0x22: all others than before. */
	expect_rc(mdev_write(scene.mdev, "ap_config",
			     memo("x5%063d,x00004%012d1%046d,x000000002%055d\n", 0, 0, 0, 0)),
		  0, "ap_config replaces everything");
	expect_int(apcb_updates() - before, 1, "R-21: updates of the guest's APCB");
	expect_int(vfio_events(event), 1, "R-21: events");
	expect_str(mdev_read(scene.mdev, "guest_matrix"), "01.0011\n01.0047\n03.0011\n03.0047\n",
		   "the guest has what was asked for");

	expect_rc(mdev_write(scene.mdev, "ap_config", mdev_read(scene.mdev, "ap_config")), 0,
		  "the same again");
	expect_int(apcb_updates() - before, 1, "R-22: no update if nothing changes");
	expect_int(vfio_events(event), 0, "R-22: no event if nothing changes");
	probe_end("kvm_arch_crypto_set_masks");
	probe_end("kvm_arch_crypto_clear_masks");
}

enum { ALL = 256, LINE = sizeof("00.0000\n") - 1 };

static char *all_lines(void)
{
	char *text = malloc(ALL * ALL * LINE + 1), *end = text;
	int adapter, domain;

	for (adapter = 0; adapter < ALL; adapter++)
		for (domain = 0; domain < ALL; domain++)
			end += sprintf(end, "%02x.%04x\n", adapter, domain);
	return text;
}

static void assign_all(struct mdev *mdev)
{
	char *ones = memo("x%064d", 0), *c;
	long long begun = clock_ns();

	for (c = ones + 1; *c; c++)
		*c = 'f';
	need_rc(mdev_write(mdev, "ap_config", memo("%s,%s,%s\n", ones, ones, ones)), 0,
		"256 adapters and 256 domains can be assigned");
	ktap_diag("assigning 65,536 APQNs took %lld us", (clock_ns() - begun) / 1000);
}

/* For each of them, the bus is asked whether it parts with it. That takes kernels a long time. */
static void locks_are_held_shortly_for_all(void)
{
	struct mdev *mdev = mdev_create();

	if (!lockstat_present())
		ktap_skip("the kernel has no CONFIG_LOCK_STAT");
	lockstat_clear();
	assign_all(mdev);
	mdev_remove(mdev);
	expect_held_shortly("with 65,536 APQNs in one write");
}

static void all_there_can_be(void)
{
	struct mdev *mdev = mdev_create();
	char *expected = all_lines();
	long long begun;
	char *matrix;

	assign_all(mdev);
	begun = clock_ns();
	matrix = mdev_read(mdev, "matrix");
	ktap_diag("reading %zu bytes took %lld us", strlen(matrix), (clock_ns() - begun) / 1000);
	expect_int(strlen(matrix), ALL * ALL * LINE, "R-23: bytes of 65,536 lines");
	expect(!strcmp(matrix, expected), "R-23: every line is there, in order");
	free(expected);
}

/*
 * Objects of the driver, of VFIO, mdev and the driver core. Not counted: what sysfs and devtmpfs
 * keep of the files, which is none of the driver's business.
 */
static long device_bytes(void)
{
	slab_settle();
	return slab_bytes("kmalloc-") + slab_bytes("radix_tree_node") +
	       slab_bytes("pool_workqueue") + slab_large_bytes();
}

enum { DEVICES = 200, ASSIGNED = 16 };

static void assign_some(struct mdev *mdev[DEVICES])
{
	int i, j;

	for (i = 0; i < DEVICES; i++) {
		mdev_set(mdev[i], "assign_domain", i);
		mdev_set(mdev[i], "assign_control_domain", i);
		for (j = 0; j < ASSIGNED; j++)
			mdev_set(mdev[i], "assign_adapter", 100 + j);
	}
}

/* Not even one object for a device, not even with its first assignment */
static void expect_no_memory_for_assignments(struct mdev *mdev[DEVICES])
{
	const char *before, *after;
	long large, more;

	slab_settle();
	before = slab_snapshot();
	large = slab_large_bytes();
	assign_some(mdev);
	slab_settle();
	after = slab_snapshot();
	large = slab_large_bytes() - large;
	more = slab_more(before, after, "kmalloc-") + slab_more(before, after, "radix_tree_node");
	ktap_diag("assignments of %d devices: %ld objects, %ld bytes in pages", DEVICES, more,
		  large);
	/* Others allocate and free meanwhile as well. */
	expect_at_most(more, DEVICES / 2, "objects for what is assigned");
	expect_at_most(large, DEVICES * 4096L, "bytes in pages for it");
}

static void size_of_a_device(void)
{
	struct mdev *mdev[DEVICES];
	long before, all, bytes;
	int i;

	if (!slab_present())
		ktap_skip("the kernel does not tell what is allocated");
	/* The first ones bring what all share. */
	for (i = 0; i < 8; i++)
		mdev_create();
	before = device_bytes();
	all = slab_bytes("");
	for (i = 0; i < DEVICES; i++)
		mdev[i] = mdev_create();
	bytes = (device_bytes() - before) / DEVICES;
	ktap_diag("a device takes %ld bytes, with inodes and the like %ld", bytes,
		  (slab_bytes("") - all) / DEVICES);
	expect_at_most(bytes, MDEV_BYTES, "bytes that a device takes");
	expect_no_memory_for_assignments(mdev);
}

static const struct ktap_case cases[] = {
	{ "R-10: 2 ms, while a writer waits for a queue that never completes its reset",
	  while_unassigning },
	{ "R-10: 2 ms, while VFIO_DEVICE_RESET waits for one", while_resetting },
	{ "R-10: 2 ms, while one has failed", while_failed },
	{ "R-11: 2.5 s, or until killed", stuck_ones_end },
	{ "R-10: guests_lock and mdevs_lock are held for less than 5 ms", locks_are_held_shortly },
	{ "R-12: resets of one guest take no lock of another one with the same adapter",
	  other_guests_lock },
	{ "R-21: ap_config replaces everything with one update and one event",
	  everything_at_once },
	{ "R-10: also when 65,536 APQNs are assigned at once", locks_are_held_shortly_for_all },
	{ "R-23: 65,536 lines", all_there_can_be },
	{ "R-30: 16 KiB for a device", size_of_a_device },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
