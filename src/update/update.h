/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Updates: created, started (lease, version, base state), fed with journal entries or checkpoints and
 * with events, completed or cancelled; and the state that they leave behind. State is stored as the
 * bytes that arrived. Refuses to let two updates write one stack: stack_locks has one row a stack.
 */
#ifndef UPDATE_UPDATE_H
#define UPDATE_UPDATE_H

#include "json/fields.h"
#include "stack/stack.h"

#define LEASE_US (300 * 1000000LL)
#define CHECKPOINT_CUTOFF_TEXT "1048576"	/* bytes; smaller states are always sent whole */

struct update {
	char *id, *organization_id, *stack_id, *kind, *status, *client;
	char *requested_by, *requested_by_id;	/* login and id of a user; NULL: it is gone */
	bool preview;
	int64_t version, journal_version, base_checkpoint_version;	/* -1: none */
	struct span checkpoint_sha256;
	int64_t checkpoint_bytes, checkpoint_resources, checkpoint_sequence;
	int64_t started_at, lease_expires_at, heard_at;
};

struct update_program {
	const char *message, *client;
	struct span environment, config, program;	/* JSON */
	bool preview;
};

struct update_started {
	int64_t version, token_expires_at, journal_version;
	char token[BEARER_TEXT];
	const char *bearer;		/* for the reply */
};

struct update_info {
	const char *id, *stack_id, *kind, *message, *result, *requested_by;
	struct span environment, config, changes;	/* JSON */
	struct span config_sha256;	/* of an object, which has the configuration until update_load_configurations; data NULL: `config` has it */
	int64_t config_bytes;		/* of that object, or 0 */
	int64_t started_at, ended_at, version, resource_count;
	bool preview;
};

/* A state document {"version":…,"deployment":{…}}. */
struct checkpoint_text {
	struct span text;
	int64_t resources;
};

/* Checks a whole state document: version 1 to 4, a deployment whose resources have URNs; counts them. */
int checkpoint_check(struct span text, struct checkpoint_text *ret_checkpoint, struct err *e) WARN_UNUSED;

/* Not started or running. */
bool update_is_open(const struct update *update);

/* --- life --- */
/*
 * A new update, which takes no lock; `ret_id` receives its identifier. 413 when `config` is too large (LIMIT_CONFIG_BYTES, or
 * LIMIT_CONFIG_OBJECT where there is a store for large ones, which is 503 while that is away).
 */
int update_create(struct app *app, const struct caller *c, const struct stack_path *path, const char *kind,
		  const struct update_program *program, int64_t now_us, char ret_id[UUID_TEXT],
		  struct err *e) WARN_UNUSED;
/*
 * Takes the stack, unless it is a preview. An update whose lease has lapsed makes way and keeps its state.
 * `tags` NULL keeps them. In a transaction. 409 says who holds the stack and how to cancel.
 */
int update_start(struct app *app, const struct caller *c, const struct stack_path *path, const char *id,
		 const struct text_map *tags, int64_t journal_version, int64_t now_us, struct update_started *ret_started,
		 struct err *e) WARN_UNUSED;
/*
 * Ends an update of the stack whose lease has lapsed, so that the stack's row tells what it left; 409 while one
 * is alive. In a transaction.
 */
int update_settle(struct app *app, const struct caller *c, const struct stack_path *path, int64_t now_us,
		  struct err *e) WARN_UNUSED;
/* Those with a `token` take the lease token's digest; 403 when it does not hold a running update. */
int update_renew(struct db *db, const char *id, struct span token, int64_t duration_s, int64_t now_us,
		 int64_t *ret_expires_at, struct err *e) WARN_UNUSED;
/* In a transaction; 0 when it had ended with this status before. The update is as it was found, in the arena. */
int update_complete(struct app *app, const char *id, struct span token, const char *status, int64_t now_us,
		    struct arena *arena, struct update *ret_update, struct err *e) WARN_UNUSED;
/* In a transaction; 409 when it has ended, 0 when it was cancelled before. */
int update_cancel(struct app *app, const struct caller *c, const struct stack_path *path, const char *id,
		  int64_t now_us, struct err *e) WARN_UNUSED;
struct update_expired {
	char id[UUID_TEXT];
	int64_t lapsed_at;
};
/*
 * Ends the first update whose lease lapsed behind `after_us` and before `before_us` as failed, with the state
 * that it saved: 1 ended it, 0 there is none, or somebody else did. In a transaction. *ret_found is set when
 * there is one, also when it cannot be ended: the caller then goes on behind it.
 */
int update_expire_next(struct app *app, int64_t after_us, int64_t before_us, struct update_expired *ret_found,
		       struct err *e) WARN_UNUSED;

