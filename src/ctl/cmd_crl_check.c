/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_crl_check.c -- crl check: what cordon would make of a CRL, before it is
 * published. Reads nothing of the CRL itself: a child does. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "ctl/answer.h"
#include "ctl/candidate.h"
#include "ctl/check.h"
#include "ctl/format.h"
#include "ctl/view.h"

struct checking {
	struct ctl *ctl;
	struct check check;
	struct check_policy policy;
	struct candidate candidate;
	struct client client;
	struct view view;
	struct pki_standing *standings;
	const char *file;	/* the one at hand */
	bool one;		/* there is no other */
	bool progress;		/* shown, and to be wiped off */
	int exit;
};

/* ---- the policy --------------------------------------------------------- */

static int
standings_of(struct checking *k)
{
	const struct view *v = &k->view;
	const uint32_t mask = CAUSE_REVOKED | CAUSE_STALE | CAUSE_LIMITED;
	uint32_t i, cause;

	if ((k->standings = calloc((size_t)v->image.n[IMAGE_DEVICES] + 1, sizeof(*k->standings))) == NULL)
		return -ENOMEM;
	for (i = 0; i < v->image.n[IMAGE_DEVICES]; i++) {
		cause = (v->devices[i].cause | v->devices[i].pending) & mask;
		if (cause != 0)
			k->standings[k->check.n_standings++] = (struct pki_standing){ .device = v->devices[i].number,
				.cause = cause, .authority = v->devices[i].authority, .reason = v->devices[i].crl_reason };
	}
	k->check.standings = k->standings;
	return 0;
}

static int
use_running(struct checking *k)
{
	struct ctl *c = k->ctl;
	struct ctl_empty nothing = { 0 };
	struct ctl_status s;
	int rc;

	if ((rc = client_ask(&k->client, MSG_CTL_STATUS, &nothing, sizeof(nothing), MSG_CTL_STATUS_IS,
	    CLIENT_TIMEOUT_MS)) < 0)
		return client_fail(c, rc, "status");
	memcpy(&s, k->client.answer.payload, sizeof(s));
	if ((rc = view_open(c, &k->client, &k->view)) != 0)
		return rc;
	if (standings_of(k) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "no memory");
	k->policy = (struct check_policy){ .im = &k->view.image, .of = "the running policy",
		.brake_devices = s.brake_devices, .brake_used = s.brake_used };
	return 0;
}

static int
use_folder(struct checking *k)
{
	int rc = candidate_open(k->ctl, k->ctl->config, &k->candidate);

	if (rc != 0)
		return rc;
	k->policy = (struct check_policy){ .im = &k->candidate.image, .of = k->ctl->config,
		.brake_devices = k->candidate.image.appliance->brake_devices };
	return 0;
}

/* The one that runs; a folder that was named; none at all when certificates were. */
static int
find_policy(struct checking *k)
{
	struct ctl *c = k->ctl;

	if (args_has(c->args, OPT_CONFIG))
		return use_folder(k);
	if (client_connect(c, &k->client) == 0)
		return use_running(k);
	if (args_has(c->args, OPT_CA)) {
		if (!c->json)
			fprintf(c->err, "cordonctl: cordond cannot be asked: which devices it concerns is not known\n");
		return 0;
	}
	return use_folder(k);
}

/* ---- arguments ---------------------------------------------------------- */

/* Decimal, or 0x and hexadecimal: a big-endian magnitude. */
static int
parse_number(const char *text, uint8_t out[CRL_NUMBER_MAX], uint8_t *len)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = "0123456789abcdef", *at;
	unsigned carry, base = hex ? 16 : 10;
	int i;

	memset(out, 0, CRL_NUMBER_MAX);
	text += hex ? 2 : 0;
	if (text[0] == '\0')
		return -EINVAL;
	for (; *text != '\0'; text++) {
		at = strchr(digits, *text >= 'A' && *text <= 'F' ? *text - 'A' + 'a' : *text);
		if (at == NULL || (unsigned)(at - digits) >= base)
			return -EINVAL;
		carry = (unsigned)(at - digits);
		for (i = CRL_NUMBER_MAX - 1; i >= 0; i--) {
			carry += out[i] * base;
			out[i] = (uint8_t)carry;
			carry >>= 8;
		}
		if (carry != 0)
			return -EINVAL;
	}
	*len = CRL_NUMBER_MAX;
	return 0;
}

static int
parse_options(struct checking *k)
{
	struct ctl *c = k->ctl;
	const char *at = args_value(c->args, OPT_AT), *number = args_value(c->args, OPT_NUMBER);
	struct clock_view now;

	clock_now(&now);
	k->check.clock = (struct pki_clock){ .wall_ms = now.wall_ms, .boot_ms = now.boot_ms, .trusted = true };
	if (at != NULL && args_rfc3339(at, &k->check.clock.wall_ms) < 0)
		return ctl_fail(c, EXIT_USAGE, "--at %s: a time as 2027-01-31T12:00:00Z", at);
	k->check.previous = args_value(c->args, OPT_PREVIOUS);
	k->check.delta_of = args_value(c->args, OPT_DELTA_OF);
	if (number != NULL && k->check.previous != NULL)
		return ctl_fail(c, EXIT_USAGE, "--number or --previous: the file tells its number");
	if (number != NULL && parse_number(number, k->check.number, &k->check.number_len) < 0)
		return ctl_fail(c, EXIT_USAGE, "--number %s: a CRL number, in decimal or as 0x0a00, of at most %u octets", number,
		    CRL_NUMBER_MAX);
	return 0;
}

