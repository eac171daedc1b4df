/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ipc.h -- messages between our processes: fixed structs over SOCK_SEQPACKET.
 *
 * The table of messages is handed in (common knows no message); from it the
 * receiver checks type, direction, exact size and whether a descriptor comes
 * along, before anybody looks at the payload. */
#ifndef CORDON_COMMON_IPC_H
#define CORDON_COMMON_IPC_H

#include <stddef.h>
#include <stdint.h>

#define IPC_PAYLOAD_MAX 65536

/* One line of the table; type is the index into it, and 0 is no message. */
struct ipc_type {
	const char *name;
	uint32_t size;		/* exact payload size in bytes, never 0 */
	uint32_t from;		/* bit set of processes that may send it (1 << enum proc) */
	uint32_t to;		/* bit set of processes that may receive it */
	uint32_t fd;		/* 1: exactly one descriptor comes along; 0: none may */
};

struct ipc_table {
	const struct ipc_type *types;
	size_t n;
};

/* One end of a channel. self and peer are bits of the table's sets. */
struct ipc {
	int fd;
	uint32_t self;
	uint32_t peer;
	const struct ipc_table *table;	/* borrowed, outlives the channel */
};

struct ipc_message {
	uint32_t type;
	uint32_t serial;	/* the sender's choice; a reply repeats the request's */
	int fd;			/* -1, or owned by the receiver: take it or close it */
	uint32_t len;
	_Alignas(8) uint8_t payload[IPC_PAYLOAD_MAX];
};

void ipc_init(struct ipc *, int fd, uint32_t self, uint32_t peer, const struct ipc_table *);
void ipc_done(struct ipc *);

/* Make a connected, close-on-exec, non-blocking SOCK_SEQPACKET pair with room for bursts. */
int ipc_pair(int fds[2]);

/* Send one message; the descriptor (or -1) stays the caller's. 0, -EAGAIN when
 * the peer's queue is full, -EPIPE when it is gone, or -EPERM, -EMSGSIZE,
 * -EBADMSG when our own table forbids the message. */
int ipc_send(struct ipc *, uint32_t type, uint32_t serial, const void *payload, size_t len, int fd);

/* The same, waiting at most timeout_ms for room. */
int ipc_send_wait(struct ipc *, uint32_t type, uint32_t serial, const void *payload, size_t len, int fd,
    int timeout_ms);

/* Receive one message. 1: there is one; 0: the peer closed; -EAGAIN: none now.
 * Anything else means the peer broke the protocol and must be dropped:
 * -EBADMSG (unknown type; a descriptor missing or too many, all closed),
 * -EPERM (direction), -EMSGSIZE (size; also truncated). */
int ipc_recv(struct ipc *, struct ipc_message *);

/* The same, waiting at most timeout_ms; -ETIMEDOUT when none came. */
int ipc_recv_wait(struct ipc *, struct ipc_message *, int timeout_ms);

#endif
