/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_flow.c -- cordon-flow without its process: messages in, rows out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "flow/flow.h"
#include "proto/proc.h"
#include "sample.h"

#define WALL 1700000000000
#define ROWS 32

static const struct siphash_key seed = { 1, 2 };
static char folder[64];
static struct clock_view now;
static struct ipc ours, theirs;	/* cordon-flow's end, cordond's end */
static struct flow flow;
static struct ipc_message message;
static struct attempt rows[ROWS];
static size_t n_rows;

static void
start(void)
{
	int fds[2];

	assert_int_equal(ipc_pair(fds), 0);
	ipc_init(&ours, fds[0], PROC_BIT(PROC_FLOW), PROC_BIT(PROC_ENFORCE), &messages);
	ipc_init(&theirs, fds[1], PROC_BIT(PROC_ENFORCE), PROC_BIT(PROC_FLOW), &messages);
	assert_int_equal(flow_init(&flow, &ours, folder, &seed), 0);
	flow.flushed_ms = now.boot_ms;
}

static void
stop(void)
{
	flow_done(&flow);
	ipc_done(&ours);
	ipc_done(&theirs);
}

static int
set_up(void **state)
{
	(void)state;
	now = (struct clock_view){ .wall_ms = WALL, .boot_ms = 100000 };
	snprintf(folder, sizeof(folder), "/tmp/test_flow.XXXXXX");
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
	stop();
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

/* What cordond sends, through the channel and the table of messages. */
static int
say(uint32_t type, const void *payload, size_t len, int fd)
{
	assert_int_equal(ipc_send(&theirs, type, 5, payload, len, fd), 0);
	assert_int_equal(ipc_recv(&ours, &message), 1);
	return flow_message(&flow, &message, &now);
}

/* Two sensors and a gateway; the first sensor is called as the test likes. */
static void
send_image(uint64_t revision, const char *name)
{
	struct image_ref ref = { .revision = revision };
	struct policy *p = sample_new();
	struct image image;
	uint8_t *bytes;
	size_t len;
	int fd;

	sample_rule(p, sample_class(p, "sensor"), "192.0.2.2", BOX_PORTS, IPPROTO_TCP, 443, 443);
	sample_rule(p, sample_class(p, "gateway"), "192.0.2.3", BOX_PORTS, IPPROTO_TCP, 443, 443);
	sample_device(p, name, "sensor", 0x11, "10.10.0.11", "lan0", NULL, 0);
	sample_device(p, "sensor-b", "sensor", 0x12, "10.10.0.12", NULL, NULL, 0);
	sample_device(p, "gateway-a", "gateway", 0x13, "10.10.0.13", NULL, NULL, 0);
	image = sample_image(p, NULL, &bytes, &len);
	(void)image;
	fd = memfile_new("image");
	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, bytes, len), 0);
	assert_int_equal(memfile_seal(fd), 0);
	assert_int_equal(say(MSG_IMAGE, &ref, sizeof(ref), fd), 0);
	close(fd);
	free(bytes);
	policy_free(p);
}

static uint32_t
number_of(const char *name)
{
	const struct image_device *d = image_device_named(&flow.image, name);

	assert_non_null(d);
	return d->number;
}

static int
send_station(uint32_t mark, enum station_where where)
{
	struct flow_station st = { .number = mark >> 8, .mark = mark, .where = where };

	return say(MSG_FLOW_STATION, &st, sizeof(st), -1);
}

static struct record
a_record(uint32_t mark, uint16_t port)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	r.group = FLOW_REFUSED;
	r.hook = NF_INET_FORWARD;
	r.mark = mark;
	r.has_mac = r.has_head = 1;
	/* as sample_device makes them */
	memcpy(r.mac.bytes, image_device_named(&flow.image, "sensor-b")->mac, 6);
	r.packet.family = r.packet.source.family = r.packet.destination.family = AF_INET;
	r.packet.protocol = IPPROTO_TCP;
	r.packet.flags = PACKET_PORTS;
	r.packet.port = port;
	r.packet.len = 60;
	memcpy(r.packet.source.bytes, "\x0a\x0a\x00\x0c", 4);
	memcpy(r.packet.destination.bytes, "\xc0\x00\x02\x63", 4);
	return r;
}

