/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts.c -- lists of hosts, and addresses that are not the Internet's. Pure. */
#include "fetch/hosts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "proto/limits.h"

/* ---- one entry of a list ------------------------------------------------ */

/* The next entry, without blanks around it. False: there is none, or it is
 * longer than any host; such a one names nobody, and the list goes on. */
static bool
next_entry(const char **list, char *out, size_t size)
{
	const char *p = *list;
	size_t n;

	for (;;) {
		p += strspn(p, " ,\t");
		if (*p == '\0')
			return false;
		n = strcspn(p, ",");
		*list = p + n;
		while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
			n--;
		if (n < size) {
			memcpy(out, p, n);
			out[n] = '\0';
			return true;
		}
		p = *list;
	}
}

/* "[::1]" -> "::1", in place. */
static char *
without_brackets(char *host)
{
	size_t n = strlen(host);

	if (n < 2 || host[0] != '[' || host[n - 1] != ']')
		return host;
	host[n - 1] = '\0';
	return host + 1;
}

/* Of an address as bytes: 4, 16, or 0 when it is a name. */
static size_t
bytes_of(const char *host, uint8_t out[16])
{
	char plain[LIMIT_HOST + 16];

	if (strlen(host) >= sizeof(plain))
		return 0;
	strncpy(plain, host, sizeof(plain));
	host = without_brackets(plain);
	if (inet_pton(AF_INET, host, out) == 1)
		return 4;
	return inet_pton(AF_INET6, host, out) == 1 ? 16 : 0;
}

static bool
same_host(const char *a, const char *b)
{
	uint8_t x[16], y[16];
	size_t n = bytes_of(a, x);

	if (n > 0)
		return bytes_of(b, y) == n && memcmp(x, y, n) == 0;
	return strcasecmp(a, b) == 0;
}

/* Cut "host:port" in two; a port stands behind the only colon, or behind a bracket. */
static char *
cut_port(char *entry)
{
	char *colon = strrchr(entry, ':');

	if (colon == NULL || (colon != strchr(entry, ':') && (colon == entry || colon[-1] != ']')))
		return NULL;
	*colon = '\0';
	return colon + 1;
}

bool
hosts_name(const char *list, const char *host, const char *port)
{
	char entry[LIMIT_HOST + 16], *p;

	while (next_entry(&list, entry, sizeof(entry))) {
		p = cut_port(entry);
		if (same_host(entry, host) && (p == NULL || strcmp(p, port) == 0))
			return true;
	}
	return false;
}

/* ---- no proxy ----------------------------------------------------------- */

static bool
same_bits(const uint8_t *a, const uint8_t *b, size_t bits)
{
	size_t whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 && (rest == 0 || ((a[whole] ^ b[whole]) & (0xff00 >> rest) & 0xff) == 0);
}

static bool
in_prefix(char *entry, const char *host)
{
	char *slash = strchr(entry, '/'), *end;
	uint8_t net[16], address[16];
	unsigned long bits;
	size_t n;

	*slash = '\0';
	bits = strtoul(slash + 1, &end, 10);
	n = bytes_of(entry, net);
	return slash[1] >= '0' && slash[1] <= '9' && *end == '\0' && n > 0 && bits <= 8 * n &&
	    bytes_of(host, address) == n && same_bits(net, address, bits);
}

/* The name itself, or one below it. */
static bool
in_domain(const char *domain, const char *host)
{
	size_t n, m = strlen(host);

	if (domain[0] == '.')
		domain++;
	n = strlen(domain);
	return n > 0 && m >= n && strcasecmp(host + (m - n), domain) == 0 && (m == n || host[m - n - 1] == '.');
}

bool
hosts_without_proxy(const char *list, const char *host)
{
	char entry[LIMIT_HOST + 16];
	uint8_t bytes[16];

	while (next_entry(&list, entry, sizeof(entry))) {
		if (strcmp(entry, "*") == 0)
			return true;
		if (strchr(entry, '/') != NULL ? in_prefix(entry, host) :
		    bytes_of(host, bytes) > 0 ? same_host(entry, host) : in_domain(entry, host))
			return true;
	}
	return false;
}

/* ---- addresses ---------------------------------------------------------- */

struct prefix {
	uint8_t bytes[16];
	uint8_t bits;
};

static const struct prefix private4[] = {
	{ { 0 }, 8 },			/* RFC 1122 3.2.1.3: this network */
	{ { 10 }, 8 },			/* RFC 1918 */
	{ { 100, 64 }, 10 },		/* RFC 6598 */
	{ { 127 }, 8 },
	{ { 169, 254 }, 16 },		/* RFC 3927 */
	{ { 172, 16 }, 12 },		/* RFC 1918 */
	{ { 192, 0, 0 }, 24 },		/* RFC 6890 */
	{ { 192, 168 }, 16 },		/* RFC 1918 */
	{ { 224 }, 4 },			/* RFC 5771 */
	{ { 240 }, 4 },			/* reserved, and broadcast */
};

static const struct prefix private6[] = {
	{ { 0 }, 96 },			/* ::, ::1, and IPv4-compatible */
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96 },	/* IPv4-mapped */
	{ { 0, 0x64, 0xff, 0x9b, 0, 1 }, 48 },	/* RFC 8215 */
	{ { 0x01, 0 }, 64 },		/* RFC 6666 */
	{ { 0x20, 0x01, 0, 0 }, 32 },	/* Teredo hides an IPv4 address */
	{ { 0xfc }, 7 },		/* RFC 4193 */
	{ { 0xfe, 0x80 }, 10 },
	{ { 0xfe, 0xc0 }, 10 },		/* RFC 3879: site-local */
	{ { 0xff }, 8 },
};

static const struct prefix nat64 = { { 0, 0x64, 0xff, 0x9b }, 96 };
static const struct prefix sixtofour = { { 0x20, 0x02 }, 16 };

static bool
in_table(const struct prefix *table, size_t n, const uint8_t *address)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (same_bits(table[i].bytes, address, table[i].bits))
			return true;
	return false;
}

static bool
is_private4(const uint8_t *address)
{
	return in_table(private4, sizeof(private4) / sizeof(private4[0]), address);
}

static bool
is_private6(const uint8_t *address)
{
	if (same_bits(nat64.bytes, address, nat64.bits))
		return is_private4(address + 12);
	if (same_bits(sixtofour.bytes, address, sixtofour.bits))
		return is_private4(address + 2);
	return in_table(private6, sizeof(private6) / sizeof(private6[0]), address);
}

bool
address_is_private(const struct sockaddr *sa, size_t len)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (sa->sa_family == AF_INET && len >= sizeof(in)) {
		memcpy(&in, sa, sizeof(in));
		return is_private4((const uint8_t *)&in.sin_addr);
	}
	if (sa->sa_family == AF_INET6 && len >= sizeof(in6)) {
		memcpy(&in6, sa, sizeof(in6));
		return is_private6((const uint8_t *)&in6.sin6_addr);
	}
	return true;
}
