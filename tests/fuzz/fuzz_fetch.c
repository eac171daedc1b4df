/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_fetch.c -- what cordon-fetch reads of servers and directories by itself: the
 * first byte says which. Besides not falling over, some answers must agree. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/header.h"
#include "fetch/hosts.h"
#include "fetch/ldif.h"
#include "fetch/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What came out: however the input was cut, it must be the same. */
struct told {
	uint64_t values;
	uint64_t bytes;
	uint64_t hash;
};

static int
on_value(void *arg)
{
	struct told *t = arg;

	t->values++;
	t->hash = t->hash * 31 + 7;
	return t->values > 64 ? -1 : 0;
}

static int
on_bytes(void *arg, const uint8_t *p, size_t n)
{
	struct told *t = arg;
	size_t i;

	if (n == 0 || t->values == 0)
		abort();
	t->bytes += n;
	for (i = 0; i < n; i++)
		t->hash = t->hash * 31 + p[i];
	return 0;
}

static int
read_ldif(const uint8_t *data, size_t size, size_t piece, struct told *t)
{
	const struct ldif_sink sink = { .begin = on_value, .bytes = on_bytes, .arg = t };
	struct ldif l;
	size_t at, n;
	int rc = 0;

	ldif_init(&l);
	for (at = 0; rc == 0 && at < size; at += n) {
		n = size - at < piece ? size - at : piece;
		rc = ldif_feed(&l, data + at, n, &sink);
	}
	return rc != 0 ? rc : ldif_finish(&l, &sink);
}

static void
fuzz_ldif(const uint8_t *data, size_t size)
{
	struct told a = { 0 }, b = { 0 };
	int x = read_ldif(data, size, SIZE_MAX, &a), y = read_ldif(data, size, 1 + size % 7, &b);

	if (x != y || memcmp(&a, &b, sizeof(a)) != 0 || a.bytes > size)
		abort();
}

static void
fuzz_header(const uint8_t *data, size_t size)
{
	char value[64] = "";
	uint32_t s;

	header_take((const char *)data, size, "Retry-After:", value, sizeof(value));
	if (memchr(value, '\0', sizeof(value)) == NULL)
		abort();
	s = header_retry_after(value, 1795359600);
	if (s > RETRY_AFTER_MAX_S)
		abort();
}

/* Two texts, with a NUL between them. */
static void
fuzz_url(const char *url, const char *list)
{
	char path[2048];

	(void)url_kind(url);
	(void)url_allowed(url, list);
	(void)url_bypasses_proxy(url, list);
	(void)url_is_proxy(url);
	(void)url_pins_well(url);
	if (url_path(url, path, sizeof(path)) == 0 && path[0] != '/')
		abort();
	/* What leads nowhere else than a list allows. */
	if (url_may_redirect("https://pki.example/a", url, list) && strncmp(url, "https://", 8) != 0)
		abort();
	if (url_may_redirect("http://pki.example/a", url, list) && url_kind(url) != URL_HTTP)
		abort();
	(void)hosts_name(list, url, "80");
	(void)hosts_without_proxy(list, url);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *list;
	char *copy;

	if (size == 0)
		return 0;
	if (data[0] % 3 == 0) {
		fuzz_ldif(data + 1, size - 1);
	} else if (data[0] % 3 == 1) {
		fuzz_header(data + 1, size - 1);
	} else {
		if ((copy = malloc(size + 1)) == NULL)
			abort();
		memcpy(copy, data + 1, size - 1);
		copy[size - 1] = copy[size] = '\0';
		list = copy + strlen(copy) + 1;
		fuzz_url(copy, list > copy + size ? "" : list);
		free(copy);
	}
	return 0;
}
