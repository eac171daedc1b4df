/* SPDX-License-Identifier: GPL-2.0-or-later */
/* who.c -- people behind user ids and claims. */
#include "ctl/who.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "ctl/answer.h"
#include "ctl/args.h"

static const char *
user_name(uint32_t uid, char number[16])
{
	const struct passwd *pw = getpwuid(uid);

	snprintf(number, 16, "%u", (unsigned)uid);
	return pw != NULL ? pw->pw_name : number;
}

void
who_am_i(char login[CTL_LOGIN + 4])
{
	const char *sudo = getenv("SUDO_USER");
	char number[16];
	uint8_t *text;
	uint32_t uid;
	size_t len;

	memset(login, 0, CTL_LOGIN + 4);
	if (sudo != NULL) {
		snprintf(login, CTL_LOGIN, "%s", sudo);
		return;
	}
	if (file_read_at(AT_FDCWD, "/proc/self/loginuid", 32, &text, &len) < 0)
		return;
	/* The largest number says that nobody logged in. */
	if (args_number((const char *)text, UINT32_MAX - 1, &uid) == 0 && uid != getuid())
		snprintf(login, CTL_LOGIN, "%s", user_name(uid, number));
	free(text);
}

const char *
who_text(const struct ctl_who *who, char buf[WHO_STRLEN])
{
	char login[CTL_LOGIN + 1], number[16];

	snprintf(login, sizeof(login), "%.*s", CTL_LOGIN, who->login);
	snprintf(buf, WHO_STRLEN, "%s%s%s%s",
	    who->uid == CTL_NOBODY ? "cordon itself" : user_name(who->uid, number),
	    login[0] == '\0' ? "" : who->uid == CTL_NOBODY ? " (" : " (says: ", login,
	    login[0] == '\0' ? "" : ")");
	return buf;
}

json_t *
who_json(const struct ctl_who *who)
{
	char login[CTL_LOGIN + 1], number[16];

	snprintf(login, sizeof(login), "%.*s", CTL_LOGIN, who->login);
	if (who->uid == CTL_NOBODY)
		return json_pack("{s:n, s:n, s:o}", "uid", "user", "claimed",
		    login[0] == '\0' ? json_null() : answer_text(login));
	return json_pack("{s:o, s:o, s:o}", "uid", answer_count(who->uid), "user",
	    answer_text(user_name(who->uid, number)), "claimed",
	    login[0] == '\0' ? json_null() : answer_text(login));
}

json_t *
waits_json(const struct ctl_waits *w)
{
	if (w->revision == 0 && w->since == 0)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:i, s:i, s:o}", "revision", answer_count(w->revision), "before",
	    answer_count(w->before), "since", answer_time(w->since), "confirm_seconds", (int)w->confirm_s,
	    "left_ms", (int)w->left_ms, "who", who_json(&w->who));
}
