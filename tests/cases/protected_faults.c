// SPDX-License-Identifier: GPL-2.0-only
/* protected_faults - protected guests whose queues are slow, stuck or refuse, and that die */

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "crew.h"
#include "protected.h"
#include "story.h"

#define QUEUE APQN(CARD_5, DOMAIN_4)
#define QUEUE_47 APQN(CARD_5, DOMAIN_47)
#define EP11 APQN(CARD_3, DOMAIN_4)
enum { ISC = 3, SLOW_MS = 4000, RC_QUEUE_BOUND = 0x104, HOGS = 2 };

static void slow(void)
{
	apemu_do("reset 05.0004 ns=%llu", SLOW_MS * 1000000ULL);
}

/* The VM goes, and the ultravisor did not have to refuse that. */
static void expect_clean_end(void)
{
	expect(clock_wait_for(!vm_left_over(), SLOW_MS + BOUND_EVENTUALLY_MS),
	       "R-2: nobody keeps the VM for longer than a reset takes");
	expect_int(protected_refused(UVC_DESTROY_CONF, RC_QUEUE_BOUND), 0,
		   "R-15: KVM does not destroy a configuration that has a bound queue");
	expect_int(protected_count(UVC_DESTROY_CONF), 1, "R-15: it destroys it once");
	expect_int(kmsg_count("destroy vm failed"), 0, "R-15: and the kernel does not complain");
}

static void close_while_slow(void)
{
	struct scene scene = protected_scene(CARD_5, DOMAIN_4);

	slow();
	vfio_close(scene.vfio);
	vm_destroy(scene.vm);
	expect_int(vm_left_over(), 1, "R-15: the VM stays as long as the queue is bound");
	expect_clean_end();
}

static void unplug_while_slow(void)
{
	struct scene scene = protected_scene(CARD_5, DOMAIN_4);

	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	slow();
	mdev_set(scene.mdev, "unassign_domain", DOMAIN_4);
	vfio_close(scene.vfio);
	vm_destroy(scene.vm);
	expect_clean_end();
}

static void unbind_while_slow(void)
{
	struct scene scene = protected_scene(CARD_5, DOMAIN_4);

	slow();
	need_rc(apbus_unbind(QUEUE), 0, "the administrator takes the queue from the driver");
	vfio_close(scene.vfio);
	vm_destroy(scene.vm);
	expect_clean_end();
}

static void vanishes_while_slow(void)
{
	struct scene scene = protected_scene(CARD_5, DOMAIN_4);

	slow();
	vfio_close(scene.vfio);
	vm_destroy(scene.vm);
	apemu_do("card 5 remove");
	apbus_scan();
	expect_clean_end();
}

/* Others keep the processors busy, so that what the driver leaves to a worker comes late. */
static volatile bool hogging, over;

static void *hog(void *unused)
{
	setpriority(PRIO_PROCESS, gettid(), -10);
	while (!over)
		if (!hogging)
			clock_sleep_ms(1);
	return unused;
}

/* Looks at once, whatever else wants to run */
static long pins_after_reset(struct scene *scene)
{
	long pins, rc;

	setpriority(PRIO_PROCESS, gettid(), -20);
	hogging = true;
	rc = vfio_reset(scene->vfio);
	pins = world_pins();
	hogging = false;
	setpriority(PRIO_PROCESS, gettid(), 0);
	need_rc(rc, 0, "VFIO_DEVICE_RESET of an armed queue");
	return pins;
}

static void pins_are_back(void)
{
	struct scene scene = protected_scene(CARD_5, DOMAIN_4);
	long pins = world_pins(), left = 0, begun, worst = 0;
	pthread_t hogs[HOGS];
	unsigned int n, round;

	over = false;
	for (n = 0; n < HOGS; n++)
		need(!pthread_create(&hogs[n], NULL, hog, NULL), "the test can start a thread");
	for (round = 0; round < 10; round++) {
		protected_arm(scene.vm, QUEUE, ISC);
		left += pins_after_reset(&scene) - pins;
		begun = clock_ms();
		need_rc(protected_unpack(scene.vm), 0, "UNPACK");
		worst = clock_ms() - begun > worst ? clock_ms() - begun : worst;
		protected_reboot(scene.vm, NULL);
		need_guest_rc(protected_bind(scene.vm, QUEUE), AP_OK, "the guest binds the queue");
	}
	over = true;
	for (n = 0; n < HOGS; n++)
		pthread_join(hogs[n], NULL);
	ktap_diag("%ld pages were pinned after %u resets, UNPACK took %ld ms at most", left, round,
		  worst);
	expect_int(left, 0, "R-15: no page is pinned when VFIO_DEVICE_RESET has returned 0");
}

