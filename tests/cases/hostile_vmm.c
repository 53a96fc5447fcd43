// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile_vmm - user space that makes the kernel wait for it, in every place where it can
 *
 * Its memory is served by userfaultfd: late, or never. So whoever in the kernel touches it sleeps
 * until the VMM likes, or is killed. That must be the VMM's own trouble.
 */

#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "bystander.h"
#include "crew.h"
#include "late.h"
#include "story.h"

#define QUEUE		APQN(CARD_5, DOMAIN_4)
#define SECOND		APQN(CARD_5, DOMAIN_47)
#define STUCK_CHUNK	3
#define STUCK		(STUCK_CHUNK * VM_CHUNK)
#define STUCK_NIB	(STUCK + 0x7008UL)

enum { ISC = 3 };

/* What the VMM, a process of its own, and the test tell each other */
struct stage {
	int faults;		/* somebody waits for memory */
	int answers;		/* AQICs that were answered */
	unsigned int rc;	/* the last answer */
	bool serve;		/* the VMM is to serve its memory */
	bool once_more;		/* and its guest to try again */
	bool asked;		/* the VMM was asked for its device */
};

static struct stage *stage;
static struct mdev *mdev;
static struct scene other;

#define SEE(what)		__atomic_load_n(&(what), __ATOMIC_ACQUIRE)
#define TELL(what, value)	__atomic_store_n(&(what), value, __ATOMIC_RELEASE)

static void set_up(void)
{
	other = scene_quiet(VFIO_BY_GROUP, CARD_1, DOMAIN_47);
	mdev = mdev_create();
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	need(stage != MAP_FAILED, "there is memory for two processes");
}

/* The VMM's side */
static void *memory_thread(void *argument)
{
	int uffd = (int)(long)argument;
	uint64_t address;

	for (;;) {
		address = late_fault(uffd);
		TELL(stage->faults, SEE(stage->faults) + 1);
		while (!SEE(stage->serve))
			clock_sleep_ms(2);
		late_serve(uffd, address);
	}
	return NULL;
}

static void make_memory_stuck(struct vm *vm)
{
	int uffd = late_memory(vm, STUCK_CHUNK);
	pthread_t thread;

	need(!pthread_create(&thread, NULL, memory_thread, (void *)(long)uffd),
	     "the VMM has a thread");
}

/*
 * Only iommufd waits. Type 1 does not let go of the address space while it pins, so for it such
 * memory cannot be had, which a kernel with DEBUG_VM finds worth a stack trace.
 */
static void enables_in_stuck_memory(void)
{
	struct vm *vm = vm_create();

	vfio_open(VFIO_BY_CDEV, mdev, vm);
	make_memory_stuck(vm);
	TELL(stage->rc, guest_aqic_on(vm, QUEUE, STUCK_NIB, ISC).rc);
	TELL(stage->answers, 1);
	while (!SEE(stage->once_more))
		clock_sleep_ms(2);
	TELL(stage->rc, guest_aqic_on(vm, QUEUE, STUCK_NIB, ISC).rc);
	TELL(stage->answers, 2);
}

static struct vfio *device;

static void *unmap_thread(void *unused)
{
	vfio_unmap(device, STUCK_CHUNK);
	return unused;
}

static void *close_thread(void *unused)
{
	close(device->device);
	return unused;
}

static void *detach_thread(void *unused)
{
	vfio_detach(device);
	return unused;
}

static void *enable_thread(void *vm)
{
	guest_aqic_on(vm, QUEUE, STUCK_NIB, ISC);
	return NULL;
}

/* A pin that hangs, and two threads of the same VMM that have to wait for its end */
static void leaves_while_pinning(void)
{
	void *(*const leave[])(void *) = { unmap_thread, close_thread };
	struct vm *vm = vm_create();
	pthread_t thread;
	unsigned int i;

	device = vfio_open(VFIO_BY_CDEV, mdev, vm);
	need_guest_rc(guest_aqic_on(vm, SECOND, GUEST_NIB, ISC), AP_OK,
		      "the guest has another interrupt on");
	make_memory_stuck(vm);
	need(!pthread_create(&thread, NULL, enable_thread, vm), "the guest runs");
	while (!SEE(stage->faults))
		clock_sleep_ms(2);
	for (i = 0; i < ARRAY_SIZE(leave); i++)
		need(!pthread_create(&thread, NULL, leave[i], NULL), "the VMM has threads");
}

