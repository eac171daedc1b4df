/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_edit.c -- device add, import: new files in devices.d. Words are checked
 * here only as far as needed to write them down safely; what they mean is
 * checked by cordon-compile, with everything else. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/file.h"
#include "ctl/ctl.h"
#include "ctl/inventory.h"
#include "ctl/place.h"
#include "model/policy.h"

static int
bad_word(struct ctl *c, const char *what, const char *word)
{
	return ctl_fail(c, EXIT_USAGE, "%s \"%s\": letters, digits, '.', '_' and '-', at most %u of them", what, word,
	    LIMIT_NAME - 1);
}

static bool
is_hex(const char *text)
{
	return text[0] != '\0' && strlen(text) <= 2 * LIMIT_SERIAL + 2 &&
	    text[strspn(text, "0123456789abcdefABCDEF:")] == '\0';
}

/* Everything that is going to stand between quotes. */
static int
check_words(struct ctl *c)
{
	const struct args *a = c->args;
	const char *class = args_value(a, OPT_CLASS), *mac = args_value(a, OPT_MAC), *text;
	struct addr addr;
	struct mac parsed;
	unsigned i;

	if (!name_is_valid(a->words[0]) || a->words[0][0] == '.')
		return bad_word(c, "the name", a->words[0]);
	if (class == NULL || mac == NULL)
		return ctl_fail(c, EXIT_USAGE, "--class and --mac are needed: "
		    "cordonctl device add %s --class CLASS --mac 02:00:00:00:03:4f", a->words[0]);
	if (!name_is_valid(class))
		return bad_word(c, "--class", class);
	if (mac_parse(mac, &parsed) < 0)
		return ctl_fail(c, EXIT_USAGE, "--mac \"%s\": a device's Ethernet address, as 02:00:00:00:03:4f", mac);
	for (i = 0; (text = args_nth(a, OPT_ADDRESS, i)) != NULL; i++)
		if (addr_parse(text, &addr) < 0)
			return ctl_fail(c, EXIT_USAGE, "--address \"%s\": an IPv4 or IPv6 address, as 10.10.3.79", text);
	for (i = 0; (text = args_nth(a, OPT_LABEL, i)) != NULL; i++)
		if (!name_is_valid(text))
			return bad_word(c, "--label", text);
	if ((text = args_value(a, OPT_INTERFACE)) != NULL && !interface_name_is_valid(text))
		return ctl_fail(c, EXIT_USAGE, "--interface \"%s\": an interface's name, as lan0", text);
	if ((args_value(a, OPT_AUTHORITY) == NULL) != (args_value(a, OPT_SERIAL) == NULL))
		return ctl_fail(c, EXIT_USAGE, "--authority and --serial go together: a serial number means nothing "
		    "without who gave it");
	if ((text = args_value(a, OPT_AUTHORITY)) != NULL && !name_is_valid(text))
		return bad_word(c, "--authority", text);
	if ((text = args_value(a, OPT_SERIAL)) != NULL && !is_hex(text))
		return ctl_fail(c, EXIT_USAGE, "--serial \"%s\": in hexadecimal, as 034f", text);
	return 0;
}

static void
print_list(FILE *f, const struct args *a, enum opt o, const char *key)
{
	const char *text;
	unsigned i;

	if (!args_has(a, o))
		return;
	fprintf(f, "\n    %s = [ ", key);
	for (i = 0; (text = args_nth(a, o, i)) != NULL; i++)
		fprintf(f, "%s\"%s\"", i > 0 ? ", " : "", text);
	fputs(" ];", f);
}

/* Serials are written without the colons that some tools print. */
static void
print_certificate(FILE *f, const struct args *a)
{
	const char *serial = args_value(a, OPT_SERIAL);

	if (serial == NULL)
		return;
	fprintf(f, "\n    certificate = { authority = \"%s\"; serial = \"", args_value(a, OPT_AUTHORITY));
	for (; *serial != '\0'; serial++)
		if (*serial != ':')
			fputc(*serial, f);
	fputs("\"; };", f);
}

