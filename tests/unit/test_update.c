/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of an update's life against a database of expectations: which statements, in which order, with what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "blob/blob.h"
#include "fake_db.h"
#include "json/scan.h"
#include "object/object.h"
#include "update/update.h"

#define NOW 1000000000000000LL
#define NOW_TEXT "@1000000000000000"

static struct caller caller = { .user_id = "me", .login = "alice", .organization_id = "org", .organization_login = "acme" };
static const struct stack_path path = { "acme", "project", "stack" };
static struct span token = { "0123456789abcdef0123456789abcdef", SHA256_BYTES };
static struct app app;
static char *folder;

static int64_t now(void)
{
	return NOW;
}

static int open_store(void **state)
{
	char template[] = "objects-XXXXXX";
	struct err e = { 0 };

	(void)state;
	app.db = fake_db();
	app.now_us = now;
	app.max_body = 1 << 20;
	folder = realpath(mkdtemp(template), NULL);
	return folder && blob_open("local", folder, true, &app.objects, &e) == 1 ? 0 : -1;
}

static int close_store(void **state)
{
	struct buffer command = BUFFER_INIT;
	int rc;

	(void)state;
	blob_close(app.objects);
	buffer_printf(&command, "rm -r '%s'", folder);
	rc = system(command.data);
	buffer_done(&command);
	free(folder);
	return rc;
}

/* The stack's row, locked, and the update in it. */
static void expect_found(const char *status, const char *preview)
{
	static char status_text[64], preview_text[16];

	snprintf(status_text, sizeof(status_text), "status=%s", status);
	snprintf(preview_text, sizeof(preview_text), "preview=%s", preview);
	fake_expect("stack.lock_by_path", "'org' 'project/stack' 'project' 'stack'");
	fake_row("id=s1", "version=4", "checkpoint_version=3", NULL);
	fake_expect("update.lock_by_id", "'u1' 's1' 'org'");
	fake_row("id=u1", "stack_id=s1", "kind=update", status_text, preview_text, "version=-1", NULL);
}

static void expect_by_token(const char *status, const char *more)
{
	static char status_text[64];

	snprintf(status_text, sizeof(status_text), "status=%s", status);
	fake_expect("update.lock_by_token", "'u1' #32");
	fake_row("id=u1", "stack_id=s1", status_text, "version=5", more, NULL);
}

static void renewal(void **state)
{
	struct err e = { 0 };
	int64_t expires = 0;

	(void)state;
	fake_expect("update.renew", "@1000000060000000 " NOW_TEXT " 'u1' #32");
	assert_int_equal(update_renew(app.db, "u1", token, 60, NOW, &expires, &e), 1);
	assert_int_equal(expires, NOW + 60000000);
	fake_expect("update.renew", NULL);
	fake_changed(0);
	assert_int_equal(update_renew(app.db, "u1", token, 60, NOW, &expires, &e), -1);
	assert_int_equal(e.kind, ERR_FORBIDDEN);
	fake_done();
}

static int complete(const char *status, struct err *e)
{
	struct arena arena = ARENA_INIT;
	struct update ended = { 0 };
	int rc = update_complete(&app, "u1", token, status, NOW, &arena, &ended, e);

	arena_clear(&arena);
	return rc;
}

static void completion(void **state)
{
	static const struct {
		const char *status, *wanted;
		enum err_kind kind;
	} table[] = { { "not started", "succeeded", ERR_FORBIDDEN }, { "cancelled", "succeeded", ERR_FORBIDDEN },
		      { "succeeded", "succeeded", ERR_NONE }, { "failed", "failed", ERR_NONE }, { "failed", "succeeded", ERR_CONFLICT } };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct err e = { 0 };

		expect_by_token(table[i].status, NULL);
		assert_int_equal(complete(table[i].wanted, &e), table[i].kind ? -1 : 0);
		assert_int_equal(e.kind, table[i].kind);
		fake_done();
	}
}

