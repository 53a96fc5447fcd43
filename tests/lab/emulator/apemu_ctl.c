// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control file: every line written is a command, reading gives the state.
 * README.md has the grammar; this file is in the same order.
 */
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/string_choices.h>
#include <linux/uaccess.h>
#include "apemu_private.h"

#define APEMU_CTL_WORDS		16
#define APEMU_CTL_WRITE_MAX	SZ_1M

static DEFINE_MUTEX(apemu_ctl_mutex);

/**
 * struct apemu_line - one command, cut into words
 * @words: how many
 * @word: the words
 */
struct apemu_line {
	int words;
	char *word[APEMU_CTL_WORDS];
};

static int apemu_ctl_id(const char *text, unsigned int *id)
{
	int rc = kstrtouint(text, 0, id);

	if (rc)
		return rc;
	return *id < APEMU_IDS ? 0 : -ERANGE;
}

static int apemu_ctl_switch(const char *text, const char *on, const char *off,
			    bool *value)
{
	if (!strcmp(text, on))
		*value = true;
	else if (!strcmp(text, off))
		*value = false;
	else
		return -EINVAL;
	return 0;
}

/* xx.yyyy in hex, or "any" */
static int apemu_ctl_apqn(char *text, int *qid)
{
	unsigned int card, domain;
	char *dot;
	int rc;

	if (!strcmp(text, "any")) {
		*qid = APEMU_ANY;
		return 0;
	}
	dot = strchr(text, '.');
	if (!dot)
		return -EINVAL;
	*dot = 0;
	rc = kstrtouint(text, 16, &card);
	if (!rc)
		rc = kstrtouint(dot + 1, 16, &domain);
	*dot = '.';
	if (rc)
		return rc;
	if (card >= APEMU_IDS || domain >= APEMU_IDS)
		return -ERANGE;
	*qid = card << 8 | domain;
	return 0;
}

/* "key=value": is it this key, and what is the value */
static bool apemu_ctl_value(const char *word, const char *key,
			    const char **value)
{
	size_t length = strlen(key);

	if (strncmp(word, key, length) || word[length] != '=')
		return false;
	*value = word + length + 1;
	return true;
}

static int apemu_ctl_card_add(unsigned int id, struct apemu_line *line)
{
	u8 type = 0, mode = APEMU_MODE_CCA, depth = APEMU_DEPTH_DEFAULT;
	u8 service = APEMU_SERVICE_ECHO;
	const char *value;
	int n, rc;

	for (n = 3; n < line->words; n++) {
		if (apemu_ctl_value(line->word[n], "type", &value)) {
			rc = apemu_setup_parse_type(value, &type);
		} else if (apemu_ctl_value(line->word[n], "mode", &value)) {
			rc = apemu_setup_parse_mode(value, &mode);
		} else if (apemu_ctl_value(line->word[n], "service", &value)) {
			rc = apemu_setup_parse_service(value, &service);
		} else if (apemu_ctl_value(line->word[n], "depth", &value)) {
			rc = kstrtou8(value, 0, &depth);
			if (!rc && (!depth || depth > APEMU_DEPTH_MAX))
				rc = -ERANGE;
		} else {
			rc = -EINVAL;
		}
		if (rc)
			return rc;
	}
	if (!type)
		return -EINVAL;
	return apemu_model_add_card(id, type, mode, depth, service);
}

static int apemu_ctl_card_service(unsigned int id, const char *name)
{
	u8 service;
	int rc;

	rc = apemu_setup_parse_service(name, &service);
	return rc ?: apemu_model_set_service(id, service);
}

