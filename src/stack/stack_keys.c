/* SPDX-License-Identifier: Apache-2.0 */
/* Which master keys seal the data keys of all stacks: the check at start, and the change to another one. */
#include <stdio.h>

#include "secret/secret.h"
#include "stack/stack_key.h"
#include "stack/stack_key_sql.h"

#define BATCH 100

int stack_keys_retired(const struct app *app, struct err *e)
{
	return err_internal(e, "%s: of the keys in %s, %s seals, which is retired; put the newer key's file "
			    "back, add a key whose name sorts last, or a new version of the key in its service", keys_setting(app->keys), keys_origin(app->keys), keys_active(app->keys));
}

static int count(struct app *app, const struct stmt *s, const struct db_value *values, size_t n, int64_t *ret_keys,
		 struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct key_count row = { 0 };

	if (db_one(app->db, s, values, n, key_count_columns, &row, &arena, e) < 0)
		return -1;
	*ret_keys = row.keys;
	return 1;
}

static int missing(struct app *app, const char *id, struct err *e)
{
	int64_t n;

	if (count(app, &STACK_KEYS_COUNT, DB_VALUES(db_text(id)), &n, e) < 0)
		return -1;
	return err_internal(e, "%s: master key %s, which the secrets of %lld stack%s need, is not in %s; restore its "
			    "file, name its place in PULUMI_OTHER_KEYS, or see pulumi-admin key forget when it is lost for good",
			    keys_setting(app->keys), id, (long long)n, n == 1 ? "" : "s", keys_origin(app->keys));
}

static int read_in_use(struct app *app, struct arena *arena, struct master_key_row **ret_rows, size_t *ret_count, struct err *e)
{
	return db_all(app->db, &MASTER_KEYS_IN_USE, DB_NONE, master_key_in_use_columns, sizeof(**ret_rows), arena,
		      (void **)ret_rows, ret_count, e);
}

static bool is_forgotten(const struct master_key_row *known, size_t count, const char *id)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(known[i].id, id))
			return known[i].forgotten_at >= 0;
	return false;
}

static int check_in_use(struct app *app, const struct master_key_row *known, size_t count, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct master_key_row *rows;
	size_t n;

	if (read_in_use(app, &arena, &rows, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!keys_has(app->keys, rows[i].id) && !is_forgotten(known, count, rows[i].id))
			return missing(app, rows[i].id, e);
	return 1;
}

/* Somebody else's keys are noticed although nothing is sealed yet. */
static int check_known(struct app *app, const struct master_key_row *rows, size_t n, struct err *e)
{
	const char *last = NULL;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(rows[i].id, keys_active(app->keys)) && rows[i].retired_at >= 0)
			return stack_keys_retired(app, e);
	for (size_t i = 0; i < n; i++) {
		if (keys_has(app->keys, rows[i].id))
			return 1;
		last = rows[i].forgotten_at < 0 && rows[i].retired_at < 0 ? rows[i].id : last;
	}
	if (!last)
		return 1;
	return err_internal(e, "%s: %s holds none of the master keys that this installation has used, the last of "
			    "which was %s; restore its file, name its place in PULUMI_OTHER_KEYS, or see pulumi-admin "
			    "key forget when it is lost for good",
			    keys_setting(app->keys), keys_origin(app->keys), last);
}

static int record_active(struct app *app, struct err *e)
{
	return db_exec(app->db, &MASTER_KEY_CREATE, DB_VALUES(db_text(keys_active(app->keys)), db_time(app->now_us())), NULL, e);
}

int stack_keys_check(struct app *app, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct master_key_row *rows;
	size_t n;

	if (db_all(app->db, &MASTER_KEYS, DB_NONE, master_key_columns, sizeof(*rows), &arena, (void **)&rows, &n, e) < 0 ||
	    check_in_use(app, rows, n, e) < 0 || check_known(app, rows, n, e) < 0)
		return -1;
	return record_active(app, e) < 0 ? -1 : 1;
}

/* --- rotation --- */

struct rotation {
	struct app *app;
	stack_keys_progress *progress;
	void *context;
	int64_t done, total, failed;
	struct err first;	/* why the first one failed */
};

