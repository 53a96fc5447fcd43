// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conformance tests of the AP hardware emulator: real instructions, executed in
 * kernel mode, on a card of the tests' own (60, domain 14: ids that exist without
 * APXA too). The ideas for what to look at come from the AP tests proposed for
 * kvm-unit-tests; the expectations from asm/ap.h, the AP bus and KVM.
 *
 * Load after apemu, best before ap: the AP bus would find the card if it scanned
 * while a test runs.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/kdebug.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <asm/airq.h>
#include <asm/asm-extable.h>
#include <asm/chsc.h>
#include <asm/facility.h>
#include <asm/isc.h>
#include "apemu.h"

#define CARD	60
#define DOMAIN	14
#define QID	(CARD << 8 | DOMAIN)
#define BUFFER	(APEMU_MESSAGE_MAX + 4096)

#define FC(function)	((unsigned long)(function) << APEMU_GR0_FC_SHIFT)

/* No condition code can be this: the instruction was interrupted. */
#define INTERRUPTED	(-1)

/**
 * struct regs - registers around an instruction
 * @gr0: in and out
 * @gr1: in and out
 * @gr2: in and out
 * @cc: the condition code or INTERRUPTED
 */
struct regs {
	unsigned long gr0;
	unsigned long gr1;
	unsigned long gr2;
	int cc;
};

/**
 * struct message - operands of NQAP and DQAP
 * @psmid: of the message
 * @text: the buffer
 * @length: in: of the buffer; out: what is left of it
 * @regs: the rest
 */
struct message {
	u64 psmid;
	void *text;
	unsigned long length;
	struct regs regs;
};

static u8 *request_text, *reply_text;
static atomic_t last_program_check;
static bool original_apxa = true;
static u8 original_na = 255, original_nd = 255;

static int watch_traps(struct notifier_block *self, unsigned long event,
		       void *data)
{
	struct die_args *args = data;

	if (event == DIE_TRAP)
		atomic_set(&last_program_check, args->trapnr & 0x7f);
	return NOTIFY_DONE;
}

static struct notifier_block trap_watcher = {
	.notifier_call = watch_traps,
};

static void pqap(struct regs *regs)
{
	int cc = INTERRUPTED << 28;

	asm volatile("	lgr	0,%[gr0]\n"
		"	lgr	1,%[gr1]\n"
		"	lgr	2,%[gr2]\n"
		"	.insn	rre,0xb2af0000,0,0\n"
		"0:	ipm	%[cc]\n"
		"1:	lgr	%[gr0],0\n"
		"	lgr	%[gr1],1\n"
		"	lgr	%[gr2],2\n"
		EX_TABLE(0b, 1b)
		: [cc] "+d" (cc), [gr0] "+d" (regs->gr0),
		  [gr1] "+d" (regs->gr1), [gr2] "+d" (regs->gr2)
		:
		: "cc", "memory", "0", "1", "2");
	regs->cc = cc >> 28;
}

static void nqap(struct message *message)
{
	union register_pair psmid = {
		.even = message->psmid >> 32,
		.odd = (u32)message->psmid,
	};
	union register_pair text = {
		.even = (unsigned long)message->text,
		.odd = message->length,
	};
	int cc = INTERRUPTED << 28;

	asm volatile("	lgr	0,%[gr0]\n"
		"	.insn	rre,0xb2ad0000,%[psmid],%[text]\n"
		"0:	ipm	%[cc]\n"
		"1:	lgr	%[gr1],1\n"
		EX_TABLE(0b, 1b)
		: [cc] "+d" (cc), [gr1] "=d" (message->regs.gr1),
		  [text] "+&d" (text.pair)
		: [gr0] "d" (message->regs.gr0), [psmid] "d" (psmid.pair)
		: "cc", "memory", "0", "1");
	message->length = text.odd;
	message->regs.cc = cc >> 28;
}

static void dqap(struct message *message)
{
	union register_pair psmid = {};
	union register_pair text = {
		.even = (unsigned long)message->text,
		.odd = message->length,
	};
	int cc = INTERRUPTED << 28;

	asm volatile("	lgr	0,%[gr0]\n"
		"	lghi	2,0\n"
		"	.insn	rre,0xb2ae0000,%[psmid],%[text]\n"
		"0:	ipm	%[cc]\n"
		"1:	lgr	%[gr0],0\n"
		"	lgr	%[gr1],1\n"
		"	lgr	%[gr2],2\n"
		EX_TABLE(0b, 1b)
		: [cc] "+d" (cc), [gr0] "+&d" (message->regs.gr0),
		  [gr1] "=&d" (message->regs.gr1),
		  [gr2] "=&d" (message->regs.gr2),
		  [psmid] "+&d" (psmid.pair), [text] "+&d" (text.pair)
		:
		: "cc", "memory", "0", "1", "2");
	message->psmid = psmid.even << 32 | psmid.odd;
	message->length = text.odd;
	message->regs.cc = cc >> 28;
}

/* PQAP with a function code on our queue; the status word. */
static u32 ask(enum apemu_function function)
{
	struct regs regs = { .gr0 = FC(function) | QID };

	pqap(&regs);
	return regs.gr1;
}

static unsigned int ask_rc(enum apemu_function function)
{
	return APEMU_STATUS_RC(ask(function));
}

static u32 aqic(unsigned long control, unsigned long nib)
{
	struct regs regs = {
		.gr0 = FC(APEMU_AQIC) | QID,
		.gr1 = control,
		.gr2 = nib,
	};

	pqap(&regs);
	return regs.gr1;
}

static bool interrupted(unsigned long gr0, unsigned long gr2)
{
	struct regs regs = { .gr0 = gr0, .gr2 = gr2 };

	atomic_set(&last_program_check, 0);
	pqap(&regs);
	return regs.cc == INTERRUPTED;
}

static u32 send(u64 psmid, size_t length)
{
	struct message message = {
		.psmid = psmid,
		.text = request_text,
		.length = length,
		.regs.gr0 = APEMU_GR0_L | QID,
	};

	nqap(&message);
	return message.regs.gr1;
}

static struct message receive(size_t length)
{
	struct message message = {
		.text = reply_text,
		.length = length,
		.regs.gr0 = BIT(31) | QID,
	};

	dqap(&message);
	return message;
}

static void qci(struct apemu_qci *info)
{
	struct regs regs = {
		.gr0 = FC(APEMU_QCI),
		.gr2 = (unsigned long)info,
	};

	memset(info, 0xff, sizeof(*info));
	pqap(&regs);
}

static void command(struct kunit *test, const char *text)
{
	KUNIT_ASSERT_EQ_MSG(test, apemu_command(text), 0, "%s", text);
}

/* ---- TAPQ and the configuration ---- */

static void tapq_tells_status_and_type(struct kunit *test)
{
	struct regs regs = { .gr0 = QID };
	u64 plain, full;

	pqap(&regs);
	KUNIT_EXPECT_EQ(test, regs.cc, 0);
	KUNIT_EXPECT_EQ(test, regs.gr1, APEMU_STATUS_EMPTY);
	plain = regs.gr2;
	KUNIT_EXPECT_EQ(test, plain >> APEMU_HWINFO_AT_SHIFT & 0xff, 14);
	KUNIT_EXPECT_EQ(test, plain & 0xf, 1);
	KUNIT_EXPECT_EQ(test, plain & APEMU_HWINFO_FAC, 0);
	if (!test_facility(15))
		return;
	regs = (struct regs){ .gr0 = APEMU_GR0_T | QID };
	pqap(&regs);
	full = regs.gr2;
	KUNIT_EXPECT_EQ(test, full & ~APEMU_HWINFO_FAC, plain);
	KUNIT_EXPECT_TRUE(test, full & APEMU_HWINFO_CCA);
	KUNIT_EXPECT_FALSE(test, full & APEMU_HWINFO_ACCEL);
	KUNIT_EXPECT_FALSE(test, full & APEMU_HWINFO_EP11);
	KUNIT_EXPECT_EQ(test, !!(full & APEMU_HWINFO_APXA), original_apxa);
}

