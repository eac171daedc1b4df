/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_stage.c -- policy staged, unstage: what the policy that stands staged would
 * change is asked here, and shown in staged.c. (policy stage is an apply that
 * enforces nothing: cmd_apply.c.) */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/staged.h"

#define ROWS_DEFAULT	20
#define COUNTS_MAX	(64UL << 20)

/* ---- asking ------------------------------------------------------------- */

static int
total_order(const void *a, const void *b)
{
	const struct staged_total *x = a, *y = b;
	uint64_t m = x->refused + x->allowed, n = y->refused + y->allowed;

	return m != n ? (m < n ? 1 : -1) : (x->number > y->number) - (x->number < y->number);
}

static int
key_order(const void *a, const void *b)
{
	const struct staged_key *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return memcmp(x, y, offsetof(struct staged_key, count));
}

/* The file is cordond's; that it is whole is looked at all the same. */
static int
take_counts(struct staged *s)
{
	const size_t totals = s->head.n_totals * sizeof(*s->totals), keys = s->head.n_keys * sizeof(*s->keys);

	if (s->counts_len != totals + keys)
		return -EBADMSG;
	if ((s->totals = malloc(totals + 1)) == NULL || (s->keys = malloc(keys + 1)) == NULL)
		return -ENOMEM;
	if (totals > 0)
		memcpy(s->totals, s->counts_data, totals);
	if (keys > 0)
		memcpy(s->keys, (const char *)s->counts_data + totals, keys);
	for (uint32_t i = 0; i < s->head.n_totals; i++) {
		s->refused += s->totals[i].refused;
		s->allowed += s->totals[i].allowed;
	}
	for (uint32_t i = 0; i < s->head.n_keys; i++)
		s->named[s->keys[i].allowed != 0] += s->keys[i].count;
	if (totals > 0)
		qsort(s->totals, s->head.n_totals, sizeof(*s->totals), total_order);
	if (keys > 0)
		qsort(s->keys, s->head.n_keys, sizeof(*s->keys), key_order);
	return 0;
}

static int
ask_counts(struct staged *s, struct client *cl)
{
	const struct ctl_empty nothing = { 0 };
	int rc = client_ask(cl, MSG_CTL_STAGED, &nothing, sizeof(nothing), MSG_CTL_STAGED_IS, CLIENT_TIMEOUT_MS);

	if (rc < 0)
		return rc;
	memcpy(&s->head, cl->answer.payload, sizeof(s->head));
	if (s->head.n_totals + s->head.n_keys == 0)
		return take_counts(s);
	rc = memfile_map(cl->answer.fd, COUNTS_MAX, &s->counts_data, &s->counts_len);
	return rc < 0 ? rc : take_counts(s);
}

static int
ask_image(struct staged *s, struct client *cl)
{
	const struct ctl_empty nothing = { 0 };
	const char *why;
	int rc = client_ask(cl, MSG_CTL_STAGED_IMAGE, &nothing, sizeof(nothing), MSG_IMAGE, CLIENT_TIMEOUT_MS);

	if (rc == 0)
		rc = memfile_map(cl->answer.fd, LIMIT_IMAGE_BYTES, &s->image_data, &s->image_len);
	return rc < 0 ? rc : image_open(s->image_data, s->image_len, &s->next, &why);
}

static void
staged_done(struct staged *s)
{
	free(s->totals);
	free(s->keys);
	if (s->image_data != NULL)
		memfile_unmap(s->image_data, s->image_len);
	if (s->counts_data != NULL)
		memfile_unmap(s->counts_data, s->counts_len);
	json_decref(s->list);
}

/* ---- commands ----------------------------------------------------------- */

static int
nothing_staged(struct ctl *c)
{
	if (c->json)
		return ctl_json(c, EXIT_DONE, json_pack("{s:b}", "staged", 0));
	fputs("nothing is staged: `cordonctl policy stage' stages the configuration\n", c->out);
	return EXIT_DONE;
}

static int
show(struct ctl *c, struct client *cl, struct view *v)
{
	const char *limit = args_value(c->args, OPT_LIMIT);
	struct staged s = { .c = c, .view = v, .limit = ROWS_DEFAULT };
	int rc;

	if (limit != NULL && args_number(limit, INT32_MAX, &s.limit) < 0)
		return ctl_fail(c, EXIT_USAGE, "--limit %s: a number", limit);
	if ((rc = ask_counts(&s, cl)) == 0 && !s.head.staged)
		rc = nothing_staged(c);
	else if (rc < 0 || (rc = ask_image(&s, cl)) < 0)
		rc = client_fail(c, rc, "staged");
	else if (c->json)
		rc = staged_json(&s);
	else if ((rc = staged_print(&s)) < 0)
		rc = ctl_fail(c, EXIT_MISTAKES, "no memory");
	staged_done(&s);
	return rc;
}

int
cmd_policy_staged(struct ctl *c)
{
	return view_with(c, show);
}

int
cmd_policy_unstage(struct ctl *c)
{
	const struct ctl_empty nothing = { 0 };
	struct client cl;
	int rc;

	if ((rc = client_open(c, &cl)) != 0)
		return rc;
	rc = client_ask(&cl, MSG_CTL_UNSTAGE, &nothing, sizeof(nothing), MSG_CTL_DONE, CLIENT_TIMEOUT_MS);
	client_close(&cl);
	if (rc == -ENOENT)
		return ctl_fail(c, EXIT_MISTAKES, "nothing is staged");
	if (rc == -EBUSY)
		return ctl_fail(c, EXIT_MISTAKES, "another change is being made: try again when it is over");
	if (rc < 0)
		return client_fail(c, rc, "unstage");
	if (c->json)
		return ctl_json(c, EXIT_DONE, json_pack("{s:b}", "staged", 0));
	fputs("nothing is staged any more\n", c->out);
	return EXIT_DONE;
}
