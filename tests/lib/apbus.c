// SPDX-License-Identifier: GPL-2.0-only
/* apbus - the host's AP bus: queue devices, their drivers, masks, scans */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apbus.h"
#include "apqn.h"
#include "file.h"
#include "ktap.h"
#include "memo.h"

#define BUS "/sys/bus/ap"

static bool overridden[APQN(256, 0)];

long apbus_write(const char *attribute, const char *text)
{
	return file_write_text(memo("%s/%s", BUS, attribute), text);
}

char *apbus_read(const char *attribute)
{
	return memo_file(memo("%s/%s", BUS, attribute));
}

void apbus_scan(void)
{
	need_rc(apbus_write("scans", "1"), 0, "the AP bus scans on demand");
}

bool apbus_has_queue(int apqn)
{
	return file_exists(memo("%s/devices/%s", BUS, apqn_name(apqn)));
}

const char *apbus_driver(int apqn)
{
	char target[PATH_MAX], *name;
	ssize_t length = readlink(memo("%s/devices/%s/driver", BUS, apqn_name(apqn)), target,
				  sizeof(target) - 1);

	if (length < 0)
		return "";
	target[length] = '\0';
	name = strrchr(target, '/');
	return memo("%s", name ? name + 1 : target);
}

long apbus_bind(int apqn, const char *driver)
{
	return file_write_text(memo("%s/drivers/%s/bind", BUS, driver), apqn_name(apqn));
}

long apbus_unbind(int apqn)
{
	const char *driver = apbus_driver(apqn);

	if (!*driver)
		return -ENODEV;
	return file_write_text(memo("%s/drivers/%s/unbind", BUS, driver), apqn_name(apqn));
}

char *apbus_status(int apqn)
{
	return memo_file(memo("%s/devices/%s/status", BUS, apqn_name(apqn)));
}

static const char *override_path(int apqn)
{
	return memo("%s/devices/%s/driver_override", BUS, apqn_name(apqn));
}

bool apbus_has_override(int apqn)
{
	return file_exists(override_path(apqn));
}

long apbus_override(int apqn, const char *driver)
{
	overridden[apqn] |= *driver;
	/* A write of no bytes does not arrive. */
	return file_write_text(override_path(apqn), memo("%s\n", driver));
}

void apbus_forget_overrides(void)
{
	int apqn;

	for (apqn = 0; apqn < (int)ARRAY_SIZE(overridden); apqn++) {
		if (overridden[apqn])
			apbus_override(apqn, "");
		overridden[apqn] = false;
	}
}
