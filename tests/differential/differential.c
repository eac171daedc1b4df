/* SPDX-License-Identifier: GPL-2.0-or-later */
/* differential.c -- is the model right? Random policies go into a real kernel and
 * random packets through it; each is given to evaluate() as the kernel shows it
 * before cordon's chains, and both must come to the same end.
 *
 * Exit code: 0 no disagreement, 1 some, 3 it could not be tried, 64 usage. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "craft.h"
#include "hooks.h"
#include "kernel.h"
#include "lines.h"
#include "packets.h"
#include "policies.h"
#include "show.h"
#include "world.h"

#define BATCH		600	/* packets between two looks at what became of them */
#define BATCHES		8	/* under one policy */
#define SHOWN_MAX	3	/* disagreements, in full */

enum { HOOKS = HOOK_OUTPUT + 1, STATES = 16 };

struct tally {
	uint64_t pairs, accepted, rejected, disagree;
	uint64_t hooks[HOOKS][2];	/* dropped, accepted */
	uint64_t states[STATES];
	uint64_t by_lines;	/* judged by what was written, too */
	uint64_t staged;	/* counted for a staged policy */
	uint64_t sent, out, lost, policies, moves;
	uint64_t chains[CHAIN_KINDS], found[SET_KINDS], missed[SET_KINDS];
};

struct run {
	struct world world;
	struct hooks *hooks;
	struct features features;
	struct random r;
	uint64_t seed;		/* of this round */
	struct site site;
	struct ruleset rules;
	struct evaluator *evaluator;
	struct packets packets;
	struct lines_seen lines;
	struct tally t;
	uint32_t number, sentinel;
	uint32_t forwarded;	/* in this batch: by the model */
	uint64_t newly_refused, newly_allowed;	/* under this policy: what the staged one would */
};

static struct frame frames[BATCH * 3 + SENTINELS];

static bool
agree(const struct seen *s, const struct verdict *v)
{
	if (s->accepted != (v->kind == VERDICT_ACCEPT))
		return false;
	return !s->accepted || s->packet.ct_state == 0 || s->packet.ct_state == CTS_INVALID ||
	    s->ct_mark == v->ct_mark;
}

static void
count_step(void *arg, const struct trace_step *step)
{
	struct run *run = arg;
	struct tally *t = &run->t;

	lines_step(&run->lines, step);
	if (step->kind == TRACE_CHAIN)
		t->chains[step->chain.kind]++;
	else if (step->kind == TRACE_SET)
		(step->found != NULL ? t->found : t->missed)[step->expr->set.kind]++;
}

static void
compare(void *arg, const struct seen *s)
{
	struct run *run = arg;
	struct tally *t = &run->t;
	struct verdict v;
	int rc;

	if (s->ours && s->number >= SENTINEL)
		return;
	run->lines = (struct lines_seen){ .rules = &run->rules };
	if ((rc = evaluate(run->evaluator, &s->packet, NULL, count_step, run, &v)) < 0)
		world_fail("evaluate", rc);
	t->pairs++;
	run->newly_refused += v.newly_refused;
	run->newly_allowed += v.newly_allowed;
	t->accepted += s->accepted;
	t->rejected += v.kind == VERDICT_REJECT;
	t->hooks[s->packet.hook][s->accepted]++;
	t->states[s->packet.ct_state]++;
	run->forwarded += s->ours && s->packet.hook == HOOK_FORWARD && v.kind == VERDICT_ACCEPT;
	if (s->ours && s->accepted && s->packet.hook == HOOK_FORWARD && s->number < NUMBERS)
		packets_passed(&run->packets, s->number);
	if (agree(s, &v) && lines_agree(&run->lines, &s->packet, &v, &t->by_lines))
		return;
	if (t->disagree++ >= SHOWN_MAX)
		return;
	printf("==== %s; to see it again: --seed %#" PRIx64 " --policies 1\n",
	    agree(s, &v) ? "kernel and model agree, but not with the lines as written" : "disagreement", run->seed);
	show_disagreement(&run->site, &run->rules, run->evaluator, s, &v);
}

