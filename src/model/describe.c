/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe.c -- what changes of the appliance, its authorities, schedules and
 * classes. Things are the same when they are called the same. */
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/describe_parts.h"
#include "model/words.h"

#define TEXT_MAX 1024

void
describe_say(struct describer *d, enum described_sign sign, const struct image *im, const struct image_where *where,
    const char *fmt, ...)
{
	char text[TEXT_MAX];
	struct described line = { .area = d->area, .sign = sign, .name = d->name, .text = text,
		.file = where != NULL ? image_text(im, where->file) : "", .line = where != NULL ? where->line : 0 };
	va_list ap;

	if (d->rc != 0)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->rc = d->fn(d->arg, &line);
}

const char *
describe_service(const struct image_box *b, char buf[SERVICE_TEXT])
{
	const char *name = NULL;

	switch ((enum box_kind)b->kind) {
	case BOX_PORTS:
		snprintf(buf, SERVICE_TEXT, b->low == b->high ? "%s %u" : "%s %u-%u", port_protocol_name(b->protocol),
		    b->low, b->high);
		break;
	case BOX_ICMP:
		if (b->low == b->high)
			name = icmp_type_name(b->protocol, (uint8_t)b->low);
		if (name != NULL)
			snprintf(buf, SERVICE_TEXT, "%s %s", b->protocol == IPPROTO_ICMP ? "icmp" : "icmpv6", name);
		else
			snprintf(buf, SERVICE_TEXT, b->low == b->high ? "%s %u" : "%s %u-%u",
			    b->protocol == IPPROTO_ICMP ? "icmp" : "icmpv6", b->low, b->high);
		break;
	case BOX_PROTOCOL:
		if ((name = protocol_name(b->protocol)) != NULL)
			snprintf(buf, SERVICE_TEXT, "%s", name);
		else
			snprintf(buf, SERVICE_TEXT, "protocol %u", b->protocol);
		break;
	case BOX_ANY:
	case BOX_KINDS:
		snprintf(buf, SERVICE_TEXT, "anything");
		break;
	}
	return buf;
}

/* ---- the appliance ------------------------------------------------------ */

static bool
has_interface(const struct image *im, const char *name)
{
	for (uint32_t i = 0; im != NULL && i < im->n[IMAGE_INTERFACES]; i++)
		if (strcmp(image_text(im, im->interfaces[i].name), name) == 0)
			return true;
	return false;
}

static void
interfaces(struct describer *d, const struct image *im, const struct image *other, enum described_sign sign)
{
	for (uint32_t i = 0; im != NULL && i < im->n[IMAGE_INTERFACES]; i++) {
		const char *name = image_text(im, im->interfaces[i].name);

		if (!has_interface(other, name))
			describe_say(d, sign, im, &im->appliance->where, sign == DESCRIBED_COMES ?
			    "%s becomes a device interface" : "%s is no device interface any more", name);
	}
}

static bool
has_box(const struct image *im, struct image_slice s, const struct image_box *b)
{
	for (uint32_t i = 0; i < s.n; i++)
		if (memcmp(&im->boxes[s.first + i], b, sizeof(*b)) == 0)
			return true;
	return false;
}

static void
services(struct describer *d, const struct image *im, const struct image *other, enum described_sign sign)
{
	char text[SERVICE_TEXT];

	for (uint32_t i = 0; im != NULL && i < im->appliance->services.n; i++) {
		const struct image_box *b = &im->boxes[im->appliance->services.first + i];

		if (other == NULL || !has_box(other, other->appliance->services, b))
			describe_say(d, sign, im, &im->appliance->where, sign == DESCRIBED_COMES ?
			    "devices may ask the appliance itself: %s" :
			    "devices may no longer ask the appliance itself: %s", describe_service(b, text));
	}
}

static void
number(struct describer *d, const char *key, int64_t x, int64_t y)
{
	if (x != y)
		describe_say(d, DESCRIBED_CHANGES, d->next, &d->next->appliance->where, "%s: %lld -> %lld", key,
		    (long long)x, (long long)y);
}

static void
duration(struct describer *d, const char *key, uint32_t x, uint32_t y)
{
	char from[DURATION_STRLEN], to[DURATION_STRLEN];

	if (x != y)
		describe_say(d, DESCRIBED_CHANGES, d->next, &d->next->appliance->where, "%s: %s -> %s", key,
		    duration_format(x, from), duration_format(y, to));
}

static void
appliance(struct describer *d)
{
	const struct image_appliance *x, *y = d->next->appliance;

	d->area = DESCRIBED_APPLIANCE;
	d->name = "";
	interfaces(d, d->old, d->next, DESCRIBED_GOES);
	interfaces(d, d->next, d->old, DESCRIBED_COMES);
	services(d, d->old, d->next, DESCRIBED_GOES);
	services(d, d->next, d->old, DESCRIBED_COMES);
	if (d->old == NULL)
		return;
	x = d->old->appliance;
	number(d, "hook_priority", x->hook_priority, y->hook_priority);
	number(d, "log_group", x->log_group, y->log_group);
	number(d, "connections", x->connections, y->connections);
	number(d, "brake: devices", x->brake_devices, y->brake_devices);
	duration(d, "brake: within", x->brake_within_s, y->brake_within_s);
	duration(d, "window", x->window_s, y->window_s);
}

/* ---- schedules ---------------------------------------------------------- */

