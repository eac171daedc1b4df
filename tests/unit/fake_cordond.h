/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_cordond.h -- plays cordond for tests of cordonctl: a child process that
 * answers on a control socket with what the test laid down before. */
#ifndef CORDON_TESTS_FAKE_CORDOND_H
#define CORDON_TESTS_FAKE_CORDOND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/history.h"
#include "proto/messages.h"
#include "proto/snapshot.h"

struct fake {
	/* what it says */
	const void *image;
	size_t image_len;
	uint64_t revision;
	uint32_t stale_answers;		/* so many snapshots are of another revision first */
	_Alignas(8) uint8_t snapshot[65536];
	size_t snapshot_len;
	bool unsealed;			/* the snapshot could change under the reader */
	struct ctl_status status;
	struct ctl_applied applied;
	const char *mistakes;		/* text that comes with applied */
	uint32_t steps;			/* so many are told of before that, when asked for */
	struct ctl_confirmed confirmed;
	struct ctl_verified verified;
	struct ctl_difference differences[4];
	uint32_t n_differences;		/* that really come along */
	struct history_entry history[8];
	uint32_t n_history;
	uint32_t silent_histories;	/* so many are empty first */
	uint32_t done_error;		/* of CTL_DONE */
	struct ctl_stood stood;		/* of CTL_STAND; changed is counted by itself when the fake obeys */
	struct device_event events[8];
	uint32_t n_events;
	struct ctl_revocation revocations[4];
	uint32_t n_revocations;
	const char *asked;		/* a file into which each CTL_STAND, CTL_CRL_RESET or CTL_EVENTS is written, with
					 * its device numbers; NULL: none */
	uint32_t stray;			/* messages of other serials before each answer */
	bool hangs_up;			/* at the first question */
	/* what a quarantine does to the next snapshot */
	bool obeys;

	char folder[64];
	pid_t pid;
};

/* Lay down a header, a device for each number, a source for each url, and the authorities. */
void fake_snapshot(struct fake *, const uint32_t *numbers, uint32_t devices, uint32_t sources,
    uint32_t authorities);
struct snapshot_device *fake_device(struct fake *, uint32_t i);
struct pki_source *fake_source(struct fake *, uint32_t i);
struct pki_authority *fake_authority(struct fake *, uint32_t i);

/* What was asked for, from the file. False at its end. */
struct fake_asked {
	uint32_t type;
	uint32_t n;
	union {
		struct ctl_stand stand;
		struct pki_reset reset;
		struct ctl_device device;
	};
	uint32_t numbers[64];
};
bool fake_asked(const struct fake *, unsigned nth, struct fake_asked *);

/* Make the folder and the socket; the child answers until fake_stop. */
void fake_start(struct fake *);
void fake_stop(struct fake *);

#endif
