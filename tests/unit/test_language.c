/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_language.c -- what classes are made of besides plain rules: services, groups
 * and schedules by name, inbound rules, rates, extended classes; and what devices
 * are known by. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "config/config.h"
#include "model/words.h"
#include "reading.h"

#define A "classes.d/a.conf"
#define CLASS(keys) "classes = ( {\n name = \"c\";\n" keys " } );"
#define RULE(rule) CLASS("allow = ( { " rule " } );")
#define SCHEDULE(keys) "schedules = ( { name = \"n\";\n" keys " } );"
#define DEVICE(keys) "devices = ( { name = \"d\"; class = \"c\";\n" keys " } );"
#define LONG_NAME "a123456789b123456789c123456789d123456789e123456789f123456789g123"	/* 64 letters */

static void
same_service(const struct service *s, uint8_t kind, uint8_t protocol, uint16_t low, uint16_t high)
{
	assert_int_equal(s->kind, kind);
	assert_int_equal(s->protocol, protocol);
	assert_int_equal(s->low, low);
	assert_int_equal(s->high, high);
}

/* ---- services ----------------------------------------------------------- */

static void
test_services(void **state)
{
	const struct service_decl *s;

	(void)state;
	FINE(A, "services = ( { name = \"mqtt\"; tcp = (1883, 8883); udp = \"9000-9010\"; },\n"
	    "{ name = \"all\"; sctp = 1; dccp = 2; udplite = 3; icmp = \"echo-request\"; icmpv6 = (128, \"1-4\"); "
	    "protocol = (\"GRE\", 50, \"51\"); } );");
	assert_int_equal(p->n_services, 2);
	s = &p->services[0];
	assert_string_equal(s->name, "mqtt");
	assert_int_equal(s->where.line, 1);
	assert_int_equal(s->n_services, 3);
	same_service(&s->services[1], BOX_PORTS, IPPROTO_TCP, 8883, 8883);
	same_service(&s->services[2], BOX_PORTS, IPPROTO_UDP, 9000, 9010);
	s = &p->services[1];
	assert_int_equal(s->where.line, 2);
	assert_int_equal(s->n_services, 9);
	same_service(&s->services[0], BOX_PORTS, IPPROTO_SCTP, 1, 1);
	same_service(&s->services[1], BOX_PORTS, IPPROTO_DCCP, 2, 2);
	same_service(&s->services[2], BOX_PORTS, IPPROTO_UDPLITE, 3, 3);
	same_service(&s->services[3], BOX_ICMP, IPPROTO_ICMP, 8, 8);
	same_service(&s->services[5], BOX_ICMP, IPPROTO_ICMPV6, 1, 4);
	same_service(&s->services[6], BOX_PROTOCOL, IPPROTO_GRE, 0, 0);
	same_service(&s->services[8], BOX_PROTOCOL, IPPROTO_AH, 0, 0);
}

static void
test_service_mistakes(void **state)
{
	(void)state;
	EXPECT(A, "services = (\n{ tcp = 1; },\n{ name = \"a b\"; tcp = 1; },\n{ name = \"c\"; },\n"
	    "{ name = \"d\"; tcp = \"https\"; },\n{ name = \"e\"; tpc = 1; },\n{ name = 5; tcp = 1; },\n"
	    "{ name = \"f\"; any = true; },\n{ name = \"" LONG_NAME "\"; tcp = 1; },\n"
	    "{ name = \"g\"; to = \"10.0.0.1\"; }, 5 );",
	    A ":2: a declared service has no `name': it needs one", A ":3: service name \"a b\": letters, digits",
	    A ":4: service \"c\" is empty: say what it is", A ":5: tcp ports \"https\": numbers are expected",
	    A ":6: unknown key `tpc' in a declared service: did you mean `tcp'?",
	    A ":7: `name' is a number: a string in double quotes is expected, as in name = \"mqtt\"",
	    A ":8: unknown key `any' in a declared service", A ":9: service name \"a123456789b",
	    A ":10: unknown key `to' in a declared service", A ":10: a declared service is written as a number");
	EXPECT(A, "services = { name = \"mqtt\"; tcp = 1; };", A ":1: `services' is a group { }: a list of groups is "
	    "expected, as in services = ( { name = \"mqtt\"; tcp = 8883; } )");
}

/* In any file, and named from any other. */
static void
test_anywhere(void **state)
{
	(void)state;
	folder_put(&f, "devices.d/z.conf", "services = ( { name = \"s\"; tcp = 1; } ); groups = ( { name = \"g\"; "
	    "to = \"10.0.0.1\"; } ); schedules = ( { name = \"n\"; days = \"daily\"; from = \"02:00\"; to = \"04:00\"; "
	    "zone = \"UTC\"; } );");
	FINE(A, RULE("to = \"group:g\"; service = \"s\"; schedule = \"n\";"));
	assert_int_equal(p->n_services, 1);
	assert_int_equal(p->n_groups, 1);
	assert_int_equal(p->n_schedules, 1);
	assert_string_equal(p->classes[0].rules[0].schedule, "n");
}

