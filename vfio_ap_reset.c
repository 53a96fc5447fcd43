// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets of queues. An operation marks queues. The poller then issues ZAPQ and
 * TAPQ to each queue until the reset is verified.
 *
 * A step holds the lock of one queue for a few AP instructions and never waits
 * for the hardware. vfio_ap_poll.c decides when to visit a queue.
 */
#include <linux/ktime.h>
#include <linux/lockdep.h>

#include "vfio_ap_private.h"
#include "vfio_ap_trace.h"

#define POLL_MAX_NS	(20 * NSEC_PER_MSEC)
#define POLL_SHARE	8
/* Pause before the next ZAPQ to a FAILED or an OFFLINE queue */
#define RETRY_FAILED_SHARE	64
#define RETRY_FAILED_NS		(100 * NSEC_PER_MSEC)
#define RETRY_DOWN_SHARE	8
#define RETRY_DOWN_NS		(1 * NSEC_PER_SEC)
#define RETRY_MAX_NS		(10 * (u64)NSEC_PER_SEC)
/* The bus starts its state machine for a new device within this time. */
#define BUS_START_NS	(5 * (u64)NSEC_PER_SEC)

/* The action that follows from a response code */
enum reset_action {
	RESET_FAIL,	/* set the queue FAILED and retry after a pause */
	RESET_WAIT,	/* the reset is under way: poll with TAPQ */
	RESET_AGAIN,	/* the queue is busy: poll with TAPQ, then repeat ZAPQ */
	RESET_REISSUE,	/* the reset had no effect: repeat ZAPQ */
	RESET_DONE,	/* no reset is under way: verify */
	RESET_DOWN,	/* deconfigured or checkstopped: set the queue OFFLINE */
	RESET_LOST,	/* the queue does not exist: check QCI */
};

/* Actions by response code and function; all other codes mean RESET_FAIL */
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
 * A queue outside the host configuration gets only TAPQ, and only until its
 * interrupt is off. The reset follows when the host has the queue again.
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

/* With @keep, the queue stays in the shadow APCB of its guest. */
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
		 * A ZAPQ under way does not cover this request: issue another.
		 * Do not restart the timeout, and keep a FAILED queue FAILED,
		 * so that waiters see the failure.
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
 * vfio_ap_reset_retry() - retry pending resets after a host change
 *
 * Schedule an immediate poll of each OFFLINE or FAILED queue in the host
 * configuration, and restart its pauses.
 *
 * Context: process; expects mdevs_lock, takes the lock of each such queue and
 *	    poll_lock.
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
			/* While the queue is RESETTING, only its domain is withheld. */
			if (q->lost)
				vfio_ap_queue_start(q);
			q->lost = false;
			vfio_ap_queue_publish(q);
			vfio_ap_queue_poll(q, 0);
		}
	}
}

/**
 * vfio_ap_reset_queues() - mark the bound queues of an adapter for reset
 * @apid: the APID, 0 to 255
 * @domains: the usage domains of the queues
 * @keep: the usage domains whose queues stay in their guest; NULL if none
 * @vm: the guest that has the queues; NULL if there is none
 *
 * Context: process; expects mdevs_lock, takes the lock of each queue and
 *	    poll_lock.
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
 * vfio_ap_reset_matrix() - mark the bound queues of a matrix for reset
 * @m: the matrix
 * @keep: the shadow APCB whose queues stay in their guest; NULL if none
 * @vm: the guest that has the queues; NULL if there is none
 *
 * Context: process; expects mdevs_lock, takes the lock of each queue and
 *	    poll_lock.
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
 * The pause is 1, 2, 4 and finally 8 s. Retries are at multiples of the pause on
 * a common clock, so that one ZAPQ serves all OFFLINE queues of an adapter.
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
 * vfio_ap_reset_delay() - compute the time until the next visit of a queue
 * @q: the queue
 *
 * The delay is 1/8 of the time since the last accepted ZAPQ or AQIC disable,
 * clamped to 50 us to 20 ms. FAILED queues are retried after 0.1 to 10 s.
 *
 * Context: process; expects the queue's lock.
 * Return: the delay in ns.
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
 * A completed reset has to leave the queue empty with its interrupt off. A guest
 * that keeps the queue may already use it again. Returns true for a CLEAN queue.
 */
static bool vfio_ap_reset_verify(struct vfio_ap_queue *q,
				 struct ap_queue_status status)
{
	/* An enable after the last accepted ZAPQ; TAPQ may not show it yet. */
	bool used = q->nib && !q->irq_off_pending;
	bool off = !status.irq_enabled;

	lockdep_assert_held(&q->lock);

