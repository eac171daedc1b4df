/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_describe_revocation.c -- every key about revocation that changes is told in
 * words: one line for one change, and none for what stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/describe.h"
#include "sample.h"

static char told[16384];

static int
on_line(void *arg, const struct described *d)
{
	size_t at = strlen(told);

	(void)arg;
	snprintf(told + at, sizeof(told) - at, "%c %s|%s\n", "+-~"[d->sign], d->name, d->text);
	return 0;
}

static struct authority_decl *
line(struct policy *p)
{
	return &p->authorities[1];
}

static void
set_text(char **text, const char *value)
{
	free(*text);
	*text = value != NULL ? strdup(value) : NULL;
}

/* ---- changes ------------------------------------------------------------ */

static void nothing(struct policy *p) { line(p)->where.line += 7; }
static void refresh(struct policy *p) { line(p)->refresh_s = 60; }
static void skew(struct policy *p) { line(p)->skew_s = 0; }
static void grace(struct policy *p) { line(p)->grace_s = 7200; }
static void max_age(struct policy *p) { line(p)->max_age_s = 90; }
static void unchecked(struct policy *p) { line(p)->when_unchecked = WHEN_STALE_QUARANTINE; }
static void restricted(struct policy *p) { set_text(&line(p)->restrict_class, "gateway"); }
static void rollover(struct policy *p) { line(p)->flags |= AUTHORITY_ROLLOVER_SHARED; }
static void hold(struct policy *p) { line(p)->flags = 0; }
static void sha1(struct policy *p) { line(p)->flags |= AUTHORITY_SHA1; }
static void own(struct policy *p) { line(p)->issuers[1].der[4] ^= 1; }
static void asked(struct policy *p) { line(p)->ocsp.devices = OCSP_ALL; }
static void responder(struct policy *p) { set_text(&line(p)->ocsp.url, "http://other.example"); }
static void asked_often(struct policy *p) { line(p)->ocsp.refresh_s = 120; }
static void answer_age(struct policy *p) { line(p)->ocsp.max_age_s = 7200; }
static void nonce(struct policy *p) { line(p)->ocsp.need_nonce = true; }
static void unknown(struct policy *p) { line(p)->ocsp.unknown = WHEN_STALE_QUARANTINE; }
static void mirror(struct policy *p) { sample_mirror(&line(p)->sources[0], "http://third.example/x"); }
static void covers(struct policy *p) { line(p)->sources[0].flags = 0; }
static void source_refresh(struct policy *p) { line(p)->sources[0].refresh_s = 600; }
static void size(struct policy *p) { line(p)->sources[0].max_bytes = 1 << 20; }
static void timeout(struct policy *p) { line(p)->sources[0].timeout_s = 60; }
static void pin(struct policy *p) { set_text(&line(p)->sources[0].pin, NULL); }
static void proxy(struct policy *p) { set_text(&line(p)->sources[0].proxy, NULL); }
static void no_proxy(struct policy *p) { set_text(&line(p)->sources[0].no_proxy, NULL); }
static void hosts(struct policy *p) { set_text(&line(p)->sources[0].hosts, "b.example"); }
static void another(struct policy *p) { sample_source(line(p), "http://new.example/x"); }
static void critical(struct policy *p) { p->devices[0].critical = false; }
static void newer(struct policy *p) { sample_certificate(&p->devices[1], "line-ca", 0x60); }
static void brake(struct policy *p) { p->appliance.brake_devices = 5; }
static void common(struct policy *p) { sample_quarantine(p, "192.0.2.88", 88); }
static void remedy(struct policy *p) { sample_remedy(&p->classes[1], "192.0.2.89", 89); }

static void
no_ocsp(struct policy *p)
{
	free(line(p)->ocsp.url);
	line(p)->ocsp = (struct ocsp_decl){ .devices = OCSP_OFF };
}

static void
no_stale(struct policy *p)
{
	line(p)->when_stale = WHEN_STALE_KEEP;
	set_text(&line(p)->restrict_class, NULL);
}

static void
ca(struct policy *p)
{
	struct source_decl *s = &line(p)->sources[0];

	s->ca_der = calloc(1, 5);
	s->ca_der_len = 5;
}

static void
no_remedy(struct policy *p)
{
	rule_done(&p->classes[0].quarantine[0]);
	p->classes[0].n_quarantine = 0;
}

