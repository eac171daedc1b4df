/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.c -- what an admin, a file name or a hostile image wrote reaches a
 * terminal only as printable UTF-8. */
#include <stdint.h>
#include <string.h>

#include "model/text.h"

size_t
text_character(const char *s, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)s;
	size_t len, i;
	uint32_t c;

	if (u[0] < 0x80)
		return u[0] >= 0x20 && u[0] != 0x7f;
	len = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
	if (u[0] < 0xc2 || u[0] > 0xf4 || len > left)
		return 0;
	c = u[0] & (0x7fU >> len);
	for (i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3f);
	}
	/* Too long a form, surrogates, beyond Unicode; C1 controls, line and
	 * paragraph separators, and the marks that reverse what is read. */
	if (c < least[len] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff || c < 0xa0 ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f)
		return 0;
	return len;
}

void
text_clean(char *s)
{
	size_t left = strlen(s), len;

	while (left > 0) {
		len = text_character(s, left);
		if (len == 0) {
			*s = '?';
			len = 1;
		}
		s += len;
		left -= len;
	}
}

bool
text_is_clean(const char *s)
{
	size_t left = strlen(s), len;

	while (left > 0 && (len = text_character(s, left)) > 0) {
		s += len;
		left -= len;
	}
	return left == 0;
}
