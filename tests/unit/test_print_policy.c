/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_print_policy.c -- goldens: a configuration, printed, is the expected text;
 * that text, read as a configuration, is the same policy. With an argument the
 * expected text is written instead. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "config/config.h"
#include "folder.h"
#include "model/compile.h"
#include "model/describe.h"
#include "model/print.h"

static const char *const goldens[] = { "full", "small", "revocation" };
static bool renew;

struct printed {
	uint8_t *bytes;
	struct image im;
	char *text;
	size_t text_len;
};

static void
compile_and_print(int dirfd, struct printed *out)
{
	struct mistakes *m = calloc(1, sizeof(*m));
	struct policy *p = NULL;
	const char *why;
	size_t len, i;
	FILE *f;

	assert_non_null(m);
	assert_int_equal(config_read_policy(dirfd, 1795359600, &p, m), 0);
	if (compile_policy(p, NULL, m, &out->bytes, &len) != 0)
		for (i = 0; i < mistakes_kept(m->n); i++)
			print_message("%s\n", m->lines[i]);
	assert_int_equal(m->n, 0);
	assert_int_equal(image_open(out->bytes, len, &out->im, &why), 0);
	f = open_memstream(&out->text, &out->text_len);
	assert_non_null(f);
	assert_int_equal(print_policy(&out->im, f), 0);
	assert_int_equal(fclose(f), 0);
	policy_free(p);
	mistakes_done(m);
	free(m);
}

static void
printed_done(struct printed *p)
{
	free(p->bytes);
	free(p->text);
}

#define ASSERT_SAME(section, field) do {						\
	assert_int_equal(a->n[section], b->n[section]);					\
	assert_memory_equal(a->field, b->field, a->n[section] * sizeof(*a->field));	\
} while (0)

/* Whereto is in the order of the text, which is printed sorted. */
static int
rule_box_cmp(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct image_rule_box));
}

/* In place of where a text stands: what it is. */
static uint32_t
hash(const char *text)
{
	uint32_t h = 0;

	while (*text != '\0')
		h = h * 31 + (uint8_t)*text++;
	return h;
}

static struct image_rule_box *
sorted_boxes(const struct image *im, const struct image_rule *r)
{
	struct image_rule_box *out = calloc(r->boxes.n + 1, sizeof(*out));
	uint32_t i;

	assert_non_null(out);
	for (i = 0; i < r->boxes.n; i++) {
		out[i] = im->rule_boxes[r->boxes.first + i];
		out[i].name = hash(image_text(im, out[i].name));
	}
	qsort(out, r->boxes.n, sizeof(*out), rule_box_cmp);
	return out;
}

static void
assert_same_rules(const struct image *a, const struct image *b)
{
	uint32_t i;

	assert_int_equal(a->n[IMAGE_RULES], b->n[IMAGE_RULES]);
	for (i = 0; i < a->n[IMAGE_RULES]; i++) {
		const struct image_rule *x = &a->rules[i], *y = &b->rules[i];
		struct image_rule_box *in_x = sorted_boxes(a, x), *in_y = sorted_boxes(b, y);

		assert_int_equal(x->direction, y->direction);
		assert_int_equal(x->schedule, y->schedule);
		assert_int_equal(x->boxes.n, y->boxes.n);
		assert_memory_equal(in_x, in_y, x->boxes.n * sizeof(*in_x));
		free(in_x);
		free(in_y);
	}
}

static void
assert_same_schedules(const struct image *a, const struct image *b)
{
	uint32_t i;

	ASSERT_SAME(IMAGE_WINDOWS, windows);
	assert_int_equal(a->n[IMAGE_SCHEDULES], b->n[IMAGE_SCHEDULES]);
	for (i = 0; i < a->n[IMAGE_SCHEDULES]; i++) {
		const struct image_schedule *x = &a->schedules[i], *y = &b->schedules[i];

		assert_string_equal(image_text(a, x->name), image_text(b, y->name));
		assert_string_equal(image_text(a, x->zone), image_text(b, y->zone));
		assert_int_equal(x->days, y->days);
		assert_int_equal(x->from_s, y->from_s);
		assert_int_equal(x->to_s, y->to_s);
		assert_memory_equal(&x->windows, &y->windows, sizeof(x->windows));
	}
}

