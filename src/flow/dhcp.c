/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp.c -- read a client's DHCP message; pure, and every byte is a stranger's.
 * No read goes around struct buf, and no text leaves uncleaned. */
#include "flow/dhcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "model/text.h"

#define PORT_DHCP4	67
#define PORT_DHCP6	547
#define UDP_HEADER	8

#define BOOTREQUEST	1
#define COOKIE		0x63825363
#define SNAME_AT	44	/* bytes before the server's name, as RFC 2131 2 has them */
#define SNAME_LEN	64
#define FILE_LEN	128

#define OPTION_MAX	255	/* of one option, its parts joined */

enum { DHCP4_PAD = 0, DHCP4_NAME = 12, DHCP4_OVERLOAD = 52, DHCP4_LIST = 55, DHCP4_VENDOR = 60, DHCP4_CLIENT = 61,
	DHCP4_END = 255 };
enum { DHCP6_CLIENT = 1, DHCP6_LIST = 6, DHCP6_VENDOR = 16, DHCP6_NAME = 39 };
enum { OVERLOAD_FILE = 1, OVERLOAD_SNAME = 2 };

struct option {
	uint8_t bytes[OPTION_MAX];
	size_t len;
};

/* ---- bytes to text ------------------------------------------------------ */

/* Some senders count the NUL that ends their string. */
static void
put_text(const uint8_t *bytes, size_t len, char out[SIGHTING_TEXT])
{
	char text[OPTION_MAX + 1];
	size_t i;

	while (len > 0 && bytes[len - 1] == '\0')
		len--;
	if (len > OPTION_MAX)
		len = OPTION_MAX;
	for (i = 0; i < len; i++)
		text[i] = bytes[i] != '\0' ? (char)bytes[i] : '?';
	text[len] = '\0';
	text_clean(text);
	if (len >= SIGHTING_TEXT)
		for (len = SIGHTING_TEXT - 1; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
			;	/* no part of a character */
	memcpy(out, text, len);
	out[len] = '\0';
}

static void
put_number(char out[SIGHTING_LIST], unsigned number)
{
	size_t at = strlen(out);
	char text[8];
	int n = snprintf(text, sizeof(text), "%s%u", at > 0 ? "," : "", number);

	if (at + (size_t)n < SIGHTING_LIST)
		memcpy(out + at, text, (size_t)n + 1);
}

static void
put_hex(const uint8_t *bytes, size_t len, char out[SIGHTING_CLIENT])
{
	size_t i;

	out[0] = '\0';
	for (i = 0; i < len && 2 * i + 2 < SIGHTING_CLIENT; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* ---- DHCP --------------------------------------------------------------- */

struct dhcp4_options {
	struct option name, vendor, list, client;
	uint8_t overload;
};

/* RFC 3396: an option that comes again goes on. */
static void
join(struct option *o, struct buf *b)
{
	size_t n = buf_left(b);

	if (n > sizeof(o->bytes) - o->len)
		n = sizeof(o->bytes) - o->len;
	if (buf_get_bytes(b, o->bytes + o->len, n) == 0)
		o->len += n;
}

static void
take_option(struct dhcp4_options *all, uint8_t code, struct buf *b)
{
	switch (code) {
	case DHCP4_NAME:
		join(&all->name, b);
		break;
	case DHCP4_VENDOR:
		join(&all->vendor, b);
		break;
	case DHCP4_LIST:
		join(&all->list, b);
		break;
	case DHCP4_CLIENT:
		join(&all->client, b);
		break;
	case DHCP4_OVERLOAD:
		(void)buf_get_u8(b, &all->overload);
		break;
	}
}

/* An option that is longer than what is left ends it, and is not taken. */
static void
take_options(struct dhcp4_options *all, struct buf *b)
{
	uint8_t code, len;
	struct buf value;

	while (buf_get_u8(b, &code) == 0 && code != DHCP4_END) {
		if (code == DHCP4_PAD)
			continue;
		if (buf_get_u8(b, &len) < 0 || buf_sub(b, len, &value) < 0)
			return;
		take_option(all, code, &value);
	}
}

int
dhcp4_read(struct buf *b, struct dhcp_said *out)
{
	struct dhcp4_options all;
	struct buf sname, file;
	uint32_t cookie;
	uint8_t op, where;

	if (buf_get_u8(b, &op) < 0 || op != BOOTREQUEST || buf_skip(b, SNAME_AT - 1) < 0 ||
	    buf_sub(b, SNAME_LEN, &sname) < 0 || buf_sub(b, FILE_LEN, &file) < 0 ||
	    buf_get_u32(b, &cookie) < 0 || cookie != COOKIE)
		return -EBADMSG;
	memset(&all, 0, sizeof(all));
	take_options(&all, b);
	/* RFC 2131 4.1: then the file, then the server's name; what they say of overloading is nothing new */
	where = all.overload;
	if (where & OVERLOAD_FILE)
		take_options(&all, &file);
	if (where & OVERLOAD_SNAME)
		take_options(&all, &sname);
	memset(out, 0, sizeof(*out));
	put_text(all.name.bytes, all.name.len, out->name);
	put_text(all.vendor.bytes, all.vendor.len, out->vendor);
	for (size_t i = 0; i < all.list.len; i++)
		put_number(out->list, all.list.bytes[i]);
	put_hex(all.client.bytes, all.client.len, out->client);
	return 0;
}

/* ---- DHCPv6 ------------------------------------------------------------- */

/* What a client sends to servers (RFC 8415 7.3). */
static bool
is_question(uint8_t type)
{
	return type == 1 || (type >= 3 && type <= 6) || type == 8 || type == 9 || type == 11;
}

/* RFC 4704 4: flags, then labels as in DNS; the last dot is missing where the
 * name is only a part of one. */
static void
take_name6(struct buf *b, struct dhcp_said *out)
{
	uint8_t flags, len, text[OPTION_MAX];
	size_t at = 0;

	if (out->name[0] != '\0' || buf_get_u8(b, &flags) < 0)
		return;
	while (buf_get_u8(b, &len) == 0 && len != 0) {
		if (len > 63 || at + len + 1 > sizeof(text))
			return;
		if (at > 0)
			text[at++] = '.';
		if (buf_get_bytes(b, text + at, len) < 0)
			return;
		at += len;
	}
	put_text(text, at, out->name);
}

/* RFC 8415 21.16: an enterprise's number, then strings; the first is the class. */
static void
take_vendor6(struct buf *b, struct dhcp_said *out)
{
	uint8_t text[OPTION_MAX];
	uint32_t enterprise;
	uint16_t len;

	if (out->vendor[0] != '\0' || buf_get_u32(b, &enterprise) < 0 || buf_get_u16(b, &len) < 0 ||
	    len > buf_left(b))
		return;
	if (len > sizeof(text))
		len = sizeof(text);
	if (buf_get_bytes(b, text, len) == 0)
		put_text(text, len, out->vendor);
}

static void
take_client6(struct buf *b, struct dhcp_said *out)
{
	uint8_t id[SIGHTING_CLIENT / 2];
	size_t n = buf_left(b) < sizeof(id) ? buf_left(b) : sizeof(id);

	if (out->client[0] == '\0' && buf_get_bytes(b, id, n) == 0)
		put_hex(id, n, out->client);
}

int
dhcp6_read(struct buf *b, struct dhcp_said *out)
{
	uint16_t code, len, number;
	struct dhcp_said said;
	struct buf value;
	uint8_t type;

	if (buf_get_u8(b, &type) < 0 || !is_question(type) || buf_skip(b, 3) < 0)
		return -EBADMSG;
	memset(&said, 0, sizeof(said));
	while (buf_get_u16(b, &code) == 0 && buf_get_u16(b, &len) == 0 && buf_sub(b, len, &value) == 0) {
		if (code == DHCP6_NAME)
			take_name6(&value, &said);
		else if (code == DHCP6_VENDOR)
			take_vendor6(&value, &said);
		else if (code == DHCP6_CLIENT)
			take_client6(&value, &said);
		else if (code == DHCP6_LIST && said.list[0] == '\0')
			while (buf_get_u16(&value, &number) == 0)
				put_number(said.list, number);
	}
	*out = said;
	return 0;
}

int
dhcp_read(const struct packet *p, const void *head, size_t len, struct dhcp_said *out)
{
	struct buf b;

	if (p->protocol != IPPROTO_UDP || (p->flags & PACKET_PORTS) == 0)
		return -EBADMSG;
	buf_init(&b, head, len);
	if (buf_skip(&b, (size_t)p->transport + UDP_HEADER) < 0)
		return -EBADMSG;
	if (p->port == PORT_DHCP4 && p->family == AF_INET)
		return dhcp4_read(&b, out);
	if (p->port == PORT_DHCP6 && p->family == AF_INET6)
		return dhcp6_read(&b, out);
	return -EBADMSG;
}
