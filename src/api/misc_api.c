/* SPDX-License-Identifier: Apache-2.0 */
/* Status, capabilities and the registry's truthful empty lists. */
#include "api/route.h"
#include "update/update.h"

static int reply_text(struct http_reply *rp, const char *json)
{
	rp->status = 200;
	buffer_puts(&rp->body, json);
	return 1;
}

struct status_reply {
	const char *status;
};

const struct field status_reply_fields[] = {
	FIELD(status_reply, status, "status", FIELD_TEXT),
	{ 0 },
};

/* 200 as soon as this process serves: what load balancers and installers ask. */
int api_get_status(struct request *rq, struct http_reply *rp, struct err *e)
{
	(void)rq, (void)e;
	return reply_json(rp, status_reply_fields, &(struct status_reply){ "ok" });
}

/* Only what is served. The deployment schema is the highest version that is stored unchanged. */
int api_capabilities(struct request *rq, struct http_reply *rp, struct err *e)
{
	(void)rq, (void)e;
	return reply_text(rp, "{\"capabilities\":["
			      "{\"capability\":\"batch-encrypt\"},"
			      "{\"capability\":\"delta-checkpoint-uploads-v2\",\"version\":2,"
			      "\"configuration\":{\"checkpointCutoffSizeBytes\":" CHECKPOINT_CUTOFF_TEXT "}},"
			      "{\"capability\":\"deployment-schema-version\",\"version\":1,"
			      "\"configuration\":{\"version\":4}}]}");
}

int api_list_packages(struct request *rq, struct http_reply *rp, struct err *e)
{
	(void)rq, (void)e;
	return reply_text(rp, "{\"packages\":[]}");
}

int api_list_templates(struct request *rq, struct http_reply *rp, struct err *e)
{
	(void)rq, (void)e;
	return reply_text(rp, "{\"templates\":[]}");
}
