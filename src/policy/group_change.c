/* SPDX-License-Identifier: Apache-2.0 */
/* What a client may change of a policy group, several things at once. */
#include "audit/audit.h"
#include "base/limits.h"
#include "json/scan.h"
#include "json/write.h"
#include "policy/check.h"
#include "policy/group_internal.h"
#include "policy/group_sql.h"

/* --- policy packs --- */

struct pack_reference {
	const char *name, *version_tag;
	int64_t version;
	struct span config;
	struct text_list environments;
};

static const struct field pack_fields[] = {
	FIELD(pack_reference, name, "name", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = LIMIT_NAME * 4),
	FIELD(pack_reference, version_tag, "versionTag", FIELD_TEXT, .limit = LIMIT_NAME * 4),
	FIELD(pack_reference, version, "version", FIELD_INT),
	FIELD(pack_reference, config, "config", FIELD_RAW_OBJECT, .limit = LIMIT_PACK_CONFIG),
	FIELD(pack_reference, environments, "environments", FIELD_TEXT_LIST, .limit = LIMIT_PACK_ENVIRONMENTS),
	{ 0 },
};

/* The tag, or the number where there is none, or the newest. */
static const char *version_of(struct change *ch, const struct pack_reference *r)
{
	if (r->version_tag && *r->version_tag)
		return r->version_tag;
	return r->version > 0 ? arena_printf(ch->arena, "%lld", (long long)r->version) : "latest";
}

/* A row of its own in the audit log: which pack, in which group. */
static int record(struct change *ch, const char *event, const char *pack, const char *version, struct err *e)
{
	struct audit_event ev = { ch->caller->organization_id, ch->caller->user_id, ch->caller->token_id, event,
				  arena_printf(ch->arena, "%s %s in %s", pack, version, ch->group.name), ch->source_ip, ch->now_us };

	return audit_record(ch->db, &ev, e);
}

static void put_environments(const struct text_list *list, struct buffer *out)
{
	buffer_putc(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		json_write_separator(out);
		json_write_text(out, list->items[i]);
	}
	buffer_putc(out, ']');
}

static int check_packs(struct change *ch, struct err *e)
{
	struct group_row row = { 0 };

	if (db_one(ch->db, &GROUP_PACK_COUNT, DB_VALUES(db_text(ch->caller->organization_id), db_text(ch->group.id)), group_count_columns, &row,
		   ch->arena, e) < 0)
		return -1;
	return row.count < LIMIT_GROUP_PACKS ? 1 : err_set(e, ERR_BAD_REQUEST, "Bad Request: Policy group '%s' has %lld policy packs, at most %d "
							   "are allowed", ch->group.name, (long long)row.count, LIMIT_GROUP_PACKS);
}

/* In the place of the version that the group may have already. */
static int replace_pack(struct change *ch, const struct pack_version *v, const struct pack_reference *r, struct err *e)
{
	_cleanup_(buffer_done) struct buffer environments = BUFFER_INIT;
	const char *organization = ch->caller->organization_id;
	int64_t added;

	if (r->environments.count)
		put_environments(&r->environments, &environments);
	if (db_exec(ch->db, &GROUP_PACK_REMOVE, DB_VALUES(db_text(organization), db_text(ch->group.id), db_text(v->pack_id)), NULL, e) < 0 ||
	    check_packs(ch, e) < 0 ||
	    db_exec(ch->db, &GROUP_PACK_ADD,
		    DB_VALUES(db_text(ch->group.id), db_bytes(r->config), db_bytes(buffer_span(&environments)), db_time(ch->now_us),
			      db_text(organization), db_text(v->id)), &added, e) < 0)
		return -1;
	/* Deleted, or enabled by somebody else, at this very moment. */
	return added == 1 ? 1 : err_set(e, ERR_RETRY, "%s", "");
}

static int add_pack(struct change *ch, struct span json, struct err *e)
{
	struct pack_reference r = { 0 };
	struct pack_version v = { 0 };

	if (fields_read(pack_fields, json, ch->arena, &r, e) < 0 ||
	    pack_find_published(ch->db, ch->caller, r.name, version_of(ch, &r), ch->arena, &v, e) < 0 ||
	    policies_check_config(v.policies, r.config, !r.environments.count, e) < 0 || replace_pack(ch, &v, &r, e) < 0)
		return -1;
	return record(ch, "enable_policy_pack", v.name, *v.version_tag ? v.version_tag : arena_printf(ch->arena, "%lld", (long long)v.version), e);
}

