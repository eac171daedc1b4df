/* SPDX-License-Identifier: GPL-2.0-or-later */
/* staged.c -- a policy beside the enforced one: its files, and its transactions.
 * The disk has it first and the kernel second; when it ends, the other way round.
 * So a crash in between leaves a policy that is to be staged, and no more. */
#include "enforce/staged.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/file.h"
#include "enforce/nft_batch.h"
#include "enforce/parts.h"
#include "enforce/records.h"
#include "enforce/refusal.h"
#include "enforce/restore.h"
#include "proto/limits.h"

#define IMAGE_FILE "staged.image"

/* ---- the disk ----------------------------------------------------------- */

static bool
sound(const void *held)
{
	const struct staged_note *n = held;

	return memchr(n->who.login, '\0', sizeof(n->who.login)) != NULL;
}

static const struct record_kind notes = {
	.file = "staged.note",
	.magic = 0x31535043U,	/* "CPS1" */
	.size = sizeof(struct staged_note),
	.max = 4096,
	.sound = sound,
};

static void
remove_files(int dirfd)
{
	file_remove_at(dirfd, notes.file);
	file_remove_at(dirfd, IMAGE_FILE);
}

/* The note goes last: it names the image that it is about. */
static int
save(int dirfd, const struct loaded_policy *p, const struct staged_note *note)
{
	int rc = file_replace_at(dirfd, IMAGE_FILE, p->data, p->len, 0600);

	return rc < 0 ? rc : records_rewrite(dirfd, &notes, note, 1);
}

static int
read_note(int dirfd, struct staged_note *out)
{
	uint32_t damaged;
	void *held;
	size_t n;
	int rc = records_load(dirfd, &notes, &held, &n, &damaged);

	if (rc < 0)
		return rc;
	if (n == 1 && damaged == 0)
		memcpy(out, held, sizeof(*out));
	free(held);
	return n == 1 && damaged == 0 ? 0 : n == 0 && damaged == 0 ? -ENOENT : -EBADMSG;
}

static int
read_image(int dirfd, struct loaded_policy *out)
{
	uint8_t *data = NULL;
	size_t len = 0;
	int rc = file_read_at(dirfd, IMAGE_FILE, LIMIT_IMAGE_BYTES, &data, &len);

	if (rc == 0)
		rc = loaded_policy_from_bytes(data, len, 0, out);
	free(data);
	return rc;
}

int
staged_load(struct enforcer *e)
{
	struct loaded_policy p = { .fd = -1 };
	struct staged_note note;
	int rc = read_note(e->dirfd, &note);

	if (rc == 0 && (rc = read_image(e->dirfd, &p)) == 0 &&
	    (memcmp(p.image.header->digest, note.digest, sizeof(note.digest)) != 0 ||
	    !staged_numbers_agree(&e->policy.image, &p.image)))
		rc = -EBADMSG;
	if (rc == 0) {
		e->staged = p;
		e->staged_note = note;
		return 0;
	}
	loaded_policy_done(&p);
	/* An image alone was never said to be staged. */
	remove_files(e->dirfd);
	return rc == -ENOENT ? 0 : -EBADMSG;
}

void
staged_forget(struct enforcer *e)
{
	loaded_policy_done(&e->staged);
	memset(&e->staged_note, 0, sizeof(e->staged_note));
	remove_files(e->dirfd);
}

void
staged_counts_begin(struct enforcer *e)
{
	struct clock_view now;

	if (e->staged.data == NULL)
		return;
	clock_now(&now);
	e->staged_note.counted_since = now.wall_ms;
	/* It says since when; a disk that refuses that keeps an older time. */
	records_rewrite(e->dirfd, &notes, &e->staged_note, 1);
}

/* ---- beside which policy? ----------------------------------------------- */

/* The header also says which numbers were given out. */
static bool
same_content(const struct loaded_policy *a, const struct loaded_policy *b)
{
	return a->len == b->len && memcmp((const char *)a->data + sizeof(struct image_header),
	    (const char *)b->data + sizeof(struct image_header), a->len - sizeof(struct image_header)) == 0;
}

