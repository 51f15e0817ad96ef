/* SPDX-License-Identifier: Apache-2.0 */
#include "object/object.h"

#include <assert.h>
#include <stdio.h>

#include "blob/blob.h"

#define METADATA "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT"
#define UUID_CHARACTERS (UUID_TEXT - 1)

static const struct {
	const char *root, *folder, *setting, *words;
	size_t store;		/* a member of struct app */
} kinds[] = {
	[ROW_OBJECT_EVENTS] = { "stacks/", "/events/", "PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT", "engine events that were objects",
				offsetof(struct app, events) },
	[ROW_OBJECT_CONFIGURATION] = { "stacks/", "/configurations/", METADATA, "configurations that were objects",
				       offsetof(struct app, metadata) },
	[ROW_OBJECT_POLICY] = { "organizations/", "/policies/", METADATA, "auth policies that were objects", offsetof(struct app, metadata) },
};
static_assert(sizeof(kinds) / sizeof(kinds[0]) == ROW_OBJECT_KINDS, "a kind has no row");

struct blob_store *row_object_store(const struct app *app, enum row_object_kind kind)
{
	return *(struct blob_store *const *)((const char *)app + kinds[kind].store);
}

const char *row_object_setting(enum row_object_kind kind)
{
	return kinds[kind].setting;
}

const char *row_object_words(enum row_object_kind kind)
{
	return kinds[kind].words;
}

const char *row_object_root(enum row_object_kind kind)
{
	return kinds[kind].root;
}

void row_object_key(enum row_object_kind kind, const char *owner_id, const char *id, const unsigned char *digest,
		    char ret_key[ROW_OBJECT_KEY])
{
	char hex[2 * SHA256_BYTES + 1];

	hex_encode(digest, SHA256_BYTES, hex);
	snprintf(ret_key, ROW_OBJECT_KEY, "%s%s%s%s/%s", kinds[kind].root, owner_id, kinds[kind].folder, id, hex);
}

static bool take_text(const char **at, const char *text)
{
	size_t n = strlen(text);

	if (strncmp(*at, text, n))
		return false;
	*at += n;
	return true;
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
static bool parse_as(enum row_object_kind kind, const char *key, struct row_object *ret_object)
{
	struct row_object o = { .kind = kind };
	char same[ROW_OBJECT_KEY];
	const char *at = key;

	if (!take_text(&at, kinds[kind].root) || !take_uuid(&at, o.owner_id) || !take_text(&at, kinds[kind].folder) ||
	    !take_uuid(&at, o.id) || !take_text(&at, "/") || !take_digest(at, o.digest))
		return false;
	row_object_key(kind, o.owner_id, o.id, o.digest, same);
	if (strcmp(key, same))
		return false;
	*ret_object = o;
	return true;
}

bool row_object_parse(const char *key, struct row_object *ret_object)
{
	for (enum row_object_kind kind = 0; kind < ROW_OBJECT_KINDS; kind++)
		if (parse_as(kind, key, ret_object))
			return true;
	return false;
}

int row_object_put(struct app *app, enum row_object_kind kind, const char *owner_id, const char *id, const unsigned char *digest,
		   struct span data, struct err *e)
{
	char key[ROW_OBJECT_KEY];

	row_object_key(kind, owner_id, id, digest, key);
	return blob_put(row_object_store(app, kind), key, data, e);
}

static int load(struct app *app, enum row_object_kind kind, const char *key, struct buffer *ret_data, struct err *e)
{
	struct blob_store *store = row_object_store(app, kind);
	int rc;

	if (!store)
		return err_internal(e, "object %s cannot be read: %s is not set any more", key, kinds[kind].setting);
	rc = blob_get(store, key, ret_data, e);
	return rc == 0 ? err_internal(e, "object %s is missing", key) : rc;
}

static int check_length(struct span digest, const char *id, struct err *e)
{
	if (digest.length == SHA256_BYTES)
		return 1;
	return err_internal(e, "the row of %s names an object by a digest of %zu bytes", id, digest.length);
}

int row_object_load(struct app *app, enum row_object_kind kind, const char *owner_id, const char *id, struct span digest,
		    struct buffer *ret_data, struct err *e)
{
	char key[ROW_OBJECT_KEY];

	if (check_length(digest, id, e) < 0)
		return -1;
	row_object_key(kind, owner_id, id, (const unsigned char *)digest.data, key);
	return load(app, kind, key, ret_data, e);
}

int row_object_load_text(struct app *app, enum row_object_kind kind, const char *owner_id, const char *id, struct span digest,
			 struct buffer *ret_text, struct err *e)
{
	unsigned char found[SHA256_BYTES];
	size_t from = ret_text->length;
	char key[ROW_OBJECT_KEY];

	if (check_length(digest, id, e) < 0)
		return -1;
	row_object_key(kind, owner_id, id, (const unsigned char *)digest.data, key);
	if (load(app, kind, key, ret_text, e) < 0)
		return -1;
	sha256((struct span){ ret_text->data + from, ret_text->length - from }, found);
	if (memcmp(found, digest.data, SHA256_BYTES))
		return err_internal(e, "object %s is damaged: its text has another digest", key);
	return 1;
}
