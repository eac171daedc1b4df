/* SPDX-License-Identifier: GPL-2.0-or-later */
/* commands.c -- the table of commands: noun first, singular. */
#include "ctl/commands.h"

#include <string.h>

#define O(name) OPT_BIT(OPT_##name)

const struct command commands[] = {
	{ "policy", "check", "[DIR]", 0, 0, 1, cmd_policy_check,
	  "read a configuration and report every mistake in it",
	  "Nothing is changed. DIR is the folder of cordon.conf; by default the appliance's." },
	{ "policy", "print", "[DIR]", O(NFT), 0, 1, cmd_policy_print,
	  "print a configuration as it is understood",
	  "Normalised and sorted by name; with --nft, as the rules and sets that enforce it." },
	{ "policy", "explain", "[DIR]", O(DEVICE) | O(TO) | O(FROM) | O(TCP) | O(UDP) | O(SCTP) | O(ICMP) |
	  O(PROTOCOL) | O(AT) | O(CANDIDATE), 0, 1, cmd_policy_explain,
	  "say whether a connection is allowed, and which line says so",
	  "Of the running policy; of a configuration that does not run when DIR or --candidate says\n"
	  "which, or when cordond cannot be asked. Exit code 0 when it is allowed, 2 when it is\n"
	  "refused. As in: cordonctl policy explain --device sensor-847 --to 203.0.113.9 --tcp 8883" },
	{ "policy", "apply", "", O(STAGED) | O(CONFIRM) | O(WAIT) | O(FORCE), 0, 0, cmd_policy_apply,
	  "have cordond read its configuration and enforce it",
	  "With any mistake nothing changes and the running policy stays. A policy that would drop\n"
	  "the ssh connection it is applied from is refused, unless forced. With --confirm the\n"
	  "policy before comes back by itself unless `cordonctl policy confirm' is run in time;\n"
	  "--wait stays until then: exit code 0 when it was confirmed, 2 when it was reverted." },
	{ "policy", "stage", "", 0, 0, 0, cmd_policy_stage,
	  "have the configuration stand staged: asked, counted, and obeyed in nothing",
	  "The policy that runs stays in force. What the staged one would newly refuse and newly\n"
	  "allow is counted on the packets that come by, from nothing; `cordonctl policy staged'\n"
	  "shows it. One that was staged before is replaced." },
	{ "policy", "staged", "", O(LIMIT), 0, 0, cmd_policy_staged,
	  "show what the staged policy would refuse and allow",
	  "Refused: connections that were let through. Allowed: packets that were refused. By class,\n"
	  "device and destination, the most first; then what no packet can show." },
	{ "policy", "unstage", "", 0, 0, 0, cmd_policy_unstage,
	  "end the staged policy and its counts", NULL },
	{ "policy", "confirm", "", 0, 0, 0, cmd_policy_confirm,
	  "let the policy stay that waits for it", NULL },
	{ "policy", "rollback", "[REVISION]", O(CONFIRM) | O(WAIT) | O(FORCE), 0, 1, cmd_policy_rollback,
	  "enforce an earlier policy again",
	  "The one before, or a stored revision. While a policy waits for its confirmation:\n"
	  "without a REVISION, leave it now." },
	{ "policy", "history", "[REVISION]", O(LIMIT), 0, 1, cmd_policy_history,
	  "show what became of the policy, when, and by whom",
	  "Newest first. With REVISION: how that one differs from the one before." },
	{ "policy", "diff", "[DIR]", O(PREVIOUS) | O(LIMIT), 0, 1, cmd_policy_diff,
	  "show what a configuration would change",
	  "Against the running policy: in words with file and line, and in elements of the kernel's\n"
	  "sets. DIR is a folder like the appliance's. Exit code 0 when nothing would change, 2\n"
	  "when something would." },
	{ "policy", "verify", "", 0, 0, 0, cmd_policy_verify,
	  "compare the kernel with the policy, element by element",
	  "Exit code 0 when they agree, 2 when they differ: with the first 100 differences." },
	{ "status", NULL, "", 0, 0, 0, cmd_status,
	  "say whether the appliance enforces, and what is wrong if not",
	  "Exit code 0 when all is well, 1 when something is not, 3 when cordond does not run." },
	{ "device", "list", "", O(CLASS) | O(STATION) | O(LABEL) | O(PENDING), 0, 0, cmd_device_list,
	  "list the devices and where they stand", NULL },
	{ "device", "show", "NAME", 0, 1, 1, cmd_device_show,
	  "show all that is known of a device", NULL },
	{ "device", "add", "NAME",
	  O(CLASS) | O(MAC) | O(ADDRESS) | O(INTERFACE) | O(AUTHORITY) | O(SERIAL) | O(LABEL), 1, 1,
	  cmd_device_add, "write a new device into the configuration",
	  "--class and --mac are needed. The file is devices.d/NAME.conf; it stays only if the\n"
	  "whole configuration has no mistake with it. `cordonctl policy apply' enforces it." },
	{ "device", "import", "FILE.csv", O(CLASS) | O(REPLACE), 1, 1, cmd_device_import,
	  "copy an inventory into the configuration",
	  "The first line names the columns. --class gives all its devices a class, when the file\n"
	  "has no such column. The file stays only if the whole configuration has no mistake\n"
	  "with it. `cordonctl policy apply' enforces it." },
	{ "device", "discover", "", O(SINCE) | O(AS), 0, 0, cmd_device_discover,
	  "list what is on the device interfaces and in no inventory",
	  "With --as, an inventory of them for `device import' or devices.d: the class of each is\n"
	  "\"?\", so that it is refused until somebody has decided." },
	{ "device", "quarantine", "[NAME...]", O(LABEL) | O(REASON) | O(UNTIL) | O(YES), 0, ARGS_WORDS_MAX,
	  cmd_device_quarantine, "put devices into quarantine, now",
	  "They reach only what their quarantine allows; open connections are cut. --label means all\n"
	  "that have it. It holds until an operator releases them, or --until." },
	{ "device", "revoke", "[NAME...]", O(LABEL) | O(SERIAL) | O(AUTHORITY) | O(REASON) | O(UNTIL) | O(WORDS) | O(YES),
	  0, ARGS_WORDS_MAX, cmd_device_revoke, "revoke devices here, before their CA does",
	  "By name, by --label, or by --serial with --authority: whichever device has that certificate\n"
	  "now or later. All in one transaction. --reason is one of: unspecified, keyCompromise,\n"
	  "cACompromise, affiliationChanged, superseded, cessationOfOperation, certificateHold,\n"
	  "privilegeWithdrawn, aACompromise. It holds until an operator lifts it, or --until." },
	{ "device", "release", "[NAME...]", O(LABEL) | O(REASON) | O(REVOKED) | O(YES), 0, ARGS_WORDS_MAX,
	  cmd_device_release, "end a quarantine that an operator began",
	  "--reason is needed. A device whose certificate is revoked stays where it is: give it a new\n"
	  "certificate. --revoked lifts what a CRL says of it too: your word against that of the CA,\n"
	  "for what is known now." },
	{ "device", "unrevoke", "", O(SERIAL) | O(AUTHORITY) | O(WORDS), 0, 0, cmd_device_unrevoke,
	  "lift `device revoke --serial'", "A device by its name goes back with `cordonctl device release'." },
	{ "device", "history", "NAME", 0, 1, 1, cmd_device_history,
	  "show what became of a device, when, and by whom",
	  "Oldest first, with the addresses that the evidence has of it, each when it was seen first." },
	{ "device", "rebind", "NAME", O(MAC) | O(WORDS) | O(APPLY), 1, 1, cmd_device_rebind,
	  "give a device other hardware: change its MAC in the inventory",
	  "--mac is needed. The file in devices.d stays only if the whole configuration has no mistake\n"
	  "with it and nothing else changes. `cordonctl policy apply' enforces it, or --apply." },
	{ "pending", "list", "", 0, 0, 0, cmd_pending_list,
	  "list the devices that wait behind the brake",
	  "More automatic quarantines than the brake allows, or one of a critical device, wait for a\n"
	  "person. Exit code 0 when nothing waits, 2 when something does." },
	{ "pending", "confirm", "[NAME...]", O(ALL) | O(REASON), 0, ARGS_WORDS_MAX, cmd_pending_confirm,
	  "have what waits take effect", "In one transaction; --all: everything that waits now." },
	{ "pending", "dismiss", "[NAME...]", O(ALL) | O(REASON), 0, ARGS_WORDS_MAX, cmd_pending_dismiss,
	  "leave the devices where they are, as long as the evidence is the same", "--reason is needed." },
	{ "pending", NULL, "", 0, 0, 0, cmd_pending_list,
	  "the same as `pending list'", NULL },
	{ "revocation", "list", "", 0, 0, 0, cmd_revocation_list,
	  "list the serials that operators revoked", NULL },
	{ "class", "list", "", 0, 0, 0, cmd_class_list,
	  "list the classes of devices", NULL },
	{ "class", "show", "NAME", 0, 1, 1, cmd_class_show,
	  "show what a class may reach, who may reach it, and its devices", NULL },
	{ "crl", "list", "[AUTHORITY]", 0, 0, 1, cmd_crl_list,
	  "list the sources of revocation, how fresh they are, and what is wrong",
	  "Exit code 0 when all are current, 2 when one is stale, expired, was never fetched or failed\n"
	  "at its last try, when an authority has an alarm, or cordon-pki is not running." },
	{ "crl", "refresh", "[AUTHORITY]", O(WAIT), 0, 1, cmd_crl_refresh,
	  "fetch an authority's CRLs now, or all", NULL },
	{ "crl", "reset", "AUTHORITY|URL", O(CONFIRM), 1, 1, cmd_crl_reset,
	  "forget which CRL was the newest: the CA was built anew",
	  "Needs --confirm, and says before what it gives up." },
	{ "crl", "check", "FILE...", O(CA) | O(CRL_ISSUER) | O(AT) | O(PREVIOUS) | O(NUMBER) | O(DELTA_OF), 1,
	  ARGS_WORDS_MAX, cmd_crl_check, "say what cordon would make of a CRL, before it is published",
	  "DER, PEM or several in PEM; - is standard input. With the code that judges what is fetched:\n"
	  "the rule it breaks, or its state at --at, and which devices it would quarantine or clear.\n"
	  "Without --ca the authorities of the running policy are asked, or of --config DIR.\n"
	  "Exit code 0 when each may be used, 1 when one is refused, 2 when one may be used to revoke\n"
	  "only, 4 when a file could not be read." },
	{ "attempt", "list", "", O(DEVICE) | O(SINCE) | O(REASON) | O(LIMIT) | O(FOLLOW), 0, 0,
	  cmd_attempt_list, "list refused connections: who tried what",
	  "By default the newest 100, oldest first; with --since all since then.\n"
	  "Counts are exact as of now while cordond runs." },
};
const size_t n_commands = sizeof(commands) / sizeof(commands[0]);

