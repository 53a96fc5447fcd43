// SPDX-License-Identifier: GPL-2.0-only
/*
 * "The next n calls like this get that answer."
 */
#include <linux/errno.h>
#include <linux/string.h>
#include "apuv.h"

#define APUV_SCRIPTS	16

static struct apuv_script {
	u16 command;
	u16 rc;
	unsigned int skip;
	unsigned int times;	/* 0: for ever */
} apuv_scripts[APUV_SCRIPTS];
static unsigned int apuv_script_count;

static void apuv_script_drop(unsigned int n)
{
	memmove(&apuv_scripts[n], &apuv_scripts[n + 1],
		(--apuv_script_count - n) * sizeof(apuv_scripts[0]));
}

/**
 * apuv_script_match() - is there an answer for this call?
 * @command: the command
 * @rc: gets the answer
 *
 * Context: apuv_lock is held.
 * Return: true if there is one.
 */
bool apuv_script_match(u16 command, u16 *rc)
{
	struct apuv_script *script;
	unsigned int n;

	lockdep_assert_held(&apuv_lock);
	for (n = 0; n < apuv_script_count; n++) {
		script = &apuv_scripts[n];
		if (script->command != command)
			continue;
		if (script->skip) {
			script->skip--;
			continue;
		}
		*rc = script->rc;
		if (script->times && !--script->times)
			apuv_script_drop(n);
		return true;
	}
	return false;
}

/**
 * apuv_script_add() - script an answer
 * @command: the command
 * @rc: the response code
 * @skip: calls to let pass first
 * @times: how often; 0 for ever
 *
 * Context: apuv_lock is held.
 * Return: 0 or -ENOSPC.
 */
int apuv_script_add(u16 command, u16 rc, unsigned int skip, unsigned int times)
{
	lockdep_assert_held(&apuv_lock);
	if (apuv_script_count == APUV_SCRIPTS)
		return -ENOSPC;
	apuv_scripts[apuv_script_count++] = (struct apuv_script){ command, rc, skip, times };
	return 0;
}

/**
 * apuv_script_clear() - forget all scripted answers
 *
 * Context: apuv_lock is held.
 */
void apuv_script_clear(void)
{
	lockdep_assert_held(&apuv_lock);
	apuv_script_count = 0;
}
