/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RETENTION_RETENTION_SQL_H
#define RETENTION_RETENTION_SQL_H

#include "retention/retention.h"

struct retained {
	char *id, *organization_id, *project, *name;
	struct span sha256;
	bool uploading;
};

extern const struct stmt JOURNALS_ENDED, JOURNALS_DELETE, TOKENS_DELETE_EXPIRED, REFRESH_TOKENS_DELETE_EXPIRED, STACK_PURGE_NEXT, STACK_PURGE_LOCK,
	STACK_PURGE_TAKE, STACK_PURGE_TAGS, STACK_PURGE_KEY, STACK_PURGE_UPDATE_LOCK, STACK_PURGE_UPDATES,
	STACK_PURGE_CHECKPOINTS, STACK_PURGE_ROW, OBJECTS_OF_STACK, OBJECT_OF_EVENTS, OBJECT_OF_CONFIGURATION, OBJECT_OF_POLICY, OBJECT_OF_JOURNAL, OBJECT_OF_PACK,
	PACK_UPLOADS_ABANDON;
extern const struct db_column retained_id_columns[], retained_stack_columns[], retained_sha256_columns[], retained_pack_columns[];

#endif
