/* SPDX-License-Identifier: GPL-2.0-or-later */
/* view.h -- the running policy with its names, and where everything stands. */
#ifndef CORDON_CTL_VIEW_H
#define CORDON_CTL_VIEW_H

#include <stddef.h>
#include <stdint.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "model/image.h"
#include "proto/snapshot.h"

struct view {
	struct image image;
	uint64_t revision;
	const void *image_data;		/* mapped */
	size_t image_len;
	const struct snapshot_header *head;	/* mapped */
	size_t snapshot_len;
	const struct snapshot_device *devices;	/* parallel to image.devices */
	const struct pki_source *sources;	/* parallel to image.sources */
	const struct pki_authority *authorities;	/* parallel to image.authorities */
};

/* Is this a snapshot, whole, and of this image? 0, -EBADMSG with the reason. */
int view_check_snapshot(const void *data, size_t len, const struct image *, const char **why);

/* Ask for image and state until both are of one revision. 0, or the exit
 * code, said already. */
int view_open(struct ctl *, struct client *, struct view *);
void view_close(struct view *);

/* Connect, open the view, run fn, close both. Returns the exit code. */
typedef int view_fn(struct ctl *, struct client *, struct view *);
int view_with(struct ctl *, view_fn *);

/* The state again, of the same image: 0, -ESTALE when the policy has changed, -errno. */
int view_refresh(struct client *, struct view *);

/* Find by name, or say which name is near; NULL when said. *exit is the code then. */
const struct image_device *view_device(struct ctl *, const struct view *, const char *name, int *exit);
const struct image_class *view_class(struct ctl *, const struct view *, const char *name, int *exit);
const struct image_authority *view_authority(struct ctl *, const struct view *, const char *name, int *exit);

/* Where that device of the image stands. */
const struct snapshot_device *view_state(const struct view *, const struct image_device *);

/* The name of a class or authority by its number; "?" for none. */
const char *view_class_name(const struct view *, uint32_t number);
const char *view_authority_name(const struct view *, uint32_t number);

#endif
