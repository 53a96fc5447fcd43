// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ultravisor calls of the host, as far as KVM and the kernel's own uv.c issue them.
 */
#include <linux/export.h>
#include <linux/kprobes.h>
#include <asm/uv.h>
#include "apuv.h"

static int apuv_answer(struct apuv_call *call, u16 rc)
{
	struct uv_cb_header *header = call->cb;

	header->rc = rc;
	return rc == APUV_RC_EXECUTED ? APUV_CC_OK : APUV_CC_ERROR;
}

static u16 apuv_create_conf(struct apuv_call *call)
{
	struct uv_cb_cgc *cb = call->cb;

	cb->guest_handle = apuv_conf_create(cb->guest_asce, cb->flags.raw);
	call->handle = cb->guest_handle;
	return cb->guest_handle ? APUV_RC_EXECUTED : APUV_RC_LIMIT;
}

static u16 apuv_destroy_conf(struct apuv_call *call)
{
	struct uv_cb_nodata *cb = call->cb;

	call->handle = cb->handle;
	return apuv_conf_destroy(cb->handle);
}

static u16 apuv_create_cpu(struct apuv_call *call)
{
	struct uv_cb_csc *cb = call->cb;

	cb->cpu_handle = apuv_cpu_create(cb->guest_handle);
	call->handle = cb->guest_handle;
	return cb->cpu_handle ? APUV_RC_EXECUTED : APUV_RC_HANDLE;
}

static u16 apuv_destroy_cpu(struct apuv_call *call)
{
	struct uv_cb_nodata *cb = call->cb;

	call->handle = cb->handle;
	return apuv_cpu_destroy(cb->handle);
}

/* UNPACK has the same operands; there is nothing to decrypt. */
static u16 apuv_convert_to(struct apuv_call *call)
{
	struct uv_cb_cts *cb = call->cb;
	struct apuv_conf *conf = apuv_conf_find(cb->guest_handle);

	call->handle = cb->guest_handle;
	call->addr = cb->gaddr;
	return conf ? apuv_page_import(conf, cb->gaddr) : APUV_RC_HANDLE;
}

static u16 apuv_release(struct apuv_call *call, bool clear)
{
	struct uv_cb_cfs *cb = call->cb;
	bool was_secure;
	u16 rc;

	call->addr = cb->paddr;
	rc = apuv_page_release(cb->paddr, clear, &was_secure);
	call->quiet = rc == APUV_RC_EXECUTED && !was_secure;
	return rc;
}

static u16 apuv_convert_from(struct apuv_call *call)
{
	return apuv_release(call, false);
}

static u16 apuv_destroy_page(struct apuv_call *call)
{
	return apuv_release(call, true);
}

static u16 apuv_pin(struct apuv_call *call)
{
	struct uv_cb_cfs *cb = call->cb;

	call->addr = cb->paddr;
	return apuv_page_pin(cb->paddr);
}

static u16 apuv_unpin(struct apuv_call *call)
{
	struct uv_cb_cts *cb = call->cb;

	call->handle = cb->guest_handle;
	call->addr = cb->gaddr;
	return apuv_page_unpin(cb->guest_handle, cb->gaddr);
}

/* The handle is at the same place in all that have only that. */
static u16 apuv_accept(struct apuv_call *call)
{
	struct uv_cb_nodata *cb = call->cb;

	call->handle = cb->handle;
	return apuv_conf_find(cb->handle) ? APUV_RC_EXECUTED : APUV_RC_HANDLE;
}

static u16 apuv_unshare_all(struct apuv_call *call)
{
	u16 rc = apuv_accept(call);

	if (rc == APUV_RC_EXECUTED)
		apuv_page_unshare_all(call->handle);
	return rc;
}

static u16 apuv_reset_cpu(struct apuv_call *call)
{
	struct uv_cb_nodata *cb = call->cb;
	struct apuv_cpu *cpu = apuv_cpu_find(cb->handle);

	call->handle = cb->handle;
	if (!cpu)
		return APUV_RC_HANDLE;
	apuv_cpu_reset(cpu);
	return APUV_RC_EXECUTED;
}

