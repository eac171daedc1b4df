/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_fetch.c -- where a fetcher may go, and how it reads what others wrote. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
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
		{ "file:///srv/crls/", "file:///srv/crls/", true },
		{ "file:///srv/crls/a", "file:///srv/crls/", false },
		{ "ldap://dc.example/cn=CA", "ldap://dc.example", true },
		{ "ldap://dc.example.evil/cn=CA", "ldap://dc.example", false },
		{ "ldaps://dc.example/cn=CA", "ldap://dc.example", false },
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
test_redirects_to_hosts_that_are_listed(void **state)
{
	static const struct {
		const char *to;
		const char *hosts;
		bool allowed;
	} rows[] = {
		{ "http://mirror.example/b", "mirror.example", true },
		{ "http://mirror.example:8080/b", "mirror.example", true },
		{ "https://Mirror.Example/b", "a.example, mirror.example ,b.example", true },
		{ "http://mirror.example/b", "mirror.example:80", true },
		{ "http://mirror.example:8080/b", "mirror.example:80", false },
		{ "https://mirror.example/b", "mirror.example:80", false },
		{ "http://mirror.example.evil/b", "mirror.example", false },
		{ "http://evilmirror.example/b", "mirror.example", false },
		{ "http://mirror.example@evil/b", "mirror.example", false },
		{ "http://mirror.example/b", "mirror", false },
		{ "http://mirror.example/b", "*", false },
		{ "http://mirror.example/b", "", false },
		{ "http://mirror.example/b", ",, ,", false },
		{ "http://[2001:db8::1]/b", "[2001:db8::1]", true },
		{ "http://[2001:db8:0::1]/b", "2001:db8::1", true },
		{ "http://[2001:db8::1]:81/b", "[2001:db8::1]:81", true },
		{ "http://[2001:db8::1]:81/b", "[2001:db8::1]:82", false },
		{ "http://198.51.100.7/b", "198.51.100.7", true },
		{ "http://198.51.100.7/b", "198.51.100.0/24", false },
		{ "file:///etc/passwd", "etc", false },
		{ "ldap://mirror.example/b", "mirror.example", false },
	};
	char list[1024];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (url_may_redirect("http://pki.example/a", rows[i].to, rows[i].hosts) != rows[i].allowed)
			fail_msg("%s by %s", rows[i].to, rows[i].hosts);
	assert_false(url_may_redirect("https://pki.example/a", "http://mirror.example/b", "mirror.example"));
	assert_true(url_may_redirect("https://pki.example/a", "https://mirror.example/b", "mirror.example"));
	/* an entry longer than any host is none, and the one behind it counts */
	memset(list, 'a', 600);
	strcpy(list + 600, ",mirror.example");
	assert_true(url_may_redirect("http://pki.example/a", "http://mirror.example/b", list));
}

