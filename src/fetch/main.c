/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c -- cordon-fetch: one transfer, then it exits; or a look-out for files that
 * change. The only program that speaks to hosts outside; it judges nothing of what
 * they say. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "common/log.h"
#include "common/sandbox.h"
#include "fetch/fetch.h"
#include "fetch/url.h"

#define WAIT_MS 60000	/* for cordond's limits, and for cordon-pki's request */

/* A file source may lie anywhere, and the resolver's modules read where they
 * please: as this user, who owns nothing and may write nowhere. */
static const char *const read_paths[] = { "/", NULL };

static const struct sandbox box = {
	.program = "cordon-fetch",
	.rights = SB_NET_CONNECT | SB_FILES_READ | SB_THREADS,
	.read_paths = read_paths,
	.max_memory = 128UL << 20,
	.max_files = 64,
	.max_file_size = 1,
};

/* Who waits for files to change lives long, and needs no network. */
static const struct sandbox watch_box = {
	.program = "cordon-fetch",
	.rights = SB_FILES_READ | SB_WATCH,
	.read_paths = read_paths,
};

static struct transfer transfer;
static struct ipc_message message;

static bool
terminated(const char *text, size_t size)
{
	return strnlen(text, size) < size;
}

static bool
limits_well(const struct fetch_limits *l)
{
	return l->kind < FETCH_KINDS && terminated(l->url_prefix, sizeof(l->url_prefix)) &&
	    terminated(l->hosts, sizeof(l->hosts)) && terminated(l->proxy, sizeof(l->proxy)) &&
	    terminated(l->no_proxy, sizeof(l->no_proxy)) && terminated(l->pin, sizeof(l->pin));
}

static int
get_limits(struct ipc *cordond, struct transfer *t)
{
	int rc = ipc_recv_wait(cordond, &message, WAIT_MS);

	if (rc <= 0)
		return rc == 0 ? -EPIPE : rc;
	if (message.type != MSG_FETCH_LIMITS)
		return -EBADMSG;
	memcpy(&t->limits, message.payload, sizeof(t->limits));
	if (!limits_well(&t->limits))
		return -EBADMSG;
	ipc_init(&t->pki, message.fd, PROC_BIT(PROC_FETCH), PROC_BIT(PROC_PKI), &messages);
	return 0;
}

static int
get_request(struct transfer *t)
{
	struct fetch_request *r = &t->request;
	int rc = ipc_recv_wait(&t->pki, &message, WAIT_MS);

	if (rc <= 0)
		return rc == 0 ? -EPIPE : rc;
	if (message.type != MSG_FETCH_REQUEST)
		return -EBADMSG;
	memcpy(r, message.payload, sizeof(*r));
	if (!terminated(r->url, sizeof(r->url)) || !terminated(r->etag, sizeof(r->etag)) ||
	    !terminated(r->last_modified, sizeof(r->last_modified)))
		return -EBADMSG;
	return 0;
}

static void
go(struct transfer *t)
{
	enum url_kind kind = url_kind(t->request.url);

	/* Who reads CRLs may not choose where we go. */
	if (!url_allowed(t->request.url, t->limits.url_prefix) ||
	    (t->limits.kind == FETCH_OCSP && kind != URL_HTTP)) {
		log_warn(0, "asked for a URL that was not granted");
		transfer_fail(t, E_FETCH, -EPERM);
		return;
	}
	switch (kind) {
	case URL_HTTP:
		fetch_http(t);
		break;
	case URL_LDAP:
		fetch_ldap(t);
		break;
	case URL_FILE:
		fetch_file(t);
		break;
	case URL_FOLDER:
		fetch_folder(t);
		break;
	case URL_OTHER:
		break;	/* never allowed */
	}
}

static int
fetch(struct transfer *t)
{
	int rc = get_request(t);

	if (rc < 0) {
		if (rc != -EPIPE)
			log_error(rc, "cordon-pki asks for nothing");
		return rc == -EPIPE ? 0 : 1;
	}
	if (t->limits.kind == FETCH_OCSP && t->limits.max_bytes > LIMIT_OCSP_RESPONSE)
		t->limits.max_bytes = LIMIT_OCSP_RESPONSE;
	go(t);
	(void)send_end(t);
	return 0;
}

static int
watch(struct transfer *t)
{
	int rc;

	if ((rc = sandbox_narrow(&watch_box)) < 0)
		log_fatal(rc, "the sandbox does not stand");
	if ((rc = watch_files(&t->pki)) < 0)
		log_error(rc, "files are watched no longer");
	return rc < 0 ? 1 : 0;
}

int
main(void)
{
	struct ready ready = { 0 };
	struct ipc cordond;
	bool landlocked = false;
	int rc;

	log_init("cordon-fetch", false);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		log_fatal(errno, "signal");
	/* The resolver's thread would reserve more address space than we may have. */
	mallopt(M_ARENA_MAX, 1);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		log_fatal(0, "libcurl does not start");
	ipc_init(&cordond, PROC_FD_CHANNEL, PROC_BIT(PROC_FETCH), PROC_BIT(PROC_ENFORCE), &messages);
	if ((rc = sandbox_enter(&box, &landlocked)) < 0)
		log_fatal(rc, "the sandbox does not stand");
	ready.landlocked = landlocked;
	if ((rc = ipc_send(&cordond, MSG_READY, 0, &ready, sizeof(ready), -1)) < 0 ||
	    (rc = get_limits(&cordond, &transfer)) < 0) {
		if (rc != -EPIPE)
			log_error(rc, "cordond gives nothing to do");
		return rc == -EPIPE ? 0 : 1;
	}
	return transfer.limits.kind == FETCH_WATCH ? watch(&transfer) : fetch(&transfer);
}
