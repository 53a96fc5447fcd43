// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of guest execution without a guest: translation, shadow tables, decoding, MVCOS and the
 * instructions that make translations invalid, on a guest CPU and 64 pages of memory of the
 * tests' own. Load after apsie.
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "apsie.h"

#define FRAMES		64
#define SEGMENTS	0x8000UL	/* guest real: segment table, 16 KiB */
#define PAGES		0x6000UL	/* its only page table */
#define DATA		0x10000UL	/* where virtual 0x5000 is */
#define DATA2		0x11000UL	/* where virtual 0x6000 is */
#define ADDR		0x5000UL
#define ADDR2		0x6000UL
#define PREFIX		0x4000UL
#define ASCE		(SEGMENTS | 3)

struct machine {
	struct apsie_vm vm;
	struct apsie_vcpu cpu;
	struct kvm_s390_sie_block block;
	unsigned long gprs[16];
	unsigned long memory[FRAMES];
};

static u64 *word(struct machine *m, unsigned long absolute)
{
	return (u64 *)(m->memory[absolute >> PAGE_SHIFT] + offset_in_page(absolute));
}

static void map(struct machine *m, unsigned long addr, unsigned long entry)
{
	*word(m, PAGES + (addr >> PAGE_SHIFT & 0xff) * 8) = entry;
}

static int machine_init(struct kunit *test)
{
	struct machine *m = kzalloc(sizeof(*m), GFP_KERNEL);
	unsigned long n;

	test->priv = m;
	if (!m)
		return -ENOMEM;
	for (n = 0; n < FRAMES; n++) {
		m->memory[n] = get_zeroed_page(GFP_KERNEL);
		if (!m->memory[n])
			return -ENOMEM;
	}
	m->vm.memory = m->memory;
	m->vm.frames = FRAMES;
	m->vm.vcpus[0] = &m->cpu;
	m->cpu.vm = &m->vm;
	m->cpu.block = &m->block;
	m->cpu.gprs = m->gprs;
	m->cpu.prefix = PREFIX;
	m->cpu.psw.mask = PSW_MASK_DAT | PSW_MASK_EA | PSW_MASK_BA;
	m->block.gcr[0] = APSIE_CR0_IEP;
	m->block.gcr[1] = ASCE;
	for (n = 0; n < APSIE_TABLE_ENTRIES; n++)
		*word(m, SEGMENTS + n * 8) = APSIE_TABLE_INVALID;
	for (n = 0; n < APSIE_PAGE_ENTRIES; n++)
		*word(m, PAGES + n * 8) = APSIE_PAGE_INVALID;
	*word(m, SEGMENTS) = PAGES;
	map(m, ADDR, DATA);
	map(m, ADDR2, DATA2);
	return apsie_shadow_grow(&m->vm, 16);
}

static void machine_exit(struct kunit *test)
{
	struct machine *m = test->priv;
	unsigned int n;

	if (!m)
		return;
	apsie_shadow_free(&m->vm);
	for (n = 0; n < FRAMES; n++)
		free_page(m->memory[n]);
	kfree(m);
}

static int walk(struct machine *m, unsigned long addr, struct apsie_walked *walked)
{
	m->cpu.missing = APSIE_NOTHING;
	return apsie_walk(&m->cpu, m->block.gcr[1], addr, walked);
}

static void insn(struct machine *m, u16 a, u16 b, u16 c)
{
	m->cpu.insn = (struct apsie_insn){ .text = { a, b, c }, .length = apsie_length(a) };
	apsie_decode(&m->cpu);
}

static void walk_finds_pages(struct kunit *test)
{
	struct machine *m = test->priv;
	struct apsie_walked walked;

	KUNIT_EXPECT_EQ(test, walk(m, ADDR + 0x123, &walked), 0);
	KUNIT_EXPECT_EQ(test, walked.real, DATA + 0x123);
	KUNIT_EXPECT_FALSE(test, walked.protect || walked.no_execute);
	map(m, ADDR, DATA | APSIE_PROTECT | APSIE_NO_EXECUTE);
	KUNIT_EXPECT_EQ(test, walk(m, ADDR, &walked), 0);
	KUNIT_EXPECT_TRUE(test, walked.protect && walked.no_execute);
	m->block.gcr[0] = 0;
	KUNIT_EXPECT_EQ(test, walk(m, ADDR, &walked), 0);
	KUNIT_EXPECT_FALSE(test, walked.no_execute);
}

static void walk_finds_frames(struct kunit *test)
{
	struct machine *m = test->priv;
	struct apsie_walked walked;

	*word(m, SEGMENTS + 8) = 0x700000 | APSIE_TABLE_FRAME | APSIE_PROTECT;
	KUNIT_EXPECT_EQ(test, walk(m, 0x1abcde, &walked), 0);
	KUNIT_EXPECT_EQ(test, walked.real, 0x7abcdeUL);
	KUNIT_EXPECT_TRUE(test, walked.protect);
}

