/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_discover.c -- device discover: what is on the device interfaces and in no
 * inventory. Strangers chose most of what stands here. */
#include <net/if.h>
#include <string.h>

#include "common/clock.h"
#include "ctl/answer.h"
#include "ctl/attempts.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/fragment.h"
#include "ctl/neighbours.h"
#include "ctl/unknown.h"
#include "ctl/view.h"

#define MAKER_SHOWN 28	/* characters of a maker's name in the table */

struct discovery {
	struct unknown_list unknown;
	struct sighting_sums sums;
	struct clock_view now;
	int rc;
};

/* ---- sources ------------------------------------------------------------ */

static int
take_sighting(void *arg, const struct sighting *s)
{
	struct discovery *d = arg;

	return d->rc = unknown_add(&d->unknown, s, false);
}

static void
take_neighbour(void *arg, const struct neighbour *n)
{
	struct discovery *d = arg;
	struct sighting s = { .mac = n->mac, .n_addresses = 1, .addresses = { n->address } };

	if (d->rc < 0 || if_indextoname(n->interface, s.interface) == NULL)
		return;
	s.last_ms = d->now.wall_ms - n->age_ms;
	d->rc = unknown_add(&d->unknown, &s, true);
}

static int
read_evidence(struct ctl *c, struct discovery *d)
{
	struct evidence *store;
	int rc;

	attempts_flush(c);
	if ((rc = attempts_open(c, &store)) != 0)
		return rc;
	rc = evidence_query_sightings(store, 0, take_sighting, d);
	if (rc == 0)
		rc = evidence_sighting_sums(store, &d->sums);
	if (rc < 0)
		rc = ctl_fail(c, EXIT_MISTAKES, "the evidence cannot be read: %s", d->rc < 0 ? "no memory" :
		    evidence_error(store));
	evidence_close(store);
	return rc;
}

/* ---- answers ------------------------------------------------------------ */

static json_t *
text_or_null(const char *text)
{
	return text == NULL || text[0] == '\0' ? json_null() : answer_text(text);
}

static json_t *
unknown_json(const struct unknown_list *l, const struct unknown *u)
{
	const struct sighting *s = &u->s;
	json_t *addresses = json_array();
	char mac[MAC_STRLEN], addr[ADDR_STRLEN];

	for (unsigned i = 0; i < s->n_addresses; i++)
		json_array_append_new(addresses, json_string(addr_format(&s->addresses[i], addr)));
	mac_format(&s->mac, mac);
	return json_pack("{s:s, s:s%, s:o, s:b, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}",
	    "mac", mac, "prefix", mac, (size_t)8, "maker", text_or_null(makers_name(&l->makers, &s->mac)),
	    "random_or_virtual", mac_is_local(&s->mac), "interface", answer_text(s->interface),
	    "addresses", addresses, "more_addresses", s->more_addresses,
	    "dhcp_name", text_or_null(s->dhcp_name), "dhcp_vendor_class", text_or_null(s->dhcp_vendor),
	    "dhcp_parameters", text_or_null(s->dhcp_list), "dhcp_client_id", text_or_null(s->dhcp_client),
	    "first", answer_time(s->first_ms), "last", answer_time(s->last_ms),
	    "refused_packets", answer_count(s->packets), "neighbour", u->neighbour);
}

static int
answer_json(struct ctl *c, const struct view *v, const struct discovery *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->unknown.n; i++)
		json_array_append_new(list, unknown_json(&d->unknown, &d->unknown.list[i]));
	return ctl_json(c, EXIT_DONE, json_pack("{s:o, s:o, s:o, s:o}", "revision", answer_count(v->revision),
	    "unknown", list, "not_taken", answer_count(d->sums.not_taken),
	    "pushed_out", answer_count(d->sums.pushed_out)));
}

