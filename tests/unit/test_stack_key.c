/* SPDX-License-Identifier: Apache-2.0 */
/* Data keys of stacks and the change of their master key, on a database of three small tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "audit/audit_sql.h"
#include "secret/secret.h"
#include "stack/stack_key.h"
#include "stack/stack_key_sql.h"

#define MOST 400

struct fake_key {
	char stack[UUID_TEXT], master[MASTER_KEY_ID], lost[MASTER_KEY_ID];
	struct buffer sealed;
};

struct fake_master {
	char id[MASTER_KEY_ID];
	int64_t retired_at, forgotten_at;
};

struct db {
	struct fake_key keys[MOST];	/* in the order of their stacks */
	struct fake_master masters[8];
	size_t key_count, master_count;
	size_t selects;			/* of single stacks */
	size_t audited;
	void (*rival)(struct db *db);	/* runs before the next key is stored */
	size_t break_at;		/* this reseal finds the database gone; 0: none */
};

static bool is(struct db_value v, const char *text)
{
	return span_equal(v.bytes, span_of(text));
}

static struct fake_key *key_of(struct db *db, struct db_value stack)
{
	for (size_t i = 0; i < db->key_count; i++)
		if (is(stack, db->keys[i].stack))
			return &db->keys[i];
	return NULL;
}

static struct fake_master *master_of(struct db *db, struct db_value id)
{
	for (size_t i = 0; i < db->master_count; i++)
		if (is(id, db->masters[i].id))
			return &db->masters[i];
	return NULL;
}

static struct span copied(struct arena *arena, struct span bytes)
{
	char *to = arena_alloc(arena, bytes.length + 1);

	memcpy(to, bytes.data, bytes.length);
	return (struct span){ to, bytes.length };
}

static void set(char *to, size_t room, struct db_value v)
{
	snprintf(to, room, "%.*s", (int)v.bytes.length, v.bytes.data);
}

static int64_t count_keys(struct db *db, struct db_value master, bool others)
{
	int64_t n = 0;

	for (size_t i = 0; i < db->key_count; i++)
		n += is(master, db->keys[i].master) != others;
	return n;
}

/* The stacks of the organization "acme" are called as their ids are. */
int db_one(struct db *db, const struct stmt *s, const struct db_value *values, size_t count, const struct db_column *columns,
	   void *ret_row, struct arena *arena, struct err *e)
{
	struct stack_key_row *row = ret_row;
	struct fake_key *key;

	(void)columns, (void)e, (void)count;
	if (s == &STACK_KEYS_COUNT || s == &STACK_KEYS_COUNT_OTHERS) {
		((struct key_count *)ret_row)->keys = count_keys(db, values[0], s == &STACK_KEYS_COUNT_OTHERS);
		return 1;
	}
	assert_ptr_equal(s, &STACK_KEY_BY_STACK);
	db->selects++;
	if (!is(values[0], "acme"))
		return 0;
	row->stack_id = arena_strndup(arena, values[2].bytes.data, values[2].bytes.length);
	key = key_of(db, values[2]);
	row->sealed = key ? copied(arena, buffer_span(&key->sealed)) : (struct span){ 0 };
	row->master = key ? arena_strdup(arena, key->master) : NULL;
	row->lost_master = key && *key->lost ? arena_strdup(arena, key->lost) : NULL;
	row->forgotten_at = key && master_of(db, db_text(key->master)) ? master_of(db, db_text(key->master))->forgotten_at : -1;
	return 1;
}

static size_t keys_of_master(struct db *db, const struct db_value *values, struct arena *arena, struct stack_key_row *rows)
{
	size_t n = 0;

	for (size_t i = 0; i < db->key_count; i++) {
		struct fake_key *k = &db->keys[i];

		if ((int64_t)n < values[2].integer && is(values[0], k->master) &&
		    strncmp(k->stack, values[1].bytes.data, UUID_TEXT) > 0)
			rows[n++] = (struct stack_key_row){ .stack_id = arena_strdup(arena, k->stack),
							    .sealed = copied(arena, buffer_span(&k->sealed)) };
	}
	return n;
}

