/* SPDX-License-Identifier: GPL-2.0-or-later */
/* again.c -- read again what changed since an image was made. All files are
 * looked at, and parsed are those whose bytes are others; these may be inventories
 * alone, since of anything else the rest of the policy depends. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/reader.h"
#include "config/windows.h"
#include "model/lift.h"
#include "proto/limits.h"

/* A file stands in the policy under its number; nothing has been said so far. */
static int
read_one(struct reader *r, struct lift *l, int dirfd, const char *folder, const char *name)
{
	const struct image *im = l->im;
	const struct image_file *before;
	struct file_fact *fact;
	uint8_t *text, digest[DIGEST_LEN];
	size_t len;
	int rc;

	if (!reader_name(r, folder, name))
		return r->error;
	if (r->file >= l->n_files)
		return -ESTALE;
	before = &im->files[r->file];
	if (strcmp(image_text(im, before->path), r->p->files[r->file]) != 0 ||
	    read_plain(dirfd, name, LIMIT_CONFIG_FILE_BYTES, &text, &len) < 0)
		return -ESTALE;
	digest_of(text, len, digest);
	if (memcmp(digest, before->digest, sizeof(digest)) == 0) {
		if ((rc = lift_devices(l, r->file, r->p)) == 0 &&
		    (fact = reader_grow(r, &r->p->facts, r->p->n_facts, sizeof(*fact))) != NULL) {
			memcpy(fact->digest, digest, sizeof(digest));
			fact->plain = (before->flags & FILE_PLAIN) != 0;
			r->p->n_facts++;
		}
	} else if ((before->flags & FILE_PLAIN) == 0) {
		rc = -ESTALE;
	} else {
		reader_text(r, name, (char *)text, len);
		rc = r->error == 0 && (r->p->read_always || !r->p->facts[r->file].plain) ? -ESTALE : 0;
	}
	free(text);
	return rc != 0 ? rc : r->error;
}

static int
read_folder(struct reader *r, struct lift *l, const char *folder, bool csv)
{
	struct names_list list;
	int fd = reader_list(r, folder, csv, &list), rc = r->error;

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return -ESTALE;
	/* What is advised about a folder comes between what is advised about files. */
	if (rc == 0 && r->m->n_warnings > 0)
		rc = -ESTALE;
	for (size_t i = 0; i < list.n && rc == 0; i++)
		rc = read_one(r, l, fd, folder, list.names[i]);
	names_list_done(&list);
	close(fd);
	return rc;
}

/* The certificates that unchanged files name. */
static int
look_beside(struct reader *r, const struct lift *l)
{
	const struct image *im = l->im;

	for (uint32_t i = l->n_files; i < im->n[IMAGE_FILES]; i++) {
		const char *path = image_text(im, im->files[i].path);
		struct file_beside *beside;
		uint8_t *data, digest[DIGEST_LEN];
		size_t len;

		if (read_plain(r->dirfd, path, LIMIT_CERTIFICATE_BYTES, &data, &len) < 0)
			return -ESTALE;
		digest_of(data, len, digest);
		free(data);
		if (memcmp(digest, im->files[i].digest, sizeof(digest)) != 0)
			return -ESTALE;
		if ((beside = reader_grow(r, &r->p->beside, r->p->n_beside, sizeof(*beside))) == NULL ||
		    (beside->path = reader_copy(r, path)) == NULL)
			return r->error;
		memcpy(beside->digest, digest, sizeof(digest));
		r->p->n_beside++;
	}
	return 0;
}

/* Windows are written out from the day on which a policy is compiled. */
static int
look_at_schedules(const struct lift *l, int64_t now)
{
	const struct image *im = l->im;

	for (uint32_t i = 0; i < im->n[IMAGE_SCHEDULES]; i++) {
		const struct image_schedule *x = &im->schedules[i];
		struct schedule_decl s = { .days = (uint8_t)x->days, .from_s = x->from_s, .to_s = x->to_s,
			.zone = (char *)(uintptr_t)image_text(im, x->zone) };
		struct window *w = NULL;
		size_t n = 0;
		bool same;

		if (zone_check(s.zone) < 0 || windows_expand(&s, now, &w, &n) < 0)
			return -ESTALE;
		same = n == x->windows.n;
		for (size_t k = 0; same && k < n; k++)
			same = w[k].from == im->windows[x->windows.first + k].from &&
			    w[k].to == im->windows[x->windows.first + k].to;
		free(w);
		if (!same)
			return -ESTALE;
	}
	return 0;
}

/* What is said of an authority's certificate that has expired. */
static int
look_at_issuers(struct reader *r, const struct image *im)
{
	for (uint32_t i = 0; i < im->n[IMAGE_ISSUERS]; i++)
		if (says_expired(r, im->blobs + im->issuers[i].certificate, im->issuers[i].certificate_len))
			return -ESTALE;
	/* The clock may have been ahead. */
	for (uint32_t i = 0; i < im->header->settled; i++)
		if (strstr(image_text(im, im->warnings[i]), "has expired") != NULL)
			return -ESTALE;
	return 0;
}

int
config_read_again(int dirfd, int64_t now, struct lift *l, struct policy **out, struct mistakes *m)
{
	struct reader r = { .p = policy_new(), .m = m, .dirfd = dirfd, .now = now };
	int rc;

	if (r.p == NULL)
		return -ENOMEM;
	names_init(&r.known_intermediates);
	if ((rc = look_at_schedules(l, now)) == 0 && (rc = look_at_issuers(&r, l->im)) == 0 && (rc = read_one(&r, l, dirfd, "", "cordon.conf")) == 0 &&
	    (rc = read_folder(&r, l, "classes.d", false)) == 0 && (rc = read_folder(&r, l, "devices.d", true)) == 0 &&
	    (rc = look_beside(&r, l)) == 0)
		rc = r.p->n_files == l->n_files ? lift_names(l, r.p) : -ESTALE;
	reader_done(&r);
	if (rc < 0) {
		policy_free(r.p);
		return rc;
	}
	*out = r.p;
	return 0;
}
