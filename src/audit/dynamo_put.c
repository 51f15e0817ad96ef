/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/dynamo_put.h"

#include "audit/dynamo_item.h"
#include "json/scan.h"
#include "json/write.h"

void dynamo_put_body(const char *table, const struct audit_entry *list, size_t count, const bool *done, struct buffer *out)
{
	json_put_open(out, "RequestItems");
	json_put_open(out, table);
	buffer_putc(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (done[i])
			continue;
		json_write_separator(out);
		json_put_open(out, "PutRequest");
		json_put_open(out, "Item");
		dynamo_item_write(&list[i], out);
		buffer_puts(out, "}}");
	}
	buffer_puts(out, "]}}");
}

static int no_answer(struct span answer, struct err *e)
{
	return err_unavailable(e, "dynamodb BatchWriteItem: the answer cannot be read: %.*s", answer.length < 200 ? (int)answer.length : 200,
			       answer.data);
}

/* Whether a record is among the requests that came back. */
static bool came_back(struct span requests, const char *id, struct arena *arena)
{
	char key[DYNAMO_KEY];
	struct span each;
	struct scan s;

	dynamo_key(id, key);
	for (scan_open(&s, requests); scan_element(&s, &each);) {
		struct span put, item;
		const char *found = scan_find(each, "PutRequest", &put) && scan_find(put, "Item", &item) ?
					    dynamo_text(item, "timestamp_id", arena) :
					    NULL;

		if (found && !strcmp(found, key))
			return true;
	}
	return false;
}

int dynamo_put_answer(struct span answer, const char *table, const struct audit_entry *list, size_t count, bool *done,
		      struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct span object, back, requests = { 0 };
	struct err ignored = { 0 };
	int rc = 1;

	if (scan_document(answer, &object, &ignored) < 0 || !scan_find(object, "UnprocessedItems", &back) || back.data[0] != '{')
		return no_answer(answer, e);
	if (scan_find(back, table, &requests) && requests.data[0] != '[')
		return no_answer(answer, e);
	for (size_t i = 0; i < count; i++) {
		if (!done[i])
			done[i] = !requests.data || !came_back(requests, list[i].id, &arena);
		rc = done[i] ? rc : 0;
	}
	return rc;
}
