/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c -- cordonctl, the operator's tool. It runs with the operator's own
 * rights: what it may do is decided by who may open the control socket, write
 * the configuration and read the evidence. */
#include <config.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "ctl/commands.h"
#include "ctl/ctl.h"

static const char *
value_or(const struct args *a, enum opt o, const char *otherwise)
{
	const char *value = args_value(a, o);

	return value != NULL ? value : otherwise;
}

static int
usage(struct ctl *c, const char *why)
{
	int exit = ctl_fail(c, EXIT_USAGE, "%s", why);

	fprintf(c->err, "`cordonctl --help' lists the commands.\n");
	return exit;
}

static int
run(struct ctl *c, struct args *a)
{
	const struct command *cmd;
	char why[ARGS_WHY_LEN];
	unsigned used = 0;

	if (args_has(a, OPT_VERSION)) {
		if (c->json)
			return ctl_json(c, EXIT_DONE, json_pack("{s:s}", "version", PACKAGE_VERSION));
		fprintf(c->out, "cordonctl %s\n", PACKAGE_VERSION);
		return EXIT_DONE;
	}
	if (args_has(a, OPT_HELP) && a->n_words == 0) {
		commands_help(c->out);
		return EXIT_DONE;
	}
	if ((cmd = command_find(a, &used, why)) == NULL)
		return usage(c, why);
	if (args_has(a, OPT_HELP)) {
		command_help(cmd, c->out);
		return EXIT_DONE;
	}
	if (command_check(cmd, a, used, why) < 0)
		return usage(c, why);
	/* The command sees its operands only. */
	memmove(a->words, a->words + used, (a->n_words - used) * sizeof(a->words[0]));
	a->n_words -= used;
	return cmd->run(c);
}

int
main(int argc, char *argv[])
{
	struct args args = { .n_words = 0 };
	struct ctl c = { .out = stdout, .err = stderr, .args = &args };
	char why[ARGS_WHY_LEN];
	int rc, i;

	signal(SIGPIPE, SIG_IGN);	/* a closed pager is seen when writing fails */
	c.terminal = isatty(STDOUT_FILENO) == 1;
	if (args_parse(argc, argv, &args, why) < 0) {
		for (i = 1; i < argc; i++)
			c.json |= strcmp(argv[i], "--json") == 0;
		return usage(&c, why);
	}
	c.json = args_has(&args, OPT_JSON);
	c.run = value_or(&args, OPT_RUN, RUNDIR);
	c.config = value_or(&args, OPT_CONFIG, SYSCONFDIR);
	c.state = value_or(&args, OPT_STATE, STATEDIR);
	c.programs = value_or(&args, OPT_PROGRAMS, LIBEXECDIR);
	rc = run(&c, &args);
	if (fflush(stdout) == EOF && rc == EXIT_DONE)
		rc = EXIT_MISTAKES;
	return rc;
}
