/* SPDX-License-Identifier: GPL-2.0-or-later */
/* worker.c -- cordon-compile as cordond's worker: one configuration, one answer,
 * then it exits, and what parsing left in its memory goes with it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "config/answer.h"
#include "config/worker.h"
#include "proto/messages.h"

#define REQUEST_MS 60000	/* cordond starts us to ask at once */
#define ANSWER_MS  60000

struct worker {
	struct ipc channel;
	struct image before;
	bool have_before;
};

/* The running policy, whose numbers stay. */
static int
take_image(struct worker *w, const struct ipc_message *msg)
{
	const char *why = NULL;
	const void *data;
	size_t len;
	int rc;

	if (w->have_before)
		return -EBADMSG;
	/* Mapped until we exit. */
	if ((rc = memfile_map(msg->fd, LIMIT_IMAGE_BYTES, &data, &len)) < 0 ||
	    (rc = image_open_checked(data, len, &w->before, &why)) < 0)
		log_error(rc, "the running policy's image cannot be used%s%s", why != NULL ? ": " : "",
		    why != NULL ? why : "");
	else
		w->have_before = true;
	close(msg->fd);
	return rc;
}

/* A sealed memory file of that content; its descriptor or a negative errno. */
static int
sealed(const char *name, const void *data, size_t len)
{
	int fd = memfile_new(name), rc;

	if (fd < 0)
		return fd;
	if ((rc = file_write_all(fd, data, len)) < 0 || (rc = memfile_seal(fd)) < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

static int
answer(struct worker *w, uint32_t serial, const struct mistakes *m, uint8_t *image, size_t image_len)
{
	struct compile_result result = { .warnings = (uint32_t)mistakes_kept(m->n_warnings) };
	char *text = NULL;
	size_t len;
	int fd, rc = -ENOMEM;

	if (image != NULL) {
		fd = sealed("image", image, image_len);
	} else {
		if ((text = answer_mistakes(m, &len)) == NULL)
			return rc;
		result.mistakes = (uint32_t)m->n;
		result.warnings = 0;
		fd = sealed("mistakes", text, len);
		free(text);
	}
	if (fd < 0)
		return fd;
	rc = ipc_send_wait(&w->channel, MSG_COMPILED, serial, &result, sizeof(result), fd, ANSWER_MS);
	close(fd);
	return rc;
}

static int
serve(struct worker *w, const struct ipc_message *msg, compile_fn *compile)
{
	struct compile_request request;
	struct mistakes *m = calloc(1, sizeof(*m));
	uint8_t *image = NULL;
	size_t len = 0;
	int rc;

	if (m == NULL)
		return -ENOMEM;
	mistakes_init(m);
	memcpy(&request, msg->payload, sizeof(request));
	if ((request.have_image != 0) != w->have_before)
		rc = -EBADMSG;
	else
		rc = compile(PROC_FD_EXTRA, w->have_before ? &w->before : NULL, m, &image, &len);
	if (rc == 0 || rc == -EINVAL)
		rc = answer(w, msg->serial, m, image, len);
	free(image);
	mistakes_done(m);
	free(m);
	return rc;
}

int
worker_run(bool landlocked, compile_fn *compile)
{
	struct ready ready = { .landlocked = landlocked };
	struct ipc_message *msg = calloc(1, sizeof(*msg));
	struct worker w = { .have_before = false };
	int rc = -ENOMEM;

	if (msg == NULL)
		goto out;
	ipc_init(&w.channel, PROC_FD_CHANNEL, PROC_BIT(PROC_COMPILE), PROC_BIT(PROC_ENFORCE), &messages);
	if ((rc = ipc_send_wait(&w.channel, MSG_READY, 0, &ready, sizeof(ready), -1, ANSWER_MS)) < 0)
		goto out;
	while ((rc = ipc_recv_wait(&w.channel, msg, REQUEST_MS)) == 1) {
		if (msg->type == MSG_COMPILE) {
			rc = serve(&w, msg, compile);
			break;
		}
		if (msg->type != MSG_IMAGE || (rc = take_image(&w, msg)) < 0) {
			rc = rc < 0 ? rc : -EBADMSG;
			break;
		}
	}
out:
	free(msg);
	return rc;
}
