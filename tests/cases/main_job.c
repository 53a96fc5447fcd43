// SPDX-License-Identifier: GPL-2.0-only
/*
 * main_job - the main job of the driver as a story: what the administrator did, what the guest
 * saw, what the hardware saw
 *
 * The guest executes single instructions. `make demo` tells the same with a Linux as guest.
 */

#include "story.h"
#include "table.h"

#define QUEUE		APQN(CARD_5, DOMAIN_4)
#define PLUGGED		APQN(CARD_1, DOMAIN_4)
#define PLUGGED_LATER	APQN(CARD_5, DOMAIN_47)
#define CORNER		APQN(CARD_1, DOMAIN_47)

enum { ISC = 3 };

static struct mdev *mdev;
static struct vm *vm;
static struct vfio *vfio;

static const char hello[] = "Hello, adapter 5!";

static void tapq(int apqn, unsigned int expected)
{
	struct guest_saw saw = guest_tapq(vm, apqn);
	const char *meaning = saw.rc == AP_OK ? ", there" : saw.rc == AP_NOT_AVAILABLE ?
	", not there" : "";

	guest(saw.end == GUEST_DONE && saw.rc == expected, "TAPQ %s: %02x%s", apqn_name(apqn),
	      saw.rc, meaning);
}

static void echo(int number, const char *attribute)
{
	mdev_set(mdev, attribute, number);
	administrator("echo 0x%x > %s", number, attribute);
}

static void executed(apemu_time since, const char *function, int apqn)
{
	int times = apemu_count_rc(since, APEMU_GUEST, function, apqn, 0);

	hardware(times > 0, "%s %s %s", times ? "guest" : "no guest", function, apqn_name(apqn));
}

static void zeroized(apemu_time since, int apqn)
{
	int times = apemu_count(since, APEMU_HOST, "zapq", apqn);

	hardware(times > 0, "%s zapq %s", times ? "host" : "no host", apqn_name(apqn));
}

static void untouched(apemu_time since, int apqn)
{
	if (apemu_count(since, APEMU_HOST, NULL, apqn))
		hardware(false, "%s touched", apqn_name(apqn));
}

/* Names of the members of a mask of the guest's QCI, "none" if there are none. */
static char *members(bool (*has)(struct vm *vm, unsigned int id))
{
	char *text = memo("%s", "");
	unsigned int id;

	for (id = 0; id < 256; id++)
		if (has(vm, id))
			text = memo("%s%s%02x", text, *text ? " " : "", id);
	return *text ? text : memo("none");
}

static void qci(const char *adapters, const char *domains, const char *control_domains)
{
	struct guest_saw saw = guest_qci(vm);
	char *apm = members(guest_qci_has_adapter);
	char *aqm = members(guest_qci_has_domain);
	char *adm = members(guest_qci_has_control_domain);

	guest(saw.end == GUEST_DONE && !strcmp(apm, adapters), "QCI: adapters %s", apm);
	guest(!strcmp(aqm, domains), "     domains %s", aqm);
	guest(!strcmp(adm, control_domains), "     control domains %s", adm);
}

static void make_device(void)
{
	row_begin();
	mdev = mdev_create();
	administrator("echo $uuid > create");
	row_end();

	row_begin();
	echo(CARD_5, "assign_adapter");
	echo(DOMAIN_4, "assign_domain");
	echo(CONTROL_22, "assign_control_domain");
	administrator("cat guest_matrix: %.7s", mdev_read(mdev, "guest_matrix"));
	also(!strcmp(mdev_read(mdev, "guest_matrix"), "05.0004\n"));
	row_end();
}

static void start_guest(void)
{
	row_begin();
	administrator("started a VM with one CPU");
	vm = vm_create();
	tapq(QUEUE, AP_NOT_AVAILABLE);
	row_end();

	row_begin();
	administrator("opened the device for it (VFIO)");
	vfio = vfio_open(VFIO_BY_GROUP, mdev, vm);
	tapq(QUEUE, AP_OK);
	executed(0, "tapq", QUEUE);
	row_end();

	row_begin();
	qci("05", "04", "22");
	row_end();
}

static void send_and_receive(void)
{
	struct guest_saw sent, received;
	apemu_time since = apemu_now();
	char *reply = (char *)vm->memory + GUEST_BUFFER2;

	row_begin();
	memcpy(vm->memory + GUEST_BUFFER, hello, sizeof(hello));
	memset(reply, 0, sizeof(hello));
	sent = guest_nqap(vm, QUEUE, 0x2a, GUEST_BUFFER, sizeof(hello));
	guest(sent.rc == AP_OK, "NQAP \"%s\": %02x", hello, sent.rc);
	executed(since, "nqap", QUEUE);
	row_end();

	row_begin();
	received = guest_dqap(vm, QUEUE, GUEST_BUFFER2, 256);
	guest(received.rc == AP_OK && received.gr[5] == 0x2a && !strcmp(reply, hello),
	      "DQAP \"%.20s\": %02x", reply, received.rc);
	executed(since, "dqap", QUEUE);
	row_end();
}

