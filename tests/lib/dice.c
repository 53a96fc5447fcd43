// SPDX-License-Identifier: GPL-2.0-only
/* dice - random numbers that can be had again */

#include <stdlib.h>
#include <string.h>

#include "dice.h"
#include "memo.h"

static __thread unsigned int dice_state;

unsigned int dice_seed(void)
{
	static const char key[] = "lab.seed=";
	char *word = strstr(memo_file("/proc/cmdline"), key);

	return word ? strtoul(word + strlen(key), NULL, 0) : 1;
}

void dice_take(unsigned int number)
{
	dice_state = (dice_seed() + 1) * 2654435761U ^ (number + 1) * 40503U;
	if (!dice_state)
		dice_state = 1;
}

static unsigned int throw(void)
{
	dice_state ^= dice_state << 13;
	dice_state ^= dice_state >> 17;
	dice_state ^= dice_state << 5;
	return dice_state;
}

unsigned int dice(unsigned int sides)
{
	return throw() % sides;
}

unsigned long dice_word(void)
{
	unsigned long high = throw();

	return high << 32 | throw();
}
