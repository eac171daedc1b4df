/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reader.h -- what the parts of the configuration reader share: where we are,
 * how a mistake is told, and how values are taken out of libconfig's tree. */
#ifndef CORDON_CONFIG_READER_H
#define CORDON_CONFIG_READER_H

#include <libconfig.h>

#include "model/names.h"
#include "model/policy.h"

/* A certificate, in DER. */
struct der {
	uint8_t *bytes;
	size_t len;
};

struct der_list {
	struct der *d;
	size_t n;
};

/* Distribution points of an authority's devices that become sources. */
struct device_crl {
	struct where where;
	size_t authority;		/* index into the policy's array */
	char **hosts;			/* only at these; owned */
	size_t n_hosts;
	bool private;			/* private addresses will do as well */
	struct source_decl like;
};

/* A certificate that stands behind a device's in its file. */
struct intermediate {
	char key[2 * DIGEST_LEN + 1];	/* of its digest */
	struct where where;		/* of the first device that has it */
	struct der der;
};

struct reader {
	struct policy *p;
	struct mistakes *m;
	int dirfd;
	uint32_t file;			/* index into p->files */
	int64_t now;			/* seconds since 1970, UTC */
	size_t certificates;		/* files of them that were read */
	bool have_appliance;
	bool too_many_services;		/* told already */
	bool too_many_groups;
	bool too_many_schedules;
	uint32_t seen;			/* by the last read_group: bit k: key k was there, or was meant */
	struct device_crl *device_crls;
	size_t n_device_crls;
	struct intermediate **intermediates;
	size_t n_intermediates;
	struct names known_intermediates;	/* by their keys */
	int error;			/* the first negative errno: memory, mostly; it ends the reading */
};

/* ---- mistakes ----------------------------------------------------------- */

