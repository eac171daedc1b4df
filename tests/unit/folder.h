/* SPDX-License-Identifier: GPL-2.0-or-later */
/* folder.h -- temporary configuration folders for tests. Failures abort. */
#ifndef CORDON_TESTS_FOLDER_H
#define CORDON_TESTS_FOLDER_H

#include <stddef.h>

struct folder {
	char path[64];
	int fd;
};

/* An empty folder with classes.d and devices.d. */
void folder_make(struct folder *);
void folder_put(struct folder *, const char *name, const char *text);
void folder_put_bytes(struct folder *, const char *name, const void *data, size_t len);
void folder_remove(struct folder *);

/* Below the sources: $srcdir/name; returns buf. */
const char *source_path(const char *name, char *buf, size_t size);

#endif
