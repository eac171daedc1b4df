/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_class.c -- device classes: a name, a mode, what they may reach and who may
 * reach them. What a class takes from those it extends is the compiler's affair. */
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"
#include "proto/limits.h"

/* ---- lists of rules ----------------------------------------------------- */

static void
read_rules(struct reader *r, const config_setting_t *s, bool inbound, struct rule **rules, size_t *n)
{
	unsigned i, k;

	if (config_setting_is_group(s)) {
		read_rule(r, s, inbound, rules, n);
		return;
	}
	k = (unsigned)config_setting_length(s);
	for (i = 0; i < k && r->error == 0; i++)
		read_rule(r, config_setting_get_elem(s, i), inbound, rules, n);
}

/* Something that holds rules; an empty array is as good as an empty list. */
static bool
is_rules(const config_setting_t *s)
{
	return config_setting_is_group(s) || config_setting_is_list(s) ||
	    (config_setting_is_array(s) && config_setting_length(s) == 0);
}

void
read_allow(struct reader *r, const config_setting_t *s, struct rule **rules, size_t *n)
{
	if (config_setting_type(s) == CONFIG_TYPE_STRING) {
		if (strcmp(config_setting_get_string(s), "nothing") != 0)
			mistake(r, line_of(s), "allow = \"%.64s\": a list of rules is expected, or \"nothing\"",
			    config_setting_get_string(s));
		return;
	}
	if (!is_rules(s))
		mistake(r, line_of(s), "`allow' is %s: a list of rules is expected, as in "
		    "allow = ( { to = \"192.0.2.80\"; tcp = 443; } )", type_name(s));
	else if (config_setting_length(s) == 0 && !config_setting_is_group(s))
		mistake(r, line_of(s), "the allow list is empty: name what may be reached, or write "
		    "allow = \"nothing\" when that is meant");
	else
		read_rules(r, s, false, rules, n);
}

/* ---- classes ------------------------------------------------------------ */

static void
key_name(struct reader *r, const config_setting_t *s, void *target)
{
	struct class_decl *c = target;

	want_name(r, s, "class", "temperature-sensor", &c->name);
}

static void
key_mode(struct reader *r, const config_setting_t *s, void *target)
{
	struct class_decl *c = target;
	const char *word = want_string(r, s, "enforce");

	c->keys |= CLASS_MODE;
	if (word == NULL)
		return;
	if (strcmp(word, "audit") == 0)
		c->mode = MODE_AUDIT;
	else if (strcmp(word, "enforce") != 0)
		mistake(r, line_of(s), "mode = \"%.64s\": \"enforce\" or \"audit\" is possible", word);
}

static void
key_refuse(struct reader *r, const config_setting_t *s, void *target)
{
	struct class_decl *c = target;
	const char *word = want_string(r, s, "drop");

	c->keys |= CLASS_REFUSE;
	if (word == NULL)
		return;
	if (strcmp(word, "reject") == 0)
		c->refuse = REFUSE_REJECT;
	else if (strcmp(word, "drop") != 0)
		mistake(r, line_of(s), "refuse = \"%.64s\": \"drop\" or \"reject\" is possible", word);
}

static void
key_allow(struct reader *r, const config_setting_t *s, void *target)
{
	struct class_decl *c = target;

	c->keys |= CLASS_ALLOW;
	read_allow(r, s, &c->rules, &c->n_rules);
}

static void
key_inbound(struct reader *r, const config_setting_t *s, void *target)
{
	struct class_decl *c = target;

	if (!is_rules(s))
		mistake(r, line_of(s), "`inbound' is %s: a list of rules is expected, as in "
		    "inbound = ( { from = \"192.0.2.4\"; tcp = 554; } )", type_name(s));
	else if (config_setting_length(s) == 0 && !config_setting_is_group(s))
		mistake(r, line_of(s), "the inbound list is empty: say who may reach these devices, or leave the key out");
	else
		read_rules(r, s, true, &c->inbound, &c->n_inbound);
}

static void
key_remedy(struct reader *r, const config_setting_t *s, void *target)
{
	struct class_decl *c = target;

	c->keys |= CLASS_REMEDY;
	if (!is_rules(s))
		mistake(r, line_of(s), "`quarantine' is %s: a list of rules is expected, as in "
		    "quarantine = ( { to = \"192.0.2.80\"; tcp = 443; } )", type_name(s));
	else if (config_setting_length(s) == 0 && !config_setting_is_group(s))
		mistake(r, line_of(s), "the quarantine list is empty: say what these devices may still reach in "
		    "quarantine beside what all may, or leave the key out");
	else
		read_rules(r, s, false, &c->quarantine, &c->n_quarantine);
}

