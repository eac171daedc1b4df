/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_pki.c -- cordon-pki and cordon-fetch as they are shipped, with this
 * program in cordond's place and a web server of our own: from a published CRL
 * to PKI_REVOKE, and what must not lead there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "common/clock.h"
#include "common/file.h"
#include "crl_make.h"
#include "proto/messages.h"
#include "record.h"
#include "sample.h"

#define PKI_PROGRAM   "src/pki/cordon-pki"
#define FETCH_PROGRAM "src/fetch/cordon-fetch"
#define RECORDED_PROGRAM "tests/unit/pki_recorded"
#define WAIT_MS	      10000
#define QUIET_MS      1500	/* in which nothing must happen */
#define DATE	      "260301120000Z"
#define REVOKES_MAX   16
#define HANGING_MAX   12

enum serving { SERVE_FILE, SERVE_404, SERVE_ELSEWHERE, SERVE_HERE, SERVE_SHORT, SERVE_UNSIZED, SERVE_DATED, SERVE_PAGE, SERVE_HANG };

/* Shared with the web server's process. */
struct web {
	enum serving how;
	unsigned requests;
	unsigned unmodified;
	unsigned since;		/* requests with If-Modified-Since */
	unsigned age;		/* SERVE_DATED: the file changed so many seconds ago */
	uint16_t port;
};

static struct {
	EVP_PKEY *key;
	struct bytes name;
	char folder[64];	/* of the whole test */
	int crl_folder;		/* of cordon-pki */
	struct web *web;
	pid_t web_pid;
	pid_t pki_pid;
	const char *program;	/* in place of PKI_PROGRAM */
	struct ipc pki;
	char url[128];
	uint8_t *ca;
	size_t ca_len;
	uint64_t max_bytes;	/* what cordond grants */
	uint32_t timeout_s;
	unsigned sources;	/* of the authority; each has the same URL and a number behind it */
	int hanging[HANGING_MAX];
	uint16_t hanging_ports[HANGING_MAX];
	unsigned n_hanging;	/* so many sources stand before t.url */
	bool play;		/* be the fetcher ourselves */
	struct ipc fetch;	/* then: pki's channel to it */
	int reason;		/* of what is published; 0: keyCompromise */
	const struct bytes *name_of;	/* who publishes; NULL: the authority */
	const char *mirror;	/* a second address of the source */
	struct pki_standing standing;	/* device 0: none; told before the image */
	bool early;		/* somebody was let out before the CRL was on the disk */
	bool ready;
	bool refuse;		/* answer PKI_REVOKE_DONE with an error */
	bool tell_first;	/* tell the standings anew before the next answer */
	/* what came */
	struct pki_revoke revokes[REVOKES_MAX];
	unsigned n_revokes;
	unsigned n_done;
	struct pki_clear clears[REVOKES_MAX];
	unsigned n_clears;
	unsigned n_batch;	/* since the last PKI_REVOKE_DONE */
	unsigned n_asked;	/* PKI_FETCH */
	unsigned n_watches;
	pid_t watcher;
	struct pki_looked looked;
	unsigned n_looked;
	struct pki_authority authority;
	uint8_t checked[16];	/* by device */
	unsigned n_checked;
	struct pki_source source;
	unsigned n_sources;
} t;

/* ---- a small web server ------------------------------------------------- */

static void
put(int fd, const char *head, const void *body, size_t n)
{
	if (write(fd, head, strlen(head)) < 0 || (n > 0 && write(fd, body, n) < 0))
		return;
}

static void
answer(int fd, const char *request)
{
	char head[256], tag[32];
	uint8_t *crl = NULL;
	size_t n = 0;
	int dir = open(t.folder, O_RDONLY | O_DIRECTORY);

	t.web->requests++;
	if (strstr(request, "If-Modified-Since:") != NULL)
		t.web->since++;
	switch (t.web->how) {
	case SERVE_404:
		put(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\n", NULL, 0);
		break;
	case SERVE_ELSEWHERE:
		snprintf(head, sizeof(head),
		    "HTTP/1.1 302 Found\r\nLocation: http://localhost:%u/crl\r\nContent-Length: 0\r\n\r\n",
		    t.web->port);
		put(fd, head, NULL, 0);
		break;
	case SERVE_PAGE:
		put(fd, "HTTP/1.1 200 OK\r\nContent-Type: application/pkix-crl\r\nContent-Length: 13\r\n\r\n"
			"<html></html>", NULL, 0);
		break;
	case SERVE_HANG:
		put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0", NULL, 0);
		pause();
		break;
	case SERVE_HERE:
		if (strncmp(request, "GET /crl ", 9) == 0) {
			put(fd, "HTTP/1.1 301 Moved\r\nLocation: /moved\r\nContent-Length: 0\r\n\r\n", NULL, 0);
			break;
		}
		/* FALLTHROUGH */
	case SERVE_SHORT:
	case SERVE_UNSIZED:
	case SERVE_DATED:
	case SERVE_FILE:
		if (file_read_at(dir, "crl", 1 << 26, &crl, &n) < 0)
			break;
		snprintf(tag, sizeof(tag), "\"%08x\"", (unsigned)(n * 31 + crl[n - 1] * 7 + crl[n - 9]));
		if (strstr(request, tag) != NULL) {
			t.web->unmodified++;
			put(fd, "HTTP/1.1 304 Not Modified\r\n\r\n", NULL, 0);
			break;
		}
		if (t.web->how == SERVE_UNSIZED)
			snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
		else if (t.web->how == SERVE_DATED)
			snprintf(head, sizeof(head),
			    "HTTP/1.1 200 OK\r\nDate: Sun, 01 Mar 2026 12:00:%02u GMT\r\n"
			    "Last-Modified: Sun, 01 Mar 2026 12:00:00 GMT\r\nContent-Length: %zu\r\n\r\n",
			    t.web->age, n);
		else
			snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nETag: %s\r\nContent-Length: %zu\r\n\r\n",
			    tag, n);
		put(fd, head, crl, t.web->how == SERVE_SHORT ? n - 1 : n);
		break;
	}
	free(crl);
	close(dir);
}

static _Noreturn void
serve(int listener)
{
	char request[2048];
	ssize_t n;
	int fd;

	signal(SIGCHLD, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if ((fd = accept(listener, NULL, NULL)) < 0)
			_exit(1);
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			/* requests are short: they come in one piece over loopback */
			if ((n = read(fd, request, sizeof(request) - 1)) > 0) {
				request[n] = '\0';
				answer(fd, request);
			}
			_exit(0);
		}
		close(fd);
	}
}

static int
web_start(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	t.web = mmap(NULL, sizeof(*t.web), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t.web == MAP_FAILED || listener < 0 || bind(listener, (struct sockaddr *)&a, len) < 0 ||
	    listen(listener, 16) < 0 || getsockname(listener, (struct sockaddr *)&a, &len) < 0)
		return -1;
	t.web->port = ntohs(a.sin_port);
	if ((t.web_pid = fork()) == 0) {
		setpgid(0, 0);
		serve(listener);
	}
	close(listener);
	return t.web_pid < 0 ? -1 : 0;
}

/* ---- cordond's part ----------------------------------------------------- */