static void reset_never(void)
{
	struct scene scene = protected_scene(CARD_5, DOMAIN_4);
	struct mdev *other = mdev_create();
	long begun;

	protected_arm(scene.vm, QUEUE, ISC);
	apemu_do("reset 05.0004 never");
	expect_rc(vfio_reset(scene.vfio), -EIO, "VFIO_DEVICE_RESET says that it was in vain");
	expect_int(kmsg_count("05.0004: page still in use by the adapter"), 1,
		   "R-15: and one line of the kernel log names queue and page");
	begun = clock_ms();
	mdev_assign(other, CARD_1, DOMAIN_4);
	expect_at_most(clock_ms() - begun, BOUND_UNBOTHERED_MS, "R-10: ms of others' assign");
	apemu_do("reset 05.0004 polls=0");
	expect(clock_wait_for(vfio_reset(scene.vfio) == 0, BOUND_RETRY_MS),
	       "R-4: a later VFIO_DEVICE_RESET works");
}

static volatile bool unpacked;

static void *unpack(void *vm)
{
	protected_unpack(vm);
	unpacked = true;
	return NULL;
}

/* What a VMM should not do after EIO: KVM waits for the page, with kvm->lock held. */
static void unpack_after_eio(void)
{
	struct scene scene = protected_scene(CARD_5, DOMAIN_4);
	struct mdev *other = mdev_create();
	pthread_t thread;
	long begun;

	protected_arm(scene.vm, QUEUE, ISC);
	apemu_do("reset 05.0004 never");
	expect_rc(vfio_reset(scene.vfio), -EIO, "VFIO_DEVICE_RESET says that it was in vain");
	unpacked = false;
	need(!pthread_create(&thread, NULL, unpack, scene.vm), "the test can start a thread");
	clock_sleep_ms(BOUND_NEVER_MS);
	expect(!unpacked, "KVM waits for the page that the adapter may write to");
	begun = clock_ms();
	mdev_assign(other, CARD_1, DOMAIN_4);
	mdev_set(other, "unassign_domain", DOMAIN_4);
	expect_at_most(clock_ms() - begun, BOUND_UNBOTHERED_MS,
		       "R-10: milliseconds of others' assign and unassign meanwhile");
	apemu_do("reset 05.0004 polls=0");
	expect(clock_wait_for(unpacked, BOUND_RETRY_MS),
	       "R-15: KVM goes on when the reset works at last");
	pthread_join(thread, NULL);
}

static void take_back_while_armed(void)
{
	struct scene scene = protected_scene(CARD_5, DOMAIN_4);

	protected_arm(scene.vm, QUEUE, ISC);
	expect(!protected_unshare_try(scene.vm, GUEST_NIB, BOUND_NEVER_MS),
	       "a guest does not get back a page that its queue writes to");
	expect_at_least(scene.vm->retries, 1, "times KVM_RUN said EAGAIN");
	apemu_do("interrupt 05.0004");
	expect_int(!!guest_byte(scene.vm, GUEST_NIB), 1, "interrupts go on meanwhile");
	need_rc(vfio_reset(scene.vfio), 0, "VFIO_DEVICE_RESET");
	expect(protected_resume(scene.vm, BOUND_EVENTUALLY_MS), "after a reset it gets it");
	expect_int(protected_fact("pinned"), 0, "the ultravisor has no page pinned");
}

static void unmap_armed(void)
{
	struct scene scene = protected_scene(CARD_5, DOMAIN_4);
	long pins = world_pins();

	protected_arm(scene.vm, QUEUE, ISC);
	expect_rc(vfio_unmap(scene.vfio, 0), 0, "the VMM unmaps the memory of the indicator");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS), "R-2: no page is pinned");
	expect(clock_wait_for(apemu_fact("irq-on") == 0, BOUND_EVENTUALLY_MS),
	       "the interrupt is off");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_BAD_NIB,
			"an enable is answered 06 then");
}

static void without_aiv(void)
{
	struct scene scene;

	protected_need();
	protected_order("feature aiv off");
	scene = protected_scene(CARD_5, DOMAIN_4);
	need_int(protected_share(scene.vm, GUEST_NIB), 0, "the guest shares a page");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_BAD_NIB,
			"R-15: without AIV an enable is answered 06");
	expect_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_IRQ_ALREADY,
			"R-15: and a disable what the adapter says");
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_OK, "the guest goes on");
	protected_reboot(scene.vm, scene.vfio);
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_BAD_NIB,
			"R-15: after a reboot as well");
}

