// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of ids, and sets of APQNs.
 */
#include "dice.h"
#include "suites.h"

void bit_order(void)
{
	struct ap_mask m = {}, all;
	bool set[IDS] = {};
	unsigned int id, other;

	for (id = 0; id < IDS; id++) {
		m = (struct ap_mask) {};
		ap_mask_set(&m, id);
		set[id] = true;
		need(naive_is_mask(set, &m), "id %u is bit %u", id, id);
		for (other = 0; other < IDS; other++)
			need(ap_mask_test(&m, other) == (other == id),
			     "id %u alone is set, id %u looked at", id, other);
		set[id] = false;

		memset(&all, 0xff, sizeof(all));
		ap_mask_clear(&all, id);
		for (other = 0; other < IDS; other++)
			need(ap_mask_test(&all, other) == (other != id),
			     "id %u alone is clear, id %u looked at", id,
			     other);
		ap_mask_assign(&all, id, true);
		need_int(ap_mask_weight(&all), IDS, "id %u assigned", id);
		ap_mask_assign(&m, id, false);
		need(ap_mask_empty(&m), "id %u taken away", id);
	}
	ap_mask_set(&m, 0);
	expect_hex(m.w[0], 0x8000000000000000ULL, "id 0");
	ap_mask_set(&m, 255);
	expect_hex(m.w[3], 1, "id 255");
}

static void combine(const bool *a, const bool *b)
{
	struct ap_mask ma = naive_mask(a), mb = naive_mask(b), got;
	bool both[IDS], any[IDS], rest[IDS], one[IDS];
	unsigned int id;

	for (id = 0; id < IDS; id++) {
		both[id] = a[id] && b[id];
		any[id] = a[id] || b[id];
		rest[id] = a[id] && !b[id];
		one[id] = a[id] != b[id];
	}
	got = ap_mask_and(&ma, &mb);
	need(naive_is_mask(both, &got), "in both");
	got = ap_mask_or(&ma, &mb);
	need(naive_is_mask(any, &got), "in one of them");
	got = ap_mask_andnot(&ma, &mb);
	need(naive_is_mask(rest, &got), "in the first, not in the second");
	got = ap_mask_xor(&ma, &mb);
	need(naive_is_mask(one, &got), "in one of them only");

	need_int(ap_mask_empty(&ma), !naive_weight(a), "empty");
	need_int(ap_mask_intersects(&ma, &mb), !!naive_weight(both),
		 "have a common member");
	need_int(ap_mask_subset(&ma, &mb), !naive_weight(rest),
		 "all members are in the other");
	need_int(ap_mask_equal(&ma, &mb), !memcmp(a, b, sizeof(bool) * IDS),
		 "same members");
}

void set_algebra(void)
{
	unsigned int round, id;
	bool a[IDS], b[IDS];

	for (round = 0; round < ROUNDS; round++) {
		dice_set(a);
		dice_set(b);
		combine(a, b);
		/* Chance hardly ever makes sets that differ in one member. */
		memcpy(b, a, sizeof(b));
		combine(a, b);
		id = dice(IDS);
		b[id] = !b[id];
		combine(a, b);
		combine(b, a);
	}
	memset(a, false, sizeof(a));
	for (id = 0; id < IDS; id++) {
		memset(b, false, sizeof(b));
		b[id] = true;
		combine(a, b);
		combine(b, a);
		combine(b, b);
	}
}

static void enumerate(const bool *set)
{
	struct ap_mask m = naive_mask(set);
	unsigned int id, n = 0;

	/* 256 is what a walk asks for after it has seen id 255. */
	for (id = 0; id <= IDS; id++)
		need_int(ap_mask_next(&m, id), naive_next(set, id),
			 "next member from %u on", id);
	need_int(ap_mask_next(&m, ~0U), IDS, "next member from nowhere");
	need_int(ap_mask_weight(&m), naive_weight(set), "number of members");
	for (n = 0; n <= IDS; n++)
		need_int(ap_mask_nth(&m, n), naive_nth(set, n),
			 "member of rank %u", n);
	n = 0;
	ap_mask_for_each(id, &m) {
		need_int(id, naive_nth(set, n), "step %u of a walk", n);
		n++;
	}
	need_int(n, naive_weight(set), "steps of a walk");
}