static void
test_no_proxy(void **state)
{
	static const struct {
		const char *url;
		const char *list;
		bool direct;
	} rows[] = {
		{ "http://pki.example/a", "pki.example", true },
		{ "http://pki.example/a", "PKI.example", true },
		{ "http://a.pki.example/a", "pki.example", true },
		{ "http://a.pki.example/a", ".pki.example", true },
		{ "http://pki.example/a", ".pki.example", true },
		{ "http://notpki.example/a", "pki.example", false },
		{ "http://pki.example.evil/a", "pki.example", false },
		{ "http://pki.example/a", "*", true },
		{ "http://pki.example/a", "*.example", false },
		{ "http://pki.example/a", "", false },
		{ "http://pki.example/a", ".", false },
		{ "http://10.1.2.3/a", "10.0.0.0/8", true },
		{ "http://11.1.2.3/a", "10.0.0.0/8", false },
		{ "http://10.1.2.3/a", "10.1.2.2/31", true },
		{ "http://10.1.2.4/a", "10.1.2.2/31", false },
		{ "http://10.1.2.3/a", "0.0.0.0/0", true },
		{ "http://10.1.2.3/a", "10.1.2.3/33", false },
		{ "http://10.1.2.3/a", "10.1.2.3/", false },
		{ "http://10.1.2.3/a", "10.1.2.3/x", false },
		{ "http://10.1.2.3/a", "10.1.2.3/-1", false },
		{ "http://10.1.2.3/a", "2.3", false },
		{ "http://10.1.2.3/a", "::/0", false },
		{ "http://[fd00::1]/a", "fd00::/8", true },
		{ "http://[fd00::1]/a", "fd00:0::1", true },
		{ "http://[fd00::1]:8080/a", "[fd00::1]", true },
		{ "http://[fe80::1]/a", "fd00::/8", false },
		{ "http://pki.example/a", "10.0.0.0/8,other, pki.example", true },
		{ "nonsense", "*", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (url_bypasses_proxy(rows[i].url, rows[i].list) != rows[i].direct)
			fail_msg("%s by %s", rows[i].url, rows[i].list);
}

static void
test_proxies_and_pins(void **state)
{
	(void)state;
	assert_true(url_is_proxy("http://proxy.example:3128"));
	assert_true(url_is_proxy("http://user:word@proxy.example:3128/"));
	assert_true(url_is_proxy("socks5://127.0.0.1:1080"));
	assert_true(url_is_proxy("socks5h://[::1]:1080"));
	assert_true(url_is_proxy("https://proxy.example:3129"));
	assert_false(url_is_proxy("socks4://proxy.example"));
	assert_false(url_is_proxy("ftp://proxy.example"));
	assert_false(url_is_proxy("proxy.example:3128"));
	assert_false(url_is_proxy("file:///etc/passwd"));
	assert_false(url_is_proxy(""));
	assert_true(url_pins_well("sha256//YhKJKSzoTt2b5FP18fvpHo7fJYqQCjAa3HWY3tvRMwE="));
	assert_true(url_pins_well("sha256//AAAA;sha256//BBBB"));
	assert_false(url_pins_well(""));
	assert_false(url_pins_well("sha256//"));
	assert_false(url_pins_well("sha256//AAAA;"));
	assert_false(url_pins_well("sha256//AA/../ AA"));
	assert_false(url_pins_well("/etc/passwd"));
	assert_false(url_pins_well("sha256//AAAA;/etc/passwd"));
}

static void
test_paths(void **state)
{
	char path[16];

	(void)state;
	assert_int_equal(url_path("file:///a%20b", path, sizeof(path)), 0);
	assert_string_equal(path, "/a b");
	assert_int_equal(url_path("file:///", path, sizeof(path)), 0);
	assert_string_equal(path, "/");
	assert_int_equal(url_path("file:///a%00b", path, sizeof(path)), -EINVAL);
	assert_int_equal(url_path("file://host/a", path, sizeof(path)), -EINVAL);
	assert_int_equal(url_path("file:///1234567890123", path, sizeof(path)), 0);
	assert_int_equal(url_path("file:///123456789012345", path, sizeof(path)), -EINVAL);
}

static void
test_private_addresses(void **state)
{
	static const char *const private[] = { "0.0.0.0", "0.1.2.3", "10.0.0.0", "10.255.255.255", "100.64.0.0",
		"100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.8", "192.168.0.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1",
		"::7f00:1", "::ffff:127.0.0.1", "::ffff:198.51.100.7", "64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1",
		"64:ff9b::169.254.169.254", "64:ff9b:1::1", "64:ff9b:1:ffff::198.51.100.7", "100::1", "2001::1",
		"2002:a00:1::1", "2002:7f00:1::", "fc00::1", "fdff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1",
		"ff0e::1" };
	static const char *const public[] = { "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
		"126.0.0.1", "128.0.0.1", "169.253.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "192.167.0.1",
		"192.169.0.1", "198.51.100.7", "223.255.255.255", "2001:db8::1", "2001:1::1", "2600::1",
		"64:ff9b::198.51.100.7", "2002:c633:6407::1", "fbff::1", "fe00::1" };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr local = { .sa_family = AF_UNIX };
	size_t i, n = sizeof(private) / sizeof(private[0]);
	const char *text;
	bool is;

	(void)state;
	for (i = 0; i < n + sizeof(public) / sizeof(public[0]); i++) {
		text = i < n ? private[i] : public[i - n];
		if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
			is = address_is_private((const struct sockaddr *)&in, sizeof(in));
		} else {
			assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
			is = address_is_private((const struct sockaddr *)&in6, sizeof(in6));
		}
		if (is != (i < n))
			fail_msg("%s", text);
	}
	assert_true(address_is_private(&local, sizeof(local)));
	in.sin_addr.s_addr = htonl(0xc6336407);
	assert_true(address_is_private((const struct sockaddr *)&in, sizeof(in) - 1));
}

static void
test_header_lines(void **state)
{
	static const struct {
		const char *line;
		const char *value;
	} rows[] = {
		{ "ETag: \"a\"\r\n", "\"a\"" },
		{ "etag:\t \"a\"  \r\n", "\"a\"" },
		{ "ETag:\r\n", "" },
		{ "ETag: 123456789", "123456789" },
		{ "ETag: 1234567890", "before" },
		{ "ETag: a\001b\r\n", "before" },
		{ "ETag: \303\244\r\n", "before" },
		{ "X-ETag: a\r\n", "before" },
		{ "ETa", "before" },
		{ "", "before" },
	};
	char value[10];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(value, "before");
		header_take(rows[i].line, strlen(rows[i].line), "ETag:", value, sizeof(value));
		assert_string_equal(value, rows[i].value);
	}
}

