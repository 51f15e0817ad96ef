/* SPDX-License-Identifier: Apache-2.0 */
#include "start/start.h"

#include <time.h>

#include "audit/audit.h"
#include "base/settings.h"
#include "base/version.h"
#include "blob/blob.h"
#include "db/connect.h"
#include "link/key.h"
#include "mail/mail.h"
#include "net/guard.h"
#include "oidc/policy_text.h"
#include "secret/secret.h"
#include "stack/stack_key.h"
#include "start/keys.h"
#include "start/measure.h"
#include "start/proven.h"
#include "start/schema.h"
#include "start/stores.h"
#include "telemetry/trace.h"

static int64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The same with the settings that are at fault; what passes by itself has none. */
static int cannot_connect(const struct err *why, struct err *e)
{
	switch (db_refusal_of(why)) {
	case DB_REFUSED_LOGIN:
		return err_internal(e, "PULUMI_DATABASE_USER_NAME, PULUMI_DATABASE_USER_PASSWORD: the database at %s does not let this account in: %s",
				    setting("PULUMI_DATABASE_ENDPOINT"), why->detail);
	case DB_REFUSED_SCHEMA:
		return err_internal(e, "PULUMI_DATABASE_NAME: '%s' is not in the database at %s, or not for %s; pulumi-migrate makes it: %s",
				    setting("PULUMI_DATABASE_NAME"), setting("PULUMI_DATABASE_ENDPOINT"),
				    setting("PULUMI_DATABASE_USER_NAME"), why->detail);
	default:
		*e = *why;
		return -1;
	}
}

static int open_database(struct app *app, unsigned parts, struct arena *arena, struct err *e)
{
	struct db_config config = { .user = setting("PULUMI_DATABASE_USER_NAME"),
				    .password = setting("PULUMI_DATABASE_USER_PASSWORD"),
				    .database = setting("PULUMI_DATABASE_NAME"),
				    .ca_certificate_pem = setting("DATABASE_CA_CERTIFICATE"),
				    .min_tls_version = setting("DATABASE_MIN_TLS_VERSION") };
	struct err why = { 0 };

	if (db_endpoint(setting("PULUMI_DATABASE_ENDPOINT"), arena, &config, e) < 0)
		return -1;
	if (db_open(&config, &app->db, &why) < 0)
		return cannot_connect(&why, e);
	if (schema_check(app->db, e) < 0)
		return -1;
	return parts & START_UNFINISHED ? 1 : restore_check(app->db, e);
}

static int open_objects(struct app *app, struct err *e)
{
	if (store_open(STORE_CHECKPOINTS, !app->untried, &app->objects, e) < 0)
		return -1;
	if (store_open(STORE_ENGINE_EVENTS, !app->untried, &app->events, e) < 0)
		return -1;
	if (store_open(STORE_SERVICE_METADATA, !app->untried, &app->metadata, e) < 0)
		return -1;
	if (app->metadata && !app->policy_texts)
		app->policy_texts = policy_texts_new();
	return store_open(STORE_POLICY_PACKS, !app->untried, &app->packs, e) < 0 ? -1 : 1;
}

static int try_objects(struct err *e)
{
	for (enum store s = 0; s < STORE_COUNT; s++)
		if (store_try(s, e) < 0)
			return -1;
	return 1;
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

/* What GET /api/cli/version answers must be what its clients can read. */
static int version_settings_check(struct err *e)
{
	static const char *const names[] = { "PULUMI_CLI_LATEST_VERSION", "PULUMI_CLI_OLDEST_VERSION", "PULUMI_CLI_LATEST_DEV_VERSION" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (setting(names[i]) && !version_valid(setting(names[i])))
			return err_internal(e, "%s: '%s' is no version of the command line; write it like 3.259.0", names[i], setting(names[i]));
	return 1;
}

/* What requests read must be readable. */
static int switches_check(struct err *e)
{
	static const char *const names[] = { "PULUMI_DISABLE_EMAIL_SIGNUP", "PULUMI_DISABLE_EMAIL_LOGIN" };
	bool ignored;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (setting_bool(names[i], &ignored, e) < 0)
			return -1;
	return 1;
}

/* Addresses that clients are given begin with it. */
static int api_domain_check(struct err *e)
{
	const char *domain = setting("PULUMI_API_DOMAIN"), *host = domain;

	host += !strncmp(host, "https://", 8) ? 8 : !strncmp(host, "http://", 7) ? 7 : 0;
	if (*host && !host[strcspn(host, "/?#@\"'<>\\ \t\r\n")])
		return 1;
	return err_internal(e, "PULUMI_API_DOMAIN: '%.200s' must be a host and perhaps a port, such as api.example.com:8080, with http:// or "
			    "https:// before it if you like, and nothing behind it", domain);
}

int start_more(struct app *app, unsigned parts, struct arena *arena, struct err *e)
{
	if ((parts & START_OBJECTS) && open_objects(app, e) < 0)
		return -1;
	if ((parts & START_TRY) && try_objects(e) < 0)
		return -1;
	if ((parts & START_DATABASE) && open_database(app, parts, arena, e) < 0)
		return -1;
	if ((parts & START_KEYS) && start_keys(arena, !app->untried, &app->keys, e) < 0)
		return -1;
	if ((parts & START_AUDIT) && open_audit(app, e) < 0)
		return -1;
	if (app->db && app->keys && !app->link_keys)
		app->link_keys = link_keys_new();
	if (measure_start(app, e) < 0)
		return -1;
	/* A wrong or missing master key is found here, before anything is served. */
	return app->db && app->keys ? stack_keys_check(app, e) : 1;
}

int start_open(struct app *app, unsigned parts, struct arena *arena, struct err *e)
{
	int64_t max_body;

	app->now_us = clock_now;
	if (settings_load(e) < 0 || setting_int("PULUMI_MAX_BODY_BYTES", 1 << 20, 1LL << 40, &max_body, e) < 0 ||
	    setting_bool("PULUMI_SENDFILE", &app->sendfile, e) < 0)
		return -1;
	app->max_body = (size_t)max_body;
	app->guard = arena_alloc(arena, sizeof(*app->guard));
	if (guard_read("PULUMI_ALLOWED_PRIVATE_NETWORKS", setting("PULUMI_ALLOWED_PRIVATE_NETWORKS"), arena, app->guard, e) < 0 ||
	    version_settings_check(e) < 0 || switches_check(e) < 0 || api_domain_check(e) < 0 || open_mail(app, arena, e) < 0)
		return -1;
	app->untried = (parts & START_AGAIN) && settings_proven();
	if (start_more(app, app->untried ? parts & ~(unsigned)START_TRY : parts, arena, e) < 0)
		return -1;
	if ((parts & START_AGAIN) && !app->untried)
		settings_prove();
	return 1;
}

void start_close(struct app *app)
{
	db_close(app->db);
	blob_close(app->objects);
	blob_close(app->events);
	blob_close(app->metadata);
	blob_close(app->packs);
	policy_texts_free(app->policy_texts);
	link_keys_free(app->link_keys);
	keys_close(app->keys);
	audit_close(app->audit);
	tracer_close(app->tracer);
	meter_close(app->meter);
	app->tracer = NULL;
	app->meter = NULL;
	app->mail = NULL;
	app->audit = NULL;
	app->keys = NULL;
	app->db = NULL;
	app->objects = NULL;
	app->events = NULL;
	app->metadata = NULL;
	app->packs = NULL;
	app->policy_texts = NULL;
	app->link_keys = NULL;
}
