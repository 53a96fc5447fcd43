// SPDX-License-Identifier: GPL-2.0-only
/* mdev - the administrator's side: mediated devices and their attributes */

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bounds.h"
#include "clock.h"
#include "file.h"
#include "ktap.h"
#include "mdev.h"
#include "memo.h"

enum { MANY = 512 };

static struct mdev *alive[MANY];
static unsigned int born;

struct mdev *mdev_create(void)
{
	struct mdev *mdev = calloc(1, sizeof(*mdev));
	unsigned int slot;

	for (slot = 0; slot < MANY && alive[slot]; slot++)
		;
	need(slot < MANY, "a test creates at most %d mediated devices", MANY);
	snprintf(mdev->uuid, sizeof(mdev->uuid), "%08x-7666-4961-8070-%012x",
		 (unsigned int)getpid(), ++born);
	need_rc(file_write_text(MDEV_TYPE "/create", mdev->uuid), 0,
		"C-3: a new UUID makes a mediated device");
	alive[slot] = mdev;
	return mdev;
}

static void forget(struct mdev *mdev)
{
	unsigned int slot;

	for (slot = 0; slot < MANY; slot++)
		if (alive[slot] == mdev)
			alive[slot] = NULL;
}

long mdev_remove(struct mdev *mdev)
{
	long rc = mdev_write(mdev, "remove", "1");

	if (!rc)
		forget(mdev);
	return rc;
}

void mdev_remove_all(void)
{
	unsigned int slot;

	for (slot = 0; slot < MANY; slot++) {
		if (!alive[slot])
			continue;
		if (mdev_exists(alive[slot]))
			expect_rc(mdev_write(alive[slot], "remove", "1"), 0,
				  "a closed mediated device can be removed");
		free(alive[slot]);
		alive[slot] = NULL;
	}
}

char *mdev_path(struct mdev *mdev, const char *attribute)
{
	return memo("%s/%s/%s", MATRIX_DEVICE, mdev->uuid, attribute);
}

bool mdev_exists(const struct mdev *mdev)
{
	return file_exists(memo("%s/%s", MATRIX_DEVICE, mdev->uuid));
}

long mdev_write_bytes(struct mdev *mdev, const char *attribute, const void *data, size_t length)
{
	return file_write(mdev_path(mdev, attribute), data, length);
}

long mdev_write(struct mdev *mdev, const char *attribute, const char *text)
{
	return mdev_write_bytes(mdev, attribute, text, strlen(text));
}

char *mdev_read(struct mdev *mdev, const char *attribute)
{
	const char *path = mdev_path(mdev, attribute);

	/* An attribute that is not there must not pass for an empty one. */
	if (mdev_exists(mdev) && !file_exists(path)) {
		ktap_not_there("attribute %s", attribute);
		return memo("(no attribute %s)", attribute);
	}
	return memo_file(path);
}

void mdev_set(struct mdev *mdev, const char *attribute, int number)
{
	need_rc(mdev_write(mdev, attribute, memo("%d", number)), 0, "'echo %d > %s' works", number,
		attribute);
}

void mdev_assign(struct mdev *mdev, int adapter, int domain)
{
	mdev_set(mdev, "assign_adapter", adapter);
	mdev_set(mdev, "assign_domain", domain);
}

char *mdev_sight(struct mdev *mdev)
{
	return memo("matrix:\n%sguest_matrix:\n%scontrol_domains:\n%sap_config:\n%s",
		    mdev_read(mdev, "matrix"), mdev_read(mdev, "guest_matrix"),
		    mdev_read(mdev, "control_domains"), mdev_read(mdev, "ap_config"));
}

bool mdev_becomes(struct mdev *mdev, const char *attribute, const char *expected)
{
	return clock_wait_for(!strcmp(mdev_read(mdev, attribute), expected), BOUND_EVENTUALLY_MS);
}

/* A job is a process: it can be killed, and its end is told by the kernel, not by shared memory. */
struct mdev_job {
	pid_t pid;
	long started;
	bool over;
	int status;
};

static void write_and_tell(const char *path, const char *text)
{
	long rc;

	/* The writer is somebody else: it must not keep the test's device or VM open. */
	close_range(3, ~0U, 0);
	rc = file_write_text(path, text);
	_exit(rc < 0 && rc >= -255 ? -rc : 0);
}

struct mdev_job *mdev_begin(struct mdev *mdev, const char *attribute, const char *text)
{
	return mdev_begin_file(mdev_path(mdev, attribute), text);
}

struct mdev_job *mdev_begin_file(const char *path, const char *text)
{
	struct mdev_job *job = calloc(1, sizeof(*job));

	job->started = clock_ms();
	fflush(stdout);
	job->pid = fork();
	if (!job->pid)
		write_and_tell(path, text);
	need(job->pid > 0, "the test can fork");
	return job;
}

bool mdev_done(struct mdev_job *job)
{
	if (!job->over)
		job->over = waitpid(job->pid, &job->status, WNOHANG) == job->pid;
	return job->over;
}

long mdev_end(struct mdev_job *job, long *took_ms)
{
	long rc;

	if (!job->over)
		waitpid(job->pid, &job->status, 0);
	if (took_ms)
		*took_ms = clock_ms() - job->started;
	rc = WIFSIGNALED(job->status) ? -EINTR : -WEXITSTATUS(job->status);
	free(job);
	return rc;
}

void mdev_kill(struct mdev_job *job)
{
	kill(job->pid, SIGKILL);
}
