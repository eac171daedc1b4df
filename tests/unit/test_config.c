/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_config.c -- every mistake is told at its line, and what is right is read. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "model/compile.h"
#include "reading.h"

#define CLASS(rules) "classes = ( { name = \"c\"; allow = ( " rules " ); } );"
#define RULE(rule) CLASS("{ " rule " }")

static void
test_smallest(void **state)
{
	(void)state;
	reading_read();
	assert_int_equal(m.n, 0);
	assert_int_equal(p->appliance.n_interfaces, 1);
	assert_int_equal(p->appliance.connections, 1024);
	assert_int_equal(p->appliance.log_group, 300);
	assert_int_equal(p->appliance.window_s, 300);
	assert_int_equal(p->appliance.hook_priority, 0);
	assert_int_equal(p->appliance.brake_devices, 32);
	assert_int_equal(p->appliance.brake_within_s, 3600);
	assert_false(p->incomplete);
}

static void
test_appliance(void **state)
{
	(void)state;
	EXPECT("cordon.conf", "appliance: {\n device_interfaces = [ \"a/b\", \"0123456789abcdef\" ];\n"
	    " log_group = 0;\n log_group2 = 1;\n connections = \"many\";\n window = \"5 minutes\";\n"
	    " hook_priority = -200;\n brake: { devices = 5; };\n resolvers = \"localhost\";\n"
	    " services = ( { any = true; }, { } );\n quarantine: { alow = \"nothing\"; };\n};",
	    "cordon.conf:2: device interface \"a/b\"", "cordon.conf:2: device interface \"0123456789abcdef\"",
	    "cordon.conf:3: `log_group' is 0: from 1 to 65530 is possible",
	    "cordon.conf:4: unknown key `log_group2' in appliance: did you mean `log_group'?",
	    "cordon.conf:5: `connections' is a string: a number from 1 to",
	    "cordon.conf:6: `window' is \"5 minutes\": a number and a unit",
	    "cordon.conf:7: `hook_priority' is -200: from -199 to 999 is possible",
	    "cordon.conf:8: brake has no `within': it needs one",
	    "cordon.conf:9: resolver \"localhost\" is no address",
	    "cordon.conf:10: unknown key `any' in a service",
	    "cordon.conf:10: the service is empty",
	    "cordon.conf:11: unknown key `alow' in quarantine: did you mean `allow'?");
	EXPECT("cordon.conf", "appliance: { };", "cordon.conf:1: appliance has no `device_interfaces'");
	EXPECT("cordon.conf", "appliance = 5;", "cordon.conf:1: appliance is written as a number: a group");
	FINE("cordon.conf", APPLIANCE);
	EXPECT("classes.d/x.conf", "\n" APPLIANCE,
	    "classes.d/x.conf:2: the appliance is declared twice: the first is at cordon.conf:1");
}

static void
test_missing_and_odd_files(void **state)
{
	(void)state;
	unlinkat(f.fd, "cordon.conf", 0);
	reading_read();
	assert_int_equal(m.n, 1);
	assert_string_equal(m.lines[0], "cordon.conf: cannot be read: No such file or directory");
	assert_true(p->incomplete);
	folder_put(&f, "cordon.conf", APPLIANCE);
	/* A FIFO must not be waited for, a folder is none of ours, leftovers are nobody's mistake. */
	assert_int_equal(mkfifoat(f.fd, "classes.d/fifo.conf", 0644), 0);
	assert_int_equal(mkdirat(f.fd, "devices.d/folder.conf", 0755), 0);
	folder_put(&f, "classes.d/.hidden.conf", "{");
	folder_put(&f, "classes.d/x.conf~", "{");
	folder_put(&f, "classes.d/inventory.csv", "x");
	folder_put(&f, "devices.d/list.xlsx", "x");
	folder_put_bytes(&f, "devices.d/nul.conf", "a\0b", 3);
	reading_read();
	assert_int_equal(m.n, 3);
	assert_string_equal(m.lines[0], "classes.d/fifo.conf: this is no plain file: only plain files are read");
	assert_string_equal(m.lines[1], "devices.d/folder.conf: cannot be read: Is a directory");
	assert_string_equal(m.lines[2], "devices.d/nul.conf: the file holds a NUL: text in UTF-8 is expected");
	assert_int_equal(m.n_warnings, 2);
	assert_string_equal(m.warnings[0], "classes.d/inventory.csv is not read: only *.conf are");
	assert_string_equal(m.warnings[1], "devices.d/list.xlsx is not read: only *.conf and *.csv are");
}