/* The same for a device that leaves its address space */
static void detaches_while_pinning(void)
{
	struct vm *vm = vm_create();
	pthread_t thread;

	device = vfio_open(VFIO_BY_CDEV, mdev, vm);
	make_memory_stuck(vm);
	need(!pthread_create(&thread, NULL, enable_thread, vm), "the guest runs");
	while (!SEE(stage->faults))
		clock_sleep_ms(2);
	need(!pthread_create(&thread, NULL, detach_thread, NULL), "the VMM has threads");
}

static void holds_kvm_lock(void)
{
	struct vm *vm = vm_create_without_cpu();

	vfio_open(VFIO_BY_GROUP, mdev, vm);
	make_memory_stuck(vm);
	late_hold_kvm_lock(vm, STUCK_CHUNK);
}

static void *asked_thread(void *event)
{
	while (!vfio_events((int)(long)event))
		clock_sleep_ms(2);
	TELL(stage->asked, true);
	return NULL;
}

static void holds_kvm_lock_armed(void)
{
	struct vm *vm = vm_create_without_cpu();
	int event = vfio_event_new();
	pthread_t thread;

	device = vfio_open(VFIO_BY_GROUP, mdev, vm);
	need_rc(vfio_arm(device, AP_IRQ_REQ, event), 0, "the VMM wants to know when to let go");
	need(!pthread_create(&thread, NULL, asked_thread, (void *)(long)event),
	     "the VMM has another thread");
	make_memory_stuck(vm);
	late_hold_kvm_lock(vm, STUCK_CHUNK);
}

static void *reset_thread(void *unused)
{
	while (!SEE(stage->serve))
		vfio_reset(device);
	return unused;
}

static void asks_with_stuck_memory(void)
{
	struct vm *vm = vm_create();
	pthread_t thread;

	device = vfio_open(VFIO_BY_CDEV, mdev, vm);
	make_memory_stuck(vm);
	need(!pthread_create(&thread, NULL, reset_thread, NULL), "the VMM has another thread");
	vfio_ioctl(device, VFIO_DEVICE_SET_IRQS, vm->memory + STUCK);
}

static void sits_on_its_device(void)
{
	struct vm *vm = vm_create();

	vfio_open(VFIO_BY_CDEV, mdev, vm);
	expect_guest_rc(guest_aqic_on(vm, QUEUE, GUEST_NIB, ISC), AP_OK, "the guest enables");
	TELL(stage->answers, 1);
}

static void *story_thread(void *story)
{
	((void (*)(void))story)();
	for (;;)
		pause();
	return NULL;
}

