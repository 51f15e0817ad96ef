/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log in DynamoDB. Records that are not there yet, or have just arrived, are still rows of the database: a reader
 * takes those first and then asks the table, so that a record that moves meanwhile is in one of the two, and shows each id
 * once. The index is behind the table by moments; rows stay longer than that.
 */
#include <ctype.h>
#include <stdlib.h>

#include "audit/dynamo_item.h"
#include "audit/dynamo_put.h"
#include "audit/dynamo_table.h"
#include "audit/names.h"
#include "audit/provider.h"
#include "json/scan.h"
#include "json/write.h"
#include "net/aws_json.h"

#define ATTEMPTS 5

struct dynamo_store {
	struct audit_store store;
	struct aws_json *aws;
	char *setting, *table;	/* table: the same as store.table */
	bool checked;		/* the table has the right shape */
};

static const struct aws_json_service service = { "dynamodb", "DynamoDB_20120810", "application/x-amz-json-1.0",
						 "AWS_ENDPOINT_URL_DYNAMODB", 8, 20 };

static struct dynamo_store *dynamo_of(struct audit_store *store)
{
	return (struct dynamo_store *)store;
}

static int ask(struct dynamo_store *d, const char *operation, struct buffer *body, int attempts, struct web_answer *answer,
	       struct err *e)
{
	int64_t began_ns = observe_begin(&d->store.observer);
	int rc = aws_json_call(d->aws, operation, buffer_span(body), attempts, answer, e);

	observe_end(&d->store.observer, operation, began_ns, rc != 1);
	return rc;
}

static int refused(const struct dynamo_store *d, const char *operation, const struct web_answer *answer, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;

	return err_unavailable(e, "%s: dynamodb %s with the table %s: %s", d->setting, operation, d->table, aws_json_said(answer, &arena));
}

static int expect(struct dynamo_store *d, const char *operation, struct buffer *body, struct web_answer *answer, struct err *e)
{
	int rc = ask(d, operation, body, ATTEMPTS, answer, e);

	return rc == 0 ? refused(d, operation, answer, e) : rc;
}

/* 1 as it must be; 0 it cannot be asked now, with *e saying why; -1 wrong, or refused. */
static int look_at_table(struct dynamo_store *d, int attempts, struct err *e)
{
	_cleanup_(buffer_done) struct buffer body = BUFFER_INIT;
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	int rc;

	json_put_open(&body, "TableName");
	json_write_text(&body, d->table);
	buffer_putc(&body, '}');
	rc = ask(d, "DescribeTable", &body, attempts, &answer, e);
	if (rc < 0)
		return 0;
	if (rc == 0)
		return err_internal(e, "%s: dynamodb DescribeTable with the table %s: %s", d->setting, d->table, aws_json_said(&answer, &arena));
	d->checked = dynamo_table_check(buffer_span(&answer.body), d->setting, d->table, e) == 1;
	return d->checked ? 1 : -1;
}

/* What could not be looked at when the process started is looked at now. */
static int ready(struct dynamo_store *d, struct err *e)
{
	return d->checked || look_at_table(d, ATTEMPTS, e) == 1 ? 1 : -1;
}

static int dynamo_try(struct audit_store *store, struct err *e)
{
	return look_at_table(dynamo_of(store), 1, e) == 1 ? 1 : -1;
}

/* --- open, close --- */

static void dynamo_close(struct audit_store *store)
{
	struct dynamo_store *d = dynamo_of(store);

	aws_json_close(d->aws);
	free(d->setting);
	free(d->table);
	free(d);
}

static bool is_table_name(const char *name)
{
	size_t n = 0;

	while (isalnum((unsigned char)name[n]) || (name[n] && strchr("_.-", name[n])))
		n++;
	return !name[n] && n >= 3 && n <= 255;
}

static int dynamo_open(const char *name, const char *table, struct audit_store **ret_store, struct err *e)
{
	struct dynamo_store *d;
	struct aws_json *aws;
	struct err why = { 0 };

	if (!is_table_name(table))
		return err_internal(e, "%s: '%s' must be the name of a DynamoDB table: 3 to 255 of A-Z a-z 0-9 _ . -", name, table);
	if (aws_json_open(&service, name, NULL, &aws, e) < 0)
		return -1;
	if (aws_json_check_credentials(aws, name, e) < 0) {
		aws_json_close(aws);
		return -1;
	}
	d = xcalloc(1, sizeof(*d));
	d->aws = aws;
	d->setting = xstrdup(name);
	d->store.table = d->table = xstrdup(table);
	if (look_at_table(d, 1, &why) < 0) {
		dynamo_close(&d->store);
		*e = why;
		return -1;
	}
	*ret_store = &d->store;
	return 1;
}

/* --- read --- */

