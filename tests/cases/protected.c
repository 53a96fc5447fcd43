// SPDX-License-Identifier: GPL-2.0-only
/* protected - guests in protected virtualization (Secure Execution), against a fake ultravisor */

#include "protected.h"
#include "story.h"

#define QUEUE APQN(CARD_5, DOMAIN_4)
enum { ISC = 3 };

static struct scene scene_protected(void)
{
	return protected_scene(CARD_5, DOMAIN_4);
}

static void enable(struct scene *scene)
{
	protected_arm(scene->vm, QUEUE, ISC);
}

static void life(void)
{
	struct scene scene = scene_protected();

	expect_guest_rc(guest_nqap(scene.vm, QUEUE, 1, GUEST_BUFFER, 32), AP_OK,
			"the adapter takes a request of a protected guest");
	expect_guest_rc(guest_dqap(scene.vm, QUEUE, GUEST_BUFFER2, 32), AP_OK,
			"the protected guest gets the reply");
	expect_int(protected_fact("handles"), 2, "the ultravisor has the guest and its CPU");
	vfio_close(scene.vfio);
	need_rc(protected_disable(scene.vm), 0, "the guest becomes an ordinary one");
	expect_int(protected_fact("secure"), 0, "no page is secure then");
}

static void plug(void)
{
	struct scene scene = scene_protected();

	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_47)), AP_OK,
			"a queue is plugged into a protected guest");
	mdev_set(scene.mdev, "unassign_domain", DOMAIN_4);
	expect_guest_rc(guest_tapq(scene.vm, QUEUE), AP_NOT_AVAILABLE, "and another one unplugged");
	mdev_set(scene.mdev, "assign_domain", DOMAIN_4);
	expect_int(protected_bind_state(scene.vm, QUEUE), 2,
		   "BS of a queue that comes back: it can be bound");
}

static void interrupts(void)
{
	struct scene scene = scene_protected();
	long pins = world_pins();
	struct guest_saw saw;

	enable(&scene);
	expect_int(world_pins(), pins + 1, "one page is pinned");
	expect_int(protected_fact("pinned"), 1, "it is pinned at the ultravisor");
	expect_guest_rc(guest_nqap(scene.vm, QUEUE, 1, GUEST_BUFFER, 32), AP_OK,
			"the adapter takes a request");
	expect(clock_wait_for(guest_byte(scene.vm, GUEST_NIB), BOUND_EVENTUALLY_MS),
	       "the adapter sets the guest's indicator");
	expect(protected_load(scene.vm, GUEST_NIB & ~7UL) != 0, "the guest sees it");
	saw = guest_sleep(scene.vm, ISC, BOUND_EVENTUALLY_MS);
	expect_str(guest_end_name(saw.end), "interrupted", "the guest takes the interruption");
	expect_hex(saw.interruption, 0x80000000U | ISC << 27, "the interruption says what it is");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_IRQ_ALREADY,
			"another enable is answered 07");
	expect_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_OK, "disabling is answered 00");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: no page stays pinned");
}

static void not_shared(void)
{
	struct scene scene = scene_protected();
	long pins = world_pins();

	protected_load(scene.vm, GUEST_NIB & ~7UL);
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_BAD_NIB,
			"R-15: an indicator in a secure page is answered 06");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB_FAR, ISC), AP_BAD_NIB,
			"R-15: so is one in a page that the guest has never touched");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, 0, ISC), AP_BAD_NIB, "and address 0");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, VM_MEMORY + 16, ISC), AP_BAD_NIB,
			"and an address outside of the guest's memory");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: no page stays pinned");
	protected_load(scene.vm, GUEST_NIB & ~7UL);
	expect_int(protected_fact("pinned"), 0, "the ultravisor has none pinned");
	expect_int(apemu_count(0, APEMU_HOST, "aqic", QUEUE), 0, "the adapter was not asked");
}

static void pin_fails(void)
{
	struct scene scene = scene_protected();
	long pins = world_pins();

	need_int(protected_share(scene.vm, GUEST_NIB), 0, "the guest shares a page");
	protected_order("answer 0341 rc=3 times=0");
	expect_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_BAD_NIB,
			"R-15: 06 if the ultravisor does not let a page be pinned");
	protected_order("answer clear");
	expect(clock_wait_for(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: no page stays pinned");
	enable(&scene);
}

static void unshare_after_disable(void)
{
	struct scene scene = scene_protected();
	long begun;

	enable(&scene);
	expect_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_OK, "disabling is answered 00");
	begun = clock_ms();
	expect_int(protected_unshare(scene.vm, GUEST_NIB), 0, "the guest takes the page back");
	ktap_diag("it took %ld ms, KVM_RUN was refused %u times", clock_ms() - begun,
		  scene.vm->retries);
	expect_at_most(clock_ms() - begun, 5, "R-15: milliseconds until the page is the guest's");
}

