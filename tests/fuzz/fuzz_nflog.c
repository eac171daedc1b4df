/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_nflog.c -- whole NFLOG datagrams, and the keys that attempts get from them. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flow/attempts.h"
#include "flow/nflog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEYS_MAX 64

struct run {
	struct attempts *table;
	struct clock_view now;
	uint64_t seen;
};

static void
on_record(void *arg, const struct record *r)
{
	struct run *run = arg;
	struct attempt_key key;
	struct open_attempt *e;

	run->seen++;
	if (r->group >= FLOW_GROUPS || (!r->has_head && r->packet.family != 0))
		abort();
	if (!attempts_key_of_record(r, &key))
		return;
	run->now.boot_ms += 700;
	e = attempts_record(run->table, &key, r->packet.len, &run->now);
	if (e != NULL && memcmp(&e->key, &key, sizeof(key)) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct siphash_key seed = { 1, 2 };
	struct run run = { .now = { .wall_ms = 1700000000000, .boot_ms = 1000 } };
	void *aligned = NULL;
	struct nflog n;

	if (size > NFLOG_DATAGRAM_MAX || posix_memalign(&aligned, 8, size > 0 ? size : 1) != 0)
		return 0;
	memcpy(aligned, data, size);
	if ((run.table = attempts_new(KEYS_MAX, &seed)) == NULL)
		abort();
	nflog_init(&n, 0);
	nflog_parse(&n, aligned, size, on_record, &run);
	if (n.records != run.seen || attempts_n(run.table) > KEYS_MAX)
		abort();
	attempts_tick(run.table, &run.now);
	attempts_free(run.table);
	free(aligned);
	return 0;
}