static void tapq_of_what_is_not_there(struct kunit *test)
{
	struct regs regs = { .gr0 = QID + 1, .gr2 = 0x1234 };

	pqap(&regs);
	KUNIT_EXPECT_EQ(test, regs.cc, 3);
	KUNIT_EXPECT_EQ(test, regs.gr1, 0x00010000);
	KUNIT_EXPECT_EQ(test, regs.gr2, 0x1234);

	command(test, "queue 3c.000e absent on");
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x01);
	command(test, "queue 3c.000e absent off");
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x00);
	command(test, "domain 14 remove");
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x01);
	command(test, "domain 14 add\ncard 60 remove");
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_ZAPQ), 0x01);
}

static void cards_change_state(struct kunit *test)
{
	static const struct {
		const char *what;
		const char *off;
		const char *on;
		unsigned int rc;
		bool visible;
	} states[] = {
		{ "config", "card 60 config off", "card 60 config on", 0x03, false },
		{ "standby", "card 60 standby on", "card 60 standby off", 0x03, true },
		{ "checkstop", "card 60 checkstop on", "card 60 checkstop off", 0x04, true },
	};
	struct apemu_qci info;
	int n;

	for (n = 0; n < ARRAY_SIZE(states); n++) {
		send(1, 16);
		command(test, states[n].off);
		KUNIT_EXPECT_EQ_MSG(test, ask_rc(APEMU_TAPQ), states[n].rc, "%s",
				    states[n].what);
		KUNIT_EXPECT_EQ(test, ask_rc(APEMU_ZAPQ), states[n].rc);
		KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(send(1, 16)), states[n].rc);
		if (test_facility(12)) {
			qci(&info);
			KUNIT_EXPECT_EQ(test, apemu_mask_test(info.apm, CARD),
					states[n].visible);
		}
		command(test, states[n].on);
		KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), APEMU_STATUS_EMPTY);
	}
}

static void qci_tells_the_configuration(struct kunit *test)
{
	struct apemu_qci info;

	if (!test_facility(12)) {
		KUNIT_EXPECT_TRUE(test, interrupted(FC(APEMU_QCI),
						    (unsigned long)&info));
		return;
	}
	qci(&info);
	KUNIT_EXPECT_TRUE(test, info.flags & APEMU_QCI_APSC);
	KUNIT_EXPECT_TRUE(test, info.flags & APEMU_QCI_QACT);
	KUNIT_EXPECT_EQ(test, !!(info.flags & APEMU_QCI_APXA), original_apxa);
	KUNIT_EXPECT_TRUE(test, apemu_mask_test(info.apm, CARD));
	KUNIT_EXPECT_TRUE(test, apemu_mask_test(info.aqm, DOMAIN));
	KUNIT_EXPECT_FALSE(test, apemu_mask_test(info.adm, DOMAIN));
	KUNIT_EXPECT_EQ(test, info.reserved1[15], 0);
	command(test, "control 14 add");
	qci(&info);
	KUNIT_EXPECT_TRUE(test, apemu_mask_test(info.adm, DOMAIN));
	command(test, "control 14 remove\ndomain 14 remove");
	qci(&info);
	KUNIT_EXPECT_FALSE(test, apemu_mask_test(info.adm, DOMAIN));
	KUNIT_EXPECT_FALSE(test, apemu_mask_test(info.aqm, DOMAIN));
}

static void ids_without_apxa(struct kunit *test)
{
	struct apemu_qci info;

	command(test, "qci apxa=0");
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x00);
	KUNIT_EXPECT_TRUE(test, interrupted(0x4000, 0));
	KUNIT_EXPECT_EQ(test, atomic_read(&last_program_check),
			APEMU_PGM_SPECIFICATION);
	KUNIT_EXPECT_TRUE(test, interrupted(0x0010, 0));
	KUNIT_EXPECT_EQ(test, apemu_command("card 64 add type=cex8"), -ERANGE);
	KUNIT_EXPECT_EQ(test, apemu_command("domain 16 add"), -ERANGE);
	if (test_facility(12)) {
		qci(&info);
		KUNIT_EXPECT_FALSE(test, info.flags & APEMU_QCI_APXA);
		KUNIT_EXPECT_EQ(test, info.apm[2], 0);
		KUNIT_EXPECT_EQ(test, info.aqm[0] & 0xffff, 0);
	}
	/* zero is "unknown", and means the same ids */
	command(test, "qci apxa=1 na=0 nd=0");
	KUNIT_EXPECT_FALSE(test, interrupted(0x4000, 0));
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x00);
	KUNIT_EXPECT_EQ(test, apemu_command("card 64 add type=cex8"), -ERANGE);
}

static void specification_exceptions(struct kunit *test)
{
	static const unsigned long gr0s[] = {
		/* bits 41-47, one after the other */
		QID | BIT(22), QID | BIT(21), QID | BIT(20), QID | BIT(19),
		QID | BIT(18), QID | BIT(17), QID | BIT(16),
		QID | BIT(16) | FC(APEMU_ZAPQ), QID | BIT(16) | FC(APEMU_RAPQ),
		QID | BIT(22) | FC(APEMU_AQIC),
		/* functions that do not exist, or not here */
		QID | FC(6), QID | FC(9), QID | FC(0xff),
		QID | FC(APEMU_BAPQ), QID | FC(APEMU_AAPQ),
	};
	struct apemu_qci info[2];
	int n;

	for (n = 0; n < ARRAY_SIZE(gr0s); n++) {
		KUNIT_EXPECT_TRUE_MSG(test, interrupted(gr0s[n], 0), "gr0 %lx",
				      gr0s[n]);
		KUNIT_EXPECT_EQ(test, atomic_read(&last_program_check),
				APEMU_PGM_SPECIFICATION);
	}
	KUNIT_EXPECT_TRUE(test, interrupted(FC(APEMU_QCI),
					    (unsigned long)info + 4));
	/* the F bit is not reserved where there is one */
	KUNIT_EXPECT_FALSE(test, interrupted(QID | BIT(22) | FC(APEMU_RAPQ), 0));
	KUNIT_EXPECT_FALSE(test, interrupted(QID | BIT(22) | FC(APEMU_ZAPQ), 0));
}

static void functions_need_their_facility(struct kunit *test)
{
	struct apemu_qci info;

	KUNIT_EXPECT_EQ(test, interrupted(QID | APEMU_GR0_T, 0),
			!test_facility(15));
	KUNIT_EXPECT_EQ(test, interrupted(QID | FC(APEMU_AQIC), 0),
			!test_facility(65));
	KUNIT_EXPECT_EQ(test, interrupted(FC(APEMU_QCI), (unsigned long)&info),
			!test_facility(12));
	KUNIT_EXPECT_EQ(test, interrupted(QID | FC(APEMU_QACT), 0),
			!test_facility(12));
}

static void qact_maps_to_the_own_type(struct kunit *test)
{
	struct regs regs = {
		.gr0 = FC(APEMU_QACT) | QID,
		.gr1 = 20 << 24,
	};

	if (!test_facility(12))
		kunit_skip(test, "no QCI, hence no QACT");
	pqap(&regs);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(regs.gr1), 0x00);
	KUNIT_EXPECT_EQ(test, regs.gr2 >> 24 & 0xff, 14);
}

/* ---- resets ---- */

static const enum apemu_function resets[] = { APEMU_RAPQ, APEMU_ZAPQ };

static void reset_to_desc(const enum apemu_function *function, char *desc)
{
	strscpy(desc, *function == APEMU_RAPQ ? "rapq" : "zapq",
		KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(reset, resets, reset_to_desc);

static enum apemu_function the_reset(struct kunit *test)
{
	return *(const enum apemu_function *)test->param_value;
}

static void reset_at_once(struct kunit *test)
{
	send(1, 16);
	KUNIT_EXPECT_EQ(test, ask(the_reset(test)), APEMU_STATUS_EMPTY);
	KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), APEMU_STATUS_EMPTY);
}

