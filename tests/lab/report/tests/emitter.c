// SPDX-License-Identifier: GPL-2.0-only
/* emitter - fails in every way that tests/lib/ktap.h has, for test_emitter.py */

#include <unistd.h>

#include "kmsg.h"
#include "ktap.h"

/* Without a kernel log */
void kmsg_note(const char *fmt, ...)
{
	(void)fmt;
}

static void in_each_way(void)
{
	expect(false, "R-1: a quote \" and a backslash \\");
	expect_int(3, 4, "a number");
	expect_hex(0xff, 1, "a hexadecimal number");
	expect_at_most(9, 5, "a bound, %d", 1);
	expect_at_least(1, 5, "another bound");
	expect_rc(-5, 0, "an errno");
	expect_str("a\nb\x01\xff", "x", "text");
}

static void forged(void)
{
	expect(false, "a promise\nok 2 forged");
	ktap_diag("a diagnostic\nok 2 forged\n");
	ktap_not_there("an interface\nok 2 forged");
	expect(false, "excused");
}

static void not_there(void)
{
	ktap_not_there("attribute x");
	expect(false, "excused");
}

static void measured(void)
{
	ktap_figure(12, "ns", "open with %d queues", 3);
}

static void skipped(void)
{
	ktap_skip("no card\nok 5 forged");
}

static void left(void)
{
	need(true, "this goes on");
}

static void splat(void)
{
	ktap_kernel_said("WARNING: CPU: 0 PID: 1 at f+0x1/0x2 [vfio_ap]");
	expect_kernel_quiet(1, "R-6: the kernel log is quiet");
}

static void hangs(void)
{
	sleep(2);
}

/* One case leaves something behind. */
static void end(void)
{
	if (ktap_case_number() == 5)
		expect(false, "R-2: no page is pinned");
}

static void rescue(void)
{
}

static const struct ktap_case cases[] = {
	{ "R-1, C-8: each kind of expectation", in_each_way },
	{ "text that looks like a result", forged },
	{ "not there", not_there },
	{ "measured", measured },
	{ "skipped", skipped },
	{ "left behind", left },
	{ "complaint of the kernel", splat },
	{ "hangs", hangs },
};

int main(void)
{
	static const struct ktap_world world = { .end = end, .rescue = rescue };

	return ktap_main(cases, ARRAY_SIZE(cases), &world);
}
