/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_device_show.c -- device show: all that is known of one device. */
#include <inttypes.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/attempts.h"
#include "ctl/ctl.h"
#include "ctl/device.h"
#include "ctl/format.h"
#include "ctl/identity.h"
#include "ctl/reach.h"
#include "ctl/view.h"

#define LAST_ATTEMPTS 5

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
	json_object_set_new(answer, "revoked", device_revoked_json(v, s));
	json_object_set_new(answer, "operator", device_operator_json(s));
	json_object_set_new(answer, "check_text", device_check_json(v, d));
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
	device_print_station(c, v, d);
	device_print_certificates(c, v, d);
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
