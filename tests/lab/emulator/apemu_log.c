// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of every executed instruction, a ring, and the counters.
 */
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include "apemu_private.h"

#define APEMU_LOG_ENTRIES	32768	/* a power of two */

/**
 * struct apemu_log_entry - one line
 * @ns: when
 * @event: what happened if it was not an instruction
 * @gr0: on input
 * @gr1: on input
 * @gr2: on input
 * @status: GR1 on output
 * @qid: the APQN, or APEMU_ANY
 * @function: enum apemu_function
 * @cc: the condition code
 * @guest: who executed it
 */
struct apemu_log_entry {
	u64 ns;
	const char *event;
	unsigned long gr0;
	unsigned long gr1;
	unsigned long gr2;
	u32 status;
	int qid;
	u8 function;
	u8 cc;
	bool guest;
};

static struct apemu_log_entry *apemu_log_ring;
static u64 apemu_log_first;	/* sequence number of the oldest entry */
static u64 apemu_log_next;	/* sequence number of the next entry */
static u64 apemu_log_lost;
static bool apemu_log_on = true;
static u64 apemu_counters[2][APEMU_FUNCTIONS];

static const char * const apemu_function_names[APEMU_FUNCTIONS] = {
	[APEMU_TAPQ] = "tapq",
	[APEMU_RAPQ] = "rapq",
	[APEMU_ZAPQ] = "zapq",
	[APEMU_AQIC] = "aqic",
	[APEMU_QCI] = "qci",
	[APEMU_QACT] = "qact",
	[APEMU_UNKNOWN] = "unknown",
	[APEMU_BAPQ] = "bapq",
	[APEMU_AAPQ] = "aapq",
	[APEMU_NQAP] = "nqap",
	[APEMU_DQAP] = "dqap",
};

/**
 * apemu_function_name() - name a function
 * @function: the function
 *
 * Context: Any.
 * Return: Its name in the control and log files.
 */
const char *apemu_function_name(enum apemu_function function)
{
	return apemu_function_names[function];
}

/**
 * apemu_function_find() - find a function by name
 * @name: the name
 *
 * Context: Any.
 * Return: The function, or -EINVAL.
 */
int apemu_function_find(const char *name)
{
	return match_string(apemu_function_names, APEMU_FUNCTIONS, name);
}

/**
 * apemu_log_init() - allocate the ring
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int apemu_log_init(void)
{
	apemu_log_ring = vzalloc(array_size(APEMU_LOG_ENTRIES,
					    sizeof(*apemu_log_ring)));
	return apemu_log_ring ? 0 : -ENOMEM;
}

static struct apemu_log_entry *apemu_log_append(u64 now)
{
	struct apemu_log_entry *entry;

	if (apemu_log_next - apemu_log_first == APEMU_LOG_ENTRIES) {
		apemu_log_first++;
		apemu_log_lost++;
	}
	entry = &apemu_log_ring[apemu_log_next++ % APEMU_LOG_ENTRIES];
	entry->ns = now;
	return entry;
}

/**
 * apemu_log_begin() - an instruction is about to be executed
 * @insn: the instruction, before execution
 * @function: what it will do
 * @now: the time
 *
 * So that it stands in the log before what it causes.
 *
 * Context: Any; apemu_lock held until apemu_log_end().
 * Return: For apemu_log_end().
 */
struct apemu_log_entry *apemu_log_begin(const struct apemu_insn *insn,
					enum apemu_function function, u64 now)
{
	struct apemu_log_entry *entry;

	lockdep_assert_held(&apemu_lock);
	if (!apemu_log_on)
		return NULL;
	entry = apemu_log_append(now);
	entry->gr0 = insn->gprs[0];
	entry->gr1 = insn->gprs[1];
	entry->gr2 = insn->gprs[2];
	entry->function = function;
	entry->guest = insn->view;
	entry->qid = function == APEMU_QCI ? APEMU_ANY :
					     APEMU_GR0_QID(entry->gr0);
	return entry;
}

