/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_authority.c -- the language of revocation: every mistake is told at its line,
 * everything has a default, and what is right is read. The certificates are those of
 * tests/golden/policy/revocation/pki. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"
#include "model/compile.h"
#include "proto/limits.h"
#include "reading.h"

#define PKI "tests/golden/policy/revocation/pki/"
#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
/* One authority, with the line's first certificate. */
#define LINE(keys) APPLIANCE "authorities = ( { name = \"line\"; certificate = \"line-ca.pem\";\n" keys " } );"
#define CLASSES "classes = ( { name = \"c\"; allow = \"nothing\"; } );\n"
#define DEVICE(keys) "devices = ( { name = \"d\"; class = \"c\"; mac = \"02:00:00:00:00:01\";\n" keys " } );"

static void
copy_in(const char *name)
{
	char path[256], from[128];
	uint8_t data[32768];
	size_t n;
	FILE *in;

	snprintf(from, sizeof(from), PKI "%s", name);
	in = fopen(source_path(from, path, sizeof(path)), "rbe");
	assert_non_null(in);
	n = fread(data, 1, sizeof(data), in);
	fclose(in);
	folder_put_bytes(&f, name, data, n);
}

static int
setup(void **state)
{
	static const char *const names[] = { "root-ca.pem", "line-ca.pem", "line-ca-2.pem", "line-ca-cross.pem",
		"line-cas.pem", "foreign-ca.pem", "crl-signer.pem", "silent-signer.pem", "foreign-signer.pem",
		"orphan-signer.pem", "ocsp.pem", "web-ca.pem", "expired-ca.pem", "device-1-old.pem", "device-1-new.pem",
		"device-2.pem", "device-3.pem", "shards-ca.pem", "shards-256.pem", "shards-1.pem" };
	int rc = reading_setup(state);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		copy_in(names[i]);
	return rc;
}

static const struct authority_decl *
line(void)
{
	assert_true(p->n_authorities > 0);
	return &p->authorities[0];
}

/* ---- defaults ----------------------------------------------------------- */

static void
test_defaults(void **state)
{
	const struct authority_decl *a;
	const struct source_decl *s;

	(void)state;
	FINE("cordon.conf", LINE("crl = [ \"http://a.example/x.crl\", \"https://b.example/x.crl\" ];"));
	assert_int_equal(m.n_warnings, 0);
	a = line();
	assert_int_equal(a->refresh_s, 3600);
	assert_int_equal(a->skew_s, 300);
	assert_int_equal(a->grace_s, 86400);
	assert_int_equal(a->max_age_s, 86400);
	assert_int_equal(a->when_stale, WHEN_STALE_KEEP);
	assert_int_equal(a->when_unchecked, WHEN_STALE_KEEP);
	assert_null(a->restrict_class);
	assert_int_equal(a->flags, 0);
	assert_int_equal(a->ocsp.devices, OCSP_OFF);
	assert_int_equal(a->n_issuers, 1);
	/* Each address is a source of its own. */
	assert_int_equal(a->n_sources, 2);
	s = &a->sources[1];
	assert_int_equal(s->n_urls, 1);
	assert_int_equal(s->flags, 0);
	assert_int_equal(s->base, SOURCE_NO_BASE);
	assert_int_equal(s->refresh_s, 3600);
	assert_int_equal(s->max_bytes, 64 << 20);
	assert_int_equal(s->timeout_s, 300);
	assert_true(s->pin == NULL && s->proxy == NULL && s->no_proxy == NULL && s->hosts == NULL && s->ca_der == NULL);
	FINE("cordon.conf", LINE("ocsp = { url = \"http://ocsp.example\"; };"));
	assert_int_equal(line()->ocsp.devices, OCSP_CRITICAL);
	assert_int_equal(line()->ocsp.refresh_s, 3600);
	assert_int_equal(line()->ocsp.max_age_s, 86400);
	assert_false(line()->ocsp.need_nonce);
	assert_int_equal(line()->ocsp.unknown, WHEN_STALE_KEEP);
}

/* ---- values ------------------------------------------------------------- */