/* ---- protocols ---------------------------------------------------------- */

static void
test_protocols(void **state)
{
	const struct service *s;
	const char *name;
	uint8_t number;
	unsigned i;

	(void)state;
	EXPECT(A, "classes = ( { name = \"c\"; allow = (\n{ to = \"10.0.0.1\"; protocol = 0; },\n"
	    "{ to = \"10.0.0.1\"; protocol = 256; },\n{ to = \"10.0.0.1\"; protocol = \"igmpp\"; },\n"
	    "{ to = \"10.0.0.1\"; protocol = \"modbus-over-anything\"; },\n{ to = \"10.0.0.1\"; protocol = \"256\"; },\n"
	    "{ to = \"10.0.0.1\"; protocol = \"4-6\"; },\n{ to = \"10.0.0.1\"; protocol = true; },\n"
	    "{ to = \"10.0.0.1\"; protocol = (\"gre\", (\"esp\")); } ); } );",
	    A ":2: `protocol' is 0: from 1 to 255", A ":3: `protocol' is 256", A ":4: no protocol is known as \"igmpp\": "
	    "did you mean \"igmp\"?", A ":5: no protocol is known as \"modbus-over-anything\": a number from 1 to 255, or "
	    "one of icmp, igmp, ipip", A ":6: no protocol is known as \"256\"", A ":7: no protocol is known as \"4-6\"",
	    A ":8: `protocol' is true or false: a number", A ":9: `protocol' holds a list ( ) within a list");
	FINE(A, RULE("to = (\"10.0.0.1\", \"fd00::1\"); protocol = (\"igmp\", \"Esp\", 47, \"tcp\", 17, \"icmp\", \"ipv6-icmp\");"));
	s = p->classes[0].rules[0].services;
	same_service(&s[0], BOX_PROTOCOL, 2, 0, 0);
	same_service(&s[1], BOX_PROTOCOL, 50, 0, 0);
	same_service(&s[2], BOX_PROTOCOL, 47, 0, 0);
	same_service(&s[3], BOX_PORTS, IPPROTO_TCP, 1, 65535);
	same_service(&s[4], BOX_PORTS, IPPROTO_UDP, 1, 65535);
	same_service(&s[5], BOX_ICMP, IPPROTO_ICMP, 0, 255);
	same_service(&s[6], BOX_ICMP, IPPROTO_ICMPV6, 0, 255);
	/* What is shown is read as the same. */
	for (i = 0; (name = protocol_nth(i)) != NULL; i++) {
		assert_int_equal(protocol_parse(name, &number), 0);
		assert_int_equal(protocol_parse(protocol_name(number), &number), 0);
	}
	assert_true(i > 20);
	assert_null(protocol_nth(i + 1000));
	assert_null(protocol_name(255));
}

/* ---- groups ------------------------------------------------------------- */

static void
test_groups(void **state)
{
	const struct group_decl *g;

	(void)state;
	FINE(A, "groups = (\n{ name = \"time\"; to = ( \"192.0.2.1\", \"10.0.0.0/28\", \"10.0.0.1-10.0.0.9\", "
	    "\"class:gateway\", \"*.Pool.example\", \"group:other\" ); },\n{ name = \"other\"; to = \"fd00::1\"; } );");
	assert_int_equal(p->n_groups, 2);
	g = &p->groups[0];
	assert_int_equal(g->where.line, 2);
	assert_int_equal(g->n_to, 6);
	assert_int_equal(g->to[1].kind, TO_RANGE);
	assert_int_equal(g->to[3].kind, TO_CLASS);
	assert_string_equal(g->to[3].name, "gateway");
	assert_int_equal(g->to[4].kind, TO_NAME);
	assert_string_equal(g->to[4].name, "*.pool.example");
	assert_int_equal(g->to[5].kind, TO_GROUP);
	assert_string_equal(g->to[5].name, "other");
	EXPECT(A, "groups = (\n{ to = \"10.0.0.1\"; },\n{ name = \"a\"; },\n{ name = \"b\"; to = ( ); },\n"
	    "{ name = \"c/d\"; to = \"10.0.0.1\"; },\n{ name = \"e\"; to = \"group:\"; },\n"
	    "{ name = \"f\"; to = \"group:a b\"; },\n{ name = \"g\"; to = \"class:\"; },\n"
	    "{ name = \"h\"; to = ( \"10.0.0.1/8\", \"nonsense\", 5 ); },\n{ name = \"i\"; to = \"10.0.0.1\"; tcp = 5; } );",
	    A ":2: a group has no `name': it needs one", A ":3: a group has no `to': it needs one", A ":4: `to' is empty",
	    A ":5: group name \"c/d\"", A ":6: \"group:\": a group's name follows group: letters",
	    A ":7: \"group:a b\": a group's name follows", A ":8: \"class:\": a class's name follows class: letters",
	    A ":9: prefix \"10.0.0.1/8\" has bits set", A ":9: \"nonsense\" is no destination",
	    A ":9: `to' is a number: a string", A ":10: unknown key `tcp' in a group");
}

