/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * crew - workers, each a process, that do what they do again and again until the time is over
 *
 * What the kernel answers them does not matter. All have to come back, and none may find a broken
 * promise.
 */
#ifndef VFIO_AP_TESTS_CREW_H
#define VFIO_AP_TESTS_CREW_H

#include <stdbool.h>
#include <sys/types.h>

struct worker {
	const char *name;
	void (*round)(void);
	void (*report)(void);	/* what it did, when it is over; may be NULL */
	bool killed;		/* in the middle of what it does when the time is over */
	pid_t pid;
};

/* The dice of a worker are those with its place in the list; see crew_place(). */
void crew_work(struct worker *workers, unsigned int count, unsigned int ms);
unsigned int crew_place(void);

/* The process is expected to end soon; if it does not, its stacks are shown and it is killed. */
bool crew_ends(pid_t pid, const char *name, int *status);

#endif
