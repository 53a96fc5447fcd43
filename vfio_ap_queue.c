// SPDX-License-Identifier: GPL-2.0-only
/*
 * Queue objects: the index by APQN, the masks of each adapter that reflect the
 * states of its queues, the poll schedule, and the reference to a former guest.
 * vfio_ap_reset.c resets queues, and vfio_ap_poll.c visits them.
 */
#include <linux/build_bug.h>
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "vfio_ap_private.h"

/* The limit includes the lock debugging of a debug kernel. */
static_assert(sizeof(struct vfio_ap_queue) <= 512);

/**
 * vfio_ap_queue_find() - find a bound queue
 * @apqn: the APQN of the queue
 *
 * Context: any; expects mdevs_lock or an RCU read-side critical section.
 * Return: the queue; NULL if no queue with this APQN is bound.
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
 * vfio_ap_queue_get() - find a bound queue and take a reference to it
 * @apqn: the APQN of the queue
 *
 * Context: any.
 * Return: the queue; NULL if no queue with this APQN is bound.
 */
struct vfio_ap_queue *vfio_ap_queue_get(u16 apqn)
{
	struct vfio_ap_queue *q;

	guard(rcu)();
	q = vfio_ap_queue_find(apqn);
	return q && kref_get_unless_zero(&q->ref) ? q : NULL;
}

/**
 * vfio_ap_queue_arm() - start the poll timer unless it expires earlier
 * @due: the expiry time in ns of CLOCK_MONOTONIC
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
 * vfio_ap_queue_poll() - schedule a poll of a queue
 * @q: the queue
 * @delay: the time until the poll in ns; 0 runs the poller at once
 *
 * If an early enough poll is pending, the function returns without poll_lock. A
 * guest that toggles its interrupt therefore does not contend with other guests.
 * The pending poll sees the caller's changes, because it needs the queue's lock.
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
 * vfio_ap_queue_vm_alloc() - take a guest reference for an mdev and its queues
 * @kvm: the guest
 *
 * Context: process, may sleep.
 * Return: the object with a reference count of 1; NULL without memory.
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
 * vfio_ap_queue_vm_put() - drop the reference of an mdev to its guest
 * @vm: the guest
 *
 * Context: process, may sleep while KVM destroys the guest; expects that no lock
 *	    of the driver is held.
 */
void vfio_ap_queue_vm_put(struct vfio_ap_vm *vm)
{
	if (refcount_dec_and_test(&vm->refs))
		vfio_ap_queue_vm_free(vm);
}

/**
 * vfio_ap_queue_keep_vm() - keep a protected guest until a queue is reset
 * @q: the queue, which leaves the guest
 * @vm: the guest; NULL if there is none
 *
 * A protected guest may have bound the queue. The ultravisor refuses to destroy a
 * guest with a bound queue, and KVM then leaks the memory that KVM donated to the
 * ultravisor. The queue therefore holds a reference until its reset is verified.
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
 * vfio_ap_queue_drop_vm() - drop the reference of a queue to its former guest
 * @q: the queue, which has been reset or is not available to the host
 *
 * Context: process; expects the queue's lock.
 */
void vfio_ap_queue_drop_vm(struct vfio_ap_queue *q)
{
	struct vfio_ap_vm *vm = q->vm;

	lockdep_assert_held(&q->lock);

	q->vm = NULL;
	/* Destroy the guest from a work item, because the caller holds locks. */
	if (vm && refcount_dec_and_test(&vm->refs))
		queue_work(matrix_dev->release_wq, &vm->work);
}

/**
 * vfio_ap_queue_publish() - update the adapter's masks from a queue's state
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

	/* During VFIO_DEVICE_RESET the queue stays in its guest's shadow APCB. */
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
 * vfio_ap_queue_start() - set a queue RESETTING and start the reset timeout
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
 * vfio_ap_queue_wait_until() - wait until no queue of a matrix is RESETTING
 * @m: the matrix
 * @end: the end of the wait in jiffies
 *
 * Context: process, may sleep; expects that no lock of the driver is held. Takes
 *	    and releases guests_lock.
 * Return: a positive value if no queue is RESETTING; 0 at @end; -ERESTARTSYS
 *	   after a fatal signal.
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
	/* Wait for the poller, which updates the guests under guests_lock. */
	mutex_lock(&matrix_dev->guests_lock);
	mutex_unlock(&matrix_dev->guests_lock);
	return rc;
}

/**
 * vfio_ap_queue_wait() - wait for the resets of a matrix, 2.5 s at most
 * @m: the matrix
 *
 * Context: see vfio_ap_queue_wait_until().
 * Return: see vfio_ap_queue_wait_until().
 */
long vfio_ap_queue_wait(const struct ap_matrix *m)
{
	return vfio_ap_queue_wait_until(m, jiffies + VFIO_AP_WAIT);
}

/**
 * vfio_ap_queue_any_failed() - check a matrix for failed resets
 * @m: the matrix
 *
 * Context: process, may sleep. Takes mdevs_lock.
 * Return: true if a bound queue of @m is FAILED.
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
 * vfio_ap_queue_bind() - create a queue object and start its first reset
 * @apqn: the APQN of the queue
 * @ap_queue: the AP bus's object of the queue
 *
 * Context: process, may sleep. Takes mdevs_lock, the queue's lock and poll_lock.
 * Return: the queue; -ENOMEM without memory; -EBUSY if a queue with this APQN is
 *	   bound.
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
	/* matrix_dev->host may not contain the new queue yet: do not test it. */
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
 * vfio_ap_queue_unbind() - set a queue UNBOUND and remove it from the index
 * @q: the queue
 * @vm: the guest that has the queue; NULL if there is none
 *
 * The caller then evaluates the mdev of the queue, releases the locks and calls
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
	/* Of an UNBOUND queue, @accepted refers to resets after the unbind. */
	q->accepted = false;
	q->ap_queue = NULL;
	/* KVM may disable the GISA of the guest as soon as the queue has left. */
	if (q->nib)
		vfio_ap_nib_unregister(q->nib);
	vfio_ap_queue_keep_vm(q, vm);
	vfio_ap_queue_publish(q);
	hash_del_rcu(&q->index);
	vfio_ap_dbf_event(VFIO_AP_DBF_INFO, "%02x.%04x: unbound\n",
			  AP_QID_CARD(q->apqn), AP_QID_QUEUE(q->apqn));
}

/**
 * vfio_ap_queue_in_host() - check the host configuration for a queue
 * @apqn: the APQN of the queue
 *
 * Context: process; expects mdevs_lock.
 * Return: true if the host configuration of the last bus scan has the queue.
 */
bool vfio_ap_queue_in_host(u16 apqn)
{
	lockdep_assert_held(&matrix_dev->mdevs_lock);

	return ap_matrix_has(&matrix_dev->host, AP_QID_CARD(apqn),
			     AP_QID_QUEUE(apqn));
}

/**
 * vfio_ap_queue_listed() - check QCI for a queue
 * @apqn: the APQN of the queue
 *
 * QCI shows a configuration change earlier than vfio_ap_queue_in_host(), which
 * depends on a scan by the AP bus.
 *
 * Context: any.
 * Return: true if QCI lists the queue, is not available, or fails.
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
 * vfio_ap_queue_init() - initialize the index and the list of polled queues
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
 * vfio_ap_queue_exit() - free the masks of all adapters
 *
 * Context: module unload, after the last queue left index and poll list.
 */
void vfio_ap_queue_exit(void)
{
	unsigned int apid;

	for (apid = 0; apid < AP_MASK_BITS; apid++)
		kfree(matrix_dev->adapter[apid]);
}
