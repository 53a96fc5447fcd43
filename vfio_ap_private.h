/* SPDX-License-Identifier: GPL-2.0-only */
/* The map of the driver: its objects, its locks, and who offers what */
#ifndef VFIO_AP_PRIVATE_H
#define VFIO_AP_PRIVATE_H

#include <linux/build_bug.h>
#include <linux/cleanup.h>
#include <linux/device.h>
#include <linux/eventfd.h>
#include <linux/hashtable.h>
#include <linux/hrtimer.h>
#include <linux/kref.h>
#include <linux/kvm_host.h>
#include <linux/mdev.h>
#include <linux/mutex.h>
#include <linux/seqlock.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/vfio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "compat/ap_bus_contract.h"
#include "vfio_ap_debug.h"
#include "vfio_ap_matrix.h"

#define VFIO_AP_MODULE_NAME	"vfio_ap"
#define VFIO_AP_DEVICE_API	"vfio-ap"

/*
 * A reset that takes longer than the first fails. Waiters time out after the
 * second, which is longer, so that they see the failure rather than a timeout.
 */
#define VFIO_AP_RESET_MS	2000
#define VFIO_AP_WAIT_MS		2500
#define VFIO_AP_WAIT		msecs_to_jiffies(VFIO_AP_WAIT_MS)

/* How long a completed reset, or an accepted enable, may take to show its effect */
#define VFIO_AP_SETTLE_NS	(40 * NSEC_PER_MSEC)

/* The first look at a reset comes after this time, see vfio_ap_reset_delay() */
#define VFIO_AP_POLL_MIN_NS	(50 * NSEC_PER_USEC)
#define VFIO_AP_NEVER		U64_MAX

/* Indices of SET_IRQS, as linux/vfio.h of new kernels has them */
enum vfio_ap_event {
	VFIO_AP_EVENT_REQ,
	VFIO_AP_EVENT_CFG_CHG,
	VFIO_AP_EVENTS
};

struct vfio_ap_addition;
struct vfio_ap_nib;

/* A range of guest memory, from its first to its last address */
struct vfio_ap_range {
	u64 first;
	u64 last;
};

/* Buckets of the index of queues: 8 KiB; 4,096 queues make four in a bucket */
#define VFIO_AP_INDEX_BITS	10

/**
 * struct vfio_ap_vm - a guest that has queues, or had them
 * @refs: the mdev as long as it is attached; each queue that left the guest when
 *	that was protected, until its reset is verified
 * @kvm: the guest, with a reference
 * @work: gives up the reference where that cannot be done on the spot
 */
struct vfio_ap_vm {
	refcount_t refs;
	struct kvm *kvm;
	struct work_struct work;
};

/**
 * struct ap_matrix_mdev - a mediated device: a matrix, and perhaps a guest
 * @vdev: what VFIO knows of it; its lifetime is this object's
 * @node: in &ap_matrix_dev.mdev_list
 * @mdev: the device in sysfs
 * @apid_max: largest adapter number that can be assigned; constant
 * @apqi_max: largest domain number that can be assigned; constant
 * @matrix: what the administrator assigned; changed under guests_lock and
 *	mdevs_lock, either of them is enough to look at it
 * @shadow_apcb: what the guest has, or would have; [mdevs_lock], written under
 *	shadow_lock as well
 * @shadow_lock: for AQIC, which looks at the shadow without mdevs_lock; a leaf
 * @aqm_pending: domains assigned or added to the host of late, not passed before
 *	their queues are reset; [mdevs_lock]
 * @release_requested: VFIO asked for the device back, nothing is plugged any
 *	more; [mdevs_lock]
 * @outdated: what @shadow_apcb depends on has changed; [guests_lock]
 * @kvm: the guest; changed under guests_lock and mdevs_lock, either of them
 *	is enough to look at it, plugging needs guests_lock and kvm->lock
 * @vm: the guest as queues know it; set and cleared with @kvm
 * @pqap_hook: what KVM calls for AQIC; constant
 * @event: eventfds of user space; [mdevs_lock]
 * @evaluate_work: evaluates this mdev alone, when its kvm->lock was taken
 * @release_wq: where pins of this mdev are returned; may wait for its VMM
 * @nibs: NIB pages that VFIO has pinned for this mdev; [nib_lock]
 * @nib_wait: woken when a NIB leaves @nibs
 * @unmaps: ranges that VFIO is unmapping; [nib_lock]
 * @closed: where no page is pinned any more before the device is closed, empty
 *	if the first address is larger than the last; [nib_lock]
 * @unmaps_of_nibs: how often type 1 unmapped memory that had a NIB; [nib_lock]
 */
