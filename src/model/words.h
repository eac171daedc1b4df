/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words.h -- words of the configuration that stand for numbers, both ways. */
#ifndef CORDON_MODEL_WORDS_H
#define CORDON_MODEL_WORDS_H

#include <stdint.h>

/* "echo-request"; as nft calls them. -ENOENT when the protocol (ICMP, ICMPv6)
 * has no such type; NULL when the type has no name. */
int icmp_type_parse(uint8_t protocol, const char *name, uint8_t *type);
const char *icmp_type_name(uint8_t protocol, uint8_t type);

/* The nth name of that protocol, NULL at the end: to list them. */
const char *icmp_type_nth(uint8_t protocol, unsigned n);

/* The key that names a protocol with ports: "tcp"; 0 and NULL: there is none. */
uint8_t port_protocol_parse(const char *key);
const char *port_protocol_name(uint8_t protocol);

/* "gre", "igmp"; either case, and what else a protocol is called ("ipv6-icmp").
 * -ENOENT; NULL when the number has no name here. */
int protocol_parse(const char *name, uint8_t *protocol);
const char *protocol_name(uint8_t protocol);
/* The nth name, NULL at the end: to list them. */
const char *protocol_nth(unsigned n);

#define DURATION_STRLEN 16
/* "90s", "15m", "1h", "7d": a number and its unit. -EINVAL; -ERANGE beyond 32 bits. */
int duration_parse(const char *text, uint32_t *seconds);
/* In the largest unit that is exact; returns buf. */
const char *duration_format(uint32_t seconds, char buf[DURATION_STRLEN]);

/* "64M", "512k", "65536": bytes. -EINVAL; -ERANGE beyond 32 bits. */
int size_parse(const char *text, uint32_t *bytes);
#define SIZE_STRLEN 16
const char *size_format(uint32_t bytes, char buf[SIZE_STRLEN]);

/* "keep", "restrict", "quarantine": enum when_stale. -ENOENT. */
int when_stale_parse(const char *word, uint32_t *when);
const char *when_stale_word(uint32_t when);

#endif
