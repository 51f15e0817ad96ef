/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects from one store into another, while a server works. Objects never change, so that one that is there is done: a
 * copy that was interrupted is made again and does the rest. Each object is compared with the digest that its name has
 * before it is written, and read back after it.
 */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "base/fault.h"
#include "base/map.h"
#include "blob/blob.h"
#include "http/gzip.h"

#define FAILURES 3	/* objects one after the other that cannot be read: the store is away */
#define DIGEST_HEX (2 * SHA256_BYTES)

struct listed {
	const char *key;
	int64_t bytes;
};

struct copying {
	struct admin *admin;
	struct blob_store *from, *to;
	struct arena arena;
	struct map there;		/* key -> struct listed, in the store that is copied to */
	struct buffer wanted;		/* struct listed */
	struct progress progress;
	bool compare;
	int failures;			/* one after the other */
	/* What became of them. */
	int64_t copied, bytes, present, replaced, vanished, damaged, unread, foreign;
};

static const struct field report_fields[] = {
	FIELD(copying, copied, "copied", FIELD_INT),	   FIELD(copying, bytes, "bytes", FIELD_INT),
	FIELD(copying, present, "present", FIELD_INT),	   FIELD(copying, replaced, "replaced", FIELD_INT),
	FIELD(copying, vanished, "vanished", FIELD_INT),   FIELD(copying, damaged, "damaged", FIELD_INT),
	FIELD(copying, unread, "unread", FIELD_INT),	   FIELD(copying, foreign, "foreign", FIELD_INT),
	{ 0 },
};

static void copying_done(struct copying *c)
{
	blob_close(c->from);
	blob_close(c->to);
	map_done(&c->there);
	buffer_done(&c->wanted);
	arena_clear(&c->arena);
}

static bool is_scratch(const char *key)
{
	return !strncmp(key, "scratch/", 8);
}

static int note_there(void *context, const struct blob_object *object, struct err *e)
{
	struct copying *c = context;
	struct listed *l;

	(void)e;
	if (is_scratch(object->key))
		return 1;
	l = arena_alloc(&c->arena, sizeof(*l));
	*l = (struct listed){ arena_strdup(&c->arena, object->key), object->bytes };
	*map_put(&c->there, span_of(l->key)) = l;
	return 1;
}

static int note_wanted(void *context, const struct blob_object *object, struct err *e)
{
	struct copying *c = context;
	const struct listed *there;
	struct listed l = { NULL, object->bytes };

	(void)e;
	if (is_scratch(object->key))
		return 1;
	if (!blob_key_valid(object->key)) {
		c->foreign++;
		return 1;
	}
	there = map_get(&c->there, span_of(object->key));
	if (there && there->bytes == l.bytes && !c->compare) {
		c->present++;
		return 1;
	}
	l.key = there ? there->key : arena_strdup(&c->arena, object->key);
	buffer_append(&c->wanted, &l, sizeof(l));
	return 1;
}

static bool is_digest(struct span text, const char *hex)
{
	unsigned char digest[SHA256_BYTES];
	char ours[DIGEST_HEX + 1];

	sha256(text, digest);
	hex_encode(digest, sizeof(digest), ours);
	return !strncmp(ours, hex, DIGEST_HEX);
}

/* The last part of a name begins with the SHA-256 of the text, which may be compressed; a name without one says nothing. */
static bool fits_its_name(const char *key, struct span data)
{
	_cleanup_(buffer_done) struct buffer plain = BUFFER_INIT;
	const char *slash = strrchr(key, '/'), *hex = slash ? slash + 1 : key;
	struct err ignored = { 0 };
	size_t n = strspn(hex, "0123456789abcdef");

	if (n != DIGEST_HEX || (hex[n] && hex[n] != '.'))
		return true;
	if (is_digest(data, hex))
		return true;
	return gunzip(data, SIZE_MAX, &plain, &ignored) == 1 && is_digest(buffer_span(&plain), hex);
}

static void tell(const struct listed *l, const char *what)
{
	fprintf(stderr, "pulumi-admin: %s: %s\n", l->key, what);
}

/* 1 read, 0 it is passed over, -1 the store does not answer any more. */
static int read_source(struct copying *c, const struct listed *l, struct buffer *ret_data, struct err *e)
{
	struct err why = { 0 };
	int rc = blob_get(c->from, l->key, ret_data, &why);

	if (rc < 0) {
		c->unread++;
		tell(l, why.detail[0] ? why.detail : why.message);
		if (++c->failures < FAILURES)
			return 0;
		return err_unavailable(e, "%d objects one after the other could not be read; run it again when the store answers", FAILURES);
	}
	c->failures = 0;
	if (rc == 0) {
		c->vanished++;
		return 0;
	}
	buffer_puts(ret_data, "");
	if (fits_its_name(l->key, buffer_span(ret_data)))
		return 1;
	c->damaged++;
	tell(l, "is damaged: it is not what its name says (SHA-256); it is not copied");
	return 0;
}