struct query {
	struct dynamo_store *dynamo;
	const struct audit_filter *filter;
	const struct audit_bounds *bounds;
	int64_t limit;
	struct arena *arena;
	struct buffer found;	/* struct audit_entry */
};

static int64_t found_count(const struct query *q)
{
	return (int64_t)(q->found.length / sizeof(struct audit_entry));
}

static void put_values(const struct query *q, struct buffer *out)
{
	const struct audit_filter *f = q->filter;
	char from[DYNAMO_KEY], until[DYNAMO_KEY];

	dynamo_range(q->bounds->from, q->bounds->until, from, until);
	json_write_name(out, "ExpressionAttributeValues");
	buffer_putc(out, '{');
	dynamo_put_text(out, ":hash",
			f->user_id ? arena_printf(q->arena, "%s_%s", f->organization_id, f->user_id) : f->organization_id);
	dynamo_put_text(out, ":from", from);
	dynamo_put_text(out, ":until", until);
	if (f->event)
		dynamo_put_text(out, ":event", f->event);
	buffer_putc(out, '}');
}

/* `start`: LastEvaluatedKey of the page before; data NULL on the first. The table answers with all that was put, the index cannot. */
static void query_body(const struct query *q, struct span start, struct buffer *out)
{
	const struct audit_filter *f = q->filter;

	json_put_open(out, "TableName");
	json_write_text(out, q->dynamo->table);
	if (f->user_id)
		json_put_text(out, "IndexName", DYNAMO_INDEX);
	else
		json_put_bool(out, "ConsistentRead", true);
	json_put_bool(out, "ScanIndexForward", false);
	if (!f->event)
		json_put_int(out, "Limit", q->limit - found_count(q) + 1);
	json_put_text(out, "KeyConditionExpression", "#hash = :hash AND #range BETWEEN :from AND :until");
	json_write_name(out, "ExpressionAttributeNames");
	buffer_printf(out, "{\"#hash\":\"%s\",\"#range\":\"timestamp_id\"%s}", f->user_id ? "org_user_id" : "org_id",
		      f->event ? ",\"#event\":\"event\"" : "");
	if (f->event)
		json_put_text(out, "FilterExpression", "#event = :event");
	put_values(q, out);
	if (start.data)
		json_put_raw(out, "ExclusiveStartKey", start);
	buffer_putc(out, '}');
}

/* What another program put into the table is none of ours. */
static void take_item(struct query *q, struct span item)
{
	struct audit_entry a;

	if (found_count(q) < q->limit && dynamo_item_read(item, q->arena, &a) == 1 && strcmp(a.id, q->bounds->from) >= 0 &&
	    strcmp(a.id, q->bounds->until) < 0)
		buffer_append(&q->found, &a, sizeof(a));
}

/* Calls of Query and Scan answer alike: 1 with the items, and the key of the next page, or data NULL. */
static int read_page(const struct dynamo_store *d, const char *operation, const struct web_answer *answer, struct span *ret_items,
		     struct span *ret_next, struct err *e)
{
	struct err ignored = { 0 };
	struct span object;

	*ret_next = (struct span){ 0 };
	if (scan_document(buffer_span(&answer->body), &object, &ignored) < 0 || !scan_find(object, "Items", ret_items) ||
	    ret_items->data[0] != '[')
		return refused(d, operation, answer, e);
	(void)!scan_find(object, "LastEvaluatedKey", ret_next);
	return 1;
}

/* One page: 1 when another may follow, whose key is then in the arena. */
static int query_page(struct query *q, struct span *start, struct err *e)
{
	_cleanup_(buffer_done) struct buffer body = BUFFER_INIT;
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct span items, next, each;
	struct scan s;

	query_body(q, *start, &body);
	if (expect(q->dynamo, "Query", &body, &answer, e) < 0 || read_page(q->dynamo, "Query", &answer, &items, &next, e) < 0)
		return -1;
	for (scan_open(&s, items); scan_element(&s, &each);)
		take_item(q, each);
	if (!next.data || found_count(q) >= q->limit)
		return 0;
	*start = (struct span){ arena_strndup(q->arena, next.data, next.length), next.length };
	return 1;
}

static int query_all(struct query *q, struct err *e)
{
	char from[DYNAMO_KEY], until[DYNAMO_KEY];
	struct span start = { 0 };
	int rc;

	/* The service refuses a range that ends before it begins. */
	dynamo_range(q->bounds->from, q->bounds->until, from, until);
	if (strcmp(from, until) > 0)
		return 1;
	do
		rc = query_page(q, &start, e);
	while (rc == 1);
	return rc < 0 ? -1 : 1;
}

