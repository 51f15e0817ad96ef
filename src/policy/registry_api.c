/* SPDX-License-Identifier: Apache-2.0 */
/* Policy packs as the registry shows them: an organization's own, each in one version. */
#include "api/route.h"
#include "base/limits.h"
#include "policy/check.h"
#include "policy/pack.h"

struct registry_pack {
	const char *id, *source, *publisher, *name, *display_name, *version, *access_level;
	struct span levels;	/* JSON list */
};

static const struct field registry_pack_fields[] = {
	FIELD(registry_pack, id, "id", FIELD_TEXT),
	FIELD(registry_pack, source, "source", FIELD_TEXT),
	FIELD(registry_pack, publisher, "publisher", FIELD_TEXT),
	FIELD(registry_pack, name, "name", FIELD_TEXT),
	FIELD(registry_pack, display_name, "displayName", FIELD_TEXT),
	FIELD(registry_pack, version, "version", FIELD_TEXT, .help = "The tag, or the number of a version without one."),
	FIELD(registry_pack, access_level, "accessLevel", FIELD_TEXT),
	FIELD(registry_pack, levels, "enforcementLevels", FIELD_RAW, .help = "Levels that its policies have."),
	{ 0 },
};

struct registry_pack_reply {
	struct registry_pack pack;
	struct span policies;
};

const struct field registry_policy_pack_reply_fields[] = {
	FIELD(registry_pack_reply, pack, "policyPack", FIELD_OBJECT, .fields = registry_pack_fields),
	FIELD(registry_pack_reply, policies, "policies", FIELD_RAW),
	{ 0 },
};

static struct registry_pack registry_pack_of(const struct pack_version *v, const char *publisher, struct arena *arena)
{
	_cleanup_(buffer_done) struct buffer levels = BUFFER_INIT;

	policies_write_levels(v->policies, &levels);
	return (struct registry_pack){ .id = v->id, .source = "private", .publisher = publisher, .name = v->name, .display_name = v->display_name,
				       .version = *v->version_tag ? v->version_tag : arena_printf(arena, "%lld", (long long)v->version),
				       .access_level = "full",
				       .levels = { arena_strndup(arena, levels.data, levels.length), levels.length } };
}

/* GetOrgRegistryPolicyPack */
int api_get_org_registry_policy_pack(struct request *rq, struct http_reply *rp, struct err *e)
{
	const char *tag = http_parameter(&rq->http, "tag");
	struct registry_pack_reply reply;
	struct pack_version version = { 0 };

	if (pack_find_published(rq->db, &rq->caller, rq->pack, tag ? tag : "latest", rq->arena, &version, e) < 0)
		return -1;

	reply = (struct registry_pack_reply){ registry_pack_of(&version, rq->caller.organization_login, rq->arena), version.policies };
	return reply_json(rp, registry_policy_pack_reply_fields, &reply);
}

struct registry_list_body {
	const char *organization, *access;
	struct text_list ids;
};

const struct field list_policy_packs_post_body_fields[] = {
	FIELD(registry_list_body, organization, "orgLogin", FIELD_TEXT, .limit = 100, .help = "Absent: all organizations of the caller."),
	FIELD(registry_list_body, access, "access", FIELD_TEXT, .limit = 40, .help = "enabled when absent; added, available or private show those that are not, too."),
	FIELD(registry_list_body, ids, "ids", FIELD_TEXT_LIST, .limit = LIMIT_POLICY_PACKS),
	{ 0 },
};

struct registry_list_reply {
	struct object_list packs;
};

const struct field registry_policy_pack_list_fields[] = {
	FIELD(registry_list_reply, packs, "policyPacks", FIELD_LIST, .fields = registry_pack_fields),
	{ 0 },
};

static bool is_wanted(const struct registry_list_body *body, const char *id)
{
	for (size_t i = 0; i < body->ids.count; i++)
		if (!strcmp(body->ids.items[i], id))
			return true;
	return body->ids.count == 0;
}

/* Those that are enabled only, unless others are asked for. */
static void put_packs(const struct registry_list_body *body, const struct pack_version *rows, size_t count, struct arena *arena,
		      struct object_list *ret_list)
{
	bool enabled = !body->access || !*body->access || !strcmp(body->access, "enabled");
	struct registry_pack *list = arena_alloc(arena, count * sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		if ((!enabled || rows[i].applied) && is_wanted(body, rows[i].id))
			list[n++] = registry_pack_of(&rows[i], rows[i].organization, arena);
	*ret_list = (struct object_list){ list, n, sizeof(*list) };
}

static int check_access(const char *access, struct err *e)
{
	static const char *const words[] = { "", "added", "available", "enabled", "private" };

	for (size_t i = 0; access && i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(access, words[i]))
			return 1;
	return !access ? 1 : err_set(e, ERR_BAD_REQUEST, "Bad Request: 'access' is '%.40s', it must be added, available, enabled or private", access);
}

/* ListPolicyPacks_post */
int api_list_policy_packs_post(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct registry_list_body body = { 0 };
	struct registry_list_reply reply;
	struct pack_version *rows;
	size_t count;

	if (request_body(rq, list_policy_packs_post_body_fields, &body, e) < 0 || check_access(body.access, e) < 0)
		return -1;

	if (pack_list_newest(rq->db, &rq->caller, body.organization && *body.organization ? body.organization : NULL, rq->arena, &rows, &count,
			     e) < 0)
		return -1;

	put_packs(&body, rows, count, rq->arena, &reply.packs);
	return reply_json(rp, registry_policy_pack_list_fields, &reply);
}
