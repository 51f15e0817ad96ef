/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a restore got: rows of restore_progress, each changed in the transaction of the rows that it counts. The
 * row of manifest.json is there from the first write to the last: as long, nothing is served and this can go on.
 */
#include "backup/backup_sql.h"
#include "backup/internal.h"

#define WHOLE "manifest.json"

int restored_read(struct db *db, struct arena *arena, struct restored *ret_restored, struct err *e)
{
	struct restored p = { 0 };

	if (db_all(db, &BACKUP_PROGRESS, DB_NONE, backup_progress_columns, sizeof(*p.parts), arena, (void **)&p.parts, &p.count, e) < 0)
		return -1;
	for (size_t i = 0; i < p.count; i++)
		if (!strcmp(p.parts[i].name, WHOLE))
			p.manifest_sha256 = p.parts[i].checksum;
	*ret_restored = p;
	return 1;
}

int64_t restored_lines(const struct restored *p, const struct part *part)
{
	for (size_t i = 0; i < p->count; i++)
		if (!strcmp(p->parts[i].name, part->file))
			return p->parts[i].lines;
	return 0;
}

int restored_begin(struct db *db, const char *manifest_sha256, struct err *e)
{
	return restored_note(db, &(struct part){ .file = WHOLE, .sha256 = manifest_sha256 }, 0, e);
}

int restored_note(struct db *db, const struct part *part, int64_t lines, struct err *e)
{
	return db_exec(db, &BACKUP_PROGRESS_NOTE, DB_VALUES(db_text(part->file), db_text(part->sha256), db_int(lines)), NULL, e);
}

int restored_end(struct db *db, struct err *e)
{
	return db_exec(db, &BACKUP_PROGRESS_END, DB_NONE, NULL, e);
}
