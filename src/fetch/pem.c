/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pem.c -- a certificate in the form that libcurl takes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/pem.h"

static const char begin_line[] = "-----BEGIN CERTIFICATE-----\n";
static const char end_line[] = "-----END CERTIFICATE-----\n";
static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *
quad(char *out, const uint8_t *p, size_t n)
{
	uint32_t v = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);

	*out++ = digits[v >> 18 & 63];
	*out++ = digits[v >> 12 & 63];
	*out++ = n > 1 ? digits[v >> 6 & 63] : '=';
	*out++ = n > 2 ? digits[v & 63] : '=';
	return out;
}

int
pem_certificate(const uint8_t *der, size_t len, char **out, size_t *out_len)
{
	size_t quads = (len + 2) / 3, at;
	char *text, *p;

	/* one line end for each 16 quads, and one for the rest */
	text = malloc(sizeof(begin_line) + sizeof(end_line) + 4 * quads + quads / 16 + 2);
	if (text == NULL)
		return -ENOMEM;
	p = text;
	memcpy(p, begin_line, sizeof(begin_line) - 1);
	p += sizeof(begin_line) - 1;
	for (at = 0; at < len; at += 3) {
		p = quad(p, der + at, len - at < 3 ? len - at : 3);
		if (at % 48 == 45 || at + 3 >= len)
			*p++ = '\n';
	}
	memcpy(p, end_line, sizeof(end_line));
	*out = text;
	*out_len = (size_t)(p - text) + sizeof(end_line) - 1;
	return 0;
}
