/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_enforcer.c -- the enforcer against a real kernel, in a network namespace
 * of its own: start, adopt, apply, quarantine, and what others did meanwhile. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "enforce/enforcer.h"
#include "enforce/nft_batch.h"
#include "enforce/nft_read.h"
#include "folder.h"
#include "model/print.h"
#include "proto/messages.h"
#include "sample.h"

#define WATCHED "owner-persist"	/* forced absent: anybody may change the table */

static struct folder f;
static struct enforcer e;
static struct start_report report;
static int owner_fd;
static const char *absent;
static bool running;

static int
start(void)
{
	int rc = enforcer_start(&e, owner_fd, f.fd, 0, absent, 1000, &report);

	running = true;
	return rc;
}

/* As after a crash: nothing is written any more. */
static void
stop(void)
{
	enforcer_done(&e);
	running = false;
}

static int
apply_fd(int fd, struct apply_report *r)
{
	struct apply_order order = { .image_fd = fd, .revision = e.policy.revision + 1 };

	return enforcer_apply(&e, &order, 2000, r);
}

static int
apply(struct policy *p, struct apply_report *r)
{
	uint8_t *bytes;
	size_t len;
	int fd = memfile_new("test"), rc;

	sample_image(p, &e.policy.image, &bytes, &len);
	policy_free(p);
	assert_int_equal(file_write_all(fd, bytes, len), 0);
	assert_int_equal(memfile_seal(fd), 0);
	free(bytes);
	rc = apply_fd(fd, r);
	close(fd);
	return rc;
}

static int
setup(void **state)
{
	struct apply_report r;

	absent = *state;
	if (unshare(CLONE_NEWNET) == -1)
		return -1;
	folder_make(&f);
	if ((owner_fd = nft_socket_open()) < 0 || start() < 0)
		return -1;
	return apply(sample_full(), &r);
}

static int
teardown(void **state)
{
	(void)state;
	if (running)
		stop();
	close(owner_fd);
	folder_remove(&f);
	return 0;
}

/* ---- what stands in the kernel ------------------------------------------ */

struct search {
	const void *key;
	uint32_t mark;
	bool found;
};

static int
on_element(void *arg, const struct nft_element *el)
{
	struct search *s = arg;

	if (memcmp(el->key, s->key, 4) == 0) {
		s->found = true;
		s->mark = el->mark;
	}
	return 0;
}

static bool
holds(enum set_kind kind, uint32_t key, uint32_t *data)
{
	struct search s = { .key = &key };

	assert_int_equal(nft_read_set(&e.reader, set_info(kind)->name, on_element, &s), 0);
	if (data != NULL)
		*data = s.mark;
	return s.found;
}

static uint32_t
number_of(const char *name)
{
	return image_device_named(&e.policy.image, name)->number;
}

/* The device's present mark, told by the kernel. */
static uint32_t
mark_of(const char *name)
{
	uint32_t mark = 0;

	assert_true(holds(SET_CURRENT, number_of(name) << 8, &mark));
	assert_true(holds(SET_LIVE, mark, NULL));
	return mark;
}

static bool
quarantined(const char *name)
{
	return holds(SET_QUARANTINED, mark_of(name), NULL);
}

static int
on_generation(void *arg, const struct nlmsghdr *h)
{
	const struct nlattr *a;

	if (h->nlmsg_type < NLMSG_MIN_TYPE)
		return 0;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == NFTA_GEN_ID)
			*(uint32_t *)arg = ntohl(mnl_attr_get_u32(a));
	return 0;
}

/* Counts the transactions of this namespace. */
static uint32_t
transactions(void)
{
	char buf[256];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;
	uint32_t id = 0;

	h->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = AF_UNSPEC;
	g->version = NFNETLINK_V0;
	assert_int_equal(nft_dump(&e.reader, h, on_generation, &id), 0);
	assert_int_not_equal(id, 0);
	return id;
}

/* ---- what another program does ------------------------------------------ */

enum meddling { TAKE_LIVE, ADD_LIVE, TAKE_ALLOWED, ADD_ALLOWED, ADD_RULE, FLUSH_CHAIN, ADD_CHAIN, ADD_SET, DELETE_TABLE, CHANGE_MAP };

static int
on_allowed(void *arg, const struct element *el)
{
	if (el->set.kind != SET_ALLOW4_CLASS)
		return 0;
	*(struct element *)arg = *el;
	return 1;
}

/* Of what the sensors may reach. */
static const struct element *
first_allowed(void)
{
	static struct element el;
	struct ruleset rs = enforcer_ruleset(&e);

	assert_int_equal(elements_of_class(&rs, image_class_named(&e.policy.image, "sensor"), on_allowed, &el), 1);
	return &el;
}