static size_t masters(struct db *db, bool in_use, struct arena *arena, struct master_key_row *rows)
{
	size_t n = 0;

	for (size_t i = 0; i < db->master_count; i++)
		if (!in_use || count_keys(db, db_text(db->masters[i].id), false))
			rows[n++] = (struct master_key_row){ arena_strdup(arena, db->masters[i].id), db->masters[i].retired_at,
							     db->masters[i].forgotten_at };
	return n;
}

int db_all(struct db *db, const struct stmt *s, const struct db_value *values, size_t count, const struct db_column *columns,
	   size_t row_size, struct arena *arena, void **ret_rows, size_t *ret_count, struct err *e)
{
	void *rows = arena_alloc(arena, MOST * row_size);

	(void)columns, (void)e, (void)count;
	if (s == &STACK_KEYS_OF_MASTER) {
		*ret_count = keys_of_master(db, values, arena, rows);
	} else {
		assert_true(s == &MASTER_KEYS || s == &MASTER_KEYS_IN_USE);
		*ret_count = masters(db, s == &MASTER_KEYS_IN_USE, arena, rows);
	}
	*ret_rows = rows;
	return 1;
}

static int insert_key(struct db *db, struct db_value stack, struct db_value master, struct db_value sealed)
{
	size_t at = db->key_count;

	if (key_of(db, stack))
		return -1;
	if (!master_of(db, master) || master_of(db, master)->retired_at >= 0)
		return 0;
	for (; at && strncmp(db->keys[at - 1].stack, stack.bytes.data, stack.bytes.length) > 0; at--)
		db->keys[at] = db->keys[at - 1];
	db->key_count++;
	db->keys[at] = (struct fake_key){ 0 };
	set(db->keys[at].stack, UUID_TEXT, stack);
	set(db->keys[at].master, MASTER_KEY_ID, master);
	buffer_append(&db->keys[at].sealed, sealed.bytes.data, sealed.bytes.length);
	return 1;
}

static int insert_master(struct db *db, const struct db_value *values)
{
	if (master_of(db, values[0]))
		return -1;
	set(db->masters[db->master_count].id, MASTER_KEY_ID, values[0]);
	db->masters[db->master_count].forgotten_at = -1;
	db->masters[db->master_count++].retired_at = -1;
	return 1;
}

static int reseal(struct db *db, const struct db_value *values)
{
	struct fake_key *k = key_of(db, values[2]);

	if (!k || !span_equal(buffer_span(&k->sealed), values[3].bytes))
		return 0;
	set(k->master, MASTER_KEY_ID, values[0]);
	buffer_clear(&k->sealed);
	buffer_append(&k->sealed, values[1].bytes.data, values[1].bytes.length);
	return 1;
}

/* The new key's master, the lost one, the sealed bytes, a time, the stack, the bytes that must be there. */
static int replace(struct db *db, const struct db_value *values)
{
	struct fake_master *m = master_of(db, values[0]);
	struct fake_key *k = key_of(db, values[4]);

	if (!m || m->retired_at >= 0 || !k || !span_equal(buffer_span(&k->sealed), values[5].bytes))
		return 0;
	set(k->lost, MASTER_KEY_ID, values[1]);
	set(k->master, MASTER_KEY_ID, values[0]);
	buffer_clear(&k->sealed);
	buffer_append(&k->sealed, values[2].bytes.data, values[2].bytes.length);
	return 1;
}

static int forget_master(struct db *db, const struct db_value *values)
{
	struct fake_master *m = master_of(db, values[2]);

	if (!m || m->forgotten_at >= 0)
		return 0;
	m->forgotten_at = values[0].integer;
	m->retired_at = m->retired_at < 0 ? values[1].integer : m->retired_at;
	return 1;
}

static int retire(struct db *db, const struct db_value *values)
{
	int n = 0;

	for (size_t i = 0; i < db->master_count; i++)
		if (!is(values[1], db->masters[i].id) && db->masters[i].retired_at < 0)
			db->masters[i].retired_at = values[0].integer, n++;
	return n;
}

