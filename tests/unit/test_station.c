/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_station.c -- by whose rules a device lives where it stands: its own class's, those
 * of the class that it is restricted to, or one of the lists of quarantine. Packets run for
 * IPv4 and for IPv6. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "model/diff.h"
#include "network.h"

/* PORT is a sensor, LOOSE and FREE are cameras, GATE is a gateway, PROBE is offline by
 * its own class. The authority "factory" restricts to offline; that of GATE to nothing. */
enum { CAMERA_REMEDY = OTHER, CLOCK = ANYTHING };

struct wish {
	const char *restrict_class;	/* of "factory", or NULL */
	bool camera_list;		/* cameras have a list of their own in quarantine */
	uint16_t sensor_port, offline_port;
	enum class_mode offline_mode;
	enum class_refuse offline_refuse;
};
static const struct wish usual = { "offline", true, 443, 123, MODE_ENFORCE, REFUSE_DROP };

static const char *const four[] = { [PORT] = "10.10.0.1", [LOOSE] = "10.10.0.2", [GATE] = "10.10.0.3",
	[PROBE] = "10.10.0.4", [SERVER] = "192.0.2.10", [CAMERA_REMEDY] = "192.0.2.11", [CLOCK] = "192.0.2.12",
	[REMEDY] = "192.0.2.80" };
static const char *const six[] = { [PORT] = "fd10::1", [LOOSE] = "fd10::2", [GATE] = "fd10::3",
	[PROBE] = "fd10::4", [SERVER] = "2001:db8::a", [CAMERA_REMEDY] = "2001:db8::b", [CLOCK] = "2001:db8::c",
	[REMEDY] = "2001:db8::50" };

static void
may(struct policy *p, struct class_decl *c, int host, uint16_t port)
{
	sample_rule(p, c, four[host], BOX_PORTS, IPPROTO_TCP, port, port);
	sample_rule(p, c, six[host], BOX_PORTS, IPPROTO_TCP, port, port);
}

static void
may_meet(struct policy *p, struct class_decl *c, const char *class, uint16_t port)
{
	sample_rule(p, c, class, BOX_PORTS, IPPROTO_TCP, port, port);
}

/* Its list in quarantine: rules are written into a class that nobody declared. */
static void
remedy(struct policy *p, struct class_decl *c, int host, uint16_t port)
{
	struct class_decl list = { .rules = c->quarantine, .n_rules = c->n_quarantine };

	may(p, &list, host, port);
	c->quarantine = list.rules;
	c->n_quarantine = list.n_rules;
}

static void
device(struct policy *p, const char *name, const char *class, int host, const char *port, const char *authority)
{
	sample_address(sample_device(p, name, class, (uint8_t)host, four[host], port, authority, (uint8_t)host),
	    six[host]);
}

static void
authorities(struct policy *p, const struct wish *w)
{
	struct authority_decl *a;

	sample_authority(p, "factory", "http://pki.example/factory.crl");
	sample_authority(p, "gates", "http://pki.example/gates.crl");
	a = &p->authorities[0];
	if (w->restrict_class == NULL)
		return;
	a->when_stale = WHEN_STALE_RESTRICT;
	if ((a->restrict_class = strdup(w->restrict_class)) == NULL)
		abort();
}

