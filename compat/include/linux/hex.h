/* SPDX-License-Identifier: GPL-2.0-only */
/* 6.12 has linux/hex.h; 6.1 declares the same functions in linux/kernel.h. */
#ifdef VFIO_AP_HAS_HEX_H
#include_next <linux/hex.h>
#else
#include <linux/kernel.h>
#endif
