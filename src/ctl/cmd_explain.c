/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_explain.c -- policy explain: would this connection begin, and which line
 * says so? It asks the compiled rules, of the running policy or of a candidate,
 * and changes nothing. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "ctl/candidate.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/explain_question.h"
#include "ctl/explain_show.h"
#include "ctl/reach.h"

/* The policy that is asked. */
struct asked {
	const struct image *image;
	struct station *stations;
	char policy[128];
	bool stations_known;
};

/* ---- names -------------------------------------------------------------- */

/* "*.iot.example" stands for what is below it. */
static bool
name_covers(const char *pattern, const char *name)
{
	size_t len = strlen(name), tail = strlen(pattern) - 1;

	if (strncmp(pattern, "*.", 2) != 0)
		return strcasecmp(pattern, name) == 0;
	return len > tail && strcasecmp(name + len - tail, pattern + 1) == 0;
}

static int
explain_name(struct ctl *c, const struct asked *a, const struct question *q, const char *name)
{
	const struct image_class *class = image_class(a->image,
	    station_class(a->image, q->device, &a->stations[q->device - a->image->devices]));
	json_t *list = json_array();
	char where[WHERE_STRLEN];
	uint32_t i, j, n = 0;

	if (!c->json)
		fprintf(c->out, "%s to %s: refused\n  names are closed until the appliance resolves them\n",
		    image_text(a->image, q->device->name), name);
	for (i = 0; i < class->rules.n; i++) {
		const struct image_rule *r = &a->image->rules[class->rules.first + i];

		for (j = 0; j < r->boxes.n; j++) {
			const struct image_rule_box *b = &a->image->rule_boxes[r->boxes.first + j];

			if (b->name == 0 || !name_covers(image_text(a->image, b->name), name))
				continue;
			n++;
			json_array_append_new(list, reach_where_json(a->image, &r->where));
			if (!c->json)
				fprintf(c->out, "  named by %s\n", reach_where(a->image, &r->where, where));
			break;
		}
	}
	if (!c->json && n == 0)
		fprintf(c->out, "  no rule of its class names it\n");
	if (!c->json)
		fprintf(c->out, "  to allow it now, write the addresses that it has: --to ADDRESS says where\n");
	if (c->json)
		return ctl_json(c, EXIT_DIFFERS, json_pack("{s:s, s:s, s:s, s:s, s:o}", "verdict", "refused", "reason",
		    "name", "name", name, "policy", a->policy, "named_by", list));
	json_decref(list);
	return EXIT_DIFFERS;
}

/* ---- the answer --------------------------------------------------------- */

static int
explain_asked(struct ctl *c, const struct asked *a)
{
	const struct ruleset rs = ruleset_make(a->image, a->stations,
	    (struct features){ .owner_persist = true, .connlimit = true });
	struct path *path = calloc(1, sizeof(*path));
	struct evaluator *ev = evaluator_new(&rs);
	struct question q = { .family = 0 };
	struct explanation e;
	const char *name;
	int rc;

	if (path == NULL || ev == NULL) {
		rc = ctl_fail(c, EXIT_MISTAKES, "no memory");
	} else if ((rc = question_read(c, a->image, &q, &name)) != 0) {
		;
	} else if (name != NULL) {
		rc = explain_name(c, a, &q, name);
	} else if ((rc = explain(ev, &rs, &q, path_add, path, &e)) < 0) {
		rc = ctl_fail(c, EXIT_MISTAKES, "the rules cannot be run: %s", strerror(-rc));
	} else {
		struct answer answer = { a->image, &q, &e, path, a->policy, a->stations_known };

		rc = answer_allows(&answer) ? EXIT_DONE : EXIT_DIFFERS;
		if (c->json)
			rc = ctl_json(c, rc, answer_object(&answer));
		else
			answer_show(&answer, c->out);
	}
	evaluator_free(ev);
	free(path);
	return rc;
}

/* told: where the devices of the running policy stand, or NULL: all enforced. */
static int
explain_image(struct ctl *c, struct asked *a, const struct flow_station *told)
{
	uint32_t n = a->image->n[IMAGE_DEVICES];
	int rc;

	if ((a->stations = calloc(n + 1U, sizeof(*a->stations))) == NULL)
		return ctl_fail(c, EXIT_MISTAKES, "no memory");
	for (uint32_t i = 0; i < n; i++) {
		a->stations[i] = (struct station){ .number = a->image->devices[i].number, .generation = 1 };
		if (told == NULL)
			continue;
		a->stations[i].generation = (uint8_t)told[i].mark;
		a->stations[i].quarantined = told[i].where == STATION_QUARANTINED;
		if (!a->stations[i].quarantined && (told[i].cause & CAUSE_LIMITED) != 0)
			a->stations[i].limited = station_limit(a->image, &a->image->devices[i]);
	}
	rc = explain_asked(c, a);
	free(a->stations);
	return rc;
}

