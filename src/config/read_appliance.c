/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_appliance.c -- the appliance itself: where its devices are, what they may
 * ask of it, what a quarantined one still reaches. */
#include <string.h>

#include "config/reader.h"
#include "proto/limits.h"

static void
add_interface(struct reader *r, const config_setting_t *s, void *target)
{
	struct appliance_decl *a = target;
	const char *name = want_string(r, s, "lan0");
	char **slot, *copy;

	if (name == NULL)
		return;
	if (!interface_name_is_valid(name)) {
		mistake(r, line_of(s), "device interface \"%.64s\" is no name of an interface: at most 15 characters, "
		    "no blanks, no '/', no patterns", name);
		return;
	}
	if ((copy = reader_copy(r, name)) == NULL ||
	    (slot = reader_grow(r, &a->interfaces, a->n_interfaces, sizeof(*slot))) == NULL)
		return;
	*slot = copy;
	a->n_interfaces++;
}

static void
key_interfaces(struct reader *r, const config_setting_t *s, void *target)
{
	each_value(r, s, add_interface, target);
}

static void
key_services(struct reader *r, const config_setting_t *s, void *target)
{
	struct appliance_decl *a = target;
	unsigned i, n;

	if (config_setting_is_group(s)) {
		read_services(r, s, &a->services, &a->n_services);
		return;
	}
	if (!config_setting_is_list(s)) {
		mistake(r, line_of(s), "`services' is %s: a list of groups is expected, as in "
		    "services = ( { udp = (67, 123); } )", type_name(s));
		return;
	}
	n = (unsigned)config_setting_length(s);
	for (i = 0; i < n && r->error == 0; i++)
		read_services(r, config_setting_get_elem(s, i), &a->services, &a->n_services);
}

/* Checked now, used by the name proxy. */
static void
check_resolver(struct reader *r, const config_setting_t *s, void *target)
{
	const char *text = want_string(r, s, "127.0.0.1");
	struct addr a;

	(void)target;
	if (text != NULL && addr_parse(text, &a) < 0)
		mistake(r, line_of(s), "resolver \"%.64s\" is no address: an IPv4 or IPv6 address is expected", text);
}

static void
key_resolvers(struct reader *r, const config_setting_t *s, void *target)
{
	each_value(r, s, check_resolver, target);
	advice(r, line_of(s), "resolvers are not asked yet: the name proxy that uses them does not run");
}

static void
key_brake_devices(struct reader *r, const config_setting_t *s, void *target)
{
	struct appliance_decl *a = target;
	long long n;

	if (want_number(r, s, 1, LIMIT_DEVICES, &n))
		a->brake_devices = (uint32_t)n;
}

static void
key_brake_within(struct reader *r, const config_setting_t *s, void *target)
{
	struct appliance_decl *a = target;

	want_duration(r, s, 1, LIMIT_BRAKE_SECONDS, &a->brake_within_s);
}

static void
key_brake(struct reader *r, const config_setting_t *s, void *target)
{
	static const struct key keys[] = {
		{ "devices", key_brake_devices, KEY_NEEDED },
		{ "within", key_brake_within, KEY_NEEDED },
		{ NULL, NULL, NULL }
	};

	struct appliance_decl *a = target;

	if (config_setting_type(s) != CONFIG_TYPE_STRING) {
		read_group(r, s, keys, "brake", a);
	} else if (strcmp(config_setting_get_string(s), "off") == 0) {
		a->brake_devices = a->brake_within_s = 0;
		advice(r, line_of(s), "brake = \"off\": a CRL that lists a whole fleet by mistake quarantines it at once");
	} else {
		mistake(r, line_of(s), "brake = \"%.64s\": brake = { devices = 32; within = \"1h\"; } or \"off\" is "
		    "expected", config_setting_get_string(s));
	}
}

static void
key_quarantine_allow(struct reader *r, const config_setting_t *s, void *target)
{
	struct appliance_decl *a = target;

	read_allow(r, s, &a->quarantine, &a->n_quarantine);
}

static void
key_quarantine(struct reader *r, const config_setting_t *s, void *target)
{
	static const struct key keys[] = {
		{ "allow", key_quarantine_allow, KEY_NEEDED },
		{ NULL, NULL, NULL }
	};

	read_group(r, s, keys, "quarantine", target);
}

static void
key_hook_priority(struct reader *r, const config_setting_t *s, void *target)
{
	struct appliance_decl *a = target;
	long long n;

	if (want_number(r, s, LIMIT_HOOK_PRIORITY_MIN, LIMIT_HOOK_PRIORITY_MAX, &n))
		a->hook_priority = (int32_t)n;
}

static void
key_log_group(struct reader *r, const config_setting_t *s, void *target)
{
	struct appliance_decl *a = target;
	long long n;

	if (want_number(r, s, 1, LIMIT_LOG_GROUP, &n))
		a->log_group = (uint32_t)n;
}

static void
key_connections(struct reader *r, const config_setting_t *s, void *target)
{
	struct appliance_decl *a = target;
	long long n;

	if (want_number(r, s, 1, LIMIT_CONNECTIONS, &n))
		a->connections = (uint32_t)n;
}

static void
key_window(struct reader *r, const config_setting_t *s, void *target)
{
	struct appliance_decl *a = target;

	want_duration(r, s, 1, LIMIT_WINDOW_SECONDS, &a->window_s);
}

void
read_appliance(struct reader *r, const config_setting_t *s)
{
	static const struct key keys[] = {
		{ "device_interfaces", key_interfaces, KEY_NEEDED },
		{ "services", key_services, NULL },
		{ "resolvers", key_resolvers, NULL },
		{ "brake", key_brake, NULL },
		{ "quarantine", key_quarantine, NULL },
		{ "hook_priority", key_hook_priority, NULL },
		{ "log_group", key_log_group, NULL },
		{ "connections", key_connections, NULL },
		{ "window", key_window, NULL },
		{ NULL, NULL, NULL }
	};
	struct appliance_decl *a = &r->p->appliance;

	if (r->have_appliance) {
		mistake(r, line_of(s), "the appliance is declared twice: the first is at %s:%u",
		    r->p->files[a->where.file], a->where.line);
		return;
	}
	r->have_appliance = true;
	a->where = reader_where(r, line_of(s));
	read_group(r, s, keys, "appliance", a);
}