static void interrupts(void)
{
	struct guest_saw saw;
	struct apemu_irq irq;
	apemu_time since = apemu_now();
	long pins = world_pins();

	row_begin();
	saw = guest_aqic_on(vm, QUEUE, GUEST_NIB, ISC);
	guest(saw.rc == AP_OK, "AQIC 05.0004 on: %02x", saw.rc);
	also(clock_wait_for(guest_tapq(vm, QUEUE).ir, BOUND_EVENTUALLY_MS));
	irq = apemu_irq(QUEUE);
	guest(irq.on, "TAPQ 05.0004: IR on");
	hardware(apemu_count(since, APEMU_HOST, "aqic", QUEUE) == 1, "host aqic 05.0004");
	hardware(irq.on && irq.gisc == ISC, "IR on, subclass %u", irq.gisc);
	administrator("(pages pinned: %ld)", world_pins() - pins);
	also(world_pins() == pins + 1);
	row_end();

	row_begin();
	guest_sleep_begin(vm, ISC, BOUND_EVENTUALLY_MS);
	guest(true, "sleeps in an enabled wait");
	apemu_do("interrupt 05.0004");
	hardware(true, "interrupt 05.0004");
	saw = guest_sleep_end(vm);
	guest(guest_byte(vm, GUEST_NIB), "indicator byte %02x", guest_byte(vm, GUEST_NIB));
	guest(saw.end == GUEST_INTERRUPTED, "I/O interruption %s",
	      saw.end == GUEST_INTERRUPTED ? "taken" : "missing");
	row_end();
}

static void plug(const char *attribute, int number, int apqn)
{
	row_begin();
	administrator("(before)");
	tapq(apqn, AP_NOT_AVAILABLE);
	echo(number, attribute);
	tapq(apqn, AP_OK);
	hardware(true, "-");
	executed(0, "tapq", apqn);
	row_end();
}

static void unplug(void)
{
	apemu_time since = apemu_now();

	row_begin();
	echo(CARD_5, "unassign_adapter");
	tapq(QUEUE, AP_NOT_AVAILABLE);
	tapq(PLUGGED_LATER, AP_NOT_AVAILABLE);
	zeroized(since, QUEUE);
	zeroized(since, PLUGGED_LATER);
	untouched(since, PLUGGED);
	untouched(since, CORNER);
	hardware(!apemu_fact("irq-on"), "interrupts on: %lld", apemu_fact("irq-on"));
	tapq(CORNER, AP_OK);
	row_end();
}

static void close_device(void)
{
	apemu_time since = apemu_now();

	row_begin();
	administrator("closed the device");
	vfio_close(vfio);
	tapq(PLUGGED, AP_NOT_AVAILABLE);
	qci("none", "none", "none");
	zeroized(since, PLUGGED);
	zeroized(since, CORNER);
	row_end();
}

static void remove_device(long pins)
{
	char *uuid = memo("%s", mdev->uuid);

	row_begin();
	administrator("echo 1 > remove");
	also(!mdev_remove(mdev) && !file_exists(memo("%s/%s", MATRIX_DEVICE, uuid)));
	administrator("(pages pinned: %ld)", world_pins() - pins);
	hardware(!apemu_fact("irq-on"), "interrupts on: %lld", apemu_fact("irq-on"));
	hardware(world_pins() == pins && apemu_fact("resetting") <= 0, "resets running: %lld",
		 apemu_fact("resetting"));
	row_end();
}

static void story(void)
{
	long pins;

	apemu_need();
	pins = world_pins();
	printf("A guest uses an AP queue that vfio_ap passed through.\n");
	table_begin();
	make_device();
	start_guest();
	send_and_receive();
	interrupts();
	plug("assign_adapter", CARD_1, PLUGGED);
	plug("assign_domain", DOMAIN_47, PLUGGED_LATER);
	unplug();
	close_device();
	remove_device(pins);
	expect_int(table_end(), 0, "every line is as expected (lines that are not)");
	printf(ktap_case_failed() ? "NOT as expected.\n" : "Every line was as expected.\n");
}

static const struct ktap_case cases[] = {
	{ "C-15: the main job, end to end", story },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
