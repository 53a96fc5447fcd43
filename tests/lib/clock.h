/* SPDX-License-Identifier: GPL-2.0-only */
/* clock - what time it is, and waiting for something to become true */
#ifndef VFIO_AP_TESTS_CLOCK_H
#define VFIO_AP_TESTS_CLOCK_H

#include <stdbool.h>

long clock_ms(void);
long long clock_ns(void);	/* with lab.icount=yes: instructions of all CPUs, plus waits */
void clock_sleep_ms(unsigned int ms);
void clock_wait_for_phase(unsigned int us);	/* until so long after a tick of the kernel */

/*
 * Evaluate the condition every few milliseconds until it is true (result true) or the time
 * is over.
 */
#define clock_wait_for(condition, ms) ({			\
	long end_ = clock_ms() + (ms);				\
	bool seen_;						\
	while (!(seen_ = (condition)) && clock_ms() < end_)	\
		clock_sleep_ms(2);				\
	seen_; })

#endif
