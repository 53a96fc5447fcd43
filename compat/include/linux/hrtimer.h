/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hrtimer_setup(): since 6.13, replaces hrtimer_init() and the assignment of
 * the callback.
 */
#ifndef VFIO_AP_COMPAT_LINUX_HRTIMER_H
#define VFIO_AP_COMPAT_LINUX_HRTIMER_H

#include_next <linux/hrtimer.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*callback)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = callback;
}
#endif

#endif /* VFIO_AP_COMPAT_LINUX_HRTIMER_H */
