/* SPDX-License-Identifier: Apache-2.0 */
/* Status, capabilities and the registry's truthful empty lists. */
#include "api/dispatch.h"

static int reply_text(struct http_reply *rp, const char *json)
{
	rp->status = 200;
	buffer_puts(&rp->body, json);
	return 1;
}

/* 200 as soon as this process serves: what load balancers and installers ask. */
int api_get_status(struct request *rq, struct http_reply *rp, struct err *e)
{
	(void)rq, (void)e;
	return reply_text(rp, "{\"status\":\"ok\"}");
}

/* Capabilities: only what is served. The deployment schema says which state versions are stored unchanged. */
int api_capabilities(struct request *rq, struct http_reply *rp, struct err *e)
{
	(void)rq, (void)e;
	return reply_text(rp, "{\"capabilities\":[{\"capability\":\"deployment-schema-version\",\"version\":1,"
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
