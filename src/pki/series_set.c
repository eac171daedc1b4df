/* SPDX-License-Identifier: GPL-2.0-or-later */
/* series_set.c -- which series there are. What they say is in series.c, what the
 * disk holds of them in store.c. */
#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "pki/series_set.h"

/* ---- identities --------------------------------------------------------- */

void
series_set_identity(const struct authority *a, const uint8_t key[KEY_DIGEST_LEN], const uint8_t scope[32],
    struct store_identity *out)
{
	memset(out, 0, sizeof(*out));
	SHA256((const uint8_t *)a->name, strlen(a->name), out->authority);
	memcpy(out->key, key, sizeof(out->key));
	memcpy(out->scope, scope, sizeof(out->scope));
}

/* All digests of it have one length, so nothing can run into the next. */
void
series_set_signers(const struct authority *a, uint8_t out[32])
{
	uint8_t all[3 * SHA256_DIGEST_LENGTH + 8], *at;
	size_t i;

	memset(out, 0, 32);
	for (i = 0; i < a->n_signers; i++) {
		const struct crl_signer *s = &a->signers[i];

		memcpy(all, out, 32);
		at = all + 32;
		SHA256(s->name, s->name_len, at);
		memcpy(at + 32, a->signed_by[i].key_digest, KEY_DIGEST_LEN);
		memset(at + 64, 0, 8);
		at[64] = s->may_sign;
		at[65] = (uint8_t)a->signed_by[i].role;
		at[66] = (a->flags & AUTHORITY_SHA1) != 0;
		SHA256(all, sizeof(all), out);
	}
}

bool
series_set_find(const struct series_set *set, const char *id, uint32_t *out)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (strcmp(set->series[i].id, id) == 0) {
			*out = (uint32_t)i;
			return true;
		}
	}
	return false;
}

/* ---- the set ------------------------------------------------------------ */

static void
series_done(struct series *s)
{
	series_crl_done(&s->full);
	series_crl_done(&s->delta);
}

void
series_set_done(struct series_set *set)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		series_done(&set->series[i]);
	free(set->series);
	free(set->extra);
	memset(set, 0, sizeof(*set));
}

static int
make_room(struct series_set *set)
{
	size_t room = set->room == 0 ? 16 : 2 * set->room;
	struct series *series;
	struct series_extra *extra;

	if (set->n < set->room)
		return 0;
	if (set->n >= LIMIT_SERIES)
		return -ENOSPC;
	room = room < LIMIT_SERIES ? room : LIMIT_SERIES;
	if ((series = realloc(set->series, room * sizeof(*series))) == NULL)
		return -ENOMEM;
	set->series = series;
	if ((extra = realloc(set->extra, room * sizeof(*extra))) == NULL)
		return -ENOMEM;
	set->extra = extra;
	set->room = room;
	return 0;
}

/* No authority makes so many series that another one has no room for its first ones. */
#define EACH_KEEPS 4

static bool
room_for(const struct series_set *set, const struct authorities *all, uint32_t authority)
{
	size_t has[LIMIT_AUTHORITIES] = { 0 }, kept = set->n, i;

	for (i = 0; i < set->n; i++)
		has[set->series[i].authority]++;
	for (i = 0; i < all->n; i++)
		if (i != authority && has[i] < EACH_KEEPS)
			kept += EACH_KEEPS - has[i];
	return kept < LIMIT_SERIES || has[authority] < EACH_KEEPS;
}

static void
load_marks(int folder, struct series *s, const char *who)
{
	struct store_mark mark;
	int rc, delta;

	for (delta = 0; delta < 2; delta++) {
		struct series_crl *c = delta ? &s->delta : &s->full;

		c->source = PKI_NO_SOURCE;
		rc = store_load_mark(folder, s->id, delta, &mark);
		if (rc == 0) {
			c->highwater = mark.highwater;
		} else if (rc != -ENOENT) {
			log_warn(rc, "%s: the mark of its newest CRL is damaged: nobody is cleared until it is reset",
			    who);
			c->mark_damaged = true;
		}
	}
}

