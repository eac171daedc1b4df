/* SPDX-License-Identifier: GPL-2.0-or-later */
/* network.c -- a small network whose packets are sent through the rules. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "network.h"

static const char *const home[] = { [PORT] = "lan0", [LOOSE] = "lan0", [GATE] = "lan1", [PROBE] = "lan0",
	[FREE] = "lan0", [FREE_PORT] = "lan1", [SERVER] = "wan", [OTHER] = "wan", [ANYTHING] = "wan",
	[REMEDY] = "wan" };

bool v6;
uint8_t *bytes;
struct image image;
struct station stations[DEVICES];
struct ruleset rules;
struct router router;
struct connection connection;

static void
address_text(int host, char *out, size_t len, bool six)
{
	bool device = host < SERVER;

	if (six)
		snprintf(out, len, device ? "fd10::%x" : "2001:db8::%x", (unsigned)host);
	else
		snprintf(out, len, device ? "10.10.0.%d" : "192.0.2.%d", host);
}

static void
rule_both(struct policy *p, struct class_decl *c, int host, uint8_t kind, uint8_t protocol, uint16_t low,
    uint16_t high)
{
	char to[64];

	for (int six = 0; six < 2; six++) {
		address_text(host, to, sizeof(to), six);
		sample_rule(p, c, to, kind, kind == BOX_ICMP && six ? IPPROTO_ICMPV6 : protocol,
		    kind == BOX_ICMP && six ? 128 : low, kind == BOX_ICMP && six ? 128 : high);
	}
}

static void
device(struct policy *p, const char *name, const char *class, int host, const char *port)
{
	bool addressed = host != FREE && host != FREE_PORT;
	char four[64], six[64];
	struct device_decl *d;

	address_text(host, four, sizeof(four), false);
	address_text(host, six, sizeof(six), true);
	d = sample_device(p, name, class, (uint8_t)host, addressed ? four : NULL, port, NULL, 0);
	if (addressed)
		sample_address(d, six);
}

static struct policy *
network(uint16_t last_port)
{
	struct policy *p = sample_new();
	struct class_decl *c = sample_class(p, "sensor");

	rule_both(p, c, SERVER, BOX_PORTS, IPPROTO_TCP, 443, last_port);
	rule_both(p, c, SERVER, BOX_PORTS, IPPROTO_UDP, 5000, 5000);
	rule_both(p, c, SERVER, BOX_ICMP, IPPROTO_ICMP, 8, 8);
	rule_both(p, c, OTHER, BOX_PROTOCOL, IPPROTO_GRE, 0, 0);
	rule_both(p, c, ANYTHING, BOX_ANY, 0, 0, 0);
	sample_rule(p, c, "class:gateway", BOX_PORTS, IPPROTO_TCP, 1883, 1883);
	sample_rule(p, c, "class:gateway", BOX_ICMP, IPPROTO_ICMP, 8, 8);
	sample_rule(p, c, "class:gateway", BOX_ICMP, IPPROTO_ICMPV6, 128, 128);
	sample_class(p, "gateway");
	sample_class(p, "probe")->mode = MODE_AUDIT;
	sample_service(p, BOX_PORTS, IPPROTO_UDP, 67, 67);
	sample_service(p, BOX_PORTS, IPPROTO_UDP, 547, 547);
	sample_service(p, BOX_PORTS, IPPROTO_UDP, 123, 123);
	sample_service(p, BOX_ICMP, IPPROTO_ICMP, 8, 8);
	sample_service(p, BOX_ICMP, IPPROTO_ICMPV6, 128, 128);
	sample_quarantine(p, "192.0.2.80", 443);
	sample_quarantine(p, "2001:db8::50", 443);	/* 80 in decimal */
	device(p, "port", "sensor", PORT, "lan0");
	device(p, "loose", "sensor", LOOSE, NULL);
	device(p, "gate", "gateway", GATE, "lan1");
	device(p, "probe", "probe", PROBE, "lan0");
	device(p, "free", "sensor", FREE, NULL);
	device(p, "free-port", "sensor", FREE_PORT, "lan1");
	return p;
}

