// SPDX-License-Identifier: GPL-2.0-only
/* abi - the entries of a file of Documentation/ABI, and a table of results for them */

#define _GNU_SOURCE
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "file.h"
#include "ktap.h"

enum { COLUMNS = 5, MANY = 1024, MANY_ENTRIES = 64 };

static struct abi_row rows[MANY];
static struct abi_errno errors[MANY];
static struct abi_entry entries[MANY_ENTRIES];
static struct abi abi = { .row = rows, .error = errors };
static unsigned int known_entries;

static const char * const kinds[] = { "file", "request" };

/* Where the reader is */
static const char *file;
static struct abi_entry *entry;
static int after_what;

static void complain(unsigned int line, const char *why)
{
	if (abi.bad_file)
		return;
	abi.bad_file = file;
	abi.bad_line = line;
	abi.why = why;
}

static char *trim(char *text)
{
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

static void read_what(unsigned int line, char *path)
{
	if (!after_what) {
		if (known_entries == MANY_ENTRIES) {
			complain(line, "too many entries");
			return;
		}
		entry = &entries[known_entries++];
	}
	after_what = 1;
	if (entry->paths == ABI_PATHS)
		complain(line, "too many paths in one entry");
	else
		entry->path[entry->paths++] = path;
}

static struct abi_entry *entry_of(const char *path)
{
	unsigned int i, p;

	for (i = 0; i < known_entries; i++)
		for (p = 0; p < entries[i].paths; p++)
			if (!strcmp(entries[i].path[p], path))
				return &entries[i];
	return NULL;
}

static bool is_kind(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(name, kinds[i]))
			return true;
	return false;
}

static void read_row(unsigned int line, char *text)
{
	char *column[COLUMNS + 1] = {}, *part;
	unsigned int i = 0;

	if (text[0] == '#' || !*text)
		return;
	while (i <= COLUMNS && (part = strsep(&text, "\t")))
		column[i++] = part;
	if (i == 2 && !strcmp(column[0], "entry")) {
		entry = entry_of(column[1]);
		if (!entry)
			complain(line, "the ABI file has no such entry");
		return;
	}
	if (i != COLUMNS || !entry || !is_kind(column[0])) {
		complain(line, "not a row of five columns below an entry");
		return;
	}
	if (abi.rows == MANY) {
		complain(line, "too many rows");
		return;
	}
	rows[abi.rows++] = (struct abi_row) {
		.line = line, .entry = entry, .kind = column[0],
		.name = column[1], .input = column[2], .precondition = column[3],
		.result = column[4],
	};
}

static void read_error(unsigned int line, char *text)
{
	char word[16] = "";
	size_t length = strcspn(text, " \t");

	if (!entry || text[0] != 'E' || length >= sizeof(word) || !text[length])
		return;
	memcpy(word, text, length);
	if (abi_result(word) < 0 && abi.errors < MANY)
		errors[abi.errors++] = (struct abi_errno) { line, entry, abi_result(word) };
}

static void read_line(unsigned int line, char *text)
{
	if (text[0] == '#')
		return;
	if (!strncmp(text, "What:", 5)) {
		read_what(line, trim(text + 5));
		return;
	}
	after_what = 0;
	read_error(line, trim(text));
}

static void read_lines(const char *path, void (*take)(unsigned int line, char *text))
{
	char *text = file_read(path, NULL), *part;
	unsigned int line = 0;

	file = path;
	entry = NULL;
	if (!text) {
		complain(1, "the file cannot be read");
		return;
	}
	while ((part = strsep(&text, "\n")))
		take(++line, part);
}

const struct abi *abi_read(const char *path, const char *table)
{
	read_lines(path, read_line);
	read_lines(table, read_row);
	return &abi;
}

long abi_result(const char *name)
{
	const char *known;
	int number;

	if (!strcmp(name, "ok"))
		return 0;
	for (number = 1; number < 256; number++) {
		known = strerrorname_np(number);
		if (known && !strcmp(name, known))
			return -number;
	}
	return 1;
}

/* What follows a backslash; how many characters that are, 0 if it means nothing */
static int escape(const char *text, char *byte)
{
	char digits[3] = {};

	if (*text == 'n' || *text == '0') {
		*byte = *text == 'n' ? '\n' : '\0';
		return 1;
	}
	if (*text != 'x' || !isxdigit((unsigned char)text[1]) || !isxdigit((unsigned char)text[2]))
		return 0;
	memcpy(digits, text + 1, 2);
	*byte = (char)strtoul(digits, NULL, 16);
	return 3;
}

long abi_unescape(char *text)
{
	char *from = text, *to = text;
	int length;

	while (*from) {
		if (*from != '\\') {
			*to++ = *from++;
			continue;
		}
		length = escape(from + 1, to++);
		if (!length)
			return -1;
		from += 1 + length;
	}
	return to - text;
}
