// SPDX-License-Identifier: GPL-2.0-only
/*
 * What went on, for people: /sys/kernel/debug/apsie/state has counters, one for each opcode
 * that trapped among them, and the last traps. Counters of several CPUs may miss a few.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include "apsie.h"

#define APSIE_RING	256

/**
 * struct apsie_record - a trap
 * @vcpu: number of the vCPU
 * @code: program interruption code; 0x100 more if it was delivered to the guest
 * @psw: of the guest
 * @what: the TEID or something like that
 */
struct apsie_record {
	unsigned int vcpu;
	unsigned int code;
	psw_t psw;
	unsigned long what;
};

static struct apsie_record apsie_ring[APSIE_RING];
static atomic_t apsie_ring_end;
static unsigned long apsie_counts[APSIE_COUNTS];
static unsigned long apsie_exits[256];
static u32 apsie_opcodes[65536];
static struct dentry *apsie_dir;

/**
 * apsie_count() - count something
 * @what: what
 * @by: how much
 *
 * Context: Any.
 */
void apsie_count(enum apsie_count what, unsigned long by)
{
	apsie_counts[what] += by;
}

/**
 * apsie_watch_opcode() - count an instruction that trapped
 * @key: see apsie_key()
 *
 * Context: Any.
 */
void apsie_watch_opcode(u16 key)
{
	apsie_opcodes[key]++;
}

/**
 * apsie_watch_exit_code() - count a way to leave SIE
 * @icpt: interception code
 *
 * Context: Any.
 */
void apsie_watch_exit_code(unsigned int icpt)
{
	apsie_exits[icpt & 0xff]++;
}

/**
 * apsie_watch_trap() - remember a trap
 * @self: the guest CPU
 * @code: see struct apsie_record
 * @what: the same
 *
 * Context: Any.
 */
void apsie_watch_trap(const struct apsie_vcpu *self, unsigned int code, unsigned long what)
{
	unsigned int n = (unsigned int)atomic_inc_return(&apsie_ring_end) % APSIE_RING;

	apsie_ring[n] = (struct apsie_record){
		.vcpu = self->vcpu ? self->vcpu->vcpu_id : 0,
		.code = code,
		.psw = self->psw,
		.what = what,
	};
}

static void apsie_show_counts(struct seq_file *file)
{
	static const char * const names[] = {
		[APSIE_COUNT_ENTRIES] = "entries",
		[APSIE_COUNT_NATIVE_NS] = "native-ns",
		[APSIE_COUNT_PROGRAM] = "program",
		[APSIE_COUNT_SVC] = "svc",
		[APSIE_COUNT_HANDOVER] = "handover",
		[APSIE_COUNT_DELIVERED] = "delivered",
		[APSIE_COUNT_FILL] = "fill",
		[APSIE_COUNT_FORGET] = "forget",
		[APSIE_COUNT_ZAP] = "zap",
		[APSIE_COUNT_FAULT] = "fault",
		[APSIE_COUNT_KICK] = "kick",
		[APSIE_COUNT_INVALIDATE] = "invalidate",
		[APSIE_COUNT_PATCHED] = "patched",
	};
	unsigned int n;

	for (n = 0; n < APSIE_COUNTS; n++)
		seq_printf(file, "%s %lu\n", names[n], apsie_counts[n]);
	for (n = 0; n < ARRAY_SIZE(apsie_exits); n++)
		if (apsie_exits[n])
			seq_printf(file, "exit %02x %lu\n", n, apsie_exits[n]);
	for (n = 0; n < ARRAY_SIZE(apsie_opcodes); n++)
		if (apsie_opcodes[n])
			seq_printf(file, "opcode %04x %u\n", n, apsie_opcodes[n]);
}

static int apsie_state_show(struct seq_file *file, void *unused)
{
	unsigned int end = atomic_read(&apsie_ring_end), n;
	const struct apsie_record *record;

	apsie_show_counts(file);
	for (n = 1; n <= APSIE_RING; n++) {
		record = &apsie_ring[(end + n) % APSIE_RING];
		if (record->code)
			seq_printf(file, "trap %u %03x %016lx %016lx %016lx\n", record->vcpu,
				   record->code, record->psw.mask, record->psw.addr, record->what);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(apsie_state);

/**
 * apsie_watch_init() - make the file
 *
 * Context: Process context.
 */
void apsie_watch_init(void)
{
	apsie_dir = debugfs_create_dir("apsie", NULL);
	debugfs_create_file("state", 0400, apsie_dir, NULL, &apsie_state_fops);
}

/**
 * apsie_watch_exit() - remove it
 *
 * Context: Process context.
 */
void apsie_watch_exit(void)
{
	debugfs_remove(apsie_dir);
}
