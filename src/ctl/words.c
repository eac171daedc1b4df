/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words.c -- the numbers of revocation in words, and what to do about each
 * trouble. One table each, so that a new number cannot get half of its words. */
#include "ctl/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/format.h"
#include "pki/crl_scan.h"

static const char *
word_of(const char *const *words, size_t n, uint32_t i)
{
	return i < n && words[i] != NULL ? words[i] : "?";
}

#define WORD_OF(words, i) word_of(words, sizeof(words) / sizeof((words)[0]), i)

/* ---- why a try changed nothing ------------------------------------------ */

/* The key for programs, the words for people, and what helps. */
static const struct {
	const char *key, *words, *advice;
} errors[SOURCE_ERRORS] = {
	[E_NONE] = { "", "", "" },
	[E_FETCH] = { "E_FETCH", "the transfer failed", "can this router reach the address? try it with curl from here" },
	[E_EMPTY] = { "E_EMPTY", "the answer was empty", "the server has no CRL there: ask who runs it" },
	[E_NOT_CRL] = { "E_NOT_CRL", "the answer is no CRL", "a login page, a proxy or another file stands at this address" },
	[E_TRUNC] = { "E_TRUNC", "the CRL is cut off", "the server's file is incomplete, or a proxy cuts it" },
	[E_TRAILING] = { "E_TRAILING", "bytes follow the CRL", "publish the CRL alone, in DER, or several in PEM" },
	[E_DER] = { "E_DER", "the CRL is not DER", "the file is damaged, or the CA writes it wrong: see `cordonctl crl check'" },
	[E_SIG] = { "E_SIG", "the signature is wrong",
	    "none of the declared certificates signed it: was the CA's key changed, or is this another CA's CRL?" },
	[E_SIGALG] = { "E_SIGALG", "the signature algorithms differ or are unknown", "the CA writes its CRL wrong" },
	[E_WEAK] = { "E_WEAK", "the signature is too weak", "have the CA sign with SHA-256 and RSA-2048 or better" },
	[E_SIGNER] = { "E_SIGNER", "the signer may not sign this CRL",
	    "its certificate lacks cRLSign, or it has to be declared as its crl_issuer" },
	[E_CRITICAL] = { "E_CRITICAL", "an unknown critical extension", "this CRL may not be used by who does not know it" },
	[E_IDP] = { "E_IDP", "its issuing distribution point is not allowed", "the CA writes its CRL wrong" },
	[E_DUP_EXT] = { "E_DUP_EXT", "an extension comes twice", "the CA writes its CRL wrong" },
	[E_DELTA] = { "E_DELTA", "a delta CRL that does not fit", "a delta has the scope, the key and a number of its base" },
	[E_ROLLBACK] = { "E_ROLLBACK", "the CRL is older than the one in use",
	    "an old copy is served; if the CA was built anew: `cordonctl crl reset'" },
	[E_EQUIVOCATION] = { "E_EQUIVOCATION", "two different CRLs with one number",
	    "the CA published twice under one number, or somebody else did: ask who runs it" },
	[E_TOO_BIG] = { "E_TOO_BIG", "the CRL is larger than max_size allows", "raise max_size of the source if that is right" },
	[E_CACHE] = { "E_CACHE", "the kept copy is damaged", "it is fetched anew; look after the disk" },
	[E_DISK] = { "E_DISK", "the CRL could not be kept", "make room on the disk: what is revoked stays revoked meanwhile" },
	[E_APPLY] = { "E_APPLY", "verified, but the kernel did not take the quarantine yet",
	    "see `cordonctl status' and `journalctl -u cordon'" },
	[E_FUTURE] = { "E_FUTURE", "the CRL is from the future",
	    "check the clocks of this router and of the CA: it revokes, but clears nobody" },
	[E_SIGNER_EXPIRED] = { "E_SIGNER_EXPIRED", "the signer's certificate ran out",
	    "declare the CA's new certificate: this CRL revokes, but clears nobody" },
	[E_SIGNER_REVOKED] = { "E_SIGNER_REVOKED", "the signer's certificate is revoked",
	    "this CRL revokes, but clears nobody: the CA needs a new certificate" },
	[E_SCOPE] = { "E_SCOPE", "it covers none of our certificates",
	    "if its CRLs speak about all devices, as those of step-ca do: covers = \"all\" for this source" },
	[E_BASE] = { "E_BASE", "a delta whose base is missing",
	    "the full CRL is fetched: until it is there the delta revokes, but clears nobody" },
	[E_UNREVOKED] = { "E_UNREVOKED", "what was revoked is no longer listed",
	    "the devices stay in quarantine: if the CA is right, `cordonctl device release NAME --revoked'" },
	[E_MARK] = { "E_MARK", "the mark of the newest CRL was damaged",
	    "nobody is cleared until `cordonctl crl reset' says that what is served now is right" },
	[E_PRIVATE] = { "E_PRIVATE", "its address leads to a private network, where it may not",
	    "declare the address as a source if that is right" },
};

const char *
word_source_error(uint32_t error)
{
	return error < SOURCE_ERRORS && errors[error].words != NULL ? errors[error].words : "?";
}

const char *
word_source_error_key(uint32_t error)
{
	return error < SOURCE_ERRORS && errors[error].key != NULL ? errors[error].key : "?";
}

const char *
word_source_error_advice(uint32_t error)
{
	return error < SOURCE_ERRORS && errors[error].advice != NULL ? errors[error].advice : "?";
}

/* ---- reasons ------------------------------------------------------------ */

static const char *const reasons[] = {
	"unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
	"cessationOfOperation", "certificateHold", NULL, "removeFromCRL", "privilegeWithdrawn", "aACompromise",
};

const char *
word_crl_reason(uint32_t reason)
{
	return WORD_OF(reasons, reason);
}

