/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stand.c -- an operator's word on devices or serials. Numbers cross, never
 * names; the operator's words are data to show again. */
#include "ctl/stand.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ctl/answer.h"
#include "ctl/format.h"
#include "ctl/who.h"

/* cordond puts a change into the kernel and its file before it answers. */
#define STAND_TIMEOUT_MS 30000
#define SHOWN_MAX 20	/* lines; the rest is counted */

/* ---- what is asked for -------------------------------------------------- */

static int
fill_until(struct ctl *c, struct ctl_stand *ask)
{
	const char *until = args_value(c->args, OPT_UNTIL);
	struct clock_view now;
	int64_t ms;

	if (until == NULL)
		return 0;
	clock_now(&now);
	if (args_duration(until, &ms) == 0 && ms <= INT64_MAX - now.wall_ms)
		ask->until = now.wall_ms + ms;
	else if (args_rfc3339(until, &ms) == 0)
		ask->until = ms;
	else
		return ctl_fail(c, EXIT_USAGE, "--until %s: how long, as 30m, 12h or 7d, or when, as "
		    "2027-01-31T12:00:00Z", until);
	return ask->until > now.wall_ms ? 0 : ctl_fail(c, EXIT_USAGE, "--until %s: that is over already", until);
}

int
stand_fill(struct ctl *c, enum ctl_stand_what what, enum opt option, struct ctl_stand *ask)
{
	const char *words = args_value(c->args, option), *name = opt_infos[option].name;

	memset(ask, 0, sizeof(*ask));
	ask->what = what;
	who_am_i(ask->login);
	if (words != NULL && strlen(words) >= sizeof(ask->words))
		return ctl_fail(c, EXIT_USAGE, "--%s: at most %zu bytes, not %zu", name, sizeof(ask->words) - 1,
		    strlen(words));
	if (words != NULL && !format_is_clean(words))
		return ctl_fail(c, EXIT_USAGE, "--%s: text of one line in UTF-8, without control characters", name);
	if (words != NULL)
		memcpy(ask->words, words, strlen(words));
	return fill_until(c, ask);
}

int
stand_reason(struct ctl *c, struct ctl_stand *ask)
{
	const char *reason = args_value(c->args, OPT_REASON);
	int n = reason != NULL ? word_crl_reason_of(reason) : 0;

	/* removeFromCRL is no reason to revoke. */
	if (n < 0 || n == 8)
		return ctl_fail(c, EXIT_USAGE, "--reason %s: one of " CRL_REASON_WORDS "; words of your own go into --words",
		    reason);
	ask->reason = (uint32_t)n;
	return 0;
}

int
stand_serial(const char *text, uint8_t out[LIMIT_SERIAL], uint32_t *len)
{
	uint8_t nibbles[2 * LIMIT_SERIAL];
	bool any = false;	/* a digit, if only a leading zero */
	size_t n = 0, i, at = 0;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	for (; *text != '\0'; text++) {
		int c = tolower((unsigned char)*text);

		if (c == ':' && any)
			continue;
		if (!isxdigit(c))
			return -EINVAL;
		any = true;
		if (n == 0 && c == '0')
			continue;	/* it is the number that counts */
		if (n == sizeof(nibbles))
			return -EINVAL;
		nibbles[n++] = (uint8_t)(isdigit(c) ? c - '0' : c - 'a' + 10);
	}
	if (!any)
		return -EINVAL;
	if (n == 0)
		nibbles[n++] = 0;
	memset(out, 0, LIMIT_SERIAL);
	if (n % 2 == 1)
		out[at++] = nibbles[0];
	for (i = n % 2; i < n; i += 2)
		out[at++] = (uint8_t)(nibbles[i] << 4 | nibbles[i + 1]);
	*len = (uint32_t)at;
	return 0;
}

/* ---- asking ------------------------------------------------------------- */

