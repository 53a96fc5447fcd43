/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map of the driver: its objects, the locks that protect them, and the
 * functions of each file. Masks and their arithmetic are in vfio_ap_matrix.h.
 *
 * A member described with "[L]" is protected by the lock L.
 */
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
 * A reset that takes longer than VFIO_AP_RESET_MS fails. Waiters time out after
 * VFIO_AP_WAIT_MS, which is longer so that they see the failure.
 */
#define VFIO_AP_RESET_MS	2000
#define VFIO_AP_WAIT_MS		2500
#define VFIO_AP_WAIT		msecs_to_jiffies(VFIO_AP_WAIT_MS)

/* Maximum delay until TAPQ shows a completed reset or an accepted enable */
#define VFIO_AP_SETTLE_NS	(40 * NSEC_PER_MSEC)

/* Delay before the first poll of a reset, see vfio_ap_reset_delay() */
#define VFIO_AP_POLL_MIN_NS	(50 * NSEC_PER_USEC)
#define VFIO_AP_NEVER		U64_MAX /* no poll is scheduled */

/* Indices of SET_IRQS; linux/vfio.h of 6.12 has only the first of them. */
enum vfio_ap_event {
	VFIO_AP_EVENT_REQ,
	VFIO_AP_EVENT_CFG_CHG,
	VFIO_AP_EVENTS
};

struct vfio_ap_addition;
struct vfio_ap_nib;

/* A range of guest addresses; both ends are included. */
struct vfio_ap_range {
	u64 first;
	u64 last;
};

/* The index has 1,024 buckets (8 KiB): four queues each if 4,096 are bound. */
#define VFIO_AP_INDEX_BITS	10

/**
 * struct vfio_ap_vm - a guest that its mdev and its queues keep alive
 * @refs: one for the attached mdev, one for each queue whose @vm points here
 * @kvm: the guest, with a reference
 * @work: drops the last reference where the caller holds a queue's lock
 */
struct vfio_ap_vm {
	refcount_t refs;
	struct kvm *kvm;
	struct work_struct work;
};

/**
 * struct ap_matrix_mdev - a mediated device with its matrix and its guest
 * @vdev: VFIO device; its lifetime is that of this object
 * @node: entry in &ap_matrix_dev.mdev_list
 * @mdev: device in sysfs
 * @apid_max: largest APID that can be assigned; constant
 * @apqi_max: largest APQI that can be assigned; constant
 * @matrix: assigned matrix; written under guests_lock and mdevs_lock, read
 *	under either
 * @shadow_apcb: shadow APCB; without a guest, the one that a guest would get;
 *	[mdevs_lock], written under @shadow_lock as well
 * @shadow_lock: protects AQIC's lockless reads of @shadow_apcb; a leaf
 * @aqm_pending: usage domains withheld until their queues are reset;
 *	[mdevs_lock]
 * @release_requested: VFIO has requested the device; @shadow_apcb evaluates
 *	to empty until the device is closed; [mdevs_lock]
 * @outdated: @shadow_apcb has to be evaluated again; [guests_lock]
 * @kvm: attached guest or NULL; written under guests_lock, kvm->lock and
 *	mdevs_lock; read under guests_lock or mdevs_lock, by AQIC without a lock
 * @vm: the same guest, for queues; NULL if @kvm is NULL
 * @pqap_hook: function that KVM calls for AQIC; constant
 * @event: eventfds of user space; [mdevs_lock]
 * @evaluate_work: evaluates this mdev if its kvm->lock was contended
 * @release_wq: returns the pins of this mdev; may wait for its VMM
 * @nibs: NIBs that are pinned or being pinned; [nib_lock]
 * @nib_wait: woken when a NIB leaves @nibs
 * @unmaps: ranges that VFIO is unmapping; [nib_lock]
 * @closed: range where pins are refused until the device is closed; empty if
 *	first > last; [nib_lock]
 * @unmaps_of_nibs: unmaps by type 1 since the device was opened; [nib_lock]
 */
