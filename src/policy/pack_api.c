/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/pack.h"

#include "api/route.h"
#include "base/limits.h"
#include "json/write.h"
#include "link/link.h"
#include "policy/check.h"

struct listed_pack {
	const char *name, *display_name;
	struct span versions;		/* JSON: numbers, ascending */
	struct text_list tags;		/* of the same versions */
};

static const struct field listed_pack_fields[] = {
	FIELD(listed_pack, name, "name", FIELD_TEXT),
	FIELD(listed_pack, display_name, "displayName", FIELD_TEXT),
	FIELD(listed_pack, versions, "versions", FIELD_RAW),
	FIELD(listed_pack, tags, "versionTags", FIELD_TEXT_LIST),
	{ 0 },
};

struct pack_list_reply {
	struct object_list packs;
};

const struct field policy_pack_list_fields[] = {
	FIELD(pack_list_reply, packs, "policyPacks", FIELD_LIST, .fields = listed_pack_fields),
	{ 0 },
};

/* Rows of one name, of which there is at least one: how many they are. */
static size_t put_versions(const struct pack_version *rows, size_t count, struct arena *arena, struct listed_pack *ret)
{
	_cleanup_(buffer_done) struct buffer numbers = BUFFER_INIT;
	size_t n = 0;

	while (n < count && !strcmp(rows[n].name, rows[0].name))
		n++;
	*ret = (struct listed_pack){ .name = rows[0].name, .display_name = rows[0].display_name,
				     .tags = { arena_alloc(arena, n * sizeof(*ret->tags.items)), n, true } };
	for (size_t i = 0; i < n; i++) {
		buffer_printf(&numbers, "%s%lld", i ? "," : "[", (long long)rows[i].version);
		ret->tags.items[i] = rows[i].version_tag;
	}
	buffer_putc(&numbers, ']');
	ret->versions = (struct span){ arena_strndup(arena, numbers.data, numbers.length), numbers.length };
	return n;
}

/* ListPolicyPacks_orgs */
int api_list_policy_packs_orgs(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct pack_list_reply reply = { .packs.size = sizeof(struct listed_pack) };
	struct pack_version *rows;
	struct listed_pack *list;
	size_t count;

	if (pack_list(rq->db, rq->caller.organization_id, http_parameter(&rq->http, "policypack"), rq->arena, &rows, &count, e) < 0)
		return -1;

	list = arena_alloc(rq->arena, count * sizeof(*list));
	for (size_t i = 0; i < count;)
		i += put_versions(&rows[i], count - i, rq->arena, &list[reply.packs.count++]);
	reply.packs.items = list;
	return reply_json(rp, policy_pack_list_fields, &reply);
}

const struct field create_policy_pack_body_fields[] = {
	FIELD(pack_wish, name, "name", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = LIMIT_NAME * 4),
	FIELD(pack_wish, display_name, "displayName", FIELD_TEXT, .limit = 1024, .help = "The name when absent."),
	FIELD(pack_wish, version_tag, "versionTag", FIELD_TEXT, .limit = LIMIT_NAME * 4),
	FIELD(pack_wish, policies, "policies", FIELD_RAW, .flags = FIELD_REQUIRED, .limit = LIMIT_PLAIN_BODY),
	FIELD(pack_wish, description, "description", FIELD_TEXT, .limit = LIMIT_PACK_TEXT),
	FIELD(pack_wish, readme, "readme", FIELD_TEXT, .limit = LIMIT_PACK_TEXT),
	FIELD(pack_wish, provider, "provider", FIELD_TEXT, .limit = 1024),
	FIELD(pack_wish, tags, "tags", FIELD_TEXT_LIST, .limit = LIMIT_PACK_DETAILS),
	FIELD(pack_wish, repository, "repository", FIELD_TEXT, .limit = 4096),
	FIELD(pack_wish, runtime, "runtime", FIELD_TEXT, .limit = 100),
	FIELD(pack_wish, metadata, "metadata", FIELD_TEXT_MAP, .limit = LIMIT_PACK_DETAILS),
	{ 0 },
};

struct create_pack_reply {
	int64_t version;
	const char *url;
	struct text_map headers;
};

const struct field create_policy_pack_reply_fields[] = {
	FIELD(create_pack_reply, version, "version", FIELD_INT),
	FIELD(create_pack_reply, url, "uploadURI", FIELD_TEXT, .flags = FIELD_SECRET, .help = "Takes the archive by PUT for an hour, without credentials."),
	FIELD(create_pack_reply, headers, "requiredHeaders", FIELD_TEXT_MAP, .flags = FIELD_OMIT_EMPTY, .help = "Headers of that request."),
	{ 0 },
};

/* Lines "name: value\n" as a map. */
static struct text_map headers_of(const char *lines, struct arena *arena)
{
	struct text_map map = { .present = true };

