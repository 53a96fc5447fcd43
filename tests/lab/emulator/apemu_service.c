// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an adapter does with requests that it understands. Cryptography takes
 * milliseconds and memory, and an instruction is executed where neither can be
 * had. So NQAP only starts a worker: one for each queue, which answers request by
 * request, as replies leave in the order of the requests.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "apemu_private.h"

/* The header of every message: its second byte tells the type. */
#define APEMU_SERVICE_HEADER	8
#define APEMU_SERVICE_TYPE	1
#define APEMU_SERVICE_CODE	4
#define APEMU_TYPE_ERROR	0x82

static struct workqueue_struct *apemu_service_workers;

/**
 * apemu_service_fits() - can a card have this service
 * @service: the service
 * @mode: of the card
 *
 * Context: Any.
 * Return: true if it can.
 */
bool apemu_service_fits(enum apemu_service service, enum apemu_mode mode)
{
	switch (service) {
	case APEMU_SERVICE_RSA:
		return mode == APEMU_MODE_ACCEL;
	case APEMU_SERVICE_RANDOM:
		return mode == APEMU_MODE_CCA;
	default:
		return true;
	}
}

/**
 * apemu_service_refuse() - make an error reply
 * @text: where to
 * @code: why, APEMU_REFUSED_*
 *
 * Context: Any.
 * Return: The length of the reply.
 */
u32 apemu_service_refuse(u8 *text, u8 code)
{
	memset(text, 0, APEMU_SERVICE_HEADER);
	text[APEMU_SERVICE_TYPE] = APEMU_TYPE_ERROR;
	text[APEMU_SERVICE_CODE] = code;
	return APEMU_SERVICE_HEADER;
}

static void apemu_service_do(struct apemu_job *job)
{
	u32 length = job->length;

	/* a short request must not show what an earlier one left behind it */
	memset(job->text + length, 0, sizeof(job->text) - length);
	if (job->service == APEMU_SERVICE_RSA)
		job->length = apemu_rsa_serve(job->text, length);
	else
		job->length = apemu_random_serve(job->text, length);
}

static void apemu_service_work(struct work_struct *work)
{
	struct apemu_queue *queue = container_of(work, struct apemu_queue, work);
	struct apemu_job *job;

	/* an adapter has its own memory; only then can it answer at all */
	job = kvmalloc(sizeof(*job), GFP_KERNEL | __GFP_NOFAIL);
	while (apemu_message_take(queue, job)) {
		apemu_service_do(job);
		apemu_message_answer(queue, job,
				     job->text[APEMU_SERVICE_TYPE] ==
				     APEMU_TYPE_ERROR);
		cond_resched();
	}
	kvfree(job);
}

static void apemu_service_kick(struct irq_work *kick)
{
	struct apemu_queue *queue = container_of(kick, struct apemu_queue, kick);

	queue_work(apemu_service_workers, &queue->work);
}

/**
 * apemu_service_init() - make the workers
 *
 * Context: Process context, before there are queues.
 * Return: 0 or -ENOMEM.
 */
int apemu_service_init(void)
{
	apemu_service_workers = alloc_workqueue("apemu", WQ_UNBOUND, 0);
	return apemu_service_workers ? 0 : -ENOMEM;
}

/**
 * apemu_service_init_queue() - a queue and its worker
 * @queue: not yet visible
 *
 * Context: Process context.
 */
void apemu_service_init_queue(struct apemu_queue *queue)
{
	init_irq_work(&queue->kick, apemu_service_kick);
	INIT_WORK(&queue->work, apemu_service_work);
}

/**
 * apemu_service_start() - a request waits for its worker
 * @queue: the queue
 *
 * Context: Any; apemu_lock held. No lock of a workqueue may be taken below it,
 *	    hence the detour through an interrupt.
 */
void apemu_service_start(struct apemu_queue *queue)
{
	lockdep_assert_held(&apemu_lock);
	irq_work_queue(&queue->kick);
}
