/* SPDX-License-Identifier: GPL-2.0-or-later */
/* print_policy.c -- an image back in the admin's words. Certificates stand in the
 * text itself, so that it can be read again without any other file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "model/print_parts.h"
#include "model/words.h"

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
	else
		fputs("\tbrake = \"off\";\n", pr->out);
	fputs("\tquarantine: { ", pr->out);
	if ((rc = print_allow(pr, &im->classes[0])) < 0)
		return rc;
	fprintf(pr->out, " };\n\thook_priority = %d;\n\tlog_group = %u;\n\tconnections = %u;\n\twindow = \"%s\";\n};\n",
	    a->hook_priority, a->log_group, a->connections, duration_format(a->window_s, text));
	return 0;
}

static void
print_device_certificate(struct printer *pr, const struct image_certificate *c)
{
	uint32_t i;

	fprintf(pr->out, "{ authority = \"%s\"; ", image_text(pr->im, image_authority(pr->im, c->authority)->name));
	if (c->chain_len > 0) {
		fputs("file = ", pr->out);
		print_certificate(pr, c->chain, c->chain_len);
		fputs("; }", pr->out);
		return;
	}
	fputs("serial = \"", pr->out);
	for (i = 0; i < c->serial_len; i++)
		fprintf(pr->out, "%02x", c->serial[i]);
	fputs("\"; }", pr->out);
}

static void
print_device_certificates(struct printer *pr, const struct image_device *d)
{
	uint32_t n = d->certificates.n, i;

	for (i = 0; i < n; i++) {
		fputs(i > 0 ? ",\n\t\t" : n > 1 ? "\n\tcertificate = ( " : " certificate = ", pr->out);
		print_device_certificate(pr, &pr->im->certificates[d->certificates.first + i]);
	}
	if (n > 0)
		fputs(n > 1 ? " );" : ";", pr->out);
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
	print_device_certificates(pr, d);
	if ((d->flags & DEVICE_CRITICAL) != 0)
		fputs(" critical = true;", pr->out);
	for (i = 0; i < d->labels.n; i++)
		fprintf(pr->out, "%s\"%s\"%s", i == 0 ? " labels = [ " : ", ",
		    image_text(im, im->labels[d->labels.first + i]), i + 1 == d->labels.n ? " ];" : "");
	fputs(" }", pr->out);
}

/* ---- the whole ---------------------------------------------------------- */

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
