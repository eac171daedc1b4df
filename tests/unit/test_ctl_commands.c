/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ctl_commands.c -- whole commands against a process that plays cordond:
 * what they print, their JSON, their exit codes. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"
#include "ctl/health.h"
#include "ctl/view.h"
#include "ctl_world.h"

/* ---- connecting --------------------------------------------------------- */

static void
test_not_running(void **state)
{
	struct world *w = *state;

	assert_int_equal(RUN("status", "--run", "/nonexistent"), EXIT_NOT_RUNNING);
	has(w->err, "no socket /nonexistent/control.sock");
	has(w->err, "systemctl start cordon");
	assert_int_equal(RUN("status", "--run", "/nonexistent", "--json"), EXIT_NOT_RUNNING);
	says_number(w, "exit", EXIT_NOT_RUNNING);
}

static void
test_nobody_listens(void **state)
{
	struct world *w = *state;

	assert_int_equal(RUN("status"), EXIT_DONE);
	fake_stop(&(struct fake){ .pid = w->fake.pid, .folder = "/nonexistent" });
	w->fake.pid = 0;
	assert_int_equal(RUN("status"), EXIT_NOT_RUNNING);
	has(w->err, "nobody listens");
}

static void
test_hanging_up_is_said(void **state)
{
	struct world *w = *state;

	w->fake.hangs_up = true;
	assert_int_equal(RUN("device", "list"), EXIT_NOT_RUNNING);
	has(w->err, "went away");
}

static void
test_answers_to_others_are_passed_over(void **state)
{
	struct world *w = *state;

	w->fake.stray = 3;
	assert_int_equal(RUN("device", "list"), EXIT_DONE);
	has(w->out, "sensor-1");
}

/* ---- what it believes --------------------------------------------------- */

static void
test_revisions_must_match(void **state)
{
	struct world *w = *state;

	w->fake.stale_answers = 2;
	assert_int_equal(RUN("device", "list"), EXIT_DONE);
	fake_stop(&w->fake);
	w->fake.folder[0] = '\0';
	w->fake.stale_answers = 1000;
	assert_int_equal(RUN("device", "list"), EXIT_MISTAKES);
	has(w->err, "changes faster");
}

static void
test_unsealed_memory_is_refused(void **state)
{
	struct world *w = *state;

	w->fake.unsealed = true;
	assert_int_equal(RUN("device", "list"), EXIT_MISTAKES);
	has(w->err, "makes no sense");
}

static void
test_verify(void **state)
{
	struct world *w = *state;
	struct fake *f = &w->fake;

	f->verified = (struct ctl_verified){ .agrees = 1, .compared = 1234, .microseconds = 5000 };
	assert_int_equal(RUN("policy", "verify"), EXIT_DONE);
	has(w->out, "agree: 1,234 elements");
	fake_stop(f);

	f->verified = (struct ctl_verified){ .listed = 2, .missing = 1, .foreign = 2, .where = "live" };
	f->n_differences = 2;
	f->differences[0] = (struct ctl_difference){ .what = DIFFERS_FOREIGN, .set = "live", .element = "0x\033[2J" };
	f->differences[1] = (struct ctl_difference){ .what = DIFFERS_DATA, .set = "current", .element = "0x500 : 0x7" };
	f->folder[0] = '\0';
	assert_int_equal(RUN("policy", "verify"), EXIT_DIFFERS);
	has(w->out, "foreign  0x\\x1b[2J");
	has(w->out, "differs  0x500 : 0x7");
	has(w->out, "1 element missing, 2 foreign");
	assert_int_equal(RUN("policy", "verify", "--json"), EXIT_DIFFERS);
	has(w->out, "\"agrees\":false");
	fake_stop(f);

	f->n_differences = 1;			/* fewer than it says */
	f->folder[0] = '\0';
	assert_int_equal(RUN("policy", "verify"), EXIT_MISTAKES);
	has(w->err, "makes no sense");
	fake_stop(f);

	f->n_differences = 2;			/* text without an end */
	memset(f->differences[1].element, 'x', sizeof(f->differences[1].element));
	f->folder[0] = '\0';
	assert_int_equal(RUN("policy", "verify"), EXIT_MISTAKES);
	has(w->err, "makes no sense");
}

