// SPDX-License-Identifier: GPL-2.0-only
/*
 * stress - everybody at once: administrators, host, hardware and guests against each other
 *
 * Workers are processes that do random things until the time is over; what the kernel answers
 * them does not matter. What counts is that all come back, that the kernel has nothing to complain
 * about, and that the state that is left is one that a quiet world would have led to as well.
 * The dice are seeded: lab.seed=<number> on the kernel command line throws them differently.
 * For a boot with lab.icount=yes: what they get done in the time does not depend on the machine.
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>

#include "crew.h"
#include "dice.h"
#include "late.h"
#include "story.h"

enum { GUESTS = 3, WORKERS = 12, IDS = 256, CREW_MS = 1500 };

static const int adapters[] = { CARD_1, CARD_2, CARD_3, CARD_5, 0x66 };
static const int domains[] = { DOMAIN_4, DOMAIN_11, DOMAIN_47, 0x99 };
static const char * const kinds[] = {
	[CARD_1] = "type=cex8 mode=cca", [CARD_2] = "type=cex8 mode=accel",
	[CARD_3] = "type=cex7 mode=ep11", [CARD_5] = "type=cex8 mode=cca",
};

/* Ten lines in five seconds is what a rate limit of the kernel lets through, for each message. */
enum { LIARS_MS = 1500, LIARS_LINES = 8 * 10 * (LIARS_MS / 5000 + 1) };

enum { HOST_ADAPTERS = ARRAY_SIZE(adapters) - 1, HOST_DOMAINS = ARRAY_SIZE(domains) - 1 };

static struct mdev *mdevs[GUESTS];

static int any_apqn(void)
{
	return APQN(ANY_OF(adapters), ANY_OF(domains));
}

static int any_host_apqn(void)
{
	return APQN(adapters[dice(HOST_ADAPTERS)], domains[dice(HOST_DOMAINS)]);
}

/* The administrator of the mdevs */
static char *any_mask(const int *ids, unsigned int count)
{
	char *mask = memo("%066d", 0);
	unsigned int i;

	mask[1] = 'x';
	for (i = 0; i < count; i++)
		if (dice(2)) {
			char *digit = mask + 2 + ids[i] / 4;
			int value = *digit <= '9' ? *digit - '0' : *digit - 'a' + 10;

			*digit = "0123456789abcdef"[value | 8 >> ids[i] % 4];
		}
	return mask;
}

/* Assigns more than it takes away, or the guests would have nothing to do. */
static void administrator(void)
{
	static const char * const of_adapters[] = {
		"assign_adapter", "assign_adapter", "assign_adapter", "unassign_adapter",
	};
	static const char * const of_domains[] = {
		"assign_domain", "assign_domain", "assign_domain", "unassign_domain",
		"assign_control_domain", "unassign_control_domain",
	};
	struct mdev *mdev = ANY_OF(mdevs);
	unsigned int what = dice(20);

	if (what < 9)
		mdev_write(mdev, ANY_OF(of_adapters), memo("%d", ANY_OF(adapters)));
	else if (what < 18)
		mdev_write(mdev, ANY_OF(of_domains), memo("%d", ANY_OF(domains)));
	else
		mdev_write(mdev, "ap_config", memo("%s,%s,%s\n",
						   any_mask(adapters, ARRAY_SIZE(adapters)),
						   any_mask(domains, ARRAY_SIZE(domains)),
						   any_mask(domains, ARRAY_SIZE(domains))));
	clock_sleep_ms(dice(30));
}

static void reader(void)
{
	static const char * const attributes[] = {
		"matrix", "guest_matrix", "control_domains", "ap_config", "withheld",
	};

	mdev_read(ANY_OF(mdevs), ANY_OF(attributes));
	apbus_status(any_host_apqn());
}

