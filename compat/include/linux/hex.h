/* SPDX-License-Identifier: GPL-2.0-only */
/* linux/hex.h came out of linux/kernel.h after 6.1. */
#if __has_include_next(<linux/hex.h>)
#include_next <linux/hex.h>
#else
#include <linux/kernel.h>
#endif
