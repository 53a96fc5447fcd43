/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What vfio_ap_matrix.c takes from the kernel's headers, for user space.
 */
#ifndef VFIO_AP_TESTS_KERNEL_SHIM_H
#define VFIO_AP_TESTS_KERNEL_SHIM_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

#define min_t(type, a, b) ({						\
	type min_a = (a);						\
	type min_b = (b);						\
	min_a < min_b ? min_a : min_b; })

static inline int fls64(u64 word)
{
	return word ? 64 - __builtin_clzll(word) : 0;
}

static inline unsigned int hweight64(u64 word)
{
	return __builtin_popcountll(word);
}

static inline int hex_to_bin(unsigned char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

#endif /* VFIO_AP_TESTS_KERNEL_SHIM_H */
