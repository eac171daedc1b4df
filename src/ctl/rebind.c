/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rebind.c -- the text of an inventory with another MAC in one place. All else
 * stays as people wrote it. Understands no configuration: whether the right device
 * changed is seen by compiling what came out. */
#include "ctl/rebind.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAC_TEXT 17	/* "02:00:00:00:00:01" */

static bool
is_mac_char(char c)
{
	return isxdigit((unsigned char)c) || c == ':' || c == '-';
}

/* Is it written here, as a word of its own? */
static bool
stands_at(const char *text, size_t len, size_t at, const struct mac *mac)
{
	char word[MAC_TEXT + 1];
	struct mac found;

	if (len - at < MAC_TEXT || (at > 0 && is_mac_char(text[at - 1])) ||
	    (len - at > MAC_TEXT && is_mac_char(text[at + MAC_TEXT])))
		return false;
	memcpy(word, text + at, MAC_TEXT);
	word[MAC_TEXT] = '\0';
	return mac_parse(word, &found) == 0 && memcmp(found.bytes, mac->bytes, sizeof(found.bytes)) == 0;
}

/* libconfig's comments: '#' and "//" to the end of the line, outside of quotes;
 * and those between slash and star. */
static bool
in_comment(const char *text, size_t at)
{
	bool quoted = false, line = false, block = false;
	size_t i;

	for (i = 0; i < at; i++) {
		if (line)
			line = text[i] != '\n';
		else if (block)
			block = !(i > 0 && text[i - 1] == '*' && text[i] == '/');
		else if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted && (text[i] == '#' || (text[i] == '/' && text[i + 1] == '/')))
			line = true;
		else if (!quoted && text[i] == '/' && text[i + 1] == '*')
			block = true;
	}
	return line || block;
}

static size_t
line_start(const char *text, size_t len, uint32_t line)
{
	size_t at = 0;

	for (; line > 1 && at < len; at++)
		line -= text[at] == '\n';
	return at;
}

static int
find(const char *text, size_t len, uint32_t line, bool csv, const struct mac *mac, size_t *out)
{
	size_t at;

	for (at = line_start(text, len, line); at < len; at++)
		if (stands_at(text, len, at, mac) && (csv || !in_comment(text, at))) {
			*out = at;
			return 0;
		}
	return -ENOENT;
}

int
rebind_text(const char *text, size_t len, uint32_t line, bool csv, const struct mac *old, const struct mac *new,
    const char *note, char **out, size_t *out_len)
{
	char mac[MAC_STRLEN];
	size_t at, begin;
	FILE *f;
	int rc;

	if ((rc = find(text, len, line, csv, old, &at)) < 0)
		return rc;
	for (begin = at; begin > 0 && text[begin - 1] != '\n'; begin--)
		;
	if ((f = open_memstream(out, out_len)) == NULL)
		return -ENOMEM;
	fwrite(text, 1, begin, f);
	if (note != NULL && !csv)
		fprintf(f, "%.*s# %s\n", (int)strspn(text + begin, " \t"), text + begin, note);
	fwrite(text + begin, 1, at - begin, f);
	fputs(mac_format(new, mac), f);
	fwrite(text + at + MAC_TEXT, 1, len - at - MAC_TEXT, f);
	rc = ferror(f) ? -ENOMEM : 0;
	if (fclose(f) == EOF)
		rc = -ENOMEM;
	if (rc < 0)
		free(*out);
	return rc;
}