/* Our end of a channel to a fresh process. */
static pid_t
start(const char *program, int *ours, int state)
{
	int pair[2], i;
	pid_t pid;

	assert_int_equal(ipc_pair(pair), 0);
	if ((pid = fork()) == 0) {
		/* out of the way of the numbers they are to get */
		int channel = fcntl(pair[1], F_DUPFD, 20), folder = state >= 0 ? fcntl(state, F_DUPFD, 20) : -1;

		dup2(channel, PROC_FD_CHANNEL);
		if (folder >= 0)
			dup2(folder, PROC_FD_STATE);
		for (i = 6; i < 64; i++)
			close(i);
		/* the leak checker of a sanitized build cannot work inside a sandbox */
		setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	assert_true(pid > 0);
	close(pair[1]);
	*ours = pair[0];
	return pid;
}

/* What cordond does for PKI_FETCH. */
static void
bring_fetcher(const struct pki_fetch *f)
{
	static struct ipc_message m;
	struct fetch_limits limits = { .max_bytes = t.max_bytes, .timeout_s = t.timeout_s, .max_redirects = 3,
		.kind = f->kind };
	struct pki_fetcher fetcher = { .kind = f->kind, .which = f->which };
	struct ipc c;
	int ours, pair[2];
	pid_t pid;
	char *end;

	pid = start(FETCH_PROGRAM, &ours, -1);
	if (f->kind == FETCH_WATCH) {
		t.watcher = pid;
		t.n_watches++;
	}
	ipc_init(&c, ours, PROC_BIT(PROC_ENFORCE), PROC_BIT(PROC_FETCH), &messages);
	assert_int_equal(ipc_recv_wait(&c, &m, WAIT_MS), 1);
	assert_int_equal(m.type, MSG_READY);
	if (f->kind == FETCH_CRL && f->which < t.n_hanging)
		snprintf(limits.url_prefix, sizeof(limits.url_prefix), "http://127.0.0.1:%u/", t.hanging_ports[f->which]);
	else if (f->kind == FETCH_CRL)
		snprintf(limits.url_prefix, sizeof(limits.url_prefix), "%s",
		    t.mirror != NULL && f->url == 0 ? t.mirror : t.url);
	if (strncmp(t.url, "http", 4) == 0 && (end = strchr(limits.url_prefix + 8, '/')) != NULL)
		*end = '\0';
	assert_int_equal(ipc_pair(pair), 0);
	assert_int_equal(ipc_send(&c, MSG_FETCH_LIMITS, 0, &limits, sizeof(limits), pair[0]), 0);
	assert_int_equal(ipc_send(&t.pki, MSG_PKI_FETCHER, 0, &fetcher, sizeof(fetcher), pair[1]), 0);
	close(pair[0]);
	close(pair[1]);
	ipc_done(&c);
}

/* The same, but it is us: t.fetch then is what cordon-fetch has. */
static void
play_fetcher(const struct pki_fetch *f)
{
	struct pki_fetcher fetcher = { .kind = f->kind, .which = f->which };
	int pair[2];

	assert_int_equal(ipc_pair(pair), 0);
	assert_int_equal(ipc_send(&t.pki, MSG_PKI_FETCHER, 0, &fetcher, sizeof(fetcher), pair[1]), 0);
	close(pair[1]);
	ipc_done(&t.fetch);
	ipc_init(&t.fetch, pair[0], PROC_BIT(PROC_FETCH), PROC_BIT(PROC_PKI), &messages);
}

/* Is what is published the CRL in use, on the disk? */
static bool
published_is_installed(void)
{
	int dir = open(t.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint8_t *crl = NULL, *der = NULL;
	size_t n = 0, m = 0;
	struct dirent *e;
	bool same = false;
	DIR *d;

	assert_int_equal(file_read_at(dir, "crl", 1 << 20, &crl, &n), 0);
	d = fdopendir(openat(t.crl_folder, ".", O_RDONLY | O_DIRECTORY));
	while ((e = readdir(d)) != NULL && !same) {
		if (strstr(e->d_name, ".der") == NULL || file_read_at(t.crl_folder, e->d_name, 1 << 20, &der, &m) < 0)
			continue;
		same = n == m && memcmp(crl, der, n) == 0;
		free(der);
	}
	closedir(d);
	close(dir);
	free(crl);
	return same;
}

static void
send_standing(void)
{
	struct pki_standings m = { .n = t.standing.device != 0 };
	int fd = memfile_new("standings");

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, &t.standing, m.n * sizeof(t.standing)), 0);
	assert_int_equal(memfile_seal(fd), 0);
	assert_int_equal(ipc_send(&t.pki, MSG_PKI_STANDINGS, 0, &m, sizeof(m), fd), 0);
	close(fd);
}

static void
take_revocation(const struct ipc_message *m)
{
	const struct pki_revoke_done *done = (const struct pki_revoke_done *)m->payload;
	struct pki_revoked answer_to = { .source = done->source, .error = t.refuse ? EIO : 0 };

	if (m->type == MSG_PKI_REVOKE) {
		assert_in_range(t.n_revokes, 0, REVOKES_MAX - 1);
		t.revokes[t.n_revokes++] = *(const struct pki_revoke *)m->payload;
		t.n_batch++;
	} else if (m->type == MSG_PKI_CLEAR) {
		assert_in_range(t.n_clears, 0, REVOKES_MAX - 1);
		t.clears[t.n_clears++] = *(const struct pki_clear *)m->payload;
		t.early = t.early || !published_is_installed();
		t.n_batch++;
	} else {
		t.n_done++;
		assert_int_equal(done->n, t.n_batch);
		assert_true(done->received_at > 1700000000000);
		t.n_batch = 0;
		if (t.tell_first)
			send_standing();
		t.tell_first = false;
		assert_int_equal(ipc_send(&t.pki, MSG_PKI_REVOKED, 0, &answer_to, sizeof(answer_to), -1), 0);
	}
}

static void
take(const struct ipc_message *m)
{
	const struct pki_fetch *fetch = (const struct pki_fetch *)m->payload;

	if (m->type == MSG_PKI_FETCH) {
		t.n_asked += fetch->kind == FETCH_CRL;
		if (t.play && fetch->kind == FETCH_CRL)
			play_fetcher(fetch);
		else
			bring_fetcher(fetch);
	} else if (m->type == MSG_PKI_REVOKE || m->type == MSG_PKI_CLEAR || m->type == MSG_PKI_REVOKE_DONE) {
		take_revocation(m);
	} else if (m->type == MSG_PKI_SOURCE) {
		t.source = *(const struct pki_source *)m->payload;
		t.n_sources++;
	} else if (m->type == MSG_PKI_LOOKED) {
		t.looked = *(const struct pki_looked *)m->payload;
		t.n_looked++;
	} else if (m->type == MSG_PKI_AUTHORITY) {
		t.authority = *(const struct pki_authority *)m->payload;
	} else if (m->type == MSG_PKI_CHECKED) {
		t.n_checked = ((const struct pki_checked *)m->payload)->n;
		assert_int_equal(pread(m->fd, t.checked, sizeof(t.checked), 0), t.n_checked);
		close(m->fd);
	} else {
		assert_int_equal(m->type, MSG_READY);
		t.ready = true;
	}
}

