/* SPDX-License-Identifier: GPL-2.0-or-later */
/* who.h -- who asks for a change, from where, and how that is shown. */
#ifndef CORDON_CTL_WHO_H
#define CORDON_CTL_WHO_H

#include <jansson.h>

#include "proto/messages.h"

/* The login behind this process, as far as the environment or the kernel's audit
 * knows it; "" when not. A claim. */
void who_am_i(char login[CTL_LOGIN + 4]);

#define WHO_STRLEN 192
/* "root (says: alice)"; returns buf. */
const char *who_text(const struct ctl_who *, char buf[WHO_STRLEN]);
json_t *who_json(const struct ctl_who *);

/* Null when nothing waits nor is compiled. */
json_t *waits_json(const struct ctl_waits *);

/* The ssh connection that this process works over; family 0 when there is none. */
void connection_find(struct ctl_connection *);

/* The same from SSH_CONNECTION's text, without interface and MAC. */
int connection_parse(const char *text, struct ctl_connection *);

#define CONNECTION_STRLEN 160
/* "192.0.2.9 port 50000 to 192.0.2.1 port 22, by br0"; returns buf. */
const char *connection_text(const struct ctl_connection *, char buf[CONNECTION_STRLEN]);

#endif
