/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frames.c -- UDP frames of flows, ready to send; and how a line of text names one. */
#include "bench/frames.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD 18	/* fills an IPv4 frame to Ethernet's least */

static uint16_t
sum16(const uint8_t *p, size_t len, uint32_t sum)
{
	size_t i;

	for (i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (len % 2 != 0)
		sum += (uint32_t)p[len - 1] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static bool
parse_mac(const char *text, uint8_t mac[6])
{
	unsigned v[6];
	int i;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5]) != 6)
		return false;
	for (i = 0; i < 6; i++)
		mac[i] = (uint8_t)v[i];
	return true;
}

static bool
put_ip4(struct frame *f, const char *src, const char *dst)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP };
	uint8_t *at = f->bytes + ETH_HLEN;

	if (inet_pton(AF_INET, src, &ip.saddr) != 1 || inet_pton(AF_INET, dst, &ip.daddr) != 1)
		return false;
	ip.tot_len = htons((uint16_t)(sizeof(ip) + sizeof(struct udphdr) + PAYLOAD));
	memcpy(at, &ip, sizeof(ip));
	ip.check = htons((uint16_t)~sum16(at, sizeof(ip), 0));
	memcpy(at, &ip, sizeof(ip));
	f->bytes[12] = 0x08;
	f->bytes[13] = 0x00;
	f->udp = ETH_HLEN + sizeof(ip);
	return true;
}

static bool
put_ip6(struct frame *f, const char *src, const char *dst)
{
	struct ip6_hdr ip = { .ip6_flow = htonl(6U << 28), .ip6_nxt = IPPROTO_UDP, .ip6_hlim = 64 };

	if (inet_pton(AF_INET6, src, &ip.ip6_src) != 1 || inet_pton(AF_INET6, dst, &ip.ip6_dst) != 1)
		return false;
	ip.ip6_plen = htons((uint16_t)(sizeof(struct udphdr) + PAYLOAD));
	memcpy(f->bytes + ETH_HLEN, &ip, sizeof(ip));
	f->bytes[12] = 0x86;
	f->bytes[13] = 0xdd;
	f->udp = ETH_HLEN + sizeof(ip);
	return true;
}

/* The UDP checksum: none in IPv4 (allowed), a real one in IPv6. */
void
frame_set_ports(struct frame *f, uint16_t sport, uint16_t dport)
{
	struct udphdr udp = { .source = htons(sport), .dest = htons(dport) };
	uint16_t len = sizeof(udp) + PAYLOAD, sum;

	udp.len = htons(len);
	memcpy(f->bytes + f->udp, &udp, sizeof(udp));
	f->len = f->udp + len;
	if (f->bytes[12] != 0x86)
		return;
	sum = (uint16_t)~sum16(f->bytes + ETH_HLEN + 8, 32U + len, (uint32_t)len + IPPROTO_UDP);
	udp.check = htons(sum == 0 ? 0xffff : sum);
	memcpy(f->bytes + f->udp, &udp, sizeof(udp));
}

static bool
parse_flow(const char *line, struct frame *f)
{
	char mac_src[32], mac_dst[32], src[64], dst[64];
	unsigned sport, dport;

	memset(f, 0, sizeof(*f));
	if (sscanf(line, "%31s %31s %63s %63s %u %u", mac_src, mac_dst, src, dst, &sport, &dport) != 6)
		return false;
	if (!parse_mac(mac_dst, f->bytes) || !parse_mac(mac_src, f->bytes + 6))
		return false;
	if (strchr(src, ':') != NULL ? !put_ip6(f, src, dst) : !put_ip4(f, src, dst))
		return false;
	frame_set_ports(f, (uint16_t)sport, (uint16_t)dport);
	return true;
}

void
frames_read(struct frame_list *list)
{
	char line[256];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (list->n == list->max) {
			list->max = list->max == 0 ? 1024 : list->max * 2;
			list->frames = reallocarray(list->frames, list->max, sizeof(*list->frames));
			if (list->frames == NULL) {
				fprintf(stderr, "blast: %s\n", strerror(errno));
				exit(1);
			}
		}
		if (!parse_flow(line, &list->frames[list->n])) {
			fprintf(stderr, "blast: not a flow: %s", line);
			exit(64);
		}
		list->n++;
	}
}
