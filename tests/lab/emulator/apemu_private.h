/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map of the emulator: its objects and, grouped by file, its functions.
 *
 * One raw spinlock, apemu_lock, guards everything that an instruction can see.
 * It is taken in program-check context, below any lock of the kernel code that
 * issued the instruction. Below it are only the hrtimer base lock and the
 * lock-free irq_work list. apemu_ctl_mutex serialises the writers of the
 * control file, who allocate before they take apemu_lock.
 */
#ifndef APEMU_PRIVATE_H
#define APEMU_PRIVATE_H

#include <linux/hrtimer.h>
#include <linux/irq_work.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include "apemu.h"

#define APEMU_IDS	256
#define APEMU_DEPTH_MAX	16
#define APEMU_DEPTH_DEFAULT	8

enum apemu_mode {
	APEMU_MODE_ACCEL,
	APEMU_MODE_CCA,
	APEMU_MODE_EP11,
};

/* What becomes of requests: they come back, or a worker does what they ask for. */
enum apemu_service {
	APEMU_SERVICE_ECHO,
	APEMU_SERVICE_RSA,
	APEMU_SERVICE_RANDOM,
};

/* Why a service refuses a request. */
#define APEMU_REFUSED_FAILURE	0x10	/* the adapter's own fault */
#define APEMU_REFUSED_TYPE	0x20	/* no message for this adapter */
#define APEMU_REFUSED_RESERVED	0x24
#define APEMU_REFUSED_FORMAT	0x29
#define APEMU_REFUSED_LENGTH	0x80
#define APEMU_REFUSED_OPERAND	0x82
#define APEMU_REFUSED_SIZE	0x84
#define APEMU_REFUSED_EVEN	0x85

/* How long a reset takes: n TAPQs, n ns, or for ever. */
enum apemu_pace_kind {
	APEMU_PACE_POLLS,
	APEMU_PACE_NS,
	APEMU_PACE_NEVER,
};

/* How far an association is. */
enum apemu_associate {
	APEMU_NOT_ASSOCIATED,
	APEMU_ASSOCIATING,
	APEMU_ASSOCIATED,
	APEMU_ASSOCIATE_FAILED,
};

struct apemu_pace {
	enum apemu_pace_kind kind;
	u64 n;
};

/**
 * struct apemu_message - a request, later its reply, in a queue
 * @next: the free list
 * @psmid: given by NQAP, returned by DQAP
 * @serial: no other message ever had it; 0 while free
 * @due: the earliest time for the reply (ns)
 * @ready_at: when the reply is there (ns); U64_MAX while held or unanswered
 * @service: who has yet to write the reply; APEMU_SERVICE_ECHO for nobody
 * @length: of @text
 * @announced: the interrupt for this reply was raised, or not wanted
 * @text: the message
 */
struct apemu_message {
	struct apemu_message *next;
	u64 psmid;
	u64 serial;
	u64 due;
	u64 ready_at;
	enum apemu_service service;
	u32 length;
	bool announced;
	u8 text[APEMU_MESSAGE_MAX];
};

/**
 * struct apemu_job - a request in the hands of a worker
 * @message: where it came from, and where the reply goes if it is still there
 * @serial: of the message that the worker took
 * @service: what to do
 * @length: of @text
 * @text: the request, then the reply
 */
struct apemu_job {
	struct apemu_message *message;
	u64 serial;
	enum apemu_service service;
	u32 length;
	u8 text[APEMU_MESSAGE_MAX];
};

/**
 * struct apemu_queue - one APQN
 * @card: the adapter it is on
 * @qid: APID in bits 8-15, APQI in bits 0-7
 * @absent: a hole in the matrix: answers 01
 * @hold: requests stay unanswered
 * @delay_ns: from NQAP to the reply
 * @pace: of resets
 * @resetting: a reset is in progress
 * @reset_polls: TAPQs that will still be answered 02
 * @reset_end: when a reset measured in ns completes
 * @irq_delay: TAPQs until the IR bit follows AQIC
 * @irq_polls: TAPQs until @ir becomes @ir_wanted
 * @ir: the IR bit as TAPQ shows it; the adapter may write to @nib
 * @ir_wanted: what the last AQIC asked for
 * @nib: absolute address of the notification indicator byte
 * @gisa: absolute address of the GISA, 0 for the host's own interrupts
 * @gisc: guest ISC
 * @isc: host ISC
 * @bound: secure configuration that the queue belongs to, or 0
 * @unbind: the reset in progress makes it nobody's
 * @associate: how far the association with a secret is
 * @associate_polls: TAPQs until it is over
 * @associate_delay: ... for associations to come
 * @associate_fails: associations to come fail
 * @head: index of the oldest message
 * @count: number of messages
 * @messages: ring, oldest first from @head
 * @timer: fires when the next reply is ready
 * @kick: starts @work from where nothing else can be started
 * @work: answers the requests that want a service, one after the other
 */
struct apemu_queue {
	struct apemu_card *card;
	u16 qid;
	bool absent;
	bool hold;
	u64 delay_ns;

