// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets of queues: an operation marks queues, the poller takes each of them
 * through ZAPQ and TAPQ, step by step, until the reset is verified.
 *
 * Nobody waits for hardware with a lock held; a step holds the lock of one queue
 * for the time of an instruction or two.
 */
#include <linux/ktime.h>
#include <linux/lockdep.h>

#include "vfio_ap_private.h"
#include "vfio_ap_trace.h"

#define POLL_MAX_NS	(20 * NSEC_PER_MSEC)
#define POLL_SHARE	8
/* Retries of a failed reset, and of one that a queue is too far gone for */
#define RETRY_FAILED_SHARE	64
#define RETRY_FAILED_NS		(100 * NSEC_PER_MSEC)
#define RETRY_DOWN_SHARE	8
#define RETRY_DOWN_NS		(1 * NSEC_PER_SEC)
#define RETRY_MAX_NS		(10 * (u64)NSEC_PER_SEC)
/* The bus starts its state machine for a new device within this time. */
#define BUS_START_NS	(5 * (u64)NSEC_PER_SEC)

/* What an answer means for a reset under way */
enum reset_action {
	RESET_FAIL,	/* refused; try again, slowly */
	RESET_WAIT,	/* under way; ask again */
	RESET_AGAIN,	/* something else is under way; ask, then ZAPQ again */
	RESET_REISSUE,	/* the reset did not work out; issue ZAPQ again */
	RESET_DONE,	/* nothing is under way */
	RESET_DOWN,	/* deconfigured or checkstopped; nothing to reset */
	RESET_LOST,	/* there is no such queue (any more) */
};

/* {response code} x {phase}; codes that are not listed are refusals: RESET_FAIL */
static const struct {
	u8 zapq;
	u8 tapq;
} reset_table[256] = {
	[AP_RESPONSE_NORMAL]			= { RESET_WAIT, RESET_DONE },
	[AP_RESPONSE_Q_NOT_AVAIL]		= { RESET_LOST, RESET_LOST },
	[AP_RESPONSE_RESET_IN_PROGRESS]		= { RESET_AGAIN, RESET_WAIT },
	[AP_RESPONSE_DECONFIGURED]		= { RESET_DOWN, RESET_DOWN },
	[AP_RESPONSE_CHECKSTOPPED]		= { RESET_DOWN, RESET_DOWN },
	[AP_RESPONSE_BUSY]			= { RESET_AGAIN, RESET_WAIT },
	[AP_RESPONSE_STATE_CHANGE_IN_PROGRESS]	= { RESET_AGAIN, RESET_WAIT },
	[AP_RESPONSE_ASSOC_SECRET_NOT_UNIQUE]	= { RESET_FAIL, RESET_REISSUE },
	[AP_RESPONSE_ASSOC_FAILED]		= { RESET_FAIL, RESET_REISSUE },
};

/*
 * Nothing is issued to the queue but TAPQ, to see its interrupt off. The reset
 * that was wanted follows when the host has the queue again.
 */
static void vfio_ap_reset_lose(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&q->lock);

	vfio_ap_queue_drop_vm(q);
	vfio_ap_queue_start(q);
	q->state = VFIO_AP_QUEUE_OFFLINE;
	q->stopped = q->since;
	q->lost = true;
	q->disable = false;
	q->irq_off_pending = !!q->nib;
}

/* With @keep, the guest keeps the queue meanwhile. */
static void vfio_ap_reset_mark(struct vfio_ap_queue *q, bool keep,
			       struct vfio_ap_vm *vm)
{
	bool in_host = vfio_ap_queue_in_host(q->apqn);

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	guard(mutex)(&q->lock);
	if (q->state == VFIO_AP_QUEUE_UNBOUND)
		return;
	if (q->state != VFIO_AP_QUEUE_CLEAN)
		keep = keep && q->keep;
	q->keep = keep;
	if (!keep) {
		vfio_ap_irq_unregister_gisc(q);
		vfio_ap_queue_keep_vm(q, vm);
	}
	if (in_host && (q->state == VFIO_AP_QUEUE_RESETTING ||
			q->state == VFIO_AP_QUEUE_FAILED)) {
		/*
		 * A ZAPQ that is under way came too early to count for this
		 * one. But it does not get more time, and a queue that failed
		 * stays what it is: who waits for it is to learn of that.
		 */
		q->again = !q->zapq;
		vfio_ap_queue_publish(q);
		return;
	}
	if (in_host)
		vfio_ap_queue_start(q);
	else
		vfio_ap_reset_lose(q);
	vfio_ap_queue_publish(q);
	vfio_ap_queue_poll(q, 0);
}

