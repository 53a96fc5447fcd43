// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine's AP configuration: cards, domains, holes, and what happens to the
 * queues when it changes.
 *
 * Queue objects are found in two steps, card and domain. They are allocated when
 * card and domain first meet, and stay: an instruction may be looking at them.
 * The functions that add are called with apemu_ctl_mutex held (or at start), so
 * only one of them allocates at a time.
 */
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "apemu_private.h"

struct apemu_model apemu_model;

/**
 * apemu_model_max_adapter() - the highest adapter id there can be
 *
 * Without APXA ids have six bits; with APXA and a maximum of 0 the AP bus takes
 * that for "unknown" and stays at 63.
 *
 * Context: Any.
 * Return: The id.
 */
unsigned int apemu_model_max_adapter(void)
{
	return apemu_model.apxa && apemu_model.na ? apemu_model.na : 63;
}

/**
 * apemu_model_max_domain() - the highest domain id there can be
 *
 * Context: Any.
 * Return: The id.
 */
unsigned int apemu_model_max_domain(void)
{
	return apemu_model.apxa && apemu_model.nd ? apemu_model.nd : 15;
}

/**
 * apemu_model_queue() - find a queue
 * @qid: the APQN, 16 bits
 *
 * Context: Any; apemu_lock held.
 * Return: The queue, reachable or not, or NULL.
 */
struct apemu_queue *apemu_model_queue(unsigned int qid)
{
	struct apemu_card *card = apemu_model.cards[qid >> 8];

	lockdep_assert_held(&apemu_lock);
	return card ? card->queues[qid & 0xff] : NULL;
}

static struct apemu_card *apemu_model_alloc_card(unsigned int id)
{
	struct apemu_card *card = apemu_model.cards[id];
	unsigned long flags;

	if (card)
		return card;
	card = kzalloc(sizeof(*card), GFP_KERNEL);
	if (!card)
		return NULL;
	card->depth = 1;
	raw_spin_lock_irqsave(&apemu_lock, flags);
	apemu_model.cards[id] = card;
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return card;
}

static int apemu_model_alloc_queue(struct apemu_card *card, unsigned int qid)
{
	struct apemu_queue *queue;
	unsigned long flags;

	if (card->queues[qid & 0xff])
		return 0;
	queue = kzalloc(sizeof(*queue), GFP_KERNEL);
	if (!queue)
		return -ENOMEM;
	apemu_queue_init(queue, card, qid);
	raw_spin_lock_irqsave(&apemu_lock, flags);
	card->queues[qid & 0xff] = queue;
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return 0;
}

/* Everything that @aqm needs on the card @id. */
static int apemu_model_populate(unsigned int id, const u32 *aqm)
{
	struct apemu_card *card = apemu_model_alloc_card(id);
	unsigned int domain;
	int rc;

	if (!card)
		return -ENOMEM;
	for (domain = 0; domain < APEMU_IDS; domain++) {
		if (!apemu_mask_test(aqm, domain))
			continue;
		rc = apemu_model_alloc_queue(card, id << 8 | domain);
		if (rc)
			return rc;
	}
	cond_resched();
	return 0;
}

static void apemu_model_forget_card(struct apemu_card *card)
{
	unsigned int domain;

	for (domain = 0; domain < APEMU_IDS; domain++)
		if (card->queues[domain])
			apemu_queue_forget(card->queues[domain]);
}

static void apemu_model_start_card(unsigned int id, u8 type,
				   enum apemu_mode mode, u8 depth,
				   enum apemu_service service)
{
	struct apemu_card *card = apemu_model.cards[id];

	card->present = true;
	card->config = true;
	card->standby = false;
	card->checkstop = false;
	card->type = type;
	card->mode = mode;
	card->depth = depth;
	card->service = service;
	card->tally = (struct apemu_tally){};
	apemu_mask_assign(apemu_model.apm, id, true);
}

/**
 * apemu_model_add_card() - plug in an adapter, configured
 * @id: adapter id
 * @type: 3..8
 * @mode: its mode
 * @depth: messages per queue
 * @service: what becomes of its requests
 *
 * Context: Process context, apemu_ctl_mutex held. Takes apemu_lock.
 * Return: 0; -ERANGE for an id that cannot be, -EINVAL if there is one already
 *	   or @service is not for @mode, -ENOMEM.
 */
int apemu_model_add_card(unsigned int id, u8 type, enum apemu_mode mode,
			 u8 depth, enum apemu_service service)
{
	unsigned long flags;
	int rc;

	if (id > apemu_model_max_adapter())
		return -ERANGE;
	if (apemu_model.cards[id] && apemu_model.cards[id]->present)
		return -EINVAL;
	if (!apemu_service_fits(service, mode))
		return -EINVAL;
	rc = apemu_model_populate(id, apemu_model.aqm);
	if (rc)
		return rc;
	raw_spin_lock_irqsave(&apemu_lock, flags);
	apemu_model_start_card(id, type, mode, depth, service);
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return 0;
}

