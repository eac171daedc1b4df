/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_netlink.c -- netlink that goes wrong, in a network namespace of its own:
 * answers that are lost, buffers that are full, dumps that are interrupted,
 * others who change the rules meanwhile, and elements that the kernel refuses.
 * What no kernel does on demand is done between it and us. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "enforce/enforcer.h"
#include "enforce/nft_batch.h"
#include "enforce/nft_compare.h"
#include "enforce/nft_read.h"
#include "enforce/nft_subject.h"
#include "enforce/refusal.h"
#include "enforce/restore.h"
#include "folder.h"
#include "proto/messages.h"
#include "sample.h"

/* ---- between the kernel and us ------------------------------------------ */

enum trouble {
	NONE,
	SEND_INTERRUPTED,	/* EINTR, once */
	SEND_NO_MEMORY,		/* ENOBUFS: nothing is sent */
	RECEIVE_INTERRUPTED,	/* EINTR, once */
	ANSWERS_LOST,		/* ENOBUFS, and all answers to the batch are gone */
	ACKNOWLEDGED_LOST,	/* ENOBUFS, and then answers: one before them may be gone */
	NO_FORCE,		/* no right to go beyond the system's bound of buffers */
	FOREIGN_BEFORE,		/* another program puts the element in, before each batch of ours */
	FOREIGN_BETWEEN,	/* another program makes a change after each piece of a dump */
};

static enum trouble trouble;
static int left;		/* how often still */
static bool batch_sent;
static struct element foreign;
static struct enforcer e;

ssize_t __real_sendmsg(int, const struct msghdr *, int);
ssize_t __real_recvmsg(int, struct msghdr *, int);
int __real_setsockopt(int, int, int, const void *, socklen_t);
ssize_t __wrap_sendmsg(int, const struct msghdr *, int);
ssize_t __wrap_recvmsg(int, struct msghdr *, int);
int __wrap_setsockopt(int, int, int, const void *, socklen_t);

/* What another program does. What it puts in may stand there already. */
static int
meddle(const struct element *el, bool takes)
{
	const enum trouble keep = trouble;
	struct nft_batch *b = nft_batch_new(RULESET_TABLE, 77, 0, 256);
	struct nft_failure failure;
	struct nft_socket s;
	int fd = nft_socket_open(), rc;

	trouble = NONE;
	assert_int_equal(nft_socket_init(&s, fd), 0);
	if (takes)
		nft_batch_del_element(b, el);
	else
		nft_batch_add_element(b, el);
	rc = nft_batch_send(b, &s, NULL, NULL, &failure);
	nft_batch_free(b);
	close(fd);
	trouble = keep;
	return rc;
}

static bool
is_batch(const struct msghdr *m)
{
	const struct nlmsghdr *h = m->msg_iov[0].iov_base;

	return h->nlmsg_type == NFNL_MSG_BATCH_BEGIN;
}

ssize_t
__wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
	bool batch = is_batch(m);

	if (batch && left > 0 && (trouble == SEND_INTERRUPTED || trouble == SEND_NO_MEMORY)) {
		left--;
		errno = trouble == SEND_INTERRUPTED ? EINTR : ENOBUFS;
		return -1;
	}
	if (batch && trouble == FOREIGN_BEFORE && left > 0) {
		left--;
		meddle(&foreign, false);
	}
	batch_sent = batch;
	return __real_sendmsg(fd, m, flags);
}

ssize_t
__wrap_recvmsg(int fd, struct msghdr *m, int flags)
{
	ssize_t n;

	if (left > 0 && batch_sent && (trouble == RECEIVE_INTERRUPTED || trouble == ANSWERS_LOST ||
	    trouble == ACKNOWLEDGED_LOST)) {
		left--;
		if (trouble == ANSWERS_LOST)
			while (__real_recvmsg(fd, m, MSG_DONTWAIT) > 0)
				;
		errno = trouble == RECEIVE_INTERRUPTED ? EINTR : ENOBUFS;
		return -1;
	}
	n = __real_recvmsg(fd, m, flags);
	if (n > 0 && trouble == FOREIGN_BETWEEN && left > 0 && (flags & MSG_DONTWAIT) == 0) {
		left--;
		meddle(&foreign, left % 2 == 0);
	}
	return n;
}

