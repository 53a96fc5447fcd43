// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile_unmap - a VMM that unmaps memory, and decides when VFIO goes on with that
 *
 * Who asks a container of type 1 for its dirty pages has the kernel write to user memory under the
 * container's lock: the VMM has that lock held for as long as it likes. Pins need it, and so does the
 * unmap, each time that it comes back from the driver. It comes ten times for the pins that it finds,
 * then it gives up on the host (BUG). So a guest whose CPUs enable interrupts in turn, just when the
 * unmap is waiting, must not be able to have a new pin there each time. How often that would succeed
 * is chance, who gets a lock first; so the test asks whether a CPU gets in line at all.
 */

#include <linux/vfio.h>
#include <pthread.h>
#include <sys/ioctl.h>

#include "late.h"
#include "story.h"

enum { CPUS = 3, ISC = 3, AP_BUSY = 0x05 };
enum { CHUNK = 2, STUCK_CHUNK = 3 };
/* Type 1 looks ten times. */
enum { TYPE1_LOOKS = 10, ROUNDS = 14, FEW_ROUNDS = 4 };
/* The driver lets an unmap go on after two seconds; then it is in the queue for the lock. */
enum { IN_THE_QUEUE_MS = 2300, NEXT_IN_THE_QUEUE_MS = 50 };

#define SEE(what)		__atomic_load_n(&(what), __ATOMIC_ACQUIRE)
#define TELL(what, value)	__atomic_store_n(&(what), value, __ATOMIC_RELEASE)

struct cpu {
	struct vm *vm;
	int queue;
	uint64_t nib;
	bool runs;
	unsigned int rc;
};

static struct cpu cpus[CPUS];
static struct vfio *device;
static bool unmapped;
static long unmapped_rc;

static void begin(void *(*what)(void *), void *argument)
{
	pthread_t thread;

	need(!pthread_create(&thread, NULL, what, argument) && !pthread_detach(thread),
	     "the VMM has threads");
}

static void *enable_thread(void *argument)
{
	struct cpu *cpu = argument;

	cpu->rc = guest_aqic_look(cpu->vm, vm_run_only(cpu->vm)).rc;
	TELL(cpu->runs, false);
	return NULL;
}

static void cpu_enables(struct cpu *cpu)
{
	if (SEE(cpu->runs))
		return;
	guest_aqic_prepare(cpu->vm, cpu->queue, cpu->nib, true);
	TELL(cpu->runs, true);
	begin(enable_thread, cpu);
}

static void *unmap_thread(void *unused)
{
	unmapped_rc = vfio_unmap(device, CHUNK);
	TELL(unmapped, true);
	return unused;
}

static long dirty_pages(uint32_t what, void *bitmap)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap head;
		struct vfio_iommu_type1_dirty_bitmap_get get;
	} ask = {
		.head = { .argsz = sizeof(ask), .flags = what },
		.get = { .size = VM_CHUNK, .bitmap = { .pgsize = 4096, .size = VM_CHUNK / 4096 / 8,
						       .data = bitmap } },
	};

	return ioctl(device->container, VFIO_IOMMU_DIRTY_PAGES, &ask);
}

static void *ask_thread(void *page)
{
	dirty_pages(VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP, page);
	return NULL;
}

/* Has the container's lock held as soon as it is free, until the page is served */
static void hold_lock(unsigned int round)
{
	begin(ask_thread, device->vm->memory + STUCK_CHUNK * VM_CHUNK + round * 4096UL);
}

static struct scene set_up(void)
{
	static const int domains[CPUS] = { DOMAIN_4, DOMAIN_11, DOMAIN_47 };
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	unsigned int i;

	device = scene.vfio;
	unmapped = false;
	for (i = 0; i < CPUS; i++) {
		if (i)
			mdev_set(scene.mdev, "assign_domain", domains[i]);
		cpus[i] = (struct cpu) {
			.vm = i ? vm_another_cpu(scene.vm) : scene.vm,
			.queue = APQN(CARD_5, domains[i]),
			.nib = CHUNK * VM_CHUNK + i * 4096UL + 8,
		};
	}
	return scene;
}

