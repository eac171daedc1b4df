/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_fetch.c -- the parts of bench/crl-fetch that must be as fast as the daemons:
 *
 *	crl_fetch make ENTRIES FOLDER		a CRL and its signer's key
 *	crl_fetch hash FOLDER			SHA-256 of it
 *	crl_fetch take FOLDER URL PROGRAM	fetched by cordon-fetch and scanned as it comes
 *
 * The last two print milliseconds of wall-clock time and the hits found. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/rand.h>
#include <openssl/x509.h>

#include "crl_make.h"

#define OURS	1200	/* devices, */
#define REVOKED 24	/* of which so many are on the CRL */
#define SERIAL	16
#define PIECE	32768
#define WAIT_MS 120000

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "crl_fetch: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The same devices in every run: the serial of the i-th. */
static void
serial_of(unsigned i, uint8_t out[SERIAL])
{
	memset(out, 0x5a, SERIAL);
	out[0] = 0x41;
	out[SERIAL - 2] = (uint8_t)(i >> 8);
	out[SERIAL - 1] = (uint8_t)i;
}

/* ---- files -------------------------------------------------------------- */

static void
save(const char *name, const void *data, size_t n)
{
	FILE *f = fopen(name, "w");

	if (f == NULL || fwrite(data, 1, n, f) != n || fclose(f) != 0)
		die(name);
}

static EVP_PKEY *
load_key(void)
{
	uint8_t der[512];
	const uint8_t *p = der;
	EVP_PKEY *key = NULL;
	FILE *f = fopen("key", "r");
	size_t n;

	if (f != NULL && (n = fread(der, 1, sizeof(der), f)) > 0)
		key = d2i_PUBKEY(NULL, &p, (long)n);
	if (key == NULL)
		die("key");
	fclose(f);
	return key;
}

static int
make(unsigned entries)
{
	EVP_PKEY *key = make_key("P-256");
	struct bytes name = { 0 }, list = { 0 }, crl = { 0 };
	struct make m = { .key = key, .alg = "ecdsa-sha256", .name = &name, .entries = &list };
	unsigned i, every = entries / REVOKED;
	uint8_t serial[SERIAL], *der = NULL;
	int n;

	make_name(&name, 0x0c, "Bench", "CA");
	for (i = 0; i < entries; i++) {
		RAND_bytes(serial, sizeof(serial));
		serial[0] = (uint8_t)(0x40 | (serial[0] & 0x3f));
		if (every > 0 && i % every == 0 && i / every < REVOKED)
			serial_of(i / every * (OURS / REVOKED), serial);
		make_entry(&list, serial, SERIAL, "260301120000Z", (serial[15] & 1) != 0 ? 1 : -1);
	}
	make_crl(&m, &crl);
	if ((n = i2d_PUBKEY(key, &der)) <= 0)
		die("public key");
	save("crl", crl.p, crl.n);
	save("key", der, (size_t)n);
	return 0;
}

/* ---- beside it ---------------------------------------------------------- */

