/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_cordond.c -- plays cordond for tests of cordonctl. */
#include "fake_cordond.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/file.h"

#define PATIENCE_MS 10000	/* a test that hangs must end */
#define CLIENTS 8

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

void
fake_snapshot(struct fake *f, const uint32_t *numbers, uint32_t devices, uint32_t sources, uint32_t authorities)
{
	struct snapshot_header *h = (void *)f->snapshot;
	uint32_t i;

	memset(f->snapshot, 0, sizeof(f->snapshot));
	h->magic = SNAPSHOT_MAGIC;
	h->devices = devices;
	h->sources = sources;
	h->authorities = authorities;
	h->revision = f->revision;
	for (i = 0; i < devices; i++) {
		fake_device(f, i)->number = numbers[i];
		fake_device(f, i)->mark = numbers[i] << 8 | 1;
		fake_device(f, i)->where = STATION_ENFORCED;
	}
	for (i = 0; i < sources; i++)
		fake_source(f, i)->source = i;
	f->snapshot_len = sizeof(*h) + devices * sizeof(struct snapshot_device) + sources * sizeof(struct pki_source) +
	    authorities * sizeof(struct pki_authority);
	must(f->snapshot_len <= sizeof(f->snapshot), "snapshot");
}

struct snapshot_device *
fake_device(struct fake *f, uint32_t i)
{
	return (struct snapshot_device *)(f->snapshot + sizeof(struct snapshot_header)) + i;
}

struct pki_source *
fake_source(struct fake *f, uint32_t i)
{
	const struct snapshot_header *h = (const void *)f->snapshot;

	return (struct pki_source *)fake_device(f, h->devices) + i;
}

struct pki_authority *
fake_authority(struct fake *f, uint32_t i)
{
	const struct snapshot_header *h = (const void *)f->snapshot;

	return (struct pki_authority *)fake_source(f, h->sources) + i;
}

bool
fake_asked(const struct fake *f, unsigned nth, struct fake_asked *out)
{
	FILE *file = fopen(f->asked, "r");
	bool found;

	must(file != NULL && fseek(file, (long)(nth * sizeof(*out)), SEEK_SET) == 0, f->asked);
	found = fread(out, sizeof(*out), 1, file) == 1;
	fclose(file);
	return found;
}

/* ---- the child ---------------------------------------------------------- */

static int
memory(const void *data, size_t len, bool sealed)
{
	int fd = memfile_new("fake");

	must(fd >= 0 && file_write_all(fd, data, len) == 0, "memfile");
	must(!sealed || memfile_seal(fd) == 0, "seal");
	return fd;
}

static void
say(struct ipc *c, uint32_t type, uint32_t serial, const void *payload, size_t len, int fd)
{
	must(ipc_send_wait(c, type, serial, payload, len, fd, PATIENCE_MS) == 0, "send");
	if (fd >= 0)
		close(fd);
}

static void
say_state(struct fake *f, struct ipc *c, uint32_t serial)
{
	struct snapshot_header *h = (void *)f->snapshot;
	struct ctl_state is = { .revision = f->revision };

	h->revision = f->revision + (f->stale_answers > 0);
	f->stale_answers -= f->stale_answers > 0;
	say(c, MSG_CTL_STATE_IS, serial, &is, sizeof(is), memory(f->snapshot, f->snapshot_len, !f->unsealed));
}

/* Like the state, without counts. */
static void
say_stations(struct fake *f, struct ipc *c, uint32_t serial)
{
	const struct snapshot_header *h = (const void *)f->snapshot;
	struct ctl_state is = { .revision = f->revision + (f->stale_answers > 0) };
	struct flow_station all[64];
	uint32_t i;

	f->stale_answers -= f->stale_answers > 0;
	for (i = 0; i < h->devices && i < 64; i++) {
		const struct snapshot_device *d = fake_device(f, i);

		all[i] = (struct flow_station){ .number = d->number, .mark = d->mark, .where = d->where };
	}
	say(c, MSG_CTL_STATIONS_ARE, serial, &is, sizeof(is), memory(all, i * sizeof(all[0]), !f->unsealed));
}

