// SPDX-License-Identifier: GPL-2.0-only
/* requests - a guest sends a request to its adapter and receives the answer */

#include "story.h"

#define QUEUE APQN(CARD_5, DOMAIN_4)

static const char message[] = "It was the best of queues, it was the worst of queues";

static void put_message(struct vm *vm)
{
	memset(vm->memory + GUEST_BUFFER, 0, 4096);
	memcpy(vm->memory + GUEST_BUFFER, message, sizeof(message));
	memset(vm->memory + GUEST_BUFFER2, 0, 4096);
}

static void echo(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct guest_saw saw;

	put_message(scene.vm);
	need_guest_rc(guest_nqap(scene.vm, QUEUE, 0x0123456789abcdefUL, GUEST_BUFFER,
				 sizeof(message)), AP_OK,
		      "the adapter takes the request");
	saw = guest_tapq(scene.vm, QUEUE);
	expect(saw.replies, "a reply is waiting");
	saw = guest_dqap(scene.vm, QUEUE, GUEST_BUFFER2, 4096);
	need_guest_rc(saw, AP_OK, "the guest receives the reply");
	expect_hex(saw.gr[4] << 32 | (saw.gr[5] & 0xffffffff), 0x0123456789abcdefUL,
		   "the reply names its request");
	expect_str((char *)scene.vm->memory + GUEST_BUFFER2, message,
		   "the echo says what was said");
	expect_guest_rc(guest_dqap(scene.vm, QUEUE, GUEST_BUFFER2, 4096), AP_NO_REPLY,
			"one request, one reply");
	expect_int(apemu_count(0, APEMU_GUEST, "nqap", QUEUE), 1,
		   "the hardware saw one request, by the guest");
	expect_int(apemu_count(0, APEMU_HOST, NULL, QUEUE), 0, "the host had no part in it");
}

static void held(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	put_message(scene.vm);
	apemu_do("echo 05.0004 hold");
	need_guest_rc(guest_nqap(scene.vm, QUEUE, 1, GUEST_BUFFER, 32), AP_OK,
		      "the adapter takes the request");
	expect(!guest_tapq(scene.vm, QUEUE).empty, "the request is in the queue");
	expect_guest_rc(guest_dqap(scene.vm, QUEUE, GUEST_BUFFER2, 4096), AP_NO_REPLY,
			"no reply yet");
	apemu_do("echo 05.0004 release");
	expect_guest_rc(guest_dqap(scene.vm, QUEUE, GUEST_BUFFER2, 4096), AP_OK,
			"now the reply is there");
}

static void not_its_own(void)
{
	struct scene scene = scene_quiet(VFIO_BY_GROUP, CARD_5, DOMAIN_4);

	expect_guest_rc(guest_nqap(scene.vm, APQN(CARD_1, DOMAIN_4), 1, GUEST_BUFFER, 32),
			AP_NOT_AVAILABLE,
			"a guest cannot send to a queue that it does not have");
	expect_guest_rc(guest_dqap(scene.vm, APQN(CARD_1, DOMAIN_4), GUEST_BUFFER2, 32),
			AP_NOT_AVAILABLE,
			"a guest cannot receive from a queue that it does not have");
	expect_guest_rc(guest_zapq(scene.vm, APQN(CARD_1, DOMAIN_4)), AP_NOT_AVAILABLE,
			"a guest cannot reset a queue that it does not have");
	expect_guest_rc(guest_zapq(scene.vm, QUEUE), AP_OK, "a guest may reset its own queue");
}

static const struct ktap_case cases[] = {
	{ "C-15: NQAP sends, DQAP receives", echo },
	{ "C-15: a request waits in the queue until it is answered", held },
	{ "R-1: a guest reaches only its own queues", not_its_own },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
