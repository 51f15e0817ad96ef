/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LINK_KEY_SQL_H
#define LINK_KEY_SQL_H

#include "db/db.h"

struct link_key_row {
	char *id;
	struct span sealed;
	int64_t created_at;
};

extern const struct stmt LINK_KEY_NEWEST, LINK_KEY_BY_ID, LINK_KEY_CREATE, LINK_KEYS_PURGE;
extern const struct db_column link_key_columns[];

#endif