static void
record(uint32_t mark, uint16_t port)
{
	struct record r = a_record(mark, port);

	flow_record(&flow, &r, &now);
}

static int
send_count(uint32_t mark, uint16_t port, uint64_t packets, uint8_t final)
{
	static struct flow_counts counts;
	struct flow_count *c = &counts.counts[0];

	memset(&counts, 0, sizeof(counts));
	counts.n = 1;
	c->group = FLOW_REFUSED;
	c->mark = mark;
	c->family = AF_INET;
	c->protocol = IPPROTO_TCP;
	memcpy(c->source, "\x0a\x0a\x00\x0c", 4);
	memcpy(c->destination, "\xc0\x00\x02\x63", 4);
	c->port = port;
	c->packets = packets;
	c->bytes = packets * 60;
	c->final = final;
	return say(MSG_FLOW_COUNTS, &counts, sizeof(counts), -1);
}

static int
keep(void *arg, const struct attempt *a)
{
	(void)arg;
	assert_true(n_rows < ROWS);
	rows[n_rows++] = *a;
	return 0;
}

/* FLOW_FLUSH, its answer, and then what is in the store. */
static struct flow_flushed
flush(void)
{
	struct flow_flush ask = { .token = 9 };
	struct evidence_filter all = { .limit = 0 };
	struct flow_flushed answer;
	struct evidence *e = NULL;

	assert_int_equal(say(MSG_FLOW_FLUSH, &ask, sizeof(ask), -1), 0);
	assert_int_equal(ipc_recv(&theirs, &message), 1);
	assert_int_equal(message.type, MSG_FLOW_FLUSHED);
	assert_int_equal(message.serial, 5);
	memcpy(&answer, message.payload, sizeof(answer));
	assert_int_equal(answer.token, 9);
	n_rows = 0;
	if (answer.error == 0) {
		assert_int_equal(evidence_open(folder, EVIDENCE_READ, &e), 0);
		assert_int_equal(evidence_query_attempts(e, &all, keep, NULL), 0);
		evidence_close(e);
	}
	return answer;
}

static void
one_refused_flow_is_one_row(void **state)
{
	struct flow_flushed f;
	uint32_t mark;

	(void)state;
	send_image(7, "sensor-a");
	mark = number_of("sensor-b") << 8 | 1;
	assert_int_equal(send_station(mark, STATION_ENFORCED), 0);
	record(mark, 23);
	later(3000);
	assert_int_equal(send_count(mark, 23, 2000000, 0), 0);
	f = flush();
	assert_int_equal(f.error, 0);
	assert_int_equal(f.attempts, 1);
	assert_int_equal(f.lost, 0);
	assert_int_equal(n_rows, 1);
	assert_string_equal(rows[0].device_name, "sensor-b");
	assert_string_equal(rows[0].class_name, "sensor");
	assert_int_equal(rows[0].device, mark >> 8);
	assert_int_equal(rows[0].packets, 2000000);
	assert_int_equal(rows[0].bytes, 120000000);
	assert_int_equal(rows[0].reason, REASON_NOT_ALLOWED);
	assert_int_equal(rows[0].identity, IDENTITY_PROVED);
	assert_int_equal(rows[0].revision, 7);
	assert_int_equal(rows[0].first_ms, WALL);
	assert_int_equal(rows[0].last_ms, WALL + 3000);
	assert_int_equal(rows[0].port, 23);
	assert_int_equal(rows[0].hook, ATTEMPT_HOOK_FORWARD);
	assert_int_equal(rows[0].state, ATTEMPT_OPEN);
	assert_int_equal(send_count(mark, 23, 2000001, 1), 0);
	f = flush();
	assert_int_equal(f.attempts, 1);
	assert_int_equal(n_rows, 1);
	assert_int_equal(rows[0].state, ATTEMPT_FINAL);
	assert_int_equal(rows[0].packets, 2000001);
}

