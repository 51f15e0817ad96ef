/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "migrate.h"

static void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

static int read_file(const char *path, struct buffer *ret_text, struct err *e)
{
	_cleanup_(close_file) FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return err_internal(e, "PULUMI_MIGRATIONS_DIR: cannot read %s: %s", path, strerror(errno));
	do {
		n = fread(buffer_reserve(ret_text, 65536), 1, 65536, f);
		ret_text->length += n;
		ret_text->data[ret_text->length] = '\0';
	} while (n > 0);
	return ferror(f) ? err_internal(e, "PULUMI_MIGRATIONS_DIR: cannot read %s", path) : 1;
}

/* A semicolon at the end of a line ends a statement; comments belong to the statement that follows. */
static size_t statement_length(const char *text)
{
	const char *end = text;

	while ((end = strchr(end, ';'))) {
		if (end[1] == '\n' || end[1] == '\0')
			return (size_t)(end - text);
		end++;
	}
	return 0;
}

static void split(struct migration *m, struct arena *arena, const char *text)
{
	size_t n, room = 0;

	for (const char *at = text; statement_length(at); at += statement_length(at) + 1)
		room++;
	m->statements = arena_alloc(arena, room * sizeof(*m->statements));
	while ((n = statement_length(text))) {
		size_t blank = strspn(text, "\r\n\t ");

		m->statements[m->count++] = arena_strndup(arena, text + blank, n - blank);
		text += n + 1;
	}
}

static int read_migration(const char *folder, const char *name, struct arena *arena, struct migration *ret_migration,
			  struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	unsigned char digest[SHA256_BYTES];
	char checksum[2 * SHA256_BYTES + 1];
	struct migration m = { 0 };

	if (read_file(arena_printf(arena, "%s/%s", folder, name), &text, e) < 0)
		return -1;
	sha256(buffer_span(&text), digest);
	hex_encode(digest, sizeof(digest), checksum);
	m.name = arena_strdup(arena, name);
	m.checksum = arena_strdup(arena, checksum);
	split(&m, arena, text.data);
	*ret_migration = m;
	return 1;
}

static int is_migration(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 9 && strspn(d->d_name, "0123456789") == 4 && d->d_name[4] == '-' && !strcmp(d->d_name + n - 4, ".sql");
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int migrations_read(const char *folder, struct arena *arena, struct migration **ret_list, size_t *ret_count, struct err *e)
{
	struct dirent **files;
	struct migration *list;
	int n = scandir(folder, &files, is_migration, by_name), rc = 1;

	if (n <= 0)
		return err_internal(e, "PULUMI_MIGRATIONS_DIR: no migrations in %s%s%s", folder, n < 0 ? ": " : "",
				    n < 0 ? strerror(errno) : "");
	list = arena_alloc(arena, (size_t)n * sizeof(*list));
	for (int i = 0; i < n; i++) {
		if (rc == 1)
			rc = read_migration(folder, files[i]->d_name, arena, &list[i], e);
		free(files[i]);
	}
	free(files);
	*ret_list = list;
	*ret_count = (size_t)n;
	return rc;
}
