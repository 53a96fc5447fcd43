/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The s390 debug feature "vfio_ap" records events for later analysis, also in
 * system dumps. It has one page, the sprintf view, and level 4 by default.
 */
#ifndef VFIO_AP_DEBUG_H
#define VFIO_AP_DEBUG_H

#include <linux/unaligned.h>
#include <asm/debug.h>

/* A queue is unusable, or a page was leaked */
#define VFIO_AP_DBF_ERR		3
/* Attach and detach of guests, refused requests, recovered queues */
#define VFIO_AP_DBF_NOTICE	4
/* Changes of APCBs, bind and unbind of queues; off by default */
#define VFIO_AP_DBF_INFO	5
/* One format and eight arguments, five of them from vfio_ap_dbf_mdev() */
#define VFIO_AP_DBF_ARGS	9

extern debug_info_t *vfio_ap_dbf;

/* s390dbf stores the arguments, not the text, so %s must not be used. */
#define vfio_ap_dbf_event(level, fmt, ...)				\
	debug_sprintf_event(vfio_ap_dbf, (level), fmt, ##__VA_ARGS__)

/* Record an event of an mdev, named by its UUID; up to three arguments */
#define vfio_ap_dbf_mdev(level, matrix_mdev, fmt, ...)			\
do {									\
	const u8 *_b = (matrix_mdev)->mdev->uuid.b;			\
									\
	vfio_ap_dbf_event((level),					\
			  "%08lx-%04lx-%04lx-%04lx-%012lx: " fmt,	\
			  (unsigned long)get_unaligned_le32(_b),	\
			  (unsigned long)get_unaligned_le16(_b + 4),	\
			  (unsigned long)get_unaligned_le16(_b + 6),	\
			  (unsigned long)get_unaligned_be16(_b + 8),	\
			  (unsigned long)get_unaligned_be48(_b + 10),	\
			  ##__VA_ARGS__);				\
} while (0)

#endif /* VFIO_AP_DEBUG_H */