static void
refuses(struct world *w, const struct fake *f, size_t len)
{
	const char *why;

	assert_int_equal(view_check_snapshot(f->snapshot, len, &w->im, &why), -EBADMSG);
	assert_non_null(why);
}

static void
test_snapshots_are_checked(void **state)
{
	struct world *w = *state;
	struct fake good = w->fake, f;
	struct snapshot_header *h = (void *)f.snapshot;
	const char *why;
	size_t len;

	assert_int_equal(view_check_snapshot(good.snapshot, good.snapshot_len, &w->im, &why), 0);
	f = good;
	memset(fake_source(&f, 0), 0, sizeof(struct pki_source));	/* pki told nothing yet */
	assert_int_equal(view_check_snapshot(f.snapshot, f.snapshot_len, &w->im, &why), 0);
	for (len = 0; len < good.snapshot_len; len += 8)
		refuses(w, &good, len);
	refuses(w, &good, good.snapshot_len + 8);
	f = good;
	h->magic++;
	refuses(w, &f, f.snapshot_len);
	f = good;
	h->devices = UINT32_MAX;
	refuses(w, &f, f.snapshot_len);
	f = good;
	h->sources--;
	refuses(w, &f, f.snapshot_len - sizeof(struct pki_source));
	f = good;
	h->authorities--;
	refuses(w, &f, f.snapshot_len - sizeof(struct pki_authority));
	f = good;
	fake_authority(&f, 0)->authority = 77;
	refuses(w, &f, f.snapshot_len);
	f = good;
	fake_device(&f, 1)->serial_len = 21;
	refuses(w, &f, f.snapshot_len);
	f = good;
	fake_device(&f, 1)->crl_number_len = 21;
	refuses(w, &f, f.snapshot_len);
	f = good;
	fake_device(&f, 1)->number++;
	refuses(w, &f, f.snapshot_len);
	f = good;
	fake_device(&f, 1)->where = STATION_RESTRICTED + 1;
	refuses(w, &f, f.snapshot_len);
	f = good;
	memset(fake_device(&f, 1)->words, 'x', sizeof(fake_device(&f, 1)->words));
	refuses(w, &f, f.snapshot_len);
	f = good;
	fake_source(&f, 0)->source = 7;
	refuses(w, &f, f.snapshot_len);
	f = good;
	fake_source(&f, 0)->number_len = 21;
	refuses(w, &f, f.snapshot_len);
}

/* ---- status ------------------------------------------------------------- */

static void
test_status_healthy(void **state)
{
	struct world *w = *state;

	assert_int_equal(RUN("status"), EXIT_DONE);
	assert_ptr_equal(strstr(w->out, "enforcing revision 4 since 2026-11-22 11:20:59 UTC: healthy\n"), w->out);
	has(w->out, "1 fresh");
	assert_int_equal(RUN("status", "--json"), EXIT_DONE);
	says_true(w, "healthy", true);
	says_number(w, "revision", 4);
	says_number(w, "sources.fresh", 1);
	says_true(w, "workers.cordon-flow.up", true);
}

static void
unhealthy(const struct ctl_status *s, struct world *w, const char *because)
{
	struct view v = { .image = w->im, .devices = fake_device(&w->fake, 0), .sources = fake_source(&w->fake, 0),
		.authorities = fake_authority(&w->fake, 0), .head = (const void *)w->fake.snapshot };
	struct health h;
	json_t *p;
	bool said = false;
	size_t i;

	health_judge(s, &v, &h);
	json_array_foreach(h.problems, i, p)
		said |= strstr(json_string_value(p), because) != NULL;
	health_done(&h);
	if (!said)
		fail_msg("no problem says \"%s\"", because);
}