static const struct image_schedule *
schedule_named(const struct image *im, const char *name)
{
	for (uint32_t i = 0; im != NULL && i < im->n[IMAGE_SCHEDULES]; i++)
		if (strcmp(image_text(im, im->schedules[i].name), name) == 0)
			return &im->schedules[i];
	return NULL;
}

#define TIMES_TEXT 128

/* "Mon Thu 02:00-04:00 Europe/Berlin" */
static const char *
times(const struct image *im, const struct image_schedule *s, char buf[TIMES_TEXT])
{
	static const char *const days[] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
	size_t at = 0;

	for (int i = 0; i < 7; i++)
		if (s->days & 1U << i)
			at += (size_t)snprintf(buf + at, TIMES_TEXT - at, "%s ", days[i]);
	snprintf(buf + at, TIMES_TEXT - at, "%02u:%02u-%02u:%02u %.60s", s->from_s / 3600, s->from_s / 60 % 60,
	    s->to_s / 3600, s->to_s / 60 % 60, image_text(im, s->zone));
	return buf;
}

/* Its windows go on by themselves as time does: what counts is what was declared. */
static void
schedules(struct describer *d)
{
	char from[TIMES_TEXT], to[TIMES_TEXT];

	d->area = DESCRIBED_SCHEDULE;
	for (uint32_t i = 0; d->old != NULL && i < d->old->n[IMAGE_SCHEDULES]; i++) {
		d->name = image_text(d->old, d->old->schedules[i].name);
		if (schedule_named(d->next, d->name) == NULL)
			describe_say(d, DESCRIBED_GOES, d->old, &d->old->schedules[i].where, "schedule taken away");
	}
	for (uint32_t i = 0; i < d->next->n[IMAGE_SCHEDULES]; i++) {
		const struct image_schedule *y = &d->next->schedules[i], *x;

		d->name = image_text(d->next, y->name);
		times(d->next, y, to);
		if ((x = schedule_named(d->old, d->name)) == NULL)
			describe_say(d, DESCRIBED_COMES, d->next, &y->where, "new schedule: %s", to);
		else if (strcmp(times(d->old, x, from), to) != 0)
			describe_say(d, DESCRIBED_CHANGES, d->next, &y->where, "%s -> %s", from, to);
	}
}

/* ---- classes ------------------------------------------------------------ */

static const char *
mode_word(uint32_t mode)
{
	return mode == MODE_AUDIT ? "audit" : "enforce";
}

static const char *
refuse_word(uint32_t refuse)
{
	return refuse == REFUSE_REJECT ? "reject" : "drop";
}

#define RATE_TEXT 64

static const char *
rate_text(const struct image_class *c, char buf[RATE_TEXT])
{
	if (c->rate == 0)
		snprintf(buf, RATE_TEXT, "no bound");
	else
		snprintf(buf, RATE_TEXT, "%u per second, burst %u", c->rate, c->rate_burst);
	return buf;
}

static void
class(struct describer *d, const struct image_class *x, const struct image_class *y)
{
	char from[RATE_TEXT], to[RATE_TEXT];

	d->name = y != NULL ? image_text(d->next, y->name) : image_text(d->old, x->name);
	if (x == NULL) {
		describe_say(d, DESCRIBED_COMES, d->next, &y->where, "new class, mode %s, refuse %s, rate: %s",
		    mode_word(y->mode), refuse_word(y->refuse), rate_text(y, to));
	} else if (y == NULL) {
		describe_say(d, DESCRIBED_GOES, d->old, &x->where, "class taken away");
		return;
	} else {
		if (x->mode != y->mode)
			describe_say(d, DESCRIBED_CHANGES, d->next, &y->where, "mode: %s -> %s", mode_word(x->mode),
			    mode_word(y->mode));
		if (x->refuse != y->refuse)
			describe_say(d, DESCRIBED_CHANGES, d->next, &y->where, "refuse: %s -> %s",
			    refuse_word(x->refuse), refuse_word(y->refuse));
		if (x->rate != y->rate || x->rate_burst != y->rate_burst)
			describe_say(d, DESCRIBED_CHANGES, d->next, &y->where, "rate: %s -> %s", rate_text(x, from),
			    rate_text(y, to));
	}
	describe_rules(d, x, y);
	describe_remedies(d, x, y);
}

/* Those of quarantine are told with the class they belong to. */
static void
classes(struct describer *d)
{
	d->area = DESCRIBED_CLASS;
	for (uint32_t i = 0; d->old != NULL && i < d->old->n[IMAGE_CLASSES]; i++)
		if ((d->old->classes[i].hints & CLASS_QUARANTINE) == 0 &&
		    image_class_named(d->next, image_text(d->old, d->old->classes[i].name)) == NULL)
			class(d, &d->old->classes[i], NULL);
	for (uint32_t i = 0; i < d->next->n[IMAGE_CLASSES]; i++) {
		const struct image_class *y = &d->next->classes[i];

		if ((y->hints & CLASS_QUARANTINE) == 0)
			class(d, d->old == NULL ? NULL : image_class_named(d->old, image_text(d->next, y->name)), y);
	}
}

int
describe_policies(const struct image *old, const struct image *next, described_fn *fn, void *arg)
{
	struct describer d = { .old = old, .next = next, .fn = fn, .arg = arg };

	appliance(&d);
	describe_authorities(&d);
	schedules(&d);
	classes(&d);
	describe_devices(&d);
	return d.rc;
}
