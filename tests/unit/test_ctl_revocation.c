/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ctl_revocation.c -- the commands about revocation against a process that
 * plays cordond: what they ask for, what they print, their JSON, their exit codes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/file.h"
#include "ctl/ctl.h"
#include "ctl/rebind.h"
#include "ctl/stand.h"
#include "ctl/view.h"
#include "ctl_world.h"

static char asked_path[] = "/tmp/cordon-asked-XXXXXX";

static int
set_up(void **state)
{
	struct world *w;
	int fd;

	world_set_up(state);
	w = *state;
	memcpy(asked_path + sizeof(asked_path) - 7, "XXXXXX", 6);
	assert_true((fd = mkstemp(asked_path)) >= 0);
	close(fd);
	w->fake.asked = asked_path;
	return 0;
}

static int
tear_down(void **state)
{
	unlink(asked_path);
	return world_tear_down(state);
}

static struct fake_asked
asked(struct world *w, unsigned nth, uint32_t type)
{
	struct fake_asked a;

	assert_true(fake_asked(&w->fake, nth, &a));
	assert_int_equal(a.type, type);
	return a;
}

static void
asked_nothing(struct world *w, unsigned before)
{
	struct fake_asked a;

	assert_false(fake_asked(&w->fake, before, &a));
}

static struct snapshot_device *
station(struct world *w, const char *name)
{
	return fake_device(&w->fake, index_of(w, name));
}

/* ---- quarantine and release --------------------------------------------- */

static void
test_quarantine_and_release(void **state)
{
	struct world *w = *state;
	struct fake_asked a;
	char words[256];

	assert_int_equal(RUN("device", "quarantine", "sensor-2", "--reason", "noisy"), EXIT_DONE);
	has(w->out, "device sensor-2 is quarantined, because: operator");
	a = asked(w, 0, MSG_CTL_STAND);
	assert_int_equal(a.stand.what, STAND_QUARANTINE);
	assert_int_equal(a.stand.n, 1);
	assert_int_equal(a.numbers[0], image_device_named(&w->im, "sensor-2")->number);
	assert_string_equal(a.stand.words, "noisy");
	assert_int_equal(RUN("device", "show", "sensor-2", "--json"), EXIT_DONE);
	says_string(w, "words", "noisy");
	says_string(w, "operator.words", "noisy");
	assert_int_equal(RUN("device", "release", "sensor-2"), EXIT_USAGE);
	has(w->err, "--reason \"...\" is needed");
	assert_int_equal(RUN("device", "release", "sensor-2", "--reason", "looked at", "--json"), EXIT_DONE);
	says_string(w, "station", "enforced");
	says_number(w, "changed", 1);
	a = asked(w, 1, MSG_CTL_STAND);
	assert_int_equal(a.stand.what, STAND_RELEASE);
	assert_int_equal(a.stand.causes, CAUSE_OPERATOR);
	memset(words, 'x', sizeof(words));
	words[199] = '\0';
	assert_int_equal(RUN("device", "quarantine", "sensor-2", "--reason", words), EXIT_DONE);
	words[199] = 'x';
	words[200] = '\0';
	assert_int_equal(RUN("device", "quarantine", "sensor-2", "--reason", words), EXIT_USAGE);
	assert_int_equal(RUN("device", "quarantine", "sensor-2", "--reason", "a\nb"), EXIT_USAGE);
	assert_int_equal(RUN("device", "quarantine"), EXIT_USAGE);
	has(w->err, "which devices?");
	assert_int_equal(RUN("device", "quarantine", "sensor-2", "--label", "batch-2026-07"), EXIT_USAGE);
	asked_nothing(w, 3);
}

/* All or none: a wrong name must not leave half a batch done. */
static void
test_several_in_one_transaction(void **state)
{
	struct world *w = *state;
	struct fake_asked a;

	assert_int_equal(RUN("device", "quarantine", "sensor-1", "sensor-7"), EXIT_MISTAKES);
	has(w->err, "did you mean \"sensor-1\"?");
	asked_nothing(w, 0);
	assert_int_equal(RUN("device", "quarantine", "sensor-2", "alpha", "sensor-2"), EXIT_DONE);
	has(w->out, "2 devices, 2 of them changed, in one transaction\n");
	a = asked(w, 0, MSG_CTL_STAND);
	assert_int_equal(a.stand.n, 2);
	assert_int_not_equal(a.numbers[0], a.numbers[1]);
	assert_int_equal(RUN("device", "release", "sensor-2", "alpha", "--reason", "done", "--json"), EXIT_DONE);
	says_number(w, "changed", 2);
	says_string(w, "devices.1.station", "enforced");
}

static void
test_until(void **state)
{
	struct world *w = *state;
	struct clock_view now;
	struct fake_asked a;

	clock_now(&now);
	assert_int_equal(RUN("device", "quarantine", "sensor-2", "--until", "12h"), EXIT_DONE);
	a = asked(w, 0, MSG_CTL_STAND);
	assert_true(a.stand.until >= now.wall_ms + 12 * 3600000LL && a.stand.until < now.wall_ms + 13 * 3600000LL);
	has(w->out, ", until 20");
	assert_int_equal(RUN("device", "revoke", "sensor-2", "--until", "2097-01-31T12:00:00Z"), EXIT_DONE);
	a = asked(w, 1, MSG_CTL_STAND);
	assert_true(a.stand.until == 4010472000000LL);
	assert_int_equal(RUN("device", "quarantine", "sensor-2", "--until", "2020-01-31T12:00:00Z"), EXIT_USAGE);
	has(w->err, "over already");
	assert_int_equal(RUN("device", "quarantine", "sensor-2", "--until", "0s"), EXIT_USAGE);
	assert_int_equal(RUN("device", "quarantine", "sensor-2", "--until", "soon"), EXIT_USAGE);
	assert_int_equal(RUN("device", "quarantine", "sensor-2", "--until", "99999999999d"), EXIT_USAGE);
	asked_nothing(w, 2);
}

