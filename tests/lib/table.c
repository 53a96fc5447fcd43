// SPDX-License-Identifier: GPL-2.0-only
/* table - the story as a table of 100 columns */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "table.h"

enum { STEP, ADMINISTRATOR, GUEST, HARDWARE, VERDICT, COLUMNS };

static const int width[COLUMNS] = { 4, 33, 28, 20, 3 };		/* and four times " | " make 100 */
static char cell[COLUMNS][512];
static unsigned int rows, bad_rows;
static bool good;

static void rule(void)
{
	int column, i;

	for (column = 0; column < COLUMNS; column++) {
		for (i = 0; i < width[column]; i++)
			putchar('-');
		fputs(column < COLUMNS - 1 ? "-+-" : "\n", stdout);
	}
	fflush(stdout);
}

/* How much of the text goes into this line: up to a newline, or to the last blank that fits. */
static int fitting(const char *text, int limit)
{
	int length = strcspn(text, "\n"), cut;

	if (length <= limit)
		return length;
	for (cut = limit; cut > 0 && text[cut] != ' '; cut--)
		;
	return cut ? cut : limit;
}

static void print_cells(void)
{
	const char *rest[COLUMNS];
	int column, length;
	bool more = true;

	for (column = 0; column < COLUMNS; column++)
		rest[column] = cell[column];
	while (more) {
		more = false;
		for (column = 0; column < COLUMNS; column++) {
			length = fitting(rest[column], width[column]);
			printf("%-*.*s", width[column], length, rest[column]);
			fputs(column < COLUMNS - 1 ? " | " : "\n", stdout);
			rest[column] += length;
			rest[column] += *rest[column] == '\n' || *rest[column] == ' ';
			more |= *rest[column] != '\0';
		}
	}
}

void table_begin(void)
{
	rows = 0;
	bad_rows = 0;
	rule();
	strcpy(cell[STEP], "step");
	strcpy(cell[ADMINISTRATOR], "administrator did");
	strcpy(cell[GUEST], "guest saw");
	strcpy(cell[HARDWARE], "hardware saw");
	strcpy(cell[VERDICT], "ok?");
	print_cells();
	rule();
}

void table_continue(unsigned int after)
{
	rows = after;
}

void row_begin(void)
{
	memset(cell, 0, sizeof(cell));
	snprintf(cell[STEP], sizeof(cell[STEP]), "%4u", ++rows);
	good = true;
}

static void say(int column, const char *fmt, va_list args)
{
	char *text = cell[column];
	size_t used = strlen(text), size = sizeof(cell[0]);

	if (used && used < size - 1)
		text[used++] = '\n';
	vsnprintf(text + used, size - used, fmt, args);
}

#define SAY(column, fmt) do {			\
		va_list args;			\
						\
		va_start(args, fmt);		\
		say(column, fmt, args);		\
		va_end(args);			\
	} while (0)

void administrator(const char *fmt, ...)
{
	SAY(ADMINISTRATOR, fmt);
}

void guest(bool as_expected, const char *fmt, ...)
{
	SAY(GUEST, fmt);
	good &= as_expected;
}

void hardware(bool as_expected, const char *fmt, ...)
{
	SAY(HARDWARE, fmt);
	good &= as_expected;
}

void also(bool as_expected)
{
	good &= as_expected;
}

bool row_end(void)
{
	int column;

	for (column = ADMINISTRATOR; column < VERDICT; column++)
		if (!*cell[column])
			strcpy(cell[column], "-");
	strcpy(cell[VERDICT], good ? "yes" : "NO");
	print_cells();
	fflush(stdout);
	bad_rows += !good;
	return good;
}

unsigned int table_end(void)
{
	rule();
	return bad_rows;
}