static void completion_of_nobodys_update(void **state)
{
	struct err e = { 0 };

	(void)state;
	fake_expect("update.lock_by_token", "'u1' #32");
	assert_int_equal(complete("succeeded", &e), -1);
	assert_int_equal(e.kind, ERR_FORBIDDEN);
	fake_done();
}

/* Nothing was saved: the state stays, the lock goes. */
static void completion_without_a_checkpoint(void **state)
{
	struct err e = { 0 };

	(void)state;
	expect_by_token("running", NULL);
	fake_expect("update.end", "'succeeded' " NOW_TEXT " NULL 'u1'");
	fake_expect("lock.release", "'s1' 'u1'");
	assert_int_equal(complete("succeeded", &e), 1);
	fake_done();
}

/* A failed update keeps what it saved as well. */
static void completion_keeps_what_was_saved(void **state)
{
	struct err e = { 0 };

	(void)state;
	fake_expect("update.lock_by_token", "'u1' #32");
	fake_row("id=u1", "stack_id=s1", "status=running", "version=5", "checkpoint_sha256=0123456789abcdef0123456789abcdef",
		 "checkpoint_bytes=77", "checkpoint_resources=3", NULL);
	fake_expect("checkpoint.create", "'s1' 5 #32 77 3 " NOW_TEXT " 's1' #32");
	fake_expect("stack.set_state", "5 3 's1'");
	fake_expect("update.end", "'failed' " NOW_TEXT " 3 'u1'");
	fake_expect("lock.release", "'s1' 'u1'");
	assert_int_equal(complete("failed", &e), 1);
	fake_done();
}