static void
test_every_fault_makes_unhealthy(void **state)
{
	struct world *w = *state;
	struct ctl_status s = w->fake.status;

	s.healthy = 0;
	unhealthy(&s, w, "cannot confirm that the kernel's rules");
	s = w->fake.status;
	s.worker_up[PROC_FLOW] = 0;
	unhealthy(&s, w, "cordon-flow is not running");
	s = w->fake.status;
	s.worker_up[PROC_PKI] = 0;
	unhealthy(&s, w, "cordon-pki is not running");
	s = w->fake.status;
	s.flow.error = ENOSPC;
	unhealthy(&s, w, "evidence cannot be written");
	s = w->fake.status;
	fake_source(&w->fake, 0)->state = SOURCE_STALE;
	unhealthy(&s, w, "stale");
	fake_source(&w->fake, 0)->state = SOURCE_EXPIRED;
	unhealthy(&s, w, "expired");
	fake_source(&w->fake, 0)->state = SOURCE_NEVER;
	fake_source(&w->fake, 0)->error = E_SIG;
	unhealthy(&s, w, "the signature is wrong");
	fake_source(&w->fake, 0)->error = E_NONE;
	fake_source(&w->fake, 0)->last_try = 1;
	unhealthy(&s, w, "was never fetched");
	fake_source(&w->fake, 0)->error = E_SIG;
	fake_source(&w->fake, 0)->state = SOURCE_FRESH;
	fake_source(&w->fake, 0)->error = E_APPLY;
	unhealthy(&s, w, "not enforced yet");
	fake_source(&w->fake, 0)->error = E_NONE;
	fake_source(&w->fake, 0)->next_try = 1795346519000 - 16 * 60000;
	unhealthy(&s, w, "should have been asked");
	fake_source(&w->fake, 0)->next_try = 0;
	fake_authority(&w->fake, 0)->alarms = ALARM_SIGNER;
	unhealthy(&s, w, "its own certificate, or a signer's, ran out");
	fake_authority(&w->fake, 0)->alarms = 0;
	s.pending = 3;
	unhealthy(&s, w, "3 devices to be quarantined wait for a person");
}

static void
test_status_unhealthy_is_said(void **state)
{
	struct world *w = *state;

	w->fake.status.worker_up[PROC_PKI] = 0;
	w->fake.status.flow.lost = 12;
	assert_int_equal(RUN("status"), EXIT_MISTAKES);
	has(w->out, "NOT HEALTHY\n!! cordon-pki is not running");
	has(w->out, "12 records of refused packets were lost");
	assert_int_equal(RUN("status", "--json"), EXIT_MISTAKES);
	says_true(w, "healthy", false);
}

/* ---- devices and classes ------------------------------------------------ */

static void
test_device_list(void **state)
{
	struct world *w = *state;

	fake_device(&w->fake, 2)->refused_packets = 1234;
	assert_int_equal(RUN("device", "list"), EXIT_DONE);
	has(w->out, "DEVICE    CLASS    STATION");
	has(w->out, "1,234");
	assert_true(strstr(w->out, "alpha") < strstr(w->out, "sensor-1"));	/* by name */
	assert_int_equal(RUN("device", "list", "--class", "sensor", "--json"), EXIT_DONE);
	says_string(w, "devices.0.name", "sensor-1");
	says_string(w, "devices.0.mac", "02:00:00:00:00:01");
	says_string(w, "devices.0.addresses.1", "fd10::11");
	says_string(w, "devices.0.station", "enforced");
	says_string(w, "devices.0.labels.0", "batch-2026-07");
	assert_null(strstr(w->out, "alpha"));
	assert_int_equal(RUN("device", "list", "--station", "quarantined"), EXIT_DONE);
	assert_string_equal(w->out, "no devices that match\n");
	assert_int_equal(RUN("device", "list", "--label", "batch-2026-07"), EXIT_DONE);
	has(w->out, "sensor-1");
	assert_null(strstr(w->out, "sensor-2"));
	assert_int_equal(RUN("device", "list", "--label", "batch-2026-07", "--label", "hall"), EXIT_DONE);
	assert_string_equal(w->out, "no devices that match\n");
	assert_int_equal(RUN("device", "list", "--station", "jail"), EXIT_USAGE);
	assert_int_equal(RUN("device", "list", "--class", "sensr"), EXIT_MISTAKES);
	has(w->err, "did you mean \"sensor\"?");
}