/* ---- one file after the other ------------------------------------------- */

/* The worst of all: not read, refused, revokes only, usable. */
static void
worsen(struct checking *k, int exit)
{
	static const int order[] = { EXIT_DONE, EXIT_DIFFERS, EXIT_MISTAKES, EXIT_UNDETERMINED };
	size_t i, now = 0, next = 0;

	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		now = order[i] == k->exit ? i : now;
		next = order[i] == exit ? i : next;
	}
	if (next > now)
		k->exit = exit;
}

static void
wipe(struct checking *k)
{
	if (k->progress)
		fprintf(k->ctl->err, "\r\033[K");
	k->progress = false;
}

static void
on_progress(void *arg, uint64_t bytes)
{
	struct checking *k = arg;
	char n[COUNT_STRLEN];

	if (k->ctl->json || !k->ctl->terminal)
		return;
	fprintf(k->ctl->err, "\r%s MiB read ...", format_count(bytes >> 20, n));
	fflush(k->ctl->err);
	k->progress = true;
}

/* Of one file and of many alike: a line of its own for each CRL. */
static void
say_json(struct checking *k, json_t *j)
{
	if (j == NULL || json_dumpf(j, k->ctl->out, k->one && k->ctl->terminal ? JSON_INDENT(2) : JSON_COMPACT) < 0 ||
	    fputc('\n', k->ctl->out) == EOF)
		worsen(k, EXIT_UNDETERMINED);
	json_decref(j);
}

static void
on_report(void *arg, const struct check_report *r, const struct check_device *d)
{
	struct checking *k = arg;

	wipe(k);
	worsen(k, check_exit(r));
	if (k->ctl->json)
		say_json(k, check_json(k->file, &k->check, &k->policy, r, d));
	else
		check_print(k->ctl, k->file, k->one, &k->check, &k->policy, r, d);
}

/* What is wrong with the file as a whole. */
static void
say_end(struct checking *k, const struct check_end *end)
{
	struct ctl *c = k->ctl;
	char shown[4096];

	if (end->error == E_NONE)
		return;
	if (end->error == E_FETCH) {
		worsen(k, EXIT_UNDETERMINED);
		ctl_fail(c, EXIT_UNDETERMINED, "%s: %s", k->file, end->why);
		return;
	}
	worsen(k, EXIT_MISTAKES);
	if (c->json) {
		say_json(k, json_pack("{s:o, s:n, s:s, s:s, s:s, s:s, s:n}", "file", answer_text(k->file), "n", "verdict", "refused",
		    "error", word_source_error_key(end->error), "error_text", word_source_error(end->error), "rule", end->why,
		    "effects"));
		return;
	}
	fprintf(c->out, "%s: REFUSED, %s: %s%s%s\n", format_text(k->file, shown, sizeof(shown)),
	    word_source_error_key(end->error), word_source_error(end->error), end->why[0] != '\0' ? ": " : "", end->why);
}

static int
open_file(struct checking *k, const char *name, const char *option, int *fd)
{
	if (name == NULL)
		return 0;
	*fd = strcmp(name, "-") == 0 && option == NULL ? dup(STDIN_FILENO) : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (*fd >= 0)
		return 0;
	return ctl_fail(k->ctl, EXIT_UNDETERMINED, "%s%s%s: %s", option != NULL ? option : "", option != NULL ? " " : "", name,
	    strerror(errno));
}

static void
check_file(struct checking *k, const char *name)
{
	const struct check_take take = { .progress = on_progress, .report = on_report, .arg = k };
	int fd = -1, previous = -1, base = -1, rc;
	struct check_end end = { .error = E_NONE };

	k->file = name;
	if ((rc = open_file(k, k->check.previous, "--previous", &previous)) != 0 ||
	    (rc = open_file(k, k->check.delta_of, "--delta-of", &base)) != 0 ||
	    (rc = open_file(k, name, NULL, &fd)) != 0) {
		if (previous >= 0)
			close(previous);
		if (base >= 0)
			close(base);
	} else {
		rc = check_child(k->ctl, &k->check, name, fd, previous, base, &take, &end);
		wipe(k);
	}
	if (rc != 0)
		worsen(k, rc);
	else
		say_end(k, &end);
}

static int
check_all(struct checking *k)
{
	const struct args *a = k->ctl->args;
	unsigned i, minus = 0;
	int rc;

	for (i = 0; i < a->n_words; i++)
		minus += strcmp(a->words[i], "-") == 0;
	if (minus > 1)
		return ctl_fail(k->ctl, EXIT_USAGE, "- is standard input, and that can be read once");
	if ((rc = parse_options(k)) != 0 || (rc = find_policy(k)) != 0 ||
	    (rc = check_trust(k->ctl, &k->check, k->policy.im)) != 0)
		return rc;
	k->one = a->n_words == 1;
	for (i = 0; i < a->n_words; i++)
		check_file(k, a->words[i]);
	return k->exit;
}

int
cmd_crl_check(struct ctl *c)
{
	struct checking k = { .ctl = c, .exit = EXIT_DONE };
	int rc;

	k.client.ipc.fd = k.client.answer.fd = -1;
	rc = check_all(&k);
	check_done(&k.check);
	free(k.standings);
	view_close(&k.view);
	client_close(&k.client);
	candidate_close(&k.candidate);
	return rc;
}
