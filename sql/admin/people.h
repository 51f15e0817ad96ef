/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands about users, organizations and tokens share. */
#ifndef ADMIN_PEOPLE_H
#define ADMIN_PEOPLE_H

#include "admin.h"
#include "admin_sql.h"

/* The user, or a sentence that there is none. */
int admin_user(struct admin *a, const char *login, struct user_row *ret_user, struct err *e) WARN_UNUSED;

#endif
