/* SPDX-License-Identifier: GPL-2.0-or-later */
/* print_authorities.c -- authorities in the admin's words. Certificates stand in the
 * text itself, so that it can be read again without any other file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/addr.h"
#include "model/policy.h"
#include "model/print_parts.h"
#include "model/words.h"

/* ---- certificates ------------------------------------------------------- */

static void
print_base64_line(FILE *out, const uint8_t *data, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t group;
	size_t i, k;

	for (i = 0; i < n; i += 3) {
		group = (uint32_t)data[i] << 16;
		group |= i + 1 < n ? (uint32_t)data[i + 1] << 8 : 0;
		group |= i + 2 < n ? data[i + 2] : 0;
		for (k = 0; k < 4; k++)
			fputc(i + k > n ? '=' : digits[group >> (18 - 6 * k) & 63], out);
	}
}

/* PEM, a line of it per string; libconfig joins them. */
void
print_certificate(struct printer *pr, uint32_t offset, uint32_t len)
{
	const uint8_t *der = pr->im->blobs + offset;
	uint32_t i;

	fputs("\"-----BEGIN CERTIFICATE-----\\n\"\n", pr->out);
	for (i = 0; i < len; i += 48) {
		fputs("\t\t\"", pr->out);
		print_base64_line(pr->out, der + i, len - i < 48 ? len - i : 48);
		fputs("\\n\"\n", pr->out);
	}
	fputs("\t\t\"-----END CERTIFICATE-----\\n\"", pr->out);
}

static void
print_issuers(struct printer *pr, const struct image_authority *a, enum issuer_role role, const char *key)
{
	uint32_t n = 0, i, k;

	for (i = 0; i < a->issuers.n; i++)
		n += pr->im->issuers[a->issuers.first + i].role == role;
	for (i = k = 0; i < a->issuers.n; i++) {
		const struct image_issuer *s = &pr->im->issuers[a->issuers.first + i];

		if (s->role != role)
			continue;
		if (k++ == 0)
			fprintf(pr->out, "\n\t%s = %s", key, n > 1 ? "( " : "");
		else
			fputs(",\n\t\t", pr->out);
		print_certificate(pr, s->certificate, s->certificate_len);
	}
	if (n > 0)
		fputs(n > 1 ? " );" : ";", pr->out);
}

/* ---- sources ------------------------------------------------------------ */

/* "a,b" as [ "a", "b" ]; "none" takes away what the authority says. */
static void
print_parts(struct printer *pr, const char *key, const char *text, char between, const char *like)
{
	const char *end;

	if (strcmp(text, like) == 0)
		return;
	if (text[0] == '\0') {
		fprintf(pr->out, " %s = \"none\";", key);
		return;
	}
	fprintf(pr->out, " %s = [ ", key);
	for (; (end = strchr(text, between)) != NULL; text = end + 1)
		fprintf(pr->out, "\"%.*s\", ", (int)(end - text), text);
	fprintf(pr->out, "\"%s\" ];", text);
}

static bool
same_ca(const struct image *im, const struct image_source *a, const struct image_source *b)
{
	return a->ca_len == b->ca_len && memcmp(im->blobs + a->ca, im->blobs + b->ca, a->ca_len) == 0;
}

/* How to get there, as far as `like' does it otherwise. */
static void
print_transport(struct printer *pr, const struct image_source *s, const struct image_source *like)
{
	const struct image *im = pr->im;
	char text[SIZE_STRLEN], time[DURATION_STRLEN];

	if (s->max_bytes != like->max_bytes)
		fprintf(pr->out, " max_size = \"%s\";", size_format(s->max_bytes, text));
	if (s->timeout_s != like->timeout_s)
		fprintf(pr->out, " timeout = \"%s\";", duration_format(s->timeout_s, time));
	print_parts(pr, "pin", image_text(im, s->pin), ';', image_text(im, like->pin));
	if (strcmp(image_text(im, s->proxy), image_text(im, like->proxy)) != 0)
		fprintf(pr->out, " proxy = \"%s\";", s->proxy != 0 ? image_text(im, s->proxy) : "none");
	print_parts(pr, "no_proxy", image_text(im, s->no_proxy), ',', image_text(im, like->no_proxy));
	print_parts(pr, "hosts", image_text(im, s->hosts), ',', image_text(im, like->hosts));
	if (same_ca(im, s, like))
		return;
	fputs("\n\tca = ", pr->out);
	if (s->ca_len > 0)
		print_certificate(pr, s->ca, s->ca_len);
	else
		fputs("\"none\"", pr->out);
	fputs(";", pr->out);
}

