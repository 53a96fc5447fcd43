/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * abi - the entries of a file of Documentation/ABI, and a table of results for them
 *
 * An entry of such a file has "What:" once or more. Its list of errnos is made of lines that
 * begin with one. The columns of the table are separated by tabs; a row "entry" and a path
 * selects the entry of the rows below it.
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
	const char *kind;		/* "file" or "request" */
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
	const char *bad_file;		/* NULL if everything is understood */
	unsigned int bad_line;
	const char *why;
};

/* The result is valid until the program ends. Both files must exist. */
const struct abi *abi_read(const char *path, const char *table);

/* "EINVAL" to -EINVAL, "ok" to 0; 1 if it is neither */
long abi_result(const char *name);

/* \n, \0 and \xff to bytes, in place; their number, or -1 if a backslash means nothing */
long abi_unescape(char *text);

#endif
