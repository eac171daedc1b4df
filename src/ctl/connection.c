/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connection.c -- over which ssh connection does the operator work, and where do
 * its packets come in? Asked of the environment, of /proc and of the kernel's
 * routes; when anything is not known, less is checked and nothing goes wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/file.h"
#include "ctl/args.h"
#include "ctl/who.h"

#define VARIABLE	"SSH_CONNECTION="
#define ANCESTORS_MAX	64
#define ENVIRON_MAX	(2UL << 20)

/* ---- which one? --------------------------------------------------------- */

static int
parse_address(char *text, uint8_t *family, uint8_t out[16], char interface[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char *zone = strchr(text, '%');

	if (zone != NULL) {	/* a link-local address says where it is */
		*zone++ = '\0';
		if (strlen(zone) < IFNAMSIZ)
			snprintf(interface, IFNAMSIZ, "%s", zone);
	}
	memset(out, 0, 16);
	*family = AF_INET;
	if (inet_pton(AF_INET, text, out) == 1)
		return 0;
	*family = AF_INET6;
	if (inet_pton(AF_INET6, text, out) != 1)
		return -EINVAL;
	if (memcmp(out, mapped, sizeof(mapped)) == 0) {
		*family = AF_INET;
		memmove(out, out + 12, 4);
		memset(out + 4, 0, 12);
	}
	return 0;
}

int
connection_parse(const char *text, struct ctl_connection *c)
{
	char client[80], server[80], cport[8], sport[8], unused[IFNAMSIZ], more;
	uint32_t from, to;
	uint8_t family;

	memset(c, 0, sizeof(*c));
	if (sscanf(text, "%79s %7s %79s %7s %c", client, cport, server, sport, &more) != 4 ||
	    args_number(cport, 65535, &from) < 0 || args_number(sport, 65535, &to) < 0 ||
	    parse_address(client, &c->family, c->client, c->interface) < 0 ||
	    parse_address(server, &family, c->server, unused) < 0 || family != c->family) {
		memset(c, 0, sizeof(*c));
		return -EINVAL;
	}
	c->client_port = (uint16_t)from;
	c->server_port = (uint16_t)to;
	return 0;
}

/* The variable in a process's environment. */
static int
in_environ(pid_t pid, struct ctl_connection *c)
{
	size_t len, at, skip = strlen(VARIABLE);
	char path[64];
	uint8_t *text;
	int rc = -ENOENT;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	if (file_read_at(AT_FDCWD, path, ENVIRON_MAX, &text, &len) < 0)
		return -ENOENT;
	for (at = 0; rc < 0 && at < len; at += strlen((char *)text + at) + 1)
		if (strncmp((char *)text + at, VARIABLE, skip) == 0)
			rc = connection_parse((char *)text + at + skip, c);
	free(text);
	return rc;
}

static pid_t
parent_of(pid_t pid)
{
	char path[64];
	uint8_t *text;
	size_t len;
	char *end;
	int parent = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (file_read_at(AT_FDCWD, path, 4096, &text, &len) < 0)
		return 0;
	/* A program's name may hold anything, parentheses too. */
	if ((end = strrchr((char *)text, ')')) == NULL || sscanf(end + 1, " %*c %d", &parent) != 1)
		parent = 0;
	free(text);
	return parent;
}

/* ---- where? ------------------------------------------------------------- */

struct ask {
	struct nlmsghdr h;
	union {
		struct rtmsg route;
		struct ndmsg neighbour;
	} u;
	uint8_t attributes[64];
};

static void
put(struct ask *a, unsigned short type, const void *data, size_t len)
{
	struct rtattr *at = (void *)((char *)a + NLMSG_ALIGN(a->h.nlmsg_len));

	at->rta_type = type;
	at->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(at), data, len);
	a->h.nlmsg_len = NLMSG_ALIGN(a->h.nlmsg_len) + (uint32_t)RTA_ALIGN(at->rta_len);
}

/* Send one question; the answer's message is in buf, checked to be whole. */
static const struct nlmsghdr *
ask_kernel(struct ask *a, void *buf, size_t size, uint16_t want, size_t body)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct timeval patience = { 2, 0 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	const struct nlmsghdr *h = buf;
	ssize_t n = -1;

	if (fd < 0)
		return NULL;
	a->h.nlmsg_flags = NLM_F_REQUEST;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (sendto(fd, a, a->h.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) > 0)
		n = recv(fd, buf, size, 0);
	close(fd);
	if (n < (ssize_t)sizeof(*h) || !NLMSG_OK(h, (uint32_t)n) || h->nlmsg_type != want ||
	    h->nlmsg_len < NLMSG_LENGTH(body))
		return NULL;
	return h;
}

