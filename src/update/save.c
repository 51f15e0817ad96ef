/* SPDX-License-Identifier: Apache-2.0 */
/* Saving a state without the journal: whole, verbatim, or as edits of what was saved before. */
#include <strings.h>

#include "claim/mark.h"
#include "update/internal.h"
#include "update/update_sql.h"

static int conflict(const struct checkpoint_save *save, const struct update *u, struct err *e)
{
	return err_set(e, ERR_CONFLICT,
		       "Conflict: delta %lld does not follow checkpoint %lld, the last one saved; send the whole state",
		       (long long)save->sequence, (long long)u->checkpoint_sequence);
}

static bool is_current(const struct update *u, const char *hash)
{
	char hex[2 * SHA256_BYTES + 1];

	if (u->checkpoint_sha256.length != SHA256_BYTES)
		return false;
	hex_encode((const unsigned char *)u->checkpoint_sha256.data, SHA256_BYTES, hex);
	return !strcasecmp(hex, hash);
}

/* 1 to be saved, 0 it was saved before; -1 with 409. */
static int check_sequence(const struct checkpoint_save *save, const struct update *u, struct err *e)
{
	int64_t last = u->checkpoint_sequence;

	if (save->form == CHECKPOINT_WHOLE)
		return 1;
	if (save->sequence < last)
		return 0;
	/* The same number again is a repetition, or the whole text after a delta that failed. */
	if (save->form == CHECKPOINT_VERBATIM)
		return 1;
	if (save->sequence == last && is_current(u, save->hash))
		return 0;
	if (save->sequence != last + 1 || !u->checkpoint_sha256.data)
		return conflict(save, u, e);
	return 1;
}

static int write_row(struct app *app, const struct update *u, const struct stored_checkpoint *stored, int64_t sequence,
		     struct err *e)
{
	struct mark mark = { .owner_id = u->stack_id, .sha256 = digest_span(stored->sha256) };
	int64_t changed;

	if (db_exec(app->db, &UPDATE_SAVE_CHECKPOINT,
		    DB_VALUES(db_int(sequence), db_bytes(mark.sha256), db_int(stored->bytes), db_int(stored->resources), db_text(u->id),
			      db_text(mark.owner_id), db_bytes(mark.sha256)),
		    &changed, e) < 0)
		return -1;
	return changed == 0 ? mark_retry(app->db, &mark, e) : 1;
}

static int check_hash(struct span text, const char *hash, struct err *e)
{
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	sha256(text, digest);
	hex_encode(digest, SHA256_BYTES, hex);
	if (strcasecmp(hex, hash))
		return err_set(e, ERR_CONFLICT, "Conflict: the edits make a text with digest %s, not %.64s; send the whole state",
			       hex, hash);
	return 1;
}

static int store_delta(struct app *app, const struct update *u, const struct checkpoint_save *save,
		       struct stored_checkpoint *ret_stored, struct err *e)
{
	_cleanup_(buffer_done) struct buffer before = BUFFER_INIT, after = BUFFER_INIT;
	struct checkpoint_text checkpoint;

	if (checkpoint_load(app, u->stack_id, u->checkpoint_sha256, &before, e) < 0 ||
	    delta_apply(buffer_span(&before), save->edits, app->max_body, &after, e) < 0 ||
	    check_hash(buffer_span(&after), save->hash, e) < 0)
		return -1;
	buffer_done(&before);
	if (checkpoint_check(buffer_span(&after), &checkpoint, e) < 0)
		return -1;
	return checkpoint_store(app, u->stack_id, &checkpoint, ret_stored, e);
}

int update_save_checkpoint(struct app *app, const char *id, struct span token, const struct checkpoint_save *save,
			   struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stored_checkpoint stored;
	struct update u = { 0 };
	int rc = db_one(app->db, &UPDATE_LOCK_BY_TOKEN, DB_VALUES(db_text(id), db_bytes(token)), update_columns, &u, &arena,
			e);

	if (rc < 0)
		return -1;
	if (rc == 0 || strcmp(u.status, "running") || u.preview)
		return lease_lost(e);
	if (u.journal_version)
		return err_set(e, ERR_CONFLICT, "Conflict: this update was started with a journal; it takes journal entries only");
	rc = check_sequence(save, &u, e);
	if (rc <= 0)
		return rc < 0 ? -1 : 1;
	rc = save->form == CHECKPOINT_DELTA ? store_delta(app, &u, save, &stored, e) :
					      checkpoint_store(app, u.stack_id, &save->checkpoint, &stored, e);
	if (rc < 0)
		return -1;
	return write_row(app, &u, &stored, save->form == CHECKPOINT_WHOLE ? u.checkpoint_sequence + 1 : save->sequence, e);
}
