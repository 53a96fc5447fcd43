// SPDX-License-Identifier: GPL-2.0-only
/* module - load and unload the driver under test */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ktap.h"
#include "memo.h"
#include "module.h"

long module_load_file(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	long rc;

	if (fd < 0)
		return -errno;
	rc = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return rc;
}

long module_load(void)
{
	return module_load_file(MODULE_FILE);
}

long module_unload(void)
{
	return syscall(SYS_delete_module, "vfio_ap", O_NONBLOCK) ? -errno : 0;
}

bool module_is_peer(void)
{
	return strstr(memo_file("/proc/cmdline"), "lab.peer=yes");
}

void module_need_ours(const char *what)
{
	if (!module_is_peer())
		return;
	ktap_not_there("the %s of this module", what);
	need(false, "the %s of this module can be looked at", what);
}