	for (const char *at = lines; *at; at += strcspn(at, "\n") + 1)
		map.count++;
	map.items = arena_alloc(arena, map.count * sizeof(*map.items));
	map.count = 0;
	for (const char *at = lines; *at; at += strcspn(at, "\n") + 1) {
		size_t name = strcspn(at, ":");

		map.items[map.count++] = (struct text_pair){ arena_strndup(arena, at, name),
							     arena_strndup(arena, at + name + 2, strcspn(at, "\n") - name - 2) };
	}
	return map;
}

struct creation {
	struct request *rq;
	const struct pack_wish *wish;
	const char *id;
	int64_t version;
};

static int create(void *context, struct err *e)
{
	struct creation *c = context;

	return pack_create(c->rq->db, &c->rq->caller, c->wish, c->id, c->rq->now_us, c->rq->arena, &c->version, e);
}

static int read_wish(struct request *rq, struct pack_wish *ret_wish, struct err *e)
{
	if (request_body(rq, create_policy_pack_body_fields, ret_wish, e) < 0)
		return -1;
	ret_wish->version_tag = ret_wish->version_tag ? ret_wish->version_tag : "";
	if (!ret_wish->display_name || !*ret_wish->display_name)
		ret_wish->display_name = ret_wish->name;
	return pack_store_check(rq->app, e);
}

/* CreatePolicyPack: the address first, outside of the transaction, since it may take a call to another service, and a new key. */
int api_create_policy_pack(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct create_pack_reply reply = { 0 };
	struct pack_wish body = { 0 };
	struct creation creation = { rq, &body, NULL, 0 };
	char id[UUID_TEXT], key[PACK_KEY];
	const char *lines;

	if (read_wish(rq, &body, e) < 0)
		return -1;

	uuid_new(rq->now_us, id);
	creation.id = id;
	pack_upload_key(id, key);
	if (link_make(rq->app, request_base(rq), "PUT", PACK_STORE, key, LINK_PUT_SECONDS, rq->arena, &reply.url, &lines, e) < 0 ||
	    db_run(rq->db, create, &creation, e) < 0)
		return -1;

	reply.version = creation.version;
	reply.headers = headers_of(lines, rq->arena);
	rq->audit_detail = arena_printf(rq->arena, "%s %s", body.name, *body.version_tag ? body.version_tag :
					arena_printf(rq->arena, "%lld", (long long)creation.version));
	reply_json(rp, create_policy_pack_reply_fields, &reply);
	rp->status = 201;
	rp->secret = true;
	return 1;
}

/* CompletePolicyPack */
int api_complete_policy_pack(struct request *rq, struct http_reply *rp, struct err *e)
{
	if (pack_publish(rq->app, &rq->caller, rq->pack, rq->version, rq->arena, e) < 0)
		return -1;

	return reply_nothing(rp);
}

const struct field policy_pack_fields[] = {
	FIELD(pack_version, name, "name", FIELD_TEXT),
	FIELD(pack_version, display_name, "displayName", FIELD_TEXT),
	FIELD(pack_version, version, "version", FIELD_INT),
	FIELD(pack_version, version_tag, "versionTag", FIELD_TEXT),
	FIELD(pack_version, policies, "policies", FIELD_RAW),
	FIELD(pack_version, applied, "applied", FIELD_BOOL, .help = "Some policy group has this version."),
	{ 0 },
};

static int show(struct request *rq, const char *which, struct http_reply *rp, struct err *e)
{
	struct pack_version version = { 0 };

	if (pack_find_published(rq->db, &rq->caller, rq->pack, which, rq->arena, &version, e) < 0)
		return -1;

	return reply_json(rp, policy_pack_fields, &version);
}

/* GetPolicyPack */
int api_get_policy_pack(struct request *rq, struct http_reply *rp, struct err *e)
{
	return show(rq, rq->version, rp, e);
}

/* GetLatestPolicyPack: not in the vendor's description; its provider asks. */
int api_get_latest_policy_pack(struct request *rq, struct http_reply *rp, struct err *e)
{
	return show(rq, "latest", rp, e);
}

/* GetPolicyPackConfigSchema */
int api_get_policy_pack_config_schema(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct pack_version version = { 0 };

	if (pack_find_published(rq->db, &rq->caller, rq->pack, rq->version, rq->arena, &version, e) < 0)
		return -1;

	rp->status = 200;
	policies_write_schema(version.policies, &rp->body);
	return 1;
}

/* DeletePolicyPack_orgs_policypacks */
int api_delete_policy_pack_orgs_policypacks(struct request *rq, struct http_reply *rp, struct err *e)
{
	if (pack_delete(rq->db, &rq->caller, rq->pack, rq->arena, e) < 0)
		return -1;

	return reply_empty(rp);
}

/* DeletePolicyPackVersion */
int api_delete_policy_pack_version(struct request *rq, struct http_reply *rp, struct err *e)
{
	if (pack_delete_version(rq->db, &rq->caller, rq->pack, rq->version, rq->arena, e) < 0)
		return -1;

	return reply_empty(rp);
}