/* A file of exactly the largest size is read (and full of NULs), a larger one is not. */
static void
test_file_size(void **state)
{
	int fd;

	(void)state;
	folder_put(&f, "classes.d/big.conf", "");
	fd = openat(f.fd, "classes.d/big.conf", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, LIMIT_CONFIG_FILE_BYTES), 0);
	reading_read();
	assert_int_equal(m.n, 1);
	assert_non_null(strstr(m.lines[0], "the file holds a NUL"));
	assert_int_equal(ftruncate(fd, LIMIT_CONFIG_FILE_BYTES + 1), 0);
	close(fd);
	reading_read();
	assert_int_equal(m.n, 1);
	assert_string_equal(m.lines[0], "classes.d/big.conf: the file has more than 64 MiB: split it");
}

/* One syntax error per file; the others are read all the same. */
static void
test_syntax(void **state)
{
	(void)state;
	folder_put(&f, "classes.d/b.conf", "classes = ( { name = 5; allow = \"nothing\"; } );");
	folder_put(&f, "classes.d/c.conf", "classes = (\n { name = \"c\"; allow = ; }\n);");
	EXPECT("classes.d/a.conf", "classes = (\n\n", "classes.d/a.conf:3: syntax error: look for a missing ;",
	    "classes.d/b.conf:1: `name' is a number: a string in double quotes is expected, as in name = \"",
	    "classes.d/c.conf:2: syntax error: look for a missing ;");
	assert_true(p->incomplete);
}

static void
test_include(void **state)
{
	(void)state;
	folder_put(&f, "secret", "classes = ( { name = \"stolen\"; allow = \"nothing\"; } );");
	EXPECT("classes.d/a.conf", "# first\n@include \"../secret\"\n", "classes.d/a.conf:2: @include is not possible");
	EXPECT("classes.d/a.conf", "x = 1; @include \"/etc/passwd\"\n", "classes.d/a.conf:1: @include is not possible");
	assert_int_equal(p->n_classes, 0);
}

static void
test_top(void **state)
{
	(void)state;
	EXPECT("devices.d/a.conf", "device = ( );\n", "devices.d/a.conf:1: unknown key `device' in the file: "
	    "did you mean `devices'?");
	EXPECT("devices.d/a.conf", "devices = [ ];\n", "devices.d/a.conf:1: `devices' is an array [ ]: a list of");
	EXPECT("devices.d/a.conf", "devices = ( 5 );\n", "devices.d/a.conf:1: a device is written as a number");
	FINE("devices.d/a.conf", "classes = ( { name = \"c\"; allow = \"nothing\"; } );\n"
	    "devices = ( { name = \"d\"; class = \"c\"; mac = \"02:00:00:00:00:01\"; } );\nauthorities = ( );");
	assert_int_equal(p->n_classes, 1);
	assert_int_equal(p->n_devices, 1);
	assert_int_equal(p->devices[0].where.line, 2);
}

static void
test_class(void **state)
{
	(void)state;
	EXPECT("classes.d/a.conf", "classes = (\n{ name = \"a b\"; allow = \"nothing\"; },\n"
	    "{ name = \"c\"; mode = \"permit\"; refuse = \"reject\"; alow = \"nothing\"; },\n"
	    "{ name = \"d\"; allow = ( ); refuse = \"burn\"; },\n{ name = \"e\"; allow = [ ]; },\n"
	    "{ name = \"f\"; allow = \"all\"; },\n{ allow = \"nothing\"; },\n{ name = \"g\"; allow = 5; },\n{ name = \"h\"; } );",
	    "classes.d/a.conf:2: class name \"a b\": letters, digits",
	    "classes.d/a.conf:3: mode = \"permit\": \"enforce\" or \"audit\" is possible",
	    "classes.d/a.conf:3: unknown key `alow' in a class: did you mean `allow'?",
	    "classes.d/a.conf:4: the allow list is empty",
	    "classes.d/a.conf:4: refuse = \"burn\": \"drop\" or \"reject\" is possible",
	    "classes.d/a.conf:5: the allow list is empty",
	    "classes.d/a.conf:6: allow = \"all\": a list of rules is expected, or \"nothing\"",
	    "classes.d/a.conf:7: a class has no `name': it needs one",
	    "classes.d/a.conf:8: `allow' is a number: a list of rules is expected",
	    "classes.d/a.conf:9: a class has no `allow': name what it may reach, or write allow");
	FINE("classes.d/a.conf", "classes = ( { name = \"c\"; mode = \"audit\"; allow = \"nothing\"; } );");
	assert_int_equal(p->classes[0].mode, MODE_AUDIT);
}