/* ---- which one is meant? ------------------------------------------------ */

static const char *
noun_of(const void *arg, size_t i)
{
	(void)arg;
	return commands[i].noun;
}

struct verbs {
	const char *verbs[16];
	size_t n;
};

static const char *
verb_of(const void *arg, size_t i)
{
	return ((const struct verbs *)arg)->verbs[i];
}

static void
join_verbs(const struct verbs *v, char *buf, size_t size)
{
	size_t i, at = 0;

	buf[0] = '\0';
	for (i = 0; i < v->n && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s", i > 0 ? ", " : "", v->verbs[i]);
}

static const struct command *
bad_verb(const struct args *a, const struct verbs *v, char why[ARGS_WHY_LEN])
{
	const char *near;
	char list[128];

	join_verbs(v, list, sizeof(list));
	if (a->n_words < 2)
		snprintf(why, ARGS_WHY_LEN, "%s what? one of: %s", a->words[0], list);
	else if ((near = args_nearest(a->words[1], v->n, verb_of, v)) != NULL)
		snprintf(why, ARGS_WHY_LEN, "no command \"%s %.40s\"; did you mean \"%s %s\"?",
		    a->words[0], a->words[1], a->words[0], near);
	else
		snprintf(why, ARGS_WHY_LEN, "no command \"%s %.40s\"; there is %s with: %s",
		    a->words[0], a->words[1], a->words[0], list);
	return NULL;
}

const struct command *
command_find(const struct args *a, unsigned *used, char why[ARGS_WHY_LEN])
{
	struct verbs v = { .n = 0 };
	const char *near;
	size_t i;

	if (a->n_words == 0) {
		snprintf(why, ARGS_WHY_LEN, "no command given");
		return NULL;
	}
	for (i = 0; i < n_commands; i++) {
		if (strcmp(commands[i].noun, a->words[0]) != 0)
			continue;
		if (commands[i].verb == NULL) {
			if (v.n > 0 && a->n_words > 1)
				return bad_verb(a, &v, why);
			*used = 1;
			return &commands[i];
		}
		if (a->n_words > 1 && strcmp(commands[i].verb, a->words[1]) == 0) {
			*used = 2;
			return &commands[i];
		}
		v.verbs[v.n++] = commands[i].verb;
	}
	if (v.n > 0)
		return bad_verb(a, &v, why);
	near = args_nearest(a->words[0], n_commands, noun_of, NULL);
	if (near != NULL)
		snprintf(why, ARGS_WHY_LEN, "no command \"%.40s\"; did you mean \"%s\"?", a->words[0], near);
	else
		snprintf(why, ARGS_WHY_LEN, "no command \"%.40s\"", a->words[0]);
	return NULL;
}

static void
full_name(const struct command *cmd, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", cmd->noun, cmd->verb != NULL ? " " : "",
	    cmd->verb != NULL ? cmd->verb : "");
}

