// SPDX-License-Identifier: GPL-2.0-only
/*
 * reset_table - every answer that ZAPQ and TAPQ can give to a reset, once, several times, for ever
 *
 * What an answer means is written down from C-10, what has to follow from it from,
 * Nothing here knows how the driver decides.
 */

#include "story.h"

#define QUEUE		APQN(CARD_5, DOMAIN_4)
#define PASSED		"05.0004\n"
#define NOT_PASSED	".0004\n"
#define WITHHELD(why)	"05 05.0004 " why "\n"

enum { ISC = 3, FOR_EVER = 0 };

enum meaning {
	GOOD,		/* ZAPQ: accepted; TAPQ: nothing is under way */
	BUSY,		/* something is under way; after such a ZAPQ another one has to follow */
	REPEAT,		/* the reset did not work out, ZAPQ has to be issued again */
	OFF,		/* deconfigured or checkstopped: no error, and not reset either */
	GONE,		/* no such queue: an error, but it cannot write to memory any more */
	REFUSED,	/* everything else: not reset, as far as anybody knows */
};

struct answer {
	unsigned int rc;
	enum meaning to_zapq;
	enum meaning to_tapq;
	enum { SOME, ALL } ways;	/* tried on all ways of a queue, or not on all */
};

/* The codes that the AP bus knows, and some that nobody knows */
static const struct answer answers[] = {
	{ 0x00, GOOD, GOOD, ALL },
	{ 0x01, GONE, GONE, ALL },
	{ 0x02, BUSY, BUSY, ALL },
	{ 0x03, OFF, OFF, ALL },
	{ 0x04, OFF, OFF, SOME },
	{ 0x05, BUSY, BUSY, ALL },
	{ 0x06, REFUSED, REFUSED, SOME },
	{ 0x07, REFUSED, REFUSED, SOME },
	{ 0x08, REFUSED, REFUSED, SOME },
	{ 0x09, REFUSED, REFUSED, SOME },
	{ 0x0a, BUSY, BUSY, ALL },
	{ 0x0b, REFUSED, REFUSED, SOME },
	{ 0x10, REFUSED, REFUSED, SOME },
	{ 0x11, REFUSED, REFUSED, SOME },
	{ 0x13, REFUSED, REFUSED, SOME },
	{ 0x15, REFUSED, REFUSED, SOME },
	{ 0x16, REFUSED, REFUSED, SOME },
	{ 0x30, REFUSED, REFUSED, SOME },
	{ 0x31, REFUSED, REFUSED, SOME },
	{ 0x32, REFUSED, REFUSED, SOME },
	{ 0x33, REFUSED, REFUSED, SOME },
	{ 0x34, REFUSED, REFUSED, SOME },
	{ 0x35, REFUSED, REPEAT, ALL },
	{ 0x36, REFUSED, REPEAT, SOME },
	{ 0x42, REFUSED, REFUSED, ALL },
	/* Unknown ones */
	{ 0x12, REFUSED, REFUSED, SOME },
	{ 0x44, REFUSED, REFUSED, SOME },
	{ 0xff, REFUSED, REFUSED, ALL },
};

enum question { ZAPQ, TAPQ };

static const char * const functions[] = { [ZAPQ] = "zapq", [TAPQ] = "tapq" };

/* One line of the table: this question is answered so, that often */
struct script {
	enum question question;
	const struct answer *answer;
	unsigned int times;
};

static enum meaning meaning(const struct script *script)
{
	return script->question == ZAPQ ? script->answer->to_zapq : script->answer->to_tapq;
}

static const char *name(const struct script *script)
{
	if (script->times == FOR_EVER)
		return memo("%s %02x for ever", functions[script->question], script->answer->rc);
	return memo("%s %02x %u times", functions[script->question], script->answer->rc,
		    script->times);
}

static void begin(const struct script *script)
{
	apemu_do("log clear");
	apemu_do("answer %s 05.0004 rc=%x times=%u", functions[script->question],
		 script->answer->rc, script->times);
}

/* The AP bus asks the queues as well when it scans; not while the answers are scripted. */
static void no_scan_meanwhile(void)
{
	need_rc(apbus_write("config_time", "120"), 0, "the next scan is two minutes off");
}

/* Waits as clock_wait_for(), but asks less often: asking takes longer than what is waited for. */
#define comes_true(condition, ms) ({			\
	long end_ = clock_ms() + (ms);			\
	bool seen_;					\
							\
	while (!(seen_ = (condition)) && clock_ms() < end_)	\
		clock_sleep_ms(25);			\
	seen_; })

