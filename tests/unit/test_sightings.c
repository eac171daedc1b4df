/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_sightings.c -- unknown devices: who is one, how many fit, and that the
 * store has what memory has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <sys/socket.h>
#include <unistd.h>

#include "evidence/parts.h"
#include "flow/flow.h"
#include "flow/parts.h"
#include "flow_sample.h"

#define WALL 1700000000000
#define LAN0 7	/* no interface is known by name here: they are called if7 and if8 */
#define LAN1 8

static const struct siphash_key seed = { 1, 2 };
static char folder[64];
static struct clock_view now;
static struct flow flow;
static struct sightings *s;
static struct sighting found[LIMIT_SIGHTINGS + 1];
static size_t n_found;

static const char texts[] = "\0sensor-1\0sensor-2\0camera-1\0sensor\0camera\0quarantine\0if7\0\0if8";

static void
start(void)
{
	assert_int_equal(flow_init(&flow, NULL, folder, &seed), 0);
	flow.flushed_ms = now.boot_ms;
	s = &flow.sightings;
	sample_image(&flow.image);
	flow.image.text = texts;
	assert_int_equal(directory_set(&flow.directory, &flow.image), 0);
}

static int
set_up(void **state)
{
	(void)state;
	now = (struct clock_view){ .wall_ms = WALL, .boot_ms = 100000 };
	snprintf(folder, sizeof(folder), "/tmp/test_sightings.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	start();
	return 0;
}

static int
tear_down(void **state)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	(void)state;
	flow_done(&flow);
	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		closedir(d);
	return rmdir(folder);
}

static void
later(int64_t ms)
{
	now.wall_ms += ms;
	now.boot_ms += ms;
}

static struct mac
mac_of(uint32_t i)
{
	return (struct mac){ { 0x02, 0x99, (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i } };
}

static struct addr
ip4(uint8_t last)
{
	return (struct addr){ .family = AF_INET, .bytes = { 10, 10, 0, last } };
}

/* A stranger's packet to 192.0.2.2, by lan0. */
static struct record
packet_of(const struct mac *mac, uint8_t source)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	r.group = FLOW_REFUSED;
	r.hook = NF_INET_FORWARD;
	r.has_mac = r.has_head = 1;
	r.mac = *mac;
	r.in = LAN0;
	r.packet.family = AF_INET;
	r.packet.protocol = IPPROTO_TCP;
	r.packet.flags = PACKET_PORTS;
	r.packet.port = 443;
	r.packet.len = 60;
	r.packet.source = ip4(source);
	r.packet.destination = (struct addr){ .family = AF_INET, .bytes = { 192, 0, 2, 2 } };
	return r;
}

static int
take(void *arg, const struct sighting *row)
{
	(void)arg;
	assert_true(n_found <= LIMIT_SIGHTINGS);
	found[n_found++] = *row;
	return 0;
}

static void
read_store(int64_t since_ms)
{
	struct evidence *e;

	n_found = 0;
	assert_int_equal(evidence_open(folder, EVIDENCE_READ, &e), 0);
	assert_int_equal(evidence_query_sightings(e, since_ms, take, NULL), 0);
	evidence_close(e);
}

/* ---- who is one --------------------------------------------------------- */

static void
a_stranger_is_listed(void **state)
{
	struct mac mac = mac_of(1);
	struct record r = packet_of(&mac, 77);
	struct sighting *row;

	(void)state;
	flow_record(&flow, &r, &now);
	row = sightings_find(s, &mac, "if7");
	assert_non_null(row);
	assert_int_equal(row->first_ms, WALL);
	assert_int_equal(row->packets, 1);
	assert_int_equal(row->n_addresses, 1);
	assert_memory_equal(row->addresses[0].bytes, "\x0a\x0a\x00\x4d", 4);
	later(5000);
	r.in = LAN1;
	flow_record(&flow, &r, &now);
	assert_non_null(sightings_find(s, &mac, "if8"));	/* a place of its own */
	assert_int_equal(row->last_ms, WALL);
	assert_null(sightings_find(s, &mac, "if9"));
}

static void
known_macs_are_not_listed(void **state)
{
	struct mac known = { { 2, 0, 0, 0, 0, 0x11 } };
	struct record r = packet_of(&known, 99);

	(void)state;
	flow_record(&flow, &r, &now);		/* at a wrong address */
	r.in = LAN1;
	flow_record(&flow, &r, &now);		/* at a wrong port */
	r.group = FLOW_DISCOVERED;
	flow_record(&flow, &r, &now);
	assert_int_equal(s->n, 0);
	assert_int_equal(attempts_n(flow.attempts), 1);
}

