/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_image.c -- write the policy image of a few devices to standard output,
 * for tests that stand in for cordond: NAME MAC-BYTE ADDRESS INTERFACE|- ... */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "../unit/sample.h"

int
main(int argc, char **argv)
{
	struct policy *p = sample_new();
	uint8_t *bytes;
	size_t len;
	int rc;

	p->appliance.window_s = 300;
	sample_rule(p, sample_class(p, "sensor"), "192.0.2.99", BOX_PORTS, IPPROTO_TCP, 443, 443);
	for (int i = 1; i + 3 < argc; i += 4)
		sample_device(p, argv[i], "sensor", (uint8_t)strtoul(argv[i + 1], NULL, 16), argv[i + 2],
		    strcmp(argv[i + 3], "-") != 0 ? argv[i + 3] : NULL, NULL, 0);
	(void)sample_image(p, NULL, &bytes, &len);
	rc = file_write_all(STDOUT_FILENO, bytes, len);
	free(bytes);
	policy_free(p);
	return rc < 0;
}