static void creator(void)
{
	struct mdev *mdev = mdev_create();

	mdev_write(mdev, "assign_adapter", memo("%d", ANY_OF(adapters)));
	mdev_write(mdev, "assign_domain", memo("%d", ANY_OF(domains)));
	mdev_remove(mdev);
	free(mdev);
}

/* The host */
static void binder(void)
{
	int apqn = any_host_apqn();

	if (!strcmp(apbus_driver(apqn), "vfio_ap"))
		apbus_unbind(apqn);
	clock_sleep_ms(dice(10));
	/* Some stay away until somebody else has luck. */
	if (dice(8))
		apbus_bind(apqn, "vfio_ap");
	apbus_bind(any_host_apqn(), "vfio_ap");
	clock_sleep_ms(dice(60));
}

/*
 * Adapters that are no CCA coprocessors: zcrypt makes random number generators of those, and
 * Linux 6.12 deadlocks when one is taken away while hwrng reads from it: who unbinds has the
 * queue's device locked and waits for hwrng, which scans the AP bus, which removes that device.
 */
static void masker(void)
{
	apbus_write("apmask", dice(4) ? memo("%c%d", dice(2) ? '+' : '-',
					     dice(2) ? CARD_2 : CARD_3) : "0x0");
	clock_sleep_ms(dice(30));
}

static void scanner(void)
{
	apbus_write("scans", "1");
	clock_sleep_ms(dice(100));
}

static const char *on_or_off(void)
{
	/* More often off than on, or nothing would ever be passed. */
	return dice(4) ? "off" : "on";
}

/* The hardware: what it is, and how slow it is */
static void plumber(void)
{
	int card = adapters[dice(HOST_ADAPTERS)], domain = domains[dice(HOST_DOMAINS)];

	switch (dice(8)) {
	case 0:
		apemu_order("card %d remove", card);
		clock_sleep_ms(dice(200));
		apemu_order("card %d add %s", card, kinds[card]);
		break;
	case 1:
	case 2:
		apemu_order("interrupt %s", apqn_name(any_host_apqn()));
		break;
	case 3:
		apemu_order("card %d config %s", card, dice(4) ? "on" : "off");
		break;
	case 4:
		apemu_order("card %d %s %s", card, dice(2) ? "standby" : "checkstop", on_or_off());
		break;
	case 5:
		apemu_order("domain %d remove", domain);
		clock_sleep_ms(dice(200));
		apemu_order("domain %d add", domain);
		break;
	case 6:
		apemu_order("queue %s absent %s", apqn_name(any_host_apqn()), on_or_off());
		break;
	case 7:
		apemu_order("control %d %s", domain, dice(2) ? "add" : "remove");
		break;
	}
	clock_sleep_ms(dice(50));
}

static void brake(void)
{
	switch (dice(5)) {
	case 0:
		apemu_order("reset any polls=0");
		break;
	case 1:
		apemu_order("reset any polls=%u", dice(6));
		break;
	case 2:
		apemu_order("reset any ns=%u", dice(8000000));
		break;
	case 3:
		apemu_order("irqdelay any polls=%u", dice(4));
		break;
	case 4:
		apemu_order("interrupt %s", apqn_name(any_host_apqn()));
		break;
	}
	clock_sleep_ms(dice(20));
}

/* An adapter that answers anything: codes that there are, codes that there are not, any bits */
static void liar(void)
{
	static const char * const functions[] = {
		"tapq", "tapq", "tapq", "zapq", "zapq", "rapq", "aqic", "aqic", "nqap", "dqap",
	};
	static const unsigned int codes[] = {
		0x00, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x0a, 0x10, 0x35, 0x42,
	};

	if (!dice(30))
		apemu_order("answer clear");
	apemu_order("answer %s %s rc=%x times=%u skip=%u empty=%u replies=%u full=%u ir=%u async=%u",
		    ANY_OF(functions), dice(4) ? apqn_name(any_host_apqn()) : "any",
		    dice(3) ? ANY_OF(codes) : dice(256), 1 + dice(8), dice(4), dice(2), dice(2),
		    dice(2), dice(2), dice(2));
	clock_sleep_ms(dice(10));
}