int
word_crl_reason_of(const char *word)
{
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i] != NULL && strcmp(reasons[i], word) == 0)
			return (int)i;
	return -1;
}

static const struct {
	uint32_t bit;
	const char *word;
} causes[] = {
	{ CAUSE_REVOKED, "revoked" },
	{ CAUSE_OPERATOR, "operator" },
	{ CAUSE_STALE, "stale" },
	{ CAUSE_NEW, "not looked up yet" },
	{ CAUSE_LIMITED, "restricted" },
};
#define N_CAUSES (sizeof(causes) / sizeof(causes[0]))

const char *
word_cause(uint32_t cause, char buf[CAUSE_STRLEN])
{
	size_t i, at = 0;

	buf[0] = '\0';
	for (i = 0; i < N_CAUSES; i++) {
		if ((cause & causes[i].bit) == 0)
			continue;
		at += (size_t)snprintf(buf + at, CAUSE_STRLEN - at, "%s%s", at > 0 ? ", " : "",
		    causes[i].word);
	}
	return at > 0 ? buf : "-";
}

json_t *
answer_cause(uint32_t cause)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < N_CAUSES; i++)
		if (cause & causes[i].bit)
			json_array_append_new(list, json_string(causes[i].word));
	return list;
}

/* ---- what is known of a device ------------------------------------------ */

const char *
word_check(uint32_t check)
{
	static const char *const words[CHECKS] = {
		[CHECK_UNKNOWN] = "unknown",
		[CHECK_NONE] = "no-certificate",
		[CHECK_UNCHECKED] = "unchecked",
		[CHECK_STALE] = "stale",
		[CHECK_CLEAN] = "clean",
		[CHECK_HELD] = "held",
		[CHECK_REVOKED] = "revoked",
		[CHECK_EXPIRED] = "expired",
	};

	return WORD_OF(words, check & ~(uint32_t)CHECK_CHAIN_UNKNOWN);
}

const char *
word_evidence(uint32_t evidence)
{
	static const char *const words[EVIDENCES] = {
		"",
		[EVIDENCE_CERTIFICATE] = "its certificate stands on a CRL",
		[EVIDENCE_ISSUER] = "the certificate of the CA that issued it stands on a CRL: a whole batch",
		[EVIDENCE_KEY] = "another certificate with the same key is revoked, and the key is compromised",
		[EVIDENCE_OCSP] = "an OCSP responder said so",
	};

	return WORD_OF(words, evidence);
}

const char *
word_evidence_key(uint32_t evidence)
{
	static const char *const words[EVIDENCES] = {
		"",
		[EVIDENCE_CERTIFICATE] = "certificate",
		[EVIDENCE_ISSUER] = "issuer",
		[EVIDENCE_KEY] = "key",
		[EVIDENCE_OCSP] = "ocsp",
	};

	return WORD_OF(words, evidence);
}

/* ---- bits --------------------------------------------------------------- */

json_t *
answer_alarms(uint32_t alarms)
{
	static const struct {
		uint32_t bit;
		const char *key;
	} keys[] = {
		{ ALARM_UNREVOKED, "unrevoked" }, { ALARM_CLONES, "clones" }, { ALARM_BATCH, "batch" },
		{ ALARM_SIGNER, "signer" }, { ALARM_REMOVED, "removed" }, { ALARM_STALE, "stale" },
		{ ALARM_OCSP_UNKNOWN, "ocsp-unknown" }, { ALARM_UNCHECKED, "unchecked" },
	};
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (alarms & keys[i].bit)
			json_array_append_new(list, json_string(keys[i].key));
	return list;
}

static const struct {
	uint32_t bit;
	const char *key, *words;
} warnings[] = {
	{ CRL_WARN_EMPTY_LIST, "empty-list", "an empty list of entries is written out (RFC 5280 5.1.2.6)" },
	{ CRL_WARN_SERIAL, "serial", "serial numbers that are no proper INTEGER, or longer than 20 octets: "
	    "taken as the number they are (RFC 5280 4.1.2.2)" },
	{ CRL_WARN_REASON, "reason", "a reason that does not exist: taken as unspecified (RFC 5280 5.3.1)" },
	{ CRL_WARN_BOOLEAN, "boolean", "a value that is the default is written out (X.690 11.5)" },
	{ CRL_WARN_REMOVE, "remove", "removeFromCRL in a CRL that is no delta: without effect (RFC 5280 5.3.1)" },
};
#define N_WARNINGS (sizeof(warnings) / sizeof(warnings[0]))

json_t *
answer_warnings(uint32_t bits)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < N_WARNINGS; i++)
		if (bits & warnings[i].bit)
			json_array_append_new(list, json_string(warnings[i].key));
	return list;
}

const char *
word_warning(uint32_t bits, unsigned bit)
{
	size_t i;

	if (bit >= 32 || (bits & 1U << bit) == 0)
		return NULL;
	for (i = 0; i < N_WARNINGS; i++)
		if (warnings[i].bit == 1U << bit)
			return warnings[i].words;
	return "?";
}

const char *
word_crl_number(const uint8_t *number, size_t len, char buf[NUMBER_STRLEN])
{
	uint64_t n = 0;
	size_t i, at;

	for (; len > 0 && number[0] == 0; len--)
		number++;
	for (i = 0; i < len && i < 8; i++)
		n = n << 8 | number[i];
	if (len <= 8) {
		snprintf(buf, NUMBER_STRLEN, "%" PRIu64, n);
		return buf;
	}
	at = (size_t)snprintf(buf, NUMBER_STRLEN, "0x");
	format_hex(number, len < (NUMBER_STRLEN - 4) / 2 ? len : (NUMBER_STRLEN - 4) / 2, buf + at);
	return buf;
}
