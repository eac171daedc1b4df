/* SPDX-License-Identifier: GPL-2.0-or-later */
/* restore.h -- the table as it shall be: made whole, or compared and put right. */
#ifndef CORDON_ENFORCE_RESTORE_H
#define CORDON_ENFORCE_RESTORE_H

#include "enforce/enforcer.h"

/* The whole table anew; `replace` takes an old one away in the same transaction. */
int enforcer_load_table(struct enforcer *, bool replace);

/* The same when the rules that stood were others: what they let through carries
 * marks that would be live. With a new generation every flow is judged again. */
int enforcer_load_renewed(struct enforcer *, bool replace);

/* What the kernel told of others' transactions, up to and with this generation:
 * if nothing but elements of sets of these kinds, only they are compared. */
struct told {
	bool more;		/* than that, or something was lost */
	bool kinds[SET_KINDS];
	uint32_t generation;	/* 0: not known */
};

/* As enforcer_restore; told: NULL or what is known of the change. */
int enforcer_restore_told(struct enforcer *, const struct told *, bool *differed, char where[SET_NAMELEN]);

/* Are the rules, the declarations of sets and chains, and the table's flags as we
 * left them? "" or what is not. 0 or -errno. */
int enforcer_rules_agree(struct enforcer *, char where[SET_NAMELEN]);

/* Is the kernel as the policy says? Nothing is changed. */
int enforcer_agrees(struct enforcer *, bool *agrees);

#endif