static void
test_revoked_stays(void **state)
{
	struct world *w = *state;
	struct snapshot_device *s = station(w, "sensor-2");
	struct fake_asked a;

	s->cause = CAUSE_REVOKED;
	s->where = STATION_QUARANTINED;
	assert_int_equal(RUN("device", "release", "sensor-2", "--reason", "x"), EXIT_DIFFERS);
	has(w->err, "stays quarantined, because: revoked");
	a = asked(w, 0, MSG_CTL_STAND);
	assert_int_equal(a.stand.causes, CAUSE_OPERATOR);
	assert_int_equal(RUN("device", "release", "sensor-2", "--reason", "the CA erred", "--revoked"), EXIT_DONE);
	has(w->err, "your word against that of the CA");
	a = asked(w, 1, MSG_CTL_STAND);
	assert_int_equal(a.stand.causes, CAUSE_OPERATOR | CAUSE_REVOKED);
	again(w);
	w->fake.obeys = false;
	w->fake.stood = (struct ctl_stood){ .error = EPERM, .causes = CAUSE_REVOKED };
	assert_int_equal(RUN("device", "release", "sensor-2", "--reason", "x"), EXIT_MISTAKES);
	has(w->err, "device \"sensor-2\" stays quarantined, because: revoked; nothing was done");
}

static void
refused_with(struct world *w, uint32_t error, int exit, const char *because)
{
	again(w);
	w->fake.stood.error = error;
	assert_int_equal(RUN("device", "quarantine", "sensor-2"), exit);
	has(w->err, because);
}

static void
test_refusals_are_told(void **state)
{
	struct world *w = *state;

	w->fake.obeys = false;
	refused_with(w, EBUSY, EXIT_MISTAKES, "busy");
	refused_with(w, ENOENT, EXIT_MISTAKES, "no longer in the running policy");
	refused_with(w, EIO, EXIT_MISTAKES, "would not survive a restart");
	refused_with(w, ENOSPC, EXIT_MISTAKES, "at most 4096 revoked serials");
	refused_with(w, 70000, EXIT_MISTAKES, "makes no sense");
	again(w);
	w->fake.stood.error = EALREADY;
	station(w, "sensor-2")->cause = CAUSE_OPERATOR;
	station(w, "sensor-2")->where = STATION_QUARANTINED;
	assert_int_equal(RUN("device", "quarantine", "sensor-2"), EXIT_DONE);
	has(w->out, "device sensor-2 was quarantined before");
	assert_int_equal(RUN("device", "release", "sensor-2", "--reason", "x"), EXIT_DIFFERS);
}

/* ---- revoke ------------------------------------------------------------- */

static void
test_revoke(void **state)
{
	struct world *w = *state;
	struct fake_asked a;

	assert_int_equal(RUN("device", "revoke", "sensor-1", "--reason", "keyCompromise", "--words", "stolen"), EXIT_DONE);
	a = asked(w, 0, MSG_CTL_STAND);
	assert_int_equal(a.stand.what, STAND_REVOKE);
	assert_int_equal(a.stand.reason, 1);
	assert_string_equal(a.stand.words, "stolen");
	assert_int_equal(RUN("device", "revoke", "sensor-1", "--reason", "stolen"), EXIT_USAGE);
	has(w->err, "one of unspecified, keyCompromise");
	assert_int_equal(RUN("device", "revoke", "sensor-1", "--reason", "removeFromCRL"), EXIT_USAGE);
	assert_int_equal(RUN("device", "revoke"), EXIT_USAGE);
	asked_nothing(w, 1);
}

/* A policy with a batch of devices; its world. */
static void
batch_of(struct world **w, unsigned n)
{
	struct policy *p = sample_full();
	struct device_decl *d;
	char name[16];
	unsigned i;

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "batch-%02u", i);
		d = sample_device(p, name, "sensor", (uint8_t)(0x80 + i), NULL, NULL, "factory-ca", (uint8_t)(0x80 + i));
		d->labels = calloc(1, sizeof(*d->labels));
		d->labels[d->n_labels++] = strdup("batch-9");
	}
	*w = world_of(p);
	(*w)->fake.asked = asked_path;
}

