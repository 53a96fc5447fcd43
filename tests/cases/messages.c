// SPDX-License-Identifier: GPL-2.0-only
/*
 * messages - what the kernel log, the debug area and the tracepoints tell an administrator
 *
 * The last case uses up what the rate limits allow, so nothing that counts on a line may follow.
 */

#include "module.h"
#include "story.h"
#include "uapi.h"

#define QUEUE		APQN(CARD_5, DOMAIN_4)
#define AREA		"/sys/kernel/debug/s390dbf/vfio_ap"
#define TRACING		"/sys/kernel/tracing"
#define ALL_DOMAINS	"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

/* Rate limits of the kernel: ten lines of a kind in five seconds. */
#define LINES_AT_ONCE	10
#define LINES_PER_MS	5000

static int lines_about(const struct mdev *mdev, const char *text)
{
	return kmsg_count(memo("vfio_ap_mdev %s: %s", mdev->uuid, text));
}

static void another_has_it(void)
{
	struct mdev *first = mdev_create(), *second = mdev_create();

	module_need_ours("kernel log");
	mdev_assign(first, CARD_5, DOMAIN_4);
	mdev_set(second, "assign_adapter", CARD_5);
	kmsg_mark();
	expect_rc(mdev_write(second, "assign_domain", "4"), -EADDRINUSE, "the queue is taken");
	expect_int(lines_about(second, memo("05.0004 is assigned to %s, not assigned",
					    first->uuid)), 1,
		   "one line names who wants it, the queue, and who has it");
	expect_int(lines_about(second, ""), 1, "and there is no other");
}

static void the_host_has_it(void)
{
	struct mdev *mdev = mdev_create();

	module_need_ours("kernel log");
	need_rc(apbus_write("apmask", "+5"), 0, "the administrator gives adapter 5 to the host");
	mdev_set(mdev, "assign_domain", DOMAIN_47);
	kmsg_mark();
	expect_rc(mdev_write(mdev, "assign_adapter", "5"), -EADDRNOTAVAIL, "it is the host's");
	expect_int(lines_about(mdev, "05.0047 is reserved for the host's drivers, not assigned"), 1,
		   "one line names who wants it, the queue, and who has it");
	expect_int(lines_about(mdev, ""), 1, "and there is no other");
}

static void the_host_wants_it(void)
{
	struct mdev *mdev = mdev_create();

	module_need_ours("kernel log");
	mdev_assign(mdev, CARD_5, DOMAIN_4);
	expect_rc(apbus_write("apmask", "+5"), -EBUSY, "the host does not get what is assigned");
	expect_int(lines_about(mdev, "05.0004 is assigned, not reserved for the host"), 1,
		   "one line names the queue and who has it");
}

static void everything_conflicts(void)
{
	const char *all = ALL_DOMAINS "," ALL_DOMAINS "," ALL_DOMAINS;
	struct mdev *first = mdev_create(), *second = mdev_create();

	if (!file_exists(mdev_path(first, "ap_config")))
		ktap_skip("the driver has no ap_config");
	need_rc(mdev_write(first, "ap_config", all), 0, "one device has everything");
	kmsg_mark();
	expect_rc(mdev_write(second, "ap_config", all), -EADDRINUSE, "another wants it");
	expect_int(kmsg_count(""), 1, "65,536 conflicts are one line");
	if (!module_is_peer())
		expect_int(lines_about(second, memo("00.0000 is assigned to %s", first->uuid)), 1,
			   "about the first of them");
}

static void reset_fails(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	module_need_ours("kernel log");
	apemu_do("reset 05.0004 never");
	kmsg_mark();
	mdev_set(scene.mdev, "unassign_adapter", CARD_5);
	expect_int(kmsg_count("vfio_ap: 05.0004: not reset after"), 1, "one line names the queue");
	apemu_do("reset 05.0004 polls=0");
	expect(clock_wait_for(kmsg_count("vfio_ap: 05.0004: reset at last"), BOUND_RETRY_MS),
	       "another says that it is over");
	expect_int(kmsg_count("vfio_ap: 05.0004"), 2, "and there is no other");
}

static void open_is_refused(void)
{
	struct scene scene = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct mdev *second = mdev_create();

	module_need_ours("kernel log");
	expect_rc(vfio_try(NULL, VFIO_BY_GROUP, second, scene.vm), -EPERM, "a VM has one device");
	expect_int(lines_about(second, "the guest has another vfio_ap device, not attached"), 1,
		   "one line says so");
	expect_rc(vfio_try(NULL, VFIO_BY_GROUP, second, NULL), -EINVAL, "and there must be a VM");
	expect_int(lines_about(second, "opened by somebody who has no KVM guest, refused"), 1,
		   "one line says so");
}

static void removal_waits(bool asked)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct mdev_job *removal;
	const char *text = asked ? "wanted back, asked its user to let go (0)" :
				   "wanted back, but its user cannot be asked";

	module_need_ours("kernel log");
	if (asked)
		need_rc(vfio_arm(scene.vfio, AP_IRQ_REQ, vfio_event_new()), 0,
			"the VMM wants to know when to let go");
	removal = mdev_begin(scene.mdev, "remove", "1");
	expect(clock_wait_for(lines_about(scene.mdev, text), BOUND_EVENTUALLY_MS),
	       "a line says what the removal waits for");
	vfio_close(scene.vfio);
	expect_rc(mdev_end(removal, NULL), 0, "after the close the removal ends");
	expect_int(lines_about(scene.mdev, "wanted back"), 1, "it was one line");
}

