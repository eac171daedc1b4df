/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_csv.c -- any text as an inventory: read to the end, mistakes or devices. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "model/compile.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mistakes m;
	struct policy *p = NULL;
	uint8_t *bytes;
	size_t len;
	char *copy = malloc(size + 1);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	mistakes_init(&m);
	if (config_read_text("inventory.csv", copy, size, 1795359600, &p, &m) != 0)
		abort();
	/* Without an appliance it never compiles; the checks see the devices. */
	if (compile_policy(p, NULL, &m, &bytes, &len) == 0)
		abort();
	policy_free(p);
	mistakes_done(&m);
	free(copy);
	return 0;
}