static void
not_everything_is_a_device(void **state)
{
	struct mac mac = mac_of(1), group = { { 1, 0, 0x5e, 0, 0, 1 } }, none = { { 0 } };
	struct record r = packet_of(&mac, 77);

	(void)state;
	r.in = 9;		/* no device interface */
	flow_record(&flow, &r, &now);
	r = packet_of(&mac, 77);
	r.mark = 0x1101;	/* somebody's */
	flow_record(&flow, &r, &now);
	r = packet_of(&group, 77);
	flow_record(&flow, &r, &now);
	r = packet_of(&none, 77);
	flow_record(&flow, &r, &now);
	r = packet_of(&mac, 77);
	r.has_mac = 0;
	flow_record(&flow, &r, &now);
	assert_int_equal(s->n, 0);
}

static void
counts_are_the_kernels(void **state)
{
	struct mac mac = mac_of(1);
	struct record r = packet_of(&mac, 77);
	struct flow_count c;
	struct sighting *row;

	(void)state;
	flow_record(&flow, &r, &now);
	flow_record(&flow, &r, &now);
	row = sightings_find(s, &mac, "if7");
	assert_int_equal(row->packets, 2);
	memset(&c, 0, sizeof(c));
	c.group = FLOW_REFUSED;
	c.family = AF_INET;
	c.protocol = IPPROTO_TCP;
	c.port = 443;
	memcpy(c.mac, mac.bytes, sizeof(c.mac));
	memcpy(c.source, r.packet.source.bytes, 4);
	memcpy(c.destination, r.packet.destination.bytes, 4);
	c.packets = 1000;
	flow_count(&flow, &c, &now);
	assert_int_equal(row->packets, 1000);
	flow_count(&flow, &c, &now);
	assert_int_equal(row->packets, 1000);
	c.packets = 1500;
	c.final = 1;
	flow_count(&flow, &c, &now);
	assert_int_equal(row->packets, 1500);
	/* the next key, told of by its count first: the interface is known from before */
	later(1000);
	c.packets = 10;
	c.final = 0;
	flow_count(&flow, &c, &now);
	assert_int_equal(row->packets, 1510);
	/* another key; its count comes before its record and waits for it */
	c.port = 80;
	c.packets = 7;
	flow_count(&flow, &c, &now);
	assert_int_equal(row->packets, 1510);
	r.packet.port = 80;
	flow_record(&flow, &r, &now);
	assert_int_equal(row->packets, 1517);
}

static void
a_question_for_an_address(void **state)
{
	static uint8_t head[600];
	struct mac mac = mac_of(1);
	struct record r;
	struct sighting *row;

	(void)state;
	memcpy(head, "\x45\x00\x02\x00\x00\x00\x00\x00\x40\x11\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff"
	    "\x00\x44\x00\x43\x01\xec\x00\x00\x01", 29);
	memcpy(head + 28 + 236, "\x63\x82\x53\x63\x0c\x03" "cam\x3c\x05udhcp\xff", 17);
	memset(&r, 0, sizeof(r));
	r.group = FLOW_DISCOVERED;
	r.hook = NF_INET_LOCAL_IN;
	r.has_mac = r.has_head = 1;
	r.mac = mac;
	r.in = LAN0;
	r.head = head;
	r.head_len = sizeof(head);
	packet_decode(head, sizeof(head), &r.packet);
	flow_record(&flow, &r, &now);
	row = sightings_find(s, &mac, "if7");
	assert_non_null(row);
	assert_string_equal(row->dhcp_name, "cam");
	assert_string_equal(row->dhcp_vendor, "udhcp");
	assert_int_equal(row->n_addresses, 0);
	assert_int_equal(row->packets, 1);
	assert_int_equal(attempts_n(flow.attempts), 0);	/* no refused connection */
	/* to one host it is refused and counted as any other packet */
	memcpy(head + 16, "\x0a\x0a\x00\x01", 4);
	memcpy(head + 28 + 236 + 4, "\xff", 1);		/* and says nothing this time */
	packet_decode(head, sizeof(head), &r.packet);
	flow_record(&flow, &r, &now);
	assert_int_equal(row->packets, 1);
	assert_string_equal(row->dhcp_name, "cam");
}