static int
add(struct series_set *set, int folder, const struct authorities *all, uint32_t authority, uint32_t signer,
    const struct store_identity *identity, uint32_t *out)
{
	const struct authority *a = &all->authorities[authority];
	struct series_extra *e;
	struct series *s;
	int rc;

	if (!room_for(set, all, authority))
		return -ENOSPC;
	if ((rc = make_room(set)) < 0)
		return rc;
	s = &set->series[set->n];
	e = &set->extra[set->n];
	memset(s, 0, sizeof(*s));
	memset(e, 0, sizeof(*e));
	s->authority = authority;
	s->signer = signer;
	e->identity = *identity;
	store_series_id(identity, s->id);
	memcpy(s->key_digest, identity->key, sizeof(s->key_digest));
	memcpy(s->scope_digest, identity->scope, sizeof(s->scope_digest));
	load_marks(folder, s, a->name);
	*out = (uint32_t)set->n++;
	return 0;
}

int
series_set_open(struct series_set *set, int folder, const struct authorities *all, uint32_t authority,
    uint32_t signer, const uint8_t scope[32], uint32_t *out)
{
	const struct authority *a = &all->authorities[authority];
	struct store_identity identity;
	char id[STORE_ID_LEN];

	series_set_identity(a, a->signed_by[signer].key_digest, scope, &identity);
	store_series_id(&identity, id);
	if (series_set_find(set, id, out))
		return 0;
	return add(set, folder, all, authority, signer, &identity, out);
}

/* ---- from policy to policy ---------------------------------------------- */

/* Whose it is under that policy. */
static bool
place(const struct authorities *all, const struct store_identity *identity, uint32_t *authority, uint32_t *signer)
{
	uint8_t digest[32];
	uint32_t i;

	for (i = 0; i < all->n; i++) {
		const struct authority *a = &all->authorities[i];

		SHA256((const uint8_t *)a->name, strlen(a->name), digest);
		if (memcmp(digest, identity->authority, sizeof(digest)) != 0)
			continue;
		*authority = i;
		return authority_signer_find(a, identity->key, signer) == 0;
	}
	return false;
}

static void
keep(struct series_set *set, const struct authorities *all)
{
	uint8_t signers[32];
	size_t i, n = 0;
	int delta;

	for (i = 0; i < set->n; i++) {
		struct series s = set->series[i];
		struct series_extra e = set->extra[i];

		if (!place(all, &e.identity, &s.authority, &s.signer)) {
			series_done(&s);
			continue;
		}
		series_set_signers(&all->authorities[s.authority], signers);
		for (delta = 0; delta < 2; delta++) {
			/* Hits have the numbers of the former inventory. */
			struct series_crl *c = delta ? &s.delta : &s.full;

			free(c->hits);
			c->hits = NULL;
			c->n_hits = 0;
			c->source = PKI_NO_SOURCE;
			e.looked[delta] = e.need_scan[delta] = false;
			/* What no disk took can be looked up when it comes again. */
			e.damaged[delta] = e.damaged[delta] || (c->valid && c->unsaved);
			c->valid = c->unsaved = false;
			if (memcmp(signers, e.signers, sizeof(signers)) != 0)
				e.file[delta].known = false;
		}
		s.covers_all = false;
		set->series[n] = s;
		set->extra[n++] = e;
	}
	set->n = n;
}

struct finding_of {
	struct series_set *set;
	int folder;
	const struct authorities *all;
	int error;
};

