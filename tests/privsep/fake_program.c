/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_program.c -- stands where cordond and the workers stand, to try cordon-spawn.
 * As "cordond" it does what a test tells it over the control socket, one
 * command per datagram, and answers with text. As a worker it does what one
 * byte on its channel tells it, and ends with its channel. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/ipc.h"
#include "proto/messages.h"

#define TOKENS 128

static int worker_end[TOKENS];
static struct ipc channel;
static struct ipc_message message;

static int
worker_main(void)
{
	char what = 0;

	for (;;) {
		struct pollfd p = { .fd = PROC_FD_CHANNEL, .events = POLLIN };
		ssize_t n;

		if (poll(&p, 1, -1) < 0)
			return 1;
		n = recv(PROC_FD_CHANNEL, &what, 1, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n <= 0)
			return 0;
		if (what == 'x')
			return 7;
		if (what == 'a')
			abort();
		if (what == 'h') /* hangs, whatever happens to the channel */
			for (;;)
				pause();
	}
}

static void
reply(int client, const char *text)
{
	if (send(client, text, strlen(text), MSG_NOSIGNAL) < 0)
		exit(1);
}

/* Wait for a message of cordon-spawn and tell the test what it is. */
static void
show_message(int client)
{
	const uint32_t *words = (const void *)message.payload;
	char text[128];
	int rc;

	rc = ipc_recv_wait(&channel, &message, 10000);
	if (rc <= 0) {
		snprintf(text, sizeof(text), "none %d", rc);
	} else {
		snprintf(text, sizeof(text), "%s %u %u %u fd %d", messages.types[message.type].name,
		    message.serial, words[0], words[1], message.fd >= 0);
		if (message.type == MSG_SPAWN_STARTED && words[0] < TOKENS)
			worker_end[words[0]] = message.fd;
	}
	reply(client, text);
}

static void
send_raw(uint32_t type, uint32_t len)
{
	uint32_t words[64] = { type, 0, len, 0 };

	(void)!send(PROC_FD_CHANNEL, words, 16 + len, MSG_NOSIGNAL);
}

static void
obey(int client, const char *text)
{
	struct spawn_start start = { 0 };
	struct spawn_kill kill_it = { 0 };
	unsigned a = 0, b = 0, i;
	char what = 0;

	if (sscanf(text, "start %u %u", &a, &b) == 2) {
		start.proc = a;
		start.token = b;
		ipc_send(&channel, MSG_SPAWN_START, 77, &start, sizeof(start), -1);
		show_message(client);
	} else if (sscanf(text, "kill %u", &a) == 1) {
		kill_it.token = a;
		ipc_send(&channel, MSG_SPAWN_KILL, 0, &kill_it, sizeof(kill_it), -1);
		reply(client, "ok");
	} else if (sscanf(text, "arm %u", &a) == 1) {
		ipc_send(&channel, MSG_SPAWN_ARM, 0, &(struct spawn_arm){ .ms = a }, sizeof(struct spawn_arm), -1);
		reply(client, "ok");
	} else if (strcmp(text, "disarm") == 0) {
		ipc_send(&channel, MSG_SPAWN_DISARM, 0, &(struct spawn_disarm){ 0 }, sizeof(struct spawn_disarm), -1);
		reply(client, "ok");
	} else if (strcmp(text, "loaded") == 0) {
		ipc_send(&channel, MSG_SPAWN_LOADED, 0, &(struct spawn_loaded){ 0 }, sizeof(struct spawn_loaded), -1);
		reply(client, "ok");
	} else if (sscanf(text, "tell %u %c", &a, &what) == 2 && a < TOKENS) {
		reply(client, send(worker_end[a], &what, 1, MSG_NOSIGNAL) == 1 ? "ok" : "failed");
	} else if (sscanf(text, "raw %u %u", &a, &b) == 2 && b <= 200) {
		reply(client, "ok");
		send_raw(a, b);
	} else if (sscanf(text, "flood %u", &a) == 1) {
		/* ask and never read the answers */
		reply(client, "ok");
		start.proc = PROC_CTL;
		for (i = 0; i < a; i++) {
			start.token = 1000 + i;
			ipc_send_wait(
			    &channel, MSG_SPAWN_START, 0, &start, sizeof(start), -1, 5000);
		}
	} else if (strcmp(text, "wait") == 0) {
		show_message(client);
	} else if (strcmp(text, "hang up") == 0) {
		reply(client, "ok");
		ipc_done(&channel);
	} else if (sscanf(text, "exit %u", &a) == 1) {
		exit((int)a);
	} else if (strcmp(text, "deaf") == 0) {
		signal(SIGTERM, SIG_IGN);
		reply(client, "ok");
	} else {
		reply(client, "what?");
	}
}

static void
on_hangup(int sig)
{
	(void)sig;
	_exit(42);
}

static int
enforcer_main(void)
{
	char text[128];
	int client;
	ssize_t n;

	signal(SIGHUP, on_hangup);
	ipc_init(
	    &channel, PROC_FD_CHANNEL, PROC_BIT(PROC_ENFORCE), PROC_BIT(PROC_SPAWN), &messages);
	for (;;) {
		struct pollfd p = { .fd = PROC_FD_CONTROL, .events = POLLIN };

		if (poll(&p, 1, -1) < 0)
			return 1;
		if ((client = accept(PROC_FD_CONTROL, NULL, NULL)) < 0)
			continue;
		while ((n = recv(client, text, sizeof(text) - 1, 0)) > 0) {
			text[n] = '\0';
			obey(client, text);
		}
		close(client);
	}
}

int
main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');

	(void)argc;
	name = name == NULL ? argv[0] : name + 1;
	return strcmp(name, "cordond") == 0 ? enforcer_main() : worker_main();
}