struct ap_matrix_mdev {
	struct vfio_device vdev;
	struct list_head node;
	struct mdev_device *mdev;
	unsigned int apid_max;
	unsigned int apqi_max;
	struct ap_matrix matrix;
	struct ap_matrix shadow_apcb;
	seqlock_t shadow_lock; /* shadow_apcb, next to mdevs_lock */
	struct ap_mask aqm_pending;
	bool release_requested;
	bool outdated;
	struct kvm *kvm;
	struct vfio_ap_vm *vm;
	crypto_hook pqap_hook;
	struct eventfd_ctx *event[VFIO_AP_EVENTS];
	struct work_struct evaluate_work;
	struct workqueue_struct *release_wq;
	struct list_head nibs;
	wait_queue_head_t nib_wait;
	struct list_head unmaps;
	struct vfio_ap_range closed;
	unsigned int unmaps_of_nibs;
};

/**
 * enum vfio_ap_queue_state - where the life of a queue stands
 * @VFIO_AP_QUEUE_RESETTING: a reset is wanted or under way, not verified
 * @VFIO_AP_QUEUE_CLEAN: a reset was verified; nobody but a guest that has the
 *	queue changed anything since
 * @VFIO_AP_QUEUE_OFFLINE: a reset is wanted, but the queue is deconfigured or
 *	checkstopped, or the host has lost it; the driver goes on trying
 * @VFIO_AP_QUEUE_FAILED: the reset was refused, or not verified in time; the
 *	driver goes on trying
 * @VFIO_AP_QUEUE_UNBOUND: not bound any more; stays until its interrupt is off
 */
enum vfio_ap_queue_state {
	VFIO_AP_QUEUE_RESETTING,
	VFIO_AP_QUEUE_CLEAN,
	VFIO_AP_QUEUE_OFFLINE,
	VFIO_AP_QUEUE_FAILED,
	VFIO_AP_QUEUE_UNBOUND,
};

/**
 * struct vfio_ap_queue - a queue that is, or was, bound to the driver
 * @ref: references; the index holds one, so does the list of polled queues,
 *	and so does each NIB
 * @rcu: for the lookup without a lock
 * @index: in &ap_matrix_dev.queues
 * @apqn: AP_MKQID(APID, APQI); constant
 * @lock: guards what follows, and makes a sequence of PQAPs to the queue one
 * @ap_queue: the bus's object, NULL after unbind
 * @state: see enum vfio_ap_queue_state
 * @zapq: the next step of the reset is ZAPQ, otherwise TAPQ
 * @again: another ZAPQ has to follow the one under way
 * @keep: the queue stays in its guest while it is being reset, or is DOWN
 * @lost: DOWN because the host does not have the queue: QCI tells when to go on
 * @unseen: an enable was accepted and the interrupt not seen on since, so one that
 *	is off proves nothing
 * @told: the kernel log says that the reset failed
 * @accepted: the last ZAPQ was accepted; after unbind: a reset is under way
 * @disable: AQIC to disable has to be issued again
 * @nib: where the adapter may still write, NULL if it may not
 * @irq_off_pending: nobody wants @nib any more, wait for the interrupt to be off
 * @vm: the protected guest that the queue may still be bound to, or NULL
 * @nib_cache: a NIB that was used and can be used again, or NULL; whoever exchanges
 *	it for something else has it
 * @since: when the current reset began, or the host changed since, in ns of
 *	CLOCK_MONOTONIC
 * @tried: when something was done last that is waited for, the same
 * @stopped: when the interrupt was to go off, the same
 * @response: the last response code, for messages
 * @node: in &ap_matrix_dev.polled, or empty; [poll_lock]
 * @due: when to poll, in ns of CLOCK_MONOTONIC; the largest number if it is not
 *	among the polled ones, or the poller is looking at it and nobody asked
 *	for more since; [poll_lock], who has the queue's lock may look at it
 * @changed_node: in the poller's list of queues that changed; poller only
 */
