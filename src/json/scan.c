/* SPDX-License-Identifier: Apache-2.0 */
#include "json/scan.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "base/limits.h"

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

/* The end of a valid multi-byte UTF-8 sequence, NULL when it is none. */
static const char *skip_utf8(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t n = u[0] >= 0xc2 && u[0] <= 0xdf ? 2 : (u[0] & 0xf0) == 0xe0 ? 3 : u[0] >= 0xf0 && u[0] <= 0xf4 ? 4 : 0;

	if (n == 0 || (size_t)(end - p) < n)
		return NULL;
	for (size_t i = 1; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return NULL;
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
	    (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return NULL;
	return p + n;
}

static const char *skip_escape(const char *p, const char *end)
{
	if (p >= end)
		return NULL;
	if (*p != 'u')
		return strchr("\"\\/bfnrt", *p) && *p ? p + 1 : NULL;
	if (end - p < 5)
		return NULL;
	for (int i = 1; i < 5; i++)
		if (!isxdigit((unsigned char)p[i]))
			return NULL;
	return p + 5;
}

/* From the opening quote to behind the closing one. */
static const char *skip_string(const char *p, const char *end)
{
	p++;
	while (p && p < end && *p != '"') {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20)
			return NULL;
		p = c == '\\' ? skip_escape(p + 1, end) : c < 0x80 ? p + 1 : skip_utf8(p, end);
	}
	return p && p < end ? p + 1 : NULL;
}

static const char *skip_digits(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && isdigit((unsigned char)*p))
		p++;
	return p > from ? p : NULL;
}

static const char *skip_number(const char *p, const char *end)
{
	if (*p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else
		p = skip_digits(p, end);
	if (p && p < end && *p == '.')
		p = skip_digits(p + 1, end);
	if (p && p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		p = skip_digits(p, end);
	}
	return p;
}

static const char *skip_word(const char *p, const char *end)
{
	static const char *words[] = { "true", "false", "null" };

	for (int i = 0; i < 3; i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(end - p) >= n && !memcmp(p, words[i], n))
			return p + n;
	}
	return NULL;
}

static const char *skip_scalar(const char *p, const char *end)
{
	if (*p == '"')
		return skip_string(p, end);
	if (*p == '-' || isdigit((unsigned char)*p))
		return skip_number(p, end);
	return skip_word(p, end);
}

/* A member's name and colon, up to where its value starts. */
static const char *skip_name(const char *p, const char *end)
{
	p = skip_space(p, end);
	if (p >= end || *p != '"')
		return NULL;
	p = skip_string(p, end);
	p = p ? skip_space(p, end) : NULL;
	return p && p < end && *p == ':' ? skip_space(p + 1, end) : NULL;
}

/* Closes what ends here; NULL on a mismatch, otherwise where the next value starts, or the end. */
static const char *after_value(const char *p, const char *end, const char *open, size_t *depth)
{
	while (*depth) {
		p = skip_space(p, end);
		if (p >= end)
			return NULL;
		if (*p == ',')
			return open[*depth - 1] == '{' ? skip_name(p + 1, end) : skip_space(p + 1, end);
		if (*p != (open[*depth - 1] == '{' ? '}' : ']'))
			return NULL;
		p++;
		(*depth)--;
	}
	return p;
}

/* The end of the value at p; NULL when it is not valid JSON or nested too deeply. */
static const char *skip_value(const char *p, const char *end)
{
	char open[LIMIT_JSON_DEPTH];
	size_t depth = 0;

	do {
		if (!p || p >= end)
			return NULL;
		if (*p != '{' && *p != '[') {
			p = skip_scalar(p, end);
		} else if (depth == LIMIT_JSON_DEPTH) {
			return NULL;
		} else {
			char close = *p == '{' ? '}' : ']';
			const char *inside = skip_space(p + 1, end);

			open[depth++] = *p;
			if (inside >= end || *inside != close) {
				p = close == '}' ? skip_name(p + 1, end) : inside;
				continue;
			}
			depth--;
			p = inside + 1;
		}
		if (p)
			p = after_value(p, end, open, &depth);
	} while (depth);
	return p;
}

int scan_document(struct span text, struct span *ret_value, struct err *e)
{
	const char *end = text.data + text.length;
	const char *from = skip_space(text.data, end);
	const char *to = skip_value(from, end);

	if (!to || skip_space(to, end) != end)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: the body is not valid JSON in UTF-8 (or nested deeper than %d)",
			       LIMIT_JSON_DEPTH);
	*ret_value = (struct span){ from, (size_t)(to - from) };
	return 1;
}

void scan_open(struct scan *s, struct span value)
{
	s->at = value.data + 1;
	s->end = value.data + value.length - 1;
}

bool scan_element(struct scan *s, struct span *ret_value)
{
	const char *from = skip_space(s->at, s->end);

	if (from >= s->end)
		return false;
	s->at = skip_value(from, s->end);
	*ret_value = (struct span){ from, (size_t)(s->at - from) };
	s->at = skip_space(s->at, s->end);
	if (s->at < s->end)
		s->at++;
	return true;
}

bool scan_member(struct scan *s, struct span *ret_name, struct span *ret_value)
{
	const char *from = skip_space(s->at, s->end), *to;

	if (from >= s->end)
		return false;
	to = skip_string(from, s->end);
	*ret_name = (struct span){ from + 1, (size_t)(to - from) - 2 };
	s->at = skip_space(to, s->end) + 1;
	return scan_element(s, ret_value);
}

bool scan_find(struct span object, const char *name, struct span *ret_value)
{
	struct span found = { NULL, 0 }, key, value;
	size_t n = strlen(name);
	struct scan s;

	if (object.length < 2 || object.data[0] != '{')
		return false;
	scan_open(&s, object);
	while (scan_member(&s, &key, &value))
		if (key.length == n && !strncasecmp(key.data, name, n))
			found = value;
	if (!found.data || found.data[0] == 'n')
		return false;
	*ret_value = found;
	return true;
}

bool scan_int(struct span value, int64_t *ret_value)
{
	char text[24];
	char *end;

	if (value.length == 0 || value.length >= sizeof(text))
		return false;
	memcpy(text, value.data, value.length);
	text[value.length] = '\0';
	*ret_value = strtoll(text, &end, 10);
	return *end == '\0' && (isdigit((unsigned char)text[0]) || text[0] == '-');
}
