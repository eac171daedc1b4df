/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile.h -- from a policy as written to a policy image. */
#ifndef CORDON_MODEL_COMPILE_H
#define CORDON_MODEL_COMPILE_H

#include <stddef.h>
#include <stdint.h>

#include "model/image.h"
#include "model/policy.h"

/* Resolve names, check what one file alone cannot show (unknown classes and
 * authorities, names, MACs and addresses used twice, limits, an interface that
 * is no device interface), turn rules into disjoint boxes, and number classes,
 * devices and authorities: one that `before` (or NULL) knows by name keeps its
 * number, every other gets one that was never given out. The result passes
 * image_open. All mistakes and warnings are added to *m; with any mistake the
 * answer is -EINVAL and *out is untouched. The caller frees *out. */
int compile_policy(const struct policy *, const struct image *before, struct mistakes *m,
    uint8_t **out, size_t *len);

struct lift;

/* The same, where files that hold more than devices are those that the lift's image
 * was made of: p has the devices of all files, in order, those of unchanged ones
 * lifted (lift.h), and names alone beside them. The image is the one that
 * compile_policy would make of all files. -ESTALE: nobody can tell, or there are
 * mistakes: read all files and compile them; *m is then of no use. */
int compile_again(const struct policy *p, struct lift *, struct mistakes *m, uint8_t **out, size_t *len);

/* The image of an appliance that has no policy yet: no device interfaces, no
 * classes but quarantine, no devices. What it loads forwards nothing. */
int compile_empty(uint8_t **out, size_t *len);

/* ---- disjoint boxes (boxes.c) ------------------------------------------- */

/* Turn n boxes of any shape (addresses may overlap, ports may overlap) into the
 * canonical disjoint ones that cover exactly the same packets: sweep by
 * protocol and port, merge addresses, then merge equal neighbours. What a
 * BOX_ANY or a BOX_PROTOCOL covers stays in narrower kinds as well: kinds live
 * in different kernel sets. The order of the input does not matter.
 * -E2BIG when more than max would come out. The caller frees *out. */
int boxes_disjoint(const struct image_box *in, size_t n, size_t max, struct image_box **out, size_t *n_out);

#endif
