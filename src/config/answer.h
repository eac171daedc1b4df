/* SPDX-License-Identifier: GPL-2.0-or-later */
/* answer.h -- what cordon-compile says about a configuration. */
#ifndef CORDON_CONFIG_ANSWER_H
#define CORDON_CONFIG_ANSWER_H

#include <stdio.h>

#include "model/image.h"
#include "model/policy.h"

/* One line each; malloc'd text of *len bytes. NULL without memory. */
char *answer_mistakes(const struct mistakes *, size_t *len);

/* For people: mistakes, then warnings with that word behind their place. */
void answer_text(const struct mistakes *, FILE *out);

/* For programs; im is NULL when there are mistakes. 0 or -EIO. */
int answer_json(const struct mistakes *, const struct image *im, FILE *out);

#endif
