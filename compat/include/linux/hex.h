/* SPDX-License-Identifier: GPL-2.0-only */
/* 6.12 has it, 6.1 has what is in it in linux/kernel.h. */
#ifdef VFIO_AP_HAS_HEX_H
#include_next <linux/hex.h>
#else
#include <linux/kernel.h>
#endif
