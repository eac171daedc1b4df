/* SPDX-License-Identifier: GPL-2.0-or-later */
/* makers.c -- names of makers. The list has 38,000 lines and is read once, for
 * the few prefixes that are asked for. */
#include "ctl/makers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/text.h"

#define LINE_MAX_BYTES 1024	/* longer lines are read in parts, of which none looks like a beginning */

void
makers_done(struct makers *m)
{
	free(m->list);
	memset(m, 0, sizeof(*m));
}

uint32_t
maker_prefix(const struct mac *mac)
{
	return (uint32_t)mac->bytes[0] << 16 | (uint32_t)mac->bytes[1] << 8 | mac->bytes[2];
}

/* IEEE 802: the second bit of the first octet. */
bool
mac_is_local(const struct mac *mac)
{
	return (mac->bytes[0] & 2) != 0;
}

/* Where the prefix stands, or would. */
static size_t
place(const struct makers *m, uint32_t prefix)
{
	size_t low = 0, high = m->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (m->list[middle].prefix < prefix)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int
makers_want(struct makers *m, const struct mac *mac)
{
	uint32_t prefix = maker_prefix(mac);
	size_t at = place(m, prefix);

	if (mac_is_local(mac) || (at < m->n && m->list[at].prefix == prefix))
		return 0;
	if (m->n == m->room) {
		size_t room = m->room != 0 ? 2 * m->room : 64;
		struct maker *list = reallocarray(m->list, room, sizeof(*list));

		if (list == NULL)
			return -ENOMEM;
		m->list = list;
		m->room = room;
	}
	memmove(&m->list[at + 1], &m->list[at], (m->n - at) * sizeof(m->list[0]));
	m->list[at].prefix = prefix;
	m->list[at].name[0] = '\0';
	m->n++;
	return 0;
}

/* n hexadecimal digits, with `between` after every two if it is not 0. */
static bool
read_prefix(const char *text, char between, uint32_t *out)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	uint32_t value = 0;

	for (unsigned i = 0; i < 6; i++) {
		const char *at;

		if (i > 0 && i % 2 == 0 && between != '\0' && *text++ != between)
			return false;
		if (*text == '\0' || (at = strchr(digits, *text++)) == NULL)
			return false;
		value = value << 4 | (uint32_t)((at - digits) % 16);
	}
	*out = value;
	return true;
}

static void
put_name(struct makers *m, uint32_t prefix, const char *name, size_t len)
{
	size_t at = place(m, prefix);

	if (at == m->n || m->list[at].prefix != prefix)
		return;
	if (len >= MAKER_NAME)
		len = MAKER_NAME - 1;
	memcpy(m->list[at].name, name, len);
	m->list[at].name[len] = '\0';
	text_clean(m->list[at].name);
}

/* "00-22-72   (hex)<tab><tab>American Micro-Fuel Device Corp." */
static bool
read_text_line(struct makers *m, const char *line)
{
	static const char hex[] = "(hex)";
	uint32_t prefix;
	const char *name;

	if (!read_prefix(line, '-', &prefix) || (name = strstr(line, hex)) == NULL)
		return false;
	name += sizeof(hex) - 1;
	name += strspn(name, " \t");
	put_name(m, prefix, name, strcspn(name, "\r\n"));
	return true;
}

/* "MA-L,002272,American Micro-Fuel Device Corp.,2181 Buchanan Loop ..."; a name
 * with a comma stands in quotes. */
static void
read_csv_line(struct makers *m, const char *line)
{
	const char *name;
	uint32_t prefix;

	if (strncmp(line, "MA-L,", 5) != 0 || !read_prefix(line + 5, '\0', &prefix) || line[11] != ',')
		return;
	name = line + 12;
	if (name[0] == '"')
		put_name(m, prefix, name + 1, strcspn(name + 1, "\"\r\n"));
	else
		put_name(m, prefix, name, strcspn(name, ",\r\n"));
}

void
makers_read(struct makers *m, FILE *f)
{
	char line[LINE_MAX_BYTES];

	while (fgets(line, sizeof(line), f) != NULL)
		if (!read_text_line(m, line))
			read_csv_line(m, line);
}

void
makers_look_up(struct makers *m, const char *folder)
{
	static const char *const names[] = { "oui.csv", "oui.txt" };
	char path[4096];
	FILE *f = NULL;

	for (size_t i = 0; m->n > 0 && f == NULL && i < sizeof(names) / sizeof(names[0]); i++)
		if (snprintf(path, sizeof(path), "%s/%s", folder, names[i]) < (int)sizeof(path))
			f = fopen(path, "re");
	if (f == NULL)
		return;
	makers_read(m, f);
	fclose(f);
}

const char *
makers_name(const struct makers *m, const struct mac *mac)
{
	uint32_t prefix = maker_prefix(mac);
	size_t at = place(m, prefix);

	return !mac_is_local(mac) && at < m->n && m->list[at].prefix == prefix && m->list[at].name[0] != '\0' ?
	    m->list[at].name : NULL;
}
