/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pulumi-migrate up | status: creates the database and applies the numbered files of a folder, each
 * once. Every statement is repeatable, so a run that was killed is run again.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/crypto.h"
#include "db/connect.h"

static const char usage[] =
	"usage: pulumi-migrate up|status [--help]\n"
	"Creates or upgrades the schema. Settings come from the environment:\n"
	"  PULUMI_DATABASE_ENDPOINT  host:port, or unix:/path (default pulumi-db:3306)\n"
	"  PULUMI_DATABASE_NAME      default pulumi\n"
	"  MYSQL_ROOT_USERNAME       default root\n"
	"  MYSQL_ROOT_PASSWORD       default empty\n"
	"  PULUMI_MIGRATIONS_DIR     folder of NNNN-words.sql (default " PKG_DATADIR "/migrations)\n"
	"Exit codes: 0 done, 1 failed, 2 wrong usage, 3 (status) migrations are waiting.\n";

static const struct stmt MIGRATION_FIND = STMT("migration.find",
	"SELECT checksum FROM schema_migrations WHERE name = ?");
static const struct stmt MIGRATION_RECORD = STMT("migration.record",
	"INSERT INTO schema_migrations (name, checksum, applied_at) VALUES (?, ?, UTC_TIMESTAMP(6))");

struct migration_row {
	char *checksum;
};
static const struct db_column migration_columns[] = {
	DB_COLUMN(migration_row, checksum, COLUMN_TEXT),
	{ 0 },
};

static int read_file(const char *path, struct buffer *ret_text, struct err *e)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return err_internal(e, "cannot read %s: %s", path, strerror(errno));
	do {
		n = fread(buffer_reserve(ret_text, 65536), 1, 65536, f);
		ret_text->length += n;
		ret_text->data[ret_text->length] = '\0';
	} while (n > 0);
	fclose(f);
	return 1;
}

/* Statements end with a semicolon at the end of a line. */
static int run_statements(struct db *db, char *text, struct err *e)
{
	char *end;

	while ((end = strstr(text, ";\n"))) {
		*end = '\0';
		if (db_run_text(db, text, e) < 0)
			return -1;
		text = end + 2;
	}
	return 1;
}

/* 1 applied (or would be), 0 was there already. */
static int apply(struct db *db, const char *folder, const char *name, bool dry, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	unsigned char digest[SHA256_BYTES];
	char checksum[65];
	struct migration_row row = { 0 };
	int rc;

	if (read_file(arena_printf(&arena, "%s/%s", folder, name), &text, e) < 0)
		return -1;
	sha256(buffer_span(&text), digest);
	hex_encode(digest, sizeof(digest), checksum);
	rc = db_one(db, &MIGRATION_FIND, DB_VALUES(db_text(name)), migration_columns, &row, &arena, e);
	if (rc < 0)
		return -1;
	if (rc == 1 && strcmp(row.checksum, checksum))
		return err_internal(e, "%s was changed after it was applied; restore the released file", name);
	if (rc == 1 || dry)
		return !rc;
	if (run_statements(db, text.data, e) < 0 ||
	    db_exec(db, &MIGRATION_RECORD, DB_VALUES(db_text(name), db_text(checksum)), NULL, e) < 0)
		return -1;
	return 1;
}

static int is_migration(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 9 && strspn(d->d_name, "0123456789") == 4 && !strcmp(d->d_name + n - 4, ".sql");
}

static int apply_all(struct db *db, const char *folder, bool dry, int *ret_waiting, struct err *e)
{
	struct dirent **files;
	int n = scandir(folder, &files, is_migration, alphasort), rc = 1;

	if (n <= 0)
		return err_internal(e, "PULUMI_MIGRATIONS_DIR: no migrations in %s", folder);
	for (int i = 0; i < n; i++) {
		if (rc >= 0)
			rc = apply(db, folder, files[i]->d_name, dry, e);
		if (rc == 1) {
			printf("%s %s\n", dry ? "waiting" : "applied", files[i]->d_name);
			(*ret_waiting)++;
		}
		free(files[i]);
	}
	free(files);
	return rc < 0 ? -1 : 1;
}

static int create_database(struct db *db, const char *name, struct err *e)
{
	_cleanup_(buffer_done) struct buffer sql = BUFFER_INIT;

	if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != strlen(name))
		return err_internal(e, "PULUMI_DATABASE_NAME: '%s' has characters other than letters, digits and _", name);
	buffer_printf(&sql, "CREATE DATABASE IF NOT EXISTS `%s` DEFAULT CHARACTER SET utf8mb4", name);
	if (db_run_text(db, sql.data, e) < 0)
		return -1;
	buffer_clear(&sql);
	buffer_printf(&sql, "USE `%s`", name);
	if (db_run_text(db, sql.data, e) < 0)
		return -1;
	return db_run_text(db,
			   "CREATE TABLE IF NOT EXISTS schema_migrations ("
			   "name VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'file name', "
			   "checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256 of the file', "
			   "applied_at DATETIME(6) NOT NULL, PRIMARY KEY (name)) ENGINE=InnoDB "
			   "COMMENT='migrations that were applied'", e);
}

static const char *setting(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value && *value ? value : fallback;
}

int main(int argc, char **argv)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(db_closep) struct db *db = NULL;
	struct db_config config = { .user = setting("MYSQL_ROOT_USERNAME", "root"),
				    .password = setting("MYSQL_ROOT_PASSWORD", "") };
	bool status = argc == 2 && !strcmp(argv[1], "status");
	struct err e = { 0 };
	int waiting = 0;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return fputs(usage, stdout) < 0;
	if (argc != 2 || (!status && strcmp(argv[1], "up")))
		return fputs(usage, stderr), 2;
	if (db_endpoint(setting("PULUMI_DATABASE_ENDPOINT", "pulumi-db:3306"), &arena, &config, &e) < 0 ||
	    db_open(&config, &db, &e) < 0 ||
	    create_database(db, setting("PULUMI_DATABASE_NAME", "pulumi"), &e) < 0 ||
	    apply_all(db, setting("PULUMI_MIGRATIONS_DIR", PKG_DATADIR "/migrations"), status, &waiting, &e) < 0) {
		fprintf(stderr, "pulumi-migrate: %s\n", e.detail[0] ? e.detail : e.message);
		return 1;
	}
	printf("%s\n", waiting && status ? "migrations are waiting: run pulumi-migrate up" : "the schema is up to date");
	return status && waiting ? 3 : 0;
}
