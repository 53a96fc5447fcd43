// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues: their objects, their index, and the engine that resets them.
 *
 * An operation only marks queues for reset. One poller issues the ZAPQs (but for
 * the last one, after unbind), watches them with TAPQ, and when queues changed
 * their state it has all mdevs concerned evaluated at once. Nobody waits for
 * hardware with a lock held; the poller itself holds the lock of one queue for
 * the time of an instruction or two.
 */
#include <linux/build_bug.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "vfio_ap_pqap.h"
#include "vfio_ap_private.h"
#include "vfio_ap_trace.h"

/*
 * Each look at a reset comes later than the one before: a completed reset is
 * noticed after 50 us, or an eighth of its duration, but 20 ms at most.
 */
#define POLL_MIN_NS	(50 * NSEC_PER_USEC)
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
#define NEVER		U64_MAX

/**
 * enum reset_action - what an answer means for a reset under way
 * @FAIL: refused; try again, slowly
 * @WAIT: under way; ask again
 * @AGAIN: something else is under way; ask again, then issue ZAPQ again
 * @REISSUE: the reset did not work out; issue ZAPQ again
 * @DONE: nothing is under way
 * @DOWN: deconfigured or checkstopped; there is nothing to reset
 * @LOST: there is no such queue (any more)
 */
enum reset_action {
	FAIL,
	WAIT,
	AGAIN,
	REISSUE,
	DONE,
	DOWN,
	LOST,
};

/*
 * {response code} x {phase}. Codes that are not listed cannot be answered by
 * these functions as far as the AP bus knows; they are refusals like the last
 * group.
 */
static const struct {
	u8 zapq;
	u8 tapq;
} reset_table[256] = {
	[AP_RESPONSE_NORMAL]			= { WAIT, DONE },
	[AP_RESPONSE_Q_NOT_AVAIL]		= { LOST, LOST },
	[AP_RESPONSE_RESET_IN_PROGRESS]		= { AGAIN, WAIT },
	[AP_RESPONSE_DECONFIGURED]		= { DOWN, DOWN },
	[AP_RESPONSE_CHECKSTOPPED]		= { DOWN, DOWN },
	[AP_RESPONSE_BUSY]			= { AGAIN, WAIT },
	[AP_RESPONSE_STATE_CHANGE_IN_PROGRESS]	= { AGAIN, WAIT },
	[AP_RESPONSE_ASSOC_SECRET_NOT_UNIQUE]	= { FAIL, REISSUE },
	[AP_RESPONSE_ASSOC_FAILED]		= { FAIL, REISSUE },

	[AP_RESPONSE_INVALID_ADDRESS]		= { FAIL, FAIL },
	[AP_RESPONSE_OTHERWISE_CHANGED]		= { FAIL, FAIL },
	[AP_RESPONSE_INVALID_GISA]		= { FAIL, FAIL },
	[AP_RESPONSE_Q_BOUND_TO_ANOTHER]	= { FAIL, FAIL },
	[AP_RESPONSE_Q_NOT_BOUND]		= { FAIL, FAIL },
	[AP_RESPONSE_Q_FULL]			= { FAIL, FAIL },
	[AP_RESPONSE_INDEX_TOO_BIG]		= { FAIL, FAIL },
	[AP_RESPONSE_NO_FIRST_PART]		= { FAIL, FAIL },
	[AP_RESPONSE_MESSAGE_TOO_BIG]		= { FAIL, FAIL },
	[AP_RESPONSE_REQ_FAC_NOT_INST]		= { FAIL, FAIL },
	[AP_RESPONSE_Q_BIND_ERROR]		= { FAIL, FAIL },
	[AP_RESPONSE_Q_NOT_AVAIL_FOR_ASSOC]	= { FAIL, FAIL },
	[AP_RESPONSE_Q_NOT_EMPTY]		= { FAIL, FAIL },
	[AP_RESPONSE_BIND_LIMIT_EXCEEDED]	= { FAIL, FAIL },
	[AP_RESPONSE_INVALID_ASSOC_SECRET]	= { FAIL, FAIL },
	[AP_RESPONSE_INVALID_DOMAIN]		= { FAIL, FAIL },
};

/* What a queue may cost, also with all that a debug kernel adds to a lock */
static_assert(sizeof(struct vfio_ap_queue) <= 512);

static void vfio_ap_queue_free(struct kref *ref)
{
	struct vfio_ap_queue *q = container_of(ref, struct vfio_ap_queue, ref);

	mutex_destroy(&q->lock);
	kfree(q->spare);
	kfree_rcu(q, rcu);
}

/**
 * vfio_ap_queue_put() - give up a reference
 * @q: the queue
 *
 * Context: any.
 */
void vfio_ap_queue_put(struct vfio_ap_queue *q)
{
	kref_put(&q->ref, vfio_ap_queue_free);
}

