/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pki.h -- cordon-pki's own parts, for its own files only. */
#ifndef CORDON_PKI_PKI_H
#define CORDON_PKI_PKI_H

#include "common/clock.h"
#include "common/ipc.h"
#include "pki/authority.h"
#include "pki/crl_input.h"
#include "pki/series_set.h"
#include "pki/source.h"
#include "pki/spool.h"
#include "pki/trust.h"

#define PKI_TRANSFERS	    4		/* at once, that get on */
#define PKI_ASIDE	    48		/* that crawl: they keep nobody waiting */
#define PKI_JOBS	    (PKI_TRANSFERS + 1 + PKI_ASIDE)	/* one more is for sources that have no CRL in force */
#define PKI_ASK_MS	    30000	/* for cordond to bring a fetcher */
#define PKI_APPLY_MS	    60000	/* for cordond to quarantine */
#define PKI_SEND_MS	    10000	/* for cordond to take a message */
#define PKI_TICK_MS	    1000	/* so often it is looked whether time alone changed something */
#define PKI_JUDGE_MS	    300000	/* and so often all is judged anew: certificates run out */
#define PKI_CHECKED_MS(n)   ((n) < 10000 ? 0 : 2000)	/* PKI_CHECKED of so many devices comes no more often */
#define PKI_SCAN_PIECE	    (1 << 20)	/* of a cached CRL between two looks at the channels */
#define PKI_CANDIDATE_MS    180000	/* a policy that was looked up is applied by then, or never */
#define PKI_FIRST_TRY_MS    120000	/* by then each source had its chance to bring a CRL */

enum job_phase {
	JOB_FREE,
	JOB_WAITING,	/* for the server of its next address: another transfer is there */
	JOB_ASKED,	/* for a fetcher */
	JOB_RECEIVING,
	JOB_SETTLING,	/* all came; what follows from it is with cordond, then goes to the disk */
};

/* A CRL of a transfer that is in use by now; the disk comes when the kernel took it. */
struct taken {
	struct series_ref ref;
	struct spool spool;	/* its bytes */
	struct store_meta meta;
};

struct trouble {
	enum source_error error;
	uint32_t detail;
	const char *why;
};

/* One transfer, with the CRLs that it brings. */
struct job {
	enum job_phase phase;
	struct source *source;
	int64_t deadline_boot;
	int64_t asked_boot;		/* when this address was asked */
	bool aside;			/* it crawls, and does not count among the transfers any more */
	bool spare;			/* nor does this one: its source has no CRL in force */
	struct ipc channel;		/* to cordon-fetch; fd -1: none */
	bool validated;			/* we sent validators */
	bool header_seen;
	bool unchanged;			/* 304 */
	bool skip;			/* the bodies of this part are not wanted */
	bool input_open;
	struct fetch_header header;	/* the last one */
	struct crl_input input;
	struct crl_scan *scan;
	struct spool spool;		/* of the CRL that arrives */
	uint32_t parts;			/* temporary files used */
	uint64_t received;		/* bytes from the fetcher */
	int64_t received_at;
	/* what it brought */
	struct taken *taken;
	uint32_t n_taken;
	struct series_ref *refs;	/* of the authority, new or not; LIMIT_SERIES_PER_SOURCE */
	uint32_t n_refs;
	struct series_ref *refused;	/* replays; as many */
	uint32_t n_refused;
	uint32_t strangers;		/* CRLs of others */
	enum source_error error;	/* the worst that went wrong at this address */
	uint32_t detail;
	const char *why;
	struct trouble former;		/* at an address before this one */
	enum source_error note;		/* in use, but */
	uint32_t round;			/* of settling: when that is through, the kernel took it */
	int64_t took_ms;
	uint32_t retry_after_s;
};

/* A cached CRL that is looked through. */
struct cache_scan {
	bool busy;
	struct series_ref ref;
	int file;
	bool again;		/* verified before by us: only looked up */
	struct crl_scan *scan;
};

