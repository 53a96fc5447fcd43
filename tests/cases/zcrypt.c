// SPDX-License-Identifier: GPL-2.0-only
/*
 * zcrypt - the emulated adapters do what the kernel's own driver for them asks for
 *
 * No mediated device and no guest: the host keeps a card. Two things say that a result is right:
 * the signatures in rsa_keys.h, which another arithmetic made, and the arithmetic below.
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <asm/zcrypt.h>

#include "dice.h"
#include "rsa_keys.h"
#include "story.h"

enum { BYTES_MAX = 512, WORDS_MAX = BYTES_MAX / 4, KEYS = ARRAY_SIZE(rsa_keys) };

/* ---- arithmetic: numbers of a fixed count of words, the least significant one first ---- */

struct number {
	uint32_t word[WORDS_MAX];
};

static void from_bytes(struct number *number, const uint8_t *bytes, unsigned int length)
{
	unsigned int i;

	memset(number, 0, sizeof(*number));
	for (i = 0; i < length; i++)
		number->word[i / 4] |= (uint32_t)bytes[length - 1 - i] << i % 4 * 8;
}

static bool at_least(const struct number *a, const struct number *b, unsigned int words)
{
	while (words--)
		if (a->word[words] != b->word[words])
			return a->word[words] > b->word[words];
	return true;
}

static void subtract(struct number *a, const struct number *b, unsigned int words)
{
	uint64_t borrow = 0, word;
	unsigned int i;

	for (i = 0; i < words; i++) {
		word = (uint64_t)a->word[i] - b->word[i] - borrow;
		a->word[i] = word;
		borrow = word >> 63;
	}
}

/* a = a * 2 + bit mod n */
static void shift_in(struct number *a, unsigned int bit, const struct number *n,
		     unsigned int words)
{
	uint32_t carry = bit, next;
	unsigned int i;

	for (i = 0; i < words; i++) {
		next = a->word[i] >> 31;
		a->word[i] = a->word[i] << 1 | carry;
		carry = next;
	}
	if (carry || at_least(a, n, words))
		subtract(a, n, words);
}

/* result = a * b mod n: the whole product first, then bit by bit */
static void multiply(struct number *result, const struct number *a, const struct number *b,
		     const struct number *n, unsigned int words)
{
	uint32_t product[2 * WORDS_MAX] = { };
	struct number rest = { };
	unsigned int i, j;
	uint64_t sum;

	for (i = 0; i < words; i++) {
		sum = 0;
		for (j = 0; j < words; j++) {
			sum += (uint64_t)a->word[i] * b->word[j] + product[i + j];
			product[i + j] = sum;
			sum >>= 32;
		}
		product[i + words] = sum;
	}
	for (i = 64 * words; i--;)
		shift_in(&rest, product[i / 32] >> i % 32 & 1, n, words);
	*result = rest;
}

/* base^65537 mod n: sixteen squares and one product */
static void power_65537(struct number *result, const struct number *base,
			const struct number *n, unsigned int words)
{
	unsigned int i;

	*result = *base;
	for (i = 0; i < 16; i++)
		multiply(result, result, result, n, words);
	multiply(result, result, base, n, words);
}

/* ---- requests ---- */

struct request {
	unsigned int length;
	uint8_t in[BYTES_MAX], out[BYTES_MAX];
	uint8_t exponent[BYTES_MAX], modulus[BYTES_MAX];
	/* zcrypt wants eight more bytes before some parts of the key */
	uint8_t p[BYTES_MAX / 2 + 8], q[BYTES_MAX / 2];
	uint8_t dp[BYTES_MAX / 2 + 8], dq[BYTES_MAX / 2];
	uint8_t u[BYTES_MAX / 2 + 8];
};

static int zcrypt = -1;

static void put_hex(uint8_t *bytes, const char *hex)
{
	char byte[3] = "";

	for (; *hex; hex += 2) {
		memcpy(byte, hex, 2);
		*bytes++ = strtoul(byte, NULL, 16);
	}
}

static struct request *request_for(const struct rsa_key *key)
{
	static struct request request;

	memset(&request, 0, sizeof(request));
	request.length = key->bits / 8;
	put_hex(request.in, key->message);
	put_hex(request.exponent, key->d);
	put_hex(request.modulus, key->n);
	put_hex(request.p + 8, key->p);
	put_hex(request.q, key->q);
	put_hex(request.dp + 8, key->dp);
	put_hex(request.dq, key->dq);
	put_hex(request.u + 8, key->u);
	return &request;
}

