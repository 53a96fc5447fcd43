// SPDX-License-Identifier: GPL-2.0-only
/*
 * The poller: one work item that visits each due queue, takes its reset one step
 * further or checks that its interrupt is off, and then updates the guests of all
 * queues whose states changed. The steps are in vfio_ap_reset.c and vfio_ap_irq.c.
 */
#include <linux/ktime.h>
#include <linux/lockdep.h>

#include "vfio_ap_private.h"

/**
 * struct vfio_ap_turn - adapters whose queues are skipped in the current run
 * @resetting: adapters with a queue that did not complete its reset in this run
 * @down: adapters with a queue that was still OFFLINE in this run
 *
 * The queues of an adapter usually change their state together. If one queue did
 * not, the run skips the other waiting queues of that adapter.
 */
struct vfio_ap_turn {
	struct ap_mask resetting;
	struct ap_mask down;
};

/* Returns the adapters to skip for the queue's state; NULL: always visit it. */
static struct ap_mask *vfio_ap_poll_turn(const struct vfio_ap_queue *q,
					 struct vfio_ap_turn *turn)
{
	if (q->state == VFIO_AP_QUEUE_OFFLINE && !q->lost)
		return &turn->down;
	if (q->state == VFIO_AP_QUEUE_RESETTING && !q->zapq)
		return &turn->resetting;
	return NULL;
}

/* @again: the queue was visited for its whole adapter and is still waiting */
static u64 vfio_ap_poll_step(struct vfio_ap_queue *q,
			     struct vfio_ap_turn *turn, bool *changed,
			     bool *again)
{
	unsigned int apid = AP_QID_CARD(q->apqn);
	enum vfio_ap_queue_state before;
	struct ap_mask *waiting;
	u64 delay = VFIO_AP_NEVER;

	*changed = false;
	*again = false;
	guard(mutex)(&q->lock);
	waiting = vfio_ap_poll_turn(q, turn);
	if (waiting && ap_mask_test(waiting, apid))
		return vfio_ap_reset_delay(q);
	before = q->state;
	switch (q->state) {
	case VFIO_AP_QUEUE_RESETTING:
	case VFIO_AP_QUEUE_FAILED:
		delay = vfio_ap_reset_step(q);
		break;
	case VFIO_AP_QUEUE_OFFLINE:
		delay = vfio_ap_reset_down_step(q);
		break;
	case VFIO_AP_QUEUE_CLEAN:
	case VFIO_AP_QUEUE_UNBOUND:
		if (!vfio_ap_irq_step(q) || !vfio_ap_reset_gone_step(q))
			delay = vfio_ap_reset_delay(q);
		break;
	}
	*changed = q->state != before;
	if (waiting && !*changed) {
		ap_mask_set(waiting, apid);
		*again = true;
	}
	return delay;
}

/* Consumes one reference of each queue in @changed. */
static void vfio_ap_poll_announce(struct list_head *changed)
{
	struct vfio_ap_queue *q, *next;

	scoped_guard(mutex, &matrix_dev->guests_lock) {
		scoped_guard(mutex, &matrix_dev->mdevs_lock) {
			list_for_each_entry(q, changed, changed_node) {
				guard(mutex)(&q->lock);
				/* A new queue may already use the mask bits. */
				if (q->state == VFIO_AP_QUEUE_UNBOUND)
					continue;
				vfio_ap_queue_publish(q);
				vfio_ap_guest_outdate(q->apqn);
			}
		}
		vfio_ap_guest_evaluate_outdated();
	}
	wake_up_all(&matrix_dev->reset_wait);

	list_for_each_entry_safe(q, next, changed, changed_node) {
		list_del_init(&q->changed_node);
		vfio_ap_queue_put(q);
	}
}

/* Consumes the poll list's reference if no further poll is needed. */
static void vfio_ap_poll_repoll(struct vfio_ap_queue *q, u64 delay)
{
	u64 due = delay == VFIO_AP_NEVER ? VFIO_AP_NEVER : ktime_get_ns() + delay;

	scoped_guard(spinlock, &matrix_dev->poll_lock) {
		/* vfio_ap_queue_poll() may have run since the step. */
		WRITE_ONCE(q->due, min(q->due, due));
		if (q->due != VFIO_AP_NEVER) {
			list_move_tail(&q->node, &matrix_dev->polled);
			return;
		}
		list_del_init(&q->node);
		matrix_dev->nr_polled--;
	}
	vfio_ap_queue_put(q);
}

