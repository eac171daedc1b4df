/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile.c -- from a policy as written to an image: check all, then number,
 * then write. Reads no file and knows no kernel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/compile_parts.h"
#include "model/image_record.h"
#include "proto/limits.h"

const char *
compile_file(const struct compile *c, const struct where *w)
{
	return w->file < c->p->n_files ? c->p->files[w->file] : NULL;
}

struct image_where
compile_where(const struct compile *c, const struct where *w)
{
	struct image_where out = { .line = w->line };

	if (w->file < c->p->n_files)
		out.file = c->file_text[w->file];
	return out;
}

void
compile_done(struct compile *c)
{
	names_done(&c->authorities);
	names_done(&c->services);
	names_done(&c->groups);
	names_done(&c->schedules);
	names_done(&c->classes);
	names_done(&c->devices);
	names_done(&c->interfaces);
	graph_done(&c->extends);
	graph_done(&c->nested);
	free(c->rule.to);
	free(c->rule.services);
	free(c->group_seen);
	free(c->service_seen);
	free(c->class_seen);
	free(c->family);
	free(c->meetings);
	free(c->by_name);
	free(c->by_mac);
	free(c->by_address);
	free(c->named);
	free(c->hints);
	free(c->authority_order);
	free(c->class_order);
	free(c->device_order);
	free(c->class_number);
	free(c->authority_number);
	free(c->schedule_number);
	free(c->schedule_order);
	free(c->file_text);
	image_build_done(&c->b);
}

/* One more, so that none is asked for nothing. */
#define TABLE(field, n) ((c->field = calloc((n) + 1, sizeof(*c->field))) != NULL)

int
compile_init(struct compile *c, const struct policy *p, const struct image *before, struct mistakes *m)
{
	memset(c, 0, sizeof(*c));
	c->p = p;
	c->before = before;
	c->m = m;
	names_init(&c->authorities);
	names_init(&c->services);
	names_init(&c->groups);
	names_init(&c->schedules);
	names_init(&c->classes);
	names_init(&c->devices);
	names_init(&c->interfaces);
	image_build_init(&c->b);
	if (TABLE(by_name, p->n_devices) && TABLE(by_mac, p->n_devices) && TABLE(device_order, p->n_devices) &&
	    TABLE(named, p->n_classes) && TABLE(class_order, p->n_classes) && TABLE(class_number, p->n_classes) &&
	    TABLE(hints, p->n_classes) && TABLE(class_seen, p->n_classes) && TABLE(family, p->n_classes) &&
	    TABLE(authority_order, p->n_authorities) && TABLE(authority_number, p->n_authorities) &&
	    TABLE(schedule_number, p->n_schedules) && TABLE(schedule_order, p->n_schedules) &&
	    TABLE(group_seen, p->n_groups) && TABLE(service_seen, p->n_services) && TABLE(file_text, p->n_files))
		return 0;
	return -ENOMEM;
}

static int
compile_appliance(struct compile *c)
{
	const struct appliance_decl *a = &c->p->appliance;
	const char **names = calloc(a->n_interfaces + 1, sizeof(*names));
	struct image_appliance out;
	struct image_interface interface;
	size_t i;

	if (names == NULL)
		return -ENOMEM;
	for (i = 0; i < a->n_interfaces; i++)
		names[i] = a->interfaces[i];
	qsort(names, a->n_interfaces, sizeof(*names), image_names_cmp);
	for (i = 0; i < a->n_interfaces; i++) {
		interface.name = image_build_intern(&c->b, names[i]);
		image_build_add(&c->b, IMAGE_INTERFACES, &interface, 1);
	}
	free(names);
	memset(&out, 0, sizeof(out));
	compile_services(c, &out.services);
	out.hook_priority = a->hook_priority;
	out.log_group = a->log_group;
	out.connections = a->connections;
	out.brake_devices = a->brake_devices;
	out.brake_within_s = a->brake_within_s;
	out.window_s = a->window_s;
	out.where = compile_where(c, &a->where);
	image_build_add(&c->b, IMAGE_APPLIANCE, &out, 1);
	return 0;
}

