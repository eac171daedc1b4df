/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe_devices.c -- what changes of devices; and all changes in elements. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "model/describe_parts.h"
#include "model/diff.h"

/* ---- words -------------------------------------------------------------- */

#define LIST_TEXT 512

static const char *
identity_text(const struct image_device *x, char buf[LIST_TEXT])
{
	char text[MAC_STRLEN];
	struct mac mac;

	memcpy(mac.bytes, x->mac, sizeof(mac.bytes));
	switch ((enum device_identity)x->identity) {
	case IDENTITY_OWN:
		snprintf(buf, LIST_TEXT, "%s", mac_format(&mac, text));
		break;
	case IDENTITY_VIA:
		snprintf(buf, LIST_TEXT, "behind %s", mac_format(&mac, text));
		break;
	case IDENTITY_ROUTED:
		snprintf(buf, LIST_TEXT, "behind a router");
		break;
	}
	return buf;
}

static const char *
address_list(const struct image *im, const struct image_device *x, char buf[LIST_TEXT])
{
	size_t at = 0;

	snprintf(buf, LIST_TEXT, "none");
	for (uint32_t i = 0; i < x->addresses.n && at < LIST_TEXT; i++) {
		const struct image_address *from = &im->addresses[x->addresses.first + i];
		struct addr a = { .family = from->family };
		char text[ADDR_STRLEN], prefix[8] = "";

		memcpy(a.bytes, from->bytes, sizeof(a.bytes));
		if (from->prefix < 8 * addr_len(from->family))
			snprintf(prefix, sizeof(prefix), "/%u", from->prefix);
		at += (size_t)snprintf(buf + at, LIST_TEXT - at, "%s%s%s", i > 0 ? ", " : "", addr_format(&a, text),
		    prefix);
	}
	return buf;
}

static const char *
label_list(const struct image *im, const struct image_device *x, char buf[LIST_TEXT])
{
	size_t at = 0;

	snprintf(buf, LIST_TEXT, "none");
	for (uint32_t i = 0; i < x->labels.n && at < LIST_TEXT; i++)
		at += (size_t)snprintf(buf + at, LIST_TEXT - at, "%s%s", i > 0 ? ", " : "",
		    image_text(im, im->labels[x->labels.first + i]));
	return buf;
}

static const char *
interface_text(const struct image *im, const struct image_device *x)
{
	return x->interface != 0 ? image_text(im, x->interface) : "any";
}

static bool
same_certificates(const struct image *im, const struct image_device *x, const struct image *jm,
    const struct image_device *y)
{
	if (x->certificates.n != y->certificates.n)
		return false;
	for (uint32_t i = 0; i < x->certificates.n; i++) {
		const struct image_certificate *a = &im->certificates[x->certificates.first + i];
		const struct image_certificate *b = &jm->certificates[y->certificates.first + i];

		if (a->authority != b->authority || a->serial_len != b->serial_len ||
		    memcmp(a->serial, b->serial, a->serial_len) != 0 || a->chain_len != b->chain_len ||
		    memcmp(im->blobs + a->chain, jm->blobs + b->chain, a->chain_len) != 0)
			return false;
	}
	return true;
}

/* ---- devices ------------------------------------------------------------ */

typedef const char *list_fn(const struct image *, const struct image_device *, char buf[LIST_TEXT]);

static void
list(struct describer *d, const char *key, list_fn *text, const struct image_device *x, const struct image_device *y)
{
	char from[LIST_TEXT], to[LIST_TEXT];

	if (strcmp(text(d->old, x, from), text(d->next, y, to)) != 0)
		describe_say(d, DESCRIBED_CHANGES, d->next, &y->where, "%s: %s -> %s", key, from, to);
}

static const char *
class_name(const struct image *im, const struct image_device *x)
{
	return image_text(im, image_class(im, x->class_number)->name);
}

static void
certificates(struct describer *d, const struct image_device *x, const struct image_device *y)
{
	if (x->certificates.n == y->certificates.n)
		describe_say(d, DESCRIBED_CHANGES, d->next, &y->where, "another certificate");
	else
		describe_say(d, DESCRIBED_CHANGES, d->next, &y->where, "certificates: %u -> %u", x->certificates.n,
		    y->certificates.n);
}

static void
changed(struct describer *d, const struct image_device *x, const struct image_device *y)
{
	char from[LIST_TEXT], to[LIST_TEXT];

	if (strcmp(class_name(d->old, x), class_name(d->next, y)) != 0)
		describe_say(d, DESCRIBED_CHANGES, d->next, &y->where, "class: %s -> %s", class_name(d->old, x),
		    class_name(d->next, y));
	if (x->identity != y->identity || memcmp(x->mac, y->mac, sizeof(x->mac)) != 0)
		describe_say(d, DESCRIBED_CHANGES, d->next, &y->where, "identity: %s -> %s", identity_text(x, from),
		    identity_text(y, to));
	list(d, "addresses", address_list, x, y);
	if (strcmp(interface_text(d->old, x), interface_text(d->next, y)) != 0)
		describe_say(d, DESCRIBED_CHANGES, d->next, &y->where, "interface: %s -> %s",
		    interface_text(d->old, x), interface_text(d->next, y));
	if (!same_certificates(d->old, x, d->next, y))
		certificates(d, x, y);
	if (x->flags != y->flags)
		describe_say(d, DESCRIBED_CHANGES, d->next, &y->where, "%s", (y->flags & DEVICE_CRITICAL) != 0 ?
		    "critical: only a person quarantines it" : "no longer critical");
	list(d, "labels", label_list, x, y);
}