/* ---- rules -------------------------------------------------------------- */

static void
test_rules(void **state)
{
	const struct rule *r;

	(void)state;
	FINE(A, RULE("to = (\"group:time\", \"class:gateway\", \"10.0.0.1\", \"time.example.org\"); "
	    "service = (\"ntp\", \"mqtt\"); tcp = 443; schedule = \"nightly\";"));
	r = &p->classes[0].rules[0];
	assert_int_equal(r->n_to, 4);
	assert_int_equal(r->to[0].kind, TO_GROUP);
	assert_string_equal(r->to[0].name, "time");
	assert_int_equal(r->n_named, 2);
	assert_string_equal(r->named[1], "mqtt");
	assert_int_equal(r->n_services, 1);
	assert_string_equal(r->schedule, "nightly");
	FINE(A, RULE("to = \"10.0.0.1\"; service = \"ntp\";"));
	assert_int_equal(p->classes[0].rules[0].n_services, 0);
	assert_null(p->classes[0].rules[0].schedule);
	EXPECT(A, "classes = ( { name = \"c\"; allow = (\n{ to = \"10.0.0.1\"; service = ( ); },\n"
	    "{ to = \"10.0.0.1\"; service = \"a b\"; },\n{ to = \"10.0.0.1\"; service = 443; },\n"
	    "{ to = \"10.0.0.1\"; tcp = 1; schedule = \"\"; },\n{ to = \"10.0.0.1\"; tcp = 1; schedule = [ \"a\", \"b\" ]; },\n"
	    "{ to = \"10.0.0.1\"; schedule = \"nightly\"; },\n{ to = \"10.0.0.1\"; sevice = \"ntp\"; } ); } );",
	    A ":2: `service' is empty", A ":3: service name \"a b\": letters", A ":4: `service' is a number: a string",
	    A ":5: schedule name \"\": letters", A ":6: `schedule' is an array [ ]: a string",
	    A ":7: the rule names no service: add tcp", A ":8: unknown key `sevice' in a rule: did you mean `service'?");
	/* What a name stands for is not known here, so nothing is said of it. */
	FINE(A, RULE("to = \"fd00::1\"; service = \"ping\"; tcp = 1;"));
	FINE(A, RULE("to = \"group:g\"; icmp = 8; icmpv6 = 128;"));
	EXPECT(A, RULE("to = \"fd00::1\"; service = \"ping\"; icmp = 8;"), A ":3: icmp is IPv4's, but the rule names no IPv4");
}

static void
test_inbound(void **state)
{
	const struct class_decl *c;

	(void)state;
	FINE(A, CLASS("inbound = ( { from = \"192.0.2.4\"; tcp = 554; },\n{ from = (\"class:hub\", \"group:nvr\"); "
	    "service = \"rtsp\"; schedule = \"day\"; } );"));
	c = &p->classes[0];
	assert_int_equal(c->keys, 0);
	assert_int_equal(c->n_rules, 0);
	assert_int_equal(c->n_inbound, 2);
	assert_int_equal(c->inbound[0].where.line, 3);
	assert_int_equal(c->inbound[1].where.line, 4);
	assert_int_equal(c->inbound[1].to[0].kind, TO_CLASS);
	assert_int_equal(c->inbound[1].to[1].kind, TO_GROUP);
	assert_string_equal(c->inbound[1].named[0], "rtsp");
	assert_string_equal(c->inbound[1].schedule, "day");
	FINE(A, CLASS("inbound = { from = \"192.0.2.4\"; tcp = 554; };"));
	assert_int_equal(p->classes[0].n_inbound, 1);
	EXPECT(A, CLASS("inbound = (\n{ from = \"nvr.example.org\"; tcp = 1; },\n{ from = \"*.example.org\"; tcp = 1; },\n"
	    "{ from = \"nvr\"; tcp = 1; },\n{ to = \"10.0.0.1\"; tcp = 1; },\n{ from = \"10.0.0.1\"; },\n"
	    "{ tcp = 5; },\n{ from = \"fd00::1\"; icmp = 8; } );"),
	    A ":4: \"nvr.example.org\" is a host name, and nobody knows which addresses a name has when a packet comes in: "
	    "name the addresses", A ":5: \"*.example.org\" is a host name", A ":6: \"nvr\" is no source: an address",
	    A ":7: unknown key `to' in an inbound rule: the keys are from, tcp", A ":7: an inbound rule has no `from'",
	    A ":8: the rule names no service", A ":9: an inbound rule has no `from': it needs one",
	    A ":10: no service of this rule exists from fd00::1: icmp is IPv4's");
	EXPECT(A, CLASS("inbound = ( );"), A ":3: the inbound list is empty: say who may reach");
	EXPECT(A, CLASS("inbound = \"nothing\";"), A ":3: `inbound' is a string: a list of rules is expected");
	EXPECT(A, CLASS("inbound = [ 5 ];"), A ":3: `inbound' is an array [ ]: a list of rules");
	EXPECT(A, CLASS("allow = ( { from = \"10.0.0.1\"; tcp = 1; } );"), A ":3: unknown key `from' in a rule",
	    A ":3: a rule has no `to'");
}

