/* SPDX-License-Identifier: Apache-2.0 */
#include "org/role.h"

#include <stddef.h>
#include <string.h>

const struct role roles[] = {
	{ "admin", "Admin", "Everything in the organization, its members and settings included.", false },
	{ "member", "Member", "Works with the stacks of the organization.", true },
	{ 0 },
};

const struct role *role_find(const char *id)
{
	for (const struct role *r = roles; r->id; r++)
		if (!strcmp(r->id, id))
			return r;
	return NULL;
}

int role_check(const char *id, const struct role **ret_role, struct err *e)
{
	const struct role *found = id ? role_find(id) : NULL;

	if (!found)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: there is no role '%.40s' here; the roles are admin and member",
			       id ? id : "");
	*ret_role = found;
	return 1;
}