int db_exec(struct db *db, const struct stmt *s, const struct db_value *values, size_t count, int64_t *ret_changed,
	    struct err *e)
{
	int changed;

	(void)count;
	if (s == &STACK_KEY_RESEAL && db->break_at && --db->break_at == 0)
		return err_unavailable(e, "the database is gone");
	if ((s == &STACK_KEY_CREATE || s == &STACK_KEY_REPLACE) && db->rival)
		TAKE(db->rival)(db);
	if (s == &STACK_KEY_CREATE)
		changed = insert_key(db, values[0], values[3], values[1]);
	else if (s == &MASTER_KEY_CREATE)
		changed = insert_master(db, values);
	else if (s == &STACK_KEY_RESEAL)
		changed = reseal(db, values);
	else if (s == &STACK_KEY_REPLACE)
		changed = replace(db, values);
	else if (s == &MASTER_KEY_FORGET)
		changed = forget_master(db, values);
	else if (s == &AUDIT_RECORD)
		changed = 1, db->audited++;
	else
		assert_ptr_equal(s, &MASTER_KEYS_RETIRE), changed = retire(db, values);
	if (ret_changed)
		*ret_changed = changed;
	return changed >= 0;
}

/* The audit log is written to, never read. */
int db_each(struct db *db, const struct stmt *s, const struct db_value *values, size_t count, const struct db_column *columns,
	    void *row, size_t row_size, db_row_function *each, void *context, struct err *e)
{
	(void)db, (void)s, (void)values, (void)count, (void)columns, (void)row, (void)row_size, (void)each, (void)context;
	return err_internal(e, "%s was not expected", s->name);
}

int db_run(struct db *db, int (*work)(void *context, struct err *e), void *context, struct err *e)
{
	(void)db;
	return work(context, e) < 0 ? -1 : 1;
}

/* --- what each test has --- */

struct place {
	char folder[64], first[96], second[96], third[96];
	struct db db;
	struct app app;
};

static int64_t now(void)
{
	return 1000000;
}

static void write_key(const char *path, char fill)
{
	FILE *out = fopen(path, "w");

	for (size_t i = 0; i < AEAD_KEY_BYTES; i++)
		fputc(fill, out);
	fclose(out);
}

static struct keys *keys_of(struct place *p)
{
	struct keys *keys;
	struct err e = { 0 };

	assert_int_equal(keys_open("PULUMI_LOCAL_KEYS", p->folder, true, &keys, &e), 1);
	return keys;
}

/* Another process of the same installation. */
static struct app process(struct place *p)
{
	return (struct app){ .db = &p->db, .keys = keys_of(p), .now_us = now };
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct err e = { 0 };

	snprintf(p->folder, sizeof(p->folder), "/tmp/test_stack_key.XXXXXX");
	if (!mkdtemp(p->folder))
		return -1;
	snprintf(p->first, sizeof(p->first), "%s/1.key", p->folder);
	snprintf(p->second, sizeof(p->second), "%s/2.key", p->folder);
	snprintf(p->third, sizeof(p->third), "%s/3.key", p->folder);
	write_key(p->first, 'a');
	p->app = process(p);
	*state = p;
	return stack_keys_check(&p->app, &e) == 1 ? 0 : -1;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	keys_close(p->app.keys);
	for (size_t i = 0; i < p->db.key_count; i++)
		buffer_done(&p->db.keys[i].sealed);
	unlink(p->first);
	unlink(p->second);
	unlink(p->third);
	rmdir(p->folder);
	free(p);
	return 0;
}

static int open_stack(struct app *app, const char *organization, const char *name, bool make, struct stack_key *ret_key,
		      struct err *e)
{
	struct caller c = { .organization_id = (char *)(uintptr_t)organization };

	return stack_key_open(app, &c, &(struct stack_path){ organization, "project", name }, make, ret_key, e);
}