/* Written down for the test to look at. */
static void
note(struct fake *f, const struct ipc_message *m, size_t len, const uint32_t *numbers, uint32_t n)
{
	struct fake_asked a = { .type = m->type, .n = n };
	FILE *file;

	if (f->asked == NULL)
		return;
	memcpy(&a.stand, m->payload, len);
	if (n > 0)
		memcpy(a.numbers, numbers, (n < 64 ? n : 64) * sizeof(*numbers));
	must((file = fopen(f->asked, "a")) != NULL && fwrite(&a, sizeof(a), 1, file) == 1 && fclose(file) == 0,
	    f->asked);
}

static bool
stand_one(struct snapshot_device *s, const struct ctl_stand *a)
{
	uint32_t before = s->cause, causes = a->causes != 0 ? a->causes : (uint32_t)CAUSE_OPERATOR;

	switch ((enum ctl_stand_what)a->what) {
	case STAND_QUARANTINE:
	case STAND_REVOKE:
		s->cause |= CAUSE_OPERATOR;
		s->until = a->until;
		break;
	case STAND_RELEASE:
		s->cause &= ~causes;
		break;
	case STAND_CONFIRM:
		s->cause |= s->pending;
		s->pending = 0;
		break;
	case STAND_DISMISS:
		s->pending = 0;
		return true;
	case STAND_REVOKE_SERIAL:
	case STAND_FORGET_SERIAL:
	case STANDS:
		break;
	}
	s->where = s->cause & CAUSE_QUARANTINE ? STATION_QUARANTINED : STATION_ENFORCED;
	memcpy(s->words, a->words, sizeof(s->words));
	return s->cause != before;
}

static void
stand(struct fake *f, struct ipc *c, struct ipc_message *m)
{
	const struct snapshot_header *h = (const void *)f->snapshot;
	const struct ctl_stand *a = (const void *)m->payload;
	struct ctl_stood is = f->stood;
	const void *data = NULL;
	size_t len = 0;
	uint32_t i, j;

	if (a->n > 0)
		must(memfile_map(m->fd, 1 << 20, &data, &len) == 0 && len == a->n * sizeof(uint32_t), "numbers");
	note(f, m, sizeof(*a), data, a->n);
	for (i = 0; f->obeys && i < h->devices; i++)
		for (j = 0; j < a->n; j++)
			if (fake_device(f, i)->number == ((const uint32_t *)data)[j])
				is.changed += stand_one(fake_device(f, i), a);
	if (data != NULL)
		memfile_unmap(data, len);
	close(m->fd);
	say(c, MSG_CTL_STOOD, m->serial, &is, sizeof(is), -1);
}

static void
say_done(struct fake *f, struct ipc *c, uint32_t serial)
{
	struct ctl_done done = { .error = f->done_error };

	say(c, MSG_CTL_DONE, serial, &done, sizeof(done), -1);
}

static void
say_steps(struct fake *f, struct ipc *c, const struct ipc_message *m)
{
	const struct ctl_apply *apply = (const void *)m->payload;
	uint32_t i;

	for (i = 0; i < f->steps && (apply->flags & CTL_TELL) != 0; i++)
		say(c, MSG_CTL_PROGRESS, m->serial, &(struct ctl_progress){ .step = STEP_COMPILE + i },
		    sizeof(struct ctl_progress), -1);
}

static void
say_history(struct fake *f, struct ipc *c, uint32_t serial)
{
	struct ctl_history is = { .n = f->silent_histories > 0 ? 0 : f->n_history };

	f->silent_histories -= f->silent_histories > 0;
	say(c, MSG_CTL_HISTORY_IS, serial, &is, sizeof(is), memory(f->history, is.n * sizeof(f->history[0]), true));
}

static void
say_events(struct fake *f, struct ipc *c, const struct ipc_message *m)
{
	struct ctl_history is = { .n = f->n_events };

	note(f, m, sizeof(struct ctl_device), NULL, 0);
	say(c, MSG_CTL_EVENTS_ARE, m->serial, &is, sizeof(is), memory(f->events, is.n * sizeof(f->events[0]), true));
}

static void
say_revocations(struct fake *f, struct ipc *c, uint32_t serial)
{
	struct ctl_history is = { .n = f->n_revocations };

	say(c, MSG_CTL_REVOCATIONS_ARE, serial, &is, sizeof(is),
	    memory(f->revocations, is.n * sizeof(f->revocations[0]), true));
}

