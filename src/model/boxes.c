/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boxes.c -- overlapping boxes in, the canonical disjoint ones out.
 *
 * The kernel's concatenated interval sets accept or refuse overlaps depending
 * on the order they arrive in, so overlaps never get there. For one kind,
 * family and protocol we sweep over the ports. At each port the addresses that
 * are open form maximal ranges; a box is one such range over the longest run of
 * ports on which it stays one. Both depend on the covered packets alone, so the
 * same policy written in another order gives the same boxes. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "model/compile.h"
#include "model/image_record.h"

/* A range of addresses that is open at the sweep's port, since which port. */
struct run {
	uint16_t low;
	const uint8_t *first;
	const uint8_t *last;
};

struct sweep {
	const struct image_box **active;	/* boxes open at this port, by first address */
	size_t n_active;
	struct run *runs;			/* what they amount to; by first address, disjoint */
	size_t n_runs;
	struct run *next;
	struct image_box *out;
	size_t n_out;
	size_t cap_out;
	size_t max_out;
};

static int
box_cmp(const void *a, const void *b)
{
	return image_box_cmp(a, b);
}

static int
by_start(const void *pa, const void *pb)
{
	const struct image_box *const *a = pa, *const *b = pb;

	return image_box_cmp(*a, *b);
}

static int
by_end(const void *pa, const void *pb)
{
	const struct image_box *const *a = pa, *const *b = pb;

	return (*a)->high < (*b)->high ? -1 : (*a)->high > (*b)->high;
}

/* Is b the address right after a? Both of that family; 0 has no addresses. */
static bool
follows(uint8_t family, const uint8_t *a, const uint8_t *b)
{
	size_t i = family == AF_INET ? 4 : family == AF_INET6 ? 16 : 0;

	while (i-- > 0) {
		if (a[i] != 0xff)
			return b[i] == a[i] + 1 && memcmp(a, b, i) == 0;
		if (b[i] != 0)
			return false;
	}
	return false;
}

