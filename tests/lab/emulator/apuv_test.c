// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the fake ultravisor without a guest, with host tables of their own. Load after apuv,
 * with or without its parameter "on".
 */
#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/module.h>
#include "apuv.h"

#define ADDR		0x123000UL	/* second segment of 1 MiB, page 0x23 */
#define INVALID_TABLE	0x20UL
#define INVALID_PAGE	0x400UL

struct tables {
	u64 *segment;
	u64 *page;
	unsigned long frame;
};

static int tables_init(struct kunit *test)
{
	struct tables *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned int n;

	test->priv = t;
	if (!t)
		return -ENOMEM;
	t->segment = (u64 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 2);
	t->page = (u64 *)get_zeroed_page(GFP_KERNEL);
	t->frame = get_zeroed_page(GFP_KERNEL);
	if (!t->segment || !t->page || !t->frame)
		return -ENOMEM;
	for (n = 0; n < 2048; n++)
		t->segment[n] = INVALID_TABLE;
	for (n = 0; n < 256; n++)
		t->page[n] = INVALID_PAGE;
	t->segment[ADDR >> 20] = virt_to_phys(t->page);
	t->page[ADDR >> PAGE_SHIFT & 0xff] = virt_to_phys((void *)t->frame);
	return 0;
}

static void tables_exit(struct kunit *test)
{
	struct tables *t = test->priv;

	if (!t)
		return;
	free_pages((unsigned long)t->segment, 2);
	free_page((unsigned long)t->page);
	free_page(t->frame);
}

static void walk_finds_a_page(struct kunit *test)
{
	struct tables *t = test->priv;
	u64 asce = virt_to_phys(t->segment) | 3;

	KUNIT_EXPECT_EQ(test, apuv_page_walk(asce, ADDR + 5),
			virt_to_phys((void *)t->frame) >> PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, apuv_page_walk(asce, ADDR + PAGE_SIZE), -1);
	KUNIT_EXPECT_EQ(test, apuv_page_walk(asce, ADDR + (1UL << 20)), -1);
}

static void walk_goes_down_from_a_region(struct kunit *test)
{
	struct tables *t = test->priv;
	u64 *region = (u64 *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 2);

	KUNIT_ASSERT_NOT_NULL(test, region);
	region[0] = virt_to_phys(t->segment) | 4;
	region[1] = INVALID_TABLE;
	KUNIT_EXPECT_EQ(test, apuv_page_walk(virt_to_phys(region) | 7, ADDR),
			virt_to_phys((void *)t->frame) >> PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, apuv_page_walk(virt_to_phys(region) | 7, ADDR + (1UL << 31)), -1);
	free_pages((unsigned long)region, 2);
}

static struct kunit_case apuv_cases[] = {
	KUNIT_CASE(walk_finds_a_page),
	KUNIT_CASE(walk_goes_down_from_a_region),
	{}
};

static struct kunit_suite apuv_suite = {
	.name = "apuv",
	.init = tables_init,
	.exit = tables_exit,
	.test_cases = apuv_cases,
};

kunit_test_suites(&apuv_suite);

MODULE_DESCRIPTION("fake ultravisor: tests");
MODULE_LICENSE("GPL");
