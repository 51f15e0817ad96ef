/* SPDX-License-Identifier: Apache-2.0 */
/* Makes and upgrades the schema: see migrate/migrate.h. */
#include <stdio.h>
#include <string.h>

#include "base/settings.h"
#include "migrate/migrate.h"

static int run_up(struct migrate *m, struct err *e)
{
	return migrate_up(m, false, e) < 0 ? -1 : 0;
}

static int run_up_with_password(struct migrate *m, struct err *e)
{
	return migrate_up(m, true, e) < 0 ? -1 : 0;
}

static int run_schema(struct migrate *m, struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;

	if (!m->db)
		return err_internal(e, "the database %s does not exist; run pulumi-migrate up", m->config.database);
	if (schema_write(m->db, &text, e) < 0)
		return -1;
	return fputs(text.data, stdout) < 0 ? err_internal(e, "cannot write to standard output") : 0;
}

static const struct {
	const char *name, *option;
	int (*run)(struct migrate *m, struct err *e);	/* 0 all is well, 1 something waits or differs */
	int finding;					/* exit code for 1 */
	const char *help;
} commands[] = {
	{ "up", NULL, run_up, 0, "make the database, apply what waits, make the API's account" },
	{ "up", "--set-password", run_up_with_password, 0, "the same, and give the account its password anew" },
	{ "status", NULL, migrate_status, 3, "say what was applied and what waits" },
	{ "plan", NULL, migrate_plan, 3, "print the statements that up would run" },
	{ "check", NULL, migrate_check, 1, "compare the files, and the tables as they are, with this version" },
	{ "schema", NULL, run_schema, 0, "print the tables as they are" },
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *out)
{
	fputs("usage: pulumi-migrate COMMAND\n", out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-6s %-14s %s\n", commands[i].name, commands[i].option ? commands[i].option : "", commands[i].help);
	fputs("Two at once do no harm: one works, the other waits. One that was killed is run again and goes on where it\n"
	      "stopped. Settings come from the environment and pulumi-api.conf:\n", out);
	settings_help(out, "database,migration");
	fputs("Exit codes: 0 done, 1 failed or (check) something differs, 2 wrong usage, 3 (status, plan) migrations wait.\n", out);
}

static size_t find(int argc, char **argv)
{
	for (size_t i = 0; argc >= 2 && argc <= 3 && i < COMMAND_COUNT; i++) {
		const char *option = argc == 3 ? argv[2] : NULL;

		if (!strcmp(argv[1], commands[i].name) && !option == !commands[i].option &&
		    (!option || !strcmp(option, commands[i].option)))
			return i;
	}
	return COMMAND_COUNT;
}

int main(int argc, char **argv)
{
	struct migrate m = { 0 };
	size_t command = find(argc, argv);
	struct err e = { 0 };
	int rc;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return help(stdout), 0;
	if (command == COMMAND_COUNT)
		return help(stderr), 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	rc = migrate_open(&m, &e);
	if (rc == 1)
		rc = commands[command].run(&m, &e);
	migrate_close(&m);
	if (rc < 0)
		fprintf(stderr, "pulumi-migrate: %s\n", e.detail[0] ? e.detail : e.message);
	return rc < 0 ? 1 : rc ? commands[command].finding : 0;
}
