// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts of queues: AQIC of guests, and the disabling of interrupts when
 * VFIO unmaps guest memory. The NIB pages are managed in vfio_ap_nib.c.
 *
 * After a disable, the poller issues TAPQ until the interrupt is off.
 */
#include <linux/lockdep.h>
#include <linux/mm.h>

#include "vfio_ap_private.h"
#include "vfio_ap_trace.h"

/*
 * vfio_iommu_type1 calls BUG() if a range still has pins after ten retries.
 * While type1 waits for iommu->lock between retries, the guest may pin again.
 * After UNMAPS_OF_NIBS_MAX calls, ranges therefore stay closed to new pins.
 */
#define UNMAP_WAIT_MS		2000
#define UNMAPS_OF_NIBS_MAX	8

/*
 * Delay between a guest's disable and the first poll of the interrupt. A guest
 * that enables with the same NIB page within this time reuses the pin.
 */
#define LINGER_NS		(10 * NSEC_PER_MSEC)

static struct ap_queue_status irq_status(unsigned int response)
{
	union ap_queue_status_reg reg = {};

	reg.status.response_code = response;
	return reg.status;
}

/* Return true if the adapter has stopped writing to the NIB. */
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
		/* The AP bus issues this reset when it unbinds a queue. */
		if (q->state == VFIO_AP_QUEUE_UNBOUND)
			q->accepted = true;
		return false;
	case AP_RESPONSE_BUSY:
	case AP_RESPONSE_STATE_CHANGE_IN_PROGRESS:
		return false;
	default:
		if (status.irq_enabled)
			q->unseen = false;
		/* Until a disable is accepted, an enable may take effect. */
		if (q->disable)
			return false;
		/* An accepted enable takes effect within this time. */
		if (q->unseen &&
		    ktime_get_ns() - q->stopped < VFIO_AP_SETTLE_NS)
			return false;
		/* An interrupt that is on after the reset is the next user's. */
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
		/* Retry as long as an accepted enable may take effect. */
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

/* The interrupt is off: pass the adapter's reference on to the caller. */
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

	/* KVM_PV_ENABLE destroys the GISA, see kvm_s390_gisa_disable(). */
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

/* On return, *@nib is the NIB that the caller has to release, or NULL. */
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
	/* The next evaluation removes the queue from the shadow APCB. */
	if (!q->keep && q->state != VFIO_AP_QUEUE_CLEAN)
		return irq_status(AP_RESPONSE_RESET_IN_PROGRESS);
	/*
	 * VFIO is unmapping the page. An unmap that starts after this check
	 * finds the NIB in q->nib.
	 */
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
		/* A previous user left the interrupt on: disable and retry. */
		irq_disable(q);
		status = irq_status(AP_RESPONSE_BUSY);
		if (irq_off(q))
			status = irq_issue_enable(q, *nib, gpa);
		q->disable = false;
	} else if (status.response_code == AP_RESPONSE_OTHERWISE_CHANGED &&
		   q->irq_off_pending) {
		/* The disable is in progress: BUSY makes the guest retry. */
		status = irq_status(AP_RESPONSE_BUSY);
	}
	/* A refused enable leaves the previous interrupt unchanged. */
	if (status.response_code != AP_RESPONSE_NORMAL)
		return status;
	swap(q->nib, *nib);
	q->irq_off_pending = false;
	q->disable = false;
	return status;
}

/*
 * An unmap marks a NIB as revoked, takes the queue's lock, and then unpins.
 * While the caller holds that lock, a NIB without the mark stays pinned.
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

/* Return false if the caller has to pin the page. */
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
	/* The disable is in progress: BUSY makes the guest retry. */
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

	/* Without AIV, the guest has to poll its queues. */
	if (!(vcpu->arch.sie_block->eca & ECA_AIV))
		return irq_status(AP_RESPONSE_INVALID_ADDRESS);
	/* For a protected guest, each enable pins the page as shared. */
	if (!vcpu->arch.pv.handle &&
	    irq_enable_again(q, mdev, gpa, gisc, &status))
		return status;
	nib = vfio_ap_nib_make(vcpu, mdev, q, gpa);
	/* A later attempt may find memory, or an open range: return BUSY. */
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