static void encrypt(struct app *app, const char *stack, const char *plain, struct buffer *ret_text)
{
	struct stack_key key;
	struct err e = { 0 };

	assert_int_equal(open_stack(app, "acme", stack, true, &key, &e), 1);
	assert_int_equal(stack_encrypt(&key, span_of(plain), ret_text, &e), 1);
	stack_key_done(&key);
}

static void encrypt_fails(struct app *app, const char *stack, const char *word)
{
	struct stack_key key;
	struct err e = { 0 };

	assert_int_equal(open_stack(app, "acme", stack, true, &key, &e), -1);
	assert_int_equal(e.kind, ERR_INTERNAL);
	assert_non_null(strstr(e.detail, word));
}

static void assert_decrypts(struct app *app, const char *stack, struct span text, const char *plain)
{
	_cleanup_(buffer_wipe) struct buffer out = BUFFER_INIT;
	struct stack_key key;
	struct err e = { 0 };

	assert_int_equal(open_stack(app, "acme", stack, false, &key, &e), 1);
	assert_int_equal(stack_decrypt(&key, text, &out, &e), plain ? 1 : -1);
	if (plain)
		assert_true(span_equal(buffer_span(&out), span_of(plain)));
	else
		assert_int_equal(e.kind, ERR_BAD_REQUEST), assert_non_null(strstr(e.message, "not made for this stack"));
}

static void assert_stops(struct app *app, const char *word, const char *word2)
{
	struct err e = { 0 };

	assert_int_equal(stack_keys_check(app, &e), -1);
	assert_non_null(strstr(e.detail, "PULUMI_LOCAL_KEYS"));
	assert_non_null(strstr(e.detail, word));
	assert_non_null(strstr(e.detail, word2));
}

/* --- tests --- */

static void opens_what_its_stack_made(void **state)
{
	struct place *p = *state;
	_cleanup_(buffer_done) struct buffer one = BUFFER_INIT, two = BUFFER_INIT, empty = BUFFER_INIT;

	encrypt(&p->app, "one", "secret", &one);
	encrypt(&p->app, "two", "secret", &two);
	encrypt(&p->app, "one", "", &empty);
	assert_int_equal(p->db.key_count, 2);
	assert_decrypts(&p->app, "one", buffer_span(&one), "secret");
	assert_decrypts(&p->app, "one", buffer_span(&empty), "");
	assert_decrypts(&p->app, "one", buffer_span(&two), NULL);
	assert_decrypts(&p->app, "two", buffer_span(&one), NULL);
}

static struct place *racing;
static struct buffer rival_text;

static void rival_encrypts(struct db *db)
{
	struct app rival = process(racing);

	(void)db;
	encrypt(&rival, "one", "rival", &rival_text);
	keys_close(rival.keys);
}

/* Two responders make the first secret of a stack at once: both secrets open afterwards. */
static void tolerates_a_rival(void **state)
{
	struct place *p = racing = *state;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;

	p->db.rival = rival_encrypts;
	encrypt(&p->app, "one", "mine", &text);
	assert_int_equal(p->db.key_count, 1);
	assert_decrypts(&p->app, "one", buffer_span(&text), "mine");
	assert_decrypts(&p->app, "one", buffer_span(&rival_text), "rival");
	buffer_done(&rival_text);
}

static void refuses_what_was_changed(void **state)
{
	struct place *p = *state;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	static const char *const strange[] = { "", "AQ==", "Ag==", "x", "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" };

	encrypt(&p->app, "one", "secret", &text);
	for (size_t i = 0; i < text.length; i++) {
		char was = text.data[i];

		assert_decrypts(&p->app, "one", (struct span){ text.data, i }, NULL);
		text.data[i] = was == 'A' ? 'B' : 'A';
		assert_decrypts(&p->app, "one", buffer_span(&text), NULL);
		text.data[i] = was;
	}
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		assert_decrypts(&p->app, "one", span_of(strange[i]), NULL);
	assert_decrypts(&p->app, "one", buffer_span(&text), "secret");
}

