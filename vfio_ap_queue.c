// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queues: their objects, their index, and what the masks say of their state.
 */
#include <linux/build_bug.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "vfio_ap_private.h"

/* What a queue may cost, also with all that a debug kernel adds to a lock */
static_assert(sizeof(struct vfio_ap_queue) <= 512);

/**
 * vfio_ap_queue_find() - find a bound queue
 * @apqn: its APQN
 *
 * Context: any; expects mdevs_lock or RCU.
 * Return: the queue, NULL if no such queue is bound.
 */
struct vfio_ap_queue *vfio_ap_queue_find(u16 apqn)
{
	struct vfio_ap_queue *q;

	hash_for_each_possible_rcu(matrix_dev->queues, q, index, apqn,
				   lockdep_is_held(&matrix_dev->mdevs_lock))
		if (q->apqn == apqn)
			return q;
	return NULL;
}

/**
 * vfio_ap_queue_get() - find a bound queue, and keep it
 * @apqn: its APQN
 *
 * Context: any.
 * Return: the queue with a reference, NULL if no such queue is bound.
 */
struct vfio_ap_queue *vfio_ap_queue_get(u16 apqn)
{
	struct vfio_ap_queue *q;

	guard(rcu)();
	q = vfio_ap_queue_find(apqn);
	return q && kref_get_unless_zero(&q->ref) ? q : NULL;
}

/**
 * vfio_ap_queue_arm() - have the poller run, unless it does earlier
 * @due: when, in ns of CLOCK_MONOTONIC
 *
 * Context: process; expects poll_lock.
 */
void vfio_ap_queue_arm(u64 due)
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

static void vfio_ap_queue_vm_free(struct vfio_ap_vm *vm)
{
	kvm_put_kvm(vm->kvm);
	kfree(vm);
}

static void vfio_ap_queue_vm_work(struct work_struct *work)
{
	vfio_ap_queue_vm_free(container_of(work, struct vfio_ap_vm, work));
}

/**
 * vfio_ap_queue_vm_alloc() - make what queues keep of a guest
 * @kvm: the guest
 *
 * Context: process, may sleep.
 * Return: the vm with one user and a reference to the guest; NULL if there is
 *	   no memory.
 */
struct vfio_ap_vm *vfio_ap_queue_vm_alloc(struct kvm *kvm)
{
	struct vfio_ap_vm *vm;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return NULL;
	refcount_set(&vm->refs, 1);
	INIT_WORK(&vm->work, vfio_ap_queue_vm_work);
	vm->kvm = kvm;
	kvm_get_kvm(kvm);
	return vm;
}

/**
 * vfio_ap_queue_vm_put() - an mdev does not use a guest any more
 * @vm: the guest
 *
 * Context: process, may sleep for the end of the guest; no lock of the driver may
 *	    be held.
 */
void vfio_ap_queue_vm_put(struct vfio_ap_vm *vm)
{
	if (refcount_dec_and_test(&vm->refs))
		vfio_ap_queue_vm_free(vm);
}

/**
 * vfio_ap_queue_keep_vm() - note which guest a queue may be bound to
 * @q: the queue, about to leave its guest
 * @vm: the guest, NULL if there is none
 *
 * The ultravisor does not destroy a protected guest that has a bound queue, and
 * KVM would lose the memory that the guest has donated. So the guest stays until
 * the reset of the queue is verified.
 *
 * Context: process; expects the queue's lock.
 */
void vfio_ap_queue_keep_vm(struct vfio_ap_queue *q, struct vfio_ap_vm *vm)
{
	lockdep_assert_held(&q->lock);

	if (!vm || q->vm || !mm_is_protected(vm->kvm->mm))
		return;
	refcount_inc(&vm->refs);
	q->vm = vm;
}

/**
 * vfio_ap_queue_drop_vm() - a queue is not bound to a guest any more
 * @q: the queue, reset, or without an adapter
 *
 * Context: process; expects the queue's lock.
 */
void vfio_ap_queue_drop_vm(struct vfio_ap_queue *q)
{
	struct vfio_ap_vm *vm = q->vm;

	lockdep_assert_held(&q->lock);

	q->vm = NULL;
	/* It may be the end of the guest, which takes long. */
	if (vm && refcount_dec_and_test(&vm->refs))
		queue_work(matrix_dev->release_wq, &vm->work);
}

/**
 * vfio_ap_queue_publish() - let the masks say what the queue's state is
 * @q: the queue
 *
 * Context: process; expects mdevs_lock and the queue's lock.
 */
