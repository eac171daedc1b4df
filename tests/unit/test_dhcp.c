/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_dhcp.c -- what a DHCP client says of itself: honest, cut, lying, hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "flow/dhcp.h"
#include "model/text.h"

#define FIXED 240	/* a DHCP message before its options */
#define SNAME 44
#define FILE_AT 108

static uint8_t m[2048];
static size_t len;

static void
begin(void)
{
	memset(m, 0, sizeof(m));
	m[0] = 1;		/* a client's */
	m[1] = 1;
	m[2] = 6;
	memcpy(m + 236, "\x63\x82\x53\x63", 4);
	len = FIXED;
}

static void
option(uint8_t code, const void *value, size_t n)
{
	m[len++] = code;
	m[len++] = (uint8_t)n;
	memcpy(m + len, value, n);
	len += n;
}

#define TEXT(code, text) option(code, text, sizeof(text) - 1)

/* Always from memory of exactly that size, so that a sanitizer sees the end. */
static int
read4(size_t n, struct dhcp_said *out)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	struct buf b;
	int rc;

	memcpy(copy, m, n);
	buf_init(&b, copy, n);
	memset(out, 0x55, sizeof(*out));
	rc = dhcp4_read(&b, out);
	free(copy);
	return rc;
}

static int
read6(struct dhcp_said *out)
{
	uint8_t *copy = malloc(len);
	struct buf b;
	int rc;

	memcpy(copy, m, len);
	buf_init(&b, copy, len);
	memset(out, 0x55, sizeof(*out));
	rc = dhcp6_read(&b, out);
	free(copy);
	return rc;
}

static void
an_honest_question(void **state)
{
	struct dhcp_said said;

	(void)state;
	begin();
	option(53, "\x01", 1);
	option(61, "\x01\x02\x00\x00\x00\x00\x4f", 7);
	option(0, "", 0);
	len--;		/* a pad has no length */
	TEXT(12, "kitchen-cam");
	TEXT(60, "udhcp 1.36.1");
	option(55, "\x01\x03\x06\xfc", 4);
	m[len++] = 255;
	TEXT(12, "behind-the-end");
	assert_int_equal(read4(len, &said), 0);
	assert_string_equal(said.name, "kitchen-cam");
	assert_string_equal(said.vendor, "udhcp 1.36.1");
	assert_string_equal(said.list, "1,3,6,252");
	assert_string_equal(said.client, "0102000000004f");
}

static void
nothing_said(void **state)
{
	struct dhcp_said said;

	(void)state;
	begin();
	assert_int_equal(read4(len, &said), 0);
	assert_string_equal(said.name, "");
	assert_string_equal(said.vendor, "");
	assert_string_equal(said.list, "");
	assert_string_equal(said.client, "");
}

static void
no_question(void **state)
{
	struct dhcp_said said;

	(void)state;
	begin();
	for (size_t n = 0; n < FIXED; n++)
		assert_int_equal(read4(n, &said), -EBADMSG);
	assert_int_equal(((uint8_t *)&said)[0], 0x55);	/* untouched */
	m[236] ^= 1;
	assert_int_equal(read4(len, &said), -EBADMSG);
	begin();
	m[0] = 2;	/* a server's */
	assert_int_equal(read4(len, &said), -EBADMSG);
}

/* Whatever was cut off is not said; what stands before it is. */
static void
cut_anywhere(void **state)
{
	struct dhcp_said said;
	size_t whole, n;

	(void)state;
	begin();
	TEXT(60, "vendor");
	TEXT(12, "name");
	whole = len;
	for (n = FIXED; n <= whole; n++) {
		assert_int_equal(read4(n, &said), 0);
		assert_string_equal(said.vendor, n >= FIXED + 8 ? "vendor" : "");
		assert_string_equal(said.name, n == whole ? "name" : "");
	}
	m[FIXED + 1] = 255;	/* longer than all that follows */
	assert_int_equal(read4(whole, &said), 0);
	assert_string_equal(said.vendor, "");
	assert_string_equal(said.name, "");
}

static void
parts_are_joined(void **state)
{
	struct dhcp_said said;
	char a[255];

	(void)state;
	begin();
	TEXT(12, "kitch");
	TEXT(60, "v");
	TEXT(12, "en");
	assert_int_equal(read4(len, &said), 0);
	assert_string_equal(said.name, "kitchen");
	/* many times as much as there is room for */
	begin();
	memset(a, 'a', sizeof(a));
	for (unsigned i = 0; i < 6; i++)
		option(12, a, sizeof(a));
	assert_int_equal(read4(len, &said), 0);
	assert_int_equal(strlen(said.name), SIGHTING_TEXT - 1);
}

