/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reading.c -- read a folder of a test, and compare the mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "reading.h"

struct folder f;
struct mistakes m;
struct policy *p;

int
reading_setup(void **state)
{
	(void)state;
	config_start();
	folder_make(&f);
	folder_put(&f, "cordon.conf", APPLIANCE);
	mistakes_init(&m);
	return 0;
}

int
reading_teardown(void **state)
{
	(void)state;
	mistakes_done(&m);
	policy_free(p);
	p = NULL;
	folder_remove(&f);
	return 0;
}

void
reading_read(void)
{
	mistakes_done(&m);
	policy_free(p);
	p = NULL;
	assert_int_equal(config_read_policy(f.fd, NOW, &p, &m), 0);
}

void
reading_show(void)
{
	size_t i;

	for (i = 0; i < mistakes_kept(m.n); i++)
		print_message("mistake: %s\n", m.lines[i]);
	for (i = 0; i < mistakes_kept(m.n_warnings); i++)
		print_message("warning: %s\n", m.warnings[i]);
}

void
expect(const char *name, const char *text, const char *const *want)
{
	size_t i;

	folder_put(&f, name, text);
	reading_read();
	for (i = 0; want[i] != NULL && i < m.n; i++) {
		if (strncmp(m.lines[i], want[i], strlen(want[i])) != 0)
			reading_show();
		assert_int_equal(strncmp(m.lines[i], want[i], strlen(want[i])), 0);
	}
	if (want[i] != NULL || i != m.n)
		reading_show();
	assert_null(want[i]);
	assert_int_equal(m.n, i);
}
