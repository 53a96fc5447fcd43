/* SPDX-License-Identifier: GPL-2.0-only */
/* apqn - adapter and domain in one number, and as people write it */
#ifndef VFIO_AP_TESTS_APQN_H
#define VFIO_AP_TESTS_APQN_H

#define APQN(adapter, domain)	((adapter) << 8 | (domain))
#define APQN_ADAPTER(apqn)	((apqn) >> 8 & 0xff)
#define APQN_DOMAIN(apqn)	((apqn) & 0xff)
#define APQN_ANY		(-1)

/* "05.0004", or "any"; valid until eight more were asked for */
const char *apqn_name(int apqn);

#endif
