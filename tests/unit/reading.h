/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reading.h -- a configuration folder, what reading it gave, and the mistakes that
 * were wanted. */
#ifndef CORDON_TESTS_READING_H
#define CORDON_TESTS_READING_H

#include "folder.h"
#include "model/policy.h"

#define NOW 1795359600		/* 2026-11-22 15:00 UTC, a Sunday */
#define APPLIANCE "appliance: { device_interfaces = [ \"lan0\" ]; };\n"

extern struct folder f;
extern struct mistakes m;
extern struct policy *p;

/* A folder with the smallest cordon.conf. */
int reading_setup(void **state);
int reading_teardown(void **state);

/* Read it once more into p and m. */
void reading_read(void);
void reading_show(void);

/* Text of one file, and the mistakes it gives: each begins with what is wanted. */
void expect(const char *name, const char *text, const char *const *want);

#define EXPECT(name, text, ...) expect(name, text, (const char *const[]){ __VA_ARGS__, NULL })
#define FINE(name, text) expect(name, text, (const char *const[]){ NULL })

#endif
