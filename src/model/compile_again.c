/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_again.c -- a policy of which some inventories changed, and nothing else:
 * devices are compiled as ever, all other sections are those of the image before. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/compile_parts.h"
#include "model/lift.h"
#include "proto/limits.h"

/* ---- orders ------------------------------------------------------------- */

/* Of the policy's devices, those that were not lifted stand between and behind. */
static bool
was_lifted(const struct compile *c, uint32_t i)
{
	return c->p->devices[i].borrowed;
}

size_t
compile_lifted_names(struct compile *c)
{
	const struct image *im = c->before;
	size_t n = 0, lifted;
	uint32_t i;

	for (i = 0; i < im->n[IMAGE_BY_NAME]; i++)
		if (c->lift->place[im->by_name[i]] != LIFT_NONE)
			c->by_name[n++] = c->lift->place[im->by_name[i]];
	lifted = n;
	for (i = 0; i < c->p->n_devices; i++)
		if (!was_lifted(c, i))
			c->by_name[n++] = i;
	return lifted;
}

size_t
compile_lifted_macs(struct compile *c)
{
	const struct image *im = c->before;
	size_t lifted;
	uint32_t i;

	for (i = 0; i < im->n[IMAGE_BY_MAC]; i++)
		if (c->lift->place[im->by_mac[i]] != LIFT_NONE)
			c->by_mac[c->n_by_mac++] = c->lift->place[im->by_mac[i]];
	lifted = c->n_by_mac;
	for (i = 0; i < c->p->n_devices; i++)
		if (!was_lifted(c, i) && c->p->devices[i].has_mac)
			c->by_mac[c->n_by_mac++] = i;
	return lifted;
}

size_t
compile_lifted_addresses(struct compile *c)
{
	const struct image *im = c->before;
	uint32_t *owner = calloc((size_t)im->n[IMAGE_ADDRESSES] + 1, sizeof(*owner)), i, k;
	size_t lifted;

	for (i = 0; owner != NULL && i < im->n[IMAGE_DEVICES]; i++)
		for (k = 0; k < im->devices[i].addresses.n; k++)
			owner[im->devices[i].addresses.first + k] = i;
	for (i = 0; owner != NULL && i < im->n[IMAGE_BY_ADDRESS]; i++) {
		const struct image_device *d = &im->devices[owner[im->by_address[i]]];
		uint32_t place = c->lift->place[d - im->devices];

		if (place != LIFT_NONE)
			c->by_address[c->n_by_address++] = (struct address_at){ .device = place,
			    .nth = im->by_address[i] - d->addresses.first };
	}
	lifted = c->n_by_address;
	for (i = 0; i < c->p->n_devices; i++)
		for (k = 0; (owner == NULL || !was_lifted(c, i)) && k < c->p->devices[i].n_addresses; k++)
			if (compile_address_is_whole(&c->p->devices[i].addresses[k]))
				c->by_address[c->n_by_address++] = (struct address_at){ .device = i, .nth = k };
	free(owner);
	return lifted;
}

/* ---- names and numbers -------------------------------------------------- */

static int
enter_names(struct compile *c)
{
	const struct policy *p = c->p;
	uint32_t i, k;
	int rc;

	for (i = 0; i < p->n_classes; i++) {
		const struct image_class *x = &c->before->classes[c->lift->classes[i]];

		if ((rc = names_add(&c->classes, p->classes[i].name, i, NULL)) < 0)
			return rc;
		c->class_number[i] = x->number;
		c->hints[i] = x->hints;
		for (k = 0; k < c->before->n[IMAGE_AUTHORITIES]; k++)
			if (c->before->authorities[k].restrict_class == x->number)
				c->restricts[i] = 1;
	}
	for (i = 0; i < p->n_authorities; i++) {
		if ((rc = names_add(&c->authorities, p->authorities[i].name, i, NULL)) < 0)
			return rc;
		c->authority_number[i] = c->before->authorities[i].number;
	}
	for (i = 0; i < p->appliance.n_interfaces; i++)
		if ((rc = names_add(&c->interfaces, p->appliance.interfaces[i], i, NULL)) < 0)
			return rc;
	return 0;
}

/* What was said before anybody looked at the devices. */
static void
settled_warnings(struct compile *c)
{
	const struct image *im = c->before;
	uint32_t i;

	for (i = 0; i < im->header->settled; i++)
		mistakes_warn(c->m, NULL, 0, "%s", image_text(im, im->warnings[i]));
	c->settled = im->header->settled;
}

/* by_name is sorted: newcomers get their numbers by name. */
static int
number_devices(struct compile *c)
{
	const struct policy *p = c->p;
	const struct image *im = c->before;
	uint32_t *number = calloc(p->n_devices + 1, sizeof(*number)), i, at;
	const struct image_device *known;
	bool sorted = true;

	if (number == NULL)
		return -ENOMEM;
	for (i = 0; i < im->n[IMAGE_DEVICES]; i++)
		if (c->lift->place[i] != LIFT_NONE)
			number[c->lift->place[i]] = im->devices[i].number;
	c->b.next_device = im->header->next_device;
	for (i = 0; i < p->n_devices; i++) {
		at = c->by_name[i];
		if (number[at] == 0 && (known = image_device_named(im, p->devices[at].name)) != NULL)
			number[at] = known->number;
		else if (number[at] == 0)
			number[at] = c->b.next_device++;
	}
	for (i = 0; i < p->n_devices; i++) {
		c->device_order[i] = (struct numbered){ .number = number[i], .index = i };
		sorted = sorted && (i == 0 || number[i - 1] < number[i]);
	}
	free(number);
	if (!sorted)
		qsort(c->device_order, p->n_devices, sizeof(*c->device_order), compile_numbered_cmp);
	return c->b.next_device > LIMIT_DEVICE_NUMBER + 1 ? -ESTALE : 0;
}