int
__wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	if (trouble == NO_FORCE && level == SOL_SOCKET && (name == SO_SNDBUFFORCE || name == SO_RCVBUFFORCE)) {
		errno = EPERM;
		return -1;
	}
	return __real_setsockopt(fd, level, name, value, len);
}

/* ---- an enforcer -------------------------------------------------------- */

static struct folder f;
static int owner_fd;

static int
apply(struct policy *p, struct apply_report *r)
{
	struct apply_order order = { .revision = e.policy.revision + 1 };
	uint8_t *bytes;
	size_t len;
	int rc;

	sample_image(p, &e.policy.image, &bytes, &len);
	policy_free(p);
	order.image_fd = memfile_new("test");
	assert_int_equal(file_write_all(order.image_fd, bytes, len), 0);
	assert_int_equal(memfile_seal(order.image_fd), 0);
	free(bytes);
	rc = enforcer_apply(&e, &order, 2000, r);
	close(order.image_fd);
	return rc;
}

static int
setup(void **state)
{
	struct start_report report;
	struct apply_report r;

	(void)state;
	trouble = NONE;
	left = 0;
	if (unshare(CLONE_NEWNET) == -1)
		return -1;
	folder_make(&f);
	if ((owner_fd = nft_socket_open()) < 0 ||
	    enforcer_start(&e, owner_fd, f.fd, 0, "owner-persist", 1000, &report) < 0)
		return -1;
	return apply(sample_full(), &r);
}

static int
teardown(void **state)
{
	(void)state;
	trouble = NONE;
	enforcer_done(&e);
	close(owner_fd);
	folder_remove(&f);
	return 0;
}

static uint32_t
generation(void)
{
	const enum trouble keep = trouble;
	uint32_t id = 0;

	trouble = NONE;
	assert_int_equal(nft_generation(&e.reader, &id), 0);
	assert_int_not_equal(id, 0);
	trouble = keep;
	return id;
}

static struct element
live(uint32_t mark)
{
	struct element el = { .set = { .kind = SET_LIVE }, .key_len = 4 };

	memcpy(el.key, &mark, sizeof(mark));
	return el;
}

static uint32_t
mark_of(const char *name)
{
	return station_mark(&e.stations[enforcer_index(&e, image_device_named(&e.policy.image, name)->number)]);
}

static void
agree(void)
{
	bool agrees;

	trouble = NONE;
	assert_int_equal(enforcer_agrees(&e, &agrees), 0);
	assert_true(agrees);
}

/* One transaction of ours under this trouble. */
static int
send_one(const struct element *el, enum trouble with, struct nft_failure *failure)
{
	struct nft_batch *b = nft_batch_new(RULESET_TABLE, ++e.owner.seq, 0, 256);
	int rc;

	nft_batch_add_element(b, el);
	trouble = with;
	left = 1;
	rc = nft_batch_send(b, &e.owner, NULL, NULL, failure);
	trouble = NONE;
	nft_batch_free(b);
	return rc;
}

/* ---- sending and receiving ---------------------------------------------- */

static void
test_interrupted(void **state)
{
	const struct element one = live(0x77777701), two = live(0x77777702);
	uint32_t at = generation();
	struct nft_failure failure;

	(void)state;
	assert_int_equal(send_one(&one, SEND_INTERRUPTED, &failure), 0);
	assert_int_equal(left, 0);
	assert_int_equal(generation(), at + 1);
	assert_int_equal(send_one(&two, RECEIVE_INTERRUPTED, &failure), 0);
	assert_int_equal(left, 0);
	assert_int_equal(generation(), at + 2);
}

/* The kernel had no memory for the message: nothing was sent, and that is said. */
static void
test_no_memory_to_send(void **state)
{
	const struct element one = live(0x77777701);
	uint32_t at = generation();
	struct nft_failure failure;

	(void)state;
	assert_int_equal(send_one(&one, SEND_NO_MEMORY, &failure), -ENOMEM);
	assert_int_equal(generation(), at);
	agree();
}

