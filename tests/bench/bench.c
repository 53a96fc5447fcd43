// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench - measures whatever vfio_ap is loaded; lab.bench= on the kernel command line says what
 *
 * For boots with lab.icount=yes: a nanosecond is an instruction there, of whatever CPU, plus the
 * waits that the emulated hardware and the drivers make. Each figure is the least of a few rounds:
 * a timer tick in between is nobody's fault. Whoever sleeps until a tick takes the longer, the
 * longer it is until then. So each round begins at a time of its own between two ticks, the same
 * in each boot, and on one CPU: each has ticks of its own. The name of a figure is its key in the
 * data (tests/lab/report/figures.py).
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>

#include "lockstat.h"
#include "probe.h"
#include "slab.h"
#include "story.h"

#define PUSH	"kvm_arch_crypto_set_masks"
#define CLEAR	"kvm_arch_crypto_clear_masks"

enum { ROUNDS = 5, LOCK_ROUNDS = 15, MANY = 200, MILLION = 1000000 };

static void least(long long *so_far, long long another)
{
	if (!*so_far || another < *so_far)
		*so_far = another;
}

/* A fifth of a tick later in each round; a tick is 4 ms, with CONFIG_HZ=250 */
static void await_phase(int round)
{
	clock_wait_for_phase(400 + round * 800);
}

static void stay_on_first_cpu(void)
{
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	need(!sched_setaffinity(0, sizeof(first), &first), "one CPU is enough");
}

/* What the AP instructions of the host were since the last "count clear", all together. */
static long pqaps(void)
{
	char *state = apemu_state(), *line;
	long sum = 0, count;

	for (line = state; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "count host %*s %ld", &count) == 1)
			sum += count;
	}
	free(state);
	return sum;
}

/* Something that is done and undone, by writes to two files. */
struct pair {
	const char *name, *back_name;
	char *path, *text;
	char *back_path, *back_text;
};

static long long write_ns(const char *path, const char *text, int round)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long long begun, took;
	ssize_t done;

	need(fd >= 0, "%s can be opened", path);
	await_phase(round);
	begun = clock_ns();
	done = write(fd, text, strlen(text));
	took = clock_ns() - begun;
	need(done == (ssize_t)strlen(text), "'%s' can be written to %s", text, path);
	close(fd);
	return took;
}

/* Polls and work items of the last one are not to be counted with the next one. */
static void calm_down(void)
{
	clock_sleep_ms(60);
}

struct counts {
	long long pushes, pqaps;
};

/* What is counted, and what has to be done before it, uncounted */
struct deed {
	const char *name;
	void (*run)(void), (*before)(void);
};

/* With what is left to others, who are done with it in less than 60 ms */
static void count(struct counts *least_of, const struct deed *deed)
{
	long pushes;

	if (deed->before)
		deed->before();
	apemu_do("count clear");
	pushes = probe_hits(PUSH) + probe_hits(CLEAR);
	deed->run();
	calm_down();
	pushes = probe_hits(PUSH) + probe_hits(CLEAR) - pushes;
	if (pushes < least_of->pushes)
		least_of->pushes = pushes;
	if (pqaps() < least_of->pqaps)
		least_of->pqaps = pqaps();
}

enum { DEEDS = 8 };

/*
 * One after the other, a few rounds, and not while times are measured. A scan of the bus in between
 * would be counted: so the least, here as well.
 */
static void count_all(const struct deed *deeds, unsigned int many)
{
	struct counts counts[DEEDS];
	unsigned int i;
	int round;

	probe_begin(PUSH);
	probe_begin(CLEAR);
	calm_down();
	for (i = 0; i < many; i++)
		counts[i] = (struct counts) { LLONG_MAX, LLONG_MAX };
	for (round = 0; round < 3; round++)
		for (i = 0; i < many; i++)
			count(&counts[i], &deeds[i]);
	probe_end(PUSH);
	probe_end(CLEAR);
	for (i = 0; i < many; i++) {
		ktap_figure(counts[i].pushes, "APCB updates", "%s", deeds[i].name);
		ktap_figure(counts[i].pqaps, "PQAPs", "%s", deeds[i].name);
	}
}

/* The one that is counted at the moment */
static const struct pair *counted_pair;

