/* SPDX-License-Identifier: GPL-2.0-or-later */
/* counts.c -- from the kernel's counted sets to cordon-flow.
 *
 * The kernel counts; nobody reads packets. A key whose window is over is
 * deleted, and the notification of that carries its last count, so nothing is
 * lost between the dump and the deletion. A dump during which packets add keys
 * may tell a key twice: counts are absolute, so that does no harm. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/digest.h"
#include "common/log.h"
#include "enforce/cordond.h"
#include "enforce/nft_batch.h"
#include "enforce/nft_read.h"

#define DELETE_AT_ONCE	1000	/* keys per transaction: their notifications must fit the socket */
#define CLOSE_TRIES	8
#define LARGE		20000	/* devices: reading the totals of so many is no small thing */
#define LARGE_TICKS	6	/* of the others, so many are read between two such readings */

struct ended {
	struct element *e;
	size_t n, room;
};

struct counter_dump {
	struct cordond *d;
	struct flow_counts *out;
	enum set_kind kind;
	bool final;
	bool close_all;		/* end every window, however young */
	struct ended *ended;	/* NULL while the last counts come */
	uint32_t keys;		/* of this set */
	struct refused_seen seen;
};

/* Whatever order they come in. */
static void
see(struct refused_seen *s, const struct flow_count *c, enum set_kind kind)
{
	struct {
		struct flow_count count;
		uint32_t kind, pad;
	} what = { .kind = kind };
	uint64_t part[2];
	uint8_t digest[DIGEST_LEN];

	what.count = *c;
	digest_of(&what, sizeof(what), digest);
	memcpy(part, digest, sizeof(part));
	s->sum[0] += part[0];
	s->sum[1] += part[1];
}

static void
send_counts(struct counter_dump *c)
{
	if (c->out->n > 0)
		worker_send(&c->d->workers[SLOT_FLOW], MSG_FLOW_COUNTS, c->out, sizeof(*c->out), -1);
	memset(c->out, 0, sizeof(*c->out));
}

static bool
decode_key(enum set_kind kind, const struct nft_element *e, struct flow_count *out)
{
	const struct set_info *info = set_info(kind);
	uint8_t port[2];
	size_t at = 0;
	bool ok = true;

	memset(out, 0, sizeof(*out));
	for (int i = 0; ok && i < SET_FIELDS_MAX && info->fields[i] != FIELD_NONE; i++) {
		const struct field_info *f = field_info(info->fields[i]);

		if (f->family != 0)
			out->family = f->family;
		if (info->fields[i] == FIELD_MARK)
			ok = nft_key_field(e, &at, &out->mark, 4);
		else if (info->fields[i] == FIELD_ETHER_SADDR)
			ok = nft_key_field(e, &at, out->mac, 6);
		else if (info->fields[i] == FIELD_IP_SADDR || info->fields[i] == FIELD_IP6_SADDR)
			ok = nft_key_field(e, &at, out->source, f->len);
		else if (info->fields[i] == FIELD_IP_DADDR || info->fields[i] == FIELD_IP6_DADDR)
			ok = nft_key_field(e, &at, out->destination, f->len);
		else if (info->fields[i] == FIELD_L4PROTO)
			ok = nft_key_field(e, &at, &out->protocol, 1);
		else if (info->fields[i] == FIELD_DPORT && (ok = nft_key_field(e, &at, port, 2)))
			out->port = (uint16_t)(port[0] << 8 | port[1]);
	}
	out->group = kind == SET_INVALID ? FLOW_INVALID : kind == SET_CROWDED ? FLOW_CROWDED :
	    kind == SET_HASTY ? FLOW_RATE : FLOW_REFUSED;
	out->packets = e->packets;
	out->bytes = e->bytes;
	return ok;
}

static int
note_ended(struct ended *l, enum set_kind kind, const struct nft_element *e)
{
	struct element *el;

	if (e->key_len > KEY_MAX)
		return 0;
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct element *p = reallocarray(l->e, room, sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		l->e = p;
		l->room = room;
	}
	el = &l->e[l->n++];
	memset(el, 0, sizeof(*el));
	el->set.kind = kind;
	el->key_len = (uint8_t)e->key_len;
	memcpy(el->key, e->key, e->key_len);
	return 0;
}