	struct apemu_pace pace;
	bool resetting;
	u64 reset_polls;
	u64 reset_end;

	u32 irq_delay;
	u32 irq_polls;
	bool ir;
	bool ir_wanted;
	u64 nib;
	u32 gisa;
	u8 gisc;
	u8 isc;

	u64 bound;
	bool unbind;
	enum apemu_associate associate;
	u32 associate_polls;
	u32 associate_delay;
	bool associate_fails;

	u8 head;
	u8 count;
	struct apemu_message *messages[APEMU_DEPTH_MAX];
	struct hrtimer timer;
	struct irq_work kick;
	struct work_struct work;
};

/**
 * struct apemu_tally - the requests of a card
 * @requests: taken by NQAP
 * @replies: fetched by DQAP
 * @errors: requests that the service refused
 * @dropped: requests that a reset, or the loss of the card, took away before DQAP fetched a reply
 */
struct apemu_tally {
	u64 requests;
	u64 replies;
	u64 errors;
	u64 dropped;
};

/**
 * struct apemu_card - one adapter
 * @present: in the configuration at all
 * @config: configured; if not, instructions answer 03 and QCI hides it
 * @standby: instructions answer 03, QCI shows it
 * @checkstop: instructions answer 04
 * @type: 3..8 for CEX3..CEX8
 * @mode: what it is good for
 * @depth: messages per queue
 * @service: what becomes of the requests to come
 * @tally: what became of those that came
 * @queues: by domain; a queue object stays once it was allocated
 */
struct apemu_card {
	bool present;
	bool config;
	bool standby;
	bool checkstop;
	u8 type;
	enum apemu_mode mode;
	u8 depth;
	enum apemu_service service;
	struct apemu_tally tally;
	struct apemu_queue *queues[APEMU_IDS];
};

/**
 * struct apemu_model - the machine's AP configuration
 * @na: highest adapter id, as QCI says
 * @nd: highest domain id, as QCI says
 * @apxa: extended addressing
 * @apm: adapters in QCI
 * @aqm: usage domains
 * @adm: control domains
 * @pace: of resets, for queues to come
 * @irq_delay: for queues to come
 * @hold: for queues to come
 * @delay_ns: for queues to come
 * @cards: by adapter id; NULL until first added
 */
struct apemu_model {
	u8 na;
	u8 nd;
	bool apxa;
	u32 apm[APEMU_MASK_WORDS];
	u32 aqm[APEMU_MASK_WORDS];
	u32 adm[APEMU_MASK_WORDS];
	struct apemu_pace pace;
	u32 irq_delay;
	bool hold;
	u64 delay_ns;
	struct apemu_card *cards[APEMU_IDS];
};

/**
 * struct apemu_setup - a configuration to start from
 * @na: highest adapter id
 * @nd: highest domain id
 * @apxa: extended addressing
 * @type: card type by adapter id, 0 = no such card
 * @mode: card mode by adapter id
 * @service: what becomes of requests, by adapter id
 * @aqm: usage domains
 * @adm: control domains
 */
struct apemu_setup {
	u8 na;
	u8 nd;
	bool apxa;
	u8 type[APEMU_IDS];
	u8 mode[APEMU_IDS];
	u8 service[APEMU_IDS];
	u32 aqm[APEMU_MASK_WORDS];
	u32 adm[APEMU_MASK_WORDS];
};

/* An answer that was scripted, and its optional parts. */
#define APEMU_SCRIPT_EMPTY	BIT(0)
#define APEMU_SCRIPT_REPLIES	BIT(1)
#define APEMU_SCRIPT_FULL	BIT(2)
#define APEMU_SCRIPT_ASYNC	BIT(3)
#define APEMU_SCRIPT_IR		BIT(4)
#define APEMU_SCRIPT_BS		BIT(5)

#define APEMU_ANY		(-1)

/**
 * struct apemu_script - "the next n instructions like this get that answer"
 * @function: enum apemu_function or APEMU_ANY
 * @qid: APQN or APEMU_ANY
 * @skip: matching instructions to let pass first
 * @times: answers still to give; 0 = for ever
 * @rc: the response code
 * @bs: the bind state in GR2 of TAPQ
 * @given: APEMU_SCRIPT_* that the script has an opinion on
 * @value: its opinion
 */
struct apemu_script {
	int function;
	int qid;
	u32 skip;
	u32 times;
	u8 rc;
	u8 bs;
	u8 given;
	u8 value;
};

extern raw_spinlock_t apemu_lock;
extern struct apemu_model apemu_model;

/* apemu_model.c */
unsigned int apemu_model_max_adapter(void);
unsigned int apemu_model_max_domain(void);
struct apemu_queue *apemu_model_queue(unsigned int qid);
int apemu_model_add_card(unsigned int id, u8 type, enum apemu_mode mode,
			 u8 depth, enum apemu_service service);