static void
overloaded(void **state)
{
	struct dhcp_said said;

	(void)state;
	begin();
	memcpy(m + SNAME, "\x0c\x04name\xff", 7);
	memcpy(m + FILE_AT, "\x3c\x06vendor\x34\x01\x02\xff", 12);
	assert_int_equal(read4(len, &said), 0);
	assert_string_equal(said.name, "");
	option(52, "\x01", 1);
	assert_int_equal(read4(len, &said), 0);
	assert_string_equal(said.vendor, "vendor");
	assert_string_equal(said.name, "");	/* the file cannot say that sname is one as well */
	m[FIXED + 2] = 2;
	assert_int_equal(read4(len, &said), 0);
	assert_string_equal(said.vendor, "");
	assert_string_equal(said.name, "name");
	m[FIXED + 2] = 3;
	assert_int_equal(read4(len, &said), 0);
	assert_string_equal(said.vendor, "vendor");
	assert_string_equal(said.name, "name");
	/* an option that would reach beyond its field stays in it */
	m[SNAME + 1] = 63;
	assert_int_equal(read4(len, &said), 0);
	assert_string_equal(said.name, "");
	option(52, "", 0);	/* says nothing */
	assert_int_equal(read4(len, &said), 0);
}

static void
name_becomes(const char *sent, size_t n, const char *expected)
{
	struct dhcp_said said;

	begin();
	option(12, sent, n);
	assert_int_equal(read4(len, &said), 0);
	assert_string_equal(said.name, expected);
}

static void
hostile_text(void **state)
{
	struct dhcp_said said;
	char long_name[200];

	(void)state;
	name_becomes("cam\0", 4, "cam");
	name_becomes("c\0am", 4, "c?am");
	name_becomes("\x1b[2J\x1b]0;owned\x07", 14, "?[2J?]0;owned?");
	name_becomes("a\r\nb\tc\x7f", 7, "a??b?c?");
	name_becomes("$(reboot);`id`|x", 16, "$(reboot);`id`|x");	/* text is text */
	name_becomes("caf\xc3\xa9", 5, "caf\xc3\xa9");
	name_becomes("caf\xe9", 4, "caf?");
	name_becomes("\xc3", 1, "?");
	name_becomes("\xc0\xaf\xed\xa0\x80", 5, "?????");
	name_becomes("\xe2\x80\xae" "gpj.exe", 10, "???gpj.exe");	/* reversed writing */
	name_becomes("\xc2\x9b" "31m", 5, "??31m");			/* C1 */
	/* a character that does not fit is left out whole */
	memset(long_name, 'a', sizeof(long_name));
	memcpy(long_name + SIGHTING_TEXT - 2, "\xe2\x82\xac", 3);
	begin();
	option(12, long_name, sizeof(long_name));
	assert_int_equal(read4(len, &said), 0);
	assert_int_equal(strlen(said.name), SIGHTING_TEXT - 2);
	begin();
	memset(long_name, 'a', sizeof(long_name));
	option(12, long_name, SIGHTING_TEXT - 1);
	assert_int_equal(read4(len, &said), 0);
	assert_int_equal(strlen(said.name), SIGHTING_TEXT - 1);
	begin();
	option(12, long_name, SIGHTING_TEXT);
	assert_int_equal(read4(len, &said), 0);
	assert_int_equal(strlen(said.name), SIGHTING_TEXT - 1);
}

static void
lists_end_at_a_number(void **state)
{
	struct dhcp_said said;
	uint8_t list[255];

	(void)state;
	memset(list, 111, sizeof(list));
	begin();
	option(55, list, sizeof(list));
	option(61, list, sizeof(list));
	assert_int_equal(read4(len, &said), 0);
	assert_int_equal(strlen(said.list), 127);	/* 32 times "111," less the last comma */
	assert_string_equal(said.list + 124, "111");
	assert_int_equal(strlen(said.client), 64);
}

/* ---- DHCPv6 ------------------------------------------------------------- */

static void
begin6(void)
{
	memcpy(m, "\x01" "xid", 4);
	len = 4;
}

static void
option6(uint8_t code, const void *value, size_t n)
{
	m[len++] = 0;
	m[len++] = code;
	m[len++] = (uint8_t)(n >> 8);
	m[len++] = (uint8_t)n;
	memcpy(m + len, value, n);
	len += n;
}

