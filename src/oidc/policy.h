/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Auth policies: which tokens of an OIDC issuer are exchanged for which of ours. A policy is a list of definitions, each
 * an `allow` or a `deny` for one type of token under rules about claims. What no definition allows is denied, and one
 * that denies counts before all that allow.
 */
#ifndef OIDC_POLICY_H
#define OIDC_POLICY_H

#include "identity/identity.h"
#include "json/fields.h"

struct policy {
	char *id, *issuer_id;
	int64_t version, created_at, modified_at;
	struct span definitions;	/* JSON list, as policy_write_definitions wrote it */
	char *object_id;		/* of the object that has them; NULL: the row has */
	struct span sha256;		/* of their text there */
};

/* The new token that somebody asks for. */
struct policy_question {
	const char *token_type;		/* organization, team, personal, runner */
	const char *name;		/* of the team, user or runner; NULL for organization */
	bool admin;			/* organization: with the role admin */
	struct span claims;		/* of the verified token */
};

/* The text for a new issuer, which denies everything: policy_text.h. */
struct policy_kept;
int policy_keep_first(struct app *app, const char *organization_id, int64_t now_us, struct arena *arena, struct policy_kept *ret_kept,
		      struct err *e) WARN_UNUSED;
/* The row for it. In a transaction. */
int policy_create(struct db *db, const char *organization_id, const char *issuer_id, const struct policy_kept *kept, int64_t now_us,
		  struct err *e) WARN_UNUSED;
/* The policy of an issuer: 1, or -1 with 404, or with 503 while the store that has it is away. */
int policy_of_issuer(struct app *app, const char *organization_id, const char *issuer_id, struct arena *arena,
		     struct policy *ret_policy, struct err *e) WARN_UNUSED;
/*
 * Replaces the definitions, a JSON list as a client sent it: 400 when one is not as it must be, 404, 503. In a transaction; the
 * store is called before anything is locked.
 */
int policy_change(struct app *app, const struct caller *c, const char *id, struct span definitions, int64_t now_us,
		  struct arena *arena, struct policy *ret_policy, struct err *e) WARN_UNUSED;

/* The list checked and written again, with exactly the members that mean something. 400. */
int policy_write_definitions(struct span definitions, struct buffer *out, struct err *e) WARN_UNUSED;
/* 1 allowed, 0 not. The definitions are a stored list. */
int policy_decide(struct span definitions, const struct policy_question *q, struct err *e) WARN_UNUSED;

#endif
