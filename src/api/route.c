/* SPDX-License-Identifier: Apache-2.0 */
#include "api/route.h"

#include "base/limits.h"

const struct route routes[] = {
#define ROW(method, path, name, access, flags, body, reply, query, summary, alias)                 \
	{ #method, path, #name, api_##name, access, flags, body##_fields, reply##_fields, query, summary, alias },
#define OP(...) ROW(__VA_ARGS__, false)
#define ALIAS(...) ROW(__VA_ARGS__, true)
#include "api/routes.def"
#undef OP
#undef ALIAS
};

const size_t route_count = sizeof(routes) / sizeof(routes[0]);

static bool is_kind(const char *text)
{
	return !strcmp(text, "update") || !strcmp(text, "preview") || !strcmp(text, "refresh") ||
	       !strcmp(text, "destroy");
}

/* Stores a decoded segment where the placeholder says; false when it cannot stand there. */
static bool take_segment(struct request *rq, struct span placeholder, const char *text)
{
	static const struct {
		const char *name;
		size_t offset;
	} places[] = {
		{ "{org}", offsetof(struct request, path.organization) },
		{ "{project}", offsetof(struct request, path.project) },
		{ "{stack}", offsetof(struct request, path.name) },
		{ "{kind}", offsetof(struct request, kind) },
		{ "{update}", offsetof(struct request, update_id) },
		{ "{version}", offsetof(struct request, version) },
		{ "{tag}", offsetof(struct request, tag) },
		{ "{program}", offsetof(struct request, program) },
		{ "{user}", offsetof(struct request, user) },
		{ "{token}", offsetof(struct request, token) },
		{ "{invite}", offsetof(struct request, invite) },
		{ "{issuer}", offsetof(struct request, issuer) },
		{ "{policy}", offsetof(struct request, policy) },
		{ "{pack}", offsetof(struct request, pack) },
		{ "{group}", offsetof(struct request, group) },
	};

	if (!*text || (span_equal(placeholder, SPAN("{kind}")) && !is_kind(text)))
		return false;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (span_equal(placeholder, span_of(places[i].name)))
			*(const char **)((char *)rq + places[i].offset) = text;
	return true;
}

static bool match(struct request *rq, const char *pattern)
{
	const char *path = rq->http.path;

	while (*pattern == '/' && *path == '/') {
		struct span want = { pattern + 1, strcspn(pattern + 1, "/") };
		struct span have = { path + 1, strcspn(path + 1, "/") };
		char *text;

		if (want.length && want.data[0] == '{') {
			if (have.length > LIMIT_PATH_SEGMENT || http_unescape(rq->arena, have, false, &text) < 0 ||
			    !take_segment(rq, want, text))
				return false;
		} else if (!span_equal(want, have)) {
			return false;
		}
		pattern = want.data + want.length;
		path = have.data + have.length;
	}
	return !*pattern && !*path;
}

/* Whether the path has as many segments and those that the pattern spells out: most rows end here, without a copy. */
static bool same_shape(const char *pattern, const char *path)
{
	while (*pattern == '/' && *path == '/') {
		pattern++;
		path++;
		if (*pattern == '{') {
			pattern = strchr(pattern, '}') + 1;
			path = strchrnul(path, '/');
			continue;
		}
		while (*pattern && *pattern != '/' && *pattern == *path) {
			pattern++;
			path++;
		}
		if ((*pattern && *pattern != '/') || (*path && *path != '/'))
			return false;
	}
	return !*pattern && !*path;
}

/* Whether they differ in the names of their placeholders only. */
static bool same_path(const char *one, const char *other)
{
	while (*one && *one == *other) {
		if (*one == '{') {
			one = strchr(one, '}');
			other = strchr(other, '}');
		}
		one++;
		other++;
	}
	return !*one && !*other;
}

const struct route *route_of(const char *method, const char *path)
{
	for (size_t i = 0; i < route_count; i++)
		if (!strcmp(routes[i].method, method) && same_path(routes[i].path, path))
			return &routes[i];
	return NULL;
}

static void forget_path(struct request *rq)
{
	rq->path = (struct stack_path){ 0 };
	rq->kind = rq->update_id = rq->version = rq->tag = rq->program = rq->user = rq->token = rq->invite = rq->issuer = rq->policy = NULL;
	rq->pack = rq->group = NULL;
}

const struct route *route_find(struct request *rq, struct err *e)
{
	bool other_method = false;

	for (size_t i = 0; i < route_count; i++) {
		if (!same_shape(routes[i].path, rq->http.path))
			continue;
		forget_path(rq);
		if (!match(rq, routes[i].path))
			continue;
		if (!strcmp(rq->http.method, routes[i].method))
			return &routes[i];
		other_method = true;
	}
	forget_path(rq);
	if (other_method)
		err_set(e, ERR_METHOD, "Method Not Allowed: %.16s is not supported here", rq->http.method);
	else
		err_set(e, ERR_NOT_FOUND, "Not Found: %.16s %.200s is not an operation of this server", rq->http.method,
			rq->http.path);
	return NULL;
}
