/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DB_CONNECT_H
#define DB_CONNECT_H

#include "db/db.h"

/* Reads "host:port" or "unix:/path" (the value of PULUMI_DATABASE_ENDPOINT) into the configuration. */
int db_endpoint(const char *endpoint, struct arena *arena, struct db_config *config,
		struct err *e) WARN_UNUSED;

/* What of the configuration the database did not accept. */
enum db_refusal { DB_NOT_REFUSED, DB_REFUSED_LOGIN, DB_REFUSED_SCHEMA };

/* The same of an error of db_open: account, password and host; or a schema that is not there, or not for that account. */
enum db_refusal db_refusal_of(const struct err *e);

#endif