/* Take messages until that is true; false after the time. */
static bool
until(bool (*is)(void), int ms)
{
	static struct ipc_message m;
	struct clock_view start_at, now;
	int rc;

	clock_now(&start_at);
	for (now = start_at; !is(); clock_now(&now)) {
		if (now.boot_ms - start_at.boot_ms >= ms)
			return false;
		rc = ipc_recv_wait(&t.pki, &m, 50);
		if (rc == 1)
			take(&m);
		else
			assert_int_equal(rc, -ETIMEDOUT);
		/* fetchers end by themselves */
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	return true;
}

static bool
ready(void)
{
	return t.ready;
}

static bool
never(void)
{
	return false;
}

static bool
revoked(void)
{
	return t.n_done > 0;
}

static bool
looked(void)
{
	return t.n_looked > 0;
}

/* Revoked, installed and told. */
static bool
settled(void)
{
	return t.source.fetching == 0 && t.source.last_try != 0 && t.source.error == E_NONE &&
	    t.source.state == SOURCE_FRESH;
}

static bool
failed(void)
{
	return t.source.fetching == 0 && t.source.error != E_NONE;
}

static void
forget(void)
{
	t.n_revokes = t.n_done = t.n_sources = t.n_asked = t.n_clears = t.n_looked = 0;
	memset(&t.source, 0, sizeof(t.source));
}

static void
add_url(struct authority_decl *a, unsigned i)
{
	char url[160];

	snprintf(url, sizeof(url), "%s?%u", t.url, i);
	(void)sample_source(a, url);
}

/* A policy with these devices (serial = number of the device), all of one authority. */
static void
send_image(unsigned devices)
{
	struct image_ref ref = { .revision = 1 };
	struct policy *p = sample_new();
	struct authority_decl *a;
	struct bytes der = { 0 };
	char name[16], first[64];
	uint8_t *bytes;
	size_t len;
	unsigned i;
	int fd;

	sample_quarantine(p, "192.0.2.80", 443);
	sample_class(p, "sensor");
	sample_rule(p, &p->classes[0], "192.0.2.1", BOX_PORTS, IPPROTO_TCP, 443, 443);
	snprintf(first, sizeof(first), "http://127.0.0.1:%u/crl", t.hanging_ports[0]);
	sample_authority(p, "factory-ca", t.n_hanging > 0 ? first : t.url);
	a = &p->authorities[0];
	for (i = 1; i <= t.n_hanging; i++) {
		snprintf(first, sizeof(first), "http://127.0.0.1:%u/crl", t.hanging_ports[i % HANGING_MAX]);
		(void)sample_source(a, i < t.n_hanging ? first : t.url);
	}
	free(a->issuers[0].der);
	make_certificate(t.key, &t.name, KU_CRL_SIGN, &der);
	a->issuers[0].der = der.p;
	a->issuers[0].der_len = der.n;
	a->refresh_s = 3600;
	if (t.mirror != NULL) {
		a->sources[0].urls = realloc(a->sources[0].urls, 2 * sizeof(char *));
		a->sources[0].urls[1] = strdup(t.url);
		free(a->sources[0].urls[0]);
		a->sources[0].urls[0] = strdup(t.mirror);
		a->sources[0].n_urls = 2;
	}
	for (i = 1; i < t.sources; i++)
		add_url(a, i);
	if (t.ca != NULL) {
		a->sources[0].ca_der = malloc(t.ca_len);
		assert_non_null(a->sources[0].ca_der);
		memcpy(a->sources[0].ca_der, t.ca, t.ca_len);
		a->sources[0].ca_der_len = t.ca_len;
	}
	for (i = 1; i <= devices; i++) {
		snprintf(name, sizeof(name), "device-%u", i);
		sample_device(p, name, "sensor", (uint8_t)i, NULL, NULL, "factory-ca", (uint8_t)i);
	}
	(void)sample_image(p, NULL, &bytes, &len);
	fd = memfile_new("image");
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, bytes, len), 0);
	assert_int_equal(memfile_seal(fd), 0);
	send_standing();
	assert_int_equal(ipc_send(&t.pki, MSG_IMAGE, 0, &ref, sizeof(ref), fd), 0);
	close(fd);
	free(bytes);
	policy_free(p);
}

static void
send_refresh(void)
{
	struct pki_refresh r = { .authority = 0 };

	assert_int_equal(ipc_send(&t.pki, MSG_PKI_REFRESH, 0, &r, sizeof(r), -1), 0);
}

static void
refresh(void)
{
	forget();
	send_refresh();
}

/* ---- what is published -------------------------------------------------- */

static void
publish_as(const uint8_t *serials, size_t n, uint8_t number, EVP_PKEY *key)
{
	const struct bytes *name = t.name_of != NULL ? t.name_of : &t.name;

	struct bytes entries = { 0 }, exts = { 0 }, der = { 0 };
	struct make m = { .key = key, .alg = "ecdsa-sha256", .name = name, .no_number = true,
		.entries = &entries, .extensions = &exts, .next_update = "20990101000000Z" };
	char this_update[16];
	int dir = open(t.folder, O_RDONLY | O_DIRECTORY);
	size_t i;

	snprintf(this_update, sizeof(this_update), "2601010000%02uZ", number % 60U);
	m.this_update = this_update;
	for (i = 0; i < n; i++)
		make_entry(&entries, &serials[i], 1, DATE, t.reason != 0 ? t.reason : 1);
	make_crl_number(&exts, &number, 1);
	make_crl(&m, &der);
	assert_int_equal(file_replace_at(dir, "crl", der.p, der.n, 0644), 0);
	close(dir);
	bytes_free(&entries);
	bytes_free(&exts);
	bytes_free(&der);
}

static void
publish(const uint8_t *serials, size_t n, uint8_t number)
{
	publish_as(serials, n, number, t.key);
}

/* ---- life --------------------------------------------------------------- */

static void
pki_start(void)
{
	int fd;

	t.pki_pid = start(t.program != NULL ? t.program : PKI_PROGRAM, &fd, t.crl_folder);
	ipc_init(&t.pki, fd, PROC_BIT(PROC_ENFORCE), PROC_BIT(PROC_PKI), &messages);
}

/* It ends by itself when its channel does. */
static void
pki_stop(void)
{
	int status = -1;

	ipc_done(&t.pki);
	assert_int_equal(waitpid(t.pki_pid, &status, 0), t.pki_pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	t.pki_pid = 0;
}

static void
empty_folder(int dir)
{
	struct dirent *e;
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY));

	while ((e = readdir(d)) != NULL)
		unlinkat(dir, e->d_name, 0);
	closedir(d);
}

static int
before(void **state)
{
	(void)state;
	empty_folder(t.crl_folder);
	memset(t.web, 0, offsetof(struct web, port));
	t.n_watches = t.n_batch = 0;
	t.reason = 0;
	t.name_of = NULL;
	t.mirror = NULL;
	t.early = false;
	memset(&t.standing, 0, sizeof(t.standing));
	(void)unlinkat(t.crl_folder, "../crl", 0);
	t.refuse = t.ready = t.play = t.tell_first = false;
	t.fetch.fd = -1;
	t.max_bytes = LIMIT_CRL_BYTES;
	t.timeout_s = 10;
	t.sources = 1;
	snprintf(t.url, sizeof(t.url), "http://127.0.0.1:%u/crl", t.web->port);
	forget();
	pki_start();
	return 0;
}

static int
after(void **state)
{
	(void)state;
	if (t.pki_pid != 0)
		pki_stop();
	ipc_done(&t.fetch);
	while (t.n_hanging > 0)
		close(t.hanging[--t.n_hanging]);
	free(t.ca);
	t.ca = NULL;
	return 0;
}

