// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control file: commands in, state out.
 */
#include <linux/debugfs.h>
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/string_choices.h>
#include <linux/uaccess.h>
#include <asm/uv.h>
#include "apuv.h"

#define APUV_CTL_WORDS		8
#define APUV_CTL_WRITE_MAX	4096

struct apuv_line {
	char *word[APUV_CTL_WORDS];
	unsigned int words;
};

static struct dentry *apuv_dir;
static DEFINE_MUTEX(apuv_ctl_mutex);

/* Features of the ultravisor; their numbers are those of asm/uv.h. */
static const struct {
	const char *name;
	unsigned int bit;
} apuv_features[] = {
	{ "misc", BIT_UV_FEAT_MISC },
	{ "aiv", BIT_UV_FEAT_AIV },
	{ "ap", BIT_UV_FEAT_AP },
	{ "ap_intr", BIT_UV_FEAT_AP_INTR },
};

static int apuv_on_off(const struct apuv_line *line, unsigned int n, bool *on)
{
	if (n + 1 != line->words)
		return -EINVAL;
	*on = !strcmp(line->word[n], "on");
	return *on || !strcmp(line->word[n], "off") ? 0 : -EINVAL;
}

static int apuv_ctl_feature(const struct apuv_line *line)
{
	unsigned int n;
	bool on;
	int rc = apuv_on_off(line, 2, &on);

	if (rc)
		return rc;
	for (n = 0; n < ARRAY_SIZE(apuv_features); n++) {
		if (strcmp(line->word[1], apuv_features[n].name))
			continue;
		apuv_set_feature(apuv_features[n].bit, on);
		return 0;
	}
	return -EINVAL;
}

static int apuv_ctl_fast(const struct apuv_line *line)
{
	bool on;
	int rc = apuv_on_off(line, 1, &on);

	if (!rc)
		apuv_set_fast(on);
	return rc;
}

/* NAME=number */
static int apuv_ctl_value(const char *word, const char *name, unsigned int base, unsigned int *to)
{
	size_t length = strlen(name);

	if (strncmp(word, name, length) || word[length] != '=')
		return -ENOENT;
	return kstrtouint(word + length + 1, base, to);
}

static int apuv_ctl_answer(const struct apuv_line *line)
{
	unsigned int command, rc = 0, skip = 0, times = 1, n;
	unsigned long flags;
	int error;

	if (line->words == 2 && !strcmp(line->word[1], "clear")) {
		raw_spin_lock_irqsave(&apuv_lock, flags);
		apuv_script_clear();
		raw_spin_unlock_irqrestore(&apuv_lock, flags);
		return 0;
	}
	if (line->words < 3 || kstrtouint(line->word[1], 16, &command))
		return -EINVAL;
	for (n = 2; n < line->words; n++) {
		error = apuv_ctl_value(line->word[n], "rc", 16, &rc);
		if (error == -ENOENT)
			error = apuv_ctl_value(line->word[n], "skip", 10, &skip);
		if (error == -ENOENT)
			error = apuv_ctl_value(line->word[n], "times", 10, &times);
		if (error)
			return -EINVAL;
	}
	if (!rc || rc > U16_MAX || command > U16_MAX)
		return -ERANGE;
	raw_spin_lock_irqsave(&apuv_lock, flags);
	error = apuv_script_add(command, rc, skip, times);
	raw_spin_unlock_irqrestore(&apuv_lock, flags);
	return error;
}

static int apuv_ctl_log(const struct apuv_line *line)
{
	unsigned long flags;

	if (line->words != 2 || strcmp(line->word[1], "clear"))
		return -EINVAL;
	raw_spin_lock_irqsave(&apuv_lock, flags);
	apuv_log_clear();
	raw_spin_unlock_irqrestore(&apuv_lock, flags);
	return 0;
}

static int apuv_ctl_factory(const struct apuv_line *line)
{
	if (line->words != 1)
		return -EINVAL;
	apuv_factory();
	return 0;
}