/* The GISA of an ordinary guest is in use until VFIO_DEVICE_RESET, and goes with ENABLE. */
static void gisa_goes(void)
{
	struct scene scene = { .mdev = mdev_create() };

	protected_need();
	protected_order("feature aiv off");
	mdev_assign(scene.mdev, CARD_5, DOMAIN_4);
	scene.vm = protected_create();
	scene.vfio = vfio_open(VFIO_BY_GROUP, scene.mdev, scene.vm);
	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
		      "an ordinary guest has interrupts");
	need_rc(vfio_reset(scene.vfio), 0, "VFIO_DEVICE_RESET");
	protected_boot(scene.vm);
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_BAD_NIB,
			"R-15: the protected one has none");
}

static void association_fails(void)
{
	struct scene scene = protected_scene(CARD_3, DOMAIN_4);

	apemu_do("associate 03.0004 fails");
	expect_int(protected_bind_state(scene.vm, EP11), 1, "BS: bound, no secret yet");
	need_guest_rc(protected_associate(scene.vm, EP11, 3), AP_OK, "the guest associates");
	guest_tapq(scene.vm, EP11);
	expect_guest_rc(guest_tapq(scene.vm, EP11), 0x36, "it fails");
	need_rc(vfio_reset(scene.vfio), 0, "VFIO_DEVICE_RESET ends that");
	expect_guest_rc(guest_tapq(scene.vm, EP11), AP_OK, "the queue answers again");
	expect_int(protected_bind_state(scene.vm, EP11), 2, "BS: it can be bound");
}

static void association_works(void)
{
	struct scene scene = protected_scene(CARD_3, DOMAIN_4);

	apemu_do("associate 03.0004 polls=2");
	need_guest_rc(protected_associate(scene.vm, EP11, 3), AP_OK, "the guest associates");
	expect_guest_rc(guest_tapq(scene.vm, EP11), 0x0a, "it takes a while");
	expect(clock_wait_for(guest_tapq(scene.vm, EP11).rc == AP_OK, BOUND_EVENTUALLY_MS),
	       "and is over");
	expect_int(protected_bind_state(scene.vm, EP11), 0, "BS: the queue can be used");
	expect_guest_rc(guest_nqap(scene.vm, EP11, 1, GUEST_BUFFER, 32), AP_OK, "and is used");
}

/* A queue that keeps answering 36 to TAPQ, whatever ZAPQ answers */
static void association_fails_for_ever(unsigned int rc)
{
	struct scene scene = protected_scene(CARD_3, DOMAIN_4);
	long begun;

	apemu_do("answer tapq 03.0004 rc=%x times=0 async=1", rc);
	begun = clock_ms();
	expect_rc(vfio_reset(scene.vfio), -EIO, "VFIO_DEVICE_RESET says that it was in vain");
	expect_at_most(clock_ms() - begun, BOUND_RESET_WAIT_MS + BOUND_RESET_SLACK_MS,
		       "milliseconds until then");
	expect(clock_wait_for(strstr(mdev_read(scene.mdev, "withheld"), "failed"),
			      BOUND_EVENTUALLY_MS),
	       "R-15: the queue counts as failed");
	apemu_do("answer clear");
	expect(mdev_becomes(scene.mdev, "withheld", ""), "R-4: it comes back by itself");
}

static void association_fails_for_ever_35(void)
{
	association_fails_for_ever(0x35);
}

static void association_fails_for_ever_36(void)
{
	association_fails_for_ever(0x36);
}

static void moves(void)
{
	struct scene first = protected_scene(CARD_5, DOMAIN_4), second;

	second.mdev = mdev_create();
	second.vm = protected_create();
	mdev_assign(second.mdev, CARD_5, DOMAIN_47);
	second.vfio = vfio_open(VFIO_BY_GROUP, second.mdev, second.vm);
	protected_boot(second.vm);
	protected_arm(first.vm, QUEUE, ISC);
	mdev_set(first.mdev, "unassign_domain", DOMAIN_4);
	mdev_set(second.mdev, "assign_domain", DOMAIN_4);
	expect_int(protected_bind_state(second.vm, QUEUE), 2,
		   "R-15: a queue that another protected guest had can be bound");
	expect_guest_rc(protected_bind(second.vm, QUEUE), AP_OK, "and the next one binds it");
	protected_arm(second.vm, QUEUE, ISC);
}

static int told[2];
static struct mdev *killed_mdev;

static void *vmm(void *unused)
{
	struct vm *vm = protected_create();

	vfio_open(VFIO_BY_GROUP, killed_mdev, vm);
	protected_boot(vm);
	need_guest_rc(protected_bind(vm, QUEUE), AP_OK, "the guest binds the queue");
	protected_arm(vm, QUEUE, ISC);
	if (write(told[1], "", 1) == 1)
		pause();
	return unused;
}