/**
 * apemu_log_end() - count the instruction and log what came of it
 * @entry: from apemu_log_begin()
 * @insn: the instruction, after execution
 * @function: what it did
 * @outcome: how it ended; only APEMU_DONE is counted
 *
 * Context: Any; apemu_lock held.
 */
void apemu_log_end(struct apemu_log_entry *entry, const struct apemu_insn *insn,
		   enum apemu_function function, enum apemu_outcome outcome)
{
	static const char * const events[] = {
		[APEMU_DONE] = NULL,
		[APEMU_PROGRAM] = "program-check",
		[APEMU_FAULT] = "host-fault",
	};

	lockdep_assert_held(&apemu_lock);
	if (outcome == APEMU_DONE)
		apemu_counters[!!insn->view][function]++;
	if (!entry)
		return;
	entry->event = events[outcome];
	entry->cc = insn->cc;
	entry->status = 0;
	/* QCI and a partial DQAP have no status word */
	if (function != APEMU_QCI && insn->cc != 1)
		entry->status = insn->gprs[1];
}

/**
 * apemu_log_event() - log something that is not an instruction
 * @what: one word; must stay valid
 * @qid: the APQN
 *
 * Context: Any; apemu_lock held.
 */
void apemu_log_event(const char *what, int qid)
{
	struct apemu_log_entry *entry;

	lockdep_assert_held(&apemu_lock);
	if (!apemu_log_on)
		return;
	entry = apemu_log_append(ktime_get_ns());
	entry->event = what;
	entry->qid = qid;
}

/**
 * apemu_log_enable() - start or stop logging; counters go on
 * @on: start
 *
 * Context: Any; apemu_lock held.
 */
void apemu_log_enable(bool on)
{
	lockdep_assert_held(&apemu_lock);
	apemu_log_on = on;
}

/**
 * apemu_log_clear() - forget all entries; sequence numbers go on
 *
 * Context: Any; apemu_lock held.
 */
void apemu_log_clear(void)
{
	lockdep_assert_held(&apemu_lock);
	apemu_log_first = apemu_log_next;
	apemu_log_lost = 0;
}

/**
 * apemu_log_clear_counters() - count from zero
 *
 * Context: Any; apemu_lock held.
 */
void apemu_log_clear_counters(void)
{
	lockdep_assert_held(&apemu_lock);
	memset(apemu_counters, 0, sizeof(apemu_counters));
}

/**
 * apemu_counted() - how often a function was executed
 * @guest: by guests; otherwise by the host
 * @function: the function
 *
 * Context: Any; takes apemu_lock.
 * Return: The counter.
 */
u64 apemu_counted(bool guest, enum apemu_function function)
{
	unsigned long flags;
	u64 counted;

	raw_spin_lock_irqsave(&apemu_lock, flags);
	counted = apemu_counters[guest][function];
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return counted;
}
EXPORT_SYMBOL_GPL(apemu_counted);

/**
 * apemu_log_show_counters() - the counters, one line each, without zeros
 * @m: the file
 *
 * Context: Process context; takes apemu_lock.
 */
void apemu_log_show_counters(struct seq_file *m)
{
	unsigned int guest, function;
	u64 counted;

	for (guest = 0; guest < 2; guest++) {
		for (function = 0; function < APEMU_FUNCTIONS; function++) {
			counted = apemu_counted(guest, function);
			if (counted)
				seq_printf(m, "count %s %s %llu\n",
					   guest ? "guest" : "host",
					   apemu_function_name(function),
					   counted);
		}
	}
}

