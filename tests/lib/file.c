// SPDX-License-Identifier: GPL-2.0-only
/* file - one sysfs, debugfs or procfs file: a whole read or a single write */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

bool file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

long file_mode(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -errno : (long)(st.st_mode & 07777);
}

/* One write(2), because sysfs takes each write as a request of its own. A short count is -EIO. */
long file_write(const char *path, const void *data, size_t length)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	long rc;

	if (fd < 0)
		return -errno;
	rc = write(fd, data, length);
	if (rc < 0)
		rc = -errno;
	else
		rc = (size_t)rc == length ? 0 : -EIO;
	close(fd);
	return rc;
}

long file_write_text(const char *path, const char *text)
{
	return file_write(path, text, strlen(text));
}

static long read_all(int fd, char **text)
{
	size_t size = 65536, used = 0;
	long rc;

	*text = malloc(size);
	while ((rc = read(fd, *text + used, size - used - 1)) != 0) {
		if (rc < 0) {
			free(*text);
			*text = NULL;
			return -errno;
		}
		used += rc;
		if (size - used < 4096)
			*text = realloc(*text, size *= 2);
	}
	(*text)[used] = '\0';
	return used;
}

char *file_read(const char *path, long *rc)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	long result;

	if (fd < 0) {
		result = -errno;
	} else {
		result = read_all(fd, &text);
		close(fd);
	}
	if (rc)
		*rc = result;
	return text;
}
