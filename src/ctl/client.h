/* SPDX-License-Identifier: GPL-2.0-or-later */
/* client.h -- a conversation with cordond over its control socket. */
#ifndef CORDON_CTL_CLIENT_H
#define CORDON_CTL_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "common/ipc.h"
#include "ctl/ctl.h"
#include "proto/messages.h"

struct client {
	struct ipc ipc;
	uint32_t serial;
	struct ipc_message answer;	/* the last; its descriptor is closed with the client or the next question */
};

/* 0 or -errno, without a word: -ENOENT, -ECONNREFUSED: cordond does not run. */
int client_connect(const struct ctl *, struct client *);

/* The same: 0, or the exit code, said already. */
int client_open(struct ctl *, struct client *);
void client_close(struct client *);

/* Send a question and wait for its answer, which must be of type want; a
 * CTL_DONE instead of it is a refusal. 0; -errno of cordond's refusal or of the
 * conversation: -EPIPE when it went away, -ETIMEDOUT. */
int client_ask(struct client *, uint32_t type, const void *payload, size_t len, uint32_t want, int timeout_ms);

/* The same with a descriptor, which is closed in any case. */
int client_ask_with(struct client *, uint32_t type, const void *payload, size_t len, int fd, uint32_t want,
    int timeout_ms);

/* Send without waiting, then look for the answer for a while (-ETIMEDOUT: not yet;
 * -EINPROGRESS: not yet, but cordond told of a step). */
int client_send(struct client *, uint32_t type, const void *payload, size_t len);
int client_wait(struct client *, uint32_t want, int timeout_ms);

/* Say a failed client_ask; returns the exit code. */
int client_fail(struct ctl *, int error, const char *what);

#define CLIENT_TIMEOUT_MS 10000

#endif
