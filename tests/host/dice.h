/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random numbers that are the same in every run, unless SEED says otherwise.
 */
#ifndef VFIO_AP_TESTS_DICE_H
#define VFIO_AP_TESTS_DICE_H

#include "naive.h"

#define ROUNDS	2000

void dice_begin(void);
u64 dice_u64(void);
unsigned int dice(unsigned int faces);
void dice_set(bool *set);
void dice_naive(struct naive *n);
void dice_queues(struct naive_queues *queues);

#endif /* VFIO_AP_TESTS_DICE_H */