/* A guest: its CPU never stops to switch interrupts on and off. */
struct cpu {
	pthread_t thread;
	struct vm *vm;
	unsigned int number;
	bool stop;
	unsigned int aqics, enables;
};

static unsigned long any_nib(void)
{
	static const unsigned long bad[] = { 0, VM_MEMORY, 0x7fffffff0000UL, ~0UL };

	if (!dice(8))
		return ANY_OF(bad);
	/* In memory that comes and goes, or in memory that stays */
	return (dice(3) ? GUEST_NIB : GUEST_NIB_FAR) + dice(8) * 0x1008UL;
}

static void *cpu_thread(void *argument)
{
	struct cpu *cpu = argument;

	dice_take(cpu->number);
	while (!__atomic_load_n(&cpu->stop, __ATOMIC_ACQUIRE)) {
		int apqn = dice(8) ? any_host_apqn() : any_apqn();
		unsigned int what = dice(10);

		cpu->aqics += what < 8;
		if (what < 5)
			cpu->enables += guest_aqic_on(cpu->vm, apqn, any_nib(), dice(8)).rc ==
					AP_OK;
		else if (what < 8)
			guest_aqic_off(cpu->vm, apqn);
		else if (what < 9)
			guest_zapq(cpu->vm, apqn);
		else
			guest_tapq(cpu->vm, apqn);
	}
	return NULL;
}

static void cpu_start(struct cpu *cpu, struct vm *vm, unsigned int number)
{
	*cpu = (struct cpu){ .vm = vm, .number = number };
	need(!pthread_create(&cpu->thread, NULL, cpu_thread, cpu), "the guest's CPU starts");
}

static void cpu_stop(struct cpu *cpu)
{
	__atomic_store_n(&cpu->stop, true, __ATOMIC_RELEASE);
	pthread_join(cpu->thread, NULL);
}

/* Two threads of the VMM, at odds with each other */
static void *resets(void *argument)
{
	struct vfio *vfio = argument;
	unsigned int i;

	for (i = 0; i < 6; i++)
		vfio_reset(vfio);
	return NULL;
}

static void *remaps(void *argument)
{
	struct vfio *vfio = argument;
	unsigned int i;

	for (i = 0; i < 12; i++) {
		vfio_unmap(vfio, GUEST_NIB_FAR / VM_CHUNK);
		vfio_map(vfio, GUEST_NIB_FAR / VM_CHUNK);
	}
	return NULL;
}

static void at_odds(struct vfio *vfio)
{
	pthread_t one, other;
	int event = vfio_event_new();

	need(!pthread_create(&one, NULL, resets, vfio), "the VMM has a thread");
	need(!pthread_create(&other, NULL, remaps, vfio), "the VMM has another thread");
	vfio_arm(vfio, AP_IRQ_CFG_CHG, event);
	clock_sleep_ms(dice(60));
	vfio_arm(vfio, AP_IRQ_CFG_CHG, -1);
	pthread_join(one, NULL);
	pthread_join(other, NULL);
	close(event);
	/* And some peace for what the guest does */
	clock_sleep_ms(dice(400));
}

static unsigned int aqics, enables;

/*
 * Two VMMs may be after the same device, but not both by its device file: VFIO of Linux 6.12
 * forgets to give back a reference to the first VM when the second one is refused.
 */
static struct vfio *open_mine(struct vm *vm)
{
	enum vfio_path path = crew_place() < GUESTS && dice(2) ? VFIO_BY_CDEV : VFIO_BY_GROUP;
	struct vfio *vfio;

	vfio_try(&vfio, path, mdevs[crew_place() % GUESTS], vm);
	return vfio;
}

static void end_cpu(struct cpu *cpu)
{
	cpu_stop(cpu);
	aqics += cpu->aqics;
	enables += cpu->enables;
}