static void do_there(void)
{
	write_ns(counted_pair->path, counted_pair->text, 0);
}

static void do_back(void)
{
	write_ns(counted_pair->back_path, counted_pair->back_text, 0);
}

static void measure_counts(const struct pair *pair, const char *host)
{
	const struct deed deeds[] = {
		{ memo("%s, %s", pair->name, host), do_there, NULL },
		{ memo("%s, %s", pair->back_name, host), do_back, NULL },
	};

	counted_pair = pair;
	count_all(deeds, ARRAY_SIZE(deeds));
}

static void measure(const struct pair *pair, const char *host)
{
	long long there = 0, back = 0;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		least(&there, write_ns(pair->path, pair->text, round));
		calm_down();
		least(&back, write_ns(pair->back_path, pair->back_text, round));
		calm_down();
	}
	ktap_figure(there, "ns", "%s, %s", pair->name, host);
	ktap_figure(back, "ns", "%s, %s", pair->back_name, host);
	measure_counts(pair, host);
}

static char *mask(unsigned int from, unsigned int to)
{
	char *text = memo("%s%064d", "0x", 0);
	unsigned int id, digit;

	for (id = from; id < to; id++) {
		digit = (text[2 + id / 4] <= '9' ? text[2 + id / 4] - '0' :
			 text[2 + id / 4] - 'a' + 10) | 8 >> id % 4;
		text[2 + id / 4] = "0123456789abcdef"[digit];
	}
	return text;
}

static char *config(unsigned int first, unsigned int adapters, unsigned int domains)
{
	return memo("%s,%s,%s\n", mask(first, first + adapters), mask(0, domains), mask(0, 0));
}

static int lines(const char *text)
{
	int count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

/*
 * More lines than fit a page are never read here: the driver of Linux 6.12 writes them behind the
 * page, over whatever is there.
 */
static void settle(struct mdev *mdev, unsigned int queues)
{
	if (queues > 500)
		clock_sleep_ms(1000);
	else
		need(clock_wait_for(lines(mdev_read(mdev, "guest_matrix")) == (int)queues, 5000),
		     "%u queues are passed, not %d", queues,
		     lines(mdev_read(mdev, "guest_matrix")));
	calm_down();
}

static struct scene guest_with(unsigned int adapters, unsigned int domains)
{
	struct scene scene = { .mdev = mdev_create(), .vm = vm_create() };

	need_rc(mdev_write(scene.mdev, "ap_config", config(0, adapters, domains)), 0,
		"%u adapters and %u domains can be assigned", adapters, domains);
	scene.vfio = vfio_open(VFIO_BY_GROUP, scene.mdev, scene.vm);
	settle(scene.mdev, adapters * domains);
	return scene;
}

/* Whose costs are counted at the moment */
static struct scene *counted_scene;

static void do_open(void)
{
	struct scene *scene = counted_scene;

	scene->vfio = vfio_open(VFIO_BY_GROUP, scene->mdev, scene->vm);
}

static void do_close(void)
{
	vfio_close(counted_scene->vfio);
}

static void do_reset(void)
{
	need_rc(vfio_reset(counted_scene->vfio), 0, "the device can be reset");
}

static void do_unassign(void)
{
	mdev_set(counted_scene->mdev, "unassign_adapter", 0);
}

static void do_assign(void)
{
	mdev_set(counted_scene->mdev, "assign_adapter", 0);
	settle(counted_scene->mdev, 32);
}

static void opens(unsigned int adapters, unsigned int domains)
{
	struct scene scene = guest_with(adapters, domains);
	const struct deed deeds[] = {
		{ memo("close with %u queues", adapters * domains), do_close, NULL },
		{ memo("open with %u queues", adapters * domains), do_open, NULL },
	};
	long long open_ns = 0, close_ns = 0;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		await_phase(round);
		vfio_close(scene.vfio);
		least(&close_ns, vfio_took_ns());
		calm_down();
		await_phase(round);
		scene.vfio = vfio_open(VFIO_BY_GROUP, scene.mdev, scene.vm);
		least(&open_ns, vfio_took_ns());
		calm_down();
	}
	ktap_figure(open_ns, "ns", "open with %u queues", adapters * domains);
	ktap_figure(close_ns, "ns", "close with %u queues", adapters * domains);
	counted_scene = &scene;
	count_all(deeds, ARRAY_SIZE(deeds));
	vfio_close(scene.vfio);
	mdev_remove(scene.mdev);
	vm_destroy(scene.vm);
}

