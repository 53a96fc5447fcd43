// SPDX-License-Identifier: GPL-2.0-only
/*
 * admin_guide - the examples of Documentation/admin-guide.rst, typed by somebody who compares
 *
 * Between the comments ".. lab: begin" and ".. lab: end", each line of a literal block that
 * starts with "# " goes to one and the same shell; the lines below it are what it has to print.
 * Other comments ".. lab: ..." are what an administrator cannot do, see stage().
 */

#include <sys/wait.h>

#include "module.h"
#include "story.h"

#define GUIDE	"/doc/admin-guide.rst"
#define INDENT	"    "
#define PROMPT	INDENT "# "
#define LAB	".. lab: "
#define DONE	"-- done --\n"
#define ALL	"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static FILE *to_shell, *from_shell;
static pid_t shell;
static struct mdev guest;
static struct vm *vm;
static struct vfio *vfio;

static void open_shell(void)
{
	int in[2], out[2];

	need(!pipe(in) && !pipe(out), "pipes for a shell");
	shell = fork();
	if (!shell) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		dup2(out[1], 2);
		close(in[1]);
		close(out[0]);
		execl("/bin/sh", "sh", NULL);
		_exit(1);
	}
	close(in[0]);
	close(out[1]);
	to_shell = fdopen(in[1], "w");
	from_shell = fdopen(out[0], "r");
}

static void close_shell(void)
{
	fclose(to_shell);
	fclose(from_shell);
	waitpid(shell, NULL, 0);
}

/* The time at the beginning of a line of the kernel log is never the same. */
static const char *without_time(const char *line)
{
	const char *end = strchr(line, ']');

	if (*line != '[' || !end)
		return line;
	return memo("[time]%s", end + 1);
}

static char *type(const char *command)
{
	char line[1024], *output = memo("%s", "");

	fprintf(to_shell, "%s\necho '%.*s'\n", command, (int)strlen(DONE) - 1, DONE);
	fflush(to_shell);
	while (fgets(line, sizeof(line), from_shell) && strcmp(line, DONE))
		output = memo("%s%s", output, without_time(line));
	return output;
}

static void attach(const char *name)
{
	char *uuid = type(memo("echo $%s", name));

	snprintf(guest.uuid, sizeof(guest.uuid), "%.36s", uuid);
	vm = vm_create();
	vfio = vfio_open(VFIO_BY_GROUP, &guest, vm);
}

static void detach(void)
{
	vfio_close(vfio);
	vm_destroy(vm);
}

static void default_masks(void)
{
	need_rc(apbus_write("aqmask", ALL), 0, "the host's drivers may have all domains");
	need_rc(apbus_write("apmask", ALL), 0, "the host's drivers may have all adapters");
}

/* What happens behind the stage. */
static void stage(const char *what)
{
	if (!strncmp(what, "order ", 6))
		apemu_do("%s", what + 6);
	else if (!strcmp(what, "scan"))
		apbus_scan();
	else if (!strcmp(what, "default masks"))
		default_masks();
	else if (!strncmp(what, "attach ", 7))
		attach(what + 7);
	else if (!strncmp(what, "detach ", 7))
		detach();
	else
		need(!*what, "somebody knows what '%s' means", what);
}

static bool starts(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

/* What follows a command in its block, up to the next command. */
static char *printed(FILE *guide, char *line, size_t size, unsigned int *number)
{
	char *text = memo("%s", "");

	while (fgets(line, size, guide)) {
		++*number;
		if (!starts(line, INDENT) || starts(line, PROMPT))
			return text;
		text = memo("%s%s", text, without_time(line + strlen(INDENT)));
	}
	*line = '\0';
	return text;
}

static void follow(FILE *guide)
{
	unsigned int number = 0, commands = 0, at;
	char line[1024], *command, *expected;
	bool acting = false;

	*line = '\0';
	for (;;) {
		if (acting && starts(line, PROMPT)) {
			at = number;
			command = memo("%.*s", (int)strcspn(line + strlen(PROMPT), "\n"),
				       line + strlen(PROMPT));
			expected = printed(guide, line, sizeof(line), &number);
			expect_str(type(command), expected, "line %u: %s", at, command);
			commands++;
			continue;
		}
		if (!fgets(line, sizeof(line), guide))
			break;
		number++;
		if (!starts(line, LAB))
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, LAB "begin") || !strcmp(line, LAB "end"))
			acting = line[strlen(LAB)] == 'b';
		else
			stage(line + strlen(LAB));
	}
	ktap_diag("%u commands", commands);
	expect_at_least(commands, 40, "commands in the guide");
}

static void examples(void)
{
	FILE *guide = fopen(GUIDE, "r");

	apemu_need();
	vfio_need(VFIO_BY_GROUP);
	module_need_ours("guide");
	need(guide, "the guide is in the machine");
	open_shell();
	follow(guide);
	close_shell();
	fclose(guide);
}

static const struct ktap_case cases[] = {
	{ "R-33: the examples of the guide do what it says", examples },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