static void unshare_after_reset(void)
{
	struct scene scene = scene_protected();

	enable(&scene);
	expect_guest_rc(guest_zapq(scene.vm, QUEUE), AP_OK, "the guest resets the queue");
	expect(clock_wait_for(apemu_fact("irq-on") == 0, BOUND_EVENTUALLY_MS),
	       "its interrupt is off");
	need_rc(vfio_reset(scene.vfio), 0, "VFIO_DEVICE_RESET");
	expect_int(protected_unshare(scene.vm, GUEST_NIB), 0, "the guest takes the page back");
}

static void reboot(void)
{
	struct scene scene = scene_protected();
	long pins = world_pins();
	long begun;

	enable(&scene);
	need_rc(vfio_reset(scene.vfio), 0, "VFIO_DEVICE_RESET of an armed queue");
	expect_int(world_pins(), pins, "R-15: no page is pinned when VFIO_DEVICE_RESET returns");
	begun = clock_ms();
	protected_reboot(scene.vm, scene.vfio);
	ktap_diag("the reboot took %ld ms", clock_ms() - begun);
	need_guest_rc(guest_tapq(scene.vm, QUEUE), AP_OK, "the guest has the queue again");
	need_guest_rc(protected_bind(scene.vm, QUEUE), AP_OK, "and binds it");
	enable(&scene);
}

static void disable_armed(void)
{
	struct scene scene = scene_protected();

	need_guest_rc(guest_zapq(scene.vm, QUEUE | 1 << 22), AP_OK, "the guest unbinds the queue");
	enable(&scene);
	need_rc(protected_disable(scene.vm), 0, "it becomes an ordinary guest, and is armed");
	apemu_do("interrupt 05.0004");
	expect_int(apemu_count(0, NULL, "unchecked-store", QUEUE), 0, "the page is still pinned");
	need_rc(vfio_reset(scene.vfio), 0, "VFIO_DEVICE_RESET");
}

static void async(void)
{
	struct scene scene = scene_protected();

	enable(&scene);
	need_rc(vfio_reset(scene.vfio), 0, "VFIO_DEVICE_RESET");
	need_rc(protected_command(scene.vm, KVM_PV_ASYNC_CLEANUP_PREPARE, NULL), 0, "PREPARE");
	scene.vm->protected = false;
	need_rc(protected_command(scene.vm, KVM_PV_ASYNC_CLEANUP_PERFORM, NULL), 0, "PERFORM");
	expect_int(protected_fact("handles"), 0, "the ultravisor has forgotten the guest");
	expect_int(protected_fact("secure"), 0, "and no page is secure");
}

static void async_without_fast(void)
{
	protected_need();
	protected_order("fast off");
	async();
	expect_int(protected_count(UVC_DESTROY_CONF_FAST), 0, "there was no fast destroy");
	expect_int(protected_count(UVC_DESTROY_CONF), 1, "but the other one");
}

int main(void)
{
	static const struct ktap_case cases[] = {
		{ "R-15: a protected guest gets a queue, uses it, and leaves nothing", life },
		{ "R-15: queues are plugged into a protected guest and unplugged", plug },
		{ "R-15: interrupts reach a protected guest that shares the page", interrupts },
		{ "R-15: an indicator outside of shared pages is answered 06", not_shared },
		{ "R-15: the ultravisor refuses to pin a page once", pin_fails },
		{ "R-15: F3: a page can be taken back at once after a disable",
		  unshare_after_disable },
		{ "R-15: a page can be taken back after a reset", unshare_after_reset },
		{ "R-15: F2: a protected guest reboots with an interrupt enabled", reboot },
		{ "R-15: a guest becomes an ordinary one with an interrupt enabled",
		  disable_armed },
		{ "R-15: asynchronous destroy", async },
		{ "R-15: asynchronous destroy without DESTROY FAST", async_without_fast },
	};

	return RUN_IN_THE_WORLD(cases);
}