static int
numbers_file(const struct chosen *chosen, uint32_t n)
{
	uint32_t piece[1024];
	uint32_t i, at = 0;
	int fd, rc = 0;

	if ((fd = memfile_new("devices")) < 0)
		return fd;
	for (i = 0; i < n && rc == 0; i++) {
		piece[at++] = chosen->list[i]->number;
		if (at == sizeof(piece) / sizeof(piece[0]) || i + 1 == n) {
			rc = file_write_all(fd, piece, at * sizeof(piece[0]));
			at = 0;
		}
	}
	if (rc == 0)
		rc = memfile_seal(fd);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

/* The name of the device that a refusal is about. */
static const char *
name_of(const struct view *v, const struct chosen *chosen, uint32_t number)
{
	const struct image_device *d = image_device(&v->image, number);

	if (d == NULL && chosen != NULL && chosen->n > 0)
		d = chosen->list[0];
	return d != NULL ? image_text(&v->image, d->name) : "?";
}

static int
refused(struct ctl *c, const struct view *v, const struct ctl_stand *ask, const struct chosen *chosen,
    const struct ctl_stood *is)
{
	const char *name = name_of(v, chosen, is->device);
	char cause[CAUSE_STRLEN];

	switch (is->error) {
	case ENOENT:
		if (ask->serial_len > 0)
			return ctl_fail(c, EXIT_MISTAKES, "no operator revoked this serial: see `cordonctl revocation list'");
		return ctl_fail(c, EXIT_MISTAKES, "device \"%s\" is no longer in the running policy: nothing was done", name);
	case EPERM:
		return ctl_fail(c, EXIT_MISTAKES, "device \"%s\" stays quarantined, because: %s; nothing was done. When it "
		    "has a new certificate, or the CA is wrong, lift what the CRL says with --revoked", name,
		    word_cause(is->causes, cause));
	case EIO:
		return ctl_fail(c, EXIT_MISTAKES, "cordond could not write this to its disk: what it did would not "
		    "survive a restart; see `cordonctl device show %s' and `journalctl -u cordon'", name);
	case ENOSPC:
		return ctl_fail(c, EXIT_MISTAKES, "cordond keeps at most %u revoked serials: forget some with "
		    "`cordonctl device unrevoke'", LIMIT_REVOCATIONS);
	default:
		return client_fail(c, -(int)is->error, "devices");
	}
}

int
stand_ask(struct ctl *c, struct client *cl, const struct view *v, const struct ctl_stand *question,
    const struct chosen *chosen, struct ctl_stood *out)
{
	struct ctl_stand ask = *question;
	int fd, rc;

	ask.n = chosen != NULL ? chosen->n : 0;
	if ((fd = numbers_file(chosen, ask.n)) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "no memory: %s", strerror(-fd));
	rc = client_ask_with(cl, MSG_CTL_STAND, &ask, sizeof(ask), fd, MSG_CTL_STOOD, STAND_TIMEOUT_MS);
	if (rc < 0)
		return client_fail(c, rc, "devices");
	memcpy(out, cl->answer.payload, sizeof(*out));
	if (out->error == EALREADY) {
		out->error = 0;
		out->changed = 0;
	}
	return out->error == 0 ? 0 : out->error < 4096 ? refused(c, v, &ask, chosen, out) :
	    client_fail(c, -EPROTO, "devices");
}

/* ---- the truth afterwards ----------------------------------------------- */

static bool
stands_so(enum ctl_stand_what what, const struct snapshot_device *s)
{
	switch (what) {
	case STAND_QUARANTINE:
	case STAND_REVOKE:
		return s->where == STATION_QUARANTINED;
	case STAND_RELEASE:
		return s->where != STATION_QUARANTINED;
	case STAND_CONFIRM:
	case STAND_DISMISS:
		return s->pending == 0;
	case STAND_REVOKE_SERIAL:
	case STAND_FORGET_SERIAL:
	case STANDS:
		break;
	}
	return true;
}

static json_t *
one_json(const struct view *v, const struct image_device *d)
{
	const struct snapshot_device *s = view_state(v, d);

	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "device", answer_text(image_text(&v->image, d->name)),
	    "station", word_station(s->where), "cause", answer_cause(s->cause), "since", answer_time(s->since),
	    "until", answer_time(s->until), "pending", answer_cause(s->pending));
}

