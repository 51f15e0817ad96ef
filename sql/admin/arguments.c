/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "crypto/aead.h"

static int usage(struct err *e, const struct command *c, const char *what, const char *which)
{
	return err_set(e, ERR_BAD_REQUEST, "%s %s; see pulumi-admin %s --help", which, what, c->name);
}

static const struct option_spec *find(const struct command *c, const char *text, size_t length)
{
	for (const struct option_spec *o = c->options; o->name; o++)
		if (strlen(o->name) == length && !strncmp(o->name, text, length))
			return o;
	return NULL;
}

static bool take_common(struct admin *a, const char *text)
{
	if (!strcmp(text, "--json"))
		return a->json = true;
	if (!strcmp(text, "--help"))
		return a->help = true;
	if (!strcmp(text, "--dry-run") && a->command->changes)
		return a->dry_run = true;
	return false;
}

/* --name value and --name=value. */
static int take(struct admin *a, int argc, char **argv, int *i, struct err *e)
{
	const char *text = argv[*i], *equals = strchr(text, '=');
	const struct option_spec *o = find(a->command, text, equals ? (size_t)(equals - text) : strlen(text));
	const char *value = equals ? equals + 1 : "";

	if (!o)
		return usage(e, a->command, "is no option here", text);
	if (!o->value && equals)
		return usage(e, a->command, "takes no value", o->name);
	if (o->value && !equals) {
		if (*i + 1 >= argc)
			return usage(e, a->command, "needs a value", o->name);
		value = argv[++*i];
	}
	if (o->value && !*value)
		return usage(e, a->command, "needs a value that is not empty", o->name);
	a->values[o - a->command->options] = value;
	return 1;
}

int admin_arguments(struct admin *a, int argc, char **argv, struct err *e)
{
	for (int i = 0; i < argc; i++)
		if (!take_common(a, argv[i]) && take(a, argc, argv, &i, e) < 0)
			return -1;
	for (size_t i = 0; a->command->options[i].name && !a->help; i++)
		if (a->command->options[i].required && !a->values[i])
			return usage(e, a->command, "is missing", a->command->options[i].name);
	return 1;
}

const char *admin_option(const struct admin *a, const char *name)
{
	const struct option_spec *o = find(a->command, name, strlen(name));

	return o ? a->values[o - a->command->options] : NULL;
}

int admin_number(const struct admin *a, const char *name, int64_t low, int64_t high, int64_t fallback, int64_t *ret_number,
		 struct err *e)
{
	const char *text = admin_option(a, name);
	char *end = NULL;
	long long value;

	*ret_number = fallback;
	if (!text)
		return 1;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || *end || !isdigit((unsigned char)*text) || value < low || value > high)
		return err_set(e, ERR_BAD_REQUEST, "%s: '%s' must be a whole number from %lld to %lld", name, text, (long long)low,
			       (long long)high);
	*ret_number = value;
	return 1;
}

int admin_read_password(struct buffer *ret_password, struct err *e)
{
	char line[512];
	size_t n;

	if (!fgets(line, sizeof(line), stdin))
		return err_set(e, ERR_BAD_REQUEST, "--password-stdin: standard input has no line");
	n = strcspn(line, "\r\n");
	buffer_append(ret_password, line, n);
	wipe(line, sizeof(line));
	if (n < 10 || n > 160)
		return err_set(e, ERR_BAD_REQUEST, "--password-stdin: the password must have 10 to 160 characters, not %zu", n);
	return 1;
}

void admin_help(FILE *out, const struct command *c)
{
	fprintf(out, "usage: pulumi-admin %s", c->name);
	for (const struct option_spec *o = c->options; o->name; o++)
		fprintf(out, " %s%s%s%s%s", o->required ? "" : "[", o->name, o->value ? " " : "", o->value ? o->value : "",
			o->required ? "" : "]");
	fprintf(out, "%s [--json]\n%s\n", c->changes ? " [--dry-run]" : "", c->help);
	for (const struct option_spec *o = c->options; o->name; o++)
		fprintf(out, "  %-16s %-12s %s\n", o->name, o->value ? o->value : "", o->help);
	if (c->changes)
		fprintf(out, "  %-16s %-12s say what would be done, and change nothing\n", "--dry-run", "");
	fprintf(out, "  %-16s %-12s print JSON\n", "--json", "");
}

bool admin_is_below(const struct command *c, const char *word)
{
	size_t n = strlen(word);

	return !strncmp(c->name, word, n) && c->name[n] == ' ';
}

void admin_summary(FILE *out, const struct command *commands, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (!word || admin_is_below(&commands[i], word))
			fprintf(out, "  %-18s %.*s\n", commands[i].name, (int)strcspn(commands[i].help, "\n"), commands[i].help);
}
