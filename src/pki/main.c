/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c -- cordon-pki: asks for CRLs on its schedule, verifies them, and tells
 * cordond which devices are revoked. Has no network, and may only tighten. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/random.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "common/log.h"
#include "common/sandbox.h"
#include "pki/pki.h"
#include "pki/store.h"
#include "proto/messages.h"

#define IDLE_MS 60000	/* at least so often each source's state is looked at */

/* Mapping a policy image takes address space, not memory of ours: that is
 * little beside it, whatever size the CRLs have. */
#define MEMORY_MAX (LIMIT_IMAGE_BYTES + (96UL << 20))

static const char *const write_paths[] = { "/proc/self/fd/5", NULL };
_Static_assert(PROC_FD_STATE == 5, "the path above names it");

static const struct sandbox box = {
	.program = "cordon-pki",
	.rights = SB_FILES_READ | SB_FILES_WRITE,
	.write_paths = write_paths,
	.max_memory = MEMORY_MAX,
	.max_files = 64,
	.max_file_size = LIMIT_CRL_BYTES,
};

static struct pki pki;
static struct ipc_message message;

/* ---- for the other files ------------------------------------------------ */

uint32_t
pki_random(struct pki *p)
{
	/* xorshift64*: it spreads load, nothing secret depends on it */
	p->dice ^= p->dice >> 12;
	p->dice ^= p->dice << 25;
	p->dice ^= p->dice >> 27;
	return (uint32_t)((p->dice * 0x2545f4914f6cdd1dULL) >> 32);
}

void
pki_send(struct pki *p, uint32_t type, const void *payload, size_t len)
{
	int rc;

	if (p->broken)
		return;
	rc = ipc_send_wait(&p->channel, type, 0, payload, len, -1, PKI_SEND_MS);
	if (rc < 0) {
		log_error(rc, "cordond takes no messages");
		p->broken = true;
	}
}

const struct authority *
pki_authority(const struct pki *p, const struct source *s)
{
	return &p->all->authorities[s->authority];
}

const char *
pki_url(const struct pki *p, const struct source *s)
{
	return p->all->sources[s->index].urls[0];
}

/* ---- messages of cordond ------------------------------------------------ */

static uint32_t
n_sources(const struct pki *p)
{
	return p->all != NULL ? p->all->n_sources : 0;
}

static struct job *
job_of(struct pki *p, uint32_t source, enum job_phase phase)
{
	size_t i;

	for (i = 0; i < PKI_JOBS; i++)
		if (p->jobs[i].phase == phase && p->jobs[i].source->index == source)
			return &p->jobs[i];
	return NULL;
}

static void
on_refresh(struct pki *p, uint32_t authority, const struct clock_view *now)
{
	uint32_t i;

	for (i = 0; i < n_sources(p); i++)
		if (authority == 0 || p->sources[i].authority_number == authority)
			source_refresh(&p->sources[i], now);
}

static void
on_revoked(struct pki *p, const struct pki_revoked *r, const struct clock_view *now)
{
	struct job *j;

	/* Answers come in the order of the questions. */
	if (p->old_answers > 0)
		p->old_answers--;
	else if ((j = job_of(p, r->source, JOB_APPLYING)) != NULL)
		job_applied(p, j, (int)r->error, now);
}

static void
on_fetcher(struct pki *p, uint32_t source, int fd, const struct clock_view *now)
{
	struct job *j = job_of(p, source, JOB_ASKED);

	/* Nobody waits for it any more: closing it ends the fetcher. */
	if (j == NULL)
		close(fd);
	else
		job_fetcher(p, j, fd, now);
}

