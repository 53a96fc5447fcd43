// SPDX-License-Identifier: GPL-2.0-only
/* kmsg - what the kernel said since a mark */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kmsg.h"
#include "ktap.h"

static const char * const complaints[] = {
	"WARNING:", "BUG:", "INFO: task", "INFO: rcu", "possible circular locking",
	"possible recursive locking",
	"inconsistent lock state", "suspicious RCU", "refcount_t:", "KASAN", "UBSAN", "Oops",
	"Unable to handle",
	"DEBUG_LOCKS_WARN_ON", "general protection", "scheduling while atomic",
};

/* The kernel's log from the mark on, as far as it was heard; one file that stays open. */
static int log_fd = -1;
static char *heard;
static size_t heard_length;

static void keep(const char *line)
{
	size_t length = strcspn(line, "\n");

	heard = realloc(heard, heard_length + length + 2);
	memcpy(heard + heard_length, line, length);
	heard_length += length;
	heard[heard_length++] = '\n';
	heard[heard_length] = '\0';
}

/* A record is "priority,sequence,time,flags;text". */
static void listen(void)
{
	char buffer[8192], *text;
	ssize_t length;

	while (log_fd >= 0) {
		length = read(log_fd, buffer, sizeof(buffer) - 1);
		if (length < 0 && errno == EPIPE)
			continue;	/* overwritten meanwhile, go on with the oldest left */
		if (length <= 0)
			return;
		buffer[length] = '\0';
		text = strchr(buffer, ';');
		keep(text ? text + 1 : buffer);
	}
}

void kmsg_mark(void)
{
	if (log_fd < 0)
		log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	lseek(log_fd, 0, SEEK_END);
	free(heard);
	heard = NULL;
	heard_length = 0;
}

void kmsg_note(const char *fmt, ...)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	char line[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	/* Best effort: only a reader of the log misses it. */
	if (fd >= 0 && write(fd, line, strlen(line)) >= 0)
		close(fd);
}

static int count_lines(bool (*match)(const char *line, const char *text), const char *text)
{
	char *line, *end;
	int count = 0;

	listen();
	for (line = heard; line && *line; line = end + 1) {
		end = strchr(line, '\n');
		*end = '\0';
		count += match(line, text);
		*end = '\n';
	}
	return count;
}

static bool contains(const char *line, const char *text)
{
	return strstr(line, text);
}

int kmsg_count(const char *text)
{
	return count_lines(contains, text);
}

static bool complains(const char *line, const char *unused)
{
	unsigned int i;

	(void)unused;
	for (i = 0; i < ARRAY_SIZE(complaints); i++) {
		if (strstr(line, complaints[i])) {
			ktap_kernel_said(line);
			return true;
		}
	}
	return false;
}

int kmsg_complaints(void)
{
	return count_lines(complains, NULL);
}
