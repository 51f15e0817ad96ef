/* SPDX-License-Identifier: Apache-2.0 */
/* Objects for who has a link of this server. The address is the credential: there is no other. */
#include "api/route.h"
#include "base/limits.h"
#include "blob/blob.h"
#include "link/link.h"

/* The link that the address is, and its store. */
static int follow(struct request *rq, const char *method, struct link *ret_link, struct blob_store **ret_store, struct err *e)
{
	static const char *const names[] = { "store", "object", "expires", "key", "signature" };
	const char *values[sizeof(names) / sizeof(names[0])];
	struct link link = { .method = method };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		values[i] = http_parameter(&rq->http, names[i]);
		if (!values[i])
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%s' is missing: an address like this one is given out by the server, "
				       "and must be used as it is", names[i]);
	}
	if (http_parameter_int(&rq->http, "expires", 0, 0, INT64_MAX, &link.expires_at, e) < 0)
		return -1;
	link.store = values[0];
	link.object = values[1];
	if (link_check(rq->app, &link, values[3], values[4], e) < 0)
		return -1;
	*ret_link = link;
	*ret_store = link_store(rq->app, link.store);
	return *ret_store ? 1 : err_set(e, ERR_NOT_FOUND, "Not Found: the store '%.40s' is not kept here any more", link.store);
}

/* GetObject: our own, beside the vendor's description. */
int api_get_object(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct blob_store *store;
	struct link link;
	int rc;

	if (follow(rq, "GET", &link, &store, e) < 0)
		return -1;

	rc = blob_file(store, link.object, rq->arena, &rp->file, &rp->file_size, e);
	rp->outside = true;
	if (rc == 0)
		rc = blob_get(store, link.object, &rp->body, e);
	if (rc <= 0)
		return rc < 0 ? -1 : err_set(e, ERR_NOT_FOUND, "Not Found: the object is not there any more");

	rp->status = 200;
	rp->content_type = "application/gzip";
	return 1;
}

/* PutObject: durable when it is answered. */
int api_put_object(struct request *rq, struct http_reply *rp, struct err *e)
{
	_cleanup_(blob_writer_closep) struct blob_writer *writer = NULL;
	struct blob_store *store;
	struct link link;
	size_t length;

	if (follow(rq, "PUT", &link, &store, e) < 0)
		return -1;

	if (blob_writer_open(store, &writer, e) < 0 ||
	    http_body_stream(&rq->http, LIMIT_POLICY_PACK, blob_writer_sink(writer), &length, e) < 0 ||
	    blob_writer_commit(writer, link.object, e) < 0)
		return -1;

	return reply_empty(rp);
}