/**
 * vfio_ap_reset_retry() - the host has changed: ask again at once
 *
 * Context: process; expects mdevs_lock, takes the lock of each queue that is
 *	    down or failed, and poll_lock.
 */
void vfio_ap_reset_retry(void)
{
	const struct ap_matrix *host = &matrix_dev->host;
	struct vfio_ap_queue *q;
	unsigned int apid, apqi;
	struct ap_mask idle;

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	ap_mask_for_each(apid, &host->apm) {
		struct ap_adapter *adapter = matrix_dev->adapter[apid];

		if (!adapter)
			continue;
		idle = ap_mask_or(&adapter->down, &adapter->failed);
		idle = ap_mask_and(&idle, &host->aqm);
		ap_mask_for_each(apqi, &idle) {
			q = vfio_ap_queue_find(AP_MKQID(apid, apqi));
			if (!q)
				continue;
			guard(mutex)(&q->lock);
			q->since = ktime_get_ns();
			/* A reset of it begins: its domain is withheld for that. */
			if (q->lost)
				vfio_ap_queue_start(q);
			q->lost = false;
			vfio_ap_queue_publish(q);
			vfio_ap_queue_poll(q, 0);
		}
	}
}

/**
 * vfio_ap_reset_queues() - have bound queues of an adapter reset
 * @apid: the adapter, 0 to 255
 * @domains: the domains; what is not bound is left out
 * @keep: those that are left in their guest meanwhile; NULL if none
 * @vm: that guest, NULL if there is none
 *
 * Context: process; expects mdevs_lock, takes the lock of each queue.
 */
void vfio_ap_reset_queues(unsigned int apid, const struct ap_mask *domains,
			  const struct ap_mask *keep,
			  struct vfio_ap_vm *vm)
{
	struct ap_adapter *adapter = matrix_dev->adapter[apid];
	struct vfio_ap_queue *q;
	struct ap_mask bound;
	unsigned int apqi;

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	if (!adapter)
		return;
	bound = ap_mask_and(domains, &adapter->bound);
	ap_mask_for_each(apqi, &bound) {
		q = vfio_ap_queue_find(AP_MKQID(apid, apqi));
		if (q)
			vfio_ap_reset_mark(q, keep && ap_mask_test(keep, apqi),
					   vm);
	}
}

/**
 * vfio_ap_reset_matrix() - have all bound queues of a matrix reset
 * @m: the matrix
 * @keep: what a guest has, and keeps meanwhile; NULL if nothing
 * @vm: that guest, NULL if there is none
 *
 * Context: process; expects mdevs_lock, takes the lock of each queue.
 */
void vfio_ap_reset_matrix(const struct ap_matrix *m,
			  const struct ap_matrix *keep,
			  struct vfio_ap_vm *vm)
{
	unsigned int apid;

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	ap_mask_for_each(apid, &m->apm)
		vfio_ap_reset_queues(apid, &m->aqm,
				     keep && ap_mask_test(&keep->apm, apid) ?
				     &keep->aqm : NULL, vm);
}

static struct ap_queue_status vfio_ap_reset_issue(struct vfio_ap_queue *q,
						  bool zapq)
{
	struct ap_queue_status status;

	if (zapq) {
		status = ap_zapq(q->apqn, 0);
		trace_vfio_ap_zapq(q->apqn, status);
	} else {
		status = ap_tapq(q->apqn, NULL);
		trace_vfio_ap_tapq(q->apqn, status);
	}
	return status;
}

