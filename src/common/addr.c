/* SPDX-License-Identifier: GPL-2.0-or-later */
/* addr.c -- text to addresses and back, and their order.
 * Numeric text only: nothing here resolves a name. */
#include "common/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

size_t
addr_len(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

static bool
is_mapped(const struct in6_addr *a)
{
	return IN6_IS_ADDR_V4MAPPED(a);
}

int
addr_parse(const char *text, struct addr *out)
{
	struct addr a = { 0 };
	struct in6_addr v6;
	struct in_addr v4;

	/* inet_pton takes no zones, no short forms and no leading zeros. */
	if (inet_pton(AF_INET, text, &v4) == 1) {
		a.family = AF_INET;
		memcpy(a.bytes, &v4, sizeof(v4));
	} else if (inet_pton(AF_INET6, text, &v6) == 1 && !is_mapped(&v6)) {
		a.family = AF_INET6;
		memcpy(a.bytes, &v6, sizeof(v6));
	} else
		return -EINVAL;
	*out = a;
	return 0;
}

/* Set the bits of *a behind the first len ones. */
static void
fill_host_bits(struct addr *a, unsigned len)
{
	size_t i, n = addr_len(a->family);

	for (i = 0; i < n; i++) {
		if (len >= 8 * (i + 1))
			continue;
		a->bytes[i] |= len <= 8 * i ? 0xff : 0xff >> (len - 8 * i);
	}
}

static bool
has_host_bits(const struct addr *a, unsigned len)
{
	size_t i, n = addr_len(a->family);

	for (i = 0; i < n; i++) {
		if (len >= 8 * (i + 1))
			continue;
		if (a->bytes[i] & (len <= 8 * i ? 0xff : 0xff >> (len - 8 * i)))
			return true;
	}
	return false;
}

static int
prefix_len_parse(const char *text, unsigned max, unsigned *out)
{
	unsigned v = 0;
	size_t i, n = strlen(text);

	if (n == 0 || n > 3 || (n > 1 && text[0] == '0'))
		return -EINVAL;
	for (i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		v = 10 * v + (unsigned)(text[i] - '0');
	}
	if (v > max)
		return -EINVAL;
	*out = v;
	return 0;
}

static int
prefix_parse(const char *address, const char *len_text, struct addr_range *out)
{
	struct addr_range r;
	unsigned len;
	int rc;

	if ((rc = addr_parse(address, &r.first)) < 0)
		return rc;
	if ((rc = prefix_len_parse(len_text, 8 * (unsigned)addr_len(r.first.family), &len)) < 0)
		return rc;
	if (has_host_bits(&r.first, len))
		return -EDOM;
	r.last = r.first;
	fill_host_bits(&r.last, len);
	*out = r;
	return 0;
}

int
addr_range_parse(const char *text, struct addr_range *out)
{
	struct addr_range r;
	char copy[RANGE_STRLEN];
	size_t n = strlen(text);
	char *mark;
	int rc;

	if (n >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, n + 1);
	if ((mark = strchr(copy, '/')) != NULL) {
		*mark = '\0';
		return prefix_parse(copy, mark + 1, out);
	}
	mark = strchr(copy, '-');
	if (mark != NULL)
		*mark = '\0';
	if ((rc = addr_parse(copy, &r.first)) < 0)
		return rc;
	r.last = r.first;
	if (mark != NULL && (rc = addr_parse(mark + 1, &r.last)) < 0)
		return rc;
	if (r.first.family != r.last.family)
		return -EINVAL;
	if (addr_cmp(&r.first, &r.last) > 0)
		return -ERANGE;
	*out = r;
	return 0;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
mac_parse(const char *text, struct mac *out)
{
	static const struct mac zero;
	struct mac m;
	size_t i;
	int high, low;

	if (strlen(text) != MAC_STRLEN - 1 || (text[2] != ':' && text[2] != '-'))
		return -EINVAL;
	for (i = 0; i < sizeof(m.bytes); i++) {
		high = hex_digit(text[3 * i]);
		low = hex_digit(text[3 * i + 1]);
		if (high < 0 || low < 0)
			return -EINVAL;
		/* one kind of separator throughout */
		if (i < 5 && text[3 * i + 2] != text[2])
			return -EINVAL;
		m.bytes[i] = (uint8_t)(high << 4 | low);
	}
	/* A source address is never a group's (IEEE 802.3, 3.2.3). */
	if ((m.bytes[0] & 1) || memcmp(&m, &zero, sizeof(m)) == 0)
		return -EDOM;
	*out = m;
	return 0;
}

const char *
addr_format(const struct addr *a, char buf[ADDR_STRLEN])
{
	if (inet_ntop(a->family == AF_INET ? AF_INET : AF_INET6, a->bytes, buf, ADDR_STRLEN) ==
	    NULL)
		buf[0] = '\0';
	return buf;
}

/* The length of the prefix that is exactly this range, or -1. */
static int
range_prefix_len(const struct addr_range *r)
{
	unsigned len, bits = 8 * (unsigned)addr_len(r->first.family);
	struct addr a;

	for (len = 0; len <= bits; len++) {
		if (has_host_bits(&r->first, len))
			continue;
		a = r->first;
		fill_host_bits(&a, len);
		if (addr_cmp(&a, &r->last) == 0)
			return (int)len;
	}
	return -1;
}

const char *
addr_range_format(const struct addr_range *r, char buf[RANGE_STRLEN])
{
	char first[ADDR_STRLEN], last[ADDR_STRLEN];
	int len;

	addr_format(&r->first, first);
	if (addr_cmp(&r->first, &r->last) == 0)
		snprintf(buf, RANGE_STRLEN, "%s", first);
	else if ((len = range_prefix_len(r)) >= 0)
		snprintf(buf, RANGE_STRLEN, "%s/%d", first, len);
	else
		snprintf(buf, RANGE_STRLEN, "%s-%s", first, addr_format(&r->last, last));
	return buf;
}

const char *
mac_format(const struct mac *m, char buf[MAC_STRLEN])
{
	snprintf(buf, MAC_STRLEN, "%02x:%02x:%02x:%02x:%02x:%02x", m->bytes[0], m->bytes[1],
	    m->bytes[2], m->bytes[3], m->bytes[4], m->bytes[5]);
	return buf;
}

int
addr_cmp(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, addr_len(a->family));
}

bool
addr_next(struct addr *a)
{
	struct addr n = *a;
	size_t i;

	for (i = addr_len(n.family); i-- > 0;) {
		if (++n.bytes[i] != 0) {
			*a = n;
			return true;
		}
	}
	return false;
}

bool
addr_prev(struct addr *a)
{
	struct addr n = *a;
	size_t i;

	for (i = addr_len(n.family); i-- > 0;) {
		if (n.bytes[i]-- != 0) {
			*a = n;
			return true;
		}
	}
	return false;
}

bool
addr_in_range(const struct addr *a, const struct addr_range *r)
{
	return a->family == r->first.family && addr_cmp(a, &r->first) >= 0 &&
	       addr_cmp(a, &r->last) <= 0;
}
