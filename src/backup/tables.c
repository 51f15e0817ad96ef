/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever tables the schema has: their rows as lines, and back. */
#include "backup/backup_sql.h"
#include "backup/internal.h"
#include "crypto/aead.h"
#include "json/scan.h"
#include "json/write.h"

static bool is_binary(const char *type)
{
	return strstr(type, "binary") || strstr(type, "blob");
}

static int read_columns(struct db *db, struct arena *arena, struct table *t, struct err *e)
{
	struct backup_row *rows;
	size_t count;

	if (db_all(db, &BACKUP_COLUMNS_OF, DB_VALUES(db_text(t->name)), backup_column_columns, sizeof(*rows), arena, (void **)&rows, &count,
		   e) < 0)
		return -1;
	if (count >= BACKUP_COLUMNS)
		return err_internal(e, "the table %s has too many columns", t->name);
	for (size_t i = 0; i < count; i++)
		t->columns[i] = (struct column){ rows[i].name, is_binary(rows[i].type) };
	t->count = count;
	return 1;
}

int tables_read(struct db *db, struct arena *arena, struct table **ret_list, size_t *ret_count, struct err *e)
{
	struct backup_row *rows;
	struct table *list;
	size_t count;

	if (db_all(db, &BACKUP_TABLES, DB_NONE, backup_name_columns, sizeof(*rows), arena, (void **)&rows, &count, e) < 0)
		return -1;
	list = arena_alloc(arena, count * sizeof(*list));
	for (size_t i = 0; i < count; i++) {
		list[i].name = rows[i].name;
		if (read_columns(db, arena, &list[i], e) < 0)
			return -1;
	}
	*ret_list = list;
	*ret_count = count;
	return 1;
}

static const struct stmt *statement(struct arena *arena, const struct table *t, const struct buffer *sql)
{
	struct stmt *s = arena_alloc(arena, sizeof(*s));

	s->name = t->name;
	s->sql = arena_strndup(arena, sql->data, sql->length);
	return s;
}

/* Everything that is not bytes is read as text: numbers and times come out as the server writes them. */
const struct stmt *table_select(const struct table *t, struct arena *arena, struct db_column columns[BACKUP_COLUMNS + 1])
{
	_cleanup_(buffer_done) struct buffer sql = BUFFER_INIT;

	buffer_puts(&sql, BACKUP_SELECT);
	for (size_t i = 0; i < t->count; i++) {
		const struct column *c = &t->columns[i];

		buffer_printf(&sql, c->binary ? "%s`%s` AS `%s`" : "%sCONVERT(`%s` USING utf8mb4) AS `%s`", i ? ", " : "", c->name, c->name);
		columns[i] = (struct db_column){ c->name, COLUMN_BYTES, i * sizeof(struct span) };
	}
	columns[t->count] = (struct db_column){ 0 };
	buffer_printf(&sql, "%s`%s`", BACKUP_FROM, t->name);
	return statement(arena, t, &sql);
}

/* The list of master keys has a row already: whatever starts first writes it. */
const struct stmt *table_insert(const struct table *t, size_t rows, struct arena *arena)
{
	_cleanup_(buffer_done) struct buffer sql = BUFFER_INIT;

	buffer_printf(&sql, "%s`%s` (", strcmp(t->name, "master_keys") ? BACKUP_INSERT : BACKUP_REPLACE, t->name);
	for (size_t i = 0; i < t->count; i++)
		buffer_printf(&sql, "%s`%s`", i ? ", " : "", t->columns[i].name);
	buffer_printf(&sql, ")%s", BACKUP_VALUES);
	for (size_t i = 0; i < t->count * rows; i++)
		buffer_puts(&sql, i == 0 ? "?" : i % t->count ? ", ?" : "), (?");
	buffer_putc(&sql, ')');
	return statement(arena, t, &sql);
}

const struct stmt *table_count(const struct table *t, struct arena *arena)
{
	_cleanup_(buffer_done) struct buffer sql = BUFFER_INIT;

	buffer_printf(&sql, "%s`%s`", BACKUP_COUNT, t->name);
	return statement(arena, t, &sql);
}

const struct stmt *table_any(const struct table *t, struct arena *arena)
{
	_cleanup_(buffer_done) struct buffer sql = BUFFER_INIT;

	buffer_printf(&sql, "%s`%s` LIMIT 1", BACKUP_ANY, t->name);
	return statement(arena, t, &sql);
}

void row_write(const struct table *t, const struct span *values, struct buffer *out)
{
	buffer_putc(out, '[');
	for (size_t i = 0; i < t->count; i++) {
		json_write_separator(out);
		if (!values[i].data) {
			buffer_puts(out, "null");
		} else if (t->columns[i].binary) {
			buffer_putc(out, '"');
			base64_encode(values[i], out);
			buffer_putc(out, '"');
		} else {
			json_write_span(out, values[i]);
		}
	}
	buffer_putc(out, ']');
}

static int wrong_row(const struct table *t, struct err *e)
{
	return err_internal(e, "the backup is damaged: a row of the table %s does not have %zu texts", t->name, t->count);
}

static bool read_value(const struct column *c, struct span json, struct arena *arena, struct db_value *ret_value)
{
	_cleanup_(buffer_done) struct buffer bytes = BUFFER_INIT;
	struct span text;

	*ret_value = (struct db_value){ 0 };
	if (json.data[0] == 'n')
		return true;
	if (!scan_text(json, arena, &text))
		return false;
	if (!c->binary) {
		*ret_value = (struct db_value){ .type = DB_TEXT, .bytes = text };
		return true;
	}
	buffer_puts(&bytes, "");
	if (!base64_decode(text, &bytes))
		return false;
	*ret_value = (struct db_value){ .type = DB_BYTES, .bytes = { arena_strndup(arena, bytes.data, bytes.length), bytes.length } };
	return true;
}

int row_read(const struct table *t, struct span line, struct arena *arena, struct db_value *ret_values, struct err *e)
{
	struct err why = { 0 };
	struct span list, each;
	struct scan s;
	size_t n = 0;

	if (scan_document(line, &list, &why) < 0 || list.data[0] != '[')
		return wrong_row(t, e);
	for (scan_open(&s, list); scan_element(&s, &each); n++)
		if (n == t->count || !read_value(&t->columns[n], each, arena, &ret_values[n]))
			return wrong_row(t, e);
	return n == t->count ? 1 : wrong_row(t, e);
}
