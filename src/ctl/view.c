/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view.c -- the running policy with its names, and where everything stands.
 * Both come as sealed memory from cordond; nothing is used before it is
 * checked, since indices and lengths are what a wrong version gets wrong. */
#include "ctl/view.h"

#include <errno.h>
#include <string.h>

#include "common/file.h"

/* An apply between the two questions is rare; several in a row are not one. */
#define TRIES_MAX 5

static size_t
snapshot_size(const struct snapshot_header *h)
{
	return sizeof(*h) + (size_t)h->devices * sizeof(struct snapshot_device) +
	    (size_t)h->sources * sizeof(struct pki_source) +
	    (size_t)h->authorities * sizeof(struct pki_authority);
}

static const char *
device_fault(const struct snapshot_device *d, uint32_t number)
{
	if (d->number != number)
		return "its devices are not those of the policy";
	if (d->where > STATION_RESTRICTED)
		return "a device stands nowhere";
	if (d->serial_len > sizeof(d->serial) || d->crl_number_len > sizeof(d->crl_number))
		return "a serial or a CRL number is too long";
	if (memchr(d->words, '\0', sizeof(d->words)) == NULL)
		return "an operator's words have no end";
	return NULL;
}

static const char *
source_fault(const struct pki_source *s, uint32_t i)
{
	/* Until cordon-pki told of it, its record is empty. */
	bool untold = s->state == SOURCE_NEVER && s->source == 0 && s->last_try == 0;

	if (s->source != i && !untold)
		return "its sources are not those of the policy";
	if (s->number_len > sizeof(s->number))
		return "a CRL number is too long";
	return NULL;
}

static const char *
authority_fault(const struct pki_authority *a, uint32_t number)
{
	return a->authority != number && a->authority != 0 ? "its authorities are not those of the policy" : NULL;
}

int
view_check_snapshot(const void *data, size_t len, const struct image *im, const char **why)
{
	const struct snapshot_header *h = data;
	const struct snapshot_device *devices = (const void *)(h + 1);
	const struct pki_authority *authorities;
	const struct pki_source *sources;
	uint32_t i;

	*why = NULL;
	if (len < sizeof(*h) || h->magic != SNAPSHOT_MAGIC)
		*why = "it does not begin like one";
	else if (h->devices > LIMIT_DEVICES || h->sources > LIMIT_SOURCES || h->authorities > LIMIT_AUTHORITIES ||
	    len != snapshot_size(h))
		*why = "its length is wrong";
	else if (h->devices != im->n[IMAGE_DEVICES] || h->sources != im->n[IMAGE_SOURCES] ||
	    h->authorities != im->n[IMAGE_AUTHORITIES])
		*why = "it has another number of devices, sources or authorities than the policy";
	if (*why != NULL)
		return -EBADMSG;
	for (i = 0; i < h->devices && *why == NULL; i++)
		*why = device_fault(&devices[i], im->devices[i].number);
	sources = (const void *)(devices + h->devices);
	for (i = 0; i < h->sources && *why == NULL; i++)
		*why = source_fault(&sources[i], i);
	authorities = (const void *)(sources + h->sources);
	for (i = 0; i < h->authorities && *why == NULL; i++)
		*why = authority_fault(&authorities[i], im->authorities[i].number);
	return *why == NULL ? 0 : -EBADMSG;
}

static void
close_image(struct view *v)
{
	if (v->image_data != NULL)
		memfile_unmap(v->image_data, v->image_len);
	v->image_data = NULL;
}

static void
close_snapshot(struct view *v)
{
	if (v->head != NULL)
		memfile_unmap(v->head, v->snapshot_len);
	v->head = NULL;
}

void
view_close(struct view *v)
{
	close_snapshot(v);
	close_image(v);
}

static int
fetch_image(struct client *cl, struct view *v, const char **why)
{
	struct ctl_empty nothing = { 0 };
	struct image_ref ref;
	int rc;

	if ((rc = client_ask(cl, MSG_CTL_IMAGE, &nothing, sizeof(nothing), MSG_IMAGE,
	    CLIENT_TIMEOUT_MS)) < 0)
		return rc;
	memcpy(&ref, cl->answer.payload, sizeof(ref));
	if ((rc = memfile_map(cl->answer.fd, LIMIT_IMAGE_BYTES, &v->image_data, &v->image_len)) < 0) {
		v->image_data = NULL;
		*why = "the policy image cannot be mapped";
		return rc;
	}
	v->revision = ref.revision;
	return image_open_checked(v->image_data, v->image_len, &v->image, why);
}

