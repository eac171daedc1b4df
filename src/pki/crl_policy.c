/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crl_policy.c -- replays, double issue and dates ahead of the clock, as pure functions. */
#include <string.h>

#include "pki/crl_policy.h"

int64_t
pki_clock_now(const struct pki_clock *clock)
{
	return clock->wall_ms > clock->floor_ms ? clock->wall_ms : clock->floor_ms;
}

int
crl_number_cmp(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	for (; a_len > 0 && *a == 0; a_len--)
		a++;
	for (; b_len > 0 && *b == 0; b_len--)
		b++;
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return memcmp(a, b, a_len);
}

void
crl_highwater_of(const struct crl_verdict *v, const uint8_t key_digest[KEY_DIGEST_LEN],
    struct crl_highwater *out)
{
	memset(out, 0, sizeof(*out));
	out->valid = true;
	out->number_len = v->number_len;
	memcpy(out->number, v->number, v->number_len);
	out->digest_len = v->digest_len;
	memcpy(out->digest, v->digest, v->digest_len);
	memcpy(out->key_digest, key_digest, KEY_DIGEST_LEN);
	out->this_update = v->this_update;
}

void
crl_highwater_raise(struct crl_highwater *hw, const struct crl_verdict *v,
    const uint8_t key_digest[KEY_DIGEST_LEN])
{
	struct crl_highwater next;

	crl_highwater_of(v, key_digest, &next);
	/* One CRL without a number must not let the numbers begin anew. */
	if (hw->valid && next.number_len == 0 && memcmp(hw->key_digest, key_digest, KEY_DIGEST_LEN) == 0) {
		next.number_len = hw->number_len;
		memcpy(next.number, hw->number, sizeof(next.number));
	}
	*hw = next;
}

static struct crl_judgement
refuse(enum source_error error, const char *why)
{
	return (struct crl_judgement){ .error = error, .why = why };
}

/* Is v older than what we had, or another one under the same number? */
static struct crl_judgement
compare(const struct crl_verdict *v, const struct crl_highwater *hw)
{
	struct crl_judgement accept = { .apply = true, .install = true, .mark = true, .clears = true };
	int order;

	if (v->digest_len == hw->digest_len && memcmp(v->digest, hw->digest, v->digest_len) == 0) {
		accept.same = true;
		return accept;
	}
	if (v->number_len > 0 && hw->number_len > 0) {
		order = crl_number_cmp(v->number, v->number_len, hw->number, hw->number_len);
		if (order < 0)
			return refuse(E_ROLLBACK, "RFC 5280 5.2.3: crlNumber went backwards");
		if (order == 0)
			return refuse(E_EQUIVOCATION, "RFC 5280 5.2.3: two CRLs with one crlNumber");
		if (v->this_update < hw->this_update)
			return refuse(E_ROLLBACK, "a higher crlNumber with an earlier thisUpdate");
		return accept;
	}
	/* Without numbers thisUpdate is the order. */
	if (v->this_update < hw->this_update)
		return refuse(E_ROLLBACK, "thisUpdate went backwards");
	if (v->this_update == hw->this_update)
		return refuse(E_EQUIVOCATION, "two CRLs with one thisUpdate");
	return accept;
}

struct crl_judgement
crl_judge(const struct crl_verdict *v, const uint8_t key_digest[KEY_DIGEST_LEN],
    const struct crl_highwater *hw, int64_t skew_ms, enum source_error signer, const struct pki_clock *clock)
{
	struct crl_judgement j = { .apply = true, .install = true, .mark = true, .clears = true };

	/* Another key is another sequence. */
	if (hw->valid && memcmp(hw->key_digest, key_digest, KEY_DIGEST_LEN) == 0)
		j = compare(v, hw);
	if (!j.apply)
		return j;
	if (v->this_update > pki_clock_now(clock) + skew_ms) {
		/* A revocation is one today as well. What lies ahead of a clock that may
		 * be right must not become the mark: it would lock out all that the
		 * authority issues until then. A clock that is certainly behind knows
		 * no future. */
		j.clears = false;
		if (clock->trusted || clock->wall_ms >= clock->floor_ms) {
			j.mark = false;
			j.error = E_FUTURE;
			j.why = "thisUpdate lies in the future";
		}
	}
	if (signer != E_NONE) {
		j.clears = false;
		j.error = signer;
		j.why = signer == E_SIGNER_EXPIRED ? "the certificate of its signer is out of date" :
		    "the certificate of its signer is revoked";
	}
	return j;
}