static void
test_destinations(void **state)
{
	const struct rule *r;

	(void)state;
	EXPECT("classes.d/a.conf", "classes = ( { name = \"c\"; allow = (\n"
	    "{ to = \"10.20.0.5/28\"; tcp = 1; },\n{ to = \"2001:db8::1/64\"; tcp = 1; },\n"
	    "{ to = \"10.0.0.9-10.0.0.1\"; tcp = 1; },\n{ to = \"10.0.0.300\"; tcp = 1; },\n"
	    "{ to = \"10.0.0.0/33\"; tcp = 1; },\n{ to = \"class:\"; tcp = 1; },\n{ to = 5; tcp = 1; },\n"
	    "{ tcp = 1; },\n{ to = ( ); tcp = 1; },\n{ to = ((\"10.0.0.1\")); tcp = 1; },\n"
	    "{ to = \"::ffff:10.0.0.1\"; tcp = 1; },\n{ to = \"localhost\"; tcp = 1; } ); } );",
	    "classes.d/a.conf:2: prefix \"10.20.0.5/28\" has bits set beyond its length: did you mean 10.20.0.0/28?",
	    "classes.d/a.conf:3: prefix \"2001:db8::1/64\" has bits set beyond its length: did you mean 2001:db8::/64?",
	    "classes.d/a.conf:4: range \"10.0.0.9-10.0.0.1\" ends before it begins",
	    "classes.d/a.conf:5: \"10.0.0.300\" is no destination", "classes.d/a.conf:6: \"10.0.0.0/33\" is no destination",
	    "classes.d/a.conf:7: \"class:\": a class's name follows", "classes.d/a.conf:8: `to' is a number: a string",
	    "classes.d/a.conf:9: a rule has no `to'", "classes.d/a.conf:10: `to' is empty",
	    "classes.d/a.conf:11: `to' holds a list ( ) within a list",
	    "classes.d/a.conf:12: \"::ffff:10.0.0.1\" is no destination",
	    "classes.d/a.conf:13: \"localhost\" is no destination");
	FINE("classes.d/a.conf", CLASS("{ to = (\"10.0.0.0/8\", \"fd00::1\", \"10.0.0.1-10.0.0.9\", \"class:x\", "
	    "\"*.Example.ORG\"); tcp = 1; }"));
	r = &p->classes[0].rules[0];
	assert_int_equal(r->n_to, 5);
	assert_int_equal(r->to[0].range.last.bytes[1], 255);
	assert_int_equal(r->to[1].range.first.family, AF_INET6);
	assert_int_equal(r->to[3].kind, TO_CLASS);
	assert_string_equal(r->to[3].name, "x");
	assert_int_equal(r->to[4].kind, TO_NAME);
	assert_string_equal(r->to[4].name, "*.example.org");
}

static void
check_service(size_t i, uint8_t kind, uint8_t protocol, uint16_t low, uint16_t high)
{
	const struct rule *r = &p->classes[0].rules[0];

	assert_true(i < r->n_services);
	assert_int_equal(r->services[i].kind, kind);
	assert_int_equal(r->services[i].protocol, protocol);
	assert_int_equal(r->services[i].low, low);
	assert_int_equal(r->services[i].high, high);
}

