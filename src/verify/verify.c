/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/verify.h"

#include <stdio.h>

#include "verify/internal.h"

void verify_problem(struct verify *v, const char *where, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	v->counts.problems++;
	v->found(v->context, where, text);
}

int verify_blame(struct verify *v, const char *where, const struct err *why, struct err *e)
{
	if (why->kind == ERR_UNAVAILABLE || why->kind == ERR_RETRY) {
		*e = *why;
		return -1;
	}
	verify_problem(v, where, "%s", why->detail[0] ? why->detail : why->message);
	return 1;
}

int verify_pages(struct verify *v, const struct stmt *s, const struct db_column *columns, verify_each *each, struct err *e)
{
	char after[UUID_TEXT] = "";
	size_t count;

	do {
		_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
		struct verify_row *rows;

		if (db_all(v->app->db, s, DB_VALUES(db_text(after)), columns, sizeof(*rows), &arena, (void **)&rows, &count, e) < 0)
			return -1;
		for (size_t i = 0; i < count; i++)
			if (each(v, &rows[i], e) < 0)
				return -1;
		if (count)
			snprintf(after, sizeof(after), "%s", rows[count - 1].id);
	} while (count);
	return 1;
}

int verify_installation(struct verify *v, struct err *e)
{
	v->counts = (struct verify_counts){ 0 };
	if (verify_rows(v, e) < 0 || verify_keys(v, e) < 0 || verify_running(v, e) < 0 || verify_batches(v, e) < 0 ||
	    verify_configurations(v, e) < 0 || verify_policies(v, e) < 0 || verify_packs(v, e) < 0 || verify_audit(v, e) < 0)
		return -1;
	return verify_stacks(v, e);
}
