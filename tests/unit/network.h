/* SPDX-License-Identifier: GPL-2.0-or-later */
/* network.h -- a small network whose packets are sent through the rules, for
 * IPv4 and IPv6 alike: devices of three classes at two ports, servers beyond. */
#ifndef CORDON_TESTS_NETWORK_H
#define CORDON_TESTS_NETWORK_H

#include "sample.h"
#include "router.h"

/* A device's MAC ends in its number, its addresses too. FREE and FREE_PORT have
 * no declared address, LOOSE and FREE no port. PROBE's class is audited. */
enum host { NOBODY, PORT, LOOSE, GATE, PROBE, FREE, FREE_PORT, SERVER = 10, OTHER, ANYTHING, REMEDY = 80 };
#define DEVICES 6

extern bool v6;				/* the family of this test */
extern struct image image;
extern uint8_t *bytes;			/* the image's */
extern struct station stations[DEVICES];
extern struct ruleset rules;
extern struct router router;
extern struct connection connection;	/* every packet's, unless its ct_state says otherwise */

int setup(void **state);		/* *state: NULL for IPv4 */
int teardown(void **state);

/* The policy with sensors allowed to SERVER's ports 443 to last_port. */
void load(uint16_t last_port, const struct image *before);
size_t index_of(int host);
uint32_t mark_of(int host);
/* To a new mark, in quarantine or not. */
void move(int host, bool quarantined);

void set_address(uint8_t out[16], int host);
struct packet packet(int from, int to, uint8_t protocol, uint16_t port);
/* From that port, on a connection that `to` began. */
struct packet answer(int from, int to, uint8_t protocol, uint16_t port);
struct packet echo(int from, int to, bool reply);
enum set_kind of_family(enum set_kind four, enum set_kind six);

void anew(void);			/* a connection that nobody has seen */
void passes(struct packet);
void stopped(struct packet);
void refused(struct packet);		/* dropped, counted for its device, one key of it on record */
void strange(struct packet);		/* dropped, on record as nobody's */
void stray(struct packet);		/* dropped: belongs to nothing allowed */
/* An admitted connection of a device to SERVER's tcp port. */
void opened(int from, uint16_t port);

#define BOTH(test) \
	{ #test "_ipv4", test, setup, teardown, NULL }, \
	{ #test "_ipv6", test, setup, teardown, &v6 }

#endif
