// SPDX-License-Identifier: GPL-2.0-only
/*
 * ap_config: three masks as text.
 */
#include <stdlib.h>

#include "dice.h"
#include "suites.h"

#define D63 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
#define D64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define D65 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"

/* A text, not terminated, in memory of exactly its size: ASan sees overruns. */
static int parse(struct ap_matrix *m, const char *text, size_t size, size_t len)
{
	char *exact = malloc(size);
	int rc;

	memcpy(exact, text, size);
	memset(m, 0xa5, sizeof(*m));
	rc = ap_matrix_parse_config(m, exact, len);
	free(exact);
	return rc;
}

#define NONE	IDS

/* Which ids, at most two in each mask, a text stands for */
struct accepted {
	const char *text;
	unsigned int adapter[2], domain[2], control[2];
};

static void put_ids(bool *set, const unsigned int *ids)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (ids[i] < IDS)
			set[ids[i]] = true;
}

void config_accepted(void)
{
	static const struct accepted table[] = {
		{ ",,", { NONE, NONE }, { NONE, NONE }, { NONE, NONE } },
		{ "\n\n\n", { NONE, NONE }, { NONE, NONE }, { NONE, NONE } },
		{ "0x,0x,0x\n", { NONE, NONE }, { NONE, NONE },
		  { NONE, NONE } },
		{ "x,x,x", { NONE, NONE }, { NONE, NONE }, { NONE, NONE } },
		{ "0x8,0x4,0x2\n", { 0, NONE }, { 1, NONE }, { 2, NONE } },
		{ "x8,x4,x2", { 0, NONE }, { 1, NONE }, { 2, NONE } },
		{ "8,4,2", { 0, NONE }, { 1, NONE }, { 2, NONE } },
		{ "8\n4\n2\n", { 0, NONE }, { 1, NONE }, { 2, NONE } },
		{ "8\n4,2,", { 0, NONE }, { 1, NONE }, { 2, NONE } },
		{ "8,4,", { 0, NONE }, { 1, NONE }, { NONE, NONE } },
		{ ",,1", { NONE, NONE }, { NONE, NONE }, { 3, NONE } },
		{ "0x04,0x08000040,0x\n", { 5, NONE }, { 4, 25 },
		  { NONE, NONE } },
		{ "0xA,0xa,0x0C", { 0, 2 }, { 0, 2 }, { 4, 5 } },
		{ "8,4,2,1", { 0, NONE }, { 1, NONE }, { 2, NONE } },
		{ "8,4,2,no mask", { 0, NONE }, { 1, NONE }, { 2, NONE } },
		{ "8,4,2\nno mask", { 0, NONE }, { 1, NONE }, { 2, NONE } },
	};
	struct ap_matrix m;
	struct naive n;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++) {
		const struct accepted *t = &table[i];
		size_t len = strlen(t->text);

		n = (struct naive) {};
		put_ids(n.adapter, t->adapter);
		put_ids(n.domain, t->domain);
		put_ids(n.control, t->control);
		expect_rc(parse(&m, t->text, len, len), 0, "case %u: %s", i,
			  t->text);
		expect(naive_is_matrix(&n, &m), "case %u: %s", i, t->text);
	}

	expect_rc(parse(&m, D64 ",x" D64 ",0x" D64, 197, 197), 0, "64 digits");
	expect_hex(m.apm.w[3], 0x0123456789abcdefULL, "the last 16 of them");
	expect_hex(m.adm.w[3], 0x0123456789abcdefULL, "in each field");
	expect_rc(parse(&m, D63 ",," D63, 128, 128), 0, "63 digits");
	expect_hex(m.apm.w[3], 0x0123456789abcde0ULL, "they are aligned left");
}

void config_rejected(void)
{
	static const struct {
		const char *what, *text;
	} table[] = {
		{ "nothing", "" },
		{ "one field", "0x8" },
		{ "one field, ended", "0x8," },
		{ "one field, ended by a newline", "0x8\n" },
		{ "two fields", "0x8,0x4" },
		{ "one separator", "," },
		{ "65 digits in the first field", "0x" D65 ",," },
		{ "65 digits in the second", ",0x" D65 "," },
		{ "65 digits in the third", ",,0x" D65 },
		{ "65 digits without 0x", D65 ",," },
		{ "65 digits after x", ",x" D65 "," },
		{ "65 digits, all of them 0",
		  "00000000000000000000000000000000000000000000000000000000000000000,," },
		{ "no digit", "g,," },
		{ "no digit in the second", ",0x8g," },
		{ "no digit in the third", ",,-1" },
		{ "upper case X", "0X8,," },
		{ "upper case X alone", "X8,," },
		{ "x twice", "0xx8,," },
		{ "0x twice", "0x0x8,," },
		{ "x behind a digit", "8x8,," },
		{ "x behind two zeros", "00x8,," },
		{ "leading blank", " 8,," },
		{ "trailing blank", "8 ,," },
		{ "blank only", " ,," },
		{ "sign", "+8,," },
		{ "carriage return", "8,4,2\r\n" },
		{ "semicolon", "8;4;2" },
		{ "tab", "8\t,," },
		{ "id list", "1-5,," },
		{ "next to the digits", "/,," },
		{ "next to the digits, above", ":,," },
		{ "next to the letters", "@,," },
		{ "next to the letters, below", "`,," },
		{ "upper case next to the letters", "G,," },
		{ "beyond ASCII", "\xc0\xb8,," },
		{ "beyond ASCII, 0xff", "\xff,," },
	};
	struct ap_matrix m;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		expect_rc(parse(&m, table[i].text, strlen(table[i].text),
				strlen(table[i].text)), -EINVAL, "%s",
			  table[i].what);
}

