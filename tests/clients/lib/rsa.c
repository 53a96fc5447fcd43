// SPDX-License-Identifier: GPL-2.0-only
/*
 * rsa - modular exponentiation by an adapter, compared with the same by hand
 *
 *   rsa [COUNT]	prints "right N failed N (last error TEXT) wrong N", exit status 0 if all were right
 *
 * The modulus is 2^1024 - 105, which is odd and uses all of its bits, the exponent 65537; the
 * numbers need not be those of a key. The arithmetic of our own is the simplest there is.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <asm/zcrypt.h>

enum { BYTES = 128, WORDS = BYTES / 4, TAIL = 105, EXPONENT_BITS = 16 };

/* Least significant word first; below the modulus. */
struct number {
	uint32_t word[WORDS];
};

/* What is beyond 2^1024 counts 105 for each unit. */
static void fold(struct number *n, uint64_t beyond)
{
	uint64_t carry = beyond * TAIL;
	int i;

	while (carry)
		for (i = 0; i < WORDS; i++) {
			carry += n->word[i];
			n->word[i] = carry;
			carry >>= 32;
			if (i == WORDS - 1)
				carry *= TAIL;
		}
}

/* The result is below 2^1024, which the modulus is almost. */
static struct number multiply(const struct number *a, const struct number *b)
{
	struct number product = { 0 };
	uint64_t carry;
	int i, j;

	for (i = WORDS - 1; i >= 0; i--) {
		uint32_t top = product.word[WORDS - 1];

		memmove(product.word + 1, product.word, sizeof(product.word) - sizeof(top));
		product.word[0] = 0;
		fold(&product, top);
		for (j = 0, carry = 0; j < WORDS; j++) {
			carry += product.word[j] + (uint64_t)a->word[j] * b->word[i];
			product.word[j] = carry;
			carry >>= 32;
		}
		fold(&product, carry);
	}
	return product;
}

/* To the power of 65537: squared sixteen times, and once more itself */
static struct number power(const struct number *base)
{
	struct number result = *base;
	int i;

	for (i = 0; i < EXPONENT_BITS; i++)
		result = multiply(&result, &result);
	return multiply(&result, base);
}

static void to_bytes(const struct number *n, unsigned char *bytes)
{
	int i;

	for (i = 0; i < BYTES; i++)
		bytes[BYTES - 1 - i] = n->word[i / 4] >> i % 4 * 8;
}

static struct number pick(unsigned int seed)
{
	struct number n;
	int i;

	for (i = 0; i < WORDS; i++) {
		seed = seed * 1103515245 + 12345;
		n.word[i] = seed;
	}
	n.word[WORDS - 1] &= 0x7fffffff;
	return n;
}

static int ask(int device, const struct number *base, unsigned char *result)
{
	unsigned char input[BYTES], exponent[BYTES] = { 0 }, modulus[BYTES];
	struct ica_rsa_modexpo request = {
		.inputdata = (void *)input,
		.inputdatalength = BYTES,
		.outputdata = (void *)result,
		.outputdatalength = BYTES,
		.b_key = (void *)exponent,
		.n_modulus = (void *)modulus,
	};

	to_bytes(base, input);
	memset(modulus, 0xff, BYTES);
	modulus[BYTES - 1] = 0x100 - TAIL;
	exponent[BYTES - 3] = 1;
	exponent[BYTES - 1] = 1;
	return ioctl(device, ICARSAMODEXPO, &request) ? errno : 0;
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 1 ? strtoul(argv[1], NULL, 0) : 1, i;
	unsigned int right = 0, failed = 0, wrong = 0;
	unsigned char result[BYTES], expected[BYTES];
	int device = open("/dev/z90crypt", O_RDWR), rc, last = 0;
	struct number base, answer;

	if (device < 0)
		err(1, "/dev/z90crypt");
	for (i = 0; i < count; i++) {
		base = pick(i + 1);
		answer = power(&base);
		to_bytes(&answer, expected);
		rc = ask(device, &base, result);
		if (rc) {
			failed++;
			last = rc;
		} else if (memcmp(result, expected, BYTES)) {
			wrong++;
		} else {
			right++;
		}
	}
	printf("right %u failed %u (last error %s) wrong %u\n", right, failed,
	       last ? strerror(last) : "none", wrong);
	return right != count;
}
