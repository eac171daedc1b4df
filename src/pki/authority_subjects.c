/* SPDX-License-Identifier: GPL-2.0-or-later */
/* authority_subjects.c -- of each authority the certificates that its CRLs speak
 * about: those of devices, and those of other authorities that it issued. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pki/authority_parts.h"
#include "pki/der.h"

static int
index_of(const struct image *im, uint32_t number, uint32_t *out)
{
	const struct image_authority *a = image_authority(im, number);

	if (a == NULL)
		return -ENOENT;
	*out = (uint32_t)(a - im->authorities);
	return 0;
}

/* ---- how many ----------------------------------------------------------- */

static int
subjects_room(struct authorities *all, const struct image *im)
{
	uint32_t *counts, i, at;
	int rc = 0;

	if ((counts = calloc((size_t)all->n + 1, sizeof(*counts))) == NULL)
		return -ENOMEM;
	for (i = 0; i < im->n[IMAGE_CERTIFICATES]; i++)
		if (index_of(im, im->certificates[i].authority, &at) == 0)
			counts[at]++;
	for (i = 0; i < all->n_certificates; i++)
		if (all->certificates[i].parent != TRUST_NONE)
			counts[all->certificates[i].parent]++;
	for (i = 0; i < all->n && rc == 0; i++)
		if ((all->authorities[i].subjects = calloc((size_t)counts[i] + 1,
			 sizeof(struct subject))) == NULL)
			rc = -ENOMEM;
	free(counts);
	return rc;
}

/* ---- of devices --------------------------------------------------------- */

static void
subject_of_device(const struct authorities *all, struct authority *a, const struct image *im,
    const struct image_certificate *from, uint32_t device, uint32_t place)
{
	struct subject *s = &a->subjects[a->n_subjects];

	s->device = device;
	s->place = place;
	s->issuer = TRUST_NONE;
	s->serial_len = (uint8_t)from->serial_len;
	memcpy(s->serial, from->serial, sizeof(s->serial));
	if (from->chain_len == 0)
		return;
	(void)subject_read(s, im->blobs + from->chain, from->chain_len);
	if (from->issuer > 0 && from->issuer <= a->n_own &&
	    all->certificates[a->first_certificate + from->issuer - 1].x509 != NULL)
		s->issuer = all->certificates[a->first_certificate + from->issuer - 1].node;
}

static int
subjects_of_devices(struct authorities *all, const struct image *im)
{
	uint32_t i, j, at;

	all->devices = calloc((size_t)im->n[IMAGE_DEVICES] + 1, sizeof(*all->devices));
	all->refs = calloc((size_t)im->n[IMAGE_CERTIFICATES] + 1, sizeof(*all->refs));
	if (all->devices == NULL || all->refs == NULL)
		return -ENOMEM;
	all->n_devices = im->n[IMAGE_DEVICES];
	for (i = 0; i < all->n_devices; i++) {
		const struct image_device *from = &im->devices[i];
		struct authority_device *d = &all->devices[i];

		*d = (struct authority_device){ .number = from->number, .flags = from->flags,
			.first = all->n_refs };
		for (j = 0; j < from->certificates.n; j++) {
			const struct image_certificate *c = &im->certificates[from->certificates.first + j];

			if (index_of(im, c->authority, &at) < 0)
				continue;
			all->refs[all->n_refs++] =
			    (struct subject_ref){ at, all->authorities[at].n_subjects };
			subject_of_device(all, &all->authorities[at], im, c, i, j);
			all->authorities[at].n_subjects++;
			d->n++;
		}
	}
	return 0;
}

/* ---- of authorities ----------------------------------------------------- */

/* The octets as they stand: so does the scanner take a serial without its sign
 * octet, as the number that was meant. False: longer than RFC 5280 4.1.2.2 allows. */
static bool
serial_octets(X509 *x, struct subject *s)
{
	uint8_t *der = NULL, tag;
	int n = i2d_ASN1_INTEGER(X509_get0_serialNumber(x), &der);
	struct buf b, content;
	bool fits;

	buf_init(&b, der, n > 0 ? (size_t)n : 0);
	fits = der_get(&b, &tag, &content) == 0 && buf_left(&content) > 0;
	while (fits && buf_left(&content) > 1 && der_next(&content) == 0)
		(void)buf_skip(&content, 1);
	fits = fits && buf_left(&content) <= sizeof(s->serial);
	if (fits) {
		s->serial_len = (uint8_t)buf_left(&content);
		(void)buf_get_bytes(&content, s->serial, s->serial_len);
	}
	OPENSSL_free(der);
	return fits;
}

