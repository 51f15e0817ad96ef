/* SPDX-License-Identifier: Apache-2.0 */
#include "api/request.h"

#include <strings.h>

#include "base/limits.h"
#include "base/settings.h"
#include "json/scan.h"

int request_body(struct request *rq, const struct field *fields, void *ret_body, struct err *e)
{
	struct span body;

	if (http_body(&rq->http, LIMIT_PLAIN_BODY, &body, e) < 0)
		return -1;
	return fields_read(fields, body, rq->arena, ret_body, e);
}

int request_document(struct request *rq, struct span *ret_document, struct err *e)
{
	struct span body;

	if (http_body(&rq->http, rq->app->max_body, &body, e) < 0 || scan_document(body, ret_document, e) < 0)
		return -1;
	if (ret_document->data[0] != '{')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the body must be a JSON object");
	return scan_unique(*ret_document, e);
}

int request_page(struct request *rq, const char **ret_id, struct err *e)
{
	const char *token = http_parameter(&rq->http, "continuationToken");

	if (token && !uuid_valid(token))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: continuationToken was not given out by this server");
	if (token)
		*ret_id = token;
	return 1;
}

const char *request_base(struct request *rq)
{
	const char *domain = setting("PULUMI_API_DOMAIN"), *forwarded = http_header(&rq->http, "X_FORWARDED_PROTO");
	bool secure = !strcasecmp(http_variable(&rq->http, "HTTPS"), "on") || (forwarded && !strncasecmp(forwarded, "https", 5));

	if (!strncmp(domain, "http://", 7) || !strncmp(domain, "https://", 8))
		return domain;
	return arena_printf(rq->arena, "%s://%s", secure ? "https" : "http", domain);
}

int reply_json(struct http_reply *rp, const struct field *fields, const void *structure)
{
	rp->status = 200;
	fields_write(fields, structure, &rp->body);
	return 1;
}

int reply_empty(struct http_reply *rp)
{
	rp->status = 200;
	buffer_puts(&rp->body, "{}");
	return 1;
}

int reply_nothing(struct http_reply *rp)
{
	rp->status = 204;
	return 1;
}

int reply_closed(struct http_reply *rp)
{
	rp->status = 200;
	buffer_putc(&rp->body, '}');
	return 1;
}

/* User-Agent: pulumi-cli/1 (v3.259.0; linux; …) */
const char *request_client(struct request *rq)
{
	const char *agent = http_header(&rq->http, "USER_AGENT");

	if (!agent || strncmp(agent, "pulumi-cli/1 (", 14))
		return "";
	agent += 14;
	return arena_strndup(rq->arena, agent, strnlen(agent, strcspn(agent, ";)") > 63 ? 63 : strcspn(agent, ";)")));
}
