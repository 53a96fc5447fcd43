/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of the masks that is too simple to be wrong.
 *
 * Written from the description of the behaviour, not from the driver: a set is
 * an array of bool, a text is built character by character, a matrix is looked
 * at one APQN after the other. Slow, and that does not matter.
 */
#ifndef VFIO_AP_TESTS_NAIVE_H
#define VFIO_AP_TESTS_NAIVE_H

#include "ktap.h"
#include "kernel_shim.h"
#include "vfio_ap_matrix.h"

#define IDS		256

/* 256 x 256 lines of 8 bytes, and a NUL */
#define NAIVE_LISTING	(IDS * IDS * 8 + 1)

struct naive {
	bool adapter[IDS];
	bool domain[IDS];
	bool control[IDS];
};

struct naive_queue {
	bool bound;
	bool resetting;
	bool failed;
	bool ready;
};

struct naive_queues {
	struct naive_queue at[IDS][IDS];
};

unsigned int naive_next(const bool *set, unsigned int id);
unsigned int naive_weight(const bool *set);
unsigned int naive_nth(const bool *set, unsigned int n);
bool naive_has(const struct naive *n, unsigned int apid, unsigned int apqi);
bool naive_shares(const struct naive *a, const struct naive *b,
		  unsigned int *apid, unsigned int *apqi);
void naive_filter(struct naive *shadow, const struct naive *assigned,
		  const struct naive *host, const bool *held,
		  const struct naive_queues *queues);
bool naive_parse(struct naive *n, const char *text, size_t len);
size_t naive_config(const struct naive *n, char *text);
size_t naive_listing(const struct naive *n, char *text);

struct ap_mask naive_mask(const bool *set);
struct ap_matrix naive_matrix(const struct naive *n);
struct ap_adapter naive_adapter(const struct naive_queue *row);
bool naive_is_mask(const bool *set, const struct ap_mask *m);
bool naive_is_matrix(const struct naive *n, const struct ap_matrix *m);

#endif /* VFIO_AP_TESTS_NAIVE_H */