static void killed(void)
{
	pthread_t thread;
	int status;
	char byte;
	pid_t pid;

	protected_need();
	need(!pipe(told), "the test has a pipe");
	killed_mdev = mdev_create();
	mdev_assign(killed_mdev, CARD_5, DOMAIN_4);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!pthread_create(&thread, NULL, vmm, NULL))
			pthread_join(thread, NULL);
		fflush(stdout);
		_exit(1);
	}
	need(pid > 0, "the test can fork");
	close(told[1]);
	need(read(told[0], &byte, 1) == 1, "the VMM's guest has an interrupt enabled");
	close(told[0]);
	kill(pid, SIGKILL);
	need(crew_ends(pid, "a VMM that is killed", &status), "the VMM ends");
	expect(clock_wait_for(!vm_left_over_of(pid), BOUND_EVENTUALLY_MS), "R-2: so does its VM");
	expect_int(kmsg_count("destroy vm failed"), 0, "R-15: and the kernel does not complain");
}

static void killed_without_fast(void)
{
	protected_need();
	protected_order("fast off");
	killed();
}

static struct scene neighbour;
static long long neighbour_worst;
static unsigned int neighbour_rounds;
static volatile bool rebooting;

static void *use_interrupts(void *unused)
{
	long long begun, took;

	while (rebooting) {
		begun = clock_ns();
		guest_aqic_on(neighbour.vm, QUEUE_47, GUEST_NIB, ISC);
		guest_aqic_off(neighbour.vm, QUEUE_47);
		took = clock_ns() - begun;
		neighbour_worst = took > neighbour_worst ? took : neighbour_worst;
		neighbour_rounds++;
	}
	return unused;
}

static void hundred_reboots(void)
{
	struct scene scene = protected_scene(CARD_5, DOMAIN_4);
	pthread_t thread;
	unsigned int n;

	neighbour = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_47);
	rebooting = true;
	need(!pthread_create(&thread, NULL, use_interrupts, NULL), "the test can start a thread");
	for (n = 0; n < 100 && !ktap_case_failed(); n++) {
		protected_arm(scene.vm, QUEUE, ISC);
		protected_reboot(scene.vm, scene.vfio);
		need_guest_rc(protected_bind(scene.vm, QUEUE), AP_OK, "the guest binds the queue");
	}
	rebooting = false;
	pthread_join(thread, NULL);
	ktap_diag("%u reboots; %u times on and off, %lld us at most", n, neighbour_rounds,
		  neighbour_worst / 1000);
	expect_at_most(neighbour_worst / 1000000, 200,
		       "R-10: milliseconds of a neighbour's AQIC on and off");
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{ "R-15: F1: a VM stays until the slow reset of its bound queue is verified",
		  close_while_slow },
		{ "R-15: F1: so it does if the queue is unplugged first", unplug_while_slow },
		{ "R-15: F1: or unbound from the driver", unbind_while_slow },
		{ "R-15: F1: a VM goes when the adapter of its bound queue vanishes",
		  vanishes_while_slow },
		{ "R-15: F2: pages are back when VFIO_DEVICE_RESET returns", pins_are_back },
		{ "R-15: F2: a reset that never ends: EIO and a line that names the queue",
		  reset_never },
		{ "R-15: UNPACK after a reset that never ends waits, and delays no one else",
		  unpack_after_eio },
		{ "R-15: a page that a queue writes to cannot be taken back",
		  take_back_while_armed },
		{ "R-15: the VMM unmaps an indicator of a protected guest", unmap_armed },
		{ "R-15: F4: an ultravisor without AIV: AQIC is answered 06", without_aiv },
		{ "R-15: F4: the GISA of an ordinary guest is unused after VFIO_DEVICE_RESET",
		  gisa_goes },
		{ "R-15: an association works", association_works },
		{ "R-15: F5: an association fails (36), a reset ends that", association_fails },
		{ "R-15: F5: a queue that answers 35 for ever is failed",
		  association_fails_for_ever_35 },
		{ "R-15: F5: a queue that answers 36 for ever is failed",
		  association_fails_for_ever_36 },
		{ "R-15: a queue moves from one protected guest to another", moves },
		{ "R-15: a VMM is killed with a bound queue and an interrupt", killed },
		{ "R-15: the same without DESTROY FAST", killed_without_fast },
		{ "R-15: a hundred reboots with an interrupt, and a neighbour", hundred_reboots },
	};

	return RUN_IN_THE_WORLD(cases);
}
