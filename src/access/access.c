/* SPDX-License-Identifier: Apache-2.0 */
#include "access/access.h"

enum role { ROLE_NONE, ROLE_MEMBER, ROLE_ADMIN };

static const struct {
	const char *scope;
	enum role least;
} permissions[PERMISSION_COUNT] = {
#define PERMISSION(name, scope, role) [name] = { scope, role },
#include "access/permission.def"
#undef PERMISSION
};

static enum role role_of(const struct caller *c)
{
	if (!c->organization_id || !c->role)
		return ROLE_NONE;
	return !strcmp(c->role, "admin") ? ROLE_ADMIN : ROLE_MEMBER;
}

int access_check(const struct caller *c, enum permission wanted, const char *organization, struct err *e)
{
	if (wanted == SITE_ADMIN)
		return c->site_admin ? 1 : err_set(e, ERR_FORBIDDEN, "Forbidden: %s does not administer this installation", c->login);
	if (wanted == PERSON)
		return !c->only_organization_id ? 1 : err_set(e, ERR_FORBIDDEN, "Forbidden: the access token reaches one organization only, and "
							      "this is about a user; sign in with a personal access token");
	if (role_of(c) == ROLE_NONE)
		return err_set(e, ERR_NOT_FOUND, "Not Found: Organization '%.40s' not found", organization);
	if (role_of(c) < permissions[wanted].least)
		return err_set(e, ERR_FORBIDDEN, "Forbidden: %s lacks the permission %s in %s; ask an administrator of it",
			       c->login, permissions[wanted].scope, organization);
	return 1;
}

bool access_of_member(enum permission wanted)
{
	return wanted != SITE_ADMIN && wanted != UPDATE_TOKEN && permissions[wanted].least <= ROLE_MEMBER;
}