/* mark: whose; CHANGE_MAP gives that device this very mark. */
static int
meddle(enum meddling what, uint32_t mark)
{
	const struct set_ref set = { .kind = SET_ALLOW4_CLASS, .number = 999 };
	const struct chain_ref class = { .kind = CHAIN_CLASS, .number = 999 };
	struct nft_batch *b = nft_batch_new(RULESET_TABLE, 77, 0, 256);
	const struct chain_ref admit = { .kind = CHAIN_ADMIT };
	const struct rule_ir accept = { { { .kind = EXPR_ACCEPT } } };
	struct element el = { .set = { .kind = SET_LIVE }, .key_len = 4 };
	struct nft_failure failure;
	struct nft_socket s;
	int fd = nft_socket_open(), rc;

	assert_int_equal(nft_socket_init(&s, fd), 0);
	memcpy(el.key, &mark, sizeof(mark));
	switch (what) {
	case TAKE_LIVE:
		nft_batch_del_element(b, &el);
		break;
	case ADD_LIVE:
		nft_batch_add_element(b, &el);
		break;
	case TAKE_ALLOWED:
		nft_batch_del_element(b, first_allowed());
		break;
	case ADD_ALLOWED:
		el = *first_allowed();
		el.key[0] = el.key_end[0] ^= 0x80;
		nft_batch_add_element(b, &el);
		break;
	case ADD_RULE:
		nft_batch_add_rule(b, &admit, &accept);
		break;
	case FLUSH_CHAIN:
		nft_batch_flush_chain(b, &admit);
		break;
	case ADD_CHAIN:
		nft_batch_add_chain(b, &class);
		break;
	case ADD_SET:
		nft_batch_add_set(b, &set);
		break;
	case DELETE_TABLE:
		nft_batch_del_table(b);
		break;
	case CHANGE_MAP:
		el.set.kind = SET_CURRENT;
		el.mark = mark;
		mark &= MARK_NUMBER_MASK;
		memcpy(el.key, &mark, sizeof(mark));
		nft_batch_del_element(b, &el);
		nft_batch_add_element(b, &el);
		break;
	}
	rc = nft_batch_send(b, &s, NULL, NULL, &failure);
	nft_batch_free(b);
	close(fd);
	return rc;
}

/* ---- nft ---------------------------------------------------------------- */