struct vfio_ap_queue {
	struct kref ref;
	struct rcu_head rcu;
	struct hlist_node index;
	u16 apqn;
	struct mutex lock; /* what follows, and the order of PQAPs */
	struct ap_queue *ap_queue;
	enum vfio_ap_queue_state state;
	bool zapq:1;
	bool again:1;
	bool keep:1;
	bool lost:1;
	bool unseen:1;
	bool told:1;
	bool accepted:1;
	bool disable:1;
	bool irq_off_pending:1;
	u8 response;
	struct vfio_ap_nib *nib;
	struct vfio_ap_vm *vm;
	struct vfio_ap_nib *nib_cache;
	u64 since;
	u64 tried;
	u64 stopped;
	struct list_head node;
	u64 due;
	struct list_head changed_node;
};

/* A vCPU is asking for the pin, VFIO counts it, it is being given back */
enum vfio_ap_nib_pin {
	VFIO_AP_NIB_PINNING,
	VFIO_AP_NIB_PINNED,
	VFIO_AP_NIB_RETURNING,
};

/**
 * struct vfio_ap_nib - a page with a notification indicator byte
 * @refs: one of the adapter, one of VFIO
 * @node: in &ap_matrix_mdev.nibs as long as VFIO is an owner; [nib_lock]
 * @pin: where the pin stands; whoever makes PINNED RETURNING has to give it
 *	back
 * @revoked: nobody wants the pin any more; set under nib_lock before @pin is
 *	looked at, looked at after @pin was made PINNED
 * @mdev: whose pin it is; valid as long as the NIB is in the list
 * @q: the queue, with a reference
 * @kvm: the guest, with a reference
 * @page: the page, with a reference of our own next to the pin
 * @iova: guest address of the page
 * @gisc: the guest's interruption subclass, 0 to 7
 * @nisc: the host's interruption subclass for it, valid if @has_gisc
 * @has_gisc: @gisc is registered
 * @adapter_done: the adapter's share is to be given up by @work; [nib_lock]
 * @off: the adapter does not use the page any more; [nib_lock]
 * @work: gives up shares where that cannot be done on the spot; has a share of
 *	its own meanwhile
 */
struct vfio_ap_nib {
	refcount_t refs;
	struct list_head node;
	enum vfio_ap_nib_pin pin;
	bool revoked;
	struct ap_matrix_mdev *mdev;
	struct vfio_ap_queue *q;
	struct kvm *kvm;
	struct page *page;
	dma_addr_t iova;
	u8 gisc;
	u8 nisc;
	bool has_gisc;
	bool adapter_done;
	bool off;
	struct work_struct work;
};

/* Here, so that a NIB can give up its reference to its queue by itself */
static inline void vfio_ap_queue_free(struct kref *ref)
{
	struct vfio_ap_queue *q = container_of(ref, struct vfio_ap_queue, ref);

	mutex_destroy(&q->lock);
	kfree(q->nib_cache);
	kfree_rcu(q, rcu);
}

/* Give up a reference */
static inline void vfio_ap_queue_put(struct vfio_ap_queue *q)
{
	kref_put(&q->ref, vfio_ap_queue_free);
}