static void apemu_log_format(const struct apemu_log_entry *entry, u64 seq,
			     char *line)
{
	char apqn[16] = "--.----";
	int n;

	if (entry->qid != APEMU_ANY)
		snprintf(apqn, sizeof(apqn), "%02x.%04x", entry->qid >> 8,
			 entry->qid & 0xff);
	n = scnprintf(line, APEMU_LOG_LINE, "%llu %llu ", seq, entry->ns);
	if (entry->event)
		scnprintf(line + n, APEMU_LOG_LINE - n, "event %s %s",
			  entry->event, apqn);
	else
		scnprintf(line + n, APEMU_LOG_LINE - n,
			  "%s %s %s gr0=%lx gr1in=%lx gr2in=%lx rc=%02x cc=%u status=%08x",
			  entry->guest ? "guest" : "host",
			  apemu_function_name(entry->function), apqn,
			  entry->gr0, entry->gr1, entry->gr2,
			  APEMU_STATUS_RC(entry->status), entry->cc,
			  entry->status);
}

/**
 * apemu_log_newest() - the line that the newest entry makes in the log file
 * @line: APEMU_LOG_LINE bytes; empty if the log is
 *
 * Context: Any; takes apemu_lock.
 */
void apemu_log_newest(char *line)
{
	struct apemu_log_entry entry;
	unsigned long flags;
	u64 seq;

	line[0] = 0;
	raw_spin_lock_irqsave(&apemu_lock, flags);
	seq = apemu_log_next - 1;
	if (apemu_log_first <= seq && apemu_log_next)
		entry = apemu_log_ring[seq % APEMU_LOG_ENTRIES];
	else
		seq = U64_MAX;
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	if (seq != U64_MAX)
		apemu_log_format(&entry, seq, line);
}
EXPORT_SYMBOL_GPL(apemu_log_newest);

/*
 * The position is a sequence number plus one, 0 the start. A reader that is
 * overtaken by the ring goes on with the oldest entry there is.
 */
static void *apemu_log_seek(loff_t *pos, struct apemu_log_entry *copy)
{
	unsigned long flags;
	bool found = false;
	u64 seq;

	raw_spin_lock_irqsave(&apemu_lock, flags);
	seq = *pos ? *pos - 1 : 0;
	if (seq < apemu_log_first)
		seq = apemu_log_first;
	if (seq < apemu_log_next) {
		*copy = apemu_log_ring[seq % APEMU_LOG_ENTRIES];
		*pos = seq + 1;
		found = true;
	}
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return found ? copy : NULL;
}

/**
 * struct apemu_log_reader - an open log file
 * @entry: copy of the entry being shown
 * @seq: its sequence number
 */
struct apemu_log_reader {
	struct apemu_log_entry entry;
	u64 seq;
};

static void *apemu_log_start(struct seq_file *m, loff_t *pos)
{
	struct apemu_log_reader *reader = m->private;

	if (!*pos && READ_ONCE(apemu_log_lost))
		seq_printf(m, "lost %llu\n", READ_ONCE(apemu_log_lost));
	if (!apemu_log_seek(pos, &reader->entry))
		return NULL;
	reader->seq = *pos - 1;
	return reader;
}

static void *apemu_log_advance(struct seq_file *m, void *v, loff_t *pos)
{
	struct apemu_log_reader *reader = v;

	++*pos;
	if (!apemu_log_seek(pos, &reader->entry))
		return NULL;
	reader->seq = *pos - 1;
	return reader;
}

static void apemu_log_stop(struct seq_file *m, void *v)
{
}

static int apemu_log_show(struct seq_file *m, void *v)
{
	const struct apemu_log_reader *reader = v;
	char line[APEMU_LOG_LINE];

	apemu_log_format(&reader->entry, reader->seq, line);
	seq_puts(m, line);
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations apemu_log_seq_ops = {
	.start = apemu_log_start,
	.next = apemu_log_advance,
	.stop = apemu_log_stop,
	.show = apemu_log_show,
};

static int apemu_log_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &apemu_log_seq_ops,
				sizeof(struct apemu_log_reader));
}

const struct file_operations apemu_log_fops = {
	.owner = THIS_MODULE,
	.open = apemu_log_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};
