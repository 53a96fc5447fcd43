// SPDX-License-Identifier: GPL-2.0-only
/*
 * rsa - modular exponentiation by an adapter, compared with the same by hand
 *
 *   rsa [COUNT]	that many one after the other; exit status 0 if all were right
 *   rsa load		one after the other until SIGTERM, which waits for the last one
 *
 * What came of them is a line that is written after each of them to the beginning of the
 * output: "right 57 wrong 0 failed 3 (ENODEV 2 EIO 1), longest 812 ms". The longest is that of
 * one operation.
 *
 * The modulus is 2^1024 - 105, which is odd and uses all of its bits, the exponent 65537; the
 * numbers need not be those of a key. The arithmetic of our own is the simplest there is.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

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

enum { ERRNOS = 134, PAUSE_MS = 20 };

static unsigned int right, wrong, failed[ERRNOS];
static long longest;

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void calculate(int device, unsigned int seed)
{
	unsigned char result[BYTES], expected[BYTES];
	struct number base = pick(seed), answer = power(&base);
	long begin, took;
	int rc;

	to_bytes(&answer, expected);
	begin = now_ms();
	rc = ask(device, &base, result);
	took = now_ms() - begin;
	if (took > longest)
		longest = took;
	if (rc) {
		failed[rc < ERRNOS ? rc : 0]++;
		/* Without an adapter, all there is comes back at once. */
		usleep(PAUSE_MS * 1000);
	} else if (memcmp(result, expected, BYTES)) {
		wrong++;
	} else {
		right++;
	}
}

static unsigned int failures(void)
{
	unsigned int sum = 0;
	int i;

	for (i = 0; i < ERRNOS; i++)
		sum += failed[i];
	return sum;
}

/* The line never becomes shorter, so it replaces itself where the output is a file. */
static void tell(void)
{
	const char *space = " (";
	char line[1024];
	int i, n;

	n = sprintf(line, "right %u wrong %u failed %u", right, wrong, failures());
	for (i = 0; i < ERRNOS; i++)
		if (failed[i]) {
			n += sprintf(line + n, "%s%s %u", space,
				     i ? strerrorname_np(i) : "unknown", failed[i]);
			space = " ";
		}
	n += sprintf(line + n, "%s, longest %ld ms\n", failures() ? ")" : "", longest);
	lseek(STDOUT_FILENO, 0, SEEK_SET);
	if (write(STDOUT_FILENO, line, n) != n)
		err(1, "output");
}

/* SIGTERM waits until somebody asks, so that it ends no operation. */
static bool asked_to_end(void)
{
	sigset_t signals;

	sigpending(&signals);
	return sigismember(&signals, SIGTERM);
}

static void hold_back_sigterm(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

int main(int argc, char **argv)
{
	bool load = argc > 1 && !strcmp(argv[1], "load");
	unsigned int count = load ? UINT_MAX : argc > 1 ? strtoul(argv[1], NULL, 0) : 1, i;
	int device = open("/dev/z90crypt", O_RDWR);

	if (device < 0)
		err(1, "/dev/z90crypt");
	hold_back_sigterm();
	for (i = 1; i <= count && !asked_to_end(); i++) {
		calculate(device, i);
		if (load || i == count)
			tell();
	}
	return right != count;
}
