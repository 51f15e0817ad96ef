/* SPDX-License-Identifier: Apache-2.0 */
/* The administrator's tool: see admin/admin.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/admin.h"
#include "base/settings.h"
#include "start/start.h"

#define STACK { "--stack", "ORG/PROJECT/STACK", "which stack", true }
#define ORGANIZATION { "--organization", "ORG", "which organization", true }
#define LOGIN { "--login", "NAME", "name of the user", true }

static const struct command commands[] = {
	{ "user create", "Makes a user with an organization of the same name.", START_DATABASE, true, admin_user_create,
	  { LOGIN, { "--email", "ADDRESS", "must be unique", true }, { "--name", "TEXT", "for people; the login when not given", false },
	    { "--site-admin", NULL, "administers the installation", false },
	    { "--password-stdin", NULL, "read a password from standard input; without one only tokens let the user in", false } } },
	{ "user list", "Lists the users.", START_DATABASE, false, admin_user_list, { { 0 } } },
	{ "user delete", "Deletes a user, its tokens and memberships, and its own organization when that has no stacks.", START_DATABASE,
	  true, admin_user_delete, { LOGIN } },
	{ "user password", "Sets or removes the password of a user. Tokens stay good.", START_DATABASE, true, admin_user_password,
	  { LOGIN, { "--password-stdin", NULL, "read it from standard input", false }, { "--remove", NULL, "the user has none", false } } },
	{ "user admin", "Lets a user administer the installation, or no longer.", START_DATABASE, true, admin_user_admin,
	  { LOGIN, { "--off", NULL, "no longer", false } } },
	{ "org create", "Makes an organization.", START_DATABASE, true, admin_org_create,
	  { { "--login", "ORG", "its name in addresses", true }, { "--owner", "USER", "its first administrator", true },
	    { "--name", "TEXT", "for people; the login when not given", false } } },
	{ "org list", "Lists the organizations.", START_DATABASE, false, admin_org_list, { { 0 } } },
	{ "org members", "Lists who belongs to an organization.", START_DATABASE, false, admin_org_members, { ORGANIZATION } },
	{ "org add-member", "Adds a user to an organization, or gives a member another role.", START_DATABASE, true, admin_org_add_member,
	  { ORGANIZATION, { "--user", "USER", "whom", true }, { "--role", "ROLE", "admin, or member when not given", false } } },
	{ "org remove-member", "Takes a user out of an organization.", START_DATABASE, true, admin_org_remove_member,
	  { ORGANIZATION, { "--user", "USER", "whom", true } } },
	{ "token create", "Makes an access token and prints it: nobody can read it again.", START_DATABASE, true, admin_token_create,
	  { { "--user", "USER", "whose", true }, { "--description", "TEXT", "what it is for", true },
	    { "--days", "N", "until it expires; never when not given", false } } },
	{ "token list", "Lists access tokens, without their values.", START_DATABASE, false, admin_token_list,
	  { { "--user", "USER", "only of this user", false } } },
	{ "token revoke", "Ends an access token, or all of a user.", START_DATABASE, true, admin_token_revoke,
	  { { "--id", "ID", "of one token", false }, { "--all-of", "USER", "all tokens of this user", false } } },
	{ "stack list", "Lists stacks.", START_DATABASE, false, admin_stack_list,
	  { { "--organization", "ORG", "only of this organization", false }, { "--deleted", NULL, "those that can be restored", false } } },
	{ "stack show", "Shows a stack and what runs on it.", START_DATABASE, false, admin_stack_show, { STACK } },
	{ "stack delete", "Deletes a stack; it can be restored until a job ends it.", START_DATABASE, true, admin_stack_delete,
	  { STACK, { "--force", NULL, "although it has resources", false } } },
	{ "stack restore", "Brings a deleted stack back.", START_DATABASE, true, admin_stack_restore,
	  { { "--id", "ID", "as stack list --deleted shows it", true } } },
	{ "stack unlock", "Cancels the update that holds a stack. What it had saved becomes the stack's state.",
	  START_DATABASE | START_OBJECTS, true, admin_stack_unlock, { STACK } },
	{ "key status", "Lists the master keys and how many stacks each is needed for.",
	  START_DATABASE | START_OBJECTS | START_KEYS, false, admin_key_status, { { 0 } } },
	{ "key rotate",
	  "Seals the data keys of all stacks again with the newest master key. Put the new key's file beside the old one on every\n"
	  "host first; remove the old one when key status says that no stack needs it. The server may run.",
	  START_DATABASE | START_OBJECTS | START_KEYS, true, admin_key_rotate, { { 0 } } },
	{ "key move",
	  "Moves the data keys of all stacks to the place that seals now: files, AWS KMS or Azure Key Vault. The same as key rotate.\n"
	  "Each host must know both places first: one seals, the other stands in PULUMI_OTHER_KEYS. Interrupted, it is run again;\n"
	  "key status says how far it is and when the old place is no longer needed. The server may run.",
	  START_DATABASE | START_OBJECTS | START_KEYS, true, admin_key_rotate, { { 0 } } },
	{ "key forget",
	  "Gives up a master key that is lost for good, so that the server starts without it. What it sealed is lost, too.",
	  START_DATABASE, true, admin_key_forget,
	  { { "--id", "ID", "as the server named it when it did not start", true },
	    { "--accept-loss", NULL, "needed: the secrets cannot be brought back", false } } },
	{ "mail list", "Lists mails, newest first, at most 1000.", START_DATABASE, false, admin_mail_list,
	  { { "--state", "STATE", "only waiting, sent or failed ones", false } } },
	{ "mail show", "Shows a mail, but not its text, which may hold a link that signs somebody in.", START_DATABASE, false,
	  admin_mail_show, { { "--id", "ID", "as mail list shows it", true } } },
	{ "mail retry", "Sends again what failed, or at once what waits: for another three days.", START_DATABASE, true, admin_mail_retry,
	  { { "--id", "ID", "as mail list shows it", false }, { "--all-failed", NULL, "all mails that failed", false } } },
	{ "mail drop", "Forgets a mail; one that waits is not sent any more.", START_DATABASE, true, admin_mail_drop,
	  { { "--id", "ID", "as mail list shows it", false }, { "--all-failed", NULL, "all mails that failed", false } } },
	{ "mail test", "Sends a mail at once, without queue and database, and says what the mail server answered.", 0, false,
	  admin_mail_test, { { "--to", "ADDRESS", "who gets it", true } } },
	{ "audit fetch",
	  "Copies the audit log out of the DynamoDB table that PULUMI_AUDIT_LOGS_DYNAMO_TABLE names into the database, for an\n"
	  "installation that goes back: unset the variable on all hosts first, and set it for this command alone. Can be repeated.",
	  START_DATABASE | START_AUDIT, true, admin_audit_fetch, { { 0 } } },
	{ "backup check", "Reads a whole backup and compares it with the digests in its manifest.", 0, false, admin_backup_check,
	  { { "--from", "FOLDER", "that backup made", true } } },
	{ "backup", "Writes everything but the master keys into a new folder, as it is at one moment. The server may run.",
	  START_DATABASE | START_OBJECTS, false, admin_backup, { { "--to", "FOLDER", "new or empty", true } } },
	{ "restore",
	  "Puts a backup into an installation that has the schema (pulumi-migrate up), the master keys and nothing else.\n"
	  "Checks everything before it writes anything. If it is interrupted, run it again: it goes on where it stopped.",
	  START_DATABASE | START_OBJECTS | START_UNFINISHED, true, admin_restore, { { "--from", "FOLDER", "that backup made", true } } },
	{ "objects copy",
	  "Copies all objects from one place to another, each a folder, s3://… or azblob://…. The server may run. What is there already is\n"
	  "passed over: interrupted, it is run again. Every object is compared with the SHA-256 in its name, and read back.",
	  0, true, admin_objects_copy,
	  { { "--from", "PLACE", "where the objects are", true }, { "--to", "PLACE", "where they go", true },
	    { "--compare", NULL, "read those that are there too, and replace what differs", false } } },
	{ "check",
	  "Tries every part that the settings of this host name, and prints a row for each: database, object stores, keys, audit log, certificate,\n"
	  "licence key. Exit code 1 when one does not work.", 0, false, admin_check, { { 0 } } },
	{ "verify",
	  "Walks all rows and objects and says what does not fit: checkpoints, journals, keys, relations. Reads every object once.\n"
	  "The server may run; the jobs that delete objects wait.", START_ALL, false, admin_verify, { { 0 } } },
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static void help(FILE *out)
{
	fputs("usage: pulumi-admin COMMAND [OPTIONS]\n", out);
	admin_summary(out, commands, COMMAND_COUNT, NULL);
	fputs("Every command takes --help and --json, those that change something --dry-run. Settings come from the\n"
	      "environment and pulumi-api.conf, as for the server:\n", out);
	settings_help(out, "database,objects,keys,audit,mail");
	fputs("Exit codes: 0 done, 1 failed, or (check, verify) something is wrong, 2 wrong usage.\n", out);
}

/* A command's name is one word or two: in the table the longer one comes first. */
static const struct command *find(int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const char *space = strchr(commands[i].name, ' ');
		size_t first = space ? (size_t)(space - commands[i].name) : strlen(commands[i].name);

		if (argc < 2 || strlen(argv[1]) != first || strncmp(argv[1], commands[i].name, first) ||
		    (space && (argc < 3 || strcmp(argv[2], space + 1))))
			continue;
		*ret_words = space ? 2 : 1;
		return &commands[i];
	}
	return NULL;
}