/* What is needed gives up a thread; so the story is not told by the first one of its process. */
static pid_t vmm_start(void (*story)(void))
{
	pthread_t thread;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		close_range(3, ~0U, 0);
		/* It must not outlive a test that is given up. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!pthread_create(&thread, NULL, story_thread, story))
			pthread_join(thread, NULL);
		fflush(stdout);
		_exit(1);
	}
	need(pid > 0, "the test can fork");
	return pid;
}

static void vmm_dies(pid_t pid)
{
	int status;

	kill(pid, SIGKILL);
	if (!crew_ends(pid, "a VMM that is killed", &status))
		return;
	expect(WIFSIGNALED(status), "it was alive until then");
	expect(clock_wait_for(!vm_left_over_of(pid), BOUND_EVENTUALLY_MS),
	       "R-2: nobody keeps its VM");
}

/* The test's side */
static pid_t vmm_waits(void (*story)(void))
{
	pid_t pid;

	set_up();
	pid = vmm_start(story);
	need(clock_wait_for(SEE(stage->faults), BOUND_EVENTUALLY_MS),
	     "somebody in the kernel waits for memory of the VMM");
	return pid;
}

static void bounded(const char *what, long begun)
{
	expect_at_most(clock_ms() - begun, BOUND_RESET_WAIT_MS + BOUND_RESET_SLACK_MS,
		       "R-11: %s is bounded (ms)", what);
}

/* The same mdev, as long as nobody needs the lock that the VMM makes somebody hold */
static void same_device_goes_on(void)
{
	long begun = clock_ms();

	mdev_set(mdev, "assign_domain", DOMAIN_47);
	bystander_unbothered("assigning to the same device", begun);
	expect_str(mdev_read(mdev, "guest_matrix"), "05.0004\n05.0047\n", "the guest gets it");
	begun = clock_ms();
	mdev_set(mdev, "unassign_domain", DOMAIN_4);
	bystander_unbothered("unassigning the queue in question", begun);
	expect_str(mdev_read(mdev, "guest_matrix"), "05.0047\n", "the guest loses it");
	begun = clock_ms();
	need_rc(apbus_unbind(QUEUE), 0, "the queue in question can be unbound");
	need_rc(apbus_bind(QUEUE, "vfio_ap"), 0, "and bound");
	bystander_unbothered("unbinding and binding the queue in question", begun);
	mdev_set(mdev, "assign_domain", DOMAIN_4);
}

static void removed_in_the_end(void)
{
	long begun = clock_ms();

	expect_rc(mdev_remove(mdev), 0, "the device can be removed");
	bounded("removing it", begun);
}

static void pin_never_served(void)
{
	long pins;
	pid_t pid = vmm_waits(enables_in_stuck_memory);

	pins = world_pins();
	bystander_goes_on(&other);
	same_device_goes_on();
	expect_int(SEE(stage->answers), 0, "the guest still waits for its answer");
	vmm_dies(pid);
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: nothing was pinned");
	bystander_goes_on(&other);
	removed_in_the_end();
}

static void pin_never_ends(void)
{
	struct mdev_job *remove;
	long pins = 0;
	pid_t pid;

	set_up();
	mdev_set(mdev, "assign_domain", DOMAIN_47);
	pins = world_pins();
	pid = vmm_start(leaves_while_pinning);
	need(clock_wait_for(SEE(stage->faults), BOUND_EVENTUALLY_MS),
	     "somebody in the kernel waits for memory of the VMM");
	clock_sleep_ms(BOUND_NEVER_MS);
	bystander_goes_on(&other);
	mdev_set(mdev, "unassign_domain", DOMAIN_4);
	expect(apemu_irq(SECOND).on, "what the guest has besides stays as it is");
	remove = mdev_begin(mdev, "remove", "1");
	expect(clock_wait_for(!apemu_irq(SECOND).on, BOUND_EVENTUALLY_MS),
	       "R-8: a guest whose device is to be removed loses its queues");
	bystander_goes_on(&other);
	vmm_dies(pid);
	expect_rc(mdev_end(remove, NULL), 0, "then it is removed");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: nothing stays pinned");
}

static void pin_never_ends_for_detach(void)
{
	pid_t pid = vmm_waits(detaches_while_pinning);
	long pins = world_pins();

	clock_sleep_ms(BOUND_NEVER_MS);
	bystander_goes_on(&other);
	vmm_dies(pid);
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: nothing stays pinned");
	removed_in_the_end();
}

static void pin_served_late(void)
{
	pid_t pid = vmm_waits(enables_in_stuck_memory);
	long pins = world_pins();

	mdev_set(mdev, "unassign_domain", DOMAIN_4);
	TELL(stage->serve, true);
	need(clock_wait_for(SEE(stage->answers) == 1, BOUND_EVENTUALLY_MS), "the guest gets its answer");
	expect_hex(SEE(stage->rc), AP_NOT_AVAILABLE, "R-3: the queue has left the guest meanwhile");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: nothing stays pinned");
	expect(!apemu_irq(QUEUE).on, "R-3: no interrupt of a queue that has left is on");
	mdev_set(mdev, "assign_domain", DOMAIN_4);
	TELL(stage->once_more, true);
	need(clock_wait_for(SEE(stage->answers) == 2, BOUND_EVENTUALLY_MS), "the guest tries again");
	expect_hex(SEE(stage->rc), AP_OK, "R-9: now it works");
	expect_int(world_pins(), pins + 1, "one page is pinned");
	vmm_dies(pid);
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: and released when the VMM is dead");
	removed_in_the_end();
}

/* A write that has to wait for the VMM is not one that cannot be killed. */
static struct mdev_job *assigning_can_be_killed(void)
{
	struct mdev_job *job = mdev_begin(mdev, "assign_domain", "0x47");

	clock_sleep_ms(BOUND_NEVER_MS);
	expect(!mdev_done(job), "assigning to the VMM's own guest waits for it");
	mdev_kill(job);
	expect(clock_wait_for(mdev_done(job), BOUND_UNBOTHERED_MS), "R-11: it can be killed");
	expect_str(mdev_read(mdev, "matrix"), "05.0004\n", "nothing has changed");
	return job;
}

static void lock_never_released(void)
{
	struct mdev_job *assign, *unbind;
	pid_t pid = vmm_waits(holds_kvm_lock);
	long begun = clock_ms();

	expect_str(mdev_read(mdev, "guest_matrix"), "05.0004\n", "what it has can be read");
	mdev_read(mdev, "withheld");
	bystander_unbothered("reading the same device", begun);
	bystander_goes_on(&other);
	assign = assigning_can_be_killed();
	bystander_goes_on(&other);

	/* The host loses the adapter of that guest. */
	apemu_do("card 5 remove");
	begun = clock_ms();
	apbus_scan();
	bystander_unbothered("a scan that takes an adapter from that guest", begun);
	apemu_do("card 5 add type=cex8 mode=cca");
	begun = clock_ms();
	apbus_scan();
	bystander_unbothered("a scan that gives it back", begun);

	/* It is there, only one of its queues does not answer, so the bus takes the device away. */
	need(clock_wait_for(!strcmp(apbus_driver(QUEUE), "vfio_ap"), BOUND_EVENTUALLY_MS),
	     "the queue is bound again");
	apemu_do("queue 05.0004 absent on");
	begun = clock_ms();
	apbus_scan();
	bystander_unbothered("a scan that finds a queue of that guest gone", begun);
	expect(!apbus_has_queue(QUEUE), "and removes it");
	apemu_do("queue 05.0004 absent off");
	apbus_scan();

	/* A queue cannot be taken from a guest without the guest's lock: that one waits. */
	need(clock_wait_for(!strcmp(apbus_driver(QUEUE), "vfio_ap"), BOUND_EVENTUALLY_MS),
	     "the queue is bound again");
	unbind = mdev_begin_file("/sys/bus/ap/drivers/vfio_ap/unbind", "05.0004");
	clock_sleep_ms(BOUND_NEVER_MS);
	bystander_goes_on(&other);
	vmm_dies(pid);
	expect_rc(mdev_end(assign, NULL), -EINTR, "who was killed has not assigned");
	begun = clock_ms();
	expect_rc(mdev_end(unbind, NULL), 0, "the queue is unbound when the VMM is dead");
	bounded("that", begun);
	removed_in_the_end();
}

/*
 * An unbind by hand waits for the guest, with the device's lock that the bus needs next. When the
 * host loses the adapter, there is nothing to wait for any more.
 */
static void unbound_then_lost(void)
{
	pid_t pid = vmm_waits(holds_kvm_lock);
	struct mdev_job *unbind = mdev_begin_file("/sys/bus/ap/drivers/vfio_ap/unbind", "05.0004");
	long begun;

	clock_sleep_ms(BOUND_NEVER_MS);
	expect(!mdev_done(unbind), "an unbind by hand waits until the guest has lost the queue");
	bystander_goes_on(&other);
	apemu_do("card 5 remove");
	begun = clock_ms();
	apbus_scan();
	bystander_unbothered("a scan that needs the lock of the device", begun);
	expect_rc(mdev_end(unbind, NULL), 0, "the unbind has ended");
	expect(!apbus_has_queue(QUEUE), "the device is gone");
	apemu_do("card 5 add type=cex8 mode=cca");
	begun = clock_ms();
	apbus_scan();
	bystander_unbothered("a scan that gives it back", begun);
	vmm_dies(pid);
	removed_in_the_end();
}

/* The request is signalled while the VMM has its kvm->lock held, and the removal can be killed. */
static void wanted_back_while_held(void)
{
	pid_t pid = vmm_waits(holds_kvm_lock_armed);
	struct mdev_job *remove = mdev_begin(mdev, "remove", "1");

	expect(clock_wait_for(SEE(stage->asked), BOUND_UNBOTHERED_MS),
	       "R-29: the VMM is asked for its device although its lock is taken");
	bystander_goes_on(&other);
	vmm_dies(pid);
	expect_rc(mdev_end(remove, NULL), 0, "the device is removed when the VMM is dead");
}

/* The time that a write gives to resets is not used up by a VMM. */
static void lock_released_late(void)
{
	pid_t pid = vmm_waits(holds_kvm_lock);
	struct mdev_job *assign = mdev_begin(mdev, "assign_adapter", "3");

	clock_sleep_ms(BOUND_RESET_WAIT_MS + BOUND_RESET_SLACK_MS);
	expect(!mdev_done(assign), "assigning to the VMM's own guest waits for it");
	need_rc(apbus_unbind(APQN(CARD_3, DOMAIN_4)), 0, "the queue that it adds is unbound");
	apemu_do("reset 03.0004 ns=500000000");
	need_rc(apbus_bind(APQN(CARD_3, DOMAIN_4), "vfio_ap"), 0, "and bound, so it is reset");
	TELL(stage->serve, true);
	expect_rc(mdev_end(assign, NULL), 0, "assigning succeeds");
	expect_str(mdev_read(mdev, "guest_matrix"), "03.0004\n05.0004\n",
		   "R-21: it has waited for the reset of what it adds");
	apemu_do("reset 03.0004 polls=0");
	vmm_dies(pid);
	removed_in_the_end();
}

/* The change comes while the lock is held, and nothing else that would have the guest looked at. */
static void adapter_comes_meanwhile(void)
{
	pid_t pid;

	set_up();
	apemu_do("card 5 remove");
	apbus_scan();
	pid = vmm_start(holds_kvm_lock);
	need(clock_wait_for(SEE(stage->faults), BOUND_EVENTUALLY_MS),
	     "somebody in the kernel waits for memory of the VMM");
	apemu_do("card 5 add type=cex8 mode=cca");
	apbus_scan();
	need(clock_wait_for(!strcmp(apbus_driver(QUEUE), "vfio_ap"), BOUND_EVENTUALLY_MS),
	     "the queue is bound");
	clock_sleep_ms(BOUND_NEVER_MS);
	bystander_goes_on(&other);
	TELL(stage->serve, true);
	expect(mdev_becomes(mdev, "guest_matrix", "05.0004\n"),
	       "R-20: the guest gets the adapter as soon as the VMM lets go");
	vmm_dies(pid);
}

static void request_never_served(void)
{
	pid_t pid = vmm_waits(asks_with_stuck_memory);

	bystander_goes_on(&other);
	same_device_goes_on();
	vmm_dies(pid);
	removed_in_the_end();
}

static void never_closes(void)
{
	struct mdev_job *remove;
	pid_t pid;
	long took;

	set_up();
	pid = vmm_start(sits_on_its_device);
	need(clock_wait_for(SEE(stage->answers), BOUND_EVENTUALLY_MS), "the guest has its interrupt on");
	remove = mdev_begin(mdev, "remove", "1");
	expect(clock_wait_for(!apemu_irq(QUEUE).on, BOUND_EVENTUALLY_MS),
	       "R-8: a guest whose device is to be removed loses its queues");
	clock_sleep_ms(BOUND_NEVER_MS);
	expect(!mdev_done(remove), "C-3: but the device stays until it is closed");
	bystander_goes_on(&other);
	vmm_dies(pid);
	expect_rc(mdev_end(remove, &took), 0, "then it is removed");
	expect(!mdev_exists(mdev), "and gone");
	bystander_goes_on(&other);
}

/* Memory that comes and goes under the indicator, with an interrupt that comes all the time */
struct guest_loop {
	struct vm *vm;
	bool stop;
	unsigned int rounds, enabled;
};

static void *enables_thread(void *argument)
{
	struct guest_loop *loop = argument;

	while (!SEE(loop->stop)) {
		loop->enabled += guest_aqic_on(loop->vm, QUEUE, GUEST_NIB_FAR, ISC).rc == AP_OK;
		apemu_order("interrupt 05.0004");
		guest_aqic_off(loop->vm, QUEUE);
		loop->rounds++;
	}
	return NULL;
}

static void unmapped_in_a_loop(enum vfio_path path)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);
	struct guest_loop loop = { .vm = scene.vm };
	long begun, pins = world_pins(), slowest = 0;
	pthread_t thread;
	unsigned int i;

	need(!pthread_create(&thread, NULL, enables_thread, &loop), "the guest runs");
	for (i = 0; i < 40; i++) {
		begun = clock_ms();
		expect_rc(vfio_unmap(scene.vfio, 2), 0, "C-11: memory can be unmapped");
		if (clock_ms() - begun > slowest)
			slowest = clock_ms() - begun;
		expect_rc(vfio_map(scene.vfio, 2), 0, "and mapped");
		/* Every other time the guest gets far enough to have it pinned. */
		clock_sleep_ms(i % 2 * 5);
	}
	TELL(loop.stop, true);
	pthread_join(thread, NULL);
	ktap_diag("%u AQICs, %u of them enabled; slowest unmap %ld ms", loop.rounds, loop.enabled,
		  slowest);
	expect_at_most(slowest, BOUND_RESET_WAIT_MS, "an unmap does not wait for ever (ms)");
	expect_int(apemu_fact("unchecked-stores"), 0,
		   "R-5: the adapter has not written to memory that nobody had pinned");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: nothing stays pinned");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
			"an indicator elsewhere works");
}

