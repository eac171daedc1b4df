/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sources.c -- the sources of revocation as people and programs see them. A
 * source that works and one that quietly fails must not look alike. */
#include "ctl/sources.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "ctl/answer.h"
#include "model/words.h"
#include "pki/crl_input.h"

void
trouble_say(json_t *list, const char *fmt, ...)
{
	char text[LIMIT_URL + 1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(list, answer_text(text));
}

bool
source_is_of(const struct view *v, uint32_t i, uint32_t authority)
{
	return authority == 0 || v->image.sources[i].authority == authority;
}

const char *
source_url(const struct view *v, uint32_t i)
{
	const struct image_source *is = &v->image.sources[i];
	uint32_t which = v->sources[i].url < is->urls.n ? v->sources[i].url : 0;

	return image_text(&v->image, v->image.urls[is->urls.first + which]);
}

bool
source_is_delta(const struct view *v, uint32_t i)
{
	return v->sources[i].delta != 0 || (v->image.sources[i].flags & SOURCE_DELTA) != 0;
}

bool
source_is_overdue(const struct view *v, uint32_t i)
{
	const struct pki_source *s = &v->sources[i];

	return s->fetching == 0 && s->next_try != 0 && v->head->taken_at - s->next_try > SOURCE_OVERDUE_MS;
}

/* What the number beside an error says; "" when it says nothing to a person. */
static const char *
error_detail(const struct view *v, uint32_t i, char *buf, size_t size)
{
	static const char *const other[] = { [CRL_OTHER_TEXT] = " (text)", [CRL_OTHER_HTML] = " (a page of HTML)",
		[CRL_OTHER_GZIP] = " (gzip)", [CRL_OTHER_BINARY] = " (other bytes)" };
	const struct pki_source *s = &v->sources[i];
	char limit[SIZE_STRLEN];

	buf[0] = '\0';
	if (s->error == E_FETCH && s->detail != 0)
		snprintf(buf, size, " (%s %" PRIu32 ")", s->detail >= 100 ? "HTTP status" : "curl error", s->detail);
	else if (s->error == E_TOO_BIG)
		snprintf(buf, size, " (%s)", size_format(v->image.sources[i].max_bytes, limit));
	else if (s->error == E_NOT_CRL && s->detail > 0 && s->detail < sizeof(other) / sizeof(other[0]))
		return other[s->detail];
	return buf;
}

const char *
source_error_text(const struct view *v, uint32_t i, char *buf, size_t size)
{
	const struct pki_source *s = &v->sources[i];
	char detail[64];

	buf[0] = '\0';
	if (s->error != E_NONE)
		snprintf(buf, size, "%s: %s%s", word_source_error_key(s->error), word_source_error(s->error),
		    error_detail(v, i, detail, sizeof(detail)));
	return buf;
}

/* ---- for programs ------------------------------------------------------- */

static json_t *
urls_json(const struct view *v, uint32_t i)
{
	const struct image_source *is = &v->image.sources[i];
	json_t *list = json_array();
	uint32_t j;

	for (j = 0; j < is->urls.n; j++)
		json_array_append_new(list, answer_text(image_text(&v->image, v->image.urls[is->urls.first + j])));
	return list;
}

static json_t *
age_json(const struct view *v, const struct pki_source *s)
{
	int64_t ms = v->head->taken_at - s->this_update;

	return s->this_update == 0 ? json_null() : json_integer(ms > 0 ? ms / 1000 : 0);
}

json_t *
source_json(const struct view *v, uint32_t i)
{
	const struct pki_source *s = &v->sources[i];
	char number[2 * sizeof(s->number) + 1], decimal[NUMBER_STRLEN], error[160];
	json_t *j;

	format_hex(s->number, s->number_len, number);
	j = json_pack("{s:o, s:o, s:s, s:s, s:b, s:s?, s:s?, s:s?, s:i, s:s?, s:s?, s:i, s:i, s:o, s:o, s:o, s:o, s:o}",
	    "authority", answer_text(view_authority_name(v, v->image.sources[i].authority)),
	    "url", answer_text(source_url(v, i)), "kind", source_is_delta(v, i) ? "delta" : "full",
	    "state", word_source_state(s->state), "fetching", s->fetching != 0,
	    "error", s->error != E_NONE ? word_source_error_key(s->error) : NULL,
	    "error_text", s->error != E_NONE ? source_error_text(v, i, error, sizeof(error)) : NULL,
	    "advice", s->error != E_NONE ? word_source_error_advice(s->error) : NULL,
	    "detail", (int)s->detail, "number", s->number_len > 0 ? number : NULL,
	    "number_text", s->number_len > 0 ? word_crl_number(s->number, s->number_len, decimal) : NULL,
	    "entries", (int)s->entries, "hits", (int)s->hits,
	    "this_update", answer_time(s->this_update), "next_update", answer_time(s->next_update),
	    "last_success", answer_time(s->last_success), "last_try", answer_time(s->last_try),
	    "next_try", answer_time(s->next_try));
	if (j == NULL)
		return NULL;
	json_object_set_new(j, "urls", urls_json(v, i));
	json_object_set_new(j, "from_devices", json_boolean(v->image.sources[i].flags & SOURCE_FROM_DEVICES));
	json_object_set_new(j, "age_seconds", age_json(v, s));
	json_object_set_new(j, "last_change", answer_time(s->last_change));
	json_object_set_new(j, "failures", json_integer(s->failures));
	json_object_set_new(j, "rollbacks", json_integer(s->rollbacks));
	json_object_set_new(j, "bytes", answer_count(s->bytes));
	json_object_set_new(j, "transfer_ms", json_integer(s->transfer_ms));
	json_object_set_new(j, "crls_in_use", json_integer(s->series));
	json_object_set_new(j, "warnings", answer_warnings(s->warnings));
	json_object_set_new(j, "overdue", json_boolean(source_is_overdue(v, i)));
	return j;
}

json_t *
authority_json(const struct view *v, uint32_t i)
{
	const struct pki_authority *a = &v->authorities[i];

	return json_pack("{s:o, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o}",
	    "authority", answer_text(image_text(&v->image, v->image.authorities[i].name)),
	    "clean", (int)a->clean, "stale", (int)a->stale, "unchecked", (int)a->unchecked, "revoked", (int)a->revoked,
	    "held", (int)a->held, "expired", (int)a->expired, "unrevoked", (int)a->unrevoked, "clones", (int)a->clones,
	    "batch", (int)a->batch, "ocsp_asked", (int)a->ocsp_asked, "ocsp_failed", (int)a->ocsp_failed,
	    "ocsp_unknown", (int)a->ocsp_unknown, "alarms", answer_alarms(a->alarms));
}

/* ---- for people --------------------------------------------------------- */

void
sources_table(struct table *t)
{
	static const char *const heads[] = { "AUTHORITY", "KIND", "STATE", ">NUMBER", ">AGE", "NEXT UPDATE (UTC)",
		">ENTRIES", ">OURS", "LAST SUCCESS (UTC)", "LAST CHANGE (UTC)", "NEXT TRY (UTC)", "ADDRESS", NULL };

	table_init(t, heads);
}

void
source_row(struct table *t, const struct view *v, uint32_t i)
{
	const struct pki_source *s = &v->sources[i];
	char number[NUMBER_STRLEN], text[COUNT_STRLEN], time[TIME_STRLEN], age[AGO_STRLEN];

	table_cell(t, view_authority_name(v, v->image.sources[i].authority));
	table_cell(t, source_is_delta(v, i) ? "delta" : "full");
	table_cellf(t, "%s%s%s", word_source_state(s->state), s->error != E_NONE ? ", FAILING" : "",
	    s->fetching ? ", fetching" : "");
	table_cell(t, s->number_len > 0 ? word_crl_number(s->number, s->number_len, number) : "-");
	table_cell(t, s->this_update != 0 ? format_age(s->this_update, v->head->taken_at, age) : "-");
	table_cell(t, format_time(s->next_update, time));
	table_cell(t, format_count(s->entries, text));
	table_cell(t, format_count(s->hits, text));
	table_cell(t, format_time(s->last_success, time));
	table_cell(t, format_time(s->last_change, time));
	table_cell(t, format_time(s->next_try, time));
	table_cellf(t, "%s%s", source_url(v, i),
	    v->image.sources[i].flags & SOURCE_FROM_DEVICES ? " (from devices' certificates)" : "");
}

/* "factory-ca, http://pki.example/x.crl" */
static const char *
source_name(const struct view *v, uint32_t i, char *buf, size_t size)
{
	snprintf(buf, size, "%s, %s", view_authority_name(v, v->image.sources[i].authority), source_url(v, i));
	return buf;
}

static void
say_state(const struct view *v, uint32_t i, const char *name, json_t *problems, json_t *notes)
{
	const struct pki_source *s = &v->sources[i];
	char time[TIME_STRLEN], error[160];

	if (s->state == SOURCE_EXPIRED || s->state == SOURCE_STALE)
		trouble_say(problems, "revocation is not current: %s is %s, last fetched %s UTC", name,
		    word_source_state(s->state), format_time(s->last_success, time));
	else if (s->state == SOURCE_NEVER && s->last_try != 0 && s->fetching == 0)
		trouble_say(problems, "revocation is not known: %s was never fetched", name);
	else if (s->state == SOURCE_NEVER)
		trouble_say(notes, "%s is not fetched yet", name);
	if (s->error == E_APPLY)
		trouble_say(problems, "a verified revocation is not enforced yet: %s: %s", name, word_source_error(s->error));
	else if (s->error != E_NONE)
		trouble_say(s->state == SOURCE_FRESH || s->state == SOURCE_DUE ? notes : problems,
		    "%s: %s%s%s; %" PRIu32 " failure%s in a row%s", name, source_error_text(v, i, error, sizeof(error)),
		    word_source_error_advice(s->error)[0] != '\0' ? ": " : "", word_source_error_advice(s->error),
		    s->failures, s->failures == 1 ? "" : "s",
		    s->this_update != 0 ? "; the CRL before it still counts" : "");
}

void
source_troubles(const struct view *v, uint32_t i, json_t *problems, json_t *notes)
{
	const struct pki_source *s = &v->sources[i];
	char name[LIMIT_URL + LIMIT_NAME], time[TIME_STRLEN];
	const char *words;
	unsigned bit;

	source_name(v, i, name, sizeof(name));
	say_state(v, i, name, problems, notes);
	if (source_is_overdue(v, i))
		trouble_say(problems, "%s should have been asked at %s UTC and was not: see `journalctl -u cordon'", name,
		    format_time(s->next_try, time));
	if (s->rollbacks != 0)
		trouble_say(notes, "%s: older or double CRLs came %" PRIu32 " time%s and were refused", name, s->rollbacks,
		    s->rollbacks == 1 ? "" : "s");
	for (bit = 0; bit < 32; bit++)
		if ((words = word_warning(s->warnings, bit)) != NULL)
			trouble_say(notes, "%s: %s", name, words);
}

/* The sentences of alarms; each has one count. */
static const struct {
	uint32_t alarm;
	bool problem;		/* revocation does not work as it should */
	size_t count;		/* of struct pki_authority: where its count stands */
	const char *singular, *plural;	/* behind the count */
} alarms[] = {
#define A(alarm, problem, count, singular, plural) \
	{ alarm, problem, offsetof(struct pki_authority, count), singular, plural }
	A(ALARM_SIGNER, true, authority, NULL, "its own certificate, or a signer's, ran out or is revoked: its CRLs revoke, "
	    "but clear nobody; declare the new certificate"),
	A(ALARM_STALE, true, stale, " certificate has no CRL in force that speaks about it",
	    " certificates have no CRL in force that speaks about them"),
	A(ALARM_BATCH, false, batch, " device is taken by the revoked certificate of a CA: see `cordonctl device list'",
	    " devices are taken by the revoked certificate of a CA: see `cordonctl pending' and `cordonctl device list'"),
	A(ALARM_UNREVOKED, false, unrevoked, " device was revoked and is no longer listed: it stays in quarantine; if the CA "
	    "is right, `cordonctl device release NAME --revoked'", " devices were revoked and are no longer listed: they stay "
	    "in quarantine; if the CA is right, `cordonctl device release NAME --revoked'"),
	A(ALARM_CLONES, false, clones, " device has the certificate of another one: cloned, or declared twice",
	    " devices share a certificate with another one: cloned, or declared twice"),
	A(ALARM_REMOVED, false, authority, NULL, "a CRL takes back (removeFromCRL) what cannot be taken back: the devices stay "
	    "in quarantine"),
	A(ALARM_UNCHECKED, false, unchecked, " certificate is unchecked: no CRL speaks about it; give the authority a source, "
	    "or covers = \"all\" where its CRLs name a distribution point and the certificates none (step-ca)",
	    " certificates are unchecked: no CRL speaks about them; give the authority a source, or covers = \"all\" where its "
	    "CRLs name a distribution point and the certificates none (step-ca)"),
	A(ALARM_OCSP_UNKNOWN, false, ocsp_unknown, " serial is unknown to its OCSP responder",
	    " serials are unknown to its OCSP responder"),
#undef A
};

void
authority_troubles(const struct view *v, uint32_t i, json_t *problems, json_t *notes)
{
	const struct pki_authority *a = &v->authorities[i];
	const char *name = image_text(&v->image, v->image.authorities[i].name);
	char n[COUNT_STRLEN];
	uint32_t count;
	size_t j;

	for (j = 0; j < sizeof(alarms) / sizeof(alarms[0]); j++) {
		if ((a->alarms & alarms[j].alarm) == 0)
			continue;
		memcpy(&count, (const char *)a + alarms[j].count, sizeof(count));
		if (alarms[j].singular == NULL)
			n[0] = '\0';
		else
			format_count(count, n);
		trouble_say(alarms[j].problem ? problems : notes, "%s: %s%s", name, n,
		    alarms[j].singular != NULL && count == 1 ? alarms[j].singular : alarms[j].plural);
	}
}

/* ---- the sum ------------------------------------------------------------ */

void
sources_count(const struct view *v, uint32_t authority, struct sources_sum *out)
{
	uint32_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < v->image.n[IMAGE_SOURCES]; i++) {
		if (!source_is_of(v, i, authority))
			continue;
		out->n++;
		if (v->sources[i].state <= SOURCE_EXPIRED)
			out->states[v->sources[i].state]++;
		out->failing += v->sources[i].error != E_NONE;
		out->overdue += source_is_overdue(v, i);
	}
	for (i = 0; i < v->image.n[IMAGE_AUTHORITIES]; i++)
		if (authority == 0 || v->image.authorities[i].number == authority)
			out->alarms += v->authorities[i].alarms != 0;
}

bool
sources_are_current(const struct sources_sum *s)
{
	return s->states[SOURCE_NEVER] + s->states[SOURCE_STALE] + s->states[SOURCE_EXPIRED] + s->failing +
	    s->overdue + s->alarms == 0;
}