static void walk_tells_what_is_wrong(struct kunit *test)
{
	struct machine *m = test->priv;
	unsigned long pages = m->memory[PAGES >> PAGE_SHIFT];
	struct apsie_walked walked;

	KUNIT_EXPECT_EQ(test, walk(m, 0x7000, &walked), APSIE_PGM_PAGE);
	KUNIT_EXPECT_EQ(test, walk(m, 0x300000, &walked), APSIE_PGM_SEGMENT);
	KUNIT_EXPECT_EQ(test, walk(m, 1UL << 31, &walked), APSIE_PGM_ASCE_TYPE);
	map(m, 0x7000, APSIE_PAGE_RESERVED);
	KUNIT_EXPECT_EQ(test, walk(m, 0x7000, &walked), APSIE_PGM_TRANSLATION);
	*word(m, SEGMENTS + 16) = PAGES | 2 << 2;
	KUNIT_EXPECT_EQ(test, walk(m, 0x200000, &walked), APSIE_PGM_TRANSLATION);
	*word(m, SEGMENTS + 16) = 0x10000000;
	KUNIT_EXPECT_EQ(test, walk(m, 0x200000, &walked), APEMU_PGM_ADDRESSING);
	m->block.gcr[1] = SEGMENTS;
	KUNIT_EXPECT_EQ(test, walk(m, 0x20000000, &walked), APSIE_PGM_SEGMENT);
	m->memory[PAGES >> PAGE_SHIFT] = 0;
	KUNIT_EXPECT_EQ(test, walk(m, ADDR, &walked), -EFAULT);
	KUNIT_EXPECT_EQ(test, m->cpu.fault, PAGES);
	m->memory[PAGES >> PAGE_SHIFT] = pages;
}

static void shadow_remembers_and_forgets(struct kunit *test)
{
	struct machine *m = test->priv;
	struct apsie_root *root = apsie_shadow_root(&m->cpu, ASCE, false), *other;

	apsie_shadow_fill(&m->cpu, root, ADDR, 0x12345000);
	apsie_shadow_fill(&m->cpu, root, ADDR2, 0x23456000);
	KUNIT_EXPECT_EQ(test, apsie_shadow_entry(root, ADDR), 0x12345000UL);
	KUNIT_EXPECT_PTR_EQ(test, apsie_shadow_root(&m->cpu, ASCE, false), root);
	m->cpu.prefix = 0;
	other = apsie_shadow_root(&m->cpu, ASCE, false);
	KUNIT_EXPECT_PTR_NE(test, other, root);
	KUNIT_EXPECT_EQ(test, apsie_shadow_entry(other, ADDR), APSIE_PAGE_INVALID);
	m->cpu.purge = false;
	apsie_shadow_zap(&m->cpu, ADDR);
	KUNIT_EXPECT_EQ(test, apsie_shadow_entry(root, ADDR), APSIE_PAGE_INVALID);
	KUNIT_EXPECT_EQ(test, apsie_shadow_entry(root, ADDR2), 0x23456000UL);
	KUNIT_EXPECT_TRUE(test, m->cpu.purge);
	apsie_shadow_forget(&m->cpu, ASCE);
	KUNIT_EXPECT_NULL(test, root->table);
	KUNIT_EXPECT_NULL(test, other->table);
}

static void shadow_returns_all_blocks(struct kunit *test)
{
	struct machine *m = test->priv;
	struct apsie_root *root = apsie_shadow_root(&m->cpu, 3 << 2 | 3, false);
	unsigned int used;

	apsie_shadow_fill(&m->cpu, root, 0x123456789abcd000, 0x1000);
	KUNIT_EXPECT_EQ(test, apsie_shadow_entry(root, 0x123456789abcd000), 0x1000UL);
	used = m->vm.shadow.total - m->vm.shadow.free;
	KUNIT_EXPECT_EQ(test, used, 5U);
	apsie_shadow_forget_all(&m->vm, &m->cpu);
	/* Page tables stay page tables. */
	KUNIT_EXPECT_EQ(test, m->vm.shadow.total - m->vm.shadow.free, 1U);
}

