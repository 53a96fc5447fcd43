/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tests, by what they are about; main.c lists them with their promises.
 */
#ifndef VFIO_AP_TESTS_SUITES_H
#define VFIO_AP_TESTS_SUITES_H

/* sets.c */
void bit_order(void);
void set_algebra(void);
void members(void);
void largest(void);
void equal(void);
void has(void);
void shares_table(void);
void shares_random(void);
void added(void);
void applied(void);
void loses(void);

/* guests.c */
void filter_table(void);
void filter_random(void);
void filter_forgets(void);
void lacks(void);
void settling(void);

/* configs.c */
void config_accepted(void);
void config_rejected(void);
void config_limit(void);
void config_nul(void);
void config_random(void);
void config_shown(void);
void config_round_trip(void);

/* listings.c */
void listing_forms(void);
void listing_random(void);
void listing_pieces(void);
void listing_full(void);
void listing_beyond(void);

#endif /* VFIO_AP_TESTS_SUITES_H */
