// SPDX-License-Identifier: GPL-2.0-only
/* slab - how much memory the kernel has allocated in objects */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

long slab_large_bytes(void)
{
	char *text = file_read(SLABINFO, NULL), *line = text, *data;
	long pages, slabs, kib = 0, in_caches = 0;

	for (; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		data = strstr(line, ": slabdata");
		if (data && sscanf(line, "%*s %*d %*d %*d %*d %ld", &pages) == 1 &&
		    sscanf(data, ": slabdata %*d %ld", &slabs) == 1)
			in_caches += slabs * pages * sysconf(_SC_PAGESIZE);
	}
	free(text);
	text = file_read("/proc/meminfo", NULL);
	line = strstr(text, "\nSlab:");
	if (line)
		sscanf(line, "\nSlab: %ld", &kib);
	free(text);
	return kib * 1024 - in_caches;
}

void slab_settle(void)
{
	clock_sleep_ms(10000);
}