/**
 * struct ap_matrix_dev - the driver's one and only root object
 * @device: the parent of all mdevs, /sys/devices/vfio_ap/matrix
 * @parent: what mdev knows of it
 * @guests_lock: guards @mdev_list and the use of KVM pointers to plug and
 *	unplug; see below
 * @mdevs_lock: guards the fields of mdevs, @host and the masks of @adapter
 * @mdev_list: all mdevs; changed under both locks, either is enough to walk
 * @has_qci: the host answers QCI; constant
 * @host: what the host has; [mdevs_lock]
 * @apid_max: largest adapter number of the host; [mdevs_lock]
 * @apqi_max: largest domain number of the host; [mdevs_lock]
 * @adapter: what is known of the queues of each adapter, NULL if none was ever
 *	bound; entries are made under mdevs_lock and stay until the driver goes;
 *	masks: [mdevs_lock]
 * @queues: bound queues by APQN; changed under mdevs_lock, read under RCU
 * @reset_wait: woken when queues left the state RESETTING, and when a guest or
 *	the host has lost queues
 * @polled: queues with a reset or an interrupt that somebody waits for;
 *	[poll_lock]
 * @nr_polled: how many there are, with those that the poller looks at right
 *	now; [poll_lock]
 * @poll_lock: guards @polled and @nr_polled; a leaf
 * @poll_timer: runs the poller when the first of them is due
 * @poll_work: the poller
 * @poll_wq: where the poller runs
 * @release_wq: where NIBs end, and mdevs are evaluated one by one
 * @nib_lock: guards the lists of NIBs, and who returns which pin; a leaf
 * @stopping: the module is being unloaded; [poll_lock]
 *
 * Lock order:
 *
 *   ap_attr_mutex > guests_lock > kvm->lock > mdevs_lock > queue->lock
 *   pqap_hook_rwsem > queue->lock
 *
 * Whoever plugs or unplugs takes all of the middle three, through functions of
 * vfio_ap_lock.c that try kvm->lock. None of the first line's locks is held while
 * waiting for hardware, for user memory, for a pin or to return one (KVM holds
 * pqap_hook_rwsem around AQIC, which pins); guests_lock is not even held while
 * waiting for kvm->lock.
 *
 * VFIO calls dma_unmap with locks held that pinning takes. So no lock that
 * vfio_ap_irq_unmap() takes is held around vfio_pin_pages() and
 * vfio_unpin_pages().
 */
struct ap_matrix_dev {
	struct device device;
	struct mdev_parent parent;
	struct mutex guests_lock; /* mdev_list; KVM pointers to plug with */
	struct mutex mdevs_lock; /* fields of mdevs, host, adapter */
	struct list_head mdev_list;
	bool has_qci;
	struct ap_matrix host;
	unsigned int apid_max;
	unsigned int apqi_max;
	struct ap_adapter *adapter[AP_MASK_BITS];
	DECLARE_HASHTABLE(queues, VFIO_AP_INDEX_BITS);
	wait_queue_head_t reset_wait;
	struct list_head polled;
	unsigned int nr_polled;
	spinlock_t poll_lock; /* polled, nr_polled, stopping */
	struct hrtimer poll_timer;
	struct work_struct poll_work;
	struct workqueue_struct *poll_wq;
	struct workqueue_struct *release_wq;
	spinlock_t nib_lock; /* lists of NIBs, and who returns a pin */
	bool stopping;
};

extern struct ap_matrix_dev *matrix_dev;

/* The masks of QCI have the layout of struct ap_mask, in words of 32 bits. */
static inline struct ap_matrix
vfio_ap_matrix_of(const struct ap_config_info *info)
{
	struct ap_matrix m;

	BUILD_BUG_ON(sizeof(m.apm) != sizeof(info->apm));
	memcpy(&m.apm, info->apm, sizeof(m.apm));
	memcpy(&m.aqm, info->aqm, sizeof(m.aqm));
	memcpy(&m.adm, info->adm, sizeof(m.adm));
	return m;
}

/* vfio_ap_assign.c: what the administrator assigns */
int vfio_ap_assign_change(struct ap_matrix_mdev *mdev,
			  const struct ap_matrix_delta *delta);

/* vfio_ap_guest.c: the one place that changes what a guest has */
struct ap_matrix_mdev *vfio_ap_guest_mdev_for_apqn(u16 apqn);
bool vfio_ap_guest_has(const struct ap_matrix_mdev *mdev, u16 apqn);
void vfio_ap_guest_set_shadow(struct ap_matrix_mdev *mdev,
			      const struct ap_matrix *shadow);
void vfio_ap_guest_evaluate(struct ap_matrix_mdev *mdev);
void vfio_ap_guest_outdate(u16 apqn);
struct vfio_ap_vm *vfio_ap_guest_vm(u16 apqn);
void vfio_ap_guest_outdate_all(const struct ap_matrix *changed);
void vfio_ap_guest_evaluate_outdated(void);
void vfio_ap_guest_wait_unplugged(u16 apqn);
void vfio_ap_guest_evaluate_work(struct work_struct *work);
int vfio_ap_guest_attach(struct ap_matrix_mdev *mdev, struct kvm *kvm);
void vfio_ap_guest_detach(struct ap_matrix_mdev *mdev);
void vfio_ap_guest_withdraw(struct ap_matrix_mdev *mdev);

