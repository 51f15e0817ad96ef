/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/policy.h"

#include <strings.h>

#include "base/limits.h"
#include "json/scan.h"
#include "json/write.h"
#include "oidc/claims.h"
#include "oidc/policy_sql.h"
#include "oidc/policy_text.h"
#include "org/role.h"

static const char *const token_types[] = { "organization", "team", "personal", "runner" };
#define TOKEN_TYPES (sizeof(token_types) / sizeof(token_types[0]))

struct definition {
	const char *decision, *token_type, *team, *user, *runner, *role;
	struct text_list permissions;
	struct text_map rules;
};

static const struct field definition_fields[] = {
	FIELD(definition, decision, "decision", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 16),
	FIELD(definition, token_type, "tokenType", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 32),
	FIELD(definition, team, "teamName", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY, .limit = LIMIT_RULE),
	FIELD(definition, user, "userLogin", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY, .limit = LIMIT_RULE),
	FIELD(definition, runner, "runnerID", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY, .limit = LIMIT_RULE),
	FIELD(definition, role, "roleID", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY, .limit = LIMIT_RULE),
	FIELD(definition, permissions, "authorizedPermissions", FIELD_TEXT_LIST, .limit = 16),
	FIELD(definition, rules, "rules", FIELD_TEXT_MAP, .limit = LIMIT_RULES),
	{ 0 },
};

static bool is_set(const char *text)
{
	return text && *text;
}

static bool allows(const struct definition *d)
{
	return !strcmp(d->decision, "allow");
}

static int check_words(const struct definition *d, struct err *e)
{
	bool known = false;

	for (size_t i = 0; i < TOKEN_TYPES; i++)
		known = known || !strcmp(d->token_type, token_types[i]);
	if (!allows(d) && strcmp(d->decision, "deny"))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'decision' is '%s', it must be allow or deny",
			       d->decision);
	if (!known)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: 'tokenType' is '%s', it must be organization, team, personal or runner",
			       d->token_type);
	for (size_t i = 0; i < d->permissions.count; i++)
		if (strcmp(d->permissions.items[i], "standard") && strcmp(d->permissions.items[i], "admin"))
			return err_set(e, ERR_BAD_REQUEST,
				       "Bad Request: 'authorizedPermissions' has '%.100s', it may have standard and "
				       "admin",
				       d->permissions.items[i]);
	if (is_set(d->role) && !role_find(d->role))
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: there is no role '%.40s' here; the roles are admin and member", d->role);
	return 1;
}

/* Each type but organization says whose token it is about. A name for another type was meant otherwise. */
static int check_names(const struct definition *d, struct err *e)
{
	const struct {
		const char *value, *name, *type;
		bool required;
	} names[] = { { d->team, "teamName", "team", true }, { d->user, "userLogin", "personal", true },
		      { d->runner, "runnerID", "runner", true }, { d->role, "roleID", "organization", false } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool same = !strcmp(names[i].type, d->token_type);

		if (is_set(names[i].value) && !same)
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%s' is for the tokenType %s, this one is %s",
				       names[i].name, names[i].type, d->token_type);
		if (!is_set(names[i].value) && same && names[i].required)
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%s' is required when tokenType is %s",
				       names[i].name, names[i].type);
	}
	return 1;
}

static int check_rules(const struct definition *d, struct arena *arena, struct err *e)
{
	struct claim_path path;

	/* An issuer that everybody may use, such as that of a public CI service, would let everybody in. */
	if (allows(d) && !d->rules.count)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: 'rules' is empty: every token of the issuer would be allowed; name the "
			       "claims "
			       "that must match, e.g. {\"sub\": \"*\"}");
	for (size_t i = 0; i < d->rules.count; i++) {
		const struct text_pair *rule = &d->rules.items[i];

		if (strlen(rule->name) > LIMIT_RULE || strlen(rule->value) > LIMIT_RULE)
			return err_set(e, ERR_BAD_REQUEST,
				       "Bad Request: a rule about '%.100s' has more than %d characters", rule->name,
				       LIMIT_RULE);
		if (claim_path_read(rule->name, arena, &path, e) < 0)
			return -1;
	}
	return 1;
}