static void
test_device_show(void **state)
{
	struct world *w = *state;
	struct snapshot_device *s = fake_device(&w->fake, index_of(w, "sensor-1"));

	s->where = STATION_QUARANTINED;
	s->cause = CAUSE_REVOKED | CAUSE_OPERATOR;
	s->since = 1795346459000;
	s->authority = w->im.authorities[0].number;
	s->crl_reason = 1;
	s->revoked_at = 1795346400000;
	snprintf(s->words, sizeof(s->words), "seen \x1b[31mscanning");
	assert_int_equal(RUN("device", "show", "sensor-1"), EXIT_DONE);
	has(w->out, "02:00:00:00:00:01 with 10.10.0.11, fd10::11, only on interface lan0");
	has(w->out, "could be taken by whoever is at that port and takes the MAC and an address\n");
	has(w->out, "may be reached from:\n  class:sensor: udp 5353");
	has(w->out, "quarantined, because: revoked, operator, since 2026-11-22 11:20:59");
	has(w->out, "by factory-ca: keyCompromise, at 2026-11-22 11:20:00 UTC");
	has(w->out, "\"seen \\x1b[31mscanning\"");
	has(w->out, "serial 4f of factory-ca, by its serial alone\n");
	has(w->out, "192.0.2.0/24: tcp 443   (sample.conf:");
	has(w->out, "class:gateway: tcp 1883");
	has(w->out, "*.iot.example: tcp 8883");
	has(w->out, "closed until names are resolved");
	assert_int_equal(RUN("device", "show", "sensor-1", "--json"), EXIT_DONE);
	says_string(w, "station", "quarantined");
	says_string(w, "cause.0", "revoked");
	says_string(w, "revoked.reason", "keyCompromise");
	says_true(w, "certificates.0.clean_can_be_told", false);
	assert_int_equal(RUN("device", "show", "sensor-7"), EXIT_MISTAKES);
	has(w->err, "did you mean \"sensor-1\"?");
}

static void
test_classes(void **state)
{
	struct world *w = *state;

	assert_int_equal(RUN("class", "list"), EXIT_DONE);
	has(w->out, "quarantine");
	has(w->out, "audit");
	assert_int_equal(RUN("class", "show", "gateway", "--json"), EXIT_DONE);
	says_string(w, "mode", "audit");
	says_number(w, "devices", 2);
	says_string(w, "allow.0.to", "0.0.0.0/0");
	says_string(w, "allow.0.services.0", "tcp 1-65535");
	says_string(w, "members.0", "alpha");
	says_string(w, "refuse", "drop");
	says_string(w, "inbound.0.from", "class:sensor");
	assert_int_equal(RUN("class", "show", "sensor"), EXIT_DONE);
	has(w->out, "icmp echo-request");
	has(w->out, "198.51.100.1: anything");
	has(w->out, "198.51.100.2: gre");
	has(w->out, "refuses: drop, without an answer\n");
	has(w->out, "may be reached from:\n  class:sensor: udp 5353");
}

/* ---- apply -------------------------------------------------------------- */