/* What cordond has, and what it is being told. */
struct settling {
	bool wanted;		/* something changed that may concern devices */
	bool sent;		/* a batch is with cordond */
	int64_t deadline_boot;
	int64_t again_boot;	/* after a batch that was not taken: not before that; 0: at once */
	uint32_t failures;
	uint32_t round;		/* counts decisions, from 1 */
	uint32_t old_answers;	/* PKI_REVOKED that nobody waits for any more */
	struct pki_revoke *tighten;	/* of the batch, owned */
	size_t n_tighten;
	struct pki_clear *loosen;
	size_t n_loosen;
	struct pki_standing *standings;	/* by device */
	size_t n_standings;
};

/* The look-up of all devices after an image. */
struct lookup {
	bool candidate;		/* the image is not in force yet: it came with PKI_LOOKUP */
	bool owed;		/* cordond waits for PKI_LOOKED */
	bool failed;		/* the last one said so */
	uint32_t found;		/* PKI_REVOKE since the image came */
	int64_t deadline_boot;
};

struct pki {
	struct ipc channel;		/* to cordond */
	int folder;
	uint64_t revision;
	uint8_t image_digest[16];
	int running;			/* image of the policy in force, sealed; -1 */
	uint64_t running_revision;
	struct authorities *all;	/* NULL until the first image */
	struct trust *trust;
	struct source *sources;
	struct delivery *deliveries;	/* as many: what each source brings */
	struct series_set set;
	struct job jobs[PKI_JOBS];
	struct cache_scan cache;
	struct settling settling;
	struct lookup lookup;
	struct reports *reports;	/* report.c */
	struct watch *watch;		/* watch.c */
	struct ocsp_desk *ocsp;		/* ocsp_job.c */
	bool *settled;			/* by authority; trust.h */
	int64_t loaded_boot;		/* when the image came */
	int64_t tick_boot;
	int64_t judged_boot;
	int64_t floor_ms;		/* time is not earlier */
	int64_t floor_saved_ms;
	int64_t floor_saved_boot;
	uint64_t dice;
	bool broken;			/* the channel to cordond is gone */
};

uint32_t pki_random(struct pki *);
void pki_send(struct pki *, uint32_t type, const void *payload, size_t len, int fd);
const struct authority *pki_authority(const struct pki *, const struct source *);
const char *pki_url(const struct source *);	/* of the attempt under way */
struct crl_scan *pki_scan_new(const struct authority *, uint64_t max_size);

/* timekeeping.c */
void pki_clock(const struct pki *, const struct clock_view *, struct pki_clock *out);
void pki_clock_load(struct pki *, const struct clock_view *);
void pki_clock_saw(struct pki *, int64_t this_update, const struct clock_view *);	/* verified */
void pki_clock_save(struct pki *, bool other_writes, const struct clock_view *);

/* load.c: a new image replaces all that came from the one before. 0 or -errno. */
int pki_load_image(struct pki *, int fd, uint64_t revision, bool candidate, const struct clock_view *);
void pki_load_tick(struct pki *, const struct clock_view *);
void pki_unload(struct pki *);

/* slots.c: whose turn it is. */
void jobs_start(struct pki *, const struct clock_view *);
int64_t jobs_wait(const struct pki *, const struct clock_view *, int64_t max);
bool job_server_free(const struct pki *, const struct job *);

/* job.c */
void job_start(struct pki *, struct job *, struct source *, const struct clock_view *);
void job_ask(struct pki *, struct job *, const struct clock_view *);
void job_fetcher(struct pki *, struct job *, int fd, const struct clock_view *);
void job_no_fetcher(struct pki *, struct job *, const struct clock_view *);
void job_receive(struct pki *, struct job *, struct ipc_message *);
void job_expire(struct pki *, struct job *, const struct clock_view *);
void job_give_way(struct pki *, struct job *, const struct clock_view *);
void job_stop(struct pki *, struct job *, const struct clock_view *);

