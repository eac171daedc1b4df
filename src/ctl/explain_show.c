/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_show.c -- an explanation in words, and as JSON. */
#include "ctl/explain_show.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "common/addr.h"
#include "common/clock.h"
#include "ctl/answer.h"
#include "ctl/explain_change.h"
#include "ctl/format.h"
#include "ctl/reach.h"

void
path_add(void *arg, const struct trace_step *t)
{
	struct path *p = arg;
	struct path_step *s;

	if (p->n == PATH_STEPS_MAX)
		return;
	s = &p->steps[p->n++];
	*s = (struct path_step){ .kind = t->kind, .depth = t->depth, .chain = t->chain, .mark = t->mark };
	if (t->kind == TRACE_SET || t->kind == TRACE_ADD) {
		s->set = t->expr->set;
		s->negate = t->expr->negate;
		s->found = t->kind == TRACE_SET && t->found != NULL;
		s->key = *t->key;
	}
}

/* ---- words -------------------------------------------------------------- */

bool
answer_allows(const struct answer *a)
{
	return a->explanation->verdict.kind == VERDICT_ACCEPT;
}

static const char *
verdict_word(const struct answer *a)
{
	switch (a->explanation->verdict.kind) {
	case VERDICT_ACCEPT:
		return "allowed";
	case VERDICT_REJECT:
		return "rejected";
	case VERDICT_DROP:
		break;
	}
	return "refused";
}

static const char *
reason_key(enum explain_reason r)
{
	switch (r) {
	case BECAUSE_RULE: return "rule";
	case BECAUSE_SERVICE: return "service";
	case BECAUSE_AUDITED: return "audited";
	case BECAUSE_NO_RULE: return "no-rule";
	case BECAUSE_CLOSED: return "schedule-closed";
	case BECAUSE_NO_SERVICE: return "no-service";
	case BECAUSE_QUARANTINE: return "quarantine";
	case BECAUSE_OTHER_QUARANTINE: return "other-quarantine";
	case BECAUSE_NO_IDENTITY: return "no-identity";
	case BECAUSE_NOT_HELD: return "not-held";
	case BECAUSE_ROUTER: return "router";
	}
	return "?";
}

static const char *
reason_words(const struct answer *a)
{
	switch (a->explanation->reason) {
	case BECAUSE_RULE: return "a rule says so";
	case BECAUSE_SERVICE: return "the appliance's services say so";
	case BECAUSE_AUDITED: return "no rule says so, but the class is in audit mode: it passes, and is recorded";
	case BECAUSE_NO_RULE: return "no rule says so";
	case BECAUSE_CLOSED: return "a rule says so, but its schedule is closed at that time";
	case BECAUSE_NO_SERVICE: return "the appliance offers no such service";
	case BECAUSE_QUARANTINE: return "the device is in quarantine";
	case BECAUSE_OTHER_QUARANTINE: return "the device at the other end is in quarantine";
	case BECAUSE_NO_IDENTITY: return "with such an address it is not known as itself: a stranger's packet";
	case BECAUSE_NOT_HELD: return "it has no declared address of this kind, so nobody can begin a connection to it";
	case BECAUSE_ROUTER: return "it matches nothing of the policy";
	}
	return "?";
}

const char *
answer_asked(const struct answer *a, char buf[ASKED_STRLEN])
{
	const struct question *q = a->question;
	char other[ADDR_STRLEN], service[SERVICE_WORDS_LEN];

	service_words(q->protocol, q->port, service);
	if (q->kind == ASK_APPLIANCE)
		snprintf(buf, ASKED_STRLEN, "the appliance, %s", service);
	else
		snprintf(buf, ASKED_STRLEN, "%s, %s", addr_format(&q->other, other), service);
	return buf;
}

