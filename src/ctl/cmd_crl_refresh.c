/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_crl_refresh.c -- crl refresh, reset: have CRLs fetched now, and forget how
 * new the newest one was. Only the second one gives something up. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "ctl/answer.h"
#include "ctl/crl.h"
#include "ctl/ctl.h"
#include "ctl/sources.h"
#include "ctl/view.h"

/* A fetch may take this long, and pki needs its time after it. */
#define REFRESH_TIMEOUT_MS ((int64_t)(LIMIT_FETCH_SECONDS + 60) * 1000)
#define REFRESH_POLL_US 100000

/* ---- refresh ------------------------------------------------------------ */

/* Whether every source was tried since, and none is being fetched. */
static bool
is_over(const struct view *v, uint32_t authority, const int64_t *tried)
{
	uint32_t i;

	for (i = 0; i < v->image.n[IMAGE_SOURCES]; i++)
		if (source_is_of(v, i, authority) &&
		    (v->sources[i].fetching != 0 || v->sources[i].last_try == tried[i]))
			return false;
	return true;
}

static int
wait_over(struct client *cl, struct view *v, uint32_t authority, const int64_t *tried)
{
	struct clock_view now;
	int64_t until;
	int rc = 0;

	clock_now(&now);
	until = now.boot_ms + REFRESH_TIMEOUT_MS;
	while (rc == 0 && !is_over(v, authority, tried)) {
		if (now.boot_ms > until)
			return -ETIMEDOUT;
		usleep(REFRESH_POLL_US);
		rc = view_refresh(cl, v);
		clock_now(&now);
	}
	return rc;
}

static bool
has_failed(const struct view *v, uint32_t authority)
{
	uint32_t i;

	for (i = 0; i < v->image.n[IMAGE_SOURCES]; i++)
		if (source_is_of(v, i, authority) && v->sources[i].error != E_NONE)
			return true;
	return false;
}

static int
refresh_wait(struct ctl *c, struct client *cl, struct view *v, uint32_t authority, const int64_t *tried)
{
	int rc = wait_over(cl, v, authority, tried), exit;

	if (rc == -ESTALE)
		return ctl_fail(c, EXIT_UNDETERMINED, "the policy changed meanwhile: see `cordonctl crl list'");
	if (rc == -ETIMEDOUT)
		return ctl_fail(c, EXIT_UNDETERMINED, "the refresh is not over after %d s: see `cordonctl crl list'",
		    (int)(REFRESH_TIMEOUT_MS / 1000));
	if (rc < 0)
		return client_fail(c, rc, "refresh");
	exit = crl_show(c, cl, v, authority);
	return has_failed(v, authority) && exit != EXIT_DONE ? EXIT_MISTAKES : exit;
}

static int
refresh(struct ctl *c, struct client *cl, struct view *v)
{
	const struct image_authority *a = NULL;
	struct ctl_authority ask = { .number = 0 };
	int64_t tried[LIMIT_SOURCES] = { 0 };
	int exit = EXIT_MISTAKES, rc;
	uint32_t i, n = 0;

	if (c->args->n_words > 0 && (a = view_authority(c, v, c->args->words[0], &exit)) == NULL)
		return exit;
	ask.number = a != NULL ? a->number : 0;
	for (i = 0; i < v->image.n[IMAGE_SOURCES]; i++) {
		tried[i] = v->sources[i].last_try;
		n += source_is_of(v, i, ask.number);
	}
	if (n == 0)
		return ctl_fail(c, EXIT_MISTAKES, a != NULL ? "this authority has no CRL: nothing to fetch" :
		    "no authority has a CRL: nothing to fetch");
	if ((rc = client_ask(cl, MSG_CTL_CRL_REFRESH, &ask, sizeof(ask), MSG_CTL_DONE, CLIENT_TIMEOUT_MS)) < 0)
		return client_fail(c, rc, "refresh");
	if (args_has(c->args, OPT_WAIT))
		return refresh_wait(c, cl, v, ask.number, tried);
	if (c->json)
		return ctl_json(c, EXIT_DONE, json_pack("{s:i}", "asked", (int)n));
	fprintf(c->out, "asked for %" PRIu32 " source%s: `cordonctl crl list' shows what comes\n", n, n == 1 ? "" : "s");
	return EXIT_DONE;
}

