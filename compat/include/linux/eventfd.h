/* SPDX-License-Identifier: GPL-2.0-only */
/* Since 6.8, eventfd_signal() always adds 1 and lacks the argument for it. */
#ifndef VFIO_AP_COMPAT_LINUX_EVENTFD_H
#define VFIO_AP_COMPAT_LINUX_EVENTFD_H

#include_next <linux/eventfd.h>

#ifndef VFIO_AP_HAS_ONE_ARGUMENT_EVENTFD_SIGNAL
#define eventfd_signal(ctx)	eventfd_signal(ctx, 1)
#endif

#endif /* VFIO_AP_COMPAT_LINUX_EVENTFD_H */