static void
compile_issuer(struct compile *c, const struct issuer_decl *from)
{
	struct image_issuer out;

	memset(&out, 0, sizeof(out));
	out.certificate = image_build_add(&c->b, IMAGE_BLOBS, from->der, from->der_len);
	out.certificate_len = (uint32_t)from->der_len;
	out.role = from->role;
	out.where = compile_where(c, &from->where);
	image_build_add(&c->b, IMAGE_ISSUERS, &out, 1);
}

static uint32_t
text_or_none(struct compile *c, const char *text)
{
	return text != NULL ? image_build_text(&c->b, text) : 0;
}

static void
compile_source(struct compile *c, const struct source_decl *from, uint32_t authority, uint32_t first)
{
	struct image_source out;
	uint32_t url;
	size_t i;

	memset(&out, 0, sizeof(out));
	out.authority = authority;
	out.urls.first = image_build_count(&c->b, IMAGE_URLS);
	out.urls.n = (uint32_t)from->n_urls;
	for (i = 0; i < from->n_urls; i++) {
		url = image_build_text(&c->b, from->urls[i]);
		image_build_add(&c->b, IMAGE_URLS, &url, 1);
	}
	out.flags = from->flags;
	out.base = from->base == SOURCE_NO_BASE ? SOURCE_NO_BASE : first + from->base;
	out.refresh_s = from->refresh_s;
	out.max_bytes = from->max_bytes;
	out.timeout_s = from->timeout_s;
	if (from->ca_der_len > 0) {
		out.ca = image_build_add(&c->b, IMAGE_BLOBS, from->ca_der, from->ca_der_len);
		out.ca_len = (uint32_t)from->ca_der_len;
	}
	out.pin = text_or_none(c, from->pin);
	out.proxy = text_or_none(c, from->proxy);
	out.no_proxy = text_or_none(c, from->no_proxy);
	out.hosts = text_or_none(c, from->hosts);
	out.where = compile_where(c, &from->where);
	image_build_add(&c->b, IMAGE_SOURCES, &out, 1);
}

static void
compile_authority(struct compile *c, const struct authority_decl *a, uint32_t number)
{
	struct image_authority out;
	size_t i;

	memset(&out, 0, sizeof(out));
	out.number = number;
	out.name = image_build_intern(&c->b, a->name);
	out.refresh_s = a->refresh_s;
	out.when_stale = a->when_stale;
	out.when_unchecked = a->when_unchecked;
	out.flags = a->flags;
	out.skew_s = a->skew_s;
	out.grace_s = a->grace_s;
	out.max_age_s = a->max_age_s;
	out.issuers.first = image_build_count(&c->b, IMAGE_ISSUERS);
	out.issuers.n = (uint32_t)a->n_issuers;
	for (i = 0; i < a->n_issuers; i++)
		compile_issuer(c, &a->issuers[i]);
	out.sources.first = image_build_count(&c->b, IMAGE_SOURCES);
	out.sources.n = (uint32_t)a->n_sources;
	for (i = 0; i < a->n_sources; i++)
		compile_source(c, &a->sources[i], number, out.sources.first);
	out.where = compile_where(c, &a->where);
	image_build_add(&c->b, IMAGE_AUTHORITIES, &out, 1);
}

static int
compile_classes(struct compile *c)
{
	const struct appliance_decl *a = &c->p->appliance;
	char name[] = "quarantine";
	struct class_decl quarantine = { .where = a->where, .name = name, .mode = MODE_ENFORCE,
		.rules = a->quarantine, .n_rules = a->n_quarantine };
	size_t i;
	int rc;

	if ((rc = compile_meetings(c)) < 0)
		return rc;
	c->family[0] = &quarantine;
	c->n_family = 1;
	if ((rc = compile_class(c, 0, false)) < 0)
		return rc;
	for (i = 0; i < c->p->n_classes; i++) {
		const struct numbered *n = &c->class_order[i];

		compile_family(c, n->index);
		if ((rc = compile_class(c, n->number, c->named[n->index] != 0)) < 0)
			return rc;
	}
	return 0;
}