#define URL "http://pki.example/line.crl: "
#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void
test_changes(void **state)
{
	static const struct {
		void (*change)(struct policy *);
		const char *want;
	} rows[] = {
		{ nothing, "" },
		{ refresh, "~ line-ca|refresh: 1h -> 1m\n" },
		{ skew, "~ line-ca|skew: 5m -> 0s\n" },
		{ grace, "~ line-ca|grace: 1d -> 2h\n" },
		{ max_age, "~ line-ca|max_age: 1d -> 90s\n" },
		{ unchecked, "~ line-ca|when_unchecked: keep -> quarantine\n" },
		{ restricted, "~ line-ca|restrict_class: limited -> gateway\n" },
		{ no_stale, "~ line-ca|when_stale: restrict -> keep\n~ line-ca|restrict_class: limited -> none\n" },
		{ rollover, "~ line-ca|rollover: per-key -> shared\n" },
		{ hold, "~ line-ca|hold: manual -> automatic\n" },
		{ sha1, "~ line-ca|sha1: false -> true\n" },
		{ own, "- line-ca|no longer that certificate\n+ line-ca|another certificate\n" },
		{ asked, "~ line-ca|ocsp: asks about: critical devices -> all devices\n" },
		{ responder, "~ line-ca|ocsp: url: http://ocsp.example -> http://other.example\n" },
		{ asked_often, "~ line-ca|ocsp: refresh: 1m -> 2m\n" },
		{ answer_age, "~ line-ca|ocsp: max_age: 1h -> 2h\n" },
		{ nonce, "~ line-ca|ocsp: nonce: wanted -> needed\n" },
		{ unknown, "~ line-ca|ocsp: unknown: keep -> quarantine\n" },
		{ no_ocsp, "~ line-ca|ocsp: asks about: critical devices -> nobody\n"
		    "~ line-ca|ocsp: url: http://ocsp.example -> none\n" },
		{ mirror, "+ line-ca|" URL "is mirrored at http://third.example/x\n" },
		{ covers, "~ line-ca|" URL "covers: all -> auto\n" },
		{ source_refresh, "~ line-ca|" URL "refresh: 1h -> 10m\n" },
		{ size, "~ line-ca|" URL "max_size: 64M -> 1M\n" },
		{ timeout, "~ line-ca|" URL "timeout: 5m -> 1m\n" },
		{ pin, "~ line-ca|" URL "pin: " PIN " -> none\n" },
		{ proxy, "~ line-ca|" URL "proxy: http://proxy.example:3128 -> none\n" },
		{ no_proxy, "~ line-ca|" URL "no_proxy: pki.example -> none\n" },
		{ hosts, "~ line-ca|" URL "hosts: cdn.example -> b.example\n" },
		{ ca, "~ line-ca|" URL "another ca vouches for its server\n" },
		{ another, "+ line-ca|reads its CRL at http://new.example/x\n" },
		{ critical, "~ sensor-1|no longer critical\n" },
		{ newer, "~ sensor-2|certificates: 1 -> 2\n" },
		{ brake, "~ |brake: devices: 32 -> 5\n" },
		/* That of all is told once, not for each class again. */
		{ common, "+ quarantine|allows 192.0.2.88: tcp 88\n" },
		{ remedy, "+ gateway|allows in quarantine 192.0.2.89: tcp 89\n" },
		{ no_remedy, "- sensor|no longer allows in quarantine 192.0.2.81: tcp 80\n"
		    "- sub-sensor|no longer allows in quarantine 192.0.2.81: tcp 80\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct policy *p = sample_revocation(), *q = sample_revocation();
		struct image old, next;
		uint8_t *a, *b;
		size_t len;

		rows[i].change(q);
		old = sample_image(p, NULL, &a, &len);
		next = sample_image(q, &old, &b, &len);
		told[0] = '\0';
		assert_int_equal(describe_policies(&old, &next, on_line, NULL), 0);
		assert_string_equal(told, rows[i].want);
		policy_free(p);
		policy_free(q);
		free(a);
		free(b);
	}
}

/* With nothing before it, everything comes, and classes of quarantine are none. */
static void
test_from_nothing(void **state)
{
	struct policy *p = sample_revocation();
	struct image im;
	uint8_t *a;
	size_t len;

	(void)state;
	im = sample_image(p, NULL, &a, &len);
	told[0] = '\0';
	assert_int_equal(describe_policies(NULL, &im, on_line, NULL), 0);
	assert_non_null(strstr(told, "+ line-ca|new authority\n"));
	assert_non_null(strstr(told, "+ sensor|allows in quarantine 192.0.2.81: tcp 80\n"));
	assert_null(strstr(told, "sensor/quarantine"));
	policy_free(p);
	free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_from_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