/* ---- the other sections ------------------------------------------------- */

/* Where the text of devices begins: each one's begins with its name. */
static int
copy_text(struct compile *c)
{
	const struct image *im = c->before;
	uint32_t end = im->devices[0].name, at;
	int rc;

	if (end == 0)
		return -ESTALE;
	image_build_add(&c->b, IMAGE_TEXT, im->text + 1, end - 1);
	for (at = 1; at < end; at += (uint32_t)strlen(im->text + at) + 1)
		if ((rc = names_add(&c->b.texts, im->text + at, at, NULL)) < 0 && rc != -EEXIST)
			return rc;
	return 0;
}

/* Authorities' certificates; those of devices stand behind them. */
static uint32_t
blobs_of_authorities(const struct image *im)
{
	uint32_t end = im->n[IMAGE_BLOBS], i;

	for (i = 0; i < im->n[IMAGE_CERTIFICATES]; i++)
		if (im->certificates[i].chain_len > 0 && im->certificates[i].chain < end)
			end = im->certificates[i].chain;
	return end;
}

static void
copy_sections(struct compile *c)
{
	const struct image *im = c->before;
	struct image_build *b = &c->b;

	image_build_add(b, IMAGE_BLOBS, im->blobs, blobs_of_authorities(im));
	image_build_add(b, IMAGE_APPLIANCE, im->appliance, im->n[IMAGE_APPLIANCE]);
	image_build_add(b, IMAGE_INTERFACES, im->interfaces, im->n[IMAGE_INTERFACES]);
	image_build_add(b, IMAGE_AUTHORITIES, im->authorities, im->n[IMAGE_AUTHORITIES]);
	image_build_add(b, IMAGE_ISSUERS, im->issuers, im->n[IMAGE_ISSUERS]);
	image_build_add(b, IMAGE_SOURCES, im->sources, im->n[IMAGE_SOURCES]);
	image_build_add(b, IMAGE_URLS, im->urls, im->n[IMAGE_URLS]);
	image_build_add(b, IMAGE_SCHEDULES, im->schedules, im->n[IMAGE_SCHEDULES]);
	image_build_add(b, IMAGE_WINDOWS, im->windows, im->n[IMAGE_WINDOWS]);
	image_build_add(b, IMAGE_CLASSES, im->classes, im->n[IMAGE_CLASSES]);
	image_build_add(b, IMAGE_RULES, im->rules, im->n[IMAGE_RULES]);
	image_build_add(b, IMAGE_RULE_BOXES, im->rule_boxes, im->n[IMAGE_RULE_BOXES]);
	image_build_add(b, IMAGE_REACHES, im->reaches, im->n[IMAGE_REACHES]);
	image_build_add(b, IMAGE_BOXES, im->boxes, im->n[IMAGE_BOXES]);
	b->next_class = im->header->next_class;
	b->next_authority = im->header->next_authority;
}

/* About as many as there were. */
static void
reserve(struct compile *c)
{
	static const enum image_section sections[] = { IMAGE_TEXT, IMAGE_DEVICES, IMAGE_ADDRESSES,
		IMAGE_CERTIFICATES, IMAGE_LABELS, IMAGE_BY_NAME, IMAGE_BY_MAC, IMAGE_BY_ADDRESS };

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (c->before->n[sections[i]] > 0)
			image_build_reserve(&c->b, sections[i], c->before->n[sections[i]] + c->before->n[sections[i]] / 64);
}

static bool
name_is_twice(const struct compile *c)
{
	const struct device_decl *d = c->p->devices;

	for (size_t i = 1; i < c->p->n_devices; i++)
		if (strcmp(d[c->by_name[i - 1]].name, d[c->by_name[i]].name) == 0)
			return true;
	return false;
}

static int
check(struct compile *c)
{
	size_t certificates;
	int rc;

	if (c->p->n_devices > LIMIT_DEVICES || c->before->n[IMAGE_DEVICES] == 0)
		return -ESTALE;
	if ((rc = enter_names(c)) < 0)
		return rc;
	settled_warnings(c);
	certificates = c->m->n_warnings;
	if ((rc = compile_check_devices(c)) < 0)
		return rc;
	/* Which of two came first may be a part of what is said. */
	if (c->m->n > 0 || name_is_twice(c) || (c->lift->ambiguous && c->m->n_warnings > certificates &&
	    c->before->n[IMAGE_CERTIFICATES] > 0))
		return -ESTALE;
	return 0;
}

int
compile_again(const struct policy *p, struct lift *lift, struct mistakes *m, uint8_t **out, size_t *len)
{
	struct compile c;
	int rc;

	if ((rc = compile_init(&c, p, lift->im, m)) < 0)
		goto out;
	c.lift = lift;
	reserve(&c);
	if ((rc = check(&c)) < 0 || (rc = copy_text(&c)) < 0)
		goto out;
	compile_files(&c);
	copy_sections(&c);
	if ((rc = number_devices(&c)) < 0 || (rc = compile_devices(&c)) < 0)
		goto out;
	compile_warnings(&c);
	rc = image_build_finish(&c.b, out, len);
out:
	if (rc == -EEXIST || rc == -EFBIG)
		rc = -ESTALE;
	compile_done(&c);
	return rc;
}
