/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lift.h -- devices out of an image, back into the policy they were compiled from,
 * so that the files they stand in need not be read again. */
#ifndef CORDON_MODEL_LIFT_H
#define CORDON_MODEL_LIFT_H

#include "model/policy.h"

#define LIFT_NONE UINT32_MAX

/* Files of a policy and of the image it comes after: the same, in the same order. */
struct lift {
	const struct image *im;
	uint32_t n_files;		/* of the image, that are configuration */
	uint32_t *from;			/* devices by file and line: indices into the image's */
	uint32_t *first;		/* of each file, in from; one more at the end */
	uint32_t *place;		/* parallel to the image's devices: index in the policy, or LIFT_NONE */
	uint32_t *classes;		/* parallel to the policy's: indices into the image's */
	bool ambiguous;			/* two stand in one line: nobody knows which was first */
	struct device_address *addresses;	/* parallel to the image's */
	struct certificate_decl *certificates;
	char **labels;
};

/* 0; -ESTALE when the image does not say what it was made of; -ENOMEM. */
int lift_init(struct lift *, const struct image *);
void lift_done(struct lift *);

/* Append the devices of this file. They borrow from the image and from the lift. */
int lift_devices(struct lift *, uint32_t file, struct policy *);

/* Appliance, authorities and classes, as far as devices refer to them. */
int lift_names(struct lift *, struct policy *);

#endif
