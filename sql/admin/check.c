/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this host can work: one line for each thing that the server needs. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "audit/audit.h"
#include "blob/blob.h"
#include "secret/secret.h"
#include "start/start.h"

struct finding {
	const char *part, *problem;
	bool good;
};

static const struct field finding_fields[] = {
	FIELD(finding, part, "part", FIELD_TEXT),
	FIELD(finding, good, "good", FIELD_BOOL),
	FIELD(finding, problem, "problem", FIELD_TEXT),
	{ 0 },
};

/* Opening a part says what is wrong with its settings; using it, whether it works. */
static int try_part(struct admin *a, unsigned part, struct err *e)
{
	if (start_open(&a->app, part, &a->arena, e) < 0)
		return -1;
	if (part == START_OBJECTS)
		return blob_try(a->app.objects, e);
	return part == START_AUDIT ? audit_try(a->app.audit, e) : 1;
}

int admin_check(struct admin *a, struct err *e)
{
	static const struct {
		const char *name;
		unsigned part;
	} parts[] = { { "database", START_DATABASE }, { "objects", START_OBJECTS }, { "keys", START_KEYS }, { "audit", START_AUDIT } };
	struct finding findings[4];
	bool good = true;
	size_t count = 0;

	(void)e;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct err why = { 0 };
		int rc = try_part(a, parts[i].part, &why);

		/* The database keeps the audit log. */
		if (rc == 0)
			continue;
		findings[count++] = (struct finding){ parts[i].name, rc == 1 ? "" : arena_strdup(&a->arena, why.detail[0] ? why.detail : why.message),
						      rc == 1 };
		good &= rc == 1;
	}
	admin_list(a, finding_fields, findings, count, sizeof(findings[0]));
	return good;
}