static int
setup(void **state)
{
	char path[80];

	(void)state;
	t.key = make_key("P-256");
	make_name(&t.name, 0x0c, "Example", "Factory CA");
	strcpy(t.folder, "/tmp/test_pki.XXXXXX");
	if (mkdtemp(t.folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/state", t.folder);
	if (mkdir(path, 0700) < 0)
		return -1;
	t.crl_folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return t.crl_folder < 0 ? -1 : web_start();
}

static int
teardown(void **state)
{
	char path[80];
	int dir;

	(void)state;
	kill(-t.web_pid, SIGKILL);
	waitpid(t.web_pid, NULL, 0);
	empty_folder(t.crl_folder);
	close(t.crl_folder);
	snprintf(path, sizeof(path), "%s/state", t.folder);
	rmdir(path);
	dir = open(t.folder, O_RDONLY | O_DIRECTORY);
	empty_folder(dir);
	close(dir);
	rmdir(t.folder);
	EVP_PKEY_free(t.key);
	bytes_free(&t.name);
	return 0;
}

/* ---- tests -------------------------------------------------------------- */

static void
test_published_is_revoked(void **state)
{
	(void)state;
	publish((const uint8_t[]){ 2, 200 }, 2, 1);
	send_image(3);
	assert_true(until(revoked, WAIT_MS));
	assert_int_equal(t.n_revokes, 1);
	assert_int_equal(t.revokes[0].device, 2);
	assert_int_equal(t.revokes[0].reason, 1);
	assert_int_equal(t.revokes[0].revoked_at, 1772366400000);
	assert_true(until(settled, WAIT_MS));
	assert_int_equal(t.source.entries, 2);
	assert_int_equal(t.source.hits, 1);
	assert_int_equal(t.source.number_len, 1);
	assert_int_equal(t.source.number[0], 1);
	/* the next one adds a device: that one is told */
	publish((const uint8_t[]){ 2, 3 }, 2, 2);
	refresh();
	assert_true(until(revoked, WAIT_MS));
	assert_int_equal(t.n_revokes, 1);
	assert_int_equal(t.revokes[0].device, 3);
	assert_true(until(settled, WAIT_MS));
	assert_int_equal(t.source.hits, 2);
}

static bool
revoked_again(void)
{
	return t.n_done > 1;
}

/* Cordond let go of the batch, as when a policy comes: its answer proves nothing. */
static void
test_standings_before_the_answer(void **state)
{
	(void)state;
	publish((const uint8_t[]){ 2 }, 1, 1);
	t.tell_first = true;
	send_image(3);
	assert_true(until(revoked_again, WAIT_MS));
	assert_int_equal(t.revokes[1].device, 2);
	assert_true(until(settled, WAIT_MS));
	assert_false(until(never, QUIET_MS));
	assert_int_equal(t.n_done, 2);
}

static void
test_unchanged(void **state)
{
	(void)state;
	/* by name: the resolver must work inside the sandbox */
	snprintf(t.url, sizeof(t.url), "http://localhost:%u/crl", t.web->port);
	publish((const uint8_t[]){ 2 }, 1, 1);
	send_image(3);
	assert_true(until(revoked, WAIT_MS) && until(settled, WAIT_MS));
	refresh();
	assert_true(until(settled, WAIT_MS));
	assert_int_equal(t.web->unmodified, 1);
	assert_int_equal(t.n_done, 0);
	assert_int_equal(t.source.hits, 1);
}

/* A file may change twice in one second: its time counts only once that is over. */
static void
test_young_validator(void **state)
{
	(void)state;
	t.web->how = SERVE_DATED;
	t.web->age = 1;
	publish((const uint8_t[]){ 2 }, 1, 1);
	send_image(3);
	assert_true(until(revoked, WAIT_MS) && until(settled, WAIT_MS));
	t.web->age = 2;
	refresh();
	assert_true(until(settled, WAIT_MS));
	assert_int_equal(t.web->since, 0);
	refresh();
	assert_true(until(settled, WAIT_MS));
	assert_int_equal(t.web->since, 1);
}

static void
test_nobody_of_ours(void **state)
{
	(void)state;
	publish((const uint8_t[]){ 99 }, 1, 1);
	send_image(3);
	assert_true(until(settled, WAIT_MS));
	assert_int_equal(t.n_revokes + t.n_done, 0);
	assert_int_equal(t.source.entries, 1);
}

/* Whatever a CRL has wrong, nothing changes and it is told. */
static void
refused_with(enum source_error error)
{
	refresh();
	assert_true(until(failed, WAIT_MS));
	assert_int_equal(t.source.error, error);
	assert_int_equal(t.source.hits, 1);
	assert_int_equal(t.source.number[0], 5);
	assert_int_equal(t.n_revokes + t.n_done, 0);
}

static void
test_refused(void **state)
{
	static const enum serving ways[] = { SERVE_404, SERVE_ELSEWHERE, SERVE_SHORT };
	EVP_PKEY *other = make_key("P-256");
	size_t i;

	(void)state;
	publish((const uint8_t[]){ 2 }, 1, 5);
	send_image(3);
	assert_true(until(revoked, WAIT_MS) && until(settled, WAIT_MS));
	publish_as((const uint8_t[]){ 1, 2, 3 }, 3, 6, other);
	refused_with(E_SIG);
	publish((const uint8_t[]){ 1, 2, 3 }, 3, 4);
	refused_with(E_ROLLBACK);
	publish((const uint8_t[]){ 1, 2, 3 }, 3, 5);
	refused_with(E_EQUIVOCATION);
	publish((const uint8_t[]){ 1, 2, 3 }, 3, 7);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		t.web->how = ways[i];
		refused_with(E_FETCH);
	}
	t.web->how = SERVE_PAGE;
	refused_with(E_NOT_CRL);
	/* and when all is well again, it counts; a redirect on the same host is well */
	t.web->how = SERVE_HERE;
	refresh();
	assert_true(until(revoked, WAIT_MS) && until(settled, WAIT_MS));
	assert_int_equal(t.n_revokes, 2);
	EVP_PKEY_free(other);
}

/* A device that is declared after its certificate was revoked is looked up in
 * the cached CRL: nothing is fetched for that. */
static void
test_new_device_is_looked_up(void **state)
{
	(void)state;
	publish((const uint8_t[]){ 2, 4 }, 2, 1);
	send_image(3);
	assert_true(until(revoked, WAIT_MS) && until(settled, WAIT_MS));
	assert_int_equal(t.n_revokes, 1);
	t.web->how = SERVE_404;
	t.web->requests = 0;
	t.standing = (struct pki_standing){ .device = 2, .cause = CAUSE_REVOKED, .authority = t.revokes[0].authority,
		.reason = 1 };
	forget();
	send_image(4);
	assert_true(until(looked, WAIT_MS));
	assert_int_equal(t.n_revokes, 1);
	assert_int_equal(t.revokes[0].device, 4);
	assert_int_equal(t.looked.error, 0);
	assert_int_equal(t.web->requests, 0);
}

/* After a restart the revoked are told from the cache, while the server is away. */
static void
test_restart(void **state)
{
	(void)state;
	publish((const uint8_t[]){ 2, 3 }, 2, 1);
	send_image(3);
	assert_true(until(revoked, WAIT_MS) && until(settled, WAIT_MS));
	pki_stop();
	t.web->how = SERVE_404;
	forget();
	pki_start();
	send_image(3);
	assert_true(until(revoked, WAIT_MS));
	assert_int_equal(t.n_revokes, 2);
	refresh();
	assert_true(until(failed, WAIT_MS));
	assert_int_equal(t.source.error, E_FETCH);
	assert_int_equal(t.source.detail, 404);
	assert_int_equal(t.source.hits, 2);
	/* a replay is one after the restart, too */
	t.web->how = SERVE_FILE;
	publish((const uint8_t[]){ 1 }, 1, 0);
	refresh();
	assert_true(until(failed, WAIT_MS));
	assert_int_equal(t.source.error, E_ROLLBACK);
	assert_int_equal(t.n_done, 0);
}

/* A cache that was tampered with revokes nobody, and all is asked for again. */
static void
test_damaged_cache(void **state)
{
	struct dirent *e;
	DIR *d;
	int fd, found = 0;

	(void)state;
	publish((const uint8_t[]){ 2 }, 1, 1);
	send_image(3);
	assert_true(until(revoked, WAIT_MS) && until(settled, WAIT_MS));
	pki_stop();
	d = fdopendir(openat(t.crl_folder, ".", O_RDONLY | O_DIRECTORY));
	while ((e = readdir(d)) != NULL) {
		if (strstr(e->d_name, ".der") == NULL)
			continue;
		fd = openat(t.crl_folder, e->d_name, O_WRONLY);
		assert_int_equal(pwrite(fd, "\x7f", 1, 150), 1);
		close(fd);
		found++;
	}
	closedir(d);
	assert_int_equal(found, 1);
	t.web->how = SERVE_404;
	forget();
	pki_start();
	send_image(3);
	assert_true(until(failed, WAIT_MS));
	assert_int_equal(t.source.error, E_CACHE);
	assert_int_equal(t.n_done, 0);
	t.web->how = SERVE_FILE;
	refresh();
	assert_true(until(revoked, WAIT_MS) && until(settled, WAIT_MS));
	assert_int_equal(t.web->unmodified, 0);
}

/* What the kernel did not take is tried again until it does. */
static void
test_not_applied(void **state)
{
	(void)state;
	t.refuse = true;
	publish((const uint8_t[]){ 2 }, 1, 1);
	send_image(3);
	assert_true(until(failed, WAIT_MS));
	assert_int_equal(t.source.error, E_APPLY);
	assert_int_equal(t.source.hits, 0);
	assert_true(t.n_done >= 1);
	forget();
	t.refuse = false;
	assert_true(until(revoked, WAIT_MS));
	assert_true(until(settled, WAIT_MS));
	assert_int_equal(t.source.hits, 1);
}

static void
test_file_source(void **state)
{
	(void)state;
	snprintf(t.url, sizeof(t.url), "file://%s/crl", t.folder);
	publish((const uint8_t[]){ 1 }, 1, 1);
	send_image(3);
	assert_true(until(revoked, WAIT_MS) && until(settled, WAIT_MS));
	refresh();
	assert_true(until(settled, WAIT_MS));
	assert_int_equal(t.n_done, 0);
	publish((const uint8_t[]){ 1, 3 }, 2, 2);
	refresh();
	assert_true(until(revoked, WAIT_MS));
	assert_int_equal(t.n_revokes, 1);
	assert_int_equal(t.revokes[0].device, 3);
}

static bool
watched(void)
{
	return t.n_watches > 0;
}

/* What is put into a folder takes effect at once, and so does the next one when
 * whoever watched it has died in between. */
static void
test_files_are_watched(void **state)
{
	struct clock_view start_at, now;

	(void)state;
	snprintf(t.url, sizeof(t.url), "file://%s/crl", t.folder);
	send_image(3);
	assert_true(until(failed, WAIT_MS));
	assert_true(until(watched, WAIT_MS));
	assert_false(until(never, QUIET_MS));
	forget();
	clock_now(&start_at);
	publish((const uint8_t[]){ 1 }, 1, 1);
	assert_true(until(revoked, WAIT_MS));
	clock_now(&now);
	assert_in_range(now.boot_ms - start_at.boot_ms, 0, 2000);
	t.n_watches = 0;
	kill(t.watcher, SIGKILL);
	assert_true(until(watched, WAIT_MS));
	assert_false(until(never, QUIET_MS));
	forget();
	publish((const uint8_t[]){ 1, 3 }, 2, 2);
	assert_true(until(revoked, WAIT_MS));
	assert_int_equal(t.revokes[0].device, 3);
}

/* A server that hangs holds its own source only until the operator's patience
 * ends: a new policy takes effect at once. */
static void
test_hanging_server(void **state)
{
	(void)state;
	publish((const uint8_t[]){ 1 }, 1, 1);
	t.web->how = SERVE_HANG;
	send_image(3);
	assert_false(until(never, QUIET_MS));
	assert_int_equal(t.source.fetching, 1);
	assert_int_equal(t.n_revokes, 0);
	t.web->how = SERVE_FILE;
	send_image(3);
	assert_true(until(revoked, WAIT_MS));
}

static bool
all_asked(void)
{
	return t.n_asked >= 6;
}

/* At most one at a time of one server; the others get their turn when it ends. */
static void
test_one_for_each_server(void **state)
{
	(void)state;
	t.sources = 6;
	t.timeout_s = 2;
	t.web->how = SERVE_HANG;
	send_image(3);
	assert_false(until(never, QUIET_MS));
	assert_int_equal(t.n_asked, 1);
	t.web->how = SERVE_FILE;
	publish((const uint8_t[]){ 1 }, 1, 1);
	assert_true(until(all_asked, WAIT_MS));
	assert_true(until(revoked, WAIT_MS));
}

/* Servers that take a connection and say nothing. */
static void
hang_start(unsigned n)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);

	for (t.n_hanging = 0; t.n_hanging < n; t.n_hanging++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		a.sin_port = 0;
		assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
		assert_int_equal(listen(fd, 4), 0);
		assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
		t.hanging[t.n_hanging] = fd;
		t.hanging_ports[t.n_hanging] = ntohs(a.sin_port);
	}
}

