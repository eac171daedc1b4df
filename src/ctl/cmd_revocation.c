/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_revocation.c -- revocation list: the serials that operators revoked, with
 * or without a device that has them. */
#include <errno.h>
#include <string.h>

#include "common/file.h"
#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/view.h"
#include "ctl/who.h"

struct revocations {
	const struct ctl_revocation *list;	/* mapped */
	size_t len;
	uint32_t n;
};

static bool
is_sound(const struct ctl_revocation *r)
{
	return r->serial_len > 0 && r->serial_len <= sizeof(r->serial) &&
	    memchr(r->words, '\0', sizeof(r->words)) != NULL && memchr(r->who.login, '\0', CTL_LOGIN) != NULL;
}

static int
fetch(struct client *cl, struct revocations *out)
{
	struct ctl_empty nothing = { 0 };
	struct ctl_history is;
	const void *data;
	uint32_t i;
	int rc;

	if ((rc = client_ask(cl, MSG_CTL_REVOCATIONS, &nothing, sizeof(nothing), MSG_CTL_REVOCATIONS_ARE,
	    CLIENT_TIMEOUT_MS)) < 0)
		return rc;
	memcpy(&is, cl->answer.payload, sizeof(is));
	if (is.n > LIMIT_REVOCATIONS)
		return -EBADMSG;
	*out = (struct revocations){ .n = is.n };
	if (is.n == 0)
		return 0;
	if ((rc = memfile_map(cl->answer.fd, LIMIT_REVOCATIONS * sizeof(*out->list), &data, &out->len)) < 0)
		return rc;
	out->list = data;
	rc = out->len == is.n * sizeof(*out->list) ? 0 : -EBADMSG;
	for (i = 0; i < is.n && rc == 0; i++)
		rc = is_sound(&out->list[i]) ? 0 : -EBADMSG;
	if (rc < 0)
		memfile_unmap(data, out->len);
	return rc;
}

/* Whose certificate it is now; NULL: nobody's. */
static const char *
device_with(const struct image *im, const struct ctl_revocation *r)
{
	uint32_t i, j;

	for (i = 0; i < im->n[IMAGE_DEVICES]; i++)
		for (j = 0; j < im->devices[i].certificates.n; j++) {
			const struct image_certificate *cert = &im->certificates[im->devices[i].certificates.first + j];

			if (cert->authority == r->authority && cert->serial_len == r->serial_len &&
			    memcmp(cert->serial, r->serial, r->serial_len) == 0)
				return image_text(im, im->devices[i].name);
		}
	return NULL;
}

static json_t *
one_json(const struct view *v, const struct ctl_revocation *r)
{
	const char *device = device_with(&v->image, r);
	char serial[2 * sizeof(r->serial) + 1];

	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "authority",
	    answer_text(view_authority_name(v, r->authority)), "serial", format_hex(r->serial, r->serial_len, serial),
	    "reason", word_crl_reason(r->reason), "since", answer_time(r->since), "until", answer_time(r->until),
	    "device", device != NULL ? answer_text(device) : json_null(), "who", who_json(&r->who),
	    "words", r->words[0] != '\0' ? answer_text(r->words) : json_null());
}

static void
one_row(struct table *t, const struct view *v, const struct ctl_revocation *r)
{
	const char *device = device_with(&v->image, r);
	char serial[2 * sizeof(r->serial) + 1], time[TIME_STRLEN], who[WHO_STRLEN];

	table_cell(t, view_authority_name(v, r->authority));
	table_cell(t, format_hex(r->serial, r->serial_len, serial));
	table_cell(t, device != NULL ? device : "-");
	table_cell(t, word_crl_reason(r->reason));
	table_cell(t, format_time(r->since, time));
	table_cell(t, format_time(r->until, time));
	table_cell(t, who_text(&r->who, who));
	table_cell(t, r->words);
}

static int
show(struct ctl *c, const struct view *v, const struct revocations *all)
{
	static const char *const heads[] = { "AUTHORITY", "SERIAL", "DEVICE", "REASON", "SINCE (UTC)", "UNTIL (UTC)",
		"BY", "WORDS", NULL };
	json_t *list = json_array();
	struct table t;
	uint32_t i;
	int rc = EXIT_DONE;

	table_init(&t, heads);
	for (i = 0; i < all->n; i++) {
		if (c->json)
			json_array_append_new(list, one_json(v, &all->list[i]));
		else
			one_row(&t, v, &all->list[i]);
	}
	if (c->json)
		rc = ctl_json(c, EXIT_DONE, json_pack("{s:o, s:O}", "revision", answer_count(v->revision),
		    "revocations", list));
	else if (all->n == 0)
		fprintf(c->out, "no operator revoked a serial\n");
	else
		table_print(&t, true, c->out);
	table_done(&t);
	json_decref(list);
	return rc;
}

static int
list(struct ctl *c, struct client *cl, struct view *v)
{
	struct revocations all;
	int rc = fetch(cl, &all);

	if (rc < 0)
		return client_fail(c, rc, "revocations");
	rc = show(c, v, &all);
	if (all.list != NULL)
		memfile_unmap(all.list, all.len);
	return rc;
}

int
cmd_revocation_list(struct ctl *c)
{
	return view_with(c, list);
}
