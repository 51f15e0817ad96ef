/* SPDX-License-Identifier: Apache-2.0 */
/* Tags of stacks: one JSON object in the stack's row for reading, a row each in stack_tags for finding. */
#ifndef STACK_TAG_H
#define STACK_TAG_H

#include "json/fields.h"
#include "stack/stack.h"

/* Names and values as the command line checks them: 400 for what would not come back from it. */
int stack_check_tags(const struct text_map *tags, struct err *e) WARN_UNUSED;
/* Makes them all the tags of a stack that the transaction has locked; nothing is written when they are the same. */
int stack_write_tags(struct db *db, const char *organization_id, const struct stack *stack, const struct text_map *tags,
		     struct err *e) WARN_UNUSED;
/* Replaces all tags; 400 when that would change the name of the project. In a transaction. */
int stack_set_tags(struct db *db, const struct caller *c, const struct stack_path *path, const struct text_map *tags,
		   struct err *e) WARN_UNUSED;

/* Adds a tag; 400 when it is there. In a transaction. */
int stack_add_tag(struct db *db, const struct caller *c, const struct stack_path *path, const struct text_pair *tag,
		  struct err *e) WARN_UNUSED;
/* Gives a tag another value, and another name when that differs; 404 when it is not there. In a transaction. */
int stack_change_tag(struct db *db, const struct caller *c, const struct stack_path *path, const char *name,
		     const struct text_pair *tag, struct err *e) WARN_UNUSED;
/* 404 when it is not there. In a transaction. */
int stack_remove_tag(struct db *db, const struct caller *c, const struct stack_path *path, const char *name,
		     struct err *e) WARN_UNUSED;

#endif
