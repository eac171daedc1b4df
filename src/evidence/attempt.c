/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attempt.c -- the words of an attempt, both ways. They are what the store
 * holds, so that a reader of another version is never misled by a number. */
#include "evidence/attempt.h"

#include <stddef.h>
#include <string.h>

static const char *const reasons[REASONS] = {
	[REASON_NONE] = "none",
	[REASON_NOT_ALLOWED] = "not-allowed",
	[REASON_QUARANTINED] = "quarantined",
	[REASON_WRONG_ADDRESS] = "wrong-address",
	[REASON_WRONG_MAC] = "wrong-mac",
	[REASON_WRONG_PORT] = "wrong-port",
	[REASON_UNKNOWN_DEVICE] = "unknown-device",
	[REASON_INBOUND] = "inbound",
	[REASON_SERVICE] = "service",
	[REASON_PEER] = "peer",
	[REASON_INVALID] = "invalid",
	[REASON_CONNECTION_LIMIT] = "connection-limit",
	[REASON_RATE] = "rate",
	[REASON_CLONE] = "clone",
};

static const char *const verdicts[VERDICTS] = {
	[VERDICT_REFUSED] = "refused",
	[VERDICT_AUDITED] = "audited",
};

static const char *const identities[IDENTITIES] = {
	[IDENTITY_NONE] = "none",
	[IDENTITY_PROVED] = "proved",
	[IDENTITY_CLAIMED] = "claimed",
};

static const char *const states[ATTEMPT_STATES] = {
	[ATTEMPT_ANY] = "any",
	[ATTEMPT_OPEN] = "open",
	[ATTEMPT_FINAL] = "final",
	[ATTEMPT_LAPSED] = "lapsed",
};

static const char *const hooks[ATTEMPT_HOOKS] = {
	[ATTEMPT_HOOK_NONE] = "none",
	[ATTEMPT_HOOK_INPUT] = "input",
	[ATTEMPT_HOOK_FORWARD] = "forward",
	[ATTEMPT_HOOK_OUTPUT] = "output",
};

static const char *
name_of(const char *const *names, unsigned n, unsigned value)
{
	return value < n ? names[value] : "?";
}

static int
value_of(const char *const *names, unsigned n, const char *name)
{
	for (unsigned i = 0; name != NULL && i < n; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

#define WORDS(what, names, n)						\
	const char *							\
	attempt_##what##_name(unsigned value)				\
	{								\
		return name_of(names, n, value);			\
	}								\
									\
	int								\
	attempt_##what##_of(const char *name)				\
	{								\
		return value_of(names, n, name);			\
	}

WORDS(reason, reasons, REASONS)
WORDS(verdict, verdicts, VERDICTS)
WORDS(identity, identities, IDENTITIES)
WORDS(state, states, ATTEMPT_STATES)
WORDS(hook, hooks, ATTEMPT_HOOKS)
