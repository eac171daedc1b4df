/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ctl_check.c -- crl check against the running policy: where its devices
 * stand already counts, and how much of the brake is used. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include <unistd.h>

#include "common/clock.h"
#include "crl_make.h"
#include "ctl/ctl.h"
#include "ctl_world.h"

#define KU_CRL 0x0002	/* cRLSign */

/* Of test certificates, which are valid now and tomorrow. */
static const char *
utc(int64_t seconds, char buf[16])
{
	struct clock_view now;
	char text[RFC3339_STRLEN];

	clock_now(&now);
	clock_format(now.wall_ms + seconds * 1000, text);
	snprintf(buf, 16, "%.2s%.2s%.2s%.2s%.2s%.2sZ", text + 2, text + 5, text + 8, text + 11, text + 14, text + 17);
	return buf;
}

struct ca {
	EVP_PKEY *key;
	struct bytes name;
};

static char path[] = "/tmp/cordon-check-XXXXXX";

/* sample_full, with a real CA: sensor-1 has its serial 4f, sensor-2 its 50. */
static struct world *
world_with(struct ca *ca, const char *kind)
{
	struct policy *p = sample_full();
	struct issuer_decl *issuer = &p->authorities[0].issuers[0];
	struct bytes certificate = { 0 };
	struct world *w;
	int fd;

	assert_non_null(ca->key = make_key(kind));
	make_name(&ca->name, 0x0c, "Factory", "CA");
	make_certificate(ca->key, &ca->name, KU_CRL, &certificate);
	free(issuer->der);
	issuer->der = certificate.p;
	issuer->der_len = certificate.n;
	p->devices[1].critical = true;
	w = world_of(p);
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	assert_true((fd = mkstemp(path)) >= 0);
	close(fd);
	return w;
}

static void
done(struct world *w, struct ca *ca)
{
	void *state = w;

	unlink(path);
	EVP_PKEY_free(ca->key);
	bytes_free(&ca->name);
	world_tear_down(&state);
}

static void
entry(struct bytes *entries, uint8_t serial, int reason)
{
	make_entry(entries, &serial, 1, "260101000000Z", reason);
}

static void
publish(const struct ca *ca, const char *alg, const struct bytes *entries, int64_t from, int64_t to)
{
	char time[2][16];
	struct make m = { .key = ca->key, .alg = alg, .name = &ca->name, .this_update = utc(from, time[0]),
		.next_update = utc(to, time[1]), .entries = entries };
	struct bytes crl = { 0 };
	FILE *f = fopen(path, "w");

	make_crl(&m, &crl);
	assert_non_null(f);
	assert_int_equal(fwrite(crl.p, 1, crl.n, f), crl.n);
	fclose(f);
	bytes_free(&crl);
}

static void
test_running(void **state)
{
	struct bytes entries = { 0 };
	struct ca ca = { 0 };
	struct world *w = world_with(&ca, "P-256");

	(void)state;
	entry(&entries, 0x4f, 1);
	entry(&entries, 0x50, -1);
	entry(&entries, 0x51, -1);
	publish(&ca, "ecdsa-sha256", &entries, -600, 86400);
	assert_int_equal(RUN("crl", "check", path), EXIT_DONE);
	has(w->out, ": usable, fresh\n");
	has(w->out, "issuer       CN=CA,O=Factory\n");
	has(w->out, "devices      of the running policy: ");
	has(w->out, "  would quarantine 2: sensor-1 (keyCompromise), sensor-2 (unspecified)\n");
	has(w->out, "  of these 1 would wait for a person: critical\n");
	assert_int_equal(RUN("crl", "check", path, "--json"), EXIT_DONE);
	says_string(w, "verdict", "usable");
	says_string(w, "authority", "factory-ca");
	says_number(w, "effects.quarantine", 2);
	says_number(w, "effects.waiting", 1);
	says_string(w, "effects.of", "the running policy");
	publish(&ca, "ecdsa-sha256", &entries, -10 * 86400, -3 * 86400);
	assert_int_equal(RUN("crl", "check", path), EXIT_DIFFERS);
	has(w->out, ": revokes only, expired\n");
	has(w->out, "would quarantine 2");
	bytes_free(&entries);
	done(w, &ca);
}

