/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device.c -- one device, for the commands that show it: where it stands, and
 * what its certificates are known to be. What cannot be known is said. */
#include "ctl/device.h"

#include <inttypes.h>
#include <string.h>

#include "ctl/answer.h"
#include "ctl/format.h"
#include "ctl/identity.h"
#include "ctl/pending.h"
#include "ctl/reach.h"
#include "ctl/sources.h"
#include "ctl/who.h"

json_t *
device_json(const struct view *v, const struct image_device *d)
{
	const struct snapshot_device *s = view_state(v, d);
	const struct image *im = &v->image;
	json_t *labels = json_array(), *j;
	char mark[16];
	uint32_t i;

	for (i = 0; i < d->labels.n; i++)
		json_array_append_new(labels, answer_text(image_text(im, im->labels[d->labels.first + i])));
	snprintf(mark, sizeof(mark), "0x%08" PRIx32, s->mark);
	j = json_pack("{s:o, s:i, s:o, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:s?, s:o, s:s, s:o, s:o, s:o}",
	    "name", answer_text(image_text(im, d->name)), "number", (int)d->number,
	    "class", answer_text(view_class_name(v, d->class_number)), "station", word_station(s->where),
	    "cause", answer_cause(s->cause), "since", answer_time(s->since), "identity", identity_kind(d),
	    "mac", identity_mac_json(d, IDENTITY_OWN), "via", identity_mac_json(d, IDENTITY_VIA),
	    "addresses", identity_addresses(im, d),
	    "interface", d->interface != 0 ? image_text(im, d->interface) : NULL,
	    "labels", labels, "mark", mark, "refused_packets", answer_count(s->refused_packets),
	    "refused_bytes", answer_count(s->refused_bytes), "where", reach_where_json(im, &d->where));
	if (j == NULL)
		return NULL;
	json_object_set_new(j, "critical", json_boolean(d->flags & DEVICE_CRITICAL));
	json_object_set_new(j, "pending", answer_cause(s->pending));
	json_object_set_new(j, "check", json_string(word_check(s->check)));
	json_object_set_new(j, "chain_known", json_boolean((s->check & CHECK_CHAIN_UNKNOWN) == 0));
	json_object_set_new(j, "until", answer_time(s->until));
	return j;
}

/* ---- who said so -------------------------------------------------------- */

json_t *
device_revoked_json(const struct view *v, const struct snapshot_device *s)
{
	char serial[2 * sizeof(s->serial) + 1], number[2 * sizeof(s->crl_number) + 1];

	if (((s->cause | s->pending) & CAUSE_REVOKED) == 0)
		return json_null();
	return json_pack("{s:o, s:s, s:o, s:s?, s:s?, s:s?, s:b}", "authority",
	    answer_text(view_authority_name(v, s->authority)), "reason", word_crl_reason(s->crl_reason),
	    "at", answer_time(s->revoked_at), "evidence", s->evidence != 0 ? word_evidence_key(s->evidence) : NULL,
	    "serial", s->serial_len > 0 ? format_hex(s->serial, s->serial_len, serial) : NULL,
	    "crl_number", s->crl_number_len > 0 ? format_hex(s->crl_number, s->crl_number_len, number) : NULL,
	    "pending", (s->cause & CAUSE_REVOKED) == 0);
}

json_t *
device_operator_json(const struct snapshot_device *s)
{
	struct ctl_who who = { .uid = s->uid };

	if ((s->cause & CAUSE_OPERATOR) == 0)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "who", who_json(&who), "until", answer_time(s->until),
	    "words", s->words[0] != '\0' ? answer_text(s->words) : json_null());
}

/* ---- what is known by its certificates ---------------------------------- */

/* The newest CRL in use of the authority of one of its certificates, to name it. */
static const struct pki_source *
crl_of(const struct view *v, const struct image_device *d, uint32_t *authority)
{
	const struct pki_source *best = NULL;
	uint32_t i, j;

	for (j = 0; j < d->certificates.n; j++) {
		*authority = v->image.certificates[d->certificates.first + j].authority;
		for (i = 0; i < v->image.n[IMAGE_SOURCES]; i++)
			if (v->image.sources[i].authority == *authority && v->sources[i].this_update != 0 &&
			    (best == NULL || v->sources[i].this_update > best->this_update))
				best = &v->sources[i];
	}
	return best;
}

static bool
has_source(const struct view *v, uint32_t authority)
{
	const struct image_authority *a = image_authority(&v->image, authority);

	return a != NULL && a->sources.n > 0;
}

static void
say_unchecked(const struct view *v, const struct image_device *d, json_t *list)
{
	uint32_t i;

	for (i = 0; i < d->certificates.n; i++) {
		uint32_t authority = v->image.certificates[d->certificates.first + i].authority;

		if (!has_source(v, authority))
			trouble_say(list, "unchecked: %s has no CRL: nobody could say that it is revoked; declare a source",
			    view_authority_name(v, authority));
		else
			trouble_say(list, "unchecked: no CRL of %s in use speaks about it: none was fetched yet, or they speak "
			    "about others (their scope); see `cordonctl crl list'", view_authority_name(v, authority));
	}
}