static void reset_in_polls(struct kunit *test)
{
	int n;

	command(test, "reset 3c.000e polls=3");
	send(1, 16);
	KUNIT_EXPECT_EQ(test, ask_rc(the_reset(test)), 0x00);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_RAPQ), 0x02);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_ZAPQ), 0x02);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(send(1, 16)), 0x02);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(receive(16).regs.gr1), 0x02);
	if (test_facility(65))
		KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(aqic(0, 0)), 0x02);
	for (n = 0; n < 3; n++)
		KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x02);
	KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), APEMU_STATUS_EMPTY);
	KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), APEMU_STATUS_EMPTY);
}

static void reset_in_ns(struct kunit *test)
{
	u64 start;

	command(test, "reset 3c.000e ns=200000000");
	start = ktime_get_ns();
	KUNIT_EXPECT_EQ(test, ask_rc(the_reset(test)), 0x00);
	/* nobody promises that we get the CPU in time to see it busy */
	if (ask_rc(APEMU_TAPQ) != 0x02)
		KUNIT_EXPECT_GE(test, ktime_get_ns() - start, 200000000);
	msleep(210);
	KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), APEMU_STATUS_EMPTY);
}

static void reset_that_never_completes(struct kunit *test)
{
	int n;

	command(test, "reset 3c.000e never");
	KUNIT_EXPECT_EQ(test, ask_rc(the_reset(test)), 0x00);
	for (n = 0; n < 100; n++)
		KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x02);
	command(test, "reset 3c.000e polls=1");
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x02);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x00);
	command(test, "reset any never");
	KUNIT_EXPECT_EQ(test, ask_rc(the_reset(test)), 0x00);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x02);
	command(test, "reset any polls=0");
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x00);
}

static void reset_turns_interrupts_off(struct kunit *test)
{
	unsigned long nib = virt_to_phys(request_text);

	if (!test_facility(65))
		kunit_skip(test, "no AQIC");
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(aqic(APEMU_AQIC_IR, nib)), 0x00);
	command(test, "reset 3c.000e polls=1");
	ask(the_reset(test));
	/* until it is complete the adapter may still use the byte */
	KUNIT_EXPECT_TRUE(test, ask(APEMU_TAPQ) & APEMU_STATUS_IR);
	KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), APEMU_STATUS_EMPTY);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(aqic(0, 0)), 0x07);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(aqic(APEMU_AQIC_IR, nib)), 0x00);
}

/* ---- interrupt control ---- */

static void aqic_wants_an_address(struct kunit *test)
{
	if (!test_facility(65))
		kunit_skip(test, "no AQIC");
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(aqic(APEMU_AQIC_IR, 0)), 0x06);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(aqic(APEMU_AQIC_IR, -1UL)), 0x06);
	KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), APEMU_STATUS_EMPTY);
	if (!apemu_gib_origin())
		KUNIT_EXPECT_EQ(test,
				APEMU_STATUS_RC(aqic(APEMU_AQIC_IR | 0x10000,
						     virt_to_phys(request_text))),
				0x08);
}

static void aqic_twice(struct kunit *test)
{
	unsigned long nib = virt_to_phys(request_text);
	u32 status;

	if (!test_facility(65))
		kunit_skip(test, "no AQIC");
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(aqic(0, 0)), 0x07);
	status = aqic(APEMU_AQIC_IR, nib);
	KUNIT_EXPECT_EQ(test, status, APEMU_STATUS_EMPTY | APEMU_STATUS_IR);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(aqic(APEMU_AQIC_IR, nib)), 0x07);
	KUNIT_EXPECT_TRUE(test, ask(APEMU_TAPQ) & APEMU_STATUS_IR);
	KUNIT_EXPECT_EQ(test, aqic(0, 0), APEMU_STATUS_EMPTY);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(aqic(0, 0)), 0x07);
	KUNIT_EXPECT_FALSE(test, ask(APEMU_TAPQ) & APEMU_STATUS_IR);
}

static void aqic_takes_its_time(struct kunit *test)
{
	unsigned long nib = virt_to_phys(request_text);
	int n;

	if (!test_facility(65))
		kunit_skip(test, "no AQIC");
	command(test, "irqdelay 3c.000e polls=2");
	KUNIT_EXPECT_EQ(test, aqic(APEMU_AQIC_IR, nib), APEMU_STATUS_EMPTY);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(aqic(APEMU_AQIC_IR, nib)), 0x07);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(aqic(0, 0)), 0x05);
	for (n = 0; n < 2; n++)
		KUNIT_EXPECT_FALSE(test, ask(APEMU_TAPQ) & APEMU_STATUS_IR);
	KUNIT_EXPECT_TRUE(test, ask(APEMU_TAPQ) & APEMU_STATUS_IR);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(aqic(0, 0)), 0x00);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(aqic(APEMU_AQIC_IR, nib)), 0x05);
	for (n = 0; n < 2; n++)
		KUNIT_EXPECT_TRUE(test, ask(APEMU_TAPQ) & APEMU_STATUS_IR);
	KUNIT_EXPECT_FALSE(test, ask(APEMU_TAPQ) & APEMU_STATUS_IR);
}

static void losing_the_card_turns_interrupts_off(struct kunit *test)
{
	unsigned long nib = virt_to_phys(request_text);

	if (!test_facility(65))
		kunit_skip(test, "no AQIC");
	aqic(APEMU_AQIC_IR, nib);
	command(test, "card 60 config off\ncard 60 config on");
	KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), APEMU_STATUS_EMPTY);
	aqic(APEMU_AQIC_IR, nib);
	command(test, "card 60 remove\ncard 60 add type=cex8 depth=2");
	KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), APEMU_STATUS_EMPTY);
}

static atomic_t adapter_interrupts;

static void count_interrupt(struct airq_struct *airq, struct tpi_info *tpi_info)
{
	if (tpi_info->isc == airq->isc)
		atomic_inc(&adapter_interrupts);
}

static bool wait_for_interrupts(int wanted)
{
	int n;

	for (n = 0; n < 50 && atomic_read(&adapter_interrupts) < wanted; n++)
		msleep(20);
	return atomic_read(&adapter_interrupts) >= wanted;
}

static void host_gets_an_interrupt(struct kunit *test)
{
	struct airq_struct airq = { .handler = count_interrupt, .isc = AP_ISC };
	unsigned long nib;

	if (!test_facility(65))
		kunit_skip(test, "no AQIC");
	KUNIT_ASSERT_EQ(test, register_adapter_interrupt(&airq), 0);
	nib = virt_to_phys(airq.lsi_ptr);
	atomic_set(&adapter_interrupts, 0);
	send(1, 16);
	KUNIT_EXPECT_EQ(test, *airq.lsi_ptr, 0);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(aqic(APEMU_AQIC_IR | AP_ISC, nib)),
			0x00);
	send(2, 16);
	KUNIT_EXPECT_TRUE(test, wait_for_interrupts(1));
	KUNIT_EXPECT_NE(test, *airq.lsi_ptr, 0);
	command(test, "interrupt 3c.000e");
	KUNIT_EXPECT_TRUE(test, wait_for_interrupts(2));
	aqic(0, 0);
	command(test, "interrupt 3c.000e");
	msleep(20);
	KUNIT_EXPECT_EQ(test, atomic_read(&adapter_interrupts), 2);
	unregister_adapter_interrupt(&airq);
}

