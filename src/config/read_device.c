/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_device.c -- devices in libconfig's syntax. What the values mean is in
 * device_words.c, which inventories in CSV use as well. */
#include <string.h>

#include "config/reader.h"
#include "proto/limits.h"

static void
key_name(struct reader *r, const config_setting_t *s, void *target)
{
	const char *text = want_string(r, s, "sensor-847");

	if (text != NULL)
		device_set_name(r, line_of(s), target, text);
}

static void
key_class(struct reader *r, const config_setting_t *s, void *target)
{
	const char *text = want_string(r, s, "temperature-sensor");

	if (text != NULL)
		device_set_class(r, line_of(s), target, text);
}

static void
key_mac(struct reader *r, const config_setting_t *s, void *target)
{
	const char *text = want_string(r, s, "02:00:00:00:03:4f");

	if (text != NULL)
		device_set_mac(r, line_of(s), target, text);
}

static void
key_via(struct reader *r, const config_setting_t *s, void *target)
{
	const char *text = want_string(r, s, "02:00:00:00:00:fe");

	if (text != NULL)
		device_set_via(r, line_of(s), target, text);
}

static void
one_address(struct reader *r, const config_setting_t *s, void *target)
{
	const char *text = want_string(r, s, "10.10.3.79");

	if (text != NULL)
		device_add_address(r, line_of(s), target, text);
}

static void
key_address(struct reader *r, const config_setting_t *s, void *target)
{
	each_value(r, s, one_address, target);
}

static void
key_interface(struct reader *r, const config_setting_t *s, void *target)
{
	const char *text = want_string(r, s, "lan0");

	if (text != NULL)
		device_set_interface(r, line_of(s), target, text);
}

static void
one_label(struct reader *r, const config_setting_t *s, void *target)
{
	const char *text = want_string(r, s, "batch-2026-07");

	if (text != NULL)
		device_add_label(r, line_of(s), target, text);
}

static void
key_labels(struct reader *r, const config_setting_t *s, void *target)
{
	each_value(r, s, one_label, target);
}

/* ---- certificate -------------------------------------------------------- */

static void
key_authority(struct reader *r, const config_setting_t *s, void *target)
{
	const char *text = want_string(r, s, "factory-ca");

	if (text != NULL)
		certificate_set_authority(r, line_of(s), target, text);
}

static void
key_serial(struct reader *r, const config_setting_t *s, void *target)
{
	const char *text = want_string(r, s, "034f");

	if (text != NULL)
		certificate_set_serial(r, line_of(s), target, text);
}

static void
key_file(struct reader *r, const config_setting_t *s, void *target)
{
	const char *text = want_string(r, s, "/etc/cordon/pki/sensor-847.pem");

	if (text != NULL)
		certificate_read(r, line_of(s), target, text);
}

static void
read_certificate_group(struct reader *r, const config_setting_t *s, struct certificate_decl *c)
{
	static const struct key keys[] = {
		{ "authority", key_authority, NULL },
		{ "serial", key_serial, NULL },
		{ "file", key_file, NULL },
		{ NULL, NULL, NULL }
	};
	size_t before = r->m->n;
	bool file, serial;

	if (!read_group(r, s, keys, "certificate", c) || r->m->n != before)
		return;
	file = config_setting_get_member(s, "file") != NULL;
	serial = config_setting_get_member(s, "serial") != NULL;
	if (file == serial || (serial && c->authority == NULL))
		mistake(r, line_of(s), "certificate: either { authority = \"factory-ca\"; serial = \"034f\"; } or "
		    "{ file = \"/etc/cordon/pki/sensor-847.pem\"; } is expected");
}

/* A path, or a group. */
static void
add_certificate(struct reader *r, const config_setting_t *s, struct device_decl *d)
{
	struct certificate_decl *c;

	if (config_setting_is_list(s) || config_setting_is_array(s)) {
		mistake(r, line_of(s), "`certificate' holds %s within a list: one certificate after another is expected, "
		    "the newest last", type_name(s));
		return;
	}
	if ((c = device_certificate(r, line_of(s), d)) == NULL)
		return;
	if (config_setting_is_group(s))
		read_certificate_group(r, s, c);
	else
		key_file(r, s, c);
}

static void
key_certificate(struct reader *r, const config_setting_t *s, void *target)
{
	struct device_decl *d = target;
	unsigned i, n;

	if (!config_setting_is_list(s) && !config_setting_is_array(s)) {
		add_certificate(r, s, d);
		return;
	}
	n = (unsigned)config_setting_length(s);
	if (n == 0)
		mistake(r, line_of(s), "`certificate' is empty: name one, or leave the key out");
	if (n > LIMIT_CERTIFICATES_PER_DEVICE) {
		mistake(r, line_of(s), "a device with %u certificates: at most %u, the oldest can go", n,
		    LIMIT_CERTIFICATES_PER_DEVICE);
		return;
	}
	for (i = 0; i < n && r->error == 0; i++)
		add_certificate(r, config_setting_get_elem(s, i), d);
}

static void
key_critical(struct reader *r, const config_setting_t *s, void *target)
{
	struct device_decl *d = target;

	d->critical = want_bool(r, s);
}

void
read_device(struct reader *r, const config_setting_t *s)
{
	enum { NAME, CLASS, MAC, VIA, ADDRESS, INTERFACE, CERTIFICATE, LABELS, CRITICAL, KEYS };
	static const struct key keys[KEYS + 1] = {
		[NAME] = { "name", key_name, KEY_NEEDED },
		[CLASS] = { "class", key_class, KEY_NEEDED },
		[MAC] = { "mac", key_mac, NULL },
		[VIA] = { "via", key_via, NULL },
		[ADDRESS] = { "address", key_address, NULL },
		[INTERFACE] = { "interface", key_interface, NULL },
		[CERTIFICATE] = { "certificate", key_certificate, NULL },
		[LABELS] = { "labels", key_labels, NULL },
		[CRITICAL] = { "critical", key_critical, NULL },
	};
	struct identity written;
	struct device_decl d;

	memset(&d, 0, sizeof(d));
	d.where = reader_where(r, line_of(s));
	if (read_group(r, s, keys, "a device", &d)) {
		written = (struct identity){ .mac = (r->seen & 1U << MAC) != 0, .via = (r->seen & 1U << VIA) != 0,
			.address = (r->seen & 1U << ADDRESS) != 0, .interface = (r->seen & 1U << INTERFACE) != 0 };
		device_check_identity(r, &d, &written);
	}
	device_finish(r, &d);
}