static int
on_key(void *arg, const struct nft_element *e)
{
	struct counter_dump *c = arg;
	uint64_t timeout = set_info(c->kind)->timeout_s * 1000ULL;
	uint64_t window = c->d->enforcer.policy.image.appliance->window_s * 1000ULL;
	struct flow_count *out = &c->out->counts[c->out->n];

	if (!decode_key(c->kind, e, out))
		return 0;
	out->final = c->final;
	see(&c->seen, out, c->kind);
	c->keys++;
	if (++c->out->n == FLOW_COUNTS_MAX)
		send_counts(c);
	/* The kernel tells what is left of a key's life; the rest is its age. */
	if (c->ended != NULL && e->expires_ms != 0 &&
	    (c->close_all || timeout - e->expires_ms >= window))
		return note_ended(c->ended, c->kind, e);
	return 0;
}

static void
on_deleted(void *arg, const struct nlmsghdr *h)
{
	const char *set;

	if (h->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELSETELEM))
		nft_parse_elements(h, &set, on_key, arg);
}

/* Delete these keys; their last counts go out as final ones. */
static int
close_windows(struct counter_dump *c, const struct ended *l)
{
	struct enforcer *e = &c->d->enforcer;
	struct nft_failure failure;
	int rc = 0;

	c->final = true;
	for (size_t i = 0; rc == 0 && i < l->n; i += DELETE_AT_ONCE) {
		struct nft_batch *b = nft_batch_new(RULESET_TABLE, ++e->owner.seq, 0, 0);

		if (b == NULL)
			return -ENOMEM;
		nft_batch_echo(b);
		for (size_t j = i; j < l->n && j < i + DELETE_AT_ONCE; j++)
			if (j == 0 || !element_same_key(&l->e[j], &l->e[j - 1]))
				nft_batch_del_element(b, &l->e[j]);
		rc = nft_batch_send(b, &e->owner, on_deleted, c, &failure);
		nft_batch_free(b);
	}
	c->final = false;
	return rc;
}

static int
by_key(const void *a, const void *b)
{
	return memcmp(((const struct element *)a)->key, ((const struct element *)b)->key, KEY_MAX);
}

static int
dump_set(struct counter_dump *c, size_t *n_ended)
{
	struct ended ended = { 0 };
	int rc;

	c->ended = &ended;
	c->keys = 0;
	rc = nft_read_set(&c->d->enforcer.reader, set_info(c->kind)->name, on_key, c);
	c->ended = NULL;
	/* A key that is deleted may come again with the count it had; a full set counts no more. */
	if (rc != 0 || ended.n > 0 || c->keys >= LIMIT_REFUSED_KEYS)
		c->seen.unknown = true;
	/* A key told twice must not be deleted twice: the second would fail the batch. */
	if (ended.n > 0)
		qsort(ended.e, ended.n, sizeof(*ended.e), by_key);
	if ((rc == 0 || rc == -EAGAIN) && ended.n > 0)
		rc = close_windows(c, &ended);
	*n_ended = ended.n;
	free(ended.e);
	return rc;
}

/* A set that is growing at that moment does not tell all it holds. What ends with
 * its table must be told, so until nothing more is; packets may go on adding. */
static int
dump_whole_set(struct counter_dump *c)
{
	size_t n_ended = 1;
	int rc = 0;

	for (int i = 0; i < CLOSE_TRIES && (rc == -EAGAIN || (rc == 0 && n_ended > 0)); i++)
		rc = dump_set(c, &n_ended);
	return rc;
}

/* ---- totals ------------------------------------------------------------- */

struct total_dump {
	struct cordond *d;
	struct refused_total *totals;
	bool over;
};

static int
on_total(void *arg, const struct nft_element *e)
{
	struct total_dump *t = arg;
	uint32_t number;
	size_t index;

	if (e->key_len != sizeof(number))
		return 0;
	memcpy(&number, e->key, sizeof(number));
	if ((index = enforcer_index(&t->d->enforcer, number >> 8)) == SIZE_MAX)
		return 0;
	if (t->over) {
		t->totals[index].over_packets = e->packets;
		t->totals[index].over_bytes = e->bytes;
	} else {
		t->totals[index].packets = e->packets;
		t->totals[index].bytes = e->bytes;
	}
	return 0;
}