/**
 * apemu_model_remove_card() - unplug an adapter
 * @id: adapter id
 *
 * Context: Process context, apemu_ctl_mutex held. Takes apemu_lock.
 * Return: 0; -ERANGE, -ENOENT.
 */
int apemu_model_remove_card(unsigned int id)
{
	struct apemu_card *card;
	unsigned long flags;

	if (id >= APEMU_IDS)
		return -ERANGE;
	card = apemu_model.cards[id];
	if (!card || !card->present)
		return -ENOENT;
	raw_spin_lock_irqsave(&apemu_lock, flags);
	apemu_mask_assign(apemu_model.apm, id, false);
	card->present = false;
	apemu_model_forget_card(card);
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return 0;
}

/**
 * apemu_model_set_card() - change the state of an adapter
 * @id: adapter id
 * @what: "config", "standby" or "checkstop"
 * @on: the new state
 *
 * Context: Process context, apemu_ctl_mutex held. Takes apemu_lock.
 * Return: 0; -ERANGE, -ENOENT, -EINVAL for another @what.
 */
int apemu_model_set_card(unsigned int id, const char *what, bool on)
{
	struct apemu_card *card;
	unsigned long flags;
	bool *state;

	if (id >= APEMU_IDS)
		return -ERANGE;
	card = apemu_model.cards[id];
	if (!card || !card->present)
		return -ENOENT;
	if (!strcmp(what, "config"))
		state = &card->config;
	else if (!strcmp(what, "standby"))
		state = &card->standby;
	else if (!strcmp(what, "checkstop"))
		state = &card->checkstop;
	else
		return -EINVAL;
	raw_spin_lock_irqsave(&apemu_lock, flags);
	if (*state != on) {
		*state = on;
		apemu_mask_assign(apemu_model.apm, id, card->config);
		apemu_model_forget_card(card);
	}
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return 0;
}

/**
 * apemu_model_set_service() - what becomes of a card's requests from now on
 * @id: adapter id
 * @service: the service; requests in the queues keep the one they came for
 *
 * Context: Process context, apemu_ctl_mutex held. Takes apemu_lock.
 * Return: 0; -ENOENT, -EINVAL if the service is not for the mode of the card.
 */
int apemu_model_set_service(unsigned int id, enum apemu_service service)
{
	struct apemu_card *card = apemu_model.cards[id];
	unsigned long flags;

	if (!card || !card->present)
		return -ENOENT;
	if (!apemu_service_fits(service, card->mode))
		return -EINVAL;
	raw_spin_lock_irqsave(&apemu_lock, flags);
	card->service = service;
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return 0;
}

/**
 * apemu_model_clear_tallies() - count the requests of all cards anew
 *
 * Context: Any; apemu_lock held.
 */
void apemu_model_clear_tallies(void)
{
	unsigned int id;

	lockdep_assert_held(&apemu_lock);
	for (id = 0; id < APEMU_IDS; id++)
		if (apemu_model.cards[id])
			apemu_model.cards[id]->tally = (struct apemu_tally){};
}

/**
 * apemu_model_add_domain() - assign a usage domain
 * @id: domain id
 *
 * Context: Process context, apemu_ctl_mutex held. Takes apemu_lock.
 * Return: 0; -ERANGE for an id that cannot be, -ENOMEM.
 */
int apemu_model_add_domain(unsigned int id)
{
	u32 aqm[APEMU_MASK_WORDS] = {};
	unsigned long flags;
	unsigned int card;
	int rc;

	if (id > apemu_model_max_domain())
		return -ERANGE;
	apemu_mask_assign(aqm, id, true);
	for (card = 0; card < APEMU_IDS; card++) {
		if (!apemu_model.cards[card])
			continue;
		rc = apemu_model_populate(card, aqm);
		if (rc)
			return rc;
	}
	raw_spin_lock_irqsave(&apemu_lock, flags);
	apemu_mask_assign(apemu_model.aqm, id, true);
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return 0;
}

/**
 * apemu_model_remove_domain() - take a usage domain away
 * @id: domain id
 *
 * Context: Process context, apemu_ctl_mutex held. Takes apemu_lock.
 * Return: 0; -ERANGE, -ENOENT.
 */
int apemu_model_remove_domain(unsigned int id)
{
	struct apemu_card *card;
	unsigned long flags;
	unsigned int n;

	if (id >= APEMU_IDS)
		return -ERANGE;
	if (!apemu_mask_test(apemu_model.aqm, id))
		return -ENOENT;
	raw_spin_lock_irqsave(&apemu_lock, flags);
	apemu_mask_assign(apemu_model.aqm, id, false);
	for (n = 0; n < APEMU_IDS; n++) {
		card = apemu_model.cards[n];
		if (card && card->queues[id])
			apemu_queue_forget(card->queues[id]);
	}
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return 0;
}

static bool apemu_model_has(unsigned int qid)
{
	struct apemu_card *card = apemu_model.cards[qid >> 8];

	return card && card->present &&
	       apemu_mask_test(apemu_model.aqm, qid & 0xff);
}