/* ---- extends ------------------------------------------------------------ */

static void
add_extended(struct reader *r, const config_setting_t *s, void *target)
{
	struct class_decl *c = target;
	char **slot, *name = NULL;
	size_t i;

	if (!want_name(r, s, "class", "base", &name)) {
		free(name);
		return;
	}
	for (i = 0; i < c->n_extends; i++)
		if (strcmp(c->extends[i], name) == 0)
			mistake(r, line_of(s), "class \"%s\" is extended twice: once is enough", name);
	if ((slot = reader_grow(r, &c->extends, c->n_extends, sizeof(*slot))) == NULL) {
		free(name);
		return;
	}
	*slot = name;
	c->n_extends++;
}

static void
key_extends(struct reader *r, const config_setting_t *s, void *target)
{
	if (config_setting_is_aggregate(s) && config_setting_length(s) > (int)LIMIT_EXTENDS)
		mistake(r, line_of(s), "a class that extends %d others: at most %u", config_setting_length(s),
		    LIMIT_EXTENDS);
	else
		each_value(r, s, add_extended, target);
}

/* ---- rate --------------------------------------------------------------- */

static void
key_per_second(struct reader *r, const config_setting_t *s, void *target)
{
	struct class_decl *c = target;
	long long n;

	if (want_number(r, s, 1, LIMIT_RATE, &n))
		c->rate = (uint32_t)n;
}

static void
key_burst(struct reader *r, const config_setting_t *s, void *target)
{
	struct class_decl *c = target;
	long long n;

	if (want_number(r, s, 1, LIMIT_RATE, &n))
		c->rate_burst = (uint32_t)n;
}

/* rate = 10, { per_second = 10; burst = 20; }, or "unlimited" to take away what
 * an extended class says. */
static void
key_rate(struct reader *r, const config_setting_t *s, void *target)
{
	static const struct key keys[] = {
		{ "per_second", key_per_second, KEY_NEEDED },
		{ "burst", key_burst, NULL },
		{ NULL, NULL, NULL }
	};
	struct class_decl *c = target;
	int type = config_setting_type(s);

	c->keys |= CLASS_RATE;
	if (type == CONFIG_TYPE_STRING && strcmp(config_setting_get_string(s), "unlimited") == 0)
		return;
	if (config_setting_is_group(s))
		read_group(r, s, keys, "rate", c);
	else if (type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64)
		key_per_second(r, s, c);
	else
		mistake(r, line_of(s), "`rate' is %s: new connections per second are expected, as in rate = 10, "
		    "rate = { per_second = 10; burst = 20; }, or \"unlimited\"", type_name(s));
	if (c->rate_burst == 0)
		c->rate_burst = c->rate;
}

/* ---- classes ------------------------------------------------------------ */

void
read_class(struct reader *r, const config_setting_t *s)
{
	enum { NAME, ALLOW, INBOUND, EXTENDS, MODE, REFUSE, RATE, REMEDY, KEYS };
	static const struct key keys[KEYS + 1] = {
		[NAME] = { "name", key_name, KEY_NEEDED },
		[ALLOW] = { "allow", key_allow, NULL },
		[INBOUND] = { "inbound", key_inbound, NULL },
		[EXTENDS] = { "extends", key_extends, NULL },
		[MODE] = { "mode", key_mode, NULL },
		[REFUSE] = { "refuse", key_refuse, NULL },
		[RATE] = { "rate", key_rate, NULL },
		[REMEDY] = { "quarantine", key_remedy, NULL },
	};
	struct class_decl c, *slot;

	memset(&c, 0, sizeof(c));
	c.where = reader_where(r, line_of(s));
	if (read_group(r, s, keys, "a class", &c) &&
	    (r->seen & (1U << ALLOW | 1U << INBOUND | 1U << EXTENDS)) == 0)
		mistake(r, line_of(s), "a class has no `allow': name what it may reach, or write "
		    "allow = \"nothing\" when that is meant");
	if (c.name == NULL || (slot = reader_grow(r, &r->p->classes, r->p->n_classes, sizeof(*slot))) == NULL) {
		class_decl_done(&c);
		return;
	}
	*slot = c;
	r->p->n_classes++;
}
