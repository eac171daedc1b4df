/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_attempt.c -- attempt list: who tried what. Reads the store itself, so
 * that evidence can be read when nothing runs. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "common/clock.h"
#include "ctl/answer.h"
#include "ctl/attempts.h"
#include "ctl/ctl.h"

#define LIMIT_DEFAULT 100
#define FOLLOW_DEFAULT 10	/* rows that came before, to see where one is */
#define FOLLOW_MS 1000
#define FOLLOW_SHARE 20		/* at most one part in so many of cordond's time goes into our flushes */

struct listing {
	struct ctl *c;
	struct table table;
	json_t *list;		/* NULL while following: each is an object of its own */
	int64_t last_id;
};

static volatile sig_atomic_t stopped;

static void
stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static int
bad_reason(struct ctl *c, const char *reason)
{
	char list[256] = "";
	size_t at = 0;
	unsigned r;

	for (r = REASON_NONE + 1; r < REASONS && at < sizeof(list); r++)
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", at > 0 ? ", " : "",
		    attempt_reason_name(r));
	return ctl_fail(c, EXIT_USAGE, "--reason %s: one of: %s", reason, list);
}

static int
make_filter(struct ctl *c, struct evidence_filter *f)
{
	const char *since = args_value(c->args, OPT_SINCE), *limit = args_value(c->args, OPT_LIMIT);
	const char *reason = args_value(c->args, OPT_REASON);
	bool follow = args_has(c->args, OPT_FOLLOW);
	int number, rc;

	memset(f, 0, sizeof(*f));
	f->device_name = args_value(c->args, OPT_DEVICE);
	f->limit = since != NULL ? 0 : follow ? FOLLOW_DEFAULT : LIMIT_DEFAULT;
	if ((rc = attempts_since(c, &f->since_ms)) != 0)
		return rc;
	if (limit != NULL && (args_number(limit, EVIDENCE_QUERY_MAX, &f->limit) < 0 || f->limit == 0))
		return ctl_fail(c, EXIT_USAGE, "--limit %s: a number from 1 to %u", limit, EVIDENCE_QUERY_MAX);
	if (reason != NULL) {
		if ((number = attempt_reason_of(reason)) <= REASON_NONE)
			return bad_reason(c, reason);
		f->reason = (enum attempt_reason)number;
	}
	return 0;
}

static int
take(void *arg, const struct attempt *a)
{
	struct listing *l = arg;

	if (a->id > l->last_id)
		l->last_id = a->id;
	if (!l->c->json)
		attempts_row(&l->table, a);
	else if (l->list != NULL)
		json_array_append_new(l->list, attempts_json(a));
	else
		return ctl_json(l->c, 0, attempts_json(a));
	return 0;
}

static int
query(struct listing *l, struct evidence *store, const struct evidence_filter *f)
{
	int rc = evidence_query_attempts(store, f, take, l);

	if (rc < 0)
		return ctl_fail(l->c, EXIT_MISTAKES, "the evidence cannot be read: %s (%s)", strerror(-rc),
		    evidence_error(store));
	return rc;
}

static int
list_once(struct ctl *c, struct listing *l, struct evidence *store, const struct evidence_filter *f, bool exact)
{
	int rc;

	if (c->json && (l->list = json_array()) == NULL)
		return ctl_fail(c, EXIT_MISTAKES, "no memory");
	if ((rc = query(l, store, f)) != 0)
		return rc;
	if (c->json)
		return ctl_json(c, EXIT_DONE, json_pack("{s:b, s:O}", "exact", exact, "attempts", l->list));
	if (table_rows(&l->table) == 0) {
		fprintf(c->out, "no attempts%s\n", f->device_name != NULL || f->since_ms != 0 || f->reason != 0 ?
		    " that match" : " yet: nothing was refused");
		return EXIT_DONE;
	}
	return table_print(&l->table, true, c->out) == 0 ? EXIT_DONE : ctl_fail(c, EXIT_MISTAKES, "no memory");
}

/* cordon-flow writes every few seconds unless asked; a flush makes cordond read
 * all counts, so the longer it takes the rarer it comes. */
static void
flush_now_and_then(const struct ctl *c, int64_t *next_ms)
{
	struct clock_view before, after;

	clock_now(&before);
	if (before.boot_ms < *next_ms)
		return;
	attempts_flush(c);
	clock_now(&after);
	*next_ms = after.boot_ms + FOLLOW_SHARE * (after.boot_ms - before.boot_ms);
}

/* Until the operator has seen enough, or nobody reads any more. */
static int
follow(struct ctl *c, struct listing *l, struct evidence *store, struct evidence_filter *f)
{
	struct sigaction sa = { .sa_handler = stop };
	int64_t next_flush = 0;
	bool heads = !c->json;
	int rc;

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	attempts_make_room(&l->table);
	if ((rc = query(l, store, f)) != 0)
		return rc;
	/* From here on by id: what is new, whatever its time. */
	f->since_ms = 0;
	f->limit = 0;
	if (l->last_id == 0 && evidence_last_id(store, &l->last_id) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "the evidence cannot be read: %s", evidence_error(store));
	for (;;) {
		if (table_rows(&l->table) > 0 || heads)
			table_print(&l->table, heads, c->out);
		heads = false;
		if (fflush(c->out) == EOF || stopped)
			return EXIT_DONE;
		poll(NULL, 0, FOLLOW_MS);
		if (!stopped)
			flush_now_and_then(c, &next_flush);
		f->after_id = l->last_id;
		if (!stopped && (rc = query(l, store, f)) != 0)
			return rc;
	}
}

static const char *
why_not_flushed(int error)
{
	switch (-error) {
	case ENOENT:
	case ECONNREFUSED:
		return "cordond does not run";
	case EACCES:
	case EPERM:
		return "you may not talk to cordond";
	case ETIMEDOUT:
		return "cordond did not answer in time";
	default:
		return strerror(-error);
	}
}

int
cmd_attempt_list(struct ctl *c)
{
	struct listing l = { .c = c };
	struct evidence_filter filter;
	struct evidence *store;
	int flushed, rc;

	if ((rc = make_filter(c, &filter)) != 0)
		return rc;
	if ((flushed = attempts_flush(c)) < 0)
		fprintf(c->err, "cordonctl: %s: counts may lag behind the kernel's\n", why_not_flushed(flushed));
	if ((rc = attempts_open(c, &store)) != 0)
		return rc;
	attempts_table(&l.table);
	rc = args_has(c->args, OPT_FOLLOW) ? follow(c, &l, store, &filter) :
	    list_once(c, &l, store, &filter, flushed == 0);
	table_done(&l.table);
	json_decref(l.list);
	evidence_close(store);
	return rc;
}
