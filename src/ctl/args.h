/* SPDX-License-Identifier: GPL-2.0-or-later */
/* args.h -- the command line: words and options in any order, by one table. */
#ifndef CORDON_CTL_ARGS_H
#define CORDON_CTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum opt {
	/* global */
	OPT_JSON,
	OPT_RUN,
	OPT_CONFIG,
	OPT_STATE,
	OPT_PROGRAMS,
	OPT_HELP,
	OPT_VERSION,
	/* of single commands */
	OPT_NFT,
	OPT_CLASS,
	OPT_STATION,
	OPT_MAC,
	OPT_ADDRESS,
	OPT_INTERFACE,
	OPT_AUTHORITY,
	OPT_SERIAL,
	OPT_LABEL,
	OPT_REPLACE,
	OPT_REASON,
	OPT_REVOKED,
	OPT_WAIT,
	OPT_DEVICE,
	OPT_SINCE,
	OPT_LIMIT,
	OPT_FOLLOW,
	OPT_CONFIRM,
	OPT_FORCE,
	OPT_AS,
	OPT_TO,
	OPT_FROM,
	OPT_TCP,
	OPT_UDP,
	OPT_SCTP,
	OPT_ICMP,
	OPT_PROTOCOL,
	OPT_AT,
	OPT_CANDIDATE,
	OPT_PREVIOUS,
	OPT_STAGED,
	OPT_UNTIL,
	OPT_WORDS,
	OPT_YES,
	OPT_PENDING,
	OPT_ALL,
	OPT_APPLY,
	OPT_CA,
	OPT_CRL_ISSUER,
	OPT_NUMBER,
	OPT_DELTA_OF,
	OPTS
};

#define OPT_BIT(o) (UINT64_C(1) << (o))
#define OPT_GLOBAL (OPT_BIT(OPT_NFT) - 1)

struct opt_info {
	const char *name;	/* without the dashes */
	const char *value;	/* what stands for it in help; NULL: it takes none */
	bool many;		/* may be given more than once */
	const char *what;
};

extern const struct opt_info opt_infos[OPTS];

#define ARGS_WORDS_MAX	8192	/* a folder of CRLs, or a batch of devices by name */
#define ARGS_OPTIONS_MAX 64	/* given at once; a device has at most 16 addresses */
#define ARGS_WHY_LEN	256

struct args {
	const char *words[ARGS_WORDS_MAX];
	unsigned n_words;
	struct {
		enum opt opt;
		const char *value;
	} given[ARGS_OPTIONS_MAX];
	unsigned n_given;
};

/* Sort argv[1..] into words and options. -EINVAL with the reason in why. */
int args_parse(int argc, char *const argv[], struct args *out, char why[ARGS_WHY_LEN]);

bool args_has(const struct args *, enum opt);

/* The option's value, or NULL; the i-th of an option given several times. */
const char *args_value(const struct args *, enum opt);
const char *args_nth(const struct args *, enum opt, unsigned i);

/* How far two words are apart: characters to insert, delete, replace or swap. */
unsigned args_distance(const char *a, const char *b);

/* The candidate nearest to word, or NULL when none is near enough to be meant.
 * get(arg, i) gives the i-th of n. */
const char *args_nearest(const char *word, size_t n, const char *(*get)(const void *arg, size_t i), const void *arg);

/* "90s", "15m", "1h", "7d": milliseconds; -EINVAL, -ERANGE. */
int args_duration(const char *text, int64_t *ms);

/* RFC 3339 ("2026-11-22T11:20:59Z", with fraction or offset, also a bare date):
 * milliseconds since 1970. -EINVAL. */
int args_rfc3339(const char *text, int64_t *ms);

/* A decimal number of at most max; -EINVAL. */
int args_number(const char *text, uint32_t max, uint32_t *out);

#endif
