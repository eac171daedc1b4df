/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl.h -- what crosses between cordonctl and cordond; a part of messages.h,
 * whose rules hold here as well. */
#ifndef CORDON_PROTO_CTL_H
#define CORDON_PROTO_CTL_H

#ifndef CORDON_PROTO_MESSAGES_H
#error "include proto/messages.h"
#endif

struct ctl_empty {
	uint32_t pad;
};

#define CTL_LOGIN 60

/* Who asked for something. */
struct ctl_who {
	uint32_t uid;		/* the kernel's word; CTL_NOBODY: cordon itself */
	char login[CTL_LOGIN];	/* what the asker claimed; "": nothing */
};
#define CTL_NOBODY UINT32_MAX

/* A policy in force that ends by itself unless it is confirmed. */
struct ctl_waits {
	uint64_t revision;	/* 0: none waits */
	uint64_t before;	/* the one that comes back; 0: the empty one */
	int64_t since;
	uint32_t left_ms;
	uint32_t confirm_s;	/* what was asked for */
	struct ctl_who who;
};

struct ctl_status {
	uint64_t revision;		/* of the running policy; 0: none yet, device interfaces are closed */
	int64_t applied_at;
	int64_t started_at;		/* cordond */
	int64_t now;
	uint32_t devices;
	uint32_t classes;
	uint32_t quarantined;
	uint32_t restricted;
	uint32_t audited;
	uint32_t pending;		/* devices that wait behind the brake */
	uint32_t brake_devices;		/* what it allows, */
	uint32_t brake_within_s;
	uint32_t brake_used;		/* and how many were quarantined by themselves within that time */
	uint32_t pad;
	uint32_t table_mode;		/* 1: owner and persist; 2: plain table, watched */
	uint32_t healthy;		/* 1: the kernel was compared with the model and agrees */
	uint32_t foreign_changes;	/* seen and put right since start */
	uint32_t landlock;		/* 1: workers run under Landlock */
	uint32_t worker_up[PROC_MAX];	/* by enum proc: 1 when ready */
	uint32_t worker_restarts[PROC_MAX];
	struct flow_flushed flow;	/* the latest */
	uint64_t refused_packets;	/* devices' */
	uint64_t refused_bytes;
	uint64_t stranger_packets;
	uint64_t overflow_packets;	/* refused beyond budget: counted, without a key */
	uint64_t invalid_packets;
	uint64_t stray_packets;		/* answers and inbound packets that belong to nothing allowed */
	struct ctl_waits waits;
	uint64_t given_up;		/* the last change was to leave this revision, unconfirmed; 0: it was not */
	int64_t given_up_at;
	uint32_t given_up_why;		/* enum history_why */
	uint32_t staged;		/* 1: a policy is staged */
	int64_t staged_since;
	struct ctl_who staged_by;
};

struct ctl_state {
	uint64_t revision;
};

/* The connection that a change is asked for over; family 0: none is known. */
struct ctl_connection {
	uint8_t client[16];	/* IPv4 in the first four bytes */
	uint8_t server[16];
	uint16_t client_port;	/* host order; TCP */
	uint16_t server_port;
	uint8_t family;		/* AF_INET, AF_INET6 */
	uint8_t has_mac;
	uint8_t mac[6];		/* of whom the client's packets come from */
	uint8_t pad[4];
	char interface[16];	/* that they come in by */
};
static_assert(sizeof(struct ctl_connection) == 64, "wire");

enum ctl_apply_flags {
	CTL_FORCE	= 1 << 0,	/* even if it drops the asker's own connection */
	CTL_TELL	= 1 << 1,	/* CTL_PROGRESS may come before the answer */
	CTL_STAGE	= 1 << 2,	/* CTL_APPLY: stage it, enforce nothing */
	CTL_FROM_STAGED	= 1 << 3,	/* CTL_APPLY: enforce what is staged, compile nothing */
};

struct ctl_apply {
	uint64_t revision;	/* CTL_ROLLBACK: to this one; 0: to the one before */
	uint32_t confirm_s;	/* go back by itself after so long; 0: for good */
	uint32_t flags;		/* bits of enum ctl_apply_flags */
	struct ctl_connection from;
	char login[CTL_LOGIN + 4];	/* claimed */
};

enum ctl_step {
	STEP_COMPILE = 1,	/* cordon-compile reads and compiles the configuration */
	STEP_LOAD,		/* checked, written down, and given to the kernel */
	STEP_LOOKUP,		/* before that: its new devices are looked up in every CRL at hand */
};

struct ctl_progress {
	uint32_t step;		/* enum ctl_step */
	uint32_t pad;
};

/* Why nothing was changed, when it was no fault. */
enum ctl_refusal {
	REFUSAL_NONE = 0,
	REFUSAL_BUSY,		/* another change is being compiled; waits says whose, since when */
	REFUSAL_WAITS,		/* one waits for its confirmation: waits */
	REFUSAL_LOCKOUT,	/* it would drop the asker's own connection */
	REFUSAL_NO_REVISION,	/* none such is stored */
	REFUSAL_NOTHING_WAITS,
	REFUSAL_NOTHING_STAGED,
	REFUSALS
};