static int
hash(void)
{
	static uint8_t piece[PIECE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[32];
	int fd = open("crl", O_RDONLY);
	double start = now_ms();
	ssize_t n;

	EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		EVP_DigestUpdate(ctx, piece, (size_t)n);
	EVP_DigestFinal_ex(ctx, digest, NULL);
	printf("%.3f %u\n", now_ms() - start, digest[0]);
	return 0;
}

/* ---- cordon-fetch, with us as cordond and as cordon-pki ------------------ */

static struct ipc_message message;

static pid_t
start_fetcher(const char *program, struct ipc *cordond)
{
	int pair[2];
	pid_t pid;

	if (ipc_pair(pair) < 0)
		die("ipc_pair");
	if ((pid = fork()) == 0) {
		if (dup2(pair[1], PROC_FD_CHANNEL) < 0 || (pair[1] == PROC_FD_CHANNEL && fcntl(pair[1], F_SETFD, 0) < 0))
			_exit(127);
		execl(program, program, (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	ipc_init(cordond, pair[0], PROC_BIT(PROC_ENFORCE), PROC_BIT(PROC_FETCH), &messages);
	return pid;
}

static void
ask(struct ipc *cordond, struct ipc *pki, const char *url)
{
	static struct fetch_limits limits = { .max_bytes = LIMIT_CRL_BYTES, .timeout_s = LIMIT_FETCH_SECONDS };
	static struct fetch_request request;
	int pair[2];

	snprintf(limits.url_prefix, sizeof(limits.url_prefix), "%.*s", (int)(strcspn(url + 7, "/") + 7), url);
	snprintf(request.url, sizeof(request.url), "%s", url);
	if (ipc_pair(pair) < 0 || ipc_recv_wait(cordond, &message, WAIT_MS) != 1 || message.type != MSG_READY ||
	    ipc_send_wait(cordond, MSG_FETCH_LIMITS, 0, &limits, sizeof(limits), pair[1], WAIT_MS) < 0)
		die("cordon-fetch does not start");
	close(pair[1]);
	ipc_init(pki, pair[0], PROC_BIT(PROC_PKI), PROC_BIT(PROC_FETCH), &messages);
	if (ipc_send_wait(pki, MSG_FETCH_REQUEST, 0, &request, sizeof(request), -1, WAIT_MS) < 0)
		die("request");
}

static void
take_all(struct ipc *pki, struct crl_scan *scan)
{
	const struct fetch_body *body = (const struct fetch_body *)message.payload;
	const struct fetch_end *end = (const struct fetch_end *)message.payload;

	for (;;) {
		if (ipc_recv_wait(pki, &message, WAIT_MS) != 1)
			die("the transfer ended early");
		if (message.type == MSG_FETCH_BODY && crl_scan_feed(scan, body->data, body->len) < 0)
			die(crl_scan_verdict(scan)->why);
		if (message.type == MSG_FETCH_END && end->error != E_NONE) {
			errno = (int)end->detail;
			die("the transfer failed");
		}
		if (message.type == MSG_FETCH_END)
			return;
	}
}

static struct crl_scan *
new_scan(const struct bytes *name)
{
	static const struct inventory_key hash_key = { { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3 } };
	static struct inventory_cert certs[OURS];
	static struct crl_signer signer;
	struct inventory *inv;
	struct crl_scan *scan = NULL;
	uint8_t serial[SERIAL];
	unsigned i;

	for (i = 0; i < OURS; i++) {
		serial_of(i, serial);
		serial_load(&certs[i].serial, serial, SERIAL);
		certs[i].cert = i;
	}
	signer = (struct crl_signer){ .name = name->p, .name_len = name->n, .key = load_key(), .may_sign = true };
	if ((inv = inventory_new(certs, OURS, &hash_key)) != NULL)
		scan = make_scan(inv, &signer, 1, LIMIT_CRL_BYTES);
	if (scan == NULL)
		die("memory");
	return scan;
}

static int
take(const char *url, const char *program)
{
	struct bytes name = { 0 };
	struct ipc cordond, pki;
	struct crl_scan *scan;
	struct crl_hit hit;
	unsigned found = 0;
	size_t pos = 0;
	double start;
	pid_t pid;

	make_name(&name, 0x0c, "Bench", "CA");
	scan = new_scan(&name);
	start = now_ms();
	pid = start_fetcher(program, &cordond);
	ask(&cordond, &pki, url);
	take_all(&pki, scan);
	if (crl_scan_finish(scan, NULL, 0) != E_NONE)
		die(crl_scan_verdict(scan)->why);
	while (crl_scan_hit(scan, &pos, &hit))
		found++;
	printf("%.3f %u\n", now_ms() - start, found);
	ipc_done(&pki);
	ipc_done(&cordond);
	return waitpid(pid, NULL, 0) == pid && found == REVOKED ? 0 : 1;
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "make") == 0 && chdir(argv[3]) == 0)
		return make((unsigned)atoi(argv[2]));
	if (argc == 3 && strcmp(argv[1], "hash") == 0 && chdir(argv[2]) == 0)
		return hash();
	if (argc == 5 && strcmp(argv[1], "take") == 0 && chdir(argv[2]) == 0)
		return take(argv[3], argv[4]);
	fprintf(stderr, "usage: crl_fetch make ENTRIES FOLDER | hash FOLDER | take FOLDER URL PROGRAM\n");
	return 64;
}