int
cmd_device_add(struct ctl *c)
{
	const struct args *a = c->args;
	char file[LIMIT_NAME + 8], *text = NULL;
	size_t len = 0;
	FILE *f;
	int rc;

	if ((rc = check_words(c)) != 0)
		return rc;
	if ((f = open_memstream(&text, &len)) == NULL)
		return ctl_fail(c, EXIT_MISTAKES, "no memory");
	fprintf(f, "devices = (\n  { name = \"%s\"; class = \"%s\"; mac = \"%s\";", a->words[0],
	    args_value(a, OPT_CLASS), args_value(a, OPT_MAC));
	print_list(f, a, OPT_ADDRESS, "address");
	if (args_has(a, OPT_INTERFACE))
		fprintf(f, "\n    interface = \"%s\";", args_value(a, OPT_INTERFACE));
	print_certificate(f, a);
	print_list(f, a, OPT_LABEL, "labels");
	fputs(" }\n);\n", f);
	if (fclose(f) == EOF) {
		free(text);
		return ctl_fail(c, EXIT_MISTAKES, "no memory");
	}
	snprintf(file, sizeof(file), "%s.conf", a->words[0]);
	rc = place_device_file(c, file, text, len, false, NULL);
	free(text);
	return rc;
}

/* ---- import ------------------------------------------------------------- */

/* The name under which a file goes into devices.d, or NULL. */
static const char *
inventory_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	size_t len = strlen(name);

	if (!name_is_valid(name) || name[0] == '.' || len < 5 || strcmp(name + len - 4, ".csv") != 0)
		return NULL;
	return name;
}

static int
read_inventory(struct ctl *c, const char *path, uint8_t **out, size_t *len)
{
	int rc = file_read_at(AT_FDCWD, path, LIMIT_CONFIG_FILE_BYTES, out, len);

	if (rc == -EFBIG)
		return ctl_fail(c, EXIT_MISTAKES, "%s: more than %u MiB: split it", path, LIMIT_CONFIG_FILE_BYTES >> 20);
	return rc == 0 ? 0 : ctl_fail(c, EXIT_MISTAKES, "%s: %s", path, strerror(-rc));
}

static int
give_class(struct ctl *c, const char *path, uint8_t **data, size_t *len)
{
	const char *class = args_value(c->args, OPT_CLASS);
	char *with;
	size_t with_len;
	int rc;

	if (class == NULL)
		return 0;
	if (!name_is_valid(class))
		return bad_word(c, "--class", class);
	rc = inventory_add_class((const char *)*data, *len, class, &with, &with_len);
	if (rc == -EEXIST)
		return ctl_fail(c, EXIT_USAGE, "%s has a column \"class\" already: leave --class out", path);
	if (rc == -EINVAL)
		return ctl_fail(c, EXIT_MISTAKES, "%s: a quote (\") that does not end", path);
	if (rc < 0)
		return ctl_fail(c, EXIT_MISTAKES, "%s: %s", path, strerror(-rc));
	free(*data);
	*data = (uint8_t *)with;
	*len = with_len;
	return 0;
}

int
cmd_device_import(struct ctl *c)
{
	const char *path = c->args->words[0], *name = inventory_name(path);
	uint8_t *data = NULL;
	size_t len;
	int rc;

	if (name == NULL)
		return ctl_fail(c, EXIT_USAGE, "%s: an inventory's file is called as line-3.csv: letters, digits, '.', "
		    "'_', '-', and .csv at the end", path);
	if ((rc = read_inventory(c, path, &data, &len)) == 0 && (rc = give_class(c, path, &data, &len)) == 0)
		rc = place_device_file(c, name, data, len, args_has(c->args, OPT_REPLACE), NULL);
	free(data);
	return rc;
}
