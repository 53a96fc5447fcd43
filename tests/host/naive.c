// SPDX-License-Identifier: GPL-2.0-only
/*
 * The model, see naive.h.
 */
#include <stdlib.h>

#include "naive.h"

unsigned int naive_next(const bool *set, unsigned int id)
{
	while (id < IDS && !set[id])
		id++;
	return id < IDS ? id : IDS;
}

unsigned int naive_weight(const bool *set)
{
	unsigned int id, weight = 0;

	for (id = 0; id < IDS; id++)
		if (set[id])
			weight++;
	return weight;
}

unsigned int naive_nth(const bool *set, unsigned int n)
{
	unsigned int id, seen = 0;

	for (id = 0; id < IDS; id++) {
		if (!set[id])
			continue;
		if (seen == n)
			return id;
		seen++;
	}
	return IDS;
}

bool naive_has(const struct naive *n, unsigned int apid, unsigned int apqi)
{
	return n->adapter[apid] && n->domain[apqi];
}

bool naive_shares(const struct naive *a, const struct naive *b,
		  unsigned int *apid, unsigned int *apqi)
{
	for (*apid = 0; *apid < IDS; ++*apid)
		for (*apqi = 0; *apqi < IDS; ++*apqi)
			if (naive_has(a, *apid, *apqi) &&
			    naive_has(b, *apid, *apqi))
				return true;
	return false;
}

void naive_filter(struct naive *shadow, const struct naive *assigned,
		  const struct naive *host, const bool *held,
		  const struct naive_queues *queues)
{
	unsigned int id, apqi;

	for (id = 0; id < IDS; id++) {
		shadow->adapter[id] = assigned->adapter[id] &&
				      host->adapter[id];
		shadow->domain[id] = assigned->domain[id] &&
				     host->domain[id] && !held[id];
		shadow->control[id] = assigned->control[id] &&
				      host->control[id];
	}
	for (id = 0; id < IDS; id++)
		for (apqi = 0; apqi < IDS; apqi++)
			if (shadow->domain[apqi] &&
			    !queues->at[id][apqi].ready)
				shadow->adapter[id] = false;
}

/* "8" stands for 1000: the left-most digit is that of ids 0 to 3. */
static bool naive_parse_field(bool *set, const char *field)
{
	static const char hex[] = "0123456789abcdefABCDEF";
	static const char *const nibble[] = {
		"0000", "0001", "0010", "0011", "0100", "0101", "0110", "0111",
		"1000", "1001", "1010", "1011", "1100", "1101", "1110", "1111",
	};
	char bits[IDS + 1] = "", digit[2] = "";
	unsigned int id;

	if (!strncmp(field, "0x", 2))
		field += 2;
	else if (field[0] == 'x')
		field += 1;
	if (strlen(field) > 64 || strspn(field, hex) != strlen(field))
		return false;
	for (; *field; field++) {
		digit[0] = *field;
		strcat(bits, nibble[strtoul(digit, NULL, 16)]);
	}
	for (id = 0; id < IDS; id++)
		set[id] = id < strlen(bits) && bits[id] == '1';
	return true;
}

bool naive_parse(struct naive *n, const char *text, size_t len)
{
	bool *set[] = { n->adapter, n->domain, n->control };
	char copy[201 + 1] = "";
	char *field = copy, *end;
	size_t i;

	for (i = 0; i < len && i < 201; i++)
		copy[i] = text[i];

	for (i = 0; i < 3; i++) {
		if (!field)
			return false;
		end = strpbrk(field, ",\n");
		if (end)
			*end = '\0';
		if (!naive_parse_field(set[i], field))
			return false;
		field = end ? end + 1 : NULL;
	}
	return true;
}

static char *naive_put_mask(char *text, const bool *set)
{
	unsigned int id;

	text += sprintf(text, "0x");
	for (id = 0; id < IDS; id += 4)
		text += sprintf(text, "%x", set[id] * 8 + set[id + 1] * 4 +
				set[id + 2] * 2 + set[id + 3]);
	return text;
}

size_t naive_config(const struct naive *n, char *text)
{
	char *end = text;

	end = naive_put_mask(end, n->adapter);
	end += sprintf(end, ",");
	end = naive_put_mask(end, n->domain);
	end += sprintf(end, ",");
	end = naive_put_mask(end, n->control);
	end += sprintf(end, "\n");
	return end - text;
}

size_t naive_listing(const struct naive *n, char *text)
{
	unsigned int apid, apqi;
	char *end = text;

	*end = '\0';
	for (apid = 0; apid < IDS; apid++) {
		if (n->adapter[apid] && !naive_weight(n->domain))
			end += sprintf(end, "%02x.\n", apid);
		for (apqi = 0; apqi < IDS; apqi++)
			if (naive_has(n, apid, apqi))
				end += sprintf(end, "%02x.%04x\n", apid, apqi);
	}
	for (apqi = 0; apqi < IDS; apqi++)
		if (n->domain[apqi] && !naive_weight(n->adapter))
			end += sprintf(end, ".%04x\n", apqi);
	return end - text;
}

/* As the architecture lays a mask out: bytes in memory, left-most bit first. */
struct ap_mask naive_mask(const bool *set)
{
	u8 memory[IDS / 8] = {};
	struct ap_mask m = {};
	unsigned int i;

	for (i = 0; i < IDS; i++)
		if (set[i])
			memory[i / 8] |= 0x80 >> (i % 8);
	for (i = 0; i < sizeof(memory); i++)
		m.w[i / 8] = m.w[i / 8] << 8 | memory[i];
	return m;
}

struct ap_matrix naive_matrix(const struct naive *n)
{
	return (struct ap_matrix) {
		.apm = naive_mask(n->adapter),
		.aqm = naive_mask(n->domain),
		.adm = naive_mask(n->control),
	};
}

struct ap_adapter naive_adapter(const struct naive_queue *row)
{
	bool bound[IDS], resetting[IDS], failed[IDS], ready[IDS];
	unsigned int apqi;

	for (apqi = 0; apqi < IDS; apqi++) {
		bound[apqi] = row[apqi].bound;
		resetting[apqi] = row[apqi].resetting;
		failed[apqi] = row[apqi].failed;
		ready[apqi] = row[apqi].ready;
	}
	return (struct ap_adapter) {
		.bound = naive_mask(bound),
		.resetting = naive_mask(resetting),
		.failed = naive_mask(failed),
		.ready = naive_mask(ready),
	};
}

bool naive_is_mask(const bool *set, const struct ap_mask *m)
{
	struct ap_mask expected = naive_mask(set);

	return !memcmp(&expected, m, sizeof(expected));
}

bool naive_is_matrix(const struct naive *n, const struct ap_matrix *m)
{
	return naive_is_mask(n->adapter, &m->apm) &&
	       naive_is_mask(n->domain, &m->aqm) &&
	       naive_is_mask(n->control, &m->adm);
}
