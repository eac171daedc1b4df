/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pki.h -- what crosses between cordond, cordon-pki and cordon-fetch; a part of
 * messages.h, whose rules hold here as well. */
#ifndef CORDON_PROTO_PKI_H
#define CORDON_PROTO_PKI_H

#ifndef CORDON_PROTO_MESSAGES_H
#error "include proto/messages.h"
#endif

/* ---- revocation --------------------------------------------------------- */

struct pki_refresh {
	uint32_t authority;	/* number; 0: all */
	uint32_t pad;
};

/* What a fetcher is for. */
enum fetch_kind {
	FETCH_CRL,		/* which: index of a source in the image */
	FETCH_OCSP,		/* which: index of an authority in the image */
	FETCH_WATCH,		/* which: 0; tells when files change, for as long as cordon-pki keeps it */
	FETCH_KINDS
};

struct pki_fetch {
	uint32_t kind;		/* enum fetch_kind */
	uint32_t which;
	uint32_t url;		/* FETCH_CRL: which of the source's addresses, from 0 */
	uint32_t pad;
};

struct pki_fetcher {
	uint32_t kind;
	uint32_t which;
};

/* Where the devices stand by CRLs and OCSP, as cordond has it on the disk: what
 * cordon-pki goes on from. Without those of CAUSE_OPERATOR and CAUSE_NEW. */
struct pki_standings {
	uint32_t n;
	uint32_t pad;
};

struct pki_standing {
	uint32_t device;
	uint32_t cause;		/* bits of enum station_cause, also those that wait behind the brake */
	uint32_t authority;
	uint32_t reason;	/* RFC 5280 5.3.1 CRLReason */
	/* CAUSE_REVOKED: */
	int64_t revoked_at;
	uint8_t serial_len;
	uint8_t serial[20];
	uint8_t dismissed;	/* 1: not in force, an operator said so; other evidence is told all the same */
	uint8_t pad[2];
};
static_assert(sizeof(struct pki_standing) == 48, "wire");

/* By what a device is known to be revoked. */
enum pki_evidence {
	EVIDENCE_CERTIFICATE = 1,	/* its certificate stands on a CRL */
	EVIDENCE_ISSUER,	/* that of the CA that issued it does: a whole batch */
	EVIDENCE_KEY,		/* a certificate with the same key does, and the key is compromised */
	EVIDENCE_OCSP,		/* a responder said so */
	EVIDENCES
};

#define PKI_NO_SOURCE UINT32_MAX

/* A verified revocation (or another cause, with less to say). Those of one CRL
 * come in a row with what it clears, closed by PKI_REVOKE_DONE; what tightens
 * takes effect in one transaction, what loosens in another. */
struct pki_revoke {
	uint32_t device;	/* device number */
	uint32_t authority;	/* authority number */
	uint32_t cause;		/* CAUSE_REVOKED, CAUSE_STALE or CAUSE_LIMITED */
	uint32_t reason;	/* RFC 5280 5.3.1 CRLReason; 0 when the entry has none */
	uint32_t evidence;	/* enum pki_evidence; 0 unless CAUSE_REVOKED */
	uint32_t source;	/* index, or PKI_NO_SOURCE */
	int64_t revoked_at;	/* revocationDate; 0 unless CAUSE_REVOKED */
	uint8_t serial_len;	/* of the certificate that is revoked */
	uint8_t number_len;	/* crlNumber of the CRL, 0: none */
	uint8_t serial[20];
	uint8_t number[20];
	uint8_t pad[6];
};
static_assert(sizeof(struct pki_revoke) == 80, "wire");

/* A cause that no longer holds. cordond takes it where it may end by itself:
 * CAUSE_STALE, CAUSE_LIMITED, and CAUSE_REVOKED of that authority with reason
 * certificateHold; an authority that cannot be told any more is 0. */
struct pki_clear {
	uint32_t device;
	uint32_t authority;
	uint32_t cause;		/* one bit */
	uint32_t pad;
};

struct pki_revoke_done {
	uint32_t source;	/* index, or PKI_NO_SOURCE */
	uint32_t n;		/* how many came before, both kinds */
	int64_t received_at;	/* when the last byte of the CRL had come */
};

struct pki_revoked {
	uint32_t source;
	uint32_t error;		/* errno of the transaction, 0: the kernel took it */
};

