// SPDX-License-Identifier: GPL-2.0-only
/* attributes - modes and formats of what the administrator reads */

#include <ctype.h>
#include "story.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void modes(void)
{
	static const char * const writers[] = {
		"assign_adapter", "unassign_adapter", "assign_domain", "unassign_domain",
		"assign_control_domain", "unassign_control_domain",
	};
	static const char * const readers[] = { "matrix", "guest_matrix", "control_domains" };
	struct mdev *mdev = mdev_create();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(writers); i++)
		expect_int(file_mode(mdev_path(mdev, writers[i])), 0200, "%s can only be written",
			   writers[i]);
	for (i = 0; i < ARRAY_SIZE(readers); i++)
		expect_int(file_mode(mdev_path(mdev, readers[i])), 0444, "%s can only be read",
			   readers[i]);
	expect_int(file_mode(mdev_path(mdev, "ap_config")), 0644,
		   "ap_config can be read and written");
	expect_int(file_mode(MATRIX_DEVICE "/features"), 0444, "features can only be read");
}

static bool has_word(const char *text, const char *word)
{
	size_t length = strlen(word);
	const char *at;

	for (at = text; (at = strstr(at, word)); at += length)
		if ((at == text || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\n'))
			return true;
	return false;
}

static void features(void)
{
	char *text = memo_file(MATRIX_DEVICE "/features");
	const char *c;

	expect(!strncmp(text, "guest_matrix hotplug ap_config", 30),
	       "the words of the in-kernel driver come first ('%s')", text);
	expect(strchr(text, '\n') == text + strlen(text) - 1, "features is one line");
	for (c = text; *c && *c != '\n'; c++)
		expect(isalnum((unsigned char)*c) || *c == '_' || *c == ' ',
		       "features consists of words, not '%c'", *c);
}

static void withheld(void)
{
	char *text = memo_file(MATRIX_DEVICE "/features");
	struct mdev *mdev = mdev_create();

	need_str(mdev_read(mdev, "withheld"), "", "nothing assigned, nothing withheld");
	expect_int(file_mode(mdev_path(mdev, "withheld")), 0444, "withheld can only be read");
	expect(has_word(text, "withheld"), "features has the word withheld ('%s')", text);
}

static void empty(void)
{
	struct mdev *mdev = mdev_create();

	expect_str(mdev_read(mdev, "matrix"), "", "a new device has an empty matrix");
	expect_str(mdev_read(mdev, "guest_matrix"), "", "a new device passes nothing");
	expect_str(mdev_read(mdev, "control_domains"), "", "a new device has no control domains");
	expect_str(mdev_read(mdev, "ap_config"), "0x" ZEROS ",0x" ZEROS ",0x" ZEROS "\n",
		   "three empty masks");
}

static void adapters_only(void)
{
	struct mdev *mdev = mdev_create();

	mdev_set(mdev, "assign_adapter", CARD_5);
	mdev_set(mdev, "assign_adapter", CARD_1);
	expect_str(mdev_read(mdev, "matrix"), "01.\n05.\n", "adapters without domains");
}

static void domains_only(void)
{
	struct mdev *mdev = mdev_create();

	mdev_set(mdev, "assign_domain", DOMAIN_47);
	mdev_set(mdev, "assign_domain", DOMAIN_4);
	expect_str(mdev_read(mdev, "matrix"), ".0004\n.0047\n", "domains without adapters");
}

static void adapter_major(void)
{
	struct mdev *mdev = mdev_create();

	mdev_assign(mdev, CARD_5, DOMAIN_47);
	mdev_assign(mdev, CARD_1, DOMAIN_4);
	expect_str(mdev_read(mdev, "matrix"), "01.0004\n01.0047\n05.0004\n05.0047\n",
		   "adapter by adapter, ascending");
	expect(mdev_becomes(mdev, "guest_matrix", "01.0004\n01.0047\n05.0004\n05.0047\n"),
	       "guest_matrix has the same format ('%s')", mdev_read(mdev, "guest_matrix"));
}

static void control_domains(void)
{
	struct mdev *mdev = mdev_create();

	mdev_set(mdev, "assign_control_domain", 0xfe);
	mdev_set(mdev, "assign_control_domain", DOMAIN_4);
	expect_str(mdev_read(mdev, "control_domains"), "0004\n00fe\n",
		   "the assigned ones, in the host or not");
}

static void ap_config_format(void)
{
	struct mdev *mdev = mdev_create();
	char *text;

	mdev_set(mdev, "assign_adapter", 0);
	mdev_set(mdev, "assign_domain", 255);
	mdev_set(mdev, "assign_control_domain", 0x22);
	text = mdev_read(mdev, "ap_config");
	expect_str(text, "0x8000000000000000000000000000000000000000000000000000000000000000,"
			 "0x0000000000000000000000000000000000000000000000000000000000000001,"
			 "0x0000000020000000000000000000000000000000000000000000000000000000\n",
		   "adapters, domains, control domains; bit 0 is the left-most");
	expect_int(strlen(text), 201, "201 bytes");
}

static int lines(const char *text)
{
	int count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static void complete_listing(void)
{
	struct mdev *mdev = mdev_create();
	char *text, expected[16];
	int adapter, domain, wrong = 0;

	apemu_need();
	for (adapter = 0; adapter < 256; adapter++)
		mdev_set(mdev, "assign_adapter", adapter);
	for (domain = 0; domain < 256; domain++)
		mdev_set(mdev, "assign_domain", domain);
	text = mdev_read(mdev, "matrix");
	need_int(lines(text), 65536, "a line for every APQN");
	need_int(strlen(text), 65536 * 8, "every line has 8 bytes");
	for (adapter = 0; adapter < 256; adapter++) {
		for (domain = 0; domain < 256; domain++) {
			snprintf(expected, sizeof(expected), "%02x.%04x\n", adapter, domain);
			wrong += strncmp(text + 8 * (256 * adapter + domain), expected, 8) != 0;
		}
	}
	expect_int(wrong, 0, "every line is the APQN in its place");
}

static const struct ktap_case cases[] = {
	{ "C-4: modes of the attributes", modes },
	{ "C-2: features", features },
	{ "R-24: withheld is there, and features announces it", withheld },
	{ "C-4: a new device reads empty", empty },
	{ "C-4: matrix with adapters only", adapters_only },
	{ "C-4: matrix with domains only", domains_only },
	{ "C-4: matrix and guest_matrix with both", adapter_major },
	{ "C-4: control_domains", control_domains },
	{ "C-4: ap_config", ap_config_format },
	{ "R-23: matrix of 256 x 256 is complete", complete_listing },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