static void
the_latest_addresses(void **state)
{
	struct mac mac = mac_of(1);
	struct sighting *row = sightings_seen(s, &mac, "if7", &now);
	struct addr a;

	(void)state;
	for (uint8_t i = 1; i <= LIMIT_SIGHTING_ADDRESSES; i++) {
		a = ip4(i);
		sightings_address(s, row, &a);
	}
	assert_int_equal(row->n_addresses, LIMIT_SIGHTING_ADDRESSES);
	assert_int_equal(row->more_addresses, 0);
	assert_int_equal(row->addresses[0].bytes[3], LIMIT_SIGHTING_ADDRESSES);
	a = ip4(1);
	sightings_address(s, row, &a);		/* again */
	assert_int_equal(row->addresses[0].bytes[3], 1);
	assert_int_equal(row->addresses[LIMIT_SIGHTING_ADDRESSES - 1].bytes[3], 2);
	assert_int_equal(row->more_addresses, 0);
	a = ip4(LIMIT_SIGHTING_ADDRESSES + 1);
	sightings_address(s, row, &a);
	assert_int_equal(row->n_addresses, LIMIT_SIGHTING_ADDRESSES);
	assert_int_equal(row->more_addresses, 1);
	assert_int_equal(row->addresses[LIMIT_SIGHTING_ADDRESSES - 1].bytes[3], 3);
	memset(&a, 0, sizeof(a));
	a.family = AF_INET;
	sightings_address(s, row, &a);		/* 0.0.0.0 is none */
	assert_int_equal(row->addresses[0].bytes[3], LIMIT_SIGHTING_ADDRESSES + 1);
}

/* ---- bounds ------------------------------------------------------------- */

static void
new_ones_per_minute(void **state)
{
	struct mac mac;

	(void)state;
	for (uint32_t i = 0; i < LIMIT_SIGHTINGS_NEW; i++) {
		mac = mac_of(i);
		assert_non_null(sightings_seen(s, &mac, "if7", &now));
	}
	mac = mac_of(LIMIT_SIGHTINGS_NEW);
	assert_null(sightings_seen(s, &mac, "if7", &now));
	assert_int_equal(s->sums.not_taken, 1);
	assert_non_null(sightings_seen(s, &mac, "if8", &now));	/* the other port has its own share */
	mac = mac_of(0);
	assert_non_null(sightings_seen(s, &mac, "if7", &now));	/* who is there already is seen */
	mac = mac_of(LIMIT_SIGHTINGS_NEW);
	later(SIGHTINGS_MINUTE_MS - 1);
	assert_null(sightings_seen(s, &mac, "if7", &now));
	later(1);
	assert_non_null(sightings_seen(s, &mac, "if7", &now));
	assert_int_equal(s->sums.not_taken, 2);
}

/* Fill the list as fast as it lets itself be filled. */
static void
flood(uint32_t from, uint32_t n, const char *interface)
{
	for (uint32_t i = 0; i < n; i++) {
		struct mac mac = mac_of(from + i);

		if (i % LIMIT_SIGHTINGS_NEW == 0)
			later(SIGHTINGS_MINUTE_MS);
		assert_non_null(sightings_seen(s, &mac, interface, &now));
	}
}

static void
as_many_as_fit(void **state)
{
	struct mac first = mac_of(100000), real = mac_of(1), last = mac_of(7);

	(void)state;
	assert_non_null(sightings_seen(s, &real, "if8", &now));
	flood(100000, LIMIT_SIGHTINGS - 1, "if7");
	assert_int_equal(s->n, LIMIT_SIGHTINGS);
	assert_int_equal(s->sums.pushed_out, 0);
	later(SIGHTINGS_MINUTE_MS);
	assert_non_null(sightings_seen(s, &last, "if7", &now));
	assert_int_equal(s->n, LIMIT_SIGHTINGS);
	assert_int_equal(s->sums.pushed_out, 1);
	/* the flood's own oldest went, not the one at the other port that is older still */
	assert_null(sightings_find(s, &first, "if7"));
	assert_non_null(sightings_find(s, &real, "if8"));
	assert_non_null(sightings_find(s, &last, "if7"));
}

/* At the same port: who goes on being seen stays. */
static void
a_flood_does_not_hide_who_is_there(void **state)
{
	struct mac real = mac_of(1);

	(void)state;
	assert_non_null(sightings_seen(s, &real, "if7", &now));
	for (uint32_t i = 0; i < 4; i++) {
		flood(100000 * (i + 1), LIMIT_SIGHTINGS / 2, "if7");
		assert_non_null(sightings_seen(s, &real, "if7", &now));
	}
	assert_true(s->sums.pushed_out > LIMIT_SIGHTINGS / 2);
	assert_non_null(sightings_find(s, &real, "if7"));
	assert_int_equal(sightings_find(s, &real, "if7")->first_ms, WALL);
}

/* ---- the store ---------------------------------------------------------- */

