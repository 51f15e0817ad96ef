/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "admin_sql.h"
#include "audit/audit.h"
#include "start/measure.h"
#include "start/start.h"

#define ATTEMPTS 8

static int try(struct admin *a, int (*work)(void *context, struct err *e), void *context, struct err *e)
{
	int rc;

	if (db_begin(a->app.db, e) < 0)
		return -1;
	rc = work(context, e);
	db_rollback(a->app.db);
	return rc < 0 ? -1 : 1;
}

int admin_change(struct admin *a, int (*work)(void *context, struct err *e), void *context, struct err *e)
{
	if (!a->dry_run)
		return db_run(a->app.db, work, context, e);
	for (int attempt = 0;; attempt++) {
		struct err last = { 0 };

		if (try(a, work, context, &last) == 1)
			return 1;
		if (last.kind != ERR_RETRY || attempt == ATTEMPTS) {
			*e = last;
			return -1;
		}
	}
}

int admin_audit(struct admin *a, const char *event, const char *organization_id, const char *description, struct err *e)
{
	return audit_record(a->app.db,
			    &(struct audit_event){ .organization_id = organization_id, .event = event, .description = description,
						   .source_ip = "", .created_at = a->app.now_us() },
			    e);
}

int admin_organization(struct admin *a, const char *login, struct organization *ret_organization, struct err *e)
{
	struct organization row = { 0 };
	int rc = db_one(a->app.db, &ADMIN_ORGANIZATION, DB_VALUES(db_text(login)), admin_organization_columns, &row, &a->arena, e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no organization '%.40s'; see pulumi-admin org list", login);
	*ret_organization = row;
	return rc;
}

struct caller admin_caller(struct admin *a, const struct organization *organization)
{
	return (struct caller){ .user_id = arena_strdup(&a->arena, ""), .login = arena_strdup(&a->arena, "pulumi-admin"),
				.role = arena_strdup(&a->arena, "admin"), .site_admin = true,
				.organization_id = organization->id, .organization_login = organization->login };
}

int admin_stack_path(struct admin *a, const char *text, struct stack_path *ret_path, struct caller *ret_caller, struct err *e)
{
	char *copy = arena_strdup(&a->arena, text), *project = strchr(copy, '/'), *name = project ? strchr(project + 1, '/') : NULL;
	struct organization organization;

	if (!name || strchr(name + 1, '/'))
		return err_set(e, ERR_BAD_REQUEST, "--stack: '%.250s' must be organization/project/stack", text);
	*project++ = '\0';
	*name++ = '\0';
	if (admin_organization(a, copy, &organization, e) < 0)
		return -1;
	*ret_path = (struct stack_path){ organization.login, project, name };
	*ret_caller = admin_caller(a, &organization);
	return 1;
}

int admin_open_keys(struct admin *a, struct err *e)
{
	struct app keys_only = { .meter = a->app.meter, .tracer = a->app.tracer };
	int rc = start_open(&keys_only, START_KEYS, &a->arena, e);

	a->app.keys = TAKE(keys_only.keys);
	a->app.meter = TAKE(keys_only.meter);
	a->app.tracer = TAKE(keys_only.tracer);
	/* They were watched for another app. */
	return rc < 0 || measure_start(&a->app, e) < 0 ? -1 : 1;
}
