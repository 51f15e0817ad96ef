/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "admin_sql.h"
#include "secret/secret.h"
#include "stack/stack_key.h"

struct key_shown {
	const char *id, *use;
	bool present;
	int64_t stacks, created_at;
};

static const struct field key_fields[] = {
	FIELD(key_shown, id, "id", FIELD_TEXT),
	FIELD(key_shown, use, "use", FIELD_TEXT),
	FIELD(key_shown, present, "present", FIELD_BOOL),
	FIELD(key_shown, stacks, "stacks", FIELD_INT),
	FIELD(key_shown, created_at, "firstUsedAt", FIELD_TIME),
	{ 0 },
};

static int read_keys(struct admin *a, struct key_row **ret_rows, size_t *ret_count, struct err *e)
{
	return db_all(a->app.db, &ADMIN_MASTER_KEYS, DB_NONE, admin_keys_columns, sizeof(**ret_rows), &a->arena, (void **)ret_rows,
		      ret_count, e);
}

static bool is_active(const struct admin *a, const struct key_row *row)
{
	return !strcmp(row->id, keys_active(a->app.keys));
}

/* Its data keys open for nobody. */
static bool is_lost(const struct admin *a, const struct key_row *row)
{
	return row->forgotten_at >= 0 && !keys_has(a->app.keys, row->id);
}

static const char *use_of(const struct admin *a, const struct key_row *row)
{
	if (is_active(a, row))
		return "seals and opens";
	return is_lost(a, row) ? "forgotten" : row->stacks ? "opens" : "none";
}

int admin_key_status(struct admin *a, struct err *e)
{
	struct key_row *rows;
	struct key_shown *shown;
	size_t count;
	bool rotate = false;

	if (read_keys(a, &rows, &count, e) < 0)
		return -1;
	shown = arena_alloc(&a->arena, (count + 1) * sizeof(*shown));
	for (size_t i = 0; i < count; i++) {
		shown[i] = (struct key_shown){ rows[i].id, use_of(a, &rows[i]), keys_has(a->app.keys, rows[i].id), rows[i].stacks,
					       rows[i].created_at };
		rotate |= !is_active(a, &rows[i]) && !is_lost(a, &rows[i]) && rows[i].stacks;
	}
	admin_list(a, key_fields, shown, count, sizeof(*shown));
	if (rotate)
		admin_say(a, "Some data keys are sealed by an older key: pulumi-admin key rotate seals them again.");
	return 1;
}

static void tell(void *context, int64_t done, int64_t total)
{
	struct admin *a = context;
	int64_t told = a->now_told_us;

	if (a->app.now_us() - told < 2000000 && done < total)
		return;
	a->now_told_us = a->app.now_us();
	fprintf(stderr, "pulumi-admin: %lld of %lld data keys sealed again\n", (long long)done, (long long)total);
}

struct rotated {
	int64_t data_keys;
	const char *active;
};

static const struct field rotated_fields[] = {
	FIELD(rotated, data_keys, "dataKeys", FIELD_INT),
	FIELD(rotated, active, "active", FIELD_TEXT),
	{ 0 },
};

static int count_others(struct admin *a, int64_t *ret_count, struct err *e)
{
	struct key_row *rows;
	size_t count;

	if (read_keys(a, &rows, &count, e) < 0)
		return -1;
	*ret_count = 0;
	for (size_t i = 0; i < count; i++)
		*ret_count += is_active(a, &rows[i]) || is_lost(a, &rows[i]) ? 0 : rows[i].stacks;
	return 1;
}

int admin_key_rotate(struct admin *a, struct err *e)
{
	struct rotated r = { 0 };

	if ((a->dry_run ? count_others(a, &r.data_keys, e) : stack_keys_rotate(&a->app, tell, a, &r.data_keys, e)) < 0)
		return -1;
	r.active = keys_active(a->app.keys);
	if (a->json)
		admin_show(a, rotated_fields, &r);
	admin_say(a, "sealed %lld data keys with the master key %s", (long long)r.data_keys, r.active);
	return a->dry_run ? 1 : admin_audit(a, "admin_rotate_keys", NULL, r.active, e);
}