static void
it_lasts(void **state)
{
	struct mac mac = mac_of(1);
	struct record r = packet_of(&mac, 77);
	struct dhcp_said said = { .name = "cam", .vendor = "udhcp", .list = "1,3", .client = "01" };
	struct addr six = { .family = AF_INET6, .bytes = { 0xfd, 0x10, [15] = 9 } };
	struct sighting before;

	(void)state;
	flow_record(&flow, &r, &now);
	sightings_address(s, sightings_find(s, &mac, "if7"), &six);
	sightings_dhcp(s, sightings_find(s, &mac, "if7"), &said);
	s->sums.not_taken = 5;
	before = *sightings_find(s, &mac, "if7");
	assert_int_equal(flow_flush(&flow, &now), 0);
	assert_false(s->any_dirty);
	read_store(0);
	assert_int_equal(n_found, 1);
	assert_memory_equal(&found[0], &before, sizeof(before));
	read_store(WALL);
	assert_int_equal(n_found, 1);
	read_store(WALL + 1);
	assert_int_equal(n_found, 0);
	/* another run goes on with it */
	flow_done(&flow);
	start();
	assert_int_equal(flow_open_store(&flow, &now), 0);
	assert_memory_equal(sightings_find(s, &mac, "if7"), &before, sizeof(before));
	assert_int_equal(s->sums.not_taken, 5);
	later(1000);
	flow_record(&flow, &r, &now);
	flow_record(&flow, &r, &now);
	assert_int_equal(sightings_find(s, &mac, "if7")->packets, 2);	/* at least, until the kernel says more */
	assert_int_equal(sightings_find(s, &mac, "if7")->first_ms, WALL);
	assert_int_equal(sightings_find(s, &mac, "if7")->last_ms, WALL + 1000);
}

static void
seen_before_the_store_opens(void **state)
{
	struct mac mac = mac_of(1), other = mac_of(2);
	struct record r = packet_of(&mac, 77);

	(void)state;
	flow_record(&flow, &r, &now);
	assert_int_equal(flow_flush(&flow, &now), 0);
	flow_done(&flow);
	start();
	later(1000);
	r = packet_of(&other, 78);
	flow_record(&flow, &r, &now);	/* takes the slot that the store gave the first one */
	r = packet_of(&mac, 79);
	assert_int_equal(flow_flush(&flow, &now), 0);
	read_store(0);
	assert_int_equal(n_found, 2);
	flow_record(&flow, &r, &now);
	assert_int_equal(flow_flush(&flow, &now), 0);
	read_store(0);
	assert_int_equal(n_found, 2);
	assert_int_equal(found[0].packets + found[1].packets, 3);
}

static void
pushed_out_and_back(void **state)
{
	struct mac mac = mac_of(1);

	(void)state;
	assert_non_null(sightings_seen(s, &mac, "if7", &now));
	flood(100000, LIMIT_SIGHTINGS, "if7");
	assert_int_equal(flow_flush(&flow, &now), 0);
	assert_null(sightings_find(s, &mac, "if7"));
	later(SIGHTINGS_MINUTE_MS);
	/* the store still has a row of this MAC, in a slot that is another's by now */
	mac = mac_of(100000);
	assert_non_null(sightings_find(s, &mac, "if7"));
	flood(200000, LIMIT_SIGHTINGS_NEW, "if8");
	mac = mac_of(1);
	assert_non_null(sightings_seen(s, &mac, "if7", &now));
	assert_int_equal(flow_flush(&flow, &now), 0);
	read_store(0);
	assert_int_equal(n_found, LIMIT_SIGHTINGS);
	assert_int_equal(s->n, LIMIT_SIGHTINGS);
}

/* A store of the version before keeps its rows and gets the new table. */
static void
an_older_store_goes_on(void **state)
{
	struct mac mac = mac_of(1);
	struct record r = packet_of(&mac, 77);
	struct evidence *e;
	int64_t n;

	(void)state;
	flow_record(&flow, &r, &now);
	assert_int_equal(flow_flush(&flow, &now), 0);
	flow_done(&flow);
	assert_int_equal(evidence_open(folder, EVIDENCE_WRITE, &e), 0);
	assert_int_equal(evidence_exec(e, "DROP TABLE sighting; DROP TABLE sighting_sums; PRAGMA user_version = 1"), 0);
	evidence_close(e);
	read_store(0);			/* a reader does without */
	assert_int_equal(n_found, 0);
	start();
	assert_int_equal(flow_open_store(&flow, &now), 0);
	assert_int_equal(evidence_int(flow.store, "SELECT count(*) FROM attempt", &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(evidence_int(flow.store, "PRAGMA user_version", &n), 0);
	assert_int_equal(n, 2);
	flow_record(&flow, &r, &now);
	assert_int_equal(flow_flush(&flow, &now), 0);
	read_store(0);
	assert_int_equal(n_found, 1);
}

int
main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	static const struct CMUnitTest tests[] = {
		TEST(a_stranger_is_listed),
		TEST(known_macs_are_not_listed),
		TEST(not_everything_is_a_device),
		TEST(counts_are_the_kernels),
		TEST(a_question_for_an_address),
		TEST(the_latest_addresses),
		TEST(new_ones_per_minute),
		TEST(as_many_as_fit),
		TEST(a_flood_does_not_hide_who_is_there),
		TEST(it_lasts),
		TEST(seen_before_the_store_opens),
		TEST(pushed_out_and_back),
		TEST(an_older_store_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
