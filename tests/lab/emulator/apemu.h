/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The face of the AP emulator: what its other modules (apsie, apemu_test)
 * may know. Register layouts and codes as in asm/ap.h and the AP bus; they are
 * spelled out as masks here because asm/ap.h renamed its types between the
 * kernels that the lab boots, while the registers never changed.
 */
#ifndef APEMU_H
#define APEMU_H

#include <linux/bits.h>
#include <linux/types.h>

/* What an instruction may be asked to do; the first nine are PQAP FCs. */
enum apemu_function {
	APEMU_TAPQ = 0,
	APEMU_RAPQ = 1,
	APEMU_ZAPQ = 2,
	APEMU_AQIC = 3,
	APEMU_QCI = 4,
	APEMU_QACT = 5,
	APEMU_UNKNOWN = 6,
	APEMU_BAPQ = 7,
	APEMU_AAPQ = 8,
	APEMU_NQAP = 9,
	APEMU_DQAP = 10,
	APEMU_FUNCTIONS
};

enum apemu_response {
	APEMU_RC_NORMAL = 0x00,
	APEMU_RC_NOT_AVAILABLE = 0x01,
	APEMU_RC_RESET_IN_PROGRESS = 0x02,
	APEMU_RC_DECONFIGURED = 0x03,
	APEMU_RC_CHECKSTOPPED = 0x04,
	APEMU_RC_BUSY = 0x05,
	APEMU_RC_INVALID_ADDRESS = 0x06,
	APEMU_RC_OTHERWISE_CHANGED = 0x07,
	APEMU_RC_INVALID_GISA = 0x08,
	APEMU_RC_BOUND = 0x09,
	APEMU_RC_ASSOCIATING = 0x0a,
	APEMU_RC_NOT_BOUND = 0x0b,
	APEMU_RC_Q_FULL = 0x10,
	APEMU_RC_NO_PENDING_REPLY = 0x10,
	APEMU_RC_NO_FIRST_PART = 0x13,
	APEMU_RC_MESSAGE_TOO_BIG = 0x15,
	APEMU_RC_NO_ASSOCIATION = 0x31,
	APEMU_RC_NOT_EMPTY = 0x32,
	APEMU_RC_NO_SECRET = 0x34,
	APEMU_RC_ASSOC_AGAIN = 0x35,
	APEMU_RC_ASSOC_FAILED = 0x36,
};

/* GR1 on output: the AP queue status word (bits 32-63). */
#define APEMU_STATUS_EMPTY	BIT(31)
#define APEMU_STATUS_REPLIES	BIT(30)
#define APEMU_STATUS_FULL	BIT(29)
#define APEMU_STATUS_ASYNC	BIT(25)
#define APEMU_STATUS_IR		BIT(24)
#define APEMU_STATUS_RC_SHIFT	16
#define APEMU_STATUS_RC(status)	(((status) >> APEMU_STATUS_RC_SHIFT) & 0xff)

/* GR0 on input. */
#define APEMU_GR0_FC_SHIFT	24
#define APEMU_GR0_FC(gr0)	(((gr0) >> APEMU_GR0_FC_SHIFT) & 0xff)
#define APEMU_GR0_QID(gr0)	((gr0) & 0xffff)
#define APEMU_GR0_T		BIT(23)		/* TAPQ: tell the facilities */
#define APEMU_GR0_F		BIT(22)		/* RAPQ, ZAPQ, QACT */
#define APEMU_GR0_RESERVED	GENMASK(22, 16)	/* bits 41-47 */
#define APEMU_GR0_BEYOND_APXA	0xc0f0UL	/* ids that need APXA */
#define APEMU_GR0_L		BIT(30)		/* NQAP: last part */

/* GR1 on input of AQIC. */
#define APEMU_AQIC_IR		BIT(47)
#define APEMU_AQIC_GISC(gr1)	(((gr1) >> 40) & 7)
#define APEMU_AQIC_GISA(gr1)	((gr1) & 0x7ffffff0UL)
#define APEMU_AQIC_ISC(gr1)	((gr1) & 7)

/* GR2 on output of TAPQ. */
#define APEMU_HWINFO_APSC	BIT(63)
#define APEMU_HWINFO_MEX4K	BIT(62)
#define APEMU_HWINFO_CRT4K	BIT(61)
#define APEMU_HWINFO_CCA	BIT(60)
#define APEMU_HWINFO_ACCEL	BIT(59)
#define APEMU_HWINFO_EP11	BIT(58)
#define APEMU_HWINFO_APXA	BIT(57)
#define APEMU_HWINFO_FAC	GENMASK(63, 32)
#define APEMU_HWINFO_BS_SHIFT	46
#define APEMU_HWINFO_AT_SHIFT	24
#define APEMU_HWINFO_ND_SHIFT	16
#define APEMU_HWINFO_ML_SHIFT	8

/* QCI flags. */
#define APEMU_QCI_APSC		BIT(31)
#define APEMU_QCI_APXA		BIT(30)
#define APEMU_QCI_QACT		BIT(29)
#define APEMU_QCI_BIND		BIT(23)		/* bind and associate */

