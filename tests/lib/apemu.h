/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * apemu - the emulated AP hardware: give it orders, ask it what it saw
 *
 * A point in time is the sequence number of the last log line; the questions take the point
 * from which on they look. apqn may be APQN_ANY, who and function may be NULL for any.
 */
#ifndef VFIO_AP_TESTS_APEMU_H
#define VFIO_AP_TESTS_APEMU_H

#include <stdbool.h>

typedef unsigned long long apemu_time;

#define APEMU_HOST	"host"
#define APEMU_GUEST	"guest"

struct apemu_irq {
	bool on;
	unsigned long long nib;
	unsigned long long gisa;
	unsigned int gisc;
	unsigned int isc;
};

bool apemu_present(void);
void apemu_need(void);				/* skips the case where there is no emulator */
long apemu_order(const char *fmt, ...) __attribute__((format(printf, 1, 2)));	/* 0 or -errno */
void apemu_do(const char *fmt, ...) __attribute__((format(printf, 1, 2)));	/* must work */

/* Has any order since the last factory setting changed what a scan of the AP bus finds? */
bool apemu_reconfigured(void);

/* Were resets made slow, or answers scripted, since the last "factory"? */
bool apemu_disturbed(void);

long long apemu_fact(const char *key);		/* "irq-on", "resetting", ...; -1 if not stated */
bool apemu_states(const char *line);		/* a line of the state that begins with this */
struct apemu_irq apemu_irq(int apqn);
char *apemu_state(void);			/* all lines; the caller frees it */

apemu_time apemu_now(void);
int apemu_count(apemu_time since, const char *who, const char *function, int apqn);
apemu_time apemu_first(apemu_time since, const char *who, const char *function,
		       int apqn);	/* 0: never */
apemu_time apemu_last(apemu_time since, const char *who, const char *function, int apqn);
int apemu_count_rc(apemu_time since, const char *who, const char *function, int apqn,
		   unsigned int rc);
void apemu_show(apemu_time since);		/* the log as diagnostics */

#endif
