/* SPDX-License-Identifier: GPL-2.0-only */
/* apbus - the host's AP bus: queue devices, their drivers, masks, scans */
#ifndef VFIO_AP_TESTS_APBUS_H
#define VFIO_AP_TESTS_APBUS_H

#include <stdbool.h>

long apbus_write(const char *attribute, const char *text);
char *apbus_read(const char *attribute);	/* valid until the case is over */
void apbus_scan(void);				/* comes back when the scan is done */

bool apbus_has_queue(int apqn);
const char *apbus_driver(int apqn);		/* "" if none */
long apbus_bind(int apqn, const char *driver);
long apbus_unbind(int apqn);
char *apbus_status(int apqn);			/* "" if it has none */

/* Since 6.19 a queue can be given to a driver by name; "" takes the name back. */
bool apbus_has_override(int apqn);
long apbus_override(int apqn, const char *driver);
void apbus_forget_overrides(void);		/* of this program */

#endif
