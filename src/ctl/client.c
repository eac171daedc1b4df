/* SPDX-License-Identifier: GPL-2.0-or-later */
/* client.c -- a conversation with cordond over its control socket.
 * What cordond may answer is checked by the message table; text comes only in
 * descriptors that are sealed. */
#include "ctl/client.h"

#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"

/* A newer cordond could send what we do not ask for; more is a broken peer. */
#define STRAY_ANSWERS_MAX 16

/* "root or the group cordon": who the socket, or its folder, is for. */
static void
who_may(const char *run, const char *path, char *buf, size_t size)
{
	struct stat st;
	struct group *gr;

	if (stat(path, &st) < 0 && stat(run, &st) < 0)
		snprintf(buf, size, "root");
	else if (st.st_gid == 0 || (st.st_mode & 070) == 0)
		snprintf(buf, size, "root");
	else if ((gr = getgrgid(st.st_gid)) != NULL)
		snprintf(buf, size, "root or the group %s", gr->gr_name);
	else
		snprintf(buf, size, "root or the group %u", (unsigned)st.st_gid);
}

static int
connect_failed(struct ctl *c, int error, const char *path)
{
	char who[96];

	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return ctl_fail(c, EXIT_NOT_RUNNING,
		    "cordond does not run (no socket %s): start it with `systemctl start cordon'",
		    path);
	case ECONNREFUSED:
		return ctl_fail(c, EXIT_NOT_RUNNING,
		    "cordond does not run (nobody listens on %s): start it with `systemctl start cordon'",
		    path);
	case EACCES:
	case EPERM:
		who_may(c->run, path, who, sizeof(who));
		return ctl_fail(c, EXIT_MISTAKES,
		    "you may not talk to cordond: %s is for %s; use sudo, or have yourself added to the group",
		    path, who);
	case EAGAIN:
		return ctl_fail(c, EXIT_MISTAKES,
		    "cordond is busy (%s takes no more connections): try again", path);
	default:
		return ctl_fail(c, EXIT_MISTAKES, "%s: %s", path, strerror(error));
	}
}

static bool
socket_path(const struct ctl *c, struct sockaddr_un *sun)
{
	return snprintf(sun->sun_path, sizeof(sun->sun_path), "%s/control.sock", c->run) <
	    (int)sizeof(sun->sun_path);
}

int
client_connect(const struct ctl *c, struct client *cl)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, rc;

	memset(cl, 0, sizeof(*cl));
	cl->ipc.fd = -1;
	cl->answer.fd = -1;
	if (!socket_path(c, &sun))
		return -ENAMETOOLONG;
	if ((fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	ipc_init(&cl->ipc, fd, PROC_BIT(PROC_CTL), PROC_BIT(PROC_ENFORCE), &messages);
	return 0;
}

int
client_open(struct ctl *c, struct client *cl)
{
	struct sockaddr_un sun;
	int rc = client_connect(c, cl);

	if (rc == 0)
		return 0;
	socket_path(c, &sun);
	return connect_failed(c, -rc, sun.sun_path);
}

static void
drop_answer(struct client *cl)
{
	if (cl->answer.fd >= 0)
		close(cl->answer.fd);
	cl->answer.fd = -1;
}

void
client_close(struct client *cl)
{
	drop_answer(cl);
	if (cl->ipc.fd >= 0)
		ipc_done(&cl->ipc);
	cl->ipc.fd = -1;
}

int
client_send(struct client *cl, uint32_t type, const void *payload, size_t len)
{
	cl->serial++;
	return ipc_send_wait(&cl->ipc, type, cl->serial, payload, len, -1, CLIENT_TIMEOUT_MS);
}

static int
left_ms(int64_t until)
{
	struct clock_view now;

	clock_now(&now);
	return until > now.boot_ms ? (int)(until - now.boot_ms) : 0;
}

int
client_wait(struct client *cl, uint32_t want, int timeout_ms)
{
	struct clock_view now;
	struct ctl_done done;
	int i, rc;

	clock_now(&now);
	for (i = 0; i < STRAY_ANSWERS_MAX; i++) {
		drop_answer(cl);
		cl->answer.fd = -1;
		if ((rc = ipc_recv_wait(&cl->ipc, &cl->answer, left_ms(now.boot_ms + timeout_ms))) == 0)
			return -EPIPE;
		if (rc < 0) {
			cl->answer.fd = -1;
			return rc == -EAGAIN ? -ETIMEDOUT : rc;
		}
		if (cl->answer.serial != cl->serial)
			continue;
		if (cl->answer.type == MSG_CTL_PROGRESS && want == MSG_CTL_APPLIED)
			return -EINPROGRESS;
		if (cl->answer.type == MSG_CTL_DONE) {
			memcpy(&done, cl->answer.payload, sizeof(done));
			if (done.error != 0)
				return done.error < 4096 ? -(int)done.error : -EPROTO;
			return want == MSG_CTL_DONE ? 0 : -EPROTO;
		}
		return cl->answer.type == want ? 0 : -EPROTO;
	}
	return -EPROTO;
}

int
client_ask(struct client *cl, uint32_t type, const void *payload, size_t len, uint32_t want, int timeout_ms)
{
	int rc;

	if ((rc = client_send(cl, type, payload, len)) < 0)
		return rc;
	return client_wait(cl, want, timeout_ms);
}

int
client_ask_with(struct client *cl, uint32_t type, const void *payload, size_t len, int fd, uint32_t want,
    int timeout_ms)
{
	int rc;

	cl->serial++;
	rc = ipc_send_wait(&cl->ipc, type, cl->serial, payload, len, fd, CLIENT_TIMEOUT_MS);
	close(fd);
	return rc < 0 ? rc : client_wait(cl, want, timeout_ms);
}

int
client_fail(struct ctl *c, int error, const char *what)
{
	switch (-error) {
	case EPIPE:
	case ECONNRESET:
		return ctl_fail(c, EXIT_NOT_RUNNING,
		    "cordond went away before it answered (%s): see `journalctl -u cordon'", what);
	case ETIMEDOUT:
		return ctl_fail(c, EXIT_UNDETERMINED, "cordond did not answer in time (%s): whether it was done "
		    "is not known; see `cordonctl status' and `journalctl -u cordon'", what);
	case EBADMSG:
	case EMSGSIZE:
	case EPROTO:
		return ctl_fail(c, EXIT_MISTAKES, "cordond's answer makes no sense (%s): are cordonctl and the running "
		    "cordond of the same version?", what);
	case EBUSY:
	case EALREADY:
		return ctl_fail(c, EXIT_MISTAKES, "cordond is busy with another one (%s): try again", what);
	default:
		return ctl_fail(c, EXIT_MISTAKES, "cordond refused (%s): %s", what, strerror(-error));
	}
}
