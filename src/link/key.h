/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys that sign links of this server: 32 random bytes each, sealed by the master key in a row that all hosts share.
 * One signs for a day and stays for another; so nothing depends on an old one, and a change of the master key collects
 * none of them: one that does not open any more has no successor to wait for, the next link makes a new one.
 */
#ifndef LINK_KEY_H
#define LINK_KEY_H

#include "base/app.h"
#include "crypto/aead.h"
#include "crypto/crypto.h"

#define LINK_KEY_SECONDS (24 * 3600)	/* signs so long; links that it signed end within as long again */

struct link_key {
	char id[UUID_TEXT];
	unsigned char key[AEAD_KEY_BYTES];
	int64_t created_at;
};

/* What a process has opened; made at the start of it. */
struct link_keys;
struct link_keys *link_keys_new(void);
/* Wipes them. Accepts NULL. */
void link_keys_free(struct link_keys *keys);

/*
 * The one that signs now; makes it when the last one is too old, or does not open. Not in a transaction. Owned by app->link_keys,
 * until the next call.
 */
int link_key_signing(struct app *app, const struct link_key **ret_key, struct err *e) WARN_UNUSED;
/* The one of an id: 0 when there is none that still counts. */
int link_key_find(struct app *app, const char *id, const struct link_key **ret_key, struct err *e) WARN_UNUSED;
/* Deletes those that sign nothing that still counts: 1 when there was one. */
int link_keys_purge(struct app *app, struct err *e) WARN_UNUSED;

#endif
