/* SPDX-License-Identifier: Apache-2.0 */
/* The account of the API and the jobs: it reads and writes rows, and changes no table. */
#include <stdio.h>
#include <string.h>

#include "base/settings.h"
#include "migrate.h"

/* A text literal: account names and passwords cannot be bound. */
static void quote(struct buffer *out, const char *text)
{
	buffer_putc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			buffer_putc(out, '\\');
		buffer_putc(out, *text);
	}
	buffer_putc(out, '\'');
}

static void account(struct buffer *out)
{
	quote(out, setting("PULUMI_DATABASE_USER_NAME"));
	buffer_putc(out, '@');
	quote(out, setting("PULUMI_DATABASE_USER_HOST"));
}

static int run(struct db *db, const struct buffer *statement, struct err *e)
{
	return db_run_text(db, statement->data, e);
}

static int create(struct db *db, struct err *e)
{
	_cleanup_(buffer_done) struct buffer sql = BUFFER_INIT;

	buffer_puts(&sql, "CREATE USER IF NOT EXISTS ");
	account(&sql);
	buffer_puts(&sql, " IDENTIFIED BY ");
	quote(&sql, setting("PULUMI_DATABASE_USER_PASSWORD"));
	return run(db, &sql, e);
}

static int set_password(struct db *db, struct err *e)
{
	_cleanup_(buffer_done) struct buffer sql = BUFFER_INIT;

	buffer_puts(&sql, "ALTER USER ");
	account(&sql);
	buffer_puts(&sql, " IDENTIFIED BY ");
	quote(&sql, setting("PULUMI_DATABASE_USER_PASSWORD"));
	return run(db, &sql, e);
}

/* In the name of a database that rights are given on, _ stands for any character unless it is escaped. */
static int grant(struct migrate *m, struct err *e)
{
	_cleanup_(buffer_done) struct buffer sql = BUFFER_INIT;

	buffer_puts(&sql, "GRANT SELECT, INSERT, UPDATE, DELETE ON `");
	for (const char *at = m->config.database; *at; at++)
		buffer_printf(&sql, "%s%c", *at == '_' ? "\\" : "", *at);
	buffer_puts(&sql, "`.* TO ");
	account(&sql);
	return run(m->db, &sql, e);
}

static int try_login(const struct migrate *m, struct err *e)
{
	_cleanup_(db_closep) struct db *db = NULL;
	struct db_config config = m->config;

	config.user = setting("PULUMI_DATABASE_USER_NAME");
	config.password = setting("PULUMI_DATABASE_USER_PASSWORD");
	return db_open(&config, &db, e);
}

static bool is_yes(const char *value)
{
	return value && strcmp(value, "false") && strcmp(value, "0") && strcmp(value, "no");
}

static bool may_have_password(void)
{
	return *setting("PULUMI_DATABASE_USER_PASSWORD") || is_yes(setting("MYSQL_ALLOW_EMPTY_PASSWORD"));
}

static int make(struct migrate *m, bool with_password, struct err *e)
{
	struct err why = { 0 };

	if (create(m->db, &why) == 1 && (!with_password || set_password(m->db, &why) == 1) && grant(m, &why) == 1)
		return 1;
	return err_internal(e, "cannot make the account %s: %s; make it yourself (SELECT, INSERT, UPDATE and DELETE on %s) and set "
			    "SKIP_CREATE_DB_USER=true", setting("PULUMI_DATABASE_USER_NAME"), why.detail, m->config.database);
}

int migrate_service_user(struct migrate *m, bool with_password, struct err *e)
{
	const char *name = setting("PULUMI_DATABASE_USER_NAME");
	struct err login = { 0 };

	if (!strcmp(name, m->config.user) || is_yes(setting("SKIP_CREATE_DB_USER")))
		return 1;
	if (!with_password && try_login(m, &login) == 1)
		return 1;
	if (!may_have_password())
		return err_internal(e, "PULUMI_DATABASE_USER_PASSWORD is not set: choose the password of the account %s, or let it have none with "
				    "MYSQL_ALLOW_EMPTY_PASSWORD=true", name);
	err_clear(&login);
	if (make(m, with_password, e) < 0)
		return -1;
	if (try_login(m, &login) == 1)
		return 1;
	return err_internal(e, "the account %s cannot log in with PULUMI_DATABASE_USER_PASSWORD (%s); pulumi-migrate up --set-password "
			    "gives it that password", name, login.detail);
}
