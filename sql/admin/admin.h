/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pulumi-admin: a command is a row of the table in pulumi-admin.c; its options are read by arguments.c, its
 * results printed by output.c, for people or (--json) for scripts. What a command changes, it changes in one
 * transaction with a row in the audit log; --dry-run runs the same and takes it back.
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include <stdio.h>

#include "base/app.h"
#include "identity/identity.h"
#include "json/fields.h"
#include "stack/stack.h"

#define ADMIN_OPTIONS 8		/* of one command, the common ones not counted */

struct option_spec {
	const char *name, *value, *help;	/* value NULL: a flag */
	bool required;
};

struct admin;

struct command {
	const char *name;		/* as it is typed: "user create" */
	const char *help;
	unsigned parts;			/* of start/start.h */
	bool changes;			/* takes --dry-run */
	int (*run)(struct admin *a, struct err *e);	/* 1 done, 0 done and something is wrong, -1 failed */
	struct option_spec options[ADMIN_OPTIONS + 1];
};

struct admin {
	struct app app;
	struct arena arena;
	const struct command *command;
	const char *values[ADMIN_OPTIONS];	/* of the command's options; NULL: not given */
	bool json, dry_run, help;
	int64_t now_told_us;			/* when progress was told last */
};

/* --- arguments.c --- */
/* Reads what follows the command's name. -1 with a sentence about the wrong one. */
int admin_arguments(struct admin *a, int argc, char **argv, struct err *e) WARN_UNUSED;
/* The value of an option of the running command, NULL when it was not given; a flag's is not NULL when given. */
const char *admin_option(const struct admin *a, const char *name);
/* A whole number. `fallback` when it was not given. */
int admin_number(const struct admin *a, const char *name, int64_t low, int64_t high, int64_t fallback, int64_t *ret_number,
		 struct err *e) WARN_UNUSED;
/* A line of standard input as a password of 10 to 160 characters; wipe and free it. */
int admin_read_password(struct buffer *ret_password, struct err *e) WARN_UNUSED;
void admin_help(FILE *out, const struct command *command);
/* Whether the command's name is that word and another. */
bool admin_is_below(const struct command *command, const char *word);
/* A line for each command of the table whose name starts with the word, or (NULL) for each. */
void admin_summary(FILE *out, const struct command *commands, size_t count, const char *word);

/* --- change.c --- */
/* Runs `work` in a transaction; with --dry-run it is taken back. */
int admin_change(struct admin *a, int (*work)(void *context, struct err *e), void *context, struct err *e) WARN_UNUSED;
/* A row in the audit log: in the transaction of the change. `organization_id` may be NULL. */
int admin_audit(struct admin *a, const char *event, const char *organization_id, const char *description, struct err *e) WARN_UNUSED;
/* 404 in a sentence when there is none. */
int admin_organization(struct admin *a, const char *login, struct organization *ret_organization, struct err *e) WARN_UNUSED;
/* Who acts for the administrator in an organization. */
struct caller admin_caller(struct admin *a, const struct organization *organization);
/* The master keys on their own: beside the database they would be recorded as keys of this installation, right or wrong. */
int admin_open_keys(struct admin *a, struct err *e) WARN_UNUSED;
/* "organization/project/stack", and a caller that acts in the organization. */
int admin_stack_path(struct admin *a, const char *text, struct stack_path *ret_path, struct caller *ret_caller,
		     struct err *e) WARN_UNUSED;

/* --- output.c --- */
void admin_list(const struct admin *a, const struct field *fields, const void *rows, size_t count, size_t size);
void admin_show(const struct admin *a, const struct field *fields, const void *row);
/* A line for people: nothing with --json. */
void admin_say(const struct admin *a, const char *format, ...) PRINTF_LIKE(2, 3);

/* How far a long command is, on standard error, at most once a second and not in the first two. */
struct progress {
	const char *what;
	int64_t began_us, told_us, done, total;	/* total 0: not known */
};
void progress_begin(const struct admin *a, struct progress *p, const char *what, int64_t total);
void progress_add(const struct admin *a, struct progress *p, int64_t done);

/* --- the commands --- */
int admin_user_create(struct admin *a, struct err *e);
int admin_user_list(struct admin *a, struct err *e);
int admin_user_delete(struct admin *a, struct err *e);
int admin_user_password(struct admin *a, struct err *e);
int admin_user_admin(struct admin *a, struct err *e);
int admin_org_create(struct admin *a, struct err *e);
int admin_org_list(struct admin *a, struct err *e);
int admin_org_members(struct admin *a, struct err *e);
int admin_org_add_member(struct admin *a, struct err *e);
int admin_org_remove_member(struct admin *a, struct err *e);
int admin_token_create(struct admin *a, struct err *e);
int admin_token_list(struct admin *a, struct err *e);
int admin_token_revoke(struct admin *a, struct err *e);
int admin_stack_list(struct admin *a, struct err *e);
int admin_stack_show(struct admin *a, struct err *e);
int admin_stack_delete(struct admin *a, struct err *e);
int admin_stack_restore(struct admin *a, struct err *e);
int admin_stack_unlock(struct admin *a, struct err *e);
int admin_key_status(struct admin *a, struct err *e);
int admin_key_rotate(struct admin *a, struct err *e);
int admin_key_forget(struct admin *a, struct err *e);
int admin_mail_list(struct admin *a, struct err *e);
int admin_mail_show(struct admin *a, struct err *e);
int admin_mail_retry(struct admin *a, struct err *e);
int admin_mail_drop(struct admin *a, struct err *e);
int admin_mail_test(struct admin *a, struct err *e);
int admin_audit_fetch(struct admin *a, struct err *e);
int admin_check(struct admin *a, struct err *e);
int admin_objects_copy(struct admin *a, struct err *e);
int admin_backup(struct admin *a, struct err *e);
int admin_backup_check(struct admin *a, struct err *e);
int admin_restore(struct admin *a, struct err *e);
int admin_verify(struct admin *a, struct err *e);

#endif
