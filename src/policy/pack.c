/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/pack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "policy/check.h"
#include "policy/pack_sql.h"

int pack_store_check(const struct app *app, struct err *e)
{
	return app->packs ? 1 : err_set(e, ERR_BAD_REQUEST, "Bad Request: this server keeps no policy packs; its administrator names a "
					"place for them in PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS or PULUMI_POLICY_PACK_BLOB_STORAGE_ENDPOINT");
}

void pack_upload_key(const char *version_id, char ret_key[PACK_KEY])
{
	snprintf(ret_key, PACK_KEY, PACK_STORE "/%s/upload", version_id);
}

void pack_archive_key(const char *version_id, const unsigned char *sha256, char ret_key[PACK_KEY])
{
	char hex[2 * SHA256_BYTES + 1];

	hex_encode(sha256, SHA256_BYTES, hex);
	snprintf(ret_key, PACK_KEY, PACK_STORE "/%s/%s.tgz", version_id, hex);
}

static int not_found(const char *name, const char *version, struct err *e)
{
	if (!version || !strcmp(version, "latest"))
		return err_set(e, ERR_NOT_FOUND, "Not Found: Policy pack '%.100s' not found", name);
	return err_set(e, ERR_NOT_FOUND, "Not Found: Policy pack '%.100s' version '%.100s' not found", name, version);
}

/* --- make --- */