/* ---- classes ------------------------------------------------------------ */

static void
test_class_keys(void **state)
{
	const struct class_decl *c;

	(void)state;
	FINE(A, "classes = (\n{ name = \"a\"; allow = \"nothing\"; },\n"
	    "{ name = \"b\"; extends = \"a\"; },\n"
	    "{ name = \"c\"; extends = ( \"a\", \"b\" ); mode = \"enforce\"; refuse = \"reject\"; rate = 10; "
	    "allow = ( { to = \"10.0.0.1\"; tcp = 1; } ); },\n"
	    "{ name = \"d\"; extends = [ \"a\" ]; refuse = \"drop\"; rate = { per_second = 5; burst = 50; }; mode = \"audit\"; },\n"
	    "{ name = \"e\"; extends = \"d\"; rate = \"unlimited\"; },\n"
	    "{ name = \"f\"; extends = \"d\"; rate = { per_second = 7; }; } );");
	c = p->classes;
	assert_int_equal(c[0].keys, CLASS_ALLOW);
	assert_int_equal(c[0].n_extends, 0);
	assert_int_equal(c[1].keys, 0);
	assert_string_equal(c[1].extends[0], "a");
	assert_int_equal(c[2].keys, CLASS_ALLOW | CLASS_MODE | CLASS_REFUSE | CLASS_RATE);
	assert_int_equal(c[2].n_extends, 2);
	assert_string_equal(c[2].extends[1], "b");
	assert_int_equal(c[2].mode, MODE_ENFORCE);
	assert_int_equal(c[2].refuse, REFUSE_REJECT);
	assert_int_equal(c[2].rate, 10);
	assert_int_equal(c[2].rate_burst, 10);
	assert_int_equal(c[3].keys, CLASS_MODE | CLASS_REFUSE | CLASS_RATE);
	assert_int_equal(c[3].mode, MODE_AUDIT);
	assert_int_equal(c[3].refuse, REFUSE_DROP);
	assert_int_equal(c[3].rate, 5);
	assert_int_equal(c[3].rate_burst, 50);
	assert_int_equal(c[4].keys, CLASS_RATE);
	assert_int_equal(c[4].rate, 0);
	assert_int_equal(c[4].rate_burst, 0);
	assert_int_equal(c[5].rate, 7);
	assert_int_equal(c[5].rate_burst, 7);
}

static void
test_class_mistakes(void **state)
{
	(void)state;
	EXPECT(A, "classes = (\n{ name = \"a\"; extends = ( ); },\n{ name = \"b\"; extends = \"x y\"; },\n"
	    "{ name = \"c\"; extends = 5; },\n{ name = \"d\"; extends = ( \"a\", \"b\", \"a\" ); },\n"
	    "{ name = \"e\"; extends = \"a\"; allow = ( ); },\n{ name = \"f\"; mode = \"audit\"; rate = 1; },\n"
	    "{ name = \"g\"; extend = \"a\"; },\n{ name = \"h\"; extends = \"a\"; refuse = \"burn\"; },\n"
	    "{ name = \"i\"; extends = \"a\"; refuse = 5; mode = [ \"audit\" ]; } );",
	    A ":2: `extends' is empty", A ":3: class name \"x y\": letters", A ":4: `extends' is a number: a string",
	    A ":5: class \"a\" is extended twice: once is enough", A ":6: the allow list is empty",
	    A ":7: a class has no `allow': name what it may reach, or write allow = \"nothing\"",
	    A ":8: unknown key `extend' in a class: did you mean `extends'?",
	    A ":9: refuse = \"burn\": \"drop\" or \"reject\" is possible", A ":10: `refuse' is a number: a string",
	    A ":10: `mode' is an array [ ]: a string");
}

