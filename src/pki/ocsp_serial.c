/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ocsp_serial.c -- is the certificate of a responder revoked? It comes with the
 * answer, so no inventory holds it: the CRLs on our disk are looked through for it. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "pki/ocsp_desk.h"

static bool
listed_in(struct crl_scan *scan, int fd)
{
	static uint8_t piece[65536];
	struct crl_hit hit;
	size_t pos = 0;
	ssize_t n;

	while ((n = read(fd, piece, sizeof(piece))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0 && crl_scan_feed(scan, piece, (size_t)n) < 0)
			return false;
	return n == 0 && crl_scan_finish(scan, NULL, 0) == E_NONE && crl_scan_hit(scan, &pos, &hit) && hit.reason != 8;
}

static bool
series_lists(struct pki *p, const struct crl_scan_setup *setup, struct series_ref ref)
{
	struct series_extra *e = &p->set.extra[ref.series];
	struct crl_scan *scan;
	bool listed = false;
	int fd;

	if (!series_set_crl(&p->set, ref)->valid ||
	    (fd = store_open(p->folder, p->set.series[ref.series].id, ref.delta)) < 0)
		return false;
	/* Verified by us, and the same since. */
	if (series_file_same(&e->file[ref.delta], fd) && (scan = crl_scan_new(setup)) != NULL) {
		crl_scan_again(scan);
		listed = listed_in(scan, fd);
		crl_scan_free(scan);
	}
	close(fd);
	return listed;
}

bool
ocsp_serial_listed(struct pki *p, uint32_t authority, const uint8_t *serial, size_t len)
{
	const struct authority *a = &p->all->authorities[authority];
	struct inventory_cert one = { .cert = 0 };
	struct inventory_key key;
	struct crl_scan_setup setup = { .names = &a->subject, .n_names = a->subject.der != NULL ? 1 : 0,
		.signers = a->signers, .n_signers = a->n_signers, .max_size = LIMIT_CRL_BYTES,
		.allow_sha1 = (a->flags & AUTHORITY_SHA1) != 0 };
	struct inventory *inventory;
	bool listed = false;
	uint32_t i;

	if (len == 0 || len > CRL_SERIAL_MAX || getrandom(&key, sizeof(key), 0) != sizeof(key))
		return false;
	serial_load(&one.serial, serial, len);
	if ((inventory = inventory_new(&one, 1, &key)) == NULL)
		return false;
	setup.inventory = inventory;
	for (i = 0; i < p->set.n && !listed; i++)
		if (p->set.series[i].authority == authority)
			listed = series_lists(p, &setup, (struct series_ref){ i, false }) ||
			    series_lists(p, &setup, (struct series_ref){ i, true });
	inventory_free(inventory);
	return listed;
}
