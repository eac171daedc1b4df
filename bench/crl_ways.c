/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_ways.c -- one way through one CRL, in a process of its own, so that time and
 * memory are that one's; and makes the CRLs, fair ones and hostile ones.
 * bench/crl runs it and judges. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/x509.h>

#include "crl_make.h"
#include "pki/crl_scan.h"

#define SERIAL	16
#define PIECE	32768		/* as cordon-fetch hands them over */
#define REVOKED	24		/* of our devices are on the CRL */
#define HOSTILE	(16U << 20)	/* octets of a hostile one */

struct figures {
	double ms;		/* of this process alone: what else the machine does is not our figure */
	long base_kb, peak_kb;	/* resident, before the first octet and at most */
	long anon_kb;		/* of that, neither files nor libraries */
	uint64_t found;
	enum source_error error;
};

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "crl_ways: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static long
status_kb(const char *field)
{
	FILE *f = fopen("/proc/self/status", "r");
	size_t n = strlen(field);
	char line[128];
	long kb = -1;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, field, n) == 0)
			kb = atol(line + n + 1);
	if (f != NULL)
		fclose(f);
	return kb;
}

/* ---- serials: the same in every process --------------------------------- */

static uint64_t
mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

/* ours: of the i-th device; otherwise of the i-th stranger. */
static void
serial_of(uint8_t out[SERIAL], uint64_t i, bool ours)
{
	uint64_t w[2] = { mix(i * 2 + (ours ? 0 : 1ULL << 60)), mix(i * 2 + 1 + (ours ? 0 : 1ULL << 60)) };

	memcpy(out, w, SERIAL);
	out[0] = (uint8_t)(0x40 | (out[0] & 0x3f));
}

/* ---- making ------------------------------------------------------------- */

static void
cert_issuer(struct bytes *exts, const struct bytes *who)
{
	struct bytes names = { 0 }, value = { 0 };

	bytes_element(&names, 0xa4, who->p, who->n);
	bytes_element(&value, 0x30, names.p, names.n);
	EXTENSION(exts, OID_ISSUER, true, value.p, value.n);
	bytes_free(&names);
	bytes_free(&value);
}

/* A reason in about so many of a hundred entries. */
static void
fair(struct bytes *list, unsigned entries, unsigned percent)
{
	uint8_t serial[SERIAL];
	unsigned i, step = entries / REVOKED > 0 ? entries / REVOKED : 1;

	for (i = 0; i < entries; i++) {
		serial_of(serial, i % step == 0 && i / step < REVOKED ? i / step : i,
		    i % step == 0 && i / step < REVOKED);
		make_entry(list, serial, SERIAL, "260301120000Z",
		    mix(i) % 100 < percent ? (int)(mix(i) >> 20) % 6 : -1);
	}
}

/* The same entry again and again, or two in turns. */
static void
repeat(struct bytes *list, const struct bytes *a, const struct bytes *b)
{
	while (list->n < HOSTILE) {
		bytes_add(list, a->p, a->n);
		bytes_add(list, b->p, b->n);
	}
}

static void
hostile(struct make *m, const char *kind, struct bytes *list, struct bytes *exts)
{
	struct bytes a = { 0 }, b = { 0 }, one = { 0 }, two = { 0 }, many = { 0 };
	uint8_t serial[1] = { 1 };

	m->entries = list;
	m->extensions = exts;
	if (strcmp(kind, "short") == 0) {
		make_entry(&a, serial, 1, "260301120000Z", -1);
		repeat(list, &a, &a);
	} else if (strcmp(kind, "dates") == 0) {
		make_entry(&a, serial, 1, "20260301120000Z", -1);
		repeat(list, &a, &a);
	} else if (strcmp(kind, "entry") == 0) {
		while (many.n < HOSTILE)
			bytes_add(&many, "\x30\x05\x06\x01\x2a\x04\x00", 7);
		make_entry_with(list, serial, 1, "260301120000Z", &many);
	} else if (strcmp(kind, "extensions") == 0) {
		while (exts->n < HOSTILE)
			bytes_add(exts, "\x30\x05\x06\x01\x2a\x04\x00", 7);
	} else {
		/* certificateIssuer that is ours but for its last letter, or ours in other letters */
		make_name(&one, 0x0c, "Example", "Factory CB");
		make_name(&two, 0x13, "EXAMPLE", "FACTORY CC");
		cert_issuer(&many, &one);
		make_entry_with(&a, serial, 1, "260301120000Z", &many);
		bytes_free(&many);
		if (strcmp(kind, "turns") == 0)
			cert_issuer(&many, &two);
		else
			cert_issuer(&many, &one);
		make_entry_with(&b, serial, 1, "260301120000Z", &many);
		EXTENSION(exts, OID_IDP, true, "\x30\x03\x84\x01\xff", 5);
		repeat(list, &a, &b);
	}
	bytes_free(&a);
	bytes_free(&b);
	bytes_free(&one);
	bytes_free(&two);
	bytes_free(&many);
}

