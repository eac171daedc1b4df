/* SPDX-License-Identifier: GPL-2.0-or-later */
/* revocation.h -- cordond's side of revocation: what cordon-pki finds, how much of
 * it acts at once, what operators say, and what a new policy waits for. */
#ifndef CORDON_ENFORCE_REVOCATION_H
#define CORDON_ENFORCE_REVOCATION_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enforce/brake.h"
#include "enforce/device_events.h"
#include "enforce/serials.h"
#include "enforce/standing.h"
#include "enforce/policy_store.h"

struct cordond;
struct client;

/* What cordon-pki says in a row, until its PKI_REVOKE_DONE. */
struct findings {
	struct pki_revoke *found;
	size_t n_found, room_found;
	struct pki_clear *cleared;
	size_t n_cleared, room_cleared;
	bool lost;			/* memory was short: not all of them stand here */
};

/* A policy that waits until its devices are looked up (lookup.c). */
struct lookup {
	bool waits;			/* a change does */
	bool asked;			/* cordon-pki goes by the candidate, until it is told the image again */
	bool answered;			/* all that is on its CRLs is known */
	uint64_t burnt;			/* a number whose answer may still come */
	struct loaded_policy candidate;	/* without data: none */
	uint8_t *news;			/* of its devices: enum device_news */
	struct findings held;		/* about those */
	struct event *timer;
};

enum device_news {
	NEWS_NONE,
	NEWS_DEVICE,			/* the running policy does not have it */
	NEWS_CERTIFICATE,		/* it has it, without that certificate */
};

struct revocation {
	struct brake brake;
	struct serials serials;
	struct findings findings;
	struct lookup lookup;
	uint64_t looked;		/* revision whose devices all are looked up */
	uint32_t ask_ticks;		/* for how long they were not, of the one in force */
	struct event *until_timer;
	struct pki_authority *authorities;	/* parallel to the image's */
	uint8_t *checks;		/* enum device_check, parallel to its devices, or NULL */
};

/* When the rules stand and the loop does not run yet. */
int revocation_init(struct cordond *);
void revocation_done(struct cordond *);
/* Every few seconds: what a disk had refused. */
void revocation_tick(struct cordond *);
/* Another policy is in force: what was told of the one before is no more. */
void revocation_forget(struct cordond *);

/* ---- findings (findings.c) ---------------------------------------------- */

/* -ENOMEM: not kept, and `lost' says so. */
int findings_add(struct findings *, const struct pki_revoke *);
int findings_add_clear(struct findings *, const struct pki_clear *);
void findings_empty(struct findings *);
void findings_done(struct findings *);

/* All that tightens in one transaction, as far as the brake lets it, then all that
 * loosens in another. 0 or -errno. received_at: for the log, 0: nobody knows. */
int findings_act(struct cordond *, const struct findings *, int64_t received_at);

/* ---- a list of standings that come (standings.c) ------------------------ */

struct standings {
	struct standing *list;
	size_t n;
	uint32_t *places;		/* by index in the image, 1 + index in the list; 0: not there */
	size_t room;
};

/* For up to n devices of the running policy. */
int standings_init(struct standings *, struct cordond *, size_t n);
void standings_done(struct standings *);
/* The one of that device, which is as it stands when it was not there yet. */
struct standing *standings_at(struct standings *, struct cordond *, size_t index);

/* Take these into force, tell everybody, and write down what happened to each.
 * loosen: see enforcer_loosen. who and words: of an operator, or NULL. */
int cordond_stand(struct cordond *, const struct standing *, size_t n, bool loosen, enum device_happening what,
    const struct ctl_who *who, const char *words);
/* Write down; a disk that refuses is told once in the log. */
void cordond_events(struct cordond *, const struct device_event *, size_t n);

/* ---- looked up before it is applied (lookup.c) -------------------------- */

/* A change comes: which of its devices are new? 1: it has to wait, and
 * change_go_on is called later; 0: it has not; -errno. */
int lookup_begin(struct cordond *, int image_fd, uint64_t revision);
/* The numbers and standings that its new devices begin with; the caller frees. */
int lookup_starts(struct cordond *, const struct image *next, bool answered, struct standing **out, size_t *n);
/* The change is in force, or not. */
void lookup_end(struct cordond *, bool in_force);
/* cordon-pki is up, or says that it looked everything up. */
void lookup_pki_up(struct cordond *);
void lookup_answered(struct cordond *, const struct pki_looked *);
/* Devices that waited for that get their access. */
void lookup_let_out(struct cordond *);
/* Is a finding about this device to be kept for the change that waits? */
bool lookup_holds(const struct cordond *, uint32_t device);

/* ---- operators (stand_ask.c) -------------------------------------------- */

void ask_stand(struct client *, struct ctl_stand *, int fd);
void ask_events(struct client *, const struct ctl_device *);
void ask_revocations(struct client *);
void ask_crl_reset(struct client *, const struct pki_reset *);

/* ---- what ends by itself (until.c) -------------------------------------- */

/* At the start: time since boot counts from here. */
void until_begin(struct cordond *);
/* End what has ended, and wake up for the next. */
void until_check(struct cordond *);

#endif
