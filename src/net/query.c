/* SPDX-License-Identifier: Apache-2.0 */
#include "net/query.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static char *decode(const char *text, size_t length, struct arena *arena)
{
	int n = 0;
	char *plain = curl_easy_unescape(NULL, text, (int)length, &n);
	char *kept = arena_strndup(arena, plain ? plain : "", plain ? (size_t)n : 0);

	curl_free(plain);
	return kept;
}

int url_parse(const char *setting, const char *url, struct arena *arena, struct url_parts *ret, struct err *e)
{
	const char *name = strstr(url, "://"), *at;
	size_t n;

	*ret = (struct url_parts){ 0 };
	if (!name)
		return err_internal(e, "%s: '%s' is no URL", setting, url);
	name += 3;
	n = strcspn(name, "?/");
	ret->name = arena_strndup(arena, name, n);
	if (!n || (name[n] && name[n] != '?'))
		return err_internal(e, "%s: '%s' must be a scheme, '://', a name, and perhaps '?' and options (a folder in a bucket is ?prefix=…)",
				    setting, url);
	for (at = name[n] ? name + n + 1 : ""; *at; at += strcspn(at, "&"), at += *at == '&') {
		size_t whole = strcspn(at, "&"), left = strcspn(at, "=&");

		if (ret->count == sizeof(ret->options) / sizeof(ret->options[0]))
			return err_internal(e, "%s: more than %zu options", setting, ret->count);
		ret->options[ret->count].name = decode(at, left, arena);
		ret->options[ret->count++].value = left < whole ? decode(at + left + 1, whole - left - 1, arena) : "";
	}
	return 1;
}

const char *url_option(const struct url_parts *parts, const char *name, const char *fallback)
{
	for (size_t i = parts->count; i; i--)
		if (!strcmp(parts->options[i - 1].name, name))
			return parts->options[i - 1].value;
	return fallback;
}

int url_option_bool(const char *setting, const struct url_parts *parts, const char *name, bool *ret_value, struct err *e)
{
	const char *text = url_option(parts, name, "false");
	bool yes = !strcasecmp(text, "true") || !strcmp(text, "1");

	if (!yes && strcasecmp(text, "false") && strcmp(text, "0"))
		return err_internal(e, "%s: option %s: '%s' must be true or false", setting, name, text);
	*ret_value = yes;
	return 1;
}

int url_check_options(const char *setting, const struct url_parts *parts, const char *const *names, struct err *e)
{
	for (size_t i = 0; i < parts->count; i++) {
		size_t k = 0;

		while (names[k] && strcmp(names[k], parts->options[i].name))
			k++;
		if (!names[k])
			return err_internal(e, "%s: there is no option '%s'", setting, parts->options[i].name);
	}
	return 1;
}
