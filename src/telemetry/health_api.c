/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/admin/health: uses what the server depends on, now, and says how long it took. */
#include "api/route.h"
#include "blob/blob.h"
#include "secret/secret.h"
#include "start/schema.h"

struct health_part {
	const char *name, *problem;
	bool good;
	int64_t microseconds;
};

static const struct field part_fields[] = {
	FIELD(health_part, name, "name", FIELD_TEXT, .help = "database, objects or keys"),
	FIELD(health_part, good, "good", FIELD_BOOL),
	FIELD(health_part, microseconds, "microseconds", FIELD_INT, .help = "How long the try took."),
	FIELD(health_part, problem, "problem", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY, .help = "What is wrong, for an administrator."),
	{ 0 },
};

struct health_reply {
	bool good;
	struct object_list parts;
};

const struct field health_reply_fields[] = {
	FIELD(health_reply, good, "good", FIELD_BOOL, .help = "Whether all of them are."),
	FIELD(health_reply, parts, "parts", FIELD_LIST, .fields = part_fields),
	{ 0 },
};

static int try_database(struct app *app, struct err *e)
{
	return schema_check(app->db, e);
}

static int try_objects(struct app *app, struct err *e)
{
	return blob_try(app->objects, e);
}

static int try_keys(struct app *app, struct err *e)
{
	return keys_try(app->keys, e);
}

static const struct {
	const char *name;
	int (*try)(struct app *app, struct err *e);
} tries[] = { { "database", try_database }, { "objects", try_objects }, { "keys", try_keys } };

#define TRIES (sizeof(tries) / sizeof(tries[0]))

/* GetHealth: 200 when all is well, 503 with the same body when something is not. */
int api_get_health(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct health_part parts[TRIES];
	struct health_reply reply = { .good = true, .parts = { parts, TRIES, sizeof(parts[0]) } };

	(void)e;
	for (size_t i = 0; i < TRIES; i++) {
		int64_t began_ns = clock_ns();
		struct err why = { 0 };
		bool good = tries[i].try(rq->app, &why) == 1;
		const char *problem = why.detail[0] ? why.detail : why.message;

		parts[i] = (struct health_part){ .name = tries[i].name, .good = good, .microseconds = (clock_ns() - began_ns) / 1000,
						 .problem = good ? NULL : arena_strdup(rq->arena, problem) };
		reply.good &= good;
	}

	reply_json(rp, health_reply_fields, &reply);
	rp->status = reply.good ? 200 : 503;
	return 1;
}