/**
 * vfio_ap_queue_arm() - have the poller run, unless it does earlier
 * @due: when, in ns of CLOCK_MONOTONIC
 *
 * Context: process; expects poll_lock.
 */
static void vfio_ap_queue_arm(u64 due)
{
	struct hrtimer *timer = &matrix_dev->poll_timer;

	lockdep_assert_held(&matrix_dev->poll_lock);

	if (matrix_dev->stopping)
		return;
	if (hrtimer_is_queued(timer) &&
	    ktime_to_ns(hrtimer_get_expires(timer)) <= due)
		return;
	hrtimer_start(timer, ns_to_ktime(due), HRTIMER_MODE_ABS);
}

/**
 * vfio_ap_queue_poll() - have a queue polled
 * @q: the queue
 * @delay: when, in ns from now
 *
 * A guest that switches its interrupts on and off all the time has the poller
 * look once in a while. It need not get in the way of other guests each time: if
 * the poller is coming early enough, it cannot have looked yet, because it
 * takes the queue's lock for that.
 *
 * Context: process; expects the queue's lock, takes poll_lock.
 */
void vfio_ap_queue_poll(struct vfio_ap_queue *q, u64 delay)
{
	u64 due = ktime_get_ns() + delay;

	lockdep_assert_held(&q->lock);

	if (delay && READ_ONCE(q->due) <= due)
		return;
	spin_lock(&matrix_dev->poll_lock);
	if (list_empty(&q->node)) {
		kref_get(&q->ref);
		list_add_tail(&q->node, &matrix_dev->polled);
		matrix_dev->nr_polled++;
	}
	WRITE_ONCE(q->due, min(q->due, due));
	if (!delay && !matrix_dev->stopping)
		queue_work(matrix_dev->poll_wq, &matrix_dev->poll_work);
	else
		vfio_ap_queue_arm(due);
	spin_unlock(&matrix_dev->poll_lock);
}

/**
 * vfio_ap_queue_publish() - let the masks say what the queue's state is
 * @q: the queue
 *
 * Context: process; expects mdevs_lock and the queue's lock.
 */
static void vfio_ap_queue_publish(const struct vfio_ap_queue *q)
{
	struct ap_adapter *adapter = matrix_dev->adapter[AP_QID_CARD(q->apqn)];
	unsigned int apqi = AP_QID_QUEUE(q->apqn);
	bool resetting = q->state == VFIO_AP_QUEUE_RESETTING;
	bool down = q->state == VFIO_AP_QUEUE_DOWN;
	bool passable = q->state == VFIO_AP_QUEUE_CLEAN;

	lockdep_assert_held(&matrix_dev->mdevs_lock);
	lockdep_assert_held(&q->lock);

	/* The guest that has the queue keeps it; no other guest gets it. */
	if ((resetting || down) && q->keep)
		passable = ap_mask_test(&adapter->passable, apqi);

	ap_mask_assign(&adapter->bound, apqi, q->state != VFIO_AP_QUEUE_GONE);
	ap_mask_assign(&adapter->failed, apqi,
		       q->state == VFIO_AP_QUEUE_FAILED);
	ap_mask_assign(&adapter->down, apqi, down);
	ap_mask_assign(&adapter->passable, apqi, passable);
	ap_mask_assign(&adapter->resetting, apqi, resetting);
	if (!resetting && wq_has_sleeper(&matrix_dev->reset_wait))
		wake_up_all(&matrix_dev->reset_wait);
}

/**
 * vfio_ap_queue_start() - begin a reset
 * @q: the queue
 *
 * Context: process; expects the queue's lock.
 */
static void vfio_ap_queue_start(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&q->lock);

	q->state = VFIO_AP_QUEUE_RESETTING;
	q->zapq = true;
	q->since = ktime_get_ns();
	q->tried = q->since;
}

/**
 * vfio_ap_queue_lose() - the host does not have a queue any more
 * @q: the queue
 *
 * Nothing is issued to the queue but TAPQ, to see its interrupt off. The reset
 * that was wanted follows when the host has the queue again.
 *
 * Context: process; expects the queue's lock.
 */
static void vfio_ap_queue_lose(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&q->lock);

	vfio_ap_queue_start(q);
	q->state = VFIO_AP_QUEUE_DOWN;
	q->stopped = q->since;
	q->lost = true;
	q->disable = false;
	q->nib_ending = !!q->nib;
}

/**
 * vfio_ap_queue_mark() - have a queue reset
 * @q: the queue
 * @keep: leave it in its guest meanwhile
 *
 * Context: process; expects mdevs_lock, takes the queue's lock and poll_lock.
 */
