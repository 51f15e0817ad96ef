/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/settings.h"
#include "db/connect.h"
#include "json/scan.h"
#include "migrate.h"

#define LONGEST_STATEMENT (7 * 86400)	/* seconds: changing a large table takes its time */
#define REPORT_SECONDS 5

/* {"username":"…","password":"…"}, as a secrets manager keeps them. */
static int read_credentials(struct migrate *m, const char *json, struct err *e)
{
	struct span document, value, text;
	struct err wrong = { 0 };

	if (scan_document(span_of(json), &document, &wrong) < 0 || document.data[0] != '{')
		return err_internal(e, "MYSQL_ROOT_CREDENTIALS must be JSON: {\"username\": …, \"password\": …}");
	if (scan_find(document, "username", &value) && scan_text(value, &m->arena, &text))
		m->config.user = arena_strndup(&m->arena, text.data, text.length);
	if (scan_find(document, "password", &value) && scan_text(value, &m->arena, &text))
		m->config.password = arena_strndup(&m->arena, text.data, text.length);
	return 1;
}

/* The name becomes part of statements. */
static int check_database(const char *name, struct err *e)
{
	if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != strlen(name))
		return err_internal(e, "PULUMI_DATABASE_NAME: '%.80s' has characters other than letters, digits, - and _", name);
	return 1;
}

static int read_settings(struct migrate *m, struct err *e)
{
	if (settings_load(e) < 0)
		return -1;
	m->config = (struct db_config){ .user = setting("MYSQL_ROOT_USERNAME"),
					.password = setting("MYSQL_ROOT_PASSWORD"),
					.database = setting("PULUMI_DATABASE_NAME"),
					.ca_certificate_pem = setting("DATABASE_CA_CERTIFICATE"),
					.min_tls_version = setting("DATABASE_MIN_TLS_VERSION"),
					.answer_seconds = LONGEST_STATEMENT };
	if (setting("MYSQL_ROOT_CREDENTIALS") && read_credentials(m, setting("MYSQL_ROOT_CREDENTIALS"), e) < 0)
		return -1;
	if (db_endpoint(setting("PULUMI_DATABASE_ENDPOINT"), &m->arena, &m->config, e) < 0)
		return -1;
	return check_database(m->config.database, e);
}

static bool is_missing_database(const struct err *e)
{
	return strstr(e->detail, ": 1049 ") != NULL;
}

/* 1 connected, 0 there is no such database yet. */
static int connect_once(const struct db_config *config, struct db **ret_db, struct err *e)
{
	struct err last = { 0 };

	if (db_open(config, ret_db, &last) == 1)
		return 1;
	if (is_missing_database(&last))
		return 0;
	*e = last;
	return -1;
}

static int give_up(int64_t seconds, const struct err *last, struct err *e)
{
	if (last->kind != ERR_UNAVAILABLE && db_refusal_of(last) == DB_NOT_REFUSED) {
		*e = *last;
		return -1;
	}
	if (last->kind != ERR_UNAVAILABLE)
		return err_internal(e, "%s; MYSQL_ROOT_USERNAME and MYSQL_ROOT_PASSWORD are the account that is used", last->detail);
	return err_internal(e, "the database at %s did not answer within %d s (%s)", setting("PULUMI_DATABASE_ENDPOINT"),
			    (int)seconds, last->detail);
}

/* A refused login is final; a server that does not answer may be starting. */
static int wait_until_answers(const struct db_config *config, struct db **ret_db, struct err *e)
{
	int64_t limit, began = time(NULL);

	if (setting_int("PULUMI_DATABASE_WAIT_SECONDS", 0, 86400, &limit, e) < 0)
		return -1;
	for (int64_t reported = 0;; sleep(1)) {
		struct err last = { 0 };
		int rc = connect_once(config, ret_db, &last);
		int64_t waited = time(NULL) - began;

		if (rc >= 0)
			return rc;
		if (last.kind != ERR_UNAVAILABLE || waited >= limit)
			return give_up(limit, &last, e);
		if (waited - reported >= REPORT_SECONDS) {
			reported = waited;
			fprintf(stderr, "pulumi-migrate: waiting for the database, %d of %d s: %s\n", (int)waited, (int)limit, last.detail);
		}
	}
}

/* Another address of the same server, which answers when it is ready. */
static int wait_for_ping(const struct migrate *m, struct err *e)
{
	_cleanup_(db_closep) struct db *db = NULL;
	struct db_config config = m->config;
	int64_t port;

	if (!setting("PULUMI_DATABASE_PING_ENDPOINT"))
		return 1;
	if (setting_int("MYSQL_PORT", 1, 65535, &port, e) < 0)
		return -1;
	config.host = setting("PULUMI_DATABASE_PING_ENDPOINT");
	config.port = config.port ? config.port : (unsigned)port;
	config.unix_socket = NULL;
	return wait_until_answers(&config, &db, e);
}

int migrate_open(struct migrate *m, struct err *e)
{
	if (read_settings(m, e) < 0 ||
	    migrations_read(setting("PULUMI_MIGRATIONS_DIR"), &m->arena, &m->migrations, &m->count, e) < 0 ||
	    wait_for_ping(m, e) < 0)
		return -1;
	return wait_until_answers(&m->config, &m->db, e) < 0 ? -1 : 1;
}

void migrate_close(struct migrate *m)
{
	db_close(m->db);
	arena_clear(&m->arena);
}

int migrate_create_database(struct migrate *m, struct err *e)
{
	_cleanup_(db_closep) struct db *db = NULL;
	struct db_config nowhere = m->config;

	if (m->db)
		return 1;
	nowhere.database = NULL;
	if (db_open(&nowhere, &db, e) < 0 ||
	    db_run_text(db, arena_printf(&m->arena, "CREATE DATABASE IF NOT EXISTS `%s` DEFAULT CHARACTER SET utf8mb4", m->config.database),
			e) < 0)
		return -1;
	return db_open(&m->config, &m->db, e);
}
