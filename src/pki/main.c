/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c -- cordon-pki: asks for CRLs on its schedule, verifies them, and tells
 * cordond which devices are revoked. Has no network. */
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

#define IDLE_MS 60000	/* without a policy there is nothing to look at */

enum { FD_CORDOND = PKI_JOBS, FD_WATCH, FD_OCSP, FDS = FD_OCSP + OCSP_AT_ONCE };

/* Mapping a policy image takes address space, not memory of ours: that is
 * little beside it, whatever size the CRLs have. */
#define MEMORY_MAX (LIMIT_IMAGE_BYTES + (96UL << 20))

static const char *const write_paths[] = { "/proc/self/fd/5", NULL };
_Static_assert(PROC_FD_STATE == 5, "the path above names it");

static const struct sandbox box = {
	.program = "cordon-pki",
	.rights = SB_FILES_READ | SB_FILES_WRITE | SB_CLOCK,
	.write_paths = write_paths,
	.max_memory = MEMORY_MAX,
	.max_files = 128,
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
pki_send(struct pki *p, uint32_t type, const void *payload, size_t len, int fd)
{
	int rc;

	if (p->broken)
		return;
	rc = ipc_send_wait(&p->channel, type, 0, payload, len, fd, PKI_SEND_MS);
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
pki_url(const struct source *s)
{
	return s->urls[s->url].text;
}

struct crl_scan *
pki_scan_new(const struct authority *a, uint64_t max_size)
{
	struct crl_scan_setup setup = { .inventory = a->inventory, .names = &a->subject,
		.n_names = a->subject.der != NULL ? 1 : 0, .signers = a->signers, .n_signers = a->n_signers,
		.max_size = max_size, .allow_sha1 = (a->flags & AUTHORITY_SHA1) != 0 };

	return crl_scan_new(&setup);
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
on_reset(struct pki *p, uint32_t source, const struct clock_view *now)
{
	struct delivery *d;
	uint32_t i;

	if (source >= n_sources(p))
		return;
	d = &p->deliveries[source];
	log_warn(0, "%s: by an operator's order the newest CRL numbers of %s are forgotten",
	    pki_authority(p, &p->sources[source])->name, p->sources[source].urls[0].text);
	for (i = 0; i < d->n; i++)
		series_set_reset(&p->set, p->folder, d->of[i].series);
	if (d->refused.series < p->set.n)
		series_set_reset(&p->set, p->folder, d->refused.series);
	p->sources[source].no_validators = true;
	source_refresh(&p->sources[source], now);
	settle_want(p);
}

/* fd -1: cordond has none. Nobody waits for it any more: closing it ends the fetcher. */
static void
on_fetcher(struct pki *p, uint32_t kind, uint32_t which, int fd, const struct clock_view *now)
{
	struct job *j;

	if (kind == FETCH_WATCH) {
		watch_fetcher(p, fd, now);
	} else if (kind == FETCH_OCSP) {
		ocsp_fetcher(p, which, fd, now);
	} else if (kind == FETCH_CRL && (j = job_of(p, which, JOB_ASKED)) != NULL) {
		if (fd >= 0)
			job_fetcher(p, j, fd, now);
		else
			job_no_fetcher(p, j, now);
	} else if (fd >= 0) {
		close(fd);
	}
}

static int
on_image(struct pki *p, struct ipc_message *m, const struct clock_view *now)
{
	uint64_t revision = ((const struct image_ref *)m->payload)->revision;
	int rc = pki_load_image(p, m->fd, revision, m->type == MSG_PKI_LOOKUP, now);

	close(m->fd);
	return rc;
}

static int
dispatch(struct pki *p, struct ipc_message *m, const struct clock_view *now)
{
	const struct pki_fetcher *fetcher = (const struct pki_fetcher *)m->payload;
	const struct pki_fetch *fetch = (const struct pki_fetch *)m->payload;
	int rc = 0;

	if (m->type == MSG_IMAGE || m->type == MSG_PKI_LOOKUP) {
		rc = on_image(p, m, now);
	} else if (m->type == MSG_PKI_STANDINGS) {
		rc = settle_standings(p, m->fd, ((const struct pki_standings *)m->payload)->n);
		close(m->fd);
	} else if (m->type == MSG_PKI_REFRESH) {
		on_refresh(p, ((const struct pki_refresh *)m->payload)->authority, now);
	} else if (m->type == MSG_PKI_RESET) {
		on_reset(p, ((const struct pki_reset *)m->payload)->source, now);
	} else if (m->type == MSG_PKI_FETCHER) {
		on_fetcher(p, fetcher->kind, fetcher->which, m->fd, now);
	} else if (m->type == MSG_PKI_NO_FETCHER) {
		on_fetcher(p, fetch->kind, fetch->which, -1, now);
	} else if (m->type == MSG_PKI_REVOKED) {
		settle_answer(p, (int)((const struct pki_revoked *)m->payload)->error, now);
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

static int
time_to_wait(const struct pki *p, const struct clock_view *now)
{
	int64_t wait = p->tick_boot + PKI_TICK_MS - now->boot_ms;

	if (p->all == NULL)
		return IDLE_MS;
	if (cache_pending(p))
		return 0;
	wait = jobs_wait(p, now, wait < 0 ? 0 : wait);
	wait = settle_wait(p, now, wait);
	wait = reports_wait(p, now, wait);
	wait = ocsp_wait(p, now, wait);
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
		if (j->phase != JOB_FREE && now.boot_ms >= j->deadline_boot)
			job_expire(p, j, &now);
	}
}

/* What time alone does. */
static void
tick(struct pki *p, const struct clock_view *now)
{
	if (p->all == NULL || now->boot_ms - p->tick_boot < PKI_TICK_MS)
		return;
	p->tick_boot = now->boot_ms;
	pki_load_tick(p, now);
	settle_tick(p, now);
	sources_view(p, now);
	watch_tick(p, now);
	pki_clock_save(p, false, now);
}

static void
work(struct pki *p)
{
	struct clock_view now;

	clock_now(&now);
	tick(p, &now);
	cache_start(p, &now);
	cache_step(p, &now);
	settle_run(p, &now);
	/* The end of one try is told before the next one begins. */
	reports_tell(p, &now);
	jobs_start(p, &now);
	ocsp_run(p, &now);
	reports_tell(p, &now);
}

static int
loop(struct pki *p)
{
	struct pollfd fds[FDS];
	struct clock_view now;
	size_t i;
	int rc;

	while (!p->broken) {
		work(p);
		for (i = 0; i < PKI_JOBS; i++)
			fds[i] = (struct pollfd){ .events = POLLIN,
				.fd = p->jobs[i].phase == JOB_RECEIVING ? p->jobs[i].channel.fd : -1 };
		fds[FD_CORDOND] = (struct pollfd){ .events = POLLIN, .fd = p->channel.fd };
		fds[FD_WATCH] = (struct pollfd){ .events = POLLIN, .fd = watch_fd(p) };
		for (i = 0; i < OCSP_AT_ONCE; i++)
			fds[FD_OCSP + i] = (struct pollfd){ .events = POLLIN, .fd = ocsp_fd(p, i) };
		clock_now(&now);
		if (poll(fds, FDS, time_to_wait(p, &now)) < 0 && errno != EINTR)
			return -errno;
		if (fds[FD_CORDOND].revents != 0 && (rc = on_channel(p)) < 0)
			return rc;
		jobs_run(p, fds);
		if (fds[FD_WATCH].revents != 0 && fds[FD_WATCH].fd == watch_fd(p))
			watch_receive(p, &message);
		for (i = 0; i < OCSP_AT_ONCE; i++)
			if (fds[FD_OCSP + i].revents != 0 && fds[FD_OCSP + i].fd == ocsp_fd(p, i))
				ocsp_receive(p, i, &message);
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
	struct clock_view now;
	bool landlocked = false;
	size_t i;
	int rc;

	log_init("cordon-pki", false);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		log_fatal(errno, "signal");
	ipc_init(&pki.channel, PROC_FD_CHANNEL, PROC_BIT(PROC_PKI), PROC_BIT(PROC_ENFORCE), &messages);
	pki.folder = PROC_FD_STATE;
	for (i = 0; i < PKI_JOBS; i++)
		pki.jobs[i].channel.fd = pki.jobs[i].spool.fd = -1;
	pki.cache.file = pki.running = -1;
	if (getrandom(&pki.dice, sizeof(pki.dice), 0) != sizeof(pki.dice))
		log_fatal(errno, "getrandom");
	pki.dice |= 1;
	if (watch_new(&pki) < 0)
		log_fatal(ENOMEM, "no memory");
	if ((rc = crypto_prepare()) < 0)
		log_fatal(rc, "libcrypto");
	if ((rc = sandbox_enter(&box, &landlocked)) < 0)
		log_fatal(rc, "the sandbox does not stand");
	if ((rc = store_clean(pki.folder)) < 0)
		log_warn(rc, "the CRL folder cannot be put in order");
	clock_now(&now);
	pki_clock_load(&pki, &now);
	ready.landlocked = landlocked;
	pki_send(&pki, MSG_READY, &ready, sizeof(ready), -1);
	rc = loop(&pki);
	pki_unload(&pki);
	return rc == -EPIPE ? 0 : 1;
}