static void vfio_ap_queue_mark(struct vfio_ap_queue *q, bool keep)
{
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	guard(mutex)(&q->lock);
	if (q->state == VFIO_AP_QUEUE_GONE)
		return;
	if (q->state != VFIO_AP_QUEUE_CLEAN)
		keep = keep && q->keep;
	q->keep = keep;
	if (!keep)
		vfio_ap_irq_leave(q);
	if (!ap_matrix_has(&matrix_dev->host, AP_QID_CARD(q->apqn),
			   AP_QID_QUEUE(q->apqn))) {
		vfio_ap_queue_lose(q);
		vfio_ap_queue_publish(q);
		vfio_ap_queue_poll(q, 0);
		return;
	}
	switch (q->state) {
	case VFIO_AP_QUEUE_RESETTING:
	case VFIO_AP_QUEUE_FAILED:
		/*
		 * A ZAPQ that is under way came too early to count for this
		 * one. But it does not get more time, and a queue that failed
		 * stays what it is: who waits for it is to learn of that.
		 */
		q->again = !q->zapq;
		vfio_ap_queue_publish(q);
		return;
	default:
		vfio_ap_queue_start(q);
		vfio_ap_queue_publish(q);
		vfio_ap_queue_poll(q, 0);
		return;
	}
}

/**
 * vfio_ap_queue_retry() - the host has changed: ask again at once
 *
 * Context: process; expects mdevs_lock, takes the lock of each queue that is
 *	    down or failed, and poll_lock.
 */
void vfio_ap_queue_retry(void)
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
 * vfio_ap_queue_reset_row() - have bound queues of an adapter reset
 * @apid: the adapter, 0 to 255
 * @domains: the domains
 * @keep: those that are left in their guest meanwhile
 *
 * Context: process; expects mdevs_lock, takes the lock of each queue.
 */
static void vfio_ap_queue_reset_row(unsigned int apid,
				    const struct ap_mask *domains,
				    const struct ap_mask *keep)
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
			vfio_ap_queue_mark(q, ap_mask_test(keep, apqi));
	}
}

/**
 * vfio_ap_queue_reset() - have queues reset that left their guest
 * @apid: their adapter, 0 to 255
 * @domains: their domains; what is not bound is left out
 *
 * Context: process; expects mdevs_lock, takes the lock of each queue.
 */
void vfio_ap_queue_reset(unsigned int apid, const struct ap_mask *domains)
{
	const struct ap_mask none = {};

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	vfio_ap_queue_reset_row(apid, domains, &none);
}

/**
 * vfio_ap_queue_reset_matrix() - have all bound queues of a matrix reset
 * @m: the matrix
 * @keep: what a guest has, and keeps meanwhile; NULL if nothing
 *
 * Context: process; expects mdevs_lock, takes the lock of each queue.
 */
void vfio_ap_queue_reset_matrix(const struct ap_matrix *m,
				const struct ap_matrix *keep)
{
	const struct ap_mask none = {};
	unsigned int apid;

	lockdep_assert_held(&matrix_dev->mdevs_lock);

	ap_mask_for_each(apid, &m->apm)
		vfio_ap_queue_reset_row(apid, &m->aqm,
					keep && ap_mask_test(&keep->apm, apid) ?
					&keep->aqm : &none);
}

/**
 * vfio_ap_queue_zapq() - start a reset
 * @q: the queue
 *
 * Context: process; expects the queue's lock.
 * Return: the status word.
 */
static u32 vfio_ap_queue_zapq(struct vfio_ap_queue *q)
{
	u32 status;

	lockdep_assert_held(&q->lock);

	status = pqap_zapq(q->apqn);
	trace_vfio_ap_zapq(q->apqn, status);
	return status;
}

/**
 * vfio_ap_queue_tapq() - ask whether a reset is complete
 * @q: the queue
 *
 * Context: process; expects the queue's lock.
 * Return: the status word.
 */
static u32 vfio_ap_queue_tapq(struct vfio_ap_queue *q)
{
	u32 status;

	lockdep_assert_held(&q->lock);

	status = pqap_tapq(q->apqn);
	trace_vfio_ap_tapq(q->apqn, status);
	return status;
}

static bool vfio_ap_queue_settled(const struct ap_matrix *m)
{
	const struct ap_adapter *adapter;
	unsigned int apid, i;

	ap_mask_for_each(apid, &m->apm) {
		adapter = READ_ONCE(matrix_dev->adapter[apid]);
		if (!adapter)
			continue;
		for (i = 0; i < AP_MASK_WORDS; i++)
			if (READ_ONCE(adapter->resetting.w[i]) & m->aqm.w[i])
				return false;
	}
	return true;
}

/**
 * vfio_ap_queue_wait() - wait until the queues of a matrix are not in reset
 * @m: the matrix
 * @end: when to give up, in jiffies; see vfio_ap_wait_end()
 *
 * Context: process, may sleep; no lock of the driver may be held. Takes and
 *	    releases guests_lock.
 * Return: positive when none is in reset; 0 when @end was reached; -ERESTARTSYS
 *	   on a fatal signal.
 */