static void exponent_is_public(struct request *request)
{
	memset(request->exponent, 0, request->length);
	request->exponent[request->length - 1] = 1;
	request->exponent[request->length - 3] = 1;
}

static long by_exponent(struct request *request)
{
	struct ica_rsa_modexpo modexpo = {
		.inputdata = request->in,
		.inputdatalength = request->length,
		.outputdata = request->out,
		.outputdatalength = request->length,
		.b_key = request->exponent,
		.n_modulus = request->modulus,
	};

	return ioctl(zcrypt, ICARSAMODEXPO, &modexpo) ? -errno : 0;
}

static long by_crt(struct request *request)
{
	struct ica_rsa_modexpo_crt crt = {
		.inputdata = request->in,
		.inputdatalength = request->length,
		.outputdata = request->out,
		.outputdatalength = request->length,
		.bp_key = request->dp,
		.bq_key = request->dq,
		.np_prime = request->p,
		.nq_prime = request->q,
		.u_mult_inv = request->u,
	};

	return ioctl(zcrypt, ICARSACRT, &crt) ? -errno : 0;
}

static bool is_signed(const struct request *request, const struct rsa_key *key)
{
	uint8_t signature[BYTES_MAX];

	put_hex(signature, key->signature);
	return !memcmp(request->out, signature, request->length);
}

/* ---- the card ---- */

struct tally {
	unsigned long long requests, replies, errors, dropped;
};

static struct tally tally(int card)
{
	char *state = apemu_state(), start[16], *line;
	struct tally seen = { };

	snprintf(start, sizeof(start), "service %02x ", card);
	line = state ? strstr(state, start) : NULL;
	expect(line && sscanf(line + strlen(start), "%*s requests %llu replies %llu errors %llu dropped %llu",
			      &seen.requests, &seen.replies, &seen.errors, &seen.dropped) == 4,
	       "the emulator counts the requests of card %02x", card);
	free(state);
	return seen;
}

static bool all_bound(int card, const char *driver)
{
	return !strcmp(apbus_driver(APQN(card, DOMAIN_4)), driver) &&
	       !strcmp(apbus_driver(APQN(card, DOMAIN_11)), driver) &&
	       !strcmp(apbus_driver(APQN(card, DOMAIN_47)), driver);
}

static void host_takes(int card, const char *service)
{
	apemu_need();
	if (zcrypt < 0)
		zcrypt = open("/dev/z90crypt", O_RDWR | O_CLOEXEC);
	need(zcrypt >= 0, "zcrypt has a device");
	apemu_do("card %d service=%s", card, service);
	need_rc(apbus_write("apmask", memo("+%d", card)), 0, "the host keeps card %02x", card);
	need(clock_wait_for(all_bound(card, "cex4queue"), BOUND_EVENTUALLY_MS),
	     "the queues of card %02x belong to the host's driver", card);
	/* A queue that the driver takes over is reset first. */
	need(clock_wait_for(apemu_fact("irq-on") == 3, BOUND_EVENTUALLY_MS),
	     "the driver has the interrupts of its queues on");
	apemu_do("count clear");
}

/* ---- cases ---- */

static void signs(long (*how)(struct request *request), const char *way)
{
	struct request *request;
	struct tally seen;
	unsigned int i;

	host_takes(CARD_2, "rsa");
	for (i = 0; i < KEYS; i++) {
		request = request_for(&rsa_keys[i]);
		expect_rc(how(request), 0, "%s: RSA with %u bits", way, rsa_keys[i].bits);
		expect(is_signed(request, &rsa_keys[i]), "%s: %u bits: the right signature", way,
		       rsa_keys[i].bits);
	}
	seen = tally(CARD_2);
	expect_int(seen.requests, KEYS, "the card counts each of them");
	expect_int(seen.replies, KEYS, "and its reply");
	expect_int(seen.errors + seen.dropped, 0, "and nothing else");
}

static void private_by_exponent(void)
{
	signs(by_exponent, "modulus and exponent");
}

static void private_by_crt(void)
{
	signs(by_crt, "CRT");
}

