/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pulumi-migrate: applies the numbered files of a folder, each once and in order. Works with an account
 * that may change the schema, which the API never sees. One run works at a time (claim/claim.h); one that
 * was killed is continued by the next at the statement where it stopped.
 */
#ifndef MIGRATE_MIGRATE_H
#define MIGRATE_MIGRATE_H

#include "base/arena.h"
#include "db/db.h"

struct migration {
	const char *name, *checksum;	/* file name; SHA-256 of the file, hex */
	char **statements;
	size_t count;
};

struct migrate {
	struct arena arena;
	struct db_config config;	/* the account that changes the schema */
	struct db *db;			/* NULL: the database does not exist yet */
	struct migration *migrations;
	size_t count;
};

/* --- connect.c, service_user.c --- */
/* Settings, the folder's files, a connection: waits until the database answers. */
int migrate_open(struct migrate *m, struct err *e) WARN_UNUSED;
void migrate_close(struct migrate *m);
/* Makes the database and connects to it. */
int migrate_create_database(struct migrate *m, struct err *e) WARN_UNUSED;
/* Makes the account of the API where it is missing, and checks that it can log in. */
int migrate_service_user(struct migrate *m, bool set_password, struct err *e) WARN_UNUSED;

/* --- folder.c --- */
/* The files NNNN-words.sql in order of their names. */
int migrations_read(const char *folder, struct arena *arena, struct migration **ret_list, size_t *ret_count,
		    struct err *e) WARN_UNUSED;

/* --- state.c --- */
struct migration_state {
	bool applied, begun;		/* begun: some statements have run */
	size_t next;			/* the first statement that has not been recorded as done */
	int64_t applied_at;
};
/* The tables that this tool keeps its own records in. */
int state_make_tables(struct db *db, struct err *e) WARN_UNUSED;
/* -1 when the file is not what was applied. Without tables, or without a database, nothing is applied. */
int state_of(struct migrate *m, const struct migration *migration, struct migration_state *ret_state, struct err *e) WARN_UNUSED;
int state_begin(struct db *db, const struct migration *migration, struct err *e) WARN_UNUSED;
int state_advance(struct db *db, const struct migration *migration, size_t next, struct err *e) WARN_UNUSED;
int state_finish(struct db *db, const struct migration *migration, struct err *e) WARN_UNUSED;
/* Names of applied migrations that the folder does not have. */
int state_unknown(struct migrate *m, struct buffer *ret_names, struct err *e) WARN_UNUSED;

/* --- dialect.c --- */
#define DIALECT_MOST 16		/* clauses of one change of a table */
struct dialect_list {
	const char *items[DIALECT_MOST];
	size_t count;
};
/* The statements, one after the other, that do on this server what the migration's one does. They live in `arena`. */
void dialect_statements(const struct db *db, const char *statement, struct arena *arena, struct dialect_list *ret_list);
/* The text of a schema as this server has it. */
const char *dialect_text(const struct db *db, const char *text, struct arena *arena);

/* --- apply.c --- */
int migrate_up(struct migrate *m, bool set_password, struct err *e) WARN_UNUSED;
/* Both print; 1 when something waits, 0 when not. */
int migrate_status(struct migrate *m, struct err *e) WARN_UNUSED;
int migrate_plan(struct migrate *m, struct err *e) WARN_UNUSED;

/* --- schema.c --- */
/* Appends the live schema in the one form that does not depend on the server: what sql/schema.sql is. */
int schema_write(struct db *db, struct buffer *out, struct err *e) WARN_UNUSED;
/* Compares it with schema.sql and prints what differs: 1 when something does, 0 when not. */
int migrate_check(struct migrate *m, struct err *e) WARN_UNUSED;

#endif
