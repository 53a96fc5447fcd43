// SPDX-License-Identifier: GPL-2.0-only
/* open_close - a VMM takes the device for its guest and gives it back */

#include "story.h"

#define QUEUE APQN(CARD_5, DOMAIN_4)

static void guest_gets_its_queues(enum vfio_path path)
{
	struct mdev *mdev = mdev_create();
	struct vfio *vfio;
	struct vm *vm;

	vfio_need(path);
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	vm = vm_create();
	expect(vm->has_apie, "KVM can give AP instructions to guests");
	expect_guest_rc(guest_tapq(vm, QUEUE), AP_NOT_AVAILABLE,
			"a guest without the device has no queue");
	vfio = vfio_open(path, mdev, vm);
	expect_guest_rc(guest_tapq(vm, QUEUE), AP_OK, "a guest with the device has the queue");
	expect_guest_rc(guest_tapq(vm, APQN(CARD_5, DOMAIN_47)), AP_NOT_AVAILABLE,
			"and no other domain");
	expect_guest_rc(guest_tapq(vm, APQN(CARD_1, DOMAIN_4)), AP_NOT_AVAILABLE,
			"and no other adapter");
	vfio_close(vfio);
	expect_guest_rc(guest_tapq(vm, QUEUE), AP_NOT_AVAILABLE,
			"a guest whose device was closed has no queue");
	expect_str(mdev_read(mdev, "matrix"), "05.0004\n", "the assignment outlives the guest");
	expect(mdev_becomes(mdev, "guest_matrix", "05.0004\n"),
	       "what would be passed outlives the guest");
}

static void by_group(void)
{
	guest_gets_its_queues(VFIO_BY_GROUP);
}

static void by_cdev(void)
{
	guest_gets_its_queues(VFIO_BY_CDEV);
}

static void close_resets(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	vfio_close(scene.vfio);
	expect_at_least(apemu_count(0, APEMU_HOST, "zapq", QUEUE), 1,
			"closing zeroizes the guest's queue");
	expect_int(apemu_count(0, APEMU_HOST, "zapq", APQN(CARD_1, DOMAIN_4)), 0,
		   "closing leaves others' queues alone");
}

static void again_and_again(enum vfio_path path)
{
	struct scene scene = scene_with(path, CARD_5, DOMAIN_4);
	int round;

	for (round = 0; round < 5; round++) {
		expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_OK,
				"round %d: the guest has its queue", round);
		vfio_close(scene.vfio);
		expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_NOT_AVAILABLE,
				"round %d: closed, no queue", round);
		scene.vfio = vfio_open(path, scene.mdev, scene.vm);
	}
}

static void again_by_group(void)
{
	again_and_again(VFIO_BY_GROUP);
}

static void again_by_cdev(void)
{
	again_and_again(VFIO_BY_CDEV);
}

static void next_guest(void)
{
	struct scene scene = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct vm *next = vm_create();

	vfio_close(scene.vfio);
	vm_destroy(scene.vm);
	vfio_open(VFIO_BY_GROUP, scene.mdev, next);
	expect_guest_rc(guest_tapq(next, QUEUE), AP_OK, "the next guest gets the queue");
}

static void vm_first(void)
{
	struct scene scene = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	/* Closing the VM's files before the device's is what a dying VMM may do. */
	vm_destroy(scene.vm);
	scene.vfio->vm = NULL;
	vfio_close(scene.vfio);
	expect(mdev_becomes(scene.mdev, "guest_matrix", "05.0004\n"), "the device is as before");
}

static void without_kvm(enum vfio_path path)
{
	struct mdev *mdev = mdev_create();

	vfio_need(path);
	expect_rc(vfio_try(NULL, path, mdev, NULL), -EINVAL,
		  "without a VM the device cannot be opened");
	expect_rc(mdev_write(mdev, "assign_adapter", "5"), 0, "and is unharmed");
}

static void without_kvm_by_group(void)
{
	without_kvm(VFIO_BY_GROUP);
}

static void without_kvm_by_cdev(void)
{
	without_kvm(VFIO_BY_CDEV);
}

static void second_device_of_a_vm(enum vfio_path path)
{
	struct scene scene = scene_with(path, CARD_5, DOMAIN_4);
	struct mdev *second = mdev_create();

	mdev_assign(second, CARD_1, DOMAIN_47);
	expect_rc(vfio_try(NULL, path, second, scene.vm), -EPERM, "a VM has one device");
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_OK, "the first keeps its queue");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_1, DOMAIN_47)), AP_NOT_AVAILABLE,
			"nothing of the second is there");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, 3), AP_OK,
			"the first still answers AQIC");
	expect_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_OK, "the first still answers AQIC");
	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_47)), AP_OK,
			"the first still takes hot plugs");
}

static void second_by_group(void)
{
	second_device_of_a_vm(VFIO_BY_GROUP);
}

static void second_by_cdev(void)
{
	second_device_of_a_vm(VFIO_BY_CDEV);
}

