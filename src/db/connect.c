/* SPDX-License-Identifier: Apache-2.0 */
#include "db/connect.h"

#include <stdlib.h>

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