/* Compare and swap: a key that somebody else has sealed again meanwhile is left alone. */
static int reseal(struct app *app, const struct stack_key_row *row, struct err *e)
{
	_cleanup_(buffer_done) struct buffer sealed = BUFFER_INIT;
	unsigned char key[AEAD_KEY_BYTES];
	char bound[STACK_KEY_BOUND];
	int rc;

	stack_key_bound(row->stack_id, bound);
	if (keys_unseal(app->keys, span_of(bound), row->sealed, app->now_us(), key, e) < 0)
		return -1;
	rc = keys_seal(app->keys, span_of(bound), key, &sealed, e);
	wipe(key, sizeof(key));
	if (rc < 0)
		return -1;
	return db_exec(app->db, &STACK_KEY_RESEAL,
		       DB_VALUES(db_text(keys_active(app->keys)), db_bytes(buffer_span(&sealed)), db_text(row->stack_id),
				 db_bytes(row->sealed)),
		       NULL, e);
}

static int reseal_or_count(struct rotation *r, const struct stack_key_row *row, struct err *e)
{
	struct err why = { 0 };

	if (reseal(r->app, row, &why) >= 0) {
		r->done++;
		return 1;
	}
	/* Without the database or the key service there is no point in going on. */
	if (why.kind != ERR_INTERNAL) {
		*e = why;
		return -1;
	}
	if (r->failed++ == 0)
		err_internal(&r->first, "stack %s: %s", row->stack_id, why.detail);
	return 1;
}

/* 1 when there may be more; `after` moves on. */
static int reseal_batch(struct rotation *r, const char *master, char after[UUID_TEXT], struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stack_key_row *rows;
	size_t n;

	if (db_all(r->app->db, &STACK_KEYS_OF_MASTER, DB_VALUES(db_text(master), db_text(after), db_int(BATCH)),
		   stack_key_columns, sizeof(*rows), &arena, (void **)&rows, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (reseal_or_count(r, &rows[i], e) < 0)
			return -1;
	if (n)
		snprintf(after, UUID_TEXT, "%s", rows[n - 1].stack_id);
	if (r->progress)
		r->progress(r->context, r->done, r->total);
	return n == BATCH;
}

/* What a lost key sealed stays as it is: nobody can open it. */
static bool is_lost(struct rotation *r, const char *id, const struct master_key_row *known, size_t count)
{
	return is_forgotten(known, count, id) && !keys_has(r->app->keys, id);
}

static int reseal_all(struct rotation *r, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct master_key_row *rows, *known;
	size_t n, count;
	int rc;

	if (read_in_use(r->app, &arena, &rows, &n, e) < 0 ||
	    db_all(r->app->db, &MASTER_KEYS, DB_NONE, master_key_columns, sizeof(*known), &arena, (void **)&known, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		char after[UUID_TEXT] = "";

		if (!strcmp(rows[i].id, keys_active(r->app->keys)) || is_lost(r, rows[i].id, known, count))
			continue;
		while ((rc = reseal_batch(r, rows[i].id, after, e)) > 0)
			;
		if (rc < 0)
			return -1;
	}
	return 1;
}

/* Before anything is sealed again: no responder seals with an old key once the search for its work has begun. */
static int retire_others(struct app *app, struct err *e)
{
	const char *active = keys_active(app->keys);

	return db_exec(app->db, &MASTER_KEYS_RETIRE, DB_VALUES(db_time(app->now_us()), db_text(active), db_text(active)), NULL, e);
}

int stack_keys_rotate(struct app *app, stack_keys_progress *progress, void *context, int64_t *ret_done, struct err *e)
{
	struct rotation r = { .app = app, .progress = progress, .context = context };
	const char *active;

	keys_refresh(app->keys);
	if (stack_keys_check(app, e) < 0 || retire_others(app, e) < 0)
		return -1;
	active = keys_active(app->keys);
	if (count(app, &STACK_KEYS_COUNT_OTHERS, DB_VALUES(db_text(active), db_text(active)), &r.total, e) < 0 ||
	    reseal_all(&r, e) < 0)
		return -1;
	*ret_done = r.done;
	if (r.failed)
		return err_internal(e, "%lld data keys could not be sealed again, the first of %s", (long long)r.failed, r.first.detail);
	return 1;
}

/* --- a key that is lost --- */

int stack_key_losses(struct db *db, const char *master, struct arena *arena, struct stack_key_loss **ret_list, size_t *ret_count,
		     struct err *e)
{
	return db_all(db, &STACK_KEY_LOSSES, DB_VALUES(db_text(master)), stack_key_loss_columns, sizeof(**ret_list), arena,
		      (void **)ret_list, ret_count, e);
}

int stack_key_forget(struct db *db, const char *master, int64_t now_us, struct err *e)
{
	int64_t changed;

	if (db_exec(db, &MASTER_KEY_FORGET, DB_VALUES(db_time(now_us), db_time(now_us), db_text(master)), &changed, e) < 0)
		return -1;
	return changed == 1;
}
