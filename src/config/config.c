/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config.c -- the files of a configuration folder, one after another. Opens only
 * plain files below an open folder; never follows libconfig's @include. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "config/reader.h"
#include "model/text.h"
#include "proto/limits.h"

/* ---- one file ----------------------------------------------------------- */

static void
key_appliance(struct reader *r, const config_setting_t *s, void *target)
{
	(void)target;
	read_appliance(r, s);
}

static void
key_authorities(struct reader *r, const config_setting_t *s, void *target)
{
	(void)target;
	read_list(r, s, "{ name = \"factory-ca\"; ... }", read_authority);
}

static void
key_classes(struct reader *r, const config_setting_t *s, void *target)
{
	(void)target;
	read_list(r, s, "{ name = \"temperature-sensor\"; ... }", read_class);
}

static void
key_devices(struct reader *r, const config_setting_t *s, void *target)
{
	(void)target;
	read_list(r, s, "{ name = \"sensor-847\"; ... }", read_device);
}

static void
key_services(struct reader *r, const config_setting_t *s, void *target)
{
	(void)target;
	read_list(r, s, "{ name = \"mqtt\"; tcp = 8883; }", read_declared_service);
}

static void
key_groups(struct reader *r, const config_setting_t *s, void *target)
{
	(void)target;
	read_list(r, s, "{ name = \"time\"; to = \"192.0.2.123\"; }", read_declared_group);
}

static void
key_schedules(struct reader *r, const config_setting_t *s, void *target)
{
	(void)target;
	read_list(r, s, "{ name = \"nightly\"; ... }", read_schedule);
}

/* A file that includes others would reach any path we may read. The word is
 * refused wherever it stands: libconfig's idea of where it counts is its own. */
static bool
includes(struct reader *r, const char *text)
{
	const char *at = strstr(text, "@include"), *c;
	unsigned line = 1;

	if (at == NULL)
		return false;
	for (c = text; c < at; c++)
		line += *c == '\n';
	mistake(r, line, "@include is not possible: put the file into classes.d or devices.d, where all are read");
	return true;
}

static void
syntax_error(struct reader *r, const config_t *tree)
{
	/* What libconfig's parser says when its stack is full; it has found nothing wrong. */
	if (strcmp(config_error_text(tree), "memory exhausted") == 0)
		mistake(r, (unsigned)config_error_line(tree), "brackets within brackets within brackets, thousands of "
		    "them: no key needs more than a few");
	else
		mistake(r, (unsigned)config_error_line(tree), "%s: look for a missing ; or , or quote or bracket here "
		    "or on the line before", config_error_text(tree));
}

static void
parse_text(struct reader *r, const char *text)
{
	static const struct key keys[] = {
		{ "appliance", key_appliance, NULL },
		{ "authorities", key_authorities, NULL },
		{ "services", key_services, NULL },
		{ "groups", key_groups, NULL },
		{ "schedules", key_schedules, NULL },
		{ "classes", key_classes, NULL },
		{ "devices", key_devices, NULL },
		{ NULL, NULL, NULL }
	};
	config_t tree;

	if (includes(r, text)) {
		r->p->incomplete = true;
		return;
	}
	config_init(&tree);
	if (config_read_string(&tree, text) == CONFIG_TRUE) {
		read_group(r, config_root_setting(&tree), keys, "the file", NULL);
	} else {
		r->p->incomplete = true;
		syntax_error(r, &tree);
	}
	config_destroy(&tree);
}

static bool
ends_with(const char *name, const char *end)
{
	size_t n = strlen(name), k = strlen(end);

	return n > k && strcmp(name + n - k, end) == 0;
}

bool
reader_name(struct reader *r, const char *folder, const char *name)
{
	char path[2 * NAME_MAX + 2], **slot, *copy;

	snprintf(path, sizeof(path), "%s%s%s", folder, folder[0] == '\0' ? "" : "/", name);
	text_clean(path);
	if ((copy = reader_copy(r, path)) == NULL)
		return false;
	if ((slot = reader_grow(r, &r->p->files, r->p->n_files, sizeof(*slot))) == NULL) {
		free(copy);
		return false;
	}
	*slot = copy;
	r->file = (uint32_t)r->p->n_files++;
	return true;
}

static void
read_text(struct reader *r, const char *name, char *text, size_t len)
{
	if (memchr(text, '\0', len) != NULL) {
		r->p->incomplete = true;
		mistake(r, 0, "the file holds a NUL: text in UTF-8 is expected");
	} else if (ends_with(name, ".csv")) {
		read_csv(r, text, len);
	} else {
		parse_text(r, text);
	}
}

/* All that a policy holds but devices, and all that was said of it. */
static size_t
beside_devices(const struct reader *r)
{
	const struct policy *p = r->p;

	return p->n_authorities + p->n_services + p->n_groups + p->n_schedules + p->n_classes + r->have_appliance +
	    r->m->n + r->m->n_warnings;
}

void
reader_text(struct reader *r, const char *name, char *text, size_t len)
{
	size_t others = beside_devices(r), certificates = r->certificates;
	struct file_fact *fact = reader_grow(r, &r->p->facts, r->p->n_facts, sizeof(*fact));

	if (fact == NULL)
		return;
	r->p->n_facts++;
	digest_of(text, len, fact->digest);
	read_text(r, name, text, len);
	fact->plain = beside_devices(r) == others;
	/* Of inventories that name certificate files there may be as many as devices. */
	if (fact->plain && r->certificates != certificates)
		r->p->read_always = true;
}