static void two_guests(void)
{
	struct scene one = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct scene two = scene_with(VFIO_BY_GROUP, CARD_1, DOMAIN_47);

	expect_guest_rc(guest_tapq(one.vm, QUEUE), AP_OK, "the first guest has its queue");
	expect_guest_rc(guest_tapq(two.vm, APQN(CARD_1, DOMAIN_47)), AP_OK,
			"the second guest has its queue");
	expect_guest_rc(guest_tapq(two.vm, QUEUE), AP_NOT_AVAILABLE,
			"the second has not the first's");
	expect_guest_rc(guest_tapq(one.vm, APQN(CARD_1, DOMAIN_47)), AP_NOT_AVAILABLE,
			"the first has not the second's");
	vfio_close(one.vfio);
	expect_guest_rc(guest_tapq(two.vm, APQN(CARD_1, DOMAIN_47)), AP_OK,
			"the second stays when the first goes");
}

static void configuration_of_the_guest(void)
{
	struct mdev *mdev = mdev_create();
	struct vm *vm = vm_create();

	mdev_assign(mdev, CARD_5, DOMAIN_4);
	mdev_set(mdev, "assign_control_domain", CONTROL_22);
	vfio_open(VFIO_BY_GROUP, mdev, vm);
	if (!world_has_facility(12))
		ktap_skip("the host has no QCI");
	need(guest_qci(vm).end == GUEST_DONE, "the guest can ask for its configuration");
	expect(guest_qci_has_adapter(vm, CARD_5), "adapter 5 is in the guest's configuration");
	expect(!guest_qci_has_adapter(vm, CARD_1), "adapter 1 is not");
	expect(guest_qci_has_domain(vm, DOMAIN_4), "domain 4 is in the guest's configuration");
	expect(!guest_qci_has_domain(vm, DOMAIN_47), "domain 0x47 is not");
	expect(guest_qci_has_control_domain(vm, CONTROL_22),
	       "control domain 0x22 is in the guest's configuration");
}

static void only_a_control_domain(enum vfio_path path)
{
	struct mdev *mdev = mdev_create();
	struct vm *vm = vm_create();
	struct vfio *vfio;
	unsigned int id;

	vfio_need(path);
	apemu_need();
	if (!world_has_facility(12))
		ktap_skip("the host has no QCI");
	mdev_set(mdev, "assign_control_domain", CONTROL_22);
	apemu_do("log clear");
	vfio = vfio_open(path, mdev, vm);
	need(guest_qci(vm).end == GUEST_DONE, "the guest can ask for its configuration");
	for (id = 0; id < 256; id++) {
		need(!guest_qci_has_adapter(vm, id), "the guest has no adapter (%02x)", id);
		need(!guest_qci_has_domain(vm, id), "the guest has no domain (%04x)", id);
		need_int(guest_qci_has_control_domain(vm, id), id == CONTROL_22,
			 "the guest has control domain 0x22 and no other (%04x)", id);
	}
	expect_guest_rc(guest_tapq(vm, QUEUE), AP_NOT_AVAILABLE, "TAPQ is answered 01");
	expect_guest_rc(guest_tapq(vm, APQN(0, 0)), AP_NOT_AVAILABLE, "for whatever queue");
	vfio_close(vfio);
	clock_sleep_ms(BOUND_NEVER_MS);
	expect_int(apemu_count(0, APEMU_HOST, "zapq", APQN_ANY), 0,
		   "R-30: no queue, no reset, in open and close");
}

static void only_control_by_group(void)
{
	only_a_control_domain(VFIO_BY_GROUP);
}

static void only_control_by_cdev(void)
{
	only_a_control_domain(VFIO_BY_CDEV);
}

static const struct ktap_case cases[] = {
	{ "C-8: TAPQ answers 01 before open, 00 after, 01 after close (group)", by_group },
	{ "C-8: TAPQ answers 01 before open, 00 after, 01 after close (cdev)", by_cdev },
	{ "C-8: close resets the queues", close_resets },
	{ "R-2: open and close again and again (group)", again_by_group },
	{ "R-2: open and close again and again (cdev)", again_by_cdev },
	{ "C-8: the next guest gets the device", next_guest },
	{ "C-8: the VM may go before the device", vm_first },
	{ "C-8: open without KVM is EINVAL (group)", without_kvm_by_group },
	{ "C-8: open without KVM is EINVAL (cdev)", without_kvm_by_cdev },
	{ "R-7: the second device of a VM is EPERM and harmless (group)", second_by_group },
	{ "R-7: the second device of a VM is EPERM and harmless (cdev)", second_by_cdev },
	{ "R-1: two guests have what is theirs", two_guests },
	{ "C-8: the guest's QCI shows what was passed", configuration_of_the_guest },
	{ "C-8, R-30: a guest with nothing but a control domain (group)",
	  only_control_by_group },
	{ "C-8, R-30: a guest with nothing but a control domain (cdev)",
	  only_control_by_cdev },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