long vfio_ap_queue_wait(const struct ap_matrix *m, unsigned long end)
{
	unsigned long now = jiffies;
	long rc;

	lockdep_assert_not_held(&matrix_dev->guests_lock);
	lockdep_assert_not_held(&matrix_dev->mdevs_lock);

	rc = wait_event_killable_timeout(matrix_dev->reset_wait,
					 vfio_ap_queue_settled(m),
					 time_before(now, end) ? end - now : 0);
	/* The poller holds this lock until the guests have the news as well. */
	mutex_lock(&matrix_dev->guests_lock);
	mutex_unlock(&matrix_dev->guests_lock);
	return rc;
}

/**
 * vfio_ap_queue_any_failed() - tell whether a reset in a matrix failed
 * @m: the matrix
 *
 * Context: process, may sleep. Takes mdevs_lock.
 * Return: true if a bound queue of @m is in the state FAILED.
 */
bool vfio_ap_queue_any_failed(const struct ap_matrix *m)
{
	const struct ap_adapter *adapter;
	unsigned int apid;

	guard(mutex)(&matrix_dev->mdevs_lock);
	ap_mask_for_each(apid, &m->apm) {
		adapter = matrix_dev->adapter[apid];
		if (adapter && ap_mask_intersects(&adapter->failed, &m->aqm))
			return true;
	}
	return false;
}

/*
 * Down queues are retried after 1, 2, 4 and at last every 8 s, at times that all
 * queues have in common: so one look serves all queues of an adapter.
 */
static u64 vfio_ap_queue_down_delay(const struct vfio_ap_queue *q)
{
	u64 now = ktime_get_ns();
	u64 period = (now - q->since) / (RETRY_DOWN_SHARE * RETRY_DOWN_NS);

	period = clamp_t(u64, period, 1, RETRY_MAX_NS / RETRY_DOWN_NS);
	period = rounddown_pow_of_two(period) * RETRY_DOWN_NS;
	return period - now % period;
}

/* When to come back, in ns; one whose reset has failed is in no hurry. */
static u64 vfio_ap_queue_delay(const struct vfio_ap_queue *q)
{
	u64 now = ktime_get_ns();

	switch (q->state) {
	case VFIO_AP_QUEUE_DOWN:
		return vfio_ap_queue_down_delay(q);
	case VFIO_AP_QUEUE_FAILED:
		if (q->zapq || now - q->tried >= VFIO_AP_SETTLE_NS)
			return clamp_t(u64,
				       (now - q->since) / RETRY_FAILED_SHARE,
				       RETRY_FAILED_NS, RETRY_MAX_NS);
		fallthrough;
	default:
		return clamp_t(u64, (now - q->tried) / POLL_SHARE, POLL_MIN_NS,
			       POLL_MAX_NS);
	}
}

/**
 * vfio_ap_queue_fail() - a reset was refused, or takes too long
 * @q: the queue
 * @elapsed: how long it took, in ns
 *
 * Context: process; expects the queue's lock.
 */
static void vfio_ap_queue_fail(struct vfio_ap_queue *q, u64 elapsed)
{
	lockdep_assert_held(&q->lock);

	if (q->state == VFIO_AP_QUEUE_FAILED)
		return;
	q->state = VFIO_AP_QUEUE_FAILED;
	q->keep = false;
	q->told = true;
	vfio_ap_irq_leave(q);
	pr_notice_ratelimited("%02x.%04x: not reset after %llu ms (response %02x), kept out of every guest, still trying\n",
			      AP_QID_CARD(q->apqn), AP_QID_QUEUE(q->apqn),
			      elapsed / NSEC_PER_MSEC, q->response);
	vfio_ap_dbf_event(VFIO_AP_DBF_ERR,
			  "%02x.%04x: not reset after %lu ms (response %02x)\n",
			  AP_QID_CARD(q->apqn), AP_QID_QUEUE(q->apqn),
			  (unsigned long)(elapsed / NSEC_PER_MSEC),
			  q->response);
}

/**
 * vfio_ap_queue_recover() - a queue whose reset failed has been reset at last
 * @q: the queue
 *
 * Context: process; expects the queue's lock.
 */
static void vfio_ap_queue_recover(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&q->lock);

	q->told = false;
	pr_notice_ratelimited("%02x.%04x: reset at last, can be passed again\n",
			      AP_QID_CARD(q->apqn), AP_QID_QUEUE(q->apqn));
	vfio_ap_dbf_event(VFIO_AP_DBF_NOTICE, "%02x.%04x: reset at last\n",
			  AP_QID_CARD(q->apqn), AP_QID_QUEUE(q->apqn));
}

/**
 * vfio_ap_queue_finish() - nothing is left to be done for a queue
 * @q: the queue
 * @state: what it is now
 *
 * Context: process; expects the queue's lock.
 */
static void vfio_ap_queue_finish(struct vfio_ap_queue *q,
				 enum vfio_ap_queue_state state)
{
	lockdep_assert_held(&q->lock);