static void decode_finds_operands(struct kunit *test)
{
	struct machine *m = test->priv;

	m->gprs[3] = 0x1000;
	m->gprs[4] = 0x20;
	insn(m, 0xac07, 0x3800, 0);
	KUNIT_EXPECT_EQ(test, m->cpu.insn.key, 0xac00);
	KUNIT_EXPECT_EQ(test, m->cpu.insn.addr, 0x1800UL);
	insn(m, 0xe314, 0x3004, 0xff03);
	KUNIT_EXPECT_EQ(test, m->cpu.insn.key, 0xe303);
	KUNIT_EXPECT_EQ(test, m->cpu.insn.r1, 1);
	KUNIT_EXPECT_EQ(test, m->cpu.insn.addr, 0x24UL);
	insn(m, 0xeb1d, 0x0ff8, 0x002f);
	KUNIT_EXPECT_EQ(test, m->cpu.insn.key, 0xeb2f);
	KUNIT_EXPECT_EQ(test, m->cpu.insn.r2, 0xd);
	KUNIT_EXPECT_EQ(test, m->cpu.insn.addr, 0xff8UL);
	insn(m, 0xb98e, 0x5034, 0);
	KUNIT_EXPECT_EQ(test, m->cpu.insn.r1 << 8 | m->cpu.insn.r2 << 4 | m->cpu.insn.r3, 0x345);
	m->cpu.psw.mask &= ~(PSW_MASK_EA | PSW_MASK_BA);
	m->gprs[3] = 0xff000000;
	insn(m, 0xac07, 0x3800, 0);
	KUNIT_EXPECT_EQ(test, m->cpu.insn.addr, 0x800UL);
}

static int mvcos(struct machine *m, unsigned long to, unsigned long from, unsigned long length)
{
	m->gprs[0] = 0;
	m->gprs[1] = length;
	m->gprs[2] = to;
	m->gprs[3] = from;
	insn(m, 0xc810, 0x2000, 0x3000);
	m->cpu.missing = APSIE_NOTHING;
	return apsie_mvcos(&m->cpu);
}

static void mvcos_copies_all_or_nothing(struct kunit *test)
{
	struct machine *m = test->priv;

	strscpy((char *)word(m, DATA), "hello", 8);
	KUNIT_EXPECT_EQ(test, mvcos(m, ADDR2, ADDR, 6), 0);
	KUNIT_EXPECT_STREQ(test, (char *)word(m, DATA2), "hello");
	KUNIT_EXPECT_EQ(test, m->cpu.psw.mask & PSW_MASK_CC, 0UL);
	KUNIT_EXPECT_EQ(test, mvcos(m, ADDR2, ADDR, 5000), 0);
	KUNIT_EXPECT_EQ(test, m->cpu.psw.mask & PSW_MASK_CC, PSW_MASK_CC);
	*word(m, DATA2 + 0xff8) = 0;
	*word(m, DATA) = ~0UL;
	KUNIT_EXPECT_EQ(test, mvcos(m, ADDR2 + 0xff8, ADDR, 16), APSIE_PGM_PAGE);
	KUNIT_EXPECT_EQ(test, m->cpu.teid & PAGE_MASK, 0x7000UL);
	KUNIT_EXPECT_TRUE(test, m->cpu.teid & APSIE_TEID_STORE);
	KUNIT_EXPECT_EQ(test, *word(m, DATA2 + 0xff8), 0ULL);
	map(m, ADDR2, DATA2 | APSIE_PROTECT);
	apsie_shadow_forget_all(&m->vm, &m->cpu);
	KUNIT_EXPECT_EQ(test, mvcos(m, ADDR2, ADDR, 1), APSIE_PGM_PROTECTION);
}

static void ipte_invalidates_pages(struct kunit *test)
{
	struct machine *m = test->priv;
	struct apsie_root *root = apsie_shadow_root(&m->cpu, ASCE, false);

	apsie_shadow_fill(&m->cpu, root, ADDR, 0x1000);
	apsie_shadow_fill(&m->cpu, root, ADDR2, 0x2000);
	m->gprs[4] = PAGES;
	m->gprs[5] = ADDR;
	insn(m, 0xb221, 0x0045, 0);
	KUNIT_EXPECT_EQ(test, apsie_ipte(&m->cpu), 0);
	KUNIT_EXPECT_EQ(test, *word(m, PAGES + 5 * 8), DATA | APSIE_PAGE_INVALID);
	KUNIT_EXPECT_EQ(test, apsie_shadow_entry(root, ADDR), APSIE_PAGE_INVALID);
	KUNIT_EXPECT_EQ(test, apsie_shadow_entry(root, ADDR2), 0x2000UL);
	m->gprs[6] = 1;
	insn(m, 0xb221, 0x6045, 0);
	KUNIT_EXPECT_EQ(test, apsie_ipte(&m->cpu), 0);
	KUNIT_EXPECT_EQ(test, apsie_shadow_entry(root, ADDR2), APSIE_PAGE_INVALID);
	KUNIT_EXPECT_EQ(test, m->gprs[6], 0xffUL);
	KUNIT_EXPECT_EQ(test, m->gprs[5], ADDR2);
}