static void
test_rate(void **state)
{
	char text[256];

	(void)state;
	EXPECT(A, "classes = (\n{ name = \"a\"; extends = \"x\"; rate = 0; },\n{ name = \"b\"; extends = \"x\"; rate = \"10/s\"; },\n"
	    "{ name = \"c\"; extends = \"x\"; rate = { burst = 5; }; },\n{ name = \"d\"; extends = \"x\"; rate = { per_second = 5; burst = 0; }; },\n"
	    "{ name = \"e\"; extends = \"x\"; rate = { per_secnd = 5; }; },\n{ name = \"f\"; extends = \"x\"; rate = 1.5; },\n"
	    "{ name = \"g\"; extends = \"x\"; rate = -1; },\n{ name = \"h\"; extends = \"x\"; rate = ( 1 ); } );",
	    A ":2: `rate' is 0: from 1 to 100000 is possible", A ":3: `rate' is a string: new connections per second",
	    A ":4: rate has no `per_second': it needs one", A ":5: `burst' is 0: from 1 to 100000",
	    A ":6: unknown key `per_secnd' in rate: did you mean `per_second'?",
	    A ":7: `rate' is a number with a point: new connections per second", A ":8: `rate' is -1",
	    A ":9: `rate' is a list ( ): new connections");
	snprintf(text, sizeof(text), CLASS("extends = \"x\"; rate = { per_second = %u; burst = %u; };"), LIMIT_RATE, LIMIT_RATE);
	FINE(A, text);
	assert_int_equal(p->classes[0].rate, LIMIT_RATE);
	snprintf(text, sizeof(text), CLASS("extends = \"x\"; rate = { per_second = %u; burst = %u; };"), LIMIT_RATE + 1,
	    LIMIT_RATE + 1);
	EXPECT(A, text, A ":3: `per_second' is 100001: from 1 to 100000 is possible", A ":3: `burst' is 100001");
}

/* ---- schedules ---------------------------------------------------------- */

#define REST "from = \"02:00\"; to = \"04:00\"; zone = \"UTC\";"

static void
check_days(const char *days, uint8_t want)
{
	char text[256];

	snprintf(text, sizeof(text), SCHEDULE("days = %s; " REST), days);
	FINE(A, text);
	assert_int_equal(p->schedules[0].days, want);
}

static void
test_schedule(void **state)
{
	const struct schedule_decl *s;

	(void)state;
	FINE(A, SCHEDULE("days = [ \"mon\", \"sat\" ]; from = \"22:30\"; to = \"06:00\"; zone = \"Europe/Berlin\";"));
	assert_int_equal(p->n_schedules, 1);
	s = &p->schedules[0];
	assert_string_equal(s->name, "n");
	assert_int_equal(s->where.line, 1);
	assert_int_equal(s->days, 1 << 0 | 1 << 5);
	assert_int_equal(s->from_s, 22 * 3600 + 30 * 60);
	assert_int_equal(s->to_s, 6 * 3600);
	assert_string_equal(s->zone, "Europe/Berlin");
	/* Of yesterday, a Saturday, in winter. */
	assert_int_equal(s->windows[0].from, NOW - 15 * 3600 - 2 * 3600 - 1800);
	assert_int_equal(s->windows[0].to, NOW - 15 * 3600 + 5 * 3600);
	assert_in_range(s->n_windows, 2 * 52 * LIMIT_SCHEDULE_YEARS, 2 * 53 * LIMIT_SCHEDULE_YEARS + 2);
	check_days("\"daily\"", 0x7f);
	check_days("\"weekdays\"", 0x1f);
	check_days("\"weekend\"", 0x60);
	check_days("(\"weekdays\", \"sun\", \"mon\")", 0x5f);
	check_days("[\"tue\", \"wed\", \"thu\", \"fri\"]", 0x1e);
	/* Midnight, either way to write it. */
	FINE(A, SCHEDULE("days = \"daily\"; from = \"23:59\"; to = \"24:00\"; zone = \"UTC\";"));
	assert_int_equal(p->schedules[0].to_s, 0);
	assert_int_equal(p->schedules[0].windows[0].to - p->schedules[0].windows[0].from, 60);
}

static void
test_schedule_mistakes(void **state)
{
	(void)state;
	EXPECT(A, "schedules = (\n{ name = \"a\"; },\n{ name = \"b\"; days = \"monday\"; " REST " },\n"
	    "{ name = \"c\"; days = [ ]; " REST " },\n{ name = \"d\"; days = 1; " REST " },\n"
	    "{ name = \"e\"; days = \"daily\"; from = \"2:00\"; to = \"25:00\"; zone = \"UTC\"; },\n"
	    "{ name = \"f\"; days = \"daily\"; from = \"24:00\"; to = \"02:60\"; zone = \"UTC\"; },\n"
	    "{ name = \"g\"; days = \"daily\"; from = 200; to = \"\"; zone = \"UTC\"; },\n"
	    "{ name = \"h\"; days = \"daily\"; from = \"02:00\"; to = \"04:00\"; zone = \"Europe/Atlantis\"; },\n"
	    "{ name = \"i\"; days = \"daily\"; from = \"02:00\"; to = \"04:00\"; zone = \"../../../etc/passwd\"; },\n"
	    "{ name = \"j\"; days = \"daily\"; from = \"02:00\"; to = \"04:00\"; zone = \"/etc/localtime\"; },\n"
	    "{ name = \"k l\"; dayz = \"daily\"; " REST " } );",
	    A ":2: a schedule has no `days': say on which, as in days = [ \"mon\", \"thu\" ]", A ":2: a schedule has no `from'",
	    A ":2: a schedule has no `to'", A ":2: a schedule has no `zone': say by whose clocks",
	    A ":3: \"monday\" is no day: \"mon\"", A ":4: `days' is empty", A ":5: `days' is a number: a string",
	    A ":6: from = \"2:00\" is no time of day: from \"00:00\" to \"23:59\"", A ":6: to = \"25:00\" is no time",
	    A ":7: from = \"24:00\" is no time of day", A ":7: to = \"02:60\" is no time of day",
	    A ":8: `from' is a number: a string", A ":8: to = \"\" is no time of day",
	    A ":9: zone \"Europe/Atlantis\" is no time zone of /usr/share/zoneinfo (package tzdata): a name as in",
	    A ":10: zone \"../../../etc/passwd\" is no time zone", A ":11: zone \"/etc/localtime\" is no time zone",
	    A ":12: schedule name \"k l\"", A ":12: unknown key `dayz' in a schedule: did you mean `days'?");
	/* Nothing is written out of what is wrong. */
	assert_int_equal(p->n_schedules, 11);
	assert_null(p->schedules[0].windows);
	assert_null(p->schedules[10].windows);
}

