/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_words.c -- what the words of a device mean, whatever file they stand in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
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

void
device_set_mac(struct reader *r, unsigned line, struct device_decl *d, const char *text)
{
	int rc = mac_parse(text, &d->mac);

	if (rc == 0)
		return;
	memset(&d->mac, 0, sizeof(d->mac));
	if (rc == -EDOM)
		mistake(r, line, "mac \"%.64s\" is no single device's: it is zero or a multicast address", text);
	else
		mistake(r, line, "mac \"%.64s\" is no MAC: six pairs of hexadecimal digits as in 02:00:00:00:03:4f",
		    text);
}

void
device_add_address(struct reader *r, unsigned line, struct device_decl *d, const char *text)
{
	struct device_address *slot;
	struct addr a;
	const char *fault;

	if (addr_parse(text, &a) < 0) {
		mistake(r, line, "address \"%.64s\" is no address: an IPv4 or IPv6 address is expected", text);
		return;
	}
	if ((fault = device_address_fault(&a)) != NULL) {
		mistake(r, line, "address \"%.64s\" is %s: name the address that the device sends from", text, fault);
		return;
	}
	if ((slot = reader_grow(r, &d->addresses, d->n_addresses, sizeof(*slot))) == NULL)
		return;
	*slot = (struct device_address){ a, a.family == AF_INET ? 32 : 128 };
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
	d->certificate = calloc(1, sizeof(*d->certificate));
	if (d->certificate == NULL)
		r->error = -ENOMEM;
	else
		d->certificate->where = reader_where(r, line);
	return d->certificate;
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