static void
test_apply(void **state)
{
	struct world *w = *state;

	w->fake.applied = (struct ctl_applied){ .revision = 4, .devices = 1200, .classes = 3, .added = 12, .removed = 3,
		.renewed = 4, .microseconds = 1234 };
	assert_int_equal(RUN("policy", "apply"), EXIT_DONE);
	assert_string_equal(w->out, "revision 4 runs: 1,200 devices, 3 classes; 12 elements added, 3 removed, "
	    "4 devices renewed; the kernel took 1.2 ms\n");
	assert_int_equal(RUN("policy", "apply", "--json"), EXIT_DONE);
	says_true(w, "applied", true);
	says_number(w, "renewed", 4);
	fake_stop(&w->fake);
	w->fake.folder[0] = '\0';
	w->fake.applied = (struct ctl_applied){ .revision = 5, .devices = 1, .classes = 1 };
	assert_int_equal(RUN("policy", "apply"), EXIT_DONE);
	assert_string_equal(w->out, "revision 5 runs: 1 device, 1 class; nothing changed in the kernel\n");
}

static void
test_apply_with_mistakes(void **state)
{
	struct world *w = *state;

	w->fake.applied = (struct ctl_applied){ .revision = 4, .mistakes = 2 };
	w->fake.mistakes = "a.conf:1: x\nb.conf:2: y\x1b\n";
	assert_int_equal(RUN("policy", "apply"), EXIT_MISTAKES);
	has(w->err, "a.conf:1: x\nb.conf:2: y\\x1b\n");
	has(w->err, "2 mistakes: nothing was applied, revision 4 still runs");
	assert_int_equal(RUN("policy", "apply", "--json"), EXIT_MISTAKES);
	says_true(w, "applied", false);
	says_string(w, "lines.0", "a.conf:1: x");
}

static void
test_apply_not_taken(void **state)
{
	struct world *w = *state;

	w->fake.applied = (struct ctl_applied){ .revision = 4, .error = ENOSPC };
	assert_int_equal(RUN("policy", "apply"), EXIT_MISTAKES);
	has(w->err, "nothing was changed, revision 4 still runs");
}

/* ---- for a while, and back ---------------------------------------------- */

static struct ctl_waits
somebody_waits(void)
{
	return (struct ctl_waits){ 7, 6, 1795346459000, 41500, 60, { 0, "alice" } };
}

static void
test_apply_for_a_while(void **state)
{
	struct world *w = *state;

	w->fake.applied = (struct ctl_applied){ .revision = 7, .devices = 1, .classes = 1, .waits = somebody_waits() };
	w->fake.steps = 2;
	assert_int_equal(RUN("policy", "apply", "--confirm", "60s"), EXIT_DONE);
	has(w->out, "it is left again in 42 s, unless you run `cordonctl policy confirm'\n");
	assert_int_equal(RUN("policy", "apply", "--confirm", "60s", "--json"), EXIT_DONE);
	says_number(w, "waits.revision", 7);
	says_number(w, "waits.left_ms", 41500);
	says_string(w, "waits.who.claimed", "alice");
	assert_int_equal(RUN("policy", "apply", "--confirm", "0s"), EXIT_USAGE);
	assert_int_equal(RUN("policy", "apply", "--confirm", "24h"), EXIT_DONE);
	assert_int_equal(RUN("policy", "apply", "--confirm", "86401s"), EXIT_USAGE);
	assert_int_equal(RUN("policy", "apply", "--confirm", "soon"), EXIT_USAGE);
	assert_int_equal(RUN("policy", "apply", "--wait"), EXIT_USAGE);
}

/* On a terminal it says what it is doing; elsewhere only what came of it. */
static void
test_steps_are_told(void **state)
{
	struct world *w = *state;

	w->fake.applied = (struct ctl_applied){ .revision = 7, .devices = 1, .classes = 1 };
	w->fake.steps = 2;
	w->terminal = true;
	assert_int_equal(RUN("policy", "apply"), EXIT_DONE);
	has(w->out, "reading and compiling the configuration ... 0 s");
	has(w->out, "checking, keeping and loading the policy ... 0 s\r\033[Krevision 7 runs");
	w->terminal = false;
	assert_int_equal(RUN("policy", "apply"), EXIT_DONE);
	assert_int_equal(strncmp(w->out, "revision 7 runs", 15), 0);
}

