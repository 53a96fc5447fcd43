// SPDX-License-Identifier: GPL-2.0-only
/*
 * qmp - talks to a running QEMU over its monitor socket
 *
 *   qmp SOCKET COMMAND		sends one command (JSON), prints the answer; exit status
 *				0 if it was executed, 1 if QEMU refused it
 *   qmp SOCKET			prints "watching" when none can be missed any more, and
 *				then the events until QEMU closes the socket
 *
 * QEMU prints one JSON object per line and starts it with what it is: "return",
 * "error", "QMP", or the time stamp of an event.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* No command takes QEMU this long, on a busy machine either; one that hangs is a finding. */
#define PATIENCE_SECONDS	120

enum { EXECUTED = 0, REFUSED = 1, BROKEN = 2 };

static FILE *dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	FILE *monitor;
	int fd;

	if (strlen(path) >= sizeof(address.sun_path))
		errx(BROKEN, "%s: name too long", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		err(BROKEN, "%s", path);
	monitor = fdopen(fd, "r+");
	if (!monitor)
		err(BROKEN, "%s", path);
	return monitor;
}

static int begins(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

/* listen_to - prints the events up to the next answer, and the answer if somebody asked for it */
static int listen_to(FILE *monitor, int show)
{
	size_t room = 0;
	char *line = NULL;
	int status = BROKEN;

	while (status == BROKEN && getline(&line, &room, monitor) > 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (begins(line, "{\"return\""))
			status = EXECUTED;
		else if (begins(line, "{\"error\""))
			status = REFUSED;
		if (show && !begins(line, "{\"QMP\"")) {
			puts(line);
			fflush(stdout);
		}
	}
	free(line);
	return status;
}

static int command(FILE *monitor, const char *json, int show)
{
	/* A stream that is read and written has to be told when the direction changes. */
	fseek(monitor, 0, SEEK_CUR);
	if (fprintf(monitor, "%s\n", json) < 0 || fflush(monitor))
		return BROKEN;
	return listen_to(monitor, show);
}

int main(int argc, char **argv)
{
	FILE *monitor;
	int status;

	if (argc != 2 && argc != 3)
		errx(BROKEN, "usage: qmp SOCKET [COMMAND]");
	monitor = dial(argv[1]);
	alarm(PATIENCE_SECONDS);
	if (command(monitor, "{\"execute\": \"qmp_capabilities\"}", 0) != EXECUTED)
		errx(BROKEN, "%s: QEMU hung up", argv[1]);
	if (argc == 2) {
		alarm(0);
		puts("watching");
		fflush(stdout);
		return listen_to(monitor, 1) == BROKEN ? EXECUTED : BROKEN;
	}
	status = command(monitor, argv[2], 1);
	if (status == BROKEN)
		warnx("%s: QEMU hung up", argv[1]);
	return status;
}