static void late_reply_interrupts(struct kunit *test)
{
	struct airq_struct airq = { .handler = count_interrupt, .isc = AP_ISC };

	if (!test_facility(65))
		kunit_skip(test, "no AQIC");
	KUNIT_ASSERT_EQ(test, register_adapter_interrupt(&airq), 0);
	atomic_set(&adapter_interrupts, 0);
	aqic(APEMU_AQIC_IR | AP_ISC, virt_to_phys(airq.lsi_ptr));
	command(test, "echo 3c.000e delay_ns=50000000");
	send(1, 16);
	send(2, 16);
	/* one or two: they may become ready together */
	KUNIT_EXPECT_TRUE(test, wait_for_interrupts(1));
	msleep(60);
	KUNIT_EXPECT_EQ(test, receive(16).psmid, 1);
	KUNIT_EXPECT_EQ(test, receive(16).psmid, 2);
	aqic(0, 0);
	unregister_adapter_interrupt(&airq);
}

/* A GIB and a GISA of our own, as KVM would have them. */
static void guest_gets_an_interrupt(struct kunit *test)
{
	struct airq_struct airq = { .handler = count_interrupt, .isc = GAL_ISC };
	unsigned long page, control;
	struct kvm_s390_gisa *gisa;
	struct kvm_s390_gib *gib;
	u32 origin;
	u8 *nib;

	if (!test_facility(65) || apemu_gib_origin())
		kunit_skip(test, "no AQIC, or KVM has its GIB already");
	page = get_zeroed_page(GFP_KERNEL | GFP_DMA);
	KUNIT_ASSERT_NE(test, page, 0);
	gib = (void *)page;
	gisa = (void *)(page + 0x900);
	nib = (void *)(page + 0x800);
	origin = virt_to_phys(gisa);
	gisa->next_alert = origin;
	gisa->iam = 0x80 >> 3;
	gib->nisc = GAL_ISC;
	KUNIT_ASSERT_EQ(test, register_adapter_interrupt(&airq), 0);
	*airq.lsi_ptr = 0xff;
	KUNIT_EXPECT_EQ(test, chsc_sgib(virt_to_phys(gib)), 0);
	atomic_set(&adapter_interrupts, 0);

	control = APEMU_AQIC_IR | 3UL << 40 | origin | GAL_ISC;
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(aqic(control, virt_to_phys(nib))),
			0x00);
	/* not pinned by anybody: no store, no interrupt */
	command(test, "interrupt 3c.000e");
	KUNIT_EXPECT_EQ(test, *nib, 0);
	KUNIT_EXPECT_EQ(test, gisa->ipm, 0);

	page_ref_add(virt_to_page((void *)page), GUP_PIN_COUNTING_BIAS);
	command(test, "interrupt 3c.000e");
	KUNIT_EXPECT_NE(test, *nib, 0);
	KUNIT_EXPECT_EQ(test, gisa->ipm, 0x80 >> 3);
	KUNIT_EXPECT_EQ(test, gisa->iam, 0);
	KUNIT_EXPECT_EQ(test, gisa->next_alert, 0);
	KUNIT_EXPECT_EQ(test, gib->alert_list_origin, origin);
	KUNIT_EXPECT_TRUE(test, wait_for_interrupts(1));

	/* on the list already: pending, but nobody is alerted again */
	*nib = 0;
	gisa->ipm = 0;
	command(test, "interrupt 3c.000e");
	KUNIT_EXPECT_NE(test, *nib, 0);
	KUNIT_EXPECT_EQ(test, gisa->ipm, 0x80 >> 3);

	/* off the list, but the guest is not to be alerted for this ISC */
	gib->alert_list_origin = 0;
	gisa->next_alert = origin;
	gisa->iam = 0x80 >> 4;
	command(test, "interrupt 3c.000e");
	KUNIT_EXPECT_EQ(test, gib->alert_list_origin, 0);
	msleep(20);
	KUNIT_EXPECT_EQ(test, atomic_read(&adapter_interrupts), 1);

	/* KVM is at work on the list: linked, but no second interrupt */
	gib->alert_list_origin = 1;
	gisa->iam = 0x80 >> 3;
	command(test, "interrupt 3c.000e");
	KUNIT_EXPECT_EQ(test, gib->alert_list_origin, origin);
	KUNIT_EXPECT_EQ(test, gisa->next_alert, 1);
	msleep(20);
	KUNIT_EXPECT_EQ(test, atomic_read(&adapter_interrupts), 1);

	page_ref_sub(virt_to_page((void *)page), GUP_PIN_COUNTING_BIAS);
	aqic(0, 0);
	chsc_sgib(0);
	unregister_adapter_interrupt(&airq);
	free_page(page);
}

/* ---- scripted answers ---- */

static void scripts_answer(struct kunit *test)
{
	struct regs regs = { .gr0 = APEMU_GR0_T | QID };

	command(test, "answer tapq 3c.000e rc=2 skip=1 times=2");
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x00);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_ZAPQ), 0x00);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x02);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x02);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x00);

	command(test, "answer any  any rc=0a times=0");
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x0a);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_BAPQ), 0x0a);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(send(1, 16)), 0x0a);
	command(test, "answer clear");
	KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), APEMU_STATUS_EMPTY);

	command(test, "answer zapq 3c.000e rc=0 empty=0 full=1 replies=1 ir=1 async=1");
	KUNIT_EXPECT_EQ(test, ask(APEMU_ZAPQ),
			APEMU_STATUS_FULL | APEMU_STATUS_REPLIES |
			APEMU_STATUS_IR | APEMU_STATUS_ASYNC);
	/* an answer is all it is: nothing was reset, nothing is in progress */
	send(1, 16);
	command(test, "answer zapq 3c.000e rc=0");
	ask(APEMU_ZAPQ);
	KUNIT_EXPECT_EQ(test, receive(16).psmid, 1);

	if (test_facility(15)) {
		command(test, "answer tapq any rc=0 bs=2");
		pqap(&regs);
		KUNIT_EXPECT_EQ(test, regs.gr2 >> APEMU_HWINFO_BS_SHIFT & 3, 2);
	}
	if (test_facility(12)) {
		struct apemu_qci info;

		command(test, "answer qci any rc=1");
		KUNIT_EXPECT_TRUE(test, interrupted(FC(APEMU_QCI),
						    (unsigned long)&info));
		KUNIT_EXPECT_FALSE(test, interrupted(FC(APEMU_QCI),
						     (unsigned long)&info));
	}
}

/* ---- messages ---- */

static void echo_returns_what_was_sent(struct kunit *test)
{
	struct message message;

	message = receive(BUFFER);
	KUNIT_EXPECT_EQ(test, message.regs.cc, 3);
	KUNIT_EXPECT_EQ(test, message.regs.gr1,
			APEMU_STATUS_EMPTY | 0x10 << APEMU_STATUS_RC_SHIFT);

	get_random_bytes(request_text, APEMU_MESSAGE_MAX);
	KUNIT_EXPECT_EQ(test, send(0x123456789abcdef0, APEMU_MESSAGE_MAX),
			APEMU_STATUS_REPLIES);
	KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), APEMU_STATUS_REPLIES);
	memset(reply_text, 0, BUFFER);
	message = receive(BUFFER);
	KUNIT_EXPECT_EQ(test, message.regs.cc, 0);
	KUNIT_EXPECT_EQ(test, message.regs.gr1, APEMU_STATUS_EMPTY);
	KUNIT_EXPECT_EQ(test, message.regs.gr2, 0);
	KUNIT_EXPECT_EQ(test, message.psmid, 0x123456789abcdef0);
	KUNIT_EXPECT_EQ(test, message.length, BUFFER - APEMU_MESSAGE_MAX);
	KUNIT_EXPECT_MEMEQ(test, reply_text, request_text, APEMU_MESSAGE_MAX);
}

