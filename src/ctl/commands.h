/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands.h -- which command is meant, and its help. */
#ifndef CORDON_CTL_COMMANDS_H
#define CORDON_CTL_COMMANDS_H

#include <stdio.h>

#include "ctl/ctl.h"

/* The command that the first words name; *used of them. NULL with the reason,
 * which suggests the nearest. */
const struct command *command_find(const struct args *, unsigned *used, char why[ARGS_WHY_LEN]);

/* Does it take these options, and so many operands? 0 or -1 with the reason. */
int command_check(const struct command *, const struct args *, unsigned used, char why[ARGS_WHY_LEN]);

void command_help(const struct command *, FILE *);
void commands_help(FILE *);

#endif
