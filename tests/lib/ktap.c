// SPDX-License-Identifier: GPL-2.0-only
/* ktap - KTAP version 1 on stdout; exit status 0 passed, 1 failed, 4 everything skipped */

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kmsg.h"
#include "ktap.h"

enum { EXIT_PASS = 0, EXIT_FAIL = 1, EXIT_SKIP = 4 };

static jmp_buf out_of_case;
static pthread_t case_thread;
static bool failed;
static bool skipped;
static unsigned int case_number;
static char skip_reason[160];

bool ktap_case_failed(void)
{
	return failed;
}

unsigned int ktap_case_number(void)
{
	return case_number;
}

/* Control characters in what was observed must not break the line structure of the report. */
static void print_quoted(const char *text)
{
	const char *c;
	int shown = 0;

	putchar('"');
	for (c = text; *c && shown < 300; c++, shown++) {
		if (*c == '\n')
			fputs("\\n", stdout);
		else if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			printf("\\x%02x", (unsigned char)*c);
		else
			putchar(*c);
	}
	fputs(*c ? "\"..." : "\"", stdout);
}

void ktap_diag(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("# ", stdout);
	vprintf(fmt, args);
	putchar('\n');
	fflush(stdout);
	va_end(args);
}

void ktap_not_there(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("# NOT THERE: ", stdout);
	vprintf(fmt, args);
	putchar('\n');
	fflush(stdout);
	va_end(args);
}

void ktap_give_up(void)
{
	failed = true;
	/* Only the thread that runs the case can leave it; others end. */
	if (!pthread_equal(case_thread, pthread_self()))
		pthread_exit(NULL);
	longjmp(out_of_case, 1);
}

void ktap_skip(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(skip_reason, sizeof(skip_reason), fmt, args);
	va_end(args);
	skipped = true;
	longjmp(out_of_case, 1);
}

static void broken(const struct ktap_here *here, const char *fmt, va_list args)
{
	const char *file = strrchr(here->file, '/');

	failed = true;
	printf("# BROKEN PROMISE (%s:%d): ", file ? file + 1 : here->file, here->line);
	vprintf(fmt, args);
	printf("\n#   %s", here->expression);
}

#define BROKEN(here, fmt) do {			\
		va_list args;			\
						\
		va_start(args, fmt);		\
		broken(here, fmt, args);	\
		va_end(args);			\
	} while (0)

bool ktap_true(const struct ktap_here *here, bool observed, const char *fmt, ...)
{
	if (observed)
		return true;
	BROKEN(here, fmt);
	printf(" is not so\n");
	return false;
}

bool ktap_int(const struct ktap_here *here, long long observed, long long expected, const char *fmt,
	      ...)
{
	if (observed == expected)
		return true;
	BROKEN(here, fmt);
	printf(": expected %lld, observed %lld\n", expected, observed);
	return false;
}

bool ktap_hex(const struct ktap_here *here, unsigned long long observed,
	      unsigned long long expected,
	      const char *fmt, ...)
{
	if (observed == expected)
		return true;
	BROKEN(here, fmt);
	printf(": expected 0x%llx, observed 0x%llx\n", expected, observed);
	return false;
}

bool ktap_at_most(const struct ktap_here *here, long long observed, long long bound,
		  const char *fmt, ...)
{
	if (observed <= bound)
		return true;
	BROKEN(here, fmt);
	printf(": expected at most %lld, observed %lld\n", bound, observed);
	return false;
}

bool ktap_at_least(const struct ktap_here *here, long long observed, long long bound,
		   const char *fmt, ...)
{
	if (observed >= bound)
		return true;
	BROKEN(here, fmt);
	printf(": expected at least %lld, observed %lld\n", bound, observed);
	return false;
}

const char *errno_name(long rc)
{
	static char text[4][32];
	static unsigned int turn;
	char *name = text[turn++ % 4];

	if (rc >= 0)
		snprintf(name, sizeof(text[0]), "%ld", rc);
	else if (strerrorname_np(-rc))
		snprintf(name, sizeof(text[0]), "-%s", strerrorname_np(-rc));
	else
		snprintf(name, sizeof(text[0]), "-errno %ld", -rc);
	return name;
}

bool ktap_rc(const struct ktap_here *here, long observed, long expected, const char *fmt, ...)
{
	if (observed == expected)
		return true;
	BROKEN(here, fmt);
	printf(": expected %s, observed %s\n", errno_name(expected), errno_name(observed));
	return false;
}