static void
found(void *arg, const char *id, bool delta)
{
	struct finding_of *f = arg;
	uint32_t at, authority, signer;
	struct store_mark mark;
	struct store_meta meta;
	int fd, rc = 0;

	if (!series_set_find(f->set, id, &at)) {
		if (store_load_mark(f->folder, id, delta, &mark) < 0) {
			if (store_load_meta(f->folder, id, delta, &meta) < 0)
				return;		/* whose it is shows when one like it comes */
			mark.identity = meta.identity;
		}
		if (!place(f->all, &mark.identity, &authority, &signer))
			return;
		rc = add(f->set, f->folder, f->all, authority, signer, &mark.identity, &at);
		if (rc < 0 || strcmp(f->set->series[at].id, id) != 0) {
			f->error = rc;
			return;
		}
	}
	if ((fd = store_open(f->folder, id, delta)) >= 0) {
		f->set->extra[at].need_scan[delta] = true;
		close(fd);
	}
}

int
series_set_renew(struct series_set *set, int folder, const struct authorities *all)
{
	struct finding_of f = { set, folder, all, 0 };
	int rc;

	keep(set, all);
	rc = store_list(folder, found, &f);
	return rc < 0 ? rc : f.error;
}

/* ---- the disk ----------------------------------------------------------- */

void
series_file_note(struct series_file *f, int fd)
{
	struct stat st;

	f->known = fstat(fd, &st) == 0;
	if (!f->known)
		return;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->size = (uint64_t)st.st_size;
	f->mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	f->ctime_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
}

bool
series_file_same(const struct series_file *f, int fd)
{
	struct series_file now = { 0 };

	series_file_note(&now, fd);
	return f->known && now.known && f->dev == now.dev && f->ino == now.ino && f->size == now.size &&
	    f->mtime_ns == now.mtime_ns && f->ctime_ns == now.ctime_ns;
}

int
series_set_install(struct series_set *set, int folder, struct series_ref ref, const char *source, uint32_t part,
    int fd, struct store_meta *meta)
{
	struct series_crl *c = series_set_crl(set, ref);
	struct series_extra *e = &set->extra[ref.series];
	struct store_mark mark = { .identity = e->identity, .highwater = c->highwater };
	int rc;

	meta->identity = e->identity;
	rc = store_install(folder, set->series[ref.series].id, ref.delta, source, part, fd, &mark, meta);
	c->unsaved = rc < 0;
	e->behind[ref.delta] = false;
	e->file[ref.delta].known = false;
	if (rc == 0)
		series_file_note(&e->file[ref.delta], fd);
	return rc;
}

void
series_set_reset(struct series_set *set, int folder, uint32_t series)
{
	struct series *s = &set->series[series];
	int delta, rc;

	for (delta = 0; delta < 2; delta++) {
		struct series_crl *c = delta ? &s->delta : &s->full;

		memset(&c->highwater, 0, sizeof(c->highwater));
		c->mark_damaged = false;
		if ((rc = store_forget_mark(folder, s->id, delta)) < 0)
			log_warn(rc, "the mark of a CRL stays on the disk");
	}
}

/* ---- what a source brings ----------------------------------------------- */

bool
delivery_has(const struct delivery *d, struct series_ref ref)
{
	uint32_t i;

	for (i = 0; i < d->n; i++)
		if (d->of[i].series == ref.series && d->of[i].delta == ref.delta)
			return true;
	return false;
}

void
delivery_add(struct delivery *d, struct series_ref ref)
{
	if (d->n < LIMIT_SERIES_PER_SOURCE && !delivery_has(d, ref))
		d->of[d->n++] = ref;
}

void
delivery_content(const struct series_set *set, const struct delivery *d, uint8_t out[32])
{
	uint8_t all[32 + CRL_DIGEST_MAX];
	uint32_t i;

	memset(out, 0, 32);
	for (i = 0; i < d->n; i++) {
		const struct series_crl *c = series_set_crl(set, d->of[i]);

		memcpy(all, out, 32);
		memset(all + 32, 0, CRL_DIGEST_MAX);
		if (c->valid)
			memcpy(all + 32, c->digest, c->digest_len);
		SHA256(all, sizeof(all), out);
	}
}
