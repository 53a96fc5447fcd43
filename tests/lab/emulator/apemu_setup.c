// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration to start from, as the module parameters give it.
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "apemu_private.h"

static char *apemu_cards = "1:cex8:cca,2:cex8:accel,3:cex7:ep11,5:cex8:cca";
module_param_named(cards, apemu_cards, charp, 0444);
MODULE_PARM_DESC(cards, "adapters, id:type[:mode[:service]],...");

static char *apemu_domains = "4,0x11,0x47";
module_param_named(domains, apemu_domains, charp, 0444);
MODULE_PARM_DESC(domains, "usage domains, id,...");

static char *apemu_controls = "4,0x11,0x47,0x22";
module_param_named(controls, apemu_controls, charp, 0444);
MODULE_PARM_DESC(controls, "control domains, id,...");

static uint apemu_na = 255;
module_param_named(na, apemu_na, uint, 0444);
MODULE_PARM_DESC(na, "highest adapter id in QCI");

static uint apemu_nd = 255;
module_param_named(nd, apemu_nd, uint, 0444);
MODULE_PARM_DESC(nd, "highest domain id in QCI");

static bool apemu_apxa = true;
module_param_named(apxa, apemu_apxa, bool, 0444);
MODULE_PARM_DESC(apxa, "extended addressing");

static const char * const apemu_mode_names[] = {
	[APEMU_MODE_ACCEL] = "accel",
	[APEMU_MODE_CCA] = "cca",
	[APEMU_MODE_EP11] = "ep11",
};

static const char * const apemu_service_names[] = {
	[APEMU_SERVICE_ECHO] = "echo",
	[APEMU_SERVICE_RSA] = "rsa",
	[APEMU_SERVICE_RANDOM] = "random",
};

/**
 * apemu_mode_name() - name a card mode
 * @mode: the mode
 *
 * Context: Any.
 * Return: Its name in the control file.
 */
const char *apemu_mode_name(enum apemu_mode mode)
{
	return apemu_mode_names[mode];
}

/**
 * apemu_setup_parse_mode() - find a card mode by name
 * @text: the name
 * @mode: set to enum apemu_mode
 *
 * Context: Any.
 * Return: 0 or -EINVAL.
 */
int apemu_setup_parse_mode(const char *text, u8 *mode)
{
	int n = match_string(apemu_mode_names, ARRAY_SIZE(apemu_mode_names),
			     text);

	if (n < 0)
		return -EINVAL;
	*mode = n;
	return 0;
}

/**
 * apemu_service_name() - name a service
 * @service: the service
 *
 * Context: Any.
 * Return: Its name in the control file.
 */
const char *apemu_service_name(enum apemu_service service)
{
	return apemu_service_names[service];
}

/**
 * apemu_setup_parse_service() - find a service by name
 * @text: the name
 * @service: set to enum apemu_service
 *
 * Context: Any.
 * Return: 0 or -EINVAL.
 */
int apemu_setup_parse_service(const char *text, u8 *service)
{
	int n = match_string(apemu_service_names,
			     ARRAY_SIZE(apemu_service_names), text);

	if (n < 0)
		return -EINVAL;
	*service = n;
	return 0;
}

/**
 * apemu_setup_parse_type() - parse a card type
 * @text: "cex3" to "cex8"
 * @type: set to 3..8
 *
 * Context: Any.
 * Return: 0 or -EINVAL.
 */
int apemu_setup_parse_type(const char *text, u8 *type)
{
	if (strncmp(text, "cex", 3) || text[3] < '3' || text[3] > '8' ||
	    text[4])
		return -EINVAL;
	*type = text[3] - '0';
	return 0;
}

static int apemu_setup_parse_card(struct apemu_setup *setup, char *text)
{
	char *id_text = strsep(&text, ":"), *type_text = strsep(&text, ":");
	char *mode_text = strsep(&text, ":");
	u8 type, mode = APEMU_MODE_CCA, service = APEMU_SERVICE_ECHO;
	unsigned int id;
	int rc;

	rc = kstrtouint(id_text, 0, &id);
	if (rc)
		return rc;
	if (id > (setup->apxa ? APEMU_IDS - 1 : 63))
		return -ERANGE;
	if (!type_text)
		return -EINVAL;
	rc = apemu_setup_parse_type(type_text, &type);
	if (!rc && mode_text)
		rc = apemu_setup_parse_mode(mode_text, &mode);
	if (!rc && text)
		rc = apemu_setup_parse_service(text, &service);
	if (!rc && !apemu_service_fits(service, mode))
		rc = -EINVAL;
	if (rc)
		return rc;
	setup->type[id] = type;
	setup->mode[id] = mode;
	setup->service[id] = service;
	return 0;
}

static int apemu_setup_parse_cards(struct apemu_setup *setup)
{
	char *copy = kstrdup(apemu_cards, GFP_KERNEL), *rest = copy, *text;
	int rc = 0;

	if (!copy)
		return -ENOMEM;
	while (!rc && (text = strsep(&rest, ",")))
		if (*text)
			rc = apemu_setup_parse_card(setup, text);
	kfree(copy);
	return rc;
}

static int apemu_setup_parse_mask(const char *ids, unsigned int max, u32 *mask)
{
	char *copy = kstrdup(ids, GFP_KERNEL), *rest = copy, *text;
	unsigned int id;
	int rc = 0;

	if (!copy)
		return -ENOMEM;
	while (!rc && (text = strsep(&rest, ","))) {
		if (!*text)
			continue;
		rc = kstrtouint(text, 0, &id);
		if (!rc && id > max)
			rc = -ERANGE;
		if (!rc)
			apemu_mask_assign(mask, id, true);
	}
	kfree(copy);
	return rc;
}

static int apemu_setup_parse(struct apemu_setup *setup)
{
	unsigned int max_domain = apemu_apxa ? APEMU_IDS - 1 : 15;
	int rc;

	if (apemu_na >= APEMU_IDS || apemu_nd >= APEMU_IDS)
		return -ERANGE;
	memset(setup, 0, sizeof(*setup));
	setup->na = apemu_na;
	setup->nd = apemu_nd;
	setup->apxa = apemu_apxa;
	rc = apemu_setup_parse_cards(setup);
	if (!rc)
		rc = apemu_setup_parse_mask(apemu_domains, max_domain,
					    setup->aqm);
	if (!rc)
		rc = apemu_setup_parse_mask(apemu_controls, max_domain,
					    setup->adm);
	return rc;
}

/**
 * apemu_setup_install() - make the hardware what the module parameters say
 *
 * Context: Process context.
 * Return: 0; -EINVAL, -ERANGE, -ENOMEM.
 */
int apemu_setup_install(void)
{
	struct apemu_setup *setup = kmalloc(sizeof(*setup), GFP_KERNEL);
	int rc;

	if (!setup)
		return -ENOMEM;
	rc = apemu_setup_parse(setup);
	if (!rc)
		rc = apemu_model_install(setup);
	kfree(setup);
	return rc;
}