/* An attempt is told with the names, the policy and the station of its time. */
static void
later_policies_do_not_restamp(void **state)
{
	uint32_t mark;

	(void)state;
	send_image(7, "sensor-a");
	mark = number_of("sensor-b") << 8 | 1;
	assert_int_equal(send_station(mark, STATION_ENFORCED), 0);
	record(mark, 23);
	/* renumbered, renamed, quarantined */
	send_image(8, "other-name");
	assert_int_equal(send_station(mark + 1, STATION_QUARANTINED), 0);
	assert_int_equal(send_count(mark, 23, 2, 0), 0);
	record(mark + 1, 23);
	flush();
	assert_int_equal(n_rows, 2);
	assert_int_equal(rows[0].revision, 7);
	assert_int_equal(rows[0].reason, REASON_NOT_ALLOWED);
	assert_int_equal(rows[0].packets, 2);
	assert_int_equal(rows[1].revision, 8);
	assert_int_equal(rows[1].reason, REASON_QUARANTINED);
	/* and once written, they stay so */
	send_image(9, "third-name");
	assert_int_equal(send_station(mark + 2, STATION_ENFORCED), 0);
	assert_int_equal(send_count(mark, 23, 3, 1), 0);
	flush();
	assert_int_equal(rows[0].revision, 7);
	assert_int_equal(rows[0].reason, REASON_NOT_ALLOWED);
	assert_int_equal(rows[0].packets, 3);
	assert_int_equal(rows[1].reason, REASON_QUARANTINED);
}

/* An NFLOG message as the kernel would send it: group 40, a TCP SYN of sensor-b's. */
static size_t
nflog_message(uint8_t *out, uint32_t mark)
{
	static const uint8_t packet[] = {
		0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 10, 0, 12, 192, 0, 2, 99,
		0x9c, 0x40, 0, 23, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0,
	};
	const struct nfulnl_msg_packet_hdr header = { .hw_protocol = htons(0x0800), .hook = NF_INET_FORWARD };
	struct nlmsghdr *h = mnl_nlmsg_put_header(out);
	struct nfgenmsg *g;

	h->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->res_id = htons(40);
	mnl_attr_put(h, NFULA_PACKET_HDR, sizeof(header), &header);
	mnl_attr_put_u32(h, NFULA_MARK, htonl(mark));
	mnl_attr_put(h, NFULA_PAYLOAD, sizeof(packet), packet);
	return h->nlmsg_len;
}

