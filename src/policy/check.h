/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What names, policies and their configurations must be. Policies are kept as their author wrote them; here only what
 * clients and this server rely on is looked at (apitype/policy.go of the command line).
 */
#ifndef POLICY_CHECK_H
#define POLICY_CHECK_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"

/* 1 to 100 letters, digits, or one of -_. */
bool policy_name_valid(const char *name);
bool policy_tag_valid(const char *tag);
/* 400 when not; `what` is "policy pack" or "policy group". */
int policy_check_name(const char *what, const char *name, struct err *e) WARN_UNUSED;
int policy_check_tag(const char *tag, struct err *e) WARN_UNUSED;

/* A list of policies: at least one, each with a name of its own, a level, and a schema that is an object. 400. */
int policies_check(struct span policies, struct err *e) WARN_UNUSED;
/* Appends {"configSchema": {policy: schema}} of those that have one. */
void policies_write_schema(struct span policies, struct buffer *out);
/* Appends the levels of the policies, each once, as a list of texts. */
void policies_write_levels(struct span policies, struct buffer *out);

/*
 * A configuration, {policy or "all": {enforcementLevel, property…}}, for these policies: each names one, has a level that
 * exists, and values of the type that the schema asks for; `whole`: required ones are there, or have a default. data NULL is
 * an empty one. 400 that names policy and property.
 */
int policies_check_config(struct span policies, struct span config, bool whole, struct err *e) WARN_UNUSED;

#endif
