/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_brake.c -- what is counted beside the standings: automatic quarantines across
 * restarts and clocks that jump, certificates that operators revoked, and what
 * happened to devices. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <signal.h>
#include <unistd.h>

#include <cmocka.h>

#include "enforce/brake.h"
#include "enforce/device_events.h"
#include "enforce/serials.h"
#include "folder.h"
#include "sample.h"

static struct folder f;
static const uint8_t this_boot[BOOT_ID_LEN] = "this boot", other_boot[BOOT_ID_LEN] = "other boot";

static int
setup(void **state)
{
	(void)state;
	folder_make(&f);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	folder_remove(&f);
	return 0;
}

static struct clock_view
at(int64_t wall_s, int64_t boot_s)
{
	return (struct clock_view){ .wall_ms = wall_s * 1000, .boot_ms = boot_s * 1000 };
}

static uint32_t
used(const struct brake *b, struct clock_view now)
{
	return brake_used(b, 600, &now);
}

static void
note(struct brake *b, uint32_t n, struct clock_view now)
{
	assert_int_equal(brake_note(b, f.fd, 600, n, &now), 0);
}

static bool
stops(const struct brake *b, uint32_t devices, uint32_t n, struct clock_view now)
{
	return brake_holds(b, devices, 600, n, &now);
}

static void
test_counts_within_its_time(void **state)
{
	struct brake b;

	(void)state;
	assert_int_equal(brake_load(&b, f.fd, this_boot), 0);
	assert_false(stops(&b, 20, 20, at(100000, 1000)));
	assert_true(stops(&b, 20, 21, at(100000, 1000)));
	assert_false(stops(&b, 0, 200000, at(100000, 1000)));	/* no brake */
	note(&b, 15, at(100000, 1000));
	assert_false(stops(&b, 20, 5, at(100599, 1599)));
	assert_true(stops(&b, 20, 6, at(100599, 1599)));
	assert_false(stops(&b, 20, 20, at(100600, 1600)));
	/* of this boot the wall clock says nothing */
	assert_int_equal(used(&b, at(900000, 1599)), 15);
	assert_int_equal(used(&b, at(0, 1599)), 15);
	assert_int_equal(used(&b, at(100000, 1600)), 0);
	brake_done(&b);
}

static void
test_counts_across_restarts(void **state)
{
	struct brake b;

	(void)state;
	assert_int_equal(brake_load(&b, f.fd, this_boot), 0);
	note(&b, 15, at(100000, 1000));
	note(&b, 3, at(100300, 1300));
	brake_done(&b);
	assert_int_equal(brake_load(&b, f.fd, this_boot), 0);	/* cordond alone */
	assert_int_equal(used(&b, at(100400, 1400)), 18);
	assert_int_equal(used(&b, at(100700, 1700)), 3);
	brake_done(&b);
	assert_int_equal(brake_load(&b, f.fd, other_boot), 0);	/* the machine */
	assert_int_equal(used(&b, at(100400, 10)), 18);
	assert_int_equal(used(&b, at(100700, 310)), 3);
	assert_int_equal(used(&b, at(100900, 510)), 0);
	/* with a clock from long ago: as long as it would have counted, and no longer */
	assert_int_equal(used(&b, at(0, 10)), 18);
	assert_int_equal(used(&b, at(590, 599)), 18);
	assert_int_equal(used(&b, at(591, 600)), 0);
	brake_done(&b);
}

static void
test_file_does_not_grow(void **state)
{
	struct brake b;
	off_t len;
	int fd;

	(void)state;
	assert_int_equal(brake_load(&b, f.fd, this_boot), 0);
	for (int i = 0; i < 1000; i++)
		note(&b, 1, at(100000 + i * 10, 1000 + i * 10));
	assert_int_equal(used(&b, at(109990, 10990)), 60);
	assert_in_range(b.n, 60, 300);
	brake_done(&b);
	fd = openat(f.fd, "brake.journal", O_RDONLY);
	len = lseek(fd, 0, SEEK_END);
	close(fd);
	assert_in_range(len, 1, 40000);
	assert_int_equal(brake_load(&b, f.fd, this_boot), 0);
	assert_int_equal(used(&b, at(109990, 10990)), 60);
	brake_done(&b);
}

/* A disk that refuses does not make it forget. */
static void
test_counts_without_a_disk(void **state)
{
	const struct rlimit full = { 0, RLIM_INFINITY };
	struct clock_view now = at(100000, 1000);
	struct rlimit before;
	struct brake b;
	int rc;

	(void)state;
	assert_int_equal(brake_load(&b, f.fd, this_boot), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &full);
	rc = brake_note(&b, f.fd, 600, 15, &now);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(rc, -EFBIG);
	assert_int_equal(used(&b, now), 15);
	brake_done(&b);
}

