/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/backup share. */
#ifndef BACKUP_INTERNAL_H
#define BACKUP_INTERNAL_H

#include "backup/backup.h"
#include "base/buffer.h"
#include "base/map.h"
#include "blob/blob.h"
#include "crypto/crypto.h"
#include "db/db.h"
#include "json/fields.h"

#define BACKUP_FORMAT 1
#define BACKUP_COLUMNS 48		/* of one table */

struct column {
	const char *name;
	bool binary;			/* in base64 */
};

struct table {
	const char *name;
	struct column columns[BACKUP_COLUMNS];
	size_t count;
};

/* --- files.c --- */
int folder_make(const char *root, const char *path, struct err *e) WARN_UNUSED;
int folder_check_empty(const char *path, struct err *e) WARN_UNUSED;
/* Everything that was written into the folder is on the disk. */
int folder_flush(const char *path, struct err *e) WARN_UNUSED;
int file_write(const char *folder, const char *path, struct span data, struct err *e) WARN_UNUSED;
int file_read(const char *folder, const char *path, struct buffer *ret_data, struct err *e) WARN_UNUSED;
void digest_hex(struct span data, char ret_hex[2 * SHA256_BYTES + 1]);

/* --- manifest.c --- */
struct part {
	const char *file, *sha256;	/* sha256: hex, of the file's bytes */
	const char *table;		/* NULL: a list of objects */
	struct text_list columns;	/* "name", or "name:base64" */
	int64_t bytes, lines;
};

struct named_checksum {
	const char *name, *checksum;
};

struct master_key {
	const char *id;
	int64_t stacks;			/* whose secrets need it */
};

struct manifest {
	int64_t format, created_at;	/* seconds since 1970 */
	const char *program, *audit_table;	/* audit_table NULL: the audit log was in the database */
	struct object_list migrations, master_keys, parts;	/* named_checksum, master_key, part */
	const char *sha256;		/* of its text, hex; when it was read */
};

int manifest_write(const struct backup *b, const struct manifest *m, char ret_digest[2 * SHA256_BYTES + 1], struct err *e) WARN_UNUSED;
int manifest_read(const struct backup *b, struct arena *arena, struct manifest *ret_manifest, struct err *e) WARN_UNUSED;

/* --- part.c --- */
/* Lines that go into files one after the other, each of a size that can be read whole. */
struct part_writer {
	struct backup *backup;
	const char *stem;		/* of the files' names */
	struct part template;
	struct buffer text;
	int64_t lines;
	int number;
	struct arena *arena;
	struct buffer *parts;		/* struct part, finished ones */
};
int part_line(struct part_writer *w, struct span line, struct err *e) WARN_UNUSED;
int part_finish(struct part_writer *w, struct err *e) WARN_UNUSED;
void part_writer_done(struct part_writer *w);
/* The text of a part whose digest, size and number of lines are right. */
int part_read(const struct backup *b, const struct part *p, struct buffer *ret_text, struct err *e) WARN_UNUSED;
/* Calls `each` for every line of a text; 1 to go on, -1 with *e set. */
typedef int part_each(void *context, struct span line, struct err *e);
int part_lines(struct span text, part_each *each, void *context, struct err *e) WARN_UNUSED;

/* --- tables.c --- */
/* All tables but those of pulumi-migrate and the claims: those that others refer to first, users last. */
int tables_read(struct db *db, struct arena *arena, struct table **ret_list, size_t *ret_count, struct err *e) WARN_UNUSED;
/* The statement that reads all rows, each column as text or bytes, and how it is read into `struct span`s. */
const struct stmt *table_select(const struct table *t, struct arena *arena, struct db_column columns[BACKUP_COLUMNS + 1]);
/* The statement that inserts so many rows, at most TABLE_VALUES / t->count. */
#define TABLE_VALUES DB_MAX_VALUES
const struct stmt *table_insert(const struct table *t, size_t rows, struct arena *arena);
const struct stmt *table_count(const struct table *t, struct arena *arena);
const struct stmt *table_any(const struct table *t, struct arena *arena);
/* A row as a line of JSON, without its end. */
void row_write(const struct table *t, const struct span *values, struct buffer *out);
/* The other way; values live in the arena. */
int row_read(const struct table *t, struct span line, struct arena *arena, struct db_value *ret_values, struct err *e) WARN_UNUSED;

/* --- objects.c --- */
/* Where an object is, or goes: the store, what is in it as people say it, and the setting that names it. */
struct object_place {
	struct blob_store *store;	/* NULL: there is none here */
	const char *setting, *words;
};
struct object_place object_place(const struct app *app, const char *key);
/* Calls `each` for every object that the stores of this installation have; one twice when two of them are the same place. */
int objects_stored(const struct app *app, blob_each *each, void *context, struct err *e) WARN_UNUSED;
/* Keys of the objects that rows name: calls `each` with each, some twice. */
typedef int object_each(void *context, const char *key, struct err *e);
int objects_named(struct db *db, object_each *each, void *context, struct err *e) WARN_UNUSED;

struct object_line {
	char *key, *sha256;
	int64_t bytes;
};
void object_line_write(const struct object_line *o, struct buffer *out);
int object_line_read(struct span line, struct arena *arena, struct object_line *ret_line, struct err *e) WARN_UNUSED;
/* The object's bytes out of the backup, with the right digest. */
int object_read(const struct backup *b, const struct object_line *o, struct buffer *ret_data, struct err *e) WARN_UNUSED;

/* --- restored.c --- */
struct backup_row;
struct restored {
	const char *manifest_sha256;	/* of the backup whose restore is not finished; NULL: none is */
	struct backup_row *parts;
	size_t count;
};
int restored_read(struct db *db, struct arena *arena, struct restored *ret_restored, struct err *e) WARN_UNUSED;
/* Lines of the part that are rows already. */
int64_t restored_lines(const struct restored *p, const struct part *part);
int restored_begin(struct db *db, const char *manifest_sha256, struct err *e) WARN_UNUSED;
/* In the transaction that inserts the rows. */
int restored_note(struct db *db, const struct part *part, int64_t lines, struct err *e) WARN_UNUSED;
int restored_end(struct db *db, struct err *e) WARN_UNUSED;

/* --- restore.c, resume.c --- */
struct restoring {
	struct backup *backup;
	struct arena arena;
	struct manifest manifest;
	struct table *tables;		/* of this installation, in the order of insertion */
	size_t table_count;
	struct restored restored;
	struct map present;		/* keys of objects that an interrupted restore wrote */
};
/* Calls `each` for the lines of all parts of a table, or (NULL) of all lists of objects. */
int restore_parts(const struct restoring *r, const char *table, part_each *each, void *context, struct err *e) WARN_UNUSED;
/* "this installation is not empty": what it has, and what to do. */
int restore_not_empty(const char *what, struct err *e);
/* That the installation has what the interrupted restore of this very backup left, and nothing else; finds `present`. */
int resume_check(struct restoring *r, struct err *e) WARN_UNUSED;
/* 1 the object is there, with the right bytes; 0 it must be written. */
int resume_object(struct restoring *r, const struct object_line *o, struct err *e) WARN_UNUSED;

#endif
