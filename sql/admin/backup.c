/* SPDX-License-Identifier: Apache-2.0 */
/* A whole installation into a folder, and back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin.h"
#include "backup/backup.h"
#include "base/settings.h"
#include "claim/claim.h"

struct report {
	const char *folder, *sha256, *audit_table;
	int64_t rows, objects, bytes, missing;
};

static const struct field report_fields[] = {
	FIELD(report, folder, "folder", FIELD_TEXT),
	FIELD(report, rows, "rows", FIELD_INT),
	FIELD(report, objects, "objects", FIELD_INT),
	FIELD(report, bytes, "objectBytes", FIELD_INT),
	FIELD(report, missing, "missingObjects", FIELD_INT),
	FIELD(report, sha256, "manifestSha256", FIELD_TEXT),
	FIELD(report, audit_table, "auditTable", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

struct work {
	struct admin *admin;
	struct progress progress;
};

static void seen(void *context, const char *what, int64_t more)
{
	struct work *w = context;

	if (!w->progress.what || strcmp(w->progress.what, what))
		progress_begin(w->admin, &w->progress, what, 0);
	progress_add(w->admin, &w->progress, more);
}

static void lost(void *context, const char *key)
{
	(void)context;
	fprintf(stderr, "pulumi-admin: the object %s is missing; pulumi-admin verify says whose it is\n", key);
}

static void tell(const struct admin *a, const struct backup *b, const char *what)
{
	const struct backup_counts *c = &b->counts;
	struct report r = { b->folder, b->digest, b->audit_table, c->rows, c->objects, c->bytes, c->missing };

	if (a->json)
		admin_show(a, report_fields, &r);
	admin_say(a, "%s %s: %lld rows, %lld objects of %lld bytes", what, b->folder, (long long)c->rows, (long long)c->objects,
		  (long long)c->bytes);
	if (b->digest[0])
		admin_say(a, "SHA-256 of its manifest: %s", b->digest);
	if (b->audit_table[0])
		admin_say(a, "The audit log is in the DynamoDB table %s: what is there is not in the backup, and needs one of its own",
			  b->audit_table);
	if (c->missing)
		admin_say(a, "%lld objects were missing and are not in it", (long long)c->missing);
}

/* Nobody deletes objects while they are copied. */
static int with_claim(struct admin *a, struct backup *b, const char *what, int (*work)(struct admin *a, struct backup *b, struct err *e),
		      struct err *e)
{
	struct claim claim = { 0 };
	int rc = claim_wait(a->app.db, CLAIM_OBJECTS, what, &claim, e);

	if (rc == 1)
		rc = claim_keep(db_config_of(a->app.db), &claim, e);
	if (rc == 1)
		rc = work(a, b, e);
	claim_release(a->app.db, &claim);
	return rc;
}

static int write(struct admin *a, struct backup *b, struct err *e)
{
	(void)a;
	return backup_write(b, e);
}

static int restore(struct admin *a, struct backup *b, struct err *e)
{
	return backup_restore(b, a->dry_run, e);
}

static struct backup open_backup(struct admin *a, struct work *w, const char *option)
{
	*w = (struct work){ .admin = a };
	return (struct backup){ .app = &a->app, .folder = admin_option(a, option), .seen = seen, .lost = lost, .context = w };
}

int admin_backup(struct admin *a, struct err *e)
{
	const char *audit_table = setting("PULUMI_AUDIT_LOGS_DYNAMO_TABLE");
	struct work w;
	struct backup b = open_backup(a, &w, "--to");

	snprintf(b.audit_table, sizeof(b.audit_table), "%s", audit_table ? audit_table : "");
	if (with_claim(a, &b, "pulumi-admin backup", write, e) < 0)
		return -1;
	tell(a, &b, "wrote");
	return b.counts.missing == 0;
}

int admin_restore(struct admin *a, struct err *e)
{
	struct work w;
	struct backup b = open_backup(a, &w, "--from");

	if (admin_open_keys(a, e) < 0 || with_claim(a, &b, "pulumi-admin restore", restore, e) < 0)
		return -1;
	tell(a, &b, b.resumed ? "went on where it was interrupted, and restored" : "restored");
	admin_say(a, "Start the server; pulumi-admin verify checks all of it.");
	return 1;
}

int admin_backup_check(struct admin *a, struct err *e)
{
	struct work w;
	struct backup b = open_backup(a, &w, "--from");

	if (backup_check(&b, e) < 0)
		return -1;
	tell(a, &b, "checked");
	return 1;
}
