/* SPDX-License-Identifier: GPL-2.0-or-later */
/* candidate.h -- a configuration folder as a policy image that nobody runs. */
#ifndef CORDON_CTL_CANDIDATE_H
#define CORDON_CTL_CANDIDATE_H

#include "ctl/ctl.h"
#include "model/image.h"

struct candidate {
	struct image image;
	uint8_t *bytes;		/* the image's */
};

/* 0, or the exit code, said already: mistakes go to standard error as
 * cordon-compile writes them. */
int candidate_open(struct ctl *, const char *folder, struct candidate *);
/* The same; devices, classes and authorities that the image in this file (or
 * NULL) knows have the numbers that they have there. */
int candidate_open_after(struct ctl *, const char *folder, const char *previous, struct candidate *);
void candidate_close(struct candidate *);

#endif
