/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_station.c -- device quarantine, revoke, release, unrevoke: where devices
 * stand by an operator's word. All that are named move in one transaction. */
#include <errno.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/stand.h"
#include "ctl/view.h"

static int
move(struct ctl *c, struct client *cl, struct view *v, const struct ctl_stand *ask, const char *what)
{
	struct chosen chosen = { NULL, 0 };
	int rc;

	if ((rc = chosen_find(c, v, what, &chosen)) == 0)
		rc = stand_do(c, cl, v, ask, &chosen);
	chosen_done(&chosen);
	return rc;
}

static int
quarantine(struct ctl *c, struct client *cl, struct view *v)
{
	struct ctl_stand ask;
	int rc = stand_fill(c, STAND_QUARANTINE, OPT_REASON, &ask);

	return rc != 0 ? rc : move(c, cl, v, &ask, "quarantine");
}

int
cmd_device_quarantine(struct ctl *c)
{
	return view_with(c, quarantine);
}

/* ---- release ------------------------------------------------------------ */

/* What it means to be of another opinion than the CA. */
static void
say_override(struct ctl *c)
{
	fprintf(c->err, "cordonctl: --revoked: this is your word against that of the CA. It holds for what is known now, and "
	    "stands in `cordonctl device history'; what a CRL newly says of these devices counts again\n");
}

static int
release(struct ctl *c, struct client *cl, struct view *v)
{
	struct ctl_stand ask;
	int rc;

	if (!args_has(c->args, OPT_REASON))
		return ctl_fail(c, EXIT_USAGE, "--reason \"...\" is needed: why may this device go back? It is kept in "
		    "`cordonctl device history'");
	if ((rc = stand_fill(c, STAND_RELEASE, OPT_REASON, &ask)) != 0)
		return rc;
	ask.causes = CAUSE_OPERATOR;
	if (args_has(c->args, OPT_REVOKED)) {
		ask.causes |= CAUSE_REVOKED;
		say_override(c);
	}
	return move(c, cl, v, &ask, "release");
}

int
cmd_device_release(struct ctl *c)
{
	return view_with(c, release);
}

/* ---- serials ------------------------------------------------------------ */

static int
fill_serial(struct ctl *c, const struct view *v, struct ctl_stand *ask)
{
	const char *serial = args_value(c->args, OPT_SERIAL), *name = args_value(c->args, OPT_AUTHORITY);
	const struct image_authority *a;
	int exit = EXIT_MISTAKES;

	if (serial == NULL || name == NULL)
		return ctl_fail(c, EXIT_USAGE, "--serial and --authority go together: a serial number means nothing "
		    "without who gave it");
	if (c->args->n_words > 0 || args_has(c->args, OPT_LABEL))
		return ctl_fail(c, EXIT_USAGE, "a name, --label, or --serial with --authority: one of them");
	if ((a = view_authority(c, v, name, &exit)) == NULL)
		return exit;
	if (stand_serial(serial, ask->serial, &ask->serial_len) < 0)
		return ctl_fail(c, EXIT_USAGE, "--serial \"%s\": in hexadecimal, as 034f, at most %u octets", serial,
		    LIMIT_SERIAL);
	ask->authority = a->number;
	return 0;
}

static bool
has_serial(const struct image *im, const struct image_device *d, const struct ctl_stand *ask)
{
	uint32_t i;

	for (i = 0; i < d->certificates.n; i++) {
		const struct image_certificate *cert = &im->certificates[d->certificates.first + i];

		if (cert->authority == ask->authority && cert->serial_len == ask->serial_len &&
		    memcmp(cert->serial, ask->serial, ask->serial_len) == 0)
			return true;
	}
	return false;
}

/* What it did: whose certificate it is now, or that it waits for whoever comes with it. */
static int
show_serial(struct ctl *c, const struct view *v, const struct ctl_stand *ask, const struct ctl_stood *is)
{
	bool revoked = ask->what == STAND_REVOKE_SERIAL;
	char serial[2 * LIMIT_SERIAL + 1], n[COUNT_STRLEN];
	const char *authority = view_authority_name(v, ask->authority);
	json_t *names = json_array();
	uint32_t i;

	format_hex(ask->serial, ask->serial_len, serial);
	for (i = 0; i < v->image.n[IMAGE_DEVICES]; i++)
		if (has_serial(&v->image, &v->image.devices[i], ask))
			json_array_append_new(names, answer_text(image_text(&v->image, v->image.devices[i].name)));
	if (c->json)
		return ctl_json(c, EXIT_DONE, json_pack("{s:s, s:o, s:b, s:o, s:o}", "serial", serial, "authority",
		    answer_text(authority), "revoked", revoked, "changed", answer_count(is->changed), "devices", names));
	fprintf(c->out, "serial %s of %s is %s: ", serial, authority, revoked ? "revoked" : "no longer revoked by an operator");
	if (json_array_size(names) == 0)
		fprintf(c->out, "no device has it now%s\n", revoked ? "; whichever comes with it is quarantined" : "");
	else
		fprintf(c->out, "%s%s, %s device%s changed\n", json_string_value(json_array_get(names, 0)),
		    json_array_size(names) > 1 ? " and others" : "", format_count(is->changed, n), is->changed == 1 ? "" : "s");
	json_decref(names);
	return EXIT_DONE;
}

static int
move_serial(struct ctl *c, struct client *cl, struct view *v, struct ctl_stand *ask)
{
	struct ctl_stood is;
	int rc;

	if ((rc = fill_serial(c, v, ask)) != 0 || (rc = stand_ask(c, cl, v, ask, NULL, &is)) != 0)
		return rc;
	return show_serial(c, v, ask, &is);
}

static int
revoke(struct ctl *c, struct client *cl, struct view *v)
{
	bool serial = args_has(c->args, OPT_SERIAL) || args_has(c->args, OPT_AUTHORITY);
	struct ctl_stand ask;
	int rc;

	if ((rc = stand_fill(c, serial ? STAND_REVOKE_SERIAL : STAND_REVOKE, OPT_WORDS, &ask)) != 0 ||
	    (rc = stand_reason(c, &ask)) != 0)
		return rc;
	return serial ? move_serial(c, cl, v, &ask) : move(c, cl, v, &ask, "revoke");
}

int
cmd_device_revoke(struct ctl *c)
{
	return view_with(c, revoke);
}

static int
unrevoke(struct ctl *c, struct client *cl, struct view *v)
{
	struct ctl_stand ask;
	int rc;

	if (!args_has(c->args, OPT_SERIAL))
		return ctl_fail(c, EXIT_USAGE, "--serial HEX --authority NAME are needed; a device by its name goes back "
		    "with `cordonctl device release NAME'");
	if ((rc = stand_fill(c, STAND_FORGET_SERIAL, OPT_WORDS, &ask)) != 0)
		return rc;
	return move_serial(c, cl, v, &ask);
}

int
cmd_device_unrevoke(struct ctl *c)
{
	return view_with(c, unrevoke);
}