	if (q->told && state == VFIO_AP_QUEUE_CLEAN)
		vfio_ap_queue_recover(q);
	q->state = state;
	q->again = false;
	if (state == VFIO_AP_QUEUE_CLEAN)
		q->keep = false;
}

/**
 * vfio_ap_queue_verify() - nothing is under way: is it what was asked for?
 * @q: the queue
 * @status: what TAPQ answered
 *
 * Context: process; expects the queue's lock.
 * Return: true if it is, then the queue is CLEAN; false if it has to be looked
 *	   at again.
 */
static bool vfio_ap_queue_verify(struct vfio_ap_queue *q, u32 status)
{
	/* Enabled since the last ZAPQ was accepted, though it may not show yet */
	bool used = q->nib && !q->nib_ending;
	bool off = !(status & AP_STATUS_IRQ_ENABLED);

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
		vfio_ap_irq_ended(q);
	if ((off || used) && ((status & AP_STATUS_QUEUE_EMPTY) || q->keep)) {
		vfio_ap_queue_finish(q, VFIO_AP_QUEUE_CLEAN);
		return true;
	}
	if (ktime_get_ns() - q->tried >= VFIO_AP_SETTLE_NS)
		q->zapq = true;
	return false;
}

/**
 * vfio_ap_queue_reset_step() - one step of a reset: ZAPQ or TAPQ
 * @q: the queue
 *
 * Context: process; expects the queue's lock.
 * Return: when to come back, in ns.
 */
static u64 vfio_ap_queue_reset_step(struct vfio_ap_queue *q)
{
	u64 elapsed = ktime_get_ns() - q->since;
	enum reset_action action;
	bool zapq = q->zapq;
	u32 status;

	lockdep_assert_held(&q->lock);

	/* Until the bus has started its state machine, only look. */
	if (!vfio_ap_bus_release_queue(q) && elapsed < BUS_START_NS) {
		status = vfio_ap_queue_tapq(q);
		if (reset_table[ap_status_response(status)].tapq == DOWN)
			vfio_ap_queue_finish(q, VFIO_AP_QUEUE_DOWN);
		return vfio_ap_queue_delay(q);
	}

	status = zapq ? vfio_ap_queue_zapq(q) : vfio_ap_queue_tapq(q);
	q->response = ap_status_response(status);
	action = zapq ? reset_table[q->response].zapq :
			reset_table[q->response].tapq;
	q->zapq = false;
	if (zapq)
		q->accepted = q->response == AP_RESPONSE_NORMAL;
	/* What is switched on from now on is not switched off by this one. */
	if (zapq && q->accepted) {
		q->nib_ending = !!q->nib;
		q->unseen = false;
		q->disable = false;
		q->tried = ktime_get_ns();
	}
	/* It is back. The reset that it did not take begins now. */
	if (q->state == VFIO_AP_QUEUE_DOWN &&
	    (action == WAIT || action == AGAIN)) {
		q->state = VFIO_AP_QUEUE_RESETTING;
		q->since = ktime_get_ns();
		elapsed = 0;
	}

	if ((action == DONE || action == DOWN) && !zapq && q->again) {
		q->again = false;
		/* A reset is over and another one begins; or it never began. */
		if (q->accepted)
			q->since = ktime_get_ns();
		action = REISSUE;
	}
	/* The host may have lost it, and the bus not seen that yet. */
	if (action == LOST)
		vfio_ap_irq_ended(q);
	if (action == LOST && !vfio_ap_bus_lists(q->apqn)) {
		q->lost = true;
		action = DOWN;
	}
	switch (action) {
	case WAIT:
		break;
	case AGAIN:
		q->again = true;
		break;
	case REISSUE:
		q->zapq = true;
		break;
	case DONE:
		if (vfio_ap_queue_verify(q, status))
			return NEVER;
		break;
	case DOWN:
		vfio_ap_irq_ended(q);
		vfio_ap_queue_finish(q, VFIO_AP_QUEUE_DOWN);
		return vfio_ap_queue_delay(q);
	case LOST:
	case FAIL:
		/* Not at once again: who waits for it has to see that it failed. */
		q->zapq = true;
		vfio_ap_queue_fail(q, elapsed);
		break;
	}
	if (elapsed > VFIO_AP_RESET_MS * (u64)NSEC_PER_MSEC)
		vfio_ap_queue_fail(q, elapsed);
	return vfio_ap_queue_delay(q);
}

/**
 * vfio_ap_queue_down_step() - look whether a queue that is down has come back
 * @q: the queue
 *
 * Context: process; expects the queue's lock.
 * Return: when to come back, in ns.
 */
static u64 vfio_ap_queue_down_step(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&q->lock);

	if (q->lost) {
		vfio_ap_irq_step(q);
		if (!vfio_ap_bus_lists(q->apqn))
			return vfio_ap_queue_delay(q);
		q->lost = false;
	}
	q->zapq = true;
	return vfio_ap_queue_reset_step(q);
}