static int
dispatch(struct pki *p, struct ipc_message *m, const struct clock_view *now)
{
	struct job *j;
	int rc = 0;

	if (m->type == MSG_IMAGE || m->type == MSG_PKI_LOOKUP) {
		struct pki_looked looked = { .revision = ((const struct image_ref *)m->payload)->revision };

		rc = pki_load_image(p, m->fd, looked.revision, now);
		close(m->fd);
		if (rc == 0)
			pki_send(p, MSG_PKI_LOOKED, &looked, sizeof(looked));
	} else if (m->type == MSG_PKI_STANDINGS) {
		close(m->fd);
	} else if (m->type == MSG_PKI_REFRESH) {
		on_refresh(p, ((const struct pki_refresh *)m->payload)->authority, now);
	} else if (m->type == MSG_PKI_FETCHER) {
		on_fetcher(p, ((const struct pki_fetcher *)m->payload)->which, m->fd, now);
	} else if (m->type == MSG_PKI_NO_FETCHER) {
		j = job_of(p, ((const struct pki_fetch *)m->payload)->which, JOB_ASKED);
		if (j != NULL)
			job_fail(p, j, E_FETCH, EAGAIN, "no fetcher is free", now);
	} else if (m->type == MSG_PKI_REVOKED) {
		on_revoked(p, (const struct pki_revoked *)m->payload, now);
	}
	return rc;
}

/* 0 while there is somebody to work for. */
static int
on_channel(struct pki *p)
{
	struct clock_view now;
	int rc;

	for (;;) {
		rc = ipc_recv(&p->channel, &message);
		if (rc == -EAGAIN)
			return 0;
		if (rc == 0)
			return -EPIPE;
		if (rc < 0) {
			log_error(rc, "cordond broke the protocol");
			return rc;
		}
		clock_now(&now);
		if ((rc = dispatch(p, &message, &now)) < 0)
			return rc;
	}
}

/* ---- the loop ----------------------------------------------------------- */

/* Of the sources that are due, who waits longest goes first. */
static struct source *
next_source(struct pki *p, bool scan, const struct clock_view *now)
{
	struct source *best = NULL, *s;

	for (s = p->sources; s < p->sources + n_sources(p); s++) {
		if (!(scan ? source_wants_scan(s, now) : source_wants_fetch(s, now)))
			continue;
		if (best == NULL || s->next_try_boot < best->next_try_boot)
			best = s;
	}
	return best;
}

static void
jobs_start(struct pki *p, const struct clock_view *now)
{
	struct source *s;
	struct job *j;

	if ((j = job_free_slot(p, true)) != NULL && (s = next_source(p, true, now)) != NULL)
		job_start_scan(p, j, s, now);
	while ((j = job_free_slot(p, false)) != NULL && (s = next_source(p, false, now)) != NULL)
		job_start_fetch(p, j, s, now);
}

static void
sources_tell(struct pki *p, const struct clock_view *now)
{
	struct pki_source report;
	struct source *s;

	for (s = p->sources; s < p->sources + n_sources(p); s++) {
		enum source_state state = source_state(s, now);

		if (!s->tell && state == s->told)
			continue;
		if (state != s->told && (state == SOURCE_STALE || state == SOURCE_EXPIRED))
			log_warn(0, "%s: the CRL of %s is %s", pki_authority(p, s)->name, pki_url(p, s),
			    state == SOURCE_STALE ? "stale" : "expired");
		source_report(s, now, &report);
		pki_send(p, MSG_PKI_SOURCE, &report, sizeof(report));
		s->tell = false;
		s->told = state;
	}
}

static int
time_to_wait(const struct pki *p, const struct clock_view *now)
{
	bool slot = false, scan_slot = false;
	int64_t wait = IDLE_MS, left;
	uint32_t i;

	for (i = 0; i < PKI_JOBS; i++) {
		const struct job *j = &p->jobs[i];

		if (j->phase == JOB_SCANNING)
			return 0;
		if (j->phase == JOB_FREE && i < PKI_TRANSFERS)
			slot = true;
		if (j->phase == JOB_FREE && i >= PKI_TRANSFERS)
			scan_slot = true;
		left = j->phase == JOB_FREE ? IDLE_MS : j->deadline_boot - now->boot_ms;
		wait = left < wait ? left : wait;
	}
	/* Who waits for a slot is woken by the end of another's job. */
	for (i = 0; i < n_sources(p); i++) {
		if (scan_slot)
			wait = source_wait_scan(&p->sources[i], now, wait);
		if (slot)
			wait = source_wait_fetch(&p->sources[i], now, wait);
	}
	return wait > 0 ? (int)wait : 0;
}

