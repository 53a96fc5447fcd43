/* SPDX-License-Identifier: GPL-2.0-only */
/* kmsg - what the kernel said since a mark */
#ifndef VFIO_AP_TESTS_KMSG_H
#define VFIO_AP_TESTS_KMSG_H

void kmsg_mark(void);

/* Into the log, for whoever reads it. */
void kmsg_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Lines since the mark that contain the text. */
int kmsg_count(const char *text);

/* Lines since the mark that a healthy kernel does not print; they are repeated as diagnostics. */
int kmsg_complaints(void);

#endif
