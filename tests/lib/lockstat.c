// SPDX-License-Identifier: GPL-2.0-only
/* lockstat - how long locks were held, as the kernel counts it (CONFIG_LOCK_STAT) */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "lockstat.h"
#include "memo.h"

#define LOCK_STAT "/proc/lock_stat"

bool lockstat_present(void)
{
	return file_exists(LOCK_STAT);
}

void lockstat_clear(void)
{
	file_write_text(LOCK_STAT, "0");
}

/*
 * "<lock>: con-bounces contentions", four times of waiting, "acq-bounces acquisitions", least and
 * longest hold
 */
long lockstat_held_ns(const char *lock)
{
	char *line = strstr(memo_file(LOCK_STAT), memo(" %s:", lock));
	double held;

	if (!line || sscanf(line + strlen(lock) + 2,
			    "%*f %*f %*f %*f %*f %*f %*f %*f %*f %lf", &held) != 1)
		return -1;
	return held * 1000;
}

long lockstat_held_us(const char *lock)
{
	long ns = lockstat_held_ns(lock);

	return ns < 0 ? -1 : ns / 1000;
}

long lockstat_taken(const char *lock)
{
	char *line = strstr(memo_file(LOCK_STAT), memo(" %s:", lock));
	double taken;

	if (!line || sscanf(line + strlen(lock) + 2, "%*f %*f %*f %*f %*f %*f %*f %lf",
			    &taken) != 1)
		return -1;
	return taken;
}
