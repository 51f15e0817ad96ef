/* SPDX-License-Identifier: Apache-2.0 */
/* State in and out: checkpoints, import, export. */
#include "api/route.h"
#include "base/limits.h"
#include "http/gzip.h"
#include "json/scan.h"
#include "json/write.h"
#include "update/update.h"

/* What an export of a stack without a state answers. */
#define EMPTY_DEPLOYMENT \
	"{\"version\":3,\"deployment\":{\"manifest\":{\"time\":\"0001-01-01T00:00:00Z\",\"magic\":\"\",\"version\":\"\"}}}"

/* {"version":…,"features":…,"deployment":…} with the members as they were sent. */
static int compose(struct span document, struct buffer *text, struct err *e)
{
	struct span version, features, deployment;

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

/* PatchUpdateCheckpoint… */
int api_patch_update_checkpoint(struct request *rq, struct http_reply *rp, struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct checkpoint_text checkpoint;
	struct span body;

	if (http_body(&rq->http, rq->app->max_body, &body, e) < 0 || scan_document(body, &body, e) < 0 ||
	    compose(body, &text, e) < 0 || checkpoint_check(buffer_span(&text), &checkpoint, e) < 0)
		return -1;

	if (update_save_checkpoint(rq->app, rq->update_id, rq->update_token, &checkpoint, e) < 0)
		return -1;

	return reply_empty(rp);
}

/* To a client that accepts gzip the stored object goes as it lies there. */
static int export_version(struct request *rq, struct http_reply *rp, int64_t version, struct err *e)
{
	_cleanup_(buffer_done) struct buffer packed = BUFFER_INIT;
	int rc = update_export(rq->app, &rq->caller, &rq->path, version, &packed, e);

	if (rc < 0)
		return -1;

	rp->status = 200;
	if (rc == 0) {
		buffer_puts(&rp->body, EMPTY_DEPLOYMENT);
		return 1;
	}
	if (!http_accepts_gzip(&rq->http))
		return gunzip(buffer_span(&packed), SIZE_MAX, &rp->body, e);
	buffer_append(&rp->body, packed.data, packed.length);
	rp->body_gzip = true;
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
