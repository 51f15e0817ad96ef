/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What TiDB does not take of the migrations, whose text must stay what it is: installations have recorded its digest.
 * It knows no collation of ASCII that ignores case, and in a change of a table no key on a column that the same change adds.
 */
#include <string.h>

#include "migrate.h"

#define NEXT_CLAUSE ",\n  ADD "

/* Names are checked to be ASCII before they get here: both collations compare those alike. */
static const char *const replaced[][2] = {
	{ "CHARACTER SET ascii COLLATE ascii_general_ci", "CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci" },
};

const char *dialect_text(const struct db *db, const char *text, struct arena *arena)
{
	for (size_t i = 0; db_is_tidb(db) && i < sizeof(replaced) / sizeof(replaced[0]); i++) {
		_cleanup_(buffer_done) struct buffer out = BUFFER_INIT;
		const char *found, *at = text;

		for (; (found = strstr(at, replaced[i][0])); at = found + strlen(replaced[i][0])) {
			buffer_append(&out, at, (size_t)(found - at));
			buffer_puts(&out, replaced[i][1]);
		}
		buffer_puts(&out, at);
		text = arena_strndup(arena, out.data, out.length);
	}
	return text;
}

/* Where the clauses of a change begin that has more than one, and its length up to there; NULL for any other statement. */
static const char *find_clauses(const char *statement, size_t *ret_head)
{
	const char *alter = strstr(statement, "ALTER TABLE "), *first = alter ? strstr(alter, "\n  ADD ") : NULL;

	if (!first || !strstr(first, NEXT_CLAUSE))
		return NULL;
	*ret_head = (size_t)(first - statement) + strlen("\n  ADD ");
	return statement + *ret_head;
}

void dialect_statements(const struct db *db, const char *statement, struct arena *arena, struct dialect_list *ret_list)
{
	const char *clause, *text = dialect_text(db, statement, arena);
	size_t head;

	*ret_list = (struct dialect_list){ { text }, 1 };
	clause = db_is_tidb(db) ? find_clauses(text, &head) : NULL;
	if (!clause)
		return;
	for (ret_list->count = 0; clause && ret_list->count < DIALECT_MOST;) {
		const char *next = ret_list->count + 1 < DIALECT_MOST ? strstr(clause, NEXT_CLAUSE) : NULL;
		int length = next ? (int)(next - clause) : (int)strlen(clause);

		ret_list->items[ret_list->count++] = arena_printf(arena, "%.*s%.*s", (int)head, text, length, clause);
		clause = next ? next + strlen(NEXT_CLAUSE) : NULL;
	}
}