static void
test_services(void **state)
{
	(void)state;
	EXPECT("classes.d/a.conf", "classes = ( { name = \"c\"; allow = (\n"
	    "{ to = \"10.0.0.1\"; tcp = 0; },\n{ to = \"10.0.0.1\"; tcp = 65536; },\n"
	    "{ to = \"10.0.0.1\"; udp = \"9010-9000\"; },\n{ to = \"10.0.0.1\"; udp = \"80-\"; },\n"
	    "{ to = \"10.0.0.1\"; udp = \"https\"; },\n{ to = \"10.0.0.1\"; icmp = \"echo-requst\"; },\n"
	    "{ to = \"10.0.0.1\"; icmp = 256; },\n{ to = \"10.0.0.1\"; icmp = \"ping me\"; },\n"
	    "{ to = \"10.0.0.1\"; any = false; },\n{ to = \"10.0.0.1\"; protocol = 0; },\n"
	    "{ to = \"10.0.0.1\"; protocol = 256; },\n{ to = \"10.0.0.1\"; tcp = true; },\n"
	    "{ to = \"10.0.0.1\"; tcp = 1.5; },\n{ to = \"10.0.0.1\"; tcp = { }; },\n{ to = \"10.0.0.1\"; },\n"
	    "{ to = \"10.0.0.1\"; tcp = \"1-2-3\"; } ); } );",
	    "classes.d/a.conf:2: `tcp' is 0: from 1 to 65535 is possible",
	    "classes.d/a.conf:3: `tcp' is 65536: from 1 to 65535",
	    "classes.d/a.conf:4: udp ports \"9010-9000\": the lower one comes first",
	    "classes.d/a.conf:5: udp ports \"80-\": a port from 1 to 65535",
	    "classes.d/a.conf:6: udp ports \"https\": numbers are expected",
	    "classes.d/a.conf:7: icmp has no type \"echo-requst\": did you mean \"echo-request\"?",
	    "classes.d/a.conf:8: `icmp' is 256: from 0 to 255", "classes.d/a.conf:9: icmp has no type \"ping me\"",
	    "classes.d/a.conf:10: `any' is possible as any = true",
	    "classes.d/a.conf:11: `protocol' is 0: from 1 to 255 is possible",
	    "classes.d/a.conf:12: `protocol' is 256: from 1 to 255 is possible",
	    "classes.d/a.conf:13: `tcp' is true or false: a number", "classes.d/a.conf:14: `tcp' is a number with a point",
	    "classes.d/a.conf:15: `tcp' is a group { }", "classes.d/a.conf:16: the rule names no service",
	    "classes.d/a.conf:17: tcp ports \"1-2-3\"");
	FINE("classes.d/a.conf", RULE("to = (\"10.0.0.1\", \"fd00::1\"); tcp = (1, \"65535\", \"9000-9010\"); udp = [2, 3]; "
	    "icmp = (\"echo-request\", 3, \"5-9\"); icmpv6 = \"echo-request\"; protocol = 47; any = true;"));
	check_service(0, BOX_PORTS, IPPROTO_TCP, 1, 1);
	check_service(1, BOX_PORTS, IPPROTO_TCP, 65535, 65535);
	check_service(2, BOX_PORTS, IPPROTO_TCP, 9000, 9010);
	check_service(3, BOX_PORTS, IPPROTO_UDP, 2, 2);
	check_service(5, BOX_ICMP, IPPROTO_ICMP, 8, 8);
	check_service(7, BOX_ICMP, IPPROTO_ICMP, 5, 9);
	check_service(8, BOX_ICMP, IPPROTO_ICMPV6, 128, 128);
	check_service(9, BOX_PROTOCOL, 47, 0, 0);
	check_service(10, BOX_ANY, 0, 0, 0);
}

static void
test_families(void **state)
{
	(void)state;
	EXPECT("classes.d/a.conf", RULE("to = \"fd00::1\"; icmp = \"echo-request\";"),
	    "classes.d/a.conf:1: no service of this rule exists towards fd00::1: icmp is IPv4's");
	EXPECT("classes.d/a.conf", RULE("to = (\"10.0.0.1\", \"fd00::1\"); icmpv6 = 128;"),
	    "classes.d/a.conf:1: no service of this rule exists towards 10.0.0.1: icmpv6 is IPv6's");
	EXPECT("classes.d/a.conf", RULE("to = \"fd00::1\"; tcp = 1; icmp = 8;"),
	    "classes.d/a.conf:1: icmp is IPv4's, but the rule names no IPv4 address");
	FINE("classes.d/a.conf", RULE("to = (\"10.0.0.1\", \"fd00::1\"); icmp = 8; icmpv6 = 128;"));
	FINE("classes.d/a.conf", RULE("to = \"class:c\"; icmp = 8; icmpv6 = 128;"));
}