void vfio_ap_queue_publish(const struct vfio_ap_queue *q)
{
	struct ap_adapter *adapter = matrix_dev->adapter[AP_QID_CARD(q->apqn)];
	unsigned int apqi = AP_QID_QUEUE(q->apqn);
	bool resetting = q->state == VFIO_AP_QUEUE_RESETTING;
	bool down = q->state == VFIO_AP_QUEUE_OFFLINE;
	bool ready = q->state == VFIO_AP_QUEUE_CLEAN;

	lockdep_assert_held(&matrix_dev->mdevs_lock);
	lockdep_assert_held(&q->lock);

	/* The guest that has the queue keeps it; no other guest gets it. */
	if ((resetting || down) && q->keep)
		ready = ap_mask_test(&adapter->ready, apqi);

	ap_mask_assign(&adapter->bound, apqi, q->state != VFIO_AP_QUEUE_UNBOUND);
	ap_mask_assign(&adapter->failed, apqi,
		       q->state == VFIO_AP_QUEUE_FAILED);
	ap_mask_assign(&adapter->down, apqi, down);
	ap_mask_assign(&adapter->ready, apqi, ready);
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
void vfio_ap_queue_start(struct vfio_ap_queue *q)
{
	lockdep_assert_held(&q->lock);

	q->state = VFIO_AP_QUEUE_RESETTING;
	q->zapq = true;
	q->since = ktime_get_ns();
	q->tried = q->since;
}

static bool vfio_ap_queue_none_resetting(const struct ap_matrix *m)
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
 * vfio_ap_queue_wait_until() - wait until the queues of a matrix are not in reset
 * @m: the matrix
 * @end: when to give up, in jiffies
 *
 * Context: process, may sleep; no lock of the driver may be held. Takes and
 *	    releases guests_lock.
 * Return: positive when none is in reset; 0 when @end was reached; -ERESTARTSYS
 *	   on a fatal signal.
 */
long vfio_ap_queue_wait_until(const struct ap_matrix *m, unsigned long end)
{
	unsigned long now = jiffies;
	long rc;

	lockdep_assert_not_held(&matrix_dev->guests_lock);
	lockdep_assert_not_held(&matrix_dev->mdevs_lock);

	rc = wait_event_killable_timeout(matrix_dev->reset_wait,
					 vfio_ap_queue_none_resetting(m),
					 time_before(now, end) ? end - now : 0);
	/* The poller holds this lock until the guests have the news as well. */
	mutex_lock(&matrix_dev->guests_lock);
	mutex_unlock(&matrix_dev->guests_lock);
	return rc;
}

/**
 * vfio_ap_queue_wait() - give the resets of a matrix the time that they may take
 * @m: the matrix
 *
 * Context: process, may sleep up to VFIO_AP_WAIT_MS; see
 *	    vfio_ap_queue_wait_until().
 * Return: as vfio_ap_queue_wait_until().
 */
long vfio_ap_queue_wait(const struct ap_matrix *m)
{
	return vfio_ap_queue_wait_until(m, jiffies + VFIO_AP_WAIT);
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
	INIT_LIST_HEAD(&q->changed_node);
	q->due = VFIO_AP_NEVER;
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
 * @vm: its guest, NULL if there is none
 *
 * The caller has the queue's mdev evaluated, then releases the locks and calls
 * vfio_ap_reset_final().
 *
 * Context: process; expects mdevs_lock, takes the queue's lock.
 */
void vfio_ap_queue_unbind(struct vfio_ap_queue *q,
			  struct vfio_ap_vm *vm)
{
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	guard(mutex)(&q->lock);
	q->state = VFIO_AP_QUEUE_UNBOUND;
	/* Resets of its time with a guest say nothing about its end. */
	q->accepted = false;
	q->ap_queue = NULL;
	/* KVM may do without the guest's GISA from now on. */
	if (q->nib)
		vfio_ap_nib_unregister(q->nib);
	vfio_ap_queue_keep_vm(q, vm);
	vfio_ap_queue_publish(q);
	hash_del_rcu(&q->index);
	vfio_ap_dbf_event(VFIO_AP_DBF_INFO, "%02x.%04x: unbound\n",
			  AP_QID_CARD(q->apqn), AP_QID_QUEUE(q->apqn));
}

/**
 * vfio_ap_queue_in_host() - tell whether the host has a queue
 * @apqn: the queue
 *
 * Context: process; expects mdevs_lock.
 * Return: true if the bus found it when it last looked at QCI.
 */
bool vfio_ap_queue_in_host(u16 apqn)
{
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	return ap_matrix_has(&matrix_dev->host, AP_QID_CARD(apqn),
			     AP_QID_QUEUE(apqn));
}

/**
 * vfio_ap_queue_listed() - tell whether QCI lists a queue at this moment
 * @apqn: the queue
 *
 * The bus looks at QCI when it scans, so it may know less.
 *
 * Context: any.
 * Return: true if it does, or if the host has no QCI.
 */
bool vfio_ap_queue_listed(u16 apqn)
{
	struct ap_config_info info = {};
	struct ap_matrix host;

	if (!matrix_dev->has_qci || ap_qci(&info))
		return true;
	host = vfio_ap_matrix_of(&info);
	return ap_matrix_has(&host, AP_QID_CARD(apqn), AP_QID_QUEUE(apqn));
}

/**
 * vfio_ap_queue_init() - make the index, and the list of polled queues
 *
 * Context: module load.
 */
void vfio_ap_queue_init(void)
{
	hash_init(matrix_dev->queues);
	init_waitqueue_head(&matrix_dev->reset_wait);
	INIT_LIST_HEAD(&matrix_dev->polled);
	spin_lock_init(&matrix_dev->poll_lock);
}

/**
 * vfio_ap_queue_exit() - undo what vfio_ap_queue_bind() left
 *
 * Context: module unload, when no queue is bound or polled any more.
 */
void vfio_ap_queue_exit(void)
{
	unsigned int apid;

	for (apid = 0; apid < AP_MASK_BITS; apid++)
		kfree(matrix_dev->adapter[apid]);
}
