/* SPDX-License-Identifier: GPL-2.0-only */
/* probe - how often the kernel runs one of its functions */
#ifndef VFIO_AP_TESTS_PROBE_H
#define VFIO_AP_TESTS_PROBE_H

/* Counts from here on; skips the case where the kernel has no kprobes for tracing. */
void probe_begin(const char *function);
long probe_hits(const char *function);
void probe_end(const char *function);

#endif