struct ap_matrix_mdev {
	struct vfio_device vdev;
	struct list_head node;
	struct mdev_device *mdev;
	unsigned int apid_max;
	unsigned int apqi_max;
	struct ap_matrix matrix;
	struct ap_matrix shadow_apcb;
	seqlock_t shadow_lock; /* shadow_apcb, in addition to mdevs_lock */
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
 * enum vfio_ap_queue_state - state of a queue
 * @VFIO_AP_QUEUE_RESETTING: a reset is pending or under way
 * @VFIO_AP_QUEUE_CLEAN: a reset was verified; since then only its guest used it
 * @VFIO_AP_QUEUE_OFFLINE: a reset is pending, but the queue is deconfigured,
 *	checkstopped or lost by the host; the driver retries
 * @VFIO_AP_QUEUE_FAILED: the reset was refused or timed out; the driver retries
 * @VFIO_AP_QUEUE_UNBOUND: unbound, and polled until the interrupt is off
 */
enum vfio_ap_queue_state {
	VFIO_AP_QUEUE_RESETTING,
	VFIO_AP_QUEUE_CLEAN,
	VFIO_AP_QUEUE_OFFLINE,
	VFIO_AP_QUEUE_FAILED,
	VFIO_AP_QUEUE_UNBOUND,
};

/**
 * struct vfio_ap_queue - a queue that is bound to the driver, or was
 * @ref: references; one each for the index, the poller and every NIB
 * @rcu: frees the object after lockless lookups
 * @index: entry in &ap_matrix_dev.queues; [mdevs_lock]
 * @apqn: AP_MKQID(APID, APQI); constant
 * @lock: protects the members below if they name no other lock, and serializes
 *	multi-step PQAP sequences on the queue
 * @ap_queue: the AP bus's object; NULL after unbind
 * @state: see enum vfio_ap_queue_state
 * @zapq: the next step of the reset is ZAPQ, otherwise TAPQ
 * @again: another ZAPQ has to follow the reset under way
 * @keep: the queue stays in its guest while it is RESETTING or OFFLINE
 * @lost: the host has lost the queue; resets resume when QCI lists it again
 * @unseen: an enable was accepted, and TAPQ has not shown the interrupt on yet;
 *	it may still take effect, until VFIO_AP_SETTLE_NS after @stopped
 * @told: the kernel log says that the reset failed
 * @accepted: the last ZAPQ was accepted; after unbind: a reset was started
 * @disable: AQIC has to be issued again to disable the interrupt
 * @irq_off_pending: the poller releases @nib when the interrupt is off
 * @response: last response code, for messages
 * @nib: NIB registered with the adapter; NULL if the queue's interrupt is off
 * @vm: protected guest that the queue may still be bound to, or NULL
 * @nib_cache: one freed NIB kept for reuse, or NULL; exchanged without @lock
 * @since: when the reset timeout or the retries began, in ns of CLOCK_MONOTONIC
 * @tried: when the operation that is polled for began; likewise
 * @stopped: when the driver began to disable the interrupt; likewise
 * @node: entry in a list of polled queues, or empty; [poll_lock]
 * @due: time of the next poll, in ns of CLOCK_MONOTONIC, or VFIO_AP_NEVER;
 *	[poll_lock], may be read with READ_ONCE() under @lock alone
 * @changed_node: entry in one of the poller's own lists; poller only
 */
struct vfio_ap_queue {
	struct kref ref;
	struct rcu_head rcu;
	struct hlist_node index;
	u16 apqn;
	struct mutex lock; /* the members below; sequences of PQAP */
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

/* State of a NIB's pin: being pinned, pinned, being unpinned */
enum vfio_ap_nib_pin {
	VFIO_AP_NIB_PINNING,
	VFIO_AP_NIB_PINNED,
	VFIO_AP_NIB_RETURNING,
};

/**
 * struct vfio_ap_nib - a guest page with a notification indicator byte
 * @refs: references; one each for the adapter, for VFIO and for queued @work
 * @node: entry in &ap_matrix_mdev.nibs while VFIO has a reference; [nib_lock]
 * @pin: state of the pin; the task that moves it from PINNED to RETURNING must
 *	unpin the page
 * @revoked: the page must be unpinned; set under nib_lock before @pin is read,
 *	and read after @pin was set to PINNED
 * @mdev: mdev that the page is pinned for; valid while @node is listed
 * @q: queue that writes to the page, with a reference
 * @kvm: guest, with a reference
 * @page: page, with a reference in addition to the pin
 * @iova: guest address of the page
 * @gisc: guest interruption subclass, 0 to 7
 * @nisc: host interruption subclass; valid if @has_gisc
 * @has_gisc: @gisc is registered with KVM
 * @adapter_done: @work has to drop the adapter's reference; [nib_lock]
 * @off: the interrupt is off; [nib_lock]
 * @work: unpins the page, or drops the adapter's reference
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

/* Inline, so that vfio_ap_nib.c can drop its reference and stay a leaf */
static inline void vfio_ap_queue_free(struct kref *ref)
{
	struct vfio_ap_queue *q = container_of(ref, struct vfio_ap_queue, ref);

	mutex_destroy(&q->lock);
	kfree(q->nib_cache);
	kfree_rcu(q, rcu);
}

static inline void vfio_ap_queue_put(struct vfio_ap_queue *q)
{
	kref_put(&q->ref, vfio_ap_queue_free);
}

/**
 * struct ap_matrix_dev - the driver's root object; there is exactly one
 * @device: parent of all mdevs, /sys/devices/vfio_ap/matrix
 * @parent: the mdev core's object for @device
 * @guests_lock: protects @mdev_list and the attachment of guests
 * @mdevs_lock: protects the members of mdevs, @host, @queues and @adapter
 * @mdev_list: all mdevs; written under both locks, read under either
 * @has_qci: the host has QCI; constant
 * @host: AP configuration of the host; [mdevs_lock]
 * @apid_max: largest APID of the host; [mdevs_lock]
 * @apqi_max: largest APQI of the host; [mdevs_lock]
 * @adapter: states of each adapter's queues; NULL until one of them is bound,
 *	then valid until module unload; [mdevs_lock], read by waiters for a reset
 *	without a lock
 * @queues: bound queues by APQN; written under mdevs_lock, read under RCU
 * @reset_wait: woken when a queue leaves the state RESETTING, and when a shadow
 *	APCB or the host's configuration changes
 * @polled: queues in reset, or whose interrupt has to go off; [poll_lock]
 * @nr_polled: queues in @polled or in the poller's own list; [poll_lock]
 * @poll_lock: protects @polled, @nr_polled and @stopping; a leaf
 * @poll_timer: queues @poll_work when the first queue of @polled is due
 * @poll_work: the poller
 * @poll_wq: runs @poll_work
 * @release_wq: evaluates single mdevs, and drops references of NIBs and guests
 * @nib_lock: protects the lists of NIBs and of unmaps; a leaf
 * @stopping: the module is being unloaded; [poll_lock]
 *
 * Lock order:
 *
 *   ap_attr_mutex > guests_lock > kvm->lock > mdevs_lock > queue->lock
 *   pqap_hook_rwsem > queue->lock
 *
 * Changing a guest's APCB requires guests_lock, kvm->lock and mdevs_lock. The
 * functions of vfio_ap_lock.c take these locks: they trylock kvm->lock while
 * guests_lock is held, and block on it with the locks left of it released.
 *
 * All locks of the first line are released while the driver waits for hardware
 * or user memory, and while it pins or unpins a page. KVM holds pqap_hook_rwsem
 * while AQIC pins a page.
 *
 * VFIO calls dma_unmap with locks held that pinning takes. The locks that
 * vfio_ap_irq_unmap() takes are therefore released around vfio_pin_pages() and
 * vfio_unpin_pages().
 */
struct ap_matrix_dev {
	struct device device;
	struct mdev_parent parent;
	struct mutex guests_lock; /* mdev_list, guests of mdevs */
	struct mutex mdevs_lock; /* members of mdevs, host, queues, adapter */
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
	spinlock_t nib_lock; /* lists of NIBs and of unmaps */
	bool stopping;
};

extern struct ap_matrix_dev *matrix_dev;

/* QCI stores its masks in the layout of struct ap_mask, as words of 32 bits. */
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

/* vfio_ap_assign.c: changes of an assigned matrix */
int vfio_ap_assign_change(struct ap_matrix_mdev *mdev,
			  const struct ap_matrix_delta *delta);

/* vfio_ap_guest.c: shadow APCBs; attach and detach of guests */
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

/* vfio_ap_lock.c: the locks for a change of a guest's APCB */

/**
 * struct vfio_ap_locks - the locks that vfio_ap_lock_acquire() took
 * @kvm: guest whose kvm->lock is held, or NULL
 * @waited: reference to @kvm if its lock was blocked on, or NULL
 * @added: APQNs checked with the AP bus, or NULL; if set, ap_attr_mutex is held
 *	and keeps masks and driver_override unchanged
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

/* vfio_ap_queue.c: queues, their index, and the masks of their states */
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

/* vfio_ap_nib.c: notification indicator bytes; calls no other file */

/* A range of guest memory that VFIO is unmapping */
struct vfio_ap_unmap {
	struct list_head node; /* in ap_matrix_mdev.unmaps, under nib_lock */
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

/* vfio_ap_bus.c: callbacks of the AP bus, and ownership of APQNs */

/**
 * struct vfio_ap_addition - APQNs that are added to an mdev
 * @rows: new adapters with all domains
 * @columns: new domains with all adapters
 * @answer: result of the ownership check: 0, -EADDRNOTAVAIL, or -EINTR after a
 *	fatal signal
 * @reserved: first APQN reserved for host drivers; valid with -EADDRNOTAVAIL
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
