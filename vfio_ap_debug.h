/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The s390 debug feature area "vfio_ap": what happened, to be looked up
 * afterwards; it is in dumps, too. One page, sprintf view, level 4.
 */
#ifndef VFIO_AP_DEBUG_H
#define VFIO_AP_DEBUG_H

#include <linux/unaligned.h>
#include <asm/debug.h>

/* Something is kept out or lost */
#define VFIO_AP_DBF_ERR		3
/* Guests come and go, what was refused */
#define VFIO_AP_DBF_NOTICE	4
/* What guests got, queues come and go; not recorded unless asked for */
#define VFIO_AP_DBF_INFO	5
/* The format, and as many arguments as vfio_ap_dbf_mdev() has at most */
#define VFIO_AP_DBF_ARGS	9

extern debug_info_t *vfio_ap_dbf;

/* The arguments are kept, not the text: nothing that %s could point to. */
#define vfio_ap_dbf_event(level, fmt, ...)				\
	debug_sprintf_event(vfio_ap_dbf, (level), fmt, ##__VA_ARGS__)

/* The same about an mdev, which is named by its UUID; three arguments more */
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
