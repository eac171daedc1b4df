/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image_overlap.c -- are the boxes of a hostile image disjoint? A policy as
 * people write it is answered by looking at neighbours; the rest by a tree over
 * the first addresses, in n log n whatever the boxes are. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/image_check.h"

/* Over the sorted first addresses: up to which port (plus one) is one covered?
 * all: of some position below this node; whole: of every one. */
struct node {
	uint32_t some;
	uint32_t whole;
};

struct cover {
	const uint8_t (*points)[16];
	struct node *nodes;
	size_t n_leaves;	/* a power of two */
};

static int
point_cmp(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* How many points lie below the address (or at it, with `with`). */
static size_t
rank(const uint8_t (*points)[16], size_t n, const uint8_t *address, bool with)
{
	size_t low = 0, high = n, mid;
	int c;

	while (low < high) {
		mid = low + (high - low) / 2;
		c = memcmp(points[mid], address, 16);
		if (c < 0 || (c == 0 && with))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Cover positions a..b-1 up to `until`; the answer is up to where any was covered
 * before. The node spans [at, at + width). */
static uint32_t
cover(const struct cover *t, size_t node, size_t at, size_t width, size_t a, size_t b, uint32_t until)
{
	struct node *n = &t->nodes[node];
	uint32_t before = n->whole, child;

	if (b <= at || at + width <= a)
		return 0;
	if (a <= at && at + width <= b) {
		before = n->some;
		if (n->whole < until)
			n->whole = until;
	} else {
		child = cover(t, node * 2, at, width / 2, a, b, until);
		before = child > before ? child : before;
		child = cover(t, node * 2 + 1, at + width / 2, width / 2, a, b, until);
		before = child > before ? child : before;
	}
	if (n->some < until)
		n->some = until;
	return before;
}

static int
overlap_by_tree(const struct image_box *boxes, size_t n)
{
	uint8_t (*points)[16] = calloc(n, sizeof(*points));
	struct cover t = { .n_leaves = 1 };
	size_t i, a, b;
	int rc = -ENOMEM;

	while (t.n_leaves < n)
		t.n_leaves *= 2;
	t.nodes = calloc(t.n_leaves * 2, sizeof(*t.nodes));
	if (points == NULL || t.nodes == NULL)
		goto out;
	for (i = 0; i < n; i++)
		memcpy(points[i], boxes[i].first, sizeof(points[i]));
	qsort(points, n, sizeof(*points), point_cmp);
	/* Two ranges overlap when one of them holds the other's first address. */
	for (rc = i = 0; i < n && rc == 0; i++) {
		a = rank((const uint8_t (*)[16])points, n, boxes[i].first, false);
		b = rank((const uint8_t (*)[16])points, n, boxes[i].last, true);
		rc = cover(&t, 1, 0, t.n_leaves, a, b, (uint32_t)boxes[i].high + 1) > boxes[i].low;
	}
out:
	free(points);
	free(t.nodes);
	return rc;
}

int
image_boxes_overlap(const struct image_box *boxes, size_t n)
{
	uint32_t high = 0;	/* of all before these with the same ports */
	size_t i;

	for (i = 0; i < n; i++) {
		const struct image_box *b = &boxes[i];

		if (i > 0 && b->low == b[-1].low) {
			if (memcmp(b->first, b[-1].last, sizeof(b->first)) <= 0)
				return 1;
			if (b->high != b[-1].high)
				return overlap_by_tree(boxes, n);
		} else if (i > 0) {
			if (high < b[-1].high)
				high = b[-1].high;
			if (b->low <= high)
				return overlap_by_tree(boxes, n);
		}
	}
	return 0;
}
