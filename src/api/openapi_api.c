/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/openapi/pulumi-spec.json: an OpenAPI 3 document out of routes.def and the field tables. */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>

#include "api/route.h"
#include "api/tags.h"
#include "json/write.h"

static const char *const kinds[] = { "update", "preview", "refresh", "destroy" };
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

/*
 * get_stack becomes GetStack; operations that exist per kind of update get it appended. An id must not
 * occur twice, so that an alias says that it is one.
 */
static void put_operation_id(const struct route *r, const char *kind, struct buffer *out)
{
	_cleanup_(buffer_done) struct buffer id = BUFFER_INIT;
	bool up = true;

	for (const char *c = r->name; *c; c++) {
		if (*c != '_')
			buffer_putc(&id, up ? (char)toupper((unsigned char)*c) : *c);
		up = *c == '_';
	}
	if (kind)
		buffer_printf(&id, "_%s", kind);
	else if (r->alias)
		buffer_puts(&id, "_alias");
	json_put_text(out, "operationId", id.data);
}

static void put_parameter(struct span name, const char *in, struct buffer *out)
{
	json_write_separator(out);
	buffer_puts(out, "{\"name\":");
	json_write_span(out, name);
	json_put_text(out, "in", in);
	json_put_bool(out, "required", in[0] == 'p');
	json_put_raw(out, "schema", SPAN("{\"type\":\"string\"}"));
	buffer_putc(out, '}');
}

static void put_parameters(const struct route *r, struct buffer *out)
{
	json_write_name(out, "parameters");
	buffer_putc(out, '[');
	for (const char *at = strchr(r->path, '{'); at; at = strchr(at + 1, '{'))
		if (strncmp(at, "{kind}", 6))
			put_parameter((struct span){ at + 1, strcspn(at, "}") - 1 }, "path", out);
	for (const char *at = r->query; *at; at += strspn(at, " ")) {
		put_parameter((struct span){ at, strcspn(at, " ") }, "query", out);
		at += strcspn(at, " ");
	}
	buffer_putc(out, ']');
}

static void put_content(const struct field *fields, struct buffer *out)
{
	buffer_puts(out, "\"content\":{\"application/json\":{\"schema\":");
	fields_schema(fields, out);
	buffer_puts(out, "}}");
}

static void put_responses(const struct route *r, struct buffer *out)
{
	buffer_puts(out, ",\"responses\":{\"200\":{\"description\":\"Done.\",");
	put_content(r->reply, out);
	buffer_puts(out, "},\"default\":{\"description\":\"What was wrong and what to do.\","
			 "\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/Error\"}}}}}");
}

static void put_tags(const struct tags *tags, struct buffer *out)
{
	json_write_name(out, "tags");
	buffer_putc(out, '[');
	for (size_t i = 0; i < TAGS_OF_OPERATION && tags->names[i]; i++) {
		json_write_separator(out);
		json_write_text(out, tags->names[i]);
	}
	buffer_putc(out, ']');
}

/* `path`: with its kind written out. */
static void put_operation(const struct route *r, const char *path, const char *kind, struct buffer *out)
{
	json_write_separator(out);
	buffer_putc(out, '"');
	for (const char *c = r->method; *c; c++)
		buffer_putc(out, (char)tolower((unsigned char)*c));
	buffer_puts(out, "\":{");
	put_operation_id(r, kind, out);
	put_tags(tags_of(r->method, path), out);
	json_put_text(out, "summary", r->summary);
	put_parameters(r, out);
	if (r->body != NONE_fields) {
		buffer_puts(out, ",\"requestBody\":{");
		put_content(r->body, out);
		buffer_putc(out, '}');
	}
	put_responses(r, out);
	if (r->access != PUBLIC)
		json_put_raw(out, "security", r->access == UPDATE_TOKEN ? SPAN("[{\"updateToken\":[]}]") :
									SPAN("[{\"accessToken\":[]}]"));
	buffer_putc(out, '}');
}

static bool first_of_path(size_t row)
{
	for (size_t i = 0; i < row; i++)
		if (!strcmp(routes[i].path, routes[row].path))
			return false;
	return true;
}

static size_t kinds_of(const struct route *row)
{
	return strstr(row->path, "{kind}") ? KIND_COUNT : 1;
}

/* The path with its kind written out. */
static char *path_of(const struct route *row, const char *kind, struct arena *arena)
{
	const char *at = strstr(row->path, "{kind}");

	return at ? arena_printf(arena, "%.*s%s%s", (int)(at - row->path), row->path, kind, at + strlen("{kind}")) :
		    arena_strdup(arena, row->path);
}

/* A path, and every method that it has. */
static void put_path(const struct route *row, const char *kind, struct arena *arena, struct buffer *out)
{
	const char *path = path_of(row, kind, arena);

	json_write_name(out, path);
	buffer_putc(out, '{');
	for (size_t i = 0; i < route_count; i++)
		if (!strcmp(routes[i].path, row->path))
			put_operation(&routes[i], path, kinds_of(row) > 1 ? kind : NULL, out);
	buffer_putc(out, '}');
}

static void put_paths(struct arena *arena, struct buffer *out)
{
	for (size_t i = 0; i < route_count; i++)
		for (size_t k = 0; first_of_path(i) && k < kinds_of(&routes[i]); k++)
			put_path(&routes[i], kinds[k], arena, out);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The tags that an operation has, by name. */
static void put_tag_names(struct arena *arena, struct buffer *out)
{
	const char **names = arena_alloc(arena, route_count * KIND_COUNT * TAGS_OF_OPERATION * sizeof(*names));
	size_t count = 0;

	for (size_t i = 0; i < route_count; i++)
		for (size_t k = 0; k < kinds_of(&routes[i]); k++) {
			const struct tags *tags = tags_of(routes[i].method, path_of(&routes[i], kinds[k], arena));

			for (size_t n = 0; n < TAGS_OF_OPERATION && tags->names[n]; n++)
				names[count++] = tags->names[n];
		}
	qsort(names, count, sizeof(*names), compare_names);
	json_write_name(out, "tags");
	buffer_putc(out, '[');
	for (size_t i = 0; i < count; i++)
		if (i == 0 || strcmp(names[i - 1], names[i])) {
			json_write_separator(out);
			json_put_open(out, "name");
			json_write_text(out, names[i]);
			buffer_putc(out, '}');
		}
	buffer_putc(out, ']');
}

/* GetOpenapi: describes exactly the operations that are served. */
int api_get_openapi(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct buffer *out = &rp->body;

	(void)e;
	rp->status = 200;
	buffer_puts(out, "{\"openapi\":\"3.0.3\",\"info\":{\"title\":\"pulumi-api\",\"version\":\"" PACKAGE_VERSION
			 "\"}");
	put_tag_names(rq->arena, out);
	buffer_puts(out, ",\"paths\":{");
	put_paths(rq->arena, out);
	buffer_puts(out, "},\"components\":{\"schemas\":{\"Error\":{\"type\":\"object\",\"properties\":{"
			 "\"code\":{\"type\":\"integer\"},\"message\":{\"type\":\"string\"}}}},\"securitySchemes\":{"
			 "\"accessToken\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"Authorization\"},"
			 "\"updateToken\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"Authorization\"}}}}");
	return 1;
}