static void
say_check(const struct view *v, const struct image_device *d, json_t *list)
{
	const struct snapshot_device *s = view_state(v, d);
	uint32_t authority = 0;
	const struct pki_source *crl = crl_of(v, d, &authority);
	char number[NUMBER_STRLEN], time[TIME_STRLEN], by[LIMIT_NAME + NUMBER_STRLEN + 64] = "";

	if (crl != NULL)
		snprintf(by, sizeof(by), " by the CRL%s%s of %s, of %s UTC", crl->number_len > 0 ? " #" : "",
		    crl->number_len > 0 ? word_crl_number(crl->number, crl->number_len, number) : "",
		    view_authority_name(v, authority), format_time(crl->this_update, time));
	switch (s->check & ~(uint32_t)CHECK_CHAIN_UNKNOWN) {
	case CHECK_NONE:
		trouble_say(list, "no certificate: it cannot be revoked by a CA; `cordonctl device revoke' can");
		break;
	case CHECK_UNCHECKED:
		say_unchecked(v, d, list);
		break;
	case CHECK_STALE:
		trouble_say(list, "stale: it was not listed%s, but that one is out of date: whether it still holds is not known",
		    by);
		break;
	case CHECK_CLEAN:
		trouble_say(list, "clean%s", by);
		break;
	case CHECK_HELD:
		trouble_say(list, "on hold%s: the CA may take that back", by);
		break;
	case CHECK_REVOKED:
		trouble_say(list, "revoked%s", by);
		break;
	case CHECK_EXPIRED:
		trouble_say(list, "its certificate ran out: CRLs need not speak about it any more");
		break;
	default:
		trouble_say(list, "not told yet");
	}
}

json_t *
device_check_json(const struct view *v, const struct image_device *d)
{
	json_t *list = json_array();

	say_check(v, d, list);
	if (view_state(v, d)->check & CHECK_CHAIN_UNKNOWN)
		trouble_say(list, "declared by its serial alone: whether a CA certificate above it, or another certificate with "
		    "its key, is revoked cannot be known; declare its certificate file");
	return list;
}

/* ---- for people --------------------------------------------------------- */

static void
print_revoked(struct ctl *c, const struct view *v, const struct snapshot_device *s)
{
	char time[TIME_STRLEN], serial[2 * sizeof(s->serial) + 1], number[NUMBER_STRLEN];

	if (((s->cause | s->pending) & CAUSE_REVOKED) == 0)
		return;
	fprintf(c->out, "revoked      by %s: %s, at %s UTC\n", view_authority_name(v, s->authority),
	    word_crl_reason(s->crl_reason), format_time(s->revoked_at, time));
	if (s->evidence != 0)
		fprintf(c->out, "evidence     %s%s%s%s%s\n", word_evidence(s->evidence),
		    s->serial_len > 0 ? "; serial " : "", s->serial_len > 0 ? format_hex(s->serial, s->serial_len, serial) : "",
		    s->crl_number_len > 0 ? "; CRL #" : "",
		    s->crl_number_len > 0 ? word_crl_number(s->crl_number, s->crl_number_len, number) : "");
}

static void
print_operator(struct ctl *c, const struct snapshot_device *s)
{
	char words[4 * sizeof(s->words)], who[WHO_STRLEN], shown[2 * WHO_STRLEN], until[TIME_STRLEN];
	struct ctl_who by = { .uid = s->uid };

	if (s->words[0] == '\0' && (s->cause & CAUSE_OPERATOR) == 0)
		return;
	fprintf(c->out, "operator     %s", format_text(who_text(&by, who), shown, sizeof(shown)));
	if (s->words[0] != '\0')
		fprintf(c->out, ": \"%s\"", format_text(s->words, words, sizeof(words)));
	fprintf(c->out, "%s%s%s\n", s->until != 0 ? ", until " : "", s->until != 0 ? format_time(s->until, until) : "",
	    s->until != 0 ? " UTC" : "");
}

void
device_print_station(struct ctl *c, const struct view *v, const struct image_device *d)
{
	const struct snapshot_device *s = view_state(v, d);
	char cause[CAUSE_STRLEN], time[TIME_STRLEN], n[2][COUNT_STRLEN];

	fprintf(c->out, "station      %s%s%s%s%s\n", word_station(s->where), s->cause != 0 ? ", because: " : "",
	    s->cause != 0 ? word_cause(s->cause, cause) : "", s->since != 0 ? ", since " : "",
	    s->since != 0 ? format_time(s->since, time) : "");
	if (s->pending != 0)
		fprintf(c->out, "pending      %s: %s; `cordonctl pending confirm %s' has it take effect\n",
		    word_cause(s->pending, cause), strcmp(pending_why(d), "critical") == 0 ?
		    "the device is critical, so a person decides" : "more devices at once than the brake allows",
		    image_text(&v->image, d->name));
	print_revoked(c, v, s);
	print_operator(c, s);
	if (d->flags & DEVICE_CRITICAL)
		fputs("critical     yes: it is never quarantined by itself\n", c->out);
	fprintf(c->out, "mark         0x%08" PRIx32 "\n", s->mark);
	fprintf(c->out, "refused      %s packets, %s bytes since the rules were loaded\n",
	    format_count(s->refused_packets, n[0]), format_count(s->refused_bytes, n[1]));
}

void
device_print_certificates(struct ctl *c, const struct view *v, const struct image_device *d)
{
	json_t *said = device_check_json(v, d), *line;
	char shown[2048];
	size_t at;
	uint32_t i;

	if (d->certificates.n == 0)
		fprintf(c->out, "certificate  none declared\n");
	for (i = 0; i < d->certificates.n; i++) {
		const struct image_certificate *cert = &v->image.certificates[d->certificates.first + i];
		char serial[2 * sizeof(cert->serial) + 1];

		fprintf(c->out, "certificate  serial %s of %s%s\n", format_hex(cert->serial, cert->serial_len, serial),
		    view_authority_name(v, cert->authority), cert->chain_len > 0 ? "" : ", by its serial alone");
	}
	json_array_foreach(said, at, line)
		fprintf(c->out, "%s %s\n", at == 0 ? "checked     " : "            ",
		    format_text(json_string_value(line), shown, sizeof(shown)));
	json_decref(said);
}
