/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_device.c -- device list, show: who is there and where everybody stands. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "ctl/answer.h"
#include "ctl/attempts.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/identity.h"
#include "ctl/reach.h"
#include "ctl/view.h"

#define LAST_ATTEMPTS 5

static json_t *
device_json(const struct view *v, const struct image_device *d)
{
	const struct snapshot_device *s = view_state(v, d);
	const struct image *im = &v->image;
	json_t *labels = json_array();
	char mark[16];
	uint32_t i;

	for (i = 0; i < d->labels.n; i++)
		json_array_append_new(labels, answer_text(image_text(im, im->labels[d->labels.first + i])));
	snprintf(mark, sizeof(mark), "0x%08" PRIx32, s->mark);
	return json_pack("{s:o, s:i, s:o, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:s?, s:o, s:s, s:o, s:o, s:o}",
	    "name", answer_text(image_text(im, d->name)), "number", (int)d->number,
	    "class", answer_text(view_class_name(v, d->class_number)), "station", word_station(s->where),
	    "cause", answer_cause(s->cause), "since", answer_time(s->since), "identity", identity_kind(d),
	    "mac", identity_mac_json(d, IDENTITY_OWN), "via", identity_mac_json(d, IDENTITY_VIA),
	    "addresses", identity_addresses(im, d),
	    "interface", d->interface != 0 ? image_text(im, d->interface) : NULL,
	    "labels", labels, "mark", mark, "refused_packets", answer_count(s->refused_packets),
	    "refused_bytes", answer_count(s->refused_bytes), "where", reach_where_json(im, &d->where));
}

/* ---- list --------------------------------------------------------------- */

struct wanted {
	const struct image_class *class;	/* NULL: any */
	uint32_t where;				/* STATION_UNKNOWN: any */
	const struct args *args;		/* with the labels it has, all of them */
};

static int
parse_wanted(struct ctl *c, const struct view *v, struct wanted *w)
{
	const char *class = args_value(c->args, OPT_CLASS), *station = args_value(c->args, OPT_STATION);
	int exit = EXIT_MISTAKES;
	uint32_t where;

	w->args = c->args;
	w->class = NULL;
	w->where = STATION_UNKNOWN;
	if (class != NULL && (w->class = view_class(c, v, class, &exit)) == NULL)
		return exit;
	if (station == NULL)
		return 0;
	for (where = STATION_ENFORCED; where <= STATION_QUARANTINED; where++)
		if (strcmp(word_station(where), station) == 0)
			w->where = where;
	return w->where != STATION_UNKNOWN ? 0 :
	    ctl_fail(c, EXIT_USAGE, "--station %s: one of: enforced, audited, quarantined", station);
}

static bool
has_label(const struct image *im, const struct image_device *d, const char *label)
{
	uint32_t i;

	for (i = 0; i < d->labels.n; i++)
		if (strcmp(image_text(im, im->labels[d->labels.first + i]), label) == 0)
			return true;
	return false;
}

static bool
is_wanted(const struct wanted *w, const struct view *v, const struct image_device *d)
{
	const char *label;
	unsigned i;

	if ((w->class != NULL && d->class_number != w->class->number) ||
	    (w->where != STATION_UNKNOWN && view_state(v, d)->where != w->where))
		return false;
	for (i = 0; (label = args_nth(w->args, OPT_LABEL, i)) != NULL; i++)
		if (!has_label(&v->image, d, label))
			return false;
	return true;
}

static void
device_row(struct table *t, const struct view *v, const struct image_device *d)
{
	const struct snapshot_device *s = view_state(v, d);
	const struct image *im = &v->image;
	char text[RANGE_STRLEN], mac[IDENTITY_MACLEN], list[256] = "", cause[CAUSE_STRLEN], n[COUNT_STRLEN];
	size_t at = 0;
	uint32_t i;

	for (i = 0; i < d->addresses.n && at < sizeof(list); i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i > 0 ? " " : "",
		    identity_address(&im->addresses[d->addresses.first + i], text));
	table_cell(t, image_text(im, d->name));
	table_cell(t, view_class_name(v, d->class_number));
	table_cell(t, word_station(s->where));
	table_cell(t, word_cause(s->cause, cause));
	table_cell(t, identity_mac(d, mac));
	table_cell(t, list[0] != '\0' ? list : "any");
	table_cell(t, d->interface != 0 ? image_text(im, d->interface) : "any");
	table_cell(t, format_count(s->refused_packets, n));
}

