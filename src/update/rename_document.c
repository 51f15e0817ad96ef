/* SPDX-License-Identifier: Apache-2.0 */
/* Walks a state document and replaces the strings that say the stack's name; the bytes between them are copied. */
#include <strings.h>

#include "json/scan.h"
#include "json/write.h"
#include "update/rename.h"

#define SIGNATURE "4dabf18193072939515e22adb298388d"
#define RESOURCE_REFERENCE "5cf8f73096256a8f31e491e813e4eb8e"
#define OUTPUT_VALUE "d0e6a833031e9bbcd3f4e8bde6ca49a4"
#define ROOT_TYPE "pulumi:pulumi:Stack"

struct rewrite {
	const struct stack_path *from, *to;
	char *prefix, *root;		/* of the old URNs, and what follows it in the URN of the root */
	char *new_prefix, *new_root;
	struct arena arena;		/* names, and texts that were spelt with escapes */
	struct buffer text;		/* the one being made */
	struct buffer *out;
	const char *copied;		/* everything before it is written */
};

typedef void visit_function(struct rewrite *rw, struct span value);

struct visit {
	const char *name;
	visit_function *visit;
};

static void replace(struct rewrite *rw, struct span value, struct span text)
{
	buffer_append(rw->out, rw->copied, (size_t)(value.data - rw->copied));
	json_write_span(rw->out, text);
	rw->copied = value.data + value.length;
}

/* Makes the URN of a resource of this stack under its new names; false for any other text. */
static bool rename_urn(struct rewrite *rw, struct span urn)
{
	size_t n = strlen(rw->prefix);
	struct span rest;

	if (urn.length < n || memcmp(urn.data, rw->prefix, n))
		return false;
	rest = (struct span){ urn.data + n, urn.length - n };
	if (span_equal(rest, span_of(rw->root)))
		rest = span_of(rw->new_root);
	buffer_clear(&rw->text);
	buffer_puts(&rw->text, rw->new_prefix);
	buffer_append(&rw->text, rest.data, rest.length);
	return true;
}

/* A text that is the same under the new names keeps its spelling. */
static void replace_changed(struct rewrite *rw, struct span value, struct span before)
{
	if (!span_equal(buffer_span(&rw->text), before))
		replace(rw, value, buffer_span(&rw->text));
}

static void visit_urn(struct rewrite *rw, struct span value)
{
	struct span text;

	if (scan_text(value, &rw->arena, &text) && rename_urn(rw, text))
		replace_changed(rw, value, text);
}

/* A provider reference is the URN of the provider, two colons and its id. */
static void visit_provider(struct rewrite *rw, struct span value)
{
	struct span text;
	size_t n;

	if (!scan_text(value, &rw->arena, &text))
		return;
	for (n = text.length; n > 2 && memcmp(text.data + n - 2, "::", 2);)
		n--;
	if (n <= 2 || !rename_urn(rw, (struct span){ text.data, n - 2 }))
		return;
	buffer_append(&rw->text, text.data + n - 2, text.length - (n - 2));
	replace_changed(rw, value, text);
}

static void visit_each(struct rewrite *rw, struct span list, visit_function *visit)
{
	struct span value;
	struct scan s;

	if (list.data[0] == '[')
		for (scan_open(&s, list); scan_element(&s, &value);)
			visit(rw, value);
}

static void visit_urns(struct rewrite *rw, struct span list)
{
	visit_each(rw, list, visit_urn);
}

static void visit_values(struct rewrite *rw, struct span object, visit_function *visit)
{
	struct span name, value;
	struct scan s;

	if (object.data[0] == '{')
		for (scan_open(&s, object); scan_member(&s, &name, &value);)
			visit(rw, value);
}

static void visit_properties(struct rewrite *rw, struct span object)
{
	visit_values(rw, object, visit_urns);
}

static void visit_references(struct rewrite *rw, struct span object)
{
	visit_values(rw, object, visit_urn);
}

/* The members that the table names, in the order in which they stand. */
static void visit_members(struct rewrite *rw, struct span object, const struct visit *table)
{
	struct span name, value;
	struct scan s;

	if (object.data[0] != '{')
		return;
	for (scan_open(&s, object); scan_member(&s, &name, &value);)
		for (const struct visit *v = table; v->name; v++)
			if (scan_name_is(name, v->name))
				v->visit(rw, value);
}

/* Only a value that holds a signature, perhaps spelt with escapes, can hold a reference. */
static bool may_refer(struct span value)
{
	return memmem(value.data, value.length, SIGNATURE, strlen(SIGNATURE)) || memmem(value.data, value.length, "\\u", 2);
}

static bool has_signature(struct rewrite *rw, struct span object, const char *signature)
{
	struct span value;

	return scan_find(object, SIGNATURE, &value) && scan_text(value, &rw->arena, &value) &&
	       span_equal(value, span_of(signature));
}

