// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arithmetic of masks and matrices: filter, compare, parse, format.
 *
 * The functions are pure. Callers hold the locks that protect the arguments.
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/hex.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>
#else
#include "kernel_shim.h"
#endif

#include "vfio_ap_matrix.h"

/**
 * ap_mask_next() - find the next member of a mask
 * @m: mask
 * @id: number to start at, 0 to 256
 *
 * Context: any.
 * Return: the smallest member that is @id or larger, 256 if there is none.
 */
unsigned int ap_mask_next(const struct ap_mask *m, unsigned int id)
{
	unsigned int word = id >> 6;
	u64 rest;

	if (id >= AP_MASK_BITS)
		return AP_MASK_BITS;
	rest = m->w[word] & (~0ULL >> (id & 63));
	while (!rest) {
		if (++word == AP_MASK_WORDS)
			return AP_MASK_BITS;
		rest = m->w[word];
	}
	return word * 64 + 64 - fls64(rest);
}

/**
 * ap_mask_weight() - count the members of a mask
 * @m: mask
 *
 * Context: any.
 * Return: the number of members, 0 to 256.
 */
unsigned int ap_mask_weight(const struct ap_mask *m)
{
	return hweight64(m->w[0]) + hweight64(m->w[1]) +
	       hweight64(m->w[2]) + hweight64(m->w[3]);
}

/**
 * ap_mask_nth() - find a member by its rank
 * @m: mask
 * @n: rank, 0 for the smallest member
 *
 * Context: any.
 * Return: the member, 256 if the mask has no more than @n members.
 */
unsigned int ap_mask_nth(const struct ap_mask *m, unsigned int n)
{
	unsigned int id;

	ap_mask_for_each(id, m)
		if (!n--)
			break;
	return id;
}

/**
 * ap_mask_upto() - make the mask of all numbers up to a maximum
 * @max: largest member, 0 to 255
 *
 * Context: any.
 * Return: the mask.
 */
struct ap_mask ap_mask_upto(unsigned int max)
{
	struct ap_mask m = {};
	unsigned int id;

	for (id = 0; id <= max; id++)
		ap_mask_set(&m, id);
	return m;
}

/**
 * ap_matrix_equal() - compare two matrices
 * @a: first matrix
 * @b: second matrix
 *
 * Context: any.
 * Return: true if all three masks are equal.
 */
bool ap_matrix_equal(const struct ap_matrix *a, const struct ap_matrix *b)
{
	return ap_mask_equal(&a->apm, &b->apm) &&
	       ap_mask_equal(&a->aqm, &b->aqm) &&
	       ap_mask_equal(&a->adm, &b->adm);
}

/**
 * ap_matrix_difference() - find the numbers that only one of two matrices has
 * @a: first matrix
 * @b: second matrix
 *
 * Context: any.
 * Return: the symmetric difference of each mask.
 */
struct ap_matrix ap_matrix_difference(const struct ap_matrix *a,
				      const struct ap_matrix *b)
{
	return (struct ap_matrix) {
		.apm = ap_mask_xor(&a->apm, &b->apm),
		.aqm = ap_mask_xor(&a->aqm, &b->aqm),
		.adm = ap_mask_xor(&a->adm, &b->adm),
	};
}

static struct ap_mask ap_mask_apply(const struct ap_mask *m,
				    const struct ap_mask *clear,
				    const struct ap_mask *set)
{
	struct ap_mask rest = ap_mask_andnot(m, clear);

	return ap_mask_or(&rest, set);
}

/**
 * ap_matrix_apply() - apply a change to a matrix
 * @m: matrix before the change
 * @delta: numbers to clear and to set
 *
 * Context: any.
 * Return: the matrix after the change.
 */
struct ap_matrix ap_matrix_apply(const struct ap_matrix *m,
				 const struct ap_matrix_delta *delta)
{
	const struct ap_matrix *clear = &delta->clear, *set = &delta->set;

	return (struct ap_matrix) {
		.apm = ap_mask_apply(&m->apm, &clear->apm, &set->apm),
		.aqm = ap_mask_apply(&m->aqm, &clear->aqm, &set->aqm),
		.adm = ap_mask_apply(&m->adm, &clear->adm, &set->adm),
	};
}

