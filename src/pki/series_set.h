/* SPDX-License-Identifier: GPL-2.0-or-later */
/* series_set.h -- all series that are known, in memory and on the disk, and which
 * source brings which of them. */
#ifndef CORDON_PKI_SERIES_SET_H
#define CORDON_PKI_SERIES_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pki/authority.h"
#include "pki/series.h"
#include "pki/store.h"

/* One CRL in use: a series, and which kind. */
struct series_ref {
	uint32_t series;	/* index */
	bool delta;
};

/* The file as it was when we verified it: the same one need not be hashed again. */
struct series_file {
	bool known;
	uint64_t dev, ino, size;
	int64_t mtime_ns, ctime_ns;
};

/* What the engine knows of a series beside what it says; [1] is the delta. */
struct series_extra {
	struct store_identity identity;
	uint8_t signers[32];	/* digest over the authority's names and signers, as it was verified with them */
	bool need_scan[2];	/* its file is to be looked through */
	bool looked[2];		/* its hits are of the present inventory */
	bool damaged[2];	/* it should have been looked through and could not: its devices are not looked up */
	bool behind[2];		/* older than its mark: revokes, clears nobody */
	struct series_file file[2];
	uint8_t state[2];	/* enum source_state when last looked at */
	uint8_t signer;		/* enum source_error of its signer, the same */
};

struct series_set {
	struct series *series;
	struct series_extra *extra;
	size_t n, room;
};

struct delivery {
	uint32_t n;
	struct series_ref of[LIMIT_SERIES_PER_SOURCE];
	uint8_t content[32];	/* what its validators belong to */
	struct series_ref refused;	/* the last replay that was refused; series TRUST_NONE: none */
};

static inline struct series_crl *
series_set_crl(const struct series_set *set, struct series_ref ref)
{
	struct series *s = &set->series[ref.series];

	return ref.delta ? &s->delta : &s->full;
}

void series_set_done(struct series_set *);

void series_set_identity(const struct authority *, const uint8_t key[KEY_DIGEST_LEN], const uint8_t scope[32],
    struct store_identity *out);

/* What a verified CRL of that authority depends on beside its bytes. */
void series_set_signers(const struct authority *, uint8_t out[32]);

/* The series of that authority, signer and scope, made when there is none yet;
 * its marks are read from the disk then. 0, -ENOSPC beyond LIMIT_SERIES, -ENOMEM. */
int series_set_open(struct series_set *, int folder, const struct authorities *, uint32_t authority,
    uint32_t signer, const uint8_t scope[32], uint32_t *out);

/* NULL, or the series' index there. */
bool series_set_find(const struct series_set *, const char *id, uint32_t *out);

/* The series of another policy: those of authorities that are still there, each
 * with its key among the signers, stay, and are looked through again; those on the
 * disk that are not known yet come in. */
int series_set_renew(struct series_set *, int folder, const struct authorities *);

/* Install a CRL that is in use: mark, bytes, record. 0 or -errno. */
int series_set_install(struct series_set *, int folder, struct series_ref, const char *source, uint32_t part,
    int fd, struct store_meta *);

/* Forget marks and what is known of them. */
void series_set_reset(struct series_set *, int folder, uint32_t series);

bool series_file_same(const struct series_file *, int fd);
void series_file_note(struct series_file *, int fd);

/* A digest over what the source brings, for its validators. */
void delivery_content(const struct series_set *, const struct delivery *, uint8_t out[32]);
bool delivery_has(const struct delivery *, struct series_ref);
void delivery_add(struct delivery *, struct series_ref);

#endif