static void
test_device(void **state)
{
	const struct device_decl *d;

	(void)state;
	EXPECT("devices.d/a.conf", "devices = (\n{ name = \"d/1\"; class = \"c\"; mac = \"02:00:00:00:00\"; },\n"
	    "{ name = \"d\"; class = \"quarantine\"; mac = \"03:00:00:00:00:01\"; },\n"
	    "{ name = \"d\"; class = \"c\"; mac = \"02:00:00:00:00:01\"; address = [ \"fe80::1\", \"x\", \"224.0.0.1\" ]; },\n"
	    "{ name = \"d\"; class = \"c\"; mac = \"02:00:00:00:00:01\"; interface = \"lan*\"; labels = \"a b\"; },\n"
	    "{ name = \"d\"; class = \"c\"; mac = \"02:00:00:00:00:01\"; certificate = { serial = \"1\"; }; },\n"
	    "{ name = \"d\"; class = \"c\"; mac = \"02:00:00:00:00:01\"; certificate = { authority = \"x\"; serial = \"0x1\"; }; },\n"
	    "{ name = \"d\"; class = \"c\"; mac = \"02:00:00:00:00:01\"; certificate = { authority = \"x\"; "
	    "serial = \"010203040506070809101112131415161718192021\"; }; },\n"
	    "{ name = \"d\"; class = \"c\"; mac = \"02:00:00:00:00:01\"; certificate = { file = \"none.pem\"; }; },\n"
	    "{ name = \"d\"; class = \"c\"; mac = \"02:00:00:00:00:01\"; adress = \"10.0.0.1\"; } );",
	    "devices.d/a.conf:2: device name \"d/1\"", "devices.d/a.conf:2: mac \"02:00:00:00:00\" is no MAC",
	    "devices.d/a.conf:3: no device is declared as quarantined",
	    "devices.d/a.conf:3: mac \"03:00:00:00:00:01\" is no single device's",
	    "devices.d/a.conf:4: address \"fe80::1\" is a link-local address",
	    "devices.d/a.conf:4: address \"x\" is no address", "devices.d/a.conf:4: address \"224.0.0.1\" is a multicast",
	    "devices.d/a.conf:5: interface \"lan*\"", "devices.d/a.conf:5: label \"a b\"",
	    "devices.d/a.conf:6: certificate: either", "devices.d/a.conf:7: serial \"0x1\" is no serial number",
	    "devices.d/a.conf:8: serial \"0102", "devices.d/a.conf:9: certificate none.pem cannot be read: No such file",
	    "devices.d/a.conf:10: unknown key `adress' in a device: did you mean `address'?");
	FINE("devices.d/a.conf", "devices = ( { name = \"d\"; class = \"c\"; mac = \"02-00-00-00-0A-01\"; "
	    "address = (\"10.0.0.1\", \"fd00::1\"); interface = \"lan0\"; labels = [ \"a\", \"b\" ]; "
	    "certificate = { authority = \"x\"; serial = \"00:00:3:4F\"; }; } );");
	d = &p->devices[0];
	assert_int_equal(d->mac.bytes[4], 10);
	assert_int_equal(d->n_addresses, 2);
	assert_int_equal(d->n_labels, 2);
	assert_int_equal(d->certificates[0].serial_len, 2);
	assert_memory_equal(d->certificates[0].serial, "\x03\x4f", 2);
}

/* As written, and the magnitude that comes of it. */
static void
test_serials(void **state)
{
	static const struct {
		const char *text;
		const char *bytes;
		uint32_t len;
	} rows[] = {
		{ "0", "\0", 1 }, { "00:00", "\0", 1 }, { "f", "\x0f", 1 }, { "0f", "\x0f", 1 }, { "FFF", "\x0f\xff", 2 },
		{ "0102030405060708091011121314151617181920",
		  "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x20", 20 },
	};
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "name,class,mac,authority,serial\nd,c,02:00:00:00:00:01,ca,%s\n",
		    rows[i].text);
		FINE("devices.d/a.csv", text);
		assert_int_equal(p->devices[0].certificates[0].serial_len, rows[i].len);
		assert_memory_equal(p->devices[0].certificates[0].serial, rows[i].bytes, rows[i].len);
	}
}

