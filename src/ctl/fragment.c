/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fragment.c -- write an inventory out of what strangers said. Nothing of it is
 * taken as it came: names are made anew, addresses that could be another's are
 * left out, and no entry has a class. */
#include "ctl/fragment.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "ctl/format.h"
#include "model/names.h"
#include "model/policy.h"

#define NO_CLASS "?"
#define SUFFIX_LEN 7	/* "-00034f": the MAC's last three octets */

struct entry {
	const struct unknown *u;
	bool elsewhere;		/* on other interfaces too */
	char name[LIMIT_NAME];
};

/* An unknown device uses this address. */
struct claim {
	struct addr address;
	struct mac mac;
};

struct fragment {
	const struct unknown_list *l;
	const struct image *im;
	struct entry *entries;
	size_t n;
	struct claim *claims;
	size_t n_claims;
};

/* ---- names -------------------------------------------------------------- */

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Letters, digits and single marks between them. */
void
fragment_name(const char *said, char out[LIMIT_NAME])
{
	size_t n = 0;

	for (; *said != '\0' && n < LIMIT_NAME - 1 - SUFFIX_LEN; said++) {
		if (is_plain(*said))
			out[n++] = *said;
		else if (n > 0 && is_plain(out[n - 1]))
			out[n++] = strchr("._", *said) != NULL ? *said : '-';
	}
	if (n > 0 && !is_plain(out[n - 1]))
		n--;
	out[n] = '\0';
}

static bool
is_free(struct names *taken, const struct image *im, const char *name)
{
	return image_device_named(im, name) == NULL && names_add(taken, name, 0, NULL) == 0;
}

