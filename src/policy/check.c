/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/check.h"

#include "base/limits.h"
#include "base/map.h"
#include "json/scan.h"
#include "json/write.h"

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

static const char *const levels[] = { "advisory", "mandatory", "remediate", "disabled" };
static const char *const severities[] = { "", "low", "medium", "high", "critical" };
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

bool policy_name_valid(const char *name)
{
	size_t n = strlen(name);

	/* Both would mean something else in a path of an archive that is unpacked under its name. */
	return n >= 1 && n <= LIMIT_NAME && strspn(name, NAME_CHARACTERS) == n && strcmp(name, ".") && strcmp(name, "..");
}

bool policy_tag_valid(const char *tag)
{
	return policy_name_valid(tag);
}

int policy_check_name(const char *what, const char *name, struct err *e)
{
	return policy_name_valid(name) ? 1 : err_set(e, ERR_BAD_REQUEST, "Bad Request: '%.100s' is no name of a %s: it must have 1 to %d "
						     "letters, digits, hyphens, underscores and periods", name, what, LIMIT_NAME);
}

int policy_check_tag(const char *tag, struct err *e)
{
	/* "latest" is what a client calls the newest version. */
	if (policy_tag_valid(tag) && strcmp(tag, "latest"))
		return 1;
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'versionTag' is '%.100s': it must have 1 to %d letters, digits, hyphens, underscores "
		       "and periods, and not be 'latest'", tag, LIMIT_NAME);
}

static bool is_text(struct span value)
{
	return value.length && value.data[0] == '"';
}

/* A text without escapes, which is what all words are. */
static bool is_one_of(struct span value, const char *const *words, size_t count)
{
	for (size_t i = 0; is_text(value) && i < count; i++)
		if (span_equal((struct span){ value.data + 1, value.length - 2 }, span_of(words[i])))
			return true;
	return false;
}

static int wrong_policy(struct span name, const char *why, struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: policy %.*s: %s", (int)(name.length < 200 ? name.length : 200), name.data, why);
}

/* Names are what configurations refer to: without escapes, so that a name is its own spelling. */
static bool is_name(struct span value)
{
	return is_text(value) && value.length > 2 && value.length < 258 && !memchr(value.data, '\\', value.length);
}

static int check_schema(struct span name, struct span schema, struct err *e)
{
	struct span properties, required, each;
	struct scan s;

	if (schema.data[0] != '{')
		return wrong_policy(name, "'configSchema' must be an object", e);
	if (scan_find(schema, "properties", &properties)) {
		if (properties.data[0] != '{')
			return wrong_policy(name, "'configSchema.properties' must be an object", e);
		for (scan_open(&s, properties); scan_member(&s, &(struct span){ 0 }, &each);)
			if (each.data[0] != '{')
				return wrong_policy(name, "each of 'configSchema.properties' must be an object", e);
	}
	if (!scan_find(schema, "required", &required))
		return 1;
	if (required.data[0] != '[')
		return wrong_policy(name, "'configSchema.required' must be a list of strings", e);
	for (scan_open(&s, required); scan_element(&s, &each);)
		if (!is_text(each))
			return wrong_policy(name, "'configSchema.required' must be a list of strings", e);
	return 1;
}

static int check_texts(struct span policy, struct span name, struct err *e)
{
	static const char *const names[] = { "displayName", "description", "message", "remediationSteps", "url" };
	struct span values[COUNT(names)], tags;

	scan_pick(policy, names, COUNT(names), values);
	for (size_t i = 0; i < COUNT(names); i++)
		if (values[i].data && !is_text(values[i]))
			return wrong_policy(name, "its displayName, description, message, remediationSteps and url must be strings", e);
	return scan_find(policy, "tags", &tags) && tags.data[0] != '[' ? wrong_policy(name, "'tags' must be a list of strings", e) : 1;
}