static size_t
active_position(const struct sweep *s, const struct image_box *box)
{
	size_t low = 0, high = s->n_active, mid;
	int c;

	while (low < high) {
		mid = low + (high - low) / 2;
		c = memcmp(s->active[mid]->first, box->first, sizeof(box->first));
		/* Equal ones stand by where they are in memory, to be found again. */
		if (c < 0 || (c == 0 && s->active[mid] < box))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static void
active_add(struct sweep *s, const struct image_box *box)
{
	size_t i = active_position(s, box);

	memmove(s->active + i + 1, s->active + i, (s->n_active - i) * sizeof(*s->active));
	s->active[i] = box;
	s->n_active++;
}

static void
active_remove(struct sweep *s, const struct image_box *box)
{
	size_t i = active_position(s, box);

	s->n_active--;
	memmove(s->active + i, s->active + i + 1, (s->n_active - i) * sizeof(*s->active));
}

static int
emit(struct sweep *s, const struct image_box *like, const struct run *r, uint16_t high)
{
	struct image_box *box;
	size_t cap;

	if (s->n_out == s->max_out)
		return -E2BIG;
	if (s->n_out == s->cap_out) {
		cap = s->cap_out == 0 ? 64 : s->cap_out * 2;
		box = reallocarray(s->out, cap, sizeof(*box));
		if (box == NULL)
			return -ENOMEM;
		s->out = box;
		s->cap_out = cap;
	}
	box = &s->out[s->n_out++];
	memset(box, 0, sizeof(*box));
	box->kind = like->kind;
	box->family = like->family;
	box->protocol = like->protocol;
	box->low = r->low;
	box->high = high;
	memcpy(box->first, r->first, sizeof(box->first));
	memcpy(box->last, r->last, sizeof(box->last));
	return 0;
}

/* The active boxes as maximal ranges, into s->next. */
static size_t
merge_active(struct sweep *s, uint8_t family, uint16_t port)
{
	size_t i, n = 0;
	struct run *r;

	for (i = 0; i < s->n_active; i++) {
		const struct image_box *box = s->active[i];

		r = n > 0 ? &s->next[n - 1] : NULL;
		if (r != NULL && (memcmp(box->first, r->last, sizeof(box->first)) <= 0 ||
		    follows(family, r->last, box->first))) {
			if (memcmp(box->last, r->last, sizeof(box->last)) > 0)
				r->last = box->last;
			continue;
		}
		s->next[n++] = (struct run){ .low = port, .first = box->first, .last = box->last };
	}
	return n;
}

/* From the runs that stood below `port` to those that stand from it on: what is
 * in both goes on, what is gone becomes a box. */
static int
step(struct sweep *s, const struct image_box *like, uint32_t port)
{
	size_t n = merge_active(s, like->family, (uint16_t)port), i, k = 0;
	struct run *swap;
	int rc, c;

	for (i = 0; i < s->n_runs; i++) {
		const struct run *r = &s->runs[i];

		while (k < n && memcmp(s->next[k].first, r->first, 16) < 0)
			k++;
		c = k < n && memcmp(s->next[k].first, r->first, 16) == 0 &&
		    memcmp(s->next[k].last, r->last, 16) == 0;
		if (c)
			s->next[k].low = r->low;
		else if ((rc = emit(s, like, r, (uint16_t)(port - 1))) < 0)
			return rc;
	}
	swap = s->runs;
	s->runs = s->next;
	s->next = swap;
	s->n_runs = n;
	return 0;
}

/* One kind, family and protocol; starts and ends hold the same n boxes. */
static int
sweep_group(struct sweep *s, const struct image_box **starts, const struct image_box **ends, size_t n)
{
	size_t i = 0, k = 0;
	uint32_t port, closes;
	int rc;

	s->n_active = s->n_runs = 0;
	qsort(ends, n, sizeof(*ends), by_end);
	while (k < n) {
		closes = (uint32_t)ends[k]->high + 1;
		port = i < n && starts[i]->low < closes ? starts[i]->low : closes;
		while (k < n && (uint32_t)ends[k]->high + 1 == port)
			active_remove(s, ends[k++]);
		while (i < n && starts[i]->low == port)
			active_add(s, starts[i++]);
		if ((rc = step(s, starts[0], port)) < 0)
			return rc;
	}
	return 0;
}

int
boxes_disjoint(const struct image_box *in, size_t n, size_t max, struct image_box **out, size_t *n_out)
{
	const struct image_box **starts = NULL, **ends = NULL;
	struct sweep s = { .max_out = max };
	size_t i, from;
	int rc = -ENOMEM;

	starts = calloc(n + 1, sizeof(*starts));
	ends = calloc(n + 1, sizeof(*ends));
	s.active = calloc(n + 1, sizeof(*s.active));
	s.runs = calloc(n + 1, sizeof(*s.runs));
	s.next = calloc(n + 1, sizeof(*s.next));
	s.out = calloc(1, sizeof(*s.out));
	s.cap_out = 1;
	if (starts == NULL || ends == NULL || s.active == NULL || s.runs == NULL || s.next == NULL ||
	    s.out == NULL)
		goto out;
	for (i = 0; i < n; i++)
		starts[i] = &in[i];
	qsort(starts, n, sizeof(*starts), by_start);
	memcpy(ends, starts, n * sizeof(*ends));
	for (from = i = 0; i < n; i++) {
		if (i + 1 < n && image_box_same_group(starts[from], starts[i + 1]))
			continue;
		if ((rc = sweep_group(&s, starts + from, ends + from, i + 1 - from)) < 0)
			goto out;
		from = i + 1;
	}
	qsort(s.out, s.n_out, sizeof(*s.out), box_cmp);
	*out = s.out;
	*n_out = s.n_out;
	s.out = NULL;
	rc = 0;
out:
	free(starts);
	free(ends);
	free(s.active);
	free(s.runs);
	free(s.next);
	free(s.out);
	return rc;
}