/* Answers PKI_LOOKUP: all devices of that candidate are looked up in every CRL
 * at hand; what was found came as PKI_REVOKE before. */
struct pki_looked {
	uint64_t revision;
	uint32_t n;
	uint32_t error;		/* errno */
};

/* What is known of a device by its certificates, one byte each: */
enum device_check {
	CHECK_UNKNOWN,		/* not told yet */
	CHECK_NONE,		/* it has no certificate */
	CHECK_UNCHECKED,	/* no CRL at hand speaks about it */
	CHECK_STALE,		/* the one that does is out of date */
	CHECK_CLEAN,		/* a fresh and complete one does not list it */
	CHECK_HELD,		/* certificateHold */
	CHECK_REVOKED,
	CHECK_EXPIRED,		/* its certificate ran out: CRLs need not speak about it any more */
	CHECKS,
	CHECK_CHAIN_UNKNOWN = 0x80,	/* with any of these: declared by a serial alone, so whether the key
				 * or one CA certificate of several is revoked cannot be known */
};

struct pki_checked {
	uint64_t revision;
	uint32_t n;		/* devices, as in the image: bytes in the file */
	uint32_t pad;
};

/* An authority as a whole; counts are certificates of ours. */
struct pki_authority {
	uint32_t authority;	/* number */
	uint32_t alarms;	/* bits of enum pki_alarm */
	uint32_t clean;
	uint32_t stale;
	uint32_t unchecked;
	uint32_t revoked;
	uint32_t held;
	uint32_t expired;
	uint32_t unrevoked;	/* revoked once, and no longer listed: they stay in quarantine */
	uint32_t clones;	/* devices that share a certificate with another one */
	uint32_t batch;		/* devices that a revoked CA certificate takes */
	uint32_t ocsp_asked;
	uint32_t ocsp_failed;	/* without an answer that counts */
	uint32_t ocsp_unknown;	/* the responder never heard of the serial */
};

enum pki_alarm {
	ALARM_UNREVOKED	= 1 << 0,
	ALARM_CLONES	= 1 << 1,
	ALARM_BATCH	= 1 << 2,
	ALARM_SIGNER	= 1 << 3,	/* its own certificate, or a signer's, ran out or is revoked */
	ALARM_REMOVED	= 1 << 4,	/* removeFromCRL where it has no effect */
	ALARM_STALE	= 1 << 5,
	ALARM_OCSP_UNKNOWN = 1 << 6,
	ALARM_UNCHECKED	= 1 << 7,
	ALARMS		= 0xff,
};

/* Forget the newest number that was ever seen of a source: the CA was built anew. */
struct pki_reset {
	uint32_t source;
	uint32_t pad;
};

enum source_state {
	SOURCE_NEVER = 0,
	SOURCE_FRESH,
	SOURCE_DUE,
	SOURCE_STALE,
	SOURCE_EXPIRED,
};

/* Why the last try of a source changed nothing. */
enum source_error {
	E_NONE = 0,
	E_FETCH,	/* the transfer failed; detail is the HTTP status or curl's number */
	E_EMPTY,
	E_NOT_CRL,	/* HTML, gzip or other bytes that begin no CRL */
	E_TRUNC,
	E_TRAILING,
	E_DER,
	E_SIG,
	E_SIGALG,
	E_WEAK,
	E_SIGNER,
	E_CRITICAL,
	E_IDP,
	E_DUP_EXT,
	E_DELTA,
	E_ROLLBACK,
	E_EQUIVOCATION,
	E_TOO_BIG,
	E_CACHE,
	E_DISK,
	E_APPLY,	/* verified, but the kernel did not take the quarantine yet */
	E_FUTURE,
	E_SIGNER_EXPIRED,	/* revokes, but clears nobody; as those below */
	E_SIGNER_REVOKED,
	E_SCOPE,	/* verified, but of none of our certificates it can be said that it is not on it */
	E_BASE,		/* a delta whose base is missing: revokes, clears nobody */
	E_UNREVOKED,	/* what was revoked is no longer listed */
	E_MARK,		/* the mark of the newest CRL was damaged: clears nobody until an operator resets it */
	E_PRIVATE,	/* its address leads to a private network, where it may not */
	SOURCE_ERRORS
};

