// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest gets, and what keeps it from getting more.
 */
#include "dice.h"
#include "suites.h"

/* The table of adapters as the driver keeps it, made from the model */
struct table {
	struct ap_adapter *entry[IDS];
	struct ap_adapter adapter[IDS];
};

static void table_fill(struct table *t, const struct naive_queues *queues)
{
	static const struct naive_queue untouched[IDS];
	unsigned int apid;

	for (apid = 0; apid < IDS; apid++) {
		t->adapter[apid] = naive_adapter(queues->at[apid]);
		t->entry[apid] = &t->adapter[apid];
		/* An entry is made when it is needed, and never goes. */
		if (!memcmp(queues->at[apid], untouched, sizeof(untouched)) &&
		    dice(2))
			t->entry[apid] = NULL;
	}
}

static struct table adapters;
static struct naive_queues queues;

static void filter(struct ap_matrix *shadow, const struct naive *assigned,
		   const struct naive *host, const bool *held)
{
	struct ap_matrix ma = naive_matrix(assigned), mh = naive_matrix(host);
	struct ap_mask mask = naive_mask(held);

	table_fill(&adapters, &queues);
	ap_matrix_filter(shadow, &ma, &mh, &mask, adapters.entry);
}

/* Adapters 1, 2, 5, domains 4, 0x11, 0x47: assigned, in the host, all bound */
static void lab(struct naive *assigned, struct naive *host)
{
	static const unsigned int apids[] = { 1, 2, 5 };
	static const unsigned int apqis[] = { 4, 0x11, 0x47 };
	unsigned int i, j;

	*assigned = (struct naive) {};
	memset(&queues, 0, sizeof(queues));
	for (i = 0; i < 3; i++) {
		assigned->adapter[apids[i]] = true;
		assigned->domain[apqis[i]] = true;
		assigned->control[apqis[i]] = true;
		for (j = 0; j < 3; j++)
			queues.at[apids[i]][apqis[j]] = (struct naive_queue) {
				.bound = true, .ready = true,
			};
	}
	*host = *assigned;
}

void filter_table(void)
{
	struct naive assigned, host, expected;
	struct ap_matrix shadow;
	bool held[IDS] = {};

	lab(&assigned, &host);
	filter(&shadow, &assigned, &host, held);
	expect(naive_is_matrix(&assigned, &shadow), "all is passed");

	lab(&assigned, &host);
	queues.at[2][0x11].ready = false;
	expected = assigned;
	expected.adapter[2] = false;
	filter(&shadow, &assigned, &host, held);
	expect(naive_is_matrix(&expected, &shadow),
	       "one queue keeps its adapter away, and no domain");

	lab(&assigned, &host);
	memset(&queues.at[5], 0, sizeof(queues.at[5]));
	expected = assigned;
	expected.adapter[5] = false;
	filter(&shadow, &assigned, &host, held);
	expect(naive_is_matrix(&expected, &shadow),
	       "an adapter without a bound queue is not passed");

	lab(&assigned, &host);
	queues.at[2][0x11].ready = false;
	expected = assigned;
	expected.domain[0x11] = false;
	host.domain[0x11] = false;
	filter(&shadow, &assigned, &host, held);
	expect(naive_is_matrix(&expected, &shadow),
	       "a queue does not matter in a domain that the host lacks");

	lab(&assigned, &host);
	queues.at[1][0x47].ready = false;
	held[0x47] = true;
	expected = assigned;
	expected.domain[0x47] = false;
	filter(&shadow, &assigned, &host, held);
	expect(naive_is_matrix(&expected, &shadow),
	       "a held domain is not passed, so its queues do not matter");
	held[0x47] = false;

	lab(&assigned, &host);
	memset(&queues, 0, sizeof(queues));
	memset(host.domain, false, sizeof(host.domain));
	expected = assigned;
	memset(expected.domain, false, sizeof(expected.domain));
	filter(&shadow, &assigned, &host, held);
	expect(naive_is_matrix(&expected, &shadow),
	       "without a domain nothing keeps an adapter away");

	lab(&assigned, &host);
	host.adapter[1] = false;
	host.adapter[99] = true;
	host.control[4] = false;
	host.control[99] = true;
	expected = assigned;
	expected.adapter[1] = false;
	expected.control[4] = false;
	filter(&shadow, &assigned, &host, held);
	expect(naive_is_matrix(&expected, &shadow),
	       "what is not in the host, or not assigned, is not passed");

	lab(&assigned, &host);
	host = (struct naive) {};
	filter(&shadow, &assigned, &host, held);
	expect(naive_is_matrix(&host, &shadow),
	       "a host without QCI passes nothing");
}

