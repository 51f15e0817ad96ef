/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/dynamo_table.h"

#include "json/scan.h"

struct checking {
	const char *setting;
	const char *place;	/* "the table audit", "the index org_user of the table audit" */
	struct span table;
	struct arena *arena;
};

static const char *text_of(struct span object, const char *name, struct arena *arena)
{
	struct span value, text;

	if (!scan_find(object, name, &value) || !scan_text(value, arena, &text))
		return NULL;
	return arena_strndup(arena, text.data, text.length);
}

/* The element of a list whose member has the value. */
static bool find_element(struct span object, const char *list, const char *member, const char *value, struct arena *arena,
			 struct span *ret_element)
{
	struct span elements, each;
	struct scan s;

	if (!scan_find(object, list, &elements) || elements.data[0] != '[')
		return false;
	for (scan_open(&s, elements); scan_element(&s, &each);) {
		const char *found = text_of(each, member, arena);

		if (found && !strcmp(found, value)) {
			*ret_element = each;
			return true;
		}
	}
	return false;
}

static int differs(const struct checking *c, const char *what, const char *found, const char *wanted, struct err *e)
{
	if (!found)
		return err_internal(e, "%s: %s has no %s, it must be %s", c->setting, c->place, what, wanted);
	return err_internal(e, "%s: the %s of %s is %s, it must be %s", c->setting, what, c->place, found, wanted);
}

static int check_key(const struct checking *c, struct span place, const char *kind, const char *what, const char *wanted,
		     struct err *e)
{
	struct span key, attribute;
	const char *name = find_element(place, "KeySchema", "KeyType", kind, c->arena, &key) ? text_of(key, "AttributeName", c->arena) :
											      NULL;
	const char *type;

	if (!name || strcmp(name, wanted))
		return differs(c, what, name, wanted, e);
	type = find_element(c->table, "AttributeDefinitions", "AttributeName", wanted, c->arena, &attribute) ?
		       text_of(attribute, "AttributeType", c->arena) :
		       NULL;
	if (!type || strcmp(type, "S"))
		return differs(c, arena_printf(c->arena, "type of the key %s", wanted), type, "S", e);
	return 1;
}

/* While its capacity changes it is UPDATING, and works. */
static int check_status(const struct checking *c, struct span place, const char *member, struct err *e)
{
	const char *status = text_of(place, member, c->arena);

	if (!status || (strcmp(status, "ACTIVE") && strcmp(status, "UPDATING")))
		return differs(c, "status", status, "ACTIVE", e);
	return 1;
}

static int check_index(struct checking *c, struct err *e)
{
	struct span index, projection;
	const char *type = NULL;

	if (!find_element(c->table, "GlobalSecondaryIndexes", "IndexName", DYNAMO_INDEX, c->arena, &index))
		return differs(c, "global secondary index", NULL, DYNAMO_INDEX, e);
	c->place = arena_printf(c->arena, "the index " DYNAMO_INDEX " of %s", c->place);
	if (check_key(c, index, "HASH", "hash key", "org_user_id", e) < 0 || check_key(c, index, "RANGE", "range key", "timestamp_id", e) < 0)
		return -1;
	if (scan_find(index, "Projection", &projection))
		type = text_of(projection, "ProjectionType", c->arena);
	if (!type || strcmp(type, "ALL"))
		return differs(c, "projection", type, "ALL", e);
	return check_status(c, index, "IndexStatus", e);
}

int dynamo_table_check(struct span answer, const char *setting, const char *table, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct checking c = { setting, arena_printf(&arena, "the table %s", table), { 0 }, &arena };
	struct err ignored = { 0 };
	struct span object;

	if (scan_document(answer, &object, &ignored) < 0 || !scan_find(object, "Table", &c.table))
		return err_internal(e, "%s: what AWS_ENDPOINT_URL_DYNAMODB names does not answer like DynamoDB: %.*s", setting,
				    answer.length < 200 ? (int)answer.length : 200, answer.data);
	if (check_key(&c, c.table, "HASH", "hash key", "org_id", e) < 0 ||
	    check_key(&c, c.table, "RANGE", "range key", "timestamp_id", e) < 0 || check_status(&c, c.table, "TableStatus", e) < 0)
		return -1;
	return check_index(&c, e);
}
