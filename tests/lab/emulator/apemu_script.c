// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scripted answers: "after n matching instructions the next m get this status,
 * and nothing else happens". The oldest matching script wins. Without scripts an
 * instruction pays for one test.
 */
#include <linux/errno.h>
#include <linux/string.h>
#include "apemu_private.h"

#define APEMU_SCRIPTS	64

static struct apemu_script apemu_scripts[APEMU_SCRIPTS];
static unsigned int apemu_script_count;

static void apemu_script_drop(unsigned int n)
{
	apemu_script_count--;
	memmove(&apemu_scripts[n], &apemu_scripts[n + 1],
		(apemu_script_count - n) * sizeof(apemu_scripts[0]));
}

/**
 * apemu_script_match() - is there a scripted answer for this instruction
 * @function: the function
 * @qid: the APQN; scripts for one APQN never match QCI
 * @answer: filled in if there is
 *
 * Context: Any; apemu_lock held.
 * Return: true if there is.
 */
bool apemu_script_match(enum apemu_function function, unsigned int qid,
			struct apemu_script *answer)
{
	struct apemu_script *script;
	unsigned int n;

	lockdep_assert_held(&apemu_lock);
	for (n = 0; n < apemu_script_count; n++) {
		script = &apemu_scripts[n];
		if (script->function != APEMU_ANY &&
		    script->function != function)
			continue;
		if (script->qid != APEMU_ANY &&
		    (function == APEMU_QCI || script->qid != qid))
			continue;
		if (script->skip) {
			script->skip--;
			continue;
		}
		*answer = *script;
		if (script->times && !--script->times)
			apemu_script_drop(n);
		return true;
	}
	return false;
}

/**
 * apemu_script_add() - remember a scripted answer
 * @script: the script
 *
 * Context: Any; apemu_lock held.
 * Return: 0, or -ERANGE when there are too many.
 */
int apemu_script_add(const struct apemu_script *script)
{
	lockdep_assert_held(&apemu_lock);
	if (apemu_script_count == APEMU_SCRIPTS)
		return -ERANGE;
	apemu_scripts[apemu_script_count++] = *script;
	return 0;
}

/**
 * apemu_script_clear() - forget all scripted answers
 *
 * Context: Any; apemu_lock held.
 */
void apemu_script_clear(void)
{
	lockdep_assert_held(&apemu_lock);
	apemu_script_count = 0;
}
