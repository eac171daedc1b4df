/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_change.c -- what one would have to write to have it otherwise: a line of
 * configuration, and the place where it goes. It changes nothing. */
#include "ctl/explain_change.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include "common/addr.h"
#include "ctl/answer.h"
#include "ctl/format.h"
#include "ctl/reach.h"
#include "model/words.h"

const char *
service_words(uint8_t protocol, uint16_t port, char buf[SERVICE_WORDS_LEN])
{
	const char *ported = port_protocol_name(protocol), *name = protocol_name(protocol), *type;

	if (ported != NULL) {
		snprintf(buf, SERVICE_WORDS_LEN, "%s %u", ported, port);
	} else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
		type = icmp_type_name(protocol, (uint8_t)port);
		if (type != NULL)
			snprintf(buf, SERVICE_WORDS_LEN, "%s %s", protocol == IPPROTO_ICMP ? "icmp" : "icmpv6", type);
		else
			snprintf(buf, SERVICE_WORDS_LEN, "%s type %u", protocol == IPPROTO_ICMP ? "icmp" : "icmpv6",
			    port);
	} else if (name != NULL) {
		snprintf(buf, SERVICE_WORDS_LEN, "protocol %s", name);
	} else {
		snprintf(buf, SERVICE_WORDS_LEN, "protocol %u", protocol);
	}
	return buf;
}

/* The same as the configuration writes it: `tcp = 8883;'. */
static const char *
service_key(uint8_t protocol, uint16_t port, char buf[SERVICE_WORDS_LEN])
{
	const char *ported = port_protocol_name(protocol), *name = protocol_name(protocol), *type;
	const char *icmp = protocol == IPPROTO_ICMP ? "icmp" : "icmpv6";

	if (ported != NULL) {
		snprintf(buf, SERVICE_WORDS_LEN, "%s = %u;", ported, port);
	} else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
		if ((type = icmp_type_name(protocol, (uint8_t)port)) != NULL)
			snprintf(buf, SERVICE_WORDS_LEN, "%s = \"%s\";", icmp, type);
		else
			snprintf(buf, SERVICE_WORDS_LEN, "%s = %u;", icmp, port);
	} else if (name != NULL) {
		snprintf(buf, SERVICE_WORDS_LEN, "protocol = \"%s\";", name);
	} else {
		snprintf(buf, SERVICE_WORDS_LEN, "protocol = %u;", protocol);
	}
	return buf;
}

/* ---- text that grows in a buffer ----------------------------------------- */

struct words {
	char *buf;
	size_t at;
};

static void __attribute__((format(printf, 2, 3)))
say(struct words *w, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w->buf + w->at, CHANGE_STRLEN - w->at, fmt, ap);
	va_end(ap);
	if (n > 0)
		w->at += (size_t)n < CHANGE_STRLEN - w->at ? (size_t)n : CHANGE_STRLEN - 1 - w->at;
}

static void
say_place(struct words *w, const struct answer *a, const struct image_where *where)
{
	char text[WHERE_STRLEN];

	say(w, "%s", reach_where(a->image, where, text));
}

static const char *
class_text(const struct answer *a, uint32_t number, char buf[64])
{
	const struct image_class *class = image_class(a->image, number);

	return format_text(class != NULL ? image_text(a->image, class->name) : "?", buf, 64);
}

/* { to = "203.0.113.9"; tcp = 8883; } */
static void
say_rule(struct words *w, const struct answer *a, const char *key, const struct image_class *other)
{
	const struct question *q = a->question;
	char service[SERVICE_WORDS_LEN], text[ADDR_STRLEN], class[64];

	if (other != NULL)
		say(w, "{ %s = \"class:%s\"; ", key, class_text(a, other->number, class));
	else
		say(w, "{ %s = \"%s\"; ", key, addr_format(&q->other, text));
	say(w, "%s }\n", service_key(q->protocol, q->port, service));
}

/* ---- for each reason ------------------------------------------------------ */

static void
say_narrow(struct words *w, const struct answer *a)
{
	const struct explanation *e = a->explanation;

	say(w, "to refuse it, take it out of %s:\n", e->n_rules > 1 ? "each of these lines" : "this line");
	for (size_t i = 0; i < e->n_rules && i < EXPLAIN_RULES_MAX; i++) {
		if (!e->rules[i].open)
			continue;
		say(w, "\t");
		say_place(w, a, &e->rules[i].rule->where);
		say(w, "\n");
	}
}

