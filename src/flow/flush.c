/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flush.c -- from memory to the store. A store that fails loses nothing: rows
 * stay in memory, marked, until a later try takes them. */
#include <errno.h>
#include <string.h>

#include "common/log.h"
#include "flow/parts.h"

#define TRIM_STEPS 8		/* of EVIDENCE_TRIM_STEP rows, per flush */
#define LOSS_BATCH 256

struct restore {
	struct flow *flow;
	const struct clock_view *now;
	size_t n;
};

static int
restore_row(void *arg, const struct attempt *row)
{
	struct restore *r = arg;

	r->n++;
	return attempts_restore(r->flow->attempts, row, r->now) < 0 ? 1 : 0;
}

int
flow_open_store(struct flow *f, const struct clock_view *now)
{
	struct evidence_filter open = { .state = ATTEMPT_OPEN };
	struct restore r = { f, now, 0 };
	bool first = attempts_n(f->attempts) == 0;
	int rc;

	rc = evidence_open(f->folder, EVIDENCE_WRITE, &f->store);
	if (rc == -EBADMSG) {
		log_error(0, "the evidence store is damaged: set aside, a new one begins");
		if ((rc = evidence_set_aside(f->folder, now->wall_ms)) == 0)
			rc = evidence_open(f->folder, EVIDENCE_WRITE, &f->store);
	}
	if (rc < 0)
		return rc;
	/* after a restart the kernel goes on counting keys that have their row */
	if (first && (rc = evidence_query_attempts(f->store, &open, restore_row, &r)) < 0)
		log_warn(rc, "open attempts of the last run cannot be read");
	else if (r.n > 0)
		log_info("%zu open attempts of the last run taken up again", r.n);
	if ((rc = discover_load(f)) < 0)
		log_warn(rc, "unknown devices of the last run cannot be read");
	return 0;
}

static int
put_attempts(struct flow *f, const struct clock_view *now)
{
	static struct attempt *rows[FLOW_BATCH];
	size_t n;

	while ((n = attempts_take_dirty(f->attempts, rows, FLOW_BATCH)) > 0) {
		uint64_t inserted = 0;
		int rc;

		for (size_t i = 0; i < n; i++)
			inserted += rows[i]->id == 0;
		if ((rc = evidence_put_attempts(f->store, rows, n)) < 0) {
			attempts_unwritten(f->attempts, rows, n);
			return rc;
		}
		f->rows += inserted;
		/* a long flush must not let the socket run full */
		if (n == FLOW_BATCH && (rc = flow_read_nflog(f, 64, now)) < 0)
			return rc;
	}
	return 0;
}

struct loss_batch {
	struct evidence_loss rows[LOSS_BATCH];
	size_t n;
	struct flow *flow;
	int rc;
};

static void
put_loss_batch(struct loss_batch *b)
{
	if (b->rc == 0)
		b->rc = evidence_put_losses(b->flow->store, b->rows, b->n);
	b->n = 0;
}

static int
take_loss(void *arg, const void *key, void *value)
{
	struct loss_batch *b = arg;
	struct loss *l = value;

	(void)key;
	if (!l->dirty || b->rc < 0)
		return 0;
	b->rows[b->n++] = l->row;
	l->dirty = 0;
	if (b->n == LOSS_BATCH)
		put_loss_batch(b);
	return 0;
}

static int
put_losses(struct flow *f)
{
	struct loss_batch b = { .n = 0, .flow = f };

	if (!f->losses_dirty)
		return 0;
	map_sweep(&f->losses, take_loss, &b);
	put_loss_batch(&b);
	/* totals that a failure leaves out are told again by cordond, larger */
	f->losses_dirty = false;
	return b.rc;
}

static int
trim(struct flow *f, const struct clock_view *now)
{
	struct evidence_bounds bounds = f->bounds;
	size_t deleted = 1;
	int rc = 0;

	if (bounds.oldest_ms > 0)
		bounds.oldest_ms = now->wall_ms - bounds.oldest_ms;
	for (unsigned i = 0; i < TRIM_STEPS && rc == 0 && deleted > 0; i++)
		rc = evidence_trim(f->store, &bounds, &deleted);
	return rc;
}

static int
write_all(struct flow *f, const struct clock_view *now)
{
	int rc;

	if (f->store == NULL && (rc = flow_open_store(f, now)) < 0)
		return rc;
	rc = put_attempts(f, now);
	/* A full disk may be full of our own: what retention allows goes first. */
	if (rc == -ENOSPC && trim(f, now) == 0)
		rc = put_attempts(f, now);
	if (rc == 0)
		rc = put_losses(f);
	if (rc == 0)
		rc = discover_write(f);
	if (rc == 0)
		rc = trim(f, now);
	if (rc == -EBADMSG) {
		log_error(0, "the evidence store is damaged: set aside, the next flush begins a new one");
		evidence_close(f->store);
		f->store = NULL;
		(void)evidence_set_aside(f->folder, now->wall_ms);
	}
	return rc;
}

int
flow_flush(struct flow *f, const struct clock_view *now)
{
	int rc;

	flow_settle(f);
	attempts_tick(f->attempts, now);
	clones_tick(&f->clones, now->boot_ms);
	rc = write_all(f, now);
	f->flushed_ms = now->boot_ms;
	if (rc < 0 && f->error != -rc)
		log_error(rc, "the evidence store cannot be written, attempts wait in memory");
	else if (rc == 0 && f->error != 0)
		log_info("the evidence store can be written again");
	f->error = -rc;
	return rc;
}

void
flow_numbers(const struct flow *f, uint32_t token, struct flow_flushed *out)
{
	memset(out, 0, sizeof(*out));
	out->token = token;
	out->error = (uint32_t)f->error;
	out->attempts = f->rows;
	out->lost = f->lost_before + nflog_lost(&f->nflog) + f->unreadable + attempts_refused(f->attempts);
	out->unmatched = attempts_unmatched(f->attempts);
	out->clones = f->clones.told;
}

int
flow_tell(struct flow *f, uint32_t token, uint32_t serial, const struct clock_view *now)
{
	struct flow_flushed numbers;
	int rc;

	flow_numbers(f, token, &numbers);
	rc = ipc_send_wait(f->channel, MSG_FLOW_FLUSHED, serial, &numbers, sizeof(numbers), -1, 1000);
	if (rc == 0) {
		f->told = numbers;
		f->told_ms = now->boot_ms;
	}
	return rc;
}

int
flow_tick(struct flow *f, const struct clock_view *now, int *wait_ms)
{
	struct flow_flushed numbers;
	int64_t wait;
	int rc = 0;

	flow_settle(f);
	if (now->boot_ms - f->flushed_ms >= FLOW_FLUSH_MS)
		(void)flow_flush(f, now);
	wait = f->flushed_ms + FLOW_FLUSH_MS - now->boot_ms;
	flow_numbers(f, f->told.token, &numbers);
	if (memcmp(&numbers, &f->told, sizeof(numbers)) != 0) {
		int64_t due = f->told_ms + FLOW_TELL_MS - now->boot_ms;

		if (due <= 0)
			rc = flow_tell(f, 0, 0, now);
		else if (due < wait)
			wait = due;
	}
	*wait_ms = wait > 0 ? (int)wait : 0;
	return rc;
}
