/* SPDX-License-Identifier: GPL-2.0-or-later */
/* print_sets.c -- the sets of a ruleset with their elements, in nft's syntax.
 *
 * A set is declared with what it holds, and elements are told device by device:
 * so all are gathered by set first. Within one set they stay in the order they
 * are told. Nothing depends on memory or time. */
#include "model/print_sets.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* An element as it is kept until its set is printed: in bytes[], the key, the
 * end of an interval, then mark or chain. */
struct kept {
	size_t at;		/* into bytes[] */
	uint32_t set;		/* index into sets[] */
};

struct printer {
	FILE *out;
	struct set_ref *sets;	/* in the ruleset's order */
	uint32_t *by_ref;	/* indices of sets[], sorted by reference */
	uint32_t capacity;	/* of the sets that hold devices */
	size_t n_sets, max_sets;
	struct kept *kept;
	size_t n_kept, max_kept;
	uint8_t *bytes;
	size_t n_bytes, max_bytes;
	uint32_t *first;	/* of each set: where its elements begin in order[]; one more at the end */
	uint32_t *order;	/* indices of kept[], grouped by set */
	struct element begin;	/* of a set of edges: the interval that is open */
};

static int
grow(void **array, size_t *max, size_t need, size_t size)
{
	size_t to = *max != 0 ? *max : 64;
	void *p;

	if (need <= *max)
		return 0;
	while (to < need)
		to *= 2;
	if ((p = reallocarray(*array, to, size)) == NULL)
		return -ENOMEM;
	*array = p;
	*max = to;
	return 0;
}

/* ---- gathering ---------------------------------------------------------- */

static int
index_cmp(const void *a, const void *b, void *arg)
{
	const struct set_ref *sets = arg;

	return set_ref_order(&sets[*(const uint32_t *)a], &sets[*(const uint32_t *)b]);
}

static int
keep_set(void *arg, const struct set_ref *ref)
{
	struct printer *p = arg;
	int rc;

	if ((rc = grow((void **)&p->sets, &p->max_sets, p->n_sets + 1, sizeof(*p->sets))) < 0)
		return rc;
	p->sets[p->n_sets++] = *ref;
	return 0;
}

static int
sort_sets(struct printer *p)
{
	size_t i;

	if ((p->by_ref = calloc(p->n_sets + 1, sizeof(*p->by_ref))) == NULL)
		return -ENOMEM;
	for (i = 0; i < p->n_sets; i++)
		p->by_ref[i] = (uint32_t)i;
	qsort_r(p->by_ref, p->n_sets, sizeof(*p->by_ref), index_cmp, p->sets);
	return 0;
}

