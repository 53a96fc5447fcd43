// SPDX-License-Identifier: GPL-2.0-only
/* apqn - adapter and domain in one number, and as people write it */

#include <stdio.h>

#include "apqn.h"

const char *apqn_name(int apqn)
{
	static __thread char names[8][16];
	static __thread unsigned int turn;
	char *name = names[turn++ % 8];

	if (apqn == APQN_ANY)
		return "any";
	snprintf(name, sizeof(names[0]), "%02x.%04x", APQN_ADAPTER(apqn), APQN_DOMAIN(apqn));
	return name;
}