static void idte_invalidates_tables(struct kunit *test)
{
	struct machine *m = test->priv;
	struct apsie_root *root = apsie_shadow_root(&m->cpu, ASCE, false);

	m->gprs[5] = 0x800;
	m->gprs[6] = ASCE;
	insn(m, 0xb98e, 0x6045, 0);
	KUNIT_EXPECT_EQ(test, apsie_idte(&m->cpu), 0);
	KUNIT_EXPECT_NULL(test, root->table);
	KUNIT_EXPECT_EQ(test, *word(m, SEGMENTS), PAGES);
	m->gprs[4] = SEGMENTS;
	m->gprs[5] = 0;
	KUNIT_EXPECT_EQ(test, apsie_idte(&m->cpu), 0);
	KUNIT_EXPECT_EQ(test, *word(m, SEGMENTS), PAGES | APSIE_TABLE_INVALID);
}

static void cspg_swaps_and_purges(struct kunit *test)
{
	struct machine *m = test->priv;
	struct apsie_root *root = apsie_shadow_root(&m->cpu, ASCE, false);

	*word(m, DATA + 8) = 5;
	m->gprs[4] = 4;
	m->gprs[5] = 7;
	m->gprs[6] = ADDR + 8 + 1;
	insn(m, 0xb98a, 0x0046, 0);
	KUNIT_EXPECT_EQ(test, apsie_cspg(&m->cpu), 0);
	KUNIT_EXPECT_EQ(test, m->gprs[4], 5UL);
	KUNIT_EXPECT_NOT_NULL(test, root->table);
	KUNIT_EXPECT_EQ(test, apsie_cspg(&m->cpu), 0);
	KUNIT_EXPECT_EQ(test, *word(m, DATA + 8), 7ULL);
	KUNIT_EXPECT_NULL(test, root->table);
}

static void crdte_replaces_an_entry(struct kunit *test)
{
	struct machine *m = test->priv;

	m->gprs[4] = DATA;
	m->gprs[5] = DATA2;
	m->gprs[6] = PAGES;
	m->gprs[7] = ADDR;
	insn(m, 0xb98f, 0x0046, 0);
	KUNIT_EXPECT_EQ(test, apsie_crdte(&m->cpu), 0);
	KUNIT_EXPECT_EQ(test, *word(m, PAGES + 5 * 8), DATA2);
	KUNIT_EXPECT_EQ(test, apsie_crdte(&m->cpu), 0);
	KUNIT_EXPECT_EQ(test, m->gprs[4], DATA2);
}

static void patch_knows_instructions(struct kunit *test)
{
	struct machine *m = test->priv;
	u16 *page = (u16 *)word(m, DATA);

	page[10] = 0xb98d;
	page[11] = 0x0012;
	page[20] = 0x0700;
	page[21] = 0x0700;
	page[22] = 0xb2b0;
	page[23] = 0xf0a0;
	/* xc 688(32,%r11),688(%r11) */
	page[30] = 0xd71f;
	page[31] = 0xb2b0;
	page[32] = 0xb2b0;
	KUNIT_EXPECT_EQ(test, apsie_patch(page), 2U);
	KUNIT_EXPECT_EQ(test, page[10], APSIE_OPCODE_EPSW);
	KUNIT_EXPECT_EQ(test, page[22], APSIE_OPCODE_STFLE);
	KUNIT_EXPECT_EQ(test, page[31], 0xb2b0);
	KUNIT_EXPECT_EQ(test, page[32], 0xb2b0);
}

static struct kunit_case apsie_cases[] = {
	KUNIT_CASE(walk_finds_pages),
	KUNIT_CASE(walk_finds_frames),
	KUNIT_CASE(walk_tells_what_is_wrong),
	KUNIT_CASE(shadow_remembers_and_forgets),
	KUNIT_CASE(shadow_returns_all_blocks),
	KUNIT_CASE(decode_finds_operands),
	KUNIT_CASE(mvcos_copies_all_or_nothing),
	KUNIT_CASE(ipte_invalidates_pages),
	KUNIT_CASE(idte_invalidates_tables),
	KUNIT_CASE(cspg_swaps_and_purges),
	KUNIT_CASE(crdte_replaces_an_entry),
	KUNIT_CASE(patch_knows_instructions),
	{}
};

static struct kunit_suite apsie_suite = {
	.name = "apsie",
	.init = machine_init,
	.exit = machine_exit,
	.test_cases = apsie_cases,
};

kunit_test_suite(apsie_suite);

MODULE_DESCRIPTION("SIE emulator: tests");
MODULE_LICENSE("GPL");
