/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects: immutable bytes under a key. A put is durable when it returns and never visible in part.
 * Keys are relative paths of [A-Za-z0-9._-] parts. Knows nothing of what the objects mean.
 */
#ifndef BLOB_BLOB_H
#define BLOB_BLOB_H

#include "base/arena.h"
#include "base/buffer.h"

struct blob_store;

/* Opens the folder; ERR_INTERNAL with a sentence when it cannot be written. */
int blob_open_local(const char *folder, struct blob_store **ret_store, struct err *e) WARN_UNUSED;
void blob_close(struct blob_store *store);

int blob_put(struct blob_store *store, const char *key, struct span data, struct err *e) WARN_UNUSED;
/* Appends the object: 1, or 0 when there is none. */
int blob_get(struct blob_store *store, const char *key, struct buffer *ret_data, struct err *e) WARN_UNUSED;

#endif