struct ctl_applied {
	uint32_t error;		/* errno of the apply; 0 with mistakes > 0 means nothing was applied */
	uint32_t mistakes;
	uint64_t revision;	/* running now */
	uint32_t devices;
	uint32_t classes;
	uint32_t added;		/* elements */
	uint32_t removed;
	uint32_t renewed;	/* devices that got a new generation: their flows are judged again */
	uint32_t microseconds;	/* the kernel's transaction */
	uint32_t all_microseconds;	/* from the image to the kernel: checked, written down, built, sent */
	uint32_t refusal;	/* enum ctl_refusal; then nothing was applied */
	uint64_t from;		/* CTL_ROLLBACK: the stored revision that runs again */
	struct ctl_waits waits;
	uint32_t unstaged;	/* enum ctl_unstaged */
	uint32_t pad;
};

/* What a change did to the policy that was staged. */
enum ctl_unstaged {
	UNSTAGED_NOT = 0,	/* it stays, or there was none */
	UNSTAGED_ENFORCED,	/* it is the one that is enforced now */
	UNSTAGED_STALE,		/* it gives devices other numbers than the one that is enforced now */
};

struct ctl_staged {
	uint32_t staged;	/* 0: nothing is */
	uint32_t pad;
	int64_t since;
	int64_t counted_since;	/* later when the kernel's table was made anew */
	uint64_t revision;	/* enforced when it was staged */
	struct ctl_who who;
	uint32_t n_totals;	/* in the file */
	uint32_t n_keys;
};

struct ctl_confirm {
	char login[CTL_LOGIN + 4];
};

struct ctl_confirmed {
	uint32_t error;
	uint32_t refusal;	/* enum ctl_refusal */
	struct ctl_waits waits;	/* what was confirmed */
};

struct ctl_history {
	uint32_t n;
	uint32_t damaged;	/* records passed over */
};

/* Kernel and model, element by element. */
struct ctl_verified {
	uint32_t agrees;	/* 1: everything */
	uint32_t listed;	/* ctl_difference that came along */
	uint64_t compared;	/* elements of the model */
	uint64_t missing;	/* of them, not in the kernel */
	uint64_t foreign;	/* in the kernel and not in the model */
	uint32_t microseconds;	/* of work, in slices */
	uint32_t longest;	/* the longest slice, microseconds */
	char where[64];		/* the first set that differs, or what else does; "" */
};

enum ctl_differs {
	DIFFERS_MISSING = 1,	/* the model has it, the kernel has not */
	DIFFERS_FOREIGN,	/* the other way round */
	DIFFERS_DATA,		/* both have it, with other data: this is the kernel's */
};

struct ctl_difference {
	uint32_t what;		/* enum ctl_differs */
	uint32_t pad;
	char set[64];
	char element[320];
};

struct ctl_device {
	uint32_t number;
	uint32_t pad;
};

/* What an operator says of devices, all in one transaction. */
enum ctl_stand_what {
	STAND_QUARANTINE = 1,	/* device quarantine: until an operator releases it, or until then */
	STAND_REVOKE,		/* device revoke: the same, and reason is a CRLReason */
	STAND_REVOKE_SERIAL,	/* and whatever device has that certificate now or later */
	STAND_RELEASE,		/* takes the operator's cause away, or what `causes` names */
	STAND_CONFIRM,		/* what waits behind the brake takes effect */
	STAND_DISMISS,		/* or never will, as long as the evidence is the same */
	STAND_FORGET_SERIAL,	/* lifts STAND_REVOKE_SERIAL */
	STANDS
};

struct ctl_stand {
	uint32_t what;		/* enum ctl_stand_what */
	uint32_t n;		/* device numbers in the file; 0 with a serial */
	uint32_t causes;	/* STAND_RELEASE: bits of enum station_cause; 0: the operator's */
	uint32_t reason;	/* RFC 5280 5.3.1 CRLReason; STAND_REVOKE and STAND_REVOKE_SERIAL */
	int64_t until;		/* ends by itself then; 0: never */
	uint32_t authority;	/* number; with a serial */
	uint32_t serial_len;
	uint8_t serial[20];
	uint8_t pad[4];
	char login[CTL_LOGIN + 4];	/* claimed */
	char words[200];
};

struct ctl_stood {
	uint32_t error;		/* errno; -ENOENT: no such device or serial, -EALREADY: nothing changes, -EPERM: other causes hold it */
	uint32_t changed;	/* devices */
	uint32_t device;	/* error: the first one it is about, or 0 */
	uint32_t causes;	/* of it */
};

/* A serial that an operator revoked. */
struct ctl_revocation {
	uint32_t authority;	/* number */
	uint32_t serial_len;
	uint8_t serial[20];
	uint32_t reason;
	int64_t since;
	int64_t until;
	struct ctl_who who;
	char words[200];
};

struct ctl_authority {
	uint32_t number;	/* 0: all */
	uint32_t pad;
};

struct ctl_done {
	uint32_t error;		/* errno */
	uint32_t pad;
};

#endif
