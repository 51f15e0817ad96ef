/* SPDX-License-Identifier: Apache-2.0 */
/* Rows by their field tables: a table of text, or JSON. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "admin.h"
#include "json/write.h"

#define SECOND 1000000LL

static void write_time(struct buffer *out, int64_t us)
{
	time_t seconds = (time_t)(us / SECOND);
	struct tm tm;
	char text[32];

	if (us < 0)
		return buffer_puts(out, "-");
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", gmtime_r(&seconds, &tm));
	buffer_puts(out, text);
}

static void write_cell(struct buffer *out, const struct field *f, const void *row)
{
	const void *value = (const char *)row + f->offset;
	const char *text;

	switch (f->kind) {
	case FIELD_TEXT:
		text = *(const char *const *)value;
		buffer_puts(out, text && *text ? text : "-");
		break;
	case FIELD_INT:
		buffer_printf(out, "%lld", (long long)*(const int64_t *)value);
		break;
	case FIELD_BOOL:
		buffer_puts(out, *(const bool *)value ? "yes" : "no");
		break;
	case FIELD_TIME:
		write_time(out, *(const int64_t *)value);
		break;
	default:
		break;
	}
}

/* Columns that people see: UTF-8 continuation bytes take no room. */
static int width_of(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static const void *row_at(const void *rows, size_t i, size_t size)
{
	return (const char *)rows + i * size;
}

static int column_width(const struct field *f, const void *rows, size_t count, size_t size)
{
	_cleanup_(buffer_done) struct buffer cell = BUFFER_INIT;
	int width = width_of(f->name);

	for (size_t i = 0; i < count; i++) {
		buffer_clear(&cell);
		buffer_puts(&cell, "");
		write_cell(&cell, f, row_at(rows, i, size));
		width = width_of(cell.data) > width ? width_of(cell.data) : width;
	}
	return width;
}

static void print_padded(const char *text, int width, bool last)
{
	printf("%s%*s", text, last ? 0 : width - width_of(text) + 2, "");
}

static void print_table(const struct field *fields, const void *rows, size_t count, size_t size)
{
	_cleanup_(buffer_done) struct buffer cell = BUFFER_INIT;
	int widths[32] = { 0 };
	size_t n = 0;

	for (const struct field *f = fields; f->name; f++)
		widths[n++] = column_width(f, rows, count, size);
	for (size_t i = 0; i < n; i++)
		print_padded(fields[i].name, widths[i], i + 1 == n);
	puts("");
	for (size_t row = 0; row < count; row++) {
		for (size_t i = 0; i < n; i++) {
			buffer_clear(&cell);
			write_cell(&cell, &fields[i], row_at(rows, row, size));
			print_padded(cell.data, widths[i], i + 1 == n);
		}
		puts("");
	}
}

void admin_list(const struct admin *a, const struct field *fields, const void *rows, size_t count, size_t size)
{
	_cleanup_(buffer_done) struct buffer json = BUFFER_INIT;

	if (!a->json)
		return print_table(fields, rows, count, size);
	buffer_putc(&json, '[');
	for (size_t i = 0; i < count; i++) {
		json_write_separator(&json);
		fields_write(fields, row_at(rows, i, size), &json);
	}
	buffer_puts(&json, "]");
	puts(json.data);
}

void admin_show(const struct admin *a, const struct field *fields, const void *row)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;

	if (a->json)
		fields_write(fields, row, &text);
	for (const struct field *f = fields; f->name && !a->json; f++) {
		buffer_printf(&text, "%s%s: ", f == fields ? "" : "\n", f->name);
		write_cell(&text, f, row);
	}
	puts(text.data);
}

void admin_say(const struct admin *a, const char *format, ...)
{
	va_list args;

	if (a->json)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	puts(a->dry_run ? " (not really: --dry-run)" : "");
}

void progress_begin(const struct admin *a, struct progress *p, const char *what, int64_t total)
{
	*p = (struct progress){ .what = what, .total = total, .began_us = a->app.now_us() };
}

void progress_add(const struct admin *a, struct progress *p, int64_t done)
{
	int64_t now_us = a->app.now_us();

	p->done += done;
	if (now_us - p->began_us < 2 * SECOND || now_us - p->told_us < SECOND)
		return;
	p->told_us = now_us;
	if (p->total)
		fprintf(stderr, "pulumi-admin: %s: %lld of %lld\n", p->what, (long long)p->done, (long long)p->total);
	else
		fprintf(stderr, "pulumi-admin: %s: %lld\n", p->what, (long long)p->done);
}