static void
row(struct table *t, const struct unknown_list *l, const struct unknown *u)
{
	const struct sighting *s = &u->s;
	const char *maker = makers_name(&l->makers, &s->mac);
	char mac[MAC_STRLEN], addr[ADDR_STRLEN], time[TIME_STRLEN], n[COUNT_STRLEN];
	char list[LIMIT_SIGHTING_ADDRESSES * (ADDR_STRLEN + 1) + 8] = "";
	size_t at = 0;

	for (unsigned i = 0; i < s->n_addresses; i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i > 0 ? " " : "",
		    addr_format(&s->addresses[i], addr));
	if (s->more_addresses)
		snprintf(list + at, sizeof(list) - at, " ...");
	table_cell(t, mac_format(&s->mac, mac));
	table_cellf(t, "%.*s", MAKER_SHOWN, maker != NULL ? maker : mac_is_local(&s->mac) ? "random or virtual" : "-");
	table_cell(t, s->interface);
	table_cell(t, list[0] != '\0' ? list : "-");
	table_cell(t, s->dhcp_name[0] != '\0' ? s->dhcp_name : "-");
	table_cell(t, s->dhcp_vendor[0] != '\0' ? s->dhcp_vendor : "-");
	table_cell(t, format_time(s->first_ms, time));
	table_cell(t, format_time(s->last_ms, time));
	table_cell(t, format_count(s->packets, n));
}

static int
answer_table(struct ctl *c, const struct discovery *d)
{
	static const char *const heads[] = { "MAC", "MAKER", "INTERFACE", "ADDRESSES", "DHCP NAME", "DHCP CLASS",
		"FIRST (UTC)", "LAST (UTC)", ">REFUSED", NULL };
	char n[COUNT_STRLEN];
	struct table t;
	int rc;

	if (d->unknown.n == 0) {
		fprintf(c->out, "no unknown devices%s\n", args_has(c->args, OPT_SINCE) ? " since then" : "");
	} else {
		table_init(&t, heads);
		for (size_t i = 0; i < d->unknown.n; i++)
			row(&t, &d->unknown, &d->unknown.list[i]);
		rc = table_print(&t, true, c->out);
		table_done(&t);
		if (rc < 0)
			return ctl_fail(c, EXIT_MISTAKES, "no memory");
	}
	if (d->sums.not_taken > 0)
		fprintf(c->out, "%s times an unknown MAC was not listed: at most %u new ones are taken per interface "
		    "and minute\n", format_count(d->sums.not_taken, n), LIMIT_SIGHTINGS_NEW);
	if (d->sums.pushed_out > 0)
		fprintf(c->out, "%s were listed and gave way to later ones: at most %u are kept\n",
		    format_count(d->sums.pushed_out, n), LIMIT_SIGHTINGS);
	return EXIT_DONE;
}

static int
answer(struct ctl *c, const struct view *v, const struct discovery *d)
{
	const char *as = args_value(c->args, OPT_AS);
	int rc;

	if (as == NULL)
		return c->json ? answer_json(c, v, d) : answer_table(c, d);
	rc = strcmp(as, "csv") == 0 ? fragment_csv(&d->unknown, &v->image, c->out) :
	    fragment_config(&d->unknown, &v->image, d->now.wall_ms, c->out);
	return rc == 0 ? EXIT_DONE : ctl_fail(c, EXIT_MISTAKES, "no memory");
}

static int
discover(struct ctl *c, struct client *cl, struct view *v)
{
	struct discovery d = { .rc = 0 };
	int64_t since = 0;
	int rc;

	(void)cl;
	clock_now(&d.now);
	if ((rc = attempts_since(c, &since)) != 0 || (rc = read_evidence(c, &d)) != 0) {
		unknown_done(&d.unknown);
		return rc;
	}
	if ((rc = neighbours_read(take_neighbour, &d)) < 0)
		fprintf(c->err, "cordonctl: the kernel's neighbours cannot be read: %s\n", strerror(-rc));
	if (d.rc < 0) {
		rc = ctl_fail(c, EXIT_MISTAKES, "no memory");
	} else {
		unknown_settle(&d.unknown, &v->image, since);
		makers_look_up(&d.unknown.makers, MAKERS_FOLDER);
		rc = answer(c, v, &d);
	}
	unknown_done(&d.unknown);
	return rc;
}

int
cmd_device_discover(struct ctl *c)
{
	const char *as = args_value(c->args, OPT_AS);

	if (as != NULL && strcmp(as, "csv") != 0 && strcmp(as, "config") != 0)
		return ctl_fail(c, EXIT_USAGE, "--as %s: csv or config", as);
	if (as != NULL && c->json)
		return ctl_fail(c, EXIT_USAGE, "--as and --json are two answers: leave one out");
	return view_with(c, discover);
}
