/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock.c -- preloaded in tests: another wall clock than the machine's, and another
 * answer to whether it is synchronized. The file that CORDON_TEST_CLOCK names is
 * mapped at start, before any sandbox, and may be changed at any time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

struct setting {
	int64_t offset_s;
	int64_t synchronized;
};

static const volatile struct setting *setting;
static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_adjtimex)(struct timex *);

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("CORDON_TEST_CLOCK");
	int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*setting), PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		abort();
	close(fd);
	setting = map;
	*(void **)&real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
	*(void **)&real_adjtimex = dlsym(RTLD_NEXT, "adjtimex");
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int rc = real_gettime(id, ts);

	if (rc == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
		ts->tv_sec += setting->offset_s;
	return rc;
}

int
gettimeofday(struct timeval *tv, void *zone)
{
	struct timespec ts;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &ts);
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *out)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (out != NULL)
		*out = ts.tv_sec;
	return ts.tv_sec;
}

int
adjtimex(struct timex *tx)
{
	int rc = real_adjtimex(tx);

	if (setting->synchronized)
		tx->status &= ~STA_UNSYNC, tx->maxerror = 0;
	else
		tx->status |= STA_UNSYNC;
	return setting->synchronized && rc >= 0 ? TIME_OK : TIME_ERROR;
}

int
ntp_adjtime(struct timex *tx)
{
	return adjtimex(tx);
}