/* vfio_ap_lock.c: the locks for a change of what a guest has */

/**
 * struct vfio_ap_locks - which locks vfio_ap_lock_acquire() took
 * @kvm: the guest whose lock is held, NULL if there is none
 * @waited: a reference to a guest that was waited for, to be given up when the
 *	locks are released; NULL if there is none
 * @added: what the AP bus was asked about; the lock of its attributes is held, so
 *	masks and driver_override stay as they were; NULL if there was nothing
 *	to ask
 */
struct vfio_ap_locks {
	struct kvm *kvm;
	struct kvm *waited;
	struct vfio_ap_addition *added;
};

void vfio_ap_lock_acquire(struct vfio_ap_locks *locks,
			  const struct ap_matrix_mdev *mdev);
int vfio_ap_lock_acquire_killable(struct vfio_ap_locks *locks,
				  const struct ap_matrix_mdev *mdev);
void vfio_ap_lock_acquire_kvm(struct vfio_ap_locks *locks, struct kvm *kvm);
void vfio_ap_lock_release(struct vfio_ap_locks *locks);
bool vfio_ap_lock_try_guest(struct vfio_ap_locks *locks,
			    const struct ap_matrix_mdev *mdev);
void vfio_ap_lock_release_guest(struct vfio_ap_locks *locks);
void vfio_ap_lock_assert_held(const struct ap_matrix_mdev *mdev);

/* vfio_ap_queue.c: queues, their index, and what the masks say of them */
struct vfio_ap_queue *vfio_ap_queue_find(u16 apqn);
struct vfio_ap_queue *vfio_ap_queue_get(u16 apqn);
struct vfio_ap_queue *vfio_ap_queue_bind(u16 apqn, struct ap_queue *ap_queue);
void vfio_ap_queue_unbind(struct vfio_ap_queue *q,
			  struct vfio_ap_vm *vm);
struct vfio_ap_vm *vfio_ap_queue_vm_alloc(struct kvm *kvm);
void vfio_ap_queue_vm_put(struct vfio_ap_vm *vm);
void vfio_ap_queue_keep_vm(struct vfio_ap_queue *q, struct vfio_ap_vm *vm);
void vfio_ap_queue_drop_vm(struct vfio_ap_queue *q);
void vfio_ap_queue_start(struct vfio_ap_queue *q);
void vfio_ap_queue_publish(const struct vfio_ap_queue *q);
void vfio_ap_queue_arm(u64 due);
void vfio_ap_queue_poll(struct vfio_ap_queue *q, u64 delay);
long vfio_ap_queue_wait(const struct ap_matrix *m);
long vfio_ap_queue_wait_until(const struct ap_matrix *m, unsigned long end);
bool vfio_ap_queue_any_failed(const struct ap_matrix *m);
bool vfio_ap_queue_in_host(u16 apqn);
bool vfio_ap_queue_listed(u16 apqn);
void vfio_ap_queue_init(void);
void vfio_ap_queue_exit(void);

/* vfio_ap_reset.c: resets of queues */
void vfio_ap_reset_queues(unsigned int apid, const struct ap_mask *domains,
			  const struct ap_mask *keep,
			  struct vfio_ap_vm *vm);
void vfio_ap_reset_matrix(const struct ap_matrix *m,
			  const struct ap_matrix *keep,
			  struct vfio_ap_vm *vm);
void vfio_ap_reset_retry(void);
u64 vfio_ap_reset_delay(const struct vfio_ap_queue *q);
bool vfio_ap_reset_gone_step(struct vfio_ap_queue *q);
u64 vfio_ap_reset_step(struct vfio_ap_queue *q);
u64 vfio_ap_reset_down_step(struct vfio_ap_queue *q);
void vfio_ap_reset_final(struct vfio_ap_queue *q, bool present);

/* vfio_ap_poll.c: the poller */
int vfio_ap_poll_init(void);
void vfio_ap_poll_exit(void);

