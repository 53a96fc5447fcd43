// SPDX-License-Identifier: GPL-2.0-only
/* clock - what time it is, and waiting for something to become true */

#include <time.h>

#include "clock.h"

long long clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

long clock_ms(void)
{
	return clock_ns() / 1000000;
}

void clock_sleep_ms(unsigned int ms)
{
	struct timespec pause = { ms / 1000, (ms % 1000) * 1000000L };

	nanosleep(&pause, NULL);
}

/* The coarse clock goes on with the ticks. */
static long long coarse_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void clock_wait_for_phase(unsigned int us)
{
	long long before = coarse_ns(), tick;

	while (coarse_ns() == before)
		;
	tick = clock_ns();
	while (clock_ns() < tick + us * 1000LL)
		;
}