static bool
five_asked(void)
{
	return t.n_asked >= 5;
}

/* Four at once; but those that crawl keep nobody waiting, however many they are. */
static void
test_slow_servers_delay_nobody(void **state)
{
	struct clock_view start_at, now;

	(void)state;
	hang_start(HANGING_MAX);
	publish((const uint8_t[]){ 1 }, 1, 1);
	t.timeout_s = 30;
	clock_now(&start_at);
	send_image(3);
	assert_true(until(five_asked, WAIT_MS));
	clock_now(&now);
	/* the fifth had to wait until one of the four was seen to crawl */
	assert_in_range(now.boot_ms - start_at.boot_ms, 150, WAIT_MS);
	assert_true(until(revoked, WAIT_MS));
	assert_int_equal(t.revokes[0].device, 1);
	/* and now that they are known, less than a second */
	publish((const uint8_t[]){ 1, 2 }, 2, 2);
	clock_now(&start_at);
	refresh();
	assert_true(until(revoked, WAIT_MS));
	clock_now(&now);
	assert_in_range(now.boot_ms - start_at.boot_ms, 0, 1000);
}

static void
test_limits_of_a_transfer(void **state)
{
	struct stat st;
	char path[80];

	(void)state;
	publish((const uint8_t[]){ 2 }, 1, 1);
	snprintf(path, sizeof(path), "%s/crl", t.folder);
	assert_int_equal(stat(path, &st), 0);
	t.max_bytes = (uint64_t)st.st_size - 1;
	send_image(3);
	assert_true(until(failed, WAIT_MS));
	assert_int_equal(t.source.error, E_TOO_BIG);
	/* neither when the server does not say how much will come */
	t.web->how = SERVE_UNSIZED;
	refresh();
	assert_true(until(failed, WAIT_MS));
	assert_int_equal(t.source.error, E_TOO_BIG);
	assert_int_equal(t.n_done, 0);
	t.max_bytes++;
	refresh();
	assert_true(until(revoked, WAIT_MS));
	assert_true(until(settled, WAIT_MS));
	t.web->how = SERVE_HANG;
	t.timeout_s = 1;
	refresh();
	assert_true(until(failed, WAIT_MS));
	assert_int_equal(t.source.error, E_FETCH);
	assert_int_equal(t.source.detail, 28);	/* CURLE_OPERATION_TIMEDOUT */
}