static void
test_waiting(void **state)
{
	struct world *w = *state;

	w->fake.applied = (struct ctl_applied){ .revision = 7, .waits = somebody_waits() };
	w->fake.silent_histories = 2;
	w->fake.n_history = 2;
	w->fake.history[0] = (struct history_entry){ .revision = 6, .what = HISTORY_CONFIRMED };
	w->fake.history[1] = (struct history_entry){ .revision = 7, .what = HISTORY_CONFIRMED, .who = { 0, "bob" } };
	assert_int_equal(RUN("policy", "apply", "--confirm", "60s", "--wait"), EXIT_DONE);
	has(w->out, "revision 7 stays: confirmed by root (says: bob)\n");
	fake_stop(&w->fake);
	w->fake.folder[0] = '\0';
	w->fake.history[1] = (struct history_entry){ .revision = 8, .other = 7, .what = HISTORY_REVERTED,
		.why = WHY_DEADLINE, .who = { CTL_NOBODY, "" } };
	assert_int_equal(RUN("policy", "apply", "--confirm", "60s", "--wait"), EXIT_DIFFERS);
	has(w->err, "REVERTED: revision 7 was left (nobody confirmed it in time; cordon itself)");
	assert_int_equal(RUN("policy", "rollback", "3", "--confirm", "60s", "--wait", "--json"), EXIT_DIFFERS);
	says_string(w, "outcome", "reverted");
	says_string(w, "why", "deadline");
	says_number(w, "running", 8);
}

static void
test_changes_are_refused(void **state)
{
	struct world *w = *state;

	setenv("SSH_CONNECTION", "203.0.113.9 50000 203.0.113.1 2222", 1);
	w->fake.applied = (struct ctl_applied){ .revision = 4, .refusal = REFUSAL_LOCKOUT };
	assert_int_equal(RUN("policy", "apply"), EXIT_MISTAKES);
	unsetenv("SSH_CONNECTION");
	has(w->err, "203.0.113.9 port 50000 to 203.0.113.1 port 2222");
	has(w->err, "services = ( { tcp = 2222; } )");
	has(w->err, "--force");
	fake_stop(&w->fake);
	w->fake.folder[0] = '\0';
	w->fake.applied = (struct ctl_applied){ .revision = 7, .refusal = REFUSAL_WAITS, .waits = somebody_waits() };
	assert_int_equal(RUN("policy", "rollback", "3"), EXIT_MISTAKES);
	has(w->err, "revision 7 waits for its confirmation: by root (says: alice)");
	has(w->err, "left again in 42 s");
	assert_int_equal(RUN("policy", "apply", "--json"), EXIT_MISTAKES);
	says_string(w, "refused", "waits");
	says_true(w, "applied", false);
	fake_stop(&w->fake);
	w->fake.folder[0] = '\0';
	w->fake.applied = (struct ctl_applied){ .revision = 4, .refusal = REFUSAL_NO_REVISION };
	assert_int_equal(RUN("policy", "rollback", "3"), EXIT_MISTAKES);
	has(w->err, "revision 3 is not kept");
	assert_int_equal(RUN("policy", "rollback"), EXIT_MISTAKES);
	has(w->err, "no other policy is kept");
	assert_int_equal(RUN("policy", "rollback", "0"), EXIT_USAGE);
	assert_int_equal(RUN("policy", "rollback", "three"), EXIT_USAGE);
}

