/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_compile_worker.c -- cordon-compile as cordond sees it: the real program,
 * in its sandbox, at the other end of a channel. Run from the build folder. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "folder.h"
#include "model/compile.h"
#include "proto/messages.h"

#define WAIT_MS 20000

struct worker {
	pid_t pid;
	struct ipc channel;
};

static struct folder f;
static struct ipc_message msg;

static int
setup(void **state)
{
	(void)state;
	folder_make(&f);
	folder_put(&f, "cordon.conf", "appliance: { device_interfaces = [ \"lan0\" ]; };\n"
	    "classes = ( { name = \"c\"; allow = \"nothing\"; } );\n");
	folder_put(&f, "devices.d/a.conf",
	    "devices = ( { name = \"d\"; class = \"c\"; mac = \"02:00:00:00:00:01\"; } );\n");
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	folder_remove(&f);
	return 0;
}

static void
worker_start(struct worker *w)
{
	int fds[2];

	assert_int_equal(ipc_pair(fds), 0);
	w->pid = fork();
	assert_true(w->pid >= 0);
	if (w->pid == 0) {
		/* Out of the way of 3 and 4 first; dup2 also clears close-on-exec. */
		int channel = fcntl(fds[1], F_DUPFD, 10), folder = fcntl(f.fd, F_DUPFD, 10);

		/* Whoever cannot be traced cannot be searched for leaks either. */
		setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
		if (dup2(channel, PROC_FD_CHANNEL) < 0 || dup2(folder, PROC_FD_EXTRA) < 0 ||
		    close_range(5, ~0U, 0) < 0)
			_exit(126);
		execl("./cordon-compile", "cordon-compile", "--worker", (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	ipc_init(&w->channel, fds[0], PROC_BIT(PROC_ENFORCE), PROC_BIT(PROC_COMPILE), &messages);
	assert_int_equal(ipc_recv_wait(&w->channel, &msg, WAIT_MS), 1);
	assert_int_equal(msg.type, MSG_READY);
}

/* Its exit status. */
static int
worker_end(struct worker *w)
{
	int status;

	ipc_done(&w->channel);
	assert_int_equal(waitpid(w->pid, &status, 0), w->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
send_image(struct worker *w, const void *data, size_t len, bool seal)
{
	struct image_ref ref = { .revision = 1 };
	int fd = memfile_new("image");

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, data, len), 0);
	if (seal)
		assert_int_equal(memfile_seal(fd), 0);
	assert_int_equal(ipc_send_wait(&w->channel, MSG_IMAGE, 0, &ref, sizeof(ref), fd, WAIT_MS), 0);
	close(fd);
}

static struct compile_result
ask(struct worker *w, bool have_image, const void **data, size_t *len)
{
	struct compile_request request = { .have_image = have_image };
	struct compile_result result;

	assert_int_equal(ipc_send_wait(&w->channel, MSG_COMPILE, 7, &request, sizeof(request), -1, WAIT_MS), 0);
	assert_int_equal(ipc_recv_wait(&w->channel, &msg, WAIT_MS), 1);
	assert_int_equal(msg.type, MSG_COMPILED);
	assert_int_equal(msg.serial, 7);
	memcpy(&result, msg.payload, sizeof(result));
	assert_int_equal(memfile_map(msg.fd, LIMIT_IMAGE_BYTES, data, len), 0);
	close(msg.fd);
	return result;
}

static void
test_image(void **state)
{
	const void *data, *again;
	struct compile_result result;
	size_t len, again_len;
	struct worker w;
	struct image im;
	const char *why;

	(void)state;
	worker_start(&w);
	result = ask(&w, false, &data, &len);
	assert_int_equal(result.mistakes, 0);
	assert_int_equal(image_open(data, len, &im, &why), 0);
	assert_int_equal(result.warnings, im.n[IMAGE_WARNINGS]);
	assert_int_equal(image_device_named(&im, "d")->number, 1);
	assert_int_equal(worker_end(&w), 0);

	/* With the running image, numbers stay and go on. */
	folder_put(&f, "devices.d/a.conf",
	    "devices = ( { name = \"a\"; class = \"c\"; mac = \"02:00:00:00:00:02\"; },"
	    "{ name = \"d\"; class = \"c\"; mac = \"02:00:00:00:00:01\"; } );\n");
	worker_start(&w);
	send_image(&w, data, len, true);
	result = ask(&w, true, &again, &again_len);
	assert_int_equal(result.mistakes, 0);
	memfile_unmap(data, len);
	assert_int_equal(image_open(again, again_len, &im, &why), 0);
	assert_int_equal(image_device_named(&im, "d")->number, 1);
	assert_int_equal(image_device_named(&im, "a")->number, 2);
	memfile_unmap(again, again_len);
	assert_int_equal(worker_end(&w), 0);
}

static void
test_mistakes(void **state)
{
	struct compile_result result;
	struct worker w;
	const void *text;
	size_t len;

	(void)state;
	folder_put(&f, "classes.d/x.conf", "classes = ( { name = \"x\"; allow = ( ); } );\n");
	folder_put(&f, "devices.d/b.csv", "name,class,mac\ne,nobody,02:00:00:00:00:09\n");
	worker_start(&w);
	result = ask(&w, false, &text, &len);
	assert_int_equal(result.mistakes, 2);
	assert_non_null(memmem(text, len, "classes.d/x.conf:1: the allow list is empty", 43));
	assert_non_null(memmem(text, len, "\ndevices.d/b.csv:2: class \"nobody\" is not declared", 49));
	assert_int_equal(((const char *)text)[len - 1], '\n');
	memfile_unmap(text, len);
	assert_int_equal(worker_end(&w), 0);
}

/* In its sandbox it still finds the time zones. */
static void
test_schedule(void **state)
{
	struct compile_result result;
	struct image im;
	struct worker w;
	const void *data;
	const char *why;
	size_t len;

	(void)state;
	folder_put(&f, "classes.d/s.conf", "schedules = ( { name = \"n\"; days = \"daily\"; from = \"02:00\"; "
	    "to = \"04:00\"; zone = \"Asia/Kathmandu\"; } );\n"
	    "classes = ( { name = \"s\"; allow = ( { to = \"192.0.2.1\"; tcp = 1; schedule = \"n\"; } ); } );\n");
	worker_start(&w);
	result = ask(&w, false, &data, &len);
	if (result.mistakes > 0)
		print_message("%.*s", (int)len, (const char *)data);
	assert_int_equal(result.mistakes, 0);
	assert_int_equal(image_open(data, len, &im, &why), 0);
	assert_true(im.n[IMAGE_WINDOWS] > 1800);
	/* 02:00 there is 20:15 UTC, all year round. */
	assert_int_equal(im.windows[0].from % 86400, 20 * 3600 + 15 * 60);
	memfile_unmap(data, len);
	assert_int_equal(worker_end(&w), 0);
}

/* What cordond would never send ends the worker, and no answer comes. */
static void
test_refuses(void **state)
{
	static const char junk[] = "this is no image";
	struct compile_request request = { .have_image = 1 };
	uint8_t *bytes;
	struct worker w;
	size_t len;

	(void)state;
	assert_int_equal(compile_empty(&bytes, &len), 0);
	worker_start(&w);
	send_image(&w, junk, sizeof(junk), true);
	assert_int_equal(ipc_recv_wait(&w.channel, &msg, WAIT_MS), 0);
	assert_int_not_equal(worker_end(&w), 0);
	worker_start(&w);
	send_image(&w, bytes, len, false);
	assert_int_equal(ipc_recv_wait(&w.channel, &msg, WAIT_MS), 0);
	assert_int_not_equal(worker_end(&w), 0);
	worker_start(&w);
	send_image(&w, bytes, len, true);
	send_image(&w, bytes, len, true);
	assert_int_equal(ipc_recv_wait(&w.channel, &msg, WAIT_MS), 0);
	assert_int_not_equal(worker_end(&w), 0);
	worker_start(&w);
	assert_int_equal(ipc_send_wait(&w.channel, MSG_COMPILE, 0, &request, sizeof(request), -1, WAIT_MS), 0);
	assert_int_equal(ipc_recv_wait(&w.channel, &msg, WAIT_MS), 0);
	assert_int_not_equal(worker_end(&w), 0);
	worker_start(&w);
	assert_int_equal(worker_end(&w), 0);
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_image, setup, teardown),
		cmocka_unit_test_setup_teardown(test_mistakes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_schedule, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refuses, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
