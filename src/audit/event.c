/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/event.h"

#include <stddef.h>
#include <string.h>

static const struct audit_kind kinds[] = {
#define EVENT(operation, event, title, by) { #operation, event, title, by },
#include "audit/event.def"
#undef EVENT
};

#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

const char *audit_event_of(const char *operation)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (!strcmp(kinds[i].operation, operation))
			return kinds[i].event;
	return operation;
}

struct audit_kind audit_kind_of(const char *event)
{
	for (size_t i = 0; i < KIND_COUNT; i++)
		if (!strcmp(kinds[i].event, event))
			return kinds[i];
	return (struct audit_kind){ event, event, event, BY_ANYONE };
}
