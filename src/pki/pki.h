/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pki.h -- cordon-pki's own parts, for its own files only. */
#ifndef CORDON_PKI_PKI_H
#define CORDON_PKI_PKI_H

#include "common/clock.h"
#include "common/ipc.h"
#include "pki/authority.h"
#include "pki/crl_input.h"
#include "pki/source.h"

#define PKI_TRANSFERS	    4		/* at once: one slow server leaves three slots */
#define PKI_JOBS	    (PKI_TRANSFERS + 1)	/* and one look through the cache */
#define PKI_ASK_MS	    30000	/* for cordond to bring a fetcher */
#define PKI_FETCH_MS	    ((int64_t)LIMIT_FETCH_SECONDS * 1000 + 15000)	/* the fetcher ends sooner by itself */
#define PKI_APPLY_MS	    60000	/* for cordond to quarantine */
#define PKI_SEND_MS	    10000	/* for cordond to take a message */
#define PKI_SCAN_PIECE	    (1 << 20)	/* of a cached CRL between two looks at the channels */

enum job_phase {
	JOB_FREE,
	JOB_ASKED,	/* for a fetcher */
	JOB_RECEIVING,
	JOB_SCANNING,	/* a cached CRL */
	JOB_APPLYING,	/* the hits are with cordond */
};

/* One CRL on its way from bytes to quarantine. */
struct job {
	enum job_phase phase;
	struct source *source;
	int64_t deadline_boot;
	struct ipc channel;		/* to cordon-fetch; fd -1: none */
	bool cached;
	bool validated;			/* we sent validators */
	bool header_seen;
	struct fetch_header header;
	struct crl_input input;
	struct crl_scan *scan;
	int file;			/* temporary or cached; -1 */
	int disk_error;			/* of the temporary file; scanning goes on without it */
	uint64_t received;		/* bytes from the fetcher */
	int64_t received_at;
	uint32_t hits;
	struct crl_judgement judgement;
};

struct pki {
	struct ipc channel;		/* to cordond */
	int folder;
	uint64_t revision;
	struct authorities *all;	/* NULL until the first image */
	struct source *sources;
	struct job jobs[PKI_JOBS];
	uint32_t old_answers;		/* PKI_REVOKED that belong to jobs of a former image */
	uint64_t dice;
	bool broken;			/* the channel to cordond is gone */
};

uint32_t pki_random(struct pki *);
void pki_send(struct pki *, uint32_t type, const void *payload, size_t len);
const struct authority *pki_authority(const struct pki *, const struct source *);
const char *pki_url(const struct pki *, const struct source *);

/* load.c: a new image replaces all that came from the one before. 0 or -errno. */
int pki_load_image(struct pki *, int fd, uint64_t revision, const struct clock_view *);
void pki_unload(struct pki *);

/* job.c */
struct job *job_free_slot(struct pki *, bool cached);
void job_start_fetch(struct pki *, struct job *, struct source *, const struct clock_view *);
void job_start_scan(struct pki *, struct job *, struct source *, const struct clock_view *);
void job_fetcher(struct pki *, struct job *, int fd, const struct clock_view *);
void job_receive(struct pki *, struct job *, struct ipc_message *);
void job_step(struct pki *, struct job *, const struct clock_view *);
void job_expire(struct pki *, struct job *, const struct clock_view *);
void job_fail(struct pki *, struct job *, enum source_error, uint32_t detail, const char *why,
    const struct clock_view *);
void job_end(struct pki *, struct job *, const struct clock_view *);

/* verdict.c: all bytes came; then, what cordond made of the hits. */
void job_verdict(struct pki *, struct job *, const struct clock_view *);
void job_applied(struct pki *, struct job *, int error, const struct clock_view *);

#endif
