/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit.h"

#include "audit/audit_sql.h"

int audit_record(struct db *db, const struct audit_event *a, struct err *e)
{
	char id[UUID_TEXT];

	uuid_new(a->created_at, id);
	return db_exec(db, &AUDIT_RECORD,
		       DB_VALUES(db_text(id), db_text(a->organization_id), db_text(a->user_id), db_text(a->token_id),
				 db_text(a->event), db_text(a->description), db_text(a->source_ip), db_time(a->created_at)),
		       NULL, e);
}