void members(void)
{
	static const unsigned int edges[] = {
		0, 1, 62, 63, 64, 65, 127, 128, 191, 192, 254, 255
	};
	bool set[IDS] = {};
	unsigned int i;

	enumerate(set);
	for (i = 0; i < ARRAY_SIZE(edges); i++) {
		memset(set, false, sizeof(set));
		set[edges[i]] = true;
		enumerate(set);
		memset(set, true, sizeof(set));
		enumerate(set);
		set[edges[i]] = false;
		enumerate(set);
	}
	for (i = 0; i < ROUNDS / 4; i++) {
		dice_set(set);
		enumerate(set);
	}
}

void largest(void)
{
	bool set[IDS] = {};
	struct ap_mask m;
	unsigned int max;

	for (max = 0; max < IDS; max++) {
		set[max] = true;
		m = ap_mask_upto(max);
		need(naive_is_mask(set, &m), "0 to %u", max);
	}
}

void equal(void)
{
	struct ap_matrix a, b, differ;
	struct ap_mask *part[] = { &b.apm, &b.aqm, &b.adm };
	struct ap_mask *differs[] = { &differ.apm, &differ.aqm, &differ.adm };
	struct naive n;
	unsigned int i, id;

	dice_naive(&n);
	a = naive_matrix(&n);
	b = a;
	need(ap_matrix_equal(&a, &b), "a copy is equal");
	differ = ap_matrix_difference(&a, &b);
	need(!ap_matrix_touches(&differ, &differ), "a copy does not differ");
	for (i = 0; i < ARRAY_SIZE(part); i++)
		for (id = 0; id < IDS; id++) {
			b = a;
			ap_mask_assign(part[i], id, !ap_mask_test(part[i], id));
			need(!ap_matrix_equal(&a, &b),
			     "mask %u differs in %u", i, id);
			need(!ap_matrix_equal(&b, &a),
			     "mask %u differs in %u, the other way", i, id);
			differ = ap_matrix_difference(&a, &b);
			need(ap_mask_test(differs[i], id),
			     "mask %u is said to differ in %u", i, id);
			need_int(ap_matrix_touches(&a, &differ),
				 !ap_mask_test(part[i], id),
				 "only those that have %u are touched", id);
			ap_mask_clear(differs[i], id);
			need(!ap_matrix_touches(&differ, &differ),
			     "and nothing else differs");
		}
}

void has(void)
{
	unsigned int round, apid, apqi;
	struct ap_matrix m;
	struct naive n;

	for (round = 0; round < 20; round++) {
		dice_naive(&n);
		m = naive_matrix(&n);
		for (apid = 0; apid < IDS; apid++)
			for (apqi = 0; apqi < IDS; apqi++)
				need_int(ap_matrix_has(&m, apid, apqi),
					 naive_has(&n, apid, apqi),
					 "%02x.%04x", apid, apqi);
	}
}

/* Matrices as the administrator writes them: adapters, domains */
struct pair {
	const char *what;
	unsigned int a[2], b[2];
	bool shares;
};

static void put_pair(struct naive *n, const unsigned int *ids)
{
	*n = (struct naive) {};
	if (ids[0] < IDS)
		n->adapter[ids[0]] = true;
	if (ids[1] < IDS)
		n->domain[ids[1]] = true;
	/* Control domains may be shared, and these are. */
	memset(n->control, true, sizeof(n->control));
}

void shares_table(void)
{
	static const struct pair table[] = {
		{ "the same APQN", { 5, 4 }, { 5, 4 }, true },
		{ "the last APQN", { 255, 255 }, { 255, 255 }, true },
		{ "the same adapter", { 5, 4 }, { 5, 0x47 }, false },
		{ "the same domain", { 5, 4 }, { 6, 4 }, false },
		{ "ids exchanged", { 4, 5 }, { 5, 4 }, false },
		{ "no domain yet", { 5, IDS }, { 5, 4 }, false },
		{ "no adapter yet", { IDS, 4 }, { 5, 4 }, false },
		{ "nothing at all", { IDS, IDS }, { IDS, IDS }, false },
	};
	unsigned int i, apid, apqi;
	struct ap_matrix ma, mb;
	struct naive a, b;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		put_pair(&a, table[i].a);
		put_pair(&b, table[i].b);
		ma = naive_matrix(&a);
		mb = naive_matrix(&b);
		need_int(ap_matrix_shares(&ma, &mb, &apid, &apqi),
			 table[i].shares, "%s", table[i].what);
		if (table[i].shares) {
			need_int(apid, table[i].a[0], "%s", table[i].what);
			need_int(apqi, table[i].a[1], "%s", table[i].what);
		}
	}
}