/*
 * Down queues are retried after 1, 2, 4 and at last every 8 s, at times that all
 * queues have in common: so one look serves all queues of an adapter.
 */
static u64 vfio_ap_reset_down_delay(const struct vfio_ap_queue *q)
{
	u64 now = ktime_get_ns();
	u64 period = (now - q->since) / (RETRY_DOWN_SHARE * RETRY_DOWN_NS);

	period = clamp_t(u64, period, 1, RETRY_MAX_NS / RETRY_DOWN_NS);
	period = rounddown_pow_of_two(period) * RETRY_DOWN_NS;
	return period - now % period;
}

/**
 * vfio_ap_reset_delay() - tell when to come back to a queue
 * @q: the queue
 *
 * A reset is looked at after 50 us, or an eighth of its duration, but 20 ms at
 * most. One whose reset has failed is in no hurry.
 *
 * Context: process; expects the queue's lock.
 * Return: the time from now, in ns.
 */
u64 vfio_ap_reset_delay(const struct vfio_ap_queue *q)
{
	u64 now = ktime_get_ns();

	switch (q->state) {
	case VFIO_AP_QUEUE_OFFLINE:
		return vfio_ap_reset_down_delay(q);
	case VFIO_AP_QUEUE_FAILED:
		if (q->zapq || now - q->tried >= VFIO_AP_SETTLE_NS)
			return clamp_t(u64,
				       (now - q->since) / RETRY_FAILED_SHARE,
				       RETRY_FAILED_NS, RETRY_MAX_NS);
		fallthrough;
	default:
		return clamp_t(u64, (now - q->tried) / POLL_SHARE,
			       VFIO_AP_POLL_MIN_NS, POLL_MAX_NS);
	}
}

static void vfio_ap_reset_fail(struct vfio_ap_queue *q, u64 elapsed)
{
	lockdep_assert_held(&q->lock);

	if (q->state == VFIO_AP_QUEUE_FAILED)
		return;
	q->state = VFIO_AP_QUEUE_FAILED;
	q->keep = false;
	q->told = true;
	vfio_ap_irq_unregister_gisc(q);
	pr_notice_ratelimited("%02x.%04x: not reset after %llu ms (response %02x), kept out of every guest, still trying\n",
			      AP_QID_CARD(q->apqn), AP_QID_QUEUE(q->apqn),
			      elapsed / NSEC_PER_MSEC, q->response);
	vfio_ap_dbf_event(VFIO_AP_DBF_ERR,
			  "%02x.%04x: not reset after %lu ms (response %02x)\n",
			  AP_QID_CARD(q->apqn), AP_QID_QUEUE(q->apqn),
			  (unsigned long)(elapsed / NSEC_PER_MSEC),
			  q->response);
}

static void vfio_ap_reset_finish(struct vfio_ap_queue *q,
				 enum vfio_ap_queue_state state)
{
	if (q->told && state == VFIO_AP_QUEUE_CLEAN) {
		q->told = false;
		pr_notice_ratelimited("%02x.%04x: reset at last, can be passed again\n",
				      AP_QID_CARD(q->apqn),
				      AP_QID_QUEUE(q->apqn));
		vfio_ap_dbf_event(VFIO_AP_DBF_NOTICE,
				  "%02x.%04x: reset at last\n",
				  AP_QID_CARD(q->apqn), AP_QID_QUEUE(q->apqn));
	}
	vfio_ap_queue_drop_vm(q);
	q->state = state;
	q->again = false;
	if (state == VFIO_AP_QUEUE_CLEAN)
		q->keep = false;
}

/*
 * Nothing is under way. If the reset did what was asked for, the queue is
 * CLEAN, otherwise it has to be looked at again.
 */
static bool vfio_ap_reset_verify(struct vfio_ap_queue *q,
				 struct ap_queue_status status)
{
	/* Enabled since the last ZAPQ was accepted, though it may not show yet */
	bool used = q->nib && !q->irq_off_pending;
	bool off = !status.irq_enabled;

