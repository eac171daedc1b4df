/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_scan.c -- how long a CRL of a million entries takes from its bytes to
 * verified hits, and in how much memory, beside d2i_X509_CRL with
 * X509_CRL_verify and the hash alone, in the same run. Each measurement is a
 * process of its own, so that memory is that one's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/rand.h>
#include <openssl/x509.h>

#include "crl_make.h"
#include "pki/crl_scan.h"

#define OURS	 1200		/* devices, */
#define REVOKED	 24		/* of which so many are on the CRL */
#define SERIAL	 16
#define PIECE	 32768		/* as cordon-fetch hands them over */
#define ROUNDS	 9

struct result {
	double ms;
	double rss_mb;
	double base_mb;		/* before the first byte */
	uint64_t found;
};

struct sample {
	int crl;
	int key;		/* SubjectPublicKeyInfo */
	uint8_t serials[OURS][SERIAL];
	struct bytes name;
};

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "crl-scan: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Of this process alone: what else the machine does is not our figure. */
static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double
rss_mb(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_maxrss / 1024;
}

/* ---- the sample --------------------------------------------------------- */

static void
write_all(int fd, const void *data, size_t n)
{
	const uint8_t *p = data;
	ssize_t got;

	for (; n > 0; p += got, n -= (size_t)got)
		if ((got = write(fd, p, n)) <= 0)
			die("write");
}

static void
make_sample(const struct sample *s, unsigned entries)
{
	EVP_PKEY *key = make_key("P-256");
	struct make m = { .key = key, .alg = "ecdsa-sha256", .name = &s->name };
	struct bytes list = { 0 }, crl = { 0 };
	uint8_t serial[SERIAL], *der = NULL;
	unsigned i;
	int n;

	for (i = 0; i < entries; i++) {
		RAND_bytes(serial, sizeof(serial));
		serial[0] = (uint8_t)(0x40 | (serial[0] & 0x3f));
		if (i % (entries / REVOKED) == 0 && i / (entries / REVOKED) < REVOKED)
			memcpy(serial, s->serials[i / (entries / REVOKED) * (OURS / REVOKED)], SERIAL);
		make_entry(&list, serial, SERIAL, "260301120000Z", (serial[15] & 1) != 0 ? 1 : -1);
	}
	m.entries = &list;
	make_crl(&m, &crl);
	write_all(s->crl, crl.p, crl.n);
	if ((n = i2d_PUBKEY(key, &der)) <= 0)
		die("public key");
	write_all(s->key, der, (size_t)n);
}

/* In a child, whose memory goes with it. */
static void
sample_new(struct sample *s, unsigned entries)
{
	int status;
	pid_t pid;

	s->crl = memfd_create("crl", MFD_CLOEXEC);
	s->key = memfd_create("key", MFD_CLOEXEC);
	if (s->crl == -1 || s->key == -1)
		die("memfd_create");
	fflush(stdout);
	if ((pid = fork()) == 0) {
		make_sample(s, entries);
		_exit(0);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid || status != 0)
		die("making the sample");
}

static EVP_PKEY *
read_key(const struct sample *s)
{
	uint8_t der[512];
	const uint8_t *p = der;
	ssize_t n = pread(s->key, der, sizeof(der), 0);
	EVP_PKEY *key = n > 0 ? d2i_PUBKEY(NULL, &p, n) : NULL;

	if (key == NULL)
		die("public key");
	return key;
}

/* ---- three ways --------------------------------------------------------- */

static void
by_scan(const struct sample *s, struct result *r)
{
	static const struct inventory_key hash_key = { { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3 } };
	static struct inventory_cert certs[OURS];
	static uint8_t piece[PIECE];
	struct crl_signer signer = { s->name.p, s->name.n, read_key(s), true, NULL, 0 };
	struct inventory *inv;
	struct crl_scan *scan;
	struct crl_hit hit;
	size_t pos = 0, i;
	double start;
	ssize_t n;
	off_t at = 0;

	for (i = 0; i < OURS; i++) {
		serial_load(&certs[i].serial, s->serials[i], SERIAL);
		certs[i].cert = (uint32_t)i;
	}
	inv = inventory_new(certs, OURS, &hash_key);
	scan = make_scan(inv, &signer, 1, 1UL << 30);
	if (inv == NULL || scan == NULL)
		die("memory");
	r->base_mb = rss_mb();
	start = now_ms();
	for (; (n = pread(s->crl, piece, sizeof(piece), at)) > 0; at += n)
		crl_scan_feed(scan, piece, (size_t)n);
	if (crl_scan_finish(scan, NULL, 0) != E_NONE)
		die(crl_scan_verdict(scan)->why);
	while (crl_scan_hit(scan, &pos, &hit))
		r->found++;
	r->ms = now_ms() - start;
}

static void
by_openssl(const struct sample *s, struct result *r)
{
	EVP_PKEY *key = read_key(s);
	off_t size = lseek(s->crl, 0, SEEK_END);
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	BIGNUM *number = BN_new();
	X509_REVOKED *entry;
	const uint8_t *p;
	X509_CRL *crl;
	uint8_t *der;
	double start;
	size_t i;

	r->base_mb = rss_mb();
	start = now_ms();
	if ((der = malloc((size_t)size)) == NULL || pread(s->crl, der, (size_t)size, 0) != size)
		die("read");
	p = der;
	if ((crl = d2i_X509_CRL(NULL, &p, size)) == NULL || X509_CRL_verify(crl, key) != 1)
		die("d2i_X509_CRL");
	for (i = 0; i < OURS; i++) {
		BN_bin2bn(s->serials[i], SERIAL, number);
		BN_to_ASN1_INTEGER(number, serial);
		r->found += X509_CRL_get0_by_serial(crl, &entry, serial) == 1;
	}
	r->ms = now_ms() - start;
}