/* verdict.c: one CRL of a transfer is there whole; and what became of all of it. */
extern const struct crl_input_taker job_taker;
struct job_context {	/* its arg */
	struct pki *pki;
	struct job *job;
	struct clock_view now;
};
void job_note(struct job *, enum source_error, uint32_t detail, const char *why);
void job_settled(struct pki *, struct job *, int error, const struct clock_view *);	/* the kernel took it, or did not */
void job_end(struct pki *, struct job *, const struct clock_view *);
void job_fail(struct pki *, struct job *, const struct clock_view *);

/* delivery.c */
void delivery_renew(struct pki *, const struct job *, const struct clock_view *);
bool delivery_load(struct pki *, struct source *);
bool delivery_stands(const struct pki *, const struct source *);
enum source_error delivery_note(struct pki *, const struct job *, const struct clock_view *);

/* cache.c: cached CRLs are looked through, one after another. */
void cache_start(struct pki *, const struct clock_view *);
void cache_step(struct pki *, const struct clock_view *);
void cache_stop(struct pki *);
bool cache_pending(const struct pki *);

/* settle.c: from what is known to what cordond is told. */
void settle_want(struct pki *);
void settle_run(struct pki *, const struct clock_view *);
void settle_answer(struct pki *, int error, const struct clock_view *);
void settle_told(struct pki *);	/* standings came; an answer that is still owed says nothing of them */
int64_t settle_wait(const struct pki *, const struct clock_view *, int64_t max);
void settle_tick(struct pki *, const struct clock_view *);

/* standings.c: what cordond says; and what an acknowledged batch makes of it. */
int settle_standings(struct pki *, int fd, uint32_t n);
int standings_apply(struct settling *);

/* report.c */
int reports_new(struct pki *);
int reports_again(struct pki *);	/* tell all of it once more */
void reports_free(struct pki *);
void reports_judged(struct pki *);
void reports_tell(struct pki *, const struct clock_view *);
int64_t reports_wait(const struct pki *, const struct clock_view *, int64_t max);
void sources_view(struct pki *, const struct clock_view *);

/* watch.c: FETCH_WATCH for file: sources. */
int watch_new(struct pki *);
void watch_free(struct pki *);
void watch_renew(struct pki *, const struct clock_view *);	/* the sources changed */
void watch_fetcher(struct pki *, int fd, const struct clock_view *);	/* fd -1: none */
void watch_receive(struct pki *, struct ipc_message *);
void watch_tick(struct pki *, const struct clock_view *);
int watch_fd(const struct pki *);

/* ocsp_job.c: responders are asked about devices, where the policy says so. */
#define OCSP_AT_ONCE 2	/* responders */
struct ocsp_remembered {
	uint32_t authority;	/* number */
	uint8_t serial_len;
	uint8_t serial[20];
	struct trust_said said;
};
struct ocsp_memory {
	struct ocsp_remembered *of;
	size_t n;
};
void ocsp_keep(struct pki *, struct ocsp_memory *);
int ocsp_new(struct pki *, struct ocsp_memory *, const struct clock_view *);	/* takes it */
bool ocsp_allows(struct pki *, const struct pki_clear *, const struct clock_view *);
void ocsp_forget_wanted(struct pki *);
void ocsp_free(struct pki *);
void ocsp_fetcher(struct pki *, uint32_t authority, int fd, const struct clock_view *);	/* fd -1: none */
void ocsp_run(struct pki *, const struct clock_view *);
int ocsp_fd(const struct pki *, size_t slot);
void ocsp_receive(struct pki *, size_t slot, struct ipc_message *);
const struct trust_ocsp *ocsp_said(const struct pki *);
int64_t ocsp_wait(const struct pki *, const struct clock_view *, int64_t max);

#endif