/* Lost answers are no success, not even with an acknowledgement among the rest. */
static void
test_answers_lost(void **state)
{
	const struct element one = live(0x77777701), two = live(0x77777702), there = live(mark_of("sensor-1"));
	uint32_t at = generation();
	struct nft_failure failure;

	(void)state;
	assert_int_equal(send_one(&one, ANSWERS_LOST, &failure), -ENOBUFS);
	assert_int_equal(generation(), at + 1);
	assert_int_equal(send_one(&two, ACKNOWLEDGED_LOST, &failure), -ENOBUFS);
	assert_int_equal(generation(), at + 2);
	/* one that the kernel refused: that nothing came of it can be told */
	assert_int_equal(send_one(&there, ANSWERS_LOST, &failure), -EAGAIN);
	assert_int_equal(generation(), at + 2);
	assert_int_equal(send_one(&there, ACKNOWLEDGED_LOST, &failure), -EEXIST);
	assert_int_equal(failure.error, EEXIST);
}

/* A quarantine of which nobody knows whether it was done is done, and is no
 * foreign change. */
static void
test_unknown_quarantine(void **state)
{
	struct standing s = { .number = image_device_named(&e.policy.image, "sensor-1")->number,
		.cause = CAUSE_REVOKED };

	(void)state;
	trouble = ANSWERS_LOST;
	left = 1;
	assert_int_equal(enforcer_tighten(&e, &s, 1), 0);
	assert_int_equal(left, 0);
	assert_true(e.stations[enforcer_index(&e, s.number)].quarantined);
	assert_int_equal(e.foreign_changes, 0);
	agree();
}

/* ... and a policy. */
static void
test_unknown_policy(void **state)
{
	struct policy *p = sample_full();
	struct apply_report r;

	(void)state;
	p->classes[0].rules[0].services[0].high = 444;
	trouble = ANSWERS_LOST;
	left = 1;
	assert_int_equal(apply(p, &r), 0);
	assert_int_equal(left, 0);
	assert_int_equal(e.policy.revision, 2);
	assert_string_equal(r.refused, "");
	agree();
}

static struct nft_batch *
large_batch(unsigned n)
{
	struct nft_batch *b = nft_batch_new(RULESET_TABLE, ++e.owner.seq, 0, 256);
	struct element el;

	for (unsigned i = 0; i < n; i++) {
		el = live(0x40000000U + i);
		nft_batch_add_element(b, &el);
	}
	for (unsigned i = 0; i < n; i++) {
		el = live(0x40000000U + i);
		nft_batch_del_element(b, &el);
	}
	return b;
}

static int
send_large(struct nft_socket *s, unsigned n, struct nft_failure *failure, size_t *bytes)
{
	struct nft_batch *b = large_batch(n);
	uint32_t added, removed;
	int rc = nft_batch_send(b, s, NULL, NULL, failure);

	nft_batch_size(b, &added, &removed, bytes);
	nft_batch_free(b);
	return rc;
}

static unsigned
wmem_max(void)
{
	FILE *in = fopen("/proc/sys/net/core/wmem_max", "r");
	unsigned n = 0;

	assert_non_null(in);
	assert_int_equal(fscanf(in, "%u", &n), 1);
	fclose(in);
	return n;
}

/* A transaction larger than any buffer goes, where we may enlarge it; where not,
 * as far as the system lets us, and what would be needed is said. */
static void
test_larger_than_the_buffer(void **state)
{
	const unsigned bound = wmem_max();
	struct nft_failure failure;
	struct nft_socket s;
	size_t bytes;
	uint32_t at;
	int fd = nft_socket_open();

	(void)state;
	assert_int_equal(nft_socket_init(&s, fd), 0);
	at = generation();
	/* a set of 512: the kernel looks at each of them, and refuses one */
	assert_int_equal(send_large(&s, bound / 8, &failure, &bytes), -ENFILE);
	assert_in_range(bytes, 2 * (size_t)bound + 1, 100 * (size_t)bound);
	assert_int_equal(send_large(&s, 100, &failure, &bytes), 0);
	assert_int_equal(generation(), at + 1);
	close(fd);
	fd = nft_socket_open();
	trouble = NO_FORCE;
	assert_int_equal(nft_socket_init(&s, fd), 0);
	assert_int_equal(send_large(&s, bound / 8, &failure, &bytes), -EMSGSIZE);
	assert_in_range(failure.needed, bytes / 2, bytes / 2 + 100);
	assert_int_equal(generation(), at + 1);
	assert_int_equal(send_large(&s, bound / 20, &failure, &bytes), -ENFILE);
	assert_in_range(bytes, bound + 1, 2 * (size_t)bound);	/* more than a socket begins with */
	close(fd);
}