static void unmapped_in_a_loop_by_group(void)
{
	unmapped_in_a_loop(VFIO_BY_GROUP);
}

static void unmapped_in_a_loop_by_cdev(void)
{
	unmapped_in_a_loop(VFIO_BY_CDEV);
}

/* The VMM throws memory of the guest away behind everybody's back. */
static void thrown_away(enum vfio_path path)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);
	uint8_t *chunk = scene.vm->memory + 2 * VM_CHUNK;
	long pins = world_pins();

	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB_FAR, ISC), AP_OK,
		      "the guest enables");
	need(mmap(chunk, VM_CHUNK, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
	     chunk, "the VMM throws away the memory under the indicator");
	apemu_do("interrupt 05.0004");
	expect_int(apemu_fact("unchecked-stores"), 0,
		   "R-5: the adapter still has its page, nobody else does");
	expect_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_OK, "disabling works all the same");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: and releases the page");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB_FAR, ISC), AP_BAD_NIB,
			"C-12: there is nothing to pin any more");
	need(!mprotect(chunk, VM_CHUNK, PROT_READ), "the VMM has memory there again, to read only");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB_FAR, ISC), AP_BAD_NIB,
			"C-12: the adapter could not write to it");
	expect_int(world_pins(), pins, "R-2: nothing is pinned");
	need(!mprotect(chunk, VM_CHUNK, PROT_READ | PROT_WRITE), "to write as well");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB_FAR, ISC), AP_OK, "now it works");
	apemu_do("interrupt 05.0004");
	expect(clock_wait_for(guest_byte(scene.vm, GUEST_NIB_FAR), BOUND_EVENTUALLY_MS),
	       "and the guest sees it");
}

