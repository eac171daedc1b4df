/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lift.c -- from the records of an image to declarations. Nothing is copied that
 * can be borrowed: there are a hundred thousand of them. */
#include "model/lift.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *
borrow(const struct image *im, uint32_t offset)
{
	return (char *)(uintptr_t)image_text(im, offset);
}

/* The configuration files stand first, by ascending text: each was entered when it was read. */
static int
find_files(struct lift *l)
{
	const struct image *im = l->im;
	uint32_t n = im->n[IMAGE_FILES];

	while (l->n_files < n && (im->files[l->n_files].flags & FILE_BESIDE) == 0)
		l->n_files++;
	for (uint32_t i = 1; i < l->n_files; i++)
		if (im->files[i].path <= im->files[i - 1].path)
			return -ESTALE;
	for (uint32_t i = l->n_files; i < n; i++)
		if ((im->files[i].flags & FILE_BESIDE) == 0)
			return -ESTALE;
	return l->n_files == 0 ? -ESTALE : 0;
}

static uint32_t
file_of(const struct lift *l, const struct image_where *w)
{
	uint32_t low = 0, high = l->n_files, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (l->im->files[mid].path == w->file)
			return mid;
		if (l->im->files[mid].path < w->file)
			low = mid + 1;
		else
			high = mid;
	}
	return LIFT_NONE;
}

static int
line_cmp(const void *a, const void *b, void *image)
{
	const struct image_device *devices = ((const struct image *)image)->devices;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
	uint32_t x = devices[i].where.line, y = devices[k].where.line;

	return x != y ? (x < y ? -1 : 1) : i < k ? -1 : i > k;
}

static void
sort_lines(struct lift *l, uint32_t *from, uint32_t n)
{
	bool sorted = true;

	for (uint32_t i = 1; i < n && sorted; i++)
		sorted = line_cmp(&from[i - 1], &from[i], (void *)(uintptr_t)l->im) < 0;
	if (!sorted)
		qsort_r(from, n, sizeof(*from), line_cmp, (void *)(uintptr_t)l->im);
	for (uint32_t i = 1; i < n; i++)
		l->ambiguous |= l->im->devices[from[i - 1]].where.line == l->im->devices[from[i]].where.line;
}

/* By file, then by line: as they were declared. */
static int
find_devices(struct lift *l)
{
	const struct image *im = l->im;
	uint32_t n = im->n[IMAGE_DEVICES], file;
	uint32_t *at = calloc((size_t)l->n_files + 1, sizeof(*at));

	if (at == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		if ((file = file_of(l, &im->devices[i].where)) == LIFT_NONE) {
			free(at);
			return -ESTALE;
		}
		l->place[i] = file;	/* until it has one */
		l->first[file + 1]++;
	}
	for (uint32_t i = 0; i < l->n_files; i++) {
		l->first[i + 1] += l->first[i];
		at[i] = l->first[i];
	}
	for (uint32_t i = 0; i < n; i++) {
		l->from[at[l->place[i]]++] = i;
		l->place[i] = LIFT_NONE;
	}
	for (uint32_t i = 0; i < l->n_files; i++)
		sort_lines(l, l->from + l->first[i], l->first[i + 1] - l->first[i]);
	free(at);
	return 0;
}

static void
lift_parts(struct lift *l)
{
	const struct image *im = l->im;

	for (uint32_t i = 0; i < im->n[IMAGE_ADDRESSES]; i++) {
		const struct image_address *a = &im->addresses[i];

		l->addresses[i].addr.family = a->family;
		memcpy(l->addresses[i].addr.bytes, a->bytes, sizeof(a->bytes));
		l->addresses[i].prefix = a->prefix;
	}
	for (uint32_t i = 0; i < im->n[IMAGE_LABELS]; i++)
		l->labels[i] = borrow(im, im->labels[i]);
	for (uint32_t i = 0; i < im->n[IMAGE_CERTIFICATES]; i++) {
		const struct image_certificate *c = &im->certificates[i];

		l->certificates[i].authority = borrow(im, image_authority(im, c->authority)->name);
		l->certificates[i].serial_len = c->serial_len;
		memcpy(l->certificates[i].serial, c->serial, sizeof(c->serial));
		if (c->chain_len > 0) {
			l->certificates[i].der = (uint8_t *)(uintptr_t)(im->blobs + c->chain);
			l->certificates[i].der_len = c->chain_len;
			l->certificates[i].issuer = c->issuer;
		}
	}
}

int
lift_init(struct lift *l, const struct image *im)
{
	int rc;

	memset(l, 0, sizeof(*l));
	l->im = im;
	if ((rc = find_files(l)) < 0)
		return rc;
	l->from = calloc((size_t)im->n[IMAGE_DEVICES] + 1, sizeof(*l->from));
	l->first = calloc((size_t)l->n_files + 2, sizeof(*l->first));
	l->place = calloc((size_t)im->n[IMAGE_DEVICES] + 1, sizeof(*l->place));
	l->addresses = calloc((size_t)im->n[IMAGE_ADDRESSES] + 1, sizeof(*l->addresses));
	l->certificates = calloc((size_t)im->n[IMAGE_CERTIFICATES] + 1, sizeof(*l->certificates));
	l->classes = calloc((size_t)im->n[IMAGE_CLASSES] + 1, sizeof(*l->classes));
	l->labels = calloc((size_t)im->n[IMAGE_LABELS] + 1, sizeof(*l->labels));
	if (l->from == NULL || l->first == NULL || l->place == NULL || l->addresses == NULL ||
	    l->certificates == NULL || l->classes == NULL || l->labels == NULL)
		return -ENOMEM;
	if ((rc = find_devices(l)) < 0)
		return rc;
	lift_parts(l);
	return 0;
}