/* nft's exit code, its output in a file of the folder. */
static int
nft(const char *out, const char *a, const char *b, const char *c, const char *d)
{
	int status = -1, fd = openat(f.fd, out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid_t pid = fork();

	assert_true(fd >= 0 && pid >= 0);
	if (pid == 0) {
		if (dup2(fd, STDOUT_FILENO) == -1 || fchdir(f.fd) == -1)
			_exit(126);
		execlp("nft", "nft", a, b, c, d, (char *)NULL);
		_exit(127);
	}
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- connections -------------------------------------------------------- */

static void
put_tuple(struct nlmsghdr *h, uint16_t which, uint32_t from, uint32_t to, uint16_t sport, uint16_t dport)
{
	struct nlattr *tuple = mnl_attr_nest_start(h, which), *part;

	part = mnl_attr_nest_start(h, CTA_TUPLE_IP);
	mnl_attr_put_u32(h, CTA_IP_V4_SRC, htonl(from));
	mnl_attr_put_u32(h, CTA_IP_V4_DST, htonl(to));
	mnl_attr_nest_end(h, part);
	part = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(h, CTA_PROTO_NUM, IPPROTO_UDP);
	mnl_attr_put_u16(h, CTA_PROTO_SRC_PORT, htons(sport));
	mnl_attr_put_u16(h, CTA_PROTO_DST_PORT, htons(dport));
	mnl_attr_nest_end(h, part);
	mnl_attr_nest_end(h, tuple);
}

static struct nlmsghdr *
conntrack_request(char *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g;

	h->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	h->nlmsg_flags = NLM_F_REQUEST | flags;
	g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	g->nfgen_family = AF_INET;
	g->version = NFNETLINK_V0;
	return h;
}

static int
ignore(void *arg, const struct nlmsghdr *h)
{
	(void)arg;
	(void)h;
	return 0;
}

static void
connect_from(uint32_t source, uint32_t mark, uint16_t port)
{
	char buf[1024];
	struct nlmsghdr *h = conntrack_request(buf, IPCTNL_MSG_CT_NEW, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK);

	put_tuple(h, CTA_TUPLE_ORIG | NLA_F_NESTED, source, 0xc0000201, port, 443);
	put_tuple(h, CTA_TUPLE_REPLY | NLA_F_NESTED, 0xc0000201, source, 443, port);
	mnl_attr_put_u32(h, CTA_TIMEOUT, htonl(600));
	mnl_attr_put_u32(h, CTA_MARK, htonl(mark));
	assert_int_equal(nft_dump(&e.reader, h, ignore, NULL), 0);
}

/* An open connection that carries this mark. */
static void
connect_with(uint32_t mark, uint16_t port)
{
	connect_from(0x0a0a000b, mark, port);
}

struct connections {
	uint32_t mark;
	unsigned n;
};

static int
on_connection(void *arg, const struct nlmsghdr *h)
{
	struct connections *c = arg;
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == CTA_MARK)
			c->n += ntohl(mnl_attr_get_u32(a)) == c->mark;
	return 0;
}

static unsigned
connections_with(uint32_t mark)
{
	struct connections c = { .mark = mark };
	char buf[256];

	assert_int_equal(nft_dump(&e.reader, conntrack_request(buf, IPCTNL_MSG_CT_GET, NLM_F_DUMP),
	    on_connection, &c), 0);
	return c.n;
}

/* ---- tests -------------------------------------------------------------- */

/* What is known of it, or nothing. */
static struct standing
known(const char *name)
{
	const struct standing *have = e.standings[enforcer_index(&e, number_of(name))];

	return have != NULL ? *have : (struct standing){ .number = number_of(name) };
}

static struct standing
revoked(const char *name)
{
	struct standing s = known(name);

	s.cause |= CAUSE_REVOKED;
	s.by.authority = 1;
	return s;
}

static void
quarantine(const char *name)
{
	struct standing s = revoked(name);

	assert_int_equal(enforcer_tighten(&e, &s, 1), 0);
}

/* Take a cause away. */
static int
release(const char *name, uint32_t cause)
{
	struct standing s = known(name);

	s.cause &= ~cause;
	return enforcer_loosen(&e, &s, 1);
}

static void
test_adopts_what_is_right(void **state)
{
	uint32_t before, at;

	(void)state;
	quarantine("sensor-2");
	before = mark_of("sensor-1");
	stop();
	assert_int_equal(start(), 0);
	assert_true(report.adopted);
	assert_false(report.rebuilt);
	assert_true(e.healthy);
	assert_int_equal(report.quarantined, 1);
	assert_int_equal(mark_of("sensor-1"), before);
	assert_true(quarantined("sensor-2"));
	assert_int_equal(e.policy.revision, 1);
	/* what it took over is what it works with */
	at = transactions();
	quarantine("sensor-1");
	assert_int_equal(transactions(), at + 1);
	assert_int_equal(mark_of("sensor-1"), before + 1);
}

static void
test_quarantine_is_a_new_mark(void **state)
{
	uint32_t before = mark_of("sensor-1"), other = mark_of("sensor-2"), at;
	struct standing s[2] = { revoked("sensor-1"), revoked("alpha") };

	(void)state;
	at = transactions();
	assert_int_equal(enforcer_tighten(&e, s, 2), 0);
	assert_int_equal(transactions(), at + 1);	/* one transaction for all of them */
	assert_false(holds(SET_LIVE, before, NULL));
	assert_int_equal(mark_of("sensor-1"), before + 1);
	assert_true(quarantined("sensor-1"));
	assert_true(quarantined("alpha"));
	assert_int_equal(mark_of("sensor-2"), other);
	/* another cause moves it nowhere, and what waits behind the brake neither */
	s[0].cause |= CAUSE_OPERATOR;
	s[1] = known("sensor-2");
	s[1].pending = CAUSE_REVOKED;
	assert_int_equal(enforcer_tighten(&e, s, 2), 0);
	assert_int_equal(transactions(), at + 1);
	assert_int_equal(mark_of("sensor-2"), other);
	assert_int_equal(e.foreign_changes, 0);
	s[1].number = 9999;
	assert_int_equal(enforcer_tighten(&e, s, 2), -ENOENT);
	stop();
	assert_int_equal(start(), 0);
	assert_int_equal(report.quarantined, 2);
	assert_int_equal(known("sensor-2").pending, CAUSE_REVOKED);
	assert_int_equal(known("sensor-1").cause, CAUSE_REVOKED | CAUSE_OPERATOR);
}

static void
test_release_is_for_the_cause(void **state)
{
	struct standing s;
	uint32_t mark;

	(void)state;
	quarantine("sensor-1");
	mark = mark_of("sensor-1");
	/* both causes: one gone is not enough */
	s = known("sensor-1");
	s.cause |= CAUSE_OPERATOR;
	assert_int_equal(enforcer_tighten(&e, &s, 1), 0);
	assert_int_equal(release("sensor-1", CAUSE_OPERATOR), 0);
	assert_true(quarantined("sensor-1"));
	assert_int_equal(release("sensor-1", CAUSE_REVOKED), 0);
	assert_int_equal(mark_of("sensor-1"), mark + 1);
	assert_false(quarantined("sensor-1"));
	assert_false(holds(SET_LIVE, mark, NULL));
	stop();
	assert_int_equal(start(), 0);
	assert_false(quarantined("sensor-1"));
	assert_int_equal(report.quarantined, 0);
}

/* Who comes with a policy, and who is known, may start in quarantine by it: in the
 * very transaction, and in the journal. */
static void
test_starts_in_quarantine(void **state)
{
	struct apply_order order = { .revision = e.policy.revision + 1 };
	uint32_t before = mark_of("sensor-1"), other = mark_of("alpha"), at;
	struct policy *p = sample_full();
	struct apply_report r;
	struct standing starts[2];
	uint8_t *bytes;
	size_t len;
	int fd = memfile_new("test");

	(void)state;
	sample_device(p, "late", "sensor", 9, "10.10.0.19", "lan0", "factory-ca", 0x77);
	struct image next = sample_image(p, &e.policy.image, &bytes, &len);

	policy_free(p);
	assert_int_equal(file_write_all(fd, bytes, len), 0);
	assert_int_equal(memfile_seal(fd), 0);
	starts[0] = (struct standing){ .number = image_device_named(&next, "late")->number, .cause = CAUSE_NEW };
	starts[1] = (struct standing){ .number = number_of("sensor-1"), .cause = CAUSE_OPERATOR };
	order.image_fd = fd;
	order.starts = starts;
	order.n_starts = 2;
	at = transactions();
	assert_int_equal(enforcer_apply(&e, &order, 2000, &r), 0);
	assert_int_equal(transactions(), at + 1);
	assert_true(quarantined("late"));
	assert_true(quarantined("sensor-1"));
	assert_int_equal(mark_of("sensor-1"), before + 1);
	assert_int_equal(mark_of("alpha"), other);
	stop();
	assert_int_equal(start(), 0);
	assert_int_equal(report.quarantined, 2);
	assert_true(report.adopted);
	assert_int_equal(known("late").cause, CAUSE_NEW);
	close(fd);
	free(bytes);
}

/* A crash between the kernel and the journal: the kernel knows. */
static void
test_kernel_knows_more_than_the_journal(void **state)
{
	(void)state;
	quarantine("sensor-1");
	stop();
	assert_int_equal(unlinkat(f.fd, "stations.journal", 0), 0);
	assert_int_equal(start(), 0);
	assert_true(report.adopted);
	assert_int_equal(report.quarantined, 1);
	assert_true(quarantined("sensor-1"));
	assert_non_null(e.standings[enforcer_index(&e, number_of("sensor-1"))]);
	stop();
	assert_int_equal(start(), 0);		/* and now the journal does */
	assert_int_equal(meddle(DELETE_TABLE, 0), absent != NULL ? 0 : -EPERM);
}

/* The other way round: the rules are gone (a reboot), the journal knows. */
static void
test_journal_knows_after_a_reboot(void **state)
{
	(void)state;
	quarantine("sensor-1");
	stop();
	close(owner_fd);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	owner_fd = nft_socket_open();
	assert_int_equal(start(), 0);
	assert_false(report.adopted);
	assert_int_equal(report.quarantined, 1);
	assert_true(quarantined("sensor-1"));
	assert_false(quarantined("sensor-2"));
	assert_int_equal(e.policy.revision, 1);
}

/* A full disk: quarantine acts and says so; a release does not. */
static void
test_full_disk(void **state)
{
	const struct rlimit full = { 0, RLIM_INFINITY };
	struct standing s = revoked("sensor-1");
	struct rlimit before;
	bool disk_ok;
	int released;

	(void)state;
	quarantine("alpha");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &full);
	assert_int_equal(enforcer_tighten(&e, &s, 1), 0);
	disk_ok = e.disk_ok;
	released = release("alpha", CAUSE_REVOKED);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_false(disk_ok);
	assert_true(quarantined("sensor-1"));
	assert_int_equal(released, -EFBIG);
	assert_true(quarantined("alpha"));
}

