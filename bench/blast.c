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
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
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

#include "bench/frames.h"

#define BATCH 64
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

static void
die(const char *what)
{
	fprintf(stderr, "blast: %s: %s\n", what, strerror(errno));
	exit(1);
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
fill_batch(struct frame_list *list, size_t at, unsigned most, uint16_t sport, struct mmsghdr *msgs,
    struct iovec *iov)
{
	unsigned n;

	for (n = 0; n < most && at + n < list->n; n++) {
		struct frame *f = &list->frames[at + n];

		if (sport != 0)
			frame_set_ports(f, sport, (uint16_t)(f->bytes[f->udp + 2] << 8 | f->bytes[f->udp + 3]));
		iov[n].iov_base = f->bytes;
		iov[n].iov_len = f->len;
		msgs[n].msg_hdr.msg_iov = &iov[n];
		msgs[n].msg_hdr.msg_iovlen = 1;
	}
	return n;
}

/* batch: frames per system call. */
static void
blast(int fd, struct frame_list *list, uint64_t count, uint16_t sport, unsigned batch)
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
	struct frame_list list = { NULL, 0, 0 };
	struct sink sink = { .fd = -1 };
	pthread_t thread = 0;
	uint64_t start, end;
	int fd;

	if (!options_read(argc, argv, &opt))
		return 64;
	frames_read(&list);
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
