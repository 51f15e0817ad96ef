/* SPDX-License-Identifier: Apache-2.0 */
#include "start/start.h"

#include <time.h>

#include "audit/audit.h"
#include "base/settings.h"
#include "blob/blob.h"
#include "db/connect.h"
#include "mail/mail.h"
#include "secret/secret.h"
#include "stack/stack_key.h"
#include "start/measure.h"
#include "start/schema.h"
#include "telemetry/meter.h"

static int64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int open_database(struct app *app, unsigned parts, struct arena *arena, struct err *e)
{
	struct db_config config = { .user = setting("PULUMI_DATABASE_USER_NAME"),
				    .password = setting("PULUMI_DATABASE_USER_PASSWORD"),
				    .database = setting("PULUMI_DATABASE_NAME"),
				    .ca_certificate_pem = setting("DATABASE_CA_CERTIFICATE"),
				    .min_tls_version = setting("DATABASE_MIN_TLS_VERSION") };

	if (db_endpoint(setting("PULUMI_DATABASE_ENDPOINT"), arena, &config, e) < 0)
		return -1;
	if (db_open(&config, &app->db, e) < 0 || schema_check(app->db, e) < 0)
		return -1;
	return parts & START_UNFINISHED ? 1 : restore_check(app->db, e);
}

static int open_objects(struct app *app, struct err *e)
{
	static const char local[] = "PULUMI_LOCAL_OBJECTS", remote[] = "PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT";
	const char *folder = setting(local), *url = setting(remote);

	if (!folder == !url)
		return err_internal(e, "%s, %s: set one of them, where the checkpoints are kept", local, remote);
	return blob_open(url ? remote : local, url ? url : folder, &app->objects, e);
}

static int open_keys(struct app *app, struct err *e)
{
	static const char local[] = "PULUMI_LOCAL_KEYS", remote[] = "PULUMI_KMS_KEY";
	const char *folder = setting(local), *arn = setting(remote);

	if (!folder && !arn)
		return err_internal(e, "%s, %s: set one of them, what seals the keys of the stacks", local, remote);
	if (!arn)
		return keys_open(local, folder, &app->keys, e);
	/* The key service seals; keys in the folder still open what they sealed, until they are moved. */
	if (keys_open(remote, arn, &app->keys, e) < 0)
		return -1;
	return folder ? keys_add(app->keys, local, folder, e) : 1;
}

/* A wrong setting stops every program, not the first mail. */
static int open_mail(struct app *app, struct arena *arena, struct err *e)
{
	struct mail_config *config = arena_alloc(arena, sizeof(*config));
	int rc = mail_configure(arena, config, e);

	if (rc == 1)
		app->mail = config;
	return rc < 0 ? -1 : 1;
}

static int open_audit(struct app *app, struct err *e)
{
	static const char table[] = "PULUMI_AUDIT_LOGS_DYNAMO_TABLE";

	return audit_open(table, setting(table), &app->audit, e);
}

int start_open(struct app *app, unsigned parts, struct arena *arena, struct err *e)
{
	int64_t max_body;

	app->now_us = clock_now;
	if (settings_load(e) < 0 || setting_int("PULUMI_MAX_BODY_BYTES", 1 << 20, 1LL << 40, &max_body, e) < 0 ||
	    setting_bool("PULUMI_SENDFILE", &app->sendfile, e) < 0)
		return -1;
	app->max_body = (size_t)max_body;
	if (open_mail(app, arena, e) < 0)
		return -1;
	if ((parts & START_OBJECTS) && open_objects(app, e) < 0)
		return -1;
	if ((parts & START_DATABASE) && open_database(app, parts, arena, e) < 0)
		return -1;
	if ((parts & START_KEYS) && open_keys(app, e) < 0)
		return -1;
	if ((parts & START_AUDIT) && open_audit(app, e) < 0)
		return -1;
	measure_start(app);
	/* A wrong or missing master key is found here, before anything is served. */
	return app->db && app->keys ? stack_keys_check(app, e) : 1;
}

void start_close(struct app *app)
{
	db_close(app->db);
	blob_close(app->objects);
	keys_close(app->keys);
	audit_close(app->audit);
	meter_close(app->meter);
	app->meter = NULL;
	app->mail = NULL;
	app->audit = NULL;
	app->keys = NULL;
	app->db = NULL;
	app->objects = NULL;
}
