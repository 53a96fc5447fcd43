// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of queues: AQIC of guests, and what an unmap of guest memory does
 * to interrupts.
 *
 * Each interrupt that was switched on is watched until it is seen off. What the
 * adapter writes to meanwhile is in vfio_ap_nib.c.
 */
#include <linux/lockdep.h>
#include <linux/mm.h>

#include "vfio_ap_private.h"
#include "vfio_ap_trace.h"

/*
 * Type 1 looks ten times for pins in a range, then it gives up on the host (BUG).
 * It waits for its own lock in between, for as long as a VMM likes.
 */
#define UNMAP_WAIT_MS		2000
#define UNMAPS_OF_NIBS_MAX	8

/*
 * How long a NIB that its guest has disabled is kept, at most, before the poller
 * looks whether the interrupt is off: who enables it again by then needs no new
 * pin.
 */
#define LINGER_NS		(10 * NSEC_PER_MSEC)

static struct ap_queue_status irq_status(unsigned int response)
{
	union ap_queue_status_reg reg = {};

	reg.status.response_code = response;
	return reg.status;
}

/* Returns true if the adapter cannot write to the NIB any more. */
static bool irq_off(struct vfio_ap_queue *q)
{
	struct ap_queue_status status;

	lockdep_assert_held(&q->lock);

	status = ap_tapq(q->apqn, NULL);
	switch (status.response_code) {
	case AP_RESPONSE_Q_NOT_AVAIL:
	case AP_RESPONSE_DECONFIGURED:
	case AP_RESPONSE_CHECKSTOPPED:
		return true;
	case AP_RESPONSE_RESET_IN_PROGRESS:
		/* Of an unbound queue, it is the reset that the bus issued. */
		if (q->state == VFIO_AP_QUEUE_UNBOUND)
			q->accepted = true;
		return false;
	case AP_RESPONSE_BUSY:
	case AP_RESPONSE_STATE_CHANGE_IN_PROGRESS:
		return false;
	default:
		if (status.irq_enabled)
			q->unseen = false;
		/* It may be on its way, as long as the disable was not accepted */
		if (q->disable)
			return false;
		/* An enable that was accepted takes effect within this time. */
		if (q->unseen &&
		    ktime_get_ns() - q->stopped < VFIO_AP_SETTLE_NS)
			return false;
		/* Once an accepted reset is over, one that is on is not ours. */
		if (q->state == VFIO_AP_QUEUE_UNBOUND && q->accepted &&
		    ktime_get_ns() - q->tried >= VFIO_AP_SETTLE_NS)
			return true;
		return !status.irq_enabled;
	}
}

static struct ap_queue_status irq_disable(struct vfio_ap_queue *q)
{
	struct ap_queue_status status;

	lockdep_assert_held(&q->lock);

	status = ap_aqic(q->apqn, (union ap_qirq_ctrl) {}, 0);
	trace_vfio_ap_irq_off(q->apqn, status);
	switch (status.response_code) {
	case AP_RESPONSE_RESET_IN_PROGRESS:
	case AP_RESPONSE_BUSY:
	case AP_RESPONSE_STATE_CHANGE_IN_PROGRESS:
		q->disable = true;
		break;
	case AP_RESPONSE_OTHERWISE_CHANGED:
		/* It is off, or an enable is yet to take effect: then again. */
		q->disable = q->unseen &&
			     ktime_get_ns() - q->stopped < VFIO_AP_SETTLE_NS;
		break;
	case AP_RESPONSE_NORMAL:
		q->unseen = false;
		fallthrough;
	default:
		q->disable = false;
		break;
	}
	return status;
}

static struct ap_queue_status irq_stop(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&q->lock);

	q->stopped = ktime_get_ns();
	if (q->state == VFIO_AP_QUEUE_CLEAN)
		q->tried = q->stopped;
	return irq_disable(q);
}

/* The interrupt is off: the caller gets the adapter's share of the NIB. */
static struct vfio_ap_nib *irq_take_nib(struct vfio_ap_queue *q)
{
	struct vfio_ap_nib *nib;

	lockdep_assert_held(&q->lock);

	nib = q->nib;
	q->nib = NULL;
	q->irq_off_pending = false;
	q->disable = false;
	return nib;
}

static void irq_watch(struct vfio_ap_queue *q, u64 delay)
{
	lockdep_assert_held(&q->lock);

	if (!q->nib) {
		q->disable = false;
		return;
	}
	q->irq_off_pending = true;
	vfio_ap_queue_poll(q, delay);
}