/* From one uplink to the other: always refused, and always seen before that. */
static size_t
sentinels(struct run *run, struct frame *out)
{
	struct shape s = { .port = WAN0, .family = AF_INET, .protocol = 99, .ether = { 2, 0xbb, 0, 0, 0, WAN0 },
		.src = { 203, 0, 113, 200 }, .dst = { 198, 51, 100, 200 }, .hoplimit = 64 };
	size_t n = 0;

	run->sentinel = (run->sentinel + 1) % 400;
	for (int i = 0; i < SENTINELS; i++)
		n += craft(&s, SENTINEL + run->sentinel, 1, out + n);
	return n;
}

static void
send_batch(struct run *run, int many)
{
	size_t n = 0;
	uint32_t out;

	run->forwarded = 0;
	for (int i = 0; i < many; i++) {
		unsigned fragments;
		struct shape s;

		run->number = (run->number + 1) % NUMBERS;
		packets_next(&run->packets, run->number, &s, &fragments);
		n += craft(&s, run->number, fragments, frames + n);
	}
	run->t.sent += (uint64_t)many;
	n += sentinels(run, frames + n);
	world_send(&run->world, frames, n);
	if (!hooks_collect(run->hooks, SENTINEL + run->sentinel, compare, run))
		run->t.lost++;
	out = world_came_out(&run->world);
	run->t.out += out;
	if (out != run->forwarded) {
		printf("==== %u packets accepted for forwarding, %u came out; to see it again: --seed %#" PRIx64
		    " --policies 1\n", run->forwarded, out, run->seed);
		run->t.disagree++;
	}
}

/* ---- the staged policy ---------------------------------------------------- */

static void
add_packets(void *arg, const char *line)
{
	const char *at = line;

	while ((at = strstr(at, "counter packets ")) != NULL)
		*(uint64_t *)arg += strtoull(at += strlen("counter packets "), NULL, 10);
}

static void
staged_agrees(struct run *run, const char *set, uint64_t model)
{
	uint64_t kernel = 0;

	world_read((const char *const[]){ "nft", "list", "set", "inet", RULESET_TABLE, set, NULL }, add_packets,
	    &kernel);
	run->t.staged += kernel;
	if (kernel == model)
		return;
	printf("==== @%s counts %" PRIu64 ", the model %" PRIu64 "; to see it again: --seed %#" PRIx64
	    " --policies 1\n", set, kernel, model, run->seed);
	run->t.disagree++;
}

/* Somebody goes into quarantine or is restricted, or comes out, or is renewed. */
static void
move_somebody(struct run *run)
{
	struct station_change changes[2];
	uint32_t first = random_below(&run->r, run->site.image.n[IMAGE_DEVICES]), n = 0;

	for (uint32_t i = first; i < run->site.image.n[IMAGE_DEVICES] && n < 2; i++, n++) {
		changes[n].index = i;
		changes[n].from = run->site.stations[i];
		changes[n].to = site_moved(&run->site, i, &run->r);
	}
	kernel_move(&run->rules, changes, n);
	for (uint32_t i = 0; i < n; i++)
		run->site.stations[changes[i].index] = changes[i].to;
	evaluator_forget(run->evaluator);
	run->t.moves += n;
}

