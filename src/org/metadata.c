/* SPDX-License-Identifier: Apache-2.0 */
#include "org/metadata.h"

#include "org/metadata_sql.h"

int metadata_read(struct db *db, const struct caller *c, struct arena *arena, struct organization_metadata *ret_metadata,
		  struct err *e)
{
	int rc = db_one(db, &METADATA_READ, DB_VALUES(db_text(c->organization_id)), metadata_columns, ret_metadata, arena, e);

	return rc ? rc : err_set(e, ERR_NOT_FOUND, "Not Found: Organization '%.40s' not found", c->organization_login);
}
