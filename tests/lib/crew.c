// SPDX-License-Identifier: GPL-2.0-only
/* crew - workers that do what they do again and again until the time is over */

#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bounds.h"
#include "clock.h"
#include "crew.h"
#include "dice.h"
#include "memo.h"

static long deadline;
static unsigned int place;

unsigned int crew_place(void)
{
	return place;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	unsigned int rounds = 0;

	dice_take(place);
	while (clock_ms() < deadline || worker->killed) {
		worker->round();
		memo_forget_all();
		rounds++;
	}
	ktap_diag("%s: %u rounds", worker->name, rounds);
	if (worker->report)
		worker->report();
	return NULL;
}

/* What is needed gives up a thread; so the worker is not the first one of its process. */
static void be_worker(struct worker *worker, unsigned int number)
{
	pthread_t thread;

	close_range(3, ~0U, 0);
	place = number;
	if (pthread_create(&thread, NULL, work, worker))
		_exit(2);
	pthread_join(thread, NULL);
	fflush(stdout);
	_exit(ktap_case_failed());
}

static void tell_where(pid_t pid)
{
	char *path = memo("/proc/%d/task", pid);
	DIR *dir = opendir(path);
	struct dirent *entry;
	char *line, *rest;

	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		ktap_diag("thread %s", entry->d_name);
		rest = memo_file(memo("%s/%s/stack", path, entry->d_name));
		while ((line = strsep(&rest, "\n")))
			ktap_diag("  %s", line);
	}
	if (dir)
		closedir(dir);
}

static bool is_over(pid_t pid, int *status)
{
	return waitpid(pid, status, WNOHANG) == pid;
}

bool crew_ends(pid_t pid, const char *name, int *status)
{
	if (expect(clock_wait_for(is_over(pid, status), BOUND_RETRY_MS),
		   "R-10, R-11: '%s' comes back", name))
		return true;
	tell_where(pid);
	kill(pid, SIGKILL);
	return false;
}

static void end_worker(const struct worker *worker)
{
	int status = 0;

	if (worker->killed)
		kill(worker->pid, SIGKILL);
	if (crew_ends(worker->pid, worker->name, &status) && !worker->killed)
		expect_int(status, 0, "'%s' found no broken promise", worker->name);
}

void crew_work(struct worker *workers, unsigned int count, unsigned int ms)
{
	unsigned int i;

	deadline = clock_ms() + ms;
	for (i = 0; i < count; i++) {
		fflush(stdout);
		workers[i].pid = fork();
		if (!workers[i].pid)
			be_worker(&workers[i], i);
		need(workers[i].pid > 0, "the test can fork");
	}
	clock_sleep_ms(ms);
	for (i = 0; i < count; i++)
		end_worker(&workers[i]);
}