bool ktap_str(const struct ktap_here *here, const char *observed, const char *expected,
	      const char *fmt, ...)
{
	if (!strcmp(observed, expected))
		return true;
	BROKEN(here, fmt);
	printf(":\n#     expected ");
	print_quoted(expected);
	printf("\n#     observed ");
	print_quoted(observed);
	putchar('\n');
	return false;
}

/* KTAP_CASES=3+5: only these, by their numbers in the list of the program. */
static bool is_listed(unsigned int number)
{
	const char *list = getenv("KTAP_CASES");
	char *end;

	if (!list)
		return true;
	for (; *list; list = end + (*end == '+')) {
		if (strtoul(list, &end, 10) == number)
			return true;
		if (end == list)
			break;
	}
	return false;
}

static unsigned int count_listed(unsigned int count)
{
	unsigned int number, found = 0;

	for (number = 1; number <= count; number++)
		found += is_listed(number);
	return found;
}

static void run_guarded(void (*step)(void))
{
	if (step && !setjmp(out_of_case))
		step();
}

/* KTAP_CASE in the environment: only cases with this in their promise */
static bool is_chosen(const struct ktap_case *one)
{
	const char *text = getenv("KTAP_CASE");

	return !text || strstr(one->promise, text);
}

/* Looks at the case that runs until it has ended, or has taken too long. */
static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool active, over;
	long seconds;
	void (*rescue)(void);
} watch = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *watch_case(void *unused)
{
	struct timespec until;
	int rc = 0;

	(void)unused;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += watch.seconds;
	pthread_mutex_lock(&watch.lock);
	while (!watch.over && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&watch.ended, &watch.lock, &until);
	if (!watch.over) {
		failed = true;
		printf("# BROKEN PROMISE (hang): not over after %ld s, when the hardware was made to answer\n",
		       watch.seconds);
		fflush(stdout);
		watch.rescue();
	}
	pthread_mutex_unlock(&watch.lock);
	return NULL;
}

static void watch_begin(const struct ktap_world *world)
{
	const char *patience = getenv("KTAP_PATIENCE");
	pthread_condattr_t clock;

	watch.seconds = patience ? strtol(patience, NULL, 10) : 0;
	if (!watch.seconds || !world || !world->rescue)
		return;
	watch.over = false;
	watch.rescue = world->rescue;
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&watch.ended, &clock);
	watch.active = !pthread_create(&watch.thread, NULL, watch_case, NULL);
}

static void watch_end(void)
{
	if (!watch.active)
		return;
	pthread_mutex_lock(&watch.lock);
	watch.over = true;
	pthread_cond_signal(&watch.ended);
	pthread_mutex_unlock(&watch.lock);
	pthread_join(watch.thread, NULL);
	watch.active = false;
}

static void run_case(unsigned int number, const struct ktap_case *one,
		     const struct ktap_world *world)
{
	failed = false;
	skipped = false;
	watch_begin(world);
	if (world)
		run_guarded(world->begin);
	if (!failed && !skipped)
		run_guarded(one->run);
	if (world)
		run_guarded(world->end);
	watch_end();

	if (skipped && !failed)
		printf("ok %u %s # SKIP %s\n", number, one->promise, skip_reason);
	else
		printf("%sok %u %s\n", failed ? "not " : "", number, one->promise);
	fflush(stdout);
}

int ktap_main(const struct ktap_case *cases, unsigned int count, const struct ktap_world *world)
{
	unsigned int i, ran = 0, failures = 0, skips = 0;

	case_thread = pthread_self();
	printf("KTAP version 1\n1..%u\n", count_listed(count));
	fflush(stdout);
	for (i = 0; i < count; i++) {
		if (!is_listed(i + 1))
			continue;
		if (!is_chosen(&cases[i])) {
			printf("ok %u %s # SKIP not chosen\n", ++ran, cases[i].promise);
			skips++;
			continue;
		}
		/* Whoever reads the kernel log wants to know which case was running. */
		kmsg_note("lab: case %s %u", program_invocation_short_name, i + 1);
		case_number = i;
		run_case(++ran, &cases[i], world);
		failures += failed;
		skips += skipped && !failed;
	}
	if (failures)
		return EXIT_FAIL;
	return skips == ran ? EXIT_SKIP : EXIT_PASS;
}
