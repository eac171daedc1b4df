/* SPDX-License-Identifier: GPL-2.0-or-later */
/* world.c -- the router, its cables, and who sends into them. */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const port_names[PORTS] = { "lan0", "lan1", "lan2", "wan0", "wan1" };

void
world_fail(const char *what, int error)
{
	fprintf(stderr, "differential: %s: %s\n", what, strerror(error < 0 ? -error : error));
	exit(3);
}

void
world_run(const char *const argv[], const char *input)
{
	int ends[2], status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		world_fail("pipe", errno);
	if ((pid = fork()) < 0)
		world_fail("fork", errno);
	if (pid == 0) {
		if (dup2(ends[0], STDIN_FILENO) >= 0)
			execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(ends[0]);
	for (size_t len = strlen(input), at = 0; at < len;) {
		ssize_t n = write(ends[1], input + at, len - at);

		if (n < 0)
			world_fail(argv[0], errno);
		at += (size_t)n;
	}
	close(ends[1]);
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		world_fail(argv[0], EINVAL);
}

void
world_read(const char *const argv[], void (*fn)(void *arg, const char *line), void *arg)
{
	char line[1024];
	int ends[2], status;
	pid_t pid;
	FILE *f;

	if (pipe2(ends, O_CLOEXEC) < 0)
		world_fail("pipe", errno);
	if ((pid = fork()) < 0)
		world_fail("fork", errno);
	if (pid == 0) {
		if (dup2(ends[1], STDOUT_FILENO) >= 0)
			execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(ends[1]);
	if ((f = fdopen(ends[0], "r")) == NULL)
		world_fail("fdopen", errno);
	while (fgets(line, sizeof(line), f) != NULL)
		fn(arg, line);
	fclose(f);
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		world_fail(argv[0], EINVAL);
}

static void
set_sysctl(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		world_fail(path, errno);
	close(fd);
}

static int
new_namespace(void)
{
	int fd;

	if (unshare(CLONE_NEWNET) < 0)
		world_fail("a network namespace of its own (it needs root)", errno);
	if ((fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) < 0)
		world_fail("/proc/self/ns/net", errno);
	return fd;
}

static void
enter(int fd)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		world_fail("setns", errno);
}

void
world_mac(int port, uint8_t mac[6])
{
	memcpy(mac, (const uint8_t[]){ 2, 0xaa, 0, 0, 0, (uint8_t)port }, 6);
}

/* The far ends drop at once what comes to them: it is for a MAC that is not theirs. */
static void
lay_cables(const struct world *w)
{
	char input[4096];
	size_t at = 0;

	for (int p = 0; p < PORTS; p++)
		at += (size_t)snprintf(input + at, sizeof(input) - at,
		    "link add far%d type veth peer name %s address 02:aa:00:00:00:%02x netns /proc/%d/fd/%d\n"
		    "link set far%d arp off up\n", p, port_names[p], (unsigned)p, (int)getpid(), w->router, p);
	world_run((const char *const[]){ "ip", "-batch", "-", NULL }, input);
}

static void
configure_port(int p, char *out, size_t size)
{
	const char *name = port_names[p];
	size_t at = (size_t)snprintf(out, size,
	    "link set %s up\n"
	    "neigh add 10.255.%d.1 lladdr 02:bb:00:00:00:%02x dev %s nud permanent\n"
	    "neigh add fe80::1 lladdr 02:bb:00:00:00:%02x dev %s nud permanent\n"
	    "neigh add fe80::9 lladdr 02:bb:00:00:00:%02x dev %s nud permanent\n"
	    "addr add 10.0.%d.254/32 dev %s\n"
	    "addr add fd00:0:0:%d::fe/128 dev %s nodad\n",
	    name, p, (unsigned)p, name, (unsigned)p, name, (unsigned)p, name, p, name, p, name);

	if (p < LANS)
		at += (size_t)snprintf(out + at, size - at, "route add 10.0.%d.0/24 via 10.255.%d.1 dev %s onlink\n"
		    "route add fd00:0:0:%d::/64 via fe80::1 dev %s onlink\n", p, p, name, p, name);
	else
		at += (size_t)snprintf(out + at, size - at, "route add %s via 10.255.%d.1 dev %s onlink\n"
		    "route add 2001:db8:%d::/48 via fe80::1 dev %s onlink\n",
		    p == WAN0 ? "192.0.2.0/24" : "198.51.100.0/24", p, name, p, name);
	if (p == WAN0)
		snprintf(out + at, size - at, "route add default via 10.255.%d.1 dev %s onlink\n"
		    "route add default via fe80::1 dev %s onlink\n", p, name, name);
}

static void
configure_router(void)
{
	static const char *const settings[][2] = {
		{ "/proc/sys/net/ipv4/ip_forward", "1" },
		{ "/proc/sys/net/ipv4/conf/all/rp_filter", "0" },
		{ "/proc/sys/net/ipv4/conf/default/rp_filter", "0" },
		{ "/proc/sys/net/ipv4/conf/all/send_redirects", "0" },
		{ "/proc/sys/net/ipv4/conf/default/send_redirects", "0" },
		{ "/proc/sys/net/ipv4/conf/all/accept_redirects", "0" },
		{ "/proc/sys/net/ipv4/icmp_ratelimit", "0" },
		{ "/proc/sys/net/ipv6/conf/all/forwarding", "1" },
		{ "/proc/sys/net/ipv6/conf/default/forwarding", "1" },
		{ "/proc/sys/net/ipv6/conf/all/accept_dad", "0" },
		{ "/proc/sys/net/ipv6/conf/default/accept_dad", "0" },
		{ "/proc/sys/net/ipv6/conf/default/accept_ra", "0" },
		{ "/proc/sys/net/ipv6/conf/default/accept_redirects", "0" },
		{ "/proc/sys/net/ipv6/icmp/ratelimit", "0" },
	};
	char input[8192] = "link set lo up\n";

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		set_sysctl(settings[i][0], settings[i][1]);
	for (int p = 0; p < PORTS; p++)
		configure_port(p, input + strlen(input), sizeof(input) - strlen(input));
	world_run((const char *const[]){ "ip", "-batch", "-", NULL }, input);
}

/* Counts IPv4 and IPv6 frames of ours, once for each packet: no later fragments.
 * What finds no room in it is counted as well. */
static int
open_counter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IP, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 15),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FRAME_TOS_OUT, 0, 12),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 20),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 10, 0),
		BPF_JUMP(BPF_JMP | BPF_JA, 8, 0, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE_IPV6, 0, 8),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 14),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0x0ff0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FRAME_TOS_OUT << 4, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 20),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_FRAGMENT, 0, 2),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 56),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0xfff8, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), one = 1, least = 1;
	struct sockaddr_ll any = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0 ||
	    bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0)
		world_fail("a socket that counts frames", errno);
	return fd;
}