/**
 * apemu_model_set_absent() - make or fill a hole in the matrix
 * @qid: the APQN
 * @on: the hole
 *
 * Context: Process context, apemu_ctl_mutex held. Takes apemu_lock.
 * Return: 0; -ENOENT if there is no such card or domain.
 */
int apemu_model_set_absent(unsigned int qid, bool on)
{
	struct apemu_queue *queue;
	unsigned long flags;

	if (!apemu_model_has(qid))
		return -ENOENT;
	raw_spin_lock_irqsave(&apemu_lock, flags);
	queue = apemu_model_queue(qid);
	if (queue->absent != on) {
		queue->absent = on;
		apemu_queue_forget(queue);
	}
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return 0;
}

/**
 * apemu_model_set_qci() - change what QCI says about the range of ids
 * @na: highest adapter id
 * @nd: highest domain id
 * @apxa: extended addressing
 *
 * Context: Process context, apemu_ctl_mutex held. Takes apemu_lock.
 * Return: 0; -ERANGE.
 */
int apemu_model_set_qci(unsigned int na, unsigned int nd, bool apxa)
{
	unsigned long flags;

	if (na >= APEMU_IDS || nd >= APEMU_IDS)
		return -ERANGE;
	raw_spin_lock_irqsave(&apemu_lock, flags);
	apemu_model.na = na;
	apemu_model.nd = nd;
	apemu_model.apxa = apxa;
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return 0;
}

static void apemu_model_queue_defaults(struct apemu_queue *queue)
{
	apemu_queue_forget(queue);
	queue->absent = false;
	queue->hold = false;
	queue->delay_ns = 0;
	queue->irq_delay = 0;
	queue->associate_delay = 0;
	queue->associate_fails = false;
	queue->pace = (struct apemu_pace){ .kind = APEMU_PACE_POLLS };
}

/**
 * apemu_model_install() - replace the whole configuration
 * @setup: the new one
 *
 * For the instructions it happens at one moment.
 *
 * Context: Process context, apemu_ctl_mutex held (or at start). Takes apemu_lock.
 * Return: 0; -ENOMEM, and nothing has changed.
 */
int apemu_model_install(const struct apemu_setup *setup)
{
	struct apemu_card *card;
	unsigned int id, domain;
	unsigned long flags;
	int rc;

	for (id = 0; id < APEMU_IDS; id++) {
		if (!setup->type[id])
			continue;
		rc = apemu_model_populate(id, setup->aqm);
		if (rc)
			return rc;
	}
	raw_spin_lock_irqsave(&apemu_lock, flags);
	apemu_model.na = setup->na;
	apemu_model.nd = setup->nd;
	apemu_model.apxa = setup->apxa;
	apemu_model.pace = (struct apemu_pace){ .kind = APEMU_PACE_POLLS };
	apemu_model.irq_delay = 0;
	apemu_model.hold = false;
	apemu_model.delay_ns = 0;
	memset(apemu_model.apm, 0, sizeof(apemu_model.apm));
	memcpy(apemu_model.aqm, setup->aqm, sizeof(apemu_model.aqm));
	memcpy(apemu_model.adm, setup->adm, sizeof(apemu_model.adm));
	for (id = 0; id < APEMU_IDS; id++) {
		card = apemu_model.cards[id];
		if (!card)
			continue;
		for (domain = 0; domain < APEMU_IDS; domain++)
			if (card->queues[domain])
				apemu_model_queue_defaults(card->queues[domain]);
		if (setup->type[id])
			apemu_model_start_card(id, setup->type[id],
					       setup->mode[id],
					       APEMU_DEPTH_DEFAULT,
					       setup->service[id]);
		else
			card->present = false;
	}
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return 0;
}

static void apemu_model_visit(unsigned int id, unsigned int first,
			      unsigned int last,
			      void (*visit)(struct apemu_queue *queue,
					    void *data), void *data)
{
	struct apemu_card *card = apemu_model.cards[id];
	unsigned long flags;
	unsigned int domain;

	raw_spin_lock_irqsave(&apemu_lock, flags);
	for (domain = first; domain <= last; domain++)
		if (card->queues[domain])
			visit(card->queues[domain], data);
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
}

/**
 * apemu_model_for_each() - do something to one queue or to all
 * @qid: the APQN, which must be in the configuration, or APEMU_ANY
 * @visit: called with apemu_lock held
 * @data: for @visit
 *
 * Context: Process context, apemu_ctl_mutex held. Takes apemu_lock, for one card at
 *	    a time.
 * Return: 0, or -ENOENT.
 */
int apemu_model_for_each(int qid, void (*visit)(struct apemu_queue *queue,
						void *data), void *data)
{
	unsigned int id;

	if (qid != APEMU_ANY) {
		if (!apemu_model_has(qid))
			return -ENOENT;
		apemu_model_visit(qid >> 8, qid & 0xff, qid & 0xff, visit, data);
		return 0;
	}
	for (id = 0; id < APEMU_IDS; id++) {
		if (!apemu_model.cards[id])
			continue;
		apemu_model_visit(id, 0, APEMU_IDS - 1, visit, data);
		cond_resched();
	}
	return 0;
}
