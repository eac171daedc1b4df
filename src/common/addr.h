/* SPDX-License-Identifier: GPL-2.0-or-later */
/* addr.h -- addresses of both families and of Ethernet, as values.
 * Everything is in network byte order unless a name says otherwise. */
#ifndef CORDON_COMMON_ADDR_H
#define CORDON_COMMON_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDR_STRLEN  46		/* longest text of an address, with the NUL */
#define RANGE_STRLEN 96		/* "first-last" or "prefix/len" */
#define MAC_STRLEN   18

/* An IPv4 address uses the first four bytes; the rest is zero, so that two
 * equal addresses are equal byte for byte. family is AF_INET or AF_INET6. */
struct addr {
	uint8_t family;
	uint8_t pad[3];
	uint8_t bytes[16];
};

/* first <= last, one family. */
struct addr_range {
	struct addr first;
	struct addr last;
};

struct mac {
	uint8_t bytes[6];
};

/* Length of an address of that family in bytes: 4 or 16. */
size_t addr_len(uint8_t family);

/* Numeric text only, never a name; "::ffff:1.2.3.4" is refused (-EINVAL),
 * since the packet it means carries IPv4. */
int addr_parse(const char *text, struct addr *out);

/* "a", "a/len" (host bits must be zero: -EDOM otherwise), or "a-b" with a <= b (-ERANGE otherwise). */
int addr_range_parse(const char *text, struct addr_range *out);

/* "02:00:00:00:03:4f", either case, also with '-'. Multicast and all-zero are -EDOM. */
int mac_parse(const char *text, struct mac *out);

/* Each returns buf. */
const char *addr_format(const struct addr *, char buf[ADDR_STRLEN]);
const char *addr_range_format(const struct addr_range *, char buf[RANGE_STRLEN]);
const char *mac_format(const struct mac *, char buf[MAC_STRLEN]);

/* Order by family, then numerically; <0, 0, >0. */
int addr_cmp(const struct addr *, const struct addr *);

/* The next or previous address of the family; false when there is none. */
bool addr_next(struct addr *);
bool addr_prev(struct addr *);

bool addr_in_range(const struct addr *, const struct addr_range *);

#endif