/* Program interruption codes, as in asm/kvm_host.h. */
#define APEMU_PGM_OPERATION	0x01
#define APEMU_PGM_PRIVILEGED	0x02
#define APEMU_PGM_ADDRESSING	0x05
#define APEMU_PGM_SPECIFICATION	0x06

/* A message is at most three chunks of 4 KiB (TAPQ: ml). */
#define APEMU_MESSAGE_CHUNKS	3
#define APEMU_MESSAGE_MAX	(APEMU_MESSAGE_CHUNKS * 4096)

#define APEMU_OPCODE_NQAP	0xb2ad
#define APEMU_OPCODE_DQAP	0xb2ae
#define APEMU_OPCODE_PQAP	0xb2af

#define APEMU_MASK_WORDS	8

#define APEMU_LOG_LINE		192	/* a line of the log fits into this */

/**
 * struct apemu_qci - the block that PQAP(QCI) stores
 * @flags: APEMU_QCI_*
 * @na: highest adapter id, if APXA
 * @nd: highest domain id, if APXA
 * @reserved0: zero
 * @apm: adapters, bit 0 is the leftmost
 * @aqm: usage domains
 * @adm: control domains
 * @reserved1: zero
 */
struct apemu_qci {
	u32 flags;
	u8 na;
	u8 nd;
	u8 reserved0[10];
	u32 apm[APEMU_MASK_WORDS];
	u32 aqm[APEMU_MASK_WORDS];
	u32 adm[APEMU_MASK_WORDS];
	u8 reserved1[16];
} __aligned(8);

/**
 * struct apemu_view - the part of the AP configuration that a guest may see
 * @apxa: the guest has extended addressing
 * @apm: adapters of the guest
 * @aqm: usage domains of the guest
 * @adm: control domains of the guest
 */
struct apemu_view {
	bool apxa;
	u32 apm[APEMU_MASK_WORDS];
	u32 aqm[APEMU_MASK_WORDS];
	u32 adm[APEMU_MASK_WORDS];
};

struct apemu_insn;

/**
 * struct apemu_memory - how an instruction reaches its operands
 * @load: copy @len bytes from operand address @addr; 0, or -EFAULT after noting
 *	  in the context where the access failed
 * @store: copy @len bytes to operand address @addr; same
 *
 * Both are called with interrupts off and the emulator's lock held.
 */
struct apemu_memory {
	int (*load)(struct apemu_insn *insn, void *to, unsigned long addr,
		    size_t len);
	int (*store)(struct apemu_insn *insn, unsigned long addr,
		     const void *from, size_t len);
};

/* Facilities of the CPU that executes the instruction. */
#define APEMU_FACILITY_QCI	BIT(0)		/* 12 */
#define APEMU_FACILITY_APFT	BIT(1)		/* 15 */
#define APEMU_FACILITY_AQIC	BIT(2)		/* 65 */

/**
 * struct apemu_insn - one AP instruction on its way through the emulator
 * @gprs: the sixteen general registers, in and out
 * @memory: how to reach the operands
 * @context: for @memory
 * @view: what the guest may see; NULL for the host
 * @opcode: APEMU_OPCODE_*
 * @r1: first register field (NQAP, DQAP)
 * @r2: second register field (NQAP, DQAP)
 * @facilities: APEMU_FACILITY_*
 * @handle: secure configuration of the guest; 0 for others and for the host
 * @cc: condition code, valid after APEMU_DONE
 * @pgm: program interruption code, valid after APEMU_PROGRAM
 */
struct apemu_insn {
	unsigned long *gprs;
	const struct apemu_memory *memory;
	void *context;
	const struct apemu_view *view;
	u16 opcode;
	u8 r1;
	u8 r2;
	u8 facilities;
	u64 handle;
	u8 cc;
	u16 pgm;
};

enum apemu_outcome {
	APEMU_DONE,		/* registers and @cc tell the rest */
	APEMU_PROGRAM,		/* program interruption @pgm, nothing done */
	APEMU_FAULT,		/* an operand was not there; nothing done */
};

enum apemu_outcome apemu_execute(struct apemu_insn *insn);
int apemu_command(const char *text);
u64 apemu_counted(bool guest, enum apemu_function function);
u32 apemu_gib_origin(void);
bool apemu_bound(u64 handle);
void apemu_set_store_check(bool (*check)(u64 address));
void apemu_log_newest(char *line);

/**
 * apemu_mask_test() - test an id in an AP mask
 * @mask: eight words, bit 0 leftmost
 * @id: the adapter or domain
 *
 * Context: Any.
 * Return: true if the bit is on.
 */
static inline bool apemu_mask_test(const u32 *mask, unsigned int id)
{
	return mask[id / 32] & (0x80000000u >> (id % 32));
}

/**
 * apemu_mask_assign() - set or clear an id in an AP mask
 * @mask: eight words, bit 0 leftmost
 * @id: the adapter or domain
 * @on: the new value
 *
 * Context: Any; the caller serialises.
 */
static inline void apemu_mask_assign(u32 *mask, unsigned int id, bool on)
{
	u32 bit = 0x80000000u >> (id % 32);

	if (on)
		mask[id / 32] |= bit;
	else
		mask[id / 32] &= ~bit;
}

#endif
