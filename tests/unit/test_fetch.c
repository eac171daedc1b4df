/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_fetch.c -- where a fetcher may go, and the form of a CA that curl takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fetch/header.h"
#include "fetch/hosts.h"
#include "fetch/ldif.h"
#include "fetch/pem.h"
#include "fetch/url.h"

static void
test_allowed(void **state)
{
	static const struct {
		const char *url;
		const char *prefix;
		bool allowed;
	} rows[] = {
		{ "http://pki.example/a.crl", "http://pki.example", true },
		{ "http://pki.example/a.crl", "http://pki.example/", true },
		{ "http://pki.example", "http://pki.example", true },
		{ "http://pki.example?crl", "http://pki.example", true },
		{ "http://pki.example.evil/a.crl", "http://pki.example", false },
		{ "http://pki.example@evil/a.crl", "http://pki.example", false },
		{ "http://pki.example:8080/a.crl", "http://pki.example", false },
		{ "http://pki.example:80801/a.crl", "http://pki.example:8080", false },
		{ "https://pki.example/a.crl", "http://pki.example", false },
		{ "http://pki.example/a.crl", "", false },
		{ "file:///srv/a.crl", "file:///srv/a.crl", true },
		{ "file:///srv/a.crl.other", "file:///srv/a.crl", false },
		{ "file:///srv/a.crl/", "file:///srv/a.crl", false },
		{ "ftp://pki.example/a.crl", "ftp://pki.example", false },
		{ "gopher://pki.example/", "gopher://pki.example", false },
		{ "", "", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (url_allowed(rows[i].url, rows[i].prefix) != rows[i].allowed)
			fail_msg("%s under %s", rows[i].url, rows[i].prefix);
}

static void
test_redirects(void **state)
{
	static const struct {
		const char *from;
		const char *to;
		bool allowed;
	} rows[] = {
		{ "http://pki.example/a", "http://pki.example/b", true },
		{ "http://pki.example/a", "http://PKI.example:80/b", true },
		{ "http://pki.example/a", "https://pki.example/b", true },
		{ "https://pki.example/a", "https://pki.example:443/b", true },
		{ "http://pki.example:81/a", "https://pki.example:8443/b", true },
		{ "https://pki.example/a", "http://pki.example/b", false },
		{ "http://pki.example/a", "http://pki.example:81/b", false },
		{ "https://pki.example/a", "https://pki.example:8443/b", false },
		{ "http://pki.example/a", "http://other.example/b", false },
		{ "http://pki.example/a", "http://pki.example.evil/b", false },
		{ "http://pki.example/a", "http://pki.example@evil/b", false },
		{ "http://pki.example/a", "file:///etc/passwd", false },
		{ "http://pki.example/a", "ftp://pki.example/b", false },
		{ "http://127.0.0.1/a", "http://127.0.0.2/b", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (url_may_redirect(rows[i].from, rows[i].to, "") != rows[i].allowed)
			fail_msg("%s to %s", rows[i].from, rows[i].to);
}

static void
test_pem(void **state)
{
	static const struct {
		const char *der;
		const char *pem;
	} rows[] = {
		{ "f", "Zg==\n" },
		{ "fo", "Zm8=\n" },
		{ "foo", "Zm9v\n" },
		{ "foob", "Zm9vYg==\n" },
		{ "012345678901234567890123456789012345678901234567",
		    "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3\n" },
		{ "0123456789012345678901234567890123456789012345678",
		    "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3\nOA==\n" },
	};
	char want[512], *pem;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(want, "-----BEGIN CERTIFICATE-----\n");
		strcat(strcat(want, rows[i].pem), "-----END CERTIFICATE-----\n");
		assert_int_equal(pem_certificate((const uint8_t *)rows[i].der, strlen(rows[i].der), &pem, &n), 0);
		assert_int_equal(n, strlen(want));
		assert_string_equal(pem, want);
		free(pem);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_redirects),
		cmocka_unit_test(test_pem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