/* Both images have their devices by name. */
void
describe_devices(struct describer *d)
{
	uint32_t nx = d->old != NULL ? d->old->n[IMAGE_DEVICES] : 0, ny = d->next->n[IMAGE_DEVICES];
	uint32_t i = 0, j = 0;

	d->area = DESCRIBED_DEVICE;
	while (d->rc == 0 && (i < nx || j < ny)) {
		const struct image_device *x = i < nx ? &d->old->devices[d->old->by_name[i]] : NULL;
		const struct image_device *y = j < ny ? &d->next->devices[d->next->by_name[j]] : NULL;
		int c = x == NULL ? 1 : y == NULL ? -1 :
		    strcmp(image_text(d->old, x->name), image_text(d->next, y->name));

		d->name = c < 0 ? image_text(d->old, x->name) : image_text(d->next, y->name);
		if (c < 0)
			describe_say(d, DESCRIBED_GOES, d->old, &x->where, "device taken away (class %s)",
			    class_name(d->old, x));
		else if (c > 0)
			describe_say(d, DESCRIBED_COMES, d->next, &y->where, "new device in class %s",
			    class_name(d->next, y));
		else
			changed(d, x, y);
		i += c <= 0;
		j += c >= 0;
	}
}

/* ---- elements ----------------------------------------------------------- */

struct counted {
	struct set_ref set;
	uint32_t added, removed;
};

struct counts {
	struct counted *c;
	size_t n, room;
	size_t last;
	struct described_elements *out;
};

/* Where it is, or shall be. */
static size_t
find(const struct counts *l, const struct set_ref *ref)
{
	size_t low = 0, high = l->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (set_ref_order(&l->c[mid].set, ref) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct counted *
count_of(struct counts *l, const struct set_ref *ref)
{
	size_t i = l->last < l->n && set_ref_equal(&l->c[l->last].set, ref) ? l->last : find(l, ref);

	l->last = i;
	if (i < l->n && set_ref_equal(&l->c[i].set, ref))
		return &l->c[i];
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		struct counted *p = reallocarray(l->c, room, sizeof(*p));

		if (p == NULL)
			return NULL;
		l->c = p;
		l->room = room;
	}
	memmove(&l->c[i + 1], &l->c[i], (l->n - i) * sizeof(*l->c));
	l->n++;
	l->c[i] = (struct counted){ .set = *ref };
	return &l->c[i];
}

static int
on_added(void *arg, const struct element *e)
{
	struct counts *l = arg;
	struct counted *c = count_of(l, &e->set);

	if (c == NULL)
		return -ENOMEM;
	c->added++;
	l->out->added++;
	return 0;
}

static int
on_removed(void *arg, const struct element *e)
{
	struct counts *l = arg;
	struct counted *c = count_of(l, &e->set);

	if (c == NULL)
		return -ENOMEM;
	c->removed++;
	l->out->removed++;
	return 0;
}

static int
on_set(void *arg, const struct set_ref *ref)
{
	(void)arg;
	(void)ref;
	return 0;
}

static int
on_chain(void *arg, const struct chain_ref *ref)
{
	(void)arg;
	(void)ref;
	return 0;
}

static int
on_rule(void *arg, const struct chain_ref *ref, const struct rule_ir *r)
{
	(void)arg;
	(void)ref;
	(void)r;
	return 0;
}

static const struct diff_sink counting = {
	.del_element = on_removed, .add_element = on_added,
	.add_set = on_set, .del_set = on_set,
	.add_chain = on_chain, .del_chain = on_chain, .flush_chain = on_chain,
	.add_rule = on_rule,
};

static int
count(const struct image *old, const struct station *was, const struct image *next, const struct station *is,
    struct features features, struct counts *l)
{
	struct ruleset y = ruleset_make(next, is, features), x;
	int rc;

	if (old == NULL)
		return diff_rulesets(NULL, &y, &counting, l);
	x = ruleset_make(old, was, features);
	l->out->anew = ruleset_capacity(old) != ruleset_capacity(next) ||
	    old->appliance->hook_priority != next->appliance->hook_priority;
	if (!l->out->anew)
		return diff_rulesets(&x, &y, &counting, l);
	rc = ruleset_each_element(&x, on_removed, l);
	return rc != 0 ? rc : ruleset_each_element(&y, on_added, l);
}

int
describe_elements(const struct image *old, const struct station *stations, const struct image *next,
    struct features features, described_set_fn *fn, void *arg, struct described_elements *out)
{
	uint32_t nx = old != NULL ? old->n[IMAGE_DEVICES] : 0, ny = next->n[IMAGE_DEVICES];
	struct station *was = calloc((size_t)nx + 1, sizeof(*was)), *is = calloc((size_t)ny + 1, sizeof(*is));
	bool *wrapped = calloc((size_t)ny + 1, sizeof(*wrapped));
	struct counts l = { .out = out };
	char name[SET_NAMELEN];
	int rc = -ENOMEM;

	memset(out, 0, sizeof(*out));
	if (was == NULL || is == NULL || wrapped == NULL)
		goto done;
	for (uint32_t i = 0; i < nx; i++)
		was[i] = stations != NULL ? stations[i] :
		    (struct station){ .number = old->devices[i].number, .generation = 1 };
	for (uint32_t i = 0; i < ny; i++)
		is[i] = (struct station){ .number = next->devices[i].number, .generation = 1 };
	if (old != NULL)
		diff_stations(old, was, next, is, wrapped, &out->renewed);
	rc = count(old, was, next, is, features, &l);
	for (size_t i = 0; rc == 0 && i < l.n; i++)
		rc = fn(arg, set_name(&l.c[i].set, name), l.c[i].added, l.c[i].removed);
done:
	free(l.c);
	free(was);
	free(is);
	free(wrapped);
	return rc;
}
