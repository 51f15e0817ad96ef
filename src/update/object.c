/* SPDX-License-Identifier: Apache-2.0 */
#include "update/object.h"

#include <assert.h>
#include <stdio.h>

#include "blob/blob.h"

#define STACKS "stacks/"
#define UUID_CHARACTERS (UUID_TEXT - 1)

static const struct {
	const char *folder, *setting, *words;
	size_t store;		/* a member of struct app */
} kinds[] = {
	[UPDATE_OBJECT_EVENTS] = { "/events/", "PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT", "engine events that were objects",
				   offsetof(struct app, events) },
	[UPDATE_OBJECT_CONFIGURATION] = { "/configurations/", "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT",
					  "configurations that were objects", offsetof(struct app, metadata) },
};
static_assert(sizeof(kinds) / sizeof(kinds[0]) == UPDATE_OBJECT_KINDS, "a kind has no row");

struct blob_store *update_object_store(const struct app *app, enum update_object_kind kind)
{
	return *(struct blob_store *const *)((const char *)app + kinds[kind].store);
}

const char *update_object_setting(enum update_object_kind kind)
{
	return kinds[kind].setting;
}

const char *update_object_words(enum update_object_kind kind)
{
	return kinds[kind].words;
}

void update_object_key(enum update_object_kind kind, const char *stack_id, const char *update_id, const unsigned char *digest,
		       char ret_key[UPDATE_OBJECT_KEY])
{
	char hex[2 * SHA256_BYTES + 1];

	hex_encode(digest, SHA256_BYTES, hex);
	snprintf(ret_key, UPDATE_OBJECT_KEY, STACKS "%s%s%s/%s", stack_id, kinds[kind].folder, update_id, hex);
}

static bool take_uuid(const char **at, char ret_uuid[UUID_TEXT])
{
	if (strlen(*at) < UUID_CHARACTERS)
		return false;
	memcpy(ret_uuid, *at, UUID_CHARACTERS);
	ret_uuid[UUID_CHARACTERS] = '\0';
	*at += UUID_CHARACTERS;
	return uuid_valid(ret_uuid);
}

static bool take_kind(const char **at, enum update_object_kind *ret_kind)
{
	for (enum update_object_kind kind = 0; kind < UPDATE_OBJECT_KINDS; kind++) {
		size_t n = strlen(kinds[kind].folder);

		if (strncmp(*at, kinds[kind].folder, n))
			continue;
		*at += n;
		*ret_kind = kind;
		return true;
	}
	return false;
}

static bool take_digest(const char *at, unsigned char ret_digest[SHA256_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	if (strlen(at) != 2 * SHA256_BYTES || strspn(at, digits) != 2 * SHA256_BYTES)
		return false;
	for (size_t i = 0; i < SHA256_BYTES; i++)
		ret_digest[i] = (unsigned char)((strchr(digits, at[2 * i]) - digits) * 16 + (strchr(digits, at[2 * i + 1]) - digits));
	return true;
}

/* Puts it together again: only what gives the same key is one of ours. */
bool update_object_parse(const char *key, struct update_object *ret_object)
{
	const char *at = strncmp(key, STACKS, strlen(STACKS)) ? "" : key + strlen(STACKS);
	struct update_object o;
	char same[UPDATE_OBJECT_KEY];

	if (!take_uuid(&at, o.stack_id) || !take_kind(&at, &o.kind) || !take_uuid(&at, o.update_id) || *at != '/' ||
	    !take_digest(at + 1, o.digest))
		return false;
	update_object_key(o.kind, o.stack_id, o.update_id, o.digest, same);
	if (strcmp(key, same))
		return false;
	*ret_object = o;
	return true;
}

int update_object_put(struct app *app, enum update_object_kind kind, const char *stack_id, const char *update_id,
		      const unsigned char *digest, struct span data, struct err *e)
{
	char key[UPDATE_OBJECT_KEY];

	update_object_key(kind, stack_id, update_id, digest, key);
	return blob_put(update_object_store(app, kind), key, data, e);
}

static int load(struct app *app, enum update_object_kind kind, const char *key, struct buffer *ret_data, struct err *e)
{
	struct blob_store *store = update_object_store(app, kind);
	int rc;

	if (!store)
		return err_internal(e, "object %s cannot be read: %s is not set any more", key, kinds[kind].setting);
	rc = blob_get(store, key, ret_data, e);
	return rc == 0 ? err_internal(e, "object %s is missing", key) : rc;
}

static int check_length(struct span digest, const char *update_id, struct err *e)
{
	if (digest.length == SHA256_BYTES)
		return 1;
	return err_internal(e, "update %s names an object by a digest of %zu bytes", update_id, digest.length);
}

int update_object_load(struct app *app, enum update_object_kind kind, const char *stack_id, const char *update_id,
		       struct span digest, struct buffer *ret_data, struct err *e)
{
	char key[UPDATE_OBJECT_KEY];

	if (check_length(digest, update_id, e) < 0)
		return -1;
	update_object_key(kind, stack_id, update_id, (const unsigned char *)digest.data, key);
	return load(app, kind, key, ret_data, e);
}

int update_object_load_text(struct app *app, enum update_object_kind kind, const char *stack_id, const char *update_id,
			    struct span digest, struct buffer *ret_text, struct err *e)
{
	unsigned char found[SHA256_BYTES];
	size_t from = ret_text->length;
	char key[UPDATE_OBJECT_KEY];

	if (check_length(digest, update_id, e) < 0)
		return -1;
	update_object_key(kind, stack_id, update_id, (const unsigned char *)digest.data, key);
	if (load(app, kind, key, ret_text, e) < 0)
		return -1;
	sha256((struct span){ ret_text->data + from, ret_text->length - from }, found);
	if (memcmp(found, digest.data, SHA256_BYTES))
		return err_internal(e, "object %s is damaged: its text has another digest", key);
	return 1;
}
