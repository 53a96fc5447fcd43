/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The s390 debug feature area "vfio_ap": survives into dumps, and is what IBM
 * support asks for. One page, sprintf view, level 4 (notices and worse).
 */
#ifndef VFIO_AP_DEBUG_H
#define VFIO_AP_DEBUG_H

#include <asm/debug.h>

#define VFIO_AP_DBF_ERR		3
#define VFIO_AP_DBF_WARN	4
#define VFIO_AP_DBF_INFO	5
#define VFIO_AP_DBF_DEBUG	6
#define VFIO_AP_DBF_ARGS	8

extern debug_info_t *vfio_ap_dbf;

/* Cheap when the level is off: the arguments are not formatted here. */
#define vfio_ap_dbf_event(level, fmt, ...)				\
	debug_sprintf_event(vfio_ap_dbf, (level), fmt, ##__VA_ARGS__)

#endif /* VFIO_AP_DEBUG_H */