/* Everything but text offsets and lines, which depend on the files. */
static void
assert_same_policy(const struct image *a, const struct image *b)
{
	uint32_t i;

	ASSERT_SAME(IMAGE_BOXES, boxes);
	ASSERT_SAME(IMAGE_REACHES, reaches);
	ASSERT_SAME(IMAGE_ADDRESSES, addresses);
	ASSERT_SAME(IMAGE_BY_NAME, by_name);
	ASSERT_SAME(IMAGE_BY_MAC, by_mac);
	ASSERT_SAME(IMAGE_BY_ADDRESS, by_address);
	assert_int_equal(a->n[IMAGE_CLASSES], b->n[IMAGE_CLASSES]);
	for (i = 0; i < a->n[IMAGE_CLASSES]; i++) {
		assert_int_equal(a->classes[i].number, b->classes[i].number);
		assert_int_equal(a->classes[i].mode, b->classes[i].mode);
		assert_int_equal(a->classes[i].refuse, b->classes[i].refuse);
		assert_int_equal(a->classes[i].rate, b->classes[i].rate);
		assert_int_equal(a->classes[i].rate_burst, b->classes[i].rate_burst);
		assert_int_equal(a->classes[i].named, b->classes[i].named);
		assert_int_equal(a->classes[i].quarantine, b->classes[i].quarantine);
		assert_int_equal(a->classes[i].hints & CLASS_QUARANTINE, b->classes[i].hints & CLASS_QUARANTINE);
		assert_memory_equal(&a->classes[i].rules, &b->classes[i].rules, sizeof(a->classes[i].rules));
		assert_memory_equal(&a->classes[i].reaches, &b->classes[i].reaches, sizeof(a->classes[i].reaches));
	}
	assert_int_equal(a->n[IMAGE_DEVICES], b->n[IMAGE_DEVICES]);
	for (i = 0; i < a->n[IMAGE_DEVICES]; i++) {
		assert_int_equal(a->devices[i].number, b->devices[i].number);
		assert_int_equal(a->devices[i].class_number, b->devices[i].class_number);
		assert_int_equal(a->devices[i].identity, b->devices[i].identity);
		assert_string_equal(image_text(a, a->devices[i].interface), image_text(b, b->devices[i].interface));
		assert_int_equal(a->devices[i].labels.n, b->devices[i].labels.n);
		assert_int_equal(a->devices[i].flags, b->devices[i].flags);
		assert_int_equal(a->devices[i].certificates.n, b->devices[i].certificates.n);
		assert_memory_equal(a->devices[i].mac, b->devices[i].mac, sizeof(a->devices[i].mac));
	}
	assert_int_equal(a->n[IMAGE_CERTIFICATES], b->n[IMAGE_CERTIFICATES]);
	for (i = 0; i < a->n[IMAGE_CERTIFICATES]; i++) {
		const struct image_certificate *x = &a->certificates[i], *y = &b->certificates[i];

		assert_int_equal(x->authority, y->authority);
		assert_int_equal(x->serial_len, y->serial_len);
		assert_memory_equal(x->serial, y->serial, sizeof(x->serial));
		assert_int_equal(x->issuer, y->issuer);
		assert_int_equal(x->chain_len, y->chain_len);
		assert_memory_equal(a->blobs + x->chain, b->blobs + y->chain, x->chain_len);
	}
	assert_int_equal(a->n[IMAGE_ISSUERS], b->n[IMAGE_ISSUERS]);
	for (i = 0; i < a->n[IMAGE_ISSUERS]; i++) {
		const struct image_issuer *x = &a->issuers[i], *y = &b->issuers[i];

		assert_int_equal(x->role, y->role);
		assert_int_equal(x->certificate_len, y->certificate_len);
		assert_memory_equal(a->blobs + x->certificate, b->blobs + y->certificate, x->certificate_len);
	}
}

#define ASSERT_TEXT(field) assert_string_equal(image_text(a, x->field), image_text(b, y->field))

static void
assert_same_sources(const struct image *a, const struct image *b)
{
	uint32_t i;

	assert_int_equal(a->n[IMAGE_URLS], b->n[IMAGE_URLS]);
	for (i = 0; i < a->n[IMAGE_URLS]; i++)
		assert_string_equal(image_text(a, a->urls[i]), image_text(b, b->urls[i]));
	assert_int_equal(a->n[IMAGE_SOURCES], b->n[IMAGE_SOURCES]);
	for (i = 0; i < a->n[IMAGE_SOURCES]; i++) {
		const struct image_source *x = &a->sources[i], *y = &b->sources[i];

		assert_int_equal(x->authority, y->authority);
		assert_memory_equal(&x->urls, &y->urls, sizeof(x->urls));
		assert_int_equal(x->flags, y->flags);
		assert_int_equal(x->base, y->base);
		assert_int_equal(x->refresh_s, y->refresh_s);
		assert_int_equal(x->max_bytes, y->max_bytes);
		assert_int_equal(x->timeout_s, y->timeout_s);
		assert_int_equal(x->ca_len, y->ca_len);
		assert_memory_equal(a->blobs + x->ca, b->blobs + y->ca, x->ca_len);
		ASSERT_TEXT(pin);
		ASSERT_TEXT(proxy);
		ASSERT_TEXT(no_proxy);
		ASSERT_TEXT(hosts);
	}
}

