/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * file - one sysfs, debugfs or procfs file: a whole read or a single write, result 0 or
 * more, or -errno
 */
#ifndef VFIO_AP_TESTS_FILE_H
#define VFIO_AP_TESTS_FILE_H

#include <stdbool.h>
#include <stddef.h>

bool file_exists(const char *path);
long file_mode(const char *path);
long file_write(const char *path, const void *data, size_t length);
long file_write_text(const char *path, const char *text);

/* The whole file as a string; the caller frees it. NULL and *rc = -errno if it cannot be read. */
char *file_read(const char *path, long *rc);

#endif