static int
show_json(struct ctl *c, int exit, const struct view *v, const struct chosen *chosen, uint32_t changed)
{
	json_t *answer, *list = json_array();
	uint32_t i;

	for (i = 0; i < chosen->n; i++)
		json_array_append_new(list, one_json(v, chosen->list[i]));
	answer = chosen->n == 1 ? one_json(v, chosen->list[0]) : json_object();
	json_object_set_new(answer, "changed", answer_count(changed));
	json_object_set_new(answer, "devices", list);
	return ctl_json(c, exit, answer);
}

static void
show_line(struct ctl *c, const struct view *v, const struct image_device *d, enum ctl_stand_what what, bool before)
{
	const struct snapshot_device *s = view_state(v, d);
	bool so = stands_so(what, s);
	char cause[CAUSE_STRLEN], until[TIME_STRLEN];

	fprintf(so ? c->out : c->err, "device %s %s %s%s%s%s%s%s%s\n", image_text(&v->image, d->name),
	    !so ? "stays" : before ? "was" : "is", word_station(s->where), so && before ? " before" : "",
	    s->cause != 0 ? ", because: " : "", s->cause != 0 ? word_cause(s->cause, cause) : "",
	    s->until != 0 ? ", until " : "", s->until != 0 ? format_time(s->until, until) : "",
	    s->until != 0 ? " UTC" : "");
}

static void
show_text(struct ctl *c, const struct view *v, enum ctl_stand_what what, const struct chosen *chosen,
    uint32_t changed)
{
	char n[2][COUNT_STRLEN];
	uint32_t i, shown = 0;

	if (chosen->n > 1)
		fprintf(c->out, "%s devices, %s of them changed, in one transaction\n", format_count(chosen->n, n[0]),
		    format_count(changed, n[1]));
	for (i = 0; i < chosen->n; i++) {
		/* One that does not stand as it should is always told. */
		if (shown >= SHOWN_MAX && stands_so(what, view_state(v, chosen->list[i])))
			continue;
		show_line(c, v, chosen->list[i], what, changed == 0);
		shown++;
	}
	if (shown < chosen->n)
		fprintf(c->out, "and %s more\n", format_count(chosen->n - shown, n[0]));
}

int
stand_show(struct ctl *c, struct client *cl, struct view *v, const struct ctl_stand *ask,
    const struct chosen *chosen, const struct ctl_stood *is)
{
	int exit = EXIT_DONE, rc;
	uint32_t i;

	if ((rc = view_refresh(cl, v)) == -ESTALE)
		return ctl_fail(c, EXIT_UNDETERMINED, "it was done, but the policy changed meanwhile: "
		    "see `cordonctl device show %s'", image_text(&v->image, chosen->list[0]->name));
	if (rc < 0)
		return client_fail(c, rc, "state");
	for (i = 0; i < chosen->n; i++)
		if (!stands_so((enum ctl_stand_what)ask->what, view_state(v, chosen->list[i])))
			exit = EXIT_DIFFERS;
	if (c->json)
		return show_json(c, exit, v, chosen, is->changed);
	show_text(c, v, (enum ctl_stand_what)ask->what, chosen, is->changed);
	return exit;
}

int
stand_do(struct ctl *c, struct client *cl, struct view *v, const struct ctl_stand *ask, const struct chosen *chosen)
{
	struct ctl_stood is;
	int rc = stand_ask(c, cl, v, ask, chosen, &is);

	return rc != 0 ? rc : stand_show(c, cl, v, ask, chosen, &is);
}
