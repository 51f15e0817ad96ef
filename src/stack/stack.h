/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks: their names, tags and life. State belongs to src/update. */
#ifndef STACK_STACK_H
#define STACK_STACK_H

#include "identity/identity.h"
#include "json/fields.h"

struct stack_path {
	const char *organization, *project, *name;
};

struct stack {
	char *id, *project, *name, *active_update_id;
	struct span tags, config;	/* JSON; config has data NULL unless it is remote */
	int64_t version, checkpoint_version, resource_count, last_update_at;	/* checkpoint_version -1: none */
	/* the running operation, NULL kind when there is none or its lease has lapsed */
	char *operation_kind, *operation_author;
	int64_t operation_started;
};

struct stack_listed {
	char *id, *organization, *project, *name;
	int64_t last_update_at, resource_count;
	bool running;
	const char *self;			/* for the reply */
	const struct stack_listed *links;	/* for the reply */
};

struct stack_filter {
	const char *organization, *project, *tag_name, *tag_value, *after;	/* NULL: any; after: id of the last row seen */
};

/* 1, or -1 with 404 in the words that the command line shows. */
int stack_find(struct db *db, const struct caller *c, const struct stack_path *path, int64_t now_us,
	       struct arena *arena, struct stack *ret_stack, struct err *e) WARN_UNUSED;
/* 404 in the words that the command line shows. */
int stack_not_found(const struct stack_path *path, struct err *e);
/* The same and locks the row until the end of the transaction. */
int stack_lock(struct db *db, const struct caller *c, const struct stack_path *path, struct arena *arena,
	       struct stack *ret_stack, struct err *e) WARN_UNUSED;
/* 1 when the project has a stack, 0 when not. */
int stack_project_exists(struct db *db, const struct caller *c, const char *project, struct err *e) WARN_UNUSED;
/* `ret_id` receives the identifier. 409 when the name is taken. In a transaction. */
int stack_create(struct db *db, const struct caller *c, const struct stack_path *path, const char *tags,
		 int64_t now_us, char ret_id[UUID_TEXT], struct err *e) WARN_UNUSED;
/* 400 when resources remain and not forced, 409 while an update runs. In a transaction. */
int stack_delete(struct db *db, const struct caller *c, const struct stack_path *path, bool force,
		 int64_t now_us, struct err *e) WARN_UNUSED;
/* Names and values as the command line checks them: 400 for what would not come back from it. */
int stack_check_tags(const struct text_map *tags, struct err *e) WARN_UNUSED;
int stack_set_tags(struct db *db, const struct caller *c, const struct stack_path *path, const char *tags,
		   struct err *e) WARN_UNUSED;
/* Stacks that the caller's organizations own, by id, at most `limit`. */
int stack_list(struct db *db, const struct caller *c, const struct stack_filter *filter, int64_t limit,
	       struct arena *arena, struct stack_listed **ret_list, size_t *ret_count, struct err *e) WARN_UNUSED;

#endif