/* What lay in the socket when a message came was refused before it. */
static void
records_come_before_the_message(void **state)
{
	struct flow_socket s = { .group_base = 40 };
	_Alignas(8) uint8_t bytes[512];
	uint32_t mark;
	size_t len;
	int fds[2];

	(void)state;
	send_image(7, "sensor-a");
	mark = number_of("sensor-b") << 8 | 1;
	assert_int_equal(send_station(mark, STATION_ENFORCED), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(say(MSG_FLOW_SOCKET, &s, sizeof(s), fds[0]), 0);
	close(fds[0]);
	len = nflog_message(bytes, mark);
	assert_int_equal(send(fds[1], bytes, len, 0), len);
	send_image(8, "renamed");
	flush();
	assert_int_equal(n_rows, 1);
	assert_int_equal(rows[0].revision, 7);
	assert_int_equal(rows[0].port, 23);
	assert_string_equal(rows[0].device_name, "sensor-b");
	/* and at a flush nothing is left behind in it */
	assert_int_equal(send(fds[1], bytes, len, 0), len);
	flush();
	assert_int_equal(rows[0].packets, 2);
	close(fds[1]);
}

static void
a_record_that_overtakes_its_station(void **state)
{
	uint32_t mark;

	(void)state;
	send_image(7, "sensor-a");
	mark = number_of("sensor-b") << 8 | 1;
	assert_int_equal(send_station(mark, STATION_ENFORCED), 0);
	record(mark + 1, 23);
	flush();
	assert_int_equal(rows[0].reason, REASON_NOT_ALLOWED);
	assert_int_equal(send_station(mark + 1, STATION_QUARANTINED), 0);
	flush();
	assert_int_equal(n_rows, 1);
	assert_int_equal(rows[0].reason, REASON_QUARANTINED);
	/* the next station is of the next mark */
	assert_int_equal(send_station(mark + 2, STATION_ENFORCED), 0);
	flush();
	assert_int_equal(rows[0].reason, REASON_QUARANTINED);
}

static void
counts_without_a_record(void **state)
{
	struct flow_flushed f;
	uint32_t mark;

	(void)state;
	send_image(7, "sensor-a");
	mark = number_of("sensor-b") << 8 | 1;
	assert_int_equal(send_station(mark, STATION_AUDITED), 0);
	assert_int_equal(send_count(mark, 23, 4, 0), 0);
	f = flush();
	assert_int_equal(f.unmatched, 0);
	assert_int_equal(n_rows, 1);
	assert_string_equal(rows[0].device_name, "sensor-b");
	assert_int_equal(rows[0].reason, REASON_NOT_ALLOWED);
	assert_int_equal(rows[0].verdict, VERDICT_AUDITED);
	assert_int_equal(rows[0].hook, ATTEMPT_HOOK_NONE);
	assert_int_equal(rows[0].packets, 4);
	assert_int_equal(rows[0].revision, 7);
	later(ATTEMPTS_ALONE_MS);
	f = flush();
	assert_int_equal(f.unmatched, 1);
}

static void
a_restart_goes_on_with_open_rows(void **state)
{
	struct flow_flushed f;
	int64_t id;
	uint32_t mark;

	(void)state;
	send_image(7, "sensor-a");
	mark = number_of("sensor-b") << 8 | 1;
	record(mark, 23);
	assert_int_equal(send_count(mark, 23, 5, 0), 0);
	record(mark, 24);
	flush();
	assert_int_equal(n_rows, 2);
	id = rows[0].id;
	stop();
	later(5000);
	start();
	assert_int_equal(flow_open_store(&flow, &now), 0);
	assert_int_equal(attempts_n(flow.attempts), 2);
	send_image(8, "sensor-a");
	assert_int_equal(send_count(mark, 23, 9, 1), 0);
	f = flush();
	assert_int_equal(f.attempts, 0);
	assert_int_equal(n_rows, 2);
	assert_int_equal(rows[0].id, id);
	assert_int_equal(rows[0].packets, 9);
	assert_int_equal(rows[0].revision, 7);
	assert_int_equal(rows[0].state, ATTEMPT_FINAL);
	assert_int_equal(rows[1].state, ATTEMPT_OPEN);
	/* of the other the kernel knows nothing any more */
	later(2 * 300 * 1000 + ATTEMPTS_LAPSE_MS);
	flush();
	assert_int_equal(rows[1].state, ATTEMPT_LAPSED);
}

static void
a_store_that_fails_loses_nothing(void **state)
{
	struct flow_flushed f;
	char away[80];
	uint32_t mark;

	(void)state;
	snprintf(away, sizeof(away), "%s.away", folder);
	assert_int_equal(rename(folder, away), 0);
	send_image(7, "sensor-a");
	mark = number_of("sensor-b") << 8 | 1;
	record(mark, 23);
	f = flush();
	assert_int_equal(f.error, ENOENT);
	assert_int_equal(f.attempts, 0);
	record(mark, 24);
	f = flush();
	assert_int_equal(f.error, ENOENT);
	assert_int_equal(rename(away, folder), 0);
	f = flush();
	assert_int_equal(f.error, 0);
	assert_int_equal(f.attempts, 2);
	assert_int_equal(n_rows, 2);
}

static int
keep_loss(void *arg, const struct evidence_loss *l)
{
	struct evidence_loss **next = arg;

	*(*next)++ = *l;
	return 0;
}

static void
losses_reach_the_store(void **state)
{
	struct flow_losses l = { .mark = 0x1103, .total_packets = 10, .total_bytes = 600, .overflow_packets = 3,
		.overflow_bytes = 180 };
	struct evidence_loss got[4], *next = got;

	(void)state;
	assert_int_equal(say(MSG_FLOW_LOSSES, &l, sizeof(l), -1), 0);
	l.mark = 0;
	l.total_packets = 5;
	assert_int_equal(say(MSG_FLOW_LOSSES, &l, sizeof(l), -1), 0);
	flush();
	/* the next generation of the same device is the same device */
	l.mark = 0x1104;
	l.total_packets = 11;
	assert_int_equal(say(MSG_FLOW_LOSSES, &l, sizeof(l), -1), 0);
	flush();
	assert_int_equal(evidence_query_losses(flow.store, keep_loss, &next), 0);
	assert_int_equal(next - got, 2);
	assert_int_equal(got[0].device, 0);
	assert_int_equal(got[0].total_packets, 5);
	assert_int_equal(got[1].device, 0x11);
	assert_int_equal(got[1].total_packets, 11);
	assert_int_equal(got[1].overflow_packets, 3);
	assert_int_equal(got[1].overflow_bytes, 180);
}

/* Two users of sensor-b, in turns, on two interfaces. */
static void
clones_are_rows(void **state)
{
	struct flow_flushed f;
	struct record r;
	uint32_t mark;

	(void)state;
	send_image(7, "sensor-a");
	mark = number_of("sensor-b") << 8 | 1;
	r = a_record(mark, 443);
	r.group = FLOW_SIGHTED;
	for (unsigned i = 0; i < 6; i++) {
		r.in = 1000 + i % 2;
		flow_record(&flow, &r, &now);
		later(1000);
	}
	f = flush();
	assert_int_equal(f.clones, 1);
	assert_int_equal(n_rows, 1);
	assert_int_equal(rows[0].reason, REASON_CLONE);
	assert_int_equal(rows[0].device, mark >> 8);
	assert_string_equal(rows[0].device_name, "sensor-b");
	assert_string_equal(rows[0].detail, "on if1000 and if1001");
	assert_int_equal(rows[0].state, ATTEMPT_FINAL);
	/* a packet to the device, with a router's MAC, is no sighting of it */
	later(CLONES_QUIET_MS);
	r.mac.bytes[5] ^= 0xff;
	for (unsigned i = 0; i < 6; i++) {
		r.in = 1000 + i % 2;
		flow_record(&flow, &r, &now);
	}
	assert_int_equal(flush().clones, 1);
}

static void
nonsense_is_refused(void **state)
{
	static struct flow_counts counts;
	struct flow_socket s = { .group_base = UINT16_MAX };

	(void)state;
	send_image(7, "sensor-a");
	counts.n = FLOW_COUNTS_MAX + 1;
	assert_int_equal(say(MSG_FLOW_COUNTS, &counts, sizeof(counts), -1), -EINVAL);
	counts.n = 1;
	counts.counts[0].family = AF_UNIX;
	assert_int_equal(say(MSG_FLOW_COUNTS, &counts, sizeof(counts), -1), -EINVAL);
	counts.counts[0].family = AF_INET;
	counts.counts[0].group = FLOW_GROUPS;
	assert_int_equal(say(MSG_FLOW_COUNTS, &counts, sizeof(counts), -1), -EINVAL);
	counts.counts[0].group = FLOW_INVALID;	/* which has no addresses */
	assert_int_equal(say(MSG_FLOW_COUNTS, &counts, sizeof(counts), -1), -EINVAL);
	counts.counts[0].family = 0;
	assert_int_equal(say(MSG_FLOW_COUNTS, &counts, sizeof(counts), -1), 0);
	assert_int_equal(send_station(0x1100, STATION_ENFORCED), -EINVAL);
	assert_int_equal(say(MSG_FLOW_SOCKET, &s, sizeof(s), STDIN_FILENO), -EINVAL);
	s.group_base = LIMIT_LOG_GROUP + 1;
	assert_int_equal(say(MSG_FLOW_SOCKET, &s, sizeof(s), STDIN_FILENO), -EINVAL);
	assert_int_equal(flow.nflog_fd, -1);
	s.group_base = LIMIT_LOG_GROUP;
	assert_int_equal(say(MSG_FLOW_SOCKET, &s, sizeof(s), STDIN_FILENO), 0);
	assert_true(flow.nflog_fd >= 0);
	close(flow.nflog_fd);
	flow.nflog_fd = -1;
}

static void
an_image_that_is_none(void **state)
{
	struct image_ref ref = { .revision = 2 };
	int fd = memfile_new("image");

	(void)state;
	send_image(1, "sensor-a");
	assert_int_equal(file_write_all(fd, "no image", 8), 0);
	assert_int_equal(memfile_seal(fd), 0);
	assert_true(say(MSG_IMAGE, &ref, sizeof(ref), fd) < 0);
	close(fd);
	/* the one before stays */
	assert_int_equal(flow.revision, 1);
	assert_non_null(directory_device(&flow.directory, number_of("sensor-a")));
}

static void
numbers_are_told_when_they_change(void **state)
{
	struct flow_flushed told;
	int wait_ms;

	(void)state;
	assert_int_equal(flow_tick(&flow, &now, &wait_ms), 0);
	assert_int_equal(ipc_recv(&theirs, &message), -EAGAIN);
	assert_int_equal(wait_ms, FLOW_FLUSH_MS);
	flow.unreadable = 1;
	assert_int_equal(flow_tick(&flow, &now, &wait_ms), 0);
	assert_int_equal(ipc_recv(&theirs, &message), 1);
	memcpy(&told, message.payload, sizeof(told));
	assert_int_equal(told.token, 0);
	assert_int_equal(told.lost, 1);
	/* but once a second at most */
	flow.unreadable = 2;
	later(FLOW_TELL_MS - 1);
	assert_int_equal(flow_tick(&flow, &now, &wait_ms), 0);
	assert_int_equal(ipc_recv(&theirs, &message), -EAGAIN);
	assert_int_equal(wait_ms, 1);
	later(1);
	assert_int_equal(flow_tick(&flow, &now, &wait_ms), 0);
	assert_int_equal(ipc_recv(&theirs, &message), 1);
}

static void
rows_are_written_in_time(void **state)
{
	uint32_t mark;
	int wait_ms;

	(void)state;
	send_image(7, "sensor-a");
	mark = number_of("sensor-b") << 8 | 1;
	record(mark, 23);
	later(FLOW_FLUSH_MS - 1);
	assert_int_equal(flow_tick(&flow, &now, &wait_ms), 0);
	assert_int_equal(flow.rows, 0);
	assert_int_equal(wait_ms, 1);
	later(1);
	assert_int_equal(flow_tick(&flow, &now, &wait_ms), 0);
	assert_int_equal(flow.rows, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_refused_flow_is_one_row),
		TEST(later_policies_do_not_restamp),
		TEST(records_come_before_the_message),
		TEST(a_record_that_overtakes_its_station),
		TEST(counts_without_a_record),
		TEST(a_restart_goes_on_with_open_rows),
		TEST(a_store_that_fails_loses_nothing),
		TEST(losses_reach_the_store),
		TEST(clones_are_rows),
		TEST(nonsense_is_refused),
		TEST(an_image_that_is_none),
		TEST(numbers_are_told_when_they_change),
		TEST(rows_are_written_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