static void
read_file(struct reader *r, int dirfd, const char *folder, const char *name)
{
	uint8_t *text;
	size_t len;
	int rc;

	if (!reader_name(r, folder, name))
		return;
	if ((rc = read_plain(dirfd, name, LIMIT_CONFIG_FILE_BYTES, &text, &len)) < 0) {
		r->p->incomplete = true;
		if (rc == -ENOMEM)
			r->error = rc;
		else if (rc == -EFBIG)
			mistake(r, 0, "the file has more than %u MiB: split it", LIMIT_CONFIG_FILE_BYTES >> 20);
		else if (rc == -EINVAL)
			mistake(r, 0, "this is no plain file: only plain files are read");
		else
			mistake(r, 0, "cannot be read: %s", strerror(-rc));
		return;
	}
	reader_text(r, name, (char *)text, len);
	free(text);
}

/* ---- folders ------------------------------------------------------------ */

static int
name_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What an editor or a package manager leaves behind is nobody's mistake. */
static bool
is_leftover(const char *name)
{
	return name[0] == '.' || ends_with(name, "~") || strstr(name, ".dpkg-") != NULL ||
	    strcmp(name, "README") == 0;
}

static void
list_folder(struct reader *r, DIR *dir, const char *folder, bool csv, struct names_list *list)
{
	struct dirent *entry;
	char **slot, *copy;

	while (r->error == 0 && (entry = readdir(dir)) != NULL) {
		if (is_leftover(entry->d_name))
			continue;
		if (!ends_with(entry->d_name, ".conf") && !(csv && ends_with(entry->d_name, ".csv"))) {
			mistakes_warn(r->m, NULL, 0, "%s/%s is not read: only %s are", folder, entry->d_name,
			    csv ? "*.conf and *.csv" : "*.conf");
			continue;
		}
		if ((slot = reader_grow(r, &list->names, list->n, sizeof(*slot))) == NULL ||
		    (copy = reader_copy(r, entry->d_name)) == NULL)
			return;
		*slot = copy;
		list->n++;
	}
}

void
names_list_done(struct names_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->names[i]);
	free(list->names);
	*list = (struct names_list){ .n = 0 };
}

int
reader_list(struct reader *r, const char *folder, bool csv, struct names_list *list)
{
	int fd = openat(r->dirfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), copy, rc;
	DIR *dir;

	*list = (struct names_list){ .n = 0 };
	if (fd < 0)
		return -errno;
	if ((copy = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0 || (dir = fdopendir(copy)) == NULL) {
		rc = -errno;
		if (copy >= 0)
			close(copy);
		close(fd);
		return rc;
	}
	list_folder(r, dir, folder, csv, list);
	if (list->n > 0)
		qsort(list->names, list->n, sizeof(*list->names), name_cmp);
	closedir(dir);
	return fd;
}

static void
read_folder(struct reader *r, const char *folder, bool csv)
{
	struct names_list list;
	int fd = reader_list(r, folder, csv, &list);

	if (fd == -ENOENT)
		return;
	if (fd < 0) {
		r->p->incomplete = true;
		mistakes_add(r->m, folder, 0, "cannot be read: %s", strerror(-fd));
		return;
	}
	for (size_t i = 0; i < list.n && r->error == 0; i++)
		read_file(r, fd, folder, list.names[i]);
	names_list_done(&list);
	close(fd);
}

/* What was kept until all is read. */
void
reader_done(struct reader *r)
{
	size_t i;

	for (i = 0; i < r->n_device_crls; i++)
		device_crl_done(&r->device_crls[i]);
	free(r->device_crls);
	for (i = 0; i < r->n_intermediates; i++) {
		free(r->intermediates[i]->der.bytes);
		free(r->intermediates[i]);
	}
	free(r->intermediates);
	names_done(&r->known_intermediates);
}

static int
finish(struct reader *r, struct policy **out)
{
	if (r->error == 0)
		resolve_issuers(r);
	if (r->error == 0)
		resolve_distribution(r);
	reader_done(r);
	if (r->error != 0) {
		policy_free(r->p);
		return r->error;
	}
	*out = r->p;
	return 0;
}

int
config_read_policy(int dirfd, int64_t now, struct policy **out, struct mistakes *m)
{
	struct reader r = { .p = policy_new(), .m = m, .dirfd = dirfd, .now = now };

	if (r.p == NULL)
		return -ENOMEM;
	names_init(&r.known_intermediates);
	read_file(&r, dirfd, "", "cordon.conf");
	if (r.error == 0)
		read_folder(&r, "classes.d", false);
	if (r.error == 0)
		read_folder(&r, "devices.d", true);
	return finish(&r, out);
}

int
config_read_text(const char *name, char *text, size_t len, int64_t now, struct policy **out,
    struct mistakes *m)
{
	struct reader r = { .p = policy_new(), .m = m, .dirfd = -1, .now = now };

	if (r.p == NULL)
		return -ENOMEM;
	names_init(&r.known_intermediates);
	if (reader_name(&r, "", name))
		reader_text(&r, name, text, len);
	return finish(&r, out);
}