static bool
asked(void)
{
	return t.n_asked > 0;
}

static void
say(uint32_t type, const void *payload, size_t n)
{
	assert_int_equal(ipc_send_wait(&t.fetch, type, 0, payload, n, -1, WAIT_MS), 0);
}

/* A fetcher that an attacker took over can lie as it likes: nobody is revoked,
 * and the next one is listened to. */
static void
test_lying_fetcher(void **state)
{
	static struct ipc_message m;
	static struct fetch_body body = { .len = 1, .data = { 0x30 } };
	struct fetch_header header = { .status = 200 };
	struct fetch_end end = { .error = E_NONE };
	unsigned lie;

	(void)state;
	publish((const uint8_t[]){ 2 }, 1, 1);
	t.play = true;
	send_image(3);
	for (lie = 0; lie < 7; lie++) {
		assert_true(until(asked, WAIT_MS));
		/* the next try may come as soon as this one failed */
		forget();
		assert_int_equal(ipc_recv_wait(&t.fetch, &m, WAIT_MS), 1);
		assert_int_equal(m.type, MSG_FETCH_REQUEST);
		assert_string_equal(((const struct fetch_request *)m.payload)->url, t.url);
		header.status = lie == 1 ? 304 : 200;
		body.len = lie == 2 ? 0 : lie == 3 ? LIMIT_FETCH_CHUNK + 1 : 1;
		end.error = lie == 4 ? SOURCE_ERRORS + 7 : E_NONE;
		if (lie != 0)
			say(MSG_FETCH_HEADER, &header, sizeof(header));
		if (lie == 5)
			say(MSG_FETCH_HEADER, &header, sizeof(header));
		if (lie != 1 && lie != 6)
			(void)ipc_send(&t.fetch, MSG_FETCH_BODY, 0, &body, sizeof(body), -1);
		if (lie == 6)
			ipc_done(&t.fetch);
		else
			(void)ipc_send(&t.fetch, MSG_FETCH_END, 0, &end, sizeof(end), -1);
		assert_true(until(failed, WAIT_MS));
		assert_int_equal(t.source.error, E_FETCH);
		if (lie == 1)
			assert_int_equal(t.source.detail, 304);
		assert_int_equal(t.n_done, 0);
		send_refresh();
	}
	assert_true(until(asked, WAIT_MS));
	t.play = false;
	forget();
	ipc_done(&t.fetch);
	assert_true(until(failed, WAIT_MS));
	refresh();
	assert_true(until(revoked, WAIT_MS));
	assert_int_equal(t.revokes[0].device, 2);
}

/* ---- the power goes ----------------------------------------------------- */

#define OPS_MAX	  400
#define NAMES_MAX 24
#define INODES_MAX 200

struct inode {
	uint8_t *data;
	size_t len, synced;	/* octets written, and those that a disk surely has */
};

struct folder_state {
	char names[NAMES_MAX][80];
	int inodes[NAMES_MAX];	/* -1: free */
};

/* A folder as the recorded operations leave it: what a process sees, and what is
 * surely on the disk. */
static struct {
	struct inode inodes[INODES_MAX];
	int n_inodes;
	struct folder_state seen, durable;
	int fds[128];		/* -2: the folder itself */
} cut;

static int *
entry_of(struct folder_state *f, const char *name, bool make)
{
	int i, free_one = -1;

	for (i = 0; i < NAMES_MAX; i++) {
		if (f->inodes[i] >= 0 && strcmp(f->names[i], name) == 0)
			return &f->inodes[i];
		if (f->inodes[i] < 0 && free_one < 0)
			free_one = i;
	}
	if (!make)
		return NULL;
	assert_true(free_one >= 0);
	strcpy(f->names[free_one], name);
	return &f->inodes[free_one];
}

static void
cut_init(void)
{
	int i;

	for (i = 0; i < cut.n_inodes; i++)
		free(cut.inodes[i].data);
	memset(&cut, 0, sizeof(cut));
	memset(cut.seen.inodes, 0xff, sizeof(cut.seen.inodes));
	memset(cut.durable.inodes, 0xff, sizeof(cut.durable.inodes));
	for (i = 0; i < 128; i++)
		cut.fds[i] = -1;
	cut.fds[PROC_FD_STATE] = -2;
}

static void
cut_apply(const struct record *r, const uint8_t *data)
{
	int *e, inode = r->fd >= 0 && r->fd < 128 ? cut.fds[r->fd] : -1;

	if (r->op == 'c') {
		e = entry_of(&cut.seen, r->a, true);
		if (*e < 0) {
			assert_true(cut.n_inodes < INODES_MAX);
			*e = cut.n_inodes++;
		}
		cut.fds[r->fd] = *e;
	} else if (r->op == 'o') {
		e = entry_of(&cut.seen, r->a, false);
		cut.fds[r->fd] = strcmp(r->a, ".") == 0 ? -2 : e != NULL ? *e : -1;
	} else if (r->op == 'w' && inode >= 0) {
		cut.inodes[inode].data = realloc(cut.inodes[inode].data, cut.inodes[inode].len + r->len);
		memcpy(cut.inodes[inode].data + cut.inodes[inode].len, data, r->len);
		cut.inodes[inode].len += r->len;
	} else if (r->op == 's' && inode >= 0) {
		cut.inodes[inode].synced = cut.inodes[inode].len;
	} else if (r->op == 's' && inode == -2) {
		cut.durable = cut.seen;
	} else if (r->op == 'r') {
		e = entry_of(&cut.seen, r->a, false);
		assert_non_null(e);
		inode = *e;
		*e = -1;
		*entry_of(&cut.seen, r->b, true) = inode;
	} else if (r->op == 'u') {
		e = entry_of(&cut.seen, r->a, false);
		if (e != NULL)
			*e = -1;
	}
}

/* Lay that folder out for cordon-pki. A digest of it, to know it again. */
static uint64_t
cut_lay_out(bool names_kept, bool data_kept)
{
	const struct folder_state *f = names_kept ? &cut.seen : &cut.durable;
	uint64_t sum = 1469598103934665603ULL, one;
	size_t k, n;
	int i, fd;

	empty_folder(t.crl_folder);
	for (i = 0; i < NAMES_MAX; i++) {
		const struct inode *node = f->inodes[i] >= 0 ? &cut.inodes[f->inodes[i]] : NULL;

		if (node == NULL)
			continue;
		n = data_kept ? node->len : node->synced;
		fd = openat(t.crl_folder, f->names[i], O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, node->data, n), n);
		close(fd);
		one = 1469598103934665603ULL;
		for (k = 0; f->names[i][k] != '\0'; k++)
			one = (one ^ (uint8_t)f->names[i][k]) * 1099511628211ULL;
		for (k = 0; k < n; k++)
			one = (one ^ node->data[k]) * 1099511628211ULL;
		sum += one;
	}
	return sum;
}

/* Start on what the power left: the old CRL or the new one with all it lists, and
 * nothing that is older than what is in use. */
