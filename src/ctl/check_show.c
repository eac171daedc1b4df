/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_show.c -- what `crl check' found, for people and for programs. The first
 * word is the verdict. */
#include <inttypes.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/check.h"
#include "ctl/format.h"

#define SHOWN_MAX 20	/* devices of each kind; the rest is counted */

int
check_exit(const struct check_report *r)
{
	if (r->error != E_NONE)
		return EXIT_MISTAKES;
	return r->limit != E_NONE || r->state == SOURCE_STALE || r->state == SOURCE_EXPIRED ? EXIT_DIFFERS : EXIT_DONE;
}

static const char *
verdict_word(const struct check_report *r)
{
	int exit = check_exit(r);

	return exit == EXIT_DONE ? "usable" : exit == EXIT_DIFFERS ? "revokes-only" : "refused";
}

static const char *
effect_word(uint32_t effect)
{
	static const char *const words[EFFECTS] = { "?", [EFFECT_QUARANTINE] = "quarantine", [EFFECT_ALREADY] = "already",
		[EFFECT_CLEAR] = "clear", [EFFECT_UNTRUSTED] = "listed-by-untrusted" };

	return effect < EFFECTS ? words[effect] : "?";
}

/* ---- what would wait ---------------------------------------------------- */

struct counts {
	uint32_t of[EFFECTS];
	uint32_t waiting;	/* of EFFECT_QUARANTINE */
	bool braked;
};

/* As cordond does: a critical one always waits; the others wait together when they
 * are too many. */
static void
count(const struct check_policy *p, const struct check_report *r, const struct check_device *d, struct counts *out)
{
	uint32_t i, critical = 0;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < r->n_devices; i++) {
		out->of[d[i].effect]++;
		critical += d[i].effect == EFFECT_QUARANTINE && d[i].critical != 0;
	}
	out->waiting = critical;
	out->braked = p->brake_devices != 0 &&
	    (uint64_t)p->brake_used + out->of[EFFECT_QUARANTINE] - critical > p->brake_devices;
	if (out->braked)
		out->waiting = out->of[EFFECT_QUARANTINE];
}

static const char *
device_name(const struct check_policy *p, uint32_t number)
{
	const struct image_device *d = p->im != NULL ? image_device(p->im, number) : NULL;

	return d != NULL ? image_text(p->im, d->name) : "?";
}

/* ---- the scope ---------------------------------------------------------- */

static json_t *
scope_json(const struct check_report *r)
{
	static const struct {
		uint32_t bit;
		const char *key;
	} keys[] = {
		{ CRL_SCOPE_POINT, "distribution-point" }, { CRL_SCOPE_USERS, "only-user-certificates" },
		{ CRL_SCOPE_CAS, "only-ca-certificates" }, { CRL_SCOPE_REASONS, "only-some-reasons" },
		{ CRL_SCOPE_INDIRECT, "indirect" }, { CRL_SCOPE_ATTRIBUTES, "only-attribute-certificates" },
	};
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (r->scope & keys[i].bit)
			json_array_append_new(list, json_string(keys[i].key));
	return list;
}

/* RFC 5280 4.2.1.13, ReasonFlags. */
static json_t *
reasons_json(const struct check_report *r)
{
	static const char *const words[] = { NULL, "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
		"cessationOfOperation", "certificateHold", "privilegeWithdrawn", "aACompromise" };
	json_t *list = json_array();
	size_t i;

	for (i = 1; i < sizeof(words) / sizeof(words[0]); i++)
		if (r->reasons & 1U << i)
			json_array_append_new(list, json_string(words[i]));
	return list;
}

/* ---- for programs ------------------------------------------------------- */

static json_t *
devices_json(const struct check_policy *p, const struct check_report *r, const struct check_device *d)
{
	json_t *list = json_array();
	uint32_t i;

	for (i = 0; i < r->n_devices; i++)
		json_array_append_new(list, json_pack("{s:o, s:s, s:s, s:s?, s:o, s:b}", "device",
		    answer_text(device_name(p, d[i].number)), "effect", effect_word(d[i].effect),
		    "reason", word_crl_reason(d[i].reason),
		    "evidence", d[i].evidence != 0 ? word_evidence_key(d[i].evidence) : NULL,
		    "revoked_at", answer_time(d[i].revoked_at), "critical", d[i].critical != 0));
	return list;
}

static json_t *
effects_json(const struct check_policy *p, const struct check_report *r, const struct check_device *d)
{
	struct counts n;

	if (p->im == NULL)
		return json_null();
	count(p, r, d, &n);
	return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o}", "of", p->of,
	    "quarantine", (int)n.of[EFFECT_QUARANTINE], "waiting", (int)n.waiting, "already", (int)n.of[EFFECT_ALREADY],
	    "clear", (int)n.of[EFFECT_CLEAR], "listed_by_untrusted", (int)n.of[EFFECT_UNTRUSTED], "clean", (int)r->clean,
	    "covered", (int)r->covered, "certificates", (int)r->certificates, "devices", devices_json(p, r, d));
}

json_t *
check_json(const char *file, const struct check *k, const struct check_policy *p, const struct check_report *r,
    const struct check_device *d)
{
	char number[2 * CRL_NUMBER_MAX + 1], decimal[NUMBER_STRLEN], base[NUMBER_STRLEN];
	bool told = r->error == E_NONE;
	json_t *j = json_pack("{s:o, s:i, s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:s?, s:o, s:o, s:o, s:o}",
	    "file", answer_text(file), "n", (int)r->n, "verdict", verdict_word(r),
	    "error", told ? NULL : word_source_error_key(r->error), "error_text", told ? NULL : word_source_error(r->error),
	    "rule", told ? NULL : r->why, "limit", r->limit != E_NONE ? word_source_error_key(r->limit) : NULL,
	    "limit_text", r->limit != E_NONE ? r->limit_why : NULL, "state", told ? word_source_state(r->state) : NULL,
	    "authority", r->authority != CHECK_NONE ? k->list[r->authority].name : NULL,
	    "issuer", r->issuer[0] != '\0' ? answer_text(r->issuer) : json_null(),
	    "signer", r->signed_by[0] != '\0' ? answer_text(r->signed_by) : json_null(),
	    "this_update", answer_time(r->this_update), "next_update", answer_time(r->next_update));

	if (j == NULL)
		return NULL;
	json_object_set_new(j, "offset", told ? json_null() : answer_count(r->offset));
	json_object_set_new(j, "kind", json_string(r->delta ? "delta" : "full"));
	json_object_set_new(j, "number", r->number_len > 0 ? json_string(format_hex(r->number, r->number_len, number)) :
	    json_null());
	json_object_set_new(j, "number_text", r->number_len > 0 ? json_string(word_crl_number(r->number, r->number_len,
	    decimal)) : json_null());
	json_object_set_new(j, "base_number_text", r->base_len > 0 ? json_string(word_crl_number(r->base, r->base_len, base)) :
	    json_null());
	json_object_set_new(j, "same", json_boolean(r->same));
	json_object_set_new(j, "version", json_integer(r->version));
	json_object_set_new(j, "algorithm", r->algorithm[0] != '\0' ? answer_text(r->algorithm) : json_null());
	json_object_set_new(j, "entries", answer_count(r->entries));
	json_object_set_new(j, "bytes", answer_count(r->size));
	json_object_set_new(j, "scope", scope_json(r));
	json_object_set_new(j, "reasons", reasons_json(r));
	json_object_set_new(j, "names_deltas", json_boolean(r->freshest));
	json_object_set_new(j, "warnings", answer_warnings(r->warnings));
	json_object_set_new(j, "effects", told ? effects_json(p, r, d) : json_null());
	return j;
}

/* ---- for people --------------------------------------------------------- */

static void
print_words(FILE *out, const char *head, json_t *list, const char *none)
{
	json_t *word;
	size_t i;

	fprintf(out, "%s%s", head, json_array_size(list) == 0 ? none : "");
	json_array_foreach(list, i, word)
		fprintf(out, "%s%s", i > 0 ? ", " : "", json_string_value(word));
	json_decref(list);
}

/* The name of the file, and which CRL of it. */
static void
print_verdict(struct ctl *c, const char *file, const struct check_report *r)
{
	char shown[4096];

	fprintf(c->out, "%s", format_text(file, shown, sizeof(shown)));
	if (r->n > 0)
		fprintf(c->out, " (CRL %" PRIu32 ")", r->n + 1);
	if (r->error != E_NONE) {
		fprintf(c->out, ": REFUSED, %s: %s", word_source_error_key(r->error), word_source_error(r->error));
		if (r->why[0] != '\0')
			fprintf(c->out, ": %s", format_text(r->why, shown, sizeof(shown)));
		fprintf(c->out, " (at octet %" PRIu64 ")", r->offset);
	} else if (r->limit != E_NONE) {
		fprintf(c->out, ": revokes only, %s: %s", word_source_error_key(r->limit),
		    format_text(r->limit_why, shown, sizeof(shown)));
	} else {
		fprintf(c->out, ": %s%s", check_exit(r) == EXIT_DONE ? "usable, " : "revokes only, ", word_source_state(r->state));
	}
}

static void
print_effect(struct ctl *c, const struct check_policy *p, const struct check_report *r, const struct check_device *d,
    uint32_t effect, const char *head)
{
	char shown[LIMIT_NAME * 4], n[COUNT_STRLEN];
	uint32_t i, all = 0;

	for (i = 0; i < r->n_devices; i++)
		all += d[i].effect == effect;
	if (all == 0)
		return;
	fprintf(c->out, "%s%s: ", head, format_count(all, n));
	for (i = all = 0; i < r->n_devices; i++) {
		if (d[i].effect != effect || all++ >= SHOWN_MAX)
			continue;
		fprintf(c->out, "%s%s", all > 1 ? ", " : "", format_text(device_name(p, d[i].number), shown, sizeof(shown)));
		if (effect != EFFECT_CLEAR)
			fprintf(c->out, " (%s%s%s)", word_crl_reason(d[i].reason),
			    d[i].evidence > EVIDENCE_CERTIFICATE ? ", by its " : "",
			    d[i].evidence > EVIDENCE_CERTIFICATE ? word_evidence_key(d[i].evidence) : "");
	}
	if (all > SHOWN_MAX)
		fprintf(c->out, " and %s more", format_count(all - SHOWN_MAX, n));
	fputc('\n', c->out);
}

static void
print_devices(struct ctl *c, const struct check_policy *p, const struct check *k, const struct check_report *r,
    const struct check_device *d)
{
	struct counts n;
	char a[COUNT_STRLEN], b[COUNT_STRLEN];

	if (p->im == NULL || r->authority == CHECK_NONE || k->list[r->authority].index == CHECK_NONE) {
		fprintf(c->out, "devices      not asked: %s\n", p->im == NULL ? "there is no policy" :
		    "no authority of the policy has this certificate");
		return;
	}
	count(p, r, d, &n);
	fprintf(c->out, "devices      of %s: it speaks about %s of %s certificates of %s; %" PRIu32 " devices are proven clean\n",
	    p->of, format_count(r->covered, a), format_count(r->certificates, b), k->list[r->authority].name, r->clean);
	print_effect(c, p, r, d, EFFECT_QUARANTINE, "  would quarantine ");
	if (n.waiting > 0)
		fprintf(c->out, "  of these %s would wait for a person: %s\n", format_count(n.waiting, a), n.braked ?
		    "more than the brake allows" : "critical");
	print_effect(c, p, r, d, EFFECT_ALREADY, "  in quarantine already ");
	print_effect(c, p, r, d, EFFECT_CLEAR, "  would clear ");
	print_effect(c, p, r, d, EFFECT_UNTRUSTED, "  lists, by a signer that is not declared, ");
	if (r->n_devices == 0)
		fprintf(c->out, "  none of them changes\n");
}

static void
print_details(struct ctl *c, const struct check_report *r)
{
	char shown[4 * CHECK_NAME], time[2][TIME_STRLEN], number[NUMBER_STRLEN], n[2][COUNT_STRLEN];
	const char *words;
	unsigned bit;

	if (r->error != E_NONE)
		fprintf(c->out, "what it says of itself, unverified:\n");
	fprintf(c->out, "issuer       %s\n", r->issuer[0] != '\0' ? format_text(r->issuer, shown, sizeof(shown)) :
	    "cannot be read");
	if (r->signed_by[0] != '\0')
		fprintf(c->out, "signed by    %s, %s\n", format_text(r->signed_by, shown, sizeof(shown)), r->algorithm);
	else if (r->algorithm[0] != '\0')
		fprintf(c->out, "signature    %s, by nobody that is known\n", format_text(r->algorithm, shown, sizeof(shown)));
	fprintf(c->out, "%s    ", r->delta ? "delta CRL" : "full CRL ");
	fprintf(c->out, "%s%s", r->number_len > 0 ? "#" : "without a number",
	    r->number_len > 0 ? word_crl_number(r->number, r->number_len, number) : "");
	if (r->base_len > 0)
		fprintf(c->out, ", of base #%s", word_crl_number(r->base, r->base_len, number));
	fprintf(c->out, "%s; %s %s in %s octets\n", r->same ? ", the same as before" : "", format_count(r->entries, n[0]),
	    r->entries == 1 ? "entry" : "entries", format_count(r->size, n[1]));
	fprintf(c->out, "validity     from %s UTC to %s%s\n", format_time(r->this_update, time[0]),
	    r->next_update != 0 ? format_time(r->next_update, time[1]) : "whenever the next one comes",
	    r->next_update != 0 ? " UTC" : "");
	print_words(c->out, "scope        ", scope_json(r), "all certificates of its issuer");
	if (r->scope & CRL_SCOPE_REASONS)
		print_words(c->out, ": ", reasons_json(r), "");
	fputc('\n', c->out);
	for (bit = 0; bit < 32; bit++)
		if ((words = word_warning(r->warnings, bit)) != NULL)
			fprintf(c->out, "warning      %s\n", words);
}

void
check_print(struct ctl *c, const char *file, bool one, const struct check *k, const struct check_policy *p,
    const struct check_report *r, const struct check_device *d)
{
	struct counts n;
	const char *advice;

	print_verdict(c, file, r);
	if (!one) {
		count(p, r, d, &n);
		if (r->error == E_NONE && p->im != NULL)
			fprintf(c->out, "; quarantine %" PRIu32 " (%" PRIu32 " would wait), clear %" PRIu32, n.of[EFFECT_QUARANTINE],
			    n.waiting, n.of[EFFECT_CLEAR]);
		fputc('\n', c->out);
		return;
	}
	fputc('\n', c->out);
	advice = word_source_error_advice(r->error != E_NONE ? r->error : r->limit);
	if (advice[0] != '\0')
		fprintf(c->out, "             %s\n", advice);
	print_details(c, r);
	if (r->error == E_NONE)
		print_devices(c, p, k, r, d);
}