/* "user" alone, or with --help: what there is. */
static bool is_group(int argc, char **argv)
{
	if (argc < 2 || (argc >= 3 && strcmp(argv[2], "--help")))
		return false;
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (admin_is_below(&commands[i], argv[1]))
			return true;
	return false;
}

static int group(int argc, char **argv)
{
	FILE *out = argc >= 3 ? stdout : stderr;

	fprintf(out, "usage: pulumi-admin %s COMMAND [OPTIONS]\n", argv[1]);
	admin_summary(out, commands, COMMAND_COUNT, argv[1]);
	fprintf(out, "Each command has --help; pulumi-admin --help lists all commands and the settings.\n");
	return argc >= 3 ? 0 : 2;
}

static int unknown(int argc, char **argv)
{
	if (is_group(argc, argv))
		return group(argc, argv);
	if (argc >= 2)
		fprintf(stderr, "pulumi-admin: '%s%s%s' is no command; see pulumi-admin --help\n", argv[1],
			argc >= 3 && argv[2][0] != '-' ? " " : "", argc >= 3 && argv[2][0] != '-' ? argv[2] : "");
	else
		help(stderr);
	return 2;
}

/* What the API says starts with the words of its status. */
static const char *sentence(const struct err *e)
{
	static const char *const statuses[] = { "Bad Request: ", "Not Found: ", "Conflict: ", "Forbidden: " };

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (!strncmp(e->message, statuses[i], strlen(statuses[i])))
			return e->message + strlen(statuses[i]);
	return e->detail[0] ? e->detail : e->message;
}

static int run(struct admin *a, struct err *e)
{
	int rc = start_open(&a->app, a->command->parts, &a->arena, e);

	if (rc == 1)
		rc = a->command->run(a, e);
	if (rc >= 0 && fflush(stdout) < 0)
		rc = err_internal(e, "cannot write to standard output");
	return rc;
}

int main(int argc, char **argv)
{
	struct admin a = { 0 };
	struct err e = { 0 };
	int words, rc;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		return help(stdout), 0;
	a.command = find(argc, argv, &words);
	if (!a.command)
		return unknown(argc, argv);
	if (admin_arguments(&a, argc - 1 - words, argv + 1 + words, &e) < 0) {
		fprintf(stderr, "pulumi-admin: %s\n", e.message);
		return 2;
	}
	if (a.help)
		return admin_help(stdout, a.command), 0;
	rc = run(&a, &e);
	if (rc < 0)
		fprintf(stderr, "pulumi-admin: %s\n", sentence(&e));
	start_close(&a.app);
	arena_clear(&a.arena);
	return rc != 1;
}
