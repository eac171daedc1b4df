/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_image.c -- any bytes as a policy image. The frame's easy fields are put
 * right, so that the records are reached; what opens must be safe to use. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/image_check.h"
#include "model/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* Magic, version, lengths, record sizes, offsets and digest. */
static void
mend(uint8_t *data, size_t size)
{
	struct image_header *h = (struct image_header *)(void *)data, good;
	uint64_t at = sizeof(*h);
	size_t i;

	image_begin(&good);
	memcpy(h->magic, good.magic, sizeof(h->magic));
	h->version = good.version;
	h->header_len = good.header_len;
	h->total_len = size;
	for (i = 0; i < IMAGE_SECTIONS; i++) {
		h->sections[i].record = image_record_size[i];
		h->sections[i].offset = at;
		at = (at + (uint64_t)h->sections[i].n * image_record_size[i] + 7) & ~(uint64_t)7;
	}
	image_digest(h, h->digest);
}

static void
use(const struct image *im)
{
	static FILE *out;
	uint32_t i;

	if (out == NULL && (out = fopen("/dev/null", "we")) == NULL)
		abort();
	if (print_policy(im, out) != 0)
		abort();
	for (i = 0; i < im->n[IMAGE_DEVICES]; i++) {
		const struct image_device *d = &im->devices[i];

		if (image_device(im, d->number) != d || image_device_named(im, image_text(im, d->name)) != d ||
		    (image_device_with_mac(im, d->mac) == d) != (d->identity == IDENTITY_OWN))
			abort();
	}
	for (i = 0; i < im->n[IMAGE_ADDRESSES]; i++) {
		const struct image_address *a = &im->addresses[i];

		if (image_address_is_whole(a) && image_device_with_address(im, a->family, a->bytes) == NULL)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why;
	struct image im;
	uint8_t *copy;

	/* malloc aligns as image_open wants it. */
	if ((copy = calloc(1, size + 1)) == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	if (image_open(copy, size, &im, &why) == 0)
		use(&im);
	if (size >= sizeof(struct image_header)) {
		mend(copy, size);
		if (image_open(copy, size, &im, &why) == 0)
			use(&im);
	}
	free(copy);
	return 0;
}