static void
test_retry_after(void **state)
{
	static const struct {
		const char *value;
		uint32_t seconds;
	} rows[] = {
		{ "0", 0 }, { "1", 1 }, { "120", 120 }, { "2592000", 2592000 }, { "2592001", 2592000 },
		{ "18446744073709551617", 2592000 }, { "99999999999999999999999999999999", 2592000 }, { "", 0 },
		{ "-1", 0 }, { "1.5", 0 }, { "1 day", 0 }, { "10 Nov 2050", 0 }, { "soon", 0 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 60 }, { "Sun, 06 Nov 1994 08:48:37 GMT", 0 },
		{ "Sun, 06 Nov 1994 08:48:36 GMT", 0 }, { "Sunday, 06-Nov-94 08:49:37 GMT", 60 },
		{ "Sun Nov  6 08:49:37 1994", 60 }, { "Sun, 06 Nov 2094 08:49:37 GMT", 2592000 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (header_retry_after(rows[i].value, 784111777 - 60) != rows[i].seconds)
			fail_msg("%s: %u", rows[i].value, header_retry_after(rows[i].value, 784111777 - 60));
}

/* ---- LDIF --------------------------------------------------------------- */

static struct {
	char text[8192];	/* values, each in brackets */
	size_t n;
	int stop_at;		/* the value whose beginning is refused; -1: none */
	int values;
} said;

static int
on_value(void *arg)
{
	(void)arg;
	if (said.values++ == said.stop_at)
		return -EPIPE;
	said.text[said.n++] = '[';
	return 0;
}

static int
on_bytes(void *arg, const uint8_t *p, size_t n)
{
	(void)arg;
	assert_true(said.n + n < sizeof(said.text));
	memcpy(said.text + said.n, p, n);
	said.n += n;
	return 0;
}

static int
read_ldif(const char *text, size_t piece)
{
	static const struct ldif_sink sink = { .begin = on_value, .bytes = on_bytes };
	struct ldif l;
	size_t at, n = strlen(text);
	int rc = 0;

	memset(said.text, 0, sizeof(said.text));
	said.n = 0;
	said.values = 0;
	ldif_init(&l);
	for (at = 0; rc == 0 && at < n; at += piece)
		rc = ldif_feed(&l, text + at, n - at < piece ? n - at : piece, &sink);
	return rc != 0 ? rc : ldif_finish(&l, &sink);
}

static void
test_ldif(void **state)
{
	static const struct {
		const char *ldif;
		const char *values;
		int rc;
	} rows[] = {
		{ "DN: cn=CA\n\tcertificateRevocationList;binary:: Zm9v\n\n", "[foo", 0 },
		{ "\tcertificateRevocationList;binary:: Zm8=\n", "[fo", 0 },
		{ "\tcertificateRevocationList;binary:: Zg==\n", "[f", 0 },
		{ "certificaterevocationlist:: Zm9v", "[foo", 0 },
		{ "\tcertificateRevocationList;binary:: Zm9v\r\n", "[foo", 0 },
		{ "\tcertificateRevocationList;binary: plain text\n", "[plain text", 0 },
		{ "\tcertificateRevocationList;binary:plain\n", "[plain", 0 },
		{ "\tcertificateRevocationList;binary::\n", "[", 0 },
		{ "\tcertificateRevocationList;binary:\n", "", 0 },
		{ "\tcertificateRevocationList;binary\n", "", 0 },
		{ "\tdeltaRevocationList;binary:: Zm9v\n\tauthorityRevocationList;binary:: YmFy\n", "[foo[bar", 0 },
		{ "\tcertificateRevocationList;lang-de:: Zm9v\n", "", 0 },
		{ "\txcertificateRevocationList:: Zm9v\n", "", 0 },
		{ "\tcertificateRevocationListx:: Zm9v\n", "", 0 },
		{ "\tcACertificate;binary:: Zm9v\n", "", 0 },
		{ "description: certificateRevocationList:: Zm9v\n", "", 0 },
		{ "\tcertificateRevocationList;binary:: Zm9vY\n", "[foo", -EBADMSG },
		{ "\tcertificateRevocationList;binary:: Zm!v\n", "[", -EBADMSG },
		{ "\tcertificateRevocationList;binary:: Zg==Zg==\n", "[", -EBADMSG },
		{ "", "", 0 },
		{ "\n\n\n", "", 0 },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: b\n"
		  "\tcertificateRevocationList;binary:: Zm9v\n", "[foo", 0 },
	};
	size_t i, piece;

	(void)state;
	said.stop_at = -1;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (piece = 1; piece < 9; piece++) {
			int rc = read_ldif(rows[i].ldif, piece);

			/* of a value that is no base64 what came before may be out already */
			if (rc != rows[i].rc || (rc == 0 && strcmp(said.text, rows[i].values) != 0))
				fail_msg("%s in pieces of %zu: %d \"%s\"", rows[i].ldif, piece, rc, said.text);
		}
	said.stop_at = 1;
	assert_int_equal(read_ldif("\tcertificateRevocationList:: Zg==\n\tdeltaRevocationList: x\n", 3), -EPIPE);
}

static void
test_ldif_large(void **state)
{
	static char text[10100];
	size_t n;

	(void)state;
	said.stop_at = -1;
	n = strlen(strcpy(text, "\tcertificateRevocationList;binary:: "));
	while (n < 10000) {
		memcpy(text + n, "eHh4", 4);
		n += 4;
	}
	text[n] = '\0';
	assert_int_equal(read_ldif(text, 7), 0);
	assert_int_equal(said.n, 1 + (n - strlen("\tcertificateRevocationList;binary:: ")) / 4 * 3);
	assert_int_equal(strspn(said.text + 1, "x"), said.n - 1);
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
		cmocka_unit_test(test_redirects_to_hosts_that_are_listed),
		cmocka_unit_test(test_no_proxy),
		cmocka_unit_test(test_proxies_and_pins),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_private_addresses),
		cmocka_unit_test(test_header_lines),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_ldif),
		cmocka_unit_test(test_ldif_large),
		cmocka_unit_test(test_pem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
