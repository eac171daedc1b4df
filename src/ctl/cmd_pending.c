/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_pending.c -- pending list, confirm, dismiss: what waits behind the brake,
 * because it would take more devices at once than a CA should by itself, or one
 * that is critical. A person decides, and says why when it is dismissed. */
#include <inttypes.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/pending.h"
#include "ctl/stand.h"
#include "ctl/view.h"

static bool
is_pending(const struct snapshot_device *s)
{
	return s->pending != 0;
}

/* Why it waits: not what it is accused of, but why that does not take effect. */
const char *
pending_why(const struct image_device *d)
{
	return d->flags & DEVICE_CRITICAL ? "critical" : "brake";
}

json_t *
pending_brake_json(const struct ctl_status *s)
{
	return s->brake_devices == 0 ? json_null() : json_pack("{s:i, s:i, s:i}", "devices", (int)s->brake_devices,
	    "within_seconds", (int)s->brake_within_s, "used", (int)s->brake_used);
}

const char *
pending_brake_text(const struct ctl_status *s, char buf[BRAKE_STRLEN])
{
	char n[2][COUNT_STRLEN];

	if (s->brake_devices == 0)
		snprintf(buf, BRAKE_STRLEN, "no brake");
	else
		snprintf(buf, BRAKE_STRLEN, "the brake allows %s devices within %" PRIu32 " %s, %s of them used",
		    format_count(s->brake_devices, n[0]), s->brake_within_s % 60 == 0 ? s->brake_within_s / 60 :
		    s->brake_within_s, s->brake_within_s % 60 == 0 ? "min" : "s", format_count(s->brake_used, n[1]));
	return buf;
}

/* ---- list --------------------------------------------------------------- */

static json_t *
one_json(const struct view *v, const struct image_device *d)
{
	const struct snapshot_device *s = view_state(v, d);
	char serial[2 * sizeof(s->serial) + 1], number[2 * sizeof(s->crl_number) + 1];

	return json_pack("{s:o, s:o, s:s, s:o, s:s, s:o, s:s, s:s?, s:s?, s:s?, s:o, s:o}",
	    "device", answer_text(image_text(&v->image, d->name)),
	    "class", answer_text(view_class_name(v, d->class_number)), "station", word_station(s->where),
	    "pending", answer_cause(s->pending), "why", pending_why(d),
	    "authority", s->authority != 0 ? answer_text(view_authority_name(v, s->authority)) : json_null(),
	    "reason", word_crl_reason(s->crl_reason),
	    "evidence", s->evidence != 0 ? word_evidence_key(s->evidence) : NULL,
	    "serial", s->serial_len > 0 ? format_hex(s->serial, s->serial_len, serial) : NULL,
	    "crl_number", s->crl_number_len > 0 ? format_hex(s->crl_number, s->crl_number_len, number) : NULL,
	    "revoked_at", answer_time(s->revoked_at), "since", answer_time(s->since));
}

static void
one_row(struct table *t, const struct view *v, const struct image_device *d)
{
	const struct snapshot_device *s = view_state(v, d);
	char cause[CAUSE_STRLEN], number[NUMBER_STRLEN], time[TIME_STRLEN];

	table_cell(t, image_text(&v->image, d->name));
	table_cell(t, view_class_name(v, d->class_number));
	table_cell(t, word_station(s->where));
	table_cell(t, word_cause(s->pending, cause));
	table_cell(t, d->flags & DEVICE_CRITICAL ? "it is critical" : "over the brake");
	table_cell(t, s->authority != 0 ? view_authority_name(v, s->authority) : "-");
	table_cell(t, s->crl_number_len > 0 ? word_crl_number(s->crl_number, s->crl_number_len, number) : "-");
	table_cell(t, s->pending & CAUSE_REVOKED ? word_crl_reason(s->crl_reason) : "-");
	table_cell(t, word_evidence(s->evidence)[0] != '\0' ? word_evidence_key(s->evidence) : "-");
	table_cell(t, format_time(s->since, time));
}