/* One that holds and releases for ever fills no disk, and locks no start out. */
static void
test_journal_is_shortened(void **state)
{
	struct standing s = revoked("sensor-1");
	struct stat st;
	unsigned n;

	(void)state;
	for (n = 0; n < 10000 && !enforcer_journal_long(&e); n++) {
		s.since = n;
		assert_int_equal(enforcer_tighten(&e, &s, 1), 0);
	}
	assert_in_range(n, 1000, 9999);
	assert_int_equal(enforcer_rewrite_journal(&e), 0);
	assert_false(enforcer_journal_long(&e));
	assert_int_equal(fstatat(f.fd, "stations.journal", &st, 0), 0);
	assert_in_range(st.st_size, 1, 4096);
	stop();
	assert_int_equal(start(), 0);
	assert_true(quarantined("sensor-1"));
}

static void
test_new_policy(void **state)
{
	struct policy *p = sample_full();
	uint32_t sensor = mark_of("sensor-1"), gateway = mark_of("alpha"), at;
	struct apply_report r;

	(void)state;
	quarantine("sensor-2");
	at = transactions();
	p->classes[0].rules[0].services[0].high = 444;		/* wider: nobody is judged again */
	assert_int_equal(apply(p, &r), 0);
	assert_int_equal(transactions(), at + 1);
	assert_int_equal(r.renewed, 0);
	assert_int_equal(mark_of("sensor-1"), sensor);
	assert_int_equal(apply(sample_full(), &r), 0);		/* tighter: the class is */
	assert_int_equal(transactions(), at + 2);
	assert_int_equal(r.renewed, 1);
	assert_int_equal(mark_of("sensor-1"), sensor + 1);
	assert_false(holds(SET_LIVE, sensor, NULL));
	assert_int_equal(mark_of("alpha"), gateway);
	assert_true(quarantined("sensor-2"));
	/* once more, for what was judged while that came into force; of the others nobody */
	assert_int_equal(enforcer_judge_again(&e), 0);
	assert_int_equal(transactions(), at + 3);
	assert_int_equal(mark_of("sensor-1"), sensor + 2);
	assert_int_equal(mark_of("alpha"), gateway);
	assert_int_equal(enforcer_judge_again(&e), 0);
	assert_int_equal(transactions(), at + 3);
	assert_int_equal(e.standings[enforcer_index(&e, number_of("sensor-2"))]->cause, CAUSE_REVOKED);
	assert_int_equal(e.policy.revision, 3);
	stop();
	assert_int_equal(start(), 0);
	assert_true(report.adopted);
	assert_int_equal(e.policy.revision, 3);
	assert_int_equal(mark_of("sensor-1"), sensor + 2);
}