static void
test_revoke_by_label(void **state)
{
	struct world *w;
	void *other;
	struct fake_asked a;
	unsigned i;

	(void)state;
	batch_of(&w, 11);
	assert_int_equal(RUN("device", "revoke", "--label", "batch-9"), EXIT_USAGE);
	has(w->err, "11 devices have the label \"batch-9\"");
	has(w->err, "say --yes to revoke all of them");
	asked_nothing(w, 0);
	assert_int_equal(RUN("device", "revoke", "--label", "batch-9", "--yes"), EXIT_DONE);
	a = asked(w, 0, MSG_CTL_STAND);
	assert_int_equal(a.stand.n, 11);
	for (i = 0; i < 11; i++)
		assert_int_equal(a.numbers[i], image_device_named(&w->im, "batch-00")->number + i);
	has(w->out, "11 devices, 11 of them changed, in one transaction\n");
	assert_int_equal(RUN("device", "release", "--label", "batch-9", "--reason", "x", "--json"), EXIT_DONE);
	says_number(w, "changed", 11);
	assert_int_equal(RUN("device", "revoke", "--label", "nothing"), EXIT_MISTAKES);
	has(w->err, "no device has the label \"nothing\"");
	other = w;
	world_tear_down(&other);
	batch_of(&w, 10);	/* so many are no question */
	assert_int_equal(RUN("device", "revoke", "--label", "batch-9"), EXIT_DONE);
	other = w;
	world_tear_down(&other);
}

static void
test_serials(void **state)
{
	struct world *w = *state;
	struct fake_asked a;

	assert_int_equal(RUN("device", "revoke", "--serial", "00:4F", "--authority", "factory-ca", "--reason",
	    "superseded"), EXIT_DONE);
	has(w->out, "serial 4f of factory-ca is revoked: sensor-1, ");
	a = asked(w, 0, MSG_CTL_STAND);
	assert_int_equal(a.stand.what, STAND_REVOKE_SERIAL);
	assert_int_equal(a.stand.n, 0);
	assert_int_equal(a.stand.reason, 4);
	assert_int_equal(a.stand.serial_len, 1);
	assert_int_equal(a.stand.serial[0], 0x4f);
	assert_int_equal(a.stand.authority, w->im.authorities[0].number);
	assert_int_equal(RUN("device", "revoke", "--serial", "0x99aabb", "--authority", "factory-ca"), EXIT_DONE);
	has(w->out, "no device has it now; whichever comes with it is quarantined");
	assert_int_equal(RUN("device", "unrevoke", "--serial", "99aabb", "--authority", "factory-ca", "--json"), EXIT_DONE);
	says_true(w, "revoked", false);
	a = asked(w, 2, MSG_CTL_STAND);
	assert_int_equal(a.stand.what, STAND_FORGET_SERIAL);
	assert_int_equal(RUN("device", "revoke", "--serial", "99"), EXIT_USAGE);
	has(w->err, "--serial and --authority go together");
	assert_int_equal(RUN("device", "revoke", "--authority", "factory-ca"), EXIT_USAGE);
	assert_int_equal(RUN("device", "revoke", "sensor-1", "--serial", "99", "--authority", "factory-ca"), EXIT_USAGE);
	assert_int_equal(RUN("device", "revoke", "--serial", "9z", "--authority", "factory-ca"), EXIT_USAGE);
	assert_int_equal(RUN("device", "revoke", "--serial", "99", "--authority", "factory"), EXIT_MISTAKES);
	assert_int_equal(RUN("device", "unrevoke"), EXIT_USAGE);
	asked_nothing(w, 3);
	again(w);
	w->fake.stood.error = ENOENT;
	assert_int_equal(RUN("device", "unrevoke", "--serial", "1", "--authority", "factory-ca"), EXIT_MISTAKES);
	has(w->err, "no operator revoked this serial");
}

static void
is_serial(const char *text, int want, const char *bytes, uint32_t n)
{
	uint8_t out[LIMIT_SERIAL];
	uint32_t len = 77;

	assert_int_equal(stand_serial(text, out, &len), want);
	if (want < 0)
		return;
	assert_int_equal(len, n);
	assert_memory_equal(out, bytes, n);
}

static void
test_serials_are_numbers(void **state)
{
	(void)state;
	is_serial("0", 0, "\x00", 1);
	is_serial("00", 0, "\x00", 1);
	is_serial("f", 0, "\x0f", 1);
	is_serial("0x034F", 0, "\x03\x4f", 2);
	is_serial("00:00:12:34", 0, "\x12\x34", 2);
	is_serial("123", 0, "\x01\x23", 2);
	is_serial("ffffffffffffffffffffffffffffffffffffffff", 0, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 20);
	is_serial("1ffffffffffffffffffffffffffffffffffffffff", -EINVAL, NULL, 0);
	is_serial("", -EINVAL, NULL, 0);
	is_serial("0x", -EINVAL, NULL, 0);
	is_serial(":1", -EINVAL, NULL, 0);
	is_serial("1g", -EINVAL, NULL, 0);
}

static void
test_revocation_list(void **state)
{
	struct world *w = *state;

	assert_int_equal(RUN("revocation", "list"), EXIT_DONE);
	assert_string_equal(w->out, "no operator revoked a serial\n");
	again(w);
	w->fake.n_revocations = 2;
	w->fake.revocations[0] = (struct ctl_revocation){ .authority = w->im.authorities[0].number, .serial_len = 1,
		.serial = { 0x50 }, .reason = 1, .since = 1795346459000, .who = { 0, "alice" }, .words = "st\x1bolen" };
	w->fake.revocations[1] = (struct ctl_revocation){ .authority = w->im.authorities[0].number, .serial_len = 2,
		.serial = { 0x99, 0xaa }, .until = 1795346459000 };
	assert_int_equal(RUN("revocation", "list"), EXIT_DONE);
	has(w->out, "factory-ca  50      sensor-2  keyCompromise");
	has(w->out, "root (says: alice)");
	has(w->out, "st\\x1bolen");
	assert_int_equal(RUN("revocation", "list", "--json"), EXIT_DONE);
	says_string(w, "revocations.0.device", "sensor-2");
	says_string(w, "revocations.1.serial", "99aa");
	says_null(w, "revocations.1.device");
	again(w);
	w->fake.revocations[1].serial_len = 21;
	assert_int_equal(RUN("revocation", "list"), EXIT_MISTAKES);
	has(w->err, "makes no sense");
}