static u16 apuv_set_state(struct apuv_call *call)
{
	struct uv_cb_cpu_set_state *cb = call->cb;
	struct apuv_cpu *cpu = apuv_cpu_find(cb->cpu_handle);

	call->handle = cb->cpu_handle;
	if (!cpu)
		return APUV_RC_HANDLE;
	return cb->state == PV_CPU_STATE_OPR_LOAD ? apuv_cpu_load(cpu) : APUV_RC_EXECUTED;
}

static const struct apuv_entry {
	u16 command;
	u16 length;
	u16 (*execute)(struct apuv_call *call);
} apuv_entries[] = {
	{ UVC_CMD_CONV_FROM_SEC_STOR, sizeof(struct uv_cb_cfs), apuv_convert_from },
	{ UVC_CMD_DESTR_SEC_STOR, sizeof(struct uv_cb_cfs), apuv_destroy_page },
	{ UVC_CMD_CONV_TO_SEC_STOR, sizeof(struct uv_cb_cts), apuv_convert_to },
	{ UVC_CMD_UNPACK_IMG, sizeof(struct uv_cb_unp), apuv_convert_to },
	{ UVC_CMD_PIN_PAGE_SHARED, sizeof(struct uv_cb_cfs), apuv_pin },
	{ UVC_CMD_UNPIN_PAGE_SHARED, sizeof(struct uv_cb_cts), apuv_unpin },
	{ UVC_CMD_CREATE_SEC_CONF, sizeof(struct uv_cb_cgc), apuv_create_conf },
	{ UVC_CMD_DESTROY_SEC_CONF, sizeof(struct uv_cb_nodata), apuv_destroy_conf },
	{ UVC_CMD_DESTROY_SEC_CONF_FAST, sizeof(struct uv_cb_destroy_fast), apuv_destroy_conf },
	{ UVC_CMD_CREATE_SEC_CPU, sizeof(struct uv_cb_csc), apuv_create_cpu },
	{ UVC_CMD_DESTROY_SEC_CPU, sizeof(struct uv_cb_nodata), apuv_destroy_cpu },
	{ UVC_CMD_SET_SEC_CONF_PARAMS, sizeof(struct uv_cb_ssc), apuv_accept },
	{ UVC_CMD_VERIFY_IMG, sizeof(struct uv_cb_nodata), apuv_accept },
	{ UVC_CMD_PREPARE_RESET, sizeof(struct uv_cb_nodata), apuv_accept },
	{ UVC_CMD_SET_UNSHARE_ALL, sizeof(struct uv_cb_nodata), apuv_unshare_all },
	{ UVC_CMD_CPU_RESET, sizeof(struct uv_cb_nodata), apuv_reset_cpu },
	{ UVC_CMD_CPU_RESET_INITIAL, sizeof(struct uv_cb_nodata), apuv_reset_cpu },
	{ UVC_CMD_CPU_RESET_CLEAR, sizeof(struct uv_cb_nodata), apuv_reset_cpu },
	{ UVC_CMD_CPU_SET_STATE, sizeof(struct uv_cb_cpu_set_state), apuv_set_state },
};

static u16 apuv_execute(struct apuv_call *call)
{
	const struct uv_cb_header *header = call->cb;
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(apuv_entries); n++) {
		if (apuv_entries[n].command != header->cmd)
			continue;
		if (apuv_entries[n].length != header->len)
			return APUV_RC_LENGTH;
		return apuv_entries[n].execute(call);
	}
	return APUV_RC_COMMAND;
}

/**
 * apuv_call() - execute an ultravisor call of the host
 * @cb: the control block
 *
 * Context: Any, including program-check context. Takes apuv_lock.
 * Return: The condition code.
 */
int apuv_call(void *cb)
{
	struct apuv_call call = { .cb = cb };
	struct uv_cb_header *header = cb;
	unsigned long flags;
	int cc;
	u16 rc;

	raw_spin_lock_irqsave(&apuv_lock, flags);
	header->rrc = 0;
	if (!apuv_script_match(header->cmd, &rc))
		rc = apuv_execute(&call);
	cc = apuv_answer(&call, rc);
	if (!call.quiet)
		apuv_log_call(false, header->cmd, call.handle, call.addr, rc, cc);
	raw_spin_unlock_irqrestore(&apuv_lock, flags);
	return cc;
}
EXPORT_SYMBOL_GPL(apuv_call);
NOKPROBE_SYMBOL(apuv_call);
