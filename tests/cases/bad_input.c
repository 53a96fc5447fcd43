// SPDX-License-Identifier: GPL-2.0-only
/* bad_input - whatever is written, the errno is the documented one and nothing changes */

#include "story.h"

static const char * const number_files[] = {
	"assign_adapter", "unassign_adapter", "assign_domain", "unassign_domain",
	"assign_control_domain", "unassign_control_domain",
};

struct input {
	const char *what;
	const char *bytes;
	size_t length;
	long rc;
};

#define TEXT(what, text, rc) { what, text, sizeof(text) - 1, rc }

static const struct input bad_numbers[] = {
	TEXT("a newline", "\n", -EINVAL),
	TEXT("text", "five", -EINVAL),
	TEXT("negative", "-1", -EINVAL),
	TEXT("negative zero", "-0", -EINVAL),
	TEXT("256", "256", -ENODEV),
	TEXT("0x100", "0x100", -ENODEV),
	TEXT("2^64 - 1", "18446744073709551615", -ENODEV),
	TEXT("2^64", "18446744073709551616", -ERANGE),
	TEXT("2^64 in hex", "0x10000000000000000", -ERANGE),
	TEXT("2^64 + 5", "18446744073709551621", -ERANGE),
	TEXT("trailing junk", "5x", -EINVAL),
	TEXT("a trailing blank", "5 ", -EINVAL),
	TEXT("two newlines", "5\n\n", -EINVAL),
	TEXT("two numbers", "5 6", -EINVAL),
	TEXT("two lines", "5\n6", -EINVAL),
	TEXT("a list", "5,6", -EINVAL),
	TEXT("leading blanks", "  5", -EINVAL),
	TEXT("a leading tab", "\t5", -EINVAL),
	TEXT("a leading newline", "\n5", -EINVAL),
	TEXT("a bare plus", "+", -EINVAL),
	TEXT("two pluses", "++5", -EINVAL),
	TEXT("a bare 0x", "0x", -EINVAL),
	TEXT("hex without 0x", "5a", -EINVAL),
	TEXT("not octal", "08", -EINVAL),
	TEXT("a fraction", "5.0", -EINVAL),
	TEXT("an APQN", "05.0004", -EINVAL),
	TEXT("a NUL byte", "\0", -EINVAL),
	TEXT("NUL bytes first", "\0\0" "5", -EINVAL),
	TEXT("a high byte", "\xff", -EINVAL),
};

/*
 * A device with something to lose: one queue in, one control domain in, and the bits next to
 * them.
 */
static struct mdev *something_to_lose(void)
{
	struct mdev *mdev = mdev_create();

	mdev_assign(mdev, CARD_5, DOMAIN_4);
	mdev_set(mdev, "assign_control_domain", CONTROL_22);
	mdev_becomes(mdev, "guest_matrix", "05.0004\n");
	return mdev;
}

static void refuse(struct mdev *mdev, const char *file, const struct input *input)
{
	char *before = mdev_sight(mdev);

	expect_rc(mdev_write_bytes(mdev, file, input->bytes, input->length), input->rc, "%s to %s",
		  input->what, file);
	expect_str(mdev_sight(mdev), before, "%s to %s changes nothing", input->what, file);
}

static void numbers(void)
{
	struct mdev *mdev = something_to_lose();
	unsigned int file, i;

	for (file = 0; file < ARRAY_SIZE(number_files); file++)
		for (i = 0; i < ARRAY_SIZE(bad_numbers); i++)
			refuse(mdev, number_files[file], &bad_numbers[i]);
}

static void numbers_of_5000_bytes(void)
{
	struct mdev *mdev = something_to_lose();
	char many[5000];
	struct input text = { "5000 letters", many, sizeof(many), -EINVAL };
	struct input digits = { "5000 digits", many, sizeof(many), -ERANGE };
	struct input blanks = { "a number after 4999 blanks", many, sizeof(many), -EINVAL };
	unsigned int file;

	for (file = 0; file < ARRAY_SIZE(number_files); file++) {
		memset(many, 'a', sizeof(many));
		refuse(mdev, number_files[file], &text);
		memset(many, '9', sizeof(many));
		refuse(mdev, number_files[file], &digits);
		memset(many, ' ', sizeof(many));
		many[sizeof(many) - 1] = '5';
		refuse(mdev, number_files[file], &blanks);
	}
}

/* sysfs ends an empty write before any driver sees it; what counts is that nothing changes. */
static void nothing_at_all(void)
{
	struct mdev *mdev = something_to_lose();
	struct input nothing = { "nothing", "", 0, 0 };
	unsigned int file;

	for (file = 0; file < ARRAY_SIZE(number_files); file++)
		refuse(mdev, number_files[file], &nothing);
	refuse(mdev, "ap_config", &nothing);
}

