/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_CONNECT_H
#define DB_CONNECT_H

#include "db/db.h"

/* Reads "host:port" or "unix:/path" (the value of PULUMI_DATABASE_ENDPOINT) into the configuration. */
int db_endpoint(const char *endpoint, struct arena *arena, struct db_config *config,
		struct err *e) WARN_UNUSED;

#endif
