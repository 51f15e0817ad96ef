/* SPDX-License-Identifier: Apache-2.0 */
#include "org/member.h"

#include "org/member_sql.h"

int member_list(struct db *db, const char *organization_id, const char *after, int64_t limit, struct arena *arena,
		struct member **ret_list, size_t *ret_count, struct err *e)
{
	return db_all(db, &MEMBER_LIST, DB_VALUES(db_text(organization_id), db_text(after), db_int(limit)), member_columns,
		      sizeof(struct member), arena, (void **)ret_list, ret_count, e);
}

/* In the words that the provider compares. */
static int user_not_found(const char *login, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "Not Found: User '%.100s' not found", login);
}

int member_find(struct db *db, const char *organization_id, const char *login, struct arena *arena,
		struct member *ret_member, struct err *e)
{
	int rc = 0;

	if (identity_login_valid(login))
		rc = db_one(db, &MEMBER_BY_LOGIN, DB_VALUES(db_text(organization_id), db_text(login)), member_columns, ret_member,
			    arena, e);
	return rc ? rc : user_not_found(login, e);
}

/* Until the transaction ends nobody else changes members of the organization. */
int member_begin_change(struct db *db, const struct caller *c, struct err *e)
{
	int64_t changed = 0;

	if (db_exec(db, &MEMBERS_CHANGE, DB_VALUES(db_text(c->organization_id)), &changed, e) < 0)
		return -1;
	if (!changed)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: %s is the individual organization of a user and always has that "
			       "one member; make an organization to work together", c->organization_login);
	return 1;
}

/* The member that is about to lose its role may be the last administrator. */
static int check_administered(struct db *db, const struct caller *c, const struct member *m, struct arena *arena,
			      struct err *e)
{
	struct member other = { 0 };
	int rc;

	if (strcmp(m->role, "admin"))
		return 1;
	rc = db_one(db, &MEMBER_OTHER_ADMIN, DB_VALUES(db_text(c->organization_id), db_text(m->user_id)), member_columns, &other,
		    arena, e);
	if (rc == 0)
		return err_set(e, ERR_CONFLICT, "Conflict: %s is the only administrator of %s; make somebody else one first",
			       m->login, c->organization_login);
	return rc;
}

int member_add(struct db *db, const struct caller *c, const char *login, const struct role *role, int64_t now_us,
	       struct err *e)
{
	int64_t changed = 0;

	if (member_begin_change(db, c, e) < 0)
		return -1;
	if (identity_login_valid(login) &&
	    db_exec(db, &MEMBER_ADD, DB_VALUES(db_text(c->organization_id), db_text(role->id), db_time(now_us), db_text(login)),
		    &changed, e) < 0)
		return -1;
	if (changed < 0)
		return err_set(e, ERR_CONFLICT, "Conflict: User '%s' is a member of %s already", login, c->organization_login);
	return changed ? 1 : user_not_found(login, e);
}

int member_set_role(struct db *db, const struct caller *c, const char *login, const struct role *role, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct member m = { 0 };

	if (member_begin_change(db, c, e) < 0 || member_find(db, c->organization_id, login, &arena, &m, e) < 0)
		return -1;
	if (strcmp(role->id, "admin") && check_administered(db, c, &m, &arena, e) < 0)
		return -1;
	return db_exec(db, &MEMBER_SET_ROLE, DB_VALUES(db_text(role->id), db_text(c->organization_id), db_text(m.user_id)), NULL,
		       e);
}

int member_remove(struct db *db, const struct caller *c, const char *login, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct member m = { 0 };

	if (member_begin_change(db, c, e) < 0 || member_find(db, c->organization_id, login, &arena, &m, e) < 0)
		return -1;
	if (c->user_id && !strcmp(m.user_id, c->user_id))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: you cannot remove yourself from %s; ask another administrator",
			       c->organization_login);
	if (check_administered(db, c, &m, &arena, e) < 0 ||
	    db_exec(db, &MEMBER_REMOVE, DB_VALUES(db_text(c->organization_id), db_text(m.user_id)), NULL, e) < 0)
		return -1;
	return db_exec(db, &MEMBER_FORGET_DEFAULT, DB_VALUES(db_text(c->organization_id), db_text(m.user_id)), NULL, e);
}
