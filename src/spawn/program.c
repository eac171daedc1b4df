/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program.c -- the table of programs. Whatever is not in it is never started. */
#include "spawn/program.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stddef.h>

static const struct program programs[PROC_MAX] = {
	[PROC_ENFORCE] = {
		.proc = PROC_ENFORCE,
		.user = "_cordon",
		.folder = "enforce",
		.folder_mode = 0700,
		.caps = 1U << CAP_NET_ADMIN,
	},
	[PROC_COMPILE] = {
		.proc = PROC_COMPILE,
		.user = "_cordon-compile",
		.in_group = true,
		.gets_config = true,
		.argument = "--worker",
		.is_worker = true,
	},
	[PROC_FLOW] = {
		.proc = PROC_FLOW,
		.user = "_cordon-flow",
		.folder = "evidence",
		/* set-group-ID: the evidence it writes is the operators' to read */
		.folder_mode = 02750,
		.folder_shared = true,
		.is_worker = true,
	},
	[PROC_PKI] = {
		.proc = PROC_PKI,
		.user = "_cordon-pki",
		.folder = "crl",
		.folder_mode = 0700,
		.is_worker = true,
	},
	[PROC_FETCH] = {
		.proc = PROC_FETCH,
		.user = "_cordon-fetch",
		.is_worker = true,
	},
};

const struct program *
program_by_proc(uint32_t proc)
{
	if (proc >= PROC_MAX || programs[proc].proc == PROC_NONE)
		return NULL;
	return &programs[proc];
}

int
program_ids(const struct program *p, struct program_ids *out)
{
	const struct passwd *pw;

	errno = 0;
	if ((pw = getpwnam(p->user)) == NULL)
		return errno != 0 ? -errno : -ENOENT;
	if (pw->pw_uid == 0 || pw->pw_gid == 0)
		return -EPERM;
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	return 0;
}

int
program_group(gid_t *out)
{
	const struct group *gr;

	errno = 0;
	if ((gr = getgrnam(PROGRAM_GROUP)) == NULL)
		return errno != 0 ? -errno : -ENOENT;
	if (gr->gr_gid == 0)
		return -EPERM;
	*out = gr->gr_gid;
	return 0;
}
