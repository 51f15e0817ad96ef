/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_PACK_SQL_H
#define POLICY_PACK_SQL_H

#include "db/db.h"
#include "policy/pack.h"

struct pack_row {
	char *id;
	int64_t count, last_version;
};

extern const struct stmt PACK_COUNT, PACK_CREATE, PACK_NUMBER, PACK_LOCK, PACK_VERSION_COUNT, PACK_VERSION_FORGET_UPLOAD,
	PACK_VERSION_CREATE, PACK_VERSION_BY_TAG, PACK_VERSION_BY_NUMBER, PACK_VERSION_NEWEST, PACK_VERSION_LIST, PACK_VERSION_LIST_NAME,
	PACK_VERSION_PUBLISH, PACK_SET_DISPLAY_NAME, PACK_VERSION_DELETE, PACK_VERSION_DELETE_UPLOAD, PACK_APPLIED, PACK_DELETE_VERSIONS,
	PACK_DELETE_UPLOADS, PACK_NEWEST_OF_ORGANIZATION, PACK_NEWEST_OF_USER;
extern const struct db_column pack_count_columns[], pack_id_columns[], pack_number_columns[], pack_version_columns[],
	pack_listed_columns[], pack_published_columns[];

#endif