static int apemu_ctl_card(struct apemu_line *line)
{
	const char *value;
	unsigned int id;
	bool on;
	int rc;

	if (line->words < 3)
		return -EINVAL;
	rc = apemu_ctl_id(line->word[1], &id);
	if (rc)
		return rc;
	if (!strcmp(line->word[2], "add"))
		return apemu_ctl_card_add(id, line);
	if (!strcmp(line->word[2], "remove"))
		return line->words == 3 ? apemu_model_remove_card(id) : -EINVAL;
	if (line->words == 3 &&
	    apemu_ctl_value(line->word[2], "service", &value))
		return apemu_ctl_card_service(id, value);
	if (line->words != 4)
		return -EINVAL;
	rc = apemu_ctl_switch(line->word[3], "on", "off", &on);
	return rc ?: apemu_model_set_card(id, line->word[2], on);
}

/* "domain ID add", "control ID remove" */
static int apemu_ctl_add_or_remove(struct apemu_line *line, unsigned int *id,
				   bool *add)
{
	int rc;

	if (line->words != 3)
		return -EINVAL;
	rc = apemu_ctl_id(line->word[1], id);
	return rc ?: apemu_ctl_switch(line->word[2], "add", "remove", add);
}

static int apemu_ctl_domain(struct apemu_line *line)
{
	unsigned int id;
	bool add;
	int rc;

	rc = apemu_ctl_add_or_remove(line, &id, &add);
	if (rc)
		return rc;
	return add ? apemu_model_add_domain(id) : apemu_model_remove_domain(id);
}

static int apemu_ctl_control(struct apemu_line *line)
{
	unsigned long flags;
	unsigned int id;
	bool add;
	int rc;

	rc = apemu_ctl_add_or_remove(line, &id, &add);
	if (rc)
		return rc;
	if (add && id > apemu_model_max_domain())
		return -ERANGE;
	if (!add && !apemu_mask_test(apemu_model.adm, id))
		return -ENOENT;
	raw_spin_lock_irqsave(&apemu_lock, flags);
	apemu_mask_assign(apemu_model.adm, id, add);
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return 0;
}

static int apemu_ctl_queue(struct apemu_line *line)
{
	bool on;
	int qid, rc;

	if (line->words != 4 || strcmp(line->word[2], "absent"))
		return -EINVAL;
	rc = apemu_ctl_apqn(line->word[1], &qid);
	if (!rc && qid == APEMU_ANY)
		rc = -EINVAL;
	if (!rc)
		rc = apemu_ctl_switch(line->word[3], "on", "off", &on);
	return rc ?: apemu_model_set_absent(qid, on);
}

static void apemu_ctl_visit_reset(struct apemu_queue *queue, void *data)
{
	apemu_queue_set_pace(queue, *(struct apemu_pace *)data,
			     ktime_get_ns());
}

/* Orders with a queue, or any, and one more word */
static int apemu_ctl_queues(struct apemu_line *line, int *qid)
{
	return line->words == 3 ? apemu_ctl_apqn(line->word[1], qid) : -EINVAL;
}

static int apemu_ctl_reset(struct apemu_line *line)
{
	struct apemu_pace pace = {};
	const char *value;
	int qid, rc;

	rc = apemu_ctl_queues(line, &qid);
	if (rc)
		return rc;
	if (!strcmp(line->word[2], "never")) {
		pace.kind = APEMU_PACE_NEVER;
	} else if (apemu_ctl_value(line->word[2], "polls", &value)) {
		pace.kind = APEMU_PACE_POLLS;
		rc = kstrtou64(value, 0, &pace.n);
	} else if (apemu_ctl_value(line->word[2], "ns", &value)) {
		pace.kind = APEMU_PACE_NS;
		rc = kstrtou64(value, 0, &pace.n);
	} else {
		rc = -EINVAL;
	}
	if (rc)
		return rc;
	if (qid == APEMU_ANY)
		apemu_model.pace = pace;
	return apemu_model_for_each(qid, apemu_ctl_visit_reset, &pace);
}

static void apemu_ctl_visit_irqdelay(struct apemu_queue *queue, void *data)
{
	queue->irq_delay = *(u32 *)data;
}