static void vfio_ap_poll_take_due(struct list_head *list)
{
	struct vfio_ap_queue *q, *next;
	/* Visit queues that were reset together in the same run. */
	u64 soon = ktime_get_ns() + VFIO_AP_POLL_MIN_NS;

	spin_lock(&matrix_dev->poll_lock);
	list_for_each_entry_safe(q, next, &matrix_dev->polled, node) {
		if (q->due > soon)
			continue;
		WRITE_ONCE(q->due, VFIO_AP_NEVER);
		list_move_tail(&q->node, list);
	}
	spin_unlock(&matrix_dev->poll_lock);
}

static void vfio_ap_poll_rearm(void)
{
	struct vfio_ap_queue *q;
	u64 due = VFIO_AP_NEVER;

	spin_lock(&matrix_dev->poll_lock);
	list_for_each_entry(q, &matrix_dev->polled, node)
		due = min(due, q->due);
	if (due != VFIO_AP_NEVER)
		vfio_ap_queue_arm(due);
	spin_unlock(&matrix_dev->poll_lock);
}

/* Begin the next run with a queue of the adapter that was skipped. */
static void vfio_ap_poll_last(struct list_head *asked)
{
	struct vfio_ap_queue *q, *next;

	spin_lock(&matrix_dev->poll_lock);
	list_for_each_entry_safe(q, next, asked, changed_node) {
		list_del_init(&q->changed_node);
		list_move_tail(&q->node, &matrix_dev->polled);
	}
	spin_unlock(&matrix_dev->poll_lock);
}

static void vfio_ap_poll_work(struct work_struct *work)
{
	struct vfio_ap_turn turn = {};
	struct vfio_ap_queue *q, *next;
	LIST_HEAD(asked);
	LIST_HEAD(due);
	LIST_HEAD(changed);

	vfio_ap_poll_take_due(&due);
	list_for_each_entry_safe(q, next, &due, node) {
		bool differs, again;
		u64 delay = vfio_ap_poll_step(q, &turn, &differs, &again);

		if (differs) {
			kref_get(&q->ref);
			list_add_tail(&q->changed_node, &changed);
		}
		if (again)
			list_add_tail(&q->changed_node, &asked);
		vfio_ap_poll_repoll(q, delay);
		cond_resched();
	}
	vfio_ap_poll_last(&asked);
	if (!list_empty(&changed))
		vfio_ap_poll_announce(&changed);
	vfio_ap_poll_rearm();
}

static enum hrtimer_restart vfio_ap_poll_timer(struct hrtimer *timer)
{
	queue_work(matrix_dev->poll_wq, &matrix_dev->poll_work);
	return HRTIMER_NORESTART;
}

/**
 * vfio_ap_poll_init() - create the poller
 *
 * An hrtimer starts the poller, because the first visit of a reset is due after
 * 50 us and a jiffy is 10 ms at HZ=100.
 *
 * Context: process, may sleep.
 * Return: 0; -ENOMEM without memory.
 */
int vfio_ap_poll_init(void)
{
	INIT_WORK(&matrix_dev->poll_work, vfio_ap_poll_work);
	hrtimer_setup(&matrix_dev->poll_timer, vfio_ap_poll_timer,
		      CLOCK_MONOTONIC, HRTIMER_MODE_ABS);

	matrix_dev->poll_wq = alloc_workqueue("vfio_ap_poll",
					      WQ_UNBOUND | WQ_HIGHPRI |
					      WQ_MEM_RECLAIM, 1);
	return matrix_dev->poll_wq ? 0 : -ENOMEM;
}

/**
 * vfio_ap_poll_exit() - wait for the last queues and destroy the poller
 *
 * Wait for the interrupts and final resets of all queues, 2.5 s at most. Then
 * leak the pages of the remaining NIBs: the adapter may still write to them.
 *
 * Context: module unload, after the last queue was unbound. May sleep up to
 *	    VFIO_AP_WAIT_MS; takes poll_lock and the lock of each remaining queue.
 */
void vfio_ap_poll_exit(void)
{
	unsigned long end = jiffies + VFIO_AP_WAIT;
	struct vfio_ap_queue *q, *next;

	while (READ_ONCE(matrix_dev->nr_polled) && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);

	scoped_guard(spinlock, &matrix_dev->poll_lock)
		matrix_dev->stopping = true;
	hrtimer_cancel(&matrix_dev->poll_timer);
	destroy_workqueue(matrix_dev->poll_wq);

	list_for_each_entry_safe(q, next, &matrix_dev->polled, node) {
		list_del_init(&q->node);
		scoped_guard(mutex, &q->lock) {
			vfio_ap_irq_abandon(q);
			vfio_ap_queue_drop_vm(q);
		}
		vfio_ap_queue_put(q);
	}
}