/* An image that is damaged or not sealed changes nothing. */
static void
test_bad_image(void **state)
{
	uint32_t at = transactions();
	struct apply_report r;
	uint8_t *bytes;
	size_t len;
	int fd = memfile_new("test");

	(void)state;
	struct policy *p = sample_new();

	sample_image(p, NULL, &bytes, &len);
	policy_free(p);
	bytes[len / 2] ^= 1;
	assert_int_equal(file_write_all(fd, bytes, len), 0);
	assert_int_equal(apply_fd(fd, &r), -EPERM);
	assert_int_equal(memfile_seal(fd), 0);
	assert_int_equal(apply_fd(fd, &r), -EBADMSG);
	assert_non_null(r.why);
	close(fd);
	free(bytes);
	assert_int_equal(transactions(), at);
	assert_int_equal(e.policy.revision, 1);
	mark_of("sensor-1");
}

/* What it costs: where elements alone differ the table stays, and only those
 * whose flows it may have let through are judged again. */
static void
put_right(enum meddling what, unsigned sensors, unsigned gateways)
{
	uint32_t mark = mark_of("sensor-1"), gateway = mark_of("alpha"), at = transactions();
	uint32_t bad = what == ADD_LIVE ? 0x77777701 : mark;
	char where[SET_NAMELEN];
	bool differed;

	assert_int_equal(enforcer_restore(&e, &differed, where), 0);
	assert_false(differed);
	assert_int_equal(transactions(), at);
	assert_int_equal(meddle(what, bad), 0);
	assert_int_equal(enforcer_restore(&e, &differed, where), 0);
	assert_true(differed);
	assert_true(e.healthy);
	assert_int_equal(transactions(), at + (sensors == 2 ? 3 : 2));		/* renewed once more */
	assert_int_equal(mark_of("sensor-1"), mark + sensors);
	assert_int_equal(mark_of("alpha"), gateway + gateways);
	assert_int_equal(holds(SET_LIVE, bad, NULL), what != ADD_LIVE && sensors == 0);
	assert_int_equal(enforcer_restore(&e, &differed, where), 0);
	assert_false(differed);
}

static void
test_foreign_changes(void **state)
{
	(void)state;
	put_right(TAKE_LIVE, 0, 0);
	put_right(ADD_LIVE, 0, 0);
	put_right(TAKE_ALLOWED, 0, 0);
	put_right(ADD_ALLOWED, 2, 0);
	put_right(ADD_RULE, 1, 1);
	put_right(FLUSH_CHAIN, 1, 1);
	put_right(ADD_CHAIN, 1, 1);
	put_right(ADD_SET, 1, 1);
	put_right(DELETE_TABLE, 1, 1);
}

/* By nft's hand: no element and no rule differs, and yet. */
static void
test_foreign_declarations(void **state)
{
	static const char *const commands[] = {
		"add chain inet cordon forward { policy accept; }",
		"add table inet cordon { flags dormant; }",
		"add element inet cordon live { * }",
		"add element inet cordon current { * : 0x1 }",
		"delete element inet cordon quarantined { %u }",
		"flush ruleset",
	};
	char where[SET_NAMELEN], text[128];
	bool differed;

	(void)state;
	quarantine("sensor-2");
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		uint32_t before = mark_of("sensor-1");

		snprintf(text, sizeof(text), commands[i], mark_of("sensor-2"));
		if (nft("said", text, NULL, NULL, NULL) != 0)
			skip();
		assert_int_equal(enforcer_restore(&e, &differed, where), 0);
		assert_true(differed);
		assert_int_equal(mark_of("sensor-1"), before + 1);
		assert_true(quarantined("sensor-2"));
		assert_false(quarantined("sensor-1"));
		assert_int_equal(enforcer_restore(&e, &differed, where), 0);
		assert_false(differed);
	}
}

static void
test_foreign_map(void **state)
{
	uint32_t mark = mark_of("sensor-1");
	char where[SET_NAMELEN];
	bool differed;

	(void)state;
	assert_int_equal(meddle(CHANGE_MAP, mark + 9), 0);
	assert_int_equal(enforcer_restore(&e, &differed, where), 0);
	assert_true(differed);
	assert_int_equal(mark_of("sensor-1"), mark + 1);
}

/* To the last generation: a mark that differs is put right by the next one. */
static uint32_t
last_generation(const char *name)
{
	uint32_t number = number_of(name) << 8, mark;

	stop();
	assert_int_equal(meddle(CHANGE_MAP, number | 254), 0);
	assert_int_equal(start(), 0);
	mark = mark_of(name);
	assert_int_equal(mark, number | 255);
	return mark;
}