static int check_policy(struct span policy, struct span *ret_name, struct err *e)
{
	struct span name, value;

	if (policy.data[0] != '{' || !scan_find(policy, "name", &name) || !is_name(name))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: each of 'policies' must be an object with a 'name' of 1 to 255 bytes without "
			       "quotes and backslashes");
	*ret_name = (struct span){ name.data + 1, name.length - 2 };
	if (!scan_find(policy, "enforcementLevel", &value) || !is_one_of(value, levels, COUNT(levels)))
		return wrong_policy(name, "'enforcementLevel' must be advisory, mandatory, remediate or disabled", e);
	if (scan_find(policy, "severity", &value) && !is_one_of(value, severities, COUNT(severities)))
		return wrong_policy(name, "'severity' must be low, medium, high or critical", e);
	if (scan_find(policy, "framework", &value) && value.data[0] != '{')
		return wrong_policy(name, "'framework' must be an object", e);
	if (scan_find(policy, "configSchema", &value) && check_schema(name, value, e) < 0)
		return -1;
	return check_texts(policy, name, e);
}

int policies_check(struct span policies, struct err *e)
{
	_cleanup_(map_done) struct map seen = MAP_INIT;
	struct span policy, name;
	struct scan s;
	size_t n = 0;

	if (policies.data[0] != '[')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'policies' must be a list");
	for (scan_open(&s, policies); scan_element(&s, &policy); n++) {
		if (n == LIMIT_PACK_POLICIES)
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'policies' has more than %d items", LIMIT_PACK_POLICIES);
		if (check_policy(policy, &name, e) < 0)
			return -1;
		if (map_get(&seen, name))
			return wrong_policy(name, "the name is there twice", e);
		*map_put(&seen, name) = &seen;
	}
	return n ? 1 : err_set(e, ERR_BAD_REQUEST, "Bad Request: 'policies' is empty: a policy pack must have at least one policy");
}

/* --- what is told of them --- */

void policies_write_schema(struct span policies, struct buffer *out)
{
	struct span policy, name, schema;
	bool any = false;
	struct scan s;

	buffer_putc(out, '{');
	for (scan_open(&s, policies); scan_element(&s, &policy);) {
		if (!scan_find(policy, "name", &name) || !scan_find(policy, "configSchema", &schema))
			continue;
		if (!any)
			json_write_name(out, "configSchema");
		buffer_putc(out, any ? ',' : '{');
		buffer_append(out, name.data, name.length);
		buffer_putc(out, ':');
		buffer_append(out, schema.data, schema.length);
		any = true;
	}
	buffer_puts(out, any ? "}}" : "}");
}

void policies_write_levels(struct span policies, struct buffer *out)
{
	bool there[COUNT(levels)] = { false };
	struct span policy, level;
	struct scan s;

	for (scan_open(&s, policies); scan_element(&s, &policy);)
		for (size_t i = 0; scan_find(policy, "enforcementLevel", &level) && i < COUNT(levels); i++)
			there[i] |= is_one_of(level, &levels[i], 1);
	buffer_putc(out, '[');
	for (size_t i = 0; i < COUNT(levels); i++)
		if (there[i]) {
			json_write_separator(out);
			json_write_text(out, levels[i]);
		}
	buffer_putc(out, ']');
}

/* --- configuration --- */

/* A member whose name is spelt just so. */
static bool find_exactly(struct span object, struct span name, struct span *ret_value)
{
	struct span each, value;
	struct scan s;

	for (scan_open(&s, object); scan_member(&s, &each, &value);)
		if (span_equal(each, name)) {
			*ret_value = value;
			return true;
		}
	return false;
}

static bool is_type(struct span value, struct span type)
{
	static const char *const whole[] = { "integer" };
	char first = value.data[0];
	const char *is = first == '"' ? "string" : first == '{' ? "object" : first == '[' ? "array" : first == 'n' ? "null" :
			 first == 't' || first == 'f' ? "boolean" : "number";
	int64_t ignored;

	return is_one_of(type, &is, 1) || (is_one_of(type, whole, 1) && scan_int(value, &ignored));
}

/* A schema names one type, or several, or none. */
static bool fits_type(struct span value, struct span schema)
{
	struct span type, each;
	struct scan s;

	if (!scan_find(schema, "type", &type) || (!is_text(type) && type.data[0] != '['))
		return true;
	if (is_text(type))
		return is_type(value, type);
	for (scan_open(&s, type); scan_element(&s, &each);)
		if (is_type(value, each))
			return true;
	return false;
}