static void
write_file(const char *path, const char *suffix, const void *data, size_t n)
{
	char name[4096];
	FILE *f;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	if ((f = fopen(name, "wb")) == NULL || fwrite(data, 1, n, f) != n || fclose(f) != 0)
		die(name);
}

static int
make(const char *kind, unsigned entries, const char *path)
{
	EVP_PKEY *key = make_key("P-256");
	struct bytes name = { 0 }, list = { 0 }, exts = { 0 }, crl = { 0 };
	struct make m = { .key = key, .alg = "ecdsa-sha256", .name = &name, .entries = &list };
	uint8_t *der = NULL;
	int n;

	make_name(&name, 0x0c, "Example", "Factory CA");
	if (strcmp(kind, "half") == 0 || strcmp(kind, "reasons") == 0 || strcmp(kind, "plain") == 0)
		fair(&list, entries, kind[0] == 'h' ? 50 : kind[0] == 'r' ? 100 : 0);
	else
		hostile(&m, kind, &list, &exts);
	make_crl(&m, &crl);
	write_file(path, "", crl.p, crl.n);
	if ((n = i2d_PUBKEY(key, &der)) <= 0)
		die("public key");
	write_file(path, ".key", der, (size_t)n);
	return 0;
}

/* ---- ways --------------------------------------------------------------- */

struct way {
	FILE *crl;
	EVP_PKEY *key;
	unsigned devices;
};

static EVP_PKEY *
read_key(const char *path)
{
	char name[4096];
	uint8_t der[512];
	const uint8_t *p = der;
	size_t n;
	FILE *f;
	EVP_PKEY *key;

	snprintf(name, sizeof(name), "%s.key", path);
	if ((f = fopen(name, "rb")) == NULL)
		die(name);
	n = fread(der, 1, sizeof(der), f);
	fclose(f);
	if ((key = d2i_PUBKEY(NULL, &p, (long)n)) == NULL)
		die("public key");
	return key;
}

static void
begin(struct figures *f)
{
	f->base_kb = status_kb("VmHWM:");
	f->ms = now_ms();
}

static void
end(struct figures *f)
{
	f->ms = now_ms() - f->ms;
	f->peak_kb = status_kb("VmHWM:");
	f->anon_kb = status_kb("RssAnon:");
}

/* The inventory and the scan; the inventory comes from memory that goes again. */
static struct crl_scan *
scan_new(const struct way *w)
{
	static const struct inventory_key hash_key = { { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3 } };
	static struct crl_name own;
	static struct crl_signer signer;
	struct inventory_cert *certs = calloc(w->devices, sizeof(*certs));
	struct crl_scan_setup setup = { .names = &own, .n_names = 1, .signers = &signer, .n_signers = 1,
		.max_size = 1UL << 30 };
	struct bytes name = { 0 };
	struct crl_scan *scan;
	uint8_t serial[SERIAL];
	unsigned i;

	if (certs == NULL)
		die("memory");
	for (i = 0; i < w->devices; i++) {
		serial_of(serial, i, true);
		serial_load(&certs[i].serial, serial, SERIAL);
		certs[i].cert = i;
	}
	make_name(&name, 0x0c, "Example", "Factory CA");
	own = (struct crl_name){ name.p, name.n };
	signer = (struct crl_signer){ .name = name.p, .name_len = name.n, .key = w->key, .may_sign = true };
	setup.inventory = inventory_new(certs, w->devices, &hash_key);
	free(certs);
	if (setup.inventory == NULL || (scan = crl_scan_new(&setup)) == NULL)
		die("memory");
	return scan;
}

