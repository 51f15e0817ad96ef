/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/stack_key.h"

#include <stdio.h>

#include "secret/secret.h"
#include "stack/stack_key_sql.h"

#define CIPHERTEXT_FORM 1	/* of a ciphertext: this byte, then nonce, ciphertext and tag */

static struct span bound_to(const char *stack_id)
{
	return span_of(stack_id);
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

/* Of two requests that make the key at once one wins; both use the winner's. */
static int make_key(struct app *app, const struct caller *c, const struct stack_path *path, struct arena *arena,
		    struct stack_key_row *row, struct err *e)
{
	_cleanup_(buffer_done) struct buffer sealed = BUFFER_INIT;
	unsigned char key[AEAD_KEY_BYTES];
	int rc;

	random_bytes(key, sizeof(key));
	rc = keys_seal(app->keys, bound_to(row->stack_id), key, &sealed, e);
	wipe(key, sizeof(key));
	if (rc < 0)
		return -1;
	rc = db_exec(app->db, &STACK_KEY_CREATE,
		     DB_VALUES(db_text(row->stack_id), db_text(keys_active(app->keys)), db_bytes(buffer_span(&sealed)),
			       db_time(app->now_us())),
		     NULL, e);
	return rc < 0 ? -1 : find_row(app, c, path, arena, row, e);
}

int stack_key_open(struct app *app, const struct caller *c, const struct stack_path *path, bool make,
		   struct stack_key *ret_key, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stack_key_row row = { 0 };

	if (find_row(app, c, path, &arena, &row, e) < 0)
		return -1;
	if (!row.sealed.data && !make)
		return 0;
	if (!row.sealed.data && make_key(app, c, path, &arena, &row, e) < 0)
		return -1;
	snprintf(ret_key->stack_id, UUID_TEXT, "%s", row.stack_id);
	return keys_unseal(app->keys, bound_to(row.stack_id), row.sealed, app->now_us(), ret_key->key, e);
}

void stack_key_done(struct stack_key *key)
{
	wipe(key->key, sizeof(key->key));
}

int stack_encrypt(const struct stack_key *key, struct span plain, struct buffer *ret_text, struct err *e)
{
	_cleanup_(buffer_done) struct buffer sealed = BUFFER_INIT;

	buffer_putc(&sealed, CIPHERTEXT_FORM);
	if (aead_seal(key->key, bound_to(key->stack_id), plain, &sealed, e) < 0)
		return -1;
	base64_encode(buffer_span(&sealed), ret_text);
	return 1;
}

int stack_decrypt(const struct stack_key *key, struct span text, struct buffer *ret_plain, struct err *e)
{
	_cleanup_(buffer_done) struct buffer sealed = BUFFER_INIT;
	int rc = 0;

	if (base64_decode(text, &sealed) && sealed.length && sealed.data[0] == CIPHERTEXT_FORM)
		rc = aead_open(key->key, bound_to(key->stack_id), (struct span){ sealed.data + 1, sealed.length - 1 },
			       ret_plain, e);
	if (rc == 0)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: a ciphertext was not made for this stack, or is damaged; secrets move between stacks "
			       "only in plain text (pulumi stack export --show-secrets)");
	return rc;
}

static int missing_key(struct app *app, const struct stack_key_row *row, struct err *e)
{
	return err_internal(e, "PULUMI_LOCAL_KEYS: master key %s, which seals the secrets of %lld stacks, is not in %s; restore its file",
			    row->master_key_id, (long long)row->stacks, keys_origin(app->keys));
}

int stack_keys_check(struct app *app, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stack_key_row *rows;
	bool known = false;
	size_t count;

	if (db_all(app->db, &MASTER_KEYS, DB_NONE, master_key_columns, sizeof(*rows), &arena, (void **)&rows, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		bool there = keys_has(app->keys, rows[i].master_key_id);

		if (!there && rows[i].stacks)
			return missing_key(app, &rows[i], e);
		known |= there;
	}
	if (count && !known)
		return err_internal(e, "PULUMI_LOCAL_KEYS: %s holds none of the %zu master keys that this installation has used "
				    "(the last was %s); restore the file", keys_origin(app->keys), count,
				    rows[count - 1].master_key_id);
	return db_exec(app->db, &MASTER_KEY_CREATE, DB_VALUES(db_text(keys_active(app->keys)), db_time(app->now_us())), NULL, e);
}

static int reseal(struct app *app, const struct stack_key_row *row, struct err *e)
{
	_cleanup_(buffer_done) struct buffer sealed = BUFFER_INIT;
	unsigned char key[AEAD_KEY_BYTES];
	int rc;

	if (keys_unseal(app->keys, bound_to(row->stack_id), row->sealed, app->now_us(), key, e) < 0)
		return -1;
	rc = keys_seal(app->keys, bound_to(row->stack_id), key, &sealed, e);
	wipe(key, sizeof(key));
	if (rc < 0)
		return -1;
	return db_exec(app->db, &STACK_KEY_RESEAL,
		       DB_VALUES(db_text(keys_active(app->keys)), db_bytes(buffer_span(&sealed)), db_text(row->stack_id),
				 db_bytes(row->sealed)),
		       NULL, e);
}

int stack_keys_reseal(struct app *app, int64_t limit, int64_t *ret_done, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *active = keys_active(app->keys);
	struct stack_key_row *rows;
	size_t count;

	if (db_all(app->db, &STACK_KEYS_OF_OTHERS, DB_VALUES(db_text(active), db_text(active), db_int(limit)),
		   stack_key_other_columns, sizeof(*rows), &arena, (void **)&rows, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (reseal(app, &rows[i], e) < 0)
			return -1;
	*ret_done += (int64_t)count;
	return count == (size_t)limit;
}
