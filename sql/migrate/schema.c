/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema as text in one form, whatever server has it: how the servers themselves print it differs in
 * integer widths, quotes and the order of clauses.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/settings.h"
#include "migrate.h"
#include "migrate_sql.h"

static void quote(struct buffer *out, const char *text)
{
	buffer_putc(out, '\'');
	for (; *text; text++)
		buffer_printf(out, "%s%c", *text == '\'' ? "'" : "", *text);
	buffer_putc(out, '\'');
}

/* bigint(20) is bigint; tinyint(1) is what both servers call BOOLEAN. */
static void write_type(struct buffer *out, const char *type)
{
	const char *bracket = strchr(type, '(');
	size_t n = bracket ? (size_t)(bracket - type) : strlen(type);
	bool width = bracket && n >= 3 && !strncmp(bracket - 3, "int", 3) && strncmp(type, "tinyint(1)", 10);

	for (size_t i = 0; type[i] && !(width && type[i] == '('); i++)
		buffer_putc(out, (char)toupper((unsigned char)type[i]));
	if (width && strchr(type, ')')[1])
		buffer_puts(out, strchr(type, ')') + 1);
}

/* MariaDB keeps the text of the expression, MySQL the value. */
static void write_default(struct buffer *out, const char *value)
{
	size_t n = value ? strlen(value) : 0;

	if (!value || !strcmp(value, "NULL"))
		return;
	buffer_puts(out, " DEFAULT ");
	if (n >= 2 && value[0] == '\'')
		buffer_append(out, value, n);
	else
		quote(out, value);
}

static void write_comment(struct buffer *out, const char *before, const char *comment)
{
	if (!*comment)
		return;
	buffer_puts(out, before);
	quote(out, comment);
}

