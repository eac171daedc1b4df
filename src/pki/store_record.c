/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_record.c -- a record is its kind, the SHA-256 of its content, its content. */
#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "pki/store_record.h"

#define MAGIC_LEN 8
#define HEAD_LEN  (MAGIC_LEN + SHA256_DIGEST_LENGTH)

int
record_save(int folder, const char *name, const char *magic, const void *body, size_t len)
{
	uint8_t *record;
	int rc;

	if ((record = malloc(HEAD_LEN + len)) == NULL)
		return -ENOMEM;
	memcpy(record, magic, MAGIC_LEN);
	SHA256(body, len, record + MAGIC_LEN);
	memcpy(record + HEAD_LEN, body, len);
	rc = file_replace_at(folder, name, record, HEAD_LEN + len, 0600);
	free(record);
	return rc;
}

int
record_load(int folder, const char *name, const char *magic, void *out, size_t len)
{
	uint8_t sum[SHA256_DIGEST_LENGTH], *data = NULL;
	size_t n = 0;
	int rc;

	rc = file_read_at(folder, name, HEAD_LEN + len, &data, &n);
	if (rc == -EFBIG || (rc == 0 && n != HEAD_LEN + len))
		rc = -EBADMSG;
	if (rc < 0)
		goto out;
	SHA256(data + HEAD_LEN, len, sum);
	if (memcmp(data, magic, MAGIC_LEN) != 0 || memcmp(data + MAGIC_LEN, sum, sizeof(sum)) != 0)
		rc = -EBADMSG;
	else
		memcpy(out, data + HEAD_LEN, len);
out:
	free(data);
	return rc;
}