/* ---- certificates that operators revoked -------------------------------- */

static struct ctl_revocation
serial_revoked(uint32_t authority, uint8_t serial, int64_t until)
{
	return (struct ctl_revocation){ .authority = authority, .serial_len = 1, .serial = { serial }, .until = until,
		.words = "stolen" };
}

static void
test_serials(void **state)
{
	struct ctl_revocation r = serial_revoked(1, 0x4f, 0), ended = serial_revoked(1, 0x50, 5000);
	struct policy *p = sample_full();
	uint32_t damaged;
	struct serials s;
	struct image im;
	uint8_t *bytes;
	size_t len;

	(void)state;
	im = sample_image(p, NULL, &bytes, &len);
	policy_free(p);
	assert_int_equal(serials_load(&s, f.fd, &damaged), 0);
	assert_int_equal(s.n, 0);
	assert_int_equal(serials_add(&s, f.fd, &r), 0);
	assert_int_equal(serials_add(&s, f.fd, &ended), 0);
	assert_int_equal(serials_add(&s, f.fd, &r), 0);		/* once */
	assert_int_equal(s.n, 2);
	serials_done(&s);
	assert_int_equal(serials_load(&s, f.fd, &damaged), 0);
	assert_int_equal(s.n, 2);
	assert_non_null(serials_of_device(&s, &im, image_device_named(&im, "sensor-1"), 9000));
	assert_non_null(serials_of_device(&s, &im, image_device_named(&im, "sensor-2"), 4999));
	assert_null(serials_of_device(&s, &im, image_device_named(&im, "sensor-2"), 5000));
	assert_null(serials_of_device(&s, &im, image_device_named(&im, "alpha"), 0));
	assert_int_equal(serials_remove(&s, f.fd, 2, r.serial, 1), -ENOENT);
	assert_int_equal(serials_remove(&s, f.fd, 1, r.serial, 1), 0);
	assert_null(serials_of_device(&s, &im, image_device_named(&im, "sensor-1"), 9000));
	serials_done(&s);
	assert_int_equal(serials_load(&s, f.fd, &damaged), 0);
	assert_int_equal(s.n, 1);
	serials_done(&s);
	free(bytes);
}

/* Of a device with two revoked certificates the longer word counts, whatever came first. */
static void
test_serials_of_one_device(void **state)
{
	struct ctl_revocation list[2] = { serial_revoked(1, 0x4f, 5000), serial_revoked(2, 0x51, 0) };
	struct serials s = { list, 2 };
	struct policy *p = sample_revocation();
	const struct image_device *d;
	struct image im;
	uint8_t *bytes;
	size_t len;

	(void)state;
	im = sample_image(p, NULL, &bytes, &len);
	policy_free(p);
	d = image_device_named(&im, "sensor-1");
	assert_ptr_equal(serials_of_device(&s, &im, d, 1000), &list[1]);
	list[1].until = 4000;
	assert_ptr_equal(serials_of_device(&s, &im, d, 1000), &list[0]);
	list[1].until = 6000;
	assert_ptr_equal(serials_of_device(&s, &im, d, 1000), &list[1]);
	assert_null(serials_of_device(&s, &im, d, 6000));
	free(bytes);
}

static void
test_serials_are_bounded(void **state)
{
	struct ctl_revocation r = serial_revoked(1, 0, 0);
	struct serials s = { calloc(LIMIT_REVOCATIONS, sizeof(r)), LIMIT_REVOCATIONS - 1 };

	(void)state;
	r.serial_len = 4;
	for (uint32_t i = 0; i + 1 < LIMIT_REVOCATIONS; i++) {
		s.list[i] = r;
		memcpy(s.list[i].serial, &i, sizeof(i));
	}
	memset(r.serial, 0xff, 4);
	assert_int_equal(serials_add(&s, f.fd, &r), 0);
	assert_int_equal(s.n, LIMIT_REVOCATIONS);
	assert_int_equal(serials_add(&s, f.fd, &r), 0);
	r.serial[0] = 0xfe;
	assert_int_equal(serials_add(&s, f.fd, &r), -ENOSPC);
	assert_int_equal(s.n, LIMIT_REVOCATIONS);
	serials_done(&s);
}

/* ---- what happened to devices ------------------------------------------- */

