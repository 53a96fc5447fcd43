// SPDX-License-Identifier: GPL-2.0-only
/* probe - how often the kernel runs one of its functions: a kprobe that only counts */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "ktap.h"
#include "memo.h"
#include "probe.h"

#define TRACING "/sys/kernel/tracing"

static bool append(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

static const char *switch_of(const char *function)
{
	return memo("%s/events/lab/%s/enable", TRACING, function);
}

void probe_begin(const char *function)
{
	if (!file_exists(TRACING "/kprobe_events"))
		ktap_skip("the kernel has no kprobes for tracing");
	need(append(TRACING "/kprobe_events", memo("p:lab/%s %s\n", function, function)),
	     "a probe can be set to %s()", function);
	need_rc(file_write_text(switch_of(function), "1"), 0, "and switched on");
}

long probe_hits(const char *function)
{
	char *line = strstr(memo_file(TRACING "/kprobe_profile"), memo("  %s ", function));

	return line ? strtol(line + strlen(function) + 2, NULL, 10) : -1;
}

void probe_end(const char *function)
{
	file_write_text(switch_of(function), "0");
	append(TRACING "/kprobe_events", memo("-:lab/%s\n", function));
}
