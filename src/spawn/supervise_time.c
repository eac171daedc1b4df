/* SPDX-License-Identifier: GPL-2.0-or-later */
/* supervise_time.c -- what the clock demands of cordon-spawn: start, wait, kill. The
 * time is passed in. */
#include <signal.h>

#include "common/log.h"
#include "spawn/parts.h"

static bool
nobody_left(const struct supervisor *s)
{
	return s->enforcer == 0 && s->workers.n == 0;
}

/* Kill whoever is left when it is due. True when the waiting is over. */
static bool
drained(struct supervisor *s, int64_t now_ms)
{
	size_t n;

	if (nobody_left(s))
		return true;
	if (now_ms < s->due_ms)
		return false;
	/* What even SIGKILL does not end hangs in the kernel; it holds nothing up. */
	if (s->killed)
		return true;
	n = workers_signal(&s->workers, SIGKILL);
	if (s->enforcer != 0) {
		kill(s->enforcer, SIGKILL);
		n++;
	}
	log_warn(0, "%zu processes did not end in time and are killed", n);
	s->killed = true;
	s->due_ms = now_ms + KILLED_MS;
	return false;
}

/* The dead man's switch: cordond did not disarm it, so it hangs, or whatever
 * it does takes too long. Once; the next one arms it anew if need be. */
static void
switch_tick(struct supervisor *s, int64_t now_ms)
{
	if (s->armed_ms == 0 || now_ms < s->armed_ms || s->phase == PHASE_STOP)
		return;
	s->armed_ms = 0;
	if (s->enforcer != 0)
		enforcer_kill(s, 0, "let a deadline pass");
}

void
supervise_tick(struct supervisor *s, int64_t now_ms)
{
	switch_tick(s, now_ms);
	switch (s->phase) {
	case PHASE_WAIT:
		if (now_ms >= s->due_ms)
			enforcer_start(s, now_ms);
		break;
	case PHASE_UP:
		if (s->due_ms != 0 && now_ms >= s->due_ms) {
			s->due_ms = 0;
			enforcer_kill(s, 0, "closed its channel without an end");
		}
		break;
	case PHASE_DRAIN:
		if (drained(s, now_ms)) {
			s->due_ms = s->start_ms;
			s->phase = PHASE_WAIT;
			log_info("%s starts again in %lld ms", proc_name(PROC_ENFORCE),
			    (long long)(s->start_ms > now_ms ? s->start_ms - now_ms : 0));
		}
		break;
	case PHASE_STOP:
		if (drained(s, now_ms))
			s->phase = PHASE_OVER;
		break;
	case PHASE_OVER:
		break;
	}
}

static int
phase_timeout(const struct supervisor *s, int64_t now_ms)
{
	if (s->phase == PHASE_OVER)
		return 0;
	if (s->phase == PHASE_UP && s->due_ms == 0)
		return -1;
	if (s->phase != PHASE_UP && s->phase != PHASE_WAIT && nobody_left(s))
		return 0;
	return s->due_ms > now_ms ? (int)(s->due_ms - now_ms) : 0;
}

static int
earlier(int timeout, int64_t due_ms, int64_t now_ms)
{
	int64_t left = due_ms > now_ms ? due_ms - now_ms : 0;

	return timeout < 0 || left < timeout ? (int)left : timeout;
}

int
supervise_timeout(const struct supervisor *s, int64_t now_ms)
{
	int timeout = phase_timeout(s, now_ms);

	return s->armed_ms == 0 || s->phase == PHASE_STOP ? timeout : earlier(timeout, s->armed_ms, now_ms);
}