static void
assert_same_authorities(const struct image *a, const struct image *b)
{
	uint32_t i;

	assert_int_equal(a->n[IMAGE_AUTHORITIES], b->n[IMAGE_AUTHORITIES]);
	for (i = 0; i < a->n[IMAGE_AUTHORITIES]; i++) {
		const struct image_authority *x = &a->authorities[i], *y = &b->authorities[i];

		assert_int_equal(x->number, y->number);
		ASSERT_TEXT(name);
		assert_memory_equal(&x->issuers, &y->issuers, sizeof(x->issuers));
		assert_int_equal(x->refresh_s, y->refresh_s);
		assert_int_equal(x->when_stale, y->when_stale);
		assert_int_equal(x->when_unchecked, y->when_unchecked);
		assert_int_equal(x->restrict_class, y->restrict_class);
		assert_int_equal(x->flags, y->flags);
		assert_int_equal(x->skew_s, y->skew_s);
		assert_int_equal(x->grace_s, y->grace_s);
		assert_int_equal(x->max_age_s, y->max_age_s);
		assert_int_equal(x->ocsp.devices, y->ocsp.devices);
		assert_int_equal(x->ocsp.refresh_s, y->ocsp.refresh_s);
		assert_int_equal(x->ocsp.max_age_s, y->ocsp.max_age_s);
		assert_int_equal(x->ocsp.need_nonce, y->ocsp.need_nonce);
		assert_int_equal(x->ocsp.unknown, y->ocsp.unknown);
		ASSERT_TEXT(ocsp.url);
		assert_memory_equal(&x->sources, &y->sources, sizeof(x->sources));
	}
	assert_same_sources(a, b);
}

/* Nothing is left to tell. */
static int
on_change(void *arg, const struct described *d)
{
	(void)arg;
	print_message("%s: %s\n", d->name, d->text);
	return 1;
}

static void
check_golden(const char *name)
{
	char path[256], folder[256];
	struct printed first, again;
	uint8_t *want;
	struct folder f;
	size_t len;
	int fd;

	snprintf(folder, sizeof(folder), "tests/golden/policy/%s", name);
	fd = open(source_path(folder, path, sizeof(path)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	compile_and_print(fd, &first);
	close(fd);
	snprintf(folder, sizeof(folder), "tests/golden/policy/%s.policy", name);
	source_path(folder, path, sizeof(path));
	if (renew) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		assert_int_equal(file_write_all(fd, first.text, first.text_len), 0);
		close(fd);
	}
	assert_int_equal(file_read_at(AT_FDCWD, path, 1 << 20, &want, &len), 0);
	assert_string_equal(first.text, (char *)want);
	free(want);

	folder_make(&f);
	folder_put_bytes(&f, "cordon.conf", first.text, first.text_len);
	compile_and_print(f.fd, &again);
	folder_remove(&f);
	assert_string_equal(first.text, again.text);
	assert_same_policy(&first.im, &again.im);
	assert_same_authorities(&first.im, &again.im);
	assert_int_equal(first.im.appliance->brake_devices, again.im.appliance->brake_devices);
	assert_int_equal(first.im.appliance->brake_within_s, again.im.appliance->brake_within_s);
	assert_int_equal(describe_policies(&first.im, &again.im, on_change, NULL), 0);
	assert_same_rules(&first.im, &again.im);
	assert_same_schedules(&first.im, &again.im);
	printed_done(&first);
	printed_done(&again);
}

static void
test_goldens(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(goldens) / sizeof(goldens[0]); i++)
		check_golden(goldens[i]);
}

static void
test_no_policy(void **state)
{
	uint8_t *bytes;
	struct image im;
	const char *why;
	char *text;
	size_t len;
	FILE *f;

	(void)state;
	assert_int_equal(compile_empty(&bytes, &len), 0);
	assert_int_equal(image_open(bytes, len, &im, &why), 0);
	f = open_memstream(&text, &len);
	assert_non_null(f);
	assert_int_equal(print_policy(&im, f), 0);
	fclose(f);
	assert_string_equal(text, "# there is no policy yet\n");
	free(text);
	free(bytes);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_goldens),
		cmocka_unit_test(test_no_policy),
	};

	(void)argv;
	renew = argc > 1;
	config_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
