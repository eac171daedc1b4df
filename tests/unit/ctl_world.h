/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_world.h -- whole commands of cordonctl against a process that plays
 * cordond, for tests: what they print, their JSON, their exit codes. */
#ifndef CORDON_TESTS_CTL_WORLD_H
#define CORDON_TESTS_CTL_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "ctl/args.h"
#include "fake_cordond.h"
#include "model/policy.h"
#include "sample.h"

struct world {
	struct policy *policy;
	uint8_t *image;
	struct image im;
	struct fake fake;
	struct args args;
	bool terminal;
	char *out, *err;	/* what the last command said */
};

/* For cmocka: sample_full's policy, four devices, one source that is fresh. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* The same with this policy, which it takes over. */
struct world *world_of(struct policy *);

/* Run a command as main() does; the fake is started first if it is not. */
int run(struct world *, const char *argv[]);
#define RUN(...) run(w, (const char *[]){ "cordonctl", __VA_ARGS__, NULL })

/* The fake answers from now on with what was laid down since. */
void again(struct world *);

void has(const char *text, const char *part);
void has_not(const char *text, const char *part);

/* Of the last answer, at "a.b.0.c". */
void says_string(struct world *, const char *path, const char *expected);
void says_number(struct world *, const char *path, json_int_t expected);
void says_true(struct world *, const char *path, bool expected);
void says_null(struct world *, const char *path);

uint32_t index_of(const struct world *, const char *device);

#endif
