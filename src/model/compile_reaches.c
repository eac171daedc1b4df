/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_reaches.c -- from overlapping pieces to the reaches of a class: by
 * direction, schedule and other end, each as disjoint boxes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/compile_parts.h"
#include "proto/limits.h"

int
compile_boxes(struct compile *c, const struct class_decl *cl, const struct image_box *boxes, size_t n, size_t room,
    struct image_slice *slice)
{
	struct image_box *disjoint;
	size_t n_disjoint;
	int rc = boxes_disjoint(boxes, n, room, &disjoint, &n_disjoint);

	slice->first = image_build_count(&c->b, IMAGE_BOXES);
	slice->n = 0;
	if (rc == -E2BIG) {
		mistakes_add(c->m, compile_file(c, &cl->where), cl->where.line,
		    "the rules of class \"%s\" overlap in more than %u pieces: use wider ranges", cl->name,
		    LIMIT_BOXES_PER_CLASS);
		return -EINVAL;
	}
	if (rc < 0)
		return rc;
	image_build_add(&c->b, IMAGE_BOXES, disjoint, n_disjoint);
	slice->n = (uint32_t)n_disjoint;
	free(disjoint);
	return 0;
}

static int
piece_cmp(const void *pa, const void *pb)
{
	const struct piece *a = pa, *b = pb;

	if (a->direction != b->direction)
		return a->direction < b->direction ? -1 : 1;
	if (a->schedule != b->schedule)
		return a->schedule < b->schedule ? -1 : 1;
	return a->peer < b->peer ? -1 : a->peer > b->peer;
}

int
compile_reaches(struct compile *c, const struct class_decl *cl, struct piece *pieces, size_t n,
    struct image_slice *slice)
{
	struct image_box *boxes = calloc(n + 1, sizeof(*boxes));
	size_t room = LIMIT_BOXES_PER_CLASS, i = 0, k;
	struct image_reach reach;
	int rc = 0;

	if (boxes == NULL)
		return -ENOMEM;
	if (n > 0)
		qsort(pieces, n, sizeof(*pieces), piece_cmp);
	slice->first = image_build_count(&c->b, IMAGE_REACHES);
	while (rc == 0 && i < n) {
		const struct piece *first = &pieces[i];

		for (k = 0; i < n && piece_cmp(first, &pieces[i]) == 0; i++)
			boxes[k++] = pieces[i].box;
		memset(&reach, 0, sizeof(reach));
		reach.direction = first->direction;
		reach.schedule = first->schedule;
		reach.peer = first->peer;
		if ((rc = compile_boxes(c, cl, boxes, k, room, &reach.boxes)) == 0) {
			room -= reach.boxes.n;
			image_build_add(&c->b, IMAGE_REACHES, &reach, 1);
		}
	}
	slice->n = image_build_count(&c->b, IMAGE_REACHES) - slice->first;
	free(boxes);
	return rc == -EINVAL ? 0 : rc;	/* told */
}
