/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_question.c -- what `policy explain' is asked, from its options. */
#include "ctl/explain_question.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/clock.h"
#include "model/policy.h"
#include "model/words.h"

static int
read_time(struct ctl *c, int64_t *time_s)
{
	const char *text = args_value(c->args, OPT_AT), *end;
	struct clock_view now;
	struct tm tm = { .tm_isdst = -1 };
	int64_t ms;

	clock_now(&now);
	*time_s = now.wall_ms / 1000;
	if (text == NULL)
		return 0;
	if (args_rfc3339(text, &ms) == 0) {
		*time_s = ms / 1000;
		return 0;
	}
	/* Without a zone it is this machine's. */
	if ((end = strptime(text, "%Y-%m-%dT%H:%M", &tm)) == NULL || *end != '\0')
		return ctl_fail(c, EXIT_USAGE, "--at \"%.60s\": a time is expected, as in 2027-03-28T02:30 (local) or "
		    "2027-03-28T02:30:00Z", text);
	*time_s = mktime(&tm);
	return 0;
}

static const char *
nth_icmp_type(const void *arg, size_t i)
{
	return icmp_type_nth(*(const uint8_t *)arg, (unsigned)i);
}

static int
read_icmp(struct ctl *c, const char *text, struct question *q)
{
	const char *near;
	uint32_t number;
	size_t n = 0;
	uint8_t type;

	q->protocol = q->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	if (args_number(text, 255, &number) == 0) {
		q->port = (uint16_t)number;
		return 0;
	}
	if (icmp_type_parse(q->protocol, text, &type) == 0) {
		q->port = type;
		return 0;
	}
	while (icmp_type_nth(q->protocol, (unsigned)n) != NULL)
		n++;
	near = args_nearest(text, n, nth_icmp_type, &q->protocol);
	return ctl_fail(c, EXIT_USAGE, "--icmp \"%.60s\": a type of %s is expected, by number or name%s%s", text,
	    q->family == AF_INET ? "ICMP" : "ICMPv6", near != NULL ? ", as in " : "", near != NULL ? near : "");
}

static int
read_protocol(struct ctl *c, const char *text, struct question *q)
{
	uint32_t number;

	if (args_number(text, 255, &number) == 0)
		q->protocol = (uint8_t)number;
	else if (protocol_parse(text, &q->protocol) < 0)
		return ctl_fail(c, EXIT_USAGE, "--protocol \"%.60s\": no such protocol: a number or a name is expected, as "
		    "in gre", text);
	if (port_protocol_name(q->protocol) != NULL || q->protocol == IPPROTO_ICMP || q->protocol == IPPROTO_ICMPV6)
		return ctl_fail(c, EXIT_USAGE, "--protocol %.60s: say which port or type: --tcp, --udp, --sctp or --icmp",
		    text);
	return 0;
}

/* Exactly one of them. */
static int
read_service(struct ctl *c, struct question *q)
{
	static const struct {
		enum opt opt;
		uint8_t protocol;
	} ported[] = { { OPT_TCP, IPPROTO_TCP }, { OPT_UDP, IPPROTO_UDP }, { OPT_SCTP, IPPROTO_SCTP } };
	unsigned given = args_has(c->args, OPT_ICMP) + args_has(c->args, OPT_PROTOCOL);
	uint32_t number;

	for (size_t i = 0; i < sizeof(ported) / sizeof(ported[0]); i++) {
		if (!args_has(c->args, ported[i].opt))
			continue;
		given++;
		if (args_number(args_value(c->args, ported[i].opt), 65535, &number) < 0)
			return ctl_fail(c, EXIT_USAGE, "--%s \"%.60s\": a port is expected, as in 8883",
			    opt_infos[ported[i].opt].name, args_value(c->args, ported[i].opt));
		q->protocol = ported[i].protocol;
		q->port = (uint16_t)number;
	}
	if (given != 1)
		return ctl_fail(c, EXIT_USAGE, "say for what, once: --tcp PORT, --udp PORT, --sctp PORT, --icmp TYPE or "
		    "--protocol NAME");
	if (args_has(c->args, OPT_ICMP))
		return read_icmp(c, args_value(c->args, OPT_ICMP), q);
	return args_has(c->args, OPT_PROTOCOL) ? read_protocol(c, args_value(c->args, OPT_PROTOCOL), q) : 0;
}

/* A whole address of the device, of the other device's family where it has one. */
static const struct image_address *
address_of(const struct image *im, const struct image_device *d, uint8_t family)
{
	const struct image_address *any = NULL;

	for (uint32_t i = 0; i < d->addresses.n; i++) {
		const struct image_address *a = &im->addresses[d->addresses.first + i];

		if (!image_address_is_whole(a))
			continue;
		if (a->family == family)
			return a;
		any = any == NULL ? a : any;
	}
	return any;
}

static uint8_t
family_of(const struct image *im, const struct image_device *d)
{
	return d->addresses.n > 0 ? im->addresses[d->addresses.first].family : AF_INET;
}

/* An address, or a device, which stands for one of its own. *name: neither. */
static int
read_other(struct ctl *c, const struct image *im, const char *text, struct question *q, const char **name)
{
	const struct image_address *a;
	const struct image_device *d;

	*name = NULL;
	if (addr_parse(text, &q->other) == 0) {
		q->family = q->other.family;
		return 0;
	}
	if ((d = image_device_named(im, text)) != NULL) {
		if ((a = address_of(im, d, family_of(im, q->device))) == NULL)
			return ctl_fail(c, EXIT_MISTAKES, "%s has no declared address: say one of those it uses", text);
		q->other.family = q->family = a->family;
		memcpy(q->other.bytes, a->bytes, 16);
		return 0;
	}
	if (!host_name_is_valid(text) || q->kind == ASK_IN)
		return ctl_fail(c, EXIT_USAGE, "\"%.80s\" is no address and no device of this policy", text);
	*name = text;
	return 0;
}

static const char *
device_name(const void *arg, size_t i)
{
	const struct image *im = arg;

	return image_text(im, im->devices[i].name);
}

static int
read_device(struct ctl *c, const struct image *im, struct question *q)
{
	const char *name = args_value(c->args, OPT_DEVICE), *near;

	if (name == NULL)
		return ctl_fail(c, EXIT_USAGE, "say of which device: --device NAME");
	if ((q->device = image_device_named(im, name)) != NULL)
		return 0;
	near = args_nearest(name, im->n[IMAGE_DEVICES], device_name, im);
	return ctl_fail(c, EXIT_MISTAKES, "no device \"%.80s\" in this policy%s%s%s", name,
	    near != NULL ? "; did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
}

int
question_read(struct ctl *c, const struct image *im, struct question *q, const char **name)
{
	const char *to = args_value(c->args, OPT_TO), *from = args_value(c->args, OPT_FROM);
	int rc;

	*name = NULL;
	if ((rc = read_device(c, im, q)) != 0 || (rc = read_time(c, &q->time_s)) != 0)
		return rc;
	if ((to == NULL) == (from == NULL))
		return ctl_fail(c, EXIT_USAGE, "say where to, or where from: --to ADDRESS, --to appliance, or "
		    "--from ADDRESS");
	q->kind = from != NULL ? ASK_IN : strcmp(to, "appliance") == 0 ? ASK_APPLIANCE : ASK_OUT;
	q->family = family_of(im, q->device);
	if (q->kind != ASK_APPLIANCE && (rc = read_other(c, im, to != NULL ? to : from, q, name)) != 0)
		return rc;
	return read_service(c, q);
}
