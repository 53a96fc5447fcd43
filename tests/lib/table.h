/* SPDX-License-Identifier: GPL-2.0-only */
/* table - the story as a table of 100 columns: step, administrator, guest, hardware, as expected */
#ifndef VFIO_AP_TESTS_TABLE_H
#define VFIO_AP_TESTS_TABLE_H

#include <stdbool.h>

void table_begin(void);
void table_continue(unsigned int after);	/* somebody else has printed so many rows */

/* A row is printed by row_end(); what is said by one and the same gets a line each. */
void row_begin(void);
void administrator(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void guest(bool as_expected, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void hardware(bool as_expected, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void also(bool as_expected);	/* without words */
bool row_end(void);

/* Rows that were not as expected. */
unsigned int table_end(void);

#endif
