/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check.h -- `crl check': what cordon would make of a CRL, for its own files only.
 * Who is trusted is worked out first (check_trust.c); then a child that may only
 * compute reads the bytes with the code of cordon-pki (check_read.c, check_judge.c)
 * and sends back what it found, in numbers (check_child.c). */
#ifndef CORDON_CTL_CHECK_H
#define CORDON_CTL_CHECK_H

#include "ctl/ctl.h"
#include "pki/authority.h"
#include "pki/trust.h"

#define CHECK_NONE	UINT32_MAX
#define CHECK_TRUSTED	64	/* authorities that are asked: 256 declared have few names in common */
#define CHECK_NAME	512	/* a distinguished name in words */

/* One who may issue a CRL. */
struct check_authority {
	const char *name;	/* as declared; or the file's */
	uint32_t index;		/* in check.all; CHECK_NONE: of --ca, and not declared */
	const struct crl_name *names;
	size_t n_names;
	struct crl_signer *signers;	/* its own, whom it lets sign, and those of --crl-issuer; owned */
	struct authority_signer *by;	/* as many: their keys and times; owned */
	size_t n_signers;
	size_t n_declared;	/* of these: the others are not in its configuration */
	bool allow_sha1;
	bool covers_all;
	uint64_t max_bytes;
};

/* A certificate that --ca or --crl-issuer brought. */
struct check_certificate {
	X509 *x509;
	struct crl_signer signer;
	struct crl_name name;
	struct authority_signer by;
	const char *file;
};

struct check {
	struct authorities *all;	/* of the policy; NULL: there is none */
	struct check_certificate *cas, *issuers;
	size_t n_cas, n_issuers;
	struct check_authority *list;
	size_t n_list;
	struct pki_clock clock;
	const struct pki_standing *standings;	/* where devices stand already */
	size_t n_standings;
	const char *previous, *delta_of;	/* files, or NULL */
	uint8_t number[CRL_NUMBER_MAX];		/* --number */
	uint8_t number_len;
};

/* 0, or the exit code, said already. image: NULL without a policy. */
int check_trust(struct ctl *, struct check *, const struct image *);
void check_done(struct check *);

/* ---- what comes back ---------------------------------------------------- */

enum check_effect {
	EFFECT_QUARANTINE = 1,	/* it is revoked by it, and was not */
	EFFECT_ALREADY,		/* it is revoked by it, and is in quarantine for that already */
	EFFECT_CLEAR,		/* its hold, or its want of a fresh CRL, ends */
	EFFECT_UNTRUSTED,	/* listed, by a signer of --crl-issuer that the configuration does not name */
	EFFECTS
};

struct check_device {
	uint32_t number;
	uint32_t effect;	/* enum check_effect */
	uint32_t reason;
	uint32_t evidence;
	uint32_t critical;
	uint32_t pad;
	int64_t revoked_at;
};

/* One CRL. Times in milliseconds, 0: none. */
struct check_report {
	uint32_t n;		/* the how manieth of its file, from 0 */
	uint32_t error;		/* enum source_error that refuses it; E_NONE: verified */
	uint32_t detail;	/* of E_NOT_CRL */
	uint32_t limit;		/* enum source_error why it only revokes; E_NONE: it counts in full */
	uint32_t same;		/* it is the one of --previous, octet by octet */
	uint32_t authority;	/* index into check.list; CHECK_NONE: nobody of that name is trusted */
	uint32_t signer;	/* index among its signers; CHECK_NONE */
	uint32_t state;		/* enum source_state at that time */
	uint32_t warnings, scope, reasons, version;
	uint32_t delta, freshest;
	uint32_t covered, certificates;	/* of ours, by its scope */
	uint32_t clean;		/* devices that it proves clean */
	uint32_t n_devices;	/* check_device that follow */
	uint64_t offset, size, entries;
	int64_t this_update, next_update;
	uint8_t number_len, base_len, pad[6];
	uint8_t number[CRL_NUMBER_MAX], base[CRL_NUMBER_MAX];
	char why[200];		/* the rule that it breaks */
	char limit_why[200];
	char issuer[CHECK_NAME], signed_by[CHECK_NAME];
	char algorithm[64];
};

/* A body in which no CRL began, or that ends badly behind some. */
struct check_end {
	uint32_t error;
	uint32_t detail;
	uint32_t crls;		/* that were told before */
	uint32_t pad;
	uint64_t bytes;
	char why[200];
};

enum check_frame {
	FRAME_PROGRESS = 1,	/* uint64_t: bytes read so far */
	FRAME_REPORT,		/* check_report, then its devices */
	FRAME_END,		/* check_end, the last one */
	FRAME_FAILED,		/* check_end: the previous CRL or the base cannot be used */
};

struct check_head {
	uint32_t type;
	uint32_t len;
};

struct check_take {
	void (*progress)(void *arg, uint64_t bytes);
	void (*report)(void *arg, const struct check_report *, const struct check_device *);
	void *arg;
};

/* Read one file in a child. files: of --previous and --delta-of, or -1; all three
 * are closed. 0 with *end; or the exit code, said already. */
int check_child(struct ctl *, struct check *, const char *name, int fd, int previous, int base,
    const struct check_take *, struct check_end *end);

/* ---- in the child ------------------------------------------------------- */

struct check_crl;

struct check_run {
	const struct check *check;
	int out;			/* frames go here */
	struct trust *trust;		/* NULL without a policy */
	uint64_t bytes;
	struct crl_highwater before;	/* of --previous */
	bool before_delta;		/* and its row: kind and scope */
	uint8_t before_scope[32];
	struct series base;		/* of --delta-of */
	bool has_base;
	uint32_t base_authority;	/* index into check.list */
};

#define CHECK_SCANS 16	/* authorities that trust one CRL: more than that have no name in common */

/* The scans that verified it, and for whom (index into check.list). The first
 * speaks for it: one that lists a device of ours, if any does. */
struct check_found {
	const struct crl_scan *scans[CHECK_SCANS];
	uint32_t authorities[CHECK_SCANS];
	size_t n;
};

typedef void check_crl_fn(struct check_run *, struct check_report *, const struct check_found *);

/* Read a body; fn gets each CRL of it, found NULL when it is refused. */
void check_read(struct check_run *, int fd, check_crl_fn *fn, struct check_end *end);

/* What follows from a verified CRL: the rest of the report, and its frame. */
void check_judge(struct check_run *, struct check_report *, const struct check_found *);
void check_take_previous(struct check_run *, struct check_report *, const struct check_found *);
void check_take_base(struct check_run *, struct check_report *, const struct check_found *);

void check_send(const struct check_run *, enum check_frame, const void *, size_t len, const void *more, size_t more_len);

/* Text that is copied whole or cut. */
void check_copy(char *out, size_t size, const char *text);

/* ---- for people --------------------------------------------------------- */

/* How many wait behind the brake of those that would be quarantined. */
struct check_policy {
	const struct image *im;		/* NULL: no policy */
	const char *of;			/* "the running policy" */
	uint32_t brake_devices, brake_used;
};

/* enum ctl_exit: usable, revokes only, refused. */
int check_exit(const struct check_report *);
void check_print(struct ctl *, const char *file, bool one, const struct check *, const struct check_policy *,
    const struct check_report *, const struct check_device *);
json_t *check_json(const char *file, const struct check *, const struct check_policy *, const struct check_report *,
    const struct check_device *);

#endif
