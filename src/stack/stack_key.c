/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/stack_key.h"

#include <stdio.h>

#include "audit/audit.h"
#include "secret/secret.h"
#include "stack/stack_key_sql.h"

#define CIPHERTEXT_FORM 1	/* of a ciphertext: this byte, then nonce, ciphertext and tag */

void stack_key_bound(const char *stack_id, char ret_bound[STACK_KEY_BOUND])
{
	snprintf(ret_bound, STACK_KEY_BOUND, "stack-key:%s", stack_id);
}

static int find_row(struct app *app, const struct caller *c, const struct stack_path *path, struct arena *arena,
		    struct stack_key_row *ret_row, struct err *e)
{
	int rc = db_one(app->db, &STACK_KEY_BY_STACK,
			DB_VALUES(db_text(c->organization_id), db_text(path->project), db_text(path->name)),
			stack_key_found_columns, ret_row, arena, e);

	if (rc == 0)
		return stack_not_found(path, e);
	return rc;
}

/* What a new data key is for; `old` of a stack whose data key was lost. */
struct making {
	struct app *app;
	const struct caller *caller;
	const struct stack_path *path;
	const char *stack_id;
	const struct stack_key_row *old;	/* NULL: the stack has none */
	unsigned char key[AEAD_KEY_BYTES];
	struct buffer sealed;
	bool stored;
};

/* Nobody must wonder later why secrets from before do not open. */
static int replace_key(void *context, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct making *m = context;
	int64_t now_us = m->app->now_us(), changed;
	struct audit_event event = { m->caller->organization_id, m->caller->user_id, m->caller->token_id, "replace_stack_key",
				     arena_printf(&arena, "%s/%s: the master key %s of the old one was lost", m->path->project,
						  m->path->name, m->old->master), "", now_us };

	if (db_exec(m->app->db, &STACK_KEY_REPLACE,
		    DB_VALUES(db_text(keys_active(m->app->keys)), db_text(m->old->master), db_bytes(buffer_span(&m->sealed)), db_time(now_us),
			      db_text(m->stack_id), db_bytes(m->old->sealed)), &changed, e) < 0)
		return -1;
	m->stored = changed != 0;
	return m->stored ? audit_record(m->app->db, &event, e) : 1;
}

static int create_key(struct making *m, struct err *e)
{
	int64_t stored;

	if (db_exec(m->app->db, &STACK_KEY_CREATE,
		    DB_VALUES(db_text(m->stack_id), db_bytes(buffer_span(&m->sealed)), db_time(m->app->now_us()),
			      db_text(keys_active(m->app->keys))),
		    &stored, e) < 0)
		return -1;
	m->stored = stored != 0;
	return 1;
}

/* 1 when the stack has a key now, whoever made it; 0 when the master key is retired or nobody has recorded it. */
static int store_key(struct making *m, struct err *e)
{
	char bound[STACK_KEY_BOUND];

	stack_key_bound(m->stack_id, bound);
	buffer_clear(&m->sealed);
	if (keys_seal(m->app->keys, span_of(bound), m->key, &m->sealed, e) < 0 ||
	    (m->old ? db_run(m->app->db, replace_key, m, e) : create_key(m, e)) < 0)
		return -1;
	return m->stored;
}

/* The master key was changed since this process started: looks again, as carefully as at start. */
static int store_again(struct making *m, struct err *e)
{
	int rc;

	keys_refresh(m->app->keys);
	if (stack_keys_check(m->app, e) < 0)
		return -1;
	rc = store_key(m, e);
	/* Somebody else may have replaced the lost key: then there is one, and the caller looks. */
	return rc == 0 && !m->old ? stack_keys_retired(m->app, e) : rc;
}

/* Of two requests that make the key at once one wins; both use the winner's. */
static int make_key(struct making *m, struct err *e)
{
	int rc;

	random_bytes(m->key, sizeof(m->key));
	rc = store_key(m, e);
	if (rc == 0)
		rc = store_again(m, e);
	wipe(m->key, sizeof(m->key));
	buffer_done(&m->sealed);
	return rc;
}

static bool is_lost(struct app *app, const struct stack_key_row *row)
{
	return row->sealed.data && row->forgotten_at >= 0 && !keys_has(app->keys, row->master);
}

static int find_or_make(struct app *app, const struct caller *c, const struct stack_path *path, struct arena *arena,
			struct stack_key_row *row, struct err *e)
{
	struct stack_key_row old = *row;
	struct making m = { .app = app, .caller = c, .path = path, .stack_id = old.stack_id, .old = old.sealed.data ? &old : NULL };

	if (make_key(&m, e) < 0 || find_row(app, c, path, arena, row, e) < 0)
		return -1;
	if (is_lost(app, row))
		return stack_keys_retired(app, e);
	/* A transaction that began before the rival's cannot see its key. */
	return row->sealed.data ? 1 : err_set(e, ERR_RETRY, "%s", "");
}

static int lost(const struct stack_key_row *row, struct err *e)
{
	return err_set(e, ERR_CONFLICT,
		       "Conflict: the secrets of this stack cannot be opened any more: the master key %s, which sealed their key, was lost. "
		       "Set each secret again (pulumi config set --secret): the first one gives the stack a new key", row->master);
}

int stack_key_open(struct app *app, const struct caller *c, const struct stack_path *path, bool make,
		   struct stack_key *ret_key, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stack_key_row row = { 0 };
	char bound[STACK_KEY_BOUND];

	if (find_row(app, c, path, &arena, &row, e) < 0)
		return -1;
	if (!row.sealed.data && !make)
		return 0;
	if (is_lost(app, &row) && !make)
		return lost(&row, e);
	if ((!row.sealed.data || is_lost(app, &row)) && find_or_make(app, c, path, &arena, &row, e) < 0)
		return -1;
	stack_key_bound(row.stack_id, bound);
	snprintf(ret_key->stack_id, UUID_TEXT, "%s", row.stack_id);
	snprintf(ret_key->lost_master, MASTER_KEY_ID, "%s", row.lost_master ? row.lost_master : "");
	return keys_unseal(app->keys, span_of(bound), row.sealed, app->now_us(), ret_key->key, e);
}

void stack_key_done(struct stack_key *key)
{
	wipe(key->key, sizeof(key->key));
}

int stack_encrypt(const struct stack_key *key, struct span plain, struct buffer *ret_text, struct err *e)
{
	_cleanup_(buffer_done) struct buffer sealed = BUFFER_INIT;

	buffer_putc(&sealed, CIPHERTEXT_FORM);
	if (aead_seal(key->key, span_of(key->stack_id), plain, &sealed, e) < 0)
		return -1;
	base64_encode(buffer_span(&sealed), ret_text);
	return 1;
}

int stack_decrypt(const struct stack_key *key, struct span text, struct buffer *ret_plain, struct err *e)
{
	_cleanup_(buffer_done) struct buffer sealed = BUFFER_INIT;
	int rc = 0;

	if (base64_decode(text, &sealed) && sealed.length && sealed.data[0] == CIPHERTEXT_FORM)
		rc = aead_open(key->key, span_of(key->stack_id), (struct span){ sealed.data + 1, sealed.length - 1 },
			       ret_plain, e);
	if (rc == 0 && *key->lost_master)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: a ciphertext cannot be opened: it was made before the stack's key was lost with the master key "
			       "%s, or for another stack, or is damaged; set the secret again", key->lost_master);
	if (rc == 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: a ciphertext was not made for this stack, or is damaged; secrets move between stacks "
			       "only in plain text (pulumi stack export --show-secrets)");
	return rc;
}