struct pki_source {
	uint32_t source;
	uint32_t authority;
	uint32_t state;		/* enum source_state */
	uint32_t error;		/* enum source_error, of the last try */
	uint32_t detail;
	uint32_t entries;	/* of the CRL in use */
	uint32_t hits;		/* devices of ours on it */
	uint32_t fetching;	/* 1: a transfer is under way */
	int64_t this_update;	/* 0: none */
	int64_t next_update;	/* 0: none */
	int64_t last_success;	/* last time that bytes were verified or confirmed by 304 */
	int64_t last_try;
	int64_t next_try;
	int64_t last_change;	/* when the CRL in use came: 0 none */
	uint64_t bytes;		/* of it */
	uint32_t transfer_ms;	/* the last one, from the request to the last byte */
	uint32_t failures;	/* in a row */
	uint32_t rollbacks;	/* older or double CRLs that were refused, since start */
	uint32_t url;		/* which of its addresses answered last */
	uint32_t series;	/* how many CRLs of it are in use (of partitions, of bundles) */
	uint32_t warnings;	/* bits of enum crl_warning */
	uint8_t delta;		/* 1: the CRL in use is a delta */
	uint8_t number_len;	/* octets of the CRL number, 0: none */
	uint8_t number[20];	/* big-endian */
	uint8_t pad[2];
};

/* ---- fetching ----------------------------------------------------------- */

/* What cordond lets a fetcher do; what cordon-pki asks for stays inside of it. */
struct fetch_limits {
	uint64_t max_bytes;
	uint32_t timeout_s;
	uint32_t max_redirects;
	uint32_t kind;		/* enum fetch_kind */
	uint32_t no_private;	/* 1: to no address of a private network, of loopback or of the link */
	char url_prefix[LIMIT_URL];	/* "http://host:port/" that the first URL must begin with; for a file, the whole URL;
				 * "" for a watch */
	char hosts[LIMIT_URL];	/* further hosts that a redirect may lead to, separated by commas */
	char proxy[LIMIT_URL];	/* "": none */
	char no_proxy[LIMIT_URL];	/* hosts, separated by commas */
	char pin[LIMIT_PIN];	/* "": none; otherwise the server's key must be one of these */
};

struct fetch_request {
	char url[LIMIT_URL];
	char etag[256];		/* "" or the validator to send */
	char last_modified[64];
	uint32_t ca_len;	/* HTTPS: the only CA to trust, in DER; 0: the system's */
	uint32_t body_len;	/* FETCH_OCSP: POST this; 0: GET */
	uint8_t ca[LIMIT_FETCH_CA];
	uint8_t body[LIMIT_OCSP_REQUEST];
};

/* One of the files or folders ("file:///.../") to watch, LIMIT_SOURCES at most; the
 * same `which` comes back when it may have changed: once at first, since nobody
 * knows what happened before, then 200 ms after a change, and at most once a
 * second. A second one of the same `which` replaces the first. It need not exist
 * yet. There is no FETCH_REQUEST and no FETCH_END: it ends with the channel. */
struct fetch_watch {
	uint32_t which;
	uint32_t pad;
	char url[LIMIT_URL];	/* file: "": no longer */
};

struct fetch_changed {
	uint32_t which;
	uint32_t pad;
};

/* Comes before the bodies of each CRL. With `part` 0 it is the only one of the
 * transfer. Of a folder ("file:///.../") and of an LDAP entry come several: each
 * with its header (part 1, 2 ...) and then its bodies, so that a header ends the
 * CRL before it and begins the next, and FETCH_END ends the last. `etag` is then
 * the validator of the whole, the same in each of them. A file of a folder that
 * cannot be had is a header with status 403 (not readable) or 413 (larger than
 * max_bytes) and no bodies; the others come all the same. A folder as it was when
 * its validator was given: one header with status 304 and part 0, then FETCH_END.
 * Without any CRL: no header, FETCH_END with E_EMPTY. */
struct fetch_header {
	uint32_t status;	/* HTTP status; 200 for a file */
	uint32_t part;
	char etag[256];
	char last_modified[64];
};

struct fetch_body {
	uint32_t len;		/* 1 .. LIMIT_FETCH_CHUNK */
	uint32_t pad;
	uint8_t data[LIMIT_FETCH_CHUNK];
};

struct fetch_end {
	uint32_t error;		/* 0: all of it came; otherwise enum source_error */
	uint32_t detail;	/* HTTP status, CURLcode or errno */
	uint32_t retry_after_s;	/* the server does not want to be asked again before; 0: it did not say */
	uint32_t pad;
};

#endif
