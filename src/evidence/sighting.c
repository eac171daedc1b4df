/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sighting.c -- unknown devices in the store: a table whose rows are slots, so
 * that writing alone keeps it bounded. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "evidence/parts.h"

#define SCHEMA_WITH_SIGHTINGS 2

#define SIGHTING_COLUMNS \
	"slot, mac, interface, first_ms, last_ms, packets, addresses, more_addresses, dhcp_name, " \
	"dhcp_vendor, dhcp_list, dhcp_client"

enum sighting_column {
	SIGHTING_SLOT, SIGHTING_MAC, SIGHTING_INTERFACE, SIGHTING_FIRST, SIGHTING_LAST, SIGHTING_PACKETS,
	SIGHTING_ADDRESSES, SIGHTING_MORE, SIGHTING_DHCP_NAME, SIGHTING_DHCP_VENDOR, SIGHTING_DHCP_LIST,
	SIGHTING_DHCP_CLIENT
};

/* Of an address: its version, then its bytes. */
#define PACKED_MAX (LIMIT_SIGHTING_ADDRESSES * 17)

/* ---- writing ------------------------------------------------------------ */

static size_t
pack_addresses(const struct sighting *s, uint8_t out[PACKED_MAX])
{
	size_t at = 0;

	for (unsigned i = 0; i < s->n_addresses && i < LIMIT_SIGHTING_ADDRESSES; i++) {
		size_t len = addr_len(s->addresses[i].family);

		out[at++] = len == 4 ? 4 : 6;
		memcpy(out + at, s->addresses[i].bytes, len);
		at += len;
	}
	return at;
}

static void
bind_text(sqlite3_stmt *s, enum sighting_column c, const char *text)
{
	(void)sqlite3_bind_text(s, (int)c + 1, text, -1, SQLITE_STATIC);
}

static void
bind_int(sqlite3_stmt *s, enum sighting_column c, int64_t value)
{
	(void)sqlite3_bind_int64(s, (int)c + 1, value);
}

static int
put_sighting(struct evidence *e, sqlite3_stmt *s, const struct sighting *row)
{
	uint8_t packed[PACKED_MAX];
	size_t len = pack_addresses(row, packed);
	int rc;

	bind_int(s, SIGHTING_SLOT, row->slot);
	(void)sqlite3_bind_blob(s, SIGHTING_MAC + 1, row->mac.bytes, sizeof(row->mac.bytes), SQLITE_STATIC);
	bind_text(s, SIGHTING_INTERFACE, row->interface);
	bind_int(s, SIGHTING_FIRST, row->first_ms);
	bind_int(s, SIGHTING_LAST, row->last_ms);
	bind_int(s, SIGHTING_PACKETS, (int64_t)row->packets);
	(void)sqlite3_bind_blob(s, SIGHTING_ADDRESSES + 1, packed, (int)len, SQLITE_STATIC);
	bind_int(s, SIGHTING_MORE, row->more_addresses);
	bind_text(s, SIGHTING_DHCP_NAME, row->dhcp_name);
	bind_text(s, SIGHTING_DHCP_VENDOR, row->dhcp_vendor);
	bind_text(s, SIGHTING_DHCP_LIST, row->dhcp_list);
	bind_text(s, SIGHTING_DHCP_CLIENT, row->dhcp_client);
	rc = evidence_errno(e, sqlite3_step(s));
	(void)sqlite3_reset(s);
	(void)sqlite3_clear_bindings(s);
	return rc;
}

static int
put_sums(struct evidence *e, const struct sighting_sums *sums)
{
	sqlite3_stmt *s;
	int rc;

	rc = evidence_prepare(e, "INSERT OR REPLACE INTO sighting_sums (id, not_taken, pushed_out) VALUES (1, ?, ?)",
	    &s);
	if (rc < 0)
		return rc;
	(void)sqlite3_bind_int64(s, 1, (int64_t)sums->not_taken);
	(void)sqlite3_bind_int64(s, 2, (int64_t)sums->pushed_out);
	rc = evidence_errno(e, sqlite3_step(s));
	sqlite3_finalize(s);
	return rc;
}

