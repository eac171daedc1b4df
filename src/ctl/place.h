/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place.h -- put a file into the configuration, if the whole stays without mistakes. */
#ifndef CORDON_CTL_PLACE_H
#define CORDON_CTL_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/ctl.h"

/* Write <config>/devices.d/name whole and check the configuration with it; with
 * a mistake what was there before is there again. Says the result; returns the
 * exit code. One cordonctl at a time. */
struct place_check {
	/* Asked once the configuration has no mistake: 0, or the exit code, said
	 * already; then what was there before is there again. */
	int (*check)(struct ctl *, void *arg);
	void *arg;
	bool quiet;	/* say nothing when it stays */
};
int place_device_file(struct ctl *, const char *name, const void *data, size_t len, bool replace,
    const struct place_check *);	/* NULL: none */

#endif