	lockdep_assert_held(&q->lock);

	/* An interrupt that was not switched off yet may be on its way. */
	if (q->disable) {
		vfio_ap_irq_step(q);
		/* A disable that is refused for long: another ZAPQ does it. */
		if (ktime_get_ns() - q->tried >= VFIO_AP_SETTLE_NS)
			q->zapq = true;
		return false;
	}
	/* A guest that keeps the queue may use it again, another one may not. */
	if (used && !q->keep) {
		q->zapq = true;
		return false;
	}
	if (off && !used)
		vfio_ap_irq_cleared(q);
	if ((off || used) && (status.queue_empty || q->keep)) {
		vfio_ap_reset_finish(q, VFIO_AP_QUEUE_CLEAN);
		return true;
	}
	if (ktime_get_ns() - q->tried >= VFIO_AP_SETTLE_NS)
		q->zapq = true;
	return false;
}

/*
 * The bus starts a state machine for a new device, and after some errors: RAPQ,
 * then AQIC with the host's indicator. A queue in the state of an unbound one is
 * left alone. Returns false if the start is yet to come: call again.
 */
static bool vfio_ap_reset_stop_bus(struct vfio_ap_queue *q)
{
	struct ap_queue *aq = q->ap_queue;
	bool started;

	if (!aq)
		return true;
	spin_lock_bh(&aq->lock);
	/* The bus clears both with the object, and sets both when it starts. */
	started = aq->dev_state != AP_DEV_STATE_UNINITIATED || aq->assoc_idx;
	if (aq->dev_state == AP_DEV_STATE_OPERATING ||
	    aq->dev_state == AP_DEV_STATE_ERROR)
		aq->dev_state = AP_DEV_STATE_UNINITIATED;
	spin_unlock_bh(&aq->lock);
	return started;
}

/**
 * vfio_ap_reset_step() - one step of a reset: ZAPQ or TAPQ
 * @q: the queue
 *
 * Context: process; expects the queue's lock.
 * Return: when to come back, in ns.
 */
u64 vfio_ap_reset_step(struct vfio_ap_queue *q)
{
	u64 elapsed = ktime_get_ns() - q->since;
	enum reset_action action;
	bool zapq = q->zapq;
	struct ap_queue_status status;

	lockdep_assert_held(&q->lock);

	/* Until the bus has started its state machine, only look. */
	if (!vfio_ap_reset_stop_bus(q) && elapsed < BUS_START_NS) {
		status = vfio_ap_reset_issue(q, false);
		if (reset_table[status.response_code].tapq == RESET_DOWN)
			vfio_ap_reset_finish(q, VFIO_AP_QUEUE_OFFLINE);
		return vfio_ap_reset_delay(q);
	}

	status = vfio_ap_reset_issue(q, zapq);
	q->response = status.response_code;
	action = zapq ? reset_table[q->response].zapq :
			reset_table[q->response].tapq;
	q->zapq = false;
	if (zapq)
		q->accepted = q->response == AP_RESPONSE_NORMAL;
	/* What is switched on from now on is not switched off by this one. */
	if (zapq && q->accepted) {
		q->irq_off_pending = !!q->nib;
		q->unseen = false;
		q->disable = false;
		q->tried = ktime_get_ns();
	}
	/* It is back. The reset that it did not take begins now. */
	if (q->state == VFIO_AP_QUEUE_OFFLINE &&
	    (action == RESET_WAIT || action == RESET_AGAIN)) {
		q->state = VFIO_AP_QUEUE_RESETTING;
		q->since = ktime_get_ns();
		elapsed = 0;
	}

	if ((action == RESET_DONE || action == RESET_DOWN) && !zapq && q->again) {
		q->again = false;
		/* A reset is over and another one begins; or it never began. */
		if (q->accepted)
			q->since = ktime_get_ns();
		action = RESET_REISSUE;
	}
	/* The host may have lost it, and the bus not seen that yet. */
	if (action == RESET_LOST) {
		vfio_ap_irq_cleared(q);
		vfio_ap_queue_drop_vm(q);
	}
	if (action == RESET_LOST && !vfio_ap_queue_listed(q->apqn)) {
		q->lost = true;
		action = RESET_DOWN;
	}
	switch (action) {
	case RESET_WAIT:
		break;
	case RESET_AGAIN:
		q->again = true;
		break;
	case RESET_REISSUE:
		q->zapq = true;
		break;
	case RESET_DONE:
		if (vfio_ap_reset_verify(q, status))
			return VFIO_AP_NEVER;
		break;
	case RESET_DOWN:
		vfio_ap_irq_cleared(q);
		vfio_ap_reset_finish(q, VFIO_AP_QUEUE_OFFLINE);
		return vfio_ap_reset_delay(q);
	case RESET_LOST:
	case RESET_FAIL:
		/* Not at once again: who waits for it has to see that it failed. */
		q->zapq = true;
		vfio_ap_reset_fail(q, elapsed);
		break;
	}
	if (elapsed > VFIO_AP_RESET_MS * (u64)NSEC_PER_MSEC)
		vfio_ap_reset_fail(q, elapsed);
	return vfio_ap_reset_delay(q);
}

