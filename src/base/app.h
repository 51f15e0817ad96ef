/* SPDX-License-Identifier: Apache-2.0 */
/* What a process builds once at start and passes down. There is no other mutable state. */
#ifndef BASE_APP_H
#define BASE_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct blob_store;
struct keys;
struct link_keys;
struct meter;
struct mail_config;
struct guard;
struct tracer;
struct audit_store;
struct policy_texts;

struct app {
	struct db *db;
	struct blob_store *objects;	/* checkpoints, and journal batches too large for a row */
	struct blob_store *events;	/* batches of engine events too large for a row; NULL: the database has all */
	struct blob_store *metadata;	/* configurations of updates too large for a row, auth policies; NULL: the database has all */
	struct blob_store *packs;	/* policy packs; NULL: none are kept here */
	struct link_keys *link_keys;	/* sign addresses of this server; NULL where database or keys were not asked for */
	struct policy_texts *policy_texts;	/* auth policies that were read out of `metadata`; NULL: none is remembered */
	struct keys *keys;		/* opens the data keys of stacks */
	struct audit_store *audit;	/* keeps the audit log */
	struct meter *meter;		/* counts; NULL: nobody reads the counts on this host */
	const struct mail_config *mail;	/* NULL: this installation sends no mail */
	struct guard *guard;		/* where calls may lead whose target a user named */
	struct tracer *tracer;		/* what requests did; NULL: nobody wants to know */
	size_t max_body;		/* bytes of a decompressed body */
	bool sendfile;			/* the web server sends files named by X-Sendfile */
	bool untried;			/* services that settings name were tried by a responder before: start/proven.h */
	int64_t (*now_us)(void);	/* microseconds since 1970, UTC */
};

#endif
