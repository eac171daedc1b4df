/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.h -- text that may be shown on a terminal and written as JSON. */
#ifndef CORDON_MODEL_TEXT_H
#define CORDON_MODEL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Length of the UTF-8 character at s that a terminal may be given, 1 to 4; 0
 * for a control character, the NUL and what is no UTF-8. left > 0. */
size_t text_character(const char *s, size_t left);

bool text_is_clean(const char *);

/* Every byte that is not of such a character becomes '?'. */
void text_clean(char *);

#endif
