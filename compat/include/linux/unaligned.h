/* SPDX-License-Identifier: GPL-2.0-only */
/* In 6.12 it has this name, before it was asm/unaligned.h. */
#ifdef VFIO_AP_HAS_UNALIGNED_H
#include_next <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif
