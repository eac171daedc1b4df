/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buf.h -- a bounded reader over foreign bytes. Nothing here allocates; no
 * caller does pointer arithmetic on what it did not write itself. */
#ifndef CORDON_COMMON_BUF_H
#define CORDON_COMMON_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
	const uint8_t *data;	/* borrowed */
	size_t len;
	size_t pos;		/* never beyond len */
};

void buf_init(struct buf *, const void *data, size_t len);
size_t buf_left(const struct buf *);

/* 0, or -ENODATA with the position unmoved when too little is left.
 * The integers are in network byte order on the wire and the host's in *out. */
int buf_get_u8(struct buf *, uint8_t *out);
int buf_get_u16(struct buf *, uint16_t *out);
int buf_get_u32(struct buf *, uint32_t *out);
int buf_get_bytes(struct buf *, void *out, size_t len);
int buf_skip(struct buf *, size_t len);

/* A reader over the next len bytes, which are then behind us. */
int buf_sub(struct buf *, size_t len, struct buf *out);

#endif