static void thrown_away_by_group(void)
{
	thrown_away(VFIO_BY_GROUP);
}

static void thrown_away_by_cdev(void)
{
	thrown_away(VFIO_BY_CDEV);
}

/* Threads of one VMM that do not know of each other */
static bool enough;

static void *resetting(void *vfio)
{
	while (!SEE(enough))
		vfio_reset(vfio);
	return NULL;
}

static void *arming(void *vfio)
{
	int one = vfio_event_new(), two = vfio_event_new();

	while (!SEE(enough)) {
		vfio_arm(vfio, AP_IRQ_CFG_CHG, one);
		vfio_arm(vfio, AP_IRQ_REQ, two);
		vfio_arm(vfio, AP_IRQ_CFG_CHG, -1);
	}
	close(one);
	close(two);
	return NULL;
}

static void threads_at_odds(void)
{
	void *(*const work[])(void *) = { resetting, resetting, arming, arming };
	pthread_t threads[ARRAY_SIZE(work)];
	unsigned int round, i;
	struct scene scene;

	for (round = 0; round < 6; round++) {
		scene = scene_quiet(round % 2 ? VFIO_BY_CDEV : VFIO_BY_GROUP, CARD_5, DOMAIN_4);
		need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
			      "the guest enables");
		TELL(enough, false);
		for (i = 0; i < ARRAY_SIZE(work); i++)
			need(!pthread_create(&threads[i], NULL, work[i], scene.vfio),
			     "the VMM has threads");
		clock_sleep_ms(30);
		mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
		/* Under their hands; what they are in the middle of goes on until its end. */
		close(scene.vfio->device);
		TELL(enough, true);
		for (i = 0; i < ARRAY_SIZE(work); i++)
			pthread_join(threads[i], NULL);
		scene.vfio->device = -1;
		vfio_close(scene.vfio);
		vm_destroy(scene.vm);
		expect_rc(mdev_remove(scene.mdev), 0, "the device can be removed");
		expect(clock_wait_for(!apemu_irq(QUEUE).on, BOUND_EVENTUALLY_MS),
		       "R-3: its interrupt is off");
	}
}

