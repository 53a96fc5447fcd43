// SPDX-License-Identifier: GPL-2.0-only
/*
 * The messages in a queue. The reply to a request has its psmid and comes after
 * the time that the control file asks for. The echo is the default: the reply is
 * the request's own text. A card with another service has the text written by a
 * worker, which takes a copy of the request and brings back a copy of the reply;
 * it finds out by the serial number if the request is gone meanwhile.
 *
 * The memory is one pool, allocated once: instructions execute where nothing
 * can be allocated.
 */
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/vmalloc.h>
#include "apemu_private.h"

static struct apemu_message *apemu_message_pool;
static u64 apemu_message_serial;

/**
 * apemu_message_init() - allocate the pool
 * @messages: how many there can be in all queues together
 *
 * Context: Process context, before any instruction is executed.
 * Return: 0 or -ENOMEM.
 */
int apemu_message_init(unsigned int messages)
{
	struct apemu_message *all;

	all = vzalloc(array_size(messages, sizeof(*all)));
	if (!all)
		return -ENOMEM;
	while (messages--) {
		all[messages].next = apemu_message_pool;
		apemu_message_pool = &all[messages];
	}
	return 0;
}

static struct apemu_message *apemu_message_at(const struct apemu_queue *queue,
					      unsigned int n)
{
	return queue->messages[(queue->head + n) % APEMU_DEPTH_MAX];
}

/**
 * apemu_message_ready() - count the replies that can be dequeued
 * @queue: the queue
 * @now: the time
 *
 * Replies leave in the order of the requests, so one that is not ready hides
 * those behind it.
 *
 * Context: Any; apemu_lock held.
 * Return: The number of replies.
 */
unsigned int apemu_message_ready(const struct apemu_queue *queue, u64 now)
{
	unsigned int n;

	lockdep_assert_held(&apemu_lock);
	for (n = 0; n < queue->count; n++)
		if (apemu_message_at(queue, n)->ready_at > now)
			break;
	return n;
}

/* Raise interrupts for new replies; be back for those that take longer. */
static void apemu_message_announce(struct apemu_queue *queue, u64 now)
{
	unsigned int ready = apemu_message_ready(queue, now), n;
	struct apemu_message *message;

	for (n = 0; n < ready; n++) {
		message = apemu_message_at(queue, n);
		if (message->announced)
			continue;
		message->announced = true;
		apemu_irq_raise(queue);
	}
	if (ready == queue->count)
		return;
	message = apemu_message_at(queue, ready);
	if (message->ready_at != U64_MAX)
		hrtimer_start(&queue->timer, ns_to_ktime(message->ready_at),
			      HRTIMER_MODE_ABS_HARD);
}

/**
 * apemu_message_timer() - the next reply of a queue is ready
 * @timer: in the queue
 *
 * Context: Hard interrupt. Takes apemu_lock.
 * Return: HRTIMER_NORESTART; if there is more to come it was started anew.
 */
enum hrtimer_restart apemu_message_timer(struct hrtimer *timer)
{
	struct apemu_queue *queue = container_of(timer, struct apemu_queue,
						 timer);
	unsigned long flags;

	raw_spin_lock_irqsave(&apemu_lock, flags);
	apemu_message_announce(queue, ktime_get_ns());
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return HRTIMER_NORESTART;
}

static void apemu_message_free(struct apemu_message *message)
{
	message->serial = 0;
	message->next = apemu_message_pool;
	apemu_message_pool = message;
}

static void apemu_message_set_ready(const struct apemu_queue *queue,
				    struct apemu_message *message)
{
	bool open = queue->hold || message->service != APEMU_SERVICE_ECHO;

	message->ready_at = open ? U64_MAX : message->due;
}

/**
 * apemu_message_enqueue() - NQAP
 * @insn: the instruction: psmid in the R1 pair, address and length in the R2
 *	  pair
 * @queue: the queue
 * @now: the time
 * @rc: the response code
 *
 * Context: Any; apemu_lock held.
 * Return: APEMU_DONE, or APEMU_FAULT when the request could not be read.
 */
enum apemu_outcome apemu_message_enqueue(struct apemu_insn *insn,
					 struct apemu_queue *queue, u64 now,
					 enum apemu_response *rc)
{
	unsigned long address = insn->gprs[insn->r2];
	unsigned long length = insn->gprs[insn->r2 + 1];
	struct apemu_message *message = apemu_message_pool;

	lockdep_assert_held(&apemu_lock);
	if (!(insn->gprs[0] & APEMU_GR0_L)) {
		*rc = APEMU_RC_NO_FIRST_PART;
		return APEMU_DONE;
	}
	if (length > APEMU_MESSAGE_MAX) {
		*rc = APEMU_RC_MESSAGE_TOO_BIG;
		return APEMU_DONE;
	}
	if (queue->count >= queue->card->depth || !message) {
		*rc = APEMU_RC_Q_FULL;
		return APEMU_DONE;
	}
	if (insn->memory->load(insn, message->text, address, length))
		return APEMU_FAULT;

	apemu_message_pool = message->next;
	message->psmid = insn->gprs[insn->r1] << 32 |
			 (u32)insn->gprs[insn->r1 + 1];
	message->serial = ++apemu_message_serial;
	message->service = queue->card->service;
	message->length = length;
	message->announced = false;
	message->due = now + queue->delay_ns;
	apemu_message_set_ready(queue, message);
	queue->messages[(queue->head + queue->count) % APEMU_DEPTH_MAX] =
		message;
	queue->count++;
	queue->card->tally.requests++;
	insn->gprs[insn->r2] = address + length;
	insn->gprs[insn->r2 + 1] = 0;
	apemu_message_announce(queue, now);
	if (message->service != APEMU_SERVICE_ECHO)
		apemu_service_start(queue);
	*rc = APEMU_RC_NORMAL;
	return APEMU_DONE;
}