static void
open_wires(struct world *w)
{
	char name[8];
	int one = 1;

	set_sysctl("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	lay_cables(w);
	for (int p = 0; p < PORTS; p++) {
		snprintf(name, sizeof(name), "far%d", p);
		w->far_index[p] = (int)if_nametoindex(name);
	}
	w->counter = open_counter();
	if ((w->sender = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) < 0 ||
	    setsockopt(w->sender, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) < 0)
		world_fail("a packet socket", errno);
}

/* On one processor packets are handled in the order in which they were sent. */
static void
stay_here(void)
{
	cpu_set_t set;
	int cpu = sched_getcpu();

	CPU_ZERO(&set);
	CPU_SET(cpu < 0 ? 0 : (size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		world_fail("sched_setaffinity", errno);
}

void
world_make(struct world *w)
{
	stay_here();
	w->router = new_namespace();
	w->wires = new_namespace();
	open_wires(w);
	enter(w->router);
	configure_router();
	for (int p = 0; p < PORTS; p++)
		w->index[p] = (int)if_nametoindex(port_names[p]);
}

#define SEND_AT_ONCE 128

void
world_send(struct world *w, const struct frame *frames, size_t n)
{
	struct mmsghdr messages[SEND_AT_ONCE];
	struct sockaddr_ll to[SEND_AT_ONCE];
	struct iovec parts[SEND_AT_ONCE];

	while (n > 0) {
		size_t many = n < SEND_AT_ONCE ? n : SEND_AT_ONCE;
		int sent;

		memset(messages, 0, many * sizeof(messages[0]));
		for (size_t i = 0; i < many; i++) {
			to[i] = (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_halen = 6,
				.sll_ifindex = w->far_index[frames[i].port] };
			parts[i] = (struct iovec){ (void *)frames[i].bytes, frames[i].len };
			messages[i].msg_hdr = (struct msghdr){ .msg_name = &to[i],
				.msg_namelen = sizeof(to[i]), .msg_iov = &parts[i], .msg_iovlen = 1 };
		}
		sent = sendmmsg(w->sender, messages, (unsigned)many, 0);
		if (sent < 0 && errno != EINTR && errno != EAGAIN && errno != ENOBUFS)
			world_fail("sending frames", errno);
		if (sent > 0) {
			frames += sent;
			n -= (size_t)sent;
		}
	}
}

uint32_t
world_came_out(struct world *w)
{
	struct tpacket_stats stats;
	socklen_t len = sizeof(stats);

	if (getsockopt(w->counter, SOL_PACKET, PACKET_STATISTICS, &stats, &len) < 0)
		world_fail("counting frames", errno);
	return stats.tp_packets;
}