static void own_arithmetic(void)
{
	struct number n, in, out, own;
	struct request *request;
	unsigned int i, byte, words;

	host_takes(CARD_2, "rsa");
	dice_take(1);
	for (i = 0; i < 2 * KEYS; i++) {
		request = request_for(&rsa_keys[i / 2]);
		words = request->length / 4;
		for (byte = 1; byte < request->length; byte++)
			request->in[byte] = dice(256);
		request->in[0] = 0;
		from_bytes(&n, request->modulus, request->length);
		from_bytes(&in, request->in, request->length);
		exponent_is_public(request);
		need_rc(by_exponent(request), 0, "public exponent, %u bits", rsa_keys[i / 2].bits);
		power_65537(&own, &in, &n, words);
		from_bytes(&out, request->out, request->length);
		expect(!memcmp(&own, &out, sizeof(own)), "message^65537 mod n, %u bits",
		       rsa_keys[i / 2].bits);
		/* The even rounds are those of a message of 0, which is a border of the CRT. */
		if (!(i % 2))
			memset(request->in, 0, request->length);
		from_bytes(&in, request->in, request->length);
		need_rc(by_crt(request), 0, "CRT, %u bits", rsa_keys[i / 2].bits);
		from_bytes(&out, request->out, request->length);
		power_65537(&own, &out, &n, words);
		expect(!memcmp(&own, &in, sizeof(own)), "(message^d)^65537 mod n is the message, %u bits",
		       rsa_keys[i / 2].bits);
	}
}

static void odd_sizes(void)
{
	static const uint8_t message[] = { 1, 2, 3 }, modulus[] = { 0x81, 0x00, 0x01 };
	/* 0x010203^65537 mod 0x810001 */
	static const uint8_t result[] = { 0x1c, 0x91, 0xee };
	struct request request = { .length = sizeof(message) };

	host_takes(CARD_2, "rsa");
	memcpy(request.in, message, sizeof(message));
	memcpy(request.modulus, modulus, sizeof(modulus));
	exponent_is_public(&request);
	expect_rc(by_exponent(&request), 0, "a key of three bytes");
	expect(!memcmp(request.out, result, sizeof(result)), "its result");
}

static void refused(void)
{
	struct request *request;
	struct tally seen;

	host_takes(CARD_2, "rsa");
	request = request_for(&rsa_keys[1]);
	request->modulus[request->length - 1] &= ~1;
	expect_rc(by_exponent(request), -EINVAL, "even modulus");
	request = request_for(&rsa_keys[1]);
	memcpy(request->in, request->modulus, request->length);
	expect_rc(by_exponent(request), -EINVAL, "message as large as the modulus");
	request = request_for(&rsa_keys[1]);
	memset(request->exponent, 0, request->length);
	expect_rc(by_exponent(request), -EINVAL, "no exponent");
	request = request_for(&rsa_keys[1]);
	memset(request->modulus, 0, request->length);
	expect_rc(by_exponent(request), -EINVAL, "no modulus");
	request = request_for(&rsa_keys[1]);
	request->p[8 + request->length / 2 - 1] &= ~1;
	expect_rc(by_crt(request), -EINVAL, "even p");
	request = request_for(&rsa_keys[1]);
	memset(request->q, 0, sizeof(request->q));
	expect_rc(by_crt(request), -EINVAL, "no q");
	request = request_for(&rsa_keys[1]);
	memcpy(request->in, request->modulus, request->length);
	expect_rc(by_crt(request), -EINVAL, "CRT: message as large as the modulus");
	seen = tally(CARD_2);
	expect_int(seen.requests, 7, "the card refused them, zcrypt did not");
	expect_int(seen.errors, 7, "all of them");
	request->length = 0;
	expect_rc(by_exponent(request), -EINVAL, "a request of no length");
	expect_rc(by_crt(request), -EINVAL, "CRT: a request of no length");
	expect_int(tally(CARD_2).requests, 7, "which zcrypt did not send");
	request = request_for(&rsa_keys[1]);
	expect_rc(by_exponent(request), 0, "the next good request");
	expect(is_signed(request, &rsa_keys[1]), "has its signature");
}

enum { CLIENTS = 4, RESETS = 20 };

struct client {
	pthread_t thread;
	unsigned int right, wrong, failed;
	long rc;
};

static volatile bool load_over;
static struct request load_request;

static void *client_runs(void *data)
{
	const struct rsa_key *key = &rsa_keys[1];
	struct client *client = data;
	struct request request;
	long rc;

	request = load_request;
	while (!load_over) {
		memset(request.out, 0, request.length);
		rc = by_crt(&request);
		if (rc) {
			client->failed++;
			client->rc = rc;
		} else if (is_signed(&request, key)) {
			client->right++;
		} else {
			client->wrong++;
		}
	}
	return NULL;
}

