/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_counts.c -- what the kernel counted reaches cordon-flow, against a real
 * kernel in a network namespace of its own. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "enforce/cordond.h"
#include "enforce/nft_batch.h"
#include "enforce/nft_read.h"
#include "folder.h"
#include "sample.h"

#define MARK 0x101	/* of the first device */
#define KEYS 2500	/* more than one transaction takes, more than one message holds */

static struct folder f;
static struct cordond d;
static int owner_fd;
static unsigned told, told_final, paused, totals;
static struct flow_losses last_total;
static bool seen_final[KEYS];

/* ---- in the place of the daemon's other parts --------------------------- */

int
worker_send(struct worker *w, uint32_t type, const void *payload, size_t len, int fd)
{
	const struct flow_counts *c = payload;

	(void)w;
	assert_int_equal(fd, -1);
	if (type == MSG_FLOW_LOSSES) {
		totals++;
		last_total = *(const struct flow_losses *)payload;
	}
	if (type != MSG_FLOW_COUNTS)
		return 0;
	assert_int_equal(len, sizeof(*c));
	assert_in_range(c->n, 1, FLOW_COUNTS_MAX);
	for (uint32_t i = 0; i < c->n; i++) {
		assert_int_equal(c->counts[i].protocol, IPPROTO_TCP);
		assert_int_equal(c->counts[i].family, AF_INET);
		assert_in_range(c->counts[i].port, 0, KEYS - 1);
		told++;
		if (!c->counts[i].final)
			continue;
		assert_false(seen_final[c->counts[i].port]);
		seen_final[c->counts[i].port] = true;
		told_final++;
	}
	return 0;
}

void
watch_pause(struct cordond *c)
{
	(void)c;
	paused++;
}

void
watch_resume(struct cordond *c)
{
	(void)c;
	paused--;
}

/* ---- a kernel with refused keys ----------------------------------------- */

static void
refuse(uint16_t port)
{
	static struct nft_batch *b;
	struct element e = { .set = { .kind = SET_REFUSED4 }, .key_len = 20 };
	struct nft_failure failure;

	if (port == 0)
		b = nft_batch_new(RULESET_TABLE, 7, 0, 256);
	memcpy(e.key, &(uint32_t){ MARK }, 4);
	memcpy(e.key + 4, "\012\012\000\001\300\000\002\001\006", 9);
	e.key[16] = (uint8_t)(port >> 8);
	e.key[17] = (uint8_t)port;
	nft_batch_add_element(b, &e);
	if (port == KEYS - 1) {
		assert_int_equal(nft_batch_send(b, &d.enforcer.owner, NULL, NULL, &failure), 0);
		nft_batch_free(b);
	}
}

static int
count_key(void *arg, const struct nft_element *e)
{
	(void)e;
	++*(int *)arg;
	return 0;
}

/* The set grows for a while after it was filled, and tells less of itself meanwhile. */
static bool
has_settled(void)
{
	int n = 0;

	for (int i = 0; i < 1000 && n != KEYS; i++) {
		n = 0;
		nft_read_set(&d.enforcer.reader, set_info(SET_REFUSED4)->name, count_key, &n);
	}
	return n == KEYS;
}

static struct nlmsghdr *
message(uint8_t *at, uint16_t type, uint16_t flags, uint32_t seq)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(at);
	struct nfgenmsg *g;

	h->nlmsg_type = type;
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	h->nlmsg_seq = seq;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = type < NLMSG_MIN_TYPE + 2 ? AF_UNSPEC : NFPROTO_INET;
	g->res_id = type < NLMSG_MIN_TYPE + 2 ? htons(NFNL_SUBSYS_NFTABLES) : 0;
	return h;
}

static struct nlmsghdr *
total_message(uint8_t *at, uint16_t type, uint16_t flags, uint32_t seq, uint64_t packets)
{
	struct nlmsghdr *h = message(at, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags, seq);
	struct nlattr *list, *element, *key, *expr, *data;

	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, RULESET_TABLE);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, "total");
	list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
	element = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	key = mnl_attr_nest_start(h, NFTA_SET_ELEM_KEY);
	mnl_attr_put_u32(h, NFTA_DATA_VALUE, MARK & 0xffffff00);
	mnl_attr_nest_end(h, key);
	if (type == NFT_MSG_NEWSETELEM) {
		expr = mnl_attr_nest_start(h, NFTA_SET_ELEM_EXPR);
		mnl_attr_put_strz(h, NFTA_EXPR_NAME, "counter");
		data = mnl_attr_nest_start(h, NFTA_EXPR_DATA);
		mnl_attr_put_u64(h, NFTA_COUNTER_PACKETS, htobe64(packets));
		mnl_attr_put_u64(h, NFTA_COUNTER_BYTES, htobe64(100 * packets));
		mnl_attr_nest_end(h, data);
		mnl_attr_nest_end(h, expr);
	}
	mnl_attr_nest_end(h, element);
	mnl_attr_nest_end(h, list);
	return h;
}