/* ---- dumps and generations ---------------------------------------------- */

static void
test_interrupted_dump(void **state)
{
	struct nft_comparison found;
	struct ruleset rs = enforcer_ruleset(&e);
	uint8_t before[DIGEST_LEN], after[DIGEST_LEN];

	(void)state;
	assert_int_equal(nft_read_rules_digest(&e.reader, before), 0);
	foreign = live(0x77777701);
	trouble = FOREIGN_BETWEEN;
	left = 4;
	assert_int_equal(nft_read_rules_digest(&e.reader, after), 0);	/* from the beginning again */
	assert_int_equal(left, 0);
	assert_memory_equal(before, after, sizeof(before));
	left = 4;
	assert_int_equal(nft_compare(&e.reader, &rs, NULL, 10, &found), 0);
	assert_int_equal(left, 0);
	assert_true(found.agrees);
	nft_comparison_done(&found);
	/* without an end: that is said */
	left = 1000000;
	assert_int_equal(nft_read_rules_digest(&e.reader, after), -EAGAIN);
	trouble = NONE;
}

/* A transaction that names the generation it was made for is refused whole
 * when somebody was faster. */
static void
test_generation(void **state)
{
	const struct element one = live(0x77777701), two = live(0x77777702);
	struct nft_failure failure;
	struct nft_batch *b;
	uint32_t at = generation();

	(void)state;
	for (int late = 0; late <= 1; late++) {
		b = nft_batch_new(RULESET_TABLE, ++e.owner.seq, 0, 256);
		nft_batch_expect(b, at);
		nft_batch_add_element(b, late ? &two : &one);
		assert_int_equal(nft_batch_send(b, &e.owner, NULL, NULL, &failure), late ? -ERESTART : 0);
		nft_batch_free(b);
	}
	assert_int_equal(generation(), at + 1);
}

/* Somebody changes the rules between our look at them and our repair: the
 * repair is made for what stands then. */
static void
test_changed_while_it_is_put_right(void **state)
{
	const struct element gone = live(mark_of("sensor-1"));
	char where[SET_NAMELEN];
	bool differed;

	(void)state;
	assert_int_equal(meddle(&gone, true), 0);
	foreign = live(0x77777701);
	trouble = FOREIGN_BEFORE;
	left = 1;
	assert_int_equal(enforcer_restore(&e, &differed, where), 0);
	assert_int_equal(left, 0);
	assert_true(differed);
	agree();
}

/* ... and always again: it is said that it does not agree. */
static void
test_never_quiet(void **state)
{
	const struct element gone = live(mark_of("sensor-1"));
	struct nft_failure failure;
	struct nft_batch *b;

	(void)state;
	assert_int_equal(e.owner.generation, generation());
	assert_int_equal(meddle(&gone, true), 0);
	assert_int_not_equal(e.owner.generation, generation());
	/* our own next transaction does not hide it */
	b = nft_batch_new(RULESET_TABLE, ++e.owner.seq, 0, 256);
	foreign = live(0x77777702);
	nft_batch_add_element(b, &foreign);
	assert_int_equal(nft_batch_send(b, &e.owner, NULL, NULL, &failure), 0);
	nft_batch_free(b);
	assert_int_not_equal(e.owner.generation, generation());
}

/* ---- what was refused, and whose line is it ------------------------------ */