static void
say_allow(struct words *w, const struct answer *a)
{
	const struct question *q = a->question;
	const struct explanation *e = a->explanation;
	/* What comes from a device is the business of the class that begins. */
	bool inbound = q->kind == ASK_IN;
	const struct image_class *class = e->place.class;
	char name[64];

	if (e->place.restricted)
		say(w, "the device is restricted, since no CRL in force speaks about it: cordonctl crl list\n");
	say(w, "to allow it, in `%s' of class %s (", inbound ? "inbound" : "allow",
	    format_text(image_text(a->image, class->name), name, sizeof(name)));
	say_place(w, a, &class->where);
	say(w, "):\n\t");
	say_rule(w, a, inbound ? "from" : "to", e->other_place.class);
}

static void
say_quarantine(struct words *w, const struct answer *a, const struct image_device *d)
{
	const struct image_class *class;
	char name[64], revoked[] = " (for a revoked device, --revoked)";

	say(w, "to let it out of quarantine%s:\n\tcordonctl device release %s\n", revoked,
	    format_text(image_text(a->image, d->name), name, sizeof(name)));
	if (d != a->question->device || a->question->kind != ASK_OUT)
		return;
	say(w, "to have every quarantined device reach it, in `allow' of the appliance's quarantine (");
	say_place(w, a, &a->image->appliance->where);
	say(w, "):\n\t");
	say_rule(w, a, "to", NULL);
	class = image_class(a->image, d->class_number);
	say(w, "to have those of its class reach it, in `quarantine' of class %s (",
	    format_text(image_text(a->image, class->name), name, sizeof(name)));
	say_place(w, a, &class->where);
	say(w, "):\n\t");
	say_rule(w, a, "to", NULL);
}

static void
say_service(struct words *w, const struct answer *a, bool allowed)
{
	char service[SERVICE_WORDS_LEN];

	service_key(a->question->protocol, a->question->port, service);
	say(w, "to %s it, %s `services' of the appliance (", allowed ? "refuse" : "allow",
	    allowed ? "take it out of" : "in");
	say_place(w, a, &a->image->appliance->where);
	say(w, "):\n\t{ %s }\n", service);
}

static void
say_schedule(struct words *w, const struct answer *a)
{
	const struct explain_rule *r = &a->explanation->rules[0];
	const struct image_schedule *s = &a->image->schedules[r->rule->schedule - 1];
	char name[64], when[TIME_STRLEN];
	int64_t next;

	explain_open(a->image, r->rule->schedule, a->question->time_s, &next);
	if (next != 0)
		say(w, "it is open again from %s UTC on\n", format_time(next * 1000, when));
	say(w, "to allow it at any time, take `schedule' out of the rule in ");
	say_place(w, a, &r->rule->where);
	say(w, "\nto allow it at that time, change the schedule %s in ",
	    format_text(image_text(a->image, s->name), name, sizeof(name)));
	say_place(w, a, &s->where);
	say(w, "\n");
}

static void
say_address(struct words *w, const struct answer *a)
{
	char name[64];

	say(w, "to have it known, declare an %s address of %s in ",
	    a->question->family == AF_INET ? "IPv4" : "IPv6",
	    format_text(image_text(a->image, a->question->device->name), name, sizeof(name)));
	say_place(w, a, &a->question->device->where);
	say(w, "\n");
}

static void
say_audit(struct words *w, const struct answer *a)
{
	const struct image_class *class = a->explanation->place.class;
	char name[64];

	say_allow(w, a);
	say(w, "to refuse it, in class %s (", format_text(image_text(a->image, class->name), name, sizeof(name)));
	say_place(w, a, &class->where);
	say(w, "):\n\tmode = \"enforce\";\n");
}

const char *
change_words(const struct answer *a, char buf[CHANGE_STRLEN])
{
	const struct explanation *e = a->explanation;
	struct words w = { buf, 0 };

	buf[0] = '\0';
	switch (e->reason) {
	case BECAUSE_RULE:
		say_narrow(&w, a);
		break;
	case BECAUSE_SERVICE:
	case BECAUSE_NO_SERVICE:
		say_service(&w, a, e->reason == BECAUSE_SERVICE);
		break;
	case BECAUSE_AUDITED:
		say_audit(&w, a);
		break;
	case BECAUSE_NO_RULE:
		say_allow(&w, a);
		break;
	case BECAUSE_CLOSED:
		say_schedule(&w, a);
		break;
	case BECAUSE_QUARANTINE:
		say_quarantine(&w, a, a->question->device);
		break;
	case BECAUSE_OTHER_QUARANTINE:
		say_quarantine(&w, a, e->other != NULL ? e->other : a->question->device);
		break;
	case BECAUSE_NO_IDENTITY:
	case BECAUSE_NOT_HELD:
		say_address(&w, a);
		break;
	case BECAUSE_ROUTER:
		return NULL;
	}
	if (w.at > 0 && buf[w.at - 1] == '\n')
		buf[w.at - 1] = '\0';
	return buf;
}