/* Whichever version the group has, unless one is named. */
static int remove_pack(struct change *ch, struct span json, struct err *e)
{
	struct pack_reference r = { 0 };
	struct group_pack *list;
	const char *version;
	size_t count;

	if (fields_read(pack_fields, json, ch->arena, &r, e) < 0 || group_packs(ch->db, ch->caller, &ch->group, ch->arena, &list, &count, e) < 0)
		return -1;
	version = version_of(ch, &r);
	for (size_t i = 0; i < count; i++) {
		const char *number = arena_printf(ch->arena, "%lld", (long long)list[i].version);

		if (strcmp(list[i].name, r.name) || (strcmp(version, "latest") && strcmp(version, list[i].version_tag) && strcmp(version, number)))
			continue;
		if (db_exec(ch->db, &GROUP_PACK_REMOVE,
			    DB_VALUES(db_text(ch->caller->organization_id), db_text(ch->group.id), db_text(list[i].pack_id)), NULL, e) < 0)
			return -1;
		return record(ch, "disable_policy_pack", r.name, *list[i].version_tag ? list[i].version_tag : number, e);
	}
	return err_set(e, ERR_NOT_FOUND, "Not Found: Policy pack '%.100s'%s%.100s is not enabled in the policy group '%s'", r.name,
		       strcmp(version, "latest") ? " version " : "", strcmp(version, "latest") ? version : "", ch->group.name);
}

static int clear_packs(struct change *ch, struct err *e)
{
	return db_exec(ch->db, &GROUP_PACKS_CLEAR, DB_VALUES(db_text(ch->caller->organization_id), db_text(ch->group.id)), NULL, e);
}

/* --- the rest --- */

struct account_reference {
	const char *name;
};

static const struct field account_fields[] = {
	FIELD(account_reference, name, "name", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = LIMIT_NAME * 4),
	{ 0 },
};

/* There are no insights accounts here. */
static int no_account(struct change *ch, struct span json, struct err *e)
{
	struct account_reference r = { 0 };

	if (fields_read(account_fields, json, ch->arena, &r, e) < 0)
		return -1;
	return err_set(e, ERR_NOT_FOUND, "Not Found: Insights account '%.100s' not found", r.name);
}

static int no_accounts(struct change *ch, struct err *e)
{
	(void)ch, (void)e;
	return 1;
}

static int no_listed_account(struct change *ch, struct span json, struct err *e)
{
	(void)ch;
	if (json.data[0] != '"')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'insightsAccounts' must be a list of strings");
	return err_set(e, ERR_NOT_FOUND, "Not Found: Insights account '%.*s' not found", (int)(json.length < 100 ? json.length - 2 : 98),
		       json.data + 1);
}

struct names {
	const char *new_name, *agent_pool_id;
};

static const struct field name_fields[] = {
	FIELD(names, new_name, "newName", FIELD_TEXT, .limit = LIMIT_NAME * 4),
	FIELD(names, agent_pool_id, "agentPoolId", FIELD_TEXT, .limit = LIMIT_NAME * 4),
	{ 0 },
};

static int rename_group(struct change *ch, const char *name, struct err *e)
{
	int rc;

	if (policy_check_name("policy group", name, e) < 0)
		return -1;
	if (!strcmp(name, ch->group.name))
		return 1;
	if (ch->group.is_default)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the default policy group cannot be renamed: clients know it by its name");
	rc = strcmp(name, DEFAULT_GROUP) ?
		     db_exec(ch->db, &GROUP_RENAME, DB_VALUES(db_text(name), db_text(ch->caller->organization_id), db_text(ch->group.id)), NULL, e) :
		     0;
	ch->group.name = arena_strdup(ch->arena, name);
	return rc ? rc : err_set(e, ERR_CONFLICT, "Conflict: Policy group '%s' already exists", name);
}

