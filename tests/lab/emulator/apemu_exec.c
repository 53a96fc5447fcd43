// SPDX-License-Identifier: GPL-2.0-only
/*
 * What each AP instruction does. One entrance for the host (apemu_trap.c) and
 * for guests (apsie.ko): apemu_execute().
 *
 * The order of the checks is: program interruptions first, then the guest's
 * view, then scripted answers, then the state of the adapter. So a script can
 * never give a guest a queue that is not in its masks.
 */
#include <linux/export.h>
#include <linux/kprobes.h>
#include <linux/ktime.h>
#include <linux/string.h>
#include "apemu_private.h"

DEFINE_RAW_SPINLOCK(apemu_lock);

static enum apemu_outcome apemu_program(struct apemu_insn *insn, u16 code)
{
	insn->pgm = code;
	return APEMU_PROGRAM;
}

/* Every queue function ends here: GR1 gets the status word, CC follows. */
static enum apemu_outcome apemu_finish(struct apemu_insn *insn, u32 status,
				       enum apemu_response rc)
{
	insn->gprs[1] = status | (u32)rc << APEMU_STATUS_RC_SHIFT;
	insn->cc = rc == APEMU_RC_NORMAL ? 0 : 3;
	return APEMU_DONE;
}

static enum apemu_function apemu_decode(const struct apemu_insn *insn)
{
	unsigned int fc = APEMU_GR0_FC(insn->gprs[0]);

	if (insn->opcode == APEMU_OPCODE_NQAP)
		return APEMU_NQAP;
	if (insn->opcode == APEMU_OPCODE_DQAP)
		return APEMU_DQAP;
	return fc <= APEMU_AAPQ ? fc : APEMU_UNKNOWN;
}

/*
 * Specification exceptions: as KVM checks them for a guest's AQIC
 * (handle_pqap), applied to all functions; bit 41 is the F bit where there is
 * one.
 */
static bool apemu_specification(const struct apemu_insn *insn,
				enum apemu_function function)
{
	bool apxa = insn->view ? insn->view->apxa : apemu_model.apxa;
	unsigned long gr0 = insn->gprs[0], reserved = APEMU_GR0_RESERVED;

	if (function == APEMU_NQAP || function == APEMU_DQAP) {
		/* both operands are register pairs */
		if ((insn->r1 | insn->r2) & 1)
			return true;
		return !apxa && (gr0 & APEMU_GR0_BEYOND_APXA);
	}
	if (function == APEMU_RAPQ || function == APEMU_ZAPQ ||
	    function == APEMU_QACT)
		reserved &= ~APEMU_GR0_F;
	if (function == APEMU_UNKNOWN || (gr0 & reserved))
		return true;
	if ((gr0 & APEMU_GR0_T) && !(insn->facilities & APEMU_FACILITY_APFT))
		return true;
	switch (function) {
	case APEMU_QCI:
		return !(insn->facilities & APEMU_FACILITY_QCI) ||
		       (insn->gprs[2] & 7);
	case APEMU_QACT:
		/* announced by a flag of QCI, so there is none without QCI */
		if (!(insn->facilities & APEMU_FACILITY_QCI))
			return true;
		break;
	case APEMU_AQIC:
		if (!(insn->facilities & APEMU_FACILITY_AQIC))
			return true;
		break;
	default:
		break;
	}
	return !apxa && (gr0 & APEMU_GR0_BEYOND_APXA);
}

static enum apemu_outcome apemu_exec_qci(struct apemu_insn *insn)
{
	const struct apemu_view *view = insn->view;
	unsigned int adapters = apemu_model_max_adapter();
	unsigned int domains = apemu_model_max_domain();
	bool apxa = apemu_model.apxa && (!view || view->apxa);
	struct apemu_qci qci = {
		.flags = APEMU_QCI_APSC | APEMU_QCI_QACT,
		.na = apemu_model.na,
		.nd = apemu_model.nd,
	};
	unsigned int i;

	if (insn->handle)
		qci.flags |= APEMU_QCI_BIND;
	if (apxa) {
		qci.flags |= APEMU_QCI_APXA;
	} else {
		adapters = min(adapters, 63U);
		domains = min(domains, 15U);
	}
	for (i = 0; i < APEMU_MASK_WORDS; i++) {
		qci.apm[i] = apemu_model.apm[i];
		qci.aqm[i] = apemu_model.aqm[i];
		qci.adm[i] = apemu_model.adm[i];
		if (view) {
			qci.apm[i] &= view->apm[i];
			qci.aqm[i] &= view->aqm[i];
			qci.adm[i] &= view->adm[i];
		}
	}
	/* ids above the maximum do not exist, whatever was configured */
	for (i = adapters + 1; i < APEMU_IDS && adapters < 255; i++)
		apemu_mask_assign(qci.apm, i, false);
	for (i = domains + 1; i < APEMU_IDS && domains < 255; i++) {
		apemu_mask_assign(qci.aqm, i, false);
		apemu_mask_assign(qci.adm, i, false);
	}
	if (insn->memory->store(insn, insn->gprs[2], &qci, sizeof(qci)))
		return APEMU_FAULT;
	insn->cc = 0;
	return APEMU_DONE;
}