static void
test_confirm(void **state)
{
	struct world *w = *state;

	w->fake.confirmed = (struct ctl_confirmed){ .waits = somebody_waits() };
	assert_int_equal(RUN("policy", "confirm"), EXIT_DONE);
	assert_string_equal(w->out, "revision 7 stays\n");
	assert_int_equal(RUN("policy", "confirm", "--json"), EXIT_DONE);
	says_number(w, "waits.revision", 7);
	fake_stop(&w->fake);
	w->fake.folder[0] = '\0';
	w->fake.confirmed = (struct ctl_confirmed){ .refusal = REFUSAL_NOTHING_WAITS };
	assert_int_equal(RUN("policy", "confirm"), EXIT_MISTAKES);
	has(w->err, "no policy waits");
	fake_stop(&w->fake);
	w->fake.folder[0] = '\0';
	w->fake.confirmed = (struct ctl_confirmed){ .error = ENOSPC, .waits = somebody_waits() };
	assert_int_equal(RUN("policy", "confirm"), EXIT_MISTAKES);
	has(w->err, "revision 7 still waits");
}

static void
test_policy_history(void **state)
{
	struct world *w = *state;

	w->fake.n_history = 3;
	w->fake.history[0] = (struct history_entry){ .revision = 1, .what = HISTORY_APPLIED, .added = 1200,
		.at = 1795346459000, .who = { 0, "al\x1b[2Jice" } };
	w->fake.history[1] = (struct history_entry){ .revision = 2, .what = HISTORY_APPLIED, .confirm_s = 60,
		.forced = 1 };
	w->fake.history[2] = (struct history_entry){ .revision = 3, .other = 2, .what = HISTORY_REVERTED,
		.why = WHY_BOOT, .who = { CTL_NOBODY, "" } };
	assert_int_equal(RUN("policy", "history"), EXIT_DONE);
	has(w->out, "1,200 added");
	has(w->out, "root (says: al\\x1b[2Jice)");
	has(w->out, "to be confirmed within 60 s; forced");
	has(w->out, "revision 2 was left: the machine started anew before it was confirmed");
	assert_true(strstr(w->out, "reverted") < strstr(w->out, "1,200"));
	assert_int_equal(RUN("policy", "history", "--json", "--limit", "2"), EXIT_DONE);
	says_string(w, "history.0.what", "reverted");
	says_number(w, "history.1.revision", 2);
	fake_stop(&w->fake);
	w->fake.folder[0] = '\0';
	memset(w->fake.history[1].who.login, 'x', CTL_LOGIN);	/* not ended: this is no cordond of ours */
	assert_int_equal(RUN("policy", "history"), EXIT_MISTAKES);
}

/* ---- policy explain ------------------------------------------------------ */

static void
test_explain(void **state)
{
	struct world *w = *state;

	assert_int_equal(RUN("policy", "explain", "--device", "sensor-1", "--to", "192.0.2.7", "--tcp", "443"), 0);
	has(w->out, "sensor-1 to 192.0.2.7, tcp 443: allowed");
	has(w->out, "by   sample.conf:");
	has(w->out, "also sample.conf:");
	has(w->out, "revision 4, which runs; the device is enforced;");
	has(w->out, "to refuse it, take it out of each of these lines");
	has(w->out, "is in @allow4_");
	assert_int_equal(RUN("policy", "explain", "--device", "sensor-1", "--to", "2001:db8::1", "--udp", "53"), 2);
	has(w->out, "refused");
	has(w->out, "{ to = \"2001:db8::1\"; udp = 53; }");
	assert_int_equal(RUN("policy", "explain", "--device", "sensor-1", "--to", "alpha", "--tcp", "1884"), 2);
	has(w->out, "the other end is the device alpha");
	has(w->out, "{ to = \"class:gateway\"; tcp = 1884; }");
	assert_int_equal(RUN("policy", "explain", "--device", "sensor-1", "--to", "appliance", "--icmp",
	    "echo-request"), 0);
	has(w->out, "the appliance's services say so");
	assert_int_equal(RUN("policy", "explain", "--device", "sensor-1", "--from", "192.0.2.9", "--protocol", "gre"), 2);
	has(w->out, "{ from = \"192.0.2.9\"; protocol = \"gre\"; }");
	assert_int_equal(RUN("policy", "explain", "--device", "sensor-1", "--to", "mqtt.iot.example", "--tcp", "8883"), 2);
	has(w->out, "names are closed");
	has(w->out, "named by sample.conf:");
}

