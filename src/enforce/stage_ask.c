/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stage_ask.c -- what operators ask about the staged policy: stage it, end it,
 * count what it would change. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/log.h"
#include "enforce/cordond.h"
#include "enforce/nft_read.h"
#include "enforce/staged.h"
#include "proto/staged.h"

/* ---- begin and end ------------------------------------------------------ */

void
stage_load(struct cordond *d, int image_fd, const struct ctl_who *who, struct ctl_applied *a)
{
	struct stage_report report;
	struct clock_view now;
	int rc;

	clock_now(&now);
	watch_pause(d);
	rc = enforcer_stage(&d->enforcer, image_fd, who, now.wall_ms, &report);
	watch_resume(d);
	a->added = report.added;
	a->removed = report.removed;
	a->microseconds = report.microseconds;
	if (rc == 0) {
		log_info("a policy is staged beside revision %llu: %u elements added, %u removed",
		    (unsigned long long)d->enforcer.policy.revision, report.added, report.removed);
		return;
	}
	a->error = (uint32_t)-rc;
	memcpy(d->change.refused, report.refused, sizeof(d->change.refused));
	log_warn(rc, "the policy was not staged (%s)", report.why != NULL ? report.why :
	    report.refused[0] != '\0' ? report.refused : "nothing was changed");
}

void
ask_unstage(struct client *c)
{
	struct stage_report report;
	int rc;

	if (c->d->change.compiling) {	/* it may be the one that is being staged */
		client_done(c, -EBUSY);
		return;
	}
	watch_pause(c->d);
	rc = enforcer_unstage(&c->d->enforcer, &report);
	watch_resume(c->d);
	if (rc == 0)
		log_info("nothing is staged any more");
	client_done(c, rc);
}

/* ---- the counts --------------------------------------------------------- */

struct reading {
	const struct enforcer *e;
	enum set_kind kind;
	bool allowed;
	struct staged_total *totals;	/* parallel to the devices */
	struct staged_key *keys;
	size_t n_keys, room;
};

static int
on_total(void *arg, const struct nft_element *el)
{
	struct reading *r = arg;
	uint32_t mark;
	size_t index;

	if (el->key_len != sizeof(mark))
		return 0;
	memcpy(&mark, el->key, sizeof(mark));
	if ((index = enforcer_index(r->e, mark >> 8)) == SIZE_MAX)
		return 0;	/* of a device that is gone */
	r->totals[index].number = mark >> 8;
	*(r->allowed ? &r->totals[index].allowed : &r->totals[index].refused) = el->packets;
	return 0;
}

static bool
decode(const struct reading *r, const struct nft_element *e, struct staged_key *out)
{
	const struct set_info *info = set_info(r->kind);
	uint8_t family = field_info(info->fields[1])->family, port[2] = { 0 };
	size_t at = 0, len = family == AF_INET ? 4 : 16;
	uint32_t mark;
	bool ok;

	memset(out, 0, sizeof(*out));
	out->allowed = r->allowed;
	out->family = family;
	out->has_port = info->fields[4] != FIELD_NONE;
	out->count = e->packets;
	ok = nft_key_field(e, &at, &mark, sizeof(mark)) && nft_key_field(e, &at, out->source, len) &&
	    nft_key_field(e, &at, out->destination, len) && nft_key_field(e, &at, &out->protocol, 1) &&
	    (!out->has_port || nft_key_field(e, &at, port, sizeof(port)));
	out->port = (uint16_t)(port[0] << 8 | port[1]);
	out->number = ok ? mark >> 8 : 0;
	return ok && enforcer_index(r->e, out->number) != SIZE_MAX;
}

static int
on_key(void *arg, const struct nft_element *el)
{
	struct reading *r = arg;

	if (r->n_keys == r->room) {
		size_t room = r->room ? 2 * r->room : 256;
		struct staged_key *p = reallocarray(r->keys, room, sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		r->keys = p;
		r->room = room;
	}
	if (decode(r, el, &r->keys[r->n_keys]))
		r->n_keys++;
	return 0;
}

static int
read_kind(struct reading *r, struct nft_socket *s, enum set_kind kind)
{
	const bool total = kind == SET_NEWLY_REFUSED || kind == SET_NEWLY_ALLOWED;
	const size_t before = r->n_keys;
	int rc = -EAGAIN;

	r->kind = kind;
	r->allowed = kind >= SET_NEWLY_ALLOWED;
	for (int i = 0; rc == -EAGAIN && i < 8; i++) {
		r->n_keys = before;
		rc = nft_read_set(s, set_info(kind)->name, total ? on_total : on_key, r);
	}
	return rc;
}

/* A dump while packets add keys may tell one twice, the second time with more. */
static int
key_order(const void *a, const void *b)
{
	const struct staged_key *x = a, *y = b;
	int c = memcmp(x, y, offsetof(struct staged_key, count));

	return c != 0 ? c : (x->count < y->count) - (x->count > y->count);
}

static size_t
each_once(struct staged_key *keys, size_t n)
{
	size_t out = 0;

	if (n > 0)
		qsort(keys, n, sizeof(*keys), key_order);
	for (size_t i = 0; i < n; i++)
		if (out == 0 || memcmp(&keys[i], &keys[out - 1], offsetof(struct staged_key, count)) != 0)
			keys[out++] = keys[i];
	return out;
}

static size_t
those_with_any(struct staged_total *totals, size_t n)
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++)
		if (totals[i].refused != 0 || totals[i].allowed != 0)
			totals[out++] = totals[i];
	return out;
}

static int
counts_file(struct reading *r, struct ctl_staged *m)
{
	int fd = memfile_new("staged"), rc;

	m->n_totals = (uint32_t)those_with_any(r->totals, r->e->policy.image.n[IMAGE_DEVICES]);
	m->n_keys = (uint32_t)each_once(r->keys, r->n_keys);
	if (fd < 0)
		return fd;
	if ((rc = file_write_all(fd, r->totals, m->n_totals * sizeof(*r->totals))) < 0 ||
	    (rc = file_write_all(fd, r->keys, m->n_keys * sizeof(*r->keys))) < 0 || (rc = memfile_seal(fd)) < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

void
ask_staged(struct client *c)
{
	struct enforcer *e = &c->d->enforcer;
	const struct staged_note *note = &e->staged_note;
	struct ctl_staged m = { .staged = e->staged.data != NULL, .since = note->at,
		.counted_since = note->counted_since, .revision = note->revision, .who = note->who };
	struct reading r = { .e = e, .totals = calloc((size_t)e->policy.image.n[IMAGE_DEVICES] + 1,
	    sizeof(struct staged_total)) };
	int rc = r.totals == NULL ? -ENOMEM : 0, fd = -1;

	for (int k = SET_NEWLY_REFUSED; rc == 0 && m.staged && k <= SET_NEWLY_ALLOWED6_PORTLESS; k++)
		rc = read_kind(&r, &e->reader, (enum set_kind)k);
	if (rc == 0)
		rc = fd = counts_file(&r, &m);
	if (rc < 0)
		client_done(c, rc);
	else
		client_answer(c, MSG_CTL_STAGED_IS, &m, sizeof(m), fd);
	if (fd >= 0)
		close(fd);
	free(r.totals);
	free(r.keys);
}

void
ask_staged_image(struct client *c)
{
	struct image_ref ref = { .revision = 0 };

	if (c->d->enforcer.staged.data == NULL)
		client_done(c, -ENOENT);
	else
		client_answer(c, MSG_IMAGE, &ref, sizeof(ref), c->d->enforcer.staged.fd);
}
