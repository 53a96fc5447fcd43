/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * __assign_str() of 6.12 takes only the field, that of 6.1 also the source.
 * ASSIGN_MDEV() copies the tracepoint's argument "mdev" to its field "mdev".
 */
#include_next <linux/tracepoint.h>

#ifndef VFIO_AP_COMPAT_LINUX_TRACEPOINT_H
#define VFIO_AP_COMPAT_LINUX_TRACEPOINT_H

#ifdef VFIO_AP_HAS_ONE_ARGUMENT_ASSIGN_STR
#define ASSIGN_MDEV()	__assign_str(mdev)
#else
#define ASSIGN_MDEV()	__assign_str(mdev, mdev)
#endif

#endif /* VFIO_AP_COMPAT_LINUX_TRACEPOINT_H */