static void
test_explain_stations(void **state)
{
	struct world *w = *state;
	uint32_t i = (uint32_t)(image_device_named(&w->im, "sensor-1") - w->im.devices);

	w->fake.stale_answers = 2;	/* an apply in between */
	fake_device(&w->fake, i)->where = STATION_QUARANTINED;
	assert_int_equal(RUN("policy", "explain", "--json", "--device", "sensor-1", "--to", "192.0.2.1", "--tcp",
	    "443"), 2);
	says_string(w, "verdict", "refused");
	says_string(w, "reason", "quarantine");
	says_string(w, "station", "quarantined");
	says_string(w, "policy", "revision 4, which runs");
	assert_int_equal(RUN("policy", "explain", "--json", "--device", "sensor-2", "--to", "192.0.2.1", "--tcp",
	    "443"), 0);
	says_string(w, "reason", "rule");
	says_string(w, "rules.0.class", "sensor");
	says_string(w, "rules.0.where.file", "sample.conf");
	says_string(w, "path.0.enter", "forward");
}

static void
test_explain_mistakes(void **state)
{
	struct world *w = *state;

	assert_int_equal(RUN("policy", "explain", "--to", "192.0.2.1", "--tcp", "443"), 64);
	assert_int_equal(RUN("policy", "explain", "--device", "sensor-3", "--to", "192.0.2.1", "--tcp", "443"), 1);
	has(w->err, "did you mean \"sensor-");
	assert_int_equal(RUN("policy", "explain", "--device", "sensor-1", "--tcp", "443"), 64);
	assert_int_equal(RUN("policy", "explain", "--device", "sensor-1", "--to", "192.0.2.1"), 64);
	assert_int_equal(RUN("policy", "explain", "--device", "sensor-1", "--to", "192.0.2.1", "--tcp", "443", "--udp",
	    "53"), 64);
	assert_int_equal(RUN("policy", "explain", "--device", "sensor-1", "--to", "192.0.2.1", "--tcp", "65536"), 64);
	assert_int_equal(RUN("policy", "explain", "--device", "sensor-1", "--to", "192.0.2.1", "--icmp", "ecko"), 64);
	assert_int_equal(RUN("policy", "explain", "--device", "sensor-1", "--to", "192.0.2.1", "--protocol", "tcp"), 64);
	assert_int_equal(RUN("policy", "explain", "--device", "sensor-1", "--from", "a.example", "--tcp", "1"), 64);
	assert_int_equal(RUN("policy", "explain", "--device", "sensor-1", "--to", "192.0.2.1", "--tcp", "1", "--at",
	    "soon"), 64);
	w->fake.unsealed = true;
	fake_stop(&w->fake);
	fake_start(&w->fake);
	assert_int_not_equal(RUN("policy", "explain", "--device", "sensor-1", "--to", "192.0.2.1", "--tcp", "443"), 0);
	assert_int_equal(strlen(w->out), 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		T(test_not_running), T(test_nobody_listens), T(test_hanging_up_is_said),
		T(test_answers_to_others_are_passed_over), T(test_revisions_must_match),
		T(test_unsealed_memory_is_refused), T(test_verify), T(test_snapshots_are_checked),
		T(test_status_healthy), T(test_every_fault_makes_unhealthy), T(test_status_unhealthy_is_said),
		T(test_explain), T(test_explain_stations), T(test_explain_mistakes),
		T(test_device_list), T(test_device_show), T(test_classes), T(test_apply), T(test_apply_with_mistakes), T(test_apply_not_taken),
		T(test_apply_for_a_while), T(test_steps_are_told), T(test_waiting), T(test_changes_are_refused), T(test_confirm),
		T(test_policy_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
