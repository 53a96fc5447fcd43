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