static struct device_event
event(uint32_t device, int64_t when)
{
	return (struct device_event){ .device = device, .at = when, .what = DEVICE_QUARANTINED, .who.uid = CTL_NOBODY };
}

static void
test_events_are_bounded(void **state)
{
	struct device_event *all = calloc(1000, sizeof(*all));
	uint32_t damaged;
	size_t n;

	(void)state;
	for (int k = 0; k < 45; k++) {
		for (uint32_t i = 0; i < 1000; i++)
			all[i] = event(i % 7 + 1, k * 1000 + i);
		assert_int_equal(device_events_append(f.fd, all, 1000), 0);
	}
	free(all);
	assert_int_equal(device_events_load(f.fd, 0, &all, &n, &damaged), 0);
	assert_int_equal(n, LIMIT_DEVICE_EVENTS);
	assert_int_equal(damaged, 0);
	for (size_t i = 0; i < n; i++)		/* the newest, oldest first */
		assert_int_equal(all[i].at, 45000 - LIMIT_DEVICE_EVENTS + (int64_t)i);
	free(all);
	assert_int_equal(device_events_load(f.fd, 3, &all, &n, &damaged), 0);
	assert_in_range(n, LIMIT_DEVICE_EVENTS / 7, LIMIT_DEVICE_EVENTS);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(all[i].device, 3);
	free(all);
}

struct changed {
	uint8_t *bytes, *next_bytes;
	struct image image, next;
};

static size_t
events_of(struct policy *p, struct policy *q, struct device_event *out, size_t room, struct changed *c)
{
	const struct device_event like = { .at = 5, .revision = 9, .who = { 1000, "anna" } };
	size_t len;

	c->image = sample_image(p, NULL, &c->bytes, &len);
	c->next = sample_image(q, &c->image, &c->next_bytes, &len);
	policy_free(p);
	policy_free(q);
	return device_events_of_change(&c->image, &c->next, &like, out, room);
}

static const struct device_event *
find(const struct device_event *v, size_t n, const struct image *im, const char *name, enum device_happening what)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].what == what && v[i].device == image_device_named(im, name)->number)
			return &v[i];
	fail_msg("nothing of %s", name);
	return NULL;
}

static void
test_events_of_a_change(void **state)
{
	struct policy *q = sample_full();
	const struct device_event *v;
	struct device_event out[8];
	struct changed c;

	(void)state;
	q->devices[0].mac.bytes[5] = 0x99;		/* sensor-1: other hardware */
	q->devices[1].certificates[0].serial[0] = 0x51;	/* sensor-2: another certificate */
	free(q->devices[2].class_name);
	q->devices[2].class_name = strdup("sensor");	/* alpha: another class */
	free(q->devices[3].name);
	q->devices[3].name = strdup("newcomer");	/* bare: gone */
	assert_int_equal(events_of(sample_full(), q, out, 8, &c), 5);
	v = find(out, 5, &c.next, "sensor-1", DEVICE_REBOUND);
	assert_int_equal(v->old_mac[5], 1);
	assert_int_equal(v->mac[5], 0x99);
	find(out, 5, &c.next, "sensor-2", DEVICE_RENEWED);
	v = find(out, 5, &c.next, "alpha", DEVICE_MOVED);
	assert_int_equal(v->other, image_class_named(&c.image, "gateway")->number);
	assert_int_equal(v->now, image_class_named(&c.next, "sensor")->number);
	find(out, 5, &c.image, "bare", DEVICE_WITHDRAWN);
	v = find(out, 5, &c.next, "newcomer", DEVICE_ENROLLED);
	assert_int_equal(v->who.uid, 1000);
	assert_int_equal(v->revision, 9);
	free(c.bytes);
	free(c.next_bytes);
	assert_int_equal(events_of(sample_full(), sample_full(), out, 8, &c), 0);
	free(c.bytes);
	free(c.next_bytes);
	memset(out, 0, sizeof(out));
	assert_int_equal(events_of(sample_new(), sample_full(), out, 2, &c), 4);	/* counted, and no more */
	assert_int_equal(out[1].what, DEVICE_ENROLLED);
	assert_int_equal(out[2].what, 0);
	free(c.bytes);
	free(c.next_bytes);
}

int
main(void)
{
#define EACH(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		EACH(test_counts_within_its_time),
		EACH(test_counts_across_restarts),
		EACH(test_file_does_not_grow),
		EACH(test_counts_without_a_disk),
		EACH(test_serials),
		EACH(test_serials_of_one_device),
		EACH(test_serials_are_bounded),
		EACH(test_events_are_bounded),
		EACH(test_events_of_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