int
command_check(const struct command *cmd, const struct args *a, unsigned used, char why[ARGS_WHY_LEN])
{
	unsigned operands = a->n_words - used, i;
	char name[64];

	full_name(cmd, name, sizeof(name));
	for (i = 0; i < a->n_given; i++) {
		if ((OPT_BIT(a->given[i].opt) & (cmd->options | OPT_GLOBAL)) != 0)
			continue;
		snprintf(why, ARGS_WHY_LEN, "\"%s\" takes no --%s", name, opt_infos[a->given[i].opt].name);
		return -1;
	}
	if (operands < cmd->min)
		snprintf(why, ARGS_WHY_LEN, "\"%s\" needs %s", name, cmd->operands);
	else if (operands > cmd->max)
		snprintf(why, ARGS_WHY_LEN, "\"%s\" takes no \"%.60s\"", name, a->words[used + cmd->max]);
	else
		return 0;
	return -1;
}

/* ---- help --------------------------------------------------------------- */

static void
print_option(const struct opt_info *o, FILE *out)
{
	char left[40];

	snprintf(left, sizeof(left), "--%s%s%s", o->name, o->value != NULL ? " " : "",
	    o->value != NULL ? o->value : "");
	fprintf(out, "  %-24s %s%s\n", left, o->what, o->many ? "; may be repeated" : "");
}