/* Inputs and outputs: resource references and the dependencies of output values, however deep. */
static void visit_deep(struct rewrite *rw, struct span value)
{
	static const struct visit reference[] = { { "urn", visit_urn }, { 0 } };
	static const struct visit output[] = { { "value", visit_deep }, { "dependencies", visit_urns }, { 0 } };

	if (value.data[0] == '[')
		visit_each(rw, value, visit_deep);
	if (value.data[0] != '{' || !may_refer(value))
		return;
	if (has_signature(rw, value, RESOURCE_REFERENCE))
		visit_members(rw, value, reference);
	else if (has_signature(rw, value, OUTPUT_VALUE))
		visit_members(rw, value, output);
	else
		visit_values(rw, value, visit_deep);
}

static void visit_resource(struct rewrite *rw, struct span resource)
{
	static const struct visit members[] = {
		{ "urn", visit_urn }, { "parent", visit_urn }, { "deletedWith", visit_urn }, { "viewOf", visit_urn },
		{ "dependencies", visit_urns }, { "replaceWith", visit_urns }, { "aliases", visit_urns },
		{ "propertyDependencies", visit_properties }, { "provider", visit_provider }, { "inputs", visit_deep },
		{ "outputs", visit_deep }, { "replacementTrigger", visit_deep }, { 0 },
	};

	visit_members(rw, resource, members);
}

static void visit_resources(struct rewrite *rw, struct span list)
{
	visit_each(rw, list, visit_resource);
}

static void visit_operation(struct rewrite *rw, struct span operation)
{
	static const struct visit members[] = { { "resource", visit_resource }, { 0 } };

	visit_members(rw, operation, members);
}

static void visit_operations(struct rewrite *rw, struct span list)
{
	visit_each(rw, list, visit_operation);
}

static void visit_snippet(struct rewrite *rw, struct span snippet)
{
	static const struct visit members[] = { { "references", visit_references }, { 0 } };

	visit_members(rw, snippet, members);
}

static void visit_snippets(struct rewrite *rw, struct span list)
{
	visit_each(rw, list, visit_snippet);
}

static void replace_if(struct rewrite *rw, struct span value, const char *from, const char *to)
{
	struct span text;

	if (scan_text(value, &rw->arena, &text) && span_equal(text, span_of(from)) && strcmp(from, to))
		replace(rw, value, span_of(to));
}

/* Organizations are named without regard to case. */
static void visit_owner(struct rewrite *rw, struct span value)
{
	const char *from = rw->from->organization, *to = rw->to->organization;
	struct span text;

	if (scan_text(value, &rw->arena, &text) && text.length == strlen(from) &&
	    !strncasecmp(text.data, from, text.length) && strcasecmp(from, to))
		replace(rw, value, span_of(to));
}

static void visit_project(struct rewrite *rw, struct span value)
{
	replace_if(rw, value, rw->from->project, rw->to->project);
}

static void visit_stack(struct rewrite *rw, struct span value)
{
	replace_if(rw, value, rw->from->name, rw->to->name);
}

static void visit_service(struct rewrite *rw, struct span state)
{
	static const struct visit members[] = { { "owner", visit_owner }, { "project", visit_project },
						{ "stack", visit_stack }, { 0 } };

	visit_members(rw, state, members);
}

/* Secrets that this service keeps are found by the stack's name. */
static void visit_secrets_providers(struct rewrite *rw, struct span object)
{
	static const struct visit members[] = { { "state", visit_service }, { 0 } };
	struct span type;

	if (object.data[0] == '{' && scan_find(object, "type", &type) && scan_text(type, &rw->arena, &type) &&
	    span_equal(type, SPAN("service")))
		visit_members(rw, object, members);
}

static void visit_deployment(struct rewrite *rw, struct span deployment)
{
	static const struct visit members[] = {
		{ "secrets_providers", visit_secrets_providers }, { "resources", visit_resources },
		{ "pending_operations", visit_operations }, { "snippets", visit_snippets }, { 0 },
	};

	visit_members(rw, deployment, members);
}

static void name_parts(struct rewrite *rw)
{
	rw->prefix = arena_printf(&rw->arena, "urn:pulumi:%s::%s::", rw->from->name, rw->from->project);
	rw->root = arena_printf(&rw->arena, ROOT_TYPE "::%s-%s", rw->from->project, rw->from->name);
	rw->new_prefix = arena_printf(&rw->arena, "urn:pulumi:%s::%s::", rw->to->name, rw->to->project);
	rw->new_root = arena_printf(&rw->arena, ROOT_TYPE "::%s-%s", rw->to->project, rw->to->name);
}

void rename_document(struct span document, const struct stack_path *from, const struct stack_path *to, struct buffer *out)
{
	static const struct visit members[] = { { "deployment", visit_deployment }, { 0 } };
	struct rewrite rw = { .from = from, .to = to, .out = out, .copied = document.data };

	name_parts(&rw);
	visit_members(&rw, scan_trim(document), members);
	buffer_append(out, rw.copied, (size_t)(document.data + document.length - rw.copied));
	buffer_done(&rw.text);
	arena_clear(&rw.arena);
}
