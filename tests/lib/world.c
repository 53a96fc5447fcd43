// SPDX-License-Identifier: GPL-2.0-only
/* world - what every case begins with and leaves behind */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apbus.h"
#include "apemu.h"
#include "apqn.h"
#include "bounds.h"
#include "clock.h"
#include "file.h"
#include "guest.h"
#include "kmsg.h"
#include "mdev.h"
#include "memo.h"
#include "vfio.h"
#include "vm.h"
#include "world.h"

#define VFIO_AP_DRIVER "/sys/bus/ap/drivers/vfio_ap"

static long pins_before;

bool world_has_facility(unsigned int number)
{
	char *text = memo_file("/proc/cpuinfo");
	char *list = strstr(text, "facilities");
	char *end;

	list = list ? strchr(list, ':') : NULL;
	while (list && *list && *list != '\n') {
		if (strtoul(list + 1, &end, 10) == number)
			return true;
		if (end == list + 1)
			break;
		list = end;
	}
	return false;
}

static long vmstat(const char *key)
{
	char *text = memo_file("/proc/vmstat");
	char *line = strstr(text, key);

	return line ? strtol(line + strlen(key), NULL, 10) : 0;
}

long world_pins(void)
{
	/* The counters are kept per CPU; this sums them up. */
	file_write_text("/proc/sys/vm/stat_refresh", "1");
	return vmstat("nr_foll_pin_acquired ") - vmstat("nr_foll_pin_released ");
}

static bool is_queue(const char *name, int *apqn)
{
	unsigned int adapter, domain;

	if (strlen(name) != 7 || sscanf(name, "%2x.%4x", &adapter, &domain) != 2)
		return false;
	*apqn = APQN(adapter, domain);
	return true;
}

/*
 * Bind what is on the bus and may be bound; cards that vfio_ap does not know stay where they
 * are.
 */
void world_bind_all(void)
{
	DIR *dir = opendir("/sys/bus/ap/devices");
	struct dirent *entry;
	int apqn;

	while (dir && (entry = readdir(dir))) {
		if (!is_queue(entry->d_name, &apqn) || !strcmp(apbus_driver(apqn), "vfio_ap"))
			continue;
		apbus_unbind(apqn);
		apbus_bind(apqn, "vfio_ap");
	}
	if (dir)
		closedir(dir);
}

static void restore_masks(void)
{
	char *adapters;

	/* The bus does not change its masks as long as there are any. */
	apbus_forget_overrides();
	adapters = apbus_read("apmask");
	if (strspn(adapters, "0x\n") != strlen(adapters))
		apbus_write("apmask", "0x0");
	if (!strstr(apbus_read("aqmask"),
		    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"))
		apbus_write("aqmask",
			    "0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff");
}

static bool scan, broken;

static void factory_new(void)
{
	memo_forget_all();
	kmsg_mark();
	if (!apemu_present())
		return;
	scan |= apemu_reconfigured();
	broken |= apemu_disturbed();
	apemu_do("factory");
	/* With hundreds of lookups a scan is by far the slowest part of making a world. */
	if (scan && file_exists("/sys/bus/ap/scans"))
		apbus_scan();
	scan = false;
}

static void begin(void)
{
	factory_new();
	if (!file_exists(VFIO_AP_DRIVER))
		ktap_skip("vfio_ap is not loaded");
	restore_masks();
	world_bind_all();
	if (apemu_present()) {
		/*
		 * Binding starts resets; a case must not see those of the case before in its
		 * log.
		 */
		clock_wait_for(apemu_fact("resetting") <= 0, BOUND_EVENTUALLY_MS);
		clock_sleep_ms(broken ? BOUND_RETRIED_MS : 30);
		broken = false;
		apemu_do("log clear");
	}
	pins_before = world_pins();
}

static void end_quietly(void)
{
	expect_kernel_quiet(kmsg_complaints(), "R-6: the kernel has nothing to complain about");
	memo_forget_all();
}

static void end(void)
{
	if (ktap_case_failed() && apemu_present())
		apemu_show(0);
	if (apemu_present()) {
		/* Scripted failures must not outlive the case. */
		scan |= apemu_reconfigured();
		broken |= apemu_disturbed();
		apemu_order("factory");
	}
	vfio_close_all();
	mdev_remove_all();
	vm_destroy_all();
	/* The host's own drivers have the interrupt of each of their queues on. */
	restore_masks();
	if (apemu_present())
		expect(clock_wait_for(apemu_fact("irq-on") <= 0, BOUND_EVENTUALLY_MS),
		       "R-2: no queue has its interrupt on after all guests are gone");
	expect(clock_wait_for(!vm_left_over(), BOUND_EVENTUALLY_MS),
	       "R-2: nobody keeps a VM alive whose files are closed");
	expect(clock_wait_for(world_pins() == pins_before, BOUND_EVENTUALLY_MS),
	       "R-2: every page pinned is released after all guests are gone");
	end_quietly();
}

/* A test that loads the driver itself unloads it in the same case. */
static const char * const traces_of_driver[] = {
	"/sys/module/vfio_ap", "/sys/devices/vfio_ap", "/sys/bus/matrix", VFIO_AP_DRIVER,
	"/sys/bus/mdev/drivers/vfio_ap_mdev", "/sys/kernel/debug/s390dbf/vfio_ap",
};

static bool there_before[ARRAY_SIZE(traces_of_driver)];

static void begin_without_driver(void)
{
	unsigned int i;

	factory_new();
	for (i = 0; i < ARRAY_SIZE(traces_of_driver); i++)
		there_before[i] = file_exists(traces_of_driver[i]);
}

static void end_without_driver(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(traces_of_driver); i++)
		if (!there_before[i] && file_exists(traces_of_driver[i]))
			ktap_left_behind(traces_of_driver[i]);
	end_quietly();
}

/* No reset is slow any more and no answer bad: who waits for the hardware has it now. */
static void rescue(void)
{
	apemu_order("factory");
}

const struct ktap_world world = { begin, end, rescue };
const struct ktap_world world_without_driver = {
	begin_without_driver, end_without_driver, rescue
};