/* ---- the brake ---------------------------------------------------------- */

static void
test_pending(void **state)
{
	struct world *w = *state;
	struct fake_asked a;

	assert_int_equal(RUN("pending"), EXIT_DONE);
	assert_string_equal(w->out, "nothing waits; no brake\n");
	assert_int_equal(RUN("pending", "confirm", "--all"), EXIT_MISTAKES);
	has(w->err, "nothing waits");
	again(w);
	w->fake.status.brake_devices = 32;
	w->fake.status.brake_within_s = 3600;
	w->fake.status.brake_used = 31;
	w->fake.status.pending = 2;
	station(w, "sensor-1")->pending = station(w, "sensor-2")->pending = CAUSE_REVOKED;
	station(w, "sensor-1")->authority = w->im.authorities[0].number;
	station(w, "sensor-1")->crl_reason = 2;
	station(w, "sensor-1")->evidence = EVIDENCE_ISSUER;
	station(w, "sensor-1")->crl_number_len = 2;
	station(w, "sensor-1")->crl_number[0] = 1;
	assert_int_equal(RUN("pending"), EXIT_DIFFERS);
	has(w->out, "2 devices wait for a person: 0 critical, 2 over the brake; the brake allows 32 devices within 60 min, "
	    "31 of them used\n");
	has(w->out, "sensor-1  sensor  enforced  revoked  over the brake  factory-ca  256  cACompromise  issuer");
	assert_int_equal(RUN("pending", "list", "--json"), EXIT_DIFFERS);
	says_number(w, "pending", 2);
	says_number(w, "brake.used", 31);
	says_string(w, "devices.0.device", "sensor-1");
	says_string(w, "devices.0.why", "brake");
	says_string(w, "devices.0.evidence", "issuer");
	says_string(w, "devices.0.crl_number", "0100");
	assert_int_equal(RUN("device", "list", "--pending"), EXIT_DONE);
	has(w->out, "pending: revoked");
	has_not(w->out, "alpha");
	assert_int_equal(RUN("status"), EXIT_MISTAKES);
	has(w->out, "!! 2 devices to be quarantined wait for a person (the brake allows 32 devices within 60 min, 31 of "
	    "them used): see `cordonctl pending'");
	has(w->out, "pending     2 wait for a person");
	assert_int_equal(RUN("device", "show", "sensor-1"), EXIT_DONE);
	has(w->out, "pending      revoked: more devices at once than the brake allows");
	assert_int_equal(RUN("pending", "confirm"), EXIT_USAGE);
	assert_int_equal(RUN("pending", "confirm", "sensor-1", "--all"), EXIT_USAGE);
	assert_int_equal(RUN("pending", "confirm", "alpha"), EXIT_MISTAKES);
	has(w->err, "nothing waits for the device \"alpha\"");
	asked_nothing(w, 0);
	assert_int_equal(RUN("pending", "dismiss", "sensor-2"), EXIT_USAGE);
	has(w->err, "--reason \"...\" is needed");
	assert_int_equal(RUN("pending", "dismiss", "sensor-2", "--reason", "known"), EXIT_DONE);
	a = asked(w, 0, MSG_CTL_STAND);
	assert_int_equal(a.stand.what, STAND_DISMISS);
	assert_string_equal(a.stand.words, "known");
	assert_int_equal(RUN("pending", "confirm", "--all"), EXIT_DONE);
	a = asked(w, 1, MSG_CTL_STAND);
	assert_int_equal(a.stand.what, STAND_CONFIRM);
	assert_int_equal(a.stand.n, 1);
	has(w->out, "device sensor-1 is quarantined, because: revoked");
}

static void
test_critical_is_said(void **state)
{
	struct world *w;
	struct policy *p = sample_full();
	void *other;

	(void)state;
	p->devices[0].critical = true;
	w = world_of(p);
	station(w, "sensor-1")->pending = CAUSE_REVOKED;
	assert_int_equal(RUN("pending", "--json"), EXIT_DIFFERS);
	says_string(w, "devices.0.why", "critical");
	assert_int_equal(RUN("device", "show", "sensor-1"), EXIT_DONE);
	has(w->out, "pending      revoked: the device is critical, so a person decides");
	has(w->out, "critical     yes");
	other = w;
	world_tear_down(&other);
}

/* ---- crl list, refresh, reset ------------------------------------------- */