/* A host with n adapters and n domains, all of it for one guest. */
static void matrix_of(unsigned int n)
{
	struct scene scene = guest_with(n, n);
	char *host = memo("%ux%u", n, n), *last = memo("%u", n - 1);
	char *queue = memo("%02x.%04x", n - 1, n - 1);
	struct mdev *mdev = scene.mdev;
	const struct pair pairs[] = {
		{ "unassign_adapter", "assign_adapter", mdev_path(mdev, "unassign_adapter"), last,
		  mdev_path(mdev, "assign_adapter"), last },
		{ "unassign_domain", "assign_domain", mdev_path(mdev, "unassign_domain"), last,
		  mdev_path(mdev, "assign_domain"), last },
		{ "assign_control_domain", "unassign_control_domain",
		  mdev_path(mdev, "assign_control_domain"), "0",
		  mdev_path(mdev, "unassign_control_domain"), "0" },
		{ "ap_config (half of it away)", "ap_config (half of it added)",
		  mdev_path(mdev, "ap_config"), config(0, n / 2, n),
		  mdev_path(mdev, "ap_config"), config(0, n, n) },
		{ "unbind a queue in use", "bind a queue assigned",
		  "/sys/bus/ap/drivers/vfio_ap/unbind", queue,
		  "/sys/bus/ap/drivers/vfio_ap/bind", queue },
	};
	unsigned int i;

	stay_on_first_cpu();
	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		measure(&pairs[i], host);
	vfio_close(scene.vfio);
	mdev_remove(mdev);
	calm_down();
	measure(&(struct pair) {
		"unbind a queue that nobody has", "bind a queue that nobody has",
		"/sys/bus/ap/drivers/vfio_ap/unbind", queue,
		"/sys/bus/ap/drivers/vfio_ap/bind", queue }, host);
}

static void matrix_4(void)
{
	matrix_of(4);
}

static void matrix_32(void)
{
	matrix_of(32);
	opens(1, 1);
	opens(1, 32);
	opens(32, 32);
}

static void matrix_64(void)
{
	matrix_of(64);
}

static void do_open_and_settle(void)
{
	do_open();
	settle(counted_scene->mdev, 32);
}

static void count_resets(struct scene *scene, unsigned int ms)
{
	const struct deed deeds[] = {
		{ memo("VFIO_DEVICE_RESET, 32 queues, %u ms each", ms), do_reset,
		  do_open_and_settle },
		{ memo("unassign_adapter, 32 queues, %u ms each", ms), do_unassign, NULL },
		{ memo("close, 32 queues, %u ms each", ms), do_close, do_assign },
	};

	counted_scene = scene;
	do_close();
	count_all(deeds, ARRAY_SIZE(deeds));
	do_open_and_settle();
}

/* 32 queues of one adapter, and how long the hardware takes for each of them. */
static void resets(void)
{
	static const unsigned int ms[] = { 0, 1, 10, 100 };
	struct scene scene = guest_with(1, 32);
	long long begun, reset, close_ns, unassign;
	unsigned int i;
	int round;

	stay_on_first_cpu();
	for (i = 0; i < ARRAY_SIZE(ms); i++) {
		reset = 0;
		close_ns = 0;
		unassign = 0;
		apemu_do("reset any ns=%u", ms[i] * MILLION);
		for (round = 0; round < ROUNDS; round++) {
			await_phase(round);
			begun = clock_ns();
			need_rc(vfio_reset(scene.vfio), 0, "the device can be reset");
			least(&reset, clock_ns() - begun);
			calm_down();
			least(&unassign, write_ns(mdev_path(scene.mdev, "unassign_adapter"), "0",
						  round));
			mdev_set(scene.mdev, "assign_adapter", 0);
			calm_down();
			await_phase(round);
			vfio_close(scene.vfio);
			least(&close_ns, vfio_took_ns());
			calm_down();
			scene.vfio = vfio_open(VFIO_BY_GROUP, scene.mdev, scene.vm);
			settle(scene.mdev, 32);
		}
		ktap_figure(reset, "ns", "VFIO_DEVICE_RESET, 32 queues, %u ms each", ms[i]);
		ktap_figure(unassign, "ns", "unassign_adapter, 32 queues, %u ms each", ms[i]);
		ktap_figure(close_ns, "ns", "close, 32 queues, %u ms each", ms[i]);
		count_resets(&scene, ms[i]);
	}
	apemu_do("reset any ns=0");
}