static void
jobs_run(struct pki *p, const struct pollfd *fds)
{
	struct clock_view now;
	size_t i;

	for (i = 0; i < PKI_JOBS; i++) {
		struct job *j = &p->jobs[i];

		clock_now(&now);
		/* fds is of before: the job may have ended since, or another may stand there */
		if (j->phase == JOB_RECEIVING && fds[i].fd == j->channel.fd && fds[i].revents != 0)
			job_receive(p, j, &message);
		else if (j->phase == JOB_SCANNING)
			job_step(p, j, &now);
		if (j->phase != JOB_FREE && now.boot_ms >= j->deadline_boot)
			job_expire(p, j, &now);
	}
}

static int
loop(struct pki *p)
{
	struct pollfd fds[PKI_JOBS + 1];
	struct clock_view now;
	size_t i;
	int rc;

	while (!p->broken) {
		clock_now(&now);
		/* The end of one try is told before the next one begins. */
		sources_tell(p, &now);
		jobs_start(p, &now);
		sources_tell(p, &now);
		for (i = 0; i < PKI_JOBS; i++)
			fds[i] = (struct pollfd){ .events = POLLIN,
				.fd = p->jobs[i].phase == JOB_RECEIVING ? p->jobs[i].channel.fd : -1 };
		fds[PKI_JOBS] = (struct pollfd){ .events = POLLIN, .fd = p->channel.fd };
		if (poll(fds, PKI_JOBS + 1, time_to_wait(p, &now)) < 0 && errno != EINTR)
			return -errno;
		if (fds[PKI_JOBS].revents != 0 && (rc = on_channel(p)) < 0)
			return rc;
		jobs_run(p, fds);
	}
	return -EPIPE;
}

/* What OpenSSL loads at first use it loads now: afterwards the sandbox forbids it. */
static int
crypto_prepare(void)
{
	EVP_MD *md;
	EVP_PKEY *key;

	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
		return -ENOSYS;
	md = EVP_MD_fetch(NULL, "SHA256", NULL);
	key = EVP_EC_gen("P-256");
	if (md == NULL || key == NULL)
		return -ENOSYS;
	EVP_MD_free(md);
	EVP_PKEY_free(key);
	return 0;
}

int
main(void)
{
	struct ready ready = { 0 };
	bool landlocked = false;
	size_t i;
	int rc;

	log_init("cordon-pki", false);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		log_fatal(errno, "signal");
	ipc_init(&pki.channel, PROC_FD_CHANNEL, PROC_BIT(PROC_PKI), PROC_BIT(PROC_ENFORCE), &messages);
	pki.folder = PROC_FD_STATE;
	for (i = 0; i < PKI_JOBS; i++)
		pki.jobs[i].channel.fd = pki.jobs[i].file = -1;
	if (getrandom(&pki.dice, sizeof(pki.dice), 0) != sizeof(pki.dice))
		log_fatal(errno, "getrandom");
	pki.dice |= 1;
	if ((rc = crypto_prepare()) < 0)
		log_fatal(rc, "libcrypto");
	if ((rc = sandbox_enter(&box, &landlocked)) < 0)
		log_fatal(rc, "the sandbox does not stand");
	if ((rc = store_clean(pki.folder)) < 0)
		log_warn(rc, "the CRL folder cannot be put in order");
	ready.landlocked = landlocked;
	pki_send(&pki, MSG_READY, &ready, sizeof(ready));
	rc = loop(&pki);
	pki_unload(&pki);
	return rc == -EPIPE ? 0 : 1;
}
