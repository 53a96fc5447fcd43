// SPDX-License-Identifier: GPL-2.0-only
/* slab - how much memory the kernel has allocated in objects */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "memo.h"
#include "slab.h"

#define SLABINFO "/proc/slabinfo"
#define CACHES "/sys/kernel/slab"

bool slab_present(void)
{
	return file_exists(SLABINFO);
}

static bool parse(const char *line, const char *caches, char name[64], long *objects, long *size)
{
	return !strncmp(line, caches, strlen(caches)) &&
	       sscanf(line, "%63s %ld %*d %ld", name, objects, size) == 3;
}

/* The line after this one, NULL if there is none */
static const char *next(const char *line)
{
	line = strchr(line, '\n');
	return line ? line + 1 : NULL;
}

long slab_bytes(const char *caches)
{
	const char *text = slab_snapshot(), *line;
	long objects, size, bytes = 0;
	char name[64];

	for (line = text; line; line = next(line))
		if (parse(line, caches, name, &objects, &size))
			bytes += objects * size;
	return bytes;
}

const char *slab_snapshot(void)
{
	return memo_file(SLABINFO);
}

static long objects_in(const char *snapshot, const char *name)
{
	long objects, size;
	const char *line;
	char other[64];

	for (line = snapshot; line; line = next(line))
		if (parse(line, name, other, &objects, &size) && !strcmp(name, other))
			return objects;
	return 0;
}

long slab_more(const char *before, const char *after, const char *caches)
{
	long objects, size, more = 0;
	const char *line;
	char name[64];

	for (line = after; line; line = next(line)) {
		if (!parse(line, caches, name, &objects, &size))
			continue;
		objects -= objects_in(before, name);
		more += objects > 0 ? objects : 0;
	}
	return more;
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

/* What a CPU keeps for itself of a cache counts as allocated, whether it is or not. */
static void return_what_cpus_keep(void)
{
	DIR *caches = opendir(CACHES);
	struct dirent *cache;

	while (caches && (cache = readdir(caches)))
		if (cache->d_name[0] != '.')
			file_write_text(memo(CACHES "/%s/shrink", cache->d_name), "1");
	if (caches)
		closedir(caches);
}

void slab_settle(void)
{
	clock_sleep_ms(10000);
	return_what_cpus_keep();
}
