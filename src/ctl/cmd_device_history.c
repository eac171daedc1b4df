/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_device_history.c -- device history: what became of a device, when and by
 * whom; and since when each of its addresses was seen, as far as the evidence
 * can be read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "ctl/answer.h"
#include "ctl/attempts.h"
#include "ctl/ctl.h"
#include "ctl/events.h"
#include "ctl/format.h"
#include "ctl/view.h"
#include "ctl/who.h"

#define ADDRESSES_MAX 256	/* of one device: who uses more is a router or lies */

/* An address that the evidence has of the device. */
struct seen {
	int64_t at;
	struct addr address;
	struct mac mac;
	bool has_mac;
	bool claimed;		/* the device is only who the packet said it was */
	char interface[IF_NAMESIZE];
};

struct seen_list {
	struct seen list[ADDRESSES_MAX];
	size_t n;
	uint32_t more;
	bool known;		/* the evidence could be read */
};

static bool
is_same(const struct seen *s, const struct attempt *a)
{
	return addr_cmp(&s->address, &a->source) == 0 && s->has_mac == (a->has_mac != 0) &&
	    (!s->has_mac || memcmp(&s->mac, &a->mac, sizeof(s->mac)) == 0);
}

static int
take(void *arg, const struct attempt *a)
{
	struct seen_list *l = arg;
	size_t i;

	/* What comes from outside has another one's address as its source. */
	if (a->source.family == 0 || a->reason == REASON_INBOUND)
		return 0;
	for (i = 0; i < l->n; i++)
		if (is_same(&l->list[i], a)) {
			if (a->first_ms < l->list[i].at)
				l->list[i].at = a->first_ms;
			l->list[i].claimed &= a->identity != IDENTITY_PROVED;
			return 0;
		}
	if (l->n == ADDRESSES_MAX) {
		l->more++;
		return 0;
	}
	l->list[l->n] = (struct seen){ .at = a->first_ms, .address = a->source, .mac = a->mac,
		.has_mac = a->has_mac != 0, .claimed = a->identity != IDENTITY_PROVED };
	memcpy(l->list[l->n++].interface, a->interface, sizeof(a->interface));
	return 0;
}

static int
by_time(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/* Without the evidence the rest is shown all the same. */
static void
find_addresses(struct ctl *c, const struct image_device *d, struct seen_list *out)
{
	struct evidence_filter f = { .device = d->number };
	struct evidence *store;
	bool json = c->json;
	int rc;

	memset(out, 0, sizeof(*out));
	c->json = false;	/* what is said of the store is no answer */
	rc = attempts_open(c, &store);
	c->json = json;
	if (rc != 0)
		return;
	out->known = evidence_query_attempts(store, &f, take, out) == 0;
	evidence_close(store);
	qsort(out->list, out->n, sizeof(out->list[0]), by_time);
}

/* ---- one after the other, by time --------------------------------------- */

struct merge {
	const struct events *events;
	const struct seen_list *seen;
	size_t event, address;
};

/* True: *e is the next; false: *s is, or both are NULL at the end. */
static bool
merge_next(struct merge *m, const struct device_event **e, const struct seen **s)
{
	*e = m->event < m->events->n ? &m->events->list[m->event] : NULL;
	*s = m->address < m->seen->n ? &m->seen->list[m->address] : NULL;
	if (*e != NULL && (*s == NULL || (*e)->at <= (*s)->at)) {
		m->event++;
		return true;
	}
	m->address += *s != NULL;
	*e = NULL;
	return false;
}

static json_t *
seen_json(const struct seen *s)
{
	char addr[ADDR_STRLEN], mac[MAC_STRLEN];

	return json_pack("{s:o, s:s, s:s, s:s?, s:o, s:b, s:n}", "at", answer_time(s->at), "what", "address-seen",
	    "address", addr_format(&s->address, addr), "mac", s->has_mac ? mac_format(&s->mac, mac) : NULL,
	    "interface", s->interface[0] != '\0' ? answer_text(s->interface) : json_null(), "claimed", s->claimed, "who");
}

static int
show_json(struct ctl *c, const struct view *v, const struct image_device *d, struct merge *m)
{
	const struct device_event *e;
	const struct seen *s;
	json_t *list = json_array();

	while (merge_next(m, &e, &s) || s != NULL)
		json_array_append_new(list, e != NULL ? event_json(v, e) : seen_json(s));
	return ctl_json(c, EXIT_DONE, json_pack("{s:o, s:o, s:i, s:b, s:i}", "device",
	    answer_text(image_text(&v->image, d->name)), "history", list, "damaged", (int)m->events->damaged,
	    "addresses_known", m->seen->known, "addresses_not_kept", (int)m->seen->more));
}

static void
seen_row(struct table *t, const struct seen *s)
{
	char addr[ADDR_STRLEN], mac[MAC_STRLEN], time[TIME_STRLEN];

	table_cell(t, format_time(s->at, time));
	table_cell(t, "address-seen");
	table_cell(t, "-");
	table_cellf(t, "%s%s%s%s%s%s", addr_format(&s->address, addr), s->has_mac ? " from " : "",
	    s->has_mac ? mac_format(&s->mac, mac) : "", s->interface[0] != '\0' ? " on " : "", s->interface,
	    s->claimed ? " (claimed)" : "");
}

static int
show_table(struct ctl *c, const struct view *v, struct merge *m)
{
	static const char *const heads[] = { "WHEN (UTC)", "WHAT", "WHO", "DETAIL", NULL };
	char time[TIME_STRLEN], who[WHO_STRLEN], text[EVENT_STRLEN];
	const struct device_event *e;
	const struct seen *s;
	struct table t;

	table_init(&t, heads);
	while (merge_next(m, &e, &s) || s != NULL) {
		if (e == NULL) {
			seen_row(&t, s);
			continue;
		}
		table_cell(&t, format_time(e->at, time));
		table_cell(&t, event_word(e->what));
		table_cell(&t, who_text(&e->who, who));
		table_cell(&t, event_text(v, e, text));
	}
	if (table_rows(&t) == 0)
		fprintf(c->out, "nothing is known to have happened to it\n");
	else
		table_print(&t, true, c->out);
	table_done(&t);
	if (m->events->damaged != 0)
		fprintf(c->err, "cordonctl: %u damaged record(s) were passed over\n", (unsigned)m->events->damaged);
	if (!m->seen->known)
		fprintf(c->err, "cordonctl: without the evidence it is not known which addresses were seen\n");
	return EXIT_DONE;
}

static int
history(struct ctl *c, struct client *cl, struct view *v)
{
	int exit = EXIT_MISTAKES, rc;
	const struct image_device *d = view_device(c, v, c->args->words[0], &exit);
	struct seen_list *seen;
	struct events events;
	struct merge m;

	if (d == NULL)
		return exit;
	if ((rc = events_ask(cl, d->number, &events)) < 0)
		return client_fail(c, rc, "history");
	if ((seen = malloc(sizeof(*seen))) == NULL) {
		events_done(&events);
		return ctl_fail(c, EXIT_MISTAKES, "no memory");
	}
	find_addresses(c, d, seen);
	m = (struct merge){ .events = &events, .seen = seen };
	rc = c->json ? show_json(c, v, d, &m) : show_table(c, v, &m);
	free(seen);
	events_done(&events);
	return rc;
}

int
cmd_device_history(struct ctl *c)
{
	return view_with(c, history);
}