/**
 * apemu_message_dequeue() - DQAP
 * @insn: the instruction: psmid to the R1 pair, buffer in the R2 pair, residual
 *	  length to GR2
 * @queue: the queue
 * @now: the time
 * @rc: the response code
 *
 * A reply that does not fit stays in the queue. GR0 then remembers, in its left
 * half, how much of it was delivered, GR2 says how much is left, and the CC is
 * 1.
 *
 * Context: Any; apemu_lock held.
 * Return: APEMU_DONE, or APEMU_FAULT when the reply could not be stored.
 */
enum apemu_outcome apemu_message_dequeue(struct apemu_insn *insn,
					 struct apemu_queue *queue, u64 now,
					 enum apemu_response *rc)
{
	unsigned long address = insn->gprs[insn->r2];
	unsigned long length = insn->gprs[insn->r2 + 1];
	unsigned long done = insn->gprs[0] >> 32, part;
	struct apemu_message *message;

	lockdep_assert_held(&apemu_lock);
	if (!apemu_message_ready(queue, now)) {
		*rc = APEMU_RC_NO_PENDING_REPLY;
		return APEMU_DONE;
	}
	message = apemu_message_at(queue, 0);
	done = min_t(unsigned long, done, message->length);
	part = min_t(unsigned long, length, message->length - done);
	if (insn->memory->store(insn, address, message->text + done, part))
		return APEMU_FAULT;

	insn->gprs[insn->r2] = address + part;
	insn->gprs[insn->r2 + 1] = length - part;
	done += part;
	insn->gprs[2] = message->length - done;
	if (done < message->length) {
		insn->gprs[0] = (u32)insn->gprs[0] | done << 32;
		insn->cc = 1;
		return APEMU_DONE;
	}
	insn->gprs[0] = (u32)insn->gprs[0];
	insn->gprs[insn->r1] = message->psmid >> 32;
	insn->gprs[insn->r1 + 1] = (u32)message->psmid;
	queue->head = (queue->head + 1) % APEMU_DEPTH_MAX;
	queue->count--;
	queue->card->tally.replies++;
	apemu_message_free(message);
	*rc = APEMU_RC_NORMAL;
	return APEMU_DONE;
}

/**
 * apemu_message_flush() - forget all messages of a queue
 * @queue: the queue
 *
 * Context: Any; apemu_lock held.
 */
void apemu_message_flush(struct apemu_queue *queue)
{
	lockdep_assert_held(&apemu_lock);
	if (!queue->count)
		return;
	queue->card->tally.dropped += queue->count;
	while (queue->count) {
		apemu_message_free(apemu_message_at(queue, 0));
		queue->head = (queue->head + 1) % APEMU_DEPTH_MAX;
		queue->count--;
	}
	/* a timer that runs already finds nothing to announce */
	hrtimer_try_to_cancel(&queue->timer);
}

/**
 * apemu_message_release() - answer what was held
 * @queue: the queue
 * @now: the time
 *
 * Context: Any; apemu_lock held.
 */
void apemu_message_release(struct apemu_queue *queue, u64 now)
{
	struct apemu_message *message;
	unsigned int n;

	lockdep_assert_held(&apemu_lock);
	for (n = 0; n < queue->count; n++) {
		message = apemu_message_at(queue, n);
		if (message->ready_at == U64_MAX &&
		    message->service == APEMU_SERVICE_ECHO)
			message->ready_at = now;
	}
	apemu_message_announce(queue, now);
}

/**
 * apemu_message_take() - give the oldest unanswered request to a worker
 * @queue: the queue
 * @job: filled in
 *
 * Context: Process context. Takes apemu_lock.
 * Return: false if there is none.
 */
bool apemu_message_take(struct apemu_queue *queue, struct apemu_job *job)
{
	struct apemu_message *message;
	unsigned long flags;
	bool found = false;
	unsigned int n;

	raw_spin_lock_irqsave(&apemu_lock, flags);
	for (n = 0; !found && n < queue->count; n++) {
		message = apemu_message_at(queue, n);
		if (message->service == APEMU_SERVICE_ECHO)
			continue;
		job->message = message;
		job->serial = message->serial;
		job->service = message->service;
		job->length = message->length;
		memcpy(job->text, message->text, message->length);
		found = true;
	}
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return found;
}

/**
 * apemu_message_answer() - what the worker brings back becomes the reply
 * @queue: the queue
 * @job: what apemu_message_take() gave, with the reply as text
 * @refused: the reply is an error
 *
 * A request that was dropped meanwhile stays dropped, also if another one lies
 * where it lay.
 *
 * Context: Process context. Takes apemu_lock.
 */
void apemu_message_answer(struct apemu_queue *queue, const struct apemu_job *job,
			  bool refused)
{
	struct apemu_message *message = job->message;
	unsigned long flags;

	raw_spin_lock_irqsave(&apemu_lock, flags);
	if (message->serial == job->serial) {
		memcpy(message->text, job->text, job->length);
		message->length = job->length;
		message->service = APEMU_SERVICE_ECHO;
		queue->card->tally.errors += refused;
		apemu_message_set_ready(queue, message);
		apemu_message_announce(queue, ktime_get_ns());
	}
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
}
