/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/policy_text.h"

#include <stdlib.h>

#include "base/fault.h"
#include "base/limits.h"
#include "object/object.h"

struct remembered {
	unsigned char digest[SHA256_BYTES];
	char *text;		/* NULL: an empty place */
	size_t length;
	uint64_t used;		/* grows */
};

struct policy_texts {
	struct remembered places[LIMIT_POLICY_TEXTS];
	size_t bytes;
	uint64_t used;
};

struct policy_texts *policy_texts_new(void)
{
	return xcalloc(1, sizeof(struct policy_texts));
}

static void forget(struct policy_texts *t, struct remembered *r)
{
	free(r->text);
	t->bytes -= r->length;
	*r = (struct remembered){ 0 };
}

void policy_texts_free(struct policy_texts *t)
{
	for (size_t i = 0; t && i < LIMIT_POLICY_TEXTS; i++)
		forget(t, &t->places[i]);
	free(t);
}

static struct remembered *recall(struct policy_texts *t, struct span digest)
{
	for (size_t i = 0; t && i < LIMIT_POLICY_TEXTS; i++) {
		struct remembered *r = &t->places[i];

		if (!r->text || !span_equal(digest, (struct span){ (const char *)r->digest, SHA256_BYTES }))
			continue;
		r->used = ++t->used;
		return r;
	}
	return NULL;
}

/* An empty place is older than any. */
static struct remembered *oldest(struct policy_texts *t, bool filled)
{
	struct remembered *found = NULL;

	for (size_t i = 0; i < LIMIT_POLICY_TEXTS; i++) {
		struct remembered *r = &t->places[i];

		if ((r->text || !filled) && (!found || r->used < found->used))
			found = r;
	}
	return found;
}

static void remember(struct policy_texts *t, struct span digest, struct span text)
{
	struct remembered *r;

	if (!t || text.length > LIMIT_POLICY_TEXT_BYTES)
		return;
	while (t->bytes + text.length > LIMIT_POLICY_TEXT_BYTES)
		forget(t, oldest(t, true));
	r = oldest(t, false);
	forget(t, r);
	*r = (struct remembered){ .text = xmalloc(text.length + 1), .length = text.length, .used = ++t->used };
	memcpy(r->digest, digest.data, SHA256_BYTES);
	memcpy(r->text, text.data, text.length);
	t->bytes += text.length;
}

int policy_text_keep(struct app *app, const char *organization_id, struct span text, int64_t now_us, struct policy_kept *ret_kept,
		     struct err *e)
{
	struct policy_kept kept = { .row = text };

	if (row_object_store(app, ROW_OBJECT_POLICY)) {
		kept.row = SPAN("[]");
		kept.in_object = true;
		uuid_new(now_us, kept.object_id);
		sha256(text, kept.digest);
		if (row_object_put(app, ROW_OBJECT_POLICY, organization_id, kept.object_id, kept.digest, text, e) < 0)
			return -1;
		fault_point("policy.kept");
	}
	*ret_kept = kept;
	return 1;
}

int policy_text_load(struct app *app, const char *organization_id, struct policy *policy, struct arena *arena, struct err *e)
{
	_cleanup_(buffer_done) struct buffer read = BUFFER_INIT;
	const struct remembered *r;
	struct span text;

	if (!policy->object_id)
		return 1;
	r = recall(app->policy_texts, policy->sha256);
	if (!r) {
		if (row_object_load_text(app, ROW_OBJECT_POLICY, organization_id, policy->object_id, policy->sha256, &read, e) < 0)
			return -1;
		remember(app->policy_texts, policy->sha256, buffer_span(&read));
	}
	text = r ? (struct span){ r->text, r->length } : buffer_span(&read);
	policy->definitions = (struct span){ arena_strndup(arena, text.data, text.length), text.length };
	return 1;
}