static int
list(struct ctl *c, struct client *cl, struct view *v)
{
	static const char *const heads[] = { "DEVICE", "CLASS", "STATION", "CAUSE", "MAC", "ADDRESSES",
		"INTERFACE", ">REFUSED", NULL };
	json_t *devices = json_array();
	struct wanted w;
	struct table t;
	uint32_t i;
	int rc;

	(void)cl;
	if ((rc = parse_wanted(c, v, &w)) != 0) {
		json_decref(devices);
		return rc;
	}
	table_init(&t, heads);
	for (i = 0; i < v->image.n[IMAGE_DEVICES]; i++) {
		const struct image_device *d = &v->image.devices[v->image.by_name[i]];

		if (!is_wanted(&w, v, d))
			continue;
		if (c->json)
			json_array_append_new(devices, device_json(v, d));
		else
			device_row(&t, v, d);
	}
	if (c->json)
		rc = ctl_json(c, EXIT_DONE, json_pack("{s:o, s:O}", "revision", answer_count(v->revision),
		    "devices", devices));
	else if (table_rows(&t) == 0 && !t.failed)
		rc = fprintf(c->out, "no devices%s\n", v->image.n[IMAGE_DEVICES] > 0 ? " that match" : "") < 0;
	else
		rc = table_print(&t, true, c->out) == 0 ? EXIT_DONE : ctl_fail(c, EXIT_MISTAKES, "no memory");
	table_done(&t);
	json_decref(devices);
	return rc;
}

int
cmd_device_list(struct ctl *c)
{
	return view_with(c, list);
}

/* ---- show --------------------------------------------------------------- */

static json_t *
certificates_json(const struct view *v, const struct image_device *d)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < d->certificates.n; i++) {
		const struct image_certificate *cert = &v->image.certificates[d->certificates.first + i];
		char serial[2 * sizeof(cert->serial) + 1];

		json_array_append_new(list, json_pack("{s:o, s:s, s:b}", "authority",
		    answer_text(view_authority_name(v, cert->authority)), "serial",
		    format_hex(cert->serial, cert->serial_len, serial), "clean_can_be_told", cert->chain_len > 0));
	}
	return list;
}

static json_t *
revoked_json(const struct view *v, const struct snapshot_device *s)
{
	if ((s->cause & CAUSE_REVOKED) == 0)
		return json_null();
	return json_pack("{s:o, s:s, s:o}", "authority", answer_text(view_authority_name(v, s->authority)),
	    "reason", word_crl_reason(s->crl_reason), "at", answer_time(s->revoked_at));
}

struct last {
	json_t *list;
	struct table *table;
};

static int
take_last(void *arg, const struct attempt *a)
{
	struct last *l = arg;

	if (l->list != NULL)
		json_array_append_new(l->list, attempts_json(a));
	else
		attempts_row(l->table, a);
	return 0;
}

/* The newest attempts; without them the rest is shown all the same. */
static int
query_last(struct ctl *c, const struct image_device *d, struct last *l)
{
	struct evidence_filter f = { .device = d->number, .limit = LAST_ATTEMPTS };
	struct evidence *store;
	bool json = c->json;
	int rc;

	attempts_flush(c);
	c->json = false;	/* what is said of the store is no answer */
	rc = attempts_open(c, &store);
	c->json = json;
	if (rc != 0)
		return rc;
	rc = evidence_query_attempts(store, &f, take_last, l);
	evidence_close(store);
	return rc;
}

static int
show_json(struct ctl *c, const struct view *v, const struct image_device *d)
{
	const struct snapshot_device *s = view_state(v, d);
	const struct image_class *class = image_class(&v->image, d->class_number);
	struct last last = { .list = json_array() };
	json_t *answer = device_json(v, d);

	json_object_set_new(answer, "identity_worth", json_string(identity_worth(&v->image, d)));
	json_object_set_new(answer, "allow", reach_json(&v->image, class, REACH_OUT));
	json_object_set_new(answer, "inbound", reach_json(&v->image, class, REACH_IN));
	json_object_set_new(answer, "schedules", reach_schedules_json(&v->image, class, v->head->taken_at));
	json_object_set_new(answer, "certificates", certificates_json(v, d));
	json_object_set_new(answer, "revoked", revoked_json(v, s));
	json_object_set_new(answer, "words", s->words[0] != '\0' ? answer_text(s->words) : json_null());
	json_object_set_new(answer, "revision", answer_count(v->revision));
	if (query_last(c, d, &last) == 0) {
		json_object_set_new(answer, "last_attempts", last.list);
	} else {
		json_decref(last.list);
		json_object_set_new(answer, "last_attempts", json_null());
	}
	return ctl_json(c, EXIT_DONE, answer);
}

