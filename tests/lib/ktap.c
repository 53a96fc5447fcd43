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
static bool in_world;	/* what runs is the world around a case, not the case */
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

/*
 * A record is what the tools in tests/lab/report read: a JSON object in a line of its own, behind
 * "# json ". The wording of all other diagnostics is for people and may change; the keys of the
 * records may not. The tools take a result from its KTAP line only, so a record can never turn a
 * failure into a pass.
 */
struct record {
	FILE *line;
	char *text;
	size_t length;
};

static void record_text(struct record *record, const char *key, const char *value)
{
	const char *c;
	int shown = 0;

	fprintf(record->line, ", \"%s\": \"", key);
	for (c = value; *c && shown < 1000; c++, shown++) {
		if (*c == '"' || *c == '\\')
			fprintf(record->line, "\\%c", *c);
		else if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			fprintf(record->line, "\\u%04x", (unsigned char)*c);
		else
			fputc(*c, record->line);
	}
	fputc('"', record->line);
}

static void record_number(struct record *record, const char *key, long long value)
{
	fprintf(record->line, ", \"%s\": %lld", key, value);
}

static void record_begin(struct record *record, const char *type)
{
	record->line = open_memstream(&record->text, &record->length);
	if (!record->line)
		abort();
	fprintf(record->line, "# json {\"type\": \"%s\"", type);
}

/* One call of stdio for the whole line, because several threads may print. */
static void record_end(struct record *record)
{
	fputs("}\n", record->line);
	fclose(record->line);
	fputs(record->text, stdout);
	fflush(stdout);
	free(record->text);
}

static void record_one_text(const char *type, const char *key, const char *value)
{
	struct record record;

	record_begin(&record, type);
	record_text(&record, key, value);
	record_end(&record);
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

/* The same for text that stands in one line. */
static void flatten(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ')
			*text = ' ';
}

/* Each line is a diagnostic of its own: a result in quoted text must not count as one. */
void ktap_diag(const char *fmt, ...)
{
	char *text, *line, *next;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	next = text;
	while ((line = strsep(&next, "\n")))
		if (*line || line == text)
			printf("# %s\n", line);
	fflush(stdout);
	free(text);
}

void ktap_not_there(const char *fmt, ...)
{
	char what[300];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	flatten(what);
	printf("# NOT THERE: %s\n", what);
	record_one_text("absent", "what", what);
}

void ktap_kernel_said(const char *line)
{
	ktap_diag("kernel: %s", line);
	record_one_text("kernel", "line", line);
}

void ktap_left_behind(const char *what)
{
	ktap_diag("left behind: %s", what);
	record_one_text("left", "what", what);
}

void ktap_figure(long long value, const char *unit, const char *fmt, ...)
{
	struct record record;
	char name[160];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	ktap_diag("%s: %lld %s", name, value, unit);
	record_begin(&record, "figure");
	record_text(&record, "name", name);
	record_number(&record, "value", value);
	record_text(&record, "unit", unit);
	record_end(&record);
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
	flatten(skip_reason);
	skipped = true;
	longjmp(out_of_case, 1);
}

/* What was expected of a value, and what it was */
struct finding {
	const char *relation;	/* "holds", "is", "at most", "at least", "text", "kernel" */
	const char *expected, *observed;
};

static void print_finding(const struct finding *finding)
{
	bool bound = !strncmp(finding->relation, "at ", 3);

	if (!strcmp(finding->relation, "holds")) {
		printf(" is not so\n");
	} else if (!strcmp(finding->relation, "text")) {
		printf(":\n#     expected ");
		print_quoted(finding->expected);
		printf("\n#     observed ");
		print_quoted(finding->observed);
		putchar('\n');
	} else {
		printf(": expected %s%s%s, observed %s\n", bound ? finding->relation : "",
		       bound ? " " : "", finding->expected, finding->observed);
	}
}

static void broken(const struct ktap_here *here, const struct finding *finding, const char *fmt,
		   va_list args)
{
	const char *file = strrchr(here->file, '/');
	struct record record;
	char promise[300];

	failed = true;
	file = file ? file + 1 : here->file;
	vsnprintf(promise, sizeof(promise), fmt, args);
	flatten(promise);
	printf("# BROKEN PROMISE (%s:%d): %s\n#   %s", file, here->line, promise, here->expression);
	print_finding(finding);

	record_begin(&record, "broken");
	record_text(&record, "file", file);
	record_number(&record, "line", here->line);
	record_text(&record, "promise", promise);
	record_text(&record, "relation", finding->relation);
	record_text(&record, "expected", finding->expected);
	record_text(&record, "observed", finding->observed);
	record_number(&record, "left", in_world);
	record_end(&record);
}

#define BROKEN(here, relation, expected, observed, fmt) do {				\
		const struct finding finding = { relation, expected, observed };	\
		va_list args;								\
											\
		va_start(args, fmt);							\
		broken(here, &finding, fmt, args);					\
		va_end(args);								\
	} while (0)