static const struct ktap_case cases[] = {
	{ "R-10, R-12: AQIC waits for memory that is never served, nobody else does",
	  pin_never_served },
	{ "R-2, R-10: a VMM unmaps and closes while its AQIC never ends", pin_never_ends },
	{ "R-10, R-11: a VMM detaches while its AQIC never ends, and can be killed",
	  pin_never_ends_for_detach },
	{ "R-2, R-3: AQIC waits for memory that is served when the queue is gone",
	  pin_served_late },
	{ "R-10, R-11: kvm->lock is held for ever, nobody else waits for it",
	  lock_never_released },
	{ "R-10: a queue is unbound while kvm->lock is held, then the host loses it",
	  unbound_then_lost },
	{ "R-29: a device is wanted back while kvm->lock is held", wanted_back_while_held },
	{ "R-21: kvm->lock is released late, the write waits for resets all the same",
	  lock_released_late },
	{ "R-10, R-20: kvm->lock is held while the host gets an adapter, and released",
	  adapter_comes_meanwhile },
	{ "R-10: a request waits for memory with no lock held", request_never_served },
	{ "R-8, R-10: a device to be removed whose VMM never closes it", never_closes },
	{ "R-2, R-5: memory is unmapped in a loop under an indicator (group)",
	  unmapped_in_a_loop_by_group },
	{ "R-2, R-5: memory is unmapped in a loop under an indicator (cdev)",
	  unmapped_in_a_loop_by_cdev },
	{ "R-2, R-5: the VMM throws the memory under an indicator away (group)",
	  thrown_away_by_group },
	{ "R-2, R-5: the VMM throws the memory under an indicator away (cdev)",
	  thrown_away_by_cdev },
	{ "R-1, R-2: reset, events and close by several threads", threads_at_odds },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