/**
 * ap_matrix_touches() - check whether two matrices have any number in common
 * @a: first matrix
 * @b: second matrix
 *
 * Context: any.
 * Return: true if they share an adapter, a usage domain or a control domain.
 */
bool ap_matrix_touches(const struct ap_matrix *a, const struct ap_matrix *b)
{
	return ap_mask_intersects(&a->apm, &b->apm) ||
	       ap_mask_intersects(&a->aqm, &b->aqm) ||
	       ap_mask_intersects(&a->adm, &b->adm);
}

/**
 * ap_matrix_has() - check whether a matrix has an APQN
 * @m: matrix
 * @apid: APID, 0 to 255
 * @apqi: APQI, 0 to 255
 *
 * Context: any.
 * Return: true if @m has both the adapter and the usage domain.
 */
bool ap_matrix_has(const struct ap_matrix *m, unsigned int apid,
		   unsigned int apqi)
{
	return ap_mask_test(&m->apm, apid) && ap_mask_test(&m->aqm, apqi);
}

/**
 * ap_matrix_shares() - find an APQN that two matrices have in common
 * @a: first matrix
 * @b: second matrix
 * @apid: set to the APID of the first common APQN
 * @apqi: set to the APQI of the first common APQN
 *
 * Context: any.
 * Return: true if they have a common APQN.
 */
bool ap_matrix_shares(const struct ap_matrix *a, const struct ap_matrix *b,
		      unsigned int *apid, unsigned int *apqi)
{
	struct ap_mask apm = ap_mask_and(&a->apm, &b->apm);
	struct ap_mask aqm = ap_mask_and(&a->aqm, &b->aqm);

	*apid = ap_mask_next(&apm, 0);
	*apqi = ap_mask_next(&aqm, 0);
	return *apid < AP_MASK_BITS && *apqi < AP_MASK_BITS;
}

/**
 * ap_matrix_loses() - check whether a change removes adapters or usage domains
 * @from: matrix before the change
 * @to: matrix after the change
 *
 * Context: any.
 * Return: true if @from has an adapter or a usage domain that @to lacks.
 */
bool ap_matrix_loses(const struct ap_matrix *from, const struct ap_matrix *to)
{
	return !ap_mask_subset(&from->apm, &to->apm) ||
	       !ap_mask_subset(&from->aqm, &to->aqm);
}

/**
 * ap_matrix_added() - find the APQNs that a change adds
 * @from: matrix before the change
 * @to: matrix after the change
 * @rows: set to the new adapters with all usage domains of @to
 * @columns: set to the new usage domains with all adapters of @to
 *
 * @rows and @columns together have exactly the APQNs of @to that @from lacks.
 * Their control domains are empty.
 *
 * Context: any.
 */
void ap_matrix_added(const struct ap_matrix *from, const struct ap_matrix *to,
		     struct ap_matrix *rows, struct ap_matrix *columns)
{
	*rows = (struct ap_matrix) {
		.apm = ap_mask_andnot(&to->apm, &from->apm),
		.aqm = to->aqm,
	};
	*columns = (struct ap_matrix) {
		.apm = to->apm,
		.aqm = ap_mask_andnot(&to->aqm, &from->aqm),
	};
}

/**
 * ap_matrix_resetting() - find usage domains that have a queue in reset
 * @m: matrix whose adapters are checked
 * @adapters: queue states by APID
 * @domains: usage domains to check
 *
 * Context: any.
 * Return: the subset of @domains with a queue in reset on an adapter of @m.
 */
struct ap_mask ap_matrix_resetting(const struct ap_matrix *m,
				   struct ap_adapter *const *adapters,
				   const struct ap_mask *domains)
{
	struct ap_mask found = {};
	unsigned int apid;

	ap_mask_for_each(apid, &m->apm)
		if (adapters[apid])
			found = ap_mask_or(&found, &adapters[apid]->resetting);
	return ap_mask_and(&found, domains);
}

