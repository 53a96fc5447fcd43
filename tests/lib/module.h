/* SPDX-License-Identifier: GPL-2.0-only */
/* module - load and unload the driver under test */
#ifndef VFIO_AP_TESTS_MODULE_H
#define VFIO_AP_TESTS_MODULE_H

#include <stdbool.h>

#define MODULE_FILE	"/lib/modules-lab/vfio_ap.ko"
#define MODULE_PEER	"/lib/modules-lab/peer/vfio_ap.ko"	/* the kernel's own */
#define MODULE_DIR	"/sys/module/vfio_ap"

/* 0 or -errno */
long module_load(void);
long module_load_file(const char *file);
long module_unload(void);

/* Is the driver under test the kernel's own? */
bool module_is_peer(void);

/*
 * For cases about the wording of texts: "not there" with the kernel's own driver, which says what
 * it says in other words.
 */
void module_need_ours(const char *what);

#endif