static int set_pool(struct change *ch, const char *id, struct err *e)
{
	if (*id && !policy_name_valid(id))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'agentPoolId' is no identifier of an agent pool");
	return db_exec(ch->db, &GROUP_SET_POOL,
		       DB_VALUES(db_text(*id ? id : NULL), db_text(ch->caller->organization_id), db_text(ch->group.id)), NULL, e);
}

/* What replaces a list comes before what is added to it or taken out of it. */
static const struct {
	const char *name;
	int (*clear)(struct change *ch, struct err *e);	/* NULL: the value is one object */
	int (*apply)(struct change *ch, struct span json, struct err *e);
} members[] = {
	{ "stacks", change_clear_stacks, change_add_stack },
	{ "policyPacks", clear_packs, add_pack },
	{ "insightsAccounts", no_accounts, no_listed_account },
	{ "removeStack", NULL, change_remove_stack },
	{ "addStack", NULL, change_add_stack },
	{ "removePolicyPack", NULL, remove_pack },
	{ "addPolicyPack", NULL, add_pack },
	{ "removeInsightsAccount", NULL, no_account },
	{ "addInsightsAccount", NULL, no_account },
};
#define MEMBERS (sizeof(members) / sizeof(members[0]))

static int replace_list(struct change *ch, size_t i, struct span list, struct err *e)
{
	struct span each;
	struct scan s;
	size_t n = 0;

	if (list.data[0] != '[')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%s' must be a list", members[i].name);
	if (members[i].clear(ch, e) < 0)
		return -1;
	for (scan_open(&s, list); scan_element(&s, &each);) {
		if (++n > LIMIT_GROUP_CHANGES)
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%s' has more than %d items; add them one by one", members[i].name,
				       LIMIT_GROUP_CHANGES);
		if (members[i].apply(ch, each, e) < 0)
			return -1;
	}
	return 1;
}

static int apply(struct change *ch, struct span json, struct err *e)
{
	struct names names = { 0 };
	struct span value;
	size_t found = 0;

	if (fields_read(name_fields, json, ch->arena, &names, e) < 0 || (names.new_name && rename_group(ch, names.new_name, e) < 0) ||
	    (names.agent_pool_id && set_pool(ch, names.agent_pool_id, e) < 0))
		return -1;
	for (size_t i = 0; i < MEMBERS; i++) {
		if (!scan_find(json, members[i].name, &value))
			continue;
		found++;
		if (!members[i].clear && value.data[0] != '{')
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%s' must be an object", members[i].name);
		if (members[i].clear ? replace_list(ch, i, value, e) < 0 : members[i].apply(ch, value, e) < 0)
			return -1;
	}
	if (found || names.new_name || names.agent_pool_id)
		return 1;
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: nothing to change is named; send newName, addStack, removeStack, addPolicyPack, "
		       "removePolicyPack or another member of the policy group");
}

static int begin(struct change *ch, const char *name, struct err *e)
{
	return group_find(ch->db, ch->caller, name, ch->now_us, ch->arena, &ch->group, e);
}

int group_change(struct db *db, const struct caller *c, const char *name, struct span json, int64_t now_us, const char *source_ip,
		 struct arena *arena, struct err *e)
{
	struct change ch = { .db = db, .caller = c, .now_us = now_us, .source_ip = source_ip, .arena = arena };

	if (scan_unique(json, e) < 0 || begin(&ch, name, e) < 0 || apply(&ch, json, e) < 0)
		return -1;
	return change_settle_stacks(&ch, e);
}

int group_change_all(struct db *db, const struct caller *c, const char *name, struct span list, int64_t now_us, const char *source_ip,
		     struct arena *arena, struct err *e)
{
	struct change ch = { .db = db, .caller = c, .now_us = now_us, .source_ip = source_ip, .arena = arena };
	struct span each;
	struct scan s;
	size_t n = 0;

	if (begin(&ch, name, e) < 0)
		return -1;
	for (scan_open(&s, list); scan_element(&s, &each);) {
		if (++n > LIMIT_GROUP_CHANGES)
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: more than %d changes at once", LIMIT_GROUP_CHANGES);
		if (each.data[0] != '{')
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: each change must be a JSON object");
		if (scan_unique(each, e) < 0 || apply(&ch, each, e) < 0)
			return -1;
	}
	if (!n)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the list of changes is empty");
	return change_settle_stacks(&ch, e);
}
