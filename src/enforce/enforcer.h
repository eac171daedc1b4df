/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enforcer.h -- the running policy and the kernel that holds it: load or adopt
 * at start, apply a new policy, move devices between stations. Every change is
 * one transaction; what fails changes nothing. */
#ifndef CORDON_ENFORCE_ENFORCER_H
#define CORDON_ENFORCE_ENFORCER_H

#include <stdbool.h>
#include <stdint.h>

#include "enforce/journal.h"
#include "enforce/nft_socket.h"
#include "enforce/policy_store.h"
#include "model/ruleset.h"
#include "proto/messages.h"

/* Of the policy that stands staged. */
struct staged_note {
	int64_t at;
	int64_t counted_since;		/* later than that when the table was made anew */
	uint64_t revision;		/* enforced then */
	uint8_t digest[32];		/* of its image */
	struct ctl_who who;
};

struct enforcer {
	struct nft_socket owner;	/* transactions; outlives us in cordon-spawn's hands */
	struct nft_socket reader;	/* dumps */
	int dirfd;			/* state folder; borrowed */
	struct features features;
	struct loaded_policy policy;
	uint64_t absent;		/* of its ruleset: looked up once, not at each quarantine */
	struct loaded_policy staged;	/* beside it; without data: none */
	struct staged_note staged_note;
	struct station *stations;	/* parallel to the image's devices */
	struct standing **standings;	/* the same; NULL: nothing is known of it */
	uint32_t *again;		/* devices that the last apply renewed, by index: for enforcer_judge_again */
	uint32_t n_again;
	int64_t applied_at;
	bool healthy;			/* kernel and model were compared and agree */
	bool disk_ok;			/* the journal took the last record */
	size_t appended;		/* records of the journal since it was written anew */
	bool digest_kept;		/* how the kernel shows our rules is on the disk */
	uint32_t foreign_changes;
	void (*before_anew)(void *);	/* called when the table is to be made anew, or NULL */
	void *before_anew_arg;
};

/* What to take into force, and how. */
struct apply_order {
	int image_fd;			/* sealed memory */
	uint64_t revision;		/* its number, above every one in the store */
	bool trial;			/* it waits for its confirmation: no start loads it by itself */
	bool stored;			/* an earlier policy: devices may come back that were gone */
	bool despite_disk;		/* in force even when it could not be written down */
	bool on_disk;			/* it is in the store, and stays there whatever comes */
	const struct standing *starts;	/* added to what is known of these devices of it, each once */
	size_t n_starts;
	/* The last word before anything changes, or NULL: 0, or a refusal. */
	int (*before)(void *, const struct ruleset *next);
	void *before_arg;
};

/* What an apply did. */
struct apply_report {
	uint32_t added, removed, renewed;
	uint32_t forgotten;		/* open connections of addresses that changed hands */
	bool rules;			/* more than elements changed */
	int not_saved;			/* errno: it could not be written down */
	uint32_t unstaged;		/* enum staged_end: what was staged is no longer */
	int not_forgotten;		/* errno: they could not be found */
	uint32_t microseconds;		/* of the kernel's transaction */
	uint32_t all_microseconds;	/* of everything, from the image on */
	const char *why;		/* a refused image: static text */
	char refused[1024];		/* what the kernel did not take, with file and line; "" */
};

/* What start found. */
struct start_report {
	bool adopted;			/* the rules stood already and were right */
	bool rebuilt;			/* they stood and were not: put right in one transaction */
	bool caught_up;			/* those of the policy before stood: the newest came as by an apply */
	char differs[SET_NAMELEN];	/* where */
	bool staged_damaged;		/* what was staged could not be read, and is no longer */
	uint32_t images_passed_over;
	uint32_t records_damaged;
	uint32_t flows_forgotten;
	uint32_t quarantined;
};

/* owner_fd: a netfilter netlink socket that somebody else keeps open as well.
 * trial: load this unconfirmed revision, not the newest image; 0: none.
 * force_absent: see features_force_absent, or NULL. now: for log and records. */
int enforcer_start(struct enforcer *, int owner_fd, int dirfd, uint64_t trial, const char *force_absent,
    int64_t now, struct start_report *);
void enforcer_done(struct enforcer *);

struct ruleset enforcer_ruleset(const struct enforcer *);

/* Another policy is in e->policy: what is kept about it is found anew. */
void enforcer_policy_changed(struct enforcer *);

/* Take a policy into force. 0 or -errno; the old one stays then. */
int enforcer_apply(struct enforcer *, const struct apply_order *, int64_t now, struct apply_report *);

/* After an apply: another generation for the devices that it renewed. A transaction
 * is not one moment for packets: what they see of maps changes at once, and what
 * goes from sets of ranges goes a little later. In between a flow can be admitted
 * by what goes under the mark that comes, and would stay. 0 when there are none. */
int enforcer_judge_again(struct enforcer *);

/* Write the whole journal anew, after a disk had refused a part of it. */
int enforcer_rewrite_journal(struct enforcer *);

/* Did so much come since then that it should be, before it is too large to be read?
 * Whoever makes an authority hold and release devices makes it longer. */
bool enforcer_journal_long(const struct enforcer *);

/* Give each of these devices, all known and each once, another standing, in one
 * transaction. Tightening acts in the kernel first and is written down then:
 * disk_ok tells when the disk refused. Loosening is written down first, durably;
 * what the disk refuses changes nothing. */
int enforcer_tighten(struct enforcer *, const struct standing *next, size_t n);
int enforcer_loosen(struct enforcer *, const struct standing *next, size_t n);

/* Where a device stands by what is known of it (s may be NULL): quarantined and
 * limited in *st. true when that is elsewhere than before. */
bool station_place(const struct image *, const struct image_device *, const struct standing *s, struct station *st);

/* Compare with the kernel; put right in one transaction what differs. */
int enforcer_restore(struct enforcer *, bool *differed, char where[SET_NAMELEN]);

/* The index of a device in the image, or SIZE_MAX. */
size_t enforcer_index(const struct enforcer *, uint32_t number);

#endif