static void apemu_tell_hwinfo(struct apemu_insn *insn,
			      const struct apemu_queue *queue, u8 bs)
{
	u64 info = apemu_queue_hwinfo(queue) |
		   (u64)bs << APEMU_HWINFO_BS_SHIFT;

	if (!(insn->gprs[0] & APEMU_GR0_T))
		info &= ~APEMU_HWINFO_FAC;
	insn->gprs[2] = info;
}

static enum apemu_outcome apemu_exec_tapq(struct apemu_insn *insn,
					  struct apemu_queue *queue, u64 now)
{
	enum apemu_response rc = APEMU_RC_NORMAL;

	apemu_queue_poll(queue);
	apemu_bind_poll(queue);
	if (queue->resetting)
		rc = APEMU_RC_RESET_IN_PROGRESS;
	else if (queue->associate == APEMU_ASSOCIATING && insn->handle)
		rc = APEMU_RC_ASSOCIATING;
	apemu_tell_hwinfo(insn, queue, apemu_bind_state(queue, insn->handle));
	return apemu_finish(insn, apemu_queue_status(queue, now), rc);
}

static enum apemu_outcome apemu_exec_qact(struct apemu_insn *insn,
					  const struct apemu_queue *queue,
					  u64 now)
{
	u64 at = apemu_queue_hwinfo(queue) >> APEMU_HWINFO_AT_SHIFT & 0xff;
	u64 cat = insn->gprs[1] >> 24 & 0xff;

	/* compatible with what was asked for, but never newer than we are */
	insn->gprs[2] = (insn->gprs[1] & ~0xff000000UL) | min(at, cat) << 24;
	return apemu_finish(insn, apemu_queue_status(queue, now),
			    APEMU_RC_NORMAL);
}

static enum apemu_outcome apemu_exec_refused(struct apemu_insn *insn,
					     enum apemu_function function,
					     const struct apemu_queue *queue,
					     enum apemu_response rc, u64 now)
{
	u32 status = apemu_queue_status(queue, now);

	if (rc == APEMU_RC_ASSOC_FAILED)
		status |= APEMU_STATUS_ASYNC;
	if (function == APEMU_TAPQ)
		apemu_tell_hwinfo(insn, queue, apemu_bind_state(queue, insn->handle));
	return apemu_finish(insn, status, rc);
}

static enum apemu_outcome apemu_exec_queue(struct apemu_insn *insn,
					   enum apemu_function function,
					   struct apemu_queue *queue, u64 now)
{
	enum apemu_response rc = APEMU_RC_NORMAL;
	enum apemu_outcome outcome = APEMU_DONE;
	unsigned long gr1 = insn->gprs[1];

	if (queue->resetting && function != APEMU_TAPQ)
		return apemu_finish(insn, apemu_queue_status(queue, now),
				    APEMU_RC_RESET_IN_PROGRESS);
	rc = apemu_bind_refuses(queue, function, insn->handle);
	if (rc != APEMU_RC_NORMAL)
		return apemu_exec_refused(insn, function, queue, rc, now);
	switch (function) {
	case APEMU_TAPQ:
		return apemu_exec_tapq(insn, queue, now);
	case APEMU_RAPQ:
	case APEMU_ZAPQ:
		/* What a host resets is nobody's; a guest says so with F. */
		apemu_queue_reset(queue, !insn->handle || insn->gprs[0] & APEMU_GR0_F, now);
		break;
	case APEMU_AQIC:
		if (gr1 & APEMU_AQIC_IR)
			rc = apemu_queue_enable(queue, insn->gprs[2],
						APEMU_AQIC_GISA(gr1),
						APEMU_AQIC_GISC(gr1),
						APEMU_AQIC_ISC(gr1));
		else
			rc = apemu_queue_disable(queue);
		break;
	case APEMU_QACT:
		return apemu_exec_qact(insn, queue, now);
	case APEMU_BAPQ:
		rc = apemu_bind(queue, insn->handle);
		break;
	case APEMU_AAPQ:
		rc = apemu_bind_associate(queue, insn->gprs[2]);
		break;
	case APEMU_NQAP:
		outcome = apemu_message_enqueue(insn, queue, now, &rc);
		break;
	case APEMU_DQAP:
		outcome = apemu_message_dequeue(insn, queue, now, &rc);
		/* a part was delivered: no status, CC 1, asked again */
		if (outcome == APEMU_DONE && insn->cc == 1)
			return outcome;
		break;
	default:
		return apemu_program(insn, APEMU_PGM_SPECIFICATION);
	}
	if (outcome != APEMU_DONE)
		return outcome;
	return apemu_finish(insn, apemu_queue_status(queue, now), rc);
}

