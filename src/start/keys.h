/* SPDX-License-Identifier: Apache-2.0 */
/* The master keys, as the settings name them: one place that seals, and others whose keys only open. */
#ifndef START_KEYS_H
#define START_KEYS_H

#include "base/arena.h"
#include "secret/secret.h"

/* `try` as with keys_open. -1 with a sentence in e->detail that names the setting. */
int start_keys(struct arena *arena, bool try, struct keys **ret_keys, struct err *e) WARN_UNUSED;

#endif