static void
print_deltas(struct printer *pr, const struct image_authority *a, uint32_t base)
{
	uint32_t i, n = 0;

	for (i = base + 1; i < a->sources.first + a->sources.n; i++) {
		const struct image_source *s = &pr->im->sources[i];

		if ((s->flags & SOURCE_DELTA) == 0 || s->base != base)
			continue;
		fprintf(pr->out, "%s\"%s\"", n++ == 0 ? " delta = [ " : ", ", image_source_url(pr->im, s));
	}
	if (n > 0)
		fputs(" ];", pr->out);
}

/* Is its address all there is to say? */
static bool
is_plain(const struct image *im, const struct image_authority *a, uint32_t index, const struct image_source *like)
{
	const struct image_source *s = &im->sources[index];
	uint32_t i;

	for (i = index + 1; i < a->sources.first + a->sources.n; i++)
		if ((im->sources[i].flags & SOURCE_DELTA) != 0 && im->sources[i].base == index)
			return false;
	return s->urls.n == 1 && (s->flags & SOURCE_COVERS_ALL) == 0 && s->refresh_s == a->refresh_s &&
	    s->max_bytes == like->max_bytes && s->timeout_s == like->timeout_s && same_ca(im, s, like) &&
	    strcmp(image_text(im, s->pin), image_text(im, like->pin)) == 0 &&
	    strcmp(image_text(im, s->proxy), image_text(im, like->proxy)) == 0 &&
	    strcmp(image_text(im, s->no_proxy), image_text(im, like->no_proxy)) == 0 &&
	    strcmp(image_text(im, s->hosts), image_text(im, like->hosts)) == 0;
}

static void
print_source(struct printer *pr, const struct image_authority *a, uint32_t index, const struct image_source *like)
{
	const struct image_source *s = &pr->im->sources[index];
	char text[DURATION_STRLEN];
	uint32_t i;

	if (is_plain(pr->im, a, index, like)) {
		fprintf(pr->out, "\"%s\"", image_source_url(pr->im, s));
		return;
	}
	fputs("{ url = ", pr->out);
	for (i = 0; i < s->urls.n; i++)
		fprintf(pr->out, "%s\"%s\"", i > 0 ? ", " : s->urls.n > 1 ? "[ " : "",
		    image_text(pr->im, pr->im->urls[s->urls.first + i]));
	fputs(s->urls.n > 1 ? " ];" : ";", pr->out);
	print_deltas(pr, a, index);
	if ((s->flags & SOURCE_COVERS_ALL) != 0)
		fputs(" covers = \"all\";", pr->out);
	if (s->refresh_s != a->refresh_s)
		fprintf(pr->out, " refresh = \"%s\";", duration_format(s->refresh_s, text));
	print_transport(pr, s, like);
	fputs(" }", pr->out);
}

/* The host of an address, without its port. */
static void
url_host(const char *url, char out[LIMIT_URL])
{
	const char *at = strstr(url, "://") + 3;
	size_t n = at[0] == '[' ? strcspn(++at, "]") : strcspn(at, ":/?#");

	memcpy(out, at, n);
	out[n] = '\0';
}

/* The hosts of what stood in devices' certificates, each once. */
static void
print_device_hosts(struct printer *pr, const struct image_authority *a)
{
	char host[LIMIT_URL], other[LIMIT_URL];
	uint32_t i, k, n = 0;

	for (i = a->sources.first; i < a->sources.first + a->sources.n; i++) {
		if ((pr->im->sources[i].flags & SOURCE_FROM_DEVICES) == 0)
			continue;
		url_host(image_source_url(pr->im, &pr->im->sources[i]), host);
		for (k = a->sources.first; k < i; k++) {
			url_host(image_source_url(pr->im, &pr->im->sources[k]), other);
			if ((pr->im->sources[k].flags & SOURCE_FROM_DEVICES) != 0 && strcasecmp(host, other) == 0)
				break;
		}
		if (k == i)
			fprintf(pr->out, "%s\"%s\"", n++ == 0 ? "\n\tdevices_crl = [ " : ", ", host);
	}
	if (n > 0)
		fputs(" ];", pr->out);
}

