/* SPDX-License-Identifier: GPL-2.0-only */
/* 6.12 has linux/unaligned.h; older kernels call it asm/unaligned.h. */
#ifdef VFIO_AP_HAS_UNALIGNED_H
#include_next <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif
