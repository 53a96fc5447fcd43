/* SPDX-License-Identifier: GPL-2.0-only */
/* bounds - every time the tests rely on, in one place */
#ifndef VFIO_AP_TESTS_BOUNDS_H
#define VFIO_AP_TESTS_BOUNDS_H

/* how long a writer or VFIO_DEVICE_RESET waits for a reset, as documented. */
#define BOUND_RESET_WAIT_MS	2500

/* How much later than that the waiter may come back on a slow machine. */
#define BOUND_RESET_SLACK_MS	1500

/*
 * what has nothing to do with a stuck queue must be done by then (usually: a few
 * milliseconds).
 */
#define BOUND_UNBOTHERED_MS	1500

/* a queue whose reset completes after the deadline comes back by itself by then. */
#define BOUND_RETRY_MS		15000

/* The driver tries that often to reset a queue that failed: by then it has noticed. */
#define BOUND_RETRIED_MS	150

/*
 * What must happen but has no promised time: interrupts taken, events signalled, devices
 * appearing.
 */
#define BOUND_EVENTUALLY_MS	5000

/* Closing, unmapping or removing what no reset holds up */
#define BOUND_LET_GO_MS		1000

/* How long a test waits to see that something does not happen. */
#define BOUND_NEVER_MS		300

#endif
