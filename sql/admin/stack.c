/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "admin.h"
#include "admin_sql.h"
#include "update/update.h"

#define STACK_FIELDS                                                                               \
	FIELD(stack_row, organization, "organization", FIELD_TEXT), FIELD(stack_row, project, "project", FIELD_TEXT), \
		FIELD(stack_row, name, "stack", FIELD_TEXT), FIELD(stack_row, version, "version", FIELD_INT), \
		FIELD(stack_row, resources, "resources", FIELD_INT),                               \
		FIELD(stack_row, last_update_at, "lastUpdateAt", FIELD_TIME),                      \
		FIELD(stack_row, running, "running", FIELD_TEXT)

static const struct field stacks_fields[] = { STACK_FIELDS, FIELD(stack_row, id, "id", FIELD_TEXT), { 0 } };

static const struct field deleted_fields[] = {
	FIELD(stack_row, organization, "organization", FIELD_TEXT),
	FIELD(stack_row, project, "project", FIELD_TEXT),
	FIELD(stack_row, name, "stack", FIELD_TEXT),
	FIELD(stack_row, resources, "resources", FIELD_INT),
	FIELD(stack_row, deleted_at, "deletedAt", FIELD_TIME),
	FIELD(stack_row, id, "id", FIELD_TEXT),
	{ 0 },
};

static const struct field stack_fields[] = {
	STACK_FIELDS,
	FIELD(stack_row, running_by, "runningBy", FIELD_TEXT),
	FIELD(stack_row, lease_expires_at, "leaseExpiresAt", FIELD_TIME),
	FIELD(stack_row, created_at, "createdAt", FIELD_TIME),
	FIELD(stack_row, id, "id", FIELD_TEXT),
	{ 0 },
};

int admin_stack_list(struct admin *a, struct err *e)
{
	const char *organization = admin_option(a, "--organization");
	bool deleted = admin_option(a, "--deleted");
	struct stack_row *rows;
	size_t count;

	if (db_all(a->app.db, &ADMIN_STACKS, DB_VALUES(db_text(organization), db_text(organization), db_int(deleted)),
		   admin_stacks_columns, sizeof(*rows), &a->arena, (void **)&rows, &count, e) < 0)
		return -1;
	admin_list(a, deleted ? deleted_fields : stacks_fields, rows, count, sizeof(*rows));
	return 1;
}

struct change {
	struct admin *a;
	struct stack_path path;
	struct caller caller;
	struct stack_row row;
	bool force;
};

static int find(struct admin *a, struct change *c, struct err *e)
{
	int rc;

	c->a = a;
	if (admin_stack_path(a, admin_option(a, "--stack"), &c->path, &c->caller, e) < 0)
		return -1;
	rc = db_one(a->app.db, &ADMIN_STACK,
		    DB_VALUES(db_text(c->caller.organization_id), db_text(c->path.project), db_text(c->path.name)),
		    admin_stacks_columns, &c->row, &a->arena, e);
	return rc == 0 ? err_set(e, ERR_NOT_FOUND, "there is no stack '%s'; see pulumi-admin stack list", admin_option(a, "--stack")) : rc;
}

int admin_stack_show(struct admin *a, struct err *e)
{
	struct change c = { 0 };

	if (find(a, &c, e) < 0)
		return -1;
	admin_show(a, stack_fields, &c.row);
	return 1;
}

static int audit(struct change *c, const char *event, struct err *e)
{
	return admin_audit(c->a, event, c->caller.organization_id,
			   arena_printf(&c->a->arena, "%s/%s", c->path.project, c->path.name), e);
}

static int delete(void *context, struct err *e)
{
	struct change *c = context;

	if (stack_delete(c->a->app.db, &c->caller, &c->path, c->force, c->a->app.now_us(), e) < 0)
		return -1;
	return audit(c, "admin_delete_stack", e);
}

int admin_stack_delete(struct admin *a, struct err *e)
{
	struct change c = { .force = admin_option(a, "--force") };

	if (find(a, &c, e) < 0 || admin_change(a, delete, &c, e) < 0)
		return -1;
	admin_say(a, "deleted %s; pulumi-admin stack restore --id %s brings it back", admin_option(a, "--stack"), c.row.id);
	return 1;
}

static int restore(void *context, struct err *e)
{
	struct change *c = context;

	if (stack_restore(c->a->app.db, &c->caller, c->row.id, NULL, e) < 0)
		return -1;
	return audit(c, "admin_restore_stack", e);
}

int admin_stack_restore(struct admin *a, struct err *e)
{
	const char *id = admin_option(a, "--id");
	struct change c = { .a = a };
	struct organization organization;
	int rc = db_one(a->app.db, &ADMIN_STACK_DELETED, DB_VALUES(db_text(id)), admin_stacks_columns, &c.row, &a->arena, e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no deleted stack with the id '%.40s'; see pulumi-admin stack list --deleted", id);
	if (rc < 0 || admin_organization(a, c.row.organization, &organization, e) < 0)
		return -1;
	c.caller.organization_id = organization.id;
	c.path = (struct stack_path){ c.row.organization, c.row.project, c.row.name };
	if (admin_change(a, restore, &c, e) < 0)
		return -1;
	admin_say(a, "restored %s/%s/%s", c.row.organization, c.row.project, c.row.name);
	return 1;
}

static int unlock(void *context, struct err *e)
{
	struct change *c = context;

	/* A replay would write an object even if it were taken back. */
	if (!c->a->dry_run &&
	    update_cancel(&c->a->app, &c->caller, &c->path, c->row.running_id, c->a->app.now_us(), e) < 0)
		return -1;
	return audit(c, "admin_unlock_stack", e);
}

int admin_stack_unlock(struct admin *a, struct err *e)
{
	struct change c = { 0 };

	if (find(a, &c, e) < 0)
		return -1;
	if (!c.row.running) {
		admin_say(a, "%s is not locked", admin_option(a, "--stack"));
		return 1;
	}
	if (admin_change(a, unlock, &c, e) < 0)
		return -1;
	admin_say(a, "cancelled the %s of %s; what it had saved is the stack's state", c.row.running,
		  c.row.running_by ? c.row.running_by : "somebody");
	return 1;
}