/* Marks come again after 255 generations: no connection may carry one still. */
static void
test_wraps(void **state)
{
	uint32_t other = number_of("sensor-2") << 8 | 1, mark = last_generation("sensor-1");
	struct apply_report r;
	struct policy *p;

	(void)state;
	connect_with(other, 1);
	connect_with((mark & MARK_NUMBER_MASK) | 1, 2);
	connect_with((mark & MARK_NUMBER_MASK) | 77, 3);
	quarantine("sensor-1");
	assert_int_equal(mark_of("sensor-1"), (mark & MARK_NUMBER_MASK) | 1);
	assert_int_equal(connections_with((mark & MARK_NUMBER_MASK) | 1), 0);
	assert_int_equal(connections_with((mark & MARK_NUMBER_MASK) | 77), 0);
	assert_int_equal(connections_with(other), 1);

	mark = last_generation("sensor-1");		/* and with a policy */
	connect_with((mark & MARK_NUMBER_MASK) | 1, 4);
	p = sample_full();
	free(p->devices[0].interface);
	p->devices[0].interface = NULL;
	assert_int_equal(apply(p, &r), 0);
	assert_int_equal(mark_of("sensor-1"), (mark & MARK_NUMBER_MASK) | 1);
	assert_int_equal(connections_with((mark & MARK_NUMBER_MASK) | 1), 0);

	stop();						/* and when the rules are put right */
	assert_int_equal(meddle(CHANGE_MAP, mark), 0);
	assert_int_equal(start(), 0);
	connect_with((mark & MARK_NUMBER_MASK) | 1, 5);
	stop();
	assert_int_equal(meddle(CHANGE_MAP, mark), 0);
	assert_int_equal(start(), 0);
	assert_int_equal(mark_of("sensor-1"), (mark & MARK_NUMBER_MASK) | 1);
	assert_int_equal(connections_with((mark & MARK_NUMBER_MASK) | 1), 0);
}

/* Without our table, what a connection carries proves nothing. */
static void
test_old_marks_without_a_table(void **state)
{
	uint32_t mark = mark_of("sensor-1");

	(void)state;
	connect_with(mark, 1);
	connect_with(0, 2);
	stop();
	assert_int_equal(start(), 0);
	assert_int_equal(connections_with(mark), 1);	/* adopted: it goes on */
	stop();
	assert_int_equal(meddle(DELETE_TABLE, 0), 0);
	assert_int_equal(start(), 0);
	assert_int_equal(report.flows_forgotten, 1);
	assert_int_equal(connections_with(mark), 0);
	assert_int_equal(connections_with(0), 1);	/* nobody's: not ours to forget */
}

/* An address that changes hands takes no connection with it. */
static void
test_moved_address(void **state)
{
	uint32_t mark = mark_of("sensor-2");	/* of the other end: it stays live */
	struct policy *p = sample_full();
	struct apply_report r;

	(void)state;
	connect_with(mark, 1);			/* from 10.10.0.11 */
	p->devices[1].addresses[0].addr.bytes[3] = 77;
	assert_int_equal(apply(p, &r), 0);
	assert_int_equal(connections_with(mark), 1);
	p = sample_full();
	p->devices[0].addresses[0].addr.bytes[3] = 78;
	p->devices[1].addresses[0].addr.bytes[3] = 77;
	assert_int_equal(apply(p, &r), 0);
	assert_int_equal(r.not_forgotten, 0);
	assert_int_equal(connections_with(mark), 0);
}

/* While the daemon is away: the same is found when it starts. */
static void
found_at_start(enum meddling what)
{
	uint32_t mark = mark_of("sensor-1");

	stop();
	assert_int_equal(meddle(what, mark), 0);
	assert_int_equal(start(), 0);
	assert_false(report.adopted);
	assert_int_equal(report.rebuilt, what != DELETE_TABLE);
	assert_true(e.healthy);
	mark_of("sensor-1");
}

static void
test_foreign_changes_while_away(void **state)
{
	(void)state;
	found_at_start(TAKE_LIVE);
	found_at_start(ADD_RULE);
	found_at_start(DELETE_TABLE);
}

/* A change that finds the rules in disorder puts them right, and is made. */
static void
test_change_on_a_changed_table(void **state)
{
	struct policy *p = sample_full();
	struct apply_report r;

	(void)state;
	assert_int_equal(meddle(TAKE_LIVE, mark_of("sensor-1")), 0);
	quarantine("sensor-1");
	assert_true(quarantined("sensor-1"));
	assert_int_equal(e.foreign_changes, 1);
	assert_int_equal(meddle(DELETE_TABLE, 0), 0);
	p->classes[0].rules[0].services[0].high = 444;
	assert_int_equal(apply(p, &r), 0);
	assert_int_equal(e.foreign_changes, 2);
	assert_true(quarantined("sensor-1"));
}

/* A crash between writing a policy down and loading it: the rules of the one
 * before stand. It comes as by an apply, and who is not concerned stays as is. */
static void
test_catches_up(void **state)
{
	struct loaded_policy narrow = { .fd = -1 };
	struct policy *p = sample_full();
	uint32_t sensor, gateway, at;
	struct apply_report r;

	(void)state;
	assert_int_equal(apply(sample_full(), &r), 0);
	p->classes[0].rules[0].services[0].low = p->classes[0].rules[0].services[0].high = 444;
	sample_device(p, "late", "sensor", 9, "10.10.0.19", "lan0", "factory-ca", 0x77);
	sample_device(p, "bare-2", "sensor", 10, "10.10.0.20", "lan0", NULL, 0);
	assert_int_equal(apply(p, &r), 0);
	assert_int_equal(policy_store_read(f.fd, e.policy.revision, &narrow), 0);
	assert_int_equal(apply(sample_full(), &r), 0);
	quarantine("sensor-2");
	sensor = mark_of("sensor-1");
	gateway = mark_of("alpha");
	stop();
	narrow.revision = 9;
	assert_int_equal(policy_store_save(f.fd, &narrow, false), 0);
	loaded_policy_done(&narrow);
	assert_int_equal(start(), 0);
	assert_true(report.caught_up);
	assert_true(report.adopted);
	assert_false(report.rebuilt);
	assert_int_equal(e.policy.revision, 9);
	assert_int_equal(mark_of("sensor-1"), sensor + 2);
	assert_int_equal(mark_of("alpha"), gateway);
	assert_true(quarantined("sensor-2"));
	/* who came with it was not looked up, for all that is known */
	assert_int_equal(known("late").cause, CAUSE_NEW);
	assert_true(quarantined("late"));
	assert_false(quarantined("bare-2"));
	at = transactions();
	stop();
	assert_int_equal(start(), 0);
	assert_false(report.caught_up);
	assert_true(report.adopted);
	assert_in_range(transactions(), at, at + 4);	/* of the probe */
}

