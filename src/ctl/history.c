/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history.c -- the history of the policy, asked of cordond and checked. */
#include "ctl/history.h"

#include <errno.h>
#include <string.h>

#include "common/file.h"

#define HISTORY_BYTES (LIMIT_HISTORY * sizeof(struct history_entry))

static int
check(const struct history *h, uint32_t n)
{
	size_t i;

	if (h->len != n * sizeof(*h->entries))
		return -EBADMSG;
	for (i = 0; i < n; i++)
		if (memchr(h->entries[i].who.login, '\0', CTL_LOGIN) == NULL)
			return -EBADMSG;
	return 0;
}

int
history_ask(struct client *cl, struct history *out)
{
	struct ctl_empty nothing = { 0 };
	struct ctl_history is;
	const void *data = NULL;
	int rc;

	memset(out, 0, sizeof(*out));
	if ((rc = client_ask(cl, MSG_CTL_HISTORY, &nothing, sizeof(nothing), MSG_CTL_HISTORY_IS,
	    CLIENT_TIMEOUT_MS)) < 0)
		return rc;
	memcpy(&is, cl->answer.payload, sizeof(is));
	out->damaged = is.damaged;
	if (is.n == 0)
		return 0;
	if ((rc = memfile_map(cl->answer.fd, HISTORY_BYTES, &data, &out->len)) < 0)
		return rc;
	out->entries = data;
	if ((rc = check(out, is.n)) < 0)
		history_done(out);
	else
		out->n = is.n;
	return rc;
}

void
history_done(struct history *h)
{
	if (h->entries != NULL)
		memfile_unmap(h->entries, h->len);
	memset(h, 0, sizeof(*h));
}

const char *
history_what_word(uint32_t what)
{
	static const char *const words[HISTORY_WHATS] = { [HISTORY_APPLIED] = "applied",
		[HISTORY_ROLLED_BACK] = "rolled-back", [HISTORY_CONFIRMED] = "confirmed",
		[HISTORY_REVERTED] = "reverted", [HISTORY_BOOT] = "started", [HISTORY_RESTORED] = "restored" };

	return what < HISTORY_WHATS && words[what] != NULL ? words[what] : "?";
}

static const struct {
	const char *word, *text;
} whys[HISTORY_WHYS] = {
	[WHY_NONE] = { "", "" },
	[WHY_DEADLINE] = { "deadline", "nobody confirmed it in time" },
	[WHY_BOOT] = { "boot", "the machine started anew before it was confirmed" },
	[WHY_DAMAGED] = { "damaged", "what was known of its deadline is damaged or gone" },
	[WHY_ASKED] = { "asked", "an operator asked for it" },
	[WHY_ADOPTED] = { "adopted", "the rules stood and were right" },
	[WHY_LOADED] = { "loaded", "no rules stood" },
	[WHY_REBUILT] = { "rebuilt", "other rules stood and were replaced" },
};

const char *
history_why_word(uint32_t why)
{
	return why < HISTORY_WHYS ? whys[why].word : "?";
}

const char *
history_why_text(uint32_t why)
{
	return why < HISTORY_WHYS ? whys[why].text : "?";
}