/**
 * ap_matrix_lacks() - find the queue that withholds an adapter from a guest
 * @adapter: queue states of the adapter, NULL if none was ever bound
 * @domains: usage domains of the guest
 * @apqi: set to the first of @domains whose queue is not ready
 *
 * Context: any.
 * Return: true if a queue is not ready.
 */
bool ap_matrix_lacks(const struct ap_adapter *adapter,
		     const struct ap_mask *domains, unsigned int *apqi)
{
	struct ap_mask rest = *domains;

	if (adapter)
		rest = ap_mask_andnot(domains, &adapter->ready);
	*apqi = ap_mask_next(&rest, 0);
	return *apqi < AP_MASK_BITS;
}

/**
 * ap_matrix_filter() - compute the shadow APCB of a guest
 * @shadow: set to the result
 * @assigned: assigned matrix
 * @host: AP configuration of the host
 * @pending: usage domains that are withheld
 * @adapters: queue states by APID
 *
 * An APCB passes through every APQN of APM x AQM, so that a single queue cannot
 * be withheld. An adapter is passed through if all its queues in the remaining
 * usage domains are ready.
 *
 * Context: any.
 */
void ap_matrix_filter(struct ap_matrix *shadow,
		      const struct ap_matrix *assigned,
		      const struct ap_matrix *host,
		      const struct ap_mask *pending,
		      struct ap_adapter *const *adapters)
{
	static const struct ap_mask none;
	unsigned int apid;

	shadow->apm = ap_mask_and(&assigned->apm, &host->apm);
	shadow->aqm = ap_mask_and(&assigned->aqm, &host->aqm);
	shadow->aqm = ap_mask_andnot(&shadow->aqm, pending);
	shadow->adm = ap_mask_and(&assigned->adm, &host->adm);

	ap_mask_for_each(apid, &shadow->apm)
		if (!ap_mask_subset(&shadow->aqm, adapters[apid] ?
				    &adapters[apid]->ready : &none))
			ap_mask_clear(&shadow->apm, apid);
}

static int ap_matrix_parse_mask(struct ap_mask *m, const char *text, size_t len)
{
	unsigned int id, bit;
	int digit;

	*m = (struct ap_mask) {};
	if (len >= 2 && text[0] == '0' && text[1] == 'x') {
		text += 2;
		len -= 2;
	} else if (len && text[0] == 'x') {
		text++;
		len--;
	}
	if (len > AP_MASK_BITS / 4)
		return -EINVAL;

	for (id = 0; len; id += 4, text++, len--) {
		digit = hex_to_bin(*text);
		if (digit < 0)
			return -EINVAL;
		for (bit = 0; bit < 4; bit++)
			if (digit & (8 >> bit))
				ap_mask_set(m, id + bit);
	}
	return 0;
}

/**
 * ap_matrix_parse_config() - parse the text that is written to ap_config
 * @m: set to the masks; undefined on error
 * @text: text, not necessarily terminated by a NUL
 * @len: length of @text in bytes; the text is cut to 201 bytes
 *
 * The text has three fields: APM, AQM and ADM. A comma, a newline or the end of
 * the text ends a field. A field has an optional prefix 0x or x and 0 to 64
 * hexadecimal digits. The first digit stands for the numbers 0 to 3. The parser
 * ignores text behind the third field.
 *
 * Context: any.
 * Return: 0, or -EINVAL if a field is missing or malformed.
 */
int ap_matrix_parse_config(struct ap_matrix *m, const char *text, size_t len)
{
	struct ap_mask *field[] = { &m->apm, &m->aqm, &m->adm };
	size_t at = 0, end;
	unsigned int i;

	len = min_t(size_t, len, AP_MATRIX_CONFIG_LEN);
	len = strnlen(text, len);
	for (i = 0; i < ARRAY_SIZE(field); i++) {
		if (at > len)
			return -EINVAL;
		for (end = at; end < len; end++)
			if (text[end] == ',' || text[end] == '\n')
				break;
		if (ap_matrix_parse_mask(field[i], text + at, end - at))
			return -EINVAL;
		at = end + 1;
	}
	return 0;
}

