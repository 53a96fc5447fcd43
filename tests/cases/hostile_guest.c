// SPDX-License-Identifier: GPL-2.0-only
/*
 * hostile_guest - a guest that issues AQIC with anything in its registers, for queues it has and
 * for queues it has not
 */

#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "dice.h"
#include "story.h"

#define QUEUE	APQN(CARD_5, DOMAIN_4)
#define OTHERS	APQN(CARD_1, DOMAIN_47)

/* What the VMM does to the memory of its guest */
enum {
	NOT_FOR_DEVICES = 1,	/* chunk 1 is not mapped for the device */
	READ_ONLY = 2,		/* chunk 2 is mapped for the device, but not to be written to */
	NOT_THERE = 3,		/* chunk 3 is not there at all */
};

static const uint64_t bad_nibs[] = {
	0,
	NOT_FOR_DEVICES * VM_CHUNK, NOT_FOR_DEVICES * VM_CHUNK + 0xfff,
	READ_ONLY * VM_CHUNK, READ_ONLY * VM_CHUNK + 0x1234,
	NOT_THERE * VM_CHUNK, VM_MEMORY - 1,
	VM_MEMORY, VM_MEMORY + 1, 1UL << 31, 1UL << 42, 1UL << 63, (1UL << 63) - 1,
	~0UL, ~0xfffUL, ~0UL - 0x1000,
};

static const int not_mine[] = {
	APQN(CARD_5, DOMAIN_11), APQN(CARD_1, DOMAIN_4), OTHERS, APQN(0x77, DOMAIN_4),
	APQN(CARD_5, 0x77), APQN(0, 0), APQN(255, 255),
};

static void map_read_only(struct vfio *vfio)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ,
		.vaddr = (uintptr_t)vfio->vm->memory + READ_ONLY * VM_CHUNK,
		.iova = READ_ONLY * VM_CHUNK,
		.size = VM_CHUNK,
	};
	struct iommu_ioas_map ioas = {
		.size = sizeof(ioas),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
		.ioas_id = vfio->ioas,
		.user_va = map.vaddr,
		.length = VM_CHUNK,
		.iova = map.iova,
	};

	need_rc(vfio_unmap(vfio, READ_ONLY), 0, "the VMM takes a chunk from the device");
	if (vfio->path == VFIO_BY_GROUP)
		need(!ioctl(vfio->container, VFIO_IOMMU_MAP_DMA, &map), "and maps it read-only");
	else
		need(!ioctl(vfio->container, IOMMU_IOAS_MAP, &ioas), "and maps it read-only");
}

static struct scene hostile(enum vfio_path path)
{
	struct scene scene = scene_quiet(path, CARD_5, DOMAIN_4);

	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	need_rc(vfio_unmap(scene.vfio, NOT_FOR_DEVICES), 0,
		"the VMM takes a chunk from the device");
	map_read_only(scene.vfio);
	need(mmap(scene.vm->memory + NOT_THERE * VM_CHUNK, VM_CHUNK, PROT_NONE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED,
	     "the VMM throws a chunk away");
	apemu_do("log clear");
	return scene;
}

static void leaves_nothing(struct scene *scene, long pins, int lines)
{
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: nothing stays pinned");
	expect_int(kmsg_count("") - lines, 0, "R-6: lines in the kernel log because of all that");
	expect_guest_rc(guest_aqic_on(scene->vm, QUEUE, GUEST_NIB, 3), AP_OK,
			"R-9: AQIC as it should be works");
	apemu_do("interrupt 05.0004");
	expect(clock_wait_for(guest_byte(scene->vm, GUEST_NIB), BOUND_EVENTUALLY_MS),
	       "the interrupt comes");
}

static void bad_indicators(enum vfio_path path)
{
	struct scene scene = hostile(path);
	int lines = kmsg_count(""), apqn;
	long pins = world_pins();
	unsigned int round, i;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < ARRAY_SIZE(bad_nibs); i++)
			expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, bad_nibs[i], round % 8),
					AP_BAD_NIB, "C-12: indicator at %lx",
					(unsigned long)bad_nibs[i]);
		for (i = 0; i < ARRAY_SIZE(not_mine); i++) {
			apqn = not_mine[i];
			expect_guest_rc(guest_aqic_on(scene.vm, apqn, GUEST_NIB, round % 8),
					AP_NOT_AVAILABLE, "R-3: %s is not the guest's",
					apqn_name(apqn));
			expect_guest_rc(guest_aqic_off(scene.vm, apqn), AP_NOT_AVAILABLE,
					"R-3: %s is not the guest's", apqn_name(apqn));
		}
		if (ktap_case_failed())
			break;
	}
	expect_int(apemu_count(0, APEMU_HOST, "aqic", APQN_ANY), 0,
		   "R-3: the hardware saw none of these");
	leaves_nothing(&scene, pins, lines);
}

static void bad_indicators_by_group(void)
{
	bad_indicators(VFIO_BY_GROUP);
}

static void bad_indicators_by_cdev(void)
{
	bad_indicators(VFIO_BY_CDEV);
}