static void
cut_check(void)
{
	static const unsigned expected[] = { 0, 1, 2, 3 };
	unsigned number;

	forget();
	t.web->how = SERVE_404;
	pki_start();
	send_image(3);
	assert_true(until(looked, WAIT_MS));
	refresh();
	assert_true(until(failed, WAIT_MS));
	number = t.source.series > 0 ? t.source.number[0] : 0;
	assert_in_range(number, 0, 3);
	assert_int_equal(t.source.hits, expected[number]);
	assert_int_equal(t.n_clears, 0);
	if (number > 0) {
		t.web->how = SERVE_FILE;
		publish((const uint8_t[]){ 9 }, 1, (uint8_t)(number - 1));
		refresh();
		assert_true(until(failed, WAIT_MS));
		assert_int_equal(t.source.error, E_ROLLBACK);
		assert_int_equal(t.n_clears, 0);
	}
	pki_stop();
}

/* Every operation may be the last one: with all before it on the disk, with only what
 * was synced, and with names kept whose contents were not. */
static void
test_power_cut(void **state)
{
	static const uint8_t listed[] = { 1, 2, 3 };
	uint8_t *log;
	uint64_t seen[3 * OPS_MAX], sum;
	size_t len, at, n_seen = 0, ops = 0, i;
	char path[128];
	int dir = open(t.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), how;

	(void)state;
	pki_stop();
	snprintf(path, sizeof(path), "%s/record", t.folder);
	setenv("CORDON_TEST_RECORD", path, 1);
	t.program = RECORDED_PROGRAM;
	pki_start();
	t.program = NULL;
	unsetenv("CORDON_TEST_RECORD");
	for (i = 1; i <= 3; i++) {
		publish(listed, i, (uint8_t)i);
		if (i == 1)
			send_image(3);
		else
			refresh();
		assert_true(until(revoked, WAIT_MS) && until(settled, WAIT_MS));
		forget();
	}
	pki_stop();
	assert_int_equal(file_read_at(dir, "record", 1 << 20, &log, &len), 0);
	cut_init();
	for (at = 0; at + sizeof(struct record) <= len; ops++) {
		struct record r;

		assert_true(ops < OPS_MAX);
		memcpy(&r, log + at, sizeof(r));
		cut_apply(&r, log + at + sizeof(r));
		at += sizeof(r) + r.len;
		for (how = 0; how < 3; how++) {
			sum = cut_lay_out(how != 1, how == 0);
			for (i = 0; i < n_seen && seen[i] != sum; i++)
				;
			if (i < n_seen)
				continue;
			seen[n_seen++] = sum;
			cut_check();
		}
	}
	assert_true(ops > 30);
	assert_true(n_seen > 20);
	pki_start();
	free(log);
	close(dir);
}

/* ---- HTTPS -------------------------------------------------------------- */

static void
write_pem(const char *name, EVP_PKEY *key, X509 *x)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", t.folder, name);
	assert_non_null(f = fopen(path, "w"));
	if (key != NULL)
		assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	if (x != NULL)
		assert_int_equal(PEM_write_X509(f, x), 1);
	fclose(f);
}

/* A certificate for 127.0.0.1 that signs itself. */
static X509 *
web_certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	X509_EXTENSION *ext;

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"web", -1, -1, 0);
	X509_set_issuer_name(x, name);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, key);
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

static pid_t
tls_start(uint16_t port)
{
	char accept_at[32];
	pid_t pid;

	snprintf(accept_at, sizeof(accept_at), "127.0.0.1:%u", port);
	if ((pid = fork()) == 0) {
		int null = open("/dev/null", O_RDWR);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (chdir(t.folder) == 0 && dup2(null, 0) >= 0 && dup2(null, 1) >= 0 && dup2(null, 2) >= 0)
			execlp("openssl", "openssl", "s_server", "-accept", accept_at, "-cert", "web.pem", "-key",
			    "web.key", "-WWW", (char *)NULL);
		_exit(127);
	}
	return pid;
}

static bool
listens(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct clock_view now, start_at;
	bool up = false;

	clock_now(&start_at);
	for (now = start_at; !up && now.boot_ms - start_at.boot_ms < WAIT_MS; clock_now(&now)) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		up = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
		close(fd);
		if (!up)
			poll(NULL, 0, 20);
	}
	return up;
}

static uint16_t
free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	close(fd);
	return ntohs(a.sin_port);
}

/* The authority's own CA counts, and nobody's word that is not signed by it. */
static void
test_https(void **state)
{
	uint16_t port = free_port();
	EVP_PKEY *key;
	X509 *x;
	pid_t pid;
	int n;

	(void)state;
	if (access("/usr/bin/openssl", X_OK) != 0) {
		print_message("skipped: no openssl(1) to be the server\n");
		skip();
	}
	key = make_key("P-256");
	x = web_certificate(key);
	write_pem("web.pem", NULL, x);
	write_pem("web.key", key, NULL);
	pid = tls_start(port);
	assert_true(listens(port));
	snprintf(t.url, sizeof(t.url), "https://127.0.0.1:%u/crl", port);
	publish((const uint8_t[]){ 2 }, 1, 1);
	send_image(3);
	assert_true(until(failed, WAIT_MS));
	assert_int_equal(t.source.error, E_FETCH);
	assert_int_equal(t.source.detail, 60);	/* CURLE_PEER_FAILED_VERIFICATION */
	assert_int_equal(t.n_done, 0);
	assert_true((n = i2d_X509(x, &t.ca)) > 0);
	t.ca_len = (size_t)n;
	forget();
	send_image(3);
	refresh();
	assert_true(until(revoked, WAIT_MS));
	assert_int_equal(t.revokes[0].device, 2);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	write_pem("web.pem", NULL, NULL);
	X509_free(x);
	EVP_PKEY_free(key);
}

/* ---- several addresses, several CRLs ------------------------------------- */

static bool
cleared(void)
{
	return t.n_clears > 0;
}

/* Nobody is at the first address: the second is asked at once. */
static void
test_mirror(void **state)
{
	struct clock_view start_at, now;
	char closed[64];

	(void)state;
	snprintf(closed, sizeof(closed), "http://127.0.0.1:%u/crl", free_port());
	t.mirror = closed;
	publish((const uint8_t[]){ 2 }, 1, 1);
	clock_now(&start_at);
	send_image(3);
	assert_true(until(revoked, WAIT_MS));
	clock_now(&now);
	assert_in_range(now.boot_ms - start_at.boot_ms, 0, 3000);
	assert_true(until(settled, WAIT_MS));
	assert_int_equal(t.source.url, 1);
	assert_int_equal(t.source.failures, 0);
}

/* One PEM file of what was published so far, in that order. */
static void
bundle(const struct bytes *ders, size_t n)
{
	int dir = open(t.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	static char text[16384];
	size_t at = 0, i;

	for (i = 0; i < n; i++) {
		at += (size_t)snprintf(text + at, sizeof(text) - at, "-----BEGIN X509 CRL-----\n");
		at += (size_t)EVP_EncodeBlock((uint8_t *)text + at, ders[i].p, (int)ders[i].n);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "\n-----END X509 CRL-----\n");
	}
	assert_int_equal(file_replace_at(dir, "crl", text, at, 0644), 0);
	close(dir);
}