static int apemu_ctl_irqdelay(struct apemu_line *line)
{
	const char *value;
	int qid, rc;
	u32 polls;

	rc = apemu_ctl_queues(line, &qid);
	if (rc)
		return rc;
	if (!apemu_ctl_value(line->word[2], "polls", &value))
		return -EINVAL;
	rc = kstrtou32(value, 0, &polls);
	if (rc)
		return rc;
	if (qid == APEMU_ANY)
		apemu_model.irq_delay = polls;
	return apemu_model_for_each(qid, apemu_ctl_visit_irqdelay, &polls);
}

static int apemu_ctl_answer_flag(struct apemu_script *script, const char *word)
{
	static const struct {
		const char *key;
		u8 flag;
	} keys[] = {
		{ "empty", APEMU_SCRIPT_EMPTY },
		{ "replies", APEMU_SCRIPT_REPLIES },
		{ "full", APEMU_SCRIPT_FULL },
		{ "async", APEMU_SCRIPT_ASYNC },
		{ "ir", APEMU_SCRIPT_IR },
	};
	const char *value;
	bool on;
	int n, rc;

	for (n = 0; n < ARRAY_SIZE(keys); n++) {
		if (!apemu_ctl_value(word, keys[n].key, &value))
			continue;
		rc = apemu_ctl_switch(value, "1", "0", &on);
		if (rc)
			return rc;
		script->given |= keys[n].flag;
		if (on)
			script->value |= keys[n].flag;
		return 0;
	}
	return -EINVAL;
}

static int apemu_ctl_answer_word(struct apemu_script *script, const char *word,
				 bool *has_rc)
{
	const char *value;
	int rc;

	if (apemu_ctl_value(word, "rc", &value)) {
		*has_rc = true;
		return kstrtou8(value, 16, &script->rc);
	}
	if (apemu_ctl_value(word, "skip", &value))
		return kstrtou32(value, 0, &script->skip);
	if (apemu_ctl_value(word, "times", &value))
		return kstrtou32(value, 0, &script->times);
	if (apemu_ctl_value(word, "bs", &value)) {
		script->given |= APEMU_SCRIPT_BS;
		rc = kstrtou8(value, 0, &script->bs);
		return rc ?: script->bs > 3 ? -ERANGE : 0;
	}
	return apemu_ctl_answer_flag(script, word);
}

static int apemu_ctl_answer(struct apemu_line *line)
{
	struct apemu_script script = { .times = 1 };
	bool has_rc = false;
	unsigned long flags;
	int n, rc;

	if (line->words == 2 && !strcmp(line->word[1], "clear")) {
		raw_spin_lock_irqsave(&apemu_lock, flags);
		apemu_script_clear();
		raw_spin_unlock_irqrestore(&apemu_lock, flags);
		return 0;
	}
	if (line->words < 4)
		return -EINVAL;
	script.function = APEMU_ANY;
	if (strcmp(line->word[1], "any")) {
		script.function = apemu_function_find(line->word[1]);
		if (script.function < 0)
			return -EINVAL;
	}
	rc = apemu_ctl_apqn(line->word[2], &script.qid);
	for (n = 3; !rc && n < line->words; n++)
		rc = apemu_ctl_answer_word(&script, line->word[n], &has_rc);
	if (rc)
		return rc;
	if (!has_rc)
		return -EINVAL;
	raw_spin_lock_irqsave(&apemu_lock, flags);
	rc = apemu_script_add(&script);
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return rc;
}

/**
 * struct apemu_association - what becomes of associations
 * @polls: TAPQs that they take
 * @fails: they fail
 */
struct apemu_association {
	u32 polls;
	bool fails;
};

static void apemu_ctl_visit_associate(struct apemu_queue *queue, void *data)
{
	const struct apemu_association *association = data;

	queue->associate_delay = association->polls;
	queue->associate_fails = association->fails;
}

static int apemu_ctl_associate(struct apemu_line *line)
{
	struct apemu_association association = {};
	const char *value;
	int qid, rc;

	rc = apemu_ctl_queues(line, &qid);
	if (rc)
		return rc;
	if (!strcmp(line->word[2], "fails"))
		association.fails = true;
	else if (!apemu_ctl_value(line->word[2], "polls", &value) ||
		 kstrtou32(value, 0, &association.polls))
		return -EINVAL;
	return apemu_model_for_each(qid, apemu_ctl_visit_associate, &association);
}

