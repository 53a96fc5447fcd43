/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * __assign_str() of 6.12 knows from __string() what it copies, that of 6.1 has
 * to be told: here it is the argument that is called as the field.
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
