/* SPDX-License-Identifier: Apache-2.0 */
#include "org/metadata_sql.h"

const struct db_column metadata_columns[] = {
	DB_COLUMN(organization_metadata, id, COLUMN_TEXT),
	DB_COLUMN(organization_metadata, created_at, COLUMN_TIME),
	DB_COLUMN(organization_metadata, individual, COLUMN_BOOL),
	DB_COLUMN(organization_metadata, member_count, COLUMN_INT),
	DB_COLUMN(organization_metadata, stack_count, COLUMN_INT),
	{ 0 },
};

/* Both counts are read from an index alone. */
const struct stmt METADATA_READ = STMT("metadata.read",
	"SELECT o.id AS id, o.created_at AS created_at, o.owner_user_id IS NOT NULL AS individual, "
	"(SELECT COUNT(*) FROM organization_members m WHERE m.organization_id = o.id) AS member_count, "
	"(SELECT COUNT(*) FROM stacks s WHERE s.organization_id = o.id AND s.deleted_at IS NULL) AS stack_count "
	"FROM organizations o WHERE o.id = ?");