static void echo_says_no(struct kunit *test)
{
	struct message message = {
		.text = request_text,
		.length = 16,
		.regs.gr0 = QID,
	};
	u32 status;

	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(send(1, APEMU_MESSAGE_MAX + 1)),
			0x15);
	nqap(&message);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(message.regs.gr1), 0x13);
	KUNIT_EXPECT_EQ(test, message.regs.cc, 3);
	KUNIT_EXPECT_EQ(test, send(1, 16), APEMU_STATUS_REPLIES);
	status = APEMU_STATUS_REPLIES | APEMU_STATUS_FULL;
	KUNIT_EXPECT_EQ(test, send(2, 16), status);
	status |= 0x10 << APEMU_STATUS_RC_SHIFT;
	KUNIT_EXPECT_EQ(test, send(3, 16), status);
	KUNIT_EXPECT_EQ(test, receive(16).psmid, 1);
	KUNIT_EXPECT_EQ(test, APEMU_STATUS_RC(send(4, 16)), 0x00);
	KUNIT_EXPECT_EQ(test, receive(16).psmid, 2);
	KUNIT_EXPECT_EQ(test, receive(16).psmid, 4);
}

static void echo_holds(struct kunit *test)
{
	command(test, "echo 3c.000e hold");
	KUNIT_EXPECT_EQ(test, send(1, 16), 0);
	KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), 0);
	KUNIT_EXPECT_EQ(test, receive(16).regs.gr1,
			0x10 << APEMU_STATUS_RC_SHIFT);
	command(test, "echo 3c.000e release");
	KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), APEMU_STATUS_REPLIES);
	KUNIT_EXPECT_EQ(test, receive(16).psmid, 1);
}

static void reply_in_parts(struct kunit *test)
{
	struct message message;
	int n;

	get_random_bytes(request_text, 100);
	send(7, 100);
	message = receive(40);
	KUNIT_EXPECT_EQ(test, message.regs.cc, 1);
	KUNIT_EXPECT_EQ(test, message.regs.gr2, 60);
	KUNIT_EXPECT_EQ(test, message.length, 0);
	KUNIT_EXPECT_MEMEQ(test, reply_text, request_text, 40);
	for (n = 1; n < 3; n++) {
		message.text = reply_text + 40 * n;
		message.length = 40;
		dqap(&message);
	}
	KUNIT_EXPECT_EQ(test, message.regs.cc, 0);
	KUNIT_EXPECT_EQ(test, message.regs.gr1, APEMU_STATUS_EMPTY);
	KUNIT_EXPECT_EQ(test, message.psmid, 7);
	KUNIT_EXPECT_EQ(test, message.length, 20);
	KUNIT_EXPECT_MEMEQ(test, reply_text, request_text, 100);
	/* who starts again gets all of it */
	send(8, 100);
	receive(40);
	message = receive(100);
	KUNIT_EXPECT_EQ(test, message.regs.cc, 0);
	KUNIT_EXPECT_EQ(test, message.psmid, 8);
	KUNIT_EXPECT_MEMEQ(test, reply_text, request_text, 100);
}

/* ---- log, counters, control file ---- */

static void instructions_are_counted_and_logged(struct kunit *test)
{
	static const char expected[] =
		"gr0=2003c0e gr1in=0 gr2in=0 rc=0a cc=3 status=800a0000";
	u64 counted = apemu_counted(false, APEMU_TAPQ);
	char line[APEMU_LOG_LINE];

	ask(APEMU_TAPQ);
	KUNIT_EXPECT_GE(test, apemu_counted(false, APEMU_TAPQ), counted + 1);
	command(test, "answer zapq 3c.000e rc=0a");
	ask(APEMU_ZAPQ);
	apemu_log_newest(line);
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " host zapq 3c.000e gr0="));
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, expected));
	ask(APEMU_ZAPQ);
	apemu_log_newest(line);
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " event reset-done 3c.000e"));
	command(test, "log off");
	ask(APEMU_TAPQ);
	apemu_log_newest(line);
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, "reset-done"));
	command(test, "log on\nlog clear");
	apemu_log_newest(line);
	KUNIT_EXPECT_STREQ(test, line, "");
	interrupted(QID | BIT(16), 0);
	apemu_log_newest(line);
	KUNIT_EXPECT_NOT_NULL(test, strstr(line, " event program-check 3c.000e"));
	command(test, "count clear");
	KUNIT_EXPECT_LT(test, apemu_counted(false, APEMU_ZAPQ), 2);
}

static void factory_forgets(struct kunit *test)
{
	command(test, "answer any  any rc=5 times=0\nreset any never");
	command(test, "irqdelay any polls=9\necho any hold\nqci na=61");
	command(test, "factory");
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x01);
	command(test, "card 60 add type=cex8 depth=2\ndomain 14 add");
	KUNIT_EXPECT_EQ(test, ask(APEMU_ZAPQ), APEMU_STATUS_EMPTY);
	KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), APEMU_STATUS_EMPTY);
	KUNIT_EXPECT_EQ(test, send(1, 16), APEMU_STATUS_REPLIES);
}

/* ---- services ---- */

/* Message type 50 with the smallest fields: where they are. */
#define MEX_LENGTH	400
#define CRT_LENGTH	464
#define MEX_EXPONENT	(16 + 128)
#define MEX_MODULUS	(16 + 2 * 128)
#define MEX_MESSAGE	(16 + 3 * 128)
#define CRT_FIELD(n)	(16 + ((n) + 1) * 64)
#define CRT_MESSAGE	(16 + 5 * 64 + 128)
#define RSA_REPLY	(16 + 128)

static void put16(size_t offset, u16 value)
{
	request_text[offset] = value >> 8;
	request_text[offset + 1] = value;
}

/* A number of 16 bits into a field that ends there. */
static void put_number(size_t end, u16 value)
{
	put16(end - 2, value);
}

static void start_service(struct kunit *test, const char *card)
{
	command(test, "card 60 remove");
	command(test, card);
	memset(request_text, 0, BUFFER);
	memset(reply_text, 0xee, BUFFER);
}

static void start_rsa(struct kunit *test)
{
	start_service(test, "card 60 add type=cex8 mode=accel service=rsa depth=2");
}

static void make_mex(u16 exponent, u16 modulus, u16 text)
{
	request_text[1] = 0x50;
	put16(2, MEX_LENGTH);
	put16(8, 0x0001);
	put_number(MEX_EXPONENT, exponent);
	put_number(MEX_MODULUS, modulus);
	put_number(MEX_MESSAGE, text);
}

static void make_crt(u16 p, u16 q, u16 dp, u16 dq, u16 u, u16 text)
{
	request_text[1] = 0x50;
	put16(2, CRT_LENGTH);
	put16(8, 0x0011);
	put_number(CRT_FIELD(0), p);
	put_number(CRT_FIELD(1), q);
	put_number(CRT_FIELD(2), dp);
	put_number(CRT_FIELD(3), dq);
	put_number(CRT_FIELD(4), u);
	put_number(CRT_MESSAGE, text);
}

/* A service is a worker: its replies come when they come. */
static struct message receive_soon(size_t length)
{
	struct message message;
	int n;

	for (n = 0; n < 1000; n++) {
		message = receive(length);
		if (APEMU_STATUS_RC(message.regs.gr1) != APEMU_RC_NO_PENDING_REPLY)
			break;
		usleep_range(1000, 2000);
	}
	return message;
}

static void expect_number(struct kunit *test, u16 value)
{
	struct message reply = receive_soon(BUFFER);

	KUNIT_ASSERT_EQ(test, APEMU_STATUS_RC(reply.regs.gr1), 0);
	KUNIT_EXPECT_EQ(test, BUFFER - reply.length, RSA_REPLY);
	KUNIT_EXPECT_EQ(test, reply_text[1], 0x80);
	KUNIT_EXPECT_EQ(test, reply_text[2] << 8 | reply_text[3], RSA_REPLY);
	KUNIT_EXPECT_EQ(test, reply_text[4], 0);
	KUNIT_EXPECT_EQ(test, reply_text[RSA_REPLY - 2] << 8 |
			reply_text[RSA_REPLY - 1], value);
	KUNIT_EXPECT_NULL(test, memchr_inv(reply_text + 16, 0, 126));
}

