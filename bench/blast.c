/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blast.c -- send UDP frames of many devices through a router as fast as one
 * core can, to measure what a packet costs there. Measures nothing itself but
 * the time: what arrived is counted at the other end.
 *
 * Each line of standard input is a flow: mac-src mac-dst src dst sport dport
 * (IPv4 or IPv6). Frames of all flows are sent in turn, round after round. With
 * --new PORT each round uses the next source port from PORT on, so every packet
 * opens a flow.
 *
 * Bare: many frames per system call, past the queueing discipline; whoever calls
 * counts what came. With --sink NETNS as programs do it: a call per packet here,
 * and a UDP socket there that takes each packet (and answers it with --answer)
 * on another core; the time is that of the last one taken. Prints packets
 * (sent, or taken by the sink) and seconds. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
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
#define SINK_PORT 5000
#define SINK_PATIENCE_NS 300000000ULL	/* nothing came for so long: the rest is lost */

struct sink {
	int fd;
	int cpu;
	bool answer;
	_Atomic uint64_t taken;
	_Atomic uint64_t last;		/* clock of the last one */
	atomic_bool stop;
};

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

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void
enter(const char *netns)
{
	int ns;

	if ((ns = open(netns, O_RDONLY | O_CLOEXEC)) == -1 || setns(ns, CLONE_NEWNET) == -1)
		die(netns);
	close(ns);
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

/* ---- the far end, with --sink ------------------------------------------- */

static void
sink_open(struct sink *s, const char *netns)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_port = htons(SINK_PORT) };
	struct timeval wait = { .tv_usec = 20000 };
	int room = 256 << 20;

	enter(netns);
	if ((s->fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1 ||
	    setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) == -1 ||
	    setsockopt(s->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == -1 ||
	    bind(s->fd, (struct sockaddr *)&at, sizeof(at)) == -1)
		die("sink");
}

/* Answers must come from the address that was spoken to: IP_PKTINFO would tell,
 * but a reply through conntrack needs it exactly, so the control data goes back as it came. */
static void *
sink_run(void *arg)
{
	struct sink *s = arg;
	uint8_t data[256], control[128];
	struct sockaddr_in6 peer;
	struct iovec iov = { data, sizeof(data) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t len;

	pin(s->cpu);
	while (!atomic_load(&s->stop)) {
		m.msg_name = s->answer ? &peer : NULL;
		m.msg_namelen = s->answer ? sizeof(peer) : 0;
		m.msg_control = s->answer ? control : NULL;
		m.msg_controllen = s->answer ? sizeof(control) : 0;
		iov.iov_len = sizeof(data);
		if ((len = recvmsg(s->fd, &m, 0)) < 0)
			continue;
		atomic_store(&s->last, now_ns());
		atomic_fetch_add(&s->taken, 1);
		if (s->answer) {
			iov.iov_len = (size_t)len;
			m.msg_flags = 0;
			(void)sendmsg(s->fd, &m, 0);
		}
	}
	return NULL;
}

static pthread_t
sink_start(struct sink *s)
{
	pthread_t thread;
	int on = 1;

	if (s->answer && (setsockopt(s->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) == -1 ||
	    setsockopt(s->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) == -1))
		die("packet info");
	if (pthread_create(&thread, NULL, sink_run, s) != 0)
		die("pthread_create");
	return thread;
}

/* Wait until all came, or nothing more does. */
static void
sink_finish(struct sink *s, pthread_t thread, uint64_t count)
{
	uint64_t start = now_ns(), last;

	do {
		usleep(1000);
		last = atomic_load(&s->last);
	} while (atomic_load(&s->taken) < count && now_ns() < (last > start ? last : start) + SINK_PATIENCE_NS);
	atomic_store(&s->stop, true);
	pthread_join(thread, NULL);
}

/* ---- the near end ------------------------------------------------------- */

static int
open_wire(const char *netns, const char *interface, bool bypass)
{
	struct sockaddr_ll where = { .sll_family = AF_PACKET };
	int fd, on = 1;

	enter(netns);
	if ((fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) == -1)
		die("socket");
	if ((where.sll_ifindex = (int)if_nametoindex(interface)) == 0)
		die(interface);
	if (bind(fd, (struct sockaddr *)&where, sizeof(where)) == -1)
		die("bind");
	if (bypass && setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) == -1)
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

/* batch: frames per system call. */
static void
blast(int fd, struct flow_list *list, uint64_t count, uint16_t sport, unsigned batch)
{
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	size_t at = 0;
	unsigned n;

	memset(msgs, 0, sizeof(msgs));
	while (count > 0) {
		n = fill_batch(list, at, count < batch ? (unsigned)count : batch, sport, msgs, iov);
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

struct options {
	const char *netns;
	const char *sink;
	const char *interface;
	uint64_t count;
	int cpu;
	uint16_t sport;
	bool answer;
};

static bool
options_read(int argc, char **argv, struct options *opt)
{
	static const struct option known[] = {
		{ "netns", required_argument, NULL, 'n' },
		{ "interface", required_argument, NULL, 'i' },
		{ "count", required_argument, NULL, 'c' },
		{ "cpu", required_argument, NULL, 'p' },
		{ "new", required_argument, NULL, 'w' },
		{ "sink", required_argument, NULL, 's' },
		{ "answer", no_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	int o;

	while ((o = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (o) {
		case 'n': opt->netns = optarg; break;
		case 'i': opt->interface = optarg; break;
		case 'c': opt->count = strtoull(optarg, NULL, 10); break;
		case 'p': opt->cpu = atoi(optarg); break;
		case 'w': opt->sport = (uint16_t)atoi(optarg); break;
		case 's': opt->sink = optarg; break;
		case 'a': opt->answer = true; break;
		default: return false;
		}
	}
	return opt->netns != NULL;
}

int
main(int argc, char **argv)
{
	struct options opt = { .interface = "eth0", .cpu = -1 };
	struct flow_list list = { NULL, 0, 0 };
	struct sink sink = { .fd = -1 };
	pthread_t thread = 0;
	uint64_t start, end;
	int fd;

	if (!options_read(argc, argv, &opt))
		return 64;
	read_flows(&list);
	if (list.n == 0)
		return 64;
	if (opt.count == 0)
		opt.count = list.n;
	if (opt.sink != NULL) {
		sink.answer = opt.answer;
		sink.cpu = opt.cpu > 0 ? opt.cpu - 1 : 0;
		sink_open(&sink, opt.sink);
		thread = sink_start(&sink);
	}
	if (opt.cpu >= 0)
		pin(opt.cpu);
	fd = open_wire(opt.netns, opt.interface, opt.sink == NULL);
	start = now_ns();
	blast(fd, &list, opt.count, opt.sport, opt.sink != NULL ? 1 : BATCH);
	end = now_ns();
	if (opt.sink != NULL) {
		sink_finish(&sink, thread, opt.count);
		end = atomic_load(&sink.last);
	}
	printf("%" PRIu64 " %.9f\n", opt.sink != NULL ? atomic_load(&sink.taken) : opt.count,
	    (double)(end - start) / 1e9);
	close(fd);
	free(list.frames);
	return 0;
}