static void
test_crl_list(void **state)
{
	struct world *w = *state;
	struct pki_source *s = fake_source(&w->fake, 0);
	struct pki_authority *a = fake_authority(&w->fake, 0);

	s->entries = 1200;
	s->hits = 3;
	s->number_len = 2;
	s->number[0] = 0x0a;
	s->this_update = 1795346519000 - 7200000;
	s->last_success = s->last_change = 1795346459000;
	a->clean = 1100;
	a->revoked = 3;
	assert_int_equal(RUN("crl", "list"), EXIT_DONE);
	assert_ptr_equal(strstr(w->out, "current: of 1 source 1 fresh\n"), w->out);
	has(w->out, "factory-ca  full  fresh    2560  2 h");
	has(w->out, "1,200");
	has(w->out, "factory-ca: of our certificates 1,100 clean, 0 stale, 0 unchecked, 3 revoked, 0 held, 0 expired\n");
	assert_int_equal(RUN("crl", "list", "factory-ca", "--json"), EXIT_DONE);
	says_true(w, "current", true);
	says_string(w, "sources.0.state", "fresh");
	says_string(w, "sources.0.kind", "full");
	says_string(w, "sources.0.number", "0a00");
	says_string(w, "sources.0.number_text", "2560");
	says_number(w, "sources.0.age_seconds", 7200);
	says_number(w, "authorities.0.clean", 1100);
	assert_int_equal(RUN("crl", "list", "factory"), EXIT_MISTAKES);
}

/* Each of these alone, and it must not look fine. */
static void
test_crl_list_never_looks_fine(void **state)
{
	struct world *w = *state;
	struct pki_source *s = fake_source(&w->fake, 0), good = *s;
	uint32_t bad[] = { SOURCE_NEVER, SOURCE_STALE, SOURCE_EXPIRED }, e;
	size_t i;

	for (i = 0; i < 3; i++) {
		*s = good;
		s->state = bad[i];
		again(w);
		assert_int_equal(RUN("crl", "list"), EXIT_DIFFERS);
		assert_ptr_equal(strstr(w->out, "NOT CURRENT: of 1 source 1 "), w->out);
		assert_int_equal(RUN("crl", "list", "--json"), EXIT_DIFFERS);
		says_true(w, "current", false);
	}
	*s = good;
	s->state = SOURCE_DUE;
	again(w);
	assert_int_equal(RUN("crl", "list"), EXIT_DONE);
	for (e = E_NONE + 1; e < SOURCE_ERRORS; e++) {
		*s = good;
		s->error = e;
		s->failures = 2;
		again(w);
		assert_int_equal(RUN("crl", "list"), EXIT_DIFFERS);
		has(w->out, "NOT CURRENT: of 1 source 1 fresh, 1 failing\n");
		has(w->out, e == E_APPLY ? "not enforced yet" : "2 failures in a row");
		has(w->out, "fresh, FAILING");
	}
	*s = good;
	s->next_try = 1795346519000 - 16 * 60000;
	again(w);
	assert_int_equal(RUN("crl", "list"), EXIT_DIFFERS);
	has(w->out, "should have been asked at 2026-11-22 11:05:59 UTC and was not");
	*s = good;
	w->fake.status.worker_up[PROC_PKI] = 0;
	again(w);
	assert_int_equal(RUN("crl", "list"), EXIT_DIFFERS);
	has(w->out, "NOT CURRENT: of 1 source 1 fresh; cordon-pki is not running\n!! cordon-pki is not running");
}

static void
test_crl_list_alarms(void **state)
{
	struct world *w = *state;
	struct pki_authority *a = fake_authority(&w->fake, 0);
	static const char *const words[] = { "1 device was revoked and is no longer listed: it stays in quarantine",
		"1 device has the certificate of another one", "1 device is taken by the revoked certificate of a CA",
		"its own certificate, or a signer's, ran out", "removeFromCRL", "1 certificate has no CRL in force",
		"1 serial is unknown to its OCSP responder", "covers = \"all\"" };
	unsigned bit;

	*a = (struct pki_authority){ .clean = 1, .stale = 1, .unchecked = 1, .unrevoked = 1, .clones = 1, .batch = 1,
		.ocsp_unknown = 1 };
	for (bit = 0; 1U << bit < ALARMS; bit++) {
		a->alarms = 1U << bit;
		again(w);
		assert_int_equal(RUN("crl", "list"), EXIT_DIFFERS);
		has(w->out, words[bit]);
		has(w->out, "1 authority with an alarm\n!! factory-ca: ");
	}
}

/* What is said of one that fails: in words, with what to do. */
static void
test_crl_failing(void **state)
{
	struct world *w = *state;
	struct pki_source *s = fake_source(&w->fake, 0);

	s->error = E_FETCH;
	s->detail = 404;
	s->failures = 7;
	s->this_update = 1795346459000;
	s->warnings = 1 << 0;
	s->rollbacks = 2;
	assert_int_equal(RUN("crl", "list"), EXIT_DIFFERS);
	has(w->out, "factory-ca, http://pki.example/factory.crl: E_FETCH: the transfer failed (HTTP status 404): can this "
	    "router reach the address? try it with curl from here; 7 failures in a row; the CRL before it still counts\n");
	has(w->out, "older or double CRLs came 2 times and were refused");
	has(w->out, "an empty list of entries is written out");
	assert_int_equal(RUN("crl", "list", "--json"), EXIT_DIFFERS);
	says_string(w, "sources.0.error", "E_FETCH");
	says_number(w, "sources.0.failures", 7);
	says_string(w, "sources.0.warnings.0", "empty-list");
	assert_int_equal(RUN("crl", "refresh"), EXIT_DONE);
	has(w->out, "asked for 1 source:");
	assert_int_equal(RUN("crl", "refresh", "factory-ca", "--wait"), EXIT_MISTAKES);	/* it failed */
	assert_int_equal(RUN("crl", "refresh", "nobody"), EXIT_MISTAKES);
}