static void tell_aqics(void)
{
	ktap_diag("  %u AQICs, %u of them enabled", aqics, enables);
}

static void vmm(void)
{
	struct vm *vm = vm_create();
	struct vfio *mine, *other;
	struct cpu cpu;
	unsigned int i;

	cpu_start(&cpu, vm, crew_place() + WORKERS);
	for (i = 0; i < 3; i++) {
		mine = open_mine(vm);
		if (mine)
			at_odds(mine);
		/* One VM, two devices: R-7, refused if the first one is open */
		if (!dice(4)) {
			vfio_try(&other, VFIO_BY_GROUP, ANY_OF(mdevs), vm);
			expect(!mine || !other, "R-7: a VM has one device");
			clock_sleep_ms(dice(10));
			if (other)
				vfio_close(other);
		}
		if (mine)
			vfio_close(mine);
	}
	end_cpu(&cpu);
	vm_destroy(vm);
}

/* The VM is closed first, the device is what keeps it. */
static void vmm_backwards(void)
{
	struct vm *vm = vm_create();
	struct vfio *vfio;
	struct cpu cpu;

	cpu_start(&cpu, vm, crew_place() + WORKERS);
	vfio = open_mine(vm);
	if (vfio)
		at_odds(vfio);
	end_cpu(&cpu);
	if (vfio)
		vfio->vm = NULL;
	vm_destroy(vm);
	if (vfio)
		vfio_close(vfio);
}

/*
 * A VMM that has KVM hold the lock of its VM for milliseconds, so that whoever changes what the guest
 * has finds it taken. Without a CPU, or KVM does not take another CPU model.
 */
enum { LATE_CHUNK = 3 };

static unsigned int late_ms;

static void *late_thread(void *uffd)
{
	uint64_t address = late_fault(*(int *)uffd);

	clock_sleep_ms(late_ms);
	late_serve(*(int *)uffd, address);
	return NULL;
}

static void hold_kvm_lock(struct vm *vm)
{
	int uffd = late_memory(vm, LATE_CHUNK);
	pthread_t thread;

	late_ms = dice(60);
	need(!pthread_create(&thread, NULL, late_thread, &uffd), "the VMM has a thread");
	late_hold_kvm_lock(vm, LATE_CHUNK);
	pthread_join(thread, NULL);
	close(uffd);
}

static void holder(void)
{
	struct vm *vm = vm_create_without_cpu();
	struct vfio *vfio = open_mine(vm);
	unsigned int i;

	for (i = 0; vfio && i < 20; i++) {
		hold_kvm_lock(vm);
		clock_sleep_ms(dice(10));
	}
	if (vfio)
		vfio_close(vfio);
	vm_destroy(vm);
}

/* A device that is removed while it is open */
struct removal {
	struct mdev *mdev;
	long rc;
};

static void *remove_thread(void *argument)
{
	struct removal *removal = argument;

	removal->rc = mdev_write(removal->mdev, "remove", "1");
	return NULL;
}

static void leave_when_asked(struct vfio *vfio, struct removal *removal)
{
	pthread_t thread;
	int request = vfio_event_new();

	need_rc(vfio_arm(vfio, AP_IRQ_REQ, request), 0, "the VMM wants to know of requests");
	need(!pthread_create(&thread, NULL, remove_thread, removal), "somebody removes it");
	expect(clock_wait_for(vfio_events(request), BOUND_EVENTUALLY_MS),
	       "C-11: who has the device open is asked for it");
	clock_sleep_ms(dice(30));
	vfio_close(vfio);
	pthread_join(thread, NULL);
	close(request);
	expect_rc(removal->rc, 0, "R-8: closed, it is removed");
}

