/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_build.c -- grow the sections of an image, then lay them out. Knows
 * nothing of what the records mean. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/image_build.h"
#include "model/image_check.h"
#include "model/policy.h"
#include "proto/limits.h"

void
image_build_init(struct image_build *b)
{
	memset(b, 0, sizeof(*b));
	names_init(&b->texts);
	b->next_device = b->next_class = b->next_authority = 1;
	image_build_add(b, IMAGE_TEXT, "", 1);
}

void
image_build_done(struct image_build *b)
{
	size_t i;

	for (i = 0; i < IMAGE_SECTIONS; i++)
		free(b->sections[i].data);
	for (i = 0; i < b->n_owned; i++)
		free(b->owned[i]);
	free(b->owned);
	names_done(&b->texts);
	memset(b, 0, sizeof(*b));
}

uint32_t
image_build_count(const struct image_build *b, enum image_section section)
{
	return b->sections[section].n;
}

static void
grow(struct image_build *b, enum image_section section, uint32_t cap)
{
	uint8_t *grown = reallocarray(b->sections[section].data, cap, image_record_size[section]);

	if (grown == NULL) {
		b->error = -ENOMEM;
		return;
	}
	b->sections[section].data = grown;
	b->sections[section].cap = cap;
}

void
image_build_reserve(struct image_build *b, enum image_section section, size_t n)
{
	if (b->error == 0 && n > b->sections[section].cap && n <= LIMIT_IMAGE_BYTES / image_record_size[section])
		grow(b, section, (uint32_t)n);
}

uint32_t
image_build_add(struct image_build *b, enum image_section section, const void *records, size_t n)
{
	uint32_t size = image_record_size[section], first = b->sections[section].n, cap;

	if (b->error != 0 || n == 0)
		return first;
	if (n > (LIMIT_IMAGE_BYTES - (size_t)first * size) / size) {
		b->error = -EFBIG;
		return first;
	}
	cap = b->sections[section].cap;
	if (first + n > cap) {
		cap = cap < 16 ? 16 : cap + cap / 2;
		grow(b, section, cap < first + n ? first + (uint32_t)n : cap);
		if (b->error != 0)
			return first;
	}
	memcpy(b->sections[section].data + (size_t)first * size, records, n * size);
	b->sections[section].n = first + (uint32_t)n;
	return first;
}

uint32_t
image_build_text(struct image_build *b, const char *text)
{
	if (text[0] == '\0')
		return 0;
	return image_build_add(b, IMAGE_TEXT, text, strlen(text) + 1);
}

uint32_t
image_build_intern(struct image_build *b, const char *text)
{
	uint32_t offset;
	char **owned, *key;
	int rc;

	if (b->error != 0 || text[0] == '\0')
		return 0;
	if (names_find(&b->texts, text, &offset))
		return offset;
	owned = policy_grow(b->owned, b->n_owned, sizeof(*owned));
	key = strdup(text);
	if (owned != NULL)
		b->owned = owned;
	if (owned == NULL || key == NULL) {
		free(key);
		b->error = -ENOMEM;
		return 0;
	}
	b->owned[b->n_owned++] = key;
	offset = image_build_text(b, text);
	if ((rc = names_add(&b->texts, key, offset, NULL)) < 0)
		b->error = rc;
	return offset;
}

int
image_build_finish(struct image_build *b, uint8_t **out, size_t *len)
{
	struct image_header h;
	size_t at = sizeof(h), size, i;
	uint8_t *data;

	if (b->error != 0)
		return b->error;
	image_begin(&h);
	h.next_device = b->next_device;
	h.next_class = b->next_class;
	h.next_authority = b->next_authority;
	h.settled = b->settled;
	for (i = 0; i < IMAGE_SECTIONS; i++) {
		h.sections[i].offset = at;
		h.sections[i].n = b->sections[i].n;
		h.sections[i].record = image_record_size[i];
		at = (at + (size_t)b->sections[i].n * image_record_size[i] + 7) & ~(size_t)7;
	}
	if (at > LIMIT_IMAGE_BYTES)
		return -EFBIG;
	h.total_len = at;
	if ((data = calloc(1, at)) == NULL)
		return -ENOMEM;
	for (i = 0; i < IMAGE_SECTIONS; i++) {
		size = (size_t)b->sections[i].n * image_record_size[i];
		if (size > 0)
			memcpy(data + h.sections[i].offset, b->sections[i].data, size);
		/* One at a time, so that the peak is the image and its largest section. */
		free(b->sections[i].data);
		b->sections[i].data = NULL;
		b->sections[i].n = b->sections[i].cap = 0;
	}
	memcpy(data, &h, sizeof(h));
	image_digest((const struct image_header *)(const void *)data, h.digest);
	memcpy(data, &h, sizeof(h));
	*out = data;
	*len = at;
	return 0;
}
