/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flows.c -- steady UDP conversations of many devices, every packet accounted for.
 *
 * Each line of standard input is a conversation: netns-path destination port.
 * Its socket is made in that namespace; all send at the same pace; the far end
 * (sockets made in --server's namespace) answers each datagram. Runs for
 * --seconds or until SIGTERM, waits for what is on its way, then prints a line
 * per conversation: index sent arrived answered last-arrival last-answer
 * (nanoseconds since 1970, 0: never). Prints "started" when all have an answer. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SERVERS_MAX 16
#define BATCH 64
#define DRAIN_MS 1000

struct datagram {
	uint32_t index;
	uint32_t number;
};

struct conversation {
	struct sockaddr_in6 to;		/* IPv4 in a sockaddr_in of the same room */
	socklen_t to_len;
	int fd;
	uint32_t sent;			/* by the sender's thread alone, as are the answers */
	uint32_t answered;
	uint64_t last_answer;
	_Atomic uint32_t arrived;	/* by the server's thread alone */
	_Atomic uint64_t last_arrival;
};

struct server {
	struct sockaddr_in6 at;
	socklen_t len;
	int fd;
};

static struct conversation *conversations;
static size_t n_conversations;
static struct server servers[SERVERS_MAX];
static size_t n_servers;
static atomic_bool stop_serving;
static volatile sig_atomic_t stop_sending;

static void
die(const char *what)
{
	fprintf(stderr, "flows: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t
now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void
enter(const char *netns)
{
	int fd;

	if ((fd = open(netns, O_RDONLY | O_CLOEXEC)) == -1 || setns(fd, CLONE_NEWNET) == -1)
		die(netns);
	close(fd);
}

static bool
parse_address(const char *text, unsigned port, struct sockaddr_in6 *out, socklen_t *len)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
		memcpy(out, &in, sizeof(in));
		*len = sizeof(in);
		return true;
	}
	out->sin6_family = AF_INET6;
	out->sin6_port = htons((uint16_t)port);
	*len = sizeof(*out);
	return inet_pton(AF_INET6, text, &out->sin6_addr) == 1;
}

static int
udp_socket(int family)
{
	int fd, room = 16 << 20;

	if ((fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) == -1)
		die("socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	return fd;
}

static void
need_server(const struct conversation *c)
{
	size_t i;

	for (i = 0; i < n_servers; i++)
		if (memcmp(&servers[i].at, &c->to, sizeof(c->to)) == 0)
			return;
	if (n_servers == SERVERS_MAX) {
		fprintf(stderr, "flows: more than %d destinations\n", SERVERS_MAX);
		exit(64);
	}
	servers[n_servers].at = c->to;
	servers[n_servers++].len = c->to_len;
}

static void
read_conversations(void)
{
	char line[512], netns[256], to[64];
	size_t max = 0;
	unsigned port;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct conversation *c;

		if (n_conversations == max) {
			max = max == 0 ? 256 : max * 2;
			if ((conversations = reallocarray(conversations, max, sizeof(*c))) == NULL)
				die("memory");
		}
		c = &conversations[n_conversations++];
		memset(c, 0, sizeof(*c));
		if (sscanf(line, "%255s %63s %u", netns, to, &port) != 3 ||
		    !parse_address(to, port, &c->to, &c->to_len)) {
			fprintf(stderr, "flows: not a conversation: %s", line);
			exit(64);
		}
		enter(netns);
		c->fd = udp_socket(c->to.sin6_family);
		need_server(c);
	}
}

/* ---- the far end ---------------------------------------------------------- */

static void
answer(int fd)
{
	struct sockaddr_in6 peers[BATCH];
	struct datagram data[BATCH];
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	uint64_t now;
	int i, n;

	memset(msgs, 0, sizeof(msgs));
	for (i = 0; i < BATCH; i++) {
		iov[i].iov_base = &data[i];
		iov[i].iov_len = sizeof(data[i]);
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
		msgs[i].msg_hdr.msg_name = &peers[i];
		msgs[i].msg_hdr.msg_namelen = sizeof(peers[i]);
	}
	if ((n = recvmmsg(fd, msgs, BATCH, MSG_DONTWAIT, NULL)) <= 0)
		return;
	now = now_ns(CLOCK_REALTIME);
	for (i = 0; i < n; i++) {
		if (msgs[i].msg_len != sizeof(data[i]) || data[i].index >= n_conversations)
			continue;
		atomic_fetch_add(&conversations[data[i].index].arrived, 1);
		atomic_store(&conversations[data[i].index].last_arrival, now);
	}
	(void)sendmmsg(fd, msgs, (unsigned)n, 0);
}

static void *
serve(void *arg)
{
	struct pollfd fds[SERVERS_MAX];
	size_t i;

	(void)arg;
	for (i = 0; i < n_servers; i++)
		fds[i] = (struct pollfd){ .fd = servers[i].fd, .events = POLLIN };
	while (!atomic_load(&stop_serving)) {
		if (poll(fds, n_servers, 50) <= 0)
			continue;
		for (i = 0; i < n_servers; i++)
			if (fds[i].revents & POLLIN)
				answer(fds[i].fd);
	}
	return NULL;
}

static void
open_servers(const char *netns)
{
	size_t i;

	enter(netns);
	for (i = 0; i < n_servers; i++) {
		servers[i].fd = udp_socket(servers[i].at.sin6_family);
		if (bind(servers[i].fd, (struct sockaddr *)&servers[i].at, servers[i].len) == -1)
			die("bind");
	}
}

/* ---- the devices ---------------------------------------------------------- */

static void
take_answers(int epoll)
{
	struct epoll_event events[BATCH];
	struct conversation *c;
	struct datagram d;
	int i, n;

	while ((n = epoll_wait(epoll, events, BATCH, 0)) > 0) {
		for (i = 0; i < n; i++) {
			c = &conversations[events[i].data.u32];
			while (recv(c->fd, &d, sizeof(d), 0) == (ssize_t)sizeof(d)) {
				c->answered++;
				c->last_answer = now_ns(CLOCK_REALTIME);
			}
		}
	}
}

static void
say_hello(size_t i)
{
	struct conversation *c = &conversations[i];
	struct datagram d = { .index = (uint32_t)i, .number = c->sent };

	if (sendto(c->fd, &d, sizeof(d), 0, (struct sockaddr *)&c->to, c->to_len) == (ssize_t)sizeof(d))
		c->sent++;
}

static bool
all_answered(void)
{
	size_t i;

	for (i = 0; i < n_conversations; i++)
		if (conversations[i].answered == 0)
			return false;
	return true;
}

/* Everybody sends once per period, spread evenly over it. */
static void
converse(int epoll, double rate, double seconds)
{
	uint64_t gap = (uint64_t)(1e9 / (rate * (double)n_conversations));
	uint64_t due = now_ns(CLOCK_MONOTONIC), end = due + (uint64_t)(seconds * 1e9), now;
	bool told = false;
	size_t i = 0;

	while (!stop_sending && (now = now_ns(CLOCK_MONOTONIC)) < end) {
		for (; due <= now; due += gap) {
			say_hello(i);
			i = (i + 1) % n_conversations;
		}
		take_answers(epoll);
		if (!told && all_answered()) {
			told = true;
			printf("started\n");
			fflush(stdout);
		}
		if (due > now + 50000)
			usleep(50);
	}
	for (i = 0; i < DRAIN_MS / 10; i++) {
		take_answers(epoll);
		usleep(10000);
	}
}

static int
watch_answers(void)
{
	int epoll;
	size_t i;

	if ((epoll = epoll_create1(EPOLL_CLOEXEC)) == -1)
		die("epoll");
	for (i = 0; i < n_conversations; i++) {
		struct epoll_event e = { .events = EPOLLIN, .data.u32 = (uint32_t)i };

		if (epoll_ctl(epoll, EPOLL_CTL_ADD, conversations[i].fd, &e) == -1)
			die("epoll_ctl");
	}
	return epoll;
}

static void
on_term(int signum)
{
	(void)signum;
	stop_sending = 1;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "server", required_argument, NULL, 's' },
		{ "rate", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	struct rlimit files = { 65536, 65536 };
	double rate = 10, seconds = 10;
	const char *server = NULL;
	pthread_t thread;
	int o, epoll;
	size_t i;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (o) {
		case 's': server = optarg; break;
		case 'r': rate = atof(optarg); break;
		case 't': seconds = atof(optarg); break;
		default: return 64;
		}
	}
	(void)setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGTERM, on_term);
	read_conversations();
	if (server == NULL || n_conversations == 0 || rate <= 0)
		return 64;
	open_servers(server);
	epoll = watch_answers();
	if (pthread_create(&thread, NULL, serve, NULL) != 0)
		die("pthread_create");
	converse(epoll, rate, seconds);
	atomic_store(&stop_serving, true);
	pthread_join(thread, NULL);
	for (i = 0; i < n_conversations; i++) {
		struct conversation *c = &conversations[i];

		printf("%zu %u %u %u %" PRIu64 " %" PRIu64 "\n", i, c->sent, atomic_load(&c->arrived),
		    c->answered, atomic_load(&c->last_arrival), c->last_answer);
	}
	return 0;
}