/* A number as text; as long-lived as the next few of them. */
static const char *as_text(const char *fmt, unsigned long long value)
{
	static char text[4][32];
	static unsigned int turn;
	char *one = text[turn++ % 4];

	snprintf(one, sizeof(text[0]), fmt, value);
	return one;
}

#define DECIMAL(value) as_text("%lld", value)
#define HEXADECIMAL(value) as_text("0x%llx", value)

bool ktap_true(const struct ktap_here *here, bool observed, const char *fmt, ...)
{
	if (observed)
		return true;
	BROKEN(here, "holds", "true", "false", fmt);
	return false;
}

bool ktap_int(const struct ktap_here *here, long long observed, long long expected, const char *fmt,
	      ...)
{
	if (observed == expected)
		return true;
	BROKEN(here, "is", DECIMAL(expected), DECIMAL(observed), fmt);
	return false;
}

bool ktap_hex(const struct ktap_here *here, unsigned long long observed,
	      unsigned long long expected,
	      const char *fmt, ...)
{
	if (observed == expected)
		return true;
	BROKEN(here, "is", HEXADECIMAL(expected), HEXADECIMAL(observed), fmt);
	return false;
}

bool ktap_at_most(const struct ktap_here *here, long long observed, long long bound,
		  const char *fmt, ...)
{
	if (observed <= bound)
		return true;
	BROKEN(here, "at most", DECIMAL(bound), DECIMAL(observed), fmt);
	return false;
}

bool ktap_at_least(const struct ktap_here *here, long long observed, long long bound,
		   const char *fmt, ...)
{
	if (observed >= bound)
		return true;
	BROKEN(here, "at least", DECIMAL(bound), DECIMAL(observed), fmt);
	return false;
}

bool ktap_kernel_quiet(const struct ktap_here *here, int complaints, const char *fmt, ...)
{
	if (!complaints)
		return true;
	BROKEN(here, "kernel", "0", DECIMAL(complaints), fmt);
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
	BROKEN(here, "is", errno_name(expected), errno_name(observed), fmt);
	return false;
}

bool ktap_str(const struct ktap_here *here, const char *observed, const char *expected,
	      const char *fmt, ...)
{
	if (!strcmp(observed, expected))
		return true;
	BROKEN(here, "text", expected, observed, fmt);
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

static void record_hang(long seconds)
{
	struct record record;

	record_begin(&record, "hang");
	record_number(&record, "seconds", seconds);
	record_end(&record);
}

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
		record_hang(watch.seconds);
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

static void run_world(void (*step)(void))
{
	in_world = true;
	run_guarded(step);
	in_world = false;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void record_case(unsigned int number, long ms)
{
	struct record record;

	record_begin(&record, "case");
	record_number(&record, "number", number);
	record_number(&record, "ms", ms);
	record_end(&record);
}

static void run_case(unsigned int number, const struct ktap_case *one,
		     const struct ktap_world *world)
{
	long begun = now_ms();

	failed = false;
	skipped = false;
	watch_begin(world);
	if (world)
		run_world(world->begin);
	if (!failed && !skipped)
		run_guarded(one->run);
	if (world)
		run_world(world->end);
	watch_end();

	record_case(number, now_ms() - begun);
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