/**
 * struct vfio_ap_turn - adapters that need not be asked again in a run
 * @resetting: a queue of these has not completed its reset
 * @down: a queue of these is down
 *
 * The queues of an adapter are asked in turn: as long as the first of them is not
 * done, the others are not either, as a rule.
 */
struct vfio_ap_turn {
	struct ap_mask resetting;
	struct ap_mask down;
};

/* What a queue waits for, if an answer of one queue counts for its adapter */
static struct ap_mask *vfio_ap_queue_turn(const struct vfio_ap_queue *q,
					  struct vfio_ap_turn *turn)
{
	if (q->state == VFIO_AP_QUEUE_DOWN && !q->lost)
		return &turn->down;
	if (q->state == VFIO_AP_QUEUE_RESETTING && !q->zapq)
		return &turn->resetting;
	return NULL;
}

/**
 * vfio_ap_queue_step() - one step of whatever a queue waits for
 * @q: the queue
 * @turn: what was found out in this run
 * @news: where to store whether its state changed
 * @again: where to store whether it was asked, and has to be asked again
 *
 * Context: process; takes the queue's lock.
 * Return: when to come back, in ns.
 */
static u64 vfio_ap_queue_step(struct vfio_ap_queue *q,
			      struct vfio_ap_turn *turn, bool *news,
			      bool *again)
{
	unsigned int apid = AP_QID_CARD(q->apqn);
	enum vfio_ap_queue_state before;
	struct ap_mask *waiting;
	u64 delay = NEVER;

	*news = false;
	*again = false;
	guard(mutex)(&q->lock);
	waiting = vfio_ap_queue_turn(q, turn);
	if (waiting && ap_mask_test(waiting, apid))
		return vfio_ap_queue_delay(q);
	before = q->state;
	switch (q->state) {
	case VFIO_AP_QUEUE_RESETTING:
	case VFIO_AP_QUEUE_FAILED:
		delay = vfio_ap_queue_reset_step(q);
		break;
	case VFIO_AP_QUEUE_DOWN:
		delay = vfio_ap_queue_down_step(q);
		break;
	case VFIO_AP_QUEUE_CLEAN:
	case VFIO_AP_QUEUE_GONE:
		if (!vfio_ap_irq_step(q))
			delay = vfio_ap_queue_delay(q);
		break;
	}
	*news = q->state != before;
	if (waiting && !*news) {
		ap_mask_set(waiting, apid);
		*again = true;
	}
	return delay;
}

/**
 * vfio_ap_queue_announce() - let masks, guests and waiters know of changes
 * @news: queues whose state changed, each with a reference that is given up
 *
 * Context: process, may sleep. Takes guests_lock, mdevs_lock, the lock of each
 *	    queue, and what vfio_ap_guest_evaluate_outdated() takes.
 */
static void vfio_ap_queue_announce(struct list_head *news)
{
	struct vfio_ap_queue *q, *next;

	scoped_guard(mutex, &matrix_dev->guests_lock) {
		scoped_guard(mutex, &matrix_dev->mdevs_lock) {
			list_for_each_entry(q, news, news) {
				guard(mutex)(&q->lock);
				/* Unbound meanwhile: its bits may be another's */
				if (q->state == VFIO_AP_QUEUE_GONE)
					continue;
				vfio_ap_queue_publish(q);
				vfio_ap_guest_outdate(q->apqn);
			}
		}
		vfio_ap_guest_evaluate_outdated();
	}
	wake_up_all(&matrix_dev->reset_wait);

	list_for_each_entry_safe(q, next, news, news) {
		list_del_init(&q->news);
		vfio_ap_queue_put(q);
	}
}

/**
 * vfio_ap_queue_repoll() - put a queue back among the polled ones, or let go
 * @q: the queue, due; it has the reference of the list
 * @delay: when to poll it again, in ns from now
 *
 * Context: process; takes poll_lock.
 */
static void vfio_ap_queue_repoll(struct vfio_ap_queue *q, u64 delay)
{
	u64 due = delay == NEVER ? NEVER : ktime_get_ns() + delay;

	scoped_guard(spinlock, &matrix_dev->poll_lock) {
		/* Somebody may have asked for a poll during the step. */
		WRITE_ONCE(q->due, min(q->due, due));
		if (q->due != NEVER) {
			list_move_tail(&q->node, &matrix_dev->polled);
			return;
		}
		list_del_init(&q->node);
		matrix_dev->nr_polled--;
	}
	vfio_ap_queue_put(q);
}

/**
 * vfio_ap_queue_take_due() - collect what is to be polled now
 * @list: where to
 *
 * Context: process; takes poll_lock.
 */