static void
answer(struct fake *f, struct ipc *c, struct ipc_message *m)
{
	struct image_ref ref = { .revision = f->revision };
	uint32_t i;

	for (i = 0; i < f->stray; i++)
		say_done(f, c, m->serial + 1000 + i);
	if (m->type == MSG_CTL_IMAGE) {
		say(c, MSG_IMAGE, m->serial, &ref, sizeof(ref), memory(f->image, f->image_len, true));
	} else if (m->type == MSG_CTL_STATE) {
		say_state(f, c, m->serial);
	} else if (m->type == MSG_CTL_STATIONS) {
		say_stations(f, c, m->serial);
	} else if (m->type == MSG_CTL_STATUS) {
		say(c, MSG_CTL_STATUS_IS, m->serial, &f->status, sizeof(f->status), -1);
	} else if (m->type == MSG_CTL_APPLY || m->type == MSG_CTL_ROLLBACK) {
		say_steps(f, c, m);
		say(c, MSG_CTL_APPLIED, m->serial, &f->applied, sizeof(f->applied),
		    memory(f->mistakes, strlen(f->mistakes), true));
	} else if (m->type == MSG_CTL_CONFIRM) {
		say(c, MSG_CTL_CONFIRMED, m->serial, &f->confirmed, sizeof(f->confirmed), -1);
	} else if (m->type == MSG_CTL_VERIFY) {
		say(c, MSG_CTL_VERIFIED, m->serial, &f->verified, sizeof(f->verified),
		    memory(f->differences, f->n_differences * sizeof(f->differences[0]), true));
	} else if (m->type == MSG_CTL_HISTORY) {
		say_history(f, c, m->serial);
	} else if (m->type == MSG_CTL_STAND) {
		stand(f, c, m);
	} else if (m->type == MSG_CTL_EVENTS) {
		say_events(f, c, m);
	} else if (m->type == MSG_CTL_REVOCATIONS) {
		say_revocations(f, c, m->serial);
	} else {
		if (m->type == MSG_CTL_CRL_REFRESH)
			fake_source(f, 0)->last_try++;
		if (m->type == MSG_CTL_CRL_RESET)
			note(f, m, sizeof(struct pki_reset), NULL, 0);
		say_done(f, c, m->serial);
	}
}

/* One message of a client; false: it is gone, or served as it deserves. */
static bool
serve(struct fake *f, struct ipc *c)
{
	static struct ipc_message m;
	int rc = ipc_recv(c, &m);

	if (rc == 1)
		answer(f, c, &m);
	return rc == 1 || rc == -EAGAIN;
}

static void
take_client(struct fake *f, int fd, struct ipc *clients, unsigned *n)
{
	if (fd < 0)
		return;
	if (f->hangs_up || *n == CLIENTS) {
		close(fd);
		return;
	}
	ipc_init(&clients[(*n)++], fd, PROC_BIT(PROC_ENFORCE), PROC_BIT(PROC_CTL), &messages);
}

/* Several at once, as cordond does: a command may open a second connection
 * while it still has its first. */
static _Noreturn void
run(struct fake *f, int listener)
{
	struct pollfd p[CLIENTS + 1] = { { .fd = listener, .events = POLLIN } };
	struct ipc clients[CLIENTS];
	unsigned n = 0, i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		for (i = 0; i < n; i++)
			p[i + 1] = (struct pollfd){ .fd = clients[i].fd, .events = POLLIN };
		if (poll(p, n + 1, PATIENCE_MS) < 1)
			_exit(0);
		for (i = n; i > 0; i--) {
			if (p[i].revents == 0 || serve(f, &clients[i - 1]))
				continue;
			ipc_done(&clients[i - 1]);
			clients[i - 1] = clients[--n];
		}
		if (p[0].revents != 0)
			take_client(f, accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), clients, &n);
	}
}

void
fake_start(struct fake *f)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	snprintf(f->folder, sizeof(f->folder), "/tmp/cordon-fake-XXXXXX");
	must(mkdtemp(f->folder) != NULL, "mkdtemp");
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/control.sock", f->folder);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	must(fd >= 0 && bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0 && listen(fd, 4) == 0, "listen");
	fflush(NULL);
	if ((f->pid = fork()) == 0)
		run(f, fd);
	must(f->pid > 0, "fork");
	close(fd);
}

void
fake_stop(struct fake *f)
{
	char path[128];

	if (f->pid > 0) {
		kill(f->pid, SIGKILL);
		waitpid(f->pid, NULL, 0);
	}
	f->pid = 0;
	snprintf(path, sizeof(path), "%s/control.sock", f->folder);
	unlink(path);
	rmdir(f->folder);
}