/* What it calls itself; with a part of its MAC when that name is taken; its MAC. */
static void
choose_name(struct entry *e, struct names *taken, const struct image *im)
{
	const uint8_t *m = e->u->s.mac.bytes;
	size_t len;

	fragment_name(e->u->s.dhcp_name, e->name);
	if (e->name[0] != '\0' && is_free(taken, im, e->name))
		return;
	len = strlen(e->name);
	if (len > 0) {
		snprintf(e->name + len, sizeof(e->name) - len, "-%02x%02x%02x", m[3], m[4], m[5]);
		if (is_free(taken, im, e->name))
			return;
	}
	snprintf(e->name, sizeof(e->name), "new-%02x-%02x-%02x-%02x-%02x-%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
	(void)is_free(taken, im, e->name);
}

/* ---- addresses ---------------------------------------------------------- */

static bool
is_link_local(const struct addr *a)
{
	return a->family == AF_INET ? a->bytes[0] == 169 && a->bytes[1] == 254 :
	    a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

static int
compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int d = addr_cmp(&x->address, &y->address);

	return d != 0 ? d : memcmp(&x->mac, &y->mac, sizeof(x->mac));
}

static int
collect_claims(struct fragment *f)
{
	f->claims = calloc(f->l->n > 0 ? f->l->n : 1, LIMIT_SIGHTING_ADDRESSES * sizeof(*f->claims));
	if (f->claims == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < f->l->n; i++) {
		const struct sighting *s = &f->l->list[i].s;

		for (unsigned j = 0; j < s->n_addresses; j++)
			f->claims[f->n_claims++] = (struct claim){ .address = s->addresses[j], .mac = s->mac };
	}
	qsort(f->claims, f->n_claims, sizeof(*f->claims), compare_claims);
	return 0;
}

/* Does another unknown device use it as well? Those who do stand beside us. */
static bool
is_shared(const struct fragment *f, const struct mac *mac, const struct addr *a)
{
	const struct claim own = { .address = *a, .mac = *mac }, *end = f->claims + f->n_claims;
	const struct claim *at = bsearch(&own, f->claims, f->n_claims, sizeof(own), compare_claims), *other;

	for (other = at; other != NULL && other > f->claims && compare_claims(other, &own) == 0; )
		other--;
	if (other != NULL && compare_claims(other, &own) != 0 && addr_cmp(&other->address, a) == 0)
		return true;
	for (other = at; other != NULL && other < end && compare_claims(other, &own) == 0; )
		other++;
	return other != NULL && other < end && addr_cmp(&other->address, a) == 0;
}

/* Who used more addresses than are kept is a router or lies. */
static size_t
own_addresses(const struct fragment *f, const struct entry *e, const struct addr *out[LIMIT_SIGHTING_ADDRESSES])
{
	const struct sighting *s = &e->u->s;
	size_t n = 0;

	for (unsigned i = 0; i < s->n_addresses && !s->more_addresses; i++) {
		const struct addr *a = &s->addresses[i];

		if (device_address_fault(a) == NULL && !is_link_local(a) && !is_shared(f, &s->mac, a) &&
		    image_device_with_address(f->im, a->family, a->bytes) == NULL)
			out[n++] = a;
	}
	return n;
}

/* ---- entries ------------------------------------------------------------ */

static int
by_mac(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int d = memcmp(x->u->s.mac.bytes, y->u->s.mac.bytes, sizeof(x->u->s.mac.bytes));

	/* of several places the one where it was seen last stands for it */
	return d != 0 ? d : x->u->s.last_ms > y->u->s.last_ms ? -1 : x->u->s.last_ms < y->u->s.last_ms;
}

static int
make_entries(struct fragment *f)
{
	struct names taken;
	size_t i;

	if ((f->entries = calloc(f->l->n > 0 ? f->l->n : 1, sizeof(*f->entries))) == NULL)
		return -ENOMEM;
	for (i = 0; i < f->l->n; i++)
		f->entries[i].u = &f->l->list[i];
	qsort(f->entries, f->l->n, sizeof(*f->entries), by_mac);
	names_init(&taken);
	for (i = 0; i < f->l->n; i++) {
		const struct unknown *u = f->entries[i].u;

		if (f->n > 0 && memcmp(&f->entries[f->n - 1].u->s.mac, &u->s.mac, sizeof(u->s.mac)) == 0) {
			f->entries[f->n - 1].elsewhere = true;
			continue;
		}
		f->entries[f->n] = (struct entry){ .u = u };
		choose_name(&f->entries[f->n++], &taken, f->im);
	}
	names_done(&taken);
	return 0;
}

static void
fragment_done(struct fragment *f)
{
	free(f->entries);
	free(f->claims);
}

static int
fragment_init(struct fragment *f, const struct unknown_list *l, const struct image *im)
{
	*f = (struct fragment){ .l = l, .im = im };
	if (make_entries(f) == 0 && collect_claims(f) == 0)
		return 0;
	fragment_done(f);
	return -ENOMEM;
}

/* ---- the two forms ------------------------------------------------------ */

int
fragment_csv(const struct unknown_list *l, const struct image *im, FILE *out)
{
	const struct addr *own[LIMIT_SIGHTING_ADDRESSES];
	char mac[MAC_STRLEN], addr[ADDR_STRLEN];
	struct fragment f;

	if (fragment_init(&f, l, im) < 0)
		return -ENOMEM;
	fputs("name,class,mac,address,interface\n", out);
	for (size_t i = 0; i < f.n; i++) {
		const struct entry *e = &f.entries[i];
		size_t n = own_addresses(&f, e, own);

		fprintf(out, "%s,%s,%s,", e->name, NO_CLASS, mac_format(&e->u->s.mac, mac));
		for (size_t j = 0; j < n; j++)
			fprintf(out, "%s%s", j > 0 ? ";" : "", addr_format(own[j], addr));
		/* an interface's name may hold a comma */
		if (!e->elsewhere && interface_name_is_valid(e->u->s.interface))
			fprintf(out, ",\"%s\"\n", e->u->s.interface);
		else
			fputs(",\n", out);
	}
	fragment_done(&f);
	return 0;
}

static void
print_comment(const struct fragment *f, const struct entry *e, FILE *out)
{
	const struct sighting *s = &e->u->s;
	const char *maker = makers_name(&f->l->makers, &s->mac);
	char text[4 * SIGHTING_TEXT], time[2][TIME_STRLEN], n[COUNT_STRLEN];

	fprintf(out, "  # %s", maker != NULL ? format_text(maker, text, sizeof(text)) :
	    mac_is_local(&s->mac) ? "random or virtual MAC" : "maker unknown");
	if (s->dhcp_name[0] != '\0')
		fprintf(out, "; calls itself \"%s\"", format_text(s->dhcp_name, text, sizeof(text)));
	if (s->dhcp_vendor[0] != '\0')
		fprintf(out, "; DHCP class \"%s\"", format_text(s->dhcp_vendor, text, sizeof(text)));
	fprintf(out, "\n  # first seen %s, last %s, %s packets refused%s%s\n", format_time(s->first_ms, time[0]),
	    format_time(s->last_ms, time[1]), format_count(s->packets, n),
	    s->more_addresses ? "; many addresses: a router?" : "", e->elsewhere ? "; on several interfaces" : "");
}

static void
print_entry(const struct fragment *f, const struct entry *e, FILE *out)
{
	const struct addr *own[LIMIT_SIGHTING_ADDRESSES];
	size_t n = own_addresses(f, e, own);
	char mac[MAC_STRLEN], addr[ADDR_STRLEN];

	print_comment(f, e, out);
	fprintf(out, "  { name = \"%s\"; class = \"%s\"; mac = \"%s\";", e->name, NO_CLASS,
	    mac_format(&e->u->s.mac, mac));
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s\"%s\"%s", i == 0 ? "\n    address = [ " : ", ", addr_format(own[i], addr),
		    i + 1 == n ? " ];" : "");
	if (!e->elsewhere && interface_name_is_valid(e->u->s.interface))
		fprintf(out, "\n    interface = \"%s\";", e->u->s.interface);
	fputs(" }", out);
}

int
fragment_config(const struct unknown_list *l, const struct image *im, int64_t now_ms, FILE *out)
{
	char time[TIME_STRLEN];
	struct fragment f;

	if (fragment_init(&f, l, im) < 0)
		return -ENOMEM;
	fprintf(out, "# Unknown devices, %s UTC. Give each that is yours its class for \"%s\" and a\n"
	    "# good name, delete the others, and put the file into devices.d. Addresses are\n"
	    "# what was seen: delete the line where a device may use any that is free.\n"
	    "devices = (\n", format_time(now_ms, time), NO_CLASS);
	for (size_t i = 0; i < f.n; i++) {
		print_entry(&f, &f.entries[i], out);
		fputs(i + 1 < f.n ? ",\n" : "\n", out);
	}
	fputs(");\n", out);
	fragment_done(&f);
	return 0;
}
