/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AP masks, matrices, and their arithmetic.
 *
 * This code is free of locks, AP instructions and kernel objects, so that
 * tests/host can run it in user space and compare it with a naive model.
 */
#ifndef VFIO_AP_MATRIX_H
#define VFIO_AP_MATRIX_H

#ifdef __KERNEL__
#include <linux/bitops.h>
#include <linux/types.h>
#endif

#define AP_MASK_BITS	256
#define AP_MASK_WORDS	(AP_MASK_BITS / 64)

/* Length of the line "05.0004\n" in a listing of APQNs */
#define AP_MATRIX_LINE_APQN	8
/* Length of "05.\n", in a listing of adapters without a domain */
#define AP_MATRIX_LINE_APID	4
/* Length of ".0004\n", in a listing of domains without an adapter */
#define AP_MATRIX_LINE_APQI	6
/* Length of "0x<64 digits>,0x<64 digits>,0x<64 digits>\n" */
#define AP_MATRIX_CONFIG_LEN	201

/**
 * struct ap_mask - a set of adapter or domain numbers, 0 to 255
 * @w: bit 0 is the left-most bit of the first word; on s390x this is the memory
 *     layout of QCI and of the APCB
 *
 * A value type instead of a kernel bitmap lets tests/host compile this code.
 */
struct ap_mask {
	u64 w[AP_MASK_WORDS];
};

/**
 * struct ap_matrix - adapters, usage domains and control domains
 * @apm: adapters (APID)
 * @aqm: usage domains (APQI)
 * @adm: control domains
 */
struct ap_matrix {
	struct ap_mask apm;
	struct ap_mask aqm;
	struct ap_mask adm;
};

/**
 * struct ap_matrix_delta - a change of a matrix
 * @clear: numbers to clear
 * @set: numbers to set after that
 */
struct ap_matrix_delta {
	struct ap_matrix clear;
	struct ap_matrix set;
};

/**
 * struct ap_adapter - states of the queues of one adapter, by usage domain
 * @bound: the queue is bound to the driver
 * @resetting: bound, and in reset
 * @failed: bound, and the last reset was refused or timed out
 * @down: bound, with a reset pending, but deconfigured, checkstopped or lost by
 *	the host
 * @ready: bound, and can be passed through to a guest
 */
struct ap_adapter {
	struct ap_mask bound;
	struct ap_mask resetting;
	struct ap_mask failed;
	struct ap_mask down;
	struct ap_mask ready;
};

static inline u64 ap_mask_bit(unsigned int id)
{
	return 1ULL << (63 - (id & 63));
}

static inline bool ap_mask_test(const struct ap_mask *m, unsigned int id)
{
	return m->w[id >> 6] & ap_mask_bit(id);
}

static inline void ap_mask_set(struct ap_mask *m, unsigned int id)
{
	m->w[id >> 6] |= ap_mask_bit(id);
}

static inline void ap_mask_clear(struct ap_mask *m, unsigned int id)
{
	m->w[id >> 6] &= ~ap_mask_bit(id);
}

static inline void ap_mask_assign(struct ap_mask *m, unsigned int id, bool on)
{
	if (on)
		ap_mask_set(m, id);
	else
		ap_mask_clear(m, id);
}

static inline bool ap_mask_empty(const struct ap_mask *m)
{
	return !(m->w[0] | m->w[1] | m->w[2] | m->w[3]);
}

static inline bool ap_mask_equal(const struct ap_mask *a,
				 const struct ap_mask *b)
{
	return !((a->w[0] ^ b->w[0]) | (a->w[1] ^ b->w[1]) |
		 (a->w[2] ^ b->w[2]) | (a->w[3] ^ b->w[3]));
}

static inline struct ap_mask ap_mask_and(const struct ap_mask *a,
					 const struct ap_mask *b)
{
	return (struct ap_mask) { {
		a->w[0] & b->w[0], a->w[1] & b->w[1],
		a->w[2] & b->w[2], a->w[3] & b->w[3],
	} };
}

static inline struct ap_mask ap_mask_andnot(const struct ap_mask *a,
					    const struct ap_mask *b)
{
	return (struct ap_mask) { {
		a->w[0] & ~b->w[0], a->w[1] & ~b->w[1],
		a->w[2] & ~b->w[2], a->w[3] & ~b->w[3],
	} };
}

static inline struct ap_mask ap_mask_or(const struct ap_mask *a,
					const struct ap_mask *b)
{
	return (struct ap_mask) { {
		a->w[0] | b->w[0], a->w[1] | b->w[1],
		a->w[2] | b->w[2], a->w[3] | b->w[3],
	} };
}

static inline struct ap_mask ap_mask_xor(const struct ap_mask *a,
					 const struct ap_mask *b)
{
	return (struct ap_mask) { {
		a->w[0] ^ b->w[0], a->w[1] ^ b->w[1],
		a->w[2] ^ b->w[2], a->w[3] ^ b->w[3],
	} };
}

static inline bool ap_mask_subset(const struct ap_mask *sub,
				  const struct ap_mask *of)
{
	struct ap_mask rest = ap_mask_andnot(sub, of);

	return ap_mask_empty(&rest);
}

static inline bool ap_mask_intersects(const struct ap_mask *a,
				      const struct ap_mask *b)
{
	struct ap_mask both = ap_mask_and(a, b);

	return !ap_mask_empty(&both);
}

unsigned int ap_mask_next(const struct ap_mask *m, unsigned int id);
unsigned int ap_mask_weight(const struct ap_mask *m);
unsigned int ap_mask_nth(const struct ap_mask *m, unsigned int n);
struct ap_mask ap_mask_upto(unsigned int max);

#define ap_mask_for_each(id, m)						\
	for ((id) = ap_mask_next((m), 0); (id) < AP_MASK_BITS;		\
	     (id) = ap_mask_next((m), (id) + 1))

bool ap_matrix_equal(const struct ap_matrix *a, const struct ap_matrix *b);
struct ap_matrix ap_matrix_difference(const struct ap_matrix *a,
				      const struct ap_matrix *b);
struct ap_matrix ap_matrix_apply(const struct ap_matrix *m,
				 const struct ap_matrix_delta *delta);
bool ap_matrix_touches(const struct ap_matrix *a, const struct ap_matrix *b);
bool ap_matrix_has(const struct ap_matrix *m, unsigned int apid,
		   unsigned int apqi);
bool ap_matrix_shares(const struct ap_matrix *a, const struct ap_matrix *b,
		      unsigned int *apid, unsigned int *apqi);
bool ap_matrix_loses(const struct ap_matrix *from, const struct ap_matrix *to);
void ap_matrix_added(const struct ap_matrix *from, const struct ap_matrix *to,
		     struct ap_matrix *rows, struct ap_matrix *columns);
struct ap_mask ap_matrix_resetting(const struct ap_matrix *m,
				   struct ap_adapter *const *adapters,
				   const struct ap_mask *domains);
void ap_matrix_filter(struct ap_matrix *shadow,
		      const struct ap_matrix *assigned,
		      const struct ap_matrix *host,
		      const struct ap_mask *pending,
		      struct ap_adapter *const *adapters);
bool ap_matrix_lacks(const struct ap_adapter *adapter,
		     const struct ap_mask *domains, unsigned int *apqi);
int ap_matrix_parse_config(struct ap_matrix *m, const char *text, size_t len);
size_t ap_matrix_format_config(const struct ap_matrix *m, char *buf);
size_t ap_matrix_format_apqns(const struct ap_matrix *m, char *buf,
			      u64 off, size_t count);

#endif /* VFIO_AP_MATRIX_H */
