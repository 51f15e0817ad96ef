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

/* An object while it is written: nobody sees it before the commit, which names it. */
struct blob_writer;
int blob_writer_open(struct blob_store *store, struct blob_writer **ret_writer, struct err *e) WARN_UNUSED;
struct sink *blob_writer_sink(struct blob_writer *w);
/* Durable under the key when it returns 1. */
int blob_writer_commit(struct blob_writer *w, const char *key, struct err *e) WARN_UNUSED;
/* Ends it; what was not committed is gone. */
void blob_writer_close(struct blob_writer *w);
void blob_writer_closep(struct blob_writer **w);

/* The same for bytes that are in memory. */
int blob_put(struct blob_store *store, const char *key, struct span data, struct err *e) WARN_UNUSED;
/* Appends the object: 1, or 0 when there is none. */
int blob_get(struct blob_store *store, const char *key, struct buffer *ret_data, struct err *e) WARN_UNUSED;
/* The absolute path of an object that is a local file, and its size: 1, or 0 when it is none. */
int blob_file(struct blob_store *store, const char *key, struct arena *arena, const char **ret_path, size_t *ret_size,
	      struct err *e) WARN_UNUSED;

#endif
