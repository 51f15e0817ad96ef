/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADMIN_ADMIN_SQL_H
#define ADMIN_ADMIN_SQL_H

#include "identity/identity.h"

struct user_row {
	char *id, *login, *email, *name;
	bool site_admin;
	int64_t created_at, tokens, organizations;
};

struct organization_row {
	char *id, *login, *name;
	int64_t created_at, members, stacks;
};

struct member_row {
	char *login, *email, *role;
	int64_t created_at;
};

struct token_row {
	char *id, *user, *name, *description;
	int64_t created_at, expires_at, last_used_at;
};

struct stack_row {
	char *id, *organization, *project, *name, *running, *running_by, *running_id;
	int64_t version, resources, last_update_at, created_at, deleted_at, lease_expires_at;
};

struct mail_row {
	char *id, *state, *kind, *recipient, *subject, *problem;
	int64_t attempts, created_at, next_attempt_at, give_up_at, sent_at;	/* next_attempt_at: -1 unless it waits */
};

struct key_row {
	char *id;
	int64_t stacks, created_at, retired_at, forgotten_at;
};

extern const struct stmt ADMIN_USER, ADMIN_USERS, ADMIN_USER_CREATE, ADMIN_USER_SET_PASSWORD, ADMIN_USER_SET_ADMIN,
	ADMIN_USER_SOLE_ADMIN_OF, ADMIN_USER_OWNED_STACK, ADMIN_USER_DELETE_TOKENS, ADMIN_USER_DELETE_EMAIL_TOKENS,
	ADMIN_USER_DELETE_MEMBERSHIPS, ADMIN_USER_DELETE_OWNED_MEMBERS, ADMIN_USER_DELETE_OWNED, ADMIN_USER_DELETE;
extern const struct stmt ADMIN_ORGANIZATION, ADMIN_ORGANIZATIONS, ADMIN_ORGANIZATION_CREATE, ADMIN_MEMBERS, ADMIN_MEMBER_CREATE;
extern const struct stmt ADMIN_TOKENS, ADMIN_TOKEN_DELETE, ADMIN_TOKEN_DELETE_ALL;
/* How the database keeps what it has committed. */
struct durability_row {
	int64_t flush, binary_log, sync;
};
extern const struct stmt ADMIN_DURABILITY, ADMIN_ORPHAN;
extern const struct db_column admin_durability_columns[];
extern const struct stmt ADMIN_STACKS, ADMIN_STACK, ADMIN_STACK_DELETED, ADMIN_MASTER_KEYS;
extern const struct stmt ADMIN_MAILS, ADMIN_MAIL, ADMIN_MAIL_RETRY, ADMIN_MAIL_RETRY_FAILED, ADMIN_MAIL_DROP, ADMIN_MAIL_DROP_FAILED;
extern const struct db_column admin_mail_columns[], admin_user_columns[], admin_users_columns[], admin_organization_columns[],
	admin_organizations_columns[], admin_members_columns[], admin_tokens_columns[], admin_login_columns[],
	admin_stacks_columns[], admin_keys_columns[];

#endif
