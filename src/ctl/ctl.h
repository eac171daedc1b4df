/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl.h -- what every command of cordonctl is given, and how it answers. */
#ifndef CORDON_CTL_CTL_H
#define CORDON_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

#include "ctl/args.h"

enum ctl_exit {
	EXIT_DONE = 0,
	EXIT_MISTAKES = 1,	/* failure, or mistakes found */
	EXIT_DIFFERS = 2,	/* reverted, or differs */
	EXIT_NOT_RUNNING = 3,
	EXIT_UNDETERMINED = 4,
	EXIT_USAGE = 64,
};

struct ctl {
	const char *run;	/* folder of the control socket */
	const char *config;
	const char *state;
	const char *programs;	/* where cordon-compile is */
	bool json;
	bool terminal;		/* standard output is one */
	const struct args *args;
	FILE *out;
	FILE *err;
};

/* A command: "policy check". Those without a verb stand alone ("status"). */
struct command {
	const char *noun;
	const char *verb;	/* or NULL */
	const char *operands;	/* for the usage line */
	uint64_t options;	/* bits of enum opt beside the global ones */
	unsigned min, max;	/* operands */
	int (*run)(struct ctl *);	/* returns enum ctl_exit */
	const char *what;	/* one line */
	const char *more;	/* for the command's own help */
};

extern const struct command commands[];
extern const size_t n_commands;

int cmd_policy_check(struct ctl *);
int cmd_policy_print(struct ctl *);
int cmd_policy_verify(struct ctl *);
int cmd_policy_diff(struct ctl *);
int cmd_policy_explain(struct ctl *);
int cmd_policy_apply(struct ctl *);
int cmd_policy_stage(struct ctl *);
int cmd_policy_staged(struct ctl *);
int cmd_policy_unstage(struct ctl *);
int cmd_policy_confirm(struct ctl *);
int cmd_policy_rollback(struct ctl *);
int cmd_policy_history(struct ctl *);
int cmd_status(struct ctl *);
int cmd_device_list(struct ctl *);
int cmd_device_show(struct ctl *);
int cmd_device_add(struct ctl *);
int cmd_device_import(struct ctl *);
int cmd_device_discover(struct ctl *);
int cmd_device_quarantine(struct ctl *);
int cmd_device_release(struct ctl *);
int cmd_device_revoke(struct ctl *);
int cmd_device_unrevoke(struct ctl *);
int cmd_device_history(struct ctl *);
int cmd_device_rebind(struct ctl *);
int cmd_revocation_list(struct ctl *);
int cmd_pending_list(struct ctl *);
int cmd_pending_confirm(struct ctl *);
int cmd_pending_dismiss(struct ctl *);
int cmd_class_list(struct ctl *);
int cmd_class_show(struct ctl *);
int cmd_crl_list(struct ctl *);
int cmd_crl_refresh(struct ctl *);
int cmd_crl_reset(struct ctl *);
int cmd_crl_check(struct ctl *);
int cmd_attempt_list(struct ctl *);

/* Say what went wrong and what to do: a line to standard error, and with
 * --json an object {"error": ...} to standard output. Returns exit. */
int ctl_fail(struct ctl *, int exit, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Print the object of a --json answer and give it up. Returns exit, or
 * EXIT_MISTAKES when it could not be made or written. */
int ctl_json(struct ctl *, int exit, json_t *);

/* Print lines that another program wrote, escaped. */
void ctl_lines(const char *text, FILE *);

#endif
