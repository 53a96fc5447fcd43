// SPDX-License-Identifier: GPL-2.0-only
/*
 * fail_nth - what happens when memory cannot be had: every operation again and again, and each time
 * the next allocation (or copy from or to user space) of it fails
 *
 * The kernel's fault injection counts for one thread, so what fails is the system call in question
 * and nothing else. An operation that fails has changed nothing; one that succeeds all the same has
 * done all of it; whatever it did can be undone.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>

#include "dice.h"
#include "module.h"
#include "story.h"

#define QUEUE	APQN(CARD_5, DOMAIN_4)
#define FAULTS	"/sys/kernel/debug/"

enum { MANY = 2000, PLENTY = 1000000, SAMPLES = 14 };

struct operation {
	const char *name;
	void (*prepare)(void);		/* may be NULL */
	long (*run)(void);		/* one system call: 0 or -errno */
	void (*undo)(void);		/* what run() did; may be NULL */
	bool never_fails;		/* what cannot be refused: close, unbind, ... */
};

static struct scene scene;
static int nth_file = -1, file = -1, event = -1;

static void close_file(void)
{
	if (file >= 0)
		close(file);
	file = -1;
}

/* Quiet, and also for those who could wait for memory */
static void faults_on(void)
{
	static const char * const settings[][2] = {
		{ "failslab/verbose", "0" }, { "failslab/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/verbose", "0" }, { "fail_page_alloc/ignore-gfp-wait", "N" },
		{ "fail_page_alloc/min-order", "0" }, { "fail_usercopy/verbose", "0" },
	};
	unsigned int i;

	if (!file_exists("/proc/thread-self/fail-nth"))
		ktap_skip("the kernel has no fault injection");
	apemu_need();
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		need_rc(file_write_text(memo(FAULTS "%s", settings[i][0]), settings[i][1]), 0,
			"fault injection can be told %s", settings[i][0]);
	if (nth_file < 0)
		nth_file = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	need(nth_file >= 0, "faults can be asked for");
	/* A case that was given up has left its own. */
	close_file();
}

static void arm(unsigned int nth)
{
	char text[16];
	int tries, length = snprintf(text, sizeof(text), "%u", nth);

	/* What is left of the count before may be used up by this one. */
	for (tries = 0; tries < 3; tries++)
		if (pwrite(nth_file, text, length, 0) == length)
			return;
	need(false, "a fault can be asked for");
}

/* Did it fail? The count that is left says so; to tell it may be what fails. */
static bool was_injected(void)
{
	char text[16] = "";
	ssize_t length = pread(nth_file, text, sizeof(text) - 1, 0);

	arm(0);
	return length > 0 && !strtoul(text, NULL, 10);
}

static long sys(long rc)
{
	return rc < 0 ? -errno : 0;
}

/* Everything that anybody can see of the mdev and its queue */
static char *sight(void)
{
	return memo("%swithheld:\n%sstatus: %s", scene.mdev ? mdev_sight(scene.mdev) : "",
		    scene.mdev ? mdev_read(scene.mdev, "withheld") : "", apbus_status(QUEUE));
}

static bool says_why(long rc)
{
	/* A copy that failed is EFAULT. */
	return rc == -ENOMEM || rc == -EFAULT;
}

static bool fails_at(const struct operation *op, unsigned int nth, unsigned int *failed)
{
	char *before;
	bool injected;
	long rc;

	if (op->prepare)
		op->prepare();
	before = sight();
	arm(nth);
	rc = op->run();
	injected = was_injected();
	if (!injected || op->never_fails)
		expect_rc(rc, 0, "%s works (fault %u)", op->name, nth);
	if (rc) {
		++*failed;
		expect(says_why(rc), "%s says why it failed at fault %u (%s)", op->name, nth,
		       errno_name(rc));
		expect_str(sight(), before, "%s has changed nothing at fault %u", op->name, nth);
	} else if (op->undo) {
		op->undo();
	}
	memo_forget_all();
	return injected;
}

static void sweep(const struct operation *op)
{
	unsigned int nth, failed = 0;

	for (nth = 1; nth < MANY && fails_at(op, nth, &failed); nth++)
		if (ktap_case_failed())
			break;
	ktap_diag("%s: %u faults, %u failures", op->name, nth - 1, failed);
	expect(nth < MANY, "%s comes to an end", op->name);
	if (!op->never_fails)
		expect_at_least(nth, 2, "%s was hit by a fault at all", op->name);
	close_file();
}