enum staged_end
staged_beside(const struct enforcer *e, const struct loaded_policy *next)
{
	if (e->staged.data == NULL)
		return STAGED_STAYS;
	if (same_content(&e->staged, next))
		return STAGED_ENFORCED;
	return staged_numbers_agree(&next->image, &e->staged.image) ? STAGED_STAYS : STAGED_STALE;
}

/* ---- the kernel --------------------------------------------------------- */

/* From what stands to the same with this candidate; NULL: without any. */
static int
commit(struct enforcer *e, const struct image *candidate, struct stage_report *report)
{
	const struct ruleset old = enforcer_ruleset(e);
	struct ruleset next = old;
	struct nft_batch *b = enforcer_batch(e, old.image);
	struct nft_failure failure;
	size_t bytes;
	int rc;

	if (b == NULL)
		return -ENOMEM;
	next.candidate = candidate;
	/* Lines are those of the policy that comes. */
	const struct ruleset said = candidate != NULL ? ruleset_candidate(&next) : next;

	if ((rc = diff_rulesets(&old, &next, &nft_batch_sink, b)) == 0) {
		rc = nft_batch_send(b, &e->owner, NULL, NULL, &failure);
		report->microseconds = e->owner.took_us;
		if (rc < 0)
			refusal_say(b, rc, &failure, &said, report->refused);
		nft_batch_size(b, &report->added, &report->removed, &bytes);
	}
	nft_batch_free(b);
	return rc;
}

static int
commit_twice(struct enforcer *e, const struct image *candidate, struct stage_report *report)
{
	int rc = commit(e, candidate, report);

	if (rc < 0 && (rc = enforcer_restored(e, rc)) == 0)
		rc = commit(e, candidate, report);
	if (rc == 0)
		report->refused[0] = '\0';
	return rc;
}

static void
take(struct enforcer *e, struct loaded_policy *p, const struct staged_note *note)
{
	loaded_policy_done(&e->staged);
	e->staged = *p;
	e->staged_note = *note;
	enforcer_save_digest(e);
}

int
enforcer_stage(struct enforcer *e, int image_fd, const struct ctl_who *who, int64_t now,
    struct stage_report *report)
{
	struct staged_note note = { .at = now, .counted_since = now, .revision = e->policy.revision, .who = *who };
	struct loaded_policy p = { .fd = -1 };
	int rc;

	memset(report, 0, sizeof(*report));
	if ((rc = loaded_policy_from_fd(image_fd, 0, &p, &report->why)) < 0)
		return rc;
	memcpy(note.digest, p.image.header->digest, sizeof(note.digest));
	if (!staged_numbers_agree(&e->policy.image, &p.image)) {
		report->why = "the enforced policy has changed meanwhile";
		rc = -ESTALE;
	} else if ((rc = save(e->dirfd, &p, &note)) == 0) {
		rc = commit_twice(e, &p.image, report);
	}
	if (rc == 0) {
		take(e, &p, &note);
		return 0;
	}
	loaded_policy_done(&p);
	if (rc != -ESTALE && (e->staged.data == NULL || save(e->dirfd, &e->staged, &e->staged_note) < 0))
		remove_files(e->dirfd);
	return rc;
}

int
enforcer_unstage(struct enforcer *e, struct stage_report *report)
{
	int rc;

	memset(report, 0, sizeof(*report));
	if (e->staged.data == NULL)
		return -ENOENT;
	if ((rc = commit_twice(e, NULL, report)) < 0)
		return rc;
	staged_forget(e);
	enforcer_save_digest(e);
	return 0;
}

int
staged_catch_up(struct enforcer *e, bool *did)
{
	struct stage_report report = { .added = 0 };
	struct loaded_policy p = e->staged;
	struct staged_note note = e->staged_note;
	int rc;

	*did = false;
	if (p.data == NULL)
		return 0;
	e->staged = (struct loaded_policy){ .fd = -1 };
	if ((rc = enforcer_agrees(e, did)) == 0 && *did)
		rc = commit(e, &p.image, &report);
	if (rc < 0)
		*did = false;
	if (!*did) {
		e->staged = p;	/* as it was */
		return rc;
	}
	take(e, &p, &note);
	return 0;
}