void
lift_done(struct lift *l)
{
	free(l->from);
	free(l->first);
	free(l->place);
	free(l->addresses);
	free(l->certificates);
	free(l->classes);
	free(l->labels);
	memset(l, 0, sizeof(*l));
}

static void
lift_device(struct lift *l, const struct image_device *x, uint32_t file, struct device_decl *d)
{
	const struct image *im = l->im;

	d->where = (struct where){ .file = file, .line = x->where.line };
	d->borrowed = true;
	d->name = borrow(im, x->name);
	d->class_name = borrow(im, image_class(im, x->class_number)->name);
	d->has_mac = x->identity == IDENTITY_OWN;
	d->has_via = x->identity == IDENTITY_VIA;
	memcpy(d->mac.bytes, x->mac, sizeof(x->mac));
	if (x->interface != 0)
		d->interface = borrow(im, x->interface);
	d->addresses = x->addresses.n > 0 ? &l->addresses[x->addresses.first] : NULL;
	d->n_addresses = x->addresses.n;
	d->critical = (x->flags & DEVICE_CRITICAL) != 0;
	d->certificates = x->certificates.n > 0 ? &l->certificates[x->certificates.first] : NULL;
	d->n_certificates = x->certificates.n;
	for (uint32_t i = 0; i < x->certificates.n; i++)
		d->certificates[i].where = d->where;
	d->labels = x->labels.n > 0 ? &l->labels[x->labels.first] : NULL;
	d->n_labels = x->labels.n;
}

int
lift_devices(struct lift *l, uint32_t file, struct policy *p)
{
	for (uint32_t i = l->first[file]; i < l->first[file + 1]; i++) {
		const struct image_device *x = &l->im->devices[l->from[i]];
		struct device_decl *grown = policy_grow(p->devices, p->n_devices, sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		p->devices = grown;
		lift_device(l, x, file, &grown[p->n_devices]);
		l->place[l->from[i]] = (uint32_t)p->n_devices++;
	}
	return 0;
}

static int
class_cmp(const void *a, const void *b, void *image)
{
	const struct image_class *classes = ((const struct image *)image)->classes;
	const struct image_where *x = &classes[*(const uint32_t *)a].where, *y = &classes[*(const uint32_t *)b].where;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* In the order of their declaration, which is that of what is said about them. */
static int
lift_classes(struct lift *l, struct policy *p)
{
	const struct image *im = l->im;
	uint32_t n = 0, file;

	/* The first is quarantine, which nobody declares; nor are those of other classes. */
	for (uint32_t i = 1; i < im->n[IMAGE_CLASSES]; i++)
		if ((im->classes[i].hints & CLASS_QUARANTINE) == 0)
			l->classes[n++] = i;
	qsort_r(l->classes, n, sizeof(*l->classes), class_cmp, (void *)(uintptr_t)im);
	for (uint32_t i = 0; i < n; i++) {
		const struct image_class *x = &im->classes[l->classes[i]];
		struct class_decl *grown = policy_grow(p->classes, p->n_classes, sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		p->classes = grown;
		if ((file = file_of(l, &x->where)) == LIFT_NONE ||
		    (i > 0 && class_cmp(&l->classes[i - 1], &l->classes[i], (void *)(uintptr_t)im) == 0))
			return -ESTALE;
		grown[p->n_classes].where = (struct where){ .file = file, .line = x->where.line };
		if ((grown[p->n_classes++].name = strdup(image_text(im, x->name))) == NULL)
			return -ENOMEM;
	}
	return 0;
}

int
lift_names(struct lift *l, struct policy *p)
{
	const struct image *im = l->im;

	for (uint32_t i = 0; i < im->n[IMAGE_AUTHORITIES]; i++) {
		struct authority_decl *grown = policy_grow(p->authorities, p->n_authorities, sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		p->authorities = grown;
		if ((grown[p->n_authorities++].name = strdup(image_text(im, im->authorities[i].name))) == NULL)
			return -ENOMEM;
	}
	for (uint32_t i = 0; i < im->n[IMAGE_INTERFACES]; i++) {
		char **grown = policy_grow(p->appliance.interfaces, p->appliance.n_interfaces, sizeof(*grown));

		if (grown == NULL)
			return -ENOMEM;
		p->appliance.interfaces = grown;
		if ((grown[p->appliance.n_interfaces++] = strdup(image_text(im, im->interfaces[i].name))) == NULL)
			return -ENOMEM;
	}
	return lift_classes(l, p);
}