static void sweep_all(const struct operation *ops, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count && !ktap_case_failed(); i++)
		sweep(&ops[i]);
}

#define SWEEP(ops) sweep_all(ops, ARRAY_SIZE(ops))

/* Attributes. The file is opened before, because opening is not the driver's. */
static void open_attribute(const char *name, int mode)
{
	if (file < 0)
		file = open(mdev_path(scene.mdev, name), mode | O_CLOEXEC);
	need(file >= 0, "'%s' can be opened", name);
}

static long write_file(const char *text, size_t length)
{
	ssize_t written = pwrite(file, text, length, 0);

	return written < 0 ? -errno : 0;
}

static long read_file(void)
{
	static char buffer[4096];

	memset(buffer, 0, sizeof(buffer));
	return sys(pread(file, buffer, sizeof(buffer), 0));
}

#define ATTRIBUTE(name, text, opposite)						\
static void name##_prepare(void)						\
{										\
	open_attribute(#name, O_WRONLY);					\
}										\
static long name##_run(void)							\
{										\
	return write_file(text, sizeof(text) - 1);				\
}										\
static void name##_undo(void)							\
{										\
	need_rc(mdev_write(scene.mdev, opposite, text), 0, "%s can be undone", #name);	\
}

#define ATTRIBUTE_OPERATION(name) { #name, name##_prepare, name##_run, name##_undo, false }

ATTRIBUTE(assign_adapter, "1", "unassign_adapter")
ATTRIBUTE(assign_domain, "0x47", "unassign_domain")
ATTRIBUTE(assign_control_domain, "4", "unassign_control_domain")
ATTRIBUTE(unassign_adapter, "5", "assign_adapter")
ATTRIBUTE(unassign_domain, "4", "assign_domain")
ATTRIBUTE(unassign_control_domain, "0x11", "assign_control_domain")

#define MASK_4 "0x08" "00000000000000000000000000000000000000000000000000000000000000"
#define MASK_5 "0x04" "00000000000000000000000000000000000000000000000000000000000000"
#define MASK_11 "0x000040" "0000000000000000000000000000000000000000000000000000000000"
#define MASK_ALL "0xfe" "00000000000000000000000000000000000000000000000000000000000000"

static void ap_config_prepare(void)
{
	open_attribute("ap_config", O_RDWR);
}

static long ap_config_run(void)
{
	static const char text[] = MASK_ALL "," MASK_4 "," MASK_ALL;

	return write_file(text, sizeof(text) - 1);
}

static void ap_config_undo(void)
{
	need_rc(mdev_write(scene.mdev, "ap_config", MASK_5 "," MASK_4 "," MASK_11), 0,
		"ap_config can be undone");
}

static void attributes(void)
{
	static const struct operation ops[] = {
		ATTRIBUTE_OPERATION(assign_adapter),
		ATTRIBUTE_OPERATION(assign_domain),
		ATTRIBUTE_OPERATION(assign_control_domain),
		ATTRIBUTE_OPERATION(unassign_adapter),
		ATTRIBUTE_OPERATION(unassign_domain),
		ATTRIBUTE_OPERATION(unassign_control_domain),
		ATTRIBUTE_OPERATION(ap_config),
	};

	faults_on();
	scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	mdev_set(scene.mdev, "assign_control_domain", DOMAIN_11);
	SWEEP(ops);
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_OK, "the guest has its queue");
}

#define READING(name)								\
static void name##_prepare(void)						\
{										\
	open_attribute(#name, O_RDONLY);					\
}

#define READ_OPERATION(name) { "reading " #name, name##_prepare, read_file, NULL, false }

READING(matrix)
READING(guest_matrix)
READING(withheld)
READING(control_domains)

static void status_prepare(void)
{
	if (file < 0)
		file = open("/sys/bus/ap/devices/05.0004/status", O_RDONLY | O_CLOEXEC);
	need(file >= 0, "the status can be opened");
}

static void listings(void)
{
	static const struct operation ops[] = {
		READ_OPERATION(matrix), READ_OPERATION(guest_matrix), READ_OPERATION(withheld),
		READ_OPERATION(control_domains), READ_OPERATION(ap_config),
		READ_OPERATION(status),
	};

	faults_on();
	scene.mdev = mdev_create();
	mdev_assign(scene.mdev, CARD_5, DOMAIN_4);
	mdev_set(scene.mdev, "assign_adapter", 0x66);
	mdev_set(scene.mdev, "assign_control_domain", DOMAIN_11);
	SWEEP(ops);
}

/* The VMM: all but the last step is done before, without faults. */
static void open_prepare(void)
{
	scene.vfio->device = -1;
}

static long open_run(void)
{
	scene.vfio->device = ioctl(scene.vfio->group, VFIO_GROUP_GET_DEVICE_FD, scene.mdev->uuid);
	return sys(scene.vfio->device);
}

static void close_device(void)
{
	need(!close(scene.vfio->device), "the device can be closed");
	scene.vfio->device = -1;
}

static void open_device(void)
{
	need_rc(open_run(), 0, "the device can be opened");
}

static long close_run(void)
{
	return sys(close(scene.vfio->device));
}

static void opening_by_group(void)
{
	static const struct operation ops[] = {
		{ "opening", open_prepare, open_run, close_device, false },
		{ "closing", open_device, close_run, NULL, true },
	};

	faults_on();
	scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	close_device();
	SWEEP(ops);
	open_device();
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, 3), AP_OK,
			"R-9: after all that, the guest enables");
}

