/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "backup/internal.h"
#include "json/scan.h"

static const struct field migration_fields[] = {
	FIELD(named_checksum, name, "name", FIELD_TEXT, .flags = FIELD_REQUIRED),
	FIELD(named_checksum, checksum, "checksum", FIELD_TEXT, .flags = FIELD_REQUIRED),
	{ 0 },
};

static const struct field key_fields[] = {
	FIELD(master_key, id, "id", FIELD_TEXT, .flags = FIELD_REQUIRED),
	FIELD(master_key, stacks, "stacks", FIELD_INT, .flags = FIELD_REQUIRED),
	{ 0 },
};

static const struct field part_fields[] = {
	FIELD(part, file, "file", FIELD_TEXT, .flags = FIELD_REQUIRED),
	FIELD(part, sha256, "sha256", FIELD_TEXT, .flags = FIELD_REQUIRED),
	FIELD(part, bytes, "bytes", FIELD_INT, .flags = FIELD_REQUIRED),
	FIELD(part, lines, "lines", FIELD_INT, .flags = FIELD_REQUIRED),
	FIELD(part, table, "table", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	FIELD(part, columns, "columns", FIELD_TEXT_LIST, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

/* Lists are written by this table, and read one by one. */
static const struct field manifest_fields[] = {
	FIELD(manifest, format, "format", FIELD_INT),
	FIELD(manifest, program, "program", FIELD_TEXT),
	FIELD(manifest, created_at, "createdAt", FIELD_INT),
	FIELD(manifest, audit_table, "auditTable", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	FIELD(manifest, migrations, "migrations", FIELD_LIST, .fields = migration_fields),
	FIELD(manifest, master_keys, "masterKeys", FIELD_LIST, .fields = key_fields),
	FIELD(manifest, parts, "parts", FIELD_LIST, .fields = part_fields),
	{ 0 },
};

int manifest_write(const struct backup *b, const struct manifest *m, char ret_digest[2 * SHA256_BYTES + 1], struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;

	fields_write(manifest_fields, m, &text);
	buffer_putc(&text, '\n');
	digest_hex(buffer_span(&text), ret_digest);
	return file_write(b->folder, "manifest.json", buffer_span(&text), e);
}

static int damaged(const struct backup *b, struct err *e)
{
	return err_internal(e, "%s/manifest.json is damaged", b->folder);
}

static size_t count_elements(struct span list)
{
	struct span each;
	struct scan s;
	size_t n = 0;

	for (scan_open(&s, list); scan_element(&s, &each);)
		n++;
	return n;
}

static int read_list(const struct backup *b, struct span document, const char *name, const struct field *fields, size_t size,
		     struct arena *arena, struct object_list *ret_list, struct err *e)
{
	struct span list, each;
	struct err why = { 0 };
	char *items;
	struct scan s;

	if (!scan_find(document, name, &list) || list.data[0] != '[')
		return damaged(b, e);
	*ret_list = (struct object_list){ .count = count_elements(list), .size = size };
	items = arena_alloc(arena, ret_list->count * size);
	ret_list->items = items;
	for (scan_open(&s, list); scan_element(&s, &each); items += size)
		if (fields_read(fields, each, arena, items, &why) < 0)
			return damaged(b, e);
	return 1;
}

static int check_format(const struct backup *b, struct span document, struct manifest *m, struct err *e)
{
	struct span value;

	if (!scan_find(document, "format", &value) || !scan_int(value, &m->format))
		return damaged(b, e);
	if (m->format != BACKUP_FORMAT)
		return err_internal(e, "%s was made by another version: its format is %lld, this version reads %d", b->folder,
				    (long long)m->format, BACKUP_FORMAT);
	return 1;
}

static void read_audit_table(struct span document, struct arena *arena, struct manifest *m)
{
	struct span value, text;

	if (scan_find(document, "auditTable", &value) && scan_text(value, arena, &text))
		m->audit_table = arena_strndup(arena, text.data, text.length);
}

int manifest_read(const struct backup *b, struct arena *arena, struct manifest *ret_manifest, struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct manifest m = { 0 };
	char hex[2 * SHA256_BYTES + 1];
	struct span document;
	struct err why = { 0 };

	if (file_read(b->folder, "manifest.json", &text, &why) < 0)
		return err_internal(e, "%s is no finished backup (%s)", b->folder, why.detail);
	if (scan_document(buffer_span(&text), &document, &why) < 0 || document.data[0] != '{')
		return damaged(b, e);
	if (check_format(b, document, &m, e) < 0 ||
	    read_list(b, document, "migrations", migration_fields, sizeof(struct named_checksum), arena, &m.migrations, e) < 0 ||
	    read_list(b, document, "masterKeys", key_fields, sizeof(struct master_key), arena, &m.master_keys, e) < 0 ||
	    read_list(b, document, "parts", part_fields, sizeof(struct part), arena, &m.parts, e) < 0)
		return -1;
	digest_hex(buffer_span(&text), hex);
	m.sha256 = arena_strdup(arena, hex);
	read_audit_table(document, arena, &m);
	*ret_manifest = m;
	return 1;
}