/* Whether the store that is copied to gives back just these bytes. */
static int has_copy(struct copying *c, const char *key, struct span data, struct err *e)
{
	_cleanup_(buffer_done) struct buffer back = BUFFER_INIT;
	int rc = blob_get(c->to, key, &back, e);

	return rc == 1 ? span_equal(buffer_span(&back), data) : rc;
}

static int write_copy(struct copying *c, const struct listed *l, struct span data, struct err *e)
{
	int rc;

	if (c->admin->dry_run)
		return 1;
	fault_point("copy.put");
	if (blob_put(c->to, l->key, data, e) < 0)
		return -1;
	fault_point("copy.read_back");
	rc = has_copy(c, l->key, data, e);
	return rc ? rc : err_internal(e, "%s: what was written did not come back as it was", l->key);
}

/* One of the same size is there already: 1 when it is the same, 0 when it is written again. */
static int is_present(struct copying *c, const struct listed *l, struct span data)
{
	const struct listed *there = map_get(&c->there, span_of(l->key));
	struct err ignored = { 0 };

	/* One that cannot be read there, damaged perhaps, is written again. */
	return c->compare && there && there->bytes == l->bytes && has_copy(c, l->key, data, &ignored) == 1;
}

static int copy_object(struct copying *c, const struct listed *l, struct err *e)
{
	_cleanup_(buffer_done) struct buffer data = BUFFER_INIT;
	bool there = map_get(&c->there, span_of(l->key)) != NULL;
	int rc = read_source(c, l, &data, e);

	if (rc <= 0)
		return rc;
	if (is_present(c, l, buffer_span(&data))) {
		c->present++;
		return 1;
	}
	if (write_copy(c, l, buffer_span(&data), e) < 0)
		return -1;
	c->copied += !there;
	c->replaced += there;
	c->bytes += (int64_t)data.length;
	return 1;
}

static int copy_wanted(struct copying *c, struct err *e)
{
	const struct listed *list = (const struct listed *)c->wanted.data;
	size_t count = c->wanted.length / sizeof(*list);

	progress_begin(c->admin, &c->progress, c->compare ? "objects compared or copied" : "objects copied", (int64_t)count);
	for (size_t i = 0; i < count; i++) {
		if (copy_object(c, &list[i], e) < 0)
			return -1;
		progress_add(c->admin, &c->progress, 1);
	}
	return 1;
}

static int open_both(struct copying *c, const char *from, const char *to, struct err *e)
{
	int rc;

	if (blob_open("--from", from, true, &c->from, e) < 0 || blob_open("--to", to, true, &c->to, e) < 0)
		return -1;
	/* A dry run writes nothing, not even this. */
	rc = !strcmp(from, to) ? 1 : c->admin->dry_run ? 0 : blob_same(c->to, c->from, e);
	return rc == 1 ? err_set(e, ERR_BAD_REQUEST, "--from and --to are the same place") : rc < 0 ? -1 : 1;
}

static void report(const struct copying *c)
{
	const struct admin *a = c->admin;

	if (a->json)
		return admin_show(a, report_fields, c);
	admin_say(a, "copied %lld objects of %lld bytes; %lld were there", (long long)(c->copied + c->replaced), (long long)c->bytes,
		  (long long)c->present);
	if (c->replaced)
		admin_say(a, "%lld of them were there with other bytes", (long long)c->replaced);
	if (c->vanished)
		admin_say(a, "%lld were deleted meanwhile", (long long)c->vanished);
	if (c->foreign)
		admin_say(a, "%lld have names that no object has, and stay", (long long)c->foreign);
	if (c->damaged || c->unread)
		admin_say(a, "%lld are damaged, %lld could not be read: see above", (long long)c->damaged, (long long)c->unread);
}

int admin_objects_copy(struct admin *a, struct err *e)
{
	_cleanup_(copying_done) struct copying c = { .admin = a, .compare = admin_option(a, "--compare") };

	if (open_both(&c, admin_option(a, "--from"), admin_option(a, "--to"), e) < 0 || blob_list(c.to, "", note_there, &c, e) < 0 ||
	    blob_list(c.from, "", note_wanted, &c, e) < 0 || copy_wanted(&c, e) < 0)
		return -1;
	report(&c);
	return !c.damaged && !c.unread;
}
