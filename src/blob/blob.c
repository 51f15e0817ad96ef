/* SPDX-License-Identifier: Apache-2.0 */
#include "blob/blob.h"

#include "base/fault.h"
#include "blob/provider.h"
#include "net/query.h"

/* The first whose scheme fits; a new provider gets a line here. */
static const struct blob_provider *const providers[] = { &blob_local, &blob_s3, &blob_azure };

bool blob_key_valid(const char *key)
{
	size_t n = strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/");

	return key[0] && key[n] == '\0' && key[0] != '/' && !strstr(key, "..") && !strstr(key, "//");
}

static int check_key(const char *key, struct err *e)
{
	return blob_key_valid(key) ? 1 : err_internal(e, "object store: '%s' is no key", key);
}

static bool fits(const struct blob_provider *p, const char *where)
{
	size_t n = strlen(p->scheme);

	return n ? !strncmp(where, p->scheme, n) && !strncmp(where + n, "://", 3) : where[0] == '/';
}

int blob_open(const char *name, const char *where, bool try, struct blob_store **ret_store, struct err *e)
{
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
		if (fits(providers[i], where))
			return providers[i]->open(name, where, try, ret_store, e);
	return err_internal(e, "%s: '%s' is neither an absolute folder nor the URL of an object store (s3://… or azblob://…)", name, where);
}

int blob_prefix(const char *name, const struct url_parts *parts, char **ret_prefix, struct err *e)
{
	const char *prefix = url_option(parts, "prefix", "");

	if (*prefix && !blob_key_valid(prefix))
		return err_internal(e, "%s: option prefix: '%s' must be the beginning of a key, such as 'pulumi/': letters, digits and ._-/", name,
				    prefix);
	*ret_prefix = xstrdup(prefix);
	return 1;
}

void blob_close(struct blob_store *store)
{
	if (store)
		store->provider->close(store);
}

void blob_observe(struct blob_store *store, const struct observer *observer)
{
	store->observer = *observer;
}

void blob_observe_calls(struct blob_store *store, const struct observer *observer)
{
	if (store->provider->observe_calls)
		store->provider->observe_calls(store, observer);
}

int blob_writer_open(struct blob_store *store, struct blob_writer **ret_writer, struct err *e)
{
	return store->provider->writer_open(store, ret_writer, e);
}

struct sink *blob_writer_sink(struct blob_writer *w)
{
	return &w->sink;
}

int blob_writer_commit(struct blob_writer *w, const char *key, struct err *e)
{
	const struct observer *o = &w->store->observer;
	int64_t began_ns = observe_begin(o);
	int rc = check_key(key, e) < 0 ? -1 : w->store->provider->writer_commit(w, key, e);

	observe_end(o, "put", began_ns, rc < 0);
	return rc;
}

void blob_writer_close(struct blob_writer *w)
{
	if (w)
		w->store->provider->writer_close(w);
}

void blob_writer_closep(struct blob_writer **w)
{
	blob_writer_close(*w);
}

int blob_put(struct blob_store *store, const char *key, struct span data, struct err *e)
{
	_cleanup_(blob_writer_closep) struct blob_writer *w = NULL;

	if (blob_writer_open(store, &w, e) < 0 || sink_write(blob_writer_sink(w), data.data, data.length, e) < 0)
		return -1;
	return blob_writer_commit(w, key, e);
}

int blob_get(struct blob_store *store, const char *key, struct buffer *ret_data, struct err *e)
{
	int64_t began_ns = observe_begin(&store->observer);
	int rc = check_key(key, e) < 0 ? -1 : store->provider->get(store, key, ret_data, e);

	observe_end(&store->observer, "get", began_ns, rc < 0);
	return rc;
}

int blob_file(struct blob_store *store, const char *key, struct arena *arena, const char **ret_path, size_t *ret_size,
	      struct err *e)
{
	if (check_key(key, e) < 0)
		return -1;
	return store->provider->file ? store->provider->file(store, key, arena, ret_path, ret_size, e) : 0;
}

int blob_delete(struct blob_store *store, const char *key, struct err *e)
{
	int64_t began_ns = observe_begin(&store->observer);
	int rc = check_key(key, e) < 0 ? -1 : store->provider->delete(store, key, e);

	observe_end(&store->observer, "delete", began_ns, rc < 0);
	return rc;
}

int blob_presign(struct blob_store *store, const char *method, const char *key, int seconds, struct buffer *ret_url,
		 struct buffer *ret_lines, struct err *e)
{
	if (check_key(key, e) < 0)
		return -1;
	return store->provider->presign ? store->provider->presign(store, method, key, seconds, ret_url, ret_lines, e) : 0;
}

#define SECOND_US 1000000	/* stores may tell times in whole seconds, rounded down */

struct age {
	const char *key;
	int64_t before_us;
	bool older;
};

static int note_age(void *context, const struct blob_object *object, struct err *e)
{
	struct age *a = context;

	(void)e;
	if (strcmp(object->key, a->key))
		return 1;
	a->older = object->modified_at < a->before_us - SECOND_US;
	return 0;
}

int blob_delete_older(struct blob_store *store, const char *key, int64_t before_us, struct err *e)
{
	struct age a = { .key = key, .before_us = before_us };

	if (check_key(key, e) < 0)
		return -1;
	if (store->provider->delete_older)
		return store->provider->delete_older(store, key, before_us, e);
	if (store->provider->list(store, key, note_age, &a, e) < 0)
		return -1;
	fault_point("blob.looked");
	return a.older ? store->provider->delete(store, key, e) : 0;
}

int blob_list(struct blob_store *store, const char *prefix, blob_each *each, void *context, struct err *e)
{
	int64_t began_ns = observe_begin(&store->observer);
	int rc = store->provider->list(store, prefix, each, context, e);

	observe_end(&store->observer, "list", began_ns, rc < 0);
	return rc;
}
