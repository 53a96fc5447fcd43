// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random numbers, see dice.h.
 */
#include <stdlib.h>

#include "dice.h"

static u64 state;

/* Each test starts from the seed, so that it does the same when run alone. */
void dice_begin(void)
{
	const char *text = getenv("SEED");
	static bool told;

	state = text ? strtoull(text, NULL, 0) : 0x5390a9ULL;
	if (!told)
		ktap_diag("SEED=0x%llx", (unsigned long long)state);
	told = true;
}

/* splitmix64: any seed will do, 0 included */
u64 dice_u64(void)
{
	u64 z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

unsigned int dice(unsigned int faces)
{
	return dice_u64() % faces;
}

/* From empty to full: what goes wrong does so at the ends. */
void dice_set(bool *set)
{
	static const unsigned int percent[] = { 0, 1, 3, 50, 97, 99, 100 };
	unsigned int id, likely = percent[dice(ARRAY_SIZE(percent))];

	for (id = 0; id < IDS; id++)
		set[id] = dice(100) < likely;
	switch (dice(8)) {
	case 0:
		set[0] = true;
		break;
	case 1:
		set[IDS - 1] = true;
		break;
	case 2:
		set[dice(IDS)] = true;
		break;
	}
}

void dice_naive(struct naive *n)
{
	dice_set(n->adapter);
	dice_set(n->domain);
	dice_set(n->control);
}

/* Rows are never touched, fit throughout, fit but for one queue, or anything */
void dice_queues(struct naive_queues *queues)
{
	struct naive_queue *q;
	unsigned int apid, apqi, kind, odd;

	for (apid = 0; apid < IDS; apid++) {
		kind = dice(4);
		odd = kind == 2 ? dice(IDS) : IDS;
		for (apqi = 0; apqi < IDS; apqi++) {
			q = &queues->at[apid][apqi];
			*q = (struct naive_queue) {};
			if (!kind)
				continue;
			q->bound = kind < 3 || dice(2);
			q->resetting = q->bound && kind == 3 && dice(2);
			q->failed = q->bound && kind == 3 && !q->resetting &&
				    dice(2);
			q->ready = q->bound && !q->resetting && !q->failed &&
				      apqi != odd;
		}
	}
}
