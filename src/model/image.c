/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image.c -- open a policy image and find things in it. The frame is checked
 * here (header, sections, digest), the records in image_check.c. */
#include <errno.h>
#include <string.h>

#include "common/digest.h"
#include "model/image_check.h"
#include "proto/limits.h"

static const char magic[8] = { 'C', 'O', 'R', 'D', 'O', 'N', 'i', '1' };

const uint32_t image_record_size[IMAGE_SECTIONS] = {
	[IMAGE_TEXT] = 1,
	[IMAGE_BLOBS] = 1,
	[IMAGE_APPLIANCE] = sizeof(struct image_appliance),
	[IMAGE_INTERFACES] = sizeof(struct image_interface),
	[IMAGE_AUTHORITIES] = sizeof(struct image_authority),
	[IMAGE_ISSUERS] = sizeof(struct image_issuer),
	[IMAGE_SOURCES] = sizeof(struct image_source),
	[IMAGE_URLS] = sizeof(uint32_t),
	[IMAGE_SCHEDULES] = sizeof(struct image_schedule),
	[IMAGE_WINDOWS] = sizeof(struct image_window),
	[IMAGE_CLASSES] = sizeof(struct image_class),
	[IMAGE_RULES] = sizeof(struct image_rule),
	[IMAGE_RULE_BOXES] = sizeof(struct image_rule_box),
	[IMAGE_REACHES] = sizeof(struct image_reach),
	[IMAGE_BOXES] = sizeof(struct image_box),
	[IMAGE_DEVICES] = sizeof(struct image_device),
	[IMAGE_ADDRESSES] = sizeof(struct image_address),
	[IMAGE_CERTIFICATES] = sizeof(struct image_certificate),
	[IMAGE_LABELS] = sizeof(uint32_t),
	[IMAGE_BY_NAME] = sizeof(uint32_t),
	[IMAGE_BY_MAC] = sizeof(uint32_t),
	[IMAGE_BY_ADDRESS] = sizeof(uint32_t),
	[IMAGE_WARNINGS] = sizeof(uint32_t),
	[IMAGE_FILES] = sizeof(struct image_file),
};

const void *
image_section(const struct image_header *h, enum image_section section)
{
	return (const char *)h + h->sections[section].offset;
}

void
image_digest(const struct image_header *h, uint8_t out[DIGEST_LEN])
{
	size_t from = offsetof(struct image_header, next_device);

	digest_of((const char *)h + from, (size_t)h->total_len - from, out);
}

void
image_begin(struct image_header *h)
{
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, magic, sizeof(h->magic));
	h->version = IMAGE_VERSION;
	h->header_len = sizeof(*h);
}

/* Sections stand in the order of their enum, each at the next multiple of 8. */
static const char *
check_frame(const struct image_header *h, size_t len)
{
	uint64_t at = sizeof(*h), size;
	size_t i;

	if (h->header_len != sizeof(*h) || h->total_len != len)
		return "the header's lengths do not fit the file";
	for (i = 0; i < IMAGE_SECTIONS; i++) {
		const struct image_section_ref *s = &h->sections[i];

		if (s->record != image_record_size[i])
			return "a section has records of another size";
		size = (uint64_t)s->n * s->record;
		if (s->offset != at || size > len - at)
			return "a section is out of place";
		at = (at + size + 7) & ~(uint64_t)7;
		if (at > len)
			return "a section is out of place";
	}
	return at == len ? NULL : "bytes follow the last section";
}

static void
image_point(const struct image_header *h, struct image *im)
{
	size_t i;

	memset(im, 0, sizeof(*im));
	im->header = h;
	im->text = image_section(h, IMAGE_TEXT);
	im->blobs = image_section(h, IMAGE_BLOBS);
	im->appliance = image_section(h, IMAGE_APPLIANCE);
	im->interfaces = image_section(h, IMAGE_INTERFACES);
	im->authorities = image_section(h, IMAGE_AUTHORITIES);
	im->issuers = image_section(h, IMAGE_ISSUERS);
	im->sources = image_section(h, IMAGE_SOURCES);
	im->urls = image_section(h, IMAGE_URLS);
	im->schedules = image_section(h, IMAGE_SCHEDULES);
	im->windows = image_section(h, IMAGE_WINDOWS);
	im->classes = image_section(h, IMAGE_CLASSES);
	im->rules = image_section(h, IMAGE_RULES);
	im->rule_boxes = image_section(h, IMAGE_RULE_BOXES);
	im->reaches = image_section(h, IMAGE_REACHES);
	im->boxes = image_section(h, IMAGE_BOXES);
	im->devices = image_section(h, IMAGE_DEVICES);
	im->addresses = image_section(h, IMAGE_ADDRESSES);
	im->certificates = image_section(h, IMAGE_CERTIFICATES);
	im->labels = image_section(h, IMAGE_LABELS);
	im->by_name = image_section(h, IMAGE_BY_NAME);
	im->by_mac = image_section(h, IMAGE_BY_MAC);
	im->by_address = image_section(h, IMAGE_BY_ADDRESS);
	im->warnings = image_section(h, IMAGE_WARNINGS);
	im->files = image_section(h, IMAGE_FILES);
	for (i = 0; i < IMAGE_SECTIONS; i++)
		im->n[i] = h->sections[i].n;
}