static int read_definition(struct span json, struct arena *arena, struct definition *ret, struct err *e)
{
	if (fields_read(definition_fields, json, arena, ret, e) < 0 || check_words(ret, e) < 0 || check_names(ret, e) < 0)
		return -1;
	return check_rules(ret, arena, e);
}

int policy_write_definitions(struct span definitions, struct buffer *out, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	size_t count = 0;
	struct span each;
	struct scan s;

	if (!definitions.length || definitions.data[0] != '[')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'policies' must be a list of policies");
	scan_open(&s, definitions);
	buffer_putc(out, '[');
	while (scan_element(&s, &each)) {
		struct definition d = { 0 };

		if (count++ == LIMIT_POLICIES)
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'policies' has more than %d of them",
				       LIMIT_POLICIES);
		if (read_definition(each, &arena, &d, e) < 0)
			return -1;
		json_write_separator(out);
		fields_write(definition_fields, &d, out);
	}
	buffer_putc(out, ']');
	return count ? 1
		     : err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: policy definition can not be empty; to deny everything give one that "
			       "denies");
}

/* --- deciding --- */

/* Whether the definition speaks of the level that is asked for; a list that is empty speaks of what everybody gets. */
static bool covers(const struct definition *d, const struct policy_question *q)
{
	bool admin = false, standard = false;

	if (strcmp(q->token_type, "organization"))
		return true;
	for (size_t i = 0; i < d->permissions.count; i++) {
		admin = admin || !strcmp(d->permissions.items[i], "admin");
		standard = standard || !strcmp(d->permissions.items[i], "standard");
	}
	if (!allows(d))
		return !d->permissions.count || (q->admin ? admin : standard);
	/* Who may have more may have less. */
	return q->admin ? admin : standard || admin || !d->permissions.count;
}

static bool is_for(const struct definition *d, const struct policy_question *q)
{
	const char *filter = is_set(d->team) ? d->team : is_set(d->user) ? d->user : is_set(d->runner) ? d->runner : NULL;

	if (strcmp(d->token_type, q->token_type) || !covers(d, q))
		return false;
	if (is_set(d->role) && strcmp(d->role, q->admin ? "admin" : "member"))
		return false;
	return !filter || (q->name && !strcasecmp(filter, q->name));
}

static int rules_match(const struct definition *d, struct span claims, struct arena *arena, struct err *e)
{
	for (size_t i = 0; i < d->rules.count; i++) {
		struct claim_path path;
		struct span value;

		if (claim_path_read(d->rules.items[i].name, arena, &path, e) < 0)
			return -1;
		if (!claim_at(claims, &path, arena, &value) || !claim_matches(value, d->rules.items[i].value, arena))
			return 0;
	}
	return 1;
}

int policy_decide(struct span definitions, const struct policy_question *q, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	bool allowed = false;
	struct span each;
	struct scan s;

	scan_open(&s, definitions);
	while (scan_element(&s, &each)) {
		struct definition d = { 0 };
		int rc;

		if (read_definition(each, &arena, &d, e) < 0)
			return -1;
		if (!is_for(&d, q))
			continue;
		rc = rules_match(&d, q->claims, &arena, e);
		if (rc < 0)
			return -1;
		if (rc && !allows(&d))
			return 0;
		allowed = allowed || rc;
	}
	return allowed;
}

/* --- keeping --- */

static struct span span_in(struct arena *arena, const struct buffer *text)
{
	return (struct span){ arena_strndup(arena, text->data, text->length), text->length };
}

int policy_keep_first(struct app *app, const char *organization_id, int64_t now_us, struct arena *arena, struct policy_kept *ret_kept,
		      struct err *e)
{
	_cleanup_(buffer_done) struct buffer list = BUFFER_INIT;

	/* What nothing allows is denied; this says so to whoever reads it. */
	buffer_putc(&list, '[');
	fields_write(definition_fields, &(struct definition){ .decision = "deny", .token_type = "organization" }, &list);
	buffer_putc(&list, ']');
	return policy_text_keep(app, organization_id, span_in(arena, &list), now_us, ret_kept, e);
}