/* The page stays pinned until the poller sees that the interrupt is off. */
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
	/* A protected guest can unshare its page only after the unpin. */
	irq_watch(q, vcpu->arch.pv.handle ? 0 : LINGER_NS);
	return status;
}

/**
 * vfio_ap_irq_aqic() - handle PQAP(AQIC) of a guest
 * @vcpu: vCPU that issued the instruction
 *
 * The guest passes the APQN in general register 0, union ap_qirq_ctrl (see
 * asm/ap.h) in register 1 and the NIB's address in register 2. The driver
 * returns the status word in register 1.
 *
 * Context: process; may sleep until guest memory is present. KVM holds
 *	    pqap_hook_rwsem for reading. Takes the queue's lock, nib_lock and
 *	    poll_lock.
 * Return: 0 always; the status word has the result.
 */
int vfio_ap_irq_aqic(struct kvm_vcpu *vcpu)
{
	u64 *gprs = vcpu->run->s.regs.gprs;
	struct ap_matrix_mdev *mdev;
	struct vfio_ap_queue *q = NULL;
	/* User space can change the registers at any time: read them once. */
	union ap_qirq_ctrl control = { .value = READ_ONCE(gprs[1]) };
	u16 apqn = READ_ONCE(gprs[0]);
	union ap_queue_status_reg answer = {};

	mdev = container_of(vcpu->kvm->arch.crypto.pqap_hook,
			    struct ap_matrix_mdev, pqap_hook);
	/* Reject APQNs outside the shadow APCB before accessing guest memory. */
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
 * vfio_ap_irq_unregister_gisc() - unregister the GISC of a queue's interrupt
 * @q: queue that was, or is about to be, removed from its guest
 *
 * KVM may destroy the GISA afterwards. The NIB keeps its reference to the page
 * until the interrupt is off.
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
 * vfio_ap_irq_cleared() - release the NIB of an interrupt that is off
 * @q: queue of the interrupt
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
 * vfio_ap_irq_step() - poll an interrupt that is being disabled
 * @q: queue of the interrupt
 *
 * Context: process; expects the queue's lock, takes nib_lock.
 * Return: true if no further poll is needed.
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

/* Unpin even if the interrupt is on: the NIB has its own page reference. */
static void irq_disuse(struct vfio_ap_nib *nib)
{
	struct vfio_ap_queue *q = nib->q;

	scoped_guard(mutex, &q->lock) {
		/* After unbind, the AP bus resets the queue. */
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
 * An unpin may wait for a lock whose holder waits for our caller. So the wait
 * has a timeout; type1 retries while pages are pinned. Return true if the range
 * has to stay closed until the device is closed.
 */
static bool irq_unmap_type1(struct ap_matrix_mdev *mdev,
			    const struct vfio_ap_range *range)
{
	bool often;

	/* Another device in the container may have the pin: count each call. */
	often = vfio_ap_nib_unmap_count(mdev) >= UNMAPS_OF_NIBS_MAX;
	irq_return(mdev, range);
	return !wait_event_idle_timeout(mdev->nib_wait,
					vfio_ap_nib_none_left(mdev, range),
					msecs_to_jiffies(UNMAP_WAIT_MS)) ||
	       often;
}

/**
 * vfio_ap_irq_unmap() - return the pins of a range that VFIO unmaps
 * @mdev: mdev of the guest
 * @iova: first guest address of the range
 * @length: length of the range in bytes; 0 has no effect
 *
 * Disables the interrupts whose NIB is in the range. With iommufd, VFIO has its
 * pins back on return. With type1, the wait ends after UNMAP_WAIT_MS and a work
 * item returns the remaining pins.
 *
 * Context: process, may sleep; type1 holds device_list_lock. Takes nib_lock,
 *	    poll_lock and the locks of the queues with a NIB in the range.
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
		/* iommufd blocks new pins and holds no lock that unpinning takes. */
		irq_return(mdev, &u.range);
		wait_event_idle(mdev->nib_wait,
				vfio_ap_nib_none_left(mdev, &u.range));
	} else {
		close = irq_unmap_type1(mdev, &u.range);
	}
	vfio_ap_nib_unmap_end(&u, mdev, close);
}

/**
 * vfio_ap_irq_abandon() - leak the NIB of an interrupt that is still on
 * @q: queue of the interrupt
 *
 * At module unload, the adapter may still write to the page and to the guest's
 * GISA. So both are leaked.
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