/* The kernel's word that it left out lines of earlier stories is not a line of this one. */
static int log_lines(void)
{
	return kmsg_count("vfio_ap") - kmsg_count("callbacks suppressed");
}

static void with_answers(enum question question, unsigned int times, bool all,
			 void (*story)(const struct script *script))
{
	unsigned int i;

	apemu_need();
	no_scan_meanwhile();
	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		struct script script = { question, &answers[i], times };
		int lines = log_lines();

		if (!all && answers[i].ways != ALL)
			continue;
		story(&script);
		expect_at_most(log_lines() - lines, 4,
			       "R-6: %s: lines in the kernel log", name(&script));
		if (ktap_case_failed())
			ktap_diag("that was %s", name(&script));
	}
}

/* What C-10 and R-4 make of it */
static bool in_time(const struct script *script)
{
	switch (meaning(script)) {
	case GOOD:
		/* An accepted ZAPQ that changes nothing: the interrupt is seen on. */
		return script->question == TAPQ || script->times != FOR_EVER;
	case BUSY:
	case REPEAT:
		return script->times != FOR_EVER;
	case OFF:
		return true;
	case GONE:
	case REFUSED:
		return false;
	}
	return false;
}

/* The fewest ZAPQs by the time the reset is over */
static int zapqs(const struct script *script)
{
	bool wasted = script->question == ZAPQ &&
		      (meaning(script) == GOOD || meaning(script) == BUSY);

	if (script->times != FOR_EVER && (wasted || meaning(script) == REPEAT))
		return script->times + 1;
	return 1;
}

/* is it known that the adapter does not write to the indicator any more? */
static bool cannot_write(const struct script *script)
{
	return in_time(script) || meaning(script) == GONE;
}

static struct scene scene;
static long pins;

static void interrupt_on(const struct script *script)
{
	need_guest_rc(guest_aqic_on(scene.vm, QUEUE, GUEST_NIB, ISC), AP_OK,
		      "R-9: before %s, the guest enables the interrupt", name(script));
	need_int(world_pins(), pins + 1, "before %s, one page is pinned", name(script));
}

static void back_by_itself(struct mdev *mdev, const struct script *script)
{
	apemu_do("answer clear");
	/* Who was told that the adapter is off looks at it once a second. */
	expect(comes_true(!apemu_irq(QUEUE).on, BOUND_RETRY_MS),
	       "R-4: %s: it is reset as soon as that works", name(script));
	expect(comes_true(!strcmp(mdev_read(mdev, "guest_matrix"), PASSED), BOUND_RETRY_MS),
	       "R-4: %s: it comes back by itself", name(script));
	expect_str(mdev_read(mdev, "withheld"), "", "R-24: %s: nothing is withheld", name(script));
	expect(comes_true(world_pins() == pins, BOUND_EVENTUALLY_MS),
	       "R-2: %s: no page stays pinned", name(script));
}

static void kept_out(struct mdev *mdev, const struct script *script)
{
	expect_str(mdev_read(mdev, "guest_matrix"), NOT_PASSED, "R-4: %s: in no guest",
		   name(script));
	expect_str(mdev_read(mdev, "withheld"),
		   meaning(script) == OFF ? WITHHELD("down") : WITHHELD("failed"),
		   "R-24: %s: withheld says why", name(script));
	expect_str(apbus_status(QUEUE), "assigned\n", "C-9: %s: not in use", name(script));
}

