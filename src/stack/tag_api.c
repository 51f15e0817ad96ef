/* SPDX-License-Identifier: Apache-2.0 */
/* Tags and remote configuration of a stack. */
#include "api/route.h"
#include "base/limits.h"
#include "stack/config.h"
#include "stack/tag.h"

/* UpdateStackTags: the bare map replaces all tags. */
int api_update_stack_tags(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct text_map tags = { 0 };
	struct span body;

	if (http_body(&rq->http, LIMIT_PLAIN_BODY, &body, e) < 0 ||
	    fields_read_text_map(body, rq->arena, &tags, e) < 0 || stack_check_tags(&tags, e) < 0)
		return -1;

	if (stack_set_tags(rq->db, &rq->caller, &rq->path, &tags, e) < 0)
		return -1;

	return reply_nothing(rp);
}

const struct field stack_tag_body_fields[] = {
	FIELD(text_pair, name, "name", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = LIMIT_TAG_NAME),
	FIELD(text_pair, value, "value", FIELD_TEXT, .flags = FIELD_REQUIRED),
	{ 0 },
};

/* AddStackTag */
int api_add_stack_tag(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct text_pair tag = { 0 };

	if (request_body(rq, stack_tag_body_fields, &tag, e) < 0)
		return -1;

	if (stack_add_tag(rq->db, &rq->caller, &rq->path, &tag, e) < 0)
		return -1;

	return reply_nothing(rp);
}

/* UpdateStackTag */
int api_update_stack_tag(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct text_pair tag = { 0 };

	if (request_body(rq, stack_tag_body_fields, &tag, e) < 0)
		return -1;

	if (stack_change_tag(rq->db, &rq->caller, &rq->path, rq->tag, &tag, e) < 0)
		return -1;

	return reply_nothing(rp);
}

/* DeleteStackTag */
int api_delete_stack_tag(struct request *rq, struct http_reply *rp, struct err *e)
{
	if (stack_remove_tag(rq->db, &rq->caller, &rq->path, rq->tag, e) < 0)
		return -1;

	return reply_nothing(rp);
}

/* GetStackConfig: 404 while the configuration is local. */
int api_get_stack_config(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct span config = rq->stack.config;

	if (!config.data)
		return err_set(e, ERR_NOT_FOUND, "Not Found: the configuration of Stack '%s/%s/%s' is not remote",
			       rq->path.organization, rq->path.project, rq->path.name);

	rp->status = 200;
	buffer_append(&rp->body, config.data, config.length);
	return 1;
}

/* UpdateStackConfig */
int api_update_stack_config(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct span config;

	if (http_body(&rq->http, LIMIT_PLAIN_BODY, &config, e) < 0 || stack_check_config(&config, rq->arena, e) < 0)
		return -1;

	if (stack_set_config(rq->db, &rq->caller, &rq->path, config, e) < 0)
		return -1;

	rp->status = 200;
	buffer_append(&rp->body, config.data, config.length);
	return 1;
}

/* DeleteStackConfig */
int api_delete_stack_config(struct request *rq, struct http_reply *rp, struct err *e)
{
	if (stack_set_config(rq->db, &rq->caller, &rq->path, (struct span){ NULL, 0 }, e) < 0)
		return -1;

	return reply_nothing(rp);
}
