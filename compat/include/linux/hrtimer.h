/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hrtimer_setup() replaces hrtimer_init() and the assignment of the callback.
 * 7.3.4 has hrtimer_setup(), 6.12.117 lacks it.
 */
#ifndef VFIO_AP_COMPAT_LINUX_HRTIMER_H
#define VFIO_AP_COMPAT_LINUX_HRTIMER_H

#include_next <linux/hrtimer.h>

#ifndef VFIO_AP_HAS_HRTIMER_SETUP
static inline void hrtimer_setup(struct hrtimer *timer,
				 enum hrtimer_restart (*callback)(struct hrtimer *),
				 clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = callback;
}
#endif

#endif /* VFIO_AP_COMPAT_LINUX_HRTIMER_H */