static struct ap_queue_status irq_issue_enable(struct vfio_ap_queue *q,
					       struct vfio_ap_nib *nib,
					       u64 gpa)
{
	struct kvm_s390_gisa *gisa = READ_ONCE(nib->kvm->arch.gisa_int.origin);
	union ap_qirq_ctrl control = {};
	struct ap_queue_status status;

	lockdep_assert_held(&q->lock);

	/* KVM destroys the GISA of a guest that becomes a protected one. */
	if (!gisa)
		return irq_status(AP_RESPONSE_INVALID_ADDRESS);
	control.ir = 1;
	control.gisc = nib->gisc;
	control.gisa = virt_to_phys(gisa) >> 4;
	control.isc = nib->nisc;
	status = ap_aqic(q->apqn, control,
			 page_to_phys(nib->page) | offset_in_page(gpa));
	trace_vfio_ap_irq_on(q->apqn, status);
	if (status.response_code == AP_RESPONSE_NORMAL)
		q->unseen = true;
	return status;
}

/* On return *@nib is what is left over, with the adapter's share, or NULL. */
static struct ap_queue_status irq_enable(struct vfio_ap_queue *q,
					 struct ap_matrix_mdev *mdev,
					 struct vfio_ap_nib **nib, u64 gpa)
{
	struct ap_queue_status status;
	int nisc;

	guard(mutex)(&q->lock);
	if (q->state == VFIO_AP_QUEUE_UNBOUND ||
	    !vfio_ap_guest_has(mdev, q->apqn))
		return irq_status(AP_RESPONSE_Q_NOT_AVAIL);
	/* On its way out of the guest, though that may not know yet */
	if (!q->keep && q->state != VFIO_AP_QUEUE_CLEAN)
		return irq_status(AP_RESPONSE_RESET_IN_PROGRESS);
	/* Unmapped since it was pinned; who comes later finds it at the queue. */
	if (READ_ONCE((*nib)->revoked))
		return irq_status(AP_RESPONSE_BUSY);

	nisc = kvm_s390_gisc_register((*nib)->kvm, (*nib)->gisc);
	if (nisc < 0)
		return irq_status(AP_RESPONSE_INVALID_ADDRESS);
	(*nib)->nisc = nisc;
	(*nib)->has_gisc = true;

	status = irq_issue_enable(q, *nib, gpa);
	if (status.response_code == AP_RESPONSE_OTHERWISE_CHANGED &&
	    !q->nib) {
		/* On, but not for this guest: the guest must not notice. */
		irq_disable(q);
		status = irq_status(AP_RESPONSE_BUSY);
		if (irq_off(q))
			status = irq_issue_enable(q, *nib, gpa);
		q->disable = false;
	} else if (status.response_code == AP_RESPONSE_OTHERWISE_CHANGED &&
		   q->irq_off_pending) {
		/* On, but being switched off: let the guest try again. */
		status = irq_status(AP_RESPONSE_BUSY);
	}
	/* Refused: the old set-up, if any, is what it was. */
	if (status.response_code != AP_RESPONSE_NORMAL)
		return status;
	swap(q->nib, *nib);
	q->irq_off_pending = false;
	q->disable = false;
	return status;
}

/*
 * An unmap revokes the NIB before it disables it under the queue's lock. So a
 * NIB that is not revoked by now is pinned as long as that lock is held.
 */
static bool irq_can_linger(const struct vfio_ap_queue *q,
			   const struct ap_matrix_mdev *mdev, u64 gpa, u8 gisc)
{
	const struct vfio_ap_nib *nib = q->nib;

	lockdep_assert_held(&q->lock);

	return nib && q->irq_off_pending && !q->disable && gpa &&
	       nib->iova == (gpa & PAGE_MASK) && nib->gisc == gisc &&
	       nib->mdev == mdev && nib->has_gisc && !READ_ONCE(nib->revoked) &&
	       q->state == VFIO_AP_QUEUE_CLEAN &&
	       vfio_ap_guest_has(mdev, q->apqn);
}

/* Returns false if the queue does not have that NIB, or not any more. */
static bool irq_enable_again(struct vfio_ap_queue *q,
			     struct ap_matrix_mdev *mdev, u64 gpa, u8 gisc,
			     struct ap_queue_status *status)
{
	if (!READ_ONCE(q->nib))
		return false;
	guard(mutex)(&q->lock);
	if (!irq_can_linger(q, mdev, gpa, gisc))
		return false;
	*status = irq_issue_enable(q, q->nib, gpa);
	if (status->response_code == AP_RESPONSE_NORMAL)
		q->irq_off_pending = false;
	/* Still on, but being switched off: let the guest try again. */
	if (status->response_code == AP_RESPONSE_OTHERWISE_CHANGED)
		*status = irq_status(AP_RESPONSE_BUSY);
	return true;
}

