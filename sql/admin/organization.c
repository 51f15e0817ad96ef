/* SPDX-License-Identifier: Apache-2.0 */
#include "org/member.h"
#include "people.h"

static const struct field organizations_fields[] = {
	FIELD(organization_row, login, "login", FIELD_TEXT),
	FIELD(organization_row, name, "name", FIELD_TEXT),
	FIELD(organization_row, members, "members", FIELD_INT),
	FIELD(organization_row, stacks, "stacks", FIELD_INT),
	FIELD(organization_row, created_at, "createdAt", FIELD_TIME),
	FIELD(organization_row, id, "id", FIELD_TEXT),
	{ 0 },
};

static const struct field members_fields[] = {
	FIELD(member_row, login, "login", FIELD_TEXT),
	FIELD(member_row, email, "email", FIELD_TEXT),
	FIELD(member_row, role, "role", FIELD_TEXT),
	FIELD(member_row, created_at, "createdAt", FIELD_TIME),
	{ 0 },
};

struct change {
	struct admin *a;
	struct organization organization;
	struct caller caller;
	struct user_row user;
	const struct role *role;
};

static int create(void *context, struct err *e)
{
	struct change *c = context;
	struct admin *a = c->a;
	const char *login = admin_option(a, "--login");

	if (identity_new_organization(a->app.db, c->user.id, login, admin_option(a, "--name"), a->app.now_us(), e) < 0 ||
	    admin_organization(a, login, &c->organization, e) < 0)
		return -1;
	return admin_audit(a, "admin_create_organization", c->organization.id, login, e);
}

int admin_org_create(struct admin *a, struct err *e)
{
	struct change c = { .a = a };

	if (admin_user(a, admin_option(a, "--owner"), &c.user, e) < 0 || admin_change(a, create, &c, e) < 0)
		return -1;
	if (a->json)
		admin_show(a, organizations_fields, &(struct organization_row){ c.organization.id, c.organization.login, c.organization.name,
										 a->app.now_us(), 1, 0 });
	admin_say(a, "made the organization %s, administered by %s", c.organization.login, c.user.login);
	return 1;
}

int admin_org_list(struct admin *a, struct err *e)
{
	struct organization_row *rows;
	size_t count;

	if (db_all(a->app.db, &ADMIN_ORGANIZATIONS, DB_NONE, admin_organizations_columns, sizeof(*rows), &a->arena, (void **)&rows,
		   &count, e) < 0)
		return -1;
	admin_list(a, organizations_fields, rows, count, sizeof(*rows));
	return 1;
}

int admin_org_members(struct admin *a, struct err *e)
{
	struct organization organization;
	struct member_row *rows;
	size_t count;

	if (admin_organization(a, admin_option(a, "--organization"), &organization, e) < 0 ||
	    db_all(a->app.db, &ADMIN_MEMBERS, DB_VALUES(db_text(organization.id)), admin_members_columns, sizeof(*rows), &a->arena,
		   (void **)&rows, &count, e) < 0)
		return -1;
	admin_list(a, members_fields, rows, count, sizeof(*rows));
	return 1;
}

/* --- members --- */

static int open_change(struct admin *a, struct change *c, struct err *e)
{
	c->a = a;
	if (admin_organization(a, admin_option(a, "--organization"), &c->organization, e) < 0)
		return -1;
	c->caller = admin_caller(a, &c->organization);
	return admin_user(a, admin_option(a, "--user"), &c->user, e);
}

/* Who belongs to it already gets the role. */
static int add_member(void *context, struct err *e)
{
	struct change *c = context;
	struct admin *a = c->a;
	struct err why = { 0 };
	int rc = member_add(a->app.db, &c->caller, c->user.login, c->role, a->app.now_us(), &why);

	if (rc < 0 && why.kind == ERR_CONFLICT)
		rc = member_set_role(a->app.db, &c->caller, c->user.login, c->role, e);
	else if (rc < 0)
		*e = why;
	return rc < 0 ? -1 : admin_audit(a, "admin_add_member", c->organization.id,
					 arena_printf(&a->arena, "%s as %s", c->user.login, c->role->id), e);
}

int admin_org_add_member(struct admin *a, struct err *e)
{
	const char *role = admin_option(a, "--role");
	struct change c = { 0 };

	if (role_check(role ? role : "member", &c.role, e) < 0 || open_change(a, &c, e) < 0 || admin_change(a, add_member, &c, e) < 0)
		return -1;
	admin_say(a, "%s belongs to %s as %s", c.user.login, c.organization.login, c.role->id);
	return 1;
}

static int remove_member(void *context, struct err *e)
{
	struct change *c = context;

	if (member_remove(c->a->app.db, &c->caller, c->user.login, e) < 0)
		return -1;
	return admin_audit(c->a, "admin_remove_member", c->organization.id, c->user.login, e);
}

int admin_org_remove_member(struct admin *a, struct err *e)
{
	struct change c = { 0 };

	if (open_change(a, &c, e) < 0 || admin_change(a, remove_member, &c, e) < 0)
		return -1;
	admin_say(a, "%s no longer belongs to %s", c.user.login, c.organization.login);
	return 1;
}
