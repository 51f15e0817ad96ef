/* SPDX-License-Identifier: Apache-2.0 */
#include "update/internal.h"
#include "update/update_sql.h"

int update_history(struct db *db, const struct caller *c, const struct stack *stack, int64_t version,
		   int64_t page, int64_t size, struct arena *arena, struct update_info **ret_list, size_t *ret_count,
		   struct err *e)
{
	int64_t high, low;

	high = version >= 0 ? version : stack->version - (page - 1) * size;
	low = version >= 0 ? version : size ? high - size + 1 : 1;
	return db_all(db, &UPDATE_HISTORY,
		      DB_VALUES(db_text(stack->id), db_text(c->organization_id), db_int(low), db_int(high)),
		      update_info_columns, sizeof(struct update_info), arena, (void **)ret_list, ret_count, e);
}

int update_previews(struct db *db, const struct caller *c, const struct stack *stack, bool ascending, int64_t page,
		    int64_t size, struct arena *arena, struct update_info **ret_list, size_t *ret_count, struct err *e)
{
	return db_all(db, ascending ? &UPDATE_PREVIEWS_ASCENDING : &UPDATE_PREVIEWS,
		      DB_VALUES(db_text(stack->id), db_text(c->organization_id), db_int(size), db_int((page - 1) * size)),
		      update_info_columns, sizeof(struct update_info), arena, (void **)ret_list, ret_count, e);
}

int update_preview_find(struct db *db, const struct caller *c, const struct stack *stack, const char *id,
			struct arena *arena, struct update_info *ret_info, struct err *e)
{
	int rc = db_one(db, &UPDATE_PREVIEW, DB_VALUES(db_text(stack->id), db_text(c->organization_id), db_text(id)),
			update_info_columns, ret_info, arena, e);

	return rc == 0 ? err_set(e, ERR_NOT_FOUND, "Not Found: Preview '%.36s' not found", id) : rc;
}