int
evidence_put_sightings(struct evidence *e, const struct sighting *const *rows, size_t n,
    const struct sighting_sums *sums)
{
	sqlite3_stmt *s;
	int rc;

	/* a MAC that comes again after it was pushed out has another slot: its old row goes */
	rc = evidence_prepare(e, "INSERT OR REPLACE INTO sighting (" SIGHTING_COLUMNS
	    ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", &s);
	if (rc < 0)
		return rc;
	if ((rc = evidence_exec(e, "BEGIN IMMEDIATE")) == 0) {
		for (size_t i = 0; i < n && rc == 0; i++)
			rc = put_sighting(e, s, rows[i]);
		if (rc == 0)
			rc = put_sums(e, sums);
		if (rc == 0)
			rc = evidence_exec(e, "COMMIT");
		if (rc < 0 && !sqlite3_get_autocommit(e->db))
			(void)sqlite3_exec(e->db, "ROLLBACK", NULL, NULL, NULL);
	}
	sqlite3_finalize(s);
	return rc;
}

/* ---- reading ------------------------------------------------------------ */

static void
unpack_addresses(const uint8_t *packed, size_t size, struct sighting *out)
{
	size_t at = 0, len;

	while (packed != NULL && at < size && out->n_addresses < LIMIT_SIGHTING_ADDRESSES) {
		struct addr *a = &out->addresses[out->n_addresses];

		a->family = packed[at] == 4 ? AF_INET : AF_INET6;
		len = addr_len(a->family);
		if (size - at - 1 < len) {
			a->family = 0;
			return;
		}
		memcpy(a->bytes, packed + at + 1, len);
		at += 1 + len;
		out->n_addresses++;
	}
}

static void
column_text(sqlite3_stmt *s, enum sighting_column c, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(s, (int)c);

	snprintf(out, size, "%s", text != NULL ? (const char *)text : "");
}

static void
read_sighting(sqlite3_stmt *s, struct sighting *out)
{
	const void *mac = sqlite3_column_blob(s, SIGHTING_MAC);

	memset(out, 0, sizeof(*out));
	out->slot = (uint32_t)sqlite3_column_int64(s, SIGHTING_SLOT);
	if (mac != NULL && sqlite3_column_bytes(s, SIGHTING_MAC) == (int)sizeof(out->mac.bytes))
		memcpy(out->mac.bytes, mac, sizeof(out->mac.bytes));
	column_text(s, SIGHTING_INTERFACE, out->interface, sizeof(out->interface));
	out->first_ms = sqlite3_column_int64(s, SIGHTING_FIRST);
	out->last_ms = sqlite3_column_int64(s, SIGHTING_LAST);
	out->packets = (uint64_t)sqlite3_column_int64(s, SIGHTING_PACKETS);
	unpack_addresses(sqlite3_column_blob(s, SIGHTING_ADDRESSES),
	    (size_t)sqlite3_column_bytes(s, SIGHTING_ADDRESSES), out);
	out->more_addresses = sqlite3_column_int(s, SIGHTING_MORE) != 0;
	column_text(s, SIGHTING_DHCP_NAME, out->dhcp_name, sizeof(out->dhcp_name));
	column_text(s, SIGHTING_DHCP_VENDOR, out->dhcp_vendor, sizeof(out->dhcp_vendor));
	column_text(s, SIGHTING_DHCP_LIST, out->dhcp_list, sizeof(out->dhcp_list));
	column_text(s, SIGHTING_DHCP_CLIENT, out->dhcp_client, sizeof(out->dhcp_client));
}

/* A reader may meet a store that its writer has not brought so far yet. */
static int
has_sightings(struct evidence *e)
{
	int64_t version;
	int rc = evidence_int(e, "PRAGMA user_version", &version);

	return rc < 0 ? rc : version >= SCHEMA_WITH_SIGHTINGS;
}

int
evidence_query_sightings(struct evidence *e, int64_t since_ms, evidence_sighting_fn *fn, void *arg)
{
	sqlite3_stmt *s;
	int rc, step;

	if ((rc = has_sightings(e)) <= 0)
		return rc;
	rc = evidence_prepare(e, "SELECT " SIGHTING_COLUMNS " FROM sighting WHERE last_ms >= ?1 ORDER BY slot LIMIT ?2",
	    &s);
	if (rc < 0)
		return rc;
	(void)sqlite3_bind_int64(s, 1, since_ms);
	(void)sqlite3_bind_int64(s, 2, LIMIT_SIGHTINGS);
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		struct sighting row;

		read_sighting(s, &row);
		if ((rc = fn(arg, &row)) != 0)
			break;
	}
	if (rc == 0)
		rc = evidence_errno(e, step);
	sqlite3_finalize(s);
	return rc;
}

int
evidence_sighting_sums(struct evidence *e, struct sighting_sums *out)
{
	int64_t value[2];
	int rc;

	memset(out, 0, sizeof(*out));
	if ((rc = has_sightings(e)) <= 0)
		return rc;
	if ((rc = evidence_int(e, "SELECT ifnull(max(not_taken), 0) FROM sighting_sums", &value[0])) < 0 ||
	    (rc = evidence_int(e, "SELECT ifnull(max(pushed_out), 0) FROM sighting_sums", &value[1])) < 0)
		return rc;
	out->not_taken = (uint64_t)value[0];
	out->pushed_out = (uint64_t)value[1];
	return 0;
}