/* ---- devices ------------------------------------------------------------ */

static void
test_identities(void **state)
{
	const struct device_decl *d;

	(void)state;
	FINE(A, "devices = ( { name = \"a\"; class = \"c\"; mac = \"02:00:00:00:00:01\"; },\n"
	    "{ name = \"b\"; class = \"c\"; mac = \"02:00:00:00:00:02\"; address = ( \"10.0.0.2\", \"2001:db8:1::/64\" ); },\n"
	    "{ name = \"d\"; class = \"c\"; address = \"10.0.0.3\"; interface = \"lan0\"; },\n"
	    "{ name = \"e\"; class = \"c\"; address = \"2001:db8::3\"; interface = \"lan0\"; via = \"02:00:00:00:00:FE\"; } );");
	d = p->devices;
	assert_true(d[0].has_mac && !d[0].has_via);
	assert_true(d[1].has_mac);
	assert_int_equal(d[1].addresses[0].prefix, 32);
	assert_int_equal(d[1].addresses[1].prefix, 64);
	assert_int_equal(d[1].addresses[1].addr.family, AF_INET6);
	assert_int_equal(d[1].addresses[1].addr.bytes[5], 1);
	assert_true(!d[2].has_mac && !d[2].has_via);
	assert_string_equal(d[2].interface, "lan0");
	assert_true(!d[3].has_mac && d[3].has_via);
	assert_int_equal(d[3].mac.bytes[5], 0xfe);
	assert_int_equal(d[3].addresses[0].prefix, 128);
}

#define NEITHER "device \"d\" cannot be told from others: name its `mac', or, when it stands behind another router, its " \
	"`address' and the `interface' towards that router"

static void
test_identity_mistakes(void **state)
{
	(void)state;
	EXPECT(A, DEVICE(""), A ":1: " NEITHER);
	EXPECT(A, DEVICE("address = \"10.0.0.1\";"), A ":1: " NEITHER);
	EXPECT(A, DEVICE("interface = \"lan0\";"), A ":1: " NEITHER);
	EXPECT(A, DEVICE("via = \"02:00:00:00:00:01\";"), A ":1: " NEITHER " beside `via'");
	EXPECT(A, DEVICE("via = \"02:00:00:00:00:01\"; address = \"10.0.0.1\";"), A ":1: " NEITHER " beside `via'");
	EXPECT(A, DEVICE("mac = \"02:00:00:00:00:02\"; via = \"02:00:00:00:00:01\";"), A ":1: device \"d\" has `mac' and `via'");
	/* What was meant and went wrong is told once. */
	EXPECT(A, DEVICE("mac = \"x\";"), A ":2: mac \"x\" is no MAC");
	EXPECT(A, DEVICE("mca = \"02:00:00:00:00:01\";"), A ":2: unknown key `mca' in a device: did you mean `mac'?");
	EXPECT(A, DEVICE("address = \"x\"; interface = \"lan0\"; via = \"01:00:00:00:00:01\";"), A ":2: address \"x\" is no address",
	    A ":2: via \"01:00:00:00:00:01\" is no single device's");
	EXPECT(A, DEVICE("address = \"10.0.0.1\"; interface = \"lan0\"; via = \"02:00\";"), A ":2: via \"02:00\" is no MAC");
	EXPECT(A, DEVICE("address = ( \"2001:db8::/64\", \"10.0.0.1\" ); interface = \"lan0\";"),
	    A ":1: device \"d\" has a prefix and no `mac': in a prefix only the MAC tells devices apart");
}

