/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_list.c -- the entries of a CRL, one after the other: whose they are, and
 * staging those that are ours. Must not give anything away: crl_scan.c does. */
#include <errno.h>
#include <string.h>

#include "pki/crl_fast.h"
#include "pki/crl_parts.h"
#include "pki/crl_state.h"
#include "pki/name.h"

static void
stage(struct crl_scan *s, const struct crl_entry *e, uint32_t cert)
{
	struct staged *st = &s->staged[cert];
	bool remove = e->reason == CRL_REASON_REMOVE;
	int64_t at = 0;

	/* Listed and taken off in one CRL: listed. */
	if (st->listed && (remove || crl_reason_rank(st->reason) >= crl_reason_rank(e->reason)))
		return;
	(void)der_time(e->date_tag, e->date, e->date_tag == DER_UTCTIME ? 13 : 15, &at);
	st->listed = !remove;
	st->removed = remove;
	st->reason = e->reason;
	st->at = at;
}

bool
crl_list_ours(const struct crl_scan *s, const uint8_t *name, size_t len)
{
	size_t i;

	for (i = 0; i < s->setup.n_names; i++)
		if (name_equal(s->setup.names[i].der, s->setup.names[i].len, name, len))
			return true;
	return false;
}

/* Is one of these GeneralNames a directoryName of the authority? */
static bool
names_ours(const struct crl_scan *s, const uint8_t *names, size_t len)
{
	struct buf all, name;
	uint8_t tag;

	buf_init(&all, names, len);
	while (der_get(&all, &tag, &name) == 0)
		if (tag == 0xa4 && crl_list_ours(s, name.data + name.pos, buf_left(&name)))
			return true;
	return false;
}

/* RFC 5280 5.3.3: an entry without certificateIssuer has that of the entry before.
 * Octet for octet the same as the last time: so is the answer. */
static void
entry_issuer(struct crl_scan *s, const struct crl_entry *e)
{
	s->named_issuer = true;
	if (e->issuer_len > sizeof(s->last_name)) {
		s->foreign = true;
		s->last_name_len = 0;
		return;
	}
	if (e->issuer_len == s->last_name_len && memcmp(e->issuer, s->last_name, e->issuer_len) == 0)
		return;
	memcpy(s->last_name, e->issuer, e->issuer_len);
	s->last_name_len = e->issuer_len;
	s->foreign = !names_ours(s, e->issuer, e->issuer_len);
}

/* Whatever shape it has. */
static int
take_entry(struct crl_scan *s, const uint8_t *p, size_t total)
{
	enum source_error error;
	struct crl_entry e;
	struct serial serial;
	size_t pos = INVENTORY_START;
	uint32_t cert;
	const char *why;

	if ((error = crl_entry_parse(p, total, &e, &why)) != E_NONE)
		return crl_scan_stop(s, error, why);
	if (e.has_issuer)
		entry_issuer(s, &e);
	if (e.extended && s->v.version == 1)
		return crl_scan_stop(s, E_DER, "RFC 5280 5.1.2.1: extensions in a version 1 CRL");
	s->v.entries++;
	s->v.warnings |= e.warnings;
	if (e.reason == CRL_REASON_REMOVE)
		s->v.warnings |= CRL_WARN_REMOVE;
	if (s->staged == NULL || s->foreign)
		return 0;
	serial_load(&serial, e.serial, e.serial_len);
	while (inventory_find(s->setup.inventory, &serial, &pos, &cert))
		stage(s, &e, cert);
	return 0;
}

/* The length of an entry of a usual shape that is certainly none of ours, or 0:
 * to be looked at with care. Nearly all entries end here, in registers. */
static inline size_t
pass_entry(const struct crl_scan *s, const uint8_t *p, size_t avail, uint32_t *warnings)
{
	struct crl_entry e;
	struct serial key;
	size_t total, pos = INVENTORY_START;
	uint32_t cert;

	if ((total = crl_entry_fast(p, avail, &e)) == 0 || (e.extended && s->v.version == 1))
		return 0;
	if (s->filter != NULL) {
		serial_load(&key, e.serial, e.serial_len);
		if (inventory_maybe(s->filter, &key) && inventory_find(s->setup.inventory, &key, &pos, &cert))
			return 0;
	}
	*warnings |= e.warnings | (e.reason == CRL_REASON_REMOVE ? CRL_WARN_REMOVE : 0);
	return total;
}

int
crl_list_step(struct crl_scan *s, const uint8_t *p, size_t avail, size_t *used)
{
	uint64_t start = s->pos, list = s->list_end - start, passed = 0;
	size_t at = 0, total, there = avail < list ? avail : list;
	uint32_t warnings = 0;
	struct der_head h;
	int rc = 0;

	while (at < list) {
		if ((total = pass_entry(s, p + at, there - at, &warnings)) > 0) {
			at += total;
			passed++;
			continue;
		}
		s->pos = start + at;
		if ((rc = crl_scan_element(s, p + at, avail - at, s->list_end, CRL_ENTRY_MAX, &h)) < 0)
			break;
		total = h.head_len + h.len;
		if ((rc = take_entry(s, p + at, total)) < 0)
			break;
		at += total;
	}
	s->v.entries += passed;
	s->v.warnings |= warnings;
	if (rc == -EBADMSG)
		return rc;
	s->pos = start;
	*used = at;
	if (at == list) {
		s->state = S_AFTER_TIME;
		return 0;
	}
	return at > 0 ? 0 : rc;
}
