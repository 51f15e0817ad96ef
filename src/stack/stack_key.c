/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/stack_key.h"

#include <stdio.h>

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
			stack_key_columns, ret_row, arena, e);

	if (rc == 0)
		return stack_not_found(path, e);
	return rc;
}

/* 1 when the stack has a key now, whoever made it; 0 when the master key is retired or nobody has recorded it. */
static int store_key(struct app *app, const char *stack_id, const unsigned char *key, struct err *e)
{
	_cleanup_(buffer_done) struct buffer sealed = BUFFER_INIT;
	char bound[STACK_KEY_BOUND];
	int64_t stored;

	stack_key_bound(stack_id, bound);
	if (keys_seal(app->keys, span_of(bound), key, &sealed, e) < 0 ||
	    db_exec(app->db, &STACK_KEY_CREATE,
		    DB_VALUES(db_text(stack_id), db_bytes(buffer_span(&sealed)), db_time(app->now_us()),
			      db_text(keys_active(app->keys))),
		    &stored, e) < 0)
		return -1;
	return stored != 0;
}

/* The master key was changed since this process started: looks again, as carefully as at start. */
static int store_again(struct app *app, const char *stack_id, const unsigned char *key, struct err *e)
{
	int rc;

	keys_refresh(app->keys);
	if (stack_keys_check(app, e) < 0)
		return -1;
	rc = store_key(app, stack_id, key, e);
	return rc == 0 ? stack_keys_retired(app, e) : rc;
}

/* Of two requests that make the key at once one wins; both use the winner's. */
static int make_key(struct app *app, const char *stack_id, struct err *e)
{
	unsigned char key[AEAD_KEY_BYTES];
	int rc;

	random_bytes(key, sizeof(key));
	rc = store_key(app, stack_id, key, e);
	if (rc == 0)
		rc = store_again(app, stack_id, key, e);
	wipe(key, sizeof(key));
	return rc;
}

static int find_or_make(struct app *app, const struct caller *c, const struct stack_path *path, struct arena *arena,
			struct stack_key_row *row, struct err *e)
{
	if (make_key(app, row->stack_id, e) < 0 || find_row(app, c, path, arena, row, e) < 0)
		return -1;
	/* A transaction that began before the rival's cannot see its key. */
	return row->sealed.data ? 1 : err_set(e, ERR_RETRY, "%s", "");
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
	if (!row.sealed.data && find_or_make(app, c, path, &arena, &row, e) < 0)
		return -1;
	stack_key_bound(row.stack_id, bound);
	snprintf(ret_key->stack_id, UUID_TEXT, "%s", row.stack_id);
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
	if (rc == 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: a ciphertext was not made for this stack, or is damaged; secrets move between stacks "
			       "only in plain text (pulumi stack export --show-secrets)");
	return rc;
}
