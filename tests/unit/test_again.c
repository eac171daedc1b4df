/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_again.c -- a configuration compiled from what changed in it gives the image
 * that it gives when all of it is read: byte for byte, or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "config/config.h"
#include "folder.h"
#include "model/compile.h"
#include "model/lift.h"

#define NOW	1795359600
#define DAY	86400

struct compiled {
	int rc;
	uint8_t *data;
	size_t len;
	struct mistakes m;
	struct image im;
};

static struct folder f;
static int64_t now = NOW;

static void
whole(const struct image *before, struct compiled *out)
{
	struct policy *p = NULL;
	const char *why;

	memset(out, 0, sizeof(*out));
	assert_int_equal(config_read_policy(f.fd, now, &p, &out->m), 0);
	out->rc = compile_policy(p, before, &out->m, &out->data, &out->len);
	policy_free(p);
	if (out->rc == 0)
		assert_int_equal(image_open(out->data, out->len, &out->im, &why), 0);
}

static void
again(const struct image *before, struct compiled *out)
{
	struct policy *p = NULL;
	struct lift l;

	memset(out, 0, sizeof(*out));
	if ((out->rc = lift_init(&l, before)) == 0 &&
	    (out->rc = config_read_again(f.fd, now, &l, &p, &out->m)) == 0)
		out->rc = compile_again(p, &l, &out->m, &out->data, &out->len);
	policy_free(p);
	lift_done(&l);
}

static void
compiled_done(struct compiled *c)
{
	free(c->data);
	mistakes_done(&c->m);
}

/* Both ways. Was it possible from what changed alone? *last is what came out. */
static bool
both(struct compiled *last)
{
	struct compiled a, b;
	bool possible;

	whole(&last->im, &a);
	again(&last->im, &b);
	possible = b.rc == 0;
	if (possible) {
		assert_int_equal(a.rc, 0);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		assert_int_equal(a.m.n_warnings, b.m.n_warnings);
		for (size_t i = 0; i < mistakes_kept(a.m.n_warnings); i++)
			assert_string_equal(a.m.warnings[i], b.m.warnings[i]);
	} else {
		assert_int_equal(b.rc, -ESTALE);
	}
	compiled_done(&b);
	if (a.rc == 0) {
		compiled_done(last);
		*last = a;
	} else {
		compiled_done(&a);
	}
	return possible;
}

/* ---- a configuration that may change anywhere --------------------------- */

#define FILES	5
#define DEVICES	12	/* of one file */
#define CLASSES	4

struct made {
	bool there;
	uint32_t class, mac, label, serial, address;
};

static struct made made[FILES][DEVICES];
static uint32_t seed;