void
compile_warnings(struct compile *c)
{
	uint32_t offset;
	size_t i;

	for (i = 0; i < mistakes_kept(c->m->n_warnings); i++) {
		if (c->m->warnings[i] == NULL)
			continue;
		offset = image_build_text(&c->b, c->m->warnings[i]);
		image_build_add(&c->b, IMAGE_WARNINGS, &offset, 1);
	}
}

/* What it is made of; nothing, where a part of that cannot be told. */
void
compile_files(struct compile *c)
{
	const struct policy *p = c->p;
	bool known = p->n_facts == p->n_files && !p->read_always && c->m->n_warnings <= LIMIT_MISTAKES;
	struct image_file file;
	size_t i;

	for (i = 0; i < p->n_files; i++) {
		c->file_text[i] = image_build_intern(&c->b, p->files[i]);
		file = (struct image_file){ .path = c->file_text[i] };
		if (known) {
			file.flags = p->facts[i].plain ? FILE_PLAIN : 0;
			memcpy(file.digest, p->facts[i].digest, sizeof(file.digest));
			image_build_add(&c->b, IMAGE_FILES, &file, 1);
		}
	}
	for (i = 0; known && i < p->n_beside; i++) {
		file = (struct image_file){ .path = image_build_intern(&c->b, p->beside[i].path), .flags = FILE_BESIDE };
		memcpy(file.digest, p->beside[i].digest, sizeof(file.digest));
		image_build_add(&c->b, IMAGE_FILES, &file, 1);
	}
	c->b.settled = known ? (uint32_t)c->settled : 0;
}

static int
compile_write(struct compile *c, uint8_t **out, size_t *len)
{
	size_t i;
	int rc;

	compile_files(c);
	if ((rc = compile_numbers(c)) < 0 || (rc = compile_appliance(c)) < 0)
		return rc;
	for (i = 0; i < c->p->n_authorities; i++)
		compile_authority(c, &c->p->authorities[c->authority_order[i].index],
		    c->authority_order[i].number);
	compile_schedules(c);
	if ((rc = compile_classes(c)) < 0 || (rc = compile_devices(c)) < 0)
		return rc;
	compile_warnings(c);
	if (c->m->n > 0)
		return -EINVAL;
	return image_build_finish(&c->b, out, len);
}

int
compile_policy(const struct policy *p, const struct image *before, struct mistakes *m, uint8_t **out,
    size_t *len)
{
	struct compile c;
	int rc;

	if ((rc = compile_init(&c, p, before, m)) < 0 || (rc = compile_check(&c)) < 0)
		goto out;
	rc = m->n > 0 ? -EINVAL : compile_write(&c, out, len);
	if (rc == -EFBIG) {
		mistakes_add(m, NULL, 0, "the policy makes an image of more than %u MiB: use fewer, wider rules",
		    LIMIT_IMAGE_BYTES >> 20);
		rc = -EINVAL;
	}
out:
	compile_done(&c);
	return rc;
}

int
compile_empty(uint8_t **out, size_t *len)
{
	struct policy *p = policy_new();
	struct mistakes m;
	struct compile c;
	int rc = -ENOMEM;

	mistakes_init(&m);
	if (p == NULL)
		goto out;
	/* Not checked: having no device interface is a mistake in what people write. */
	if ((rc = compile_init(&c, p, NULL, &m)) == 0 && (rc = compile_graphs(&c)) == 0)
		rc = compile_write(&c, out, len);
	compile_done(&c);
out:
	mistakes_done(&m);
	policy_free(p);
	return rc;
}
