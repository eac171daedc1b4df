/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch.c -- notice when another program changes our table. Only needed where
 * the kernel does not refuse that (no owner with persist, before Linux 6.9). */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "enforce/cordond.h"
#include "enforce/nft_read.h"
#include "model/origin.h"

#define SETTLE_MS	50	/* a foreign transaction tells many things: look once, after it */

static void
on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct cordond *d = arg;
	char where[SET_NAMELEN];
	bool differed;
	int rc;

	(void)fd;
	(void)what;
	watch_pause(d);
	rc = enforcer_restore_told(&d->enforcer, &d->told, &differed, where);
	memset(&d->told, 0, sizeof(d->told));
	watch_resume(d);
	if (rc < 0) {
		log_error(rc, "another program changed the rules and they could not be put right");
	} else if (differed) {
		d->enforcer.foreign_changes++;
		tell_stations(d);
		log_warn(0, "another program changed the rules (%s): put right", where[0] ? where : "the table was gone");
	}
}

static const char *
text_attr(const struct nlmsghdr *h, uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == type && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0)
			return mnl_attr_get_str(a);
	return NULL;
}

static void
take_generation(const struct nlmsghdr *h, struct told *told)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == NFTA_GEN_ID && mnl_attr_get_payload_len(a) == 4)
			told->generation = ntohl(mnl_attr_get_u32(a));
}

static void
take_set(struct cordond *d, const char *name)
{
	const struct ruleset rs = enforcer_ruleset(&d->enforcer);
	struct set_ref ref;

	if (name == NULL || origin_set(&rs, name, &ref) < 0)
		d->told.more = true;
	else if (!set_info(ref.kind)->dynamic)
		d->told.kinds[ref.kind] = true;
}

/* Is it about our table? A change of another program's own is none of ours. In
 * every message about a table, or a part of it, its name is attribute 1. */
static bool
take_message(struct cordond *d, const struct nlmsghdr *h)
{
	uint16_t type = h->nlmsg_type & 0xff;
	const char *table;

	if (h->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES || h->nlmsg_len < mnl_nlmsg_size(sizeof(struct nfgenmsg)))
		return false;
	if (type == NFT_MSG_NEWGEN) {
		take_generation(h, &d->told);
		return false;
	}
	if ((table = text_attr(h, NFTA_TABLE_NAME)) != NULL && strcmp(table, RULESET_TABLE) != 0)
		return false;
	if (type == NFT_MSG_NEWSETELEM || type == NFT_MSG_DELSETELEM)
		take_set(d, text_attr(h, NFTA_SET_ELEM_LIST_SET));
	else
		d->told.more = true;
	return true;
}

static bool
take_messages(struct cordond *d, const uint8_t *piece, ssize_t n)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)piece;
	int left = (int)n;
	bool any = false;

	for (; mnl_nlmsg_ok(h, left); h = mnl_nlmsg_next(h, &left))
		any |= take_message(d, h);
	return any;
}

void
watch_compare(struct cordond *d)
{
	static const struct timeval settle = { 0, SETTLE_MS * 1000 };

	if (!evtimer_pending(d->watch_timer, NULL))
		evtimer_add(d->watch_timer, &settle);
}

/* What was lost is a reason to compare, too: all of it. */
static void
on_notification(evutil_socket_t fd, short what, void *arg)
{
	_Alignas(8) uint8_t piece[32768];
	struct cordond *d = arg;
	bool any = false;
	ssize_t n;

	(void)what;
	while ((n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT)) > 0 ||
	    (n == -1 && (errno == ENOBUFS || errno == EINTR))) {
		if (n > 0)
			any |= take_messages(d, piece, n);
		else if (errno == ENOBUFS)
			any = d->told.more = true;
	}
	if (any)
		watch_compare(d);
}

/* Nobody listened for a while: have there been more transactions than ours? */
static void
look_back(struct cordond *d)
{
	uint32_t now;

	if (d->enforcer.owner.generation != 0 && (nft_generation(&d->enforcer.reader, &now) < 0 ||
	    now != d->enforcer.owner.generation)) {
		d->told.more = true;
		watch_compare(d);
	}
}

/* Where one change is part of another, the outer one says when. */
void
watch_resume(struct cordond *d)
{
	int group = NFNLGRP_NFTABLES, fd;

	if (d->watch_pauses > 0 && --d->watch_pauses > 0)
		return;
	if (d->enforcer.features.owner_persist || d->watch_fd != -1)
		return;
	if ((fd = nft_socket_open()) < 0) {
		log_error(fd, "cannot watch the rules");
		return;
	}
	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) == -1 ||
	    (d->watch_event = event_new(d->base, fd, EV_READ | EV_PERSIST, on_notification, d)) == NULL ||
	    event_add(d->watch_event, NULL) == -1) {
		log_error(errno, "cannot watch the rules");
		close(fd);
		return;
	}
	d->watch_fd = fd;
	look_back(d);
}

/* Not listening saves the kernel the work of telling about our own changes. That
 * another program made one meanwhile, or just before, is seen by the number of
 * transactions when we listen again. */
void
watch_pause(struct cordond *d)
{
	d->watch_pauses++;
	if (d->watch_fd == -1)
		return;
	event_free(d->watch_event);
	d->watch_event = NULL;
	close(d->watch_fd);
	d->watch_fd = -1;
}

int
watch_init(struct cordond *d)
{
	d->watch_fd = -1;
	if ((d->watch_timer = evtimer_new(d->base, on_settled, d)) == NULL)
		return -ENOMEM;
	watch_resume(d);
	return 0;
}

void
watch_done(struct cordond *d)
{
	watch_pause(d);	/* for good */
	if (d->watch_timer != NULL)
		event_free(d->watch_timer);
}
