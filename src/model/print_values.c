/* SPDX-License-Identifier: GPL-2.0-or-later */
/* print_values.c -- what stands in a key, as nft writes it. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/addr.h"
#include "model/print_sets.h"

/* An interface's name: image_open lets none through that nft reads otherwise
 * than as it stands between quotes. */
static void
print_ifname(FILE *out, const uint8_t *bytes, size_t len)
{
	fprintf(out, "\"%.*s\"", (int)strnlen((const char *)bytes, len), (const char *)bytes);
}

static void
print_addr(FILE *out, uint8_t family, const uint8_t *bytes)
{
	struct addr a = { .family = family };
	char text[ADDR_STRLEN];

	memcpy(a.bytes, bytes, addr_len(family));
	fputs(addr_format(&a, text), out);
}

/* As nft writes a priority. */
void
print_classid(FILE *out, uint32_t number)
{
	fprintf(out, "%" PRIx32 ":%" PRIx32, number >> 16, number & 0xffff);
}

/* nft reads and writes times in the zone of whoever calls it: this is UTC. */
static void
print_time(FILE *out, const uint8_t *bytes)
{
	uint64_t ns;
	struct tm tm;
	time_t at;
	char text[32];

	memcpy(&ns, bytes, sizeof(ns));
	at = (time_t)(be64toh(ns) / 1000000000U);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", gmtime_r(&at, &tm));
	fprintf(out, "\"%s\"", text);
}

static void
print_mac(FILE *out, const uint8_t *bytes)
{
	struct mac mac;
	char text[MAC_STRLEN];

	memcpy(mac.bytes, bytes, sizeof(mac.bytes));
	fputs(mac_format(&mac, text), out);
}

static void
print_port(FILE *out, const uint8_t *bytes)
{
	uint16_t net;

	memcpy(&net, bytes, sizeof(net));
	fprintf(out, "%" PRIu16, ntohs(net));
}

/* A field's bytes as they stand in a key, padded to 4. */
static int
print_value(FILE *out, enum field field, const uint8_t *bytes)
{
	uint32_t host;

	memcpy(&host, bytes, sizeof(host));
	switch (field) {
	case FIELD_ETHER_SADDR:
		print_mac(out, bytes);
		return 0;
	case FIELD_IP_SADDR:
	case FIELD_IP_DADDR:
		print_addr(out, AF_INET, bytes);
		return 0;
	case FIELD_IP6_SADDR:
	case FIELD_IP6_SADDR_NET:
	case FIELD_IP6_DADDR:
		print_addr(out, AF_INET6, bytes);
		return 0;
	case FIELD_SPORT:
	case FIELD_DPORT:
		print_port(out, bytes);
		return 0;
	case FIELD_IIFNAME:
	case FIELD_OIFNAME:
		print_ifname(out, bytes, field_info(field)->len);
		return 0;
	case FIELD_MARK:
	case FIELD_NUMBER:
	case FIELD_CT_MARK:
	case FIELD_CT_NUMBER:
	case FIELD_CT_CONFIRMED:
		fprintf(out, "0x%08" PRIx32, host);
		return 0;
	case FIELD_CLASS:
		print_classid(out, host);
		return 0;
	case FIELD_TIME:
		print_time(out, bytes);
		return 0;
	case FIELD_IIF:
	case FIELD_OIF:
		fprintf(out, "%" PRIu32, host);
		return 0;
	case FIELD_L4PROTO:
	case FIELD_ICMP_TYPE:
	case FIELD_ICMP6_TYPE:
	case FIELD_ICMP_CODE:
	case FIELD_ICMP6_CODE:
	case FIELD_NFPROTO:
	case FIELD_PKTTYPE:
	case FIELD_CT_DIRECTION:
	case FIELD_HOPLIMIT:
	case FIELD_TCP_RESET:
		fprintf(out, "%u", (unsigned)bytes[0]);
		return 0;
	case FIELD_NONE:
	case FIELDS:
		break;
	}
	return -EINVAL;
}

int
print_key(FILE *out, const struct set_info *info, const uint8_t *key, const uint8_t *key_end)
{
	size_t i, at = 0;
	int rc;

	for (i = 0; i < SET_FIELDS_MAX && info->fields[i] != FIELD_NONE; i++) {
		size_t len = field_info(info->fields[i])->len;

		if (i > 0)
			fputs(" . ", out);
		if ((rc = print_value(out, info->fields[i], key + at)) < 0)
			return rc;
		if (key_end != NULL && memcmp(key + at, key_end + at, len) != 0) {
			fputc('-', out);
			if ((rc = print_value(out, info->fields[i], key_end + at)) < 0)
				return rc;
		}
		at += (len + 3) & ~(size_t)3;
	}
	return 0;
}