static struct policy *
wished(const struct wish *w)
{
	struct policy *p = sample_new();
	struct class_decl *c = sample_class(p, "sensor");

	may(p, c, SERVER, w->sensor_port);
	may_meet(p, c, "class:gateway", 1883);
	c->rate = 9;
	c->rate_burst = 9;
	c = sample_class(p, "camera");
	may(p, c, SERVER, 443);
	if (w->camera_list)
		remedy(p, c, CAMERA_REMEDY, 8443);
	c = sample_class(p, "gateway");
	may_meet(p, c, "class:sensor", 554);
	may_meet(p, c, "class:camera", 554);
	may_meet(p, c, "class:offline", 555);
	sample_inbound(c, four[SERVER], BOX_PORTS, IPPROTO_TCP, 22, 22);
	sample_inbound(c, six[SERVER], BOX_PORTS, IPPROTO_TCP, 22, 22);
	c = sample_class(p, "offline");
	may(p, c, CLOCK, w->offline_port);
	c->mode = w->offline_mode;
	c->refuse = w->offline_refuse;
	c->rate = 5;
	c->rate_burst = 5;
	sample_class(p, "elsewhere");
	sample_quarantine(p, four[REMEDY], 443);
	sample_quarantine(p, six[REMEDY], 443);
	sample_service(p, BOX_PORTS, IPPROTO_UDP, 123, 123);
	authorities(p, w);
	device(p, "port", "sensor", PORT, "lan0", "factory");
	device(p, "loose", "camera", LOOSE, NULL, "factory");
	device(p, "gate", "gateway", GATE, "lan1", "gates");
	device(p, "probe", "offline", PROBE, "lan0", NULL);
	sample_device(p, "free", "camera", FREE, NULL, NULL, "factory", FREE);
	return p;
}

static void
load_wish(const struct wish *w)
{
	struct policy *p = wished(w);
	size_t len;

	image = sample_image(p, NULL, &bytes, &len);
	policy_free(p);
	for (uint32_t i = 0; i < image.n[IMAGE_DEVICES]; i++)
		stations[i] = (struct station){ .number = image.devices[i].number, .generation = 1 };
	rules = ruleset_make(&image, stations, (struct features){ true, true });
	router_init(&router, &rules);
}

static int
prepare(void **state)
{
	v6 = *state != NULL;
	anew();
	load_wish(&usual);
	return 0;
}