/* What is wrong with one key of an authority, told at line 3 of the file. */
static void
test_mistakes(void **state)
{
	static const struct {
		const char *keys, *want;
	} rows[] = {
		{ "skew = \"31d\";", "`skew' is \"31d\": from \"0s\" to \"30d\" is possible" },
		{ "grace = 5;", "`grace' is a number: a string in double quotes" },
		{ "max_age = \"0s\";", "`max_age' is \"0s\": from \"1s\" to \"30d\" is possible" },
		{ "when_stale = \"drop\";", "when_stale = \"drop\": \"keep\" (an alarm and nothing else), \"restrict\"" },
		{ "when_unchecked = \"open\";", "when_unchecked = \"open\": \"keep\"" },
		{ "restrict_class = \"a b\";", "class name \"a b\"" },
		{ "rollover = \"both\";", "rollover = \"both\": \"per-key\" or \"shared\" is possible" },
		{ "hold = \"never\";", "hold = \"never\": \"automatic\" or \"manual\" is possible" },
		{ "sha1 = \"yes\";", "`sha1' is a string: true or false is expected" },
		{ "max_size = \"64G\";", "`max_size' is \"64G\": bytes are expected, as in 65536, \"512k\" or \"64M\"" },
		{ "max_size = \"257M\";", "`max_size' is \"257M\": from 1 to \"256M\" is possible" },
		{ "max_size = 0;", "`max_size' is 0: from 1 to" },
		{ "timeout = \"301s\";", "`timeout' is \"301s\": from \"1s\" to \"5m\" is possible" },
		{ "pin = \"sha256//short=\";", "`pin' is \"sha256//short=\": what is expected looks like" },
		{ "proxy = \"socks://x\";", "proxy \"socks://x\" is none: an address as in" },
		{ "no_proxy = \"*.example\";", "`no_proxy' is \"*.example\": what is expected looks like" },
		{ "hosts = \"a/b\";", "`hosts' is \"a/b\": what is expected looks like" },
		{ "ca = \"line-cas.pem\";", "ca: line-cas.pem holds 2 certificates, and one is trusted" },
		{ "crl = ( );", "`crl' is empty: name where the CRL is, or leave the key out" },
		{ "crl = ( ( \"http://a.example/x\" ) );", "`crl' holds a list ( ) within a list: mirrors of one CRL" },
		{ "crl = \"ftp://a.example/x\";", "crl \"ftp://a.example/x\" is no address we can fetch" },
		{ "crl = \"ldap://a.example\";", "crl \"ldap://a.example\" is no address we can fetch" },
		{ "crl = \"file://a.example/x\";", "crl \"file://a.example/x\" is no address we can fetch" },
		{ "crl = { delta = \"http://a.example/x\"; };", "crl has no `url': it needs one" },
		{ "crl = { url = \"http://a.example/x\"; delta = \"x\"; };", "delta \"x\" is no address we can fetch" },
		{ "crl = { url = \"http://a.example/x\"; covers = \"some\"; };", "covers = \"some\": \"auto\"" },
		{ "crl = { url = ( \"http://a.example/x\", \"http://a.example/x\" ); };", "url \"http://a.example/x\" stands "
		    "there twice" },
		{ "crl = { url = \"http://a.example/x\"; mirror = 1; };", "unknown key `mirror' in crl: " },
		{ "ocsp = { devices = \"all\"; };", "ocsp has no `url': it needs one" },
		{ "ocsp = { url = \"ldap://a.example/cn=x\"; };", "ocsp: url \"ldap://a.example/cn=x\" is no address" },
		{ "ocsp = { url = \"http://a.example\"; devices = \"some\"; };", "devices = \"some\": \"critical\"" },
		{ "ocsp = { url = \"http://a.example\"; nonce = \"off\"; };", "nonce = \"off\": \"wanted\" or \"needed\"" },
		{ "ocsp = { url = \"http://a.example\"; unknown = \"off\"; };", "unknown = \"off\": \"keep\"" },
		{ "ocsp = { url = \"http://a.example\"; refresh = \"31d\"; };", "`refresh' is \"31d\"" },
		{ "devices_crl = \"*.example.com\";", "devices_crl \"*.example.com\" is no host" },
		{ "devices_crl = \"http://crl.example.com/\";", "devices_crl \"http://crl.example.com/\" is no host" },
		{ "devices_crl = { private = true; };", "devices_crl has no `hosts': it needs one" },
		{ "when_stael = \"keep\";", "unknown key `when_stael' in an authority: did you mean `when_stale'?" },
		{ "crl_issuer = \"none.pem\";", "certificate none.pem cannot be read" },
		{ "ocsp_issuer = ( \"ocsp.pem\", \"ocsp.pem\" );", "authority \"line\" has the same certificate twice" },
	};
	char text[1024], want[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), LINE("%s"), rows[i].keys);
		snprintf(want, sizeof(want), "cordon.conf:3: %s", rows[i].want);
		EXPECT("cordon.conf", text, want);
	}
}