static long long scan_ns(int round)
{
	long long begun;

	await_phase(round);
	begun = clock_ns();
	apbus_scan();
	return clock_ns() - begun;
}

static void do_scan(void)
{
	apbus_scan();
}

static void do_nothing(void)
{
}

static void take_adapter(void)
{
	apemu_do("card 1 config off");
}

static void give_adapter(void)
{
	apemu_do("card 1 config on");
}

static void count_host_changes(unsigned int guests)
{
	const struct deed deeds[] = {
		{ memo("an adapter of the host goes, %u guests", guests), do_scan, take_adapter },
		{ memo("an adapter of the host comes, %u guests", guests), do_scan, give_adapter },
	};

	count_all(deeds, ARRAY_SIZE(deeds));
}

/* Each guest has two adapters and a domain of its own; one of the adapters goes and comes. */
static void host_with(unsigned int guests)
{
	long long away = 0, back = 0;
	struct mdev *mdev[50];
	struct vm *vm[50];
	struct vfio *vfio[50];
	unsigned int i;
	int round;

	for (i = 0; i < guests; i++) {
		mdev[i] = mdev_create();
		vm[i] = vm_create();
		mdev_assign(mdev[i], 0, i);
		mdev_set(mdev[i], "assign_adapter", 1);
		vfio[i] = vfio_open(VFIO_BY_GROUP, mdev[i], vm[i]);
	}
	settle(mdev[guests - 1], 2);
	for (round = 0; round < ROUNDS; round++) {
		take_adapter();
		least(&away, scan_ns(round));
		need_int(lines(mdev_read(mdev[0], "guest_matrix")), 1, "an adapter is gone");
		give_adapter();
		least(&back, scan_ns(round));
		settle(mdev[guests - 1], 2);
	}
	ktap_figure(away, "ns", "an adapter of the host goes, %u guests", guests);
	ktap_figure(back, "ns", "an adapter of the host comes, %u guests", guests);
	count_host_changes(guests);
	for (i = 0; i < guests; i++) {
		vfio_close(vfio[i]);
		mdev_remove(mdev[i]);
		vm_destroy(vm[i]);
	}
}

static void host_changes(void)
{
	stay_on_first_cpu();
	host_with(1);
	host_with(10);
	host_with(50);
}

enum { AQICS = 4000 };

struct enabler {
	struct scene scene;
	int apqn;
	pthread_barrier_t *ready;
	long long begun, ended;
	pthread_t thread;
};

static void *enable_and_disable(void *data)
{
	struct enabler *e = data;
	int i;

	/* KVM waits for RCU when another thread runs a vCPU than did before. */
	guest_aqic_on(e->scene.vm, e->apqn, GUEST_NIB, 3);
	guest_aqic_off(e->scene.vm, e->apqn);
	pthread_barrier_wait(e->ready);
	e->begun = clock_ns();
	for (i = 0; i < AQICS / 2; i++) {
		guest_aqic_on(e->scene.vm, e->apqn, GUEST_NIB, 3);
		guest_aqic_off(e->scene.vm, e->apqn);
	}
	e->ended = clock_ns();
	return NULL;
}

static long long aqic_of_two(struct enabler *two)
{
	pthread_barrier_t ready;
	long long begun, ended;
	int i;

	pthread_barrier_init(&ready, NULL, 2);
	for (i = 0; i < 2; i++) {
		two[i].ready = &ready;
		need(!pthread_create(&two[i].thread, NULL, enable_and_disable, &two[i]), "thread");
	}
	for (i = 0; i < 2; i++)
		pthread_join(two[i].thread, NULL);
	pthread_barrier_destroy(&ready);
	begun = two[0].begun < two[1].begun ? two[0].begun : two[1].begun;
	ended = two[0].ended > two[1].ended ? two[0].ended : two[1].ended;
	return ended - begun;
}

