/* SPDX-License-Identifier: GPL-2.0-or-later */
/* der_mutate.c -- a mutator for fuzzers of DER: it changes elements and writes all
 * lengths anew, so that what it makes is well-formed and gets past the first check.
 * Every fourth time it leaves that out. Linked into fuzzers only. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NODES	4096
#define DEPTH	24
#define SCRATCH	65536

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

struct node {
	uint8_t tag;
	bool inner;		/* has elements below it, not octets */
	const uint8_t *p;	/* octets */
	size_t n;
	int child, next;	/* -1: none */
};

static struct node nodes[NODES];
static int used;
static uint8_t copy[1 << 20];
static uint8_t scratch[SCRATCH];
static uint64_t dice;

static unsigned
roll(unsigned sides)
{
	dice = dice * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(dice >> 33) % sides;
}

/* ---- octets to elements ------------------------------------------------- */

static bool
head(const uint8_t *p, size_t n, size_t *head_len, size_t *len)
{
	size_t octets, i;

	if (n < 2 || (p[0] & 0x1f) == 0x1f)
		return false;
	*head_len = 2;
	*len = p[1];
	if (p[1] >= 0x80) {
		octets = p[1] & 0x7f;
		if (octets == 0 || octets > 3 || n < 2 + octets)
			return false;
		for (*len = 0, i = 0; i < octets; i++)
			*len = *len << 8 | p[2 + i];
		*head_len += octets;
	}
	return *len <= n - *head_len;
}

static bool
whole(const uint8_t *p, size_t n)
{
	size_t head_len, len;

	while (n > 0) {
		if (!head(p, n, &head_len, &len))
			return false;
		p += head_len + len;
		n -= head_len + len;
	}
	return true;
}

/* The elements of p[0..n) as a chain; -1: none. */
static int
parse(const uint8_t *p, size_t n, int depth)
{
	size_t head_len, len;
	int first = -1, last = -1, i;

	while (n > 0 && used < NODES / 2 && head(p, n, &head_len, &len)) {
		i = used++;
		nodes[i] = (struct node){ .tag = p[0], .p = p + head_len, .n = len, .child = -1, .next = -1 };
		/* values of extensions are DER inside an OCTET STRING */
		nodes[i].inner = ((p[0] & 0x20) != 0 || (p[0] == 0x04 && len > 1)) && depth < DEPTH &&
		    whole(p + head_len, len);
		if (nodes[i].inner)
			nodes[i].child = parse(p + head_len, len, depth + 1);
		if (last < 0)
			first = i;
		else
			nodes[last].next = i;
		last = i;
		p += head_len + len;
		n -= head_len + len;
	}
	return first;
}

/* ---- elements to octets, from the end to the front ---------------------- */

static bool
emit(int i, uint8_t *out, size_t *at, int depth)
{
	int chain[256], n = 0;
	size_t end, len, octets;

	for (; i >= 0 && n < 256; i = nodes[i].next)
		chain[n++] = i;
	while (n-- > 0) {
		const struct node *e = &nodes[chain[n]];

		end = *at;
		if (e->inner) {
			if (depth > DEPTH + 4 || !emit(e->child, out, at, depth + 1))
				return false;
		} else {
			if (e->n > *at)
				return false;
			*at -= e->n;
			memcpy(out + *at, e->p, e->n);
		}
		len = end - *at;
		octets = len < 0x80 ? 0 : len < 0x100 ? 1 : len < 0x10000 ? 2 : 3;
		if (*at < 2 + octets)
			return false;
		for (size_t rest = len, k = 0; k < octets; k++, rest >>= 8)
			out[--*at] = (uint8_t)rest;
		out[--*at] = octets > 0 ? (uint8_t)(0x80 | octets) : (uint8_t)len;
		out[--*at] = e->tag;
	}
	return true;
}

/* ---- changes ------------------------------------------------------------ */

static int
new_octets(uint8_t tag, const void *p, size_t n)
{
	if (used == NODES)
		return -1;
	nodes[used] = (struct node){ .tag = tag, .p = p, .n = n, .child = -1, .next = -1 };
	return used++;
}

static int
clone_of(int i, int depth)
{
	int c, at, last = -1;

	if (i < 0 || used == NODES || depth > DEPTH)
		return -1;
	c = used++;
	nodes[c] = nodes[i];
	nodes[c].child = nodes[c].next = -1;
	for (at = nodes[i].child; at >= 0; at = nodes[at].next) {
		int k = clone_of(at, depth + 1);

		if (k < 0)
			break;
		if (last < 0)
			nodes[c].child = k;
		else
			nodes[last].next = k;
		last = k;
	}
	return c;
}

