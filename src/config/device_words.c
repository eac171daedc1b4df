/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_words.c -- what the words of a device mean, whatever file they stand in. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "config/reader.h"
#include "proto/limits.h"

void
device_set_name(struct reader *r, unsigned line, struct device_decl *d, const char *text)
{
	d->name = reader_copy(r, text);
	if (!name_is_valid(text))
		mistake(r, line, "device name \"%.64s\": letters, digits, '.', '_' and '-', at most %u of them", text,
		    LIMIT_NAME - 1);
}

void
device_set_class(struct reader *r, unsigned line, struct device_decl *d, const char *text)
{
	if (!name_is_valid(text))
		mistake(r, line, "class name \"%.64s\": letters, digits, '.', '_' and '-', at most %u of them", text,
		    LIMIT_NAME - 1);
	else if (strcmp(text, "quarantine") == 0)
		mistake(r, line, "no device is declared as quarantined: name its class; "
		    "`cordonctl device quarantine' puts it there");
	else
		d->class_name = reader_copy(r, text);
}

static bool
parse_mac(struct reader *r, unsigned line, const char *key, const char *text, struct mac *out)
{
	int rc = mac_parse(text, out);

	if (rc == 0)
		return true;
	memset(out, 0, sizeof(*out));
	if (rc == -EDOM)
		mistake(r, line, "%s \"%.64s\" is no single device's: it is zero or a multicast address", key, text);
	else
		mistake(r, line, "%s \"%.64s\" is no MAC: six pairs of hexadecimal digits as in 02:00:00:00:03:4f",
		    key, text);
	return false;
}

void
device_set_mac(struct reader *r, unsigned line, struct device_decl *d, const char *text)
{
	if (parse_mac(r, line, "mac", text, &d->mac))
		d->has_mac = true;
}

void
device_set_via(struct reader *r, unsigned line, struct device_decl *d, const char *text)
{
	if (parse_mac(r, line, "via", text, &d->mac))
		d->has_via = true;
}

/* "2001:db8:1::/64". false after telling why not. */
static bool
parse_device_prefix(struct reader *r, unsigned line, const char *text, const char *slash, struct addr *out)
{
	struct addr_range range;
	char base[RANGE_STRLEN];

	snprintf(base, sizeof(base), "%.*s", (int)(slash - text), text);
	if (slash - text >= ADDR_STRLEN || addr_parse(base, out) < 0) {
		mistake(r, line, "address \"%.64s\" is no prefix: an IPv6 prefix as in 2001:db8:1::/64, or an address, "
		    "is expected", text);
	} else if (out->family == AF_INET) {
		mistake(r, line, "address \"%.64s\" is an IPv4 prefix: an IPv4 device is known by the addresses it "
		    "has, write them one by one", text);
	} else if (strcmp(slash, "/64") != 0) {
		mistake(r, line, "address \"%.64s\": a prefix in which a device makes its own addresses (SLAAC) has 64 "
		    "bits (RFC 4291 2.5.1, RFC 7421): write that /64, or single addresses", text);
	} else if (addr_range_parse(text, &range) < 0) {
		cut_prefix(text, base);
		mistake(r, line, "prefix \"%.64s\" has bits set beyond its length: did you mean %s?", text, base);
	} else {
		return true;
	}
	return false;
}

void
device_add_address(struct reader *r, unsigned line, struct device_decl *d, const char *text)
{
	const char *slash = strchr(text, '/'), *fault;
	struct device_address *slot;
	struct addr a;

	if (slash != NULL) {
		if (!parse_device_prefix(r, line, text, slash, &a))
			return;
	} else if (addr_parse(text, &a) < 0) {
		mistake(r, line, "address \"%.64s\" is no address: an IPv4 or IPv6 address is expected", text);
		return;
	}
	if ((fault = device_address_fault(&a)) != NULL) {
		mistake(r, line, "address \"%.64s\" is %s: name the address that the device sends from", text, fault);
		return;
	}
	if ((slot = reader_grow(r, &d->addresses, d->n_addresses, sizeof(*slot))) == NULL)
		return;
	*slot = (struct device_address){ a, slash != NULL ? 64 : a.family == AF_INET ? 32 : 128 };
	d->n_addresses++;
}

void
device_set_interface(struct reader *r, unsigned line, struct device_decl *d, const char *text)
{
	if (interface_name_is_valid(text))
		d->interface = reader_copy(r, text);
	else
		mistake(r, line, "interface \"%.64s\" is no name of an interface: at most 15 characters, no blanks, "
		    "no '/', no patterns", text);
}

