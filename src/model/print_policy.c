/* SPDX-License-Identifier: GPL-2.0-or-later */
/* print_policy.c -- an image back in the admin's words. Certificates stand in the
 * text itself, so that it can be read again without any other file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
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
static void
print_certificate(struct printer *pr, const char *key, uint32_t offset, uint32_t len)
{
	const uint8_t *der = pr->im->blobs + offset;
	uint32_t i;

	fprintf(pr->out, "%s = \"-----BEGIN CERTIFICATE-----\\n\"\n", key);
	for (i = 0; i < len; i += 48) {
		fputs("\t\t\"", pr->out);
		print_base64_line(pr->out, der + i, len - i < 48 ? len - i : 48);
		fputs("\\n\"\n", pr->out);
	}
	fputs("\t\t\"-----END CERTIFICATE-----\\n\";", pr->out);
}

/* ---- the parts ---------------------------------------------------------- */

static int
print_appliance(struct printer *pr)
{
	const struct image *im = pr->im;
	const struct image_appliance *a = im->appliance;
	char text[DURATION_STRLEN];
	uint32_t i;
	int rc;

	fputs("appliance: {\n\tdevice_interfaces = [ ", pr->out);
	for (i = 0; i < im->n[IMAGE_INTERFACES]; i++)
		fprintf(pr->out, "%s\"%s\"", i == 0 ? "" : ", ", image_text(im, im->interfaces[i].name));
	fputs(" ];\n", pr->out);
	if (a->services.n > 0) {
		fputs("\tservices = ( {", pr->out);
		if ((rc = print_services(pr, im->boxes + a->services.first, a->services.n)) < 0)
			return rc;
		fputs(" } );\n", pr->out);
	}
	if (a->brake_devices > 0)
		fprintf(pr->out, "\tbrake: { devices = %u; within = \"%s\"; };\n", a->brake_devices,
		    duration_format(a->brake_within_s, text));
	fputs("\tquarantine: { ", pr->out);
	if ((rc = print_allow(pr, &im->classes[0])) < 0)
		return rc;
	fprintf(pr->out, " };\n\thook_priority = %d;\n\tlog_group = %u;\n\tconnections = %u;\n\twindow = \"%s\";\n};\n",
	    a->hook_priority, a->log_group, a->connections, duration_format(a->window_s, text));
	return 0;
}

static void
print_authority(struct printer *pr, const struct image_authority *a)
{
	char text[DURATION_STRLEN];
	uint32_t i;

	fprintf(pr->out, "\t{ name = \"%s\"; refresh = \"%s\"; when_stale = \"keep\";\n\t", image_text(pr->im, a->name),
	    duration_format(a->refresh_s, text));
	for (i = 0; i < a->sources.n; i++)
		fprintf(pr->out, "%s\"%s\"%s", i == 0 ? "crl = [ " : ", ",
		    image_source_url(pr->im, &pr->im->sources[a->sources.first + i]),
		    i + 1 == a->sources.n ? " ];\n\t" : "");
	print_certificate(pr, "certificate", pr->im->issuers[a->issuers.first].certificate,
	    pr->im->issuers[a->issuers.first].certificate_len);
	fputs(" }", pr->out);
}

static void
print_device_certificate(struct printer *pr, const struct image_certificate *c)
{
	uint32_t i;

	if (c->chain_len > 0) {
		fputs("\n\tcertificate = { ", pr->out);
		print_certificate(pr, "file", c->chain, c->chain_len);
		fputs(" };", pr->out);
		return;
	}
	fprintf(pr->out, " certificate = { authority = \"%s\"; serial = \"",
	    image_text(pr->im, image_authority(pr->im, c->authority)->name));
	for (i = 0; i < c->serial_len; i++)
		fprintf(pr->out, "%02x", c->serial[i]);
	fputs("\"; };", pr->out);
}

static void
print_addresses(struct printer *pr, const struct image_device *d)
{
	char text[ADDR_STRLEN];
	struct addr a;
	uint32_t i;

	for (i = 0; i < d->addresses.n; i++) {
		const struct image_address *from = &pr->im->addresses[d->addresses.first + i];

		memset(&a, 0, sizeof(a));
		a.family = from->family;
		memcpy(a.bytes, from->bytes, sizeof(a.bytes));
		fprintf(pr->out, "%s\"%s%s\"%s", i == 0 ? " address = [ " : ", ", addr_format(&a, text),
		    image_address_is_whole(from) ? "" : "/64", i + 1 == d->addresses.n ? " ];" : "");
	}
}

static void
print_device(struct printer *pr, const struct image_device *d)
{
	const struct image *im = pr->im;
	char text[MAC_STRLEN];
	struct mac mac;
	uint32_t i;

	memcpy(mac.bytes, d->mac, sizeof(mac.bytes));
	fprintf(pr->out, "\t{ name = \"%s\"; class = \"%s\";", image_text(im, d->name),
	    image_text(im, image_class(im, d->class_number)->name));
	if (d->identity != IDENTITY_ROUTED)
		fprintf(pr->out, " %s = \"%s\";", d->identity == IDENTITY_VIA ? "via" : "mac",
		    mac_format(&mac, text));
	print_addresses(pr, d);
	if (d->interface != 0)
		fprintf(pr->out, " interface = \"%s\";", image_text(im, d->interface));
	if (d->certificates.n > 0)
		print_device_certificate(pr, &im->certificates[d->certificates.first]);
	for (i = 0; i < d->labels.n; i++)
		fprintf(pr->out, "%s\"%s\"%s", i == 0 ? " labels = [ " : ", ",
		    image_text(im, im->labels[d->labels.first + i]), i + 1 == d->labels.n ? " ];" : "");
	fputs(" }", pr->out);
}

/* ---- the whole ---------------------------------------------------------- */

static int
authority_cmp(const void *a, const void *b, void *arg)
{
	const struct image *im = arg;

	return strcmp(image_text(im, im->authorities[*(const uint32_t *)a].name),
	    image_text(im, im->authorities[*(const uint32_t *)b].name));
}

static int
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

int
print_policy(const struct image *im, FILE *out)
{
	struct printer pr = { .im = im, .out = out };
	uint32_t n = im->n[IMAGE_DEVICES], i;
	int rc;

	if (im->n[IMAGE_INTERFACES] == 0) {
		fputs("# there is no policy yet\n", out);
		return ferror(out) ? -EIO : 0;
	}
	if ((rc = print_appliance(&pr)) < 0 || (rc = print_authorities(&pr)) < 0)
		return rc;
	print_schedules(&pr);
	if ((rc = print_classes(&pr)) < 0)
		return rc;
	if (n > 0)
		fputs("\ndevices = (\n", out);
	for (i = 0; i < n; i++) {
		print_device(&pr, &im->devices[im->by_name[i]]);
		fputs(i + 1 < n ? ",\n" : "\n);\n", out);
	}
	return ferror(out) ? -EIO : 0;
}