/* The largest that is possible, and the smallest. */
static void
test_limits(void **state)
{
	char pins[LIMIT_PIN + 256] = "", text[LIMIT_PIN + 1024];
	size_t n, at;

	(void)state;
	FINE("cordon.conf", LINE("crl = \"http://a.example/x\"; max_size = \"256M\"; timeout = \"5m\"; skew = \"30d\"; "
	    "grace = \"0s\"; max_age = \"1s\";"));
	assert_int_equal(line()->sources[0].max_bytes, 256 << 20);
	FINE("cordon.conf", LINE("crl = \"http://a.example/x\"; max_size = \"1\"; timeout = \"1s\";"));
	assert_int_equal(line()->sources[0].max_bytes, 1);
	FINE("cordon.conf", LINE("crl = \"http://a.example/x\"; max_size = 268435456;"));
	FINE("cordon.conf", LINE("crl = \"http://a.example/x\"; max_size = \"512k\";"));
	assert_int_equal(line()->sources[0].max_bytes, 512 << 10);
	for (n = at = 0; n < 19; n++)
		at += (size_t)snprintf(pins + at, sizeof(pins) - at, "%s\"" PIN "\"", n > 0 ? ", " : "");
	snprintf(text, sizeof(text), LINE("pin = ( %s ); crl = \"https://a.example/x\";"), pins);
	FINE("cordon.conf", text);
	assert_int_equal(strlen(line()->sources[0].pin), 19 * 53 - 1);
	snprintf(text, sizeof(text), LINE("pin = ( %s, \"" PIN "\" ); crl = \"https://a.example/x\";"), pins);
	EXPECT("cordon.conf", text, "cordon.conf:3: `pin' is too long: all of them together have at most 1023 characters");
}

/* The order of keys does not matter: what the authority says holds for all sources
 * that say nothing else. */
static void
test_inherited(void **state)
{
	const struct source_decl *s;

	(void)state;
	FINE("cordon.conf", LINE("crl = ( \"http://a.example/x\", { proxy = \"none\"; refresh = \"10m\"; url = \"http://b.example/x\"; "
	    "delta = ( \"http://b.example/d\", \"http://c.example/d\" ); covers = \"all\"; timeout = \"9s\"; hosts = \"h.example\"; } );\n"
	    "proxy = \"http://proxy.example\"; no_proxy = ( \"a.example\", \"10.0.0.1\" ); hosts = ( \"x.example\" ); "
	    "ca = \"web-ca.pem\"; max_size = \"2M\"; timeout = \"8s\"; refresh = \"20m\"; pin = \"" PIN "\";"));
	assert_int_equal(line()->n_sources, 4);
	s = &line()->sources[0];
	assert_string_equal(s->proxy, "http://proxy.example");
	assert_string_equal(s->no_proxy, "a.example,10.0.0.1");
	assert_string_equal(s->hosts, "x.example");
	assert_string_equal(s->pin, PIN);
	assert_true(s->ca_der_len > 0);
	assert_int_equal(s->max_bytes, 2 << 20);
	assert_int_equal(s->timeout_s, 8);
	assert_int_equal(s->refresh_s, 1200);
	assert_int_equal(s->where.line, 3);
	s = &line()->sources[1];
	assert_null(s->proxy);
	assert_string_equal(s->hosts, "h.example");
	assert_int_equal(s->timeout_s, 9);
	assert_int_equal(s->refresh_s, 600);
	assert_int_equal(s->flags, SOURCE_COVERS_ALL);
	s = &line()->sources[3];
	assert_int_equal(s->flags, SOURCE_COVERS_ALL | SOURCE_DELTA);
	assert_int_equal(s->base, 1);
	assert_int_equal(s->refresh_s, 600);
	assert_string_equal(s->urls[0], "http://c.example/d");
	assert_true(s->ca_der_len > 0);
}

