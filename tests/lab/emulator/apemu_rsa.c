// SPDX-License-Identifier: GPL-2.0-only
/*
 * The service of an accelerator: RSA by modulus and exponent, or by the Chinese
 * remainder theorem, as message type 50 asks for it. All numbers are big-endian
 * and right-justified in fields whose size the format tells.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/mpi.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include "apemu_private.h"

/* Header and key block header of a request, the fields in them. */
#define APEMU_RSA_REQUEST	16
#define APEMU_RSA_TYPE		1
#define APEMU_RSA_LENGTH	2
#define APEMU_RSA_FORMAT	8
#define APEMU_TYPE_RSA		0x50

/* Formats with these bits on are CRT; the right digit tells the size. */
#define APEMU_RSA_CRT		0x0010
#define APEMU_RSA_SIZES		3

/* The reply. */
#define APEMU_RSA_REPLY		16
#define APEMU_TYPE_RSA_REPLY	0x80

#define APEMU_RSA_BYTES_MAX	512

/* The fields of a request, in their order; a message comes last. */
enum {
	APEMU_RSA_EXPONENT,
	APEMU_RSA_MODULUS,
	APEMU_RSA_MEX_MESSAGE,
	APEMU_RSA_MEX_FIELDS
};

enum {
	APEMU_RSA_P,
	APEMU_RSA_Q,
	APEMU_RSA_DP,
	APEMU_RSA_DQ,
	APEMU_RSA_U,
	APEMU_RSA_CRT_MESSAGE,
	APEMU_RSA_CRT_FIELDS
};

/**
 * struct apemu_rsa - a request, taken apart
 * @crt: by the Chinese remainder theorem
 * @bytes: size of modulus, message and result
 * @field: the numbers
 * @scratch: for what comes in between
 * @result: the result
 */
struct apemu_rsa {
	bool crt;
	unsigned int bytes;
	MPI field[APEMU_RSA_CRT_FIELDS];
	MPI scratch[2];
	MPI result;
};

static bool apemu_rsa_even(MPI number)
{
	return !mpi_test_bit(number, 0);
}

static bool apemu_rsa_zero(MPI number)
{
	return !mpi_cmp_ui(number, 0);
}

static u8 apemu_rsa_error(int rc)
{
	return rc ? APEMU_REFUSED_FAILURE : 0;
}

static u8 apemu_rsa_mex(struct apemu_rsa *rsa)
{
	MPI exponent = rsa->field[APEMU_RSA_EXPONENT];
	MPI modulus = rsa->field[APEMU_RSA_MODULUS];
	MPI message = rsa->field[APEMU_RSA_MEX_MESSAGE];

	if (apemu_rsa_zero(modulus) || apemu_rsa_zero(exponent))
		return APEMU_REFUSED_OPERAND;
	if (apemu_rsa_even(modulus))
		return APEMU_REFUSED_EVEN;
	if (mpi_cmp(message, modulus) >= 0)
		return APEMU_REFUSED_OPERAND;
	return apemu_rsa_error(mpi_powm(rsa->result, message, exponent, modulus));
}

/* message^dp mod p and message^dq mod q, from which Garner makes the result */
static int apemu_rsa_garner(struct apemu_rsa *rsa)
{
	MPI message = rsa->field[APEMU_RSA_CRT_MESSAGE];
	MPI p = rsa->field[APEMU_RSA_P], q = rsa->field[APEMU_RSA_Q];
	MPI by_p = rsa->scratch[0], by_q = rsa->scratch[1];
	int rc;

	rc = mpi_powm(by_p, message, rsa->field[APEMU_RSA_DP], p);
	if (!rc)
		rc = mpi_powm(by_q, message, rsa->field[APEMU_RSA_DQ], q);
	if (!rc)
		rc = mpi_subm(by_p, by_p, by_q, p);
	if (!rc)
		rc = mpi_mulm(by_p, by_p, rsa->field[APEMU_RSA_U], p);
	if (!rc)
		rc = mpi_mul(rsa->result, by_p, q);
	return rc ?: mpi_add(rsa->result, rsa->result, by_q);
}

static u8 apemu_rsa_crt(struct apemu_rsa *rsa)
{
	int n, rc;

	for (n = APEMU_RSA_P; n <= APEMU_RSA_U; n++)
		if (apemu_rsa_zero(rsa->field[n]))
			return APEMU_REFUSED_OPERAND;
	if (apemu_rsa_even(rsa->field[APEMU_RSA_P]) ||
	    apemu_rsa_even(rsa->field[APEMU_RSA_Q]))
		return APEMU_REFUSED_EVEN;
	rc = mpi_mul(rsa->scratch[0], rsa->field[APEMU_RSA_P],
		     rsa->field[APEMU_RSA_Q]);
	if (rc)
		return apemu_rsa_error(rc);
	if (mpi_cmp(rsa->field[APEMU_RSA_CRT_MESSAGE], rsa->scratch[0]) >= 0)
		return APEMU_REFUSED_OPERAND;
	return apemu_rsa_error(apemu_rsa_garner(rsa));
}

