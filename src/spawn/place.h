/* SPDX-License-Identifier: GPL-2.0-or-later */
/* place.h -- what must be there before the first program runs: folders, lock, sockets. */
#ifndef CORDON_SPAWN_PLACE_H
#define CORDON_SPAWN_PLACE_H

#include <sys/types.h>

/* Each returns a close-on-exec descriptor or -errno. */

/* Make the folder with all above it that is missing (0755), root's. */
int place_folder(const char *path);

/* A folder of its own below parent, with exactly this owner and mode. */
int place_own_folder(int parent, const char *name, uid_t uid, gid_t gid, mode_t mode);

/* Hold the folder behind fd against every other cordon-spawn. Children share
 * the lock with the descriptor, so it also holds while one of them is left
 * over from a cordon-spawn that was killed: waits for those, -EWOULDBLOCK then. */
int place_hold(int fd);

/* The one lock of this run folder; -EWOULDBLOCK while another holds it. */
int place_lock(int run);

/* The listening control socket in the run folder, 0660, of that group. */
int place_control_socket(const char *run_path, int run, gid_t gid);

/* The socket that will own the nftables table. */
int place_netlink(void);

/* Take the names away again. */
void place_clean(int run);

#endif