static void expect_refused(struct kunit *test, u8 code, const char *why)
{
	struct message reply = receive_soon(BUFFER);

	KUNIT_ASSERT_EQ_MSG(test, APEMU_STATUS_RC(reply.regs.gr1), 0, "%s", why);
	KUNIT_EXPECT_EQ_MSG(test, BUFFER - reply.length, 8, "%s", why);
	KUNIT_EXPECT_EQ_MSG(test, reply_text[1], 0x82, "%s", why);
	KUNIT_EXPECT_EQ_MSG(test, reply_text[4], code, "%s", why);
}

static void rsa_by_exponent(struct kunit *test)
{
	start_rsa(test);
	make_mex(17, 3233, 65);
	KUNIT_EXPECT_EQ(test, send(0x123456789abcdef0, MEX_LENGTH), 0);
	expect_number(test, 2790);
	/* the extremes that are allowed */
	make_mex(17, 3233, 0);
	send(1, MEX_LENGTH);
	expect_number(test, 0);
	make_mex(17, 3233, 3232);
	send(1, MEX_LENGTH);
	expect_number(test, 3232);
}

static void rsa_by_crt(struct kunit *test)
{
	start_rsa(test);
	/* 61 * 53, d = 2753; in both orders of the primes */
	make_crt(61, 53, 53, 49, 38, 2790);
	send(1, CRT_LENGTH);
	expect_number(test, 65);
	make_crt(53, 61, 49, 53, 20, 2790);
	send(1, CRT_LENGTH);
	expect_number(test, 65);
	make_crt(53, 61, 49, 53, 20, 3232);
	send(1, CRT_LENGTH);
	expect_number(test, 3232);
	make_crt(53, 61, 49, 53, 20, 0);
	send(1, CRT_LENGTH);
	expect_number(test, 0);
}

static void rsa_refuses_bad_headers(struct kunit *test)
{
	static const struct {
		const char *what;
		size_t offset;
		u16 value;
		u8 code;
	} bad[] = {
		{ "message type 51", 0, 0x0051, 0x20 },
		{ "length in the header", 2, MEX_LENGTH - 1, 0x80 },
		{ "reserved byte", 6, 0x0001, 0x24 },
		{ "reserved byte of the key block", 14, 0x0100, 0x24 },
		{ "format 0", 8, 0x0000, 0x29 },
		{ "format 4", 8, 0x0004, 0x29 },
		{ "format 10", 8, 0x0010, 0x29 },
		{ "format 21", 8, 0x0021, 0x29 },
		{ "format of a larger key", 8, 0x0002, 0x80 },
		{ "format of the other kind", 8, 0x0011, 0x80 },
	};
	int n;

	for (n = 0; n < ARRAY_SIZE(bad); n++) {
		start_rsa(test);
		make_mex(17, 3233, 65);
		put16(bad[n].offset, bad[n].value);
		send(1, MEX_LENGTH);
		expect_refused(test, bad[n].code, bad[n].what);
	}
	send(1, 15);
	expect_refused(test, 0x80, "no room for a header");
	send(1, 0);
	expect_refused(test, 0x80, "nothing");
	make_mex(17, 3233, 65);
	send(1, MEX_LENGTH + 1);
	expect_refused(test, 0x80, "one byte too many");
}

static void rsa_refuses_bad_operands(struct kunit *test)
{
	static const struct {
		const char *what;
		u16 exponent, modulus, text;
		u8 code;
	} mex[] = {
		{ "even modulus", 17, 3234, 65, 0x85 },
		{ "no modulus", 17, 0, 65, 0x82 },
		{ "no exponent", 0, 3233, 65, 0x82 },
		{ "message as large as the modulus", 17, 3233, 3233, 0x82 },
	};
	static const struct {
		const char *what;
		u16 field[6];
		u8 code;
	} crt[] = {
		{ "even p", { 60, 53, 53, 49, 38, 65 }, 0x85 },
		{ "even q", { 61, 52, 53, 49, 38, 65 }, 0x85 },
		{ "no p", { 0, 53, 53, 49, 38, 65 }, 0x82 },
		{ "no q", { 61, 0, 53, 49, 38, 65 }, 0x82 },
		{ "no dp", { 61, 53, 0, 49, 38, 65 }, 0x82 },
		{ "no dq", { 61, 53, 53, 0, 38, 65 }, 0x82 },
		{ "no u", { 61, 53, 53, 49, 0, 65 }, 0x82 },
		{ "message as large as the modulus", { 61, 53, 53, 49, 38, 3233 }, 0x82 },
	};
	const u16 *field;
	int n;

	start_rsa(test);
	for (n = 0; n < ARRAY_SIZE(mex); n++) {
		make_mex(mex[n].exponent, mex[n].modulus, mex[n].text);
		send(1, MEX_LENGTH);
		expect_refused(test, mex[n].code, mex[n].what);
	}
	memset(request_text, 0, BUFFER);
	for (n = 0; n < ARRAY_SIZE(crt); n++) {
		field = crt[n].field;
		make_crt(field[0], field[1], field[2], field[3], field[4], field[5]);
		send(1, CRT_LENGTH);
		expect_refused(test, crt[n].code, crt[n].what);
	}
}

/* The largest key, so that the worker is still at it. */
static void make_long_mex(void)
{
	memset(request_text + 16, 0xff, 3 * 512);
	request_text[16 + 2 * 512] = 0;
	request_text[1] = 0x50;
	put16(2, 16 + 3 * 512);
	put16(8, 0x0003);
}

static void reset_drops_what_is_served(struct kunit *test)
{
	int n;

	start_rsa(test);
	for (n = 0; n < 8; n++) {
		make_long_mex();
		KUNIT_EXPECT_EQ(test, send(1, 16 + 3 * 512), 0);
		usleep_range(n * 120, n * 120 + 10);
		ask(APEMU_ZAPQ);
		KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), APEMU_STATUS_EMPTY);
		/* its place is taken by another one, whose reply is its own */
		memset(request_text, 0, BUFFER);
		make_mex(17, 3233, 65);
		send(2, MEX_LENGTH);
		expect_number(test, 2790);
		KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), APEMU_STATUS_EMPTY);
	}
}

static void served_requests_keep_their_order(struct kunit *test)
{
	start_rsa(test);
	make_long_mex();
	send(1, 16 + 3 * 512);
	memset(request_text, 0, BUFFER);
	make_mex(17, 3233, 65);
	send(2, MEX_LENGTH);
	KUNIT_EXPECT_EQ(test, receive_soon(BUFFER).psmid, 1);
	KUNIT_EXPECT_EQ(test, receive_soon(BUFFER).psmid, 2);
	/* held replies are made and not shown */
	command(test, "echo 3c.000e hold");
	send(3, MEX_LENGTH);
	msleep(50);
	KUNIT_EXPECT_EQ(test, ask(APEMU_TAPQ), 0);
	command(test, "echo 3c.000e release");
	expect_number(test, 2790);
}

/* A request for random numbers, as zcrypt makes it. */
static void make_random(u32 bytes)
{
	request_text[1] = 0x06;
	put16(18, 0x58);
	memcpy(request_text + 32, "CA", 2);
	memcpy(request_text + 52, "RL", 2);
	put16(74, 36);
	put16(88, 220);
	request_text[90] = 0x02;
	memcpy(request_text + 94, "T2", 2);
	put16(88 + 28, bytes >> 16);
	put16(88 + 30, bytes);
	memcpy(request_text + 308, "RL", 2);
	put16(310, 10);
	memcpy(request_text + 312, "RANDOM  ", 8);
	put16(320, 2);
	put16(322, 2);
}

