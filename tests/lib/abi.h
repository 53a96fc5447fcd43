/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * abi - the tables of results in a file of Documentation/ABI
 *
 * An entry of such a file says "What:" once or more, and may have tables. A line with | in
 * it belongs to one. The first word of a table's head says what its rows are about: "file"
 * or "request". A list of errnos is made of lines that begin with one.
 */
#ifndef VFIO_AP_TESTS_ABI_H
#define VFIO_AP_TESTS_ABI_H

enum { ABI_PATHS = 8 };

struct abi_entry {
	const char *path[ABI_PATHS];
	unsigned int paths;
};

struct abi_row {
	unsigned int line;
	const struct abi_entry *entry;
	const char *subject;		/* "file" or "request" */
	const char *name, *input, *precondition, *result;
};

struct abi_errno {
	unsigned int line;
	const struct abi_entry *entry;
	long rc;
};

struct abi {
	struct abi_row *row;
	unsigned int rows;
	struct abi_errno *error;
	unsigned int errors;
	unsigned int bad_line;		/* one that is not understood, or 0 */
	const char *why;
};

/* What is read is kept until the program ends. The file must be there. */
const struct abi *abi_read(const char *path);

/* "EINVAL" to -EINVAL, "ok" to 0; 1 if it is neither */
long abi_result(const char *name);

/* \n, \0 and \xff to bytes, in place; their number, or -1 if a backslash means nothing */
long abi_unescape(char *text);

#endif