/* vfio_ap_irq.c: interrupts of queues, AQIC */
int vfio_ap_irq_aqic(struct kvm_vcpu *vcpu);
bool vfio_ap_irq_step(struct vfio_ap_queue *q);
void vfio_ap_irq_cleared(struct vfio_ap_queue *q);
void vfio_ap_irq_unmap(struct ap_matrix_mdev *mdev, u64 iova, u64 length);
void vfio_ap_irq_unregister_gisc(struct vfio_ap_queue *q);
void vfio_ap_irq_abandon(struct vfio_ap_queue *q);

/* vfio_ap_nib.c: notification indicator bytes; calls no other room */

/* A range of guest memory that VFIO is unmapping */
struct vfio_ap_unmap {
	struct list_head node; /* in &ap_matrix_mdev.unmaps; [nib_lock] */
	struct vfio_ap_range range;
};

struct vfio_ap_nib *vfio_ap_nib_make(struct kvm_vcpu *vcpu,
				     struct ap_matrix_mdev *mdev,
				     struct vfio_ap_queue *q, u64 gpa);
void vfio_ap_nib_put(struct vfio_ap_nib *nib);
void vfio_ap_nib_unregister(struct vfio_ap_nib *nib);
void vfio_ap_nib_release(struct vfio_ap_nib *nib);
void vfio_ap_nib_release_async(struct vfio_ap_nib *nib);
void vfio_ap_nib_revoke(struct vfio_ap_nib *nib);
void vfio_ap_nib_unmap_begin(struct vfio_ap_unmap *u, struct ap_matrix_mdev *mdev);
void vfio_ap_nib_unmap_end(struct vfio_ap_unmap *u, struct ap_matrix_mdev *mdev,
			   bool close);
unsigned int vfio_ap_nib_unmap_count(struct ap_matrix_mdev *mdev);
struct vfio_ap_nib *vfio_ap_nib_take_used(struct ap_matrix_mdev *mdev,
					  const struct vfio_ap_range *range);
bool vfio_ap_nib_none_left(struct ap_matrix_mdev *mdev,
			   const struct vfio_ap_range *range);
long vfio_ap_nib_wait(struct ap_matrix_mdev *mdev, unsigned long end);
int vfio_ap_nib_pinned_by(struct ap_matrix_mdev *mdev);
void vfio_ap_nib_return_pins(struct ap_matrix_mdev *mdev);
int vfio_ap_nib_init_mdev(struct ap_matrix_mdev *mdev);
void vfio_ap_nib_exit_mdev(struct ap_matrix_mdev *mdev);
void vfio_ap_nib_init(void);

/* vfio_ap_bus.c: what the AP bus tells us, and what we ask it */

/**
 * struct vfio_ap_addition - APQNs that are added to an mdev
 * @rows: new adapters with all domains
 * @columns: new domains with all adapters
 * @answer: what the bus said about them: 0, -EADDRNOTAVAIL, or -EINTR if it was
 *	not asked to the end
 * @reserved: the APQN that made it say -EADDRNOTAVAIL
 */
struct vfio_ap_addition {
	struct ap_matrix rows;
	struct ap_matrix columns;
	int answer;
	u16 reserved;
};

int vfio_ap_bus_probe(struct ap_device *ap_dev);
void vfio_ap_bus_remove(struct ap_device *ap_dev);
int vfio_ap_bus_in_use(unsigned long *apm, unsigned long *aqm);
void vfio_ap_bus_config_changed(struct ap_config_info *now,
				struct ap_config_info *before);
void vfio_ap_bus_scan_complete(struct ap_config_info *now,
			       struct ap_config_info *before);
void vfio_ap_bus_init_host(const struct ap_config_info *info);
void vfio_ap_bus_check_owned(struct vfio_ap_addition *added);
void vfio_ap_bus_refresh_host(void);

/* vfio_ap_sysfs.c: attributes of mdevs, of queues and of the parent */
extern const struct attribute_group *vfio_ap_mdev_groups[];
extern const struct attribute_group **vfio_ap_parent_groups;
extern const struct attribute_group **vfio_ap_queue_groups;

/* vfio_ap_ops.c: mediated devices and their VFIO operations */
extern struct mdev_driver vfio_ap_mdev_driver;
int vfio_ap_mdev_register_parent(void);
void vfio_ap_mdev_unregister_parent(void);

#endif /* VFIO_AP_PRIVATE_H */