static void
test_prefixes(void **state)
{
	(void)state;
	EXPECT(A, DEVICE("mac = \"02:00:00:00:00:01\"; address = (\n\"2001:db8:1::/48\",\n\"2001:db8:1::/128\",\n"
	    "\"2001:db8::1/64\",\n\"10.0.0.0/24\",\n\"10.0.0.1/64\",\n\"fe80::/64\",\n\"ff02::/64\",\n\"::/64\",\n\"x/64\",\n"
	    "\"/64\",\n\"2001:db8::/\",\n\"2001:db8::/064\",\n\"2001:db8::/64/64\" );"),
	    A ":3: address \"2001:db8:1::/48\": a prefix in which a device makes its own addresses (SLAAC) has 64 bits "
	    "(RFC 4291 2.5.1, RFC 7421)", A ":4: address \"2001:db8:1::/128\": a prefix",
	    A ":5: prefix \"2001:db8::1/64\" has bits set beyond its length: did you mean 2001:db8::/64?",
	    A ":6: address \"10.0.0.0/24\" is an IPv4 prefix", A ":7: address \"10.0.0.1/64\" is an IPv4 prefix",
	    A ":8: address \"fe80::/64\" is a link-local address", A ":9: address \"ff02::/64\" is a multicast address",
	    A ":10: address \"::/64\" is the unspecified address", A ":11: address \"x/64\" is no prefix",
	    A ":12: address \"/64\" is no prefix", A ":13: address \"2001:db8::/\": a prefix",
	    A ":14: address \"2001:db8::/064\": a prefix", A ":15: address \"2001:db8::/64/64\": a prefix");
}

#define CSV "devices.d/a.csv"

static void
test_inventory(void **state)
{
	(void)state;
	FINE(CSV, "name,class,mac,via,address,interface\na,c,02:00:00:00:00:01,,,\n"
	    "b,c,02:00:00:00:00:02,,10.0.0.2;2001:db8:1::/64,\nd,c,,,10.0.0.3,lan0\n"
	    "e,c,,02:00:00:00:00:fe,10.0.0.4 10.0.0.5,lan0\n");
	assert_int_equal(p->n_devices, 4);
	assert_int_equal(p->devices[1].addresses[1].prefix, 64);
	assert_false(p->devices[2].has_mac);
	assert_true(p->devices[3].has_via);
	FINE(CSV, "name,class,address,interface\na,c,10.0.0.3,lan0\n");
	EXPECT(CSV, "name,class,address\na,c,10.0.0.3\n", CSV ":1: there is no column \"mac\": without it, devices are known by");
	EXPECT(CSV, "name,class,via,interface\n", CSV ":1: there is no column \"mac\"");
	EXPECT(CSV, "name,class,mac,via,address,interface\nd,c,,,,\nd,c,,,10.0.0.1,\nd,c,,,,lan0\n"
	    "d,c,02:00:00:00:00:01,02:00:00:00:00:02,,\nd,c,,,2001:db8::/64,lan0\nd,c,02:00:00:00:00:01,,10.0.0.0/24,\n",
	    CSV ":2: " NEITHER, CSV ":3: " NEITHER, CSV ":4: " NEITHER, CSV ":5: device \"d\" has `mac' and `via'",
	    CSV ":6: device \"d\" has a prefix and no `mac'", CSV ":7: address \"10.0.0.0/24\" is an IPv4 prefix");
}

/* ---- advice ------------------------------------------------------------- */

static void
test_not_in_force(void **state)
{
	(void)state;
	FINE("cordon.conf", "appliance: { device_interfaces = [ \"lan0\" ];\n brake: { devices = 5; within = \"1m\"; };\n"
	    "resolvers = [ \"127.0.0.1\", \"::1\" ]; };");
	assert_int_equal(m.n_warnings, 1);
	assert_string_equal(m.warnings[0], "cordon.conf:3: resolvers are not asked yet: the name proxy that uses them does "
	    "not run");
}

/* ---- limits ------------------------------------------------------------- */

