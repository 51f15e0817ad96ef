/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this host can work: one line for each thing that the server needs. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
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

int admin_check(struct admin *a, struct err *e)
{
	static const struct {
		const char *name;
		unsigned part;
	} parts[] = { { "database", START_DATABASE }, { "objects", START_OBJECTS }, { "keys", START_KEYS } };
	struct finding findings[3];
	bool good = true;

	(void)e;
	for (size_t i = 0; i < 3; i++) {
		struct err why = { 0 };
		int rc = start_open(&a->app, parts[i].part, &a->arena, &why);

		if (rc == 1 && parts[i].part == START_OBJECTS)
			rc = blob_try(a->app.objects, &why);
		findings[i] = (struct finding){ parts[i].name, rc == 1 ? "" : arena_strdup(&a->arena, why.detail[0] ? why.detail : why.message),
						rc == 1 };
		good &= rc == 1;
	}
	admin_list(a, finding_fields, findings, 3, sizeof(findings[0]));
	return good;
}
