// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues and protected guests: bind, associate, and what a queue refuses because of that.
 *
 * What hardware does with a bound queue is known from a few public commit messages only. README.md
 * says which parts of this are assumed.
 */
#include <linux/export.h>
#include <linux/ktime.h>
#include "apemu_private.h"

/* What TAPQ tells a protected guest in the bits BS */
#define APEMU_BS_USABLE		0
#define APEMU_BS_NO_SECRET	1
#define APEMU_BS_UNBOUND	2
#define APEMU_BS_FOREIGN	3

/* Secrets that a guest has */
#define APEMU_SECRETS		16

/**
 * apemu_bind_state() - the BS bits of TAPQ
 * @queue: the queue
 * @handle: the configuration that asks, 0 if that is not a protected guest
 *
 * Context: Any; apemu_lock held.
 * Return: APEMU_BS_*.
 */
u8 apemu_bind_state(const struct apemu_queue *queue, u64 handle)
{
	lockdep_assert_held(&apemu_lock);
	if (!handle)
		return 0;
	if (!queue->bound)
		return APEMU_BS_UNBOUND;
	if (queue->bound != handle)
		return APEMU_BS_FOREIGN;
	if (queue->card->mode == APEMU_MODE_EP11 && queue->associate != APEMU_ASSOCIATED)
		return APEMU_BS_NO_SECRET;
	return APEMU_BS_USABLE;
}

/**
 * apemu_bind_poll() - count a TAPQ for an association
 * @queue: the queue
 *
 * Context: Any; apemu_lock held.
 */
void apemu_bind_poll(struct apemu_queue *queue)
{
	lockdep_assert_held(&apemu_lock);
	if (queue->associate != APEMU_ASSOCIATING)
		return;
	if (queue->associate_polls)
		queue->associate_polls--;
	else
		queue->associate = queue->associate_fails ? APEMU_ASSOCIATE_FAILED :
							    APEMU_ASSOCIATED;
}

/**
 * apemu_bind_refuses() - does the queue refuse a function because of who it belongs to?
 * @queue: the queue
 * @function: the function
 * @handle: the configuration that asks, 0 if that is not a protected guest
 *
 * Context: Any; apemu_lock held.
 * Return: The response code, 00 if it does not.
 */
enum apemu_response apemu_bind_refuses(const struct apemu_queue *queue,
				       enum apemu_function function, u64 handle)
{
	lockdep_assert_held(&apemu_lock);
	if (function == APEMU_RAPQ || function == APEMU_ZAPQ)
		return APEMU_RC_NORMAL;
	if (queue->associate == APEMU_ASSOCIATE_FAILED)
		return APEMU_RC_ASSOC_FAILED;
	if (!handle)
		return APEMU_RC_NORMAL;
	if (function == APEMU_NQAP || function == APEMU_DQAP || function == APEMU_AAPQ) {
		if (!queue->bound)
			return APEMU_RC_NOT_BOUND;
		if (queue->bound != handle)
			return APEMU_RC_BOUND;
		if (queue->associate == APEMU_ASSOCIATING)
			return APEMU_RC_ASSOCIATING;
	}
	return APEMU_RC_NORMAL;
}

/**
 * apemu_bind() - BAPQ
 * @queue: the queue
 * @handle: the configuration that will own it
 *
 * Context: Any; apemu_lock held.
 * Return: The response code.
 */
enum apemu_response apemu_bind(struct apemu_queue *queue, u64 handle)
{
	lockdep_assert_held(&apemu_lock);
	if (queue->bound)
		return APEMU_RC_BOUND;
	if (queue->count)
		return APEMU_RC_NOT_EMPTY;
	queue->bound = handle;
	return APEMU_RC_NORMAL;
}

/**
 * apemu_bind_associate() - AAPQ
 * @queue: the queue, bound to who asks
 * @secret: index of the secret
 *
 * Context: Any; apemu_lock held.
 * Return: The response code.
 */
enum apemu_response apemu_bind_associate(struct apemu_queue *queue, u64 secret)
{
	lockdep_assert_held(&apemu_lock);
	if (queue->card->mode != APEMU_MODE_EP11)
		return APEMU_RC_NO_ASSOCIATION;
	if (secret >= APEMU_SECRETS)
		return APEMU_RC_NO_SECRET;
	if (queue->associate == APEMU_ASSOCIATED)
		return APEMU_RC_ASSOC_AGAIN;
	queue->associate = APEMU_ASSOCIATING;
	queue->associate_polls = queue->associate_delay;
	return APEMU_RC_NORMAL;
}

/**
 * apemu_bind_reset() - a reset is complete, or the adapter lost its state
 * @queue: the queue
 * @unbind: it is nobody's any more
 *
 * Context: Any; apemu_lock held.
 */
void apemu_bind_reset(struct apemu_queue *queue, bool unbind)
{
	lockdep_assert_held(&apemu_lock);
	if (queue->associate == APEMU_ASSOCIATE_FAILED || unbind)
		queue->associate = APEMU_NOT_ASSOCIATED;
	if (unbind && queue->bound) {
		queue->bound = 0;
		apemu_log_event("unbound", queue->qid);
	}
}

static bool apemu_bind_owns(const struct apemu_card *card, u64 handle, u64 now)
{
	unsigned int id;

	for (id = 0; card && id < APEMU_IDS; id++) {
		if (!card->queues[id] || card->queues[id]->bound != handle)
			continue;
		apemu_queue_settle(card->queues[id], now);
		if (card->queues[id]->bound == handle)
			return true;
	}
	return false;
}

/**
 * apemu_bound() - is a queue bound to a configuration?
 * @handle: its handle
 *
 * Context: Any; takes apemu_lock.
 * Return: true if there is one.
 */
bool apemu_bound(u64 handle)
{
	unsigned int id;
	bool bound = false;
	unsigned long flags;
	u64 now = ktime_get_mono_fast_ns();

	raw_spin_lock_irqsave(&apemu_lock, flags);
	for (id = 0; !bound && id < APEMU_IDS; id++)
		bound = apemu_bind_owns(apemu_model.cards[id], handle, now);
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return bound;
}
EXPORT_SYMBOL_GPL(apemu_bound);