int
cmd_crl_refresh(struct ctl *c)
{
	return view_with(c, refresh);
}

/* ---- reset -------------------------------------------------------------- */

static bool
has_url(const struct view *v, uint32_t i, const char *url)
{
	const struct image_source *is = &v->image.sources[i];
	uint32_t j;

	for (j = 0; j < is->urls.n; j++)
		if (strcmp(image_text(&v->image, v->image.urls[is->urls.first + j]), url) == 0)
			return true;
	return false;
}

/* An address, or an authority with all its sources. 0, or the exit code, said already. */
static int
find_sources(struct ctl *c, const struct view *v, uint32_t *list, uint32_t *n)
{
	const char *word = c->args->words[0];
	const struct image_authority *a;
	int exit = EXIT_MISTAKES;
	uint32_t i;

	for (i = 0, *n = 0; i < v->image.n[IMAGE_SOURCES]; i++)
		if (has_url(v, i, word))
			list[(*n)++] = i;
	if (*n > 0)
		return 0;
	if (strstr(word, "://") != NULL)
		return ctl_fail(c, EXIT_MISTAKES, "no source has the address \"%s\": see `cordonctl crl list'", word);
	if ((a = view_authority(c, v, word, &exit)) == NULL)
		return exit;
	for (i = 0; i < v->image.n[IMAGE_SOURCES]; i++)
		if (source_is_of(v, i, a->number))
			list[(*n)++] = i;
	return *n > 0 ? 0 : ctl_fail(c, EXIT_MISTAKES, "%s has no CRL: there is nothing to reset", word);
}

static int
reset_all(struct ctl *c, struct client *cl, const uint32_t *list, uint32_t n)
{
	uint32_t i;
	int rc;

	for (i = 0; i < n; i++) {
		struct pki_reset ask = { .source = list[i] };

		rc = client_ask(cl, MSG_CTL_CRL_RESET, &ask, sizeof(ask), MSG_CTL_DONE, CLIENT_TIMEOUT_MS);
		if (rc == -ENOENT)
			return ctl_fail(c, EXIT_MISTAKES, "the policy changed meanwhile: see `cordonctl crl list'");
		if (rc < 0)
			return client_fail(c, rc, "reset");
	}
	return 0;
}

static int
reset(struct ctl *c, struct client *cl, struct view *v)
{
	uint32_t list[LIMIT_SOURCES], n, i;
	json_t *urls;
	int rc;

	if ((rc = find_sources(c, v, list, &n)) != 0)
		return rc;
	if (!args_has(c->args, OPT_CONFIRM))
		return ctl_fail(c, EXIT_USAGE, "nothing was done. A reset forgets which CRL of %s was the newest: after it an "
		    "old one, on which a device is not yet revoked, is believed when somebody serves it. Who is in quarantine "
		    "stays there. It is meant for a CA that was built anew and counts from the beginning: see `cordonctl crl "
		    "list', ask who runs the CA, then say --confirm", c->args->words[0]);
	if ((rc = reset_all(c, cl, list, n)) != 0)
		return rc;
	urls = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(urls, answer_text(source_url(v, list[i])));
	if (c->json)
		return ctl_json(c, EXIT_DONE, json_pack("{s:i, s:o}", "reset", (int)n, "sources", urls));
	json_decref(urls);
	fprintf(c->out, "%" PRIu32 " source%s reset: the next CRL counts whatever its number; `cordonctl crl refresh' fetches "
	    "it now\n", n, n == 1 ? "" : "s");
	return EXIT_DONE;
}

int
cmd_crl_reset(struct ctl *c)
{
	return view_with(c, reset);
}