static void
subjects_of_authorities(struct authorities *all)
{
	uint32_t i;

	for (i = 0; i < all->n_certificates; i++) {
		struct trust_certificate *c = &all->certificates[i];
		struct authority *p;
		struct subject *s;
		uint8_t *der = NULL;
		int n;

		if (c->parent == TRUST_NONE)
			continue;
		p = &all->authorities[c->parent];
		s = &p->subjects[p->n_subjects];
		if (!serial_octets(c->x509, s))
			continue;
		if ((n = i2d_X509(c->x509, &der)) > 0)
			(void)subject_read(s, der, (size_t)n);
		OPENSSL_free(der);
		s->flags |= SUBJECT_CA;
		/* RFC 5280 has those of version 1 trusted by other means: by the administrator. */
		if (c->role == ISSUER_OWN && X509_get_version(c->x509) < X509_VERSION_3)
			s->flags |= SUBJECT_ISSUES;
		s->device = i;
		s->issuer = all->certificates[c->parent_certificate].node;
		c->subject = p->n_subjects++;
	}
}

/* ---- by serial ---------------------------------------------------------- */

struct by_serial {
	struct serial serial;
	uint32_t subject;
};

static int
compare(const void *pa, const void *pb)
{
	const struct by_serial *a = pa, *b = pb;
	int i;

	for (i = 3; i >= 0; i--)
		if (a->serial.w[i] != b->serial.w[i])
			return a->serial.w[i] < b->serial.w[i] ? -1 : 1;
	return a->subject < b->subject ? -1 : a->subject > b->subject;
}

static bool
same_serial(const struct by_serial *a, const struct by_serial *b)
{
	return memcmp(&a->serial, &b->serial, sizeof(a->serial)) == 0;
}

/* Which certificates do several devices have? Neighbours with one serial. */
static void
shared_mark(struct authority *a, const struct by_serial *sorted, uint32_t n)
{
	uint32_t i, last = TRUST_NONE;

	for (i = 0; i < n; i++) {
		struct subject *s = &a->subjects[sorted[i].subject];
		const struct subject *first;
		uint32_t from = i, to = i;

		/* In one run subjects are ascending, and so are devices: the ends differ
		 * when any two do. */
		while (to + 1 < n && same_serial(&sorted[to + 1], &sorted[i]))
			to++;
		first = s;
		if (to > from && a->subjects[sorted[to].subject].device != first->device)
			for (; from <= to; from++)
				a->subjects[sorted[from].subject].flags |= SUBJECT_SHARED;
		i = to;
	}
	for (i = 0; i < a->n_subjects; i++) {
		if ((a->subjects[i].flags & SUBJECT_SHARED) == 0 || a->subjects[i].device == last)
			continue;
		last = a->subjects[i].device;
		a->clones++;
	}
}

static int
inventory_load(struct authority *a, const struct inventory_key *key)
{
	struct inventory_cert *certs = calloc((size_t)a->n_subjects + 1, sizeof(*certs));
	struct by_serial *sorted = calloc((size_t)a->n_subjects + 1, sizeof(*sorted));
	uint32_t i, n = 0;
	int rc = -ENOMEM;

	if (certs == NULL || sorted == NULL)
		goto out;
	for (i = 0; i < a->n_subjects; i++) {
		const struct subject *s = &a->subjects[i];

		certs[i].cert = i;
		serial_load(&certs[i].serial, s->serial, s->serial_len);
		if ((s->flags & SUBJECT_CA) == 0)
			sorted[n++] = (struct by_serial){ certs[i].serial, i };
	}
	qsort(sorted, n, sizeof(*sorted), compare);
	shared_mark(a, sorted, n);
	if (a->n_subjects == 0 || (a->inventory = inventory_new(certs, a->n_subjects, key)) != NULL)
		rc = 0;
out:
	free(sorted);
	free(certs);
	return rc;
}

int
authority_subjects_load(struct authorities *all, const struct image *im, const struct inventory_key *key)
{
	uint32_t i;
	int rc;

	if ((rc = subjects_room(all, im)) < 0 || (rc = subjects_of_devices(all, im)) < 0)
		return rc;
	subjects_of_authorities(all);
	for (i = 0; i < all->n && rc == 0; i++)
		rc = inventory_load(&all->authorities[i], key);
	return rc;
}