/**
 * ap_matrix_format_config() - format the masks for ap_config
 * @m: matrix
 * @buf: output buffer of at least 202 bytes
 *
 * Context: any.
 * Return: 201, the number of bytes without the final NUL.
 */
size_t ap_matrix_format_config(const struct ap_matrix *m, char *buf)
{
	const struct ap_mask *field[] = { &m->apm, &m->aqm, &m->adm };
	size_t at = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(field); i++)
		at += sprintf(buf + at, "0x%016llx%016llx%016llx%016llx%c",
			      (unsigned long long)field[i]->w[0],
			      (unsigned long long)field[i]->w[1],
			      (unsigned long long)field[i]->w[2],
			      (unsigned long long)field[i]->w[3],
			      i + 1 < ARRAY_SIZE(field) ? ',' : '\n');
	return at;
}

static char *ap_matrix_put_hex(char *p, unsigned int value, unsigned int digits)
{
	while (digits--)
		*p++ = "0123456789abcdef"[(value >> (4 * digits)) & 15];
	return p;
}

static void ap_matrix_put_line(char *line, unsigned int apid, unsigned int apqi)
{
	if (apid < AP_MASK_BITS)
		line = ap_matrix_put_hex(line, apid, 2);
	*line++ = '.';
	if (apqi < AP_MASK_BITS)
		line = ap_matrix_put_hex(line, apqi, 4);
	*line = '\n';
}

/**
 * ap_matrix_format_apqns() - format a part of the listing of a matrix's APQNs
 * @m: matrix
 * @buf: output buffer; gets no final NUL
 * @off: offset of the part in the listing, in bytes
 * @count: size of @buf in bytes
 *
 * All lines of a listing have the same length, so that a line is found by its
 * offset. Reading the listing piece by piece therefore costs one pass.
 *
 * Context: any.
 * Return: the number of bytes written, 0 at the end of the listing.
 */
size_t ap_matrix_format_apqns(const struct ap_matrix *m, char *buf,
			      u64 off, size_t count)
{
	unsigned int apids = ap_mask_weight(&m->apm);
	unsigned int apqis = ap_mask_weight(&m->aqm);
	unsigned int width, lines, columns, apid, apqi, skip;
	char line[AP_MATRIX_LINE_APQN];
	size_t done = 0, part;
	u64 first;

	if (apids && apqis)
		width = AP_MATRIX_LINE_APQN;
	else
		width = apids ? AP_MATRIX_LINE_APID : AP_MATRIX_LINE_APQI;
	columns = apqis ? apqis : 1;
	lines = (apids ? apids : !!apqis) * columns;

	if (off >= (u64)lines * width)
		return 0;
	/* A listing has at most 512 KiB, so @off fits in 32 bits. */
	first = (u32)off / width;
	skip = (u32)off % width;
	apid = ap_mask_nth(&m->apm, (u32)first / columns);
	apqi = ap_mask_nth(&m->aqm, (u32)first % columns);

	while (done < count && (apid < AP_MASK_BITS || apqi < AP_MASK_BITS)) {
		ap_matrix_put_line(line, apid, apqi);
		part = min_t(size_t, width - skip, count - done);
		memcpy(buf + done, line + skip, part);
		done += part;
		skip = 0;

		if (apqis)
			apqi = ap_mask_next(&m->aqm, apqi + 1);
		if (apqi < AP_MASK_BITS)
			continue;
		/* Without adapters, the listing is a single row of domains. */
		if (!apids)
			break;
		apid = ap_mask_next(&m->apm, apid + 1);
		if (apid >= AP_MASK_BITS)
			break;
		if (apqis)
			apqi = ap_mask_next(&m->aqm, 0);
	}
	return done;
}
