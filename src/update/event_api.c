/* SPDX-License-Identifier: Apache-2.0 */
#include "api/route.h"
#include "base/limits.h"
#include "json/scan.h"
#include "update/update.h"

/* RecordEngineEventBatch… */
int api_record_engine_event_batch(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct span stored, text;

	if (http_body_raw(&rq->http, LIMIT_EVENTS_BYTES, &stored, e) < 0 ||
	    http_body(&rq->http, 8 * LIMIT_EVENTS_BYTES, &text, e) < 0)
		return -1;

	if (update_append_events(rq->app, rq->update_id, rq->update_token, text, stored, rq->http.gzip, e) < 0)
		return -1;

	return reply_empty(rp);
}

/* RecordEngineEvent…: one event, as old command lines send it. */
int api_record_engine_event(struct request *rq, struct http_reply *rp, struct err *e)
{
	_cleanup_(buffer_done) struct buffer batch = BUFFER_INIT;
	struct span event;

	if (http_body(&rq->http, LIMIT_EVENTS_BYTES, &event, e) < 0 || scan_document(event, &event, e) < 0 ||
	    scan_unique(event, e) < 0)
		return -1;
	buffer_puts(&batch, "{\"events\":[");
	buffer_append(&batch, event.data, event.length);
	buffer_puts(&batch, "]}");

	if (update_append_events(rq->app, rq->update_id, rq->update_token, buffer_span(&batch), buffer_span(&batch), false,
				 e) < 0)
		return -1;

	return reply_empty(rp);
}

/* GetEngineEvents…: while the update runs there is always a further page. */
int api_get_engine_events(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct update u = { 0 };
	int64_t from, next;

	if (http_parameter_int(&rq->http, "continuationToken", 0, 0, INT64_MAX, &from, e) < 0 ||
	    update_find(rq->db, &rq->caller, rq->stack.id, rq->update_id, rq->arena, &u, e) < 0)
		return -1;

	buffer_puts(&rp->body, "{\"events\":[");
	if (update_events(rq->app, &u, from, &rp->body, &next, e) < 0)
		return -1;

	rp->status = 200;
	buffer_putc(&rp->body, ']');
	if (next >= 0 || !strcmp(u.status, "running"))
		buffer_printf(&rp->body, ",\"continuationToken\":\"%lld\"", (long long)(next >= 0 ? next : from));
	buffer_putc(&rp->body, '}');
	return 1;
}
