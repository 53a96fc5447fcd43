// SPDX-License-Identifier: GPL-2.0-only
/*
 * Secure configurations and their CPUs. A handle is the place in a table and a number that no other
 * handle ever had.
 */
#include <linux/export.h>
#include <linux/io.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include "apemu.h"
#include "apuv.h"

#define APUV_PLACE_BITS		16
#define APUV_CR0_RESET		0xe0UL
#define APUV_CR14_RESET		0xc2000000UL
/* All subclasses are enabled: apsie executes no LCTLG for protected guests. */
#define APUV_CR6_RESET		0xff000000UL

#define APUV_SHORT_PSW		0x00080000U	/* the bit that says so */
#define APUV_SHORT_BA		0x80000000U

static struct apuv_conf apuv_confs[APUV_CONFS];
static struct apuv_cpu *apuv_cpus;
static u64 apuv_serial;

static u64 apuv_new_handle(unsigned int place)
{
	return ++apuv_serial << APUV_PLACE_BITS | place;
}

static unsigned int apuv_place(u64 handle)
{
	return handle & (BIT(APUV_PLACE_BITS) - 1);
}

/**
 * apuv_conf_find() - find a configuration
 * @handle: its handle
 *
 * Context: apuv_lock is held.
 * Return: The configuration, or NULL.
 */
struct apuv_conf *apuv_conf_find(u64 handle)
{
	unsigned int place = apuv_place(handle);

	lockdep_assert_held(&apuv_lock);
	if (!handle || place >= APUV_CONFS || apuv_confs[place].handle != handle)
		return NULL;
	return &apuv_confs[place];
}

/**
 * apuv_conf_create() - make a configuration
 * @asce: of its memory
 * @flags: APUV_CONF_*
 *
 * Context: apuv_lock is held.
 * Return: Its handle, 0 if there are too many.
 */
u64 apuv_conf_create(u64 asce, u16 flags)
{
	unsigned int n;

	lockdep_assert_held(&apuv_lock);
	for (n = 0; n < APUV_CONFS; n++) {
		if (apuv_confs[n].handle)
			continue;
		apuv_confs[n] = (struct apuv_conf){
			.handle = apuv_new_handle(n),
			.asce = asce,
			.flags = flags,
		};
		return apuv_confs[n].handle;
	}
	return 0;
}

/**
 * apuv_conf_destroy() - forget a configuration
 * @handle: its handle
 *
 * Its pages stay what they are until the host asks for them.
 *
 * Context: apuv_lock is held; takes apemu_lock.
 * Return: APUV_RC_*.
 */
u16 apuv_conf_destroy(u64 handle)
{
	struct apuv_conf *conf = apuv_conf_find(handle);

	if (!conf)
		return APUV_RC_HANDLE;
	if (conf->cpus)
		return APUV_RC_CPUS_LEFT;
	if (apemu_bound(handle))
		return APUV_RC_QUEUE_BOUND;
	conf->handle = 0;
	return APUV_RC_EXECUTED;
}

/**
 * apuv_cpu_find() - find a CPU
 * @handle: its handle
 *
 * Context: Any. The caller knows that the CPU stays: KVM destroys none that runs.
 * Return: The CPU, or NULL.
 */
struct apuv_cpu *apuv_cpu_find(u64 handle)
{
	unsigned int place = apuv_place(handle);

	if (!handle || !apuv_cpus || place >= APUV_CPUS || apuv_cpus[place].handle != handle)
		return NULL;
	return &apuv_cpus[place];
}
EXPORT_SYMBOL_GPL(apuv_cpu_find);

/**
 * apuv_cpu_reset() - initial CPU reset
 * @cpu: the CPU
 *
 * Context: apuv_lock is held, and the CPU is not in SIE.
 */
void apuv_cpu_reset(struct apuv_cpu *cpu)
{
	memset(cpu->gprs, 0, sizeof(cpu->gprs));
	memset(cpu->crs, 0, sizeof(cpu->crs));
	cpu->crs[0] = APUV_CR0_RESET;
	cpu->crs[6] = APUV_CR6_RESET;
	cpu->crs[14] = APUV_CR14_RESET;
	cpu->psw = (psw_t){};
	cpu->continues = 0;
}

/**
 * apuv_cpu_create() - make a CPU
 * @conf: handle of its configuration
 *
 * Context: apuv_lock is held.
 * Return: Its handle, 0 if there is no such configuration, or too many CPUs.
 */
