/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map of the fake ultravisor, and what apsie may know of it.
 *
 * One raw spinlock, apuv_lock, protects everything. It is taken in program-check context, below
 * page table locks and with interrupts off. apemu_lock may be taken below it.
 */
#ifndef APUV_H
#define APUV_H

#include <linux/ptrace.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#define APUV_OPCODE_UVC		0xb9a4

#define APUV_CONFS		64
#define APUV_CPUS		256

#define APUV_CC_OK		0
#define APUV_CC_ERROR		1

/* Response codes of the UVCB */
#define APUV_RC_EXECUTED	0x0001
#define APUV_RC_COMMAND		0x0002
#define APUV_RC_STATE		0x0003
#define APUV_RC_LENGTH		0x0005
#define APUV_RC_HANDLE		0x0020
#define APUV_RC_LIMIT		0x0021
#define APUV_RC_CPUS_LEFT	0x0101
#define APUV_RC_QUEUE_BOUND	0x0104
#define APUV_RC_ADDRESS		0x0105
#define APUV_RC_NOT_SHARED	0x0107
#define APUV_RC_NOT_MAPPED	0x010a
#define APUV_RC_FOREIGN		0x010d

/* Guest-only commands, by number because the guest's UVCB is not the host's business */
#define APUV_SHARE		0x1000
#define APUV_UNSHARE		0x1001

/* Program interruption codes */
#define APUV_PGM_SECURE		0x3d
#define APUV_PGM_NOT_SECURE	0x3e
#define APUV_PGM_VIOLATION	0x3f

enum apuv_state {
	APUV_NONE,		/* everybody's */
	APUV_SECURE,		/* only its guest may touch it */
	APUV_SHARED,		/* its guest lets everybody touch it */
	APUV_PINNED,		/* ... and promised not to take that back */
	APUV_STATES
};

/**
 * struct apuv_page - a page frame of the host
 * @handle: configuration that it belongs to, if @state is not APUV_NONE
 * @gfn: guest absolute page number
 * @state: enum apuv_state
 */
struct apuv_page {
	u64 handle;
	u32 gfn;
	u8 state;
};

/**
 * struct apuv_conf - a secure configuration
 * @handle: 0 if there is none
 * @asce: of its memory
 * @flags: APUV_CONF_*
 * @cpus: number of its CPUs
 */
struct apuv_conf {
	u64 handle;
	u64 asce;
	u16 flags;
	unsigned int cpus;
};

#define APUV_CONF_AP		0x0001	/* AP instructions */
#define APUV_CONF_AP_INTR	0x0002	/* ... and their interrupts */

/**
 * struct apuv_cpu - a secure CPU; its registers, while it is outside of SIE
 * @handle: 0 if there is none
 * @conf: handle of the configuration
 * @gprs: general registers
 * @crs: control registers
 * @psw: the PSW
 * @continues: interception code that the next entry goes on with, or 0
 * @ipa: first halfword of the instruction that it was for
 */
struct apuv_cpu {
	u64 handle;
	u64 conf;
	unsigned long gprs[16];
	unsigned long crs[16];
	psw_t psw;
	u8 continues;
	u16 ipa;
};

/**
 * struct apuv_call - a command in work
 * @cb: the control block
 * @handle: for the log
 * @addr: the same
 * @quiet: nothing worth a line in the log
 */
struct apuv_call {
	void *cb;
	u64 handle;
	u64 addr;
	bool quiet;
};

extern raw_spinlock_t apuv_lock;

/* apuv_page.c */
int apuv_page_init(void);
void apuv_page_exit(void);
long apuv_page_walk(u64 asce, u64 gaddr);
u16 apuv_page_import(const struct apuv_conf *conf, u64 gaddr);
u16 apuv_page_release(u64 paddr, bool clear, bool *was_secure);
u16 apuv_page_pin(u64 paddr);
u16 apuv_page_unpin(u64 handle, u64 gaddr);
void apuv_page_unshare_all(u64 handle);
int apuv_page_share(u64 handle, unsigned long gfn, unsigned long paddr, bool on);
int apuv_page_access(u64 handle, unsigned long gfn, unsigned long paddr);
bool apuv_page_may_store(u64 paddr);
u64 apuv_page_generation(void);
void apuv_page_count(unsigned long *counts);

/* apuv_conf.c */
int apuv_conf_init(void);
void apuv_conf_exit(void);
struct apuv_conf *apuv_conf_find(u64 handle);
u64 apuv_conf_create(u64 asce, u16 flags);
u16 apuv_conf_destroy(u64 handle);
u64 apuv_cpu_create(u64 conf);
u16 apuv_cpu_destroy(u64 handle);
struct apuv_cpu *apuv_cpu_find(u64 handle);
void apuv_cpu_reset(struct apuv_cpu *cpu);
u16 apuv_cpu_load(struct apuv_cpu *cpu);
unsigned int apuv_conf_handles(void);
void apuv_conf_show(struct seq_file *m);

/* apuv_call.c */
int apuv_call(void *cb);
bool apuv_cpu_may_ap(const struct apuv_cpu *cpu, bool interrupts);

/* apuv_guest.c */
int apuv_guest_call(struct apuv_cpu *cpu, u16 command, unsigned long gfn, unsigned long paddr);

/* apuv_log.c */
int apuv_log_init(void);
void apuv_log_exit(void);
void apuv_log_call(bool guest, u16 command, u64 handle, u64 addr, u16 rc, int cc);
void apuv_log_event(const char *what, u64 addr);
u64 apuv_log_count(u16 command);
void apuv_log_clear(void);
int apuv_log_open(struct inode *inode, struct file *file);
void apuv_log_show_counts(struct seq_file *m);

/* apuv_script.c */
bool apuv_script_match(u16 command, u16 *rc);
int apuv_script_add(u16 command, u16 rc, unsigned int skip, unsigned int times);
void apuv_script_clear(void);

/* apuv_ctl.c */
int apuv_command(const char *text);
void apuv_ctl_init(void);
void apuv_ctl_exit(void);

/* apuv_main.c */
void apuv_factory(void);
void apuv_set_feature(unsigned int bit, bool on);
void apuv_set_fast(bool on);
u64 apuv_secure_stores(void);

/* apuv_trap.c */
int apuv_trap_init(void);
void apuv_trap_exit(void);

#endif