/* An Extension with one of the identifiers that mean something to us. */
static int
extension(void)
{
	static const struct {
		const char *oid;
		size_t n;
	} oids[] = { { "\x55\x1d\x14", 3 }, { "\x55\x1d\x15", 3 }, { "\x55\x1d\x17", 3 }, { "\x55\x1d\x18", 3 },
		{ "\x55\x1d\x1b", 3 }, { "\x55\x1d\x1c", 3 }, { "\x55\x1d\x1d", 3 }, { "\x55\x1d\x23", 3 },
		{ "\x55\x1d\x2e", 3 }, { "\x2b\x06\x01\x05\x05\x07\x30\x01\x02", 9 }, { "\x2a\x03\x04", 3 } };
	static const struct {
		const char *der;
		size_t n;
	} values[] = { { "\x02\x01\x05", 3 }, { "\x0a\x01\x01", 3 }, { "\x0a\x01\x08", 3 },
		{ "\x30\x03\x84\x01\xff", 5 }, { "\x30\x04\x83\x02\x05\x60", 6 },
		{ "\x30\x06\xa0\x04\xa0\x02\x86\x00", 8 }, { "\x30\x06\x80\x04key.", 8 },
		{ "\x30\x04\xa4\x02\x30\x00", 6 }, { "\x30\x00", 2 } };
	unsigned o = roll(sizeof(oids) / sizeof(oids[0])), v = roll(sizeof(values) / sizeof(values[0]));
	int seq = new_octets(0x30, NULL, 0), oid = new_octets(0x06, oids[o].oid, oids[o].n),
	    flag = new_octets(0x01, "\xff", 1), value = new_octets(0x04, values[v].der, values[v].n);

	if (value < 0)
		return -1;
	nodes[seq].inner = true;
	nodes[seq].child = oid;
	nodes[oid].next = roll(2) ? value : flag;
	nodes[flag].next = value;
	return seq;
}

static void
insert_after(int i, int what)
{
	if (what < 0)
		return;
	nodes[what].next = nodes[i].next;
	nodes[i].next = what;
}

static void
change(int i, int parsed)
{
	static const uint8_t tags[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x13, 0x14, 0x16, 0x17, 0x18,
		0x1c, 0x1e, 0x30, 0x31, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0xa0, 0xa1, 0xa2, 0xa4 };
	struct node *e = &nodes[i];
	size_t n;

	switch (roll(8)) {
	case 0:
	case 1:
		/* its octets, when they are few; those below it otherwise */
		if (e->n > SCRATCH / 2)
			return;
		if (e->n > 0)
			memmove(scratch, e->p, e->n);
		n = LLVMFuzzerMutate(scratch, e->n, e->n + 16 < SCRATCH ? e->n + 16 : SCRATCH);
		e->inner = false;
		e->p = scratch;
		e->n = n;
		break;
	case 2:
		if (e->next >= 0)
			e->next = nodes[e->next].next;
		break;
	case 3:
		insert_after(i, clone_of(i, 0));
		break;
	case 4:
		insert_after(i, clone_of((int)roll((unsigned)parsed), 0));
		break;
	case 5:
		e->tag = tags[roll(sizeof(tags))];
		break;
	case 6:
		insert_after(i, extension());
		break;
	default:
		if (e->inner)
			e->child = roll(2) ? extension() : clone_of((int)roll((unsigned)parsed), 0);
		break;
	}
}

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	size_t at = max_size;
	int root, parsed, times;

	dice = seed;
	if (size == 0 || size > sizeof(copy) || data[0] != 0x30 || roll(4) == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	memcpy(copy, data, size);
	used = 0;
	root = parse(copy, size, 0);
	parsed = used;
	if (root < 0)
		return LLVMFuzzerMutate(data, size, max_size);
	/* only one may take scratch */
	for (times = (int)roll(3); times >= 0; times--) {
		int which = (int)roll((unsigned)parsed);

		if (times == 0 || nodes[which].inner)
			change(which, parsed);
	}
	nodes[root].next = -1;
	if (!emit(root, data, &at, 0))
		return LLVMFuzzerMutate(memcpy(data, copy, size), size, max_size);
	memmove(data, data + at, max_size - at);
	return max_size - at;
}