static void
test_advice(void **state)
{
	(void)state;
	FINE("cordon.conf", LINE("crl = { url = \"http://a.example/x\"; refresh = \"59s\"; }; sha1 = true; refresh = \"60s\"; "
	    "ocsp = { url = \"http://a.example\"; refresh = \"5s\"; };"));
	assert_int_equal(m.n_warnings, 3);
	assert_non_null(strstr(m.warnings[0], "sha1 = true accepts CRLs signed with SHA-1"));
	assert_non_null(strstr(m.warnings[1], "more than once a minute"));
	assert_non_null(strstr(m.warnings[2], "more than once a minute"));
	FINE("cordon.conf", APPLIANCE "authorities = ( { name = \"old\"; certificate = \"expired-ca.pem\"; crl = \"file:///x\"; } );");
	assert_int_equal(m.n_warnings, 1);
	assert_non_null(strstr(m.warnings[0], "authority \"old\": the certificate of CN=Example Expired CA,O=Example has expired"));
	FINE("cordon.conf", "appliance: { device_interfaces = [ \"lan0\" ]; brake = \"off\"; };");
	assert_int_equal(p->appliance.brake_devices, 0);
	assert_int_equal(p->appliance.brake_within_s, 0);
	assert_int_equal(m.n_warnings, 1);
	EXPECT("cordon.conf", "appliance: { device_interfaces = [ \"lan0\" ]; brake = \"on\"; };",
	    "cordon.conf:1: brake = \"on\": brake = { devices = 32; within = \"1h\"; } or \"off\" is expected");
}

/* ---- certificates ------------------------------------------------------- */