static void
by_scan(const struct way *w, struct figures *f, bool again)
{
	static uint8_t piece[PIECE];
	struct crl_scan *scan = scan_new(w);
	struct crl_hit hit;
	size_t pos = 0, n;

	if (again)
		crl_scan_again(scan);
	begin(f);
	while ((n = fread(piece, 1, sizeof(piece), w->crl)) > 0)
		if (crl_scan_feed(scan, piece, n) < 0)
			break;
	f->error = crl_scan_finish(scan, NULL, 0);
	while (crl_scan_hit(scan, &pos, &hit))
		f->found++;
	end(f);
}

/* d2i_X509_CRL, the signature, and a look-up for each device. */
static void
by_openssl(const struct way *w, struct figures *f)
{
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	BIGNUM *number = BN_new();
	uint8_t octets[SERIAL], *der;
	X509_REVOKED *entry;
	const uint8_t *p;
	X509_CRL *crl;
	unsigned i;
	long size;

	fseek(w->crl, 0, SEEK_END);
	size = ftell(w->crl);
	rewind(w->crl);
	begin(f);
	if ((der = malloc((size_t)size)) == NULL || fread(der, 1, (size_t)size, w->crl) != (size_t)size)
		die("read");
	p = der;
	crl = d2i_X509_CRL(NULL, &p, size);
	f->error = crl == NULL ? E_DER : X509_CRL_verify(crl, w->key) == 1 ? E_NONE : E_SIG;
	for (i = 0; f->error == E_NONE && i < w->devices; i++) {
		serial_of(octets, i, true);
		BN_bin2bn(octets, SERIAL, number);
		BN_to_ASN1_INTEGER(number, serial);
		f->found += X509_CRL_get0_by_serial(crl, &entry, serial) == 1;
	}
	end(f);
}

/* SHA-256 of all octets, and one signature, over whatever. */
static void
by_hash(const struct way *w, struct figures *f)
{
	static uint8_t piece[PIECE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *verify = EVP_PKEY_CTX_new(w->key, NULL);
	/* well-formed, and of nothing: r and s are 1 */
	static const uint8_t signature[] = { 0x30, 6, 2, 1, 1, 2, 1, 1 };
	uint8_t digest[32];
	size_t n;

	EVP_DigestInit_ex(ctx, EVP_sha256(), NULL);
	begin(f);
	while ((n = fread(piece, 1, sizeof(piece), w->crl)) > 0)
		EVP_DigestUpdate(ctx, piece, n);
	EVP_DigestFinal_ex(ctx, digest, NULL);
	EVP_PKEY_verify_init(verify);
	if (EVP_PKEY_verify(verify, signature, sizeof(signature), digest, sizeof(digest)) == 1)
		die("a signature of nothing is valid");
	end(f);
}

int
main(int argc, char **argv)
{
	struct figures f = { 0 };
	struct way w;

	if (argc == 5 && strcmp(argv[1], "make") == 0)
		return make(argv[2], (unsigned)atoi(argv[3]), argv[4]);
	if (argc != 4) {
		fprintf(stderr, "usage: crl_ways make KIND ENTRIES FILE | scan|again|openssl|hash FILE DEVICES\n");
		return 64;
	}
	w.devices = (unsigned)atoi(argv[3]);
	w.key = read_key(argv[2]);
	if ((w.crl = fopen(argv[2], "rb")) == NULL)
		die(argv[2]);
	setvbuf(w.crl, NULL, _IONBF, 0);
	if (strcmp(argv[1], "scan") == 0 || strcmp(argv[1], "again") == 0)
		by_scan(&w, &f, strcmp(argv[1], "again") == 0);
	else if (strcmp(argv[1], "openssl") == 0)
		by_openssl(&w, &f);
	else
		by_hash(&w, &f);
	printf("{\"ms\": %.4f, \"base_kb\": %ld, \"peak_kb\": %ld, \"anon_kb\": %ld, \"found\": %lu, \"error\": %d}\n",
	    f.ms, f.base_kb, f.peak_kb, f.anon_kb, (unsigned long)f.found, (int)f.error);
	return 0;
}