static void
test_crl_refresh_waits(void **state)
{
	struct world *w = *state;

	assert_int_equal(RUN("crl", "refresh", "--wait", "--json"), EXIT_DONE);
	says_string(w, "sources.0.last_try", "2026-11-22T11:20:59.001Z");
}

static void
test_crl_reset(void **state)
{
	struct world *w = *state;
	struct fake_asked a;

	assert_int_equal(RUN("crl", "reset", "factory-ca"), EXIT_USAGE);
	has(w->err, "nothing was done. A reset forgets which CRL of factory-ca was the newest");
	asked_nothing(w, 0);
	assert_int_equal(RUN("crl", "reset", "factory-ca", "--confirm"), EXIT_DONE);
	a = asked(w, 0, MSG_CTL_CRL_RESET);
	assert_int_equal(a.reset.source, 0);
	assert_int_equal(RUN("crl", "reset", "http://pki.example/factory.crl", "--confirm", "--json"), EXIT_DONE);
	says_number(w, "reset", 1);
	assert_int_equal(RUN("crl", "reset", "http://pki.example/other.crl", "--confirm"), EXIT_MISTAKES);
	has(w->err, "no source has the address");
	assert_int_equal(RUN("crl", "reset", "factory", "--confirm"), EXIT_MISTAKES);
	asked_nothing(w, 2);
}

/* ---- one device --------------------------------------------------------- */

static void
shows(struct world *w, uint32_t check, const char *words)
{
	station(w, "sensor-1")->check = check;
	again(w);
	assert_int_equal(RUN("device", "show", "sensor-1"), EXIT_DONE);
	has(w->out, words);
	assert_int_equal(RUN("device", "show", "sensor-1", "--json"), EXIT_DONE);
	says_true(w, "chain_known", (check & CHECK_CHAIN_UNKNOWN) == 0);
}

static void
test_checks_in_words(void **state)
{
	struct world *w = *state;
	struct pki_source *s = fake_source(&w->fake, 0);

	shows(w, CHECK_UNCHECKED, "checked      unchecked: no CRL of factory-ca in use speaks about it");
	s->this_update = 1795346459000;
	s->number_len = 1;
	s->number[0] = 17;
	shows(w, CHECK_CLEAN, "checked      clean by the CRL #17 of factory-ca, of 2026-11-22 11:20:59 UTC\n");
	has_not(w->out, "cannot be known");
	shows(w, CHECK_STALE, "stale: it was not listed by the CRL #17 of factory-ca");
	shows(w, CHECK_HELD, "on hold by the CRL #17");
	shows(w, CHECK_REVOKED, "checked      revoked by the CRL #17");
	shows(w, CHECK_EXPIRED, "ran out");
	shows(w, CHECK_UNKNOWN, "not told yet");
	shows(w, CHECK_CLEAN | CHECK_CHAIN_UNKNOWN, "declared by its serial alone");
	says_string(w, "check", "clean");
	shows(w, CHECK_NONE, "no certificate: it cannot be revoked by a CA");
}

static void
test_evidence_is_shown(void **state)
{
	struct world *w = *state;
	struct snapshot_device *s = station(w, "sensor-1");

	*s = (struct snapshot_device){ .number = s->number, .where = STATION_QUARANTINED, .cause = CAUSE_REVOKED | CAUSE_OPERATOR,
		.authority = w->im.authorities[0].number, .crl_reason = 2, .evidence = EVIDENCE_ISSUER, .serial_len = 2,
		.serial = { 0x03, 0x4f }, .crl_number_len = 1, .crl_number = { 9 }, .until = 1795346459000, .uid = 0 };
	assert_int_equal(RUN("device", "show", "sensor-1"), EXIT_DONE);
	has(w->out, "evidence     the certificate of the CA that issued it stands on a CRL: a whole batch; serial 034f; CRL #9\n");
	has(w->out, "operator     root, until 2026-11-22 11:20:59 UTC\n");
	assert_int_equal(RUN("device", "show", "sensor-1", "--json"), EXIT_DONE);
	says_string(w, "revoked.evidence", "issuer");
	says_string(w, "revoked.serial", "034f");
	says_string(w, "operator.who.user", "root");
	says_string(w, "until", "2026-11-22T11:20:59.000Z");
	assert_int_equal(RUN("device", "list", "--station", "restricted"), EXIT_DONE);
	assert_string_equal(w->out, "no devices that match\n");
}