static const struct {
	const char *name;
	int (*execute)(const struct apuv_line *line);
} apuv_commands[] = {
	{ "answer", apuv_ctl_answer },
	{ "factory", apuv_ctl_factory },
	{ "fast", apuv_ctl_fast },
	{ "feature", apuv_ctl_feature },
	{ "log", apuv_ctl_log },
};

static int apuv_ctl_line(char *text)
{
	struct apuv_line line = {};
	unsigned int n;
	char *word;

	while ((word = strsep(&text, " \t\r"))) {
		if (!*word)
			continue;
		if (line.words == APUV_CTL_WORDS)
			return -EINVAL;
		line.word[line.words++] = word;
	}
	if (!line.words || line.word[0][0] == '#')
		return 0;
	for (n = 0; n < ARRAY_SIZE(apuv_commands); n++)
		if (!strcmp(line.word[0], apuv_commands[n].name))
			return apuv_commands[n].execute(&line);
	return -EINVAL;
}

/**
 * apuv_command() - what writing to the control file does
 * @text: one or more lines
 *
 * Context: Process context.
 * Return: 0 or the error of the first line that failed.
 */
int apuv_command(const char *text)
{
	char *copy = kstrdup(text, GFP_KERNEL), *rest = copy, *line;
	int rc = 0;

	if (!copy)
		return -ENOMEM;
	mutex_lock(&apuv_ctl_mutex);
	while (!rc && (line = strsep(&rest, "\n")))
		rc = apuv_ctl_line(line);
	mutex_unlock(&apuv_ctl_mutex);
	kfree(copy);
	return rc;
}
EXPORT_SYMBOL_GPL(apuv_command);

static ssize_t apuv_ctl_write(struct file *file, const char __user *from, size_t count,
			      loff_t *pos)
{
	char *text;
	int rc;

	if (count > APUV_CTL_WRITE_MAX)
		return -EINVAL;
	text = memdup_user_nul(from, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	rc = apuv_command(text);
	kfree(text);
	return rc ?: count;
}

static int apuv_ctl_show(struct seq_file *m, void *v)
{
	unsigned long counts[APUV_STATES];
	unsigned int n;

	apuv_page_count(counts);
	seq_printf(m, "handles: %u\nsecure: %lu\nshared: %lu\npinned: %lu\nsecure-stores: %llu\n",
		   apuv_conf_handles(), counts[APUV_SECURE], counts[APUV_SHARED],
		   counts[APUV_PINNED], apuv_secure_stores());
	for (n = 0; n < ARRAY_SIZE(apuv_features); n++)
		seq_printf(m, "feature %s %s\n", apuv_features[n].name,
			   str_on_off(uv_has_feature(apuv_features[n].bit)));
	apuv_conf_show(m);
	apuv_log_show_counts(m);
	return 0;
}

static int apuv_ctl_open(struct inode *inode, struct file *file)
{
	return single_open(file, apuv_ctl_show, NULL);
}

static const struct file_operations apuv_ctl_fops = {
	.owner = THIS_MODULE,
	.open = apuv_ctl_open,
	.read = seq_read,
	.write = apuv_ctl_write,
	.llseek = seq_lseek,
	.release = single_release,
};

static const struct file_operations apuv_log_fops = {
	.owner = THIS_MODULE,
	.open = apuv_log_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

/**
 * apuv_ctl_init() - make the files
 *
 * Context: Process context.
 */
void apuv_ctl_init(void)
{
	apuv_dir = debugfs_create_dir("apuv", NULL);
	debugfs_create_file("ctl", 0600, apuv_dir, NULL, &apuv_ctl_fops);
	debugfs_create_file("log", 0600, apuv_dir, NULL, &apuv_log_fops);
}

/**
 * apuv_ctl_exit() - remove them
 *
 * Context: Process context.
 */
void apuv_ctl_exit(void)
{
	debugfs_remove(apuv_dir);
}
