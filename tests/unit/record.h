/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record.h -- one operation on a folder, as record.c writes it down. */
#ifndef CORDON_TESTS_RECORD_H
#define CORDON_TESTS_RECORD_H

#include <stdint.h>

struct record {
	char op;	/* c: create and open, o: open, w: write, s: fsync, r: rename, u: unlink */
	char pad[3];
	int32_t fd;	/* 5 is the folder */
	uint32_t len;	/* of data behind it */
	char a[80], b[80];
};

#endif