/* n times fmt, with the number in it, between head and tail. */
static char *
repeat(const char *head, size_t n, const char *fmt, const char *tail)
{
	char *text = NULL, one[256];
	size_t len, i;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	fputs(head, out);
	for (i = 0; i < n; i++) {
		/* The one conversion is the caller's %zu. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(one, sizeof(one), fmt, i);
#pragma GCC diagnostic pop
		fprintf(out, "%s%s", i > 0 ? ",\n" : "", one);
	}
	fputs(tail, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

/* As many as are possible, and one more. */
static void
check_limit(const char *head, size_t limit, const char *fmt, const char *tail, const char *mistake)
{
	char *text = repeat(head, limit, fmt, tail);

	FINE(A, text);
	free(text);
	text = repeat(head, limit + 1, fmt, tail);
	EXPECT(A, text, mistake);
	free(text);
}

static void
test_limits(void **state)
{
	(void)state;
	check_limit("services = ( ", LIMIT_SERVICES, "{ name = \"s%zu\"; tcp = 1; }", " );",
	    A ":1025: more than 1024 services: at most that many are possible");
	assert_int_equal(p->n_services, LIMIT_SERVICES);
	assert_true(p->incomplete);
	check_limit("groups = ( ", LIMIT_GROUPS, "{ name = \"g%zu\"; to = \"10.0.0.1\"; }", " );",
	    A ":4097: more than 4096 groups: at most that many are possible");
	assert_int_equal(p->n_groups, LIMIT_GROUPS);
	check_limit("schedules = ( ", LIMIT_SCHEDULES, "{ name = \"n%zu\"; days = \"daily\"; from = \"02:00\"; "
	    "to = \"04:00\"; zone = \"Europe/Berlin\"; }", " );",
	    A ":65: more than 64 schedules: at most that many are possible");
	check_limit("groups = ( { name = \"g\"; to = ( ", LIMIT_GROUP_MEMBERS, "\"group:g%zu\"", " ); } );",
	    A ":1: 4097 members in one group: at most 4096");
	check_limit("classes = ( { name = \"c\"; extends = ( ", LIMIT_EXTENDS, "\"c%zu\"", " ); } );",
	    A ":1: a class that extends 17 others: at most 16");
}

/* ---- hostile texts ------------------------------------------------------ */

static void
test_many(void **state)
{
	char *text = repeat("groups = ( ", 10000, "{ name = \"g%zu\"; to = \"10.0.0.1\"; }", " );");

	(void)state;
	EXPECT(A, text, A ":4097: more than 4096 groups");
	free(text);
	/* Mistakes beyond what is kept are counted. */
	text = repeat("services = ( ", 5000, "{ nam%zu = 5; }", " );");
	folder_put(&f, A, text);
	reading_read();
	assert_true(m.n > LIMIT_MISTAKES);
	free(text);
}

/* head, n times c, m times d, tail. */
static char *
filled(const char *head, char c, size_t n, char d, size_t k, const char *tail)
{
	char *text = malloc(strlen(head) + n + k + strlen(tail) + 1);

	assert_non_null(text);
	memcpy(text, head, strlen(head));
	memset(text + strlen(head), c, n);
	memset(text + strlen(head) + n, d, k);
	memcpy(text + strlen(head) + n + k, tail, strlen(tail) + 1);
	return text;
}

static void
test_long(void **state)
{
	static const struct {
		const char *head;
		const char *tail;
		const char *want;
	} places[] = {
		{ "services = ( { name = \"", "\"; tcp = 1; } );", A ":1: service name \"xxxx" },
		{ "groups = ( { name = \"g\"; to = \"", "\"; } );", A ":1: \"xxxx" },
		{ "groups = ( { name = \"g\"; to = \"group:", "\"; } );", A ":1: \"group:xxxx" },
		{ "schedules = ( { name = \"n\"; days = \"daily\"; from = \"02:00\"; to = \"04:00\"; zone = \"", "\"; } );",
		  A ":1: zone \"xxxx" },
		{ "schedules = ( { name = \"n\"; days = \"daily\"; to = \"04:00\"; zone = \"UTC\"; from = \"", "\"; } );",
		  A ":1: from = \"xxxx" },
		{ "classes = ( { name = \"c\"; extends = \"", "\"; } );", A ":1: class name \"xxxx" },
		{ "classes = ( { name = \"c\"; allow = { to = \"10.0.0.1\"; protocol = \"", "\"; }; } );",
		  A ":1: no protocol is known as \"xxxx" },
		{ "devices = ( { name = \"d\"; class = \"c\"; mac = \"02:00:00:00:00:01\"; address = \"", "/64\"; } );",
		  A ":1: address \"xxxx" },
		{ "", " = 5;", A ":1: unknown key `xxxx" },
	};
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		text = filled(places[i].head, 'x', 1 << 20, 'x', 0, places[i].tail);
		EXPECT(A, text, places[i].want);
		assert_true(strlen(m.lines[0]) < 1024);
		free(text);
	}
}

/* Brackets as deep as anyone likes are a mistake at most. */
static void
test_deep(void **state)
{
	static const struct {
		size_t depth;
		const char *open;	/* what is said when no bracket is closed, and when all are */
		const char *closed;
	} rows[] = {
		{ 3, A ":1: syntax error: look for a missing ;", A ":1: a declared service is written as a list ( )" },
		{ 1000, A ":1: syntax error: look for a missing ;", A ":1: a declared service is written as a list ( )" },
		{ 1000000, A ":1: brackets within brackets", A ":1: brackets within brackets" },
	};
	size_t i;
	char *text;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text = filled("services = ", '(', rows[i].depth, ')', 0, "");
		EXPECT(A, text, rows[i].open);
		free(text);
		text = filled("services = ", '(', rows[i].depth, ')', rows[i].depth, ";");
		EXPECT(A, text, rows[i].closed);
		free(text);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, reading_setup, reading_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_services),
		TEST(test_service_mistakes),
		TEST(test_anywhere),
		TEST(test_protocols),
		TEST(test_groups),
		TEST(test_rules),
		TEST(test_inbound),
		TEST(test_class_keys),
		TEST(test_class_mistakes),
		TEST(test_rate),
		TEST(test_schedule),
		TEST(test_schedule_mistakes),
		TEST(test_identities),
		TEST(test_identity_mistakes),
		TEST(test_prefixes),
		TEST(test_inventory),
		TEST(test_not_in_force),
		TEST(test_limits),
		TEST(test_many),
		TEST(test_long),
		TEST(test_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