static void
round_of(struct run *run, uint64_t most)
{
	run->r.state = run->seed;
	site_make(&run->site, &run->r);
	run->rules = ruleset_make(&run->site.image, run->site.stations, run->features);
	run->rules.candidate = run->site.staged_bytes != NULL ? &run->site.staged : NULL;
	run->newly_refused = run->newly_allowed = 0;
	if ((run->evaluator = evaluator_new(&run->rules)) == NULL)
		world_fail("memory", 12);
	packets_init(&run->packets, &run->site, &run->r);
	kernel_load(&run->rules);
	hooks_forget_flows(run->hooks);
	for (int i = 0; i < BATCHES && run->t.pairs < most; i++) {
		if (i > 0 && random_is(&run->r, 60))
			move_somebody(run);
		send_batch(run, BATCH);
	}
	if (run->site.staged_bytes != NULL) {
		send_batch(run, 0);	/* whatever is under way */
		staged_agrees(run, "staged_refused", run->newly_refused);
		staged_agrees(run, "staged_allowed", run->newly_allowed);
	}
	run->t.policies++;
	evaluator_free(run->evaluator);
	site_done(&run->site);
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
print_tally(const struct tally *t, uint64_t seed, double seconds, bool json)
{
	double rate = (double)t->pairs / seconds;

	if (json) {
		printf("{\"seed\": \"%#" PRIx64 "\", \"pairs\": %" PRIu64 ", \"disagreements\": %" PRIu64
		    ", \"pairs_per_second\": %.0f, \"policies\": %" PRIu64 ", \"accepted\": %" PRIu64
		    ", \"rejected\": %" PRIu64 ", \"came_out\": %" PRIu64 ", \"lost_batches\": %" PRIu64 "}\n", seed,
		    t->pairs, t->disagree, rate, t->policies, t->accepted, t->rejected, t->out, t->lost);
		return;
	}
	printf("seed %#" PRIx64 ": %" PRIu64 " pairs of %" PRIu64 " packets under %" PRIu64 " policies and %" PRIu64
	    " changes of stations: %" PRIu64 " disagreements, %.0f pairs/s\n", seed, t->pairs, t->sent,
	    t->policies, t->moves, t->disagree, rate);
	printf("  forward %" PRIu64 " accepted, %" PRIu64 " not; input %" PRIu64 ", %" PRIu64 "; output %" PRIu64
	    ", %" PRIu64 "; %" PRIu64 " rejected; %" PRIu64 " came out; %" PRIu64 " batches lost\n",
	    t->hooks[HOOK_FORWARD][1], t->hooks[HOOK_FORWARD][0], t->hooks[HOOK_INPUT][1],
	    t->hooks[HOOK_INPUT][0], t->hooks[HOOK_OUTPUT][1], t->hooks[HOOK_OUTPUT][0], t->rejected, t->out,
	    t->lost);
	printf("  %" PRIu64 " were held against the lines as written; %" PRIu64 " were counted for a staged policy\n",
	    t->by_lines, t->staged);
	printf("  conntrack: %" PRIu64 " new, %" PRIu64 " established, %" PRIu64 " related, %" PRIu64
	    " invalid, %" PRIu64 " untracked\n", t->states[CTS_NEW], t->states[CTS_ESTABLISHED],
	    t->states[CTS_RELATED], t->states[CTS_INVALID], t->states[0]);
}

/* What no packet came to was not tried. */
static void
print_untried(const struct tally *t)
{
	char name[SET_NAMELEN > CHAIN_NAMELEN ? SET_NAMELEN : CHAIN_NAMELEN];

	printf("  never entered:");
	for (uint16_t k = CHAIN_NONE + 1; k < CHAIN_KINDS; k++)
		if (t->chains[k] == 0)
			printf(" %s", chain_name(&(struct chain_ref){ .kind = k, .number = 1 }, name));
	printf("\n  never found:");
	for (uint16_t k = SET_NONE + 1; k < SET_KINDS; k++)
		if (t->found[k] == 0 && !set_info(k)->dynamic)
			printf(" %s", set_name(&(struct set_ref){ .kind = k, .number = 1, .other = 1 }, name));
	printf("\n  never missed:");
	for (uint16_t k = SET_NONE + 1; k < SET_KINDS; k++)
		if (t->missed[k] == 0 && !set_info(k)->dynamic)
			printf(" %s", set_name(&(struct set_ref){ .kind = k, .number = 1, .other = 1 }, name));
	printf("\n");
}

int
main(int argc, char *argv[])
{
	static const struct option options[] = { { "seed", 1, NULL, 's' }, { "pairs", 1, NULL, 'n' },
		{ "policies", 1, NULL, 'p' }, { "json", 0, NULL, 'j' }, { NULL, 0, NULL, 0 } };
	uint64_t seed = (uint64_t)time(NULL) << 20, pairs = 100000, policies = UINT64_MAX;
	static struct run run;
	bool json = false;
	double begin;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 's')
			seed = strtoull(optarg, NULL, 0);
		else if (c == 'n')
			pairs = strtoull(optarg, NULL, 0);
		else if (c == 'p')
			policies = strtoull(optarg, NULL, 0);
		else if (c == 'j')
			json = true;
		else
			return 64;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	world_make(&run.world);
	run.hooks = hooks_new(&run.world);
	kernel_open(&run.features);
	begin = now();
	for (run.seed = seed; run.t.pairs < pairs && run.t.policies < policies && run.t.disagree == 0; run.seed++)
		round_of(&run, pairs);
	print_tally(&run.t, seed, now() - begin, json);
	if (!json)
		print_untried(&run.t);
	hooks_free(run.hooks);
	return run.t.disagree != 0 || run.t.lost != 0;
}
