/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hosts.h -- lists of hosts as an admin writes them, and addresses that are not
 * the Internet's. Pure: looks nothing up. */
#ifndef CORDON_FETCH_HOSTS_H
#define CORDON_FETCH_HOSTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Is the host in the list (separated by commas)? An entry is "host" for any port,
 * or "host:port"; of an IPv6 address in brackets. Letters count alike. */
bool hosts_name(const char *list, const char *host, const char *port);

/* As url_bypasses_proxy (url.h), for a host alone. */
bool hosts_without_proxy(const char *list, const char *host);

/* An address that no server of the Internet has: private (RFC 1918), loopback,
 * link-local, unique local, site-local, multicast, unspecified, of a carrier's
 * NAT (RFC 6598), reserved, broadcast; an IPv4 address inside an IPv6 one, mapped
 * or compatible, whatever it is; Teredo and the local NAT64 prefix (RFC 8215);
 * and NAT64 (RFC 6052) or 6to4 of an IPv4 address that is one of these. Also
 * any other family. */
bool address_is_private(const struct sockaddr *, size_t len);

#endif