static void device_reset(const struct script *script)
{
	long begun, rc;

	interrupt_on(script);
	begin(script);
	begun = clock_ms();
	rc = vfio_reset(scene.vfio);
	expect_rc(rc, in_time(script) ? 0 : -EIO, "R-11: %s: VFIO_DEVICE_RESET", name(script));
	expect_at_most(clock_ms() - begun, BOUND_RESET_WAIT_MS + BOUND_RESET_SLACK_MS,
		       "R-11: %s: it is bounded (ms)", name(script));
	expect_at_least(apemu_count(0, APEMU_HOST, "zapq", QUEUE), zapqs(script),
			"C-10: %s: ZAPQs", name(script));
	/* TAPQ answered 02 or 05 is not a reason for another ZAPQ. */
	if (script->question == TAPQ && meaning(script) == BUSY && script->times != FOR_EVER)
		expect_int(apemu_count(0, APEMU_HOST, "zapq", QUEUE), 1,
			   "C-10: %s: no other ZAPQ", name(script));
	if (in_time(script)) {
		expect_str(mdev_read(scene.mdev, "guest_matrix"), PASSED,
			   "C-11: %s: the guest has its queue when the reset returns",
			   name(script));
		expect_str(apbus_status(QUEUE), "in use\n", "C-9: %s: in use", name(script));
	} else if (script->times == FOR_EVER) {
		kept_out(scene.mdev, script);
	}
	if (cannot_write(script))
		expect(comes_true(world_pins() == pins, BOUND_EVENTUALLY_MS),
		       "R-2: %s: the page is released", name(script));
	else if (script->times == FOR_EVER)
		expect_int(world_pins(), pins + 1,
			   "R-5: %s: the page stays pinned, the adapter may write to it",
			   name(script));
	back_by_itself(scene.mdev, script);
}

static void device_reset_with(enum question question, unsigned int times)
{
	scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	pins = world_pins();
	with_answers(question, times, times <= 1, device_reset);
}

static void zapq_once(void)
{
	device_reset_with(ZAPQ, 1);
}

static void zapq_three_times(void)
{
	device_reset_with(ZAPQ, 3);
}

static void zapq_for_ever(void)
{
	device_reset_with(ZAPQ, FOR_EVER);
}

static void tapq_once(void)
{
	device_reset_with(TAPQ, 1);
}

static void tapq_three_times(void)
{
	device_reset_with(TAPQ, 3);
}

static void tapq_for_ever(void)
{
	device_reset_with(TAPQ, FOR_EVER);
}

/* From one guest to the next */
static struct scene next;

static void moved(const struct script *script)
{
	struct guest_saw saw;
	long took;

	interrupt_on(script);
	begin(script);
	expect_rc(mdev_end(mdev_begin(scene.mdev, "unassign_adapter", "5"), &took), 0,
		  "C-5: %s: unassigning never fails because of a reset", name(script));
	expect_at_most(took, BOUND_RESET_WAIT_MS + BOUND_RESET_SLACK_MS,
		       "R-11: %s: unassigning is bounded (ms)", name(script));
	expect_rc(mdev_end(mdev_begin(next.mdev, "assign_adapter", "5"), &took), 0,
		  "%s: the next may have it assigned", name(script));
	expect_at_most(took, BOUND_RESET_WAIT_MS + BOUND_RESET_SLACK_MS,
		       "R-11: %s: assigning is bounded (ms)", name(script));
	if (in_time(script) && meaning(script) != OFF)
		expect_str(mdev_read(next.mdev, "guest_matrix"), PASSED,
			   "R-4: %s: verified, it is passed", name(script));
	else
		kept_out(next.mdev, script);
	back_by_itself(next.mdev, script);
	saw = guest_tapq(next.vm, QUEUE);
	expect_guest_rc(saw, AP_OK, "%s: the next guest has it", name(script));
	expect(!saw.ir, "R-9: %s: it comes with its interrupt off", name(script));
	mdev_set(next.mdev, "unassign_adapter", CARD_5);
	mdev_set(scene.mdev, "assign_adapter", CARD_5);
	need_str(mdev_read(scene.mdev, "guest_matrix"), PASSED, "the first guest gets it back");
}

static void moved_with(enum question question)
{
	scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	next.mdev = mdev_create();
	mdev_set(next.mdev, "assign_domain", DOMAIN_4);
	next.vm = vm_create();
	next.vfio = vfio_open(VFIO_BY_CDEV, next.mdev, next.vm);
	pins = world_pins();
	with_answers(question, FOR_EVER, false, moved);
}

static void moved_zapq(void)
{
	moved_with(ZAPQ);
}

static void moved_tapq(void)
{
	moved_with(TAPQ);
}

/* To the host and back */
static void unbound(const struct script *script)
{
	long begun;

	interrupt_on(script);
	begin(script);
	begun = clock_ms();
	need_rc(apbus_unbind(QUEUE), 0, "%s: the administrator unbinds the queue", name(script));
	expect_at_most(clock_ms() - begun, BOUND_UNBOTHERED_MS,
		       "R-10: %s: which waits for no reset (ms)", name(script));
	expect_str(mdev_read(scene.mdev, "guest_matrix"), NOT_PASSED,
		   "%s: the guest has lost it", name(script));
	begun = clock_ms();
	need_rc(apbus_bind(QUEUE, "vfio_ap"), 0, "%s: and binds it again", name(script));
	expect_at_most(clock_ms() - begun, BOUND_UNBOTHERED_MS,
		       "R-10: %s: which waits neither (ms)", name(script));
	back_by_itself(scene.mdev, script);
}