/* As far as KVM answers it itself, for there is no driver: the guest has no device. */
static long long without_driver(void)
{
	struct vm *vm = vm_create();
	long long ns = 0;
	int round;

	for (round = 0; round < 40; round++) {
		need_guest_rc(guest_aqic_on(vm, 0, GUEST_NIB, 3), AP_NOT_AVAILABLE, "no device");
		least(&ns, vm->ran_ns);
	}
	vm_destroy(vm);
	return ns;
}

/* A guest that enables and disables, and the one that looks on while another's queue is stuck */
static struct scene bystander;

static int bystander_apqn;

static void do_aqic_on(void)
{
	guest_aqic_on(bystander.vm, bystander_apqn, GUEST_NIB, 3);
}

static void do_aqic_off(void)
{
	guest_aqic_off(bystander.vm, bystander_apqn);
}

static void do_aqic_on_off(void)
{
	do_aqic_on();
	do_aqic_off();
}

static void do_aqic_on_off_on(void)
{
	do_aqic_on_off();
	do_aqic_on();
}

static void do_aqic_elsewhere(void)
{
	guest_aqic_off(bystander.vm, APQN(9, 9));
}

static void count_aqics(void)
{
	static const struct deed deeds[] = {
		{ "AQIC, enable, all of it", do_aqic_on, NULL },
		{ "AQIC, disable, all of it", do_aqic_off, NULL },
		{ "AQIC, enable again within 10 ms, all of it", do_aqic_on, do_aqic_on_off },
		{ "AQIC, disable again, all of it", do_aqic_off, do_aqic_on_off_on },
		{ "AQIC, for a queue that the guest does not have, all of it",
		  do_aqic_elsewhere, NULL },
	};

	count_all(deeds, ARRAY_SIZE(deeds));
}

static void tell_aqic(long long ns, long long kvm, const char *name)
{
	ktap_figure(ns, "ns", "%s, all of it", name);
	ktap_figure(ns - kvm, "ns", "%s, share of the driver", name);
}

static void one_guest(struct vm *vm, int apqn)
{
	long long on = 0, off = 0, again = 0, off_again = 0, none = 0, kvm = without_driver();
	int round;

	for (round = 0; round < 40; round++) {
		need_guest_rc(guest_aqic_on(vm, apqn, GUEST_NIB, 3), AP_OK, "enable");
		least(&on, vm->ran_ns);
		need_guest_rc(guest_aqic_off(vm, apqn), AP_OK, "disable");
		least(&off, vm->ran_ns);
		need_guest_rc(guest_aqic_on(vm, apqn, GUEST_NIB, 3), AP_OK, "enable again");
		least(&again, vm->ran_ns);
		need_guest_rc(guest_aqic_off(vm, apqn), AP_OK, "disable again");
		least(&off_again, vm->ran_ns);
		guest_aqic_off(vm, APQN(9, 9));
		least(&none, vm->ran_ns);
		calm_down();
	}
	tell_aqic(on, kvm, "AQIC, enable");
	tell_aqic(off, kvm, "AQIC, disable");
	tell_aqic(again, kvm, "AQIC, enable again within 10 ms");
	tell_aqic(off_again, kvm, "AQIC, disable again");
	tell_aqic(none, kvm, "AQIC, for a queue that the guest does not have");
	ktap_figure(kvm, "ns", "AQIC, of a guest without a device, so without a driver");
}

static void aqic(void)
{
	struct enabler two[2] = {
		{ .scene = guest_with(1, 1), .apqn = APQN(0, 0) },
	};
	long long both = 0;
	int round;

	two[1].scene.mdev = mdev_create();
	two[1].scene.vm = vm_create();
	mdev_assign(two[1].scene.mdev, 1, 1);
	two[1].scene.vfio = vfio_open(VFIO_BY_GROUP, two[1].scene.mdev, two[1].scene.vm);
	two[1].apqn = APQN(1, 1);
	settle(two[1].scene.mdev, 1);

	one_guest(two[0].scene.vm, two[0].apqn);
	for (round = 0; round < ROUNDS; round++)
		least(&both, aqic_of_two(two));
	ktap_figure(2LL * AQICS * 1000000000 / both, "1/s", "AQIC, of two guests at once, on both CPUs");
	bystander = two[0].scene;
	bystander_apqn = two[0].apqn;
	count_aqics();
}