int apemu_model_remove_card(unsigned int id);
int apemu_model_set_card(unsigned int id, const char *what, bool on);
int apemu_model_set_service(unsigned int id, enum apemu_service service);
void apemu_model_clear_tallies(void);
int apemu_model_add_domain(unsigned int id);
int apemu_model_remove_domain(unsigned int id);
int apemu_model_set_absent(unsigned int qid, bool on);
int apemu_model_set_qci(unsigned int na, unsigned int nd, bool apxa);
int apemu_model_install(const struct apemu_setup *setup);
int apemu_model_for_each(int qid, void (*visit)(struct apemu_queue *queue,
						void *data), void *data);

/* apemu_queue.c */
void apemu_queue_init(struct apemu_queue *queue, struct apemu_card *card,
		      unsigned int qid);
enum apemu_response apemu_queue_reachable(const struct apemu_queue *queue);
u32 apemu_queue_status(const struct apemu_queue *queue, u64 now);
u64 apemu_queue_hwinfo(const struct apemu_queue *queue);
void apemu_queue_settle(struct apemu_queue *queue, u64 now);
void apemu_queue_poll(struct apemu_queue *queue);
void apemu_queue_reset(struct apemu_queue *queue, bool unbind, u64 now);
void apemu_queue_set_pace(struct apemu_queue *queue, struct apemu_pace pace,
			  u64 now);
void apemu_queue_forget(struct apemu_queue *queue);
enum apemu_response apemu_queue_enable(struct apemu_queue *queue, u64 nib,
				       u32 gisa, u8 gisc, u8 isc);
enum apemu_response apemu_queue_disable(struct apemu_queue *queue);

/* apemu_bind.c */
u8 apemu_bind_state(const struct apemu_queue *queue, u64 handle);
void apemu_bind_poll(struct apemu_queue *queue);
enum apemu_response apemu_bind_refuses(const struct apemu_queue *queue,
				       enum apemu_function function, u64 handle);
enum apemu_response apemu_bind(struct apemu_queue *queue, u64 handle);
enum apemu_response apemu_bind_associate(struct apemu_queue *queue, u64 secret);
void apemu_bind_reset(struct apemu_queue *queue, bool unbind);

/* apemu_message.c */
int apemu_message_init(unsigned int messages);
unsigned int apemu_message_ready(const struct apemu_queue *queue, u64 now);
enum apemu_outcome apemu_message_enqueue(struct apemu_insn *insn,
					 struct apemu_queue *queue, u64 now,
					 enum apemu_response *rc);
enum apemu_outcome apemu_message_dequeue(struct apemu_insn *insn,
					 struct apemu_queue *queue, u64 now,
					 enum apemu_response *rc);
void apemu_message_flush(struct apemu_queue *queue);
void apemu_message_release(struct apemu_queue *queue, u64 now);
bool apemu_message_take(struct apemu_queue *queue, struct apemu_job *job);
void apemu_message_answer(struct apemu_queue *queue, const struct apemu_job *job,
			  bool refused);
enum hrtimer_restart apemu_message_timer(struct hrtimer *timer);

/* apemu_service.c */
int apemu_service_init(void);
void apemu_service_init_queue(struct apemu_queue *queue);
void apemu_service_start(struct apemu_queue *queue);
bool apemu_service_fits(enum apemu_service service, enum apemu_mode mode);
u32 apemu_service_refuse(u8 *text, u8 code);

/* apemu_rsa.c */
u32 apemu_rsa_serve(u8 *text, u32 length);

/* apemu_random.c */
u32 apemu_random_serve(u8 *text, u32 length);

/* apemu_irq.c */
bool apemu_irq_address_valid(u64 address);
void apemu_irq_raise(struct apemu_queue *queue);
void apemu_irq_set_gib(u32 origin);
u64 apemu_irq_unchecked(void);
void apemu_irq_forget_unchecked(void);

/* apemu_script.c */
bool apemu_script_match(enum apemu_function function, unsigned int qid,
			struct apemu_script *answer);
int apemu_script_add(const struct apemu_script *script);
void apemu_script_clear(void);

/* apemu_log.c */
int apemu_log_init(void);
struct apemu_log_entry *apemu_log_begin(const struct apemu_insn *insn,
					enum apemu_function function, u64 now);
void apemu_log_end(struct apemu_log_entry *entry, const struct apemu_insn *insn,
		   enum apemu_function function, enum apemu_outcome outcome);
void apemu_log_event(const char *what, int qid);
void apemu_log_enable(bool on);
void apemu_log_clear(void);
void apemu_log_clear_counters(void);
void apemu_log_show_counters(struct seq_file *m);
const char *apemu_function_name(enum apemu_function function);
int apemu_function_find(const char *name);

extern const struct file_operations apemu_log_fops;

/* apemu_ctl.c */
int apemu_ctl_init(void);

/* apemu_setup.c */
int apemu_setup_install(void);
int apemu_setup_parse_type(const char *text, u8 *type);
int apemu_setup_parse_mode(const char *text, u8 *mode);
const char *apemu_mode_name(enum apemu_mode mode);
int apemu_setup_parse_service(const char *text, u8 *service);
const char *apemu_service_name(enum apemu_service service);

/* apemu_trap.c */
int apemu_trap_init(void);

/* apemu_machine.c */
int apemu_machine_init(void);

#endif
