/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child.h -- a new process: its descriptors, its user, its rights, its program. */
#ifndef CORDON_SPAWN_CHILD_H
#define CORDON_SPAWN_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#define CHILD_FIRST_FD	3	/* PROC_FD_CHANNEL */
#define CHILD_FDS	4	/* up to PROC_FD_CONTROL */
#define CHILD_ARGUMENTS	4
#define CHILD_EXEC_FAILED 127	/* its exit status when the program could not be started */

struct child {
	const char *folder;	/* of programs */
	const char *name;
	const char *arguments[CHILD_ARGUMENTS];	/* after its name; the first NULL ends them */
	uid_t uid;
	gid_t gid;
	bool has_group;		/* group below is its only supplementary one; otherwise none */
	gid_t group;
	unsigned caps;		/* bit n: capability n, and no other */
	int fds[CHILD_FDS];	/* what it finds as 3, 4, ...; -1: nothing; borrowed */
};

/* Its process number, or -errno. What fails after the fork shows as an exit
 * with CHILD_EXEC_FAILED. */
pid_t child_start(const struct child *);

#endif
