// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ultravisor calls of protected guests: share a page, take that back.
 */
#include <linux/errno.h>
#include <linux/export.h>
#include "apuv.h"

/**
 * apuv_guest_call() - execute an ultravisor call of a guest
 * @cpu: the guest CPU
 * @command: the command
 * @gfn: guest absolute page number of its operand
 * @paddr: host absolute address of that page
 *
 * Context: Any; takes apuv_lock.
 * Return: Response code, or -EBUSY if the host has to give up a pin first.
 */
int apuv_guest_call(struct apuv_cpu *cpu, u16 command, unsigned long gfn, unsigned long paddr)
{
	int rc = APUV_RC_COMMAND;
	unsigned long flags;
	u16 scripted;

	raw_spin_lock_irqsave(&apuv_lock, flags);
	if (apuv_script_match(command, &scripted)) {
		rc = scripted;
	} else if (command == APUV_SHARE || command == APUV_UNSHARE) {
		rc = apuv_page_share(cpu->conf, gfn, paddr, command == APUV_SHARE);
		if (!rc)
			rc = APUV_RC_EXECUTED;
		else if (rc == -ENOENT)
			rc = APUV_RC_ADDRESS;
	}
	if (rc >= 0)
		apuv_log_call(true, command, cpu->conf, gfn << PAGE_SHIFT, rc,
			      rc != APUV_RC_EXECUTED);
	raw_spin_unlock_irqrestore(&apuv_lock, flags);
	return rc;
}
EXPORT_SYMBOL_GPL(apuv_guest_call);