static void life(void)
{
	struct mdev *mdev = mdev_create();
	struct removal removal = { .mdev = mdev };
	struct vm *vm = vm_create();
	struct vfio *vfio;
	struct cpu cpu;

	mdev_write(mdev, "assign_domain", memo("%d", ANY_OF(domains)));
	mdev_write(mdev, "assign_adapter", memo("%d", ANY_OF(adapters)));
	mdev_write(mdev, "assign_adapter", memo("%d", ANY_OF(adapters)));
	cpu_start(&cpu, vm, crew_place() + WORKERS);
	vfio = vfio_open(dice(2) ? VFIO_BY_GROUP : VFIO_BY_CDEV, mdev, vm);
	clock_sleep_ms(dice(30));
	leave_when_asked(vfio, &removal);
	end_cpu(&cpu);
	vm_destroy(vm);
	expect(!mdev_exists(mdev), "a device that was removed is gone");
}

/* The state as it should be */
struct state {
	bool adapter[IDS], domain[IDS];
};

static bool mask_bit(const char *mask, unsigned int id)
{
	char digit[2] = { mask[2 + id / 4], '\0' };

	return strtoul(digit, NULL, 16) & (8 >> id % 4);
}

static struct state host(void)
{
	char *all = apemu_state(), *rest = all, *line;
	struct state state = { 0 };
	unsigned int id;

	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "card %x", &id) == 1 && id < IDS)
			state.adapter[id] = strstr(line, "config on");
		else if (sscanf(line, "domain %x", &id) == 1 && id < IDS)
			state.domain[id] = true;
	}
	free(all);
	return state;
}

/* What is assigned to the mdev, as far as the host has it */
static struct state assigned(struct mdev *mdev, const struct state *host)
{
	char *config = mdev_read(mdev, "ap_config");
	struct state state = { 0 };
	unsigned int id;

	need_int(strlen(config), 201, "ap_config has three masks");
	for (id = 0; id < IDS; id++) {
		state.adapter[id] = host->adapter[id] && mask_bit(config, id);
		state.domain[id] = host->domain[id] && mask_bit(config + 67, id);
	}
	return state;
}

static bool complete(const struct state *state, int adapter)
{
	unsigned int id;

	for (id = 0; id < IDS; id++)
		if (state->domain[id] && strcmp(apbus_driver(APQN(adapter, id)), "vfio_ap"))
			return false;
	return true;
}

static char *one_adapter(const struct state *state, int adapter)
{
	char *text = memo("%s", "");
	unsigned int id;

	for (id = 0; id < IDS; id++)
		if (state->domain[id])
			text = adapter < 0 ? memo("%s.%04x\n", text, id) :
			       memo("%s%02x.%04x\n", text, adapter, id);
	if (!*text && adapter >= 0)
		text = memo("%02x.\n", adapter);
	return text;
}

/* an adapter is passed if all of its domains are bound. */
static char *passed(struct mdev *mdev)
{
	struct state had = host(), state = assigned(mdev, &had);
	char *text = memo("%s", "");
	unsigned int id;

	for (id = 0; id < IDS; id++)
		if (state.adapter[id] && complete(&state, id))
			text = memo("%s%s", text, one_adapter(&state, id));
	return *text ? text : one_adapter(&state, -1);
}

static void is_shared_by_nobody(struct mdev *one, struct mdev *other, const char *attribute)
{
	char *rest = mdev_read(one, attribute), *theirs = mdev_read(other, attribute), *line;

	while ((line = strsep(&rest, "\n")))
		if (strlen(line) == 7)
			expect(!strstr(theirs, line), "no APQN is in the %s of two: %s", attribute,
			       line);
}

static void check_state(const char *when)
{
	unsigned int i, j;

	for (i = 0; i < GUESTS; i++) {
		char *expected = passed(mdevs[i]);

		clock_wait_for(!strcmp(mdev_read(mdevs[i], "guest_matrix"), expected),
			       BOUND_RETRY_MS);
		if (!expect_str(mdev_read(mdevs[i], "guest_matrix"), expected,
				"R-20: %s, guest_matrix follows from assigned, host and bound",
				when)) {
			ktap_diag("matrix: %s", mdev_read(mdevs[i], "matrix"));
			ktap_diag("withheld: %s", mdev_read(mdevs[i], "withheld"));
		}
		for (j = i + 1; j < GUESTS; j++) {
			is_shared_by_nobody(mdevs[i], mdevs[j], "matrix");
			is_shared_by_nobody(mdevs[i], mdevs[j], "guest_matrix");
		}
	}
}

