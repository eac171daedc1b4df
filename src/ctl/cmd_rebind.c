/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_rebind.c -- device rebind: a device got other hardware after a repair. Its
 * MAC is changed where it is declared, in the configuration as it is now; and
 * compiled, to see that this device changed and nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/clock.h"
#include "common/file.h"
#include "ctl/answer.h"
#include "ctl/candidate.h"
#include "ctl/ctl.h"
#include "ctl/format.h"
#include "ctl/place.h"
#include "ctl/rebind.h"
#include "ctl/who.h"

struct rebind {
	struct candidate before;
	const struct image_device *device;	/* there */
	struct mac old, new;
	char file[LIMIT_NAME + 64];		/* in devices.d */
	uint32_t line;
};

static const char *
device_name(const void *arg, size_t i)
{
	const struct image *im = arg;

	return image_text(im, im->devices[i].name);
}

static int
find_device(struct ctl *c, struct rebind *r)
{
	const char *name = c->args->words[0], *near;

	if ((r->device = image_device_named(&r->before.image, name)) == NULL) {
		near = args_nearest(name, r->before.image.n[IMAGE_DEVICES], device_name, &r->before.image);
		return ctl_fail(c, EXIT_MISTAKES, "no device \"%s\" in %s%s%s%s", name, c->config,
		    near != NULL ? "; did you mean \"" : "", near != NULL ? near : "", near != NULL ? "\"?" : "");
	}
	if (r->device->identity != IDENTITY_OWN)
		return ctl_fail(c, EXIT_MISTAKES, "device \"%s\" has no MAC of its own: it stands behind a router", name);
	memcpy(r->old.bytes, r->device->mac, sizeof(r->old.bytes));
	return 0;
}

static int
check_mac(struct ctl *c, struct rebind *r)
{
	const char *text = args_value(c->args, OPT_MAC);
	const struct image_device *other;
	char mac[MAC_STRLEN];

	if (text == NULL)
		return ctl_fail(c, EXIT_USAGE, "--mac is needed: cordonctl device rebind %s --mac 02:00:00:00:03:4f",
		    c->args->words[0]);
	if (mac_parse(text, &r->new) < 0)
		return ctl_fail(c, EXIT_USAGE, "--mac \"%s\": a device's Ethernet address, as 02:00:00:00:03:4f", text);
	if (memcmp(r->new.bytes, r->old.bytes, sizeof(r->new.bytes)) == 0)
		return ctl_fail(c, EXIT_MISTAKES, "device \"%s\" has the MAC %s already", c->args->words[0],
		    mac_format(&r->new, mac));
	if ((other = image_device_with_mac(&r->before.image, r->new.bytes)) != NULL)
		return ctl_fail(c, EXIT_MISTAKES, "%s is the MAC of the device \"%s\": give that one another first",
		    mac_format(&r->new, mac), image_text(&r->before.image, other->name));
	return 0;
}

/* Only an inventory's file is edited; what people keep elsewhere is theirs. */
static int
find_file(struct ctl *c, struct rebind *r)
{
	const char *path = image_text(&r->before.image, r->device->where.file), *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path, folder[] = "devices.d";
	size_t before = (size_t)(name - path);

	r->line = r->device->where.line;
	if (before <= sizeof(folder) - 1 || memcmp(name - sizeof(folder), folder, sizeof(folder) - 1) != 0 ||
	    strlen(name) >= sizeof(r->file))
		return ctl_fail(c, EXIT_MISTAKES, "device \"%s\" is declared in %s:%" PRIu32 ", which is no file of devices.d: "
		    "change its MAC there", c->args->words[0], path, r->line);
	snprintf(r->file, sizeof(r->file), "%s", name);
	return 0;
}

/* ---- what came of it ---------------------------------------------------- */

/* Those of one device, but for its MAC. */
static bool
is_same(const struct image *a, const struct image_device *x, const struct image *b, const struct image_device *y)
{
	uint32_t i;

	if (strcmp(image_text(a, x->name), image_text(b, y->name)) != 0 || x->identity != y->identity ||
	    strcmp(image_text(a, x->interface), image_text(b, y->interface)) != 0 ||
	    x->addresses.n != y->addresses.n || x->certificates.n != y->certificates.n)
		return false;
	for (i = 0; i < x->addresses.n; i++)
		if (memcmp(&a->addresses[x->addresses.first + i], &b->addresses[y->addresses.first + i],
		    sizeof(struct image_address)) != 0)
			return false;
	return true;
}

static bool
only_this_changed(const struct rebind *r, const struct image *after)
{
	const struct image *before = &r->before.image;
	uint32_t i;

	if (before->n[IMAGE_DEVICES] != after->n[IMAGE_DEVICES])
		return false;
	for (i = 0; i < before->n[IMAGE_DEVICES]; i++) {
		const struct image_device *x = &before->devices[i], *y = &after->devices[i];
		const uint8_t *mac = x == r->device ? r->new.bytes : x->mac;

		if (!is_same(before, x, after, y) || memcmp(mac, y->mac, sizeof(y->mac)) != 0)
			return false;
	}
	return true;
}