static void
test_subject(void **state)
{
	struct nft_batch *b = nft_batch_new(RULESET_TABLE, ++e.owner.seq, 0, 256);
	const uint32_t mark = mark_of("sensor-1");
	struct nft_failure failure;
	struct nft_subject subject;
	struct element el;

	(void)state;
	for (unsigned i = 0; i < 300; i++) {	/* the bad one in the middle of a message */
		el = live(i == 150 ? mark : 0x40000000U + i);
		nft_batch_add_element(b, &el);
	}
	assert_int_equal(nft_batch_send(b, &e.owner, NULL, NULL, &failure), -EEXIST);
	assert_int_not_equal(failure.offset, 0);
	nft_subject(b, &failure, &subject);
	assert_int_equal(subject.kind, SUBJECT_ELEMENT);
	assert_false(subject.removal);
	assert_string_equal(subject.name, "live");
	assert_int_equal(subject.key_len, 4);
	assert_memory_equal(subject.key, &mark, 4);
	nft_batch_free(b);

	b = nft_batch_new(RULESET_TABLE, ++e.owner.seq, 0, 256);
	el = live(0x40000000U);
	nft_batch_del_element(b, &el);
	assert_int_equal(nft_batch_send(b, &e.owner, NULL, NULL, &failure), -ENOENT);
	nft_subject(b, &failure, &subject);
	assert_int_equal(subject.kind, SUBJECT_ELEMENT);
	assert_true(subject.removal);
	nft_batch_free(b);

	b = nft_batch_new(RULESET_TABLE, ++e.owner.seq, 0, 256);
	nft_batch_del_chain(b, &(struct chain_ref){ .kind = CHAIN_ADMIT, .number = 0 });
	assert_int_equal(nft_batch_send(b, &e.owner, NULL, NULL, &failure), -EBUSY);
	nft_subject(b, &failure, &subject);
	assert_int_equal(subject.kind, SUBJECT_CHAIN);
	assert_string_equal(subject.name, "admit");
	nft_batch_free(b);
}

static int
on_allowed(void *arg, const struct element *el)
{
	if (el->set.kind != SET_ALLOW4_CLASS)
		return 0;
	*(struct element *)arg = *el;
	return 1;
}

/* Another program puts in what the next policy will put in, again and again:
 * the answer names the line that asks for it. */
static void
test_names_the_line(void **state)
{
	struct policy *p = sample_full();
	struct ruleset rs = enforcer_ruleset(&e);
	struct apply_report r;

	(void)state;
	/* the rule for 192.0.2.0/24, moved to another port */
	p->classes[0].rules[0].services[0].low = p->classes[0].rules[0].services[0].high = 1443;
	p->classes[0].rules[0].where.line = 4711;
	assert_int_equal(elements_of_class(&rs, image_class_named(&e.policy.image, "sensor"), on_allowed,
	    &foreign), 1);
	memcpy(foreign.key, (const uint8_t[]){ 192, 0, 2, 0, IPPROTO_TCP, 0, 0, 0, 1443 >> 8, 1443 & 255 }, 10);
	memcpy(foreign.key_end, (const uint8_t[]){ 192, 0, 2, 255, IPPROTO_TCP, 0, 0, 0, 1443 >> 8, 1443 & 255 }, 10);
	trouble = FOREIGN_BEFORE;
	left = 1000;
	assert_int_not_equal(apply(p, &r), 0);
	trouble = NONE;
	assert_non_null(strstr(r.refused, ":4711: the kernel refused this (element "));
	assert_non_null(strstr(r.refused, "of set allow4_"));
	assert_non_null(strstr(r.refused, "File exists"));
	assert_non_null(strstr(r.refused, "policy verify"));
	assert_int_equal(e.policy.revision, 1);
}

#define T(test)	cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_interrupted), T(test_no_memory_to_send), T(test_answers_lost),
		T(test_unknown_quarantine), T(test_unknown_policy),
		T(test_larger_than_the_buffer),
		T(test_interrupted_dump), T(test_generation),
		T(test_changed_while_it_is_put_right), T(test_never_quiet),
		T(test_subject), T(test_names_the_line),
	};

	if (unshare(CLONE_NEWNET) == -1) {
		fprintf(stderr, "no network namespace can be made: not tested\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
