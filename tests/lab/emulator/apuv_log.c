// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of ultravisor calls, a ring, and their counters.
 */
#include <linux/bits.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include "apuv.h"

#define APUV_LOG_ENTRIES	8192	/* a power of two */
#define APUV_COMMANDS		0x1100

/**
 * struct apuv_log_entry - one line
 * @ns: when
 * @event: what happened if it was not a call
 * @handle: the handle in the control block, if any
 * @addr: the address in it, if any
 * @command: the command
 * @rc: the answer
 * @cc: the condition code
 * @guest: a guest called
 */
struct apuv_log_entry {
	u64 ns;
	const char *event;
	u64 handle;
	u64 addr;
	u16 command;
	u16 rc;
	u8 cc;
	bool guest;
};

static struct apuv_log_entry *apuv_log_ring;
static u64 apuv_log_first, apuv_log_next;
static u64 apuv_counts[APUV_COMMANDS];

static struct apuv_log_entry *apuv_log_append(void)
{
	lockdep_assert_held(&apuv_lock);
	if (apuv_log_next - apuv_log_first == APUV_LOG_ENTRIES)
		apuv_log_first++;
	return &apuv_log_ring[apuv_log_next++ % APUV_LOG_ENTRIES];
}

/**
 * apuv_log_call() - log and count a call
 * @guest: a guest called
 * @command: the command
 * @handle: in the control block, or 0
 * @addr: in the control block, or 0
 * @rc: the answer
 * @cc: the condition code
 *
 * Context: apuv_lock is held.
 */
void apuv_log_call(bool guest, u16 command, u64 handle, u64 addr, u16 rc, int cc)
{
	lockdep_assert_held(&apuv_lock);
	if (command < APUV_COMMANDS)
		apuv_counts[command]++;
	if (!apuv_log_ring)
		return;
	*apuv_log_append() = (struct apuv_log_entry){
		.ns = ktime_get_mono_fast_ns(),
		.handle = handle,
		.addr = addr,
		.command = command,
		.rc = rc,
		.cc = cc,
		.guest = guest,
	};
}

/**
 * apuv_log_event() - log something that is not a call
 * @what: one word; must stay valid
 * @addr: an address that goes with it
 *
 * Context: apuv_lock is held.
 */
void apuv_log_event(const char *what, u64 addr)
{
	if (apuv_log_ring)
		*apuv_log_append() = (struct apuv_log_entry){
			.ns = ktime_get_mono_fast_ns(),
			.event = what,
			.addr = addr,
		};
}

/**
 * apuv_log_count() - how often was a command executed?
 * @command: the command
 *
 * Context: Any.
 * Return: The counter.
 */
u64 apuv_log_count(u16 command)
{
	return READ_ONCE(apuv_counts[command]);
}

/**
 * apuv_log_clear() - forget all entries and counters; sequence numbers go on
 *
 * Context: apuv_lock is held.
 */
void apuv_log_clear(void)
{
	lockdep_assert_held(&apuv_lock);
	apuv_log_first = apuv_log_next;
	memset(apuv_counts, 0, sizeof(apuv_counts));
}

/**
 * apuv_log_show_counts() - the counters, one line each, without zeros
 * @m: the file
 *
 * Context: Process context.
 */
void apuv_log_show_counts(struct seq_file *m)
{
	unsigned int n;

	for (n = 0; n < APUV_COMMANDS; n++)
		if (apuv_log_count(n))
			seq_printf(m, "count %04x %llu\n", n, apuv_log_count(n));
}

/* The position is a sequence number plus one, 0 the start. */
static bool apuv_log_seek(loff_t *pos, struct apuv_log_entry *copy)
{
	unsigned long flags;
	bool found = false;
	u64 seq;

	raw_spin_lock_irqsave(&apuv_lock, flags);
	seq = max_t(u64, *pos ? *pos - 1 : 0, apuv_log_first);
	if (seq < apuv_log_next) {
		*copy = apuv_log_ring[seq % APUV_LOG_ENTRIES];
		*pos = seq + 1;
		found = true;
	}
	raw_spin_unlock_irqrestore(&apuv_lock, flags);
	return found;
}

/**
 * struct apuv_log_reader - an open log file
 * @entry: copy of the entry being shown
 * @seq: its sequence number
 */
struct apuv_log_reader {
	struct apuv_log_entry entry;
	u64 seq;
};

static void *apuv_log_start(struct seq_file *m, loff_t *pos)
{
	struct apuv_log_reader *reader = m->private;

	if (!apuv_log_seek(pos, &reader->entry))
		return NULL;
	reader->seq = *pos - 1;
	return reader;
}

static void *apuv_log_advance(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return apuv_log_start(m, pos);
}

static void apuv_log_stop(struct seq_file *m, void *v)
{
}

static int apuv_log_show(struct seq_file *m, void *v)
{
	const struct apuv_log_reader *reader = v;
	const struct apuv_log_entry *entry = &reader->entry;

	seq_printf(m, "%llu %llu ", reader->seq, entry->ns);
	if (entry->event)
		seq_printf(m, "event %s addr=%llx\n", entry->event, entry->addr);
	else
		seq_printf(m, "%s %04x handle=%llx addr=%llx rc=%04x cc=%u\n",
			   entry->guest ? "guest" : "host", entry->command, entry->handle,
			   entry->addr, entry->rc, entry->cc);
	return 0;
}

static const struct seq_operations apuv_log_seq_ops = {
	.start = apuv_log_start,
	.next = apuv_log_advance,
	.stop = apuv_log_stop,
	.show = apuv_log_show,
};

/**
 * apuv_log_open() - open the log file
 * @inode: of the file
 * @file: the file
 *
 * Context: Process context.
 * Return: 0 or a negative errno.
 */
int apuv_log_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &apuv_log_seq_ops, sizeof(struct apuv_log_reader));
}

/**
 * apuv_log_init() - allocate the ring
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int apuv_log_init(void)
{
	apuv_log_ring = vcalloc(APUV_LOG_ENTRIES, sizeof(*apuv_log_ring));
	return apuv_log_ring ? 0 : -ENOMEM;
}

/**
 * apuv_log_exit() - free it
 *
 * Context: Process context.
 */
void apuv_log_exit(void)
{
	vfree(apuv_log_ring);
	apuv_log_ring = NULL;
}
