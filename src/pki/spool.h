/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spool.h -- the bytes of a CRL on their way to the disk. Small ones stay in memory
 * until it is known that they are new: an unchanged CRL touches no disk. */
#ifndef CORDON_PKI_SPOOL_H
#define CORDON_PKI_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#define SPOOL_MEMORY (128 * 1024)	/* three thousand entries */

struct spool {
	uint8_t *memory;	/* the first SPOOL_MEMORY octets; owned */
	size_t len;
	int fd;			/* of the temporary file; -1: none */
	uint32_t part;		/* its number */
	int error;		/* of the disk; the bytes are lost, scanning goes on */
};

void spool_begin(struct spool *, uint32_t part);
void spool_write(struct spool *, int folder, const char *source, const uint8_t *p, size_t len);

/* All of it in one piece, for algorithms that sign the message itself: to the end
 * with spool_unmap. NULL: *error says why. */
const uint8_t *spool_map(const struct spool *, size_t len, int *error);
void spool_unmap(const struct spool *, const uint8_t *, size_t len);

/* All of it is written: close the file; what is in memory stays there. */
void spool_end(struct spool *);
/* As a temporary file, open: a descriptor or -errno. */
int spool_file(struct spool *, int folder, const char *source);
void spool_done(struct spool *, int folder, const char *source);

#endif
