/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emitter.c -- an element of a set, put together field by field. */
#include "model/emitter.h"

#include <arpa/inet.h>
#include <string.h>

void
emitter_begin(struct emitter *em, enum set_kind kind)
{
	memset(&em->e, 0, sizeof(em->e));
	em->e.set.kind = (uint16_t)kind;
	em->e.set.staged = em->staged;
}

void
emitter_begin_of(struct emitter *em, enum set_kind kind, uint32_t number)
{
	emitter_begin(em, kind);
	em->e.set.number = number;
}

void
emitter_field(struct emitter *em, const void *lo, const void *hi, size_t len)
{
	struct element *e = &em->e;

	memcpy(e->key + e->key_len, lo, len);
	memcpy(e->key_end + e->key_len, hi, len);
	e->key_len += (len + 3) / 4 * 4;
}

void
emitter_bytes(struct emitter *em, const void *p, size_t len)
{
	emitter_field(em, p, p, len);
}

void
emitter_mark_field(struct emitter *em, uint32_t mark)
{
	emitter_bytes(em, &mark, sizeof(mark));
}

void
emitter_u8(struct emitter *em, uint8_t lo, uint8_t hi)
{
	emitter_field(em, &lo, &hi, 1);
}

void
emitter_port(struct emitter *em, uint16_t lo, uint16_t hi)
{
	uint16_t l = htons(lo), h = htons(hi);

	emitter_field(em, &l, &h, sizeof(l));
}

void
emitter_name(struct emitter *em, const char *name)
{
	uint8_t padded[16] = { 0 };

	strncpy((char *)padded, name, sizeof(padded) - 1);
	emitter_bytes(em, padded, sizeof(padded));
}

void
emitter_end(struct emitter *em)
{
	if (em->rc == 0)
		em->rc = em->fn(em->arg, &em->e);
}

void
emitter_end_mark(struct emitter *em, uint32_t mark)
{
	em->e.mark = mark;
	emitter_end(em);
}
