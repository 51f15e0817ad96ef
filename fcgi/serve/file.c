/* SPDX-License-Identifier: Apache-2.0 */
#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"

static bool is_there(const char *path, struct span text)
{
	_cleanup_(freep) char *old = xmalloc(text.length + 1);
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(old, 1, text.length + 1, f) : 0;

	if (f)
		fclose(f);
	return f && n == text.length && !memcmp(old, text.data, n);
}

int serve_file_replace(const char *path, struct span text, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *new_file = arena_printf(&arena, "%s.new", path);
	FILE *f;
	bool written;

	if (is_there(path, text))
		return 0;
	f = fopen(new_file, "we");
	if (!f)
		return err_set(e, ERR_INTERNAL, "PULUMI_RUN_DIR: cannot write %s: %s", new_file, strerror(errno));
	written = fwrite(text.data, 1, text.length, f) == text.length;
	if (fclose(f) != 0 || !written || rename(new_file, path) < 0)
		return err_set(e, ERR_INTERNAL, "PULUMI_RUN_DIR: cannot write %s: %s", path, strerror(errno));
	return 1;
}
