/* SPDX-License-Identifier: Apache-2.0 */
/* State in and out: checkpoints, journal entries, import, export. */
#include "api/route.h"
#include "blob/blob.h"
#include "json/scan.h"
#include "json/write.h"
#include "update/checkpoint.h"
#include "update/update.h"

/* What an export of a stack without a state answers. */
#define EMPTY_DEPLOYMENT \
	"{\"version\":3,\"deployment\":{\"manifest\":{\"time\":\"0001-01-01T00:00:00Z\",\"magic\":\"\",\"version\":\"\"}}}"

/* {"version":…,"features":…,"deployment":…} with the members as they were sent. */
static int compose(struct span document, struct buffer *text, struct err *e)
{
	struct span version, features, deployment, invalid;

	if (scan_find(document, "isInvalid", &invalid) && invalid.data[0] != 't' && invalid.data[0] != 'f')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'isInvalid' must be true or false");
	if (!scan_find(document, "version", &version) || !scan_find(document, "deployment", &deployment))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: a checkpoint must have 'version' and 'deployment'");
	buffer_putc(text, '{');
	json_put_raw(text, "version", version);
	if (scan_find(document, "features", &features))
		json_put_raw(text, "features", features);
	json_put_raw(text, "deployment", deployment);
	buffer_putc(text, '}');
	return 1;
}

static int save(struct request *rq, struct http_reply *rp, const struct checkpoint_save *s, struct err *e)
{
	if (update_save_checkpoint(rq->app, rq->update_id, rq->update_token, s, e) < 0)
		return -1;

	return reply_empty(rp);
}

/* PatchUpdateCheckpoint… */
int api_patch_update_checkpoint(struct request *rq, struct http_reply *rp, struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct checkpoint_save s = { .form = CHECKPOINT_WHOLE };
	struct span body;

	if (request_document(rq, &body, e) < 0 || compose(body, &text, e) < 0 ||
	    checkpoint_check(buffer_span(&text), &s.checkpoint, e) < 0)
		return -1;

	return save(rq, rp, &s, e);
}

static int sequence(struct span body, struct checkpoint_save *s, struct err *e)
{
	struct span value;

	if (!scan_find(body, "sequenceNumber", &value) || !scan_int(value, &s->sequence) || s->sequence < 1)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'sequenceNumber' must be a whole number from 1");
	return 1;
}

/* PatchUpdateVerbatimCheckpoint…: the bytes of the value are the text that later edits refer to. */
int api_patch_update_verbatim_checkpoint(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct checkpoint_save s = { .form = CHECKPOINT_VERBATIM };
	struct span body, text;

	if (request_document(rq, &body, e) < 0 || sequence(body, &s, e) < 0)
		return -1;
	if (!scan_find(body, "untypedDeployment", &text))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'untypedDeployment' is missing");
	if (checkpoint_check(text, &s.checkpoint, e) < 0)
		return -1;

	return save(rq, rp, &s, e);
}

/* PatchUpdateCheckpointDelta… */
int api_patch_update_checkpoint_delta(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct checkpoint_save s = { .form = CHECKPOINT_DELTA };
	struct span body, hash;

	if (request_document(rq, &body, e) < 0 || sequence(body, &s, e) < 0)
		return -1;
	if (!scan_find(body, "checkpointHash", &hash) || !scan_text(hash, rq->arena, &hash) ||
	    hash.length != 2 * SHA256_BYTES)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'checkpointHash' must be a SHA-256 digest, 64 hex digits");
	s.hash = arena_strndup(rq->arena, hash.data, hash.length);
	if (!scan_find(body, "deploymentDelta", &s.edits))
		s.edits = (struct span){ NULL, 0 };

	return save(rq, rp, &s, e);
}

/* CreateJournalEntries… */
int api_create_journal_entries(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct span stored, text;

	if (http_body_raw(&rq->http, rq->app->max_body, &stored, e) < 0 ||
	    http_body(&rq->http, rq->app->max_body, &text, e) < 0)
		return -1;

	if (update_append_journal(rq->app, rq->update_id, rq->update_token, text, stored, rq->http.gzip, e) < 0)
		return -1;

	return reply_empty(rp);
}

/* The stored object goes out as it lies there to a client that accepts gzip. */
static int reply_object(struct request *rq, struct http_reply *rp, const struct exported *x, struct err *e)
{
	char key[CHECKPOINT_KEY];
	int rc;

	if (!http_accepts_gzip(&rq->http))
		return checkpoint_load(rq->app, rq->stack.id, x->sha256, &rp->body, e);
	checkpoint_key(rq->stack.id, (const unsigned char *)x->sha256.data, key);
	rp->body_gzip = true;
	rc = blob_file(rq->app->objects, key, rq->arena, &rp->file, &rp->file_size, e);
	if (rc == 0)
		rc = blob_get(rq->app->objects, key, &rp->body, e);
	return rc == 0 ? err_internal(e, "object %s is missing", key) : rc;
}

static int export_version(struct request *rq, struct http_reply *rp, int64_t version, struct err *e)
{
	struct exported x = { 0 };
	int rc = update_export(rq->app, &rq->caller, &rq->path, &rq->stack, version, rq->arena, &x, e);

	if (rc < 0) {
		buffer_done(&x.text);
		return -1;
	}

	rp->status = 200;
	if (rc == 1 && x.sha256.data)
		return reply_object(rq, rp, &x, e);
	buffer_done(&rp->body);
	rp->body = x.text;
	if (rc == 0)
		buffer_puts(&rp->body, EMPTY_DEPLOYMENT);
	return 1;
}

/* ExportStack */
int api_export_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	return export_version(rq, rp, -1, e);
}

/* ExportStackAtVersion */
int api_export_stack_at_version(struct request *rq, struct http_reply *rp, struct err *e)
{
	int64_t version;

	if (!scan_int(span_of(rq->version), &version) || version < 1)
		return err_set(e, ERR_NOT_FOUND, "Not Found: '%.40s' is not a version", rq->version);
	return export_version(rq, rp, version, e);
}

struct import_reply {
	const char *id;
};

const struct field import_reply_fields[] = {
	FIELD(import_reply, id, "updateId", FIELD_TEXT),
	{ 0 },
};

/* ImportStack: finished when it answers, so that the client's first poll sees the end. */
int api_import_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct checkpoint_text checkpoint;
	struct span body;
	char id[UUID_TEXT];

	if (http_body(&rq->http, rq->app->max_body, &body, e) < 0 || checkpoint_check(body, &checkpoint, e) < 0)
		return -1;

	if (update_import(rq->app, &rq->caller, &rq->path, &checkpoint, request_client(rq), id, e) < 0)
		return -1;

	return reply_json(rp, import_reply_fields, &(struct import_reply){ id });
}
