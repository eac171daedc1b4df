/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_dhcp.c -- the DHCP reader: whatever the bytes, the text may be shown and
 * fits. The first byte says which reader; 2 is a whole packet. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flow/dhcp.h"
#include "model/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(int condition)
{
	if (!condition)
		abort();
}

/* It ends within its field, and cleaning it again changes nothing. */
static void
check_text(const char *text, size_t size)
{
	char again[SIGHTING_TEXT];

	check(memchr(text, '\0', size) != NULL);
	memcpy(again, text, strlen(text) + 1);
	text_clean(again);
	check(strcmp(text, again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dhcp_said said;
	struct packet p;
	struct buf b;
	int rc;

	if (size == 0)
		return 0;
	memset(&said, 0xff, sizeof(said));
	buf_init(&b, data + 1, size - 1);
	if (data[0] == 0) {
		rc = dhcp4_read(&b, &said);
	} else if (data[0] == 1) {
		rc = dhcp6_read(&b, &said);
	} else {
		packet_decode(data + 1, size - 1, &p);
		rc = dhcp_read(&p, data + 1, size - 1, &said);
	}
	if (rc < 0) {
		check((uint8_t)said.name[0] == 0xff);
		return 0;
	}
	check_text(said.name, sizeof(said.name));
	check_text(said.vendor, sizeof(said.vendor));
	check(memchr(said.list, '\0', sizeof(said.list)) != NULL && said.list[strspn(said.list, "0123456789,")] == '\0');
	check(memchr(said.client, '\0', sizeof(said.client)) != NULL &&
	    said.client[strspn(said.client, "0123456789abcdef")] == '\0');
	return 0;
}