/* Keys that follow each other have one name, however many there are. */
static void
test_names(void **state)
{
	(void)state;
	FINE("cordon.conf", APPLIANCE "authorities = ( { name = \"line\"; crl_issuer = \"line-ca-2.pem\"; "
	    "certificate = ( \"line-cas.pem\", \"line-ca-cross.pem\" ); ocsp_issuer = \"ocsp.pem\"; crl = \"file:///x\"; } );");
	assert_int_equal(line()->n_issuers, 5);
	assert_int_equal(line()->issuers[2].role, ISSUER_OWN);
	assert_int_equal(line()->issuers[3].role, ISSUER_CRL);
	assert_int_equal(line()->issuers[4].role, ISSUER_OCSP);
	EXPECT("cordon.conf", APPLIANCE "authorities = ( { name = \"line\";\ncertificate = ( \"line-ca.pem\", \"foreign-ca.pem\" ); } );",
	    "cordon.conf:3: authority \"line\": its certificates have two names, CN=Example Line CA,O=Example and "
	    "CN=Example Foreign CA,O=Example: ");
	FINE("cordon.conf", APPLIANCE "authorities = ( { name = \"a\"; certificate = \"line-ca.pem\"; crl = \"file:///x\"; },\n"
	    "{ name = \"b\"; certificate = \"line-ca-cross.pem\"; crl = \"file:///x\"; } );");
	assert_int_equal(m.n_warnings, 1);
	assert_string_equal(m.warnings[0], "cordon.conf:3: authorities \"a\" and \"b\" have one name and key: certificates that "
	    "name no authority are taken for the first one's");
	EXPECT("cordon.conf", APPLIANCE "authorities = ( { name = \"line\";\ncertificate = ( \"line-ca.pem\", \"line-cas.pem\" ); } );",
	    "cordon.conf:3: authority \"line\" has the same certificate twice: once is enough");
	folder_put(&f, "half.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
	EXPECT("cordon.conf", APPLIANCE "authorities = ( { name = \"line\";\ncertificate = \"half.pem\"; } );",
	    "cordon.conf:3: certificate half.pem is neither a certificate in PEM nor one in DER");
}

/* What follows a whole certificate in its file is as important. */
static void
test_second_is_broken(void **state)
{
	char path[256], text[4096];
	size_t n;
	FILE *in = fopen(source_path(PKI "line-ca.pem", path, sizeof(path)), "rbe");

	(void)state;
	assert_non_null(in);
	n = fread(text, 1, sizeof(text) - 128, in);
	fclose(in);
	snprintf(text + n, 128, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
	folder_put(&f, "half.pem", text);
	EXPECT("cordon.conf", APPLIANCE "authorities = ( { name = \"line\";\ncertificate = \"half.pem\"; } );",
	    "cordon.conf:3: certificate half.pem: what follows certificate 1 in it cannot be read");
}

#define ROOT "{ name = \"root\"; certificate = \"root-ca.pem\"; crl = \"file:///x\"; }"
#define FOREIGN "{ name = \"foreign\"; certificate = \"foreign-ca.pem\"; crl = \"file:///x\"; }"
#define THREE(cert, signer) APPLIANCE "authorities = ( " ROOT ", " FOREIGN ",\n{ name = \"line\"; crl = \"file:///x\"; " \
	"certificate = " cert "; crl_issuer = " signer "; } );"

/* RFC 5280 6.3.3: who signs the CRL has the root of who issued the certificate. */
static void
test_crl_issuers(void **state)
{
	(void)state;
	FINE("cordon.conf", THREE("\"line-ca.pem\"", "\"crl-signer.pem\""));
	assert_int_equal(m.n_warnings, 0);
	EXPECT("cordon.conf", THREE("\"line-ca.pem\"", "\"foreign-signer.pem\""),
	    "cordon.conf:3: authority \"line\": its crl_issuer CN=Example Foreign Signer,O=Example leads to another trust anchor");
	/* It has that root as well, once another CA signed it, too. */
	FINE("cordon.conf", THREE("( \"line-ca.pem\", \"line-ca-cross.pem\" )", "\"foreign-signer.pem\""));
	EXPECT("cordon.conf", THREE("\"line-ca.pem\"", "\"orphan-signer.pem\""),
	    "cordon.conf:3: authority \"line\": its crl_issuer CN=Example Orphan Signer,O=Example was issued by no declared authority");
	/* The root itself, and another key of the authority. */
	FINE("cordon.conf", THREE("\"line-ca.pem\"", "( \"root-ca.pem\", \"line-ca-2.pem\" )"));
	EXPECT("cordon.conf", THREE("\"line-ca.pem\"", "\"foreign-ca.pem\""),
	    "cordon.conf:3: authority \"line\": its crl_issuer CN=Example Foreign CA,O=Example leads to another trust anchor");
	FINE("cordon.conf", THREE("\"line-ca.pem\"", "\"silent-signer.pem\""));
	assert_int_equal(m.n_warnings, 1);
	assert_non_null(strstr(m.warnings[0], "may not sign CRLs (keyUsage without cRLSign"));
	/* Without the root nobody can tell. */
	EXPECT("cordon.conf", LINE("crl_issuer = \"crl-signer.pem\";"),
	    "cordon.conf:3: authority \"line\": its crl_issuer CN=Example CRL Signer,O=Example was issued by no declared "
	    "authority: declare CN=Example Root CA,O=Example");
}

/* ---- devices ------------------------------------------------------------ */

#define BOTH APPLIANCE "authorities = ( { name = \"foreign\"; certificate = \"foreign-ca.pem\"; crl = \"file:///x\"; },\n" \
	"{ name = \"line\"; certificate = \"line-cas.pem\"; crl = \"file:///x\"; } );\n"

static void
test_device_certificates(void **state)
{
	const struct device_decl *d;

	(void)state;
	folder_put(&f, "classes.d/c.conf", CLASSES);
	folder_put(&f, "cordon.conf", BOTH);
	FINE("devices.d/d.conf", DEVICE("certificate = ( \"device-1-old.pem\", { file = \"device-1-new.pem\"; }, "
	    "{ authority = \"line\"; serial = \"77\"; } ); critical = true;"));
	d = &p->devices[0];
	assert_true(d->critical);
	assert_int_equal(d->n_certificates, 3);
	assert_string_equal(d->certificates[0].authority, "line");
	assert_int_equal(d->certificates[0].issuer, 1);
	assert_int_equal(d->certificates[1].issuer, 2);
	assert_memory_equal(d->certificates[1].serial, "\x20\x01", 2);
	assert_int_equal(d->certificates[2].issuer, 0);
	/* The right name and another key. */
	EXPECT("cordon.conf", LINE("crl = \"file:///x\";"), "devices.d/d.conf:2: behind the device's", "devices.d/d.conf:2: the certificate of "
	    "device \"d\" was issued by no declared authority: declare the authority that issued it, CN=Example Line CA");
	folder_put(&f, "cordon.conf", BOTH);
	FINE("devices.d/d.conf", DEVICE("certificate = \"device-1-old.pem\"; critical = false;"));
	assert_int_equal(p->devices[0].n_certificates, 1);
	assert_false(p->devices[0].critical);
	EXPECT("devices.d/d.conf", DEVICE("certificate = \"device-3.pem\";"), "devices.d/d.conf:2: the certificate of "
	    "device \"d\" was issued by no declared authority: declare the authority that issued it, CN=Example Root CA");
	EXPECT("devices.d/d.conf", DEVICE("certificate = { authority = \"foreign\"; file = \"device-1-old.pem\"; };"),
	    "devices.d/d.conf:2: the certificate of device \"d\" was issued by another authority than it says");
	EXPECT("devices.d/d.conf", DEVICE("certificate = ( );"), "devices.d/d.conf:2: `certificate' is empty");
	EXPECT("devices.d/d.conf", DEVICE("certificate = ( ( \"device-1-old.pem\" ) );"),
	    "devices.d/d.conf:2: `certificate' holds a list ( ) within a list");
	EXPECT("devices.d/d.conf", DEVICE("certificate = 5;"), "devices.d/d.conf:2: `certificate' is a number: a string");
	EXPECT("devices.d/d.conf", DEVICE("critical = \"yes\";"), "devices.d/d.conf:2: `critical' is a string: true or false");
	FINE("devices.d/d.conf", DEVICE("certificate = ( { authority = \"line\"; serial = \"1\"; }, { authority = \"line\"; serial = \"2\"; }, "
	    "{ authority = \"line\"; serial = \"3\"; }, { authority = \"line\"; serial = \"4\"; } );"));
	EXPECT("devices.d/d.conf", DEVICE("certificate = [ \"1\", \"2\", \"3\", \"4\", \"5\" ];"),
	    "devices.d/d.conf:2: a device with 5 certificates: at most 4, the oldest can go");
}

/* Behind the device's stand those of its issuers: what is on their CRLs matters as well. */
static void
test_chain(void **state)
{
	(void)state;
	folder_put(&f, "classes.d/c.conf", CLASSES);
	folder_put(&f, "cordon.conf", BOTH);
	EXPECT("devices.d/d.conf", DEVICE("certificate = \"device-2.pem\";"),
	    "devices.d/d.conf:2: behind the device's certificate stands that of CN=Example Hidden CA,O=Example, which is no "
	    "declared authority: declare it",
	    "devices.d/d.conf:2: the certificate of device \"d\" was issued by no declared authority");
}

static void
test_inventory(void **state)
{
	(void)state;
	folder_put(&f, "classes.d/c.conf", CLASSES);
	folder_put(&f, "cordon.conf", BOTH);
	FINE("devices.d/d.csv", "name,class,mac,authority,serial,critical\n"
	    "a,c,02:00:00:00:00:01,line,01;02,yes\n" "b,c,02:00:00:00:00:02,foreign;line,03 04,NO\n"
	    "d,c,02:00:00:00:00:03,line,05,1\n" "e,c,02:00:00:00:00:04,line,1;2;3;4,false\n" "g,c,02:00:00:00:00:05,,,\n");
	assert_int_equal(p->devices[0].n_certificates, 2);
	assert_true(p->devices[0].critical);
	assert_memory_equal(p->devices[0].certificates[1].serial, "\x02", 1);
	assert_string_equal(p->devices[0].certificates[1].authority, "line");
	assert_string_equal(p->devices[1].certificates[0].authority, "foreign");
	assert_string_equal(p->devices[1].certificates[1].authority, "line");
	assert_false(p->devices[1].critical);
	assert_true(p->devices[2].critical);
	assert_int_equal(p->devices[3].n_certificates, 4);
	assert_int_equal(p->devices[4].n_certificates, 0);
	EXPECT("devices.d/d.csv", "name,class,mac,authority,serial,critical\n"
	    "a,c,02:00:00:00:00:01,line;line,01,maybe\n" "b,c,02:00:00:00:00:02,line,1;2;3;4;5,\n"
	    "d,c,02:00:00:00:00:03,line,,\n",
	    "devices.d/d.csv:2: there are more or fewer serials than authorities",
	    "devices.d/d.csv:2: critical \"maybe\": yes or no is expected",
	    "devices.d/d.csv:3: a device with 5 certificates: at most 4",
	    "devices.d/d.csv:4: authority and serial belong together");
}

/* ---- distribution points ------------------------------------------------- */

#define FROM_DEVICES(value) APPLIANCE "authorities = ( { name = \"line\"; certificate = \"line-cas.pem\"; timeout = \"7s\";\n" \
	"crl = \"http://a.example/x\"; devices_crl = " value "; } );"

static void
test_device_sources(void **state)
{
	const struct source_decl *s;

	(void)state;
	folder_put(&f, "classes.d/c.conf", CLASSES);
	folder_put(&f, "devices.d/d.conf", DEVICE("certificate = ( \"device-1-old.pem\", \"device-1-new.pem\" );"));
	/* Of all that stands in these certificates, what is at that host; each address once. */
	FINE("cordon.conf", FROM_DEVICES("\"crl.example.com\""));
	assert_int_equal(line()->n_sources, 3);
	s = &line()->sources[1];
	assert_string_equal(s->urls[0], "http://crl.example.com/line.crl");
	assert_int_equal(s->flags, SOURCE_FROM_DEVICES);
	assert_int_equal(s->timeout_s, 7);
	assert_int_equal(s->where.line, 3);
	assert_string_equal(line()->sources[2].urls[0], "https://CRL.example.com:8443/line-2.crl");
	/* A private address only when both is said. */
	FINE("cordon.conf", FROM_DEVICES("\"10.1.2.3\""));
	assert_int_equal(line()->n_sources, 2);
	assert_int_equal(line()->sources[1].flags, SOURCE_FROM_DEVICES);
	FINE("cordon.conf", FROM_DEVICES("{ hosts = ( \"10.1.2.3\" ); private = true; }"));
	assert_int_equal(line()->sources[1].flags, 0);
	FINE("cordon.conf", FROM_DEVICES("\"other.example\""));
	assert_int_equal(line()->n_sources, 1);
	/* What the admin names himself is no device's. */
	FINE("cordon.conf", APPLIANCE "authorities = ( { name = \"line\"; certificate = \"line-cas.pem\";\n"
	    "crl = \"http://crl.example.com/line.crl\"; devices_crl = \"crl.example.com\"; } );");
	assert_int_equal(line()->n_sources, 2);
	assert_int_equal(line()->sources[0].flags, 0);
}

/* Another authority's devices say nothing about this one's CRLs. */
static void
test_whose_devices(void **state)
{
	(void)state;
	folder_put(&f, "classes.d/c.conf", CLASSES);
	folder_put(&f, "devices.d/d.conf", DEVICE("certificate = \"device-1-old.pem\";"));
	FINE("cordon.conf", APPLIANCE "authorities = ( { name = \"line\"; certificate = \"line-cas.pem\"; crl = \"file:///x\"; }, "
	    "{ name = \"root\"; certificate = \"root-ca.pem\"; crl = \"file:///x\"; devices_crl = \"crl.example.com\"; } );");
	assert_int_equal(p->authorities[1].n_sources, 1);
}

/* As many as a CA may have partitions; one more is told, and not used. */
static void
test_many_device_sources(void **state)
{
	(void)state;
	folder_put(&f, "classes.d/c.conf", CLASSES);
	folder_put(&f, "cordon.conf", APPLIANCE "authorities = ( { name = \"shards\"; certificate = \"shards-ca.pem\";\n"
	    "devices_crl = \"c.example\"; } );");
	FINE("devices.d/d.conf", DEVICE("certificate = \"shards-256.pem\";"));
	assert_int_equal(line()->n_sources, LIMIT_DEVICE_SOURCES);
	assert_int_equal(m.n_warnings, 0);
	FINE("devices.d/d.conf", DEVICE("certificate = ( \"shards-256.pem\", \"shards-1.pem\" );"));
	assert_int_equal(line()->n_sources, LIMIT_DEVICE_SOURCES);
	assert_string_equal(line()->sources[255].urls[0], "http://c.example/255");
	assert_int_equal(m.n_warnings, 1);
	assert_non_null(strstr(m.warnings[0], "cordon.conf:3: authority \"shards\": its devices' certificates name more than 256"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, reading_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_defaults),
		TEST(test_mistakes),
		TEST(test_limits),
		TEST(test_inherited),
		TEST(test_advice),
		TEST(test_names),
		TEST(test_second_is_broken),
		TEST(test_crl_issuers),
		TEST(test_device_certificates),
		TEST(test_chain),
		TEST(test_inventory),
		TEST(test_device_sources),
		TEST(test_whose_devices),
		TEST(test_many_device_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