/* The VMs that KVM has, of whatever process, as a list */
static char *vms(void)
{
	DIR *dir = opendir("/sys/kernel/debug/kvm");
	struct dirent *entry;
	char *list = memo("%s", "");
	int pid, fd;

	while (dir && (entry = readdir(dir)))
		if (sscanf(entry->d_name, "%d-%d", &pid, &fd) == 2)
			list = memo("%s%s ", list, entry->d_name);
	if (dir)
		closedir(dir);
	return list;
}

/* Hardware that works, with the configuration that it has come to */
static void calm(void)
{
	unsigned int i;

	for (i = 0; i < HOST_ADAPTERS; i++) {
		apemu_order("card %d standby off", adapters[i]);
		apemu_order("card %d checkstop off", adapters[i]);
	}
	apemu_do("answer clear");
	apemu_do("reset any polls=0");
	apemu_do("irqdelay any polls=0");
	apbus_scan();
	need_rc(apbus_write("apmask", "0x0"), 0, "the host's drivers get nothing");
}

static void every_queue_can_be_passed(void)
{
	struct vm *vm = vm_create();
	unsigned int i, j;

	apemu_do("factory");
	apbus_scan();
	world_bind_all();
	check_state("with everything there");
	for (i = 0; i < GUESTS; i++)
		need_rc(mdev_write(mdevs[i], "ap_config", ",,\n"), 0, "nothing is assigned");
	for (i = 0; i < HOST_ADAPTERS; i++)
		mdev_set(mdevs[0], "assign_adapter", adapters[i]);
	for (j = 0; j < HOST_DOMAINS; j++)
		mdev_set(mdevs[0], "assign_domain", domains[j]);
	vfio_open(VFIO_BY_GROUP, mdevs[0], vm);
	check_state("with everything assigned to one");
	expect_str(mdev_read(mdevs[0], "withheld"), "", "nothing is withheld");
	for (i = 0; i < HOST_ADAPTERS; i++)
		for (j = 0; j < HOST_DOMAINS; j++) {
			int apqn = APQN(adapters[i], domains[j]);
			struct guest_saw saw = guest_tapq(vm, apqn);

			expect_guest_rc(saw, AP_OK, "the guest has %s", apqn_name(apqn));
			expect(!saw.ir, "R-9: %s comes with its interrupt off", apqn_name(apqn));
			expect_guest_rc(guest_aqic_on(vm, apqn, GUEST_NIB, 3), AP_OK,
					"R-9: the first enable of %s is answered 00",
					apqn_name(apqn));
		}
}

static void settle(void)
{
	char *watching;

	calm();
	clock_wait_for(!*vms(), BOUND_RETRY_MS);
	expect_str(vms(), "", "R-2: nobody keeps a VM whose process is gone (pins %ld)",
		   world_pins());
	check_state("with the host as it was left");
	every_queue_can_be_passed();
	watching = strstr(memo_file("/proc/lockdep_stats"), "debug_locks:");
	if (watching)
		expect_int(strtol(watching + strlen("debug_locks:"), NULL, 10), 1,
			   "lockdep still watches");
}

static void prepare(void)
{
	unsigned int i;

	apemu_need();
	ktap_diag("lab.seed=%u", dice_seed());
	for (i = 0; i < GUESTS; i++)
		mdevs[i] = mdev_create();
	for (i = 0; i < GUESTS; i++)
		mdev_assign(mdevs[i], adapters[i], domains[i]);
}