static void apemu_ctl_visit_hold(struct apemu_queue *queue, void *data)
{
	queue->hold = *(bool *)data;
	if (!queue->hold)
		apemu_message_release(queue, ktime_get_ns());
}

static void apemu_ctl_visit_delay(struct apemu_queue *queue, void *data)
{
	queue->delay_ns = *(u64 *)data;
}

static int apemu_ctl_echo(struct apemu_line *line)
{
	const char *value;
	int qid, rc;
	bool hold;
	u64 delay;

	rc = apemu_ctl_queues(line, &qid);
	if (rc)
		return rc;
	if (apemu_ctl_value(line->word[2], "delay_ns", &value)) {
		rc = kstrtou64(value, 0, &delay);
		if (rc)
			return rc;
		if (delay > KTIME_MAX / 2)
			return -ERANGE;
		if (qid == APEMU_ANY)
			apemu_model.delay_ns = delay;
		return apemu_model_for_each(qid, apemu_ctl_visit_delay, &delay);
	}
	rc = apemu_ctl_switch(line->word[2], "hold", "release", &hold);
	if (rc)
		return rc;
	if (qid == APEMU_ANY)
		apemu_model.hold = hold;
	return apemu_model_for_each(qid, apemu_ctl_visit_hold, &hold);
}

static void apemu_ctl_visit_interrupt(struct apemu_queue *queue, void *data)
{
	apemu_queue_settle(queue, ktime_get_ns());
	apemu_irq_raise(queue);
}

static int apemu_ctl_interrupt(struct apemu_line *line)
{
	int qid, rc;

	if (line->words != 2)
		return -EINVAL;
	rc = apemu_ctl_apqn(line->word[1], &qid);
	return rc ?: apemu_model_for_each(qid, apemu_ctl_visit_interrupt, NULL);
}

static int apemu_ctl_qci(struct apemu_line *line)
{
	unsigned int na = apemu_model.na, nd = apemu_model.nd;
	bool apxa = apemu_model.apxa;
	const char *value;
	int n, rc;

	if (line->words < 2)
		return -EINVAL;
	for (n = 1; n < line->words; n++) {
		if (apemu_ctl_value(line->word[n], "na", &value))
			rc = apemu_ctl_id(value, &na);
		else if (apemu_ctl_value(line->word[n], "nd", &value))
			rc = apemu_ctl_id(value, &nd);
		else if (apemu_ctl_value(line->word[n], "apxa", &value))
			rc = apemu_ctl_switch(value, "1", "0", &apxa);
		else
			rc = -EINVAL;
		if (rc)
			return rc;
	}
	return apemu_model_set_qci(na, nd, apxa);
}

static int apemu_ctl_log(struct apemu_line *line)
{
	unsigned long flags;
	bool on = false;
	int rc = 0;

	if (line->words != 2)
		return -EINVAL;
	raw_spin_lock_irqsave(&apemu_lock, flags);
	if (!strcmp(line->word[1], "clear")) {
		apemu_log_clear();
	} else {
		rc = apemu_ctl_switch(line->word[1], "on", "off", &on);
		if (!rc)
			apemu_log_enable(on);
	}
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return rc;
}

static int apemu_ctl_count(struct apemu_line *line)
{
	unsigned long flags;

	if (line->words != 2 || strcmp(line->word[1], "clear"))
		return -EINVAL;
	raw_spin_lock_irqsave(&apemu_lock, flags);
	apemu_log_clear_counters();
	apemu_model_clear_tallies();
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return 0;
}

static int apemu_ctl_factory(struct apemu_line *line)
{
	unsigned long flags;
	int rc;

	if (line->words != 1)
		return -EINVAL;
	rc = apemu_setup_install();
	if (rc)
		return rc;
	raw_spin_lock_irqsave(&apemu_lock, flags);
	apemu_script_clear();
	apemu_log_enable(true);
	apemu_log_clear();
	apemu_log_clear_counters();
	apemu_model_clear_tallies();
	apemu_irq_forget_unchecked();
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	return 0;
}