void
load(uint16_t last_port, const struct image *before)
{
	struct policy *p = network(last_port);
	uint8_t *old = bytes;
	size_t len;

	image = sample_image(p, before, &bytes, &len);
	free(old);
	policy_free(p);
	for (uint32_t i = 0; i < DEVICES; i++)
		if (before == NULL)
			stations[i] = (struct station){ .number = image.devices[i].number, .generation = 1 };
	rules = ruleset_make(&image, stations, (struct features){ true, true });
	router_init(&router, &rules);
}

size_t
index_of(int host)
{
	return (size_t)(image_device_with_mac(&image, (const uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)host }) -
	    image.devices);
}

uint32_t
mark_of(int host)
{
	return station_mark(&stations[index_of(host)]);
}

void
move(int host, bool quarantined)
{
	struct station *s = &stations[index_of(host)];

	s->generation++;
	s->quarantined = quarantined;
	router_init(&router, &rules);
}

int
setup(void **state)
{
	v6 = *state != NULL;
	memset(&connection, 0, sizeof(connection));
	load(450, NULL);
	return 0;
}

int
teardown(void **state)
{
	(void)state;
	router_end(&router);
	free(bytes);
	bytes = NULL;
	return 0;
}

/* ---- packets ------------------------------------------------------------ */

void
set_address(uint8_t out[16], int host)
{
	char text[64];

	address_text(host, text, sizeof(text), v6);
	assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, text, out), 1);
}

struct packet
packet(int from, int to, uint8_t protocol, uint16_t port)
{
	struct packet p = { .family = v6 ? AF_INET6 : AF_INET, .ether = { 2, 0, 0, 0, 0, (uint8_t)from },
		.protocol = protocol, .sport = 40000, .dport = port, .iif = home[from], .oif = home[to],
		.hoplimit = 63, .ct_state = CTS_NEW };

	set_address(p.src, from);
	set_address(p.dst, to);
	return p;
}

struct packet
answer(int from, int to, uint8_t protocol, uint16_t port)
{
	struct packet p = packet(from, to, protocol, 40000);

	p.sport = port;
	p.reply = true;
	return p;
}

struct packet
echo(int from, int to, bool reply)
{
	struct packet p = packet(from, to, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, 0);

	p.icmp_type = v6 ? 128 + reply : reply ? 0 : 8;
	p.reply = reply;
	return p;
}

void
anew(void)
{
	memset(&connection, 0, sizeof(connection));
	router_forget(&router);
}

void
passes(struct packet p)
{
	router_forget(&router);
	assert_int_equal(router_sends(&router, HOOK_FORWARD, p, &connection), VERDICT_ACCEPT);
}

void
stopped(struct packet p)
{
	router_forget(&router);
	assert_int_equal(router_sends(&router, HOOK_FORWARD, p, &connection), VERDICT_DROP);
}

enum set_kind
of_family(enum set_kind four, enum set_kind six)
{
	return v6 ? six : four;
}

/* Dropped, counted for its device, and one key of it on record. */
void
refused(struct packet p)
{
	stopped(p);
	assert_int_equal(router.hits[SET_TOTAL], 1);
	assert_int_equal(router.logs[LOG_REFUSED], 1);
	assert_int_equal(router_added(&router, of_family(SET_REFUSED4, SET_REFUSED6)) +
	    router_added(&router, of_family(SET_REFUSED4_PORTLESS, SET_REFUSED6_PORTLESS)), 1);
}

void
strange(struct packet p)
{
	stopped(p);
	assert_int_equal(router.mark, 0);
	assert_int_equal(router.counters[COUNTER_STRANGERS], 1);
	assert_int_equal(router.logs[LOG_REFUSED], 1);
	assert_int_equal(router_added(&router, of_family(SET_STRANGER4, SET_STRANGER6)) +
	    router_added(&router, of_family(SET_STRANGER4_PORTLESS, SET_STRANGER6_PORTLESS)), 1);
}

void
stray(struct packet p)
{
	stopped(p);
	assert_int_equal(router.counters[COUNTER_STRAY], 1);
}

/* An admitted connection of a device, to a server's port. */
void
opened(int from, uint16_t port)
{
	anew();
	passes(packet(from, SERVER, IPPROTO_TCP, port));
	assert_int_equal(connection.mark, mark_of(from));
	passes(answer(SERVER, from, IPPROTO_TCP, port));
	passes(packet(from, SERVER, IPPROTO_TCP, port));
}