static void
print_identity(struct ctl *c, const struct view *v, const struct image_device *d)
{
	const struct image *im = &v->image;
	char text[WHERE_STRLEN];
	uint32_t i;

	fprintf(c->out, "device       %s (number %" PRIu32 "), declared in %s\n", image_text(im, d->name), d->number,
	    reach_where(im, &d->where, text));
	identity_print(im, d, c->out);
	if (d->labels.n > 0)
		fputs("labels       ", c->out);
	for (i = 0; i < d->labels.n; i++)
		fprintf(c->out, "%s%s", format_text(image_text(im, im->labels[d->labels.first + i]), text,
		    sizeof(text)), i + 1 < d->labels.n ? ", " : "\n");
}

static void
print_station(struct ctl *c, const struct view *v, const struct snapshot_device *s)
{
	char cause[CAUSE_STRLEN], time[TIME_STRLEN], words[4 * sizeof(s->words)], n[2][COUNT_STRLEN];

	fprintf(c->out, "station      %s%s%s%s%s\n", word_station(s->where), s->cause != 0 ? ", because: " : "",
	    s->cause != 0 ? word_cause(s->cause, cause) : "", s->since != 0 ? ", since " : "",
	    s->since != 0 ? format_time(s->since, time) : "");
	if (s->cause & CAUSE_REVOKED)
		fprintf(c->out, "revoked      by %s: %s, at %s UTC\n", view_authority_name(v, s->authority),
		    word_crl_reason(s->crl_reason), format_time(s->revoked_at, time));
	if (s->words[0] != '\0')
		fprintf(c->out, "operator     \"%s\"\n", format_text(s->words, words, sizeof(words)));
	fprintf(c->out, "mark         0x%08" PRIx32 "\n", s->mark);
	fprintf(c->out, "refused      %s packets, %s bytes since the rules were loaded\n",
	    format_count(s->refused_packets, n[0]), format_count(s->refused_bytes, n[1]));
}

static void
print_certificates(struct ctl *c, const struct view *v, const struct image_device *d)
{
	uint32_t i;

	if (d->certificates.n == 0)
		fprintf(c->out, "certificate  none declared: it cannot be revoked\n");
	for (i = 0; i < d->certificates.n; i++) {
		const struct image_certificate *cert = &v->image.certificates[d->certificates.first + i];
		char serial[2 * sizeof(cert->serial) + 1];

		fprintf(c->out, "certificate  serial %s of %s%s\n", format_hex(cert->serial, cert->serial_len, serial),
		    view_authority_name(v, cert->authority), cert->chain_len > 0 ? "" :
		    "; only its serial is known: \"revoked\" can be told, \"clean\" cannot");
	}
}

/* A checked image has the class. */
static void
print_class(struct ctl *c, const struct view *v, const struct image_device *d)
{
	const struct image_class *class = image_class(&v->image, d->class_number);

	fprintf(c->out, "class        %s; it may reach%s:\n", view_class_name(v, d->class_number),
	    view_state(v, d)->where == STATION_QUARANTINED ? " when it is not in quarantine" : "");
	reach_print(&v->image, class, REACH_OUT, "  ", c->out);
	fputs("may be reached from:\n", c->out);
	reach_print(&v->image, class, REACH_IN, "  ", c->out);
	reach_print_schedules(&v->image, class, v->head->taken_at, "schedule ", c->out);
}

static int
show(struct ctl *c, struct client *cl, struct view *v)
{
	int exit = EXIT_MISTAKES;
	const struct image_device *d = view_device(c, v, c->args->words[0], &exit);
	struct table t;
	struct last last = { .table = &t };

	(void)cl;
	if (d == NULL)
		return exit;
	if (c->json)
		return show_json(c, v, d);
	print_identity(c, v, d);
	print_station(c, v, view_state(v, d));
	print_certificates(c, v, d);
	print_class(c, v, d);
	attempts_table(&t);
	if (query_last(c, d, &last) == 0 && table_rows(&t) > 0) {
		fprintf(c->out, "last attempts:\n");
		table_print(&t, true, c->out);
	}
	table_done(&t);
	return EXIT_DONE;
}

int
cmd_device_show(struct ctl *c)
{
	return view_with(c, show);
}