/* No guest that means well unmaps its indicators again and again. */
static void unmapped_often(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	unsigned int i, rc = AP_OK;

	for (i = 0; i < ROUNDS && rc == AP_OK; i++) {
		rc = guest_aqic_on(scene.vm, APQN(CARD_5, DOMAIN_4), GUEST_NIB_FAR, ISC).rc;
		expect_rc(vfio_unmap(scene.vfio, CHUNK), 0, "C-11: memory can be unmapped");
		expect_rc(vfio_map(scene.vfio, CHUNK), 0, "and mapped");
	}
	expect_hex(rc, AP_BUSY, "R-2: the memory is closed before type 1 gives up on the host");
	expect_at_most(i, TYPE1_LOOKS, "R-2: how often there was a pin");
	expect_guest_rc(guest_aqic_on(scene.vm, APQN(CARD_5, DOMAIN_4), GUEST_NIB, ISC), AP_OK,
			"the guest can enable elsewhere");
}

/* Each time that the unmap waits for the lock, another CPU tries to get in line behind it. */
static unsigned int in_turns(int uffd)
{
	unsigned int round;
	struct cpu *cpu;
	uint64_t page;

	for (round = 1; ; round++) {
		page = late_fault(uffd);
		clock_sleep_ms(IN_THE_QUEUE_MS);
		if (SEE(unmapped) || round == ROUNDS)
			break;
		hold_lock(round + 1);
		clock_sleep_ms(NEXT_IN_THE_QUEUE_MS);
		cpu = &cpus[(round + 1) % CPUS];
		cpu_enables(cpu);
		clock_sleep_ms(NEXT_IN_THE_QUEUE_MS);
		expect(!SEE(cpu->runs), "R-6: no pin is even tried in memory that is being unmapped");
		expect_hex(cpu->rc, AP_BUSY, "C-12: the guest is told to try again");
		late_serve(uffd, page);
	}
	late_serve(uffd, page);
	return round;
}

static void lock_held_in_turns(void)
{
	struct scene scene = set_up();
	int uffd = late_memory(scene.vm, STUCK_CHUNK);
	long pins = world_pins();
	unsigned int i, rounds;
	uint64_t page;

	need_guest_rc(guest_aqic_on(scene.vm, cpus[0].queue, cpus[0].nib, ISC), AP_OK,
		      "the first CPU enables");
	need(!dirty_pages(VFIO_IOMMU_DIRTY_PAGES_FLAG_START, NULL), "dirty pages are tracked");
	hold_lock(0);
	page = late_fault(uffd);
	begin(unmap_thread, NULL);
	clock_sleep_ms(NEXT_IN_THE_QUEUE_MS);
	hold_lock(1);
	clock_sleep_ms(NEXT_IN_THE_QUEUE_MS);
	cpu_enables(&cpus[1]);
	clock_sleep_ms(NEXT_IN_THE_QUEUE_MS);
	late_serve(uffd, page);

	rounds = in_turns(uffd);
	ktap_diag("the memory was unmapped after %u rounds", rounds);
	expect(clock_wait_for(SEE(unmapped), BOUND_EVENTUALLY_MS), "the memory is unmapped");
	expect_rc(unmapped_rc, 0, "C-11: without an error");
	expect_at_most(rounds, FEW_ROUNDS, "R-6: how often VFIO may have found a pin");
	for (i = 0; i < CPUS; i++)
		expect(clock_wait_for(!SEE(cpus[i].runs), BOUND_EVENTUALLY_MS),
		       "CPU %u has its answer", i);
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: nothing stays pinned");
	expect_rc(vfio_map(device, CHUNK), 0, "the memory is mapped again");
	expect_guest_rc(guest_aqic_on(scene.vm, cpus[0].queue, cpus[0].nib, ISC), AP_BUSY,
			"R-2: it stays closed to a guest that used it while it was unmapped");
	expect_guest_rc(guest_aqic_on(scene.vm, cpus[0].queue, GUEST_NIB, ISC), AP_OK,
			"the guest can enable elsewhere");
	vfio_close(scene.vfio);
	scene.vfio = vfio_open(VFIO_BY_GROUP, scene.mdev, scene.vm);
	expect_guest_rc(guest_aqic_on(scene.vm, cpus[0].queue, cpus[0].nib, ISC), AP_OK,
			"and there, when the device was closed and opened");
}

static const struct ktap_case cases[] = {
	{ "R-2, R-6: VFIO is kept waiting while memory is unmapped that the guest goes on to use",
	  lock_held_in_turns },
	{ "R-2: memory with an indicator is unmapped again and again", unmapped_often },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
