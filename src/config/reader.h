/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reader.h -- what the parts of the configuration reader share: where we are,
 * how a mistake is told, and how values are taken out of libconfig's tree. */
#ifndef CORDON_CONFIG_READER_H
#define CORDON_CONFIG_READER_H

#include <libconfig.h>

#include "model/policy.h"

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
void read_class(struct reader *, const config_setting_t *);
void read_device(struct reader *, const config_setting_t *);
void read_csv(struct reader *, char *text, size_t len);
void read_declared_service(struct reader *, const config_setting_t *);
void read_declared_group(struct reader *, const config_setting_t *);
void read_schedule(struct reader *, const config_setting_t *);

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
/* Makes d->certificate; NULL with r->error set. */
struct certificate_decl *device_certificate(struct reader *, unsigned line, struct device_decl *);
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

/* ---- certificates (certificate.c, the only user of OpenSSL here) --------- */

/* The certificate (DER, malloc'd) of a path below the folder, an absolute path, or
 * text that is PEM itself. false after telling why not. */
bool read_certificate(struct reader *, unsigned line, const char *path_or_pem, size_t max, uint8_t **der,
    size_t *len);
/* May this one issue CRLs? Tells what is wrong. */
void check_authority(struct reader *, unsigned line, const struct authority_decl *);
/* Take the serial number out of certificate->der. */
void certificate_take_serial(struct reader *, unsigned line, struct certificate_decl *);
/* Once all is read: whose are the certificates that name no authority? */
void resolve_issuers(struct reader *);

#endif
