/* SPDX-License-Identifier: GPL-2.0-or-later */
/* third_party.h -- test data that others made: below $CORDON_DATA, or shared/data
 * beside the source. A test without its folder is skipped, and says so. */
#ifndef CORDON_TESTS_THIRD_PARTY_H
#define CORDON_TESTS_THIRD_PARTY_H

#include "crl_make.h"

/* The path of a folder there; returns out. */
const char *third_party(char out[512], const char *below);

/* Skip the test when it is not there. Before anything is allocated: this comes
 * back to nobody then. */
void need_folder(const char *folder);

/* Adds the whole file to out; false when it cannot be read or is empty. */
bool read_whole(const char *folder, const char *file, struct bytes *out);

/* Calls f for each file whose name ends so. */
void each_file(const char *folder, const char *suffix, void (*f)(const struct bytes *, const char *, void *),
    void *arg);

#endif
