/* SPDX-License-Identifier: GPL-2.0-or-later */
/* describe_parts.h -- shared by describe*.c alone. */
#ifndef CORDON_MODEL_DESCRIBE_PARTS_H
#define CORDON_MODEL_DESCRIBE_PARTS_H

#include "model/describe.h"

struct describer {
	const struct image *old;	/* or NULL */
	const struct image *next;
	described_fn *fn;
	void *arg;
	enum described_area area;
	const char *name;
	int rc;				/* the first non-zero answer: nothing is told after it */
};

/* Of an image's line; formatted. */
void describe_say(struct describer *, enum described_sign, const struct image *, const struct image_where *,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* The rules of a class; either may be NULL. */
void describe_rules(struct describer *, const struct image_class *x, const struct image_class *y);

/* What its devices may reach in quarantine beside what all may; either may be NULL. */
void describe_remedies(struct describer *, const struct image_class *x, const struct image_class *y);

/* All authorities. (describe_authorities.c) */
void describe_authorities(struct describer *);

/* All devices. */
void describe_devices(struct describer *);

#define SERVICE_TEXT 48
/* "tcp 443", "icmp echo-request", "anything"; returns buf. */
const char *describe_service(const struct image_box *, char buf[SERVICE_TEXT]);

#endif