static void
test_device_history(void **state)
{
	struct world *w = *state;
	uint32_t number = image_device_named(&w->im, "sensor-1")->number;
	struct fake_asked a;

	w->fake.n_events = 4;
	w->fake.events[0] = (struct device_event){ .at = 1795346400000, .device = number, .what = DEVICE_ENROLLED, .revision = 1,
		.who = { 0, "alice" } };
	w->fake.events[1] = (struct device_event){ .at = 1795346459000, .device = number, .what = DEVICE_REBOUND,
		.old_mac = { 2, 0, 0, 0, 0, 9 }, .mac = { 2, 0, 0, 0, 0, 1 }, .who = { 0, "alice" } };
	w->fake.events[2] = (struct device_event){ .at = 1795346460000, .device = number, .what = DEVICE_QUARANTINED,
		.cause = CAUSE_REVOKED, .reason = 1, .evidence = EVIDENCE_CERTIFICATE,
		.authority = w->im.authorities[0].number, .who = { CTL_NOBODY, "" } };
	w->fake.events[3] = (struct device_event){ .at = 1795346461000, .device = number, .what = DEVICE_RELEASED,
		.cause = CAUSE_REVOKED, .who = { 0, "" }, .words = "the CA \x1b[2Jerred" };
	assert_int_equal(RUN("device", "history", "sensor-1"), EXIT_DONE);
	a = asked(w, 0, MSG_CTL_EVENTS);
	assert_int_equal(a.device.number, number);
	has(w->out, "2026-11-22 11:20:00  enrolled     root (says: alice)  with revision 1\n");
	has(w->out, "rebound      root (says: alice)  from 02:00:00:00:00:09 to 02:00:00:00:00:01\n");
	has(w->out, "quarantined  cordon itself       revoked by factory-ca: keyCompromise; its certificate stands on a CRL\n");
	has(w->out, "\"the CA \\x1b[2Jerred\"");
	has(w->err, "without the evidence it is not known which addresses were seen");
	assert_int_equal(RUN("device", "history", "sensor-1", "--json"), EXIT_DONE);
	says_string(w, "history.0.what", "enrolled");
	says_string(w, "history.1.mac", "02:00:00:00:00:01");
	says_string(w, "history.2.reason", "keyCompromise");
	says_string(w, "history.3.words", "the CA \x1b[2Jerred");
	says_true(w, "addresses_known", false);
	again(w);
	memset(w->fake.events[3].words, 'x', sizeof(w->fake.events[3].words));
	assert_int_equal(RUN("device", "history", "sensor-1"), EXIT_MISTAKES);
	has(w->err, "makes no sense");
}

/* ---- classes ------------------------------------------------------------ */

/* What the compiler makes of a class's own quarantine is no class to anybody. */
static void
test_hidden_classes(void **state)
{
	struct world *w = *state;
	struct policy *p = sample_full();
	void *other;

	station(w, "sensor-1")->where = STATION_RESTRICTED;
	assert_int_equal(RUN("class", "show", "sensor", "--json"), EXIT_DONE);
	says_number(w, "restricted", 1);
	says_null(w, "quarantine_allow");
	sample_remedy(&p->classes[0], "192.0.2.99", 8443);
	w = world_of(p);
	assert_int_equal(w->im.n[IMAGE_CLASSES], 4);
	assert_int_equal(RUN("class", "list", "--json"), EXIT_DONE);
	says_string(w, "classes.2.name", "sensor");
	has_not(w->out, "\"number\":3");
	assert_int_equal(RUN("class", "list"), EXIT_DONE);
	assert_int_equal(RUN("class", "show", "sensor"), EXIT_DONE);
	has(w->out, "in quarantine it may reach:\n  192.0.2.80: tcp 443");
	has(w->out, "  192.0.2.99: tcp 8443");
	assert_int_equal(RUN("class", "show", "sensor", "--json"), EXIT_DONE);
	says_string(w, "quarantine_allow.1.to", "192.0.2.99");
	other = w;
	world_tear_down(&other);
}

/* ---- golden ------------------------------------------------------------- */

/* A world in which a lot is the matter. */
static void
trouble(struct world *w)
{
	struct snapshot_device *a = station(w, "sensor-1"), *b = station(w, "sensor-2");
	struct pki_source *s = fake_source(&w->fake, 0);
	uint32_t ca = w->im.authorities[0].number;

	*a = (struct snapshot_device){ .number = a->number, .mark = a->mark, .where = STATION_QUARANTINED,
		.cause = CAUSE_REVOKED | CAUSE_OPERATOR, .since = 1795346459000, .authority = ca, .crl_reason = 1,
		.revoked_at = 1795346400000, .evidence = EVIDENCE_KEY, .check = CHECK_REVOKED | CHECK_CHAIN_UNKNOWN,
		.until = 1795446459000, .serial_len = 1, .serial = { 0x4f }, .crl_number_len = 2, .crl_number = { 0x0a },
		.words = "seen scanning" };
	b->pending = CAUSE_REVOKED;
	b->authority = ca;
	b->crl_reason = 2;
	b->evidence = EVIDENCE_ISSUER;
	b->check = CHECK_STALE;
	b->since = 1795346460000;
	*s = (struct pki_source){ .state = SOURCE_STALE, .error = E_ROLLBACK, .entries = 1200, .hits = 2, .failures = 3,
		.this_update = 1795246459000, .next_update = 1795336459000, .last_success = 1795336459000,
		.last_try = 1795346459000, .next_try = 1795346559000, .last_change = 1795246460000, .bytes = 42000,
		.transfer_ms = 17, .rollbacks = 3, .series = 1, .warnings = 3, .number_len = 2, .number = { 0x0a } };
	*fake_authority(&w->fake, 0) = (struct pki_authority){ .authority = ca, .alarms = ALARM_STALE | ALARM_UNREVOKED,
		.clean = 1, .stale = 1, .revoked = 2, .unrevoked = 1 };
	w->fake.status.quarantined = w->fake.status.pending = 1;
	w->fake.status.brake_devices = 32;
	w->fake.status.brake_within_s = 3600;
	w->fake.status.brake_used = 1;
	w->fake.n_events = 1;
	w->fake.events[0] = (struct device_event){ .at = 1795346459000, .device = a->number, .what = DEVICE_QUARANTINED,
		.cause = CAUSE_OPERATOR, .who = { 0, "alice" }, .words = "seen scanning" };
	w->fake.n_revocations = 1;
	w->fake.revocations[0] = (struct ctl_revocation){ .authority = ca, .serial_len = 2, .serial = { 0x99, 0xaa },
		.reason = 4, .since = 1795346459000, .who = { 0, "alice" }, .words = "lost" };
}

