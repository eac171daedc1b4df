/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_question.h -- what `policy explain' is asked, from its options. */
#ifndef CORDON_CTL_EXPLAIN_QUESTION_H
#define CORDON_CTL_EXPLAIN_QUESTION_H

#include "ctl/ctl.h"
#include "model/explain.h"

/* *name is not NULL where the question is about a host name. 0, or the exit code,
 * said already. */
int question_read(struct ctl *, const struct image *, struct question *, const char **name);

#endif
