// SPDX-License-Identifier: GPL-2.0-only
/* apemu - the emulated AP hardware: give it orders, ask it what it saw */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apemu.h"
#include "apqn.h"
#include "file.h"
#include "ktap.h"

#define CTL "/sys/kernel/debug/apemu/ctl"
#define LOG "/sys/kernel/debug/apemu/log"

static bool reconfigured = true;	/* who knows what was before this program */

static bool disturbed = true;

bool apemu_reconfigured(void)
{
	return reconfigured;
}

bool apemu_disturbed(void)
{
	return disturbed;
}

static void note(const char *order)
{
	static const char * const words[] = { "card ", "domain ", "control ", "queue ", "qci " };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		reconfigured |= !strncmp(order, words[i], strlen(words[i]));
	disturbed |= !strncmp(order, "reset ", 6) || !strncmp(order, "answer ", 7);
	if (!strcmp(order, "factory")) {
		reconfigured = false;
		disturbed = false;
	}
}

bool apemu_present(void)
{
	return file_exists(CTL);
}

void apemu_need(void)
{
	if (!apemu_present())
		ktap_skip("needs the AP emulator");
}

long apemu_order(const char *fmt, ...)
{
	char order[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(order, sizeof(order), fmt, args);
	va_end(args);
	note(order);
	strncat(order, "\n", sizeof(order) - strlen(order) - 1);
	return file_write_text(CTL, order);
}

void apemu_do(const char *fmt, ...)
{
	char order[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(order, sizeof(order), fmt, args);
	va_end(args);
	need_rc(apemu_order("%s", order), 0, "the emulator takes the order '%s'", order);
}

char *apemu_state(void)
{
	return file_read(CTL, NULL);
}

/* The first line that begins with the key, behind the key. */
static char *state_line(char *state, const char *key)
{
	char *line;
	size_t length = strlen(key);

	for (line = state; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, length))
			return line + length;
	}
	return NULL;
}

long long apemu_fact(const char *key)
{
	char *state = apemu_state(), *line;
	long long value = -1;
	char start[64];

	snprintf(start, sizeof(start), "%s:", key);
	line = state ? state_line(state, start) : NULL;
	if (line)
		value = strtoll(line, NULL, 0);
	free(state);
	return value;
}

bool apemu_states(const char *text)
{
	char *state = apemu_state();
	bool found = state && state_line(state, text);

	free(state);
	return found;
}

struct apemu_irq apemu_irq(int apqn)
{
	char *state = apemu_state(), *line;
	struct apemu_irq irq = { 0 };
	char start[64];

	snprintf(start, sizeof(start), "irq %s ", apqn_name(apqn));
	line = state ? state_line(state, start) : NULL;
	if (line)
		irq.on = sscanf(line, "nib %llx gisa %llx gisc %u isc %u",
				&irq.nib, &irq.gisa, &irq.gisc, &irq.isc) == 4;
	free(state);
	return irq;
}

struct log_line {
	apemu_time seq;
	char who[8];
	char function[16];
	char apqn[16];
	unsigned int rc;
};

static bool parse(const char *text, struct log_line *line)
{
	const char *rc;

	if (sscanf(text, "%llu %*u %7s %15s %15s", &line->seq, line->who, line->function,
		   line->apqn) != 4)
		return false;
	rc = strstr(text, " rc=");
	line->rc = rc ? strtoul(rc + 4, NULL, 16) : 0;
	return true;
}

static bool fits(const struct log_line *line, const char *who, const char *function, int apqn)
{
	return (!who || !strcmp(line->who, who)) &&
	(!function || !strcmp(line->function, function)) &&
	       (apqn == APQN_ANY || !strcmp(line->apqn, apqn_name(apqn)));
}

/* Cut one line off a text. */
static char *next_line(char **rest)
{
	char *line = *rest;
	char *end;

	if (!line || !*line)
		return NULL;
	end = strchr(line, '\n');
	if (end)
		*end++ = '\0';
	*rest = end;
	return line;
}

apemu_time apemu_now(void)
{
	char *log = file_read(LOG, NULL), *rest = log, *line;
	struct log_line parsed;
	apemu_time now = 0;

	while ((line = next_line(&rest)))
		if (parse(line, &parsed))
			now = parsed.seq;
	free(log);
	return now;
}

struct found {
	int count;
	apemu_time first;
	apemu_time last;
};

static struct found look(apemu_time since, const char *who, const char *function, int apqn, int rc)
{
	char *log = file_read(LOG, NULL), *rest = log, *text;
	struct found found = { 0 };
	struct log_line line;

	while ((text = next_line(&rest))) {
		if (!parse(text, &line) || line.seq <= since || !fits(&line, who, function, apqn))
			continue;
		if (rc >= 0 && line.rc != (unsigned int)rc)
			continue;
		if (!found.count++)
			found.first = line.seq;
		found.last = line.seq;
	}
	free(log);
	return found;
}

int apemu_count(apemu_time since, const char *who, const char *function, int apqn)
{
	return look(since, who, function, apqn, -1).count;
}

int apemu_count_rc(apemu_time since, const char *who, const char *function, int apqn,
		   unsigned int rc)
{
	return look(since, who, function, apqn, rc).count;
}

apemu_time apemu_first(apemu_time since, const char *who, const char *function, int apqn)
{
	return look(since, who, function, apqn, -1).first;
}

apemu_time apemu_last(apemu_time since, const char *who, const char *function, int apqn)
{
	return look(since, who, function, apqn, -1).last;
}

void apemu_show(apemu_time since)
{
	char *log = file_read(LOG, NULL), *rest = log, *text;
	struct log_line line;

	while ((text = next_line(&rest)))
		if (parse(text, &line) && line.seq > since)
			ktap_diag("hardware: %s", text);
	free(log);
}
