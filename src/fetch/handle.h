/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handle.h -- a libcurl handle with all limits of a transfer set, and nothing
 * taken from the environment. For http.c and ldap.c. */
#ifndef CORDON_FETCH_HANDLE_H
#define CORDON_FETCH_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

#include "fetch/fetch.h"

struct handle {
	struct transfer *t;
	CURL *curl;
	struct curl_slist *headers;	/* to send */
	bool refused;			/* an address of a private network was not gone to */
	int64_t deadline_boot;		/* of all requests together */
};

#define HANDLE_SET(h, option, value) (curl_easy_setopt((h)->curl, option, value) != CURLE_OK)

/* protocols: "http,https"; on_body gets arg. 0, or -errno with the reason in the
 * transfer. handle_close in any case. */
int handle_open(struct handle *, struct transfer *, const char *protocols, curl_write_callback on_body, void *arg);
void handle_close(struct handle *);

/* One request to that URL, by the proxy or not. 0; or -1 with the reason in the transfer. */
int handle_perform(struct handle *, const char *url);

long handle_status(const struct handle *);	/* of the answer, as far as it came */

#endif
