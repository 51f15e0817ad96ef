/* SPDX-License-Identifier: Apache-2.0 */
/* Whether this host can work: tries every part that settings name. A new part is a function and a row of the table. */
#include <stdio.h>
#include <string.h>

#include "../../fcgi/serve/tls.h"
#include "admin.h"
#include "admin_sql.h"
#include "audit/audit.h"
#include "base/settings.h"
#include "claim/claim.h"
#include "expiry.h"
#include "org/licence.h"
#include "secret/secret.h"
#include "start/start.h"
#include "start/stores.h"

#define NO_REFERENCED_ROW ": 1452 "

/* What is told of a part: whether it works, what does not, and what else is worth knowing. */
struct finding {
	const char *part, *setting, *problem, *note;
	bool good;
};

static const struct field finding_fields[] = {
	FIELD(finding, part, "part", FIELD_TEXT),
	FIELD(finding, setting, "setting", FIELD_TEXT),
	FIELD(finding, good, "good", FIELD_BOOL),
	FIELD(finding, problem, "problem", FIELD_TEXT),
	FIELD(finding, note, "note", FIELD_TEXT),
	{ 0 },
};

/*
 * Tries a part: 1 it works, 0 it is not configured, -1 it does not work. It fills in the finding's setting and note;
 * `which` is of the part's row.
 */
typedef int try_part(struct admin *a, int which, struct finding *finding, struct err *e);

/*
 * What the server acknowledges must survive a power cut of the database's machine. A database that does not know these
 * variables keeps its commits in its own way.
 */
static int check_durability(struct admin *a, struct err *e)
{
	struct durability_row row = { 0 };
	struct err ignored = { 0 };

	if (db_one(a->app.db, &ADMIN_DURABILITY, DB_NONE, admin_durability_columns, &row, &a->arena, &ignored) <= 0)
		return 1;
	if (row.flush != 1)
		return err_internal(e, "innodb_flush_log_at_trx_commit is %lld: what was acknowledged can be lost when the machine of the "
				    "database loses power; set it to 1", (long long)row.flush);
	if (row.binary_log && row.sync != 1)
		return err_internal(e, "sync_binlog is %lld: what was acknowledged can be lost when the machine of the database loses power; "
				    "set it to 1, or turn the binary log off", (long long)row.sync);
	return 1;
}

/* A batch of no update must be refused, or one could arrive at an update that is ending and be lost. Nothing stays of the attempt. */
static int check_foreign_keys(struct admin *a, struct err *e)
{
	static const char digest[32] = { 0 };
	struct err why = { 0 };
	int rc;

	if (db_begin(a->app.db, e) < 0)
		return -1;
	rc = db_exec(a->app.db, &ADMIN_ORPHAN, DB_VALUES(db_text("no update"), db_bytes((struct span){ digest, sizeof(digest) }), db_time(a->app.now_us())),
		     NULL, &why);
	db_rollback(a->app.db);
	if (rc < 0 && strstr(why.detail, NO_REFERENCED_ROW))
		return 1;
	if (rc < 0) {
		*e = why;
		return -1;
	}
	return err_internal(e, "the database does not enforce the foreign key journal_batches_update: pulumi-migrate check says whether it is missing; "
			    "TiDB shows in SHOW CREATE TABLE which ones are invalid, because the table was made while tidb_enable_foreign_key was OFF: "
			    "drop those and add them again");
}

static int try_database(struct admin *a, int which, struct finding *f, struct err *e)
{
	struct claim claim = { 0 };
	const char *holder;

	(void)which;
	f->setting = "PULUMI_DATABASE_ENDPOINT";
	/* A claim is a row that is written and read. Somebody else who checks at this moment is as good a proof. */
	if (start_open(&a->app, START_DATABASE, &a->arena, e) < 0 ||
	    claim_take(a->app.db, "check", "pulumi-admin check", &a->arena, &claim, &holder, e) < 0)
		return -1;
	claim_release(a->app.db, &claim);
	f->note = db_is_tidb(a->app.db) ? "connected, wrote, read; a TiDB that enforces foreign keys" : "connected, wrote, read; what it commits is durable";
	return check_durability(a, e) < 0 ? -1 : check_foreign_keys(a, e);
}