/* A policy of before again, as a rollback or a revert brings it. */
static int
apply_stored(uint64_t revision, struct apply_report *r)
{
	struct apply_order order = { .revision = e.policy.revision + 1, .stored = true };
	struct loaded_policy stored, again;
	int rc;

	assert_int_equal(policy_store_read(f.fd, revision, &stored), 0);
	assert_int_equal(policy_store_again(&stored, &e.policy.image, order.revision, &again), 0);
	order.image_fd = again.fd;
	rc = enforcer_apply(&e, &order, 2000, r);
	loaded_policy_done(&stored);
	loaded_policy_done(&again);
	return rc;
}

/* The same devices, but for one that has another name: it is another device. */
static struct policy *
without_sensor_1(void)
{
	struct policy *p = sample_full();

	for (size_t i = 0; i < p->n_devices; i++) {
		if (strcmp(p->devices[i].name, "sensor-1") == 0) {
			free(p->devices[i].name);
			p->devices[i].name = strdup("sensor-9");
		}
	}
	return p;
}

static void
test_devices_come_back(void **state)
{
	uint32_t number = number_of("sensor-1"), alpha = mark_of("alpha"), mark;
	struct apply_report r;

	(void)state;
	quarantine("sensor-1");
	mark = mark_of("sensor-1");
	assert_int_equal(apply(without_sensor_1(), &r), 0);
	assert_int_equal(enforcer_index(&e, number), SIZE_MAX);
	connect_from(0x0a0a0063, number << 8 | 1, 5000);	/* nobody's address */
	connect_from(0x0a0a0063, alpha, 5001);
	assert_int_equal(apply_stored(1, &r), 0);
	assert_int_equal(number_of("sensor-1"), number);
	assert_true(quarantined("sensor-1"));		/* nobody released it */
	assert_int_equal(e.standings[enforcer_index(&e, number)]->cause, CAUSE_REVOKED);
	assert_int_not_equal(mark, mark_of("sensor-1"));
	assert_int_equal(connections_with(number << 8 | 1), 0);	/* of long ago */
	assert_int_equal(connections_with(alpha), 1);
	assert_false(quarantined("alpha"));
	stop();
	assert_int_equal(start(), 0);
	assert_true(report.adopted);
	assert_true(quarantined("sensor-1"));
}

/* It was declared anew meanwhile, and has another number since. */
static void
test_devices_come_back_by_name(void **state)
{
	uint32_t number = number_of("sensor-1");
	struct apply_report r;

	(void)state;
	assert_int_equal(apply(without_sensor_1(), &r), 0);
	assert_int_equal(apply(sample_full(), &r), 0);
	assert_int_not_equal(number_of("sensor-1"), number);
	quarantine("sensor-1");
	assert_int_equal(apply_stored(1, &r), 0);
	assert_int_equal(number_of("sensor-1"), number);
	assert_true(quarantined("sensor-1"));
	assert_false(quarantined("sensor-2"));
	stop();
	assert_int_equal(start(), 0);
	assert_true(report.adopted);
	assert_true(quarantined("sensor-1"));
	/* what was given out stays given out */
	assert_int_equal(apply(without_sensor_1(), &r), 0);
	assert_true(number_of("sensor-9") > number_of("sensor-2") + 2);
}

static int
refuse(void *arg, const struct ruleset *next)
{
	*(uint32_t *)arg = next->image->n[IMAGE_DEVICES];
	return -ECONNREFUSED;
}

/* Whoever has the last word is asked before anything is changed or kept. */
static void
test_refused_before(void **state)
{
	uint32_t devices = 0, at = transactions();
	struct apply_order order = { .revision = 2, .image_fd = e.policy.fd, .before = refuse, .before_arg = &devices };
	struct loaded_policy stored;
	struct apply_report r;

	(void)state;
	assert_int_equal(enforcer_apply(&e, &order, 2000, &r), -ECONNREFUSED);
	assert_int_equal(devices, 4);
	assert_int_equal(transactions(), at);
	assert_int_equal(e.policy.revision, 1);
	assert_int_equal(policy_store_read(f.fd, 2, &stored), -ENOENT);
}