	/* An enable may still be in progress until a disable is accepted. */
	if (q->disable) {
		vfio_ap_irq_step(q);
		/* After the settle time, disable the interrupt with a ZAPQ. */
		if (ktime_get_ns() - q->tried >= VFIO_AP_SETTLE_NS)
			q->zapq = true;
		return false;
	}
	/* The queue left its guest after that enable: reset it again. */
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
 * The AP bus runs a state machine for a new device and after some errors: RAPQ,
 * then AQIC with the host's indicator. It skips an UNINITIATED queue. Returns
 * false before the bus has started the state machine of a new device.
 */
static bool vfio_ap_reset_stop_bus(struct vfio_ap_queue *q)
{
	struct ap_queue *aq = q->ap_queue;
	bool started;

	if (!aq)
		return true;
	spin_lock_bh(&aq->lock);
	/* Both members are 0 in a new object; the start sets both. */
	started = aq->dev_state != AP_DEV_STATE_UNINITIATED || aq->assoc_idx;
	if (aq->dev_state == AP_DEV_STATE_OPERATING ||
	    aq->dev_state == AP_DEV_STATE_ERROR)
		aq->dev_state = AP_DEV_STATE_UNINITIATED;
	spin_unlock_bh(&aq->lock);
	return started;
}

/**
 * vfio_ap_reset_step() - issue the next ZAPQ or TAPQ of a reset
 * @q: the queue, which is RESETTING, FAILED or OFFLINE
 *
 * Context: process; expects the queue's lock, takes nib_lock and the bus's lock
 *	    of the queue.
 * Return: the time until the next visit in ns; VFIO_AP_NEVER if @q is CLEAN.
 */
u64 vfio_ap_reset_step(struct vfio_ap_queue *q)
{
	u64 elapsed = ktime_get_ns() - q->since;
	enum reset_action action;
	bool zapq = q->zapq;
	struct ap_queue_status status;

	lockdep_assert_held(&q->lock);

	/* Issue only TAPQ before the bus has started its state machine. */
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
	/* An interrupt enabled after this point is not cleared by this ZAPQ. */
	if (zapq && q->accepted) {
		q->irq_off_pending = !!q->nib;
		q->unseen = false;
		q->disable = false;
		q->tried = ktime_get_ns();
	}
	/* The queue is online again: its reset begins with a new timeout. */
	if (q->state == VFIO_AP_QUEUE_OFFLINE &&
	    (action == RESET_WAIT || action == RESET_AGAIN)) {
		q->state = VFIO_AP_QUEUE_RESETTING;
		q->since = ktime_get_ns();
		elapsed = 0;
	}

	if ((action == RESET_DONE || action == RESET_DOWN) && !zapq && q->again) {
		q->again = false;
		/* After an accepted ZAPQ, the next one gets a new timeout. */
		if (q->accepted)
			q->since = ktime_get_ns();
		action = RESET_REISSUE;
	}
	/* The queue does not exist, so the adapter cannot write to a NIB. */
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
		/* Pause before the retry, so that waiters see the failure. */
		q->zapq = true;
		vfio_ap_reset_fail(q, elapsed);
		break;
	}
	if (elapsed > VFIO_AP_RESET_MS * (u64)NSEC_PER_MSEC)
		vfio_ap_reset_fail(q, elapsed);
	return vfio_ap_reset_delay(q);
}

/**
 * vfio_ap_reset_down_step() - retry the reset of an OFFLINE queue
 * @q: the queue
 *
 * If the host has lost the queue, the function issues no ZAPQ until QCI lists
 * the queue again.
 *
 * Context: process; expects the queue's lock, takes nib_lock and the bus's lock
 *	    of the queue.
 * Return: the time until the next visit in ns; VFIO_AP_NEVER if @q is CLEAN.
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
 * vfio_ap_reset_gone_step() - poll the final reset of an UNBOUND queue
 * @q: the queue
 *
 * After that reset, drop the reference to the protected guest of the queue.
 *
 * Context: process; expects the queue's lock.
 * Return: true if the queue is bound, or holds no reference to a guest.
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
 * vfio_ap_reset_final() - issue the final ZAPQ to an UNBOUND queue
 * @q: the queue; the function drops the reference of the index
 * @present: the host configuration contains the queue
 *
 * The function does not wait, because the bus issues another ZAPQ next. The
 * poller keeps the object until the interrupt is off and the queue holds no
 * reference to a protected guest.
 *
 * Context: process, may sleep. Takes the queue's lock, nib_lock and poll_lock.
 */
void vfio_ap_reset_final(struct vfio_ap_queue *q, bool present)
{
	scoped_guard(mutex, &q->lock) {
		q->tried = ktime_get_ns();
		q->stopped = q->tried;
		/* Another driver may get the queue next: issue no more AQIC. */
		q->disable = false;
		q->irq_off_pending = !!q->nib;
		if (present)
			q->accepted = vfio_ap_reset_last_zapq(q);
		else
			vfio_ap_queue_drop_vm(q);
		/* An immediate poll makes the poller drop its reference. */
		vfio_ap_queue_poll(q, vfio_ap_irq_step(q) && !q->vm ?
				      0 : VFIO_AP_POLL_MIN_NS);
	}
	wake_up_all(&matrix_dev->reset_wait);
	vfio_ap_queue_put(q);
}
