/* SPDX-License-Identifier: Apache-2.0 */
/* The last step of publishing: from what was uploaded to what is kept. */
#include "base/fault.h"
#include "base/limits.h"
#include "blob/blob.h"
#include "http/gzip.h"
#include "policy/pack.h"
#include "policy/pack_sql.h"

static int nothing_uploaded(const struct pack_version *v, struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: nothing was uploaded for policy pack '%s' version %lld, or the upload failed; "
		       "publish it again", v->name, (long long)v->version);
}

static int too_large(const struct pack_version *v, struct err *e)
{
	return err_set(e, ERR_TOO_LARGE, "Request Entity Too Large: what was uploaded for policy pack '%s' is larger than %llu bytes", v->name,
		       LIMIT_POLICY_PACK);
}

static int note_bytes(void *context, const struct blob_object *object, struct err *e)
{
	(void)e;
	*(int64_t *)context = object->bytes;
	return 0;
}

/* Counts what would come out of the archive, and keeps nothing of it. */
static int check_archive(const struct pack_version *v, struct span archive, struct err *e)
{
	_cleanup_(buffer_done) struct buffer plain = BUFFER_INIT;
	struct err why = { 0 };

	if (archive.length && gunzip(archive, LIMIT_POLICY_PACK_CONTENT, &plain, &why) == 1)
		return 1;
	if (why.kind == ERR_TOO_LARGE)
		return err_set(e, ERR_TOO_LARGE, "Request Entity Too Large: the archive of policy pack '%s' holds more than %llu bytes", v->name,
			       LIMIT_POLICY_PACK_CONTENT);
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: what was uploaded for policy pack '%s' version %lld is no whole gzip archive; "
		       "publish it again", v->name, (long long)v->version);
}

/* How large it is comes first: a store takes more from whoever has the address than fits into memory here. */
static int read_upload(struct app *app, const struct pack_version *v, struct buffer *ret_archive, struct err *e)
{
	char key[PACK_KEY];
	int64_t bytes = -1;
	int rc;

	pack_upload_key(v->id, key);
	if (blob_list(app->packs, key, note_bytes, &bytes, e) < 0)
		return -1;
	if (bytes > (int64_t)LIMIT_POLICY_PACK)
		return too_large(v, e);
	rc = blob_get(app->packs, key, ret_archive, e);
	if (rc <= 0)
		return rc < 0 ? -1 : nothing_uploaded(v, e);
	/* Uploaded once more between the two. */
	if (ret_archive->length > LIMIT_POLICY_PACK)
		return too_large(v, e);
	return check_archive(v, buffer_span(ret_archive), e);
}

/* Durable before the row says so. */
static int keep(struct app *app, const struct pack_version *v, struct span archive, unsigned char ret_sha256[SHA256_BYTES], struct err *e)
{
	char key[PACK_KEY];

	sha256(archive, ret_sha256);
	pack_archive_key(v->id, ret_sha256, key);
	return blob_put(app->packs, key, archive, e);
}

static int say_published(struct app *app, const struct caller *c, const struct pack_version *v, const unsigned char *digest, int64_t bytes,
			 struct err *e)
{
	struct span sha256 = { (const char *)digest, SHA256_BYTES };
	int64_t changed;

	if (db_exec(app->db, &PACK_VERSION_PUBLISH,
		    DB_VALUES(db_bytes(sha256), db_int(bytes), db_time(app->now_us()), db_text(c->organization_id), db_text(v->id)), &changed,
		    e) < 0)
		return -1;
	if (changed == 0)
		return err_set(e, ERR_CONFLICT, "Conflict: policy pack '%s' version %lld was published or removed by somebody else meanwhile",
			       v->name, (long long)v->version);
	return db_exec(app->db, &PACK_SET_DISPLAY_NAME, DB_VALUES(db_text(v->display_name), db_text(c->organization_id), db_text(v->pack_id)),
		       NULL, e);
}

int pack_publish(struct app *app, const struct caller *c, const char *name, const char *version, struct arena *arena, struct err *e)
{
	_cleanup_(buffer_done) struct buffer archive = BUFFER_INIT;
	unsigned char digest[SHA256_BYTES];
	struct pack_version v = { 0 };
	struct err ignored = { 0 };
	char upload[PACK_KEY];

	if (pack_store_check(app, e) < 0 || pack_find(app->db, c, name, version, arena, &v, e) < 0)
		return -1;
	if (strcmp(v.status, "uploading"))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: policy pack '%s' version %lld is already published", name, (long long)v.version);
	if (read_upload(app, &v, &archive, e) < 0 || keep(app, &v, buffer_span(&archive), digest, e) < 0)
		return -1;
	fault_point("pack.kept");
	if (say_published(app, c, &v, digest, (int64_t)archive.length, e) < 0)
		return -1;
	/* Otherwise the sweep deletes it. */
	pack_upload_key(v.id, upload);
	(void)!blob_delete(app->packs, upload, &ignored);
	return 1;
}