static void administrators(void)
{
	struct worker workers[] = {
		{ .name = "administrator", .round = administrator },
		{ .name = "administrator", .round = administrator },
		{ .name = "reader", .round = reader },
		{ .name = "creator", .round = creator },
		{ .name = "creator", .round = creator },
		{ .name = "binder", .round = binder },
		{ .name = "masker", .round = masker },
		{ .name = "brake", .round = brake },
	};

	prepare();
	crew_work(workers, ARRAY_SIZE(workers), CREW_MS);
	settle();
}

static void guests(void)
{
	struct worker workers[] = {
		{ .name = "VMM", .round = vmm, .report = tell_aqics },
		{ .name = "VMM that holds kvm->lock", .round = holder },
		{ .name = "VMM that closes its VM first", .round = vmm_backwards,
		  .report = tell_aqics },
		{ .name = "VMM against the first", .round = vmm, .report = tell_aqics },
		{ .name = "administrator", .round = administrator },
		{ .name = "reader", .round = reader },
		{ .name = "binder", .round = binder },
		{ .name = "brake", .round = brake },
	};

	prepare();
	crew_work(workers, ARRAY_SIZE(workers), CREW_MS);
	settle();
}

static void hardware(void)
{
	struct worker workers[] = {
		{ .name = "VMM that is killed", .round = vmm, .killed = true },
		{ .name = "VMM that is killed", .round = vmm_backwards, .killed = true },
		{ .name = "VMM", .round = vmm, .report = tell_aqics },
		{ .name = "administrator", .round = administrator },
		{ .name = "reader", .round = reader },
		{ .name = "plumber", .round = plumber },
		{ .name = "scanner", .round = scanner },
		{ .name = "binder", .round = binder },
		{ .name = "masker", .round = masker },
		{ .name = "brake", .round = brake },
	};

	prepare();
	crew_work(workers, ARRAY_SIZE(workers), CREW_MS);
	settle();
}

static void lives(void)
{
	struct worker workers[] = {
		{ .name = "life of a device", .round = life, .report = tell_aqics },
		{ .name = "life of another", .round = life, .report = tell_aqics },
		{ .name = "VMM", .round = vmm, .report = tell_aqics },
		{ .name = "creator", .round = creator },
		{ .name = "administrator", .round = administrator },
		{ .name = "plumber", .round = plumber },
		{ .name = "scanner", .round = scanner },
		{ .name = "brake", .round = brake },
	};

	prepare();
	crew_work(workers, ARRAY_SIZE(workers), CREW_MS);
	settle();
}

static void liars(void)
{
	struct worker workers[] = {
		{ .name = "adapter that answers anything", .round = liar },
		{ .name = "VMM", .round = vmm, .report = tell_aqics },
		{ .name = "VMM that is killed", .round = vmm, .killed = true },
		{ .name = "VMM that closes its VM first", .round = vmm_backwards,
		  .report = tell_aqics },
		{ .name = "administrator", .round = administrator },
		{ .name = "reader", .round = reader },
		{ .name = "binder", .round = binder },
		{ .name = "scanner", .round = scanner },
		{ .name = "brake", .round = brake },
	};
	int lines;

	prepare();
	lines = kmsg_count("vfio_ap");
	crew_work(workers, ARRAY_SIZE(workers), LIARS_MS);
	lines = kmsg_count("vfio_ap") - lines;
	ktap_diag("%d lines in the kernel log", lines);
	expect_at_most(lines, LIARS_LINES,
		       "R-6: lines in the kernel log, whatever the adapters answer");
	settle();
}

static const struct ktap_case cases[] = {
	{ "R-1, R-20: administrators against each other and the host", administrators },
	{ "R-2, R-3: guests against administrators and slow resets", guests },
	{ "R-4, R-20: guests against a host that changes under them", hardware },
	{ "R-1, R-8: devices that are removed while they are open", lives },
	{ "R-2, R-4, R-6: guests and administrators against adapters that answer anything", liars },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