static void random_numbers(struct kunit *test)
{
	const size_t data = 48 + 220, length = data + 4096;
	struct message reply;

	start_service(test, "card 60 add type=cex8 mode=cca service=random");
	make_random(4096);
	send(7, 324);
	reply = receive_soon(BUFFER);
	KUNIT_ASSERT_EQ(test, APEMU_STATUS_RC(reply.regs.gr1), 0);
	KUNIT_EXPECT_EQ(test, reply.psmid, 7);
	KUNIT_EXPECT_EQ(test, BUFFER - reply.length, length);
	KUNIT_EXPECT_EQ(test, reply_text[1], 0x86);
	KUNIT_EXPECT_EQ(test, reply_text[2], 0x02);
	KUNIT_EXPECT_EQ(test, reply_text[4], 0);
	KUNIT_EXPECT_EQ(test, *(u32 *)(reply_text + 24), 4096);
	KUNIT_EXPECT_EQ(test, *(u32 *)(reply_text + 28), data);
	KUNIT_EXPECT_EQ(test, reply_text[50], 0x02);
	/* not what lay there, and not the same twice */
	KUNIT_EXPECT_NE(test, memcmp(reply_text + data, reply_text + data + 2048, 2048), 0);
	request_text[312] = 'r';
	send(8, 324);
	expect_refused(test, 0x82, "another rule");
	make_random(4096);
	memcpy(request_text + 52, "PK", 2);
	send(8, 324);
	expect_refused(test, 0x20, "another function");
	make_random(100000);
	send(8, 324);
	expect_refused(test, 0x84, "more than a message holds");
	send(8, 307);
	expect_refused(test, 0x80, "half a CPRB");
}

static void services_belong_to_modes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, apemu_command("card 60 service=rsa"), -EINVAL);
	KUNIT_EXPECT_EQ(test, apemu_command("card 60 service=luck"), -EINVAL);
	KUNIT_EXPECT_EQ(test, apemu_command("card 59 service=echo"), -ENOENT);
	command(test, "card 60 service=random\ncard 60 service=echo");
	send(1, 16);
	KUNIT_EXPECT_EQ(test, receive(16).psmid, 1);
	command(test, "card 60 remove");
	KUNIT_EXPECT_EQ(test, apemu_command("card 60 add type=cex8 mode=accel service=random"),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, apemu_command("card 60 add type=cex8 mode=ep11 service=rsa"),
			-EINVAL);
	command(test, "card 60 add type=cex8 mode=accel\ncard 60 service=rsa");
}

static void bad_commands_are_refused(struct kunit *test)
{
	static const struct {
		const char *text;
		int rc;
	} commands[] = {
		{ "", 0 },
		{ "# remark\n\n  # and another\n", 0 },
		{ "card", -EINVAL },
		{ "cards 60 remove", -EINVAL },
		{ "card x add type=cex8", -EINVAL },
		{ "card 61 add", -EINVAL },
		{ "card 61 add type=cex2", -EINVAL },
		{ "card 61 add type=cex9", -EINVAL },
		{ "card 61 add type=cex80", -EINVAL },
		{ "card 61 add type=cex8 mode=rsa", -EINVAL },
		{ "card 61 add type=cex8 depth=0", -ERANGE },
		{ "card 61 add type=cex8 depth=17", -ERANGE },
		{ "card 61 add type=cex8 size=1", -EINVAL },
		{ "card 60 add type=cex8", -EINVAL },
		{ "card 256 add type=cex8", -ERANGE },
		{ "card 61 remove", -ENOENT },
		{ "card 256 remove", -ERANGE },
		{ "card 61 config off", -ENOENT },
		{ "card 60 config maybe", -EINVAL },
		{ "card 60 shiny on", -EINVAL },
		{ "card 60 remove now", -EINVAL },
		{ "domain 15 remove", -ENOENT },
		{ "domain 256 add", -ERANGE },
		{ "domain 15 increase", -EINVAL },
		{ "domain 15", -EINVAL },
		{ "control 15 remove", -ENOENT },
		{ "control 300 add", -ERANGE },
		{ "queue 3c.000f absent on", -ENOENT },
		{ "queue 3d.000e absent on", -ENOENT },
		{ "queue any absent on", -EINVAL },
		{ "queue 3c.000e absent", -EINVAL },
		{ "queue 3c000e absent on", -EINVAL },
		{ "queue 3c.zzzz absent on", -EINVAL },
		{ "queue 100.000e absent on", -ERANGE },
		{ "reset 3c.000f polls=1", -ENOENT },
		{ "reset 3c.000e polls", -EINVAL },
		{ "reset 3c.000e polls=x", -EINVAL },
		{ "reset 3c.000e sometimes", -EINVAL },
		{ "irqdelay 3c.000e ns=1", -EINVAL },
		{ "irqdelay 3c.000e polls=0x100000000", -ERANGE },
		{ "answer tapq 3c.000e", -EINVAL },
		{ "answer tapq 3c.000e skip=1", -EINVAL },
		{ "answer tapq 3c.000e rc=100", -ERANGE },
		{ "answer tapq 3c.000e rc=1 empty=2", -EINVAL },
		{ "answer tapq 3c.000e rc=1 bs=4", -ERANGE },
		{ "answer tapq 3c.000e rc=1 colour=1", -EINVAL },
		{ "answer tap 3c.000e rc=1", -EINVAL },
		{ "echo 3c.000e", -EINVAL },
		{ "echo 3c.000e shout", -EINVAL },
		{ "echo 3c.000f hold", -ENOENT },
		{ "interrupt", -EINVAL },
		{ "interrupt 3c.000f", -ENOENT },
		{ "qci", -EINVAL },
		{ "qci na=256", -ERANGE },
		{ "qci apxa=2", -EINVAL },
		{ "log", -EINVAL },
		{ "log loud", -EINVAL },
		{ "count", -EINVAL },
		{ "factory now", -EINVAL },
	};
	int n;

	for (n = 0; n < ARRAY_SIZE(commands); n++)
		KUNIT_EXPECT_EQ_MSG(test, apemu_command(commands[n].text),
				    commands[n].rc, "%s", commands[n].text);
	/* what stands behind a bad line is not executed, what stands before is */
	KUNIT_EXPECT_EQ(test, apemu_command("card 60 standby on\nbad\ncard 60 standby off"),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x03);
}

#define GUEST_1		0x10001UL	/* handles of protected guests */
#define GUEST_2		0x20002UL

/* PQAP of a protected guest that has all queues: response code, GR2 in and out */
static u8 guest_pqap(u64 handle, unsigned long gr0, unsigned long *gr2)
{
	unsigned long gprs[16] = { [0] = gr0 | QID, [2] = *gr2 };
	struct apemu_view view = { .apxa = true };
	struct apemu_insn insn = {
		.gprs = gprs,
		.view = &view,
		.opcode = APEMU_OPCODE_PQAP,
		.facilities = APEMU_FACILITY_APFT,
		.handle = handle,
	};

	memset(view.apm, 0xff, sizeof(view.apm));
	memset(view.aqm, 0xff, sizeof(view.aqm));
	if (apemu_execute(&insn) != APEMU_DONE)
		return 0xff;
	*gr2 = gprs[2];
	return APEMU_STATUS_RC(gprs[1]);
}

static u8 guest_rc(u64 handle, unsigned long gr0)
{
	unsigned long gr2 = 3;

	return guest_pqap(handle, gr0, &gr2);
}

static unsigned int guest_bs(u64 handle)
{
	unsigned long gr2 = 0;

	guest_pqap(handle, FC(APEMU_TAPQ) | APEMU_GR0_T, &gr2);
	return gr2 >> APEMU_HWINFO_BS_SHIFT & 3;
}

static void bind_makes_a_queue_one_guests(struct kunit *test)
{
	command(test, "card 60 remove\ncard 60 add type=cex8 mode=ep11");
	KUNIT_EXPECT_EQ(test, guest_bs(GUEST_1), 2);
	KUNIT_EXPECT_EQ(test, guest_rc(0, FC(APEMU_BAPQ)), 0xff);
	KUNIT_EXPECT_EQ(test, guest_rc(GUEST_1, FC(APEMU_AAPQ)), APEMU_RC_NOT_BOUND);
	KUNIT_EXPECT_EQ(test, guest_rc(GUEST_1, FC(APEMU_BAPQ)), APEMU_RC_NORMAL);
	KUNIT_EXPECT_EQ(test, guest_rc(GUEST_1, FC(APEMU_BAPQ)), APEMU_RC_BOUND);
	KUNIT_EXPECT_EQ(test, guest_rc(GUEST_2, FC(APEMU_BAPQ)), APEMU_RC_BOUND);
	KUNIT_EXPECT_EQ(test, guest_rc(GUEST_2, FC(APEMU_AAPQ)), APEMU_RC_BOUND);
	KUNIT_EXPECT_EQ(test, guest_bs(GUEST_1), 1);
	KUNIT_EXPECT_EQ(test, guest_bs(GUEST_2), 3);
	KUNIT_EXPECT_TRUE(test, apemu_bound(GUEST_1));
	KUNIT_EXPECT_FALSE(test, apemu_bound(GUEST_2));
}

