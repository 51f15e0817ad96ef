/* SPDX-License-Identifier: Apache-2.0 */
/* Updates that run: what each saved so far makes a state. And the keys of stacks: each opens. */
#include <stdio.h>

#include "secret/secret.h"
#include "stack/stack_key.h"
#include "update/checkpoint.h"
#include "verify/internal.h"

/* What an export would answer now: its journal is replayed, or its last checkpoint is read. */
static int check_export(struct verify *v, const struct stack *stack, const struct exported *exported, struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct checkpoint_text checkpoint;

	if (exported->sha256.data && checkpoint_load(v->app, stack->id, exported->sha256, &text, e) < 0)
		return -1;
	return checkpoint_check(exported->sha256.data ? buffer_span(&text) : buffer_span(&exported->text), &checkpoint, e);
}

static int check_running(struct verify *v, const struct verify_row *row, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct caller caller = { .organization_id = row->organization_id };
	struct stack_path path = { row->organization, row->project, row->name };
	struct exported exported = { 0 };
	struct stack stack = { 0 };
	struct err why = { 0 };
	int rc = stack_find(v->app->db, &caller, &path, &arena, &stack, &why);

	v->seen(v->context, "running updates", 1);
	if (rc == 1)
		rc = update_export(v->app, &caller, &path, &stack, -1, &arena, &exported, &why);
	if (rc == 1)
		rc = check_export(v, &stack, &exported, &why);
	buffer_done(&exported.text);
	/* One that was renamed or deleted meanwhile is no problem. */
	if (rc >= 0 || why.kind == ERR_NOT_FOUND)
		return 1;
	return verify_blame(v, arena_printf(&arena, "what runs on stack %s/%s/%s", row->organization, row->project, row->name), &why, e);
}

int verify_running(struct verify *v, struct err *e)
{
	return verify_pages(v, &VERIFY_RUNNING, verify_running_columns, check_running, e);
}

static int check_key(struct verify *v, const struct verify_row *row, struct err *e)
{
	unsigned char key[AEAD_KEY_BYTES];
	char bound[STACK_KEY_BOUND], where[64];
	struct err why = { 0 };
	int rc;

	v->counts.keys++;
	v->seen(v->context, "keys", 1);
	stack_key_bound(row->id, bound);
	rc = keys_unseal(v->app->keys, span_of(bound), row->sealed, v->app->now_us(), key, &why);
	wipe(key, sizeof(key));
	snprintf(where, sizeof(where), "key of stack %s", row->id);
	return rc < 0 ? verify_blame(v, where, &why, e) : 1;
}

int verify_keys(struct verify *v, struct err *e)
{
	return verify_pages(v, &VERIFY_KEYS, verify_key_columns, check_key, e);
}