static long arm_run(void)
{
	return vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, event);
}

static void disarm(void)
{
	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, -1), 0, "the event can be disarmed");
}

static long reset_run(void)
{
	return vfio_reset(scene.vfio);
}

static long info_run(void)
{
	static struct vfio_device_info info;

	info.argsz = sizeof(info);
	return vfio_ioctl(scene.vfio, VFIO_DEVICE_GET_INFO, &info);
}

static long unmap_run(void)
{
	return vfio_unmap(scene.vfio, 2);
}

/* Memory that is unmapped often is not used for indicators for a while. */
static void unmap_prepare(void)
{
	need(clock_wait_for(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB_FAR, 3).rc == AP_OK,
			    BOUND_EVENTUALLY_MS), "the guest enables");
}

static void map(void)
{
	need_rc(vfio_map(scene.vfio, 2), 0, "memory can be mapped again");
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_OK, "the queue is there");
	expect(clock_wait_for(!apemu_irq(QUEUE).on, BOUND_EVENTUALLY_MS),
	       "R-5: unmapped, the interrupt is off");
}

static void requests(void)
{
	static const struct operation ops[] = {
		{ "arming an event", NULL, arm_run, disarm, false },
		{ "asking what it is", NULL, info_run, NULL, false },
	};

	faults_on();
	scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	event = vfio_event_new();
	SWEEP(ops);
	close(event);
}

static void unmapping(enum vfio_path path)
{
	unsigned int nth;
	bool injected = true;
	long rc, pins;

	faults_on();
	scene = scene_quiet(path, CARD_5, DOMAIN_4);
	pins = world_pins();
	for (nth = 1; injected && nth < MANY && !ktap_case_failed(); nth++) {
		unmap_prepare();
		arm(nth);
		rc = unmap_run();
		injected = was_injected();
		expect(!rc || says_why(rc), "unmapping says why it failed at fault %u (%s)", nth,
		       errno_name(rc));
		/* Iommufd may have done it, and failed to tell how much it was. */
		if (rc) {
			rc = unmap_run();
			expect(!rc || rc == -ENOENT, "unmapping works the next time (%s)",
			       errno_name(rc));
		}
		expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
		       "R-2: fault %u: the page is released", nth);
		map();
	}
	ktap_diag("unmapping: %u faults", nth - 1);
	expect_rc(reset_run(), 0, "the device can be reset");
}

static void unmapping_by_group(void)
{
	unmapping(VFIO_BY_GROUP);
}

static void unmapping_by_cdev(void)
{
	unmapping(VFIO_BY_CDEV);
}

