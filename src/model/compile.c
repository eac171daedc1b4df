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
	free(c->restricts);
	free(c->remedies);
	free(c->remedy_number);
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
	    TABLE(named, p->n_classes) && TABLE(class_order, 2 * p->n_classes) && TABLE(class_number, p->n_classes) &&
	    TABLE(restricts, p->n_classes) && TABLE(remedies, p->n_classes) && TABLE(remedy_number, p->n_classes) &&
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

/* The class of its own where a class's devices stand in quarantine: what all may reach
 * there, then what those may. */
static int
compile_remedies(struct compile *c, const struct class_decl *common, uint32_t index, uint32_t number)
{
	char name[CLASS_REMEDY_NAME];
	struct class_decl *parts;
	struct image_class out = { .number = number, .hints = CLASS_QUARANTINE };
	size_t i;
	int rc;

	compile_family(c, index);
	if ((parts = calloc(c->n_family + 1, sizeof(*parts))) == NULL)
		return -ENOMEM;
	compile_remedy_name(c->p->classes[index].name, name);
	parts[0] = *common;
	parts[0].where = c->p->classes[index].where;
	parts[0].name = name;
	for (i = 0; i < c->n_family; i++) {
		parts[i + 1].rules = c->family[i]->quarantine;
		parts[i + 1].n_rules = c->family[i]->n_quarantine;
	}
	c->n_family++;
	for (i = 0; i < c->n_family; i++)
		c->family[i] = &parts[i];
	rc = compile_class(c, &out);
	free(parts);
	return rc;
}

static int
compile_classes(struct compile *c)
{
	const struct appliance_decl *a = &c->p->appliance;
	char name[] = "quarantine";
	struct class_decl quarantine = { .where = a->where, .name = name, .mode = MODE_ENFORCE,
		.rules = a->quarantine, .n_rules = a->n_quarantine };
	struct image_class out = { .number = 0 };
	size_t i, n = c->p->n_classes;
	int rc;

	if ((rc = compile_meetings(c)) < 0)
		return rc;
	c->family[0] = &quarantine;
	c->n_family = 1;
	rc = compile_class(c, &out);
	for (i = 0; rc == 0 && i < n + c->n_remedies; i++) {
		const struct numbered *at = &c->class_order[i];

		if (at->index >= n) {
			rc = compile_remedies(c, &quarantine, at->index - (uint32_t)n, at->number);
			continue;
		}
		compile_family(c, at->index);
		out = (struct image_class){ .number = at->number, .named = c->named[at->index],
			.hints = c->hints[at->index], .quarantine = c->remedy_number[at->index] };
		rc = compile_class(c, &out);
	}
	return rc;
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
	int rc;

	compile_files(c);
	if ((rc = compile_numbers(c)) < 0 || (rc = compile_appliance(c)) < 0)
		return rc;
	compile_authorities(c);
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