static const struct field details_fields[] = {
	FIELD(pack_wish, description, "description", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	FIELD(pack_wish, readme, "readme", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	FIELD(pack_wish, provider, "provider", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	FIELD(pack_wish, tags, "tags", FIELD_TEXT_LIST, .flags = FIELD_OMIT_EMPTY),
	FIELD(pack_wish, repository, "repository", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	FIELD(pack_wish, runtime, "runtime", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	FIELD(pack_wish, metadata, "metadata", FIELD_TEXT_MAP, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

static int check_wish(const struct pack_wish *w, struct err *e)
{
	if (policy_check_name("policy pack", w->name, e) < 0)
		return -1;
	if (*w->version_tag && policy_check_tag(w->version_tag, e) < 0)
		return -1;
	if (text_characters(w->display_name) > 255)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'displayName' has %zu characters, at most 255 are allowed",
			       text_characters(w->display_name));
	return policies_check(w->policies, e);
}

static int check_packs(struct db *db, const struct caller *c, struct arena *arena, struct err *e)
{
	struct pack_row row = { 0 };

	if (db_one(db, &PACK_COUNT, DB_VALUES(db_text(c->organization_id)), pack_count_columns, &row, arena, e) < 0)
		return -1;
	return row.count < LIMIT_POLICY_PACKS ? 1 : err_set(e, ERR_BAD_REQUEST, "Bad Request: the organization has had %lld policy packs, "
							    "at most %d are allowed", (long long)row.count, LIMIT_POLICY_PACKS);
}

/* The pack of that name, with the number of its next version; made when it is new. */
static int take_number(struct db *db, const struct caller *c, const struct pack_wish *w, int64_t now_us, struct arena *arena,
		       struct pack_row *ret_pack, struct err *e)
{
	char id[UUID_TEXT];
	int64_t changed;

	if (db_exec(db, &PACK_NUMBER, DB_VALUES(db_text(c->organization_id), db_text(w->name)), &changed, e) < 0)
		return -1;
	if (changed == 0) {
		uuid_new(now_us, id);
		if (check_packs(db, c, arena, e) < 0 ||
		    db_exec(db, &PACK_CREATE, DB_VALUES(db_text(id), db_text(c->organization_id), db_text(w->name), db_text(w->display_name),
							db_time(now_us)), NULL, e) < 0 ||
		    db_exec(db, &PACK_NUMBER, DB_VALUES(db_text(c->organization_id), db_text(w->name)), NULL, e) < 0)
			return -1;
	}
	return db_one(db, &PACK_LOCK, DB_VALUES(db_text(c->organization_id), db_text(w->name)), pack_number_columns, ret_pack, arena, e);
}

static int check_versions(struct db *db, const struct caller *c, const struct pack_row *pack, struct arena *arena, struct err *e)
{
	struct pack_row row = { 0 };

	if (db_one(db, &PACK_VERSION_COUNT, DB_VALUES(db_text(c->organization_id), db_text(pack->id)), pack_count_columns, &row, arena, e) < 0)
		return -1;
	return row.count < LIMIT_PACK_VERSIONS ? 1 : err_set(e, ERR_BAD_REQUEST, "Bad Request: the policy pack has %lld versions, at most %d "
							     "are allowed; remove some", (long long)row.count, LIMIT_PACK_VERSIONS);
}

static int tag_used(const struct pack_wish *w, struct err *e)
{
	return err_set(e, ERR_CONFLICT, "Conflict: Policy pack '%.100s' has had a version '%.100s' already, and what was published never "
		       "changes; give it another version", w->name, w->version_tag);
}

int pack_create(struct db *db, const struct caller *c, const struct pack_wish *w, const char *id, int64_t now_us, struct arena *arena,
		int64_t *ret_version, struct err *e)
{
	_cleanup_(buffer_done) struct buffer details = BUFFER_INIT;
	const char *tag = *w->version_tag ? w->version_tag : NULL;
	struct pack_row pack = { 0 };
	int rc;

	if (check_wish(w, e) < 0 || take_number(db, c, w, now_us, arena, &pack, e) < 0 || check_versions(db, c, &pack, arena, e) < 0 ||
	    db_exec(db, &PACK_VERSION_FORGET_UPLOAD, DB_VALUES(db_text(c->organization_id), db_text(pack.id), db_text(tag)), NULL, e) < 0)
		return -1;
	fields_write(details_fields, w, &details);
	rc = db_exec(db, &PACK_VERSION_CREATE,
		     DB_VALUES(db_text(id), db_text(c->organization_id), db_text(pack.id), db_int(pack.last_version), db_text(tag),
			       db_text(w->display_name), db_bytes(w->policies), db_bytes(buffer_span(&details)), db_text(c->user_id),
			       db_time(now_us)), NULL, e);
	if (rc <= 0)
		return rc < 0 ? -1 : tag_used(w, e);
	*ret_version = pack.last_version;
	return 1;
}

/* --- find --- */

/* A tag may look like a number: it comes first, as the command line gives the tag where there is one. */
int pack_find(struct db *db, const struct caller *c, const char *name, const char *version, struct arena *arena,
	      struct pack_version *ret, struct err *e)
{
	bool digits = *version && strspn(version, "0123456789") == strlen(version) && strlen(version) < 18;
	int rc = 0;

	if (!policy_name_valid(name))
		return not_found(name, version, e);
	if (policy_tag_valid(version))
		rc = db_one(db, &PACK_VERSION_BY_TAG, DB_VALUES(db_text(c->organization_id), db_text(name), db_text(version)),
			    pack_version_columns, ret, arena, e);
	if (rc == 0 && digits)
		rc = db_one(db, &PACK_VERSION_BY_NUMBER, DB_VALUES(db_text(c->organization_id), db_text(name), db_int(strtoll(version, NULL, 10))),
			    pack_version_columns, ret, arena, e);
	if (rc == 0 && !strcmp(version, "latest"))
		rc = db_one(db, &PACK_VERSION_NEWEST, DB_VALUES(db_text(c->organization_id), db_text(name)), pack_version_columns, ret, arena, e);
	return rc ? rc : not_found(name, version, e);
}

int pack_find_published(struct db *db, const struct caller *c, const char *name, const char *version, struct arena *arena,
			struct pack_version *ret, struct err *e)
{
	struct pack_version found = { 0 };

	if (pack_find(db, c, name, version, arena, &found, e) < 0)
		return -1;
	if (strcmp(found.status, "published"))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: Policy pack '%s' version %lld is not published: its upload was not completed",
			       name, (long long)found.version);
	*ret = found;
	return 1;
}

int pack_list(struct db *db, const char *organization_id, const char *name, struct arena *arena, struct pack_version **ret_list,
	      size_t *ret_count, struct err *e)
{
	if (!name)
		return db_all(db, &PACK_VERSION_LIST, DB_VALUES(db_text(organization_id)), pack_listed_columns, sizeof(**ret_list), arena,
			      (void **)ret_list, ret_count, e);
	return db_all(db, &PACK_VERSION_LIST_NAME, DB_VALUES(db_text(organization_id), db_text(policy_name_valid(name) ? name : "")),
		      pack_listed_columns, sizeof(**ret_list), arena, (void **)ret_list, ret_count, e);
}

/* The one that is asked for, or the only one that the token reaches; NULL when that is none of the caller's. */
static int find_organization(struct db *db, const struct caller *c, const char *login, struct arena *arena, const char **ret_id, struct err *e)
{
	struct organization *list;
	struct caller there;
	size_t count;

	if (login) {
		if (identity_membership(db, c, login, arena, &there, e) < 0)
			return -1;
		*ret_id = there.organization_id;
		return 1;
	}
	if (identity_organizations(db, c, arena, &list, &count, e) < 0)
		return -1;
	*ret_id = count ? list[0].id : NULL;
	return 1;
}

int pack_list_newest(struct db *db, const struct caller *c, const char *organization, struct arena *arena,
		     struct pack_version **ret_list, size_t *ret_count, struct err *e)
{
	bool one = organization || c->only_organization_id;
	const char *id = c->user_id;

	if (one && find_organization(db, c, organization, arena, &id, e) < 0)
		return -1;
	return db_all(db, one ? &PACK_NEWEST_OF_ORGANIZATION : &PACK_NEWEST_OF_USER, DB_VALUES(db_text(id)), pack_published_columns,
		      sizeof(**ret_list), arena, (void **)ret_list, ret_count, e);
}

/* --- end --- */

int pack_delete(struct db *db, const struct caller *c, const char *name, struct arena *arena, struct err *e)
{
	struct pack_row pack = { 0 }, group = { 0 };
	int64_t published, uploads;
	int rc = 0;

	if (policy_name_valid(name))
		rc = db_one(db, &PACK_LOCK, DB_VALUES(db_text(c->organization_id), db_text(name)), pack_number_columns, &pack, arena, e);
	if (rc <= 0)
		return rc < 0 ? -1 : not_found(name, NULL, e);
	rc = db_one(db, &PACK_APPLIED, DB_VALUES(db_text(c->organization_id), db_text(pack.id)), pack_id_columns, &group, arena, e);
	if (rc != 0)
		return rc < 0 ? -1 : err_set(e, ERR_BAD_REQUEST, "Bad Request: Policy pack '%s' is enabled; disable it in its policy groups "
					     "first", name);
	if (db_exec(db, &PACK_DELETE_VERSIONS, DB_VALUES(db_text(c->organization_id), db_text(pack.id)), &published, e) < 0 ||
	    db_exec(db, &PACK_DELETE_UPLOADS, DB_VALUES(db_text(c->organization_id), db_text(pack.id)), &uploads, e) < 0)
		return -1;
	return published || uploads ? 1 : not_found(name, NULL, e);
}

int pack_delete_version(struct db *db, const struct caller *c, const char *name, const char *version, struct arena *arena,
			struct err *e)
{
	struct pack_version found = { 0 };
	bool published;
	int64_t deleted;

	if (pack_find(db, c, name, version, arena, &found, e) < 0)
		return -1;
	published = !strcmp(found.status, "published");
	if (db_exec(db, published ? &PACK_VERSION_DELETE : &PACK_VERSION_DELETE_UPLOAD,
		    DB_VALUES(db_text(c->organization_id), db_text(found.id)), &deleted, e) < 0)
		return -1;
	if (deleted)
		return 1;
	return published ? err_set(e, ERR_CONFLICT, "Conflict: Policy pack '%s' version '%.100s' is enabled; disable it in its policy groups "
				   "first", name, version) : err_set(e, ERR_RETRY, "%s", "");
}
