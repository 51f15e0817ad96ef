/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every named statement of the archives, for the checks that need the text as the compiler made it.
 *   statements           prints NAME, a tab, the file's constant, a tab, the statement, a line each
 *   statements prepare   prepares each against the database of the usual settings: a freshly migrated one
 */
#include <stdio.h>

#include "base/settings.h"
#include "db/connect.h"

/* Made out of `const struct stmt NAME` in the sources when this is built. */
#define STATEMENT(name) extern const struct stmt name;
#include "tests/lint/statements.def"
#undef STATEMENT

static const struct {
	const char *constant;
	const struct stmt *stmt;
} statements[] = {
#define STATEMENT(name) { #name, &name },
#include "tests/lint/statements.def"
#undef STATEMENT
};

#define COUNT (sizeof(statements) / sizeof(statements[0]))

static int print_all(void)
{
	for (size_t i = 0; i < COUNT; i++)
		printf("%s\t%s\t%s\n", statements[i].stmt->name, statements[i].constant, statements[i].stmt->sql);
	return 0;
}

static int prepare_all(struct db *db)
{
	int failed = 0;

	for (size_t i = 0; i < COUNT; i++) {
		struct err e = { 0 };

		if (db_prepare(db, statements[i].stmt, &e) < 0) {
			printf("%s: %s\n", statements[i].constant, e.detail[0] ? e.detail : e.message);
			failed++;
		}
	}
	printf("%zu prepared, %d failed\n", COUNT - (size_t)failed, failed);
	return failed != 0;
}

int main(int argc, char **argv)
{
	struct arena arena = ARENA_INIT;
	struct err e = { 0 };
	struct db_config config = { 0 };
	_cleanup_(db_closep) struct db *db = NULL;
	int rc;

	if (argc < 2 || strcmp(argv[1], "prepare"))
		return print_all();
	if (settings_load(&e) == 1) {
		config.user = setting("PULUMI_DATABASE_USER_NAME");
		config.password = setting("PULUMI_DATABASE_USER_PASSWORD");
		config.database = setting("PULUMI_DATABASE_NAME");
	}
	if (e.kind || db_endpoint(setting("PULUMI_DATABASE_ENDPOINT"), &arena, &config, &e) < 0 ||
	    db_open(&config, &db, &e) < 0) {
		fprintf(stderr, "statements: %s\n", e.detail[0] ? e.detail : e.message);
		return 1;
	}
	rc = prepare_all(db);
	arena_clear(&arena);
	return rc;
}