#define EACH(test) \
	{ #test "_ipv4", test, prepare, teardown, NULL }, \
	{ #test "_ipv6", test, prepare, teardown, &v6 }

static uint32_t
class_number(const struct image *im, const char *name)
{
	const struct image_class *c = image_class_named(im, name);

	assert_non_null(c);
	return c->number;
}

static void
restrict_to(int host, const char *class)
{
	struct station *s = &stations[index_of(host)];

	s->generation++;
	s->limited = class == NULL ? 0 : class_number(&image, class);
	router_init(&router, &rules);
}

static uint32_t
stands_in(int host)
{
	return station_class(&image, &image.devices[index_of(host)], &stations[index_of(host)]);
}

/* ---- the notion --------------------------------------------------------- */

static void
test_class_of_a_station(void **state)
{
	const uint32_t camera_list = class_number(&image, "camera/quarantine");
	const struct { int host; uint8_t quarantined; const char *limited; uint32_t stands; } table[] = {
		{ PORT, 0, NULL, class_number(&image, "sensor") },
		{ PORT, 0, "offline", class_number(&image, "offline") },
		{ PORT, 1, NULL, 0 },
		{ PORT, 1, "offline", 0 },
		{ PORT, 1, "camera", 0 },			/* its own class's list, not that one's */
		{ LOOSE, 0, NULL, class_number(&image, "camera") },
		{ LOOSE, 0, "offline", class_number(&image, "offline") },
		{ LOOSE, 1, NULL, camera_list },
		{ LOOSE, 1, "offline", camera_list },
		{ FREE, 1, NULL, camera_list },
		{ GATE, 1, NULL, 0 },
		{ PROBE, 0, "offline", class_number(&image, "offline") },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct station st = { .number = 1, .generation = 1, .quarantined = table[i].quarantined };

		if (table[i].limited != NULL)
			st.limited = class_number(&image, table[i].limited);
		assert_int_equal(station_class(&image, &image.devices[index_of(table[i].host)], &st), table[i].stands);
	}
	/* The class is gone, and nobody looked after the station. */
	assert_int_equal(station_class(&image, &image.devices[index_of(PORT)], &(struct station){ .limited = 999 }),
	    class_number(&image, "sensor"));
	for (uint32_t i = 0; i < image.n[IMAGE_CLASSES]; i++)
		assert_int_equal(class_is_quarantine(&image.classes[i]),
		    image.classes[i].number == 0 || image.classes[i].number == camera_list);
}

static void
test_limit(void **state)
{
	const uint32_t offline = class_number(&image, "offline"), elsewhere = class_number(&image, "elsewhere");
	const struct image_device *sensor = &image.devices[index_of(PORT)], *gate = &image.devices[index_of(GATE)];

	(void)state;
	assert_int_equal(station_limit(&image, sensor), offline);
	assert_int_equal(station_limit(&image, gate), 0);
	assert_int_equal(station_limit(&image, &image.devices[index_of(PROBE)]), 0);
	assert_int_equal(station_limited_under(&image, sensor, 0), 0);
	assert_int_equal(station_limited_under(&image, sensor, offline), offline);
	assert_int_equal(station_limited_under(&image, sensor, elsewhere), offline);
	assert_int_equal(station_limited_under(&image, gate, offline), 0);
}

/* ---- quarantine, with a list of its class's and without ----------------- */

static void
test_remedies(void **state)
{
	static const int cameras[] = { LOOSE, FREE };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int host = cameras[i];

		anew();
		refused(packet(host, CAMERA_REMEDY, IPPROTO_TCP, 8443));	/* while it is healthy */
		refused(packet(host, REMEDY, IPPROTO_TCP, 443));
		opened(host, 443);
		move(host, true);
		refused(packet(host, SERVER, IPPROTO_TCP, 443));
		stopped(answer(SERVER, host, IPPROTO_TCP, 443));
		anew();
		passes(packet(host, CAMERA_REMEDY, IPPROTO_TCP, 8443));
		assert_int_equal(connection.mark, mark_of(host));
		passes(answer(CAMERA_REMEDY, host, IPPROTO_TCP, 8443));
		anew();
		passes(packet(host, REMEDY, IPPROTO_TCP, 443));
		anew();
		refused(packet(host, CAMERA_REMEDY, IPPROTO_TCP, 443));
		refused(packet(host, REMEDY, IPPROTO_TCP, 8443));
		move(host, false);
		anew();
		refused(packet(host, CAMERA_REMEDY, IPPROTO_TCP, 8443));
		opened(host, 443);
	}
	move(PORT, true);
	anew();
	passes(packet(PORT, REMEDY, IPPROTO_TCP, 443));
	anew();
	refused(packet(PORT, CAMERA_REMEDY, IPPROTO_TCP, 8443));
}

/* Answers that are on their way when the quarantine comes or ends. */
static void
test_answers_in_quarantine(void **state)
{
	(void)state;
	move(LOOSE, true);
	anew();
	passes(packet(LOOSE, CAMERA_REMEDY, IPPROTO_TCP, 8443));
	move(LOOSE, true);		/* another generation */
	passes(answer(CAMERA_REMEDY, LOOSE, IPPROTO_TCP, 8443));
	move(LOOSE, false);
	stray(answer(CAMERA_REMEDY, LOOSE, IPPROTO_TCP, 8443));
	anew();
	passes(packet(LOOSE, SERVER, IPPROTO_TCP, 443));
	move(LOOSE, true);
	stray(answer(SERVER, LOOSE, IPPROTO_TCP, 443));
}

static void
test_no_other_device(void **state)
{
	(void)state;
	passes(packet(GATE, LOOSE, IPPROTO_TCP, 554));
	passes(answer(LOOSE, GATE, IPPROTO_TCP, 554));
	move(LOOSE, true);
	refused(packet(GATE, LOOSE, IPPROTO_TCP, 554));
	stopped(answer(LOOSE, GATE, IPPROTO_TCP, 554));
	anew();
	refused(packet(LOOSE, GATE, IPPROTO_TCP, 22));
	refused(packet(LOOSE, PORT, IPPROTO_TCP, 8443));
	move(LOOSE, false);
	anew();
	passes(packet(SERVER, GATE, IPPROTO_TCP, 22));
	passes(answer(GATE, SERVER, IPPROTO_TCP, 22));
	move(GATE, true);
	stray(answer(GATE, SERVER, IPPROTO_TCP, 22));
	anew();
	refused(packet(SERVER, GATE, IPPROTO_TCP, 22));
	anew();
	refused(packet(GATE, LOOSE, IPPROTO_TCP, 554));
	assert_int_equal(router_sends(&router, HOOK_INPUT, packet(GATE, REMEDY, IPPROTO_UDP, 123), &connection),
	    VERDICT_DROP);
	assert_int_equal(router_sends(&router, HOOK_OUTPUT, packet(REMEDY, GATE, IPPROTO_TCP, 22), &connection),
	    VERDICT_DROP);
}

struct counted {
	size_t members, n;		/* of that class, of any */
	uint32_t class_number;
};

static int
count_element(void *arg, const struct element *e)
{
	struct counted *c = arg;
	bool members = e->set.kind == SET_MEMBERS4_CLASS || e->set.kind == SET_MEMBERS6_CLASS;

	c->members += members && e->set.number == c->class_number;
	c->n += members;
	return 0;
}

/* How many addresses of it are in the sets of a class's members, and of any's. */
static struct counted
members(int host, const char *class)
{
	struct counted c = { .class_number = class_number(&image, class) };

	elements_of_device(&rules, &image.devices[index_of(host)], &stations[index_of(host)], count_element, &c);
	return c;
}

static void
test_members(void **state)
{
	(void)state;
	assert_int_equal(members(LOOSE, "camera").members, 2);
	move(LOOSE, true);
	assert_int_equal(members(LOOSE, "camera").n, 0);
	move(PORT, true);
	assert_int_equal(members(PORT, "sensor").n, 0);
	move(LOOSE, false);
	restrict_to(LOOSE, "offline");
	assert_int_equal(members(LOOSE, "camera").members, 0);
	assert_int_equal(members(LOOSE, "offline").members, 2);
	restrict_to(LOOSE, "elsewhere");
	assert_int_equal(members(LOOSE, "offline").n, 0);
}

/* ---- restricted --------------------------------------------------------- */

static void
test_restricted(void **state)
{
	struct connection open;

	(void)state;
	opened(PORT, 443);
	open = connection;
	anew();
	passes(packet(PORT, GATE, IPPROTO_TCP, 1883));
	restrict_to(PORT, "offline");
	refused(packet(PORT, GATE, IPPROTO_TCP, 1883));
	connection = open;
	refused(packet(PORT, SERVER, IPPROTO_TCP, 443));
	stopped(answer(SERVER, PORT, IPPROTO_TCP, 443));
	anew();
	passes(packet(PORT, CLOCK, IPPROTO_TCP, 123));
	assert_int_equal(router_added(&router, SET_RATE), 1);
	passes(answer(CLOCK, PORT, IPPROTO_TCP, 123));
	anew();
	refused(packet(PORT, REMEDY, IPPROTO_TCP, 443));
	refused(packet(PORT, CAMERA_REMEDY, IPPROTO_TCP, 8443));
	opened(LOOSE, 443);			/* nobody else loses anything */
	restrict_to(PORT, NULL);
	anew();
	refused(packet(PORT, CLOCK, IPPROTO_TCP, 123));
	opened(PORT, 443);
}

static void
test_restricted_is_met_as_its_class(void **state)
{
	(void)state;
	passes(packet(GATE, PORT, IPPROTO_TCP, 554));
	restrict_to(PORT, "offline");
	refused(packet(GATE, PORT, IPPROTO_TCP, 554));
	anew();
	passes(packet(GATE, PORT, IPPROTO_TCP, 555));
	passes(answer(PORT, GATE, IPPROTO_TCP, 555));
	anew();
	passes(packet(GATE, PROBE, IPPROTO_TCP, 555));
	restrict_to(GATE, "offline");
	refused(packet(GATE, PROBE, IPPROTO_TCP, 555));
	stopped(answer(PROBE, GATE, IPPROTO_TCP, 555));
	anew();
	refused(packet(SERVER, GATE, IPPROTO_TCP, 22));
}

/* Quarantine comes before it, and it is there when that ends. */
static void
test_restricted_and_quarantined(void **state)
{
	(void)state;
	restrict_to(LOOSE, "offline");
	move(LOOSE, true);
	passes(packet(LOOSE, CAMERA_REMEDY, IPPROTO_TCP, 8443));
	anew();
	refused(packet(LOOSE, CLOCK, IPPROTO_TCP, 123));
	refused(packet(GATE, LOOSE, IPPROTO_TCP, 555));
	move(LOOSE, false);
	anew();
	passes(packet(LOOSE, CLOCK, IPPROTO_TCP, 123));
	anew();
	refused(packet(LOOSE, SERVER, IPPROTO_TCP, 443));
}

static void
test_mode_rate_and_refusal_of_that_class(void **state)
{
	struct wish w = usual;

	(void)state;
	restrict_to(PORT, "offline");
	router.says.over_rate = true;
	stopped(packet(PORT, CLOCK, IPPROTO_TCP, 123));
	assert_int_equal(router.logs[LOG_HASTY], 1);
	teardown(state);
	w.offline_refuse = REFUSE_REJECT;
	load_wish(&w);
	restrict_to(PORT, "offline");
	anew();
	assert_int_equal(router_sends(&router, HOOK_FORWARD, packet(PORT, SERVER, IPPROTO_TCP, 443), &connection),
	    VERDICT_REJECT);
	teardown(state);
	w.offline_mode = MODE_AUDIT;
	load_wish(&w);
	restrict_to(PORT, "offline");
	anew();
	passes(packet(PORT, SERVER, IPPROTO_TCP, 443));
	assert_int_equal(router.logs[LOG_REFUSED], 1);
	assert_int_equal(stands_in(PORT), class_number(&image, "offline"));
}

/* ---- what a change of station changes ----------------------------------- */

struct changes {
	size_t flushed_rate, staged;
	uint32_t class_number, staged_class;	/* that come */
};

static int
ignore_element(void *arg, const struct element *e)
{
	(void)arg;
	(void)e;
	return 0;
}

static int
see_element(void *arg, const struct element *e)
{
	struct changes *c = arg;

	c->staged += e->set.staged;
	if (e->set.kind == SET_CLASS_OF)
		*(e->set.staged ? &c->staged_class : &c->class_number) = e->mark;
	return 0;
}

static int
see_flush(void *arg, const struct set_ref *ref)
{
	struct changes *c = arg;

	c->flushed_rate += ref->kind == SET_RATE;
	return 0;
}

static struct changes
changed(int host, struct station to)
{
	static const struct diff_sink sink = { .del_element = ignore_element, .add_element = see_element,
		.flush_set = see_flush };
	struct station_change change = { (uint32_t)index_of(host), stations[index_of(host)], to };
	struct changes c = { 0, 0, UINT32_MAX, UINT32_MAX };

	change.to.number = change.from.number;
	assert_int_equal(diff_station_changes(&rules, &change, 1, &sink, &c), 0);
	return c;
}

static void
test_changes(void **state)
{
	const uint32_t offline = class_number(&image, "offline");
	struct changes c;

	(void)state;
	c = changed(PORT, (struct station){ .generation = 2, .limited = offline });
	assert_int_equal(c.class_number, offline);
	assert_int_equal(c.flushed_rate, 1);		/* 9 a second, and 5 now */
	assert_int_equal(c.staged, 0);
	c = changed(PORT, (struct station){ .generation = 2, .quarantined = 1 });
	assert_int_equal(c.class_number, 0);
	assert_int_equal(c.flushed_rate, 0);
	c = changed(LOOSE, (struct station){ .generation = 2, .quarantined = 1 });
	assert_int_equal(c.class_number, class_number(&image, "camera/quarantine"));
	c = changed(LOOSE, (struct station){ .generation = 2, .limited = offline });
	assert_int_equal(c.flushed_rate, 0);		/* it had none */
	c = changed(PORT, (struct station){ .generation = 2 });
	assert_int_equal(c.class_number, UINT32_MAX);	/* a new mark alone */
}

static void
test_staged(void **state)
{
	struct wish w = usual;
	struct policy *p;
	uint8_t *staged_bytes;
	struct changes c;
	struct image next;
	size_t len;

	(void)state;
	w.restrict_class = "elsewhere";
	p = wished(&w);
	next = sample_image(p, &image, &staged_bytes, &len);
	policy_free(p);
	rules.candidate = &next;
	c = changed(PORT, (struct station){ .generation = 2, .limited = class_number(&image, "offline") });
	assert_int_equal(c.class_number, class_number(&image, "offline"));
	assert_int_equal(c.staged_class, class_number(&next, "elsewhere"));
	c = changed(PORT, (struct station){ .generation = 2, .quarantined = 1 });
	assert_int_equal(c.staged, 0);		/* whoever is in quarantine is not asked about */
	router_end(&router);
	free(staged_bytes);
}

/* ---- what a policy changes ---------------------------------------------- */

static void
become(const struct wish *w, struct station out[DEVICES])
{
	struct policy *p = wished(w);
	uint8_t *next_bytes;
	struct image next;
	bool wrapped[DEVICES];
	uint32_t renewed;
	size_t len;

	next = sample_image(p, &image, &next_bytes, &len);
	policy_free(p);
	diff_stations(&image, stations, &next, out, wrapped, &renewed);
	free(next_bytes);
}

static bool
is_renewed(int host, const struct station *out)
{
	return out[index_of(host)].generation != stations[index_of(host)].generation;
}

static void
test_renewed(void **state)
{
	struct station out[DEVICES];
	struct wish w = usual;

	(void)state;
	restrict_to(PORT, "offline");
	become(&usual, out);
	assert_false(is_renewed(PORT, out));
	assert_int_equal(out[index_of(PORT)].limited, class_number(&image, "offline"));
	w.sensor_port = 444;		/* its own class lost something: it had it no more */
	become(&w, out);
	assert_false(is_renewed(PORT, out));
	w = usual;
	w.offline_port = 124;
	become(&w, out);
	assert_true(is_renewed(PORT, out));
	assert_true(is_renewed(PROBE, out));
	assert_false(is_renewed(LOOSE, out));
	w = usual;
	w.restrict_class = "elsewhere";
	become(&w, out);
	assert_true(is_renewed(PORT, out));
	assert_int_equal(out[index_of(PORT)].limited, class_number(&image, "elsewhere"));
	w.restrict_class = NULL;
	become(&w, out);
	assert_true(is_renewed(PORT, out));
	assert_int_equal(out[index_of(PORT)].limited, 0);
	assert_false(is_renewed(LOOSE, out));
}

/* Its class gets a list of its own, or loses it, while it is in quarantine. */
static void
test_list_comes_and_goes(void **state)
{
	struct station out[DEVICES];
	struct wish w = usual;

	(void)state;
	w.camera_list = false;
	move(LOOSE, true);
	move(PORT, true);
	become(&w, out);
	assert_true(is_renewed(LOOSE, out));
	assert_false(is_renewed(FREE, out));	/* healthy */
	assert_false(is_renewed(PORT, out));
	teardown(state);
	load_wish(&w);
	move(LOOSE, true);
	become(&usual, out);
	assert_true(is_renewed(LOOSE, out));
	assert_false(is_renewed(FREE, out));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_class_of_a_station, prepare, teardown),
		cmocka_unit_test_setup_teardown(test_limit, prepare, teardown),
		EACH(test_remedies), EACH(test_answers_in_quarantine), EACH(test_no_other_device),
		EACH(test_restricted), EACH(test_restricted_is_met_as_its_class),
		EACH(test_restricted_and_quarantined), EACH(test_mode_rate_and_refusal_of_that_class),
		cmocka_unit_test_setup_teardown(test_members, prepare, teardown),
		cmocka_unit_test_setup_teardown(test_changes, prepare, teardown),
		cmocka_unit_test_setup_teardown(test_staged, prepare, teardown),
		cmocka_unit_test_setup_teardown(test_renewed, prepare, teardown),
		cmocka_unit_test_setup_teardown(test_list_comes_and_goes, prepare, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