/* The table is ours as long as a copy of the socket is open; nobody else gets it. */
static void
test_owned(void **state)
{
	struct start_report second;
	struct enforcer other;
	int fd;

	(void)state;
	if (!e.features.owner_persist)
		skip();
	assert_int_equal(meddle(TAKE_LIVE, mark_of("sensor-1")), -EPERM);
	fd = nft_socket_open();
	assert_int_equal(enforcer_start(&other, fd, f.fd, 0, NULL, 1, &second), -EPERM);
	enforcer_done(&other);
	close(fd);
	/* orphaned, it stays, is claimed, and is refused to others again */
	stop();
	close(owner_fd);
	owner_fd = nft_socket_open();
	assert_int_equal(start(), 0);
	assert_true(report.adopted);
	assert_int_equal(meddle(TAKE_LIVE, mark_of("sensor-1")), -EPERM);
}

/* ---- the same rules by another way -------------------------------------- */

static char *
content(const char *name)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	char *text;

	assert_int_equal(file_read_at(f.fd, name, 1U << 20, &bytes, &len), 0);
	text = strndup((const char *)bytes, len);
	free(bytes);
	return text;
}

static int
by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Elements of a set come in no order, so lines and elements are sorted. */
static size_t
pieces(char *text, char **out, size_t max)
{
	size_t n = 0;
	char *save, *piece;

	for (piece = strtok_r(text, "\n,", &save); piece != NULL; piece = strtok_r(NULL, "\n,", &save)) {
		piece += strspn(piece, " \t");
		if (strncmp(piece, "elements = { ", 13) == 0)
			piece += 13;
		for (size_t k = strlen(piece); k > 0 && strchr(" }", piece[k - 1]) != NULL; k--)
			piece[k - 1] = '\0';
		if (*piece == '\0')
			continue;
		assert_in_range(n, 0, max - 1);
		out[n++] = piece;
	}
	qsort(out, n, sizeof(*out), by_line);
	return n;
}

/* nft asks for Ethernet first; to packets of any other kind the kernel has no such header. */
static void
write_ether_as_offset(char *text)
{
	static const char ether[] = "ether saddr", offset[] = "@ll,48,48";
	char *at = text;

	while ((at = strstr(at, ether)) != NULL) {
		memcpy(at, offset, strlen(offset));
		memmove(at + strlen(offset), at + strlen(ether), strlen(at + strlen(ether)) + 1);
	}
}

#define PIECES_MAX 4000

/* What goes by netlink is what is printed: nft, which loads that text, lists both alike. */
static void
test_nft_lists_the_same(void **state)
{
	static char *a[PIECES_MAX], *b[PIECES_MAX];
	struct ruleset rs = enforcer_ruleset(&e);
	char *by_netlink, *by_text;
	size_t n, m;
	FILE *out;
	int fd;

	(void)state;
	quarantine("sensor-2");
	if (nft("by-netlink", "-s", "list", "table", "inet cordon") != 0)
		skip();
	fd = openat(f.fd, "printed", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_non_null(out = fdopen(fd, "w"));
	rs = enforcer_ruleset(&e);
	assert_int_equal(print_nft(&rs, out), 0);
	fclose(out);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	assert_int_equal(nft("said", "-f", "printed", NULL, NULL), 0);
	assert_int_equal(nft("by-text", "-s", "list", "table", "inet cordon"), 0);
	by_netlink = content("by-netlink");
	by_text = content("by-text");
	write_ether_as_offset(by_netlink);
	write_ether_as_offset(by_text);
	n = pieces(by_netlink, a, PIECES_MAX);
	m = pieces(by_text, b, PIECES_MAX);
	for (size_t i = 0; i < n && i < m; i++)
		assert_string_equal(a[i], b[i]);
	assert_int_equal(n, m);
	assert_in_range(n, 200, PIECES_MAX);
	free(by_netlink);
	free(by_text);
}

#define OWNED(test)	{ #test, test, setup, teardown, NULL }
#define OPEN(test)	{ #test "_watched", test, setup, teardown, (void *)(uintptr_t)WATCHED }

int
main(void)
{
	const struct CMUnitTest tests[] = {
		OWNED(test_adopts_what_is_right), OPEN(test_adopts_what_is_right),
		OWNED(test_devices_come_back), OWNED(test_devices_come_back_by_name), OWNED(test_refused_before),
		OWNED(test_quarantine_is_a_new_mark),
		OWNED(test_release_is_for_the_cause),
		OWNED(test_starts_in_quarantine),
		OWNED(test_kernel_knows_more_than_the_journal), OPEN(test_kernel_knows_more_than_the_journal),
		OWNED(test_journal_knows_after_a_reboot),
		OWNED(test_full_disk),
		OWNED(test_journal_is_shortened),
		OWNED(test_new_policy), OPEN(test_new_policy),
		OWNED(test_bad_image),
		OPEN(test_foreign_changes), OPEN(test_foreign_declarations), OPEN(test_foreign_map), OPEN(test_foreign_changes_while_away),
		OPEN(test_change_on_a_changed_table), OWNED(test_catches_up), OPEN(test_catches_up),
		OWNED(test_moved_address), OPEN(test_wraps), OPEN(test_old_marks_without_a_table),
		OWNED(test_owned),
		OPEN(test_nft_lists_the_same),
	};

	if (unshare(CLONE_NEWNET) == -1) {
		fprintf(stderr, "no network namespace can be made: not tested\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
