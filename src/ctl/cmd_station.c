/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_station.c -- device quarantine, release. A number crosses, never a name;
 * the operator's words are data to show again. */
#include <errno.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/view.h"

/* cordond puts a change into the kernel and its file before it answers. */
#define MOVE_TIMEOUT_MS 30000

static int
fill_words(struct ctl *c, struct ctl_device *ask)
{
	const char *words = args_value(c->args, OPT_REASON);

	if (words == NULL)
		return 0;
	if (strlen(words) >= sizeof(ask->words))
		return ctl_fail(c, EXIT_USAGE, "--reason: at most %zu bytes, not %zu", sizeof(ask->words) - 1,
		    strlen(words));
	if (!format_is_clean(words))
		return ctl_fail(c, EXIT_USAGE, "--reason: text of one line in UTF-8, without control characters");
	memcpy(ask->words, words, strlen(words));
	return 0;
}

/* Where the device stands after it: the kernel's truth, not what was asked. */
static int
show_station(struct ctl *c, struct client *cl, struct view *v, const struct image_device *d, bool quarantined,
    bool before)
{
	const char *name = image_text(&v->image, d->name);
	const struct snapshot_device *s;
	char cause[CAUSE_STRLEN];
	int exit, rc;

	if ((rc = view_refresh(cl, v)) == -ESTALE)
		return ctl_fail(c, EXIT_UNDETERMINED, "it was done, but the policy changed meanwhile: "
		    "see `cordonctl device show %s'", name);
	if (rc < 0)
		return client_fail(c, rc, "state");
	s = view_state(v, d);
	exit = (s->where == STATION_QUARANTINED) == quarantined ? EXIT_DONE : EXIT_DIFFERS;
	if (c->json)
		return ctl_json(c, exit, json_pack("{s:s, s:s, s:o, s:o}", "device", name, "station",
		    word_station(s->where), "cause", answer_cause(s->cause), "since", answer_time(s->since)));
	fprintf(exit == EXIT_DONE ? c->out : c->err, "device %s %s %s%s%s%s\n", name,
	    exit != EXIT_DONE ? "stays" : before ? "was" : "is", word_station(s->where), exit == EXIT_DONE && before ? " before" : "",
	    s->cause != 0 ? ", because: " : "", s->cause != 0 ? word_cause(s->cause, cause) : "");
	return exit;
}

static int
move(struct ctl *c, struct client *cl, struct view *v, uint32_t type, bool quarantined)
{
	int exit = EXIT_MISTAKES, rc;
	const struct image_device *d = view_device(c, v, c->args->words[0], &exit);
	struct ctl_device ask = { .number = 0 };

	if (d == NULL)
		return exit;
	if ((rc = fill_words(c, &ask)) != 0)
		return rc;
	ask.number = d->number;
	ask.causes = CAUSE_OPERATOR | (args_has(c->args, OPT_REVOKED) ? CAUSE_REVOKED : 0);
	rc = client_ask(cl, type, &ask, sizeof(ask), MSG_CTL_DONE, MOVE_TIMEOUT_MS);
	if (rc == -ENOENT)
		return ctl_fail(c, EXIT_MISTAKES, "device \"%s\" is no longer in the running policy",
		    c->args->words[0]);
	if (rc == -EPERM && !quarantined)
		return ctl_fail(c, EXIT_MISTAKES, "device \"%s\" stays quarantined: its certificate is revoked. Give it "
		    "a new certificate, or lift the revocation until its CRL is read again with --revoked",
		    c->args->words[0]);
	if (rc == -EIO)
		return ctl_fail(c, EXIT_MISTAKES, "cordond could not write this to its disk: what it did would not "
		    "survive a restart; see `cordonctl device show %s' and `journalctl -u cordon'",
		    c->args->words[0]);
	if (rc < 0 && rc != -EALREADY)
		return client_fail(c, rc, quarantined ? "quarantine" : "release");
	return show_station(c, cl, v, d, quarantined, rc == -EALREADY);
}

static int
quarantine(struct ctl *c, struct client *cl, struct view *v)
{
	return move(c, cl, v, MSG_CTL_QUARANTINE, true);
}

static int
release(struct ctl *c, struct client *cl, struct view *v)
{
	return move(c, cl, v, MSG_CTL_RELEASE, false);
}

int
cmd_device_quarantine(struct ctl *c)
{
	return view_with(c, quarantine);
}

int
cmd_device_release(struct ctl *c)
{
	return view_with(c, release);
}