/* Both are in order, newest first; what is in both is shown as the database has it. */
static void merge(const struct audit_entry *rows, size_t row_count, const struct audit_entry *items, size_t item_count,
		  size_t limit, struct arena *arena, struct audit_entry **ret_list, size_t *ret_count)
{
	struct audit_entry *list = arena_alloc(arena, (row_count + item_count) * sizeof(*list));
	size_t r = 0, i = 0, n = 0;

	while (n < limit && (r < row_count || i < item_count)) {
		int order = r == row_count ? -1 : i == item_count ? 1 : strcmp(rows[r].id, items[i].id);

		list[n++] = order >= 0 ? rows[r] : items[i];
		r += order >= 0;
		i += order <= 0;
	}
	*ret_list = list;
	*ret_count = n;
}

static int dynamo_list(struct audit_store *store, struct db *db, const struct audit_filter *f, const struct audit_bounds *b,
		       int64_t limit, struct arena *arena, struct audit_entry **ret_list, size_t *ret_count, struct err *e)
{
	struct query q = { .dynamo = dynamo_of(store), .filter = f, .bounds = b, .limit = limit, .arena = arena };
	struct audit_entry *rows;
	size_t row_count;
	int rc = -1;

	if (audit_mysql.list(NULL, db, f, b, limit, arena, &rows, &row_count, e) < 0 || ready(q.dynamo, e) < 0)
		return -1;
	if (query_all(&q, e) == 1 && audit_names(db, (struct audit_entry *)q.found.data, (size_t)found_count(&q), arena, e) == 1)
		rc = 1;
	if (rc == 1)
		merge(rows, row_count, (struct audit_entry *)q.found.data, (size_t)found_count(&q), (size_t)limit, arena, ret_list, ret_count);
	buffer_done(&q.found);
	return rc;
}

/* --- write --- */

static int put_some(struct dynamo_store *d, const struct audit_entry *list, size_t count, bool *done, struct err *e)
{
	_cleanup_(buffer_done) struct buffer body = BUFFER_INIT;
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };

	dynamo_put_body(d->table, list, count, done, &body);
	if (expect(d, "BatchWriteItem", &body, &answer, e) < 0)
		return -1;
	return dynamo_put_answer(buffer_span(&answer.body), d->table, list, count, done, e);
}

/* What came back unprocessed is asked for again, after a pause. */
static int dynamo_put(struct audit_store *store, const struct audit_entry *list, size_t count, bool *ret_put, struct err *e)
{
	struct dynamo_store *d = dynamo_of(store);
	int rc;

	for (size_t i = 0; i < count; i++)
		ret_put[i] = false;
	if (ready(d, e) < 0)
		return -1;
	for (int attempt = 0; (rc = put_some(d, list, count, ret_put, e)) == 0 && attempt < ATTEMPTS - 1; attempt++)
		web_pause(attempt);
	return rc;
}

/* --- everything --- */

static int scan_item(struct span item, audit_scan_function *each, void *context, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *hash = dynamo_text(item, "org_id", &arena), *range = dynamo_text(item, "timestamp_id", &arena);
	const char *key = arena_printf(&arena, "%s %s", hash ? hash : "?", range ? range : "?");
	struct audit_entry a;

	return each(context, key, dynamo_item_read(item, &arena, &a) == 1 ? &a : NULL, e);
}

static int scan_page(struct dynamo_store *d, struct buffer *start, audit_scan_function *each, void *context, struct err *e)
{
	_cleanup_(buffer_done) struct buffer body = BUFFER_INIT;
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct span items, next, item;
	struct scan s;

	json_put_open(&body, "TableName");
	json_write_text(&body, d->table);
	json_put_bool(&body, "ConsistentRead", true);
	if (start->length)
		json_put_raw(&body, "ExclusiveStartKey", buffer_span(start));
	buffer_putc(&body, '}');
	if (expect(d, "Scan", &body, &answer, e) < 0 || read_page(d, "Scan", &answer, &items, &next, e) < 0)
		return -1;
	for (scan_open(&s, items); scan_element(&s, &item);)
		if (scan_item(item, each, context, e) < 0)
			return -1;
	buffer_clear(start);
	buffer_append(start, next.data, next.length);
	return next.data != NULL;
}

static int dynamo_scan(struct audit_store *store, audit_scan_function *each, void *context, struct err *e)
{
	_cleanup_(buffer_done) struct buffer start = BUFFER_INIT;
	struct dynamo_store *d = dynamo_of(store);
	int rc = ready(d, e);

	while (rc == 1)
		rc = scan_page(d, &start, each, context, e);
	return rc < 0 ? -1 : 1;
}

const struct audit_provider audit_dynamo = {
	.kind = "dynamodb",
	.open = dynamo_open,
	.close = dynamo_close,
	.try = dynamo_try,
	.list = dynamo_list,
	.put = dynamo_put,
	.scan = dynamo_scan,
};
