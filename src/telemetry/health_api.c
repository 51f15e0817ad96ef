/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/admin/health: uses what the server depends on, now, and says how long it took. */
#include "api/route.h"
#include "audit/audit.h"
#include "blob/blob.h"
#include "secret/secret.h"
#include "start/schema.h"

struct health_part {
	const char *name, *problem;
	bool good;
	int64_t microseconds;
};

static const struct field part_fields[] = {
	FIELD(health_part, name, "name", FIELD_TEXT, .help = "database, objects, keys, or audit when the log is not in the database"),
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

/* 0: the database keeps the log. */
static int try_audit(struct app *app, struct err *e)
{
	return audit_try(app->audit, e);
}

static const struct {
	const char *name;
	int (*try)(struct app *app, struct err *e);
} tries[] = { { "database", try_database }, { "objects", try_objects }, { "keys", try_keys }, { "audit", try_audit } };

#define TRIES (sizeof(tries) / sizeof(tries[0]))

/* 1 when there is such a part, which is then described. */
static int try_part(struct request *rq, size_t i, struct health_part *ret_part)
{
	int64_t began_ns = clock_ns();
	struct err why = { 0 };
	int rc = tries[i].try(rq->app, &why);
	const char *problem = why.detail[0] ? why.detail : why.message;

	if (rc == 0)
		return 0;
	*ret_part = (struct health_part){ .name = tries[i].name, .good = rc == 1, .microseconds = (clock_ns() - began_ns) / 1000,
					  .problem = rc == 1 ? NULL : arena_strdup(rq->arena, problem) };
	return 1;
}

/* GetHealth: 200 when all is well, 503 with the same body when something is not. */
int api_get_health(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct health_part parts[TRIES];
	struct health_reply reply = { .good = true, .parts = { parts, 0, sizeof(parts[0]) } };

	(void)e;
	for (size_t i = 0; i < TRIES; i++) {
		if (!try_part(rq, i, &parts[reply.parts.count]))
			continue;
		reply.good &= parts[reply.parts.count++].good;
	}

	reply_json(rp, health_reply_fields, &reply);
	rp->status = reply.good ? 200 : 503;
	return 1;
}
