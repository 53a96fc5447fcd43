// SPDX-License-Identifier: GPL-2.0-only
/*
 * Listings of APQNs, read piece by piece.
 */
#include <stdlib.h>

#include "dice.h"
#include "suites.h"

static char expected[NAIVE_LISTING];

/* A piece, terminated; ASan sees it if more than count bytes are written. */
static char *piece(const struct ap_matrix *m, u64 off, size_t count,
		   size_t *got)
{
	char *exact = malloc(count), *text = malloc(count + 1);

	*got = ap_matrix_format_apqns(m, exact, off, count);
	need(*got <= count, "no more bytes at %llu than there is room for",
	     (unsigned long long)off);
	memcpy(text, exact, *got);
	text[*got] = '\0';
	free(exact);
	return text;
}

/* What a reader sees who reads size bytes at a time until there is no more */
static char *read_all(const struct ap_matrix *m, size_t size)
{
	char *all = calloc(1, NAIVE_LISTING), *text;
	size_t at = 0, got;

	do {
		text = piece(m, at, size, &got);
		need(at + got < NAIVE_LISTING, "the listing has an end");
		memcpy(all + at, text, got);
		at += got;
		free(text);
	} while (got);
	return all;
}

static void compare(const struct naive *n, size_t size)
{
	struct ap_matrix m = naive_matrix(n);
	size_t len = naive_listing(n, expected);
	char *all = read_all(&m, size);

	need_int(strlen(all), len, "length of the listing");
	need_str(all, expected, "read %zu bytes at a time", size);
	free(all);
}

void listing_forms(void)
{
	struct naive n = {};
	struct ap_matrix m;
	char *text;

	n.adapter[5] = true;
	n.adapter[6] = true;
	n.domain[4] = true;
	n.domain[0xab] = true;
	/* Control domains have a listing of their own. */
	n.control[0x22] = true;
	m = naive_matrix(&n);
	text = read_all(&m, 4096);
	expect_str(text, "05.0004\n05.00ab\n06.0004\n06.00ab\n",
		   "adapters and domains");
	free(text);

	m = (struct ap_matrix) { .apm = m.apm };
	text = read_all(&m, 4096);
	expect_str(text, "05.\n06.\n", "adapters only");
	free(text);

	m = naive_matrix(&n);
	m = (struct ap_matrix) { .aqm = m.aqm };
	text = read_all(&m, 4096);
	expect_str(text, ".0004\n.00ab\n", "domains only");
	free(text);

	m = naive_matrix(&n);
	m = (struct ap_matrix) { .adm = m.adm };
	text = read_all(&m, 4096);
	expect_str(text, "", "neither");
	free(text);
}

/* One in three has no adapter, no domain, or neither. */
static void throw(struct naive *n)
{
	dice_naive(n);
	switch (dice(9)) {
	case 0:
		memset(n->adapter, false, sizeof(n->adapter));
		break;
	case 1:
		memset(n->domain, false, sizeof(n->domain));
		break;
	case 2:
		memset(n->adapter, false, sizeof(n->adapter));
		memset(n->domain, false, sizeof(n->domain));
		break;
	}
}

void listing_random(void)
{
	static const size_t sizes[] = { 4096, 65536, 1000 };
	unsigned int round;
	struct naive n;

	for (round = 0; round < ROUNDS / 20; round++) {
		throw(&n);
		compare(&n, sizes[dice(ARRAY_SIZE(sizes))]);
	}
}

void listing_pieces(void)
{
	size_t len, off, count, got, rest;
	unsigned int round, i;
	struct ap_matrix m;
	struct naive n;
	char *text;

	for (round = 0; round < ROUNDS / 20; round++) {
		throw(&n);
		m = naive_matrix(&n);
		len = naive_listing(&n, expected);
		for (i = 0; i < 100; i++) {
			off = dice(len + 20);
			count = dice(3) ? dice(40) : dice(len + 20);
			rest = off < len ? len - off : 0;
			text = piece(&m, off, count, &got);
			need_int(got, rest < count ? rest : count,
				 "%zu bytes at %zu of %zu", count, off, len);
			need(!memcmp(text, expected + (off < len ? off : 0),
				     got),
			     "%zu bytes at %zu of %zu", count, off, len);
			free(text);
		}
	}

	/* A reader who cannot stop in the middle of a line, and one who must */
	n = (struct naive) {};
	for (i = 0; i < 10; i++) {
		n.adapter[dice(IDS)] = true;
		n.domain[dice(IDS)] = true;
	}
	for (count = 1; count < 20; count++)
		compare(&n, count);
	memset(n.adapter, false, sizeof(n.adapter));
	for (count = 1; count < 20; count++)
		compare(&n, count);
	n.adapter[5] = true;
	n.adapter[254] = true;
	memset(n.domain, false, sizeof(n.domain));
	for (count = 1; count < 20; count++)
		compare(&n, count);
}

void listing_full(void)
{
	unsigned int lines = 0;
	struct naive n;
	struct ap_matrix m;
	char *all, *at;

	memset(&n, true, sizeof(n));
	m = naive_matrix(&n);
	all = read_all(&m, 4096);
	for (at = all; *at; at++)
		lines += *at == '\n';
	expect_int(lines, 65536, "lines");
	expect_int(strlen(all), 524288, "bytes");
	expect(!strncmp(all, "00.0000\n00.0001\n", 16), "it starts so");
	expect(!strcmp(all + 524288 - 16, "ff.00fe\nff.00ff\n"),
	       "it ends so");
	free(all);

	compare(&n, 4096);
	compare(&n, 524288);
	compare(&n, 600000);
	compare(&n, 65521);
}

void listing_beyond(void)
{
	static const u64 far[] = {
		0x7fffffffULL, 0xffffffffULL, 0x100000000ULL, 0x100000008ULL,
		0x7fffffffffffffffULL, 0xfffffffffffffff8ULL,
		0xffffffffffffffffULL,
	};
	struct ap_matrix m = {};
	unsigned int form, i;
	struct naive n;
	size_t got, len;

	for (form = 0; form < 4; form++) {
		memset(&n, false, sizeof(n));
		n.adapter[7] = form & 1;
		n.domain[7] = form & 2;
		m = naive_matrix(&n);
		len = naive_listing(&n, expected);
		for (i = 0; i < ARRAY_SIZE(far); i++) {
			free(piece(&m, far[i], 64, &got));
			need_int(got, 0, "bytes at 0x%llx",
				 (unsigned long long)far[i]);
		}
		free(piece(&m, len, 64, &got));
		need_int(got, 0, "bytes at the end");
		free(piece(&m, 0, 0, &got));
		need_int(got, 0, "bytes where there is room for none");
	}
}
