/* SPDX-License-Identifier: GPL-2.0-only */
/* mdev - the administrator's side: mediated devices and their attributes */
#ifndef VFIO_AP_TESTS_MDEV_H
#define VFIO_AP_TESTS_MDEV_H

#include <stdbool.h>
#include <stddef.h>

#define MATRIX_DEVICE	"/sys/devices/vfio_ap/matrix"
#define MDEV_TYPE	MATRIX_DEVICE "/mdev_supported_types/vfio_ap-passthrough"

struct mdev {
	char uuid[37];
};

struct mdev *mdev_create(void);
long mdev_remove(struct mdev *mdev);
void mdev_remove_all(void);
bool mdev_exists(const struct mdev *mdev);

/* 0 or -errno, one write(2) each */
long mdev_write(struct mdev *mdev, const char *attribute, const char *text);
long mdev_write_bytes(struct mdev *mdev, const char *attribute, const void *data, size_t length);
char *mdev_read(struct mdev *mdev, const char *attribute);	/* valid until the case is over */
char *mdev_path(struct mdev *mdev, const char *attribute);

/* These must work; the number is written in decimal. */
void mdev_set(struct mdev *mdev, const char *attribute, int number);
void mdev_assign(struct mdev *mdev, int adapter, int domain);

/* Everything an administrator can read of it, as one text: equal texts, nothing changed. */
char *mdev_sight(struct mdev *mdev);

/* Reads the attribute until it is as expected; a queue may still be on its way through a reset. */
bool mdev_becomes(struct mdev *mdev, const char *attribute, const char *expected);

/* A write by somebody else, because it may block. */
struct mdev_job;
struct mdev_job *mdev_begin(struct mdev *mdev, const char *attribute, const char *text);
struct mdev_job *mdev_begin_file(const char *path, const char *text);	/* of whatever device */
bool mdev_done(struct mdev_job *job);
long mdev_end(struct mdev_job *job, long *took_ms);	/* waits; 0 or -errno of the write */
void mdev_kill(struct mdev_job *job);			/* the writer gets a deadly signal */

#endif