static void
test_inventory(void **state)
{
	(void)state;
	EXPECT("devices.d/a.csv", "name,klass,mac,colour,mac\n", "devices.d/a.csv:1: unknown column \"klass\": did you mean",
	    "devices.d/a.csv:1: unknown column \"colour\": the columns are",
	    "devices.d/a.csv:1: column \"mac\" stands there twice", "devices.d/a.csv:1: there is no column \"class\"");
	assert_true(p->incomplete);
	EXPECT("devices.d/a.csv", "name;class;mac;address;authority;serial\n"
	    "d1;c;02:00:00:00:00:01;10.0.0.1\n"
	    ";c;02:00:00:00:00:02\n"
	    "d3;;02:00:00:00:00:03\n"
	    "d4;c;\n"
	    "d5;c;02:00:00:00:00:05;\"10.0.0.5;bad\";;\n"
	    "d6;c;02:00:00:00:00:06;;ca\n"
	    "d7;c;02:00:00:00:00:07;;;;;surplus\n"
	    "d8;\"c;02:00:00:00:00:08\n",
	    "devices.d/a.csv:3: the row has no name", "devices.d/a.csv:4: the row has no class",
	    "devices.d/a.csv:5: device \"d4\" cannot be told from others: name its `mac'", "devices.d/a.csv:6: address \"bad\" is no address",
	    "devices.d/a.csv:7: authority and serial belong together",
	    "devices.d/a.csv:8: the row has more fields than the header has columns",
	    "devices.d/a.csv:9: a quote is opened and not closed");
	assert_int_equal(p->n_devices, 5);
	FINE("devices.d/a.csv", "\n");
	assert_int_equal(m.n_warnings, 1);
}

/* A file below the sources into the folder. */
static void
copy_in(const char *from, const char *to)
{
	static unsigned char data[8192];
	char path[256];
	FILE *in = fopen(source_path(from, path, sizeof(path)), "re");
	size_t n;

	assert_non_null(in);
	n = fread(data, 1, sizeof(data), in);
	fclose(in);
	folder_put_bytes(&f, to, data, n);
}

#define PKI "tests/golden/policy/full/pki/"

static void
test_authority(void **state)
{
	(void)state;
	copy_in(PKI "factory-ca.pem", "ca.pem");
	copy_in(PKI "silent-ca.pem", "silent.pem");
	copy_in(PKI "sensor-2.pem", "leaf.pem");
	EXPECT("cordon.conf", APPLIANCE "authorities = (\n{ name = \"a\"; certificate = \"none.pem\"; },\n"
	    "{ name = \"b\"; certificate = \"cordon.conf\"; },\n{ name = \"c\"; certificate = \"leaf.pem\"; },\n"
	    "{ name = \"d\"; certificate = \"ca.pem\"; crl = \"ldap://x\"; refresh = \"0s\"; when_stale = \"open\"; },\n"
	    "{ name = \"e f\"; certificate = \".\"; refresh = 60; },\n{ name = \"g\"; } );",
	    "cordon.conf:3: certificate none.pem cannot be read: No such file or directory",
	    "cordon.conf:4: certificate cordon.conf is neither a certificate in PEM nor one in DER",
	    "cordon.conf:5: authority \"c\": its certificate is no CA's",
	    "cordon.conf:6: `refresh' is \"0s\": from \"1s\" to \"30d\" is possible",
	    "cordon.conf:6: when_stale = \"open\": \"keep\" (an alarm and nothing else), \"restrict\"",
	    "cordon.conf:6: crl \"ldap://x\" is no address we can fetch",
	    "cordon.conf:7: authority name \"e f\"", "cordon.conf:7: certificate . cannot be read: Is a directory",
	    "cordon.conf:7: `refresh' is a number: a string", "cordon.conf:8: an authority has no `certificate'");
	FINE("cordon.conf", APPLIANCE "authorities = ( { name = \"a\"; certificate = \"ca.pem\"; refresh = \"5s\"; "
	    "crl = \"http://x/y\"; },\n{ name = \"b\"; certificate = \"silent.pem\"; } );");
	assert_int_equal(m.n_warnings, 2);
	assert_non_null(strstr(m.warnings[0], "more than once a minute"));
	assert_non_null(strstr(m.warnings[1], "may not sign CRLs"));
	assert_int_equal(p->authorities[0].refresh_s, 5);
	assert_int_equal(p->authorities[0].issuers[0].der[0], 0x30);
}