static const struct rtattr *
attribute(const struct nlmsghdr *h, size_t body, unsigned short type, size_t len)
{
	const struct rtattr *a = (const void *)((const char *)h + NLMSG_LENGTH(NLMSG_ALIGN(body)));
	int left = (int)(h->nlmsg_len - NLMSG_LENGTH(NLMSG_ALIGN(body)));

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == type && RTA_PAYLOAD(a) == len)
			return a;
	return NULL;
}

/* The interface that the client is reached by, and the next hop there. */
static int
find_route(struct ctl_connection *c, uint32_t *index, uint8_t hop[16])
{
	size_t len = c->family == AF_INET ? 4 : 16, body = sizeof(struct rtmsg);
	struct ask a = { .h = { .nlmsg_type = RTM_GETROUTE, .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)) } };
	_Alignas(8) uint8_t buf[8192];
	const struct nlmsghdr *h;
	const struct rtattr *at;

	a.u.route.rtm_family = c->family;
	a.u.route.rtm_dst_len = (unsigned char)(8 * len);
	put(&a, RTA_DST, c->client, len);
	if (c->interface[0] != '\0' && (*index = if_nametoindex(c->interface)) != 0)
		put(&a, RTA_OIF, index, sizeof(*index));
	if ((h = ask_kernel(&a, buf, sizeof(buf), RTM_NEWROUTE, body)) == NULL ||
	    (at = attribute(h, body, RTA_OIF, sizeof(*index))) == NULL)
		return -ENOENT;
	memcpy(index, RTA_DATA(at), sizeof(*index));
	if (if_indextoname(*index, c->interface) == NULL)
		return -ENOENT;
	memcpy(hop, c->client, 16);
	if ((at = attribute(h, body, RTA_GATEWAY, len)) != NULL)
		memcpy(hop, RTA_DATA(at), len);
	return 0;
}

static void
find_mac(struct ctl_connection *c, uint32_t index, const uint8_t hop[16])
{
	struct ask a = { .h = { .nlmsg_type = RTM_GETNEIGH, .nlmsg_len = NLMSG_LENGTH(sizeof(struct ndmsg)) } };
	_Alignas(8) uint8_t buf[8192];
	const struct nlmsghdr *h;
	const struct rtattr *at;

	a.u.neighbour.ndm_family = c->family;
	a.u.neighbour.ndm_ifindex = (int)index;
	put(&a, NDA_DST, hop, c->family == AF_INET ? 4 : 16);
	if ((h = ask_kernel(&a, buf, sizeof(buf), RTM_NEWNEIGH, sizeof(struct ndmsg))) == NULL ||
	    (at = attribute(h, sizeof(struct ndmsg), NDA_LLADDR, sizeof(c->mac))) == NULL)
		return;
	memcpy(c->mac, RTA_DATA(at), sizeof(c->mac));
	c->has_mac = 1;
}

void
connection_find(struct ctl_connection *c)
{
	const char *own = getenv("SSH_CONNECTION");
	uint32_t index = 0;
	uint8_t hop[16];
	pid_t pid = getpid();
	int i, rc = -ENOENT;

	memset(c, 0, sizeof(*c));
	if (own != NULL)
		rc = connection_parse(own, c);
	/* sudo takes the variable away, and leaves it with its parents. */
	for (i = 0; rc < 0 && i < ANCESTORS_MAX && (pid = parent_of(pid)) > 1; i++)
		rc = in_environ(pid, c);
	if (rc == 0 && find_route(c, &index, hop) == 0)
		find_mac(c, index, hop);
}

const char *
connection_text(const struct ctl_connection *c, char buf[CONNECTION_STRLEN])
{
	char client[INET6_ADDRSTRLEN] = "?", server[INET6_ADDRSTRLEN] = "?";

	inet_ntop(c->family, c->client, client, sizeof(client));
	inet_ntop(c->family, c->server, server, sizeof(server));
	snprintf(buf, CONNECTION_STRLEN, "%s port %u to %s port %u, which comes in by %.15s", client,
	    (unsigned)c->client_port, server, (unsigned)c->server_port,
	    c->interface[0] != '\0' ? c->interface : "an unknown interface");
	return buf;
}
