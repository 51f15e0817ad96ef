/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "net/aws_keys.h"

struct section {
	const char *kind;	/* "profile", which may be left out, or "sso-session" */
	const char *name;
};

/* "[name]", or "[profile name]" as the config file has it. */
static bool is_section(const char *line, const struct section *section)
{
	size_t kind = strlen(section->kind), n = strlen(section->name);

	line += strspn(line, "[ \t");
	if (!strncmp(line, section->kind, kind) && strspn(line + kind, " \t"))
		line += kind + strspn(line + kind, " \t");
	else if (strcmp(section->kind, "profile"))
		return false;
	return !strncmp(line, section->name, n) && line[n + strspn(line + n, " \t")] == ']';
}

/* What stands behind the '=', without the blanks around it and a remark after it. */
static const char *value_of(const char *text, struct arena *arena)
{
	size_t n = strcspn(text, "\r\n");

	for (size_t i = 1; i < n; i++)
		if ((text[i] == '#' || text[i] == ';') && strchr(" \t", text[i - 1]))
			n = i;
	while (n && strchr(" \t", text[n - 1]))
		n--;
	return arena_strndup(arena, text, n);
}

/* An indented line belongs to the one above it: it is no setting of the profile. */
static const char *value_in_line(const char *line, const char *key, struct arena *arena)
{
	const char *equals = strchr(line, '=');
	size_t n = strlen(key);

	if (!equals || strncmp(line, key, n) || line + n + strspn(line + n, " \t") != equals)
		return NULL;
	return value_of(equals + 1 + strspn(equals + 1, " \t"), arena);
}

static const char *value_in(const char *file, const struct section *section, const char *key, struct arena *arena)
{
	FILE *f = file ? fopen(file, "re") : NULL;
	char line[8192];
	const char *value = NULL;
	bool inside = false;

	while (f && !value && fgets(line, sizeof(line), f)) {
		if (*line == '[')
			inside = is_section(line, section);
		else if (inside)
			value = value_in_line(line, key, arena);
	}
	if (f)
		fclose(f);
	return value && *value ? value : NULL;
}

static const char *path_of(const char *variable, const char *name, struct arena *arena)
{
	const char *path = aws_environment(variable), *home = aws_environment("HOME");

	return path ? path : home ? arena_printf(arena, "%s/.aws/%s", home, name) : NULL;
}

static const char *find(const struct section *section, const char *key, struct arena *arena)
{
	const char *value = value_in(path_of("AWS_SHARED_CREDENTIALS_FILE", "credentials", arena), section, key, arena);

	return value ? value : value_in(path_of("AWS_CONFIG_FILE", "config", arena), section, key, arena);
}

const char *aws_profile_value(const char *profile, const char *key, struct arena *arena)
{
	return find(&(struct section){ "profile", profile }, key, arena);
}

const char *aws_session_value(const char *session, const char *key, struct arena *arena)
{
	return find(&(struct section){ "sso-session", session }, key, arena);
}
