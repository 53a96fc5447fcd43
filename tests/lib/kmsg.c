// SPDX-License-Identifier: GPL-2.0-only
/* kmsg - what the kernel said since a mark */

#include <errno.h>
#include <fcntl.h>
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

static unsigned long long marked;

/*
 * A record is "priority,sequence,time,flags;text"; record() gives the text and its sequence
 * number.
 */
static char *record(int fd, char *buffer, size_t size, unsigned long long *seq)
{
	ssize_t length;
	char *text;

	do {
		length = read(fd, buffer, size - 1);
	} while (length < 0 &&
		 errno == EPIPE);	/* overwritten meanwhile, go on with the oldest left */
	if (length <= 0)
		return NULL;
	buffer[length] = '\0';
	text = strchr(buffer, ',');
	*seq = text ? strtoull(text + 1, NULL, 10) : 0;
	text = strchr(buffer, ';');
	return text ? text + 1 : buffer;
}

void kmsg_mark(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	unsigned long long seq = 0;
	char buffer[8192];

	while (fd >= 0 && record(fd, buffer, sizeof(buffer), &seq))
		marked = seq + 1;
	if (fd >= 0)
		close(fd);
}

static int count_lines(bool (*match)(const char *line, const char *text), const char *text)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	unsigned long long seq;
	char buffer[8192], *line;
	int count = 0;

	if (fd < 0)
		return 0;
	while ((line = record(fd, buffer, sizeof(buffer), &seq)))
		count += seq >= marked && match(line, text);
	close(fd);
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
			ktap_diag("kernel: %.*s", (int)strcspn(line, "\n"), line);
			return true;
		}
	}
	return false;
}

int kmsg_complaints(void)
{
	return count_lines(complains, NULL);
}