/* AQIC: the guest sees 06 if there is no memory for its indicator. KVM itself may fail as well. */
static bool aqic_at(unsigned int nth, bool on, long pins, unsigned int *answers)
{
	enum vm_exit left;
	struct guest_saw saw;
	bool injected;

	guest_aqic_prepare(scene.vm, QUEUE, GUEST_NIB, on);
	arm(nth);
	left = vm_run_only(scene.vm);
	injected = was_injected();
	if (left != VM_LEFT || scene.vm->run->exit_reason != KVM_EXIT_S390_SIEIC)
		return injected;
	saw = guest_aqic_look(scene.vm, left);
	if (saw.end != GUEST_DONE)
		return injected;
	++*answers;
	if (on && saw.rc == AP_OK)
		expect_int(world_pins(), pins + 1, "R-2: fault %u: enabled, a page is pinned",
			   nth);
	/* 05: the driver has no memory; 06: VFIO has none, so the page is not pinned */
	else if (on && expect(saw.rc == 0x05 || saw.rc == AP_BAD_NIB,
			      "R-29: fault %u: no memory (answered %02x)", nth, saw.rc))
		expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
		       "R-2: fault %u: nothing is pinned", nth);
	if (!on)
		expect_hex(saw.rc, AP_OK, "fault %u: disabling never fails", nth);
	return injected;
}

/* A queue keeps the memory for an indicator that was given up; a new one has none. */
static void bind_anew(void)
{
	need_rc(apbus_unbind(QUEUE), 0, "the queue can be unbound");
	need_rc(apbus_bind(QUEUE, "vfio_ap"), 0, "the queue can be bound again");
	need(clock_wait_for(!strcmp(apbus_status(QUEUE), "in use\n"), BOUND_EVENTUALLY_MS),
	     "the guest has it back");
}

static void aqic(enum vfio_path path)
{
	unsigned int nth, answers = 0;
	bool injected = true;
	long pins;

	faults_on();
	scene = scene_quiet(path, CARD_5, DOMAIN_4);
	pins = world_pins();
	for (nth = 1; injected && nth < MANY && !ktap_case_failed(); nth++) {
		bind_anew();
		injected = aqic_at(nth, true, pins, &answers);
		need_rc(vfio_reset(scene.vfio), 0, "the device can be reset");
		expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
		       "R-2: fault %u: nothing stays pinned", nth);
	}
	ktap_diag("enabling: %u faults, %u answers", nth - 1, answers);
	expect_at_least(answers, 3, "the guest got answers");
	for (nth = 1, injected = true; injected && nth < MANY && !ktap_case_failed(); nth++) {
		need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, 3), AP_OK,
			      "the guest enables");
		injected = aqic_at(nth, false, pins, &answers);
		guest_aqic_off(scene.vm, QUEUE);
		expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
		       "R-2: fault %u: nothing stays pinned", nth);
	}
	ktap_diag("disabling: %u faults", nth - 1);
}

static void aqic_by_group(void)
{
	aqic(VFIO_BY_GROUP);
}

static void aqic_by_cdev(void)
{
	aqic(VFIO_BY_CDEV);
}

/* The host: bind, unbind, masks */
static void driver_file(const char *name)
{
	if (file < 0)
		file = open(name, O_WRONLY | O_CLOEXEC);
	need(file >= 0, "%s can be opened", name);
}

static void is_passed(void)
{
	expect(mdev_becomes(scene.mdev, "guest_matrix", "05.0004\n"), "the guest has its queue");
}

static void bind_prepare(void)
{
	driver_file("/sys/bus/ap/drivers/vfio_ap/bind");
	if (!strcmp(apbus_driver(QUEUE), "vfio_ap"))
		need_rc(apbus_unbind(QUEUE), 0, "the queue is unbound");
}

static long bind_run(void)
{
	return write_file("05.0004", 7);
}

static void unbind_prepare(void)
{
	driver_file("/sys/bus/ap/drivers/vfio_ap/unbind");
	if (strcmp(apbus_driver(QUEUE), "vfio_ap"))
		need_rc(apbus_bind(QUEUE, "vfio_ap"), 0, "the queue is bound");
	is_passed();
	guest_aqic_off(scene.vm, QUEUE);
	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, 3), AP_OK, "the guest enables");
}

static void bind_again(void)
{
	need_rc(apbus_bind(QUEUE, "vfio_ap"), 0, "the queue is bound again");
}

static void apmask_prepare(void)
{
	driver_file("/sys/bus/ap/apmask");
}

/* The host would take a queue back that is assigned: refused, for whatever reason comes first */
static long apmask_run(void)
{
	long rc = write_file("+5", 2);

	return rc == -EBUSY ? 0 : rc;
}

static void host(void)
{
	static const struct operation ops[] = {
		{ "binding", bind_prepare, bind_run, is_passed, false },
		{ "unbinding", unbind_prepare, bind_run, bind_again, false },
		{ "taking the adapter for the host", apmask_prepare, apmask_run, NULL, false },
	};

	faults_on();
	scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	SWEEP(ops);
	is_passed();
}