static void
print_options(uint64_t mask, FILE *out)
{
	int o;

	for (o = 0; o < OPTS; o++)
		if (mask & OPT_BIT(o))
			print_option(&opt_infos[o], out);
}

void
command_help(const struct command *cmd, FILE *out)
{
	char name[64];

	full_name(cmd, name, sizeof(name));
	fprintf(out, "usage: cordonctl %s%s%s%s\n\n%s.\n", name, cmd->operands[0] != '\0' ? " " : "",
	    cmd->operands, cmd->options != 0 ? " [options]" : "", cmd->what);
	if (cmd->more != NULL)
		fprintf(out, "%s\n", cmd->more);
	if (cmd->options != 0) {
		fputc('\n', out);
		print_options(cmd->options, out);
	}
	fputs("\nof every command:\n", out);
	print_options(OPT_GLOBAL, out);
}

void
commands_help(FILE *out)
{
	char name[64];
	size_t i;

	fputs("usage: cordonctl COMMAND [options]\n\n", out);
	for (i = 0; i < n_commands; i++) {
		full_name(&commands[i], name, sizeof(name));
		fprintf(out, "  %s%s%-*s %s\n", name, commands[i].operands[0] != '\0' ? " " : "",
		    (int)(26 - strlen(name) - (commands[i].operands[0] != '\0')), commands[i].operands,
		    commands[i].what);
	}
	fputs("\nof every command:\n", out);
	print_options(OPT_GLOBAL, out);
	fputs("\n`cordonctl COMMAND --help' says more. Exit codes: 0 done, 1 failure or mistakes found,\n"
	    "2 reverted or differs, 3 not running, 4 undetermined, 64 usage.\n", out);
}