/* -ESTALE: the state is of another revision than the image. */
static int
fetch_snapshot(struct client *cl, struct view *v, const char **why)
{
	/* What the largest fleet and its sources fill. */
	const struct snapshot_header most = { .devices = LIMIT_DEVICES, .sources = LIMIT_SOURCES,
		.authorities = LIMIT_AUTHORITIES };
	struct ctl_empty nothing = { 0 };
	const void *data;
	int rc;

	if ((rc = client_ask(cl, MSG_CTL_STATE, &nothing, sizeof(nothing), MSG_CTL_STATE_IS,
	    CLIENT_TIMEOUT_MS)) < 0)
		return rc;
	if ((rc = memfile_map(cl->answer.fd, snapshot_size(&most), &data, &v->snapshot_len)) < 0) {
		*why = "the snapshot cannot be mapped";
		return rc;
	}
	v->head = data;
	if (v->snapshot_len >= sizeof(*v->head) && v->head->magic == SNAPSHOT_MAGIC &&
	    v->head->revision != v->revision)
		rc = -ESTALE;
	else
		rc = view_check_snapshot(data, v->snapshot_len, &v->image, why);
	if (rc < 0) {
		close_snapshot(v);
		return rc;
	}
	v->devices = (const void *)(v->head + 1);
	v->sources = (const void *)(v->devices + v->head->devices);
	v->authorities = (const void *)(v->sources + v->head->sources);
	return 0;
}

static int
open_failed(struct ctl *c, struct view *v, int rc, const char *why)
{
	view_close(v);
	if (rc == -ESTALE)
		return ctl_fail(c, EXIT_MISTAKES, "the policy changes faster than it can be read: try again");
	if (why != NULL)
		return ctl_fail(c, EXIT_MISTAKES, "cordond's answer makes no sense (%s): are cordonctl and the "
		    "running cordond of the same version?", why);
	return client_fail(c, rc, "policy and state");
}

int
view_open(struct ctl *c, struct client *cl, struct view *v)
{
	const char *why = NULL;
	int i, rc = -ESTALE;

	memset(v, 0, sizeof(*v));
	for (i = 0; i < TRIES_MAX && rc == -ESTALE; i++) {
		close_image(v);
		if ((rc = fetch_image(cl, v, &why)) == 0)
			rc = fetch_snapshot(cl, v, &why);
	}
	return rc == 0 ? 0 : open_failed(c, v, rc, why);
}

int
view_with(struct ctl *c, view_fn *fn)
{
	struct client cl;
	struct view v;
	int rc;

	if ((rc = client_open(c, &cl)) != 0)
		return rc;
	if ((rc = view_open(c, &cl, &v)) == 0) {
		rc = fn(c, &cl, &v);
		view_close(&v);
	}
	client_close(&cl);
	return rc;
}

int
view_refresh(struct client *cl, struct view *v)
{
	const char *why = NULL;

	close_snapshot(v);
	return fetch_snapshot(cl, v, &why);
}

/* ---- names -------------------------------------------------------------- */

static const char *
device_name(const void *arg, size_t i)
{
	const struct image *im = arg;

	return image_text(im, im->devices[i].name);
}

static const char *
class_name(const void *arg, size_t i)
{
	const struct image *im = arg;

	return image_text(im, im->classes[i].name);
}

static const char *
authority_name(const void *arg, size_t i)
{
	const struct image *im = arg;

	return image_text(im, im->authorities[i].name);
}

static int
not_found(struct ctl *c, const struct view *v, const char *noun, const char *name,
    enum image_section section, const char *(*get)(const void *, size_t))
{
	const char *near = args_nearest(name, v->image.n[section], get, &v->image);

	if (near != NULL)
		return ctl_fail(c, EXIT_MISTAKES, "no %s \"%s\" in the running policy (revision %llu); "
		    "did you mean \"%s\"?", noun, name, (unsigned long long)v->revision, near);
	return ctl_fail(c, EXIT_MISTAKES, "no %s \"%s\" in the running policy (revision %llu): "
	    "see `cordonctl %s list'", noun, name, (unsigned long long)v->revision,
	    section == IMAGE_AUTHORITIES ? "crl" : noun);
}

const struct image_device *
view_device(struct ctl *c, const struct view *v, const char *name, int *exit)
{
	const struct image_device *d = image_device_named(&v->image, name);

	if (d == NULL)
		*exit = not_found(c, v, "device", name, IMAGE_DEVICES, device_name);
	return d;
}

const struct image_class *
view_class(struct ctl *c, const struct view *v, const char *name, int *exit)
{
	const struct image_class *class = image_class_named(&v->image, name);

	if (class == NULL)
		*exit = not_found(c, v, "class", name, IMAGE_CLASSES, class_name);
	return class;
}

const struct image_authority *
view_authority(struct ctl *c, const struct view *v, const char *name, int *exit)
{
	const struct image_authority *a = image_authority_named(&v->image, name);

	if (a == NULL)
		*exit = not_found(c, v, "authority", name, IMAGE_AUTHORITIES, authority_name);
	return a;
}

const struct snapshot_device *
view_state(const struct view *v, const struct image_device *d)
{
	return &v->devices[d - v->image.devices];
}

const char *
view_class_name(const struct view *v, uint32_t number)
{
	const struct image_class *class = image_class(&v->image, number);

	return class != NULL ? image_text(&v->image, class->name) : "?";
}

const char *
view_authority_name(const struct view *v, uint32_t number)
{
	const struct image_authority *a = image_authority(&v->image, number);

	return a != NULL ? image_text(&v->image, a->name) : "?";
}
