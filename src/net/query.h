/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a URL that chooses a provider: scheme://name?option=value&… */
#ifndef NET_QUERY_H
#define NET_QUERY_H

#include "base/arena.h"
#include "base/buffer.h"

struct url_option {
	const char *name, *value;
};

struct url_parts {
	const char *name;		/* between "://" and '?' */
	struct url_option options[32];
	size_t count;
};

/* 1; -1 with a sentence in e->detail that starts with the setting's name. */
int url_parse(const char *setting, const char *url, struct arena *arena, struct url_parts *ret_parts, struct err *e) WARN_UNUSED;
/* The last option of that name, or `fallback`. */
const char *url_option(const struct url_parts *parts, const char *name, const char *fallback);
/* true, 1, false or 0; 400-like sentence otherwise. */
int url_option_bool(const char *setting, const struct url_parts *parts, const char *name, bool *ret_value, struct err *e) WARN_UNUSED;
/* Refuses an option that is in none of the names (NULL ends them). */
int url_check_options(const char *setting, const struct url_parts *parts, const char *const *names, struct err *e) WARN_UNUSED;

#endif