static int write_columns(struct db *db, const char *table, struct arena *arena, struct buffer *out, struct err *e)
{
	struct column_row *rows;
	size_t count;

	if (db_all(db, &SCHEMA_COLUMNS, DB_VALUES(db_text(table)), column_columns, sizeof(*rows), arena, (void **)&rows, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		buffer_printf(out, "%s\n  %s ", i ? "," : "", rows[i].name);
		write_type(out, rows[i].type);
		if (rows[i].collation)
			buffer_printf(out, " CHARACTER SET %s COLLATE %s", rows[i].character_set, rows[i].collation);
		buffer_puts(out, rows[i].nullable ? " NULL" : " NOT NULL");
		write_default(out, rows[i].fallback);
		write_comment(out, " COMMENT ", rows[i].comment);
	}
	return 1;
}

static int write_keys(struct db *db, const char *table, struct arena *arena, struct buffer *out, struct err *e)
{
	struct key_row *rows;
	size_t count;

	if (db_all(db, &SCHEMA_KEYS, DB_VALUES(db_text(table)), key_columns, sizeof(*rows), arena, (void **)&rows, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		bool first = i == 0 || strcmp(rows[i].name, rows[i - 1].name);

		if (first && !strcmp(rows[i].name, "PRIMARY"))
			buffer_puts(out, ",\n  PRIMARY KEY (");
		else if (first)
			buffer_printf(out, ",\n  %sKEY %s (", rows[i].not_unique ? "" : "UNIQUE ", rows[i].name);
		buffer_printf(out, "%s%s", first ? "" : ", ", rows[i].column);
		if (i + 1 == count || strcmp(rows[i].name, rows[i + 1].name))
			buffer_putc(out, ')');
	}
	return 1;
}

static int write_references(struct db *db, const char *table, struct arena *arena, struct buffer *out, struct err *e)
{
	struct reference_row *rows;
	size_t count;

	if (db_all(db, &SCHEMA_REFERENCES, DB_VALUES(db_text(table)), reference_columns, sizeof(*rows), arena, (void **)&rows, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		buffer_printf(out, ",\n  CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s (%s)", rows[i].name, rows[i].column,
			      rows[i].other_table, rows[i].other_column);
		if (!strcmp(rows[i].on_delete, "CASCADE"))
			buffer_puts(out, " ON DELETE CASCADE");
	}
	return 1;
}

static int write_table(struct db *db, const struct table_row *table, struct arena *arena, struct buffer *out, struct err *e)
{
	buffer_printf(out, "\nCREATE TABLE %s (", table->name);
	if (write_columns(db, table->name, arena, out, e) < 0 || write_keys(db, table->name, arena, out, e) < 0 ||
	    write_references(db, table->name, arena, out, e) < 0)
		return -1;
	buffer_puts(out, "\n)");
	write_comment(out, " COMMENT=", table->comment);
	buffer_puts(out, ";\n");
	return 1;
}

int schema_write(struct db *db, struct buffer *out, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct table_row *tables;
	size_t count;

	if (db_all(db, &SCHEMA_TABLES, DB_NONE, table_columns, sizeof(*tables), &arena, (void **)&tables, &count, e) < 0)
		return -1;
	buffer_puts(out, "-- The whole schema: the sum of sql/migrations/, for readers. Written by pulumi-migrate schema.\n");
	for (size_t i = 0; i < count; i++)
		if (write_table(db, &tables[i], &arena, out, e) < 0)
			return -1;
	return 1;
}

/* --- comparing --- */

/* A line of one table's definition. */
struct line {
	const char *table, *text;
};

struct lines {
	struct arena arena;
	struct map known;	/* table and text -> the line */
	struct line *items;
	size_t count;
};

static void lines_done(struct lines *l)
{
	map_done(&l->known);
	arena_clear(&l->arena);
}

/* A line is the same with and without the comma behind it. */
static size_t line_length(const char *at)
{
	size_t n = strcspn(at, "\n");

	return n && at[n - 1] == ',' ? n - 1 : n;
}

static void read_lines(const char *text, struct lines *l)
{
	const char *table = "";
	size_t room = 0;

	for (const char *at = text; *at; at++)
		room += *at == '\n';
	l->items = arena_alloc(&l->arena, (room + 1) * sizeof(*l->items));
	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		const char *line = arena_strndup(&l->arena, at, line_length(at));

		if (!*line || !strncmp(line, "--", 2))
			continue;
		if (!strncmp(line, "CREATE TABLE ", 13))
			table = arena_strndup(&l->arena, line + 13, strcspn(line + 13, " "));
		l->items[l->count] = (struct line){ table, line + strspn(line, " ") };
		*map_put(&l->known, span_of(arena_printf(&l->arena, "%s\n%s", table, line + strspn(line, " ")))) = &l->items[l->count];
		l->count++;
	}
}

static size_t print_missing(const struct lines *from, const struct lines *in, char mark)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	size_t n = 0;

	for (size_t i = 0; i < from->count; i++) {
		const struct line *each = &from->items[i];

		if (map_get(&in->known, span_of(arena_printf(&arena, "%s\n%s", each->table, each->text))))
			continue;
		printf("%c %s: %s\n", mark, each->table, each->text);
		n++;
	}
	return n;
}

static void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static int read_expected(struct migrate *m, struct buffer *ret_text, struct err *e)
{
	const char *path = arena_printf(&m->arena, "%s/../schema.sql", setting("PULUMI_MIGRATIONS_DIR"));
	_cleanup_(close_file) FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return err_internal(e, "cannot read %s, which belongs to the migrations: %s", path, strerror(errno));
	while ((n = fread(buffer_reserve(ret_text, 65536), 1, 65536, f)) > 0) {
		ret_text->length += n;
		ret_text->data[ret_text->length] = '\0';
	}
	return 1;
}

static int compare(struct migrate *m, struct err *e)
{
	_cleanup_(buffer_done) struct buffer live_text = BUFFER_INIT, wanted_text = BUFFER_INIT;
	_cleanup_(lines_done) struct lines live = { 0 }, wanted = { 0 };
	size_t differences;

	if (schema_write(m->db, &live_text, e) < 0 || read_expected(m, &wanted_text, e) < 0)
		return -1;
	read_lines(live_text.data, &live);
	read_lines(dialect_text(m->db, wanted_text.data, &m->arena), &wanted);
	differences = print_missing(&wanted, &live, '-') + print_missing(&live, &wanted, '+');
	if (differences)
		printf("%zu differences: lines with - are missing in the database, lines with + should not be there\n", differences);
	else
		puts("the schema is as it should be");
	return differences > 0;
}

int migrate_check(struct migrate *m, struct err *e)
{
	int rc = migrate_status(m, e);

	return rc == 0 ? compare(m, e) : rc;
}