static void bind_ends_with_a_reset_by_the_host(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, guest_rc(GUEST_1, FC(APEMU_BAPQ)), APEMU_RC_NORMAL);
	KUNIT_EXPECT_EQ(test, guest_rc(GUEST_1, FC(APEMU_ZAPQ)), APEMU_RC_NORMAL);
	KUNIT_EXPECT_TRUE(test, apemu_bound(GUEST_1));
	command(test, "reset 3c.000e polls=1");
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_ZAPQ), 0x00);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x02);
	KUNIT_EXPECT_TRUE(test, apemu_bound(GUEST_1));
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x00);
	KUNIT_EXPECT_FALSE(test, apemu_bound(GUEST_1));
	command(test, "reset 3c.000e polls=0");
	KUNIT_EXPECT_EQ(test, guest_rc(GUEST_2, FC(APEMU_BAPQ)), APEMU_RC_NORMAL);
	KUNIT_EXPECT_EQ(test, guest_rc(GUEST_2, FC(APEMU_ZAPQ) | APEMU_GR0_F),
			APEMU_RC_NORMAL);
	KUNIT_EXPECT_FALSE(test, apemu_bound(GUEST_2));
}

static void association_takes_polls_or_fails(struct kunit *test)
{
	command(test, "card 60 remove\ncard 60 add type=cex8 mode=ep11");
	command(test, "associate 3c.000e polls=1");
	KUNIT_EXPECT_EQ(test, guest_rc(GUEST_1, FC(APEMU_BAPQ)), APEMU_RC_NORMAL);
	KUNIT_EXPECT_EQ(test, guest_rc(GUEST_1, FC(APEMU_AAPQ)), APEMU_RC_NORMAL);
	KUNIT_EXPECT_EQ(test, guest_rc(GUEST_1, FC(APEMU_TAPQ)), APEMU_RC_ASSOCIATING);
	KUNIT_EXPECT_EQ(test, guest_rc(GUEST_1, FC(APEMU_TAPQ)), APEMU_RC_NORMAL);
	KUNIT_EXPECT_EQ(test, guest_bs(GUEST_1), 0);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_ZAPQ), 0x00);
	command(test, "associate 3c.000e fails");
	KUNIT_EXPECT_EQ(test, guest_rc(GUEST_1, FC(APEMU_BAPQ)), APEMU_RC_NORMAL);
	KUNIT_EXPECT_EQ(test, guest_rc(GUEST_1, FC(APEMU_AAPQ)), APEMU_RC_NORMAL);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x00);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), APEMU_RC_ASSOC_FAILED);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_ZAPQ), 0x00);
	KUNIT_EXPECT_EQ(test, ask_rc(APEMU_TAPQ), 0x00);
	command(test, "associate 3c.000e polls=0");
}

static int emulator_init(struct kunit *test)
{
	command(test, "card 60 add type=cex8 mode=cca depth=2\ndomain 14 add");
	return 0;
}

static void emulator_exit(struct kunit *test)
{
	char limits[32];

	apemu_command("answer clear\nlog on");
	apemu_command("card 60 standby off\ndomain 14 add\nreset 3c.000e polls=0");
	apemu_command("irqdelay 3c.000e polls=0\necho 3c.000e release");
	apemu_command("echo 3c.000e delay_ns=0\nqueue 3c.000e absent off");
	apemu_command("card 60 remove");
	apemu_command("domain 14 remove");
	apemu_command(original_apxa ? "qci apxa=1" : "qci apxa=0");
	snprintf(limits, sizeof(limits), "qci na=%u nd=%u", original_na,
		 original_nd);
	apemu_command(limits);
}

static int emulator_suite_init(struct kunit_suite *suite)
{
	struct apemu_qci info = {};

	/* below 2 GiB and physically contiguous is not needed: host addresses */
	request_text = kmalloc(BUFFER, GFP_KERNEL);
	reply_text = vmalloc(BUFFER);
	if (!request_text || !reply_text)
		return -ENOMEM;
	if (test_facility(12)) {
		qci(&info);
		original_apxa = info.flags & APEMU_QCI_APXA;
		original_na = info.na;
		original_nd = info.nd;
	}
	return register_die_notifier(&trap_watcher);
}

static void emulator_suite_exit(struct kunit_suite *suite)
{
	unregister_die_notifier(&trap_watcher);
	kfree(request_text);
	vfree(reply_text);
}

static struct kunit_case emulator_cases[] = {
	KUNIT_CASE(tapq_tells_status_and_type),
	KUNIT_CASE(bind_makes_a_queue_one_guests),
	KUNIT_CASE(bind_ends_with_a_reset_by_the_host),
	KUNIT_CASE(association_takes_polls_or_fails),
	KUNIT_CASE(tapq_of_what_is_not_there),
	KUNIT_CASE(cards_change_state),
	KUNIT_CASE(qci_tells_the_configuration),
	KUNIT_CASE(ids_without_apxa),
	KUNIT_CASE(specification_exceptions),
	KUNIT_CASE(functions_need_their_facility),
	KUNIT_CASE(qact_maps_to_the_own_type),
	KUNIT_CASE_PARAM(reset_at_once, reset_gen_params),
	KUNIT_CASE_PARAM(reset_in_polls, reset_gen_params),
	KUNIT_CASE_PARAM(reset_in_ns, reset_gen_params),
	KUNIT_CASE_PARAM(reset_that_never_completes, reset_gen_params),
	KUNIT_CASE_PARAM(reset_turns_interrupts_off, reset_gen_params),
	KUNIT_CASE(aqic_wants_an_address),
	KUNIT_CASE(aqic_twice),
	KUNIT_CASE(aqic_takes_its_time),
	KUNIT_CASE(losing_the_card_turns_interrupts_off),
	KUNIT_CASE(host_gets_an_interrupt),
	KUNIT_CASE(late_reply_interrupts),
	KUNIT_CASE(guest_gets_an_interrupt),
	KUNIT_CASE(scripts_answer),
	KUNIT_CASE(echo_returns_what_was_sent),
	KUNIT_CASE(echo_says_no),
	KUNIT_CASE(echo_holds),
	KUNIT_CASE(reply_in_parts),
	KUNIT_CASE(instructions_are_counted_and_logged),
	KUNIT_CASE(factory_forgets),
	KUNIT_CASE(bad_commands_are_refused),
	KUNIT_CASE(rsa_by_exponent),
	KUNIT_CASE(rsa_by_crt),
	KUNIT_CASE(rsa_refuses_bad_headers),
	KUNIT_CASE(rsa_refuses_bad_operands),
	KUNIT_CASE(reset_drops_what_is_served),
	KUNIT_CASE(served_requests_keep_their_order),
	KUNIT_CASE(random_numbers),
	KUNIT_CASE(services_belong_to_modes),
	{}
};

static struct kunit_suite emulator_suite = {
	.name = "apemu",
	.suite_init = emulator_suite_init,
	.suite_exit = emulator_suite_exit,
	.init = emulator_init,
	.exit = emulator_exit,
	.test_cases = emulator_cases,
};

kunit_test_suite(emulator_suite);

MODULE_DESCRIPTION("AP hardware emulator: conformance tests");
MODULE_LICENSE("GPL");