/* Dice throw few sets that leave much in the intersection of three. */
static void throw(struct naive *assigned, struct naive *host, bool *held)
{
	unsigned int id;

	dice_naive(assigned);
	if (dice(2))
		*host = *assigned;
	else
		dice_naive(host);
	dice_set(held);
	if (dice(2))
		memset(held, false, sizeof(bool) * IDS);
	dice_queues(&queues);
	/* Few domains, so that rows with one bad queue have a chance. */
	if (dice(2))
		for (id = 0; id < IDS; id++)
			assigned->domain[id] &= !dice(64);
}

void filter_random(void)
{
	struct naive assigned, host, expected;
	unsigned int round, some = 0, less = 0;
	struct ap_matrix shadow;
	bool held[IDS];

	for (round = 0; round < ROUNDS / 10; round++) {
		throw(&assigned, &host, held);
		naive_filter(&expected, &assigned, &host, held, &queues);
		memset(&shadow, 0xa5, sizeof(shadow));
		filter(&shadow, &assigned, &host, held);
		need(naive_is_mask(expected.domain, &shadow.aqm), "domains");
		need(naive_is_mask(expected.control, &shadow.adm),
		     "control domains");
		need(naive_is_mask(expected.adapter, &shadow.apm), "adapters");
		if (naive_weight(expected.domain) &&
		    naive_weight(expected.adapter)) {
			some++;
			less += naive_weight(expected.adapter) <
				naive_weight(assigned.adapter);
		}
	}
	expect_at_least(some, 20, "often enough something is passed");
	expect_at_least(less, 10, "and often not all of it");
}

void filter_forgets(void)
{
	struct ap_matrix first, second;
	struct naive assigned, host;
	bool held[IDS];
	unsigned int round;

	for (round = 0; round < ROUNDS / 10; round++) {
		throw(&assigned, &host, held);
		memset(&first, 0, sizeof(first));
		memset(&second, 0xff, sizeof(second));
		filter(&first, &assigned, &host, held);
		filter(&second, &assigned, &host, held);
		need(!memcmp(&first, &second, sizeof(first)),
		     "same arguments, same shadow");
	}
}

void lacks(void)
{
	unsigned int round, apqi, first, found = 0;
	struct ap_adapter adapter;
	struct naive_queue *row = queues.at[0];
	bool domains[IDS], rest[IDS];
	struct ap_mask mask;

	for (round = 0; round < ROUNDS; round++) {
		if (!(round % 100))
			dice_queues(&queues);
		row = queues.at[dice(IDS)];
		dice_set(domains);
		mask = naive_mask(domains);

		first = naive_next(domains, 0);
		need_int(ap_matrix_lacks(NULL, &mask, &apqi), first < IDS,
			 "never bound, so each domain lacks a queue");
		if (first < IDS)
			need_int(apqi, first, "the first domain of all");

		for (apqi = 0; apqi < IDS; apqi++)
			rest[apqi] = domains[apqi] && !row[apqi].ready;
		first = naive_next(rest, 0);
		found += first < IDS;
		adapter = naive_adapter(row);
		need_int(ap_matrix_lacks(&adapter, &mask, &apqi), first < IDS,
			 "a domain lacks a queue that is fit");
		if (first < IDS)
			need_int(apqi, first, "the first such domain");
	}
	expect_at_least(found, ROUNDS / 10, "often enough a queue is missing");
	expect_at_most(found, ROUNDS - ROUNDS / 10, "and often none is");
}

void settling(void)
{
	bool domains[IDS], expected[IDS];
	unsigned int round, apid, apqi;
	struct ap_mask mask, got;
	unsigned int some = 0;
	struct ap_matrix m;
	struct naive n;

	for (round = 0; round < ROUNDS / 10; round++) {
		dice_naive(&n);
		dice_set(domains);
		dice_queues(&queues);
		memset(expected, false, sizeof(expected));
		for (apid = 0; apid < IDS; apid++)
			for (apqi = 0; apqi < IDS; apqi++)
				if (n.adapter[apid] && domains[apqi] &&
				    queues.at[apid][apqi].resetting)
					expected[apqi] = true;
		some += naive_weight(expected) > 0;
		table_fill(&adapters, &queues);
		m = naive_matrix(&n);
		mask = naive_mask(domains);
		got = ap_matrix_resetting(&m, adapters.entry, &mask);
		need(naive_is_mask(expected, &got), "domains in reset");
	}
	expect_at_least(some, 20, "often enough there is a reset");
}
