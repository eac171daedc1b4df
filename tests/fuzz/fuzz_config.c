/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_config.c -- any text as cordon.conf. What is accepted must make an image
 * that opens, and print to text that is accepted and makes the same boxes. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "model/compile.h"
#include "model/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct compiled {
	uint8_t *bytes;
	struct image im;
};

/* false when the text has mistakes. */
static bool
compile_text(const char *text, size_t len, struct compiled *out)
{
	static struct mistakes m;
	struct policy *p = NULL;
	const char *why;
	char *copy = malloc(len + 1);
	int rc;

	if (copy == NULL)
		abort();
	memcpy(copy, text, len);
	copy[len] = '\0';
	mistakes_init(&m);
	rc = config_read_text("cordon.conf", copy, len, 1795359600, &p, &m);
	if (rc == 0)
		rc = compile_policy(p, NULL, &m, &out->bytes, &len);
	if (rc != 0 && (rc != -EINVAL || m.n == 0))
		abort();
	if (rc == 0 && image_open(out->bytes, len, &out->im, &why) != 0)
		abort();
	policy_free(p);
	mistakes_done(&m);
	free(copy);
	return rc == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct compiled first, again;
	char *text;
	size_t len;
	FILE *f;

	config_start();
	if (!compile_text((const char *)data, size, &first))
		return 0;
	f = open_memstream(&text, &len);
	if (f == NULL || print_policy(&first.im, f) != 0 || fclose(f) != 0)
		abort();
	if (!compile_text(text, len, &again))
		abort();
	if (first.im.n[IMAGE_BOXES] != again.im.n[IMAGE_BOXES] || (first.im.n[IMAGE_BOXES] > 0 &&
	    memcmp(first.im.boxes, again.im.boxes, first.im.n[IMAGE_BOXES] * sizeof(*first.im.boxes)) != 0))
		abort();
	free(text);
	free(first.bytes);
	free(again.bytes);
	return 0;
}
