/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_numbers.c -- numbers are for ever: marks, revocations and evidence
 * refer to them. Who was known by name keeps its number; a newcomer gets one
 * that nobody ever had. Newcomers are numbered by name, so that the order of
 * files does not show. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/compile_parts.h"
#include "model/image_record.h"
#include "proto/limits.h"

int
compile_numbered_cmp(const void *pa, const void *pb)
{
	const struct numbered *a = pa, *b = pb;

	return a->number < b->number ? -1 : a->number > b->number;
}

struct newcomer {
	const char *name;
	uint32_t index;
};

static int
newcomer_cmp(const void *pa, const void *pb)
{
	const struct newcomer *a = pa, *b = pb;

	return strcmp(a->name, b->name);
}

/* What was numbered before: records that begin with their number. */
struct known {
	const void *records;
	size_t n;
	size_t size;
	size_t name;	/* where in a record */
};

static int
known_names(const struct image *before, const struct known *k, struct names *out)
{
	uint32_t number, name;
	size_t i;
	int rc;

	for (i = 0; i < k->n; i++) {
		memcpy(&number, (const char *)k->records + i * k->size, sizeof(number));
		memcpy(&name, (const char *)k->records + i * k->size + k->name, sizeof(name));
		if ((rc = names_add(out, image_text(before, name), number, NULL)) < 0)
			return rc;
	}
	return 0;
}

/* names[] has n names; order[] gets them by number. -ERANGE when numbers run out. */
static int
number_all(const struct image *before, const struct known *k, const char *const *names, size_t n,
    uint32_t *next, uint32_t max, struct numbered *order)
{
	struct newcomer *fresh = calloc(n + 1, sizeof(*fresh));
	size_t i, n_fresh = 0, n_old = 0;
	struct names known;
	int rc = -ENOMEM;

	names_init(&known);
	if (fresh == NULL || (before != NULL && (rc = known_names(before, k, &known)) < 0))
		goto out;
	for (i = 0; i < n; i++) {
		struct numbered at = { .index = (uint32_t)i };

		if (names_find(&known, names[i], &at.number))
			order[n_old++] = at;
		else
			fresh[n_fresh++] = (struct newcomer){ .name = names[i], .index = (uint32_t)i };
	}
	rc = -ERANGE;
	if (n_fresh > 0 && (*next > max || n_fresh - 1 > max - *next))
		goto out;
	qsort(fresh, n_fresh, sizeof(*fresh), newcomer_cmp);
	for (i = 0; i < n_fresh; i++)
		order[n_old + i] = (struct numbered){ .number = (*next)++, .index = fresh[i].index };
	qsort(order, n, sizeof(*order), compile_numbered_cmp);
	rc = 0;
out:
	names_done(&known);
	free(fresh);
	return rc;
}

static int
number_names(struct compile *c, const struct known *k, const char *const *names, size_t n, uint32_t *next,
    uint32_t max, struct numbered *order)
{
	int rc = number_all(c->before, k, names, n, next, max, order);

	if (rc == -ERANGE) {
		mistakes_add(c->m, NULL, 0, "all numbers were given out once: start with an empty state folder");
		rc = -EINVAL;
	}
	return rc;
}

static int
number_kind(struct compile *c, const struct known *k, size_t n, const char *(*name)(const struct policy *, size_t),
    uint32_t *next, uint32_t max, struct numbered *order)
{
	const char **names = calloc(n + 1, sizeof(*names));
	size_t i;
	int rc = -ENOMEM;

	if (names != NULL) {
		for (i = 0; i < n; i++)
			names[i] = name(c->p, i);
		rc = number_names(c, k, names, n, next, max, order);
	}
	free(names);
	return rc;
}

static const char *
authority_name(const struct policy *p, size_t i)
{
	return p->authorities[i].name;
}

static const char *
device_name(const struct policy *p, size_t i)
{
	return p->devices[i].name;
}

/* Classes, and those of quarantine that go with some of them. */
static int
number_classes(struct compile *c, const struct known *k)
{
	const struct policy *p = c->p;
	size_t n = p->n_classes, all = n + c->n_remedies, i, at = n;
	const char **names = calloc(all + 1, sizeof(*names));
	char (*text)[CLASS_REMEDY_NAME] = calloc(c->n_remedies + 1, sizeof(*text));
	uint32_t *of = calloc(all + 1, sizeof(*of));
	int rc = -ENOMEM;

	if (names == NULL || text == NULL || of == NULL)
		goto out;
	for (i = 0; i < n; i++) {
		names[i] = p->classes[i].name;
		of[i] = (uint32_t)i;
		if (c->remedies[i] == 0)
			continue;
		compile_remedy_name(names[i], text[at - n]);
		names[at] = text[at - n];
		of[at++] = (uint32_t)(n + i);
	}
	if ((rc = number_names(c, k, names, all, &c->b.next_class, UINT32_MAX - 1, c->class_order)) < 0)
		goto out;
	for (i = 0; i < all; i++) {
		struct numbered *x = &c->class_order[i];

		x->index = of[x->index];
		if (x->index < n)
			c->class_number[x->index] = x->number;
		else
			c->remedy_number[x->index - n] = x->number;
	}
out:
	free(names);
	free(text);
	free(of);
	return rc;
}

int
compile_numbers(struct compile *c)
{
	struct known authorities = { .size = sizeof(struct image_authority),
		.name = offsetof(struct image_authority, name) };
	struct known classes = { .size = sizeof(struct image_class), .name = offsetof(struct image_class, name) };
	struct known devices = { .size = sizeof(struct image_device), .name = offsetof(struct image_device, name) };
	const struct image *before = c->before;
	const struct policy *p = c->p;
	size_t i;
	int rc;

	if (before != NULL) {
		authorities.records = before->authorities;
		authorities.n = before->n[IMAGE_AUTHORITIES];
		classes.records = before->classes;
		classes.n = before->n[IMAGE_CLASSES];
		devices.records = before->devices;
		devices.n = before->n[IMAGE_DEVICES];
		c->b.next_authority = before->header->next_authority;
		c->b.next_class = before->header->next_class;
		c->b.next_device = before->header->next_device;
	}
	if ((rc = number_kind(c, &authorities, p->n_authorities, authority_name, &c->b.next_authority,
	    UINT32_MAX - 1, c->authority_order)) < 0 ||
	    (rc = number_classes(c, &classes)) < 0 ||
	    (rc = number_kind(c, &devices, p->n_devices, device_name, &c->b.next_device, LIMIT_DEVICE_NUMBER,
	    c->device_order)) < 0)
		return rc;
	for (i = 0; i < p->n_authorities; i++)
		c->authority_number[c->authority_order[i].index] = c->authority_order[i].number;
	return 0;
}
