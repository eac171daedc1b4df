/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blast.c -- send UDP frames of many devices through a router as fast as one
 * core can, to measure what a packet costs there. Measures nothing itself but
 * the time: what arrived is counted at the other end.
 *
 * Each line of standard input is a flow: mac-src mac-dst src dst sport dport
 * (IPv4 or IPv6). Frames of all flows are sent in turn, round after round. With
 * --new PORT each round uses the next source port from PORT on, so every packet
 * opens a flow. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 96	/* Ethernet, IPv6, UDP and some payload */
#define BATCH 64
#define PAYLOAD 18	/* fills an IPv4 frame to Ethernet's least */

struct flow_frame {
	uint8_t bytes[FRAME_MAX];
	uint32_t len;
	uint32_t udp;		/* offset of the UDP header */
};

struct flow_list {
	struct flow_frame *frames;
	size_t n, max;
};

static void
die(const char *what)
{
	fprintf(stderr, "blast: %s: %s\n", what, strerror(errno));
	exit(1);
}

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
put_ip4(struct flow_frame *f, const char *src, const char *dst)
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
put_ip6(struct flow_frame *f, const char *src, const char *dst)
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
static void
set_ports(struct flow_frame *f, uint16_t sport, uint16_t dport)
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
parse_flow(const char *line, struct flow_frame *f)
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
	set_ports(f, (uint16_t)sport, (uint16_t)dport);
	return true;
}

static void
read_flows(struct flow_list *list)
{
	char line[256];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (list->n == list->max) {
			list->max = list->max == 0 ? 1024 : list->max * 2;
			list->frames = reallocarray(list->frames, list->max, sizeof(*list->frames));
			if (list->frames == NULL)
				die("memory");
		}
		if (!parse_flow(line, &list->frames[list->n])) {
			fprintf(stderr, "blast: not a flow: %s", line);
			exit(64);
		}
		list->n++;
	}
}

static int
open_wire(const char *netns, const char *interface)
{
	struct sockaddr_ll where = { .sll_family = AF_PACKET };
	int ns, fd, on = 1;

	if ((ns = open(netns, O_RDONLY | O_CLOEXEC)) == -1 || setns(ns, CLONE_NEWNET) == -1)
		die(netns);
	close(ns);
	if ((fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) == -1)
		die("socket");
	if ((where.sll_ifindex = (int)if_nametoindex(interface)) == 0)
		die(interface);
	if (bind(fd, (struct sockaddr *)&where, sizeof(where)) == -1)
		die("bind");
	if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) == -1)
		die("PACKET_QDISC_BYPASS");
	return fd;
}

/* Send one batch whole; the kernel may take it in parts. */
static void
send_batch(int fd, struct mmsghdr *msgs, unsigned n)
{
	unsigned done = 0;
	int rc;

	while (done < n) {
		rc = sendmmsg(fd, msgs + done, n - done, 0);
		if (rc == -1 && errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			die("sendmmsg");
		if (rc > 0)
			done += (unsigned)rc;
	}
}

/* Up to BATCH frames from `at` on, never past the end of the list: a frame that
 * changes from round to round must not wait in a batch twice. */
static unsigned
fill_batch(struct flow_list *list, size_t at, unsigned most, uint16_t sport, struct mmsghdr *msgs,
    struct iovec *iov)
{
	unsigned n;

	for (n = 0; n < most && at + n < list->n; n++) {
		struct flow_frame *f = &list->frames[at + n];

		if (sport != 0)
			set_ports(f, sport, (uint16_t)(f->bytes[f->udp + 2] << 8 | f->bytes[f->udp + 3]));
		iov[n].iov_base = f->bytes;
		iov[n].iov_len = f->len;
		msgs[n].msg_hdr.msg_iov = &iov[n];
		msgs[n].msg_hdr.msg_iovlen = 1;
	}
	return n;
}

static void
blast(int fd, struct flow_list *list, uint64_t count, uint16_t sport)
{
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	size_t at = 0;
	unsigned n;

	memset(msgs, 0, sizeof(msgs));
	while (count > 0) {
		n = fill_batch(list, at, count < BATCH ? (unsigned)count : BATCH, sport, msgs, iov);
		send_batch(fd, msgs, n);
		count -= n;
		at += n;
		if (at == list->n) {
			at = 0;
			if (sport != 0)
				sport++;
		}
	}
}

static void
pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == -1)
		die("sched_setaffinity");
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "netns", required_argument, NULL, 'n' },
		{ "interface", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'c' },
		{ "cpu", required_argument, NULL, 'p' },
		{ "new", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	struct flow_list list = { NULL, 0, 0 };
	struct timespec before, after;
	const char *netns = NULL, *interface = "eth0";
	uint64_t count = 0;
	uint16_t sport = 0;
	int o, fd;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 'n': netns = optarg; break;
		case 'i': interface = optarg; break;
		case 'c': count = strtoull(optarg, NULL, 10); break;
		case 'p': pin(atoi(optarg)); break;
		case 'w': sport = (uint16_t)atoi(optarg); break;
		default: return 64;
		}
	}
	read_flows(&list);
	if (netns == NULL || list.n == 0)
		return 64;
	fd = open_wire(netns, interface);
	clock_gettime(CLOCK_MONOTONIC, &before);
	blast(fd, &list, count == 0 ? list.n : count, sport);
	clock_gettime(CLOCK_MONOTONIC, &after);
	printf("%" PRIu64 " %.9f\n", count == 0 ? (uint64_t)list.n : count,
	    (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9);
	close(fd);
	free(list.frames);
	return 0;
}