/*
 * Which fault hits what? A run without one, with probes: each line of the trace is something that
 * could have failed, or a place that is looked for.
 */
#define TRACING		"/sys/kernel/tracing/"

static void trace(const char *name, const char *text)
{
	need_rc(file_write_text(memo(TRACING "%s", name), text), 0, "'echo %s >%s' works", text,
		name);
}

/* These files are emptied by opening them, as the shell does. */
static void trace_clear(const char *name)
{
	int fd = open(memo(TRACING "%s", name), O_WRONLY | O_TRUNC | O_CLOEXEC);

	need(fd >= 0, "'>%s' works", name);
	close(fd);
}

static char *traced(long (*run)(void), const char *probes)
{
	char *text;

	trace("kprobe_events", memo("p:nth/fault should_fail_ex\n%s", probes));
	trace("set_event_pid", memo("%d", gettid()));
	trace("events/nth/enable", "1");
	arm(PLENTY);
	need_rc(run(), 0, "without a fault it works");
	arm(0);
	trace("events/nth/enable", "0");
	text = memo_file(TRACING "trace");
	trace_clear("trace");
	trace_clear("kprobe_events");
	trace_clear("set_event_pid");
	return text;
}

/* How many faults come before this in the trace? All of them, if it does not happen. */
static unsigned int faults_before(const char *text, const char *event)
{
	const char *end = strstr(text, event), *at;
	unsigned int faults = 0;

	for (at = text; (at = strstr(at, " fault: ")) && (!end || at < end); at++)
		faults++;
	return faults;
}

/*
 * Creating a device. Two places of Linux 6.12 do not survive a failure, and are none of ours:
 * vfio_create_group() warns when it cannot name or add the group (its device is released with the
 * IOMMU group still in it), and mdev_device_create() loses one of the available instances when it
 * has no memory for the first object. The first is left out: it is known by the first call of
 * cdev_device_add(). The second is let happen, once.
 */
#define NEW_UUID	"7f5e3a0c-7666-4961-8070-000000000001"

enum {
	NAMES = 2,	/* allocations for the name of a device, right before it is added */
	MORE_OR_LESS = 5, /* a run differs from the last one: a slab is full, a list has to grow */
};

static long create_run(void)
{
	return write_file(NEW_UUID, sizeof(NEW_UUID) - 1);
}

static void remove_created(void)
{
	need_rc(file_write_text(MATRIX_DEVICE "/" NEW_UUID "/remove", "1"), 0,
		"what was created can be removed");
}

/* Which faults would hit vfio_create_group()? */
static void find_group(unsigned int *first, unsigned int *last)
{
	char *text = traced(create_run, "p:nth/add cdev_device_add\nr:nth/added cdev_device_add\n");

	*first = faults_before(text, " add: ") + 1 - NAMES;
	*last = faults_before(text, " added: ");
	need(*first > 1 + MORE_OR_LESS && *last > *first && strstr(text, " added: "),
	     "the group is made between two faults (%u to %u)", *first, *last);
	*first -= MORE_OR_LESS;
	*last += MORE_OR_LESS;
	remove_created();
}

static long available(void)
{
	return strtol(memo_file(MDEV_TYPE "/available_instances"), NULL, 10);
}

static void creating(void)
{
	unsigned int nth, first, last, failed = 0;
	bool injected = true;
	long before;
	long rc;

	faults_on();
	before = available();
	driver_file(MDEV_TYPE "/create");
	find_group(&first, &last);
	ktap_diag("creating: faults %u to %u are left out", first, last);
	for (nth = 1; injected && nth < MANY && !ktap_case_failed(); nth++) {
		if (nth == first)
			nth = last + 1;
		arm(nth);
		rc = create_run();
		injected = was_injected();
		if (!rc) {
			remove_created();
		} else {
			failed++;
			expect(says_why(rc), "creating says why it failed at fault %u (%s)", nth,
			       errno_name(rc));
		}
		expect(!file_exists(MATRIX_DEVICE "/" NEW_UUID), "fault %u: nothing is left", nth);
		expect(!file_exists("/sys/bus/mdev/devices/" NEW_UUID),
		       "fault %u: nothing is left on the bus", nth);
		expect_at_least(available(), before - 1, "C-3: fault %u: instances come back",
				nth);
		memo_forget_all();
	}
	close_file();
	ktap_diag("creating: %u faults, %u failures", nth - 1, failed);
	scene = scene_quiet(VFIO_BY_CDEV, CARD_5, DOMAIN_4);
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, 3), AP_OK,
			"after all that, a device can be created and used");
}

