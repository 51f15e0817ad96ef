/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags of the operations in the served OpenAPI document: what clients and readers of it group operations by. They are those of
 * the vendor's description, so they follow from the path, with that description's own exceptions.
 */
#ifndef API_TAGS_H
#define API_TAGS_H

#include <stdbool.h>

#define TAGS_OF_OPERATION 2

struct tags {
	const char *operations;			/* "METHOD path" as fnmatch(3) has it; '*' takes '/' as well */
	const char *names[TAGS_OF_OPERATION];	/* NULL behind the last */
};

/* Tags of an operation: of the first row that has it. `path` is that of routes.def with {kind} written out. Never NULL. */
const struct tags *tags_of(const char *method, const char *path);

#endif