/* Who is in quarantine already is no news, and fills no brake. */
static void
test_standings_and_brake(void **state)
{
	struct bytes entries = { 0 };
	struct ca ca = { 0 };
	struct world *w = world_with(&ca, "P-256");
	struct snapshot_device *s = fake_device(&w->fake, index_of(w, "sensor-1"));

	(void)state;
	entry(&entries, 0x4f, 1);
	publish(&ca, "ecdsa-sha256", &entries, -600, 86400);
	w->fake.status.brake_devices = 4;
	w->fake.status.brake_used = 4;
	w->fake.status.brake_within_s = 60;
	assert_int_equal(RUN("crl", "check", path, "--json"), EXIT_DONE);
	says_number(w, "effects.quarantine", 1);
	says_number(w, "effects.waiting", 1);
	again(w);
	w->fake.status.brake_used = 3;
	assert_int_equal(RUN("crl", "check", path, "--json"), EXIT_DONE);
	says_number(w, "effects.waiting", 0);
	again(w);
	s->cause = CAUSE_REVOKED;
	s->where = STATION_QUARANTINED;
	s->authority = w->im.authorities[0].number;
	s->crl_reason = 1;
	assert_int_equal(RUN("crl", "check", path, "--json"), EXIT_DONE);
	says_number(w, "effects.quarantine", 0);
	says_number(w, "effects.already", 1);
	bytes_free(&entries);
	done(w, &ca);
}

/* A hold that is no longer listed ends; keyCompromise does not. */
static void
test_clears_a_hold_only(void **state)
{
	struct bytes entries = { 0 };
	struct ca ca = { 0 };
	struct world *w = world_with(&ca, "P-256");
	struct snapshot_device *s = fake_device(&w->fake, index_of(w, "sensor-1"));

	(void)state;
	s->cause = CAUSE_REVOKED;
	s->where = STATION_QUARANTINED;
	s->authority = w->im.authorities[0].number;
	s->crl_reason = 6;
	publish(&ca, "ecdsa-sha256", &entries, -600, 86400);
	assert_int_equal(RUN("crl", "check", path, "--json"), EXIT_DONE);
	says_number(w, "effects.clear", 1);
	says_string(w, "effects.devices.0.device", "sensor-1");
	publish(&ca, "ecdsa-sha256", &entries, -10 * 86400, -3 * 86400);
	assert_int_equal(RUN("crl", "check", path, "--json"), EXIT_DIFFERS);
	says_number(w, "effects.clear", 0);
	publish(&ca, "ecdsa-sha256", &entries, -600, 86400);
	again(w);
	s->crl_reason = 1;
	assert_int_equal(RUN("crl", "check", path, "--json"), EXIT_DONE);
	says_number(w, "effects.clear", 0);
	done(w, &ca);
}

/* Signed over the message itself: it is held for that. */
static void
test_ed25519(void **state)
{
	struct bytes entries = { 0 };
	struct ca ca = { 0 };
	struct world *w = world_with(&ca, "ED25519");
	unsigned i;

	(void)state;
	for (i = 0; i < 5000; i++)
		entry(&entries, (uint8_t)(0x60 + i % 16), -1);
	entry(&entries, 0x4f, -1);
	publish(&ca, "ed25519", &entries, -600, 86400);
	assert_int_equal(RUN("crl", "check", path), EXIT_DONE);
	has(w->out, "5,001 entries");
	has(w->out, "would quarantine 1: sensor-1 (unspecified)");
	bytes_free(&entries);
	done(w, &ca);
}

static void
test_of_nobody(void **state)
{
	struct ca ca = { 0 }, other = { 0 };
	struct world *w = world_with(&ca, "P-256");

	(void)state;
	assert_non_null(other.key = make_key("P-256"));
	make_name(&other.name, 0x0c, "Factory", "CA");
	publish(&other, "ecdsa-sha256", NULL, -600, 86400);
	assert_int_equal(RUN("crl", "check", path), EXIT_MISTAKES);
	has(w->out, ": REFUSED, E_SIG");
	has_not(w->out, "devices ");
	assert_int_equal(RUN("crl", "check", path, "/nonexistent"), EXIT_UNDETERMINED);
	EVP_PKEY_free(other.key);
	bytes_free(&other.name);
	done(w, &ca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_running), cmocka_unit_test(test_standings_and_brake),
		cmocka_unit_test(test_clears_a_hold_only), cmocka_unit_test(test_ed25519), cmocka_unit_test(test_of_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
