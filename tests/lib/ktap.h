/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ktap - a test program is a list of cases, each named after what is promised
 *
 * expect*() notes a broken promise and goes on, need*() gives the case up: use it where
 * nothing that follows would make sense. Both print the promise, the expression, what was
 * expected and what was observed.
 */
#ifndef VFIO_AP_TESTS_KTAP_H
#define VFIO_AP_TESTS_KTAP_H

#include <stdbool.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

struct ktap_case {
	const char *promise;
	void (*run)(void);
};

/* What surrounds every case: a known world before, nothing left over behind. */
struct ktap_world {
	void (*begin)(void);
	void (*end)(void);
	void (*rescue)(void);	/* by another thread: may end what a case hangs in */
};

/*
 * With KTAP_PATIENCE=seconds in the environment, a case that takes longer than that has failed,
 * and is rescued: what hangs for ever makes all cases behind it worthless otherwise.
 */

int ktap_main(const struct ktap_case *cases, unsigned int count, const struct ktap_world *world);
void ktap_diag(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * An interface that a driver may lack was asked for: the expectation that follows cannot be
 * met, which is a failure all the same, but `make compare` says "not there".
 */
void ktap_not_there(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A line of the kernel log that is a complaint; `make compare` names it with the case. */
void ktap_kernel_said(const char *line);

/* Something outlives the case. If the case failed, `make compare` boots again for the next ones. */
void ktap_left_behind(const char *what);

/* Something was measured: `make bench` reads these. The name is the key of the figure. */
void ktap_figure(long long value, const char *unit, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

void ktap_skip(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void ktap_give_up(void) __attribute__((noreturn));
bool ktap_case_failed(void);
unsigned int ktap_case_number(void);		/* which of the list is running, from 0 */

struct ktap_here {
	const char *file;
	int line;
	const char *expression;
};

#define KTAP_HERE(text) (&(const struct ktap_here){ __FILE__, __LINE__, text })

#define KTAP_CHECK(values, promise) __attribute__((format(printf, values, promise)))

bool ktap_true(const struct ktap_here *here, bool observed, const char *fmt, ...) KTAP_CHECK(3, 4);
bool ktap_int(const struct ktap_here *here, long long observed, long long expected, const char *fmt,
	      ...)
	KTAP_CHECK(4, 5);
bool ktap_hex(const struct ktap_here *here, unsigned long long observed,
	      unsigned long long expected,
	      const char *fmt, ...) KTAP_CHECK(4, 5);
bool ktap_at_most(const struct ktap_here *here, long long observed, long long bound,
		  const char *fmt, ...)
	KTAP_CHECK(4, 5);
bool ktap_at_least(const struct ktap_here *here, long long observed, long long bound,
		   const char *fmt, ...)
	KTAP_CHECK(4, 5);
bool ktap_kernel_quiet(const struct ktap_here *here, int complaints, const char *fmt, ...)
	KTAP_CHECK(3, 4);
bool ktap_rc(const struct ktap_here *here, long observed, long expected, const char *fmt,
	     ...) KTAP_CHECK(4, 5);
bool ktap_str(const struct ktap_here *here, const char *observed, const char *expected,
	      const char *fmt, ...)
	KTAP_CHECK(4, 5);

/* expect_rc() and need_rc() compare 0 or -errno and print the name of the errno. */
#define expect(condition, ...) ktap_true(KTAP_HERE(#condition), !!(condition), __VA_ARGS__)
#define expect_int(observed, ...) ktap_int(KTAP_HERE(#observed), observed, __VA_ARGS__)
#define expect_hex(observed, ...) ktap_hex(KTAP_HERE(#observed), observed, __VA_ARGS__)
#define expect_at_most(observed, ...) ktap_at_most(KTAP_HERE(#observed), observed, __VA_ARGS__)
#define expect_at_least(observed, ...) ktap_at_least(KTAP_HERE(#observed), observed, __VA_ARGS__)
#define expect_kernel_quiet(complaints, ...) \
	ktap_kernel_quiet(KTAP_HERE(#complaints), complaints, __VA_ARGS__)
#define expect_rc(observed, ...) ktap_rc(KTAP_HERE(#observed), observed, __VA_ARGS__)
#define expect_str(observed, ...) ktap_str(KTAP_HERE(#observed), observed, __VA_ARGS__)

#define KTAP_NEED(passed) do { if (!(passed)) ktap_give_up(); } while (0)
#define need(...) KTAP_NEED(expect(__VA_ARGS__))
#define need_int(...) KTAP_NEED(expect_int(__VA_ARGS__))
#define need_rc(...) KTAP_NEED(expect_rc(__VA_ARGS__))
#define need_str(...) KTAP_NEED(expect_str(__VA_ARGS__))
#define need_at_least(...) KTAP_NEED(expect_at_least(__VA_ARGS__))

const char *errno_name(long rc);

#endif