/* An apply between the two questions is rare; several in a row are not one. */
#define TRIES_MAX 5

/* Not the snapshot that other commands are given: its counts take a look into
 * the kernel's sets, which is long for a large fleet. 0, or -errno; -ESTALE: of
 * another revision than the image. */
static int
ask_stations(struct client *cl, const struct image *im, uint64_t revision, const void **told, size_t *len)
{
	struct ctl_empty nothing = { 0 };
	struct ctl_state state;
	const struct flow_station *all;
	int rc;

	if ((rc = client_ask(cl, MSG_CTL_STATIONS, &nothing, sizeof(nothing), MSG_CTL_STATIONS_ARE,
	    CLIENT_TIMEOUT_MS)) < 0)
		return rc;
	memcpy(&state, cl->answer.payload, sizeof(state));
	if (state.revision != revision)
		return -ESTALE;
	if ((rc = memfile_map(cl->answer.fd, LIMIT_DEVICES * sizeof(*all), told, len)) < 0)
		return rc;
	all = *told;
	if (*len != im->n[IMAGE_DEVICES] * sizeof(*all))
		rc = -EBADMSG;
	for (uint32_t i = 0; rc == 0 && i < im->n[IMAGE_DEVICES]; i++)
		rc = all[i].number == im->devices[i].number && all[i].where <= STATION_RESTRICTED ? 0 : -EBADMSG;
	if (rc < 0)
		memfile_unmap(*told, *len);
	return rc;
}

/* The image and the stations of one revision. 0 and *exit, or -errno; -ESTALE:
 * ask for both again. */
static int
explain_revision(struct ctl *c, struct client *cl, int *exit)
{
	struct asked a = { .stations_known = true };
	struct ctl_empty nothing = { 0 };
	const void *data, *told;
	const char *why;
	struct image_ref ref;
	struct image im;
	size_t len, told_len;
	int rc;

	if ((rc = client_ask(cl, MSG_CTL_IMAGE, &nothing, sizeof(nothing), MSG_IMAGE, CLIENT_TIMEOUT_MS)) < 0)
		return rc;
	memcpy(&ref, cl->answer.payload, sizeof(ref));
	if ((rc = memfile_map(cl->answer.fd, LIMIT_IMAGE_BYTES, &data, &len)) < 0)
		return rc;
	if ((rc = image_open_checked(data, len, &im, &why)) == 0 &&
	    (rc = ask_stations(cl, &im, ref.revision, &told, &told_len)) == 0) {
		a.image = &im;
		snprintf(a.policy, sizeof(a.policy), "revision %" PRIu64 ", which runs", ref.revision);
		*exit = explain_image(c, &a, told);
		memfile_unmap(told, told_len);
	}
	memfile_unmap(data, len);
	return rc;
}

static int
explain_running(struct ctl *c, struct client *cl)
{
	int exit = EXIT_MISTAKES, rc = -ESTALE;

	for (int i = 0; i < TRIES_MAX && rc == -ESTALE; i++)
		rc = explain_revision(c, cl, &exit);
	if (rc == 0)
		return exit;
	if (rc == -ESTALE)
		return ctl_fail(c, EXIT_MISTAKES, "the policy changes faster than it can be read: try again");
	if (rc == -EBADMSG || rc == -EPROTO)
		return ctl_fail(c, EXIT_MISTAKES, "cordond's answer makes no sense: are cordonctl and the running "
		    "cordond of the same version?");
	return client_fail(c, rc, "policy and stations");
}

static int
explain_folder(struct ctl *c, const char *folder)
{
	struct asked a = { .stations_known = false };
	struct candidate candidate;
	int rc;

	if ((rc = candidate_open(c, folder, &candidate)) != 0)
		return rc;
	a.image = &candidate.image;
	snprintf(a.policy, sizeof(a.policy), "the configuration in %.80s", folder);
	rc = explain_image(c, &a, NULL);
	candidate_close(&candidate);
	return rc;
}

int
cmd_policy_explain(struct ctl *c)
{
	const char *folder = args_value(c->args, OPT_CANDIDATE);
	struct client cl;
	int rc;

	if (folder == NULL && c->args->n_words > 0)
		folder = c->args->words[0];
	if (folder != NULL)
		return explain_folder(c, folder);
	/* Who may not ask cordond may still be able to read the configuration. */
	if (client_connect(c, &cl) < 0)
		return explain_folder(c, c->config);
	rc = explain_running(c, &cl);
	client_close(&cl);
	return rc;
}