static void do_status(void)
{
	apbus_status(APQN(1, 1));
}

static void do_matrix(void)
{
	mdev_read(bystander.mdev, "matrix");
}

static void do_assign_control(void)
{
	mdev_set(bystander.mdev, "assign_control_domain", 0);
}

static void do_unassign_control(void)
{
	mdev_set(bystander.mdev, "unassign_control_domain", 0);
}

static void do_apmask(void)
{
	apbus_write("apmask", "+60");
}

static void undo_apmask(void)
{
	apbus_write("apmask", "-60");
}

static long long while_stuck(struct mdev *slow, const struct deed *deed, int round)
{
	struct mdev_job *job;
	long long begun, took;

	deed->before();
	calm_down();
	apemu_do("reset 00.0000 ns=2000000000");
	apemu_do("log clear");
	await_phase(0);
	job = mdev_begin(slow, "unassign_adapter", "0");
	need(clock_wait_for(apemu_count(0, APEMU_HOST, "zapq", APQN(0, 0)), 5000),
	     "the reset has begun");
	await_phase(round);
	begun = clock_ns();
	deed->run();
	took = clock_ns() - begun;
	mdev_end(job, NULL);
	apemu_do("reset any ns=0");
	clock_sleep_ms(300);
	mdev_set(slow, "assign_adapter", 0);
	settle(slow, 1);
	return took;
}

/* A reset that takes two seconds: long enough to see who waits for it, short enough to go on. */
static void stuck(void)
{
	static const struct deed what[] = {
		{ "AQIC enable", do_aqic_on, do_aqic_off },
		{ "AQIC disable", do_aqic_off, do_aqic_on },
		{ "reading status", do_status, do_nothing },
		{ "reading matrix", do_matrix, do_nothing },
		{ "assign_control_domain", do_assign_control, do_unassign_control },
		{ "unassign_control_domain", do_unassign_control, do_assign_control },
		{ "writing apmask", do_apmask, undo_apmask },
		{ "AP bus scan", do_scan, do_nothing },
	};
	struct scene slow = guest_with(1, 1);
	long long took;
	unsigned int i;
	int round;

	stay_on_first_cpu();
	bystander_apqn = APQN(1, 1);
	bystander.mdev = mdev_create();
	bystander.vm = vm_create();
	mdev_assign(bystander.mdev, 1, 1);
	bystander.vfio = vfio_open(VFIO_BY_GROUP, bystander.mdev, bystander.vm);
	settle(bystander.mdev, 1);
	for (i = 0; i < ARRAY_SIZE(what); i++) {
		took = 0;
		for (round = 0; round < ROUNDS; round++)
			least(&took, while_stuck(slow.mdev, &what[i], round));
		ktap_figure(took, "ns", "while another guest's reset takes 2 s: %s", what[i].name);
	}
	undo_apmask();
}

static void make_many(void)
{
	int i;

	for (i = 0; i < MANY; i++)
		mdev_create();
}

static void bind_all(void)
{
	int adapter, domain;

	for (adapter = 0; adapter < 32; adapter++)
		for (domain = 0; domain < 32; domain++)
			apbus_bind(APQN(adapter, domain), "vfio_ap");
}

static void unbind_all(void)
{
	int adapter, domain;

	for (adapter = 0; adapter < 32; adapter++)
		for (domain = 0; domain < 32; domain++)
			apbus_unbind(APQN(adapter, domain));
}

/* What there is more of afterwards, for each of them: allocated by kmalloc() and the like; all. */
static void weigh(void (*make)(void), int many, const char *name)
{
	long kmalloc, all;

	slab_settle();
	kmalloc = slab_bytes("kmalloc-");
	all = slab_bytes("");
	make();
	slab_settle();
	ktap_figure((slab_bytes("kmalloc-") - kmalloc) / many, "bytes", "memory of %s, kmalloc", name);
	ktap_figure((slab_bytes("") - all) / many, "bytes", "memory of %s, all with its files in sysfs",
		    name);
}

