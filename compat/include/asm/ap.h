/* SPDX-License-Identifier: GPL-2.0-only */
/* The maxima in struct ap_config_info were Na and Nd in 6.1. */
#ifndef VFIO_AP_COMPAT_ASM_AP_H
#define VFIO_AP_COMPAT_ASM_AP_H

#ifndef VFIO_AP_HAS_LOWERCASE_MAXIMA
#define Na	na
#define Nd	nd
#endif
#include_next <asm/ap.h>
#undef Na
#undef Nd

#endif /* VFIO_AP_COMPAT_ASM_AP_H */