int
image_open_checked(const void *data, size_t len, struct image *out, const char **why)
{
	const struct image_header *h = data;
	uint8_t digest[DIGEST_LEN];

	*why = NULL;
	if (len < sizeof(*h) || len > LIMIT_IMAGE_BYTES || (uintptr_t)data % 8 != 0)
		*why = "too short or too long";
	else if (memcmp(h->magic, magic, sizeof(magic)) != 0)
		*why = "not a policy image";
	if (*why != NULL)
		return -EBADMSG;
	if (h->version != IMAGE_VERSION) {
		*why = "written by another version";
		return -EPROTO;
	}
	if ((*why = check_frame(h, len)) != NULL)
		return -EBADMSG;
	image_digest(h, digest);
	if (memcmp(digest, h->digest, sizeof(digest)) != 0) {
		*why = "damaged: the digest does not fit";
		return -EBADMSG;
	}
	image_point(h, out);
	return 0;
}

int
image_open(const void *data, size_t len, struct image *out, const char **why)
{
	struct image im;
	int rc = image_open_checked(data, len, &im, why);

	if (rc < 0)
		return rc;
	if ((*why = image_check(&im)) != NULL)
		return -EBADMSG;
	*out = im;
	return 0;
}

/* ---- finding ------------------------------------------------------------ */

/* Records that begin with their number and stand in its order. */
static const void *
find_number(const void *records, size_t n, size_t size, uint32_t number)
{
	size_t low = 0, high = n, mid;
	uint32_t have;

	while (low < high) {
		mid = low + (high - low) / 2;
		memcpy(&have, (const char *)records + mid * size, sizeof(have));
		if (have == number)
			return (const char *)records + mid * size;
		if (have < number)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct image_device *
image_device(const struct image *im, uint32_t number)
{
	return find_number(im->devices, im->n[IMAGE_DEVICES], sizeof(*im->devices), number);
}

const struct image_class *
image_class(const struct image *im, uint32_t number)
{
	return find_number(im->classes, im->n[IMAGE_CLASSES], sizeof(*im->classes), number);
}

const struct image_authority *
image_authority(const struct image *im, uint32_t number)
{
	return find_number(im->authorities, im->n[IMAGE_AUTHORITIES], sizeof(*im->authorities), number);
}

const struct image_device *
image_device_named(const struct image *im, const char *name)
{
	size_t low = 0, high = im->n[IMAGE_BY_NAME], mid;
	const struct image_device *d;
	int c;

	while (low < high) {
		mid = low + (high - low) / 2;
		d = &im->devices[im->by_name[mid]];
		c = strcmp(image_text(im, d->name), name);
		if (c == 0)
			return d;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct image_device *
image_device_with_mac(const struct image *im, const uint8_t mac[6])
{
	size_t low = 0, high = im->n[IMAGE_BY_MAC], mid;
	const struct image_device *d;
	int c;

	while (low < high) {
		mid = low + (high - low) / 2;
		d = &im->devices[im->by_mac[mid]];
		c = memcmp(d->mac, mac, sizeof(d->mac));
		if (c == 0)
			return d;
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* Whose is this record of IMAGE_ADDRESSES? Slices stand in the devices' order. */
static const struct image_device *
address_owner(const struct image *im, uint32_t index)
{
	size_t low = 0, high = im->n[IMAGE_DEVICES], mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (im->devices[mid].addresses.first + im->devices[mid].addresses.n <= index)
			low = mid + 1;
		else
			high = mid;
	}
	return &im->devices[low];
}

int
image_address_cmp(const struct image_address *a, const struct image_address *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

const struct image_device *
image_device_with_address(const struct image *im, uint8_t family, const uint8_t bytes[16])
{
	size_t low = 0, high = im->n[IMAGE_BY_ADDRESS], mid;
	struct image_address want = { .family = family };
	int c;

	memcpy(want.bytes, bytes, sizeof(want.bytes));
	while (low < high) {
		mid = low + (high - low) / 2;
		c = image_address_cmp(&im->addresses[im->by_address[mid]], &want);
		if (c == 0)
			return address_owner(im, im->by_address[mid]);
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

uint32_t
image_declared_classes(const struct image *im)
{
	uint32_t n = 0, i;

	for (i = 1; i < im->n[IMAGE_CLASSES]; i++)
		n += (im->classes[i].hints & CLASS_QUARANTINE) == 0;
	return n;
}

const struct image_class *
image_class_named(const struct image *im, const char *name)
{
	size_t i;

	for (i = 0; i < im->n[IMAGE_CLASSES]; i++)
		if (strcmp(image_text(im, im->classes[i].name), name) == 0)
			return &im->classes[i];
	return NULL;
}

const struct image_authority *
image_authority_named(const struct image *im, const char *name)
{
	size_t i;

	for (i = 0; i < im->n[IMAGE_AUTHORITIES]; i++)
		if (strcmp(image_text(im, im->authorities[i].name), name) == 0)
			return &im->authorities[i];
	return NULL;
}
