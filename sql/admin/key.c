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
		bool active = is_active(a, &rows[i]);

		shown[i] = (struct key_shown){ rows[i].id, active ? "seals and opens" : rows[i].stacks ? "opens" : "none",
					       keys_has(a->app.keys, rows[i].id), rows[i].stacks, rows[i].created_at };
		rotate |= !active && rows[i].stacks;
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
		*ret_count += is_active(a, &rows[i]) ? 0 : rows[i].stacks;
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
