// SPDX-License-Identifier: GPL-2.0-only
/* memo - strings that live until the case is over */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "memo.h"

struct note {
	struct note *next;
	char *text;
};

static struct note *notes;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static char *keep(char *text)
{
	struct note *note = malloc(sizeof(*note));

	note->text = text;
	pthread_mutex_lock(&lock);
	note->next = notes;
	notes = note;
	pthread_mutex_unlock(&lock);
	return text;
}

char *memo(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		abort();
	va_end(args);
	return keep(text);
}

char *memo_file(const char *path)
{
	char *text = file_read(path, NULL);

	return keep(text ? text : strdup(""));
}

void memo_forget_all(void)
{
	struct note *note;

	while ((note = notes)) {
		notes = note->next;
		free(note->text);
		free(note);
	}
}
