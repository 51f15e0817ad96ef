/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/settings.h"
#include "claim/claim.h"
#include "migrate.h"

/*
 * A statement that changes the schema waits for every transaction on its table, and everybody else waits
 * for it: it gives up soon and comes again.
 */
static int set_patience(struct db *db, struct err *e)
{
	char text[64];
	int64_t seconds;

	if (setting_int("METADATA_LOCK_WAIT_TIMEOUT", 1, 3600, &seconds, e) < 0)
		return -1;
	snprintf(text, sizeof(text), "SET SESSION lock_wait_timeout = %d", (int)seconds);
	return db_run_text(db, text, e);
}

static unsigned number_of(const struct err *e)
{
	unsigned number = 0;

	return sscanf(e->detail, "statement: %u ", &number) == 1 ? number : 0;
}

/* What the database says to a change that it has made before: table, column, key or constraint is there, or gone. */
static bool says_done(unsigned number)
{
	return number == 1050 || number == 1060 || number == 1061 || number == 1091 || number == 1826 || number == 1051;
}

static int run_patiently(struct db *db, const char *statement, struct err *e)
{
	int64_t retries;

	if (setting_int("METADATA_LOCK_RETRIES", 0, 1000, &retries, e) < 0)
		return -1;
	for (int64_t attempt = 0;; attempt++) {
		struct err last = { 0 };

		if (db_run_text(db, statement, &last) == 1)
			return 1;
		if (last.kind == ERR_RETRY && attempt == retries)
			return err_internal(e, "other transactions kept a table busy; try again when there is less to do, or raise "
					    "METADATA_LOCK_RETRIES");
		if (last.kind != ERR_RETRY) {
			*e = last;
			return -1;
		}
		fprintf(stderr, "pulumi-migrate: a table is busy; trying again\n");
		sleep(1);
	}
}

/* `maybe_done`: an earlier run may have died between this statement and the record of it. */
static int run_statement(struct db *db, const char *statement, bool maybe_done, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct dialect_list list;

	dialect_statements(db, statement, &arena, &list);
	for (size_t i = 0; i < list.count; i++) {
		struct err last = { 0 };

		if (run_patiently(db, list.items[i], &last) == 1 || (maybe_done && says_done(number_of(&last))))
			continue;
		*e = last;
		return -1;
	}
	return 1;
}

static int failed(const struct migration *migration, size_t i, const struct err *why, struct err *e)
{
	return err_internal(e, "%s, statement %zu of %zu: %s", migration->name, i + 1, migration->count,
			    why->detail[0] ? why->detail : why->message);
}

static int check_claim(struct db *db, const struct claim *claim, struct err *e)
{
	int rc = claim_renew(db, claim, e);

	return rc == 0 ? err_internal(e, "another pulumi-migrate has taken over; run pulumi-migrate status") : rc;
}

static int apply(struct migrate *m, const struct claim *claim, const struct migration *migration, struct err *e)
{
	struct migration_state state;

	if (state_of(m, migration, &state, e) < 0)
		return -1;
	if (state.applied)
		return 0;
	if (!state.begun && state_begin(m->db, migration, e) < 0)
		return -1;
	for (size_t i = state.next; i < migration->count; i++) {
		struct err why = { 0 };

		if (check_claim(m->db, claim, e) < 0)
			return -1;
		if (run_statement(m->db, migration->statements[i], state.begun && i == state.next, &why) < 0)
			return failed(migration, i, &why, e);
		fault_point("migrate.statement");
		if (state_advance(m->db, migration, i + 1, e) < 0)
			return -1;
	}
	if (state_finish(m->db, migration, e) < 0)
		return -1;
	printf("applied %s\n", migration->name);
	return 1;
}

static int apply_all(struct migrate *m, const struct claim *claim, struct err *e)
{
	for (size_t i = 0; i < m->count; i++)
		if (apply(m, claim, &m->migrations[i], e) < 0)
			return -1;
	return 1;
}

int migrate_up(struct migrate *m, bool set_password, struct err *e)
{
	struct claim claim = { 0 };
	int rc;

	if (migrate_create_database(m, e) < 0 || state_make_tables(m->db, e) < 0 ||
	    claim_wait(m->db, CLAIM_SCHEMA, "pulumi-migrate", &claim, e) < 0)
		return -1;
	rc = claim_keep(&m->config, &claim, e);
	if (rc == 1)
		rc = set_patience(m->db, e);
	if (rc == 1)
		rc = apply_all(m, &claim, e);
	if (rc == 1)
		rc = migrate_service_user(m, set_password, e);
	claim_release(m->db, &claim);
	if (rc == 1)
		puts("the schema is up to date");
	return rc;
}

static void print_time(int64_t us)
{
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;
	char text[32];

	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", gmtime_r(&seconds, &tm));
	printf(" (%s UTC)", text);
}

static void print_state(const struct migration *migration, const struct migration_state *state)
{
	printf("%-8s %s", state->applied ? "applied" : state->begun ? "half" : "waiting", migration->name);
	if (state->applied)
		print_time(state->applied_at);
	else if (state->begun)
		printf(" (%zu of %zu statements)", state->next, migration->count);
	puts("");
}

static int print_unknown(struct migrate *m, struct err *e)
{
	_cleanup_(buffer_done) struct buffer names = BUFFER_INIT;

	if (state_unknown(m, &names, e) < 0)
		return -1;
	if (names.length)
		printf("a newer version has also applied: %s\n", names.data);
	return 1;
}

int migrate_status(struct migrate *m, struct err *e)
{
	size_t waiting = 0;

	for (size_t i = 0; i < m->count; i++) {
		struct migration_state state;

		if (state_of(m, &m->migrations[i], &state, e) < 0)
			return -1;
		print_state(&m->migrations[i], &state);
		waiting += !state.applied;
	}
	if (print_unknown(m, e) < 0)
		return -1;
	puts(waiting ? "migrations are waiting: run pulumi-migrate up" : "the schema is up to date");
	return waiting > 0;
}

/* Without a database the text is as the migration has it: who takes part of it otherwise is not known yet. */
static void print_statement(struct migrate *m, const struct migration *migration, size_t n)
{
	struct dialect_list list = { { migration->statements[n] }, 1 };

	if (m->db)
		dialect_statements(m->db, migration->statements[n], &m->arena, &list);
	for (size_t i = 0; i < list.count; i++)
		printf("-- %s, statement %zu of %zu\n%s;\n\n", migration->name, n + 1, migration->count, list.items[i]);
}

int migrate_plan(struct migrate *m, struct err *e)
{
	size_t waiting = 0;

	if (!m->db)
		printf("-- the database %s does not exist and would be made\n", m->config.database);
	for (size_t i = 0; i < m->count; i++) {
		const struct migration *each = &m->migrations[i];
		struct migration_state state;

		if (state_of(m, each, &state, e) < 0)
			return -1;
		for (size_t n = state.next; !state.applied && n < each->count; n++, waiting++)
			print_statement(m, each, n);
	}
	puts(waiting ? "-- nothing was run: pulumi-migrate up runs it" : "-- nothing is waiting");
	return waiting > 0;
}