static const struct {
	const char *name;
	int (*execute)(struct apemu_line *line);
} apemu_ctl_commands[] = {
	{ "card", apemu_ctl_card },
	{ "domain", apemu_ctl_domain },
	{ "control", apemu_ctl_control },
	{ "queue", apemu_ctl_queue },
	{ "reset", apemu_ctl_reset },
	{ "irqdelay", apemu_ctl_irqdelay },
	{ "answer", apemu_ctl_answer },
	{ "associate", apemu_ctl_associate },
	{ "echo", apemu_ctl_echo },
	{ "interrupt", apemu_ctl_interrupt },
	{ "qci", apemu_ctl_qci },
	{ "log", apemu_ctl_log },
	{ "count", apemu_ctl_count },
	{ "factory", apemu_ctl_factory },
};

static int apemu_ctl_line(char *text)
{
	struct apemu_line line = {};
	char *word;
	int n;

	while ((word = strsep(&text, " \t\r"))) {
		if (!*word)
			continue;
		if (line.words == APEMU_CTL_WORDS)
			return -EINVAL;
		line.word[line.words++] = word;
	}
	if (!line.words || line.word[0][0] == '#')
		return 0;
	for (n = 0; n < ARRAY_SIZE(apemu_ctl_commands); n++)
		if (!strcmp(line.word[0], apemu_ctl_commands[n].name))
			return apemu_ctl_commands[n].execute(&line);
	return -EINVAL;
}

static int apemu_ctl_text(char *text)
{
	char *line;
	int rc = 0;

	mutex_lock(&apemu_ctl_mutex);
	while (!rc && (line = strsep(&text, "\n")))
		rc = apemu_ctl_line(line);
	mutex_unlock(&apemu_ctl_mutex);
	return rc;
}

/**
 * apemu_command() - what writing to the control file does
 * @text: one or more lines
 *
 * Context: Process context. Takes apemu_ctl_mutex and apemu_lock.
 * Return: 0; -EINVAL, -ENOENT, -ERANGE of the first line that failed; -ENOMEM.
 */
int apemu_command(const char *text)
{
	char *copy = kstrdup(text, GFP_KERNEL);
	int rc;

	if (!copy)
		return -ENOMEM;
	rc = apemu_ctl_text(copy);
	kfree(copy);
	return rc;
}
EXPORT_SYMBOL_GPL(apemu_command);

