// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio_ap_matrix.c against a naive model. "C-" and "R-" name the promise in Documentation/requirements.rst,
 * the requirement that a test stands for.
 */
#include "dice.h"
#include "kmsg.h"
#include "suites.h"

static const struct ktap_case cases[] = {
	{ "C-4: id 0 is the left-most bit of a mask", bit_order },
	{ "R-30: sets are combined and compared bit by bit", set_algebra },
	{ "R-30: next, nth and weight find exactly the members", members },
	{ "C-5: no id above the maximum, each up to it", largest },
	{ "R-22: a difference of one bit is a difference", equal },
	{ "C-9: an APQN is in a matrix if both ids are", has },
	{ "C-5: sharing needs a common adapter and domain", shares_table },
	{ "C-5: the first shared APQN is found", shares_random },
	{ "R-27: a change adds exactly the new APQNs", added },
	{ "R-21: a change clears first, and sets then", applied },
	{ "R-4: a change that takes a number away loses queues", loses },
	{ "C-7: an adapter is passed with all queues or not at all",
	  filter_table },
	{ "C-7: the shadow is that of the model", filter_random },
	{ "R-20: the shadow does not depend on the one before",
	  filter_forgets },
	{ "R-24: the first queue that keeps an adapter away", lacks },
	{ "R-4: domains with a queue in reset, of these adapters only",
	  settling },
	{ "C-6: what ap_config accepts, and what it means",
	  config_accepted },
	{ "C-6: ap_config refuses what is malformed", config_rejected },
	{ "C-6: ap_config looks at 201 bytes", config_limit },
	{ "C-6: a NUL ends what is written to ap_config", config_nul },
	{ "C-6: ap_config is read as the model reads it", config_random },
	{ "C-4: ap_config shows 201 bytes", config_shown },
	{ "C-4: what ap_config shows can be written to it",
	  config_round_trip },
	{ "C-4: the forms of a listing", listing_forms },
	{ "C-4: a listing is that of the model", listing_random },
	{ "R-23: pieces of a listing are the listing", listing_pieces },
	{ "R-23: 256 x 256 APQNs are 65,536 lines", listing_full },
	{ "R-23: a listing ends where it ends", listing_beyond },
};

/* The kernel log is that of whoever runs these tests: nothing is said there. */
void kmsg_note(const char *fmt, ...)
{
	(void)fmt;
}

int main(void)
{
	static const struct ktap_world world = { .begin = dice_begin };

	return ktap_main(cases, ARRAY_SIZE(cases), &world);
}