/* --- a key that is lost --- */

struct forgetting {
	struct admin *admin;
	const char *id;
	struct stack_key_loss *losses;
	size_t count;
	int64_t stacks;
};

static const struct field loss_fields[] = {
	FIELD(stack_key_loss, organization, "organization", FIELD_TEXT),
	FIELD(stack_key_loss, stacks, "stacks", FIELD_INT),
	{ 0 },
};

struct forgotten {
	const char *id;
	int64_t stacks;
	struct object_list organizations;
};

static const struct field forgotten_fields[] = {
	FIELD(forgotten, id, "id", FIELD_TEXT),
	FIELD(forgotten, stacks, "stacks", FIELD_INT),
	FIELD(forgotten, organizations, "organizations", FIELD_LIST, .fields = loss_fields),
	{ 0 },
};

static int find_key(struct admin *a, const char *id, struct err *e)
{
	struct key_row *rows;
	size_t count;

	if (read_keys(a, &rows, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (!strcmp(rows[i].id, id))
			return rows[i].forgotten_at < 0 ? 1 : err_set(e, ERR_CONFLICT, "the master key %s was forgotten before", id);
	return err_set(e, ERR_NOT_FOUND, "this installation has never used a master key '%.40s'; see pulumi-admin key status", id);
}

/* In the transaction: what is said is what is lost. An organization's own log tells of its stacks. */
static int forget(void *context, struct err *e)
{
	struct forgetting *f = context;
	struct admin *a = f->admin;
	int rc = stack_key_forget(a->app.db, f->id, a->app.now_us(), e);

	if (rc == 0)
		return err_set(e, ERR_CONFLICT, "the master key %s was forgotten before", f->id);
	if (rc < 0 || stack_key_losses(a->app.db, f->id, &a->arena, &f->losses, &f->count, e) < 0)
		return -1;
	f->stacks = 0;
	for (size_t i = 0; i < f->count; i++) {
		const struct stack_key_loss *loss = &f->losses[i];

		f->stacks += loss->stacks;
		if (admin_audit(a, "admin_forget_key", loss->organization_id,
				arena_printf(&a->arena, "master key %s was lost: secrets of %lld stacks", f->id, (long long)loss->stacks), e) < 0)
			return -1;
	}
	return admin_audit(a, "admin_forget_key", NULL, arena_printf(&a->arena, "%s: %lld stacks", f->id, (long long)f->stacks), e);
}

static void tell_forgotten(const struct forgetting *f)
{
	const struct admin *a = f->admin;
	struct forgotten shown = { f->id, f->stacks, { f->losses, f->count, sizeof(*f->losses) } };

	if (a->json)
		return admin_show(a, forgotten_fields, &shown);
	if (f->count)
		admin_list(a, loss_fields, f->losses, f->count, sizeof(*f->losses));
	admin_say(a, "forgot the master key %s: the secrets of %lld stacks are lost", f->id, (long long)f->stacks);
}

int admin_key_forget(struct admin *a, struct err *e)
{
	struct forgetting f = { .admin = a, .id = admin_option(a, "--id") };

	if (admin_open_keys(a, e) < 0 || find_key(a, f.id, e) < 0)
		return -1;
	if (keys_has(a->app.keys, f.id))
		return err_set(e, ERR_CONFLICT, "the master key %s is in %s: it is not lost", f.id, keys_origin(a->app.keys));
	if (!a->dry_run && !admin_option(a, "--accept-loss"))
		return err_set(e, ERR_BAD_REQUEST, "what the master key %s sealed can then never be opened; --dry-run says what that is, "
						   "--accept-loss does it", f.id);
	if (admin_change(a, forget, &f, e) < 0)
		return -1;
	tell_forgotten(&f);
	return 1;
}
