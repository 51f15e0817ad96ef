/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/names.h"

#include "audit/audit_sql.h"
#include "base/map.h"

/* The entry that was filled first for an id; `more` of the statement goes into a new one. */
static int fill(struct db *db, struct map *known, const char *id, const struct stmt *s, const struct db_column *columns,
		struct audit_entry *a, struct arena *arena, struct audit_entry **ret_filled, struct err *e)
{
	void **slot = map_put(known, span_of(id));

	if (!*slot) {
		if (db_one(db, s, DB_VALUES(db_text(id)), columns, a, arena, e) < 0)
			return -1;
		*slot = a;
	}
	*ret_filled = *slot;
	return 1;
}

static int fill_one(struct db *db, struct map *users, struct map *tokens, struct audit_entry *a, struct arena *arena,
		    struct err *e)
{
	struct audit_entry *filled;

	if (a->user_id) {
		if (fill(db, users, a->user_id, &AUDIT_USER_NAMES, audit_user_name_columns, a, arena, &filled, e) < 0)
			return -1;
		a->login = filled->login;
		a->name = filled->name;
	}
	if (a->token_id) {
		if (fill(db, tokens, a->token_id, &AUDIT_TOKEN_NAME, audit_token_name_columns, a, arena, &filled, e) < 0)
			return -1;
		a->token_name = filled->token_name;
	}
	return 1;
}

int audit_names(struct db *db, struct audit_entry *list, size_t count, struct arena *arena, struct err *e)
{
	_cleanup_(map_done) struct map users = MAP_INIT, tokens = MAP_INIT;

	for (size_t i = 0; i < count; i++)
		if (fill_one(db, &users, &tokens, &list[i], arena, e) < 0)
			return -1;
	return 1;
}