/* The sources of devices have what the authority says; others may say otherwise. */
static void
print_sources(struct printer *pr, const struct image_authority *a)
{
	const struct image_source none = { .max_bytes = DEFAULT_CRL_BYTES, .timeout_s = LIMIT_FETCH_SECONDS };
	const struct image_source *like = &none;
	uint32_t i, n = 0;

	for (i = a->sources.first + a->sources.n; i > a->sources.first; i--)
		if ((pr->im->sources[i - 1].flags & SOURCE_FROM_DEVICES) != 0)
			like = &pr->im->sources[i - 1];
	if (like != &none) {
		print_transport(pr, like, &none);
	}
	for (i = a->sources.first; i < a->sources.first + a->sources.n; i++) {
		if ((pr->im->sources[i].flags & (SOURCE_FROM_DEVICES | SOURCE_DELTA)) != 0)
			continue;
		fputs(n++ == 0 ? "\n\tcrl = ( " : ",\n\t\t", pr->out);
		print_source(pr, a, i, like);
	}
	if (n > 0)
		fputs(" );", pr->out);
	print_device_hosts(pr, a);
}

/* ---- the whole ---------------------------------------------------------- */

static void
print_ocsp(struct printer *pr, const struct image_ocsp *o)
{
	char refresh[DURATION_STRLEN], age[DURATION_STRLEN];

	if (o->devices != OCSP_OFF)
		fprintf(pr->out, "\n\tocsp = { url = \"%s\"; devices = \"%s\"; refresh = \"%s\"; max_age = \"%s\"; "
		    "nonce = \"%s\"; unknown = \"%s\"; };", image_text(pr->im, o->url),
		    o->devices == OCSP_ALL ? "all" : "critical", duration_format(o->refresh_s, refresh),
		    duration_format(o->max_age_s, age), o->need_nonce ? "needed" : "wanted",
		    when_stale_word(o->unknown));
}

static void
print_authority(struct printer *pr, const struct image_authority *a)
{
	char refresh[DURATION_STRLEN], skew[DURATION_STRLEN], grace[DURATION_STRLEN], age[DURATION_STRLEN];

	fprintf(pr->out, "\t{ name = \"%s\"; refresh = \"%s\"; skew = \"%s\"; grace = \"%s\"; max_age = \"%s\";\n",
	    image_text(pr->im, a->name), duration_format(a->refresh_s, refresh), duration_format(a->skew_s, skew),
	    duration_format(a->grace_s, grace), duration_format(a->max_age_s, age));
	fprintf(pr->out, "\twhen_stale = \"%s\"; when_unchecked = \"%s\";", when_stale_word(a->when_stale),
	    when_stale_word(a->when_unchecked));
	if (a->restrict_class != 0)
		fprintf(pr->out, " restrict_class = \"%s\";",
		    image_text(pr->im, image_class(pr->im, a->restrict_class)->name));
	fprintf(pr->out, " rollover = \"%s\"; hold = \"%s\"; sha1 = %s;",
	    (a->flags & AUTHORITY_ROLLOVER_SHARED) != 0 ? "shared" : "per-key",
	    (a->flags & AUTHORITY_HOLD_MANUAL) != 0 ? "manual" : "automatic",
	    (a->flags & AUTHORITY_SHA1) != 0 ? "true" : "false");
	print_sources(pr, a);
	print_ocsp(pr, &a->ocsp);
	print_issuers(pr, a, ISSUER_OWN, "certificate");
	print_issuers(pr, a, ISSUER_CRL, "crl_issuer");
	print_issuers(pr, a, ISSUER_OCSP, "ocsp_issuer");
	fputs(" }", pr->out);
}

static int
authority_cmp(const void *a, const void *b, void *arg)
{
	const struct image *im = arg;

	return strcmp(image_text(im, im->authorities[*(const uint32_t *)a].name),
	    image_text(im, im->authorities[*(const uint32_t *)b].name));
}

int
print_authorities(struct printer *pr)
{
	uint32_t n = pr->im->n[IMAGE_AUTHORITIES], i, *order;

	if (n == 0)
		return 0;
	if ((order = calloc(n, sizeof(*order))) == NULL)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof(*order), authority_cmp, (void *)(uintptr_t)pr->im);
	fputs("\nauthorities = (\n", pr->out);
	for (i = 0; i < n; i++) {
		print_authority(pr, &pr->im->authorities[order[i]]);
		fputs(i + 1 < n ? ",\n" : "\n);\n", pr->out);
	}
	free(order);
	return 0;
}
