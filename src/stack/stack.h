/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks: their names, configuration and life. State belongs to src/update, tags to stack/tag.h. */
#ifndef STACK_STACK_H
#define STACK_STACK_H

#include "identity/identity.h"

struct stack_path {
	const char *organization, *project, *name;
};

struct stack {
	char *id, *project, *name, *active_update_id;
	struct span tags, config;	/* JSON; config has data NULL unless it is remote */
	int64_t version, checkpoint_version, resource_count, last_update_at;	/* checkpoint_version -1: none */
	bool locked;			/* an update holds it, and may have saved more than the state */
	struct span state_sha256;	/* of the state that its last update left; data NULL: it has none */
};

/* --- find --- */
/* 1, or -1 with 404 in the words that the command line shows. */
int stack_find(struct db *db, const struct caller *c, const struct stack_path *path, struct arena *arena, struct stack *ret_stack,
	       struct err *e) WARN_UNUSED;
struct stack_operation {
	char *kind, *author;
	int64_t started;
};
/* What runs on the stack: 0 nothing does, or its lease has lapsed. */
int stack_operation(struct db *db, const struct stack *stack, int64_t now_us, struct arena *arena, struct stack_operation *ret_operation,
		    struct err *e) WARN_UNUSED;
/* 404 in the words that the command line shows. */
int stack_not_found(const struct stack_path *path, struct err *e);
/* 409 in the words that the command line shows. */
int stack_exists_already(const struct stack_path *path, struct err *e);
/*
 * The caller behind a bearer value, its membership in path->organization, and the stack there, all at once. 0 when the token is
 * unknown or has expired; ret_stack->id is NULL when the caller's organization has no such stack. Nothing is checked but that the
 * caller belongs to the organization.
 */
int stack_by_token(struct db *db, struct span bearer, const struct stack_path *path, int64_t now_us, struct arena *arena,
		   struct caller *ret_caller, struct stack *ret_stack, struct err *e) WARN_UNUSED;
/* The same as find, without the lock and the state, and locks the row until the end of the transaction. */
int stack_lock(struct db *db, const struct caller *c, const struct stack_path *path, struct arena *arena,
	       struct stack *ret_stack, struct err *e) WARN_UNUSED;
/*
 * Locks up to STACKS_AT_ONCE stacks of the caller's organization, which differ, with one statement: ret_ids[i] is the id of
 * list[i]. 404 that names the first one that is not there.
 */
#define STACKS_AT_ONCE 50
int stack_lock_all(struct db *db, const struct caller *c, const struct stack_path *list, size_t count, struct arena *arena,
		   const char **ret_ids, struct err *e) WARN_UNUSED;
/* 1 when the project has a stack, 0 when not. */
int stack_project_exists(struct db *db, const struct caller *c, const char *project, struct err *e) WARN_UNUSED;

/* --- make and change --- */
/* 400 when it is no name of a `what` ("project", "stack"). */
int stack_check_name(const char *what, const char *name, struct err *e) WARN_UNUSED;
/* `ret_id` receives the identifier; `config` JSON or data NULL. 409 when the name is taken. In a transaction. */
int stack_create(struct db *db, const struct caller *c, const struct stack_path *path, struct span config, int64_t now_us,
		 char ret_id[UUID_TEXT], struct err *e) WARN_UNUSED;
/* JSON, or data NULL for configuration that is local again. In a transaction. */
int stack_set_config(struct db *db, const struct caller *c, const struct stack_path *path, struct span config,
		     struct err *e) WARN_UNUSED;
/* Gives a locked stack another place. 409 when the name is taken. In a transaction. */
int stack_move(struct db *db, const struct stack *stack, const char *organization_id, const struct stack_path *to,
	       struct err *e) WARN_UNUSED;

/* --- list --- */
struct stack_listed {
	char *id, *project, *name;
	int64_t last_update_at, resource_count;
	bool running;
	const char *organization, *self;	/* for the reply */
	const struct stack_listed *links;	/* for the reply */
};

struct stack_filter {
	const char *project, *tag_name, *tag_value;	/* NULL: any; a value without a name says nothing */
};

/* Stacks of one organization behind the id `after` (""), by id, at most `limit`. */
int stack_list(struct db *db, const char *organization_id, const struct stack_filter *filter, const char *after,
	       int64_t limit, int64_t now_us, struct arena *arena, struct stack_listed **ret_list, size_t *ret_count,
	       struct err *e) WARN_UNUSED;

/* --- end --- */
/*
 * Soft: the name is free at once, everything else stays until it is purged. 400 when resources remain and not
 * forced, 409 while an update runs. In a transaction.
 */
int stack_delete(struct db *db, const struct caller *c, const struct stack_path *path, bool force,
		 int64_t now_us, struct err *e) WARN_UNUSED;

struct stack_last_update {
	const char *status;		/* NULL: it was never updated */
	int64_t started_at, ended_at, resource_count;
};

struct stack_deleted {
	char *id, *project, *name;
	int64_t deleted_at, version;
	struct stack_last_update last;
};
/* The stacks deleted last, newest first. */
int stack_list_deleted(struct db *db, const struct caller *c, int64_t limit, struct arena *arena,
		       struct stack_deleted **ret_list, size_t *ret_count, struct err *e) WARN_UNUSED;
/*
 * `name` says which stack was meant, NULL: whatever its name was. 404 when there is no such deleted stack, 409 when
 * its name was taken meanwhile. In a transaction.
 */
int stack_restore(struct db *db, const struct caller *c, const char *id, const char *name, struct err *e) WARN_UNUSED;

#endif