static ssize_t apemu_ctl_write(struct file *file, const char __user *from,
			       size_t count, loff_t *pos)
{
	char *text;
	int rc;

	if (count > APEMU_CTL_WRITE_MAX)
		return -EINVAL;
	text = memdup_user_nul(from, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	rc = apemu_ctl_text(text);
	kfree(text);
	return rc ?: count;
}

/**
 * struct apemu_sums - what is counted while the queues are visited
 * @m: the file; NULL while only counting
 * @irq_on: queues with the IR bit on
 * @resetting: queues with a reset in progress
 * @bound: queues that belong to a protected guest
 */
struct apemu_sums {
	struct seq_file *m;
	unsigned int bound;
	unsigned int irq_on;
	unsigned int resetting;
};

static void apemu_ctl_visit_sum(struct apemu_queue *queue, void *data)
{
	struct apemu_sums *sums = data;

	if (queue->resetting)
		apemu_queue_settle(queue, ktime_get_ns());
	sums->irq_on += queue->ir;
	sums->resetting += queue->resetting;
	sums->bound += !!queue->bound;
}

static void apemu_ctl_visit_show(struct apemu_queue *queue, void *data)
{
	unsigned int card = queue->qid >> 8, domain = queue->qid & 0xff;
	struct apemu_sums *sums = data;
	unsigned int ready;

	if (queue->ir)
		seq_printf(sums->m,
			   "irq %02x.%04x nib %llx gisa %x gisc %u isc %u\n",
			   card, domain, queue->nib, queue->gisa, queue->gisc,
			   queue->isc);
	if (queue->absent)
		seq_printf(sums->m, "absent %02x.%04x\n", card, domain);
	if (!queue->count && !queue->ir && !queue->resetting)
		return;
	ready = apemu_message_ready(queue, ktime_get_ns());
	seq_printf(sums->m,
		   "queue %02x.%04x requests %u replies %u irq %s reset %s\n",
		   card, domain, queue->count - ready, ready,
		   str_on_off(queue->ir), queue->resetting ? "busy" : "idle");
}

static void apemu_ctl_show_tally(struct seq_file *m, unsigned int id,
				 const struct apemu_card *card)
{
	struct apemu_tally tally;
	unsigned long flags;

	raw_spin_lock_irqsave(&apemu_lock, flags);
	tally = card->tally;
	raw_spin_unlock_irqrestore(&apemu_lock, flags);
	seq_printf(m, "service %02x %s requests %llu replies %llu errors %llu dropped %llu\n",
		   id, apemu_service_name(card->service), tally.requests,
		   tally.replies, tally.errors, tally.dropped);
}

static void apemu_ctl_show_config(struct seq_file *m)
{
	const struct apemu_card *card;
	unsigned int id;

	seq_printf(m, "na: %u\nnd: %u\napxa: %u\n", apemu_model.na,
		   apemu_model.nd, apemu_model.apxa);
	for (id = 0; id < APEMU_IDS; id++) {
		card = apemu_model.cards[id];
		if (!card || !card->present)
			continue;
		seq_printf(m, "card %02x type cex%u mode %s config %s standby %s checkstop %s\n",
			   id, card->type, apemu_mode_name(card->mode),
			   str_on_off(card->config),
			   str_on_off(card->standby),
			   str_on_off(card->checkstop));
		apemu_ctl_show_tally(m, id, card);
	}
	for (id = 0; id < APEMU_IDS; id++)
		if (apemu_mask_test(apemu_model.aqm, id))
			seq_printf(m, "domain %04x\n", id);
	for (id = 0; id < APEMU_IDS; id++)
		if (apemu_mask_test(apemu_model.adm, id))
			seq_printf(m, "control %04x\n", id);
}

static int apemu_ctl_show(struct seq_file *m, void *v)
{
	struct apemu_sums sums = { .m = m };

	mutex_lock(&apemu_ctl_mutex);
	apemu_ctl_show_config(m);
	apemu_model_for_each(APEMU_ANY, apemu_ctl_visit_sum, &sums);
	seq_printf(m, "irq-on: %u\nresetting: %u\nbound: %u\nunchecked-stores: %llu\n",
		   sums.irq_on, sums.resetting, sums.bound, apemu_irq_unchecked());
	apemu_model_for_each(APEMU_ANY, apemu_ctl_visit_show, &sums);
	mutex_unlock(&apemu_ctl_mutex);
	apemu_log_show_counters(m);
	return 0;
}

static int apemu_ctl_open(struct inode *inode, struct file *file)
{
	/* room for all of an ordinary configuration, so that it is shown once */
	return single_open_size(file, apemu_ctl_show, NULL, SZ_64K);
}

static const struct file_operations apemu_ctl_fops = {
	.owner = THIS_MODULE,
	.open = apemu_ctl_open,
	.read = seq_read,
	.write = apemu_ctl_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/**
 * apemu_ctl_init() - create the control and the log file
 *
 * Context: Process context.
 * Return: 0 or a negative error.
 */
int apemu_ctl_init(void)
{
	struct dentry *dir = debugfs_create_dir("apemu", NULL);

	if (IS_ERR(dir))
		return PTR_ERR(dir);
	debugfs_create_file("ctl", 0600, dir, NULL, &apemu_ctl_fops);
	debugfs_create_file("log", 0600, dir, NULL, &apemu_log_fops);
	return 0;
}