void shares_random(void)
{
	unsigned int round, apid, apqi, expected_apid, expected_apqi;
	unsigned int shared = 0;
	struct ap_matrix ma, mb;
	struct naive a, b;

	for (round = 0; round < ROUNDS; round++) {
		dice_naive(&a);
		dice_naive(&b);
		ma = naive_matrix(&a);
		mb = naive_matrix(&b);
		if (!naive_shares(&a, &b, &expected_apid, &expected_apqi)) {
			need(!ap_matrix_shares(&ma, &mb, &apid, &apqi),
			     "nothing in common");
			continue;
		}
		shared++;
		need(ap_matrix_shares(&ma, &mb, &apid, &apqi),
		     "%02x.%04x in common", expected_apid, expected_apqi);
		need_int(apid, expected_apid, "first shared adapter");
		need_int(apqi, expected_apqi, "first shared domain");
	}
	expect_at_least(shared, ROUNDS / 10, "often enough something shared");
	expect_at_most(shared, ROUNDS - ROUNDS / 10, "and often nothing");
}

static void change(const struct naive *from, const struct naive *to)
{
	struct ap_matrix mf = naive_matrix(from), mt = naive_matrix(to);
	struct ap_matrix rows, columns;
	bool fresh, row, column;
	unsigned int apid, apqi;

	memset(&rows, 0xa5, sizeof(rows));
	memset(&columns, 0xa5, sizeof(columns));
	ap_matrix_added(&mf, &mt, &rows, &columns);
	need(ap_mask_empty(&rows.adm) && ap_mask_empty(&columns.adm),
	     "control domains are left out");
	for (apid = 0; apid < IDS; apid++)
		for (apqi = 0; apqi < IDS; apqi++) {
			fresh = naive_has(to, apid, apqi) &&
				!naive_has(from, apid, apqi);
			row = ap_matrix_has(&rows, apid, apqi);
			column = ap_matrix_has(&columns, apid, apqi);
			need_int(row || column, fresh,
				 "%02x.%04x is new, and said to be", apid,
				 apqi);
			need_int(row, fresh && !from->adapter[apid],
				 "%02x.%04x is in the new rows", apid, apqi);
			need_int(column, fresh && !from->domain[apqi],
				 "%02x.%04x is in the new columns", apid, apqi);
		}
}

void added(void)
{
	struct naive from, to;
	unsigned int round;

	for (round = 0; round < 100; round++) {
		dice_naive(&from);
		dice_naive(&to);
		change(&from, &to);
		/* What assign_adapter and assign_domain do */
		to = from;
		to.adapter[dice(IDS)] = true;
		change(&from, &to);
		to.domain[dice(IDS)] = true;
		change(&from, &to);
		change(&to, &from);
		change(&to, &to);
	}
}

void applied(void)
{
	struct naive before, clear, set, after;
	struct ap_matrix_delta delta;
	struct ap_matrix m, result;
	unsigned int round, id;

	for (round = 0; round < 100; round++) {
		dice_naive(&before);
		dice_naive(&clear);
		dice_naive(&set);
		for (id = 0; id < IDS; id++) {
			after.adapter[id] = set.adapter[id] || (before.adapter[id] && !clear.adapter[id]);
			after.domain[id] = set.domain[id] || (before.domain[id] && !clear.domain[id]);
			after.control[id] = set.control[id] || (before.control[id] && !clear.control[id]);
		}
		delta.clear = naive_matrix(&clear);
		delta.set = naive_matrix(&set);
		m = naive_matrix(&before);
		result = ap_matrix_apply(&m, &delta);
		m = naive_matrix(&after);
		need(ap_matrix_equal(&result, &m), "each number is what the change says");
	}
}

void loses(void)
{
	struct naive from, to;
	struct ap_matrix mf, mt;
	unsigned int id;

	dice_naive(&from);
	mf = naive_matrix(&from);
	for (id = 0; id < IDS; id++) {
		to = from;
		to.control[id] = !to.control[id];
		mt = naive_matrix(&to);
		need(!ap_matrix_loses(&mf, &mt), "control domain %u is no queue", id);
		to.adapter[id] = !to.adapter[id];
		mt = naive_matrix(&to);
		need_int(ap_matrix_loses(&mf, &mt), from.adapter[id], "adapter %u changes", id);
		to.adapter[id] = true;
		to.domain[id] = !to.domain[id];
		mt = naive_matrix(&to);
		need_int(ap_matrix_loses(&mf, &mt), from.domain[id], "domain %u changes", id);
	}
}