static struct bytes
published(void)
{
	int dir = open(t.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct bytes b = { 0 };

	assert_int_equal(file_read_at(dir, "crl", 1 << 20, &b.p, &b.n), 0);
	close(dir);
	return b;
}

/* Somebody else's CRLs beside ours are no fault; a bad one of ours is told, and the
 * good one counts all the same. */
static void
test_bundle(void **state)
{
	EVP_PKEY *other = make_key("P-256");
	struct bytes name = { 0 }, ders[3];
	size_t i;

	(void)state;
	make_name(&name, 0x0c, "Example", "Somebody Else");
	publish((const uint8_t[]){ 2 }, 1, 1);
	ders[1] = published();
	t.name_of = &name;
	publish_as((const uint8_t[]){ 1 }, 1, 1, other);
	ders[0] = published();
	t.name_of = NULL;
	publish_as((const uint8_t[]){ 3 }, 1, 2, other);
	ders[2] = published();
	bundle(ders, 2);
	send_image(3);
	assert_true(until(revoked, WAIT_MS) && until(settled, WAIT_MS));
	assert_int_equal(t.n_revokes, 1);
	assert_int_equal(t.revokes[0].device, 2);
	assert_int_equal(t.source.series, 1);
	free(ders[1].p);
	publish((const uint8_t[]){ 1, 2 }, 2, 3);
	ders[1] = published();
	bundle(ders, 3);
	refresh();
	assert_true(until(failed, WAIT_MS));
	assert_int_equal(t.source.error, E_SIG);
	assert_int_equal(t.n_revokes, 1);
	assert_int_equal(t.revokes[0].device, 1);
	assert_true(t.source.number[0] == 3);
	for (i = 0; i < 3; i++)
		free(ders[i].p);
	bytes_free(&name);
	EVP_PKEY_free(other);
}

/* A hold ends with the next CRL, once that is on the disk; not while the mark is
 * damaged, until an operator resets it. */
static void
test_hold(void **state)
{
	struct pki_reset reset = { .source = 0 };
	struct dirent *e;
	DIR *d;
	int fd;

	(void)state;
	t.reason = 6;
	publish((const uint8_t[]){ 2 }, 1, 1);
	send_image(3);
	assert_true(until(revoked, WAIT_MS) && until(settled, WAIT_MS));
	assert_int_equal(t.revokes[0].reason, 6);
	publish(NULL, 0, 2);
	refresh();
	assert_true(until(cleared, WAIT_MS) && until(settled, WAIT_MS));
	assert_int_equal(t.clears[0].device, 2);
	assert_int_equal(t.clears[0].cause, CAUSE_REVOKED);
	assert_false(t.early);
	publish((const uint8_t[]){ 2 }, 1, 3);
	refresh();
	assert_true(until(revoked, WAIT_MS) && until(settled, WAIT_MS));
	pki_stop();
	d = fdopendir(openat(t.crl_folder, ".", O_RDONLY | O_DIRECTORY));
	while ((e = readdir(d)) != NULL) {
		if (strstr(e->d_name, ".high") == NULL)
			continue;
		fd = openat(t.crl_folder, e->d_name, O_WRONLY);
		assert_int_equal(pwrite(fd, "\x7f", 1, 60), 1);
		close(fd);
	}
	closedir(d);
	t.standing = (struct pki_standing){ .device = 2, .cause = CAUSE_REVOKED, .authority = t.revokes[0].authority,
		.reason = 6 };
	publish(NULL, 0, 4);
	forget();
	pki_start();
	send_image(3);
	refresh();
	assert_true(until(failed, WAIT_MS));
	assert_int_equal(t.source.error, E_MARK);
	assert_false(until(cleared, QUIET_MS));
	assert_int_equal(ipc_send(&t.pki, MSG_PKI_RESET, 0, &reset, sizeof(reset), -1), 0);
	assert_true(until(cleared, WAIT_MS));
	assert_int_equal(t.clears[0].device, 2);
}

/* ---- memory ------------------------------------------------------------- */

/* Kilobytes at their highest. */
static long
peak_memory(void)
{
	char path[64], text[4096], *at;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)t.pki_pid);
	fd = open(path, O_RDONLY);
	assert_true((n = read(fd, text, sizeof(text) - 1)) > 0);
	close(fd);
	text[n] = '\0';
	assert_non_null(at = strstr(text, "VmHWM:"));
	return strtol(at + 6, NULL, 10);
}

/* 300,000 entries are 9 MB on the way; beside what verifying any CRL takes
 * they need next to nothing. */
static void
test_large_crl(void **state)
{
	struct bytes entries = { 0 }, der = { 0 };
	struct make m = { .key = t.key, .alg = "ecdsa-sha256", .name = &t.name, .entries = &entries,
		.next_update = "20990101000000Z" };
	int dir = open(t.folder, O_RDONLY | O_DIRECTORY);
	uint32_t i, serial;
	long before_it;

	(void)state;
	publish((const uint8_t[]){ 1 }, 1, 0);
	send_image(3);
	assert_true(until(revoked, WAIT_MS));
	assert_true(until(settled, WAIT_MS));
	before_it = peak_memory();
	for (i = 0; i < 300000; i++) {
		serial = htonl(0x40000000 + i);
		make_entry(&entries, (const uint8_t *)&serial, sizeof(serial), DATE, -1);
	}
	make_entry(&entries, (const uint8_t[]){ 1 }, 1, DATE, 1);
	make_entry(&entries, (const uint8_t[]){ 3 }, 1, DATE, 1);
	make_crl(&m, &der);
	assert_int_equal(file_replace_at(dir, "crl", der.p, der.n, 0644), 0);
	close(dir);
	bytes_free(&entries);
	bytes_free(&der);
	refresh();
	assert_true(until(revoked, WAIT_MS));
	assert_int_equal(t.revokes[0].device, 3);
	assert_true(until(settled, WAIT_MS));
	assert_int_equal(t.source.entries, 300002);
#ifndef CORDON_SANITIZERS
	assert_in_range(peak_memory() - before_it, 0, 1024);
#else
	(void)before_it;
#endif
}

/* ---- rights ------------------------------------------------------------- */

static void
test_rights(void **state)
{
	char path[64], text[4096];
	ssize_t n;
	int fd;

	(void)state;
	assert_true(until(ready, WAIT_MS));
	snprintf(path, sizeof(path), "/proc/%d/status", (int)t.pki_pid);
	fd = open(path, O_RDONLY);
	assert_true((n = read(fd, text, sizeof(text) - 1)) > 0);
	close(fd);
	text[n] = '\0';
	assert_non_null(strstr(text, "NoNewPrivs:\t1"));
	assert_non_null(strstr(text, "CapEff:\t0000000000000000"));
	assert_non_null(strstr(text, "CapPrm:\t0000000000000000"));
#ifndef CORDON_SANITIZERS
	assert_non_null(strstr(text, "Seccomp:\t2"));
#endif
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, before, after)
	const struct CMUnitTest tests[] = {
		TEST(test_published_is_revoked),
		TEST(test_standings_before_the_answer),
		TEST(test_unchanged),
		TEST(test_young_validator),
		TEST(test_nobody_of_ours),
		TEST(test_refused),
		TEST(test_new_device_is_looked_up),
		TEST(test_restart),
		TEST(test_damaged_cache),
		TEST(test_not_applied),
		TEST(test_file_source),
		TEST(test_files_are_watched),
		TEST(test_hanging_server),
		TEST(test_one_for_each_server),
		TEST(test_slow_servers_delay_nobody),
		TEST(test_limits_of_a_transfer),
		TEST(test_lying_fetcher),
		TEST(test_power_cut),
		TEST(test_mirror),
		TEST(test_bundle),
		TEST(test_hold),
		TEST(test_large_crl),
		TEST(test_https),
		TEST(test_rights),
	};

	if (access(PKI_PROGRAM, X_OK) != 0 || access(FETCH_PROGRAM, X_OK) != 0) {
		fprintf(stderr, "%s and %s are not built\n", PKI_PROGRAM, FETCH_PROGRAM);
		return 77;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