static struct ap_queue_status irq_guest_enable(struct kvm_vcpu *vcpu,
					       struct ap_matrix_mdev *mdev,
					       struct vfio_ap_queue *q, u8 gisc)
{
	u64 gpa = READ_ONCE(vcpu->run->s.regs.gprs[2]);
	struct vfio_ap_nib *nib;
	struct ap_queue_status status;

	/* Without a GISA there are no interrupts; the guest polls then. */
	if (!(vcpu->arch.sie_block->eca & ECA_AIV))
		return irq_status(AP_RESPONSE_INVALID_ADDRESS);
	/* A guest in a protected virtual machine shares the page each time. */
	if (!vcpu->arch.pv.handle &&
	    irq_enable_again(q, mdev, gpa, gisc, &status))
		return status;
	nib = vfio_ap_nib_make(vcpu, mdev, q, gpa);
	/* Later there may be memory, or what is being unmapped be there again. */
	if (IS_ERR(nib))
		return irq_status(PTR_ERR(nib) == -EFAULT ?
				  AP_RESPONSE_INVALID_ADDRESS :
				  AP_RESPONSE_BUSY);
	nib->gisc = gisc;
	status = irq_enable(q, mdev, &nib, gpa);
	if (nib)
		vfio_ap_nib_release(nib);
	return status;
}

/* The page stays pinned until the poller sees the interrupt off. */
static struct ap_queue_status irq_guest_disable(struct kvm_vcpu *vcpu,
						struct ap_matrix_mdev *mdev,
						struct vfio_ap_queue *q)
{
	struct ap_queue_status status;

	guard(mutex)(&q->lock);
	if (q->state == VFIO_AP_QUEUE_UNBOUND ||
	    !vfio_ap_guest_has(mdev, q->apqn))
		return irq_status(AP_RESPONSE_Q_NOT_AVAIL);
	status = irq_stop(q);
	/* A protected guest cannot take its page back before it is unpinned. */
	irq_watch(q, vcpu->arch.pv.handle ? 0 : LINGER_NS);
	return status;
}

/**
 * vfio_ap_irq_aqic() - answer PQAP(AQIC) of a guest
 * @vcpu: the vCPU
 *
 * Registers as in union ap_qirq_ctrl of asm/ap.h: APQN in general register 0,
 * IR and the interruption subclass in 1, address of the NIB in 2. The status
 * word goes to register 1.
 *
 * Context: process, may sleep for memory of the guest; KVM holds
 *	    pqap_hook_rwsem for reading. Takes the lock of the queue, nib_lock and
 *	    poll_lock.
 * Return: 0, it is answered.
 */
int vfio_ap_irq_aqic(struct kvm_vcpu *vcpu)
{
	u64 *gprs = vcpu->run->s.regs.gprs;
	struct ap_matrix_mdev *mdev;
	struct vfio_ap_queue *q = NULL;
	/* User space can change the registers at any time: look once. */
	union ap_qirq_ctrl control = { .value = READ_ONCE(gprs[1]) };
	u16 apqn = READ_ONCE(gprs[0]);
	union ap_queue_status_reg answer = {};

	mdev = container_of(vcpu->kvm->arch.crypto.pqap_hook,
			    struct ap_matrix_mdev, pqap_hook);
	/* Do not even look at the guest's memory for a queue it has not. */
	if (vfio_ap_guest_has(mdev, apqn))
		q = vfio_ap_queue_get(apqn);
	if (!q)
		answer.status = irq_status(AP_RESPONSE_Q_NOT_AVAIL);
	else if (control.ir)
		answer.status = irq_guest_enable(vcpu, mdev, q, control.isc);
	else
		answer.status = irq_guest_disable(vcpu, mdev, q);
	if (q)
		vfio_ap_queue_put(q);
	gprs[1] = answer.value;
	return 0;
}

/**
 * vfio_ap_irq_unregister_gisc() - a queue has left its guest
 * @q: the queue
 *
 * KVM may do without the guest's GISA from now on. The page stays until the
 * interrupt is seen off.
 *
 * Context: process; expects the queue's lock.
 */
void vfio_ap_irq_unregister_gisc(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&q->lock);

	if (q->nib)
		vfio_ap_nib_unregister(q->nib);
}

/**
 * vfio_ap_irq_cleared() - the interrupt of a queue is known to be off
 * @q: the queue
 *
 * Context: process; expects the queue's lock, takes nib_lock.
 */