static void
test_certificate_file(void **state)
{
	static const char device[] = "devices = ( { name = \"d\"; class = \"c\"; mac = \"02:00:00:00:00:01\";\n"
	    "certificate = { file = \"leaf\"; }; } );";

	(void)state;
	copy_in(PKI "factory-ca.pem", "ca.pem");
	copy_in(PKI "other-ca.der", "other.der");
	copy_in(PKI "sensor-2.der", "leaf");
	folder_put(&f, "classes.d/c.conf", "classes = ( { name = \"c\"; allow = \"nothing\"; } );");
	folder_put(&f, "devices.d/d.conf", device);
	EXPECT("cordon.conf", APPLIANCE "authorities = ( { name = \"other\"; certificate = \"other.der\"; } );",
	    "devices.d/d.conf:2: the certificate of device \"d\" was issued by no declared authority");
	FINE("cordon.conf", APPLIANCE "authorities = ( { name = \"other\"; certificate = \"other.der\"; }, "
	    "{ name = \"factory\"; certificate = \"ca.pem\"; } );");
	assert_string_equal(p->devices[0].certificates[0].authority, "factory");
	assert_int_equal(p->devices[0].certificates[0].serial_len, 4 - 1);
	assert_memory_equal(p->devices[0].certificates[0].serial, "\xa1\xb2\xc3", 3);
	folder_put(&f, "leaf", "nothing of the kind");
	reading_read();
	assert_int_equal(m.n, 1);
	assert_non_null(strstr(m.lines[0], "neither a certificate in PEM nor one in DER"));
}

/* What is shipped is read, compiled, and without a mistake. */
static void
test_shipped(void **state)
{
	char path[256];
	uint8_t *image = NULL;
	size_t len, i;
	int fd;

	(void)state;
	fd = open(source_path("conf", path, sizeof(path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(config_read_policy(fd, NOW, &p, &m), 0);
	close(fd);
	if (compile_policy(p, NULL, &m, &image, &len) != 0)
		reading_show();
	assert_int_equal(m.n, 0);
	assert_non_null(image);
	assert_int_equal(p->n_devices, 5);
	for (i = 0; i < m.n_warnings; i++)
		assert_null(strstr(m.warnings[i], "not read"));
	free(image);
}

/* So is the example of everything; all that it warns of is what is not in force
 * yet, and how its devices are known. */
static void
test_everything(void **state)
{
	static const char *const warnings[] = { "resolvers are not asked", "*.pool.example.org",
		"*.iot.example.com", "known by address and port alone", "not bound to a router port", "share their router port" };
	char path[256];
	uint8_t *image = NULL;
	struct image im;
	const char *why;
	size_t len, i;
	int fd;

	(void)state;
	fd = open(source_path("conf/examples/everything", path, sizeof(path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(config_read_policy(fd, NOW, &p, &m), 0);
	close(fd);
	if (compile_policy(p, NULL, &m, &image, &len) != 0)
		reading_show();
	assert_int_equal(m.n, 0);
	assert_int_equal(image_open(image, len, &im, &why), 0);
	assert_int_equal(p->n_services, 6);
	assert_int_equal(p->n_groups, 4);
	assert_int_equal(p->n_schedules, 3);
	assert_int_equal(p->n_classes, 7);
	assert_int_equal(p->devices[1].n_certificates, 2);
	assert_int_equal(im.n[IMAGE_DEVICES], 10);
	assert_int_equal(p->devices[1].certificates[0].serial_len, 2);
	if (m.n_warnings != sizeof(warnings) / sizeof(warnings[0]))
		reading_show();
	assert_int_equal(m.n_warnings, sizeof(warnings) / sizeof(warnings[0]));
	for (i = 0; i < m.n_warnings; i++)
		assert_non_null(strstr(m.warnings[i], warnings[i]));
	free(image);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, reading_setup, reading_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_smallest),
		TEST(test_appliance),
		TEST(test_missing_and_odd_files),
		TEST(test_file_size),
		TEST(test_syntax),
		TEST(test_include),
		TEST(test_top),
		TEST(test_class),
		TEST(test_destinations),
		TEST(test_services),
		TEST(test_families),
		TEST(test_device),
		TEST(test_serials),
		TEST(test_inventory),
		TEST(test_authority),
		TEST(test_certificate_file),
		TEST(test_shipped),
		TEST(test_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
