/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buf.c -- the bounded reader. It never reads past len and never moves on failure. */
#include "common/buf.h"

#include <errno.h>
#include <string.h>

void
buf_init(struct buf *b, const void *data, size_t len)
{
	b->data = data;
	b->len = len;
	b->pos = 0;
}

size_t
buf_left(const struct buf *b)
{
	return b->len - b->pos;
}

int
buf_get_bytes(struct buf *b, void *out, size_t len)
{
	if (len > buf_left(b))
		return -ENODATA;
	if (len > 0)
		memcpy(out, b->data + b->pos, len);
	b->pos += len;
	return 0;
}

int
buf_get_u8(struct buf *b, uint8_t *out)
{
	return buf_get_bytes(b, out, 1);
}

int
buf_get_u16(struct buf *b, uint16_t *out)
{
	uint8_t v[2];
	int rc;

	if ((rc = buf_get_bytes(b, v, sizeof(v))) < 0)
		return rc;
	*out = (uint16_t)(v[0] << 8 | v[1]);
	return 0;
}

int
buf_get_u32(struct buf *b, uint32_t *out)
{
	uint8_t v[4];
	int rc;

	if ((rc = buf_get_bytes(b, v, sizeof(v))) < 0)
		return rc;
	*out = (uint32_t)v[0] << 24 | (uint32_t)v[1] << 16 | (uint32_t)v[2] << 8 | v[3];
	return 0;
}

int
buf_skip(struct buf *b, size_t len)
{
	if (len > buf_left(b))
		return -ENODATA;
	b->pos += len;
	return 0;
}

int
buf_sub(struct buf *b, size_t len, struct buf *out)
{
	size_t start = b->pos;

	if (len > buf_left(b))
		return -ENODATA;
	b->pos += len;
	/* NULL + 0 is what an empty reader over nothing has */
	buf_init(out, b->data == NULL ? NULL : b->data + start, len);
	return 0;
}