int
counts_totals(struct cordond *d, struct refused_total *totals)
{
	struct total_dump t = { d, totals, false };
	int rc = nft_read_set(&d->enforcer.reader, set_info(SET_TOTAL)->name, on_total, &t);

	if (rc != 0 && rc != -EAGAIN)
		return rc;
	t.over = true;
	rc = nft_read_set(&d->enforcer.reader, set_info(SET_OVER)->name, on_total, &t);
	return rc == -EAGAIN ? 0 : rc;
}

/* A packet that counts in a device's total counts in a key of it, or where there
 * was no room for one in the counter of those: when all of these are what they
 * were before the totals were read last, so are the totals. */
static bool
refused_since(struct cordond *d, struct refused_seen *now)
{
	struct refused_seen *then = &d->refused_seen;

	if (nft_read_counter(&d->enforcer.reader, COUNTER_OVER, &now->over_packets, &now->over_bytes) < 0)
		now->unknown = true;
	return then->unknown || now->unknown || memcmp(then->sum, now->sum, sizeof(now->sum)) != 0 ||
	    then->over_packets != now->over_packets || then->over_bytes != now->over_bytes;
}

static int
send_totals(struct cordond *d)
{
	uint32_t n = d->enforcer.policy.image.n[IMAGE_DEVICES];
	struct refused_total *t = calloc((size_t)n + 1, sizeof(*t));
	struct flow_losses m = { 0 };
	int rc = t == NULL ? -ENOMEM : counts_totals(d, t);

	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		if (t[i].packets == 0)
			continue;
		m.mark = station_mark(&d->enforcer.stations[i]);
		m.total_packets = t[i].packets;
		m.total_bytes = t[i].bytes;
		m.overflow_packets = t[i].over_packets;
		m.overflow_bytes = t[i].over_bytes;
		rc = worker_send(&d->workers[SLOT_FLOW], MSG_FLOW_LOSSES, &m, sizeof(m), -1);
	}
	free(t);
	return rc;
}

static void
send_strangers(struct cordond *d)
{
	struct flow_losses m = { 0 };

	if (nft_read_counter(&d->enforcer.reader, COUNTER_STRANGERS, &m.total_packets, &m.total_bytes) == 0 &&
	    nft_read_counter(&d->enforcer.reader, COUNTER_STRANGERS_OVER, &m.overflow_packets,
	    &m.overflow_bytes) == 0 && m.total_packets != 0)
		worker_send(&d->workers[SLOT_FLOW], MSG_FLOW_LOSSES, &m, sizeof(m), -1);
}

static void
send_losses(struct cordond *d, struct refused_seen *now, bool may_wait)
{
	bool large = d->enforcer.policy.image.n[IMAGE_DEVICES] > LARGE;

	if (refused_since(d, now) && !(may_wait && large && ++d->totals_wait < LARGE_TICKS)) {
		now->unknown |= send_totals(d) < 0;
		d->refused_seen = *now;
		d->totals_wait = 0;
	}
	send_strangers(d);
}

void
counts_anew(struct cordond *d)
{
	d->refused_seen = (struct refused_seen){ .unknown = true };
	d->totals_wait = LARGE_TICKS;
}

static void
read_counts(struct cordond *d, bool close_all, bool may_wait)
{
	static const enum set_kind kinds[] = {
		SET_REFUSED4, SET_REFUSED6, SET_REFUSED4_PORTLESS, SET_REFUSED6_PORTLESS,
		SET_STRANGER4, SET_STRANGER6, SET_STRANGER4_PORTLESS, SET_STRANGER6_PORTLESS,
		SET_INVALID, SET_CROWDED, SET_HASTY,
	};
	struct flow_counts out = { 0 };
	struct counter_dump c = { .d = d, .out = &out, .close_all = close_all };
	size_t n_ended;
	int rc;

	if (d->workers[SLOT_FLOW].state != WORKER_UP)
		return;		/* the kernel keeps counting */
	watch_pause(d);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		c.kind = kinds[i];
		rc = close_all ? dump_whole_set(&c) : dump_set(&c, &n_ended);
		if (rc < 0 && rc != -EAGAIN)
			log_warn(rc, "cannot read the counts of %s", set_info(c.kind)->name);
	}
	watch_resume(d);
	send_counts(&c);
	send_losses(d, &c.seen, may_wait);
}

void
counts_tick(struct cordond *d)
{
	read_counts(d, false, true);
}

void
counts_send(struct cordond *d)
{
	read_counts(d, false, false);
}

void
counts_close(void *arg)
{
	read_counts(arg, true, false);
}