static void reset_under_load(void)
{
	static const int domains[] = { DOMAIN_4, DOMAIN_11, DOMAIN_47 };
	unsigned int i, right = 0, wrong = 0, failed = 0;
	struct client client[CLIENTS] = { };
	struct tally seen;

	host_takes(CARD_2, "rsa");
	dice_take(2);
	load_over = false;
	load_request = *request_for(&rsa_keys[1]);
	for (i = 0; i < CLIENTS; i++)
		need_rc(-pthread_create(&client[i].thread, NULL, client_runs, &client[i]), 0,
			"a client");
	for (i = 0; i < RESETS; i++) {
		clock_sleep_ms(20);
		expect_rc(file_write_text(memo("/sys/bus/ap/devices/%s/reset",
					       apqn_name(APQN(CARD_2, ANY_OF(domains)))), "1"), 0,
			  "a reset of a queue in use");
	}
	clock_sleep_ms(200);
	load_over = true;
	for (i = 0; i < CLIENTS; i++) {
		pthread_join(client[i].thread, NULL);
		right += client[i].right;
		wrong += client[i].wrong;
		failed += client[i].failed;
		if (client[i].failed)
			ktap_diag("client %u: the last error was %s", i, errno_name(client[i].rc));
	}
	seen = tally(CARD_2);
	ktap_diag("%u right, %u failed, %u wrong; card: %llu requests, %llu replies, %llu dropped",
		  right, failed, wrong, seen.requests, seen.replies, seen.dropped);
	expect_int(wrong, 0, "no result is wrong");
	expect_at_least(right, CLIENTS, "the clients went on");
	expect_at_least(seen.dropped, 1, "a reset dropped a request that was being served");
	expect_int(seen.requests, seen.replies + seen.dropped, "each request was answered or dropped");
}

static void random_numbers(void)
{
	enum { BYTES = 4096, PIECE = 512 };
	uint8_t data[2][BYTES] = { };
	unsigned int done, i, zeroes = 0;
	ssize_t got;
	int fd;

	host_takes(CARD_1, "random");
	/* Its quality makes it the kernel's first choice; nobody else has it open. */
	need_rc(file_write_text("/sys/class/misc/hw_random/rng_current", "zcrypt"), 0,
		"zcrypt is a source of random numbers");
	fd = open("/dev/hwrng", O_RDONLY | O_CLOEXEC);
	need(fd >= 0, "there is a device for random numbers");
	for (done = 0; done < sizeof(data); done += got) {
		got = read(fd, (uint8_t *)data + done, PIECE);
		need(got > 0, "random numbers can be read");
	}
	close(fd);
	expect(memcmp(data[0], data[1], BYTES), "they are others each time");
	for (i = 0; i < BYTES; i++)
		zeroes += !data[0][i];
	expect_at_most(zeroes, 64, "not more zeroes among %u bytes than chance allows", BYTES);
	expect_at_least(tally(CARD_1).replies, 2, "they came from the card, 4096 bytes at a time");
	expect_int(tally(CARD_1).errors, 0, "which refused nothing");
	expect_int(kmsg_count("unknown response type"), 0, "zcrypt understands the card");
}

static void echo_is_the_default(void)
{
	static const char * const cards[] = { "service 01 echo", "service 02 echo",
					      "service 03 echo", "service 05 echo" };
	unsigned int i;

	apemu_need();
	apemu_do("card 2 service=rsa");
	apemu_do("factory");
	for (i = 0; i < ARRAY_SIZE(cards); i++)
		expect(apemu_states(cards[i]), "'%s' as it left the factory", cards[i]);
}

static const struct ktap_case cases[] = {
	{ "C-15: an accelerator signs, by modulus and exponent", private_by_exponent },
	{ "C-15: an accelerator signs, by CRT", private_by_crt },
	{ "C-15: an accelerator agrees with the arithmetic of this test", own_arithmetic },
	{ "C-15: an accelerator takes keys of any size", odd_sizes },
	{ "C-15: an accelerator refuses what cannot be computed", refused },
	{ "C-15: a reset drops requests, and no result is wrong", reset_under_load },
	{ "C-15: a CCA card is a source of random numbers", random_numbers },
	{ "C-15: cards echo unless they were told otherwise", echo_is_the_default },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
