/* SPDX-License-Identifier: GPL-2.0-only */
/* memo - strings that live until the case is over, so that a story need not free what it read */
#ifndef VFIO_AP_TESTS_MEMO_H
#define VFIO_AP_TESTS_MEMO_H

char *memo(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *memo_file(const char *path);		/* what is in the file, "" if it cannot be read */
void memo_forget_all(void);

#endif