static enum apemu_outcome apemu_exec_script(struct apemu_insn *insn,
					    enum apemu_function function,
					    const struct apemu_queue *queue,
					    const struct apemu_script *script,
					    u64 now)
{
	static const u32 bits[] = {
		APEMU_STATUS_EMPTY, APEMU_STATUS_REPLIES, APEMU_STATUS_FULL,
		APEMU_STATUS_ASYNC, APEMU_STATUS_IR,
	};
	u32 status = 0;
	int i;

	/* QCI has no status word; all it can do is not to exist */
	if (function == APEMU_QCI)
		return apemu_program(insn, APEMU_PGM_SPECIFICATION);
	if (queue && apemu_queue_reachable(queue) != APEMU_RC_NOT_AVAILABLE) {
		status = apemu_queue_status(queue, now);
		if (function == APEMU_TAPQ)
			apemu_tell_hwinfo(insn, queue, script->bs);
	}
	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		if (!(script->given & BIT(i)))
			continue;
		if (script->value & BIT(i))
			status |= bits[i];
		else
			status &= ~bits[i];
	}
	return apemu_finish(insn, status, script->rc);
}

static enum apemu_outcome apemu_exec(struct apemu_insn *insn,
				     enum apemu_function function, u64 now)
{
	unsigned int qid = APEMU_GR0_QID(insn->gprs[0]);
	const struct apemu_view *view = insn->view;
	struct apemu_script script;
	struct apemu_queue *queue;
	enum apemu_response rc;

	if (apemu_specification(insn, function))
		return apemu_program(insn, APEMU_PGM_SPECIFICATION);
	if (view && function != APEMU_QCI &&
	    !(apemu_mask_test(view->apm, qid >> 8) &&
	      apemu_mask_test(view->aqm, qid & 0xff)))
		return apemu_finish(insn, 0, APEMU_RC_NOT_AVAILABLE);

	queue = function == APEMU_QCI ? NULL : apemu_model_queue(qid);
	if (queue)
		apemu_queue_settle(queue, now);
	if (apemu_script_match(function, qid, &script))
		return apemu_exec_script(insn, function, queue, &script, now);
	if (function == APEMU_QCI)
		return apemu_exec_qci(insn);
	/* outside secure execution there is nothing to bind or associate */
	if (!insn->handle && (function == APEMU_BAPQ || function == APEMU_AAPQ))
		return apemu_program(insn, APEMU_PGM_SPECIFICATION);

	rc = queue ? apemu_queue_reachable(queue) : APEMU_RC_NOT_AVAILABLE;
	if (rc == APEMU_RC_NOT_AVAILABLE)
		return apemu_finish(insn, 0, rc);
	if (rc != APEMU_RC_NORMAL) {
		if (function == APEMU_TAPQ)
			apemu_tell_hwinfo(insn, queue, 0);
		return apemu_finish(insn, apemu_queue_status(queue, now), rc);
	}
	return apemu_exec_queue(insn, function, queue, now);
}

/**
 * apemu_execute() - execute one AP instruction
 * @insn: the instruction; its registers are updated
 *
 * The instruction happens completely or, for APEMU_PROGRAM and APEMU_FAULT, not
 * at all, and may then be executed again.
 *
 * Context: Any, including program-check context with interrupts off. Takes
 *	    apemu_lock.
 * Return: What the caller has to do about the instruction.
 */
enum apemu_outcome apemu_execute(struct apemu_insn *insn)
{
	enum apemu_function function = apemu_decode(insn);
	struct apemu_log_entry *entry;
	enum apemu_outcome outcome;
	unsigned long flags;
	u64 now;

	insn->cc = 0;
	insn->pgm = 0;
	raw_spin_lock_irqsave(&apemu_lock, flags);
	now = ktime_get_ns();
	entry = apemu_log_begin(insn, function, now);
	outcome = apemu_exec(insn, function, now);
	apemu_log_end(entry, insn, function, outcome);
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return outcome;
}
EXPORT_SYMBOL_GPL(apemu_execute);
NOKPROBE_SYMBOL(apemu_execute);