/* The set's index, or -1: the element belongs to no set of this ruleset. */
static int64_t
find_set(const struct printer *p, const struct set_ref *ref)
{
	size_t low = 0, high = p->n_sets;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = set_ref_order(&p->sets[p->by_ref[mid]], ref);

		if (c == 0)
			return p->by_ref[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return -1;
}

static void
put(struct printer *p, const void *data, size_t len)
{
	memcpy(p->bytes + p->n_bytes, data, len);
	p->n_bytes += len;
}

static int
keep(struct printer *p, const struct element *e)
{
	const struct set_info *info = set_info(e->set.kind);
	int64_t set = find_set(p, &e->set);
	int rc;

	if (set < 0 || e->key_len > KEY_MAX)
		return -EINVAL;
	if ((rc = grow((void **)&p->kept, &p->max_kept, p->n_kept + 1, sizeof(*p->kept))) < 0 ||
	    (rc = grow((void **)&p->bytes, &p->max_bytes, p->n_bytes + sizeof(*e), 1)) < 0)
		return rc;
	p->kept[p->n_kept++] = (struct kept){ .at = p->n_bytes, .set = (uint32_t)set };
	put(p, &e->key_len, 1);
	put(p, e->key, e->key_len);
	if (info->interval || info->edges)
		put(p, e->key_end, e->key_len);
	if (info->data == DATA_MARK || info->data == DATA_CLASS)
		put(p, &e->mark, sizeof(e->mark));
	if (info->data == DATA_CHAIN)
		put(p, &e->chain, sizeof(e->chain));
	return 0;
}

static int
keep_element(void *arg, const struct element *e)
{
	struct printer *p = arg;
	const struct set_info *info = set_info(e->set.kind);

	if (!info->edges)
		return keep(p, e);
	if (!e->end) {
		p->begin = *e;
		return 0;
	}
	memcpy(p->begin.key_end, e->key, sizeof(e->key));
	return keep(p, &p->begin);
}

/* Group the elements by set; within a set they stay in the order they came. */
static int
group_elements(struct printer *p)
{
	uint32_t *next;
	size_t i;

	p->first = calloc(p->n_sets + 2, sizeof(*p->first));
	p->order = calloc(p->n_kept + 1, sizeof(*p->order));
	next = calloc(p->n_sets + 1, sizeof(*next));
	if (p->first == NULL || p->order == NULL || next == NULL) {
		free(next);
		return -ENOMEM;
	}
	for (i = 0; i < p->n_kept; i++)
		p->first[p->kept[i].set + 1]++;
	for (i = 0; i < p->n_sets; i++) {
		p->first[i + 1] += p->first[i];
		next[i] = p->first[i];
	}
	for (i = 0; i < p->n_kept; i++)
		p->order[next[p->kept[i].set]++] = (uint32_t)i;
	free(next);
	return 0;
}

/* ---- sets --------------------------------------------------------------- */

static int
print_element(const struct printer *p, const struct set_info *info, const struct kept *kept)
{
	const uint8_t *at = p->bytes + kept->at;
	size_t len = *at++;
	struct chain_ref chain;
	char name[CHAIN_NAMELEN];
	uint32_t mark;
	int rc;

	fputs("\t\t\t", p->out);
	if ((rc = print_key(p->out, info, at, info->interval || info->edges ? at + len : NULL)) < 0)
		return rc;
	at += info->interval || info->edges ? 2 * len : len;
	switch (info->data) {
	case DATA_NONE:
		break;
	case DATA_MARK:
		memcpy(&mark, at, sizeof(mark));
		fprintf(p->out, " : 0x%08" PRIx32, mark);
		break;
	case DATA_CLASS:
		memcpy(&mark, at, sizeof(mark));
		fputs(" : ", p->out);
		print_classid(p->out, mark);
		break;
	case DATA_CHAIN:
		memcpy(&chain, at, sizeof(chain));
		fprintf(p->out, " : goto %s", chain_name(&chain, name));
		break;
	}
	return 0;
}

/* What stands in a concatenation, either the fields or their types. */
void
print_fields(FILE *out, const enum field *fields, bool types)
{
	size_t i;

	for (i = 0; i < SET_FIELDS_MAX && fields[i] != FIELD_NONE; i++) {
		const struct field_info *f = field_info(fields[i]);

		fprintf(out, "%s%s", i > 0 ? " . " : "", types ? f->type : f->nft);
	}
}

static void
print_set_head(FILE *out, const struct set_ref *ref, const struct set_info *info, uint32_t capacity)
{
	uint32_t size = set_size(ref, capacity);
	char name[SET_NAMELEN];

	fprintf(out, "\n\t%s %s {\n\t\t%s ", info->data == DATA_NONE ? "set" : "map",
	    set_name(ref, name), info->edges ? "typeof" : "type");
	print_fields(out, info->fields, !info->edges);
	if (info->data != DATA_NONE)
		fprintf(out, " : %s", info->data == DATA_MARK ? "mark" : info->data == DATA_CLASS ? "classid" :
		    "verdict");
	fputc('\n', out);
	if (size != 0)
		fprintf(out, "\t\tsize %" PRIu32 "\n", size);
	if (info->interval || info->edges)
		fputs("\t\tflags interval\n", out);
	else if (info->dynamic)
		fprintf(out, "\t\tflags dynamic%s\n", info->timeout_s != 0 ? ",timeout" : "");
	if (info->timeout_s != 0)
		fprintf(out, "\t\ttimeout %" PRIu32 "s\n", info->timeout_s);
	/* A budget or a number of connections is said by the rule that adds. */
	if (info->state == STATE_COUNTER)
		fputs("\t\tcounter\n", out);
	if (info->state == STATE_COUNTER_SAMPLE)
		fprintf(out, "\t\tcounter\n\t\tlimit rate %d/minute burst %d packets\n", SAMPLE_PER_MINUTE, SAMPLE_BURST);
}

static int
print_all(const struct printer *p)
{
	uint32_t i, j;
	int rc;

	for (i = 0; i < p->n_sets; i++) {
		const struct set_info *info = set_info(p->sets[i].kind);

		print_set_head(p->out, &p->sets[i], info, p->capacity);
		if (p->first[i] != p->first[i + 1])
			fputs("\t\telements = {\n", p->out);
		for (j = p->first[i]; j < p->first[i + 1]; j++) {
			if ((rc = print_element(p, info, &p->kept[p->order[j]])) < 0)
				return rc;
			fputs(j + 1 < p->first[i + 1] ? ",\n" : "\n\t\t}\n", p->out);
		}
		fputs("\t}\n", p->out);
	}
	return 0;
}

static void
printer_done(struct printer *p)
{
	free(p->sets);
	free(p->by_ref);
	free(p->kept);
	free(p->bytes);
	free(p->first);
	free(p->order);
}

int
print_sets(const struct ruleset *rules, FILE *out)
{
	struct printer p = { .out = out, .capacity = ruleset_capacity(rules->image) };
	int rc;

	if ((rc = ruleset_each_set(rules, keep_set, &p)) == 0 && (rc = sort_sets(&p)) == 0 &&
	    (rc = ruleset_each_element(rules, keep_element, &p)) == 0 && (rc = group_elements(&p)) == 0)
		rc = print_all(&p);
	printer_done(&p);
	return rc;
}
