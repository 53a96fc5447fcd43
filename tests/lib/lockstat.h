/* SPDX-License-Identifier: GPL-2.0-only */
/* lockstat - how long locks were held, as the kernel counts it (CONFIG_LOCK_STAT) */
#ifndef VFIO_AP_TESTS_LOCKSTAT_H
#define VFIO_AP_TESTS_LOCKSTAT_H

#include <stdbool.h>

#define LOCK_GUESTS	"&matrix_dev->guests_lock"
#define LOCK_KVM	"&kvm->lock"
#define LOCK_MDEVS	"&matrix_dev->mdevs_lock"

bool lockstat_present(void);
void lockstat_clear(void);

/* Longest hold since then, -1 if the lock was never released. */
long lockstat_held_ns(const char *lock);
long lockstat_held_us(const char *lock);

/* How often it was taken, -1 if it never was */
long lockstat_taken(const char *lock);

#endif