static void
by_hash(const struct sample *s, struct result *r)
{
	static uint8_t piece[PIECE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[32];
	double start;
	ssize_t n;
	off_t at = 0;

	EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	r->base_mb = rss_mb();
	start = now_ms();
	for (; (n = pread(s->crl, piece, sizeof(piece), at)) > 0; at += n)
		EVP_DigestUpdate(ctx, piece, (size_t)n);
	EVP_DigestFinal_ex(ctx, digest, NULL);
	r->ms = now_ms() - start;
}

static void
once(const struct sample *s, void (*way)(const struct sample *, struct result *), struct result *r)
{
	int ends[2], status;
	pid_t pid;

	memset(r, 0, sizeof(*r));
	if (pipe(ends) == -1)
		die("pipe");
	fflush(stdout);
	if ((pid = fork()) == 0) {
		way(s, r);
		r->rss_mb = rss_mb();
		write_all(ends[1], r, sizeof(*r));
		_exit(0);
	}
	close(ends[1]);
	if (read(ends[0], r, sizeof(*r)) != sizeof(*r) || waitpid(pid, &status, 0) != pid)
		die("measuring");
	close(ends[0]);
}

/* Least disturbed of some rounds; this round's time is the answer. */
static double
best(const struct sample *s, void (*way)(const struct sample *, struct result *), struct result *r)
{
	struct result now;

	once(s, way, &now);
	if (r->ms == 0 || now.ms < r->ms)
		*r = now;
	return now.ms;
}

static int
by_size(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

/* ---- figures ------------------------------------------------------------ */

struct figure {
	const char *name;
	const char *unit;
	double value;
	double baseline;
	double target;		/* at most */
};

static int
print_figures(const struct figure *f, size_t n, bool json)
{
	bool all = true;
	size_t i;

	if (json)
		printf("{\"bench\": \"crl-scan\", \"figures\": [");
	else
		printf("%-58s %10s %10s %10s\n", "", "value", "target", "baseline");
	for (i = 0; i < n; i++) {
		bool holds = f[i].value <= f[i].target;

		all = all && holds;
		if (json)
			printf("%s{\"name\": \"%s\", \"value\": %.3f, \"unit\": \"%s\", "
			       "\"baseline\": %.3f, \"target\": %.3f, \"holds\": %s}",
			    i > 0 ? ", " : "", f[i].name, f[i].value, f[i].unit, f[i].baseline, f[i].target,
			    holds ? "true" : "false");
		else
			printf("%-50s %-7s %10.2f %10.2f %10.2f  %s\n", f[i].name, f[i].unit, f[i].value,
			    f[i].target, f[i].baseline, holds ? "holds" : "MISSED");
	}
	if (json)
		printf("]}\n");
	return all ? 0 : 1;
}

int
main(int argc, char **argv)
{
	bool json = false, quick = false;
	struct sample big, small;
	struct result scan = { 0 }, openssl = { 0 }, hash = { 0 }, little = { 0 };
	double ratios[ROUNDS];
	unsigned entries;
	int i;

	for (i = 1; i < argc; i++) {
		json = json || strcmp(argv[i], "--json") == 0;
		quick = quick || strcmp(argv[i], "--quick") == 0;
	}
	entries = quick ? 100000 : 1000000;
	memset(&big, 0, sizeof(big));
	RAND_bytes(&big.serials[0][0], sizeof(big.serials));
	for (i = 0; i < OURS; i++)
		big.serials[i][0] = (uint8_t)(0x40 | (big.serials[i][0] & 0x3f));
	make_name(&big.name, 0x0c, "Example", "Factory CA");
	small = big;
	sample_new(&big, entries);
	sample_new(&small, 1000);
	/* Side by side, so that a busy moment of the machine meets all of them. */
	for (i = 0; i < ROUNDS; i++) {
		ratios[i] = best(&big, by_scan, &scan);
		ratios[i] /= best(&big, by_hash, &hash);
		best(&small, by_scan, &little);
		if (i < 3)
			best(&big, by_openssl, &openssl);
	}
	qsort(ratios, ROUNDS, sizeof(ratios[0]), by_size);
	if (scan.found != REVOKED || openssl.found != REVOKED) {
		fprintf(stderr, "crl-scan: found %lu and %lu of %d\n", (unsigned long)scan.found,
		    (unsigned long)openssl.found, REVOKED);
		return 1;
	}
	if (!json)
		printf("%u entries, %.1f MB, %d devices of which %d are revoked; the baseline is d2i_X509_CRL,\n"
		       "X509_CRL_verify and a look-up per device, or where it says so the hash alone; processor time\n",
		    entries, (double)lseek(big.crl, 0, SEEK_END) / 1e6, OURS, REVOKED);
	{
		const struct figure figures[] = {
			{ "scan, verify and look up", "ms CPU", scan.ms, openssl.ms, openssl.ms / 20 },
			{ "the same as part of SHA-256 alone", "ratio", ratios[ROUNDS / 2], 1.0, 1.6 },
			{ "memory above the idle process", "MB", scan.rss_mb - scan.base_mb,
			    openssl.rss_mb - openssl.base_mb, 1.0 },
			{ "memory beyond a CRL of 1,000 entries", "MB",
			    (scan.rss_mb - scan.base_mb) - (little.rss_mb - little.base_mb),
			    openssl.rss_mb - openssl.base_mb, 0.5 },
		};

		return print_figures(figures, sizeof(figures) / sizeof(figures[0]), json);
	}
}
