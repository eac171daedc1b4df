/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check_child.c -- the child that reads hostile bytes: no files, no network, no new
 * processes, bounded memory. What it says comes back through a pipe in numbers and
 * is checked like the word of a stranger. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "common/file.h"
#include "common/sandbox.h"
#include "ctl/check.h"
#include "ctl/words.h"

/* Beside what the parent has mapped: a CRL signed with Ed25519 is held whole. */
#define MEMORY_MORE (2 * LIMIT_CRL_BYTES + (96UL << 20))
#define FRAME_MAX (sizeof(struct check_report) + (size_t)LIMIT_DEVICES * sizeof(struct check_device))
#define FRAMES_MAX 100000	/* a body has at most a thousand CRLs */

/* ---- in the child ------------------------------------------------------- */

void
check_send(const struct check_run *run, enum check_frame type, const void *data, size_t len, const void *more,
    size_t more_len)
{
	struct check_head head = { .type = type, .len = (uint32_t)(len + more_len) };

	/* Nobody reads any more: then nobody wants to know either. */
	if (file_write_all(run->out, &head, sizeof(head)) < 0 || file_write_all(run->out, data, len) < 0 ||
	    (more_len > 0 && file_write_all(run->out, more, more_len) < 0))
		_exit(1);
}

static size_t
mapped_now(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* What OpenSSL loads at first use it loads now: the sandbox forbids it later. */
static int
crypto_prepare(void)
{
	static bool done;
	EVP_PKEY *key;
	EVP_MD *md;

	if (done)
		return 0;
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
		return -ENOSYS;
	md = EVP_MD_fetch(NULL, "SHA256", NULL);
	key = EVP_EC_gen("P-256");
	done = md != NULL && key != NULL;
	EVP_MD_free(md);
	EVP_PKEY_free(key);
	return done ? 0 : -ENOSYS;
}

/* Nothing of before is taken for granted: it comes out of a file as well. */
static void
read_before(struct check_run *run, int fd, check_crl_fn *fn, const char *what)
{
	struct check_end end;
	bool usable;

	if (fd < 0)
		return;
	check_read(run, fd, fn, &end);
	usable = fn == check_take_base ? run->has_base : run->before.valid;
	if (usable)
		return;
	check_copy(end.why, sizeof(end.why), what);
	check_send(run, FRAME_FAILED, &end, sizeof(end), NULL, 0);
	_exit(0);
}

static _Noreturn void
child(struct check *k, int fd, int previous, int base, int out)
{
	const struct sandbox box = { .program = "cordonctl", .rights = SB_BASE, .max_memory = mapped_now() + MEMORY_MORE,
		.max_file_size = 1 };
	static struct check_run run;
	struct check_end end;
	bool landlocked;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run = (struct check_run){ .check = k, .out = out };
	if (sandbox_enter(&box, &landlocked) < 0)
		_exit(2);
	if (k->all != NULL && (run.trust = trust_new(k->all)) == NULL)
		_exit(3);
	read_before(&run, previous, check_take_previous, "--previous");
	read_before(&run, base, check_take_base, "--delta-of");
	check_read(&run, fd, check_judge, &end);
	check_send(&run, FRAME_END, &end, sizeof(end), NULL, 0);
	_exit(0);
}

/* ---- in the parent ------------------------------------------------------ */

static int
read_all(int fd, void *data, size_t len)
{
	uint8_t *p = data;
	ssize_t n;

	while (len > 0) {
		n = read(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? -ENODATA : -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static bool
ends(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* A report of the child, as far as anything of it is used as an index or as text. */
static bool
report_sound(const struct check *k, const struct check_report *r, const struct check_device *d, size_t len)
{
	uint32_t i;

	if (r->error >= SOURCE_ERRORS || r->limit >= SOURCE_ERRORS || r->state > SOURCE_EXPIRED ||
	    r->number_len > sizeof(r->number) || r->base_len > sizeof(r->base) ||
	    (r->authority != CHECK_NONE && (r->authority >= k->n_list ||
	    (r->signer != CHECK_NONE && r->signer >= k->list[r->authority].n_signers))) ||
	    !ends(r->why, sizeof(r->why)) || !ends(r->limit_why, sizeof(r->limit_why)) ||
	    !ends(r->issuer, sizeof(r->issuer)) || !ends(r->signed_by, sizeof(r->signed_by)) ||
	    !ends(r->algorithm, sizeof(r->algorithm)) || r->n_devices > LIMIT_DEVICES ||
	    len != sizeof(*r) + r->n_devices * sizeof(*d))
		return false;
	for (i = 0; i < r->n_devices; i++)
		if (d[i].effect == 0 || d[i].effect >= EFFECTS)
			return false;
	return true;
}

struct receiving {
	const struct check *check;
	const struct check_take *take;
	struct check_end *end;
	uint8_t *frame;
	size_t room;
	uint32_t reports;
	bool failed;		/* FRAME_FAILED came */
};

static int
take_frame(struct receiving *r, const struct check_head *head)
{
	const struct check_report *report = (const void *)r->frame;
	uint64_t bytes;

	if (head->type == FRAME_PROGRESS && head->len == sizeof(bytes)) {
		memcpy(&bytes, r->frame, sizeof(bytes));
		r->take->progress(r->take->arg, bytes);
		return 0;
	}
	if (head->type == FRAME_REPORT && head->len >= sizeof(*report) &&
	    report_sound(r->check, report, (const void *)(report + 1), head->len)) {
		r->reports++;
		r->take->report(r->take->arg, report, (const void *)(report + 1));
		return 0;
	}
	if ((head->type != FRAME_END && head->type != FRAME_FAILED) || head->len != sizeof(*r->end))
		return -EBADMSG;
	memcpy(r->end, r->frame, sizeof(*r->end));
	r->failed = head->type == FRAME_FAILED;
	return r->end->error < SOURCE_ERRORS && ends(r->end->why, sizeof(r->end->why)) ? 1 : -EBADMSG;
}

/* 1: the last one came. */
static int
receive(struct receiving *r, int fd)
{
	struct check_head head;
	uint8_t *more;
	unsigned n;
	int rc;

	for (n = 0; n < FRAMES_MAX; n++) {
		if ((rc = read_all(fd, &head, sizeof(head))) < 0)
			return rc;
		if (head.len > FRAME_MAX)
			return -EBADMSG;
		if (head.len > r->room) {
			if ((more = realloc(r->frame, head.len)) == NULL)
				return -ENOMEM;
			r->frame = more;
			r->room = head.len;
		}
		if ((rc = read_all(fd, r->frame, head.len)) < 0 || (rc = take_frame(r, &head)) != 0)
			return rc;
	}
	return -EBADMSG;
}

static int
say_ended(struct ctl *c, const char *name, int status, int rc)
{
	if (WIFSIGNALED(status))
		return ctl_fail(c, EXIT_UNDETERMINED, "%s: the child that read it was killed by signal %d (%s): what it would do "
		    "is not known; this is a fault of cordon, please report it", name, WTERMSIG(status),
		    strsignal(WTERMSIG(status)));
	return ctl_fail(c, EXIT_UNDETERMINED, "%s: the child that read it ended early (%d: %s): what it would do is not known",
	    name, WEXITSTATUS(status), strerror(-rc));
}

static int
parent(struct ctl *c, const char *name, pid_t pid, int fd, struct receiving *r)
{
	int rc = receive(r, fd), status = 0;

	close(fd);	/* a child that still writes ends then */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	free(r->frame);
	if (rc < 0)
		return say_ended(c, name, status, rc);
	if (r->failed)
		return ctl_fail(c, EXIT_MISTAKES, "%s: there is no CRL in it that can be used here%s%s", r->end->why,
		    r->end->error != E_NONE ? ": " : "", word_source_error(r->end->error));
	if (r->reports != r->end->crls)
		return ctl_fail(c, EXIT_UNDETERMINED, "%s: no memory to judge all CRLs in it", name);
	return 0;
}

static void
close_all(int a, int b, int c)
{
	close(a);
	if (b >= 0)
		close(b);
	if (c >= 0)
		close(c);
}

int
check_child(struct ctl *c, struct check *k, const char *name, int fd, int previous, int base,
    const struct check_take *take, struct check_end *end)
{
	struct receiving r = { .check = k, .take = take, .end = end };
	int fds[2];
	pid_t pid;

	memset(end, 0, sizeof(*end));
	if (crypto_prepare() < 0 || pipe2(fds, O_CLOEXEC) < 0) {
		close_all(fd, previous, base);
		return ctl_fail(c, EXIT_MISTAKES, "no child to read it: %s", strerror(errno));
	}
	fflush(c->out);
	fflush(c->err);
	if ((pid = fork()) == 0) {
		close(fds[0]);
		child(k, fd, previous, base, fds[1]);
	}
	close(fds[1]);
	close_all(fd, previous, base);
	if (pid < 0) {
		close(fds[0]);
		return ctl_fail(c, EXIT_MISTAKES, "fork: %s", strerror(errno));
	}
	return parent(c, name, pid, fds[0], &r);
}
