/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a token says about its holder: members of JSON objects by their exact names, paths to them, and the patterns
 * that they are compared with. Nothing here trusts the token; it is verified in jwt.h.
 */
#ifndef OIDC_CLAIMS_H
#define OIDC_CLAIMS_H

#include "base/arena.h"
#include "base/buffer.h"

/* 1 when the text is one JSON object in which no object, however deep, has a name twice. */
int claims_check(struct span json, struct err *e) WARN_UNUSED;
/* The member with exactly this name; false when it is absent. The object passed claims_check. */
bool claim_find(struct span object, struct span name, struct arena *arena, struct span *ret_value);
/* The same when it is a text, else NULL. */
const char *claim_text(struct span object, const char *name, struct arena *arena);

/*
 * Names separated by dots: `sub`, `kubernetes.namespace`. A name that has dots itself stands in double quotes:
 * `"kubernetes.io".serviceaccount.name`; a quote or backslash in it behind a backslash.
 */
struct claim_path {
	struct span *names;
	size_t count;
};
/* 400 when it is no path. */
int claim_path_read(const char *text, struct arena *arena, struct claim_path *ret_path, struct err *e) WARN_UNUSED;
bool claim_at(struct span claims, const struct claim_path *path, struct arena *arena, struct span *ret_value);

/* `*` is any run of characters, `?` one or none, `.` exactly one; all else is itself, letters in their case. */
bool pattern_matches(const char *pattern, struct span text);
/* A text, a number, true or false matches as it is written; a list when one of its elements does; objects and null never. */
bool claim_matches(struct span value, const char *pattern, struct arena *arena);

#endif
