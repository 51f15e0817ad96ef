/* SPDX-License-Identifier: Apache-2.0 */
/* When certificates end. Nothing is proved about who made them. */
#ifndef ADMIN_EXPIRY_H
#define ADMIN_EXPIRY_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"

/* Of the first certificate in a PEM text, microseconds since 1970, UTC. */
int expiry_of_certificate(struct span pem, int64_t *ret_ends_at, struct err *e) WARN_UNUSED;
/* A day, for people. */
const char *expiry_text(struct arena *arena, int64_t ends_at);

#endif