static void unbound_with(enum question question)
{
	scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	pins = world_pins();
	with_answers(question, FOR_EVER, false, unbound);
}

static void unbound_zapq(void)
{
	unbound_with(ZAPQ);
}

static void unbound_tapq(void)
{
	unbound_with(TAPQ);
}

/* The end of a guest */
static void closed(const struct script *script)
{
	long begun, pinned;

	scene = scene_quiet(VFIO_BY_CDEV, CARD_5, DOMAIN_4);
	pins = world_pins();
	interrupt_on(script);
	begin(script);
	begun = clock_ms();
	vfio_close(scene.vfio);
	vm_destroy(scene.vm);
	expect_at_most(clock_ms() - begun, BOUND_RESET_WAIT_MS + BOUND_RESET_SLACK_MS,
		       "R-11: %s: closing is bounded (ms)", name(script));
	pinned = world_pins();
	expect_int(pinned, pins, "R-2: %s: VFIO has its pin back", name(script));
	if (!in_time(script) || meaning(script) == OFF)
		kept_out(scene.mdev, script);
	begun = clock_ms();
	need_rc(mdev_remove(scene.mdev), 0, "%s: the device can be removed", name(script));
	expect_at_most(clock_ms() - begun, BOUND_RESET_WAIT_MS + BOUND_RESET_SLACK_MS,
		       "R-11: %s: removing is bounded (ms)", name(script));
	apemu_do("answer clear");
	expect(comes_true(!vm_left_over(), BOUND_RETRY_MS),
	       "R-2: %s: nobody keeps the VM in the end", name(script));
	expect(comes_true(!apemu_irq(QUEUE).on, BOUND_RETRY_MS),
	       "R-4: %s: and the queue is reset", name(script));
	/* An adapter that was off is looked at once a second. */
	clock_sleep_ms(meaning(script) == OFF ? 1100 + BOUND_RETRIED_MS : BOUND_RETRIED_MS);
}

static void closed_zapq(void)
{
	with_answers(ZAPQ, FOR_EVER, false, closed);
}

static void closed_tapq(void)
{
	with_answers(TAPQ, FOR_EVER, false, closed);
}

/* Whoever fails is tried again, but not without a pause. */
static void tried_slowly(void)
{
	apemu_need();
	no_scan_meanwhile();
	scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	apemu_do("answer zapq 05.0004 rc=42 times=0");
	need_rc(vfio_reset(scene.vfio), -EIO, "the reset fails");
	apemu_do("log clear");
	clock_sleep_ms(2000);
	expect_at_least(apemu_count(0, APEMU_HOST, "zapq", QUEUE), 2,
			"R-4: it is tried again in two seconds");
	expect_at_most(apemu_count(0, APEMU_HOST, NULL, QUEUE), 50,
		       "R-6, R-31: instructions in two seconds for a queue that fails");
}

static const struct ktap_case cases[] = {
	{ "R-4, R-11: any answer to ZAPQ, once", zapq_once },
	{ "R-4, R-11: any answer to ZAPQ, three times", zapq_three_times },
	{ "R-4, R-5, R-11: any answer to ZAPQ, for ever", zapq_for_ever },
	{ "R-4, R-11: any answer to TAPQ, once", tapq_once },
	{ "R-4, R-11: any answer to TAPQ, three times", tapq_three_times },
	{ "R-4, R-5, R-11: any answer to TAPQ, for ever", tapq_for_ever },
	{ "R-4: answers to ZAPQ when a queue goes to the next guest", moved_zapq },
	{ "R-4: answers to TAPQ when a queue goes to the next guest", moved_tapq },
	{ "R-2, R-5, R-10: answers to ZAPQ when a queue is unbound", unbound_zapq },
	{ "R-2, R-5, R-10: answers to TAPQ when a queue is unbound", unbound_tapq },
	{ "R-2, R-11: answers to ZAPQ when a guest ends", closed_zapq },
	{ "R-2, R-11: answers to TAPQ when a guest ends", closed_tapq },
	{ "R-6, R-31: a queue that cannot be reset is tried again, slowly", tried_slowly },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