static void
an_honest_question6(void **state)
{
	struct dhcp_said said;

	(void)state;
	begin6();
	option6(1, "\x00\x03\x00\x01\x02\x00\x00\x00\x00\x4f", 10);
	option6(6, "\x00\x17\x00\x18\x01\x02", 6);
	option6(16, "\x00\x00\x01\x37\x00\x04" "MSFT\x00\x03" "5.0", 15);
	option6(39, "\x00\x07kitchen\x04home\x00", 15);
	assert_int_equal(read6(&said), 0);
	assert_string_equal(said.name, "kitchen.home");
	assert_string_equal(said.vendor, "MSFT");
	assert_string_equal(said.list, "23,24,258");
	assert_string_equal(said.client, "0003000102000000004f");
	m[0] = 2;	/* a server's */
	assert_int_equal(read6(&said), -EBADMSG);
	m[0] = 12;	/* a relay's */
	assert_int_equal(read6(&said), -EBADMSG);
	len = 3;
	m[0] = 1;
	assert_int_equal(read6(&said), -EBADMSG);
}

static void
hostile6(void **state)
{
	struct dhcp_said said;
	uint8_t labels[1 + 5 * 64];

	(void)state;
	begin6();
	option6(39, "\x00\x3f" "short", 7);	/* a label longer than the option */
	assert_int_equal(read6(&said), 0);
	assert_string_equal(said.name, "");
	begin6();
	option6(39, "\x00\xc0\x04", 3);		/* a pointer, as only DNS has them */
	assert_int_equal(read6(&said), 0);
	assert_string_equal(said.name, "");
	memset(labels, 'x', sizeof(labels));
	labels[0] = 0;
	labels[1] = 64;
	labels[66] = 0;
	begin6();
	option6(39, labels, 67);		/* a label of 64 */
	assert_int_equal(read6(&said), 0);
	assert_string_equal(said.name, "");
	labels[1] = 63;
	labels[65] = 0;
	begin6();
	option6(39, labels, 66);
	assert_int_equal(read6(&said), 0);
	assert_int_equal(strlen(said.name), 63);
	memset(labels, 'x', sizeof(labels));
	for (unsigned i = 0; i < 5; i++)
		labels[1 + 64 * i] = 63;
	begin6();
	option6(39, labels, sizeof(labels));	/* longer than a name may be */
	assert_int_equal(read6(&said), 0);
	assert_string_equal(said.name, "");
	begin6();
	option6(39, "\x00\x05\x1b[2Jb", 7);
	option6(39, "\x00\x05other", 7);
	option6(16, "\x00\x00\x01\x37\xff\xff" "x", 7);
	assert_int_equal(read6(&said), 0);
	assert_string_equal(said.name, "?[2Jb");
	assert_string_equal(said.vendor, "");
	m[len - 8] = 0xff;	/* the last option's length: beyond the end */
	assert_int_equal(read6(&said), 0);
	assert_string_equal(said.name, "?[2Jb");
}

/* ---- in its packet ------------------------------------------------------ */

static void
in_a_packet(void **state)
{
	static uint8_t head[28 + sizeof(m)];
	struct packet p;
	struct dhcp_said said;

	(void)state;
	begin();
	TEXT(12, "cam");
	memcpy(head, "\x45\x00\x02\x00\x00\x00\x00\x00\x40\x11\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff"
	    "\x00\x44\x00\x43\x01\xec\x00\x00", 28);
	memcpy(head + 28, m, len);
	packet_decode(head, 28 + len, &p);
	assert_int_equal(p.transport, 20);
	assert_int_equal(dhcp_read(&p, head, 28 + len, &said), 0);
	assert_string_equal(said.name, "cam");
	assert_int_equal(dhcp_read(&p, head, 27, &said), -EBADMSG);
	p.port = 68;
	assert_int_equal(dhcp_read(&p, head, 28 + len, &said), -EBADMSG);
	p.port = 547;	/* of the other family */
	assert_int_equal(dhcp_read(&p, head, 28 + len, &said), -EBADMSG);
	head[9] = 6;
	packet_decode(head, 28 + len, &p);
	assert_int_equal(dhcp_read(&p, head, 28 + len, &said), -EBADMSG);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_honest_question),
		cmocka_unit_test(nothing_said),
		cmocka_unit_test(no_question),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(parts_are_joined),
		cmocka_unit_test(overloaded),
		cmocka_unit_test(hostile_text),
		cmocka_unit_test(lists_end_at_a_number),
		cmocka_unit_test(an_honest_question6),
		cmocka_unit_test(hostile6),
		cmocka_unit_test(in_a_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