static void
print_list(struct ctl *c, const struct view *v, const struct chosen *all, const struct ctl_status *s)
{
	static const char *const heads[] = { "DEVICE", "CLASS", "STATION", "WAITS", "WHY", "BY", ">CRL", "REASON",
		"EVIDENCE", "SINCE (UTC)", NULL };
	char n[2][COUNT_STRLEN], brake[BRAKE_STRLEN];
	uint32_t i, critical = 0;
	struct table t;

	pending_brake_text(s, brake);
	if (all->n == 0) {
		fprintf(c->out, "nothing waits; %s\n", brake);
		return;
	}
	for (i = 0; i < all->n; i++)
		critical += (all->list[i]->flags & DEVICE_CRITICAL) != 0;
	fprintf(c->out, "%s device%s wait%s for a person: %s critical, %s over the brake; %s\n",
	    format_count(all->n, n[0]), all->n == 1 ? "" : "s", all->n == 1 ? "s" : "", format_count(critical, n[1]),
	    format_count(all->n - critical, (char[COUNT_STRLEN]){ 0 }), brake);
	table_init(&t, heads);
	for (i = 0; i < all->n; i++)
		one_row(&t, v, all->list[i]);
	table_print(&t, true, c->out);
	table_done(&t);
	fprintf(c->out, "`cordonctl pending confirm NAME...' or --all has it take effect; `cordonctl pending dismiss NAME... "
	    "--reason \"...\"' leaves the devices where they are\n");
}

static int
list(struct ctl *c, struct client *cl, struct view *v)
{
	struct ctl_empty nothing = { 0 };
	struct chosen all;
	struct ctl_status s;
	json_t *devices;
	uint32_t i;
	int rc;

	if ((rc = client_ask(cl, MSG_CTL_STATUS, &nothing, sizeof(nothing), MSG_CTL_STATUS_IS, CLIENT_TIMEOUT_MS)) < 0)
		return client_fail(c, rc, "status");
	memcpy(&s, cl->answer.payload, sizeof(s));
	if (chosen_all(v, is_pending, &all) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "no memory");
	rc = all.n > 0 ? EXIT_DIFFERS : EXIT_DONE;
	if (c->json) {
		devices = json_array();
		for (i = 0; i < all.n; i++)
			json_array_append_new(devices, one_json(v, all.list[i]));
		rc = ctl_json(c, rc, json_pack("{s:o, s:i, s:o, s:o}", "revision", answer_count(v->revision), "pending",
		    (int)all.n, "brake", pending_brake_json(&s), "devices", devices));
	} else {
		print_list(c, v, &all, &s);
	}
	chosen_done(&all);
	return rc;
}

int
cmd_pending_list(struct ctl *c)
{
	return view_with(c, list);
}

/* ---- decide ------------------------------------------------------------- */

/* Names that wait, or --all. */
static int
find(struct ctl *c, const struct view *v, const char *what, struct chosen *out)
{
	bool all = args_has(c->args, OPT_ALL);
	uint32_t i;
	int rc;

	*out = (struct chosen){ NULL, 0 };
	if (all == (c->args->n_words > 0))
		return ctl_fail(c, EXIT_USAGE, "%s which devices? their names, or --all: see `cordonctl pending'", what);
	if (!all && (rc = chosen_find(c, v, what, out)) != 0)
		return rc;
	if (all && chosen_all(v, is_pending, out) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "no memory");
	if (out->n == 0)
		return ctl_fail(c, EXIT_MISTAKES, "nothing waits");
	for (i = 0; i < out->n; i++)
		if (!is_pending(view_state(v, out->list[i])))
			return ctl_fail(c, EXIT_MISTAKES, "nothing waits for the device \"%s\": see `cordonctl pending'",
			    image_text(&v->image, out->list[i]->name));
	return 0;
}

static int
decide(struct ctl *c, struct client *cl, struct view *v, enum ctl_stand_what what, const char *word)
{
	struct ctl_stand ask;
	struct chosen chosen;
	int rc;

	if ((rc = stand_fill(c, what, OPT_REASON, &ask)) != 0)
		return rc;
	if ((rc = find(c, v, word, &chosen)) == 0)
		rc = stand_do(c, cl, v, &ask, &chosen);
	chosen_done(&chosen);
	return rc;
}

static int
confirm(struct ctl *c, struct client *cl, struct view *v)
{
	return decide(c, cl, v, STAND_CONFIRM, "confirm");
}

int
cmd_pending_confirm(struct ctl *c)
{
	return view_with(c, confirm);
}

static int
dismiss(struct ctl *c, struct client *cl, struct view *v)
{
	if (!args_has(c->args, OPT_REASON))
		return ctl_fail(c, EXIT_USAGE, "--reason \"...\" is needed: why does what the CA says not count for these "
		    "devices? It is kept in `cordonctl device history'");
	return decide(c, cl, v, STAND_DISMISS, "dismiss");
}

int
cmd_pending_dismiss(struct ctl *c)
{
	return view_with(c, dismiss);
}