/* One field of a key. */
static void
print_field(enum field f, const uint8_t *v, FILE *out)
{
	struct addr a = { .family = field_info(f)->family };
	char text[ADDR_STRLEN];
	uint32_t number;
	uint16_t port;

	memcpy(&number, v, sizeof(number));
	memcpy(&port, v, sizeof(port));
	if (f == FIELD_ETHER_SADDR) {
		fprintf(out, "%02x:%02x:%02x:%02x:%02x:%02x", v[0], v[1], v[2], v[3], v[4], v[5]);
	} else if (f == FIELD_IIFNAME || f == FIELD_OIFNAME) {
		fprintf(out, "\"%.15s\"", (const char *)v);
	} else if (a.family != 0 && field_info(f)->len >= 4) {
		memcpy(a.bytes, v, field_info(f)->len);
		fputs(addr_format(&a, text), out);
	} else if (f == FIELD_SPORT || f == FIELD_DPORT) {
		fprintf(out, "%u", ntohs(port));
	} else if (field_info(f)->len == 1) {
		fprintf(out, "%u", v[0]);
	} else if (f == FIELD_CLASS) {
		fprintf(out, "%" PRIu32, number);
	} else if (field_info(f)->len == 4) {
		fprintf(out, "%#" PRIx32, number);
	} else {
		fputs("now", out);
	}
}

static void
print_key(const struct element *key, FILE *out)
{
	const struct set_info *info = set_info(key->set.kind);
	size_t at = 0;

	for (int i = 0; i < SET_FIELDS_MAX && info->fields[i] != FIELD_NONE; i++) {
		fputs(i > 0 ? " . " : "", out);
		print_field(info->fields[i], key->key + at, out);
		at += (field_info(info->fields[i])->len + 3U) / 4 * 4;
	}
}

static void
print_step(const struct path_step *s, FILE *out)
{
	char name[SET_NAMELEN > CHAIN_NAMELEN ? SET_NAMELEN : CHAIN_NAMELEN];

	fprintf(out, "  %*s", 2 * s->depth - (s->kind == TRACE_CHAIN ? 2 : 0), "");
	switch (s->kind) {
	case TRACE_CHAIN:
		fprintf(out, "%s\n", chain_name(&s->chain, name));
		return;
	case TRACE_SET:
	case TRACE_ADD:
		print_key(&s->key, out);
		fprintf(out, " %s @%s\n", s->kind == TRACE_ADD ? "is added to" : s->found ? "is in" : "is not in",
		    set_name(&s->set, name));
		return;
	case TRACE_MARK:
		fprintf(out, "mark %#" PRIx32 "\n", s->mark);
		return;
	case TRACE_VERDICT:
		fprintf(out, "the end\n");
		return;
	}
}

static const char *
station_word(const struct explain_place *p)
{
	return p->quarantined ? "quarantined" : p->restricted ? "restricted" :
	    p->class->mode == MODE_AUDIT ? "audited" : "enforced";
}

/* "restricted to the class offline": by whose rules it lives, when they are not its class's. */
#define PLACE_STRLEN 128
static const char *
place_words(const struct answer *a, const struct explain_place *p, char buf[PLACE_STRLEN])
{
	char name[64];

	if (!p->restricted && !(p->quarantined && p->class->number != 0))
		return station_word(p);
	snprintf(buf, PLACE_STRLEN, "%s%s%s", station_word(p), p->restricted ? " to the class " : ", with the list ",
	    format_text(image_text(a->image, p->class->name), name, sizeof(name)));
	return buf;
}

static void
print_rules(const struct answer *a, FILE *out)
{
	const struct explanation *e = a->explanation;
	char where[WHERE_STRLEN], name[64];

	for (size_t i = 0; i < e->n_rules && i < EXPLAIN_RULES_MAX; i++)
		fprintf(out, "  %s %s, class %s%s\n", i == 0 ? "by  " : "also",
		    reach_where(a->image, &e->rules[i].rule->where, where),
		    format_text(image_text(a->image, e->rules[i].class->name), name, sizeof(name)),
		    e->rules[i].open ? "" : " (closed at that time)");
	if (e->n_rules > EXPLAIN_RULES_MAX)
		fprintf(out, "  and %zu more\n", e->n_rules - EXPLAIN_RULES_MAX);
	if (e->reason == BECAUSE_SERVICE)
		fprintf(out, "  by   %s\n", reach_where(a->image, &a->image->appliance->where, where));
}

