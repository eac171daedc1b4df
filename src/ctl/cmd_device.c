/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_device.c -- device list: who is there and where everybody stands. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "ctl/answer.h"
#include "ctl/chosen.h"
#include "ctl/ctl.h"
#include "ctl/device.h"
#include "ctl/format.h"
#include "ctl/identity.h"
#include "ctl/reach.h"
#include "ctl/view.h"

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
	for (where = STATION_ENFORCED; where <= STATION_RESTRICTED; where++)
		if (strcmp(word_station(where), station) == 0)
			w->where = where;
	return w->where != STATION_UNKNOWN ? 0 :
	    ctl_fail(c, EXIT_USAGE, "--station %s: one of: enforced, audited, restricted, quarantined", station);
}

static bool
is_wanted(const struct wanted *w, const struct view *v, const struct image_device *d)
{
	const char *label;
	unsigned i;

	if ((w->class != NULL && d->class_number != w->class->number) ||
	    (w->where != STATION_UNKNOWN && view_state(v, d)->where != w->where) ||
	    (args_has(w->args, OPT_PENDING) && view_state(v, d)->pending == 0))
		return false;
	for (i = 0; (label = args_nth(w->args, OPT_LABEL, i)) != NULL; i++)
		if (!chosen_has_label(&v->image, d, label))
			return false;
	return true;
}

static void
device_row(struct table *t, const struct view *v, const struct image_device *d)
{
	const struct snapshot_device *s = view_state(v, d);
	const struct image *im = &v->image;
	char text[RANGE_STRLEN], mac[IDENTITY_MACLEN], list[256] = "", cause[2][CAUSE_STRLEN];
	char n[COUNT_STRLEN];
	size_t at = 0;
	uint32_t i;

	for (i = 0; i < d->addresses.n && at < sizeof(list); i++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i > 0 ? " " : "",
		    identity_address(&im->addresses[d->addresses.first + i], text));
	table_cell(t, image_text(im, d->name));
	table_cell(t, view_class_name(v, d->class_number));
	table_cell(t, word_station(s->where));
	table_cellf(t, "%s%s%s%s", s->cause != 0 || s->pending == 0 ? word_cause(s->cause, cause[0]) : "",
	    s->cause != 0 && s->pending != 0 ? "; " : "", s->pending != 0 ? "pending: " : "",
	    s->pending != 0 ? word_cause(s->pending, cause[1]) : "");
	table_cell(t, word_check(s->check));
	table_cell(t, identity_mac(d, mac));
	table_cell(t, list[0] != '\0' ? list : "any");
	table_cell(t, d->interface != 0 ? image_text(im, d->interface) : "any");
	table_cell(t, format_count(s->refused_packets, n));
}

static int
list(struct ctl *c, struct client *cl, struct view *v)
{
	static const char *const heads[] = { "DEVICE", "CLASS", "STATION", "CAUSE", "CHECKED", "MAC", "ADDRESSES",
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
