/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program.h -- the programs that cordon-spawn starts: as whom, and with what. */
#ifndef CORDON_SPAWN_PROGRAM_H
#define CORDON_SPAWN_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/proc.h"

#define PROGRAM_GROUP "cordon"	/* operators, and who reads the configuration */

struct program {
	enum proc proc;
	const char *user;
	const char *folder;	/* its own below the state folder, or NULL */
	mode_t folder_mode;
	bool folder_shared;	/* of PROGRAM_GROUP, which may read it */
	bool in_group;		/* PROGRAM_GROUP as its only supplementary group */
	const char *argument;	/* its only one, for a program that people run too; NULL: --debug, if asked for */
	bool is_worker;		/* cordond may ask for it */
	bool gets_config;	/* PROC_FD_EXTRA is the configuration folder */
	unsigned caps;		/* bit n: capability n */
};

struct program_ids {
	uid_t uid;
	gid_t gid;
};

/* The program of that number, or NULL: a foreign number is no index. */
const struct program *program_by_proc(uint32_t proc);

/* Look the user up; -ENOENT when there is none, and root is -EPERM. */
int program_ids(const struct program *, struct program_ids *out);
int program_group(gid_t *out);

#endif