static void cancellation(void **state)
{
	struct err e = { 0 };

	(void)state;
	expect_found("cancelled", "0");
	assert_int_equal(update_cancel(&app, &caller, &path, "u1", NOW, &e), 0);
	fake_done();
	expect_found("succeeded", "0");
	assert_int_equal(update_cancel(&app, &caller, &path, "u1", NOW, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	fake_done();
	err_clear(&e);
	expect_found("running", "0");
	fake_expect("update.end", "'cancelled' " NOW_TEXT " NULL 'u1'");
	fake_expect("lock.release", "'s1' 'u1'");
	assert_int_equal(update_cancel(&app, &caller, &path, "u1", NOW, &e), 1);
	fake_done();
	fake_expect("stack.lock_by_path", "'org' 'project/stack' 'project' 'stack'");
	assert_int_equal(update_cancel(&app, &caller, &path, "u1", NOW, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	fake_done();
}

static int start(struct update_started *started, int64_t journal, struct err *e)
{
	return update_start(&app, &caller, &path, "u1", NULL, journal, NOW, started, e);
}

static void expect_taken(void)
{
	fake_expect("stack.lock_by_path", "'org' 'project/stack' 'project' 'stack'");
	fake_row("id=s1", "version=4", "checkpoint_version=4", NULL);
	fake_expect("lock.take", "'s1' 'u1'");
}

static void a_free_stack_is_taken(void **state)
{
	struct update_started started = { 0 };
	struct err e = { 0 };

	(void)state;
	expect_found("not started", "0");
	fake_expect("update.holder", "'s1'");
	expect_taken();
	fake_expect("stack.set_update", "'u1' 5 " NOW_TEXT " 's1' 'org'");
	fake_expect("update.run", "5 4 1 #32 @1000000300000000 " NOW_TEXT " " NOW_TEXT " 'u1'");
	assert_int_equal(start(&started, 1, &e), 1);
	assert_int_equal(started.version, 5);
	assert_int_equal(started.journal_version, 1);
	assert_int_equal(strlen(started.token), 40);
	fake_done();
}

static void a_preview_takes_nothing(void **state)
{
	struct update_started started = { 0 };
	struct err e = { 0 };

	(void)state;
	expect_found("not started", "1");
	fake_expect("update.run", "NULL 3 0 #32 * * * 'u1'");
	assert_int_equal(start(&started, 1, &e), 1);
	assert_int_equal(started.version, 4);
	assert_int_equal(started.journal_version, 0);
	fake_done();
}

static void the_holder_is_named(void **state)
{
	struct update_started started = { 0 };
	struct err e = { 0 };

	(void)state;
	expect_found("not started", "0");
	fake_expect("update.holder", "'s1'");
	fake_row("id=u0", "stack_id=s1", "kind=destroy", "status=running", "requested_by=bob", "started_at=999999000000000",
		 "heard_at=999999500000000", "lease_expires_at=1000000000000001", NULL);
	fake_expect("journal_batch.last", "'u0'");
	fake_row("received_at=999999900000000", NULL);
	assert_int_equal(start(&started, 1, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	assert_ptr_equal(strstr(e.message, "Conflict: Another update is currently in progress."), e.message);
	assert_non_null(strstr(e.message, "bob has been running 'destroy' since 2001-09-09 01:30:00 UTC"));
	assert_non_null(strstr(e.message, "last heard from at 2001-09-09 01:45:00 UTC"));
	assert_non_null(strstr(e.message, "pulumi cancel acme/project/stack"));
	fake_done();
}

/* Its state is kept, its token is worth nothing afterwards, and only then is the stack read again. */
static void a_lapsed_holder_makes_way(void **state)
{
	struct update_started started = { 0 };
	struct err e = { 0 };

	(void)state;
	expect_found("not started", "0");
	fake_expect("update.holder", "'s1'");
	fake_row("id=u0", "organization_id=org", "stack_id=s1", "kind=update", "status=running", "version=4", "requested_by=bob",
		 "heard_at=999999900000000", "lease_expires_at=1000000000000000",
		 "checkpoint_sha256=0123456789abcdef0123456789abcdef", "checkpoint_bytes=77", "checkpoint_resources=3", NULL);
	fake_expect("journal_batch.last", "'u0'");
	fake_expect("checkpoint.create", "'s1' 4 #32 77 3 " NOW_TEXT " 's1' #32");
	fake_expect("stack.set_state", "4 3 's1'");
	fake_expect("update.end", "'failed' " NOW_TEXT " 3 'u0'");
	fake_expect("lock.release", "'s1' 'u0'");
	fake_expect("update.place", "'u0'");
	fake_row("organization=acme", "project=project", "stack=stack", NULL);
	fake_expect("audit.record", "* 'org' NULL NULL 'stack-update-expired' "
		    "'/api/stacks/acme/project/stack/update/u0: failed: the client of bob was last heard from at 2001-09-09 01:45:00 UTC' '' " NOW_TEXT);
	fake_expect("update.revoke", "'u0'");
	expect_taken();
	fake_expect("stack.set_update", NULL);
	fake_expect("update.run", "5 4 0 #32 * * * 'u1'");
	assert_int_equal(start(&started, 0, &e), 1);
	fake_done();
}

static void a_lost_race_is_run_again(void **state)
{
	struct update_started started = { 0 };
	struct err e = { 0 };

	(void)state;
	expect_found("not started", "0");
	fake_expect("update.holder", "'s1'");
	expect_taken();
	fake_duplicate();
	assert_int_equal(start(&started, 1, &e), -1);
	assert_int_equal(e.kind, ERR_RETRY);
	fake_done();
}

static void nothing_starts_twice(void **state)
{
	static const char *const statuses[] = { "running", "succeeded", "failed", "cancelled" };
	struct update_started started = { 0 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct err e = { 0 };

		expect_found(statuses[i], "0");
		assert_int_equal(start(&started, 1, &e), -1);
		assert_int_equal(e.kind, ERR_CONFLICT);
		fake_done();
	}
}

static int save(enum checkpoint_form form, int64_t sequence, const char *text, const char *edits, const char *hash, struct err *e)
{
	struct checkpoint_save s = { .form = form, .sequence = sequence, .hash = hash };

	if (text)
		assert_int_equal(checkpoint_check(span_of(text), &s.checkpoint, e), 1);
	if (edits)
		s.edits = span_of(edits);
	return update_save_checkpoint(&app, "u1", token, &s, e);
}

#define TEXT "{\"version\":3,\"deployment\":{\"resources\":[{\"urn\":\"u\"}]}}"
#define TEXT_BYTES "54"

static void a_saved_checkpoint_is_an_object_before_it_is_a_row(void **state)
{
	struct buffer command = BUFFER_INIT;
	struct err e = { 0 };

	(void)state;
	expect_by_token("running", NULL);
	fake_expect("update.save_checkpoint", "1 #32 " TEXT_BYTES " 1 'u1' 's1' #32");
	fake_fails(ERR_UNAVAILABLE);
	assert_int_equal(save(CHECKPOINT_VERBATIM, 1, TEXT, NULL, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	fake_done();
	buffer_printf(&command, "test \"$(zcat '%s'/stacks/s1/checkpoints/*.gz)\" = '" TEXT "'", folder);
	assert_int_equal(system(command.data), 0);
	buffer_done(&command);
}

/* All of it is done again: the object that was written may be gone. */
static void a_sweep_at_the_object(void **state)
{
	struct err e = { 0 };

	(void)state;
	expect_by_token("running", NULL);
	fake_expect("update.save_checkpoint", "1 #32 " TEXT_BYTES " 1 'u1' 's1' #32");
	fake_changed(0);
	fake_expect("mark.take_away", "'s1' #32 600");
	assert_int_equal(save(CHECKPOINT_VERBATIM, 1, TEXT, NULL, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_RETRY);
	assert_int_equal(fake_transactions().rolled_back, 1);
	fake_done();
	/* The deletion in hand ends while this waits. */
	err_clear(&e);
	expect_by_token("running", NULL);
	fake_expect("update.save_checkpoint", "1 #32 " TEXT_BYTES " 1 'u1' 's1' #32");
	fake_changed(0);
	fake_expect("mark.take_away", "'s1' #32 600");
	fake_changed(0);
	fake_expect("mark.find", "'s1' #32");
	fake_row("owner_id=s1", NULL);
	fake_expect("mark.take_away", "'s1' #32 600");
	assert_int_equal(save(CHECKPOINT_VERBATIM, 1, TEXT, NULL, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_RETRY);
	fake_done();
}

static void sequence_numbers(void **state)
{
	struct err e = { 0 };

	(void)state;
	/* Older than the last one: ignored. The same again: the whole text replaces. */
	expect_by_token("running", "checkpoint_sequence=5");
	assert_int_equal(save(CHECKPOINT_VERBATIM, 4, TEXT, NULL, NULL, &e), 1);
	fake_done();
	expect_by_token("running", "checkpoint_sequence=5");
	fake_expect("update.save_checkpoint", "5 #32 " TEXT_BYTES " 1 'u1' 's1' #32");
	assert_int_equal(save(CHECKPOINT_VERBATIM, 5, TEXT, NULL, NULL, &e), 1);
	fake_done();
	/* A delta needs the text before it, whole and next. */
	expect_by_token("running", "checkpoint_sequence=5");
	assert_int_equal(save(CHECKPOINT_DELTA, 7, NULL, "[]", "00", &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	fake_done();
	err_clear(&e);
	expect_by_token("running", "checkpoint_sequence=0");
	assert_int_equal(save(CHECKPOINT_DELTA, 1, NULL, "[]", "00", &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	fake_done();
}

static void checkpoints_of_others(void **state)
{
	static const char *const rows[][2] = { { "succeeded", "preview=0" }, { "cancelled", "preview=0" }, { "not started", "preview=0" },
					       { "running", "preview=1" } };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		err_clear(&e);
		expect_by_token(rows[i][0], rows[i][1]);
		assert_int_equal(save(CHECKPOINT_WHOLE, 0, TEXT, NULL, NULL, &e), -1);
		assert_int_equal(e.kind, ERR_FORBIDDEN);
		fake_done();
	}
	err_clear(&e);
	expect_by_token("running", "journal_version=1");
	assert_int_equal(save(CHECKPOINT_WHOLE, 0, TEXT, NULL, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	fake_done();
}

/* --- configurations --- */

/* JSON of so many bytes, in a buffer. */
static struct span configuration_of(size_t bytes, struct buffer *text)
{
	buffer_clear(text);
	buffer_puts(text, "{\"a\":\"");
	while (text->length < bytes - 2)
		buffer_putc(text, 'c');
	buffer_puts(text, "\"}");
	return buffer_span(text);
}

static int create(size_t bytes, char ret_id[UUID_TEXT], struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct update_program program = { .message = "", .client = "", .environment = SPAN("{}"), .program = SPAN("{}"),
					  .config = configuration_of(bytes, &text) };

	return update_create(&app, &caller, &path, "update", &program, NOW, ret_id, e);
}

static void expect_created(const char *config)
{
	static char arguments[256];

	snprintf(arguments, sizeof(arguments), "* 'org' 's1' 'update' 0 '' #2 %s #2 * '' " NOW_TEXT, config);
	fake_expect("stack.by_path", "'org' 'project/stack' 'project' 'stack'");
	fake_row("id=s1", "version=4", NULL);
	fake_expect("update.create", arguments);
}

static size_t stored_bytes(const char *id)
{
	_cleanup_(buffer_done) struct buffer command = BUFFER_INIT;
	size_t bytes = 0;
	FILE *f;

	buffer_printf(&command, "cat '%s'/stacks/s1/configurations/'%s'/* 2>/dev/null | wc -c", folder, id);
	f = popen(command.data, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%zu", &bytes), 1);
	pclose(f);
	return bytes;
}

static void a_configuration_is_in_its_row(void **state)
{
	char id[UUID_TEXT];
	struct err e = { 0 };

	(void)state;
	app.metadata = NULL;
	expect_created("#65537 NULL 0");
	assert_int_equal(create(LIMIT_CONFIG_ROW + 1, id, &e), 1);
	fake_done();
	assert_int_equal(create(LIMIT_CONFIG_BYTES + 1, id, &e), -1);
	assert_int_equal(e.kind, ERR_TOO_LARGE);
	fake_done();
}

static void a_large_configuration_is_an_object_before_it_is_a_row(void **state)
{
	char id[UUID_TEXT];
	struct err e = { 0 };

	(void)state;
	app.metadata = app.objects;
	expect_created("#65536 NULL 0");
	assert_int_equal(create(LIMIT_CONFIG_ROW, id, &e), 1);
	assert_int_equal(stored_bytes(id), 0);
	fake_done();
	expect_created("#2 #32 65537");
	fake_fails(ERR_UNAVAILABLE);
	assert_int_equal(create(LIMIT_CONFIG_ROW + 1, id, &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	assert_int_equal(stored_bytes(id), LIMIT_CONFIG_ROW + 1);
	fake_done();
	err_clear(&e);
	assert_int_equal(create(LIMIT_CONFIG_OBJECT + 1, id, &e), -1);
	assert_int_equal(e.kind, ERR_TOO_LARGE);
	fake_done();
	app.metadata = NULL;
}

#define LARGE "{\"a\":1}"

static void put_configuration(const char *update_id, struct span text, unsigned char ret_digest[SHA256_BYTES])
{
	struct err e = { 0 };

	sha256(SPAN(LARGE), ret_digest);
	assert_int_equal(row_object_put(&app, ROW_OBJECT_CONFIGURATION, "s1", update_id, ret_digest, text, &e), 1);
}

static void configurations_are_loaded_once(void **state)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	unsigned char digest[SHA256_BYTES];
	struct span name = { (const char *)digest, sizeof(digest) };
	struct update_info list[] = {
		{ .id = "u3", .stack_id = "s1", .config = SPAN("{}"), .config_sha256 = name, .config_bytes = 7 },
		{ .id = "u2", .stack_id = "s1", .config = SPAN("{\"b\":2}") },
		{ .id = "u1", .stack_id = "s1", .config = SPAN("{}"), .config_sha256 = name, .config_bytes = 7 },	/* has no object */
	};
	struct err e = { 0 };

	(void)state;
	app.metadata = app.objects;
	put_configuration("u3", SPAN(LARGE), digest);
	assert_int_equal(update_load_configurations(&app, list, 3, &arena, &e), 1);
	assert_true(span_equal(list[0].config, SPAN(LARGE)) && list[2].config.data == list[0].config.data);
	assert_true(span_equal(list[1].config, SPAN("{\"b\":2}")));
	assert_int_equal(update_load_configurations(&app, &list[2], 1, &arena, &e), -1);
	assert_int_equal(e.kind, ERR_INTERNAL);
	assert_non_null(strstr(e.detail, "is missing"));
	err_clear(&e);
	list[0].config_bytes = list[2].config_bytes = LIMIT_HISTORY_CONFIG / 2 + 1;
	assert_int_equal(update_load_configurations(&app, list, 3, &arena, &e), -1);
	assert_int_equal(e.kind, ERR_BAD_REQUEST);
	app.metadata = NULL;
}

static void a_configuration_with_another_digest(void **state)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	unsigned char digest[SHA256_BYTES];
	struct update_info u = { .id = "u4", .stack_id = "s1", .config_sha256 = { (const char *)digest, sizeof(digest) }, .config_bytes = 7 };
	struct err e = { 0 };

	(void)state;
	app.metadata = app.objects;
	put_configuration("u4", SPAN("{\"a\":2}"), digest);
	assert_int_equal(update_load_configurations(&app, &u, 1, &arena, &e), -1);
	assert_int_equal(e.kind, ERR_INTERNAL);
	assert_non_null(strstr(e.detail, "object stacks/s1/configurations/u4/"));
	assert_non_null(strstr(e.detail, "another digest"));
	err_clear(&e);
	app.metadata = NULL;
	assert_int_equal(update_load_configurations(&app, &u, 1, &arena, &e), -1);
	assert_non_null(strstr(e.detail, "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT is not set"));
}

static void keys_of_objects(void **state)
{
	static const char stack[] = "01890000-0000-7000-8000-000000000001", update[] = "01890000-0000-7000-8000-000000000002";
	static const char *const strange[] = { "", "stacks/", "stacks/x/events/y/z", "updates/01890000-0000-7000-8000-000000000001/journal/00" };
	unsigned char digest[SHA256_BYTES];
	char key[ROW_OBJECT_KEY];
	struct row_object o;

	(void)state;
	sha256(SPAN("text"), digest);
	for (enum row_object_kind kind = 0; kind < ROW_OBJECT_KINDS; kind++) {
		row_object_key(kind, stack, update, digest, key);
		assert_true(blob_key_valid(key) && row_object_parse(key, &o) && o.kind == kind);
		assert_string_equal(o.owner_id, stack);
		assert_string_equal(o.id, update);
		assert_memory_equal(o.digest, digest, sizeof(digest));
		key[strlen(key) - 1] = '\0';
		assert_false(row_object_parse(key, &o));
		strcat(key, "G");
		assert_false(row_object_parse(key, &o));
	}
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		assert_false(row_object_parse(strange[i], &o));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_configuration_is_in_its_row),
		cmocka_unit_test(a_large_configuration_is_an_object_before_it_is_a_row),
		cmocka_unit_test(configurations_are_loaded_once),
		cmocka_unit_test(a_configuration_with_another_digest),
		cmocka_unit_test(keys_of_objects),
		cmocka_unit_test(renewal),
		cmocka_unit_test(completion),
		cmocka_unit_test(completion_of_nobodys_update),
		cmocka_unit_test(completion_without_a_checkpoint),
		cmocka_unit_test(completion_keeps_what_was_saved),
		cmocka_unit_test(cancellation),
		cmocka_unit_test(a_free_stack_is_taken),
		cmocka_unit_test(a_preview_takes_nothing),
		cmocka_unit_test(the_holder_is_named),
		cmocka_unit_test(a_lapsed_holder_makes_way),
		cmocka_unit_test(a_lost_race_is_run_again),
		cmocka_unit_test(nothing_starts_twice),
		cmocka_unit_test(a_saved_checkpoint_is_an_object_before_it_is_a_row),
		cmocka_unit_test(a_sweep_at_the_object),
		cmocka_unit_test(sequence_numbers),
		cmocka_unit_test(checkpoints_of_others),
	};

	return cmocka_run_group_tests(tests, open_store, close_store);
}
