/* SPDX-License-Identifier: GPL-2.0-or-later */
/* makers.h -- who was given the first three octets of a MAC, by the IEEE's list
 * where it is installed (Debian: ieee-data). */
#ifndef CORDON_CTL_MAKERS_H
#define CORDON_CTL_MAKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/addr.h"

#define MAKERS_FOLDER "/usr/share/ieee-data"
#define MAKER_NAME 96

struct maker {
	uint32_t prefix;
	char name[MAKER_NAME];	/* "" until found */
};

struct makers {
	struct maker *list;	/* sorted by prefix */
	size_t n, room;
};

void makers_done(struct makers *);

/* The first three octets. */
uint32_t maker_prefix(const struct mac *);

/* Nobody was given such a MAC: it was made up by the device or by hand. */
bool mac_is_local(const struct mac *);

/* This prefix is asked for; -ENOMEM. */
int makers_want(struct makers *, const struct mac *);

/* Look all of them up, in one pass: in a list in either of its forms (oui.txt,
 * oui.csv), or in the folder's. Without a list nobody is found. */
void makers_read(struct makers *, FILE *);
void makers_look_up(struct makers *, const char *folder);

/* The maker's name, or NULL. */
const char *makers_name(const struct makers *, const struct mac *);

#endif
