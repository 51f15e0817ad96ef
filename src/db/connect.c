/* SPDX-License-Identifier: Apache-2.0 */
#include "db/connect.h"

#include <stdio.h>
#include <stdlib.h>

#include "db/internal.h"

int db_endpoint(const char *endpoint, struct arena *arena, struct db_config *config, struct err *e)
{
	const char *colon = strrchr(endpoint, ':');
	long port;
	char *end;

	if (!strncmp(endpoint, "unix:", 5)) {
		config->unix_socket = endpoint + 5;
		return 1;
	}
	port = colon ? strtol(colon + 1, &end, 10) : 0;
	if (!colon || colon == endpoint || *end || port < 1 || port > 65535)
		return err_internal(e, "PULUMI_DATABASE_ENDPOINT: '%s' must be host:port", endpoint);
	config->host = arena_strndup(arena, endpoint, (size_t)(colon - endpoint));
	config->port = (unsigned)port;
	return 1;
}

/* Of MySQL and MariaDB: no such account, a wrong password, not from this host, an unknown way to log in, expired, locked. */
static const unsigned logins[] = { 1045, 1130, 1251, 1524, 1698, 1820, 1862, 3118, 3955, 4151 };

enum db_refusal db_refusal_of(const struct err *e)
{
	unsigned number = 0;

	if (sscanf(e->detail, DB_CANNOT_CONNECT "%u ", &number) != 1)
		return DB_NOT_REFUSED;
	if (number == 1044 || number == 1049)
		return DB_REFUSED_SCHEMA;
	for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++)
		if (logins[i] == number)
			return DB_REFUSED_LOGIN;
	return DB_NOT_REFUSED;
}
