/* SPDX-License-Identifier: Apache-2.0 */
#include "base/settings.h"

#include <confuse.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const struct {
	const char *name, *fallback, *help;
} settings[] = {
#define SETTING(name, fallback, help) { #name, fallback, help },
#define NEEDLESS(name, why)
#define ABSENT(name, why)
#include "base/settings.def"
#undef SETTING
#undef NEEDLESS
#undef ABSENT
};

/* Of other installations' environments. */
static const struct {
	const char *name, *why;	/* why: NULL when nothing is missing without it */
} strangers[] = {
#define SETTING(name, fallback, help)
#define NEEDLESS(name, why) { #name, NULL },
#define ABSENT(name, why) { #name, why },
#include "base/settings.def"
#undef SETTING
#undef NEEDLESS
#undef ABSENT
};

#define SETTING_COUNT (sizeof(settings) / sizeof(settings[0]))

extern char **environ;

static size_t find(const char *name)
{
	size_t i = 0;

	while (i < SETTING_COUNT && strcmp(settings[i].name, name))
		i++;
	return i;
}

const char *setting(const char *name)
{
	const char *value = getenv(name);
	size_t i = find(name);

	if (i == SETTING_COUNT) {
		fprintf(stderr, "level=fatal msg=\"%s is no setting\"\n", name);
		abort();
	}
	return value && *value ? value : settings[i].fallback;
}

int setting_required(const char *name, const char **ret_value, struct err *e)
{
	const char *value = setting(name);

	if (!value)
		return err_internal(e, "%s is not set (%s)", name, settings[find(name)].help);
	*ret_value = value;
	return 1;
}

int setting_int(const char *name, int64_t low, int64_t high, int64_t *ret_value, struct err *e)
{
	const char *text = setting(name);
	char *end = NULL;
	long long value;

	errno = 0;
	value = text ? strtoll(text, &end, 10) : 0;
	if (!text || errno || *end || !isdigit((unsigned char)*text) || value < low || value > high)
		return err_internal(e, "%s: '%s' must be a whole number from %lld to %lld", name, text ? text : "",
				    (long long)low, (long long)high);
	*ret_value = value;
	return 1;
}

int setting_bool(const char *name, bool *ret_value, struct err *e)
{
	const char *text = setting(name);
	bool yes = text && (!strcasecmp(text, "true") || !strcmp(text, "1"));

	if (!yes && text && strcasecmp(text, "false") && strcmp(text, "0"))
		return err_internal(e, "%s: '%s' must be true or false", name, text);
	*ret_value = yes;
	return 1;
}

/* Whether it is a name of other installations; what is missed by that is said. */
static bool report_stranger(const char *name)
{
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++) {
		if (strcmp(strangers[i].name, name))
			continue;
		if (strangers[i].why)
			fprintf(stderr, "level=warning msg=\"setting without effect\" name=%s why=\"%s\"\n", name, strangers[i].why);
		return true;
	}
	return false;
}

static void report(const char *name)
{
	if (report_stranger(name) || strncmp(name, "PULUMI_", 7) || find(name) < SETTING_COUNT)
		return;
	if (strcmp(name, "PULUMI_API_CONFIG") && strcmp(name, "PULUMI_FAULT_POINT"))
		fprintf(stderr, "level=warning msg=\"unknown setting\" name=%s\n", name);
}

static void report_unknown(void)
{
	for (char **each = environ; *each; each++) {
		char name[128];
		size_t n = strcspn(*each, "=");

		if (n >= sizeof(name) || !(*each)[n] || !(*each)[n + 1])
			continue;
		memcpy(name, *each, n);
		name[n] = '\0';
		report(name);
	}
}

static void lower(const char *name, char *ret_name)
{
	do
		*ret_name++ = (char)tolower((unsigned char)*name);
	while (*name++);
}

static int parse_file(const char *path, cfg_t *file, struct err *e)
{
	int rc = cfg_parse(file, path);

	if (rc == CFG_SUCCESS)
		return 1;
	return err_internal(e, "%s: %s", path, rc == CFG_FILE_ERROR ? strerror(errno) : "the line printed above is wrong");
}

static void release_file(cfg_t **file)
{
	cfg_free(*file);
}

static int read_file(const char *path, struct err *e)
{
	char names[SETTING_COUNT][64];
	cfg_opt_t options[SETTING_COUNT + 1];
	cfg_t *file __attribute__((cleanup(release_file))) = NULL;

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		lower(settings[i].name, names[i]);
		options[i] = (cfg_opt_t)CFG_STR(names[i], NULL, CFGF_NONE);
	}
	options[SETTING_COUNT] = (cfg_opt_t)CFG_END();
	file = cfg_init(options, CFGF_NONE);
	if (parse_file(path, file, e) < 0)
		return -1;
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (cfg_getstr(file, names[i]))
			setenv(settings[i].name, cfg_getstr(file, names[i]), 0);
	return 1;
}

int settings_load(struct err *e)
{
	const char *named = getenv("PULUMI_API_CONFIG");
	const char *path = named && *named ? named : PKG_SYSCONFDIR "/pulumi-api.conf";

	report_unknown();
	if (path != named && access(path, R_OK) < 0)
		return 1;
	return read_file(path, e);
}

static bool in_groups(const char *help, const char *groups)
{
	size_t n = strcspn(help, ":");

	for (const char *at = groups; at && *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == n && !strncmp(at, help, n))
			return true;
	return !groups;
}

void settings_help(FILE *out, const char *groups)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (in_groups(settings[i].help, groups))
			fprintf(out, "  %-30s %s%s%s%s\n", settings[i].name, settings[i].help,
				settings[i].fallback && *settings[i].fallback ? " (default " : "",
				settings[i].fallback && *settings[i].fallback ? settings[i].fallback : "",
				settings[i].fallback && *settings[i].fallback ? ")" : "");
}

void settings_text(struct buffer *out)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (setting(settings[i].name))
			buffer_printf(out, "%s=%s\n", settings[i].name, setting(settings[i].name));
}