/* The last byte of a page, of a chunk, and the first page: unusual, but good */
static void unusual_indicators(void)
{
	static const uint64_t nibs[] = { 1, 0xfff, 0x40fff, VM_CHUNK - 1 };
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nibs); i++) {
		expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, nibs[i], 3), AP_OK,
				"an indicator at %lx", (unsigned long)nibs[i]);
		guest_put_byte(scene.vm, nibs[i], 0);
		apemu_do("interrupt 05.0004");
		expect(clock_wait_for(guest_byte(scene.vm, nibs[i]), BOUND_EVENTUALLY_MS),
		       "is set at %lx", (unsigned long)nibs[i]);
		expect_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_OK, "and can be left");
	}
}

static uint64_t any_nib(void)
{
	switch (dice(4)) {
	case 0:
		return dice_word();
	case 1:
		return ANY_OF(bad_nibs);
	default:
		return dice_word() % VM_MEMORY;
	}
}

static uint64_t any_gr0(void)
{
	uint64_t gr0 = 3UL << 24;

	switch (dice(4)) {
	case 0:
		/* KVM looks at some of these bits. */
		return dice_word() << 32 | gr0 | (dice_word() & 0xffffff);
	case 1:
		return dice_word() << 32 | gr0 | ANY_OF(not_mine);
	default:
		return gr0 | APQN(CARD_5, dice(2) ? DOMAIN_4 : DOMAIN_47);
	}
}

static void anything(enum vfio_path path)
{
	struct scene scene = hostile(path);
	unsigned int i, good = 0, checks = 0;
	int lines = kmsg_count("");
	long pins = world_pins();
	struct guest_saw saw;

	dice_take(0);
	for (i = 0; i < 1500; i++) {
		saw = guest_pqap(scene.vm, any_gr0(), dice_word(), any_nib());
		good += saw.end == GUEST_DONE && saw.rc == AP_OK;
		checks += saw.end == GUEST_PROGRAM_CHECK;
	}
	ktap_diag("%u AQICs: %u were answered 00, %u ended in a program check", i, good, checks);
	expect_at_least(good, 50, "some of them were good ones");
	for (i = 0; i < ARRAY_SIZE(not_mine); i++)
		expect_int(apemu_count(0, APEMU_HOST, "aqic", not_mine[i]), 0,
			   "R-3: the hardware saw none for %s", apqn_name(not_mine[i]));
	expect_rc(vfio_reset(scene.vfio), 0, "the VMM resets its device");
	expect(apemu_fact("irq-on") <= 0, "R-3: no interrupt is on");
	leaves_nothing(&scene, pins, lines);
}

static void anything_by_group(void)
{
	anything(VFIO_BY_GROUP);
}

static void anything_by_cdev(void)
{
	anything(VFIO_BY_CDEV);
}

/* A neighbour */
struct loop {
	struct vm *vm;
	bool stop;
	unsigned int rounds;
};

static void *hostile_thread(void *argument)
{
	struct loop *loop = argument;

	dice_take(1);
	while (!__atomic_load_n(&loop->stop, __ATOMIC_ACQUIRE)) {
		guest_pqap(loop->vm, any_gr0(), dice_word(), any_nib());
		loop->rounds++;
	}
	return NULL;
}

static long enable_and_disable(struct vm *vm, unsigned int times)
{
	long begun = clock_ms();

	while (times--) {
		expect_guest_rc(guest_aqic_on(vm, OTHERS, GUEST_NIB, 3), AP_OK,
				"the neighbour enables");
		expect_guest_rc(guest_aqic_off(vm, OTHERS), AP_OK, "the neighbour disables");
	}
	return clock_ms() - begun;
}

static void neighbour(void)
{
	struct scene scene = hostile(VFIO_BY_GROUP);
	struct scene next = scene_with(VFIO_BY_GROUP, CARD_1, DOMAIN_47);
	struct loop loop = { .vm = scene.vm };
	long alone, beside;
	pthread_t thread;

	enable_and_disable(next.vm, 20);
	alone = enable_and_disable(next.vm, 200);
	need(!pthread_create(&thread, NULL, hostile_thread, &loop), "the hostile guest runs");
	need(clock_wait_for(__atomic_load_n(&loop.rounds, __ATOMIC_RELAXED) > 20,
			    BOUND_EVENTUALLY_MS), "and is busy");
	beside = enable_and_disable(next.vm, 200);
	__atomic_store_n(&loop.stop, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	ktap_diag("200 times on and off: %ld ms alone, %ld ms beside %u AQICs", alone, beside,
		  loop.rounds);
	/* The lab's CPUs take turns; a guest that waited for the other's AQICs would take longer. */
	expect_at_most(beside, 4 * alone + 10, "R-12: AQIC beside a hostile guest (ms)");
}

static const struct ktap_case cases[] = {
	{ "R-2, R-3, R-6: bad indicators and queues of others, again and again (group)",
	  bad_indicators_by_group },
	{ "R-2, R-3, R-6: bad indicators and queues of others, again and again (cdev)",
	  bad_indicators_by_cdev },
	{ "C-12: indicators at the ends of pages and of memory", unusual_indicators },
	{ "R-2, R-3, R-6: anything in the registers of AQIC (group)", anything_by_group },
	{ "R-2, R-3, R-6: anything in the registers of AQIC (cdev)", anything_by_cdev },
	{ "R-12: a hostile guest does not slow its neighbour down", neighbour },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
