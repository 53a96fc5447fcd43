// SPDX-License-Identifier: GPL-2.0-only
/* slab - how much memory the kernel has allocated in objects */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "file.h"
#include "slab.h"

#define SLABINFO "/proc/slabinfo"

bool slab_present(void)
{
	return file_exists(SLABINFO);
}

long slab_bytes(const char *caches)
{
	char *text = file_read(SLABINFO, NULL), *line;
	long objects, size, bytes = 0;

	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, caches, strlen(caches)) &&
		    sscanf(line, "%*s %ld %*d %ld", &objects, &size) == 2)
			bytes += objects * size;
	}
	free(text);
	return bytes;
}

void slab_settle(void)
{
	clock_sleep_ms(10000);
}