/*
 * The module. What comes before the first call of the driver, debug_register(), is the module
 * loader's: tracing warns when it has no memory for the events of a module. Loading may also succeed
 * without a queue that could not be bound.
 */
static void is_gone(unsigned int nth)
{
	static const char * const paths[] = {
		"/sys/devices/vfio_ap", "/sys/bus/matrix", "/sys/class/mdev_bus/matrix",
		"/sys/bus/ap/drivers/vfio_ap", "/sys/bus/mdev/drivers/vfio_ap_mdev",
		"/sys/kernel/debug/s390dbf/vfio_ap", MODULE_DIR,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(paths); i++)
		expect(!file_exists(paths[i]), "R-28: fault %u: %s is gone", nth, paths[i]);
}

static void load_at(unsigned int nth, unsigned int *failed)
{
	int lines = kmsg_count("vfio_ap: not loaded");
	long rc;

	arm(nth);
	rc = module_load();
	was_injected();
	if (!rc) {
		need_rc(module_unload(), 0, "fault %u: loaded, it can be unloaded", nth);
	} else {
		++*failed;
		/* The debug feature says ENOENT. */
		expect(says_why(rc) || rc == -ENOENT, "R-28: fault %u: why it is not loaded (%s)",
		       nth, errno_name(rc));
		expect_at_most(kmsg_count("vfio_ap: not loaded") - lines, 1,
			       "R-28: fault %u: lines that say so", nth);
	}
	is_gone(nth);
	memo_forget_all();
}

/* All would take minutes: some of them, others with another seed */
static unsigned int stride(unsigned int count)
{
	return count / SAMPLES + 1;
}

static void loading(void)
{
	unsigned int nth, first, last, step, tried = 0, failed = 0;
	char *text;

	faults_on();
	need_rc(module_unload(), 0, "the module can be unloaded");
	text = traced(module_load, "p:nth/init debug_register\n");
	first = faults_before(text, " init: ") + 1;
	last = faults_before(text, " nothing: ");
	need(last > first, "the driver's first call is seen");
	need_rc(module_unload(), 0, "the module can be unloaded");
	step = stride(last - first);
	for (nth = first + dice_seed() % step; nth <= last && !ktap_case_failed();
	     nth += step, tried++)
		load_at(nth, &failed);
	ktap_diag("loading: %u of faults %u to %u, %u failures", tried, first, last, failed);
	need_rc(module_load(), 0, "after all that the module can be loaded");
	world_bind_all();
}

static void unload_at(unsigned int nth)
{
	long rc;

	need_rc(module_load(), 0, "the module can be loaded");
	arm(nth);
	rc = module_unload();
	was_injected();
	/* Its name is copied from user space. */
	if (rc == -EFAULT)
		rc = module_unload();
	expect_rc(rc, 0, "fault %u: unloading is not refused", nth);
	is_gone(nth);
	memo_forget_all();
}

static void unloading(void)
{
	unsigned int nth, total, tried = 0;

	faults_on();
	total = faults_before(traced(module_unload, ""), " nothing: ");
	for (nth = 1 + dice_seed() % stride(total); nth <= total && !ktap_case_failed();
	     nth += stride(total), tried++)
		unload_at(nth);
	ktap_diag("unloading: %u of %u faults", tried, total);
	need_rc(module_load(), 0, "after all that the module can be loaded");
	world_bind_all();
}

static const struct ktap_case cases[] = {
	{ "R-21: attributes without memory: nothing changes", attributes },
	{ "C-4: listings without memory", listings },
	{ "R-2: open and close without memory (group)", opening_by_group },
	{ "C-11: requests of a VMM without memory", requests },
	{ "R-2: AQIC without memory (group)", aqic_by_group },
	{ "R-2: AQIC without memory (cdev)", aqic_by_cdev },
	{ "R-2: unmap without memory (group)", unmapping_by_group },
	{ "R-2: unmap without memory (cdev)", unmapping_by_cdev },
	{ "R-1, R-20: bind, unbind and masks without memory", host },
	{ "C-3: create without memory", creating },
	{ "R-28: load without memory", loading },
	{ "R-28: unload without memory", unloading },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
