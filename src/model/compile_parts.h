/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile_parts.h -- what the files of the compiler share. */
#ifndef CORDON_MODEL_COMPILE_PARTS_H
#define CORDON_MODEL_COMPILE_PARTS_H

#include "model/compile.h"
#include "model/image_build.h"

/* A declaration and the number it has for ever. */
struct numbered {
	uint32_t number;
	uint32_t index;		/* into the policy's array */
};

/* One address of one device. */
struct address_at {
	uint32_t device;	/* index into the policy's array */
	uint32_t nth;
};

struct compile {
	const struct policy *p;
	const struct image *before;	/* or NULL */
	struct mistakes *m;
	struct names authorities;	/* name -> index into the policy's array */
	struct names classes;
	struct names devices;
	struct names interfaces;
	uint32_t *by_name;		/* indices of devices, sorted */
	uint32_t *by_mac;
	struct address_at *by_address;
	size_t n_addresses;
	uint8_t *named;			/* parallel to classes: some class has it as destination */
	struct numbered *authority_order;	/* by number */
	struct numbered *class_order;
	struct numbered *device_order;
	uint32_t *class_number;		/* parallel to the policy's classes */
	uint32_t *authority_number;
	uint32_t *file_text;		/* parallel to the policy's files: text offsets */
	struct image_build b;
};

const char *compile_file(const struct compile *, const struct where *);
struct image_where compile_where(const struct compile *, const struct where *);

/* Everything that can be wrong with the policy as a whole; fills the tables and
 * orders. 0 or -ENOMEM; mistakes are counted, not returned. (compile_check.c) */
int compile_check(struct compile *);

/* The same for devices. (compile_devices.c) */
int compile_check_devices(struct compile *);

/* Numbers for authorities, classes and devices. (compile_numbers.c) */
int compile_numbers(struct compile *);

/* Into the image: a class with its rules, boxes and peers. (compile_rules.c) */
int compile_class(struct compile *, const struct class_decl *, uint32_t number, bool named);
void compile_services(struct compile *, struct image_slice *);

/* Into the image: all devices. (compile_devices.c) */
int compile_devices(struct compile *);

#endif
