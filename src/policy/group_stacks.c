/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks join and leave a policy group: the default group remembers who left it, the others who is in. */
#include "base/limits.h"
#include "json/fields.h"
#include "policy/group_internal.h"
#include "policy/group_sql.h"

_Static_assert(STACKS_AT_ONCE == DB_PLACES, "what waits is one list of a statement");

struct stack_reference {
	const char *name, *project;
};

static const struct field stack_fields[] = {
	FIELD(stack_reference, name, "name", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = LIMIT_NAME * 4),
	FIELD(stack_reference, project, "routingProject", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = LIMIT_NAME * 4),
	{ 0 },
};

static void put_places(const struct change *ch, const char *const *ids, struct db_value *values)
{
	for (size_t i = 0; i < DB_PLACES; i++)
		values[i] = db_text(i < ch->count ? ids[i] : NULL);
}

static int put(struct change *ch, const char *const *ids, bool member, struct err *e)
{
	struct db_value values[3 + DB_PLACES] = { db_text(ch->group.id), db_int(member), db_text(ch->caller->organization_id) };

	put_places(ch, ids, values + 3);
	return db_exec(ch->db, &GROUP_STACKS_PUT, values, 3 + DB_PLACES, NULL, e);
}

static int take_out(struct change *ch, const char *const *ids, bool member, struct err *e)
{
	struct db_value values[3 + DB_PLACES] = { db_text(ch->caller->organization_id), db_text(ch->group.id), db_int(member) };

	put_places(ch, ids, values + 3);
	return db_exec(ch->db, &GROUP_STACKS_REMOVE, values, 3 + DB_PLACES, NULL, e);
}

/* 404 for the first that is not in the group. */
static int check_members(struct change *ch, const char *const *ids, struct err *e)
{
	struct db_value values[2 + DB_PLACES] = { db_text(ch->caller->organization_id), db_text(ch->group.id) };
	struct group_row *rows;
	size_t count;

	put_places(ch, ids, values + 2);
	if (db_all(ch->db, &GROUP_STACKS_AMONG, values, 2 + DB_PLACES, group_stack_id_columns, sizeof(*rows), ch->arena, (void **)&rows,
		   &count, e) < 0)
		return -1;
	for (size_t i = 0; i < ch->count; i++) {
		size_t at = 0;

		while (at < count && strcmp(rows[at].id, ids[i]))
			at++;
		if (at == count)
			return err_set(e, ERR_NOT_FOUND, "Not Found: stack '%s/%s' is not in the policy group '%s'", ch->stacks[i].project,
				       ch->stacks[i].name, ch->group.name);
	}
	return 1;
}

/* The stacks are locked, so that none leaves the organization meanwhile. Who is in already may be added again. */
int change_settle_stacks(struct change *ch, struct err *e)
{
	const char *ids[STACKS_AT_ONCE];
	int rc;

	if (!ch->count)
		return 1;
	if (stack_lock_all(ch->db, ch->caller, ch->stacks, ch->count, ch->arena, ids, e) < 0)
		return -1;
	if (ch->group.is_default)
		rc = ch->adding ? take_out(ch, ids, false, e) : put(ch, ids, false, e);
	else if (ch->adding)
		rc = put(ch, ids, true, e);
	else
		rc = check_members(ch, ids, e) < 0 ? -1 : take_out(ch, ids, true, e);
	ch->count = 0;
	return rc;
}

static bool waits(const struct change *ch, const struct stack_reference *r)
{
	for (size_t i = 0; i < ch->count; i++)
		if (!strcmp(ch->stacks[i].project, r->project) && !strcmp(ch->stacks[i].name, r->name))
			return true;
	return false;
}

static int change_stack(struct change *ch, struct span json, bool adding, struct err *e)
{
	struct stack_reference r = { 0 };

	if (strcmp(ch->group.entity_type, "stacks"))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: Policy group '%s' is for accounts, not for stacks", ch->group.name);
	if (fields_read(stack_fields, json, ch->arena, &r, e) < 0)
		return -1;
	if ((ch->adding != adding || ch->count == STACKS_AT_ONCE || waits(ch, &r)) && change_settle_stacks(ch, e) < 0)
		return -1;
	ch->adding = adding;
	ch->stacks[ch->count++] = (struct stack_path){ ch->caller->organization_login, r.project, r.name };
	return 1;
}

int change_add_stack(struct change *ch, struct span json, struct err *e)
{
	return change_stack(ch, json, true, e);
}

int change_remove_stack(struct change *ch, struct span json, struct err *e)
{
	return change_stack(ch, json, false, e);
}

int change_clear_stacks(struct change *ch, struct err *e)
{
	if (change_settle_stacks(ch, e) < 0 ||
	    db_exec(ch->db, &GROUP_STACKS_CLEAR, DB_VALUES(db_text(ch->caller->organization_id), db_text(ch->group.id)), NULL, e) < 0)
		return -1;
	if (!ch->group.is_default)
		return 1;
	return db_exec(ch->db, &GROUP_STACKS_LEAVE, DB_VALUES(db_text(ch->group.id), db_text(ch->caller->organization_id)), NULL, e);
}
