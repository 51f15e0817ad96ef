/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider of objects implements. Keys that reach it are valid. */
#ifndef BLOB_PROVIDER_H
#define BLOB_PROVIDER_H

#include "blob/blob.h"

struct blob_provider {
	const char *scheme;	/* of the URL that chooses it; "": an absolute path */
	/* `try`: something is asked of it now. 1; -1 with a sentence in e->detail. The store starts with struct blob_store. */
	int (*open)(const char *name, const char *where, bool try, struct blob_store **ret_store, struct err *e);
	void (*close)(struct blob_store *store);
	/* NULL: it calls nobody. */
	void (*observe_calls)(struct blob_store *store, const struct observer *observer);
	/* The writer starts with struct blob_writer, whose sink it fills in. */
	int (*writer_open)(struct blob_store *store, struct blob_writer **ret_writer, struct err *e);
	int (*writer_commit)(struct blob_writer *w, const char *key, struct err *e);
	void (*writer_close)(struct blob_writer *w);
	int (*get)(struct blob_store *store, const char *key, struct buffer *ret_data, struct err *e);
	/* NULL: objects are no local files. */
	int (*file)(struct blob_store *store, const char *key, struct arena *arena, const char **ret_path, size_t *ret_size,
		    struct err *e);
	int (*delete)(struct blob_store *store, const char *key, struct err *e);
	/* NULL: it is looked up and deleted. Better when nobody can write the object between the two. */
	int (*delete_older)(struct blob_store *store, const char *key, int64_t before_us, struct err *e);
	/* NULL: there are no such addresses. */
	int (*presign)(struct blob_store *store, const char *method, const char *key, int seconds, struct buffer *ret_url,
		       struct buffer *ret_lines, struct err *e);
	int (*list)(struct blob_store *store, const char *prefix, blob_each *each, void *context, struct err *e);
};

struct blob_store {
	const struct blob_provider *provider;
	struct observer observer;
	char *prefix;		/* goes before each key in the bucket; "" for none, NULL in a folder. Freed by the provider */
};

struct blob_writer {
	struct sink sink;
	struct blob_store *store;
};

extern const struct blob_provider blob_local, blob_s3, blob_azure;

/* The option `prefix` of a bucket's address, or "". -1 with a sentence in e->detail. */
struct url_parts;
int blob_prefix(const char *name, const struct url_parts *parts, char **ret_prefix, struct err *e) WARN_UNUSED;

#endif