void
device_add_label(struct reader *r, unsigned line, struct device_decl *d, const char *text)
{
	char **slot, *copy;

	if (!name_is_valid(text)) {
		mistake(r, line, "label \"%.64s\": letters, digits, '.', '_' and '-', at most %u of them", text,
		    LIMIT_NAME - 1);
		return;
	}
	if ((slot = reader_grow(r, &d->labels, d->n_labels, sizeof(*slot))) == NULL ||
	    (copy = reader_copy(r, text)) == NULL)
		return;
	*slot = copy;
	d->n_labels++;
}

struct certificate_decl *
device_certificate(struct reader *r, unsigned line, struct device_decl *d)
{
	struct certificate_decl *slot = reader_grow(r, &d->certificates, d->n_certificates, sizeof(*slot));

	if (slot == NULL)
		return NULL;
	slot->where = reader_where(r, line);
	d->n_certificates++;
	return slot;
}

/* As people write it in spreadsheets. */
void
device_set_critical(struct reader *r, unsigned line, struct device_decl *d, const char *text)
{
	static const char *const yes[] = { "true", "yes", "1" }, *const no[] = { "false", "no", "0" };
	size_t i;

	for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcasecmp(text, yes[i]) == 0) {
			d->critical = true;
			return;
		}
		if (strcasecmp(text, no[i]) == 0)
			return;
	}
	mistake(r, line, "critical \"%.64s\": yes or no is expected", text);
}

void
certificate_set_authority(struct reader *r, unsigned line, struct certificate_decl *c, const char *text)
{
	if (name_is_valid(text))
		c->authority = reader_copy(r, text);
	else
		mistake(r, line, "authority \"%.64s\": letters, digits, '.', '_' and '-', at most %u of them", text,
		    LIMIT_NAME - 1);
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Hexadecimal digits, most significant first; colons between pairs are how
 * openssl shows them. Leading zeros do not count. */
void
certificate_set_serial(struct reader *r, unsigned line, struct certificate_decl *c, const char *text)
{
	uint8_t digits[2 * LIMIT_SERIAL];
	size_t n = 0, i;
	bool any = false;

	for (i = 0; text[i] != '\0'; i++) {
		int value = hex_value(text[i]);

		if (text[i] == ':' && i > 0 && text[i + 1] != '\0')
			continue;
		if (value < 0) {
			mistake(r, line, "serial \"%.64s\" is no serial number: hexadecimal digits as in 034f or 03:4f",
			    text);
			return;
		}
		any = true;
		if (n == 0 && value == 0)
			continue;
		if (n == sizeof(digits)) {
			mistake(r, line, "serial \"%.64s\" is too long: at most %u octets", text, LIMIT_SERIAL);
			return;
		}
		digits[n++] = (uint8_t)value;
	}
	if (!any) {
		mistake(r, line, "the serial number is empty: hexadecimal digits as in 034f");
		return;
	}
	memset(c->serial, 0, sizeof(c->serial));
	c->serial_len = n == 0 ? 1 : (uint32_t)(n + 1) / 2;
	/* From the end: an odd first digit stands alone in its octet. */
	for (i = 0; i < n; i++)
		c->serial[c->serial_len - 1 - i / 2] |= (uint8_t)(digits[n - 1 - i] << (i % 2 == 0 ? 0 : 4));
}

/* By its MAC; or, where its packets come by way of a router, by address and port. */
void
device_check_identity(struct reader *r, const struct device_decl *d, const struct identity *written)
{
	const char *name = d->name != NULL ? d->name : "";
	size_t i;

	if (written->mac && written->via) {
		mistake(r, d->where.line, "device \"%.64s\" has `mac' and `via': its packets have one MAC, its own "
		    "(mac) or that of the router it stands behind (via)", name);
		return;
	}
	if (written->mac)
		return;
	if (!written->address || !written->interface) {
		mistake(r, d->where.line, "device \"%.64s\" cannot be told from others: name its `mac', or, when it "
		    "stands behind another router, its `address' and the `interface' towards that router%s", name,
		    written->via ? " beside `via'" : "");
		return;
	}
	for (i = 0; i < d->n_addresses; i++)
		if (d->addresses[i].addr.family == AF_INET6 && d->addresses[i].prefix < 128)
			mistake(r, d->where.line, "device \"%.64s\" has a prefix and no `mac': in a prefix only the "
			    "MAC tells devices apart, so name its mac, or single addresses", name);
}

void
device_finish(struct reader *r, struct device_decl *d)
{
	struct device_decl *slot;

	if (d->name == NULL || (slot = reader_grow(r, &r->p->devices, r->p->n_devices, sizeof(*slot))) == NULL) {
		device_decl_done(d);
		return;
	}
	*slot = *d;
	r->p->n_devices++;
}