void vfio_ap_irq_cleared(struct vfio_ap_queue *q)
{
	struct vfio_ap_nib *nib;

	lockdep_assert_held(&q->lock);

	nib = irq_take_nib(q);
	if (nib)
		vfio_ap_nib_release_async(nib);
}

/**
 * vfio_ap_irq_step() - look whether an interrupt went off
 * @q: the queue
 *
 * Context: process; expects the queue's lock, takes nib_lock.
 * Return: true if there is nothing (more) to wait for.
 */
bool vfio_ap_irq_step(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&q->lock);

	if (!q->nib || !q->irq_off_pending)
		return true;
	if (q->disable)
		irq_disable(q);
	if (!irq_off(q))
		return false;
	vfio_ap_irq_cleared(q);
	return true;
}

/* The guest loses the page under a NIB. */
static void irq_disuse(struct vfio_ap_nib *nib)
{
	struct vfio_ap_queue *q = nib->q;

	scoped_guard(mutex, &q->lock) {
		/* An unbound queue is somebody else's, and being reset. */
		if (q->nib == nib && q->state != VFIO_AP_QUEUE_UNBOUND) {
			irq_stop(q);
			if (irq_off(q))
				vfio_ap_irq_cleared(q);
			else
				irq_watch(q, NSEC_PER_MSEC / 2);
		}
	}
	vfio_ap_nib_revoke(nib);
}

static void irq_return(struct ap_matrix_mdev *mdev,
		       const struct vfio_ap_range *range)
{
	struct vfio_ap_nib *nib;

	while ((nib = vfio_ap_nib_take_used(mdev, range))) {
		irq_disuse(nib);
		vfio_ap_nib_put(nib);
	}
}

/*
 * A task that pins or returns a page may wait for a lock that our caller keeps
 * another task from releasing, so the wait has an end; type 1 asks again.
 * Returns true if the range has to stay closed until the device is closed.
 */
static bool irq_unmap_type1(struct ap_matrix_mdev *mdev,
			    const struct vfio_ap_range *range)
{
	bool often;

	/* It asks if any device of the container has a pin, so count each time. */
	often = vfio_ap_nib_unmap_count(mdev) >= UNMAPS_OF_NIBS_MAX;
	irq_return(mdev, range);
	return !wait_event_idle_timeout(mdev->nib_wait,
					vfio_ap_nib_none_left(mdev, range),
					msecs_to_jiffies(UNMAP_WAIT_MS)) ||
	       often;
}

/**
 * vfio_ap_irq_unmap() - VFIO unmaps memory of a guest
 * @mdev: the guest's mdev
 * @iova: first guest address of the range
 * @length: its length in bytes
 *
 * On return VFIO has back what it had pinned in the range, or, with type 1, is
 * about to. Queues with a NIB elsewhere are left alone.
 *
 * Context: process, may sleep; VFIO holds locks that pinning takes. Takes the
 *	    locks of the queues concerned, nib_lock and poll_lock.
 */
void vfio_ap_irq_unmap(struct ap_matrix_mdev *mdev, u64 iova, u64 length)
{
	struct vfio_ap_unmap u = {
		.range = { .first = iova, .last = iova + length - 1 }
	};
	bool close = false;

	if (!length)
		return;
	if (u.range.last < iova)
		u.range.last = U64_MAX;

	vfio_ap_nib_unmap_begin(&u, mdev);
	if (mdev->vdev.iommufd_access) {
		/* Called once, with nothing held that returning a pin takes */
		irq_return(mdev, &u.range);
		wait_event_idle(mdev->nib_wait,
				vfio_ap_nib_none_left(mdev, &u.range));
	} else {
		close = irq_unmap_type1(mdev, &u.range);
	}
	vfio_ap_nib_unmap_end(&u, mdev, close);
}

/**
 * vfio_ap_irq_abandon() - the driver goes, an interrupt is still on
 * @q: the queue
 *
 * Leaks the page and the guest: the adapter may write to them at any time.
 *
 * Context: process; expects the queue's lock.
 */
void vfio_ap_irq_abandon(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&q->lock);

	if (!q->nib)
		return;
	pr_warn("%02x.%04x: interrupt not off, leaking the page it writes to\n",
		AP_QID_CARD(q->apqn), AP_QID_QUEUE(q->apqn));
	vfio_ap_dbf_event(VFIO_AP_DBF_ERR,
			  "%02x.%04x: interrupt not off, page leaked\n",
			  AP_QID_CARD(q->apqn), AP_QID_QUEUE(q->apqn));
	q->nib = NULL;
}
