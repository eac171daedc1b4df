/* SPDX-License-Identifier: GPL-2.0-or-later */
/* url.h -- where a transfer may go. Pure: looks nothing up, opens nothing. */
#ifndef CORDON_FETCH_URL_H
#define CORDON_FETCH_URL_H

#include <stdbool.h>
#include <stddef.h>

enum url_kind { URL_HTTP, URL_LDAP, URL_FILE, URL_FOLDER, URL_OTHER };
enum url_kind url_kind(const char *url);

/* Does the URL go where cordond said, to no other host that begins alike? */
bool url_allowed(const char *url, const char *prefix);

/* May a server send us from one to the other? To the same host (and port, or with
 * a step from http to https), or to one of hosts; never from https to http, and
 * by HTTP only. hosts: names or addresses separated by commas, each by itself for
 * any port, or with ":port" for that one alone. */
bool url_may_redirect(const char *from, const char *to, const char *hosts);

/* Does a URL's host go without the proxy? no_proxy: separated by commas; a name
 * (also for the names below it, with or without a dot before), an address, a
 * prefix like 10.0.0.0/8 or fd00::/8 (for URLs with addresses), or "*" for all. */
bool url_bypasses_proxy(const char *url, const char *no_proxy);

/* "http://host:port", "https://...", "socks5://..." or "socks5h://...": what we
 * take for a proxy. */
bool url_is_proxy(const char *url);

/* Is each of the pins, separated by semicolons, "sha256//" and base64? Anything
 * else libcurl would take for the name of a file. */
bool url_pins_well(const char *pins);

/* The path of "file:///path", with %XX. 0, -EINVAL (also for a NUL in it) or -ENOMEM. */
int url_path(const char *url, char *out, size_t size);

#endif
