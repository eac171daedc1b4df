/* SPDX-License-Identifier: GPL-2.0-or-later */
/* world.h -- a router with three interfaces for devices and two uplinks, in two
 * network namespaces: one is the router, the other holds the far ends of its
 * cables. Both go when the program ends. Whatever fails here ends the program. */
#ifndef CORDON_TESTS_DIFFERENTIAL_WORLD_H
#define CORDON_TESTS_DIFFERENTIAL_WORLD_H

#include <stddef.h>
#include <stdint.h>

/* Ports: 0 to 2 for devices, 3 and 4 up. Behind port n are
 *	10.0.n.0/24 and fd00:0:0:n::/64		(n < 3)
 *	192.0.2.0/24, 2001:db8:3::/48 and all else	(3)
 *	198.51.100.0/24 and 2001:db8:4::/48	(4)
 * always by one next hop, whose MAC is known: nobody is asked for it. */
enum { WAN0 = 3, WAN1 = 4, PORTS = 5, LANS = 3 };

extern const char *const port_names[PORTS];

#define FRAME_MAX	512

struct frame {
	uint8_t port;		/* into which it is sent, from the far end */
	uint16_t len;
	uint8_t bytes[FRAME_MAX];
};

struct world {
	int router, wires;	/* the namespaces */
	int sender;		/* packets into the far ends */
	int counter;		/* sees what comes out of the router */
	int far_index[PORTS];	/* interface numbers at the far end */
	int index[PORTS];	/* and at the router */
};

/* Leaves the caller in the router's namespace. */
void world_make(struct world *);

/* The MAC of the router at a port. */
void world_mac(int port, uint8_t mac[6]);

void world_send(struct world *, const struct frame *, size_t n);

/* The type of service of our packets (DSCP 10), and what hooks.h makes of it when
 * one has been forwarded (12): answers that the router copies it to have the first. */
#define FRAME_TOS	0x28
#define FRAME_TOS_OUT	0x30

/* Forwarded packets of ours that came out since the last call. */
uint32_t world_came_out(struct world *);

/* Print what to do and end. */
_Noreturn void world_fail(const char *what, int error);

/* Run a program of the system's and give it its input. */
void world_run(const char *const argv[], const char *input);

/* Run one and call fn for each line that it prints. */
void world_read(const char *const argv[], void (*fn)(void *arg, const char *line), void *arg);

#endif