void
answer_show(const struct answer *a, FILE *out)
{
	const struct question *q = a->question;
	const struct explanation *e = a->explanation;
	char asked[ASKED_STRLEN], name[64], when[RFC3339_STRLEN], change[CHANGE_STRLEN], place[PLACE_STRLEN];

	format_text(image_text(a->image, q->device->name), name, sizeof(name));
	fprintf(out, "%s %s %s: %s\n", name, q->kind == ASK_IN ? "from" : "to", answer_asked(a, asked),
	    verdict_word(a));
	fprintf(out, "  %s\n", reason_words(a));
	print_rules(a, out);
	if (e->other != NULL)
		fprintf(out, "  the other end is the device %s, %s\n",
		    format_text(image_text(a->image, e->other->name), name, sizeof(name)),
		    place_words(a, &e->other_place, place));
	fprintf(out, "  %s; the device is %s%s; at %s\n", a->policy, place_words(a, &e->place, place),
	    a->stations_known ? "" : " (assumed: this policy does not run)", clock_format(q->time_s * 1000, when));
	if (change_words(a, change) != NULL)
		fprintf(out, "\n%s\n", change);
	fprintf(out, "\nthe way of its first packet:\n");
	for (size_t i = 0; i < a->path->n; i++)
		print_step(&a->path->steps[i], out);
}

/* ---- JSON --------------------------------------------------------------- */

static json_t *
rules_json(const struct answer *a)
{
	const struct explanation *e = a->explanation;
	json_t *list = json_array();

	for (size_t i = 0; i < e->n_rules && i < EXPLAIN_RULES_MAX; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:b}", "class",
		    answer_text(image_text(a->image, e->rules[i].class->name)),
		    "where", reach_where_json(a->image, &e->rules[i].rule->where), "open", e->rules[i].open));
	return list;
}

static json_t *
step_json(const struct path_step *s)
{
	char chain[CHAIN_NAMELEN], set[SET_NAMELEN];

	chain_name(&s->chain, chain);
	switch (s->kind) {
	case TRACE_CHAIN:
		return json_pack("{s:s, s:i}", "enter", chain, "depth", s->depth);
	case TRACE_SET:
		return json_pack("{s:s, s:s, s:b}", "chain", chain, "set", set_name(&s->set, set), "found", s->found);
	case TRACE_ADD:
		return json_pack("{s:s, s:s}", "chain", chain, "add", set_name(&s->set, set));
	case TRACE_MARK:
		return json_pack("{s:s, s:I}", "chain", chain, "mark", (json_int_t)s->mark);
	case TRACE_VERDICT:
		return json_pack("{s:s, s:b}", "chain", chain, "end", 1);
	}
	return NULL;
}

static json_t *
path_json(const struct path *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(list, step_json(&p->steps[i]));
	return list;
}

json_t *
answer_object(const struct answer *a)
{
	const struct question *q = a->question;
	const struct explanation *e = a->explanation;
	char other[ADDR_STRLEN], change[CHANGE_STRLEN], service[SERVICE_WORDS_LEN];
	const struct image_class *class = image_class(a->image, q->device->class_number);

	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:s, s:b, s:o, s:s, s:o?, s:o?, s:s, s:o, s:s, s:o, s:s?, s:o}",
	    "verdict", verdict_word(a), "reason", reason_key(e->reason),
	    "recorded", (e->verdict.logged & 1U << LOG_REFUSED) != 0,
	    "device", answer_text(image_text(a->image, q->device->name)),
	    "class", class != NULL ? answer_text(image_text(a->image, class->name)) : json_null(),
	    "station", station_word(&e->place), "station_known", a->stations_known,
	    "stands_in", answer_text(image_text(a->image, e->place.class->name)),
	    "direction", q->kind == ASK_IN ? "in" : "out",
	    "other", q->kind == ASK_APPLIANCE ? json_string("appliance") : json_string(addr_format(&q->other, other)),
	    "other_device", e->other != NULL ? answer_text(image_text(a->image, e->other->name)) : NULL,
	    "service", service_words(q->protocol, q->port, service), "at", answer_time(q->time_s * 1000),
	    "policy", a->policy, "rules", rules_json(a), "change", change_words(a, change),
	    "path", path_json(a->path));
}
