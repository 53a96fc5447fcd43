// SPDX-License-Identifier: GPL-2.0-only
/*
 * The service of a CCA coprocessor, as far as a kernel asks for it by itself:
 * random numbers, which zcrypt hands on as /dev/hwrng. The request is a header of
 * message type 6 and a CPRB with the function "RL" and the rule "RANDOM"; the
 * reply is a header of type 86, the CPRB, and the numbers.
 */
#include <linux/random.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <asm/zcrypt.h>
#include "apemu_private.h"

/* The request: a header of 88 bytes, the CPRB, the parameters. */
#define APEMU_RANDOM_TYPE	1
#define APEMU_RANDOM_OFFSET	16
#define APEMU_RANDOM_FUNCTION	52
#define APEMU_RANDOM_HEADER	88
#define APEMU_RANDOM_RULE	4	/* in the parameters: function, length, rule */
#define APEMU_TYPE_CPRB		0x06
#define APEMU_CPRB_VERSION	0x02

/* The reply: a header of 48 bytes, the CPRB, the numbers. */
#define APEMU_RANDOM_FORMAT	2
#define APEMU_RANDOM_COUNT1	16
#define APEMU_RANDOM_OFFSET1	20
#define APEMU_RANDOM_COUNT2	24
#define APEMU_RANDOM_OFFSET2	28
#define APEMU_RANDOM_REPLY	48
#define APEMU_TYPE_CPRB_REPLY	0x86
#define APEMU_CPRB_OK		0x02

#define APEMU_RANDOM_DATA	(APEMU_RANDOM_REPLY + sizeof(struct CPRBX))
#define APEMU_RANDOM_MAX	(APEMU_MESSAGE_MAX - APEMU_RANDOM_DATA)

static const u8 apemu_random_rule[] = { 'R', 'A', 'N', 'D', 'O', 'M', ' ', ' ' };

/* What is wrong with the request, or 0. */
static u8 apemu_random_check(const u8 *text, u32 length)
{
	const struct CPRBX *cprb = (const void *)text + APEMU_RANDOM_HEADER;
	const u8 *parameters = (const u8 *)(cprb + 1);

	if (length < APEMU_RANDOM_HEADER + sizeof(*cprb))
		return APEMU_REFUSED_LENGTH;
	if (text[APEMU_RANDOM_TYPE] != APEMU_TYPE_CPRB)
		return APEMU_REFUSED_TYPE;
	if (get_unaligned_be32(text + APEMU_RANDOM_OFFSET) != APEMU_RANDOM_HEADER ||
	    cprb->cprb_len != sizeof(*cprb) ||
	    cprb->cprb_ver_id != APEMU_CPRB_VERSION)
		return APEMU_REFUSED_FORMAT;
	/* another card may know what this one does not */
	if (memcmp(text + APEMU_RANDOM_FUNCTION, "RL", 2))
		return APEMU_REFUSED_TYPE;
	if (length < APEMU_RANDOM_HEADER + sizeof(*cprb) + APEMU_RANDOM_RULE +
		     sizeof(apemu_random_rule))
		return APEMU_REFUSED_LENGTH;
	if (memcmp(parameters, "RL", 2) ||
	    memcmp(parameters + APEMU_RANDOM_RULE, apemu_random_rule,
		   sizeof(apemu_random_rule)))
		return APEMU_REFUSED_OPERAND;
	return cprb->rpl_datal > APEMU_RANDOM_MAX ? APEMU_REFUSED_SIZE : 0;
}

/**
 * apemu_random_serve() - answer a request for random numbers
 * @text: the request, then the reply; APEMU_MESSAGE_MAX bytes
 * @length: of the request
 *
 * Context: Process context.
 * Return: The length of the reply.
 */
u32 apemu_random_serve(u8 *text, u32 length)
{
	struct CPRBX cprb;
	u8 code;

	code = apemu_random_check(text, length);
	if (code)
		return apemu_service_refuse(text, code);
	memcpy(&cprb, text + APEMU_RANDOM_HEADER, sizeof(cprb));
	length = cprb.rpl_datal;
	cprb.rpld_datal = length;
	cprb.rpld_parml = 0;
	cprb.ccp_rtcode = 0;
	cprb.ccp_rscode = 0;
	memset(text, 0, APEMU_RANDOM_REPLY);
	text[APEMU_RANDOM_TYPE] = APEMU_TYPE_CPRB_REPLY;
	text[APEMU_RANDOM_FORMAT] = APEMU_CPRB_OK;
	put_unaligned_be32(sizeof(cprb), text + APEMU_RANDOM_COUNT1);
	put_unaligned_be32(APEMU_RANDOM_REPLY, text + APEMU_RANDOM_OFFSET1);
	put_unaligned_be32(length, text + APEMU_RANDOM_COUNT2);
	put_unaligned_be32(APEMU_RANDOM_DATA, text + APEMU_RANDOM_OFFSET2);
	memcpy(text + APEMU_RANDOM_REPLY, &cprb, sizeof(cprb));
	get_random_bytes(text + APEMU_RANDOM_DATA, length);
	return APEMU_RANDOM_DATA + length;
}