/* Though the rows of the database are exchanged, a key opens for its own stack only. */
static void binds_the_key_to_its_stack(void **state)
{
	struct place *p = *state;
	_cleanup_(buffer_done) struct buffer one = BUFFER_INIT, two = BUFFER_INIT;
	struct buffer sealed;
	struct stack_key key;
	struct err e = { 0 };

	encrypt(&p->app, "one", "secret", &one);
	encrypt(&p->app, "two", "secret", &two);
	sealed = p->db.keys[0].sealed;
	p->db.keys[0].sealed = p->db.keys[1].sealed;
	p->db.keys[1].sealed = sealed;
	assert_int_equal(open_stack(&p->app, "acme", "one", false, &key, &e), -1);
	assert_int_equal(e.kind, ERR_INTERNAL);
}

static void asks_once_and_hides_others(void **state)
{
	struct place *p = *state;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct stack_key key;
	struct err e = { 0 };

	assert_int_equal(open_stack(&p->app, "acme", "one", false, &key, &e), 0);
	encrypt(&p->app, "one", "secret", &text);
	p->db.selects = 0;
	assert_decrypts(&p->app, "one", buffer_span(&text), "secret");
	assert_int_equal(p->db.selects, 1);
	assert_int_equal(open_stack(&p->app, "elsewhere", "one", true, &key, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_int_equal(p->db.key_count, 1);
}

static void stops_at_wrong_and_missing_keys(void **state)
{
	struct place *p = *state;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	char first_id[MASTER_KEY_ID];
	struct err e = { 0 };
	struct app wrong;

	snprintf(first_id, sizeof(first_id), "%s", keys_active(p->app.keys));
	/* Nothing is encrypted yet, and still the key is the wrong one. */
	write_key(p->first, 'x');
	wrong = process(p);
	assert_stops(&wrong, first_id, "none of the master keys");
	assert_int_equal(p->db.master_count, 1);

	encrypt(&p->app, "one", "secret", &text);
	assert_stops(&wrong, "is not in", "1 stack need");
	keys_close(wrong.keys);
	write_key(p->first, 'a');
	wrong = process(p);
	assert_int_equal(stack_keys_check(&wrong, &e), 1);
	keys_close(wrong.keys);
}

/* A key that no start recorded, since a responder found its file while it ran, is missed all the same. */
static void records_keys_found_while_running(void **state)
{
	struct place *p = *state;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct err e = { 0 };
	struct app tool, later;
	int64_t done;

	write_key(p->second, 'b');
	tool = process(p);
	assert_int_equal(stack_keys_rotate(&tool, NULL, NULL, &done, &e), 1);
	keys_close(tool.keys);
	write_key(p->third, 'c');
	encrypt(&p->app, "one", "secret", &text);
	assert_int_equal(p->db.master_count, 3);
	assert_string_equal(p->db.keys[0].master, p->db.masters[2].id);
	unlink(p->third);
	later = process(p);
	assert_stops(&later, p->db.masters[2].id, "is not in");
	keys_close(later.keys);
}

/* Its file is a mistake that the next start will tell: until then nothing is sealed with it. */
static void seals_with_no_stranger(void **state)
{
	struct place *p = *state;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;

	write_key(p->first, 'x');
	encrypt(&p->app, "one", "secret", &text);
	assert_int_equal(p->db.master_count, 1);
	assert_string_equal(p->db.keys[0].master, p->db.masters[0].id);
	keys_refresh(p->app.keys);
	encrypt_fails(&p->app, "two", "is not in");
	assert_int_equal(p->db.key_count, 1);
	assert_int_equal(p->db.master_count, 1);
}

struct progress {
	int64_t calls, done, total;
};

static void note(void *context, int64_t done, int64_t total)
{
	struct progress *seen = context;

	assert_true(done >= seen->done && done <= total);
	*seen = (struct progress){ seen->calls + 1, done, total };
}

static void make_stacks(struct place *p, size_t n, struct buffer *ret_last)
{
	for (size_t i = 0; i < n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "s%03zu", i);
		buffer_clear(ret_last);
		encrypt(&p->app, name, "secret", ret_last);
	}
}

/* Every responder goes on meanwhile; when it is over the old file can go. */
static void rotates_while_running(void **state)
{
	struct place *p = *state;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT, more = BUFFER_INIT;
	struct progress seen = { 0 };
	struct err e = { 0 };
	struct app tool, later;
	int64_t done = 0;

	make_stacks(p, 205, &text);
	write_key(p->second, 'b');
	tool = process(p);
	assert_int_equal(stack_keys_rotate(&tool, note, &seen, &done, &e), 1);
	assert_int_equal(done, 205);
	assert_int_equal(seen.total, 205);
	assert_true(seen.calls >= 3);
	assert_int_equal(count_keys(&p->db, db_text(keys_active(tool.keys)), true), 0);
	assert_int_equal(stack_keys_rotate(&tool, note, NULL, &done, &e), 1);
	assert_int_equal(done, 0);
	keys_close(tool.keys);

	unlink(p->first);
	/* This process started before the second key was there. */
	encrypt(&p->app, "new", "other", &more);
	assert_decrypts(&p->app, "s204", buffer_span(&text), "secret");
	later = process(p);
	assert_int_equal(stack_keys_check(&later, &e), 1);
	assert_decrypts(&later, "s204", buffer_span(&text), "secret");
	assert_decrypts(&later, "new", buffer_span(&more), "other");
	keys_close(later.keys);
}

/* What sorted last yesterday seals nothing today: it would be lost with its file. */
static void never_seals_with_a_retired_key(void **state)
{
	struct place *p = *state;
	struct err e = { 0 };
	struct app tool;
	int64_t done;

	write_key(p->second, 'b');
	tool = process(p);
	assert_int_equal(stack_keys_rotate(&tool, NULL, NULL, &done, &e), 1);
	keys_close(tool.keys);
	/* A host that did not get the new file. */
	unlink(p->second);
	encrypt_fails(&p->app, "one", "retired");
	assert_int_equal(p->db.key_count, 0);
	assert_stops(&p->app, p->db.masters[0].id, "retired");
}

static void rotates_around_a_broken_key(void **state)
{
	struct place *p = *state;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct err e = { 0 };
	struct app tool;
	int64_t done;

	make_stacks(p, 150, &text);
	p->db.keys[3].sealed.data[20] ^= 1;
	write_key(p->second, 'b');
	tool = process(p);
	assert_int_equal(stack_keys_rotate(&tool, NULL, NULL, &done, &e), -1);
	assert_int_equal(done, 149);
	assert_non_null(strstr(e.detail, "1 data key"));
	assert_non_null(strstr(e.detail, "s003"));
	assert_int_equal(count_keys(&p->db, db_text(keys_active(tool.keys)), true), 1);
	assert_decrypts(&tool, "s149", buffer_span(&text), "secret");
	keys_close(tool.keys);
}

static void rotation_goes_on_after_an_interruption(void **state)
{
	struct place *p = *state;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct err e = { 0 };
	struct app tool;
	int64_t done = 0;

	make_stacks(p, 120, &text);
	write_key(p->second, 'b');
	tool = process(p);
	p->db.break_at = 111;
	assert_int_equal(stack_keys_rotate(&tool, NULL, NULL, &done, &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	assert_decrypts(&p->app, "s119", buffer_span(&text), "secret");
	err_clear(&e);
	assert_int_equal(stack_keys_rotate(&tool, NULL, NULL, &done, &e), 1);
	assert_int_equal(done, 10);
	keys_close(tool.keys);
}

/* Forgets the first key, whose file is gone; another seals from now on. */
static struct app without_first_key(struct place *p, struct buffer *ret_text)
{
	struct err e = { 0 };
	struct app later;

	encrypt(&p->app, "one", "secret", ret_text);
	write_key(p->second, 'b');
	unlink(p->first);
	later = process(p);
	assert_stops(&later, p->db.masters[0].id, "key forget");
	assert_int_equal(stack_key_forget(&p->db, "0000000000000000", now(), &e), 0);
	assert_int_equal(stack_key_forget(&p->db, p->db.masters[0].id, now(), &e), 1);
	assert_int_equal(stack_key_forget(&p->db, p->db.masters[0].id, now(), &e), 0);
	assert_int_equal(stack_keys_check(&later, &e), 1);
	return later;
}

static void says_that_a_key_was_lost(void **state)
{
	struct place *p = *state;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT, more = BUFFER_INIT;
	struct app later = without_first_key(p, &text);
	struct stack_key key;
	struct err e = { 0 };

	assert_int_equal(open_stack(&later, "acme", "one", false, &key, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	assert_non_null(strstr(e.message, p->db.masters[0].id));
	assert_string_equal(p->db.keys[0].master, p->db.masters[0].id);
	encrypt(&later, "one", "again", &more);
	assert_int_equal(p->db.audited, 1);
	assert_decrypts(&later, "one", buffer_span(&more), "again");
	err_clear(&e);
	assert_int_equal(open_stack(&later, "acme", "one", false, &key, &e), 1);
	assert_int_equal(stack_decrypt(&key, buffer_span(&text), &more, &e), -1);
	assert_non_null(strstr(e.message, p->db.masters[0].id));
	keys_close(later.keys);
}

/* Its data keys are still there as long as nothing took their place; it never seals again. */
static void opens_again_with_a_key_that_turns_up(void **state)
{
	struct place *p = *state;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct app later = without_first_key(p, &text), found;
	struct err e = { 0 };
	int64_t done = -1;

	assert_int_equal(stack_keys_rotate(&later, NULL, NULL, &done, &e), 1);
	assert_int_equal(done, 0);
	write_key(p->first, 'a');
	assert_decrypts(&later, "one", buffer_span(&text), "secret");
	assert_int_equal(stack_keys_rotate(&later, NULL, NULL, &done, &e), 1);
	assert_int_equal(done, 1);
	assert_decrypts(&later, "one", buffer_span(&text), "secret");
	keys_close(later.keys);
	unlink(p->first);
	write_key(p->third, 'a');
	found = process(p);
	assert_stops(&found, p->db.masters[0].id, "retired");
	keys_close(found.keys);
}

static void rival_replaces(struct db *db)
{
	struct app rival = process(racing);

	(void)db;
	encrypt(&rival, "one", "rival", &rival_text);
	keys_close(rival.keys);
}

static void replaces_a_lost_key_once(void **state)
{
	struct place *p = racing = *state;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT, mine = BUFFER_INIT;
	struct app later = without_first_key(p, &text);

	p->db.rival = rival_replaces;
	encrypt(&later, "one", "mine", &mine);
	assert_int_equal(p->db.audited, 1);
	assert_decrypts(&later, "one", buffer_span(&mine), "mine");
	assert_decrypts(&later, "one", buffer_span(&rival_text), "rival");
	buffer_done(&rival_text);
	keys_close(later.keys);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opens_what_its_stack_made, set_up, tear_down),
		cmocka_unit_test_setup_teardown(tolerates_a_rival, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_what_was_changed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(binds_the_key_to_its_stack, set_up, tear_down),
		cmocka_unit_test_setup_teardown(asks_once_and_hides_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(stops_at_wrong_and_missing_keys, set_up, tear_down),
		cmocka_unit_test_setup_teardown(records_keys_found_while_running, set_up, tear_down),
		cmocka_unit_test_setup_teardown(seals_with_no_stranger, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rotates_while_running, set_up, tear_down),
		cmocka_unit_test_setup_teardown(never_seals_with_a_retired_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rotates_around_a_broken_key, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rotation_goes_on_after_an_interruption, set_up, tear_down),
		cmocka_unit_test_setup_teardown(says_that_a_key_was_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(opens_again_with_a_key_that_turns_up, set_up, tear_down),
		cmocka_unit_test_setup_teardown(replaces_a_lost_key_once, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
