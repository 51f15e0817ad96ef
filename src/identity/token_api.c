/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/token.h"

#include "api/route.h"
#include "base/limits.h"

struct token_reply {
	struct token token;	/* first: the fields of a token are its own */
	const char *creator, *type;
	bool admin;
};

static const struct field token_fields[] = {
	FIELD(token, id, "id", FIELD_TEXT),
	FIELD(token, name, "name", FIELD_TEXT),
	FIELD(token, description, "description", FIELD_TEXT),
	FIELD(token, created_at, "created", FIELD_DATE),
	FIELD(token, expires_at, "expires", FIELD_TIME, .help = "0: never."),
	FIELD(token, used_at, "lastUsed", FIELD_TIME, .help = "To the hour; 0: never."),
	FIELD(token_reply, creator, "createdBy", FIELD_TEXT),
	FIELD(token_reply, type, "type", FIELD_TEXT),
	FIELD(token_reply, admin, "admin", FIELD_BOOL),
	{ 0 },
};

struct token_list_reply {
	struct object_list tokens;
	const char *continuation_token;
};

const struct field token_list_reply_fields[] = {
	FIELD(token_list_reply, tokens, "tokens", FIELD_LIST, .fields = token_fields),
	FIELD(token_list_reply, continuation_token, "continuationToken", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

static int read_filter(struct request *rq, enum token_filter *ret_filter, struct err *e)
{
	static const char *const names[TOKEN_FILTER_COUNT] = { "active", "expired", "all" };
	const char *filter = http_parameter(&rq->http, "filter");

	for (int i = 0; i < TOKEN_FILTER_COUNT; i++)
		if (!strcmp(filter ? filter : "active", names[i])) {
			*ret_filter = (enum token_filter)i;
			return 1;
		}
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: filter is '%.40s', it must be active, expired or all", filter);
}

static void put_page(struct request *rq, const struct token *list, size_t count, int64_t page,
		     struct token_list_reply *reply)
{
	struct token_reply *tokens = arena_alloc(rq->arena, sizeof(*tokens) * count);
	size_t shown = count < (size_t)page ? count : (size_t)page;

	for (size_t i = 0; i < shown; i++)
		tokens[i] = (struct token_reply){ list[i], rq->caller.login, "personal", false };
	reply->tokens = (struct object_list){ tokens, shown, sizeof(*tokens) };
	reply->continuation_token = count > shown ? list[shown - 1].id : NULL;
}

/* ListPersonalTokens: newest first. */
int api_list_personal_tokens(struct request *rq, struct http_reply *rp, struct err *e)
{
	const char *before = TOKEN_NEWEST;
	struct token_list_reply reply = { 0 };
	enum token_filter filter = TOKENS_ACTIVE;
	struct token *list;
	int64_t page;
	size_t count;

	if (read_filter(rq, &filter, e) < 0 || request_page(rq, &before, e) < 0 ||
	    http_parameter_int(&rq->http, "maxResults", LIMIT_PAGE_DEFAULT, 1, LIMIT_TOKENS_PAGE, &page, e) < 0)
		return -1;

	if (token_list(rq->db, rq->caller.user_id, filter, before, page + 1, rq->now_us, rq->arena, &list, &count, e) < 0)
		return -1;

	put_page(rq, list, count, page, &reply);
	return reply_json(rp, token_list_reply_fields, &reply);
}

struct create_token_body {
	const char *description;
	int64_t expires;
};

const struct field create_token_body_fields[] = {
	FIELD(create_token_body, description, "description", FIELD_TEXT, .flags = FIELD_REQUIRED,
	      .limit = 4 * LIMIT_DESCRIPTION),
	FIELD(create_token_body, expires, "expires", FIELD_INT, .help = "Seconds since 1970, at most two years ahead; 0: never."),
	{ 0 },
};

struct create_token_reply {
	const char *id, *value;
};

const struct field create_token_reply_fields[] = {
	FIELD(create_token_reply, id, "id", FIELD_TEXT),
	FIELD(create_token_reply, value, "tokenValue", FIELD_TEXT, .flags = FIELD_SECRET),
	{ 0 },
};

/* CreatePersonalToken: the only time that the value is shown. */
int api_create_personal_token(struct request *rq, struct http_reply *rp, struct err *e)
{
	char id[UUID_TEXT], value[BEARER_TEXT];
	struct create_token_body body = { 0 };
	int64_t expires_at;

	if (request_body(rq, create_token_body_fields, &body, e) < 0 ||
	    token_expiry(body.expires, rq->now_us, &expires_at, e) < 0)
		return -1;

	if (token_create(rq->db, rq->caller.user_id, "", body.description, expires_at, rq->now_us, id, value, e) < 0)
		return -1;

	rq->audit_detail = arena_strdup(rq->arena, id);
	rp->secret = true;
	return reply_json(rp, create_token_reply_fields, &(struct create_token_reply){ id, value });
}

/* DeletePersonalToken */
int api_delete_personal_token(struct request *rq, struct http_reply *rp, struct err *e)
{
	if (token_delete(rq->db, rq->caller.user_id, rq->token, e) < 0)
		return -1;

	return reply_nothing(rp);
}
