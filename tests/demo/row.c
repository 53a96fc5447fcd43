// SPDX-License-Identifier: GPL-2.0-only
/*
 * row - a table of the demo, printed by a script
 *
 *   row begin				its head
 *   row NUMBER yes|NO TEXT TEXT TEXT	a row: what administrator did, guest saw, hardware saw
 *   row end				the rule below it
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "begin")) {
		table_begin();
	} else if (argc == 2 && !strcmp(argv[1], "end")) {
		table_end();
	} else if (argc == 6) {
		table_continue(strtoul(argv[1], NULL, 10) - 1);
		row_begin();
		administrator("%s", argv[3]);
		guest(true, "%s", argv[4]);
		hardware(true, "%s", argv[5]);
		also(!strcmp(argv[2], "yes"));
		row_end();
	} else {
		errx(2, "usage: row begin, row end, row NUMBER yes|NO TEXT TEXT TEXT");
	}
	return 0;
}