static int
look_again(struct ctl *c, void *arg)
{
	struct rebind *r = arg;
	struct candidate after = { .bytes = NULL };
	bool right;
	int rc;

	if ((rc = candidate_open(c, c->config, &after)) != 0)
		return rc;
	right = only_this_changed(r, &after.image);
	candidate_close(&after);
	return right ? 0 : ctl_fail(c, EXIT_MISTAKES, "the MAC of \"%s\" is not where it was looked for, in devices.d/%s near "
	    "line %" PRIu32 ": nothing was changed; edit it by hand", c->args->words[0], r->file, r->line);
}

/* ---- doing it ----------------------------------------------------------- */

static int
make_note(struct ctl *c, const struct rebind *r, bool csv, char *buf, size_t size)
{
	const char *words = args_value(c->args, OPT_WORDS);
	char login[CTL_LOGIN + 4], old[MAC_STRLEN], time[TIME_STRLEN];
	struct clock_view now;

	if (words != NULL && csv)
		return ctl_fail(c, EXIT_USAGE, "--words: %s is a table, which holds no comments: leave it out", r->file);
	if (words != NULL && (strlen(words) > 199 || !format_is_clean(words)))
		return ctl_fail(c, EXIT_USAGE, "--words: text of one line in UTF-8, at most 199 bytes, without control "
		    "characters");
	who_am_i(login);
	clock_now(&now);
	snprintf(buf, size, "rebound at %s UTC%s%s, before %s%s%s", format_time(now.wall_ms, time),
	    login[0] != '\0' && format_is_clean(login) ? " by " : "", format_is_clean(login) ? login : "",
	    mac_format(&r->old, old), words != NULL ? ": " : "", words != NULL ? words : "");
	return 0;
}

/* Another MAC in the text. Where the device is declared its MAC stands behind its
 * line, or before it in the same entry: then the whole file is looked through. */
static int
edit(struct ctl *c, struct rebind *r, const char *note, bool csv, char **out, size_t *out_len)
{
	char path[4096];
	uint8_t *text;
	size_t len;
	int rc;

	snprintf(path, sizeof(path), "%s/devices.d/%s", c->config, r->file);
	if ((rc = file_read_at(AT_FDCWD, path, LIMIT_CONFIG_FILE_BYTES, &text, &len)) < 0)
		return ctl_fail(c, EXIT_MISTAKES, "%s: %s", path, strerror(-rc));
	rc = rebind_text((const char *)text, len, r->line, csv, &r->old, &r->new, note, out, out_len);
	if (rc == -ENOENT)
		rc = rebind_text((const char *)text, len, 1, csv, &r->old, &r->new, note, out, out_len);
	free(text);
	if (rc == -ENOENT)
		return ctl_fail(c, EXIT_MISTAKES, "the MAC of \"%s\" is not found in %s: change it by hand",
		    c->args->words[0], path);
	return rc == 0 ? 0 : ctl_fail(c, EXIT_MISTAKES, "no memory");
}

static int
say_done(struct ctl *c, const struct rebind *r)
{
	char old[MAC_STRLEN], new[MAC_STRLEN];

	mac_format(&r->old, old);
	mac_format(&r->new, new);
	if (args_has(c->args, OPT_APPLY)) {
		if (!c->json)
			fprintf(c->out, "device %s: %s in place of %s, in devices.d/%s\n", c->args->words[0], new, old, r->file);
		return cmd_policy_apply(c);
	}
	if (c->json)
		return ctl_json(c, EXIT_DONE, json_pack("{s:o, s:s, s:s, s:o, s:s}", "device",
		    answer_text(c->args->words[0]), "mac", new, "mac_before", old, "file", answer_text(r->file), "next",
		    "cordonctl policy apply"));
	fprintf(c->out, "device %s: %s in place of %s, in devices.d/%s; run `cordonctl policy apply' to enforce it\n",
	    c->args->words[0], new, old, r->file);
	return EXIT_DONE;
}

static int
rebind(struct ctl *c, struct rebind *r)
{
	struct place_check check = { .check = look_again, .arg = r, .quiet = true };
	char note[512], *text = NULL;
	size_t len = 0;
	bool csv;
	int rc;

	if ((rc = find_device(c, r)) != 0 || (rc = check_mac(c, r)) != 0 || (rc = find_file(c, r)) != 0)
		return rc;
	csv = strlen(r->file) > 4 && strcmp(r->file + strlen(r->file) - 4, ".csv") == 0;
	if ((rc = make_note(c, r, csv, note, sizeof(note))) != 0 ||
	    (rc = edit(c, r, note, csv, &text, &len)) != 0)
		return rc;
	rc = place_device_file(c, r->file, text, len, true, &check);
	free(text);
	return rc != 0 ? rc : say_done(c, r);
}

int
cmd_device_rebind(struct ctl *c)
{
	struct rebind r = { .line = 0 };
	int rc;

	if ((rc = candidate_open(c, c->config, &r.before)) != 0)
		return rc;
	rc = rebind(c, &r);
	candidate_close(&r.before);
	return rc;
}