static void good_numbers(void)
{
	static const struct {
		const char *text;
		const char *matrix;
	} good[] = {
		{ "5", "05.\n" }, { "5\n", "05.\n" }, { "+5", "05.\n" }, { "05", "05.\n" },
		{ "0x5", "05.\n" },
		{ "0X5", "05.\n" }, { "0x05\n", "05.\n" }, { "010", "08.\n" }, { "0", "00.\n" },
		{ "000", "00.\n" },
		{ "255", "ff.\n" }, { "0xfF", "ff.\n" }, { "0377", "ff.\n" }, { "+0x5", "05.\n" },
	};
	struct mdev *mdev = mdev_create();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		expect_rc(mdev_write(mdev, "assign_adapter", good[i].text), 0, "'%s' is a number",
			  good[i].text);
		expect_str(mdev_read(mdev, "matrix"), good[i].matrix, "'%s' means this adapter",
			   good[i].text);
		expect_rc(mdev_write(mdev, "unassign_adapter", good[i].text), 0, "'%s' is a number",
			  good[i].text);
		expect_str(mdev_read(mdev, "matrix"), "",
			   "'%s' means this adapter when taking away, too", good[i].text);
	}
}

static const struct input bad_configs[] = {
	TEXT("a newline only", "\n", -EINVAL),
	TEXT("text", "text", -EINVAL),
	TEXT("negative", "-1,0,0", -EINVAL),
	TEXT("256", "256", -EINVAL),
	TEXT("2^64", "18446744073709551616", -EINVAL),
	TEXT("one mask", "0x8", -EINVAL),
	TEXT("two masks", "0x8,0x8", -EINVAL),
	TEXT("a leading blank", " 0x04,0x08,0x0", -EINVAL),
	TEXT("a blank between", "0x04, 0x08,0x0", -EINVAL),
	TEXT("a trailing blank", "0x04,0x08,0x0 ", -EINVAL),
	TEXT("trailing junk", "0x04,0x08,0x0g", -EINVAL),
	TEXT("not hex", "0xg,0x0,0x0", -EINVAL),
	TEXT("semicolons", "0x04;0x08;0x0", -EINVAL),
	TEXT("a plus", "+0x04,0x08,0x0", -EINVAL),
	TEXT("two prefixes", "0x0x4,0x08,0x0", -EINVAL),
	TEXT("65 digits",
	     "0x00000000000000000000000000000000000000000000000000000000000000000,0x0,0x0",
	     -EINVAL),
	TEXT("a NUL byte", "\0", -EINVAL),
	TEXT("NUL bytes first", "\0\0,,", -EINVAL),
	TEXT("a high byte", "\xff,,", -EINVAL),
};

static void configs(void)
{
	struct mdev *mdev = something_to_lose();
	char many[5000];
	struct input text = { "5000 letters", many, sizeof(many), -EINVAL };
	unsigned int i;

	if (!file_exists(mdev_path(mdev, "ap_config")))
		ktap_skip("the driver has no ap_config");
	for (i = 0; i < ARRAY_SIZE(bad_configs); i++)
		refuse(mdev, "ap_config", &bad_configs[i]);
	memset(many, 'z', sizeof(many));
	refuse(mdev, "ap_config", &text);
	memset(many, 'f', sizeof(many));
	text.what = "5000 hex digits";
	refuse(mdev, "ap_config", &text);
}

static void readers_refuse_writes(void)
{
	static const char * const readers[] = { "matrix", "guest_matrix", "control_domains",
						"withheld" };
	struct mdev *mdev = something_to_lose();
	char *before = mdev_sight(mdev);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(readers); i++)
		expect(mdev_write(mdev, readers[i], "5") < 0, "%s cannot be written", readers[i]);
	expect_str(mdev_sight(mdev), before, "writing to what can only be read changes nothing");
}

static void no_hardware_for_bad_input(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	unsigned int file, i;

	for (file = 0; file < ARRAY_SIZE(number_files); file++)
		for (i = 0; i < ARRAY_SIZE(bad_numbers); i++)
			mdev_write_bytes(scene.mdev, number_files[file], bad_numbers[i].bytes,
					 bad_numbers[i].length);
	expect_int(apemu_count(0, APEMU_HOST, "zapq", APQN_ANY), 0,
		   "R-13: bad input does not reach the hardware");
	expect_guest_rc(guest_tapq(scene.vm, APQN(CARD_5, DOMAIN_4)), AP_OK,
			"the guest keeps its queue through bad input");
}

static const struct ktap_case cases[] = {
	{ "C-4: bad numbers get their errno and change nothing", numbers },
	{ "C-4: 5000 bytes get their errno and change nothing", numbers_of_5000_bytes },
	{ "C-4: writing nothing changes nothing", nothing_at_all },
	{ "C-4: plus, hex, octal and one newline are good numbers", good_numbers },
	{ "C-6: bad masks to ap_config get EINVAL and change nothing", configs },
	{ "C-4: what can only be read refuses writes", readers_refuse_writes },
	{ "R-13: a guest and its hardware notice nothing of bad input", no_hardware_for_bad_input },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