static struct db_value object_of(const struct policy_kept *kept)
{
	return db_text(kept->in_object ? kept->object_id : NULL);
}

static struct db_value digest_of(const struct policy_kept *kept)
{
	return kept->in_object ? db_bytes((struct span){ (const char *)kept->digest, SHA256_BYTES }) : db_text(NULL);
}

int policy_create(struct db *db, const char *organization_id, const char *issuer_id, const struct policy_kept *kept, int64_t now_us,
		  struct err *e)
{
	char id[UUID_TEXT];

	uuid_new(now_us, id);
	return db_exec(db, &POLICY_CREATE,
		       DB_VALUES(db_text(id), db_text(organization_id), db_text(issuer_id), db_bytes(kept->row), object_of(kept),
				 digest_of(kept), db_time(now_us), db_time(now_us)),
		       NULL, e);
}

static int find_row(struct db *db, const char *organization_id, const char *issuer_id, struct arena *arena, struct policy *ret_policy,
		    struct err *e)
{
	int rc = 0;

	if (uuid_valid(issuer_id))
		rc = db_one(db, &POLICY_OF_ISSUER, DB_VALUES(db_text(organization_id), db_text(issuer_id)), policy_columns, ret_policy,
			    arena, e);
	return rc ? rc : err_set(e, ERR_NOT_FOUND, "Not Found: OIDC issuer '%.40s' not found", issuer_id);
}

static bool same_object(const struct policy *one, const struct policy *other)
{
	return one->object_id && other->object_id && !strcmp(one->object_id, other->object_id);
}

int policy_of_issuer(struct app *app, const char *organization_id, const char *issuer_id, struct arena *arena,
		     struct policy *ret_policy, struct err *e)
{
	struct policy policy = { 0 }, newer = { 0 };
	struct err why = { 0 };

	if (find_row(app->db, organization_id, issuer_id, arena, &policy, e) < 0)
		return -1;
	if (policy_text_load(app, organization_id, &policy, arena, &why) == 1) {
		*ret_policy = policy;
		return 1;
	}
	/* Perhaps it was changed since, and the sweep took the older text. */
	if (find_row(app->db, organization_id, issuer_id, arena, &newer, e) < 0)
		return -1;
	if (same_object(&policy, &newer)) {
		*e = why;
		return -1;
	}
	if (policy_text_load(app, organization_id, &newer, arena, e) < 0)
		return -1;
	*ret_policy = newer;
	return 1;
}

static int not_found(const char *id, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "Not Found: auth policy '%.40s' not found", id);
}

static int find_by_id(struct db *db, const char *organization_id, const char *id, struct arena *arena, struct policy *ret_policy,
		      struct err *e)
{
	int rc = 0;

	if (uuid_valid(id))
		rc = db_one(db, &POLICY_BY_ID, DB_VALUES(db_text(organization_id), db_text(id)), policy_columns, ret_policy, arena, e);
	return rc ? rc : not_found(id, e);
}

int policy_change(struct app *app, const struct caller *c, const char *id, struct span definitions, int64_t now_us,
		  struct arena *arena, struct policy *ret_policy, struct err *e)
{
	_cleanup_(buffer_done) struct buffer list = BUFFER_INIT;
	struct policy policy = { 0 };
	struct policy_kept kept;
	int64_t changed;

	if (policy_write_definitions(definitions, &list, e) < 0 || find_by_id(app->db, c->organization_id, id, arena, &policy, e) < 0 ||
	    policy_text_keep(app, c->organization_id, buffer_span(&list), now_us, &kept, e) < 0)
		return -1;
	if (db_exec(app->db, &POLICY_CHANGE,
		    DB_VALUES(db_bytes(kept.row), object_of(&kept), digest_of(&kept), db_time(now_us), db_text(c->organization_id),
			      db_text(id)),
		    &changed, e) < 0)
		return -1;
	if (!changed)
		return not_found(id, e);
	if (find_by_id(app->db, c->organization_id, id, arena, &policy, e) < 0)
		return -1;
	policy.definitions = span_in(arena, &list);
	*ret_policy = policy;
	return 1;
}