static void vfio_ap_queue_take_due(struct list_head *list)
{
	struct vfio_ap_queue *q, *next;
	/* Queues that were reset together are due within microseconds. */
	u64 soon = ktime_get_ns() + POLL_MIN_NS;

	spin_lock(&matrix_dev->poll_lock);
	list_for_each_entry_safe(q, next, &matrix_dev->polled, node) {
		if (q->due > soon)
			continue;
		WRITE_ONCE(q->due, NEVER);
		list_move_tail(&q->node, list);
	}
	spin_unlock(&matrix_dev->poll_lock);
}

/**
 * vfio_ap_queue_rearm() - have the poller run for the next queue that is due
 *
 * Context: process; takes poll_lock.
 */
static void vfio_ap_queue_rearm(void)
{
	struct vfio_ap_queue *q;
	u64 due = NEVER;

	spin_lock(&matrix_dev->poll_lock);
	list_for_each_entry(q, &matrix_dev->polled, node)
		due = min(due, q->due);
	if (due != NEVER)
		vfio_ap_queue_arm(due);
	spin_unlock(&matrix_dev->poll_lock);
}

/* Each queue of an adapter has its turn: those that were asked come last. */
static void vfio_ap_queue_last(struct list_head *asked)
{
	struct vfio_ap_queue *q, *next;

	spin_lock(&matrix_dev->poll_lock);
	list_for_each_entry_safe(q, next, asked, news) {
		list_del_init(&q->news);
		list_move_tail(&q->node, &matrix_dev->polled);
	}
	spin_unlock(&matrix_dev->poll_lock);
}

static void vfio_ap_queue_poller(struct work_struct *work)
{
	struct vfio_ap_turn turn = {};
	struct vfio_ap_queue *q, *next;
	LIST_HEAD(asked);
	LIST_HEAD(due);
	LIST_HEAD(news);

	vfio_ap_queue_take_due(&due);
	list_for_each_entry_safe(q, next, &due, node) {
		bool changed, again;
		u64 delay = vfio_ap_queue_step(q, &turn, &changed, &again);

		if (changed) {
			kref_get(&q->ref);
			list_add_tail(&q->news, &news);
		}
		if (again)
			list_add_tail(&q->news, &asked);
		vfio_ap_queue_repoll(q, delay);
		cond_resched();
	}
	vfio_ap_queue_last(&asked);
	if (!list_empty(&news))
		vfio_ap_queue_announce(&news);
	vfio_ap_queue_rearm();
}

static enum hrtimer_restart vfio_ap_queue_timer(struct hrtimer *timer)
{
	queue_work(matrix_dev->poll_wq, &matrix_dev->poll_work);
	return HRTIMER_NORESTART;
}

/**
 * vfio_ap_queue_bind() - make the object of a queue and start its first reset
 * @apqn: the queue
 * @ap_queue: the bus's object of it
 *
 * Context: process, may sleep. Takes mdevs_lock, the queue's lock and poll_lock.
 * Return: the queue; -ENOMEM; -EBUSY if there is one with this APQN.
 */
struct vfio_ap_queue *vfio_ap_queue_bind(u16 apqn, struct ap_queue *ap_queue)
{
	struct ap_adapter *adapter __free(kfree) = kzalloc(sizeof(*adapter),
							   GFP_KERNEL);
	struct vfio_ap_queue *q __free(kfree) = kzalloc(sizeof(*q), GFP_KERNEL);
	unsigned int apid = AP_QID_CARD(apqn);

	if (!adapter || !q)
		return ERR_PTR(-ENOMEM);

	kref_init(&q->ref);
	mutex_init(&q->lock);
	INIT_LIST_HEAD(&q->node);
	INIT_LIST_HEAD(&q->news);
	q->due = NEVER;
	q->apqn = apqn;
	q->ap_queue = ap_queue;

	guard(mutex)(&matrix_dev->mdevs_lock);
	if (vfio_ap_queue_find(apqn))
		return ERR_PTR(-EBUSY);
	hash_add_rcu(matrix_dev->queues, &q->index, apqn);
	if (!matrix_dev->adapter[apid])
		WRITE_ONCE(matrix_dev->adapter[apid], no_free_ptr(adapter));
	/* The host has it, though that may not have been told yet. */
	scoped_guard(mutex, &q->lock) {
		vfio_ap_queue_start(q);
		vfio_ap_queue_publish(q);
		vfio_ap_queue_poll(q, 0);
	}
	vfio_ap_dbf_event(VFIO_AP_DBF_INFO, "%02x.%04x: bound\n", apid,
			  AP_QID_QUEUE(apqn));
	return no_free_ptr(q);
}

/**
 * vfio_ap_queue_unbind() - take a queue out of the index
 * @q: the queue
 *
 * The caller has the queue's mdev evaluated, then releases the locks and calls
 * vfio_ap_queue_leave().
 *
 * Context: process; expects mdevs_lock, takes the queue's lock.
 */
