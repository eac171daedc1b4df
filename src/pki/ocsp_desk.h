/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ocsp_desk.h -- who is asked about what, and what was said: for the files that ask
 * responders only. */
#ifndef CORDON_PKI_OCSP_DESK_H
#define CORDON_PKI_OCSP_DESK_H

#include "pki/ocsp.h"
#include "pki/pki.h"

#define OCSP_NEVER INT64_MAX

/* One certificate, by subject. */
struct ocsp_turn {
	int64_t next_boot;	/* OCSP_NEVER: it is not asked about of itself */
	int64_t asked_boot;	/* when the last question ended; 0: none yet */
	int64_t wanted_boot;	/* since then an answer is waited for; 0: none is */
	uint8_t asked;
	uint8_t failed;		/* the last question has no answer that counts */
};

/* By authority; n 0: its responder is not asked. */
struct ocsp_authority {
	struct ocsp_turn *turns;
	struct trust_said *said;
	uint32_t n;
	X509 **certificates;	/* its own, then whom it lets answer; each borrowed */
	uint32_t n_own, n_all;
	enum ocsp_hash hash;	/* that its responder understands */
	uint32_t failures;	/* transfers in a row */
	int64_t next_boot;	/* not before that */
	bool busy;
};

enum ocsp_phase { OCSP_IDLE, OCSP_ASKED, OCSP_RECEIVING };

struct ocsp_slot {
	enum ocsp_phase phase;
	uint32_t authority;
	uint32_t subject;
	int64_t deadline_boot;
	struct ipc channel;
	uint8_t nonce[OCSP_NONCE_LEN];
	bool header_seen;
	size_t len;
	uint8_t *answer;	/* LIMIT_OCSP_RESPONSE */
};

struct ocsp_desk {
	struct ocsp_authority *authorities;
	struct trust_ocsp *told;	/* the same, as trust.h has it */
	uint32_t n;
	uint32_t next;		/* whose turn it is to ask first */
	struct ocsp_slot slots[OCSP_AT_ONCE];
};

/* ocsp_serial.c: does a CRL in use of that authority list that serial? For those
 * that no inventory holds. */
bool ocsp_serial_listed(struct pki *, uint32_t authority, const uint8_t *serial, size_t len);

/* ocsp_desk.c */
struct ocsp_question ocsp_question_about(const struct pki *, const struct ocsp_slot *);
void ocsp_heard(struct pki *, struct ocsp_slot *, const struct ocsp_answer *, const struct clock_view *);

#endif