/* As if so many packets of the first device had been refused. */
static void
total_is(uint64_t packets)
{
	struct nft_socket *s = &d.enforcer.owner;
	struct nft_failure failure;
	uint8_t buf[4096] = { 0 };
	size_t len = 0;

	len += message(buf + len, NFNL_MSG_BATCH_BEGIN, 0, ++s->seq)->nlmsg_len;
	len += total_message(buf + len, NFT_MSG_DELSETELEM, 0, ++s->seq, 0)->nlmsg_len;
	len += total_message(buf + len, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_ACK, ++s->seq, packets)->nlmsg_len;
	len += message(buf + len, NFNL_MSG_BATCH_END, 0, s->seq + 1)->nlmsg_len;
	assert_int_equal(nft_transact(s, buf, len, s->seq, NULL, NULL, &failure), 0);
	s->seq++;
}

static int
setup(void **state)
{
	struct policy *p = sample_full();
	struct start_report report;
	struct apply_report applied;
	uint8_t *bytes;
	size_t len;
	int fd = memfile_new("test");

	(void)state;
	if (unshare(CLONE_NEWNET) == -1)
		return -1;
	folder_make(&f);
	memset(&d, 0, sizeof(d));
	told = told_final = paused = totals = 0;
	memset(seen_final, 0, sizeof(seen_final));
	if ((owner_fd = nft_socket_open()) < 0 ||
	    enforcer_start(&d.enforcer, owner_fd, f.fd, 0, NULL, 1, &report) < 0)
		return -1;
	sample_image(p, NULL, &bytes, &len);
	policy_free(p);
	assert_int_equal(file_write_all(fd, bytes, len), 0);
	assert_int_equal(memfile_seal(fd), 0);
	free(bytes);
	assert_int_equal(enforcer_apply(&d.enforcer, &(struct apply_order){ .image_fd = fd, .revision = 1 }, 1, &applied), 0);
	close(fd);
	d.workers[SLOT_FLOW].state = WORKER_UP;
	for (uint16_t i = 0; i < KEYS; i++)
		refuse(i);
	return has_settled() ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	enforcer_done(&d.enforcer);
	close(owner_fd);
	folder_remove(&f);
	return 0;
}

/* Young keys are told and stay. */
static void
test_windows_stay_open(void **state)
{
	(void)state;
	counts_send(&d);
	assert_int_equal(told, KEYS);
	assert_int_equal(told_final, 0);
	counts_send(&d);
	assert_int_equal(told, 2 * KEYS);
	assert_int_equal(paused, 0);
}

/* A window that ends is told once more, with the count that it had at its end. */
static void
test_closed_windows_are_told_at_their_end(void **state)
{
	(void)state;
	counts_close(&d);
	assert_int_equal(told_final, KEYS);
	assert_int_equal(told, 2 * KEYS);
	told = told_final = 0;
	counts_send(&d);
	assert_int_equal(told, 0);
	assert_int_equal(paused, 0);
}

/* Totals are read again only when some key may have made them grow. */
static void
test_totals_when_keys_say_so(void **state)
{
	(void)state;
	total_is(5);
	counts_anew(&d);
	counts_send(&d);
	assert_int_equal(totals, 1);
	assert_int_equal(last_total.mark, station_mark(&d.enforcer.stations[0]));
	assert_int_equal(last_total.total_packets, 5);
	assert_int_equal(last_total.total_bytes, 500);
	total_is(6);	/* no packet does that: its key would show it */
	counts_send(&d);
	assert_int_equal(totals, 1);
	counts_close(&d);
	assert_int_equal(totals, 2);
	assert_int_equal(last_total.total_packets, 6);
	for (uint16_t i = 0; i < KEYS; i++)
		refuse(i);
	total_is(7);
	memset(seen_final, 0, sizeof(seen_final));
	counts_close(&d);	/* what was closed came again as it was, and is closed again */
	assert_int_equal(totals, 3);
	assert_int_equal(last_total.total_packets, 7);
	counts_tick(&d);	/* so few devices are not made to wait */
	assert_int_equal(totals, 4);
	counts_tick(&d);
	assert_int_equal(totals, 4);
	counts_anew(&d);	/* another cordon-flow, which knows nothing */
	counts_tick(&d);
	assert_int_equal(totals, 5);
}

/* Without cordon-flow nothing is read and nothing deleted: the kernel keeps counting. */
static void
test_nobody_listens(void **state)
{
	(void)state;
	d.workers[SLOT_FLOW].state = WORKER_DOWN;
	counts_close(&d);
	assert_int_equal(told, 0);
	d.workers[SLOT_FLOW].state = WORKER_UP;
	counts_send(&d);
	assert_int_equal(told, KEYS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_windows_stay_open, setup, teardown),
		cmocka_unit_test_setup_teardown(test_closed_windows_are_told_at_their_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_totals_when_keys_say_so, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nobody_listens, setup, teardown),
	};

	if (unshare(CLONE_NEWNET) == -1) {
		fprintf(stderr, "no network namespace can be made: not tested\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
