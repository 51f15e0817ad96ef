/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects: immutable bytes under a key. An object is durable when its commit returns, and never visible
 * in part. Keys are relative paths of [A-Za-z0-9._-] parts. Knows nothing of what the objects mean.
 * Where they live is a provider's business: a local folder, S3, Azure.
 */
#ifndef BLOB_BLOB_H
#define BLOB_BLOB_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/observer.h"

struct blob_store;
struct blob_writer;

/*
 * Opens an absolute folder, or a URL whose scheme a provider has (s3://bucket?…, azblob://container?…). `name`
 * is the setting that said so, for the sentence in e->detail when it cannot be used. With `try` the service is asked for something;
 * without, its setting is only read. A folder must be there in either case.
 */
int blob_open(const char *name, const char *where, bool try, struct blob_store **ret_store, struct err *e) WARN_UNUSED;
void blob_close(struct blob_store *store);
/* Is told of each put, get, delete and list. */
void blob_observe(struct blob_store *store, const struct observer *observer);
/* Is told of each call over HTTP that these make. */
void blob_observe_calls(struct blob_store *store, const struct observer *observer);
/* Writes an object, reads it back, lists it, deletes it: whether the store can be used now. */
int blob_try(struct blob_store *store, struct err *e) WARN_UNUSED;
/* 1 when what is written into the one can be read from the other, under the same key; 0 when not. */
int blob_same(struct blob_store *one, struct blob_store *other, struct err *e) WARN_UNUSED;
/* Whether a name that a list showed is one of ours: others may keep something beside the objects. */
bool blob_key_valid(const char *key);

/* An object while it is written: nobody sees it before the commit, which names it. */
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
/* 1 deleted, 0 there was none. */
int blob_delete(struct blob_store *store, const char *key, struct err *e) WARN_UNUSED;
/*
 * The same unless it was written at `before_us` or later: then it stays, and 0 is the answer. Whether that holds when it
 * is written just now depends on the store; where it matters, claim/mark.h sees to it.
 */
int blob_delete_older(struct blob_store *store, const char *key, int64_t before_us, struct err *e) WARN_UNUSED;

/*
 * An address at which whoever has it may GET or PUT (`method`) the object for `seconds`, without further credentials, and
 * the header lines "name: value\n" that such a request must have. The store's own host is in it: clients must reach
 * that. 1, or 0 when the store gives out no such addresses (a folder, or Azure where nobody may sign).
 */
int blob_presign(struct blob_store *store, const char *method, const char *key, int seconds, struct buffer *ret_url,
		 struct buffer *ret_lines, struct err *e) WARN_UNUSED;

struct blob_object {
	const char *key;
	int64_t bytes, modified_at;	/* microseconds since 1970, UTC */
};
/* Calls `each` for every object whose key starts with the prefix, in no order; 1 to go on, 0 to stop, -1 with *e set. */
typedef int blob_each(void *context, const struct blob_object *object, struct err *e);
int blob_list(struct blob_store *store, const char *prefix, blob_each *each, void *context, struct err *e) WARN_UNUSED;

#endif