static void removal_with_request(void)
{
	removal_waits(true);
}

static void removal_without_request(void)
{
	removal_waits(false);
}

static bool area_has(const char *fmt, const char *uuid)
{
	return strstr(memo_file(AREA "/sprintf"), memo(fmt, uuid));
}

static void debug_area(void)
{
	struct scene scene;
	struct mdev *other;

	module_need_ours("debug area");
	need_str(memo_file(AREA "/level"), "4\n", "C-1: the level of the area is 4");
	need_rc(file_write_text(AREA "/flush", "-"), 0, "the administrator empties the area");
	need_rc(file_write_text(AREA "/level", "5"), 0, "and asks for all");
	scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	expect(area_has(memo("%%s: attached by process %d", getpid()), scene.mdev->uuid),
	       "who attached it");
	expect(area_has("%s: the guest has 1 adapters, 1 domains, 0 control domains",
			scene.mdev->uuid),
	       "what the guest got");
	need_rc(file_write_text(AREA "/level", "4"), 0, "the level of before");
	other = mdev_create();
	mdev_set(other, "assign_domain", DOMAIN_4);
	expect_rc(mdev_write(other, "assign_adapter", "5"), -EADDRINUSE, "a conflict");
	expect(area_has("%s: 05.0004 not assigned: another device has it", other->uuid),
	       "what was refused");
	expect_rc(apbus_write("apmask", "+5"), -EBUSY, "one with the host");
	expect(area_has("%s: 05.0004 not given to the host: assigned", scene.mdev->uuid),
	       "what was refused to the host");
	apemu_do("reset 05.0004 never");
	vfio_close(scene.vfio);
	expect(area_has("%s: detached", scene.mdev->uuid), "that it is detached");
	expect(area_has("05.0004: not reset after%s", ""), "what could not be reset");
	apemu_do("reset 05.0004 polls=0");
	expect(clock_wait_for(area_has("05.0004: reset at last%s", ""), BOUND_RETRY_MS),
	       "and that it could at last");
}

static int traced(const char *text)
{
	char *trace = memo_file(TRACING "/trace");
	int count = 0;

	for (trace = strstr(trace, text); trace; trace = strstr(trace + 1, text))
		count++;
	return count;
}

static void tracepoints(void)
{
	struct scene scene;

	module_need_ours("tracepoints");
	if (!file_exists(TRACING "/events/vfio_ap/enable"))
		ktap_skip("the kernel has no tracefs");
	need_rc(file_write_text(TRACING "/events/vfio_ap/enable", "1"), 0, "tracing is on");
	scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, 3), AP_OK, "interrupts on");
	need_guest_rc(guest_aqic_off(scene.vm, QUEUE), AP_OK, "interrupts off");
	vfio_close(scene.vfio);
	expect(traced("vfio_ap_zapq: 05.0004 status="), "a reset is traced");
	expect(traced("vfio_ap_tapq: 05.0004 status=80000000"), "and its verification");
	expect_int(traced("vfio_ap_irq_on: 05.0004 status="), 1, "an interrupt switched on");
	expect_int(traced("vfio_ap_irq_off: 05.0004 status="), 1, "and off");
	expect_int(traced(memo("vfio_ap_apcb: %s apm=0400", scene.mdev->uuid)), 1, "an APCB set");
	expect_int(traced(memo("vfio_ap_apcb: %s apm=0000", scene.mdev->uuid)), 1, "and cleared");
	file_write_text(TRACING "/events/vfio_ap/enable", "0");
	file_write_text(TRACING "/trace", "");
}

static void many_refusals(void)
{
	struct mdev *first = mdev_create(), *second = mdev_create();
	long begun = clock_ms();
	int i, bursts;

	mdev_assign(first, CARD_5, DOMAIN_4);
	mdev_set(second, "assign_adapter", CARD_5);
	kmsg_mark();
	for (i = 0; i < 300; i++)
		expect_rc(mdev_write(second, "assign_domain", "4"), -EADDRINUSE, "refused");
	bursts = 2 + (clock_ms() - begun) / LINES_PER_MS;
	expect_at_most(kmsg_count(""), bursts * LINES_AT_ONCE,
		       "R-6: lines about 300 refused assignments");
}

static const struct ktap_case cases[] = {
	{ "R-33: a queue that another device has is named, with its owner", another_has_it },
	{ "R-33: a queue that the host has is named, with its owner", the_host_has_it },
	{ "R-33: a queue that the host wants is named, with its owner", the_host_wants_it },
	{ "R-6: 65,536 conflicts are one line", everything_conflicts },
	{ "R-33: a reset that fails is told, and when it has worked", reset_fails },
	{ "R-33: an open that is refused says why", open_is_refused },
	{ "C-11: a removal that waits says for whom (request armed)", removal_with_request },
	{ "C-11: a removal that waits says for whom (no request)", removal_without_request },
	{ "R-33: what happened can be looked up in the debug area", debug_area },
	{ "R-33: resets, APCBs and interrupts can be traced", tracepoints },
	{ "R-6: the log does not fill with refusals", many_refusals },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
