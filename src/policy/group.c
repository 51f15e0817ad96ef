/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/group.h"

#include "base/limits.h"
#include "policy/check.h"
#include "policy/group_sql.h"

static int not_found(const char *name, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "Not Found: Policy group '%.100s' not found", name);
}

static int insert(struct db *db, const struct caller *c, const struct group_wish *w, bool is_default, int64_t now_us, struct err *e)
{
	char id[UUID_TEXT];

	uuid_new(now_us, id);
	return db_exec(db, &GROUP_CREATE,
		       DB_VALUES(db_text(id), db_text(c->organization_id), db_text(w->name), db_int(is_default), db_text(w->entity_type),
				 db_text(w->mode), db_text(w->agent_pool_id), db_time(now_us)), NULL, e);
}

/* Somebody else may make it at the same moment, which is as good. */
static int make_default(struct db *db, const struct caller *c, int64_t now_us, struct err *e)
{
	return insert(db, c, &(struct group_wish){ DEFAULT_GROUP, "stacks", "preventative", NULL }, true, now_us, e) < 0 ? -1 : 1;
}

int group_find(struct db *db, const struct caller *c, const char *name, int64_t now_us, struct arena *arena, struct policy_group *ret_group,
	       struct err *e)
{
	int rc = 0;

	if (!policy_name_valid(name))
		return not_found(name, e);
	for (int attempt = 0; rc == 0 && attempt < 2; attempt++) {
		rc = db_one(db, &GROUP_BY_NAME, DB_VALUES(db_text(c->organization_id), db_text(name)), group_columns, ret_group, arena, e);
		if (rc != 0 || strcmp(name, DEFAULT_GROUP))
			break;
		if (make_default(db, c, now_us, e) < 0)
			return -1;
	}
	return rc ? rc : not_found(name, e);
}

static bool has_default(const struct policy_group *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].is_default)
			return true;
	return false;
}

int group_list(struct db *db, const struct caller *c, int64_t now_us, struct arena *arena, struct policy_group **ret_list,
	       size_t *ret_count, struct err *e)
{
	for (int attempt = 0;; attempt++) {
		if (db_all(db, &GROUP_LIST, DB_VALUES(db_text(c->organization_id)), group_listed_columns, sizeof(**ret_list), arena,
			   (void **)ret_list, ret_count, e) < 0)
			return -1;
		if (attempt || has_default(*ret_list, *ret_count))
			return 1;
		if (make_default(db, c, now_us, e) < 0)
			return -1;
	}
}

int group_list_of_stack(struct db *db, const struct caller *c, const char *stack_id, int64_t now_us, struct arena *arena,
			struct policy_group **ret_list, size_t *ret_count, struct err *e)
{
	struct policy_group group;

	if (group_find(db, c, DEFAULT_GROUP, now_us, arena, &group, e) < 0)
		return -1;
	return db_all(db, &GROUP_LIST_OF_STACK, DB_VALUES(db_text(stack_id), db_text(c->organization_id)), group_listed_columns,
		      sizeof(**ret_list), arena, (void **)ret_list, ret_count, e);
}

int group_stacks(struct db *db, const struct caller *c, const struct policy_group *group, struct arena *arena,
		 struct group_stack **ret_list, size_t *ret_count, struct err *e)
{
	return db_all(db, group->is_default ? &GROUP_STACKS_OF_DEFAULT : &GROUP_STACKS,
		      DB_VALUES(db_text(c->organization_id), db_text(group->id)), group_stack_columns, sizeof(**ret_list), arena,
		      (void **)ret_list, ret_count, e);
}

int group_packs(struct db *db, const struct caller *c, const struct policy_group *group, struct arena *arena,
		struct group_pack **ret_list, size_t *ret_count, struct err *e)
{
	return db_all(db, &GROUP_PACKS, DB_VALUES(db_text(c->organization_id), db_text(group->id)), group_pack_columns, sizeof(**ret_list),
		      arena, (void **)ret_list, ret_count, e);
}

static int check_room(struct db *db, const struct caller *c, struct arena *arena, struct err *e)
{
	struct group_row row = { 0 };

	if (db_one(db, &GROUP_COUNT, DB_VALUES(db_text(c->organization_id)), group_count_columns, &row, arena, e) < 0)
		return -1;
	return row.count < LIMIT_POLICY_GROUPS ? 1 : err_set(e, ERR_BAD_REQUEST, "Bad Request: the organization has %lld policy groups, at most "
							     "%d are allowed", (long long)row.count, LIMIT_POLICY_GROUPS);
}

/* What the group is for, and the mode that is usual for that. */
static int check_words(struct group_wish *w, struct err *e)
{
	bool accounts = !strcmp(w->entity_type, "accounts");

	if (!accounts && strcmp(w->entity_type, "stacks"))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'entityType' is '%.40s', it must be stacks or accounts", w->entity_type);
	if (!w->mode || !*w->mode)
		w->mode = accounts ? "audit" : "preventative";
	if (strcmp(w->mode, "audit") && strcmp(w->mode, "preventative"))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'mode' is '%.40s', it must be audit or preventative", w->mode);
	if (w->agent_pool_id && *w->agent_pool_id && !policy_name_valid(w->agent_pool_id))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'agentPoolId' is no identifier of an agent pool");
	if (w->agent_pool_id && !*w->agent_pool_id)
		w->agent_pool_id = NULL;
	return 1;
}

int group_create(struct db *db, const struct caller *c, const struct group_wish *wish, int64_t now_us, struct arena *arena, struct err *e)
{
	struct group_wish w = *wish;
	int rc;

	if (policy_check_name("policy group", w.name, e) < 0 || check_words(&w, e) < 0 || check_room(db, c, arena, e) < 0)
		return -1;
	rc = strcmp(w.name, DEFAULT_GROUP) ? insert(db, c, &w, false, now_us, e) : 0;
	return rc ? rc : err_set(e, ERR_CONFLICT, "Conflict: Policy group '%s' already exists", w.name);
}

int group_delete(struct db *db, const struct caller *c, const char *name, int64_t now_us, struct arena *arena, struct err *e)
{
	struct policy_group group = { 0 };

	if (group_find(db, c, name, now_us, arena, &group, e) < 0)
		return -1;
	if (group.is_default)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the default policy group cannot be deleted; disable its policy packs instead");
	return db_exec(db, &GROUP_DELETE, DB_VALUES(db_text(c->organization_id), db_text(group.id)), NULL, e);
}
