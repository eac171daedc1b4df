/* SPDX-License-Identifier: GPL-2.0-or-later */
/* messages.c -- the table itself. */
#include "proto/messages.h"

#define P(p) PROC_BIT(PROC_##p)

static const struct ipc_type types[MSG_MAX] = {
#define MSG(name, payload, from, to, fd) \
	[MSG_##name] = { #name, sizeof(struct payload), from, to, fd },
#include "proto/messages.def"
#undef MSG
};

#define MSG(name, payload, from, to, fd) \
	static_assert(sizeof(struct payload) <= IPC_PAYLOAD_MAX, #name " does not fit a message");
#include "proto/messages.def"
#undef MSG

const struct ipc_table messages = { types, MSG_MAX };

const char *
proc_name(uint32_t proc)
{
	static const char *const names[PROC_MAX] = {
		[PROC_NONE] = "?",
		[PROC_SPAWN] = "cordon-spawn",
		[PROC_ENFORCE] = "cordond",
		[PROC_COMPILE] = "cordon-compile",
		[PROC_FLOW] = "cordon-flow",
		[PROC_PKI] = "cordon-pki",
		[PROC_FETCH] = "cordon-fetch",
		[PROC_CTL] = "cordonctl",
	};

	return proc < PROC_MAX ? names[proc] : "?";
}