void mistake(struct reader *, unsigned line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void advice(struct reader *, unsigned line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

struct where reader_where(const struct reader *, unsigned line);

/* ---- memory ------------------------------------------------------------- */

/* Room for one more, or NULL with r->error set; the array is updated. */
void *reader_grow(struct reader *, void *array, size_t n, size_t record);
/* strdup, or NULL with r->error set. */
char *reader_copy(struct reader *, const char *);

/* ---- files -------------------------------------------------------------- */

/* A whole plain file, NUL-terminated beyond *len; -EINVAL for anything that is
 * none. A FIFO is not waited for. */
int read_plain(int dirfd, const char *path, size_t max, uint8_t **out, size_t *len);

/* ---- what is read (config.c), and again (again.c) ----------------------- */

struct names_list {
	char **names;
	size_t n;
};

/* The files of a folder that are configuration, sorted; others are advised about.
 * An open folder or -errno (-ENOENT: there is none). */
int reader_list(struct reader *, const char *folder, bool csv, struct names_list *);
void names_list_done(struct names_list *);

/* Enter a file under the name that mistakes show. false with r->error set. */
bool reader_name(struct reader *, const char *folder, const char *name);
/* Read the text of the file that was entered last; it is changed. Fills its fact. */
void reader_text(struct reader *, const char *name, char *text, size_t len);
/* Its own tables; the policy and mistakes are the caller's. */
void reader_done(struct reader *);

/* ---- keys --------------------------------------------------------------- */

#define KEY_NEEDED "it needs one"

/* What to do with one key of a group; target is the group's own struct. */
struct key {
	const char *name;
	void (*read)(struct reader *, const config_setting_t *, void *target);
	const char *needed;	/* what to say when it is missing; NULL: it may be */
};

/* Read a group by a table that ends with a NULL name. what: "a class", for
 * messages. false when it is no group. */
bool read_group(struct reader *, const config_setting_t *, const struct key *, const char *what, void *target);

/* Read a list of groups, each by fn. */
void read_list(struct reader *, const config_setting_t *, const char *example,
    void (*fn)(struct reader *, const config_setting_t *));

/* The name in the list that a mistyped word comes closest to; NULL when none is near. */
const char *closest(const char *word, const char *(*nth)(const void *arg, size_t n), const void *arg);

/* ---- values ------------------------------------------------------------- */

/* "a string", "a number" ... */
const char *type_name(const config_setting_t *);
unsigned line_of(const config_setting_t *);
/* The key this value belongs to, also inside a list. */
const char *key_of(const config_setting_t *);

/* Each tells the mistake and answers NULL or false when it is something else. */
const char *want_string(struct reader *, const config_setting_t *, const char *example);
/* A name as names are here, into *out (owned; also when it is none, so that a
 * declaration still stands). what: "class". */
bool want_name(struct reader *, const config_setting_t *, const char *what, const char *example, char **out);
bool want_bool(struct reader *, const config_setting_t *);	/* false also when it is none */
bool want_number(struct reader *, const config_setting_t *, long long min, long long max, long long *out);
bool want_duration(struct reader *, const config_setting_t *, uint32_t min, uint32_t max, uint32_t *out);

/* May one more be declared after n? Tells it once when not, and keeps it in *told. */
bool within_limit(struct reader *, unsigned line, size_t n, size_t max, const char *what, bool *told);

/* Call fn for a single value, or for each of a list or array. A list within is a mistake. */
void each_value(struct reader *, const config_setting_t *,
    void (*fn)(struct reader *, const config_setting_t *, void *arg), void *arg);

/* ---- the parts ---------------------------------------------------------- */

void read_appliance(struct reader *, const config_setting_t *);
void read_authority(struct reader *, const config_setting_t *);
void read_ocsp(struct reader *, const config_setting_t *, struct ocsp_decl *);
void read_class(struct reader *, const config_setting_t *);
void read_device(struct reader *, const config_setting_t *);
void read_csv(struct reader *, char *text, size_t len);
void read_declared_service(struct reader *, const config_setting_t *);
void read_declared_group(struct reader *, const config_setting_t *);
void read_schedule(struct reader *, const config_setting_t *);

/* ---- sources of CRLs (read_source.c) ------------------------------------- */

/* Keys that an authority has for all of its sources; target is a struct source_decl. */
void key_max_size(struct reader *, const config_setting_t *, void *target);
void key_timeout(struct reader *, const config_setting_t *, void *target);
void key_ca(struct reader *, const config_setting_t *, void *target);
void key_pin(struct reader *, const config_setting_t *, void *target);
void key_proxy(struct reader *, const config_setting_t *, void *target);
void key_no_proxy(struct reader *, const config_setting_t *, void *target);
void key_hosts(struct reader *, const config_setting_t *, void *target);
/* Advice when that is very often. */
void check_refresh(struct reader *, const config_setting_t *, uint32_t seconds);
/* A host's name without a pattern, or its address. */
bool is_host(const char *);
/* crl = ...: sources that have what `like' has unless they say otherwise. */
void read_sources(struct reader *, const config_setting_t *, struct authority_decl *, const struct source_decl *like);
/* One more source, without addresses. NULL with r->error set. */
struct source_decl *source_add(struct reader *, struct authority_decl *, const struct source_decl *like);
bool source_like(struct reader *, struct source_decl *out, const struct source_decl *from);

/* ---- rules --------------------------------------------------------------- */

/* allow = ( ... ) or "nothing". */
void read_allow(struct reader *, const config_setting_t *, struct rule **rules, size_t *n);
/* { to = ...; tcp = ...; }, or with from instead of to. */
void read_rule(struct reader *, const config_setting_t *, bool inbound, struct rule **rules, size_t *n);
/* The prefix that an address with bits beyond its length lies in; "" when it is no such. */
void cut_prefix(const char *text, char out[RANGE_STRLEN]);
/* { tcp = ...; } without a destination. */
void read_services(struct reader *, const config_setting_t *, struct service **services, size_t *n);

/* ---- devices, from either kind of file (device_words.c) ----------------- */

void device_set_name(struct reader *, unsigned line, struct device_decl *, const char *);
void device_set_class(struct reader *, unsigned line, struct device_decl *, const char *);
void device_set_via(struct reader *, unsigned line, struct device_decl *, const char *);
void device_set_mac(struct reader *, unsigned line, struct device_decl *, const char *);
void device_add_address(struct reader *, unsigned line, struct device_decl *, const char *);
void device_set_interface(struct reader *, unsigned line, struct device_decl *, const char *);
void device_add_label(struct reader *, unsigned line, struct device_decl *, const char *);
/* One more, until the next; NULL with r->error set. */
struct certificate_decl *device_certificate(struct reader *, unsigned line, struct device_decl *);
void device_set_critical(struct reader *, unsigned line, struct device_decl *, const char *);
void certificate_set_authority(struct reader *, unsigned line, struct certificate_decl *, const char *);
void certificate_set_serial(struct reader *, unsigned line, struct certificate_decl *, const char *);

/* What was written of what a device is known by, right or wrong. */
struct identity {
	bool mac;
	bool via;
	bool address;
	bool interface;
};

/* Is that enough, and not too much? */
void device_check_identity(struct reader *, const struct device_decl *, const struct identity *);
/* Takes *d over, into the policy or to its end. */
void device_finish(struct reader *, struct device_decl *);

/* ---- certificates (certificate.c, issuers.c, distribution.c: the users of OpenSSL) -- */

/* The certificates (DER) of a path below the folder, an absolute path, or text that is
 * PEM itself; one at least, each of at most max bytes. false after telling why not. */
bool read_certificates(struct reader *, unsigned line, const char *path_or_pem, size_t max, struct der_list *);
void der_list_done(struct der_list *);
/* The first of them is the device's; the others are looked for among the authorities'. */
void certificate_read(struct reader *, unsigned line, struct certificate_decl *, const char *path_or_pem);
/* May these issue certificates and CRLs? Tells what is wrong. */
void check_authority(struct reader *, const struct authority_decl *);
/* Is anything said by check_authority that depends on the time? */
bool says_expired(struct reader *, const uint8_t *der, size_t len);
/* Once all is read: whose are the certificates, and do CRL issuers lead to where their
 * authority does? */
void resolve_issuers(struct reader *);

/* Move it to the others; with r->error set it stays. */
void device_crl_take(struct reader *, struct device_crl *);
void device_crl_done(struct device_crl *);
/* The distribution points in devices' certificates, once those are resolved. (distribution.c) */
void resolve_distribution(struct reader *);

#endif