static void
golden_one(struct world *w, FILE *out, const char *argv[])
{
	int exit = run(w, argv), i;

	fputs("$", out);
	for (i = 0; argv[i] != NULL; i++)
		fprintf(out, " %s", argv[i]);
	fprintf(out, "\n%s%sexit %d\n\n", w->out, w->err, exit);
}

#define GOLDEN(...) golden_one(w, out, (const char *[]){ "cordonctl", __VA_ARGS__, NULL })

/* Lines of the sample count on from test to test. */
static void
without_lines(char *text, const char *before)
{
	char *at, *from;

	for (at = strstr(text, before); at != NULL; at = strstr(at, before)) {
		at += strlen(before);
		from = at + strspn(at, "0123456789");
		memmove(at, from, strlen(from) + 1);
	}
}

/* All of what they print, against a file; GOLDEN_UPDATE=1 writes it anew. */
static void
test_golden(void **state)
{
	struct world *w = *state;
	const char *source = getenv("srcdir");
	char file[512], *text = NULL;
	uint8_t *was;
	size_t len, was_len;
	FILE *out = open_memstream(&text, &len), *f;

	trouble(w);
	GOLDEN("crl", "list");
	GOLDEN("crl", "list", "--json");
	GOLDEN("pending");
	GOLDEN("pending", "--json");
	GOLDEN("device", "show", "sensor-1");
	GOLDEN("device", "list");
	GOLDEN("device", "list", "--pending", "--json");
	GOLDEN("device", "history", "sensor-1");
	GOLDEN("device", "history", "sensor-1", "--json");
	GOLDEN("revocation", "list");
	GOLDEN("revocation", "list", "--json");
	GOLDEN("status");
	GOLDEN("crl", "reset", "factory-ca");
	fclose(out);
	without_lines(text, "sample.conf:");
	without_lines(text, "\"line\":");
	snprintf(file, sizeof(file), "%s/tests/golden/ctl-revocation.text", source != NULL ? source : ".");
	if (getenv("GOLDEN_UPDATE") != NULL) {
		assert_non_null(f = fopen(file, "w"));
		fputs(text, f);
		fclose(f);
	}
	assert_int_equal(file_read_at(AT_FDCWD, file, 1 << 20, &was, &was_len), 0);
	assert_string_equal(text, (const char *)was);
	free(was);
	free(text);
}

/* ---- rebind ------------------------------------------------------------- */

static void
rebinds(const char *text, uint32_t line, bool csv, const char *expected)
{
	struct mac old = { { 2, 0, 0, 0, 0, 1 } }, new = { { 2, 0, 0, 0, 0, 0xaf } };
	char *out = NULL;
	size_t len;
	int rc = rebind_text(text, strlen(text), line, csv, &old, &new, csv ? NULL : "note", &out, &len);

	if (expected == NULL) {
		assert_int_equal(rc, -ENOENT);
		return;
	}
	assert_int_equal(rc, 0);
	assert_string_equal(out, expected);
	free(out);
}

static void
test_rebind_text(void **state)
{
	(void)state;
	rebinds("a,b\nx,02:00:00:00:00:01,y\n", 2, true, "a,b\nx,02:00:00:00:00:af,y\n");
	rebinds("  { mac = \"02:00:00:00:00:01\"; }\n", 1, false, "  # note\n  { mac = \"02:00:00:00:00:af\"; }\n");
	/* what only looks like it stays */
	rebinds("# was 02:00:00:00:00:01\nmac = \"02:00:00:00:00:01\";", 1, false,
	    "# was 02:00:00:00:00:01\n# note\nmac = \"02:00:00:00:00:af\";");
	rebinds("// 02:00:00:00:00:01\n/* 02:00:00:00:00:01 */ \"#\" = \"02:00:00:00:00:01\"", 1, false,
	    "// 02:00:00:00:00:01\n# note\n/* 02:00:00:00:00:01 */ \"#\" = \"02:00:00:00:00:af\"");
	rebinds("x02:00:00:00:00:01:02\n", 1, true, NULL);
	rebinds("02:00:00:00:00:02\n", 1, true, NULL);
	rebinds("02:00:00:00:00:01\n", 2, true, NULL);
	rebinds("02:00:00:00:00:0", 1, true, NULL);
	rebinds("", 1, true, NULL);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(test_quarantine_and_release), T(test_several_in_one_transaction), T(test_until), T(test_revoked_stays),
		T(test_refusals_are_told), T(test_revoke), T(test_revoke_by_label), T(test_serials),
		T(test_serials_are_numbers), T(test_revocation_list), T(test_pending), T(test_critical_is_said),
		T(test_crl_list), T(test_crl_list_never_looks_fine), T(test_crl_list_alarms), T(test_crl_failing),
		T(test_crl_refresh_waits), T(test_crl_reset), T(test_checks_in_words), T(test_evidence_is_shown),
		T(test_device_history), T(test_hidden_classes), T(test_golden), T(test_rebind_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