static int try_store(struct admin *a, int which, struct finding *f, struct err *e)
{
	const char *place;
	struct err ignored = { 0 };

	f->part = store_name((enum store)which);
	(void)!store_place((enum store)which, &a->arena, &f->setting, &place, &ignored);
	f->note = "wrote, read, listed, deleted";
	return store_try((enum store)which, e);
}

static int try_keys(struct admin *a, int which, struct finding *f, struct err *e)
{
	(void)which;
	f->setting = setting("PULUMI_LOCAL_KEYS") ? "PULUMI_LOCAL_KEYS" : "PULUMI_KMS_KEY";
	if (start_open(&a->app, START_KEYS, &a->arena, e) < 0)
		return -1;
	f->setting = arena_strdup(&a->arena, keys_setting(a->app.keys));
	if (keys_try(a->app.keys, e) < 0)
		return -1;
	f->note = arena_printf(&a->arena, "encrypted, decrypted; the key %s seals", keys_active(a->app.keys));
	return 1;
}

/* The database keeps the audit log when no table is named. */
static int try_audit(struct admin *a, int which, struct finding *f, struct err *e)
{
	(void)which;
	f->setting = "PULUMI_AUDIT_LOGS_DYNAMO_TABLE";
	f->note = "read";
	return start_open(&a->app, START_AUDIT, &a->arena, e) < 0 ? -1 : audit_try(a->app.audit, e);
}

static int try_certificate(struct admin *a, int which, struct finding *f, struct err *e)
{
	struct serve_tls tls;
	int64_t ends_at;

	(void)which;
	f->setting = "API_TLS_CERTIFICATE";
	if (serve_tls_read(&a->arena, "", &tls, e) < 0)
		return -1;
	if (!tls.on)
		return 0;
	if (expiry_of_certificate(tls.certificate, &ends_at, e) < 0)
		return -1;
	if (ends_at <= a->app.now_us())
		return err_internal(e, "API_TLS_CERTIFICATE: the certificate expired on %s", expiry_text(&a->arena, ends_at));
	f->note = arena_printf(&a->arena, "expires on %s", expiry_text(&a->arena, ends_at));
	return 1;
}

/* Nothing depends on it: whatever it says, the part works. */
static int try_licence(struct admin *a, int which, struct finding *f, struct err *e)
{
	const char *key = setting("PULUMI_LICENSE_KEY");
	int64_t ends_at = 0;

	(void)which;
	(void)e;
	if (!key)
		return 0;
	f->setting = "PULUMI_LICENSE_KEY";
	if (licence_ends_at(key, &ends_at))
		f->note = arena_printf(&a->arena, "%s on %s; not needed by this server", ends_at <= a->app.now_us() ? "expired" : "expires",
				       expiry_text(&a->arena, ends_at));
	else
		f->note = "says no expiry; not needed by this server";
	return 1;
}

static const struct {
	const char *part;
	try_part *try;
	int which;
} parts[] = {
	{ "database", try_database, 0 },
	{ "checkpoints", try_store, STORE_CHECKPOINTS },
	{ "policy packs", try_store, STORE_POLICY_PACKS },
	{ "engine events", try_store, STORE_ENGINE_EVENTS },
	{ "service metadata", try_store, STORE_SERVICE_METADATA },
	{ "public registry", try_store, STORE_REGISTRY_PUBLIC },
	{ "private registry", try_store, STORE_REGISTRY_PRIVATE },
	{ "keys", try_keys, 0 },
	{ "audit log", try_audit, 0 },
	{ "certificate", try_certificate, 0 },
	{ "licence key", try_licence, 0 },
};
#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

int admin_check(struct admin *a, struct err *e)
{
	struct finding findings[PART_COUNT];
	size_t count = 0;
	bool good = true;

	(void)e;
	for (size_t i = 0; i < PART_COUNT; i++) {
		struct finding f = { .part = parts[i].part };
		struct err why = { 0 };
		int rc = parts[i].try(a, parts[i].which, &f, &why);

		if (rc == 0)
			continue;
		f.good = rc == 1;
		f.note = f.good ? f.note : NULL;
		f.problem = f.good ? NULL : arena_strdup(&a->arena, why.detail[0] ? why.detail : why.message);
		good &= f.good;
		findings[count++] = f;
	}
	admin_list(a, finding_fields, findings, count, sizeof(findings[0]));
	return good;
}