static void memory(void)
{
	int i;

	need(slab_present(), "the kernel tells what is allocated");
	for (i = 0; i < 8; i++)
		mdev_create();
	weigh(make_many, MANY, "a mediated device");
	/* Once for nothing: what is allocated only once, and lists that grow, are there then. */
	unbind_all();
	bind_all();
	unbind_all();
	weigh(bind_all, 32 * 32, "a bound queue");
}

static const char * const held[][2] = {
	{ LOCK_GUESTS, "guests_lock" },
	{ LOCK_MDEVS, "mdevs_lock" },
	{ "&kvm->lock", "kvm->lock" },
	{ "&q->lock", "lock of a queue" },
	{ "&matrix_dev->nib_lock", "nib_lock" },
	{ "&matrix_dev->poll_lock", "poll_lock" },
	{ "ap_attr_mutex", "ap_attr_mutex of the AP bus" },
	{ "ap_perms_mutex", "ap_perms_mutex of the AP bus" },
};

/* A bit of everything, from open to close */
static void use_locks(struct scene *scene)
{
	vfio_reset(scene->vfio);
	need_guest_rc(guest_aqic_on(scene->vm, 0, GUEST_NIB, 3), AP_OK, "enable");
	need_guest_rc(guest_aqic_off(scene->vm, 0), AP_OK, "disable");
	mdev_set(scene->mdev, "unassign_adapter", 1);
	mdev_set(scene->mdev, "assign_adapter", 1);
	mdev_set(scene->mdev, "unassign_domain", 1);
	mdev_set(scene->mdev, "assign_domain", 1);
	apbus_unbind(APQN(1, 1));
	apbus_bind(APQN(1, 1), "vfio_ap");
	vfio_close(scene->vfio);
}

/*
 * Needs a kernel with CONFIG_LOCK_STAT, which is not the one of the other groups. A kernel that
 * preempts lets our poller run while another task holds a lock, now and then, for there is one CPU:
 * so there are two figures, of all rounds the longest time, and that of the round in which it was
 * least.
 */
static void locks(void)
{
	struct scene scene = guest_with(2, 32);
	long long longest[ARRAY_SIZE(held)] = { }, best[ARRAY_SIZE(held)] = { };
	unsigned int i;
	long ns;
	int round;

	need(lockstat_present(), "the kernel has CONFIG_LOCK_STAT");
	for (round = 0; round < LOCK_ROUNDS; round++) {
		apemu_do("reset any ns=%d", 100 * MILLION);
		lockstat_clear();
		use_locks(&scene);
		for (i = 0; i < ARRAY_SIZE(held); i++) {
			ns = lockstat_held_ns(held[i][0]);
			if (ns <= 0)
				continue;
			least(&best[i], ns);
			longest[i] = ns > longest[i] ? ns : longest[i];
		}
		apemu_do("reset any ns=0");
		scene.vfio = vfio_open(VFIO_BY_GROUP, scene.mdev, scene.vm);
		settle(scene.mdev, 64);
	}
	for (i = 0; i < ARRAY_SIZE(held); i++) {
		if (!longest[i])
			continue;
		ktap_figure(longest[i], "ns", "held at most: %s", held[i][1]);
		ktap_figure(best[i], "ns", "held at most, in the best round: %s", held[i][1]);
	}
}

static const struct {
	const char *name;
	struct ktap_case one;
} groups[] = {
	{ "matrix-4", { "4 adapters, 4 domains", matrix_4 } },
	{ "matrix-32", { "32 adapters, 32 domains", matrix_32 } },
	{ "matrix-64", { "64 adapters, 64 domains", matrix_64 } },
	{ "resets", { "resets", resets } },
	{ "host", { "changes of the host's configuration", host_changes } },
	{ "aqic", { "AQIC", aqic } },
	{ "stuck", { "a slow reset and the others", stuck } },
	{ "memory", { "memory", memory } },
	{ "locks", { "how long locks are held", locks } },
};

int main(void)
{
	char *wanted = strstr(memo_file("/proc/cmdline"), "lab.bench=");
	unsigned int i;

	for (i = 0; wanted && i < ARRAY_SIZE(groups); i++) {
		size_t length = strlen(groups[i].name);

		if (!strncmp(wanted + 10, groups[i].name, length) &&
		    (wanted[10 + length] == ' ' || wanted[10 + length] == '\n'))
			return ktap_main(&groups[i].one, 1, NULL);
	}
	return 4;
}