static unsigned int apemu_rsa_field_bytes(const struct apemu_rsa *rsa,
					  unsigned int n)
{
	return rsa->crt && n < APEMU_RSA_CRT_MESSAGE ? rsa->bytes / 2 :
						       rsa->bytes;
}

static u32 apemu_rsa_request_length(const struct apemu_rsa *rsa)
{
	if (rsa->crt)
		return APEMU_RSA_REQUEST +
		       (APEMU_RSA_CRT_FIELDS - 1) * rsa->bytes / 2 + rsa->bytes;
	return APEMU_RSA_REQUEST + APEMU_RSA_MEX_FIELDS * rsa->bytes;
}

/* What is wrong with the header, or 0; fills in @crt and @bytes. */
static u8 apemu_rsa_decode(struct apemu_rsa *rsa, const u8 *text, u32 length)
{
	unsigned int format, size;

	if (length < APEMU_RSA_REQUEST)
		return APEMU_REFUSED_LENGTH;
	if (text[APEMU_RSA_TYPE] != APEMU_TYPE_RSA)
		return APEMU_REFUSED_TYPE;
	/* all others bytes but the sixth are reserved */
	if (text[0] || text[4] || text[6] || text[7] ||
	    memchr_inv(text + APEMU_RSA_FORMAT + 2, 0, 6))
		return APEMU_REFUSED_RESERVED;
	format = get_unaligned_be16(text + APEMU_RSA_FORMAT);
	size = format & ~APEMU_RSA_CRT;
	if (!size || size > APEMU_RSA_SIZES)
		return APEMU_REFUSED_FORMAT;
	rsa->crt = format & APEMU_RSA_CRT;
	/* 128, 256, 512: keys up to 1024, 2048, 4096 bits */
	rsa->bytes = 64 << size;
	if (length != apemu_rsa_request_length(rsa) ||
	    length != get_unaligned_be16(text + APEMU_RSA_LENGTH))
		return APEMU_REFUSED_LENGTH;
	return 0;
}

static u8 apemu_rsa_read(struct apemu_rsa *rsa, const u8 *text)
{
	unsigned int fields = rsa->crt ? APEMU_RSA_CRT_FIELDS :
					 APEMU_RSA_MEX_FIELDS;
	unsigned int n, bytes;

	text += APEMU_RSA_REQUEST;
	for (n = 0; n < fields; n++) {
		bytes = apemu_rsa_field_bytes(rsa, n);
		rsa->field[n] = mpi_read_raw_data(text, bytes);
		if (!rsa->field[n])
			return APEMU_REFUSED_FAILURE;
		text += bytes;
	}
	rsa->result = mpi_alloc(0);
	for (n = 0; n < ARRAY_SIZE(rsa->scratch); n++) {
		rsa->scratch[n] = mpi_alloc(0);
		if (!rsa->scratch[n])
			return APEMU_REFUSED_FAILURE;
	}
	return rsa->result ? 0 : APEMU_REFUSED_FAILURE;
}

static u8 apemu_rsa_write(struct apemu_rsa *rsa, u8 *text)
{
	u8 *field = text + APEMU_RSA_REPLY;
	unsigned int bytes;
	int sign;

	memset(text, 0, APEMU_RSA_REPLY + rsa->bytes);
	if (mpi_read_buffer(rsa->result, field, rsa->bytes, &bytes, &sign))
		return APEMU_REFUSED_FAILURE;
	memmove(field + rsa->bytes - bytes, field, bytes);
	memset(field, 0, rsa->bytes - bytes);
	text[APEMU_RSA_TYPE] = APEMU_TYPE_RSA_REPLY;
	put_unaligned_be16(APEMU_RSA_REPLY + rsa->bytes, text + APEMU_RSA_LENGTH);
	return 0;
}

static void apemu_rsa_free(struct apemu_rsa *rsa)
{
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(rsa->field); n++)
		mpi_free(rsa->field[n]);
	for (n = 0; n < ARRAY_SIZE(rsa->scratch); n++)
		mpi_free(rsa->scratch[n]);
	mpi_free(rsa->result);
}

/**
 * apemu_rsa_serve() - answer a request of message type 50
 * @text: the request, then the reply; APEMU_MESSAGE_MAX bytes
 * @length: of the request
 *
 * Context: Process context; sleeps, allocates.
 * Return: The length of the reply.
 */
u32 apemu_rsa_serve(u8 *text, u32 length)
{
	struct apemu_rsa rsa = {};
	u8 code;

	code = apemu_rsa_decode(&rsa, text, length);
	if (!code)
		code = apemu_rsa_read(&rsa, text);
	if (!code)
		code = rsa.crt ? apemu_rsa_crt(&rsa) : apemu_rsa_mex(&rsa);
	if (!code)
		code = apemu_rsa_write(&rsa, text);
	apemu_rsa_free(&rsa);
	return code ? apemu_service_refuse(text, code) :
		      APEMU_RSA_REPLY + rsa.bytes;
}
