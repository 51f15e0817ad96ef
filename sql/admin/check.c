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

/* Writes an object, reads it back, deletes it. */
static int try_objects(struct blob_store *store, struct err *e)
{
	_cleanup_(buffer_done) struct buffer back = BUFFER_INIT;
	unsigned char random[32];
	struct span data = { (const char *)random, sizeof(random) };
	char hex[2 * sizeof(random) + 1], key[80];
	int rc;

	random_bytes(random, sizeof(random));
	hex_encode(random, sizeof(random), hex);
	snprintf(key, sizeof(key), "scratch/%s", hex);
	if (blob_put(store, key, data, e) < 0)
		return -1;
	rc = blob_get(store, key, &back, e);
	if (rc == 0 || (rc == 1 && !span_equal(buffer_span(&back), data)))
		rc = err_internal(e, "what was written into the object store did not come back");
	return blob_delete(store, key, e) < 0 ? -1 : rc;
}

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
			rc = try_objects(a->app.objects, &why);
		findings[i] = (struct finding){ parts[i].name, rc == 1 ? "" : arena_strdup(&a->arena, why.detail[0] ? why.detail : why.message),
						rc == 1 };
		good &= rc == 1;
	}
	admin_list(a, finding_fields, findings, 3, sizeof(findings[0]));
	return good;
}