/* --- what it saves --- */
enum checkpoint_form { CHECKPOINT_WHOLE, CHECKPOINT_VERBATIM, CHECKPOINT_DELTA };

struct checkpoint_save {
	enum checkpoint_form form;
	int64_t sequence;		/* not for CHECKPOINT_WHOLE */
	struct checkpoint_text checkpoint;	/* not for CHECKPOINT_DELTA */
	struct span edits;		/* CHECKPOINT_DELTA: a JSON list of edits of the text saved before */
	const char *hash;		/* CHECKPOINT_DELTA: SHA-256 of the new text, hex */
};

/* In a transaction. 409 when a delta does not fit what was saved before; the client then sends the whole text. */
int update_save_checkpoint(struct app *app, const char *id, struct span token, const struct checkpoint_save *save,
			   struct err *e) WARN_UNUSED;
/*
 * Appends a journal batch, durable when it returns. `text` is the decompressed body, `stored` the bytes
 * that are kept. One that was appended before changes nothing.
 */
int update_append_journal(struct app *app, const char *id, struct span token, struct span text, struct span stored,
			  bool gzip, struct err *e) WARN_UNUSED;
int update_append_events(struct app *app, const char *id, struct span token, struct span text, struct span stored,
			 bool gzip, struct err *e) WARN_UNUSED;

/* A line of text; `kind` is stdout or stderr, `fields` JSON. */
int update_append_log(struct app *app, const char *id, struct span token, const char *kind, struct span fields,
		      struct err *e) WARN_UNUSED;

/* --- reading --- */
/* The update of a stack of the caller's organization, or 404. */
int update_find(struct db *db, const struct caller *c, const char *stack_id, const char *id, struct arena *arena,
		struct update *ret_update, struct err *e) WARN_UNUSED;
/* Newest first; page from 1; size 0: all, bounded. `version` -1: any; 0 rows is an answer. */
int update_history(struct db *db, const struct caller *c, const struct stack *stack, int64_t version, int64_t page,
		   int64_t size, struct arena *arena, struct update_info **ret_list, size_t *ret_count,
		   struct err *e) WARN_UNUSED;
/* Previews and dry runs, by time. Page from 1. */
int update_previews(struct db *db, const struct caller *c, const struct stack *stack, bool ascending, int64_t page, int64_t size,
		    struct arena *arena, struct update_info **ret_list, size_t *ret_count,
		    struct err *e) WARN_UNUSED;
int update_preview_find(struct db *db, const struct caller *c, const struct stack *stack, const char *id,
			struct arena *arena, struct update_info *ret_info, struct err *e) WARN_UNUSED;
/*
 * Reads the configurations that are objects; their texts live in the arena. Each text once, however many updates have it. 400
 * when they are more than LIMIT_HISTORY_CONFIG together; an object that is missing or damaged is an internal error.
 */
int update_load_configurations(struct app *app, struct update_info *list, size_t count, struct arena *arena,
			       struct err *e) WARN_UNUSED;
/* Appends the engine events from sequence `from` on as JSON array elements; *ret_next -1 at the end. */
int update_events(struct app *app, const struct update *u, int64_t from, struct buffer *out, int64_t *ret_next,
		  struct err *e) WARN_UNUSED;

struct update_log_entry {
	const char *id, *kind;
	struct span fields;	/* JSON */
};
/* Lines behind the one with the id `after` ("": from the first), a page of them. */
int update_log(struct db *db, const struct update *u, const char *after, struct arena *arena,
	       struct update_log_entry **ret_list, size_t *ret_count, struct err *e) WARN_UNUSED;

struct exported {
	struct span sha256;	/* of the stored text; data NULL: `text` has it */
	struct buffer text;	/* replayed just now */
};
/* The state of a version (-1: the current one, an update that runs included): 0 when the stack is empty. The stack was found by the path. */
int update_export(struct app *app, const struct caller *c, const struct stack_path *path, const struct stack *stack, int64_t version,
		  struct arena *arena, struct exported *ret_exported, struct err *e) WARN_UNUSED;
/* The state document that a new stack begins with. In the transaction that makes the stack. */
int update_set_first_state(struct app *app, const char *stack_id, struct span text, struct err *e) WARN_UNUSED;
/* Makes the document the stack's state as an update of kind import; its id goes to ret_id. */
int update_import(struct app *app, const struct caller *c, const struct stack_path *path,
		  const struct checkpoint_text *checkpoint, const char *client, char ret_id[UUID_TEXT],
		  struct err *e) WARN_UNUSED;

#endif