u64 apuv_cpu_create(u64 conf)
{
	struct apuv_conf *parent = apuv_conf_find(conf);
	unsigned int n;

	for (n = 0; parent && n < APUV_CPUS; n++) {
		if (apuv_cpus[n].handle)
			continue;
		apuv_cpu_reset(&apuv_cpus[n]);
		apuv_cpus[n].conf = conf;
		apuv_cpus[n].handle = apuv_new_handle(n);
		parent->cpus++;
		return apuv_cpus[n].handle;
	}
	return 0;
}

/**
 * apuv_cpu_destroy() - forget a CPU
 * @handle: its handle
 *
 * Context: apuv_lock is held.
 * Return: APUV_RC_*.
 */
u16 apuv_cpu_destroy(u64 handle)
{
	struct apuv_cpu *cpu = apuv_cpu_find(handle);
	struct apuv_conf *conf = cpu ? apuv_conf_find(cpu->conf) : NULL;

	if (!cpu)
		return APUV_RC_HANDLE;
	if (conf)
		conf->cpus--;
	memset(cpu, 0, sizeof(*cpu));
	return APUV_RC_EXECUTED;
}

/**
 * apuv_cpu_load() - load the PSW of 8 bytes at absolute 0
 * @cpu: the CPU
 *
 * Context: apuv_lock is held, and the CPU is not in SIE.
 * Return: APUV_RC_*.
 */
u16 apuv_cpu_load(struct apuv_cpu *cpu)
{
	const struct apuv_conf *conf = apuv_conf_find(cpu->conf);
	long frame = conf ? apuv_page_walk(conf->asce, 0) : -1;
	const u32 *word;

	if (frame < 0)
		return APUV_RC_NOT_MAPPED;
	word = phys_to_virt((unsigned long)frame << PAGE_SHIFT);
	if (!(word[0] & APUV_SHORT_PSW))
		return APUV_RC_STATE;
	cpu->psw.mask = (u64)(word[0] & ~APUV_SHORT_PSW) << 32 | (word[1] & APUV_SHORT_BA);
	cpu->psw.addr = word[1] & ~APUV_SHORT_BA;
	return APUV_RC_EXECUTED;
}

/**
 * apuv_cpu_may_ap() - may this CPU execute AP instructions?
 * @cpu: the CPU
 * @interrupts: AQIC
 *
 * Context: Any.
 * Return: true if its configuration was made so.
 */
bool apuv_cpu_may_ap(const struct apuv_cpu *cpu, bool interrupts)
{
	const struct apuv_conf *conf = &apuv_confs[apuv_place(cpu->conf) % APUV_CONFS];

	return conf->flags & (interrupts ? APUV_CONF_AP_INTR : APUV_CONF_AP);
}
EXPORT_SYMBOL_GPL(apuv_cpu_may_ap);

/**
 * apuv_conf_handles() - how many handles are there?
 *
 * Context: Any.
 * Return: Their number, configurations and CPUs.
 */
unsigned int apuv_conf_handles(void)
{
	unsigned int n, handles = 0;

	for (n = 0; n < APUV_CONFS; n++)
		handles += !!READ_ONCE(apuv_confs[n].handle);
	for (n = 0; apuv_cpus && n < APUV_CPUS; n++)
		handles += !!READ_ONCE(apuv_cpus[n].handle);
	return handles;
}

/**
 * apuv_conf_show() - the configurations, one line each
 * @m: the file
 *
 * Context: Process context; takes apuv_lock.
 */
void apuv_conf_show(struct seq_file *m)
{
	struct apuv_conf conf;
	unsigned long flags;
	unsigned int n;

	for (n = 0; n < APUV_CONFS; n++) {
		raw_spin_lock_irqsave(&apuv_lock, flags);
		conf = apuv_confs[n];
		raw_spin_unlock_irqrestore(&apuv_lock, flags);
		if (conf.handle)
			seq_printf(m, "conf %llx flags %x cpus %u\n", conf.handle, conf.flags,
				   conf.cpus);
	}
}

/**
 * apuv_conf_init() - allocate the CPUs
 *
 * Context: Process context.
 * Return: 0 or -ENOMEM.
 */
int apuv_conf_init(void)
{
	apuv_cpus = vcalloc(APUV_CPUS, sizeof(*apuv_cpus));
	return apuv_cpus ? 0 : -ENOMEM;
}

/**
 * apuv_conf_exit() - free them
 *
 * Context: Process context.
 */
void apuv_conf_exit(void)
{
	vfree(apuv_cpus);
	apuv_cpus = NULL;
}
