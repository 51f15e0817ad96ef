/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of text of an update, in order of their arrival. */
#include "base/limits.h"
#include "update/internal.h"
#include "update/update_sql.h"

int update_append_log(struct app *app, const char *id, struct span token, const char *kind, struct span fields,
		      struct err *e)
{
	int64_t now_us = app->now_us(), changed;
	char entry[UUID_TEXT];

	uuid_new(now_us, entry);
	if (db_exec(app->db, &UPDATE_LOG_APPEND,
		    DB_VALUES(db_text(entry), db_text(kind), db_bytes(fields), db_text(id), db_bytes(token)), &changed, e) < 0)
		return -1;
	return changed ? 1 : lease_lost(e);
}

int update_log(struct db *db, const struct update *u, const char *after, struct arena *arena,
	       struct update_log_entry **ret_list, size_t *ret_count, struct err *e)
{
	return db_all(db, &UPDATE_LOG, DB_VALUES(db_text(u->id), db_text(after), db_int(LIMIT_PAGE)),
		      update_log_columns, sizeof(struct update_log_entry), arena, (void **)ret_list, ret_count, e);
}