/**
 * vfio_ap_reset_down_step() - look whether a queue that is down has come back
 * @q: the queue
 *
 * Context: process; expects the queue's lock.
 * Return: when to come back, in ns.
 */
u64 vfio_ap_reset_down_step(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&q->lock);

	if (q->lost) {
		vfio_ap_irq_step(q);
		if (!vfio_ap_queue_listed(q->apqn))
			return vfio_ap_reset_delay(q);
		q->lost = false;
	}
	q->zapq = true;
	return vfio_ap_reset_step(q);
}

/**
 * vfio_ap_reset_gone_step() - look whether the last reset of a queue is over
 * @q: the queue
 *
 * Context: process; expects the queue's lock.
 * Return: true if there is nothing (more) to wait for.
 */
bool vfio_ap_reset_gone_step(struct vfio_ap_queue *q)
{
	u8 response;

	lockdep_assert_held(&q->lock);

	if (q->state != VFIO_AP_QUEUE_UNBOUND || !q->vm)
		return true;
	response = vfio_ap_reset_issue(q, false).response_code;
	if (reset_table[response].tapq == RESET_WAIT)
		return false;
	vfio_ap_queue_drop_vm(q);
	return true;
}

/* Returns true if a reset is under way. */
static bool vfio_ap_reset_last_zapq(struct vfio_ap_queue *q)
{
	u8 response;

	response = vfio_ap_reset_issue(q, true).response_code;
	if (response == AP_RESPONSE_NORMAL)
		q->unseen = false;
	return reset_table[response].zapq == RESET_WAIT ||
	       response == AP_RESPONSE_RESET_IN_PROGRESS;
}

/**
 * vfio_ap_reset_final() - the last reset of a queue
 * @q: the queue, unbound; the reference of the index is given up
 * @present: the host still has the queue
 *
 * Does not wait: the bus issues a ZAPQ of its own next. If the interrupt of the
 * queue is not known to be off by then, the queue's object stays with the
 * poller until it is.
 *
 * Context: process, may sleep. Takes the queue's lock, nib_lock and poll_lock.
 */
void vfio_ap_reset_final(struct vfio_ap_queue *q, bool present)
{
	scoped_guard(mutex, &q->lock) {
		q->tried = ktime_get_ns();
		q->stopped = q->tried;
		/* The queue is somebody else's from now on: no more AQIC. */
		q->disable = false;
		q->irq_off_pending = !!q->nib;
		if (present)
			q->accepted = vfio_ap_reset_last_zapq(q);
		else
			vfio_ap_queue_drop_vm(q);
		/* If it was polled already, that is over. */
		vfio_ap_queue_poll(q, vfio_ap_irq_step(q) && !q->vm ?
				      0 : VFIO_AP_POLL_MIN_NS);
	}
	wake_up_all(&matrix_dev->reset_wait);
	vfio_ap_queue_put(q);
}
