/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ldif.c -- the CRLs in what libcurl makes of an LDAP answer. Pure. */
#include "fetch/ldif.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

void
ldif_init(struct ldif *l)
{
	memset(l, 0, sizeof(*l));
}

/* RFC 4523 2.: what holds CRLs; ";binary" is how they are asked for. */
static bool
is_wanted(const char *name)
{
	static const char *const names[] = { "certificateRevocationList", "deltaRevocationList",
		"authorityRevocationList" };
	size_t i, n = strcspn(name, ";");

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (n == strlen(names[i]) && strncasecmp(name, names[i], n) == 0)
			return name[n] == '\0' || strcasecmp(name + n, ";binary") == 0;
	return false;
}

static int
flush(struct ldif *l, const struct ldif_sink *sink)
{
	int rc = 0;

	if (l->n_out > 0)
		rc = sink->bytes(sink->arg, l->out, l->n_out);
	l->n_out = 0;
	return rc;
}

static int
put(struct ldif *l, uint8_t byte, const struct ldif_sink *sink)
{
	l->out[l->n_out++] = byte;
	return l->n_out == sizeof(l->out) ? flush(l, sink) : 0;
}

/* The value of a digit, or -1. */
static int
digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int
take_digit(struct ldif *l, uint8_t c, const struct ldif_sink *sink)
{
	int v = digit(c);

	if (c == '=') {
		l->padded = true;
		return 0;
	}
	if (v < 0 || l->padded)
		return -EBADMSG;
	l->bits = (l->bits << 6 | (uint32_t)v) & 0xffff;
	l->n_bits += 6;
	if (l->n_bits < 8)
		return 0;
	l->n_bits -= 8;
	return put(l, (uint8_t)(l->bits >> l->n_bits), sink);
}

static int
end_of_line(struct ldif *l, const struct ldif_sink *sink)
{
	int rc = 0;

	if (l->phase == LDIF_TEXT || l->phase == LDIF_BASE64) {
		rc = flush(l, sink);
		/* one digit alone makes no byte: something is missing */
		if (rc == 0 && l->phase == LDIF_BASE64 && l->n_bits == 6)
			rc = -EBADMSG;
	}
	l->phase = LDIF_NAME;
	l->name_len = 0;
	l->bits = l->n_bits = 0;
	l->padded = false;
	return rc;
}

static int
begin_value(struct ldif *l, enum ldif_phase phase, const struct ldif_sink *sink)
{
	l->phase = phase;
	l->values++;
	return sink->begin(sink->arg);
}

static void
take_name(struct ldif *l, uint8_t c)
{
	if (c == ':') {
		l->name[l->name_len] = '\0';
		l->phase = is_wanted(l->name) ? LDIF_COLON : LDIF_SKIP;
	} else if (l->name_len == 0 && (c == ' ' || c == '\t')) {
		return;
	} else if (c == '\0' || l->name_len == sizeof(l->name) - 1) {
		l->phase = LDIF_SKIP;
	} else {
		l->name[l->name_len++] = (char)c;
	}
}

static int
take(struct ldif *l, uint8_t c, const struct ldif_sink *sink)
{
	int rc;

	if (c == '\n')
		return end_of_line(l, sink);
	l->others += l->phase == LDIF_NAME || l->phase == LDIF_SKIP;
	switch (l->phase) {
	case LDIF_NAME:
		take_name(l, c);
		return 0;
	case LDIF_COLON:
		if (c == ':')
			return begin_value(l, LDIF_BASE64, sink);
		if ((rc = begin_value(l, LDIF_TEXT, sink)) != 0 || c == ' ')
			return rc;
		return put(l, c, sink);
	case LDIF_TEXT:
		return put(l, c, sink);
	case LDIF_BASE64:
		return c == ' ' || c == '\r' ? 0 : take_digit(l, c, sink);
	case LDIF_SKIP:
		return 0;
	}
	return 0;
}

int
ldif_feed(struct ldif *l, const void *data, size_t n, const struct ldif_sink *sink)
{
	const uint8_t *p = data;
	size_t i;
	int rc;

	for (i = 0; i < n; i++)
		if ((rc = take(l, p[i], sink)) != 0)
			return rc;
	return 0;
}

int
ldif_finish(struct ldif *l, const struct ldif_sink *sink)
{
	return end_of_line(l, sink);
}