static uint32_t
any(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void
make_device(uint32_t file, uint32_t i)
{
	made[file][i] = (struct made){ .there = any(8) != 0, .class = any(CLASSES), .mac = any(300) == 0 ? 7 : file * 50 + i + 1,
		.label = any(6), .serial = any(5) == 0 ? 0 : any(30), .address = any(5) };
}

static void
put_device(FILE *out, uint32_t file, uint32_t i, bool csv)
{
	const struct made *d = &made[file][i];
	char address[64] = "", certificate[192] = "", newer[16] = "";

	if (!d->there)
		return;
	if (d->address > 0)
		snprintf(address, sizeof(address), "10.%u.%u.%u", d->address, file, i + 1);
	if (csv) {
		if (d->serial > 0 && d->label == 1)
			snprintf(newer, sizeof(newer), ";%u", d->serial + 100);
		fprintf(out, "d-%u-%u,c%u,02:00:00:00:00:%02x,%s,%s,%.0u%s,%s,%s\n", i, file, d->class, d->mac, address,
		    d->serial == 0 ? "" : "ca", d->serial == 0 ? 0 : d->serial + 16, newer, d->label > 2 ? "blue" : "",
		    d->label == 5 ? "yes" : "");
		return;
	}
	if (d->serial > 0)
		snprintf(certificate, sizeof(certificate), d->label == 1 ? "certificate = ( { authority = \"ca\"; serial = \"%u\"; }, "
		    "{ authority = \"ca\"; serial = \"%u\"; } );" : "certificate = { authority = \"ca\"; serial = \"%u\"; };",
		    d->serial + 16, d->serial + 100);
	fprintf(out, "{ name = \"d-%u-%u\"; class = \"c%u\"; mac = \"02:00:00:00:00:%02x\"; %s%s%s %s %s %s },\n", i, file, d->class, d->mac,
	    d->address > 0 ? "address = \"" : "", address, d->address > 0 ? "\";" : "", certificate,
	    d->label > 2 ? "labels = [ \"blue\", \"c1\" ]; interface = \"lan0\";" : "",
	    d->label == 5 ? "critical = true;" : "");
}

static void
put_devices(uint32_t file, const char *also)
{
	char name[32], *text;
	bool csv = file == 4;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fputs(csv ? "name,class,mac,address,authority,serial,labels,critical\n" : "devices = (\n", out);
	for (uint32_t i = 0; i < DEVICES; i++)
		put_device(out, file, i, csv);
	if (!csv)
		fprintf(out, "{ name = \"last-%u\"; class = \"c0\"; mac = \"02:00:00:00:01:%02x\"; } );\n%s", file, file, also);
	fclose(out);
	snprintf(name, sizeof(name), "devices.d/%c.%s", (int)('e' - file), csv ? "csv" : "conf");
	folder_put(&f, name, text);
	free(text);
}

static void
put_classes(uint32_t port)
{
	char text[1024];

	snprintf(text, sizeof(text), "groups = ( { name = \"g\"; to = (\"192.0.2.0/24\", \"198.51.100.1\"); } );\n"
	    "classes = (\n{ name = \"c0\"; extends = \"base\"; allow = ( { to = \"group:g\"; tcp = %u; } ); },\n"
	    "{ name = \"c1\"; allow = ( { to = \"class:c2\"; udp = 7; } ); },\n"
	    "{ name = \"base\"; allow = \"nothing\"; quarantine = ( { to = \"192.0.2.81\"; tcp = 80; } ); inbound = ( { from = \"203.0.113.9\"; tcp = 554; } ); },\n"
	    "{ name = \"c2\"; allow = ( { to = \"www.example.org\"; tcp = 443; } ); },\n"
	    "{ name = \"c3\"; extends = \"base\"; allow = \"nothing\"; quarantine = ( { to = \"192.0.2.82\"; udp = 69; } ); },\n"
	    "{ name = \"limited\"; allow = \"nothing\"; } );\n", port);
	folder_put(&f, "classes.d/all.conf", text);
}

static void
put_appliance(const char *also)
{
	char text[1024];

	snprintf(text, sizeof(text), "appliance: { device_interfaces = [ \"lan1\", \"lan0\" ]; "
	    "quarantine = { allow = ( { to = \"192.0.2.80\"; tcp = 443; } ); }; };\n"
	    "authorities = ( { name = \"ca\"; certificate = \"ca.pem\"; when_stale = \"restrict\"; restrict_class = \"limited\"; "
	    "crl = ( { url = ( \"http://a.example/x\", \"http://b.example/x\" ); delta = \"http://a.example/d\"; "
	    "proxy = \"http://c.example\"; }, \"http://d.example/x\" ); ocsp = { url = \"http://e.example\"; }; } );\n%s", also);
	folder_put(&f, "cordon.conf", text);
}

static void
put_certificate(const char *which)
{
	char path[512], name[64];
	uint8_t *data;
	size_t len;

	snprintf(name, sizeof(name), "tests/golden/policy/full/pki/%s", which);
	assert_int_equal(file_read_at(AT_FDCWD, source_path(name, path, sizeof(path)), 65536, &data, &len), 0);
	folder_put_bytes(&f, "ca.pem", data, len);
	free(data);
}

static int
setup(void **state)
{
	(void)state;
	folder_make(&f);
	now = NOW;
	seed = 1;
	put_certificate("factory-ca.pem");
	put_appliance("");
	put_classes(443);
	memset(made, 0, sizeof(made));
	for (uint32_t file = 0; file < FILES; file++) {
		for (uint32_t i = 0; i < DEVICES; i++)
			made[file][i] = (struct made){ .there = true, .class = i % CLASSES, .mac = file * 50 + i + 1,
				.address = 1 };
		put_devices(file, "");
	}
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	folder_remove(&f);
	return 0;
}

static struct compiled
first(void)
{
	struct compiled c;

	whole(NULL, &c);
	assert_int_equal(c.rc, 0);
	return c;
}

/* ---- tests -------------------------------------------------------------- */

static void
test_random_changes(void **state)
{
	struct compiled last;
	unsigned possible = 0;

	(void)state;
	last = first();
	for (uint32_t round = 0; round < 600; round++) {
		uint32_t file = any(FILES), changes = 1 + any(3);

		seed = round * 7919;
		while (changes-- > 0)
			make_device(file, any(DEVICES));
		put_devices(file, "");
		if (any(3) == 0)
			put_devices(any(FILES), "");
		if (any(20) == 0)
			put_classes(443 + any(3));
		possible += both(&last);
	}
	assert_in_range(possible, 200, 590);
	compiled_done(&last);
}

static void
test_nothing_changed(void **state)
{
	struct compiled last;

	(void)state;
	last = first();
	assert_true(both(&last));
	assert_true(both(&last));
	compiled_done(&last);
}

/* Whatever else changes is read from the beginning. */
static void
test_other_changes(void **state)
{
	struct compiled last;

	(void)state;
	last = first();
	put_classes(444);
	assert_false(both(&last));
	assert_true(both(&last));
	put_appliance("# a comment\n");
	assert_false(both(&last));
	put_certificate("silent-ca.pem");
	assert_false(both(&last));
	put_devices(2, "# another\n");
	assert_true(both(&last));
	put_devices(2, "classes = ( { name = \"own\"; allow = \"nothing\"; } );\n");
	assert_false(both(&last));
	made[2][0].class = 1;	/* and the file holds more than devices now */
	put_devices(2, "classes = ( { name = \"own\"; allow = \"nothing\"; } );\n");
	assert_false(both(&last));
	put_devices(2, "");	/* and now it does not */
	assert_false(both(&last));
	made[1][3].class = 3;
	put_devices(1, "");
	assert_true(both(&last));
	folder_put(&f, "devices.d/new.conf", "devices = ( { name = \"n\"; class = \"c0\"; mac = \"02:00:00:00:02:01\"; } );");
	assert_false(both(&last));
	unlinkat(f.fd, "devices.d/new.conf", 0);
	assert_false(both(&last));
	compiled_done(&last);
}

/* A warning stays, comes and goes as if all were read. */
static void
test_warnings(void **state)
{
	struct compiled last;

	(void)state;
	put_appliance("services = ();\nschedules = ();\n");
	last = first();
	made[0][0].serial = made[3][5].serial = 9;	/* one certificate, two devices */
	put_devices(0, "");
	put_devices(3, "");
	assert_true(both(&last));
	assert_true(both(&last));
	made[3][5].serial = 8;
	put_devices(3, "");
	assert_true(both(&last));
	for (uint32_t file = 0; file < FILES; file++) {
		for (uint32_t i = 0; i < DEVICES; i++)
			made[file][i].class = made[file][i].class == 3 ? 0 : made[file][i].class;
		put_devices(file, "");
		assert_true(both(&last));	/* the last of c3 goes */
	}
	folder_put(&f, "devices.d/notes.txt", "");
	assert_false(both(&last));
	folder_put(&f, "devices.d/empty.csv", "");
	assert_false(both(&last));
	compiled_done(&last);
}

/* Mistakes are told by who reads everything. */
static void
test_mistakes(void **state)
{
	struct compiled last;

	(void)state;
	last = first();
	made[0][0].mac = made[3][3].mac;
	put_devices(0, "");
	assert_false(both(&last));
	made[0][0].mac = 1;
	put_devices(0, "devices_ = ();\n");
	assert_false(both(&last));
	folder_put(&f, "devices.d/e.conf", "devices = ( { name = \"d-1-3\"; class = \"c0\"; mac = \"02:00:00:00:03:01\"; } );\n");
	assert_false(both(&last));	/* a name of another file */
	folder_put(&f, "devices.d/e.conf", "devices = ( { name = \"z\"; class = \"c9\"; mac = \"02:00:00:00:03:01\"; } );\n");
	assert_false(both(&last));
	folder_put(&f, "devices.d/e.conf", "devices = ( { name = \"z\"; class = \"c1\"; mac = \"02:00:00:00:03:01\"; } );\n");
	assert_true(both(&last));
	compiled_done(&last);
}

/* What is written out from today on is another tomorrow. */
static void
test_schedules(void **state)
{
	struct compiled last;

	(void)state;
	put_appliance("schedules = ( { name = \"night\"; days = \"daily\"; from = \"01:00\"; to = \"03:00\"; "
	    "zone = \"Europe/Berlin\"; } );\n");
	last = first();
	assert_true(both(&last));
	now += DAY;
	assert_false(both(&last));
	assert_true(both(&last));
	compiled_done(&last);
}

/* Certificate files of devices are not looked at again one by one. */
static void
test_certificate_files(void **state)
{
	struct compiled last;
	char path[512];
	uint8_t *data;
	size_t len;

	(void)state;
	assert_int_equal(file_read_at(AT_FDCWD, source_path("tests/golden/policy/full/pki/sensor-2.pem", path, sizeof(path)),
	    65536, &data, &len), 0);
	folder_put_bytes(&f, "leaf.pem", data, len);
	free(data);
	folder_put(&f, "devices.d/e.conf", "devices = ( { name = \"z\"; class = \"c1\"; mac = \"02:00:00:00:03:01\"; "
	    "certificate = { file = \"leaf.pem\"; }; } );\n");
	last = first();
	assert_int_equal(last.im.n[IMAGE_FILES], 0);
	assert_false(both(&last));
	compiled_done(&last);
}

/* So are those that stand in the text: whose they are, only all files together say. */
static void
test_certificate_in_text(void **state)
{
	struct compiled last;
	char path[512], text[8192];
	size_t len, at = 0;
	uint8_t *data;

	(void)state;
	assert_int_equal(file_read_at(AT_FDCWD, source_path("tests/golden/policy/full/pki/sensor-2.pem", path, sizeof(path)),
	    65536, &data, &len), 0);
	at += (size_t)snprintf(text, sizeof(text), "devices = ( { name = \"z\"; class = \"c1\"; mac = \"02:00:00:00:03:01\"; "
	    "certificate = \"");
	for (size_t i = 0; i < len; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, data[i] == '\n' ? "\\n" : "%c", data[i]);
	free(data);
	snprintf(text + at, sizeof(text) - at, "\"; } );\n");
	folder_put(&f, "devices.d/e.conf", "devices = ( );\n");
	last = first();
	assert_true(both(&last));
	folder_put(&f, "devices.d/e.conf", text);
	assert_false(both(&last));
	assert_int_equal(image_device_named(&last.im, "z")->certificates.n, 1);
	compiled_done(&last);
}

/* What is said of an authority's certificate depends on the day. */
static void
test_expired(void **state)
{
	struct compiled last;
	char path[512];
	uint8_t *data;
	size_t len;

	(void)state;
	assert_int_equal(file_read_at(AT_FDCWD, source_path("tests/golden/policy/revocation/pki/expired-ca.pem", path,
	    sizeof(path)), 65536, &data, &len), 0);
	folder_put_bytes(&f, "ca.pem", data, len);
	free(data);
	now = 1760000000;	/* in 2025: it is good until 2026 */
	last = first();
	assert_true(both(&last));
	now = NOW;
	assert_false(both(&last));
	assert_false(both(&last));
	now = 1760000000;
	assert_false(both(&last));
	assert_true(both(&last));
	compiled_done(&last);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_random_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_warnings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mistakes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_schedules, setup, teardown),
		cmocka_unit_test_setup_teardown(test_certificate_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_certificate_in_text, setup, teardown),
		cmocka_unit_test_setup_teardown(test_expired, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