void config_limit(void)
{
	static const char whole[] = "0x" D64 ",0x" D64 ",0x" D64 "\n";
	char text[4096];
	struct ap_matrix m, first;

	need_int(strlen(whole), 201, "the longest text that says all");
	need_rc(parse(&first, whole, 201, 201), 0, "201 bytes");

	/* Only 201 bytes are there, whatever the caller was told. */
	expect_rc(parse(&m, whole, 201, 4096), 0, "201 of 4096 bytes");
	expect(ap_matrix_equal(&m, &first), "201 of 4096 bytes");

	memset(text, '?', sizeof(text));
	memcpy(text, whole, 201);
	expect_rc(parse(&m, text, sizeof(text), sizeof(text)), 0,
		  "the rest is ignored");
	expect(ap_matrix_equal(&m, &first), "the rest is ignored");

	text[200] = '0';
	expect_rc(parse(&m, text, sizeof(text), sizeof(text)), -EINVAL,
		  "the 201st byte is looked at");
	expect_rc(parse(&m, text, 200, 200), 0, "nothing ends the last field");
	expect(ap_matrix_equal(&m, &first), "nothing ends the last field");

	memset(text, '0', sizeof(text));
	text[201] = ',';
	text[202] = ',';
	expect_rc(parse(&m, text, sizeof(text), sizeof(text)), -EINVAL,
		  "no separator within 201 bytes");
}

void config_nul(void)
{
	struct ap_matrix m;

	expect_rc(parse(&m, "8,4,2\0g", 7, 7), 0, "behind the last digit");
	expect_hex(m.adm.w[0], 2ULL << 60, "behind the last digit");
	expect_rc(parse(&m, "8,4,2\0001", 7, 7), 0, "before a digit");
	expect_hex(m.adm.w[0], 2ULL << 60, "before a digit");
	expect_rc(parse(&m, "8,4,\0", 5, 5), 0, "in an empty last field");
	expect_rc(parse(&m, "8,4\0,2", 6, 6), -EINVAL, "before a separator");
	expect_rc(parse(&m, "8\0,4,2", 6, 6), -EINVAL, "in the first field");
	expect_rc(parse(&m, "\0,,", 3, 3), -EINVAL, "at the very start");
	expect_rc(parse(&m, "\0", 1, 1), -EINVAL, "and nothing else");
}

/* Valid, or nearly: chance alone writes nothing that is worth reading */
static size_t scribble(char *text)
{
	static const unsigned int lengths[] = { 0, 1, 2, 16, 63, 64, 64, 65 };
	static const char *const prefixes[] = { "", "0x", "x", "0x" };
	static const char odd[] = "0xX,\n\0 gGfF@`/:-";
	unsigned int fields = dice(16) ? 3 + !dice(4) : dice(3), i, digits;
	size_t at = 0;

	for (i = 0; i < fields; i++) {
		at += sprintf(text + at, "%s", prefixes[dice(4)]);
		digits = dice(3) ? dice(65) : lengths[dice(8)];
		while (digits--)
			text[at++] = (dice(2) ? "0123456789abcdef" :
						"0123456789ABCDEF")[dice(16)];
		if (i + 1 < fields || dice(2))
			text[at++] = dice(4) ? ',' : '\n';
	}
	while (!dice(3))
		text[at++] = dice(256);
	if (at && !dice(3))
		text[dice(at)] = odd[dice(sizeof(odd) - 1)];
	if (at && !dice(8))
		text[dice(at)] = dice(256);
	return at;
}

void config_random(void)
{
	unsigned int round, valid = 0;
	struct ap_matrix m;
	struct naive n;
	char text[512];
	size_t len;
	bool good;

	for (round = 0; round < 10 * ROUNDS; round++) {
		len = scribble(text);
		good = naive_parse(&n, text, len);
		valid += good;
		need_rc(parse(&m, text, len, len), good ? 0 : -EINVAL,
			"round %u: %.*s", round, (int)len, text);
		if (good)
			need(naive_is_matrix(&n, &m), "round %u: %.*s", round,
			     (int)len, text);
	}
	expect_at_least(valid, ROUNDS, "often enough it is valid");
	expect_at_most(valid, 9 * ROUNDS, "and often it is not");
}

/* 202 bytes, and not one more */
static char *show(const struct naive *n)
{
	struct ap_matrix m = naive_matrix(n);
	char *text = malloc(202);

	memset(text, '?', 202);
	need_int(ap_matrix_format_config(&m, text), 201, "bytes shown");
	need_int(text[201], 0, "the text is terminated");
	return text;
}

void config_shown(void)
{
	struct naive n = {};
	char expected[256];
	char zeros[64] = "";
	unsigned int round;
	char *text;

	n.adapter[0] = true;
	n.domain[3] = true;
	n.control[0] = true;
	n.control[2] = true;
	memset(zeros, '0', 63);
	snprintf(expected, sizeof(expected), "0x8%s,0x1%s,0xa%s\n", zeros,
		 zeros, zeros);
	text = show(&n);
	expect_str(text, expected, "lower case, aligned left");
	free(text);

	for (round = 0; round < ROUNDS; round++) {
		dice_naive(&n);
		need_int(naive_config(&n, expected), 201, "model");
		text = show(&n);
		need_str(text, expected, "round %u", round);
		free(text);
	}
}

void config_round_trip(void)
{
	struct ap_matrix m;
	struct naive n;
	unsigned int round;
	char *text;

	for (round = 0; round < ROUNDS; round++) {
		dice_naive(&n);
		text = show(&n);
		need_rc(ap_matrix_parse_config(&m, text, 201), 0, "%s", text);
		need(naive_is_matrix(&n, &m), "round %u: %s", round, text);
		free(text);
	}
}
