// SPDX-License-Identifier: GPL-2.0-only
/*
 * One AP queue: its status word, its reset and its interrupt control.
 *
 * A reset is announced by RAPQ or ZAPQ and *happens* when it completes: only
 * then the messages are gone and the IR bit is off. Until then the adapter may
 * still write to the notification byte. That is the least a driver may rely on.
 */
#include <linux/ktime.h>
#include "apemu_private.h"

/**
 * apemu_queue_init() - give a new queue the defaults of the model
 * @queue: zeroed memory
 * @card: the adapter
 * @qid: the APQN
 *
 * Context: Process context; the queue is not yet visible.
 */
void apemu_queue_init(struct apemu_queue *queue, struct apemu_card *card,
		      unsigned int qid)
{
	queue->card = card;
	queue->qid = qid;
	queue->pace = apemu_model.pace;
	queue->irq_delay = apemu_model.irq_delay;
	queue->hold = apemu_model.hold;
	queue->delay_ns = apemu_model.delay_ns;
#ifdef APEMU_HRTIMER_SETUP
	hrtimer_setup(&queue->timer, apemu_message_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_HARD);
#else
	hrtimer_init(&queue->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	queue->timer.function = apemu_message_timer;
#endif
	apemu_service_init_queue(queue);
}

/**
 * apemu_queue_reachable() - can an instruction get at the queue
 * @queue: the queue
 *
 * Context: Any; apemu_lock held.
 * Return: 00, or the response code that says why not (01, 03, 04).
 */
enum apemu_response apemu_queue_reachable(const struct apemu_queue *queue)
{
	const struct apemu_card *card = queue->card;
	unsigned int domain = queue->qid & 0xff;

	lockdep_assert_held(&apemu_lock);
	if (!card->present || queue->absent ||
	    !apemu_mask_test(apemu_model.aqm, domain) ||
	    queue->qid >> 8 > apemu_model_max_adapter() ||
	    domain > apemu_model_max_domain())
		return APEMU_RC_NOT_AVAILABLE;
	if (!card->config || card->standby)
		return APEMU_RC_DECONFIGURED;
	if (card->checkstop)
		return APEMU_RC_CHECKSTOPPED;
	return APEMU_RC_NORMAL;
}

/**
 * apemu_queue_status() - the status word without a response code
 * @queue: the queue
 * @now: the time, for replies that take time
 *
 * Context: Any; apemu_lock held.
 * Return: APEMU_STATUS_* bits.
 */
u32 apemu_queue_status(const struct apemu_queue *queue, u64 now)
{
	u32 status = 0;

	lockdep_assert_held(&apemu_lock);
	if (!queue->count)
		status |= APEMU_STATUS_EMPTY;
	if (apemu_message_ready(queue, now))
		status |= APEMU_STATUS_REPLIES;
	if (queue->count >= queue->card->depth)
		status |= APEMU_STATUS_FULL;
	if (queue->ir)
		status |= APEMU_STATUS_IR;
	return status;
}

/**
 * apemu_queue_hwinfo() - what TAPQ says about the adapter in GR2
 * @queue: the queue
 *
 * Context: Any; apemu_lock held.
 * Return: GR2 with the facility bits.
 */
u64 apemu_queue_hwinfo(const struct apemu_queue *queue)
{
	static const u64 modes[] = {
		[APEMU_MODE_ACCEL] = APEMU_HWINFO_ACCEL,
		[APEMU_MODE_CCA] = APEMU_HWINFO_CCA,
		[APEMU_MODE_EP11] = APEMU_HWINFO_EP11,
	};
	const struct apemu_card *card = queue->card;
	/* CEX4..CEX8 are types 10..14; a CEX3 is 8 as accelerator, 9 with CCA */
	u64 at = card->type + 6;

	if (card->type == 3 && card->mode == APEMU_MODE_ACCEL)
		at = 8;
	return APEMU_HWINFO_APSC | APEMU_HWINFO_MEX4K | APEMU_HWINFO_CRT4K |
	       modes[card->mode] | (apemu_model.apxa ? APEMU_HWINFO_APXA : 0) |
	       at << APEMU_HWINFO_AT_SHIFT |
	       (u64)apemu_model.nd << APEMU_HWINFO_ND_SHIFT |
	       (u64)APEMU_MESSAGE_CHUNKS << APEMU_HWINFO_ML_SHIFT |
	       (card->depth - 1);
}

static void apemu_queue_ir_off(struct apemu_queue *queue)
{
	queue->ir = false;
	queue->ir_wanted = false;
	queue->irq_polls = 0;
	queue->nib = 0;
	queue->gisa = 0;
	queue->gisc = 0;
	queue->isc = 0;
}

static void apemu_queue_reset_done(struct apemu_queue *queue)
{
	queue->resetting = false;
	apemu_message_flush(queue);
	apemu_queue_ir_off(queue);
	apemu_log_event("reset-done", queue->qid);
	apemu_bind_reset(queue, queue->unbind);
}

/**
 * apemu_queue_settle() - let happen what time alone makes happen
 * @queue: the queue
 * @now: the time
 *
 * Context: Any; apemu_lock held.
 */
void apemu_queue_settle(struct apemu_queue *queue, u64 now)
{
	lockdep_assert_held(&apemu_lock);
	if (queue->resetting && queue->pace.kind == APEMU_PACE_NS &&
	    now >= queue->reset_end)
		apemu_queue_reset_done(queue);
}

/**
 * apemu_queue_poll() - count a TAPQ for everything that is measured in TAPQs
 * @queue: the queue
 *
 * Context: Any; apemu_lock held.
 */
void apemu_queue_poll(struct apemu_queue *queue)
{
	lockdep_assert_held(&apemu_lock);
	if (queue->resetting) {
		if (queue->pace.kind != APEMU_PACE_POLLS)
			return;
		if (queue->reset_polls)
			queue->reset_polls--;
		else
			apemu_queue_reset_done(queue);
		return;
	}
	if (queue->ir == queue->ir_wanted)
		return;
	if (queue->irq_polls) {
		queue->irq_polls--;
		return;
	}
	if (queue->ir_wanted)
		queue->ir = true;
	else
		apemu_queue_ir_off(queue);
}

static void apemu_queue_reset_start(struct apemu_queue *queue, u64 now)
{
	queue->resetting = true;
	queue->reset_polls = queue->pace.n;
	queue->reset_end = now + queue->pace.n;
	if (queue->pace.kind != APEMU_PACE_NEVER && !queue->pace.n)
		apemu_queue_reset_done(queue);
}

/**
 * apemu_queue_reset() - RAPQ, ZAPQ
 * @queue: the queue
 * @unbind: it will be nobody's
 * @now: the time
 *
 * Context: Any; apemu_lock held.
 */
void apemu_queue_reset(struct apemu_queue *queue, bool unbind, u64 now)
{
	lockdep_assert_held(&apemu_lock);
	queue->unbind = unbind;
	apemu_queue_reset_start(queue, now);
}

/**
 * apemu_queue_set_pace() - how long resets take from now on
 * @queue: the queue
 * @pace: the new pace; a reset in progress starts again at it
 * @now: the time
 *
 * Context: Any; apemu_lock held.
 */
void apemu_queue_set_pace(struct apemu_queue *queue, struct apemu_pace pace,
			  u64 now)
{
	lockdep_assert_held(&apemu_lock);
	queue->pace = pace;
	if (queue->resetting)
		apemu_queue_reset_start(queue, now);
}

/**
 * apemu_queue_forget() - the adapter lost its state
 * @queue: the queue
 *
 * For adapters that are removed, deconfigured or checkstopped: they neither
 * remember messages nor may they write to memory any more.
 *
 * Context: Any; apemu_lock held.
 */
void apemu_queue_forget(struct apemu_queue *queue)
{
	lockdep_assert_held(&apemu_lock);
	queue->resetting = false;
	apemu_message_flush(queue);
	apemu_queue_ir_off(queue);
	apemu_bind_reset(queue, true);
}

static enum apemu_response apemu_queue_change_ir(struct apemu_queue *queue,
						 bool on)
{
	/* already so, or on its way there */
	if (queue->ir_wanted == on)
		return APEMU_RC_OTHERWISE_CHANGED;
	/* still busy with the opposite */
	if (queue->ir != queue->ir_wanted)
		return APEMU_RC_BUSY;
	return APEMU_RC_NORMAL;
}

/**
 * apemu_queue_enable() - AQIC with the IR bit on
 * @queue: the queue
 * @nib: absolute address of the notification indicator byte
 * @gisa: absolute address of the GISA, or 0
 * @gisc: guest ISC
 * @isc: host ISC
 *
 * Context: Any; apemu_lock held.
 * Return: The response code.
 */
enum apemu_response apemu_queue_enable(struct apemu_queue *queue, u64 nib,
				       u32 gisa, u8 gisc, u8 isc)
{
	enum apemu_response rc;

	lockdep_assert_held(&apemu_lock);
	if (!apemu_irq_address_valid(nib))
		return APEMU_RC_INVALID_ADDRESS;
	if (gisa && (!apemu_gib_origin() || !apemu_irq_address_valid(gisa)))
		return APEMU_RC_INVALID_GISA;
	rc = apemu_queue_change_ir(queue, true);
	if (rc != APEMU_RC_NORMAL)
		return rc;
	queue->nib = nib;
	queue->gisa = gisa;
	queue->gisc = gisc;
	queue->isc = isc;
	queue->ir_wanted = true;
	queue->irq_polls = queue->irq_delay;
	if (!queue->irq_polls)
		queue->ir = true;
	return APEMU_RC_NORMAL;
}

/**
 * apemu_queue_disable() - AQIC with the IR bit off
 * @queue: the queue
 *
 * Context: Any; apemu_lock held.
 * Return: The response code.
 */
enum apemu_response apemu_queue_disable(struct apemu_queue *queue)
{
	enum apemu_response rc;

	lockdep_assert_held(&apemu_lock);
	rc = apemu_queue_change_ir(queue, false);
	if (rc != APEMU_RC_NORMAL)
		return rc;
	queue->ir_wanted = false;
	queue->irq_polls = queue->irq_delay;
	if (!queue->irq_polls)
		apemu_queue_ir_off(queue);
	return APEMU_RC_NORMAL;
}