static bool fits_choice(struct span value, struct span schema)
{
	struct span choice, each;
	struct scan s;

	if (!scan_find(schema, "enum", &choice) || choice.data[0] != '[')
		return true;
	for (scan_open(&s, choice); scan_element(&s, &each);)
		if (span_equal(value, each))
			return true;
	return false;
}

static int wrong_property(struct span policy, struct span property, const char *why, struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: configuration of the policy '%.*s': '%.*s' %s",
		       (int)(policy.length < 200 ? policy.length : 200), policy.data, (int)(property.length < 200 ? property.length : 200),
		       property.data, why);
}

static int check_values(struct span name, struct span config, struct span schema, struct err *e)
{
	struct span properties, property, value, rule;
	struct scan s;

	if (!scan_find(schema, "properties", &properties))
		return 1;
	for (scan_open(&s, config); scan_member(&s, &property, &value);) {
		if (!find_exactly(properties, property, &rule))
			continue;
		if (!fits_type(value, rule))
			return wrong_property(name, property, "is not of the type that the policy asks for", e);
		if (!fits_choice(value, rule))
			return wrong_property(name, property, "is none of the values that the policy allows", e);
	}
	return 1;
}

static int check_required(struct span name, struct span config, struct span schema, struct err *e)
{
	struct span required, each, property, properties, rule, value;
	struct scan s;

	if (!scan_find(schema, "required", &required))
		return 1;
	for (scan_open(&s, required); scan_element(&s, &each);) {
		property = (struct span){ each.data + 1, each.length - 2 };
		if (config.data && find_exactly(config, property, &value))
			continue;
		if (scan_find(schema, "properties", &properties) && find_exactly(properties, property, &rule) &&
		    find_exactly(rule, SPAN("default"), &value))
			continue;
		return wrong_property(name, property, "is required", e);
	}
	return 1;
}

/* Every policy of the configuration is known, and what it says can be read. */
static int check_members(const struct map *known, struct span config, struct err *e)
{
	struct span name, value, level;
	struct scan s;

	for (scan_open(&s, config); scan_member(&s, &name, &value);) {
		if (!span_equal(name, SPAN("all")) && !map_get(known, name))
			return wrong_policy(name, "the configuration names it, but the policy pack has no such policy", e);
		/* An absent one, as a Go client writes it. */
		if (value.data[0] == 'n')
			continue;
		if (value.data[0] != '{')
			return wrong_policy(name, "its configuration must be an object", e);
		if (find_exactly(value, SPAN("enforcementLevel"), &level) && !is_one_of(level, levels, COUNT(levels)))
			return wrong_policy(name, "'enforcementLevel' must be advisory, mandatory, remediate or disabled", e);
	}
	return 1;
}

static int check_configured(struct span policy, struct span config, bool whole, struct err *e)
{
	struct span name, schema, given = { 0 };

	if (!scan_find(policy, "name", &name) || !scan_find(policy, "configSchema", &schema))
		return 1;
	name = (struct span){ name.data + 1, name.length - 2 };
	if (config.data && find_exactly(config, name, &given) && given.data[0] == 'n')
		given = (struct span){ 0 };
	if (given.data && check_values(name, given, schema, e) < 0)
		return -1;
	return whole ? check_required(name, given, schema, e) : 1;
}

int policies_check_config(struct span policies, struct span config, bool whole, struct err *e)
{
	_cleanup_(map_done) struct map known = MAP_INIT;
	struct span policy, name;
	struct scan s;

	for (scan_open(&s, policies); scan_element(&s, &policy);)
		if (scan_find(policy, "name", &name))
			*map_put(&known, (struct span){ name.data + 1, name.length - 2 }) = &known;
	if (config.data && check_members(&known, config, e) < 0)
		return -1;
	for (scan_open(&s, policies); scan_element(&s, &policy);)
		if (check_configured(policy, config, whole, e) < 0)
			return -1;
	return 1;
}