void vfio_ap_queue_unbind(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	guard(mutex)(&q->lock);
	q->state = VFIO_AP_QUEUE_GONE;
	/* Resets of its time with a guest say nothing about its end. */
	q->accepted = false;
	q->ap_queue = NULL;
	vfio_ap_irq_leave(q);
	vfio_ap_queue_publish(q);
	hash_del_rcu(&q->index);
	vfio_ap_dbf_event(VFIO_AP_DBF_INFO, "%02x.%04x: unbound\n",
			  AP_QID_CARD(q->apqn), AP_QID_QUEUE(q->apqn));
}

/**
 * vfio_ap_queue_last_zapq() - issue the last ZAPQ to a queue
 * @q: the queue
 *
 * Context: process; expects the queue's lock.
 * Return: true if a reset is under way.
 */
static bool vfio_ap_queue_last_zapq(struct vfio_ap_queue *q)
{
	u8 response;

	lockdep_assert_held(&q->lock);

	response = ap_status_response(vfio_ap_queue_zapq(q));
	if (response == AP_RESPONSE_NORMAL)
		q->unseen = false;
	return reset_table[response].zapq == WAIT ||
	       response == AP_RESPONSE_RESET_IN_PROGRESS;
}

/**
 * vfio_ap_queue_leave() - the last reset of a queue
 * @q: the queue, unbound; the reference of the index is given up
 * @present: the host still has the queue
 *
 * Does not wait: the bus issues a ZAPQ of its own next. If the interrupt of the
 * queue is not known to be off by then, the queue's object stays with the
 * poller until it is.
 *
 * Context: process, may sleep. Takes the queue's lock, nib_lock and poll_lock.
 */
void vfio_ap_queue_leave(struct vfio_ap_queue *q, bool present)
{
	scoped_guard(mutex, &q->lock) {
		q->tried = ktime_get_ns();
		q->stopped = q->tried;
		/* The queue is somebody else's from now on: no more AQIC. */
		q->disable = false;
		q->nib_ending = !!q->nib;
		if (present)
			q->accepted = vfio_ap_queue_last_zapq(q);
		/* If it was polled already, that is over. */
		vfio_ap_queue_poll(q, vfio_ap_irq_step(q) ? 0 : POLL_MIN_NS);
	}
	wake_up_all(&matrix_dev->reset_wait);
	vfio_ap_queue_put(q);
}

/**
 * vfio_ap_queue_init() - make the index and the poller
 *
 * Context: process, may sleep.
 * Return: 0 or -ENOMEM.
 */
int vfio_ap_queue_init(void)
{
	hash_init(matrix_dev->queues);
	init_waitqueue_head(&matrix_dev->reset_wait);
	INIT_LIST_HEAD(&matrix_dev->polled);
	spin_lock_init(&matrix_dev->poll_lock);
	INIT_WORK(&matrix_dev->poll_work, vfio_ap_queue_poller);
	hrtimer_setup(&matrix_dev->poll_timer, vfio_ap_queue_timer,
		      CLOCK_MONOTONIC, HRTIMER_MODE_ABS);

	matrix_dev->poll_wq = alloc_workqueue("vfio_ap_poll",
					      WQ_UNBOUND | WQ_HIGHPRI |
					      WQ_MEM_RECLAIM, 1);
	if (!matrix_dev->poll_wq)
		return -ENOMEM;
	matrix_dev->release_wq = alloc_workqueue("vfio_ap_release",
						 WQ_UNBOUND | WQ_MEM_RECLAIM,
						 0);
	if (!matrix_dev->release_wq) {
		destroy_workqueue(matrix_dev->poll_wq);
		return -ENOMEM;
	}
	return 0;
}

/**
 * vfio_ap_queue_exit() - undo vfio_ap_queue_init()
 *
 * No queue is bound any more. Queues whose interrupt is not off get some more
 * time. After that the pages they may write to are given up for lost: a leak
 * is better than an adapter that writes to memory of somebody else.
 *
 * Context: process, may sleep up to VFIO_AP_WAIT_MS.
 */
void vfio_ap_queue_exit(void)
{
	unsigned long end = jiffies + msecs_to_jiffies(VFIO_AP_WAIT_MS);
	struct vfio_ap_queue *q, *next;
	unsigned int apid;

	while (READ_ONCE(matrix_dev->nr_polled) && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);

	scoped_guard(spinlock, &matrix_dev->poll_lock)
		matrix_dev->stopping = true;
	hrtimer_cancel(&matrix_dev->poll_timer);
	destroy_workqueue(matrix_dev->poll_wq);

	list_for_each_entry_safe(q, next, &matrix_dev->polled, node) {
		list_del_init(&q->node);
		scoped_guard(mutex, &q->lock)
			vfio_ap_irq_abandon(q);
		vfio_ap_queue_put(q);
	}
	destroy_workqueue(matrix_dev->release_wq);
	for (apid = 0; apid < AP_MASK_BITS; apid++)
		kfree(matrix_dev->adapter[apid]);
}
